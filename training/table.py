"""The adapter's table: rehearsed rows where there are any, and inferred ones for the rest.

    python -m training table RUN/rows.json -o checkpoints/adapter.csv

After a change, put the table's new sha256 into checkpoints/manifest.toml.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
from pathlib import Path

from conditioning import taxonomy
from conditioning.errors import InvalidInput
from conditioning.files import check_place, write_whole
from voice_actor.acting import CONTROLS
from voice_actor.adapter import GAINS, GROUPS, LEVELS, LIMITS, NEUTRAL, ORIGIN, ROWS

from .seed import ACOUSTICS, LITERATURE, infer, measured_changes

# Whoever cries is not subdued: RAVDESS's strong sadness (24 actors) is 5.6 semitones higher than
# neutral, 5.7 dB louder, 5 % slower, and its pitch is unsteady.
CRYING = "Distress"
CRIES = {"f0_shift": 5.6, "level": 2.9, "duration": 0.07, "tremor": 0.6, "jitter": 0.15,
         "breath": 0.1, "f0_final": 1.0}  # fmt: skip


def build(found: list[dict]) -> list[dict[str, str]]:
    """The table's rows, women's first, from what `rehearse` found."""
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
                values, support = heard[name], "rehearsed"
                source = "heard by both listeners of `python -m training rehearse`"
                gains = mine[name]["gains"]
            else:
                values, source = infer(name, heard)
                support = "inferred"
                if name in LITERATURE:
                    cited, instead = LITERATURE[name]
                    values = values | instead
                    source += f"; {', '.join(instead)}: {cited}"
                if name == CRYING:
                    values = values | CRIES
                    source += f"; {', '.join(CRIES)}: crying, RAVDESS's strong sadness"
            origin = dict(zip(ORIGIN, (support, source), strict=True))
            table.append(_row(group, name, values, gains, origin))
        origin = dict(zip(ORIGIN, ("rehearsed", "heard as neutral"), strict=True))
        table.append(_row(group, NEUTRAL, neutral, LEVELS, origin))
    assert [row["emotion"] for row in table] == [*ROWS] * len(GROUPS)
    return table


def _row(group, name, values, gains, origin) -> dict[str, str]:
    bounded = {
        control: min(max(values[control], LIMITS[control][0]), LIMITS[control][1])
        for control in CONTROLS
    }
    return {
        "voices": group,
        "emotion": name,
        **{control: f"{value:.3f}" for control, value in bounded.items()},
        **{column: f"{gain:.3f}" for column, gain in zip(GAINS, gains, strict=True)},
        "contours": f"{values['contours']:.3f}",
        **origin,
    }


def add_table(commands) -> None:
    command = commands.add_parser("table", help="write the adapter's table from rehearsed rows")
    command.add_argument("rows", metavar="FILE", help="rows.json of `rehearse`")
    command.add_argument("-o", "--out", required=True, metavar="FILE", help="CSV")
    command.set_defaults(run=run_table)


def run_table(options: argparse.Namespace) -> None:
    check_place(options.out)
    table = build(json.loads(Path(options.rows).read_text(encoding="utf-8")))
    text = io.StringIO()
    writer = csv.DictWriter(text, list(table[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    write_whole(options.out, text.getvalue().encode())
    print(f"{options.out}: {len(table)} rows")
