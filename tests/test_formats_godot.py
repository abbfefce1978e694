"""Dialogue Manager for Godot: every line and response, and nothing that is neither."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conditioning.markup import parse_markup
from voice_actor.formats.godot import read
from voice_actor.formats.spoken import NARRATOR, Rules
from voice_actor.scripts import MOST_LINES, Problem, Row

SCENE = """import "res://inn.dialogue" as inn
using State

~ start
# The tavern.
Bran: (whispering) Who is [wave amp=20]there[/wave]?[wait=1.5] [#angry, #mood=very_sad] [ID:K1]
do State.ask("Name: x")
if State.gold > 3
	{{State.name}}: You have {{State.gold}}. [ID:K2]
		And [b]more[/b].

		Go on.
elif visited
	Night falls.
else
	set State.gold = 3
match State.mood
	when "good"
		Bran: Good.
- Come in [if State.gold > 0 /] [ID:K3] => inside
	Bran: In you come.
- Go away [if gold[0] == 1] [#sad] => END
%3 Bran: One.
% [if true /] Bran: Two.
%
	Bran: Three.
| Ada: At once.
\\if you say so
\\- a dash
elsewhere
Bran: A note\\: [br]see [lb]3[rb].\\nYes. =>< inside
[[Hi|Hello]], you.
Ada: [if late]Late[else]Early[/if] again[if true], friend[/if]. [ID:K4]
=> END
"""
RULES = Rules({"State.name": "Ada", "State.gold": "five"}, {"b": "emphasis"})


def said(*lines: str) -> list[tuple[str, str]]:
    return [(each.character, each.text) for each in read("\n".join(lines), Rules())]


def test_a_scene_is_read_with_ids_directions_and_places():
    assert list(read(SCENE, RULES)) == [
        Row(6, "Bran", "Who is there?", "whispering, angry, very sad", id="K1"),
        Row(9, "Ada", "You have five. And [emphasis]more[/emphasis]. Go on.", id="K2"),
        Row(14, NARRATOR, "Night falls."),
        Row(19, "Bran", "Good."),
        Row(20, NARRATOR, "Come in", id="K3"),
        Row(21, "Bran", "In you come."),
        Row(22, NARRATOR, "Go away", "sad"),
        Row(23, "Bran", "One."),
        Row(24, "Bran", "Two."),
        Row(26, "Bran", "Three."),
        Row(27, "Ada", "At once."),
        Row(28, NARRATOR, "if you say so"),
        Row(29, NARRATOR, "- a dash"),
        Row(30, NARRATOR, "elsewhere"),
        Row(31, "Bran", r"A note: see \[3\]. Yes."),
        Row(32, NARRATOR, "Hi, you."),
        Row(32, NARRATOR, "Hello, you."),
        Row(33, "Ada", "Late again, friend.", id="K4"),
        Row(33, "Ada", "Late again.", id="K4-2"),
        Row(33, "Ada", "Early again, friend.", id="K4-3"),
        Row(33, "Ada", "Early again.", id="K4-4"),
    ]


def test_variables_without_a_value_are_all_told():
    found = [each for each in read(SCENE, Rules()) if isinstance(each, Problem)]
    assert [(each.place, each.what.split("'")[1]) for each in found] == [
        (9, "State.name"),
        (9, "State.gold"),
    ]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("I have [3] apples.", "I have [3] apples."),
        ("a [color=#fff]b[/color] [next=auto]", "a b"),
        ('[wait=["ui_accept", "x"]]a[do f(a[0])]b[$> g()]', "ab"),
        ("[img=20]res://a.png[/img]See", "See"),
        (r"\[sad\] Oh.", "[sad] Oh."),
        ("5 % of it - no => END", "5 % of it - no"),
        ("a =>b", "a =>b"),
    ],
)
def test_markup_is_not_said_and_literal_brackets_are(line, text):
    ((_, found),) = said(f"Ada: {line}")
    assert parse_markup(found).text == text


def test_a_line_that_returns_under_its_id_is_one_line():
    twice = "Ada: Yes. [ID:A]\nAda: Yes. [ID:A]\nAda: No. [ID:A]"
    assert [row.text for row in read(twice, Rules())] == ["Yes.", "No."]


def test_all_that_is_wrong_is_told_at_once():
    script = "Ada: {{half\nAda: [[a|b\nAda: [if x] b\n[[Ada|Bran]]: c\n"
    problems = {each.place: each.what for each in read(script, Rules()) if len(each) == 2}
    assert problems == {
        1: "a '{{' is never closed; write }}",
        2: "a '[[' is never closed; write ]]",
        3: "a '[if' is never closed; write [/if]",
        4: "who says it is left to chance; write a line for each",
    }
    assert list(read("", Rules())) == []
    assert list(read("~ start\n\n=> END\n", Rules())) == []


WORDS = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=12)
TEXTS = st.lists(WORDS, min_size=1, max_size=5).map(" ".join)
IDS = st.from_regex(r"[A-Z0-9_]{3,8}", fullmatch=True)
LINES = st.lists(
    st.tuples(IDS, st.sampled_from(["Ada", "Old Bran"]), TEXTS),
    max_size=8,
    unique_by=lambda line: line[0],
)


@settings(max_examples=150, deadline=None)
@given(LINES, st.sampled_from(["", "- ", "% ", "\t"]))
def test_no_text_is_lost(lines, start):
    # What our own markup, directions in front and a backslash before a mark mean is not at issue.
    lines = [line for line in lines if not set(line[2]) & set("()<*♪♫\\{=")]
    written = []
    for id, who, text in lines:
        for character in ":[]":
            text = text.replace(character, f"\\{character}")
        written.append(f"{start}{who}: {text} [ID:{id}]")
    found = read("\n".join(written), Rules())
    assert [(row.id, row.character, parse_markup(row.text).text) for row in found] == lines


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "{{",
                "}}",
                "[",
                "]",
                "[if x]",
                "[/if]",
                "|",
                "- ",
                "% ",
                ": ",
                "=> ",
                "\\",
                "a",
                "\t",
                "\n",
            ]
        ),
        max_size=30,
    ).map("".join)
)
def test_whatever_is_written_is_read_or_told(text):
    found = list(read(text, Rules()))
    assert all(isinstance(each, Row | Problem) for each in found)


def test_a_long_script_is_read_in_seconds():
    lines = [f"Ada: This is line [b]{n}[/b] of many. [#sad] [ID:{n}]" for n in range(MOST_LINES)]
    start = time.process_time()
    assert len(said(*lines)) == MOST_LINES
    # About one on an idle core; a busy one takes several times that.
    assert time.process_time() - start < 8


def test_a_jump_is_not_said_even_without_a_space():
    lines = ["~ a", "Ada: Yes.", "=>END", "=><b", "Ada: No.", "=> END!"]
    assert said(*lines) == [("Ada", "Yes."), ("Ada", "No.")]
