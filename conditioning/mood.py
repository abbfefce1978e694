"""`Mood`: where a character stands between moods, its name in words, and its colour as emotions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import product
from typing import NamedTuple

from conditioning.emotion import EmotionVector

MOST_COLOUR = 0.4  # sum of the intensities by which a mood colours a line, at most
FAINTEST = 0.04  # a weaker colour of one emotion is not heard, and left out

# Words for the distance from neutral, by our ear; one full emotion is about 0.8 away.
DEGREES = ((0.7, "very"), (0.4, ""), (0.15, "slightly"), (0.05, "barely"))

# The eight corners as A. Mehrabian names them, by the signs of pleasure, arousal and dominance
# (names as in his 1996 papers on temperament, read second-hand), and what we let each sound like.
OCTANTS: Mapping[tuple[int, int, int], tuple[str, tuple[str, ...]]] = {
    (1, 1, 1): ("exuberant", ("Elation", "Amusement")),
    (1, 1, -1): ("dependent", ("Affection", "Thankfulness/Gratitude")),
    (1, -1, 1): ("relaxed", ("Contentment",)),
    (1, -1, -1): ("docile", ("Contentment", "Thankfulness/Gratitude")),
    (-1, -1, -1): ("bored", ("Emotional Numbness", "Sadness")),
    (-1, -1, 1): ("disdainful", ("Contempt", "Bitterness")),
    (-1, 1, -1): ("anxious", ("Distress", "Fear")),
    (-1, 1, 1): ("hostile", ("Impatience and Irritability", "Anger")),
}


class Mood(NamedTuple):
    """A lasting state of a character, each number in [-1, 1]; all 0 is neutral."""

    valence: float = 0.0
    arousal: float = 0.0
    dominance: float = 0.0

    @property
    def strength(self) -> float:
        """Distance from neutral, 0 to the square root of 3."""
        return math.hypot(*self)

    @property
    def octant(self) -> str:
        """Mehrabian's word for the corner that the mood points to, however weakly."""
        valence, arousal, dominance = (1 if number >= 0 else -1 for number in self)
        return OCTANTS[valence, arousal, dominance][0]

    @property
    def name(self) -> str:
        """The mood in words, such as "slightly hostile"; "even" near neutral."""
        for least, degree in DEGREES:
            if self.strength >= least:
                return f"{degree} {self.octant}".strip()
        return "even"

    @property
    def colour(self) -> EmotionVector:
        """How the mood sounds in a line that is about something else; a neutral mood is neutral.

        The corners share what the mood weighs, `strength` but at most `MOST_COLOUR`, by how far the
        mood lies towards each: trilinear weights of the mood drawn out to the face of the cube.
        """
        reach = max(map(abs, self))
        if reach == 0:
            return EmotionVector()
        total = min(self.strength, MOST_COLOUR)
        intensities: dict[str, float] = {}
        for signs in product((1, -1), repeat=3):
            share = math.prod(
                (1 + sign * (number / reach)) / 2 for sign, number in zip(signs, self, strict=True)
            )
            _, emotions = OCTANTS[signs]
            for emotion in emotions:
                intensities[emotion] = intensities.get(emotion, 0) + total * share / len(emotions)
        return EmotionVector(
            {name: min(value, 1.0) for name, value in intensities.items() if value >= FAINTEST}
        )

    def towards(self, other: Mood, share: float) -> Mood:
        """The mood a share (0 to 1) of the way to another; never outside the two."""
        assert 0 <= share <= 1, share
        pairs = zip(self, other, strict=True)
        return Mood(*((1 - share) * mine + share * theirs for mine, theirs in pairs))

    def less(self, other: Mood) -> Mood:
        """The way from another mood to this one; each number in [-2, 2]."""
        return Mood(*(mine - theirs for mine, theirs in zip(self, other, strict=True)))

    def along(self, other: Mood) -> float:
        """How much of this lies in the direction of another: their inner product."""
        return math.fsum(mine * theirs for mine, theirs in zip(self, other, strict=True))
