"""The tree: which package may import which, and what an import may cost."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAY_IMPORT = {
    "conditioning": set(),
    "voice_actor": {"conditioning"},
    "training": {"conditioning", "voice_actor"},
    "demos": {"conditioning", "voice_actor"},
}
FILES = [file for package in MAY_IMPORT for file in sorted((ROOT / package).rglob("*.py"))]


def imported(file: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_imports_run_one_way(file):
    package = file.relative_to(ROOT).parts[0]
    allowed = MAY_IMPORT[package] | {package}
    assert imported(file) & set(MAY_IMPORT) <= allowed


def test_checkpoints_hold_no_code():
    assert not list((ROOT / "checkpoints").rglob("*.py"))


@pytest.mark.parametrize("package", ["voice_actor", "conditioning", "voice_actor.cli"])
def test_an_import_is_light_and_has_no_effects(package):
    """In a fresh interpreter: no heavy module, no network client, thread or logging handler."""
    program = f"""
import logging, sys, threading
before = threading.active_count(), list(logging.root.handlers)
import {package}
assert (threading.active_count(), list(logging.root.handlers)) == before
heavy = {{"torch", "transformers", "scipy", "onnxruntime", "huggingface_hub", "requests"}}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)


def test_every_name_at_the_door_opens_without_a_network():
    import conditioning

    names = ", ".join(conditioning.__all__)
    program = f"import sys; from conditioning import {names}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)
    assert {"Audio", "EmotionEstimator", "EmotionVector"} <= set(conditioning.__all__)


def test_what_speaking_needs_stays_small():
    """No training or studio package among the plain requirements."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {requirement.split(">")[0].split("=")[0] for requirement in project["dependencies"]}
    assert not names & {"gradio", "lightning", "coqui-tts", "torchaudio", "encodec"}
