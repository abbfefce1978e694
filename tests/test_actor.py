"""Acting a line: the loop from text and direction to marked samples, on a backbone that hums."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from toys import RATE, HummingBackbone, InkMarker

from conditioning import taxonomy
from conditioning.emotion import EmotionCurve, EmotionVector
from conditioning.errors import InvalidInput, UnknownName
from voice_actor.acting import CONTROLS
from voice_actor.actor import VoiceActor
from voice_actor.adapter import GROUPS, LEVELS, LIMITS, LOCAL_LIMITS, EmotionAdapter
from voice_actor.contours import Contours
from voice_actor.phonemes import phonemize

LINE = "I told you that the train leaves at nine."


@pytest.fixture
def actor() -> VoiceActor:
    return VoiceActor(HummingBackbone(), EmotionAdapter.seeded(), InkMarker())


def pitch_of(samples: np.ndarray) -> float:
    """Median pitch in Hz of a hum, from its rising zero crossings."""
    rising = np.flatnonzero((samples[:-1] <= 0) & (samples[1:] > 0))
    periods = np.diff(rising)
    return RATE / np.median(periods[periods < RATE / 50])


def rms(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(samples**2)))


def test_anger_raises_the_pitch_and_the_level(actor):
    calm, angry = (
        actor.perform(LINE, voice="bm_george"),
        actor.perform(LINE, "furious", "bm_george"),
    )
    assert pitch_of(angry.audio.samples) > 1.2 * pitch_of(calm.audio.samples)
    assert rms(angry.audio.samples) > 1.2 * rms(calm.audio.samples)


def test_more_asked_is_more_done(actor):
    pitches = [
        pitch_of(actor.perform(LINE, EmotionVector({"Anger": level}), "af_heart").audio.samples)
        for level in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    assert pitches == sorted(pitches)
    assert len(set(pitches)) == 5


def test_no_direction_is_exactly_the_backbones_own_reading(actor):
    backbone = actor.backbone
    performance = actor.perform(LINE, voice="af_heart")
    style = backbone.style("af_heart", 1)
    (phrase,) = phonemize(LINE)
    reading = backbone.read(phrase, style)
    frames = reading.durations.long()
    own = backbone.speak(reading, frames, *backbone.curves(reading, frames), style).numpy()
    assert np.array_equal(performance.audio.samples[:-1], own[:-1])


@pytest.mark.parametrize(
    "neutral", [None, "neutral", EmotionVector(), EmotionCurve.constant(EmotionVector())]
)
def test_every_way_to_ask_for_nothing_is_the_same(actor, neutral):
    plain = actor.perform(LINE, voice="af_heart").audio.samples
    assert np.array_equal(actor.perform(LINE, neutral, "af_heart").audio.samples, plain)


def test_emotion_can_change_inside_a_line(actor):
    plain = actor.perform(f"{LINE} [anger 0.001] {LINE}", voice="af_heart").audio.samples
    turned = actor.perform(f"{LINE} [anger 0.9] {LINE}", voice="af_heart").audio.samples
    ratio = [
        pitch_of(turned[part]) / pitch_of(plain[part])
        for part in (slice(0, len(turned) * 2 // 5), slice(len(turned) * 3 // 5, None))
    ]
    assert ratio[0] == pytest.approx(1, abs=0.02)
    assert ratio[1] > 1.2


def test_the_stream_joined_is_the_whole(actor):
    text = " ".join([LINE] * 12)
    pieces = list(actor.stream(text, "sad", "af_heart"))
    whole = actor.perform(text, "sad", "af_heart")
    assert len(pieces) > 1
    joined = np.concatenate([piece.audio.samples for piece in pieces])
    assert np.array_equal(joined, whole.audio.samples)
    assert sum((piece.words for piece in pieces), ()) == whole.words


def test_every_piece_of_a_stream_is_marked(actor):
    for piece in actor.stream(" ".join([LINE] * 12), voice="af_heart"):
        assert piece.audio.samples[-1] == np.float32(InkMarker.MARK)


def test_a_stream_refuses_bad_input_before_it_is_read(actor):
    with pytest.raises(UnknownName, match="Unknown voice 'af_haert'.*'af_heart'"):
        actor.stream(LINE, voice="af_haert")


def test_words_come_in_order_with_times_inside_the_sound(actor):
    performance = actor.perform(f"{LINE} {LINE}", "in pain", "af_heart")
    assert [word.label for word in performance.words] == f"{LINE} {LINE}".replace(".", "").split()
    times = [time for word in performance.words for time in (word.start, word.end)]
    assert times == sorted(times)
    assert times[0] > 0
    assert times[-1] < performance.audio.duration


def test_words_are_heard_when_they_are_said_to_be(actor):
    performance = actor.perform(LINE, "slightly sad", "af_heart")
    samples = performance.audio.samples
    for word in performance.words:
        inside = samples[round(word.start * RATE) : round(word.end * RATE)]
        assert rms(inside) > 0.05
    first, second = performance.words[:2]
    between = samples[round(first.end * RATE) + 1 : round(second.start * RATE) - 1]
    assert not len(between) or rms(between) < 0.05


def test_the_same_seed_is_the_same_take_and_another_is_not(actor):
    first, again, other = (
        actor.perform(LINE, "terrified", "af_heart", seed=seed).audio.samples for seed in (3, 3, 4)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("name", taxonomy.NAMES)
def test_every_emotion_changes_the_sound_and_never_clips(actor, name):
    plain = actor.perform(LINE, voice="bm_george").audio.samples
    acted = actor.perform(LINE, EmotionVector({name: 1.0}), "bm_george").audio.samples
    assert len(acted) != len(plain) or not np.array_equal(acted, plain)
    assert np.abs(acted).max() <= 1
    assert np.isfinite(acted).all()


def test_all_emotions_at_once_stay_within_the_limits(actor):
    everything = EmotionVector(dict.fromkeys(taxonomy.NAMES, 1.0))
    (phrase,) = phonemize(LINE)
    reading = actor.backbone.read(phrase, actor.backbone.style("af_heart", 20))
    acting = actor.adapter(torch.tensor([everything.to_list()] * len(reading.durations)), reading)
    for name in CONTROLS:
        low, high = LOCAL_LIMITS.get(name, LIMITS[name])
        values = getattr(acting, name)
        assert low <= values.min()
        assert values.max() <= high
    assert np.abs(actor.perform(LINE, everything, "af_heart").audio.samples).max() <= 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"text": ""}, "no word to speak"),
        ({"text": "?! ..."}, "no word to speak"),
        ({"text": "a" * 100_001}, "at most 100,000"),
        ({"text": LINE, "seed": -1}, "seed is -1"),
        ({"text": LINE, "seed": True}, "seed is True"),
        ({"text": LINE, "direction": "qwertz"}, "qwertz"),
        ({"text": "[angr 0.5] " + LINE}, "angr"),
        ({"text": "[fear " + LINE}, "(?i)bracket"),
        ({"text": LINE, "direction": 3}, "int"),
        ({"text": None}, "NoneType"),
    ],
)
def test_bad_input_is_answered_in_one_line(actor, arguments, message):
    with pytest.raises((InvalidInput, UnknownName), match=message) as caught:
        actor.perform(**{"voice": "af_heart", **arguments})
    assert "\n" not in str(caught.value)


def test_a_description_holds_what_was_asked_and_when_it_was_said(actor):
    described = actor.perform(f"[anger 0.5] {LINE}", voice="af_heart").to_json()
    assert described["text"] == LINE
    assert described["asked"] == {"Anger": 0.5}
    assert described["words"][0][0] == "I"
    assert described["evidence"][0]["category"] == "Anger"


@pytest.fixture
def trained() -> VoiceActor:
    """With a table whose neutral is lower, whose men act half as much as its women, and whose gains
    bend."""
    table = EmotionAdapter.seeded().table
    rows, gains = table.rows.clone(), table.gains.clone()
    rows[:, -1, CONTROLS.index("f0_shift")] = -2.0
    rows[GROUPS.index("men")] *= 0.5
    gains[..., LEVELS.index(0.5)] = 0.3
    adapter = EmotionAdapter(replace(table, rows=rows, gains=gains))
    return VoiceActor(HummingBackbone(), adapter, InkMarker())


def test_neutral_is_centred_and_no_direction_is_left_alone(actor, trained):
    own = trained.perform(LINE, None, "af_heart").audio.samples
    assert np.array_equal(own, actor.perform(LINE, None, "af_heart").audio.samples)
    assert np.array_equal(own, trained.perform(LINE, EmotionVector(), "af_heart").audio.samples)
    centred = trained.perform(LINE, "neutral", "af_heart").audio.samples
    assert 12 * np.log2(pitch_of(centred) / pitch_of(own)) == pytest.approx(-2, abs=0.2)


def test_gains_and_groups_decide_how_far_a_row_goes(trained):
    (phrase,) = phonemize(LINE)
    reading = trained.backbone.read(phrase, trained.backbone.style("af_heart", 20))

    def shift(intensity: float, women: float) -> float:
        emotions = torch.zeros(len(reading.durations), len(taxonomy.NAMES))
        emotions[:, taxonomy.INDEX["Anger"]] = intensity
        return float(trained.adapter(emotions, reading, women).f0_shift[0])

    full = shift(1.0, 1.0)
    assert shift(1.0, 0.0) == pytest.approx(0.5 * full)
    assert shift(1.0, 0.5) == pytest.approx(0.75 * full)
    assert shift(0.5, 1.0) == pytest.approx(0.3 * full - 0.5 * 2.0)  # half is centred still
    assert shift(0.25, 1.0) < shift(0.5, 1.0) < shift(0.75, 1.0) < full


def test_contours_are_added_where_the_table_has_a_share_for_them(actor):
    torch.manual_seed(0)
    table = actor.adapter.table
    shares = torch.zeros_like(table.contours)
    shares[:, taxonomy.INDEX["Anger"]] = 1.0
    contours = Contours().eval()
    adapter = EmotionAdapter(replace(table, contours=shares), contours)
    (phrase,) = phonemize(LINE)
    reading = actor.backbone.read(phrase, actor.backbone.style("af_heart", 20))

    def acting(name: str, intensity: float):
        emotions = torch.zeros(len(reading.durations), len(taxonomy.NAMES))
        emotions[:, taxonomy.INDEX[name]] = intensity
        return adapter(emotions, reading, 1.0)

    assert acting("Anger", 1.0).f0_contour.std() > 0
    assert not acting("Fear", 1.0).f0_contour.any()
    assert acting("Anger", 0.0).is_neutral
    strong, weak = (acting("Anger", level).f0_contour for level in (1.0, 0.5))
    torch.testing.assert_close(strong, 2 * weak)
