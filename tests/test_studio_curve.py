"""Curve: what is drawn over words is our markup, both ways, and is spoken and seen."""

from __future__ import annotations

import json
import random
import re

import pytest

pytest.importorskip("gradio", reason="the studio needs gradio: pip install '.[studio]'")

from conditioning.direction import direct
from conditioning.errors import InvalidInput, UserError
from conditioning.markup import parse_markup
from conditioning.taxonomy import NAMES
from demos import curve
from demos.curve import Desk, chosen, controls, planned, ribbon, written
from demos.drawing import Drawing, constant, ramp
from demos.pictures import asked_by_second
from demos.room import LONGEST_LINE

LINES = (
    "It's coming up the stairs. Oh. It's only you.",
    "no no no no no no",
    "  Two  gaps,\nand a new line.\n\nEnd ",
    "— Well… 😀 “quite” 🎭 so - it goes —",
    "مرحبا بك يا صديقي العزيز",
    "Wait. [pause 0.8] I [slow] *never* said [/slow] that, *did I*? (oh no) Well.",
    "A \\[literal\\] bracket, 5 \\* 3 <script>alert('x')</script> and a < b > c.",
    "[loud] You [/] there, [pause] come.",
)


def drawn(text: str, first: int, last: int, asked: str | None) -> str:
    return Drawing.read(text).draw(first, last, asked, direct(text).curve)


def middles(drawing: Drawing) -> list[float]:
    length = len(drawing.markup.text)
    return [(word.start + word.end) / 2 / length for word in drawing.words]


def test_the_example_is_read_and_written_as_it_stands():
    text = "[fear 0.2 -> 0.9] It's coming up the stairs. [relief] Oh. [/]"
    drawing = Drawing.read(text)
    assert drawing.base == "It's coming up the stairs. Oh."
    assert [word.text for word in drawing.words] == "It's coming up the stairs. Oh.".split()
    assert [(each.first, each.last, each.written) for each in drawing.stretches] == [
        (0, 4, "fear 0.2 -> 0.9"),
        (5, 5, "relief"),
    ]
    plain = drawing.base
    once = drawn(plain, 0, 4, "fear 0.2 -> 0.9")
    assert once == "[fear 0.2 -> 0.9] It's coming up the stairs. [/] Oh."
    assert drawn(once, 5, 5, "relief") == text


def test_every_emotion_is_written_so_that_it_is_read_alone():
    for name in NAMES:
        assert str(direct(f"[{constant(name, 0.6)}] Well.").curve) == f"{name}=0.6"
        changed = direct(f"[{ramp({name: 0}, {name: 0.9})}] Well then.")
        assert changed.curve.at(0.0)[name] == 0
        assert changed.curve.at(1.0)[name] == 0.9
        assert not changed.manners


@pytest.mark.parametrize("line", LINES)
def test_what_is_drawn_is_asked_and_nothing_else_changes(line, room):
    """Stretches at random: the curve at each word's middle is the one that was drawn there."""
    chance = random.Random(line)
    drawing, text = Drawing.read(line), line
    count, length = len(drawing.words), len(drawing.markup.text)
    assert drawing.words
    assert not drawing.stretches
    wanted = [{} for _ in range(count)]
    kept = 0
    for _ in range(12):
        first = chance.randrange(count)
        last = chance.randrange(first, count)
        name, low, high = chance.choice(NAMES), *(chance.randrange(1, 101) / 100 for _ in "ab")
        asked = chance.choice([None, constant(name, low), ramp({name: low}, {name: high})])
        try:
            text = Drawing.read(text).draw(first, last, asked, room.direct(text).curve)
        except InvalidInput:
            continue  # other markup is in the way, and says so
        kept += 1
        start, end = drawing.edges(first, last)
        for index in range(first, last + 1):
            middle = (drawing.words[index].start + drawing.words[index].end) / 2 / length
            share = (middle - start) / (end - start) if asked and "->" in asked else 0.0
            wanted[index] = {name: low + share * (high - low)} if asked else {}
        curve = room.direct(text).curve
        for middle, vector in zip(middles(drawing), wanted, strict=True):
            for each in NAMES:  # a cut ramp is written to the hundredth
                assert curve.at(middle)[each] == pytest.approx(vector.get(each, 0), abs=0.04)
        before, after = parse_markup(line), parse_markup(text)
        assert (after.text, after.manners, after.pauses) == (
            before.text,
            before.manners,
            before.pauses,
        )
    assert kept >= 5
    assert Drawing.read(drawn(text, 0, count - 1, None)).base == drawing.base


@pytest.mark.parametrize("line", LINES)
def test_a_line_that_nothing_is_drawn_on_stays_as_it_is(line):
    assert Drawing.read(line).base == line
    words = Drawing.read(line).words
    shown = "".join(word.text for word in words)
    assert "".join(shown.split()) == "".join(parse_markup(line).text.split())  # nothing is lost
    assert drawn(line, 0, len(words) - 1, None) == line


def test_a_later_stretch_cuts_an_earlier_one_whose_ends_go_on_as_they_were():
    text = drawn("one two three four five six", 0, 5, "fear 0 -> fear 1")
    cut = drawn(text, 2, 3, "joy 0.5")
    assert cut == (
        "[neutral -> fear 0.3] one two [joy 0.5] three four [fear 0.7 -> 1] five six [/]"
    )
    before, after = direct(text).curve, direct(cut).curve
    for middle in [middles(Drawing.read(text))[index] for index in (0, 1, 4, 5)]:
        assert after.at(middle)["Fear"] == pytest.approx(before.at(middle)["Fear"], abs=0.01)


def test_pauses_manners_and_other_brackets_stay_where_they_are():
    text = "[whisper, afraid] Stay. [pause 0.8] Do *not* move. [/whisper] [laughs] Go!"
    drawing = Drawing.read(text)
    assert [(each.first, each.last) for each in drawing.stretches][0] == (0, 3)
    changed = drawn(text, 1, 1, "joy 0.5")
    for kept in ("[pause 0.8]", "*not*", "[/whisper]", "[laughs]"):
        assert kept in changed
    before, after = direct(text), direct(changed)
    assert (after.manners, after.pauses, after.text) == (
        before.manners,
        before.pauses,
        before.text,
    )


def test_an_end_that_also_ends_a_manner_is_not_taken_for_the_direction_alone():
    text = "[slow] I [fear 0.5] am [/fear] not [/] here"
    assert drawn(text, 0, 0, "joy 0.5") == "[slow] [joy 0.5] I [fear 0.5] am [/fear] not [/] here"
    assert drawn("[slow] I am here", 1, 1, "joy 0.5") == "[slow] I [joy 0.5] am [/joy] here"


def test_a_stretch_that_other_markup_is_in_the_way_of_is_refused_in_a_sentence():
    text = "[slow] I am [/] here"
    with pytest.raises(InvalidInput, match="in the way of this stretch"):
        drawn(text, 0, 2, "fear 0.2 -> 0.9")
    with pytest.raises(InvalidInput, match="3 stations"):
        drawn("[fear 0.2 -> 0.9 -> 0.1] one two three", 1, 1, "joy 0.5")
    with pytest.raises(InvalidInput, match="choose them again"):
        drawn("one two", 1, 2, "joy 0.5")


def test_markup_in_ssml_can_be_drawn_over():
    text = "<speak>Go <prosody rate='slow'>very slowly</prosody> now.</speak>"
    changed = drawn(text, 1, 2, "fear 0.5")
    assert direct(changed).manners == direct(text).manners
    assert [direct(changed).curve.at(place)["Fear"] for place in middles(Drawing.read(text))] == [
        0,
        0.5,
        0.5,
        0,
    ]


def test_signs_without_letters_go_with_the_word_before():
    assert [word.text for word in Drawing.read("Oh — no! 😀 So… - there").words] == [
        "Oh —",
        "no! 😀",
        "So… -",
        "there",
    ]
    assert [word.text for word in Drawing.read("— Oh").words] == ["— Oh"]
    for nothing in ("", "   ", "😀 —", "[pause]"):
        assert Drawing.read(nothing).words == ()


def test_controls_say_what_they_wrote():
    for said in (
        ("Fear", 0.2, False, "the same emotion"),
        ("Fear", 0.2, True, "the same emotion"),
        ("Fear", 0.0, True, "the same emotion"),
        ("Hope/Enthusiasm/Optimism", 0.8, True, "Sadness"),
    ):
        emotion, intensity, changes, to = said
        text = drawn("Oh well", 0, 1, written(emotion, intensity, to if changes else None, 0.9))
        read = controls(Drawing.read(text).stretches[0])
        if intensity == 0:
            assert read is None or read[2]
            continue
        assert read[:3] == (emotion, intensity, changes)
        if changes:
            assert read[3:] in {(to, 0.9), ("Fear", 0.9)}
    assert written(curve.OWN, 0.5, None, 0.9) is None
    with pytest.raises(InvalidInput, match="needs an emotion to begin with"):
        written(curve.OWN, 0.5, "Fear", 0.9)
    free = Drawing.read("[relieved, still a little angry] Oh well").stretches[0]
    assert controls(free) is None


def test_only_words_of_this_line_can_be_chosen():
    drawing = Drawing.read("one two three")
    value = ribbon(drawing, direct("one two three").curve)
    assert chosen({**value, "selected": [1, 2]}, drawing) == (1, 2)
    with pytest.raises(InvalidInput, match="No words are chosen"):
        chosen(value, drawing)
    with pytest.raises(InvalidInput, match="has changed"):
        chosen({**value, "selected": [1, 2]}, Drawing.read("one two four"))
    with pytest.raises(UserError, match="has changed"):
        chosen({**value, "selected": [1, 3]}, drawing)


def test_the_ribbon_says_what_is_asked_at_the_edges_of_each_word(room):
    text = "[fear 0.2 -> 0.9] up the [/] stairs"
    value = ribbon(Drawing.read(text), room.direct(text, "joy 0.5").curve)
    (up,), (the,), (stairs,) = (word["bands"] for word in value["words"])
    assert up[:2] == ["fear", "Fear"]
    assert (up[2], up[3], the[3]) == (0.2, the[2], 0.9)
    assert stairs[2:] == [0.5, 0.5]
    assert value["stretches"] == [{"first": 0, "last": 1, "label": "fear 0.2 → 0.9"}]
    json.dumps(value)


def test_the_line_is_heard_after_it_is_spoken_and_its_words_know_their_times(room, visitor):
    text = "[anger 0.2 -> 0.9] You came back. [/] I waited, and waited."
    steps = list(curve.speak(room, visitor, text, "", None, 0))
    desk = Desk.of(visitor)
    assert steps[0][0] == {"said": "Speaking …", "share": None}
    assert steps[-2][0]["said"] == "Listening …"
    assert steps[-1][0]["said"] == ""
    assert "<audio" in steps[-2][1]
    assert "heard 0" not in steps[-2][3]
    times = steps[-2][2]["times"]
    assert [len(time) for time in times] == [2] * 7
    assert all(start < end for start, end in times)
    assert times == sorted(times)
    assert len(desk.heard) >= 4
    assert desk.heard[1].start - desk.heard[0].start == pytest.approx(0.25)
    assert desk.heard[0].end - desk.heard[0].start == pytest.approx(1.0, abs=0.01)
    assert "asked" in steps[-1][3]
    assert "heard" in steps[-1][3]
    first = desk.files
    list(curve.speak(room, visitor, text, "", "bm_george", 1))
    assert desk.performance.voice == "bm_george"
    assert len(list(visitor.folder.rglob("*.wav"))) == 1
    assert first != desk.files


def test_what_is_heard_of_a_line_that_was_spoken_over_is_not_told_of_the_next(
    room, visitor, monkeypatch
):
    desk, listen = Desk.of(visitor), curve.listen

    def slowly(*given):
        monkeypatch.setattr(curve, "listen", listen)
        list(curve.speak(room, visitor, "And then a much longer line was spoken.", "", None, 0))
        newer.extend(desk.heard)
        return listen(*given)

    newer = []
    monkeypatch.setattr(curve, "listen", slowly)
    steps = list(curve.speak(room, visitor, "Hello.", "", None, 0))
    assert steps[-1][0]["said"] == "Listening …"
    assert newer == desk.heard != []


def test_what_was_heard_stays_in_sight_while_the_same_words_are_drawn_anew(room, visitor):
    text = "[anger 0.9] You came back."
    list(curve.speak(room, visitor, text, "", None, 0))
    desk = Desk.of(visitor)
    again = "[anger 0.2] You came back."
    assert "heard the last time" in curve.plot(Drawing.read(again), direct(again).curve, desk)
    other = "[anger 0.2] You came."
    assert "before it is spoken" in curve.plot(Drawing.read(other), direct(other).curve, desk)


def test_a_word_that_repeats_is_heard_each_time_in_its_own_place(room):
    text = "no no no no"
    performance = room.speak(text).performance()
    drawing = Drawing.read(text)
    times = curve.times(drawing.words, performance)
    assert times == sorted(times)
    assert len({tuple(time) for time in times}) == 4
    asked = asked_by_second(
        direct(drawn(text, 2, 2, "fear 0.5")).curve, text, planned(drawing.words)
    )
    assert [vector["Fear"] for _, vector in asked] == [0] * 6 + [0.5] * 3 + [0] * 3


def test_a_long_line_is_drawn_and_what_is_too_long_or_empty_is_refused_in_a_sentence(room, visitor):
    long = "one two three four five " * 80
    text = drawn(long, 10, 300, "fear 0.2 -> 0.9")
    assert len(Drawing.read(text).words) == 400
    for line, said in (("", "no line to speak"), ("a" * (LONGEST_LINE + 1), "up to 5,000")):
        with pytest.raises(InvalidInput, match=said):
            next(curve.speak(room, visitor, line, "", None, 0))


def test_what_a_visitor_writes_is_text_in_the_plot(room):
    text = "<b onclick=alert(1)>hello</b> <script>alert(2)</script>"
    drawing = Drawing.read(text)
    html = curve.plot(drawing, direct(text).curve, Desk())
    assert "<script>alert" not in html
    assert "<b onclick" not in html


def test_the_examples_work(room):
    for text, own in curve.EXAMPLES.values():
        drawing = Drawing.read(text)
        direction = room.direct(text, own or None)
        assert drawing.stretches
        assert not direction.ignored
    assert len(curve.EXAMPLES) == 3


# In a browser


@pytest.mark.browser
def test_a_curve_is_drawn_with_the_keyboard_spoken_and_seen(visit):
    page = visit("Curve")
    line = page.get_by_role("textbox", name=re.compile("^Line What you draw"))
    line.fill("It is coming up. It is only you.")
    words = page.get_by_role("listbox", name="Words of the line")
    words.get_by_role("option").nth(7).wait_for()
    page.wait_for_function("document.querySelectorAll('[role=listbox] [role=option]').length == 8")
    words.get_by_role("option").first.focus()
    page.keyboard.press("Home")
    for _ in range(3):
        page.keyboard.press("Shift+ArrowRight")
    page.get_by_text("Chosen: “It is coming up.” (words 1 to 4 of 8).").wait_for()
    emotion = page.get_by_role("combobox", name="Emotion", exact=True)
    emotion.focus()
    emotion.fill("Anger")
    page.keyboard.press("Enter")
    page.get_by_role("spinbutton", name="number input for Intensity", exact=True).fill("0.2")
    page.get_by_role("checkbox", name="It changes along the words").focus()
    page.keyboard.press("Space")
    page.get_by_role("spinbutton", name="number input for Intensity at the end").fill("0.9")
    page.get_by_role("button", name="Set", exact=True).focus()
    page.keyboard.press("Enter")
    page.wait_for_function(
        "[...document.querySelectorAll('textarea')].some("
        "each => each.value == '[anger 0.2 -> 0.9] It is coming up. [/] It is only you.')"
    )
    page.get_by_role("button", name="Remove anger 0.2 → 0.9 from “It is coming up.”").wait_for()
    # As on a page over http from another machine.
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.get_by_role("button", name="Copy the text").press("Enter")
    page.get_by_text("Copied, brackets and all.").wait_for()
    own = page.get_by_role("textbox", name="The line's own direction")
    own.focus()
    page.keyboard.press("Control+A")
    page.keyboard.press("Control+V")
    assert own.input_value() == "[anger 0.2 -> 0.9] It is coming up. [/] It is only you."
    own.fill("")
    page.evaluate(
        "() => { window.told = []; const said = document.querySelector('.va-curve-status span');"
        "new MutationObserver(() => told.push(said.textContent))"
        ".observe(said, {childList: true}); }"
    )
    page.get_by_role("button", name="Speak", exact=True).focus()
    page.keyboard.press("Enter")
    audio = page.get_by_label("The line as spoken")
    audio.wait_for()
    page.wait_for_function("document.querySelector('audio.va-curve-audio').readyState >= 2")
    page.get_by_role("img", name=re.compile("asked.*heard", re.DOTALL)).wait_for()
    page.wait_for_function("told.length > 1 && told.at(-1) === ''")
    assert page.evaluate("told[0]") in {"Speaking …", "Listening …"}
    page.evaluate(
        "() => { const audio = document.querySelector('audio.va-curve-audio');"
        "audio.pause(); audio.currentTime = 0.3; }"
    )
    page.locator(".va-ribbon-playing").wait_for()
    assert page.locator(".va-ribbon-playing").count() == 1
    page.get_by_role("button", name="Remove anger 0.2 → 0.9 from “It is coming up.”").press("Enter")
    page.wait_for_function(
        "[...document.querySelectorAll('textarea')].some("
        "each => each.value == 'It is coming up. It is only you.')"
    )
    page.wait_for_function("document.activeElement.role === 'option'")


@pytest.mark.browser
def test_bad_lines_are_told_in_sentences_and_the_page_goes_on(visit):
    page = visit("Curve", viewport={"width": 390, "height": 844})
    line = page.get_by_role("textbox", name=re.compile("^Line What you draw"))
    options = page.get_by_role("listbox", name="Words of the line").get_by_role("option")
    line.fill("[fear It is here")
    page.get_by_text("is never closed").wait_for()
    line.fill("<script>document.title='broken'</script> مرحبا 😀 \\[so\\] no no")
    options.nth(6).wait_for(state="hidden")
    page.get_by_role("option", name="مرحبا 😀").wait_for()
    assert page.title() == "Voice Actor"
    page.get_by_role("button", name="Set", exact=True).click()
    page.get_by_text("No words are chosen").wait_for()
    line.fill("word " * 400)
    options.nth(399).wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    options.nth(2).click()
    options.nth(5).click()
    page.get_by_text("(words 3 to 6 of 400)").wait_for()
    page.keyboard.press("Escape")
    page.get_by_text("Choose words: click").wait_for()
