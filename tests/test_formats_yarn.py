"""Yarn Spinner: every line of a node and of a table of strings, and nothing that is none."""

from __future__ import annotations

import csv
import io
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conditioning.markup import parse_markup
from voice_actor.formats.spoken import NARRATOR, Rules
from voice_actor.formats.yarn import read, read_strings
from voice_actor.scripts import MOST_LINES, Problem, Row, read_script

SCENE = """// The tavern.
title: Tavern
tags: indoors
position: 12,40
---
<<declare $gold = 5>>
Bran: (whispering) Who is [wave size=2]there[/wave]? #line:0a1 #angry // at the door
<<if $gold > 3 and visited("Ada")>>
    {$name}: You have {$gold + 1} coins. #line:0a2 #emotion:very_sad
<<elseif $gold is ">>">>
    Night falls. #line:0a3
<<endif>>

-> Come in. <<if $gold>> #line:0a4
    <<jump Inside>>
-> Go away! #line:0a5
=> Bran: A random line. <<once>>
[character name="Old Ada"/]Hush [b]now[/b]. #shadow:0a1
[character name="Old Ada"]Hush [b]now[/b].[/character] #last
===
"""
RULES = Rules({"$name": "Ada", "$gold + 1": "six"}, {"b": "emphasis"})


def body(*lines: str, rules: Rules = Rules()) -> list[Row | Problem]:  # noqa: B008
    return list(read("\n".join(["title: A", "---", *lines, "==="]), rules))


def said(*lines: str, rules: Rules = Rules()) -> list[tuple[str, str]]:  # noqa: B008
    return [(row.character, row.text) for row in body(*lines, rules=rules)]


def test_a_scene_is_read_with_ids_directions_and_places():
    assert list(read(SCENE, RULES)) == [
        Row(7, "Bran", "Who is there?", "whispering, angry", id="0a1"),
        Row(9, "Ada", "You have six coins.", "very sad", id="0a2"),
        Row(11, NARRATOR, "Night falls.", id="0a3"),
        Row(14, NARRATOR, "Come in.", id="0a4"),
        Row(16, NARRATOR, "Go away!", id="0a5"),
        Row(17, "Bran", "A random line."),
        Row(19, "Old Ada", "Hush [emphasis]now[/emphasis]."),
    ]


def test_variables_and_expressions_without_a_value_are_all_told():
    found = [each for each in read(SCENE, Rules()) if isinstance(each, Problem)]
    assert [(each.place, each.what.split("'")[1]) for each in found] == [
        (9, "$name"),
        (9, "$gold + 1"),
    ]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (r"a \#tag \{x\} \\ \/\/ b", r"a #tag {x} \ // b"),
        (r"http\:\/\/x.org", "http://x.org"),
        (r"\[sad\] Oh.", "[sad] Oh."),
        (r"\<\<stop\>\>", "<<stop>>"),
        ("[nomarkup][sad][/nomarkup] Oh.", "[sad] Oh."),
        ("a ] b", "a ] b"),
        (r"<color=\#fff>red</color> and <b>bold</b>", "red and bold"),
        ("half / half < more", "half / half < more"),
        ("See you.//#line:no", "See you."),
        ("tabs\tand  spaces", "tabs and spaces"),
    ],
)
def test_escaped_characters_are_said_and_markup_is_not(line, text):
    ((_, found),) = said(line)
    assert parse_markup(found).text == text


def test_an_escaped_colon_ends_no_name_and_neither_does_one_far_into_the_line():
    long = "word " * 20
    assert said(r"Mind this\: the door.", f"{long}: yes", "Ada: Note: yes") == [
        (NARRATOR, "Mind this: the door."),
        (NARRATOR, f"{long}: yes"),
        ("Ada", "Note: yes"),
    ]


def test_markup_that_chooses_words_gives_each_of_them_unless_the_value_is_known():
    select = 'A: [select value={$g} m="he" f="she [1]"/] ran.'
    assert said(select) == [("A", "he ran."), ("A", "she [1] ran.")]
    assert said(select, rules=Rules({"$g": "m"})) == [("A", "he ran.")]
    plural = 'A: [plural value={$n} one="% apple" other="% apples"/]'
    assert said(plural, rules=Rules({"$n": "1"})) == [("A", "1 apple")]
    assert said(plural, rules=Rules({"$n": "3"})) == [("A", "3 apples")]
    ordinal = '[ordinal value={$n} one="%st" two="%nd" few="%rd" other="%th"/]'
    for number, text in (("2", "2nd"), ("12", "12th"), ("23", "23rd")):
        assert said(f"A: {ordinal}", rules=Rules({"$n": number})) == [("A", text)]


def test_options_of_the_first_version_are_read():
    assert said("[[Go home|Home]] #line:a", "[[Home]]") == [(NARRATOR, "Go home")]


def test_all_that_is_wrong_is_told_at_once():
    script = "\n".join(
        [
            *("stray text", "title: A", "---", "<<if $x>>", "Ada: {half", "Ada: [half"),
            *("Ada: a <<stop", "===", "title: B", "---", "<<endif>>", "<<half", "#x"),
            *("title: C",),
        ]
    )
    problems = [each for each in read(script, Rules()) if isinstance(each, Problem)]
    told = {each.place: each.what for each in problems}
    assert "outside of a node" in told[1]
    assert "<<if>> is never closed" in told[4]
    assert "'{' is never closed" in told[5]
    assert "'[' is never closed" in told[6]
    assert "'<<stop' cannot follow" in told[7]
    assert "closes nothing" in told[11]
    assert "'<<' is never closed" in told[12]
    assert "the node is never closed" in told[9]
    assert "has no lines" in next(read("title: A\n", Rules())).what
    assert list(read("", Rules())) == []


def test_a_table_of_strings_is_read():
    table = (
        "language,id,text,file,node,lineNumber,lock,comment\n"
        'en,line:0a1,"Bran: (whispering) Who, {0}?",T.yarn,Tavern,7,ab,\n'
        'en,line:0a2,"two\nlines # 1",T.yarn,Tavern,8,ab,\n'
        "\n"
        "en,line:0a3,Yes.,T.yarn,Tavern,9,ab,"
    )
    assert list(read_strings(table, Rules({"0": "Ada"}))) == [
        Row(2, "Bran", "Who, Ada?", "whispering", id="0a1"),
        Row(3, NARRATOR, "two lines # 1", id="0a2"),
        Row(6, NARRATOR, "Yes.", id="0a3"),
    ]


@pytest.mark.parametrize(
    "table",
    [
        'id,text,file,node,lineNumber\nline:a,"Ada: Yes, {0}. ",T,T,3\n',
        'id;text;file;node;lineNumber\nline:a;"Ada: Yes, {0}. ";T;T;3\n',
        'id,"text",node,file,lineNumber,comment\nline:a,"Ada: Yes, {0}.",T,T,3,\n',
        'LineCode,LineText,Comment\nline:a," Ada: Yes, {0}. ",\n',
    ],
)
def test_a_table_of_strings_is_known_by_its_columns(table):
    (line,) = read_script(table, "lines.csv", Rules({"0": "Bran"}))
    assert (line.id, line.character, line.text) == ("a", "Ada", "Yes, Bran.")


def test_a_table_that_cannot_be_read_says_why():
    def told(text):
        return [str(each) for each in read_strings(text, Rules())]

    assert told("id,file\n") == ["line 1: there is no column 'text'"]
    assert told("id,text\na,b,c\nd,e\n")[0] == "line 2: it has 3 cells under 2 columns"
    assert "quotation marks" in told('id,text\na,"b\n')[0]


WORDS = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=12)
TEXTS = st.lists(WORDS, min_size=1, max_size=5).map(" ".join)
IDS = st.from_regex(r"[0-9a-z]{3,8}", fullmatch=True)
LINES = st.lists(st.tuples(IDS, st.sampled_from(["Ada", "Old Bran"]), TEXTS), max_size=8)


def escaped(text: str) -> str:
    for character in "\\#{}/<>[]:":
        text = text.replace(character, f"\\{character}")
    return text


def is_plain(text: str) -> bool:
    # What our own markup, directions in front and a backslash before a mark mean is not at issue.
    return not set(text) & set("()*♪♫\\")


@settings(max_examples=100, deadline=None)
@given(LINES)
def test_no_text_is_lost(lines):
    lines = [line for line in lines if is_plain(line[2])]
    written = [f"{who}: {escaped(text)} #line:{id}" for id, who, text in lines]
    found = body(*written)
    assert [(row.id, row.character, parse_markup(row.text).text) for row in found] == lines


@settings(max_examples=50, deadline=None)
@given(LINES)
def test_no_text_of_a_table_is_lost(lines):
    lines = [line for line in lines if is_plain(line[2])]
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(["language", "id", "text"])
    writer.writerows(["en", f"line:{id}", f"{who}: {escaped(text)}"] for id, who, text in lines)
    found = read_strings(file.getvalue(), Rules())
    assert [(row.id, row.character, parse_markup(row.text).text) for row in found] == lines


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["<<", ">>", "if", "{", "}", "[", "]", "/", '"', "\\", "#", "->", ":", "a", " ", "\n"]
        ),
        max_size=30,
    ).map("".join)
)
def test_whatever_is_written_is_read_or_told(text):
    found = body(text)
    assert all(isinstance(each, Row | Problem) for each in found)


def test_a_long_script_is_read_in_seconds():
    lines = [f"Ada: This is line [b]{n}[/b] of many. #line:{n} #sad" for n in range(MOST_LINES)]
    start = time.process_time()
    assert len(body(*lines)) == MOST_LINES
    # About one on an idle core; a busy one takes several times that.
    assert time.process_time() - start < 8
