"""Finding weights: the order of places, the hashes, and conversions that are never half there."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from conditioning import weights
from conditioning.errors import UnknownName, WeightsError

CONTENT, CONVERTED = b"a voice", b"A VOICE"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def shout(files: list[Path], target: Path) -> None:
    target.write_bytes(b"".join(file.read_bytes() for file in files).upper())


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    """A folder of checkpoints with a manifest, an own cache, and a hub that is out of reach."""
    monkeypatch.setattr(weights, "CHECKPOINTS", tmp_path)
    monkeypatch.setenv(weights.CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.delenv(weights.FOLDER_VARIABLE, raising=False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    common = 'about = "a"\nlicence = "MIT"\nlink = "l"\ncommercial = true\n'
    (tmp_path / "manifest.toml").write_text(
        f"""
[plain]
{common}
[[plain.sources]]
[[plain.sources.parts]]
file = "plain.bin"
sha256 = "{sha256(CONTENT)}"

[made]
{common}
[[made.sources]]
convert = "shout"
sha256 = "{sha256(CONVERTED)}"
[[made.sources.parts]]
file = "plain.bin"
sha256 = "{sha256(CONTENT)}"

[elsewhere]
{common}
[[elsewhere.sources]]
[[elsewhere.sources.parts]]
wheel = "no-such-wheel-at-all"
file = "x/part.bin"
sha256 = "{sha256(CONTENT)}"
[[elsewhere.sources]]
[[elsewhere.sources.parts]]
hub = "nobody/nothing"
file = "model.pth"
sha256 = "{sha256(CONTENT)}"
"""
    )
    (tmp_path / "plain.bin").write_bytes(CONTENT)
    return tmp_path


def test_a_checkpoint_is_found_by_name(place):
    assert weights.path("plain") == place / "plain.bin"


def test_an_unknown_name_is_answered_with_the_nearest(place):
    with pytest.raises(UnknownName, match="'plian'.*Did you mean 'plain'"):
        weights.path("plian")


def test_a_damaged_file_is_named_and_not_used(place):
    (place / "plain.bin").write_bytes(CONTENT[:-1])
    with pytest.raises(WeightsError, match=r"plain\.bin is damaged"):
        weights.path("plain")


def test_a_missing_file_says_what_to_do(place):
    (place / "plain.bin").unlink()
    with pytest.raises(WeightsError, match=r"plain\.bin is missing; install Voice Actor again"):
        weights.path("plain")


def test_every_place_that_was_tried_is_named(place):
    with pytest.raises(WeightsError) as caught:
        weights.path("elsewhere")
    assert "pip install no-such-wheel-at-all" in str(caught.value)
    assert "the hub gave no model.pth" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_users_folder_comes_first(place, monkeypatch):
    folder = place / "mine"
    folder.mkdir()
    (folder / "model.pth").write_bytes(CONTENT)
    assert weights.path("elsewhere", folder=folder) == folder / "model.pth"
    monkeypatch.setenv(weights.FOLDER_VARIABLE, str(folder))
    assert weights.path("elsewhere") == folder / "model.pth"


def test_a_wrong_file_in_the_users_folder_is_not_passed_over(place):
    folder = place / "mine"
    folder.mkdir()
    (folder / "plain.bin").write_bytes(b"something else")
    with pytest.raises(WeightsError, match=r"mine.plain\.bin is damaged or another version"):
        weights.path("plain", folder=folder)


def test_a_folder_that_is_none_is_refused(place):
    with pytest.raises(WeightsError, match="not a folder"):
        weights.path("plain", folder=place / "plain.bin")


def test_a_conversion_is_made_once(place):
    made = []

    def count(files, target):
        made.append(target)
        shout(files, target)

    first = weights.path("made", {"shout": count})
    assert first.read_bytes() == CONVERTED
    assert weights.path("made", {"shout": count}) == first
    assert len(made) == 1


def test_a_damaged_conversion_is_made_anew_and_named(place, caplog):
    file = weights.path("made", {"shout": shout})
    file.write_bytes(CONVERTED[:3])
    assert weights.path("made", {"shout": shout}).read_bytes() == CONVERTED
    assert caplog.text.count(str(file)) == 1


def test_a_conversion_that_fails_leaves_nothing(place):
    def fail(files, target):
        target.write_bytes(CONVERTED[:2])
        raise OSError(28, "No space left on device")

    with pytest.raises(WeightsError, match="No space left"):
        weights.path("made", {"shout": fail})
    assert list((place / "cache").iterdir()) == []


def test_a_conversion_that_is_interrupted_leaves_nothing(place):
    def stop(files, target):
        target.write_bytes(CONVERTED[:2])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        weights.path("made", {"shout": stop})
    assert list((place / "cache").iterdir()) == []


def test_a_conversion_with_another_result_is_never_used(place):
    with pytest.raises(WeightsError, match="damaged or another version"):
        weights.path("made", {"shout": lambda files, target: target.write_bytes(b"?")})
    assert list((place / "cache").iterdir()) == []


def test_a_cache_that_cannot_be_written_is_named(place, monkeypatch):
    (place / "file").write_text("")
    monkeypatch.setenv(weights.CACHE_VARIABLE, str(place / "file"))
    with pytest.raises(WeightsError, match=f"{weights.CACHE_VARIABLE} to a folder"):
        weights.path("made", {"shout": shout})


def test_two_processes_may_convert_at_once(place):
    program = f"""
import pathlib, sys, time
sys.path[:0] = {[str(Path(__file__).parent), str(Path(__file__).parent.parent)]!r}
from conditioning import weights
from test_weights import shout
weights.CHECKPOINTS = pathlib.Path({str(place)!r})
def slow(files, target):
    target.write_bytes(b"half")
    time.sleep(0.3)
    shout(files, target)
print(weights.path("made", {{"shout": slow}}).read_bytes().decode())
"""
    both = [
        subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    assert [process.communicate()[0].strip() for process in both] == [CONVERTED.decode()] * 2


def test_the_manifest_gives_every_weight_a_licence_and_a_hash():
    for entry in weights.manifest().values():
        assert entry.licence
        assert entry.link
        for source in entry.sources:
            assert source.parts
            for text in [part.sha256 for part in source.parts] + [source.sha256 or "0" * 64]:
                assert len(text) == 64
            assert bool(source.convert) == bool(source.sha256)


def test_what_lies_in_checkpoints_is_what_the_manifest_says():
    for entry in weights.manifest().values():
        for part in (part for source in entry.sources for part in source.parts):
            if not part.wheel and not part.hub:
                weights.verify(weights.CHECKPOINTS / part.file, part.sha256)


def test_all_that_speaking_needs_may_be_used_commercially():
    entries = weights.manifest()
    needed = ("kokoro-82m", "kokoro-voices-en", "perth-implicit", "adapter-seed", "voices")
    assert all(entries[name].commercial for name in needed)
