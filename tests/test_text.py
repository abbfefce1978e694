from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conditioning.errors import InvalidInput, UserError
from voice_actor.text import Mark, Word, pieces, sentences, words

LINES = (Path(__file__).parent / "data" / "sentences.txt").read_text(encoding="utf-8").splitlines()

NAMES = ["Dr. Smith", "Mrs. O'Brien", "Zoë", "J. R. Ewing", "the U.S.", "NASA", "St. Paul", "Mia"]
AMOUNTS = ["$9.99", "£5", "3", "1,234", "2½", "50%", "1/2", "5km", "20°C", "10-20", "$1.2 million"]
TIMES = ["at 3:30pm", "on Dec 25, 2026", "in 1999", "on 2026-11-21", "at 5 a.m.", "in the '90s"]
ENDS = [".", "!", "?", "…", "?!", " — no!", '."', ".”"]
TEMPLATES = [
    "{name} paid {amount} {time}{end}",
    "{amount} for {name}, {time}{end}",
    "“Give me {amount},” said {name} {time}{end}",
    "I-I saw {name}; {amount} — {time}{end}",
    "({name} wants {amount}) and *then* {time}{end}",
]


def made_sentences(count: int) -> list[str]:
    draw = random.Random(0)
    return [
        draw.choice(TEMPLATES).format(
            name=draw.choice(NAMES),
            amount=draw.choice(AMOUNTS),
            time=draw.choice(TIMES),
            end=draw.choice(ENDS),
        )
        for _ in range(count)
    ]


def assert_covers(text: str) -> None:
    """Every letter and digit lies in a word, and the spans are in order and apart."""
    found = pieces(text)
    covered: set[int] = set()
    last = 0
    for piece in found:
        assert last <= piece.start <= piece.end, (text, piece)
        last = piece.end
        if isinstance(piece, Word):
            assert piece.spoken.strip(), (text, piece)
            covered.update(range(piece.start, piece.end))
    lost = [(i, c) for i, c in enumerate(text) if c.isalnum() and i not in covered]
    assert not lost, (text, lost)


def said(text: str) -> str:
    return " ".join(word.spoken for word in words(text))


@pytest.mark.parametrize("line", LINES)
def test_no_letter_or_digit_of_a_tricky_line_is_lost(line):
    assert_covers(line)


def test_no_letter_or_digit_of_made_sentences_is_lost():
    for text in made_sentences(400):
        assert_covers(text)


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("$9.99", "nine dollars and ninety-nine cents"),
        ("$1", "one dollar"),
        ("$0.50", "fifty cents"),
        ("£5", "five pounds"),
        ("€3.50", "three euros and fifty cents"),
        ("$1.2 million", "one point two million dollars"),
        ("£1m", "one million pounds"),
        ("5¢", "five cents"),
        ("$5-10", "five to ten dollars"),
        ("100€", "one hundred euros"),
        ("3:30pm", "three thirty P.M."),
        ("10:05", "ten oh five"),
        ("5:00", "five o'clock"),
        ("10:30-11:00", "ten thirty to eleven o'clock"),
        ("Dec 25, 2026", "December twenty-fifth, twenty twenty-six"),
        ("12/25/2026", "December twenty-fifth, twenty twenty-six"),
        ("2026-11-21", "November twenty-first, twenty twenty-six"),
        ("the 5th of May", "the fifth of May"),
        ("50%", "fifty percent"),
        ("1/2", "one half"),
        ("3/4", "three quarters"),
        ("2 1/2", "two and a half"),
        ("2½", "two and a half"),
        ("10-20", "ten to twenty"),
        ("10–20", "ten to twenty"),
        ("50-50", "fifty fifty"),
        ("24/7", "twenty-four seven"),
        ("555-123-4567", "five five five, one two three, four five six seven"),
        ("5km", "five kilometers"),
        ("1 km", "one kilometer"),
        ("20°C", "twenty degrees Celsius"),
        ("-5", "minus five"),
        ("1,234", "one thousand two hundred thirty-four"),
        ("3.14", "three point one four"),
        ("in 1905", "in nineteen oh five"),
        ("in 1066", "in ten sixty-six"),
        ("1990s", "nineteen nineties"),
        ("the '90s", "the nineties"),
        ("21st", "twenty-first"),
        ("007", "zero zero seven"),
        ("v2.1", "version two point one"),
        ("3.11.7", "three point eleven point seven"),
        ("3840x2160", "three thousand eight hundred forty by two thousand one hundred sixty"),
        ("Chapter IV", "Chapter four"),
        ("Henry VIII", "Henry the eighth"),
        ("World War II", "World War two"),
        ("Peter I know", "Peter I know"),
        ("Dr. Smith", "Doctor Smith"),
        ("Elm Dr. is long", "Elm Drive is long"),
        ("Main St. near St. Mary's", "Main Street near Saint Mary's"),
        ("e.g. this", "for example this"),
        ("No. 5", "number five"),
        ("no. Stop", "no Stop"),
        ("R&D", "R and D"),
        ("C++", "C plus plus"),
        ("GPT-4o", "GPT four o"),
        ("20-year-old", "twenty year old"),
        ("bob@example.com", "bob at example dot com"),
        ("https://foo.org/x", "foo dot org slash x"),
        ("#NoFilter", "hashtag No Filter"),
        ("@some_handle", "at some handle"),
        ("#5", "number five"),
        ("main.py", "main dot py"),
        ("2 + 2 = 4", "two plus two equals four"),
        ("5 * 3", "five times three"),
        ("*bold* _it_", "bold it"),
        ("2π", "two pi"),
        ("5\u00a0km", "five kilometers"),
        ("10\u202f000", "ten thousand"),
        ("e\u0301t\u00e9", "été"),
        ("Đoković", "Dokovic"),
        ("zero\u200bwidth", "zerowidth"),
        ("ＦＵＬＬ", "FULL"),
        ("don’t", "don't"),
        ("❤️", "red heart"),
        ("👍🏽", "thumbs up"),
        ("🇫🇷", "flag of France"),
        ("😂😂😂", "face with tears of joy"),
        ("1️⃣", "one"),
        ("great👍work", "great thumbs up work"),
        (":)", "smile"),
    ],
)
def test_a_written_form_is_read_as_people_say_it(written, spoken):
    assert said(written) == spoken
    assert said(f"Well, {written} then.") == f"Well {spoken} then"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("Dr. Smith paid $9.99 for it. He left.", ["Dr. Smith paid $9.99 for it.", "He left."]),
        ("J. R. R. Tolkien wrote. I read.", ["J. R. R. Tolkien wrote.", "I read."]),
        ("We left at 5 p.m. He stayed.", ["We left at 5 p.m.", "He stayed."]),
        ("Cats vs. The Dogs. It ran.", ["Cats vs. The Dogs.", "It ran."]),
        ("The U.S. Army left the U.S. The end.", ["The U.S. Army left the U.S.", "The end."]),
        ("Wait... what? Well… No.", ["Wait... what?", "Well…", "No."]),
        ('"No." she said. "Go!" He ran.', ['"No." she said.', '"Go!"', "He ran."]),
        ("“Really?” he asked. ‘Yes.’ Good.", ["“Really?” he asked.", "‘Yes.’", "Good."]),
        ("(It was so.) Then not.", ["(It was so.)", "Then not."]),
        ("A Title\n\nThe text.", ["A Title", "The text."]),
        ("one line\nand the next.", ["one line\nand the next."]),
        ("It ended.Then it began.", ["It ended.", "Then it began."]),
        ("He got 3.5. She got 4.", ["He got 3.5.", "She got 4."]),
        ("... Well. ...", ["... Well. ..."]),
    ],
)
def test_sentences_end_where_a_reader_stops(text, expected):
    assert [text[start:end] for start, end in sentences(text)] == expected


def test_marks_keep_the_shape_of_the_sentence():
    found = pieces('"Wait -- what?!?!" he asked... (no, really); fine')
    marks = [piece.symbol for piece in found if isinstance(piece, Mark)]
    assert marks == ["“", "—", "?!", "”", "…", "(", ",", ")", ";"]


def test_a_word_span_is_the_written_word_without_its_punctuation():
    text = 'He said, "$9.99, please!"'
    assert [text[word.start : word.end] for word in words(text)] == [
        "He",
        "said",
        "$9.99",
        "please",
    ]


@pytest.mark.parametrize("text", ["", "   ", "...", "?!", "— … —", "***", "\n\n", "“”"])
def test_text_without_a_word_is_refused_in_one_line(text):
    with pytest.raises(InvalidInput, match="no word to speak") as caught:
        words(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Say Привет to all", "'Привет' \\(Cyrillic, at position 4\\)"),
        ("hello 世界", "'世界' \\(Chinese/Japanese"),
        ("γειά σου", "Greek"),
        ("مرحبا", "Arabic"),
        ("こんにちは", "Hiragana"),
        ("नमस्ते", "Devanagari"),
        ("bell\x07", "U\\+0007 at position 4"),
        ("nul\x00", "U\\+0000 at position 3"),
        ("\ue000", "U\\+E000"),
        ("\ud800 half", "U\\+D800"),
    ],
)
def test_what_cannot_be_read_is_named(text, named):
    with pytest.raises(InvalidInput, match=named) as caught:
        words(text)
    assert "\n" not in str(caught.value)


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=60))
def test_any_latin_text_keeps_its_letters(text):
    try:
        assert_covers(text)
    except UserError:
        assert not any(c.isalnum() for c in text), text


@settings(max_examples=300, deadline=None)
@given(st.text("aA1I0.,:;-'\"$%/#@*_ \n5xkm°&+=<()~|^½é€", max_size=30))
def test_any_mix_of_signs_keeps_its_letters(text):
    try:
        assert_covers(text)
    except UserError:
        assert not any(c.isalnum() for c in text), text


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=30))
def test_any_text_at_all_is_read_or_refused_by_name(text):
    try:
        found = pieces(text)
    except UserError:
        return
    for word in found:
        if isinstance(word, Word):
            assert (
                not set(word.spoken)
                - set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ' -.,")
                - {c for c in word.spoken if "À" <= c <= "ÿ"}
            ), word
