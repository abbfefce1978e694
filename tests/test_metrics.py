"""Measures against scikit-learn and scipy, and intervals against what resampling must give."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from training.metrics import (
    auc,
    bootstrap,
    calibration_bins,
    calibration_error,
    concordance,
    confusion,
    mean,
    mean_known,
    pearson,
    projected_out,
    rank_correlation,
    recall,
    standardised,
)

RNG = np.random.default_rng(0)
N = 60
A, B = RNG.normal(size=N).round(1), RNG.normal(size=N).round(1)  # rounded: there are ties
POSITIVE = RNG.random(N) < 0.3
TIMES = RNG.integers(0, 4, N)
ACTUAL, GUESSED = RNG.choice(["anger", "fear", "neutral"], (2, N))
MEASURES = {
    "mean": lambda at, weight=None: mean(A[at], weight),
    "recall": lambda at, weight=None: recall(
        ACTUAL[at], GUESSED[at], ["anger", "fear", "neutral"], weight
    ),
    "concordance": lambda at, weight=None: concordance(A[at], B[at], weight),
    "auc": lambda at, weight=None: auc(A[at], POSITIVE[at], weight),
    "rank correlation": lambda at, weight=None: rank_correlation(A[at], B[at], weight),
    "pearson": lambda at, weight=None: pearson(A[at], B[at], weight),
    "calibration": lambda at, weight=None: calibration_error(
        np.clip(np.abs(A[at]), 0, 1), POSITIVE[at], weight
    ),
}


@pytest.mark.parametrize("name", MEASURES)
def test_a_weight_counts_a_clip_as_if_it_were_written_out(name):
    every, written_out = np.arange(N), np.repeat(np.arange(N), TIMES)
    weighted = MEASURES[name](every, np.stack([np.ones(N), TIMES]))
    expected = [float(MEASURES[name](order)) for order in (every, written_out)]
    assert weighted == pytest.approx(expected)


def test_auc_recall_and_confusion_are_those_of_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    assert auc(A, POSITIVE) == pytest.approx(metrics.roc_auc_score(POSITIVE, A))
    some = ["anger", "neutral"]
    expected = metrics.recall_score(ACTUAL, GUESSED, labels=some, average="macro")
    assert recall(ACTUAL, GUESSED, some) == pytest.approx(expected)
    expected = metrics.confusion_matrix(ACTUAL, GUESSED, labels=some)
    assert (confusion(ACTUAL, GUESSED, some) == expected).all()


def test_correlations_are_those_of_scipy():
    assert rank_correlation(A, B) == pytest.approx(stats.spearmanr(A, B).statistic)
    assert pearson(A, B) == pytest.approx(stats.pearsonr(A, B).statistic)


def test_concordance_punishes_a_shift_and_a_scale_that_correlation_forgives():
    assert concordance(A, A) == pytest.approx(1)
    assert concordance(A, -A + 2 * A.mean()) == pytest.approx(-1)
    shift = 0.7
    assert concordance(A, A + shift) == pytest.approx(2 * A.var() / (2 * A.var() + shift**2))
    assert concordance(A, 3 * A) < 0.7


def test_what_cannot_be_measured_is_nan_and_left_out_of_means():
    assert np.isnan(auc(A, np.zeros(N, bool)))
    assert np.isnan(rank_correlation(A, np.ones(N)))
    assert np.isnan(pearson(A, np.ones(N)))
    assert np.isnan(concordance(np.ones(N), np.ones(N)))
    assert recall(ACTUAL, ACTUAL, ["anger", "envy"]) == 1
    assert mean_known([np.nan, 2.0, 4.0]) == 3


def test_an_interval_is_the_same_for_a_seed_and_whatever_the_order_of_the_rows():
    clusters = np.repeat(np.arange(12), 5)
    turned = RNG.permutation(N)

    def interval(order, seed):
        return bootstrap(
            lambda weight: mean(A[order], weight), clusters[order], draws=200, seed=seed
        )

    same, again, other = interval(np.arange(N), 1), interval(turned, 1), interval(np.arange(N), 2)
    assert (same.low, same.high) == pytest.approx((again.low, again.high))
    assert (same.low, same.high) != (other.low, other.high)
    assert same.low < same.value < same.high


def test_an_interval_of_a_mean_is_about_two_standard_errors_of_its_clusters():
    effects = np.random.default_rng(3).normal(size=100)
    values = np.repeat(effects, 20)
    found = bootstrap(lambda weight: mean(values, weight), np.repeat(np.arange(100), 20))
    assert found.high - found.low == pytest.approx(2 * 1.96 * effects.std() / 10, rel=0.15)
    alone = bootstrap(lambda weight: mean(values, weight), np.arange(2000))
    assert alone.high - alone.low < (found.high - found.low) / 3


def test_two_clusterings_are_wider_than_either():
    rng = np.random.default_rng(4)
    voice, script = (part.ravel() for part in np.indices((8, 20)))
    values = rng.normal(size=8)[voice] + rng.normal(size=20)[script]

    def width(*clusters):
        found = bootstrap(lambda weight: mean(values, weight), *clusters)
        return found.high - found.low

    assert width(voice, script) > 1.05 * max(width(voice), width(script))


def test_an_interval_of_many_clips_is_that_of_its_batches(monkeypatch):
    def interval():
        return bootstrap(lambda weight: mean(A, weight), np.arange(N), draws=50)

    whole = interval()
    monkeypatch.setattr("training.metrics._AT_ONCE", 7 * N)
    assert interval() == whole


def test_without_draws_or_without_clips_there_is_no_interval():
    found = bootstrap(lambda weight: mean(A, weight), np.arange(N), draws=0)
    assert found.value == pytest.approx(A.mean())
    assert np.isnan([found.low, found.high]).all()
    assert str(bootstrap(lambda weight: mean(A[:0], weight), [])) == "-"


def test_calibration_bins_hold_what_was_said_and_what_happened():
    said = np.array([0.05, 0.05, 0.95, 0.95, 1.0, 0.5])
    happened = np.array([False, False, True, True, False, True])
    held, probability, frequency = calibration_bins(said, happened)
    assert held.tolist() == [2, 0, 0, 0, 0, 1, 0, 0, 0, 3]
    assert probability[[0, 5, 9]] == pytest.approx([0.05, 0.5, 2.9 / 3])
    assert frequency[[0, 5, 9]] == pytest.approx([0, 1, 2 / 3])
    assert np.isnan(frequency[1])
    expected = (2 * 0.05 + 0.5 + 0.9) / 6
    assert calibration_error(said, happened) == pytest.approx(expected)


def test_standardised_scores_know_nothing_of_their_group():
    groups = np.repeat(["a", "b"], 30)
    scores = np.stack([A + 5 * (groups == "a"), np.ones(N)], axis=1)
    found = standardised(scores, groups)
    for group in "ab":
        assert found[groups == group].mean(0) == pytest.approx([0, 0], abs=1e-9)
        assert found[groups == group].std(0) == pytest.approx([1, 0])


def test_nothing_is_left_of_words_and_everything_of_what_is_not_words():
    groups = np.repeat(["a", "b"], 30)
    words = A[:, None]
    read = np.where(groups == "a", 2, -3)[:, None] * words + 4
    assert not projected_out(read, words, groups).any()
    voice = projected_out(B[:, None], words, groups)
    left = projected_out(B[:, None] + read, words, groups)
    assert left == pytest.approx(voice)
    for group in "ab":
        inside = groups == group
        assert np.corrcoef(left[inside, 0], A[inside])[0, 1] == pytest.approx(0, abs=1e-9)


def test_words_that_say_nothing_take_nothing_away():
    left = projected_out(A[:, None], np.zeros((N, 1)), np.zeros(N))
    assert left[:, 0] == pytest.approx(A - A.mean())
