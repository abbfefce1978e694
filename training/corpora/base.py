"""What every corpus of acted speech has in common: `Utterance`, `Corpus`, reading its tables."""

from __future__ import annotations

import csv
import io
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from conditioning.errors import InvalidInput, UserError
from conditioning.files import shown
from conditioning.taxonomy import CORPUS_LABELS, NAMES, corpus_label

MANIFEST = "manifest.csv"


@dataclass(frozen=True)
class Utterance:
    """One recording and what its corpus says of it.

    Attributes:
        corpus: name of the corpus, such as "emodb".
        path: of the audio file.
        speaker: unique over all corpora, such as "emodb_03".
        gender: "F", "M" or None.
        language: ISO 639-1 code; "und" where the corpus does not say.
        text: what is said.
        label: the corpus's own label, in lower case.
        emotions: canonical category -> share or intensity in [0, 1]; {} is neutral.
        level: how strongly acted, where the corpus says: "normal", "strong"; "low", "medium",
            "high"; "moderate", "intense".
        licence: of the recording.
        script: shared by the utterances with the same words, so that a split can hold it out.
        whole: False where the clip is known to be cut off or damaged.
        crowd: listeners' ratings in [0, 1], where published; the corpus's class names the keys.
    """

    corpus: str
    path: Path
    speaker: str
    gender: str | None
    language: str
    text: str | None
    label: str
    emotions: Mapping[str, float]
    level: str | None
    licence: str
    script: str | None
    whole: bool = True
    crowd: Mapping[str, float] | None = None


class Corpus(ABC):
    """The utterances of one corpus in a folder, sorted by path; a subclass for each corpus.

    A folder may be laid out as the corpus is downloaded or, where `prepared` is True, hold a
    `manifest.csv` with the columns path, speaker, gender, language, emotion, intensity and text.

    Attributes:
        name: as in `Utterance.corpus` and `taxonomy.CORPUS_LABELS`.
        title, licence, link: for people; the link leads to the download.
        commercial: whether the licence surely allows commercial use of what is learnt from it.
        languages: of its utterances.
        skipped: labels that name neither an emotion of the 40 nor a neutral voice; their
            utterances are left out.
        dimensions: which of valence, arousal and dominance its listeners rated.
        exclusive: True where an utterance's label says that the corpus's other categories are
            absent; False where it speaks of the categories in `emotions` alone.
        synthetic: True where machines speak.
        layout: patterns of which a folder must hold at least one file each.
        stem, example: how files are named, where the name says what they hold.
        prepared: whether the manifest is read as well.
        columns: of the manifest, beyond the common ones.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    licence: ClassVar[str]
    link: ClassVar[str]
    commercial: ClassVar[bool] = False
    languages: ClassVar[tuple[str, ...]]
    categories: ClassVar[tuple[str, ...]]
    skipped: ClassVar[frozenset[str]] = frozenset()
    dimensions: ClassVar[tuple[str, ...]] = ()
    exclusive: ClassVar[bool] = True
    synthetic: ClassVar[bool] = False
    layout: ClassVar[tuple[str, ...]]
    stem: ClassVar[re.Pattern[str]]
    example: ClassVar[str]
    prepared: ClassVar[bool] = False
    columns: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls):
        """`categories`: what its labels can tell apart; any other is unknown, not absent."""
        named = {category for shares in CORPUS_LABELS[cls.name].values() for category in shares}
        cls.categories = tuple(category for category in NAMES if category in named)

    def __init__(self, folder: str | Path):
        """
        Raises:
            InvalidInput: the folder does not look like this corpus; says what was looked for and
                where to download it.
        """
        self.folder = Path(folder)
        self._from_manifest = self.prepared and (self.folder / MANIFEST).is_file()
        for pattern in () if self._from_manifest else self.layout:
            if next(self.folder.glob(pattern), None) is None:
                raise InvalidInput(
                    f"{shown(self.folder)} does not look like {self.title}: it holds no {pattern}"
                    f"{f' and no {MANIFEST}' if self.prepared else ''}; name the folder that does, "
                    f"or download it from {self.link}."
                )

    def __iter__(self) -> Iterator[Utterance]:
        """
        Raises:
            InvalidInput: a row or a file that cannot be understood, or a file that is missing;
                names both.
            UnknownName: a label the corpus does not have; names the file and the row.
        """
        found = list(self._prepared() if self._from_manifest else self._downloaded())
        if not found:
            raise InvalidInput(
                f"{shown(self.folder)} holds no utterance of {self.title}; download it again from "
                f"{self.link}."
            )
        return iter(sorted(found, key=lambda utterance: utterance.path.as_posix()))

    def known(self, utterance: Utterance) -> tuple[str, ...]:
        """The categories of which this utterance says whether they are heard; mask the others."""
        return self.categories if self.exclusive else tuple(utterance.emotions)

    @abstractmethod
    def _downloaded(self) -> Iterator[Utterance]:
        """The utterances of the corpus as it is downloaded, in any order."""

    def _prepared(self) -> Iterator[Utterance]:
        common = "path speaker gender language emotion intensity text".split()
        for where, row in table(self.folder / MANIFEST, [*common, *self.columns]):
            yield self._utterance(
                self.folder / row["path"],
                where,
                speaker=row["speaker"],
                gender=row["gender"],
                language=row["language"],
                label=row["emotion"],
                text=row["text"],
                **self._details(where, row),
            )

    def _details(self, where: str, row: Mapping[str, str]) -> dict:
        """What else a row of the manifest says of its utterance."""
        return {"level": row["intensity"] or None}

    def _utterance(
        self,
        path: Path,
        where: str | None = None,
        *,
        speaker: str,
        label: str,
        gender: str | None = None,
        language: str | None = None,
        text: str | None = None,
        level: str | None = None,
        script: str | None = None,
        **further,
    ) -> Utterance:
        """An utterance, its label looked up and its file seen to be there.

        Args:
            where: the file and row that name it, for errors; without it, the file itself.
            speaker: within the corpus; a manifest's are unique over all corpora already.
            gender: anything that starts with f or m.
        """
        where = where or shown(path)
        if not path.is_file():
            raise InvalidInput(
                f"{where}: the file {shown(path)} is missing; download {self.title} again from "
                f"{self.link}."
            )
        label = label.strip().lower()
        if "emotions" not in further:
            with at(where):
                further["emotions"] = corpus_label(self.name, label)
        speaker, text = speaker.strip(), (text or "").strip() or None
        if not speaker:
            raise InvalidInput(f"{where}: no speaker is named; every row needs one.")
        return Utterance(
            corpus=self.name,
            path=path,
            speaker=speaker if self._from_manifest else f"{self.name}_{speaker}",
            gender={"f": "F", "m": "M"}.get((gender or "").strip().lower()[:1]),
            language=language or self.languages[0],
            text=text,
            label=label,
            level=level,
            licence=self.licence,
            script=script or text,
            **further,
        )

    def _files(self, pattern: str) -> list[Path]:
        """The files of a pattern, sorted, without hidden ones."""
        # macOS leaves a "._name.wav" beside each file of an archive that it packed.
        return sorted(path for path in self.folder.glob(pattern) if path.name[0] != ".")

    def _parts(self, path: Path) -> tuple[str, ...]:
        """What a file's name says, by `stem`.

        Raises:
            InvalidInput: another name.
        """
        match = self.stem.fullmatch(path.stem)
        if match is None:
            raise InvalidInput(
                f"{shown(path)} is not named as {self.title} names its files, such as "
                f"{self.example}; restore its name, or move it elsewhere."
            )
        return match.groups()


@contextmanager
def at(where: str) -> Iterator[None]:
    """Within it, an error of the caller's names the file and row it came from."""
    try:
        yield
    except UserError as error:
        raise type(error)(f"{where}: {error}") from None


def number(where: str, row: Mapping[str, str], column: str, highest: float = math.inf) -> float:
    """The number in a cell.

    Raises:
        InvalidInput: not a number from 0 to `highest`.
    """
    try:
        value = float(row[column])
    except ValueError:
        value = math.nan
    if not 0 <= value <= highest:
        raise InvalidInput(
            f"{where}: {column} is {row[column]!r}; it must be a number from 0 to {highest:g}."
        )
    return value


def table(path: Path, columns: list[str], delimiter: str = ",") -> Iterator[tuple[str, dict]]:
    """The rows of a table in UTF-8, each with the file and row number for errors.

    Args:
        columns: that must be there; others may be.
        delimiter: between cells; in a table with tabs, quotes are part of the text.

    Raises:
        InvalidInput: a column that is missing, or a row that is too short or too long.
    """
    quoting = csv.QUOTE_NONE if delimiter == "\t" else csv.QUOTE_MINIMAL
    lines = io.StringIO(text_of(path), newline="")
    reader = csv.DictReader(lines, delimiter=delimiter, quoting=quoting)
    missing = [column for column in columns if column not in (reader.fieldnames or ())]
    if missing:
        raise InvalidInput(
            f"{shown(path)} has no column {', '.join(missing)}; download it again, unchanged."
        )
    try:
        rows = list(reader)
    except csv.Error as error:
        raise InvalidInput(
            f"{shown(path)} is not a table ({error}); download it again, unchanged."
        ) from None
    for count, row in enumerate(rows, start=2):
        where = f"{shown(path)} row {count}"
        if None in row or None in row.values():
            raise InvalidInput(
                f"{where} does not have {len(reader.fieldnames)} cells as its first row has; "
                "download it again, unchanged."
            )
        yield where, row


def text_of(path: Path, encodings: tuple[str, ...] = ("utf-8-sig",)) -> str:
    """A text file, in the first of the encodings that it is in; a byte-order mark decides.

    Raises:
        InvalidInput: no such file, or none of the encodings.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InvalidInput(
            f"Cannot read {shown(path)} ({error.strerror}); download it again, unchanged."
        ) from None
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ("utf-16",)
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InvalidInput(
        f"{shown(path)} is not text in {' or '.join(encodings)}; download it again, unchanged."
    )
