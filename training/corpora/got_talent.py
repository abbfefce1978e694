"""LAION's Got Talent: eleven synthetic voices act all 40 categories in several languages.

Layout: the tars of huggingface.co/datasets/laion/laions_got_talent unpacked, each into a folder of
its name: language, voice, "intense" and the category's words, such as
`english_alloy_intense_anger_rage_fury_hatred_and_annoyance/`; or those of
laions_got_talent_enhanced_flash_annotations_and_long_captions, such as
`de_alloy_intense_awe_wonder_and_an_awestruck_feeling_vocalbursts_fixed/`. Each holds recordings
(WAV or MP3) with a JSON file of the same name. We know the names of folders from the lists of both
data sets and from programs that read them, but have not seen the words of all 40, nor a JSON file
as a whole; of it we read only the transcript, under the keys that those programs use. Tars without
"intense" in their name (dialogues, acting challenges) have no single category and are left out.
The intensities in the JSON files come from a language model and are not used. Licence: an
Apache-2.0 file lies in the repository, but the voices are OpenAI's, whose terms may forbid what one
wants.
"""

from __future__ import annotations

import functools
import json
import re

from conditioning.errors import InvalidInput
from conditioning.files import shown
from conditioning.taxonomy import ALIASES, Category, find

from .base import Corpus, text_of

# Of the voices, as a program that trained on them lists them.
GENDERS = {
    "alloy": "f",
    "ash": "m",
    "ballad": "f",
    "coral": "f",
    "echo": "m",
    "fable": "m",
    "nova": "f",
    "onyx": "m",
    "sage": "f",
    "shimmer": "f",
    "verse": "m",
}
LANGUAGES = {"english": "en", "german": "de", "french": "fr", "spanish": "es"}
TRANSCRIPTS = ("text", "flash_transcription", "whisper_transcription")


class GotTalent(Corpus):
    """The label is the category that was asked of the voice; nobody checked what it gave."""

    name = "got_talent"
    title = "LAION's Got Talent"
    synthetic = True
    licence = "Apache-2.0 by LAION; OpenAI's terms for the voices"
    link = "https://huggingface.co/datasets/laion/laions_got_talent"
    languages = ("en", "de", "fr", "es")
    layout = ("*_*_intense_*/*.json",)

    def _downloaded(self):
        for path in self._files("*_*_intense_*/**/*"):
            if path.suffix.lower() not in (".wav", ".mp3"):
                continue
            folder = self.folder / path.relative_to(self.folder).parts[0]
            says = folder_says(folder.name)
            if says is None:
                raise InvalidInput(
                    f"{shown(folder)} is not named as {self.title} names its folders, such as "
                    "english_alloy_intense_anger_rage_fury_hatred_and_annoyance; move it elsewhere."
                )
            language, voice, category = says
            notes = path.with_suffix(".json")
            content = text_of(notes)
            try:
                said = json.loads(content)
                text = next((str(said[key]) for key in TRANSCRIPTS if said.get(key)), None)
            except (ValueError, AttributeError):
                raise InvalidInput(
                    f"{shown(notes)} is not a JSON object; unpack its archive again."
                ) from None
            yield self._utterance(
                path,
                speaker=voice,
                gender=GENDERS[voice],
                language=language,
                text=text,
                label=category.slug,
                level="intense",
            )


@functools.cache
def folder_says(name: str) -> tuple[str, str, Category] | None:
    """The language, the voice and the category in a folder's name; None for any other name."""
    languages = "|".join((*LANGUAGES, *LANGUAGES.values()))
    shape = rf"({languages})_({'|'.join(GENDERS)})_intense_(.+)"
    match = re.fullmatch(shape, name.lower())
    words = match[3].split("_") if match else []
    # A category's words begin with its name or one of its nouns, perhaps after "feeling".
    for start in range(len(words)):
        for end in range(start + 1, len(words) + 1):
            if (alias := " ".join(words[start:end])) in ALIASES:
                return LANGUAGES.get(match[1], match[1]), match[2], find(alias)
    return None
