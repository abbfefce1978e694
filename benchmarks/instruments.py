"""A pitch tracker for the benchmarks, which is not the one that the product measures with."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from conditioning.audio import Audio


def pitch(audio: Audio) -> tuple[np.ndarray, np.ndarray]:
    """Times (s) and pitch (Hz, 0 where unvoiced) by Praat's autocorrelation."""
    import parselmouth

    sound = parselmouth.Sound(audio.samples.astype(np.float64), audio.sample_rate)
    found = sound.to_pitch_ac(time_step=0.0125, pitch_floor=50.0, pitch_ceiling=750.0)
    return found.xs(), found.selected_array["frequency"]


class PitchFound(NamedTuple):
    """What a tracker finds of a pitch curve that was asked for, in semitones.

    Attributes:
        level, spread: measured median (above 1 Hz), and distance of the 10th to 90th percentile.
        level_error, spread_error: by how much they exceed the asked curve's.
        dropped: share of frames left out of all four, where tracker and curve lie more than 9
            semitones apart: octave errors.
    """

    level: float
    spread: float
    level_error: float
    spread_error: float
    dropped: float


def find_pitch(audio: Audio, asked: np.ndarray, hop: float = 0.0125) -> PitchFound:
    """Compares measured pitch with the asked curve (P,) in Hz, where both are voiced."""
    times, found = pitch(audio)
    nearest = np.clip(np.round(times / hop - 0.5).astype(int), 0, len(asked) - 1)
    wanted = asked[nearest]
    both = (found > 0) & (wanted > 10)
    found, wanted = 12 * np.log2(found[both]), 12 * np.log2(wanted[both])
    same_octave = np.abs(found - wanted) < 9
    (low, level, high), (asked_low, asked_level, asked_high) = (
        np.percentile(curve[same_octave], [10, 50, 90]) for curve in (found, wanted)
    )
    spread, asked_spread = high - low, asked_high - asked_low
    errors = float(level - asked_level), float(spread - asked_spread)
    return PitchFound(float(level), float(spread), *errors, float(1 - same_octave.mean()))
