"""Dialogue scripts: every format gives the same lines, and all that is wrong is told at once."""

from __future__ import annotations

import json

import pytest

from conditioning.errors import InvalidInput
from voice_actor.scripts import (
    MOST_LINES,
    MOST_TOLD,
    decode_script,
    file_names,
    read_script,
    suffix_of,
)

PLAIN = """
# A tavern, late.
BRAN: (whispering) Who is there?

Old Ada to Bran, Cai and Dee (very angry): Nobody: go
    back to sleep.
BRAN: Yes.
"""
CSV = """Line ID,Speaker,Dialogue,Emotion,To
,BRAN,Who is there?,whispering,
,Old Ada,"Nobody: go back to sleep.",very angry,"Bran, Cai and Dee"
,BRAN,Yes.,,
"""
OBJECTS = [
    {"Character": "BRAN", "TEXT": "Who is there?", "direction": "whispering", "take": 3},
    {
        "speaker": "Old Ada",
        "line": "Nobody: go back to sleep.",
        "tone": "very angry",
        "to": ["Bran", "Cai", "Dee"],
    },
    {"who": "BRAN", "text": "Yes.", "direction": None},
]


def told(text: str, name: str = "script.txt") -> str:
    with pytest.raises(InvalidInput) as raised:
        read_script(text, name)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_a_plain_script_is_read_with_directions_and_whom_each_line_is_said_to():
    first, second, third = read_script(PLAIN)
    assert (first.character, first.text, first.direction, first.to, first.place) == (
        *("BRAN", "Who is there?", "whispering", (), 3),
    )
    assert (second.character, second.text) == ("Old Ada", "Nobody: go back to sleep.")
    assert (second.direction, second.to, second.place) == ("very angry", ("Bran", "Cai", "Dee"), 5)
    assert third.direction is None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", CSV),
        ("a.CSV", "speaker;text;emotion\nBRAN;Who is there?;whispering\n"),
        ("a.tsv", "speaker\ttext\temotion\tto\n" + "BRAN\tWho is there?\twhispering\n"),
        ("a.json", json.dumps(OBJECTS)),
        ("a.json", json.dumps(OBJECTS, indent=2)),
        ("a.txt", "﻿" + PLAIN.replace("\n", "\r\n")),
    ],
)
def test_every_format_gives_the_same_lines_with_the_same_ids(name, text):
    lines = read_script(text, name)
    same = read_script(PLAIN)[: len(lines)]
    assert [(each.id, each.text, each.direction, each.to) for each in lines] == [
        (each.id, each.text, each.direction, each.to) for each in same
    ]


def test_places_are_lines_of_the_file_in_tables_and_json_too():
    rows = 'id,character,text\n1,Ada,"two\nlines"\n\n2,Bran,Yes.\n'
    assert [(line.place, line.text) for line in read_script(rows, "a.csv")] == [
        (2, "two\nlines"),
        (5, "Yes."),
    ]
    objects = '[\n  {"character": "A, ]",\n   "text": "x"},\n\n  {"character": "B", "text": "y"}]'
    assert [line.place for line in read_script(objects, "a.json")] == [2, 5]


def test_an_id_stays_when_other_lines_come_and_is_numbered_when_the_line_returns():
    before = read_script("ADA: Yes.\nBRAN: No.\n")
    after = read_script("CAI: First.\nADA: Yes.\nADA: Maybe.\nBRAN: No.\nADA:  Yes.\n")
    assert [before[0].id, before[1].id] == [after[1].id, after[3].id]
    assert after[4].id == f"{before[0].id}-2"
    assert before[0].id.startswith("ada-")
    assert len({line.id for line in after}) == 5


def test_an_id_that_is_made_never_takes_the_place_of_one_that_is_given():
    made = read_script("ADA: Yes.\n")[0].id
    given = (
        f'[{{"character": "ADA", "text": "Yes."}}, {{"id": "{made}", "name": "B", "text": "x"}}]'
    )
    assert [line.id for line in read_script(given, "a.json")] == [f"{made}-2", made]


def test_an_indented_script_is_read_as_one_that_is_not():
    lines = read_script("    ADA: Yes,\n        note: I do.\n    BRAN: No.\n      ADA: Oh.\n")
    assert [(line.character, line.text) for line in lines] == [
        ("ADA", "Yes, note: I do."),
        ("BRAN", "No."),
        ("ADA", "Oh."),
    ]


def test_a_direction_may_stand_on_either_side_of_the_colon_or_on_both():
    lines = read_script("A (sad): (whispering) Oh.\nA: (sad) Oh.\nA: Oh (no).\nA: (sad)\n  Oh.")
    assert [line.direction for line in lines] == ["sad, whispering", "sad", None, "sad"]
    assert lines[2].text == "Oh (no)."


def test_all_that_is_wrong_with_a_plain_script_is_told_at_once():
    problems = told("Once upon a time\nADA: (sad)\nBRAN: Yes.\nand so on\n", "tale.txt")
    assert problems.startswith("tale.txt has 3 problems: line 1: 'Once upon a time' has no name")
    assert "line 2: there is nothing to say" in problems
    assert "line 4: 'and so on' has no name" in problems


def test_all_that_is_wrong_with_a_table_is_told_at_once():
    problems = told("id,character,text\na,,Yes.\nb,Bran,\na,Ada,One, two\nb,Ada,Yes.\n", "a.csv")
    assert "has 4 problems: line 2: nobody is named" in problems
    assert "line 3: there is nothing to say" in problems
    assert "line 4: it has 4 cells under 3 columns" in problems
    assert "line 5: the id 'b' is that of line 3 already" in problems
    assert "no column 'text' (or 'line'" in told("id,character\na,Ada\n", "a.csv")
    assert "line 2: its quotation marks" in told('character,text\nAda,"Yes.\n', "a.csv")


def test_all_that_is_wrong_with_json_is_told_at_once():
    problems = told('[1,\n{"text": "x"},\n{"character": "A", "text": 3, "to": 5}]', "a.json")
    assert "line 1: it is not an object" in problems
    assert "line 2: there is no key 'character'" in problems
    assert "line 3: 'text' and 'to' is no text" in problems
    assert "line 2: it is not JSON" in told("[\n{]", "a.json")
    assert "not a list" in told("{}", "a.json")
    assert "nested too deeply" in told("[" * 100_000, "a.json")


def test_what_json_spells_out_and_nobody_can_write_is_a_problem_of_the_script():
    long = '[{"character": "A", "text": "x", "n": 1' + 5000 * "0" + "}]"
    assert "a number in it has too many digits" in told(long, "a.json")
    half = '[{"character": "A", "text": "x"},\n{"character": "B", "text": "y\\ud800"}]'
    assert "line 2: it holds half of a character" in told(half, "a.json")
    assert "line 2: it holds half of a character" in told("A: x\nB: y\udfff z", "a.txt")
    whole = r'[{"character": "A", "text": "\ud83d\ude00"}]'
    assert read_script(whole, "a.json")[0].text == "\N{GRINNING FACE}"


@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.tsv", "a.json"])
def test_a_script_without_a_line_is_refused(name):
    assert "it holds no line" in told({"a.json": "[]"}.get(name, "\n"), name)


def test_more_lines_than_are_read_and_more_problems_than_are_told_are_counted():
    most = "A: x\n" * MOST_LINES
    assert len(read_script(most)) == MOST_LINES
    assert "20,001 lines" in told(most + "A: x")
    assert "and 50 more" in told("no name\n" * (MOST_TOLD + 50))


def test_an_unknown_suffix_is_refused():
    assert "allowed: .txt, .csv, .tsv, .json" in told("A: x", "scene.docx")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_file_is_decoded_whatever_a_text_editor_saved(encoding):
    assert decode_script("ZOË: Grüße – ja.".encode(encoding)) == "ZOË: Grüße – ja."


@pytest.mark.parametrize("content", [b"A: x\nB: \xe9", b"A: x\nB:\0 y", b"\xff\xfeA"])
def test_a_file_in_another_encoding_is_refused_plainly(content):
    with pytest.raises(InvalidInput, match=r"scene\.txt is not text in UTF-8 \(see line \d\)"):
        decode_script(content, "scene.txt")


def test_what_is_pasted_is_told_by_its_look():
    assert suffix_of(PLAIN) == ".txt"
    assert suffix_of(CSV) == ".csv"
    assert suffix_of("Speaker;Text\nA;x") == ".csv"
    assert suffix_of("speaker\ttext\n") == ".tsv"
    assert suffix_of(json.dumps(OBJECTS, indent=2)) == ".json"
    assert suffix_of("[whispering] ADA: x") == ".txt"


def test_every_id_gets_a_file_of_its_own_that_every_file_system_takes():
    ids = ["a/b", "a\\b", "A_B", "../../etc", "con", "", "x" * 200, "<b>", "Zoë-1", "v1.2"]
    names = file_names(ids)
    assert len({name.casefold() for name in names.values()}) == len(ids)
    assert names["../../etc"] == "etc"
    assert names["con"] == "line_con"
    assert names["Zoë-1"] == "Zoë-1"
    assert names["v1.2"] == "v1.2"
    assert all(0 < len(name) <= 90 and not set(name) & set('/\\<>:"|?*') for name in names.values())
