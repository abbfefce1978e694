"""The command line: what it writes, and one line with exit code 2 for whatever it cannot use."""

from __future__ import annotations

import io
import json
import os

import numpy as np
import pytest
import torch
from toys import ToyEstimator

from conditioning import weights
from conditioning.audio import Audio, read_metadata
from conditioning.estimator import EmotionEstimator
from voice_actor import cli
from voice_actor.actor import VoiceActor
from voice_actor.phonemes import phonemize

LINE = "Get out of here, all of you!"


def test_a_directed_line_becomes_a_file_and_says_so(run, tmp_path):
    code, out, err = run("speak", LINE, "-d", "furious", "-o", "a.wav")
    assert (code, out) == (0, "")
    assert "a.wav" in err
    assert "Anger=0.95" in err
    audio = Audio.load(tmp_path / "a.wav")
    assert audio.duration > 0.5
    said = json.loads(read_metadata(tmp_path / "a.wav")["comment"])
    assert said["direction"] == "Anger=0.95"


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "opus", "mp3"])
def test_the_suffix_names_the_format(run, tmp_path, suffix):
    assert run("speak", LINE, "-o", f"a.{suffix}")[0] == 0
    assert Audio.load(tmp_path / f"a.{suffix}").duration > 0.5


def test_words_that_were_not_understood_are_named(run):
    code, _, err = run("speak", LINE, "-d", "angry, qwertz")
    assert code == 0
    assert "qwertz" in err


def test_a_pronunciation_that_was_not_needed_is_named(run):
    assert "Kai" in run("speak", LINE, "--say", "Kai=kˈA")[2]


def test_a_link_stays_a_link(run, tmp_path):
    (tmp_path / "real.wav").write_bytes(b"older take")
    (tmp_path / "link.wav").symlink_to("real.wav")
    assert run("speak", LINE, "-o", "link.wav")[0] == 0
    assert (tmp_path / "link.wav").is_symlink()
    assert Audio.load(tmp_path / "real.wav").duration > 0.5


def test_json_tells_words_times_and_evidence(run, tmp_path):
    assert run("speak", f"[anger 0.5] {LINE}", "-o", "a.wav", "--json", "a.json")[0] == 0
    described = json.loads((tmp_path / "a.json").read_text())
    assert [word for word, _, _ in described["words"]] == "Get out of here all of you".split()
    assert described["asked"] == {"Anger": 0.5}


def test_standard_input_and_output_are_dashes(run, monkeypatch):
    written = io.BytesIO()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(LINE.encode())))
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(written))
    assert cli.main(["speak", "-", "-o", "-"]) == 0
    assert Audio.load(io.BytesIO(written.getvalue())).duration > 0.5


def test_a_pronunciation_can_be_given(run, tmp_path):
    run("speak", "Kai left.", "-o", "a.wav", "--say", "Kai=kˈA", "--json", "a.json")
    phonemes = json.loads((tmp_path / "a.json").read_text())["phonemes"]
    assert "".join(symbol for symbol, _, _ in phonemes).startswith("kˈA")


def test_the_cast_is_listed_with_what_one_needs_to_choose(run):
    code, out, _ = run("voices")
    assert code == 0
    assert len(out.splitlines()) == 28
    for line in out.splitlines():
        assert "Apache-2.0" in line
        assert " Hz  " in line
    listed = json.loads(run("voices", "--json")[1])
    assert {"name", "accent", "gender", "licence", "timbre"} <= set(listed[0])


def test_the_bare_command_shows_examples(run):
    code, out, _ = run()
    assert code == 0
    assert "voice-actor speak" in out


BAD = [
    (["speak", ""], "no word to speak"),
    (["speak", "?!..."], "no word to speak"),
    (["speak", "a\x07b"], "U+0007"),
    (["speak", "Привет"], "Cyrillic"),
    (["speak", LINE, "-v", "am_micheal"], "Did you mean 'am_michael'"),
    (["speak", LINE, "-e", "angr=0.5"], "angr"),
    (["speak", LINE, "-e", "anger=7"], "7"),
    (["speak", LINE, "-e", "anger=nan"], "nan"),
    (["speak", LINE, "-e", ""], "empty"),
    (["speak", LINE, "-d", "qwertz"], "qwertz"),
    (["speak", f"[angr 0.4] {LINE}"], "angr"),
    (["speak", f"[anger 0.4 {LINE}"], "bracket"),
    (["speak", f"[] {LINE}"], "bracket"),
    (["speak", LINE, "-o", "."], "folder"),
    (["speak", LINE, "-o", "nowhere/a.wav"], "does not exist"),
    (["speak", LINE, "-o", "a.xyz"], "xyz"),
    (["speak", LINE, "--json", "."], "folder"),
    (["speak", LINE, "--json", "nowhere/a.json"], "does not exist"),
    (["speak", LINE, "-o", "-", "--json", "-"], "standard output"),
    (["speak", LINE, "-o", "a.wav", "--json", "./a.wav"], "name two files"),
    (["speak", LINE, "--json", "/proc/a.json"], "/proc/a.json"),
    (["speak", LINE, "--json", "x" * 300], "another place"),
    (["speak", LINE, "--json", ""], "empty"),
    (["speak", LINE, "-v", ""], "Unknown voice ''"),
    (["speak", LINE, "--weights", "nowhere"], "not a folder"),
    (["speak", LINE, "-d", "sad", "-e", "anger=0.2"], "Both --direction and --emotion"),
    (["speak", LINE, "--nonsense\nhere"], "--nonsense here"),
    (["speak", LINE, "--say", "Kai"], "WORD=PHONEMES"),
    (["speak", LINE, "--say", "Kai=¤"], "¤"),
    (["speak", LINE, "--takes", "0"], "takes to speak is 0"),
    (["speak", LINE, "--takes", "65"], "1 to 64"),
    (["speak", LINE, "--takes", "x"], "takes"),
    (["speak", LINE, "--keep", "2"], "takes to keep is 2"),
    (["speak", LINE, "--takes", "4", "--keep", "0"], "takes to keep is 0"),
    (["speak", LINE, "--takes", "4", "--keep", "2", "-o", "-"], "one take"),
    (["speak", LINE, "--takes", "4", "--keep", "2", "-o", "a.xyz"], "xyz"),
    (["speak", LINE, "--like", "nothing.wav"], "nothing.wav"),
    (["speak", LINE, "--like", "."], "folder"),
    (["speak", LINE, "--like-baseline", "a.wav"], "without --like"),
    (["speak", LINE, "--seed", "-1"], "seed"),
    (["speak", LINE, "--seed", "x"], "seed"),
    (["speak", "a " * 60_000], "at most 100,000"),
    (["speak"], "text"),
    (["spaek", LINE], "spaek"),
    (["verify", "nothing.wav"], "nothing.wav"),
    (["verify", "."], "folder"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD, ids=lambda value: str(value)[:40])
def test_bad_input_is_one_line_exit_code_2_and_no_file(run, tmp_path, arguments, message):
    code, out, err = run(*arguments)
    assert code == 2
    assert out == ""
    assert message.lower() in err.lower()
    assert len(err.splitlines()) == 1
    assert "Traceback" not in err
    assert os.listdir(tmp_path) == []


def test_a_read_only_place_is_refused_before_anything_is_spoken(run, monkeypatch):
    monkeypatch.setattr(VoiceActor, "load", lambda folder=None: pytest.fail("was loaded"))
    code, _, err = run("speak", LINE, "-o", "/proc/line.wav")
    assert code == 2
    assert "/proc/line.wav" in err


def test_damaged_weights_are_one_line_and_exit_code_2(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "kokoro-v1_0.pth").write_bytes(b"half a download")
    assert cli.main(["speak", LINE, "--weights", str(folder)]) == 2
    err = capsys.readouterr().err
    assert "kokoro-v1_0.pth is damaged" in err
    assert len(err.splitlines()) == 1


def test_without_the_watermarker_nothing_is_spoken(tmp_path, monkeypatch, capsys):
    from conditioning.errors import WeightsError

    def missing(name, *arguments, **named):
        if name == "perth-implicit":
            raise WeightsError("The weights 'perth-implicit' are not here.")
        return found(name, *arguments, **named)

    found = weights.path
    monkeypatch.setattr(weights, "path", missing)
    monkeypatch.chdir(tmp_path)
    assert cli.main(["speak", LINE]) == 2
    assert "perth-implicit" in capsys.readouterr().err
    assert os.listdir(tmp_path) == []


def test_our_own_failure_is_exit_code_1(run, monkeypatch):
    def fail(folder=None):
        raise RuntimeError("boom")

    monkeypatch.setattr(VoiceActor, "load", fail)
    code, _, err = run("speak", LINE)
    assert code == 1
    assert "boom" in err
    assert len(err.splitlines()) == 1


def test_text_that_is_not_utf8_is_refused(run, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"caf\xe9")))
    code, _, err = run("speak", "-")
    assert code == 2
    assert "byte 4" in err


def test_stopping_leaves_the_old_file(run, monkeypatch, tmp_path):
    (tmp_path / "a.wav").write_bytes(b"older take")

    def stop(*arguments, **named):
        raise KeyboardInterrupt

    monkeypatch.setattr(VoiceActor, "perform", stop)
    assert run("speak", LINE, "-o", "a.wav")[0] == 130
    assert (tmp_path / "a.wav").read_bytes() == b"older take"
    assert os.listdir(tmp_path) == ["a.wav"]


def test_the_best_takes_are_kept_and_ranked(run, tmp_path):
    several = ["--takes", "4", "--keep", "2", "-o", "a.flac", "--json", "a.json"]
    code, out, err = run("speak", LINE, "-d", "furious", *several)
    assert (code, out) == (0, "")
    assert sorted(os.listdir(tmp_path)) == ["a-1.flac", "a-2.flac", "a.json"]
    described = json.loads((tmp_path / "a.json").read_text())
    assert [take["file"] for take in described] == ["a-1.flac", "a-2.flac"]
    assert described[0]["score"] >= described[1]["score"]
    ranked = [line for line in err.splitlines() if " take " in line]
    assert [line.split()[0] for line in ranked] == ["1", "2"]
    assert all("Anger" in line for line in ranked)


def test_one_take_kept_has_the_name_it_was_given(run, tmp_path):
    assert (
        run("speak", LINE, "-d", "sad", "--takes", "3", "-o", "a.wav", "--json", "a.json")[0] == 0
    )
    assert sorted(os.listdir(tmp_path)) == ["a.json", "a.wav"]
    assert json.loads((tmp_path / "a.json").read_text())["file"] == "a.wav"


def test_stopping_between_takes_writes_nothing(run, monkeypatch, tmp_path):
    def stop(*arguments, **named):
        raise KeyboardInterrupt

    monkeypatch.setattr(ToyEstimator, "estimate", stop)
    assert run("speak", LINE, "-d", "sad", "--takes", "3", "--keep", "2", "-o", "a.wav")[0] == 130
    assert os.listdir(tmp_path) == []


def test_a_recording_can_be_the_direction(run, tmp_path):
    assert run("speak", LINE, "-v", "bm_george", "-o", "take.wav")[0] == 0
    like = ["--like", "take.wav", "--like-baseline", "take.wav"]
    code, _, err = run("speak", LINE, *like, "-d", "furious", "-o", "a.wav")
    assert code == 0
    assert "Anger=0.95; prosody of a recording" in err
    assert run("speak", LINE, "--like", "take.wav", "-o", "b.wav")[0] == 0


def test_a_recording_without_speech_is_refused_before_anything_is_loaded(
    run, tmp_path, monkeypatch
):
    Audio(np.zeros(24_000, np.float32), 24_000).save(tmp_path / "silence.wav")
    for what in (EmotionEstimator, VoiceActor):
        monkeypatch.setattr(what, "load", lambda *_: pytest.fail("was loaded"))
    code, _, err = run("speak", LINE, "--like", "silence.wav")
    assert code == 2
    assert "No speech is heard in the recording" in err
    assert len(err.splitlines()) == 1


@pytest.mark.weights
def test_real_speech_is_recognised_as_ours_and_without_our_mark_it_is_not(tmp_path, capsys):
    spoken, unmarked = tmp_path / "ours.mp3", tmp_path / "unmarked.wav"
    assert cli.main(["speak", LINE, "-d", "angry", "-o", str(spoken)]) == 0
    (phrase,) = phonemize(LINE)
    actor = VoiceActor.load()
    neutral = torch.zeros(len(phrase.phonemes) + 2, 40)
    with torch.inference_mode():
        samples = actor._samples(actor.plan(phrase, neutral, "af_heart")).numpy()
    Audio(samples, actor.backbone.sample_rate).save(unmarked)
    capsys.readouterr()
    assert cli.main(["verify", str(spoken), str(unmarked), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found[str(spoken)]["is_ours"]
    assert not found[str(unmarked)]["watermarked"]
    assert found[str(unmarked)]["provenance"] is None
