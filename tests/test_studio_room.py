"""The room of the studio: one actor for many visitors, and what each of them has made."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from toys import ToyEstimator

from conditioning.audio import Audio, read_metadata
from conditioning.errors import InvalidInput
from demos.listening import Desk
from demos.room import KEPT, LONGEST_LINE, Room, address, decoded, keep, upload

LINE = "Get out of here, all of you!"
TEXT = " ".join([LINE] * 12)  # several phrases


@pytest.fixture
def room(humming):
    opened = Room(humming, ToyEstimator, patience=0.05)
    yield opened
    opened.close()


def file_at(address: str) -> Path:
    return Path(unquote(address.removeprefix("/gradio_api/file=")))


def test_a_line_is_spoken_phrase_by_phrase_and_is_what_the_actor_performs(room, humming):
    speaking = room.speak(TEXT, "furious", "af_heart", seed=3)
    shares = list(speaking)
    assert shares == sorted(shares)
    assert len(shares) > 1
    assert shares[-1] == 1.0
    expected = humming.perform(TEXT, "furious", "af_heart", seed=3)
    assert np.array_equal(speaking.performance().audio.samples, expected.audio.samples)


def test_a_take_is_that_of_an_audition(room, humming):
    takes = humming.audition(LINE, "furious", "af_heart", takes=3, estimator=ToyEstimator())
    (expected,) = (take for take in takes if take.number == 2)
    take = room.judge(room.speak(LINE, "furious", "af_heart", take=2).performance(), 2)
    assert np.array_equal(take.performance.audio.samples, expected.performance.audio.samples)
    assert take.score == expected.score


def test_the_neutral_reading_is_the_same_speakers_and_is_read_once(room):
    performance = room.speak(LINE, "furious", "bm_george").performance()
    neutral = room.neutral(performance)
    assert neutral.performance.voice == "bm_george"
    assert neutral.performance.direction.curve.is_neutral
    assert room.neutral(room.speak(LINE, "sad", "bm_george").performance()) is neutral


def test_a_long_line_of_one_visitor_lets_another_speak_in_between(room):
    """Phrase by phrase: the actor is free whenever a phrase is done."""
    long = room.speak(TEXT, "furious", "af_heart")
    next(long)
    spoken = []
    other = threading.Thread(
        target=lambda: spoken.append(room.speak(LINE, None, "bm_george").performance())
    )
    other.start()
    other.join(timeout=20)
    assert spoken
    assert long.performance().voice == "af_heart"


def test_visitors_do_not_mix_and_what_they_made_goes_with_them(room):
    first, second = room.visitor("one"), room.visitor("two")
    assert room.visitor("one") is first
    assert first.folder != second.folder
    performance = room.speak(LINE, "furious", "af_heart").performance()
    published = first.publish_performance(performance)
    kept = second.publish("note.txt", b"mine")
    assert Audio.load(file_at(published.wav)).duration == performance.audio.duration
    assert "direction" in read_metadata(file_at(published.ogg))["comment"]
    room.leave("one")
    room.leave("never seen")
    time.sleep(0.5)
    assert not file_at(published.wav).exists()
    assert file_at(kept).read_bytes() == b"mine"
    assert room.visitor("one") is not first
    room.close()
    assert not room.made.exists()


def test_who_has_left_gets_no_more_files_and_what_they_gave_is_forgotten(room, tmp_path):
    given = tmp_path / "given.wav"
    given.write_bytes(b"...")
    visitor = room.visitor("one")
    visitor.desk["somebody"] = Desk(uploads={str(given): b"..."})
    room.leave("one")
    time.sleep(0.5)
    assert not given.exists()
    with pytest.raises(InvalidInput, match="closed"):
        visitor.publish("a.txt", b"1")
    assert not visitor.folder.exists()


def test_a_page_that_comes_back_in_time_finds_everything(room):
    visitor = room.visitor("one")
    kept = visitor.publish("a.txt", b"1")
    room.leave("one")
    assert room.visitor("one") is visitor
    time.sleep(0.5)
    assert file_at(kept).read_bytes() == b"1"


def test_the_same_name_never_means_another_file(room):
    visitor = room.visitor("one")
    assert visitor.publish("a.txt", b"1") != visitor.publish("a.txt", b"2")


def test_an_address_survives_any_character():
    assert file_at(address(Path("/a b/ü?#%.wav"))) == Path("/a b/ü?#%.wav")


@pytest.mark.parametrize("text", ["", "  \n", None, "x" * (LONGEST_LINE + 1)])
def test_what_is_no_line_is_refused_in_a_sentence(room, text):
    with pytest.raises(InvalidInput, match="line"):
        room.speak(text)


def test_an_upload_is_deleted_as_soon_as_it_is_read(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(b"...")
    assert upload(str(path)) == b"..."
    assert not path.exists()


@pytest.mark.parametrize("content", [b"", b"no sound at all"])
def test_what_is_no_sound_is_said_without_its_place(content):
    with pytest.raises(InvalidInput, match=r"^The other take"):
        decoded(content, "other take")


def test_no_upload_is_a_sentence():
    with pytest.raises(InvalidInput, match="no recording; give one"):
        upload(None)


def test_a_folder_or_a_file_that_is_gone_is_a_sentence(tmp_path):
    for path in (tmp_path, tmp_path / "gone.wav"):
        with pytest.raises(InvalidInput, match="no longer here"):
            upload(str(path))
    assert tmp_path.exists()


def test_what_many_ask_for_makes_room_for_what_was_asked_for_last():
    kept = OrderedDict((number, number) for number in range(KEPT))
    keep(kept, 0, "again")
    keep(kept, KEPT, "new")
    assert len(kept) == KEPT
    assert 0 in kept
    assert 1 not in kept


def test_estimators_are_opened_once(humming):
    opened = []
    room = Room(humming, lambda name: opened.append(name) or ToyEstimator(name))
    assert room.estimator("tiny") is room.estimator("tiny")
    assert opened == ["tiny"]


def test_what_is_heard_of_a_recording_is_heard_in_the_whole_and_over_time(room, humming):
    audio = humming.perform(TEXT, "furious", "af_heart").audio
    baseline = room.baseline([humming.perform(LINE).audio], "standard")
    assert room.hear(audio, "standard", baseline).intensities["Anger"] > 0
    assert len(room.hear_over_time(audio, "standard", baseline)) > 3
    assert len(room.hear_over_time(audio, "standard", baseline, hop=0.1)) > 20
