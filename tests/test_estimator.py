"""The estimator: what it listens to, what it says, and what it refuses."""

from __future__ import annotations

import json
import math
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch

from conditioning.audio import Audio
from conditioning.emotion import EmotionVector
from conditioning.errors import InvalidInput, UnknownName, UserError, WeightsError
from conditioning.estimator import Baseline, EmotionEstimator, Estimate, windows
from conditioning.pooling import (
    _PIECE,
    FRAME,
    READINGS,
    Listener,
    LogMelFront,
    Meter,
    PoolingEstimator,
    habits,
    pool,
    ready,
)
from conditioning.taxonomy import NAMES
from conditioning.whisper import RATE
from training.modules import save_estimator
from training.nonspeech import sounds

CLASSES = ["neutral", "Anger", "Sadness"]


def voice(seconds: float = 2.0, pitch: float = 200.0, rate: int = RATE) -> Audio:
    """A hum with syllables: four swells a second."""
    time = np.arange(round(seconds * rate)) / rate
    swell = np.sin(np.pi * 4 * time) ** 2
    return Audio((0.1 * swell * np.sin(2 * np.pi * pitch * time)).astype(np.float32), rate)


class PitchFront:
    """Two features a frame: how often the sound crosses zero, and its level."""

    def frames(self, pieces):
        found = []
        for piece in pieces:
            frames = piece[: len(piece) // FRAME * FRAME].reshape(-1, FRAME)
            crossings = (np.diff(np.sign(frames), axis=1) != 0).mean(1)
            found.append(np.stack([crossings, np.abs(frames).mean(1)], 1).astype(np.float32))
        return found


def listener() -> Listener:
    """Hears anger in a high pitch and sadness in a low one; 200 Hz is neutral."""
    torch.manual_seed(0)
    made = Listener(4, CLASSES)
    made.mean.copy_(torch.tensor([200 * 2 / RATE, 0.05, 0.0, 0.0]))
    made.std.copy_(torch.tensor([0.01, 1.0, 1.0, 1.0]))
    with torch.no_grad():
        for branch in (made.alone, made.against):
            branch.hidden[1].weight.zero_()
            branch.hidden[1].bias.zero_()
            branch.hidden[1].weight[0, 0], branch.hidden[1].weight[1, 0] = 1.0, -1.0
            for layer in (branch.classes, branch.place, branch.strength):
                layer.weight.zero_()
                layer.bias.zero_()
            branch.classes.weight[1, 0] = branch.classes.weight[2, 1] = 4.0
            branch.classes.bias[0] = 1.0
            branch.strength.weight[0, :2] = 4.0
            branch.strength.bias[0] = -2.0
            branch.place.weight[1, 0], branch.place.weight[1, 1] = 1.0, -1.0
        made.speech.weight.zero_()
        made.speech.bias.fill_(3.0)
    return made


def estimator() -> PoolingEstimator:
    described = {
        "name": "toy@0",
        "licence": "CC0-1.0",
        "commercial": True,
        "support": dict.fromkeys(["Anger", "Sadness"], "acted")
        | {name: "inferred" for name in NAMES if name not in ("Anger", "Sadness")},
        "reliability": {"alone": {"Anger": 0.5}, "against": {"Anger": 0.7}},
    }
    return PoolingEstimator(PitchFront(), listener(), described)


def test_a_higher_voice_is_heard_as_angrier_and_a_lower_one_as_sadder():
    heard = [estimator().estimate(voice(pitch=pitch)) for pitch in (110, 200, 320, 450)]
    anger = [entry.intensities["Anger"] for entry in heard]
    assert anger == sorted(anger)
    assert anger[-1] > 0.6 > 0.2 > anger[0]
    assert heard[0].intensities["Sadness"] > 0.2 > heard[-1].intensities["Sadness"]
    assert heard[1].neutral > max(heard[0].neutral, heard[-1].neutral)
    assert heard[-1].arousal > heard[0].arousal


def test_gain_alone_changes_nothing():
    audio = voice(pitch=300)
    heard = estimator().estimate(Audio(audio.samples * np.float32(0.01), RATE))
    assert heard.intensities.distance(estimator().estimate(audio).intensities) < 0.02
    sound = ready(Audio(np.random.default_rng(0).normal(0, 0.1, RATE).astype(np.float32), RATE))
    half = ready(Audio(sound.samples / 2, RATE))
    np.testing.assert_array_equal(half.samples, ready(Audio(sound.samples, RATE)).samples)


def test_silence_around_is_left_out():
    audio = voice(pitch=300)
    silence = np.zeros(RATE, np.float32)
    padded = ready(Audio(np.concatenate([silence, audio.samples, silence]), RATE))
    assert len(padded.samples) / RATE == pytest.approx(audio.duration, abs=0.3)
    assert padded.start == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize("rate", [8000, 44100])
def test_any_rate_is_heard_alike(rate):
    heard = estimator().estimate(voice(pitch=300, rate=rate))
    assert heard.intensities.distance(estimator().estimate(voice(pitch=300)).intensities) < 0.15


@pytest.mark.parametrize(
    "samples",
    [np.zeros(RATE), 0.1 * np.sin(np.arange(1600)), np.zeros(10), np.full(RATE, 1e-6)],
    ids=["digital silence", "0.1 s", "less than a frame", "below the noise of 16 bits"],
)
def test_too_little_sound_is_no_speech(samples):
    heard = estimator().estimate(Audio(samples.astype(np.float32), RATE))
    assert not heard.speech
    assert str(heard) == "no speech"
    assert heard.intensities.is_neutral
    assert math.isnan(heard.valence)
    assert heard.to_json()["valence"] is None


def test_what_the_head_calls_no_speech_is_none():
    made = estimator()
    made.head.speech.bias.data.fill_(-3.0)
    assert not made.estimate(voice()).speech


def test_no_samples_at_all_are_refused():
    with pytest.raises(InvalidInput, match="no sound"):
        estimator().estimate(Audio(np.zeros(0, np.float32), RATE))


def test_over_time_follows_the_voice():
    high, low = voice(3, pitch=400), voice(3, pitch=120)
    silence = np.zeros(2 * RATE, np.float32)
    whole = Audio(np.concatenate([high.samples, silence, low.samples]), RATE)
    heard = estimator().estimate_over_time(whole, window=1.0, hop=1.0)
    assert [round(entry.start) for entry in heard] == list(range(8))
    assert heard[-1].end == pytest.approx(8.0)
    assert [entry.speech for entry in heard] == [True] * 3 + [False] * 2 + [True] * 3
    assert min(entry.intensities["Anger"] for entry in heard[:3]) > 0.5
    assert max(entry.intensities["Anger"] for entry in heard[5:]) < 0.1


def test_windows_reach_the_end_and_bad_ones_are_refused():
    assert windows(2.6, 1.0, 0.5)[-1] == (2.0, 2.6)
    assert windows(0.3, 1.0, 0.5) == [(0.0, 0.3)]
    for window, hop in ((0.1, 0.1), (1, 0), (1, 2), (math.nan, 0.5), (math.inf, 1)):
        with pytest.raises(InvalidInput, match="allowed"):
            windows(3.0, window, hop)


def test_pooling_in_pieces_is_pooling_at_once():
    sound = ready(voice(65.0, pitch=250))
    count = len(sound.heard)
    assert count > 2 * _PIECE
    spans = [(0, count), (100, 400), (0, 0), (1400, 1700), (2900, count)]
    frames = np.concatenate(
        [
            PitchFront().frames([sound.samples[start * FRAME : (start + _PIECE) * FRAME]])[0]
            for start in range(0, count, _PIECE)
        ]
    )
    for (first, last), found in zip(spans, pool(PitchFront(), sound, spans), strict=True):
        part = frames[first:last]
        if not len(part):
            assert found is None
            continue
        expected = np.concatenate([part.mean(0), part.std(0)])
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_baseline_takes_the_voices_own_pitch_out():
    made = estimator()
    takes = [voice(pitch=pitch) for pitch in (380, 400, 420) for _ in range(6)]
    alone, against = made.estimate(voice(pitch=400)), made.estimate(voice(pitch=400), takes)
    assert alone.intensities["Anger"] > 0.5 > 0.3 > against.intensities["Anger"]
    assert against.reliability["Anger"] > alone.reliability["Anger"]


def test_a_baseline_survives_its_file(tmp_path):
    made = estimator()
    known = made.baseline([voice(pitch=300), voice(pitch=320)])
    known.save(tmp_path / "voice.safetensors")
    again = Baseline.load(tmp_path / "voice.safetensors")
    assert again.takes == 2
    heard = [made.estimate(voice(), baseline) for baseline in (known, again)]
    assert heard[0] == heard[1]


def test_few_takes_count_little_and_many_much():
    mean, std = np.zeros(1, np.float32), np.ones(1, np.float32)
    assert habits(np.full((1, 1), 4.0), mean, std)[0] == pytest.approx(1.0)
    assert habits(np.full((97, 1), 4.0), mean, std)[0] == pytest.approx(3.88)


def test_bad_baselines_are_refused(tmp_path):
    made = estimator()
    other = Baseline(np.zeros(4, np.float32), np.ones(4, np.float32), 5, "another@1")
    with pytest.raises(InvalidInput, match="another@1"):
        made.estimate(voice(), other)
    with pytest.raises(InvalidInput, match="No take"):
        made.estimate(voice(), [Audio(np.zeros(RATE, np.float32), RATE)])
    (tmp_path / "text.safetensors").write_text("not a baseline")
    for name in ("text.safetensors", "missing.safetensors", "."):
        with pytest.raises(InvalidInput, match="holds no voice's baseline"):
            Baseline.load(tmp_path / name)


def test_many_files_keep_their_order_and_a_broken_one_costs_only_itself(tmp_path):
    voice(pitch=400).save(tmp_path / "high.wav")
    (tmp_path / "broken.wav").write_text("no sound")
    voice(pitch=120).save(tmp_path / "low.wav")
    paths = [tmp_path / name for name in ("high.wav", "broken.wav", "low.wav", "absent.wav")]
    high, broken, low, absent = estimator().estimate_many(paths)
    assert high.intensities["Anger"] > low.intensities["Anger"]
    assert isinstance(broken, UserError)
    assert isinstance(absent, UserError)


def test_an_estimate_says_the_same_as_json_and_to_laion():
    heard = estimator().estimate(voice(pitch=400))
    told = json.loads(json.dumps(heard.to_json()))
    assert len(told["intensities"]) == 40
    assert told["support"]["Anger"] == "acted"
    scores = heard.to_laion()
    assert scores["Anger"] == pytest.approx(4 * heard.intensities["Anger"], abs=1e-3)
    assert 0 <= scores["Arousal"] <= 4
    assert EmotionVector.from_laion(scores)["Anger"] == pytest.approx(
        heard.intensities["Anger"], abs=1e-3
    )


def test_unknown_estimators_are_named():
    with pytest.raises(UnknownName, match="standard"):
        EmotionEstimator.load("standrad")


def test_a_checkpoint_survives_its_file_and_others_are_refused(tmp_path, monkeypatch):
    front = LogMelFront()
    described = {
        "front": "log-mel",
        "licence": "CC0-1.0",
        "commercial": True,
        "support": {},
        "reliability": {"alone": {}},
    }
    path = tmp_path / "tiny.safetensors"
    save_estimator(path, {"head": Meter().eval(), "front": front}, described)
    made = PoolingEstimator.from_file(path)
    assert made.name == "tiny"
    assert isinstance(made.estimate(voice()), Estimate)
    with pytest.raises(InvalidInput, match="no baseline"):
        made.baseline([voice()])
    (tmp_path / "text").write_text("nothing")
    with pytest.raises(WeightsError, match="no estimator"):
        PoolingEstimator.from_file(tmp_path / "text")
    save_estimator(path, {"head": Meter(hidden=5), "front": front}, described)
    with pytest.raises(WeightsError, match="does not fit"):
        PoolingEstimator.from_file(path)
    monkeypatch.setattr("training.modules.fingerprint", lambda: "0123456789abcdef")
    save_estimator(path, {"head": Meter(), "front": front}, described)
    with pytest.raises(WeightsError, match="made for other taxonomy"):
        PoolingEstimator.from_file(path)


def test_the_tiny_estimator_is_tiny():
    parts = LogMelFront(), Meter()
    assert sum(entry.numel() for part in parts for entry in part.parameters()) <= 100_000
    readings = parts[1](torch.randn(3, 2 * LogMelFront.channels))
    assert readings.shape == (3, READINGS)
    assert readings[:, :40].min() >= 0
    assert readings[:, :40].max() <= 1


SPEECH = Path(__file__).parents[2] / "shared" / "data" / "speech" / "emodb" / "audio"
NAMES_OF_BUILT_IN = ("standard", "permissive", "tiny")


@pytest.fixture(scope="module", params=NAMES_OF_BUILT_IN)
def built_in(request):
    return EmotionEstimator.load(request.param)


def recording(code: str) -> Audio:
    path = SPEECH / f"{code}.flac"
    if not path.is_file():
        pytest.skip("the corpora are not here")
    return Audio.load(path)


@pytest.mark.weights
def test_real_anger_and_sadness_are_heard(built_in):
    angry, sad, neutral = (
        built_in.estimate(recording(code)) for code in ("03a01Wa", "03a02Ta", "03a01Nc")
    )
    assert angry.intensities["Anger"] > max(sad.intensities["Anger"], neutral.intensities["Anger"])
    assert sad.intensities["Sadness"] > angry.intensities["Sadness"]
    assert angry.arousal > sad.arousal
    assert neutral.neutral > max(angry.neutral, sad.neutral)
    assert set(angry.support) == {*NAMES, "valence", "arousal", "dominance"}
    assert built_in.commercial == (built_in.name.split("@")[0] == "permissive")


@pytest.mark.weights
def test_real_speech_is_heard_alike_at_any_gain_and_in_silence(built_in):
    audio = recording("03a01Wa")
    plain = built_in.estimate(audio)
    quiet = Audio(audio.samples * np.float32(0.001), audio.sample_rate)
    assert built_in.estimate(quiet).intensities.distance(plain.intensities) < 1e-3
    silence = np.zeros(audio.sample_rate, np.float32)
    padded = Audio(np.concatenate([silence, audio.samples, silence]), audio.sample_rate)
    assert built_in.estimate(padded).intensities.distance(plain.intensities) < 0.35


@pytest.mark.weights
@pytest.mark.parametrize("kind", ["steady", "chords", "solo", "hum", "drums"])
def test_noise_and_music_are_no_speech(built_in, kind):
    heard = [built_in.estimate(audio).speech for audio in sounds(6, seed=99, kinds=[kind])]
    assert sum(heard) <= 1


@pytest.mark.weights
def test_an_hour_is_heard_in_bounded_memory():
    made = EmotionEstimator.load("tiny")
    minute = voice(60.0).samples
    audio = Audio(np.tile(minute, 60), RATE)
    tracemalloc.start()
    made.estimate(audio)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * audio.samples.nbytes
