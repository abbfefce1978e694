"""`Director`: what a line should feel like from who says it to whom, and what was said before."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType
from typing import Any

from conditioning.direction import AUTO, Direction, DirectionReader
from conditioning.emotion import EmotionCurve, EmotionVector, quoted
from conditioning.errors import InvalidInput
from conditioning.mood import FAINTEST, Mood
from conditioning.taxonomy import CATEGORIES, INDEX
from conditioning.temperament import Temperament

__all__ = ["Cue", "Director", "Line", "Mood"]

# How a line is taken by those who hear it. The tables and shares are our judgement, made to be
# read; that dominance is met with dominance or gives way, and that warmth brings warmth, are what
# they follow.
HOSTILE: Mapping[str, str] = {  # -> what it makes of those who give way; the others get angry
    "Anger": "Fear",
    "Malevolence/Malice": "Fear",
    "Impatience and Irritability": "Distress",
    "Jealousy & Envy": "Distress",
    "Contempt": "Shame",
    "Disgust": "Shame",
    "Bitterness": "Shame",
    "Sourness": "Shame",
}
CAUGHT: Mapping[str, tuple[str, float]] = {  # -> what the hearer feels, and how much of it
    "Amusement": ("Amusement", 1.0),
    "Elation": ("Elation", 1.0),
    "Teasing": ("Amusement", 0.5),
    "Contentment": ("Contentment", 1.0),
    "Relief": ("Relief", 1.0),
    "Affection": ("Affection", 1.0),
    "Thankfulness/Gratitude": ("Affection", 1.0),
    "Hope/Enthusiasm/Optimism": ("Hope/Enthusiasm/Optimism", 1.0),
    "Shame": ("Affection", 0.6),  # regret shown is an apology
    "Sadness": ("Sadness", 0.4),
    "Disappointment": ("Disappointment", 0.4),
    "Pain": ("Distress", 0.4),
    "Helplessness": ("Distress", 0.4),
    "Fear": ("Fear", 0.4),
    "Distress": ("Distress", 0.4),
}
OVERHEARD = 1 / 3  # how much a line touches those present whom it is not said to
DIRECTED_COLOUR = 0.5  # how much of the mood's colour a directed line keeps
FORGOTTEN = 0.01  # what a line has left in a mood, below which it is no reason any more
CONTEXT = 12  # lines before that are told to the reader
NAMED = 3  # emotions given as reasons, at most


@dataclass(frozen=True)
class Line:
    """One line of a dialogue.

    Attributes:
        character: who says it.
        text: what is said, with or without markup.
        direction: how, in words that name an emotion, in numbers, over the line, or as already
            read by a `DirectionReader`; None or "auto" leaves it to the director.
        to: whom it is said to; empty for whoever spoke last before.
    """

    character: str
    text: str
    direction: str | EmotionVector | EmotionCurve | Direction | None = None
    to: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if isinstance(self.to, str) or not isinstance(self.to, Iterable):
            raise InvalidInput(
                f"A line is said to {quoted(str(self.to))}; allowed: a tuple of names such as "
                "('Bran',)."
            )
        object.__setattr__(self, "to", tuple(self.to))
        for name in (self.character, *self.to):
            if not isinstance(name, str) or not name.strip():
                raise InvalidInput(
                    f"A character of a line is {quoted(str(name))}; allowed: a name, as text."
                )
        if not isinstance(self.text, str):
            raise InvalidInput(f"A line came as {type(self.text).__name__}; allowed: text.")


@dataclass(frozen=True)
class Cue:
    """What the director says about a line.

    Attributes:
        line: the line.
        direction: how it is to be spoken: what was asked, with the emotion that came of it.
        before: mood in which the speaker says it.
        after: mood in which that leaves the speaker.
        moods: mood of everybody who has spoken or been spoken to, after the line.
        felt: what the line itself makes the speaker and the others feel, without their moods.
        why: the reasons for that emotion, in words.
    """

    line: Line
    direction: Direction
    before: Mood
    after: Mood
    moods: Mapping[str, Mood]
    felt: Mapping[str, EmotionVector]
    why: tuple[str, ...]

    @property
    def emotion(self) -> EmotionVector:
        """The direction's emotion, its mean over the line."""
        return self.direction.curve.mean()


@dataclass(frozen=True)
class _Memory:
    """A character's mood, and what each line added to it, faded since as the mood itself fades.

    The baseline and the pushes add up to the mood, but for those too weak to be kept.
    """

    mood: Mood
    pushes: tuple[tuple[str, Mood], ...] = ()  # with the line, such as "line 3 (Bran: 'You fool.')"


class Director:
    """Keeps a mood for each character, moves it with every line, and directs lines by it.

    For each line, in this order:
    1. Everybody's mood goes back towards the baseline of their temperament, halving the distance in
       `half_life` lines.
    2. The line's emotion is its direction; without one, what `reader` finds in its words. The mood
       colours it: wholly where nothing is directed, by half where something is, never with the
       opposite valence of a direction, and not at all where the direction is neutral. What stands
       in brackets in an undirected line is taken as it is.
    3. Those who hear it feel something themselves: hostility makes the dominant angry and the
       submissive afraid or ashamed; warmth, sorrow and fear are caught, the more the warmer the
       hearer. Those present whom it is not said to feel a third of that.
    4. The mood of each goes towards the place of what they feel (the speaker: of what the line
       says), a share of the way that is `reactivity` times the sum of the intensities, at most 1.

    A mood moves by what a line says and not by its colour, so that it does not feed on itself. Each
    step ends between two points in [-1, 1], so no mood ever leaves it. The same lines give the same
    moods.

    >>> from conditioning.temperament import find_temperament
    >>> director = Director({"Bran": find_temperament("hot-tempered")})
    >>> _ = director.direct(Line("Ada", "Move, you fool.", "contemptuous", to=("Bran",)))
    >>> cue = director.direct(Line("Bran", "I am going."))
    >>> print(cue.emotion.items()[0][0], "|", cue.why[0])
    Impatience and Irritability | mood: slightly hostile since line 1 (Ada: 'Move, you fool.')
    """

    def __init__(
        self,
        temperaments: Mapping[str, Temperament] | None = None,
        reader: DirectionReader | None = None,
        moods: bool = True,
        habits: Mapping[str, EmotionVector] | None = None,
    ) -> None:
        """
        Args:
            temperaments: by character; who is absent is an average person.
            reader: reads directions, and finds the emotion of a line that has none. Without one
                only the words of the lexicon are read, and such a line says nothing itself.
            moods: False leaves every line exactly as directed or read, and keeps nothing.
            habits: what characters feel when nothing has happened, beside what their temperament
                says; it colours their lines as a mood does.

        Raises:
            InvalidInput: for a temperament that is none.
        """
        self.temperaments = dict(temperaments or {})
        for name, temperament in self.temperaments.items():
            if not isinstance(temperament, Temperament):
                raise InvalidInput(
                    f"The temperament of {quoted(str(name))} came as {type(temperament).__name__}; "
                    "allowed: a Temperament; for a word use find_temperament."
                )
        self.reader = reader or DirectionReader()
        self.moods = moods
        self.habits = dict(habits or {})
        self.reset()

    def reset(self) -> None:
        """Forgets the scene; everybody is at their baseline again."""
        self._count = 0
        self._memories: dict[str, _Memory] = {}
        self._speakers: list[str] = []  # each once, the latest last
        self._said: list[tuple[str, str]] = []  # (who, what), as many as a reader may want

    def scene(self, lines: Iterable[Line]) -> list[Cue]:
        """Directs line after line, going on from what was said before."""
        return [self.direct(line) for line in lines]

    def direct(self, line: Line) -> Cue:
        """The emotion of one line; the moods move on.

        Raises:
            InvalidInput, UnknownName: for a direction that cannot be understood; the moods then
                stay as they were.
        """
        auto = isinstance(line.direction, str) and line.direction.strip().lower() == AUTO
        given = None if auto else line.direction
        asked = self.reader.direct(line.text, given, self._said)
        directed = not auto and _directed(line, asked)
        words, why = EmotionVector(), _because(asked)
        if not directed and asked.text.strip():
            words, notes = self.reader.line(asked.text, self._said)
            asked = replace(asked, notes=(*asked.notes, *notes))
            why = ((f"the line itself: {_strongest(words)}",) if not words.is_neutral else ()) + why
        own = asked.curve if directed else self.reader.direct(line.text, words).curve
        spoken = own.mean()
        if not self.moods:
            plain = replace(asked, curve=own)
            return Cue(line, plain, Mood(), Mood(), {}, {line.character: spoken}, why)

        self._count += 1
        present = {*self._memories, line.character, *line.to}
        faded = {name: self._faded(name) for name in sorted(present)}
        speaker = faded[line.character]
        mood, habit = speaker.mood.colour, self.habits.get(line.character, EmotionVector())
        colour = mood.combine(habit)
        if directed:
            curve = _tinted(own, colour)
        else:
            curve = self.reader.direct(line.text, words.combine(colour)).curve
        if curve != own and not mood.is_neutral:
            why += (f"mood: {speaker.mood.name} {self._cause(line.character, speaker)}",)
        if curve != own and not habit.is_neutral:
            why += (f"habit: {_strongest(habit)}",)

        felt = {name: self._felt(name, line, spoken) for name in faded}
        said = f"line {self._count} ({line.character}: {quoted(asked.text, 40)})"
        self._memories = {
            name: self._moved(name, memory, felt[name], said) for name, memory in faded.items()
        }
        self._said = [*self._said, (line.character, asked.text)][-CONTEXT:]
        if line.character in self._speakers:
            self._speakers.remove(line.character)
        self._speakers.append(line.character)
        moods = {name: memory.mood for name, memory in self._memories.items()}
        return Cue(
            line,
            replace(asked, curve=curve),
            speaker.mood,
            moods[line.character],
            MappingProxyType(moods),
            MappingProxyType(felt),
            why,
        )

    def mood(self, character: str) -> Mood:
        """A character's mood after the last line; the baseline of who has not appeared."""
        memory = self._memories.get(character)
        return memory.mood if memory else self._temperament(character).baseline

    def to_json(self) -> dict[str, Any]:
        """The scene so far, ready for `json.dumps`; `reader` is not part of it."""
        return {
            "temperaments": {name: asdict(each) for name, each in self.temperaments.items()},
            "moods": self.moods,
            "habits": {name: each.to_json() for name, each in self.habits.items()},
            "lines": self._count,
            "speakers": list(self._speakers),
            "said": [list(pair) for pair in self._said],
            "characters": {
                name: {
                    "mood": list(each.mood),
                    "pushes": [[said, list(push)] for said, push in each.pushes],
                }
                for name, each in self._memories.items()
            },
        }

    @classmethod
    def from_json(cls, state: Mapping[str, Any], reader: DirectionReader | None = None) -> Director:
        """A director that goes on where the one that wrote `state` by `to_json` stopped.

        Raises:
            InvalidInput: for anything that `to_json` did not write.
        """
        try:
            temperaments = {
                name: Temperament(**each) for name, each in state["temperaments"].items()
            }
            habits = {name: EmotionVector(each) for name, each in state.get("habits", {}).items()}
            director = cls(temperaments, reader, state["moods"] is not False, habits)
            director._count = int(state["lines"])
            director._speakers = [str(name) for name in state["speakers"]]
            director._said = [(str(who), str(what)) for who, what in state["said"]]
            director._memories = {
                name: _Memory(
                    _checked(each["mood"]),
                    tuple((str(said), _checked(push, 2.0)) for said, push in each["pushes"]),
                )
                for name, each in state["characters"].items()
            }
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InvalidInput(
                f"The state of a director cannot be read ({type(error).__name__}: "
                f"{quoted(str(error))}); give what Director.to_json wrote."
            ) from None
        return director

    def _temperament(self, name: str) -> Temperament:
        return self.temperaments.get(name, _AVERAGE)

    def _faded(self, name: str) -> _Memory:
        temperament = self._temperament(name)
        memory = self._memories.get(name)
        if memory is None:
            return _Memory(temperament.baseline)
        share = 1.0 - 2.0 ** (-1.0 / temperament.half_life)
        return _Memory(
            memory.mood.towards(temperament.baseline, share),
            tuple((said, push.towards(Mood(), share)) for said, push in memory.pushes),
        )

    def _felt(self, name: str, line: Line, spoken: EmotionVector) -> EmotionVector:
        if name == line.character:
            return spoken
        others = [each for each in self._speakers if each != line.character]
        addressed = line.to or others[-1:]
        return _taken(spoken, self._temperament(name)).scale(
            1.0 if name in addressed else OVERHEARD
        )

    def _moved(self, name: str, memory: _Memory, felt: EmotionVector, said: str) -> _Memory:
        weight = min(1.0, math.fsum(intensity for _, intensity in felt.items()))
        if weight == 0:
            return memory
        # A vector's place is that of its mean emotion times its weight.
        place = (felt.valence / weight, felt.arousal / weight, felt.dominance / weight)
        bounded = Mood(*(min(max(number, -1.0), 1.0) for number in place))
        share = self._temperament(name).reactivity(felt.valence > 0) * weight
        mood = memory.mood.towards(bounded, share)
        pushes = (*memory.pushes, (said, mood.less(memory.mood)))
        return _Memory(mood, tuple(each for each in pushes if each[1].strength >= FORGOTTEN))

    def _cause(self, name: str, memory: _Memory) -> str:
        """Since when: the line that added most, unless the baseline adds more than all lines."""
        rest = self._temperament(name).baseline
        if not memory.pushes or memory.mood.less(rest).along(memory.mood) < rest.along(memory.mood):
            return "by temperament"
        said, _ = max(memory.pushes, key=lambda each: each[1].along(memory.mood))
        return f"since {said}"


_AVERAGE = Temperament()


def _directed(line: Line, asked: Direction) -> bool:
    """Whether the line's own direction, brackets aside, asks for an emotion or for none."""
    if isinstance(line.direction, Direction):
        return asked.directed
    if isinstance(line.direction, str):  # other words may ask for a manner alone
        return any(item.span is None for item in asked.evidence)
    return line.direction is not None


def _because(asked: Direction) -> tuple[str, ...]:
    """What the direction's words and the brackets asked for, in the order of the line."""
    reasons = [f"{each.words!r} is {each.category} {each.intensity:.2g}" for each in asked.evidence]
    if not reasons and not asked.curve.is_neutral:
        reasons = [_strongest(asked.curve.mean())]
    return (f"direction: {', '.join(reasons)}",) if reasons else ()


def _strongest(vector: EmotionVector) -> str:
    return ", ".join(f"{name} {intensity:.2g}" for name, intensity in vector.items()[:NAMED])


def _tinted(direction: EmotionCurve, colour: EmotionVector) -> EmotionCurve:
    """The direction with a part of the colour, wherever it asks for anything.

    Of the colour only what is of the opposite valence to nothing in the direction.
    """
    directed = [_valence(name) for _, vector in direction.points for name, _ in vector.items()]
    agreeing = EmotionVector(
        {
            name: DIRECTED_COLOUR * intensity
            for name, intensity in colour.items()
            if DIRECTED_COLOUR * intensity >= FAINTEST
            and all(_valence(name) * valence >= 0 for valence in directed)
        }
    )
    return EmotionCurve(
        tuple(
            (position, vector if vector.is_neutral else vector.combine(agreeing))
            for position, vector in direction.points
        )
    )


def _valence(name: str) -> float:
    return CATEGORIES[INDEX[name]].valence


def _taken(spoken: EmotionVector, hearer: Temperament) -> EmotionVector:
    """What hearing an emotion makes somebody feel to whom it is said."""
    felt: dict[str, float] = {}
    for name, intensity in spoken.items():
        if name in HOSTILE:
            answers = {"Anger": hearer.defiance, HOSTILE[name]: 1.0 - hearer.defiance}
        elif name in CAUGHT:
            caught, share = CAUGHT[name]
            answers = {caught: share * hearer.warmth}
        else:
            answers = {}
        for answer, share in answers.items():
            felt[answer] = min(1.0, felt.get(answer, 0.0) + share * intensity)
    return EmotionVector(felt)


def _checked(numbers: Iterable[float], most: float = 1.0) -> Mood:
    valence, arousal, dominance = (float(number) for number in numbers)
    mood = Mood(valence, arousal, dominance)
    if not all(-most <= number <= most for number in mood):
        raise ValueError(f"{list(mood)} leaves {-most:g} to {most:g}")
    return mood
