"""The emotion that lies at a point of the plane of valence and arousal, for pads and mice."""

from __future__ import annotations

from collections.abc import Iterator

from conditioning.emotion import EmotionVector, quoted
from conditioning.errors import InvalidInput
from conditioning.taxonomy import find

# The categories that the adapter was rehearsed in, and neutral (""), in triangles that cover the
# plane between them without overlapping. Anger stands around neutral and fear, which lies behind
# it, outermost: as neighbours around neutral they would be 3 degrees apart, and a trembling hand
# would turn one into the other.
TRIANGLES: tuple[tuple[str, str, str], ...] = (
    ("", "Contentment", "Elation"),
    ("", "Elation", "Astonishment/Surprise"),
    ("", "Astonishment/Surprise", "Anger"),
    ("", "Anger", "Disgust"),
    ("", "Disgust", "Sadness"),
    ("", "Sadness", "Emotional Numbness"),
    ("", "Emotional Numbness", "Contentment"),
    ("Astonishment/Surprise", "Anger", "Fear"),
    ("Anger", "Disgust", "Fear"),
    ("Disgust", "Sadness", "Fear"),
)
# The outline of all the triangles; it bulges everywhere, so that each point has one nearest in it.
OUTLINE: tuple[str, ...] = (
    "Contentment",
    "Elation",
    "Astonishment/Surprise",
    "Fear",
    "Sadness",
    "Emotional Numbness",
)
REACHED: tuple[str, ...] = (*OUTLINE, "Anger", "Disgust")

_ROUNDING = 1e-9  # shares below this are the arithmetic's


def place_of(name: str) -> tuple[float, float]:
    """A category's (valence, arousal), each in [-1, 1]; "" is neutral, (0, 0)."""
    if not name:
        return 0.0, 0.0
    category = find(name)
    return category.valence, category.arousal


def vector_at(valence: float, arousal: float) -> EmotionVector:
    """A direction whose `valence` and `arousal` are the point, of few well-acted emotions.

    One or two emotions, beside neutral; three in the narrow corners around fear. The middle is
    neutral, the place of an emotion is that emotion in full, and a small move of the point makes a
    small change. What no mixture of `REACHED` can be, such as the utterly pleasant and calm corner,
    becomes the nearest point on their `OUTLINE`.

    Raises:
        InvalidInput: for a coordinate that is no number in [-1, 1].
    """
    point = _checked("valence", valence), _checked("arousal", arousal)
    shares = next(_inside(point), None) or _nearest(point)
    return EmotionVector(
        {name: min(share, 1.0) for name, share in shares.items() if name and share > _ROUNDING}
    )


def _checked(axis: str, value: float) -> float:
    try:
        if -1.0 <= float(value) <= 1.0:  # nan fails the comparison
            return float(value)
    except (TypeError, ValueError, OverflowError):
        pass
    raise InvalidInput(
        f"The {axis} of the point is {quoted(str(value))}; allowed: -1 to 1; 0 is the middle."
    )


def _inside(point: tuple[float, float]) -> Iterator[dict[str, float]]:
    """The shares, adding up to 1, of each triangle's corners that make the point."""
    for corners in TRIANGLES:
        (x, y), (x1, y1), (x2, y2) = map(place_of, corners)
        (dx, dy), (dx1, dy1), (dx2, dy2) = (
            (point[0] - x, point[1] - y),
            (x1 - x, y1 - y),
            (x2 - x, y2 - y),
        )
        area = dx1 * dy2 - dx2 * dy1
        first, second = (dx * dy2 - dx2 * dy) / area, (dx1 * dy - dx * dy1) / area
        shares = (1.0 - first - second, first, second)
        if min(shares) >= -_ROUNDING:
            yield dict(zip(corners, shares, strict=True))


def _nearest(point: tuple[float, float]) -> dict[str, float]:
    """The shares of two neighbours on the outline that come closest to a point beyond it."""
    best: tuple[float, dict[str, float]] | None = None
    for start, end in zip(OUTLINE, (*OUTLINE[1:], OUTLINE[0]), strict=True):
        (x, y), (x1, y1) = place_of(start), place_of(end)
        dx, dy = x1 - x, y1 - y
        along = ((point[0] - x) * dx + (point[1] - y) * dy) / (dx * dx + dy * dy)
        along = min(max(along, 0.0), 1.0)
        away = (x + along * dx - point[0]) ** 2 + (y + along * dy - point[1]) ** 2
        if best is None or away < best[0]:
            best = away, {start: 1.0 - along, end: along}
    return best[1]
