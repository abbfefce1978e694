"""A direction in words, numbers or markup -> an `EmotionCurve`, and which words decided what."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from conditioning.emotion import (
    EmotionCurve,
    EmotionVector,
    checked_intensity,
    parse_number,
    quoted,
)
from conditioning.errors import InvalidInput, UserError
from conditioning.lexicon import DEGREES, FILLERS, LEXICON, NEGATIONS, NEUTRAL
from conditioning.markup import parse_markup, stations
from conditioning.taxonomy import find

if TYPE_CHECKING:
    from conditioning.likeness import Likeness


@dataclass(frozen=True)
class Evidence:
    """Why one category got its intensity.

    Attributes:
        words: the words of the direction, as written.
        category: canonical name, or "neutral".
        intensity: what these words ask of it, in [0, 1]; 0 when negated.
        why: the reason in a few words.
        span: start and end of the directed stretch in the clean text; None for the whole line.
    """

    words: str
    category: str
    intensity: float
    why: str
    span: tuple[int, int] | None = None


class Understood(NamedTuple):
    """One direction as understood: its vector, what decided it, and the words passed over."""

    vector: EmotionVector
    evidence: tuple[Evidence, ...]
    ignored: tuple[str, ...]


@dataclass(frozen=True)
class Direction:
    """What a line should feel like.

    Attributes:
        curve: emotion over the clean text.
        text: the clean text, without brackets.
        evidence: which words decided what, the line's own direction first.
        ignored: content words that were not understood.
        prosody: how a recording was spoken, where its way is asked for.
    """

    curve: EmotionCurve
    text: str
    evidence: tuple[Evidence, ...]
    ignored: tuple[str, ...]
    prosody: Likeness | None = None

    @property
    def directed(self) -> bool:
        """Whether anything is asked.

        The word "neutral" asks for a neutral reading; no direction, or numbers that are all zero,
        leave the voice's own reading as it is.
        """
        return bool(self.evidence) or not self.curve.is_neutral or self.prosody is not None

    def __str__(self) -> str:
        return f"{self.curve}{'; prosody of a recording' if self.prosody is not None else ''}"


def direct(
    text_with_markup: str,
    direction: str | EmotionVector | EmotionCurve | Likeness | None = None,
) -> Direction:
    """Combines a line's own direction with the brackets in its text.

    A bracket replaces the line's own direction from where it stands to the next bracket or the end
    of the line, with a step at either side; `[/]` returns to the line's own. Ramps ("calm ->
    furious", "fear 0.2 -> 0.9") run straight from the first to the last character they direct, in
    a bracket or over the whole line; a number alone keeps the emotion before it.

    Args:
        text_with_markup: the line, with or without brackets.
        direction: words, numbers, a vector, a curve, the likeness of a recording, or None for the
            voice's own reading.

    Raises:
        InvalidInput, UnknownName: for a direction or a bracket that cannot be understood.
    """
    from conditioning.likeness import Likeness

    markup = parse_markup(text_with_markup)
    prosody = direction if isinstance(direction, Likeness) else None
    own, evidence, ignored = _own(direction if prosody is None else prosody.emotions)
    points: list[tuple[float, EmotionVector]] = []
    reached = 0
    for span in markup.spans:
        points += _stretch(own, reached, span.start, len(markup.text))
        try:
            readings = _read_ramp(span.directions)
        except UserError as error:
            raise type(error)(f"Bracket at character {span.position + 1}: {error}") from None
        start, end = span.start / len(markup.text), span.end / len(markup.text)
        points += _ramp([reading.vector for reading in readings], start, end)
        for reading in readings:
            evidence += [replace(item, span=(span.start, span.end)) for item in reading.evidence]
            ignored += reading.ignored
        reached = span.end
    if markup.spans:
        points += _stretch(own, reached, len(markup.text), len(markup.text))
        own = EmotionCurve(tuple(points))
    return Direction(own, markup.text, tuple(evidence), tuple(dict.fromkeys(ignored)), prosody)


def _own(
    direction: str | EmotionVector | EmotionCurve | None,
) -> tuple[EmotionCurve, list[Evidence], list[str]]:
    if direction is None:
        return EmotionCurve.constant(EmotionVector()), [], []
    if isinstance(direction, EmotionCurve):
        return direction, [], []
    if isinstance(direction, EmotionVector):
        return EmotionCurve.constant(direction), [], []
    if not isinstance(direction, str):
        raise InvalidInput(
            f"The direction came as {type(direction).__name__}; allowed: text, an "
            "EmotionVector, an EmotionCurve, a Likeness or None."
        )
    readings = _read_ramp(stations(direction))
    vectors = [reading.vector for reading in readings]
    curve = (
        EmotionCurve.constant(vectors[0])
        if len(vectors) == 1
        else EmotionCurve(tuple(_ramp(vectors, 0.0, 1.0)))
    )
    return (
        curve,
        [item for reading in readings for item in reading.evidence],
        [word for reading in readings for word in reading.ignored],
    )


def _stretch(
    curve: EmotionCurve, start: int, end: int, length: int
) -> list[tuple[float, EmotionVector]]:
    """The curve's points between two character offsets, with one at either end."""
    if start == end:
        return []
    first, last = start / length, end / length
    inner = [point for point in curve.points if first < point[0] < last]
    return [(first, curve.at(first)), *inner, (last, curve.before(last))]


def _ramp(
    vectors: list[EmotionVector], start: float, end: float
) -> list[tuple[float, EmotionVector]]:
    """Vectors spread evenly from start to end; a single one holds all along."""
    if len(vectors) == 1:
        vectors = vectors * 2
    last = len(vectors) - 1
    # The last position is `end` itself: start + (end - start) may round past it.
    return [
        (end if index == last else start + (end - start) * index / last, vector)
        for index, vector in enumerate(vectors)
    ]


def _read_ramp(parts: Iterable[str]) -> list[Understood]:
    """The stations of a ramp; one that is a number alone keeps the emotions before it."""
    readings: list[Understood] = []
    for part in parts:
        number = parse_number(part)
        if number is None:
            readings.append(parse_direction(part))
            continue
        if not readings or readings[-1].vector.is_neutral:
            raise InvalidInput(
                f"The number {quoted(part)} stands without an emotion; allowed after a named one; "
                "write for example 'fear 0.2 -> 0.9'."
            )
        before = readings[-1].vector.items()
        strongest, most = before[0]
        number = checked_intensity(strongest, number)
        after = {name: number * (value / most) for name, value in before}
        evidence = (
            Evidence(part, name, value, f"{name} as before, at the number given")
            for name, value in after.items()
        )
        readings.append(Understood(EmotionVector(after), tuple(evidence), ()))
    return readings


_TOKEN = re.compile(
    r"""(?P<number>(?:(?<![\w.])[-+])?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?(?:\s*%)?)
      | (?P<word>[^\W\d_]+(?:'[^\W\d_]+)*)
      | (?P<is>[=:])
      | (?P<and>&)
      | (?P<join>[/_\-()])
      | (?P<stop>[,;.!?…\n])
      | (?P<other>\S)""",
    re.VERBOSE | re.IGNORECASE,
)
_LONGEST = max(len(phrase.split()) for phrase in (*LEXICON, *DEGREES, *NEGATIONS, *NEUTRAL))


class _Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int


class _Phrase(NamedTuple):
    """A known phrase: what it is, its plain form, and the index of the token after it."""

    kind: str
    text: str
    after: int


def parse_direction(words: str) -> Understood:
    """Reads a direction in words, numbers or both.

    Each emotion word has a base intensity (`lexicon`); adverbs of degree before it multiply that,
    up to 1: "a hint of" x0.3, "slightly", "a little" x0.45, "quite" x0.8, "very" x1.3,
    "extremely" x1.7, which takes a plain word to the top. A number ("anger=0.9", "anger 0.9",
    "90% fear") replaces it. "not", "no", "without" before a word make it count for nothing, up to
    the next comma, "and" or "but" ("or" carries the negation on, and after "without" so does
    "and"). Of two words for one category the stronger counts. "neutral" is no emotion. "sad" is
    subdued; "crying", "sobbing" and "in tears" are sadness with distress, which cries.

    >>> reading = parse_direction("relieved, still a little angry")
    >>> print(reading.vector)
    Relief=0.6, Anger=0.27

    Raises:
        InvalidInput: for an empty direction, one without any word that is understood, or a number
            outside 0 to 1.
        UnknownName: for a number given to a name that is no emotion ("angr=0.7").
    """
    if not isinstance(words, str) or not words.strip():
        raise InvalidInput(f"The direction is empty; {_HOW}.")
    return _Reader(words).read()


_HOW = (
    "use words such as 'relieved' or 'slightly angry', numbers such as 'anger=0.7, fear=0.2', "
    "or 'neutral'"
)


class _Reader:
    """One pass over the tokens of a direction."""

    def __init__(self, words: str) -> None:
        self.words = words
        plain = words.replace("’", "'")
        decimal_comma = re.search(r"(?<![\d.])[01],\d+", plain)
        if decimal_comma:
            came = decimal_comma[0]
            raise InvalidInput(
                f"The number {came!r} has a decimal comma; allowed: a point; write "
                f"{came.replace(',', '.')!r}."
            )
        self.tokens = [
            _Token(match.lastgroup, match[0].lower(), match.start(), match.end())
            for match in _TOKEN.finditer(plain)
        ]
        self.intensities: dict[str, float] = {}
        self.evidence: list[Evidence] = []
        self.ignored: list[str] = []
        self.degrees: list[_Phrase] = []
        self.negation: str | None = None
        self.number: float | None = None  # one that stands before its emotion
        self.began: int | None = None  # where the words about the coming emotion begin

    def read(self) -> Understood:
        index = 0
        while index < len(self.tokens):
            index = self._step(index)
        self._end_clause()
        if not self.evidence:
            raise InvalidInput(
                f"Nothing in the direction {quoted(self.words)} names an emotion."
                f"{self._suggestion()} {_HOW[0].upper()}{_HOW[1:]}."
            )
        return Understood(
            EmotionVector(self.intensities), tuple(self.evidence), tuple(self.ignored)
        )

    def _step(self, index: int) -> int:
        """Reads what stands at a token; the index of the next one to read."""
        token = self.tokens[index]
        if token.kind == "stop":
            if not self._degree_goes_on(index):
                self._end_clause()
        elif token.kind == "number":
            return self._number(index)
        elif token.kind == "other":
            self.ignored.append(token.text)
        elif token.kind == "word":
            phrase = self._phrase(index)
            if phrase is None:
                self._unknown(index)
            else:
                return getattr(self, f"_{phrase.kind}")(phrase, index)
        return index + 1

    def _phrase(self, index: int) -> _Phrase | None:
        """The longest known phrase that begins at a token."""
        words: list[str] = []
        found = None
        for after in range(index, min(len(self.tokens), index + 2 * _LONGEST)):
            token = self.tokens[after]
            if token.kind == "join" and token.text not in "()":
                continue
            if token.kind not in ("word", "and"):
                break
            words.append("and" if token.kind == "and" else token.text)
            text = " ".join(words)
            for kind, known in (
                ("neutral", NEUTRAL),
                ("emotion", LEXICON),
                ("degree", DEGREES),
                ("negated", NEGATIONS),
                ("filler", FILLERS),
            ):
                if text in known:
                    found = _Phrase(kind, text, after + 1)
                    break
        return found

    def _degree(self, phrase: _Phrase, index: int) -> int:
        self._begin(index)
        self.degrees.append(phrase)
        return phrase.after

    def _negated(self, phrase: _Phrase, index: int) -> int:
        self._begin(index)
        self.negation = phrase.text
        return phrase.after

    def _filler(self, phrase: _Phrase, index: int) -> int:
        if phrase.text in ("but", "yet") or (phrase.text == "and" and self.negation != "without"):
            self._end_clause()
        return phrase.after

    def _neutral(self, phrase: _Phrase, index: int) -> int:
        self._note(self._written(index, phrase.after), "neutral", 0.0, "no emotion")
        self.degrees, self.negation, self.began = [], None, None
        return phrase.after

    def _emotion(self, phrase: _Phrase, index: int) -> int:
        number, after = self._number_after(phrase)
        if number is None:
            number = self.number
        meaning = LEXICON[phrase.text]
        strongest = max(meaning, key=meaning.__getitem__)
        if number is not None:
            number = checked_intensity(strongest, number)
        factor = math.prod(DEGREES[degree.text] for degree in self.degrees)
        written = self._written(self.began if self.began is not None else index, after)
        for name, base in meaning.items():
            if self.negation:
                self._note(written, name, 0.0, f"negated by {self.negation!r}")
                continue
            if number is not None:
                intensity, why = number * (base / meaning[strongest]), "the number given"
            else:
                # Rounded so that 0.6 * 0.45 prints as 0.27.
                intensity, why = round(min(base * factor, 1.0), 6), f"{phrase.text!r} is {base:g}"
                why += "".join(f", {d.text!r} x{DEGREES[d.text]:g}" for d in self.degrees)
            self.intensities[name] = max(self.intensities.get(name, 0.0), intensity)
            self._note(written, name, intensity, why)
        self.degrees, self.number, self.began = [], None, None
        following = self.tokens[after] if after < len(self.tokens) else None
        if following is None or following.text not in ("or", "nor", "and"):
            self.negation = None
        return after

    def _number(self, index: int) -> int:
        """A number that stands before its emotion, as in "90% fear"; else it is passed over."""
        token = self.tokens[index]
        following = index + 1
        if following < len(self.tokens) and self.tokens[following].text == "of":
            following += 1
        phrase = (
            self._phrase(following)
            if following < len(self.tokens) and self.tokens[following].kind == "word"
            else None
        )
        if phrase and phrase.kind == "emotion":
            self._begin(index)
            self.number = parse_number(token.text)
            return following
        self.ignored.append(token.text)
        return index + 1

    def _number_after(self, phrase: _Phrase) -> tuple[float | None, int]:
        """The number after an emotion ("=0.9", ": 0.9", " 0.9", "(0.9)"), and what follows it."""
        after = phrase.after
        kinds = [token.kind for token in self.tokens[after : after + 3]]
        texts = [token.text for token in self.tokens[after : after + 3]]
        if kinds[:1] == ["number"]:
            return parse_number(texts[0]), after + 1
        if texts[:1] == ["("] and kinds[1:2] == ["number"]:
            return parse_number(texts[1]), after + 2 + (texts[2:3] == [")"])
        if kinds[:1] == ["is"]:
            number = parse_number("".join(texts[1:2]))  # also "nan" and "inf", refused by name
            if number is not None:
                return number, after + 2
            if texts[0] == "=":
                raise InvalidInput(
                    f"{quoted(phrase.text + ''.join(texts[:2]))} has no number after '='; allowed: "
                    f"0 to 1; write for example '{phrase.text}=0.7'."
                )
        return None, after

    def _unknown(self, index: int) -> None:
        """Passes over a word, unless a number is given to it."""
        token = self.tokens[index]
        following = [other.text for other in self.tokens[index + 1 : index + 3]]
        number = parse_number(following[0]) if following else None
        given = (
            following[:1] == ["="]
            or (following[:1] == [":"] and parse_number("".join(following[1:])) is not None)
            or (number is not None and ("." in following[0] or "%" in following[0]))
        )
        if given:
            find(self.words[token.start : token.end])  # raises, with the nearest names
        self.ignored.append(self.words[token.start : token.end])
        self._drop_degrees()
        if not self.negation:
            self.began = None

    def _end_clause(self) -> None:
        self._drop_degrees()
        self.negation, self.number, self.began = None, None, None

    def _degree_goes_on(self, index: int) -> bool:
        """Whether the stop at a token only parts two degrees, as in "very, very sad"."""
        if not self.degrees or index + 1 == len(self.tokens):
            return False
        following = self._phrase(index + 1)
        return following is not None and following.kind == "degree"

    def _drop_degrees(self) -> None:
        """A degree that no emotion followed was not understood."""
        self.ignored += [degree.text for degree in self.degrees]
        self.degrees = []

    def _begin(self, index: int) -> None:
        if self.began is None:
            self.began = index

    def _note(self, words: str, category: str, intensity: float, why: str) -> None:
        self.evidence.append(Evidence(words, category, intensity, why))

    def _written(self, index: int, after: int) -> str:
        return self.words[self.tokens[index].start : self.tokens[after - 1].end]

    def _suggestion(self) -> str:
        # A few words only: comparing one with the whole lexicon takes milliseconds. Slips seldom
        # hit the first letter, and without that 'pirate' would be taken for 'irate'.
        for word in self.ignored[:5]:
            alike = [known for known in LEXICON if known[0] == word[0].lower()]
            close = difflib.get_close_matches(word.lower(), alike, n=1, cutoff=0.8)
            if close:
                return f" Did you mean {close[0]!r}?"
        return ""
