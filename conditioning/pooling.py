"""The built-in estimators: frozen features, their statistics over a stretch, a small trained head.

`standard` and `permissive`: Whisper base's encoder, blocks 2 and 3, under a `Listener`.
`tiny`: a log-mel spectrogram under convolutions and a `Meter`, taught by the former.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from einops import rearrange
from torch import Tensor, nn

from . import weights
from .audio import Audio
from .checkpoint import check_made_for, fill, read_checkpoint
from .emotion import EmotionVector
from .errors import InvalidInput
from .estimator import DIMENSIONS, Baseline, EmotionEstimator, Estimate
from .taxonomy import CATEGORIES, INDEX, NAMES, fingerprint
from .whisper import RATE, WhisperEncoder

FRAME = 320  # samples: 20 ms, a frame of every front end here
LEVEL = -23.0  # dB of full scale, of the loud frames
_LOUD, _HEARD = 25.0, 35.0  # dB below the loudest frames: what sets the level; what is sound at all
_MARGIN = 5  # frames kept before the first heard one and after the last
_SILENCE = -90.0  # dB of full scale: below the noise of 16 bits nothing is heard
_SHORTEST = 0.3  # s of sound from the first heard frame to the last; less than a word
_PIECE = 30 * RATE // FRAME  # frames encoded at once
PLACES = slice(len(CATEGORIES), len(CATEGORIES) + len(DIMENSIONS))
READINGS = PLACES.stop + 3  # 40 intensities, three dimensions, neutral, strength, speech
UNMEASURED: dict[str, dict[str, float]] = {"alone": {}, "against": {}}
_LIMIT = 6.0  # standard deviations: a feature beyond is clipped, as in training
_CLOSE = 0.5  # of valence-arousal-dominance space, whose axes run from -1 to 1
_FEW = 3.0  # takes: how many the general voice counts for in a baseline


@dataclass(frozen=True)
class Sound:
    """A recording made ready: 16 kHz, trimmed to what is heard, its loud frames at `LEVEL`.

    Attributes:
        samples: shape (T,), float32.
        start: s, where it begins in the recording.
        heard: shape (T // FRAME,), bool: which frames hold sound.
    """

    samples: np.ndarray
    start: float
    heard: np.ndarray


def ready(audio: Audio) -> Sound | None:
    """What the networks listen to; None where there is too little sound for a word.

    Gain alone changes nothing; silence before and after is left out.

    Raises:
        InvalidInput: no samples at all.
    """
    if not len(audio.samples):
        raise InvalidInput("There is no sound to listen to; give at least one sample.")
    samples = audio.resample(RATE).samples
    count = len(samples) // FRAME
    if not count:
        return None
    frames = samples[: count * FRAME].reshape(count, FRAME)
    power = np.array([np.dot(frame, frame) for frame in frames], np.float64) / FRAME
    levels = 10 * np.log10(power + 1e-30)
    # Of a long recording, its loudest second: speech may be a small part of it.
    loudest = np.percentile(levels, max(95.0, 100 - 100 * RATE / FRAME / count))
    if loudest < _SILENCE:
        return None
    heard = levels > loudest - _HEARD
    first, last = np.flatnonzero(heard)[[0, -1]]
    if (last + 1 - first) * FRAME < _SHORTEST * RATE:
        return None
    first, last = max(0, first - _MARGIN), min(count, last + 1 + _MARGIN)
    level = 10 * np.log10(power[levels > loudest - _LOUD].mean())
    samples = samples[first * FRAME : last * FRAME] * np.float32(10 ** ((LEVEL - level) / 20))
    return Sound(samples, first * FRAME / RATE, heard[first:last])


class Branch(nn.Module):
    """What is heard in features that are already measured against a voice or against all voices.

    B batch, D features, H hidden, K classes of acted speech (the first is neutral), E emotions.
    """

    def __init__(self, features: int, classes: int, hidden: int, dropout: float):
        super().__init__()
        self.hidden = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(features, hidden), nn.GELU(), nn.Dropout(0.5)
        )
        # Small weights: thousands of features of a few hundred clips' worth of evidence.
        nn.init.normal_(self.hidden[1].weight, std=0.5 / features**0.5)
        self.classes = nn.Linear(hidden, classes)
        self.place = nn.Linear(hidden, len(DIMENSIONS))
        self.strength = nn.Linear(hidden, 1)
        # Solved in closed form (`training.modules`), not by descent: a row of scores a category.
        self.register_buffer("scores", torch.zeros(len(CATEGORIES), features))

    def forward(self, features: Tensor) -> dict[str, Tensor]:
        """(B, D) -> class logits (B, K), place (B, 3), strength (B,) and scores (B, E)."""
        hidden = self.hidden(features)
        return {
            "classes": self.classes(hidden),
            "place": self.place(hidden).tanh(),
            "strength": self.strength(hidden)[:, 0].sigmoid(),
            "scores": features @ self.scores.T,
        }


class Listener(nn.Module):
    """Pooled features of a stretch of speech -> 40 intensities, place, neutral, speech.

    Two branches: `alone` measures against all voices of the training, `against` against the voice's
    own baseline. B batch, D features, K classes, E emotions.

    Args:
        features: D.
        classes: names of the acted classes: "neutral", then categories.
        synthetic: the categories whose scores count.
    """

    def __init__(self, features: int, classes: Sequence[str], synthetic: Sequence[str] = ()):
        super().__init__()
        self.about = {
            "features": features,
            "classes": list(classes),
            "synthetic": list(synthetic),
        }
        # Strangers differ more than the takes of a voice do: more to learn, and more to overlearn.
        self.alone = Branch(features, len(classes), hidden=256, dropout=0.7)
        self.against = Branch(features, len(classes), hidden=128, dropout=0.6)
        self.speech = nn.Linear(features, 1)
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("std", torch.ones(features))
        places = [(entry.valence, entry.arousal, entry.dominance) for entry in CATEGORIES]
        self.register_buffer("places", torch.tensor(places), persistent=False)
        acted = torch.tensor([INDEX[name] for name in classes[1:]], dtype=torch.long)
        self.register_buffer("acted", acted, persistent=False)
        scored = torch.tensor([name in synthetic for name in NAMES])
        self.register_buffer("scored", scored, persistent=False)

    def standard(self, pooled: Tensor) -> Tensor:
        """(B, D) measured against all voices."""
        return ((pooled - self.mean) / self.std).clamp(-_LIMIT, _LIMIT)

    def relative(self, pooled: Tensor, mean: Tensor, std: Tensor) -> Tensor:
        """(B, D) measured against a voice's mean and deviation, (D,) or (B, D) each."""
        return ((pooled - mean) / std).clamp(-_LIMIT, _LIMIT)

    def forward(self, pooled: Tensor, voice: tuple[Tensor, Tensor] | None = None) -> Tensor:
        """Readings (B, E + 6): intensities, the dimensions, neutral, strength and speech.

        Args:
            pooled: (B, D).
            voice: mean and standard deviation of the voice's habits, (D,) each.
        """
        standard = self.standard(pooled)
        if voice is None:
            heard = self.alone(standard)
        else:
            heard = self.against(self.relative(pooled, *voice))
        return torch.cat(
            [
                self.intensities(heard),
                self.place(heard),
                heard["classes"].softmax(1)[:, :1],
                heard["strength"][:, None],
                self.speech(standard).sigmoid(),
            ],
            dim=1,
        )

    def both(self, pooled: Tensor, mean: Tensor, std: Tensor) -> dict[str, dict[str, Tensor]]:
        """What each branch hears, by its name; `mean` and `std` are the voices', (B, D) each."""
        return {
            "alone": self.alone(self.standard(pooled)),
            "against": self.against(self.relative(pooled, mean, std)),
        }

    def place(self, heard: dict[str, Tensor]) -> Tensor:
        """(B, 3): half what is heard directly, half the mean place of the classes that are heard.

        Either alone agrees less with the labels' places on corpora never met.
        """
        return self._placed(heard, heard["classes"].softmax(1)[:, 1:])

    def _placed(self, heard: dict[str, Tensor], shares: Tensor) -> Tensor:
        """(B, 3), with the shares (B, K - 1) of the acted classes."""
        return (heard["place"] + shares @ self.places[self.acted]) / 2

    def intensities(self, heard: dict[str, Tensor]) -> Tensor:
        """(B, E) in [0, 1]: the strength that is heard, shared out.

        An acted category's share is the geometric mean of its share of the classes and of how close
        its place lies to the place that is heard, taken softly, so that other words in the same
        acting change little. Any other's share is half that closeness, since nothing was heard that
        speaks for it alone; where it was learnt from synthetic acting, its score doubles that or
        takes it away.
        """
        softly = (heard["classes"] / 2).softmax(1)[:, 1:]
        distance = (self._placed(heard, softly)[:, None] - self.places).square().sum(2)  # (B, E)
        close = (-distance / (2 * _CLOSE**2)).exp()
        share = close * torch.where(self.scored, heard["scores"].sigmoid(), 0.5)
        acted = heard["classes"][:, 1:].softmax(1)
        share[:, self.acted] = (acted * close[:, self.acted]).sqrt()
        return (share * heard["strength"][:, None]).clamp(0, 1)


class WhisperFront:
    """Frames of Whisper's encoder: blocks 2 and 3 side by side, D = 1024.

    The last block, which most work on Whisper takes, knows the words and has forgotten the voice:
    21 points of recall worse on EmoDB (a study of ours).
    """

    layers = (2, 3)
    width = 1024  # D: both layers' channels

    def __init__(self, folder: str | os.PathLike | None = None):
        self._encoder = WhisperEncoder.load(max(self.layers), folder)

    def frames(self, pieces: Sequence[np.ndarray]) -> list[np.ndarray]:
        """(F, D) for each piece of up to 30 s, heard together."""
        return [
            rearrange(found, "layers frames channels -> frames (layers channels)")
            for found in self._encoder.encode_many(pieces, self.layers)
        ]


class LogMelFront(nn.Module):
    """A log-mel spectrogram under three convolutions: the ears of the tiny estimator.

    B batch, M mel bands, F frames of 20 ms, D channels out.
    """

    bands, channels, spectrum = 40, 64, 257

    def __init__(self):
        super().__init__()
        width = self.channels
        self.register_buffer("filters", torch.zeros(self.bands, self.spectrum))
        self.convolutions = nn.Sequential(
            nn.Conv1d(self.bands, width, 5, padding=2),
            nn.GELU(),
            nn.Conv1d(width, width, 5, padding=4, dilation=2),
            nn.GELU(),
            nn.Conv1d(width, width, 5, padding=8, dilation=4),
            nn.GELU(),
        )

    def mel(self, samples: np.ndarray) -> Tensor:
        """Log-mel (F, M) of a piece, over windows of 25 ms; about zero mean and unit deviation."""
        sound = torch.from_numpy(np.ascontiguousarray(samples))
        sound = nn.functional.pad(sound, (0, max(0, 512 - len(sound))))
        window = torch.hann_window(400)
        power = torch.stft(sound, 512, FRAME, 400, window, return_complex=True).abs().square()
        mel = self.filters @ power[:, : max(1, len(samples) // FRAME)]
        return (mel.clamp_min(1e-7).log10().T + 2.0) / 2.0

    def forward(self, mel: Tensor) -> Tensor:
        """(B, F, M) -> (B, F, D)."""
        return self.convolutions(mel.transpose(1, 2)).transpose(1, 2)

    def frames(self, pieces: Sequence[np.ndarray]) -> list[np.ndarray]:
        """(F, D) for each piece."""
        with torch.inference_mode():
            return [self(self.mel(piece)[None])[0].numpy() for piece in pieces]


class Meter(nn.Module):
    """The tiny estimator's head: pooled channels -> the readings that its teacher would give.

    B batch, D features, E emotions.
    """

    def __init__(self, features: int = 2 * LogMelFront.channels, hidden: int = 96):
        super().__init__()
        self.about: dict[str, Any] = {}
        self.hidden = nn.Sequential(nn.Linear(features, hidden), nn.GELU())
        self.readings = nn.Linear(hidden, READINGS)

    def forward(self, pooled: Tensor, voice: None = None) -> Tensor:
        """(B, D) -> readings (B, E + 6), as `Listener` gives them."""
        raw = self.readings(self.hidden(pooled))
        places = raw[:, PLACES].tanh()
        return torch.cat(
            [raw[:, : PLACES.start].sigmoid(), places, raw[:, PLACES.stop :].sigmoid()], dim=1
        )


def pool(front, sound: Sound, spans: Sequence[tuple[int, int]]) -> Iterator[np.ndarray | None]:
    """Each feature's mean, then each one's deviation, over spans of frames: (2 D,) a span.

    None for an empty span. The sound is encoded in pieces of 30 s and only sums are kept, so that
    an hour takes no more memory than a minute.

    Args:
        front: gives the frames (F, D) of pieces; see `WhisperFront`.
        spans: first frame and the one after the last, in the order of their starts.
    """
    sums: list[tuple[int, np.ndarray] | None] = [None] * len(spans)
    done = 0
    for begin in range(0, len(sound.heard), _PIECE):
        piece = sound.samples[begin * FRAME : (begin + _PIECE) * FRAME]
        frames = front.frames([piece])[0].astype(np.float64)
        for index in range(done, len(spans)):
            first, last = (place - begin for place in spans[index])
            if first >= len(frames):
                break
            part = frames[max(0, first) : max(0, last)]
            if len(part):
                count, total = sums[index] or (0, 0.0)
                added = np.stack([part.sum(0), np.square(part).sum(0)])
                sums[index] = (count + len(part), total + added)
        while done < len(spans) and spans[done][1] <= begin + len(frames):
            yield _moments(sums[done])
            sums[done] = None
            done += 1
    yield from map(_moments, sums[done:])


def habits(takes: np.ndarray, mean: np.ndarray, std: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A voice's mean and deviation (D,) of each feature, from takes (N, D).

    A few takes say little, so that what holds of all voices, `mean` and `std`, counts as three
    more: none gives the estimate without a baseline.
    """
    own = len(takes) / (len(takes) + _FEW)
    centre = own * takes.mean(0) + (1 - own) * mean
    spread = np.sqrt(own * takes.var(0) + (1 - own) * np.square(std))
    return centre.astype(np.float32), spread.astype(np.float32)


def _moments(sums: tuple[int, np.ndarray] | None) -> np.ndarray | None:
    if sums is None:
        return None
    count, (first, second) = sums
    mean = first / count
    deviation = np.sqrt(np.maximum(second / count - mean**2, 0))
    return np.concatenate([mean, deviation]).astype(np.float32)


class PoolingEstimator(EmotionEstimator):
    """A front end, its frames' mean and deviation over a stretch, and a head that reads them."""

    def __init__(self, front, head: nn.Module, described: dict[str, Any]):
        """Take `load`; `described` is what the checkpoint says of itself."""
        self._front, self.head = front, head.eval().requires_grad_(False)
        self.name = described["name"]
        self.licence = described.get("licence", "none stated")
        self.commercial = described.get("commercial", False)
        # Before `publish`, nothing is known of how it does.
        self.support = described.get("support", {})
        unknown = dict.fromkeys(self.support, math.nan)
        self._reliability = {
            branch: unknown | found
            for branch, found in described.get("reliability", UNMEASURED).items()
        }
        self.reliability = self._reliability["alone"]

    @classmethod
    def load(cls, name: str, folder: str | os.PathLike | None = None) -> PoolingEstimator:
        """The estimator called `name`; see `EmotionEstimator.load`."""
        entry = weights.manifest()[f"estimator-{name}"]
        path = weights.path(entry.name, folder=folder)
        loaded = cls.from_file(path, folder)
        loaded.name = f"{name}@{entry.sources[0].parts[0].sha256[:12]}"
        loaded.licence, loaded.commercial = entry.licence, entry.commercial
        return loaded

    @classmethod
    def from_file(
        cls, path: str | os.PathLike, folder: str | os.PathLike | None = None
    ) -> PoolingEstimator:
        """An estimator from a checkpoint that `training` wrote.

        Raises:
            WeightsError: another file, tensors that do not fit, or another taxonomy.
        """
        state, described = read_checkpoint(path, "estimator", ("front", "head"))
        check_made_for(path, described, taxonomy=fingerprint())
        kind, shape = described["front"], described["head"]
        if kind == "whisper":
            front, head = WhisperFront(folder), Listener(**shape)
        else:
            front, head = LogMelFront(), Meter()
        parts = nn.ModuleDict({"head": head})
        if isinstance(front, nn.Module):
            parts["front"] = front.eval().requires_grad_(False)
        fill(parts, state, path)
        described.setdefault("name", Path(path).stem)
        return cls(front, head, described)

    def baseline(self, takes: Iterable[Audio]) -> Baseline:
        """See `EmotionEstimator.baseline`, and `habits` for what few takes count for."""
        if not isinstance(self.head, Listener):
            return super().baseline(takes)
        heard = (self.features(take) for take in takes)
        found = [features for features in heard if features is not None and self._speaks(features)]
        if not found:
            raise InvalidInput(
                "No take of the baseline holds speech; give recordings of the voice, best ten or "
                "more."
            )
        mean, std = habits(np.stack(found), self.head.mean.numpy(), self.head.std.numpy())
        return Baseline(mean, std, len(found), self.name)

    def features(self, audio: Audio) -> np.ndarray | None:
        """What the head is given of a whole recording, (2 D,); None where there is too little."""
        sound = ready(audio)
        return None if sound is None else next(pool(self._front, sound, [(0, len(sound.heard))]))

    def _speaks(self, features: np.ndarray) -> bool:
        """Whether features (D,) are of speech."""
        with torch.inference_mode():
            return bool(self.head(torch.from_numpy(features)[None])[0, -1] >= 0.5)

    def _hear(
        self, audio: Audio, spans: Sequence[tuple[float, float]], baseline: Baseline | None
    ) -> Iterator[Estimate]:
        voice = None
        if baseline is not None:
            if baseline.estimator != self.name:
                raise InvalidInput(
                    f"The baseline was made by {baseline.estimator}, not by {self.name}; make it "
                    "again with this estimator."
                )
            voice = torch.from_numpy(baseline.mean), torch.from_numpy(baseline.std)
        sound = ready(audio)
        if sound is None:
            yield from (Estimate.without_speech(*span, self.name) for span in spans)
            return
        rate = RATE / FRAME
        places = []
        for start, end in spans:
            first = max(0, round((start - sound.start) * rate))
            last = max(first, min(len(sound.heard), round((end - sound.start) * rate)))
            inside = np.flatnonzero(sound.heard[first:last])
            # As in training: from the first frame with sound to the last, and a little around.
            if len(inside) * FRAME < _SHORTEST * RATE:
                places.append((0, 0))
                continue
            places.append(
                (
                    max(first, first + inside[0] - _MARGIN),
                    min(last, first + inside[-1] + 1 + _MARGIN),
                )
            )
        found = pool(self._front, sound, places)
        for features, (start, end) in zip(found, spans, strict=True):
            yield self._estimate(features, voice, start, end)

    def _estimate(
        self, features: np.ndarray | None, voice: tuple[Tensor, Tensor] | None, start, end
    ) -> Estimate:
        if features is None:
            return Estimate.without_speech(start, end, self.name)
        with torch.inference_mode():
            reading = self.head(torch.from_numpy(features)[None], voice)[0].tolist()
        *dimensions, neutral, strength, speech = reading[PLACES.start :]
        if speech < 0.5:
            return Estimate.without_speech(start, end, self.name)
        return Estimate(
            EmotionVector.from_list(reading[: PLACES.start]),
            *dimensions,
            neutral=neutral,
            strength=strength,
            speech=True,
            support=self.support,
            reliability=self._reliability["alone" if voice is None else "against"],
            start=start,
            end=end,
            estimator=self.name,
        )
