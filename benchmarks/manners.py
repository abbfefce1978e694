"""What manners of speaking change, and whether the words and the voice survive them.

    python benchmarks/manners.py            # about six minutes; needs the extra "benchmark"

Every manner below is spoken by two voices, four sentences each, beside the voice's own reading:
words by a recogniser, likeness of the voice and quality as in `voice-actor evaluate`, and what the
manner is about as it can be measured: voiced share of the speech, pitch, length, level.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from conditioning.direction import direct
from conditioning.manner import Manner
from conditioning.prosody import functionals, measure
from training.instruments import Instruments
from voice_actor import VoiceActor

SENTENCES = Path(__file__).with_name("sentences.txt").read_text().splitlines()[:4]
VOICES = "af_heart", "am_michael"
MANNERS = {
    "own": Manner(),
    "whisper": Manner(whisper=1.0),
    "fast": Manner(pace=0.35),
    "slow": Manner(pace=-0.35),
    "high": Manner(pitch=4.0),
    "low": Manner(pitch=-3.0),
    "loud": Manner(level=5.0, tilt=0.7),
    "quiet": Manner(level=-5.0),
    "rough": Manner(rough=0.35),
    "breathy": Manner(breath=0.2),
    "old": Manner(tremor=0.3, rough=0.15, pace=-0.15, melody=-0.2),
    "child": Manner(pitch=5.5, formants=0.12),
    "emphasis": Manner(emphasis=1.0),
}


def main() -> None:
    torch.set_num_threads(2)
    actor, instruments = VoiceActor.load(), Instruments()
    print(f"{'':9} {'WER %':>6} {'DNSMOS':>7} {'cosine':>7} {'voiced':>7} {'pitch':>6}", end="")
    print(f" {'length':>6} {'level':>6}")
    own: dict[tuple[str, str], dict] = {}
    for name, manner in MANNERS.items():
        rows = []
        for voice in VOICES:
            for text in SENTENCES:
                row = spoken(actor, instruments, text, voice, manner)
                rows.append(compared(row, own.setdefault((voice, text), row)))
        print(told(name, rows), flush=True)


def spoken(
    actor: VoiceActor, instruments: Instruments, text: str, voice: str, manner: Manner
) -> dict:
    """What is measured of one reading."""
    directed = replace(direct(text), manners=((0, len(text), manner),))
    audio = actor.perform(text, directed, voice).audio
    prosody = measure(audio)
    errors, words, _ = instruments.words(audio, text)
    found = functionals(prosody)
    return {
        "errors": errors,
        "words": words,
        "quality": instruments.dnsmos(audio),
        "voice": instruments.speaker(audio),
        "voiced": float(np.isfinite(prosody.f0[prosody.speech]).mean()),
        "pitch": found["f0_median_st"],
        "length": audio.duration,
        "level": found["level_mean_db"],
    }


def compared(row: dict, own: dict) -> dict:
    """A reading beside the voice's own of the same words."""
    return row | {
        "cosine": float(row["voice"] @ own["voice"]),
        "pitch": row["pitch"] - own["pitch"],
        "length": row["length"] / own["length"],
        "level": row["level"] - own["level"],
    }


def told(name: str, rows: list[dict]) -> str:
    def mean(what: str) -> float:
        return float(np.nanmean([row[what] for row in rows]))

    wer = 100 * sum(row["errors"] for row in rows) / sum(row["words"] for row in rows)
    return (
        f"{name:9} {wer:6.1f} {mean('quality'):7.2f} {mean('cosine'):7.3f} {mean('voiced'):7.3f}"
        f" {mean('pitch'):+6.1f} {mean('length'):6.2f} {mean('level'):+6.1f}"
    )


if __name__ == "__main__":
    main()
