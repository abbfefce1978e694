"""Evaluation: what is asked of whom, what is kept, and who may judge."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from readings import FORTY, LISTENER, SMALL, AtOnce, PlainJudge, rows, says, verdict

from conditioning import taxonomy, weights
from conditioning.audio import Audio
from conditioning.errors import InvalidInput
from training import commands, evaluate
from training.evaluate import (
    Row,
    audio_name,
    check_judge,
    comparisons,
    lines_of,
    rated,
    sampled,
    summary,
)
from training.judge import FRONTS, Judge
from training.measures import sessions
from training.notebook import Notebook
from training.protocol import ASKED, EVALUATED, FULL, LEVELS, NEUTRAL, PROTOCOLS, Line, carriers
from training.systems import SYSTEMS
from voice_actor import cli


class Toy:
    """A system in name."""

    def __init__(self, name: str, acts: bool = True, voices=EVALUATED):
        self.name, self.acts, self.voices = name, acts, voices


def test_the_matrix_has_every_emotion_level_and_category():
    full = list(PROTOCOLS["full"].lines("toy", EVALUATED))
    assert len(full) == len(set(full))
    core = [
        line for line in full if line.asked in ("", *ASKED.values()) and line.level in (0, FULL)
    ]
    assert len(core) == len(EVALUATED) * 10 * 9
    anger = {line.level for line in full if line.asked == "Anger"}
    assert anger == {*LEVELS, FULL}
    assert {line.asked for line in full} == {*taxonomy.NAMES, NEUTRAL, ""}


def test_the_others_read_the_core_and_the_deaf_read_it_once():
    systems = Toy("first"), Toy("second", voices=("only",)), Toy("deaf", acts=False)
    lines = lines_of(systems, SMALL)
    second = [line for line in lines if line.system == "second"]
    assert {line.voice for line in second} == {"only"}
    assert {line.level for line in second} == {0.0, FULL}
    deaf = [line for line in lines if line.system == "deaf"]
    assert {line.asked for line in deaf} == {""}
    assert len(deaf) == SMALL.voices * SMALL.others


def test_no_sentence_of_evaluation_is_rehearsed():
    parts = [set(carriers(name)) for name in ("search", "audition", "evaluation")]
    assert all(len(part) >= 4 for part in parts)
    assert not any(one & other for one, other in pairwise([*parts, parts[0]]))


def test_a_verdict_reads_back(tmp_path):
    line = Line("adapter", "af_bella", "Hello.", "Anger", 0.8)
    notebook = Notebook(tmp_path / "rows.jsonl", Row)
    notebook.write(verdict(line, "anger", kind=Row))
    again = Notebook(tmp_path / "rows.jsonl", Row).find(line)
    assert again.task == line
    assert again.features["plain"].tolist() == verdict(line, "anger").features["plain"].tolist()
    assert again.prosody.tolist() == [12.0] * 21
    assert again.spent == 1.0


def test_every_reading_has_a_file_of_its_own():
    lines = list(PROTOCOLS["full"].lines("toy", EVALUATED))
    names = {audio_name(line) for line in lines}
    assert len(names) == len(lines)
    assert all(name.count("/") == 1 and " " not in name for name in names)


def test_samples_and_ratings_are_few_and_there():
    lines = list(SMALL.lines("toy", EVALUATED))
    assert 0 < sum(map(sampled, lines)) <= SMALL.voices * 9
    assert 0 < sum(map(rated, lines)) < len(lines) / 2


def test_a_judge_that_took_part_is_refused():
    heard_by = weights.manifest()["adapter"].heard_by
    listener = weights.hash_of(weights.path(heard_by[0]))
    fair = Judge("plain", "0" * 64, ("ravdess",), None, None, {})
    check_judge(fair)
    with pytest.raises(InvalidInput, match="would judge itself"):
        check_judge(replace(fair, sha256=listener))
    with pytest.raises(InvalidInput, match="learnt from emodb"):
        check_judge(replace(fair, corpora=("emodb", "ravdess")))


def test_the_judges_of_ours_may_judge():
    for name in FRONTS:
        check_judge(Judge.load(name))


def test_the_summary_names_weights_judges_and_protocol():
    judges = {"plain": PlainJudge()}
    found = sessions(rows(FORTY), [], judges, LISTENER)
    made = summary(found, judges, "small-1", "voice-actor evaluate")
    assert made["protocol"] == "small-1"
    assert made["judges"]["plain"]["sha256"] == PlainJudge.sha256
    assert made["weights"]["adapter"] == weights.hash_of(weights.path("adapter"))
    assert made["comparisons"] == []


def test_comparisons_are_of_all_pairs_and_corrected():
    judges = {"plain": PlainJudge()}
    made = [row for name in ("a", "b") for row in rows(system=name)]
    made += rows(system="c", said=lambda line: "surprise")
    measured = {n: s.summary() for n, s in sessions(made, [], judges).items()}
    found = {(row["first"], row["second"]): row for row in comparisons(measured, ["plain"])}
    assert set(found) == {("a", "b"), ("a", "c"), ("b", "c")}
    assert found["a", "b"]["holm"] == 1
    assert found["a", "c"]["p"] < found["a", "c"]["holm"] < 0.05
    assert says(Line("a", "b", "c", "Anger")) == "anger"


TINY = replace(SMALL, name="tiny-1", voices=2, core=2, levels=1)
HERTZ = {asked: 200.0 + 50 * place for place, asked in enumerate(ASKED.values())}


class Tones:
    """Says each emotion as a tone of its own, the louder the more of it is asked."""

    name, voices, acts = "tones", ("low", "high"), True

    def __init__(self):
        self.said = []

    def speak(self, line: Line) -> Audio:
        if line.text != evaluate.WARM_UP:
            self.said.append(line)
        time = np.arange(16_000) / 16_000
        tone = np.sin(2 * np.pi * HERTZ[line.asked or NEUTRAL] * time)
        return Audio((0.1 + 0.5 * line.level) * tone.astype(np.float32), 16_000)


class Ear(PlainJudge):
    """Knows the tones by their pitch, and how much is meant by their loudness."""

    def features(self, audio: Audio) -> np.ndarray:
        spectrum = np.abs(np.fft.rfft(audio.samples, 16_000))
        nearest = np.argmin(np.abs(np.array([*HERTZ.values()]) - spectrum.argmax()))
        heard = np.zeros(8, np.float32)
        heard[nearest] = 10 * np.abs(audio.samples).max()
        return heard


class Meters:
    """Instruments that cost nothing."""

    @staticmethod
    def check() -> None: ...

    def words(self, audio, text):
        return 0, len(text.split()), text

    def dnsmos(self, audio) -> float:
        return 3.0

    def speaker(self, audio) -> np.ndarray:
        return np.array([1.0, 0.0], np.float32)


class Forty:
    """An estimator that hears nothing of the 40."""

    head = LISTENER[1]

    def features(self, audio) -> np.ndarray:
        return np.zeros(40, np.float32)


@pytest.fixture
def tones(monkeypatch) -> Tones:
    system = Tones()

    @contextmanager
    def at_once(jobs, prepare, *given):
        prepare(*given)
        yield AtOnce()

    monkeypatch.setattr(evaluate, "open_systems", lambda names, *_: [system] if names else [])
    monkeypatch.setattr(evaluate, "processes", at_once)
    monkeypatch.setattr(evaluate, "Instruments", Meters)
    monkeypatch.setattr(evaluate, "Judge", type("", (), {"load": staticmethod(lambda _: Ear())}))
    monkeypatch.setattr(evaluate.PoolingEstimator, "load", lambda name: Forty())
    monkeypatch.setattr(evaluate, "PROTOCOLS", {"small": TINY})
    return system


def run(out, *more: str) -> dict:
    options = cli.parser().parse_args(["evaluate", "-o", str(out), "--judges", "ear", *more])
    evaluate.run_evaluate(options)
    return json.loads((out / "summary.json").read_text())


def test_a_matrix_is_spoken_heard_and_reported(tones, tmp_path):
    found = run(tmp_path, "--systems", "tones")
    assert len(tones.said) == found["systems"]["tones"]["readings"] + 4
    heard = found["systems"]["tones"]["judges"]["plain"]
    assert heard["against"]["recall"]["value"] == 1
    assert heard["ladders"]["rising"]["value"] == 1
    assert found["systems"]["tones"]["price"]["all seven"]["wer"] == 0
    page = (tmp_path / "report.html").read_text()
    assert "1.00 [1.00, 1.00]" in page
    assert page.count("data:audio/ogg") == 9


def test_a_run_that_was_killed_goes_on_where_it_was(tones, tmp_path):
    whole = run(tmp_path, "--systems", "tones")
    spoken = len(tones.said)
    readings = tmp_path / "readings.jsonl"
    lines = readings.read_text().splitlines()
    readings.write_text("\n".join(lines[:31])[:-100])  # killed in the midst of writing
    again = run(tmp_path, "--systems", "tones")
    assert len(tones.said) == spoken + len(lines) - 30
    for name in ("judges", "price", "prosody"):
        assert again["systems"]["tones"][name] == whole["systems"]["tones"][name]


def test_recordings_with_a_manifest_are_judged_as_readings_are(tones, tmp_path):
    spoken = run(tmp_path / "spoken", "--systems", "tones", "--keep")
    lines = ["path,text,voice,emotion,intensity,system"]
    for line in lines_of([tones], TINY):
        file = tmp_path / "spoken" / "audio" / f"{audio_name(line)}.wav"
        lines.append(f'{file},"{line.text}",{line.voice},{line.asked},{line.level or ""},tones')
    manifest = tmp_path / "manifest.csv"
    manifest.write_text("\n".join(lines))
    said = len(tones.said)
    found = run(tmp_path / "recorded", "--manifest", str(manifest))
    assert len(tones.said) == said
    one, other = (made["systems"]["tones"]["judges"]["plain"] for made in (spoken, found))
    assert one["against"] == other["against"]
    assert one["ladders"] == other["ladders"]


def test_what_cannot_be_is_refused_before_anything_is_spoken(tones, tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    for arguments, complaint in (
        ((file, "--systems", "tones"), "not a folder"),
        ((tmp_path, "--jobs", "0"), "1 or more"),
        ((tmp_path, "--contours", "none.safetensors"), "needs the --table"),
        ((tmp_path, "--table", "none.csv"), "none.csv is not a file"),
    ):
        with pytest.raises(InvalidInput, match=complaint):
            run(*arguments)
    assert tones.said == []


def test_the_commands_offer_what_there_is():
    assert set(commands.PROTOCOLS) == set(PROTOCOLS)
    assert set(commands.JUDGES) == set(FRONTS)
    assert set(commands.SYSTEMS) == set(SYSTEMS)
    assert set(commands.COMPARED) <= set(SYSTEMS)
