"""What a line of a game's script says once its variables, markup and directions are taken out."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from conditioning.emotion import quoted
from conditioning.errors import UserError
from voice_actor.scripts import SYNONYMS, Problem, Row

NARRATOR = "Narrator"  # who says a line that names nobody
MOST_WAYS = 16  # in which one line may come out; each is a recording of its own


@dataclass(frozen=True)
class Rules:
    """What is said where a script has variables and markup.

    Attributes:
        variables: name of a variable, as the script writes it -> what is said in its place.
        tags: name of a markup tag -> the direction of its words, such as "emphasis"; "" and a tag
            that is not here leave the words as they are.
        characters: what a script calls a character -> their name; for those of other files.
    """

    variables: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    characters: Mapping[str, str] = field(default_factory=dict)


class Variable(NamedTuple):
    """What a game puts in; `name` is as the script writes it, an expression included."""

    name: str


class Tag(NamedTuple):
    """A tag of markup; one that `closes` and has no name closes all."""

    name: str
    closes: bool = False


class Either(NamedTuple):
    """Of several ways to go on, the game chooses one."""

    ways: tuple[tuple[Piece, ...], ...]


Piece = str | Variable | Tag | Either
"""Of a line. Text may hold our own brackets, such as "[sad]"; see `literal`."""


def said(
    place: int,
    who: str | Sequence[Piece],
    pieces: Iterable[Piece],
    rules: Rules,
    hints: Iterable[str] = (),
    id: str = "",
) -> Iterator[Row | Problem]:
    """The row of a line, and every problem with it.

    - A variable without a value is a problem. Tags are left out around their words, or become the
      bracket that the rules name.
    - A parenthesis at the beginning is the direction, and so is what `hints` say of a feeling. One
      that is all there is, or that holds a whole sentence, is said.
    - Each way in which the game may put a line together is a row; the first has the line's id, the
      others the id with "-2", "-3" and so on.
    - White space is joined. Where nothing is left to say, as in a line of markup alone, there is
      no row.

    Args:
        place: number of the line in the file.
        who: the character; "" for the narrator.
        pieces: the line.
        hints: tags and attributes of the line, such as "sad" or "emotion:sad".
        id: the line's own.
    """
    pieces = tuple(pieces)
    chosen = any(isinstance(piece, Either) for piece in pieces)
    ways = list(itertools.islice(_ways(pieces), MOST_WAYS + 1)) if chosen else [pieces]
    if len(ways) > MOST_WAYS:
        what = f"it can come out in more than {MOST_WAYS} ways; write them as lines of their own"
        yield Problem(place, what)
        return
    missing: dict[str, None] = {}
    named = (
        [who] if isinstance(who, str) else [each for each in who if not isinstance(each, Either)]
    )
    if len(named) < len(who) and not isinstance(who, str):
        yield Problem(place, "who says it is left to chance; write a line for each")
    character = _filled(named, rules, missing) or NARRATOR
    felt = [feeling for feeling in map(feeling_of, hints) if feeling]
    count = 0
    for way in ways:
        text = _filled(way, rules, missing)
        aside = _ASIDE.fullmatch(text) if text.startswith("(") else None
        directions = [aside["direction"].strip(), *felt] if aside else felt
        text = aside["text"] if aside else text
        if text:
            count += 1
            own = f"{id}-{count}" if id and count > 1 else id
            yield Row(place, character, text, ", ".join(dict.fromkeys(directions)), id=own)
    for name in missing:
        yield Problem(
            place,
            f"the variable {quoted(name)} has no value; give it in the cast file under [variables]",
        )


# A sentence in parentheses is a thought that the game shows; a direction does not end in a stop.
_ASIDE = re.compile(r"\(\s*(?P<direction>[^()]*[^().?!…\s])\s*\)\s+(?P<text>\S.*)")


def literal(text: str) -> str:
    """The text with brackets that open no markup, but are characters of the line."""
    return re.sub(r"[\[\]<]", r"\\\g<0>", text)


_ANGLED = re.compile(
    r"(?<!\\)<(?P<slash>/?)(?P<name>[A-Za-z][\w-]*)?(?:[\s=][^<>]*?)?(?P<alone>/?)>"
)


def angled(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """The pieces with tags such as "<b>" and "</>" apart; those of our own markup stay text.

    What stands alone, such as "<img/>", is left out.
    """
    from conditioning.ssml import is_known

    for textual, group in itertools.groupby(pieces, lambda piece: isinstance(piece, str)):
        if not textual:
            yield from group
            continue
        text, reached = "".join(group), 0
        for found in _ANGLED.finditer(text):
            name = found["name"] or ""
            if is_known(name) if name else not found["slash"]:
                continue
            yield text[reached : found.start()]
            if not found["alone"]:
                yield Tag(name, bool(found["slash"]))
            reached = found.end()
        yield text[reached:]


@lru_cache(maxsize=4096)
def feeling_of(hint: str) -> str:
    """The feeling or manner that a tag or attribute names, as a direction; "" for none.

    >>> feeling_of("emotion:very_angry"), feeling_of("hat"), feeling_of("speaker:happy")
    ('very angry', '', '')
    """
    from conditioning.direction import direct

    key, colon, value = re.sub(r"[\s_-]+", " ", hint).partition("=" if "=" in hint else ":")
    if colon and key.strip().casefold() not in SYNONYMS["direction"]:
        return ""
    words = (value if colon else key).strip()
    try:
        asked = direct("Well.", words)
    except UserError:
        return ""
    who = asked.persona
    if who.gender or who.age or not who.mood.is_neutral:
        return ""  # "monster" tells who speaks, and not how
    return words if asked.evidence or who.manner else ""


def _ways(pieces: tuple[Piece, ...]) -> Iterator[tuple[Piece, ...]]:
    """Every choice of what stands in an `Either`."""
    index = next((n for n, piece in enumerate(pieces) if isinstance(piece, Either)), None)
    if index is None:
        yield pieces
        return
    for way in pieces[index].ways:
        for rest in _ways((*way, *pieces[index + 1 :])):
            yield (*pieces[:index], *rest)


def _filled(pieces: Iterable[Piece], rules: Rules, missing: dict[str, None]) -> str:
    """The text of pieces; the names of variables without a value go into `missing`."""
    parts: list[str] = []
    opened: dict[str, str] = {}
    for piece in pieces:
        if isinstance(piece, str):
            parts.append(piece)
        elif isinstance(piece, Variable):
            if piece.name not in rules.variables:
                missing[piece.name] = None
            # Something stands there, so that no line seems empty for want of a value.
            parts.append(rules.variables.get(piece.name, "…"))
        elif not piece.closes:
            direction = rules.tags.get(piece.name)
            if direction:
                opened[piece.name] = direction
                parts.append(f"[{direction}]")
        elif piece.name in opened:
            parts += [f"[/{part.strip()}]" for part in opened.pop(piece.name).split(",")]
        elif not piece.name and opened:
            opened.clear()
            parts.append("[/]")
    return " ".join("".join(parts).split())
