"""Auditions: several takes of one line, heard by an estimator and ranked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from conditioning.emotion import EmotionVector
from conditioning.errors import InvalidInput
from conditioning.estimator import Baseline, EmotionEstimator, Estimate
from conditioning.taxonomy import NAMES

from .acting import CONTROLS, Acting
from .adapter import LIMITS
from .performance import Performance

MOST_TAKES = 64
AUDIBLE = 0.05
# How far the takes of one reading lie apart, as standard deviations in the controls' own units:
# enough to hear, little enough to remain the same idea of the line. Our judgement, not measured.
SPREAD: Mapping[str, float] = {
    "f0_shift": 0.5,
    "f0_range": 0.15,
    "f0_final": 0.7,
    "f0_accent": 0.5,
    "level_accent": 0.7,
    "duration": 0.06,
    "vowels": 0.04,
    "final": 0.08,
    "pause": 0.05,
    "energy_range": 0.1,
    "tilt": 0.25,
}
FARTHEST = 2.0  # standard deviations
STRENGTH = 0.85, 1.2  # how much of the acting that was asked
SMALLEST_PLACE = 0.25  # of valence and arousal; nearer to neutral a direction is hardly defined


@dataclass(frozen=True)
class Variation:
    """How a take differs from the plain performance; the default changes nothing.

    Attributes:
        strength: ratio of all acting.
        offsets: added to every phoneme, by control (`acting.CONTROLS`), in its units.
    """

    strength: float = 1.0
    offsets: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, seed: int, number: int) -> Variation:
        """Of a take under a seed; take 0 is the plain performance."""
        if number == 0:
            return cls()
        chance = np.random.default_rng([seed, number])
        strength = float(chance.uniform(*STRENGTH))
        normal = np.clip(chance.standard_normal(len(SPREAD)), -FARTHEST, FARTHEST)
        drawn = zip(SPREAD.items(), normal.tolist(), strict=True)
        return cls(strength, {name: deviation * value for (name, deviation), value in drawn})

    def vary(self, acting: Acting) -> Acting:
        """The acting of this take: within `adapter.LIMITS`, or no further beyond them."""
        varied = {}
        for name in CONTROLS:
            asked = getattr(acting, name)
            low, high = LIMITS[name]
            changed = self.strength * asked + self.offsets.get(name, 0.0)
            varied[name] = changed.clamp(asked.clamp(max=low), asked.clamp(min=high))
        return Acting(**varied)


@dataclass(frozen=True, eq=False)
class Take:
    """One of the takes of an audition.

    Attributes:
        performance: what was spoken; its seed is the take's own.
        number: of the take, in the order of speaking; 0 is the plain performance.
        score: how well what is heard matches what was asked, at most 1; see `judge`.
        reason: the score in words.
        heard: by the estimator: one estimate of the whole line, or one for each window where the
            direction changes along the line.
    """

    performance: Performance
    number: int
    score: float
    reason: str
    heard: tuple[Estimate, ...]

    def to_json(self) -> dict:
        """The take and its performance, ready for `json.dumps`."""
        return {
            "take": self.number,
            "score": round(self.score, 4),
            "reason": self.reason,
            "heard": [estimate.to_json() for estimate in self.heard],
            **self.performance.to_json(),
        }


def check_takes(takes: int, keep: int | None) -> None:
    """Raises InvalidInput for numbers of takes that cannot be."""
    for what, value, most in (("speak", takes, MOST_TAKES), ("keep", keep, takes)):
        if what == "keep" and value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise InvalidInput(
                f"The number of takes to {what} is {value!r}; allowed: whole numbers from 1 to "
                f"{most}."
            )


def rank(
    performances: Iterable[Performance],
    neutral: Performance,
    estimator: EmotionEstimator,
    keep: int | None = None,
) -> tuple[Take, ...]:
    """The best takes of a line, best first.

    Args:
        performances: heard one by one; only those that can still be among the best are held.
        neutral: the voice's own reading, against which the takes are heard.
        keep: how many come back; all of them unless given.
    """
    baseline = habit(estimator, neutral)
    kept: list[Take] = []
    for number, performance in enumerate(performances):
        heard = listen(performance, estimator, baseline)
        take = Take(performance, number, *judge(performance, heard), heard)
        kept = sorted([*kept, take], key=lambda take: -take.score)[:keep]
    return tuple(kept)


def habit(estimator: EmotionEstimator, neutral: Performance) -> Baseline | None:
    """The voice's own neutral reading as a baseline; None for an estimator that knows none."""
    try:
        return estimator.baseline([neutral.audio])
    except InvalidInput:
        return None


def listen(
    performance: Performance, estimator: EmotionEstimator, baseline: Baseline | None
) -> tuple[Estimate, ...]:
    """One estimate of the line; one for each window where its direction changes on the way."""
    if len({vector for _, vector in performance.direction.curve.points}) == 1:
        return (estimator.estimate(performance.audio, baseline),)
    return tuple(estimator.estimate_over_time(performance.audio, baseline=baseline))


def asked_in(performance: Performance, estimate: Estimate) -> EmotionVector:
    """What was asked, on average, of the words that are spoken in the stretch of an estimate."""
    curve = performance.direction.curve
    middles = [(word.start + word.end) / 2 for word in performance.words]
    inside = [time for time in middles if estimate.start <= time <= estimate.end]
    if not inside:
        return curve.mean()
    return EmotionVector.from_list(
        curve.sample(performance.places(inside)).mean(axis=0, dtype=float).tolist()
    )


def judge(performance: Performance, heard: Sequence[Estimate]) -> tuple[float, str]:
    """How well what is heard matches what was asked, and why, in words.

    For each estimate, a is the vector of asked intensities and h that of heard ones, over the
    categories that the estimator learnt from speech, acted or synthetic. The match is

        1 - |a - h| / |a|        (|h| in place of the fraction where nothing is asked),

    1 where just this is heard, 0 where nothing is or what was not asked outweighs it. Where a part
    s of what is asked lies in other categories, the same is said with that weight of the places in
    valence and arousal, which is all that an estimator can hear of those. The score is the mean
    over the estimates; a stretch without speech counts -1.
    """
    scores = [_match(asked_in(performance, estimate), estimate) for estimate in heard]
    best = max(heard, key=lambda estimate: estimate.end - estimate.start)
    return float(np.mean(scores)), _reason(asked_in(performance, best), best)


def _match(asked: EmotionVector, estimate: Estimate) -> float:
    if not estimate.speech:
        return -1.0
    known = _known(estimate)
    total = sum(asked.to_list())
    share = sum(asked[name] for name in known) / total if total else 1.0
    wanted = np.array([asked[name] for name in known])
    match = _nearness(wanted, np.array([estimate.intensities[name] for name in known]), 0.0)
    place = np.array([asked.valence, asked.arousal])
    there = np.nan_to_num(np.array([estimate.valence, estimate.arousal]))
    return share * match + (1 - share) * _nearness(place, there, SMALLEST_PLACE)


def _nearness(asked: np.ndarray, heard: np.ndarray, smallest: float) -> float:
    length = max(float(np.linalg.norm(asked)), smallest) or 1.0
    return 1 - float(np.linalg.norm(asked - heard)) / length


def _known(estimate: Estimate) -> list[str]:
    """The categories that are heard rather than inferred."""
    return [name for name in NAMES if estimate.support.get(name) in ("acted", "synthetic")]


def _reason(asked: EmotionVector, estimate: Estimate) -> str:
    """What was heard of what was asked, and the strongest that was not."""
    if not estimate.speech:
        return "no speech"
    known = _known(estimate)
    told = [
        f"{name} {estimate.intensities[name]:.2f} of {value:.2f}"
        for name, value in asked.items()
        if name in known
    ]
    if len(told) < len(asked.items()):
        told.append(
            f"valence {estimate.valence:+.2f} of {asked.valence:+.2f}, "
            f"arousal {estimate.arousal:+.2f} of {asked.arousal:+.2f}"
        )
    others = {name: estimate.intensities[name] for name in known if not asked[name]}
    strongest = max(others, key=others.__getitem__, default=None)
    if strongest and others[strongest] >= AUDIBLE:
        told.append(f"unasked {strongest} {others[strongest]:.2f}")
    return "; ".join(told) or "nothing but neutral"
