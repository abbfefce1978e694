from __future__ import annotations

import math
import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conditioning.errors import InvalidInput, UserError
from conditioning.lexicon import LEXICON
from conditioning.manner import Manner
from conditioning.markup import parse_markup
from conditioning.persona import read_persona
from conditioning.taxonomy import NAMES
from conditioning.vocal_tags import _BESIDE, _DELIVERIES, _EFFECTS, _PASSING, _SOUNDS, setting
from conditioning.wording import parse_direction


def spoken(text):
    markup = parse_markup(text)
    return [(markup.text[span.start : span.end], span.directions) for span in markup.spans]


def manners(text):
    markup = parse_markup(text)
    return [(markup.text[start:end], held.to_json()) for start, end, held in markup.manners]


def test_a_line_without_brackets_is_left_as_it_is():
    for text in ("", "Hello  there. ", "a < b -> c", "back\\slash"):
        assert parse_markup(text).text == text
        assert parse_markup(text).spans == ()


def test_a_bracket_holds_to_the_next_one_or_the_end():
    line = "[fear 0.2 -> 0.9] It's coming up the stairs. [relief] Oh. It's only you."
    assert parse_markup(line).text == "It's coming up the stairs. Oh. It's only you."
    assert spoken(line) == [
        ("It's coming up the stairs. ", ("fear 0.2", "0.9")),
        ("Oh. It's only you.", ("relief",)),
    ]


def test_words_before_the_first_bracket_and_after_a_closing_one_have_no_span():
    markup = parse_markup("Well. [angry] No! [/] Fine.")
    assert markup.text == "Well. No! Fine."
    assert spoken("Well. [angry] No! [/] Fine.") == [("No! ", ("angry",))]


def test_a_ramp_may_have_several_stations_and_either_arrow():
    (span,) = parse_markup("[fear 0.2 -> 0.9 → 0.4] Oh.").spans
    assert span.directions == ("fear 0.2", "0.9", "0.4")
    assert (span.at_start, span.at_end) == ("fear 0.2", "0.4")


def test_a_steady_bracket_is_the_same_at_both_ends():
    (span,) = parse_markup("[calm] Oh.").spans
    assert span.at_start == span.at_end == "calm"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("[calm]Oh.", "Oh."),
        ("Oh [calm] dear.", "Oh dear."),
        ("Oh[calm] dear.", "Oh dear."),
        ("Oh [calm]dear.", "Oh dear."),
        ("un[anger]believable", "unbelievable"),
        ("Oh, [calm] yes [/] .", "Oh, yes."),
        ("Oh [/], yes.", "Oh, yes."),
        ("[calm] Yes. [/]", "Yes."),
        ("One\n[calm]\nTwo", "One\nTwo"),
    ],
)
def test_no_double_space_and_no_lost_letter_is_left_where_a_bracket_stood(text, clean):
    assert parse_markup(text).text == clean


def test_escaped_brackets_are_spoken_text():
    markup = parse_markup("[calm] See \\[note 3\\] there.")
    assert markup.text == "See [note 3] there."
    assert len(markup.spans) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Oh [fear it comes", "'\\[' at character 4 is never closed"),
        ("Oh [] no", "bracket at character 4 is empty"),
        ("Oh [  ] no", "bracket at character 4 is empty"),
        ("[fear [angry] x] Oh", "'\\[' at character 7 stands inside the bracket at character 1"),
        ("[fear [angry Oh", "stands inside"),
        ("Oh] no", "']' at character 3 closes no bracket"),
        ("Hello. [calm]", "nothing to speak after it"),
        ("Hello. [calm] ...", "nothing to speak after it"),
        ("Hello. [calm] 😀", "nothing to speak after it"),
        ("[calm] [angry] Hello.", "'\\[calm\\]' at character 1 has nothing to speak"),
        ("[calm ->] Hello.", "Bracket at character 1: The ramp 'calm ->' has an empty side"),
        ("[-> calm] Hello.", "empty side"),
        (None, "came as NoneType"),
    ],
)
def test_a_wrong_bracket_is_refused_with_its_place(text, message):
    with pytest.raises(InvalidInput, match=message) as caught:
        parse_markup(text)
    assert "\n" not in str(caught.value)


def test_thousands_of_characters_and_brackets_are_read_quickly_and_whole():
    text = "[fear] one [calm] two " * 500
    markup = parse_markup(text)
    assert markup.text.split() == ["one", "two"] * 500
    assert len(markup.spans) == 1000
    with pytest.raises(InvalidInput) as caught:
        parse_markup("Hi [" + "x" * 5000 + "]")
    assert len(str(caught.value)) < 300


def test_spans_never_overlap_and_stay_inside_the_text():
    markup = parse_markup("A [calm] b. [/] c [angry -> calm] d [fear] e   [/]  ")
    edges = [edge for span in markup.spans for edge in (span.start, span.end)]
    assert edges == sorted(edges)
    assert edges[-1] <= len(markup.text)


def is_plain(markup):
    return not (markup.spans or markup.manners or markup.pauses or markup.notes)


def read_or_refused(text):
    """The markup, or None where it is refused, in one line that is not long."""
    try:
        return parse_markup(text)
    except UserError as error:
        told = str(error)
    assert "\n" not in told
    assert len(told) < 400
    return None


def assert_whole(markup):
    """Offsets lie within the text; spans are sorted and apart; manners and pauses are sorted."""
    length = len(markup.text)
    edges = [edge for span in markup.spans for edge in (span.start, span.end)]
    assert edges == sorted(edges)
    assert all(span.start < span.end <= length for span in markup.spans)
    assert all(0 <= start < end <= length and manner for start, end, manner in markup.manners)
    assert [piece[:2] for piece in markup.manners] == sorted(p[:2] for p in markup.manners)
    offsets = [offset for offset, _ in markup.pauses]
    assert offsets == sorted(set(offsets))
    assert all(0 <= offset <= length for offset in offsets)
    assert all(0 < lasting <= 10 for _, lasting in markup.pauses)
    assert all("\n" not in note for note in markup.notes)


@pytest.mark.parametrize(
    ("bracket", "lasting"),
    [
        ("pause", 0.5),
        ("short pause", 0.25),
        ("long pause", 1.2),
        ("Pause 0.8", 0.8),
        ("pause 800ms", 0.8),
        ("pause: 1.5 s", 1.5),
        ("pause for 2 seconds", 2.0),
        ("break 1s", 1.0),
        ("pauses", 0.5),
        ("pause 10", 10.0),
    ],
)
def test_a_pause_lasts_as_long_as_it_says(bracket, lasting):
    markup = parse_markup(f"Wait. [{bracket}] What?")
    assert (markup.text, markup.pauses) == ("Wait. What?", ((6, lasting),))
    assert markup.spans == ()


def test_a_pause_needs_nothing_after_it_and_parts_words():
    assert parse_markup("Well [pause]").pauses == ((4, 0.5),)
    assert parse_markup("Well[pause]then [pause 1].").text == "Well then."
    assert parse_markup("[pause][pause 1] Hi [pause 0].").pauses == ((0, 1.5),)


@pytest.mark.parametrize(
    "words",
    ["pause 11", "pause 800", "pause -1", "pause 1h", "break 99999s", "pause 1e9", "pause nan",
     "pause inf", "pause ½"],
)  # fmt: skip
def test_a_pause_out_of_range_is_refused_with_what_is_allowed(words):
    with pytest.raises(InvalidInput, match="character 4.* allowed: 0 to 10 s"):
        parse_markup(f"Hi [{words}] you")


def test_pauses_at_one_place_may_not_add_up_to_more_than_one_may_last():
    with pytest.raises(InvalidInput, match="add up to 16 s; allowed: 10 s"):
        parse_markup("Hi [pause 8] [pause 8] you")


@pytest.mark.parametrize(
    ("text", "clean", "emphasised"),
    [
        ("[emphasis] really big", "really big", [("really", 0.6)]),
        ("a [strong emphasis] don't-care", "a don't-care", [("don't-care", 1.0)]),
        ("[emphasis] so very [/emphasis] big", "so very big", [("so very", 0.6)]),
        ("[emphasis] one [/] two", "one two", [("one", 0.6)]),
        ("[emphasis] one [emphasis] two three", "one two three", [("one ", 0.6), ("two", 0.6)]),
        ("so *very* big", "so very big", [("very", 0.6)]),
        ("***so***", "so", [("so", 1.0)]),
        ("**All of it**!", "All of it!", [("All of it", 1.0)]),
        ("**very *big* dog**", "very big dog", [("very big dog", 1.0), ("big", 0.6)]),
        ("“*you*”", "“you”", [("you", 0.6)]),
        ("*one*, *two*", "one, two", [("one", 0.6), ("two", 0.6)]),
    ],
)
def test_emphasis_holds_for_its_words(text, clean, emphasised):
    assert parse_markup(text).text == clean
    found = [(words.rstrip(), held["emphasis"]) for words, held in manners(text)]
    assert found == [(words.rstrip(), weight) for words, weight in emphasised]


@pytest.mark.parametrize(
    "text",
    ["5 * 3", "5*3*2", "* one\n* two", "a * b", "** unclosed", "*unclosed", "f*ck and sh*t", "***",
     "_so_", "__so__", "*", "**", "*One.\n\nTwo*",
     "a*b*c", "2 * 3 * 4", "(*)", "* *", "x **", "****four****"],
)  # fmt: skip
def test_an_asterisk_that_wraps_no_words_is_text(text):
    assert parse_markup(text).text == text
    assert parse_markup(text).manners == ()


def test_escaped_characters_are_text():
    for text in ("\\*so*", "\\*so\\*", "\\(laughs)", "\\<laugh>", "\\[pause]"):
        markup = parse_markup(text.replace("]", "\\]"))
        assert markup.text == text.replace("\\", "")
        assert is_plain(markup)


def test_a_manner_holds_to_its_end_and_leaves_the_direction_alone():
    text = "[afraid] I saw [slow] it [/slow] move."
    assert spoken(text) == [("I saw it move.", ("afraid",))]
    assert manners(text) == [("it ", {"pace": -0.35})]
    assert manners("[whisper] a [sad] b") == [("a b", {"whisper": 1.0})]
    assert manners("[whisper] a [/] b") == [("a ", {"whisper": 1.0})]


def test_a_bracket_may_hold_a_manner_and_a_direction():
    for bracket in ("whisper, afraid", "afraid; whisper", "afraid and whisper"):
        text = f"Oh. [{bracket}] Go. [/] Now."
        assert spoken(text) == [("Go. ", ("afraid",))]
        assert manners(text) == [("Go. ", {"whisper": 1.0})]
    assert spoken("[whisper, fear 0.2 -> 0.9] Go.") == [("Go.", ("fear 0.2", "0.9"))]


def test_of_two_manners_of_one_kind_the_later_holds_until_it_ends():
    text = "[slow] one [fast] two [/fast] three [/slow] four"
    assert [(words.strip(), held["pace"]) for words, held in manners(text)] == [
        ("one", -0.35),
        ("two", 0.35),
        ("three", -0.35),
    ]
    crossed = manners("[slow][fast]x[/slow]y[/fast]z")
    assert [(words, held["pace"]) for words, held in crossed] == [("x", 0.35), ("y", -0.35)]
    assert manners("[quiet] a [high] b")[0] == ("a b", read_persona("quiet").manner.to_json())


@pytest.mark.parametrize("word", ["whisper", "shout", "slow", "fast", "quiet", "monotone"])
def test_a_bracket_means_what_the_same_word_means_in_a_direction(word):
    assert manners(f"[{word}] Go.") == [("Go.", read_persona(word).manner.to_json())]


def test_degrees_change_a_manner_and_stay_within_bounds():
    pace = [manners(f"[{degree}fast] Hi")[0][1]["pace"] for degree in ("slightly ", "", "very ")]
    assert pace == sorted(pace)
    assert manners("[extremely loud] Hi")[0][1]["level"] == 8.5


def test_less_of_a_manner_goes_the_other_way():
    assert manners("[less loud] Hi")[0][1]["level"] < 0
    assert manners("[less fast] Hi")[0][1]["pace"] < 0
    assert manners("[less quiet] Hi")[0][1]["level"] > 0
    assert manners("[less whisper] Hi") == []


@pytest.mark.parametrize(
    ("bracket", "control", "value"),
    [
        ("speed 0.8", "pace", math.log2(0.8)),
        ("speed 120%", "pace", math.log2(1.2)),
        ("rate +10%", "pace", math.log2(1.1)),
        ("pace=slow", "pace", -0.35),
        ("pitch +2", "pitch", 2),
        ("pitch -1.5 st", "pitch", -1.5),
        ("volume -6", "level", -6),
        ("volume 50%", "level", 20 * math.log10(0.5)),
        ("volume loud", "level", 5),
        ("whisper 0.5", "whisper", 0.5),
        ("tremor .3", "tremor", 0.3),
        ("emphasis 0.8", "emphasis", 0.8),
    ],
)
def test_numbers_set_a_manner_in_the_units_people_use(bracket, control, value):
    ((_, held),) = manners(f"[{bracket}] Hi")
    assert held[control] == pytest.approx(value, abs=1e-4)
    if control in ("pace", "pitch", "level", "whisper"):
        assert not parse_markup(f"[{bracket}] Hi [/{bracket.split()[0].split('=')[0]}] you").spans


@pytest.mark.parametrize(
    ("words", "manner"),
    [
        ("speed 0.8", Manner(pace=-0.3219)),
        ("Pitch: +2", Manner(pitch=2)),
        ("pitch \u22122", Manner(pitch=-2)),  # a minus sign
        ("volume -6 dB", Manner(level=-6)),
        ("pace 80%", Manner(pace=-0.3219)),
        ("whisper 0.5", Manner(whisper=0.5)),
        ("speed x-slow", Manner(pace=-0.6)),
        ("whisper", None),
        ("whisper rough", None),
        ("speed of thought", None),
        ("speed", None),
        ("sad 0.5", None),
        ("", None),
        ("speed " + "9" * 99, None),
    ],
)
def test_words_of_a_direction_are_read_as_the_number_they_set(words, manner):
    assert setting(words) == manner


@pytest.mark.parametrize("words", ["speed 5", "pitch nan", "whisper 50%", "volume 3 apples"])
def test_a_number_that_cannot_be_set_is_refused_in_a_direction_too(words):
    with pytest.raises(InvalidInput, match="allowed: "):
        setting(words)


@pytest.mark.parametrize(
    ("bracket", "allowed"),
    [
        ("speed 5", "0.58 to 1.74"),
        ("speed nan", "0.58 to 1.74"),
        ("speed ++1", "0.58 to 1.74"),
        ("pitch inf", "-5 to \\+6 semitones"),
        ("pitch ½", "-5 to \\+6 semitones"),
        ("whisper 50%", "0 to 1; write for example 0.5"),
        ("melody nan", "-1.2 to 1.2"),
        ("speed", "a number; write for example 'speed 0.8'"),
        ("sad, level", "a number; write for example 'level -6'"),
        ("pitch +2 -> +4", "ramps of directions; write one bracket after the other"),
        ("whisper 0.2 -> 0.9", "ramps of directions"),
        ("speed 0", "0.58 to 1.74"),
        ("speed 0,8", "0.58 to 1.74"),
        ("pitch +9", "-5 to \\+6 semitones"),
        ("pitch +20Hz", "-5 to \\+6 semitones"),
        ("volume -40dB", "-12 to \\+9 dB"),
        ("whisper 2", "0 to 1"),
    ],
)
def test_a_manner_out_of_range_is_refused_with_the_range(bracket, allowed):
    with pytest.raises(InvalidInput, match=f"character 4.*allowed: {allowed}"):
        parse_markup(f"Hi [{bracket}] you")


def test_the_ends_of_each_range_that_is_named_are_allowed():
    for bracket in ("speed 0.58", "speed 1.74", "pitch -5", "pitch +6", "volume -12", "volume 9"):
        assert manners(f"[{bracket}] Hi")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Hello. [whisper]", "'\\[whisper\\]' at character 8 has nothing to speak after it"),
        ("[slow] [fast] Hi", "'\\[slow\\]' at character 1 has nothing to speak"),
        ("Hi [emphasis] .", "nothing to speak"),
        ("[/slow] Hi", "at character 1 ends nothing"),
        ("[slow] Hi [/loud]", "'\\[/loud\\]' at character 11 ends nothing"),
        ("[sad] Hi [/happy]", "ends nothing"),
        ("[slow -> fast] Hi", "at character 1: The ramp 'slow -> fast' is one of manners"),
    ],
)
def test_a_manner_that_directs_nothing_is_refused(text, message):
    with pytest.raises(InvalidInput, match=message):
        parse_markup(text)


def test_a_direction_may_be_ended_by_its_name():
    assert spoken("[afraid] Go. [/afraid] Now.") == [("Go. ", ("afraid",))]
    assert spoken("[fear 0.2 -> 0.9] Go. [/fear] Now.") == [("Go. ", ("fear 0.2", "0.9"))]


def test_a_sound_is_left_out_with_a_note_and_its_feeling_directs_the_sentence():
    markup = parse_markup("[laughs] You did what? Well. [sad] Oh.")
    assert markup.text == "You did what? Well. Oh."
    assert spoken("[laughs] You did what? Well. [sad] Oh.") == [
        ("You did what? ", ("Amusement 0.6",)),
        ("Oh.", ("sad",)),
    ]
    assert markup.notes == (
        "[laughs] at character 1: this voice cannot laugh yet; the words after it are spoken "
        "amused instead.",
    )


def test_a_sound_is_felt_beside_the_direction_in_force_which_goes_on_after_it():
    assert spoken("[sad] I miss him. [laughs] He was so funny. I miss him.") == [
        ("I miss him. ", ("sad",)),
        ("He was so funny. ", ("sad, Amusement 0.6",)),
        ("I miss him.", ("sad",)),
    ]


def test_a_sound_leaves_a_ramp_whole():
    text = "[fear 0.2 -> 0.9] It is [gasps] there. Oh."
    assert spoken(text) == [("It is there. Oh.", ("fear 0.2", "0.9"))]
    assert parse_markup(text).notes == (
        "[gasps] at character 25: this voice cannot gasp yet; it is left out.",
    )


def test_what_a_sound_says_is_beside_the_lines_own_direction_and_what_a_bracket_says_is_not():
    def beside(text):
        return [span.beside for span in parse_markup(text).spans]

    assert beside("[laughs] You. [sad] Oh. [laughs] No. [/] (sighs) Well.") == [
        True, False, False, True,
    ]  # fmt: skip
    assert beside("<laugh>You. [gasps] What?</laugh> Oh.") == [True, True]
    assert beside("[sad] Oh. <laugh>You.</laugh> No.") == [False, False, False]
    assert beside("[sad, laughs] You.") == [False]


def test_a_sound_with_words_of_its_own_is_felt_in_them_beside_the_direction_in_force():
    assert spoken("[sad] Oh. <laugh>You.</laugh> No.") == [
        ("Oh. ", ("sad",)),
        ("You.", ("sad, Amusement 0.6",)),
        (" No.", ("sad",)),
    ]
    ramp = "[fear 0.2 -> 0.9] Oh. <laugh>You.</laugh> No."
    assert spoken(ramp) == [("Oh. You. No.", ("fear 0.2", "0.9"))]
    assert parse_markup(ramp).notes[0].endswith("cannot laugh yet; it is left out.")


@pytest.mark.parametrize(
    ("text", "felt"),
    [
        ("<laugh>You.</laugh> Yes.", "the words inside are spoken amused instead"),
        ("<laugh></laugh> You.", "the words after it are spoken amused instead"),
        ("<speak><laugh></laugh> You.</speak>", "the words after it are spoken amused instead"),
        ("<laugh></laugh>", "it is left out"),
        ("<laugh>…</laugh> You.", "it is left out"),
        ("<laugh> [sad] You.</laugh>", "it is left out"),
    ],
)
def test_the_note_of_a_sound_says_which_words_it_is_felt_in(text, felt):
    markup = parse_markup(text)
    assert markup.notes[0].endswith(f"this voice cannot laugh yet; {felt}.")
    assert any("Amusement" in span.directions[0] for span in markup.spans) == ("amused" in felt)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("*sighs* fine", "fine"),
        ("*laughs nervously* fine", "fine"),
        ("I guess **sighs** you're right", "I guess you're right"),
        ("[sad] Well. *clears throat* Fine.", "Well. Fine."),
        ("<speak>*sigh* *cough* Sorry.</speak>", "Sorry."),
        ("*laughing* you did what?", "you did what?"),
        ("*whispers* come here", "come here"),
    ],
)
def test_a_sound_between_asterisks_is_one(text, clean):
    markup = parse_markup(text)
    assert markup.text == clean
    assert all("emphasis" not in held.to_json() for _, _, held in markup.manners)


def test_a_sound_between_asterisks_is_felt_as_one_between_round_brackets():
    starred, round_ = parse_markup("Oh. *sighs* Fine."), parse_markup("Oh. (sighs) Fine.")
    assert (starred.text, starred.spans) == (round_.text, round_.spans)
    assert starred.notes[0] == round_.notes[0].replace("(sighs)", "*sighs*")


@pytest.mark.parametrize(
    "text",
    ["He *laughs* at it.", "**He** *laughs* at it.", "The dog *whimpers* all night.",
     "My *sobs* woke him.", "Don't *laugh* at me.", "*Breathe* in.", "*Scream* for me!",
     "She was *crying* when I left.", "I'm *out of breath*.", "Do it *softly*.", "*Softly* now.",
     "Press *pause*.", "“*Breathe*,” she said.", "Please, *breathe* now.", "*sighs and sags* no"],
)  # fmt: skip
def test_a_word_of_the_sentence_between_asterisks_is_emphasised(text):
    markup = parse_markup(text)
    assert markup.text == text.replace("*", "")
    assert markup.notes == ()
    assert all(held.emphasis for _, _, held in markup.manners)
    assert markup.manners


@pytest.mark.parametrize(
    "text", ["That's it. [laughs]", "That's it. [coughs]", "That's it (sighs)."]
)
def test_a_sound_without_words_after_it_has_only_its_note(text):
    markup = parse_markup(text)
    assert markup.text == "That's it."
    assert markup.spans == ()
    assert "left out" in markup.notes[0]


@pytest.mark.parametrize(
    "text",
    ["[laughs]", "(sighs)", "*sighs*", "[pause]", "[/]", '<break time="1s"/>', "<speak></speak>",
     "<speak/>", '<speak><break time="1s"/></speak>', "<laugh></laugh>", "<emphasis></emphasis>"],
)  # fmt: skip
def test_a_line_of_tags_alone_has_no_text(text):
    markup = parse_markup(text)
    assert (markup.text, markup.spans, markup.manners) == ("", (), ())
    assert_whole(markup)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Hey (laughs) you", "Hey you"),
        ("That's [laughter]funny", "That's funny"),
        ("Oh<gasp>no", "Oh no"),
        ("<laughter>ha ha</laughter> no", "ha ha no"),
        ("I <strong>did</strong> it", "I did it"),
        ("[gunshot] Run!", "Run!"),
        ("[strong French accent] Oui.", "Oui."),
        ("[sings] La la.", "La la."),
        ("[S1] Hi. [S2] Ho.", "Hi. Ho."),
        ("♪ La la ♪ he sang", "La la he sang"),
        ("[clears throat] So.", "So."),
        ("(clear-throat) So.", "So."),
        ("[quick_breath] So.", "So."),
    ],
)
def test_tags_of_other_systems_are_not_spoken(text, clean):
    markup = parse_markup(text)
    assert markup.text == clean
    assert markup.notes or markup.manners
    assert_whole(markup)


@pytest.mark.parametrize(
    "text",
    ["a < b", "I <3 you", "<b>x</b>", "<foo>", "(not a tag)", "pick (slow) or (fast)", "(happy)",
     "♪ alone", "x (high) y", "1 <2> 3", "<laugh", "(laughs", "a > b", "trousers (pants)",
     "(a sad song)", "(the laughs)", "(500)", "(break 900)", "(a pause)", "<>", "<laugh at you>"],
)  # fmt: skip
def test_what_is_no_known_tag_is_text(text):
    markup = parse_markup(text)
    assert (markup.text, markup.notes, markup.manners) == (text, (), ())


def test_a_delivery_of_another_system_holds_to_the_next_tag():
    assert manners("[whispers] a b [excited] c") == [("a b ", {"whisper": 1.0})]
    assert manners("(whispering) a b [shouting] c")[0] == ("a b ", {"whisper": 1.0})
    assert manners("[whispers] a [pause] b") == [("a b", {"whisper": 1.0})]
    assert manners("Hi. [whispers]") == []


def test_feelings_beside_a_sound_are_kept():
    assert spoken("[nervous laugh] Ok.") == [("Ok.", ("nervous, Amusement 0.6",))]
    assert spoken("[sad, sighs deeply] Ok.")[0][1][0].startswith("sad, Fatigue")


def test_words_that_are_unknown_stay_directions():
    for words in ("canned laugh track", "like an old nurse", "Hamlet", "a whisper of hope"):
        assert spoken(f"[{words}] Oh.") == [("Oh.", (words,))]


def test_words_of_emotion_stay_directions():
    for word in ("excited", "sarcastic", "curious", "crying", "laughing", "happily"):
        assert spoken(f"[{word}] Oh.") == [("Oh.", (word,))]
        assert parse_markup(f"[{word}] Oh.").notes == ()


def test_every_sound_has_a_direction_that_the_reader_understands():
    for form, sound in _SOUNDS.items():
        if sound.direction:
            reading = parse_direction(sound.direction)
            assert reading.ignored == (), form
            assert len(reading.vector.items()) == sound.direction.count(",") + 1
            assert {name for name, _ in reading.vector.items()} <= set(NAMES)


def test_no_word_of_manner_hides_a_word_of_emotion():
    assert not (set(_DELIVERIES) | set(_PASSING) | _EFFECTS) & set(LEXICON)
    assert set(_PASSING.values()) <= set(_DELIVERIES)
    assert not _BESIDE & set(_SOUNDS)


def test_the_same_note_is_written_once_with_its_places():
    assert parse_markup("[coughs] a " * 5).notes == (
        "[coughs] at characters 1, 12, 23 and 2 more: this voice cannot cough yet; it is left out.",
    )


TAGS = [
    "[sad]", "[fear 0.2 -> 0.9]", "[/]", "[whisper]", "[/whisper]", "[slow, angry]", "[/slow]",
    "[speed 1.2]", "[pause]", "[pause 0.1]", "[emphasis]", "[laughs]", "(sighs)", "<gasp>", "*",
    "**", "[whispers]", "(softly)", "<break time='1s'/>", "<strong>", "</strong>", "♪",
    "<prosody rate='slow'>", "</prosody>", "<emotion value='sad'/>", "<speed ratio='1.2'/>", "<",
    "(", ")", "\\[", "<laughter>", "</laughter>", "[gunshot]", "<p>", "</p>", "<sub alias='it'>",
    "</sub>", "<s>", "</s>", "[", "]", "\n", "é", "😀",
]  # fmt: skip
WORDS = ["one", "Two.", "three,", "Mr.", "4", "!", " ", "..."]


@given(st.lists(st.sampled_from(TAGS + WORDS * 4), max_size=40), st.sampled_from(["", " "]))
@settings(max_examples=400, deadline=None)
def test_any_mixture_of_tags_is_read_whole_or_refused_in_one_line(pieces, gap):
    markup = read_or_refused(gap.join(pieces))
    if markup is not None:
        assert_whole(markup)


@given(st.lists(st.sampled_from([tag for tag in TAGS if len(tag) > 2] + WORDS * 3), max_size=30))
@settings(max_examples=300, deadline=None)
def test_no_known_tag_is_left_in_the_clean_text_and_no_word_is_lost(pieces):
    if "\\[" in pieces or any("sub" in piece for piece in pieces):
        return
    markup = read_or_refused(" ".join(pieces))
    if markup is None:
        return
    for tag in TAGS:
        assert len(tag) < 3 or tag not in markup.text
    words = "".join(piece for piece in pieces if piece in WORDS)
    kept = [character for character in markup.text if character.isalnum() or character == "!"]
    assert kept == [character for character in words if character.isalnum() or character == "!"]


@given(st.text(st.characters(exclude_characters="[]()<>*\\♪♫"), max_size=200))
@settings(max_examples=300, deadline=None)
def test_text_without_markup_characters_comes_back_as_it_is(text):
    markup = parse_markup(text)
    assert markup.text == text
    assert is_plain(markup)


@pytest.mark.parametrize(
    "text",
    ["[sad] one [slow] two [/slow] [pause] x " * 2500, "(" * 100_000, "<a " * 30_000,
     "*a " * 30_000, "<break " * 14_000, "<break" + " " * 90_000, "♪ " * 40_000,
     "[laughs] " + "." * 90_000 + "a", "[laughs]" * 10_000 + "a", "[slow] " * 7000 + "a",
     "<b a='" + "x" * 90_000, "[" + "a" + " " * 90_000 + "b] x", "\n" * 90_000 + "[laughs] a",
     "[whispers] a [slow] b" * 3000],
    ids=range(14),
)  # fmt: skip
def test_garbage_by_the_hundred_thousand_costs_seconds_at_most(text):
    began = time.perf_counter()
    read_or_refused(text)
    assert time.perf_counter() - began < 8  # about one here; going back over it takes minutes


MANUAL = (Path(__file__).parents[1] / "docs" / "markup.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("line", re.findall(r"^\| `(.*?)` \|", MANUAL, re.MULTILINE))
def test_every_line_of_the_manual_is_markup(line):
    markup = parse_markup(line)
    assert markup.text.strip()
    assert markup.text != line
    assert not set("[]<>*") & set(markup.text)
