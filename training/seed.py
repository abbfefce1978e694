"""Seeds the emotion adapter from measured acoustics of acted speech.

    python -m training.seed checkpoints/adapter-seed.csv

training/acoustics/README.md says what the figures are. After a change, put the table's new sha256
into checkpoints/manifest.toml.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from conditioning import taxonomy
from voice_actor.acting import CONTROLS
from voice_actor.adapter import LIMITS

ACOUSTICS = Path(__file__).with_name("acoustics")
MEASURED = {
    "Anger": "angry",
    "Elation": "happy",
    "Sadness": "sad",
    "Fear": "fearful",
    "Disgust": "disgust",
    "Astonishment/Surprise": "surprised",
    "Contentment": "calm",
    "Emotional Numbness": "bored",
}

# A corpus sentence lasts about this many seconds and holds about one pause: what a share of pauses
# comes to in seconds a pause.
LINE = 3.0
# Recordings differ in level by vocal effort and by distance and gain alike, up to 23 dB in RAVDESS;
# a listener sets the volume by the neutral voice, so half of the change is kept.
LEVEL_KEPT = 1 / 2
# Sadness is subdued in EmoDB, in nEMO and at RAVDESS's normal intensity; at its strong one the
# actors cry, with the pitch going up instead of down, and a mean of both would be neither.
SUBDUED = {"sad": (("emodb", "all"), ("nemo", "all"), ("ravdess", "normal"))}
# The alpha ratio compares 1-5 kHz with 50 Hz-1 kHz; the middles of the bands' energy in speech lie
# about this many octaves apart, so that a tilt of 1 dB per octave moves the ratio by as many dB.
ALPHA_OCTAVES = 2.3
# Searched values were free to cost quality and identity (DNSMOS 2.1, cosine .64 for sadness); this
# share of them is taken.
SEARCHED_KEPT = {
    "energy_range": ("N_range_log2", 1.0),
    "f0_final": ("final_slope_st", 0.6),
    "breath": ("aspiration", 0.2),
    "tremor": ("tremor_st", 0.6),
    "jitter": ("jitter_st", 0.25),
    "whisper": ("whisper_dec", 1.0),
}

NEAR = 0.35  # how far a measured emotion reaches, in units of valence, arousal and dominance

# What a place in valence, arousal and dominance does not tell: these values stand instead of the
# inferred ones. Sources: BS Banse and Scherer 1996 (J. Pers. Soc. Psychol. 70(3), 614-636), JL
# Juslin and Laukka 2003 (Psychol. Bull. 129(5), 770-814), GC Gobl and Ni Chasaide 2003 (Speech
# Communication 40, 189-212), all for the direction, not for the size; O is our own choice.
LITERATURE: dict[str, tuple[str, dict[str, float]]] = {
    "Amusement": ("O: lively", {"f0_range": 0.5, "energy_range": 0.5}),
    "Affection": (
        "JL tenderness: soft, slow, dark, not high",
        {"level": -2, "tilt": -0.8, "duration": 0.08, "f0_shift": 0, "breath": 0.06},
    ),
    "Infatuation": ("GC intimate: breathy", {"breath": 0.12, "tilt": -0.5, "level": 0}),
    "Triumph": ("JL happiness: loud, bright", {"level": 4.5, "tilt": 1.6}),
    "Pride": ("O: louder and lower than joy", {"f0_shift": 1.5, "level": 2.8}),
    "Concentration": ("O: even", {"f0_range": -0.3, "duration": 0.12, "f0_shift": 0, "level": 0}),
    "Contemplation": ("O: slow", {"duration": 0.2, "pause": 0.2, "level": -1, "f0_shift": -0.5}),
    "Relief": ("O: a long breath out", {"f0_final": -3, "breath": 0.1, "duration": 0.2}),
    "Longing": (
        "GC sad: lax, breathy",
        {"breath": 0.1, "tilt": -0.4, "duration": 0.16, "f0_range": -0.1, "f0_shift": 0},
    ),
    "Teasing": ("O: wide, a rising end", {"f0_range": 0.5, "f0_final": 1.5}),
    "Sexual Lust": (
        "GC intimate: breathy, lax; O: low, slow",
        {"f0_shift": -2, "breath": 0.18, "whisper": 0.15, "tilt": -0.6, "level": -1,
         "duration": 0.12, "f0_range": 0.1},
    ),
    "Doubt": ("O: a rising end", {"f0_final": 2.5, "duration": 0.12}),
    "Confusion": ("O: a rising end", {"f0_final": 2.5, "pause": 0.15}),
    "Embarrassment": ("BS shame: low energy", {"level": -2.5, "breath": 0.1}),
    "Shame": ("BS: low energy; O: low pitch", {"level": -3, "f0_shift": -1.5, "breath": 0.1}),
    "Contempt": ("BS: low pitch; O: slow", {"f0_shift": -2, "duration": 0.2, "f0_final": -1.5}),
    "Malevolence/Malice": ("O: low, narrow", {"f0_shift": -1.5, "f0_range": -0.25}),
    "Pain": ("O: tense, uneven", {"tremor": 0.45, "jitter": 0.12}),
    "Distress": ("O: uneven", {"tremor": 0.3}),
    "Helplessness": ("O: uneven, sinking", {"tremor": 0.3, "f0_final": -1.5}),
    "Fatigue/Exhaustion": (
        "O: soft, slow, sinking",
        {"breath": 0.16, "level": -3.5, "duration": 0.3, "f0_final": -2.5, "f0_shift": -1.5},
    ),
    "Emotional Numbness": (
        "BS boredom: narrow pitch (in EmoDB it is wider than a neutral that is flat itself)",
        {"f0_range": -0.2},
    ),
    "Intoxication/Altered States of Consciousness": (
        "O: slow, wandering pitch",
        {"duration": 0.28, "jitter": 0.12, "f0_range": 0.3, "pause": 0.12},
    ),
}  # fmt: skip


def pooled_changes(acoustics: Path) -> dict[tuple[str, str], float]:
    """Mean change by (emotion, feature) over corpora."""
    with open(acoustics / "emotion_acoustics_pooled.csv", newline="") as stream:
        pooled = {
            (row["emotion"], row["feature"]): float(row["pooled"]) for row in csv.DictReader(stream)
        }
    with open(acoustics / "emotion_acoustics_subdued.csv", newline="") as stream:
        every = [row for row in csv.DictReader(stream) if row["gender"] == "all"]
    for label, rows in SUBDUED.items():
        found = defaultdict(list)
        for row in every:
            chosen = (row["corpus"], row["intensity"]) in rows and row["emotion"] == label
            if chosen and not row["note"].startswith("INVALID"):
                found[label, row["feature"]].append(float(row["delta"]))
        pooled |= {key: sum(values) / len(values) for key, values in found.items()}
    return pooled


def measured_changes(acoustics: Path) -> dict[str, dict[str, float]]:
    """Controls at intensity 1 for the emotions that acted corpora measure."""
    pooled = pooled_changes(acoustics)
    searched = json.loads((acoustics / "control_table.json").read_text())["emotions"]
    changes = {}
    for category, label in MEASURED.items():
        values = {
            "f0_shift": pooled[label, "f0_mean_st"],
            "f0_range": math.log2(pooled[label, "f0_sd_st"]),
            "duration": -math.log2(pooled[label, "syl_rate"]),
            "pause": max(0.0, LINE * pooled[label, "pause_frac"]),
            "level": LEVEL_KEPT * pooled.get((label, "energy_db"), 0.0),
            "tilt": pooled[label, "alpha_ratio_db"] / ALPHA_OCTAVES,
        }
        for control, (name, share) in SEARCHED_KEPT.items():
            values[control] = share * searched.get(label, {}).get(name, 0.0)
        changes[category] = values
    return changes


def place(name: str) -> tuple[float, float, float]:
    category = taxonomy.find(name)
    return category.valence, category.arousal, category.dominance


def infer(name: str, measured: dict[str, dict[str, float]]) -> tuple[dict[str, float], str]:
    """Controls of an unmeasured emotion: the measured ones and neutral, weighted by nearness.

    A Gaussian kernel in valence, arousal and dominance, so that nothing goes beyond what was
    measured.
    """
    here = place(name)
    weights = {
        other: math.exp(-(math.dist(here, place(other)) ** 2) / (2 * NEAR**2)) for other in measured
    }
    total = sum(weights.values()) + math.exp(-(math.hypot(*here) ** 2) / (2 * NEAR**2))
    values = {
        control: sum(weight * measured[other][control] for other, weight in weights.items()) / total
        for control in next(iter(measured.values()))
    }
    near = sorted(weights, key=weights.get, reverse=True)[:3]
    return values, "near " + ", ".join(f"{other} {weights[other] / total:.2f}" for other in near)


def with_literature(
    name: str, values: dict[str, float], source: str
) -> tuple[dict[str, float], str]:
    """Controls of an emotion and their source, where the literature tells single ones as well."""
    if name not in LITERATURE:
        return values, source
    cited, instead = LITERATURE[name]
    return values | instead, f"{source}; {', '.join(instead)}: {cited}"


def written(values: dict[str, float], controls: Iterable[str]) -> dict[str, str]:
    """The controls within their limits, as a table holds them."""
    return {
        name: f"{min(max(values[name], LIMITS[name][0]), LIMITS[name][1]):.3f}" for name in controls
    }


def source_of(label: str) -> str:
    """The rows that a measured emotion's values come from."""
    if label in SUBDUED:
        rows_used = ", ".join(" ".join(row) for row in SUBDUED[label])
        return f"emotion_acoustics_subdued.csv, {label}: {rows_used}; control_table.json, {label}"
    if label == "bored":  # in EmoDB alone, and not among the searched
        return "emotion_acoustics_pooled.csv, bored (EmoDB alone, its level unknown)"
    return f"emotion_acoustics_pooled.csv, {label}; control_table.json, {label}"


def rows(acoustics: Path = ACOUSTICS) -> list[dict[str, str]]:
    """The table, a row for each of the 40 categories."""
    measured = measured_changes(acoustics)
    controls = [name for name in CONTROLS if name in measured["Anger"]]
    table = []
    for name in taxonomy.NAMES:
        if name in measured:
            values, support, source = measured[name], "measured", source_of(MEASURED[name])
        else:
            values, source = infer(name, measured)
            support = "inferred"
        values, source = with_literature(name, values, source)
        numbers = written(values, controls)
        table.append({"emotion": name, **numbers, "support": support, "source": source})
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("target", type=Path)
    arguments = parser.parse_args()
    table = rows()
    with open(arguments.target, "w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(table[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)
    print(
        f"{arguments.target}: {sum(row['support'] == 'measured' for row in table)} measured, "
        f"{sum(row['support'] == 'inferred' for row in table)} inferred"
    )


if __name__ == "__main__":
    main()
