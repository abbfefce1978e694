"""How well written directions are understood, and what reading one costs.

    python benchmarks/directions.py [--misses]

Reads the 60 directions of tests/data/directions.tsv, none of which anything learnt from, by the
lexicon alone, by the trained head alone, and as the product does.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Callable
from pathlib import Path

import torch

from conditioning.direction import DirectionReader
from conditioning.emotion import EmotionVector
from conditioning.errors import InvalidInput
from conditioning.interpreter import Interpreter
from conditioning.taxonomy import CATEGORIES, INDEX

DIRECTIONS = Path(__file__).parents[1] / "tests" / "data" / "directions.tsv"
TOP = 3
CLEAR = 0.15  # of valence; nearer to 0 a category is neither pleasant nor unpleasant
LOUD = 0.3  # an intensity of the opposite valence that is a mistake
LINE = "This is how I would say it."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--misses", action="store_true", help="print what was not understood")
    options = parser.parse_args()
    torch.set_num_threads(1)
    begin = time.perf_counter()
    interpreter = Interpreter.load()
    print(f"embeddings and head loaded in {time.perf_counter() - begin:.2f} s")
    whole, alone = DirectionReader(lambda: interpreter), DirectionReader()
    rows = directions()
    readers: dict[str, Callable[[str], EmotionVector]] = {
        "lexicon alone": lambda words: felt(alone, words),
        "head alone": lambda words: interpreter.read([words])[0].intensities,
        "both": lambda words: felt(whole, words),
    }
    for name, read in readers.items():
        vectors = [read(words) for _, words, _ in rows]
        report(name, rows, vectors, options.misses and name == "both")
    costs(whole, [words for _, words, _ in rows])


def directions() -> list[tuple[str, str, list[str]]]:
    """Kind, words and expected categories of every direction."""
    with open(DIRECTIONS, encoding="utf-8", newline="") as stream:
        return [
            (row["kind"], row["direction"], [name.strip() for name in row["expected"].split(",")])
            for row in csv.DictReader(stream, delimiter="\t")
        ]


def felt(reader: DirectionReader, words: str) -> EmotionVector:
    """Neutral where nothing is understood."""
    try:
        return reader.direct(LINE, words).curve.mean()
    except InvalidInput:
        return EmotionVector()


def hit(vector: EmotionVector, expected: list[str]) -> bool:
    """Whether an expected category is among the strongest."""
    return bool({name for name, _ in vector.items()[:TOP]} & set(expected))


def opposed(vector: EmotionVector, expected: list[str]) -> bool:
    """Whether a category of a valence that nothing expected has is asked for, and not faintly."""
    wanted = {sign(name) for name in expected}
    return any(
        value > LOUD and sign(name) and 0 not in wanted and sign(name) not in wanted
        for name, value in vector.items()
    )


def sign(name: str) -> int:
    valence = CATEGORIES[INDEX[name]].valence
    return (valence > CLEAR) - (valence < -CLEAR)


def report(name: str, rows: list, vectors: list[EmotionVector], misses: bool) -> None:
    hits = [hit(vector, row[2]) for row, vector in zip(rows, vectors, strict=True)]
    against = [opposed(vector, row[2]) for row, vector in zip(rows, vectors, strict=True)]
    print(
        f"{name}: expected among the top {TOP} in {sum(hits)} of {len(rows)}; "
        f"nothing opposite above {LOUD:g} in {len(rows) - sum(against)}"
    )
    for kind in dict.fromkeys(row[0] for row in rows):
        own = [index for index, row in enumerate(rows) if row[0] == kind]
        print(
            f"  {kind}: {sum(hits[i] for i in own)} of {len(own)}, "
            f"{sum(against[i] for i in own)} opposed"
        )
    for row, vector, good, bad in zip(rows, vectors, hits, against, strict=True):
        if misses and (bad or not good):
            print(f"  {'opposed' if bad else 'missed'}: {row[1]!r}, expected {row[2]}: {vector}")


def costs(reader: DirectionReader, words: list[str]) -> None:
    """Milliseconds a direction on one thread, each read three times and the fastest taken."""
    times = []
    for each in words:
        trials = []
        for _ in range(3):
            begin = time.perf_counter()
            felt(reader, each)
            trials.append(1000 * (time.perf_counter() - begin))
        times.append(min(trials))
    times.sort()
    middle = times[len(times) // 2]
    print(f"a direction costs {middle:.0f} ms (median), {times[-1]:.0f} ms at most, on one thread")


if __name__ == "__main__":
    main()
