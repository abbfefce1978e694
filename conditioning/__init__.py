"""What a line should sound like and what can be heard: emotions, directions, audio, weights."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .audio import Audio
    from .direction import Direction
    from .emotion import EmotionCurve, EmotionVector
    from .estimator import EmotionEstimator

__all__ = ["Audio", "Direction", "EmotionCurve", "EmotionEstimator", "EmotionVector"]

_HOMES = {
    "Audio": ".audio",
    "Direction": ".direction",
    "EmotionCurve": ".emotion",
    "EmotionEstimator": ".estimator",
    "EmotionVector": ".emotion",
}


def __getattr__(name: str):
    # Importing the package must not cost numpy's import; the first use of a name does.
    if name in _HOMES:
        return getattr(import_module(_HOMES[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
