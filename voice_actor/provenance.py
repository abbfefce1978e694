"""Where speech comes from: an inaudible watermark and metadata, put in and found again."""

from __future__ import annotations

import hashlib
import json
import math
import os
import pickle
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from conditioning.audio import Audio, read_metadata
from conditioning.errors import WeightsError

from . import __version__

if TYPE_CHECKING:
    from torch import Tensor, nn

GENERATOR = "Voice Actor"
# IPTC's term for media made by a trained model, cv.iptc.org/newscodes/digitalsourcetype
SYNTHETIC = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
CONSENT = "A stock voice of the cast; no recording was given to imitate."

# The watermark is Perth's (Resemble AI, MIT), with its published weights and our own lines around
# them: the package swallows errors at import and would leave speech unmarked. Perth works at 32 kHz
# with a window of 2048 and a hop of 320. At 24 kHz a window of 1536 and a hop of 240 have the same
# bins (15.625 Hz) and frames (10 ms), so that our speech needs no resampling. On 24 clips our mark
# differs from the package's by -75 dB of itself (median), and the two detectors agree to 0.001.
RATE = 24000  # Hz
_WINDOW = 1536  # samples
_HOP = 240  # samples
_PERTH_WINDOW = 2048  # samples, at 32 kHz
_SUBBAND = 128  # bins below 2 kHz: round(1025 * 2000 / 16000)
_HIDDEN = 256
_FLOOR_DB = -180.0  # magnitudes from here to _TOP_DB are mapped to 0..1
_TOP_DB = 15.0
_LOUD_SHARE = 0.05  # frames quieter than this share of the loudest are left out
# What the share comes to for speech, whose loudest frames sum to about 600: a fixed limit makes the
# mark local in time, so that sound can be marked piece by piece. Only digital silence lies below.
_LOUD_SUM = 30.0
_REACH = 22  # frames: five convolutions of width 7 reach 15, the windows before and after 3.2 each
_BLOCK = 2000  # frames (20 s) marked at once, so that memory stays bounded

# A clip longer than this is judged piece by piece, and the median counts.
DETECTION_WINDOW = 30.0  # s
# Measured on clips of 1 to 30 s (EmoDB, RAVDESS, nEMO, LAION's synthetic acting): 0 of 899 unmarked
# clips above 0.37, 0 of 899 marked ones below 0.74; Kokoro's lines of 1 to 4 s: at most 0.10, at
# least 0.99. `benchmarks/watermark.py` prints the rest.
THRESHOLD = 0.5


class Watermarker:
    """Marks speech and finds the mark again. The mark holds no message: it is there or not."""

    def __init__(self, network: nn.Module):
        self._network = network.eval().requires_grad_(False)

    @classmethod
    def load(cls, path: str | os.PathLike | None = None) -> Watermarker:
        """The watermarker with Perth's published weights.

        Args:
            path: Perth's checkpoint; without it the verified file of `conditioning.weights`.

        Raises:
            WeightsError: the checkpoint is missing, damaged, or another network's.
        """
        import torch

        if path is None:
            from conditioning import weights

            path = weights.path("perth-implicit")
        advice = "give Perth's perth_net_250000.pth.tar, or reinstall resemble-perth 1.0.1"
        if not Path(path).is_file():
            raise WeightsError(f"There is no watermark checkpoint {path}; {advice}.")
        network = _network()
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)["model"]
            # "ap." holds the windows of its spectrogram, which we compute.
            state = {name: tensor for name, tensor in state.items() if not name.startswith("ap.")}
            network.load_state_dict(state, strict=True)
        except (RuntimeError, KeyError, TypeError, AttributeError, EOFError, OSError) as error:
            reason = str(error).partition("\n")[0] or type(error).__name__
            raise WeightsError(f"{path} is no watermark checkpoint ({reason}); {advice}.") from None
        except pickle.UnpicklingError:
            raise WeightsError(f"{path} is damaged or holds code; {advice}.") from None
        return cls(network)

    def mark(self, audio: Audio) -> Audio:
        """The same sound with the mark: equal length and rate, changed only below 2 kHz.

        The same input gives the same output. The mark lies about 15 dB below the speech that hides
        it, so digital silence stays silent and cannot carry it; see `detect` for very short sound.
        Should the mark lift the peak above 1, the whole is turned down to fit; leave some headroom.
        """
        if not len(audio.samples):
            return audio
        mark = Audio(self._mark_at_24k(audio.resample(RATE).samples), RATE)
        marked = audio.samples + mark.resample(audio.sample_rate).samples[: len(audio.samples)]
        peak = np.abs(marked).max()
        return Audio(marked * np.float32(0.9999 / peak) if peak > 1 else marked, audio.sample_rate)

    def detect(self, audio: Audio) -> float:
        """Confidence from 0 to 1 that the sound is marked; `THRESHOLD` and above counts as marked.

        Sound longer than 30 s is judged in windows of equal length, and the median counts: a mark
        in less than half of it goes unnoticed. Half a second of speech is enough when nothing else
        was done to it. A change of speed by 2 % hides the mark often, by 5 % always. Silence gives
        0; a steady tone, which no voice is, may count as marked (a sine of 190 Hz does).
        """
        if not len(audio.samples):
            return 0.0
        samples = audio.resample(RATE).samples
        pieces = np.array_split(samples, math.ceil(len(samples) / (DETECTION_WINDOW * RATE)))
        return float(np.median([self._confidence(piece) for piece in pieces]))

    def _mark_at_24k(self, samples: np.ndarray) -> np.ndarray:
        """What must be added to samples (T,) at 24 kHz."""
        import torch

        mark = np.empty_like(samples)
        step, reach = _BLOCK * _HOP, _REACH * _HOP
        for start in range(0, len(samples), step):
            first, stop = max(0, start - reach), min(len(samples), start + step)
            piece = torch.from_numpy(samples[first : stop + reach].copy())
            with torch.inference_mode():
                residual = self._residual(piece)
            mark[start:stop] = residual[start - first : stop - first].numpy()
        return mark

    def _residual(self, samples: Tensor) -> Tensor:
        """What must be added to samples (T,), in one go."""
        import torch

        spectrum = _spectrum(samples)
        levels = _levels(spectrum)
        audible = levels.sum(0) > _LOUD_SUM
        change_db = self._network.encoder(levels[None, :_SUBBAND])[0] * (_TOP_DB - _FLOOR_DB)
        # Perth's own limit on what it puts out, 10 ** 10, is never reached by finite speech.
        factor = torch.where(audible, 10 ** (change_db / 20), 1.0)
        difference = torch.zeros_like(spectrum)
        difference[:_SUBBAND] = spectrum[:_SUBBAND] * (factor - 1)
        padded = max(len(samples), _WINDOW)
        window = torch.hann_window(_WINDOW)
        return torch.istft(difference, _WINDOW, _HOP, window=window, length=padded)[: len(samples)]

    def _confidence(self, samples: np.ndarray) -> float:
        import torch

        with torch.inference_mode():
            levels = _levels(_spectrum(torch.from_numpy(samples)))
            loudness = levels.sum(0)
            audible = loudness > _LOUD_SHARE * loudness.max()
            return float(self._network.decoder(levels[None, :_SUBBAND], audible[None].float()))


def _spectrum(samples: Tensor) -> Tensor:
    """(T,) -> complex (769, F), F = 1 + T // 240; fewer than one window is filled with silence."""
    import torch

    missing = max(0, _WINDOW - len(samples))
    samples = torch.nn.functional.pad(samples, (0, missing))
    window = torch.hann_window(_WINDOW)
    return torch.stft(samples, _WINDOW, _HOP, window=window, return_complex=True)


def _levels(spectrum: Tensor) -> Tensor:
    """Complex (769, F) -> magnitudes in dB mapped to 0..1, as Perth's network expects at 32 kHz.

    The scale makes up for our shorter window. Perth's bins above 12 kHz would lie at the floor, 0,
    and so add nothing to the sum over bins.
    """
    magnitudes = spectrum.abs() * (_PERTH_WINDOW / _WINDOW)
    decibels = 20 * magnitudes.clip(10 ** (_FLOOR_DB / 20)).log10()
    return (decibels - _FLOOR_DB) / (_TOP_DB - _FLOOR_DB)


def _network() -> nn.Module:
    """Perth's network, named as in its checkpoint. B batch, C channels, F frames.

    The encoder turns levels (B, 128, F) into what is added to them. The decoder listens at three
    speeds and weighs them by what each thinks of itself.
    """
    import torch
    from torch import nn
    from torch.nn import functional

    class Convolution(nn.Module):
        def __init__(self, inputs: int, outputs: int, width: int, act: bool = True):
            super().__init__()
            self.conv = nn.Conv1d(inputs, outputs, width, padding=width // 2)
            self.act = nn.LeakyReLU() if act else nn.Identity()

        def forward(self, x: Tensor) -> Tensor:
            return self.act(self.conv(x))

    def stack(outputs: int) -> nn.Sequential:
        return nn.Sequential(
            Convolution(_SUBBAND, _HIDDEN, 1),
            *(Convolution(_HIDDEN, _HIDDEN, 7) for _ in range(5)),
            Convolution(_HIDDEN, outputs, 1, act=False),
        )

    class Encoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = stack(_SUBBAND)

        def forward(self, levels: Tensor) -> Tensor:
            return self.layers(levels)

    class Decoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.slow_layers = stack(2)
            self.normal_layers = stack(2)
            self.fast_layers = stack(2)

        def forward(self, levels: Tensor, audible: Tensor) -> Tensor:
            """levels (B, 128, F), audible (B, F) of 0 and 1 -> confidence (B,) in 0..1."""
            frames = levels.shape[-1]
            opinions = []
            for layers, stretch in (
                (self.slow_layers, 1.25),
                (self.normal_layers, 1.0),
                (self.fast_layers, 0.75),
            ):
                count = int(frames * stretch)
                stretched = functional.interpolate(
                    levels, size=count, mode="linear", align_corners=True
                )
                weight = functional.interpolate(audible[:, None], size=count, mode="nearest")
                heard = weight.sum(2).clip(min=1)  # at least a frame, where silence leaves none
                opinions.append((layers(stretched) * weight).sum(2) / heard)
            weight_of, marked = torch.stack(opinions, dim=1).unbind(-1)  # (B, 3) each
            return (marked * weight_of.softmax(1)).sum(1).clip(0, 1)

    class Perth(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = Encoder()
            self.decoder = Decoder()

    return Perth()


@dataclass(frozen=True)
class Provenance:
    """What the metadata of a file says about how its speech came to be.

    Attributes:
        voice: who speaks.
        direction: what was asked of the voice, as text.
        text_sha256: of the spoken text in UTF-8; the text itself is nobody else's business.
        created: ISO 8601, UTC, such as 2026-01-31T12:00:00Z.
        seed: what chose among the possible takes.
        consent: what the voice rests on.
        version: of the generator.
        digital_source_type: IPTC's address for the kind of medium.
    """

    voice: str
    direction: str
    text_sha256: str
    created: str
    seed: int = 0
    consent: str = CONSENT
    version: str = ""
    generator: str = GENERATOR
    digital_source_type: str = SYNTHETIC

    @classmethod
    def of(
        cls,
        text: str,
        voice: str,
        direction: str = "",
        seed: int = 0,
        consent: str = CONSENT,
        created: str | None = None,
    ) -> Provenance:
        """Of a text spoken by this version now.

        Without `created` the clock is asked, or the environment's SOURCE_DATE_EPOCH, which makes
        files equal to the byte (reproducible-builds.org/docs/source-date-epoch).
        """
        if created is None:
            seconds = float(os.environ.get("SOURCE_DATE_EPOCH") or time.time())
            created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
        return cls(
            voice=voice,
            direction=direction,
            text_sha256=hashlib.sha256(text.encode()).hexdigest(),
            created=created,
            seed=seed,
            consent=consent,
            version=__version__,
        )

    def to_metadata(self) -> dict[str, str]:
        """Text for `Audio.save`: fields that players show, and the whole as JSON in the comment."""
        return {
            "artist": f"{self.voice} (synthetic voice)",
            "software": f"{self.generator} {self.version}".strip(),
            "date": self.created,
            "comment": json.dumps(asdict(self)),
        }

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str]) -> Provenance | None:
        """The provenance in a file's metadata, or None when it holds none of ours.

        Fields that a later version may add are left out.
        """
        try:
            said = json.loads(metadata.get("comment", ""))
        except ValueError:
            return None
        if not isinstance(said, dict) or said.get("generator") != GENERATOR:
            return None
        known = {field.name: said[field.name] for field in fields(cls) if field.name in said}
        try:
            return cls(**known)
        except TypeError:  # fields without a default are missing
            return None

    def __str__(self) -> str:
        asked = f", directed as {self.direction}" if self.direction else ""
        maker = f"{self.generator} {self.version}".strip()
        return f"made by {maker} on {self.created}, voice {self.voice}{asked}. {self.consent}"


@dataclass(frozen=True)
class Verification:
    """What was found in a file; mark and metadata each on its own.

    Attributes:
        watermark: confidence from 0 to 1.
        provenance: what the metadata says, or None when it says nothing of ours.
    """

    watermark: float
    provenance: Provenance | None

    @property
    def watermarked(self) -> bool:
        """Whether the sound is marked. Others use Perth's mark too: it says synthetic, not who."""
        return self.watermark >= THRESHOLD

    @property
    def is_ours(self) -> bool:
        """Whether both say so. Metadata alone can be copied, the mark alone may be another's."""
        return self.watermarked and self.provenance is not None

    def to_json(self) -> dict:
        """All of it, ready for `json.dumps`."""
        return {
            "is_ours": self.is_ours,
            "watermarked": self.watermarked,
            "watermark": round(self.watermark, 4),
            "provenance": asdict(self.provenance) if self.provenance else None,
        }


def verify(path: str | os.PathLike, watermarker: Watermarker | None = None) -> Verification:
    """Look for our mark and our metadata in a file.

    Raises:
        InvalidInput: the file cannot be read as audio.
        WeightsError: the watermark's network cannot be loaded.
    """
    audio = Audio.load(path)
    watermarker = watermarker or Watermarker.load()
    return Verification(
        watermark=watermarker.detect(audio),
        provenance=Provenance.from_metadata(read_metadata(path)),
    )
