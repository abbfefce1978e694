"""Which characters sound alike, and what voice would set them apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import combinations

import numpy as np

from voice_actor.voices import Voice, cast, parse_voice, share_of_women

# From here on two characters can be taken for each other while they act: an afraid line, the most
# changed of seven emotions, is as far from its own voice (0.760 where a plain one is at 0.909; see
# docs/evaluation.md). 15 of the 378 pairs are. Read plainly nobody is mistaken: the cosine is at
# most 0.86 between two voices, and at least 0.88 between readings of one.
ALIKE = 0.84
# 100 times the cosine of each voice with those above it: resemblyzer's (GE2E, arXiv 1710.10467) of
# readings of different texts, over that between readings of one voice. The voices' own style
# vectors say too little of it: rank correlations of 0.3 to 0.5, and of 15 pairs that are alike they
# find 9 among 54. All figures and the table: `python benchmarks/alike.py`.
_TABLE = """
    af_alloy
    af_aoede 77
    af_bella 73 77
    af_heart 69 73 91
    af_jessica 69 70 87 85
    af_kore 83 78 76 76 70
    af_nicole 65 65 72 69 64 77
    af_nova 75 77 83 88 75 77 62
    af_river 71 70 72 71 75 67 64 64
    af_sarah 82 73 87 88 84 86 73 80 75
    af_sky 84 80 84 80 81 78 60 82 75 83
    am_adam 61 64 67 63 61 59 62 55 70 64 62
    am_echo 78 69 73 70 68 73 65 73 68 72 75 72
    am_eric 74 64 65 59 66 72 71 59 70 68 65 70 72
    am_fenrir 68 71 67 66 66 73 71 63 71 68 66 79 81 72
    am_liam 67 60 64 63 69 56 57 61 64 63 64 76 71 72 71
    am_michael 72 63 62 60 64 64 66 63 63 67 63 66 69 77 65 79
    am_onyx 66 69 67 63 64 65 58 64 63 62 63 75 75 65 68 72 77
    am_puck 74 71 65 66 67 74 71 63 67 69 67 76 88 68 88 69 67 75
    am_santa 57 53 58 59 62 58 61 61 56 57 58 64 67 70 69 74 79 71 66
    bf_alice 62 62 77 75 75 74 72 67 67 79 66 61 65 61 70 58 57 61 63 63
    bf_emma 65 63 74 67 73 71 72 62 69 73 70 54 59 57 59 47 54 54 59 56 80
    bf_isabella 51 53 72 71 67 64 77 57 48 67 57 53 54 51 60 50 50 56 59 58 85 78
    bf_lily 69 66 71 69 67 66 65 67 70 69 67 56 63 64 62 57 60 55 55 57 82 73 65
    bm_daniel 62 54 50 45 54 52 49 47 52 52 50 66 52 69 58 70 71 61 51 60 57 54 45 67
    bm_fable 78 69 71 68 62 79 69 72 69 71 67 66 87 69 75 61 66 69 80 62 74 72 65 71 57
    bm_george 64 54 59 53 61 63 62 55 58 60 57 67 63 84 62 73 74 64 60 76 61 59 55 61 82 62
    bm_lewis 57 54 62 55 54 56 66 49 56 57 55 74 62 66 64 59 64 70 60 73 64 64 61 62 68 63 73
"""


@dataclass(frozen=True)
class Pair:
    """Two characters who sound alike.

    Attributes:
        cosine: `likeness` of their voices.
        voice: which both have; "" where they have two.
        instead: a voice nobody has, for the other; "" where none would set them apart.
    """

    character: str
    other: str
    cosine: float
    voice: str = ""
    instead: str = ""

    @property
    def told(self) -> str:
        """In a sentence, with what to do."""
        such = f", such as {self.instead}" if self.instead else ""
        if self.voice:
            return (
                f"{self.character} and {self.other} have the same voice, {self.voice}, which no "
                f"persona hides: give one of them another{such}."
            )
        return (
            f"{self.character} and {self.other} sound alike ({self.cosine:.2f}): give one of them "
            f"another voice{such}."
        )


def alike(
    voices: Mapping[str, str], least: float = ALIKE, members: Sequence[Voice] | None = None
) -> tuple[Pair, ...]:
    """The pairs of characters whose voices are at least so alike, most alike first.

    Two who have one voice are alike whoever they are: age and manner are acted, and the voice is
    heard behind them.

    Args:
        voices: of each character, a name of the cast or a blend.
        least: see `likeness`.
        members: the cast to suggest others from; everybody unless given.

    Raises:
        InvalidInput, UnknownName: a voice that cannot be read or is not in the cast.
    """
    shares = {character: _shares(voice) for character, voice in voices.items()}
    found = []
    for one, other in combinations(voices, 2):
        cosine = _cosine(shares[one], shares[other])
        if cosine >= least:
            same = np.allclose(shares[one], shares[other])
            found.append(Pair(one, other, cosine, voices[one] if same else ""))
    found.sort(key=lambda pair: -pair.cosine)
    members = cast() if members is None else members
    instead = _instead({pair.other: voices[pair.other] for pair in found}, voices, members, least)
    return tuple(replace(pair, instead=instead[pair.other]) for pair in found)


@lru_cache(maxsize=4096)
def likeness(voice: str, other: str) -> float:
    """How alike two voices or blends sound, 0 to 1, which is the same one.

    The cosine of what a speaker encoder hears in them, measured once. A blend is taken for the mean
    of its voices, which is off by 0.04 on average.

    Raises:
        InvalidInput, UnknownName: a voice that cannot be read or is not in the cast.
    """
    return _cosine(_shares(voice), _shares(other))


def _instead(
    wanted: Mapping[str, str], voices: Mapping[str, str], members: Iterable[Voice], least: float
) -> dict[str, str]:
    """For each character a voice of the gender of theirs that is the least like all in use.

    "" where what is left is no less alike than what is complained of.
    """
    used = [_shares(voice) for voice in dict.fromkeys(voices.values())]
    free = {
        member.name: (member.gender, _shares(member.name))
        for member in members
        if not any(share[_names().index(member.name)] for share in used)
    }
    found = {}
    for character, voice in wanted.items():
        gender = "female" if share_of_women(voice) >= 0.5 else "male"
        nearest = {
            name: max(_cosine(share, other) for other in used)
            for name, (theirs, share) in free.items()
            if theirs == gender
        }
        best = min(nearest, key=nearest.get, default="")
        found[character] = best if best and nearest[best] < least else ""
        if found[character]:
            used.append(free.pop(best)[1])
    return found


def _shares(voice: str) -> np.ndarray:
    """(V,) of each voice of the table in a voice or a blend."""
    names = _names()
    shares = np.zeros(len(names))
    for name, share in parse_voice(voice, names):
        shares[names.index(name)] = share
    return shares


def _cosine(one: np.ndarray, other: np.ndarray) -> float:
    # The cosine of weighted means of unit vectors, of which only the cosines are known.
    cosines = _cosines()
    between = one @ cosines @ other
    return float(between / np.sqrt((one @ cosines @ one) * (other @ cosines @ other)))


@cache
def _names() -> tuple[str, ...]:
    return tuple(row.split()[0] for row in _TABLE.strip().splitlines())


@cache
def _cosines() -> np.ndarray:
    """(V, V), of the voices among each other."""
    below = [[int(cell) / 100 for cell in row.split()[1:]] for row in _TABLE.strip().splitlines()]
    cosines = np.eye(len(below))
    for index, row in enumerate(below):
        cosines[index, :index] = cosines[:index, index] = row
    return cosines
