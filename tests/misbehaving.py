"""A local endpoint that answers as it is told to, well or badly."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import threading
import time


class Endpoint:
    """One reply a connection, the last one again and again.

    A reply is bytes to send as they are, or a function of the connected socket.

    Args:
        context: of TLS, where https is spoken.

    Attributes:
        heads: the head of every request that came, as text.
        bodies: the JSON of every request that had one.
        gone: set when a function of the socket found the other side gone.
    """

    def __init__(self, *replies, context=None):
        self.replies = list(replies)
        self.heads, self.bodies = [], []
        self.gone = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        if context:
            self.listener = context.wrap_socket(self.listener, server_side=True)
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
            threading.Thread(target=self._serve, args=(connection, reply), daemon=True).start()

    def _serve(self, connection, reply):
        connection.settimeout(5)
        try:
            with connection:
                self._read(connection)
                if callable(reply):
                    reply(connection)
                else:
                    connection.sendall(reply)
        except OSError:
            self.gone.set()

    def _read(self, connection):
        data = b""
        while b"\r\n\r\n" not in data:
            more = connection.recv(65536)
            if not more:
                return
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        self.heads.append(head.decode("latin-1"))
        found = re.search(r"(?i)content-length: *(\d+)", self.heads[-1])
        length = int(found[1]) if found else 0
        while len(body) < length:
            body += connection.recv(65536)
        if body:
            self.bodies.append(json.loads(body))


def status(code, head="", body=b""):
    """A whole reply with any status line and further head lines."""
    return f"HTTP/1.1 {code}\r\nContent-Length: {len(body)}\r\n{head}\r\n".encode() + body


def raw(body):
    """A reply of 200 with this body."""
    return status("200 OK", "Content-Type: application/json\r\n", body)


def message(**fields):
    """A chat completion with one message."""
    completion = {"choices": [{"index": 0, "message": {"role": "assistant", **fields}}]}
    return raw(json.dumps(completion).encode())


def says(content):
    """A chat completion whose text is this, or this as JSON."""
    return message(content=content if isinstance(content, str) else json.dumps(content))


def dripping(reply, seconds=0.05):
    """Sends a reply byte by byte."""

    def drip(connection):
        for byte in reply:
            connection.sendall(bytes([byte]))
            time.sleep(seconds)

    return drip


def endless(head, piece):
    """Sends a head, then the same piece for ever."""

    def pour(connection):
        connection.sendall(head)
        while True:
            connection.sendall(piece)

    return pour


def silent(connection):
    """Takes the request, and says nothing until the other side has gone."""
    with contextlib.suppress(TimeoutError):
        connection.recv(1)
