"""`Acting`: changes to a reading in natural units, applied to its durations, pitch and energy.

Letters in shapes: T phonemes with the silence at both ends, P pitch frames of 12.5 ms.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from .backbone import FRAME, PITCH_FRAME, UNVOICED_BELOW, Reading

PAUSES = frozenset(",;:.!?—…")
TREMOR = 6.0  # Hz: vocal tremor lies at 4 to 7 Hz
FINAL_PART = 0.3  # of the phrase, over which its last movement is bent
PITCH_LIMITS = 55.0, 700.0  # Hz that a voice of the cast may plausibly reach


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

    @property
    def is_neutral(self) -> bool:
        return not any(bool(getattr(self, name).any()) for name in CONTROLS)

    def spread(self, frames: Tensor) -> Acting:
        """The same per pitch frame, (P,), when phonemes last `frames` (T,)."""
        return Acting(
            **{name: getattr(self, name).repeat_interleave(2 * frames) for name in CONTROLS}
        )


CONTROLS = tuple(field.name for field in fields(Acting))


def act_durations(reading: Reading, acting: Acting) -> Tensor:
    """The reading's durations, acted, in frames, not rounded: (T,)."""
    durations = reading.durations * torch.exp2(acting.duration)
    symbols = [phoneme.symbol for phoneme in reading.phrase.phonemes]
    inside = [symbol in PAUSES for symbol in symbols]
    # The silence after the last word belongs to what follows the phrase, not to its acting.
    last_word = max((i for i, symbol in enumerate(symbols) if symbol.isalpha()), default=0)
    pauses = torch.tensor([False, *inside[: last_word + 1]], device=durations.device)
    pauses = torch.nn.functional.pad(pauses, (0, len(durations) - len(pauses)))
    return durations + torch.where(pauses, acting.pause / FRAME, 0.0)


def act_pitch(f0: Tensor, acting: Acting, generator: torch.Generator) -> Tensor:
    """The pitch curve (P,) in Hz, acted; `acting` is spread over its frames.

    Within `PITCH_LIMITS` level and range are exact: the median voiced pitch moves by `f0_shift`
    semitones, and every frame's distance from it is multiplied, before the end is bent and the
    voice trembles.
    """
    voiced = f0 > UNVOICED_BELOW
    if not voiced.any():
        return f0
    semitones = 12 * torch.log2(f0.clamp(min=UNVOICED_BELOW))
    middle = semitones[voiced].median()
    shape = (semitones - middle) * torch.exp2(acting.f0_range)
    time = torch.arange(len(f0), device=f0.device)
    first, last = time[voiced][0], time[voiced][-1]
    progress = (time - first) / (last - first).clamp(min=1)
    shape = shape + acting.f0_final * ((progress - 1 + FINAL_PART) / FINAL_PART).clamp(0, 1)
    start = 2 * math.pi * torch.rand(1, generator=generator)
    tremble = torch.sin(2 * math.pi * TREMOR * PITCH_FRAME * time + start)
    uneven = torch.randn(len(f0), generator=generator)
    shape = shape + acting.tremor * tremble + acting.jitter * uneven
    shape = shape - shape[voiced].median()
    acted = torch.exp2((middle + acting.f0_shift + shape) / 12)
    return torch.where(voiced, acted.clamp(*PITCH_LIMITS), f0)


def act_energy(energy: Tensor, acting: Acting) -> Tensor:
    """The energy curve (P,), its movement about the mean scaled."""
    middle = energy.mean()
    return middle + (energy - middle) * torch.exp2(acting.energy_range)
