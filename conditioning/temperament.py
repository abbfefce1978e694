"""`Temperament`: a character's lasting traits, and the mood that they rest in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType

from conditioning.emotion import quoted
from conditioning.errors import InvalidInput, unknown_name
from conditioning.mood import Mood

# Chosen by us, so that a scene reads well; none is measured.
REST = 0.2  # how much of the trait shows when nothing has happened
MOST_ODDS = 9.0  # odds of the way to be gone against the rest, for the most easily stirred
HALF_LIFE = 4.0  # lines, of an average person


@dataclass(frozen=True)
class Temperament:
    """The five factors of personality, each from -1 to 1; 0 is the average person.

    Pleasure, arousability and dominance follow from them by the weights of A. Mehrabian (1996),
    "Analysis of the Big-five personality factors in terms of the PAD temperament model", Australian
    Journal of Psychology 48(2), 86-92. We have seen its abstract and not the paper: the weights are
    those of Gebhard's ALMA (2005) as several public programs repeat them. Some of these put
    neuroticism where stability stands here and keep the signs; the abstract, by which stable people
    are pleasant and hard to arouse, speaks for stability.

    That personality weighs how moods change from line to line is modelled in the same space by Wen
    et al. (arXiv 2404.07229), who learn the weights; ours are few and set by hand.
    """

    openness: float = 0.0
    conscientiousness: float = 0.0
    extraversion: float = 0.0
    agreeableness: float = 0.0
    stability: float = 0.0  # emotional stability, the other end of neuroticism

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if (
                isinstance(value, bool)
                or not isinstance(value, int | float)
                or not -1 <= value <= 1
            ):
                raise InvalidInput(
                    f"The {field.name} of a temperament is {value!r:.40}; allowed: -1 to 1."
                )

    @property
    def pleasure(self) -> float:
        """How pleased the person is on the whole, in [-1, 1]."""
        return 0.21 * self.extraversion + 0.59 * self.agreeableness + 0.19 * self.stability

    @property
    def arousability(self) -> float:
        """How easily the person is stirred, in [-1, 1]."""
        easily = 0.15 * self.openness + 0.30 * self.agreeableness - 0.57 * self.stability
        return min(max(easily, -1.0), 1.0)

    @property
    def dominance(self) -> float:
        """How much the person is used to getting their way, in [-1, 1]."""
        used = 0.25 * self.openness + 0.17 * self.conscientiousness
        used += 0.60 * self.extraversion - 0.32 * self.agreeableness
        return min(max(used, -1.0), 1.0)

    @property
    def baseline(self) -> Mood:
        """The mood that every other one goes back to."""
        return Mood(REST * self.pleasure, REST * self.arousability, REST * self.dominance)

    def reactivity(self, pleasant: bool) -> float:
        """How far one full emotion moves the mood: a share of the way, 0.1 to 0.9; average 0.5.

        What is pleasant moves extraverts further (R. J. Larsen and T. Ketelaar (1991), "Personality
        and susceptibility to positive and negative emotional states", Journal of Personality and
        Social Psychology 61, 132-140; read in its abstract).
        """
        easily = (self.arousability + self.extraversion) / 2 if pleasant else self.arousability
        return 1.0 / (1.0 + MOST_ODDS**-easily)

    @property
    def half_life(self) -> float:
        """Lines until a mood is half back at the baseline, 2 to 8: the unstable stay in theirs."""
        return HALF_LIFE * 2.0**-self.stability

    @property
    def warmth(self) -> float:
        """How much of other people's feelings the person takes over, 0 to 1."""
        return (1.0 + self.agreeableness) / 2.0

    @property
    def defiance(self) -> float:
        """How hostility is answered: 1 with anger alone, 0 with fear or shame alone."""
        return min(max(0.5 + self.dominance, 0.0), 1.0)


def _temperament(traits: str) -> Temperament:
    """From the five factors in tenths, in the order of the fields."""
    return Temperament(*(int(tenths) / 10 for tenths in traits.split()))


# Words for characters; the traits are our reading of the words.
TEMPERAMENTS: Mapping[str, Temperament] = MappingProxyType(
    {
        name: _temperament(traits)
        for name, traits in {
            # openness, conscientiousness, extraversion, agreeableness, stability
            "average": "0 0 0 0 0",
            "hot-tempered": "1 -3 6 -6 -9",
            "calm": "0 4 2 3 10",
            "timid": "-2 0 -8 3 -6",
            "shy": "0 1 -7 2 -3",
            "cheerful": "2 0 7 6 5",
            "stoic": "0 5 -1 0 9",
            "gloomy": "0 0 -6 -2 -7",
            "grumpy": "-3 1 -2 -6 -4",
            "proud": "2 5 4 -6 3",
            "anxious": "0 2 -3 2 -9",
            "gentle": "2 2 -2 9 3",
            "bold": "4 0 8 -1 6",
            "playful": "7 -4 7 3 2",
            "stern": "-2 8 1 -5 4",
            "cold": "0 3 -5 -8 6",
            "sensitive": "6 0 -1 5 -7",
            "passionate": "7 -1 7 1 -6",
        }.items()
    }
)


def find_temperament(name: str) -> Temperament:
    """The temperament that a word means, in any case, with spaces or hyphens: "hot tempered".

    Raises:
        UnknownName: for a word that is not in `TEMPERAMENTS`; the message suggests the nearest.
        InvalidInput: for something that is no text.
    """
    if not isinstance(name, str):
        raise InvalidInput(
            f"The name of a temperament came as {type(name).__name__}; allowed: text such as "
            "'hot-tempered'."
        )
    plain = "-".join(name.lower().replace("_", " ").replace("-", " ").split())
    if plain not in TEMPERAMENTS:
        shown = name if len(name) <= 60 else quoted(name)
        raise unknown_name("temperament", shown, TEMPERAMENTS)
    return TEMPERAMENTS[plain]
