"""`Acting`: changes to a reading in natural units, applied to its durations, pitch and energy.

Letters in shapes: T phonemes with the silence at both ends, P pitch frames of 12.5 ms.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import torch
import torch.nn.functional as F
from torch import Tensor

from .backbone import FRAME, PITCH_FRAME, UNVOICED_BELOW, Reading, whole_frames
from .phonemes import VOWELS, Phrase

PAUSES = frozenset(",;:.!?—…")
CLINGING = ' "”)'  # what may stand between a word and the pause after it
LONG = "ː"  # a length mark lasts as a part of the vowel before it
TREMOR = 6.0  # Hz: vocal tremor lies at 4 to 7 Hz
FINAL_PART = 0.3  # of the phrase, over which its last movement is bent
PITCH_LIMITS = 55.0, 700.0  # Hz that a voice of the cast may plausibly reach
# The last primary stress of a clause carries its nuclear accent, weight 1; accents before it are
# weaker, and a secondary stress is half a primary one.
STRESSES = {"ˈ": 0.7, "ˌ": 0.35}
MARGIN = 0.0625  # seconds by which an accent begins before its vowel and ends after it
SMOOTHING = 0.075  # seconds over which a control passes from one phoneme's value to the next


@dataclass(frozen=True, eq=False)
class Acting:
    """What a direction changes in a reading; every field has shape (T,), and zero changes nothing.

    Attributes:
        f0_shift: pitch level, semitones.
        f0_range: log2 of the ratio by which pitch moves about its median.
        f0_final: semitones by which the phrase's end rises or falls.
        duration: log2 of the ratio by which phonemes last longer.
        pause: seconds added where punctuation already makes a pause.
        energy_range: log2 of the ratio by which energy moves about its mean.
        level: loudness, dB.
        tilt: spectral slope above 200 Hz, dB per octave; positive is brighter, pressed.
        breath: amplitude of aspiration noise, relative to the speech around it.
        tremor: semitones by which pitch trembles, peak.
        jitter: semitones by which pitch is uneven, standard deviation per 12.5 ms.
        whisper: way towards a whispering voice's style, 0 to 1.
        f0_accent: semitones by which pitch rises on the vowel of the nuclear accent; other
            stressed vowels take part as `accents` says.
        level_accent: dB by which it is louder.
        duration_accent: log2 of the ratio by which it lasts longer.
        vowels: log2 of the ratio by which every vowel lasts longer.
        final: log2 of the ratio by which the last syllable before a pause lasts longer.
        pressed: dB by which the first harmonic sinks below the others; negative is lax.
        rough: depth of amplitude modulation at half the pitch, 0 to 1: a growl.
        formants: log2 of the ratio by which the spectral envelope moves up, as in a smile.
        style_d1, style_d2, style_d3: timbre along the directions in which voices differ most,
            in standard deviations over the voices. A phrase has one style, its mean.
        style_p1, style_p2, style_p3: manner of speaking, likewise; its pitch level stays.
        f0_contour: semitones added at this phoneme.
        level_contour: dB added at this phoneme.
        voiceless: 0 or 1; spoken without voice, as in a whisper.
    """

    f0_shift: Tensor
    f0_range: Tensor
    f0_final: Tensor
    duration: Tensor
    pause: Tensor
    energy_range: Tensor
    level: Tensor
    tilt: Tensor
    breath: Tensor
    tremor: Tensor
    jitter: Tensor
    whisper: Tensor
    f0_accent: Tensor
    level_accent: Tensor
    duration_accent: Tensor
    vowels: Tensor
    final: Tensor
    pressed: Tensor
    rough: Tensor
    formants: Tensor
    style_d1: Tensor
    style_d2: Tensor
    style_d3: Tensor
    style_p1: Tensor
    style_p2: Tensor
    style_p3: Tensor
    f0_contour: Tensor
    level_contour: Tensor
    voiceless: Tensor

    @classmethod
    def of(cls, length: int, **changes: float | Tensor) -> Acting:
        """Changes by name, one number for all phonemes or (length,); the others are zero."""
        assert set(changes) <= set(CONTROLS), f"unknown controls: {set(changes) - set(CONTROLS)}"
        values = {name: torch.as_tensor(changes.get(name, 0.0)) for name in CONTROLS}
        return cls(**{name: value.float().expand(length) for name, value in values.items()})

    @classmethod
    def neutral(cls, length: int) -> Acting:
        return cls.of(length)

    @property
    def is_neutral(self) -> bool:
        return not any(bool(getattr(self, name).any()) for name in CONTROLS)

    def spread(self, frames: Tensor, phrase: Phrase, lead: float = 0.0) -> Acting:
        """The same per pitch frame, (P,), when phonemes last `frames` (T,).

        Whatever varies is smooth, so that it changes without a seam. Accents and contours become
        what is added at each frame.

        Args:
            lead: seconds by which phonemes are heard before their frames; what varies goes with
                the sound.
        """
        steps = torch.stack([getattr(self, name) for name in CONTROLS])
        tracks = smooth(steps.repeat_interleave(2 * frames, dim=1))
        spread = dict(zip(CONTROLS, tracks, strict=True))
        bumps = accent_bumps(phrase, frames)
        for name in ("f0_accent", "level_accent"):
            spread[name] = spread[name] * bumps
        for name in ("f0_contour", "level_contour"):
            spread[name] = smooth(_between_middles(getattr(self, name), frames)[None])[0]
        early = round(lead / PITCH_FRAME)
        for name, track in spread.items():
            spread[name] = torch.cat([track[early:], track[-1:].expand(early)])
        return Acting(**spread)


CONTROLS = tuple(field.name for field in fields(Acting))


def smooth(tracks: Tensor) -> Tensor:
    """Tracks (K, P), each averaged under a Hann window of `SMOOTHING`; a constant stays."""
    taps = torch.hann_window(round(SMOOTHING / PITCH_FRAME) + 1, periodic=False)[1:-1]
    padded = F.pad(tracks[:, None], (len(taps) // 2,) * 2, mode="replicate")
    return F.conv1d(padded, taps[None, None] / taps.sum())[:, 0]


def _between_middles(values: Tensor, frames: Tensor) -> Tensor:
    """Values (T,) in the middles of their phonemes and on straight lines between them: (P,)."""
    middles = 2.0 * frames.cumsum(0) - frames
    time = torch.arange(int(2 * frames.sum())) + 0.5
    right = torch.searchsorted(middles, time).clamp(1, len(middles) - 1)
    left = right - 1
    part = (time - middles[left]) / (middles[right] - middles[left])
    return torch.lerp(values[left], values[right], part.clamp(0, 1))


def accents(phrase: Phrase) -> list[tuple[int, int, float]]:
    """(first, last + 1, weight) of every stressed vowel, as indices of tensors (T,).

    The vowel is the first one after its mark. Weights are 1 for the nuclear accent, the last
    primary stress before a pause (the last secondary one where there is none: "Go."), and else as
    in `STRESSES`; words without a mark, most of them function words, have no accent.
    """
    found: list[tuple[int, int, float]] = []
    mark, clause = None, 0
    symbols = phrase.symbols + "."
    for index, symbol in enumerate(symbols):
        if symbol in STRESSES:
            mark = symbol
        elif mark and symbol in VOWELS:
            end = index + 1 + (symbols[index + 1] == LONG)
            found.append((1 + index, 1 + end, STRESSES[mark]))
            mark = None
        elif symbol in PAUSES and len(found) > clause:
            nuclear = max(range(clause, len(found)), key=lambda i: (found[i][2], i))
            found[nuclear] = (*found[nuclear][:2], 1.0)
            clause = len(found)
    return found


def accent_bumps(phrase: Phrase, frames: Tensor) -> Tensor:
    """The weights of `accents` over time, (P,): a raised cosine about each stressed vowel.

    It peaks in the vowel's middle; where two overlap the higher one holds.
    """
    ends = 2.0 * frames.cumsum(0)
    time = torch.arange(int(ends[-1])) + 0.5
    bumps = torch.zeros(len(time))
    for first, end, weight in accents(phrase):
        start, stop = ends[first - 1], ends[end - 1]
        reach = (stop - start) / 2 + MARGIN / PITCH_FRAME
        place = ((time - (start + stop) / 2) / reach).clamp(-1, 1)
        bumps = torch.maximum(bumps, weight * (1 + torch.cos(math.pi * place)) / 2)
    return bumps


def lengthening(phrase: Phrase, acting: Acting) -> Tensor:
    """log2 of the ratio by which each phoneme lasts longer, all controls together: (T,)."""
    length = len(phrase.phonemes) + 2
    stressed, vowels, final = torch.zeros(3, length)
    for first, end, weight in accents(phrase):
        stressed[first:end] = weight
    for index, symbol in enumerate(phrase.symbols, 1):
        vowels[index] = symbol in VOWELS or symbol == LONG
    for first, end, *_ in phrase.words:
        after = phrase.symbols[end:].lstrip(CLINGING)
        if not after or after[0] in PAUSES:
            word = phrase.symbols[first:end]
            last_vowel = max((i for i, symbol in enumerate(word) if symbol in VOWELS), default=0)
            final[1 + first + last_vowel : 1 + end] = 1
    return (
        acting.duration
        + acting.duration_accent * stressed
        + acting.vowels * vowels
        + acting.final * final
    )


def act_durations(reading: Reading, acting: Acting) -> Tensor:
    """The reading's durations, acted, in frames, not rounded: (T,)."""
    durations = reading.durations * torch.exp2(lengthening(reading.phrase, acting))
    symbols = [phoneme.symbol for phoneme in reading.phrase.phonemes]
    inside = [symbol in PAUSES for symbol in symbols]
    # The silence after the last word belongs to what follows the phrase, not to its acting.
    last_word = max((i for i, symbol in enumerate(symbols) if symbol.isalpha()), default=0)
    pauses = torch.tensor([False, *inside[: last_word + 1]], device=durations.device)
    pauses = F.pad(pauses, (0, len(durations) - len(pauses)))
    return durations + torch.where(pauses, acting.pause / FRAME, 0.0)


def act_frames(reading: Reading, acting: Acting) -> Tensor:
    """The reading's durations, acted, in whole frames of which each phoneme has at least one: (T,).

    Most phonemes last two or three frames, so that rounding each by itself would lose a change of
    a fifth: what a phoneme could not change by passes on to the next that changes.
    """
    own = whole_frames(reading.durations)
    changes = (act_durations(reading, acting) - reading.durations).tolist()
    frames, owed = [], 0.0
    for frame, change in zip(own.tolist(), changes, strict=True):
        if change:
            owed = min(max(owed + change, change - 1), change + 1)
            step = max(round(owed), 1 - frame)
            frame, owed = frame + step, owed - step
        frames.append(frame)
    return torch.tensor(frames, device=own.device)


def middle_pitch(f0: Tensor) -> Tensor | None:
    """Median pitch of the voiced frames of a curve (P,) in semitones above 1 Hz, if there are."""
    voiced = f0[f0 > UNVOICED_BELOW]
    return 12 * torch.log2(voiced.median()) if len(voiced) else None


def act_pitch(
    f0: Tensor, acting: Acting, generator: torch.Generator, middle: Tensor | None = None
) -> Tensor:
    """The pitch curve (P,) in Hz, acted; `acting` is spread over its frames.

    Within `PITCH_LIMITS` level and range are exact: the median voiced pitch lies `f0_shift`
    semitones from `middle` (the curve's own median unless given), and every frame's distance from
    the median is multiplied, before contours and accents are added, the end is bent and the voice
    trembles. What is voiceless has none: the decoder makes noise of it.
    """
    voiced = f0 > UNVOICED_BELOW
    if not voiced.any():
        return f0
    semitones = 12 * torch.log2(f0.clamp(min=UNVOICED_BELOW))
    own_middle = semitones[voiced].median()
    shape = (semitones - own_middle) * torch.exp2(acting.f0_range)
    time = torch.arange(len(f0), device=f0.device)
    first, last = time[voiced][0], time[voiced][-1]
    progress = (time - first) / (last - first).clamp(min=1)
    shape = shape + acting.f0_final * ((progress - 1 + FINAL_PART) / FINAL_PART).clamp(0, 1)
    shape = shape + acting.f0_accent + acting.f0_contour
    start = 2 * math.pi * torch.rand(1, generator=generator)
    tremble = torch.sin(2 * math.pi * TREMOR * PITCH_FRAME * time + start)
    uneven = torch.randn(len(f0), generator=generator)
    shape = shape + acting.tremor * tremble + acting.jitter * uneven
    shape = shape - shape[voiced].median()
    middle = own_middle if middle is None else middle
    acted = torch.exp2((middle + acting.f0_shift + shape) / 12)
    acted = torch.where(voiced, acted.clamp(*PITCH_LIMITS), f0)
    return torch.where(acting.voiceless > 0.5, 0.0, acted)


def act_energy(energy: Tensor, acting: Acting) -> Tensor:
    """The energy curve (P,), its movement about the mean scaled."""
    middle = energy.mean()
    return middle + (energy - middle) * torch.exp2(acting.energy_range)
