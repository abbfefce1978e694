"""Scene: a script is cast, directed, spoken, changed, spoken again where it must be, and packed."""

from __future__ import annotations

import csv
import io
import json
import re
import threading
import time
import zipfile
from importlib.resources import files as resources

import pytest

from conditioning.audio import Audio, read_metadata
from conditioning.errors import InvalidInput
from voice_actor.production.draft import draft_cast
from voice_actor.production.manifest import COLUMNS
from voice_actor.production.voicing import Voicer
from voice_actor.provenance import Provenance
from voice_actor.voices import cast

pytest.importorskip("gradio", reason="the studio needs gradio: pip install '.[studio]'")

from demos import scene as tab
from demos.staging import EXAMPLE, MOST_LINES, Scene

SCRIPT = """MARA: (afraid) The lamp is out.
BRAN to MARA: (furious) You let it go dark?
MARA: I fell asleep.
"""
VOICES = cast()


def staged(room, source: str = SCRIPT, before: Scene | None = None, name: str = "") -> Scene:
    scene = Scene.read(source, name, room, before)
    assert list(scene.direct())[-1] == 1
    if before is not None:
        scene.take_over(before)
    return scene


def finish(work) -> int:
    return sum(1 for _ in work)


def files(visitor) -> list[str]:
    return sorted(path.name for path in visitor.folder.rglob("*.*"))


def states(scene: Scene) -> list[str]:
    return [card["state"] for card in scene.to_cards()]


# The cast


def test_what_a_name_says_about_somebody_holds_in_each_of_their_lines(room, visitor):
    scene = staged(room, "OLD MAN: (calm) One.\nOLD MAN: Two.\nBRAN: Three.\n")
    finish(scene.speak(room, visitor))
    manners = [scene.said[line.id].performance.casting.manner for line in scene.lines]
    assert manners[0].pace < 0
    assert manners[1].pace < 0
    assert not manners[2]


def test_how_somebody_with_such_a_name_always_speaks_and_feels_is_in_their_lines(room):
    scene = staged(room, "GHOST: I see you.\nBRAN: I see you.\n")
    ghost, bran = (scene.directed[line.id].direction for line in scene.lines)
    assert ghost.persona.manner.tremor > 0
    assert ghost.curve.mean()["Longing"] > 0
    assert not bran.persona
    assert bran.curve.mean()["Longing"] == 0


def test_a_cast_of_unknown_voices_or_temperaments_changes_nothing(room):
    scene = staged(room)
    before = scene.to_cast()
    for change in ({"voice": "xx"}, {"temperament": "xx"}, {"character": "xx"}):
        with pytest.raises((InvalidInput, LookupError)):
            scene.recast([before[0], {**before[1], **change}], room.voices)
    assert scene.to_cast() == before


def test_another_temperament_is_seen_in_what_is_asked(room):
    source = "ADA to BRAN: (furious) Move, you fool.\nBRAN: I am going.\n"
    scene = staged(room, source)
    roles = scene.to_cast()
    cards = []
    for temperament in ("timid", "hot-tempered"):
        scene.recast([{**roles[1], "temperament": temperament}], room.voices)
        finish(scene.direct())
        cards.append(scene.to_cards()[1])
    assert cards[0]["asked"] != cards[1]["asked"]
    assert any("since line 1" in why for why in cards[1]["why"])


# Reading


def test_a_scene_that_is_too_long_or_empty_says_what_to_do(room):
    with pytest.raises(InvalidInput, match=f"takes up to {MOST_LINES} at once.*Split it"):
        Scene.read("A: x\n" * (MOST_LINES + 1), "", room)
    with pytest.raises(InvalidInput, match="There is no script"):
        Scene.read(" \n", "", room)
    with pytest.raises(InvalidInput, match="characters"):
        Scene.read("x" * 600_000, "", room)


def test_lines_that_cannot_be_spoken_are_told_all_at_once(room):
    scene = Scene.read(f"A: [anger 7] x\nB: fine\nC: {'x' * 6000}\nD: [sad]\n", "", room)
    with pytest.raises(InvalidInput) as raised:
        finish(scene.direct())
    told = str(raised.value)
    assert "has 3 problems: line 1: " in told
    assert "line 3: it has 6,000 characters" in told
    assert "line 4: The bracket '[sad]'" in told


def test_a_direction_that_cannot_be_read_is_told_on_its_card_and_the_line_is_spoken(room, visitor):
    scene = staged(room, "A: (xyzzy) Hello there.\n")
    assert "cannot be read" in scene.to_cards()[0]["notes"][0]
    finish(scene.speak(room, visitor))
    assert states(scene) == ["spoken"]


def test_a_direction_written_meanwhile_holds_against_an_older_directing_that_ends_later(room):
    scene = staged(room)
    bran = scene.lines[1].id
    scene.write(bran, "furious")
    older = scene.direct()
    next(older), next(older)  # Bran's line is directed
    scene.write(bran, "joyful")
    finish(scene.direct())
    finish(older)
    card = scene.to_cards()[1]
    assert card["direction"] == "joyful"
    assert "Anger" not in dict(card["asked"])


def test_a_script_that_cannot_be_directed_leaves_no_progress_on_the_page(room, monkeypatch):
    monkeypatch.setattr(tab, "NOW_AND_THEN", -1)
    scene, pages = staged(room), []
    failing = Scene.read("A: One.\nB: [sad]\n", "", room, scene)
    with pytest.raises(InvalidInput):
        pages.extend(tab.working(failing.direct(), "Reading", lambda: tab.page_of(scene)))
    assert pages[0]["step"] == {"label": "Reading", "share": 0.5}
    assert pages[-1] == tab.page_of(scene)
    assert pages[-1]["step"] is None


def test_the_example_is_read_and_cast_with_three_voices(room):
    scene = staged(room, EXAMPLE)
    assert len(scene.lines) == 8
    assert len(scene.roles) == 3
    assert len({part.voice for part in draft_cast(scene.lines, VOICES)}) == 3
    assert not any(card["notes"] for card in scene.to_cards())


# Speaking


def test_a_line_that_cannot_be_spoken_does_not_keep_the_others_from_it(room, visitor):
    scene = staged(room, "A: One.\nB: ...\nA: Three.\n")
    finish(scene.speak(room, visitor))
    assert states(scene) == ["spoken", "new", "spoken"]
    assert scene.to_cards()[1]["notes"][0].startswith("Not spoken: ")


def test_speaking_again_speaks_only_what_is_missing_or_changed(room, visitor):
    scene = staged(room)
    assert states(scene) == ["new"] * 3
    finish(scene.speak(room, visitor))
    assert states(scene) == ["spoken"] * 3
    first = {line.id: scene.said[line.id] for line in scene.lines}
    assert finish(scene.speak(room, visitor)) == 0
    ids = [line.id for line in scene.lines]
    scene.write(ids[1], "a little sad")
    finish(scene.direct())
    # What Bran says no longer frightens Mara, so that her next line is another one.
    assert states(scene) == ["spoken", "changed", "changed"]
    finish(scene.speak(room, visitor))
    assert states(scene) == ["spoken"] * 3
    assert [scene.said[id] is first[id] for id in ids] == [True, False, False]
    scene.write(ids[1], "furious")
    finish(scene.direct())
    assert scene.changed == {}


def test_again_is_another_take_of_that_line_only(room, visitor):
    scene = staged(room)
    finish(scene.speak(room, visitor))
    one, two, three = (scene.said[line.id] for line in scene.lines)
    scene.try_again(scene.lines[1].id)
    assert states(scene) == ["spoken", "changed", "spoken"]
    finish(scene.speak(room, visitor, [scene.lines[1].id]))
    again = scene.said[scene.lines[1].id]
    assert (again.number, again.performance.seed) == (1, 1)
    assert len(again.performance.audio.samples) != len(two.performance.audio.samples)
    assert again.url != two.url
    assert scene.said[scene.lines[0].id] is one
    assert scene.said[scene.lines[2].id] is three


def test_stopping_keeps_what_is_made_and_the_next_time_goes_on(room, visitor):
    scene = staged(room)
    work = scene.speak(room, visitor)
    next(work)
    assert scene.step[:3] == (1, 3, "MARA")
    while len(scene.said) < 1:
        next(work)
    scene.stop()
    assert finish(work) <= 1
    assert scene.step is None
    assert states(scene) == ["spoken", "new", "new"]
    first = scene.said[scene.lines[0].id]
    later = scene.speak(room, visitor)
    next(later)
    assert scene.step[:3] == (1, 2, "BRAN")
    finish(later)
    assert states(scene) == ["spoken"] * 3
    assert scene.said[scene.lines[0].id] is first


def test_who_starts_anew_takes_over(room, visitor):
    scene = staged(room)
    older = scene.speak(room, visitor)
    next(older)
    newer = scene.speak(room, visitor)
    next(newer)
    assert finish(older) == 0
    assert scene.step is not None
    finish(newer)
    assert states(scene) == ["spoken"] * 3


def test_again_meanwhile_comes_first_and_what_was_left_follows(room, visitor):
    scene = staged(room)
    older = scene.speak(room, visitor)
    while len(scene.said) < 1:
        next(older)
    first = scene.lines[0].id
    scene.try_again(first)
    newer = scene.speak(room, visitor, [first])
    next(newer)
    assert scene.step[:3] == (1, 3, "MARA")
    assert finish(older) == 0
    finish(newer)
    assert states(scene) == ["spoken"] * 3
    assert scene.said[first].number == 1


def test_again_after_cancel_is_that_line_only(room, visitor):
    scene = staged(room)
    next(scene.speak(room, visitor))
    scene.stop()
    finish(scene.speak(room, visitor, [scene.lines[2].id]))
    assert states(scene) == ["new", "new", "spoken"]


def test_files_that_the_page_no_longer_shows_are_deleted(room, visitor):
    scene = staged(room, "id,character,text\na,ADA,One.\nb,ADA,Two.\n")
    finish(scene.speak(room, visitor))
    assert files(visitor) == ["a.wav", "b.wav"]
    scene.try_again("a")
    finish(scene.speak(room, visitor))
    assert files(visitor) == ["a.wav", "b.wav"]
    links = [tab.packed(visitor, scene, [*scene.pack(VOICES)]) for _ in range(2)]
    assert links[0] != links[1]
    assert files(visitor) == ["a.wav", "b.wav", "scene.zip"]
    Scene.read("id,character,text\nb,ADA,Two.\n", "", room, scene)  # is not directed
    assert files(visitor) == ["a.wav", "b.wav", "scene.zip"]
    later = staged(room, "id,character,text\nb,ADA,Two.\nc,ADA,Three.\n", scene)
    assert files(visitor) == ["b.wav", "scene.zip"]
    assert states(later) == ["spoken", "new"]


def test_a_script_read_again_keeps_what_has_not_changed(room, visitor):
    scene = staged(room)
    finish(scene.speak(room, visitor))
    scene.write(scene.lines[2].id, "ashamed")
    role = {**scene.to_cast()[0], "temperament": "timid"}
    scene.recast([role], room.voices)
    later = staged(room, SCRIPT + "BRAN: Get up.\n", scene)
    assert later.roles["MARA"].temperament == "timid"
    assert later.written(later.lines[2]) == "ashamed"
    assert states(later)[3] == "new"
    assert set(scene.said) == set(later.said)
    rewritten = staged(room, SCRIPT.replace("MARA: I", "MARA: (proud) I"), later)
    assert rewritten.written(rewritten.lines[2]) == "proud"


def test_listening_adds_what_is_heard_to_cards_and_manifest(room, visitor):
    scene = staged(room)
    finish(scene.speak(room, visitor))
    assert all(card["heard"] is None for card in scene.to_cards())
    spoken = dict(scene.said)
    finish(scene.speak(room, visitor, listen=True))
    assert all(scene.said[id].url == said.url for id, said in spoken.items())
    cards = scene.to_cards()
    assert all(card["heard"] is not None for card in cards)
    described = taken_home(scene)[0]["lines"]
    assert described[1]["heard"]["Anger"] > 0
    assert dict(cards[1]["heard"])["Anger"] == round(described[1]["heard"]["Anger"], 2)
    assert described[1]["heard_by"] == "permissive@toy"
    assert described[1]["score"] <= 1
    assert described[1]["reason"]


# The ZIP


def unpacked(content: bytes) -> tuple[dict, list[dict], dict[str, bytes]]:
    """Manifest, its table, and all files."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        assert packed.testzip() is None
        files = {name: packed.read(name) for name in packed.namelist()}
    table = csv.DictReader(io.StringIO(files["manifest.csv"].decode("utf-8-sig"), newline=""))
    return json.loads(files["manifest.json"]), list(table), files


def taken_home(scene: Scene, voices=VOICES) -> tuple[dict, list[dict], dict[str, bytes]]:
    return unpacked(scene.zip([*scene.pack(voices)]))


def test_the_zip_holds_marked_speech_and_a_complete_manifest(room, visitor):
    scene = staged(room)
    with pytest.raises(InvalidInput, match="Nothing is spoken yet"):
        taken_home(scene)
    finish(scene.speak(room, visitor, [line.id for line in scene.lines[:2]]))
    manifest, table, files = taken_home(scene)
    assert files["script.txt"].decode() == SCRIPT
    assert manifest["scripts"] == ["script.txt"]
    assert [each["id"] for each in manifest["not_spoken"]] == [scene.lines[2].id]
    assert manifest["changed_since"] == []
    assert {name: role["voice"] for name, role in manifest["cast"].items()} == {
        line["character"]: line["voice"] for line in manifest["lines"]
    }
    assert "synthetic" in manifest["note"]
    assert len(manifest["lines"]) == len(table) == 2
    for line, described, row in zip(scene.lines, manifest["lines"], table, strict=False):
        performance = scene.said[line.id].performance
        source = io.BytesIO(files[described["file"]])
        audio = Audio.load(source)
        assert audio.duration == pytest.approx(described["duration"], abs=1e-3)
        assert described["id"] == row["id"] == line.id
        assert described["text"] == row["text"] == described["spoken"] == line.text
        assert (described["place"], described["to"]) == (line.place, list(line.to))
        assert described["direction"] == line.direction
        assert described["asked"] == performance.direction.curve.mean().to_json()
        assert [word for word, _, _ in described["words"]] == [
            timed.label for timed in performance.words
        ]
        assert described["voice"] in described["provenance"]["voice"]
        assert described["licence"]
        assert described["heard"] is described["score"] is None
        assert described["hash"] == scene.key(line)
        assert tuple(row) == COLUMNS
        source.seek(0)
        assert Provenance.from_metadata(read_metadata(source)) == performance.provenance
        mouth = json.loads(files[described["files"]["rhubarb"]])
        assert mouth["mouthCues"][-1]["end"] == pytest.approx(described["duration"], abs=0.01)


def test_the_manifest_is_as_its_schema_has_it(room, visitor):
    jsonschema = pytest.importorskip("jsonschema")
    scene = staged(room, SCRIPT + "BRAN: ...\n")
    finish(scene.speak(room, visitor, [line.id for line in scene.lines[:2]], listen=True))
    finish(scene.speak(room, visitor))
    manifest, _, _ = taken_home(scene)
    assert [line["score"] is None for line in manifest["lines"]] == [False, False, True]
    schema = json.loads(
        resources("voice_actor.production").joinpath("manifest.schema.json").read_bytes()
    )
    jsonschema.validate(manifest, schema, jsonschema.Draft202012Validator)
    (mute,) = manifest["not_spoken"]
    assert mute == {"id": scene.lines[3].id, "why": scene.failed[scene.lines[3].id]}


def test_a_production_speaks_the_lines_of_a_scene_as_the_page_did(room, visitor):
    scene = staged(room)
    finish(scene.speak(room, visitor))
    scene.try_again(scene.lines[1].id)
    finish(scene.speak(room, visitor))
    produced = Voicer(lambda: room.actor)
    for record in taken_home(scene)[0]["lines"]:
        again = json.loads(json.dumps(produced(scene.said[record["id"]].job).record))
        # It levels what it makes, at another time, and counts no attempts on the page.
        other = {"gain", "loudness", "true_peak", "sha256", "attempts", "provenance"}
        assert {name for name in record if record[name] != again[name]} <= other


def test_the_review_page_finds_each_sound_beside_it(room, visitor):
    scene = staged(room)
    finish(scene.speak(room, visitor))
    manifest, _, files = taken_home(scene)
    page = files["review.html"].decode()
    assert "<title>script" in page
    assert all(f'"file": "{line["file"]}"' in page for line in manifest["lines"])


def test_a_line_that_has_moved_and_changed_is_told_as_it_was_spoken_where_it_is_now(room, visitor):
    scene = staged(room, "id,character,text\na,ADA,One.\nb,ADA,Two.\n")
    finish(scene.speak(room, visitor))
    later = staged(room, "id,character,text\nb,ADA,Two.\nc,ADA,Three.\na,ADA,Else.\n", scene)
    manifest, _, _ = taken_home(later)
    told = [(line["id"], line["place"], line["text"]) for line in manifest["lines"]]
    assert told == [("b", 2, "Two."), ("a", 4, "One.")]
    assert "a" in manifest["changed_since"]


def test_a_line_that_is_spoken_during_the_download_is_as_it_was(room, visitor):
    scene = staged(room)
    finish(scene.speak(room, visitor))

    class Meanwhile(tuple):
        def __iter__(self):
            scene.try_again(scene.lines[1].id)
            finish(scene.speak(room, visitor))
            return super().__iter__()

    manifest, _, packed = taken_home(scene, Meanwhile(VOICES))
    assert scene.said[scene.lines[1].id].number > 0
    assert [line["take"] for line in manifest["lines"]] == [0, 0, 0]
    for line in manifest["lines"]:
        duration = Audio.load(io.BytesIO(packed[line["file"]])).duration
        assert duration == pytest.approx(line["duration"], abs=1e-3)


def test_ids_name_files_that_stay_in_the_zip(room, visitor):
    source = "id,character,text\n../../up,A,One.\na/b,A,Two.\na_b,A,<b>Three</b>.\n"
    scene = staged(room, source)
    finish(scene.speak(room, visitor))
    manifest, _, files = taken_home(scene)
    first, second, third = (line["file"] for line in manifest["lines"])
    assert (first, third) == ("audio/up.wav", "audio/a_b.wav")
    assert re.fullmatch(r"audio/a_b_[0-9a-f]{8}\.wav", second)
    assert files["script.csv"].decode() == source


def test_visitors_at_work_at_the_same_time_do_not_mix(room):
    scenes = [staged(room, SCRIPT), staged(room, "CAI: Quite another line.\n" * 3)]
    threads = [
        threading.Thread(target=finish, args=[scene.speak(room, room.visitor(str(number)))])
        for number, scene in enumerate(scenes)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, scene in enumerate(scenes):
        folder = str(room.visitor(str(number)).folder)
        for line in scene.lines:
            assert scene.said[line.id].performance.text == line.text
            assert folder in scene.said[line.id].url


# The page


def read(page, source: str) -> None:
    page.get_by_label("Script", exact=True).fill(source)
    page.get_by_role("button", name="Read the script").click()


def told(page, words: str) -> None:
    page.get_by_role("status").filter(has_text=words).wait_for()


def lines(page):
    return page.get_by_role("list", name="Lines")


def cards(page):
    return lines(page).get_by_role("listitem").filter(has=page.get_by_role("textbox"))


@pytest.mark.browser
def test_a_creator_voices_a_scene_and_takes_it_home(visit, tmp_path):
    page = visit("Scene")
    read(page, SCRIPT)
    told(page, "3 lines: 3 not spoken yet.")
    page.get_by_label("Temperament of BRAN").select_option("hot-tempered")
    page.get_by_label("Voice of MARA").select_option("bm_george")
    cards(page).first.get_by_text("bm_george").wait_for()
    page.get_by_role("button", name="Speak all").click()
    told(page, "3 lines: 3 spoken.")
    first = cards(page).first
    assert "bm_george" in first.inner_text()
    assert "Fear" in first.inner_text()
    sound = page.get_by_label("Line 2, BRAN", exact=True)
    sound.evaluate("sound => { sound.muted = true; return sound.play(); }")
    assert sound.evaluate("sound => sound.duration") > 0.5
    all_of_it = page.get_by_role("button", name="Play all from here: line 2, BRAN")
    click = "button => { button.click(); return button.getAttribute('aria-label'); }"
    assert all_of_it.evaluate(f"button => [{click}, {click}].map((click) => click(button))") == [
        "Stop: line 2, BRAN",
        "Play all from here: line 2, BRAN",
    ]
    before = sound.get_attribute("src")
    kept = page.get_by_label("Line 1, MARA", exact=True).get_attribute("src")
    page.get_by_role("button", name="Again: line 2, BRAN").click()
    page.wait_for_function(
        "before => document.querySelector('audio[aria-label=\"Line 2, BRAN\"]').src !== before",
        arg=page.evaluate("path => new URL(path, location).href", before),
    )
    told(page, "3 lines: 3 spoken.")
    assert page.get_by_label("Line 1, MARA", exact=True).get_attribute("src") == kept
    direction = page.get_by_label("Direction of line 2, BRAN")
    direction.fill("amused")
    direction.press("Enter")
    told(page, "changed since")
    assert "Amusement" in cards(page).nth(1).inner_text()
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Download").click()
    downloading.value.save_as(tmp_path / "scene.zip")
    assert downloading.value.suggested_filename == "scene.zip"
    manifest, table, files = unpacked((tmp_path / "scene.zip").read_bytes())
    assert [line["character"] for line in manifest["lines"]] == ["MARA", "BRAN", "MARA"]
    assert [line["take"] for line in manifest["lines"]] == [0, 1, 0]
    # What Bran says moves Mara, too.
    assert manifest["changed_since"] == [line["id"] for line in manifest["lines"][1:]]
    assert "review.html" in files
    assert len(table) == 3
    for line in manifest["lines"]:
        source = io.BytesIO(files[line["file"]])
        assert Audio.load(source).duration == pytest.approx(line["duration"], abs=1e-3)
        source.seek(0)
        assert Provenance.from_metadata(read_metadata(source)).voice == line["voice"]


@pytest.mark.browser
def test_cancel_keeps_what_is_made_and_speak_all_goes_on(visit, humming, monkeypatch):
    hum = humming.backbone.speak

    def slowly(*asked):
        time.sleep(0.4)
        return hum(*asked)

    monkeypatch.setattr(humming.backbone, "speak", slowly)
    page = visit("Scene")
    read(page, "".join(f"ADA: Line number {number}.\n" for number in range(12)))
    told(page, "12 lines: 12 not spoken yet.")
    page.get_by_role("button", name="Speak all").click()
    # One of several: each is shown for less than half a second.
    page.get_by_text(re.compile("^Line [3-6] of 12, ADA$")).wait_for()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("progressbar").wait_for(state="hidden")
    page.wait_for_timeout(600)  # for what was in hand
    made = page.locator("audio[src]").count()
    assert 2 <= made < 12
    monkeypatch.setattr(humming.backbone, "speak", hum)
    first = page.get_by_label("Line 1, ADA", exact=True).get_attribute("src")
    page.get_by_role("button", name="Speak all").click()
    told(page, "12 lines: 12 spoken.")
    assert page.get_by_label("Line 1, ADA", exact=True).get_attribute("src") == first


@pytest.mark.browser
def test_what_is_wrong_is_told_at_once_and_script_tags_are_text(visit, tmp_path):
    page = visit("Scene")
    read(page, "ADA: Yes.\nno name\nBRAN:\n")
    alert = page.get_by_text("script.txt has 2 problems: line 2: 'no name' has no name")
    alert.wait_for()
    assert "line 3: there is nothing to say" in alert.inner_text()
    danger = "<script>window.harmed = 1</script><img src=x onerror=window.harmed=1>"
    upload = tmp_path / "tags.csv"
    upload.write_text(f"character,text,direction\n{danger},{danger} x,{danger} sad\n")
    with page.expect_file_chooser() as choosing:
        page.get_by_role("button", name="Upload a script").click()
    choosing.value.set_files(upload)
    told(page, "1 line: 1 not spoken yet.")
    assert danger in cards(page).first.inner_text()
    assert danger in page.get_by_role("group").first.inner_text()
    page.get_by_role("button", name="Moods").click()
    page.get_by_role("button", name="Speak all").click()
    told(page, "1 line: 1 spoken.")
    assert page.evaluate("window.harmed") is None


@pytest.mark.browser
def test_two_visitors_have_a_scene_each(visit):
    pages = [visit("Scene"), visit("Scene")]
    read(pages[0], SCRIPT)
    pages[1].get_by_role("button", name="Try the example").click()
    told(pages[1], "8 lines: 8 not spoken yet.")
    for page in pages:
        page.get_by_role("button", name="Speak all").click()
    told(pages[0], "3 lines: 3 spoken.")
    told(pages[1], "8 lines: 8 spoken.")
    assert "OLD MAN" not in lines(pages[0]).inner_text()
    assert "BRAN" not in lines(pages[1]).inner_text()
