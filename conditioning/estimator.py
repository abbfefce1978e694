"""What emotion can be heard in speech: `EmotionEstimator`, `Audio` -> `Estimate`."""

from __future__ import annotations

import math
import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .audio import Audio
from .emotion import EmotionVector
from .errors import InvalidInput, UserError, unknown_name
from .files import check_place, shown, write_whole
from .taxonomy import ATTRIBUTES, CATEGORIES, INDEX

DIMENSIONS = ("valence", "arousal", "dominance")
SUPPORT = ("acted", "synthetic", "inferred")
WINDOW, HOP = 2.0, 0.5  # s, of an estimate over time
SHORTEST_WINDOW, SHORTEST_HOP = 0.5, 0.05  # s
ESTIMATORS = ("standard", "permissive", "tiny", "empathic-insight-small", "empathic-insight-large")
_LAION = {attribute.name: attribute for attribute in ATTRIBUTES}


@dataclass(frozen=True)
class Estimate:
    """What an estimator hears in a stretch of sound.

    Attributes:
        intensities: how strongly each category is heard, in [0, 1].
        valence, arousal, dominance: in [-1, 1]; nan where the estimator does not say.
        neutral: how surely nothing but a neutral voice is heard, in [0, 1]; nan where it does not
            say.
        strength: how strongly emotion is heard, whichever, in [0, 1]: about 0.5 in ordinary acting,
            1 in strong; nan where the estimator does not say.
        speech: whether speech is heard at all. Where it is not, nothing else means anything: the
            intensities are zero and the dimensions nan.
        support: how each category and dimension is known: "acted" (learnt from acted speech),
            "synthetic" (learnt from synthetic acting), "inferred" (from valence, arousal and
            dominance). A category that is not among the keys was not estimated.
        reliability: for each of `support`, how well it told recordings apart in voices never
            heard in training: 0 is chance, 1 is without error; nan where never measured.
        attributes: LAION's further attributes (`taxonomy.ATTRIBUTES`) on LAION's scales, from the
            estimators that give them.
        start, end: s, the stretch of the recording.
        estimator: name of the estimator, with the start of its checkpoint's sha256.
    """

    intensities: EmotionVector
    valence: float
    arousal: float
    dominance: float
    neutral: float
    strength: float
    speech: bool
    support: Mapping[str, str]
    reliability: Mapping[str, float]
    attributes: Mapping[str, float] = field(default_factory=dict)
    start: float = 0.0
    end: float = 0.0
    estimator: str = ""

    @classmethod
    def without_speech(cls, start: float, end: float, estimator: str) -> Estimate:
        """Of a stretch in which nobody speaks."""
        nan = float("nan")
        return cls(
            EmotionVector(), nan, nan, nan, nan, nan, False, {}, {}, {}, start, end, estimator
        )

    def top(self, count: int = 5) -> tuple[tuple[str, float], ...]:
        """The strongest (name, intensity) pairs, strongest first."""
        return self.intensities.items()[:count]

    def __str__(self) -> str:
        """One line for people: the strongest three, then valence, arousal and dominance."""
        if not self.speech:
            return "no speech"
        heard = ", ".join(f"{name} {value:.2f}" for name, value in self.top(3)) or "neutral"
        said = [(name, getattr(self, name)) for name in DIMENSIONS]
        places = ", ".join(f"{name} {value:+.2f}" for name, value in said if np.isfinite(value))
        return "; ".join(filter(None, (heard, places)))

    def to_json(self) -> dict[str, Any]:
        """Ready for `json.dumps`: what is heard, how each is known and how far to trust it."""
        return {
            "start": round(self.start, 3),
            "end": round(self.end, 3),
            "speech": self.speech,
            "intensities": {name: round(self.intensities[name], 4) for name in self._categories},
            **{
                name: _rounded(getattr(self, name)) for name in (*DIMENSIONS, "neutral", "strength")
            },
            "attributes": {name: _rounded(value) for name, value in self.attributes.items()},
            "support": dict(self.support),
            "reliability": {name: _rounded(value) for name, value in self.reliability.items()},
            "estimator": self.estimator,
        }

    def to_laion(self) -> dict[str, float]:
        """LAION's annotation keys and scales: 0 to 4 for emotions, each attribute on its own.

        Valence, arousal and dominance are mapped from [-1, 1] onto LAION's scales; what the
        estimator does not say is left out.
        """
        scores = {
            CATEGORIES[INDEX[name]].laion_key: round(4 * self.intensities[name], 4)
            for name in self._categories
        }
        values = dict(self.attributes)
        for name in DIMENSIONS:
            scale = _LAION[name]
            value = scale.low + (getattr(self, name) + 1) / 2 * (scale.high - scale.low)
            values.setdefault(name, value)
        return scores | {
            _LAION[name].laion_key: round(value, 4)
            for name, value in values.items()
            if np.isfinite(value)
        }

    @property
    def _categories(self) -> list[str]:
        return [category.name for category in CATEGORIES if category.name in self.support]


def _rounded(value: float) -> float | None:
    return round(float(value), 4) if np.isfinite(value) else None


@dataclass(frozen=True, eq=False)
class Baseline:
    """How a voice sounds to an estimator by habit.

    D is the number of the estimator's features.

    Attributes:
        mean, std: shape (D,), float32: of the features over the takes.
        takes: how many there were; about ten in mixed moods make a dependable baseline.
        estimator: which made it; another cannot use it.
    """

    mean: np.ndarray
    std: np.ndarray
    takes: int
    estimator: str

    def save(self, path: str | os.PathLike) -> None:
        """Write a safetensors file, whole or not at all.

        Raises:
            InvalidInput: a folder, or a place that cannot be written.
        """
        from safetensors.numpy import save

        check_place(path)
        described = {"estimator": self.estimator, "takes": str(self.takes)}
        write_whole(path, save({"mean": self.mean, "std": self.std}, described))

    @classmethod
    def load(cls, path: str | os.PathLike) -> Baseline:
        """What `save` wrote.

        Raises:
            InvalidInput: no such file, or another kind of file.
        """
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(path, "numpy") as file:
                told = file.metadata() or {}
                mean, std = file.get_tensor("mean"), file.get_tensor("std")
                return cls(mean, std, int(told["takes"]), told["estimator"])
        except (OSError, SafetensorError, KeyError, ValueError):
            raise InvalidInput(
                f"{shown(path)} holds no voice's baseline; make one with "
                "`voice-actor listen TAKES... --save-baseline FILE`."
            ) from None


def windows(duration: float, window: float, hop: float) -> list[tuple[float, float]]:
    """The (start, end) in s of windows along a recording; the last ends where the recording does.

    Raises:
        InvalidInput: a window under 0.5 s, a hop under 0.05 s, or a hop over the window.
    """
    if not (SHORTEST_WINDOW <= window < math.inf and SHORTEST_HOP <= hop <= window):
        raise InvalidInput(
            f"Windows of {window:g} s every {hop:g} s; allowed: windows of {SHORTEST_WINDOW:g} s "
            f"or more, a hop from {SHORTEST_HOP:g} s to the window."
        )
    count = 1 + max(0, math.ceil((duration - window) / hop - 1e-9))
    return [(index * hop, min(index * hop + window, duration)) for index in range(count)]


class EmotionEstimator(ABC):
    """Hears the emotion in speech; `load` opens one by name.

    Attributes:
        name: what `load` calls it, with the start of its checkpoint's sha256 after an @.
        licence: of its weights.
        commercial: whether that licence allows commercial use.
        support, reliability: as in `Estimate`, the same for every recording.
    """

    name: str
    licence: str
    commercial: bool
    support: Mapping[str, str]
    reliability: Mapping[str, float]

    @staticmethod
    def load(name: str = "standard", folder: str | os.PathLike | None = None) -> EmotionEstimator:
        """An estimator, from where `conditioning.weights` finds it.

        Args:
            name: one of `ESTIMATORS`.
            folder: where to look for weights first.

        Raises:
            UnknownName: no such estimator.
            WeightsError: its weights are missing or damaged.
        """
        if name not in ESTIMATORS:
            raise unknown_name("estimator", name, ESTIMATORS)
        if name.startswith("empathic-insight"):
            from .empathic_insight import EmpathicInsight

            return EmpathicInsight.load(name.rpartition("-")[2], folder)
        from .pooling import PoolingEstimator

        return PoolingEstimator.load(name, folder)

    def estimate(
        self, audio: Audio, baseline: Baseline | Iterable[Audio] | None = None
    ) -> Estimate:
        """What is heard in the whole recording, of any length.

        Args:
            baseline: other takes of the same voice, or what `baseline` made of them: what is heard
                is then measured against the voice's own habits, which helps a good deal.

        Raises:
            InvalidInput: no samples, or a baseline that this estimator cannot use.
        """
        whole = [(0.0, audio.duration)]
        return next(self._hear(audio, whole, self._baseline(baseline)))

    def estimate_over_time(
        self,
        audio: Audio,
        window: float = WINDOW,
        hop: float = HOP,
        baseline: Baseline | Iterable[Audio] | None = None,
    ) -> list[Estimate]:
        """What is heard in windows along the recording; one estimate for each, in order.

        Args:
            window: s, how long each is; the last is shorter where the recording ends within it.
            hop: s, from the start of one to the start of the next.
            baseline: as for `estimate`.

        Raises:
            InvalidInput: as `estimate`; a window under 0.5 s or a hop under 0.05 s.
        """
        return list(
            self._hear(audio, windows(audio.duration, window, hop), self._baseline(baseline))
        )

    def estimate_many(
        self,
        paths: Iterable[str | os.PathLike],
        baseline: Baseline | Iterable[Audio] | None = None,
    ) -> Iterator[Estimate | UserError]:
        """`estimate` for many files, in their order; a file that cannot be heard gives its error.

        The errors are given back rather than raised, so that one broken file among a thousand
        costs one estimate.
        """
        known = self._baseline(baseline)
        for path in paths:
            try:
                audio = Audio.load(path)
                yield next(self._hear(audio, [(0.0, audio.duration)], known))
            except UserError as error:
                yield error

    @abstractmethod
    def _hear(
        self, audio: Audio, spans: Sequence[tuple[float, float]], baseline: Baseline | None
    ) -> Iterator[Estimate]:
        """One estimate for each span (start, end) in s, in order."""

    def baseline(self, takes: Iterable[Audio]) -> Baseline:
        """What this estimator hears a voice do by habit, from takes of it in any mixture of moods.

        Raises:
            InvalidInput: no take with speech, or an estimator that knows no baseline.
        """
        raise InvalidInput(f"The estimator {self.name} knows no baseline; leave it out.")

    def _baseline(self, given: Baseline | Iterable[Audio] | None) -> Baseline | None:
        return given if given is None or isinstance(given, Baseline) else self.baseline(given)
