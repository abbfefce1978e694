"""The review page: what it holds, and how a director works with it in a browser."""

from __future__ import annotations

import hashlib
import json
import math
import time
from html.parser import HTMLParser

import numpy as np
import pytest
from test_production_manifest import record, unheard

from conditioning.audio import Audio
from voice_actor.production.review import review_page

HOSTILE = "</script><script>document.title = 'taken'</script> \"ale\" & 'rum' <!-- script -->"


def lines(count: int, **changes) -> list[dict]:
    """Records with ids a-0, a-1 …; hashes of their own."""
    return [
        record(
            f"a-{k}",
            file=f"voice/a-{k}.wav",
            place=k + 1,
            character="Bran" if k % 2 else "Mara",
            spoken=f"Line {k}.",
            text=f"Line {k}.",
            hash=hashlib.sha256(str(k).encode()).hexdigest(),
            **changes,
        )
        for k in range(count)
    ]


class Parts(HTMLParser):
    """The elements of a page, and what stands in its scripts."""

    def __init__(self, page: bytes):
        super().__init__()
        self.tags, self.scripts, self.addresses = [], [], []
        self.feed(page.decode())

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href")]
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data):
        if self.cdata_elem == "script":
            self.scripts[-1] += data


def test_the_page_is_one_file_that_asks_for_nothing_by_itself():
    parts = Parts(review_page(lines(3), "tavern.yarn"))
    assert parts.addresses == ["data:,"]  # the icon that browsers would ask for otherwise
    assert "noscript" in parts.tags


def test_the_same_records_give_the_same_page():
    assert review_page(lines(3), "x") == review_page(lines(3), "x")


def test_text_of_a_script_stays_text_in_the_page():
    records = [record(text=HOSTILE, spoken=HOSTILE, direction=HOSTILE, faults=[HOSTILE])]
    page = review_page(records, HOSTILE)
    parts = Parts(page)
    assert len(parts.scripts) == 2
    assert json.loads(parts.scripts[0])["lines"][0]["text"] == HOSTILE
    assert page.count(b"</script>") == 2


def test_a_page_of_no_lines_can_be_made():
    assert json.loads(Parts(review_page([], "empty")).scripts[0])["lines"] == []


@pytest.fixture
def opened(browser, tmp_path):
    """Writes a page with its sounds and opens it from disk: a browser page.

    At the end nothing may have been asked for but the page and its sounds, and nothing may have
    failed or been forbidden by the page's own policy.
    """
    context = browser.new_context(
        viewport={"width": 1280, "height": 900}, permissions=["clipboard-read", "clipboard-write"]
    )
    outside, failed = [], []

    def opened(records, seconds=0.3, sounds=True, before=None):
        (tmp_path / "voice").mkdir(exist_ok=True)
        tone = 0.1 * np.sin(2 * math.pi * 440 * np.arange(int(24000 * seconds)) / 24000)
        for each in records if sounds else ():
            Audio(tone.astype(np.float32), 24000).save(tmp_path / each["file"])
        (tmp_path / "review.html").write_bytes(review_page(records, "tavern.yarn"))
        page = context.new_page()
        page.set_default_timeout(20_000)
        if before:
            page.add_init_script(before)
        mine = (tmp_path.as_uri(), "data:", "blob:")
        page.on("request", lambda it: it.url.startswith(mine) or outside.append(it.url))
        page.on("pageerror", lambda error: failed.append(str(error)))
        page.on("console", lambda it: failed.append(it.text) if it.type == "error" else None)
        page.goto((tmp_path / "review.html").as_uri())
        page.failed = failed
        return page

    yield opened
    context.close()
    assert not outside
    assert not failed


def current(page) -> str:
    return page.locator("[aria-current=true] .head span").first.inner_text()


def shown(page) -> list[str]:
    return page.locator("#lines > li:visible .head span:first-of-type").all_inner_texts()


def wait_until(page, expression: str) -> None:
    # The page's policy forbids what `wait_for_function` does.
    end = time.monotonic() + 20
    while not page.evaluate(expression):
        assert time.monotonic() < end, expression
        page.wait_for_timeout(20)


PLAYED = "document.getElementById('audio').played.length > 0"
PLAYING = "!document.getElementById('audio').paused"
PAUSED = "document.getElementById('audio').paused"


def source(page) -> str:
    return page.evaluate("document.getElementById('audio').getAttribute('src')")


@pytest.mark.browser
def test_the_page_tells_a_line_with_all_that_was_noticed(opened):
    heard = record(
        "a-1",
        transcript="you have a coin",
        word_errors=1,
        faults=["1 of 4 words is wrong"],
        notes=["“furious” is Anger 0.80."],
        take=2,
    )
    page = opened([heard, unheard("a-2")])
    first, second = page.locator("#lines > li").all()
    for words in (
        "Bran to Mara",
        "You have [b]no[/b] coin.",
        "furious, contemptuous",
        "1 of 4 words is wrong",
        "Understood, with 1 error in 4 words: You have no a coin",
        "“furious” is Anger 0.80.",
        "Anger 0.80",
        "Contempt 0.30",
        "Anger 0.61",
        "Score 0.72: less Anger than asked",
        "1.3 s",
        "take 2",
    ):
        assert words.lower() in first.inner_text().lower()
    assert first.locator("del").all_inner_texts() == ["no"]
    assert first.locator("ins").all_inner_texts() == ["a"]
    assert "Heard" not in second.inner_text()
    assert "Score" not in second.inner_text()
    told = page.locator("#summary").inner_text()
    assert told == (
        "2 lines · 0:03 min · 1 character · mean word error rate 25.0 % · 1 line to be heard"
    )


@pytest.mark.browser
def test_keys_play_and_move_on(opened):
    page = opened(lines(3), seconds=20)
    page.keyboard.press("n")
    assert current(page) == "a-1"
    assert page.evaluate(PAUSED)
    page.keyboard.press(" ")
    wait_until(page, PLAYING)
    assert source(page) == "voice/a-1.wav"
    page.keyboard.press("ArrowDown")  # what is playing goes on with the next
    wait_until(page, f"{PLAYING} && {PLAYED}")
    assert current(page) == "a-2"
    assert source(page) == "voice/a-2.wav"
    page.keyboard.press("n")  # there is none
    assert current(page) == "a-2"
    page.keyboard.press(" ")
    wait_until(page, PAUSED)
    page.keyboard.press("p")
    assert current(page) == "a-1"
    assert page.evaluate(PAUSED)


@pytest.mark.browser
def test_play_all_plays_line_after_line_to_the_end(opened):
    page = opened(lines(3))
    page.evaluate(
        "played = []; document.getElementById('audio').addEventListener('ended',"
        " (e) => played.push(e.target.getAttribute('src')))"
    )
    page.keyboard.press("n")
    page.get_by_role("button", name="Play all from here").click()
    wait_until(page, "played.length == 2")
    wait_until(page, "document.getElementById('onward').ariaPressed == 'false'")
    assert page.evaluate("played") == ["voice/a-1.wav", "voice/a-2.wav"]


@pytest.mark.browser
def test_a_line_alone_ends_where_it_ends(opened):
    page = opened(lines(2))
    page.get_by_role("button", name="Play: Mara, Line 0.").click()
    wait_until(page, "document.getElementById('audio').ended")
    page.wait_for_timeout(600)
    assert source(page) == "voice/a-0.wav"
    page.keyboard.press(" ")  # the key means the line, though the button was clicked
    wait_until(page, PLAYING)


@pytest.mark.browser
def test_lines_are_filtered_by_faults_flag_character_and_words(opened):
    records = lines(4)
    records[2] |= {"faults": ["clipped"], "direction": "with a grin"}
    page = opened(records)
    page.get_by_label("To be heard").check()
    assert shown(page) == ["a-2"]
    assert current(page) == "a-2"
    page.keyboard.press("Escape")
    page.keyboard.press("f")
    page.get_by_label("All", exact=False).first.check()
    assert len(shown(page)) == 4
    page.get_by_label("Flagged").check()
    assert shown(page) == ["a-2"]
    page.get_by_label("All", exact=False).first.check()
    page.get_by_label("Character").select_option("Bran")
    assert shown(page) == ["a-1", "a-3"]
    page.get_by_label("Character").select_option("")
    page.get_by_role("searchbox").fill("GRIN line")
    assert shown(page) == ["a-2"]
    page.get_by_role("searchbox").fill("nobody says that")
    assert shown(page) == []
    assert "No line is shown" in page.get_by_role("status").inner_text()


@pytest.mark.browser
def test_the_next_line_is_the_next_that_is_shown(opened):
    page = opened(lines(4))
    page.get_by_label("Character").select_option("Bran")
    page.keyboard.press("Escape")
    assert current(page) == "a-1"
    page.keyboard.press("n")
    assert current(page) == "a-3"


def saved(page) -> dict:
    with page.expect_download() as download:
        page.get_by_role("button", name="Save retake list").click()
    assert download.value.suggested_filename == "retakes.json"
    return json.loads(download.value.path().read_text(encoding="utf-8"))


@pytest.mark.browser
def test_a_flag_and_its_note_survive_a_reload_and_stand_in_the_retake_list(opened):
    records = lines(3)
    page = opened(records)
    page.keyboard.press("n")
    page.keyboard.press("Enter")
    page.keyboard.type("angrier, no fun")  # keys of the page are letters in a note
    page.keyboard.press("Enter")
    page.keyboard.press("p")
    page.keyboard.press("f")
    page.reload()
    assert page.locator("[aria-pressed=true]").count() == 2
    expected = [
        {"id": "a-0", "note": "", "hash": records[0]["hash"]},
        {"id": "a-1", "note": "angrier, no fun", "hash": records[1]["hash"]},
    ]
    assert saved(page) == {"format": 1, "retakes": expected}
    page.get_by_role("button", name="Copy the retake list").click()
    page.get_by_text("Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert json.loads(copied) == {"format": 1, "retakes": expected}
    page.keyboard.press("f")
    page.reload()
    assert [each["id"] for each in saved(page)["retakes"]] == ["a-1"]


@pytest.mark.browser
def test_flags_stay_on_lines_that_stayed_when_the_page_is_made_anew(opened):
    records = lines(3)
    page = opened(records)
    page.keyboard.press("f")
    page.keyboard.press("n")
    page.keyboard.press("f")
    records[1] |= {"hash": "f" * 64, "take": 1}  # spoken again
    page = opened(records)
    assert [each["id"] for each in saved(page)["retakes"]] == ["a-0"]


@pytest.mark.browser
def test_a_note_is_not_lost_by_a_slip_of_the_finger(opened):
    page = opened(lines(1))
    page.keyboard.press("Enter")
    page.keyboard.type("slower")
    page.keyboard.press("Escape")
    page.keyboard.press("f")
    assert page.get_by_role("button", name="Save retake list").is_disabled()
    page.keyboard.press("f")
    assert saved(page)["retakes"][0]["note"] == "slower"


@pytest.mark.browser
def test_without_local_storage_the_page_works_and_says_so(opened):
    closed = (
        "Object.defineProperty(window, 'localStorage',"
        " {get() { throw new DOMException('closed', 'SecurityError'); }})"
    )
    page = opened(lines(2), before=closed)
    assert "keeps no flags" in page.get_by_role("status").inner_text()
    page.keyboard.press("f")
    assert [each["id"] for each in saved(page)["retakes"]] == ["a-0"]


@pytest.mark.browser
def test_script_tags_in_text_are_shown_as_text(opened):
    records = [
        record(
            "a-0",
            file="voice/a-0.wav",
            **dict.fromkeys(
                ["text", "spoken", "direction", "character", "transcript", "reason", "voice"],
                HOSTILE,
            ),
            **dict.fromkeys(["faults", "notes", "to"], [HOSTILE]),
            word_errors=1,
        )
    ]
    page = opened(records)
    assert page.locator(".text").inner_text() == HOSTILE
    assert page.locator(".direction").inner_text() == HOSTILE
    assert page.title() == "tavern.yarn"
    assert page.locator("#lines script").count() == 0


@pytest.mark.browser
def test_a_sound_that_is_missing_is_told(opened):
    page = opened(lines(2), sounds=False)
    page.keyboard.press("a")
    page.get_by_text("voice/a-0.wav cannot be played").wait_for()
    assert page.get_by_role("button", name="Play all from here").get_attribute("aria-pressed") == (
        "false"
    )
    assert all("ERR_FILE_NOT_FOUND" in error for error in page.failed)
    page.failed.clear()


@pytest.mark.browser
def test_files_with_odd_names_are_played(opened):
    (each,) = lines(1)
    page = opened([each | {"file": "voice/50 % #1 ü?.wav"}])
    page.keyboard.press(" ")
    wait_until(page, PLAYED)


@pytest.mark.browser
def test_of_thousands_of_lines_only_those_near_to_sight_are_drawn(opened):
    page = opened(lines(3000), sounds=False)
    assert page.locator("#lines > li").count() == 3000
    assert page.locator("#lines .play").count() < 100
    page.evaluate("document.querySelectorAll('#lines > li')[1500].scrollIntoView()")
    page.get_by_text("Line 1500.").wait_for()
    page.get_by_role("searchbox").fill("a-2999")
    page.get_by_text("1 line shown.").wait_for()
    assert shown(page) == ["a-2999"]
    page.get_by_role("searchbox").fill("")
    page.keyboard.press("Escape")
    page.get_by_text("Line 2998.").wait_for()
    assert page.locator("audio").count() == 1


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 800, 1280])
def test_nothing_stands_out_of_the_page_sideways(opened, width):
    long = "Intoxication/Altered States of Consciousness"
    page = opened(
        [record("a" * 90, file="voice/x.wav", asked={long: 1.0}, heard={long: 1.0}, text="x" * 300)]
    )
    page.set_viewport_size({"width": width, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
