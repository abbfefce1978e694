"""Written text -> the words to speak, the marks between them and the sentences they form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from conditioning.errors import InvalidInput

from .characters import clean
from .reader import Reader
from .readings import patterns


@dataclass(frozen=True)
class Word:
    """A written word, or several that are read as one ("$9.99", "3:30 pm", "Dec 25, 2026").

    spoken: how it is read: Latin letters with inner apostrophes, hyphens and dots ("U.S."), in one
        or more words, and inner commas where the reader pauses. Punctuation around the word is not
        part of it: that is a `Mark`.
    start, end: the characters [start, end) of the original text.
    """

    spoken: str
    start: int
    end: int


@dataclass(frozen=True)
class Mark:
    """Punctuation that shapes the reading.

    symbol: one or two of ; : , . ! ? — … “ ” ( )
    start, end: the characters [start, end) of the original text; empty where a paragraph ends
        without punctuation of its own.
    """

    symbol: str
    start: int
    end: int


def pieces(text: str) -> tuple[Word | Mark, ...]:
    """The words and marks of the text, in order; their spans never overlap.

    Raises:
        InvalidInput: the text has control characters, another script than Latin, or no word.
    """
    return _read(text)


def words(text: str) -> tuple[Word, ...]:
    """The words of the text, in order, without the marks between them. Errors as in `pieces`."""
    return tuple(piece for piece in _read(text) if isinstance(piece, Word))


def sentences(text: str) -> tuple[tuple[int, int], ...]:
    """The character spans [start, end) of the sentences, closing quotes included.

    Dots of abbreviations, decimals and initials end no sentence; a blank line always does.
    Errors as in `pieces`.
    """
    return tuple((run[0].start, run[-1].end) for run in sentence_pieces(text))


def sentence_pieces(text: str) -> tuple[tuple[Word | Mark, ...], ...]:
    """The `pieces` of the text, sentence by sentence. Errors as in `pieces`."""
    found = _read(text)
    runs: list[list[Word | Mark]] = [[]]
    for index, piece in enumerate(found):
        runs[-1].append(piece)
        if index + 1 < len(found) and _ends_sentence(text, found, index):
            runs.append([])
    # Marks alone cannot be spoken: they belong to the sentence before them, or to the first one.
    joined: list[list[Word | Mark]] = []
    for run in runs:
        wordless = not any(isinstance(piece, Word) for piece in run)
        if joined and (wordless or not any(isinstance(piece, Word) for piece in joined[-1])):
            joined[-1].extend(run)
        else:
            joined.append(run)
    return tuple(tuple(run) for run in joined)


def _ends_sentence(text: str, found: tuple[Word | Mark, ...], index: int) -> bool:
    following = found[index + 1]
    gap = text[found[index].end : following.start]
    if _blank_line(gap):
        return True
    if isinstance(following, Mark) and following.symbol in ("”", ")") and not gap:
        return False
    last = index
    quoted = False
    while last > 0 and isinstance(found[last], Mark) and found[last].symbol in ("”", ")"):
        quoted = quoted or found[last].symbol == "”"
        last -= 1
    stop = found[last]
    if not isinstance(stop, Mark) or stop.symbol[-1] not in ".!?…":
        return False
    word = next((piece for piece in found[index + 1 :] if isinstance(piece, Word)), None)
    first = next((c for c in text[word.start : word.end] if c.isalnum()), "") if word else ""
    if not gap:
        return stop.symbol[-1] in ".!?" and first.isupper() and not isinstance(following, Mark)
    if stop.symbol == ".":
        return not (quoted and first.islower())
    return not first.islower()


def _blank_line(gap: str) -> bool:
    return len(re.findall(r"\r\n|[\n\r\v\f\x85\u2028\u2029]", gap)) >= 2 or "\u2029" in gap


@lru_cache(maxsize=64)
def _read(text: str) -> tuple[Word | Mark, ...]:
    cleaned = clean(text)
    items = Reader(cleaned.text, cleaned.emoji, patterns()).read()
    found: list[Word | Mark] = []
    for item in items:
        kind = Word if item.word else Mark
        start, end = cleaned.starts[item.start], cleaned.ends[item.end - 1]
        piece = kind(item.spoken, start, end)
        if found and start < found[-1].end:
            # Both come from one character that reads as several ("⑴", "¦"): one word.
            found[-1] = _joined(found[-1], piece)
        else:
            found.append(piece)
    if not any(isinstance(piece, Word) for piece in found):
        shown = text if len(text) <= 40 else text[:40] + "…"
        raise InvalidInput(
            f"The text has no word to speak: got {shown!r}; it needs at least one word or number: "
            "write some."
        )
    return tuple(_with_paragraph_stops(text, found))


def _joined(first: Word | Mark, second: Word | Mark) -> Word | Mark:
    spoken = " ".join(piece.spoken for piece in (first, second) if isinstance(piece, Word))
    if spoken:
        return Word(spoken, first.start, max(first.end, second.end))
    return first


def _with_paragraph_stops(text: str, found: list[Word | Mark]) -> Iterator[Word | Mark]:
    """A heading without a stop would run into the paragraph after its blank line."""
    for index, piece in enumerate(found):
        yield piece
        if (
            isinstance(piece, Word)
            and index + 1 < len(found)
            and _blank_line(text[piece.end : found[index + 1].start])
        ):
            yield Mark(".", piece.end, piece.end)
