"""`voice-actor cast`: what it writes and says, on toys; and the tavern with the real networks."""

from __future__ import annotations

import json
import os
import shutil
from functools import partial
from pathlib import Path

import pytest
from clusters import two_nodes
from toys import toy_voicer

from conditioning.crew import alone, over_processes, over_ray
from conditioning.direction import DirectionReader
from conditioning.whisper import Whisper
from voice_actor import cli
from voice_actor.production.build import produce
from voice_actor.production.cast_file import read_cast
from voice_actor.production.folder import Folder
from voice_actor.production.plan import Plan
from voice_actor.scripts import read_script
from voice_actor.voices import cast as members

NPC = Path(__file__).parents[1] / "demos" / "npc"
YARN = """title: Door
---
Bran: Who is there? #line:door1
Ada: Open the door! #line:door2 #furious
Ada: I have {$gold} coins. #line:door3
===
"""
CAST = """
[characters.Bran]
voice = "bm_george"
[characters.Ada]
voice = "af_heart"
[variables]
"$gold" = "nine"
"""


class Deaf:
    """A recogniser that hears nothing; no word is asked of toys."""

    def transcribe(self, audio, language=None):
        return ""


@pytest.fixture
def cast(run, tmp_path, monkeypatch):
    """Runs `voice-actor cast` beside a script and its cast file."""
    monkeypatch.setattr(Whisper, "load", staticmethod(lambda *_: Deaf()))
    (tmp_path / "door.yarn").write_text(YARN)
    (tmp_path / "cast.toml").write_text(CAST)
    return partial(run, "cast", "--jobs", "1", "door.yarn")


def test_one_command_voices_a_script(cast, tmp_path):
    code, out, err = cast("--unheard")
    assert (code, out) == (0, "")
    assert "3 lines spoken, 0 kept" in err
    files = {str(file.relative_to("build")) for file in Path("build").rglob("*.*")}
    assert {file for file in files if not file.startswith(".voice-actor")} == {
        "manifest.csv",
        "manifest.json",
        "review.html",
        *(f"mouth/door{number}.json" for number in (1, 2, 3)),
        *(f"voice/door{number}.wav" for number in (1, 2, 3)),
    }
    lines = json.loads(Path("build/manifest.json").read_text())["lines"]
    assert lines[2]["spoken"] == "I have nine coins."
    code, _, err = cast("--unheard")
    assert "0 lines spoken, 3 kept" in err


def test_what_is_misheard_is_told_and_listed(cast):
    _, _, err = cast()
    assert "4 of 4 words were heard otherwise" in err
    assert "Words misheard by the recogniser: 100.0%" in err
    assert "To be heard by a person (3):" in err
    manifest = json.loads(Path("build/manifest.json").read_text())
    assert manifest["summary"]["faults"] == 3
    assert manifest["lines"][0]["attempts"] == 3
    assert manifest["lines"][0]["heard_by"]


def test_without_a_cast_file_the_command_that_drafts_one_is_told(cast, tmp_path):
    (tmp_path / "cast.toml").unlink()
    code, _, err = cast()
    assert code == 2
    assert "voice-actor cast door.yarn --cast cast.toml --draft" in err
    code, _, err = cast("--draft")
    assert (code, err) == (0, "cast.toml is written; change in it what you like.\n")
    assert '# "$gold" = ""' in Path("cast.toml").read_text()
    assert 'engine = "yarn"' in Path("cast.toml").read_text()
    with open("door.yarn", "a") as script:
        script.write("title: Late\n---\nEve: I am late. #line:door4\n===\n")
    before = Path("cast.toml").read_text()
    code, _, err = cast("--draft")
    assert "has the new characters at its end" in err
    assert Path("cast.toml").read_text().startswith(before)
    assert "[characters.Eve]" in Path("cast.toml").read_text()
    assert not Path("build").exists()


def test_a_check_says_what_would_be_done_and_speaks_nothing(cast):
    code, _, err = cast("--check")
    assert code == 0
    assert "3 lines, 2 characters: 3 to speak, 0 done." in err
    assert "Ada: 2 lines, af_heart" in err
    assert not Path("build").exists()


def test_everything_that_is_wrong_is_said_in_one_line(cast, tmp_path):
    (tmp_path / "door.yarn").write_text(
        YARN.replace("door3", "door1").replace("Bran:", "Brian:").replace("$gold", "$silver")
    )
    code, _, err = cast()
    assert code == 2
    assert err.count("\n") == 1
    for told in ("3 problems", "'Brian' is not in", "id 'door1' is that of", "'$silver' has no"):
        assert told in err
    assert not (tmp_path / "build" / "voice").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--jobs", "0"], "0 jobs came"),
        (["--takes", "0"], "0 takes of each line"),
        (["--cast", "."], ". is no file"),
        (["--out", "cast.toml"], "is no folder"),
        (["--retake", "door.yarn"], "no list of retakes"),
        (["--ray", "127.0.0.1:1"], "Ray"),
        (["nowhere.yarn"], "nowhere.yarn cannot be read"),
        (["."], ". is no file"),
        (["--draft", "--check"], "not allowed with"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_line(cast, arguments, told):
    code, out, err = cast(*arguments)
    assert (code, out) == (2, "")
    assert told in err
    assert err.count("\n") == 1


def test_all_files_are_told_of_at_once(cast, tmp_path):
    (tmp_path / "latin.txt").write_bytes(b"ADA: caf\xe9\n")
    (tmp_path / "twice.csv").write_text("id,character,text\n1,Ada,Yes.\n1,Ada,No.\n")
    (tmp_path / "cast.toml").write_text(CAST.replace("bm_george", "nobody"))
    os.mkfifo(tmp_path / "pipe.txt")
    code, _, err = cast("latin.txt", "twice.csv", "pipe.txt")
    assert code == 2
    assert err.count("\n") == 1
    told = (
        "latin.txt is not text in UTF-8",
        "twice.csv",
        "Unknown voice 'nobody'",
        "pipe.txt is no",
    )
    for each in told:
        assert each in err


def test_what_a_script_calls_its_lines_does_nothing_to_the_terminal(cast, tmp_path):
    line = {"id": "a\u001b[31m", "character": "Ada", "text": "Yes.\n"}
    (tmp_path / "odd.json").write_text(json.dumps([line]))
    code, _, err = cast("odd.json", "--unheard")
    assert code == 0
    assert "\x1b" not in err
    assert "'a\\x1b[31m'" in err


def test_a_retake_is_another_take(cast, tmp_path):
    cast("--unheard")
    line = json.loads(Path("build/manifest.json").read_text())["lines"][1]
    flagged = {"format": 1, "retakes": [{"id": line["id"], "note": "", "hash": line["hash"]}]}
    (tmp_path / "retakes.json").write_text(json.dumps(flagged))
    before = _tree(Path("build"))
    _, _, err = cast("--unheard", "--check", "--retake", "retakes.json")
    assert "1 to speak, 2 done" in err
    assert _tree(Path("build")) == before
    _, _, err = cast("--unheard", "--retake", "retakes.json")
    assert "1 line spoken, 2 kept" in err
    _, _, err = cast("--unheard", "--retake", "retakes.json")
    assert "Flagged, but spoken otherwise since or not there: door2." in err
    _, _, err = cast("--unheard")
    assert "0 lines spoken, 3 kept" in err


def _plan() -> Plan:
    cast_file = read_cast(CAST)
    lines = read_script(YARN, "door.yarn", cast_file.rules)
    voices = [voice for voice in members() if voice.name in ("af_heart", "bm_george")]
    return Plan(lines, cast_file, tuple(voices), DirectionReader())


def _tree(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file() and file.name != "lock"
    }


def test_processes_leave_the_same_files(tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1800000000")
    produce(Folder(tmp_path / "alone"), _plan(), partial(alone, toy_voicer))
    produce(Folder(tmp_path / "two"), _plan(), partial(over_processes, toy_voicer, jobs=2))
    assert len(_tree(tmp_path / "alone")) == 3 * 3 + 3
    assert _tree(tmp_path / "two") == _tree(tmp_path / "alone")


def test_a_cluster_of_two_leaves_the_same_files(tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1800000000")
    with two_nodes() as address:
        work = partial(over_ray, toy_voicer, address=address, jobs=2)
        produce(Folder(tmp_path / "cluster"), _plan(), work)
    produce(Folder(tmp_path / "alone"), _plan(), partial(alone, toy_voicer))
    assert _tree(tmp_path / "cluster") == _tree(tmp_path / "alone")


@pytest.mark.weights
def test_the_tavern_is_voiced_understood_and_only_what_changes_is_spoken_again(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    for name in ("tavern.yarn", "cast.toml"):
        shutil.copy(NPC / name, name)
    assert cli.main(["cast", "tavern.yarn", "--jobs", "2"]) == 0
    assert "35 lines spoken, 0 kept" in capsys.readouterr().err
    lines = json.loads(Path("build/manifest.json").read_text())["lines"]
    rates = [line["word_errors"] / max(line["words_expected"], 1) for line in lines]
    assert len(rates) == 35
    assert sum(rates) / len(rates) <= 0.06
    for line in lines:
        assert line["true_peak"] <= -1
        assert line["heard"]
        assert all(os.path.getsize(f"build/{path}") for path in line["files"].values())
    assert cli.main(["verify", f"build/{lines[0]['file']}"]) == 0
    assert ": ours" in capsys.readouterr().out
    assert cli.main(["cast", "tavern.yarn"]) == 0
    assert "0 lines spoken, 35 kept" in capsys.readouterr().err
    script = Path("tavern.yarn").read_text()
    Path("tavern.yarn").write_text(script.replace("in the morning", "in the evening", 1))
    assert cli.main(["cast", "tavern.yarn"]) == 0
    assert "1 line spoken, 34 kept" in capsys.readouterr().err
