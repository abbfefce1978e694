"""Words, numbers or markup -> a `Direction`: what is felt, by whom, and how it is said."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from conditioning import pictographs, vocal_tags
from conditioning.emotion import (
    EmotionCurve,
    EmotionVector,
    checked_intensity,
    parse_number,
    quoted,
)
from conditioning.errors import InvalidInput, UserError
from conditioning.manner import Manner
from conditioning.markup import Markup, parse_markup, stations
from conditioning.persona import Persona, Reason, read_persona
from conditioning.suggestion import DOUBTED, NEUTRAL, acted, beside, told_beside
from conditioning.wording import Evidence, Understood, nothing_named, slip, understand

if TYPE_CHECKING:
    from conditioning.interpreter import Interpreter, Reading
    from conditioning.language_model import Answer, LanguageModel
    from conditioning.likeness import Likeness

AUTO = "auto"  # the direction that asks for what the line itself suggests
KEPT = "the voice keeps its own reading"
NOT_ENGLISH = "The direction does not look like English, which is all that is understood."
SUGGESTED = "suggested by"  # how evidence begins that nobody named
SURE = 0.35  # an intensity found in words that do not look like English is otherwise no guide
ENGLISH = 0.4  # of the words must be known ones, or the direction is called not English


Stretch = tuple[int, int, Manner]
"""First character and last + 1 in the clean text, and the manner between them."""


@dataclass(frozen=True)
class Direction:
    """How a line should be said.

    Attributes:
        curve: emotion over the clean text.
        text: the clean text, without markup.
        evidence: which words decided what, the line's own direction first.
        ignored: content words that were not understood.
        prosody: how a recording was spoken, where its way is asked for.
        persona: who speaks, and how.
        manners: (start, end, manner) of stretches of the clean text; where several hold, they add.
        pauses: (offset in the clean text, seconds), sorted.
        notes: what cannot be done, and what is done in its place.
    """

    curve: EmotionCurve
    text: str
    evidence: tuple[Evidence, ...] = ()
    ignored: tuple[str, ...] = ()
    prosody: Likeness | None = None
    persona: Persona = field(default_factory=Persona)
    manners: tuple[Stretch, ...] = ()
    pauses: tuple[tuple[int, float], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def directed(self) -> bool:
        """Whether an emotion, or the absence of any, is asked.

        The word "neutral" asks for a neutral reading; no direction, or numbers that are all zero,
        leave the voice's own reading as it is.
        """
        return bool(self.evidence) or not self.curve.is_neutral or self.prosody is not None

    @property
    def neutral(self) -> Direction:
        """The same line, read by the same speaker without anything asked."""
        return Direction(EmotionCurve.constant(NEUTRAL), self.text, persona=self.persona)

    def __str__(self) -> str:
        return f"{self.curve}{'; prosody of a recording' if self.prosody is not None else ''}"

    def to_json(self) -> dict:
        """Ready for `json.dumps`, without a recording's prosody and what is empty."""
        mean = self.curve.mean()
        described = {
            "text": self.text,
            "emotions": mean.to_json(),
            "valence": round(mean.valence, 4),
            "arousal": round(mean.arousal, 4),
            "dominance": round(mean.dominance, 4),
            "curve": self.curve.to_json() if len(set(self.curve.points)) > 1 else None,
            "persona": self.persona.to_json() if self.persona else None,
            "manners": [[start, end, manner.to_json()] for start, end, manner in self.manners],
            "pauses": [list(pause) for pause in self.pauses],
            "evidence": [asdict(item) for item in self.evidence],
            "ignored": list(self.ignored),
            "notes": list(self.notes),
        }
        kept = ("text", "emotions", "valence", "arousal", "dominance")
        return {name: value for name, value in described.items() if value or name in kept}


def direct(
    text_with_markup: str,
    direction: str | EmotionVector | EmotionCurve | Likeness | Direction | None = None,
) -> Direction:
    """Reads a direction by the words that it names outright; see `DirectionReader.direct`."""
    return DirectionReader().direct(text_with_markup, direction)


class DirectionReader:
    """Reads directions: what words name outright holds; what they suggest is added.

    Suggestions come from a trained `Interpreter` and, where one is given, from a language model.
    """

    def __init__(
        self,
        interpreter: Callable[[], Interpreter] | None = None,
        language_model: LanguageModel | None = None,
    ):
        """Without arguments only the words of the lexicon are understood.

        Args:
            interpreter: gives the interpreter; called once, when words first need it.
            language_model: is asked before the interpreter.
        """
        self._open = interpreter
        self._language_model = language_model

    @classmethod
    def load(cls, folder: Path | str | None = None, ask: bool = True) -> DirectionReader:
        """With the interpreter, loaded when words first need it, and the environment's model.

        Args:
            folder: where to look for weights first.
            ask: whether a language model that the environment names is asked; what it answers is
                not the same each time.
        """
        from conditioning.language_model import LanguageModel

        def interpreter() -> Interpreter:
            from conditioning.interpreter import Interpreter

            return Interpreter.load(folder)

        return cls(interpreter, LanguageModel.from_environment() if ask else None)

    @property
    def asks(self) -> bool:
        """Whether a language model is asked, which takes seconds and is told what is written."""
        return self._language_model is not None

    @cached_property
    def _interpreter(self) -> Interpreter | None:
        return self._open() if self._open else None

    def direct(
        self,
        text_with_markup: str,
        direction: str | EmotionVector | EmotionCurve | Likeness | Direction | None = None,
        context: Sequence[tuple[str, str]] = (),
    ) -> Direction:
        """Combines a line's own direction with the markup in its text.

        A bracket replaces the line's own direction from where it stands to the next bracket or the
        end of the line, with a step at either side; `[/]` returns to the line's own. Ramps ("calm
        -> furious", "fear 0.2 -> 0.9") run straight from the first to the last character they
        direct, in a bracket or over the whole line; a number alone keeps the emotion before it.

        Args:
            text_with_markup: the line, with or without markup.
            direction: words, numbers, a vector, a curve, the likeness of a recording; "auto" for
                what the line itself suggests; None for the voice's own reading. A `Direction` of
                this line is returned as it is.
            context: (who, what) of the lines before, for the language model.

        Raises:
            InvalidInput, UnknownName: for a direction or markup that cannot be understood.
            WeightsError: the interpreter's weights are missing or damaged.
        """
        from conditioning.likeness import Likeness

        if isinstance(direction, Direction):
            if (
                text_with_markup != direction.text
                and parse_markup(text_with_markup).text != direction.text
            ):
                raise InvalidInput(
                    f"The direction was made for {quoted(direction.text)}, the line is "
                    f"{quoted(text_with_markup)}; make one for it."
                )
            return direction
        markup = parse_markup(text_with_markup)
        prosody = direction if isinstance(direction, Likeness) else None
        own = self._own(direction if prosody is None else prosody.emotions, markup.text, context)
        curve, readings, manners = self._bracketed(own, markup)
        return Direction(
            curve,
            markup.text,
            tuple(item for reading in readings for item in reading.evidence),
            _once(word for reading in readings for word in reading.ignored),
            prosody,
            own.persona,
            (*manners, *markup.manners),
            markup.pauses,
            _once([*(note for each in readings for note in each.notes), *markup.notes]),
        )

    def _bracketed(
        self, own: _Own, markup: Markup
    ) -> tuple[EmotionCurve, list[_Reading], list[Stretch]]:
        """The line's own direction with those of its brackets: curve, readings, manners."""
        if not markup.spans:
            return own.curve, list(own.readings), list(own.manners)
        length, readings, manners = len(markup.text), list(own.readings), list(own.manners)
        points: list[tuple[float, EmotionVector]] = []
        reached = 0
        for span in markup.spans:
            points += _stretch(own.curve, reached, span.start, length)
            try:
                inside = self._stations(span.directions)
            except UserError as error:
                raise type(error)(f"Bracket at character {span.position + 1}: {error}") from None
            vectors = [reading.vector for reading in inside]
            if span.beside:
                under = _stretch(own.curve, span.start, span.end, length)
                points += [(place, vector.combine(vectors[0])) for place, vector in under]
            else:
                points += _ramp(vectors, span.start / length, span.end / length)
            manners += _manners(inside, span.start, span.end)
            readings += [reading.within(span.start, span.end) for reading in inside]
            reached = span.end
        points += _stretch(own.curve, reached, length, length)
        return EmotionCurve(tuple(points)), readings, manners

    def line(
        self, text: str, context: Sequence[tuple[str, str]] = ()
    ) -> tuple[EmotionVector, tuple[str, ...]]:
        """What a line itself suggests to feel, and notes; neutral where nobody can read it.

        Args:
            context: (who, what) of the lines before, for the language model.
        """
        answer, notes = self._ask(text, None, context)
        if answer:
            return answer.curve.mean(), notes
        if self._interpreter is None:
            return NEUTRAL, notes
        return acted(self._interpreter.read([text], lines=True)[0].intensities), notes

    def _own(self, direction, text: str, context: Sequence[tuple[str, str]]) -> _Own:
        """The line's own direction."""
        if direction is None:
            return _Own(EmotionCurve.constant(NEUTRAL))
        if isinstance(direction, EmotionCurve):
            return _Own(direction)
        if isinstance(direction, EmotionVector):
            return _Own(EmotionCurve.constant(direction))
        if not isinstance(direction, str):
            raise InvalidInput(
                f"The direction came as {type(direction).__name__}; allowed: text, an "
                "EmotionVector, an EmotionCurve, a Likeness, a Direction or None."
            )
        if direction.strip().lower() == AUTO:
            return self._suggested(text, context)
        parts = stations(direction)
        if len(parts) > 1:
            return self._ramped(parts, len(text))
        (words,) = parts
        if parse_number(words) is not None:
            raise _lone_number(words)
        persona, named = _named(words)
        answer, notes = self._ask(text, words, context) if _connotes(persona, named) else (None, ())
        if answer:
            return _told(answer, persona, named)
        reading = self._read(words, persona, named).noting(notes)
        return _Own(EmotionCurve.constant(reading.vector), (reading,), reading.persona)

    def _ramped(self, parts: Sequence[str], length: int) -> _Own:
        """A ramp over the whole line: its first station says who speaks, each how for its share."""
        first, *others = self._stations(parts)
        readings = [first, *(reading.staying() for reading in others)]
        points = _ramp([reading.vector for reading in readings], 0.0, 1.0)
        who = replace(first.persona, manner=Manner())
        return _Own(
            EmotionCurve(tuple(points)), tuple(readings), who, _manners(readings, 0, length)
        )

    def _ask(
        self, text: str, words: str | None, context: Sequence[tuple[str, str]]
    ) -> tuple[Answer | None, tuple[str, ...]]:
        """The language model's answer, if there is a model and it can be used, and what to note."""
        if self._language_model is None:
            return None, ()
        from conditioning.language_model import Unusable

        try:
            return self._language_model.direct(text, words, context), ()
        except Unusable as error:
            return None, (f"{error} The direction was read without it.",)

    def _suggested(self, text: str, context: Sequence[tuple[str, str]]) -> _Own:
        """What the line itself suggests."""
        answer, notes = self._ask(text, None, context)
        if answer:
            return _told(answer, Persona(), Understood(NEUTRAL, (), ()))
        if self._interpreter is None:
            raise InvalidInput(
                f"The direction is {AUTO!r}, and there is no interpreter to read the line; name an "
                "emotion, or use DirectionReader.load()."
            )
        suggestion = self._interpreter.read([text], lines=True, explain=True)[0]
        nothing = Understood(NEUTRAL, (), ())
        vector, evidence = _combined(nothing, suggestion, Persona(), "the line itself")
        if not evidence:
            notes = (
                *notes,
                "The line itself suggests no feeling; the voice keeps its own reading.",
            )
        return _Own(EmotionCurve.constant(vector), (_Reading(vector, evidence, notes=notes),))

    def _stations(self, parts: Sequence[str]) -> list[_Reading]:
        """The stations of a ramp; one that is a number alone keeps the emotions before it."""
        readings: list[_Reading] = []
        for part in parts:
            number = parse_number(part)
            if number is None:
                readings.append(self._read(part, *_named(part)))
                continue
            if not readings or readings[-1].vector.is_neutral:
                raise _lone_number(part)
            before = readings[-1].vector.items()
            strongest, most = before[0]
            number = checked_intensity(strongest, number)
            after = {name: number * (value / most) for name, value in before}
            evidence = tuple(
                Evidence(part, name, value, f"{name} as before, at the number given")
                for name, value in after.items()
            )
            readings.append(_Reading(EmotionVector(after), evidence))
        return readings

    def _read(self, words: str, persona: Persona, named: Understood) -> _Reading:
        """One direction in words: what it names, and where words remain, what it suggests."""
        suggestion, ignored, notes = None, named.ignored, persona.notes
        if _connotes(persona, named) and self._interpreter:
            suggestion = self._interpreter.read([_spelt(words)], explain=True)[0]
            if suggestion.known < ENGLISH:
                notes = (*notes, NOT_ENGLISH)
        if suggestion and suggestion.known < ENGLISH and not _sure(suggestion):
            suggestion = replace(suggestion, intensities=NEUTRAL)
        vector, evidence = _combined(named, suggestion, persona, "the direction as a whole")
        if suggestion and any(item.why.startswith(SUGGESTED) for item in evidence):
            ignored = tuple(word for word in ignored if word in suggestion.strange)
        if not evidence and not persona:
            known = suggestion.known if suggestion else 0.0
            if known < ENGLISH or (known < 1 and slip(ignored)):
                raise nothing_named(words, named, *notes)
            notes = (*notes, f"{quoted(words)} suggests no feeling; {KEPT}.")
            ignored = ()
        return _Reading(vector, evidence, ignored, persona, notes)


@dataclass(frozen=True)
class _Reading:
    """One direction in words as it was read."""

    vector: EmotionVector
    evidence: tuple[Evidence, ...] = ()
    ignored: tuple[str, ...] = ()
    persona: Persona = field(default_factory=Persona)
    notes: tuple[str, ...] = ()

    def noting(self, notes: tuple[str, ...]) -> _Reading:
        return replace(self, notes=(*self.notes, *notes))

    def within(self, start: int, end: int) -> _Reading:
        """The same for a bracket: its evidence says where it holds."""
        evidence = tuple(replace(item, span=(start, end)) for item in self.evidence)
        return replace(self, evidence=evidence).staying()

    def staying(self) -> _Reading:
        """The same with a note on words that would change the speaker within the line."""
        who = (each for each in self.persona.reasons if each.what in ("gender", "age", "timbre"))
        notes = (f"{each.words!r}: the speaker does not change within a line." for each in who)
        return self.noting(tuple(notes))


class _Own(NamedTuple):
    """A line's own direction, before its markup."""

    curve: EmotionCurve
    readings: tuple[_Reading, ...] = ()
    persona: Persona = Persona()
    manners: tuple[Stretch, ...] = ()


def _lone_number(part: str) -> InvalidInput:
    return InvalidInput(
        f"The number {quoted(part)} stands without an emotion; allowed after a named one; write "
        "for example 'fear 0.2 -> 0.9'."
    )


def _named(words: str) -> tuple[Persona, Understood]:
    words = _spelt(words)
    persona = read_persona(words)
    settings = tuple(_settings(words))
    if settings:
        manner = sum((setting for _, setting in settings), persona.manner)
        reasons = (*persona.reasons, *(reason for reason, _ in settings))
        persona = replace(persona, manner=manner, reasons=reasons)
    return persona, understand(words, [(each.start, each.end) for each in persona.reasons])


def _settings(words: str) -> Iterator[tuple[Reason, Manner]]:
    """The manners that parts of a direction give in numbers, as in "sad, speed 0.8"."""
    start = 0
    for part in words.split(","):
        setting = vocal_tags.setting(part.strip())
        if setting:
            first = start + len(part) - len(part.lstrip())
            told = part.strip()
            yield Reason(told, first, first + len(told), "manner", "as given in numbers"), setting
        start += len(part) + 1


def _connotes(persona: Persona, named: Understood) -> bool:
    """Whether words remain that may suggest a feeling which nobody named."""
    return named.unread or not persona.mood.is_neutral


def _told(answer: Answer, persona: Persona, named: Understood) -> _Own:
    """A language model's answer under what is named outright."""
    points = [(place, told_beside(named, vector)) for place, vector in answer.curve.points]
    curve = EmotionCurve(tuple(points))
    told = {name: value for name, value in curve.mean().items() if not named.vector[name]}
    evidence = tuple(
        Evidence("", name, round(value, 4), f"by the language model: {answer.notes}")
        for name, value in told.items()
    )
    reading = _Reading(curve.mean(), (*named.evidence, *evidence), (), persona, persona.notes)
    return _Own(curve, (reading,), persona)


def _combined(
    named: Understood, suggestion: Reading | None, persona: Persona, what: str
) -> tuple[EmotionVector, tuple[Evidence, ...]]:
    """What is named, and beside it what is suggested; the evidence says which is which."""
    read = suggestion.intensities if suggestion else NEUTRAL
    vector, suggested = beside(named, read, persona.mood), acted(read)
    words = ", ".join(word for word, *_ in suggestion.words) if suggestion else ""
    usual = ", ".join(reason.words for reason in persona.reasons if reason.what == "mood")
    added = tuple(
        Evidence(words or what, name, round(value, 4), f"{SUGGESTED} {what}")
        if suggested[name] >= persona.mood[name]
        else Evidence(usual, name, round(value, 4), "the usual mood of such a character")
        for name, value in vector.items()
        if value > named.vector[name]
    )
    doubted = (
        replace(
            item,
            intensity=vector[item.category],
            why=f"{item.why}, x{DOUBTED:g}: named in passing, and the rest does not confirm it",
        )
        if item.intensity and vector[item.category] < named.vector[item.category]
        else item
        for item in named.evidence
    )
    return vector, (*doubted, *added)


def _sure(suggestion: Reading) -> bool:
    """Whether a reading is certain enough to be followed although the words look foreign."""
    return bool(suggestion.intensities.items()) and suggestion.intensities.items()[0][1] >= SURE


def _manners(readings: Sequence[_Reading], start: int, end: int) -> tuple[Stretch, ...]:
    """Manners of the stations of a ramp, each over its share of the characters."""
    edges = [start + (end - start) * index // len(readings) for index in range(len(readings) + 1)]
    return tuple(
        (first, last, reading.persona.manner)
        for reading, first, last in zip(readings, edges, edges[1:], strict=False)
        if reading.persona.manner and first < last
    )


def _spelt(words: str) -> str:
    """The words, emoji by their names; "enraged face" is enraged."""
    if words.isascii():
        return words
    return pictographs.named(words).text.replace(" face", " ")


def _once(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))


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
