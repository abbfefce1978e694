"""A point on a pad of valence and arousal becomes an emotion that lies there."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conditioning.emotion import EmotionVector
from conditioning.errors import InvalidInput
from conditioning.place import OUTLINE, REACHED, TRIANGLES, place_of, vector_at
from voice_actor.adapter import EmotionAdapter

COORDINATE = st.floats(-1, 1)
SHARES = st.lists(st.floats(0, 1), min_size=len(REACHED), max_size=len(REACHED)).filter(any)


@given(SHARES)
def test_every_place_that_a_mixture_has_is_reached_exactly(shares):
    mixture = EmotionVector(
        {name: share / max(1.0, sum(shares)) for name, share in zip(REACHED, shares, strict=True)}
    )
    vector = vector_at(mixture.valence, mixture.arousal)
    assert vector.valence == pytest.approx(mixture.valence, abs=1e-8)
    assert vector.arousal == pytest.approx(mixture.arousal, abs=1e-8)


@given(COORDINATE, COORDINATE, SHARES)
def test_no_mixture_lies_nearer_to_a_point_than_its_vector(valence, arousal, shares):
    vector = vector_at(valence, arousal)
    other = EmotionVector(dict(zip(REACHED, shares, strict=True)))
    assert _away(vector, valence, arousal) <= _away(other, valence, arousal) + 1e-8


@given(COORDINATE, COORDINATE)
def test_few_emotions_are_asked_for_and_never_more_than_one_in_full(valence, arousal):
    vector = vector_at(valence, arousal)
    assert len(vector.items()) <= (3 if "Fear" in dict(vector.items()) else 2)
    assert sum(vector.to_list()) <= 1 + 1e-9


@given(COORDINATE, COORDINATE, st.floats(-math.pi, math.pi))
def test_a_small_move_makes_a_small_change(valence, arousal, way):
    step = 1e-4
    near = (
        min(max(valence + step * math.cos(way), -1), 1),
        min(max(arousal + step * math.sin(way), -1), 1),
    )
    # 24 is the steepest triangle's slope, between Anger and Fear.
    assert vector_at(valence, arousal).distance(vector_at(*near)) <= 24 * step


def test_the_middle_is_neutral():
    assert vector_at(0, 0).is_neutral


@pytest.mark.parametrize("name", REACHED)
def test_the_place_of_an_emotion_is_that_emotion(name):
    assert dict(vector_at(*place_of(name)).items()) == pytest.approx({name: 1.0})


def test_half_the_way_to_an_emotion_is_half_of_it():
    valence, arousal = place_of("Anger")
    assert dict(vector_at(valence / 2, arousal / 2).items()) == pytest.approx({"Anger": 0.5})


def test_the_emotions_are_those_that_the_adapter_was_rehearsed_in():
    support = EmotionAdapter.load().support
    assert set(REACHED) == {name for name, known in support.items() if known.kind == "rehearsed"}


def test_the_triangles_cover_the_outline_without_overlapping():
    whole = sum(
        _cross(place_of(start), place_of(end))
        for start, end in zip(OUTLINE, (*OUTLINE[1:], OUTLINE[0]), strict=True)
    )
    parts = 0.0
    for corners in TRIANGLES:
        one, two, three = map(place_of, corners)
        parts += abs(_cross(one, two) + _cross(two, three) + _cross(three, one))
    assert parts == pytest.approx(whole)


@pytest.mark.parametrize(
    "wrong",
    [math.nan, math.inf, 1.01, -1.01, 10**400, "up", None],
    ids=lambda value: str(value)[:8],
)
def test_what_is_no_coordinate_is_refused(wrong):
    with pytest.raises(InvalidInput, match="valence"):
        vector_at(wrong, 0)
    with pytest.raises(InvalidInput, match="arousal"):
        vector_at(0, wrong)


def _away(vector: EmotionVector, valence: float, arousal: float) -> float:
    return math.hypot(vector.valence - valence, vector.arousal - arousal)


def _cross(one: tuple[float, float], other: tuple[float, float]) -> float:
    return one[0] * other[1] - one[1] * other[0]
