"""Ren'Py: the lines of a script under Ren'Py's own identifiers, and of the exported table."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conditioning.markup import parse_markup
from voice_actor.formats.renpy import COLUMNS, read, read_table
from voice_actor.formats.spoken import NARRATOR, Rules
from voice_actor.scripts import MOST_LINES, Problem, Row

SCENE = r"""# The tavern.
define b = Character("Bran", color="#c8ffc8")
define slow = Character(kind=b, what_slow_cps=20)
default a = Character(_("Old Ada"))
define n = Character(None)
$ guest = DynamicCharacter("guest_name")
image bran = "bran.png"

init python:
    def greet(who):
        return "Hello %s" % who

label start:
    scene bg tavern with fade
    play music "tavern.ogg" fadein 1.0
    show bran happy:
        xalign 0.5
        "bran_blink.png"
    "Night."
    b happy "(whispering) Who is {i}there{/i}?" with vpunch
    a @ angry tall "\"Nobody\",{w=0.5} she said.{p}Go away." (what_size=30)
    extend " Please."
    guest -happy "I am [player.name!t] with %(gold)d coins: 100%% [[mine] {{x}."
    n "{b}" nointeract
    if gold > 3 and "b" in inventory:
        slow "Rich. \n Very." id rich_1
    menu inside:
        b "What now?"
        "Come in" if gold:
            "Bran" "In you come.  All\
 of you."
            $ gold -= 1
        "Leave":
            jump .out
    '''
    One paragraph
    goes on.

    Another.
    '''
label .out:
    return
"""
RULES = Rules({"guest_name": "Cai", "player.name": "Cai", "gold": "five"}, {"i": "emphasis"})


def label(*lines: str, rules: Rules = Rules()) -> list[Row | Problem]:  # noqa: B008
    return list(read("\n".join(["label a:", *(f"    {line}" for line in lines)]) + "\n", rules))


def test_a_scene_is_read_with_directions_and_places():
    found = [each[:4] for each in read(SCENE, RULES)]
    assert found == [
        (19, NARRATOR, "Night.", ""),
        (20, "Bran", "Who is [emphasis]there[/emphasis]?", "whispering, happy"),
        (21, "Old Ada", '"Nobody", she said. Go away.', "angry"),
        (22, "Old Ada", "Please.", ""),
        (23, "Cai", r"I am Cai with five coins: 100% \[mine\] {x}.", ""),
        (26, "Bran", "Rich. Very.", ""),
        (28, "Bran", "What now?", ""),
        (30, "Bran", "In you come. All of you.", ""),
        (35, NARRATOR, "One paragraph goes on.", ""),
        (35, NARRATOR, "Another.", ""),
    ]


def test_variables_without_a_value_are_all_told():
    found = [each for each in read(SCENE, Rules()) if isinstance(each, Problem)]
    assert [(each.place, each.what.split("'")[1]) for each in found] == [
        (23, "guest_name"),
        (23, "player.name"),
        (23, "gold"),
    ]


def test_identifiers_are_those_that_renpy_makes():
    # From the translations of Ren'Py's own tutorial (MIT), where the identifiers can be read.
    script = (
        "label a_label:\n"
        '    e "You just clicked to jump to a label."\n'
        "label pong_done:\n"
        "    menu:\n"
        '        e "Would you like to play again?"\n'
        "label after_a_label:\n"
        '    extend " to the next statement."\n'
        '    e "To break a line without pausing,\\none can write \\\\n. \\\\\' and \\\\\\" include'
        ' quotes in the text."\n'
    )
    assert [row.id for row in read(script, Rules())] == [
        *("a_label_8d79d234", "pong_done_dde7e31a"),
        *("after_a_label_1f2697ba", "after_a_label_dbfca166"),
    ]


def test_an_identifier_is_of_its_label_and_the_whole_statement_and_numbered_when_it_returns():
    plain, again, happy, menu, named = label(
        'e "Yes."', 'e "Yes."', 'e happy "Yes."', "menu:", '    e "Yes."', 'e "Yes." id a_b'
    )
    assert again.id == f"{plain.id}_1"
    assert len({plain.id, happy.id, menu.id}) == 3
    assert named.id == "a_b"
    voiced = label('voice "x.ogg"', 'e "Yes."')[0]
    assert voiced.id != plain.id
    taken = label('e "Yes."', f'e "No." id {plain.id}')
    assert [row.id for row in taken] == [f"{plain.id}_1", plain.id]
    hidden = read('label a:\n    pass\nlabel _b:\n    e "Yes."\n', Rules())
    assert [row.id for row in hidden] == [plain.id]
    local = read('label a:\n    pass\nlabel .b:\n    e "Yes."\n', Rules())
    assert [row.id for row in local] == [plain.id.replace("a_", "a_b_")]
    assert [row.id for row in read('e "Yes."', Rules())] == [plain.id.removeprefix("a_")]


def test_a_translation_has_the_identifier_of_the_line_that_it_stands_for():
    script = (
        'translate french start_1234abcd:\n    # e "Yes."\n    e "Oui."\n'
        'translate french strings:\n    old "No"\n    new "Non"\n'
        'label b:\n    e "Yes."\n'
    )
    first, second = read(script, Rules())
    assert (first.id, first.text, second.text) == ("start_1234abcd", "Oui.", "Yes.")
    assert second.id.startswith("b_")


@pytest.mark.parametrize(
    "statement",
    [
        'screen hello():\n        text "Hello"',
        'python:\n        say = "Hello"',
        'transform t:\n        "a.png"',
        "$ e = 'Hello'",
        'voice "hello.ogg"',
        'queue sound "hello.ogg"',
        'menu:\n        "Hello"\n        "Hello again":\n            pass',
        '# e "Hello"',
        'e "{w}"',
        '"{rt}hello{/rt}{alt}hello{/alt}"',
    ],
)
def test_what_is_no_dialogue_is_passed_over(statement):
    assert label(statement) == []


def test_blocks_of_statements_that_the_game_defines_are_read():
    assert [row.text for row in label("example small:", '    e "Hello."', 'e "Bye."')] == [
        *("Hello.", "Bye."),
    ]


def test_a_character_of_another_file_is_called_as_the_script_calls_it():
    assert [row.character for row in label('zoe "Yes."', 'narrator "Yes."', '"" "Yes."')] == [
        *("zoe", NARRATOR, NARRATOR),
    ]


def test_all_that_is_wrong_is_told_at_once():
    script = (
        'define e = Character("E")\n'
        "label a:\n"
        '\te "Tab."\n'
        '    e "Half [variable."\n'
        '    e "Half {tag."\n'
        '    e "Two" "texts"\n'
        '    "a" "b" "c"\n'
        "    e 'never\n"
    )
    problems = {each.place: each.what for each in read(script, Rules()) if len(each) == 2}
    assert "tab" in problems[3]
    assert "'[' is never closed; write [[" in problems[4]
    assert "'{' is never closed; write {{" in problems[5]
    assert "no line of dialogue" in problems[6]
    assert "no line of dialogue" in problems[7]
    assert "quotation mark is never closed" in problems[8]
    assert [str(each) for each in read("$ f(", Rules())] == ["line 1: a bracket is never closed"]
    assert list(read("", Rules())) == []


def test_the_exported_table_is_read():
    table = "\n".join(
        [
            "\t".join(COLUMNS),
            'start_1\t\tNight.\tgame/script.rpy\t3\t"[what]"',
            'start_2\tb\t(whispering) \\"Who\\" is\\nthere?\tgame/script.rpy\t4\tb happy "[what]"',
            'start_3\textend\t{i}Please.{/i}\tgame/script.rpy\t5\textend "[what]"',
            'start_4\t"Old Ada"\t[gold]\tgame/script.rpy\t6\t"Old Ada" "[what]"',
            "\t\tLeave\tgame/script.rpy\t7",
        ]
    )
    assert list(read_table(table, Rules({"gold": "Five"}))) == [
        Row(2, NARRATOR, "Night.", id="start_1"),
        Row(3, "b", '"Who" is there?', "whispering, happy", id="start_2"),
        Row(4, "b", "Please.", id="start_3"),
        Row(5, "Old Ada", "Five", id="start_4"),
    ]
    assert "first row" in next(read_table("", Rules())).what
    assert "needed" in next(read_table("\t".join(COLUMNS) + "\nstart_1\tb\n", Rules())).what


WORDS = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=12)
TEXTS = st.lists(WORDS, min_size=1, max_size=5).map(" ".join)
IDS = st.from_regex(r"[a-z]_[0-9a-f]{8}", fullmatch=True)
LINES = st.lists(st.tuples(IDS, TEXTS), max_size=8, unique_by=lambda line: line[0])
QUOTES = st.sampled_from(['"', "'", "`", '"""', "'''"])


@settings(max_examples=150, deadline=None)
@given(LINES, QUOTES)
def test_no_text_is_lost(lines, quote):
    # What our own markup, directions in front and a backslash before a mark mean is not at issue.
    lines = [line for line in lines if not set(line[1]) & set("()<*♪♫\\")]
    written = []
    for id, text in lines:
        for character in "\"'`[{%":
            text = text.replace(character, f"\\{character}")
        written.append(f"e {quote}{text}{quote} id {id}")
    found = label(*written)
    assert [(row.id, parse_markup(row.text).text) for row in found] == lines


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "label a:",
                "menu:",
                "e ",
                '"',
                "'",
                "[",
                "]",
                "{",
                "}",
                "(",
                ")",
                "\\",
                "@",
                "%",
                " ",
                "\n",
            ]
        ),
        max_size=30,
    ).map("".join)
)
def test_whatever_is_written_is_read_or_told(text):
    found = label(text)
    assert all(isinstance(each, Row | Problem) for each in found)


def test_a_long_script_is_read_in_seconds():
    lines = [f'e happy "This is line {{b}}{n}{{/b}} of many."' for n in range(MOST_LINES)]
    start = time.process_time()
    assert len(label(*lines)) == MOST_LINES
    # About one on an idle core; a busy one takes several times that.
    assert time.process_time() - start < 8


def test_characters_of_other_files_come_with_the_rules_and_the_own_ones_win():
    rules = Rules(characters={"z": "Zoe", "e": "Somebody"})
    script = 'define e = Character("Eileen")\nlabel a:\n    z "Yes."\n    e "No."\n    f "Oh."\n'
    assert [row.character for row in read(script, rules)] == ["Zoe", "Eileen", "f"]
    table = "\t".join(COLUMNS[:3]) + "\na_1\tz\tYes.\na_2\textend\tAnd no.\n"
    assert [row.character for row in read_table(table, rules)] == ["Zoe", "Zoe"]
