"""inkle's ink (.ink) -> the lines that a story says.

What is read, by the published language (github.com/inkle/ink, Documentation/WritingWithInk.md):

    =========================================  ==================================================
    Name: text, Name (aside): text             a line of Name's; all else is the narrator's
    {name}: text                               a line of whom the variable names
    #id:KEY                                    the line's id
    #speaker:NAME                              who says it, as many games for Unity have it
    #angry, #emotion:sad                       its direction, where the words name a feeling
    {a|b}, {&a|b}, {~a|b}, {!a|b}, {x: a|b}    every way it can come out is a line of its own
    {gold}, {name()}                           a variable, by the expression within; a CONST has
                                               its value already
    * said [shown] said                        a choice is said without what stands in brackets
    a <>                                       goes on with the next line, if that has neither id
                                               nor name
    <b>word</b>                                markup of the game's
    =========================================  ==================================================

Passed over: comments, `TODO:`, logic (`~`), declarations, diverts, tunnels, threads, labels,
conditions, `INCLUDE` (a file of its own), and lines that begin with ">>", which games read as
commands. In a function only lines with a name or an id are read; the rest is text for other lines,
and the call is their variable. An option in brackets is shown and not said, except one that names
somebody who speaks elsewhere or is written in capitals.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from voice_actor.scripts import LONGEST_NAME, Problem, Row

from .spoken import Either, Piece, Rules, Tag, Variable, angled, literal, said

DEEPEST = 32  # braces within braces


class _Mark(NamedTuple):
    """A tag of ink's, without its "#"."""

    text: str


class _Join(NamedTuple):
    """The "<>" that joins two lines, or a divert, after which nothing joins."""

    glue: bool


Part = Piece | _Mark | _Join


class _Line(NamedTuple):
    """One line of content.

    Attributes:
        place: number of the line in the file.
        pieces: of the spoken line, marks and glue included.
        shown: of the option in brackets.
        partial: whether it stands in a function.
        first: whether a choice, a branch or a knot begins with it.
    """

    place: int
    pieces: tuple[Part, ...]
    shown: tuple[Part, ...] = ()
    partial: bool = False
    first: bool = False


def read(text: str, rules: Rules) -> Iterator[Row | Problem]:
    """The spoken lines of an ink file, and every problem.

    >>> [row.text for row in read("Ada: {~Hello|Hi}, Bran.", Rules())]
    ['Hello, Bran.', 'Hi, Bran.']
    """
    text, problems = _without_comments(text)
    yield from problems
    story = _Story(text)
    lines = list(_glued(story.lines()))
    yield from story.problems
    rules = replace(rules, variables={**variables(text), **rules.variables})
    optional = {at for at, line in enumerate(lines) if line.shown and _named(line.shown).name}
    known = set[str]().union(*(_names(line.pieces) for line in lines)) if optional else set()
    for at, line in enumerate(lines):
        yield from _said(line, line.pieces, rules)
        if at in optional:
            name = _named(line.shown).name
            if name.isupper() or name.casefold() in known:
                yield from _said(line, line.shown, rules)


# Before anything else

_COMMENT = re.compile(r"//[^\n]*|/\*(?:.*?\*/|.*)|(?m:^[ \t]*TODO[ \t]*:[^\n]*)", re.DOTALL)


def _without_comments(text: str) -> tuple[str, list[Problem]]:
    """The text with the same lines but without comments."""
    problems = []
    text = text.replace("\r\n", "\n")

    def blank(found: re.Match) -> str:
        if found[0].startswith("/*") and not found[0].endswith("*/", 2):
            place = text.count("\n", 0, found.start()) + 1
            problems.append(Problem(place, "'/*' is not closed; write '*/' after it"))
        return "\n" * found[0].count("\n")

    return _COMMENT.sub(blank, text), problems


_CONSTANT = re.compile(r'^[ \t]*CONST\s+(\w+)\s*=\s*(?:"([^"\n]*)"|([\d.]+))', re.MULTILINE)


def variables(text: str) -> dict[str, str]:
    """Name -> value of the constants that a file defines."""
    return {found[1]: found[2] or found[3] or "" for found in _CONSTANT.finditer(text)}


# The statements

_HEADER = re.compile(r"={2,}[ \t]*(?P<function>function\b)?[^\n]*|=[ \t]*\w[^\n]*")
_PASSED = re.compile(
    r"(?:~|>>|TODO\s*:|(?:VAR|CONST|LIST)\s+\w+\s*=|EXTERNAL\s+\w+\s*\(|INCLUDE\s+\S)[^\n]*"
)
_DASHES = re.compile(r"(?:-(?!>)[ \t]*)+")
_BULLETS = re.compile(r"(?:[*+][ \t]*)+")
_LABEL = re.compile(r"\(\s*\w+\s*\)[ \t]*")
_ALTERNATIVES = re.compile(r"\s*(?:[&!~$]+|(?:(?:stopping|cycle|shuffle|once)\s*)+:)")
_ELSE = re.compile(r"else\s*:")
_SPACE = re.compile(r"[ \t]*")
_ONWARD = re.compile(r"\s*(?=[^\s*+=~}-])|[ \t]*")  # a choice may go on below its conditions
_BRACES = re.compile(r"\\.|[{}]|^[ \t]*==", re.MULTILINE)
_PART = re.compile(
    r"""(?P<escape>\\(?:.|\n))
      | (?P<glue><>)
      | (?P<divert>(?:->|<-)[^\n{}|#\]]*)
      | \#(?P<mark>(?:\\.|\{[^{}\n]*\}|(?!->)[^\n{}|\#\]])*)
      | (?P<sign>[{}\n|\[\]])
      | (?P<text>(?:(?!->|<-|<>)[^\\{}\n|\[\]\#])+)""",
    re.VERBOSE,
)


class _Story:
    """Goes through the text of a file once; `problems` is whole after `lines`."""

    def __init__(self, text: str):
        self.text = text
        self.breaks = [found.start() for found in re.finditer("\n", text)]
        self.problems: list[Problem] = []
        self.closing = self._braces()

    def place(self, at: int) -> int:
        return bisect_right(self.breaks, at - 1) + 1

    def _braces(self) -> dict[int, int]:
        """Where each brace closes; one that does not is a problem, told once."""
        closing, opened = {}, []
        for found in _BRACES.finditer(self.text):
            if found[0] == "{":
                opened.append(found.start())
                if len(opened) > DEEPEST:
                    what = f"more than {DEEPEST} braces are open within each other"
                    self.problems.append(Problem(self.place(found.start()), what))
                    return {}
            elif found[0] == "}":
                if opened:
                    closing[opened.pop()] = found.start()
                else:
                    place = self.place(found.start())
                    self.problems.append(Problem(place, "'}' closes nothing"))
            elif found[0][0] != "\\":
                self._unclosed(opened)
        self._unclosed(opened)
        return closing

    def _unclosed(self, opened: list[int]) -> None:
        """No brace lasts beyond its knot."""
        self.problems += (Problem(self.place(at), "'{' is not closed") for at in opened)
        opened.clear()

    def lines(self) -> Iterator[_Line]:
        """Every line of content, in the order of the file."""
        text, at, partial = self.text, 0, False
        blocks: list[bool] = []  # of each open block, whether its branches have conditions
        above: tuple[_Mark, ...] = ()  # tags on lines of their own belong to the next line
        first = True
        while (at := _SPACE.match(text, at).end()) < len(text):
            if text[at] == "\n":
                at += 1
            elif text[at] == "}":
                blocks, first, at = blocks[:-1], True, at + 1
            elif header := _HEADER.match(text, at):
                partial, above, at = bool(header["function"]), (), header.end()
                blocks, first = [], True
            elif passed := _PASSED.match(text, at):
                at = passed.end()
            elif blocks and (found := _ELSE.match(text, at)):
                at = found.end()  # a writer forgot the dash before it
            elif dashes := _DASHES.match(text, at):
                at, first = dashes.end(), True
                condition = _condition_end(text, at, self._line_end(at)) if blocks else 0
                if condition and blocks[-1]:
                    at = condition
                elif label := _LABEL.match(text, at):
                    at = label.end()
            elif bullets := _BULLETS.match(text, at):
                start = at
                said, shown, at = self._choice(bullets.end())
                yield _Line(self.place(start), (*above, *said), shown, partial, first=True)
                above, first = (), False
            elif self._opens_block(at):
                at, first = self._into_block(at, blocks), True
            else:
                start = at
                pieces, at = self._content(at, len(text), "", before_block=True)
                if pieces and all(isinstance(piece, _Mark) for piece in pieces):
                    above += pieces
                else:
                    yield _Line(self.place(start), (*above, *pieces), (), partial, first)
                    above, first = (), False

    def _line_end(self, at: int) -> int:
        end = self.text.find("\n", at)
        return len(self.text) if end < 0 else end

    def _opens_block(self, at: int) -> bool:
        """Whether a brace stands here whose branches are lines, rather than parts of one."""
        if self.text[at] != "{":
            return False
        end = self.closing.get(at)
        if end is None:
            return True
        return "\n" in self.text[at:end] and not self._divided(at + 1, end)

    def _divided(self, at: int, end: int) -> bool:
        """Whether a "|" stands here that is not within further braces."""
        while at < end:
            letter = self.text[at]
            if letter == "{":
                at = self.closing.get(at, end)
            elif letter == "|":
                if self.text[at + 1] != "|":
                    return True
                at += 1
            elif letter == "\\":
                at += 1
            at += 1
        return False

    def _into_block(self, at: int, blocks: list[bool]) -> int:
        """The place after the head of a block."""
        found = _ALTERNATIVES.match(self.text, at + 1)
        if at in self.closing:
            blocks.append(not found)
        if found:
            return found.end()
        return _condition_end(self.text, at + 1, self._line_end(at)) or at + 1

    def _choice(self, at: int) -> tuple[tuple[Part, ...], tuple[Part, ...], int]:
        """What a choice says and what it only shows, and the place after it."""
        if label := _LABEL.match(self.text, at):
            at = label.end()
        while self.text.startswith("{", at) and at in self.closing:
            at = _ONWARD.match(self.text, self.closing[at] + 1).end()
        said, at = self._content(at, len(self.text), "[]")
        if not self.text.startswith("[", at):
            return said, (), at
        opened = at
        shown, at = self._content(at + 1, len(self.text), "[]")
        if not self.text.startswith("]", at):
            self.problems.append(Problem(self.place(opened), "'[' of the choice is not closed"))
            return said, (), at
        after, at = self._content(at + 1, len(self.text), "")
        return said + after, shown, at

    def _content(
        self, at: int, end: int, stops: str, before_block: bool = False
    ) -> tuple[tuple[Part, ...], int]:
        """Parts up to a sign of `stops`, the end of the line or a brace that closes.

        With `before_block` also up to a brace that opens a block.
        """
        pieces: list[Part] = []
        within = "|" in stops
        while at < end:
            found = _PART.match(self.text, at)
            kind = found.lastgroup if found else "text"
            if kind == "mark":
                pieces.append(_Mark(" ".join(found["mark"].split())))
            elif kind in ("glue", "divert"):
                pieces.append(_Join(kind == "glue"))
            elif kind == "escape":
                pieces.append(literal(found["escape"][1:]))
            elif kind == "sign":
                sign = found["sign"]
                if sign in stops or sign == "}" or sign == "\n" and not within:
                    break
                if sign == "{":
                    if before_block and self._opens_block(at):
                        break
                    close = self.closing.get(at)
                    if close is None:
                        return tuple(pieces), self._line_end(at)
                    pieces += self._braced(at + 1, close)
                    at = close + 1
                    continue
                pieces.append(sign)
            elif kind == "text":
                pieces += angled([found["text"] if found else self.text[at]])
            at = found.end() if found else at + 1
        return tuple(pieces), at

    def _braced(self, at: int, end: int) -> list[Piece | _Mark]:
        """What braces within a line stand for."""
        whole = self.text[at:end]
        alternatives = _ALTERNATIVES.match(whole)
        condition = _condition_end(self.text, at, end)
        if not (alternatives or condition or self._divided(at, end)):
            return [Variable(" ".join(whole.split()))]
        once = alternatives and re.search("!|once", alternatives[0])
        at = at + alternatives.end() if alternatives else condition or at
        ways = []
        while True:
            way, at = self._content(at, end, "|")
            ways.append(way)
            if at >= end:
                break
            at += 1
        if once or condition and len(ways) == 1:
            ways.append(())
        return [Either(tuple(dict.fromkeys(ways)))]


_TOKEN = re.compile(
    r"""\s*(?:(?P<joins>(?:and|or|not|mod|has|hasnt)\b|&&|\|\||[=!<>]=|->|!\?|[<>+*/%^?!,(-])
            | (?P<ends>\))
            | (?P<stands>"[^"\n]*"|[\w.]+))""",
    re.VERBOSE,
)
_COLON = re.compile(r"\s*:")


def _condition_end(text: str, at: int, end: int) -> int | None:
    """The place after "condition:", or None if no condition stands here.

    Two words beside each other are no condition, so that "{I said: no|yes}" is text.
    """
    stood, deep, begun = False, 0, False
    while at < end:
        if begun and not deep and (colon := _COLON.match(text, at, end)):
            return colon.end()
        token = _TOKEN.match(text, at, end)
        if not token or token["stands"] and stood:
            return None
        deep += (token[0].strip() == "(") - bool(token["ends"])
        stood = not token["joins"]
        begun, at = True, token.end()
    return None


# From content to what is said


def _glued(lines: Iterable[_Line]) -> Iterator[_Line]:
    """The lines, joined where glue joins them; one with an id or a name is never the second."""
    held: list[_Line] = []
    ends: list[Part] = []
    for line in lines:
        solid = _solid(line.pieces)
        glued = _Join(glue=True) in (*ends, *solid[:1]) and not line.first
        if held and not (glued and not _id(line.pieces) and not _named(line.pieces).name):
            yield _together(held)
            held, ends = [], []
        held.append(line)
        ends = solid[-1:] or ends
    if held:
        yield _together(held)


def _together(lines: Sequence[_Line]) -> _Line:
    return lines[0]._replace(pieces=tuple(piece for line in lines for piece in line.pieces))


def _solid(pieces: Iterable[Part]) -> list[Part]:
    """Without tags and white space."""
    return [
        piece
        for piece in pieces
        if not isinstance(piece, _Mark) and not (isinstance(piece, str) and not piece.strip())
    ]


def _marks(pieces: Iterable[Part]) -> Iterator[str]:
    for piece in pieces:
        if isinstance(piece, _Mark):
            yield piece.text
        elif isinstance(piece, Either):
            for way in piece.ways:
                yield from _marks(way)


def _unmarked(pieces: Iterable[Part]) -> Iterator[Piece]:
    for piece in pieces:
        if isinstance(piece, Either):
            yield Either(tuple(tuple(_unmarked(way)) for way in piece.ways))
        elif not isinstance(piece, _Mark | _Join):
            yield piece


def _key(marks: Iterable[str], *keys: str) -> str:
    """The value of a tag such as "id:KEY"; "" where there is none."""
    for mark in marks:
        key, colon, value = mark.partition(":")
        if colon and key.strip().casefold() in keys:
            return value.strip()
    return ""


class _Spoken(NamedTuple):
    """A line divided at its colon; without a name, all is `rest`."""

    name: str
    who: tuple[Piece, ...]
    hint: str
    rest: tuple[Piece, ...]


# Small words may stand within a name; a sentence with a colon has others too.
_WORD = r"[\w'’.-]*"
_NAME = re.compile(
    rf"""(?P<name>[^\W_a-z]{_WORD}(?:\ (?:of|the|de|da|di|du|la|le|van|von|and|&|[^\W_a-z]{_WORD}))*
          |{_WORD}[^\W\d]{_WORD})
        (?:\s*\((?P<aside>[^()]*)\))?""",
    re.VERBOSE,
)
_COLONED = re.compile(r"\s*(?P<before>[^:：]*?)\s*(?:::?|：)(?!\d)")  # but not 10:30


def _named(pieces: Sequence[Part]) -> _Spoken:
    """Who says a line, and what."""
    clean = tuple(_unmarked(pieces))
    before: list[Piece] = []
    for index, piece in enumerate(clean):
        if isinstance(piece, Tag):
            continue
        if isinstance(piece, Either):
            break
        found = _COLONED.match(piece) if isinstance(piece, str) else None
        if not found:
            before.append(piece)
            continue
        rest = (piece[found.end() :], *clean[index + 1 :])
        who = _solid([*before, found["before"]])
        if all(isinstance(piece, Tag) for piece in _solid(rest)):
            break  # a list follows, as after "Check:"
        if len(who) == 1 and isinstance(who[0], Variable):
            return _Spoken(who[0].name, (who[0],), "", rest)
        if all(isinstance(piece, str) for piece in who):
            together = "".join(who).strip()
            name = _NAME.fullmatch(together) if len(together) <= LONGEST_NAME else None
            if name:
                return _Spoken(name["name"], (name["name"],), name["aside"] or "", rest)
        break
    return _Spoken("", (), "", clean)


def _ways(pieces: Sequence[Part]) -> tuple[tuple[Part, ...], ...]:
    """The ways of a line that is nothing but a choice between lines of their own."""
    if not any(isinstance(piece, Either) for piece in pieces):
        return ()
    solid = [piece for piece in _solid(pieces) if not isinstance(piece, _Join)]
    if len(solid) != 1 or not isinstance(solid[0], Either):
        return ()
    ways = solid[0].ways
    return ways if any(_ways(way) or _named(way).name or _id(way) for way in ways) else ()


def _names(pieces: Sequence[Part]) -> set[str]:
    """Everybody who says a way of the line."""
    named = {_named(pieces).name.casefold()}
    return named.union(*map(_names, _ways(pieces)))


def _id(pieces: Iterable[Part]) -> str:
    return _key(_marks(pieces), "id")


def _said(
    line: _Line, pieces: Sequence[Part], rules: Rules, id: str = ""
) -> Iterator[Row | Problem]:
    """The rows of one line; `id` is of the line that it is a way of."""
    if ways := _ways(pieces):
        own = [piece for piece in pieces if isinstance(piece, _Mark)]
        id = _id(own) or id
        for number, way in enumerate(ways, 1):
            numbered = f"{id}-{number}" if id and number > 1 else id
            others = (mark for mark in own if not _id([mark]))
            yield from _said(line, (*others, *way), rules, numbered)
        return
    marks = list(_marks(pieces))
    id = _key(marks, "id") or id
    spoken = _named(pieces)
    who = spoken.who or (_key(marks, "speaker", "character"),)
    ways = (way for piece in spoken.rest if isinstance(piece, Either) for way in piece.ways)
    if not spoken.who and any(_named(way).name for way in ways):
        what = "who says it depends on a part of it; write its ways as lines of their own"
        yield Problem(line.place, what)
    elif any(who) or id or not line.partial:
        hints = [hint for hint in (spoken.hint, *marks) if hint]
        yield from said(line.place, who, spoken.rest, rules, hints, id)
