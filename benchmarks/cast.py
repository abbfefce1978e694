"""Casts the tavern: how much two processes gain, and whether killed runs lose anything.

    python benchmarks/cast.py            # two processes against one
    python benchmarks/cast.py --kills 10 # killed at so many random moments, then finished

The files of all runs are compared to the byte. Needs two processors that have nothing else to do.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from conditioning.errors import InvalidInput

SCRIPT = Path(__file__).parents[1] / "demos" / "npc" / "tavern.yarn"
DAY = "1800000000"  # in the metadata of every file


def begin(script: Path, folder: Path, jobs: int, *more: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "voice_actor.cli", "cast", str(script)]
    command += ["--out", str(folder), "--jobs", str(jobs), *more]
    return subprocess.Popen(
        command,
        env=os.environ | {"SOURCE_DATE_EPOCH": DAY},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def timed(script: Path, folder: Path, jobs: int, *more: str) -> float:
    """Seconds of a whole run."""
    start = time.perf_counter()
    if begin(script, folder, jobs, *more).wait() != 0:
        raise InvalidInput(f"voice-actor cast {script} failed; run it by hand to see why.")
    return time.perf_counter() - start


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.name != "lock"
    }


def compare_jobs(script: Path, folder: Path, rounds: int) -> None:
    """Whole runs, one process and two in turn, loading included."""
    seconds: dict[int, list[float]] = {1: [], 2: []}
    trees = []
    for number in range(rounds):
        for jobs, times in seconds.items():
            place = folder / f"{number}-{jobs}"
            times.append(timed(script, place, jobs))
            trees.append(tree(place))
    lines = json.loads(trees[0]["manifest.json"])["lines"]
    one, two = (sum(times) / rounds for times in seconds.values())
    print(f"{len(lines)} lines: one process {one:.1f} s, two {two:.1f} s (means of {rounds})")
    print(f"two processes speak {one / two:.2f} x the lines an hour of one")
    print(f"files the same to the byte: {all(each == trees[0] for each in trees)}")
    tell_words(lines)


def tell_words(lines: list[dict]) -> None:
    """Word errors as the gate counts them, and as Whisper's normaliser alone does."""
    from conditioning.whisper import word_errors

    counts = {
        "by sound": [(line["word_errors"], line["words_expected"]) for line in lines],
        "by spelling": [word_errors(line["spoken"], line["transcript"]) for line in lines],
    }
    for name, pairs in counts.items():
        pairs = [(errors, words) for errors, words in pairs if words]
        pooled = sum(errors for errors, _ in pairs) / sum(words for _, words in pairs)
        mean = sum(errors / words for errors, words in pairs) / len(pairs)
        print(f"words misheard, {name}: {pooled:.1%} of all words, {mean:.1%} in the mean line")


def compare_kills(script: Path, folder: Path, kills: int, chance: random.Random) -> None:
    """Kills a run without warning, again and again in one folder, and then lets it finish."""
    whole = timed(script, folder / "whole", 2)
    place, done = folder / "killed", []
    for _ in range(kills):
        # Networks load for seconds first: moments are drawn from loading and speaking both.
        running = begin(script, place, 2)
        time.sleep(chance.uniform(1.0, max(2.0, whole / 3)))
        running.send_signal(signal.SIGKILL)
        running.wait()
        done.append(sum(name.endswith(".wav") for name in tree(place)))
    timed(script, place, 2)
    print(f"killed {kills} times; audio files there afterwards: {done}")
    print(f"files the same to the byte: {tree(place) == tree(folder / 'whole')}")
    again = timed(script, place, 2, "--check")
    print(f"a run with nothing to do looks for {again:.1f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--script", type=Path, default=SCRIPT)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    try:
        if options.kills:
            compare_kills(options.script, folder, options.kills, random.Random(options.seed))
        else:
            compare_jobs(options.script, folder, options.rounds)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
