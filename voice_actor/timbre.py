"""What is done to samples rather than asked of the backbone: loudness, voice source, formants."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from .acting import Acting, smooth
from .backbone import UNVOICED_BELOW

WHISPER_FFT = 192  # samples: 8 ms, shorter than a period of most voices
FFT, HOP = 1200, 300  # samples at 24 kHz: 50 ms windows, one for each pitch frame of 12.5 ms
PIVOT, TOP = 200.0, 5000.0  # Hz between which tilt bends the spectrum
BREATH_FROM, BREATH_FULL = 500.0, 2500.0  # Hz between which aspiration noise sets in
FIRST_HARMONIC = 1.3, 1.7  # of F0: all of the pressing below, none of it above
ENVELOPE = 0.004  # seconds: quefrencies below are the vocal tract's,
PERIOD_PART = 0.7  # and below this part of the pitch period, where the voice's own begin
MOST_WARP = 12.0  # dB by which moving formants may change a frequency
KNEE = 0.7  # sample magnitude above which loud peaks are rounded off
CEILING = 0.98


def shape(
    samples: Tensor, acting: Acting, sample_rate: int, generator: torch.Generator, f0: Tensor
) -> Tensor:
    """Samples (S,) with the acting's timbre and level.

    Tilt, pressing and formants keep every window's energy, so that they change the colour and not
    the loudness. Aspiration follows the speech's own envelope, as breath through an open glottis
    does. What is louder than the format holds is rounded off smoothly, never clipped.

    Args:
        acting: spread over pitch frames.
        f0: the pitch in Hz that the samples were made with, (P,).
    """
    if acting.voiceless.any():
        samples = whispered(samples, acting.voiceless, generator)
    voiced = (f0 > UNVOICED_BELOW).float()
    pressed, rough = (smooth(voiced[None])[0] * x for x in (acting.pressed, acting.rough))
    tilt, breath, formants = acting.tilt, acting.breath, acting.formants
    if any(control.any() for control in (tilt, breath, formants, pressed)):
        window = torch.hann_window(FFT)
        spectrum = torch.stft(samples, FFT, HOP, window=window, return_complex=True)
        tilt, breath, formants, pressed, pitch = (
            per_window(track, spectrum.shape[1])
            for track in (tilt, breath, formants, pressed, continued(f0))
        )
        frequencies = torch.linspace(0, sample_rate / 2, FFT // 2 + 1)
        octaves = torch.log2(frequencies.clamp(PIVOT, TOP) / PIVOT)
        gain = octaves[:, None] * tilt
        if formants.any():
            gain = gain + moved_formants(spectrum, formants, pitch, sample_rate)
        if pressed.any():
            gain = gain - first_harmonic(frequencies, pitch) * pressed
        energy = spectrum.abs().square().sum(dim=0)
        spectrum = spectrum * torch.pow(10.0, gain / 20)
        changed = spectrum.abs().square().sum(dim=0)
        spectrum = spectrum * torch.sqrt(energy / changed.clamp(min=1e-12))
        if breath.any():
            onset = ((frequencies - BREATH_FROM) / (BREATH_FULL - BREATH_FROM)).clamp(0, 1)
            noise = torch.randn(samples.shape[0], generator=generator)
            noise = torch.stft(noise, FFT, HOP, window=window, return_complex=True)
            # White noise of standard deviation 1 has this energy in a window; it becomes speech's.
            unit = window.square().sum() * (FFT // 2 + 1)
            spectrum = spectrum + noise * onset[:, None] * breath * torch.sqrt(energy / unit)
        samples = torch.istft(spectrum, FFT, HOP, window=window, length=samples.shape[0])
    if rough.any():
        samples = samples * growl(f0, rough, samples.shape[0], sample_rate)
    level = acting.level + acting.level_accent + acting.level_contour
    if level.any():
        samples = samples * torch.pow(10.0, per_window(level, samples.shape[0]) / 20)
    return round_off(samples)


def whispered(samples: Tensor, voiceless: Tensor, generator: torch.Generator) -> Tensor:
    """Samples (S,) as noise of the same short spectrum, where `voiceless` (P,) is 1.

    Windows of 8 ms know the formants and not the pitch; with the phases of noise nothing periodic
    is left (`python benchmarks/manners.py`).
    """
    window = torch.hann_window(WHISPER_FFT)
    spectrum, noise = (
        torch.stft(each, WHISPER_FFT, WHISPER_FFT // 4, window=window, return_complex=True)
        for each in (samples, torch.randn(samples.shape[0], generator=generator))
    )
    aspirated = spectrum.abs() * noise / noise.abs().clamp(min=1e-9)
    breath = torch.istft(
        aspirated, WHISPER_FFT, WHISPER_FFT // 4, window=window, length=samples.shape[0]
    )
    return torch.lerp(samples, breath, per_window(voiceless, samples.shape[0]))


def per_window(track: Tensor, count: int) -> Tensor:
    """A track (P,) at `count` moments, evenly over the same time."""
    return F.interpolate(track[None, None], size=count, mode="linear")[0, 0]


def continued(f0: Tensor) -> Tensor:
    """The pitch curve (P,), where it is unvoiced that of the nearest voiced frame before or after.

    A curve without any voiced frame becomes 100 Hz.
    """
    voiced = torch.nonzero(f0 > UNVOICED_BELOW)[:, 0]
    if not len(voiced):
        return torch.full_like(f0, 100.0)
    time = torch.arange(len(f0))
    after = torch.searchsorted(voiced, time).clamp(max=len(voiced) - 1)
    before = (after - 1).clamp(min=0)
    nearer = (time - voiced[before]).abs() < (voiced[after] - time).abs()
    return f0[torch.where(nearer, voiced[before], voiced[after])]


def first_harmonic(frequencies: Tensor, pitch: Tensor) -> Tensor:
    """1 up to and about the first harmonic, 0 from below the second: (frequencies, windows).

    How far the first harmonic stands above the second is what an open or pressed glottis is heard
    and measured by: Klatt and Klatt 1990 (doi 10.1121/1.398894), Hanson 1997
    (doi 10.1121/1.417991).
    """
    full, none = FIRST_HARMONIC
    place = ((frequencies[:, None] / pitch - full) / (none - full)).clamp(0, 1)
    return (1 + torch.cos(math.pi * place)) / 2


def moved_formants(spectrum: Tensor, formants: Tensor, pitch: Tensor, sample_rate: int) -> Tensor:
    """dB (frequencies, windows) that move the envelope of `spectrum` up by 2**formants.

    The envelope is the log spectrum smoothed by its cepstrum: quefrencies below the pitch period
    (Oppenheim and Schafer, Discrete-Time Signal Processing, homomorphic analysis of speech).
    """
    decibels = 10 * torch.log10(spectrum.abs().square().clamp(min=1e-10))
    cepstrum = torch.fft.irfft(decibels, dim=0)[: round(ENVELOPE * sample_rate)]
    quefrency = torch.arange(len(cepstrum))[:, None] / sample_rate
    edge = (PERIOD_PART / pitch).clamp(max=ENVELOPE)
    lifter = (2 * (1 - quefrency / edge)).clamp(0, 1)
    lifter[1:] *= 2  # the quefrencies of the other sign
    count = len(decibels)
    angles = math.pi * torch.arange(count)[:, None] / (count - 1)
    basis = torch.cos(angles * torch.arange(len(cepstrum)))
    envelope = basis @ (cepstrum * lifter)
    source = (torch.arange(count)[:, None] / torch.exp2(formants)).clamp(max=count - 1)
    below = source.floor().long().clamp(max=count - 2)
    moved = torch.lerp(envelope.gather(0, below), envelope.gather(0, below + 1), source - below)
    return (moved - envelope).clamp(-MOST_WARP, MOST_WARP)


def growl(f0: Tensor, rough: Tensor, count: int, sample_rate: int) -> Tensor:
    """Gains (count,) that swing once in two pitch periods by `rough` (P,), at the same energy."""
    depth = per_window(rough, count)
    turns = torch.cumsum(per_window(continued(f0).double(), count) / sample_rate / 2, dim=0)
    swing = 1 + depth * torch.cos(2 * math.pi * turns.frac()).float()
    return swing / torch.sqrt(1 + depth.square() / 2)


def fit(samples: Tensor) -> Tensor:
    """The samples, turned down where their peak exceeds `CEILING`, else untouched."""
    peak = samples.abs().max()
    return samples * (CEILING / peak) if peak > CEILING else samples


def round_off(samples: Tensor) -> Tensor:
    """Bends what exceeds `KNEE` towards `CEILING`; a signal that stays below is left alone."""
    if samples.abs().max() <= KNEE:
        return samples
    room = CEILING - KNEE
    excess = (samples.abs() - KNEE).clamp(min=0)
    bent = KNEE + room * torch.tanh(excess / room)
    return torch.where(samples.abs() > KNEE, samples.sign() * bent, samples)
