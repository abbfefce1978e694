"""inkle's ink: every line that a story says is read, whatever flow it stands in."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice_actor.formats.ink import read
from voice_actor.formats.spoken import Rules, literal
from voice_actor.scripts import Problem, Row

STORY = """\
INCLUDE other.ink
VAR gold = 3
CONST TAVERN = "the Golden Goose"
LIST moods = (calm), angry
EXTERNAL ring(bell)
TODO: say more { here
-> tavern

/* === cut ===
ADA: This was cut. */
=== tavern ===
# author: nobody
ADA: Welcome to {TAVERN}. #id:ada_1 #happy // not said
BRAN (O.S.): (whispering) Who is there? #id:bran_1
~ gold = gold + 1
The door creaks.
<- others
{gold > 2 and not angry:
    ADA: You are rich! #id:ada_2
    -> END
- else:
    ADA: You are poor. #id:ada_3
}
{shuffle:
- BRAN: Look out!
- BRAN: Aagh!
    {gold:
    - 0: BRAN: None.
    - else:
        BRAN: Some.
    }
}
= bar
* (tea) {gold > 0} [Tea - drink]
    ADA: Here you are.
    * * BRAN: Thank you[.], Ada.
+ {gold}
    {not tea} BRAN: Nothing[!] for me. -> END
* [BRAN: I am leaving.]
* -> END
- (end) ADA: Good night <>
 -> sleep ->
- - ADA: Sleep well, <>
and dream.
->->
== function count(x)
{x > 1: two|one}
~ return x
"""


def rows(text: str, rules: Rules | None = None) -> list[Row]:
    found = list(read(text, rules or Rules()))
    assert not [str(each) for each in found if isinstance(each, Problem)]
    return found


def said(text: str, rules: Rules | None = None) -> list[tuple[str, str]]:
    return [(row.character, row.text) for row in rows(text, rules)]


def problems(text: str) -> list[str]:
    return [str(each) for each in read(text, Rules()) if isinstance(each, Problem)]


def test_a_story_gives_the_lines_it_says_and_nothing_else():
    assert [(row.place, row.character, row.text) for row in rows(STORY)] == [
        (13, "ADA", "Welcome to the Golden Goose."),
        (14, "BRAN", "Who is there?"),
        (16, "Narrator", "The door creaks."),
        (19, "ADA", "You are rich!"),
        (22, "ADA", "You are poor."),
        (25, "BRAN", "Look out!"),
        (26, "BRAN", "Aagh!"),
        (28, "BRAN", "None."),
        (30, "BRAN", "Some."),
        (35, "ADA", "Here you are."),
        (36, "BRAN", "Thank you, Ada."),
        (37, "BRAN", "Nothing for me."),
        (39, "BRAN", "I am leaving."),
        (41, "ADA", "Good night"),
        (43, "ADA", "Sleep well, and dream."),
    ]


def test_tags_give_ids_directions_and_speakers():
    first, second, *_ = rows(STORY)
    assert (first.id, first.direction) == ("ada_1", "happy")
    assert (second.id, second.direction) == ("bran_1", "whispering")
    text = "#id:a #emotion:very_sad\n#hat\nOh. #speaker:Dr. Green #portrait:happy"
    (row,) = rows(text)
    assert tuple(row) == (3, "Dr. Green", "Oh.", "very sad", (), "a")


@pytest.mark.parametrize(
    ("line", "ways"),
    [
        ("{a|b} c", ["a c", "b c"]),
        (
            "I {&am|was} {~here|there}.",
            ["I am here.", "I am there.", "I was here.", "I was there."],
        ),
        ("Hello{met: again}.", ["Hello again.", "Hello."]),
        ("A {!b|c} d", ["A b d", "A c d", "A d"]),
        ("{x.y > 2 && not f(z, -> w): a {b|c}|d}", ["a b", "a c", "d"]),
        ("{I said: no|yes}", ["I said: no", "yes"]),
        ("{once:a|b} c", ["a c", "b c", "c"]),
        ("a {b -> knot|c}", ["a b", "a c"]),
    ],
)
def test_every_way_a_line_can_come_out_is_a_line_of_its_own(line, ways):
    found = rows(f"{line} #id:k")
    assert [row.text for row in found] == ways
    assert [row.id for row in found] == ["k", *(f"k-{n}" for n in range(2, len(ways) + 1))]


def test_ways_that_different_people_say_are_lines_of_theirs():
    text = "{met: ADA: You again! #id:a|BRAN: Hello. #sad|Silence.} #tag"
    assert [(row.character, row.text, row.direction, row.id) for row in rows(text)] == [
        ("ADA", "You again!", "", "a"),
        ("BRAN", "Hello.", "sad", ""),
        ("Narrator", "Silence.", "", ""),
    ]
    assert [row.id for row in rows("{met: ADA: You!|BRAN: Hello.} #id:k")] == ["k", "k-2"]
    assert "line 1: who says it depends" in problems("{met: ADA: You!|BRAN: Hello.} Well.")[0]


def test_variables_are_said_by_the_rules_and_a_missing_one_is_told():
    text = "{name}: I have {gold} coins of {king(1)}."
    rules = Rules({"name": "Ada", "gold": "three", "king(1)": "the king"})
    assert said(text, rules) == [("Ada", "I have three coins of the king.")]
    assert len(problems(text)) == 3


def test_markup_is_left_out_and_our_brackets_stay_where_ink_has_none():
    text = "Ada: [sad] Oh <b>no</b>, <color=red>no</color> \\[x\\]!\n<b>Bran:</b> Yes."
    assert said(text) == [("Ada", r"[sad] Oh no, no \[x\]!"), ("Bran", "Yes.")]
    assert said(text, Rules(tags={"b": "emphasis"}))[0][1].startswith(
        "[sad] Oh [emphasis]no[/emphasis],"
    )


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("Old Ada of the Hill: Yes.", "Old Ada of the Hill"),
        ("guard_2: Yes.", "guard_2"),
        ("日本: Yes.", "日本"),
        ("El:: Yes.", "El"),
        ("There was one thing: Yes.", "Narrator"),
        ("At 10:30 we left.", "Narrator"),
        ('"Well," he said: "Yes."', "Narrator"),
        ("Check:", "Narrator"),
    ],
)
def test_a_name_before_a_colon_is_told_from_a_sentence(line, name):
    (row,) = rows(line)
    assert row.character == name
    assert row.text in (line, "Yes.")


def test_glue_joins_lines_but_not_across_flow_or_ids():
    assert said("a <>\nb\n<> c\nd") == [("Narrator", "a b c"), ("Narrator", "d")]
    assert len(said("a <>\nb #id:b")) == 2
    assert len(said("a <>\nADA: b")) == 2
    assert len(said("a <>\n=== k\nb")) == 2
    assert len(said("a <>\n* b")) == 2


def test_in_a_function_only_lines_with_a_name_or_an_id_are_read():
    text = "== function f(x)\n{x:\n - 1: one\n - else: {f(x)}\n}\nADA: Hi.\nten #id:k\n== k\nOh."
    assert [row.text for row in rows(text)] == ["Hi.", "ten", "Oh."]


def test_commands_of_the_game_are_not_said():
    assert rows(">>> CAMERA shake\n>> SetBg(x)\n") == []


def test_a_branch_without_its_dash_is_not_said():
    text = "{x:\n  ADA: Yes.\n  else:\n  ADA: No.\n}\n"
    assert said(text) == [("ADA", "Yes."), ("ADA", "No.")]


def test_all_that_is_wrong_is_told_at_once():
    told = problems("a } b\n{x:\nADA: Hi.\n=== k\n* [open\nADA: {c\n/* gone\n")
    assert len(told) == 5
    assert any("line 1: '}' closes nothing" in each for each in told)
    assert any("line 2: '{' is not closed" in each for each in told)
    assert any("line 5: '[' of the choice is not closed" in each for each in told)
    assert any("line 6: '{' is not closed" in each for each in told)
    assert any("line 7: '/*' is not closed" in each for each in told)
    many = "{a|b} {c|d} {e|f} {g|h} {i|j}"
    assert "line 1: it can come out in more than 16 ways" in problems(many)[0]
    assert "more than 32 braces" in problems("{a|" * 5_000 + "}" * 5_000)[0]
    assert list(read("", Rules())) == []


NAMES = st.from_regex(r"[A-ZÄ][a-zä]{0,6}( [A-Z][a-z]{0,4})?", fullmatch=True)
WORDS = st.text("abcé ж日.,;!?'\"-_+=*#<>{}|[]~&^%", min_size=1, max_size=50)
TEXTS = WORDS.map(lambda words: "a" + " ".join(words.split()))
FLOWS = [
    "{}\n",
    "* {}\n",
    "+ (label{n}) {{x > 1}} {}\n",
    "* * [shown only {n}]\n\t\t{}\n",
    "- {}\n",
    "- - (gather{n}) {}\n",
    "{{x:\n\t{}\n}}\n",
    "{{\n- x == 1:\n{}\n- else:\n}}\n",
    "{{stopping:\n- {}\n-\n}}\n",
    "{{x && y: {}}}\n",
    "== knot{n} ==\n{} -> END\n",
    "{} // a comment\n",
]


def escaped(text: str) -> str:
    return "".join(f"\\{each}" if each in r"{}|#<>[]~-" else each for each in text)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(NAMES, TEXTS, st.sampled_from(FLOWS), st.booleans())))
def test_whatever_is_written_reads_back_with_its_id_and_text(lines):
    text = ""
    for number, (name, words, flow, named) in enumerate(lines):
        line = f"{name}: {escaped(words)}" if named else escaped(words)
        text += flow.format(f"{line} #id:line_{number}", n=number)
    assert [(row.character, row.text, row.id) for row in rows(text)] == [
        (name if named else "Narrator", literal(words), f"line_{number}")
        for number, (name, words, _, named) in enumerate(lines)
    ]


@settings(max_examples=200, deadline=None)
@given(st.text('{}|\n-*+=<>[]#~:\\/&! "(),.a1', max_size=80))
def test_whatever_a_file_holds_gives_rows_and_problems(text):
    for found in read(text, Rules()):
        assert isinstance(found, Row | Problem)
        assert found.place > 0


def test_a_story_of_20_000_lines_is_read_in_two_seconds():
    text = "".join(
        f"* [Go {n}]\n  {{x:\n    ADA: Line {n}, {{a|b}} <b>and</b> so on. #id:l{n} #sad\n  }}\n"
        for n in range(5_000)
    )
    assert text.count("\n") == 20_000
    start = time.process_time()
    assert len(rows(text)) == 10_000
    assert time.process_time() - start < 2


def test_glue_in_a_line_of_its_own_and_at_the_start_joins_all_that_it_touches():
    assert said("One <>\n<>\ntwo <>\nthree.\nFour.\n<> Five.") == [
        *(("Narrator", "One two three."), ("Narrator", "Four. Five.")),
    ]
