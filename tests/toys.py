"""Toys with physics: a backbone that hums, so that the whole loop runs in milliseconds."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from conditioning.audio import Audio
from conditioning.errors import unknown_name
from voice_actor.backbone import FRAME, Reading
from voice_actor.phonemes import Phrase

RATE = 24_000
VOICES = {"af_heart": 220.0, "bm_george": 110.0}  # Hz


class HummingBackbone:
    """Hums the pitch curve it is given; a phoneme lasts four frames, and silence is silent."""

    sample_rate = RATE
    voices = tuple(VOICES)

    def __init__(self):
        self.read_texts = []

    def directions(self) -> dict[str, Tensor]:
        return {"whisper": torch.ones(256)}

    def style(self, voice: str, length: int) -> Tensor:
        if voice not in VOICES:
            raise unknown_name("voice", voice, VOICES)
        return torch.full((256,), VOICES[voice])

    def read(self, phrase: Phrase, style: Tensor) -> Reading:
        self.read_texts.append(phrase.symbols)
        length = len(phrase.phonemes) + 2
        loud = [0.0, *(float(phoneme.symbol.isalpha()) for phoneme in phrase.phonemes), 0.0]
        states = torch.tensor(loud)[:, None]
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
