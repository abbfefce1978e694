"""The mouth of a performance from its phonemes: shapes of Rhubarb, visemes of Oculus."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .performance import Performance, Timed

REST = "X"
SHORTEST_REST = 0.1  # s; in a shorter pause the mouth stays as it is
_STRESS, _LENGTH = "ˈˌ", "ːʰʲ\u0303"  # they lengthen the sound after them, and before them
_SILENT = ';:,.!?—…"“”()'

# A sound that glides has two shapes, each for half its time.
_Table = dict[str, tuple[str, ...]]


def _table(lines: str) -> _Table:
    """From lines of "shape[-shape]: sound sound ..."."""
    pairs = (line.split(":") for line in lines.strip().splitlines())
    return {
        sound: tuple(shapes.strip().split("-"))
        for shapes, sounds in pairs
        for sound in sounds.split()
    }


# Rhubarb's shapes (README of DanielSWolf/rhubarb-lip-sync): A lips closed, B teeth clenched, C
# open, D wide open, E slightly rounded, F puckered, G teeth on the lip, H tongue raised.
RHUBARB = _table("""
    A: p b m
    B: k ɡ t d n ŋ s z ʃ ʒ ʧ ʤ θ ð ɹ j ɾ ʔ x i ɪ ᵻ
    C: e ɛ æ a ʌ ə ɐ ᵊ
    D: ɑ
    E: ɔ ɒ ɜ ɚ
    F: u ʊ o w
    G: f v
    H: l
    C-B: A
    D-B: I
    D-F: W
    E-B: Y
    E-F: O
    C-F: Q
""")
# Oculus's fifteen visemes, after the examples in Meta's viseme reference.
VISEMES = tuple("sil PP FF TH DD kk CH SS nn RR aa E I O U".split())
_OCULUS = _table("""
    PP: p b m
    FF: f v
    TH: θ ð
    DD: t d ɾ
    kk: k ɡ x ʔ
    CH: ʃ ʒ ʧ ʤ
    SS: s z
    nn: n l ŋ
    RR: ɹ ɜ ɚ
    aa: ɑ a æ ʌ ə ɐ ᵊ
    E: e ɛ
    I: i ɪ ᵻ j
    O: ɔ ɒ o
    U: u ʊ w
    E-I: A
    aa-I: I
    aa-U: W
    O-I: Y
    O-U: O
    E-U: Q
""")
_AS_NEXT = "h"  # spoken with the mouth of the sound that follows
_OTHER = "k"  # stands for the many consonants that English does not have
FRAME_RATE = 30  # frames a second, of curves
BLENDING = 0.1  # s; over so long one viseme passes into the next


class MouthCue(NamedTuple):
    """A shape of the mouth and how long it is held, in seconds from the start."""

    shape: str
    start: float
    end: float


def mouth_cues(performance: Performance) -> tuple[MouthCue, ...]:
    """Rhubarb's shapes of a performance, from its beginning to its end without a gap.

    Shapes change where the phonemes change, or half way through a vowel that glides; neighbours
    differ.
    """
    return _cues(performance, RHUBARB, REST)


def viseme_cues(performance: Performance) -> tuple[MouthCue, ...]:
    """The same in Oculus's visemes."""
    return _cues(performance, _OCULUS, VISEMES[0])


def viseme_weights(performance: Performance, rate: float = FRAME_RATE) -> np.ndarray:
    """How much of each of `VISEMES` is on the mouth at each frame: (N, 15), rows sum to 1.

    A viseme passes into the next along the integral of a Hann window of `BLENDING`, half before
    the boundary and half after it.
    """
    duration = performance.audio.duration
    times = np.arange(round(duration * rate) + 1) / rate
    weights = np.zeros((len(times), len(VISEMES)))
    for shape, start, end in viseme_cues(performance):
        begun = _risen(times - start) if start > 0 else 1.0
        ended = _risen(times - end) if end < duration else 0.0
        weights[:, VISEMES.index(shape)] += begun - ended
    return weights


def _risen(since: np.ndarray) -> np.ndarray:
    """From 0 to 1, from half of `BLENDING` before time 0 to half after it."""
    share = np.clip(since / BLENDING + 0.5, 0, 1)
    return share - np.sin(2 * np.pi * share) / (2 * np.pi)


def _cues(performance: Performance, table: _Table, rest: str) -> tuple[MouthCue, ...]:
    cues: list[MouthCue] = []
    sounds = _sounds(performance.phonemes, performance.audio.duration)
    for cue in _shaped(sounds, table, rest):
        if cues and cues[-1].shape == cue.shape:
            cues[-1] = cues[-1]._replace(end=cue.end)
        elif cue.end > cue.start:
            cues.append(cue)
    return tuple(cues)


def rhubarb_json(cues: Sequence[MouthCue], sound_file: str) -> dict:
    """What `rhubarb --exportFormat json` writes, ready for `json.dumps`."""
    return {
        "metadata": {"soundFile": sound_file, "duration": round(cues[-1].end, 2)},
        "mouthCues": [
            {"start": round(start, 2), "end": round(end, 2), "value": shape}
            for shape, start, end in cues
        ],
    }


def rhubarb_tsv(cues: Sequence[MouthCue]) -> str:
    """What `rhubarb --exportFormat tsv` writes: when each shape begins; the last row is the end."""
    rows = [(cue.start, cue.shape) for cue in cues] + [(cues[-1].end, REST)]
    return "".join(f"{time:.2f}\t{shape}\n" for time, shape in rows)


def _sounds(phonemes: Sequence[Timed], duration: float) -> list[Timed]:
    """The sounds with their marks joined to them, and rests as spaces, from 0 to the end."""
    sounds = [Timed(" ", 0.0, 0.0)]
    marked: float | None = None  # where a stress mark began, which the next sound takes over
    for label, start, end in phonemes:
        last = sounds[-1]
        if label in _STRESS:
            marked = start if marked is None else marked
        elif label in _LENGTH or (label == " " and last.label != " "):
            sounds[-1] = last._replace(end=end)  # between two words of a breath the mouth goes on
        elif label in _SILENT or label == " ":
            if last.label != " ":
                sounds.append(Timed(" ", start, end))
        else:
            sounds.append(Timed(label, start if marked is None else marked, end))
            marked = None
    if sounds[-1].label != " ":
        sounds.append(Timed(" ", sounds[-1].end, duration))
    # Each lasts until the next begins.
    ends = [after.start for after in sounds[1:]] + [duration]
    return [sound._replace(end=end) for sound, end in zip(sounds, ends, strict=True)]


def _shaped(sounds: Sequence[Timed], table: _Table, rest: str) -> list[MouthCue]:
    cues: list[MouthCue] = []
    for index, (label, start, end) in enumerate(sounds):
        if label == " ":
            rests = end - start >= SHORTEST_REST or not cues
            cues.append(MouthCue(rest if rests else cues[-1].shape, start, end))
            continue
        shapes = table.get(label, table[_OTHER])
        if label == _AS_NEXT:
            after = (each.label for each in sounds[index + 1 :] if each.label not in (" ", label))
            shapes = table.get(next(after, ""), table[_OTHER])[:1]
        middle = (start + end) / 2
        edges = [start, middle, end] if len(shapes) == 2 else [start, end]
        cues += map(MouthCue, shapes, edges, edges[1:])
    return cues
