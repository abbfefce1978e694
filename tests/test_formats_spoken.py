"""What a line of a script says: no variable, markup or direction is said by mistake."""

from __future__ import annotations

import pytest

from conditioning.markup import parse_markup
from voice_actor.formats.spoken import (
    MOST_WAYS,
    NARRATOR,
    Either,
    Rules,
    Tag,
    Variable,
    angled,
    feeling_of,
    literal,
    said,
)
from voice_actor.scripts import Problem, Row

RULES = Rules({"$gold": "fifty"}, {"b": "emphasis", "w": "pause", "sad": "sad, whisper", "i": ""})


def rows(*pieces, who="ADA", hints=(), id="", rules=RULES) -> list[Row]:
    found = list(said(3, who, pieces, rules, hints, id))
    assert not any(isinstance(each, Problem) for each in found), found
    return found


def test_a_variable_is_said_as_the_rules_say():
    assert rows("I have ", Variable("$gold"), " coins.")[0].text == "I have fifty coins."
    assert rows("Yes.", who=("Old ", Variable("$gold")))[0].character == "Old fifty"


def test_a_variable_without_a_value_is_a_problem_that_names_it_and_what_to_do():
    *others, problem = said(7, "ADA", ["I am ", Variable("$me"), Variable("$me")], Rules())
    assert problem == Problem(
        7, "the variable '$me' has no value; give it in the cast file under [variables]"
    )
    assert all("$me" not in each.text for each in others)
    (problem,) = (e for e in said(1, [Variable("who")], ["Yes."], Rules()) if e[1] != "…")
    assert "'who'" in problem.what


def test_markup_is_left_out_around_its_words_unless_a_rule_names_a_direction():
    bold = (Tag("b"), "two words", Tag("b", True))
    assert rows("a ", *bold, " c")[0].text == "a [emphasis]two words[/emphasis] c"
    assert rows("a ", *bold, " c", rules=Rules())[0].text == "a two words c"
    assert rows("a ", Tag("i"), "b", Tag("i", True))[0].text == "a b"
    assert rows("Wait", Tag("w"), " here.")[0].text == "Wait[pause] here."


def test_what_the_rules_make_of_markup_is_markup_that_can_be_read():
    text = rows("So ", Tag("sad"), "I am", Tag("sad", True), ", ", Tag("b"), "yes", Tag("", True))
    markup = parse_markup(text[0].text)
    assert markup.text == "So I am, yes"
    assert [(span.directions, span.start) for span in markup.spans] == [(("sad",), 3)]


def test_a_closing_tag_that_nothing_opened_is_left_out():
    assert rows("a", Tag("b", True), " b", Tag("", True))[0].text == "a b"


def test_our_own_brackets_stay_and_literal_ones_are_no_markup():
    assert rows("[sad] Oh. [pause 0.5] No.")[0].text == "[sad] Oh. [pause 0.5] No."
    assert parse_markup(rows(literal("[sad] <b>"))[0].text).text == "[sad] <b>"


@pytest.mark.parametrize(
    ("text", "said", "direction"),
    [
        ("(whispering) Who is there?", "Who is there?", "whispering"),
        ("( very  angry )  Out!", "Out!", "very angry"),
        ("(All of it is a thought)", "(All of it is a thought)", ""),
        ("(What was that?) Who is there?", "(What was that?) Who is there?", ""),
        ("(a)b", "(a)b", ""),
        ("Who (whispering) is there?", "Who (whispering) is there?", ""),
    ],
)
def test_a_parenthesis_at_the_beginning_is_the_direction(text, said, direction):
    (row,) = rows(text)
    assert (row.text, row.direction) == (said, direction)


def test_tags_that_name_a_feeling_are_added_to_the_direction_and_others_passed_over():
    (row,) = rows("(whispering) Oh.", hints=["sad", "door", "emotion:very_angry", "sad"])
    assert row.direction == "whispering, sad, very angry"


@pytest.mark.parametrize(
    ("hint", "feeling"),
    [
        ("angry", "angry"),
        ("emotion:sad", "sad"),
        ("Mood=very_sad", "very sad"),
        ("whisper", "whisper"),
        ("neutral", "neutral"),
        ("line:angry", ""),
        ("hat", ""),
        ("old", ""),  # says who, not how
        ("monster", ""),
        ("vampire", ""),
        ("auto", ""),
        ("0.5", ""),
        ("", ""),
    ],
)
def test_only_the_lexicon_tells_whether_a_tag_is_a_feeling(hint, feeling):
    assert feeling_of(hint) == feeling


def test_nobody_is_the_narrator_and_a_line_without_words_is_no_row():
    assert rows("Night.", who="")[0].character == NARRATOR
    assert rows(Tag("b"), " ", Tag("b", True), rules=Rules()) == []
    assert rows("") == []


def test_each_way_a_line_may_come_out_is_a_row_and_the_first_has_its_id():
    ways = Either((("Hi",), ("Hello ", Either((("you",), ("there",))))))
    found = rows(ways, ".", id="k")
    assert [(row.id, row.text) for row in found] == [
        ("k", "Hi."),
        ("k-2", "Hello you."),
        ("k-3", "Hello there."),
    ]
    assert {row.id for row in rows(ways)} == {""}


def test_a_line_that_may_come_out_in_too_many_ways_is_a_problem():
    either = Either((("a",), ("b",)))
    assert len(rows(*[either] * 4)) == MOST_WAYS
    (problem,) = said(2, "A", [either] * 30, Rules())
    assert "more than 16 ways" in problem.what


def test_angled_tags_are_found_across_pieces_and_ours_stay():
    pieces = angled(["<col", "or=#fff>wow</color> <break time='1s'/> 1 < 2 ", Variable("x"), "</>"])
    assert [piece for piece in pieces if piece] == [
        Tag("color"),
        "wow",
        Tag("color", True),
        " <break time='1s'/> 1 < 2 ",
        Variable("x"),
        Tag("", True),
    ]
