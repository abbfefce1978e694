"""`Performance`: a spoken line with its times, its direction and where it came from."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

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


def _rows(times: tuple[Timed, ...]) -> list[list]:
    return [[item.label, round(item.start, 4), round(item.end, 4)] for item in times]
