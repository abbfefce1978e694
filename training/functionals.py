"""Functionals of a recording for a judge: figures of pitch, voice quality, spectrum and rhythm.

Their kinds follow openSMILE's eGeMAPS (Eyben et al. 2016, IEEE Transactions on Affective Computing
7(2), 190-202) and, for rhythm, the modulation spectrum of the envelope; the implementation is ours.
N frames of 10 ms, B mel bands.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import numpy as np

from conditioning.audio import Audio
from conditioning.prosody import HOP, Prosody, measure
from conditioning.prosody import functionals as prosodic

RATE = 16000  # Hz
_STEP, _WINDOW, _LONG, _FFT = 160, 400, 640, 512  # samples
_LOWEST, _HIGHEST = 80.0, 7000.0  # Hz
_BANDS, _CEPSTRA = 32, 14
_FLOOR = 1e-4  # of the mean energy of a band: what is quieter is the room
_QUIET, _LOUD = (
    30.0,
    12.0,
)  # dB under the loudest frames: what is heard; what is a syllable's middle
_MODULATIONS = (1, 2, 4, 6, 8, 12, 16, 24, 40)  # Hz
_SEGMENT = 4  # frames of voice that have a slope
_ENDS = 25  # voiced frames at either end
# Whose mean says how loud the recording is, or how much was said.
_LEFT_OUT = ("level_mean_db", "speech_s")


def functionals(samples: np.ndarray) -> dict[str, float]:
    """Figures of samples at 16 kHz; nan where one cannot be measured, as pitch in a whisper."""
    prosody = measure(Audio(samples, RATE))
    power, bands = _spectra(samples, len(prosody))
    found = {name: value for name, value in prosodic(prosody).items() if name not in _LEFT_OUT}
    level = 10 * np.log10(bands.sum(1) + 1e-20)
    level -= np.percentile(level, 95)
    heard = level > -_QUIET
    inside = slice(np.flatnonzero(heard)[0], np.flatnonzero(heard)[-1] + 1)
    voiced = np.isfinite(prosody.f0) & prosody.speech
    unvoiced = prosody.speech & ~voiced
    found |= _melody(prosody.semitones, voiced)
    found |= _voice(prosody, voiced, unvoiced, samples)
    found |= _cepstra(bands, {"": heard, "voiced ": voiced, "unvoiced ": unvoiced})
    found |= _spectrum(power, level, heard)
    found |= _rhythm(bands[inside], level[inside], heard[inside])
    return {name: float(value) for name, value in found.items()}


@cache
def names() -> tuple[str, ...]:
    """What `functionals` gives, in its order."""
    seconds = np.arange(RATE) / RATE
    return tuple(functionals(np.sin(2 * np.pi * 200 * seconds) * np.sin(6 * np.pi * seconds)))


def _spectra(samples: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Power (N, K) and energy of mel bands (N, B) about the middles of `prosody`'s frames."""
    frames = _frames(samples, np.arange(count), _WINDOW)
    power = np.abs(np.fft.rfft(frames, _FFT)) ** 2
    return power, power @ _filters()


def _frames(samples: np.ndarray, numbers: np.ndarray, width: int) -> np.ndarray:
    """Windowed samples (n, width) about the middles of some frames."""
    padded = np.pad(samples.astype(np.float64), (width, width + _STEP))
    starts = numbers * _STEP + _STEP // 2 + width - width // 2
    starts = np.minimum(starts, len(padded) - width)
    return padded[starts[:, None] + np.arange(width)] * np.hanning(width)


@cache
def _filters() -> np.ndarray:
    """Triangles of equal area (K, B), equally spaced in mel (O'Shaughnessy's formula)."""
    mel = np.linspace(*(np.log1p(np.array([_LOWEST, _HIGHEST]) / 700)), _BANDS + 2)
    edges = 700 * np.expm1(mel)
    hertz = np.fft.rfftfreq(_FFT, 1 / RATE)[:, None]
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (hertz - low) / (middle - low), (high - hertz) / (high - middle)
    return np.clip(np.minimum(rising, falling), 0, None) * 2 / (high - low)


def _melody(pitch: np.ndarray, voiced: np.ndarray) -> dict[str, float]:
    """Of the contour beyond `prosody.functionals`: ends, segments, shape; semitones and seconds."""
    segments = [pitch[a:b] for a, b in _runs(voiced) if b - a >= _SEGMENT]
    names = (
        "first last last_slope p20 p80 p95 skew between within widest "
        "slope steepness rising length longest segments bend"
    ).split()
    names = [f"melody_{name}" for name in names]
    if not segments:
        return dict.fromkeys(names, math.nan)
    heard = pitch[voiced]
    middle, spread = np.median(heard), heard.std()
    lengths = np.array([len(part) for part in segments])
    share = lengths / lengths.sum()
    slopes = np.array([_slope(part) for part in segments]) / HOP
    ranges = [np.ptp(part) for part in segments]
    smooth = [np.convolve(part, np.ones(5) / 5, "valid") for part in segments if len(part) >= 8]
    values = [
        heard[:_ENDS].mean() - middle,
        heard[-_ENDS:].mean() - middle,
        _slope(heard[-_ENDS:]) / HOP,
        *(np.percentile(heard, (20, 80, 95)) - middle),
        ((heard - heard.mean()) ** 3).mean() / (spread**3 + 1e-3),
        np.std([part.mean() for part in segments]),
        np.mean(ranges),
        np.max(ranges),
        slopes @ share,
        np.abs(slopes) @ share,
        np.maximum(slopes, 0) @ share,
        np.log(lengths.mean()),
        np.log(lengths.max()),
        len(segments) / (len(pitch) * HOP),
        np.mean([np.abs(np.diff(part, 2)).mean() for part in smooth]) if smooth else math.nan,
    ]
    return dict(zip(names, values, strict=True))


def _voice(prosody: Prosody, voiced, unvoiced, samples: np.ndarray) -> dict[str, float]:
    """Voice quality: how the curves of `prosody` spread, and harmonics against formants, dB."""
    found = {}
    for name in ("hnr", "breath", "alpha", "tilt"):
        curve = getattr(prosody, name)
        for statistic, value in _spread(curve[voiced]).items():
            found[f"{name}_voiced_{statistic}"] = value
        if name != "hnr":
            found[f"{name}_unvoiced_mean"] = _mean(curve[unvoiced])
    level, pitch = prosody.level[voiced], prosody.semitones[voiced]
    found["level_voiced_sd"] = level.std() if len(level) else math.nan
    found["level_unvoiced_mean"] = _mean(prosody.level[unvoiced]) - _mean(level)
    found["level_slope"] = _slope(level)
    found["alpha_by_level"] = _slope(prosody.alpha[voiced], level)
    found["pitch_by_level"] = _slope(pitch, level)
    return found | _harmonics(samples, np.flatnonzero(voiced), prosody.f0[voiced])


def _harmonics(samples: np.ndarray, numbers: np.ndarray, f0: np.ndarray) -> dict[str, float]:
    """Levels of harmonics 1, 2 and 4 and of the peaks where formants 1 to 4 lie, dB apart."""
    peaks = {"a1": (300, 1000), "a2": (1000, 2200), "a3": (2200, 3500), "a4": (3500, 5500)}
    if not len(numbers):
        names = ["h1_h2", "h1_h2_sd", "h2_h4", *(f"h1_{name}" for name in peaks)]
        return dict.fromkeys(names, math.nan)
    frames = _frames(samples, numbers, _LONG)
    time = np.arange(_LONG) / RATE
    harmonics = {}
    for number in (1, 2, 4):
        turns = np.exp(-2j * np.pi * number * f0[:, None] * time)
        harmonics[number] = _db(np.abs((frames * turns).sum(1)) ** 2)
    power = np.abs(np.fft.rfft(frames, 2048)) ** 2
    hertz = np.fft.rfftfreq(2048, 1 / RATE)
    first = harmonics[1] - harmonics[2]
    found = {
        "h1_h2": first.mean(),
        "h1_h2_sd": first.std(),
        "h2_h4": (harmonics[2] - harmonics[4]).mean(),
    }
    for name, (low, high) in peaks.items():
        peak = power[:, (hertz >= low) & (hertz < high)].max(1)
        found[f"h1_{name}"] = (harmonics[1] - _db(peak)).mean()
    return found


def _cepstra(bands: np.ndarray, parts: dict[str, np.ndarray]) -> dict[str, float]:
    """Mean and deviation of mel cepstra, deviation of their slopes, over parts of the frames."""
    from scipy.fft import dct

    found = {}
    for name, part in parts.items():
        if part.sum() < _SEGMENT:
            part = np.zeros(len(bands), bool)
        level = bands[part].mean() if part.any() else bands.mean()
        logs = np.log(bands + level * _FLOOR + 1e-30)
        cepstra = dct(logs, norm="ortho", axis=1)[:, :_CEPSTRA]
        cepstra[:, 0] -= np.log(level + 1e-30) * math.sqrt(_BANDS)  # the gain
        padded = np.pad(cepstra, ((2, 2), (0, 0)), mode="edge")
        slopes = (padded[3:-1] - padded[1:-3] + 2 * (padded[4:] - padded[:-4])) / 10
        for number in range(_CEPSTRA):
            some = cepstra[part, number]
            found[f"{name}cepstrum_{number}_mean"] = _mean(some)
            found[f"{name}cepstrum_{number}_sd"] = some.std() if len(some) else math.nan
            moved = slopes[part, number]
            found[f"{name}cepstrum_{number}_slope_sd"] = moved.std() if len(moved) else math.nan
    return found


def _spectrum(power: np.ndarray, level: np.ndarray, heard: np.ndarray) -> dict[str, float]:
    """Balance of the spectrum over the heard frames, and in the middles of syllables."""
    hertz = np.fft.rfftfreq(_FFT, 1 / RATE)

    def energy(low: float, high: float) -> np.ndarray:
        return power[:, (hertz >= low) & (hertz < high)].sum(1)

    def peak(low: float, high: float) -> np.ndarray:
        return power[:, (hertz >= low) & (hertz < high)].max(1)

    used = (hertz >= 100) & (hertz < _HIGHEST)
    share = power[:, used] / (power[:, used].sum(1, keepdims=True) + 1e-20)
    curves = {
        "alpha": _db(energy(1000, 5000)) - _db(energy(50, 1000)),
        "hammarberg": _db(peak(0, 2000)) - _db(peak(2000, 5000)),
        "low": _db(energy(50, 500)) - _db(energy(500, 1500)),
        "middle": _db(energy(500, 1500)) - _db(energy(1500, 4000)),
        "high": _db(energy(4000, _HIGHEST)) - _db(energy(500, 4000)),
        "centroid": np.log2(share @ hertz[used] + 1),
        "entropy": -(share * np.log(share + 1e-12)).sum(1),
    }
    loud = level > -_LOUD
    found = {}
    for name, curve in curves.items():
        for statistic, value in _spread(curve[heard]).items():
            found[f"{name}_{statistic}"] = value
        found[f"{name}_loud"] = curve[loud].mean()
    found["alpha_by_level_heard"] = _slope(curves["alpha"][heard], level[heard])
    return found


def _rhythm(bands: np.ndarray, level: np.ndarray, heard: np.ndarray) -> dict[str, float]:
    """Flux, loudness, modulation of four bands, pauses and peaks."""
    from scipy.ndimage import gaussian_filter1d
    from scipy.signal import find_peaks

    mean = bands[heard].mean()
    logs = np.log(bands + mean * _FLOOR)
    flux = np.sqrt(np.square(np.diff(logs, axis=0)).mean(1))
    found = {f"flux_{name}": value for name, value in _spread(flux).items()}
    loudness = ((bands / mean) ** 0.3).mean(1)  # a power law of loudness
    loudness /= loudness[heard].mean()
    steps = np.diff(gaussian_filter1d(loudness, 1.5)) / HOP
    for name, some in (("rise", steps[steps > 0]), ("fall", -steps[steps < 0])):
        found[f"loudness_{name}_mean"] = _mean(some)
        found[f"loudness_{name}_sd"] = some.std() if len(some) else math.nan
    for name, value in _spread(loudness).items():
        found[f"loudness_{name}"] = value
    found["loudness_slope"] = _slope(loudness)
    for name, value in _spread(level[heard]).items():
        found[f"level_{name}"] = value
    envelopes = [np.log(part.sum(1) + mean * _FLOOR) for part in np.array_split(bands, 4, axis=1)]
    size = max(1024, len(bands))
    hertz = np.fft.rfftfreq(size, HOP)
    window = np.hanning(len(bands))
    for number, envelope in enumerate(envelopes):
        found[f"modulation_{number}_depth"] = envelope.std()
        power = np.abs(np.fft.rfft((envelope - envelope.mean()) * window, size)) ** 2
        whole = power[(hertz >= _MODULATIONS[0]) & (hertz < _MODULATIONS[-1])].sum() + 1e-9
        for low, high in zip(_MODULATIONS, _MODULATIONS[1:], strict=False):
            part = power[(hertz >= low) & (hertz < high)].sum()
            found[f"modulation_{number}_{low}_hz"] = np.log(part / whole + 1e-4)
    found["silence"] = 1 - heard.mean()
    found["stretch"] = np.log(np.mean([b - a for a, b in _runs(heard)]))
    smooth = gaussian_filter1d(np.maximum(level, -2 * _QUIET), 2)
    peaks, _ = find_peaks(smooth, prominence=2.5, height=-22)
    found["peaks"] = len(peaks) / (len(level) * HOP)
    return found


def _runs(flags: np.ndarray) -> list[tuple[int, int]]:
    """First frame of each run that is True, and the one after its last."""
    edges = np.flatnonzero(np.diff(np.r_[0, flags.astype(int), 0]))
    return list(zip(edges[::2], edges[1::2], strict=True))


def _spread(values: np.ndarray) -> dict[str, float]:
    values = values[np.isfinite(values)]
    if not len(values):
        return dict.fromkeys(("mean", "sd", "p10", "p90"), math.nan)
    low, high = np.percentile(values, (10, 90))
    return {"mean": values.mean(), "sd": values.std(), "p10": low, "p90": high}


def _mean(values: np.ndarray) -> float:
    values = values[np.isfinite(values)]
    return float(values.mean()) if len(values) else math.nan


def _slope(values: np.ndarray, along: Sequence[float] | None = None) -> float:
    """Of the straight line through values, a step or a unit of `along`; nan where there is none."""
    along = np.arange(len(values)) if along is None else np.asarray(along)
    if len(values) < 3:
        return math.nan
    apart = along - along.mean()
    return float(apart @ (values - values.mean()) / (apart @ apart + 1e-9))


def _db(power: np.ndarray) -> np.ndarray:
    return 10 * np.log10(power + 1e-12)
