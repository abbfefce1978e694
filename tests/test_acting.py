"""What each control does, measured on curves and signals with known properties."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from voice_actor import timbre
from voice_actor.acting import (
    CONTROLS,
    Acting,
    accents,
    act_durations,
    act_energy,
    act_frames,
    act_pitch,
    middle_pitch,
)
from voice_actor.backbone import FRAME, Reading
from voice_actor.phonemes import VOWELS, phonemize

RATE, HOP = 24_000, 300


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
    before, after = melody(), act_pitch(melody(), Acting.of(400, f0_shift=shift), chance())
    moved = semitones(after).median() - semitones(before).median()
    assert float(moved) == pytest.approx(shift, abs=1e-3)


@pytest.mark.parametrize("ratio", [0.5, 0.8, 1.5, 2.0])
def test_a_range_multiplies_distances_and_keeps_the_median(ratio):
    before = semitones(melody())
    change = Acting.of(400, f0_range=np.log2(ratio))
    after = semitones(act_pitch(melody(), change, chance()))
    assert float(after.median()) == pytest.approx(float(before.median()), abs=1e-3)
    assert float(after.std() / before.std()) == pytest.approx(ratio, rel=1e-3)


def test_the_end_can_rise_and_fall():
    level = torch.full((200,), 150.0)
    for bend in (-3.0, 3.0):
        bent = semitones(act_pitch(level, Acting.of(200, f0_final=bend), chance()))
        assert float(bent[-1] - bent[0]) == pytest.approx(bend, abs=1e-3)
        assert torch.allclose(bent[:130], bent[0])


def test_tremor_trembles_at_six_hertz():
    level = torch.full((800,), 150.0)  # 10 s
    trembling = semitones(act_pitch(level, Acting.of(800, tremor=0.5), chance())).numpy()
    spectrum = np.abs(np.fft.rfft(trembling - trembling.mean()))
    assert np.argmax(spectrum) / 10 == pytest.approx(6.0, abs=0.1)
    assert np.ptp(trembling) == pytest.approx(1.0, abs=0.02)


def test_unvoiced_frames_stay_as_they_are():
    f0 = melody()
    acted = act_pitch(f0, Acting.of(400, f0_shift=5, f0_range=1, jitter=0.3), chance())
    assert torch.equal(acted[f0 <= 10], f0[f0 <= 10])
    silent = torch.zeros(50)
    assert torch.equal(act_pitch(silent, Acting.of(50, f0_shift=5), chance()), silent)


def test_energy_moves_about_its_mean():
    energy = torch.sin(torch.arange(100) / 5) - 3
    acted = act_energy(energy, Acting.of(100, energy_range=1.0))
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
    assert torch.allclose(act_durations(line, Acting.of(length, duration=1.0)), 2 * line.durations)


def test_a_pause_is_added_inside_the_phrase_only():
    line = reading("Wait, what?")
    added = act_durations(line, Acting.of(len(line.durations), pause=0.2)) - line.durations
    symbols = [phoneme.symbol for phoneme in line.phrase.phonemes]
    assert float(added[1 + symbols.index(",")]) == pytest.approx(0.2 / FRAME)
    assert float(added.sum()) == pytest.approx(0.2 / FRAME)


def test_an_accent_stands_on_each_stressed_vowel_and_the_last_of_a_clause_is_the_strongest():
    phrase = reading("The letter never came, believe me.").phrase
    symbols = " " + phrase.symbols
    found = [(symbols[first:end], weight) for first, end, weight in accents(phrase)]
    assert found == [("ɛ", 0.7), ("ɛ", 0.7), ("A", 1.0), ("i", 1.0), ("i", 0.35)]


def test_a_secondary_stress_is_half_an_accent():
    phrase = reading("Understand.").phrase
    assert [weight for _, _, weight in accents(phrase)] == [0.35, 1.0]


def test_a_clause_of_secondary_stress_alone_still_has_its_accent():
    phrase = reading("Go.").phrase
    assert "ˈ" not in phrase.symbols
    assert [weight for _, _, weight in accents(phrase)] == [1.0]


def test_a_length_mark_belongs_to_the_stressed_vowel():
    (phrase,) = phonemize("Far.", "gb")
    ((first, end, _),) = accents(phrase)
    assert (" " + phrase.symbols)[first:end] == "ɑː"


def stretched(text: str, **changes: float) -> list[str]:
    """Runs of symbols that last longer than in the reading of the text."""
    line = reading(text)
    acted = act_durations(line, Acting.of(len(line.durations), **changes))
    longer = [*(acted > line.durations).tolist(), False]
    symbols = f" {line.phrase.symbols}  "
    runs, run = [], ""
    for symbol, is_longer in zip(symbols, longer, strict=True):
        if is_longer:
            run += symbol
        elif run:
            runs, run = [*runs, run], ""
    return runs


def test_each_duration_control_stretches_what_it_is_named_after():
    text = "The letter never came, believe me."
    assert reading(text).phrase.symbols == "ðə lˈɛTəɹ nˈɛvəɹ kˈAm, bəlˈiv mˌi."
    assert stretched(text, duration_accent=0.4) == ["ɛ", "ɛ", "A", "i", "i"]
    assert stretched(text, vowels=0.4) == list("əɛəɛəAəii")
    assert stretched(text, final=0.4) == ["Am", "i"]


@pytest.mark.parametrize("ratio", [0.8, 0.9, 1.1, 1.2, 1.5])
def test_whole_frames_lose_nothing_of_a_small_change(ratio):
    text = "The letter never came, believe me."
    line = reading(text)
    short = Reading(line.phrase, line.durations / 2, *[None] * 3)
    vowels = torch.tensor([symbol in VOWELS for symbol in f" {line.phrase.symbols} "])
    frames = act_frames(short, Acting.of(len(vowels), vowels=np.log2(ratio)))
    assert float(frames[vowels].sum()) == pytest.approx(ratio * 2 * int(vowels.sum()), abs=0.51)
    assert (frames[~vowels] == 2).all()
    assert (act_frames(short, Acting.of(len(vowels), duration=-3.0)) == 1).all()


def test_duration_controls_multiply():
    line = reading("Go.")
    changes = dict.fromkeys(("duration", "duration_accent", "vowels", "final"), 0.25)
    acted = act_durations(line, Acting.of(len(line.durations), **changes))
    vowel = 1 + line.phrase.symbols.index("O")
    assert float(acted[vowel] / line.durations[vowel]) == pytest.approx(2.0)


def spread(text: str, frames: int = 4, **changes) -> Acting:
    line = reading(text)
    length = len(line.durations)
    each = torch.full((length,), frames)
    return Acting.of(length, **changes).spread(each, line.phrase)


def test_pitch_and_level_rise_on_stressed_vowels_by_what_is_asked():
    acted = spread("Believe.", f0_accent=4.0, level_accent=6.0)
    vowel = 1 + reading("Believe.").phrase.symbols.index("ˈ") + 1
    middle = slice(8 * vowel + 3, 8 * vowel + 5)
    assert torch.allclose(acted.f0_accent[middle], torch.tensor(4.0), atol=0.1)
    assert torch.allclose(acted.level_accent[middle], torch.tensor(6.0), atol=0.15)
    assert not acted.f0_accent[: 8 * vowel - 5].any()
    level = torch.full((len(acted.f0_accent),), 150.0)
    curve = semitones(act_pitch(level, acted, chance()))
    assert float(curve.max() - curve.min()) == pytest.approx(4.0, abs=0.1)


def test_a_contour_passes_through_what_each_phoneme_asks():
    length = len(reading("Believe.").durations)
    asked = torch.linspace(0, length - 1, length)
    acted = spread("Believe.", f0_contour=asked, level_contour=-asked)
    time = (torch.arange(8 * length) + 0.5) / 8 - 0.5
    inside = slice(8, -8)
    assert torch.allclose(acted.f0_contour[inside], time[inside], atol=1e-4)
    assert torch.allclose(acted.level_contour[inside], -time[inside], atol=1e-4)


@pytest.mark.parametrize("name", CONTROLS)
def test_no_control_that_changes_between_phonemes_jumps(name):
    length = len(reading("Believe.").durations)
    step = (torch.arange(length) > 5).float()
    track = getattr(spread("Believe.", **{name: step}), name)
    assert track.diff().abs().max() < 0.4
    constant = getattr(spread("Believe.", **{name: 0.7}), name)
    if "accent" not in name:
        assert torch.allclose(constant, torch.tensor(0.7), atol=1e-6)


def test_a_curve_read_in_another_manner_returns_to_the_level_it_is_given():
    other = act_pitch(melody() * 1.3, Acting.of(400, f0_shift=2), chance(), middle_pitch(melody()))
    moved = semitones(other).median() - semitones(melody()).median()
    assert float(moved) == pytest.approx(2.0, abs=1e-3)


def noise(seconds: float = 2.0) -> torch.Tensor:
    return 0.05 * torch.randn(int(seconds * RATE), generator=chance(1))


def power(samples: torch.Tensor, low: float, high: float) -> float:
    """dB between two frequencies."""
    spectrum = np.abs(np.fft.rfft(samples.numpy())) ** 2
    frequency = np.fft.rfftfreq(len(samples), 1 / RATE)
    return 10 * np.log10(spectrum[(frequency >= low) & (frequency < high)].sum())


def shaped(samples: torch.Tensor, **changes: float) -> torch.Tensor:
    frames = len(samples) // HOP
    f0 = torch.full((frames,), 200.0)
    return timbre.shape(samples, Acting.of(frames, **changes), RATE, chance(), f0)


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


def buzz(seconds: float = 2.0, pitch: float = 200.0) -> torch.Tensor:
    """All harmonics below 4 kHz, equally strong."""
    time = torch.arange(int(seconds * RATE)) / RATE
    turns = torch.arange(1, int(4000 / pitch))[:, None] * pitch * time
    return 0.02 * torch.cos(2 * np.pi * turns).sum(dim=0)


@pytest.mark.parametrize("pressed", [-6.0, 4.0, 10.0])
def test_pressing_sinks_the_first_harmonic_alone_and_keeps_the_loudness(pressed):
    lax, acted = buzz(), shaped(buzz(), pressed=pressed)

    def over_the_second(samples: torch.Tensor) -> float:
        return power(samples, 150, 250) - power(samples, 350, 450)

    assert over_the_second(acted) - over_the_second(lax) == pytest.approx(-pressed, abs=0.3)
    assert power(acted, 350, 450) - power(acted, 750, 850) == pytest.approx(0, abs=0.1)
    assert power(acted, 0, RATE) == pytest.approx(power(lax, 0, RATE), abs=0.3)


def test_a_rough_voice_has_a_subharmonic_and_the_same_loudness():
    clear, rough = buzz(), shaped(buzz(), rough=0.4)
    assert power(clear, 280, 320) < power(clear, 380, 420) - 60
    assert power(rough, 280, 320) > power(rough, 380, 420) - 20
    assert power(rough, 0, RATE) == pytest.approx(power(clear, 0, RATE), abs=0.5)


def test_the_voice_source_of_unvoiced_sound_is_left_alone():
    hiss = noise()
    silent = torch.zeros(len(hiss) // HOP)
    change = Acting.of(len(silent), pressed=8.0, rough=0.4)
    assert torch.equal(timbre.shape(hiss, change, RATE, chance(), silent), hiss)


@pytest.mark.parametrize("moved", [-0.12, 0.06, 0.12])
def test_formants_move_by_the_ratio_that_is_asked(moved):
    """Noise with one resonance at 1500 Hz, wide enough for a cepstrum to see."""
    frequency = torch.fft.rfftfreq(2 * RATE, 1 / RATE)
    resonance = torch.exp(-((frequency - 1500) / 400).square()) + 0.05
    vowel = torch.fft.irfft(torch.fft.rfft(noise()) * resonance)

    def peak(samples: torch.Tensor) -> float:
        spectrum = torch.fft.rfft(samples).abs().square() * (frequency < 3000)
        loud = spectrum * (spectrum > 0.1 * spectrum.max())
        return float((loud * frequency).sum() / loud.sum())

    ratio = peak(shaped(vowel, formants=moved)) / peak(vowel)
    assert np.log2(ratio) == pytest.approx(moved, abs=0.03)


def test_shaping_with_every_control_stays_finite_on_silence_and_short_sound():
    everything = dict.fromkeys(("tilt", "breath", "pressed", "rough", "formants", "level"), 0.1)
    for length in (5 * HOP, 40 * HOP):
        assert torch.isfinite(shaped(torch.zeros(length), **everything)).all()


def test_loud_peaks_are_rounded_off_and_quiet_ones_untouched():
    loud = torch.linspace(-3, 3, 1001)
    rounded = timbre.round_off(loud)
    assert rounded.abs().max() <= timbre.CEILING
    assert (rounded.diff() >= 0).all()
    quiet = torch.linspace(-timbre.KNEE, timbre.KNEE, 101)
    assert torch.equal(timbre.round_off(quiet), quiet)
