"""What words suggest beside what they name: a trained reading's guess made fit to be acted."""

from __future__ import annotations

from conditioning.emotion import EmotionVector
from conditioning.taxonomy import CATEGORIES, INDEX
from conditioning.wording import NOTHING, Understood

NEUTRAL = EmotionVector()

# Chosen on the directions that training holds out, by how often an expected emotion is among the
# three strongest and none of the opposite valence is loud (training/directions, `held_out`).
FAINTEST = 0.1  # a suggestion below is not followed
LEAST = 0.3  # what the strongest suggestion is raised to when it is faintest; see `acted`
SUGGESTIONS = 4  # emotions at most that nobody named
AGAINST = 0.3  # the most that is suggested of the valence that the rest has not
CLEAR = 0.5  # share by which one valence must outweigh the other to be certain
BESIDE = 0.8  # of a suggestion counts beside emotions that are named
LEAST_BESIDE = 0.08  # beside emotions that are named a fainter one is left out
UNHEARD = 0.08  # a named emotion that the reading finds fainter is not confirmed
DOUBTED = 0.45  # of one that is not confirmed counts, where it stands in a longer sentence


def acted(read: EmotionVector) -> EmotionVector:
    """Intensities to act, from a reading whose doubt makes them small.

    All are raised alike, so that the strongest lies between `LEAST`, at `FAINTEST`, and itself, at
    1: one would rather see a guess acted mildly than hardly at all. The strongest `SUGGESTIONS` are
    kept. Those of the weaker sign of valence stay within `AGAINST`; all do where it is uncertain
    which sign that is, since the worst of guesses is a glad reading of a sad line.
    """
    kept = [pair for pair in read.items() if pair[1] >= FAINTEST][:SUGGESTIONS]
    if not kept:
        return NEUTRAL
    strongest = kept[0][1]
    gain = (1 - (1 - LEAST) * (1 - strongest) / (1 - FAINTEST)) / strongest
    raised = {name: gain * value for name, value in kept}
    balance = _balance(read)
    if abs(balance) < CLEAR:
        return EmotionVector(_within(raised))
    against = {name: value for name, value in raised.items() if sign(name) * balance < 0}
    return EmotionVector(raised | _within(against))


def _balance(read: EmotionVector) -> float:
    """From -1, all unpleasant, to 1, all pleasant."""
    signed = [sign(name) * value for name, value in read.items()]
    return sum(signed) / max(sum(map(abs, signed)), 1e-9)


def _within(felt: dict[str, float]) -> dict[str, float]:
    """The emotions in proportion, the strongest at most `AGAINST`."""
    share = min(1.0, AGAINST / max(felt.values(), default=1.0))
    return {name: share * value for name, value in felt.items()}


def beside(named: Understood, read: EmotionVector, usual: EmotionVector) -> EmotionVector:
    """The emotions that are named, with those that are suggested.

    What is named keeps its intensity, and none where it is denied or somebody else's: nothing that
    is suggested changes that. Only in a longer sentence, where most words name nothing and the
    reading does not confirm a named emotion ("the messenger laughs while she reads of her
    brother's death"), it counts `DOUBTED`. "neutral" alone stays neutral.

    Args:
        read: by the trained reading of all the words; neutral where there is none.
        usual: mood of such a character.
    """
    suggested = acted(read).combine(usual)
    if not named.evidence:
        return suggested
    spoken = {item.category for item in named.evidence}
    felt = dict(named.vector.items())
    if not felt and NOTHING in spoken:
        return NEUTRAL
    if named.in_passing and not read.is_neutral:
        felt = {
            name: value if read[name] >= UNHEARD or name in named.numbered else DOUBTED * value
            for name, value in felt.items()
        }
    share = BESIDE if felt else 1.0
    added = {name: share * value for name, value in suggested.items() if name not in spoken}
    signs = {sign(name) for name in felt}
    for name, value in added.items():
        if signs and sign(name) not in signs and not named.in_passing:
            value = min(value, AGAINST)
        if value >= LEAST_BESIDE:
            felt[name] = round(value, 4)
    return EmotionVector(felt)


def told_beside(named: Understood, told: EmotionVector) -> EmotionVector:
    """The emotions that are named, with those of a language model, which is not in doubt."""
    spoken = {item.category for item in named.evidence}
    others = {name: value for name, value in told.items() if name not in spoken}
    return named.vector.combine(EmotionVector(others))


def sign(name: str) -> int:
    """The sign of a category's valence: 1, -1 or 0."""
    valence = CATEGORIES[INDEX[name]].valence
    return (valence > 0) - (valence < 0)
