"""Auditions: takes that differ as an actor's do, ranked by what a toy estimator hears."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from toys import HummingBackbone, InkMarker, ToyEstimator

from conditioning.emotion import EmotionVector
from conditioning.errors import InvalidInput, UnknownName
from conditioning.estimator import EmotionEstimator, Estimate
from voice_actor.acting import CONTROLS, Acting
from voice_actor.actor import VoiceActor
from voice_actor.adapter import LIMITS, EmotionAdapter
from voice_actor.audition import SPREAD, Variation, asked_in, judge

LINE = "I told you that the train leaves at nine."
ANGRY = EmotionVector({"Anger": 0.5})


@pytest.fixture(scope="module")
def actor() -> VoiceActor:
    return VoiceActor(HummingBackbone(), EmotionAdapter.seeded(), InkMarker())


@pytest.fixture(scope="module")
def takes(actor):
    return actor.audition(LINE, ANGRY, "af_heart", takes=5, estimator=ToyEstimator())


def heard(**told) -> Estimate:
    """An estimate of these intensities, and of "valence" and "arousal"."""
    place = {name: told.pop(name, 0.0) for name in ("valence", "arousal")}
    support = {"Anger": "acted", "Sadness": "acted", "Pain": "synthetic", "Awe": "inferred"}
    return Estimate(
        EmotionVector(told), **place, dominance=0.0, neutral=0.0, strength=0.0, speech=True,
        support=support, reliability={}, start=0.0, end=1.0,
    )  # fmt: skip


def asking(actor, direction):
    return actor.perform(LINE, direction, "af_heart")


def test_takes_come_best_first(takes):
    scores = [take.score for take in takes]
    assert scores == sorted(scores, reverse=True)
    assert sorted(take.number for take in takes) == [0, 1, 2, 3, 4]


def test_the_best_take_is_heard_nearest_to_what_was_asked(takes):
    def away(take):
        known = take.heard[0].intensities
        return np.hypot(known["Anger"] - 0.5, known["Impatience and Irritability"])

    assert [away(take) for take in takes] == sorted(map(away, takes))
    assert "Anger" in takes[0].reason


def test_no_two_takes_are_the_same(takes):
    sounds = [take.performance.audio.samples for take in takes]
    for index, one in enumerate(sounds):
        for other in sounds[index + 1 :]:
            assert len(one) != len(other) or not np.array_equal(one, other)


def test_take_0_is_the_plain_performance(actor, takes):
    (plain,) = (take for take in takes if take.number == 0)
    performed = actor.perform(LINE, ANGRY, "af_heart")
    assert np.array_equal(plain.performance.audio.samples, performed.audio.samples)


def test_the_same_seed_gives_the_same_takes_and_another_does_not(actor, takes):
    again, other = (
        actor.audition(LINE, ANGRY, "af_heart", takes=3, seed=seed, estimator=ToyEstimator())
        for seed in (0, 1)
    )
    known = {take.number: take for take in takes}
    for take in again:
        same = known[take.number].performance.audio.samples
        assert np.array_equal(take.performance.audio.samples, same)
    assert {take.score for take in other}.isdisjoint(take.score for take in again)


def test_those_kept_are_the_best_of_all(actor, takes):
    kept = actor.audition(LINE, ANGRY, "af_heart", takes=5, keep=2, estimator=ToyEstimator())
    assert [take.number for take in kept] == [take.number for take in takes[:2]]


def test_takes_of_a_neutral_line_are_scored_by_how_neutral_they_are(actor):
    takes = actor.audition(LINE, None, "af_heart", takes=3, estimator=ToyEstimator())
    felt = [sum(intensity for _, intensity in take.heard[0].top(2)) for take in takes]
    assert felt == sorted(felt)
    assert takes[0].score > 0.9


def test_a_line_that_changes_is_heard_in_windows(actor):
    text = " ".join([LINE] * 3)
    (take,) = actor.audition(text, "sad -> furious", takes=1, estimator=ToyEstimator())
    assert len(take.heard) > 3
    asked = [asked_in(take.performance, estimate)["Anger"] for estimate in take.heard]
    assert asked == sorted(asked)
    assert asked[-1] > asked[0] + 0.3


def test_an_estimator_without_baselines_can_judge(actor, monkeypatch):
    def refuse(self, takes):
        raise InvalidInput("no baseline")

    monkeypatch.setattr(ToyEstimator, "baseline", refuse)
    takes = actor.audition(LINE, ANGRY, "af_heart", takes=2, estimator=ToyEstimator())
    assert len(takes) == 2


def test_the_permissive_estimator_listens_unless_another_is_given(actor, monkeypatch):
    asked = []
    monkeypatch.setattr(
        EmotionEstimator, "load", staticmethod(lambda name: asked.append(name) or ToyEstimator())
    )
    actor.audition(LINE, ANGRY, "af_heart", takes=1)
    assert asked == ["permissive"]


def test_the_score_is_one_for_just_what_was_asked_and_zero_for_nothing(actor):
    angry = asking(actor, ANGRY)
    assert judge(angry, [heard(Anger=0.5)])[0] == pytest.approx(1)
    assert judge(angry, [heard()])[0] == pytest.approx(0)
    half, mixed = (judge(angry, [heard(Anger=0.25, Sadness=s)])[0] for s in (0, 0.3))
    assert 0 < half < 1
    assert mixed < half


def test_what_an_estimator_only_infers_is_scored_by_valence_and_arousal(actor):
    awed = EmotionVector({"Awe": 0.8})
    near = heard(Awe=0, valence=awed.valence, arousal=awed.arousal)
    far = heard(Awe=1, valence=-awed.valence, arousal=-awed.arousal)
    performance = asking(actor, awed)
    assert judge(performance, [near])[0] == pytest.approx(1)
    assert judge(performance, [far])[0] < 0
    assert "arousal" in judge(performance, [near])[1]


def test_a_take_in_which_no_speech_is_heard_is_the_worst(actor):
    angry = asking(actor, ANGRY)
    silent = Estimate.without_speech(0, 1, "toy")
    assert judge(angry, [silent]) == (-1, "no speech")
    assert judge(angry, [heard()])[0] > -1


def test_a_variation_stays_small_and_within_the_limits():
    for seed in range(50):
        variation = Variation.of(seed, 1)
        assert 0.85 <= variation.strength <= 1.2
        for name, offset in variation.offsets.items():
            assert abs(offset) <= 2 * SPREAD[name]
        for asked in (LIMITS, dict.fromkeys(CONTROLS, (0.0, 0.0))):
            acting = Acting(**{name: torch.tensor(asked[name]) for name in CONTROLS})
            varied = variation.vary(acting)
            for name in CONTROLS:
                low, high = LIMITS[name]
                assert (getattr(varied, name) >= low).all()
                assert (getattr(varied, name) <= high).all()


def test_the_plain_variation_changes_nothing():
    beyond = Acting(**{name: torch.tensor([100.0, -100.0]) for name in CONTROLS})
    varied = Variation.of(7, 0).vary(beyond)
    assert all(torch.equal(getattr(varied, name), getattr(beyond, name)) for name in CONTROLS)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"takes": 0}, "takes to speak is 0"),
        ({"takes": 65}, "1 to 64"),
        ({"takes": True}, "True"),
        ({"takes": 2, "keep": 3}, "takes to keep is 3; allowed: whole numbers from 1 to 2"),
        ({"keep": 0}, "takes to keep is 0"),
        ({"direction": "qwertz"}, "qwertz"),
        ({"voice": "af_haert"}, "af_haert"),
    ],
)
def test_what_cannot_be_is_refused_before_the_estimator_is_loaded(
    actor, monkeypatch, arguments, message
):
    monkeypatch.setattr(EmotionEstimator, "load", lambda *_: pytest.fail("was loaded"))
    with pytest.raises((InvalidInput, UnknownName), match=message) as caught:
        actor.audition(LINE, **{"voice": "af_heart", **arguments})
    assert "\n" not in str(caught.value)
