"""The cast: who can speak, with what accent, and how each voice sounds."""

from __future__ import annotations

import csv
from dataclasses import dataclass

from conditioning import weights

DEFAULT = "af_heart"
_ACCENTS = {"a": "American", "b": "British"}
_GENDERS = {"f": "female", "m": "male"}
_G2P = {"American": "us", "British": "gb"}


@dataclass(frozen=True)
class Voice:
    """A voice of the cast.

    Attributes:
        name: as `perform` takes it; the first letter is the accent, the second the gender.
        accent: American or British.
        gender: female or male.
        licence: of the voice's weights.
        pitch: median of its neutral reading, Hz.
        rate: syllables per second of its neutral reading.
        timbre: a few words, derived from measured pitch, brightness, breath and rate.
    """

    name: str
    accent: str
    gender: str
    licence: str
    pitch: float
    rate: float
    timbre: str


def accent_of(voice: str) -> str:
    """The accent of the G2P for a voice, "us" or "gb"."""
    return _G2P[_ACCENTS.get(voice[0], "American")]


def share_of_women(voice: str) -> float:
    """How much of the women's way of acting suits a voice: 1 or 0."""
    return float(_GENDERS[voice[1]] == "female")


def cast() -> tuple[Voice, ...]:
    """Every voice, by name. Figures: `python benchmarks/voices.py`."""
    licence = weights.manifest()["kokoro-voices-en"].licence
    with open(weights.path("voices"), encoding="utf-8", newline="") as stream:
        return tuple(
            Voice(
                name=row["name"],
                accent=_ACCENTS[row["name"][0]],
                gender=_GENDERS[row["name"][1]],
                licence=licence,
                pitch=float(row["pitch_hz"]),
                rate=float(row["syllables_per_second"]),
                timbre=row["timbre"],
            )
            for row in csv.DictReader(stream)
        )
