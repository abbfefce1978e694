"""LAION's voice-acting samples: four synthetic voices, all 40 categories, four conditions.

Layout: our `manifest.csv` over the clips of github.com/LAION-AI/emotion-voice-conditions. Licence:
none is stated for the clips (LAION's models are Apache-2.0), so that commercial use is not sure.
"""

from __future__ import annotations

from .base import MANIFEST, Corpus


class LaionVoiceActing(Corpus):
    """The voices of one category and condition speak one script; conditions have different ones.

    `level` is "intense" or "moderate", by what was asked of the voice; it says nothing of loudness.
    """

    name = "laion_voice_acting"
    title = "LAION's voice-acting samples"
    synthetic = True
    licence = "none stated"
    link = "https://github.com/LAION-AI/emotion-voice-conditions"
    languages = ("en",)
    layout = (MANIFEST,)
    prepared = True
    columns = ("defect",)

    def _downloaded(self):
        raise AssertionError("a folder without a manifest is refused")

    def _details(self, where, row):
        return {
            "level": row["intensity"].partition(",")[0],
            "script": f"{row['emotion']}|{row['intensity']}",
            "whole": not row["defect"],
        }
