"""Measures of how well something is heard, with intervals from resampled clusters.

N clips, K columns. Every measure takes `weight`, how often each clip counts, of shape (..., N), and
gives an array of shape (...): a thousand resamplings are measured in one go, and each exactly as if
its clips had been written out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

COVERED = 0.95  # by an interval
_AT_ONCE = 2_000_000  # weights that are held at a time


@dataclass(frozen=True)
class Measured:
    """A value with its interval; nan where nothing could be measured.

    Attributes:
        value: over all clips.
        low, high: ends of the 95 % interval.
        count: of the clips, or pairs of clips, measured.
    """

    value: float
    low: float
    high: float
    count: int

    def __str__(self) -> str:
        if np.isnan(self.value):
            return "-"
        interval = "" if np.isnan(self.low) else f" [{self.low:.2f}, {self.high:.2f}]"
        return f"{self.value:.2f}{interval}"


def plain(value):
    """What JSON can hold: None for nan, a dictionary for `Measured`, within lists and mappings."""
    if isinstance(value, Measured):
        value = asdict(value)
    if isinstance(value, Mapping):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [plain(part) for part in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


def bootstrap(
    statistic: Callable[[np.ndarray], np.ndarray],
    *clusters: Sequence,
    draws: int = 1000,
    seed: int = 0,
) -> Measured:
    """A statistic with its percentile interval over resampled clusters (Efron 1979).

    With several clusterings, such as voice and script, each is resampled by itself and a clip
    counts as often as the product says: the pigeonhole bootstrap (A. B. Owen 2007, Annals of
    Applied Statistics 1(2), 386-411), which errs towards wide.

    Args:
        statistic: weights (B, N) -> values (B,); a value that is nan is left out.
        clusters: for each clustering, the cluster of each clip (N,).
        draws: resamplings; 0 gives the value alone.
    """
    rng = np.random.default_rng(seed)
    members, times = [], []
    for clustering in clusters:
        names, member = np.unique(np.asarray(clustering), return_inverse=True)
        members.append(member)
        if len(names):
            times.append(rng.multinomial(len(names), np.full(len(names), 1 / len(names)), draws))
    count = len(members[0])
    if not count:
        return Measured(np.nan, np.nan, np.nan, 0)
    found = []
    step = max(1, _AT_ONCE // count)
    for start in range(0, draws, step):
        some = zip(times, members, strict=True)
        parts = [time[start : start + step, member] for time, member in some]
        found.append(statistic(np.prod(parts, axis=0).astype(float)))
    values = np.concatenate([*found, np.zeros(0)])
    values = values[np.isfinite(values)]
    low, high = (
        np.quantile(values, [(1 - COVERED) / 2, (1 + COVERED) / 2]) if len(values) else [np.nan] * 2
    )
    value = statistic(np.ones((1, count)))[0]
    return Measured(float(value), float(low), float(high), count)


def ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """part / whole, nan where there is no whole."""
    part, whole = np.broadcast_arrays(np.asarray(part, float), np.asarray(whole, float))
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)


def mean(values: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
    """Mean of values (N,)."""
    weight = _each(values, weight)
    return ratio(weight @ values, weight.sum(-1))


def mean_known(values: Sequence[np.ndarray]) -> np.ndarray:
    """Mean over the first axis of what is not nan."""
    values = np.asarray(values, float)
    known = np.isfinite(values)
    return ratio(np.where(known, values, 0).sum(0), known.sum(0))


def recall(
    actual: np.ndarray,
    guessed: np.ndarray,
    classes: Sequence[str],
    weight: np.ndarray | None = None,
) -> np.ndarray:
    """Unweighted recall: the share of a class's clips (N,) that are found, mean over classes."""
    weight = _each(actual, weight)
    hit = (actual == guessed).astype(float)
    inside = [actual == name for name in classes]
    return mean_known([mean(hit[some], weight[..., some]) for some in inside])


def confusion(actual: np.ndarray, guessed: np.ndarray, classes: Sequence[str]) -> np.ndarray:
    """Counts (K, K): a row for each actual class, a column for each guessed one."""
    return np.array(
        [[((actual == row) & (guessed == column)).sum() for column in classes] for row in classes]
    )


def concordance(a: np.ndarray, b: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
    """Concordance correlation of two measures (N,) of one thing.

    L. I. Lin (1989), Biometrics 45(1), 255-268; moments without Bessel's correction.
    """
    weight = _each(a, weight)
    mean_a, mean_b = mean(a, weight), mean(b, weight)
    shared = mean(a * b, weight) - mean_a * mean_b
    spread = mean(a * a, weight) - mean_a**2 + mean(b * b, weight) - mean_b**2
    return ratio(2 * shared, spread + (mean_a - mean_b) ** 2)


def auc(scores: np.ndarray, positive: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
    """How often a clip that is positive (N, bool) scores above one that is not; a tie is half."""
    weight = _each(scores, weight)
    above = (1 + np.sign(scores[positive][:, None] - scores[~positive])) / 2
    won = ((weight[..., ~positive] @ above.T) * weight[..., positive]).sum(-1)
    return ratio(won, weight[..., positive].sum(-1) * weight[..., ~positive].sum(-1))


def rank_correlation(a: np.ndarray, b: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
    """Spearman's correlation of two measures (N,), ties at their middle rank."""
    weight = _each(a, weight)
    total = weight.sum(-1, keepdims=True)
    a, b = (_ranks(values, weight) - total / 2 for values in (a, b))
    shared = (weight * a * b).sum(-1)
    return ratio(shared, np.sqrt((weight * a * a).sum(-1) * (weight * b * b).sum(-1)))


def pearson(a: np.ndarray, b: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
    """Pearson's correlation of two measures (N,); nan where one is constant."""
    weight = _each(a, weight)
    middle_a, middle_b = mean(a, weight)[..., None], mean(b, weight)[..., None]
    shared = (weight * (a - middle_a) * (b - middle_b)).sum(-1)
    spread = np.sqrt(
        (weight * (a - middle_a) ** 2).sum(-1) * (weight * (b - middle_b) ** 2).sum(-1)
    )
    return np.divide(shared, spread, out=np.full(np.shape(shared), np.nan), where=spread > 1e-12)


def _ranks(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Middle ranks (..., N), counted from 0, of the clips as often as they count."""
    order = np.argsort(values, kind="stable")
    different, group = np.unique(values, return_inverse=True)
    starts = np.searchsorted(values[order], different)
    held = np.add.reduceat(weight[..., order], starts, axis=-1)
    return (held.cumsum(-1) - held / 2)[..., group]


def calibration_bins(
    probability: np.ndarray,
    happened: np.ndarray,
    weight: np.ndarray | None = None,
    bins: int = 10,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What was said and what happened, in equal bins of probability.

    Args:
        probability: said of each clip (N,), in [0, 1].
        happened: (N,), bool.

    Returns:
        Weight, mean probability and frequency of each bin, (..., bins); nan in empty bins.
    """
    weight = _each(probability, weight)
    inside = np.minimum((probability * bins).astype(int), bins - 1)[:, None] == np.arange(bins)
    held = weight @ inside.astype(float)
    said = ratio(weight @ (inside * probability[:, None]), held)
    return held, said, ratio(weight @ (inside * happened[:, None].astype(float)), held)


def calibration_error(
    probability: np.ndarray, happened: np.ndarray, weight: np.ndarray | None = None
) -> np.ndarray:
    """Expected calibration error: the bins' mean gap between said and happened, by their weight."""
    held, said, frequency = calibration_bins(probability, happened, weight)
    return ratio((held * np.nan_to_num(np.abs(said - frequency))).sum(-1), held.sum(-1))


def standardised(scores: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Scores (N, K) at zero mean and unit deviation within each group (N,); constant ones at 0."""
    found = np.zeros_like(scores, dtype=float)
    for group in np.unique(groups):
        inside = groups == group
        centred = scores[inside] - scores[inside].mean(0)
        spread = centred.std(0)
        found[inside] = np.where(spread > 1e-12, centred / np.maximum(spread, 1e-12), 0)
    return found


def projected_out(scores: np.ndarray, words: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """What scores (N, K) hold beyond the words: residuals of least squares within each group.

    Args:
        words: (N, K), what the transcript alone says for each column.
        groups: (N,), such as the voice; each has its own slopes and levels.
    """
    found = np.zeros_like(scores, dtype=float)
    for group in np.unique(groups):
        inside = groups == group
        said = words[inside] - words[inside].mean(0)
        centred = scores[inside] - scores[inside].mean(0)
        slope = np.nan_to_num(ratio((said * centred).sum(0), (said * said).sum(0)))
        left = centred - slope * said
        # Where words explain everything, the rest is the noise of rounding and has no order.
        found[inside] = np.where(np.abs(left) > 1e-9 * centred.std(0), left, 0)
    return found


def _each(values: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
    return np.ones(len(values)) if weight is None else weight
