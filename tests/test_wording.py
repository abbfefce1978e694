"""Explicit words of a direction: what is held back, put on, denied, or felt by somebody else."""

from __future__ import annotations

import pytest

from conditioning.emotion import EmotionVector
from conditioning.errors import InvalidInput
from conditioning.lexicon import (
    DEGREES,
    FEIGNED,
    FILLERS,
    HELD,
    LEXICON,
    NEGATIONS,
    NO_PERSONS,
    PEOPLE,
    SPEAKER_VERBS,
    TOWARDS,
)
from conditioning.wording import LONGEST_DIRECTION, parse_direction, understand


def felt(words: str) -> dict[str, float]:
    return understand(words).vector.to_json()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("trying not to cry", {"Sadness": 0.56, "Distress": 0.49}),
        ("She is trying not to cry.", {"Sadness": 0.56, "Distress": 0.49}),
        ("hiding her fear", {"Fear": 0.42}),
        ("hiding her fear and anger", {"Fear": 0.42, "Anger": 0.42}),
        ("hiding her fear, angry", {"Fear": 0.42, "Anger": 0.6}),
        ("hiding her fear but angry", {"Fear": 0.42, "Anger": 0.6}),
        ("contained rage", {"Anger": 0.665}),
        ("on the verge of tears", {"Sadness": 0.42, "Distress": 0.28}),
        ("pretending to be happy", {"Elation": 0.36}),
        ("false cheerfulness", {"Elation": 0.36}),
    ],
)
def test_what_is_held_back_or_put_on_is_heard_less(words, expected):
    assert felt(words) == pytest.approx(expected)


def test_what_cannot_be_hidden_is_heard_more():
    assert felt("can't hide her joy")["Elation"] > felt("joy")["Elation"]


def test_restraint_that_nothing_follows_is_reported():
    assert understand("fighting back").ignored == ("fighting back",)
    assert understand("fighting back tears").ignored == ()


@pytest.mark.parametrize("words", ["anything but happy", "far from happy", "nothing happy"])
def test_roundabout_denials_count_for_nothing(words):
    reading = parse_direction(words)
    assert reading.vector.is_neutral
    assert reading.evidence[0].why.startswith("negated by")


@pytest.mark.parametrize(
    ("words", "other", "own"),
    [
        ("a caring nurse comforting a worried patient", "Distress", "Affection"),
        ("like a proud father to a nervous bride", "Fear", "Pride"),
        ("sad, to an angry crowd", "Anger", "Sadness"),
        ("furious at a laughing pupil", "Amusement", "Anger"),
        ("afraid of the angry dog", "Anger", "Fear"),
        ("amused by his furious old neighbour", "Anger", "Amusement"),
        ("caring, comforting worried patients", "Distress", "Affection"),
        ("amused, calming frightened children", "Fear", "Amusement"),
        ("a proud king to a scared servant", "Fear", "Pride"),
        ("calm, beside a worried mother", "Distress", "Contentment"),
        ("glad, mocking a sad clown", "Sadness", "Contentment"),
        ("tired, and his frightened sister too", "Fear", "Fatigue/Exhaustion"),
        ("upset because her brother is angry", "Anger", "Distress"),
    ],
)
def test_what_others_feel_is_not_asked_of_the_speaker(words, other, own):
    reading = parse_direction(words)
    assert reading.vector[other] == 0
    assert reading.vector[own] > 0
    assert any(item.why.startswith("felt by the") for item in reading.evidence)


@pytest.mark.parametrize(
    ("words", "own"),
    [
        ("like an angry teacher", "Anger"),
        ("a worried patient", "Distress"),
        ("she is a bitter old woman", "Bitterness"),
        ("in the voice of a weary traveller", "Fatigue/Exhaustion"),
        ("playing a jealous husband", "Jealousy & Envy"),
        ("with a bitter whisper", "Bitterness"),
        ("reading it as an excited child", "Elation"),
        ("like her frightened sister", "Fear"),
    ],
)
def test_a_person_who_is_the_speaker_feels_what_is_said(words, own):
    assert parse_direction(words).vector[own] > 0


def test_somebody_else_and_signs_around_words_are_not_reported():
    assert understand("comforting a worried old patient").ignored == ()
    assert understand('["sad"]').ignored == ()


@pytest.mark.parametrize("words", ["about 70% sure, sad", "sad, roughly 0.5 as loud as usual"])
def test_a_number_in_prose_is_given_to_nothing(words):
    assert felt(words) == {"Sadness": 0.6}


def test_an_emotion_word_within_a_longer_manner_is_a_manner():
    assert understand("a trembling voice", [(2, 17)]).vector.is_neutral
    assert not understand("a trembling voice", [(2, 11)]).vector.is_neutral


def test_words_that_mean_something_else_are_not_reported():
    assert understand("old, sad").ignored == ("old",)
    assert understand("old, sad", [(0, 3)]).ignored == ()


def test_a_direction_may_name_no_emotion_where_that_is_allowed():
    assert understand("a pirate").vector == EmotionVector()
    assert understand("a pirate").unread
    assert not understand("7 !").unread
    with pytest.raises(InvalidInput, match="names an emotion"):
        parse_direction("a pirate")


def test_a_direction_that_is_too_long_says_how_long_it_may_be():
    with pytest.raises(InvalidInput, match="has 10,000 characters; at most 5,000"):
        parse_direction("sad, very " * 1000)
    assert len("sad " * 1250) == LONGEST_DIRECTION
    assert felt("sad " * 1250) == {"Sadness": 0.6}


def test_no_word_of_the_lists_has_two_jobs():
    lists = [set(LEXICON), set(DEGREES), set(NEGATIONS), set(HELD), set(FEIGNED), set(FILLERS)]
    for index, words in enumerate(lists):
        for others in lists[index + 1 :]:
            assert not words & others
    assert not PEOPLE & (NO_PERSONS | TOWARDS | SPEAKER_VERBS)
