"""Measures the cast's neutral readings and writes checkpoints/voices.csv.

    python benchmarks/voices.py checkpoints/voices.csv

Timbre words say where a voice lies among those of its gender: the upper or lower third of pitch,
brightness (alpha ratio: 1-5 kHz against 50 Hz-1 kHz), noise (harmonics-to-noise ratio) and rate.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
import parselmouth
import torch
from instruments import pitch

from conditioning.errors import InvalidInput
from voice_actor.actor import VoiceActor

SENTENCES = Path(__file__).with_name("sentences.txt").read_text().splitlines()[1:4]
VOWELS = frozenset("AIOQWYaeiouæɐɑɒɔəɚɛɜɪʊʌᵻ")
WORDS = {
    "pitch_hz": ("low", "high"),
    "alpha_ratio_db": ("dark", "bright"),
    "hnr_db": ("breathy", "clear"),
    "syllables_per_second": ("slow", "quick"),
}


def measure(actor: VoiceActor, voice: str) -> dict[str, float]:
    performance = actor.perform(" ".join(SENTENCES), voice=voice)
    audio = performance.audio
    _, f0 = pitch(audio)
    sound = parselmouth.Sound(audio.samples.astype(np.float64), audio.sample_rate)
    harmonicity = sound.to_harmonicity_cc()
    power = np.abs(np.fft.rfft(audio.samples)) ** 2
    frequency = np.fft.rfftfreq(len(audio.samples), 1 / audio.sample_rate)

    def band(low: float, high: float) -> float:
        return 10 * np.log10(power[(frequency >= low) & (frequency < high)].sum())

    spoken = sum(word.end - word.start for word in performance.words)
    syllables = sum(phoneme.label in VOWELS for phoneme in performance.phonemes)
    return {
        "pitch_hz": float(np.median(f0[f0 > 0])),
        "alpha_ratio_db": band(1000, 5000) - band(50, 1000),
        "hnr_db": float(np.mean(harmonicity.values[harmonicity.values != -200])),
        "syllables_per_second": syllables / spoken,
    }


def timbre(name: str, rows: dict[str, dict[str, float]]) -> str:
    peers = [row for other, row in rows.items() if other[1] == name[1]]
    words = []
    for feature, (less, more) in WORDS.items():
        low, high = np.percentile([row[feature] for row in peers], [33.3, 66.7])
        if rows[name][feature] <= low:
            words.append(less)
        elif rows[name][feature] >= high:
            words.append(more)
    return ", ".join(words) or "middle of the road"


def main() -> None:
    if len(sys.argv) != 2:
        raise InvalidInput("Give the file to write: python benchmarks/voices.py voices.csv")
    torch.set_num_threads(1)
    actor = VoiceActor.load()
    rows = {voice: measure(actor, voice) for voice in actor.backbone.voices}
    with open(sys.argv[1], "w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["name", *WORDS, "timbre"])
        for name, row in rows.items():
            numbers = [f"{row[feature]:.1f}" for feature in WORDS]
            writer.writerow([name, *numbers, timbre(name, rows)])
    print(Path(sys.argv[1]).read_text())


if __name__ == "__main__":
    main()
