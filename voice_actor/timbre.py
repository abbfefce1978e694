"""What is done to samples rather than asked of the backbone: loudness, tilt, aspiration."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .acting import Acting

FFT, HOP = 1200, 300  # samples at 24 kHz: 50 ms windows, one for each pitch frame of 12.5 ms
PIVOT, TOP = 200.0, 5000.0  # Hz between which tilt bends the spectrum
BREATH_FROM, BREATH_FULL = 500.0, 2500.0  # Hz between which aspiration noise sets in
KNEE = 0.7  # sample magnitude above which loud peaks are rounded off
CEILING = 0.98


def shape(samples: Tensor, acting: Acting, sample_rate: int, generator: torch.Generator) -> Tensor:
    """Samples (S,) with the acting's level, tilt and breath; `acting` is spread over pitch frames.

    Tilt keeps every window's energy, so that it changes the colour and not the loudness. Aspiration
    follows the speech's own envelope, as breath through an open glottis does. What is louder than
    the format holds is rounded off smoothly, never clipped.
    """
    frames = samples.shape[0] // HOP + 1

    def per_window(values: Tensor) -> Tensor:
        return F.interpolate(values[None, None], size=frames, mode="linear")[0, 0]

    tilt, breath, level = (
        per_window(values) for values in (acting.tilt, acting.breath, acting.level)
    )
    if tilt.any() or breath.any():
        window = torch.hann_window(FFT)
        spectrum = torch.stft(samples, FFT, HOP, window=window, return_complex=True)
        frequencies = torch.linspace(0, sample_rate / 2, FFT // 2 + 1)
        octaves = torch.log2(frequencies.clamp(PIVOT, TOP) / PIVOT)
        energy = spectrum.abs().square().sum(dim=0)
        spectrum = spectrum * torch.pow(10.0, octaves[:, None] * tilt / 20)
        tilted = spectrum.abs().square().sum(dim=0)
        spectrum = spectrum * torch.sqrt(energy / tilted.clamp(min=1e-12))
        onset = ((frequencies - BREATH_FROM) / (BREATH_FULL - BREATH_FROM)).clamp(0, 1)
        noise = torch.randn(samples.shape[0], generator=generator)
        noise = torch.stft(noise, FFT, HOP, window=window, return_complex=True)
        # White noise of standard deviation 1 has this energy in a window; scale it to the speech's.
        unit = window.square().sum() * (FFT // 2 + 1)
        spectrum = spectrum + noise * onset[:, None] * breath * torch.sqrt(energy / unit)
        samples = torch.istft(spectrum, FFT, HOP, window=window, length=samples.shape[0])
    if level.any():
        gain = F.interpolate(level[None, None], size=samples.shape[0], mode="linear")[0, 0]
        samples = samples * torch.pow(10.0, gain / 20)
    return round_off(samples)


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
