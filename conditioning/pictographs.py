"""Emoji in words, for readers that know none of them."""

from __future__ import annotations

import re
from dataclasses import dataclass

_RARE = re.compile(r"[^\x00-\u024f]")  # emoji lie beyond Latin letters


@dataclass(frozen=True)
class Named:
    """A text with its emoji in words.

    Attributes:
        text: with the names in place of the emoji.
        swaps: of each emoji, start and end of its name here and of itself in the text that came.
    """

    text: str
    swaps: tuple[tuple[int, int, int, int], ...] = ()

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """Where in the text that came a stretch of this one stood."""
        shift = 0
        for first, last, began, ended in self.swaps:
            if start < first:
                break
            if start < last:
                return began, ended
            shift = ended - last - 1  # a space was put after the name
        return start + shift, end + shift


def named(text: str) -> Named:
    """The text with emoji in words: the encoder knows none of them."""
    if not _RARE.search(text):
        return Named(text)
    import emoji

    parts, swaps, length, done = [], [], 0, 0
    for found in emoji.emoji_list(text):
        name = emoji.demojize(found["emoji"], delimiters=("", "")).replace("_", " ")
        before = text[done : found["match_start"]] + " "
        parts += [before, name, " "]
        start = length + len(before)
        swaps.append((start, start + len(name), found["match_start"], found["match_end"]))
        length, done = start + len(name) + 1, found["match_end"]
    return Named("".join([*parts, text[done:]]), tuple(swaps))
