"""`Likeness`: how a recording was spoken, without who spoke it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from conditioning.emotion import EmotionCurve, EmotionVector
from conditioning.errors import InvalidInput
from conditioning.prosody import HOP, Prosody, functionals, measure

if TYPE_CHECKING:
    from conditioning.audio import Audio
    from conditioning.estimator import EmotionEstimator, Estimate

SMOOTHING = 0.07  # s, standard deviation; faster movements belong to single sounds, not to the way
LEVEL_SMOOTHING = 0.15  # s; slower, since sounds differ in level whoever says them
FARTHEST = 12.0  # semitones; pitch farther from the median is nearly always a mistake
SHORTEST_VOICE = 0.2  # s of voiced speech
FAINTEST = 0.05  # an intensity below is not asked for


@dataclass(frozen=True, eq=False)
class Likeness:
    """How a recording was spoken: its emotions and its prosody, relative to its own speaker.

    N equally long parts of the time that is spoken, pauses left out, from the first word to the
    last. Absolute pitch, timbre and loudness are not part of it.

    Attributes:
        emotions: what the new line should feel like, as for `direction.direct`; a curve over the
            line where it was heard in the recording.
        pitch: semitones from the recording's median, smoothed, (N,).
        level: dB from the recording's mean, smoothed, (N,).
        seconds: s of speech, pauses left out.
        rate: syllables a second of speech.
        pause: s, mean length of the pauses between words; 0 where there is none.
        pitch_shift: semitones from the speaker's habit; None when that is unknown.
        level_shift: dB from it; None likewise.
        breath: amplitude of aspiration beyond the habit's, relative to the speech; None likewise.
    """

    emotions: str | EmotionVector | EmotionCurve
    pitch: np.ndarray
    level: np.ndarray
    seconds: float
    rate: float
    pause: float
    pitch_shift: float | None = None
    level_shift: float | None = None
    breath: float | None = None

    @classmethod
    def of(
        cls,
        audio: Audio,
        emotions: str | EmotionVector | EmotionCurve | None = None,
        baseline: Iterable[Audio] = (),
        estimator: EmotionEstimator | None = None,
    ) -> Likeness:
        """The way in which a recording is spoken.

        Args:
            audio: one speaker, at least a word.
            emotions: asked in place of what is heard; the recording then gives the prosody alone.
            baseline: neutral takes of the same speaker, recorded alike; with them, how much
                higher, louder and breathier than by habit the recording is counts too.
            estimator: what hears the emotions; "permissive" unless given.

        Raises:
            InvalidInput: no speech is heard in the recording or in a take of the baseline.
            WeightsError: the estimator's weights are missing or damaged.
        """
        prosody, takes = measured(audio, "recording"), list(baseline)
        habits = [functionals(measured(take, "baseline")) for take in takes]
        if emotions is None:
            emotions = _felt(audio, prosody, takes, estimator)
        own = functionals(prosody)
        shifts = {}
        if habits:
            habit = {name: float(np.nanmean([each[name] for each in habits])) for name in own}
            aspiration = 10 ** (own["breath_db"] / 10) - 10 ** (habit["breath_db"] / 10)
            shifts = {
                "pitch_shift": own["f0_median_st"] - habit["f0_median_st"],
                "level_shift": own["level_mean_db"] - habit["level_mean_db"],
                "breath": math.sqrt(max(0.0, aspiration)),
            }
        speech = prosody.speech
        return cls(
            emotions,
            pitch_contour(prosody.semitones[speech], prosody.level[speech], SMOOTHING / HOP),
            level_contour(prosody.level[speech], LEVEL_SMOOTHING / HOP),
            own["speech_s"],
            own["rate"],
            _pause(speech),
            **shifts,
        )

    def sample(self, curve: np.ndarray, positions: Sequence[float]) -> np.ndarray:
        """`pitch` or `level` at positions in [0, 1] of the line, shape of the positions."""
        return np.interp(positions, (np.arange(len(curve)) + 0.5) / len(curve), curve)


def measured(audio: Audio, what: str) -> Prosody:
    """Prosody of what can be imitated. Raises InvalidInput for what holds no speech."""
    try:
        prosody = measure(audio)
    except InvalidInput:
        prosody = None  # too short for a word
    voiced = prosody is not None and np.isfinite(prosody.f0[prosody.speech]).sum() * HOP
    if not voiced or voiced < SHORTEST_VOICE:
        raise unheard(what, audio)
    return prosody


def unheard(what: str, audio: Audio) -> InvalidInput:
    return InvalidInput(
        f"No speech is heard in the {what} ({audio.duration:.1f} s); give one speaker who says at "
        "least a word, without music."
    )


def pitch_contour(semitones: np.ndarray, level: np.ndarray, deviation: float) -> np.ndarray:
    """Pitch (N,) about its median, smooth: a Gauss window in which loud frames count for more.

    Args:
        semitones: nan where unvoiced.
        level: dB.
        deviation: frames, of the window.
    """
    from scipy.ndimage import gaussian_filter1d

    pitch = semitones - np.nanmedian(semitones)
    pitch = np.where(np.abs(pitch) <= FARTHEST, pitch, np.nan)
    known = np.flatnonzero(np.isfinite(pitch))
    whole = np.interp(np.arange(len(pitch)), known, pitch[known])
    # The edges of voiced stretches, where voicing sets in and stops, are quiet and seldom true.
    weight = np.where(np.isfinite(pitch), 10 ** ((level - level.max()) / 20), 0) + 1e-4
    total = gaussian_filter1d(whole * weight, deviation, mode="nearest")
    contour = total / gaussian_filter1d(weight, deviation, mode="nearest")
    return contour - np.median(contour[known])


def level_contour(level: np.ndarray, deviation: float) -> np.ndarray:
    """Level (N,) in dB about its mean, of the energy in a Gauss window: loud sounds decide."""
    from scipy.ndimage import gaussian_filter1d

    power = gaussian_filter1d(10 ** (level / 10), deviation, mode="nearest")
    contour = 10 * np.log10(np.maximum(power, 1e-12))
    return contour - contour.mean()


def _pause(speech: np.ndarray) -> float:
    """Mean length in s of the silences between words; 0 where there is none."""
    changes = np.diff(speech.astype(int))
    first, last = np.flatnonzero(speech)[[0, -1]]
    pauses = np.count_nonzero(changes[first:last] == -1)
    silent = np.count_nonzero(~speech[first:last])
    return silent * HOP / pauses if pauses else 0.0


def _felt(
    audio: Audio, prosody: Prosody, baseline: list[Audio], estimator: EmotionEstimator | None
) -> EmotionCurve:
    """What is heard over the time that is spoken."""
    from conditioning.estimator import EmotionEstimator

    if estimator is None:
        estimator = EmotionEstimator.load("permissive")
    heard = estimator.estimate_over_time(audio, baseline=baseline or None)
    spoken = np.cumsum(prosody.speech) / np.count_nonzero(prosody.speech)
    points: dict[float, EmotionVector] = {}
    for estimate in heard:
        if estimate.speech:
            middle = round((estimate.start + estimate.end) / 2 / HOP)
            points[float(spoken[min(middle, len(spoken) - 1)])] = firm(estimate)
    if not points:
        raise unheard("recording", audio)
    return EmotionCurve(tuple(points.items()))


def firm(estimate: Estimate) -> EmotionVector:
    """What was heard of the categories that the estimator learnt from acted speech.

    The others follow the acted ones about: asked for as well, one anger would be acted as several
    kinds of it.
    """
    return EmotionVector(
        {
            name: round(value, 3)
            for name, value in estimate.intensities.items()
            if estimate.support.get(name) == "acted" and value >= FAINTEST
        }
    )
