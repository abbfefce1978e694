"""`voice-actor listen`: what can be heard in recordings, as a table for people or as JSON."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from conditioning.errors import InvalidInput

from .screen import ENDS, Screen, labelled, signed

if TYPE_CHECKING:
    from conditioning.estimator import Baseline, EmotionEstimator, Estimate

STORED = ".safetensors"  # how the name of a stored baseline ends
STRONGEST, STRONGEST_OVER_TIME = 8, 3
AUDIBLE = 0.005  # an intensity below is printed as 0.00
DEPENDABLE = 10  # takes of a baseline
WIDEST_BAR, READABLE = 25, 13  # columns: of a bar, a cut name and number
LEGEND = (
    "trust: 0 chance, 1 never wrong, in voices unheard in training; - not measured",
    "support: from acted speech, synthetic acting, or inferred from the dimensions",
)
LEGEND_OVER_TIME = ("How far to trust each: without --over-time, or in --json.",)


def add_listen(commands) -> None:
    command = commands.add_parser(
        "listen",
        help="say what emotion can be heard, and how far to trust it",
        description="Says what emotion can be heard in recordings, and how far to trust it.",
    )
    command.add_argument(
        "files", nargs="*", metavar="FILE", help="a recording; - for a wav on standard input"
    )
    shape = command.add_mutually_exclusive_group()
    shape.add_argument(
        "--all", action="store_true", help=f"all 40 emotions, not the strongest {STRONGEST}"
    )
    shape.add_argument("--over-time", action="store_true", help="window by window")
    # The defaults are those of `conditioning.estimator`, which need not be imported to parse.
    command.add_argument(
        "--window", type=seconds, metavar="S", help="s, how long each window is (default: 2)"
    )
    command.add_argument(
        "--hop", type=seconds, metavar="S", help="s, from one window to the next (default: 0.5)"
    )
    command.add_argument(
        "-b",
        "--baseline",
        nargs="+",
        action="extend",
        default=[],
        metavar="TAKE",
        help="other takes of the same voice, best ten or more in mixed moods: recordings, a folder "
        f"of them, or a stored FILE{STORED}; the voice is then measured against its own habits",
    )
    command.add_argument(
        "--save-baseline",
        metavar="FILE",
        help="store the baseline of the takes; without --baseline, the files are the takes",
    )
    command.add_argument(
        "--estimator",
        default="standard",
        metavar="NAME",
        help="standard, permissive, tiny, empathic-insight-small or empathic-insight-large "
        "(default: %(default)s)",
    )
    command.add_argument("--json", metavar="FILE", help="everything that is heard; - for stdout")
    command.add_argument("--weights", metavar="FOLDER", help="where to look for weights first")
    command.set_defaults(run=listen)


def seconds(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError
    return value


def listen(options: argparse.Namespace) -> None:
    """Prints what is heard in each file; the unreadable ones make the command fail at the end."""
    from conditioning.files import write_whole

    stored = check(options)
    screen = Screen.of(sys.stdout)
    described, broken, spoken = [], [], False
    for file, heard in listened(options, stored):
        if isinstance(heard, InvalidInput):
            broken.append(heard)
            continue
        spoken |= any(estimate.speech for estimate in heard)
        if options.over_time:
            described.append({"file": file, "over_time": [entry.to_json() for entry in heard]})
        else:
            described.append({"file": file, **heard[0].to_json()})
        if options.json != "-":
            screen.say(*table(screen, file, heard, options), "")
    if spoken and options.json != "-":
        screen.say(*screen.wrap(LEGEND_OVER_TIME if options.over_time else LEGEND))
    if described and options.json is not None:
        text = json.dumps(described if len(options.files) > 1 else described[0], indent=1) + "\n"
        if options.json == "-":
            sys.stdout.write(text)
        else:
            write_whole(options.json, text.encode())
    for error in broken[:-1]:
        print(f"voice-actor: {error}", file=sys.stderr)
    if broken:
        raise broken[-1]


def check(options: argparse.Namespace) -> Baseline | None:
    """Raises whatever can be known without a network; gives the stored baseline, if one is named.

    `options.baseline` becomes the list of takes.
    """
    from conditioning.audio import Audio
    from conditioning.errors import unknown_name
    from conditioning.estimator import ESTIMATORS, HOP, WINDOW, Baseline, windows
    from conditioning.files import check_place, shown

    if not options.files:
        raise InvalidInput(
            "No file to listen to came; name it first, before --baseline: "
            "voice-actor listen take.wav --baseline takes/."
        )
    if not options.over_time and (options.window, options.hop) != (None, None):
        raise InvalidInput("--window and --hop came without --over-time; add it.")
    options.window = WINDOW if options.window is None else options.window
    options.hop = HOP if options.hop is None else options.hop
    windows(0, options.window, options.hop)
    if options.estimator not in ESTIMATORS:
        raise unknown_name("estimator", options.estimator, ESTIMATORS)
    # An option's value must not be mistaken for one more recording, which it would replace.
    for option, place, suffix in (
        ("--json", options.json, ".json"),
        ("--save-baseline", options.save_baseline, STORED),
    ):
        if place is None or (place, option) == ("-", "--json"):
            continue
        check_place(place)
        if not place.lower().endswith(suffix):
            raise InvalidInput(f"{option} came as {shown(place)}; name a file ending in {suffix}.")

    stored = [name for name in options.baseline if name.lower().endswith(STORED)]
    if stored:
        if len(options.baseline) > 1 or options.save_baseline is not None:
            raise InvalidInput(
                f"{shown(stored[0])} is a whole baseline; give it alone, without other takes and "
                "without --save-baseline."
            )
        baseline = Baseline.load(stored[0])
        made_by = baseline.estimator.partition("@")[0]
        if made_by != options.estimator:
            raise InvalidInput(
                f"{shown(stored[0])} was made by the estimator {made_by!r}, not by "
                f"{options.estimator!r}; add --estimator {made_by} or make it again."
            )
        options.baseline = []
        return baseline
    if options.save_baseline is not None and not options.baseline:
        if "-" in options.files:
            raise InvalidInput("A baseline cannot be made of standard input; name files.")
        options.baseline = options.files
    options.baseline = [take for name in options.baseline for take in takes(name)]
    for take in options.baseline:
        Audio.load(take)
    return None


def takes(name: str) -> list[str]:
    """The recordings that a name given to --baseline means: itself, or those in the folder."""
    from conditioning.audio import FORMATS
    from conditioning.files import shown

    folder = Path(name)
    if not folder.is_dir():
        return [name]
    found = [str(file) for file in folder.glob("[!.]*") if file.suffix.lower() in FORMATS]
    if not found:
        raise InvalidInput(
            f"The folder {shown(name)} holds no recording; give one with takes of the voice as "
            f"{', '.join(FORMATS)}."
        )
    return sorted(found)


def listened(
    options: argparse.Namespace, stored: Baseline | None
) -> Iterator[tuple[str, list[Estimate] | InvalidInput]]:
    """What is heard in each file, or why it cannot be read."""
    from conditioning.audio import Audio

    estimator = baseline = None
    for file in options.files:
        try:
            audio = Audio.load(sys.stdin.buffer if file == "-" else file)
        except InvalidInput as error:
            yield file, error
            continue
        if estimator is None:  # only now, so that networks are not loaded for nothing
            estimator, baseline = ready(options, stored)
        if options.over_time:
            yield (
                file,
                estimator.estimate_over_time(audio, options.window, options.hop, baseline),
            )
        else:
            yield file, [estimator.estimate(audio, baseline)]


def ready(
    options: argparse.Namespace, stored: Baseline | None
) -> tuple[EmotionEstimator, Baseline | None]:
    """The estimator, and the voice's baseline where one is given; stores it where asked."""
    from conditioning.audio import Audio
    from conditioning.estimator import EmotionEstimator

    estimator = EmotionEstimator.load(options.estimator, options.weights)
    if not estimator.commercial:
        print(
            f"The estimator {options.estimator} is not for commercial use ({estimator.licence}).",
            file=sys.stderr,
        )
    baseline = stored
    if options.baseline:
        # Read again, one by one: all the takes of a voice at once may not fit into memory.
        baseline = estimator.baseline(map(Audio.load, options.baseline))
    if baseline is not None and baseline.takes < DEPENDABLE:
        print(
            f"The baseline has {counted(baseline.takes, 'take')} with speech; "
            f"{DEPENDABLE} or more in mixed moods are dependable.",
            file=sys.stderr,
        )
    if options.save_baseline is not None:
        baseline.save(options.save_baseline)
        print(
            f"{options.save_baseline}: baseline of {counted(baseline.takes, 'take')}",
            file=sys.stderr,
        )
    return estimator, baseline


def counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def table(
    screen: Screen, file: str, heard: Sequence[Estimate], options: argparse.Namespace
) -> list[str]:
    """The lines for one file."""
    from conditioning.files import shown

    name = "standard input" if file == "-" else shown(file)
    title = f"{name}, {heard[-1].end:.1f} s"
    if not any(estimate.speech for estimate in heard):
        return [f"{title}: no speech"]
    if options.over_time:
        title += f", windows of {options.window:g} s every {options.hop:g} s"
        return [title, "", *course(screen, heard)]
    return [title, "", *portrait(screen, heard[0], options.all)]


def portrait(screen: Screen, estimate: Estimate, everything: bool) -> list[str]:
    """A line for each emotion that is heard, then for neutral and the dimensions."""
    from conditioning.taxonomy import NAMES

    told = sorted(
        (name for name in NAMES if name in estimate.support),
        key=lambda name: -estimate.intensities[name],
    )
    if not everything:
        told = [name for name in told if estimate.intensities[name] >= AUDIBLE][:STRONGEST]
    dimensions = {name: getattr(estimate, name) for name in ENDS}
    labels = {name: labelled(name, value) for name, value in dimensions.items()}
    longest = max(map(len, (*told, *labels.values(), "neutral voice")))
    fixed = len(row("", "", "", "", "")) + len("synthetic")
    name_width = min(longest, screen.width - fixed - 11)
    bar_width = min(WIDEST_BAR, screen.width - fixed - name_width)
    bar_width -= 1 - bar_width % 2

    def line(label: str, bar: str, number: str, trust: str = "", support: str = "") -> str:
        return row(
            screen.fit(label, name_width), bar.ljust(bar_width), number, trust, support
        ).rstrip()

    def known(name: str) -> tuple[str, str]:
        trust = estimate.reliability.get(name, math.nan)
        return f"{trust:.2f}" if math.isfinite(trust) else "-", estimate.support.get(name, "-")

    lines = [line("", "intensity", "", "trust", "support")]
    for name in told:
        value = estimate.intensities[name]
        lines.append(line(name, screen.bar(value, bar_width), f"{value:.2f}", *known(name)))
    if not told:
        lines.append("  No emotion is heard.")
    if everything and len(told) < len(NAMES):
        others = [name for name in NAMES if name not in estimate.support]
        lines += ["", *screen.wrap([f"  Not estimated: {', '.join(others)}."])]
    lines.append("")
    if math.isfinite(estimate.neutral):
        bar = screen.bar(estimate.neutral, bar_width)
        lines.append(line("neutral voice", bar, f"{estimate.neutral:.2f}"))
    for name, value in dimensions.items():
        if math.isfinite(value):
            bar = screen.dial(value, bar_width)
            lines.append(line(labels[name], bar, signed(value), *known(name)))
        else:
            lines.append(line(name, "not estimated", ""))
    return lines


def row(name: str, bar: str, number: str, trust: str, support: str) -> str:
    return f"  {name}  {bar}  {number:>5}  {trust:>5}  {support}"


def course(screen: Screen, heard: Sequence[Estimate]) -> list[str]:
    """A line for each window: when it begins, valence, arousal, the strongest three."""
    clock = max(len("time"), len(clocked(heard[-1].start)))
    bar_width = min(15, max(0, screen.width - 70))  # a narrow screen is for the names
    lines = [f"  {'time':>{clock}}  valence  arousal  strongest"]
    for estimate in heard:
        begin = f"  {clocked(estimate.start):>{clock}}"
        if not estimate.speech:
            lines.append(f"{begin}  no speech")
            continue
        told = estimate.top(STRONGEST_OVER_TIME)
        bar = screen.bar(told[0][1] if told else 0.0, bar_width) + "  " * bool(bar_width)
        begin += f"  {signed(estimate.valence):>7}  {signed(estimate.arousal):>7}  {bar}"
        lines.append(begin + strongest(screen, told, screen.width - len(begin)))
    return lines


def strongest(screen: Screen, told: Sequence[tuple[str, float]], width: int) -> str:
    """As many of these emotions as the width holds; the last may be cut."""
    texts: list[str] = []
    for name, value in told:
        room = width - sum(len(text) + len(", ") for text in texts)
        if value < AUDIBLE or room < READABLE:
            break
        texts.append(f"{screen.fit(name, min(len(name), room - 5))} {value:.2f}")
    return ", ".join(texts) or "neutral"


def clocked(time: float) -> str:
    """Seconds as minutes and seconds: 1:02.50."""
    hundredths = round(100 * time)
    return f"{hundredths // 6000}:{hundredths % 6000 / 100:05.2f}"
