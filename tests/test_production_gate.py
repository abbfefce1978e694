"""The quality gate: what is said of a line's words, feeling and sound."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from toys import ToyEstimator

from conditioning.audio import Audio
from conditioning.emotion import EmotionVector
from conditioning.errors import InvalidInput
from voice_actor.production.gate import Examiner, Gate, compare, heard_in, sound_faults

LINE = "The king is dead, and nobody weeps for him."
ANGRY = EmotionVector({"Anger": 0.6})


class Recogniser:
    """Hears the words that it is told to."""

    def __init__(self, transcript: str):
        self.transcript = transcript

    def transcribe(self, audio: Audio) -> str:
        return self.transcript


@pytest.fixture(scope="module")
def neutral(humming):
    return humming.perform(LINE, None, "af_heart")


def sounding(performance, change):
    """The performance with its samples changed."""
    samples = change(performance.audio.samples.copy(), performance.audio.sample_rate)
    return replace(performance, audio=Audio(samples, performance.audio.sample_rate))


def examined(performance, transcript, gate=None, pronunciations=None):
    examiner = Examiner(Recogniser(transcript), None)
    return examiner.examine(performance, performance, gate or Gate(), pronunciations)


@pytest.mark.parametrize(
    "values",
    [
        {"word_errors": 1.1},
        {"word_errors": float("nan")},
        {"word_errors": "0.2"},
        {"score": -2},
        {"score": True},
        {"retries": 1.5},
        {"retries": -1},
    ],
)
def test_a_gate_that_cannot_be_is_refused(values):
    (name,) = values
    with pytest.raises(InvalidInput, match=f"gate's {name} is .* allowed: "):
        Gate(**values)


@pytest.mark.parametrize(
    ("text", "transcript"),
    [
        ("Every one of you swore!", "everyone of you swore"),
        ("Good bye, inn keeper.", "Goodbye, innkeeper."),
        ("The knight rode at night.", "The night road at knight."),
        ("That'll be 12 gold.", "That will be twelve gold."),
        ("I was born in 1387.", "I was born in 13 87."),
        ("You need 50% more.", "You need fifty percent more."),
        ("Nooo! WHO GOES THERE?", "No, who goes there?"),
        ("Hmm. I, um, see.", "I see."),
        ("I see.", "Hmm, I see."),
        ("W-w-what's comin', y'know?", "What's coming, you know?"),
        ("Give 'em some o' that ol' rum.", "Give them some of that old rum."),
        ("Your armour, Sir Gareth!", "Your armor, sir Gareth"),
    ],
)
def test_what_sounds_the_same_was_heard(text, transcript):
    assert compare(text, transcript).errors == 0


@pytest.mark.parametrize(
    ("text", "transcript", "errors", "differences"),
    [
        ("The king is dead.", "The king, his debt.", 2, (("is dead", "his debt"),)),
        ("Eldra sent me.", "Aldra sent me.", 1, (("Eldra", "Aldra"),)),
        ("Ten more steps.", "Ten steps", 1, (("more", ""),)),
        ("Go.", "Go away.", 1, (("", "away"),)),
        ("Run! Hide! Now!", "", 3, (("Run Hide Now", ""),)),
        ("Run now!", "♪♪", 2, (("Run now", ""),)),
        ("No, not you!", "Yes, not me!", 2, (("No", "Yes"), ("you", "me"))),
    ],
)
def test_what_sounds_otherwise_is_told(text, transcript, errors, differences):
    compared = compare(text, transcript)
    assert (compared.errors, compared.differences) == (errors, differences)


def test_the_speaker_s_accent_says_what_sounds_the_same():
    assert compare("a rich source", "a rich sauce", "gb").errors == 0
    assert compare("a rich source", "a rich sauce", "us").errors == 1


def test_names_with_a_pronunciation_are_compared_by_it():
    given = {"Vael'Thuun": "vˈAlθˌun"}
    assert compare("Vael'Thuun waits.", "Vail Thoon waits.", "us", given).errors == 0
    assert compare("Vael'Thuun waits.", "Oscar waits.", "us", given).errors == 1
    assert compare("Xyqa waits.", "Mary waits.", "us", {"Xyqa": "mˈɛɹi"}).errors == 0


def test_a_line_whose_words_were_heard_has_no_fault(neutral):
    verdict = examined(neutral, "the king is dead and nobody weeps for him")
    assert verdict.faults == ()
    assert (verdict.errors, verdict.words) == (0, 9)


def test_too_many_words_heard_otherwise_are_a_fault(neutral):
    transcript = "the king his debt and nobody keeps for him"
    verdict = examined(neutral, transcript)
    assert verdict.faults == (
        "3 of 9 words were heard otherwise: 'is dead' as 'his debt', 'weeps' as 'keeps'",
    )
    assert (verdict.errors, verdict.words, verdict.transcript) == (3, 9, transcript)
    assert examined(neutral, transcript, Gate(word_errors=0.4)).faults == ()


def test_a_line_of_no_words_has_no_words_to_mishear(humming):
    verdict = examined(humming.perform("Hmm.", None, "af_heart"), "Thank you.")
    assert (verdict.faults, verdict.errors, verdict.words) == ((), 0, 0)


def test_more_words_heard_than_written_are_told_as_such(humming):
    verdict = examined(humming.perform("Go!", None, "af_heart"), "Go away now.")
    assert verdict.faults == (
        "2 words were heard otherwise where 1 were written: 'away now' besides",
    )


def test_a_score_below_the_gate_s_is_a_fault(humming, neutral):
    examiner = Examiner(None, ToyEstimator())
    angry = replace(humming.perform(LINE, ANGRY, "af_heart"), audio=neutral.audio)
    verdict = examiner.examine(angry, neutral, Gate(score=0.3))
    assert verdict.score < 0.3
    assert verdict.faults == (
        f"heard {verdict.score:.2f} as directed, least 0.30: {verdict.reason}",
    )
    assert verdict.reason.startswith("Anger 0.00 of 0.60")
    assert verdict.heard_by == "standard@toy"
    assert examiner.examine(angry, neutral, Gate()).faults == ()


def test_what_is_heard_is_the_mean_over_the_windows(humming, neutral):
    changing = humming.perform(LINE, "calm -> furious", "af_heart")
    verdict = Examiner(None, ToyEstimator()).examine(changing, neutral, Gate())
    estimator = ToyEstimator()
    heard = estimator.estimate_over_time(changing.audio, baseline=[neutral.audio])
    assert len(heard) > 1
    assert verdict.heard == heard_in(heard)
    mean = np.mean([estimate.intensities["Anger"] for estimate in heard])
    assert verdict.heard["Anger"] == pytest.approx(mean)


def test_without_networks_only_the_sound_is_checked(neutral):
    verdict = Examiner(None, None).examine(neutral, neutral, Gate(score=1.0))
    assert (verdict.faults, verdict.words, verdict.transcript) == ((), 0, None)
    assert (verdict.heard, verdict.heard_by) == (EmotionVector(), "")


def test_a_plain_line_sounds_right(neutral):
    assert list(sound_faults(neutral)) == []


def test_clipping_is_told_with_its_place(neutral):
    clipped = sounding(neutral, lambda samples, rate: np.clip(8 * samples, -1, 1))
    (fault,) = sound_faults(clipped)
    assert fault.startswith("clipped in ")
    single = sounding(
        neutral, lambda samples, rate: np.where(np.arange(len(samples)) == 9, 1, samples)
    )
    assert list(sound_faults(single)) == []


def test_silence_is_told(neutral):
    (fault,) = sound_faults(sounding(neutral, lambda samples, rate: 0 * samples))
    assert fault.startswith("there is no sound")
    verdict = Examiner(None, ToyEstimator()).examine(
        sounding(neutral, lambda samples, rate: 0.03 * samples), neutral, Gate()
    )
    assert verdict.faults == ("no speech is heard by standard@toy",)


def test_speech_whose_words_were_heard_is_speech(neutral):
    faint = sounding(neutral, lambda samples, rate: 0.03 * samples)
    verdict = Examiner(Recogniser(LINE), ToyEstimator()).examine(faint, neutral, Gate())
    assert verdict.faults == ()


@pytest.mark.parametrize("where", ["at the start", "at the end"])
def test_silence_around_a_line_is_told(neutral, where):
    def change(samples, rate):
        silence = np.zeros(round(1.2 * rate), np.float32)
        samples = samples[:-1]  # the toy mark
        both = (silence, samples) if where == "at the start" else (samples, silence)
        return np.concatenate(both)

    faults = [fault for fault in sound_faults(sounding(neutral, change)) if "silence" in fault]
    assert len(faults) == 1
    assert where in faults[0]


def test_only_a_pause_that_nobody_asked_for_is_a_fault(humming):
    text = "You came back. [pause 2.5] Why?"
    asked = humming.perform(text, None, "af_heart")
    assert list(sound_faults(asked)) == []
    unasked = replace(asked, direction=replace(asked.direction, pauses=()))
    (fault,) = sound_faults(unasked)
    assert "a silence of 2." in fault
    assert "at most 1.50 s were expected" in fault
    elsewhere = replace(asked, direction=replace(asked.direction, pauses=((0, 2.5),)))
    assert list(sound_faults(elsewhere)) == [fault]
    around = humming.perform("[pause 2] You came back. [pause 2]", None, "af_heart")
    assert list(sound_faults(around)) == []


def test_words_without_sound_are_named(neutral):
    def mute(samples, rate):
        start, end = neutral.words[-3].start, neutral.audio.duration
        samples[round(start * rate) : round(end * rate)] = 0
        return samples

    faults = list(sound_faults(sounding(neutral, mute)))
    assert "3 of 9 words have no sound: 'weeps', 'for', 'him'" in faults


@pytest.mark.parametrize(("speed", "told"), [(0.2, "too short"), (6, "too long")])
def test_speech_that_does_not_fit_its_text_is_told(neutral, speed, told):
    def change(samples, rate):
        return np.full(round(speed * len(samples)), 0.2, np.float32)

    assert any(fault.startswith(told) for fault in sound_faults(sounding(neutral, change)))


def test_a_pace_that_is_asked_is_no_fault(humming):
    for direction in ("very fast", "very slow"):
        assert list(sound_faults(humming.perform(LINE, direction, "af_heart"))) == []


@pytest.mark.weights
def test_a_real_line_passes_and_half_of_it_does_not():
    from conditioning.estimator import EmotionEstimator
    from conditioning.whisper import Whisper
    from voice_actor.actor import VoiceActor

    actor = VoiceActor.load()
    line = actor.perform("The harvest was poor, and the winter will be long.", None, "af_heart")
    examiner = Examiner(Whisper.load(), EmotionEstimator.load("permissive"))
    verdict = examiner.examine(line, line, Gate())
    assert (verdict.faults, verdict.errors, verdict.words) == ((), 0, 10)
    assert verdict == examiner.examine(line, line, Gate())

    def mute(samples, rate):
        samples[len(samples) // 2 :] = 0
        return samples

    faults = examiner.examine(sounding(line, mute), line, Gate()).faults
    assert any("words were heard otherwise" in fault for fault in faults)
    assert any("words have no sound" in fault for fault in faults)
