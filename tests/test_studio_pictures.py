"""The pictures of the studio: well formed, true to the figures, and readable."""

from __future__ import annotations

import math
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest
from toys import ToyEstimator, estimate

from conditioning.audio import Audio
from conditioning.director import Director, Line
from conditioning.emotion import EmotionVector
from conditioning.estimator import Estimate
from conditioning.prosody import measure
from conditioning.taxonomy import CATEGORIES, FAMILIES, NAMES
from conditioning.temperament import find_temperament
from demos import pictures, static
from voice_actor.performance import Timed

RATE = 16_000
SCRIPT = "<script>alert('&\"')</script>\x00"
ANGRY = {"Anger": 0.7, "Sadness": 0.2, "Impatience and Irritability": 0.35}
SILENT = Estimate.without_speech(0.0, 1.0, "toy")


def hum(seconds: float, hertz: float = 200.0) -> Audio:
    """Half a second of silence on each side of a hum that falls by four semitones."""
    time = np.arange(round(seconds * RATE)) / RATE
    pitch = hertz * 2 ** (-np.clip(time / max(seconds, 1e-9), 0, 1) / 3)
    sound = 0.3 * np.sin(2 * np.pi * np.cumsum(pitch) / RATE)
    return Audio(np.pad(sound, RATE // 2).astype(np.float32), RATE)


def heard(start: float = 0.0, end: float = 2.0, **told: float) -> Estimate:
    numbers = {"valence": -0.4, "arousal": 0.6} | told
    return estimate(ToyEstimator(), ANGRY, start, end, **numbers)


def spoken(count: int, pace: float = 3.0) -> list[Timed]:
    """Words of many lengths, one after another."""
    labels = ("I", "never", "grandmother", "was", "unquestionably", "Wm", "the", "a", "see")
    return [
        Timed(labels[index % len(labels)], 0.5 + index / pace, 0.5 + (index + 0.8) / pace)
        for index in range(count)
    ]


def scene(lines: int, characters: int = 3) -> list:
    names = [f"Ada {number}" for number in range(characters)]
    temperaments = {names[0]: find_temperament("hot-tempered")}
    moods = ("furious", None, "ashamed", "amused", "slightly afraid")
    return Director(temperaments).scene(
        Line(
            names[number % characters],
            f"Line {number}.",
            moods[number % len(moods)],
            (names[(number + 1) % characters],) if characters > 1 else (),
        )
        for number in range(lines)
    )


def parsed(picture: str) -> ElementTree.Element:
    """The picture as XML, which is stricter than HTML; and every tag is closed in HTML too."""
    _Closed().feed(picture)
    return ElementTree.fromstring(picture)


class _Closed(HTMLParser):
    VOID = {"wbr", "path"}

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_startendtag(self, tag, attributes):
        assert tag in self.VOID, f"HTML knows no empty <{tag}/>"

    def handle_starttag(self, tag, attributes):
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def classes(tree: ElementTree.Element, *wanted: str) -> list[ElementTree.Element]:
    return [each for each in tree.iter() if set(wanted) <= set(each.get("class", "").split())]


def told(tree: ElementTree.Element) -> str:
    """What somebody hears of it who cannot see it."""
    return classes(tree, "va-pic-drawing")[0].get("aria-label")


def text(element: ElementTree.Element) -> str:
    return "".join(element.itertext())


def length(bar: ElementTree.Element) -> float:
    return float(re.search(r"width:([\d.]+)%", bar.get("style"))[1])


def rows_of_labels(tree: ElementTree.Element):
    """For each row of labels: the px from which it is shown, and (left, right, top) at that."""
    least = re.search(r"min-width:(\d+)px", classes(tree, "va-pic-drawing")[0].get("style") or "")
    for row in classes(tree, "va-pic-words"):
        begin = re.search(r"va-pic-from-(\d+)", row.get("class"))
        width = int(begin[1]) if begin else int(least[1]) - pictures.GUTTER
        boxes = []
        for label in row:
            place = re.search(
                r"left:calc\(([\d.]+)% ([+-]) ([\d.]+)px\);top:(\d+)px;width:([\d.]+)px",
                label.get("style"),
            )
            share, sign, offset, top, wide = place.groups()
            left = float(share) / 100 * width + float(sign + offset)
            boxes.append((left, left + float(wide), int(top)))
        yield width, boxes


def assert_apart(boxes: list[tuple[float, float, int]]):
    for top in {box[2] for box in boxes}:
        lane = sorted(box for box in boxes if box[2] == top)
        for (_, right, _), (left, _, _) in zip(lane, lane[1:], strict=False):
            assert left >= right


WORDS, LINE, NOTHING = spoken(8), hum(3), Audio(np.zeros(RATE, np.float32), RATE)
ASKED = EmotionVector({"Anger": 0.8, "Awe": 0.2})
OVER = [heard(0, 2), Estimate.without_speech(1, 3, "toy"), heard(2, 4, valence=math.nan)]
DRAWN = {  # each picture of something ordinary and of what is hardest
    "waveform": lambda: pictures.waveform(LINE, WORDS, hum(2, 150)),
    "waveform without words": lambda: pictures.waveform(LINE),
    "waveform of silence": lambda: pictures.waveform(NOTHING, WORDS),
    "waveform of nothing": lambda: pictures.waveform(Audio(np.zeros(0, np.float32), RATE), WORDS),
    "waveform of a click": lambda: pictures.waveform(Audio(np.ones(9, np.float32), RATE), WORDS),
    "waveform beside silence": lambda: pictures.waveform(LINE, WORDS, NOTHING),
    "waveform of many words": lambda: pictures.waveform(hum(100), spoken(300)),
    "waveform of nan": lambda: pictures.waveform(LINE, [Timed("lost", math.nan, math.nan)]),
    "asked and heard": lambda: pictures.asked_and_heard(ASKED, heard()),
    "nothing asked": lambda: pictures.asked_and_heard(EmotionVector(), heard(valence=math.nan)),
    "nothing heard": lambda: pictures.asked_and_heard(ASKED, SILENT),
    "neither": lambda: pictures.asked_and_heard(EmotionVector(), SILENT),
    "all asked": lambda: pictures.asked_and_heard(
        EmotionVector(dict.fromkeys(NAMES, 1.0)), heard(dominance=0.1), 40
    ),
    "course": lambda: pictures.course(WORDS, [(0.0, ASKED), (2.0, EmotionVector())], OVER, 4.0),
    "course asked": lambda: pictures.course(WORDS, [(1.0, ASKED)], [], 4.0),
    "course heard": lambda: pictures.course((), [], OVER, 4.0),
    "course of nothing": lambda: pictures.course((), [], [], 0.0),
    "course of silence": lambda: pictures.course(WORDS, [(0.0, ASKED)], [SILENT], 1.0),
    "dimensions": lambda: pictures.dimensions(OVER, 4.0),
    "dimensions of one": lambda: pictures.dimensions([heard()], 2.0),
    "dimensions of silence": lambda: pictures.dimensions([SILENT, SILENT], 2.0),
    "dimensions of nothing": lambda: pictures.dimensions([], 0.0),
    "intensities": lambda: pictures.intensities(heard()),
    "intensities of silence": lambda: pictures.intensities(SILENT),
    "moods": lambda: pictures.moods(scene(20), {"Ada 0": find_temperament("calm")}),
    "moods of one line": lambda: pictures.moods(scene(1, 1)),
    "moods of 300 lines": lambda: pictures.moods(scene(300, 12)),
    "moods of nobody": lambda: pictures.moods([]),
    "moods kept still": lambda: pictures.moods(Director(moods=False).scene([Line("Ada", "No.")])),
}


@pytest.mark.parametrize("name", DRAWN)
def test_every_picture_is_well_formed_and_says_what_it_shows(name):
    picture = DRAWN[name]()
    drawing = classes(parsed(picture), "va-pic-drawing")[0]
    assert drawing.get("role") == "img"
    assert len(drawing.get("aria-label")) > 15
    assert not re.search(r"\b(nan|inf)\b", picture)


@pytest.mark.parametrize("name", DRAWN)
def test_no_label_lies_over_another_or_beyond_the_edge(name):
    for width, boxes in rows_of_labels(parsed(DRAWN[name]())):
        assert_apart(boxes)
        assert all(left >= -0.5 and right <= width + 0.5 for left, right, _ in boxes)


def test_a_label_has_room_for_its_letters():
    tree = parsed(pictures.waveform(hum(9), [Timed("unquestionably", 1, 4), Timed("I", 5, 6)]))
    _, ((left, right, _), (_, after, _)) = next(rows_of_labels(tree))
    assert right - left > 14 * 5
    assert after - right > 0


def test_all_words_of_an_unhurried_line_are_shown():
    tree = parsed(pictures.waveform(hum(100), spoken(300)))
    for _, boxes in rows_of_labels(tree):
        assert len(boxes) == 300


def test_a_long_line_scrolls_and_can_be_scrolled_with_the_keyboard():
    short, long = (
        classes(parsed(pictures.waveform(hum(time), spoken(count))), "va-pic-scroll")[0]
        for time, count in ((4, 4), (100, 300))
    )
    assert short.get("tabindex") is None
    assert long.get("tabindex") == "0"


def test_words_stand_under_the_moment_at_which_they_are_heard():
    tree = parsed(pictures.waveform(hum(9), [Timed("first", 2, 2.4), Timed("last", 8, 8.4)]))
    for width, boxes in rows_of_labels(tree):
        middles = [(left + right) / 2 / width for left, right, _ in boxes]
        assert middles == pytest.approx([0.22, 0.82], abs=0.01)


def test_a_higher_voice_is_said_to_be_higher_than_the_plain_reading():
    assert "5 higher than" in told(parsed(pictures.waveform(hum(2, 267), (), hum(2))))
    assert "5 lower than" in told(parsed(pictures.waveform(hum(2, 150), (), hum(2))))


def test_the_plain_reading_is_stretched_over_the_line():
    tree = parsed(pictures.waveform(hum(4), (), hum(2)))
    own, plain = (
        classes(tree, "va-pic-line", f"va-pic-{kind}")[-1] for kind in ("asked", "neutral")
    )
    ends = [
        (min(places), max(places))
        for places in (
            [float(x) for x in re.findall(r"([\d.]+) [\d.]+", line.get("d"))]
            for line in (own, plain)
        )
    ]
    assert ends[1] == pytest.approx(ends[0], abs=15)


def test_five_minutes_are_drawn_with_some_hundred_columns():
    noise = np.random.default_rng(0).normal(0, 0.1, 300 * RATE).astype(np.float32)
    picture = pictures.waveform(Audio(noise, RATE))
    parsed(picture)
    assert len(picture) < 100_000


def test_pitch_is_measured_once_for_each_recording(monkeypatch):
    seen, line, plain = [], hum(1), hum(2)
    monkeypatch.setattr(pictures, "measure", lambda audio: seen.append(audio) or measure(audio))
    pictures.waveform(line, spoken(2), plain)
    assert sorted(map(id, seen)) == sorted(map(id, (line, plain)))


def test_a_loud_word_is_a_taller_wave():
    sound = np.concatenate([hum(1).samples * 0.3, hum(1).samples])
    path = classes(parsed(pictures.waveform(Audio(sound, RATE))), "va-pic-wave")[-1].get("d")
    points = [(float(x), float(y)) for x, y in re.findall(r"([\d.]+) ([\d.]+)", path)]
    heights = [pictures.WAVE / 2 - y for x, y in points]
    first = max(height for (x, _), height in zip(points, heights, strict=True) if x < 500)
    second = max(height for (x, _), height in zip(points, heights, strict=True) if x > 500)
    assert first == pytest.approx(0.3 * second, rel=0.05)


def test_more_asked_and_more_heard_are_longer_bars():
    tree = parsed(pictures.asked_and_heard(EmotionVector({"Anger": 0.9, "Sadness": 0.3}), heard()))
    rows = classes(tree, "va-pic-row")[:2]
    assert [text(classes(row, "va-pic-name")[0]) for row in rows] == ["Anger", "Sadness"]
    asked = [length(classes(row, "va-pic-bar", "va-pic-asked")[0]) for row in rows]
    found = [length(classes(row, "va-pic-bar", "va-pic-heard")[0]) for row in rows]
    assert asked == [90, 30]
    assert found == [70, 20]


def test_what_was_not_asked_but_is_heard_follows_what_was_asked():
    tree = parsed(pictures.asked_and_heard(EmotionVector({"Sadness": 0.1}), heard(), most=2))
    names = [text(classes(row, "va-pic-name")[0]) for row in classes(tree, "va-pic-row")]
    assert names == ["Sadness", "Anger", "valence", "arousal"]


def test_what_the_estimator_cannot_hear_is_said_to_be_unheard_and_not_zero():
    tree = parsed(pictures.asked_and_heard(EmotionVector({"Pride": 0.5}), heard()))
    row = classes(tree, "va-pic-row")[0]
    assert "not listened for" in text(row)
    assert not classes(row, "va-pic-bar", "va-pic-heard")


def test_the_strongest_emotions_are_told_to_who_cannot_see_them():
    asked = EmotionVector({"Awe": 0.4})
    sentence = told(parsed(pictures.asked_and_heard(asked, heard())))
    assert "Asked: Awe 0.40. Heard: Anger 0.70" in sentence
    assert "valence asked +0.09, heard −0.40" in sentence
    assert "No speech" in told(parsed(pictures.asked_and_heard(asked, SILENT)))
    assert "Anger 0.70 (mostly right)" in told(parsed(pictures.intensities(heard())))


def test_asked_and_heard_differ_by_more_than_colour():
    tree = parsed(pictures.course((), [(0.0, EmotionVector({"Anger": 1.0}))], [heard()], 2.0))
    lines = {line.get("class") for line in classes(tree, "va-pic-line") if line.tag == "path"}
    assert {"va-pic-line va-pic-asked", "va-pic-line va-pic-heard"} <= lines
    styles = static.read("pictures.css")
    for kind in ("heard", "arousal", "dominance", "neutral"):
        assert re.search(rf"\.va-pic-line\.va-pic-{kind} {{[^}}]*dasharray", styles), kind


def test_the_styles_know_the_widths_and_the_gutter_of_the_drawings():
    styles = static.read("pictures.css")
    assert re.search(rf"\.va-pic-plot {{[^}}]*margin-left: {pictures.GUTTER}px", styles)


def test_a_course_shows_what_was_asked_first():
    tree = parsed(pictures.course((), [(0.0, EmotionVector({"Awe": 0.1}))], [heard()], 2.0, most=2))
    titles = [text(title) for title in classes(tree, "va-pic-title")]
    assert titles == ["Aweasked 0.10, heard 0.00", "Angernot asked, heard 0.70"]


def test_a_ramp_rises():
    ramp = [(0.0, EmotionVector({"Anger": 0.1})), (2.0, EmotionVector({"Anger": 0.9}))]
    tree = parsed(pictures.course((), ramp, [], 2.0))
    (line,) = (each for each in classes(tree, "va-pic-line", "va-pic-asked") if each.tag == "path")
    heights = [float(y) for y in re.findall(r"[\d.]+ ([\d.]+)", line.get("d"))]
    assert heights[0] > heights[-1]  # px from the top
    assert "asked 0.10 to 0.90" in told(tree)


def test_a_pause_is_a_gap_and_not_a_zero():
    over = [heard(0, 1), Estimate.without_speech(1, 2, "toy"), heard(2, 3)]
    tree = parsed(pictures.dimensions(over, 3.0))
    (line,) = (each for each in classes(tree, "va-pic-line", "va-pic-valence"))
    assert line.get("d").count("M") == 2
    assert "dominance" not in text(tree)


def test_intensities_stand_by_family_with_what_is_known_of_each():
    every = {name: ("acted", "synthetic", "inferred")[n % 3] for n, name in enumerate(NAMES)}

    class Knowing(ToyEstimator):
        support = every
        reliability = dict.fromkeys(NAMES, 0.95) | {NAMES[0]: 0.0, NAMES[1]: math.nan}

    found = estimate(Knowing(), {name: n / 40 for n, name in enumerate(NAMES)}, 0, 1)
    tree = parsed(pictures.intensities(found))
    assert [text(each) for each in classes(tree, "va-pic-family")] == list(FAMILIES)
    rows = classes(classes(tree, "va-pic-families")[0], "va-pic-intensity")
    names = [text(classes(row, "va-pic-name")[0]) for row in rows]
    assert sorted(names) == sorted(NAMES)
    families = {category.name: category.family for category in CATEGORIES}
    for before, after in zip(names, names[1:], strict=False):
        if families[before] == families[after]:
            assert NAMES.index(before) > NAMES.index(after), "the strongest is not first"
    known = {
        name: (row.find(".//*[@role='img']").get("aria-label"), text(row))
        for name, row in zip(names, rows, strict=True)
    }
    for name, support in every.items():
        assert known[name][0] == pictures.KNOWN[support]
        assert (
            "va-pic-inferred"
            in " ".join(each.get("class", "") for each in rows[names.index(name)].iter("div"))
        ) == (support == "inferred" and found.intensities[name] > 0)
    assert "a guess" in known[NAMES[0]][1]
    assert "never tested" in known[NAMES[1]][1]
    assert "dependable" in known[NAMES[2]][1]
    top = [text(classes(row, "va-pic-name")[0]) for row in classes(tree, "va-pic-large")]
    assert top == list(NAMES[:-6:-1])


def test_what_is_not_estimated_is_named():
    tree = parsed(pictures.intensities(heard()))
    (note,) = (text(each) for each in classes(tree, "va-pic-note") if "Not listened" in text(each))
    assert "Pride" in note
    assert "Anger" not in note


def test_moods_have_a_panel_for_each_and_a_dot_on_own_lines():
    cues = scene(20)
    tree = parsed(pictures.moods(cues))
    panels = classes(tree, "va-pic-panel")
    assert [text(panel.find(".//b")) for panel in panels] == ["Ada 0", "Ada 1", "Ada 2"]
    for number, panel in enumerate(panels):
        own = sum(cue.line.character == f"Ada {number}" for cue in cues)
        assert len(classes(panel, "va-pic-point", "va-pic-valence")) == own
        assert cues[-1].moods[f"Ada {number}"].name in text(classes(panel, "va-pic-title")[0])


def test_moods_show_the_temperaments_rest_where_it_is_known():
    cues = scene(9, 2)
    given = parsed(pictures.moods(cues, {"Ada 0": find_temperament("hot-tempered")}))
    found = parsed(pictures.moods(cues))
    first, second = (
        [
            [line.get("d") for line in classes(panel, "va-pic-rest")]
            for panel in classes(tree, "va-pic-panel")
        ]
        for tree in (given, found)
    )
    assert len(first[0]) == len(first[1]) == 3
    assert second == [first[0], []], "who is spoken to first has been moved by it"


def test_all_that_comes_from_outside_is_text():
    words = [Timed(SCRIPT, 0.5, 1.0)]
    director = Director()
    cues = director.scene([Line(SCRIPT, SCRIPT, "furious", ("Ada",)), Line("Ada", SCRIPT)])
    drawn = (
        pictures.waveform(hum(2), words),
        pictures.course(words, [], [heard()], 2.0),
        pictures.moods(cues),
    )
    for picture in drawn:
        tree = parsed(picture)
        assert "<script" not in picture
        assert not list(tree.iter("script"))
        assert SCRIPT.rstrip("\x00") in text(tree)
