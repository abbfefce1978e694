"""Which characters sound alike, and what voice would set them apart."""

from __future__ import annotations

from itertools import combinations

import pytest

from conditioning.errors import InvalidInput, UnknownName
from voice_actor.production.alike import ALIKE, alike, likeness
from voice_actor.production.draft import draft_cast
from voice_actor.scripts import ScriptLine
from voice_actor.voices import cast

NAMES = [voice.name for voice in cast()]


def test_every_voice_of_the_cast_is_compared_with_every_other():
    for one, other in combinations(NAMES, 2):
        assert 0 < likeness(one, other) < 1
        assert likeness(one, other) == likeness(other, one)
    assert all(likeness(name, name) == pytest.approx(1) for name in NAMES)


def test_the_most_alike_are_of_one_gender_and_hardly_any_pair_is_alike():
    values = {pair: likeness(*pair) for pair in combinations(NAMES, 2)}
    pairs = [pair for pair, value in values.items() if value >= ALIKE]
    assert 0 < len(pairs) < 0.05 * len(values)
    assert all(one[1] == other[1] for one, other in pairs)
    assert max(values, key=values.get) == ("af_bella", "af_heart")


def test_a_blend_is_nearer_to_its_larger_part_and_to_each_than_they_are():
    blend = "af_heart*0.7+am_onyx*0.3"
    near, far = likeness(blend, "af_heart"), likeness(blend, "am_onyx")
    assert 1 > near > far > likeness("af_heart", "am_onyx")
    assert likeness(blend, " am_onyx*3 + af_heart*7") == pytest.approx(1)


def test_characters_who_sound_alike_are_told_with_a_voice_that_sets_them_apart():
    voices = {"Bran": "am_puck", "Ada": "af_heart", "Cai": "am_echo", "Dot": "bf_emma"}
    (pair,) = alike(voices)
    assert (pair.character, pair.other, pair.voice) == ("Bran", "Cai", "")
    assert pair.cosine == likeness("am_puck", "am_echo")
    assert pair.told == (
        f"Bran and Cai sound alike ({pair.cosine:.2f}): give one of them another voice, "
        f"such as {pair.instead}."
    )
    assert pair.instead[1] == "m"
    nearest = max(likeness(pair.instead, voice) for voice in voices.values())
    others = [name for name in NAMES if name[1] == "m" and name not in voices.values()]
    assert nearest == min(
        max(likeness(each, voice) for voice in voices.values()) for each in others
    )
    assert not alike({**voices, "Cai": pair.instead})


def test_one_voice_is_alike_whoever_has_it():
    (pair,) = alike({"Bran": "bm_george", "Ada": "bm_george*2"})
    assert pair.cosine == pytest.approx(1)
    assert "have the same voice, bm_george, which no persona hides" in pair.told


def test_the_most_alike_come_first_and_each_gets_a_voice_of_their_own():
    voices = {"A": "af_heart", "B": "af_bella", "C": "af_heart", "D": "am_puck", "E": "am_echo"}
    pairs = alike(voices)
    cosines = [pair.cosine for pair in pairs]
    assert cosines == sorted(cosines, reverse=True)
    assert [(pair.character, pair.other) for pair in pairs][0] == ("A", "C")
    instead = {pair.other: pair.instead for pair in pairs}
    assert all(instead.values())
    assert len(set(instead.values())) == len(instead) == 3


def test_nothing_is_suggested_where_everybody_left_sounds_like_somebody():
    members = [voice for voice in cast() if voice.name in ("af_heart", "af_bella", "am_puck")]
    (pair,) = alike({"A": "af_heart", "B": "af_heart"}, members=members)
    assert pair.instead == ""
    assert pair.told.endswith("give one of them another.")


def test_a_cast_that_was_drafted_is_not_alike_while_voices_last():
    lines = [ScriptLine(str(number), f"C{number}", "Yes.") for number in range(12)]
    assert not alike({part.character: part.voice for part in draft_cast(lines, cast())})


def test_many_characters_are_compared_at_once():
    voices = {str(number): NAMES[number % 28] for number in range(150)}
    assert len(alike(voices)) > 300


def test_voices_that_cannot_be_read_are_refused():
    with pytest.raises(UnknownName, match="Did you mean 'af_heart'"):
        alike({"A": "af_haert", "B": "af_bella"})
    with pytest.raises(InvalidInput):
        alike({"A": "af_heart*x", "B": "af_bella"})
