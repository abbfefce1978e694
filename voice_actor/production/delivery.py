"""`Delivery`: a spoken line becomes the files that a game's engine expects."""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePath, PurePosixPath
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from conditioning.audio import CODEC_RATES, FORMATS, Audio
from conditioning.errors import InvalidInput, unknown_name
from voice_actor.face import face_json, live_link_csv
from voice_actor.formats import unreal, yarn
from voice_actor.mouth import (
    FRAME_RATE,
    VISEMES,
    mouth_cues,
    rhubarb_json,
    rhubarb_tsv,
    viseme_weights,
)
from voice_actor.performance import Performance
from voice_actor.scripts import file_names

LOUDNESS = -23.0  # LUFS, the target of EBU R 128
LOUDNESS_RANGE = -40.0, -12.0  # LUFS; above it hardly anything of a shout would pass the limiter
RATES = 8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000  # Hz
CEILING = -1.0  # dBTP, the most that EBU R 128 permits
LOOK_AHEAD = 0.01  # s; the limiter is down so long before a peak, and up again so long after it
# Each lowers the limiter by what the codec went over, and by a little more, since what it does to
# another sound is not quite the same.
_ATTEMPTS = 6
_SPARE = 0.05  # dB


class Engine(NamedTuple):
    """What an engine expects of a file of speech.

    Attributes:
        folder: where it lies.
        formats: what it imports, the usual one first.
        sample_rate: the usual one in Hz; None: whichever it has.
    """

    folder: str
    formats: tuple[str, ...]
    sample_rate: int | None = None


# In which formats: renpy.org/doc/html/audio.html, docs.godotengine.org (Importing audio samples),
# docs.unity3d.com (Audio file compatibility), dev.epicgames.com (Importing Audio Files; Opus and
# MP3 only in its latest versions). And where a line is found:
# - Yarn Spinner for Unity: in a localisation's assets folder, the file whose name without suffix
#   contains the line's id without "line:" (FindAssetPathsForLineIDs in YarnProjectUtility.cs);
# - Ren'Py: config.auto_voice = "voice/{id}.ogg";
# - Dialogue Manager for Godot: as the game names it, after the line's [ID:...];
# - Unity's localisation and Unreal's tables: by the asset's name, which is the file's.
ENGINES: Mapping[str, Engine] = MappingProxyType(
    {
        "plain": Engine("audio", ("wav", "flac", "ogg", "opus", "mp3")),
        "yarn": Engine("voice", ("wav", "ogg", "mp3", "flac")),
        "renpy": Engine("voice", ("ogg", "opus", "mp3", "flac", "wav")),
        "godot": Engine("voice", ("ogg", "mp3", "wav")),
        "unity": Engine("voice", ("wav", "ogg", "mp3", "flac")),
        "unreal": Engine("voice", ("wav", "flac", "ogg"), 48_000),
    }
)
EXTRAS: Mapping[str, str] = MappingProxyType(
    {
        "rhubarb": "mouth shapes A to X as Rhubarb's JSON",
        "rhubarb-tsv": "the same as its TSV",
        "visemes": "Oculus's fifteen visemes with weights, JSON",
        "face": "ARKit's blendshapes over time, JSON",
        "live-link": "the same as a recording of Live Link Face, CSV",
    }
)


@dataclass(frozen=True)
class Delivery:
    """In what form speech is handed over.

    Attributes:
        engine: a key of `ENGINES`; None: the one that the script is written for, see `settled`.
        format: "wav", "flac", "ogg", "opus" or "mp3", as far as the engine imports it; None: the
            engine's usual one.
        sample_rate: Hz; None: the engine's usual one, or the performance's, or the lowest above it
            that the format holds.
        loudness: LUFS of a character's neutral reading.
        extras: of `EXTRAS`.

    Raises:
        UnknownName: an engine, a format or a kind of extra that is not known.
        InvalidInput: a format that the engine does not import, a rate that the format cannot hold,
            or a loudness out of range.
    """

    engine: str | None = None
    format: str | None = None
    sample_rate: int | None = None
    loudness: float = LOUDNESS
    extras: tuple[str, ...] = ("rhubarb",)

    def __post_init__(self):
        if self.engine is not None and str(self.engine) not in ENGINES:
            raise unknown_name("engine", self.engine, ENGINES)
        if self.format is not None:
            object.__setattr__(self, "format", str(self.format).lower().removeprefix("."))
            self._check_format()
        if self.sample_rate is not None:
            self._check_rate()
        check_loudness(self.loudness)
        if not isinstance(self.extras, list | tuple):
            raise InvalidInput(
                f"extras {self.extras!r}; give a list of {', '.join(EXTRAS)}, or an empty one."
            )
        for kind in map(str, self.extras):
            if kind not in EXTRAS:
                raise unknown_name("kind of extras", kind, EXTRAS)
        object.__setattr__(self, "extras", tuple(kind for kind in EXTRAS if kind in self.extras))

    def settled(self, engine: str) -> Delivery:
        """The same for an engine, where none was chosen.

        Raises:
            InvalidInput: a format that this engine does not import.
        """
        return self if self.engine else replace(self, engine=engine)

    @property
    def _engine(self) -> Engine:
        return ENGINES[self.engine or "plain"]

    @property
    def folder(self) -> str:
        """Where the files of speech lie."""
        return self._engine.folder

    @property
    def suffix(self) -> str:
        """Of the files, such as ".ogg"."""
        return f".{self.format or self._engine.formats[0]}"

    def rate_for(self, rate: int) -> int:
        """The rate in Hz of what comes at another."""
        wanted = self.sample_rate or self._engine.sample_rate or rate
        held = CODEC_RATES.get(self.suffix, (wanted,))
        return min((each for each in held if each >= wanted), default=max(held))

    def _check_format(self) -> None:
        if f".{self.format}" not in FORMATS:
            raise unknown_name("format", self.format, [suffix[1:] for suffix in FORMATS])
        imported = self._engine.formats
        if self.format not in imported:
            raise InvalidInput(
                f"format {self.format!r} is not imported by engine {self.engine!r}; give "
                f"{', '.join(imported)}."
            )

    def _check_rate(self) -> None:
        rates = CODEC_RATES.get(self.suffix, RATES)
        if self.sample_rate not in rates:
            raise InvalidInput(
                f"sample_rate {self.sample_rate!r}; {self.suffix[1:]} can have "
                f"{', '.join(map(str, rates))} Hz."
            )
        object.__setattr__(self, "sample_rate", int(self.sample_rate))


def check_loudness(loudness: float) -> None:
    """Whether a neutral reading can be asked to be as loud (LUFS).

    Raises:
        InvalidInput: it is no number, or out of `LOUDNESS_RANGE`.
    """
    least, most = LOUDNESS_RANGE
    number = isinstance(loudness, int | float) and not isinstance(loudness, bool)
    if not (number and math.isfinite(loudness) and least <= loudness <= most):
        raise InvalidInput(
            f"loudness {loudness!r}; give LUFS from {least:g} to {most:g}, such as {LOUDNESS:g}."
        )


def engine_of(name: str, text: str) -> str:
    """The engine that a script is written for, a key of `ENGINES`: by its suffix and columns."""
    suffix = PurePath(name).suffix.lower()
    if suffix == ".csv":
        text = text.removeprefix("\ufeff")
        header = {cell.strip('" \r') for cell in text.partition("\n")[0].split(",")}
        if header.issuperset(yarn.STRINGS):
            return "yarn"
        return "unreal" if unreal.recognised(text) else "plain"
    return _BY_SUFFIX.get(suffix, "plain")


_BY_SUFFIX = {".yarn": "yarn", ".rpy": "renpy", ".tab": "renpy", ".dialogue": "godot"}
_SOUND = re.compile(rf"({'|'.join(map(re.escape, FORMATS))})$", re.IGNORECASE)


def file_places(delivery: Delivery, ids: Iterable[str]) -> dict[str, str]:
    """Where the file of each line lies in the build, as the engine expects it.

    An id that is a file's name already ("intro.wav") does not get a second suffix.

    >>> file_places(Delivery("renpy"), ["start_a1b2", "intro.wav"])
    {'start_a1b2': 'voice/start_a1b2.ogg', 'intro.wav': 'voice/intro.ogg'}
    """
    ids = list(ids)
    taken, bare = set(ids), {}
    for id in ids:
        without = _SOUND.sub("", id)
        bare[id] = id if without in taken else without
        taken.add(bare[id])
    names = file_names(bare.values())
    folder = delivery.folder
    return {id: f"{folder}/{names[bare[id]]}{delivery.suffix}" for id in ids}


def level(neutral: Audio, loudness: float = LOUDNESS) -> float:
    """By how many dB a character is made louder so that this reading has that loudness (LUFS).

    Every line of theirs gets the same, so that a shout stays louder than a whisper.
    """
    measured = neutral.loudness()
    return round(loudness - measured, 2) if math.isfinite(measured) else 0.0


@dataclass(frozen=True, eq=False)
class Delivered:
    """A line as it is handed over.

    Attributes:
        audio: what is heard when the file is decoded.
        encoded: the file.
        gain: dB added.
        limited: dB by which the limiter turned it down where it did so most; 0: nowhere.
        true_peak: of `audio`, dBTP; -inf for silence.
        loudness: of `audio`, LUFS; -inf for silence.
    """

    audio: Audio
    encoded: bytes
    gain: float
    limited: float
    true_peak: float
    loudness: float


def deliver(performance: Performance, gain: float, delivery: Delivery) -> Delivered:
    """A performance as a file: louder by `gain` dB, at the delivery's rate and in its format.

    Peaks are limited so that nothing of what a player decodes is above `CEILING`.
    """
    audio = performance.audio
    audio = audio.gain(gain).resample(delivery.rate_for(audio.sample_rate))
    metadata = performance.provenance.to_metadata()
    peaks, ceiling = audio.true_peaks(), CEILING - _SPARE
    for _ in range(_ATTEMPTS):
        quieter, limited = limit(audio, peaks, ceiling)
        encoded = quieter.encode(delivery.suffix, metadata)
        decoded = Audio.load(io.BytesIO(encoded))
        peak = decoded.true_peak_db
        if peak <= CEILING:
            break
        ceiling -= peak - CEILING + _SPARE
    return Delivered(decoded, encoded, gain, limited, peak, decoded.loudness())


def limit(audio: Audio, peaks: np.ndarray, ceiling: float) -> tuple[Audio, float]:
    """The sound with its peaks, between samples too, turned down to `ceiling` dBTP.

    Each sample is turned down by what the highest peak within `LOOK_AHEAD` of it needs, averaged
    under a Hann window of the same width: the mean of what all needs no less than its middle. Over
    so long a span the loudness does not follow the single pulses of a low voice.

    Args:
        peaks: its `Audio.true_peaks`, (T,).

    Returns:
        The sound, and by how many dB it was turned down where most; 0: nowhere.
    """
    from scipy.ndimage import minimum_filter1d

    needed = 10 ** (ceiling / 20) / np.maximum(peaks, 1e-9)
    if not (needed < 1).any():
        return audio, 0.0
    reach = round(LOOK_AHEAD * audio.sample_rate)
    window = np.hanning(2 * reach + 3)[1:-1]
    held = minimum_filter1d(np.pad(np.minimum(needed, 1), 2 * reach, mode="edge"), len(window))
    factor = np.convolve(held[reach:-reach], window / window.sum(), "valid")
    return (
        Audio((audio.samples * factor).astype(np.float32), audio.sample_rate),
        -20 * math.log10(factor.min()),
    )


def extras(
    performance: Performance, delivery: Delivery, place: str
) -> dict[str, tuple[str, bytes]]:
    """The mouth and face of a performance: kind -> its path in the build, and the file.

    Args:
        place: of its audio, which the files are named after.
    """
    name = PurePosixPath(place).stem
    made = {}
    for kind in delivery.extras:
        path, content = _EXTRAS[kind]
        made[kind] = path.format(name), content(performance, PurePosixPath(place).name).encode()
    return made


def _rhubarb(performance: Performance, sound_file: str) -> str:
    return _json(rhubarb_json(mouth_cues(performance), sound_file))


def _visemes(performance: Performance, sound_file: str) -> str:
    frames = np.round(viseme_weights(performance), 3)
    return _json({"rate": FRAME_RATE, "names": VISEMES, "frames": frames.tolist()})


def _json(content: dict) -> str:
    return json.dumps(content, ensure_ascii=False) + "\n"


_EXTRAS = {
    "rhubarb": ("mouth/{}.json", _rhubarb),
    "rhubarb-tsv": ("mouth/{}.tsv", lambda performance, _: rhubarb_tsv(mouth_cues(performance))),
    "visemes": ("visemes/{}.json", _visemes),
    "face": ("face/{}.json", lambda performance, _: _json(face_json(performance))),
    "live-link": ("face/{}.csv", lambda performance, _: live_link_csv(performance)),
}
assert _EXTRAS.keys() == EXTRAS.keys()
