"""`Manner`: how a line or a part of it is spoken, beside what is felt."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields

from conditioning.errors import InvalidInput


@dataclass(frozen=True)
class Manner:
    """Changes of the speaking that are no emotion; every default changes nothing.

    Attributes:
        pitch: level, semitones.
        melody: log2 of the ratio by which pitch moves about its median.
        pace: log2 of the ratio of the speaking rate; 1 is twice as fast.
        level: loudness, dB.
        pause: seconds added where punctuation makes a pause.
        breath: aspiration, amplitude relative to the speech.
        whisper: 0 to 1; 1 has no voice left.
        rough: depth of a growl, 0 to 1.
        tremor: semitones by which pitch trembles, peak.
        tilt: spectral slope, dB per octave; positive is brighter.
        formants: log2 of the ratio by which the spectral envelope moves up; positive is a smaller
            speaker.
        emphasis: weight on the words, -1 (reduced) to 1 (strong).
    """

    pitch: float = 0.0
    melody: float = 0.0
    pace: float = 0.0
    level: float = 0.0
    pause: float = 0.0
    breath: float = 0.0
    whisper: float = 0.0
    rough: float = 0.0
    tremor: float = 0.0
    tilt: float = 0.0
    formants: float = 0.0
    emphasis: float = 0.0

    def __post_init__(self) -> None:
        for name in CONTROLS:
            value = getattr(self, name)
            low, high = BOUNDS[name]
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise InvalidInput(f"The {name} of a manner is {value!r:.40}; give a number.")
            if not low <= value <= high:  # nan fails the comparison
                raise InvalidInput(
                    f"The {name} of a manner is {value:g}; allowed: {low:g} to {high:g}."
                )

    def __bool__(self) -> bool:
        """Whether anything is changed."""
        return any(getattr(self, name) for name in CONTROLS)

    def __add__(self, other: Manner) -> Manner:
        """Both at once, each control within `BOUNDS`."""
        # Rounded so that 0.1 + 0.2 prints as 0.3.
        return Manner.bounded(
            {name: round(getattr(self, name) + getattr(other, name), 4) for name in CONTROLS}
        )

    def scaled(self, factor: float) -> Manner:
        """Every control times the factor, within `BOUNDS`."""
        return Manner.bounded({name: round(factor * getattr(self, name), 4) for name in CONTROLS})

    @classmethod
    def bounded(cls, values: Mapping[str, float]) -> Manner:
        """From numbers by control, those beyond `BOUNDS` moved to the nearest that is allowed."""
        assert set(values) <= set(CONTROLS), f"unknown controls: {set(values) - set(CONTROLS)}"
        assert not any(math.isnan(value) for value in values.values())
        return cls(
            **{
                name: min(max(float(value), BOUNDS[name][0]), BOUNDS[name][1])
                for name, value in values.items()
            }
        )

    @property
    def told(self) -> str:
        """The manner in plain words, "" where nothing is changed."""
        return ", ".join(
            (more if value > 0 else less).format(_amount(name, value))
            for name, (more, less) in _TELLING.items()
            if (value := getattr(self, name))
        )

    def to_json(self) -> dict[str, float]:
        """The controls that change something, ready for `json.dumps`."""
        return {name: getattr(self, name) for name in CONTROLS if getattr(self, name)}


CONTROLS = tuple(field.name for field in fields(Manner))

# Within these the words and the voice stay recognisable; the backbone's own limits lie further out.
BOUNDS: Mapping[str, tuple[float, float]] = {
    "pitch": (-5.0, 6.0),
    "melody": (-1.2, 1.2),
    "pace": (-0.8, 0.8),
    "level": (-12.0, 9.0),
    "pause": (-0.2, 1.0),
    "breath": (0.0, 0.35),
    "whisper": (0.0, 1.0),
    "rough": (0.0, 0.5),
    "tremor": (0.0, 0.8),
    "tilt": (-4.0, 4.0),
    "formants": (-0.12, 0.15),
    "emphasis": (-1.0, 1.0),
}

# Each control in words, more of it and less.
_TELLING: Mapping[str, tuple[str, str]] = {
    "whisper": ("whispered", ""),
    "pitch": ("{} semitones higher", "{} semitones lower"),
    "pace": ("{} % faster", "{} % slower"),
    "level": ("{} dB louder", "{} dB quieter"),
    "melody": ("with a wider melody", "with a narrower melody"),
    "pause": ("with longer pauses", "with shorter pauses"),
    "emphasis": ("with emphasis", "with less emphasis"),
    "tremor": ("with a slight tremor", ""),
    "rough": ("rougher", ""),
    "breath": ("with more breath", ""),
    "tilt": ("brighter", "darker"),
    "formants": ("as a smaller speaker", "as a larger speaker"),
}


def _amount(name: str, value: float) -> str:
    """A number as it is told; a pace in percent."""
    return f"{100 * abs(2**value - 1):.0f}" if name == "pace" else f"{abs(value):g}"
