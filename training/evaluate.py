"""Closed-loop evaluation: the actor speaks a matrix, judges listen, asked and heard are compared.

    python -m training evaluate -o FOLDER

The judges learnt from other speech than whatever taught the adapter, and the voices and sentences
are ones that it never rehearsed. Every reading is written down at once (readings.jsonl), so that a
run that was stopped goes on.

Letters in shapes: N readings, R = 8 judged emotions, E = 40 categories.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from conditioning import taxonomy
from conditioning.audio import Audio
from conditioning.emotion import EmotionVector
from conditioning.errors import InvalidInput
from conditioning.files import write_whole

from .judge import CATEGORY, EMOTIONS, Judge
from .notebook import Notebook, packed, unpacked
from .rehearse import EVALUATED, FULL, LEVELS, carriers

JUDGES = "functionals", "encoder"
NEUTRAL = "neutral"
PARTS = "core", "levels", "all", "seeded"
FEW = 5  # sentences for the levels and for the seeded table
PAIR = 2  # sentences for all 40


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


@dataclass(frozen=True, eq=False)
class Verdict:
    """A reading, and what instruments found in it.

    Attributes:
        task: what was asked.
        features: of each judge (D,).
        speaker: unit vector (256,) of who speaks.
        quality: DNSMOS, overall.
        errors, words: of the recogniser against the text.
        seconds: of speech.
    """

    task: Line
    features: dict[str, np.ndarray]
    speaker: np.ndarray
    quality: float
    errors: int
    words: int
    seconds: float

    def to_json(self) -> str:
        return json.dumps(
            {
                "task": asdict(self.task),
                "features": {name: packed(values) for name, values in self.features.items()},
                "speaker": packed(self.speaker),
                "quality": round(self.quality, 4),
                "errors": self.errors,
                "words": self.words,
                "seconds": round(self.seconds, 3),
            }
        )

    @classmethod
    def from_json(cls, line: str) -> Verdict:
        row = json.loads(line)
        row["task"] = Line(**row["task"])
        row["features"] = {name: unpacked(text) for name, text in row["features"].items()}
        row["speaker"] = unpacked(row["speaker"])
        return cls(**row)


def matrix(parts: Iterable[str]) -> Iterator[Line]:
    """The readings of some parts; each part's own are a whole experiment."""
    texts = carriers("evaluation")
    emotions = [name for name in CATEGORY.values() if name != NEUTRAL]
    for part in parts:
        for voice in EVALUATED:
            if part in ("core", "seeded"):
                system = "seeded" if part == "seeded" else "adapter"
                for text in texts[:FEW] if part == "seeded" else texts:
                    yield Line("adapter", voice, text, "")
                    yield Line(system, voice, text, NEUTRAL)
                    for name in emotions:
                        yield Line(system, voice, text, name, FULL)
            elif part == "levels":
                for text in texts[:FEW]:
                    for name in emotions:
                        for level in (*LEVELS, FULL):
                            yield Line("adapter", voice, text, name, level)
            elif part == "all":
                for text in texts[:PAIR]:
                    for name in taxonomy.NAMES:
                        yield Line("adapter", voice, text, name, FULL)


class Hall:
    """A process's actors and instruments."""

    def __init__(self):
        import torch
        from resemblyzer import VoiceEncoder

        from conditioning.whisper import Whisper
        from voice_actor import VoiceActor
        from voice_actor.adapter import EmotionAdapter

        torch.set_num_threads(1)
        actor = VoiceActor.load()
        seeded = VoiceActor(actor.backbone, EmotionAdapter.seeded(), actor.watermarker)
        self.actors = {"adapter": actor, "seeded": seeded}
        self.judges = {name: Judge.load(name) for name in JUDGES}
        self.speaker = VoiceEncoder("cpu", verbose=False)
        self.recogniser = Whisper.load()

    def hear(self, line: Line) -> Verdict:
        """Speaks a line and measures it."""
        direction = {"": None, NEUTRAL: NEUTRAL}.get(line.asked)
        if line.asked in taxonomy.NAMES:
            direction = EmotionVector({line.asked: line.level})
        said = self.actors[line.system].perform(line.text, direction, line.voice)
        return self.measure(line, said.audio)

    def measure(self, line: Line, audio: Audio) -> Verdict:
        from resemblyzer import preprocess_wav
        from speechmos import dnsmos

        from conditioning.whisper import word_errors

        low = audio.resample(16_000)
        errors, words = word_errors(line.text, self.recogniser.transcribe(low))
        return Verdict(
            line,
            {name: judge.features(low) for name, judge in self.judges.items()},
            self.speaker.embed_utterance(preprocess_wav(low.samples, source_sr=16_000)),
            float(dnsmos.run(low.samples, sr=16_000)["ovrl_mos"]),
            errors,
            words,
            audio.duration,
        )


_hall: Hall | None = None


def _open_hall() -> None:
    global _hall
    _hall = Hall()


def _hear(line: Line) -> Verdict:
    return _hall.hear(line)
