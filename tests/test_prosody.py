import time
import warnings
from pathlib import Path

import numpy as np
import pytest

from conditioning.audio import Audio
from conditioning.errors import InvalidInput
from conditioning.prosody import FUNCTIONALS, HOP, QUIETEST, functionals, measure

SPEECH = Path(__file__).parents[2] / "shared" / "data" / "speech"


def voice(f0, rate=16_000, slope=-6.0, noise=0.0):
    """A buzz whose pitch in Hz is given for each sample, falling by `slope` dB an octave."""
    phase = 2 * np.pi * np.cumsum(f0) / rate
    sound = np.zeros(len(f0))
    for number in range(1, int(0.45 * rate / np.max(f0)) + 1):
        sound += number ** (slope / 6.02) * np.sin(number * phase)
    sound /= np.abs(sound).max() * 4
    sound += noise * np.random.default_rng(0).standard_normal(len(f0))
    return Audio(sound.astype(np.float32), rate)


def steady(hertz, seconds=1.0, rate=16_000, **further):
    return voice(np.full(int(seconds * rate), float(hertz)), rate, **further)


def joined(*parts):
    rate = parts[0].sample_rate
    return Audio(np.concatenate([part.samples for part in parts]), rate)


def silence(seconds, rate=16_000):
    return Audio(np.zeros(int(seconds * rate), np.float32), rate)


@pytest.mark.parametrize("rate", [8000, 16_000, 24_000, 44_100])
@pytest.mark.parametrize("hertz", [65, 110, 250, 580])
def test_the_pitch_of_a_steady_voice_is_found_at_any_rate(hertz, rate):
    prosody = measure(steady(hertz, rate=rate))
    assert len(prosody) == 100
    assert np.abs(12 * np.log2(prosody.f0 / hertz)).max() < 0.1


def test_a_glide_is_followed_without_delay():
    f0 = 120 * 2 ** (np.linspace(0, 12, 16_000) / 12)
    prosody = measure(voice(f0))
    middles = ((np.arange(100) + 0.5) * HOP * 16_000).astype(int)
    assert np.abs(12 * np.log2(prosody.f0 / f0[middles]))[3:-3].max() < 0.2
    assert functionals(prosody)["f0_slope"] == pytest.approx(12, abs=0.3)


def test_noise_and_silence_have_no_pitch():
    noise = np.random.default_rng(1).standard_normal(16_000).astype(np.float32) * 0.1
    assert np.isnan(measure(Audio(noise, 16_000)).f0).mean() > 0.95
    nothing = measure(silence(0.5))
    for curve in (nothing.f0, nothing.level, nothing.alpha, nothing.tilt, nothing.breath):
        assert np.isnan(curve).all()
    assert not nothing.speech.any()
    assert functionals(nothing)["speech_s"] == 0


def test_the_level_changes_nothing_but_the_level():
    loud = joined(steady(150, noise=0.003), silence(0.4), steady(200, noise=0.003))
    faint = loud.gain(-30)
    one, other = measure(loud), measure(faint)
    np.testing.assert_array_equal(np.isnan(one.f0), np.isnan(other.f0))
    np.testing.assert_array_equal(one.speech, other.speech)
    np.testing.assert_allclose(one.hnr, other.hnr, atol=0.05)
    heard = one.level > QUIETEST
    np.testing.assert_allclose((one.level - other.level)[heard], 30, atol=0.2)


def test_the_level_is_that_of_full_scale():
    tone = Audio(np.sin(2 * np.pi * 200 * np.arange(16_000) / 16_000).astype(np.float32), 16_000)
    assert np.median(measure(tone).level) == pytest.approx(tone.rms_db, abs=0.1)


@pytest.mark.parametrize("slope", [-3.0, -6.0, -12.0])
def test_the_tilt_is_that_of_the_harmonics(slope):
    # Lines as dense as these fill each band in proportion to its width.
    prosody = measure(steady(80, slope=slope))
    assert np.median(prosody.tilt) == pytest.approx(slope, abs=0.7)


def test_a_darker_voice_has_a_lower_alpha_ratio():
    bright, dark = (functionals(measure(steady(150, slope=slope))) for slope in (-6, -12))
    assert bright["alpha_db"] > dark["alpha_db"] + 5


def test_more_noise_is_more_breath_and_less_harmony():
    rows = [functionals(measure(steady(150, noise=noise))) for noise in (0, 0.002, 0.01, 0.03)]
    assert sorted(rows, key=lambda row: row["breath_db"]) == rows
    assert sorted(rows, key=lambda row: -row["hnr_db"]) == rows


def test_harmony_is_the_ratio_of_voice_to_noise():
    sound = steady(200, noise=0.01)
    ratio = sound.rms_db - 20 * np.log10(0.01)
    # The tracker hears only up to 5 of the 8 kHz that the noise fills.
    assert np.median(measure(sound).hnr) == pytest.approx(ratio + 10 * np.log10(8 / 5), abs=1.5)


def test_pauses_are_counted_between_the_words_only():
    clip = joined(silence(0.5), steady(150, 0.6), silence(0.4), steady(150, 0.6), silence(0.7))
    found = functionals(measure(clip))
    assert found["pause_share"] == pytest.approx(0.4 / 1.6, abs=0.03)
    assert found["pauses_per_s"] == pytest.approx(1 / 1.6, abs=0.05)
    assert found["speech_s"] == pytest.approx(1.2, abs=0.05)


def test_a_closure_of_a_consonant_is_no_pause():
    clip = joined(steady(150, 0.4), silence(0.08), steady(150, 0.4))
    assert functionals(measure(clip))["pause_share"] == 0


def test_syllables_are_counted():
    rate, beats = 16_000, 4
    sound = steady(150, 2.0)
    time_ = np.arange(2 * rate) / rate
    swell = 0.05 + np.sin(np.pi * beats * time_) ** 2
    clip = Audio((sound.samples * swell / 1.1).astype(np.float32), rate)
    assert functionals(measure(clip))["rate"] == pytest.approx(beats, abs=0.6)


def test_an_unsteady_voice_has_more_jitter():
    wobble = np.repeat(np.random.default_rng(2).standard_normal(200), 160)
    steady_one = functionals(measure(steady(150, 2.0)))
    rough = functionals(measure(voice(150 * (1 + 0.03 * wobble))))
    assert rough["jitter_pct"] > steady_one["jitter_pct"] + 0.2


def test_speech_without_a_voice_has_figures_for_what_can_be_measured():
    noise = np.random.default_rng(3).standard_normal(16_000).astype(np.float32) * 0.1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        prosody = measure(Audio(noise, 16_000))
        prosody.f0[:] = np.nan
        found = functionals(prosody)
    assert tuple(found) == FUNCTIONALS
    assert np.isnan([found["f0_median_st"], found["alpha_db"], found["jitter_pct"]]).all()
    assert np.isfinite([found["level_mean_db"], found["pause_share"], found["speech_s"]]).all()


def test_what_is_too_short_is_refused():
    with pytest.raises(InvalidInput, match="0.050 s"):
        measure(silence(0.05))


@pytest.mark.skipif(not SPEECH.is_dir(), reason="the corpora are not here")
def test_actors_are_measured_whole_and_fast():
    paths = sorted((SPEECH / "emodb").rglob("audio/**/*.*"))[::60]
    seconds = taken = 0.0
    for path in paths:
        audio = Audio.load(path)
        started = time.process_time()
        found = functionals(measure(audio))
        taken += time.process_time() - started
        seconds += audio.duration
        assert all(type(value) is float and np.isfinite(value) for value in found.values()), path
        assert 14 < found["f0_median_st"] < 50, path
        assert 0.4 < found["voiced_share"] < 0.95, path
        assert 2 < found["rate"] < 9, path
    assert taken / seconds < 0.06  # 0.01 here
