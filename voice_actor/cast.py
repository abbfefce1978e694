"""`voice-actor cast`: dialogue scripts become voiced lines that a game imports."""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, TypeVar

from conditioning.errors import InvalidInput, UserError
from conditioning.files import shown

from .listen import counted
from .screen import Screen

if TYPE_CHECKING:
    from .production.build import Report
    from .production.cast_file import CastFile
    from .production.folder import Folder
    from .production.plan import Job, Plan
    from .production.voicing import Voiced

CAST = "cast.toml"
MOST_JOBS = 4  # unless more are asked for: each holds networks of about a gigabyte
TOLD = 20  # lines in a list on the screen
LARGEST = 50 << 20  # bytes of a script or another file

T = TypeVar("T")


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
    scripts = list({os.path.realpath(place): place for place in options.scripts}.values())
    place = Path(options.cast or Path(scripts[0]).parent / CAST)
    if options.draft:
        draft(scripts, place)
        return
    if options.jobs is not None and options.jobs < 1:
        raise InvalidInput(f"{options.jobs} jobs came; give 1 or more.")

    from .production.build import produce
    from .production.folder import Folder, merged, read_retakes

    folder, screen = Folder(Path(options.out)), Screen.of(sys.stderr)
    retakes = folder.retakes
    if options.retake is not None:
        flagged = read_retakes(_bytes(options.retake), options.retake)
        told = outdated(flagged, folder)
        if told:
            screen.say(told, to=sys.stderr)
        retakes = merged(retakes, flagged)
        if not options.check:
            # Written before anything is spoken, so that no wish is lost with a run that fails.
            with folder.held():
                folder.want_again(flagged)
    plan = planned(scripts, place, options, retakes)
    for told in alike(plan):
        screen.say(told, to=sys.stderr)
    if options.check:
        check(plan, folder, screen)
        return
    report = produce(folder, plan, partial(work, options), options.prune, Teller(screen))
    summary(report, folder, screen)


def outdated(flagged: Mapping[str, Collection[str]], folder: Folder) -> str:
    """What to say of flags whose recordings are no more; "" where there are none."""
    now = {id: note.record["hash"] for id, note in folder.notes.items()}
    old = [id for id, keys in flagged.items() if now.get(id) not in keys]
    if not old:
        return ""
    return f"Flagged, but spoken otherwise since or not there: {Screen.printed(old[:TOLD])}."


def planned(
    scripts: Sequence[str],
    place: Path,
    options: argparse.Namespace,
    retakes: Mapping[str, Collection[str]],
) -> Plan:
    """The plan of the scripts and the cast file. Raises InvalidInput with all that is wrong."""
    from conditioning.direction import DirectionReader

    from .formats.spoken import Rules
    from .production.delivery import engine_of
    from .production.plan import Checker, Plan
    from .scripts import read_scripts
    from .voices import cast as members

    wrong = Problems()
    texts = {name: text for name in scripts for text in wrong.gather(_script, name)}
    casts = wrong.gather(_cast_file, place, scripts)
    rules = casts[0].rules if casts else Rules(variables=Anything())
    # A language model says something else each time; what is cast can be made again.
    reader = DirectionReader.load(options.weights, ask=False)
    checker = Checker(casts[0], reader) if casts else lambda row: ()
    lines = wrong.gather(read_scripts, texts, rules, checker) if texts else []
    wrong.refuse()
    (found,), (lines,) = casts, lines
    engine = engine_of(*next(iter(texts.items())))
    return Plan(
        lines=lines,
        cast=replace(found, delivery=found.delivery.settled(engine)),
        voices=members(),
        reader=reader,
        takes=options.takes,
        gate=None if options.unheard else found.gate,
        retakes=retakes,
    )


class Problems:
    """Gathers what is wrong with several files, to be told at once."""

    def __init__(self):
        self.told: list[str] = []

    def gather(self, read: Callable[..., T], *arguments) -> list[T]:
        """What is read; nothing where that is refused."""
        try:
            return [read(*arguments)]
        except UserError as error:
            self.told.append(str(error))
            return []

    def refuse(self) -> None:
        if self.told:
            raise InvalidInput(" ".join(self.told))


def work(options: argparse.Namespace, jobs: Sequence[Job]) -> Generator[Voiced, None, None]:
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
        place = f"[{number:>{len(str(total))}}/{total}]"
        self.screen.say(f"{place} {shown(voiced.id)}: {shown(told)}", to=sys.stderr)


def summary(report: Report, folder: Folder, screen: Screen) -> None:
    """What became of the lines. Raises InvalidInput where some could not be spoken."""
    from .production import manifest

    totals = manifest.summary(report.records)
    screen.say(
        f"{counted(len(report.spoken), 'line')} spoken, {len(report.kept)} kept as they were; "
        f"{totals['seconds'] / 60:.1f} minutes in all.",
        to=sys.stderr,
    )
    rate = totals["word_error_rate"]
    if rate is not None:
        screen.say(f"Words misheard by the recogniser: {rate:.1%}.", to=sys.stderr)
    faulty = [each["id"] for each in report.records if each["faults"]]
    theirs = [path for paths in report.replaced.values() for path in paths]
    told = [
        *_listed("Without a word, and not spoken", [line.id for line, _ in report.unspoken]),
        *_listed("Put there by somebody else, and left; delete to have it spoken", theirs),
        *_listed("Of no use to these scripts; --prune deletes it", report.gone),
        *_listed("To be heard by a person", faulty),
    ]
    review = folder.path / "review.html"
    screen.say(*told, f"Listen, and flag retakes: {shown(review)}", to=sys.stderr)
    if report.failed:
        told = "; ".join(f"{shown(id)}: {why}" for id, why in list(report.failed.items())[:TOLD])
        count = counted(len(report.failed), "line")
        raise InvalidInput(f"{count} could not be spoken: {told}")


def check(plan: Plan, folder: Folder, screen: Screen) -> None:
    """Says what would be done."""
    from .production.build import survey

    found = survey(folder, plan)
    screen.say(f"Reading {counted(len(found.missing), 'line')} …", to=sys.stderr)
    jobs, unspoken = plan.jobs(set(found.missing))
    words = {line.id for line in plan.lines} - {line.id for line, _ in unspoken}
    lines = Counter(plan.players[line.character].role.character for line in plan.lines)
    voices = {player.role.character: player.voice for player in plan.players.values()}
    screen.say(
        f"{counted(len(plan.lines), 'line')}, {counted(len(voices), 'character')}: "
        f"{len(jobs)} to speak, {len(found.kept)} done.",
        *(f"  {shown(n)}: {counted(lines[n], 'line')}, {voice}" for n, voice in voices.items()),
        *_listed("Without a word", [line.id for line, _ in unspoken]),
        *_listed("Put there by somebody else", found.replaced),
        *_listed("Of no use to these scripts; --prune deletes it", folder.gone(words)),
        *(f"  {shown(job.line.id)}: {shown(note)}" for job in jobs for note in job.notes),
        to=sys.stderr,
    )


def _listed(what: str, names: Sequence[str]) -> list[str]:
    """A list of lines or files under a heading; nothing for none."""
    if not names:
        return []
    more = ["  …"] if len(names) > TOLD else []
    return [f"{what} ({len(names)}):", *(f"  {shown(name)}" for name in names[:TOLD]), *more]


def _cast_file(place: Path, scripts: Sequence[str]) -> CastFile:
    from .production.cast_file import read_cast
    from .scripts import decode_script

    if not place.exists():
        raise InvalidInput(
            f"There is no cast file {shown(place)}; write one with: voice-actor cast "
            f"{' '.join(map(quote, scripts))} --cast {quote(str(place))} --draft"
        )
    return read_cast(decode_script(_bytes(place), str(place)), str(place))


def draft(scripts: Sequence[str], place: Path) -> None:
    """Writes the cast file, or adds to it the characters that it lacks."""
    from conditioning.files import check_place, write_whole

    from .formats.spoken import Rules
    from .production.delivery import engine_of
    from .production.draft import added, draft_file
    from .scripts import decode_script, read_scripts
    from .voices import cast as members

    check_place(place)
    wrong, asked = Problems(), Anything()
    texts = {name: text for name in scripts for text in wrong.gather(_script, name)}
    wrong.refuse()
    lines = read_scripts(texts, Rules(variables=asked))
    if place.exists():
        before = decode_script(_bytes(place), str(place))
        text = added(before, lines, members(), str(place))
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
    """Which characters of the cast file sound alike."""
    from .production.alike import alike as pairs_of

    # Somebody whom the script calls by two names is one character; extras may share a voice.
    players = {player.role.character: player.voice for player in plan.players.values()}
    return [
        pair.told for pair in pairs_of({n: v for n, v in players.items() if n in plan.cast.roles})
    ][:TOLD]


def _script(place: str) -> str:
    from .scripts import decode_script

    return decode_script(_bytes(place), place)


def _bytes(place: str | Path) -> bytes:
    """Raises InvalidInput for what is no file that can be read, or is too large for a script."""
    try:
        if not os.path.isfile(place):
            # What is no file, such as a pipe, might never end.
            os.stat(place)
            raise InvalidInput(f"{shown(place)} is no file; name one.")
        size = os.path.getsize(place)
        if size > LARGEST:
            raise InvalidInput(
                f"{shown(place)} has {size >> 20:,} MB; at most {LARGEST >> 20} are read. Split it."
            )
        return Path(place).read_bytes()
    except (OSError, ValueError) as error:
        if isinstance(error, InvalidInput):
            raise
        reason = getattr(error, "strerror", None) or error
        raise InvalidInput(f"{shown(place)} cannot be read ({reason}); name a file.") from None
