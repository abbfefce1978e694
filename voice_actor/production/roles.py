"""`Role`: how a character of a script is played, and a line's direction as they would say it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from conditioning.direction import Direction
from conditioning.emotion import EmotionVector
from conditioning.persona import Persona, read_persona
from conditioning.persona_words import OPPOSITES
from conditioning.temperament import Temperament, find_temperament


@dataclass(frozen=True)
class Role:
    """How a character of a script is played.

    Attributes:
        character: the name in the script.
        voice: a name of the cast or a blend; None: one that suits the persona.
        persona: words about who it is and how they always speak: "an old, gruff innkeeper".
        mood: what they feel when nothing has happened; None: what the persona says.
        temperament: a word of `TEMPERAMENTS`; None: what the persona says, or "average".
        pronunciations: written word in lower case -> phonemes in Kokoro's alphabet.
        loudness: LUFS of the neutral reading; None: that of the delivery.
    """

    character: str
    voice: str | None = None
    persona: str = ""
    mood: EmotionVector | None = None
    temperament: str | None = None
    pronunciations: Mapping[str, str] = field(default_factory=dict)
    loudness: float | None = None

    @cached_property
    def who(self) -> Persona:
        """What the words of the persona say."""
        return read_persona(self.persona)

    @property
    def baseline(self) -> EmotionVector:
        """What the character feels when nothing has happened."""
        return self.who.mood if self.mood is None else self.mood

    @property
    def traits(self) -> Temperament:
        """How the character's moods change."""
        if self.temperament is not None:
            return find_temperament(self.temperament)
        return self.who.temperament or Temperament()


def played(direction: Direction, role: Role) -> Direction:
    """The direction of a line as the role plays it.

    What the direction says itself about who speaks holds, each of gender, age, accent and timbre
    for itself. The manners of both add up, within bounds, since words such as "slowly" are about
    how this character speaks otherwise. The curve is left alone: `Role.baseline` and `Role.traits`
    are for a `Director`.

    The role's reasons come after the line's own; their offsets are those in `Role.persona`.
    """
    said, who = direction.persona, role.who
    if not who:
        return direction
    opposed = {OPPOSITES[word] for word in said.timbre}
    persona = replace(
        said,
        gender=said.gender or who.gender,
        age=said.age or who.age,
        accent=said.accent or who.accent,
        timbre=_once(*said.timbre, *(word for word in who.timbre if word not in opposed)),
        manner=said.manner + who.manner,
        reasons=(*said.reasons, *who.reasons),
        notes=_once(*said.notes, *who.notes),
    )
    return replace(direction, persona=persona, notes=_once(*direction.notes, *who.notes))


def _once(*words: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))
