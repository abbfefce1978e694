"""`voice-actor cast`: dialogue scripts become voiced lines that a game imports."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from conditioning.errors import InvalidInput

from .screen import Screen

if TYPE_CHECKING:
    from .production.build import Report
    from .production.cast_file import CastFile
    from .production.plan import Job, Plan
    from .production.voicing import Voiced

CAST = "cast.toml"
MOST_JOBS = 4  # unless more are asked for: each holds networks of about a gigabyte
TOLD = 20  # lines in a list on the screen


def add_cast(commands) -> None:
    command = commands.add_parser(
        "cast",
        help="voice dialogue scripts for a game",
        description="Voices every line of dialogue scripts, in character, and writes what game "
        "engines import: a file a line, mouth cues, a manifest, and a page for review. What is "
        "done stays: only lines that are missing or changed are spoken.",
        epilog="Begin with --draft, which writes a cast file from the scripts.",
    )
    command.add_argument(
        "scripts",
        nargs="+",
        metavar="SCRIPT",
        help="Yarn Spinner (.yarn, strings .csv), Ren'Py (.rpy, dialogue.tab), Ink (.ink), Godot "
        "Dialogue Manager (.dialogue), Unreal (.csv), Fountain (.fountain), tables (.csv, .tsv, "
        ".json) or plain 'NAME: line' (.txt)",
    )
    command.add_argument(
        "--cast", metavar="FILE", help=f"who plays whom (default: {CAST} beside the first script)"
    )
    command.add_argument(
        "-o", "--out", default="build", metavar="FOLDER", help="(default: %(default)s)"
    )
    doing = command.add_mutually_exclusive_group()
    doing.add_argument(
        "--draft",
        action="store_true",
        help="only write the cast file, or add to it the characters that it lacks",
    )
    doing.add_argument(
        "--check", action="store_true", help="only say what is wrong and what would be spoken"
    )
    command.add_argument(
        "--takes",
        type=int,
        default=1,
        metavar="N",
        help="speak each line so often, and keep what is heard best as directed",
    )
    command.add_argument(
        "--jobs",
        type=int,
        metavar="N",
        help=f"processes (default: one a processor, at most {MOST_JOBS}; with Ray, all of the "
        "cluster's)",
    )
    command.add_argument("--ray", metavar="ADDRESS", help="of a Ray cluster: auto, or host:port")
    command.add_argument(
        "--retake", metavar="FILE", help="speak again what the review page's list holds"
    )
    command.add_argument(
        "--unheard",
        action="store_true",
        help="do not listen to the lines: quicker; no word errors, no heard emotion, no retries",
    )
    command.add_argument(
        "--prune", action="store_true", help="delete files of lines that the scripts have no more"
    )
    command.add_argument("--weights", metavar="FOLDER", help="where to look for weights first")
    command.set_defaults(run=cast)


def cast(options: argparse.Namespace) -> None:
    texts = {place: _script(place) for place in dict.fromkeys(options.scripts)}
    place = Path(options.cast or Path(options.scripts[0]).parent / CAST)
    if options.draft:
        draft(texts, place)
        return
    if options.jobs is not None and options.jobs < 1:
        raise InvalidInput(f"{options.jobs} jobs came; give 1 or more.")

    from .production.build import Folder, produce, read_retakes

    folder = Folder(Path(options.out))
    if options.retake is not None:
        # Held before anything is spoken, so that a wish is not lost with a run that fails.
        folder.want_again(read_retakes(_bytes(options.retake), options.retake))
    plan = planned(texts, place, options, folder)
    screen = Screen.of(sys.stderr)
    for told in alike(plan):
        screen.say(told, to=sys.stderr)
    if options.check:
        check(plan, folder, screen)
        return
    report = produce(folder, plan, partial(work, options), options.prune, Teller(screen))
    summary(report, folder, screen)


def planned(texts: Mapping[str, str], place: Path, options: argparse.Namespace, folder) -> Plan:
    """The plan of the scripts and the cast file. Raises InvalidInput with all that is wrong."""
    from conditioning.direction import DirectionReader

    from .production.delivery import engine_of
    from .production.plan import Checker, Plan
    from .scripts import read_scripts
    from .voices import cast as members

    found = _cast_file(place, options.scripts)
    reader = DirectionReader.load(options.weights)
    lines = read_scripts(texts, found.rules, Checker(found, reader))
    engine = engine_of(*next(iter(texts.items())))
    return Plan(
        lines=lines,
        cast=replace(found, delivery=found.delivery.settled(engine)),
        voices=members(),
        reader=reader,
        takes=options.takes,
        gate=None if options.unheard else found.gate,
        retakes=folder.retakes,
    )


def work(options: argparse.Namespace, jobs: Sequence[Job]) -> Iterator[Voiced]:
    """Speaks jobs in this process, in several, or over Ray."""
    from conditioning.crew import alone, over_processes, over_ray

    from .production.voicing import hire

    hired = partial(hire, options.weights, not options.unheard)
    processes = min(options.jobs or min(os.cpu_count() or 1, MOST_JOBS), len(jobs))
    if options.ray is not None and jobs:
        return over_ray(hired, jobs, options.ray, options.jobs)
    return over_processes(hired, jobs, processes) if processes > 1 else alone(hired, jobs)


class Teller:
    """Says on standard error what each line became, while the work goes on."""

    def __init__(self, screen: Screen):
        self.screen = screen

    def __call__(self, voiced: Voiced, number: int, total: int) -> None:
        said = voiced.record
        if voiced.failure:
            told = f"not spoken: {voiced.failure}"
        else:
            told = f"{said['character']}, {said['duration']:.1f} s"
            if said["words_expected"]:
                told += f", {said['word_errors']} of {said['words_expected']} words misheard"
            if said["score"] is not None:
                told += f", score {said['score']:+.2f}"
            told += "".join(f"; {fault}" for fault in said["faults"])
        self.screen.say(f"[{number:>{len(str(total))}}/{total}] {voiced.id}: {told}", to=sys.stderr)


def summary(report: Report, folder, screen: Screen) -> None:
    """What became of the lines. Raises InvalidInput where some could not be spoken."""
    from .listen import counted
    from .production.manifest import summary as summed

    totals = summed(report.records)
    lines = [
        "",
        f"{counted(len(report.spoken), 'line')} spoken, {len(report.kept)} kept as they were; "
        f"{totals['seconds'] / 60:.1f} minutes in all.",
    ]
    rate = totals["word_error_rate"]
    if rate is not None:
        lines.append(f"Words misheard by the recogniser: {rate:.1%}.")
    lines += _listed("hold no word and were not spoken", [line.id for line, _ in report.unspoken])
    lines += _listed(
        "have files that were not made here and stay as they are; delete these to have them spoken",
        report.replaced,
    )
    lines += _listed("are left of earlier scripts; --prune deletes them", report.gone, "file")
    faulty = [each for each in report.records if each["faults"]]
    lines += _listed("should be heard by a person", [each["id"] for each in faulty])
    lines.append(f"{folder.path / 'review.html'}: listen, and flag what is to be spoken again.")
    screen.say(*screen.wrap(lines), to=sys.stderr)
    if report.failed:
        told = "; ".join(f"{id}: {why}" for id, why in list(report.failed.items())[:TOLD])
        raise InvalidInput(f"{counted(len(report.failed), 'line')} could not be spoken: {told}")


def check(plan: Plan, folder, screen: Screen) -> None:
    """Says what would be done."""
    from .listen import counted

    found = folder.survey(plan)
    jobs, unspoken = plan.jobs(set(found.missing))
    lines = [
        f"{counted(len(plan.lines), 'line')}, {counted(len(plan.players), 'character')}: "
        f"{len(jobs)} to speak, {len(found.kept)} done."
    ]
    for name, player in plan.players.items():
        mine = sum(line.character == name for line in plan.lines)
        lines.append(f"  {name}: {counted(mine, 'line')}, {player.voice}")
    lines += _listed("hold no word", [line.id for line, _ in unspoken])
    lines += _listed("have files that were not made here", found.replaced)
    for job in jobs:
        lines += [f"  {job.line.id}: {note}" for note in job.notes]
    screen.say(*screen.wrap(lines), to=sys.stderr)


def _cast_file(place: Path, scripts: Sequence[str]) -> CastFile:
    from conditioning.files import shown

    from .production.cast_file import read_cast
    from .scripts import decode_script

    if not place.exists():
        raise InvalidInput(
            f"There is no cast file {shown(place)}; write one with: voice-actor cast "
            f"{' '.join(map(quote, scripts))} --cast {quote(str(place))} --draft"
        )
    return read_cast(decode_script(_bytes(place), str(place)), str(place))


def draft(texts: Mapping[str, str], place: Path) -> None:
    """Writes the cast file, or adds to it the characters that it lacks."""
    from conditioning.files import check_place, shown, write_whole

    from .formats.spoken import Rules
    from .production.delivery import engine_of
    from .production.draft import added, draft_file
    from .scripts import decode_script, read_scripts
    from .voices import cast as members

    check_place(place)
    asked = Anything()
    lines = read_scripts(texts, Rules(variables=asked))
    if place.exists():
        before = decode_script(_bytes(place), str(place))
        text = added(before, lines, members())
        done = "has everybody" if text == before else "has the new characters at its end"
    else:
        engine = engine_of(*next(iter(texts.items())))
        text = draft_file(lines, members(), engine, asked.names)
        done = "is written; change in it what you like"
    write_whole(place, text.encode())
    print(f"{shown(place)} {done}.", file=sys.stderr)


class Anything(dict):
    """A value for every variable; `names` are those that were asked for, in their order."""

    def __init__(self):
        super().__init__()
        self.names: list[str] = []

    def __contains__(self, name: object) -> bool:
        return True

    def get(self, name: str, default: str = "") -> str:
        return self[name]

    def __missing__(self, name: str) -> str:
        self.names.append(name)
        self[name] = "something"
        return self[name]


def alike(plan: Plan) -> list[str]:
    """Which characters sound alike."""
    from .production.alike import alike as pairs_of

    # Somebody whom the script calls by two names is one character.
    voices = {player.role.character: player.voice for player in plan.players.values()}
    return [pair.told for pair in pairs_of(voices)][:TOLD]


def _listed(what: str, ids: Sequence[str], noun: str = "line") -> list[str]:
    from .listen import counted

    if not ids:
        return []
    more = ["  …"] if len(ids) > TOLD else []
    return [f"{counted(len(ids), noun)} {what}:", *(f"  {id}" for id in ids[:TOLD]), *more]


def _script(place: str) -> str:
    from .scripts import decode_script

    return decode_script(_bytes(place), place)


def _bytes(place: str) -> bytes:
    from conditioning.files import shown

    try:
        return Path(place).read_bytes()
    except (OSError, ValueError) as error:
        reason = "a folder" if os.path.isdir(place) else getattr(error, "strerror", None) or error
        raise InvalidInput(f"{shown(place)} cannot be read ({reason}); name a file.") from None
