"""Text tags in audio files: LIST INFO of WAV, ID3v2 of MP3, Vorbis comments of FLAC and Ogg."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterator, Mapping

from conditioning.errors import InvalidInput, unknown_name

FIELDS = ("title", "artist", "comment", "software", "copyright", "license", "date")

# libsndfile 1.2.2 writes WAV and MP3 tags too, but a WAV comment of some KB vanishes together with
# every field after it, MP3 text beyond Latin-1 is mangled, copyright and licence are dropped. Both
# containers are simple, so we write these two ourselves.
_INFO = {
    "title": b"INAM",
    "artist": b"IART",
    "comment": b"ICMT",
    "software": b"ISFT",
    "copyright": b"ICOP",
    "license": b"ILIC",  # RIFF has no field for a licence; readers skip names they do not know
    "date": b"ICRD",
}
_ID3 = {
    "title": b"TIT2",
    "artist": b"TPE1",
    "comment": b"COMM",
    "software": b"TSSE",
    "copyright": b"TCOP",
    "license": b"TXXX",
    "date": b"TDRC",
}
_ID3_LICENSE = "LICENSE"  # TXXX frames carry their own name
_ID3_ENCODINGS = ("latin-1", "utf-16", "utf-16-be", "utf-8")


def check(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags that hold text.

    Raises:
        UnknownName: a field that is not one of `FIELDS`.
        InvalidInput: a value that is not text, or holds NUL, which would end it early.
    """
    for field, value in tags.items():
        if field not in FIELDS:
            raise unknown_name("metadata field", field, FIELDS)
        if not isinstance(value, str) or "\0" in value:
            raise InvalidInput(f"Metadata field {field!r} is {value!r:.40}; give text without NUL.")
    return {field: value for field, value in tags.items() if value}


def embed(encoded: bytes, tags: Mapping[str, str]) -> bytes:
    """Put tags into a finished WAV or MP3 file that has none yet."""
    tags = check(tags)
    if not tags:
        return encoded
    return _embed_wav(encoded, tags) if encoded[:4] == b"RIFF" else _embed_mp3(encoded, tags)


def read(encoded: bytes) -> dict[str, str]:
    """The tags of an encoded audio file, among `FIELDS`; empty when there are none.

    Raises:
        soundfile.LibsndfileError: neither WAV, nor MP3 with tags, nor anything libsndfile knows.
    """
    if encoded[:4] == b"RIFF" and encoded[8:12] == b"WAVE":
        return _read_wav(encoded)
    if encoded[:3] == b"ID3":
        return _read_mp3(encoded)
    import soundfile

    with soundfile.SoundFile(io.BytesIO(encoded)) as sound:
        found = {k: v for k, v in sound.copy_metadata().items() if k in FIELDS and v}
    if "software" in found:  # libsndfile signs with its own name when it writes this field
        found["software"] = re.sub(r" \(libsndfile-[^)]*\)$", "", found["software"])
    return found


def _embed_wav(encoded: bytes, tags: Mapping[str, str]) -> bytes:
    body = b"INFO" + b"".join(_chunk(_INFO[k], v.encode() + b"\0") for k, v in tags.items())
    content = encoded[8:] + _chunk(b"LIST", body)
    return b"RIFF" + struct.pack("<I", len(content)) + content


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def _chunks(content: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, first byte and last byte + 1 of each RIFF chunk."""
    while start + 8 <= end:
        name, size = struct.unpack_from("<4sI", content, start)
        start += 8
        yield name, start, min(start + size, end)
        start += size + size % 2


def _read_wav(encoded: bytes) -> dict[str, str]:
    fields = {name: field for field, name in _INFO.items()}
    found = {}
    for name, start, end in _chunks(encoded, 12, len(encoded)):
        if name == b"LIST" and encoded[start : start + 4] == b"INFO":
            for entry, first, last in _chunks(encoded, start + 4, end):
                if entry in fields:
                    text = encoded[first:last].split(b"\0", 1)[0].decode("utf-8", "replace")
                    found[fields[entry]] = text
    return found


def _embed_mp3(encoded: bytes, tags: Mapping[str, str]) -> bytes:
    """ID3v2.4 (id3.org/id3v2.4.0-structure): sizes of 7 bits a byte, text encoding 3 is UTF-8."""
    frames = b""
    for field, value in tags.items():
        name = _ID3[field]
        prefix = {b"COMM": b"eng\0", b"TXXX": _ID3_LICENSE.encode() + b"\0"}.get(name, b"")
        body = b"\3" + prefix + value.encode()
        frames += name + _syncsafe(len(body)) + b"\0\0" + body
    return b"ID3\4\0\0" + _syncsafe(len(frames)) + frames + encoded


def _syncsafe(size: int) -> bytes:
    return bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))


def _unsyncsafe(size: bytes) -> int:
    return sum(byte << shift for byte, shift in zip(size, (21, 14, 7, 0), strict=True))


def _read_mp3(encoded: bytes) -> dict[str, str]:
    fields = {name: field for field, name in _ID3.items()}
    version, end = encoded[3], 10 + _unsyncsafe(encoded[6:10])
    found, start = {}, 10
    while start + 10 <= end and encoded[start : start + 1].isalnum():
        name, size = encoded[start : start + 4], encoded[start + 4 : start + 8]
        length = _unsyncsafe(size) if version >= 4 else int.from_bytes(size, "big")
        body = encoded[start + 10 : start + 10 + length]
        start += 10 + length
        if name not in fields or not body or body[0] >= len(_ID3_ENCODINGS):
            continue
        text = body[4 if name == b"COMM" else 1 :].decode(_ID3_ENCODINGS[body[0]], "replace")
        described = name in (b"COMM", b"TXXX")
        description, _, value = text.partition("\0") if described else ("", "", text)
        if description.lstrip("\ufeff") == (_ID3_LICENSE if name == b"TXXX" else ""):
            found[fields[name]] = value.strip("\0\ufeff")
    return found
