"""The command that trains the interpreter's heads, and the card's tables of what it measures."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

from conditioning.files import check_place, write_whole

from .metrics import plain


def markdown(found: dict) -> str:
    """The figures of `evaluate`, for the card."""
    comments = found["comments"]

    def shown(measured: dict) -> str:
        return f"{measured['value']:.3f} [{measured['low']:.3f}, {measured['high']:.3f}]"

    lines = [
        f"GoEmotions, test, {comments['macro']['count']:,} comments (95 % intervals by comment):",
        "",
        "| figure | value |",
        "| --- | --- |",
        f"| macro F1, 28 labels | {shown(comments['macro'])} |",
        f"| micro F1, 28 labels | {shown(comments['micro'])} |",
        f"| macro F1, Ekman's six and neutral | {shown(comments['ekman'])} |",
        "",
        "| group | F1 |",
        "| --- | --- |",
        *(f"| {name} | {value:.2f} |" for name, value in comments["groups"].items()),
        "",
        "| label | F1 | precision | recall | threshold | comments |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for label, row in comments["labels"].items():
        values = [f"{row[key]:.2f}" for key in ("f1", "precision", "recall", "threshold")]
        lines.append(f"| {' | '.join([label, *values, str(row['count'])])} |")
    for what in ("directions", "lines"):
        lines += _written(what, found[what], shown)
    return "\n".join(lines)


def _written(what: str, felt: dict, shown: Callable[[dict], str]) -> list[str]:
    return [
        "",
        f"Written {what} held out, {felt['first']['count']} with a feeling and "
        f"{felt['neutral']['count']} without:",
        "",
        "| figure | value |",
        "| --- | --- |",
        f"| strongest category first | {shown(felt['first'])} |",
        f"| strongest category among the first three | {shown(felt['top3'])} |",
        f"| any category meant among the first three | {shown(felt['any3'])} |",
        f"| mean intensity meant in the strongest category | {felt['asked']:.2f} |",
        f"| mean intensity found there | {felt['found']:.2f} |",
        f"| mean intensity found there where it comes first | {felt['right']:.2f} |",
        f"| mean of the strongest intensity found in neutral {what} | "
        f"{felt['neutral']['strongest']:.2f} |",
        "| correlation of valence, arousal, dominance | "
        f"{', '.join(f'{value:.2f}' for value in felt['places'])} |",
        "",
        "| intensity found | mean found | mean meant | categories |",
        "| --- | --- | --- | --- |",
        *(
            f"| from {row['from']:g} | {row['found']:.2f} | {row['asked']:.2f} | {row['count']:,} |"
            for row in felt["calibration"]
        ),
    ]


def add_interpret(commands) -> None:
    command = commands.add_parser(
        "interpret", help="train who reads directions, or with --evaluate test it"
    )
    command.add_argument("--evaluate", action="store_true", help="measure the checkpoint -o names")
    command.add_argument("--text", default="../shared/data/text/goemotions", metavar="FOLDER")
    command.add_argument("--cache", default="runs/interpret", metavar="FOLDER")
    command.add_argument(
        "--heads", type=int, default=2, metavar="N", help="seeds that are averaged"
    )
    command.add_argument("--epochs", type=int, default=3, metavar="N")
    command.add_argument("--report", default="docs/interpreter.json", metavar="FILE")
    command.add_argument(
        "-o", "--out", default="checkpoints/interpreter.safetensors", metavar="FILE"
    )
    command.set_defaults(run=run_interpret)


def run_interpret(options: argparse.Namespace) -> None:
    check_place(options.report if options.evaluate else options.out)
    # Lightning takes seconds to import, which the other commands need not wait for.
    from .interpret_data import InterpreterData
    from .interpret_module import evaluate, export, finish, train

    data = InterpreterData(options.text, options.cache)
    data.setup()
    if options.evaluate:
        found = plain(evaluate(options.out, data))
        write_whole(options.report, (json.dumps(found, indent=1) + "\n").encode())
        print(markdown(found))
        return
    heads = train(data, range(options.heads), options.epochs)
    export(heads, finish(heads, data), options.out)
    print(f"{options.out}: {Path(options.out).stat().st_size / 1e6:.2f} MB.")
