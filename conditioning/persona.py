"""`Persona`: who speaks and how, read from the words of a direction."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

from conditioning.emotion import EmotionVector
from conditioning.errors import InvalidInput
from conditioning.lexicon import DEGREES, FILLERS, LEXICON
from conditioning.lexicon import NEGATIONS as LEXICON_NEGATIONS
from conditioning.manner import BOUNDS, CONTROLS, Manner
from conditioning.persona_words import (
    ABOUT_SPEAKER,
    ACCENT,
    ADJECTIVE,
    DECADES,
    DETERMINERS,
    DONE_TO,
    ELSEWHERE,
    LANGUAGES,
    LIKENED,
    NEGATIONS,
    NOUN,
    NUMBERS,
    OUTRIGHT,
    POSSESSIVES,
    PRONOUN,
    SPOKEN,
    TO,
    USUAL,
    VOICES,
    WORDS,
    Word,
)
from conditioning.temperament import TEMPERAMENTS, Temperament

# What a control is called where a creator reads why it was changed.
_NAMES = {"tilt": "timbre", "formants": "timbre", "emphasis": "melody"}
_OPPOSITES = {"low": "high", "dark": "bright", "breathy": "clear", "quick": "slow"}
_OPPOSITES |= {there: here for here, there in _OPPOSITES.items()}
_ALIKE = {"young", "child"}, {"young", "adult"}
_MEANS = {
    "male": "male",
    "female": "female",
    "old": "old",
    "young": "young",
    "child": "a child",
    "adult": "grown up",
}
# A part of a control's room from which two words that pull it either way are worth a note.
_FELT = 0.2


@dataclass(frozen=True)
class Reason:
    """Words of a direction that say something about the speaker.

    Attributes:
        words: as written.
        start, end: their offsets in the direction; end is exclusive.
        what: what they decide: gender, age, accent, timbre, pitch, pace, level, pause, breath,
            whisper, rough, tremor, melody, mood, temperament or voice (negated: nothing).
        why: in a few words.
    """

    words: str
    start: int
    end: int
    what: str
    why: str


@dataclass(frozen=True)
class Persona:
    """Who speaks and how, beside what is felt; None and empty mean that nothing is asked.

    Attributes:
        gender: female or male.
        age: child, young, adult or old.
        accent: American or British.
        timbre: of the voice to look for: low or high, dark or bright, breathy or clear.
        manner: what words about the manner ask of any voice.
        mood: what a character of this kind feels when nothing has happened, each at most 0.4.
        temperament: lasting traits; None where no word names one.
        reasons: which words decided what, in their order.
        notes: wishes that contradict each other or cannot be met, with what is done instead.
    """

    gender: str | None = None
    age: str | None = None
    accent: str | None = None
    timbre: tuple[str, ...] = ()
    manner: Manner = Manner()
    mood: EmotionVector = EmotionVector()
    temperament: Temperament | None = None
    reasons: tuple[Reason, ...] = ()
    notes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything was said about the speaker."""
        return bool(self.reasons or self.notes)

    def to_json(self) -> dict[str, Any]:
        """What was said, ready for `json.dumps`; what was not is left out."""
        found: dict[str, Any] = {
            "gender": self.gender,
            "age": self.age,
            "accent": self.accent,
            "timbre": list(self.timbre),
            "manner": self.manner.to_json(),
            "mood": self.mood.to_json(),
            "temperament": self.temperament and _as_dict(self.temperament),
            "reasons": [_as_dict(reason) for reason in self.reasons],
            "notes": list(self.notes),
        }
        return {name: value for name, value in found.items() if value}


def _as_dict(value: Reason | Temperament) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in fields(value)}


def read_persona(words: str) -> Persona:
    """Reads who speaks and how from a direction; words it does not know are passed over.

    Adverbs of degree before a word about the manner multiply it, "not" and "without" cancel it.
    What is said of somebody else ("comforting an old man", "to a child", "her mother") is not about
    the speaker; what follows "as" and "like" is.

    >>> persona = read_persona("Tell this slowly, as a slightly grumpy but lovable grandpa.")
    >>> persona.gender, persona.age, persona.manner.to_json()
    ('male', 'old', {'pace': -0.35})

    Raises:
        InvalidInput: for what is no text.
    """
    if not isinstance(words, str):
        raise InvalidInput(f"The direction came as {type(words).__name__}; allowed: text.")
    return _Reader(words).read()


class _Token(NamedTuple):
    text: str  # lower case; "" for what is no word, number or stop
    start: int
    end: int
    stops: bool


class _Saying(NamedTuple):
    """One word of the vocabulary as it stands in a direction."""

    word: Word
    words: str
    start: int
    end: int
    factor: float
    alone: bool  # of a voice, without the word


_TOKEN = re.compile(
    r"(?P<word>[^\W\d_]+(?:'(?!s\b)[^\W\d_]+)*)|(?P<own>'s\b)|(?P<number>\d+s?)"
    r"|(?P<stop>[,;:.!?…()\[\]\n])|(?P<dash>\s[-–—]+\s)|(?P<other>[^\s\-_])"
)


class _Reader:
    """One pass over the tokens of a direction."""

    def __init__(self, words: str) -> None:
        self.words = words
        self.tokens = [
            _Token(
                "" if match.lastgroup == "other" else match[0].lower(),
                match.start(),
                match.end(),
                match.lastgroup in ("stop", "dash"),
            )
            for match in _TOKEN.finditer(words.replace("’", "'"))
        ]
        self.said: list[_Saying] = []
        self.reasons: list[Reason] = []
        self.notes: list[str] = []
        self.temperaments: list[Temperament] = []
        self.noun_ended = -1  # the index after the last noun for a person
        self._begin_clause()

    def _begin_clause(self) -> None:
        # Whose words these are: None for the speaker's; "person" somebody else's; "with" and
        # "theirs" somebody else's where they name a person.
        self.other: str | None = None
        self.likened = False
        self.negation: str | None = None
        self._drop_degrees()

    def _drop_degrees(self) -> None:
        self.factor, self.began = 1.0, None

    def read(self) -> Persona:
        index = 0
        while index < len(self.tokens):
            index = self._step(index)
        gender = self._settle("gender")
        age = self._settle("age")
        accent = self._settle("accent")
        timbre = self._timbre()
        mood = EmotionVector()
        for saying in self.said:
            self._give_reasons(saying, timbre)
            mood = mood.combine(EmotionVector(saying.word.mood))
            if saying.word.note:
                self.notes.append(saying.word.note)
        return Persona(
            gender=gender,
            age=age,
            accent=accent,
            timbre=timbre,
            manner=self._manner(),
            mood=mood,
            temperament=_mean(self.temperaments),
            reasons=tuple(sorted(self.reasons, key=lambda reason: reason.start)),
            notes=tuple(dict.fromkeys(self.notes)),
        )

    def _step(self, index: int) -> int:
        """Reads what stands at a token; the index of the next one to read."""
        token = self.tokens[index]
        if token.stops:
            self._begin_clause()
            return index + 1
        after = self._age(index)
        if after is not None:
            return after
        if token.text in DONE_TO and self._has_object(index + 1):
            self.other = "person"
            return index + 1
        word, after = self._longest(index, _WORDS)
        _, after_degree = self._longest(index, _DEGREES)
        negation, after_negation = self._longest(index, _NEGATIONS)
        furthest = max(after_degree, after_negation)
        if word is not None and after >= furthest and self._counts(word, index, after):
            self._take(word, index, after)
            return after
        name, after = self._longest(index, _TEMPERAMENTS)
        if name is not None and after >= furthest:
            somebody = self._qualifies(after) or (
                self._at(index - 1) is not None
                and self.tokens[index - 1].text in DETERMINERS
                and self._is_subject(index)
            )
            others = self._others(Word(who=True), index, after)
            if somebody and not others and not self.negation:
                self.temperaments.append(TEMPERAMENTS[name])
                self._reason(index, after, "temperament", f"{name!r} is a temperament")
            self._after_word(after)
            return after
        if token.text == "english" or token.text in LANGUAGES:
            self._language(index)
        elif after_negation > index:
            self.negation = negation  # None for "not only"
            self.began = index if self.began is None else self.began
            return after_negation
        elif after_degree > index:
            self.factor *= DEGREES[self._text(index, after_degree)]
            self.began = index if self.began is None else self.began
            return after_degree
        else:
            self._pass_over(index)
        return index + 1

    def _pass_over(self, index: int) -> None:
        """A word that says nothing by itself, but may tell whose the next ones are."""
        text = self.tokens[index].text
        if text in ABOUT_SPEAKER:
            self.other, self.likened = None, self.likened or text in LIKENED
        elif text in LIKENED:
            self.other, self.likened = None, True
        elif text in ("of", "by") and self._of_the_speaker(index):
            self.other = None
        elif text in TO:
            self.other = "person"
        elif text == "with":
            self.other = "with"
        elif text in POSSESSIVES:
            if not self.likened and self.other != "person":
                self.other = "theirs"
        elif text in ELSEWHERE and self._text(index, index + 2) not in _WHO_IS:
            self.other = "theirs"
        if text in ("but", "yet") or (text == "and" and self.negation != "without"):
            self.negation = None
        if text not in FILLERS:
            self._drop_degrees()

    def _of_the_speaker(self, index: int) -> bool:
        """Whether it goes on about the speaker: "the voice of", "with the calm of", "read by"."""
        before = self.tokens[index - 1].text if index else ""
        if self.tokens[index].text == "by":
            return before in SPOKEN
        return self.other == "with" or before in VOICES | {"way", "manner", "style", "air"}

    def _has_object(self, index: int) -> bool:
        """Whether a verb before this token is done to somebody."""
        if index >= len(self.tokens) or self.tokens[index].stops:
            return False
        if self.tokens[index].text in DETERMINERS:
            return True
        word, after = self._longest(index, _WORDS)
        return word is not None and word.noun and self.tokens[after - 1].text[-1:] in ("s", "n")

    def _longest(self, index: int, known: _Vocabulary) -> tuple[Any, int]:
        """What the longest known phrase at a token means, and the index after it."""
        found, end = None, index
        first = self._plain(index, index + 1)
        for after in range(index + 1, min(len(self.tokens), index + known.reach(first)) + 1):
            if self.tokens[after - 1].stops:
                break
            for text in (self._text(index, after), self._plain(index, after)):
                if text in known.meanings:
                    found, end = known.meanings[text], after
        return found, end

    def _text(self, index: int, after: int) -> str:
        words = (token.text for token in self.tokens[index:after])
        return " ".join(words).replace(" 's", "'s")

    def _plain(self, index: int, after: int) -> str:
        """The same with "their" for every possessive, as phrases are listed."""
        return " ".join(
            "their" if token.text in POSSESSIVES else token.text
            for token in self.tokens[index:after]
        ).replace(" 's", "'s")

    def _counts(self, word: Word, index: int, after: int) -> bool:
        """Whether a word means what the vocabulary says where it stands."""
        text = self._text(index, after)
        if word.sure == PRONOUN and text == "her":
            following = self._at(after)
            return following is not None  # else it is whom something is done to
        if word.spoken and not self._of_voice(index, after):
            return False
        if word.who and word.sure == ADJECTIVE and not word.noun:  # "an old question"
            return self._qualifies(after) or self._is_subject(index)
        if text in DEGREES:  # "clearly angry" is about the anger
            following, _ = self._longest(after, _LEXICON)
            return following is None
        return True

    def _is_beside(self, index: int) -> bool:
        """Whether a noun at this token is one more person, as in "strangle the man"."""
        if self.noun_ended == index or self._is_subject(index):
            return False
        before = [token.text for token in self.tokens[max(0, index - 3) : index]]
        spoken = any(saying.word.noun for saying in self.said)
        return "the" in before or (spoken and not DETERMINERS.isdisjoint(before))

    def _qualifies(self, after: int) -> bool:
        """Whether an adjective before this token stands alone, or before a person or a voice."""
        following = self._at(after)
        if following is None or following.text in ("and", "but", "or") or self._near_voice(after):
            return True
        for index in range(after, after + 4):
            if self._at(index) is None:
                return False
            word, _ = self._longest(index, _WORDS)
            if word is not None and word.noun:
                return True
        return False

    def _is_subject(self, index: int) -> bool:
        """Whether words begin a clause, or say what somebody is like; adjectives may precede."""
        for before in range(index - 1, index - 6, -1):
            token = self._at(before)
            if token is None or token.text in LIKENED | ABOUT_SPEAKER | {"'s", "by", "of"}:
                return True
            adjective = token.text in WORDS and not WORDS[token.text].noun
            if not (adjective or token.text in DETERMINERS | _QUALIFYING):
                return False
        return False

    def _at(self, index: int) -> _Token | None:
        token = self.tokens[index] if 0 <= index < len(self.tokens) else None
        return None if token is None or token.stops else token

    def _of_voice(self, index: int, after: int) -> bool:
        """Whether words stand beside "voice" or alone."""
        began = index if self.began is None else self.began
        before, following = self._at(began - 1), self._at(after)
        joints = ("and", "but", "sounding", "sound", "sounds")
        if (before is None or before.text in joints) and (
            following is None or following.text in joints
        ):
            return True
        return self._beside_voice(index, after)

    def _beside_voice(self, index: int, after: int) -> bool:
        return self._near_voice(after) or any(
            token.text in VOICES for token in self.tokens[max(0, index - 3) : index]
        )

    def _near_voice(self, after: int) -> bool:
        for token in self.tokens[after : after + 4]:
            if token.text in VOICES:
                return True
            if (token.stops and token.text != ",") or token.text in TO or token.text == "with":
                return False
        return False

    def _others(self, word: Word, index: int, after: int) -> bool:
        """Whether a word is said of somebody else."""
        if word.adverb:
            self.other = None
        owner = self._at(after)
        if word.noun and owner is not None and owner.text == "'s" and not self._near_voice(after):
            self.other = "person"  # "the king's advisor"
        if word.noun and not self.other and self._is_beside(index):
            self.other = "theirs"
        if self.other in ("with", "theirs"):
            return word.who and not self._near_voice(after)
        return self.other == "person"

    def _take(self, word: Word, index: int, after: int) -> None:
        """Notes what a word of the vocabulary says."""
        if after > index + 1:
            for token in range(index, after):
                pronoun = WORDS.get(self.tokens[token].text)
                if pronoun and pronoun.sure == PRONOUN and self.other != "person":
                    self.said.append(self._saying(pronoun, token, token + 1))
        others = self._others(word, index, after)
        if not others and self.negation and word.sure != PRONOUN:
            what = _whats(word)[0]
            self._reason(index, after, what, f"negated by {self.negation!r}: nothing is changed")
        elif not others:
            alone = word.spoken > 0 and not self._beside_voice(index, after)
            factor = self.factor * (0.5 if alone and word.spoken == 1 else 1.0)
            self.said.append(self._saying(word, index, after, factor, alone))
            if word.sure == PRONOUN and self.tokens[index].text in POSSESSIVES:
                self._pass_over(index)
        if word.noun:
            self.noun_ended = after if not others else -1
            following = self._at(after)
            if others and (following is None or following.text not in ("and", "or", "'s")):
                self.other = None
        if word.sure != PRONOUN:
            self._after_word(after)

    def _after_word(self, after: int) -> None:
        self._drop_degrees()
        following = self._at(after)
        if following is None or following.text not in ("or", "nor", "and"):
            self.negation = None

    def _saying(
        self, word: Word, index: int, after: int, factor: float = 1.0, alone: bool = False
    ) -> _Saying:
        if self.began is not None and any(_controls(word)):
            index = self.began
        start, end = self.tokens[index].start, self.tokens[after - 1].end
        return _Saying(word, self.words[start:end], start, end, factor, alone)

    def _reason(self, index: int, after: int, what: str, why: str) -> None:
        index = index if self.began is None else self.began
        start, end = self.tokens[index].start, self.tokens[after - 1].end
        self.reasons.append(Reason(self.words[start:end], start, end, what, why))

    def _language(self, index: int) -> None:
        """A language or a nation: spoken, or an accent."""
        name = self.tokens[index].text.title()
        before, following = self._at(index - 1), self._at(index + 1)
        accented = following is not None and following.text in ACCENT | VOICES
        spoken = before is not None and before.text in _SPOKEN and not accented
        if self.other == "person" and not accented:
            return
        if self.negation:
            what = f"negated by {self.negation!r}: nothing is changed"
            self._reason(index, index + 1, "accent", what)
        elif name == "English":
            if not spoken:
                self.said.append(self._saying(Word(accent="British"), index, index + 1))
        elif spoken:
            self.notes.append(f"Only English is spoken here, no {name}; write the line in English.")
        elif accented or following is None or self._qualifies(index + 1):
            self.notes.append(
                f"No {name} accent is in the cast, only American and British; nearest: the voice's "
                "own accent."
            )
        self._after_word(index + 1)

    def _age(self, index: int) -> int | None:
        """Reads an age in years at a token; the index after it, None where there is none."""
        text = self.tokens[index].text
        possessed = text == "in" and self._plain(index + 1, index + 2) == "their"
        decade = index + 2 * possessed
        part = self._text(decade, decade + 1) in ("early", "mid", "late")
        years = DECADES.get(self._text(decade + part, decade + part + 1))
        if years is not None and (possessed or part):  # "in her seventies", "mid-thirties"
            return self._aged(years, index, decade + part + 1)
        for opening in ("aged", "age", "at the age of", "the age of"):
            first = index + len(opening.split())
            if self._text(index, first) == opening:
                years, after = self._number(first)
                if years is not None:
                    return self._aged(years, index, after)
        if text == "of" and self.noun_ended == index:
            years, after = self._number(index + 1)
            return None if years is None else self._aged(years, index, after)
        years, after = self._number(index)
        if years is None:
            return None
        for ending in ("years of age", "year old", "year olds", "years old", "something"):
            last = after + len(ending.split())
            if self._text(after, last) == ending:
                return self._aged(years, index, last)
        return None

    def _number(self, index: int) -> tuple[int | None, int]:
        """Years at a token, in digits or words, and the index after them."""
        token = self._at(index)
        if token is None:
            return None, index
        if token.text.isdecimal():
            return (int(token.text), index + 1) if len(token.text) <= 4 else (None, index)
        years = NUMBERS.get(token.text)
        unit = self._at(index + 1)
        if years is not None and years >= 20 and unit and 0 < NUMBERS.get(unit.text, 0) < 10:
            return years + NUMBERS[unit.text], index + 2
        return years, index + 1

    def _aged(self, years: int, index: int, after: int) -> int:
        """Notes an age in years; the index after it."""
        age = "child" if years < 13 else "young" if years < 26 else "adult"
        word = Word(age="old" if years >= 60 else age, sure=OUTRIGHT + 1, who=True)
        self._take(word, index, after)
        return after

    def _settle(self, what: str) -> str | None:
        """Which gender, age or accent is meant; reasons and, for contradictions, notes."""
        sayings = [saying for saying in self.said if getattr(saying.word, what)]
        if not sayings:
            return None
        winner = max(sayings, key=lambda saying: saying.word.sure)  # the first of equals
        value = getattr(winner.word, what)
        for saying in sayings:
            said, sure = getattr(saying.word, what), saying.word.sure
            agrees = said == value or {said, value} in _ALIKE
            if sure == PRONOUN and saying is not winner:
                continue
            why = _why(saying, what) if agrees else f"{winner.words!r} decides"
            if not agrees and sure >= ADJECTIVE:
                self.notes.append(
                    f"{saying.words!r} and {winner.words!r} contradict each other and a line has "
                    f"one speaker: {winner.words!r} wins, {_how_sure(winner, saying)}."
                )
            self.reasons.append(Reason(saying.words, saying.start, saying.end, what, why))
        return value

    def _timbre(self) -> tuple[str, ...]:
        """Timbre words in the order of their saying; the first of two opposites wins.

        "Low and slow" is a way of speaking; only where somebody is asked for it is their voice too.
        """
        somebody = any(saying.word.who for saying in self.said)
        wished: dict[str, _Saying] = {}
        # A character's usual timbre gives way to what the creator says.
        for saying in sorted(self.said, key=lambda saying: saying.word.noun):
            for word in saying.word.timbre * (somebody or not saying.alone):
                against = wished.get(_OPPOSITES[word])
                if against is None:
                    wished.setdefault(word, saying)
                elif not saying.word.noun:
                    self.notes.append(
                        f"{against.words!r} and {saying.words!r} contradict each other: "
                        f"{against.words!r} wins, which comes first."
                    )
        return tuple(wished)

    def _give_reasons(self, saying: _Saying, timbre: tuple[str, ...]) -> None:
        """Reasons of a saying but those about who it is."""
        word = saying.word
        found: dict[str, str] = {}
        heard = [each for each in word.timbre if each in timbre]
        if heard:
            found["timbre"] = f"a {' and '.join(heard)} voice"
        for name, value in _controls(word):
            change = f"{name} {saying.factor * value:+.3g}"
            what = _NAMES.get(name, name)
            found[what] = f"{found[what]}, {change}" if what in found else change
        if word.mood:
            found["mood"] = ", ".join(f"{name}={value:g}" for name, value in word.mood.items())
        for what, why in found.items():
            self.reasons.append(Reason(saying.words, saying.start, saying.end, what, why))

    def _manner(self) -> Manner:
        """All manners at once: of words that ask for the same the strongest counts.

        Manners of a character give way where the creator's words ask for the opposite.
        """
        values = {}
        for name in CONTROLS:
            usual = self._pull(name, noun=True, noted=False)
            asked = self._pull(name, noun=False, noted=True)
            same = usual * asked > 0
            values[name] = max(usual, asked, key=abs) if same else asked or usual
        return Manner.bounded(values)

    def _pull(self, name: str, noun: bool, noted: bool) -> float:
        """How far words, or characters, move a control together."""
        pulls = [
            (round(saying.factor * getattr(saying.word.manner, name), 6), saying)
            for saying in self.said
            if saying.word.noun == noun
        ]
        up = max((pull for pull in pulls if pull[0] > 0), key=lambda p: p[0], default=None)
        down = min((pull for pull in pulls if pull[0] < 0), key=lambda p: p[0], default=None)
        together = sum(pull[0] for pull in (up, down) if pull)
        if up and down and noted:
            low, high = BOUNDS[name]
            if up[0] >= _FELT * high and down[0] <= _FELT * low:
                self.notes.append(
                    f"{up[1].words!r} and {down[1].words!r} pull the {_NAMES.get(name, name)} "
                    f"either way: they meet at {together:+.3g}."
                )
        return together


class _Vocabulary:
    """Phrases and what they mean, with how far each first word may reach."""

    def __init__(self, meanings: Mapping[str, Any]) -> None:
        self.meanings = meanings
        self._reach: dict[str, int] = {}
        for phrase in meanings:
            # "'s" is a token of its own.
            words = phrase.replace("'s", " 's").split()
            for first in {words[0], "their" if words[0] in POSSESSIVES else words[0]}:
                self._reach[first] = max(self._reach.get(first, 0), len(words))

    def reach(self, first: str) -> int:
        """Tokens of the longest phrase that begins with a word; 0 where none does."""
        return self._reach.get(first, 0)


_WORDS, _DEGREES, _LEXICON = _Vocabulary(WORDS), _Vocabulary(DEGREES), _Vocabulary(LEXICON)
_NEGATIONS = _Vocabulary(
    {phrase: phrase for phrase in (LEXICON_NEGATIONS | NEGATIONS) - {"nor"}}
    | dict.fromkeys(("not only", "not just", "not merely"))
)
_TEMPERAMENTS = _Vocabulary({name.replace("-", " "): name for name in TEMPERAMENTS})
_QUALIFYING = frozenset(LEXICON) | frozenset(DEGREES) | _TEMPERAMENTS.meanings.keys() | {"and"}
_WHO_IS = frozenset({"who is", "who was", "who's", "who speaks", "who sounds"})
_SPOKEN = frozenset("in into speak speaks speaking spoken talk talking say saying".split())


def _controls(word: Word) -> list[tuple[str, float]]:
    return list(word.manner.to_json().items())


def _whats(word: Word) -> list[str]:
    """What a word decides, the plainest first."""
    found = [what for what in ("gender", "age", "accent") if getattr(word, what)]
    controls = sorted(_controls(word), key=lambda pair: -abs(pair[1]) / BOUNDS[pair[0]][1])
    found += [_NAMES.get(name, name) for name, _ in controls]
    found += ["timbre"] * bool(word.timbre) + ["mood"] * bool(word.mood)
    return [*found, "voice"]


def _why(saying: _Saying, what: str) -> str:
    value, word = getattr(saying.word, what), saying.word
    if what == "accent":
        return f"{saying.words.lower()!r} is taken for {value}"
    usually = " usually" if word.sure == USUAL else ""
    return f"{saying.words.lower()!r} is{usually} {_MEANS[value]}"


def _how_sure(winner: _Saying, loser: _Saying) -> str:
    if winner.word.sure == loser.word.sure:
        return "which comes first"
    return "the noun" if winner.word.sure == NOUN else "which says it outright"


def _mean(temperaments: Iterable[Temperament]) -> Temperament | None:
    """The middle of several; None of none."""
    several = list(dict.fromkeys(temperaments))
    if len(several) < 2:
        return several[0] if several else None
    return replace(
        several[0],
        **{
            field.name: math.fsum(getattr(each, field.name) for each in several) / len(several)
            for field in fields(Temperament)
        },
    )
