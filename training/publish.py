"""Puts a trained estimator among the checkpoints, with what was measured of it.

python -m training publish runs/estimator/estimator.safetensors standard --heard runs/heard.jsonl
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path

from conditioning.errors import InvalidInput, unknown_name
from conditioning.estimator import DIMENSIONS, ESTIMATORS
from conditioning.files import shown, write_whole
from conditioning.taxonomy import NAMES
from conditioning.weights import CHECKPOINTS, hash_of

OURS = tuple(name for name in ESTIMATORS if not name.startswith("empathic-insight"))


def publish(trained: Path, name: str, heard: Path | None = None) -> Path:
    """Writes `checkpoints/estimator-<name>.safetensors` and pins it in the manifest.

    Args:
        trained: what `fit` wrote.
        heard: what `crossvalidate` wrote of the same configuration; none for a pupil, which takes
            over its teacher's support and whose reliability was not measured.

    Raises:
        InvalidInput: the file is none that `fit` wrote, or `heard` is missing or out of place.
        UnknownName: the name is none of ours.
    """
    from safetensors import SafetensorError, safe_open
    from safetensors.torch import save

    if name not in OURS:
        raise unknown_name("estimator", name, OURS)
    try:
        with safe_open(trained, "pt") as file:
            described = json.loads(file.metadata()["estimator"])
            state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        raise InvalidInput(
            f"{shown(trained)} is no trained estimator; make one with `python -m training fit`."
        ) from None
    if (heard is None) != ("teacher" in described):
        raise InvalidInput(
            "--heard FILE, which crossvalidate wrote, belongs to an estimator and not to a pupil."
        )
    if heard is not None:
        from .honesty import read, report

        support = dict.fromkeys(NAMES, "inferred")
        support |= dict.fromkeys(described["head"]["synthetic"], "synthetic")
        support |= dict.fromkeys(described["head"]["classes"][1:], "acted")
        modes = report(read(heard), support, draws=300).modes
        # Places are learnt as the labels' places, so that they are known as the labels are.
        described["support"] = support | dict.fromkeys(DIMENSIONS, "acted")
        described["reliability"] = {mode: found.reliability for mode, found in modes.items()}
    else:
        from conditioning.estimator import EmotionEstimator

        described["support"] = dict(EmotionEstimator.load(described["teacher"]).support)
    assert set(described["support"]) == {*NAMES, *DIMENSIONS}
    place = CHECKPOINTS / f"estimator-{name}.safetensors"
    write_whole(place, save(state, {"estimator": json.dumps(described)}))
    manifest = CHECKPOINTS / "manifest.toml"
    pinned, count = re.subn(
        rf'(file = "{re.escape(place.name)}"\nsha256 = ")[0-9a-f]*"',
        rf'\g<1>{hash_of(place)}"',
        manifest.read_text(encoding="utf-8"),
    )
    assert count == 1, f"the manifest pins no {place.name}"
    write_whole(manifest, pinned.encode())
    return place


def add_publish(commands) -> None:
    command = commands.add_parser("publish", help="put a trained estimator among the checkpoints")
    command.add_argument("trained", metavar="FILE", help="estimator.safetensors, as fit wrote it")
    command.add_argument("name", help=f"one of {', '.join(OURS)}")
    command.add_argument("--heard", metavar="FILE", help="what crossvalidate wrote")
    command.set_defaults(run=run_publish)


def run_publish(options: argparse.Namespace) -> None:
    heard = Path(options.heard) if options.heard else None
    place = publish(Path(options.trained), options.name, heard)
    print(f"{place.name}: {place.stat().st_size / 1e6:.1f} MB, pinned in the manifest.")
