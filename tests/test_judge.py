"""The judges: what they refuse, what changes nothing, and that they tell toys apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from conditioning import Audio
from conditioning.errors import InvalidInput, UnknownName, WeightsError
from training import judge as module
from training.corpora import Utterance
from training.functionals import functionals, names
from training.judge import EMOTIONS, Judge, Speech, fit, honesty, speech, table_of

RATE = 16000
# Pitch in Hz, its vibrato in semitones, and how steeply the harmonics fall: toys of four emotions.
TOYS = {
    "anger": (260, 4.0, 0.6),
    "happiness": (320, 6.0, 1.2),
    "sadness": (150, 0.5, 2.0),
    "neutral": (190, 1.0, 1.4),
}


def hum(hertz: float, vibrato: float, fall: float, seconds: float = 1.0) -> np.ndarray:
    """Syllables of harmonics, four a second."""
    time = np.arange(round(seconds * RATE)) / RATE
    pitch = hertz * 2 ** (vibrato * np.sin(2 * np.pi * 2 * time) / 12)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    harmonics = sum(np.sin(number * phase) / number**fall for number in range(1, 16))
    return 0.05 * harmonics * (0.55 - 0.45 * np.cos(2 * np.pi * 4 * time))


def toys() -> Speech:
    """Six voices, each a little higher, saying each toy three times; two corpora."""
    rng = np.random.default_rng(0)
    utterances, features = [], []
    for voice in range(6):
        for label, (hertz, vibrato, fall) in TOYS.items():
            for _ in range(3):
                own = 1.05**voice * rng.uniform(0.98, 1.02)
                found = functionals(hum(hertz * own, vibrato, fall + rng.normal(0, 0.05)))
                features.append(list(found.values()))
                utterances.append(
                    Utterance(
                        corpus=("ravdess", "nemo")[voice % 2],
                        path=Path("x.wav"),
                        speaker=f"voice {voice}",
                        gender=None,
                        language="en",
                        text=None,
                        label=label,
                        emotions={},
                        level=None,
                        licence="",
                        script=None,
                    )
                )
    return speech(utterances, np.array(features))


@pytest.fixture(scope="module")
def learnt() -> Speech:
    return toys()


@pytest.fixture(scope="module")
def judge(learnt) -> Judge:
    return fit("functionals", learnt)


@pytest.mark.parametrize("mode", ["alone", "against"])
def test_voices_that_were_never_met_are_heard(learnt, mode):
    out = learnt.speaker == "voice 3"
    heard = fit("functionals", learnt[~out]).hear(learnt.features[out], learnt.speaker[out], mode)
    actual = np.array(EMOTIONS)[learnt.emotion[out]]
    assert (heard.emotions == actual).mean() >= 0.9
    probabilities = np.exp(heard.log_probabilities)
    np.testing.assert_allclose(probabilities.sum(1), 1)
    assert np.abs([heard.arousal, heard.valence]).max() <= 1
    assert heard.arousal[actual == "anger"].mean() > heard.arousal[actual == "sadness"].mean() + 0.2
    assert heard.valence[actual == "happiness"].mean() > heard.valence[actual == "anger"].mean()


def test_intensity_is_the_log_odds_of_an_emotion(judge, learnt):
    heard = judge.hear(learnt.features, learnt.speaker)
    share = np.exp(heard.log_probabilities[:, EMOTIONS.index("anger")])
    odds = np.log(share / (1 - share))
    np.testing.assert_allclose(heard.intensity("anger"), odds, atol=1e-6)
    with pytest.raises(UnknownName, match=r"^Unknown emotion 'rage'\..*Known: anger, "):
        heard.intensity("rage")


def test_a_corpus_says_nothing_of_emotions_that_it_lacks(learnt):
    # The same recordings, called calm in the one corpus that knows calm.
    calm = EMOTIONS.index("calm")
    emotion, known = learnt.emotion.copy(), learnt.known.copy()
    both = (learnt.corpus == "ravdess") & (emotion == EMOTIONS.index("neutral"))
    emotion[both] = calm
    known[learnt.corpus == "ravdess", calm] = True
    known[learnt.corpus == "ravdess", EMOTIONS.index("neutral")] = False
    parts = vars(learnt) | {"emotion": emotion, "known": known}
    judge = fit("functionals", Speech(**parts))
    heard = np.exp(judge.hear(learnt.features, learnt.speaker).log_probabilities)
    quiet = learnt.emotion == EMOTIONS.index("neutral")
    # Neither corpus contradicts the other, so that both are likely.
    assert heard[quiet][:, [calm, EMOTIONS.index("neutral")]].mean(0).min() > 0.25


def test_against_a_voice_does_not_depend_on_how_high_it_is(judge, learnt):
    shifted = learnt.features.copy()
    own = learnt.speaker == "voice 2"
    shifted[own] += 0.3 * judge.std
    before = judge.hear(learnt.features, learnt.speaker, "against").log_probabilities[own]
    after = judge.hear(shifted, learnt.speaker, "against").log_probabilities[own]
    alone = judge.hear(shifted, learnt.speaker, "alone").log_probabilities[own]
    still = judge.hear(learnt.features, learnt.speaker, "alone").log_probabilities[own]
    assert np.abs(after - before).mean() < 0.5 * np.abs(alone - still).mean()


def test_gain_changes_nothing():
    sound = hum(200, 2, 1.2).astype(np.float32)
    quiet, loud = (
        module.FRONTS["functionals"](Audio(sound * factor, RATE)) for factor in (0.1, 1.0)
    )
    np.testing.assert_allclose(quiet, loud, rtol=1e-3, atol=1e-2)


def test_what_has_no_pitch_is_judged_too(judge):
    noise = np.random.default_rng(0).standard_normal(RATE) * 0.1
    features = judge.features(Audio(noise.astype(np.float32), RATE))
    assert np.isnan(features).any()
    assert np.isfinite(judge.hear(features[None], ["x"], "alone").log_probabilities).all()


def test_a_saved_judge_hears_the_same(judge, learnt, tmp_path):
    judge.save(tmp_path / "judge.safetensors")
    loaded = Judge.load(tmp_path / "judge.safetensors")
    assert (loaded.name, loaded.corpora) == ("functionals", ("nemo", "ravdess"))
    assert len(loaded.sha256) == 64
    before, after = (
        one.hear(learnt.features, learnt.speaker).log_probabilities for one in (judge, loaded)
    )
    np.testing.assert_array_equal(before, after)


def test_a_judge_of_other_features_is_refused(judge, tmp_path, monkeypatch):
    judge.save(tmp_path / "judge.safetensors")
    other = {**module.NAMES, "functionals": lambda: names()[::-1]}
    monkeypatch.setattr(module, "NAMES", other)
    with pytest.raises(WeightsError, match="made for other features or emotions"):
        Judge.load(tmp_path / "judge.safetensors")
    (tmp_path / "other").write_bytes(b"nothing")
    with pytest.raises(WeightsError, match="holds no judge"):
        Judge.load(tmp_path / "other")
    with pytest.raises(UnknownName, match="Unknown judge 'nobody'"):
        Judge.load("nobody")


def test_what_does_not_fit_is_refused(judge, learnt):
    with pytest.raises(UnknownName, match="Unknown mode 'beside'"):
        judge.hear(learnt.features, learnt.speaker, "beside")
    with pytest.raises(InvalidInput, match="^2 voices for 72 recordings; "):
        judge.hear(learnt.features, ["a", "b"])
    with pytest.raises(InvalidInput, match=r"^Features of shape \(72, 3\)"):
        judge.hear(learnt.features[:, :3], learnt.speaker)
    with pytest.raises(InvalidInput, match="too little sound"):
        judge.features(Audio(np.zeros(RATE, np.float32), RATE))


def test_honesty_counts_every_clip_that_was_held_out(learnt):
    never = learnt[learnt.corpus == "nemo"]
    rows = honesty("functionals", learnt, never, folds=3)
    first = rows[0]
    assert (first.corpus, first.mode) == ("nemo", "alone")
    assert sum(count for _, count in first.recalls.values()) == (learnt.corpus == "nemo").sum()
    assert first.recall.value > 0.8
    assert table_of(rows).count("\n") == len(rows) + 1
