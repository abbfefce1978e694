"""Closed-loop evaluation: systems speak a matrix, judges listen, asked and heard are compared.

    voice-actor evaluate -o FOLDER

The judges learnt from other speech than whatever taught our adapter, and the voices and sentences
are ones that it never rehearsed. Every reading is written down at once (readings.jsonl), so that a
run that was stopped goes on.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import metadata
from itertools import combinations
from pathlib import Path

import numpy as np

from conditioning import prosody, weights
from conditioning.audio import Audio
from conditioning.errors import InvalidInput
from conditioning.files import write_whole
from conditioning.pooling import PoolingEstimator
from voice_actor import __version__
from voice_actor.adapter import Table

from .commands import COMPARED
from .instruments import Instruments
from .judge import FRONTS, Judge
from .measures import Session, Verdict, compared, holm, sessions
from .metrics import plain
from .notebook import Notebook, packed, processes, run_folder, unpacked
from .protocol import ASKED, FULL, PROTOCOLS, Line, Protocol, carriers
from .report import highlights, write_report
from .systems import Ours, System, open_systems, read_manifest

# Who hears all 40: no judge, since it learnt from the same speech, but the only one that can.
ESTIMATOR = "standard"
# The weights of ours that were taught: no judge may have had a part in that.
TAUGHT = "adapter", "adapter-contours"
PACKAGES = "torch", "transformers", "numpy", "Resemblyzer", "speechmos"
WARM_UP = "Hello."
EACH_RATED = 4  # DNSMOS costs as much as speaking: it rates one of so many sentences


class Row(Verdict):
    """A verdict that can be written down."""

    def to_json(self) -> str:
        row = {**vars(self), "task": list(vars(self.task).values())}
        row["features"] = {name: packed(values) for name, values in self.features.items()}
        row |= {name: packed(row[name]) for name in ("speaker", "prosody")}
        row |= {name: round(row[name], 4) for name in ("quality", "seconds", "spent")}
        return json.dumps(row)

    @classmethod
    def from_json(cls, line: str) -> Row:
        row = json.loads(line)
        row["task"] = Line(*row["task"])
        row["features"] = {name: unpacked(text) for name, text in row["features"].items()}
        row |= {name: unpacked(row[name]) for name in ("speaker", "prosody")}
        return cls(**row)


class Hall:
    """A process's systems and instruments.

    Args:
        names, table, contours: as for `open_systems`.
        judges: names or files.
        recorded: lines that were spoken elsewhere, and where.
        forty: whether anybody asks for all 40, so that the estimator must listen.
        keep: folder for what is spoken, and whether all of it is kept or a few samples.
    """

    def __init__(
        self,
        names: Sequence[str],
        table: str | None,
        contours: str | None,
        judges: Sequence[str],
        recorded: Mapping[Line, Path],
        forty: bool,
        keep: tuple[Path, bool],
    ):
        import torch

        torch.set_num_threads(1)
        self.systems = {system.name: system for system in open_systems(names, table, contours)}
        self.judges = {judge.name: judge for judge in map(Judge.load, judges)}
        self.recorded = recorded
        self.estimator = PoolingEstimator.load(ESTIMATOR) if forty else None
        self.instruments = Instruments()
        self.folder, self.all = keep
        self.warm: set[str] = set()

    def hear(self, line: Line) -> Row:
        """Speaks a line, or opens its recording, and measures it."""
        if line in self.recorded:
            return self.measure(line, Audio.load(self.recorded[line]), math.nan)
        system = self.systems[line.system]
        if system.name not in self.warm:  # what is opened at first use is no cost of a reading
            system.speak(replace(line, text=WARM_UP))
            self.warm.add(system.name)
        start = processor_time()
        audio = system.speak(line)
        spent = processor_time() - start
        if self.all or sampled(line):
            file = self.folder / audio_name(line)
            file.parent.mkdir(parents=True, exist_ok=True)
            audio.save(f"{file}.wav" if self.all else f"{file}.ogg")
        return self.measure(line, audio, spent)

    def measure(self, line: Line, audio: Audio, spent: float) -> Row:
        low = audio.resample(16_000)
        errors, words, quality = 0, 0, math.nan
        if priced(line) or line in self.recorded:
            errors, words, _ = self.instruments.words(low, line.text)
        if rated(line) or line in self.recorded:
            quality = self.instruments.dnsmos(low)
        measured = prosody.functionals(prosody.measure(low))
        features = {name: judge.features(low) for name, judge in self.judges.items()}
        if self.estimator and line.level in (0.0, FULL):
            features[ESTIMATOR] = self.estimator.features(low)
        return Row(
            line,
            features,
            self.instruments.speaker(low),
            quality,
            errors,
            words,
            np.array([measured[name] for name in prosody.FUNCTIONALS]),
            audio.duration,
            spent,
        )


def processor_time() -> float:
    """Seconds that this process and the commands that it ran have computed."""
    return sum(os.times()[:4])


def audio_name(line: Line) -> str:
    """Where a reading is kept: system, voice, number of the sentence, what is asked."""
    number = carriers("evaluation").index(line.text)
    asked = line.asked.replace("/", "-").replace(" ", "-").lower() or "own"
    level = f"-{line.level:g}" if line.level else ""
    return f"{line.system}/{line.voice}-{number}-{asked}{level}"


def sampled(line: Line) -> bool:
    """Whether a reading is for the report to play: those of the eight, of one sentence."""
    return priced(line) and line.text == carriers("evaluation")[0]


def priced(line: Line) -> bool:
    """Whether words are counted: in readings of the eight emotions at the level of the core."""
    return line.asked in (*ASKED.values(), "") and line.level in (0.0, FULL)


def rated(line: Line) -> bool:
    """Whether quality is measured: in one of `EACH_RATED` sentences."""
    return priced(line) and carriers("evaluation").index(line.text) % EACH_RATED == 0


_hall: Hall | None = None


def _open_hall(*given) -> None:
    global _hall
    _hall = Hall(*given)


def _hear(line: Line) -> Row:
    return _hall.hear(line)


def check_judge(judge: Judge, names: Sequence[str] = TAUGHT) -> None:
    """Raises InvalidInput for a judge that took part in what it would judge.

    It has the hash of a listener that rehearsed with weights of ours, or learnt from a corpus that
    they learnt from (checkpoints/manifest.toml).
    """
    known = weights.manifest()
    for name in names:
        entry = known[name]
        hashes = {weights.hash_of(weights.path(listener)) for listener in entry.heard_by}
        if judge.sha256 in hashes:
            raise InvalidInput(
                f"The judge {judge.name} rehearsed with {name}: it would judge itself. Give one "
                "that did not; those of ours are " + ", ".join(FRONTS) + "."
            )
        if shared := set(judge.corpora) & set(entry.corpora):
            raise InvalidInput(
                f"The judge {judge.name} learnt from {', '.join(sorted(shared))}, as {name} did; "
                "give one that learnt from other speech."
            )


def lines_of(systems: Sequence[System], protocol: Protocol) -> list[Line]:
    """Everything that is spoken; a system that does not act reads each sentence once."""
    return [
        line
        for place, system in enumerate(systems)
        for line in protocol.lines(system.name, system.voices, first=place == 0)
        if system.acts or not line.asked
    ]


def summary(
    found: Mapping[str, Session], judges: Mapping[str, Judge], protocol: str, command: str
) -> dict:
    """Everything that was measured, ready for `json.dumps`."""
    measured = {name: plain(session.summary()) for name, session in found.items()}
    return {
        "protocol": protocol,
        "command": command,
        "version": __version__,
        "packages": versions(),
        "weights": {name: weights.hash_of(weights.path(name)) for name in (*TAUGHT, "kokoro-82m")},
        "judges": {
            name: {"sha256": judge.sha256, "corpora": list(judge.corpora), "real": judge.recalls}
            for name, judge in judges.items()
        },
        "systems": measured,
        "comparisons": comparisons(measured, list(judges)),
    }


def versions() -> dict[str, str]:
    """Those of the packages on which figures depend, where they are installed."""
    there = {found.name for found in metadata.distributions()}
    return {name: metadata.version(name) for name in PACKAGES if name in there}


def comparisons(measured: Mapping[str, Mapping], judges: Sequence[str]) -> list[dict]:
    """Each pair of systems by each judge, p-values corrected for their number."""
    rows = []
    for first, second in combinations(measured, 2):
        for judge in judges:
            cells = (measured[name]["judges"][judge]["cells"] for name in (first, second))
            difference, value, count = compared(*cells)
            rows.append(
                {"first": first, "second": second, "judge": judge, "difference": difference,
                 "p": value, "count": count}
            )  # fmt: skip
    for row, corrected in zip(rows, holm([row["p"] for row in rows]), strict=True):
        row["holm"] = corrected
    return rows


def run_evaluate(options: argparse.Namespace) -> None:
    _check(options)
    out, protocol = run_folder(options.out), PROTOCOLS[options.protocol]
    recorded = {
        line: path for manifest in options.manifest for line, path in read_manifest(manifest)
    }
    judges = {judge.name: judge for judge in map(Judge.load, options.judges)}
    for judge in judges.values():
        check_judge(judge)
    names = options.systems
    if names is None:
        names = [] if recorded else installed()
    systems = open_systems(names, options.table, options.contours)
    lines = [*lines_of(systems, protocol), *recorded]
    readings = out / "readings.jsonl"
    given = names, options.table, options.contours, options.judges, recorded, protocol.forty > 0
    with processes(options.jobs, _open_hall, *given, (out / "audio", options.keep)) as pool:
        Notebook(readings, Row).collect(pool, _hear, lines)
    # Read back, with the precision of the file: figures are the same where a run was interrupted.
    heard = Notebook(readings, Row)
    found = sessions(
        [heard.find(line) for line in lines],
        [system.name for system in systems if not system.acts],
        judges,
        (ESTIMATOR, PoolingEstimator.load(ESTIMATOR).head) if protocol.forty else None,
    )
    measured = summary(found, judges, protocol.name, _command(options))
    if Ours.name in found:
        table = Table.read(Path(options.table or weights.path("adapter")))
        measured["support"] = {name: support.kind for name, support in table.support.items()}
    write_whole(out / "summary.json", json.dumps(measured, indent=1, allow_nan=False).encode())
    write_report(measured, out)
    print(f"{highlights(measured)}\n\n{out / 'report.html'}")


def _check(options: argparse.Namespace) -> None:
    if options.jobs < 1:
        raise InvalidInput(f"--jobs is {options.jobs}; it must be 1 or more.")
    if options.contours and not options.table:
        raise InvalidInput("--contours needs the --table that they go with.")
    for file in filter(None, (options.table, options.contours)):
        if not Path(file).is_file():
            raise InvalidInput(f"{file} is not a file; give what `training table` or `fit` wrote.")
    Instruments.check()


def _command(options: argparse.Namespace) -> str:
    words = ["voice-actor evaluate", "--protocol", options.protocol]
    for name in ("systems", "manifest", "judges"):
        if values := getattr(options, name):
            words += [f"--{name}", *map(shlex.quote, values)]
    for name in ("table", "contours"):
        if value := getattr(options, name):
            words += [f"--{name}", shlex.quote(value)]
    return " ".join(words)


def installed() -> list[str]:
    """Those of `COMPARED` that can run here."""
    there = []
    for name in COMPARED:
        try:
            open_systems([name])
        except InvalidInput as error:
            print(f"without {name}: {error}")
        else:
            there.append(name)
    return there
