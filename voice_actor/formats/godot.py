"""Dialogue Manager for Godot: .dialogue files.

The grammar is that of github.com/nathanhoad/godot_dialogue_manager, versions 2 and 3.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from voice_actor.formats.spoken import Either, Piece, Rules, Tag, Variable, literal, said
from voice_actor.scripts import Problem, Row

_INSIDE = r'(?:"[^"]*"|\[[^\[\]]*\]|[^\[\]"])'  # of a bracket, which may hold lists
_OTHERS = re.compile(
    r"\#|~ |(?:import|using|if|while|match|when|do!?|set|\$>>?)\s|(?:elif|else)\b|=>"
)
_RANDOM = re.compile(r"%[\d.]*(?:\s+\[if .+?/\])?(?:\s+|$)")
_ESCAPED_START = re.compile(r"\\(?=using|if|elif|else|while|match|when|do|set|-|~|=>|%)")
_ID = re.compile(r" ?\[ID:(?P<id>[^\]]*)\]")
_TAGS = re.compile(r" ?\[#(?P<tags>[^\]]*)\]")
_CONDITION = re.compile(rf" ?\[if\s{_INSIDE}*/\]")
_OLD_CONDITION = re.compile(rf" ?\[if\s{_INSIDE}*\](?!.*\[/if\])")  # of version 2, in responses
_JUMP = re.compile(r"(?:^|\s)=><?\s.*")
_PIECE = re.compile(
    rf"""\\(?P<escaped>[:\[\]n])
      | \{{\{{(?P<variable>.*?)\}}\}}
      | \[\[(?P<choices>.*?)\]\]
      | \[if\s(?:{_INSIDE})*\](?P<body>.*?)\[/if\]
      | \[img{_INSIDE}*\].*?\[/img\]
      | (?P<wrong>\{{\{{|\[\[|\[if\s)
      | \[(?P<closes>/?)(?P<tag>[A-Za-z_$!][^\s=\[\]/]*){_INSIDE}*\]
      | (?P<bracket>[\[\]])""",
    re.VERBOSE | re.DOTALL,
)
_ENDS = {"{{": "}}", "[[": "]]", "[if ": "[/if]"}
_SIGNS = {"br": " ", "p": " ", "lb": r"\[", "rb": r"\]"}  # tags that stand for characters


def read(text: str, rules: Rules) -> Iterator[Row | Problem]:
    """The lines and responses of a .dialogue file.

    The id is that of "[ID:...]". Two lines that share one and say the same are one line.
    """
    reader = _Reader(rules)
    for place, line in enumerate(text.split("\n"), 1):
        yield from reader.line(place, line)
    yield from reader.flush()


class _Reader:
    """Goes through a file line by line; a line of dialogue waits for what goes on with it."""

    def __init__(self, rules: Rules):
        self.rules = rules
        self.waiting: tuple[int, int, list[str]] | None = None  # place, indent, text
        self.known: dict[str, str] = {}

    def line(self, place: int, line: str) -> Iterator[Row | Problem]:
        bare = line.strip()
        if not bare:
            return
        indent = len(line) - len(line.lstrip("\t"))
        random = _RANDOM.match(bare)
        bare = bare[random.end() :] if random else bare
        response = bare.startswith("- ")
        if not bare or response or _OTHERS.match(bare):
            yield from self.flush()
            if response:
                yield from self._said(place, _OLD_CONDITION.sub("", bare[2:]))
        elif self.waiting and indent > self.waiting[1]:
            self.waiting[2].append(bare)
        else:
            yield from self.flush()
            self.waiting = place, indent, [_ESCAPED_START.sub("", bare, 1).removeprefix("| ")]

    def flush(self) -> Iterator[Row | Problem]:
        if self.waiting:
            place, _, lines = self.waiting
            self.waiting = None
            yield from self._said(place, "\n".join(lines))

    def _said(self, place: int, text: str) -> Iterator[Row | Problem]:
        id = _ID.search(text)
        text = _CONDITION.sub("", _ID.sub("", text))
        tags = [
            tag.strip(" #") for found in _TAGS.finditer(text) for tag in found["tags"].split(",")
        ]
        text = _JUMP.sub("", _TAGS.sub("", text))
        if id and self.known.get(id["id"]) == text:
            return
        if id:
            self.known[id["id"]] = text
        who, colon, what = text.replace(r"\:", "\0").partition(": ")
        if not colon:
            who, what = "", who
        name: list[Piece] = []
        pieces: list[Piece] = []
        for written, found in ((who, name), (what, pieces)):
            for piece in _pieces(written.replace("\0", r"\:")):
                if isinstance(piece, Problem):
                    yield piece._replace(place=place)
                else:
                    found.append(piece)
        yield from said(place, name, pieces, self.rules, tags, id["id"] if id else "")


def _pieces(text: str) -> Iterator[Piece | Problem]:
    reached = 0
    for found in _PIECE.finditer(text):
        yield text[reached : found.start()]
        reached = found.end()
        if found["escaped"]:
            yield " " if found["escaped"] == "n" else literal(found["escaped"])
        elif found["variable"] is not None:
            yield Variable(found["variable"].strip())
        elif found["choices"] is not None:
            yield from _either(found["choices"].split("|"))
        elif found["body"] is not None:
            ways = re.split(rf"\[(?:else|elif\s{_INSIDE}*)\]", found["body"])
            yield from _either(ways if len(ways) > 1 else [*ways, ""])
        elif found["tag"]:
            yield _SIGNS.get(found["tag"]) or Tag(found["tag"], bool(found["closes"]))
        elif found["wrong"]:
            yield Problem(0, f"a {found[0].strip()!r} is never closed; write {_ENDS[found[0]]}")
        elif found["bracket"]:
            yield literal(found[0])
    yield text[reached:]


def _either(ways: list[str]) -> Iterator[Piece | Problem]:
    read = [list(_pieces(way)) for way in ways]
    for way in read:
        yield from (piece for piece in way if isinstance(piece, Problem))
    kept = (tuple(piece for piece in way if not isinstance(piece, Problem)) for way in read)
    yield Either(tuple(kept))
