"""Ogg pages (RFC 3533): a stream whose serial number is drawn by chance gets one of its own."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

_MAGIC = b"OggS"
_SERIAL, _CHECKSUM, _SEGMENTS = 14, 22, 26  # where they are in a page's header
_HEADER = 27  # bytes, before the table of segments
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def settle(encoded: bytes) -> bytes:
    """The same stream with a serial number that follows from its content.

    libsndfile draws the number by chance, so that no two files are equal; the number of every
    stream must be its own, since streams can be joined to one file.

    Args:
        encoded: a file of one logical stream.
    """
    pages = bytearray(encoded)
    spans = list(_pages(encoded))
    for start, _ in spans:
        pages[start + _SERIAL : start + _SERIAL + 4] = bytes(4)
        pages[start + _CHECKSUM : start + _CHECKSUM + 4] = bytes(4)
    serial = struct.pack("<I", zlib.crc32(pages))
    for start, end in spans:
        pages[start + _SERIAL : start + _SERIAL + 4] = serial
        pages[start + _CHECKSUM : start + _CHECKSUM + 4] = checksum(pages[start:end])
    return bytes(pages)


def checksum(page: bytes) -> bytes:
    """Of a page whose own checksum is still zero, as it stands in the page.

    Ogg and zlib divide by the same polynomial, 0x04c11db7, but zlib takes the bits of every byte
    in the other order, and begins and ends by turning all bits around.
    """
    remainder = zlib.crc32(page.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return remainder.to_bytes(4, "big").translate(_REVERSED)


def _pages(encoded: bytes) -> Iterator[tuple[int, int]]:
    """First byte, and last byte + 1, of each page."""
    start = 0
    while start < len(encoded):
        assert encoded.startswith(_MAGIC, start), f"no Ogg page at byte {start}"
        table = start + _HEADER
        segments = encoded[table : table + encoded[start + _SEGMENTS]]
        end = table + len(segments) + sum(segments)
        yield start, end
        start = end
