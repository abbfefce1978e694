from __future__ import annotations

import random

import pytest

from conditioning.direction import direct
from conditioning.emotion import EmotionCurve, EmotionVector
from conditioning.errors import InvalidInput, UnknownName, UserError
from conditioning.lexicon import _BLENDS, _WORDS, DEGREES, LEXICON
from conditioning.taxonomy import CATEGORIES, NAMES
from conditioning.wording import parse_direction


def vector(**intensities):
    return EmotionVector(intensities)


def read(words):
    return parse_direction(words).vector


@pytest.mark.parametrize("category", CATEGORIES, ids=NAMES)
def test_every_name_and_every_word_of_a_category_is_understood_as_it(category):
    for word in (category.name, category.slug, category.laion_key, *category.words):
        reading = parse_direction(word)
        strongest = reading.vector.items()[0][0]
        assert strongest == category.name or word == "bliss", word
        if word == category.name:
            assert reading.vector.items()[0][1] >= 0.6
        assert reading.ignored == ()


def test_every_form_stands_once_in_the_lexicon():
    forms = [
        form
        for strengths in _WORDS.values()
        for line in strengths.values()
        for form in line.split()
    ] + [form for line in _BLENDS for form in line.split()]
    assert len(forms) == len(set(forms)), {form for form in forms if forms.count(form) > 1}
    assert set(_WORDS) == set(NAMES)


def test_every_form_of_the_lexicon_is_read_as_written():
    for form, meaning in LEXICON.items():
        assert read(form) == EmotionVector(meaning), form


def test_the_direction_of_the_readme_is_relief_with_a_little_anger():
    reading = parse_direction("relieved, still a little angry")
    assert reading.vector == vector(Relief=0.6, Anger=0.27)
    assert reading.ignored == ()
    assert [(item.words, item.category) for item in reading.evidence] == [
        ("relieved", "Relief"),
        ("a little angry", "Anger"),
    ]
    assert reading.evidence[1].why == "'angry' is 0.6, 'a little' x0.45"


def test_stronger_words_ask_for_more():
    annoyed, angry, furious = (read(w)["Anger"] for w in ("annoyed", "angry", "furious"))
    assert (annoyed, angry, furious) == (0.35, 0.6, 0.95)


def test_degrees_order_as_people_mean_them():
    degrees = ["a hint of", "slightly", "quite", "", "very", "extremely"]
    heard = [read(f"{degree} sad")["Sadness"] for degree in degrees]
    assert heard == sorted(set(heard))
    assert heard[-1] == 1.0


def test_no_degree_goes_past_the_top():
    assert read("utterly furious") == vector(Anger=1.0)
    assert read("very, very, very sad") == vector(Sadness=1.0)


def test_every_degree_is_read_before_a_word():
    for phrase, factor in DEGREES.items():
        assert read(f"{phrase} sad")["Sadness"] == pytest.approx(min(1.0, 0.6 * factor)), phrase


def test_a_degree_holds_for_the_next_word_only():
    assert read("slightly sad and angry") == vector(Sadness=0.27, Anger=0.6)


@pytest.mark.parametrize(
    ("words", "intensity"),
    [
        ("anger=0.9", 0.9),
        ("anger = 0.9", 0.9),
        ("anger 0.9", 0.9),
        ("anger: 0.9", 0.9),
        ("Anger (0.9)", 0.9),
        ("angry=90%", 0.9),
        ("90% anger", 0.9),
        ("90 % of anger", 0.9),
        ("very angry 0.9", 0.9),
        ("anger .9", 0.9),
        ("anger 0", 0.0),
        ("anger 9e-1", 0.9),
    ],
)
def test_a_number_says_how_much(words, intensity):
    assert read(words) == vector(Anger=intensity)


def test_numbers_belong_to_their_own_emotion():
    expected = vector(Anger=0.9, Contempt=0.3)
    assert read("anger=0.9, contempt=0.3") == expected
    assert read("anger 0.9 contempt 0.3") == expected
    assert read("90% anger, 30% contempt") == expected


def test_a_number_keeps_the_proportions_of_a_word_with_two_emotions():
    assert read("sarcastic 1.0") == vector(Contempt=1.0, Teasing=0.8)


@pytest.mark.parametrize("name", NAMES)
def test_what_a_vector_prints_is_a_direction_for_it(name):
    asked = EmotionVector({name: 0.35, "Pain" if name != "Pain" else "Fear": 0.1})
    assert read(str(asked)) == asked


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("not angry", {}),
        ("not angry, sad", {"Sadness": 0.6}),
        ("sad but not angry", {"Sadness": 0.6}),
        ("not angry but sad", {"Sadness": 0.6}),
        ("not angry and sad", {"Sadness": 0.6}),
        ("not angry or sad", {}),
        ("without fear and anger", {}),
        ("happy, without fear or anger", {"Elation": 0.6}),
        ("no fear, no anger, calm", {"Contentment": 0.6}),
        ("isn't angry", {}),
        ("isn’t angry", {}),
        ("not anger=0.9", {}),
        ("not very angry", {}),
        ("no longer sad", {}),
        ("not astonishment_surprise", {}),
    ],
)
def test_a_negated_word_counts_for_nothing(words, expected):
    reading = parse_direction(words)
    assert reading.vector == EmotionVector(expected)
    assert any(item.why.startswith("negated") and item.intensity == 0 for item in reading.evidence)


def test_not_only_is_no_negation():
    assert read("not only sad but angry") == vector(Sadness=0.6, Anger=0.6)


def test_of_two_words_for_one_category_the_stronger_counts():
    assert read("annoyed, furious, angry") == vector(Anger=0.95)


def test_neutral_is_no_emotion():
    assert read("neutral").is_neutral
    assert read("completely neutral").is_neutral
    assert parse_direction("completely neutral").ignored == ()


def test_what_is_not_understood_is_reported():
    reading = parse_direction("whispering like a pirate 🏴, slightly sad")
    assert reading.vector == vector(Sadness=0.27)
    assert reading.ignored == ("whispering", "pirate", "🏴")


def test_degrees_and_numbers_without_an_emotion_are_reported():
    assert parse_direction("very loud, sad").ignored == ("loud", "very")
    assert parse_direction("sad, aged 40").ignored == ("aged", "40")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "direction is empty"),
        (" \n", "direction is empty"),
        (None, "direction is empty"),
        ("as a pirate", "Nothing in the direction 'as a pirate' names an emotion. Use words"),
        ("angrry", "Did you mean 'angry'"),
        ("a bit jealuos", "Did you mean 'jealous'"),
        ("🏴💥", "Nothing in the direction"),
        ("0.7", "Nothing in the direction"),
        ("\x00\x07", "Nothing in the direction"),
        ("bla " * 1250, "Nothing in the direction"),
        ("anger=7", "Intensity of 'Anger' is 7; allowed: 0 to 1"),
        ("anger 7", "Intensity of 'Anger' is 7"),
        ("anger=nan", "Intensity of 'Anger' is nan"),
        ("anger=inf", "Intensity of 'Anger' is inf"),
        ("anger=-0.5", "Intensity of 'Anger' is -0.5"),
        ("150% fear", "Intensity of 'Fear' is 1.5"),
        ("anger=", "no number after '='"),
        ("anger=high", "no number after '='"),
        ("anger=0,9", "decimal comma"),
    ],
)
def test_what_names_no_emotion_or_no_intensity_is_refused_in_one_short_line(words, message):
    with pytest.raises(InvalidInput, match=message) as caught:
        parse_direction(words)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("words", ["angr=0.7", "angr 0.7", "angr: 70%", "sad, angr = 0.7"])
def test_a_number_given_to_an_unknown_name_is_refused_with_a_suggestion(words):
    with pytest.raises(UnknownName, match="Unknown emotion 'angr'. Did you mean 'anger'"):
        parse_direction(words)


def test_no_mixture_of_words_numbers_and_signs_fails_in_any_other_way():
    known = [*LEXICON, *DEGREES, "not", "without", "neutral", "pirate", "angr", "0.3", "7", "90%"]
    signs = ["=", ":", ",", "(", ")", "-", "/", "&", "nan", "0,9", "->", "[", "]", "💥", "\0", "ﬁ"]
    chance = random.Random(0)
    errors = []
    for _ in range(2000):
        words = [chance.choice(known if chance.random() < 0.7 else signs) for _ in range(5)]
        text = chance.choice(["", " "]).join(words)
        try:
            direct(f"Well. [{text}] Hello.", text)
        except UserError as error:
            errors.append(str(error))
    assert 200 < len(errors) < 1800
    assert not [error for error in errors if "\n" in error]


def test_long_directions_are_read_whole():
    assert read("calm and kind, " * 330 + "furious") == vector(
        Contentment=0.6, Affection=0.35, Anger=0.95
    )


def test_a_line_without_brackets_holds_its_own_direction():
    asked = vector(Fear=0.4)
    for direction in ("fear=0.4", asked, EmotionCurve.constant(asked)):
        result = direct("Hello.", direction)
        assert result.text == "Hello."
        assert result.curve == EmotionCurve.constant(asked)
    assert direct("Hello.").curve.is_neutral


def test_a_bracket_steps_in_and_out_and_ramps_inside():
    result = direct("[fear 0.2 -> 0.9] It's coming up the stairs. [relief] Oh. It's only you.")
    boundary = 27 / 45
    assert result.text == "It's coming up the stairs. Oh. It's only you."
    assert result.curve.steps == (boundary,)
    assert result.curve.at(0) == vector(Fear=0.2)
    assert result.curve.at(boundary / 2)["Fear"] == pytest.approx(0.55)
    assert result.curve.before(boundary) == vector(Fear=0.9)
    assert result.curve.at(boundary) == result.curve.at(1) == vector(Relief=0.6)
    assert {item.span for item in result.evidence} == {(0, 27), (27, 45)}


def test_a_bracket_replaces_the_lines_own_direction_until_it_is_closed():
    result = direct("Well. [angry] No! [/] Fine.", "calm")
    at = {word: result.text.index(word) / len(result.text) for word in ("Well", "No", "Fine")}
    assert result.curve.at(at["Well"]) == vector(Contentment=0.6)
    assert result.curve.at(at["No"]) == vector(Anger=0.6)
    assert result.curve.at(at["Fine"]) == vector(Contentment=0.6)
    assert len(result.curve.steps) == 2


def test_the_lines_own_curve_goes_on_under_the_brackets():
    own = EmotionCurve(((0, EmotionVector()), (1, vector(Fear=1.0))))
    result = direct("One two. [angry] Three. [/] Four.", own)
    four = result.text.index("Four") / len(result.text)
    assert result.curve.at(four)["Fear"] == pytest.approx(four)
    assert result.curve.at(1) == vector(Fear=1.0)
    assert result.curve.at(four / 2)["Anger"] in (0, 0.6)


def test_a_whole_line_may_ramp_between_directions():
    result = direct("Not again, you fool.", "calm -> furious")
    assert result.curve.at(0) == vector(Contentment=0.6)
    assert result.curve.at(0.5)["Anger"] == pytest.approx(0.475)
    assert result.curve.at(1) == vector(Anger=0.95)
    assert result.curve.steps == ()


def test_a_ramp_may_have_several_stations():
    curve = direct("Hello there.", "fear 0.2 -> 0.8 -> 40%").curve
    assert [round(curve.at(p)["Fear"], 6) for p in (0, 0.25, 0.5, 1)] == [0.2, 0.5, 0.8, 0.4]


def test_a_number_alone_keeps_the_proportions_before_it():
    curve = direct("Hello there.", "anger 0.4, fear 0.2 -> 0.8").curve
    assert curve.at(1) == vector(Anger=0.8, Fear=0.4)


def test_a_number_alone_needs_an_emotion_before_it():
    for direction in ("0.2 -> fear", "neutral -> 0.5", "0.5"):
        with pytest.raises(InvalidInput, match="stands without an emotion"):
            direct("Hello.", direction)
    with pytest.raises(InvalidInput, match="Intensity of 'Fear' is 7"):
        direct("Hello.", "fear 0.2 -> 7")


def test_an_error_in_a_bracket_says_which_bracket():
    with pytest.raises(InvalidInput, match="Bracket at character 8: Nothing in the direction '💥'"):
        direct("Hello. [💥] There.")
    with pytest.raises(UnknownName, match="Bracket at character 1: Unknown emotion 'angr'"):
        direct("[angr=0.3] There.")
    with pytest.raises(InvalidInput, match="empty side"):
        direct("Hello.", "calm ->")
    with pytest.raises(InvalidInput, match="came as int"):
        direct("Hello.", 3)


def test_no_word_of_a_long_marked_line_is_lost():
    text = "[fear -> calm] Some words here. [angry] More, of them! [/] And more. " * 75
    words = "Some words here. More, of them! And more. " * 75
    assert len(text) > 5000
    result = direct(text, "sad")
    assert result.text.split() == words.split()
    assert len(result.curve.steps) == 3 * 75 - 1


@pytest.mark.parametrize(
    ("text", "direction", "directed"),
    [
        ("Come.", None, False),
        ("Come.", EmotionVector(), False),
        ("Come.", EmotionCurve.constant(EmotionVector()), False),
        ("Come.", "neutral", True),
        ("[neutral] Come.", None, True),
        ("Come.", "not angry", True),
        ("Come.", "slightly sad", True),
        ("Come. [fear 0.2] Now.", None, True),
        ("Come.", vector(Anger=0.01), True),
        ("Come.", EmotionCurve(((0.0, vector()), (1.0, vector(Anger=0.5)))), True),
    ],
)
def test_asking_for_neutral_is_not_the_same_as_asking_for_nothing(text, direction, directed):
    assert direct(text, direction).directed is directed


@pytest.mark.parametrize("word", ["sad", "sadly", "subdued", "melancholy", "miserable"])
def test_sadness_is_subdued(word):
    assert set(dict(read(word).items())) == {"Sadness"}


@pytest.mark.parametrize("word", ["crying", "sobbing", "weeping", "in tears", "tearful"])
def test_who_cries_is_sad_and_distressed(word):
    cried = read(word)
    assert set(dict(cried.items())) == {"Sadness", "Distress"}
    assert cried["Sadness"] > cried["Distress"] > 0.3
    assert cried.arousal > read("sad").arousal
