"""What `voice-actor evaluate` measured -> tables that can be read on the page."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from conditioning.errors import InvalidInput
from conditioning.files import shown

PROGRAM = sys.executable, "-m", "voice_actor.cli"
MOST_SYSTEMS = 50
LONGEST_NAME = 80  # characters of a file's name
PATIENCE = 120  # s
ACTED, OWN = "all seven", "own reading"  # rows of what acting costs
QUALITY = {
    "wer": ("words misheard, %", 2),
    "dnsmos": ("sound quality, 1 to 5", 2),
    "profile": ("likeness to the voice", 2),
}


@dataclass(frozen=True)
class Table:
    """A table as the page shows it; cells are HTML, everything else is text.

    Attributes:
        about: how to read it.
    """

    title: str
    about: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    def html(self) -> str:
        heads = "".join(f"<th scope=col>{escape(name)}</th>" for name in self.columns)
        body = "".join(
            f"<tr><th scope=row>{first}</th>{''.join(f'<td>{cell}</td>' for cell in rest)}</tr>"
            for first, *rest in self.rows
        )
        title = escape(self.title)
        about = f"<p>{escape(self.about)}</p>" if self.about else ""
        return (
            f"<h3>{title}</h3>{about}"
            f'<div class="va-wide" role="region" aria-label="{title}" tabindex="0">'
            f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
        )


def summary(content: bytes, name: str) -> dict:
    """A summary.json of `evaluate`.

    Args:
        name: of the file, for the message.

    Raises:
        InvalidInput: it is anything else.
    """
    try:
        found = json.loads(content)
        count = len(found["systems"])
        if count <= MOST_SYSTEMS:
            report(found, name)  # finds out whether all is there that the page shows
    # What may go wrong with some JSON that is no report is without number.
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError):
        raise InvalidInput(
            f"{shown(name)} is no report of `voice-actor evaluate`; give a run's summary.json."
        ) from None
    if count > MOST_SYSTEMS:
        raise InvalidInput(
            f"{shown(name)} has {count} systems; this page shows {MOST_SYSTEMS} at most."
        )
    return found


def report(found: Mapping, name: str) -> str:
    """HTML of everything that the page shows of a summary."""
    return (
        f'<article class="va-report"><h2>{escape(shown(name))}</h2><p>{_facts(found)}</p>'
        + "".join(table.html() for table in tables(found))
        + "</article>"
    )


def _facts(found: Mapping) -> str:
    readings = ", ".join(
        f"{escape(system)} {measured['readings']:,}"
        for system, measured in found["systems"].items()
    )
    return (
        f"Protocol {escape(found['protocol'])}, version {escape(found['version'])}. "
        f"Readings: {readings}."
    )


def tables(found: Mapping) -> Iterator[Table]:
    """A summary as tables, what matters most first."""
    yield _recall(found)
    for judge in found["judges"]:
        yield _each(found, judge)
    yield _mistaken(found)
    strength = _strength(found)
    if strength.rows:
        yield strength
    yield _quality(found)


def _recall(found: Mapping) -> Table:
    judges = found["judges"]
    rows = [
        [
            escape(system),
            *(
                _spanned(
                    measured["judges"][judge]["against"],
                    about["real"].get("against"),
                    f"{system}, heard by {judge}",
                )
                for judge, about in judges.items()
            ),
        ]
        for system, measured in found["systems"].items()
    ]
    return Table(
        "Is what was asked heard?",
        "The share of readings whose emotion, one of eight, a judge names right; judges took no "
        "part in training. In brackets and as a bar: where the true value lies with 95 % "
        "certainty. The dotted line is guessing, the dashed one what the judge names right of "
        "real actors.",
        ["system", *(f"by judge {judge}" for judge in judges)],
        rows,
    )


def _spanned(measured: Mapping, real: Sequence[float] | None, what: str) -> str:
    """A share with its interval, in numbers and drawn between guessing and real actors."""
    recall, guessing = measured["recall"], measured["shuffled"]["value"]
    value, low, high = (recall[name] for name in ("value", "low", "high"))
    told = _interval(value, low, high)
    low, high = (value if end is None else end for end in (low, high))
    marks = f'<i class="va-guess" style="left:{_percent(guessing)}"></i>'
    described = f"{what}: {told}; guessing {guessing:.2f}"
    if real:
        marks += f'<i class="va-real" style="left:{_percent(real[0])}"></i>'
        described += f"; real actors {real[0]:.2f}"
    width = _percent(max(high - low, 0))
    return (
        f"<span>{told}</span>"
        f'<span class="va-span" role="img" aria-label="{escape(described)}">'
        f'<i class="va-sure" style="left:{_percent(low)};width:{width}"></i>'
        f'<i class="va-point" style="left:{_percent(value)}"></i>{marks}</span>'
    )


def _each(found: Mapping, judge: str) -> Table:
    emotions = list(_first(found)["judges"][judge]["against"]["each"])
    rows = []
    for system, measured in found["systems"].items():
        each = measured["judges"][judge]["against"]["each"]
        rows.append([escape(system), *(_shaded(each.get(emotion)) for emotion in emotions)])
    return Table(
        f"Emotion by emotion, by judge {judge}",
        "The share of readings of each emotion that the judge names right.",
        ["system", *emotions],
        rows,
    )


def _mistaken(found: Mapping) -> Table:
    """What the first system's readings are taken for, where it is not what was asked."""
    system, measured = next(iter(found["systems"].items()))
    judges = measured["judges"]
    emotions = list(next(iter(judges.values()))["against"]["each"])
    rows = []
    for number, emotion in enumerate(emotions):
        row = [escape(emotion)]
        for heard in judges.values():
            counts = heard["against"]["confusion"][number]
            others = dict(zip(emotions, counts, strict=True))
            total = sum(counts) or 1
            others.pop(emotion)
            most = sorted(others, key=lambda name: -others[name])[:2]
            told = [f"{escape(name)} {others[name] / total:.0%}" for name in most if others[name]]
            row.append(", ".join(told) or "nothing")
        rows.append(row)
    return Table(
        f"What {system} is mistaken for",
        "",
        ["asked", *(f"by judge {judge}" for judge in judges)],
        rows,
    )


def _strength(found: Mapping) -> Table:
    rows = []
    for system, measured in found["systems"].items():
        for judge, heard in measured["judges"].items():
            if ladders := heard["ladders"]:
                rising = ladders["rising"]
                rows.append(
                    [
                        f"{escape(system)}, judge {escape(judge)}",
                        _number(ladders["spearman"]["mean"]),
                        _interval(*(rising[name] for name in ("value", "low", "high"))),
                    ]
                )
    return Table(
        "Is more heard where more is asked?",
        "How the strength that is heard follows the one that was asked (rank correlation, 1 is "
        "always), and how often each level is heard above the one before.",
        ["system", "asked and heard", "every level above the last"],
        rows,
    )


def _quality(found: Mapping) -> Table:
    rows = []
    for system, measured in found["systems"].items():
        price = measured["price"]
        row = [escape(system)]
        for name, (_, digits) in QUALITY.items():
            acted, own = (price.get(kind, {}).get(name) for kind in (ACTED, OWN))
            row.append(f"{_number(acted, digits)} ({_number(own, digits)})")
        rows.append(row)
    return Table(
        "Words and quality",
        "Acted, and in brackets the voice's own plain reading. Words are those that a speech "
        "recogniser misheard; sound quality is DNSMOS, which dislikes lively pitch; likeness is "
        "to how the voice sounds otherwise, 1 is the same.",
        ["system", *(title for title, _ in QUALITY.values())],
        rows,
    )


def _first(found: Mapping) -> Mapping:
    return next(iter(found["systems"].values()))


def _number(value: float | None, digits: int = 2) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _interval(value: float | None, low: float | None, high: float | None) -> str:
    return _number(value) if low is None else f"{value:.2f} [{low:.2f}, {high:.2f}]"


def _shaded(value: float | None) -> str:
    """A share, the darker the higher."""
    if value is None:
        return "–"
    return f'<span class="va-share" style="--share:{_percent(value)}">{value:.2f}</span>'


def _percent(share: float) -> str:
    return f"{100 * min(max(share, 0), 1):.1f}%"


# Several reports


def leaderboard(reports: Mapping[str, bytes]) -> Table:
    """The systems of several reports, the best first, as `voice-actor leaderboard` has them.

    Args:
        reports: summary.json files by the names under which they are listed.

    Raises:
        InvalidInput: none, one that is no report, or reports that cannot be compared.
    """
    if not reports:
        raise InvalidInput("There is no report to compare; add some.")
    for name, content in reports.items():
        summary(content, name)
    with tempfile.TemporaryDirectory() as folder:
        for name, content in reports.items():
            Path(folder, name).write_bytes(content)
        done = subprocess.run(
            [*PROGRAM, "leaderboard", "--", *reports],
            cwd=folder,
            capture_output=True,
            encoding="utf-8",
            timeout=PATIENCE,
            check=False,
        )
    if done.returncode:
        raise InvalidInput(complaint(done.stderr))
    head, _, *lines = (line[2:-2].split(" | ") for line in done.stdout.splitlines() if line)
    if any(len(line) != len(head) for line in lines):
        raise InvalidInput("A system's name holds a | and cannot be listed; rename it.")
    rows = [[escape(cell) for cell in line] for line in lines]
    about = "Recall as in a report, the best by the first judge first."
    return Table("Leaderboard", about, head, rows)


def listed(name: str, taken: Mapping[str, object]) -> str:
    """A file's name as a leaderboard can list it, and not among those taken."""
    stem = re.sub(r"[^\w .()+-]", "-", Path(name).stem).strip(". ")[:LONGEST_NAME] or "report"
    number = next(n for n in range(1, len(taken) + 2) if _numbered(stem, n) not in taken)
    return _numbered(stem, number)


def _numbered(stem: str, number: int) -> str:
    return f"{stem}.json" if number == 1 else f"{stem} ({number}).json"


def complaint(printed: str) -> str:
    """What a command of ours said on standard error, as a sentence.

    Our commands end with one line that begins with the program's name; a library may have said
    more before.
    """
    lines = [line for line in printed.splitlines() if line.startswith("voice-actor: ")]
    if missing := re.search(r"No module named '?([\w.]+)", printed):
        return (
            f"{missing[1]} is not installed, which this needs; pip install -c constraints.txt -e "
            "'.[benchmark]'."
        )
    return lines[-1].removeprefix("voice-actor: ") if lines else "The command ended without a word."
