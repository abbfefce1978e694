"""Mouth cues from the times of the phonemes that were spoken, as Rhubarb Lip Sync writes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .performance import Performance, Timed

REST = "X"
SHORTEST_REST = 0.1  # s; in a shorter pause the mouth stays as it is
_STRESS, _LENGTH = "ˈˌ", "ːʰʲ\u0303"  # they lengthen the sound after them, and before them
_SILENT = ';:,.!?—…"“”()'

# Rhubarb's shapes (README of DanielSWolf/rhubarb-lip-sync): A lips closed, B teeth clenched, C
# open, D wide open, E slightly rounded, F puckered, G teeth on the lip, H tongue raised. A vowel
# that glides has two, each for half its time.
_SHAPES: dict[str, str] = {
    sound: shapes
    for shapes, sounds in {
        "A": "p b m",
        "B": "k ɡ t d n ŋ s z ʃ ʒ ʧ ʤ θ ð ɹ j ɾ ʔ x i ɪ ᵻ",
        "C": "e ɛ æ a ʌ ə ɐ ᵊ",
        "D": "ɑ",
        "E": "ɔ ɒ ɜ ɚ",
        "F": "u ʊ o w",
        "G": "f v",
        "H": "l",
        "CB": "A",
        "DB": "I",
        "DF": "W",
        "EB": "Y",
        "EF": "O",
        "CF": "Q",
    }.items()
    for sound in sounds.split()
}
_AS_NEXT = "h"  # spoken with the mouth of the sound that follows
_OTHER = "B"  # of the many consonants that English does not have


class MouthCue(NamedTuple):
    """A shape of the mouth and how long it is held, in seconds from the start."""

    shape: str
    start: float
    end: float


def mouth_cues(performance: Performance) -> tuple[MouthCue, ...]:
    """The mouth of a performance, from its beginning to its end without a gap.

    Shapes change where the phonemes change; neighbours differ.
    """
    cues: list[MouthCue] = []
    for cue in _shaped(_sounds(performance.phonemes, performance.audio.duration)):
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


def _shaped(sounds: Sequence[Timed]) -> list[MouthCue]:
    cues: list[MouthCue] = []
    for index, (label, start, end) in enumerate(sounds):
        if label == " ":
            rests = end - start >= SHORTEST_REST or not cues
            cues.append(MouthCue(REST if rests else cues[-1].shape, start, end))
            continue
        if label == _AS_NEXT:
            after = (each.label for each in sounds[index + 1 :] if each.label not in (" ", label))
            shapes = _SHAPES.get(next(after, ""), _OTHER)[0]
        else:
            shapes = _SHAPES.get(label, _OTHER)
        middle = (start + end) / 2
        edges = [start, middle, end] if len(shapes) == 2 else [start, end]
        cues += map(MouthCue, shapes, edges, edges[1:])
    return cues
