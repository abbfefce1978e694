"""Ren'Py: scripts (.rpy), and the table of all dialogue that its launcher exports (dialogue.tab).

The grammar, the text tags and the identifiers of lines are those of renpy.org/doc/html.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from conditioning.emotion import quoted
from voice_actor.formats.spoken import NARRATOR, Piece, Rules, Tag, Variable, literal, said
from voice_actor.scripts import Problem, Row

COLUMNS = ("Identifier", "Character", "Dialogue", "Filename", "Line Number", "Ren'Py Script")
"""The first row of dialogue.tab."""

# Statements that are no dialogue although a string may follow, and whose blocks are none either.
_OTHERS = frozenset(
    "$ at add animation build call camera contains config default define early for hide image init "
    "import jump layeredimage nvl old new one_line_python pass pause play python queue return rpy "
    "scene screen show sound music stop style testcase testsuite transform voice while window with "
    "if elif else".split()
)
_DESCENDED = frozenset("if elif else while for init".split())  # blocks of statements
_BODILESS = frozenset(("narrator", "centered", "vcentered", "nvl_narrator", "name_only"))

_STRING = r'"(?:\\.|[^"\\])*"|' + r"'(?:\\.|[^'\\])*'|`(?:\\.|[^`\\])*`"
_TRIPLE = r'"""(?:\\.|[^\\])*?"""|' + r"'''(?:\\.|[^\\])*?'''|```(?:\\.|[^\\])*?```"
_TOKEN = re.compile(
    rf"(?P<string>{_TRIPLE}|{_STRING})|(?P<comment>\#[^\n]*)|(?P<joined>\\\n)"
    r"|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<end>\n)|(?P<quote>[\"'`])",
    re.DOTALL,
)
_WORD = r"[^\W\d]\w*"
_CALL = r"\((?:[^()\"']|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|\([^()]*\))*\)"
_SAY = re.compile(
    rf"""(?:(?P<who>(?:{_STRING}|{_WORD})(?:\.{_WORD}|{_CALL}|\[[^\]]*\])*)
          (?P<attributes>(?:\s+[\w-]+)*)(?:\s*@\s*(?P<passing>[\w-]+(?:\s+[\w-]+)*))?\s*)?
        (?P<raw>r)?(?P<what>{_TRIPLE}|{_STRING})\s*
        (?P<clauses>(?:nointeract\b\s*|id\s+\w+\s*|with\s+[^\s(]+(?:{_CALL})?\s*|{_CALL}\s*)*)""",
    re.VERBOSE | re.DOTALL,
)
_CLAUSE = re.compile(
    rf"nointeract|id\s+(?P<id>\w+)|with\s+(?P<with>[^\s(]+(?:{_CALL})?)|\((?P<arguments>.*)\)",
    re.DOTALL,
)
_CHARACTER = re.compile(
    r"(?<![\w.])(?P<name>[\w.]+)\s*=\s*(?P<dynamic>Dynamic)?\w*Character\("
    rf"\s*(?:name\s*=\s*)?(?:_\(\s*)?"
    rf"(?:(?P<shown>{_STRING})|(?:[^()]*,\s*)?kind\s*=\s*(?P<like>\w+)|(?P<none>None|\)))?",
    re.DOTALL,
)
_PIECE = re.compile(
    r"(?P<double>\[\[|\{\{|%%)|\[(?P<variable>[^\[\]]*(?:\[[^\]]*\][^\[\]]*)*)\]"
    r"|%\((?P<old>\w+)\)[a-z]|\{(?P<closes>/?)(?P<tag>[^{}=]*)(?:=[^{}]*)?\}"
    r"|(?P<wrong>[\[{])|(?P<stray>\])"
)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{1,4})|(.))", re.DOTALL)
_UNSEEN = ("rt", "art", "alt")  # what stands in these is a reading aid, or not shown at all
_PARTED = ("p", "space", "vspace", "image")  # there is a gap between the words on either side


class _Line(NamedTuple):
    """A statement, which may go over several lines of the file."""

    place: int
    indent: int
    text: str


class _Block(NamedTuple):
    indent: int
    kind: str  # "", "menu", or "other" for what holds no dialogue


def read(text: str, rules: Rules) -> Iterator[Row | Problem]:
    """The dialogue and narration of a .rpy file; choices of menus are not voiced by Ren'Py.

    The id of a line is the one that Ren'Py gives it, and under which `config.auto_voice` looks for
    its file: that of its "id" clause, or the label and a hash of the statement. A character that
    neither the file nor the rules define is called as the script calls it.
    """
    reader = _Reader(text, rules)
    for line in _lines(text):
        if isinstance(line, Problem):
            yield line
        else:
            yield from reader.line(line)


def read_table(text: str, rules: Rules) -> Iterator[Row | Problem]:
    """The lines of dialogue.tab. Characters that the rules do not name are called as in the script.

    Rows without an identifier are strings of menus and screens, which are not voiced.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    if tuple(lines[0].split("\t"))[:3] != COLUMNS[:3]:
        yield Problem(1, f"its first row is not {', '.join(map(repr, COLUMNS[:3]))}, with tabs")
        return
    speaker = NARRATOR
    for place, line in enumerate(lines[1:], 2):
        if not line.strip():
            continue
        cells = line.split("\t")
        if not 3 <= len(cells) <= len(COLUMNS):
            what = f"it has {len(cells)} cells, and 3 to {len(COLUMNS)} are needed"
            yield Problem(place, f"{what}; write \\t for a tab within a text")
            continue
        id, who, what = cells[:3]
        if not id:
            continue
        speaker = _speaker(who, speaker, rules.characters)
        script = _SAY.match(cells[5]) if len(cells) > 5 else None
        what = re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), what)
        yield from _said(place, speaker, what, rules, _hints(script) if script else (), id)


_ESCAPES = dict(zip("abfnrtv", "\a\b\f\n\r\t\v", strict=True))


class _Reader:
    """Goes through the statements of a file, and knows in which block each stands."""

    def __init__(self, text: str, rules: Rules):
        self.rules = rules
        self.names = {**rules.characters, **characters(text)}
        self.blocks: list[_Block] = []
        self.label = ""
        self.last = NARRATOR
        self.voiced: list[str] = []  # statements that count towards the next line's identifier
        self.translated = ""  # the identifier of the line that a translation stands for
        self.taken: set[str] = set()
        self.counts: Counter[str] = Counter()
        self.own = set(re.findall(r"\sid\s+(\w+)\s*$", text, re.MULTILINE))

    def line(self, line: _Line) -> Iterator[Row | Problem]:
        while self.blocks and line.indent <= self.blocks[-1].indent:
            self.blocks.pop()
            self.voiced.clear()
        if not self.blocks:
            self.translated = ""
        kind = self.blocks[-1].kind if self.blocks else ""
        if kind == "other":
            return
        word = re.match(r"\$|\w*", line.text)[0]
        if word == "voice" or word == "nvl" and line.text.split()[1:] == ["clear"]:
            self.voiced.append(line.text)
            return
        say = None if word in _OTHERS or word in ("label", "menu") else _SAY.fullmatch(line.text)
        if say and (say["who"] or kind != "menu"):
            yield from self._say(line, say, kind == "menu")
        elif not say and line.text.endswith(":"):
            self._open(line, word)
        elif not say and (not word or word in self.names):
            what = "is no line of dialogue; see whether its quotation marks are closed"
            yield Problem(line.place, f"{quoted(line.text, 30)} {what}")
        self.voiced.clear()

    def _open(self, line: _Line, word: str) -> None:
        kind = ""
        label = re.match(r"(?:label|menu)\s+([\w.]+)", line.text)
        if label:
            name = label[1]
            if name.startswith("."):
                name = self.label.partition(".")[0] + name
            # A label that begins with "_" is no part of an identifier.
            self.label = self.label if name.startswith("_") else name
        if word == "translate":
            parts = line.text.rstrip(":").split()
            self.translated = parts[2] if len(parts) == 3 else ""
            kind = "other" if self.translated in ("strings", "python", "style", "") else ""
        elif word == "menu":
            kind = "menu"
        elif word in _OTHERS and word not in _DESCENDED or re.match(r"init\b.*\bpython", line.text):
            kind = "other"
        self.blocks.append(_Block(line.indent, kind))

    def _say(self, line: _Line, say: re.Match[str], in_menu: bool) -> Iterator[Row | Problem]:
        self.last = _speaker(say["who"] or "", self.last, self.names)
        texts = _texts(say["what"], bool(say["raw"]))
        clauses = list(_CLAUSE.finditer(say["clauses"])) if say["clauses"] else []
        given = next((clause["id"] for clause in clauses if clause["id"]), "")
        for number, text in enumerate(texts):
            id = given if given and not number else ""
            if self.translated:
                id, self.translated = self.translated, ""
            if not id:
                id = self._identifier(_code(say, clauses, text, in_menu))
            self.voiced.clear()
            yield from _said(line.place, self.last, text, self.rules, _hints(say), id)

    def _identifier(self, code: str) -> str:
        """As Ren'Py makes it (renpy/translation, class Restructurer)."""
        said = "".join(f"{each}\r\n" for each in (*self.voiced, code))
        digest = hashlib.md5(said.encode(), usedforsecurity=False).hexdigest()[:8]
        base = f"{self.label.replace('.', '_')}_{digest}" if self.label else digest
        id = base
        while id in self.taken or id in self.own:
            self.counts[base] += 1
            id = f"{base}_{self.counts[base]}"
        self.taken.add(id)
        return id


def _speaker(who: str, last: str, names: Mapping[str, str]) -> str:
    """The name that is shown for an expression such as "e" or '"Eileen"'."""
    if who == "extend":
        return last
    if not who or who in _BODILESS:
        return NARRATOR
    if who[0] in "\"'`":
        return _texts(who, False)[0] if len(who) > 2 else NARRATOR
    return names.get(who, who)


def characters(text: str) -> dict[str, str]:
    """Variable -> name of the characters that a script defines."""
    names: dict[str, str] = {}
    for found in _CHARACTER.finditer(re.sub(r"(?m)^\s*#.*", "", text)):
        if found["shown"]:
            shown = _texts(found["shown"], False)
            name = shown[0] if shown else NARRATOR
            names[found["name"]] = f"[{name}]" if found["dynamic"] else name
        elif found["like"]:
            names[found["name"]] = names.get(found["like"], found["name"])
        elif found["none"]:
            names[found["name"]] = NARRATOR
    return {name.removeprefix("store."): shown for name, shown in names.items()}


def _lines(text: str) -> Iterator[_Line | Problem]:
    """The statements of a file, without comments."""
    text = text.replace("\r\n", "\n")
    if not text.endswith("\n"):
        text += "\n"
    parts: list[str] = []
    place = first = 1
    reached = depth = 0
    for found in _TOKEN.finditer(text):
        kind = found.lastgroup
        if kind == "quote":
            yield Problem(place, "a quotation mark is never closed")
            return
        if kind in ("string", "open", "close") or kind == "end" and depth:
            depth = max(depth + (kind == "open") - (kind == "close"), 0)
            place += found[0].count("\n")
            continue
        parts.append(text[reached : found.start()])
        reached = found.end()
        if kind == "joined":
            place += 1
        elif kind == "end":
            statement = "".join(parts)
            parts.clear()
            place += 1
            bare = statement.strip()
            if bare:
                margin = statement[: len(statement) - len(statement.lstrip())]
                if "\t" in margin:
                    yield Problem(first, "it is indented with a tab, and Ren'Py takes only spaces")
                yield _Line(first, len(margin.expandtabs()), bare)
            first = place
    if depth:
        yield Problem(first, "a bracket is never closed")


def _texts(written: str, raw: bool) -> list[str]:
    """What a string says; one in triple quotes has a text for each paragraph."""
    triple = len(written) >= 6 and written[:3] == written[0] * 3
    inside = written[3:-3] if triple else written[1:-1]
    if triple and not raw:
        parts = re.split(r"\n\n+", re.sub(r" *\n *", "\n", inside))
        return [_unquoted(part.strip()) for part in parts if part.strip()]
    return [inside if raw else _unquoted(inside)]


def _unquoted(inside: str) -> str:
    return _ESCAPE.sub(_escaped, re.sub(r"[ \n]+", " ", inside))


def _escaped(found: re.Match[str]) -> str:
    if found[1]:
        return chr(int(found[1], 16))
    return {"{": "{{", "[": "[[", "%": "%%", "n": "\n"}.get(found[2], found[2])


def _code(say: re.Match[str], clauses: list[re.Match[str]], text: str, in_menu: bool) -> str:
    """The statement as Ren'Py writes it back before it makes an identifier of it."""
    written = text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
    parts = [say["who"] or "", *(say["attributes"] or "").split()]
    if say["passing"]:
        parts += ["@", *say["passing"].split()]
    parts.append('"' + re.sub("(?<= ) ", r"\\ ", written) + '"')
    if in_menu or any(clause[0] == "nointeract" for clause in clauses):
        parts.append("nointeract")
    parts += [f"id {clause['id']}" for clause in clauses if clause["id"]]
    parts += [f"({clause['arguments']})" for clause in clauses if clause["arguments"]]
    parts += [f"with {clause['with']}" for clause in clauses if clause["with"]]
    return " ".join(part for part in parts if part)


def _hints(say: re.Match[str]) -> tuple[str, ...]:
    """The attributes of the picture that is shown, first those of the line; "-" takes one away."""
    attributes = (say["passing"] or say["attributes"] or "").split()
    return tuple(each for each in attributes if not each.startswith("-"))


def _said(
    place: int, who: str, text: str, rules: Rules, hints: tuple[str, ...], id: str
) -> Iterator[Row | Problem]:
    pieces = []
    for piece in _pieces(text):
        if isinstance(piece, Problem):
            yield piece._replace(place=place)
        else:
            pieces.append(piece)
    name: str | list[Piece] = who
    if re.search(r"[\[\]{}%]", who):
        name = [piece for piece in _pieces(who) if not isinstance(piece, Problem | Tag)]
    yield from said(place, name, pieces, rules, hints, id)


def _pieces(text: str) -> Iterator[Piece | Problem]:
    reached, unseen = 0, ""
    for found in _PIECE.finditer(text):
        if not unseen:
            yield text[reached : found.start()]
        reached = found.end()
        tag, closes = found["tag"], bool(found["closes"])
        if unseen:
            unseen = "" if closes and tag == unseen else unseen
        elif found["double"] or found["stray"]:
            yield literal(found[0][0])
        elif found["variable"] is not None or found["old"]:
            # What follows "!" says how the value is quoted, and what follows ":" its format.
            yield Variable(re.sub(r"![a-z]+|:[^\]]*$", "", found["variable"] or found["old"]))
        elif found["wrong"]:
            what = f"a {found[0]!r} is never closed; write {found[0] * 2} to say it"
            yield Problem(0, what)
        elif tag in _UNSEEN and not closes:
            unseen = tag
        else:
            if tag in _PARTED:
                yield " "
            yield Tag(tag, closes)
    yield "" if unseen else text[reached:]
