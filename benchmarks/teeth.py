"""Whether what does not matter leaves a score alone: gain, MP3, resampling.

    voice-actor evaluate --protocol small --systems adapter --keep -o RUN
    python benchmarks/teeth.py RUN

Every reading of the run is changed and judged again; a macro score must move by less than its
interval. That what matters does move it (swapped emotions, shuffled targets, a system that does
not act), the tests show on planted readings, and each report on real ones.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import torch
from watermark import mp3

from conditioning.audio import Audio
from training.evaluate import Row, audio_name, priced
from training.judge import FRONTS, Judge
from training.measures import sessions
from training.notebook import Notebook


def gain(decibels: float) -> Callable[[Audio], Audio]:
    return lambda audio: Audio(audio.samples * 10 ** (decibels / 20), audio.sample_rate)


def through(rate: int) -> Callable[[Audio], Audio]:
    return lambda audio: audio.resample(rate).resample(audio.sample_rate)


CONDITIONS = {
    "gain -20 dB": gain(-20),
    "gain +6 dB": gain(6),
    "MP3, 64 kbit/s": mp3(64),
    "resampled to 22.05 kHz and back": through(22_050),
    "resampled to 16 kHz and back": through(16_000),
}


def judged_again(work: tuple[Row, Path, str]) -> Row:
    """A row whose features are those of its changed reading."""
    row, file, condition = work
    torch.set_num_threads(1)
    changed = CONDITIONS[condition](Audio.load(file)).resample(16_000)
    return replace(row, features={name: Judge.load(name).features(changed) for name in FRONTS})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="folder of a run with --keep")
    options = parser.parse_args()
    rows = [
        row
        for row in Notebook(options.run / "readings.jsonl", Row).rows
        if priced(row.task) and row.task.system == "adapter"
    ]
    judges = {name: Judge.load(name) for name in FRONTS}
    clean = sessions(rows, [], judges)["adapter"]
    before = {name: clean.recognition(name, "against")["recall"] for name in FRONTS}
    for name, recall in before.items():
        print(f"{name}: {recall['value']:.3f} [{recall['low']:.3f}, {recall['high']:.3f}]")
    folder = options.run / "audio"
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        for condition in CONDITIONS:
            work = [(row, folder / f"{audio_name(row.task)}.wav", condition) for row in rows]
            changed = sessions(pool.map(judged_again, work, chunksize=8), [], judges)["adapter"]
            for name, recall in before.items():
                after = changed.recognition(name, "against")["recall"]["value"]
                inside = recall["low"] <= after <= recall["high"]
                print(
                    f"{condition}: {name} {after:.3f} ({after - recall['value']:+.3f}), "
                    f"{'within' if inside else 'OUTSIDE'} the interval",
                    flush=True,
                )


if __name__ == "__main__":
    main()
