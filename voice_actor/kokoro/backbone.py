"""Kokoro-82M as a `Backbone`."""

from __future__ import annotations

import ctypes
import math
import sys
from collections import OrderedDict
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor

from conditioning import weights
from conditioning.errors import InvalidInput, WeightsError, unknown_name

from ..backbone import Reading
from ..phonemes import Phrase
from . import convert
from .layers import SAMPLE_RATE, STYLE, NormStatistics
from .network import LONGEST, Kokoro

TYPICAL = 29  # row of a voice's pack, for a phrase of 30 phonemes, at which voices are compared
TEXTS_KEPT = 64  # readings of a text that are likely to be asked for again


class _Heap:
    """Keeps glibc from holding on to the memory of signals that are no longer there.

    Left alone it keeps blocks of up to 32 MB, where the signals of a phrase of ten seconds lie,
    and fragments: lines of 4 s took 1.1 to 1.2 GB and of 10 s 1.4 to 1.8 GB, against 1.05 and
    1.2 GB so, at no cost in time. Other C libraries are left alone.
    """

    M_MMAP_THRESHOLD = -3  # malloc.h
    LARGE = 16_000_000  # bytes

    def __init__(self):
        library = ctypes.CDLL(None) if sys.platform == "linux" else None
        self._trim = getattr(library, "malloc_trim", None)
        if self._trim:
            library.mallopt(self.M_MMAP_THRESHOLD, self.LARGE)

    def give_back(self) -> None:
        if self._trim:
            self._trim(0)


class KokoroBackbone:
    """Kokoro-82M: 24 kHz, 28 English voices, float32.

    Everything may be called with gradients on (`torch.enable_grad`): they reach pitch, energy and
    style, and the durations that `read` predicts; frames are whole and stop them. The weights
    themselves are frozen.
    """

    sample_rate = SAMPLE_RATE
    # Measured (training/align.py): the energy of s, z and ʃ above 4 kHz fits best 45 ms before
    # their frames, and EmoDB's hand-made labels say the same of recordings matched to readings.
    lead = 0.05

    def __init__(self, network: Kokoro, voices: dict[str, Tensor]):
        """`voices`: style of each voice by phrase length, (510, 256)."""
        self.network = network.eval().requires_grad_(False)
        self._packs = voices
        self.voices = tuple(sorted(voices))
        self._heap = _Heap()
        self._texts: OrderedDict[tuple[int, ...], tuple[Tensor, Tensor]] = OrderedDict()

    @classmethod
    def load(cls, folder: Path | str | None = None) -> KokoroBackbone:
        """The backbone from the weights that `conditioning.weights` finds.

        Args:
            folder: where to look first.

        Raises:
            WeightsError: weights are missing, damaged or of another layout.
        """
        converters = {"onnx": convert.onnx_parts_to_safetensors}
        file = weights.path("kokoro-82m", converters, folder)
        state = convert.from_checkpoint(file) if file.suffix == ".pth" else load_file(file)
        with torch.device("meta"):  # nothing is initialised only to be overwritten
            network = Kokoro()
        try:
            network.load_state_dict(state, strict=True, assign=True)
        except RuntimeError as error:
            reason = " ".join(str(error).split())[:200]
            raise WeightsError(f"{file} does not fit Kokoro's network ({reason}).") from error
        network.restore_buffers()
        packs_file = weights.path("kokoro-voices-en", folder=folder)
        with safe_open(packs_file, "pt") as packs:
            voices = {name: packs.get_tensor(name) for name in packs.keys()}  # noqa: SIM118
        return cls(network, voices)

    def directions(self) -> dict[str, Tensor]:
        """Changes of a style.

        "whisper": from the other American women towards af_nicole, who half whispers. "d1" to "d3"
        and "p1" to "p3": the directions in which the voices differ most, in the decoder's and the
        prosody half, one standard deviation long; their largest number is positive.
        """
        american_women = {
            name: pack.float().mean(dim=0)
            for name, pack in self._packs.items()
            if name.startswith("af_")
        }
        whisperer = american_women.pop("af_nicole")
        towards = whisperer - torch.stack(list(american_women.values())).mean(dim=0)
        towards[STYLE:] = 0  # her timbre, not her manner of speaking
        directions = {"whisper": towards}
        styles = torch.stack([self._packs[name][TYPICAL].double() for name in self.voices])
        for letter, half in (("d", slice(0, STYLE)), ("p", slice(STYLE, None))):
            apart = styles[:, half] - styles[:, half].mean(dim=0)
            _, lengths, principal = torch.linalg.svd(apart, full_matrices=False)
            for index in range(3):
                axis = principal[index] * lengths[index] / math.sqrt(len(styles))
                axis = axis * axis[axis.abs().argmax()].sign()
                directions[f"{letter}{index + 1}"] = torch.zeros(2 * STYLE)
                directions[f"{letter}{index + 1}"][half] = axis.float()
        return directions

    def style(self, voice: str, length: int) -> Tensor:
        if voice not in self._packs:
            raise unknown_name("voice", voice, self.voices)
        return self._packs[voice][min(max(length, 1), LONGEST - 2) - 1].float()

    def read(self, phrase: Phrase, style: Tensor) -> Reading:
        tokens = torch.tensor([[0, *phrase.tokens, 0]])
        if tokens.shape[1] > LONGEST:
            raise InvalidInput(
                f"A phrase has {tokens.shape[1] - 2} phonemes; at most {LONGEST - 2} are allowed; "
                "split the text."
            )
        projected, text = self._text_stages(tokens)
        network = self.network
        states = network.predictor.text_encoder(projected, style[None, STYLE:])
        durations = network.predictor.durations(states)[0]
        return Reading(phrase, durations, style, states[0], text)

    def _text_stages(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """What the text alone decides: (1, T, 512) for prosody, (T, 512) for the decoder."""
        key = tuple(tokens[0].tolist())
        if key not in self._texts:
            # Plain tensors whoever asks: one made in inference mode could not train anything later.
            with torch.inference_mode(False), torch.no_grad():
                projected = self.network.bert_encoder(self.network.bert(tokens))
                self._texts[key] = projected, self.network.text_encoder(tokens)[0]
            if len(self._texts) > TEXTS_KEPT:
                self._texts.popitem(last=False)
        self._texts.move_to_end(key)
        return self._texts[key]

    def curves(self, reading: Reading, frames: Tensor) -> tuple[Tensor, Tensor]:
        spread = reading.states.repeat_interleave(frames, dim=0)
        f0, energy = self.network.predictor.curves(spread[None], reading.style[None, STYLE:])
        return f0[0], energy[0]

    def speak(
        self,
        reading: Reading,
        frames: Tensor,
        f0: Tensor,
        energy: Tensor,
        style: Tensor,
        seed: int = 0,
        statistics: NormStatistics | None = None,
    ) -> Tensor:
        """As `Backbone.speak`; `statistics` records or replays the instance normalisation's own.

        Replaying those of the neutral reading lets a change of energy through as loudness: +-4 is
        about +-5 dB.
        """
        text = reading.text.repeat_interleave(frames, dim=0)
        noise = torch.Generator().manual_seed(seed)
        samples = self.network.decoder(
            text[None], f0[None], energy[None], style[None, :STYLE], noise, statistics
        )[0]
        self._heap.give_back()
        return samples
