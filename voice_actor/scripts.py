"""Dialogue scripts as writers have them -> `ScriptLine`s, each with an id that stays its own."""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import json
import re
import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import PurePath
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from conditioning.emotion import quoted
from conditioning.errors import InvalidInput
from conditioning.files import shown

if TYPE_CHECKING:
    from .formats.spoken import Rules

MOST_LINES = 20_000
MOST_TOLD = 50  # problems in one message; the rest is counted
LONGEST_NAME = 60  # characters; what stands before a colon and is longer is no name
HASH = 8  # hexadecimal digits of the text's hash in an id
LONGEST_FILE = 80  # characters of a file's name, without its suffix


@dataclass(frozen=True)
class ScriptLine:
    """One line that somebody says.

    Attributes:
        id: the script's own, or one made from the character and the text: `stable_ids`.
        character: who says it.
        text: what is said, markup included.
        direction: how, as the script has it; None where it says nothing.
        to: whom it is said to; empty where the script does not say.
        place: number of the line in the file, from 1.
    """

    id: str
    character: str
    text: str
    direction: str | None = None
    to: tuple[str, ...] = ()
    place: int = 0


class Row(NamedTuple):
    """What a format's reader found, not yet checked."""

    place: int
    character: str
    text: str
    direction: str = ""
    to: tuple[str, ...] = ()
    id: str = ""


class Problem(NamedTuple):
    """What is wrong, and in which line of the file; 0 for the whole of it."""

    place: int
    what: str

    def __str__(self) -> str:
        return f"line {self.place}: {self.what}" if self.place else self.what


# What a column or a key may be called, the plainest word first; in any case, and with spaces,
# hyphens or underscores between words.
SYNONYMS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "id": ("id", "line id", "lineid", "key", "identifier"),
        "character": ("character", "speaker", "name", "who", "actor", "role"),
        "text": ("text", "line", "dialogue", "dialog", "says", "what"),
        "direction": (
            *("direction", "emotion", "delivery", "tone", "mood", "feeling", "manner", "how"),
            *("parenthetical", "acting", "stage direction"),
        ),
        "to": ("to", "listener", "addressee", "said to", "to whom", "recipient"),
    }
)
NEEDED = "character", "text"


def read_script(
    text: str, name: str = "script.txt", rules: Rules | None = None
) -> tuple[ScriptLine, ...]:
    """The lines of a script, in their order.

    The suffix of `name` says what it is:
    - .txt: "NAME: line", "NAME (direction): line", "NAME: (direction) line", "NAME to OTHER: line";
      an indented line goes on with the one before it; empty lines and those that begin with # are
      passed over.
    - .csv, .tsv: columns named as in `SYNONYMS`; others are passed over.
    - .json: a list of objects with the same keys.
    - .yarn (and a strings table as .csv), .rpy and dialogue.tab, .ink, .dialogue, .fountain, and
      Unreal's tables as .csv: Yarn Spinner, Ren'Py, Ink, Godot's Dialogue Manager, screenplays; see
      `voice_actor.formats`.

    Args:
        rules: what is said for variables, and done for tags, in the formats of engines.

    >>> read_script("BRAN to Ada (whispering): Who is there?")[0].direction
    'whispering'

    Raises:
        InvalidInput: an unknown suffix; or all that is wrong with the script, with line numbers.
    """
    suffix = PurePath(name).suffix.lower()
    if suffix not in READERS:
        raise InvalidInput(
            f"{shown(name)} is no script that can be read; allowed: {', '.join(READERS)}."
        )
    rows, problems = [], list(_halves(text))
    from .formats.spoken import Rules

    for found in READERS[suffix](text.removeprefix("\ufeff"), rules or Rules()):
        (problems if isinstance(found, Problem) else rows).append(found)
    problems += _problems(rows)
    if not rows and not problems:
        problems.append(Problem(0, "it holds no line"))
    if len(rows) > MOST_LINES:
        problems.append(
            Problem(0, f"it has {len(rows):,} lines, and at most {MOST_LINES:,} are read; split it")
        )
    refuse(problems, name)
    return tuple(
        ScriptLine(id, row.character, row.text, row.direction or None, row.to, row.place)
        for row, id in zip(rows, stable_ids(rows), strict=True)
    )


def refuse(problems: Iterable[Problem], name: str) -> None:
    """Raises InvalidInput that tells all problems in one sentence, if there are any."""
    problems = sorted(problems)
    if not problems:
        return
    told = [str(problem) for problem in problems[:MOST_TOLD]]
    if len(problems) > MOST_TOLD:
        told.append(f"and {len(problems) - MOST_TOLD:,} more")
    count = "a problem" if len(problems) == 1 else f"{len(problems):,} problems"
    raise InvalidInput(f"{shown(name)} has {count}: {'; '.join(told)}.")


def decode_script(content: bytes, name: str = "script.txt") -> str:
    """The text of a script's file: UTF-8, or UTF-16 with its byte order mark.

    Raises:
        InvalidInput: it is neither.
    """
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    else:
        encoding = "utf-8-sig"
    try:
        text = content.decode(encoding)
        if "\0" in text:
            raise UnicodeDecodeError(encoding, content, content.find(b"\0"), 0, "not text")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InvalidInput(
            f"{shown(name)} is not text in UTF-8 (see line {line}); save it again as UTF-8."
        ) from None
    return text


def suffix_of(text: str) -> str:
    """What a text without a file's name looks like: ".json", ".tsv", ".csv" or ".txt"."""
    start = text.lstrip("\ufeff \t\r\n")
    if re.match(r"\[\s*[{\]]", start):
        return ".json"
    header = start.partition("\n")[0]
    for suffix, separator in ((".tsv", "\t"), (".csv", ","), (".csv", ";")):
        roles = {_role(cell.strip(' "\r')) for cell in header.split(separator)}
        if roles.issuperset(NEEDED):
            return suffix
    return ".txt"


def stable_ids(rows: Iterable[Row]) -> Iterator[str]:
    """The id of each line: its own, or the character with a short hash of the text.

    The latter does not change when other lines come or go; the second of two equal lines, and only
    that, is numbered.
    """
    rows = list(rows)
    taken = {row.id for row in rows if row.id}
    counts: Counter[str] = Counter()
    for row in rows:
        if row.id:
            yield row.id
            continue
        said = hashlib.sha256(" ".join(row.text.split()).encode()).hexdigest()[:HASH]
        plain = f"{_slug(row.character)}-{said}"
        while True:
            counts[plain] += 1
            made = plain if counts[plain] == 1 else f"{plain}-{counts[plain]}"
            if made not in taken:
                break
        yield made


def file_names(ids: Iterable[str]) -> dict[str, str]:
    """A name for the file of each id, without suffix, that every file system takes.

    Letters, digits, "_", "-" and inner dots stay; two that come out the same, in any case, are
    numbered.
    """
    names, taken = {}, set()
    for id in ids:
        plain = re.sub(r"[^\w.-]+", "_", id).strip("._")[:LONGEST_FILE].rstrip(".")
        # Names of devices mean no file under Windows, whatever their suffix.
        if not plain or re.fullmatch(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?", plain):
            plain = f"line_{plain}".rstrip("_")
        name, number = plain, 1
        while name.casefold() in taken:
            number += 1
            name = f"{plain}_{number}"
        taken.add(name.casefold())
        names[id] = name
    return names


def _slug(character: str) -> str:
    return re.sub(r"\W+", "-", character.casefold()).strip("-") or "somebody"


def _problems(rows: Iterable[Row]) -> Iterator[Problem]:
    """What is wrong with rows of any format."""
    seen: dict[str, int] = {}
    for row in rows:
        if not row.character:
            yield Problem(row.place, "nobody is named who says it")
        if not row.text:
            yield Problem(row.place, "there is nothing to say")
        if row.id in seen:
            where = f"line {seen[row.id]}"
            yield Problem(row.place, f"the id {quoted(row.id)} is that of {where} already")
        elif row.id:
            seen[row.id] = row.place


# JSON can spell out what no file can hold.
_HALF = re.compile("[\ud800-\udfff]")
_HELD = "it holds half of a character, which cannot be written; delete it or write it whole"


def _halves(text: str) -> Iterator[Problem]:
    for place, line in enumerate(text.splitlines(), 1):
        if _HALF.search(line):
            yield Problem(place, _HELD)


# Plain text

_NAMED = re.compile(
    rf"""(?P<name>[^:：()\[\]]{{1,{LONGEST_NAME}}}?)
        (?:\s*\((?P<before>[^()]*)\))?
        \s*[:：]
        (?:\s*\((?P<after>[^()]*)\)(?=\s|$))?
        \s*(?P<text>.*)""",
    re.VERBOSE | re.DOTALL,
)
_TO = re.compile(r"(?P<who>.+?)\s+(?:to|TO|->|→)\s+(?P<to>.+)")
_AND = re.compile(r"\s*[,&]\s*(?:and\s+)?|\s+and\s+", re.IGNORECASE)


def _read_plain(text: str) -> Iterator[Row | Problem]:
    lines = [
        (place, line)
        for place, line in enumerate(text.expandtabs().splitlines(), 1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    # A script that is indented as a whole is not.
    margin = textwrap.dedent("\n".join(line for _, line in lines)).splitlines()
    lines = [(place, line) for (place, _), line in zip(lines, margin, strict=True)]
    flush = (_NAMED.fullmatch(line) for _, line in lines if line[0] != " ")
    known = {found["name"].casefold() for found in flush if found}
    gathered: list[tuple[int, list[str]]] = []
    for place, line in lines:
        indented, found = line[0] == " ", _NAMED.fullmatch(line.strip())
        if indented and gathered and not (found and found["name"].casefold() in known):
            gathered[-1][1].append(line.strip())
        elif found:
            gathered.append((place, [line.strip()]))
        else:
            yield Problem(
                place,
                f"{quoted(line.strip(), 30)} has no name; write 'NAME: line', or indent it to go "
                "on with the line before",
            )
    for place, parts in gathered:
        found = _NAMED.fullmatch(" ".join(parts))
        addressed = _TO.fullmatch(found["name"])
        directions = (found["before"], found["after"])
        yield Row(
            place,
            " ".join((addressed["who"] if addressed else found["name"]).split()),
            found["text"].strip(),
            ", ".join(each.strip() for each in directions if each and each.strip()),
            _several(addressed["to"]) if addressed else (),
        )


def _several(names: str) -> tuple[str, ...]:
    return tuple(name for name in _AND.split(" ".join(names.split())) if name)


# Tables


def _role(word: str) -> str | None:
    """What a column or key means, by its name."""
    plain = " ".join(re.split(r"[\s_-]+", word.strip().casefold()))
    return next((role for role, words in SYNONYMS.items() if plain in words), None)


def _roles(words: Iterable[str]) -> dict[str, str]:
    """Role -> the name that means it; of several, the plainest."""
    chosen: dict[str, str] = {}
    for word in words:
        role = _role(word)
        if role and (role not in chosen or _plainness(word, role) < _plainness(chosen[role], role)):
            chosen[role] = word
    return chosen


def _plainness(word: str, role: str) -> int:
    return SYNONYMS[role].index(" ".join(re.split(r"[\s_-]+", word.strip().casefold())))


def _read_csv(text: str) -> Iterator[Row | Problem]:
    header = text.lstrip().partition("\n")[0]
    # A spreadsheet whose language has a decimal comma writes semicolons.
    yield from _read_table(text, max(",;\t", key=header.count))


def _read_tsv(text: str) -> Iterator[Row | Problem]:
    yield from _read_table(text, "\t")


def _read_table(text: str, separator: str) -> Iterator[Row | Problem]:
    header, roles = None, {}
    for row in table_rows(text, separator):
        if isinstance(row, Problem):
            yield row
            return
        place, cells = row
        if header is None:
            header = [cell.strip() for cell in cells]
            roles = {role: header.index(word) for role, word in _roles(header).items()}
            missing = [role for role in NEEDED if role not in roles]
            if missing:
                yield Problem(place, _missing(missing, "column"))
                return
            continue
        if len(cells) > len(header) and any(cell.strip() for cell in cells[len(header) :]):
            yield Problem(
                place,
                f"it has {len(cells)} cells under {len(header)} columns; put a text that holds "
                f"{_SEPARATORS[separator]} into quotation marks",
            )
            continue
        found = {
            role: cells[index].strip() if index < len(cells) else ""
            for role, index in roles.items()
        }
        yield Row(place, **found | {"to": _several(found.get("to", ""))})


def table_rows(text: str, separator: str = ",") -> Iterator[tuple[int, list[str]] | Problem]:
    """Number of the line and cells of each row that is not empty; a Problem is the last."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    read = 0
    while True:
        place = read + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Problem(place, f"its quotation marks or cells cannot be read ({error})")
            return
        read = reader.line_num
        if any(cell.strip() for cell in cells):
            yield place, cells


_SEPARATORS = {",": "a comma", ";": "a semicolon", "\t": "a tab"}


def _missing(roles: list[str], what: str) -> str:
    told = (
        f"no {what} {role!r} (or {', '.join(map(repr, SYNONYMS[role][1:4]))})" for role in roles
    )
    return f"there is {' and '.join(told)}"


# JSON


def _read_json(text: str) -> Iterator[Row | Problem]:
    try:
        items = json.loads(text)
    except json.JSONDecodeError as error:
        yield Problem(error.lineno, f"it is not JSON ({error.msg})")
        return
    except RecursionError:
        yield Problem(0, "it is nested too deeply")
        return
    except ValueError:
        yield Problem(0, "a number in it has too many digits")
        return
    if not isinstance(items, list):
        yield Problem(1, "it is not a list of objects with 'character' and 'text'")
        return
    for place, item in zip(_places(text), items, strict=True):
        yield from _read_object(place, item)


def _places(text: str) -> Iterator[int]:
    """The number of the line on which each item of a JSON list begins."""
    decoder, position, line, counted = json.JSONDecoder(), text.index("[") + 1, 1, 0
    while True:
        position = re.compile(r"[\s,]*").match(text, position).end()
        if text[position] == "]":
            return
        line, counted = line + text.count("\n", counted, position), position
        yield line
        _, position = decoder.raw_decode(text, position)


def _read_object(place: int, item: object) -> Iterator[Row | Problem]:
    if not isinstance(item, dict):
        yield Problem(place, "it is not an object with 'character' and 'text'")
        return
    roles = _roles(item)
    missing = [role for role in NEEDED if role not in roles]
    if missing:
        yield Problem(place, _missing(missing, "key"))
        return
    found = {role: item[key] for role, key in roles.items() if item[key] is not None}
    if isinstance(found.get("id"), int) and not isinstance(found["id"], bool):
        found["id"] = str(found["id"])
    listed = found.pop("to", ())
    to = _several(listed) if isinstance(listed, str) else listed
    wrong = [role for role, value in found.items() if not isinstance(value, str)]
    if not isinstance(to, list | tuple) or not all(isinstance(name, str) for name in to):
        wrong.append("to")
    if wrong:
        yield Problem(place, f"{' and '.join(map(repr, wrong))} is no text")
        return
    if _HALF.search("".join([*found.values(), *to])):
        yield Problem(place, _HELD)
        return
    plain = {role: value.strip() for role, value in found.items()}
    names = tuple(name.strip() for name in to if name.strip())
    yield Row(place, plain.pop("character", ""), plain.pop("text", ""), **plain, to=names)


def _read_csv_of(text: str, rules: Rules) -> Iterator[Row | Problem]:
    """A table with commas: Yarn Spinner's or Unreal's by its columns, or anybody's."""
    from .formats import unreal, yarn

    header = text.partition("\n")[0].strip()
    if set(yarn.STRINGS) <= {cell.strip('" ') for cell in header.split(",")}:
        return yarn.read_strings(text, rules)
    return unreal.read(text, rules) if unreal.recognised(text) else _read_csv(text)


def _plainly(read: Callable[[str], Iterator[Row | Problem]]) -> Reader:
    """A format that knows no variables and tags."""
    return lambda text, rules: read(text)


def _of(module: str, read: str = "read") -> Reader:
    """The reader of a format that has a module of its own, which is imported when it is needed."""

    def reader(text: str, rules: Rules) -> Iterator[Row | Problem]:
        return getattr(import_module(f"voice_actor.formats.{module}"), read)(text, rules)

    return reader


Reader = Callable[[str, "Rules"], Iterator["Row | Problem"]]
READERS: Mapping[str, Reader] = MappingProxyType(
    {
        ".txt": _plainly(_read_plain),
        ".csv": _read_csv_of,
        ".tsv": _plainly(_read_tsv),
        ".json": _plainly(_read_json),
        ".yarn": _of("yarn"),
        ".rpy": _of("renpy"),
        ".tab": _of("renpy", "read_table"),
        ".ink": _of("ink"),
        ".dialogue": _of("godot"),
        ".fountain": _of("fountain"),
    }
)
"""How each format is read, by its suffix: every line that is found, and every problem."""
