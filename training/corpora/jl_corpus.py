"""JL-Corpus: four New Zealand actors, five primary and five secondary emotions.

Layout: `male1_angry_1a_1.wav` (speaker, emotion, sentence, take) with `male1_angry_1a_1.txt`
beside it, in the folder itself or in `JL(wav+txt)` anywhere below it, as in the Kaggle data set
tli725/jl-corpus; from github.com/tli725/JL-Corpus and public programs that read it.
What a .txt holds we have not seen; we take it for the sentence. Licence: CC0, as the Kaggle page
and the paper say; the repository has no licence file.
"""

from __future__ import annotations

import re

from .base import Corpus, text_of


class JLCorpus(Corpus):
    """Secondary emotions map to the category whose word comes nearest, some at half its strength.

    The raw corpus was not checked by listeners.
    """

    name = "jl_corpus"
    title = "JL-Corpus"
    licence = "CC0-1.0"
    commercial = True
    link = "https://www.kaggle.com/datasets/tli725/jl-corpus"
    languages = ("en",)
    layout = ("**/*male[12]_*.wav",)
    stem = re.compile(r"((fe)?male[12])_([a-z]+)_\d+[ab]_\d+")
    example = "male1_angry_1a_1.wav"

    def _downloaded(self):
        # The Kaggle archive holds other material and, in lower case, part of this folder again.
        for path in self._files("**/JL(wav+txt)/*.wav") or self._files("*.wav"):
            speaker, female, emotion = self._parts(path)
            yield self._utterance(
                path,
                speaker=speaker,
                gender="f" if female else "m",
                text=text_of(path.with_suffix(".txt"), ("utf-8-sig", "latin-1")),
                label=emotion,
            )
