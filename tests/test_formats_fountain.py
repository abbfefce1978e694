"""Fountain screenplays: every speech is read, and nothing that nobody says."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conditioning.direction import direct
from voice_actor.formats.fountain import read
from voice_actor.formats.spoken import Rules
from voice_actor.scripts import MOST_LINES, Problem, Row

SCREENPLAY = """\
Title:
    _**THE LAST ROUND**_
Author: Nobody
Draft date: today

FADE IN:

# Act one

= Ada waits for her brother.

INT. TAVERN - NIGHT

ADA sits alone. The room is EMPTY.
She waits.

ADA
(softly)
You came back.
  
I did not think
you _would_.

!THE DOOR
slams.

BRAN (V.O.)
(out of breath, and
looking round)
Quick! [[Is he too quick?]]
(then, sadly)
There is no time.
(beat)
Come.

@McCai (whispering) ^
*No, no, no!*

.SNIPER SCOPE POV

> THE END <

CUT TO:

/*
ADA
This was cut.
*/

ADA (CONT'D)
[[She sings?]]
~La la,
~la *la*.

OLD MAN

> FADE OUT.
"""


def rows(text: str) -> list[Row]:
    found = list(read(text, Rules()))
    assert not [str(each) for each in found if isinstance(each, Problem)]
    return found


def problems(text: str) -> list[str]:
    return [str(each) for each in read(text, Rules()) if isinstance(each, Problem)]


def test_a_screenplay_gives_its_speeches_and_nothing_else():
    assert [tuple(row) for row in rows(SCREENPLAY)] == [
        (17, "ADA", "You came back. I did not think you *would*.", "softly", (), ""),
        (
            *(27, "BRAN", "Quick! [then, sadly] There is no time. [pause] Come."),
            *("out of breath, and looking round", (), ""),
        ),
        (36, "McCai", "No, no, no!", "whispering", (), ""),
        (50, "ADA", "La la, la *la*.", "", (), ""),
    ]


def test_the_brackets_that_parentheticals_become_are_understood():
    for row in rows(SCREENPLAY):
        direct(row.text)


def test_indentation_and_ends_of_lines_do_not_matter():
    indented = SCREENPLAY.replace("\nADA\n(", "\n\t\tADA\n\t(").replace("\n", "\r\n")
    assert rows(indented) == rows(SCREENPLAY)


@pytest.mark.parametrize(
    "nobody",
    [
        "Ada\nis no cue.",
        "ADA\n\nNo speech.",
        "A road.\nADA\nNo empty line before.",
        "INT. HOUSE - DAY\nSomebody enters.",
        "int./ext. CAR - DAY\nSomebody drives.",
        "SMASH CUT TO:\nA house.",
        "42\nA number.",
        "!BOOM\nIt explodes.",
        "> CENTRED <\nwords",
        "ADA\n[[Nothing.]]",
        "ADA\n(nods)",
        "# ADA\n= Speaks.",
    ],
)
def test_what_is_no_speech_is_passed_over(nobody):
    (row,) = rows(f"\n{nobody}\n\nADA\nYes.\n")
    assert (row.place, row.text) == (nobody.count("\n") + 4, "Yes.")


def test_capitals_of_any_alphabet_are_a_cue_and_others_are_forced():
    text = "МАША\nДа.\n\n@ジョン\nはい。\n\nR2D2\nBeep.\n\nOLD ADA'S VOICE (O.S.) (CONT’D)\nYes.\n"
    assert [row.character for row in rows(text)] == ["МАША", "ジョン", "R2D2", "OLD ADA'S VOICE"]


def test_emphasis_of_a_word_stays_and_of_a_whole_speech_does_not():
    spoken = {
        "*All of it.*": "All of it.",
        "_**All**_": "All",
        "Not *all* of it": "Not *all* of it",
        "_Not_ all": "*Not* all",
        "*a* b *c*": "*a* b *c*",
        "***a*** b": "***a*** b",
        r"2 \* 3, a\_b, snake_case_name": r"2 \* 3, a_b, snake_case_name",
    }
    for written, said in spoken.items():
        assert rows(f"ADA\n{written}\n")[0].text == said


def test_a_lyric_that_nobody_is_named_for_is_the_narrators():
    (row,) = rows("A stage.\n\n~Hear, *hear*!\n")
    assert (row.place, row.character, row.text) == (3, "Narrator", "Hear, *hear*!")


def test_all_that_is_wrong_is_told_at_once():
    told = problems("@Ada\n\n[[ a note\n\nBRAN\nYes.\n\n/* gone\n\nCAI\nNo.\n")
    assert len(told) == 3
    assert any("line 1: nothing stands below '@Ada'" in each for each in told)
    assert any("line 3: '[[' is not closed; write ']]'" in each for each in told)
    assert any("line 8: '/*' is not closed; write '*/'" in each for each in told)
    assert list(read("", Rules())) == []


NAMES = st.from_regex(r"[A-ZÄ][A-Z0-9ÄÖ]{0,6}( [A-Z]{1,4})?", fullmatch=True)
WORDS = st.text("abcdé ж日.,:;!?'\"-_*#<>{}=&/", min_size=1, max_size=50)
TEXTS = WORDS.map(lambda words: "a" + " ".join(words.split())).filter(lambda text: "/*" not in text)


def written(text: str) -> str:
    """The text in Fountain, broken into lines where the next cannot be taken for anything else."""
    text = text.replace("*", r"\*").replace("_", r"\_")
    return text.replace(" a", "\na").replace(" b", "\n \nb".replace("\n \n", "\n  \n"))


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(NAMES, TEXTS, st.sampled_from(["{}", "{} (V.O.)", "@{}", "{} ^"]))))
def test_whatever_is_written_reads_back_with_its_speaker_and_text(speeches):
    text = "\n".join(
        f"Somebody waits.\n\n{cue.format(name)}\n{written(said)}\n" for name, said, cue in speeches
    )
    assert [(row.character, row.text) for row in rows(text)] == [
        (name, said.replace("*", r"\*")) for name, said, _ in speeches
    ]


@settings(max_examples=200, deadline=None)
@given(st.text("@^()[]*_/~!>.=#:\n AbO", max_size=80))
def test_whatever_a_file_holds_gives_rows_and_problems(text):
    for found in read(text, Rules()):
        assert isinstance(found, Row | Problem)
        assert found.place > 0


def test_a_long_screenplay_is_read_in_two_seconds():
    text = "INT. HOUSE - DAY\n\n" + "ADA (V.O.)\n(sadly)\nWell, *well*.\n\n" * MOST_LINES
    start = time.process_time()
    assert len(rows(text)) == MOST_LINES
    assert time.process_time() - start < 2
