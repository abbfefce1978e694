"""The studio's own controls: what they take from a page, and how they are used."""

from __future__ import annotations

import math
import re
from importlib.resources import files

import pytest

pytest.importorskip("gradio", reason="the studio needs gradio: pip install '.[studio]'")

import gradio as gr

from conditioning.emotion import EmotionVector
from conditioning.errors import InvalidInput, UserError
from conditioning.place import REACHED
from conditioning.taxonomy import NAMES
from demos import static
from demos.controls import asked, checked, emotion_panel, mood_pad, place, shown

MANY = EmotionVector(
    {"Anger": 0.8, "Fear": 0.35, "Contempt": 0.3, "Awe": 0.25, "Pain": 0.2, "Pride": 0.15}
    | {"Disgust": 0.1, "Hope": 0.05}
)
SCRIPT = "<img src=x onerror='document.title=1'><script>document.title=1</script>"


def test_a_shown_vector_is_asked_for_again():
    assert asked(shown(MANY)) == MANY
    assert shown(MANY, touched=True)["touched"] is True
    assert asked(None).is_neutral


def test_what_a_page_sends_is_checked_and_named_canonically():
    sent = {"emotions": {"anger": 1, "Fear": 0.0}, "touched": True, "more": "ignored"}
    assert checked(sent) == {"emotions": {"Anger": 1.0}, "touched": True}
    assert checked(None) == shown(EmotionVector())


@pytest.mark.parametrize(
    "sent",
    [
        "Anger",
        [],
        7,
        {"emotions": [0.1] * 40},
        {"emotions": {"Anger": 2}},
        {"emotions": {"Anger": math.nan}},
        {"emotions": {"Anger": 10**400}},
        {"emotions": {"Anger": "0.5"}},
        {"emotions": {"Anger": True}},
        {"emotions": {SCRIPT: 0.5}},
        {"emotions": {"Anger": 0.5, "rage": 0.5}},
        {"emotions": {}, "touched": "yes"},
    ],
    ids=lambda sent: str(sent)[:40],
)
def test_a_panel_takes_nothing_else(sent):
    with pytest.raises(UserError):
        checked(sent)


def test_a_mood_is_checked():
    assert place({"valence": 1, "arousal": -0.5, "more": "ignored"}) == (1.0, -0.5)
    assert place(None) == (0.0, 0.0)


@pytest.mark.parametrize(
    "sent",
    [
        "left",
        [0, 0],
        {"valence": 1.1},
        {"arousal": math.nan},
        {"arousal": 10**400},
        {"valence": "0"},
        {"valence": None},
        {"valence": True},
    ],
    ids=lambda sent: str(sent)[:40],
)
def test_a_pad_takes_nothing_else(sent):
    with pytest.raises(InvalidInput):
        place(sent)


def test_the_studio_leaves_no_file_beside_its_source(studio_address):
    assert not [each.name for each in files("demos").iterdir() if each.name.endswith(".pyi")]


@pytest.fixture(scope="module")
def desk():
    """A page with both controls, what reached Python of each, and a button that sets them."""
    with gr.Blocks(analytics_enabled=False) as page:
        panel = emotion_panel(shown(MANY))
        pad = mood_pad({"valence": 0.0, "arousal": 0.0, "heard": [["take 1", 0.5, 0.5]]})
        felt = gr.Textbox(label="Felt")
        placed = gr.Textbox(label="Placed")
        wild = gr.Button("Wild")

        def feel(value):
            return f"{asked(value)} touched={value['touched']}"

        def put(value):
            return f"{value['valence']:g} {value['arousal']:g} {len(value['heard'])}"

        def surprise():
            dots = [["<b>take 2</b>", -0.5, 0.5], [SCRIPT[:60], 0.1, 0.1]]
            return (
                shown(EmotionVector({"Awe": 0.63, "Amusement": 0.7})),
                {"valence": -0.5, "arousal": 0.33, "heard": dots},
            )

        panel.input(feel, panel, felt)
        pad.input(put, pad, placed)
        wild.click(surprise, None, [panel, pad])
    styles = [str(file) for file in files(static).iterdir() if file.name == "controls.css"]
    yield page.launch(prevent_thread_lock=True, quiet=True, ssr_mode=False, css_paths=styles)[1]
    page.close(verbose=False)


@pytest.fixture
def page(browser, desk):
    """The page in a fresh profile of a phone's width; nothing on it may fail."""
    failed = []
    context = browser.new_context(viewport={"width": 360, "height": 800})
    opened = context.new_page()
    opened.set_default_timeout(20_000)
    opened.on("pageerror", lambda error: failed.append(str(error)))
    opened.on("console", lambda told: failed.append(told.text) if told.type == "error" else None)
    opened.goto(desk)
    opened.get_by_role("group", name="Emotions").wait_for()
    yield opened
    assert opened.evaluate("document.documentElement.scrollWidth") <= 360
    assert opened.title() != "1"
    context.close()
    assert not failed


def _expect(locator):
    from playwright.sync_api import expect

    expect.set_options(timeout=20_000)  # the server's first answer loads pandas
    return expect(locator)


def _strongest(page):
    return page.get_by_role("group", name="Strongest", exact=True)


def _sliders(group):
    return [slider.get_attribute("aria-label") for slider in group.get_by_role("slider").all()]


def _press(page, key, times):
    for _ in range(times):
        page.keyboard.press(key)


@pytest.mark.browser
def test_the_strongest_emotions_stand_on_top_and_all_others_by_family(page):
    assert _sliders(_strongest(page)) == ["Anger", "Fear", "Contempt", "Awe", "Pain", "Pride"]
    _expect(page.get_by_text("And 2 fainter, in the list below.")).to_be_visible()
    _expect(page.get_by_label("Find an emotion")).to_be_hidden()
    page.get_by_text("All 40 emotions").click()
    families = page.locator("details").get_by_role("group")
    assert sorted(name for family in families.all() for name in _sliders(family)) == sorted(NAMES)
    pride = page.get_by_role("group", name="Pride").get_by_role("slider", name="Triumph")
    _expect(pride).to_have_accessible_description("superiority")


@pytest.mark.browser
def test_a_slider_moved_by_keys_reaches_python_and_its_twin(page):
    fear = _strongest(page).get_by_role("slider", name="Fear")
    fear.focus()
    _press(page, "ArrowRight", 3)
    _expect(page.get_by_label("Felt")).to_have_value(
        f"{EmotionVector(MANY.to_json() | {'Fear': 0.5})} touched=True"
    )
    _expect(fear).to_be_focused()
    page.get_by_text("All 40 emotions").click()
    twin = page.get_by_role("group", name="Fear").get_by_role("slider", name="Fear")
    _expect(twin).to_have_value("50")
    twin.focus()
    page.keyboard.press("End")
    _expect(page.get_by_label("Felt")).to_have_value(re.compile("^Fear=1.0, Anger"))
    assert _sliders(_strongest(page))[:2] == ["Fear", "Anger"]


@pytest.mark.browser
def test_a_slider_is_told_of_once_when_it_is_let_go_of_and_its_order_stays(page):
    pride = _strongest(page).get_by_role("slider", name="Pride")
    box = pride.bounding_box()
    page.mouse.move(box["x"] + 0.15 * box["width"], box["y"] + box["height"] / 2)
    page.mouse.down()
    for share in (0.3, 0.6, 2):
        page.mouse.move(box["x"] + share * box["width"], box["y"] + box["height"] / 2)
    _expect(pride).to_have_attribute("aria-valuetext", "100%")
    assert _sliders(_strongest(page))[-1] == "Pride"
    _expect(page.get_by_label("Felt")).to_have_value("")
    page.mouse.up()
    _expect(page.get_by_label("Felt")).to_have_value(re.compile("^Pride=1.0, Anger"))
    assert _sliders(_strongest(page))[-1] == "Pride"


@pytest.mark.browser
@pytest.mark.parametrize(
    ("word", "name"),
    [("furious", "Anger"), ("grief", "Sadness"), ("Schaden", "Malevolence/Malice")],
)
def test_an_emotion_is_found_by_another_word_for_it(page, word, name):
    page.get_by_text("All 40 emotions").click()
    page.get_by_label("Find an emotion").fill(word)
    everything = page.locator("details")
    _expect(everything.get_by_role("slider", name=name, exact=True)).to_be_visible()
    assert len(_sliders(everything)) < 4
    _expect(everything.get_by_role("status")).to_have_text(f"{len(_sliders(everything))} found.")


@pytest.mark.browser
def test_a_search_without_a_find_says_so(page):
    page.get_by_text("All 40 emotions").click()
    page.get_by_label("Find an emotion").fill(SCRIPT)
    told = page.locator("details").get_by_role("status")
    _expect(told).to_contain_text("No emotion is found by “<img src=x")
    assert not _sliders(page.locator("details"))
    page.get_by_label("Find an emotion").fill("")
    assert len(_sliders(page.locator("details"))) == len(NAMES)


@pytest.mark.browser
def test_clear_asks_for_a_neutral_reading(page):
    page.get_by_role("button", name="Clear").click()
    _expect(page.get_by_label("Felt")).to_have_value("neutral touched=True")
    _expect(page.get_by_text("None: a neutral reading.")).to_be_visible()
    assert not _sliders(_strongest(page))


@pytest.mark.browser
def test_what_the_server_sets_is_shown_as_text_and_told_to_nobody(page):
    page.get_by_role("button", name="Wild").click()
    _expect(_strongest(page).get_by_role("slider")).to_have_count(2)
    assert _sliders(_strongest(page)) == ["Amusement", "Awe"]
    awe = _strongest(page).get_by_role("slider", name="Awe")
    _expect(awe).to_have_attribute("aria-valuetext", "63%")
    mood = page.get_by_role("group", name="Mood")
    _expect(mood.get_by_role("slider", name="Calm to excited")).to_have_attribute(
        "aria-valuetext", "excited 33%"
    )
    heard = mood.get_by_role("list", name="Heard").get_by_role("listitem")
    _expect(heard.first).to_have_text("<b>take 2</b>: unpleasant 50%, excited 50%")
    _expect(heard.last).to_contain_text("<img src=x onerror=")
    assert page.locator(".va-pad img, .va-pad b, .va-pad script").count() == 0
    page.wait_for_timeout(400)
    _expect(page.get_by_label("Felt")).to_have_value("")
    _expect(page.get_by_label("Placed")).to_have_value("")
    awe.focus()
    page.keyboard.press("ArrowLeft")
    _expect(page.get_by_label("Felt")).to_have_value("Amusement=0.7, Awe=0.6 touched=True")


@pytest.mark.browser
def test_what_the_server_sets_takes_no_slider_from_the_hand(page):
    pride = _strongest(page).get_by_role("slider", name="Pride")
    box = pride.bounding_box()
    page.mouse.move(box["x"] + 0.15 * box["width"], box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 2 * box["width"], box["y"] + box["height"] / 2)
    page.get_by_role("button", name="Wild").dispatch_event("click")
    _expect(page.get_by_text("unpleasant 50%, excited 33%", exact=True)).to_be_visible()
    _expect(pride).to_have_attribute("aria-valuetext", "100%")
    page.mouse.up()
    _expect(page.get_by_label("Felt")).to_have_value(
        "Pride=1.0, Amusement=0.7, Awe=0.63 touched=True"
    )


@pytest.mark.browser
def test_a_key_just_pressed_outlives_what_the_server_sets(page):
    _strongest(page).get_by_role("slider", name="Fear").focus()
    page.keyboard.press("End")
    page.get_by_role("button", name="Wild").dispatch_event("click")
    _expect(page.get_by_label("Felt")).to_have_value(
        f"{EmotionVector(MANY.to_json() | {'Fear': 1.0})} touched=True"
    )


@pytest.mark.browser
def test_the_dot_is_dragged(page):
    square = page.locator(".va-pad-square")
    square.scroll_into_view_if_needed()
    box = square.bounding_box()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.6 * box["height"])
    page.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 2 * box["height"])
    _expect(page.get_by_text("pleasant 50%, calm 100%", exact=True)).to_be_visible()
    _expect(page.get_by_label("Placed")).to_have_value("")
    page.mouse.up()
    _expect(page.get_by_label("Placed")).to_have_value("0.5 -1 1")
    page.get_by_role("button", name="Back to the middle").click()
    _expect(page.get_by_label("Placed")).to_have_value("0 0 1")


@pytest.mark.browser
def test_arrow_keys_move_the_dot_both_ways(page):
    across = page.get_by_role("slider", name="Unpleasant to pleasant")
    up = page.get_by_role("slider", name="Calm to excited")
    across.focus()
    _press(page, "ArrowLeft", 3)
    _expect(across).to_be_focused()
    _press(page, "ArrowUp", 2)
    _expect(up).to_be_focused()
    _expect(page.get_by_label("Placed")).to_have_value("-0.15 0.1 1")
    _expect(up).to_have_attribute("aria-valuetext", "excited 10%")
    page.keyboard.press("End")
    _expect(page.get_by_label("Placed")).to_have_value("-0.15 1 1")


@pytest.mark.browser
def test_the_pad_names_what_it_reaches(page):
    names = page.locator(".va-pad-name").all_text_contents()
    assert len(names) == len(REACHED)
    assert {"Anger", "Surprise", "Contentment"} <= set(names)
