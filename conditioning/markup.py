"""In-line directions in brackets: the text to speak, and which direction holds where."""

from __future__ import annotations

import re
from dataclasses import dataclass

from conditioning.errors import InvalidInput

_ARROW = re.compile(r"->|→")
_HOW = (
    "write [fear] or [fear 0.2 -> 0.9] before the words, [/] to end it, \\[ for a literal bracket"
)


@dataclass(frozen=True)
class Span:
    """A stretch of the clean text under one bracket.

    Attributes:
        start, end: character offsets in the clean text; end is exclusive.
        directions: what the bracket says, as written: one direction that holds all along, or the
            two or more stations of a ramp, evenly spaced from start to end.
        position: offset of the bracket in the text as it came, for error messages.
    """

    start: int
    end: int
    directions: tuple[str, ...]
    position: int

    @property
    def at_start(self) -> str:
        return self.directions[0]

    @property
    def at_end(self) -> str:
        return self.directions[-1]


@dataclass(frozen=True)
class Markup:
    """A line without its brackets.

    Attributes:
        text: the clean text.
        spans: in order, not overlapping; the line's own direction holds outside of them.
    """

    text: str
    spans: tuple[Span, ...]


@dataclass(frozen=True)
class _Bracket:
    content: str
    position: int
    stands_at: int  # offset in the clean text


def parse_markup(text: str) -> Markup:
    """Takes the brackets out of a line.

    A bracket holds from where it stands to the next bracket or the end of the line; `[/]` returns
    to the line's own direction; "->" ramps between directions; `\\[` and `\\]` are literal
    brackets. White space around a bracket is joined to what it would be without one.

    >>> markup = parse_markup("[fear 0.2 -> 0.9] It's coming. [relief] Oh. It's only you.")
    >>> markup.text
    "It's coming. Oh. It's only you."
    >>> [(markup.text[span.start:span.end], span.directions) for span in markup.spans]
    [("It's coming. ", ('fear 0.2', '0.9')), ("Oh. It's only you.", ('relief',))]

    Raises:
        InvalidInput: for an unclosed, unopened, nested or empty bracket, an empty side of a ramp,
            or a bracket with nothing to speak after it; the message says at which character.
    """
    if not isinstance(text, str):
        raise InvalidInput(f"The line came as {type(text).__name__}; allowed: text.")
    clean, brackets = _without_brackets(text)
    spans = []
    ends = [*(bracket.stands_at for bracket in brackets[1:]), len(clean)]
    for bracket, end in zip(brackets, ends, strict=False):
        if bracket.content == "/":
            continue
        start = bracket.stands_at
        if not any(character.isalnum() for character in clean[start:end]):
            raise InvalidInput(
                f"The bracket {_shown(f'[{bracket.content}]')} at character "
                f"{bracket.position + 1} has nothing to speak after it; allowed: before the words "
                "it directs; move or remove it."
            )
        try:
            directions = stations(bracket.content)
        except InvalidInput as error:
            raise InvalidInput(f"Bracket at character {bracket.position + 1}: {error}") from None
        spans.append(Span(start, end, directions, bracket.position))
    return Markup(clean, tuple(spans))


def _without_brackets(text: str) -> tuple[str, list[_Bracket]]:
    clean: list[str] = []
    brackets: list[_Bracket] = []
    index = 0
    while index < len(text):
        character = text[index]
        if character == "\\" and text[index + 1 : index + 2] in ("[", "]"):
            clean.append(text[index + 1])
            index += 2
        elif character == "]":
            raise InvalidInput(
                f"The ']' at character {index + 1} closes no bracket; allowed: [direction]; {_HOW}."
            )
        elif character == "[":
            end = _closing(text, index)
            rest = end + 1
            # One gap is enough: keep the white space before the bracket, drop that after it, and
            # before a full stop or comma keep neither.
            if not clean or clean[-1].isspace():
                while rest < len(text) and text[rest].isspace():
                    rest += 1
                if rest == len(text) or text[rest] in ",.;:!?…":
                    while clean and clean[-1].isspace():
                        clean.pop()
            brackets.append(_Bracket(text[index + 1 : end].strip(), index, len(clean)))
            index = rest
        else:
            clean.append(character)
            index += 1
    return "".join(clean), [
        _Bracket(bracket.content, bracket.position, min(bracket.stands_at, len(clean)))
        for bracket in brackets
    ]


def _closing(text: str, start: int) -> int:
    """Offset of the ']' that closes the bracket at `start`, checked."""
    end = text.find("]", start)
    inner = text.find("[", start + 1)
    if inner != -1 and (end == -1 or inner < end):
        raise InvalidInput(
            f"The '[' at character {inner + 1} stands inside the bracket at character {start + 1}; "
            "allowed: one bracket after the other; close the first before it, or write \\[."
        )
    if end == -1:
        raise InvalidInput(
            f"The '[' at character {start + 1} is never closed; allowed: [direction]; {_HOW}."
        )
    if not text[start + 1 : end].strip():
        raise InvalidInput(
            f"The bracket at character {start + 1} is empty; allowed: [direction]; {_HOW}."
        )
    return end


def stations(direction: str) -> tuple[str, ...]:
    """The sides of a ramp "a -> b -> c"; a direction without an arrow is a single station.

    Raises:
        InvalidInput: for an empty side.
    """
    parts = tuple(part.strip() for part in _ARROW.split(direction))
    if len(parts) > 1 and not all(parts):
        raise InvalidInput(
            f"The ramp {_shown(direction)} has an empty side; allowed: a direction on either side "
            "of '->'; write for example 'fear 0.2 -> 0.9'."
        )
    return parts


def _shown(direction: str) -> str:
    return repr(direction if len(direction) <= 40 else direction[:39] + "…")
