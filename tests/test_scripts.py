"""Dialogue scripts: every format gives the same lines, and all that is wrong is told at once."""

from __future__ import annotations

import json
import time

import pytest

from conditioning.direction import direct
from conditioning.errors import InvalidInput
from conditioning.taxonomy import NAMES, find
from voice_actor.scripts import (
    MOST_LINES,
    MOST_TOLD,
    decode_script,
    file_names,
    read_script,
    read_scripts,
    speakers,
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
    assert file_names(ids[::-1]) == names
    assert file_names(["x y", "x_y"])["x_y"] == "x_y"
    assert names["../../etc"] == "etc"
    assert names["con"] == "line_con"
    assert names["Zoë-1"] == "Zoë-1"
    assert names["v1.2"] == "v1.2"
    assert all(0 < len(name) <= 90 and not set(name) & set('/\\<>:"|?*') for name in names.values())


def several(files: dict[str, str]) -> str:
    with pytest.raises(InvalidInput) as raised:
        read_scripts(files)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_several_scripts_are_read_as_one_with_ids_of_their_own():
    lines = read_scripts({"a.txt": "ADA: Yes.\nBRAN: No.", "b/b.txt": "ADA: Yes.\n"})
    assert [line.script for line in lines] == ["a.txt", "a.txt", "b/b.txt"]
    assert [line.place for line in lines] == [1, 2, 1]
    assert lines[2].id == f"{lines[0].id}-2"
    assert read_script("ADA: Yes.", "a.txt") == lines[:1]
    assert list(speakers(lines)) == ["ADA", "BRAN"]
    assert speakers(lines)["ADA"] == lines[0]


def test_all_that_is_wrong_with_several_scripts_is_told_at_once_with_file_and_line():
    problems = several(
        {
            "tavern.csv": "id,character,text\na,Ada,Yes.\nb,,No.\n",
            "road.txt": "ADA: Yes.\nno name\n",
            "inn.csv": "id,character,text\nb,Bran,Oh.\na,Ada,Yes.\n",
            "plan.docx": "ADA: Yes.",
        }
    )
    assert problems.startswith(
        "The 4 scripts have 5 problems: tavern.csv, line 3: nobody is named who says it; "
        "road.txt, line 2: 'no name' has no name;"
    )
    assert "inn.csv, line 2: the id 'b' is that of tavern.csv, line 3 already" in problems
    assert "inn.csv, line 3: the id 'a' is that of tavern.csv, line 2 already" in problems
    assert "plan.docx: it is no script that can be read; allowed: .txt" in problems
    with pytest.raises(InvalidInput, match="no script to read"):
        read_scripts({})


def test_a_script_without_a_line_is_fine_beside_one_with_lines():
    assert len(read_scripts({"a.txt": "# Notes.\n", "b.txt": "ADA: Yes."})) == 1
    assert "none of the scripts holds a line" in several({"a.txt": "\n", "b.txt": ""})


def test_the_most_lines_are_counted_over_all_scripts():
    half = "A: x\n" * (MOST_LINES // 2)
    assert len(read_scripts({"a.txt": half, "b.txt": half})) == MOST_LINES
    assert "20,001 lines together" in several({"a.txt": half, "b.txt": half + "A: y"})


def test_what_one_script_defines_holds_in_the_others_of_its_kind():
    head = "\t".join(("Identifier", "Character", "Dialogue"))
    files = {
        "a.rpy": 'label a:\n    e "Yes."\n    s "No."\n',
        "cast.rpy": 'define e = Character("Eileen")\ndefine s = Character(kind=e)\n',
        "dialogue.tab": f"{head}\na_1\te\tOh.\n",
        "a.ink": "Ada: {HERO} is here.\n",
        "b.ink": 'CONST HERO = "Bran"\n',
    }
    assert [(line.character, line.text) for line in read_scripts(files)] == [
        *(("Eileen", "Yes."), ("Eileen", "No."), ("Eileen", "Oh."), ("Ada", "Bran is here.")),
    ]
    assert read_script(files["a.rpy"], "a.rpy")[0].character == "e"


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.json"])
def test_columns_of_emotions_come_after_the_words_of_the_direction(name):
    rows = [
        *(("character", "text", "mood", "anger", "Astonishment/Surprise", "notes"),),
        *(("A", "One.", "sad", "0.7", "", "x"), ("B", "Two.", "", "100%", "0", "")),
        *(("A", "Three.", "calm", "0", "0", ""), ("A", "Four.", "sad", "", "0.25", "")),
    ]
    separator = "\t" if name == "a.tsv" else ","
    text = "\n".join(separator.join(row) for row in rows)
    if name == "a.json":
        text = json.dumps([dict(zip(rows[0], row, strict=True)) for row in rows[1:]])
    assert [line.direction for line in read_script(text, name)] == [
        *("sad, Anger=0.7", "Anger=1", "calm", "sad, Astonishment/Surprise=0.25"),
    ]


def test_a_spreadsheet_with_semicolons_may_have_decimal_commas():
    assert read_script("speaker;text;Fear\nA;x;0,5\n", "a.csv")[0].direction == "Fear=0.5"


@pytest.mark.parametrize("key", ["emotion", "emotions"])
def test_emotions_in_an_object_of_their_own_are_read(key):
    item = {"who": "A", "text": "x", "direction": "sad", key: {"Anger": 0.7, "joy": 0, "Awe": None}}
    assert read_script(json.dumps([item]), "a.json")[0].direction == "sad, Anger=0.7"
    assert read_script(json.dumps([item | {key: "calm"}]), "a.json")[0].direction == "sad"


@pytest.mark.parametrize("name", NAMES)
def test_every_emotion_is_understood_among_words(name):
    for column in (name, name.lower(), find(name).slug, find(name).laion_key):
        line = read_script(f"speaker,text,mood,{column}\nA,x,whispering,0.4\n", "a.csv")[0]
        assert line.direction == f"whispering, {name}=0.4"
    assert direct("x", line.direction).curve.mean()[name] == pytest.approx(0.4)


def test_what_is_no_intensity_is_told():
    problems = told("id,name,text,Anger\na,A,x,high\nb,A,y,1.5\nc,A,z,nan\n", "a.csv")
    assert "line 2: 'Anger' is 'high'; allowed: a number from 0 to 1, or nothing" in problems
    assert "has 3 problems" in problems
    items = [
        {"name": "A", "text": "x", "emotions": emotions}
        for emotions in ({"angr": 0.5}, {"Anger": True}, {"Anger": [1]}, {"Anger": -0.1})
    ]
    problems = told("[" + ",\n".join(json.dumps(item) for item in items) + "]", "a.json")
    assert "line 1: 'angr' is no emotion; allowed: the 40 of EmoNet-Voice" in problems
    assert "line 2: 'Anger' is 'true'" in problems
    assert "has 4 problems" in problems


def test_json_may_hold_its_lines_in_an_object_or_by_their_ids():
    item = {"speaker": "Ada", "message": "Yes."}
    lines = [item | {"id": "a"}, item | {"id": "b"}]
    listed = {"title": "Tavern", "people": [{"name": "Ada"}], "lines": lines, "tags": ["x"]}
    keyed = {"start": "a", "nodes": {"a": item, "b": item}}
    for value in (listed, keyed, keyed["nodes"], {"scene": keyed["nodes"], "n": 1}):
        lines = read_script(json.dumps(value, indent=1), "a.json")
        assert [(line.id, line.character, line.text) for line in lines] == [
            *(("a", "Ada", "Yes."), ("b", "Ada", "Yes.")),
        ]
    assert [
        line.place for line in read_script('{"a":\n\n{"name": "A", "text": "x"}}', "a.json")
    ] == [3]
    assert "not a list" in told(json.dumps({"a": [item], "b": [item]}), "a.json")
    twice = '{"a": {"name": "A", "text": "x"},\n"a": {"name": "A", "text": "y"}}'
    assert "line 2: the id 'a' is that of line 1 already" in told(twice, "a.json")


def test_a_tab_in_a_text_is_white_space_and_one_too_many_in_a_table_is_told():
    assert read_script("ADA:\tYes,\tI do.\n\tAnd on.\n")[0].text == "Yes, I do. And on."
    table = "id\tname\ttext\tmood\n1\tA\tHalf\ta line\t\n2\tB\tNo.\tsad\n"
    assert "line 2: it has 5 cells under 4 columns" in told(table, "a.tsv")
    head = "Identifier\tCharacter\tDialogue\tFilename\tLine Number\tRen'Py Script\n"
    assert "line 2: it has 7 cells, and 3 to 6" in told(head + "a\te\tx\ty\tg\t1\te\n", "a.tab")
    assert read_script("title: A\n---\nAda:\tYes,\tI do.\n===", "a.yarn")[0].text == "Yes, I do."


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", "ADA: One.\n\nADA: Two."),
        ("a.csv", "name,text\nADA,One.\n\nADA,Two."),
        ("a.tsv", "name\ttext\nADA\tOne.\n\nADA\tTwo."),
        ("a.json", '[{"name": "ADA", "text": "One."},\n\n{"name": "ADA", "text": "Two."}]'),
        ("a.yarn", "title: A\n---\nADA: One.\n\nADA: Two.\n==="),
        ("a.csv", "id,text,file,node,lineNumber\na,ADA: One.,f,n,1\n\nb,ADA: Two.,f,n,2"),
        ("a.rpy", 'label a:\n    "ADA" "One."\n\n    "ADA" "Two."'),
        ("a.tab", 'Identifier\tCharacter\tDialogue\na\t"ADA"\tOne.\n\nb\t"ADA"\tTwo.'),
        ("a.ink", "ADA: One.\n\nADA: Two."),
        ("a.dialogue", "~ a\nADA: One.\n\nADA: Two."),
        ("a.fountain", "ADA\nOne.\n\nADA\nTwo."),
        ("a.csv", "---,SpeakerName,DialogueText\na,ADA,One.\n\nb,ADA,Two."),
    ],
)
def test_line_ends_a_byte_order_mark_and_a_missing_last_line_end_change_nothing(name, text):
    plain = read_script(text, name)
    assert [(line.character, line.text) for line in plain] == [("ADA", "One."), ("ADA", "Two.")]
    for ends in ("\n", "\r\n", "\r"):
        for changed in (text, f"\ufeff{text}", f"{text}\n", f"{text}\n\n  \n"):
            assert read_script(changed.replace("\n", ends), name) == plain


@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.yarn", "a.fountain", "a.dialogue", "a.ink"])
def test_a_zero_byte_is_told_with_its_line(name):
    assert "line 2: it holds a zero byte" in told("x\nADA: y\0z", name)
    escaped = '[{"name": "A", "text": "x\\u0000"}]'
    assert "line 1: it holds a zero byte" in told(escaped, "a.json")


CYCLES = {
    "a.yarn": "title: A\n---\nAda: One.\n<<jump B>>\n===\n"
    "title: B\n---\n<<detour A>>\nAda: Two.\n<<detour B>>\n===",
    "a.ink": "-> a\n=== a ===\nAda: One.\n-> b ->\n-> a\n"
    "=== b ===\nAda: Two.\n-> a ->\n->->\n-> END",
    "a.rpy": 'label a:\n    "Ada" "One."\n    call b\n    jump a\n'
    'label b:\n    while True:\n        "Ada" "Two."\n    jump b',
    "a.dialogue": "~ a\nAda: One.\n=>< b\n=> a\n~ b\nAda: Two.\n- Ada: Three. => b\n=>a",
}


@pytest.mark.parametrize("name", CYCLES)
def test_a_script_that_goes_in_circles_is_read_once_in_the_order_of_the_file(name):
    found = [line.text for line in read_script(CYCLES[name], name)]
    assert found == ["One.", "Two.", "Three."][: len(found)]
    assert len(found) == (3 if name == "a.dialogue" else 2)


LONG = {
    "same.txt": ("", "ADA: The same.\n"),
    "on.txt": ("ADA: One.\n", "  goes on\n"),
    "keys.json": ("[", '{"name": "A", "text": "x", "key#": 1, "Anger": 0.5},\n'),
    "same.rpy": ("label a:\n", '    "Ada" "..."\n'),
    "glue.ink": ("", "one <>\n"),
    "open.fountain": ("\nADA\n", "(open\n"),
    "notes.fountain": ("\nADA\n", "A [[note]] and [[another]].\n"),
    "on.dialogue": ("~ a\nAda: One.\n", "\tgoes on\n"),
}


@pytest.mark.parametrize("name", LONG)
def test_reading_takes_time_in_proportion_to_the_length(name):
    head, line = LONG[name]

    def seconds(count: int) -> float:
        text = head + "".join(line.replace("#", str(number)) for number in range(count))
        if name.endswith("json"):
            text = text.rstrip(",\n") + "]"
        start = time.process_time()
        read_script(text, name)
        return time.process_time() - start

    seconds(10)
    # A quadratic reader takes sixteen times as long; what is too quick to measure is quick enough.
    assert seconds(MOST_LINES) < 8 * max(seconds(MOST_LINES // 4), 0.1)


def test_names_between_number_signs_are_no_remarks():
    lines = read_script("# A remark: yes.\n#Person1#: Hello.\n#Person2#: Hi.\n")
    assert [line.character for line in lines] == ["#Person1#", "#Person2#"]
