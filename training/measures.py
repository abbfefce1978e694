"""Asked against heard: what judges and instruments found in readings, as figures.

Letters in shapes: N readings, K = 8 judged emotions, E = 40 categories.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property

import numpy as np

from conditioning import taxonomy
from conditioning.pooling import Listener, habits
from conditioning.prosody import FUNCTIONALS
from voice_actor.adapter import LEVELS

from .corpora.emonet_voice import SCALE
from .judge import CATEGORY, EMOTIONS, MODES, Heard, Judge
from .listeners import QUANTITIES
from .metrics import Measured, bootstrap, confusion, mean, pearson, rank_correlation, recall
from .protocol import ASKED, FULL, NEUTRAL, Line
from .seed import ACOUSTICS, MEASURED, pooled_changes

ACTED, OWN = "all seven", "own reading"  # rows of the price
SHUFFLES = 1000
TOP = 3
_KINDS = {asked: kind for kind, asked in ASKED.items()}
# What is shown of prosody, and which published figure is its twin; True where a change is a ratio.
SHOWN = (
    "f0_median_st", "f0_sd_st", "level_mean_db", "rate", "pause_share", "alpha_db", "hnr_db",
)  # fmt: skip
PUBLISHED = QUANTITIES | {"level_mean_db": ("energy_db", False)}


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
        spent: seconds of processor time that speaking took; nan where it was spoken elsewhere.
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


class Session:
    """What judges and instruments say of a system's readings.

    Each reading is measured against its voice's takes at the intensity of the core, as real actors
    are against all of theirs: as many of each emotion.

    Args:
        rows: of one system.
        own: its readings without direction, by voice and text; of another system, where that is
            what it changes.
        judges: by name.
        listener: who hears all 40, and the name of its features.
    """

    def __init__(
        self,
        rows: Iterable[Verdict],
        own: Mapping[tuple[str, str], Verdict],
        judges: Mapping[str, Judge],
        listener: tuple[str, Listener] | None = None,
    ):
        self.rows = list(rows)
        self.own = own
        self.judges = judges
        self.listener = listener

    @cached_property
    def strength(self) -> float:
        """The intensity at which emotions are compared: the protocol's, or the highest there is."""
        levels = {row.task.level for row in self.rows}
        return FULL if FULL in levels else max(levels)

    def asked(self, *asked: str) -> list[Verdict]:
        """The readings that ask for one of these emotions, at the intensity of comparisons."""
        return [
            row
            for row in self.at_any_level(*asked)
            if row.task.asked == NEUTRAL or row.task.level == self.strength
        ]

    def at_any_level(self, *asked: str) -> list[Verdict]:
        return [row for row in self.rows if row.task.asked in asked]

    @cached_property
    def core(self) -> list[Verdict]:
        return self.asked(*ASKED.values())

    @cached_property
    def forty(self) -> list[Verdict]:
        """The readings of every category, on the sentences that all of them have."""
        rows = self.asked(*taxonomy.NAMES)
        asked = defaultdict(set)
        for row in rows:
            asked[row.task.text].add(row.task.asked)
        return [row for row in rows if len(asked[row.task.text]) == len(taxonomy.NAMES)]

    def heard(self, judge: str, rows: Sequence[Verdict], mode: str = "against") -> Heard:
        """What one judge hears in some of the readings."""
        voices = [row.task.voice for row in rows]
        takes = {voice: self._takes(judge, voice) for voice in set(voices)}
        features = np.stack([row.features[judge] for row in rows])
        return self.judges[judge].hear(features, voices, mode, takes)

    def _takes(self, name: str, voice: str) -> np.ndarray:
        return np.stack([row.features[name] for row in self.core if row.task.voice == voice])

    def recognition(self, judge: str, mode: str) -> dict:
        """Recall of the eight emotions, what chance gives, and what is taken for what."""
        rows = self.core
        asked = np.array([_KINDS[row.task.asked] for row in rows])
        heard = self.heard(judge, rows, mode)
        found, clusters = heard.emotions, clusters_of(rows)
        kinds = [kind for kind in EMOTIONS if kind in asked]
        whole = bootstrap(lambda weight: recall(asked, found, kinds, weight), *clusters)
        places = np.array([EMOTIONS.index(kind) for kind in asked])
        above = heard.log_probabilities > heard.log_probabilities[range(len(rows)), places][:, None]
        among = np.where(above.sum(1) < TOP, asked, "")
        first = bootstrap(lambda weight: recall(asked, among, kinds, weight), *clusters)
        return {
            "recall": asdict(whole),
            "top3": asdict(first),
            "shuffled": shuffled(asked, found, kinds),
            "each": {kind: float(np.mean(found[asked == kind] == kind)) for kind in kinds},
            "confusion": confusion(asked, found, EMOTIONS).tolist(),
        }

    def agreement(self, judge: str) -> dict:
        """How far asked and heard strength go together, over all readings of the eight.

        Each of the seven emotions is asked at its level where it is asked and at 0 elsewhere; what
        is heard are its log odds. Means over the seven.
        """
        rows = self.at_any_level(*ASKED.values())
        heard = self.heard(judge, rows)
        asked = {
            kind: np.array([row.task.level * (row.task.asked == category) for row in rows])
            for kind, category in CATEGORY.items()
        }
        pairs = [(levels, heard.intensity(kind)) for kind, levels in asked.items() if levels.any()]
        clusters = clusters_of(rows)

        def over(statistic) -> dict:
            return asdict(
                bootstrap(
                    lambda weight: np.mean([statistic(*pair, weight) for pair in pairs], axis=0),
                    *clusters,
                    draws=200,
                )
            )

        return {"spearman": over(rank_correlation), "pearson": over(pearson)}

    def ladders(self, judge: str) -> dict:
        """Whether more is heard where more is asked, within each voice and sentence."""
        each, kendall, rising, where = {}, [], [], []
        for kind, category in CATEGORY.items():
            strengths: dict[tuple[str, str], dict[float, float]] = defaultdict(dict)
            rows = self.at_any_level(category)
            if not rows:
                continue
            for row, strength in zip(rows, self.heard(judge, rows).intensity(kind), strict=True):
                strengths[row.task.voice, row.task.text][row.task.level] = strength
            found = {
                place: np.array([heard[level] for level in LEVELS])
                for place, heard in strengths.items()
                if set(LEVELS) <= set(heard)
            }
            if not found:
                continue
            levels = np.array(LEVELS)
            each[kind] = float(np.mean([rank_correlation(levels, up) for up in found.values()]))
            where += found
            kendall += [float(np.mean(np.sign(_pairs(up)))) for up in found.values()]
            rising += [bool(np.all(np.diff(up) > 0)) for up in found.values()]
        if not each:
            return {}
        clusters = [voice for voice, _ in where], [text for _, text in where]
        return {
            "spearman": {"mean": float(np.mean(list(each.values()))), **each},
            "kendall": asdict(bootstrap(lambda w: mean(np.array(kendall), w), *clusters)),
            "rising": asdict(bootstrap(lambda w: mean(np.array(rising, float), w), *clusters)),
        }

    def places(self, judge: str) -> dict:
        """How arousal and valence heard of the 40 follow those asked: r over the categories."""
        rows = self.forty
        heard = self.heard(judge, rows)
        found = {}
        for what, values in (("arousal", heard.arousal), ("valence", heard.valence)):
            asked, means = [], []
            for category in taxonomy.CATEGORIES:
                mine = [place for place, row in enumerate(rows) if row.task.asked == category.name]
                asked.append(getattr(category, what))
                means.append(values[mine].mean())
            found[what] = float(pearson(np.array(asked), np.array(means)))
        return found | {"count": len(rows)}

    @cached_property
    def intensities(self) -> np.ndarray:
        """What the estimator hears of the readings of all 40, against the voice (N, E)."""
        import torch

        name, listener = self.listener
        rows = self.forty
        heard = np.zeros((len(rows), len(taxonomy.NAMES)))
        for voice in {row.task.voice for row in rows}:
            usual = habits(self._takes(name, voice), listener.mean.numpy(), listener.std.numpy())
            mine = [place for place, row in enumerate(rows) if row.task.voice == voice]
            features = np.stack([rows[place].features[name] for place in mine])
            with torch.inference_mode():
                readings = listener(
                    torch.from_numpy(features), tuple(map(torch.from_numpy, usual))
                ).numpy()
            heard[mine] = readings[:, : len(taxonomy.NAMES)]
        return heard

    def crosstalk(self) -> np.ndarray:
        """Mean intensity heard of each category where each is asked: (E asked, E heard)."""
        asked = np.array([taxonomy.INDEX[row.task.asked] for row in self.forty])
        return np.stack(
            [self.intensities[asked == place].mean(0) for place in range(len(taxonomy.NAMES))]
        )

    def errors(self) -> dict:
        """The estimator's word on all 40: correlations over each category, mean over them; errors
        of the asked category, on EmoNet-Voice Bench's scale."""
        rows, heard = self.forty, self.intensities
        asked = np.zeros_like(heard)
        places = [taxonomy.INDEX[row.task.asked] for row in rows]
        asked[range(len(rows)), places] = [row.task.level for row in rows]
        wrong = SCALE * (heard - asked)[range(len(rows)), places]
        clusters = clusters_of(rows)

        def over(statistic) -> dict:
            columns = list(zip(asked.T, heard.T, strict=True))
            return asdict(
                bootstrap(
                    lambda weight: np.nanmean([statistic(*c, weight) for c in columns], axis=0),
                    *clusters,
                    draws=100,
                )
            )

        return {
            "spearman": over(rank_correlation),
            "pearson": over(pearson),
            "mae": asdict(bootstrap(lambda w: mean(np.abs(wrong), w), *clusters)),
            "rmse": asdict(bootstrap(lambda w: np.sqrt(mean(wrong**2, w)), *clusters)),
        }

    def price(self) -> dict:
        """What acting costs: identity, words and quality, against the voice's own reading.

        `cosine` is to the same words in the own reading; `profile` to the mean of the voice's own
        readings of other sentences, as speakers are verified, which no reading reaches wholly.
        """
        kinds = {category: self.asked(category) for category in ASKED.values()}
        kinds |= {ACTED: self.asked(*CATEGORY.values()), OWN: list(self.own.values())}
        each = {}
        for kind, rows in kinds.items():
            pairs = [
                (row, self.own[row.task.voice, row.task.text])
                for row in rows
                if (row.task.voice, row.task.text) in self.own
            ]
            if not pairs:
                continue
            words = sum(row.words for row, _ in pairs)
            each[kind] = {
                "cosine": _mean(row.speaker @ plain.speaker for row, plain in pairs),
                "profile": _mean(row.speaker @ self._profile(row.task) for row, _ in pairs),
                "wer": 100 * sum(row.errors for row, _ in pairs) / words if words else math.nan,
                "dnsmos": _mean(row.quality for row, _ in pairs),
                "dnsmos_lost": _mean(plain.quality - row.quality for row, plain in pairs),
                "slower": _mean(row.seconds / plain.seconds for row, plain in pairs),
                "count": len(pairs),
            }
        return each

    def _profile(self, line: Line) -> np.ndarray:
        """Who a voice is, from its own readings of all sentences but one: unit vector (256,).

        Where there is no other sentence, nan.
        """
        others = [
            row.speaker
            for (voice, text), row in self.own.items()
            if voice == line.voice and text != line.text
        ]
        if not others:
            return np.full_like(self.own[line.voice, line.text].speaker, math.nan)
        middle = np.mean(others, axis=0)
        return middle / np.linalg.norm(middle)

    def prosody(self) -> dict:
        """Changes from the own reading of the same words, beside those of real actors.

        Each emotion: each of `SHOWN`, [here, published]; ratios where it says so. The published
        ones: training/acoustics.
        """
        published = pooled_changes(ACOUSTICS)
        each = {}
        for category in CATEGORY.values():
            pairs = [
                (row, self.own[row.task.voice, row.task.text])
                for row in self.asked(category)
                if (row.task.voice, row.task.text) in self.own
            ]
            if not pairs:
                continue
            each[category] = {}
            for name in SHOWN:
                source, is_ratio = PUBLISHED[name]
                column = FUNCTIONALS.index(name)
                values = np.array([[row.prosody[column] for row in pair] for pair in pairs])
                with np.errstate(divide="ignore", invalid="ignore"):
                    change = np.divide(*values.T) if is_ratio else np.subtract(*values.T)
                known = change[np.isfinite(change)]
                each[category][name] = [
                    float(np.median(known)) if len(known) else math.nan,
                    published.get((MEASURED[category], source), math.nan),
                ]
        return each

    def cells(self, judge: str) -> list[dict]:
        """How sure a judge is of what was asked: mean over voices, of each sentence and emotion."""
        found = defaultdict(list)
        rows = self.core
        sure = np.exp(self.heard(judge, rows).log_probabilities)
        for row, heard in zip(rows, sure, strict=True):
            kind = _KINDS[row.task.asked]
            found[row.task.text, kind].append(float(heard[EMOTIONS.index(kind)]))
        return [
            {"text": text, "emotion": kind, "sure": round(float(np.mean(values)), 5)}
            for (text, kind), values in found.items()
        ]

    def summary(self) -> dict:
        """Everything that was measured of the system, ready for `json.dumps`."""
        voices = sorted({row.task.voice for row in self.core})
        found: dict = {"readings": len(self.rows), "voices": voices, "judges": {}}
        found |= {"price": self.price(), "prosody": self.prosody()}
        spent = [row.spent / row.seconds for row in self.core if math.isfinite(row.spent)]
        found["spent"] = _mean(spent)  # processor seconds a second of speech
        for name in self.judges:
            mine = {mode: self.recognition(name, mode) for mode in MODES}
            mine |= {"agreement": self.agreement(name), "ladders": self.ladders(name)}
            mine |= {"places": self.places(name) if self.forty else {}, "cells": self.cells(name)}
            found["judges"][name] = mine
        if self.listener and self.forty:
            found |= {"errors": self.errors(), "crosstalk": np.round(self.crosstalk(), 4).tolist()}
        return found


def sessions(
    rows: Iterable[Verdict],
    deaf: Iterable[str],
    judges: Mapping[str, Judge],
    listener: tuple[str, Listener] | None = None,
) -> dict[str, Session]:
    """A session of each system, in the order in which they come.

    Args:
        deaf: systems that read alike whatever is asked: what they said once stands for each of the
            eight.
    """
    by_system: dict[str, list[Verdict]] = defaultdict(list)
    for row in rows:
        by_system[row.task.system].append(row)
    found = {}
    for system, mine in by_system.items():
        own = {(row.task.voice, row.task.text): row for row in mine if not row.task.asked}
        acted = [row for row in mine if row.task.asked]
        if system in deaf:
            acted = [_as_if(row, asked) for row in own.values() for asked in ASKED.values()]
        if any(row.task.asked in _KINDS for row in acted):
            found[system] = Session(acted, own, judges, listener)
    return found


def _as_if(row: Verdict, asked: str) -> Verdict:
    """The same reading, held against another direction."""
    level = 0.0 if asked == NEUTRAL else FULL
    return replace(row, task=replace(row.task, asked=asked, level=level))


def clusters_of(rows: Sequence[Verdict]) -> tuple[list[str], list[str]]:
    """Voices and sentences of readings: what is resampled."""
    return [row.task.voice for row in rows], [row.task.text for row in rows]


def shuffled(asked: np.ndarray, found: np.ndarray, kinds: Sequence[str]) -> dict:
    """The floor: recall where what was asked is dealt out anew, mean and middle 95 %."""
    chance = np.random.default_rng(0)
    deals = np.array([recall(chance.permutation(asked), found, kinds) for _ in range(SHUFFLES)])
    low, high = np.quantile(deals, [0.025, 0.975])
    return asdict(Measured(float(deals.mean()), float(low), float(high), len(asked)))


def compared(first: Sequence[Mapping], second: Sequence[Mapping]) -> tuple[float, float, int]:
    """Two systems' cells: median of the differences, p of Wilcoxon's signed ranks, and their count.

    The pairs are the sentences and emotions that both have; two-sided (F. Wilcoxon 1945, Biometrics
    Bulletin 1(6), 80-83).
    """
    from scipy.stats import wilcoxon

    known = {(cell["text"], cell["emotion"]): cell["sure"] for cell in second}
    differences = np.array(
        [
            cell["sure"] - known[cell["text"], cell["emotion"]]
            for cell in first
            if (cell["text"], cell["emotion"]) in known
        ]
    )
    if not differences.any():
        return 0.0, 1.0, len(differences)
    return float(np.median(differences)), float(wilcoxon(differences).pvalue), len(differences)


def holm(values: Sequence[float]) -> list[float]:
    """p-values of several comparisons, corrected (S. Holm 1979, Scand. J. Statist. 6(2), 65-70)."""
    order = np.argsort(values)
    raised = np.array(values, float)[order] * np.arange(len(values), 0, -1)
    corrected = np.empty(len(values))
    corrected[order] = np.minimum(np.maximum.accumulate(raised), 1)
    return corrected.tolist()


def _pairs(values: np.ndarray) -> np.ndarray:
    """Each later value less each earlier one."""
    later, earlier = np.tril_indices(len(values), -1)
    return values[later] - values[earlier]


def _mean(values: Iterable[float]) -> float:
    known = [value for value in values if math.isfinite(value)]
    return float(np.mean(known)) if known else math.nan
