"""Yarn Spinner: dialogue in .yarn files, and the table of strings that is made of them.

The grammar is that of docs.yarnspinner.dev, versions 2 and 3.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from conditioning.emotion import quoted
from voice_actor.formats.spoken import (
    Either,
    Piece,
    Rules,
    Tag,
    Variable,
    angled,
    literal,
    said,
)
from voice_actor.scripts import LONGEST_NAME, Problem, Row, table_rows

STRINGS = ("id", "text", "file", "node", "lineNumber")
"""The columns that every table of strings has; others, such as "language" and "lock", may too."""
_FIRST = ("LineCode", "LineText")  # of Yarn 1, in place of "id" and "text"

_ENDS = {"if": "endif", "once": "endonce", "enum": "endenum"}
_CHOOSING = ("select", "plural", "ordinal")  # markup that puts in one of its own values

_STRING = r'"(?:\\.|[^"\\])*"'
_EXPRESSION = rf"\{{(?:{_STRING}|[^{{}}\"])*\}}"
_COMMAND = re.compile(rf"<<\s*(?P<word>\w*)(?:{_STRING}|(?!>>).)*+>>")
# What ends the text of a line: a comment, a hashtag or a condition.
_TEXT = re.compile(rf"(?:\\.|{_EXPRESSION}|(?!//|<<|\#)[^\\])*+", re.DOTALL)
_TAIL = re.compile(rf"\s*(?://.*|{_COMMAND.pattern}|\#\s*(?P<tag>[^\s#$<]+))")
_OLD_OPTION = re.compile(r"\[\[(?:(?P<text>[^|\]]*)\|)?[^|\]]*\]\]")  # of Yarn 1
_PIECE = re.compile(
    rf"""\\(?P<escaped>.)
      | (?P<expression>{_EXPRESSION})
      | \[nomarkup\](?P<plain>.*?)\[/nomarkup\]
      | \[(?P<closes>/?)\s*(?P<tag>[\w.-]*)
          (?P<rest>(?:{_STRING}|{_EXPRESSION}|[^\]\["])*+)\]
      | (?P<colon>:)
      | (?P<stray>\])
      | (?P<wrong>[\[{{])""",
    re.VERBOSE | re.DOTALL,
)
_COLON = Tag(":")  # one that is not escaped; no tag has this name
_PROPERTY = re.compile(rf"(?P<name>[\w.-]+)\s*=\s*(?P<value>{_STRING}|{_EXPRESSION}|[^\s/\"]+)")


def read(text: str, rules: Rules) -> Iterator[Row | Problem]:
    """The lines and options of a .yarn file.

    An id is that of the "#line:" tag without "line:", as engines name the file of a line; a line
    that shadows another ("#shadow:") is passed over, since it is that one.
    """
    reader = _Reader(rules)
    for place, line in enumerate(text.split("\n"), 1):
        yield from reader.line(place, line.strip())
    yield from reader.end()


def recognised(text: str) -> bool:
    """Whether a table is one of strings, by its columns."""
    header = {cell.strip('" ') for cell in _header(text)[0]}
    return header.issuperset(STRINGS) or header.issuperset(_FIRST)


def _header(text: str) -> tuple[list[str], str]:
    """The columns of a table, and what separates them."""
    first = text.lstrip().partition("\n")[0]
    separator = max(",;\t", key=first.count)
    return first.split(separator), separator


def read_strings(text: str, rules: Rules) -> Iterator[Row | Problem]:
    """The lines of a table of strings (.csv): the columns of `STRINGS`.

    Expressions stand there as "{0}", "{1}" and so on; the variable's name is the number.
    """
    header = None
    for found in table_rows(text, _header(text)[1]):
        if isinstance(found, Problem):
            yield found
            return
        place, cells = found
        if header is None:
            header = [cell.strip() for cell in cells]
            if set(header).issuperset(_FIRST):
                header = [{"LineCode": "id", "LineText": "text"}.get(name, name) for name in header]
            missing = [name for name in ("id", "text") if name not in header]
            if missing:
                yield Problem(place, f"there is no column {' or '.join(map(repr, missing))}")
                return
        elif len(cells) != len(header):
            yield Problem(place, f"it has {len(cells)} cells under {len(header)} columns")
        else:
            row = dict(zip(header, cells, strict=True))
            yield from _said(place, row["text"], rules, id=_without_prefix(row["id"].strip()))


class _Reader:
    """Goes through a file line by line, and knows whether it is inside of a node."""

    def __init__(self, rules: Rules):
        self.rules = rules
        self.node = 0  # the line on which the headers of a node begin; 0 between nodes
        self.body = False
        self.open: list[tuple[int, str]] = []  # blocks of commands that are not closed yet

    def line(self, place: int, line: str) -> Iterator[Row | Problem]:
        if not self.body:
            yield from self._header(place, line)
        elif line.startswith("==="):
            yield from self._close()
            self.node, self.body = 0, False
        else:
            yield from self._statement(place, line)

    def end(self) -> Iterator[Problem]:
        if self.body:
            yield from self._close()
            yield Problem(self.node, "the node is never closed; write === after its last line")
        elif self.node:
            yield Problem(self.node, "the node has no lines; write --- after its headers")

    def _header(self, place: int, line: str) -> Iterator[Problem]:
        if line.startswith("---"):
            self.node, self.body = self.node or place, True
        elif re.match(r"[\w-]+\s*:", line):
            self.node = self.node or place
        elif line and not line.startswith(("//", "#")):
            yield Problem(
                place,
                f"{quoted(line, 30)} stands outside of a node; write it between --- and ===",
            )

    def _close(self) -> Iterator[Problem]:
        for place, word in self.open:
            yield Problem(place, f"the <<{word}>> is never closed; write <<{_ENDS[word]}>>")
        self.open.clear()

    def _statement(self, place: int, line: str) -> Iterator[Row | Problem]:
        while line.startswith("<<"):
            command = _COMMAND.match(line)
            if not command:
                yield Problem(place, "the '<<' is never closed; write >> after the command")
                return
            yield from self._command(place, command["word"])
            line = line[command.end() :].lstrip()
        line = re.sub(r"^(?:->|=>)\s*", "", line)
        text = _TEXT.match(line)
        tags, reached = [], text.end()
        while found := _TAIL.match(line, reached):
            reached = found.end()
            tags += [found["tag"]] if found["tag"] else []
        if line[reached:].strip():
            yield Problem(
                place,
                f"{quoted(line[reached:].strip(), 30)} cannot follow the text; only #tags and "
                "one <<condition>> can, and \\ stands before a '#' or '<' that is said",
            )
        if not any(tag.startswith("shadow:") for tag in tags):
            id = next((tag for tag in tags if tag.startswith("line:")), "")
            content = _OLD_OPTION.sub(lambda found: f" {found['text'] or ''} ", text[0])
            yield from _said(place, content, self.rules, tags, _without_prefix(id))

    def _command(self, place: int, word: str) -> Iterator[Problem]:
        if word in _ENDS:
            self.open.append((place, word))
        elif word in _ENDS.values():
            if self.open and _ENDS[self.open[-1][1]] == word:
                self.open.pop()
            else:
                yield Problem(place, f"the <<{word}>> closes nothing; remove it")


def _without_prefix(id: str) -> str:
    return id.removeprefix("line:")


def _said(
    place: int, text: str, rules: Rules, tags: list[str] | None = None, id: str = ""
) -> Iterator[Row | Problem]:
    """The row of a line, whose text may begin with the name of who says it."""
    who: list[Piece] = []
    pieces: list[Piece] = []
    for piece in _pieces(text, rules):
        if isinstance(piece, Problem):
            yield piece._replace(place=place)
        elif isinstance(piece, _Name):
            who = piece.pieces
        elif piece != _COLON:
            pieces.append(piece)
        elif not who and sum(len(each) for each in pieces if isinstance(each, str)) <= LONGEST_NAME:
            # What stands before the first colon is a name, as the engine reads it too.
            who, pieces = [each for each in pieces if not isinstance(each, Tag)], []
        else:
            pieces.append(":")
    yield from said(place, who, angled(pieces), rules, tags or (), id)


class _Name(NamedTuple):
    """Who speaks, where markup tells it."""

    pieces: list[Piece]


def _pieces(text: str, rules: Rules) -> Iterator[Piece | _Name | Problem]:
    reached = 0
    for found in _PIECE.finditer(text):
        yield text[reached : found.start()]
        reached = found.end()
        if found["escaped"]:
            known = found["escaped"] in "\\<>{}#/[]:"
            yield literal(found["escaped"]) if known else found[0]
        elif found["expression"]:
            yield Variable(found["expression"][1:-1].strip())
        elif found["plain"] is not None:
            yield literal(found["plain"])
        elif found["colon"]:
            yield _COLON
        elif found["stray"]:
            yield literal("]")
        elif found["wrong"]:
            what = f"a {found['wrong']!r} is never closed; write \\{found['wrong']} to say it"
            yield Problem(0, what)
        else:
            yield from _tag(found, rules)
    yield text[reached:]


def _tag(found: re.Match[str], rules: Rules) -> Iterator[Piece | _Name]:
    properties = {each["name"]: each["value"] for each in _PROPERTY.finditer(found["rest"])}
    values = {name: _value(written) for name, written in properties.items()}
    if found["tag"] == "character":
        if "name" in values:
            yield _Name(values["name"])
    elif found["tag"] in _CHOOSING and not found["closes"]:
        yield _chosen(found["tag"], values, rules)
    else:
        yield Tag(found["tag"], bool(found["closes"]))


def _value(written: str) -> list[Piece]:
    if written.startswith("{"):
        return [Variable(written[1:-1].strip())]
    if written.startswith('"'):
        return [re.sub(r"\\(.)", r"\1", written[1:-1])]
    return [written]


def _chosen(kind: str, values: dict[str, list[Piece]], rules: Rules) -> Either:
    """What [select], [plural] and [ordinal] put in; "%" is the value."""
    (value,) = values.pop("value", None) or [""]
    given = rules.variables.get(value.name) if isinstance(value, Variable) else value
    if kind != "select" and given and given.isdigit():
        given = _category(kind, int(given))
        given = given if given in values else "other"
    if given in values:
        values = {given: values[given]}
    ways = []
    for (way,) in values.values():
        parts: list[Piece] = []
        for part in re.split("(%)", way if isinstance(way, str) else "%"):
            parts.append(value if part == "%" else part)
        ways.append(tuple(parts))
    return Either(tuple(ways))


def _category(kind: str, number: int) -> str:
    """The English form of a number: of "1 apple" for plural, of "1st" for ordinal."""
    if kind == "plural":
        return "one" if number == 1 else "other"
    if number % 100 in (11, 12, 13):
        return "other"
    return {1: "one", 2: "two", 3: "few"}.get(number % 10, "other")
