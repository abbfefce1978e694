"""Manners, pauses, blends and personas in a performance, on a backbone that hums."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from toys import RATE, VOICES, HummingBackbone, InkMarker

from conditioning.direction import direct
from conditioning.errors import InvalidInput, UnknownName
from conditioning.manner import BOUNDS, CONTROLS, Manner
from voice_actor.acting import Acting
from voice_actor.actor import VoiceActor
from voice_actor.adapter import EmotionAdapter
from voice_actor.manners import SHARES, add_manners
from voice_actor.phonemes import phonemize

LINE = "I told you that the train leaves at nine."


@pytest.fixture
def actor() -> VoiceActor:
    return VoiceActor(HummingBackbone(), EmotionAdapter.seeded(), InkMarker())


def spoken(actor: VoiceActor, *manners, pauses=(), voice="bm_george"):
    directed = replace(direct(LINE), manners=manners, pauses=pauses)
    return actor.perform(LINE, directed, voice)


def plan_of(actor: VoiceActor, *manners) -> Acting:
    (phrase,) = phonemize(LINE, "gb")
    return add_manners(Acting.neutral(len(phrase.phonemes) + 2), phrase, manners)


@pytest.mark.parametrize("control", CONTROLS)
def test_every_control_of_a_manner_changes_the_acting_and_nothing_else_does(actor, control):
    value = max(BOUNDS[control], key=abs)
    changed = plan_of(actor, (0, len(LINE), Manner(**{control: value})))
    assert not changed.is_neutral
    assert plan_of(actor, (0, len(LINE), Manner())).is_neutral
    for name, share in SHARES[control].items():
        assert torch.allclose(getattr(changed, name), torch.tensor(share * value))


def test_a_manner_holds_where_it_is_asked(actor):
    changed = plan_of(actor, (2, 10, Manner(pitch=3.0)))
    (phrase,) = phonemize(LINE, "gb")
    for phoneme, shift in zip(phrase.phonemes, changed.f0_shift[1:-1], strict=True):
        inside = 2 <= (phoneme.start + phoneme.end) / 2 < 10
        assert float(shift) == (3.0 if inside else 0.0)


def test_manners_that_overlap_add_up(actor):
    changed = plan_of(actor, (0, 20, Manner(pitch=1.0)), (0, len(LINE), Manner(pitch=2.0)))
    assert float(changed.f0_shift[1]) == 3.0
    assert float(changed.f0_shift[-1]) == 2.0


def test_fast_is_shorter_and_high_is_higher(actor):
    plain = spoken(actor)
    fast = spoken(actor, (0, len(LINE), Manner(pace=0.5)))
    assert fast.audio.duration < 0.9 * plain.audio.duration
    high = spoken(actor, (0, len(LINE), Manner(pitch=5.0)))
    crossings = [np.diff(np.signbit(each.audio.samples)).sum() for each in (plain, high)]
    assert crossings[1] > 1.2 * crossings[0]


def test_a_whisper_has_no_voice(actor):
    whispered = spoken(actor, (0, len(LINE), Manner(whisper=1.0)))
    # The toy hums only what has a pitch.
    assert np.abs(whispered.audio.samples[:-1]).max() < 1e-3


def test_a_pause_is_silence_of_its_length_before_the_next_word(actor):
    place = LINE.index("the train")
    plain, paused = spoken(actor), spoken(actor, pauses=((place, 0.8),))
    begin = next(word.start for word in paused.words if word.label == "the")
    first, last = round((begin - 0.8) * RATE), round(begin * RATE)
    assert not paused.audio.samples[first + 1 : last].any()
    # A phrase of its own has silent ends of its own.
    assert paused.audio.duration >= plain.audio.duration + 0.8
    assert [word.label for word in paused.words] == [word.label for word in plain.words]


@pytest.mark.parametrize("place", [0, len(LINE)])
def test_a_pause_at_an_end_of_the_line_is_kept(actor, place):
    plain, paused = spoken(actor), spoken(actor, pauses=((place, 0.5),))
    assert paused.audio.duration == pytest.approx(plain.audio.duration + 0.5)
    shift = 0.5 if place == 0 else 0.0
    assert paused.words[0].start == pytest.approx(plain.words[0].start + shift)


def test_the_stream_with_pauses_joined_is_the_whole(actor):
    directed = replace(direct(LINE), pauses=((11, 0.3), (len(LINE), 0.2)))
    pieces = [piece.audio.samples for piece in actor.stream(LINE, directed, "bm_george")]
    whole = actor.perform(LINE, directed, "bm_george").audio.samples
    assert np.array_equal(np.concatenate(pieces), whole)


def test_a_blend_lies_between_its_voices(actor):
    style = actor._style("af_heart*0.75+bm_george*0.25", 10)
    expected = 0.75 * VOICES["af_heart"] + 0.25 * VOICES["bm_george"]
    assert torch.allclose(style, torch.full((256,), expected))
    performance = actor.perform(LINE, voice="af_heart*3+bm_george")
    assert performance.casting.voice == "af_heart*3+bm_george"


def test_a_blend_with_an_unknown_voice_is_refused(actor):
    with pytest.raises(UnknownName, match="af_hart"):
        actor.perform(LINE, voice="af_hart+bm_george")


def test_a_direction_made_for_another_line_is_refused(actor):
    with pytest.raises(InvalidInput, match="was made for"):
        actor.perform("Another line.", direct(LINE, "sad"))


def test_the_direction_casts_the_voice_unless_one_is_named(actor):
    assert actor.perform(LINE, "a sad old man").voice == "bm_george"
    assert actor.perform(LINE, "sad").voice == "af_heart"
    kept = actor.perform(LINE, "a sad old man", "af_heart")
    assert kept.voice == "af_heart"
    assert kept.casting.notes
