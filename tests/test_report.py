"""Reports: what a page, Markdown, comparisons and leaderboards say of a summary."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest
from readings import FORTY, LISTENER, PlainJudge, rows, says

from conditioning import taxonomy
from conditioning.errors import InvalidInput
from training.evaluate import summary
from training.judge import EMOTIONS
from training.measures import sessions
from training.protocol import EVALUATED
from training.report import (
    ABOUT,
    compare,
    crosstalk_table,
    highlights,
    interval,
    leaderboard,
    markdown,
    number,
    page,
    run_compare,
    run_leaderboard,
    tables,
    write_report,
)

SWAP = {"anger": "fear", "fear": "anger"}


def swapped(line) -> str:
    return SWAP.get(says(line), says(line))


def run_of(said=says, name="toy", strength=lambda line: line.level or 1.0) -> dict:
    made = [*rows(FORTY, said, strength, system=name)]
    other = [row for row in rows(system="deaf") if not row.task.asked]
    judges = {"plain": PlainJudge()}
    found = sessions([*made, *other], ["deaf"], judges, LISTENER)
    made = summary(found, judges, "small-1", "voice-actor evaluate")
    return json.loads(json.dumps(made, allow_nan=False))


@pytest.fixture(scope="module")
def found() -> dict:
    return run_of()


class Reader(HTMLParser):
    """Tables as text, and every address that a page would load."""

    def __init__(self, text: str):
        super().__init__()
        self.cells, self.addresses, self.open = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.addresses += [value for name, value in attributes if name in ("src", "href")]
        if tag in ("td", "th"):
            self.cells.append("")
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.open.pop()

    def handle_data(self, data):
        if self.open:
            self.cells[-1] += data


def test_every_number_of_the_page_is_that_of_the_summary(found):
    cells = Reader(page(found)).cells
    shown = [cell for table in tables(found) for row in table.rows for cell in row]
    assert [cell for cell in cells if cell in shown]
    for table in tables(found):
        for row in table.rows:
            assert "\n".join(row) in "\n".join(cells)
    recall = found["systems"]["toy"]["judges"]["plain"]["against"]["recall"]
    assert f"{recall['value']:.2f} [{recall['low']:.2f}, {recall['high']:.2f}]" in cells


def test_the_page_needs_nothing_but_itself(found):
    text = page(found)
    outside = [each for each in Reader(text).addresses if not each.startswith(("data:", "#"))]
    assert outside == []
    assert "@import" not in text
    assert not re.search(r"url\((?!#)", text)


def test_markdown_and_page_have_the_same_sections(found):
    text = markdown(found)
    sections = [table.section for table in tables(found)]
    assert sections == [name for name in ABOUT if name in sections]
    for name in sections:
        assert f"## {name}\n" in text
        assert f"<h2>{name}</h2>" in page(found)


def test_ceiling_floor_and_deaf_baseline_stand_beside_the_score(found):
    (recognition, *_) = tables(found)
    line = next(row for row in recognition.rows if row[1:3] == ["against", "deaf"])
    assert line[3].startswith("0.12")
    assert line[5] == "0.80 [0.70, 0.90]"
    assert line[6].startswith("0.12")


def test_the_highlights_are_those_of_the_first_system(found):
    text = highlights(found)
    assert "| recall of eight, against the voice | toy | deaf | real actors | shuffled |" in text
    assert "| cosine to the same words, acted (own reading) | 0.600 (1.000) |" in text
    assert text in markdown(found)


def test_a_system_that_knows_no_strength_is_reported_too():
    flat = run_of(strength=lambda line: 1.0)
    assert "mean and lowest emotion | -, - |" in highlights(flat)
    assert "mean and lowest emotion | -, - |" in markdown(flat)
    assert page(flat)


def test_a_name_with_markup_stays_text():
    text = page(run_of(name="<script>alert(1)</script>"))
    assert "<script" not in text


def test_the_files_of_a_report_are_written(found, tmp_path):
    write_report(found, tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {
        "report.md", "report.html", "crosstalk.csv", "crosstalk.png",
    }  # fmt: skip


def test_samples_are_played_from_the_page(found, tmp_path):
    folder = tmp_path / "toy"
    folder.mkdir()
    (folder / f"{found['systems']['toy']['voices'][0]}-0-anger-0.8.ogg").write_bytes(b"OggS")
    assert "data:audio/ogg;base64,T2dnUw==" in page(found, tmp_path)


def test_crosstalk_is_a_table_of_forty():
    lines = crosstalk_table([[0.5] * 40] * 40, {taxonomy.NAMES[0]: "rehearsed"}).splitlines()
    assert len(lines) == 41
    assert lines[1].startswith(f"{taxonomy.NAMES[0]},rehearsed,0.500")


def test_unknown_numbers_are_dashes():
    assert number(None) == "-"
    assert interval({"value": None, "low": None, "high": None}) == "-"
    assert number(0.125) == "0.12"
    assert number(-0.001) == "0.00"


def test_comparing_a_run_with_itself_shows_no_difference_and_with_a_worse_one_does(found):
    same = compare(found, found)
    assert {row[5] for row in same.rows} == {"no difference shown"}
    worse = compare(found, run_of(lambda line: "surprise"))
    toy = next(row for row in worse.rows if row[1].startswith("toy"))
    assert toy[5] == "toy before is better"


def test_a_file_may_be_compared_with_itself(found, tmp_path, capsys):
    file = tmp_path / "run.json"
    file.write_text(json.dumps(found))
    run_compare(type("Options", (), {"before": file, "after": file}))
    assert "no difference shown" in capsys.readouterr().out


def test_the_leaderboard_has_the_best_first(found):
    board = leaderboard({"a.json": run_of(swapped, "worse"), "b.json": found})
    assert [row[0] for row in board.rows] == ["toy", "worse", "deaf", "deaf"]


def test_runs_of_other_protocols_or_judges_are_not_compared(found, tmp_path):
    first, second = tmp_path / "a.json", tmp_path / "b.json"
    first.write_text(json.dumps(found))
    for change in ({"protocol": "full-1"}, {"judges": {"plain": {"sha256": "1"}}}):
        second.write_text(json.dumps(found | change))
        with pytest.raises(InvalidInput, match=f"other {next(iter(change))}"):
            run_leaderboard(type("Options", (), {"runs": [first, second], "out": None}))


@pytest.mark.parametrize("content", ["", "[]", '{"a": 1}', None])
def test_what_is_no_summary_is_refused_by_name(content, tmp_path):
    file = tmp_path / "run.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(InvalidInput, match="no summary"):
        run_compare(type("Options", (), {"before": file, "after": file}))


def test_every_judged_emotion_has_a_column(found):
    (recognition, *_) = tables(found)
    assert list(recognition.columns[-len(EMOTIONS) :]) == list(EMOTIONS)
    assert all(len(row) == len(recognition.columns) for row in recognition.rows)
    assert set(found["systems"]["toy"]["voices"]) <= set(EVALUATED)
