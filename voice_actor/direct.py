"""`voice-actor direct`: how a direction is understood, as a chart for people and as JSON."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from conditioning.errors import InvalidInput

from .screen import ENDS, Screen, labelled, signed

if TYPE_CHECKING:
    from conditioning.direction import Direction

    from .casting import Casting

LINE = "This is how I would say it."  # stands for the line where none is given
WIDEST_BAR = 30  # columns, also of a course over the line


def add_direct(commands) -> None:
    command = commands.add_parser(
        "direct",
        help="say how a direction is understood, without speaking",
        description="Says how a direction is understood: a chart on standard error, JSON on "
        "standard output.",
    )
    command.add_argument(
        "direction",
        help='words: "a caring nurse comforting a worried patient"; "auto" for what the line '
        "itself suggests; - to read them from standard input",
    )
    command.add_argument("--line", default=LINE, metavar="TEXT", help="the line, markup included")
    command.add_argument("-v", "--voice", help="who speaks; unless given, one that suits")
    command.add_argument(
        "--explain", action="store_true", help="which words decided what, and what was passed over"
    )
    command.add_argument("--weights", metavar="FOLDER", help="where to look for weights first")
    command.set_defaults(run=direct)


def direct(options: argparse.Namespace) -> None:
    from conditioning.direction import AUTO, DirectionReader

    from .casting import cast_voice
    from .cli import read_standard_input

    words = read_standard_input() if options.direction == "-" else options.direction
    if words.strip().lower() == AUTO and options.line == LINE:
        raise InvalidInput(f"The direction is {AUTO!r} and no line came; add --line TEXT.")
    directed = DirectionReader.load(options.weights).direct(options.line, words)
    casting = cast_voice(directed.persona, options.voice)
    screen = Screen.of(sys.stderr)
    lines = [*chart(screen, directed), "", *who(screen, casting), *how(screen, directed, casting)]
    if options.explain:
        lines += ["", *explained(screen, directed)]
    screen.say(*lines, *noted(screen, directed, casting), to=sys.stderr)
    described = directed.to_json()
    if options.line == LINE:
        del described["text"]
    print(json.dumps(described | {"casting": casting.to_json()}, ensure_ascii=False, indent=1))


def chart(screen: Screen, directed: Direction) -> list[str]:
    """A bar for each emotion, or its course where it changes over the line; then the place."""
    vectors = [vector for _, vector in directed.curve.points]
    changes = len(set(vectors)) > 1
    mean = directed.curve.mean()
    names = [name for name, _ in mean.items()]
    dimensions = {labelled(name, getattr(mean, name)): getattr(mean, name) for name in ENDS}
    longest = max(map(len, (*names, *dimensions)))
    width = max(9, min(WIDEST_BAR, screen.width - longest - 12))
    width -= 1 - width % 2
    lines = []
    for name in names:
        if changes:
            course = [directed.curve.at(step / (width - 1))[name] for step in range(width)]
            bar, value = screen.course(course), max(vector[name] for vector in vectors)
        else:
            bar, value = screen.bar(mean[name], width), mean[name]
        lines.append(f"  {name:{longest}}  {bar}  {value:5.2f}")
    if not names:
        lines.append("  No emotion is asked." if not directed.evidence else "  Neutral is asked.")
    lines.append("")
    for label, value in dimensions.items():
        lines.append(f"  {label:{longest}}  {screen.dial(value, width)}  {signed(value)}")
    return lines


def who(screen: Screen, casting: Casting) -> list[str]:
    return screen.wrap([f"  Voice: {casting.voice}", *(f"    {each}" for each in casting.reasons)])


def how(screen: Screen, directed: Direction, casting: Casting) -> list[str]:
    """What is done beside the emotion: of the whole line, of stretches of it, and its pauses."""
    told = [f"  Manner: {casting.manner.told}"] if casting.manner else []
    for start, end, manner in directed.manners:
        told.append(f"  {directed.text[start:end].strip()!r}: {manner.told}")
    for offset, seconds in directed.pauses:
        told.append(f"  A pause of {seconds:g} s before {directed.text[offset:].strip()[:30]!r}")
    return screen.wrap(told)


def explained(screen: Screen, directed: Direction) -> list[str]:
    """The words that decided each emotion and everything about the speaker."""
    lines = []
    for item in directed.evidence:
        place = ""
        if item.span:
            place = f" in {directed.text[slice(*item.span)].strip()!r}"
        lines.append(f"  {item.words!r}: {item.category} {item.intensity:.2f}, {item.why}{place}")
    lines += [f"  {each.words!r}: {each.what}, {each.why}" for each in directed.persona.reasons]
    if directed.ignored:
        lines.append(f"  Passed over: {screen.printed(directed.ignored)}.")
    return screen.wrap(lines or ["  Nothing was decided by words."])


def noted(screen: Screen, directed: Direction, casting: Casting) -> list[str]:
    notes = dict.fromkeys((*directed.notes, *casting.notes))
    return ["", *screen.wrap([f"  Note: {note}" for note in notes])] if notes else []
