from __future__ import annotations

import json
import math
import pickle

import pytest

from conditioning.emotion import EmotionCurve, EmotionVector
from conditioning.errors import InvalidInput, UnknownName
from conditioning.taxonomy import NAMES, find

ANGER = EmotionVector({"Anger": 1.0})
FEAR = EmotionVector({"Fear": 1.0})
NEUTRAL = EmotionVector()


def test_a_vector_takes_any_accepted_name_and_gives_its_intensity_back():
    vector = EmotionVector({"Anger": 0.8, "surprise": 0.2})
    assert vector["anger"] == 0.8
    assert vector["Astonishment/Surprise"] == 0.2
    assert vector["Fear"] == 0.0
    assert vector.items() == (("Anger", 0.8), ("Astonishment/Surprise", 0.2))


def test_no_intensities_are_neutral_and_zeros_too():
    assert NEUTRAL.is_neutral
    assert EmotionVector({"Anger": 0}) == NEUTRAL
    assert hash(EmotionVector({"Anger": 0})) == hash(NEUTRAL)
    assert not ANGER.is_neutral
    assert NEUTRAL.items() == ()


def test_equal_vectors_are_equal_hash_alike_and_survive_pickling():
    vector = EmotionVector({"Anger": 0.5, "Fear": 0.25})
    same = EmotionVector({"fear": 0.25, "rage": 0.5})
    assert vector == same
    assert len({vector, same}) == 1
    assert pickle.loads(pickle.dumps(vector)) == vector


def test_a_vector_cannot_be_changed():
    with pytest.raises(AttributeError):
        ANGER._values = ()


@pytest.mark.parametrize("value", [7, -0.1, math.nan, math.inf, True, "0.5", None, 1.0000001])
def test_an_intensity_outside_zero_to_one_is_refused_by_name(value):
    with pytest.raises(InvalidInput, match=r"Intensity of 'Anger' is .*; allowed: 0 to 1;"):
        EmotionVector({"Anger": value})


def test_two_names_of_one_category_are_refused():
    with pytest.raises(InvalidInput, match="'rage' and 'Anger' both mean 'Anger'"):
        EmotionVector({"rage": 0.2, "Anger": 0.3})


def test_a_vector_made_from_text_or_a_list_is_pointed_to_the_right_door():
    with pytest.raises(InvalidInput, match=r"EmotionVector\.parse"):
        EmotionVector("anger=0.3")
    with pytest.raises(UnknownName, match="Did you mean 'anger'"):
        EmotionVector({"angr": 0.3})


@pytest.mark.parametrize(
    "text", ["anger=0.9, contempt=0.3", "anger 0.9; contempt: 30%", " Anger = 90 % ,contempt .3"]
)
def test_numbers_are_parsed_in_every_accepted_writing(text):
    assert EmotionVector.parse(text) == EmotionVector({"Anger": 0.9, "Contempt": 0.3})


def test_neutral_is_parsed_and_printed():
    assert EmotionVector.parse(" Neutral ") == NEUTRAL
    assert str(NEUTRAL) == "neutral"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("anger", "has no number"),
        ("anger=", "has no number"),
        ("anger=high", "has no number"),
        ("anger=0.2,,fear=0.3", "has no number"),
        ("anger=0,9", "has no number"),
        ("anger=7", "Intensity of 'Anger' is 7"),
        ("anger=nan", "Intensity of 'Anger' is nan"),
        ("anger=-1", "Intensity of 'Anger' is -1"),
        ("anger=120%", "Intensity of 'Anger' is 1.2"),
        ("anger=0.2, rage=0.3", "'Anger' stands twice"),
        ("💥=0.3, " * 900, "Unknown emotion '💥'"),
    ],
)
def test_what_cannot_be_parsed_is_refused_in_one_short_line(text, message):
    with pytest.raises((InvalidInput, UnknownName), match=message) as caught:
        EmotionVector.parse(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 1500


@pytest.mark.parametrize("name", NAMES)
def test_printing_and_parsing_bring_every_category_back_exactly(name):
    vector = EmotionVector({name: 0.1 + 0.2, "Anger" if name != "Anger" else "Fear": 1e-7})
    assert EmotionVector.parse(str(vector)) == vector
    assert eval(repr(vector)) == vector


def test_lists_and_json_bring_a_vector_back():
    vector = EmotionVector({"Pain": 0.4, "Jealousy & Envy": 1})
    assert len(vector.to_list()) == 40
    assert EmotionVector.from_list(vector.to_list()) == vector
    assert EmotionVector.from_json(json.loads(json.dumps(vector.to_json()))) == vector
    with pytest.raises(InvalidInput, match="39 intensities came; allowed: 40"):
        EmotionVector.from_list([0.0] * 39)


def test_blending_goes_straight_from_one_vector_to_the_other():
    assert ANGER.blend(FEAR, 0) == ANGER
    assert ANGER.blend(FEAR, 1) == FEAR
    assert ANGER.blend(FEAR, 0.25) == EmotionVector({"Anger": 0.75, "Fear": 0.25})
    with pytest.raises(InvalidInput, match="weight of a blend"):
        ANGER.blend(FEAR, 1.5)


def test_scaling_stops_at_one():
    vector = EmotionVector({"Anger": 0.4, "Fear": 0.8})
    assert vector.scale(2) == EmotionVector({"Anger": 0.8, "Fear": 1})
    assert vector.scale(0) == NEUTRAL
    for factor in (-1, math.nan, math.inf, True):
        with pytest.raises(InvalidInput, match="factor of a scaling"):
            vector.scale(factor)


def test_combining_keeps_the_stronger_of_each_category():
    one = EmotionVector({"Anger": 0.4, "Fear": 0.8})
    two = EmotionVector({"Anger": 0.6, "Pain": 0.1})
    assert one.combine(two) == EmotionVector({"Anger": 0.6, "Fear": 0.8, "Pain": 0.1})
    assert one.combine(one) == one


def test_distance_is_euclidean():
    assert NEUTRAL.distance(ANGER) == 1
    assert ANGER.distance(FEAR) == pytest.approx(math.sqrt(2))
    assert ANGER.distance(ANGER) == 0


def test_a_full_emotion_lies_at_its_place_and_half_of_it_half_way():
    anger = find("Anger")
    assert (ANGER.valence, ANGER.arousal, ANGER.dominance) == pytest.approx(
        (anger.valence, anger.arousal, anger.dominance)
    )
    assert ANGER.scale(0.5).arousal == pytest.approx(anger.arousal / 2)
    both = ANGER.combine(FEAR)
    assert both.dominance == pytest.approx((anger.dominance + find("Fear").dominance) / 2)
    assert NEUTRAL.valence == NEUTRAL.arousal == NEUTRAL.dominance == 0


def test_laions_scores_come_back_through_their_scale():
    vector = EmotionVector({"Anger": 0.5, "Jealousy & Envy": 1.0})
    scores = vector.to_laion()
    assert len(scores) == 40
    assert scores["Anger"] == 2.0
    assert scores["Jealousy_&_Envy"] == 4.0
    assert EmotionVector.from_laion(scores) == vector


def test_a_whole_annotation_is_read_without_its_attributes():
    annotation = {
        "source_audio_file": "a.wav",
        "caption": "Hello.",
        "emotions": {"Anger": 1.0, "Fear": -0.2, "Pain": 4.3, "Valence": -2.5, "Age": 3.1},
    }
    assert EmotionVector.from_laion(annotation) == EmotionVector({"Anger": 0.25, "Pain": 1.0})


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ({"Angr": 1.0}, "Unknown LAION key 'Angr'. Did you mean 'Anger'"),
        ({"Anger": 40}, "score of 'Anger' is '40'; allowed: 0 to 4"),
        ({"Anger": math.nan}, "score of 'Anger' is 'nan'"),
        ({"Anger": "2"}, "score of 'Anger'"),
        ({"Valence": 1.0}, "No emotion is among the scores"),
        ([1, 2], "came as list"),
    ],
)
def test_scores_that_are_none_are_refused(scores, message):
    with pytest.raises((InvalidInput, UnknownName), match=message):
        EmotionVector.from_laion(scores)


def test_a_constant_curve_is_the_same_everywhere():
    curve = EmotionCurve.constant(ANGER)
    assert curve.at(0) == curve.at(0.3) == curve.at(1) == curve.mean() == ANGER
    assert curve.steps == ()


def test_a_curve_runs_straight_between_points_and_holds_outside():
    curve = EmotionCurve(((0.2, NEUTRAL), (0.6, ANGER)))
    assert curve.at(0.1) == NEUTRAL
    assert curve.at(0.4)["Anger"] == pytest.approx(0.5)
    assert curve.at(0.9) == ANGER
    assert curve.mean()["Anger"] == pytest.approx(0.2 + 0.4)


def test_two_points_at_one_position_make_a_step():
    curve = EmotionCurve(((0, ANGER), (0.5, ANGER), (0.5, FEAR), (1, NEUTRAL)))
    assert curve.steps == (0.5,)
    assert curve.before(0.5) == ANGER
    assert curve.at(0.5) == FEAR
    assert curve.at(0.499) == ANGER
    assert curve.mean()["Anger"] == pytest.approx(0.5)
    assert curve.mean()["Fear"] == pytest.approx(0.25)


def test_sampling_gives_one_row_of_forty_a_position():
    curve = EmotionCurve(((0, NEUTRAL), (1, ANGER)))
    samples = curve.sample([0, 0.5, 1])
    assert samples.shape == (3, 40)
    assert samples.dtype == "float32"
    assert samples[:, NAMES.index("Anger")].tolist() == [0, 0.5, 1]
    assert curve.sample([]).shape == (0, 40)


def test_a_curve_scales_compares_and_comes_back_from_json():
    curve = EmotionCurve([(0, NEUTRAL), (1, ANGER)])
    assert EmotionCurve.from_json(json.loads(json.dumps(curve.to_json()))) == curve
    assert hash(curve) == hash(EmotionCurve(((0.0, NEUTRAL), (1.0, ANGER))))
    assert curve.scale(0.5).at(1)["Anger"] == 0.5
    assert not curve.is_neutral
    assert curve.scale(0).is_neutral


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ((), "no points"),
        (((0.5, ANGER), (0.2, FEAR)), "sort the points"),
        (((1.5, ANGER),), "position on a curve is '1.5'; allowed: 0 to 1"),
        (((math.nan, ANGER),), "position on a curve is 'nan'"),
        (((0.5, {"Anger": 1}),), "holds dict"),
        ((0.5,), "a pair"),
        (ANGER, "EmotionCurve.constant"),
    ],
)
def test_a_malformed_curve_is_refused(points, message):
    with pytest.raises(InvalidInput, match=message):
        EmotionCurve(points)


def test_malformed_json_of_a_curve_is_refused():
    for value in (3, [3], [[0.1]], {"a": 1}):
        with pytest.raises(InvalidInput):
            EmotionCurve.from_json(value)


def test_a_curve_prints_as_a_person_would_note_it():
    fear, relief = EmotionVector({"Fear": 0.2}), EmotionVector({"Relief": 0.6})
    assert str(EmotionCurve.constant(fear)) == "Fear=0.2"
    assert str(EmotionCurve(((0.0, fear), (0.6, relief)))) == "0 %: Fear=0.2; 60 %: Relief=0.6"
