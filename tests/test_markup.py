from __future__ import annotations

import pytest

from conditioning.errors import InvalidInput
from conditioning.markup import parse_markup


def spoken(text):
    markup = parse_markup(text)
    return [(markup.text[span.start : span.end], span.directions) for span in markup.spans]


def test_a_line_without_brackets_is_left_as_it_is():
    for text in ("", "Hello  there. ", "a < b -> c", "back\\slash"):
        assert parse_markup(text).text == text
        assert parse_markup(text).spans == ()


def test_a_bracket_holds_to_the_next_one_or_the_end():
    line = "[fear 0.2 -> 0.9] It's coming up the stairs. [relief] Oh. It's only you."
    assert parse_markup(line).text == "It's coming up the stairs. Oh. It's only you."
    assert spoken(line) == [
        ("It's coming up the stairs. ", ("fear 0.2", "0.9")),
        ("Oh. It's only you.", ("relief",)),
    ]


def test_words_before_the_first_bracket_and_after_a_closing_one_have_no_span():
    markup = parse_markup("Well. [angry] No! [/] Fine.")
    assert markup.text == "Well. No! Fine."
    assert spoken("Well. [angry] No! [/] Fine.") == [("No! ", ("angry",))]


def test_a_ramp_may_have_several_stations_and_either_arrow():
    (span,) = parse_markup("[fear 0.2 -> 0.9 → 0.4] Oh.").spans
    assert span.directions == ("fear 0.2", "0.9", "0.4")
    assert (span.at_start, span.at_end) == ("fear 0.2", "0.4")


def test_a_steady_bracket_is_the_same_at_both_ends():
    (span,) = parse_markup("[calm] Oh.").spans
    assert span.at_start == span.at_end == "calm"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("[calm]Oh.", "Oh."),
        ("Oh [calm] dear.", "Oh dear."),
        ("Oh[calm] dear.", "Oh dear."),
        ("Oh [calm]dear.", "Oh dear."),
        ("un[anger]believable", "unbelievable"),
        ("Oh, [calm] yes [/] .", "Oh, yes."),
        ("Oh [/], yes.", "Oh, yes."),
        ("[calm] Yes. [/]", "Yes."),
        ("One\n[calm]\nTwo", "One\nTwo"),
    ],
)
def test_no_double_space_and_no_lost_letter_is_left_where_a_bracket_stood(text, clean):
    assert parse_markup(text).text == clean


def test_escaped_brackets_are_spoken_text():
    markup = parse_markup("[calm] See \\[note 3\\] there.")
    assert markup.text == "See [note 3] there."
    assert len(markup.spans) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Oh [fear it comes", "'\\[' at character 4 is never closed"),
        ("Oh [] no", "bracket at character 4 is empty"),
        ("Oh [  ] no", "bracket at character 4 is empty"),
        ("[fear [angry] x] Oh", "'\\[' at character 7 stands inside the bracket at character 1"),
        ("[fear [angry Oh", "stands inside"),
        ("Oh] no", "']' at character 3 closes no bracket"),
        ("Hello. [calm]", "nothing to speak after it"),
        ("Hello. [calm] ...", "nothing to speak after it"),
        ("Hello. [calm] 😀", "nothing to speak after it"),
        ("[calm] [angry] Hello.", "'\\[calm\\]' at character 1 has nothing to speak"),
        ("[calm ->] Hello.", "Bracket at character 1: The ramp 'calm ->' has an empty side"),
        ("[-> calm] Hello.", "empty side"),
        (None, "came as NoneType"),
    ],
)
def test_a_wrong_bracket_is_refused_with_its_place(text, message):
    with pytest.raises(InvalidInput, match=message) as caught:
        parse_markup(text)
    assert "\n" not in str(caught.value)


def test_thousands_of_characters_and_brackets_are_read_quickly_and_whole():
    text = "[fear] one [calm] two " * 500
    markup = parse_markup(text)
    assert markup.text.split() == ["one", "two"] * 500
    assert len(markup.spans) == 1000
    with pytest.raises(InvalidInput) as caught:
        parse_markup("Hi [" + "x" * 5000 + "]")
    assert len(str(caught.value)) < 300


def test_spans_never_overlap_and_stay_inside_the_text():
    markup = parse_markup("A [calm] b. [/] c [angry -> calm] d [fear] e   [/]  ")
    edges = [edge for span in markup.spans for edge in (span.start, span.end)]
    assert edges == sorted(edges)
    assert edges[-1] <= len(markup.text)
