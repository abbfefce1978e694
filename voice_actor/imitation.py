"""A recording's way of speaking as acting: `Likeness` and the voice's own reading -> `Acting`."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import torch

from conditioning.likeness import (
    LEVEL_SMOOTHING,
    SMOOTHING,
    Likeness,
    level_contour,
    pitch_contour,
)

from .acting import PAUSES, PITCH_LIMITS, Acting, act_frames
from .adapter import LIMITS
from .backbone import FRAME, PITCH_FRAME, Backbone, Reading
from .phonemes import VOWELS

# What the recording decides in place of the emotions.
OVERRULED = (
    *("f0_range", "f0_final", "f0_accent", "f0_contour"),
    *("energy_range", "level_accent", "level_contour"),
    *("duration_accent", "vowels", "final"),
    *("style_p1", "style_p2", "style_p3"),
)
HIGHEST = 8.0  # semitones from the median that a contour may reach
LOUDEST = 9.0  # dB from the mean, likewise
# Measured on nine readings by three voices: dB that one of Kokoro's energy is heard as (r = 0.92
# within vowels), and syllables that `prosody` finds for each vowel that is spoken.
ENERGY = 4.7
FOUND = 0.8
SILENCE = 35.0  # dB under the loudest frame, as `prosody` counts speech


def imitate(
    likeness: Likeness, reading: Reading, acting: Acting, backbone: Backbone, length: int
) -> Acting:
    """The acting of a phrase that is spoken like a recording.

    The recording's contours take the place of the voice's own, except for what is faster than
    they are smooth: the dips and peaks of single sounds. The line's way through the recording is
    by time within a phrase and by characters from phrase to phrase, so that a phrase can be spoken
    before the next is read.

    Args:
        acting: what the emotions ask; its timbre, and what the recording does not tell, stay.
        length: of the whole line, characters.
    """
    phrase = reading.phrase
    overruled = {name: torch.zeros_like(acting.f0_shift) for name in OVERRULED}
    acting = _timed(likeness, reading, replace(acting, **overruled))
    frames = act_frames(reading, acting)
    f0, energy = (curve.numpy() for curve in backbone.curves(reading, frames))
    voiced = f0 > PITCH_LIMITS[0]
    # Pauses and the silent ends are left out, as in the recording.
    lasting = 2 * frames.numpy()
    silent = [True, *(phoneme.symbol in PAUSES for phoneme in phrase.phonemes), True]
    spoken = ~np.repeat(silent, lasting)
    audible = np.flatnonzero(spoken & (ENERGY * (energy.max() - energy) < SILENCE))
    spoken[: audible[0]] = spoken[audible[-1] + 1 :] = False
    middles = np.interp(
        np.cumsum(lasting) - lasting / 2, np.arange(len(spoken)), np.cumsum(spoken) - spoken / 2
    )
    first, last = phrase.start / length, phrase.end / length
    # One second of the recording becomes so many seconds of this line.
    stretch = spoken.sum() * PITCH_FRAME / ((last - first) * likeness.seconds)
    if not voiced[spoken].any():
        return acting
    semitones = np.where(voiced, 12 * np.log2(np.maximum(f0, 1)), np.nan)[spoken]
    loud = ENERGY * energy[spoken]

    def instead(wanted: np.ndarray, own: np.ndarray, limit: float) -> tuple[torch.Tensor, float]:
        """What must be added to each phoneme's own, and the median of what is wanted."""
        places = first + (last - first) * (np.arange(len(own)) + 0.5) / len(own)
        wanted = likeness.sample(wanted, places)
        added = wanted.clip(-limit, limit) - own
        added = np.interp(middles, np.arange(len(own)) + 0.5, added)
        return torch.from_numpy(added).float(), float(np.median(wanted))

    wide = max(stretch, 1) / PITCH_FRAME
    pitch, high = instead(likeness.pitch, pitch_contour(semitones, loud, SMOOTHING * wide), HIGHEST)
    level, _ = instead(likeness.level, level_contour(loud, LEVEL_SMOOTHING * wide), LOUDEST)
    # `act_pitch` moves a phrase's median to where it is told; a high part of a line is high there.
    # What is added can be larger than `LIMITS` allows an emotion: the sum is what is limited.
    acting = replace(acting, f0_contour=pitch)
    changes = {
        "level_contour": level,
        "f0_shift": acting.f0_shift + high,
    }
    if likeness.pitch_shift is not None:
        changes["f0_shift"] = torch.full_like(acting.f0_shift, likeness.pitch_shift + high)
        changes["level"] = torch.full_like(acting.level, likeness.level_shift)
        changes["breath"] = torch.full_like(acting.breath, likeness.breath)
    return _limited(acting, changes)


def _limited(acting: Acting, changes: dict[str, torch.Tensor]) -> Acting:
    return replace(acting, **{name: value.clamp(*LIMITS[name]) for name, value in changes.items()})


def _timed(likeness: Likeness, reading: Reading, acting: Acting) -> Acting:
    """With the recording's rate and pauses; which sounds the emotions make longer stays."""
    own: dict[bool, list[float]] = {False: [], True: []}  # s, of sounds and of pauses
    phonemes = reading.phrase.phonemes
    for phoneme, lasting in zip(phonemes, reading.durations[1:-1].tolist(), strict=True):
        own[phoneme.symbol in PAUSES].append(FRAME * lasting)
    vowels = sum(phoneme.symbol in VOWELS for phoneme in phonemes)
    inner = own[True][: -1 if phonemes[-1].symbol in PAUSES else None]
    changes = {}
    if vowels and likeness.rate:
        slower = math.log2(FOUND * vowels / sum(own[False]) / likeness.rate)
        changes["duration"] = acting.duration - acting.duration.mean() + slower
    if inner and likeness.pause:
        longer = likeness.pause - sum(inner) / len(inner)
        changes["pause"] = torch.full_like(acting.pause, longer)
    return _limited(acting, changes)
