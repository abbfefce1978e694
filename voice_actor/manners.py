"""Manners of speaking as acting: what a persona, a direction or markup asks beside an emotion."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import torch
from torch import Tensor

from conditioning.direction import Stretch

from .acting import Acting
from .phonemes import Phrase

# What a manner's unit adds to a control of the acting. A whisper is some 6 dB fainter by itself.
SHARES: dict[str, dict[str, float]] = {
    "pitch": {"f0_shift": 1.0},
    "melody": {"f0_range": 1.0},
    "pace": {"duration": -1.0},
    "level": {"level": 1.0},
    "pause": {"pause": 1.0},
    "breath": {"breath": 1.0},
    "whisper": {"voiceless": 1.0, "whisper": 1.0},
    "rough": {"rough": 1.0},
    "tremor": {"tremor": 1.0},
    "tilt": {"tilt": 1.0},
    "formants": {"formants": 1.0},
    "emphasis": {"f0_contour": 3.0, "level_contour": 3.0, "duration": 0.3},
}


def add_manners(acting: Acting, phrase: Phrase, manners: Iterable[Stretch]) -> Acting:
    """The acting of a phrase, with the manners of the stretches that its phonemes lie in."""
    asked = [(start, end, manner) for start, end, manner in manners if manner]
    if not asked:
        return acting
    added: dict[str, Tensor] = {}
    for start, end, manner in asked:
        inside = _inside(phrase, start, end)
        if not inside.any():
            continue
        for name, value in manner.to_json().items():
            for control, share in SHARES[name].items():
                change = share * value * inside
                added[control] = added.get(control, 0.0) + change
    changed = {name: getattr(acting, name) + change for name, change in added.items()}
    return replace(acting, **changed)


def _inside(phrase: Phrase, start: int, end: int) -> Tensor:
    """1 where a phoneme's middle lies within, (T,); the silent ends go with their neighbours."""
    middles = [(phoneme.start + phoneme.end) / 2 for phoneme in phrase.phonemes]
    inside = [float(start <= middle < end) for middle in middles]
    return torch.tensor([inside[0], *inside, inside[-1]])
