"""Casts the tavern: how much two processes gain, and whether killed runs lose anything.

    python benchmarks/cast.py            # two processes against one
    python benchmarks/cast.py --kills 10 # killed at so many random moments, then finished

The files of all runs are compared to the byte. Needs two processors that have nothing else to do.
"""

from __future__ import annotations

import argparse
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
WARM = 8  # lines, until every process has met every voice
DAY = "1800000000"  # in the metadata of every file


def begin(script: Path, folder: Path, jobs: int, *more: str, to=subprocess.DEVNULL):
    command = [sys.executable, "-m", "voice_actor.cli", "cast", str(script)]
    command += ["--out", str(folder), "--jobs", str(jobs), *more]
    return subprocess.Popen(
        command,
        env=os.environ | {"SOURCE_DATE_EPOCH": DAY},
        stdout=subprocess.DEVNULL,
        stderr=to,
        text=True,
    )


def timed(script: Path, folder: Path, jobs: int, *more: str) -> tuple[float, list[float]]:
    """Seconds of a whole run, and those at which each of its lines was done."""
    start, done = time.perf_counter(), []
    running = begin(script, folder, jobs, *more, to=subprocess.PIPE)
    for line in running.stderr:
        if line.startswith("["):
            done.append(time.perf_counter() - start)
    if running.wait() != 0:
        raise InvalidInput(f"voice-actor cast {script} failed; run it by hand to see why.")
    return time.perf_counter() - start, done


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.name != "lock"
    }


def compare_jobs(script: Path, folder: Path, rounds: int) -> None:
    """Whole runs, one process and two in turn; and the rate once networks are loaded."""
    whole: dict[int, list[float]] = {1: [], 2: []}
    rates: dict[int, list[float]] = {1: [], 2: []}
    trees = []
    for number in range(rounds):
        for jobs in whole:
            place = folder / f"{number}-{jobs}"
            seconds, done = timed(script, place, jobs)
            whole[jobs].append(seconds)
            # From when every process has done a line, so that all have loaded and levelled.
            rates[jobs].append((len(done) - WARM) / (done[-1] - done[WARM - 1]))
            trees.append(tree(place))
            print(f"{jobs} at work: {seconds:.1f} s, {3600 * rates[jobs][-1]:.0f} lines an hour")
    one, two = (sum(seconds) for seconds in whole.values())
    slow, fast = (sum(each) for each in rates.values())
    print(f"whole runs: two processes speak {one / two:.2f} x the lines an hour of one")
    print(f"once under way: {fast / slow:.2f} x")
    print(f"files the same to the byte: {all(each == trees[0] for each in trees)}")


def compare_kills(script: Path, folder: Path, kills: int, chance: random.Random) -> None:
    """Kills a run without warning, again and again in one folder, and then lets it finish."""
    whole, _ = timed(script, folder / "whole", 2)
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
    again, _ = timed(script, place, 2, "--check")
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
