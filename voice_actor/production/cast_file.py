"""`CastFile`: who plays whom and how the lines are delivered, as a creator writes it in TOML."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from functools import cache, cached_property
from types import MappingProxyType, NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from conditioning.direction import direct
from conditioning.emotion import EmotionVector, quoted
from conditioning.errors import InvalidInput, UnknownName, UserError, unknown_name
from conditioning.temperament import find_temperament
from voice_actor.formats.spoken import Rules
from voice_actor.phonemes import phonemize
from voice_actor.scripts import LONGEST_NAME, Problem, refuse
from voice_actor.voices import cast, parse_voice

from .delivery import Delivery, check_loudness
from .gate import Gate
from .roles import Role

ANYBODY = "*"  # the entry for every character who has none
MOST_MOOD = 0.4  # intensity of what is felt without a reason; as in `Persona.mood`
SEEDS = 2**31  # as in `voice_actor.actor`, whose import takes seconds
_DEEPEST = 4  # names in the path of a key that means something

T = TypeVar("T")
Path = tuple[str, ...]
"""Names of the tables around a key, and its own."""


@dataclass(frozen=True)
class CastFile:
    """What a cast file says.

    Attributes:
        roles: by the script's name of the character; aliases are entries of their own, and
            `ANYBODY` stands for everybody who has none.
        rules: what is said for variables, done for tags, and who is meant by an alias.
        delivery: in what form the speech is handed over.
        gate: when a line is good enough.
        moods: whether feelings carry over from line to line.
        seed: of all randomness, from 0 to `SEEDS` - 1.
    """

    roles: Mapping[str, Role] = field(default_factory=dict)
    rules: Rules = field(default_factory=Rules)
    delivery: Delivery = field(default_factory=Delivery)
    gate: Gate = field(default_factory=Gate)
    moods: bool = False
    seed: int = 0

    def role(self, character: str) -> Role:
        """How a character is played, by the script's name, whatever its capitals.

        Raises:
            UnknownName: nobody plays them.
        """
        found = self.roles.get(character) or self._folded.get(character.casefold())
        if found is not None:
            return found
        if ANYBODY in self.roles:
            return replace(self.roles[ANYBODY], character=character)
        raise unknown_name("character", character, self.roles)

    def missing(self, characters: Iterable[str]) -> tuple[str, ...]:
        """Those whom nobody plays, each once, in their order."""
        if ANYBODY in self.roles:
            return ()
        return tuple(
            name
            for name in dict.fromkeys(characters)
            if name not in self.roles and name.casefold() not in self._folded
        )

    @cached_property
    def _folded(self) -> dict[str, Role]:
        return {name.casefold(): role for name, role in self.roles.items()}


def read_cast(text: str, name: str = "cast.toml") -> CastFile:
    """The cast of a script, from TOML.

    Above all tables may stand `moods` and `seed`. `[characters.Bran]` holds the attributes of
    `Role`, and `aliases`, other names in the script; `mood` is in words or numbers, of which each
    emotion is felt up to `MOST_MOOD`. `[characters."*"]` is for everybody who is not named.
    `[pronunciations]` are everybody's; `[variables]` and `[tags]` are those of `Rules`,
    `[delivery]` of `Delivery` and `[quality]` of `Gate`.

    >>> cast = read_cast('''
    ... [characters.Bran]
    ... voice = "bm_george"
    ... mood = "slightly sad"
    ... aliases = ["Innkeeper"]
    ... ''')
    >>> cast.role("INNKEEPER").voice, str(cast.role("Bran").baseline)
    ('bm_george', 'Sadness=0.27')

    Args:
        name: of the file, for messages.

    Raises:
        InvalidInput: all that is wrong with it, with lines and keys.
    """
    text = text.removeprefix("\ufeff")
    reader = _Reader(_parsed(text, name))
    read = reader.read()
    if reader.wrong:
        lines = _lines(text)
        refuse((Problem(_line(path, lines), what) for path, what in reader.wrong), name)
    return read


class _Reader:
    """One pass over what a file says; what is wrong with it is gathered in `wrong`."""

    def __init__(self, said: Mapping[str, Any]) -> None:
        self.said = said
        self.wrong: dict[tuple[Path, str], None] = {}  # each once
        self.names: dict[str, str] = {}  # of characters, in small letters -> the entry's

    def read(self) -> CastFile:
        self._only((), _TOP.keys() | _TABLES)
        top = self._made((), _TOP)
        everybody = self._pronunciations(("pronunciations",))
        entries = [("characters", name) for name in self._table(("characters",))]
        # Before any alias, so that it is the alias that is told to be taken.
        for entry in entries:
            self._name(entry, entry[1], entry)
        roles: dict[str, Role] = {}
        for entry in entries:
            roles |= self._roles(entry, everybody)
        rules = Rules(
            self._each(("variables",), str | int, str),
            self._each(("tags",), str, _direction),
            {name: role.character for name, role in roles.items() if name != role.character},
        )
        delivery, gate = self._fields(("delivery",), Delivery), self._fields(("quality",), Gate)
        return CastFile(roles, rules, delivery, gate, **top)

    def _roles(self, entry: Path, everybody: Mapping[str, str]) -> dict[str, Role]:
        """The role of an entry under each of its names."""
        self._only(entry, _ROLE.keys() | {"aliases", "pronunciations"})
        own = self._pronunciations((*entry, "pronunciations"))
        made = self._made(entry, _ROLE)
        role = Role(entry[1], **made, pronunciations={**everybody, **own})
        aliases = self._made(entry, {"aliases": (tuple[str, ...], tuple)}).get("aliases", ())
        for alias in aliases:
            self._name((*entry, "aliases"), alias, entry)
        return dict.fromkeys((entry[1], *aliases), role)

    def _name(self, path: Path, name: str, entry: Path) -> None:
        """Notes that an entry has a name, which no other may have."""
        with self._at(path):
            if not name.strip():
                raise InvalidInput("a name is empty; write the one in the script")
            if name.casefold() in self.names:
                raise InvalidInput(
                    f"{quoted(name)} is {self.names[name.casefold()]} already, whatever its "
                    "capitals; keep one of the two"
                )
            self.names[name.casefold()] = _header(entry)

    def _pronunciations(self, path: Path) -> dict[str, str]:
        """Those of a table that can be spoken, by words in lower case."""
        checked: dict[str, str] = {}
        for word, symbols in self._each(path, str, str).items():
            with self._at((*path, word)):
                phonemize("Well.", pronunciations={word: symbols})
                if word.lower() in checked:
                    raise InvalidInput("the word stands here twice, whatever its capitals")
                checked[word.lower()] = symbols
        return checked

    def _table(self, path: Path) -> Mapping[str, Any]:
        """A table; an empty one where there is none."""
        found: Any = self.said
        for name in path:
            if not isinstance(found, dict) or name not in found:
                return {}
            found = found[name]
        with self._at(path):
            return _fitted(found, dict)
        return {}

    def _only(self, path: Path, known: Iterable[str]) -> None:
        """Tells keys of a table that mean nothing."""
        for key, value in self._table(path).items():
            with self._at((*path, key)):
                if key not in known:
                    raise _unknown(path, key, value, known)

    def _made(self, path: Path, keys: Mapping[str, _Key]) -> dict[str, Any]:
        """What is made of those keys of a table that are there and right."""
        table, made = self._table(path), {}
        for key, (kind, make) in keys.items():
            if key in table:
                with self._at((*path, key)):
                    made[key] = make(_fitted(table[key], kind))
        return made

    def _each(self, path: Path, kind: Any, make: Callable[[Any], Any]) -> dict[str, Any]:
        """A table in which any key may stand."""
        return self._made(path, dict.fromkeys(self._table(path), (kind, make)))

    def _fields(self, path: Path, made_of: Callable[..., T]) -> T:
        """A dataclass, its fields the keys of a table.

        It is made field after field, so that each tells what is wrong with it beside those before.
        """
        kinds, table = get_type_hints(made_of), self._table(path)
        names = [each.name for each in fields(made_of)]
        self._only(path, names)
        right: dict[str, Any] = {}
        for name in names:
            if name in table:
                with self._at((*path, name)):
                    tried = {**right, name: _fitted(table[name], kinds[name])}
                    made_of(**tried)
                    right = tried
        return made_of(**right)

    @contextmanager
    def _at(self, path: Path) -> Iterator[None]:
        """Gathers what is wrong at a key."""
        try:
            yield
        except (InvalidInput, UnknownName) as error:
            where = f"{_header(path[:-1])} {_bare(path[-1])}".lstrip()
            self.wrong[path, f"{where}: {str(error).rstrip('.')}"] = None


# What keys hold


@cache
def _voices() -> tuple[str, ...]:
    return tuple(voice.name for voice in cast())


def _voice(spec: str) -> str:
    parse_voice(spec, _voices())
    return spec


def _temperament(word: str) -> str:
    find_temperament(word)
    return word


def _mood(words: str) -> EmotionVector:
    asked = direct("Well.", words)
    if not asked.evidence:
        raise InvalidInput(
            f"{quoted(words)} names no emotion; allowed: words such as 'slightly sad', numbers "
            "such as 'Sadness=0.2', or 'neutral'"
        )
    moods = {vector for _, vector in asked.curve.points}
    if len(moods) > 1:
        raise InvalidInput(f"{quoted(words)} changes over a line; name one feeling")
    return EmotionVector({name: min(value, MOST_MOOD) for name, value in moods.pop().items()})


def _loudness(level: float) -> float:
    check_loudness(level)
    return level


def _direction(words: str) -> str:
    if set(words) & set("[]"):
        raise InvalidInput(f"{quoted(words)} has brackets; write the words alone")
    return words


def _seed(number: int) -> int:
    if not 0 <= number < SEEDS:
        raise InvalidInput(f"{number} came; allowed: whole numbers from 0 to {SEEDS - 1:,}")
    return number


_Key = tuple[Any, Callable[[Any], Any]]
"""The type of what stands there, and what is made of it."""

_TOP: Mapping[str, _Key] = MappingProxyType({"moods": (bool, bool), "seed": (int, _seed)})
_TABLES = frozenset({"characters", "pronunciations", "variables", "tags", "delivery", "quality"})
_ROLE: Mapping[str, _Key] = MappingProxyType(
    {
        "voice": (str, _voice),
        "persona": (str, str),
        "mood": (str, _mood),
        "temperament": (str, _temperament),
        "loudness": (float, _loudness),
    }
)


# Values and names

_CALLED: Mapping[Any, str] = MappingProxyType(
    {
        str: "text",
        bool: "true or false",
        int: "a whole number",
        float: "a number",
        dict: "a table",
        tuple[str, ...]: "a list of text",
    }
)
_TOO_LARGE = 2**63  # by TOML's own rules


def _fitted(value: Any, kind: Any) -> Any:
    """The value as a type has it: of one in `_CALLED`, or of several, None aside.

    Raises:
        InvalidInput: it is of none.
    """
    kinds = get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)
    kinds = [each for each in kinds if each is not NoneType]
    for each in kinds:
        if each is float and type(value) in (int, float) and -_TOO_LARGE < value < _TOO_LARGE:
            return float(value)
        if each is int and type(value) is int and -_TOO_LARGE < value < _TOO_LARGE:
            return value
        if each in (str, bool, dict) and type(value) is each:
            return value
        texts = isinstance(value, list) and all(isinstance(item, str) for item in value)
        if each == tuple[str, ...] and texts:
            return tuple(value)
    allowed = " or ".join(_CALLED[each] for each in kinds)
    raise InvalidInput(f"{_came(value)} came; allowed: {allowed}{_dotted(value)}")


def _came(value: Any) -> str:
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, int) and abs(value) >= _TOO_LARGE:
        return "a number that is too large"
    return str(value)


def _dotted(value: Any) -> str:
    """What to do where a table came of a name such as that in `Dr.Who = 1`."""
    return "; a name that has a dot stands in quotes" if isinstance(value, dict) else ""


def _unknown(path: Path, key: str, value: Any, known: Iterable[str]) -> UserError:
    if path and key in _TOP:
        return InvalidInput("it is for the whole file; write it above the first [table]")
    error = unknown_name("key", key[:LONGEST_NAME], sorted(known))
    if not isinstance(value, dict):
        return error
    hint = _dotted(value) if path else f"; a character is {_header(('characters', key))}"
    return InvalidInput(f"{str(error).rstrip('.')}{hint}")


def _bare(name: str) -> str:
    """A name as it may stand in TOML."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else quoted(name)


def _header(path: Path) -> str:
    """Such as "[characters.Bran]"; "" for what stands above all tables."""
    return f"[{'.'.join(map(_bare, path))}]" if path else ""


# Places in the text, of which Python's reader of TOML tells nothing but that of its first error


def _parsed(text: str, name: str) -> dict[str, Any]:
    """What the text says; InvalidInput where it is not TOML."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        wrong = Problem(0, "it has too many brackets within each other")
    except ValueError as error:
        wrong = _slip(text, str(error))
    refuse([wrong], name)
    raise AssertionError("a problem is refused")


_PLACE = re.compile(r"\s*\(at (?:line (?P<line>\d+), column \d+|end of document)\)$")


def _slip(text: str, error: str) -> Problem:
    """Where and why the text is not TOML."""
    found = _PLACE.search(error)
    if found and found["line"]:
        line = int(found["line"])
    else:
        # Something is never closed, or else the last statement is against those before.
        line = [start for start, _, _ in _statements(text)][-1]
    what = error[: found.start()] if found else error
    return Problem(
        line,
        f"{what}; text stands in quotes, and so does a name with anything but letters from A to Z, "
        "digits, - and _",
    )


_MAY_END = re.compile(r"""]|\"{3}|'{3}""")  # of what goes over several lines


def _statements(text: str) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Number of the first line, text and content of each statement of TOML.

    A statement goes on for as long as it cannot be read alone; one that never can is the last, and
    says nothing.
    """
    start, statement = 1, ""
    for number, line in enumerate(text.split("\n"), 1):
        goes_on = bool(statement)
        statement += f"{line}\n"
        if goes_on and not _MAY_END.search(line):
            continue
        try:
            said = tomllib.loads(statement)
        except (ValueError, RecursionError):
            continue
        if said:
            yield start, statement, said
        start, statement = number + 1, ""
    if statement:
        yield start, statement, {}


def _lines(text: str) -> dict[Path, int]:
    """The line in which each key or table first stands."""
    lines: dict[Path, int] = {}
    table: Path = ()
    for line, statement, said in _statements(text):
        is_header = statement.lstrip().startswith("[")
        table = () if is_header else table
        for path in _paths(said, table):
            lines.setdefault(path, line)
            if is_header:
                table = path
    return lines


def _paths(said: Mapping[str, Any], above: Path) -> Iterator[Path]:
    for key, value in said.items():
        yield (*above, key)
        if isinstance(value, dict) and len(above) + 1 < _DEEPEST:
            yield from _paths(value, (*above, key))


def _line(path: Path, lines: Mapping[Path, int]) -> int:
    """The line of a key, or of the nearest table around it; 0 for none."""
    return next((lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in lines), 0)
