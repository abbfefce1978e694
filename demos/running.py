"""`Running`: a command in a process of its own, with everything that it starts."""

from __future__ import annotations

import atexit
import os
import queue
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress

PATIENCE = 5.0  # s that a command has to end when it is asked to
REMEMBERED = 100  # lines on standard error


class Running:
    """A command as it runs: iterate for the lines that it prints, then ask how it `ended`.

    A command that is not iterated to its end must be stopped; one that is still there when this
    process ends is stopped too.
    """

    def __init__(self, command: Sequence[str], every: float = 1.0):
        """
        Args:
            every: s; so often at least the iterator gives what is new, if only nothing.
        """
        self._every = every
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            start_new_session=True,  # so that what it starts can be found: its process group
        )
        self._printed: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._complained: deque[str] = deque(maxlen=REMEMBERED)
        self._readers = [
            threading.Thread(target=read, daemon=True) for read in (self._read, self._overhear)
        ]
        for reader in self._readers:
            reader.start()
        self.stopped = False
        atexit.register(self.stop)

    def __iter__(self) -> Iterator[list[str]]:
        """What was printed since, line by line; an empty list after `every` s without any."""
        while True:
            try:
                line = self._printed.get(timeout=self._every)
            except queue.Empty:
                if self._process.poll() is not None:
                    return  # something that it left behind keeps its output open
                yield []
                continue
            if line is None:
                return
            yield [line]

    def ended(self) -> int:
        """The exit code, when the command has ended; what it left behind is ended then."""
        code = self._process.wait()
        self.stop()
        for reader in self._readers:
            reader.join(PATIENCE)
        return code

    @property
    def complaints(self) -> str:
        """The end of what it said on standard error."""
        return "\n".join(self._complained)

    def stop(self) -> None:
        """Ends the command and everything that it started; what has ended already stays so."""
        atexit.unregister(self.stop)
        if self._process.poll() is None:
            self.stopped = True
            self._send(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(PATIENCE)
        self._send(getattr(signal, "SIGKILL", signal.SIGTERM))  # whoever did not listen
        self._process.wait()

    def leave(self) -> None:
        """Whoever started it has gone."""
        self.stop()

    def _send(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):  # nobody is left
            if hasattr(os, "killpg"):
                os.killpg(self._process.pid, number)
            else:
                self._process.terminate()

    def _read(self) -> None:
        for line in self._process.stdout:
            self._printed.put(line.rstrip("\n"))
        self._printed.put(None)

    def _overhear(self) -> None:
        for line in self._process.stderr:
            self._complained.append(line.rstrip("\n"))
