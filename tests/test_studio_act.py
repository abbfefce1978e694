"""Act: words, sliders and brackets make one direction; takes are spoken, heard, compared, kept."""

from __future__ import annotations

import io
import json
import math
import re
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest

pytest.importorskip("gradio", reason="the studio needs gradio: pip install '.[studio]'")

from conditioning.audio import Audio
from conditioning.emotion import EmotionVector
from conditioning.errors import InvalidInput, UnknownName
from conditioning.likeness import Likeness
from demos import takes
from demos.act import (
    EXAMPLES,
    Ask,
    directed,
    following_shown,
    introduced,
    speak,
    words_alone,
)
from demos.takes import table_of
from demos.understood import understood
from voice_actor.casting import cast_voice

LINE = "You came back."
BRACKETS = "[fear] Who is there? [relief] Oh, it is only *you*."
UNTOUCHED = {"emotions": {}, "touched": False}


def ask(text=LINE, words="", panel=UNTOUCHED, voice=None, takes=1, seed=0, **amounts) -> Ask:
    amounts = {"intensity": 1.0, "pace": 1.0, "pitch": 0.0} | amounts
    return Ask(text, words, panel, voice, seed=seed, takes=takes, **amounts)


def done(room, visitor, asked: Ask):
    """The table once everything is spoken and heard."""
    *_, table = speak(room, visitor, asked)
    return table


def file(url: str) -> Path:
    return Path(unquote(url.partition("file=")[2]))


def recording() -> Likeness:
    flat = np.zeros(50)
    return Likeness(EmotionVector({"Sadness": 0.7}), flat, flat, seconds=2.0, rate=4.0, pause=0.2)


def test_without_words_and_sliders_the_voice_keeps_its_own_reading(room):
    direction = directed(room, LINE)
    assert not direction.directed
    assert not direction.manners
    assert (room.speak(LINE, direction).performance().audio.samples == (
        room.actor.perform(LINE).audio.samples
    )).all()  # fmt: skip


def test_sliders_replace_the_emotions_of_the_words_and_leave_the_speaker(room):
    moved = {"Anger": 0.8}
    direction = directed(room, LINE, "a sad old man, whispering", moved, touched=True)
    assert direction.curve.mean() == EmotionVector(moved)
    assert direction.persona.gender == "male"
    assert direction.persona.manner.whisper == 1
    assert not direction.evidence


def test_sliders_that_nobody_touched_leave_the_words_alone(room):
    assert directed(room, LINE, "sad", {"Anger": 0.8}) == room.direct(LINE, "sad")


def test_brackets_and_emphasis_survive_moved_sliders(room):
    direction = directed(room, f"Well. {BRACKETS}", "sad", {"Anger": 0.8}, touched=True)
    assert direction.curve.at(0) == EmotionVector({"Anger": 0.8})
    assert direction.curve.at(0.3)["Fear"]
    assert not direction.curve.at(0.3)["Anger"]
    assert {item.category for item in direction.evidence} == {"Fear", "Relief"}
    assert [direction.text[start:end] for start, end, _ in direction.manners] == ["you"]


def test_intensity_scales_all_emotions_and_at_nothing_is_neutral(room):
    plain = directed(room, BRACKETS, "sad")
    assert directed(room, BRACKETS, "sad", intensity=0).curve.is_neutral
    assert directed(room, BRACKETS, "sad", intensity=1.5).curve == plain.curve.scale(1.5)


def test_pace_and_pitch_are_one_manner_of_the_whole_line(room):
    direction = directed(room, LINE, pace=0.75, pitch=-2)
    ((start, end, manner),) = direction.manners
    assert (start, end) == (0, len(LINE))
    assert manner.to_json() == {"pitch": -2.0, "pace": math.log2(0.75)}
    slow, own = (room.speak(LINE, each).performance() for each in (direction, None))
    assert slow.audio.duration > 1.2 * own.audio.duration


@pytest.mark.parametrize(("name", "value"), [("intensity", 2.5), ("pace", 0), ("pitch", "high")])
def test_an_amount_out_of_range_is_refused_with_what_is_allowed(room, name, value):
    with pytest.raises(InvalidInput, match=f"The {name} is .*; allowed: "):
        directed(room, LINE, **{name: value})


def test_a_recording_gives_its_way_and_its_emotions_only_where_none_are_asked(room):
    alone = directed(room, LINE, likeness=recording())
    assert alone.curve.mean() == EmotionVector({"Sadness": 0.7})
    assert alone.prosody is not None
    by_words = directed(room, LINE, "angry", likeness=recording())
    assert by_words.curve == room.direct(LINE, "angry").curve == by_words.prosody.emotions
    by_hand = directed(room, LINE, "", {"Awe": 0.5}, True, likeness=recording())
    assert by_hand.curve.mean() == EmotionVector({"Awe": 0.5})
    assert by_hand.prosody is not None


def test_the_sliders_show_what_the_words_ask_without_the_brackets(room):
    shown = words_alone(room, ask(BRACKETS, "sad"), None)
    assert shown == room.direct(LINE, "sad").curve.mean()


def test_a_recording_is_followed_until_it_is_forgotten(visitor):
    assert [update.visible for update in following_shown(visitor)] == [False, False]
    visitor.likeness = recording()
    assert [update.visible for update in following_shown(visitor)] == [True, True]


def read(room, text, words, **options) -> str:
    direction = directed(room, text, words, **options)
    return understood(direction, cast_voice(direction.persona, None, room.voices), room.voices)


def test_what_was_understood_names_words_speaker_manner_pauses_and_what_is_left_out(room):
    shown = read(room, "[pause] Well. [laughs] Go.", "a sad old man, whispering, blorf")
    for told in ("Sadness", "<q>sad</q>", "male, old", "bm_george", "whispered", "0.5 s",
                 "cannot laugh", "<q>blorf</q>"):  # fmt: skip
        assert told in shown


def test_a_voice_that_was_chosen_is_told_to_whoever_chose_it(room):
    direction = directed(room, LINE, "a sad old man")
    casting = cast_voice(direction.persona, "af_heart", room.voices)
    shown = understood(direction, casting, room.voices)
    assert "chosen by you" in shown
    assert "caller" not in shown


def test_tags_in_what_was_typed_are_text(room, visitor):
    script = "<script>alert(1)</script>"
    shown = read(room, f"[fear] {script}", f"sad {script}")
    assert "<script" not in shown
    assert "script" in shown
    (card,) = done(room, visitor, ask(f"Hello {script} there", "sad")).cards
    assert "<script" not in card.pictures


def test_audio_comes_before_it_is_listened_to_and_the_best_is_marked_at_the_end(room, visitor):
    seen = [
        ([bool(card.score) for card in table.cards], table.best)
        for table in speak(room, visitor, ask(words="angry", takes=3))
    ]
    assert ([False], None) in seen
    assert ([True, False], None) in seen
    heard, best = seen[-1]
    assert heard == [True, True, True]
    scores = {card.id: take.score for card, take in zip(
        table_of(visitor).cards, visitor.takes, strict=True
    )}  # fmt: skip
    assert scores[best] == max(scores.values())


def test_a_card_names_files_with_the_take_its_score_and_what_was_asked_and_heard(room, visitor):
    (card,) = done(room, visitor, ask(words="angry", seed=7)).cards
    told = json.loads(file(card.json).read_bytes())
    assert told["seed"] == 7
    assert told["asked"]["Anger"]
    assert told["heard"]
    assert f"({told['score']:.2f})" in card.score
    assert file(card.ogg).read_bytes()[:4] == b"OggS"
    assert (Audio.load(file(card.neutral)).samples != 0).any()


def test_takes_that_were_not_kept_are_deleted_when_new_ones_come(room, visitor):
    table = done(room, visitor, ask(words="angry", takes=2))
    kept, left = table.cards
    table.keep(kept.id)
    done(room, visitor, ask(words="sad"))
    assert [card.id for card in table.kept] == [kept.id]
    assert all(file(url).is_file() for url in kept.files)
    assert not any(file(url).exists() for url in (left.wav, left.ogg, left.json))
    assert len(visitor.takes) == 1
    table.drop(kept.id)
    assert not any(file(url).exists() for url in kept.files)
    with pytest.raises(InvalidInput, match="no longer on the table"):
        table.keep(kept.id)


def test_a_take_kept_while_it_is_listened_to_gets_its_score_on_the_shelf(room, visitor):
    work = speak(room, visitor, ask(words="angry"))
    table = next(table for table in work if table.cards)
    table.keep(table.cards[0].id)
    for _ in work:
        pass
    assert table.kept[0].score


def test_what_is_asked_later_takes_the_place_of_what_is_being_spoken(room, visitor):
    first = speak(room, visitor, ask("One. Two. Three. Four.", "angry", takes=8))
    next(first)
    table = done(room, visitor, ask(words="sad"))
    assert list(first) == []
    assert [card.text for card in table.cards] == [LINE]


def test_a_take_that_comes_too_late_is_not_laid_and_leaves_no_file(room, visitor, monkeypatch):
    on_time = takes.spoken

    def too_late(*given):
        card = on_time(*given)
        table_of(visitor).stop()
        return card

    monkeypatch.setattr(takes, "spoken", too_late)
    for _ in speak(room, visitor, ask(words="angry")):
        pass
    assert not table_of(visitor).cards
    assert not published(visitor)


def published(visitor) -> set[Path]:
    return {path for path in visitor.folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("step", range(1, 9))
def test_a_turn_that_was_stopped_at_any_step_says_nothing_more(room, visitor, step):
    work = speak(room, visitor, ask(words="angry", takes=2))
    for _ in range(step):
        next(work)
    table = table_of(visitor)
    table.stop("Stopped.")
    assert list(work) == []
    assert (table.status, table.hearing) == ("Stopped.", None)


def test_a_turn_that_goes_on_late_leaves_the_table_to_the_next_one(room, visitor):
    first = speak(room, visitor, ask(words="angry", takes=2))
    next(table for table in first if len(visitor.takes) == 2)
    second = speak(room, visitor, ask(words="sad"))
    table = next(table for table in second if len(table.cards) == 1)
    before = table.to_json()
    assert list(first) == []
    assert table.to_json() == before


def test_a_failure_of_an_earlier_turn_leaves_the_status_of_the_next_one(room, visitor, monkeypatch):
    def fail(*given):
        table_of(visitor).stop("Stopped.")
        raise RuntimeError("lost")

    monkeypatch.setattr(room, "judge", fail)
    with pytest.raises(RuntimeError, match="lost"):
        done(room, visitor, ask(words="angry"))
    assert table_of(visitor).status == "Stopped."


def test_what_is_heard_too_late_leaves_no_file(room, visitor, monkeypatch):
    on_time = takes.heard

    def too_late(*given):
        judged = on_time(*given)
        table_of(visitor).stop()
        return judged

    monkeypatch.setattr(takes, "heard", too_late)
    for _ in speak(room, visitor, ask(words="angry")):
        pass
    (card,) = table_of(visitor).cards
    assert not card.score
    assert published(visitor) == {file(card.wav), file(card.ogg), file(card.json)}


def test_no_card_of_another_visit_has_the_id_of_this_one(room):
    ids = [done(room, room.visitor(who), ask(words="angry")).cards[0].id for who in "ab"]
    assert len(set(ids)) == 2


def test_a_take_is_being_listened_to_until_it_is_heard_or_given_up(room, visitor, monkeypatch):
    for table in speak(room, visitor, ask(words="angry")):
        if table.cards and not table.cards[0].score:
            assert table.to_json()["hearing"] == table.cards[0].id
    assert table.to_json()["hearing"] is None

    def fail(*given):
        raise RuntimeError("lost")

    monkeypatch.setattr(room, "judge", fail)
    with pytest.raises(RuntimeError, match="lost"):
        done(room, visitor, ask(words="sad"))
    assert (table.status, table.hearing) == ("", None)


def test_a_voice_introduces_itself_whatever_the_line_and_leaves_one_file(room, visitor):
    name, _ = introduced(room, visitor, ask("[never closed", "xqzzy", voice="af_heart"))
    assert name == "af_heart"
    name, first = introduced(room, visitor, ask("", "a British man"))
    assert name.startswith("b")
    assert introduced(room, visitor, ask(words="a British man")) == (name, first)
    _, last = introduced(room, visitor, ask(voice="af_heart*0.7+bm_george*0.3"))
    assert published(visitor) == {file(last)}
    with pytest.raises(UnknownName, match="nobody"):
        introduced(room, visitor, ask(voice="nobody"))


def test_a_stopped_table_keeps_what_it_has(room, visitor):
    done(room, visitor, ask(words="angry"))
    work = speak(room, visitor, ask(words="sad", takes=8))
    next(work)
    table_of(visitor).stop("Stopped.")
    assert list(work) == []
    assert "angry" in table_of(visitor).cards[0].direction


def test_what_cannot_be_spoken_leaves_the_takes_on_the_table(room, visitor):
    done(room, visitor, ask(words="angry"))
    for wrong, error in (
        (ask(voice="nobody"), UnknownName),
        (ask(" "), InvalidInput),
        (ask(seed=None), InvalidInput),
        (ask(takes=9), InvalidInput),
        (ask(words="xqzzy"), InvalidInput),
    ):
        with pytest.raises(error):
            done(room, visitor, wrong)
    assert len(table_of(visitor).cards) == 1


@pytest.mark.parametrize(("line", "words"), EXAMPLES.values(), ids=EXAMPLES)
def test_every_example_is_understood_and_can_be_spoken(room, line, words):
    direction = directed(room, line, words)
    assert direction.directed or direction.persona
    assert room.speak(line, direction).performance().words


# In the browser


def type_in(page, name: str, words: str) -> None:
    page.get_by_role("textbox", name=re.compile(f"^{name}")).focus()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(words)


def takes_of(page):
    return page.get_by_role("region", name="Takes", exact=True).get_by_role("article")


def heard(page, count: int) -> None:
    """Waits until so many takes lie on the table, each with a score."""
    page.wait_for_function(
        """count => {
            const scores = [...document.querySelectorAll('.va-taken .va-card-score')];
            const busy = document.querySelector('.va-take-status').textContent;
            const known = scores.filter(score => score.textContent.includes('('));
            return !busy && scores.length === count && known.length === count;
        }""",
        arg=count,
    )


def sound(page, audio) -> bytes:
    """What the browser gets where a player's sound lies."""
    return bytes(
        audio.evaluate(
            "async audio => [...new Uint8Array(await (await fetch(audio.src)).arrayBuffer())]"
        )
    )


@pytest.mark.browser
def test_a_line_is_directed_and_spoken_by_keyboard_alone_at_its_own_level(visit, humming):
    page = visit("Act")
    type_in(page, "Line", "I am <script>x</script> here.")
    page.keyboard.press("Tab")
    type_in(page, "Direction", "very angry")
    page.get_by_role("region", name="Understood as").get_by_text("very angry").wait_for()
    page.keyboard.press("Control+Enter")
    heard(page, 1)
    wav = sound(page, takes_of(page).locator("audio").first)
    assert wav[:4] == b"RIFF"
    spoken = humming.perform("I am <script>x</script> here.", "very angry").audio
    told = io.BytesIO(wav)
    told.name = "take.wav"
    assert np.allclose(Audio.load(told).samples, spoken.samples, atol=2 / 32768)


@pytest.mark.browser
def test_three_takes_are_compared_one_is_kept_and_a_slider_speaks_again(visit):
    page = visit("Act")
    page.get_by_role("spinbutton", name=re.compile("Takes")).fill("3")
    type_in(page, "Direction", "angry")
    page.get_by_role("button", name="Speak", exact=True).press("Enter")
    heard(page, 3)
    assert page.get_by_text("Best", exact=True).locator("visible=true").count() == 1
    second = takes_of(page).nth(1)
    second.get_by_role("button", name="Take 2: compare").press("Enter")
    second.get_by_text("Hearing the voice's own reading").wait_for()
    own = second.locator("audio:visible")
    assert sound(page, own)[:4] == b"RIFF"
    page.keyboard.press("b")
    second.get_by_text("Hearing the take").wait_for()
    second.get_by_role("button", name="Keep Take 2").press("Enter")
    assert second.get_by_role("button", name="Kept Take 2").evaluate(
        "(button) => new Promise(done => setTimeout(() => done(button === document.activeElement)))"
    )
    shelf = page.get_by_role("region", name="Kept takes").get_by_role("article")
    shelf.wait_for()
    kept = sound(page, shelf.locator("audio").first)
    before = takes_of(page).locator("audio").first.get_attribute("src")
    page.get_by_role("spinbutton", name=re.compile("Takes")).fill("1")
    slider = page.get_by_role("slider", name=re.compile("Intensity"))
    slider.focus()
    slider.press("ArrowRight")
    page.wait_for_function(
        "before => ![before, undefined].includes("
        "document.querySelector('.va-taken audio')?.getAttribute('src'))",
        arg=before,
    )
    heard(page, 1)
    takes_of(page).get_by_text("intensity 105%").wait_for()
    assert shelf.count() == 1
    assert sound(page, shelf.locator("audio").first) == kept
    shelf.get_by_role("button", name="Remove Take 2").press("Enter")
    shelf.wait_for(state="detached")
    assert page.evaluate("document.activeElement.ariaLabel") == "Takes"


@pytest.mark.browser
def test_cancelling_half_way_and_mistakes_leave_the_page_working(visit):
    page = visit("Act")
    type_in(page, "Line", "One by one they went away. " * 40)
    page.get_by_role("spinbutton", name=re.compile("Takes")).fill("8")
    page.get_by_role("button", name="Speak", exact=True).click()
    page.get_by_text("Speaking take").first.wait_for()
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_text("Stopped.").wait_for()
    assert takes_of(page).count() < 8
    page.get_by_role("spinbutton", name=re.compile("Takes")).fill("1")
    type_in(page, "Line", "Good.")
    type_in(page, "Direction", "xqzzy")
    page.get_by_role("region", name="Understood as").get_by_text("names an emotion").wait_for()
    page.keyboard.press("Control+Enter")
    page.get_by_test_id("toast-body").get_by_text("names an emotion").wait_for()
    type_in(page, "Direction", "glad")
    voice = page.get_by_role("combobox", name="Voice")
    voice.fill("nobody")
    voice.press("Tab")
    page.keyboard.press("Control+Enter")
    page.get_by_text("Unknown voice 'nobody'").first.wait_for()
    assert "Traceback" not in page.content()
    voice.fill("af_heart*0.7+bm_george*0.3")
    voice.press("Tab")
    page.keyboard.press("Control+Enter")
    heard(page, 1)
    takes_of(page).get_by_text("af_heart*0.7+bm_george*0.3").wait_for()
