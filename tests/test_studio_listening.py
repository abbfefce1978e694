"""Listen: what the page says is heard in a recording, and what becomes of the file."""

from __future__ import annotations

import io
import json
import os
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
import soundfile
from playwright.sync_api import expect

from conditioning import weights
from conditioning.audio import FORMATS, Audio
from conditioning.errors import InvalidInput, UserError
from conditioning.estimator import ESTIMATORS
from demos import listening
from demos.listening import ALL, BEFORE, CONSENT, EARS, TAKES, Desk, Heard, listen, told
from demos.room import Room
from voice_actor.provenance import Provenance

RATE = 16_000


def hum(pitch: float, duration: float = 2.0) -> Audio:
    """Higher than 200 Hz is heard as anger by the toy, lower as sadness."""
    times = np.arange(round(duration * RATE)) / RATE
    return Audio((0.3 * np.sin(2 * np.pi * pitch * times)).astype(np.float32), RATE)


HIGH = hum(300)


@pytest.fixture
def uploads(tmp_path) -> Path:
    folder = tmp_path / "uploads"
    folder.mkdir()
    return folder


@pytest.fixture
def give(uploads):
    """Puts a sound into the upload folder; gives its path."""

    def give(sound: Audio | bytes = HIGH, name: str = "take.wav") -> str:
        content = sound if isinstance(sound, bytes) else sound.encode(Path(name).suffix)
        (uploads / name).write_bytes(content)
        return str(uploads / name)

    return give


def left(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file()]


def hear(room: Room, desk: Desk, path: str, ear: str = "standard", against: str = ALL) -> Heard:
    desk.take(path, [], agreed=True)
    return listen(room, desk, ear, against)


def test_the_higher_hum_is_angry_and_its_file_is_gone(room, give, uploads):
    heard = hear(room, Desk(), give(hum(330)))
    assert told(heard.whole) == (
        "Most of all Anger 0.72, then Impatience and Irritability 0.36: unpleasant and excited."
    )
    assert heard.recording.name == "take.wav"
    assert left(uploads) == []


def test_what_is_hardly_there_is_not_told(room, give):
    assert told(hear(room, Desk(), give(hum(202))).whole) == (
        "No emotion stands out. Much of it is a neutral voice."
    )


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_is_heard_alike(room, give, suffix):
    heard = hear(room, Desk(), give(hum(330), f"take{suffix}"))
    assert heard.whole.top(1)[0] == ("Anger", pytest.approx(0.72, abs=0.02))


def test_without_consent_nothing_is_read_and_all_files_are_deleted(give, uploads, monkeypatch):
    monkeypatch.setattr(listening, "decoded", lambda *given: pytest.fail("was read"))
    monkeypatch.setattr(soundfile, "info", lambda *given: pytest.fail("was opened"))
    desk, paths = Desk(), [give(hum(110), name) for name in ("a.wav", "b.wav")]
    with pytest.raises(InvalidInput, match=CONSENT):
        desk.take(give(), paths, agreed=False)
    assert left(uploads) == []
    assert desk.recording is None


def wide(duration: float = 0.5, rate: int = 96_000) -> bytes:
    written = io.BytesIO()
    stereo = np.stack([hum(330, 6 * duration).samples[: round(duration * rate)]] * 2, axis=1)
    soundfile.write(written, stereo, rate, format="WAV", subtype="FLOAT")
    return written.getvalue()


BAD = {
    "nothing in it": (b"", "empty"),
    "a text": (b"no sound", "not audio that can be read; give a WAV"),
    "a header alone": (Audio(np.zeros(1, np.float32), RATE).encode()[:44], "no samples"),
    "cut short": (hum(300).encode(".flac")[:100], "not audio|no samples"),
}


@pytest.mark.parametrize(("content", "message"), BAD.values(), ids=BAD)
@pytest.mark.parametrize("place", ["recording", "other take"])
def test_what_is_no_recording_is_refused_in_a_sentence_and_deleted(
    give, uploads, content, message, place
):
    desk, bad = Desk(), give(content, "bad.wav")
    with pytest.raises(InvalidInput, match=message) as refused:
        desk.take(bad, [], True) if place == "recording" else desk.take(give(), [bad], True)
    assert place in str(refused.value)
    assert str(uploads) not in str(refused.value)
    assert left(uploads) == []


@pytest.mark.parametrize("place", ["folder", "gone.wav"])
def test_a_folder_and_a_file_that_is_gone_are_refused(uploads, place):
    (uploads / "folder").mkdir()
    with pytest.raises(InvalidInput, match="no longer here"):
        Desk().take(str(uploads / place), [], True)
    assert (uploads / "folder").is_dir()


@pytest.mark.parametrize(
    "sound", [Audio(np.zeros(RATE, np.float32), RATE), hum(0, 0.005)], ids=["silence", "5 ms"]
)
def test_where_nobody_speaks_it_is_said_so_and_nothing_is_drawn(room, give, sound):
    desk = Desk()
    heard = hear(room, desk, give(sound))
    assert told(heard.whole) == "No speech is heard."
    assert listening.portrait(heard) == ""
    assert desk.heard == []


def test_stereo_at_96_khz_is_heard(room, give):
    heard = hear(room, Desk(), give(wide(), "wide.wav"))
    assert heard.recording.audio.sample_rate == 96_000
    assert heard.whole.speech


def test_a_long_recording_is_sent_to_the_command_line_before_it_is_decoded(
    give, uploads, monkeypatch
):
    monkeypatch.setattr(listening, "decoded", lambda *given: pytest.fail("was read"))
    long = Audio(np.zeros(601 * 1000, np.float32), 1000)
    with pytest.raises(InvalidInput, match=r"lasts 10\.0 minutes.*voice-actor listen"):
        Desk().take(give(long, "long.flac"), [], True)
    half = Audio(np.zeros(301 * 1000, np.float32), 1000)
    halves = [give(half, f"{name}.flac") for name in "ab"]
    with pytest.raises(InvalidInput, match="other takes together last 10.0 minutes"):
        Desk().take(give(), halves, True)
    assert left(uploads) == []


def test_against_other_takes_of_the_voice_it_is_calm(room, give):
    desk = Desk()
    takes = [give(hum(pitch), f"{pitch}.wav") for pitch in (300, 330, 363)]
    desk.take(give(hum(330)), takes, True)
    heard = listen(room, desk, "standard", TAKES)
    assert heard.whole.intensities["Anger"] < 0.05
    assert listening.measured(heard) == (
        "Measured against 3 other takes of the voice; about 10 in mixed moods are dependable."
    )
    assert hear(room, desk, give(hum(330), "next.wav"), against=TAKES).takes == 3
    assert listen(room, desk, "standard", ALL).whole.intensities["Anger"] > 0.7


def test_ten_takes_are_dependable(room, give):
    heard = hear(room, Desk(), give())
    assert "mixed moods" in listening.measured(replace(heard, takes=9))
    assert "mixed moods" not in listening.measured(replace(heard, takes=10))


def test_what_was_listened_to_before_is_a_baseline_without_the_recording_itself(room, give):
    desk = Desk()
    hear(room, desk, give(hum(330), "a.wav"))
    with pytest.raises(InvalidInput, match="listened to before"):
        listen(room, desk, "standard", BEFORE)
    hear(room, desk, give(hum(300), "b.wav"))
    heard = hear(room, desk, give(hum(315), "c.wav"), against=BEFORE)
    assert (heard.takes, len(desk.heard)) == (2, 3)
    assert heard.whole.intensities["Anger"] < 0.05
    assert [take.duration for take in desk.habits] == [2, 2]


def test_of_what_was_listened_to_ten_minutes_are_kept():
    desk = Desk()
    sounds = [Audio(np.zeros(250 * 1000, np.float32), 1000) for _ in range(3)]
    for sound in (*sounds, sounds[-1]):
        desk.remember(sound)
    assert desk.heard == sounds[1:]


@pytest.mark.parametrize(
    ("ear", "against", "message"),
    [
        ("standard", TAKES, "no other take"),
        ("tiny", TAKES, "Tiny measures against no takes"),
        ("standrad", ALL, "Did you mean 'standard'"),
        ("standard", "moon", "Unknown choice 'moon'"),
    ],
)
def test_choices_that_cannot_be_are_refused(room, give, ear, against, message):
    desk = Desk()
    desk.take(give(), [give(hum(200), "other.wav")] if ear == "tiny" else [], True)
    with pytest.raises(UserError, match=message):
        listen(room, desk, ear, against)


def test_no_recording_at_all_is_refused_and_another_listener_hears_the_last(room, give):
    desk = Desk()
    with pytest.raises(InvalidInput, match="no recording"):
        desk.take(None, [], True)
    first = hear(room, desk, give())
    desk.take(None, [], True)
    assert listen(room, desk, "permissive", ALL).recording is first.recording


def test_licences_that_the_page_tells_are_those_of_the_weights():
    assert set(EARS) == {name for name in ESTIMATORS if "insight" not in name}
    for name, label in EARS.items():
        entry = weights.manifest()[f"estimator-{name}"]
        assert entry.licence.replace("CC-", "CC ").replace("-", " ").lower() in (
            label.replace("-", " ").lower()
        )
        assert ("Not for commercial use" in label) is not entry.commercial


def test_our_own_recordings_are_recognised_by_what_they_say_of_themselves(room, give, humming):
    made = humming.perform("Hello there.", None, "bm_george")
    path = give(made.audio.encode(".ogg", made.provenance.to_metadata()), "line.ogg")
    heard = hear(room, Desk(), path)
    assert "synthetic speech, made by Voice Actor" in listening.introduced(heard.recording, "")
    plain = Desk().take(give(), [], True)
    assert "Voice Actor" not in listening.introduced(plain, "")


def test_the_json_is_what_the_command_line_writes_in_the_whole_and_over_time(room, give):
    said = json.loads(json.dumps(hear(room, Desk(), give(hum(330))).to_json()))
    assert said["file"] == "take.wav"
    assert said["intensities"]["Anger"] == pytest.approx(0.72, abs=0.01)
    assert [window["start"] for window in said["over_time"]] == [0.0]


def test_names_of_files_are_text():
    sound = listening.Recording("<img src=x onerror=alert(1)>.wav", hum(300), None)
    shown = listening.introduced(sound, "/player")
    assert "<img" not in shown
    assert "&lt;img" in shown


def test_a_provenance_is_text():
    said = Provenance.of("Hello", "<b>me</b>", created="2026")
    shown = listening.introduced(listening.Recording("a.wav", hum(300), said), "/player")
    assert "&lt;b&gt;" in shown


def test_sound_beyond_full_scale_can_be_played():
    loud = Audio(np.float32([0.5, 1.5, -2.0]), RATE)
    played = Audio.load(io.BytesIO(listening.playable(loud)))
    assert played.samples == pytest.approx([0.5, 1.0, -1.0], abs=1e-4)


def test_what_lay_on_the_page_unused_is_deleted_when_it_is_replaced(give, uploads):
    desk, first, second = Desk(), give(name="a.wav"), give(name="b.wav")
    desk.await_use([first, None])
    desk.await_use([second, None])
    assert left(uploads) == ["b.wav"]
    desk.await_use([None])
    assert left(uploads) == []


def test_files_that_the_page_showed_are_deleted_when_others_take_their_place(room):
    visitor = room.visitor("one")
    addresses = [listening.show(visitor, "a b'c.wav", b"sound") for _ in range(2)]
    paths = [Path(unquote(address.partition("file=")[2])) for address in addresses]
    assert [path.read_bytes() for path in paths] == [b"sound", b"sound"]
    listening.clear(visitor)
    assert not any(path.exists() for path in paths)
    kept = listening.show(visitor, "d.wav", b"more")
    room.close()
    assert not Path(unquote(kept.partition("file=")[2])).exists()


@pytest.fixture
def listener(visit, tmp_path):
    """The open tab, as a creator uses it; `files` are those that were uploaded."""

    class Listener:
        page = visit("Listen")
        files = Path(os.environ["GRADIO_TEMP_DIR"])

        def give(self, content: bytes, name: str) -> None:
            path = tmp_path / name
            path.write_bytes(content)
            with self.page.expect_file_chooser() as chooser:
                self.page.get_by_role("button", name="Drop an audio file here").click()
            with self.page.expect_response(lambda answer: "/upload?" in answer.url):
                chooser.value.set_files(path)
            self.page.get_by_role("button", name="Clear").first.wait_for()

        def found(self, name: str) -> list[bytes]:
            return [path.read_bytes() for path in self.files.rglob(name)]

        def press(self, name: str) -> None:
            self.page.get_by_role("button", name=name, exact=True).press("Enter")

        def agree(self) -> None:
            self.page.get_by_role("checkbox", name=CONSENT).press("Space")

    Listener.page.set_default_timeout(60_000)
    return Listener()


@pytest.mark.browser
def test_a_creator_listens_to_a_recording_and_acts_like_it(listener):
    page, sound = listener.page, hum(330, 5).encode(".mp3")
    listener.give(sound, "angry hum.mp3")
    assert listener.found("angry hum.mp3") == [sound]
    listener.press("Listen")
    page.get_by_text("Nothing was read, and the recording is deleted").wait_for()
    page.get_by_role("button", name="Drop an audio file here").wait_for()
    assert listener.found("angry hum.mp3") == []

    listener.agree()
    listener.give(sound, "angry hum.mp3")
    listener.press("Listen")
    expect(page.get_by_role("status").filter(has_text="Most of all Anger")).to_be_visible()
    assert listener.found("angry hum.mp3") == []
    player = page.get_by_label("angry hum.mp3")
    assert player.evaluate(
        "sound => new Promise(done => sound.duration ? done(sound.duration) : "
        "sound.addEventListener('loadedmetadata', () => done(sound.duration)))"
    ) == pytest.approx(5, abs=0.2)
    for emotion in ("Anger", "Sadness", "Awe"):
        assert page.get_by_text(emotion).count()
    assert page.get_by_role("img").filter(visible=True).count() >= 2
    with page.expect_download() as download:
        page.get_by_role("link", name="JSON").click()
    said = json.loads(Path(download.value.path()).read_text())
    assert download.value.suggested_filename == "angry hum.json"
    assert (said["file"], len(said["over_time"])) == ("angry hum.mp3", 7)

    listener.press("Act like this")
    page.get_by_role("tab", name="Act", exact=True, selected=True).wait_for()
    page.get_by_text("Acts like your recording").wait_for()


@pytest.mark.browser
def test_the_page_goes_on_after_files_that_cannot_be_heard(listener):
    page = listener.page
    listener.agree()
    for number, (content, message) in enumerate(
        [(b"no sound", "not audio that can be read"), (b"", "is empty")]
    ):
        listener.give(content, f"bad{number}.wav")
        listener.press("Listen")
        page.get_by_text(message).wait_for()
        page.get_by_role("button", name="Drop an audio file here").wait_for()
        assert listener.found(f"bad{number}.wav") == []
    listener.give(Audio(np.zeros(RATE, "f4"), RATE).encode(), "still.wav")
    listener.press("Listen")
    page.get_by_text("No speech is heard.").wait_for()
    assert not page.get_by_role("button", name="Act like this").is_visible()
    listener.give(wide(), "wide.wav")
    listener.press("Listen")
    page.get_by_text("Most of all Anger").wait_for()


@pytest.mark.browser
def test_a_voice_is_measured_against_its_other_takes(listener, tmp_path):
    page = listener.page
    listener.agree()
    listener.give(hum(330).encode(), "one.wav")
    page.get_by_role("button", name="listens, against").press("Enter")
    page.get_by_role("radio", name="Other takes of the same voice").press("Space")
    takes = [tmp_path / f"take{pitch}.wav" for pitch in (300, 330, 363)]
    for path, pitch in zip(takes, (300, 330, 363), strict=True):
        hum(pitch).save(path)
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Click to upload or drop files").click()
    chooser.value.set_files(takes)
    page.get_by_text("take363").first.wait_for()
    listener.press("Listen")
    page.get_by_text("Measured against 3 other takes").wait_for()
    page.get_by_role("button", name="against other takes").wait_for()
    assert not any(listener.found(path.name) for path in takes)


def test_two_visitors_who_give_the_same_file_do_not_take_it_from_each_other(room, give):
    """Files are named by what is in them, so that the same one lies in the same place."""
    path = give(hum(330))
    first, second = Desk(), Desk()
    first.await_use([path])
    second.await_use([path])
    first.take(path, [], True)
    assert not Path(path).exists()
    assert second.take(path, [], True).audio.duration == first.recording.audio.duration
