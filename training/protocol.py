"""What evaluation asks for: voices, sentences, emotions and intensities."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from conditioning import taxonomy
from voice_actor.adapter import LEVELS, NEUTRAL

from .judge import CATEGORY

EVALUATED = ("af_bella", "af_nova", "bf_emma", "am_michael", "am_puck", "bm_george")
FULL = 0.8  # the intensity at which emotions are compared
ASKED = {**CATEGORY, NEUTRAL: NEUTRAL}  # what a judge calls an emotion -> what the actor is asked
# Each part's sentences, by number.
PARTS = {"core": 10, "levels": 3, "all": 2, "seeded": 5}
PAIR = PARTS["all"]
CARRIERS = Path(__file__).with_name("carriers.txt")


@dataclass(frozen=True)
class Line:
    """One reading that is asked for.

    Attributes:
        system: "adapter", or "seeded" for the table before training.
        voice, text: who says what.
        asked: a category, "neutral", or "" for no direction.
        level: intensity; 0 without an emotion.
    """

    system: str
    voice: str
    text: str
    asked: str
    level: float = 0.0


def carriers(section: str) -> tuple[str, ...]:
    """Neutral sentences for one use: "search", "audition" or "evaluation"."""
    lines = CARRIERS.read_text(encoding="utf-8").split(f"[{section}]\n")[1].split("\n\n")[0]
    return tuple(lines.splitlines())


def matrix(parts: Iterable[str], sentences: int | None = None) -> Iterator[Line]:
    """The readings of some parts, of so many sentences each, or of as many as `PARTS` says."""
    emotions = list(CATEGORY.values())
    for part in parts:
        system = "seeded" if part == "seeded" else "adapter"
        for text in carriers("evaluation")[: sentences or PARTS[part]]:
            for voice in EVALUATED:
                if part == "levels":
                    for name in emotions:
                        yield from (
                            Line(system, voice, text, name, level) for level in (*LEVELS, FULL)
                        )
                    continue
                if part == "all":
                    yield from (Line(system, voice, text, name, FULL) for name in taxonomy.NAMES)
                    continue
                yield Line("adapter", voice, text, "")
                yield Line(system, voice, text, NEUTRAL)
                yield from (Line(system, voice, text, name, FULL) for name in emotions)
