"""A recording as direction: its melody, loudness, pace and emotions, and nobody's voice."""

from __future__ import annotations

import numpy as np
import pytest
from toys import RATE, HummingBackbone, InkMarker, ToyEstimator

from conditioning.audio import Audio
from conditioning.direction import direct
from conditioning.errors import InvalidInput
from conditioning.estimator import EmotionEstimator
from conditioning.likeness import Likeness, pitch_contour
from conditioning.prosody import functionals, measure
from voice_actor.actor import VoiceActor
from voice_actor.adapter import EmotionAdapter

LINE = "I told you that the train leaves at nine."


def voice(hertz, seconds=1.6, level=0.2, syllables=6, rate=16_000) -> Audio:
    """A buzz whose pitch runs along `hertz`, in syllables, with silence before and after."""
    count = round(seconds * rate)
    f0 = np.interp(np.linspace(0, 1, count), np.linspace(0, 1, len(hertz)), hertz)
    turns = 2 * np.pi * np.cumsum(f0) / rate
    buzz = sum(np.sin(k * turns) / k for k in range(1, 8))
    swell = 0.55 - 0.45 * np.cos(2 * np.pi * syllables * np.linspace(0, 1, count))
    loud = np.interp(np.linspace(0, 1, count), np.linspace(0, 1, np.size(level)), np.ravel(level))
    return Audio(np.pad(0.5 * loud * swell * buzz, rate // 4).astype(np.float32), rate)


RISING, FALLING, ARCHED = [100, 150], [150, 100], [100, 160, 100]


@pytest.fixture(scope="module")
def actor() -> VoiceActor:
    return VoiceActor(HummingBackbone(), EmotionAdapter.seeded(), InkMarker())


def spoken(actor, direction, text=LINE, name="af_heart") -> Audio:
    return actor.perform(text, direction, name).audio


def melody(audio: Audio, count: int = 40) -> np.ndarray:
    """Semitones about the median over the time that is spoken."""
    prosody = measure(audio)
    contour = pitch_contour(
        prosody.semitones[prosody.speech], prosody.level[prosody.speech], deviation=6
    )
    return np.interp(np.linspace(0.05, 0.95, count), np.linspace(0, 1, len(contour)), contour)


@pytest.mark.parametrize("way", [RISING, FALLING, ARCHED], ids=["rising", "falling", "arched"])
def test_the_new_line_has_the_recordings_melody(actor, way):
    recording = voice(way)
    acted = melody(spoken(actor, Likeness.of(recording, "neutral")))
    assert np.corrcoef(melody(recording), acted)[0, 1] > 0.9
    assert np.std(acted) == pytest.approx(np.std(melody(recording)), rel=0.35)


def test_a_melody_runs_over_all_phrases_of_a_line(actor):
    text = " ".join([LINE] * 12)
    pieces = list(actor.stream(text, Likeness.of(voice(RISING), "neutral"), "af_heart"))
    heights = [functionals(measure(piece.audio))["f0_median_st"] for piece in pieces]
    assert len(heights) > 2
    assert heights == sorted(heights)


def test_the_recordings_own_pitch_is_not_copied(actor):
    low, high = (voice(np.array(ARCHED) * by) for by in (0.8, 2.4))
    ways = [Likeness.of(recording, "neutral") for recording in (low, high)]
    levels = [functionals(measure(spoken(actor, way)))["f0_median_st"] for way in ways]
    assert levels[0] == pytest.approx(levels[1], abs=0.3)
    assert np.allclose(ways[0].pitch, ways[1].pitch, atol=0.5)


def test_the_line_swells_as_the_recording_does(actor):
    ways = [
        Likeness.of(voice([120, 120], level=level), "neutral")
        for level in ([0.05, 0.4], [0.4, 0.05])
    ]
    halves = []
    for way in ways:
        samples = spoken(actor, way).samples
        first, second = np.array_split(samples, 2)
        halves.append(20 * np.log10(np.std(second) / np.std(first)))
    assert halves[0] > halves[1] + 6


def test_the_loudness_of_the_whole_recording_does_not_matter(actor):
    one, other = (Likeness.of(voice(ARCHED, level=level), "neutral") for level in (0.05, 0.5))
    assert np.allclose(one.level, other.level, atol=0.1)
    assert one.level_shift is None


def test_a_faster_recording_makes_a_faster_line(actor):
    slow, fast = (
        spoken(actor, Likeness.of(voice(ARCHED, syllables=count), "neutral")).duration
        for count in (2, 12)
    )
    assert fast < 0.8 * slow


def test_long_pauses_in_the_recording_lengthen_those_of_the_line(actor):
    part = voice(ARCHED, seconds=0.8)
    silence = np.zeros(round(0.3 * part.sample_rate), np.float32)
    paused = Audio(np.concatenate([part.samples, silence, part.samples]), part.sample_rate)
    way = Likeness.of(paused, "neutral")
    assert way.pause == pytest.approx(0.8, abs=0.15)
    assert Likeness.of(part, "neutral").pause == 0
    text = "You came back, after everything, and alone."
    times = {word.label: word for word in actor.perform(text, way, "af_heart").words}
    assert times["after"].start - times["back"].end > 0.4


def test_what_is_felt_is_heard_in_the_recording_over_time(actor):
    way = Likeness.of(voice([200, 200, 380], seconds=6), estimator=ToyEstimator())
    angry = [vector["Anger"] for _, vector in way.emotions.points]
    assert angry[-1] > angry[0] + 0.3
    assert actor.perform(LINE, way, "af_heart").direction.curve == way.emotions


def test_categories_that_are_not_learnt_from_acting_are_not_asked_for():
    way = Likeness.of(voice([380, 380], seconds=3), estimator=ToyEstimator())
    assert {name for name, _ in way.emotions.mean().items()} == {"Anger"}


def test_the_permissive_estimator_listens_unless_another_is_given(monkeypatch):
    asked = []
    monkeypatch.setattr(
        EmotionEstimator, "load", staticmethod(lambda name: asked.append(name) or ToyEstimator())
    )
    Likeness.of(voice(ARCHED))
    assert asked == ["permissive"]


def test_words_decide_what_is_felt_and_the_recording_how_it_moves(actor):
    way = Likeness.of(voice(RISING), "furious")
    performance = actor.perform(LINE, way, "af_heart")
    assert performance.to_json()["asked"] == {"Anger": 0.95}
    assert performance.direction.evidence[0].words == "furious"
    assert melody(performance.audio)[-1] > melody(performance.audio)[0] + 3
    assert "recording" in performance.provenance.to_metadata()["comment"]


def test_a_baseline_tells_how_high_and_loud_the_recording_is_for_its_speaker(actor):
    habit = [voice([100, 110], level=0.1), voice([105, 100], level=0.1)]
    raised = Likeness.of(voice([130, 140], level=0.2), "neutral", habit)
    assert raised.pitch_shift == pytest.approx(4.4, abs=0.7)
    assert raised.level_shift == pytest.approx(6, abs=1)
    plain = Likeness.of(voice([130, 140], level=0.2), "neutral")
    levels = [functionals(measure(spoken(actor, way)))["f0_median_st"] for way in (plain, raised)]
    assert levels[1] - levels[0] == pytest.approx(raised.pitch_shift, abs=0.5)


def test_takes_can_be_auditioned_in_the_way_of_a_recording(actor):
    way = Likeness.of(voice(RISING), "angry")
    takes = actor.audition(LINE, way, "af_heart", takes=3, estimator=ToyEstimator())
    for take in takes:
        heard = melody(take.performance.audio)
        assert heard[-1] > heard[0] + 3


def test_the_same_recording_gives_the_same_samples(actor):
    one, other = (spoken(actor, Likeness.of(voice(ARCHED), "sad")).samples for _ in range(2))
    assert np.array_equal(one, other)


def test_a_likeness_is_a_direction_with_brackets_in_the_text():
    way = Likeness.of(voice(ARCHED), "neutral")
    directed = direct("You came. [furious] Too late.", way)
    assert directed.prosody is way
    assert directed.directed
    assert directed.curve.at(0.9)["Anger"] == 0.95


def noise(seconds: float) -> Audio:
    chance = np.random.default_rng(0)
    return Audio(chance.normal(0, 0.1, round(seconds * RATE)).astype(np.float32), RATE)


@pytest.mark.parametrize(
    "recording",
    [
        Audio(np.zeros(RATE, np.float32), RATE),
        Audio(np.zeros(0, np.float32), RATE),
        noise(2.0),
        voice([120, 120], seconds=0.1, syllables=1),
        Audio(voice([120, 120]).samples[4000:4800], 16_000),
    ],
    ids=["silence", "nothing", "noise", "0.1 s", "0.05 s"],
)
def test_a_recording_without_speech_is_refused_in_one_line(recording):
    for arguments in ((recording, "neutral"), (voice(ARCHED), "neutral", [recording])):
        with pytest.raises(InvalidInput, match="No speech is heard") as caught:
            Likeness.of(*arguments)
        assert "\n" not in str(caught.value)


def test_a_hum_in_which_the_estimator_hears_no_speech_is_refused(monkeypatch):
    monkeypatch.setattr(ToyEstimator, "_octaves", lambda *_: None)
    with pytest.raises(InvalidInput, match="No speech is heard"):
        Likeness.of(voice(ARCHED), estimator=ToyEstimator())
