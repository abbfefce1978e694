"""`voice-actor listen`: what it prints, what it writes, and one line for whatever it cannot use."""

from __future__ import annotations

import argparse
import io
import json
import os
import re
from dataclasses import replace

import numpy as np
import pytest
from toys import ToyEstimator

from conditioning.audio import Audio
from conditioning.emotion import EmotionVector
from conditioning.errors import unknown_name
from conditioning.estimator import ESTIMATORS, HOP, WINDOW, Baseline, EmotionEstimator
from conditioning.taxonomy import NAMES
from voice_actor import cli
from voice_actor.listen import add_listen

RATE = 16_000


def hum(pitch: float, duration: float = 2.0) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * pitch * np.arange(round(duration * RATE)) / RATE)).astype("f4")


def load(name: str = "standard", folder=None) -> ToyEstimator:
    if name not in ESTIMATORS:
        raise unknown_name("estimator", name, ESTIMATORS)
    return ToyEstimator(name)


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Runs the command with the toy in a folder of hums; gives (code, out, err)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(EmotionEstimator, "load", staticmethod(load))
    for name, pitch in {"high": 330, "low": 120, "plain": 200.5}.items():
        Audio(hum(pitch), RATE).save(f"{name}.wav")
    Audio(np.zeros(RATE, np.float32), RATE).save("silence.wav")
    Audio(np.concatenate([hum(380, 3), hum(0, 3), hum(110, 3)]), RATE).save("falls.wav")
    (tmp_path / "text.wav").write_text("no sound")
    (tmp_path / "takes").mkdir()
    for pitch in (300, 330, 363):
        Audio(hum(pitch), RATE).save(f"takes/{pitch}.wav")
    (tmp_path / "takes" / "notes.txt").write_text("mixed moods")
    (tmp_path / "empty").mkdir()
    (tmp_path / "junk.safetensors").write_text("junk")
    capsys.readouterr()

    def run(*arguments: str):
        code = cli.main(["listen", *arguments])
        return code, *capsys.readouterr()

    return run


def line_of(out: str, name: str) -> str:
    return next(line for line in out.splitlines() if line.strip().startswith(name))


def test_a_take_becomes_a_table_of_what_is_heard_and_how_far_to_trust_it(run):
    code, out, _ = run("high.wav")
    assert code == 0
    assert out.startswith("high.wav, 2.0 s\n")
    assert re.search(r"Anger +█+·+ +0.72 +0.80 +acted", out)
    assert re.search(r"Impatience and Irritability +█+·+ +0.36 +- +synthetic", out)
    assert re.search(r"neutral voice +█+·+ +0.28\n", out)
    assert re.search(r"valence, unpleasant +·+█+│·+ +-0.36 +0.50 +acted", out)
    assert re.search(r"arousal, excited +·+│█+·+ +\+0.72 +- +acted", out)
    assert re.search(r"dominance +not estimated\n", out)
    assert "trust: 0 chance, 1 never wrong" in out
    assert "Sadness" not in out


def test_the_stronger_emotion_stands_first_and_has_the_longer_bar(run):
    out = run("high.wav")[1]
    strong, weak = line_of(out, "Anger"), line_of(out, "Impatience")
    assert out.index(strong) < out.index(weak)
    assert strong.count("█") == 2 * weak.count("█") + 1


def test_all_shows_every_emotion_and_names_those_that_were_not_estimated(run):
    out = run("high.wav", "--all")[1]
    assert "0.75  acted" in line_of(out, "Sadness")
    assert "inferred" in line_of(out, "Awe")
    unsaid = " ".join(out.partition("Not estimated:")[2].partition(".")[0].split())
    assert len(unsaid.split(", ")) == 36


def test_only_the_strongest_eight_are_shown_unless_all_are_asked_for(run, monkeypatch):
    heard = EmotionVector({name: 0.9 - index / 50 for index, name in enumerate(NAMES)})
    hear = ToyEstimator._hear

    def many(self, *arguments):
        for estimate in hear(self, *arguments):
            yield replace(estimate, intensities=heard, support=dict.fromkeys(NAMES, "acted"))

    monkeypatch.setattr(ToyEstimator, "_hear", many)
    assert sum(line.endswith(" acted") for line in run("high.wav")[1].splitlines()) == 8
    out = run("high.wav", "--all")[1]
    assert sum(line.endswith(" acted") for line in out.splitlines()) == 40
    assert "Not estimated" not in out


def test_silence_is_called_no_speech(run):
    code, out, _ = run("silence.wav")
    assert (code, out.strip()) == (0, "silence.wav, 1.0 s: no speech")
    assert json.loads(run("silence.wav", "--json", "-")[1])["speech"] is False


def test_a_licence_against_commercial_use_is_said_once(run, monkeypatch):
    err = run("high.wav", "low.wav")[2]
    assert err.count("not for commercial use (CC-BY-NC-SA-4.0)") == 1
    monkeypatch.setattr(ToyEstimator, "commercial", True)
    assert run("high.wav")[2] == ""


def test_over_time_each_window_is_a_line(run):
    code, out, _ = run("falls.wav", "--over-time", "--window", "1", "--hop", "1")
    assert code == 0
    windows = [line for line in out.splitlines() if re.match(r" +\d:\d\d\.\d\d ", line)]
    assert len(windows) == 9
    assert re.search(
        r"0:00.00 +-0.4\d +\+0.9\d +█+·* +Anger 0.9\d, Impatience .* 0.4\d$", windows[0]
    )
    assert windows[4].split() == ["0:04.00", "no", "speech"]
    assert re.search(r"0:08.00 .* Sadness 0.8\d$", windows[8])


def test_over_time_goes_by_the_estimators_own_defaults_which_the_help_tells(run):
    run("falls.wav", "--over-time", "--json", "a.json")
    with open("a.json") as file:
        first, second, *_ = json.load(file)["over_time"]
    assert (first["end"], second["start"]) == (WINDOW, HOP)
    commands = argparse.ArgumentParser().add_subparsers()
    add_listen(commands)
    told = " ".join(commands.choices["listen"].format_help().split())
    assert f"how long each window is (default: {WINDOW:g})" in told
    assert f"to the next (default: {HOP:g})" in told


def test_json_of_one_file_is_an_object_and_of_several_a_list(run):
    one = json.loads(run("high.wav", "--json", "-")[1])
    assert one["file"] == "high.wav"
    assert one["intensities"]["Anger"] == pytest.approx(0.72, abs=0.01)
    assert one["dominance"] is None
    several = json.loads(run("high.wav", "low.wav", "--json", "-")[1])
    assert [entry["file"] for entry in several] == ["high.wav", "low.wav"]


def test_json_in_a_file_leaves_the_table_on_the_screen(run, tmp_path):
    assert "Anger" in run("high.wav", "--json", "a.json")[1]
    assert json.loads((tmp_path / "a.json").read_text())["support"]["Anger"] == "acted"


def test_standard_input_is_a_dash(run, monkeypatch, tmp_path):
    wav = io.BytesIO((tmp_path / "low.wav").read_bytes())
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(wav))
    code, out, _ = run("-")
    assert code == 0
    assert out.startswith("standard input, 2.0 s")
    assert "Sadness" in out


def test_broken_files_are_named_at_the_end_and_the_others_still_heard(run, tmp_path):
    code, out, err = run("text.wav", "high.wav", "nothing.wav", "low.wav", "--json", "a.json")
    assert code == 2
    assert out.index("high.wav") < out.index("low.wav")
    *_, first, second = err.splitlines()
    assert "text.wav is not audio" in first
    assert "no file nothing.wav" in second
    heard = json.loads((tmp_path / "a.json").read_text())
    assert [entry["file"] for entry in heard] == ["high.wav", "low.wav"]


def anger(run, *arguments: str) -> float:
    return json.loads(run("high.wav", "--json", "-", *arguments)[1])["intensities"]["Anger"]


def test_with_a_baseline_the_voice_is_measured_against_itself(run):
    assert anger(run) > 0.7
    assert anger(run, "--baseline", "takes") < 0.05
    assert anger(run, "--baseline", "takes/300.wav", "takes/330.wav") == pytest.approx(
        0.07, abs=0.02
    )
    assert "3 takes" in run("high.wav", "--baseline", "takes")[2]


def test_a_stored_baseline_gives_what_the_takes_give(run):
    assert run("low.wav", "-b", "takes", "--save-baseline", "voice.safetensors")[0] == 0
    assert Baseline.load("voice.safetensors").takes == 3
    assert anger(run, "-b", "voice.safetensors") == anger(run, "-b", "takes")


def test_without_other_takes_the_stored_baseline_is_of_the_files_themselves(run):
    code, _, err = run("takes/300.wav", "takes/363.wav", "--save-baseline", "voice.safetensors")
    assert code == 0
    assert "voice.safetensors: baseline of 2 takes" in err
    assert anger(run, "-b", "voice.safetensors") < 0.05


def on_screen(monkeypatch, encoding: str, *arguments: str) -> str:
    written = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(written, encoding=encoding))
    assert cli.main(["listen", *arguments]) == 0
    return written.getvalue().decode(encoding)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp437"])
def test_a_terminal_without_blocks_gets_plain_bars_and_escaped_names(run, monkeypatch, encoding):
    os.rename("high.wav", "głos.wav")
    out = on_screen(monkeypatch, encoding, "głos.wav", "falls.wav")
    assert "g\\u0142os.wav" in out
    assert "####" in out
    assert "██" not in out


@pytest.mark.parametrize("columns", ["20", "60", "61", "80", "200"])
@pytest.mark.parametrize("option", ["--all", "--over-time"])
def test_no_line_is_wider_than_the_terminal(run, monkeypatch, columns, option):
    monkeypatch.setenv("COLUMNS", columns)
    out = run("high.wav", "falls.wav", option)[1]
    assert max(map(len, out.splitlines())) <= max(60, int(columns))
    assert "Impatience" in out


BAD = [
    ([], "No file"),
    (["--json", "high.wav"], "No file"),
    (["--baseline", "takes", "high.wav"], "name it first"),
    (["nothing.wav"], "nothing.wav"),
    (["text.wav"], "text.wav is not audio"),
    (["takes"], "folder"),
    ([""], "Cannot read"),
    (["high.wav", "--estimator", "standrad"], "Did you mean 'standard'"),
    (["high.wav", "--window", "1"], "without --over-time"),
    (["high.wav", "--hop", "1"], "without --over-time"),
    (["high.wav", "--over-time", "--window", "0.2", "--hop", "0.1"], "0.2 s"),
    (["high.wav", "--over-time", "--hop", "0"], "every 0 s"),
    (["high.wav", "--over-time", "--hop", "3"], "every 3 s"),
    (["high.wav", "--over-time", "--window", "inf"], "inf"),
    (["high.wav", "--over-time", "--hop", "nan"], "nan"),
    (["high.wav", "--over-time", "--window", "long"], "long"),
    (["high.wav", "--over-time", "--all"], "not allowed with"),
    (["high.wav", "--baseline"], "expected at least one"),
    (["high.wav", "--baseline", "nowhere.wav"], "no file nowhere.wav"),
    (["high.wav", "--baseline", "empty"], "no recording"),
    (["high.wav", "--baseline", "takes", "text.wav"], "text.wav is not audio"),
    (["high.wav", "--baseline", "junk.safetensors"], "no voice's baseline"),
    (["high.wav", "--baseline", "nowhere.safetensors"], "no voice's baseline"),
    (["high.wav", "--baseline", "tiny.safetensors"], "was made by the estimator 'tiny'"),
    (["high.wav", "--baseline", "tiny.safetensors", "low.wav"], "give it alone"),
    (["high.wav", "--save-baseline", "low.wav"], "ending in .safetensors"),
    (["high.wav", "--save-baseline", "nowhere/a.safetensors"], "does not exist"),
    (["high.wav", "-b", "tiny.safetensors", "--save-baseline", "b.safetensors"], "give it alone"),
    (["-", "--save-baseline", "b.safetensors"], "standard input"),
    (["text.wav", "high.wav", "--save-baseline", "b.safetensors"], "text.wav is not audio"),
    (["high.wav", "--json", "low.wav"], "ending in .json"),
    (["high.wav", "--json", "nowhere/a.json"], "does not exist"),
    (["high.wav", "--json", "takes"], "folder"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD, ids=lambda value: str(value)[:60])
def test_what_can_be_refused_is_refused_in_one_line_before_networks_are_loaded(
    run, tmp_path, monkeypatch, arguments, message
):
    one = np.ones(1, np.float32)
    Baseline(one, one, 12, "tiny@0123").save("tiny.safetensors")
    monkeypatch.setattr(EmotionEstimator, "load", lambda *given: pytest.fail("was loaded"))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.*")}
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert len(err.splitlines()) == 1
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.*")} == before


def test_a_baseline_of_another_checkpoint_is_refused(run):
    one = np.ones(1, np.float32)
    Baseline(one, one, 12, "standard@0123").save("old.safetensors")
    code, out, err = run("high.wav", "-b", "old.safetensors", "--json", "a.json")
    assert (code, out) == (2, "")
    assert "standard@0123" in err.splitlines()[-1]
    assert not os.path.exists("a.json")


def test_takes_without_speech_make_no_baseline(run):
    code, out, err = run("high.wav", "-b", "silence.wav", "--save-baseline", "b.safetensors")
    assert (code, out) == (2, "")
    assert "holds speech" in err
    assert not os.path.exists("b.safetensors")
