"""What `evaluate` measured, for people: a page, Markdown, comparisons and a leaderboard.

voice-actor compare before/summary.json after/summary.json
voice-actor leaderboard */summary.json -o leaderboard.md
"""

from __future__ import annotations

import argparse
import base64
import csv
import html
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from conditioning import taxonomy
from conditioning.errors import InvalidInput
from conditioning.files import check_place, shown, write_whole

from .judge import EMOTIONS, MODES
from .measures import ACTED, OWN, SHOWN, compared, holm

ALPHA = 0.05
PRICE = {
    "cosine": "cosine to the same words",
    "profile": "cosine to the voice",
    "wer": "WER %",
    "dnsmos": "DNSMOS",
    "dnsmos_lost": "lost",
    "slower": "longer by",
}
ERRORS = {"spearman": "Spearman", "pearson": "Pearson", "mae": "MAE", "rmse": "RMSE"}
PROSODY = {
    "f0_median_st": "pitch, semitones",
    "f0_sd_st": "pitch range, ratio",
    "level_mean_db": "level, dB",
    "rate": "rate, ratio",
    "pause_share": "pauses, share",
    "alpha_db": "brightness, dB",
    "hnr_db": "harmonicity, dB",
}
ABOUT = {
    "Recognition": "Unweighted recall of eight emotions at intensity 0.8, on the same sentences. "
    "Real actors is what the judge recalls of RAVDESS's actors, none of whom it had met: the "
    "ceiling. Shuffled is what it finds when targets are dealt out anew: the floor. Alone, each "
    "reading is heard by itself; against, beside the voice's other readings.",
    "Strength": "Spearman and Pearson: how far a judge's log odds of an emotion go with the "
    "intensity that was asked, over all readings, mean of seven emotions. Within: the same over "
    "the four levels of one voice and sentence; Kendall's tau; and how often each level is heard "
    "above the one before it.",
    "All 40": "What the estimator hears, which is no judge: it learnt from the same kind of "
    "speech. Errors on EmoNet-Voice Bench's scale of 0 to 10. Arousal and valence are the judges': "
    "correlation over the 40 categories with their places in the literature.",
    "Price": "Against the voice's own reading, which has no direction. Cosine by resemblyzer, to "
    "the same words read plainly and to the voice's mean over other sentences, which its own "
    "readings themselves reach only so far. Word errors by Whisper base. DNSMOS punishes "
    "expressive pitch that people do not mind.",
    "Prosody": "Median change from the own reading of the same words, and in brackets what "
    "published corpora of acted speech change. Ratios where it says so.",
    "Comparisons": "How much surer a judge is of what was asked: median over sentences and "
    "emotions, each a mean over voices. Wilcoxon's signed ranks, two-sided, p corrected by Holm's "
    "method.",
    "Cost": "Processor seconds that a second of speech takes, as a ratio to the slowest system; "
    "measured while other readings were made, so only roughly. Each sentence is one phrase, which "
    "all these systems speak whole: the first sound comes after the same time.",
}


@dataclass(frozen=True)
class Table:
    """A table of the report: its section, the names of its columns, and its rows as text."""

    section: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    def markdown(self) -> str:
        lines = [self.columns, ["---"] * len(self.columns), *self.rows]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)

    def html(self) -> str:
        head = "".join(f"<th>{html.escape(name)}</th>" for name in self.columns)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
            for row in self.rows
        )
        return (
            f'<div class="wide"><table><thead><tr>{head}</tr></thead>'
            f"<tbody>{body}</tbody></table></div>"
        )


def tables(found: Mapping) -> Iterator[Table]:
    """The summary of `evaluate` as tables."""
    yield _recognition(found)
    yield from _filled(_strength(found), _forty(found), _price(found), _prosody(found))
    yield from _filled(_comparisons(found["comparisons"]), _cost(found))


def _filled(*made: Table) -> Iterator[Table]:
    return (table for table in made if table.rows)


def _recognition(found: Mapping) -> Table:
    rows = []
    for judge, about in found["judges"].items():
        for mode in MODES:
            ceiling = about["real"].get(mode, (None,) * 3)
            for system, measured in found["systems"].items():
                row = measured["judges"][judge][mode]
                rows.append(
                    [judge, mode, system, interval(row["recall"]), interval(row["top3"]),
                     _interval(*ceiling), interval(row["shuffled"]), str(row["recall"]["count"]),
                     *(number(row["each"].get(kind, None)) for kind in EMOTIONS)]
                )  # fmt: skip
    columns = ["judge", "mode", "system", "recall", "among three", "real actors", "shuffled", "n"]
    return Table("Recognition", [*columns, *EMOTIONS], rows)


def _strength(found: Mapping) -> Table:
    rows = []
    for judge in found["judges"]:
        for system, measured in found["systems"].items():
            row = measured["judges"][judge]
            line = [
                judge,
                system,
                *(interval(row["agreement"][k]) for k in ("spearman", "pearson")),
            ]
            ladders = row["ladders"]
            if ladders:
                line += [number(ladders["spearman"]["mean"]), interval(ladders["kendall"])]
                line += [interval(ladders["rising"]), str(ladders["rising"]["count"])]
                line += [number(ladders["spearman"].get(kind, None)) for kind in EMOTIONS[:-1]]
            else:
                line += ["-"] * (4 + len(EMOTIONS) - 1)
            rows.append(line)
    columns = ["judge", "system", "Spearman", "Pearson", "within", "Kendall", "rising", "ladders"]
    return Table("Strength", [*columns, *EMOTIONS[:-1]], rows)


def _forty(found: Mapping) -> Table:
    rows = []
    for system, measured in found["systems"].items():
        if "errors" not in measured:
            continue
        whole = [interval(measured["errors"][name]) for name in ERRORS]
        for judge in found["judges"]:
            places = measured["judges"][judge]["places"]
            rows.append(
                [system, *whole, judge, number(places["arousal"]), number(places["valence"]),
                 str(places["count"])]
            )  # fmt: skip
    columns = ["system", *ERRORS.values(), "judge", "arousal", "valence", "n"]
    return Table("All 40", columns, rows)


def _price(found: Mapping) -> Table:
    rows = [
        [system, asked, *(number(row[name], 3 if "cosine" in title else 2) for name, title in
                          PRICE.items()), str(row["count"])]
        for system, measured in found["systems"].items()
        for asked, row in measured["price"].items()
    ]  # fmt: skip
    return Table("Price", ["system", "asked", *PRICE.values(), "n"], rows)


def _prosody(found: Mapping) -> Table:
    rows = [
        [system, asked, *(f"{number(here)} ({number(published)})" for here, published in
                          (changes[name] for name in SHOWN))]
        for system, measured in found["systems"].items()
        for asked, changes in measured["prosody"].items()
    ]  # fmt: skip
    return Table("Prosody", ["system", "asked", *(PROSODY[name] for name in SHOWN)], rows)


def _comparisons(rows: Iterable[Mapping]) -> Table:
    lines = [
        [row["judge"], row["first"], row["second"], f"{row['difference']:+.2f}",
         f"{row['holm']:.2g}", _verdict(row), str(row["count"])]
        for row in rows
    ]  # fmt: skip
    columns = ["judge", "first", "second", "difference", "p", "", "pairs"]
    return Table("Comparisons", columns, lines)


def _verdict(row: Mapping) -> str:
    if row["holm"] >= ALPHA:
        return "no difference shown"
    return f"{row['first'] if row['difference'] > 0 else row['second']} is better"


def _cost(found: Mapping) -> Table:
    spent = {name: row["spent"] for name, row in found["systems"].items()}
    known = {name: value for name, value in spent.items() if value}
    rows = [[name, number(value / max(known.values()))] for name, value in known.items()]
    return Table("Cost", ["system", "processor time"], rows if len(rows) > 1 else [])


def number(value: float | None, digits: int = 2) -> str:
    return "-" if value is None else f"{round(value, digits) + 0.0:.{digits}f}"  # no "-0.00"


def interval(measured: Mapping) -> str:
    return _interval(*(measured[name] for name in ("value", "low", "high")))


def _interval(value: float | None, low: float | None, high: float | None) -> str:
    return number(value) if low is None else f"{number(value)} [{number(low)}, {number(high)}]"


HEAD = (
    "Asked and heard, by judges that took no part in training. Brackets are 95 % bootstrap "
    "intervals, voices and sentences resampled."
)


def highlights(found: Mapping) -> str:
    """What matters most, in Markdown; README and card quote it to the letter."""
    return "\n\n".join(table.markdown() for table in short(found))


def short(found: Mapping) -> tuple[Table, Table]:
    """What matters most: recall of each system, and the rest of the first."""
    first, measured = next(iter(found["systems"].items()))
    recalls = Table(
        "Recall",
        ["recall of eight, against the voice", *found["systems"], "real actors", "shuffled"],
        [
            [f"judge {judge}",
             *(interval(row["judges"][judge]["against"]["recall"])
               for row in found["systems"].values()),
             _interval(*about["real"]["against"]),
             number(measured["judges"][judge]["against"]["shuffled"]["value"])]
            for judge, about in found["judges"].items()
        ],
    )  # fmt: skip
    rows = []
    for judge in found["judges"]:
        heard = measured["judges"][judge]
        if ladders := heard["ladders"]:
            rising = f"{interval(ladders['rising'])} of {ladders['rising']['count']}"
            each = [value for kind, value in ladders["spearman"].items() if kind != "mean"]
            lowest = min((value for value in each if value is not None), default=None)
            rows.append(
                [f"{judge}: rank correlation of asked and heard strength, mean and lowest emotion",
                 f"{number(ladders['spearman']['mean'])}, {number(lowest)}"]
            )  # fmt: skip
            rows.append([f"{judge}: every level heard above the one before", rising])
        if places := heard["places"]:
            rows.append(
                [f"{judge}: arousal and valence of the 40, asked against heard, r",
                 f"{number(places['arousal'])}, {number(places['valence'])}"]
            )  # fmt: skip
    price = measured["price"]
    if {ACTED, OWN} <= set(price):
        acted, own = price[ACTED], price[OWN]
        for name, title in PRICE.items():
            if name in ("cosine", "profile", "wer", "dnsmos"):
                digits = 3 if "cosine" in title else 2
                pair = f"{number(acted[name], digits)} ({number(own[name], digits)})"
                rows.append([f"{title}, acted (own reading)", pair])
    counts = ", ".join(f"{name} {row['readings']}" for name, row in found["systems"].items())
    rows.append(["readings", counts])
    return recalls, Table("The rest", ["", first], rows)


def write_report(found: Mapping, out: Path) -> None:
    """report.md, report.html and, where all 40 were asked, crosstalk.csv and crosstalk.png."""
    write_whole(out / "report.md", markdown(found).encode())
    write_whole(out / "report.html", page(found, out / "audio").encode())
    first = next(iter(found["systems"].values()))
    if "crosstalk" in first:
        table = crosstalk_table(first["crosstalk"], found.get("support", {}))
        write_whole(out / "crosstalk.csv", table.encode())
        picture = io.BytesIO()
        _crosstalk_figure(found).savefig(picture, format="png", dpi=80)
        write_whole(out / "crosstalk.png", picture.getvalue())


def markdown(found: Mapping) -> str:
    parts = ["# Asked and heard", HEAD, *(f"- {line}" for line in _facts(found))]
    parts += ["## In short", highlights(found)]
    for table in tables(found):
        parts += [f"## {table.section}", ABOUT[table.section], table.markdown()]
    return "\n\n".join(parts).replace("\n\n- ", "\n- ") + "\n"


def _facts(found: Mapping) -> list[str]:
    packages = ", ".join(f"{name} {version}" for name, version in found["packages"].items())
    facts = [
        f"Protocol {found['protocol']}: `{found['command']}`",
        f"Version {found['version']}; {packages}",
    ]
    for kind in ("weights", "judges"):
        hashes = {
            name: value if isinstance(value, str) else value["sha256"]
            for name, value in found[kind].items()
        }
        named = ", ".join(f"{name} {sha256[:12]}" for name, sha256 in hashes.items())
        facts.append(f"{kind.capitalize()}: {named}")
    for name, row in found["systems"].items():
        facts.append(f"{name}: {row['readings']} readings by {', '.join(row['voices'])}")
    return facts


STYLE = """
:root { color-scheme: light dark; --ink: light-dark(#1c2330, #e6e9ef);
  --paper: light-dark(#fff, #14181f); --line: light-dark(#d8dde6, #333b48);
  --soft: light-dark(#5b6577, #9aa5b8); }
body { font: 16px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 1100px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.7rem } h2 { margin-top: 2.4rem; font-size: 1.25rem }
p, li { max-width: 75ch } .soft { color: var(--soft) }
.wide { overflow-x: auto }
table { border-collapse: collapse; font-size: .85rem; white-space: nowrap }
th, td { text-align: left; padding: .3rem .7rem; border-bottom: 1px solid var(--line) }
td { font-variant-numeric: tabular-nums } thead th { font-weight: 600; color: var(--soft) }
svg { max-width: 100%; height: auto; background: #fff; border-radius: 6px }
audio { width: 11rem; height: 2rem }
"""


def page(found: Mapping, audio: Path | None = None) -> str:
    """The report as one HTML page that needs nothing else.

    Args:
        audio: folder of the samples that `evaluate` kept.
    """
    facts = "".join(f"<li>{html.escape(line).replace('`', '')}</li>" for line in _facts(found))
    parts = [f"<h1>Asked and heard</h1><p>{HEAD}</p><ul class=soft>{facts}</ul>"]
    parts += ["<h2>In short</h2>", *(f"{table.html()}<p></p>" for table in short(found))]
    plots = {"Recognition": (_recall_plot, _confusion_plot), "All 40": (_crosstalk_plot,)}
    for table in tables(found):
        parts.append(f"<h2>{table.section}</h2><p>{ABOUT[table.section]}</p>")
        parts += [plot(found) for plot in plots.get(table.section, ())]
        parts.append(table.html())
    parts.append(_samples(found, audio))
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Asked and heard: {found['protocol']}</title><style>{STYLE}</style>"
        f"<body>{''.join(parts)}</body></html>\n"
    )


def _samples(found: Mapping, folder: Path | None) -> str:
    """What the first voice of each system said of the first sentence."""
    if folder is None:
        return ""
    rows, heads = {}, []
    for system, measured in found["systems"].items():
        files = sorted(
            path
            for path in (folder / system).glob("*-0-*")
            if path.name.startswith(measured["voices"][0] + "-0-")
        )
        heads += [system] if files else []
        for path in files:
            asked = path.stem.split("-0-", 1)[1]
            rows.setdefault(asked, {})[system] = path
    if not rows:
        return ""
    head = "".join(f"<th>{html.escape(name)}</th>" for name in ("asked", *heads))
    body = ""
    for asked, files in sorted(rows.items()):
        cells = "".join(f"<td>{_audio(files.get(name))}</td>" for name in heads)
        body += f"<tr><td>{html.escape(asked)}</td>{cells}</tr>"
    return (
        "<h2>Samples</h2><p>The same sentence, by the first voice of each system. Synthetic and "
        f'marked as such.</p><div class="wide"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _audio(path: Path | None) -> str:
    if path is None:
        return ""
    kind = {".ogg": "audio/ogg", ".wav": "audio/wav"}[path.suffix]
    content = base64.b64encode(path.read_bytes()).decode()
    return f'<audio controls preload="none" src="data:{kind};base64,{content}"></audio>'


def _figure(width: float, height: float):
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _svg(figure) -> str:
    import matplotlib

    content = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "report"}):
        figure.savefig(content, format="svg", metadata={"Date": None})
    return "<svg" + content.getvalue().split("<svg", 1)[1]


def _recall_plot(found: Mapping) -> str:
    """Recall of each system with its interval, between floor and ceiling, by each judge."""
    names = list(found["systems"])
    figure = _figure(10, 1.2 + 0.36 * len(names))
    panels = figure.subplots(1, len(found["judges"]), sharex=True, sharey=True, squeeze=False)[0]
    for axes, (judge, about) in zip(panels, found["judges"].items(), strict=True):
        rows = [found["systems"][name]["judges"][judge]["against"] for name in names]
        middle = [row["recall"]["value"] for row in rows]
        low = [max(0, row["recall"]["value"] - row["recall"]["low"]) for row in rows]
        high = [max(0, row["recall"]["high"] - row["recall"]["value"]) for row in rows]
        axes.errorbar(
            middle, range(len(names)), xerr=[low, high], fmt="o", color="#2457a6", capsize=3
        )
        axes.axvline(rows[0]["shuffled"]["value"], color="#999", linestyle=":", label="shuffled")
        if "against" in about["real"]:
            axes.axvline(about["real"]["against"][0], color="#b3541e", linestyle="--",
                         label="real actors")  # fmt: skip
        axes.set(title=judge, xlim=(0, 1), xlabel="recall of eight, against the voice")
        axes.set_yticks(range(len(names)), names)
        axes.grid(axis="x", color="#eee")
        axes.legend(frameon=False, fontsize=8, loc="lower right")
    panels[0].invert_yaxis()
    return _svg(figure)


def _confusion_plot(found: Mapping) -> str:
    """What the first system's readings are taken for, by each judge."""
    name, measured = next(iter(found["systems"].items()))
    figure = _figure(10, 4.6)
    panels = figure.subplots(1, len(found["judges"]), squeeze=False)[0]
    for axes, judge in zip(panels, found["judges"], strict=True):
        counts = np.array(measured["judges"][judge]["against"]["confusion"], float)
        shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for row, column in np.argwhere(shares >= 0.05):
            ink = "white" if shares[row, column] > 0.6 else "black"
            axes.text(column, row, f"{shares[row, column]:.2f}", ha="center", va="center",
                      fontsize=7, color=ink)  # fmt: skip
        axes.set_xticks(range(len(EMOTIONS)), EMOTIONS, rotation=45, ha="right")
        axes.set_yticks(range(len(EMOTIONS)), EMOTIONS)
        axes.set(title=f"{name}, heard by {judge}", xlabel="heard", ylabel="asked")
    return _svg(figure)


def _crosstalk_plot(found: Mapping) -> str:
    return _svg(_crosstalk_figure(found))


def _crosstalk_figure(found: Mapping):
    """Asked against heard of all 40, each column against what is heard of it on average."""
    system, measured = next(iter(found["systems"].items()))
    heard = np.array(measured["crosstalk"])
    change = heard - heard.mean(axis=0)
    most = np.abs(change).max()
    figure = _figure(10, 9.2)
    axes = figure.subplots()
    image = axes.imshow(change, cmap="RdBu_r", vmin=-most, vmax=most)
    places = range(len(taxonomy.NAMES))
    axes.set_xticks(places, taxonomy.NAMES, fontsize=7, rotation=90)
    support = found.get("support", {})
    asked = [f"{name} ({support[name]})" if name in support else name for name in taxonomy.NAMES]
    axes.set_yticks(places, asked, fontsize=7)
    count = measured["judges"][next(iter(found["judges"]))]["places"]["count"]
    axes.set(xlabel="heard", ylabel="asked")
    axes.set_title(f"{system}: all 40, by the estimator, {count} readings")
    figure.colorbar(
        image, label="intensity heard, less its mean over all that was asked", shrink=0.6
    )
    return figure


def crosstalk_table(heard: Sequence[Sequence[float]], support: Mapping[str, str]) -> str:
    """CSV: a row for each category that was asked, a column for each that was heard.

    Args:
        support: of a category, where it is known.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["asked", "support", *taxonomy.NAMES])
    for name, row in zip(taxonomy.NAMES, heard, strict=True):
        writer.writerow([name, support.get(name, ""), *(f"{value:.3f}" for value in row)])
    return text.getvalue()


# Several runs


def read_summary(path: str | Path) -> dict:
    """A summary.json of `evaluate`. Raises InvalidInput for anything else."""
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
        if not {"protocol", "judges", "systems"} <= set(found):
            raise ValueError
    except (OSError, ValueError, TypeError):
        raise InvalidInput(
            f"{shown(path)} is no summary of `voice-actor evaluate`; give a run's summary.json."
        ) from None
    return found


def check_alike(runs: Mapping[str, Mapping]) -> None:
    """Raises InvalidInput unless runs used one protocol and the same judges."""
    for what, value in (
        ("protocol", lambda run: run["protocol"]),
        ("judges", lambda run: {name: row["sha256"] for name, row in run["judges"].items()}),
    ):
        values = {path: value(run) for path, run in runs.items()}
        first = next(iter(values))
        for path, other in values.items():
            if other != values[first]:
                raise InvalidInput(
                    f"{shown(first)} and {shown(path)} have other {what}: their figures cannot be "
                    "compared. Run evaluate again with the same."
                )


def compare(before: Mapping, after: Mapping) -> Table:
    """The systems that two runs share, `after` as the first."""
    rows = []
    for system in before["systems"]:
        if system not in after["systems"]:
            continue
        for judge in before["judges"]:
            cells = (run["systems"][system]["judges"][judge]["cells"] for run in (after, before))
            difference, value, count = compared(*cells)
            rows.append(
                {"first": f"{system} after", "second": f"{system} before", "judge": judge,
                 "difference": difference, "p": value, "count": count}
            )  # fmt: skip
    if not rows:
        raise InvalidInput("The two runs share no system; compare runs of the same.")
    for row, corrected in zip(rows, holm([row["p"] for row in rows]), strict=True):
        row["holm"] = corrected
    return _comparisons(rows)


def leaderboard(runs: Mapping[str, Mapping]) -> Table:
    """Every system of some runs, the best by the first judge first."""
    rows = []
    for path, run in runs.items():
        judges = list(run["judges"])
        for system, measured in run["systems"].items():
            heard = [measured["judges"][judge]["against"]["recall"] for judge in judges]
            price = measured["price"].get(ACTED, {})
            rows.append(
                [system, *map(interval, heard), str(heard[0]["count"]),
                 number(price.get("profile", None), 3), number(price.get("wer", None)),
                 number(price.get("dnsmos", None)), shown(path)]
            )  # fmt: skip
    rows.sort(key=lambda row: row[1], reverse=True)
    columns = ["system", *(f"recall, {judge}" for judge in judges), "n", "cosine to the voice"]
    return Table("Leaderboard", [*columns, "WER %", "DNSMOS", "run"], rows)


def run_compare(options: argparse.Namespace) -> None:
    before, after = read_summary(options.before), read_summary(options.after)
    check_alike({options.before: before, options.after: after})
    print(compare(before, after).markdown())


def run_leaderboard(options: argparse.Namespace) -> None:
    runs = {path: read_summary(path) for path in options.runs}
    check_alike(runs)
    text = leaderboard(runs).markdown() + "\n"
    if options.out is None:
        print(text, end="")
        return
    check_place(options.out)
    write_whole(options.out, text.encode())
