"""Words, quality, identity and pitch of what is spoken, measured: a row a line, then a summary.

    python benchmarks/quality.py                                 # all 40 emotions, about 40 minutes
    python benchmarks/quality.py --emotions ten

Each emotion is spoken by every voice with another sentence, so that over 40 emotions every voice
reads all 40 sentences; the neutral reading of the same sentence by the same voice stands beside it.
Rows are kept in --rows, by voice, text, emotion and the adapter, and not measured again: a
run can be stopped, continued, or shared between processes that have --voices of their own.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from instruments import find_pitch

from conditioning import taxonomy, weights
from conditioning.emotion import EmotionVector
from training.instruments import Instruments
from voice_actor import VoiceActor, __version__
from voice_actor.phonemes import phonemize
from voice_actor.voices import accent_of

SENTENCES = Path(__file__).with_name("sentences.txt").read_text().splitlines()
VOICES = ("af_heart", "am_michael", "bf_emma", "bm_george")
TEN = (
    "Anger", "Elation", "Sadness", "Fear", "Disgust", "Astonishment/Surprise", "Contentment",
    "Contempt", "Fatigue/Exhaustion", "Affection",
)  # fmt: skip
DRAWS = 2000  # bootstrap samples


class Bench:
    """Measures lines and remembers the rows."""

    def __init__(self, file: Path):
        self.actor = VoiceActor.load()
        self.instruments = Instruments()
        files = "adapter", "adapter-contours"
        hashes = [weights.hash_of(weights.path(name))[:12] for name in files]
        self.spoken_by = " ".join([__version__, *hashes])
        self.rows = {}
        if file.exists():
            for row in map(json.loads, file.read_text().splitlines()):
                if row["spoken_by"] == self.spoken_by:
                    self.rows[self.key(row)] = row
        self.out = open(file, "a", buffering=1)  # noqa: SIM115 (lives as long as the bench)

    @staticmethod
    def key(row: dict) -> tuple:
        return row["voice"], row["text"], row["emotion"], row["intensity"]

    def row(self, voice: str, text: str, emotion: str | None = None, intensity: float = 0.0):
        """What is measured of one line; neutral without an emotion."""
        key = voice, text, emotion, intensity
        if key not in self.rows:
            row = {
                "spoken_by": self.spoken_by,
                "voice": voice,
                "text": text,
                "emotion": emotion,
                "intensity": intensity,
                **self.measure(voice, text, emotion, intensity),
            }
            self.out.write(json.dumps(row, ensure_ascii=False) + "\n")
            self.rows[key] = row
        return self.rows[key]

    def measure(self, voice: str, text: str, emotion: str | None, intensity: float) -> dict:
        vector = EmotionVector({emotion: intensity} if emotion else {})
        (phrase,) = phonemize(text, accent_of(voice))
        emotions = torch.tensor([vector.to_list()] * (len(phrase.phonemes) + 2))
        with torch.inference_mode():
            plan = self.actor.plan(phrase, emotions, voice)
            asked = self.actor.adapter(emotions[:1])
        audio = self.actor.render(plan)
        errors, words, heard = self.instruments.words(audio, text)
        return {
            "heard": heard,
            "errors": errors,
            "words": words,
            "dnsmos": self.instruments.dnsmos(audio),
            "speaker": [round(float(x), 5) for x in self.instruments.speaker(audio)],
            "asked_shift": float(asked.f0_shift[0]),
            "asked_range": 2 ** float(asked.f0_range[0]),
            **find_pitch(audio, plan.f0.numpy())._asdict(),
        }


def lines(emotions: tuple[str, ...]) -> Iterator[tuple[str, int, str]]:
    """(emotion, number of the voice, sentence)."""
    for place, emotion in enumerate(emotions):
        for number in range(len(VOICES)):
            yield emotion, number, SENTENCES[(place + 11 * number) % len(SENTENCES)]


def word_error_rate(rows: list[dict]) -> float:
    return 100 * sum(row["errors"] for row in rows) / sum(row["words"] for row in rows)


def cosine(acted: dict, neutral: dict) -> float:
    return float(np.dot(acted["speaker"], neutral["speaker"]))


def summary(acted: list[dict], neutral: list[dict], title: str) -> str:
    pairs = list(zip(acted, neutral, strict=True))
    moved = [a["level"] - n["level"] - a["asked_shift"] for a, n in pairs]
    level, spread = (
        np.median(np.abs([row[name] for row in acted])) for name in ("level_error", "spread_error")
    )
    return (
        f"{title:44} n {len(acted):3}  WER {word_error_rate(acted):4.1f} %  "
        f"DNSMOS {np.mean([row['dnsmos'] for row in acted]):.2f}  "
        f"cosine {np.mean([cosine(*pair) for pair in pairs]):.3f}  "
        f"F0 asked {np.mean([row['asked_shift'] for row in acted]):+.1f} st, "
        f"off by {np.median(np.abs(moved)):.2f}; curve off by {level:.2f}, range {spread:.2f} st"
    )


def interval(acted: list[dict], neutral: list[dict]) -> tuple[float, float]:
    """95 % bootstrap interval of the difference in word error rate, drawing pairs of lines."""
    chance = np.random.default_rng(0)
    draws = []
    for _ in range(DRAWS):
        chosen = chance.integers(len(acted), size=len(acted))
        draws.append(
            word_error_rate([acted[i] for i in chosen])
            - word_error_rate([neutral[i] for i in chosen])
        )
    return tuple(np.percentile(draws, [2.5, 97.5]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--emotions", choices=("ten", "all"), default="all")
    parser.add_argument("--voices", nargs="+", choices=VOICES, default=VOICES)
    parser.add_argument("--intensity", type=float, default=0.8)
    parser.add_argument("--rows", type=Path, default=Path("quality.jsonl"))
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    bench, acted, neutral = Bench(options.rows), [], []
    for emotion, number, text in lines(TEN if options.emotions == "ten" else taxonomy.NAMES):
        if VOICES[number] in options.voices:
            neutral.append(bench.row(VOICES[number], text))
            acted.append(bench.row(VOICES[number], text, emotion, options.intensity))
    cosines = {}
    for emotion in dict.fromkeys(row["emotion"] for row in acted):
        of = [i for i, row in enumerate(acted) if row["emotion"] == emotion]
        ours, theirs = [acted[i] for i in of], [neutral[i] for i in of]
        print(summary(ours, theirs, emotion))
        cosines[emotion] = np.mean([cosine(*pair) for pair in zip(ours, theirs, strict=True)])
    print(summary(neutral, neutral, "neutral"))
    print(summary(acted, neutral, f"all of them at {options.intensity}"))
    low, high = interval(acted, neutral)
    difference = word_error_rate(acted) - word_error_rate(neutral)
    print(f"WER over neutral: {difference:+.2f} points, 95 % [{low:+.2f}, {high:+.2f}]")
    lowest = min(cosines, key=cosines.get)
    print(f"lowest cosine of an emotion: {lowest} {cosines[lowest]:.3f}")
    dropped = np.mean([row["dropped"] for row in acted + neutral])
    print(f"pitch frames left out as octave errors: {100 * dropped:.1f} %")


if __name__ == "__main__":
    main()
