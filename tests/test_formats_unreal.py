"""Unreal's tables of dialogue: every text is read, with the audio file's name as the line's id."""

from __future__ import annotations

import csv
import io
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conditioning.errors import InvalidInput
from voice_actor.formats.spoken import NARRATOR, Rules
from voice_actor.formats.unreal import read, recognised
from voice_actor.scripts import MOST_LINES, Problem, Row, read_script


def table(*rows: tuple[str, ...]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerows(rows)
    return written.getvalue()


def rows(text: str, rules: Rules | None = None) -> list[Row]:
    found = list(read(text, rules or Rules()))
    assert not [str(each) for each in found if isinstance(each, Problem)]
    return found


def problems(text: str) -> list[str]:
    return [str(each) for each in read(text, Rules()) if isinstance(each, Problem)]


def test_a_data_table_is_read_with_the_rows_name_as_id():
    text = table(
        ("---", "SpeakerName", "DialogueText", "NextNode"),
        ("ada_1", "Ada", 'NSLOCTEXT("[A1]", "K", "Hello, \\"Bran\\".\\nCome in.")', "ada_2"),
        ("ada_2", "", 'INVTEXT("The door, at last, opens.")', "None"),
        ("ada_3", "Bran", "Thank you, Ada.", ""),
        ("ada_4", "Bran", "None", ""),
    )
    assert [tuple(row) for row in rows(text)] == [
        (2, "Ada", 'Hello, "Bran". Come in.', "", (), "ada_1"),
        (3, "Narrator", "The door, at last, opens.", "", (), "ada_2"),
        (4, "Bran", "Thank you, Ada.", "", (), "ada_3"),
    ]


def test_the_script_for_actors_gives_directions_listeners_and_file_names():
    text = table(
        ("SpeakingVoice", "TargetVoices", "SpokenDialogue", "VoiceActorDirection", "AudioFileName"),
        ("Voice'/Game/V/Ada.Ada'", '("Bran","Cai")', "Hello.", "Whispering.", "Ada_01.wav"),
        ("Bran", "()", "(sadly) No.", "EMood::Tired", "VO\\Bran_02.WAV"),
        ("Bran", "", "Yes.", "", "SoundWave'/Game/VO/Bran_03.Bran_03'"),
    )
    assert [tuple(row)[1:] for row in rows(text)] == [
        ("Ada", "Hello.", "Whispering", ("Bran", "Cai"), "Ada_01"),
        ("Bran", "No.", "Tired, sadly", (), "Bran_02"),
        ("Bran", "Yes.", "", (), "Bran_03"),
    ]


@pytest.mark.parametrize(
    "header",
    [
        ("Name", "Speaker", "Text"),
        ("RowName", "Character", "SourceString"),
        ("", "NPC_Name", "Dialogue"),
        ("---", "Name", "Subtitle"),
    ],
)
def test_columns_go_by_many_names(header):
    (row,) = rows(table(header, ("k", "Ada", "Hello.")))
    assert (row.id, row.character, row.text) == ("k", "Ada", "Hello.")


def test_arguments_are_said_by_the_rules_and_a_missing_one_is_told():
    text = table(("---", "Text"), ("a", "`{No`} {PlayerName} has {0} coins & {0} more."))
    (row,) = rows(text, Rules({"PlayerName": "Ada", "0": "two"}))
    assert row.text == "{No} Ada has two coins & two more."
    told = problems(text)
    assert len(told) == 2
    assert "line 2: the variable 'PlayerName' has no value" in told[0]


def test_every_form_of_a_plural_is_a_line_of_its_own():
    forms = '{Count}|plural(one=one day,other="two, three days")'
    text = table(("---", "Text"), ("a", f"Wait {forms}, {{G}}|gender(sir,madam)."))
    assert [(row.id, row.text) for row in rows(text)] == [
        ("a", "Wait one day, sir."),
        ("a-2", "Wait one day, madam."),
        ("a-3", "Wait two, three days, sir."),
        ("a-4", "Wait two, three days, madam."),
    ]


def test_markup_is_left_out_unless_a_rule_maps_it_and_our_brackets_stay():
    cell = '<b>Oh</> [sad] no<img id="x"/>, 1 &lt; 2 and 3 <4.'
    text = table(("---", "Text"), ("a", cell))
    assert rows(text)[0].text == "Oh [sad] no, 1 < 2 and 3 <4."
    assert rows(text, Rules(tags={"b": "emphasis"}))[0].text.startswith("[emphasis]Oh[/] [sad]")
    text = table(("---", "Text"), ("a", "<b/>a <> <3 b"))
    assert rows(text, Rules(tags={"b": "emphasis"}))[0].text == "a <> <3 b"


def test_several_texts_in_one_cell_are_lines_of_their_own():
    text = table(("---", "Lines"), ("a", '(INVTEXT("One."),NSLOCTEXT("", "", "Two, (2)."),"3")'))
    assert [(row.id, row.text) for row in rows(text)] == [
        ("a", "One."),
        ("a_2", "Two, (2)."),
        ("a_3", "3"),
    ]


def test_all_that_is_wrong_is_told_at_once():
    text = table(
        ("---", "Text"),
        ("a", 'LOCTABLE("/Game/ST.ST", "Key")'),
        ("b", '((Speaker="Ada",Text=INVTEXT("Oh.")))'),
        ("c", "Hello", "Bran"),
        ("d", "{Who}"),
    )
    told = problems(text)
    assert len(told) == 4
    assert "line 2: its text is 'LOCTABLE(" in told[0]
    assert "line 3: its text is '((Speaker=" in told[1]
    assert "line 4: it has 3 cells under 2 columns" in told[2]
    assert "line 5: the variable 'Who'" in told[3]
    assert "no column of it is the text" in problems("Ada,Hello\n")[0]
    assert "line 2: its quotation marks" in problems('---,Text\na,"Yes\n')[0]
    assert list(read("", Rules())) == []


def test_a_table_of_unreals_is_told_from_others():
    assert recognised("---,Speaker,Text\n")
    assert recognised("Key,SourceString,Comment\n")
    assert recognised('"id","text"\n"a","INVTEXT(""Hello"")"\n')
    assert not recognised("id,character,text\na,Ada,Hello\n")
    assert not recognised("")


NAMES = st.from_regex(r"[A-Z][a-z]{0,8}", fullmatch=True)
WORDS = st.text("abcdefgh ÄÖ¿çж日\"',.;:!?()[]=-_*#/\n", min_size=1, max_size=40)
TEXTS = WORDS.map(lambda words: "A" + " ".join(words.split()))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(NAMES, TEXTS, st.sampled_from(["", "INV", "NSLOC", "LOC"]))))
def test_whatever_is_written_reads_back_with_its_id_and_text(lines):
    written = []
    for number, (name, text, macro) in enumerate(lines):
        said = text.replace(" ", "\r\n", 1)
        if macro:
            before = {"INV": "", "LOC": '"key",', "NSLOC": '"[x, y]", "k", '}[macro]
            escaped = text.replace('"', '\\"').replace(" ", "\\n", 1)
            said = f'{macro}TEXT({before}"{escaped}")'
        written.append((f"row_{number}", name, said, f"vo_{number}.wav"))
    found = rows(table(("---", "Speaker", "Text", "AudioFileName"), *written))
    assert [(row.character, row.text, row.id) for row in found] == [
        (name, text, f"vo_{number}") for number, (name, text, _) in enumerate(lines)
    ]


@settings(max_examples=200, deadline=None)
@given(st.text("\",\n(){}|`<>/'.=\\ NaINVTEXT", max_size=80))
def test_whatever_a_file_holds_gives_rows_and_problems(text):
    for found in read("---,Text\n" + text, Rules()):
        assert isinstance(found, Row | Problem)
        assert found.place > 0


def test_a_whole_games_table_is_read_in_two_seconds():
    texts = (f'NSLOCTEXT("n", "k{n}", "Line <b>{n}</>.")' for n in range(MOST_LINES))
    text = table(("---", "Speaker", "Text"), *((str(n), "Ada", t) for n, t in enumerate(texts)))
    start = time.process_time()
    assert len(rows(text)) == MOST_LINES
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    ("header", "character"),
    [
        (",Chapter,NPCName,Dialogue", "Ada"),
        (",Chapter,Actor_Name,Subtitle", "Ada"),
        ("RowId,Chapter,NPC,DialogueLine", "Ada"),
        ("ID,Chapter,Weight,DialogueLine", NARRATOR),
        ("Row_1,Chapter,Weight,Spoken Text", NARRATOR),
    ],
)
def test_a_table_under_other_names_than_plain_ones_is_read(header, character):
    (line,) = read_script(f"{header}\nhi,1,Ada,Hello.\n", "lines.csv")
    assert (line.character, line.text) == (character, "Hello.")


def test_a_plain_table_without_a_speaker_is_told_so():
    with pytest.raises(InvalidInput, match="no column 'character'"):
        read_script("id,chapter,text\na,1,Hello.\n", "lines.csv")
