"""What training adds to `voice-actor`: `evaluate`, `compare` and `leaderboard`.

Registered as entry points, which every start of the program loads: so nothing heavy is imported.
"""

from __future__ import annotations

import argparse

PROTOCOLS = "small", "full"
JUDGES = "functionals", "encoder"
SYSTEMS = "adapter", "seeded", "kokoro", "piper", "espeak"
COMPARED = "adapter", "kokoro", "piper", "espeak"  # unless others are named


def add_evaluate(commands) -> None:
    command = commands.add_parser("evaluate", help="speak a matrix and let judges listen")
    command.add_argument(
        "-o", "--out", required=True, metavar="FOLDER", help="goes on where it was stopped"
    )
    command.add_argument("--protocol", choices=PROTOCOLS, default="small", help="default: small")
    command.add_argument(
        "--systems",
        nargs="+",
        metavar="SYSTEM",
        help=f"the first is tested whole, the others compared: {', '.join(SYSTEMS)}, or "
        "NAME=COMMAND such as 'mine=mytts --text={text} --emotion {emotion} -o {out}'; default: "
        f"those of {', '.join(COMPARED)} that are installed",
    )
    command.add_argument(
        "--manifest",
        nargs="+",
        default=[],
        metavar="CSV",
        help="recordings of other systems: path,text,voice,emotion,intensity,system",
    )
    command.add_argument(
        "--judges", nargs="+", default=list(JUDGES), metavar="JUDGE", help="names or files"
    )
    command.add_argument("--table", metavar="CSV", help="of another adapter, instead of ours")
    command.add_argument("--contours", metavar="FILE", help="that go with --table")
    command.add_argument("--keep", action="store_true", help="keep every reading as wav")
    command.add_argument("--jobs", type=int, default=2, metavar="N", help="processes; default 2")

    def run(options: argparse.Namespace) -> None:
        from .evaluate import run_evaluate

        run_evaluate(options)

    command.set_defaults(run=run)


def add_compare(commands) -> None:
    command = commands.add_parser("compare", help="two runs of evaluate, with a test")
    command.add_argument("before", metavar="JSON")
    command.add_argument("after", metavar="JSON")

    def run(options: argparse.Namespace) -> None:
        from .report import run_compare

        run_compare(options)

    command.set_defaults(run=run)


def add_leaderboard(commands) -> None:
    command = commands.add_parser("leaderboard", help="the systems of several runs of evaluate")
    command.add_argument("runs", nargs="+", metavar="JSON")
    command.add_argument("-o", "--out", metavar="FILE", help="Markdown; else it is printed")

    def run(options: argparse.Namespace) -> None:
        from .report import run_leaderboard

        run_leaderboard(options)

    command.set_defaults(run=run)
