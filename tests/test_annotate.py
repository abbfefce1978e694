"""Annotating a folder: what is written, what is left alone, and how it ends before its time."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from clusters import two_nodes

from conditioning import files
from conditioning.audio import Audio
from conditioning.emotion import EmotionVector
from conditioning.errors import InvalidInput, UnknownName, unknown_name
from conditioning.estimator import EmotionEstimator, Estimate
from conditioning.taxonomy import ATTRIBUTES, CATEGORIES
from training import annotate as module
from training.annotate import KEY, SUFFIXES, annotate
from voice_actor.cli import Parser

ROOT = Path(__file__).parent.parent
RATE = 16_000
ALL_KEYS = {entry.laion_key for entry in (*CATEGORIES, *ATTRIBUTES)}


class Swing(EmotionEstimator):
    """Hears arousal and anger in how much the level swings; scores all keys; tires at last."""

    licence, commercial = "Apache-2.0", True

    def __init__(self, name="swing@1", patience=1000):
        self.name, self.patience = name, patience
        self.support = {category.name: "inferred" for category in CATEGORIES}
        self.reliability = {}

    def _hear(self, audio, spans, baseline):
        self.patience -= 1
        if self.patience < 0:
            time.sleep(60)
        for start, end in spans:
            if not audio.samples.any():
                yield Estimate.without_speech(start, end, self.name)
                continue
            if np.abs(audio.samples).max() > 0.95:
                raise RuntimeError("a bug\nof ours")
            blocks = np.abs(audio.samples[: len(audio.samples) // 10 * 10]).reshape(10, -1).mean(1)
            swing = float(blocks.std() / blocks.mean())
            yield Estimate(
                EmotionVector({"Anger": min(swing, 1.0)}),
                valence=0.0,
                arousal=min(2 * swing, 1.0),
                dominance=0.5,
                neutral=0.0,
                strength=1.0,
                speech=True,
                support=self.support,
                reliability=self.reliability,
                attributes={
                    entry.name: (entry.low + entry.high) / 2
                    for entry in ATTRIBUTES
                    if entry.name not in ("valence", "arousal", "dominance")
                },
                start=start,
                end=end,
                estimator=self.name,
            )


class Stopwatch:
    """Writes down how long it listened, and in which language."""

    def transcribe_many(self, audios, language=None):
        if language not in (None, "en", "de"):
            raise unknown_name("language", language, ["en", "de"])
        return [f"{audio.duration:.2f} Sekunden \N{EN DASH} {language}" for audio in audios]

    def transcribe(self, audio, language=None):
        return self.transcribe_many([audio], language)[0]


def soon_asleep():
    return Swing(patience=8)


def stuttering(seed: int, seconds: float = 0.5) -> Audio:
    random = np.random.default_rng(seed)
    level = np.repeat(random.uniform(0.05, 0.9, 10), round(seconds * RATE / 10))
    hum = np.sin(2 * np.pi * 150 * np.arange(len(level)) / RATE)
    return Audio((level * hum).astype(np.float32), RATE)


@pytest.fixture
def folder(tmp_path):
    """Recordings of several formats in two folders."""
    speech = tmp_path / "speech"
    (speech / "below").mkdir(parents=True)
    for seed, name in enumerate(("a.wav", "b.flac", "c.opus", "below/d.OGG", "below/e.mp3")):
        path = speech / name
        path.write_bytes(stuttering(seed).encode(path.suffix))
    return speech


run = partial(annotate, estimator=Swing, transcript=Stopwatch)


def names(paths) -> list[str]:
    return [path.name for path in paths]


def annotations(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.json"))
    }


def test_each_recording_gets_an_annotation_with_laions_keys(folder):
    report = run(folder)
    assert names(report.done) == ["a.wav", "b.flac", "d.OGG", "e.mp3", "c.opus"]
    assert (report.skipped, report.kept, report.broken) == ((), (), {})
    for path in report.done:
        said = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        assert list(said) == ["source_audio_file", "caption", "emotions", KEY]
        assert said["source_audio_file"] == path.name
        assert said["caption"].endswith("Sekunden \N{EN DASH} None")
        assert set(said["emotions"]) == ALL_KEYS
        assert len(said["emotions"]) == 55
        audio = Audio.load(path)
        heard = Swing().estimate(audio)
        assert said["emotions"] == heard.to_laion()
        assert EmotionVector.from_laion(said)["Anger"] == pytest.approx(
            heard.intensities["Anger"], abs=1e-4
        )
        assert said[KEY]["estimator"] == "swing@1"
        assert said[KEY]["speech"] is True
        assert said[KEY]["support"]["Anger"] == "inferred"
        assert said[KEY]["seconds"] == pytest.approx(audio.duration, abs=1e-3)


def test_a_recording_without_speech_says_so(folder):
    Audio(np.zeros(RATE, np.float32), RATE).save(folder / "a.wav")
    run(folder)
    said = json.loads((folder / "a.json").read_text())
    assert said["emotions"] == {}
    assert said[KEY]["speech"] is False


def test_what_is_done_is_skipped_and_not_touched(folder):
    run(folder)
    (folder / "b.json").unlink()
    old = {path: path.stat().st_mtime_ns for path in folder.rglob("*.json")}
    report = run(folder)
    assert names(report.done) == ["b.flac"]
    assert len(report.skipped) == 4
    assert all(path.stat().st_mtime_ns == changed for path, changed in old.items())


def test_another_estimator_language_or_file_name_is_not_done_before(folder):
    run(folder)
    assert len(run(folder, estimator=partial(Swing, "swing@2")).done) == 5
    assert len(run(folder, estimator=partial(Swing, "swing@2"), language="de").done) == 5
    (folder / "a.wav").rename(folder / "z.wav")
    (folder / "a.json").rename(folder / "z.json")
    report = run(folder, estimator=partial(Swing, "swing@2"), language="de")
    assert names(report.done) == ["z.wav"]


def test_a_transcript_can_be_left_out_and_added_later(folder):
    run(folder, transcript=False)
    assert json.loads((folder / "a.json").read_text())["caption"] is None
    assert len(run(folder).done) == 5
    assert len(run(folder, transcript=False).skipped) == 5
    assert json.loads((folder / "a.json").read_text())["caption"] is not None


def test_again_makes_everything_anew(folder):
    run(folder)
    assert len(run(folder, again=True).done) == 5


def test_annotations_by_others_are_kept_unless_again(folder):
    theirs = {"source_audio_file": "/x/a.wav", "caption": "Hi.", "emotions": {"Anger": 3.2}}
    (folder / "a.json").write_text(json.dumps(theirs))
    report = run(folder)
    assert names(report.kept) == ["a.wav"]
    assert json.loads((folder / "a.json").read_text()) == theirs
    assert names(run(folder, again=True).done)[0] == "a.wav"
    assert json.loads((folder / "a.json").read_text())[KEY]["estimator"] == "swing@1"


FOREIGN = {
    "another format": b'{"rate": 16000}',
    "half an annotation": b'{"source_audio_file": "a.wav", "caption": "Half a',
    "scores that are none": b'{"source_audio_file": "a.wav", "emotions": "Anger"}',
    "no text": b"\xff\xfe\x00",
    "nothing": b"",
    "too deep": b"[" * 100_000,
}


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN)
@pytest.mark.parametrize("again", [False, True])
def test_a_foreign_file_of_that_name_is_reported_and_never_touched(folder, content, again):
    (folder / "a.json").write_bytes(content)
    report = run(folder, again=again)
    assert (folder / "a.json").read_bytes() == content
    assert names(report.broken) == ["a.wav"]
    assert "a.json" in report.broken[folder / "a.wav"]
    assert len(report.done) == 4


def test_a_folder_of_that_name_is_reported(folder):
    (folder / "a.json").mkdir()
    assert names(run(folder).broken) == ["a.wav"]


def test_broken_recordings_cost_no_other(folder):
    (folder / "b.flac").write_bytes(b"")
    (folder / "text.wav").write_text("not sound")
    (folder / "dangling.wav").symlink_to("nowhere.wav")
    os.mkfifo(folder / "pipe.wav")
    Audio(np.ones(RATE, np.float32), RATE).save(folder / "bug.wav")
    report = run(folder)
    assert names(report.done) == ["a.wav", "d.OGG", "e.mp3", "c.opus"]
    assert names(report.broken) == ["b.flac", "bug.wav", "dangling.wav", "pipe.wav", "text.wav"]
    for reason in report.broken.values():
        assert len(reason.splitlines()) == 1
    assert "empty" in report.broken[folder / "b.flac"]
    assert "RuntimeError: a bug of ours" in report.broken[folder / "bug.wav"]
    assert names(run(folder).broken) == names(report.broken)
    assert not (folder / "bug.json").exists()


def test_two_recordings_that_would_share_an_annotation_are_reported(folder):
    stuttering(7).save(folder / "a.flac")
    report = run(folder)
    assert names(report.broken) == ["a.flac", "a.wav"]
    assert not (folder / "a.json").exists()


def test_hidden_files_are_passed_over_and_links_followed_once(folder, tmp_path):
    (folder / ".hidden.wav").write_text("a resource fork")
    (folder / ".cache").mkdir()
    (folder / ".cache" / "f.wav").write_text("half a download")
    (folder / "below" / "round").symlink_to("..")
    (folder / "twice").symlink_to("below")
    far = tmp_path / "far"
    far.mkdir()
    stuttering(8).save(far / "g.wav")
    (folder / "linked").symlink_to(far)
    report = run(folder)
    assert sorted(names(report.done)) == sorted(
        ["a.wav", "b.flac", "c.opus", "d.OGG", "e.mp3", "g.wav"]
    )
    assert not report.broken


@pytest.mark.skipif(os.name != "posix", reason="names are text here")
def test_a_name_that_is_no_text_is_written_and_found_again(folder):
    path = Path(os.fsdecode(os.fsencode(folder) + b"/f\xfc\xdf.wav"))
    try:
        stuttering(9).save(path)
    except InvalidInput:
        pytest.skip("this volume takes only UTF-8 names")
    assert path in run(folder).done
    assert json.loads(path.with_suffix(".json").read_bytes())["source_audio_file"] == path.name
    assert path in run(folder).skipped


def test_every_suffix_is_one_that_libsndfile_reads(tmp_path):
    import soundfile

    for suffix in SUFFIXES:
        kind = {".oga": "OGG", ".opus": "OGG", ".aif": "AIFF"}.get(suffix, suffix[1:].upper())
        soundfile.write(
            tmp_path / f"{suffix[1:]}{suffix}", stuttering(0).samples, RATE, format=kind
        )
    assert len(run(tmp_path).done) == len(SUFFIXES)


def test_more_jobs_write_the_same_bytes(folder):
    (folder / "text.wav").write_text("not sound")
    for seed in range(20):
        stuttering(seed).save(folder / f"line{seed}.wav")
    one = run(folder)
    written = annotations(folder)
    for name in written:
        (folder / name).unlink()
    two = run(folder, jobs=2)
    assert annotations(folder) == written
    assert two == one


def unusable(tmp_path) -> dict[str, tuple[Path | str, str]]:
    (tmp_path / "empty").mkdir()
    (tmp_path / "line.wav").write_bytes(b"")
    return {
        "missing": (tmp_path / "nowhere", "no folder"),
        "file": (tmp_path / "line.wav", "is a file"),
        "without recordings": (tmp_path / "empty", "No recording"),
        "no name": ("", "no folder"),
        "no path": ("a\0b", "no folder"),
    }


@pytest.mark.parametrize("case", ["missing", "file", "without recordings", "no name", "no path"])
def test_a_folder_that_cannot_be_used_is_one_clear_line(tmp_path, case):
    place, message = unusable(tmp_path)[case]
    with pytest.raises(InvalidInput, match=message) as raised:
        run(place, estimator=partial(pytest.fail, "was loaded"))
    assert len(str(raised.value).splitlines()) == 1


def test_a_place_that_cannot_be_written_is_refused_before_any_work(folder, monkeypatch):
    class Deaf(Swing):
        def _hear(self, audio, spans, baseline):
            pytest.fail("listened")

    real = tempfile.TemporaryFile

    def guarded(dir=None, **named):
        if Path(dir).name == "below":
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return real(dir=dir, **named)

    monkeypatch.setattr(tempfile, "TemporaryFile", guarded)
    with pytest.raises(InvalidInput, match=r"below.*Read-only"):
        run(folder, estimator=Deaf)
    assert annotations(folder) == {}


def test_a_full_disk_ends_the_run_at_once(folder, monkeypatch):
    def full(source, place):
        if Path(place).name == "b.json":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return replace(source, place)

    replace = os.replace
    monkeypatch.setattr(files.os, "replace", full)
    with pytest.raises(InvalidInput, match="No space left"):
        run(folder)
    assert sorted(os.listdir(folder)) == ["a.json", "a.wav", "b.flac", "below", "c.opus"]


def test_an_unknown_language_or_estimator_or_no_jobs_is_said_once(folder):
    with pytest.raises(UnknownName, match="tlh"):
        run(folder, language="tlh")
    with pytest.raises(UnknownName, match="Unknown estimator 'standrd'"):
        run(folder, estimator="standrd")
    with pytest.raises(InvalidInput, match="0 jobs"):
        run(folder, jobs=0)
    assert annotations(folder) == {}


def test_work_that_another_run_did_in_the_meantime_is_not_done_twice(folder):
    annotator = module.Annotator(module.Task(Swing, None, None, again=False))
    paths, _ = module.recordings(folder)
    waiting, _ = annotator.sift(paths)
    run(folder, transcript=False)
    assert {result.outcome for result in annotator.annotate_some(waiting)} == {"skipped"}


def test_a_worker_that_dies_ends_the_run_with_one_line(folder):
    with pytest.raises(InvalidInput, match="fewer jobs") as raised:
        run(folder, estimator=partial(dies_elsewhere, os.getpid()), jobs=2)
    assert len(str(raised.value).splitlines()) == 1


def dies_elsewhere(home: int) -> Swing:
    return Swing() if os.getpid() == home else os._exit(9)


PROGRAM = """
import sys
sys.path.insert(0, {tests!r})
from test_annotate import Stopwatch, soon_asleep
from training.annotate import annotate
if __name__ == "__main__":
    annotate(sys.argv[1], soon_asleep, transcript=Stopwatch, jobs=int(sys.argv[2]))
"""


@pytest.fixture
def started(folder):
    """Starts a run that falls asleep, in a process group of its own; waits for an annotation."""
    for seed in range(40):
        stuttering(seed).save(folder / f"line{seed:02}.wav")
    processes = []

    def start(jobs: int) -> subprocess.Popen:
        program = PROGRAM.format(tests=str(Path(__file__).parent))
        command = [sys.executable, "-c", program, str(folder), str(jobs)]
        # Tests that run in the background are deaf to Ctrl-C, and their children would be as well.
        hearing = partial(signal.signal, signal.SIGINT, signal.default_int_handler)
        process = subprocess.Popen(
            command, cwd=ROOT, stderr=subprocess.PIPE, start_new_session=True, preexec_fn=hearing
        )
        processes.append(process)
        until = time.monotonic() + 60
        while not annotations(folder) and process.poll() is None and time.monotonic() < until:
            time.sleep(0.02)
        assert process.poll() is None
        return process

    yield start
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def left(group: int, within: float = 5.0) -> bool:
    """Whether all processes of a group end in time."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.skipif(os.name != "posix", reason="needs signals and process groups")
@pytest.mark.parametrize(
    ("jobs", "number", "everyone"),
    [
        (1, signal.SIGINT, False),
        (2, signal.SIGINT, True),  # as a terminal's Ctrl-C
        (2, signal.SIGKILL, False),
    ],
)
def test_a_stopped_run_leaves_nothing_half_and_is_resumed(folder, started, jobs, number, everyone):
    process = started(jobs)
    (os.killpg if everyone else os.kill)(process.pid, number)
    said = process.communicate(timeout=20)[1].decode()
    assert process.returncode != 0
    assert left(process.pid), "workers went on"
    if number == signal.SIGINT:
        assert said.count("Traceback") == 1, said
    written = annotations(folder)
    assert 0 < len(written) < 45
    for content in written.values():
        assert set(json.loads(content)["emotions"]) == ALL_KEYS
    assert not list(folder.rglob(".*"))
    report = run(folder)
    assert (len(report.skipped), len(report.done)) == (len(written), 45 - len(written))
    whole = annotations(folder)
    assert {name: whole[name] for name in written} == written


@pytest.mark.weights
def test_the_real_recogniser_writes_down_what_is_said(tmp_path):
    speech = ROOT.parent / "shared" / "data" / "speech" / "ravdess" / "audio"
    lines = sorted(speech.rglob("*.flac"))[:2] or sorted(speech.rglob("*.opus"))[:2]
    if not lines:
        pytest.skip("the recordings of RAVDESS are not here")
    for line in lines:
        shutil.copy(line, tmp_path)
    for path in annotate(tmp_path, Swing).done:
        assert "by the door" in json.loads(path.with_suffix(".json").read_text())["caption"]
    assert len(annotations(tmp_path)) == 2


@pytest.fixture(scope="module")
def cluster():
    with two_nodes() as address:
        yield address


def test_a_ray_cluster_writes_the_same_bytes(folder, cluster):
    (folder / "text.wav").write_text("not sound")
    for seed in range(20):
        stuttering(seed).save(folder / f"line{seed}.wav")
    one = run(folder)
    written = annotations(folder)
    for name in written:
        (folder / name).unlink()
    assert run(folder, ray=cluster) == one
    assert annotations(folder) == written
    assert len(run(folder, ray=cluster).skipped) == len(written)


def test_a_cluster_is_not_asked_for_more_than_it_has(folder, cluster):
    with pytest.raises(InvalidInput, match="2 processors"):
        run(folder, ray=cluster, jobs=3)


def test_ray_is_asked_for_where_it_is_missing(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InvalidInput, match=r"pip install 'voice-actor\[ray\]'"):
        run(folder, ray="auto")


@pytest.fixture
def command(monkeypatch, capsys):
    """Runs `annotate ...` with the toys: (error or None, out, err)."""
    monkeypatch.setattr(EmotionEstimator, "load", lambda name, folder: Swing(f"{name}@1"))
    monkeypatch.setattr(module.Whisper, "load", lambda folder: Stopwatch())
    parser = Parser(prog="python -m training")
    module.add_annotate(parser.add_subparsers())

    def run(*arguments: str):
        error = None
        try:
            options = parser.parse_args(["annotate", *arguments])
            options.run(options)
        except InvalidInput as raised:
            error = str(raised)
        return error, *capsys.readouterr()

    return run


def test_the_command_says_what_was_done(folder, command):
    error, out, err = command(str(folder), "--language", "de", "--estimator", "toy")
    assert (error, out) == (None, "")
    assert err.splitlines()[-1].endswith("speech: 5 annotated.")
    said = json.loads((folder / "a.json").read_text(encoding="utf-8"))
    assert said[KEY]["estimator"] == "toy@1"
    assert said["caption"].endswith("de")
    assert "5 done before" in command(str(folder), "--no-transcript", "--estimator", "toy")[2]


def test_the_command_lists_broken_files_and_fails_at_the_end(folder, command):
    (folder / "text.wav").write_text("not sound")
    (folder / "b.json").write_text("{}")
    error, out, err = command(str(folder))
    assert "4 annotated" in err
    assert [line.count("text.wav") for line in out.splitlines()] == [0, 1]
    assert "b.flac" in out
    assert "2 files could not be annotated" in error


@pytest.mark.parametrize("arguments", [(), ("{}", "--jobs", "x"), ("{}", "--jobs", "0")])
def test_a_wrong_command_is_one_line(folder, command, arguments):
    error, out, _ = command(*(argument.format(folder) for argument in arguments))
    assert len(error.splitlines()) == 1
    assert out == ""
    assert annotations(folder) == {}
