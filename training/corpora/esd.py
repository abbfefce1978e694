"""ESD: ten Mandarin and ten English speakers, 350 parallel sentences each in five emotions.

Layout: `0001/0001.txt` (id, text and emotion, with tabs between) and
`0001/Angry/0001_000351.wav`, in the first release with a folder train, evaluation or test between;
from github.com/HLTSingapore/Emotional-Speech-Data and public programs that read the corpus, which
also tell that the texts are in UTF-8, UTF-16, GB 2312 or Latin-1 by speaker and that some lines
are malformed: those texts are None. Speakers' genders are as the corpus's ReadMe lists them.
Licence: for research only, by agreement; the MIT licence in the repository does not cover the
recordings.
"""

from __future__ import annotations

import re

from .base import Corpus, text_of

MEN = {4, 5, 6, 8, 10, 11, 12, 13, 14, 20}
FIRST_ENGLISH = 11
SENTENCES = 350


class Esd(Corpus):
    """The emotions of a speaker repeat the same 350 sentences in one order, which `script` uses."""

    name = "esd"
    title = "ESD"
    licence = "research only, by agreement"
    link = "https://github.com/HLTSingapore/Emotional-Speech-Data"
    languages = ("zh", "en")
    layout = ("00[012][0-9]/00[012][0-9].txt", "00[012][0-9]/*/**/*.wav")
    stem = re.compile(r"(00[01]\d|0020)_(\d{6})")
    example = "0001_000351.wav"

    def _downloaded(self):
        texts = {}
        for path in self._files("00[012][0-9]/00[012][0-9].txt"):
            encoding = "gb18030" if self._language(path.stem) == "zh" else "latin-1"
            for line in text_of(path, ("utf-8-sig", encoding)).splitlines():
                cells = line.strip().split("\t")
                if len(cells) == 3:
                    texts[cells[0].strip()] = cells[1]
        for path in self._files("00[012][0-9]/*/**/*.wav"):
            speaker, sentence = self._parts(path)
            language = self._language(speaker)
            yield self._utterance(
                path,
                speaker=speaker,
                gender="m" if int(speaker) in MEN else "f",
                language=language,
                text=texts.get(path.stem),
                label=path.relative_to(self.folder).parts[1],
                script=f"esd_{language}_{(int(sentence) - 1) % SENTENCES + 1:03}",
            )

    def _language(self, speaker: str) -> str:
        return self.languages[int(speaker) >= FIRST_ENGLISH]
