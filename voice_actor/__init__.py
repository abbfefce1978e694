"""Voice Actor: text and a direction become acted, marked speech.

from voice_actor import VoiceActor

actor = VoiceActor.load()
performance = actor.perform("You came back.", "relieved, still a little angry")
performance.save("line.wav")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .actor import VoiceActor
    from .performance import Performance

__version__ = "0.1.0"
__all__ = ["Performance", "VoiceActor", "__version__"]

_HOMES = {"VoiceActor": ".actor", "Performance": ".performance"}


def __getattr__(name: str):
    # Importing the package must not cost the import of torch; the first use of a name does.
    if name in _HOMES:
        return getattr(import_module(_HOMES[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
