"""Mouth cues: shapes where the phonemes are, in Rhubarb's formats."""

from __future__ import annotations

import json

import numpy as np
import pytest

from conditioning.audio import Audio
from voice_actor.mouth import (
    _OCULUS,
    RHUBARB,
    VISEMES,
    mouth_cues,
    rhubarb_json,
    rhubarb_tsv,
    viseme_cues,
    viseme_weights,
)
from voice_actor.performance import Timed
from voice_actor.phonemes import _SOUNDS, phonemize

STEP = 0.1  # s, of each phoneme below


class Spoken:
    """A phrase whose phoneme times are known: each lasts 0.1 s, after 0.3 s of silence."""

    def __init__(self, symbols: str, before: float = 0.3, after: float = 0.3):
        self.phonemes = tuple(
            Timed(symbol, before + STEP * place, before + STEP * (place + 1))
            for place, symbol in enumerate(symbols)
        )
        duration = before + STEP * len(symbols) + after
        self.audio = Audio(np.zeros(round(duration * 24_000), np.float32), 24_000)


def shapes(symbols: str) -> str:
    return "".join(cue.shape for cue in mouth_cues(Spoken(symbols)))


@pytest.mark.parametrize(
    ("symbols", "expected"),
    [
        ("mˈɑm", "XADAX"),
        ("fˈIv", "XGDBGX"),  # a gliding vowel opens and closes
        ("lˈuz", "XHFBX"),
        ("hˈW", "XDFX"),  # h is spoken with the mouth of what follows
        ("hmm", "XAX"),
        ("bˈi mˈi", "XABABX"),  # between words of a breath nothing closes
        ("bˈi, mˈi", "XABXABX"),
        ("sˈiːn", "XBX"),  # neighbours differ
        ("çˈɑ", "XBDX"),  # a sound that English does not have
    ],
)
def test_sounds_have_rhubarbs_shapes(symbols, expected):
    assert shapes(symbols) == expected


def test_a_shape_begins_and_ends_with_its_sound():
    cues = {cue.shape: cue for cue in mouth_cues(Spoken("mˈɑ, vˈɔ."))}
    # The stress mark belongs to the vowel after it.
    assert cues["A"][1:] == pytest.approx((0.3, 0.4))
    assert cues["D"][1:] == pytest.approx((0.4, 0.6))
    assert cues["G"][1:] == pytest.approx((0.8, 0.9))
    assert cues["E"][1:] == pytest.approx((0.9, 1.1))


def test_the_mouth_is_told_from_the_beginning_to_the_end_without_a_gap(humming):
    performance = humming.perform("Oh, five boats. My boy — how loud!", "furious", "af_heart")
    cues = mouth_cues(performance)
    assert cues[0].start == 0
    assert cues[-1].end == performance.audio.duration
    for cue, after in zip(cues, cues[1:], strict=False):
        assert cue.end == after.start
        assert cue.shape != after.shape


def test_boundaries_are_those_of_the_phonemes(humming):
    performance = humming.perform("My papa bought a small fine boat, fool.", None, "af_heart")
    edges = {round(time, 6) for each in performance.phonemes for time in each[1:]}
    middles = {"F", "B"}  # a gliding vowel changes within itself
    for cue in mouth_cues(performance)[1:]:
        assert cue.shape in middles or round(cue.start, 6) in edges


def test_the_json_is_what_rhubarb_writes(humming):
    performance = humming.perform("Five boats.", None, "af_heart")
    written = json.loads(json.dumps(rhubarb_json(mouth_cues(performance), "a.wav")))
    assert set(written) == {"metadata", "mouthCues"}
    assert written["metadata"] == {
        "soundFile": "a.wav",
        "duration": round(performance.audio.duration, 2),
    }
    for cue in written["mouthCues"]:
        assert set(cue) == {"start", "end", "value"}
        assert cue["value"] in "ABCDEFGHX"
        assert cue["start"] < cue["end"]


def test_the_tsv_ends_with_the_end(humming):
    performance = humming.perform("Five boats.", None, "af_heart")
    rows = [row.split("\t") for row in rhubarb_tsv(mouth_cues(performance)).splitlines()]
    assert rows[-1] == [f"{performance.audio.duration:.2f}", "X"]
    assert [float(time) for time, _ in rows] == sorted(float(time) for time, _ in rows)


def test_every_english_sound_has_a_shape():
    text = "The quick brown fox jumps over the lazy dog; measure, child, judge, sing, though, thin."
    for accent in ("us", "gb"):
        for phrase in phonemize(text, accent):
            used = {each.symbol for each in phrase.phonemes} & _SOUNDS
            for table in (RHUBARB, _OCULUS):
                assert used - {"h"} <= set(table)


def test_visemes_are_oculuss_and_blend_into_each_other():
    spoken = Spoken("mˈɑ, fˈI.")
    assert [cue.shape for cue in viseme_cues(spoken)] == "sil PP aa sil FF aa I sil".split()
    weights = viseme_weights(spoken, rate=100)
    assert weights.shape == (round(100 * spoken.audio.duration) + 1, len(VISEMES))
    assert weights.min() >= -1e-9
    assert weights.sum(axis=1) == pytest.approx(1)
    lips, open_mouth = (weights[:, VISEMES.index(name)] for name in ("PP", "aa"))
    assert (lips[35], open_mouth[35]) == pytest.approx((1, 0), abs=1e-6)  # in the middle of m
    assert (lips[40], open_mouth[40]) == pytest.approx((0.5, 0.5))  # where one passes to the other
    assert open_mouth[50] == pytest.approx(1)
