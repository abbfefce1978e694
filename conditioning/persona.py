"""`Persona`: who speaks and how, read from the words of a direction."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

from conditioning.emotion import EmotionVector
from conditioning.errors import InvalidInput
from conditioning.lexicon import (
    DEGREES,
    FILLERS,
    LEXICON,
    NO_PERSONS,
    OF_MANNERS,
    PEOPLE,
    PERSON_ENDINGS,
)
from conditioning.lexicon import NEGATIONS as LEXICON_NEGATIONS
from conditioning.manner import BOUNDS, CONTROLS, Manner
from conditioning.persona_words import (
    ABOUT_SPEAKER,
    ACCENT,
    ADJECTIVE,
    ARTICLES,
    AT_OTHERS,
    BEING,
    DECADES,
    DETERMINERS,
    DONE_TO,
    ELSEWHERE,
    GOES_ON,
    HAPPENING,
    HEARD,
    KIN,
    LANGUAGES,
    LIKENED,
    LOVING,
    NEGATIONS,
    NOUN,
    NUMBERS,
    OPPOSITES,
    OUTRIGHT,
    POSSESSIVES,
    PRONOUN,
    SEVERAL,
    SOMEBODY,
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
        what: what they decide: gender, age, accent, language, timbre, pitch, pace, level, pause,
            breath, whisper, rough, tremor, melody, emphasis, mood, temperament or voice. `why` says
            where nothing is changed.
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

    @property
    def is_somebody(self) -> bool:
        """Whether it is said who speaks, and not only how."""
        return bool(self.gender or self.age or self.accent or self.timbre)

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

    Adverbs of degree before a word about the manner multiply it, "less" turns it round, "not" and
    "without" cancel it.
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
    manner: Manner  # the word's own, times its adverbs of degree
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
        self.noun_ended = -1  # the index after the last noun for a person, and that noun
        self.noun = ""
        self._begin_clause()

    def _begin_clause(self) -> None:
        # Whose words these are: None for the speaker's; "person" somebody else's; "with" and
        # "theirs" somebody else's where they name a person.
        self.other: str | None = None
        self.likened = False
        self.heard = False  # whether the next person named is the one whose voice is heard
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
        manner = self._manner()
        mood = EmotionVector()
        for saying in self.said:
            self._give_reasons(saying, timbre)
            mood = mood.combine(EmotionVector(saying.word.mood))
            if saying.word.note:
                self.notes.append(_note(saying.word, manner))
        return Persona(
            gender=gender,
            age=age,
            accent=accent,
            timbre=timbre,
            manner=manner,
            mood=mood,
            temperament=_mean(self.temperaments),
            reasons=tuple(sorted(self.reasons, key=lambda reason: reason.start)),
            notes=tuple(dict.fromkeys(self.notes)),
        )

    def _step(self, index: int) -> int:
        """Reads what stands at a token; the index of the next one to read."""
        if self.tokens[index].stops:
            self._begin_clause()
            return index + 1
        for read in (self._age, self._done_to, self._word, self._temperament, self._modifier):
            after = read(index)
            if after is not None:
                return after
        if self.tokens[index].text == "english" or self.tokens[index].text in LANGUAGES:
            self._language(index)
        else:
            self._pass_over(index)
        return index + 1

    def _done_to(self, index: int) -> int | None:
        """Reads a verb that is done to somebody; the index where that person stands."""
        if self.tokens[index].text not in DONE_TO:
            return None
        person = self._object(index)
        if person is not None:
            self.other = "person"
        return person

    def _word(self, index: int) -> int | None:
        word, after = self._longest(index, _WORDS)
        if word is None or after < self._modified(index) or not self._counts(word, index, after):
            return None
        self._take(word, index, after)
        return after

    def _temperament(self, index: int) -> int | None:
        name, after = self._longest(index, _TEMPERAMENTS)
        if name is None or after < self._modified(index):
            return None
        before = self._at(index - 1)
        somebody = self._qualifies(after) or (
            before is not None and before.text in DETERMINERS and self._is_subject(index)
        )
        if somebody and not self._others(Word(who=True), index, after) and not self.negation:
            self.temperaments.append(TEMPERAMENTS[name])
            self._reason(index, after, "temperament", f"{name!r} is a temperament")
        self._after_word(after)
        return after

    def _modified(self, index: int) -> int:
        """The index after the longest adverb of degree or negation at a token."""
        return max(self._longest(index, known)[1] for known in (_DEGREES, _NEGATIONS))

    def _modifier(self, index: int) -> int | None:
        """Reads an adverb of degree or a negation."""
        negation, after = self._longest(index, _NEGATIONS)
        factor, after_degree = self._longest(index, _DEGREES)
        if after > index:
            self.negation = negation  # None for "not only"
        elif after_degree > index:
            self.factor *= factor
            after = after_degree
        else:
            return None
        self.began = index if self.began is None else self.began
        return after

    def _pass_over(self, index: int) -> None:
        """A word that says nothing by itself, but may tell whose the next ones are."""
        text = self.tokens[index].text
        if text in LIKENED:
            self._liken(index)
        elif text in ABOUT_SPEAKER:
            self.other = None
        elif text in ("of", "by") and self._of_the_speaker(index):
            self.other = None
            self.heard = self.tokens[index - 1].text in VOICES and self._named()
        elif text in TO:
            if not self._to_a_voice(index + 1):  # "at a slow pace"
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

    def _liken(self, index: int) -> None:
        """The speaker follows "as" and "like": "like her grandpa", but not "as her father died"."""
        self.other = None
        following = self._at(index + 1)
        text = "" if following is None else following.text
        self.likened = bool(text) and text not in HAPPENING
        if text in POSSESSIVES:
            person = self._person_ahead(index + 2)
            after = self._longest(person, _WORDS)[1] if person is not None else index + 2
            rest = self._at(after)
            self.likened = rest is None or rest.text == "'s" or rest.text in _FUNCTION
        happens = self.tokens[index].text == "as" and text in ARTICLES - {"a", "an"}
        self.heard = self.likened and not happens and self._named()

    def _named(self) -> bool:
        """Whether somebody was named as the speaker before."""
        return any(saying.word.noun for saying in self.said)

    def _to_a_voice(self, index: int) -> bool:
        """Whether a way of speaking is named from a token on, behind adjectives alone."""
        said = False
        for here in range(index, index + 7):
            token = self._at(here)
            if token is None or token.text in VOICES:
                return token is not None and said
            adjective = self._is_adjective(here)
            said = said or adjective
            if not (adjective or token.text in ARTICLES):
                return False
        return False

    def _of_the_speaker(self, index: int) -> bool:
        """Whether it goes on about the speaker: "the voice of", "with the calm of", "read by"."""
        before = self.tokens[index - 1].text if index else ""
        if self.tokens[index].text == "by":
            return before in SPOKEN
        if self.other == "person":  # "at the sound of a king"
            return False
        return self.other == "with" or before in VOICES or before in _WAY

    def _object(self, verb: int) -> int | None:
        """From where on the person stands whom a verb is done to; None where there is nobody.

        Somebody with an article, several people, or relatives by their names.
        """
        first = self._at(verb + 1)
        if first is None:
            return None
        person = self._person_ahead(verb + 1 + (first.text in DETERMINERS))
        if first.text in DETERMINERS:
            return verb + 1 if person is None else person
        if person is None or self.tokens[verb].text in LOVING or self._after_article(verb):
            return None
        text = self._text(person, self._longest(person, _WORDS)[1])
        named = text in SEVERAL or (text in KIN and person == verb + 1)
        return person if named else None

    def _person_ahead(self, index: int) -> int | None:
        """Where the next person is named, with nothing but adjectives before; commas join them."""
        for here in range(index, min(index + 6, len(self.tokens))):
            token = self.tokens[here]
            word, _ = self._longest(here, _WORDS)
            if word is not None and word.noun:
                return here
            joins = token.text == "," and here > index and self._is_adjective(here + 1)
            if (token.stops and not joins) or token.text in _ENDING or token.text in DONE_TO:
                return None
            if word is not None and word.adverb:
                return None
        return None

    def _after_article(self, index: int) -> bool:
        """Whether a word at a token is an adjective: "a calm, comforting mother"."""
        for before in range(index - 1, max(index - 6, -1), -1):
            if self.tokens[before].text in ARTICLES:
                return True
            if not (self._is_adjective(before) or self.tokens[before].text == ","):
                return False
        return False

    def _is_adjective(self, index: int) -> bool:
        """Whether a known word at a token may say what a person or a voice is like."""
        token = self._at(index)
        if token is None:
            return False
        word = WORDS.get(token.text)
        return token.text in _QUALIFYING if word is None else not word.noun

    def _is_person(self, index: int) -> bool:
        """Whether somebody is named at a token, by a noun that is known or ends as one."""
        word, _ = self._longest(index, _WORDS)
        token = self.tokens[index]
        text = token.text.removesuffix("s")
        if word is not None or token.text in _QUALIFYING or token.text in NO_PERSONS:
            return word is not None and word.noun
        ends = len(text) > 4 and text.endswith(_PERSON_ENDINGS)
        return ends or text in SOMEBODY or token.text in PEOPLE

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
            return self._qualifies(after) or self._is_said_to_be(index, after)
        if word.noun and self._qualifies_a_thing(text, after):
            return False
        if text in DEGREES and not (
            word.spoken and self._near_voice(after)
        ):  # "clearly angry" is about the anger
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
        if following is None or following.text in ("and", "but", "or"):
            return True
        for index in range(after, min(after + 5, len(self.tokens))):
            token = self.tokens[index]
            if token.text in VOICES or self._is_person(index):
                owner = self._at(index + 1)  # "the old king's horse"
                owns = owner is not None and owner.text == "'s"
                return not owns or self._near_voice(index + 1)
            joins = token.text == "," and self._is_adjective(index - 1)
            if (token.stops and not joins) or token.text in _ENDING:
                return False
        return False

    def _is_said_to_be(self, index: int, after: int) -> bool:
        """Whether an adjective says what somebody is: "someone very old", "young at heart"."""
        before = index - 1
        while self._at(before) and self.tokens[before].text in DEGREES:
            before -= 1
        token, following = self._at(before), self._at(after)
        begins = token is None or token.text in BEING | {"and"}
        ends = following is None or following.text in _FUNCTION
        return (begins and ends) or (token is not None and token.text in BEING)

    def _qualifies_a_thing(self, noun: str, after: int) -> bool:
        """Whether a noun only qualifies an unknown one that follows: "king size", "dragon slayer".

        A name does not count as one ("King Arthur"), nor a verb or a participle by its ending.
        """
        token, behind = self._at(after), self._at(after + 1)
        if token is None or noun not in _CHARACTERS or not token.text.isalpha():
            return False
        if token.text in _KNOWN or self.words[token.start].isupper():
            return False
        if self._is_person(after):  # "a goblin jailer" is a goblin
            return token.text.removesuffix("s") in AT_OTHERS
        if token.text.endswith(("ing", "ed", "ly", "en", "s", "'t")):
            return False
        if behind is not None and self.words[token.end] == "-":  # "double-checking"
            return not behind.text.endswith(("ing", "ed"))
        return behind is None or behind.text in _FUNCTION or behind.text not in _KNOWN

    def _is_subject(self, index: int) -> bool:
        """Whether words begin a clause, or say what somebody is like; adjectives may precede."""
        for before in range(index - 1, index - 6, -1):
            token = self._at(before)
            if token is None or token.text in LIKENED | ABOUT_SPEAKER | {"'s", "by", "of"}:
                return True
            if not (self._is_adjective(before) or token.text in DETERMINERS):
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
        for index in range(after, min(after + 6, len(self.tokens))):
            token = self.tokens[index]
            if token.text in VOICES:
                return True
            joins = token.text == "," and self._is_adjective(index - 1)
            if (token.stops and not joins) or token.text in TO or token.text == "with":
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
        word = self._as_heard(word, after)
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
            self.noun_ended, self.noun = after if not others else -1, self._text(index, after)
            self.heard = self.likened = False
            following = self._at(after)
            if others and (following is None or following.text not in ("and", "or", "'s")):
                self.other = None
        if word.sure != PRONOUN:
            self._after_word(after)

    def _as_heard(self, word: Word, after: int) -> Word:
        """A word for whose voice is heard is surer than any other: "a man with a woman's voice"."""
        following = self._at(after)
        own = following is not None and following.text == "'s" and self._near_voice(after)
        voiced = own or (following is not None and following.text in VOICES)
        if word.who and word.sure > USUAL and (voiced or self.heard):
            return replace(word, sure=word.sure + HEARD)
        return word

    def _after_word(self, after: int) -> None:
        self._drop_degrees()
        following = self._at(after)
        if following is None or following.text not in ("or", "nor", "and"):
            self.negation = None

    def _saying(
        self, word: Word, index: int, after: int, factor: float = 1.0, alone: bool = False
    ) -> _Saying:
        # With its degree, so that "a little" of "a little girl" is accounted for.
        if self.began is not None and (word.who or any(_controls(word))):
            index = self.began
        manner = word.manner.scaled(factor)
        if factor < 0:  # "less breathy" asks for nobody's voice
            word = Word(manner=word.manner)
        return _Saying(word, *self._span(index, after), manner, alone)

    def _span(self, index: int, after: int) -> tuple[str, int, int]:
        """Words as written and their offsets, with what they are said of: "British accent"."""
        following = self._at(after)
        after += following is not None and following.text in _SAID_OF
        start, end = self.tokens[index].start, self.tokens[after - 1].end
        return self.words[start:end], start, end

    def _reason(self, index: int, after: int, what: str, why: str) -> None:
        index = index if self.began is None else self.began
        self.reasons.append(Reason(*self._span(index, after), what, why))

    def _language(self, index: int) -> None:
        """A language or a nation: spoken, or an accent."""
        name = self.tokens[index].text.title()
        before, following = self._at(index - 1), self._at(index + 1)
        accented = following is not None and following.text in ACCENT | VOICES
        spoken = before is not None and before.text in _SPOKEN and not accented
        if self.other == "person" and not accented:
            return
        if self.negation:
            why = f"negated by {self.negation!r}: nothing is changed"
            self._reason(index, index + 1, "accent", why)
        elif name == "English":
            if not spoken:
                self.said.append(self._saying(Word(accent="British"), index, index + 1))
        elif spoken:
            self._reason(index, index + 1, "language", "only English is spoken here")
            self.notes.append(f"Only English is spoken here, no {name}; write the line in English.")
        elif accented or following is None or self._qualifies(index + 1):
            self._reason(index, index + 1, "accent", "nobody in the cast has it")
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
            return self._age_of(index)
        years, after = self._number(index)
        if years is None:
            return None
        for ending in ("years of age", "year old", "year olds", "years old", "something"):
            last = after + len(ending.split())
            if self._text(after, last) == ending:
                return self._aged(years, index, last)
        return None

    def _age_of(self, index: int) -> int | None:
        """Reads "of forty" after a person; "mother of three" and "of 1000 faces" are no ages."""
        years, after = self._number(index + 1)
        if years is None or not 3 <= years <= 120 or self.noun in KIN:
            return None
        plain = WORDS[self.noun].sure == OUTRIGHT  # "a soldier of ten years" has served them
        for ending in ("years of age", "years old", "years")[: 2 + plain]:
            last = after + len(ending.split())
            after = last if self._text(after, last) == ending else after
        rest = self._at(after)
        if rest is not None and rest.text not in ("with", "who"):
            return None
        return self._aged(years, index, after)

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
            imitates = sure < HEARD <= winner.word.sure
            if not agrees and sure >= ADJECTIVE and not imitates:
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
                against = wished.get(OPPOSITES[word])
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
        for name, value in saying.manner.to_json().items():
            change = f"{name} {value:+.3g}"
            what = _NAMES.get(name, name)
            found[what] = f"{found[what]}, {change}" if what in found else change
        if word.mood:
            found["mood"] = ", ".join(f"{name}={value:g}" for name, value in word.mood.items())
        if word.note and not (found or word.accent) and saying.words.lower() not in LEXICON:
            found["voice"] = "no voice here does that"
        if _controls(word) and not found:
            found[_whats(word)[0]] = "less than none cannot be spoken: nothing is changed"
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
            (getattr(saying.manner, name), saying)
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


_WORDS, _DEGREES, _LEXICON = _Vocabulary(WORDS), _Vocabulary(OF_MANNERS), _Vocabulary(LEXICON)
_NEGATIONS = _Vocabulary(
    {phrase: phrase for phrase in (LEXICON_NEGATIONS | NEGATIONS) - {"nor"}}
    | dict.fromkeys(("not only", "not just", "not merely"))
)
_TEMPERAMENTS = _Vocabulary({name.replace("-", " "): name for name in TEMPERAMENTS})
# Words that go on about a person, or begin something else.
_FUNCTION = TO | ELSEWHERE | ABOUT_SPEAKER | LIKENED | {"with", "and", "or", "nor", "yet"}
# Beyond these an adjective says nothing of a noun.
_ENDING = (_FUNCTION - {"and"}) | DETERMINERS | POSSESSIVES
# What a word is said of and a reader of emotions does not know.
_SAID_OF = (VOICES | ACCENT) - FILLERS - WORDS.keys()
_QUALIFYING = frozenset(LEXICON) | frozenset(DEGREES) | _TEMPERAMENTS.meanings.keys() | {"and"}
_KNOWN = (
    _QUALIFYING | _ENDING | FILLERS | LEXICON_NEGATIONS | NEGATIONS | DONE_TO | GOES_ON | VOICES
    | LANGUAGES | {"english"} | {text for phrase in WORDS for text in phrase.split()}
)  # fmt: skip
# Those whom their way of speaking tells, and not their gender or age alone.
_CHARACTERS = frozenset(text for text, word in WORDS.items() if word.noun and word.manner)
# Few persons and many things end in "ee".
_PERSON_ENDINGS = (*(ending for ending in PERSON_ENDINGS if ending != "ee"), "mother", "father")
_WAY = frozenset({"way", "manner", "style", "air"})
_WHO_IS = frozenset({"who is", "who was", "who's", "who speaks", "who sounds"})
_SPOKEN = frozenset("in into speak speaks speaking spoken talk talking say saying".split())


def _controls(word: Word) -> list[tuple[str, float]]:
    return list(word.manner.to_json().items())


def _note(word: Word, manner: Manner) -> str:
    """Its note, without the nearest that can be done where other words undo that."""
    undone = any(value * getattr(manner, name) <= 0 for name, value in _controls(word))
    return word.note.partition("; nearest")[0] + "." if undone else word.note


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
    if word.sure >= HEARD:
        return f"{saying.words.lower()!r} is {_MEANS[value]} and whose voice is heard"
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
