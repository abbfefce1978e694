"""Measures which voices of the cast sound alike, and whether their styles alone would say so.

    python benchmarks/alike.py               # about 8 minutes on a free core

Every voice reads the same texts; resemblyzer compares each reading with the others' readings of
other texts, so that what counts is the speaker. Prints how well cosines of Kokoro's styles agree
with that, where two readings of one voice lie, how blends come out, and the table that stands in
voice_actor/production/alike.py. Readings are kept in --rows: a run can be stopped and continued.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable
from itertools import combinations, permutations
from pathlib import Path

import numpy as np
import torch
from scipy.stats import spearmanr

from conditioning import weights
from training.instruments import Instruments
from voice_actor import VoiceActor, __version__
from voice_actor.kokoro.backbone import TYPICAL
from voice_actor.kokoro.layers import STYLE
from voice_actor.production.alike import ALIKE, likeness

SENTENCES = Path(__file__).with_name("sentences.txt").read_text().splitlines()
TEXTS = [" ".join(SENTENCES[first : first + 2]) for first in (1, 3)]  # some 6 s each
BLENDS = (
    "af_heart*0.6+af_nova*0.4",
    "am_michael*0.5+am_onyx*0.5",
    "bf_emma*0.6+bf_lily*0.4",
    "bm_george*0.6+am_adam*0.4",
    "af_bella*0.5+bf_alice*0.5",
    "af_kore*0.6+am_puck*0.4",
)
LENGTHS = 510  # rows of a voice's pack
DRAWS = 1000  # bootstrap samples
Cosine = Callable[[str, str], float]


def readings(actor: VoiceActor, file: Path) -> dict[tuple[str, str], np.ndarray]:
    """Who is heard in each reading, by voice and text: unit vectors (256,)."""
    spoken_by = f"{__version__} {weights.hash_of(weights.path('kokoro-voices-en'))[:12]}"
    rows = map(json.loads, file.read_text().splitlines()) if file.exists() else ()
    found = {
        (row["voice"], row["text"]): np.array(row["speaker"])
        for row in rows
        if row["spoken_by"] == spoken_by
    }
    instruments = Instruments()
    wanted = [(voice, text) for text in TEXTS for voice in actor.backbone.voices]
    with open(file, "a", buffering=1) as out:
        for voice, text in wanted + [(blend, TEXTS[0]) for blend in BLENDS]:
            if (voice, text) in found:
                continue
            speaker = instruments.speaker(actor.perform(text, voice=voice).audio)
            rounded = [round(float(number), 5) for number in speaker]
            row = {"spoken_by": spoken_by, "voice": voice, "text": text, "speaker": rounded}
            out.write(json.dumps(row) + "\n")
            found[voice, text] = np.array(rounded)
    return found


def styles(actor: VoiceActor) -> dict[str, dict[str, np.ndarray]]:
    """Measure -> voice -> vector."""
    backbone = actor.backbone
    lengths = {
        "typical length": (TYPICAL + 1,),
        "mean over lengths": range(1, LENGTHS + 1),
    }
    halves = {
        "timbre": slice(0, STYLE),
        "prosody": slice(STYLE, None),
        "both": slice(None),
    }
    found = {}
    for of, rows in lengths.items():
        whole = {
            name: np.mean([backbone.style(name, length).numpy() for length in rows], axis=0)
            for name in backbone.voices
        }
        for half, part in halves.items():
            plain = {name: style[part] for name, style in whole.items()}
            middle = np.mean(list(plain.values()), axis=0)
            found[f"{half}, {of}"] = plain
            found[f"{half}, {of}, centred"] = {name: v - middle for name, v in plain.items()}
    return found


def cosine_of(vectors: dict[str, np.ndarray]) -> Cosine:
    def cosine(one: str, other: str) -> float:
        norms = np.linalg.norm(vectors[one]) * np.linalg.norm(vectors[other])
        return float(vectors[one] @ vectors[other] / norms)

    return cosine


def agreement(
    one: Cosine, other: Cosine, pairs: Iterable[tuple[str, str]]
) -> tuple[float, float, float]:
    """Spearman's correlation over pairs of voices, with a 95 % interval from drawing voices."""
    pairs = list(pairs)
    names = sorted({name for pair in pairs for name in pair})
    where = {frozenset(pair): (one(*pair), other(*pair)) for pair in pairs}
    chance = np.random.default_rng(0)

    def correlation(drawn: Iterable[str]) -> float:
        both = (where.get(frozenset(pair)) for pair in combinations(drawn, 2))
        return spearmanr([values for values in both if values]).statistic

    draws = [correlation(chance.choice(names, len(names))) for _ in range(DRAWS)]
    return correlation(names), *np.nanpercentile(draws, [2.5, 97.5])


def detection(scores: np.ndarray, alike: np.ndarray) -> tuple[float, float, float, float]:
    """Average precision; and the threshold of the best F1 with its precision and recall."""
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(alike[order])
    precision, recall = hits / np.arange(1, len(hits) + 1), hits / hits[-1]
    best = np.argmax(2 * precision * recall / np.maximum(precision + recall, 1e-9))
    mean = precision[alike[order]].mean()
    return mean, scores[order][best], precision[best], recall[best]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=Path, default=Path("alike.jsonl"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    actor = VoiceActor.load()
    heard = readings(actor, options.rows)
    names = actor.backbone.voices
    pairs = list(combinations(names, 2))

    def across(one: str, other: str) -> float:
        """Mean cosine of readings of different texts; for one voice, of its own."""
        turns = permutations(TEXTS, 2)
        return float(np.mean([heard[one, a] @ heard[other, b] for a, b in turns]))

    own = [heard[name, a] @ heard[name, b] for name in names for a, b in combinations(TEXTS, 2)]
    others = [
        heard[one, a] @ heard[other, b] for one, other in pairs for a, b in permutations(TEXTS, 2)
    ]
    print_verification(np.array(own), np.array(others))
    noise = {name: across(name, name) for name in names}

    def cosine(one: str, other: str) -> float:
        """Without what readings of one voice differ by: 1 for a voice and itself."""
        return across(one, other) / np.sqrt(noise[one] * noise[other])

    values = np.array([cosine(*pair) for pair in pairs])
    alike = values.round(2) >= ALIKE
    print(f"\nAlike, from {ALIKE} on: {alike.sum()} of {len(pairs)}, and the next five")
    for value, pair in sorted(zip(values, pairs, strict=True), reverse=True)[: alike.sum() + 5]:
        print(f"  {value:.3f} {' '.join(pair)}")

    halves = [{name: heard[name, text] for name in names} for text in TEXTS]
    groups = {
        "all": pairs,
        "women": [pair for pair in pairs if pair[0][1] == pair[1][1] == "f"],
        "men": [pair for pair in pairs if pair[0][1] == pair[1][1] == "m"],
    }
    measures = {name: cosine_of(vectors) for name, vectors in styles(actor).items()}
    measures["resemblyzer, one text against another"] = cosine_of(halves[1])
    print("\nAgreement (Spearman, 95 %) and detection of pairs that are alike")
    for name, measure in measures.items():
        against = cosine_of(halves[0]) if name.startswith("resemblyzer") else cosine
        told = [
            "{} {:.2f} [{:.2f}, {:.2f}]".format(group, *agreement(measure, against, members))
            for group, members in groups.items()
        ]
        scores = np.array([measure(*pair) for pair in pairs])
        mean, threshold, precision, recall = detection(scores, alike)
        told.append(
            f"AP {mean:.2f}, at {threshold:.2f} precision {precision:.2f} recall {recall:.2f}"
        )
        print(f"{name:40} {'  '.join(told)}")
    print_blends(heard, names, noise)
    print("\nFor voice_actor/production/alike.py:")
    for index, name in enumerate(names):
        print(" ".join([name, *(f"{100 * cosine(name, other):.0f}" for other in names[:index])]))


def print_verification(own: np.ndarray, others: np.ndarray) -> None:
    """How well one reading tells whether another is by the same voice."""
    told = " ".join(f"{value:.3f}" for value in np.percentile(own, [0, 5, 10, 50]))
    print(f"Two readings of one voice ({len(own)}), lowest, 5 %, 10 %, median: {told}")
    told = " ".join(f"{value:.3f}" for value in np.percentile(others, [50, 90, 95, 100]))
    print(f"Of two voices ({len(others)}), median, 90 %, 95 %, highest: {told}")
    thresholds = np.sort(np.concatenate([own, others]))
    misses = np.searchsorted(np.sort(own), thresholds) / len(own)
    false = 1 - np.searchsorted(np.sort(others), thresholds) / len(others)
    equal = np.argmin(np.abs(misses - false))
    print(f"Equal error rate {100 * misses[equal]:.1f} % at {thresholds[equal]:.3f}")


def print_blends(heard: dict, names: Iterable[str], noise: dict[str, float]) -> None:
    """`likeness`, which knows the voices alone, against what is heard of blends."""
    told, measured = [], []
    quiet = np.mean(list(noise.values()))  # of a blend, which reads one text
    for blend in BLENDS:
        for name in names:
            cosines = [heard[blend, TEXTS[0]] @ heard[name, text] for text in TEXTS[1:]]
            measured.append(np.mean(cosines) / np.sqrt(quiet * noise[name]))
            told.append(likeness(blend, name))
    off = np.array(told) - np.array(measured)
    print(
        f"\nBlends against voices ({len(off)}): told by shares and heard agree by "
        f"{spearmanr(told, measured).statistic:.2f} (Spearman); told is {off.mean():+.3f} off on "
        f"average, {np.abs(off).mean():.3f} either way"
    )


if __name__ == "__main__":
    main()
