"""What evaluation asks for: voices, sentences, emotions and intensities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from conditioning import taxonomy
from voice_actor.adapter import LEVELS, NEUTRAL

from .judge import CATEGORY

# Never rehearsed. A matrix of fewer voices takes the first.
EVALUATED = ("af_bella", "am_michael", "bf_emma", "bm_george", "af_nova", "am_puck")
FULL = 0.8  # the intensity at which emotions are compared
ASKED = {**CATEGORY, NEUTRAL: NEUTRAL}  # what a judge calls an emotion -> what the actor is asked
CARRIERS = Path(__file__).with_name("carriers.txt")


@dataclass(frozen=True)
class Line:
    """One reading that is asked for.

    Attributes:
        system: who is to read.
        voice, text: who says what.
        asked: a category, "neutral", or "" for no direction.
        level: intensity; 0 without an emotion.
    """

    system: str
    voice: str
    text: str
    asked: str
    level: float = 0.0


@dataclass(frozen=True)
class Protocol:
    """A matrix of lines. Whoever changes one gives it another name, since figures quote it.

    Attributes:
        name: with its version.
        voices: so many of a system's.
        core: sentences in which all eight are asked, and nothing.
        levels: of these, sentences in which the seven are asked at each of `LEVELS`.
        forty: of these, sentences in which all 40 categories are asked.
        others: sentences of the core for the systems that are compared with the first.
    """

    name: str
    voices: int
    core: int
    levels: int
    forty: int
    others: int

    def lines(self, system: str, voices: Sequence[str], first: bool = True) -> Iterator[Line]:
        """What a system is asked; the first one everything."""
        texts = carriers("evaluation")
        for text in texts[: self.core if first else self.others]:
            for voice in voices[: self.voices]:
                yield Line(system, voice, text, "")
                yield Line(system, voice, text, NEUTRAL)
                yield from (Line(system, voice, text, name, FULL) for name in CATEGORY.values())
        if not first:
            return
        for number, text in enumerate(texts[: self.core]):
            for voice in voices[: self.voices]:
                if number < self.levels:
                    for name in CATEGORY.values():
                        yield from (Line(system, voice, text, name, level) for level in LEVELS)
                if number < self.forty:
                    others = (name for name in taxonomy.NAMES if name not in CATEGORY.values())
                    yield from (Line(system, voice, text, name, FULL) for name in others)


PROTOCOLS = {
    "small": Protocol("small-1", voices=3, core=3, levels=1, forty=0, others=2),
    "full": Protocol("full-1", voices=6, core=10, levels=2, forty=1, others=3),
}


@cache
def carriers(section: str) -> tuple[str, ...]:
    """Neutral sentences for one use: "search", "audition" or "evaluation"."""
    lines = CARRIERS.read_text(encoding="utf-8").split(f"[{section}]\n")[1].split("\n\n")[0]
    return tuple(lines.splitlines())
