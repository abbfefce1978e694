from __future__ import annotations

import math
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conditioning.errors import InvalidInput, UserError
from conditioning.markup import parse_markup
from conditioning.ssml import _ELEMENTS, _STYLES, element
from conditioning.vocal_tags import Delivery, read_part
from conditioning.wording import parse_direction


def speak(inside):
    return parse_markup(f"<speak>{inside}</speak>")


def manners(markup):
    return [(markup.text[start:end], held.to_json()) for start, end, held in markup.manners]


def spans(markup):
    return [(markup.text[span.start : span.end], span.directions) for span in markup.spans]


def test_a_document_becomes_text_with_manners_and_pauses():
    markup = speak(
        'Hello <break time="1s"/> <prosody rate="slow" pitch="+2st">you '
        '<emphasis level="strong">there</emphasis></prosody>.'
    )
    assert markup.text == "Hello you there."
    assert markup.pauses == ((6, 1.0),)
    assert manners(markup) == [
        ("you there", {"pitch": 2.0, "pace": -0.35}),
        ("there", {"emphasis": 1.0}),
    ]
    assert (markup.spans, markup.notes) == ((), ())


@pytest.mark.parametrize(
    ("attribute", "control", "value"),
    [
        ('rate="80%"', "pace", math.log2(0.8)),
        ('rate="+10%"', "pace", math.log2(1.1)),
        ('rate="0.8"', "pace", math.log2(0.8)),
        ('rate="x-fast"', "pace", 0.6),
        ('pitch="-10%"', "pitch", 12 * math.log2(0.9)),
        ('pitch="x-low"', "pitch", -4.0),
        ('volume="+6dB"', "level", 6.0),
        ('volume="50"', "level", 20 * math.log10(0.5)),
        ('volume="silent"', "level", -12.0),
        ('range="high"', "melody", 0.45),
    ],
)
def test_prosody_is_a_manner(attribute, control, value):
    ((words, held),) = manners(speak(f"<prosody {attribute}>Hi</prosody> you"))
    assert words == "Hi"
    assert held[control] == pytest.approx(value, abs=1e-4)


def test_an_element_ends_after_an_empty_one():
    markup = speak('<prosody rate="slow">a<break/></prosody> <emphasis><s/><s/></emphasis> b')
    assert manners(markup) == [("a", {"pace": -0.35})]


def test_nested_prosody_adds_up():
    markup = speak('<prosody pitch="+1st">a <prosody pitch="+1st">b</prosody></prosody> c')
    assert manners(markup) == [("a b", {"pitch": 1.0}), ("b", {"pitch": 1.0})]


@pytest.mark.parametrize(
    ("inside", "message"),
    [
        ('<prosody rate="200%">x</prosody>', "<prosody> at character 8: .*allowed: 0.58 to 1.74"),
        ('<prosody rate="quick">x</prosody>', "allowed: x-slow to x-fast"),
        ('<prosody pitch="+20Hz">x</prosody>', "semitones, which fit every voice"),
        ('x <break time="1h"/>', "<break> at character 10: The pause '1h' is not understood"),
        ('<break time="11s"/>', "allowed: 0 to 10 s"),
        ('<break strength="huge"/>', "allowed: none, x-weak, weak, medium, strong, x-strong"),
        ('<emphasis level="huge">x</emphasis>', "allowed: strong, moderate, none, reduced"),
    ],
)
def test_a_value_that_is_not_understood_is_refused_with_its_place(inside, message):
    with pytest.raises(InvalidInput, match=message):
        speak(inside)


@pytest.mark.parametrize(
    ("attribute", "lasting"),
    [("", 0.5), (' strength="weak"', 0.25), (' strength="x-strong"', 1.2), (' time="800ms"', 0.8)],
)
def test_a_break_lasts_as_long_as_it_says(attribute, lasting):
    assert speak(f"Hi.<break{attribute}/>You").pauses == ((3, lasting),)
    assert speak(f"Hi.<break{attribute}/>You").text == "Hi. You"
    assert parse_markup(f"Hi <break{attribute}/> you").pauses == ((3, lasting),)


@pytest.mark.parametrize(
    ("how", "written", "said"),
    [
        ('interpret-as="characters"', "FBI", "F B I"),
        ('interpret-as="spell-out"', "FAQ", "F.A.Q."),
        ('interpret-as="characters"', "b-1", "B dash 1"),
        ('interpret-as="digits"', "421", "4 2 1"),
        ('interpret-as="cardinal"', "1999", "1,999"),
        ('interpret-as="cardinal"', "42", "42"),
        ('interpret-as="ordinal"', "22", "22nd"),
        ('interpret-as="ordinal"', "12", "12th"),
        ('interpret-as="telephone"', "(555) 123-4567", "5 5 5, 1 2 3, 4 5 6 7"),
        ('interpret-as="telephone"', "+15551234567", "plus 1, 5 5 5, 1 2 3, 4 5 6 7"),
        ('interpret-as="date" format="dmy"', "03/02/2026", "February 3, 2026"),
        ('interpret-as="date" format="mdy"', "03/02/26", "March 2, 2026"),
        ('interpret-as="date" format="ymd"', "20260302", "March 2, 2026"),
        ('interpret-as="date" format="my"', "3/2026", "March 2026"),
        ('interpret-as="date" format="dmy"', "33/02/2026", "33/02/2026"),
        ('interpret-as="date"', "03/02/2026", "03/02/2026"),
        ('interpret-as="time"', "1'21&quot;", "1 minute and 21 seconds"),
        ('interpret-as="time"', "0230", "02:30"),
        ('interpret-as="fraction"', "3/20", "3 over 20"),
        ('interpret-as="currency"', "$5", "$5"),
    ],
)
def test_say_as_writes_what_would_be_read_otherwise(how, written, said):
    assert speak(f"It is <say-as {how}>{written}</say-as> ok").text == f"It is {said} ok"


def test_the_text_normaliser_reads_it_as_it_is_meant():
    from voice_actor.text import words

    for how, written, said in (
        ('interpret-as="cardinal"', "1999", "one thousand nine hundred ninety-nine"),
        ('interpret-as="digits"', "421", "four two one"),
        ('interpret-as="ordinal"', "22", "twenty-second"),
        ('interpret-as="date" format="dmy"', "03/02/2026", "February third, twenty twenty-six"),
        ('interpret-as="characters"', "FBI", "F B I"),
        ('interpret-as="time"', "0230", "two thirty"),
    ):
        text = speak(f"<say-as {how}>{written}</say-as>").text
        assert " ".join(word.spoken for word in words(text)) == said


def test_an_expletive_is_left_out_with_a_note():
    markup = speak('Oh <say-as interpret-as="expletive">damn</say-as> no.')
    assert markup.text == "Oh no."
    assert markup.notes == ("<say-as> at character 11: this voice cannot bleep; it is left out.",)


def test_an_alias_is_spoken_instead():
    assert speak('The <sub alias="World Wide Web">WWW</sub>.').text == "The World Wide Web."
    assert parse_markup('<sub alias="R&amp;B">x</sub> hit').text == "R&B hit"
    assert speak('<sub alias="[sad]"><emphasis>x</emphasis></sub>').text == "[sad]"


def test_sentences_and_paragraphs_end_and_part():
    markup = speak("<p><s>One</s><s>Two!</s></p>\n  <p>Three\n  four</p>")
    assert markup.text == "One. Two! Three four."
    assert markup.pauses == ((9, 0.3),)
    assert speak('<p>One<break time="10s"/></p><p>Two</p>').text == "One. Two."


def test_an_empty_paragraph_parts_what_is_about_it():
    for text in ("Hello<p></p>there", "Hello<p/>there", "<speak>Hello<p></p>there</speak>"):
        markup = parse_markup(text)
        assert (markup.text, markup.pauses) == ("Hello. there", ((6, 0.3),)), text


def test_styles_direct_their_content_and_what_was_before_goes_on():
    markup = speak(
        '[sad] a <mstts:express-as style="cheerful" styledegree="1.5">b</mstts:express-as> c '
        '<amazon:emotion name="excited" intensity="low">d</amazon:emotion>'
    )
    assert [(words.strip(), said) for words, said in spans(markup)] == [
        ("a", ("sad",)),
        ("b", ("very cheerful",)),
        ("c", ("sad",)),
        ("d", ("slightly excited",)),
    ]


def test_whispers_of_azure_and_amazon_are_whispered():
    for inside in (
        '<mstts:express-as style="whispering">psst</mstts:express-as>',
        '<amazon:effect name="whispered">psst</amazon:effect>',
        "<whisper>psst</whisper>",
    ):
        assert manners(speak(inside + " hey")) == [("psst", {"whisper": 1.0})]


def test_every_renamed_style_is_understood():
    for style in _STYLES:
        asks = element("mstts:express-as", {"style": style})
        assert asks.manner or parse_direction(asks.direction).ignored == (), style


def test_tags_that_stand_alone_hold_for_what_follows():
    markup = parse_markup(
        'a <speed ratio="1.2"/>b <speed ratio="0.8"/>c <volume ratio=".5"/>d '
        '<emotion value="angry"/>e <spell>FBI</spell>'
    )
    assert markup.text == "a b c d e F B I"
    assert [(words.split(), list(held)) for words, held in manners(markup)] == [
        (["b"], ["pace"]),
        (["c", "d", "e", "F", "B", "I"], ["pace"]),
        (["d", "e", "F", "B", "I"], ["level"]),
    ]
    assert spans(markup) == [("e F B I", ("angry",))]
    assert speak('a <speed ratio="1.2"/>b').manners[0][:2] == (2, 3)


@pytest.mark.parametrize(
    ("inside", "clean"),
    [
        ('<voice name="x">Hi</voice>', "Hi"),
        ('<audio src="x.wav">boom<desc>a bang</desc></audio> hi', "boom hi"),
        ('<phoneme alphabet="ipa" ph="x">tomato</phoneme>', "tomato"),
        ('Hi<mark name="x"/> you', "Hi you"),
        ('<lang xml:lang="fr-FR">Oui</lang>', "Oui"),
        ("<mystery>Hi</mystery>", "Hi"),
        ('<prosody contour="(0%,+20Hz)">Hi</prosody>', "Hi"),
        ('<mstts:express-as style="newscast">Hi</mstts:express-as>', "Hi"),
        ("<laugh/>", ""),
    ],
)
def test_what_cannot_be_done_is_noted_and_its_text_spoken(inside, clean):
    markup = speak(inside)
    assert markup.text == clean
    assert len(markup.notes) == 1
    assert markup.notes[0].startswith("<")


def test_brackets_work_within_ssml_at_their_places_in_the_document():
    text = "<speak>é Oh, [sad]\n  well [pause 1] <emphasis>x</emphasis>.</speak>"
    markup = parse_markup(text)
    assert markup.text == "é Oh, well x."
    assert markup.spans[0].position == text.index("[sad]")
    assert markup.pauses == ((11, 1.0),)
    bad = "<speak>é &amp; <s>x</s> [oops</speak>"
    with pytest.raises(InvalidInput, match=f"character {bad.index('[') + 1} is never closed"):
        parse_markup(bad)


def test_escaped_characters_are_text():
    markup = speak("&lt;laugh&gt; &#91;sad&#93; R&amp;B <![CDATA[a < b]]>")
    assert markup.text == "<laugh> [sad] R&B a < b"
    assert markup.spans == markup.notes == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<speak>a & b</speak>", "line 1, column 11: .*&amp;"),
        ("\n <speak>\n<s>x</speak>", "line 3, column 7: mismatched tag"),
        ("<speak>x", "line 1, column 9"),
        ("<speak>x</speak> y", "junk after document"),
        ("<speak>&nbsp;</speak>", "undefined entity"),
        ('<?xml version="1.0"?><vxml/>', "begins with <vxml>; allowed: <speak>"),
        ("<speak>" + "<s>" * 30, "nested too deeply at line 1, column 65; allowed: 20"),
        ("<speak>\x00</speak>", "not well-formed"),
        ("<speak>\ud800</speak>", "not well-formed"),
    ],
)
def test_a_broken_document_is_refused_with_its_place(text, message):
    with pytest.raises(InvalidInput, match=message) as caught:
        parse_markup(text)
    assert "\n" not in str(caught.value)


BOMB = (
    "<!DOCTYPE speak ["
    + '<!ENTITY a "lol">'
    + "".join(
        f'<!ENTITY {name} "{f"&{before};" * 10}">'
        for before, name in zip("abcdefghi", "bcdefghij", strict=True)
    )
    + "]><speak>&j;</speak>"
)


@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        '<?xml version="1.0"?>' + BOMB,
        '<!DOCTYPE speak [<!ENTITY x SYSTEM "file:///etc/passwd">]><speak>&x;</speak>',
        '<!DOCTYPE speak SYSTEM "http://example.org/x.dtd"><speak>x</speak>',
    ],
)
def test_no_entity_is_expanded_or_fetched(text):
    began = time.perf_counter()
    with pytest.raises(InvalidInput, match="declares a type or an entity"):
        parse_markup(text)
    assert time.perf_counter() - began < 1


def test_a_declared_encoding_does_not_matter_since_text_is_text():
    assert parse_markup('<?xml version="1.0" encoding="UTF-16"?><speak>é</speak>').text == "é"


def test_an_unclosed_tag_outside_of_ssml_holds_to_the_end_or_for_a_word():
    assert manners(parse_markup('a <prosody rate="slow">b c'))[0][0] == "b c"
    assert manners(parse_markup("a <emphasis>b c"))[0][0] == "b"
    assert parse_markup("a </prosody>b").notes
    with pytest.raises(InvalidInput, match="<sub> at character 3 is never closed"):
        parse_markup('a <sub alias="x">b c')
    with pytest.raises(InvalidInput, match="inside too many others; allowed: 20"):
        parse_markup("<whisper>a " * 30)


def test_every_element_is_understood_without_attributes_or_refused_in_words():
    for name in _ELEMENTS:
        try:
            assert element(name, {}) is not None
        except InvalidInput as error:
            told = str(error)
            assert "allowed" in told  # noqa: PT017
    assert element("mystery", {}) is None
    assert isinstance(read_part("whisper"), Delivery)


NAMES = [
    "prosody rate='slow'", "prosody pitch='+1st'", "s", "p", "emphasis", "voice", "mystery", "sub",
    "sub alias='it'", "say-as interpret-as='digits'", "laughter", "express-as style='sad'",
    "emotion value='sad'", "speed ratio='1.1'", "whisper",
]  # fmt: skip
TEXTS = [
    "one",
    " two. ",
    "[sad] ",
    "[pause] ",
    "&amp;",
    "&lt;laugh&gt;",
    "421",
    "*x*",
    " é ",
    "[/]",
]
DOCUMENTS = st.recursive(
    st.sampled_from(TEXTS),
    lambda inner: st.builds(
        lambda name, parts: f"<{name}>{''.join(parts)}</{name.split()[0]}>",
        st.sampled_from(NAMES),
        st.lists(inner, max_size=4),
    ),
    max_leaves=20,
)


@given(st.lists(DOCUMENTS, max_size=4), st.booleans())
@settings(max_examples=400, deadline=None)
def test_any_document_is_read_whole_or_refused_in_one_line(parts, whole):
    inside = "".join(parts)
    try:
        markup = speak(inside) if whole else parse_markup(inside)
    except UserError as error:
        told = str(error)
    else:
        told = ""
        length = len(markup.text)
        edges = [edge for span in markup.spans for edge in (span.start, span.end)]
        assert edges == sorted(edges)
        assert all(0 <= start < end <= length for start, end, _ in markup.manners)
        assert all(0 <= offset <= length for offset, _ in markup.pauses)
        assert not edges or edges[-1] <= length
        assert "</" not in markup.text.replace("</mystery>", "")
    assert "\n" not in told
    assert len(told) < 400


def test_a_document_of_a_hundred_thousand_characters_is_read_quickly():
    began = time.perf_counter()
    part = "a <break time='1s'/> &amp; é <prosody rate='slow'>b [sad] c</prosody> "
    markup = speak(part * 1400)
    assert len(markup.manners) == len(markup.spans) == len(markup.pauses) == 1400
    assert time.perf_counter() - began < 5
