"""The manifest of a production: one JSON file for engines, one CSV file for spreadsheets."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

FORMAT = 1  # `manifest.schema.json` describes it
NOTE = (
    "All speech here is synthetic and marked as such: by an inaudible watermark and in the "
    "metadata of each file. Keep both when you publish it, and say that it is synthetic where "
    "listeners might take it for a person's."
)
FIELDS = tuple(
    "id script place character to text spoken direction voice file files duration sample_rate "
    "loudness true_peak gain asked heard score reason heard_by transcript word_errors "
    "words_expected faults take attempts words notes seed hash sha256 synthetic licence "
    "provenance".split()
)
# A sheet is read by people; the times of the words are for programs.
COLUMNS = tuple(name for name in FIELDS if name != "words")
SHOWN = 5  # emotions in a cell

# What makes a spreadsheet take a cell for a formula. Some take the wide signs of East Asian
# keyboards for the plain ones.
_FORMULA = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")


def manifest_json(records: Sequence[Mapping[str, Any]], build: Mapping[str, Any]) -> bytes:
    """The manifest of a build, with each line of the script on a line of its own.

    Args:
        records: one of each line, with just the `FIELDS`; those of the estimator (heard, score) and
            of the recogniser (transcript, word_errors, words_expected) are None where nobody
            listened. Numbers are finite: the loudness of silence is None.
        build: what holds for all lines, such as the scripts, the cast, the delivery, the version.
            Stands beside "format", "note", "summary" and "lines".
    """
    assert not build.keys() & {"format", "note", "summary", "lines"}
    head = {"format": FORMAT, "note": NOTE, **build, "summary": summary(records)}
    opening = json.dumps(head, ensure_ascii=False, allow_nan=False, indent=1).removesuffix("\n}")
    lines = ",\n".join(f"  {_one_line(record)}" for record in records)
    return f'{opening},\n "lines": [\n{lines}\n ]\n}}\n'.encode()


def manifest_csv(records: Sequence[Mapping[str, Any]]) -> bytes:
    """The manifest for spreadsheets: UTF-8 with its mark, a row of `COLUMNS` for each line.

    Emotions are told as "Anger 0.80, Contempt 0.30", at most the `SHOWN` strongest; lists are
    joined with semicolons; what is null is empty. Numbers are written as in the JSON file.

    No text may run as a formula: where it begins with = + - @ (or their wide forms), a tab or a
    line's end, after any number of apostrophes, one apostrophe stands before it. So a program that
    reads such a cell takes one apostrophe away and has the text again, and every other cell, such
    as an id of letters and digits, is the text itself.
    """
    table = io.StringIO(newline="")
    writer = csv.writer(table)
    writer.writerow(COLUMNS)
    for record in records:
        _check(record)
        writer.writerow(_cell(record[name]) for name in COLUMNS)
    return table.getvalue().encode("utf-8-sig")


def summary(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A production in figures.

    "word_error_rate" is all errors over all words, of the lines that somebody listened to, and None
    where that is none of them; "faults" counts the lines with any.
    """
    listened = [record for record in records if record["word_errors"] is not None]
    words = sum(record["words_expected"] for record in listened)
    errors = sum(record["word_errors"] for record in listened)
    return {
        "lines": len(records),
        "seconds": round(math.fsum(record["duration"] for record in records), 3),
        "characters": dict(Counter(record["character"] for record in records)),
        "word_error_rate": round(errors / words, 4) if words else None,
        "faults": sum(bool(record["faults"]) for record in records),
    }


def strongest(emotions: Mapping[str, float], count: int = SHOWN) -> list[tuple[str, float]]:
    """The strongest emotions, rounded to what people read; none that rounds to nothing."""
    rounded = ((name, round(value, 2)) for name, value in emotions.items())
    return sorted((pair for pair in rounded if pair[1]), key=lambda pair: -pair[1])[:count]


def _one_line(record: Mapping[str, Any]) -> str:
    _check(record)
    return json.dumps({name: record[name] for name in FIELDS}, ensure_ascii=False, allow_nan=False)


def _check(record: Mapping[str, Any]) -> None:
    assert record.keys() == set(FIELDS), sorted(record.keys() ^ set(FIELDS))


def _cell(value: Any) -> str | int | float:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return value
    text = _flat(value)
    return f"'{text}" if _FORMULA.match(text) else text


def _flat(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping):
        if all(isinstance(item, float | int) for item in value.values()):
            return ", ".join(f"{name} {share:.2f}" for name, share in strongest(value))
        return "; ".join(f"{name}: {_flat(item)}" for name, item in value.items())
    if isinstance(value, list | tuple):
        return "; ".join(map(str, value))
    return str(value)
