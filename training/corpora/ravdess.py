"""RAVDESS: 24 North American actors, two sentences, eight emotions at two intensities.

Layout: `Actor_12/03-01-06-01-02-01-12.wav` (modality, channel, emotion, intensity, statement,
repetition, actor), as the description of the Zenodo record gives it. Sung recordings (channel 02)
and the sound of films (modalities 01 and 02) are left out. Licence: CC BY-NC-SA 4.0.
"""

from __future__ import annotations

import re

from .base import Corpus

EMOTIONS = "neutral calm happiness sadness anger fear disgust surprise".split()
LEVELS = "normal strong".split()
STATEMENTS = ("Kids are talking by the door", "Dogs are sitting by the door")


class Ravdess(Corpus):
    name = "ravdess"
    title = "RAVDESS"
    licence = "CC-BY-NC-SA-4.0"
    link = "https://zenodo.org/records/1188976"
    languages = ("en",)
    layout = ("**/Actor_*/*.wav",)
    prepared = True
    stem = re.compile(r"(0[1-3])-(0[12])-(0[1-8])-(0[12])-(0[12])-(0[12])-(\d\d)")
    example = "03-01-06-01-02-01-12.wav"

    def _downloaded(self):
        for path in self._files("**/Actor_*/*.wav"):
            modality, channel, emotion, level, statement, _, actor = self._parts(path)
            if (modality, channel) != ("03", "01"):
                continue
            yield self._utterance(
                path,
                speaker=actor,
                gender="m" if int(actor) % 2 else "f",
                text=STATEMENTS[int(statement) - 1],
                label=EMOTIONS[int(emotion) - 1],
                level=LEVELS[int(level) - 1],
            )
