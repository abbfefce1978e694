"""`Backbone`: the frozen text-to-speech network, open to every change that acting makes.

Letters in shapes: T phonemes with the silence at both ends, F frames of 25 ms, P = 2 F pitch
frames, S samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor

    from .phonemes import Phrase

FRAME = 0.025  # seconds that one unit of duration lasts
PITCH_FRAME = 0.0125  # seconds between values of the pitch and energy curves
UNVOICED_BELOW = 10.0  # Hz


@dataclass(frozen=True, eq=False)
class Reading:
    """How the backbone would read a phrase in a voice, before anybody directs it.

    Attributes:
        phrase: what is read; its phonemes stand at indices 1 to T - 2 of the tensors below.
        durations: frames per phoneme, not rounded, (T,).
        style: the voice's style for a phrase of this length, (256,): decoder half, prosody half.
        states: what the prosody network knows of each phoneme, (T, D).
        text: what the decoder will pronounce at each phoneme, (T, C).
    """

    phrase: Phrase
    durations: Tensor
    style: Tensor
    states: Tensor
    text: Tensor


class Backbone(Protocol):
    """What stands behind `VoiceActor`: Kokoro-82M, a toy in tests, or another network."""

    sample_rate: int
    """Hz."""

    lead: float
    """Seconds by which a phoneme is heard before the frames that its duration gives it."""

    voices: tuple[str, ...]
    """Names that `style` knows."""

    def directions(self) -> dict[str, Tensor]:
        """Ways in which a style can be changed on purpose, by name, each (256,)."""
        ...

    def style(self, voice: str, length: int) -> Tensor:
        """The style (256,) of a voice for a phrase of `length` phonemes. Raises UnknownName."""
        ...

    def read(self, phrase: Phrase, style: Tensor) -> Reading:
        """The backbone's own reading. What depends on the text alone is kept for the next time."""
        ...

    def curves(self, reading: Reading, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Pitch in Hz and energy, each (P,), when phonemes last `frames` (T,).

        Pitch below `UNVOICED_BELOW` means that there is none.
        """
        ...

    def speak(
        self,
        reading: Reading,
        frames: Tensor,
        f0: Tensor,
        energy: Tensor,
        style: Tensor,
        seed: int = 0,
    ) -> Tensor:
        """Samples (S,) of the phrase with these frames (T,), curves (P,) and style (256,)."""
        ...


def whole_frames(durations: Tensor) -> Tensor:
    """Durations rounded to frames, at least one for each phoneme: (T,) float -> (T,) integer."""
    return durations.round().clamp(min=1).long()
