"""The cast: who can speak, with what accent, and how each voice sounds."""

from __future__ import annotations

import csv
import math
from collections.abc import Collection
from dataclasses import dataclass

from conditioning import weights
from conditioning.emotion import quoted
from conditioning.errors import InvalidInput, unknown_name

DEFAULT = "af_heart"
_ACCENTS = {"a": "American", "b": "British"}
_GENDERS = {"f": "female", "m": "male"}
_G2P = {"American": "us", "British": "gb"}
MOST_PARTS = 4  # of a blend; more voices average out to nobody's


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


def parse_voice(spec: str, names: Collection[str]) -> tuple[tuple[str, float], ...]:
    """The voices of a name or a blend, each with its share; the shares sum to 1.

    >>> parse_voice("af_heart*0.6 + bf_emma*0.4", ("af_heart", "bf_emma"))
    (('af_heart', 0.6), ('bf_emma', 0.4))

    Raises:
        UnknownName: for a voice that is not among the names.
        InvalidInput: for a blend of more than four voices, or a weight that is not above 0.
    """
    parts = _parts(spec)
    for name, _ in parts:
        if name not in names:
            raise unknown_name("voice", name, names)
    return parts


def _parts(spec: str) -> tuple[tuple[str, float], ...]:
    """Names and shares of a voice or a blend; whether there are such voices is not looked at."""
    if not isinstance(spec, str):
        raise InvalidInput(f"The voice came as {type(spec).__name__}; allowed: a name or a blend.")
    parts: dict[str, float] = {}
    pieces = spec.split("+")
    if len(pieces) > MOST_PARTS:
        raise InvalidInput(
            f"The blend {quoted(spec)} has {len(pieces)} voices; allowed: up to {MOST_PARTS}; "
            "leave out the lightest."
        )
    for piece in pieces:
        name, star, weight = (part.strip() for part in piece.partition("*"))
        try:
            share = float(weight) if star else 1.0
        except ValueError:
            share = math.nan
        if (len(pieces) > 1 and not name) or not 0 < share < math.inf:
            raise InvalidInput(
                f"The voice {quoted(spec)} cannot be read at {quoted(piece)}; allowed: a name or "
                "a blend with weights above 0; write for example 'af_heart*0.6+bf_emma*0.4'."
            )
        parts[name] = parts.get(name, 0.0) + share
    whole = math.fsum(parts.values())
    return tuple((name, share / whole) for name, share in parts.items())


def accent_of(voice: str) -> str:
    """The accent of the G2P for a voice, "us" or "gb"; a blend has that of its larger part."""
    shares: dict[str, float] = {}
    for name, share in _parts(voice):
        accent = _ACCENTS.get(name[:1], "American")
        shares[accent] = shares.get(accent, 0.0) + share
    return _G2P[max(shares, key=lambda accent: shares[accent])]


def share_of_women(voice: str) -> float:
    """How much of the women's way of acting suits a voice or a blend, 0 to 1."""
    return math.fsum(share for name, share in _parts(voice) if _GENDERS[name[1]] == "female")


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
