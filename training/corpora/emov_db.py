"""EmoV-DB: four English speakers read sentences of CMU Arctic in five styles.

Layout: the tars of openslr.org/115, each unpacked into a folder of its name, such as
`bea_Amused/amused_1-15_0001.wav` (style, range, sentence), or the sorted copy, `bea/Amused/...`;
`cmuarctic.data` from festvox.org/cmu_arctic beside them. Names, speakers and the sentence numbers
(those of Arctic's set a) are as the repository numediart/EmoV-DB gives them; the folders of the
sorted copy we have not seen. Licence: the authors' own, for non-commercial purposes.
"""

from __future__ import annotations

import re

from conditioning.errors import InvalidInput
from conditioning.files import shown

from .base import Corpus, text_of

GENDERS = {"bea": "f", "jenie": "f", "josh": "m", "sam": "m"}


class EmoVDB(Corpus):
    name = "emov_db"
    title = "EmoV-DB"
    licence = "EmoV-DB licence, non-commercial"
    link = "https://www.openslr.org/115/ and http://www.festvox.org/cmu_arctic/cmuarctic.data"
    languages = ("en",)
    layout = ("cmuarctic.data", "**/*.wav")
    stem = re.compile(r"([a-zA-Z]+)_\d+-\d+_(\d{4})")
    example = "amused_1-15_0001.wav"

    def _downloaded(self):
        arctic = text_of(self.folder / "cmuarctic.data", ("utf-8", "latin-1"))
        sentences = dict(re.findall(r'arctic_a(\d{4})\s+"(.*)"', arctic))
        for path in self._files("**/*.wav"):
            style, sentence = self._parts(path)
            folders = "/".join(path.relative_to(self.folder).parts[:-1]).lower()
            speaker = re.search(rf"(?:^|/)({'|'.join(GENDERS)})(?:_|/|$)", folders)
            if speaker is None:
                raise InvalidInput(
                    f"{shown(path)}: no folder above it names a speaker "
                    f"({', '.join(GENDERS)}); unpack each archive into a folder of its name."
                )
            yield self._utterance(
                path,
                speaker=speaker[1],
                gender=GENDERS[speaker[1]],
                text=sentences.get(sentence),
                label=style,
            )
