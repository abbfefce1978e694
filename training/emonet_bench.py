"""EmoNet-Voice Bench: an estimator's scores of the benchmark's clips, held against its experts'.

    python -m training bench FOLDER -o OUT

Protocol, by the later version of arXiv 2506.09827, "EmoNet-Voice: A Large-Scale Synthetic Benchmark
for Fine-Grained Speech Emotion" (openreview.net/forum?id=jik0oNrrfB; "the paper" here), of which a
public repository holds the whole text. Experts judge one emotion a clip: 0 absent, 1 mild, 2
intense. These become 0, 5 and 10, systems are brought to the same scale (section 4), and all 12,600
clips are scored, not only the 4,700 on which the experts agree (table 9).

What the paper leaves open, and what is done here:
    How the two to four experts of a clip become one: their mean.
    How 40 emotions become one figure: each is the mean over emotions. Its overall Spearman is just
    that mean for GPT-4o Audio and Mini, and within 0.02 of it for the others, whose difference two
    further categories can explain, "Authenticity" and "Arousal", 300 clips each. They are no
    emotions of the 40 and left out here. What all clips give at once stands beside it.
    What a refused clip counts: nothing, in no measure; its share is reported.
    How experts agree: it gives what it calls Cronbach's alpha, here Krippendorff's for ordinal data
    stands beside that; the two need not be equal.

The clips come from LAION's Got Talent: an estimator that learnt from it has met these voices and
may have met these clips.

Letters in shapes: N clips, B resamplings, L = 3 levels that experts give.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np

from conditioning.audio import Audio
from conditioning.errors import InvalidInput
from conditioning.estimator import ESTIMATORS, EmotionEstimator
from conditioning.files import shown, write_whole
from conditioning.taxonomy import NAMES, find

from .corpora import corpus
from .corpora.base import at, number
from .corpora.emonet_voice import HIGHEST, SCALE
from .metrics import (
    Measured,
    bootstrap,
    mean,
    mean_known,
    pearson,
    plain,
    rank_correlation,
    ratio,
)
from .notebook import Notebook, processes, run_folder

MEASURES: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]] = {
    "spearman": rank_correlation,
    "pearson": pearson,
    "mae": lambda said, heard, weight: mean(np.abs(heard - said), weight),
    "rmse": lambda said, heard, weight: np.sqrt(mean((heard - said) ** 2, weight)),
}
# The paper's table 5: share of clips refused in %, then `MEASURES`.
PUBLISHED = {
    "GPT-4o Mini Audio Preview": (2.26, 0.326, 0.327, 3.320, 4.124),
    "GPT-4o Audio Preview 2024-12-17": (27.59, 0.337, 0.336, 3.432, 4.247),
    "Hume Voice": (39.16, 0.274, 0.231, 4.744, 5.474),
    "Gemini 2.0 Flash": (0.01, 0.355, 0.350, 3.608, 4.453),
    "Gemini 2.5 Pro": (0.00, 0.417, 0.416, 3.008, 3.785),
    "EmpathicInsight-Voice Small": (0.00, 0.418, 0.414, 2.997, 3.757),
    "EmpathicInsight-Voice Large": (0.00, 0.415, 0.421, 2.995, 3.756),
}
# Tables 10 and 6: the experts' alpha, then the Spearman of each system of `PUBLISHED`; nan where it
# refused the emotion.
_PUBLISHED_EACH = """
.271  .569  .636   nan .556 .626 .649 .662 Teasing
.272  .550  .637  .416 .529 .618 .669 .678 Embarrassment
.220  .496  .555  .418 .526 .602 .578 .577 Anger
.159  .455  .471   nan .448 .504 .554 .570 Impatience and Irritability
.204  .345   nan   nan .333 .529 .562 .615 Malevolence/Malice
.216  .437  .393  .441 .419 .516 .552 .558 Shame
.211  .470  .404  .357 .466 .529 .483 .521 Sadness
.158  .347  .375   nan .462 .483 .536 .535 Helplessness
.021  .487   nan   nan .454 .459 .451 .428 Astonishment/Surprise
.082  .364   nan   nan .342 .462 .538 .529 Pleasure/Ecstasy
.103  .421  .493  .330 .419 .483 .419 .460 Disgust
.046  .412  .433  .324 .407 .466 .478 .469 Contempt
.161  .355  .367  .437 .353 .441 .470 .458 Fear
.068  .412  .362  .380 .355 .432 .454 .462 Amusement
.196  .317  .361  .398 .349 .463 .462 .501 Relief
.247  .365  .345  .370 .386 .413 .472 .474 Pain
.194  .334  .361  .264 .425 .487 .469 .471 Jealousy & Envy
.138  .390  .330  .313 .344 .466 .475 .487 Elation
.156  .348  .308  .259 .415 .482 .484 .474 Pride
.060  .379  .339  .331 .358 .451 .423 .451 Confusion
.176  .301  .466  .249 .370 .426 .432 .461 Disappointment
.078  .379  .347  .241 .403 .402 .459 .463 Doubt
.145  .333  .279  .216 .370 .482 .460 .455 Triumph
.063  .315  .317   nan .354 .413 .392 .408 Infatuation
.033  .330  .324   nan .286 .360 .411 .404 Bitterness
.129  .221   nan   nan .297 .400 .455 .384 Fatigue/Exhaustion
.088  .297   nan   nan .281 .418 .358 .379 Thankfulness/Gratitude
.193  .198   nan   nan .269 .241 .486 .487 Intoxication/Altered States of Consciousness
.208  .374  .369 -.138 .375 .450 .432 .430 Distress
.149  .203  .279   nan .356 .450 .332 .334 Sexual Lust
.043  .310  .390  .182 .330 .349 .359 .356 Affection
-.046 .289  .330  .214 .326 .348 .365 .350 Longing
-.127 .298  .276  .058 .314 .314 .329 .332 Awe
-.005 .250   nan   nan .175 .203 .345 .343 Hope/Enthusiasm/Optimism
.004  .158  .180   nan .250 .303 .331 .323 Sourness
-.094 .161  .169  .119 .148 .287 .351 .315 Interest
.021  .187  .128  .177 .252 .282 .263 .247 Contemplation
.197 -.044 -.019  .195 .140 .224 .231 .330 Contentment
-.099 .139  .092   nan .099 .125 .139 .145 Emotional Numbness
.103  .085  .019  .262 .186 .151 .055 .068 Concentration
"""
PUBLISHED_EACH: dict[str, tuple[float, ...]] = {
    row[-1]: tuple(map(float, row[:-1]))
    for row in (line.split(maxsplit=8) for line in _PUBLISHED_EACH.strip().splitlines())
}
PUBLISHED_ALPHA = 0.138  # of all clips, with the two further categories
_COMMON = ("path", "score")  # columns of a system's scores that name no emotion


@dataclass(frozen=True)
class Clip:
    """A clip of the benchmark.

    Attributes:
        path: of its sound.
        emotion: the category that its experts were asked about.
        script: shared by the pieces of one generation.
        ratings: of each expert, 0 (absent), 1 or 2 (intense).
    """

    path: Path
    emotion: str
    script: str
    ratings: tuple[int, ...]

    @property
    def said(self) -> float:
        """What the experts say, from 0 to 10."""
        return SCALE * sum(self.ratings) / len(self.ratings) / HIGHEST


def clips_of(folder: str | Path) -> list[Clip]:
    """The clips of a download of laion/emonet-voice-bench; their sounds are unpacked beside it.

    Raises:
        InvalidInput: as `training.corpora` has it, such as a folder that is missing or empty.
    """
    found = []
    for utterance in corpus("emonet_voice", folder):
        ((emotion, _),) = utterance.emotions.items()
        ratings = [
            round(HIGHEST * score)
            for expert, score in utterance.crowd.items()
            if expert not in (emotion, "raters")
        ]
        found.append(Clip(utterance.path, emotion, utterance.script, tuple(ratings)))
    return found


@dataclass(frozen=True)
class Heard:
    """What an estimator heard; `task`: its name, the emotion, the clip's file.

    Attributes:
        score: of the emotion, from 0 to 10; None where it does not say.
    """

    task: tuple[str, str, str]
    score: float | None

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, line: str) -> Heard:
        row = json.loads(line)
        return cls(tuple(row["task"]), row["score"])


@dataclass(frozen=True, eq=False)
class Ear:
    """An estimator that hears the clips of a folder."""

    estimator: EmotionEstimator
    folder: Path

    def hear(self, task: tuple[str, str, str]) -> Heard:
        _, emotion, name = task
        try:
            estimate = self.estimator.estimate(Audio.load(self.folder / name))
        except InvalidInput as error:
            raise InvalidInput(
                f"The clip {shown(name)} cannot be heard: {str(error).rstrip('.')}; remove it from "
                f"{shown(self.folder)}, and it is unpacked again."
            ) from None
        known = emotion in estimate.support
        return Heard(task, SCALE * estimate.intensities[emotion] if known else None)


_ear: Ear | None = None


def _open_ear(load: Callable[[], EmotionEstimator], folder: Path) -> None:
    import torch

    global _ear
    torch.set_num_threads(1)
    _ear = Ear(load(), folder)


def _hear(task: tuple[str, str, str]) -> Heard:
    return _ear.hear(task)


def hear(
    clips: Sequence[Clip], load: Callable[[], EmotionEstimator], file: Path, jobs: int = 1
) -> tuple[str, np.ndarray]:
    """An estimator's name, and its scores (N,) of the clips' emotions; nan where it does not say.

    Args:
        load: gives the estimator; picklable for several jobs.
        file: keeps each score as it is heard, so that a run that was stopped goes on.
        jobs: processes, each with its own estimator; 1 is this process alone.

    Raises:
        InvalidInput: a clip that does not open; what others gave is kept.
    """
    ear = Ear(load(), clips[0].path.parent)
    name = ear.estimator.name
    tasks = [(name, clip.emotion, clip.path.name) for clip in clips]
    notebook = Notebook(file, Heard)
    if jobs > 1:
        with processes(jobs, _open_ear, load, ear.folder) as pool:
            notebook.collect(pool, _hear, tasks)
    for task in tasks:
        if notebook.find(task) is None:
            notebook.write(ear.hear(task))
    scores = [notebook.find(task).score for task in tasks]
    return name, np.array([math.nan if score is None else score for score in scores])


def read_scores(file: str | Path, clips: Sequence[Clip]) -> np.ndarray:
    """Scores (N,) of the clips' emotions that any system gave; nan where it refused.

    Args:
        file: CSV, a row for each clip. The column `path` ends in the name that the clip has in the
            folder `clips`, where `clips_of` unpacks it; then a column for each emotion that the
            system tells, or one `score` of the emotion that the clip is about. Scores go from 0 to
            10; an empty one is a refusal, as is an emotion without a column.

    Raises:
        InvalidInput: a file, row or score that is none of this; a clip without a row.
        UnknownName: a column that names no emotion.
    """
    name, allowed = shown(file), "columns path and score, or path and the emotions' names"
    try:
        with open(file, encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, strict=True)
            rows, columns = list(reader), reader.fieldnames or []
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidInput(f"Cannot read {name} ({error}); give a CSV with {allowed}.") from None
    if "path" not in columns or len(columns) < 2:
        raise InvalidInput(f"{name} has the columns {', '.join(columns)}; allowed: {allowed}.")
    with at(name):
        emotions = {find(column).name: column for column in columns if column not in _COMMON}
    by_clip: dict[str, tuple[str, dict[str, str]]] = {}
    for count, row in enumerate(rows, start=2):
        where = f"{name} row {count}"
        if None in row or None in row.values():
            raise InvalidInput(f"{where} does not have the {len(columns)} cells of the first row.")
        clip = Path(row["path"]).name
        if clip in by_clip:
            raise InvalidInput(f"{where}: {shown(clip)} has a row already; keep one.")
        by_clip[clip] = where, row
    missing = [clip.path.name for clip in clips if clip.path.name not in by_clip]
    if missing:
        raise InvalidInput(
            f"{name} has no row for {len(missing)} of {len(clips)} clips, such as {missing[0]}; "
            "add them, with an empty score where the system refuses."
        )
    scores = np.full(len(clips), math.nan)
    for place, clip in enumerate(clips):
        where, row = by_clip[clip.path.name]
        column = emotions.get(clip.emotion, "score")
        if row.get(column, "").strip():
            scores[place] = number(where, row, column, SCALE)
    return scores


def figures(clips: Sequence[Clip], heard: np.ndarray, each: bool = True) -> dict[str, Measured]:
    """`MEASURES` of scores (N,), nan where refused. Intervals are over scripts.

    Args:
        each: whether each emotion is measured by itself and the mean taken, or all clips at once.
    """
    known = np.isfinite(heard)
    said = np.array([clip.said for clip in clips])[known]
    scripts = np.array([clip.script for clip in clips])[known]
    groups = np.array([clip.emotion if each else "" for clip in clips])[known]
    heard = heard[known]
    members = [groups == group for group in np.unique(groups)]

    def over(measure) -> Measured:
        return bootstrap(
            lambda weight: mean_known(
                [measure(said[some], heard[some], weight[..., some]) for some in members]
            ),
            scripts,
        )

    return {name: over(measure) for name, measure in MEASURES.items()}


def agreement(clips: Sequence[Clip]) -> dict[str, Measured]:
    """How far experts agree on clips that several judged: "alpha", and "same", the share of pairs
    of experts who give a clip the same score. Intervals are over scripts."""
    shared = [clip for clip in clips if len(clip.ratings) > 1]
    counts = np.array([np.bincount(clip.ratings, minlength=HIGHEST + 1) for clip in shared])
    counts = counts.reshape(-1, HIGHEST + 1)
    scripts = [clip.script for clip in shared]
    raters = counts.sum(1)
    same, pairs = (counts * (counts - 1)).sum(1), raters * (raters - 1)
    return {
        "alpha": bootstrap(partial(alpha, counts), scripts),
        "same": bootstrap(lambda weight: ratio(weight @ same, weight @ pairs), scripts),
    }


def alpha(counts: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Krippendorff's alpha for ordinal data (B,): 1 is agreement, 0 chance; nan without variety.

    K. Krippendorff (2011), "Computing Krippendorff's alpha-reliability". Two levels are as far
    apart as there are ratings between their middles, squared.

    Args:
        counts: of the experts who gave each level (N, L), two or more a clip.
        weight: how often each clip counts (B, N).
    """
    levels = counts.shape[1]
    others = counts[:, None, :] - np.eye(levels)
    pairs = counts[:, :, None] * others / (counts.sum(1) - 1)[:, None, None]
    together = (weight @ pairs.reshape(len(counts), -1)).reshape(*weight.shape[:-1], levels, levels)
    held = together.sum(-1)
    place = held.cumsum(-1) - held / 2
    apart = (place[..., :, None] - place[..., None, :]) ** 2
    found = (together * apart).sum((-2, -1))
    by_chance = (held[..., :, None] * held[..., None, :] * apart).sum((-2, -1))
    return 1 - ratio(found * (held.sum(-1) - 1), by_chance)


def summary(system: str, clips: Sequence[Clip], heard: np.ndarray) -> dict:
    """Everything that is measured of a system's scores (N,), ready for `json.dumps`."""
    each = {}
    for emotion in NAMES:
        some = [place for place, clip in enumerate(clips) if clip.emotion == emotion]
        mine = [clips[place] for place in some]
        if mine:
            each[emotion] = _counted(heard[some]) | figures(mine, heard[some]) | agreement(mine)
    found = {
        "system": system,
        "mean of emotions": _counted(heard) | figures(clips, heard),
        "all clips": _counted(heard) | figures(clips, heard, each=False) | agreement(clips),
        "each": each,
    }
    return plain(found)


def _counted(heard: np.ndarray) -> dict[str, int]:
    return {"clips": len(heard), "refused": int(np.isnan(heard).sum())}


HEAD = """# EmoNet-Voice Bench

Scores of each clip's emotion against the mean of its experts, both from 0 to 10; brackets are 95 %
bootstrap intervals over generations. A refused clip counts in no measure. Published figures:
tables 5, 6 and 10 of "EmoNet-Voice: A Large-Scale Synthetic Benchmark for Fine-Grained Speech
Emotion" (arXiv 2506.09827, later version), over 12,600 clips, of which 600 are of two further
categories; taken to be means over emotions, which it does not say."""


def table_of(found: dict) -> str:
    """A summary in Markdown, published figures beside it."""
    lines = ["| system | refused % | Spearman | Pearson | MAE | RMSE | clips |", "|" + "---|" * 7]
    for part in ("mean of emotions", "all clips"):
        row = found[part]
        measured = " | ".join(_cell(row[name]) for name in MEASURES)
        share = 100 * row["refused"] / row["clips"]
        lines.append(f"| {found['system']}, {part} | {share:.2f} | {measured} | {row['clips']:,} |")
    for system, (share, *values) in PUBLISHED.items():
        measured = " | ".join(f"{value:.3f}" for value in values)
        lines.append(f"| {system} (published) | {share:.2f} | {measured} | 12,600 |")
    whole = found["all clips"]
    lines.append(
        f"\nExperts: Krippendorff's alpha (ordinal) {_cell(whole['alpha'])} (published, called "
        f"Cronbach's: {PUBLISHED_ALPHA}); the same score in {_cell(whole['same'])} of pairs; "
        f"{whole['alpha']['count']:,} clips that several judged.\n"
    )
    ours = "emotion | clips | refused | Spearman | Pearson | MAE | RMSE | alpha | same"
    published = " | ".join(["published alpha", *(f"Spearman of {name}" for name in PUBLISHED)])
    lines.append(f"| {ours} | {published} |")
    lines.append("|" + "---|" * (10 + len(PUBLISHED)))
    for emotion, row in found["each"].items():
        measured = [_cell(row[name]) for name in (*MEASURES, "alpha", "same")]
        known = ["-" if math.isnan(value) else f"{value:.3f}" for value in PUBLISHED_EACH[emotion]]
        cells = [emotion, str(row["clips"]), str(row["refused"]), *measured, *known]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(measured: Mapping[str, float | None]) -> str:
    if measured["value"] is None:
        return "-"
    interval = "" if measured["low"] is None else " [{low:.3f}, {high:.3f}]".format(**measured)
    return f"{measured['value']:.3f}{interval}"


def add_bench(commands) -> None:
    command = commands.add_parser("bench", help="hold an estimator against EmoNet-Voice Bench")
    command.add_argument("folder", metavar="FOLDER", help="of laion/emonet-voice-bench")
    command.add_argument("-o", "--out", required=True, metavar="FOLDER")
    system = command.add_mutually_exclusive_group()
    system.add_argument(
        "--estimator", default="standard", metavar="NAME", help=", ".join(ESTIMATORS)
    )
    system.add_argument(
        "--scores", metavar="CSV", help="of any system, 0 to 10: path,score or path,Anger,Awe,..."
    )
    command.add_argument("--jobs", type=int, default=2, metavar="N", help="processes; default 2")
    command.set_defaults(run=run_bench)


def run_bench(options: argparse.Namespace) -> None:
    if options.jobs < 1:
        raise InvalidInput(f"{options.jobs} jobs came; give 1 or more.")
    out = run_folder(options.out)
    clips = clips_of(options.folder)
    if options.scores:
        system, heard = Path(options.scores).stem, read_scores(options.scores, clips)
    else:
        load = partial(EmotionEstimator.load, options.estimator)
        system, heard = hear(clips, load, out / "heard.jsonl", options.jobs)
    found = summary(system, clips, heard)
    text = json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False)
    write_whole(out / "summary.json", text.encode())
    report = f"{HEAD}\n\n{table_of(found)}\n"
    write_whole(out / "report.md", report.encode())
    print(report, end="")
