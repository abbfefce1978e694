"""How far an estimator can be trusted, from what it heard in voices and corpora it never met.

python -m training honesty runs/heard.jsonl -o report.md --plots runs
"""

from __future__ import annotations

import argparse
import io
import json
import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from conditioning.errors import InvalidInput, unknown_name
from conditioning.estimator import DIMENSIONS, SUPPORT
from conditioning.files import check_place, shown, write_whole
from conditioning.taxonomy import CATEGORIES, INDEX, NAMES

from .corpora import CORPORA
from .corpora.base import at
from .metrics import (
    Measured,
    auc,
    bootstrap,
    calibration_bins,
    calibration_error,
    concordance,
    confusion,
    mean,
    mean_known,
    projected_out,
    rank_correlation,
    ratio,
    recall,
    standardised,
)

MODES = {"alone": "alone", "against": "against the voice's baseline"}
SPEAKERS, APART, SCRIPTS = "speakers", "without ", "voice and script"
PLACES = np.array([[getattr(entry, name) for name in DIMENSIONS] for entry in CATEGORIES])
FOUR = ("neutral", "Anger", "Elation", "Sadness")
SIX = (*FOUR, "Fear", "Disgust")
# Order is all that a rank correlation asks of them.
LEVELS = {"low": 0.3, "normal": 0.5, "moderate": 0.5, "medium": 0.6}
ROUTE = "valence, arousal and dominance alone"
SAYS_SPEAKER, SAYS_CORPUS = "speaker unheard", "corpus unheard"
SYNTHETIC = "synthetic acting, voice and script unheard"
# What was asked of the first release: alone, and against the voice's baseline.
BARS: dict[str, tuple[float, float]] = {
    f"EmoDB, {SAYS_CORPUS}: recall, 4 classes": (0.80, 0.88),
    f"EmoDB, {SAYS_CORPUS}: recall, 6 classes": (0.74, 0.82),
    f"EmoDB, {SAYS_CORPUS}: arousal, concordance": (0.85, 0.92),
    f"RAVDESS, {SAYS_SPEAKER}: recall, 8 classes": (0.77, 0.84),
    f"nEMO, {SAYS_SPEAKER}: recall, 6 classes": (0.64, 0.78),
    f"RAVDESS, {SAYS_SPEAKER}: strong above normal, share of pairs": (0.93, 0.93),
    f"RAVDESS, {SAYS_SPEAKER}: neutral < normal < strong, share of speakers": (0.90, 0.90),
    f"RAVDESS, {SAYS_SPEAKER}: same acting, other words, rank correlation": (0.90, 0.90),
    f"{SYNTHETIC}: evidence, words removed, AUC": (0.66, 0.66),
    f"{SYNTHETIC}: evidence above {ROUTE}, words removed, AUC": (0.0, 0.0),
}


@dataclass(frozen=True)
class CategoryFigures:
    """How well one category is heard, in voices never heard in training.

    Attributes:
        support: "acted", "synthetic" or "inferred".
        clips, speakers: how many show it, in the speech it was tested on.
        auc, rank_correlation: of its intensity. Acted: against the other labels of the same corpus,
            mean over corpora, clustered by speaker. Otherwise on synthetic acting with the words
            removed, by voice and script.
        evidence: AUC on synthetic acting, words removed, of the evidence behind the intensity.
        other_words: rank correlation of its intensity between clips of the same speaker, emotion
            and level with other words.
    """

    support: str
    clips: int
    speakers: int
    auc: Measured
    rank_correlation: Measured
    evidence: Measured
    other_words: Measured


@dataclass(frozen=True)
class Calibration:
    """Said probability against frequency, in ten bins; `error` is the expected one."""

    count: list[float]
    probability: list[float]
    frequency: list[float]
    error: Measured


@dataclass(frozen=True)
class Confusion:
    """Counts of clips: a row for each actual class, a column for each heard one."""

    classes: list[str]
    counts: list[list[int]]


@dataclass(frozen=True)
class Gap:
    """Recall of groups of speakers, and by how much the first group is above the last."""

    groups: dict[str, Measured]
    gap: Measured


@dataclass(frozen=True)
class Heard:
    """Everything measured in one mode, each by name."""

    measures: dict[str, Measured]
    categories: dict[str, CategoryFigures]
    reliability: dict[str, float]
    calibration: dict[str, Calibration]
    confusions: dict[str, Confusion]
    gaps: dict[str, Gap]


@dataclass(frozen=True)
class Honesty:
    """What `report` found, for each of `MODES` that was heard."""

    modes: dict[str, Heard]

    def to_json(self) -> dict[str, Any]:
        """Ready for `json.dumps`: figures as numbers, unknown ones as None."""
        bars = {name: dict(zip(MODES, bar, strict=True)) for name, bar in BARS.items()}
        return {"bars": bars, **{mode: _plain(asdict(heard)) for mode, heard in self.modes.items()}}

    def table(self) -> str:
        """A report in Markdown."""
        parts = [
            "Figures in brackets are 95 % bootstrap intervals. Speakers are resampled whole; on "
            "synthetic acting voices and scripts both are. With so few speakers (and voices) they "
            "are rather too narrow than too wide. A bar is met by the figure, not by its interval.",
            "## Measures",
            self._measures(),
        ]
        for mode, heard in self.modes.items():
            parts += [
                f"## Categories, {MODES[mode]}",
                "AUC and rank correlation of the intensity: of acted categories within each acted "
                "corpus, speaker unheard; of the others on synthetic acting, voice and script "
                "unheard, words removed. Evidence: AUC on synthetic acting of the score behind "
                "the intensity. Other words: rank correlation over the same acting of two "
                "sentences. Of 40 intervals one or two miss by chance.",
                _categories_table(heard.categories),
                f"## Reliability, {MODES[mode]}",
                "2 AUC - 1 of a category, concordance of a dimension; 0 is chance, 1 without "
                "error.",
                _grid(
                    ["", "reliability"],
                    [
                        [name, "-" if math.isnan(value) else f"{value:.2f}"]
                        for name, value in heard.reliability.items()
                    ],
                ),
                f"## Calibration, {MODES[mode]}",
                "Frequency at each probability that was said, and the expected calibration error.",
                _calibration_table(heard.calibration),
                f"## Gaps, {MODES[mode]}",
                "Recall by group, best first, and the first less the last. Languages are compared "
                "on the classes that all have; each is a corpus of its own, so that a language "
                "cannot be told from how its corpus was recorded.",
                _gaps_table(heard.gaps),
                f"## Confusion, {MODES[mode]}",
                "Per cent of each actual class (rows) heard as each class (columns).",
                *(
                    f"### {name}\n\n{_confusion_table(matrix)}"
                    for name, matrix in heard.confusions.items()
                ),
            ]
        return "\n\n".join(parts) + "\n"

    def _measures(self) -> str:
        names = dict.fromkeys(name for heard in self.modes.values() for name in heard.measures)
        header = ["", *(column for mode in self.modes for column in (MODES[mode], "bar"))]
        body = []
        for name in names:
            cells = [name]
            for mode, heard in self.modes.items():
                found = heard.measures.get(name)
                cells += [str(found) if found else "-", _bar(name, mode, found)]
            body.append(cells)
        return _grid(header, body)

    def plot(self, folder: str | os.PathLike) -> list[Path]:
        """Draws `calibration-<mode>.png`; gives the files.

        Raises:
            InvalidInput: matplotlib is not installed, or the place cannot be written.
        """
        drawing = _matplotlib()
        folder, written = Path(folder), []
        for mode, heard in self.modes.items():
            figure = drawing(figsize=(6, 6), layout="constrained")
            axes = figure.subplots()
            axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
            for name, found in heard.calibration.items():
                label = f"{name}: error {found.error}"
                axes.plot(found.probability, found.frequency, marker="o", label=label)
            axes.set(
                xlabel="probability said",
                ylabel="frequency",
                title=MODES[mode],
                xlim=(0, 1),
                ylim=(0, 1),
            )
            axes.legend()
            drawn = io.BytesIO()
            figure.savefig(drawn, format="png", dpi=120)
            written.append(folder / f"calibration-{mode}.png")
            write_whole(written[-1], drawn.getvalue())
        return written


def report(
    rows: Iterable[Mapping[str, Any]],
    support: Mapping[str, str] | None = None,
    draws: int = 1000,
) -> Honesty:
    """Measures what `python -m training crossvalidate` heard.

    Args:
        rows: one for each recording, protocol and mode; see `training.crossvalidate.heard`.
        support: of each category; without it `derived_support` decides.
        draws: resamplings of each interval.

    Raises:
        InvalidInput: no rows, or one that lacks something.
        UnknownName: a corpus, mode or category that we do not know.
    """
    rows = list(rows)
    if not rows:
        raise InvalidInput("There are no predictions; run `python -m training crossvalidate`.")
    for place, row in enumerate(rows, start=1):
        _check(row, f"Row {place}")
    for kind in (support or {}).values():
        if kind not in SUPPORT:
            raise unknown_name("support", kind, SUPPORT)
    by_mode = {mode: Clips(rows).where(mode=mode) for mode in MODES}
    by_mode = {mode: clips for mode, clips in by_mode.items() if len(clips)}
    categories = {mode: _categories(clips, draws) for mode, clips in by_mode.items()}
    support = derived_support(categories.values()) | dict(support or {})
    heard = {}
    for mode, clips in by_mode.items():
        heard[mode] = Heard(
            measures=dict(_measures(clips, draws)),
            categories={
                name: replace(found, support=support[name])
                for name, found in categories[mode].items()
            },
            reliability=_reliability(clips, categories[mode]),
            calibration=dict(_calibration(clips, draws)),
            confusions=dict(_confusions(clips)),
            gaps=dict(_gaps(clips, draws)),
        )
    return Honesty(heard)


def reliability(rows: Iterable[Mapping[str, Any]], mode: str) -> dict[str, float]:
    """How far each category and dimension can be trusted in one mode: 0 is chance, 1 no error.

    Categories: 2 AUC - 1 of the intensity, on acted corpora that label it (speaker unheard, mean
    over corpora), otherwise on synthetic acting (voice and script unheard, words removed).
    Valence, arousal and dominance: concordance with the label's place, mean over acted corpora,
    speaker unheard. Below chance is 0; what could not be measured is nan.
    """
    clips = Clips(list(rows)).where(mode=mode)
    return _reliability(clips, _categories(clips, draws=0))


def derived_support(modes: Iterable[Mapping[str, CategoryFigures]]) -> dict[str, str]:
    """How each category is known: "synthetic" only where every mode's figures say so."""
    modes = list(modes)
    said = {name: {figures[name].support for figures in modes} for name in NAMES}
    return {name: next(kind for kind in SUPPORT[::-1] if kind in said[name]) for name in NAMES}


@dataclass(frozen=True)
class Clips:
    """N rows as arrays."""

    rows: Sequence[Mapping[str, Any]]

    def __len__(self) -> int:
        return len(self.rows)

    def only(self, kept: Iterable[bool]) -> Clips:
        return Clips([row for row, keep in zip(self.rows, kept, strict=True) if keep])

    def where(self, **wanted: str) -> Clips:
        return self.only(
            all(row[key] == value for key, value in wanted.items()) for row in self.rows
        )

    def field(self, name: str) -> np.ndarray:
        """(N,) text; "" where nothing is known."""
        return np.array([row[name] or "" for row in self.rows], dtype=str)

    @cached_property
    def intensities(self) -> np.ndarray:
        """(N, 40)."""
        return np.array([row["intensities"] for row in self.rows], float).reshape(-1, len(NAMES))

    @cached_property
    def strength(self) -> np.ndarray:
        """(N,): how strongly emotion is heard, whichever."""
        return np.array([row["strength"] for row in self.rows], float)

    @cached_property
    def place(self) -> np.ndarray:
        """(N, 3): valence, arousal and dominance as heard."""
        found = [[row[name] for name in DIMENSIONS] for row in self.rows]
        return np.array(found, float).reshape(-1, len(DIMENSIONS))

    @cached_property
    def shares(self) -> np.ndarray:
        """(N, 40): what the label means."""
        found = [[row["emotions"].get(name, 0.0) for name in NAMES] for row in self.rows]
        return np.array(found, float).reshape(-1, len(NAMES))

    @cached_property
    def asked(self) -> np.ndarray:
        """(N, 3): place of the label; neutral is 0."""
        return self.shares / self.shares.sum(1, keepdims=True).clip(1e-9) @ PLACES

    @cached_property
    def wanted(self) -> np.ndarray:
        """(N, 40): what the label means, less where it is acted less strongly."""
        levels = [LEVELS.get(row["level"], 1.0) for row in self.rows]
        return self.shares * np.array(levels)[:, None]

    @cached_property
    def actual(self) -> np.ndarray:
        """(N,): the class of the label."""
        strongest = np.array(NAMES)[self.shares.argmax(1)]
        return np.where(self.shares.any(1), strongest, "neutral")

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Those that the labels name, in the taxonomy's order."""
        present = set(self.actual)
        return tuple(name for name in ("neutral", *NAMES) if name in present)

    @cached_property
    def acted(self) -> list[tuple[str, str, Clips]]:
        """How it is unheard, which corpus, its clips: of each acted corpus, one or both ways."""
        present, found = set(self.field("corpus")), []
        for name in (name for name in CORPORA if name in present and not CORPORA[name].synthetic):
            for says, protocol in ((SAYS_SPEAKER, SPEAKERS), (SAYS_CORPUS, APART + name)):
                some = self.where(corpus=name, protocol=protocol)
                if len(some):
                    found.append((says, name, some))
        return found

    def guessed(self, classes: Sequence[str]) -> np.ndarray:
        """(N,): the likeliest of some classes."""
        shares = [[row["classes"].get(name, 0.0) for name in classes] for row in self.rows]
        return np.array(classes)[np.array(shares).argmax(1)]


def _unheard(clips: Clips, says: str) -> dict[str, Clips]:
    return {name: some for how, name, some in clips.acted if how == says}


def _measures(clips: Clips, draws: int) -> Iterator[tuple[str, Measured]]:
    for says, corpus, some in clips.acted:
        title = f"{CORPORA[corpus].title}, {says}: "
        speakers = some.field("speaker")
        for classes in (FOUR, SIX, some.classes) if corpus == "emodb" else (some.classes,):
            yield f"{title}recall, {len(classes)} classes", _recall(some, classes, draws)
        for axis, name in enumerate(DIMENSIONS):
            heard, asked = some.place[:, axis], some.asked[:, axis]
            found = bootstrap(
                lambda weight, a=heard, b=asked: concordance(a, b, weight), speakers, draws=draws
            )
            yield f"{title}{name}, concordance", found
        if {"normal", "strong"} <= set(some.field("level")):
            for name, (values, clusters) in _strengths(some).items():
                yield title + name, _mean(values, clusters, draws)
            for name, (values, clusters) in _words(some).items():
                yield title + name, _mean(values, clusters, draws)
    synthetic = clips.where(protocol=SCRIPTS)
    if len(synthetic):
        yield from _synthetic_measures(*_routes(synthetic), draws)


def _recall(clips: Clips, classes: Sequence[str], draws: int) -> Measured:
    clips = clips.only(np.isin(clips.actual, classes))
    guessed = clips.guessed(classes)
    return bootstrap(
        lambda weight: recall(clips.actual, guessed, classes, weight),
        clips.field("speaker"),
        draws=draws,
    )


def _mean(values: np.ndarray, clusters: np.ndarray, draws: int) -> Measured:
    return bootstrap(lambda weight: mean(values, weight), clusters, draws=draws)


def _pairs(clips: Clips, same: str, other: str) -> tuple[np.ndarray, np.ndarray]:
    """Places of each two clips that are the same in some fields and differ in others."""
    kept = np.triu(np.ones((len(clips), len(clips)), bool), 1)
    for name in same.split():
        kept &= clips.field(name)[:, None] == clips.field(name)
    for name in other.split():
        kept &= clips.field(name)[:, None] != clips.field(name)
    return np.nonzero(kept)


def _strengths(clips: Clips) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Whether more is heard in what was acted more strongly: values and their speakers."""
    clips = clips.only(np.isin(clips.field("level"), ("normal", "strong")))
    total, level, speaker = clips.strength, clips.field("level"), clips.field("speaker")
    one, two = _pairs(clips, "speaker label script", "level")
    difference = np.where(level[one] == "strong", total[one] - total[two], total[two] - total[one])
    kinds = np.where(clips.actual == "neutral", "neutral", level)
    speakers = np.unique(speaker)
    rising = []
    for who in speakers:
        neutral, normal, strong = (
            mean(total[(speaker == who) & (kinds == kind)])
            for kind in ("neutral", "normal", "strong")
        )
        rising.append(float(neutral < normal < strong))
    return {
        "strong above normal, share of pairs": ((1 + np.sign(difference)) / 2, speaker[one]),
        "neutral < normal < strong, share of speakers": (np.array(rising), speakers),
    }


def _words(clips: Clips) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Rank correlation over the 40 between two clips, and their speakers.

    The same words said again are what other words can reach at best; another emotion in the same
    words is what any two clips of a voice have in common. A clip without any order counts as 0.
    """
    from scipy.stats import rankdata

    ranks = rankdata(clips.intensities, axis=1) - (len(NAMES) + 1) / 2
    ranks /= np.sqrt(np.square(ranks).sum(1, keepdims=True)).clip(1e-9)
    speaker, found = clips.field("speaker"), {}
    for name, same, other in (
        ("same acting, other words", "speaker label level", "script"),
        ("same acting, same words again", "speaker label level script", ""),
        ("other emotion, same words", "speaker script", "label"),
    ):
        one, two = _pairs(clips, same, other)
        found[f"{name}, rank correlation"] = (ranks[one] * ranks[two]).sum(1), speaker[one]
    return found


def _routes(clips: Clips) -> tuple[Clips, dict[str, np.ndarray]]:
    """The clips of synthetic acting, and scores (N, 40) for each way to rank them.

    Scores are standardised within voice and condition, so that neither can tell the emotions apart.
    Words are projected out within each voice. Clips without a transcript are left out if any has
    one.
    """
    if not len(clips):
        return clips, {}
    worded = [row["words"] is not None for row in clips.rows]
    if any(worded):
        clips = clips.only(worded)
    distance = np.linalg.norm(clips.place[:, None] - PLACES, axis=2)
    routes = {"intensities": clips.intensities, ROUTE: -distance}
    if all(row["evidence"] is not None for row in clips.rows):
        routes = {"evidence": np.array([row["evidence"] for row in clips.rows], float)} | routes
    # A script's name ends with what the scripts of all categories in a condition share.
    condition = [
        "|".join((row["speaker"], row["level"] or "", (row["script"] or "").partition("|")[2]))
        for row in clips.rows
    ]
    condition, voices = np.array(condition), clips.field("speaker")
    routes = {name: standardised(scores, condition) for name, scores in routes.items()}
    if any(worded):
        words = standardised(np.array([row["words"] for row in clips.rows], float), condition)
        removed = {
            f"{name}, words removed": projected_out(scores, words, voices)
            for name, scores in routes.items()
        }
        routes |= removed | {"words alone": words}
    return clips, routes


def _synthetic_measures(
    clips: Clips, routes: Mapping[str, np.ndarray], draws: int
) -> Iterator[tuple[str, Measured]]:
    clusters = clips.field("speaker"), clips.field("script")

    def mean_auc(scores: np.ndarray, weight: np.ndarray) -> np.ndarray:
        columns = zip(scores.T, clips.shares.T > 0, strict=True)
        return mean_known([auc(column, positive, weight) for column, positive in columns])

    for name, scores in routes.items():
        found = bootstrap(lambda weight, a=scores: mean_auc(a, weight), *clusters, draws=draws)
        yield f"{SYNTHETIC}: {name}, AUC", found
    one, two = (routes.get(f"{name}, words removed") for name in ("evidence", ROUTE))
    if one is not None:
        found = bootstrap(
            lambda weight: mean_auc(one, weight) - mean_auc(two, weight), *clusters, draws=draws
        )
        yield f"{SYNTHETIC}: evidence above {ROUTE}, words removed, AUC", found


def _categories(clips: Clips, draws: int) -> dict[str, CategoryFigures]:
    """Figures of every category in one mode; `support` as this mode alone tells it."""
    acted = _unheard(clips, SAYS_SPEAKER)
    synthetic, routes = _routes(clips.where(protocol=SCRIPTS))
    both = synthetic.field("speaker"), synthetic.field("script")
    unknown = Measured(math.nan, math.nan, math.nan, 0)
    worded = acted.get("ravdess", Clips([]))
    one, two = _pairs(worded, "speaker label level", "script")
    found = {}
    for name in NAMES:
        index = INDEX[name]

        def on_synthetic(measure: Callable, target: np.ndarray, route: str, index=index):
            scores = routes.get(f"{route}, words removed")
            if scores is None:
                return unknown
            return bootstrap(
                lambda weight: measure(scores[:, index], target[:, index], weight),
                *both,
                draws=draws,
            )

        labelled = [some for some in acted.values() if some.shares[:, index].any()]
        evidence = on_synthetic(auc, synthetic.wanted > 0, "evidence")
        if labelled:
            support = "acted"
            joined = Clips([row for some in labelled for row in some.rows])
            tells = _within(joined, index, auc, joined.wanted > 0, draws)
            ranks = _within(joined, index, rank_correlation, joined.wanted, draws)
            speakers = joined.field("speaker")[joined.shares[:, index] > 0]
        else:
            support = "synthetic" if evidence.low > 0.5 else "inferred"
            tells = on_synthetic(auc, synthetic.wanted > 0, "intensities")
            ranks = on_synthetic(rank_correlation, synthetic.wanted, "intensities")
            speakers = synthetic.field("speaker")[synthetic.shares[:, index] > 0]
        column = worded.intensities[:, index]
        other = bootstrap(
            lambda weight, a=column[one], b=column[two]: rank_correlation(a, b, weight),
            worded.field("speaker")[one],
            draws=draws,
        )
        found[name] = CategoryFigures(
            support, len(speakers), len(set(speakers)), tells, ranks, evidence, other
        )
    return found


def _within(
    clips: Clips, index: int, measure: Callable, target: np.ndarray, draws: int
) -> Measured:
    """A measure of one category's intensity within each corpus, mean over corpora."""
    corpora = clips.field("corpus")
    insides = [corpora == name for name in np.unique(corpora)]
    heard, wanted = clips.intensities[:, index], target[:, index]
    return bootstrap(
        lambda weight: mean_known(
            [measure(heard[inside], wanted[inside], weight[:, inside]) for inside in insides]
        ),
        clips.field("speaker"),
        draws=draws,
    )


def _reliability(clips: Clips, categories: Mapping[str, CategoryFigures]) -> dict[str, float]:
    found = {name: 2 * figures.auc.value - 1 for name, figures in categories.items()}
    acted = _unheard(clips, SAYS_SPEAKER).values()
    for axis, name in enumerate(DIMENSIONS):
        each = [concordance(some.place[:, axis], some.asked[:, axis]) for some in acted]
        found[name] = float(mean_known(each)) if each else math.nan
    return {name: value if math.isnan(value) else max(0.0, value) for name, value in found.items()}


def _calibration(clips: Clips, draws: int) -> Iterator[tuple[str, Calibration]]:
    for says in (SAYS_SPEAKER, SAYS_CORPUS):
        some = Clips([row for entry in _unheard(clips, says).values() for row in entry.rows])
        if not len(some):
            continue
        likeliest = [max(row["classes"], key=row["classes"].get) for row in some.rows]
        sure = np.array([max(row["classes"].values()) for row in some.rows], float)
        neutral = np.array([row["neutral"] for row in some.rows], float)
        for name, said, happened in (
            ("neutral", neutral, some.actual == "neutral"),
            ("likeliest class", sure, some.actual == np.array(likeliest)),
        ):
            error = bootstrap(
                lambda weight, a=said, b=happened: calibration_error(a, b, weight),
                some.field("speaker"),
                draws=draws,
            )
            bins = (part.tolist() for part in calibration_bins(said, happened))
            yield f"{name}, {says}", Calibration(*bins, error)


def _confusions(clips: Clips) -> Iterator[tuple[str, Confusion]]:
    for says, corpus, some in clips.acted:
        counts = confusion(some.actual, some.guessed(some.classes), some.classes)
        yield f"{CORPORA[corpus].title}, {says}", Confusion(list(some.classes), counts.tolist())


def _gaps(clips: Clips, draws: int) -> Iterator[tuple[str, Gap]]:
    for says in (SAYS_SPEAKER, SAYS_CORPUS):
        corpora = list(_unheard(clips, says).items())
        own = [(some, some.classes) for _, some in corpora]
        shared = [name for name in ("neutral", *NAMES) if all(name in has for _, has in own)]
        titles = [CORPORA[name].title for name, _ in corpora]
        asked = [(title, "gender", [part]) for title, part in zip(titles, own, strict=True)]
        asked.append(("all corpora", "gender", own))
        asked.append(("all corpora", "language", [(some, shared) for some, _ in own]))
        for which, by, parts in asked:
            found = _gap(parts, by, draws)
            if found is not None:
                yield f"{by}: {which}, {says}", found


def _gap(parts: Sequence[tuple[Clips, Sequence[str]]], by: str, draws: int) -> Gap | None:
    """Recall by group, mean over parts, each on its own classes; None where there is one group."""
    parts = [(some.only(np.isin(some.actual, classes)), classes) for some, classes in parts]
    if not sum(len(some) for some, _ in parts):
        return None
    group = np.concatenate([some.field(by) for some, _ in parts])
    speakers = np.concatenate([some.field("speaker") for some, _ in parts])
    actual = np.concatenate([some.actual for some, _ in parts])
    guessed = np.concatenate([some.guessed(classes) for some, classes in parts])
    part = np.repeat(np.arange(len(parts)), [len(some) for some, _ in parts])

    def of(name: str, weight: np.ndarray) -> np.ndarray:
        insides = [(group == name) & (part == place) for place in range(len(parts))]
        return mean_known(
            [
                recall(actual[inside], guessed[inside], classes, weight[:, inside])
                for inside, (_, classes) in zip(insides, parts, strict=True)
            ]
        )

    names = sorted(set(group) - {""})
    if len(names) < 2:
        return None
    found = {
        name: replace(
            bootstrap(lambda weight, a=name: of(a, weight), speakers, draws=draws),
            count=int((group == name).sum()),
        )
        for name in names
    }
    found = dict(sorted(found.items(), key=lambda entry: -entry[1].value))
    best, *_, worst = found
    gap = bootstrap(lambda weight: of(best, weight) - of(worst, weight), speakers, draws=draws)
    return Gap(found, gap)


def _check(row: Any, where: str) -> None:
    """
    Raises:
        InvalidInput, UnknownName: a row that `crossvalidate` would not write; says which.
    """
    if not isinstance(row, Mapping):
        raise InvalidInput(f"{where} is no prediction; give what `crossvalidate` wrote.")
    fields = "corpus speaker gender language label emotions level script protocol mode".split()
    fields += ["intensities", "evidence", *DIMENSIONS, "neutral", "strength", "classes", "words"]
    missing = [name for name in fields if name not in row]
    if missing:
        raise InvalidInput(
            f"{where} has no {', '.join(missing)}; give what `crossvalidate` wrote, unchanged."
        )
    with at(where):
        for kind, name, known in (
            ("mode", row["mode"], MODES),
            ("corpus", row["corpus"], CORPORA),
            *(("category", name, NAMES) for name in row["emotions"]),
        ):
            if name not in known:
                raise unknown_name(kind, name, known)
    for name in ("intensities", "evidence", "words"):
        if row[name] is None and name != "intensities":
            continue
        if np.shape(row[name]) != (len(NAMES),) or not np.isfinite(row[name]).all():
            raise InvalidInput(
                f"{where}: {name} must be {len(NAMES)} numbers, one a category; give what "
                "`crossvalidate` wrote, unchanged."
            )
    numbers = [row[name] for name in (*DIMENSIONS, "neutral", "strength")] + list(
        row["classes"].values()
    )
    if not row["classes"] or not np.isfinite(numbers).all():
        raise InvalidInput(
            f"{where}: {', '.join(DIMENSIONS)}, neutral, strength and classes must be numbers; "
            "give what `crossvalidate` wrote, unchanged."
        )


def _plain(value: Any) -> Any:
    """The same with None for nan, which JSON does not know."""
    if isinstance(value, dict):
        return {name: _plain(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def _grid(header: Sequence[str], body: Iterable[Sequence[Any]]) -> str:
    lines = [header, ["---"] * len(header), *body]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def _bar(name: str, mode: str, found: Measured | None) -> str:
    if name not in BARS or found is None or math.isnan(found.value):
        return ""
    bar = dict(zip(MODES, BARS[name], strict=True))[mode]
    return f"{bar:.2f} {'met' if found.value >= bar else 'missed'}"


def _categories_table(categories: Mapping[str, CategoryFigures]) -> str:
    header = "category, support, clips, speakers, AUC, rank correlation, evidence, other words"
    body = [
        [
            name,
            found.support,
            found.clips,
            found.speakers,
            found.auc,
            found.rank_correlation,
            found.evidence,
            found.other_words,
        ]
        for name, found in categories.items()
    ]
    return _grid(header.split(", "), body)


def _calibration_table(found: Mapping[str, Calibration]) -> str:
    body = [
        [f"{place / 10:.1f} to {(place + 1) / 10:.1f}"]
        + [
            f"{entry.frequency[place]:.2f} ({entry.count[place]:.0f} clips)"
            if entry.count[place]
            else "-"
            for entry in found.values()
        ]
        for place in range(10)
    ]
    body.append(["error", *(entry.error for entry in found.values())])
    return _grid(["said", *found], body)


def _gaps_table(gaps: Mapping[str, Gap]) -> str:
    body = []
    for name, found in gaps.items():
        groups = "; ".join(f"{group} {entry}" for group, entry in found.groups.items())
        best, *_, worst = found.groups
        body.append([name, groups, f"{best} above {worst} by {found.gap}"])
    return _grid(["", "recall", "gap"], body)


def _confusion_table(matrix: Confusion) -> str:
    counts = np.array(matrix.counts, float)
    shares = 100 * np.nan_to_num(ratio(counts, counts.sum(1, keepdims=True)))
    body = [
        [name, *(f"{share:.0f}" for share in line), int(count)]
        for name, line, count in zip(matrix.classes, shares, counts.sum(1), strict=True)
    ]
    return _grid(["", *matrix.classes, "clips"], body)


def _matplotlib() -> type:
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise InvalidInput(
            "Plots need matplotlib, which is not installed; pip install matplotlib, or leave out "
            "--plots."
        ) from None
    return Figure


def read(path: str | os.PathLike) -> list[dict[str, Any]]:
    """The rows of a file that `python -m training crossvalidate` wrote.

    Raises:
        InvalidInput: a file that cannot be read, or a line that is no prediction; names it.
        UnknownName: a corpus, mode or category that we do not know.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not text in UTF-8"
        raise InvalidInput(
            f"Cannot read {shown(path)} ({reason}); give what `crossvalidate` wrote."
        ) from None
    rows = []
    for count, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{shown(path)} line {count}"
        try:
            rows.append(json.loads(line))
        except ValueError:
            raise InvalidInput(
                f"{where} is not JSON; give what `crossvalidate` wrote, unchanged."
            ) from None
        _check(rows[-1], where)
    return rows


def add_honesty(commands) -> None:
    command = commands.add_parser(
        "honesty", help="say how far to trust an estimator, from what `crossvalidate` heard"
    )
    command.add_argument("predictions", metavar="FILE", help="JSON lines of `crossvalidate`")
    command.add_argument(
        "-o", "--out", default="-", metavar="FILE", help="Markdown; - for stdout (the default)"
    )
    command.add_argument("--json", metavar="FILE", help="every figure, as numbers")
    command.add_argument("--plots", metavar="FOLDER", help="calibration as PNG; needs matplotlib")
    command.set_defaults(run=run_honesty)


def run_honesty(options: argparse.Namespace) -> None:
    # What can be refused is refused before minutes of resampling.
    places = [place for place in (options.out, options.json) if place not in (None, "-")]
    for place in places:
        check_place(place)
    read_from = os.path.realpath(options.predictions)
    if len({read_from, *map(os.path.realpath, places)}) <= len(places):
        raise InvalidInput("Two of FILE, --out and --json are one file; name different ones.")
    if options.json == "-":
        raise InvalidInput("--json is -; name a file, since the report takes standard output.")
    if options.plots is not None:
        _matplotlib()
        try:
            Path(options.plots).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InvalidInput(
                f"Cannot make the folder {shown(options.plots)} ({error.strerror}); name another."
            ) from None
    honesty = report(read(options.predictions))
    if options.out == "-":
        sys.stdout.write(honesty.table())
    else:
        write_whole(options.out, honesty.table().encode())
    if options.json is not None:
        described = json.dumps(honesty.to_json(), ensure_ascii=False, indent=1, allow_nan=False)
        write_whole(options.json, (described + "\n").encode())
    if options.plots is not None:
        honesty.plot(options.plots)
