"""`Performance`: a spoken line with its times, its direction and where it came from; `Stream`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from conditioning.audio import Audio
from conditioning.direction import Direction

from .casting import Casting
from .provenance import Provenance


class Timed(NamedTuple):
    """A word or a phoneme and when it is heard, in seconds from the start."""

    label: str
    start: float
    end: float


@dataclass(frozen=True, eq=False)
class Spoken:
    """One phrase of a stream: marked speech, and times in seconds from the start of the line."""

    audio: Audio
    words: tuple[Timed, ...]
    phonemes: tuple[Timed, ...]


@dataclass(frozen=True, eq=False)
class Performance:
    """What `VoiceActor.perform` gives back.

    Attributes:
        audio: marked speech.
        text: what was spoken, without in-line directions.
        voice: who spoke.
        seed: what chose among the possible takes.
        direction: what was asked, and which words decided it.
        casting: why this voice, and what was changed in it to suit the direction.
        words: (word as written, start, end) in seconds, from the durations that were spoken.
        phonemes: the same for each phoneme, in Kokoro's alphabet.
        provenance: what the file's metadata will say.
    """

    audio: Audio
    text: str
    voice: str
    seed: int
    direction: Direction
    casting: Casting
    words: tuple[Timed, ...]
    phonemes: tuple[Timed, ...]
    provenance: Provenance

    def save(self, path: str | os.PathLike) -> Path:
        """Writes the speech with its metadata, in the format that the suffix names.

        Raises:
            InvalidInput: the format is unknown or the place cannot be written.
        """
        return self.audio.save(path, self.provenance.to_metadata())

    def encode(self, suffix: str = ".wav") -> bytes:
        """The bytes of the file that `save` would write."""
        return self.audio.encode(suffix, self.provenance.to_metadata())

    def places(self, times: Iterable[float]) -> np.ndarray:
        """Where in the text is spoken at these times (s): fractions of its characters, (N,).

        Between words, and within one, the place moves on evenly.
        """
        known = [time for word in self.words for time in (word.start, word.end)]
        places = [place for pair in places_of(self.text, self.words) for place in pair]
        return np.interp(
            np.fromiter(times, float), [0.0, *known, self.audio.duration], [0.0, *places, 1.0]
        )

    def to_json(self) -> dict:
        """Everything but the samples, ready for `json.dumps`."""
        return {
            "text": self.text,
            "voice": self.voice,
            "seed": self.seed,
            "sample_rate": self.audio.sample_rate,
            "duration": round(self.audio.duration, 4),
            "asked": self.direction.curve.mean().to_json(),
            "curve": self.direction.curve.to_json(),
            "evidence": [asdict(item) for item in self.direction.evidence],
            "ignored": list(self.direction.ignored),
            "notes": list(dict.fromkeys((*self.direction.notes, *self.casting.notes))),
            "casting": self.casting.to_json(),
            "words": _rows(self.words),
            "phonemes": _rows(self.phonemes),
            "provenance": self.provenance.to_metadata(),
        }


def places_of(text: str, words: Iterable[Timed]) -> Iterator[tuple[float, float]]:
    """Where each word begins and ends in the text, as fractions of its characters."""
    end = 0
    for word in words:
        start = text.index(word.label, end)
        end = start + len(word.label)
        yield start / len(text), end / len(text)


class Stream(Iterator[Spoken]):
    """A line as it is spoken: an iterator over its phrases that knows the whole.

    Attributes:
        phrases: how many there are.
        direction, casting, seed: as in `Performance`.
    """

    def __init__(
        self,
        pieces: Iterator[Spoken],
        phrases: int,
        direction: Direction,
        casting: Casting,
        seed: int,
        sample_rate: int,
    ):
        self.phrases = phrases
        self.direction = direction
        self.casting = casting
        self.seed = seed
        self._pieces = pieces
        self._spoken: list[Spoken] = []
        self._sample_rate = sample_rate

    def __next__(self) -> Spoken:
        piece = next(self._pieces)
        self._spoken.append(piece)
        return piece

    def performance(self) -> Performance:
        """The whole line; phrases that nobody has asked for yet are spoken first."""
        for _ in self:
            pass
        text, voice = self.direction.text, self.casting.voice
        samples = np.concatenate([piece.audio.samples for piece in self._spoken])
        return Performance(
            audio=Audio(samples, self._sample_rate),
            text=text,
            voice=voice,
            seed=self.seed,
            direction=self.direction,
            casting=self.casting,
            words=tuple(word for piece in self._spoken for word in piece.words),
            phonemes=tuple(phoneme for piece in self._spoken for phoneme in piece.phonemes),
            provenance=Provenance.of(text, voice, str(self.direction), self.seed),
        )


def _rows(times: tuple[Timed, ...]) -> list[list]:
    return [[item.label, round(item.start, 4), round(item.end, 4)] for item in times]
