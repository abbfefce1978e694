"""The face: emotions show on it, the mouth is the speaker's, and files are what engines read."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest

from conditioning.emotion import EmotionVector
from voice_actor.face import BLENDSHAPES, _tables, blendshapes, face_json, live_link_csv
from voice_actor.mouth import FRAME_RATE, viseme_cues

LINE = "My papa bought a fine boat, fool."


def curve(frames: np.ndarray, name: str) -> np.ndarray:
    return frames[:, BLENDSHAPES.index(name)]


def test_the_shapes_are_arkits():
    assert len(BLENDSHAPES) == len(set(BLENDSHAPES)) == 52


def test_every_emotion_shows_on_the_face():
    expressions, mouths = _tables()
    assert expressions.shape == (40, 52)
    assert (expressions.max(axis=1) > 0).all()
    assert max(expressions.max(), mouths.max()) <= 1


@pytest.mark.parametrize(
    ("emotion", "shape"),
    [("Anger", "browDownLeft"), ("Elation", "mouthSmileRight"), ("Sadness", "browInnerUp")],
)
def test_more_asked_is_more_shown(humming, emotion, shape):
    shown = [
        curve(blendshapes(humming.perform(LINE, EmotionVector({emotion: asked}))), shape).mean()
        for asked in (0.0, 0.4, 0.8)
    ]
    assert shown == sorted(shown)
    assert shown[2] > shown[0] + 0.1


def test_a_curve_over_the_line_moves_the_face_without_a_jump(humming):
    performance = humming.perform("[sad] You came back to me. [furious] And now get out!")
    frames = blendshapes(performance)
    brow = curve(frames, "browDownLeft")
    assert brow[-5] > brow[5] + 0.3
    assert np.abs(np.diff(brow)).max() < 0.15


def test_the_mouth_closes_for_m_and_opens_for_a(humming):
    performance = humming.perform(LINE, "surprised", "af_heart")
    frames = blendshapes(performance)
    jaw, press = curve(frames, "jawOpen"), curve(frames, "mouthPressLeft")
    for cue in viseme_cues(performance):
        middle = round((cue.start + cue.end) / 2 * FRAME_RATE)
        if cue.shape == "PP":
            assert press[middle] > 0.2
            assert jaw[middle] < 0.2
        if cue.shape == "aa":
            assert jaw[middle] > 0.3


def test_the_eyes_blink_now_and_then_and_always_alike(humming):
    performance = humming.perform(" ".join([LINE] * 12))
    lids = curve(blendshapes(performance), "eyeBlinkLeft")
    blinks = np.count_nonzero(np.diff((lids > 0.5).astype(int)) == 1)
    assert performance.audio.duration / 6 - 1 <= blinks <= performance.audio.duration / 2
    assert np.array_equal(lids, curve(blendshapes(performance), "eyeBlinkLeft"))


def test_the_json_holds_every_curve_that_moves(humming):
    performance = humming.perform(LINE, "furious")
    written = json.loads(json.dumps(face_json(performance)))
    assert written["frames"] == round(performance.audio.duration * FRAME_RATE) + 1
    assert set(written["curves"]) <= set(BLENDSHAPES)
    for values in written["curves"].values():
        assert len(values) == written["frames"]
        assert min(values) >= 0
        assert max(values) <= 1


def test_the_csv_is_what_live_link_face_writes(humming):
    performance = humming.perform(" ".join([LINE] * 12), "furious")
    rows = list(csv.DictReader(io.StringIO(live_link_csv(performance))))
    assert len(rows) == round(performance.audio.duration * FRAME_RATE) + 1
    assert list(rows[0])[:3] == ["Timecode", "BlendshapeCount", "EyeBlinkLeft"]
    assert list(rows[0])[-3:] == ["RightEyeYaw", "RightEyePitch", "RightEyeRoll"]
    assert all(len(row) == 63 and row["BlendshapeCount"] == "61" for row in rows)
    assert rows[31]["Timecode"] == "00:00:01:01.000"
    assert any(float(row["BrowDownLeft"]) > 0.5 for row in rows)


def test_places_move_through_the_text_with_the_words(humming):
    performance = humming.perform(LINE)
    middles = [(word.start + word.end) / 2 for word in performance.words]
    places = performance.places(middles) * len(LINE)
    assert [LINE[: round(place)].count(" ") for place in places] == list(range(len(places)))
    ends = performance.places([0, performance.audio.duration])
    assert ends.tolist() == [0, 1]
