"""Closed-loop evaluation: the actor speaks a matrix, judges listen, asked and heard are compared.

    python -m training evaluate -o FOLDER

The judges learnt from other speech than whatever taught the adapter, and the voices and sentences
are ones that it never rehearsed. Every reading is written down at once (readings.jsonl), so that a
run that was stopped goes on.

Letters in shapes: N readings, R = 8 judged emotions, E = 40 categories.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from conditioning import prosody, taxonomy
from conditioning.audio import Audio
from conditioning.emotion import EmotionVector
from conditioning.errors import InvalidInput
from conditioning.files import write_whole
from conditioning.pooling import Listener, PoolingEstimator, habits
from voice_actor.adapter import LEVELS, NEUTRAL

from .instruments import Instruments
from .judge import CATEGORY, EMOTIONS, MODES, Heard, Judge
from .metrics import bootstrap, confusion, rank_correlation, recall
from .notebook import Notebook, packed, processes, unpacked
from .protocol import ASKED, EVALUATED, FULL, PAIR, PARTS, Line, carriers, matrix

JUDGES = "functionals", "encoder"
# Who hears all 40: no judge, since it learnt from the same speech, but the only one that can.
ESTIMATOR = "standard"
ALL_ACTED, OWN = "all seven", "own reading"  # rows of the price


@dataclass(frozen=True, eq=False)
class Verdict:
    """A reading, and what instruments found in it.

    Attributes:
        task: what was asked.
        features: of each judge, and of the estimator of all 40, (D,).
        speaker: unit vector (256,) of who speaks.
        quality: DNSMOS, overall; nan where it was not measured.
        errors, words: of the recogniser against the text; 0 words where it did not listen.
        prosody: `conditioning.prosody.FUNCTIONALS` (21,).
        seconds: of speech.
        spent: seconds of processor time that speaking took.
    """

    task: Line
    features: dict[str, np.ndarray]
    speaker: np.ndarray
    quality: float
    errors: int
    words: int
    prosody: np.ndarray
    seconds: float
    spent: float

    def to_json(self) -> str:
        return json.dumps(
            {
                "task": asdict(self.task),
                "features": {name: packed(values) for name, values in self.features.items()},
                "speaker": packed(self.speaker),
                "quality": round(self.quality, 4),
                "errors": self.errors,
                "words": self.words,
                "prosody": packed(self.prosody),
                "seconds": round(self.seconds, 3),
                "spent": round(self.spent, 3),
            }
        )

    @classmethod
    def from_json(cls, line: str) -> Verdict:
        row = json.loads(line)
        row["task"] = Line(**row["task"])
        row["features"] = {name: unpacked(text) for name, text in row["features"].items()}
        row |= {name: unpacked(row[name]) for name in ("speaker", "prosody")}
        return cls(**row)


class Hall:
    """A process's actors and instruments.

    Args:
        table, contours: files of another adapter than ours; without contours it has none.
    """

    def __init__(self, table: str | None = None, contours: str | None = None):
        import torch

        from voice_actor import VoiceActor
        from voice_actor.adapter import EmotionAdapter, Table
        from voice_actor.contours import Contours

        torch.set_num_threads(1)
        actor = VoiceActor.load()
        if table:
            learnt = Contours.load(contours) if contours else None
            adapter = EmotionAdapter(Table.read(Path(table)), learnt)
            actor = VoiceActor(actor.backbone, adapter, actor.watermarker)
        seeded = VoiceActor(actor.backbone, EmotionAdapter.seeded(), actor.watermarker)
        self.actors = {"adapter": actor, "seeded": seeded}
        self.judges = {name: Judge.load(name) for name in JUDGES}
        self.estimator = PoolingEstimator.load(ESTIMATOR)
        self.instruments = Instruments()

    def hear(self, line: Line) -> Verdict:
        """Speaks a line and measures it."""
        direction = {"": None, NEUTRAL: NEUTRAL}.get(line.asked)
        if line.asked in taxonomy.NAMES:
            direction = EmotionVector({line.asked: line.level})
        start = time.process_time()
        said = self.actors[line.system].perform(line.text, direction, line.voice)
        return self.measure(line, said.audio, time.process_time() - start)

    def measure(self, line: Line, audio: Audio, spent: float) -> Verdict:
        low = audio.resample(16_000)
        errors, words, quality = 0, 0, math.nan
        if priced(line):
            errors, words, _ = self.instruments.words(low, line.text)
        if rated(line):
            quality = self.instruments.dnsmos(low)
        measured = prosody.functionals(prosody.measure(low))
        features = {name: judge.features(low) for name, judge in self.judges.items()}
        return Verdict(
            line,
            features | {ESTIMATOR: self.estimator.features(low)},
            self.instruments.speaker(low),
            quality,
            errors,
            words,
            np.array([measured[name] for name in prosody.FUNCTIONALS]),
            audio.duration,
            spent,
        )


def priced(line: Line) -> bool:
    """Whether words are counted: in readings of the eight emotions at the level of the core."""
    return line.asked in (*ASKED.values(), "") and line.level in (0.0, FULL)


def rated(line: Line) -> bool:
    """Whether quality is measured: of a third of the sentences, since DNSMOS costs as much as the
    recogniser."""
    return priced(line) and carriers("evaluation").index(line.text) % 3 == 0


_hall: Hall | None = None


def _open_hall(table: str | None, contours: str | None) -> None:
    global _hall
    _hall = Hall(table, contours)


def _hear(line: Line) -> Verdict:
    return _hall.hear(line)


class Session:
    """What judges say of readings.

    Each reading is measured against its voice's takes in the core of the same system, as real
    actors are against all of theirs: as many of each emotion.
    """

    def __init__(self, rows: Iterable[Verdict], judges: dict[str, Judge]):
        self.rows = list(rows)
        self.judges = judges
        self._own = {
            (row.task.voice, row.task.text): row for row in self.rows if not row.task.asked
        }

    def some(self, system: str, *asked: str, level: float | None = FULL) -> list[Verdict]:
        """The readings of a system that ask for one of these emotions, at one level or at any."""
        return [
            row
            for row in self.rows
            if row.task.system == system
            and row.task.asked in asked
            and (row.task.asked == NEUTRAL or level is None or row.task.level == level)
        ]

    def heard(self, name: str, rows: Sequence[Verdict], mode: str = "against") -> Heard:
        """What one judge hears in readings of one system."""
        core = self.some(rows[0].task.system, *ASKED.values())
        takes = {
            voice: np.stack([row.features[name] for row in core if row.task.voice == voice])
            for voice in {row.task.voice for row in rows}
        }
        features = np.stack([row.features[name] for row in rows])
        return self.judges[name].hear(features, [row.task.voice for row in rows], mode, takes)

    def recognition(self, system: str, name: str, mode: str) -> dict:
        """Recall of the eight emotions, with an interval over voices and sentences."""
        rows = self.some(system, *ASKED.values())
        asked = np.array([EMOTIONS[_KINDS.index(row.task.asked)] for row in rows])
        found = self.heard(name, rows, mode).emotions
        voices, texts = ([getattr(row.task, what) for row in rows] for what in ("voice", "text"))
        whole = bootstrap(lambda weight: recall(asked, found, EMOTIONS, weight), voices, texts)
        return {
            "recall": float(whole.value),
            "interval": [float(whole.low), float(whole.high)],
            "readings": len(rows),
            "each": {kind: float(np.mean(found[asked == kind] == kind)) for kind in EMOTIONS},
            "confusion": confusion(asked, found, EMOTIONS).tolist(),
        }

    def intensity(self, name: str) -> dict:
        """Whether more is heard where more is asked, within each voice and sentence."""
        correlations, rising = {}, []
        for kind, category in CATEGORY.items():
            by_pair: dict[tuple[str, str], dict[float, float]] = {}
            rows = self.some("adapter", category, level=None)
            for row, strength in zip(rows, self.heard(name, rows).intensity(kind), strict=True):
                by_pair.setdefault((row.task.voice, row.task.text), {})[row.task.level] = strength
            ladders = [
                [found[level] for level in LEVELS]
                for found in by_pair.values()
                if set(LEVELS) <= set(found)
            ]
            levels = np.array(LEVELS)
            correlations[kind] = float(
                np.mean([rank_correlation(levels, np.array(ladder)) for ladder in ladders])
            )
            rising += [bool(np.all(np.diff(ladder) > 0)) for ladder in ladders]
        return {
            "correlation": correlations,
            "mean": float(np.mean(list(correlations.values()))),
            "rising": float(np.mean(rising)),
            "ladders": len(rising),
        }

    def all_forty(self) -> list[Verdict]:
        """The readings of every category, on the sentences that all of them have."""
        texts = carriers("evaluation")[:PAIR]
        return [row for row in self.some("adapter", *taxonomy.NAMES) if row.task.text in texts]

    def crosstalk(self, listener: Listener) -> np.ndarray:
        """Mean intensity heard of each category where each is asked: (E asked, E heard)."""
        import torch

        rows, core = self.all_forty(), self.some("adapter", *ASKED.values())
        heard = np.zeros((len(taxonomy.NAMES), len(taxonomy.NAMES)))
        for voice in EVALUATED:
            takes = [row.features[ESTIMATOR] for row in core if row.task.voice == voice]
            usual = habits(np.stack(takes), listener.mean.numpy(), listener.std.numpy())
            mine = [row for row in rows if row.task.voice == voice]
            with torch.inference_mode():
                readings = listener(
                    torch.from_numpy(np.stack([row.features[ESTIMATOR] for row in mine])),
                    tuple(map(torch.from_numpy, usual)),
                ).numpy()
            for row, reading in zip(mine, readings, strict=True):
                heard[taxonomy.INDEX[row.task.asked]] += reading[: len(taxonomy.NAMES)]
        return heard * len(taxonomy.NAMES) / len(rows)

    def places(self, name: str) -> dict:
        """How arousal and valence heard of the 40 follow those asked: r over the categories."""
        found = {}
        rows = self.all_forty()
        heard = self.heard(name, rows)
        for what, values in (("arousal", heard.arousal), ("valence", heard.valence)):
            asked, means = [], []
            for category in taxonomy.CATEGORIES:
                mine = [place for place, row in enumerate(rows) if row.task.asked == category.name]
                asked.append(getattr(category, what))
                means.append(values[mine].mean())
            found[what] = float(np.corrcoef(asked, means)[0, 1])
        return found | {"readings": len(rows)}

    def price(self, system: str) -> dict:
        """What acting costs: identity, words and quality, against the voice's own reading.

        `cosine` is to the same words in the own reading; `profile` to the mean of the voice's own
        readings of other sentences, as speakers are verified, which no reading reaches wholly.
        """
        each = {}
        acted = self.some(system, *CATEGORY.values())
        kinds = {category: self.some(system, category) for category in ASKED.values()}
        kinds |= {ALL_ACTED: acted, OWN: list(self._own.values())}
        for kind, rows in kinds.items():
            own = [self._own[row.task.voice, row.task.text] for row in rows]
            pairs = list(zip(rows, own, strict=True))
            each[kind] = {
                "cosine": float(np.mean([row.speaker @ plain.speaker for row, plain in pairs])),
                "profile": float(np.mean([row.speaker @ self._profile(row.task) for row in rows])),
                "wer": 100 * sum(row.errors for row in rows) / sum(row.words for row in rows),
                "dnsmos": float(np.nanmean([row.quality for row in rows])),
                "dnsmos_lost": float(
                    np.nanmean([plain.quality - row.quality for row, plain in pairs])
                ),
                "slower": float(np.mean([row.seconds / plain.seconds for row, plain in pairs])),
                "readings": len(rows),
            }
        return each

    def _profile(self, line: Line) -> np.ndarray:
        """Who a voice is, from its own readings of all sentences but one: unit vector (256,).

        Where there is no other sentence, nan.
        """
        others = [
            row.speaker
            for (voice, text), row in self._own.items()
            if voice == line.voice and text != line.text
        ]
        if not others:
            return np.full_like(self._own[line.voice, line.text].speaker, math.nan)
        mean = np.mean(others, axis=0)
        return mean / np.linalg.norm(mean)


_KINDS = tuple(ASKED.values())

HEAD = """# What judges hear

Printed by `python -m training evaluate`, whose parts and sentences are those of the counts.

Six voices and sentences that the adapter never rehearsed, all emotions on the same sentences, at
intensity 0.8. Brackets are 95 % bootstrap intervals over voices and sentences. `alone` hears each
reading by itself, `against` beside the voice's others; `real actors` is the judge's own recall of
RAVDESS's actors, each unmet. `cosine` is of resemblyzer to the same words in the voice's own
reading, `profile` to the mean of its own readings of other sentences, which the own readings
themselves reach only so far. WER is by Whisper base. DNSMOS punishes expressive pitch."""


def summary(session: Session) -> dict:
    """Everything that was measured, ready for `json.dumps`."""
    systems = [system for system in ("adapter", "seeded") if session.some(system, "Anger")]
    found: dict = {"judges": {}, "price": {system: session.price(system) for system in systems}}
    for name, judge in session.judges.items():
        found["judges"][name] = {
            "sha256": judge.sha256,
            "corpora": judge.corpora,
            "real": judge.recalls,
            **{
                mode: {system: session.recognition(system, name, mode) for system in systems}
                for mode in MODES
            },
        }
        rows = session.some("adapter", "Anger", level=LEVELS[0])
        if rows:
            found["judges"][name]["intensity"] = session.intensity(name)
        if session.some("adapter", "Awe"):
            found["judges"][name]["places"] = session.places(name)
    return found


def table_of(found: dict) -> str:
    """The summary in Markdown."""
    lines = ["| judge | mode | real actors | system | recall | " + " | ".join(EMOTIONS) + " |"]
    lines.append("|" + "---|" * (5 + len(EMOTIONS)))
    for name, judge in found["judges"].items():
        for mode in MODES:
            for system, row in judge[mode].items():
                value, low, high = judge["real"].get(mode, (math.nan,) * 3)
                each = " | ".join(f"{row['each'][kind]:.2f}" for kind in EMOTIONS)
                interval = "[{:.2f}, {:.2f}]".format(*row["interval"])
                lines.append(
                    f"| {name} | {mode} | {value:.2f} [{low:.2f}, {high:.2f}] | {system} | "
                    f"{row['recall']:.2f} {interval} of {row['readings']} | {each} |"
                )
    for name, judge in found["judges"].items():
        if "intensity" in judge:
            ladder = judge["intensity"]
            each = ", ".join(f"{kind} {r:.2f}" for kind, r in ladder["correlation"].items())
            lines.append(
                f"\n{name}: asked against heard intensity, rank correlation {ladder['mean']:.2f} "
                f"({each}); strictly rising {ladder['rising']:.2f} of {ladder['ladders']}"
            )
        if "places" in judge:
            places = judge["places"]
            lines.append(
                f"\n{name}: all 40, arousal r {places['arousal']:.2f}, valence r "
                f"{places['valence']:.2f} ({places['readings']} readings)"
            )
    columns = "system | asked | cosine | profile | WER % | DNSMOS | lost | slower | readings"
    lines += ["", f"| {columns} |", "|" + "---|" * len(columns.split("|"))]
    for system, each in found["price"].items():
        lines += [
            f"| {system} | {asked} | {row['cosine']:.3f} | {row['profile']:.3f} | "
            f"{row['wer']:.1f} | {row['dnsmos']:.2f} | {row['dnsmos_lost']:.2f} | "
            f"{row['slower']:.2f} | {row['readings']} |"
            for asked, row in each.items()
        ]
    return "\n".join(lines)


def add_evaluate(commands) -> None:
    command = commands.add_parser("evaluate", help="speak a matrix and let judges listen")
    command.add_argument("-o", "--out", required=True, metavar="FOLDER")
    command.add_argument(
        "--parts", nargs="+", choices=PARTS, default=list(PARTS), help="default: all of them"
    )
    command.add_argument("--sentences", type=int, metavar="N", help="of each part; fewer is quick")
    command.add_argument("--table", metavar="CSV", help="another adapter's, instead of ours")
    command.add_argument("--contours", metavar="FILE", help="that go with --table")
    command.add_argument("--processes", type=int, default=2, metavar="N", help="default 2")
    command.set_defaults(run=run_evaluate)


def run_evaluate(options: argparse.Namespace) -> None:
    if options.processes < 1 or (options.sentences or 1) < 1:
        raise InvalidInput("Processes and sentences must be positive; leave them out.")
    if options.contours and not options.table:
        raise InvalidInput("--contours needs the --table that they go with.")
    for file in filter(None, (options.table, options.contours)):
        if not Path(file).is_file():
            raise InvalidInput(f"{file} is not a file; give what `training table` or `fit` wrote.")
    Instruments.check()
    out = Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    notebook = Notebook(out / "readings.jsonl", Verdict)
    lines = list(matrix(options.parts, options.sentences))
    adapter = options.table, options.contours
    with processes(options.processes, _open_hall, *adapter) as pool:
        notebook.collect(pool, _hear, lines)
    rows = [notebook.find(line) for line in dict.fromkeys(lines)]
    found = summary(Session(rows, {name: Judge.load(name) for name in JUDGES}))
    write_whole(out / "summary.json", json.dumps(found, indent=1).encode())
    if "all" in options.parts and "core" in options.parts:
        heard = Session(rows, {}).crosstalk(PoolingEstimator.load(ESTIMATOR).head)
        write_whole(out / "crosstalk.csv", crosstalk_table(heard).encode())
        plot_crosstalk(heard, out / "crosstalk.png")
    report = f"{HEAD}\n\n{table_of(found)}\n"
    write_whole(out / "report.md", report.encode())
    print(report, end="")


def crosstalk_table(heard: np.ndarray) -> str:
    """CSV: a row for each category that was asked, a column for each that was heard."""
    lines = [",".join(["asked", *map(_quoted, taxonomy.NAMES)])]
    for name, row in zip(taxonomy.NAMES, heard, strict=True):
        lines.append(",".join([_quoted(name), *(f"{value:.3f}" for value in row)]))
    return "\n".join(lines) + "\n"


def _quoted(name: str) -> str:
    return f'"{name}"'


def plot_crosstalk(heard: np.ndarray, file: Path) -> None:
    """The matrix as a picture, each column against what is heard of it on average."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    change = heard - heard.mean(axis=0)
    most = np.abs(change).max()
    figure, axes = plt.subplots(figsize=(11, 10), layout="constrained")
    image = axes.imshow(change, cmap="RdBu_r", vmin=-most, vmax=most)
    for axis, set_labels, what in (
        (axes.xaxis, axes.set_xticklabels, "heard"),
        (axes.yaxis, axes.set_yticklabels, "asked"),
    ):
        axis.set_ticks(range(len(taxonomy.NAMES)))
        set_labels(taxonomy.NAMES, fontsize=7, rotation=90 if what == "heard" else 0)
        axis.set_label_text(f"{what}")
    figure.colorbar(image, label="intensity heard, less its mean over all that was asked")
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=80)
    plt.close(figure)
    write_whole(file, content.getvalue())
