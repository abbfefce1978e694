"""A subset of SSML: its documents read safely, and what each element asks for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from html import unescape
from typing import NamedTuple

from conditioning.errors import InvalidInput
from conditioning.lexicon import LEXICON
from conditioning.manner import Manner
from conditioning.vocal_tags import (
    MODERATE,
    REDUCED,
    STRONG,
    Delivery,
    Sound,
    is_sound,
    loudness,
    pitch,
    ratio,
    read_part,
    seconds,
    speed,
    volume,
)

DEEPEST = 20  # elements inside one another
PARAGRAPH = 0.3  # seconds after a paragraph
_BREAKS = {"none": 0, "x-weak": 0.1, "weak": 0.25, "medium": 0.5, "strong": 0.8, "x-strong": 1.2}
_EMPHASES = {"strong": STRONG, "moderate": MODERATE, "none": 0.0, "reduced": REDUCED}
_RANGES = {"x-low": -0.9, "low": -0.45, "medium": 0.0, "high": 0.45, "x-high": 0.9, "default": 0.0}


class Element(NamedTuple):
    """What an element asks for.

    manner, direction: for its content; for what follows where it `stands` alone.
    group: of two that stand alone in one group only the later holds.
    stands: whether it says something without content.
    word: whether without a closing tag it is meant for one word.
    pause: seconds where it stands.
    sound: what cannot be done.
    rewrite: what is spoken instead of its content.
    ends: seconds after its content, which is a sentence or a paragraph; None where it is neither.
    passed: what of it is passed over, for people.
    """

    manner: Manner = Manner()
    direction: str = ""
    group: str = ""
    stands: bool = False
    word: bool = False
    pause: float | None = None
    sound: Sound | None = None
    rewrite: Callable[[str], str] | None = None
    ends: float | None = None
    passed: str = ""


class Run(NamedTuple):
    """Characters between two tags.

    positions: offset of each in the document.
    literal: indexes of those that are no markup, since they came as "&lt;" or "&#91;".
    """

    text: str
    positions: list[int]
    literal: frozenset[int]


class Opening(NamedTuple):
    """A tag that opens an element; `end` is "paired", "empty" or "unclosed"."""

    name: str
    attributes: dict[str, str]
    position: int
    end: str


class Closing(NamedTuple):
    name: str


def is_document(text: str) -> bool:
    """Whether a text says by its first tag that it is SSML."""
    return re.match(r"[\ufeff\s]*+<(?:speak[\s/>]|\?xml\s|!DOCTYPE\s)", text) is not None


def read_document(text: str) -> list[Run | Opening | Closing]:
    """The runs of text and the tags of an SSML document, in order.

    Declarations of types and entities are refused, so none is expanded or fetched. White space is
    joined to single spaces.

    Raises:
        InvalidInput: not well-formed, another root than <speak>, a declaration, or elements more
            than `DEEPEST` deep; the message says at which line and column.
    """
    return _Document(text).pieces


class _Document:
    def __init__(self, text: str) -> None:
        from xml.parsers import expat

        self.text = text
        self.before = len(text) - len(text.lstrip("\ufeff \t\r\n\f\v"))  # XML begins at once
        self.source = text[self.before :].encode("utf-8", "surrogatepass")
        self.reached = 0, self.before  # a byte of the source, and the character of the text there
        self.pieces: list[Run | Opening | Closing] = []
        self.depth = 0
        self.run: tuple[list[str], list[int], set[int]] = [], [], set()
        # The encoding given here outdoes the one that a document declares for its bytes.
        self.parser = expat.ParserCreate("utf-8")
        self.parser.buffer_text = False
        self.parser.StartElementHandler = self._open
        self.parser.EndElementHandler = self._close
        self.parser.CharacterDataHandler = self._characters
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.EntityDeclHandler = self._refuse
        self.parser.ExternalEntityRefHandler = self._refuse
        try:
            self.parser.Parse(self.source, True)
        except expat.ExpatError as error:
            raise InvalidInput(
                f"The SSML is not well-formed at {self._place(self.parser.ErrorByteIndex)}: "
                f"{expat.ErrorString(error.code)}; allowed: every element closed in turn, '&' as "
                "&amp;, '<' as &lt;; mend it there, or leave <speak> out for plain text."
            ) from None

    def _open(self, name: str, attributes: dict[str, str]) -> None:
        self._end_run()
        here = self.parser.CurrentByteIndex
        if not self.depth and _plain(name) != "speak":
            raise InvalidInput(
                f"The SSML begins with <{name[:40]}>; allowed: <speak>; put it around the text."
            )
        self.depth += 1
        if self.depth > DEEPEST:
            raise InvalidInput(
                f"The SSML is nested too deeply at {self._place(here)}; allowed: {DEEPEST} "
                "elements inside one another; take some out."
            )
        self.pieces.append(Opening(_plain(name), attributes, self._position(here), "paired"))

    def _close(self, name: str) -> None:
        self._end_run()
        self.depth -= 1
        last = self.pieces[-1]
        if isinstance(last, Opening) and last.end == "paired":  # and nothing since
            self.pieces[-1] = last._replace(end="empty")
        else:
            self.pieces.append(Closing(_plain(name)))

    def _characters(self, data: str) -> None:
        here = self.parser.CurrentByteIndex
        position = self._position(here)
        characters, positions, literal = self.run
        if self.source[here : here + 1] == b"&":
            literal.update(range(len(characters), len(characters) + len(data)))
        for offset, character in enumerate(data):
            if character.isspace():
                if characters and characters[-1] == " ":
                    continue
                character = " "
            characters.append(character)
            positions.append(position + offset)

    def _refuse(self, *_: object) -> None:
        raise InvalidInput(
            f"The SSML declares a type or an entity at {self._place(self.parser.CurrentByteIndex)};"
            " allowed: elements and text only; take the declaration out."
        )

    def _end_run(self) -> None:
        characters, positions, literal = self.run
        if characters:
            self.pieces.append(Run("".join(characters), positions, frozenset(literal)))
            self.run = [], [], set()

    def _position(self, byte: int) -> int:
        """The character of the text at a byte of the source; bytes come in order."""
        start, character = self.reached
        if byte > start:
            character += len(self.source[start:byte].decode("utf-8", "replace"))
            self.reached = byte, character
        return character

    def _place(self, byte: int) -> str:
        position = min(self._position(byte), len(self.text))
        line = self.text.count("\n", 0, position) + 1
        return f"line {line}, column {position - self.text.rfind(chr(10), 0, position)}"


# Tags in a text that is no document. Possessive, so that no garbage makes the search go back.
TAG = (
    r"<(?P<slash>/?)(?P<name>[A-Za-z][\w:.-]*+)"
    r"""(?P<attributes>(?:\s++[\w:.-]++\s*+=\s*+(?:"[^"<]*+"|'[^'<]*+'))*+)\s*+(?P<empty>/?)>"""
)
_ATTRIBUTE = re.compile(r"""([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")


def attributes_of(written: str) -> dict[str, str]:
    """The attributes in the inside of one tag."""
    return {
        name.lower(): unescape(double or single)
        for name, double, single in _ATTRIBUTE.findall(written)
    }


def is_known(name: str) -> bool:
    """Whether a tag's name is one that `element` understands, or passes over with a note."""
    return _plain(name) in _ELEMENTS or is_sound(_plain(name))


def element(name: str, attributes: Mapping[str, str]) -> Element | None:
    """What an element asks for; None for an unknown one.

    Raises:
        InvalidInput: for a value that cannot be understood or is out of range.
    """
    plain = _plain(name)
    if plain in _ELEMENTS:
        return _ELEMENTS[plain]({key.lower(): value.strip() for key, value in attributes.items()})
    if is_sound(plain):
        return Element(sound=read_part(plain.replace("-", " "), aside=True), stands=True)
    return None


def _plain(name: str) -> str:
    return name.rpartition(":")[2].lower()


def _prosody(given: dict[str, str]) -> Element:
    controls: dict[str, float] = {}
    passed = []
    for key, written in given.items():
        written = written.lower()
        if key == "rate":
            controls["pace"] = _needed(speed(written), key, written)
        elif key == "pitch":
            controls["pitch"] = _needed(pitch(written), key, written)
        elif key == "volume" and written in ("silent", "0"):
            controls["level"] = -12.0
            passed.append("silence is spoken as quietly as can be")
        elif key == "volume" and re.fullmatch(r"\d+(\.\d+)?", written):
            # Azure counts from 0 to 100, which is as loud as the voice is.
            controls["level"] = loudness(written, float(written) / 100)
        elif key == "volume":
            controls["level"] = _needed(volume(written), key, written)
        elif key == "range" and written in _RANGES:
            controls["melody"] = _RANGES[written]
        else:
            passed.append(f"its {key[:20]} is passed over")
    return Element(Manner(**controls), passed=", ".join(passed))


def _needed(value: float | None, key: str, written: str) -> float:
    if value is None:
        examples = {
            "rate": "x-slow to x-fast, 80%, +10%",
            "pitch": "x-low to x-high, +2st, -10%",
            "volume": "silent, x-soft to x-loud, +6dB",
        }
        raise InvalidInput(
            f"The {key} {written[:20]!r} is not understood; allowed: {examples[key]}."
        )
    return value


def _break(given: dict[str, str]) -> Element:
    if "time" in given:
        return Element(pause=seconds(given["time"]), stands=True)
    strength = given.get("strength", "medium").lower()
    if strength not in _BREAKS:
        raise InvalidInput(
            f"The strength {strength[:20]!r} is not understood; allowed: {', '.join(_BREAKS)}."
        )
    return Element(pause=_BREAKS[strength], stands=True)


def _emphasis(given: dict[str, str]) -> Element:
    level = given.get("level", "moderate").lower()
    if level not in _EMPHASES:
        raise InvalidInput(
            f"The level {level[:20]!r} is not understood; allowed: {', '.join(_EMPHASES)}."
        )
    return Element(Manner(emphasis=_EMPHASES[level]), word=True)


def _say_as(given: dict[str, str]) -> Element:
    kind = given.get("interpret-as", given.get("type", "")).lower()
    form = given.get("format", "").lower()
    if kind in ("expletive", "bleep"):
        return Element(rewrite=lambda inside: "", passed="this voice cannot bleep; it is left out")
    if kind in _SAID_AS:
        return Element(rewrite=lambda inside: _SAID_AS[kind](inside.strip(), form))
    return Element(passed=f"{kind[:20]!r} is not known; its text is read as it stands")


def _sub(given: dict[str, str]) -> Element:
    if "alias" not in given:
        return Element(passed="it has no alias; its text is spoken")
    return Element(rewrite=lambda inside: given["alias"])


def _express_as(given: dict[str, str]) -> Element:
    style = given.get("style", "").lower()
    style = _STYLES.get(style, style.replace("_", " ").replace("-", " "))
    delivery = read_part(style)
    if isinstance(delivery, Delivery):
        return Element(delivery.manner)
    if not any(word in LEXICON for word in style.split()):
        return Element(passed=f"the style {style[:20]!r} is passed over")
    degree = 1.0 if ratio(given.get("styledegree", "")) is None else ratio(given["styledegree"])
    strong = "extremely " if degree >= 1.7 else "very " if degree >= 1.2 else ""
    return Element(direction=f"{'slightly ' if degree <= 0.6 else strong}{style}")


def _emotion(given: dict[str, str]) -> Element:
    """Cartesia's stands before what it directs; Amazon's goes around it."""
    if "value" in given:
        return Element(direction=given["value"].partition(":")[0], stands=True)
    strength = {"low": "slightly ", "high": "very "}.get(given.get("intensity", "").lower(), "")
    if not given.get("name"):
        return Element(passed="it names no emotion")
    return Element(direction=strength + given["name"])


def _style(given: dict[str, str]) -> Element:
    return _express_as({"style": given.get("name", "")})


def _effect(given: dict[str, str]) -> Element:
    if given.get("name", "").lower() == "whispered":
        return Element(Manner(whisper=1.0))
    if given.get("phonation", "").lower() == "soft":
        return Element(Manner(level=-2.0, breath=0.1))
    return Element(passed="the effect is passed over")


def _speed(given: dict[str, str]) -> Element:
    written = given.get("ratio", "")
    return Element(
        Manner(pace=_needed(speed(written), "rate", written)), group="<speed>", stands=True
    )


def _volume(given: dict[str, str]) -> Element:
    written = given.get("ratio", "")
    level = None if ratio(written) is None else loudness(written, ratio(written))
    return Element(Manner(level=_needed(level, "volume", written)), group="<volume>", stands=True)


def _passed(what: str) -> Callable[[dict[str, str]], Element]:
    return lambda given: Element(passed=what, stands=True)


_ELEMENTS: dict[str, Callable[[dict[str, str]], Element]] = {
    "speak": lambda given: Element(),
    "p": lambda given: Element(ends=PARAGRAPH),
    "paragraph": lambda given: Element(ends=PARAGRAPH),
    "s": lambda given: Element(ends=0.0),
    "sentence": lambda given: Element(ends=0.0),
    "w": lambda given: Element(),
    "token": lambda given: Element(),
    "prosody": _prosody,
    "break": _break,
    "emphasis": _emphasis,
    "strong": lambda given: Element(Manner(emphasis=STRONG), word=True),
    "whisper": lambda given: Element(Manner(whisper=1.0)),
    "whis": lambda given: Element(Manner(whisper=1.0)),
    "say-as": _say_as,
    "spell": lambda given: Element(rewrite=lambda inside: _spelled(inside, "")),
    "sub": _sub,
    "express-as": _express_as,
    "emotion": _emotion,
    "style": _style,
    "effect": _effect,
    "speed": _speed,
    "volume": _volume,
    "voice": _passed("one voice speaks the whole line"),
    "audio": _passed("no recording is played; the text inside is spoken"),
    "phoneme": _passed("the pronunciation is passed over; its text is spoken"),
    "lang": _passed("this voice speaks English only"),
    "mark": _passed("marks are not reported"),
    "bookmark": _passed("marks are not reported"),
    "desc": lambda given: Element(rewrite=lambda inside: ""),
    "metadata": lambda given: Element(rewrite=lambda inside: ""),
    "meta": lambda given: Element(),
    "lexicon": _passed("no lexicon is fetched"),
}

# Azure's styles whose names say less than they mean.
_STYLES = {
    "empathetic": "compassionate",
    "disgruntled": "displeased",
    "unfriendly": "cold",
    "whispering": "whisper",
    "shouting": "shout",
    "terrified": "terrified",
    "sports_commentary": "excited",
    "sports_commentary_excited": "very excited",
    "advertisement_upbeat": "upbeat",
    "narration-relaxed": "relaxed",
}

_SIGNS = {
    "-": "dash",
    ".": "dot",
    "_": "underscore",
    "/": "slash",
    "@": "at",
    "#": "hash",
    "+": "plus",
    "*": "star",
    ":": "colon",
    "&": "and",
}
_MONTHS = (
    "January February March April May June July August September October November December".split()
)


def _spelled(inside: str, form: str) -> str:
    """ "FBI" -> "F B I"; signs are named, since beside a word they would be its punctuation.

    An A by itself is an article, so letters with one are an abbreviation: "FAQ" -> "F.A.Q.".
    """
    said = []
    for run in re.findall(r"[A-Za-z]+|\S", inside):
        letters = run.upper() if run.isascii() else run
        if "A" in letters:
            said.append("".join(f"{letter}." for letter in letters))
        else:
            said.append(" ".join(_SIGNS.get(letter, letter) for letter in letters))
    return " ".join(said)


def _digits(inside: str, form: str) -> str:
    """ "421" -> "4 2 1"."""
    return re.sub(r"\d(?=\d)", lambda digit: digit[0] + " ", inside)


def _cardinal(inside: str, form: str) -> str:
    """ "1999" -> "1,999", which no reader takes for a year."""
    return re.sub(r"(?<![\d.,])\d{4,15}(?![\d,])", lambda number: f"{int(number[0]):,}", inside)


def _ordinal(inside: str, form: str) -> str:
    """ "3" -> "3rd"."""
    if not re.fullmatch(r"\d{1,15}", inside):
        return inside
    teen = len(inside) > 1 and inside[-2] == "1"
    return inside + ("th" if teen else {"1": "st", "2": "nd", "3": "rd"}.get(inside[-1], "th"))


def _telephone(inside: str, form: str) -> str:
    """ "(555) 123-4567" -> "5 5 5, 1 2 3, 4 5 6 7"; seven digits or more are grouped."""
    groups = []
    for plus, digits in re.findall(r"(\+?)(\d+)", inside):
        sizes = {7: (3, 4), 10: (3, 3, 4), 11: (1, 3, 3, 4)}.get(len(digits), (len(digits),))
        for size in sizes:
            groups.append(("plus " if plus else "") + " ".join(digits[:size]))
            digits, plus = digits[size:], ""
    return ", ".join(groups) or inside


def _date(inside: str, form: str) -> str:
    """ "03/02/2026" in the order of `form` ("dmy") -> "February 3, 2026"; otherwise unchanged."""
    numbers = re.findall(r"\d+", inside)
    if len(numbers) == 1 and len(numbers[0]) == sum(4 if part == "y" else 2 for part in form):
        sizes = [4 if part == "y" else 2 for part in form]
        starts = [sum(sizes[:index]) for index in range(len(sizes))]
        numbers = [numbers[0][start : start + size] for start, size in zip(starts, sizes, strict=1)]
    if not (
        re.fullmatch("[dmy]{2,3}", form)
        and "m" in form
        and len(numbers) == len(form) == len(set(form))
        and all(len(number) <= 4 for number in numbers)
    ):
        return inside
    given = dict(zip(form, numbers, strict=True))
    month, day, year = (given.get(part, "") for part in "mdy")
    if not 1 <= int(month) <= 12 or not 1 <= int(day or 1) <= 31:
        return inside
    said = _MONTHS[int(month) - 1] + (f" {int(day)}" if day else "")
    if len(year) == 2:
        year = ("19" if int(year) > 40 else "20") + year
    return said + (f"{',' if day else ''} {year}" if year else "")


def _time(inside: str, form: str) -> str:
    """ "1'21\"" -> "1 minute and 21 seconds"; "0230" -> "02:30"."""
    lasting = re.fullmatch(r"(\d{1,3})'\s?(\d{1,2})(?:\"|'')", inside)
    if lasting:
        minutes, spent = int(lasting[1]), int(lasting[2])
        return f"{minutes} minute{'s' * (minutes != 1)} and {spent} second{'s' * (spent != 1)}"
    return re.sub(r"^(\d\d)(\d\d)$", r"\1:\2", inside)


def _fraction(inside: str, form: str) -> str:
    """ "3/20" -> "3 over 20", where it would be read as a date."""
    parts = re.fullmatch(r"(\d{1,9})\s?/\s?(\d{1,9})", inside)
    if parts is None or int(parts[1]) < int(parts[2]) <= 10:
        return inside
    return f"{parts[1]} over {parts[2]}"


_SAID_AS: dict[str, Callable[[str, str], str]] = {
    "characters": _spelled,
    "character": _spelled,
    "spell-out": _spelled,
    "verbatim": _spelled,
    "letters": _spelled,
    "digits": _digits,
    "number_digit": _digits,
    "cardinal": _cardinal,
    "number": _cardinal,
    "ordinal": _ordinal,
    "telephone": _telephone,
    "date": _date,
    "time": _time,
    "fraction": _fraction,
    # Read so wherever they stand.
    **dict.fromkeys(("currency", "unit", "address", "name"), lambda inside, form: inside),
}
