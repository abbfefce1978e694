"""Expresso: four American actors, read speech and dialogues in 26 styles, studio quality.

Layout: `read_transcriptions.txt` (id and text, with a tab between) and
`audio_48khz/read/ex01/happy/base/ex01_happy_00001.wav`, from textlesslib/examples/expresso of
github.com/facebookresearch, where we read the transcripts. In the dialogues each channel is
another actor in, perhaps, another style, so that they cannot be read as they are: cut them with
textlesslib's own scripts, whose `train/ex04/conv-angry/ex04-ex02_angry_006-ex04_angry_css028.wav`
and `train/ex01/read-happy/...` are read too. The genders come from the names that Hugging Face
gave the speakers. Licence: CC BY-NC 4.0.
"""

from __future__ import annotations

import re

from .base import Corpus, text_of

GENDERS = {"ex01": "m", "ex02": "f", "ex03": "m", "ex04": "f"}


class Expresso(Corpus):
    """Styles that say how it is spoken but not with which emotion, such as whisper, are skipped."""

    name = "expresso"
    title = "Expresso"
    licence = "CC-BY-NC-4.0"
    link = "https://github.com/facebookresearch/textlesslib/tree/main/examples/expresso/dataset"
    languages = ("en",)
    skipped = frozenset(
        "animal animaldir child childdir desire enunciated fast narration nonverbal projected "
        "singing whisper".split()
    )
    layout = ("read_transcriptions.txt", "**/ex0[1-4]/**/*.wav")
    stem = re.compile(r"(?:ex0\d-ex0\d_.*-)?(ex0[1-4])_([a-z]+)_\w+")
    example = "ex01_happy_00001.wav"

    def _downloaded(self):
        transcripts = text_of(self.folder / "read_transcriptions.txt").splitlines()
        texts = dict(line.split("\t", 1) for line in transcripts if "\t" in line)
        for path in self._files("**/ex0[1-4]/**/*.wav"):
            speaker, style = self._parts(path)
            if style in self.skipped:
                continue
            yield self._utterance(
                path,
                speaker=speaker,
                gender=GENDERS[speaker],
                # Asterisks mark the words to stress.
                text=texts.get(path.stem, "").replace("*", ""),
                label=style,
            )
