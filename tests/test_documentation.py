"""What we publish, we run: the README's commands and Python, and every docstring example."""

from __future__ import annotations

import doctest
import importlib
import io
import json
import pkgutil
import re
import shlex
from dataclasses import fields
from pathlib import Path

import pytest
from toys import HummingBackbone, InkMarker, ToyEstimator

import conditioning
import voice_actor
from conditioning import weights
from conditioning.estimator import EmotionEstimator
from training.report import highlights, markdown
from voice_actor import cli
from voice_actor.actor import VoiceActor
from voice_actor.adapter import EmotionAdapter
from voice_actor.production.cast_file import CastFile, read_cast
from voice_actor.production.delivery import Delivery
from voice_actor.production.gate import Gate
from voice_actor.production.roles import Role

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
COMMANDS = [
    line
    for language, block in BLOCKS
    for line in block.splitlines()
    if language == "sh" and re.match(r"(echo .* \| )?voice-actor ", line)
]
# Minutes of work, or a server: their arguments are checked.
PARSED = "cast", "evaluate", "compare", "leaderboard", "studio"
MODULES = [
    module.name
    for package in (conditioning, voice_actor)
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_readmes_commands_run(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    toy = VoiceActor(HummingBackbone(), EmotionAdapter.load(), InkMarker())
    monkeypatch.setattr(VoiceActor, "load", lambda folder=None: toy)
    monkeypatch.setattr(EmotionEstimator, "load", staticmethod(lambda *_: ToyEstimator()))
    (tmp_path / "takes").mkdir()
    for name in ("take.wav", "takes/another.wav"):
        toy.perform("You came back.", None).save(tmp_path / name)
    said, _, command = command.rpartition("| ")
    _, *arguments = shlex.split(command.partition(" > ")[0])
    if arguments[0] in PARSED:
        cli.parser().parse_args(arguments)
        return
    if arguments[0] == "verify":
        pytest.skip("verified on real speech in test_cli.py")
    if said:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(said.encode())))
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BytesIO()))
    assert cli.main(arguments) == 0


def test_the_readmes_first_command_is_what_ci_runs():
    first = next(block for language, block in BLOCKS if language == "sh")
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8").replace("\\\n", " ")
    spoken = shlex.split(first.strip().partition("voice-actor speak ")[2])
    assert shlex.join(spoken[:-1]) in shlex.join(shlex.split(script, comments=True))
    assert "pip install -c constraints.txt -e ." in first
    assert "install -q -c constraints.txt -e ." in script


@pytest.mark.weights
def test_the_readmes_python_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for language, block in BLOCKS:
        if language == "python":
            exec(block, {})
    assert (tmp_path / "line.wav").stat().st_size > 10_000


def test_docstring_examples_hold():
    results = [doctest.testmod(importlib.import_module(name)) for name in MODULES]
    assert sum(result.failed for result in results) == 0
    assert sum(result.attempted for result in results) > 5


def test_the_readme_and_the_card_quote_the_last_evaluation():
    found = json.loads((ROOT / "docs" / "evaluation.json").read_text(encoding="utf-8"))
    card = (ROOT / "checkpoints" / "adapter.md").read_text(encoding="utf-8")
    report = (ROOT / "docs" / "evaluation.md").read_text(encoding="utf-8")
    assert report == markdown(found)
    for page in (README, card):
        assert highlights(found) in page


def test_the_evaluation_is_of_what_is_shipped():
    found = json.loads((ROOT / "docs" / "evaluation.json").read_text(encoding="utf-8"))
    for kind, name in (("weights", "{}"), ("judges", "judge-{}")):
        for key, value in found[kind].items():
            sha256 = value if isinstance(value, str) else value["sha256"]
            assert sha256 == weights.hash_of(weights.path(name.format(key))), key


def test_the_readme_has_no_blanks():
    assert not re.search(r"FIGURES|TODO|TBD|XXX", README)


def test_every_checkpoint_has_a_card():
    for file in (ROOT / "checkpoints").iterdir():
        if file.suffix in (".safetensors", ".csv"):
            cards = (ROOT / "checkpoints").glob("*.md")
            assert any(file.stem in card.read_text(encoding="utf-8") for card in cards), file


def test_the_cast_file_in_the_docs_can_be_read():
    (block,) = re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / "cast.md").read_text(), re.DOTALL)
    cast = read_cast(block)
    assert cast.role("Innkeeper").voice == "bm_george"
    assert cast.role("Eve").voice == "am_puck"
    assert cast.delivery.sample_rate == 48_000


def test_the_docs_name_every_field_of_the_cast_file():
    text = (ROOT / "docs" / "cast.md").read_text()
    for kind in (Role, Delivery, Gate, CastFile):
        for field in fields(kind):
            if field.name not in ("character", "roles", "rules", "delivery", "gate"):
                assert re.search(rf"^{field.name} =", text, re.MULTILINE) or field.name in (
                    "pronunciations",
                ), field.name
