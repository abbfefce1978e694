"""Ogg: the same stream each time, and pages that every reader takes."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from conditioning.ogg import checksum, settle

RATE = 24000


def encoded(encoding: str, hertz: float = 440.0, seconds: float = 3.0) -> bytes:
    """As libsndfile writes it, with a serial number drawn by chance."""
    sound = 0.3 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)
    file = io.BytesIO()
    soundfile.write(file, sound, RATE, encoding, format="OGG")
    return file.getvalue()


def pages(stream: bytes) -> list[bytes]:
    starts = [at for at in range(len(stream)) if stream.startswith(b"OggS\0", at)]
    return [stream[a:b] for a, b in zip(starts, [*starts[1:], len(stream)], strict=True)]


def divided(page: bytes) -> bytes:
    """The checksum of RFC 3533, bit by bit."""
    remainder = 0
    for byte in page[:22] + bytes(4) + page[26:]:
        remainder ^= byte << 24
        for _ in range(8):
            carry = remainder & 0x80000000
            remainder = (remainder << 1 & 0xFFFFFFFF) ^ (0x04C11DB7 if carry else 0)
    return remainder.to_bytes(4, "little")


@pytest.mark.parametrize("encoding", ["VORBIS", "OPUS"])
def test_streams_that_differ_by_chance_become_the_same(encoding):
    first, second = encoded(encoding), encoded(encoding)
    assert first != second
    assert settle(first) == settle(second) == settle(settle(first))


@pytest.mark.parametrize("encoding", ["VORBIS", "OPUS"])
def test_every_page_has_the_one_serial_and_the_checksum_of_the_standard(encoding):
    settled = pages(settle(encoded(encoding)))
    assert len(settled) >= 3
    assert len({page[14:18] for page in settled}) == 1
    assert [page[22:26] for page in settled] == [divided(page) for page in settled]
    for written, page in zip(pages(encoded(encoding)), settled, strict=True):
        assert (written[:14], written[18:22]) == (page[:14], page[18:22])
        assert written[26:] == page[26:]


def test_two_sounds_are_two_streams():
    # RFC 3533: those that are joined to one file must have serial numbers of their own.
    low, high = settle(encoded("VORBIS", 300)), settle(encoded("VORBIS", 301))
    assert low[14:18] != high[14:18]


def test_the_checksum_of_nothing_is_zero_and_of_one_bit_the_polynomial():
    assert checksum(b"") == checksum(bytes(99)) == bytes(4)
    assert checksum(b"\1") == (0x04C11DB7).to_bytes(4, "little")
