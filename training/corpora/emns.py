"""EMNS: one British woman reads stories in eight emotions at ten levels of expressiveness.

Layout: `metadata.csv` with bars between its cells (id, utterance, description, emotion, status,
gender, level, audio_recording, user_id ...) and the recordings it names, from openslr.org/136; the
columns, labels and levels we read in a public table made from it. The recordings are published as
WebM, which must be converted first; they are found by their name in any folder. Rows whose status
is not "Complete" have no recording and are left out. Licence: Apache-2.0.
"""

from __future__ import annotations

from pathlib import Path

from conditioning.errors import InvalidInput
from conditioning.files import shown

from .base import Corpus, number, table

READABLE = (".wav", ".flac", ".opus", ".ogg", ".mp3")
LOW, MEDIUM = 3, 6  # of 10; where we cut its levels


class Emns(Corpus):
    """`level`: 1-3 low, 4-6 medium, above that high; 0 stands for no level, in emotions too."""

    name = "emns"
    title = "EMNS"
    licence = "Apache-2.0"
    commercial = True
    link = "https://www.openslr.org/136/"
    languages = ("en",)
    layout = ("metadata.csv",)

    def _downloaded(self):
        columns = "utterance emotion status gender level audio_recording user_id".split()
        recordings = {path.stem: path for path in self._files("**/*.webm")}
        for suffix in reversed(READABLE):
            recordings |= {path.stem: path for path in self._files(f"**/*{suffix}")}
        for where, row in table(self.folder / "metadata.csv", columns, "|"):
            if row["status"].strip() != "Complete":
                continue
            named = self.folder / row["audio_recording"]
            path = recordings.get(Path(named).stem, named)
            if path.suffix == ".webm" and path.is_file():
                raise InvalidInput(
                    f"{where}: {shown(path)} is WebM, which cannot be read; convert all, "
                    f"such as by ffmpeg -i {path.name} {path.stem}.wav."
                )
            yield self._utterance(
                path,
                where,
                speaker=row["user_id"],
                gender=row["gender"],
                text=row["utterance"],
                label=row["emotion"],
                level=_level(number(where, row, "level", 10)),
            )


def _level(expressiveness: float) -> str | None:
    if not expressiveness:
        return None
    return "low" if expressiveness <= LOW else "medium" if expressiveness <= MEDIUM else "high"
