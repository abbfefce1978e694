from __future__ import annotations

import itertools
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from test_text import LINES, made_sentences

from conditioning.errors import InvalidInput, UnknownName, UserError
from voice_actor.phonemes import VOCABULARY, Phrase, phonemize
from voice_actor.text import words

SOUNDLESS = set(';:,.!?—…"()“” ˈˌː')


def assert_speaks_all(text: str, phrases: tuple[Phrase, ...], limit: int = 510) -> None:
    """Every word of the text has a sounding row, rows and phonemes are in order, none too long."""
    rows = []
    for phrase in phrases:
        assert 0 < len(phrase.phonemes) <= limit
        assert len(phrase.tokens) == len(phrase.phonemes)
        assert phrase.symbols == phrase.symbols.strip()
        names = {index: symbol for symbol, index in VOCABULARY.items()}
        assert "".join(names[token] for token in phrase.tokens) == phrase.symbols
        last = 0
        for first, end, start, stop in phrase.words:
            assert last <= first < end <= len(phrase.phonemes)
            last = end
            assert set(phrase.symbols[first:end]) - SOUNDLESS, (text, text[start:stop])
            assert all((p.start, p.end) == (start, stop) for p in phrase.phonemes[first:end])
            rows.append((start, stop))
    spans = [(word.start, word.end) for word in words(text)]
    assert [span for span, _ in itertools.groupby(rows)] == spans, text
    starts = [phoneme.start for phrase in phrases for phoneme in phrase.phonemes]
    assert starts == sorted(starts)


def symbols(text: str, **options) -> str:
    return " ".join(phrase.symbols for phrase in phonemize(text, **options))


@pytest.mark.parametrize("accent", ["us", "gb"])
def test_every_word_of_the_tricky_lines_is_spoken(accent):
    for line in LINES:
        assert_speaks_all(line, phonemize(line, accent))


def test_every_word_of_made_sentences_is_spoken():
    for text in made_sentences(200):
        assert_speaks_all(text, phonemize(text))


@pytest.mark.parametrize(
    ("written", "spelt_out"),
    [
        ("$9.99", "nine dollars and ninety-nine cents"),
        ("It's 5km.", "It's five kilometers."),
        ("Dr. Smith lives here.", "Doctor Smith lives here."),
        ("In 1999!", "In nineteen ninety-nine!"),
        ("Nooooo!", "No!"),
        ("Sooo goooood.", "So good."),
        ("Whaaaat?", "What?"),
        ("GIVE IT TO US.", "give it to us."),
        ("I love 😂.", "I love face with tears of joy."),
        ("don’t", "don't"),
        ("*really*", "really"),
    ],
)
def test_a_written_form_sounds_like_its_spelt_out_form(written, spelt_out):
    assert symbols(written) == symbols(spelt_out)


def test_plain_sentences_sound_as_the_reader_of_the_backbones_training_said_them():
    from hibari.g2p import G2P

    for accent in ("us", "gb"):
        g2p = G2P(british=accent == "gb")
        for text in (
            "I read the book yesterday, and I will read it again tomorrow.",
            "She used to live near the live wire.",
            "The record was recorded; please record it!",
            "Where are you going? I am going to the apple store.",
            "They're the ones who've lost; we haven't.",
            "It is gonna be a long, cold winter (I think).",
        ):
            assert symbols(text, accent=accent) == g2p(text)


def test_stammers_repeat_the_sound_and_not_the_letters_name():
    assert symbols("W-w-what?") == "wə wə wˌʌt?"
    assert symbols("n-no") == "nə nˈO"
    assert "dˈʌb" not in symbols("w-we")
    assert symbols("D-Day").startswith("dˈi")


def test_the_vocabulary_is_the_backbones():
    import json

    import hibari.g2p

    shipped = json.loads((Path(hibari.g2p.ASSETS) / "vocab.json").read_text(encoding="utf-8"))
    assert shipped == VOCABULARY


def test_accents_differ():
    assert symbols("I can't go home.", accent="us") != symbols("I can't go home.", accent="gb")


def test_a_phoneme_knows_the_word_it_came_from():
    text = "Well — $9.99, then."
    (phrase,) = phonemize(text)
    of_price = [p for p in phrase.phonemes if text[p.start : p.end] == "$9.99"]
    assert "".join(p.symbol for p in of_price) == "nˈIn dˈɑləɹz ænd nˈIndinˌIn sˈɛnts"
    comma = next(p for p in phrase.phonemes if p.symbol == ",")
    assert text[comma.start : comma.end] == ","
    assert (phrase.start, phrase.end) == (0, len(text))


def test_long_text_is_split_and_nothing_is_cut():
    draw = random.Random(1)
    text = " ".join(itertools.islice(iter(lambda: draw.choice(LINES[:12]), None), 150))[:5000]
    for limit in (510, 200, 64, 16):
        assert_speaks_all(text, phonemize(text, limit=limit), limit)


def test_a_sentence_without_any_stop_is_split_at_words():
    text = "and then we went on " * 250
    phrases = phonemize(text)
    assert_speaks_all(text, phrases)
    assert all(len(phrase.phonemes) <= 300 for phrase in phrases)


def test_long_sentences_part_at_clauses():
    clause = "the rain went on falling over the dark and silent town below"
    phrases = phonemize(f"{clause}, {clause}; {clause}, {clause}, {clause}; {clause}.", limit=200)
    assert len(phrases) > 1
    assert all(phrase.symbols[-1] in ",;." for phrase in phrases)


@pytest.mark.parametrize("word", ["ab" * 2500, "a" * 5000, "x" * 5000, "1" * 5000, "a-b" * 1600])
def test_a_monstrous_word_is_split_and_not_cut(word):
    phrases = phonemize(word)
    assert_speaks_all(word, phrases)
    if len(set(word)) > 1:
        assert sum(len(phrase.phonemes) for phrase in phrases) > 2000


def test_short_sentences_share_a_phrase_up_to_the_target():
    text = "Go. Run! Now? Yes. " * 30
    phrases = phonemize(text, target=100)
    assert_speaks_all(text, phrases)
    lengths = [len(phrase.phonemes) for phrase in phrases]
    assert max(lengths) <= 100
    assert min(lengths[:-1]) > 80
    assert len(phonemize(text, target=1)) == 120


def test_a_break_starts_a_phrase_at_the_next_word():
    text = 'Go away, "come back" now.'
    for offset, start in ((8, 9), (7, 9), (9, 9), (12, 15), (15, 15), (0, 0), (len(text), 0)):
        phrases = phonemize(text, breaks=[offset])
        assert_speaks_all(text, phrases)
        assert phrases[-1].start == start, offset
    assert len(phonemize(text, breaks=[3, 9, 21])) == 4


def test_a_pronunciation_of_the_callers_wins():
    plain = symbols("Ask Siobhan now.")
    given = symbols("Ask Siobhan now.", pronunciations={"siobhan": "ʃəvˈɔn"})
    assert given != plain
    assert "ʃəvˈɔn" in given
    with pytest.raises(InvalidInput, match="U\\+0261"):
        phonemize("Go.", pronunciations={"go": "gˈO"})
    with pytest.raises(InvalidInput, match="no sound"):
        phonemize("Go.", pronunciations={"go": "ˈ"})
    with pytest.raises(InvalidInput, match="one word"):
        phonemize("Go.", pronunciations={"go on": "ɡˈO"})


def test_wrong_arguments_are_named():
    with pytest.raises(UnknownName, match="accent 'uk'"):
        phonemize("Go.", "uk")
    with pytest.raises(InvalidInput, match="limit is 511"):
        phonemize("Go.", limit=511)
    with pytest.raises(InvalidInput, match="break at 9"):
        phonemize("Go.", breaks=[9])


def test_threads_get_the_same_phonemes():
    lines = LINES[:24]
    alone = [symbols(line) for line in lines]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(symbols, lines)) == alone


@example("0ÒEH0", "us", 16)  # cut between a space and a stress mark
@settings(max_examples=150, deadline=None)
@given(
    st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=80),
    st.sampled_from(["us", "gb"]),
    st.sampled_from([16, 40, 510]),
)
def test_any_latin_text_is_spoken_whole(text, accent, limit):
    try:
        phrases = phonemize(text, accent, limit=limit)
    except UserError:
        assert not any(c.isalnum() for c in text), text
        return
    assert_speaks_all(text, phrases, limit)


@pytest.mark.parametrize(("text", "begins"), [("A4 paper.", "ˈA fˈɔɹ"), ("A-1 steak.", "ˈA wˈʌn")])
def test_the_letter_a_before_a_number_is_its_name(text, begins):
    assert phonemize(text, "us")[0].symbols.startswith(begins)
