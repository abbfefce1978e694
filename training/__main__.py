"""The commands of training: `python -m training`, then `fit`, `crossvalidate` and so on."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from conditioning.errors import InvalidInput
from conditioning.files import check_place, write_whole
from voice_actor.cli import Parser, ending

from .align import add_align
from .annotate import add_annotate
from .commands import add_evaluate
from .emonet_bench import add_bench
from .honesty import add_honesty
from .interpret import add_interpret
from .judge import add_judge
from .publish import add_publish
from .rehearse import add_rehearse
from .table import add_table
from .targets import add_targets


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; returns the exit code, as `voice_actor.cli.main` does."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    # Lightning's own parser: every argument of a module is an option, and unknown ones fail.
    if arguments[:1] == ["fit"]:
        return ending(lambda: fit(arguments))
    return ending(lambda: run(arguments))


def run(arguments: list[str]) -> None:
    top = Parser(prog="python -m training", description="Trains and tests what Voice Actor needs.")
    top.set_defaults(run=lambda options: top.print_help())
    commands = top.add_subparsers(metavar="COMMAND")
    commands.add_parser("fit", help="train what a file of training/configs says", add_help=False)
    add_crossvalidate(commands)
    add_honesty(commands)
    add_publish(commands)
    add_annotate(commands)
    add_align(commands)
    add_targets(commands)
    add_rehearse(commands)
    add_table(commands)
    add_judge(commands)
    add_interpret(commands)
    add_evaluate(commands)
    add_bench(commands)
    options = top.parse_args(arguments)
    options.run(options)


def cli(arguments: list[str] | None, run: bool):
    from lightning.pytorch.cli import LightningCLI

    return LightningCLI(
        args=arguments,
        run=run,
        subclass_mode_model=True,
        subclass_mode_data=True,
        save_config_callback=None,
    )


def fit(arguments: list[str]) -> None:
    """Lightning's `fit`; the module then writes its checkpoint."""
    done = cli(arguments, run=True)
    folder = Path(done.trainer.default_root_dir)
    folder.mkdir(parents=True, exist_ok=True)
    done.model.export(folder, done.trainer)


def add_crossvalidate(commands) -> None:
    command = commands.add_parser(
        "crossvalidate", help="hear what was held out: by speaker, by corpus, by voice and script"
    )
    command.add_argument("--config", required=True, metavar="FILE", help="as for fit")
    command.add_argument("-o", "--out", required=True, metavar="FILE", help="JSON lines")
    command.set_defaults(run=run_crossvalidate)


def run_crossvalidate(options: argparse.Namespace) -> None:
    from .crossvalidate import add_words, crossvalidate, transcripts
    from .modules import EstimatorModule

    check_place(options.out)
    made = cli(["--config", options.config], run=False)
    if not isinstance(made.model, EstimatorModule):
        raise InvalidInput(
            f"{options.config} trains a {type(made.model).__name__}; crossvalidate tests an "
            "EstimatorModule, as in training/configs/estimator.yaml."
        )
    configured = made.config
    data = configured.data.init_args.as_dict()
    rows = list(
        crossvalidate(configured.model.init_args.as_dict(), data, configured.trainer.max_epochs)
    )
    if "laion_voice_acting" in data["corpora"]:
        folder = Path(data["speech"]) / "laion_voice_acting"
        add_words(rows, transcripts(folder, Path(data["cache"])))
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    write_whole(options.out, lines.encode())
    print(
        f"{options.out}: {len(rows)} rows; `python -m training honesty {options.out}` reads them."
    )


if __name__ == "__main__":
    sys.exit(main())
