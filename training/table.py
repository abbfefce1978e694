"""The adapter's table: rows that were rehearsed or learnt, and inferred ones for the rest.

    python -m training table RUN/rows.json -o checkpoints/adapter.csv
    python -m training table RUN/contours.safetensors -o table.csv     # before any rehearsal

After a change, put the table's new sha256 into checkpoints/manifest.toml.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
from pathlib import Path

import torch
from safetensors import safe_open

from conditioning import taxonomy, weights
from conditioning.errors import InvalidInput
from conditioning.files import check_place, write_whole
from voice_actor.acting import CONTROLS
from voice_actor.adapter import GAINS, GROUPS, LEVELS, NEUTRAL, ORIGIN, ROWS
from voice_actor.contours import CHANNELS, Contours, breath_amplitude

from .protocol import EVALUATED
from .rehearse import group_of
from .seed import ACOUSTICS, infer, measured_changes, with_literature, written

# Whoever cries is not subdued: RAVDESS's strong sadness (24 actors) is 5.6 semitones higher than
# neutral, 5.7 dB louder, 5 % slower, and its pitch is unsteady.
CRYING = "Distress"
CRIES = {"f0_shift": 5.6, "level": 2.9, "duration": 0.07, "tremor": 0.6, "jitter": 0.15,
         "breath": 0.1, "f0_final": 1.0}  # fmt: skip


def learnt(contours: Contours) -> list[dict]:
    """Rows as `rehearse` finds them, of what the contours' network learnt of whole phrases.

    What it does not know (ranges, tremor, loudness) stands as in the seeded table.
    """
    seeds = measured_changes(ACOUSTICS)
    with safe_open(weights.path("kokoro-voices-en"), "pt") as packs:
        names = [name for name in packs.keys() if name not in EVALUATED]  # noqa: SIM118
        styles = {name: packs.get_tensor(name).float().mean(dim=0) for name in names}
    rows = []
    for group in GROUPS:
        mine = [style for name, style in styles.items() if group_of(name) == group]
        style = torch.stack(mine).mean(dim=0, keepdim=True)
        for role in (*seeds, NEUTRAL):
            controls = dict.fromkeys(CONTROLS, 0.0) | seeds.get(role, {})
            if role != NEUTRAL:
                emotions = torch.zeros(1, 1, len(taxonomy.NAMES))
                emotions[..., taxonomy.INDEX[role]] = 1.0
                with torch.no_grad():
                    changes = contours.means(emotions, style)[0, 0]
                found = dict(zip(CHANNELS, changes, strict=True))
                controls |= {
                    "duration": float(found["duration"]),
                    "f0_shift": float(found["f0_contour"]),
                    "tilt": float(found["tilt"]),
                    "breath": float(breath_amplitude(found["breath"])),
                }
            rows.append(
                {
                    "role": role,
                    "group": group,
                    "controls": controls,
                    "contours": float(role != NEUTRAL),
                    "gains": list(LEVELS),
                    "support": "learnt",
                    "source": "means of the contours' network; else as in adapter-seed.csv",
                }
            )
    return rows


def build(found: list[dict]) -> list[dict[str, str]]:
    """The table's rows, women's first, from those that `rehearse` or `learnt` found."""
    levels = {name: row["level"] for name, row in measured_changes(ACOUSTICS).items()}
    table = []
    for group in GROUPS:
        mine = {row["role"]: row for row in found if row["group"] == group}
        if missing := {*levels, NEUTRAL} - set(mine):
            raise InvalidInput(f"No row for {', '.join(sorted(missing))} of {group}; rehearse on.")
        zero = dict.fromkeys(CONTROLS, 0.0)
        heard = {
            role: zero
            | row["controls"]
            | {"level": levels.get(role, 0.0), "contours": row["contours"]}
            for role, row in mine.items()
        }
        neutral = heard.pop(NEUTRAL)
        for name in taxonomy.NAMES:
            gains = LEVELS
            if name in heard:
                values, gains = heard[name], mine[name]["gains"]
                support, source = mine[name]["support"], mine[name]["source"]
            else:
                values, source = infer(name, heard)
                support = "inferred"
                values, source = with_literature(name, values, source)
                if name == CRYING:
                    values = values | CRIES
                    source += f"; {', '.join(CRIES)}: crying, RAVDESS's strong sadness"
            origin = dict(zip(ORIGIN, (support, source), strict=True))
            table.append(_row(group, name, values, gains, origin))
        origin = {column: mine[NEUTRAL][column] for column in ORIGIN}
        table.append(_row(group, NEUTRAL, neutral, LEVELS, origin))
    assert [row["emotion"] for row in table] == [*ROWS] * len(GROUPS)
    return table


def _row(group, name, values, gains, origin) -> dict[str, str]:
    return {
        "voices": group,
        "emotion": name,
        **written(values, CONTROLS),
        **{column: f"{gain:.3f}" for column, gain in zip(GAINS, gains, strict=True)},
        "contours": f"{values['contours']:.3f}",
        **origin,
    }


def add_table(commands) -> None:
    command = commands.add_parser("table", help="write the adapter's table from what was found")
    command.add_argument(
        "found", metavar="FILE", help="rows.json of `rehearse`, or contours.safetensors of `fit`"
    )
    command.add_argument("-o", "--out", required=True, metavar="FILE", help="CSV")
    command.set_defaults(run=run_table)


def run_table(options: argparse.Namespace) -> None:
    check_place(options.out)
    found = Path(options.found)
    if found.suffix == ".safetensors":
        table = build(learnt(Contours.load(found)))
    else:
        table = build(json.loads(found.read_text(encoding="utf-8")))
    text = io.StringIO()
    writer = csv.DictWriter(text, list(table[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    write_whole(options.out, text.getvalue().encode())
    print(f"{options.out}: {len(table)} rows")
