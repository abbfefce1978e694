"""Toys with physics: a backbone that hums and an estimator that hears pitch, in milliseconds."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from conditioning.audio import Audio
from conditioning.emotion import EmotionVector
from conditioning.errors import InvalidInput, unknown_name
from conditioning.estimator import Baseline, EmotionEstimator, Estimate
from voice_actor.backbone import FRAME, Reading
from voice_actor.phonemes import Phrase

RATE = 24_000
VOICES = {"af_heart": 220.0, "bm_george": 110.0}  # Hz


class HummingBackbone:
    """Hums the pitch curve it is given; a phoneme lasts four frames, and silence is silent."""

    sample_rate = RATE
    lead = 0.0
    voices = tuple(VOICES)

    def __init__(self):
        self.read_texts = []

    def directions(self) -> dict[str, Tensor]:
        return {name: torch.ones(256) for name in ("whisper", "d1", "d2", "d3", "p1", "p2", "p3")}

    def style(self, voice: str, length: int) -> Tensor:
        if voice not in VOICES:
            raise unknown_name("voice", voice, VOICES)
        return torch.full((256,), VOICES[voice])

    def read(self, phrase: Phrase, style: Tensor) -> Reading:
        self.read_texts.append(phrase.symbols)
        length = len(phrase.phonemes) + 2
        loud = [0.0, *(float(phoneme.symbol.isalpha()) for phoneme in phrase.phonemes), 0.0]
        states = torch.zeros(length, 640)  # as wide as Kokoro's
        states[:, 0] = torch.tensor(loud)
        return Reading(phrase, torch.full((length,), 4.0), style, states, states)

    def curves(self, reading: Reading, frames: Tensor) -> tuple[Tensor, Tensor]:
        """The voice's pitch, falling by four semitones over the phrase, and its loudness."""
        loud = reading.states[:, 0].repeat_interleave(2 * frames)
        fall = torch.linspace(2, -2, len(loud))
        return torch.where(loud > 0, reading.style[0] * torch.exp2(fall / 12), 0.0), loud

    def speak(self, reading, frames, f0, energy, style, seed=0) -> Tensor:
        hop = round(FRAME / 2 * RATE)
        turns = torch.cumsum(f0.double().repeat_interleave(hop) / RATE, dim=0)
        hum = torch.sin(2 * math.pi * turns.frac()).float()
        return 0.2 * energy.repeat_interleave(hop) * hum


class InkMarker:
    """Marks by setting the last sample to a value that no hum has."""

    MARK = 0.123

    def mark(self, audio: Audio) -> Audio:
        samples = audio.samples.copy()
        samples[-1] = self.MARK
        return Audio(samples, audio.sample_rate)


def estimate(
    estimator: EmotionEstimator, heard: dict[str, float], start: float, end: float, **told: float
) -> Estimate:
    """What an estimator hears in a stretch of speech; numbers that are not told are nan."""
    numbers = "valence", "arousal", "dominance", "neutral", "strength"
    return Estimate(
        EmotionVector(heard),
        **(dict.fromkeys(numbers, math.nan) | told),
        speech=True,
        support=estimator.support,
        reliability=estimator.reliability,
        start=start,
        end=end,
        estimator=estimator.name,
    )


class ToyEstimator(EmotionEstimator):
    """Hears pitch alone: the higher the angrier and the more excited, the lower the sadder.

    200 Hz is neutral; against a baseline, the voice's own mean pitch is.
    """

    licence, commercial = "CC-BY-NC-SA-4.0", False
    support = {
        "Anger": "acted",
        "Sadness": "acted",
        "Impatience and Irritability": "synthetic",
        "Awe": "inferred",
        "valence": "acted",
        "arousal": "acted",
    }
    reliability = {"Anger": 0.8, "Sadness": 0.75, "Awe": float("nan"), "valence": 0.5}

    def __init__(self, name: str = "standard"):
        self.name = f"{name}@toy"

    def baseline(self, takes) -> Baseline:
        heard = [octaves for take in takes if (octaves := self._octaves(take.samples, take))]
        if not heard:
            raise InvalidInput("No take of the baseline holds speech; give others.")
        mean = np.float32([np.mean(heard)])
        return Baseline(mean, np.ones(1, np.float32), len(heard), self.name)

    def _octaves(self, samples, audio: Audio) -> float | None:
        """Pitch above 1 Hz, from zero crossings; None of what is next to silent."""
        if np.abs(samples).max(initial=0) < 0.01:
            return None
        return math.log2(np.diff(np.signbit(samples)).sum() / 2 * audio.sample_rate / len(samples))

    def _hear(self, audio, spans, baseline):
        if baseline is not None and baseline.estimator != self.name:
            raise InvalidInput(f"The baseline was made by {baseline.estimator}; make it again.")
        middle = math.log2(200) if baseline is None else float(baseline.mean[0])
        for start, end in spans:
            first, last = (round(time * audio.sample_rate) for time in (start, end))
            octaves = self._octaves(audio.samples[first:last], audio)
            if octaves is None:
                yield Estimate.without_speech(start, end, self.name)
                continue
            high = min(max(octaves - middle, -1.0), 1.0)
            angry, sad = max(high, 0.0), max(-high, 0.0)
            heard = {"Anger": angry, "Sadness": sad, "Impatience and Irritability": angry / 2}
            places = {"valence": -abs(high) / 2, "arousal": high}
            degrees = {"neutral": 1 - abs(high), "strength": abs(high)}
            yield estimate(self, heard, start, end, **places, **degrees)


def toy_voicer():
    """Who speaks a production's lines with toys; picklable, for other processes and machines."""
    from voice_actor.actor import VoiceActor
    from voice_actor.adapter import EmotionAdapter
    from voice_actor.production.voicing import Voicer

    return Voicer(lambda: VoiceActor(HummingBackbone(), EmotionAdapter.load(), InkMarker()))
