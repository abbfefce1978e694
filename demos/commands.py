"""What demos add to `voice-actor`: `studio`.

Registered as an entry point, which every start of the program loads: so nothing heavy is imported.
"""

from __future__ import annotations

import argparse

from conditioning.errors import InvalidInput

HOST, PORT = "127.0.0.1", 7860


def add_studio(commands) -> None:
    command = commands.add_parser(
        "studio", help="direct, hear and see lines in the browser, on this machine"
    )
    command.add_argument("--host", default=HOST, help="who may come in (default: %(default)s)")
    command.add_argument("--port", type=int, default=PORT, help="default: %(default)s")
    command.add_argument(
        "--share",
        action="store_true",
        help="give it a public address through Gradio's servers; without it nothing leaves the "
        "machine",
    )
    command.add_argument(
        "--mcp", action="store_true", help="offer speak, listen and the rest as tools to assistants"
    )
    command.add_argument(
        "--estimator",
        default="permissive",
        metavar="NAME",
        help="who chooses among takes (default: %(default)s)",
    )
    command.add_argument("--weights", metavar="FOLDER", help="where to look for weights first")
    command.set_defaults(run=run_studio)


def run_studio(options: argparse.Namespace) -> None:
    try:
        from .studio import open_studio
    except ModuleNotFoundError as missing:
        if missing.name != "gradio":
            raise
        raise InvalidInput(
            "The studio needs gradio, which is not installed; "
            "pip install -c constraints.txt -e '.[studio]'"
        ) from None
    open_studio(options)
