"""The explicit words of a direction: emotions named, degrees, negations, what is held back."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from conditioning.emotion import EmotionVector, checked_intensity, parse_number, quoted
from conditioning.errors import InvalidInput
from conditioning.lexicon import (
    BEING,
    DEGREES,
    DETERMINERS,
    FEIGNED,
    FILLERS,
    HELD,
    LEXICON,
    NEGATIONS,
    NEUTRAL,
    NO_PERSONS,
    PEOPLE,
    PERSON_ENDINGS,
    POSSESSIVES,
    SPEAKER_VERBS,
    TOWARDS,
)
from conditioning.persona_words import DONE_TO, PERSONS
from conditioning.taxonomy import find


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

    @property
    def unread(self) -> bool:
        """Whether words, rather than numbers and signs alone, were passed over."""
        return any(map(_worded, self.ignored))

    @property
    def in_passing(self) -> bool:
        """Whether what is named stands in a sentence of which most words name nothing."""
        silent = sum(map(_worded, self.ignored))
        telling = sum(len(words.split()) for words in {item.words for item in self.evidence})
        return silent >= SENTENCE and silent > PASSING * telling

    @property
    def numbered(self) -> frozenset[str]:
        """The categories whose intensity was given as a number."""
        return frozenset(item.category for item in self.evidence if item.why == NUMBER)


def _worded(text: str) -> bool:
    return any(character.isalpha() for character in text)


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
_NO_PERSONS = NO_PERSONS | LEXICON.keys() | DEGREES.keys() | FILLERS
_KINDS = (
    ("neutral", NEUTRAL),
    ("emotion", LEXICON),
    ("degree", DEGREES),
    ("negated", NEGATIONS),
    ("held", HELD),
    ("feigned", FEIGNED),
    ("filler", FILLERS),
)
_LONGEST = max(len(phrase.split()) for _, known in _KINDS for phrase in known)
HELD_BACK = 0.7  # of a feeling is heard when it is held back, by our judgement,
# Words that name nothing: so many at least, and so many to each that names something, make a
# sentence in which a feeling may be named in passing.
SENTENCE, PASSING = 4, 1.0
NUMBER = "the number given"
NOTHING = "neutral"  # as evidence names the absence of emotion
PUT_ON = 0.6  # and of one that is only played
_FARTHEST_NOUN = 8  # words between a person and what says who that is


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
    """Reads a direction in words, numbers or both, by the words that it names outright.

    Each emotion word has a base intensity (`lexicon`); adverbs of degree before it multiply that,
    up to 1: "a hint of" x0.3, "slightly", "a little" x0.45, "quite" x0.8, "very" x1.3,
    "extremely" x1.7, which takes a plain word to the top. A number ("anger=0.9", "anger 0.9",
    "90% fear") replaces it. "not", "no", "without" before a word make it count for nothing, up to
    the next comma, "and" or "but" ("or" carries the negation on, and after "without" so does
    "and"). What is held back ("trying not to cry", "hiding her fear") counts `HELD_BACK`, what is
    put on ("pretending to be glad") `PUT_ON`, up to the next comma or "but". What somebody else
    feels ("comforting a worried patient") does not count. Of two words for one category the
    stronger counts. "neutral" is no emotion. "sad" is subdued; "crying", "sobbing" and "in tears"
    are sadness with distress, which cries.

    >>> reading = parse_direction("relieved, still a little angry")
    >>> print(reading.vector)
    Relief=0.6, Anger=0.27

    Raises:
        InvalidInput: for an empty direction, one without any word that is understood, or a number
            outside 0 to 1.
        UnknownName: for a number given to a name that is no emotion ("angr=0.7").
    """
    reading = understand(words)
    if not reading.evidence:
        raise nothing_named(words, reading)
    return reading


def understand(words: str, known: Collection[tuple[int, int]] = ()) -> Understood:
    """As `parse_direction`, but a direction may name no emotion at all.

    Args:
        known: stretches (start, end) of the words that mean something else, such as who speaks.
    """
    if not isinstance(words, str) or not words.strip():
        raise InvalidInput(f"The direction is empty; {_HOW}.")
    if len(words) > LONGEST_DIRECTION:
        raise InvalidInput(
            f"The direction has {len(words):,} characters; at most {LONGEST_DIRECTION:,} are read; "
            "keep what matters."
        )
    return _Reader(words, known).read()


def nothing_named(words: str, reading: Understood, *notes: str) -> InvalidInput:
    """The error for a direction in which nothing is understood."""
    told = "".join(f" {note}" for note in notes)
    return InvalidInput(
        f"Nothing in the direction {quoted(words)} names an emotion.{slip(reading.ignored)}{told} "
        f"{_HOW[0].upper()}{_HOW[1:]}."
    )


def slip(ignored: Iterable[str]) -> str:
    """The emotion word that one of these may be a slip of, as a question; else nothing."""
    # A few words only: comparing one with the whole lexicon takes milliseconds. Slips seldom
    # hit the first letter, and without that 'pirate' would be taken for 'irate'.
    for word in tuple(ignored)[:5]:
        alike = [known for known in LEXICON if known[0] == word[0].lower()]
        close = difflib.get_close_matches(word.lower(), alike, n=1, cutoff=0.8)
        if close:
            return f" Did you mean {close[0]!r}?"
    return ""


ENCLOSING = frozenset('[]{}<>"“”„«»*')  # signs around words that say nothing themselves
LONGEST_DIRECTION = 5000  # characters
_HOW = (
    "use words such as 'relieved' or 'slightly angry', numbers such as 'anger=0.7, fear=0.2', "
    "or 'neutral'"
)


class _Reader:
    """One pass over the tokens of a direction."""

    def __init__(self, words: str, known: Collection[tuple[int, int]]) -> None:
        self.words = words
        self.known = known
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
        self.restraint: _Phrase | None = None  # "held" or "feigned"
        self.restrained = False  # whether an emotion has followed it
        self.others = self._felt_by_others()
        self.number: float | None = None  # one that stands before its emotion
        self.began: int | None = None  # where the words about the coming emotion begin

    def read(self) -> Understood:
        index = 0
        while index < len(self.tokens):
            index = self._step(index)
        self._end_clause()
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
            if token.text not in ENCLOSING:
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
            for kind, known in _KINDS:
                if text in known:
                    found = _Phrase(kind, text, after + 1)
                    break
        return found

    def _known(self, index: int) -> bool:
        """Whether what stands there says something else than an emotion."""
        return any(start <= self.tokens[index].start < end for start, end in self.known)

    def _part_of_more(self, index: int, after: int) -> bool:
        """Whether the words there are part of a longer phrase that says something else."""
        first, last = self.tokens[index].start, self.tokens[after - 1].end
        return any(
            start <= first and last <= end and (start, end) != (first, last)
            for start, end in self.known
        )

    def _degree(self, phrase: _Phrase, index: int) -> int:
        if self._known(index):  # "a deep voice"
            return phrase.after
        self._begin(index)
        self.degrees.append(phrase)
        return phrase.after

    def _negated(self, phrase: _Phrase, index: int) -> int:
        self._begin(index)
        self.negation = phrase.text
        return phrase.after

    def _held(self, phrase: _Phrase, index: int) -> int:
        self._drop_restraint()
        self._begin(index)
        self.restraint, self.restrained = phrase, False
        return phrase.after

    _feigned = _held

    def _filler(self, phrase: _Phrase, index: int) -> int:
        if phrase.text in ("but", "yet"):
            self._end_clause()
        elif phrase.text == "and" and self.negation != "without":
            self._end_part()
        return phrase.after

    def _neutral(self, phrase: _Phrase, index: int) -> int:
        self._note(self._written(index, phrase.after), NOTHING, 0.0, "no emotion")
        self.degrees, self.negation, self.began = [], None, None
        return phrase.after

    def _emotion(self, phrase: _Phrase, index: int) -> int:
        if self._part_of_more(index, phrase.after):  # "a trembling voice" is a manner
            return phrase.after
        number, after = self._number_after(phrase)
        if number is None:
            number = self.number
        meaning = LEXICON[phrase.text]
        strongest = max(meaning, key=meaning.__getitem__)
        if number is not None:
            number = checked_intensity(strongest, number)
        factor = math.prod(DEGREES[degree.text] for degree in self.degrees)
        reasons = "".join(f", {d.text!r} x{DEGREES[d.text]:g}" for d in self.degrees)
        if self.restraint:
            share = HELD_BACK if self.restraint.kind == "held" else PUT_ON
            factor, self.restrained = factor * share, True
            reasons += f", {self.restraint.text!r} x{share:g}"
        other = self.others.get(index)
        written = self._written(self.began if self.began is not None else index, after)
        for name, base in meaning.items():
            if other or self.negation:
                why = f"felt by the {other}" if other else f"negated by {self.negation!r}"
                self._note(written, name, 0.0, why)
                continue
            if number is not None:
                intensity, why = number * (base / meaning[strongest]), NUMBER
            else:
                # Rounded so that 0.6 * 0.45 prints as 0.27.
                intensity = round(min(base * factor, 1.0), 6)
                why = f"{phrase.text!r} is {base:g}{reasons}"
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
        if not self._known(index):
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
            or (number is not None and not following[0].isdigit() and self._alone(index))
        )
        known = self._known(index)
        if given and not known:
            find(self.words[token.start : token.end])  # raises, with the nearest names
        if not known and index not in self.others:
            self.ignored.append(self.words[token.start : token.end])
        self._drop_degrees()
        if not self.negation:
            self.began = None

    def _alone(self, index: int) -> bool:
        """Whether a word and its number are all that a clause says, as in "calm, angr 0.7"."""
        before, after = index - 1, index + 2
        return (before < 0 or self.tokens[before].kind == "stop") and (
            after >= len(self.tokens) or self.tokens[after].kind == "stop"
        )

    def _end_clause(self) -> None:
        self._end_part()
        self._drop_restraint()
        self.restraint = None

    def _end_part(self) -> None:
        """The end of what a degree or a negation reaches; restraint reaches over "and"."""
        self._drop_degrees()
        self.negation, self.number, self.began = None, None, None

    def _drop_restraint(self) -> None:
        """A restraint that no emotion followed was not understood."""
        if self.restraint and not self.restrained:
            self.ignored.append(self.restraint.text)

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

    def _felt_by_others(self) -> dict[int, str]:
        """Token index -> the person who feels what is said there, for persons spoken to or about.

        In "comforting a worried patient" and "to an angry crowd" the noun phrase follows a verb or
        a preposition; in "like a caring nurse" and "a grumpy old man" it is the speaker.
        """
        felt: dict[int, str] = {}
        for noun, token in enumerate(self.tokens):
            if token.kind != "word" or not _is_person(token.text):
                continue
            first = noun
            while (
                first > 0
                and noun - first < _FARTHEST_NOUN
                and self.tokens[first - 1].text not in DETERMINERS
                and not self._points(first - 1)
                and self.tokens[first - 1].text not in SPEAKER_VERBS
            ):
                first -= 1
            if first and self.tokens[first - 1].text in DETERMINERS:
                first -= 1
            if (first and self._points(first - 1)) or self._related(first, noun):
                felt |= dict.fromkeys(range(first, self._said_of(noun)), token.text)
        return felt

    def _related(self, first: int, noun: int) -> bool:
        """Whether a person is somebody's, as in "her frightened sister", and not the speaker."""
        before = self.tokens[first - 1].text if first else ""
        return (
            first < noun and self.tokens[first].text in POSSESSIVES and before not in SPEAKER_VERBS
        )

    def _said_of(self, noun: int) -> int:
        """Where what is said of a person ends: "her brother is angry", up to the next stop."""
        after = noun + 1
        if after < len(self.tokens) and self.tokens[after].text in BEING:
            while after < len(self.tokens) and self.tokens[after].kind != "stop":
                after += 1
        return after

    def _points(self, index: int) -> bool:
        """Whether the word there makes a person who follows it another than the speaker."""
        word = self.tokens[index].text
        if word == "of":  # "afraid of the angry dog", but "in the voice of an angry man"
            return index > 0 and self.tokens[index - 1].text in {"front", *LEXICON}
        if word in SPEAKER_VERBS or self.tokens[index].kind != "word":
            return False
        followed = index + 1 < len(self.tokens) and self.tokens[index + 1].text in DETERMINERS
        return word in TOWARDS | DONE_TO or (word.endswith(("ing", "s")) and followed)


def _is_person(word: str) -> bool:
    if word in PEOPLE or word in PERSONS:
        return True
    single = word.removesuffix("s")
    return len(single) > 4 and single.endswith(PERSON_ENDINGS) and not {word, single} & _NO_PERSONS
