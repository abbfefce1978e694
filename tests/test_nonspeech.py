"""Generated non-speech: lengths, levels, repetition and variety."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from conditioning.errors import UnknownName
from training.nonspeech import KINDS, PEAK_DB, SECONDS, sounds

RATE = 16000


@pytest.fixture(scope="module")
def made() -> dict[str, list]:
    """Two sounds of each kind."""
    every = list(sounds(2 * len(KINDS)))
    return {kind: every[place :: len(KINDS)] for place, kind in enumerate(KINDS)}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_audible_of_a_length_asked_for_and_within_full_scale(made, kind):
    for audio in made[kind]:
        assert audio.sample_rate == RATE
        assert SECONDS[0] - 0.01 <= audio.duration <= SECONDS[1] + 0.01
        assert PEAK_DB[0] - 0.1 <= audio.peak_db <= PEAK_DB[1] + 0.1
        assert audio.rms_db > audio.peak_db - 50  # more than one click in silence


def test_a_seed_gives_the_same_sounds_and_another_seed_others(made):
    count = len(KINDS)
    for (one, _), same, other in zip(made.values(), sounds(count), sounds(count, 1), strict=True):
        assert np.array_equal(one.samples, same.samples)
        assert not np.array_equal(one.samples, other.samples)


def test_a_kind_held_out_leaves_the_others_as_they_were(made):
    kept = ["birds", "hum", "solo"]
    for kind, audio in zip(kept, sounds(3, kinds=kept), strict=True):
        assert np.array_equal(audio.samples, made[kind][0].samples)


def test_a_kind_varies_from_turn_to_turn(made):
    for first, second in made.values():
        assert len(first.samples) != len(second.samples)


def test_every_kind_differs_from_every_other_given_the_same_chances():
    drawn = {kind: make(np.random.default_rng(5), 2.0, RATE) for kind, make in KINDS.items()}
    for a, b in combinations(KINDS, 2):
        assert len(drawn[a]) == len(drawn[b]) == 2 * RATE
        assert abs(np.corrcoef(drawn[a], drawn[b])[0, 1]) < 0.9, (a, b)


@pytest.mark.parametrize("rate", [8000, 24000])
def test_other_rates_give_sounds_of_those_rates(rate):
    assert all(audio.sample_rate == rate for audio in sounds(len(KINDS), rate=rate))


def test_a_tone_has_its_pitch_at_every_rate():
    low, high = (next(sounds(1, 5, rate, ["tone"])) for rate in (16000, 48000))
    peaks = [np.abs(np.fft.rfft(a.samples)).argmax() / a.duration for a in (low, high)]
    assert peaks[0] == pytest.approx(peaks[1], abs=3)


def test_an_unknown_kind_is_refused_with_the_nearest_named():
    with pytest.raises(UnknownName, match="birds"):
        next(sounds(1, kinds=["bird"]))
