"""Dialogue scripts as writers have them -> `ScriptLine`s, each with an id that stays its own."""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import json
import re
import textwrap
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import PurePath
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from conditioning.emotion import parse_number, quoted
from conditioning.errors import InvalidInput
from conditioning.files import shown
from conditioning.taxonomy import ALIASES, NAMES

if TYPE_CHECKING:
    from .formats.spoken import Rules

MOST_LINES = 20_000  # of all scripts that are read together
MOST_TOLD = 50  # problems in one message; the rest is counted
LONGEST_NAME = 60  # characters; what stands before a colon and is longer is no name
HASH = 8  # hexadecimal digits of the text's hash in an id
LONGEST_FILE = 80  # characters of a file's name, without its suffix
MOST_BYTES = 200  # of the same in UTF-8


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
        script: name of the file.
    """

    id: str
    character: str
    text: str
    direction: str | None = None
    to: tuple[str, ...] = ()
    place: int = 0
    script: str = ""


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
        "id": ("id", "line id", "lineid", "key", "identifier", "dialogue id", "voice id"),
        "character": ("character", "speaker", "name", "who", "actor", "role"),
        "text": (
            *("text", "line", "dialogue", "dialog", "says", "what", "message", "body", "speech"),
            *("utterance", "subtitle"),
        ),
        "direction": (
            *("direction", "emotion", "delivery", "tone", "mood", "feeling", "manner", "how"),
            *("parenthetical", "acting", "stage direction", "emotions"),
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
    - .csv, .tsv: columns named as in `SYNONYMS`, and columns named as an emotion ("Anger") with
      numbers from 0 to 1, which come after the direction's words; others are passed over.
    - .json: a list of objects with the same keys, alone or as one value of an object, or an object
      of ids and such objects; "emotion" may also hold an object of numbers.
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
    return read_scripts({name: text}, rules)


def read_scripts(
    files: Mapping[str, str],
    rules: Rules | None = None,
    check: Callable[[Row], Iterable[str]] = lambda row: (),
) -> tuple[ScriptLine, ...]:
    """The lines of several scripts, in their order; see `read_script`.

    No two have one id. What one file defines holds in the others of its kind: the characters of
    Ren'Py and the constants of ink. A file without a line is fine as long as another has some.

    Args:
        files: name of each file -> its text.
        check: what else is wrong with a line, as sentences.

    >>> [line.script for line in read_scripts({"a.txt": "ADA: Yes.", "b.txt": "BRAN: No."})]
    ['a.txt', 'b.txt']

    Raises:
        InvalidInput: all that is wrong with all of them, with names of files and line numbers.
    """
    from .formats.spoken import Rules

    if not files:
        raise InvalidInput("There is no script to read; name at least one.")
    files = {name: _plain_ends(text) for name, text in files.items()}
    rules = rules or Rules()
    known = {suffix: _defined(suffix, files, rules) for suffix in _DEFINING}
    rows: list[tuple[str, Row]] = []
    problems: list[tuple[str, Problem]] = []
    for name, text in files.items():
        suffix = _suffix(name)
        if suffix not in READERS:
            what = f"is no script that can be read; allowed: {', '.join(READERS)}"
            if len(files) == 1:
                raise InvalidInput(f"{shown(name)} {what}.")
            problems.append((name, Problem(0, f"it {what}")))
            continue
        problems += ((name, problem) for problem in _unwritable(text))
        for found in READERS[suffix](text, known.get(_KINDS.get(suffix), rules)):
            (problems if isinstance(found, Problem) else rows).append((name, found))
    problems += _problems(rows)
    problems += (
        (name, Problem(row.place, what.rstrip("."))) for name, row in rows for what in check(row)
    )
    if not rows and not problems:
        what = "it holds no line" if len(files) == 1 else "none of the scripts holds a line"
        problems.append((next(iter(files)), Problem(0, what)))
    if len(rows) > MOST_LINES:
        what = f"has {len(rows):,} lines, and at most {MOST_LINES:,} are read; split it"
        if len(files) > 1:
            what = f"is one of {len(files)} that have {len(rows):,} lines together, and at most "
            what += f"{MOST_LINES:,} are read; read fewer at once"
        problems.append((next(iter(files)), Problem(0, f"it {what}")))
    refuse_all(problems, list(files))
    ids = stable_ids(row for _, row in rows)
    return tuple(
        ScriptLine(id, row.character, row.text, row.direction or None, row.to, row.place, name)
        for (name, row), id in zip(rows, ids, strict=True)
    )


def speakers(lines: Iterable[ScriptLine]) -> dict[str, ScriptLine]:
    """The first line of each character, in the order in which they speak."""
    first: dict[str, ScriptLine] = {}
    for line in lines:
        first.setdefault(line.character, line)
    return first


def refuse(problems: Iterable[Problem], name: str) -> None:
    """Raises InvalidInput that tells all problems in one sentence, if there are any."""
    refuse_all(((name, problem) for problem in problems), [name])


def refuse_all(problems: Iterable[tuple[str, Problem]], names: Sequence[str]) -> None:
    """As `refuse`, for several scripts by their names, each problem with the name of its own."""
    order = {name: number for number, name in enumerate(names)}
    problems = sorted(problems, key=lambda each: (order[each[0]], each[1]))
    if not problems:
        return
    told = [
        str(problem) if len(names) == 1 else _at(name, problem)
        for name, problem in problems[:MOST_TOLD]
    ]
    if len(problems) > MOST_TOLD:
        told.append(f"and {len(problems) - MOST_TOLD:,} more")
    count = "a problem" if len(problems) == 1 else f"{len(problems):,} problems"
    whose = f"{shown(names[0])} has" if len(names) == 1 else f"The {len(names)} scripts have"
    raise InvalidInput(f"{whose} {count}: {'; '.join(told)}.")


def _at(name: str, problem: Problem) -> str:
    place = f"{shown(name)}, line {problem.place}" if problem.place else shown(name)
    return f"{place}: {problem.what}"


def _suffix(name: str) -> str:
    return PurePath(name).suffix.lower()


def _plain_ends(text: str) -> str:
    """The text without a byte order mark and with one kind of line ends."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


# Suffix -> the one whose files define something for it, and by which function of its module that
# is found.
_KINDS = {".rpy": ".rpy", ".tab": ".rpy", ".ink": ".ink"}
_DEFINING = {".rpy": ("renpy", "characters"), ".ink": ("ink", "variables")}


def _defined(suffix: str, files: Mapping[str, str], rules: Rules) -> Rules:
    """The rules with what the files of a kind define for each other; rules that are given win."""
    module, what = _DEFINING[suffix]
    texts = [text for name, text in files.items() if _suffix(name) == suffix]
    if not texts:
        return rules
    define = getattr(import_module(f"voice_actor.formats.{module}"), what)
    return replace(rules, **{what: define("\n".join(texts)) | dict(getattr(rules, what))})


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
        roles = {role_of(cell.strip(' "\r')) for cell in header.split(separator)}
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
        said = _hash(" ".join(row.text.split()))
        plain = f"{_slug(row.character)}-{said}"
        while True:
            counts[plain] += 1
            made = plain if counts[plain] == 1 else f"{plain}-{counts[plain]}"
            if made not in taken:
                break
        yield made


def file_names(ids: Iterable[str]) -> dict[str, str]:
    """A name for the file of each id, without suffix, that every file system takes.

    Letters, digits, "_", "-" and inner dots stay. Of those that come out the same, in any case, the
    id that is its name already keeps it; the others get a piece of a hash of their id, so that no
    name depends on the order of the lines.
    """
    plain = {id: _plain_name(id) for id in ids}
    alike = Counter(map(_folded, plain.values()))
    exact = Counter(_folded(name) for id, name in plain.items() if name == id)

    def name_of(id: str, name: str) -> str:
        folded = _folded(name)
        own = alike[folded] == 1 or (name == id and exact[folded] == 1)
        return name if own else f"{name}_{_hash(id)}"

    names = {id: name_of(id, name) for id, name in plain.items()}
    taken = Counter(map(_folded, names.values()))
    # An id may look like another with its hash.
    return {id: name if taken[_folded(name)] == 1 else _hash(id, 64) for id, name in names.items()}


def _plain_name(id: str) -> str:
    name = re.sub(r"[^\w.-]+", "_", id).strip("._")[:LONGEST_FILE]
    # File systems count bytes.
    name = name.encode()[:MOST_BYTES].decode(errors="ignore").rstrip(".")
    # Names of devices mean no file under Windows, whatever their suffix.
    if not name or re.fullmatch(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?", name):
        return f"line_{name}".rstrip("_")
    return name


def _folded(name: str) -> str:
    """What file systems that ignore case, or compose letters, take for the same."""
    return unicodedata.normalize("NFC", name).casefold()


def _hash(text: str, digits: int = HASH) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:digits]


def _slug(character: str) -> str:
    return re.sub(r"\W+", "-", character.casefold()).strip("-") or "somebody"


def _problems(rows: Iterable[tuple[str, Row]]) -> Iterator[tuple[str, Problem]]:
    """What is wrong with rows of any format, with the name of the file of each."""
    seen: dict[str, tuple[str, int]] = {}
    for name, row in rows:
        if not row.character:
            yield name, Problem(row.place, "nobody is named who says it")
        if not row.text:
            yield name, Problem(row.place, "there is nothing to say")
        if row.id in seen:
            other, place = seen[row.id]
            where = f"line {place}" if other == name else f"{shown(other)}, line {place}"
            yield name, Problem(row.place, f"the id {quoted(row.id)} is that of {where} already")
        elif row.id:
            seen[row.id] = name, row.place


# JSON can spell out what no file can hold.
_UNWRITABLE = re.compile("[\0\ud800-\udfff]")


def _unwritable(text: str) -> Iterator[Problem]:
    if _UNWRITABLE.search(text):
        for place, line in enumerate(text.split("\n"), 1):
            if found := _UNWRITABLE.search(line):
                yield Problem(place, _held(found[0]))


def _held(character: str) -> str:
    if character == "\0":
        return "it holds a zero byte, which is no text; delete it"
    return "it holds half of a character, which cannot be written; delete it or write it whole"


# Plain text

_NAMED = re.compile(
    rf"""(?P<name>[^:：()\[\]]{{1,{LONGEST_NAME}}}?)
        (?:\s*\((?P<before>[^()]*)\))?
        \s*[:：]
        (?:\s*\((?P<after>[^()]*)\)(?=\s|$))?
        \s*(?P<text>.*)""",
    re.VERBOSE | re.DOTALL,
)
_REMARK = re.compile(r"\s*#(?![^\s#:]+#\s*:)")  # but "#Person1#: line" is one of dialogue
_TO = re.compile(r"(?P<who>.+?)\s+(?:to|TO|->|→)\s+(?P<to>.+)")
_AND = re.compile(r"\s*[,&]\s*(?:and\s+)?|\s+and\s+", re.IGNORECASE)


def _read_plain(text: str) -> Iterator[Row | Problem]:
    lines = [
        (place, _indented(line))
        for place, line in enumerate(text.split("\n"), 1)
        if line.strip() and not _REMARK.match(line)
    ]
    if not lines:
        return
    # A script that is indented as a whole is not.
    margin = textwrap.dedent("\n".join(line for _, line in lines)).split("\n")
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


def _indented(line: str) -> str:
    """The line with spaces for tabs: as wide in the margin, one within the text."""
    margin = re.match(r"\s*", line)[0]
    return margin.expandtabs() + line[len(margin) :].replace("\t", " ")


def _several(names: str) -> tuple[str, ...]:
    return tuple(name for name in _AND.split(" ".join(names.split())) if name)


# Tables


def role_of(word: str) -> str | None:
    """What a column or key means, by its name."""
    plain = " ".join(re.split(r"[\s_-]+", word.strip().casefold()))
    return next((role for role, words in SYNONYMS.items() if plain in words), None)


def _roles(words: Iterable[str]) -> dict[str, str]:
    """Role -> the name that means it; of several, the plainest."""
    chosen: dict[str, str] = {}
    for word in words:
        role = role_of(word)
        if role and (role not in chosen or _plainness(word, role) < _plainness(chosen[role], role)):
            chosen[role] = word
    return chosen


def _plainness(word: str, role: str) -> int:
    return SYNONYMS[role].index(" ".join(re.split(r"[\s_-]+", word.strip().casefold())))


# Emotions by number


def _category(word: str) -> str | None:
    """The emotion that a column or key names, as `taxonomy.find` takes it; None for none."""
    plain = " ".join(re.split(r"[\s_/-]+", word.lower().replace("&", " and "))).strip()
    return None if role_of(word) else ALIASES.get(plain)


def _felt(place: int, words: str, given: Iterable[tuple[str, object]]) -> str | Problem:
    """A direction with (emotion, what stands for its intensity) after its words; 0 is nothing."""
    felt: dict[str, float] = {}
    for name, written in given:
        if written is None or written == "":
            continue
        category = _category(name)
        if category is None:
            known = f"allowed: the {len(NAMES)} of EmoNet-Voice, such as 'Anger'"
            return Problem(place, f"{quoted(name)} is no emotion; {known}")
        number = parse_number(written) if isinstance(written, str) else written
        if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number <= 1:
            what = quoted(written) if isinstance(written, str) else quoted(json.dumps(written))
            allowed = "allowed: a number from 0 to 1, or nothing"
            return Problem(place, f"{quoted(name)} is {what}; {allowed}")
        if number > felt.get(category, 0):
            felt[category] = number
    return ", ".join([words] * bool(words) + [f"{name}={felt[name]:g}" for name in felt])


def _read_csv(text: str) -> Iterator[Row | Problem]:
    header = text.lstrip().partition("\n")[0]
    # A spreadsheet whose language has a decimal comma writes semicolons.
    yield from _read_table(text, max(",;\t", key=header.count))


def _read_tsv(text: str) -> Iterator[Row | Problem]:
    yield from _read_table(text, "\t")


def _read_table(text: str, separator: str) -> Iterator[Row | Problem]:
    header, roles, feelings = None, {}, []
    for row in table_rows(text, separator):
        if isinstance(row, Problem):
            yield row
            return
        place, cells = row
        if header is None:
            header = [cell.strip() for cell in cells]
            roles = {role: header.index(word) for role, word in _roles(header).items()}
            feelings = [(at, word) for at, word in enumerate(header) if _category(word)]
            missing = [role for role in NEEDED if role not in roles]
            if missing:
                yield Problem(place, _missing(missing, "column"))
                return
            continue
        # Spreadsheets write empty cells beyond the last; a tab too many has shifted the others.
        beyond = cells[len(header) :]
        if beyond and (separator == "\t" or any(cell.strip() for cell in beyond)):
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
        found["to"] = _several(found.get("to", ""))
        given = [(word, cells[at].strip()) for at, word in feelings if at < len(cells)]
        if separator == ";":
            given = [(word, cell.replace(",", ".")) for word, cell in given]
        directed = _felt(place, found.get("direction", ""), given)
        if isinstance(directed, Problem):
            yield directed
        yield Row(place, **found | {"direction": "" if isinstance(directed, Problem) else directed})


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
    at = _table(text, items, _SPACE.match(text).end())
    if at is None:
        yield Problem(1, "it is not a list of objects with 'character' and 'text'")
        return
    line, counted = 1, 0
    for key, item, start in _members(text, at):
        line, counted = line + text.count("\n", counted, start), start
        yield from _read_object(line, {"id": key, **item} if key else item)


_SPACE, _COMMA, _COLON = re.compile(r"\s*"), re.compile(r"[\s,]*"), re.compile(r"\s*:\s*")


def _members(text: str, at: int) -> Iterator[tuple[str, object, int]]:
    """Key ("" in a list), value and its place, of each in the list or object that begins there."""
    decoder, keyed = json.JSONDecoder(), text[at] == "{"
    at = _SPACE.match(text, at + 1).end()
    while text[at] not in "]}":
        key = ""
        if keyed:
            key, at = decoder.raw_decode(text, at)
            at = _COLON.match(text, at).end()
        value, end = decoder.raw_decode(text, at)
        yield key, value, at
        at = _COMMA.match(text, end).end()


def _table(text: str, items: object, at: int) -> int | None:
    """Where the lines stand in a JSON value that begins there; None for nowhere."""
    if isinstance(items, list) or _hold_text(items):
        return at
    if not isinstance(items, dict):
        return None
    within = [start for _, item, start in _members(text, at) if _hold_text(item)]
    return within[0] if len(within) == 1 else None


def _hold_text(value: object) -> bool:
    """Whether a list or an object holds nothing but objects, and a text in some of them."""
    items = list(value.values()) if isinstance(value, dict) else value
    return (
        isinstance(items, list)
        and all(isinstance(item, dict) for item in items)
        and any("text" in _roles(item) for item in items)
    )


def _read_object(place: int, item: object) -> Iterator[Row | Problem]:
    if not isinstance(item, dict):
        yield Problem(place, "it is not an object with 'character' and 'text'")
        return
    given = [(key, value) for key, value in item.items() if _category(key)]
    for key in [key for key, value in item.items() if isinstance(value, dict)]:
        if role_of(key) == "direction":
            given += item[key].items()
            item = {other: value for other, value in item.items() if other != key}
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
    if held := _UNWRITABLE.search("".join([*found.values(), *to])):
        yield Problem(place, _held(held[0]))
        return
    plain = {role: value.strip() for role, value in found.items()}
    directed = _felt(place, plain.pop("direction", ""), given)
    if isinstance(directed, Problem):
        yield directed
        directed = ""
    names = tuple(name.strip() for name in to if name.strip())
    who, said = plain.pop("character", ""), plain.pop("text", "")
    yield Row(place, who, said, directed, names, **plain)


def _read_csv_of(text: str, rules: Rules) -> Iterator[Row | Problem]:
    """A table with commas: Yarn Spinner's or Unreal's by its columns, or anybody's."""
    from .formats import unreal, yarn

    if yarn.recognised(text):
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
