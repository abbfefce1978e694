"""Text with tags in angle brackets, such as "<b>word</b>" -> pieces of a line."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .spoken import Piece, Tag

# A tag begins with a letter, so that "<3" and "a < b" stay what they are.
_TAG = re.compile(r"<(?P<closes>/?)(?P<name>[A-Za-z][\w.-]*)?(?P<rest>[^<>\n]*?)(?P<alone>/?)>")


def tagged(text: str) -> Iterator[Piece]:
    """The text between tags, and the tags; "</>" closes all, and "<img/>" is left out."""
    end = 0
    for found in _TAG.finditer(text):
        named, closes = found["name"], bool(found["closes"])
        if not (named or closes and not found["rest"]):
            continue
        if end < found.start():
            yield text[end : found.start()]
        if not found["alone"]:
            yield Tag((named or "").casefold(), closes)
        end = found.end()
    if end < len(text):
        yield text[end:]
