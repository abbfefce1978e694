"""`Prosody`: pitch, level and voice quality of a recording over time.

The pitch tracker follows Boersma, "Accurate short-term analysis of the fundamental frequency and
the harmonics-to-noise ratio of a sampled sound" (1993): peaks of the autocorrelation divided by
that of the window, and the cheapest path through them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from conditioning.audio import Audio
from conditioning.errors import InvalidInput

HOP = 0.01  # seconds; frame i is centred on (i + 0.5) * HOP
REFERENCE = 27.5  # Hz that is 0 semitones
LOWEST, HIGHEST = 60.0, 600.0  # Hz of a voice
SHORTEST = 0.1  # seconds that can be measured
QUIETEST = -120.0  # dB of full scale; what is quieter is digital silence

_RATE = 16_000  # Hz at which everything is measured
_STEP = round(HOP * _RATE)
_PITCH_WINDOW = 800  # samples: three periods of the lowest voice
_WINDOW = 400  # samples of level and spectrum
_PITCH_FFT, _FFT = 1200, 512
_AT_ONCE = 2000  # frames, which bounds memory

_BANDS = 5  # of the spectral slope: each wide enough to hold a harmonic of most voices
_EMPTY = 50.0  # dB under the strongest band that a band is taken to have at least

_CANDIDATES = 8  # of a frame
_UNVOICED = 0.45  # autocorrelation under which a frame has no pitch
_OCTAVE = 0.01  # autocorrelation that an octave higher may lack
_JUMP = 0.35  # price of an octave between neighbouring frames
_SWITCH = 0.14  # price of a voice that sets in or stops
_SILENT = 32.0  # dB under the loud frames where nothing counts as a voice
_PITCH_PASS = 5000.0  # Hz; above it, breath hides the periods of a voice

_PAUSE = 35.0  # dB under the loud frames
_ABOVE_NOISE = 6.0  # dB over the quiet frames that speech is at least
_CLOSURE = 0.15  # seconds; shorter silences belong to a consonant
_BURST = 0.04  # seconds; shorter sounds are no speech
_NUCLEUS = 2.0  # dB by which the level falls between two syllables


@dataclass(frozen=True, eq=False)
class Prosody:
    """What a voice does over time, N frames of `HOP` seconds, each (N,).

    Attributes:
        f0: Hz, nan where unvoiced.
        level: dB of full scale, over 25 ms; at least `QUIETEST`.
        alpha: energy of 1-5 kHz over that of 50-1000 Hz, dB; nan in digital silence.
        tilt: slope of the spectrum from 200 Hz to 5 kHz, dB an octave; nan in digital silence.
        hnr: harmonics-to-noise ratio, dB, at most 40; nan where unvoiced.
        breath: aperiodic energy above 2.5 kHz over all energy, dB; nan in digital silence.
        speech: False in pauses, before the first word and after the last.
    """

    f0: np.ndarray
    level: np.ndarray
    alpha: np.ndarray
    tilt: np.ndarray
    hnr: np.ndarray
    breath: np.ndarray
    speech: np.ndarray

    @property
    def semitones(self) -> np.ndarray:
        """Pitch in semitones over `REFERENCE`, nan where unvoiced (N,)."""
        return 12 * np.log2(self.f0 / REFERENCE)

    def __len__(self) -> int:
        return len(self.f0)


def measure(audio: Audio) -> Prosody:
    """The prosody of a recording at any rate and level.

    A clip of digital silence gives nan everywhere and no speech.

    Raises:
        InvalidInput: shorter than `SHORTEST`.
    """
    if audio.duration < SHORTEST:
        raise InvalidInput(
            f"The audio lasts {audio.duration:.3f} s; at least {SHORTEST:g} s can be measured."
        )
    highest = min(_RATE, audio.sample_rate) / 2
    samples = audio.resample(_RATE).samples
    count = max(round(len(samples) / _STEP), 1)
    level, alpha, bands, above = _spectrum(samples, count)
    if level.max() <= QUIETEST:
        nothing = np.full(count, np.nan)
        return Prosody(*[nothing.copy() for _ in range(6)], np.zeros(count, bool))
    silent = level <= QUIETEST
    loud = _loud(level)
    f0, periodic, high = _pitch(samples, level - loud)
    voiced = ~np.isnan(f0)
    breath = _db(above * np.where(voiced, 1 - np.clip(high, 0, 0.999), 1.0))
    periodic = np.clip(periodic, 1e-4, 1 - 1e-4)
    hnr = np.where(voiced, 10 * np.log10(periodic / (1 - periodic)), np.nan)
    tilt = _tilt(bands, highest)
    for curve in (alpha, tilt, breath):
        curve[silent] = np.nan
    return Prosody(f0, level, alpha, tilt, hnr, breath, _speech(level, loud))


def functionals(prosody: Prosody) -> dict[str, float]:
    """What a whole recording is like, in figures; time before and after the speech is left out.

    f0_median_st, f0_sd_st, f0_p10_st, f0_p90_st, f0_range_st (p90 - p10): semitones over
    `REFERENCE`; f0_slope: semitones a second over the recording; f0_speed: median semitones a
    second within voiced stretches; level_mean_db (of the mean energy), level_sd_db,
    level_range_db (p95 - p10), and over voiced frames alpha_db, tilt_db_oct, hnr_db, breath_db;
    jitter_pct and shimmer_pct: how far period and amplitude of a frame lie from the mean of their
    neighbours, which is smaller than the same between single periods; rate: syllable nuclei a
    second of speech; pause_share and pauses_per_s of the time from the first to the last word;
    voiced_share of the speech; speech_s.

    Where nothing is voiced, every figure of pitch and of the voice (those over voiced frames)
    is nan; where there is no speech at all, every figure is nan but speech_s, which is 0.
    """
    places = np.flatnonzero(prosody.speech)
    if not len(places):
        return dict.fromkeys(FUNCTIONALS, math.nan) | {"speech_s": 0.0}
    inside = slice(places[0], places[-1] + 1)
    speech, level = prosody.speech[inside], prosody.level[inside]
    voiced = ~np.isnan(prosody.f0[inside]) & speech
    pitch = np.where(voiced, prosody.semitones[inside], np.nan)
    heard = level[speech]
    starts = np.count_nonzero(np.diff(speech.astype(int)) == -1)
    low, median, high = _quantiles(pitch[voiced], (0.1, 0.5, 0.9))
    quiet, strong = _quantiles(heard, (0.1, 0.95))
    seconds = len(heard) * HOP

    def over_voiced(curve: np.ndarray) -> float:
        return _mean(curve[inside][voiced])

    found = {
        "f0_median_st": median,
        "f0_sd_st": float(pitch[voiced].std()) if voiced.any() else math.nan,
        "f0_p10_st": low,
        "f0_p90_st": high,
        "f0_range_st": high - low,
        "f0_slope": _slope(pitch),
        "f0_speed": _quantiles(_steps(pitch), (0.5,))[0] / HOP,
        "level_mean_db": float(10 * np.log10(np.mean(10 ** (heard / 10)))),
        "level_sd_db": float(heard.std()),
        "level_range_db": strong - quiet,
        "alpha_db": over_voiced(prosody.alpha),
        "tilt_db_oct": over_voiced(prosody.tilt),
        "hnr_db": over_voiced(prosody.hnr),
        "breath_db": over_voiced(prosody.breath),
        "jitter_pct": 100 * _unsteadiness(1 / prosody.f0[inside], voiced),
        "shimmer_pct": 100 * _unsteadiness(10 ** (level / 20), voiced),
        "rate": _nuclei(level, voiced) / seconds,
        "pause_share": 1 - float(speech.mean()),
        "pauses_per_s": int(starts) / (len(speech) * HOP),
        "voiced_share": float(voiced.sum() / speech.sum()),
        "speech_s": seconds,
    }
    assert tuple(found) == FUNCTIONALS
    return found


FUNCTIONALS = (
    "f0_median_st",
    "f0_sd_st",
    "f0_p10_st",
    "f0_p90_st",
    "f0_range_st",
    "f0_slope",
    "f0_speed",
    "level_mean_db",
    "level_sd_db",
    "level_range_db",
    "alpha_db",
    "tilt_db_oct",
    "hnr_db",
    "breath_db",
    "jitter_pct",
    "shimmer_pct",
    "rate",
    "pause_share",
    "pauses_per_s",
    "voiced_share",
    "speech_s",
)


def _frames(samples: np.ndarray, count: int, width: int):
    """Windows (n, width) about the middle of each frame, with silence beyond the ends, in parts."""
    before = width // 2 - _STEP // 2
    needed = (count - 1) * _STEP + width
    padded = np.zeros(needed, np.float32)
    inside = min(len(samples), needed - before)
    padded[before : before + inside] = samples[:inside]
    windows = np.lib.stride_tricks.sliding_window_view(padded, width)[::_STEP]
    for start in range(0, count, _AT_ONCE):
        yield slice(start, min(start + _AT_ONCE, count)), windows[start : start + _AT_ONCE]


def _spectrum(samples: np.ndarray, count: int):
    """Level and alpha ratio (N,), power by band (N, B), share of the energy above 2.5 kHz (N,)."""
    level, alpha, total = np.zeros(count), np.zeros(count), np.zeros(count)
    noise, bands = np.zeros(count), np.zeros((count, _BANDS))
    window = np.hanning(_WINDOW).astype(np.float32)
    weight = float(np.square(window).sum())
    hertz = np.fft.rfftfreq(_FFT, 1 / _RATE)
    low, high = (hertz >= 50) & (hertz < 1000), (hertz >= 1000) & (hertz < 5000)
    from scipy.fft import rfft

    for place, part in _frames(samples, count, _WINDOW):
        shaped = (part - part.mean(1, keepdims=True)) * window
        level[place] = _db(np.square(shaped).sum(1, dtype=np.float64) / weight, QUIETEST)
        spectrum = rfft(shaped, _FFT, axis=1)
        power = spectrum.real**2 + spectrum.imag**2
        total[place] = power[:, 1:].sum(1)
        alpha[place] = _db(power[:, high].sum(1)) - _db(power[:, low].sum(1))
        noise[place] = power[:, hertz >= 2500].sum(1)
        bands[place] = power @ _slope_bands()[1]
    return level, alpha, bands, noise / np.maximum(total, 1e-30)


@cache
def _slope_bands() -> tuple[np.ndarray, np.ndarray]:
    """Edges in Hz of the bands from 200 Hz to 5 kHz (B + 1,), and bins to mean power (K, B)."""
    edges = np.geomspace(200, 5000, _BANDS + 1)
    hertz = np.fft.rfftfreq(_FFT, 1 / _RATE)
    inside = (hertz[:, None] >= edges[:-1]) & (hertz[:, None] < edges[1:])
    return edges, (inside / inside.sum(0)).astype(np.float32)


def _tilt(bands: np.ndarray, highest: float) -> np.ndarray:
    """Slope in dB an octave (N,) of the bands that a recording of this bandwidth can hold."""
    edges = _slope_bands()[0]
    held = edges[1:] <= max(highest, edges[2])
    octaves = np.log2(np.sqrt(edges[:-1] * edges[1:]))[held]
    octaves -= octaves.mean()
    # A band without a harmonic says nothing of the slope beyond being much weaker.
    floor = bands.max(1, keepdims=True) * 10 ** (-_EMPTY / 10)
    return _db(np.maximum(bands, floor)[:, held]) @ octaves / np.square(octaves).sum()


def _pitch(samples: np.ndarray, relative: np.ndarray):
    """Pitch in Hz, its autocorrelation, and that of the sound above 2.5 kHz at its period: (N,).

    Args:
        relative: level of each frame under the loud ones, dB (N,).
    """
    from scipy.fft import irfft, rfft

    count = len(relative)
    window = np.hanning(_PITCH_WINDOW + 2)[1:-1].astype(np.float32)
    shortest, longest = math.floor(2 * _RATE / HIGHEST), math.ceil(2 * _RATE / LOWEST)
    # Twice as many points interpolate between the samples; lags are half samples from here on.
    own = irfft(np.abs(rfft(window, _PITCH_FFT)) ** 2, 2 * _PITCH_FFT)[: longest + 2]
    own = (own / own[0]).astype(np.float32)
    hertz = np.fft.rfftfreq(_PITCH_FFT, 1 / _RATE)
    passed = (1 / (1 + (hertz / _PITCH_PASS) ** 8)).astype(np.float32)
    high = hertz >= 2500
    lags = np.full((count, _CANDIDATES), np.nan)
    peaks = np.full((count, _CANDIDATES), -np.inf)
    spectra = []
    for place, part in _frames(samples, count, _PITCH_WINDOW):
        shaped = (part - part.mean(1, keepdims=True)) * window
        spectrum = rfft(shaped, _PITCH_FFT, axis=1)
        power = spectrum.real**2 + spectrum.imag**2
        spectra.append(power[:, high])
        correlation = irfft(power * passed, 2 * _PITCH_FFT, axis=1)[:, : longest + 2]
        correlation /= np.maximum(correlation[:, :1], 1e-20) * own
        found = _peaks(correlation, shortest, longest)
        lags[place], peaks[place] = found
    # Boersma's cost of a low pitch: without it, twice the period is as good as the period.
    strength = peaks - _OCTAVE * np.log2(np.where(np.isnan(lags), 1, lags) / shortest)
    unvoiced = _UNVOICED + np.clip((-relative - 0.75 * _SILENT) / (0.25 * _SILENT), 0, 1)
    chosen = _path(_RATE * 2 / lags, strength, unvoiced)
    rows = np.flatnonzero(chosen >= 0)
    f0, periodic, above = (np.full(count, np.nan) for _ in range(3))
    f0[rows] = 2 * _RATE / lags[rows, chosen[rows]]
    periodic[rows] = peaks[rows, chosen[rows]]
    power = np.concatenate(spectra)[rows]
    turns = 2 * np.pi * hertz[high] / f0[rows, None]
    shrunk = np.interp(2 * _RATE / f0[rows], np.arange(len(own)), own)
    above[rows] = (power * np.cos(turns)).sum(1) / np.maximum(power.sum(1), 1e-20) / shrunk
    return f0, periodic, above


def _peaks(correlation: np.ndarray, shortest: int, longest: int) -> tuple[np.ndarray, np.ndarray]:
    """Lags and heights (n, C) of the highest peaks of rows (n, L) between two lags.

    nan and -inf where a row has fewer.
    """
    middle = correlation[:, shortest : longest + 1]
    before, after = (
        correlation[:, shortest - 1 : longest],
        correlation[:, shortest + 1 : longest + 2],
    )
    # A peak that is lower than this cannot win against silence.
    peak = (middle > before) & (middle >= after) & (middle > _UNVOICED / 2)
    height = np.where(peak, middle, -np.inf)
    best = np.argpartition(-height, _CANDIDATES, axis=1)[:, :_CANDIDATES]
    rows = np.arange(len(height))[:, None]
    top, left, right = middle[rows, best], before[rows, best], after[rows, best]
    bend = np.minimum(left - 2 * top + right, -1e-9)
    shift = np.clip(0.5 * (left - right) / bend, -0.5, 0.5)
    there = peak[rows, best]
    lags = np.where(there, shortest + best + shift, np.nan)
    return lags, np.where(there, top - 0.25 * (left - right) * shift, -np.inf)


def _path(hertz: np.ndarray, strength: np.ndarray, unvoiced: np.ndarray) -> np.ndarray:
    """Number of the candidate chosen in each frame, -1 for none: (N,).

    Args:
        hertz, strength: of the candidates (N, C); nan and -inf where there is none.
        unvoiced: strength of having none (N,).
    """
    count, candidates = hertz.shape
    octaves = np.log2(np.where(np.isnan(hertz), LOWEST, hertz))
    scores = np.concatenate([strength, unvoiced[:, None]], axis=1)
    price = np.full((candidates + 1, candidates + 1), _SWITCH)
    price[-1, -1] = 0.0
    best, came = scores[0], np.zeros((count, candidates + 1), int)
    columns = np.arange(candidates + 1)
    for frame in range(1, count):
        price[:-1, :-1] = _JUMP * np.abs(octaves[frame - 1][:, None] - octaves[frame])
        total = best[:, None] - price
        came[frame] = total.argmax(0)
        best = total[came[frame], columns] + scores[frame]
    chosen = np.zeros(count, int)
    chosen[-1] = best.argmax()
    for frame in range(count - 1, 0, -1):
        chosen[frame - 1] = came[frame, chosen[frame]]
    return np.where(chosen == candidates, -1, chosen)


def _loud(level: np.ndarray) -> float:
    """The level of the loud frames, dB: what is said, however long the silence about it."""
    return float(np.quantile(level[level > level.max() - 40], 0.9))


def _speech(level: np.ndarray, loud: float) -> np.ndarray:
    """Which frames are no pause (N,)."""
    audible = level[level > QUIETEST]
    # Noise stands still: where quiet frames are not much quieter than loud ones, it is no noise.
    noise = float(np.quantile(audible, 0.05))
    threshold = loud - _PAUSE
    if noise < loud - 15:
        threshold = max(threshold, noise + _ABOVE_NOISE)
    speech = level > threshold
    speech = _without_runs(speech, False, _CLOSURE)
    return _without_runs(speech, True, _BURST)


def _without_runs(flags: np.ndarray, value: bool, seconds: float) -> np.ndarray:
    """Runs of a value that are shorter than this turned over, except at the ends for False."""
    edges = np.flatnonzero(np.diff(flags.astype(int))) + 1
    starts, ends = np.r_[0, edges], np.r_[edges, len(flags)]
    result = flags.copy()
    for start, end in zip(starts, ends, strict=True):
        at_end = start == 0 or end == len(flags)
        if flags[start] == value and (end - start) * HOP < seconds and (value or not at_end):
            result[start:end] = not value
    return result


def _nuclei(level: np.ndarray, voiced: np.ndarray) -> int:
    """How many syllables: voiced peaks of the level with a dip on either side."""
    from scipy.ndimage import gaussian_filter1d
    from scipy.signal import find_peaks

    smooth = gaussian_filter1d(np.maximum(level, level.max() - 50), 0.02 / HOP)
    smooth = np.pad(smooth, 1, constant_values=smooth.min() - _NUCLEUS)
    peaks, _ = find_peaks(smooth, prominence=_NUCLEUS, height=smooth.max() - 25)
    return int(voiced[peaks - 1].sum())


def _steps(pitch: np.ndarray) -> np.ndarray:
    """Changes in semitones from a voiced frame to the next, octave jumps left out."""
    steps = np.abs(np.diff(pitch))
    return steps[steps < 3]


def _slope(pitch: np.ndarray) -> float:
    """Semitones a second of the straight line through the voiced frames; nan for under 3."""
    places = np.flatnonzero(~np.isnan(pitch))
    return float(np.polyfit(places * HOP, pitch[places], 1)[0]) if len(places) > 2 else math.nan


def _unsteadiness(curve: np.ndarray, voiced: np.ndarray) -> float:
    """Mean distance of a voiced frame from the mean of its neighbours, over the mean of all."""
    inner = voiced[1:-1] & voiced[:-2] & voiced[2:]
    if not inner.any():
        return math.nan
    away = np.abs(curve[1:-1] - (curve[:-2] + curve[2:]) / 2)[inner]
    return float(away.mean() / curve[1:-1][inner].mean())


def _quantiles(values: np.ndarray, shares: tuple[float, ...]) -> list[float]:
    return np.quantile(values, shares).tolist() if len(values) else [math.nan] * len(shares)


def _mean(values: np.ndarray) -> float:
    values = values[~np.isnan(values)]
    return float(values.mean()) if len(values) else math.nan


def _db(power: np.ndarray, lowest: float = -200.0) -> np.ndarray:
    return np.maximum(10 * np.log10(np.maximum(power, 1e-30)), lowest)
