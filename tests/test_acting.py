"""What each control does, measured on curves and signals with known properties."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from voice_actor import timbre
from voice_actor.acting import CONTROLS, Acting, act_durations, act_energy, act_pitch
from voice_actor.backbone import FRAME, Reading
from voice_actor.phonemes import phonemize

RATE, HOP = 24_000, 300


def acting(length: int, **changes: float) -> Acting:
    return Acting(
        **{name: torch.full((length,), float(changes.get(name, 0.0))) for name in CONTROLS}
    )


def chance(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def melody(length: int = 400) -> torch.Tensor:
    """A voice that wanders about 180 Hz, with gaps."""
    time = torch.arange(length)
    f0 = 180 * torch.exp2(torch.sin(time / 17) * 3 / 12 + torch.cos(time / 41) * 2 / 12)
    return torch.where(time % 50 < 40, f0, 0.0)


def semitones(f0: torch.Tensor) -> torch.Tensor:
    return 12 * torch.log2(f0[f0 > 10])


@pytest.mark.parametrize("shift", [-4.0, -1.0, 2.5, 6.0])
def test_a_shift_moves_the_median_by_as_many_semitones(shift):
    before, after = melody(), act_pitch(melody(), acting(400, f0_shift=shift), chance())
    moved = semitones(after).median() - semitones(before).median()
    assert float(moved) == pytest.approx(shift, abs=1e-3)


@pytest.mark.parametrize("ratio", [0.5, 0.8, 1.5, 2.0])
def test_a_range_multiplies_distances_and_keeps_the_median(ratio):
    before = semitones(melody())
    change = acting(400, f0_range=np.log2(ratio))
    after = semitones(act_pitch(melody(), change, chance()))
    assert float(after.median()) == pytest.approx(float(before.median()), abs=1e-3)
    assert float(after.std() / before.std()) == pytest.approx(ratio, rel=1e-3)


def test_the_end_can_rise_and_fall():
    level = torch.full((200,), 150.0)
    for bend in (-3.0, 3.0):
        bent = semitones(act_pitch(level, acting(200, f0_final=bend), chance()))
        assert float(bent[-1] - bent[0]) == pytest.approx(bend, abs=1e-3)
        assert torch.allclose(bent[:130], bent[0])


def test_tremor_trembles_at_six_hertz():
    level = torch.full((800,), 150.0)  # 10 s
    trembling = semitones(act_pitch(level, acting(800, tremor=0.5), chance())).numpy()
    spectrum = np.abs(np.fft.rfft(trembling - trembling.mean()))
    assert np.argmax(spectrum) / 10 == pytest.approx(6.0, abs=0.1)
    assert np.ptp(trembling) == pytest.approx(1.0, abs=0.02)


def test_unvoiced_frames_stay_as_they_are():
    f0 = melody()
    acted = act_pitch(f0, acting(400, f0_shift=5, f0_range=1, jitter=0.3), chance())
    assert torch.equal(acted[f0 <= 10], f0[f0 <= 10])
    silent = torch.zeros(50)
    assert torch.equal(act_pitch(silent, acting(50, f0_shift=5), chance()), silent)


def test_energy_moves_about_its_mean():
    energy = torch.sin(torch.arange(100) / 5) - 3
    acted = act_energy(energy, acting(100, energy_range=1.0))
    assert float(acted.mean()) == pytest.approx(float(energy.mean()), abs=1e-5)
    assert float(acted.std() / energy.std()) == pytest.approx(2.0, rel=1e-4)


def reading(text: str) -> Reading:
    (phrase,) = phonemize(text)
    length = len(phrase.phonemes) + 2
    empty = torch.zeros(length, 1)
    return Reading(phrase, torch.full((length,), 4.0), torch.zeros(256), empty, empty)


def test_a_duration_stretches_every_phoneme():
    line = reading("Wait, what?")
    length = len(line.durations)
    assert torch.allclose(act_durations(line, acting(length, duration=1.0)), 2 * line.durations)


def test_a_pause_is_added_inside_the_phrase_only():
    line = reading("Wait, what?")
    added = act_durations(line, acting(len(line.durations), pause=0.2)) - line.durations
    symbols = [phoneme.symbol for phoneme in line.phrase.phonemes]
    assert float(added[1 + symbols.index(",")]) == pytest.approx(0.2 / FRAME)
    assert float(added.sum()) == pytest.approx(0.2 / FRAME)


def noise(seconds: float = 2.0) -> torch.Tensor:
    return 0.05 * torch.randn(int(seconds * RATE), generator=chance(1))


def power(samples: torch.Tensor, low: float, high: float) -> float:
    """dB between two frequencies."""
    spectrum = np.abs(np.fft.rfft(samples.numpy())) ** 2
    frequency = np.fft.rfftfreq(len(samples), 1 / RATE)
    return 10 * np.log10(spectrum[(frequency >= low) & (frequency < high)].sum())


def shaped(samples: torch.Tensor, **changes: float) -> torch.Tensor:
    return timbre.shape(samples, acting(len(samples) // HOP, **changes), RATE, chance())


def test_a_level_is_so_many_decibels():
    quiet = noise()
    for level in (-9.0, 6.0):
        change = power(shaped(quiet, level=level), 0, RATE) - power(quiet, 0, RATE)
        assert change == pytest.approx(level, abs=0.05)


def test_a_tilt_turns_the_spectrum_and_keeps_the_loudness():
    flat = noise()
    bright = shaped(flat, tilt=2.0)
    octaves = np.log2(3000 / 750)
    before = power(flat, 2500, 3500) - power(flat, 625, 875)
    after = power(bright, 2500, 3500) - power(bright, 625, 875)
    assert after - before == pytest.approx(2.0 * octaves, abs=0.4)
    assert power(bright, 0, RATE) == pytest.approx(power(flat, 0, RATE), abs=0.3)


def test_breath_is_noise_above_the_voice_and_follows_it():
    time = torch.arange(2 * RATE) / RATE
    tone = 0.2 * torch.sin(2 * np.pi * 200 * time) * (time < 1)
    breathy = shaped(tone, breath=0.3)
    voice, silence = slice(0, RATE), slice(int(1.1 * RATE), None)
    assert power(breathy[voice], 3000, 8000) > power(tone[voice], 3000, 8000) + 20
    assert power(breathy[voice], 50, 450) == pytest.approx(power(tone[voice], 50, 450), abs=0.1)
    assert breathy[silence].abs().max() < 1e-3


def test_loud_peaks_are_rounded_off_and_quiet_ones_untouched():
    loud = torch.linspace(-3, 3, 1001)
    rounded = timbre.round_off(loud)
    assert rounded.abs().max() <= timbre.CEILING
    assert (rounded.diff() >= 0).all()
    quiet = torch.linspace(-timbre.KNEE, timbre.KNEE, 101)
    assert torch.equal(timbre.round_off(quiet), quiet)
