"""EmoNet-Voice Bench: 12 600 synthetic clips, each rated by experts for one of 40 categories.

Layout: the Parquet files of huggingface.co/datasets/laion/emonet-voice-bench, with the columns
`audioId` (bytes of an MP3 and their path) and `label`, the text of a Python list with one
dictionary an expert, such as [{'human-1': {'Shame': 1}}, {'human-4': {'Shame': 2}}], the category
URL-encoded and the score 0 (absent), 1 (mild) or 2 (intense); from public programs that read it,
since we have not seen a file. They also tell that neither voice nor language is named, that the
first part of the path is shared by the pieces of one generation, that paths repeat with other
sound, and that "Authenticity" and "Arousal" are rated beside the 40. Licence: CC BY 4.0 by the same
programs' word, not seen by us.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from conditioning.errors import InvalidInput
from conditioning.files import shown, write_whole
from conditioning.taxonomy import find

from .base import Corpus, at

HIGHEST = 2
SCALE = 10.0  # of the intensities that are reported of it
COLUMNS = ("audioId", "label")


class EmoNetVoice(Corpus):
    """An utterance speaks of one category alone: the mean of its experts' scores, halved.

    The clips are written once to the folder `clips` beside the Parquet files, as MP3. Which of the
    eleven voices speaks is not told, so that all count as one speaker and no split parts them.
    `crowd`: the same mean under the category, "raters", the share of them that heard it at all, and
    what each said, halved, under their name.
    """

    name = "emonet_voice"
    title = "EmoNet-Voice Bench"
    synthetic = True
    licence = "CC-BY-4.0"
    link = "https://huggingface.co/datasets/laion/emonet-voice-bench"
    languages = ("und",)
    skipped = frozenset({"authenticity", "arousal"})
    exclusive = False
    layout = ("**/*.parquet",)

    def _downloaded(self):
        clips = self.folder / "clips"
        clips.mkdir(exist_ok=True)
        for where, row in self._rows():
            label, rated = _ratings(where, row["label"])
            if label.lower() in self.skipped:
                continue
            with at(where):
                category = find(label)
            sound = (row["audioId"] or {}).get("bytes")
            if not sound:
                raise InvalidInput(f"{where}: it holds no sound; download it from {self.link}.")
            stem = Path(row["audioId"]["path"] or "clip").stem
            path = clips / f"{stem}-{hashlib.sha256(sound).hexdigest()[:8]}.mp3"
            if not path.is_file():
                write_whole(path, sound)
            scores = [score for _, score in rated]
            mean = sum(scores) / len(scores) / HIGHEST
            heard = sum(score > 0 for score in scores) / len(scores)
            yield self._utterance(
                path,
                where,
                speaker="unknown",
                label=category.slug,
                emotions={category.name: mean},
                script=f"{self.name}_{stem.partition('_')[0]}",
                crowd={category.name: mean, "raters": heard}
                | {expert: score / HIGHEST for expert, score in rated},
            )

    def _rows(self) -> Iterator[tuple[str, dict]]:
        try:
            import pyarrow.parquet
        except ImportError:
            raise InvalidInput(
                f"{self.title} comes in Parquet files, which need a package: pip install pyarrow."
            ) from None
        for shard in self._files("**/*.parquet"):
            try:
                file = pyarrow.parquet.ParquetFile(shard)
                if not set(COLUMNS) <= set(file.schema_arrow.names):
                    raise pyarrow.ArrowInvalid(f"no columns {' and '.join(COLUMNS)}")
            except (pyarrow.ArrowInvalid, OSError) as error:
                raise InvalidInput(
                    f"{shown(shard)} is not a file of {self.title} ({str(error).splitlines()[0]}); "
                    f"download it again from {self.link}."
                ) from None
            # A few rows at a time: a whole file holds hundreds of megabytes of sound.
            batches = file.iter_batches(batch_size=64, columns=list(COLUMNS))
            rows = (row for batch in batches for row in batch.to_pylist())
            for count, row in enumerate(rows, start=1):
                yield f"{shown(shard)} row {count}", row


def _ratings(where: str, cell: str) -> tuple[str, list[tuple[str, int]]]:
    """The category that a label's experts rated, and each one's name and score."""
    try:
        rated = [
            (name, unquote(category), score)
            for expert in ast.literal_eval(cell)
            for name, ratings in expert.items()
            for category, score in ratings.items()
        ]
        (label,) = {label for _, label, _ in rated}
        if not {score for _, _, score in rated} <= set(range(HIGHEST + 1)):
            raise ValueError
    except (ValueError, SyntaxError, TypeError, AttributeError):
        raise InvalidInput(
            f"{where}: the label {str(cell)[:80]!r} is not a list of experts' scores 0, 1 or 2 for "
            "one category; download it again."
        ) from None
    return label, [(name, score) for name, _, score in rated]
