import json

import numpy as np
import pytest
import torch
from toys import RATE, HummingBackbone

from conditioning.audio import Audio
from conditioning.errors import InvalidInput
from conditioning.taxonomy import INDEX
from training import targets
from training.corpora import Utterance
from training.targets import Group, Remembering, emotions, load, measure_group, nearest_voice
from voice_actor.backbone import whole_frames
from voice_actor.contours import is_sound
from voice_actor.performance import Timed
from voice_actor.phonemes import phonemize

TEXT = "The blue folder, and the yellow card."
VOICE = "af_heart"


class Actor:
    """Reads as the toy backbone does, changed on purpose, and knows when each phoneme is heard."""

    def __init__(self, seed=0):
        self.backbone = HummingBackbone()
        self.truth = {}

    def act(self, path, text=TEXT, stretch=1.0, semitones=0.0, decibels=0.0, pause=0, quiet=""):
        """`pause`: frames added at the comma; `quiet`: symbols whose sound is 6 dB lower."""
        samples, times, start = [], [], 0.0
        for phrase in phonemize(text, "us"):
            reading = self.backbone.read(phrase, self.backbone.style(VOICE, 1))
            frames = (reading.durations * stretch).round().long()
            symbols = ["^", *phrase.symbols, "$"]
            frames[[symbol == "," for symbol in symbols]] += pause
            f0, energy = self.backbone.curves(reading, frames)
            lower = torch.tensor([0.5 if symbol in quiet else 1.0 for symbol in symbols])
            energy = energy * lower.repeat_interleave(2 * frames)
            f0 = f0 * 2 ** (semitones / 12)
            samples.append(self.backbone.speak(reading, frames, f0, energy, reading.style))
            ends = start + 0.025 * np.cumsum(frames.numpy())
            times.append(
                [
                    Timed(symbol, begin, end)
                    for symbol, begin, end in zip(symbols[1:-1], ends[:-2], ends[1:-1], strict=True)
                ]
            )
            start = ends[-1]
        audio = Audio(torch.cat(samples).numpy(), RATE).gain(decibels)
        audio.save(path)
        self.truth[len(audio.samples)] = times
        return path

    def align(self, audio, phrases, voice):
        if len(audio.samples) not in self.truth:
            raise InvalidInput("The words were not found.")
        return Known(self.truth[len(audio.samples)])


class Known:
    confidence = 0.9

    def __init__(self, phrases):
        self.phrases = phrases


def take(path, label="neutral", found=None, corpus="ravdess", **further):
    said = {"speaker": "a", "gender": "F", "language": "en", "text": TEXT, "script": None}
    said |= {"label": label, "emotions": found or {}, "level": None, "licence": ""}
    return Utterance(corpus, path, **said | further)


def compared(actor, *takes):
    group = Group(takes[0].corpus, TEXT, "en", VOICE, takes)
    arrays = measure_group(group, Remembering(HummingBackbone()), actor)
    return {target.path.stem: target for target in targets._targets([(group, arrays)], {}, 0.0)}


@pytest.fixture
def actor():
    return Actor()


@pytest.fixture
def neutral(actor, tmp_path):
    return take(actor.act(tmp_path / "neutral.wav"))


def angry(path, **further):
    return take(path, "anger", {"Anger": 1.0}, **further)


def sounds(target):
    return np.array([False, *map(is_sound, target.phonemes), False])


def test_a_take_that_is_the_reading_differs_in_nothing(actor, neutral):
    target = compared(actor, neutral)["neutral"]
    assert target.states.shape[0] == len(target.duration) == len(target.phonemes) + 2
    for name in ("duration", "f0", "loudness"):
        values = getattr(target, name)
        np.testing.assert_array_equal(np.isfinite(values), sounds(target))
        assert np.abs(values[sounds(target)]).max() < 0.1, name
    assert np.nanmax(np.abs(target.pause)) < 0.02


def test_a_reading_stretched_by_half_lasts_log2_of_it_longer(actor, neutral, tmp_path):
    slow = angry(actor.act(tmp_path / "slow.wav", stretch=1.5))
    target = compared(actor, neutral, slow)["slow"]
    assert np.nanmedian(target.duration) == pytest.approx(np.log2(1.5), abs=0.01)
    assert np.nanmax(np.abs(target.duration - np.log2(1.5))) < 0.15
    assert np.nanmedian(target.f0) == pytest.approx(0, abs=0.1)


def test_pitch_raised_by_three_semitones_is_three(actor, neutral, tmp_path):
    high = angry(actor.act(tmp_path / "high.wav", semitones=3, stretch=1.25))
    target = compared(actor, neutral, high)["high"]
    assert np.nanmedian(target.f0) == pytest.approx(3, abs=0.1)
    assert np.nanmax(np.abs(target.f0 - 3)) < 0.4


def test_neutral_is_the_speakers_own_and_not_the_voices(actor, tmp_path):
    # A speaker who is always four semitones over the voice of the reading does nothing unusual.
    calm = take(actor.act(tmp_path / "calm.wav", semitones=4, decibels=-6))
    high = angry(actor.act(tmp_path / "high.wav", semitones=6, decibels=-2, stretch=1.25))
    found = compared(actor, calm, high)
    assert np.nanmedian(found["calm"].f0) == pytest.approx(0, abs=0.1)
    assert np.nanmedian(found["high"].f0) == pytest.approx(2, abs=0.1)
    assert np.nanmedian(found["high"].loudness) == pytest.approx(4, abs=0.3)


def test_a_pause_is_counted_at_its_mark_and_not_as_a_sound(actor, neutral, tmp_path):
    halting = angry(actor.act(tmp_path / "halting.wav", pause=12))
    target = compared(actor, neutral, halting)["halting"]
    comma = 1 + target.phonemes.index(",")
    assert target.pause[comma] == pytest.approx(0.3, abs=0.03)
    others = np.delete(target.pause, comma)
    assert np.nanmax(np.abs(others)) < 0.03
    assert np.nanmax(np.abs(target.duration)) < 0.15


def test_pauses_stand_at_marks_and_spaces_between_words_alone(actor, neutral):
    target = compared(actor, neutral)["neutral"]
    symbols = f"\0{target.phonemes}\0"
    assert {symbols[index] for index in np.flatnonzero(np.isfinite(target.pause))} <= {" ", ","}


def test_an_alignment_that_counts_silence_to_a_sound_changes_neither(actor, neutral, tmp_path):
    halting = angry(actor.act(tmp_path / "halting.wav", pause=12))
    times = actor.truth[len(Audio.load(halting.path).samples)][0]
    comma = next(index for index, item in enumerate(times) if item.label == ",")
    times[comma - 1] = times[comma - 1]._replace(end=times[comma].end)
    times[comma] = times[comma]._replace(start=times[comma].end)
    target = compared(actor, neutral, halting)["halting"]
    assert target.pause[comma + 1] == pytest.approx(0.3, abs=0.2)
    assert np.abs(target.duration[comma]) < 1


def test_a_level_that_means_nothing_keeps_only_its_shape(actor, tmp_path):
    calm = take(actor.act(tmp_path / "calm.wav"), corpus="emodb")
    path = actor.act(tmp_path / "loud.wav", decibels=8, quiet="b", stretch=1.25)
    target = compared(actor, calm, angry(path, corpus="emodb"))["loud"]
    assert not target.level_known
    assert np.nanmean(target.loudness) == pytest.approx(0, abs=0.01)
    b = 1 + target.phonemes.index("b")
    rest = np.delete(target.loudness, b)
    assert target.loudness[b] - np.nanmedian(rest) == pytest.approx(-6, abs=1)


def test_a_recording_without_an_alignment_is_left_out(actor, neutral, tmp_path):
    lost = actor.act(tmp_path / "lost.wav", stretch=2.0)
    actor.truth.pop(len(Audio.load(lost).samples))
    assert set(compared(actor, neutral, angry(lost))) == {"neutral"}


def test_intensity_is_of_the_label_and_its_level():
    def anger(level, heard=None):
        return emotions(angry(None, level=level), heard)[INDEX["Anger"]]

    assert 0 < anger("normal") < anger(None) < anger("strong") < 1
    assert not emotions(take(None)).any()
    loud = np.ones(40)
    assert anger("normal") < anger("normal", loud) < 1
    assert np.count_nonzero(emotions(angry(None), loud)) == 1


def test_voices_kept_for_evaluation_are_never_matched():
    women = {nearest_voice(hertz, "F") for hertz in range(120, 260, 2)}
    men = {nearest_voice(hertz, "M") for hertz in range(60, 200, 2)}
    assert len(women) > 5
    assert len(men) > 5
    assert not (women | men) & targets.NOT_MATCHED
    assert {name[1] for name in women} == {"f"}
    assert nearest_voice(83, "M") == "am_onyx"


def test_a_backbone_that_remembers_speaks_the_same_only_once():
    toy = HummingBackbone()
    spoken = []
    toy.speak = lambda *parts: spoken.append(parts) or torch.zeros(10)
    backbone = Remembering(toy)
    for style in (1.0, 1.0, 2.0):
        phrase = phonemize(TEXT, "us")[0]
        reading = backbone.read(phrase, torch.full((256,), style))
        frames = whole_frames(reading.durations)
        backbone.speak(reading, frames, *backbone.curves(reading, frames), reading.style)
    assert len(spoken) == 2


@pytest.fixture
def speech(tmp_path, monkeypatch):
    """A corpus of two texts in the layout of EmoDB, spoken by the toy."""
    actor = Actor()
    monkeypatch.setattr(targets, "_tools", lambda: (Remembering(HummingBackbone()), actor))
    folder = tmp_path / "speech" / "emodb"
    folder.mkdir(parents=True)
    rows = [
        "path,speaker,gender,language,emotion,intensity,text,recognised_pct,natural_pct,complete"
    ]
    texts = {"one": TEXT, "two": "She has two cards."}
    for name, text in texts.items():
        for label, semitones in (("neutral", 0), ("anger", 3)):
            actor.act(folder / f"{name}-{label}.wav", text, semitones=semitones)
            rows.append(f'{name}-{label}.wav,emodb_03,F,en,{label},,"{text}",90,90,yes')
    rows.append('one-anger.wav,emodb_03,F,en,anger,,"cut",90,90,no')
    (folder / "manifest.csv").write_text("\n".join(rows) + "\n")
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "voices-emodb.json").write_text(json.dumps({"emodb_03": VOICE}))
    return tmp_path / "speech", cache, actor


def test_what_is_stored_is_what_was_measured_and_is_not_measured_twice(speech):
    folder, cache, actor = speech
    first = load(folder, ["emodb"], cache, processes=1)
    assert [target.path.name for target in first] == [
        "one-anger.wav", "one-neutral.wav", "two-anger.wav", "two-neutral.wav",
    ]  # fmt: skip
    actor.truth.clear()  # nothing can be aligned any more
    again = load(folder, ["emodb"], cache, processes=1)
    for one, other in zip(first, again, strict=True):
        assert one.phrase == other.phrase
        np.testing.assert_array_equal(one.f0, other.f0)
        np.testing.assert_array_equal(one.states, other.states)


def test_an_interrupted_run_keeps_what_it_had_done(speech):
    folder, cache, actor = speech

    def stopped(audio, phrases, voice):
        if len(phrases[0].phonemes) > 20:
            raise KeyboardInterrupt
        return Actor.align(actor, audio, phrases, voice)

    actor.align = stopped
    with pytest.raises(KeyboardInterrupt):
        load(folder, ["emodb"], cache, processes=1)
    done = load(folder, ["emodb"], cache, processes=0)
    assert {target.path.name for target in done} <= {"two-anger.wav", "two-neutral.wav"}
    del actor.align
    assert len(load(folder, ["emodb"], cache, processes=1)) == 4


def test_what_is_left_out_is_counted(speech):
    folder, cache, _ = speech
    assert targets.plan("emodb", folder / "emodb", cache).left_out == {"cut off or damaged": 1}


def test_takes_that_say_other_words_than_their_script_are_left_out(tmp_path):
    right = "we should leave the house before the rain comes down again"
    heard = [right, right, right.replace("house", "horse"), "something else entirely was said here"]
    takes = [take(tmp_path / f"{n}.wav", script="x", text=None) for n in range(4)]
    said = {one.path: text for one, text in zip(takes, heard, strict=True)}
    assert targets._to_medoids(takes, said) == 1
    assert list(said.values()) == [right] * 3
