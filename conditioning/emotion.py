"""Emotion asked or heard: `EmotionVector` at one moment, `EmotionCurve` over a line."""

from __future__ import annotations

import math
import numbers
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conditioning.errors import InvalidInput, unknown_name
from conditioning.taxonomy import ATTRIBUTES, CATEGORIES, INDEX, NAMES, find

if TYPE_CHECKING:
    import numpy as np

LAION_SCALE = 4.0  # LAION's heads score each emotion from 0 to 4
LAION_OVERSHOOT = 1.0  # regression heads leave their scale by a few tenths; further off is no score


def quoted(text: str, limit: int = 60) -> str:
    """The text in quotes on one line, shortened in the middle, for error messages."""
    if len(text) > limit:
        text = f"{text[: limit // 2]}…{text[-limit // 3 :]}"
    return repr(text)


def checked_intensity(name: str, value: object) -> float:
    """The value as a float in [0, 1].

    Raises:
        InvalidInput: for anything else; the message names the emotion.
    """
    what = f"{float(value):g}" if _is_number(value) else quoted(str(value))
    if not _is_number(value) or not 0.0 <= float(value) <= 1.0:  # nan fails the comparison
        raise InvalidInput(
            f"Intensity of {name!r} is {what}; allowed: 0 to 1; write for example '{name}=0.7'."
        )
    return float(value)


def _is_number(value: object) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _checked_number(what: str, value: object, low: float, high: float) -> float:
    if not _is_number(value) or not low <= float(value) <= high or math.isinf(float(value)):
        allowed = f"{low:g} to {high:g}" if math.isfinite(high) else f"a number from {low:g} up"
        raise InvalidInput(f"The {what} is {quoted(str(value))}; allowed: {allowed}.")
    return float(value)


@dataclass(frozen=True, init=False, repr=False)
class EmotionVector:
    """How strongly each of the 40 categories is felt, each in [0, 1]; all zero is neutral.

    Equal vectors are equal and hash alike. Names may be any that `taxonomy.find` accepts.

    >>> vector = EmotionVector({"Anger": 0.8, "surprise": 0.2})
    >>> vector["Anger"], vector["Fear"]
    (0.8, 0.0)
    >>> print(vector)
    Anger=0.8, Astonishment/Surprise=0.2
    """

    _values: tuple[float, ...]

    def __init__(self, intensities: Mapping[str, float] | None = None) -> None:
        """
        Raises:
            UnknownName: for a name that is no category.
            InvalidInput: for an intensity that is not a number in [0, 1], or two names of the same
                category.
        """
        if intensities is not None and not isinstance(intensities, Mapping):
            raise InvalidInput(
                f"Intensities came as {type(intensities).__name__}; allowed: a mapping such as "
                "{'Anger': 0.8}; for text use EmotionVector.parse, for 40 numbers from_list."
            )
        values = [0.0] * len(CATEGORIES)
        given: dict[str, str] = {}
        for name, value in (intensities or {}).items():
            category = find(name).name
            if category in given:
                raise InvalidInput(
                    f"{given[category]!r} and {name!r} both mean {category!r}; allowed: each "
                    "emotion once; keep one of them."
                )
            given[category] = name
            values[INDEX[category]] = checked_intensity(category, value)
        object.__setattr__(self, "_values", tuple(values))

    @classmethod
    def from_list(cls, values: Iterable[float]) -> EmotionVector:
        """From 40 intensities in the order of `taxonomy.NAMES`; the inverse of `to_list`."""
        values = list(values)
        if len(values) != len(NAMES):
            raise InvalidInput(
                f"{len(values)} intensities came; allowed: {len(NAMES)}, in taxonomy order."
            )
        return cls(dict(zip(NAMES, values, strict=True)))

    @classmethod
    def parse(cls, text: str) -> EmotionVector:
        """From text such as "anger=0.9, contempt 0.3, fear: 20%"; "neutral" is all zero.

        The inverse of `str`. Words without numbers are for `direction.parse_direction`.

        Raises:
            UnknownName: for a name that is no category.
            InvalidInput: for empty text, a name without a number, or a number outside 0 to 1.
        """
        if not isinstance(text, str) or not text.strip():
            raise InvalidInput(
                "The emotion is empty; allowed: text such as 'anger=0.9, contempt=0.3' or "
                "'neutral'."
            )
        if text.strip().lower() == "neutral":
            return cls()
        intensities: dict[str, float] = {}
        for part in re.split(r"[,;\n]", text):
            name, value = _name_and_number(part.strip(), text)
            if name in intensities:
                raise InvalidInput(
                    f"{name!r} stands twice in {quoted(text)}; allowed: each emotion once; "
                    "keep one."
                )
            intensities[name] = value
        return cls(intensities)

    @classmethod
    def from_laion(cls, scores: Mapping[str, Any]) -> EmotionVector:
        """From LAION's scores, 0 to 4 under LAION's keys, or a whole annotation with "emotions".

        The 15 attributes are passed over. Absent categories are 0. The heads are regressions and
        leave their scale a little: up to 1 beyond either end is clipped, anything further refused.

        Raises:
            UnknownName: for a key that is neither a category nor an attribute.
            InvalidInput: for a value that is no score, or no category at all.
        """
        if not isinstance(scores, Mapping):
            raise InvalidInput(
                f"Scores came as {type(scores).__name__}; allowed: a mapping of LAION's names to "
                "0..4, or an annotation with the key 'emotions'."
            )
        if isinstance(scores.get("emotions"), Mapping):
            scores = scores["emotions"]
        attributes = {attribute.laion_key for attribute in ATTRIBUTES}
        by_key = {category.laion_key: category.name for category in CATEGORIES}
        by_key |= {category.name: category.name for category in CATEGORIES}
        intensities: dict[str, float] = {}
        for key, value in scores.items():
            if key in attributes:
                continue
            if key not in by_key:
                listing = ", ".join(category.laion_key for category in CATEGORIES)
                raise unknown_name("LAION key", str(key), by_key, listing)
            low, high = -LAION_OVERSHOOT, LAION_SCALE + LAION_OVERSHOOT
            if not _is_number(value) or not low <= float(value) <= high:
                raise InvalidInput(
                    f"LAION's score of {by_key[key]!r} is {quoted(str(value))}; allowed: 0 to 4 "
                    f"(up to {LAION_OVERSHOOT:g} beyond is clipped)."
                )
            intensities[by_key[key]] = min(max(float(value) / LAION_SCALE, 0.0), 1.0)
        if not intensities:
            raise InvalidInput("No emotion is among the scores; allowed: LAION's names with 0..4.")
        return cls(intensities)

    @classmethod
    def from_json(cls, value: Mapping[str, float]) -> EmotionVector:
        """From what `to_json` gives, read back from a JSON file."""
        return cls(value)

    def __getitem__(self, name: str) -> float:
        return self._values[INDEX[find(name).name]]

    def items(self) -> tuple[tuple[str, float], ...]:
        """The non-zero (name, intensity) pairs, strongest first, then in taxonomy order."""
        pairs = ((name, value) for name, value in zip(NAMES, self._values, strict=True) if value)
        return tuple(sorted(pairs, key=lambda pair: -pair[1]))

    @property
    def is_neutral(self) -> bool:
        return not any(self._values)

    def __str__(self) -> str:
        return ", ".join(f"{name}={value!r}" for name, value in self.items()) or "neutral"

    def __repr__(self) -> str:
        return (
            f"EmotionVector({dict(self.items())!r})" if not self.is_neutral else "EmotionVector()"
        )

    def to_list(self) -> list[float]:
        """40 intensities in the order of `taxonomy.NAMES`."""
        return list(self._values)

    def to_laion(self) -> dict[str, float]:
        """All 40 categories under LAION's keys, 0 to 4."""
        return {
            category.laion_key: LAION_SCALE * value
            for category, value in zip(CATEGORIES, self._values, strict=True)
        }

    def to_json(self) -> dict[str, float]:
        """The non-zero intensities by canonical name, ready for `json.dumps`."""
        return dict(self.items())

    def blend(self, other: EmotionVector, weight: float) -> EmotionVector:
        """The straight way from this vector (weight 0) to the other (weight 1)."""
        weight = _checked_number("weight of a blend", weight, 0.0, 1.0)
        return self._with(
            (1.0 - weight) * mine + weight * theirs
            for mine, theirs in zip(self._values, other._values, strict=True)
        )

    def scale(self, factor: float) -> EmotionVector:
        """Every intensity times the factor (0 or more), clipped at 1."""
        factor = _checked_number("factor of a scaling", factor, 0.0, math.inf)
        return self._with(factor * value for value in self._values)

    def combine(self, other: EmotionVector) -> EmotionVector:
        """Both at once: the larger intensity of each category; asking twice adds nothing."""
        return self._with(map(max, self._values, other._values))

    def distance(self, other: EmotionVector) -> float:
        """Euclidean distance over the 40 intensities; 1 between neutral and one full emotion."""
        return math.dist(self._values, other._values)

    @property
    def valence(self) -> float:
        """Pleasantness in [-1, 1]; see `_place`."""
        return self._place([category.valence for category in CATEGORIES])

    @property
    def arousal(self) -> float:
        """Activation in [-1, 1]; see `_place`."""
        return self._place([category.arousal for category in CATEGORIES])

    @property
    def dominance(self) -> float:
        """Control in [-1, 1]; see `_place`."""
        return self._place([category.dominance for category in CATEGORIES])

    def _place(self, places: Sequence[float]) -> float:
        """Intensity-weighted mean of the categories' places, with neutral (0) filling up to 1.

        Half anger is thus half way from neutral to anger's place, and several full emotions give
        the mean of their places.
        """
        weighted = math.fsum(
            value * place for value, place in zip(self._values, places, strict=True)
        )
        return weighted / max(1.0, math.fsum(self._values))

    @classmethod
    def _with(cls, values: Iterable[float]) -> EmotionVector:
        vector = object.__new__(cls)
        object.__setattr__(vector, "_values", tuple(min(max(value, 0.0), 1.0) for value in values))
        return vector


_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?(?:nan|inf(?:inity)?)", re.I)


def parse_number(text: str) -> float | None:
    """The number that the text is, with "90%" as 0.9; None when it is none."""
    text = text.strip()
    percent = text.endswith("%")
    digits = text.removesuffix("%").strip()
    if not _NUMBER.fullmatch(digits):
        return None
    return float(digits) / 100.0 if percent else float(digits)


def _name_and_number(part: str, whole: str) -> tuple[str, float]:
    split = re.fullmatch(r"(.+?)\s*[=:]\s*(.*)", part) or re.fullmatch(
        r"(.+?)\s+(\S+(?:\s+%)?)", part
    )
    value = parse_number(split[2]) if split else None
    if value is None:
        raise InvalidInput(
            f"{quoted(part)} in {quoted(whole)} has no number; allowed: a name and 0 to 1 for each "
            "emotion, such as 'anger=0.9, contempt=0.3'."
        )
    name = find(split[1]).name
    return name, checked_intensity(name, value)


@dataclass(frozen=True)
class EmotionCurve:
    """Emotion over a line: vectors at positions, straight lines between them.

    Positions are fractions of the line's characters: in a text of n characters, character i covers
    i/n to (i+1)/n. Two points at one position make a step: from that position on the later holds.
    Before the first point the first holds, after the last the last.

    Attributes:
        points: (position in [0, 1], vector) pairs, at least one, sorted by position.
    """

    points: tuple[tuple[float, EmotionVector], ...]

    def __post_init__(self) -> None:
        if not isinstance(self.points, Iterable):
            raise InvalidInput(
                f"The points of an emotion curve came as {type(self.points).__name__}; allowed: "
                "(position, EmotionVector) pairs; for one vector use EmotionCurve.constant."
            )
        points = []
        for point in self.points:
            if not isinstance(point, Sequence) or len(point) != 2:
                raise InvalidInput(
                    f"A point of an emotion curve is {quoted(str(point))}; allowed: a pair of a "
                    "position from 0 to 1 and an EmotionVector."
                )
            position, vector = point
            if not isinstance(vector, EmotionVector):
                raise InvalidInput(
                    f"A point of an emotion curve holds {type(vector).__name__}; allowed: "
                    "EmotionVector."
                )
            points.append((_checked_number("position on a curve", position, 0.0, 1.0), vector))
        if not points:
            raise InvalidInput("An emotion curve has no points; allowed: one or more.")
        positions = [position for position, _ in points]
        if positions != sorted(positions):
            raise InvalidInput(
                f"Positions on an emotion curve are {quoted(str(positions))}; allowed: rising or "
                "equal; sort the points."
            )
        object.__setattr__(self, "points", tuple(points))

    @classmethod
    def constant(cls, vector: EmotionVector) -> EmotionCurve:
        """The same vector all along."""
        return cls(((0.0, vector),))

    @classmethod
    def from_json(cls, value: Iterable[Sequence[Any]]) -> EmotionCurve:
        """From what `to_json` gives, read back from a JSON file."""
        try:
            pairs = [(position, intensities) for position, intensities in value]
        except (TypeError, ValueError):
            raise InvalidInput(
                f"An emotion curve came as {quoted(str(value))}; allowed: a list of "
                "[position, {name: intensity}] pairs."
            ) from None
        return cls(tuple((position, EmotionVector.from_json(vector)) for position, vector in pairs))

    def to_json(self) -> list[list[Any]]:
        """[position, {name: intensity}] pairs, ready for `json.dumps`."""
        return [[position, vector.to_json()] for position, vector in self.points]

    def at(self, position: float) -> EmotionVector:
        """The vector at a position in [0, 1]; at a step, the later one."""
        position = _checked_number("position on a curve", position, 0.0, 1.0)
        return self._between(bisect_right(self._positions, position), position)

    def before(self, position: float) -> EmotionVector:
        """The vector just before a position; differs from `at` only at a step."""
        position = _checked_number("position on a curve", position, 0.0, 1.0)
        return self._between(bisect_left(self._positions, position), position)

    def sample(self, positions: Iterable[float]) -> np.ndarray:
        """Intensities at N positions: shape (N, 40), float32, in taxonomy order."""
        import numpy as np

        rows = [self.at(position).to_list() for position in positions]
        return np.asarray(rows, dtype=np.float32).reshape(len(rows), len(NAMES))

    def __str__(self) -> str:
        """One vector, or every point's after its place: "0 %: Fear=0.2; 60 %: Fear=0.9"."""
        if len({vector for _, vector in self.points}) == 1:
            return str(self.points[0][1])
        return "; ".join(f"{100 * position:.0f} %: {vector}" for position, vector in self.points)

    @property
    def steps(self) -> tuple[float, ...]:
        """Positions at which the curve jumps."""
        return tuple(
            position
            for position in sorted(set(self._positions))
            if self.before(position) != self.at(position)
        )

    @property
    def is_neutral(self) -> bool:
        return all(vector.is_neutral for _, vector in self.points)

    def scale(self, factor: float) -> EmotionCurve:
        """Every point's vector scaled, each clipped at 1."""
        return EmotionCurve(
            tuple((position, vector.scale(factor)) for position, vector in self.points)
        )

    def mean(self) -> EmotionVector:
        """The average over the whole line, exactly (the curve is piecewise linear)."""
        inner = [position for position in self._positions if 0.0 < position < 1.0]
        edges = [0.0, *dict.fromkeys(inner), 1.0]
        totals = [0.0] * len(NAMES)
        for start, end in zip(edges, edges[1:], strict=False):
            middle = self.at(start).blend(self.before(end), 0.5)
            for index, value in enumerate(middle.to_list()):
                totals[index] += (end - start) * value
        return EmotionVector.from_list(min(total, 1.0) for total in totals)

    @property
    def _positions(self) -> list[float]:
        return [position for position, _ in self.points]

    def _between(self, right: int, position: float) -> EmotionVector:
        """The vector between point `right` - 1 and point `right`."""
        if right == 0:
            return self.points[0][1]
        if right == len(self.points):
            return self.points[-1][1]
        (start, first), (end, second) = self.points[right - 1], self.points[right]
        if end == start:
            return first
        return first.blend(second, (position - start) / (end - start))
