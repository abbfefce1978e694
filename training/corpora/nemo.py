"""nEMO: nine Polish actors, ninety sentences, six emotions.

Layout: `data.tsv` and `samples/`, as in github.com/amu-cai/nEMO, where we read the table; the copy
on Hugging Face holds the same in Parquet files, which are not read. Licence: CC BY-NC-SA 4.0.
"""

from __future__ import annotations

from .base import Corpus, table


class Nemo(Corpus):
    name = "nemo"
    title = "nEMO"
    licence = "CC-BY-NC-SA-4.0"
    link = "https://github.com/amu-cai/nEMO"
    languages = ("pl",)
    layout = ("data.tsv", "samples/*.wav")
    prepared = True

    def _downloaded(self):
        columns = "file_id emotion raw_text speaker_id gender".split()
        for where, row in table(self.folder / "data.tsv", columns, "\t"):
            yield self._utterance(
                self.folder / "samples" / row["file_id"],
                where,
                speaker=row["speaker_id"],
                gender=row["gender"],
                text=row["raw_text"],
                label=row["emotion"],
            )
