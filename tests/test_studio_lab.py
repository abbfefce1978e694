"""Lab: reports and leaderboards of `voice-actor evaluate`, and evaluations that can be stopped."""

from __future__ import annotations

import json
import re
import shutil
import sys
import time
from pathlib import Path

import pytest
from toys import ToyEstimator

pytest.importorskip("gradio", reason="the studio needs gradio: pip install '.[studio]'")

from conditioning.errors import InvalidInput
from demos import measured
from demos.lab import SHIPPED, Evaluation, add_lab, finished, readings
from demos.room import Room, Visitor

FAKE = f"""
import pathlib, shutil, subprocess, sys, time
kind, folder = sys.argv[1], pathlib.Path(sys.argv[2])
if kind == "complains":
    print("a library says something", file=sys.stderr)
    sys.exit("voice-actor: resemblyzer is not installed; install it.")
deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
helper = subprocess.Popen([sys.executable, "-c", deaf])
(folder / "helper").write_text(str(helper.pid))
heard = folder / "readings.jsonl"
done = heard.read_text().count("\\n") if heard.exists() else 0
print("goes on after", done)
for number in range(done, 8 if kind == "slow" else 3):
    time.sleep(0.25 if kind == "slow" else 0.02)
    with open(heard, "a") as file:
        file.write("{{}}\\n")
    print("reading", number)
shutil.copy({str(SHIPPED)!r}, folder / "summary.json")
(folder / "report.html").write_text("<p>the whole report</p>")
"""


@pytest.fixture(scope="module")
def shipped() -> bytes:
    if not SHIPPED.is_file():
        pytest.skip("needs docs/evaluation.json, which a clone has")
    return SHIPPED.read_bytes()


@pytest.fixture(scope="module")
def script(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("fake") / "evaluate.py"
    path.write_text(FAKE)
    return path


@pytest.fixture
def fake(script, shipped):
    """Evaluations of which each prints, writes, and starts a helper that is hard to stop."""
    return lambda kind: Evaluation((sys.executable, str(script), kind), every=0.1)


@pytest.fixture
def visitor(tmp_path) -> Visitor:
    return Visitor(tmp_path / "visitor")


def alive(folder: Path) -> bool:
    """Whether the helper that was started still does anything."""
    stat = Path("/proc", (folder / "helper").read_text(), "stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def gone(folder: Path) -> bool:
    """Whether it ends; a moment passes between a signal and its end."""
    deadline = time.monotonic() + 3
    while alive(folder) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not alive(folder)


def changed(content: bytes, change) -> bytes:
    found = json.loads(content)
    change(found)
    return json.dumps(found).encode()


# Reports


def test_a_report_says_the_scores_of_the_summary(shipped):
    found = json.loads(shipped)
    page = measured.report(measured.summary(shipped, "summary.json"), "Ours")
    for measures in found["systems"].values():
        recall = measures["judges"]["encoder"]["against"]["recall"]
        assert f"{recall['value']:.2f} [{recall['low']:.2f}, {recall['high']:.2f}]" in page
    for title in ("Is what was asked heard?", "Emotion by emotion", "Words and quality"):
        assert title in page
    price = found["systems"]["adapter"]["price"]
    assert f"{price['all seven']['wer']:.2f} ({price['own reading']['wer']:.2f})" in page


def test_a_report_says_what_a_reading_is_mistaken_for(shipped):
    (table,) = (
        table for table in measured.tables(json.loads(shipped)) if "mistaken" in table.title
    )
    confusion = json.loads(shipped)["systems"]["adapter"]["judges"]["encoder"]["against"]
    names = list(confusion["each"])
    for row, emotion, counts in zip(table.rows, names, confusion["confusion"], strict=True):
        others = {name: count for name, count in zip(names, counts, strict=True) if name != emotion}
        most = max(others.values())
        told = row[2].split(", ")[0]
        assert row[0] == emotion
        assert told in (f"{name} {most / sum(counts):.0%}" for name in others) or most == 0


@pytest.mark.parametrize(
    "content",
    [b"", b"null", b"[]", b"{}", b"\xff\xfe\x00", b'{"systems": {}}', b"[" * 100_000, b'"text"',
     b'{"protocol": 1, "judges": {}, "systems": {"a": {}}}'],
)  # fmt: skip
def test_what_is_no_report_is_said_in_a_sentence(content):
    with pytest.raises(InvalidInput, match=r"notes\.json is no report of `voice-actor evaluate`"):
        measured.summary(content, "notes.json")


def test_a_report_with_a_part_missing_or_of_another_kind_is_none(shipped):
    def without_quality(found):
        del found["systems"]["kokoro"]["price"]

    def in_words(found):
        found["systems"]["piper"]["judges"]["encoder"]["against"]["recall"]["value"] = "high"

    for change in (without_quality, in_words):
        with pytest.raises(InvalidInput, match="no report"):
            measured.summary(changed(shipped, change), "summary.json")


def test_more_systems_than_a_page_can_show_are_refused(shipped):
    def many(found):
        found["systems"] = {str(number): found["systems"]["piper"] for number in range(51)}

    with pytest.raises(InvalidInput, match="51 systems"):
        measured.summary(changed(shipped, many), "summary.json")


def test_names_in_a_report_are_text(shipped):
    evil = "<script>alert(1)</script>"

    def renamed(found):
        found["systems"][evil] = found["systems"].pop("adapter")
        found["judges"][evil] = found["judges"].pop("encoder")
        for row in found["systems"].values():
            row["judges"][evil] = row["judges"].pop("encoder")

    content = changed(shipped, renamed)
    page = measured.report(measured.summary(content, evil), evil)
    board = measured.leaderboard({"a.json": content}).html()
    for made in (page, board):
        assert "&lt;script&gt;" in made
        assert "<script" not in made


# Leaderboards


def test_a_leaderboard_is_that_of_the_command_line(shipped):
    def worse(found):
        found["systems"] = {"worse": found["systems"]["espeak"]}

    reports = {}
    for content in (shipped, changed(shipped, worse)):
        reports[measured.listed("summary.json", reports)] = content
    table = measured.leaderboard(reports)
    assert [row[0] for row in table.rows[:2]] == ["adapter", "seeded"]
    assert {row[-1] for row in table.rows} == {"summary.json", "summary (2).json"}
    ranked = [row[1] for row in table.rows]
    assert ranked == sorted(ranked, reverse=True)
    assert "worse" in {row[0] for row in table.rows}


def test_reports_that_cannot_be_compared_are_named(shipped):
    other = changed(shipped, lambda found: found.update(protocol="small-1"))
    with pytest.raises(InvalidInput, match=r"a\.json and b\.json have other protocol"):
        measured.leaderboard({"a.json": shipped, "b.json": other})
    with pytest.raises(InvalidInput, match=r"b\.json is no report"):
        measured.leaderboard({"a.json": shipped, "b.json": b"{}"})
    with pytest.raises(InvalidInput, match="add some"):
        measured.leaderboard({})


def test_no_name_of_a_file_is_taken_for_anything_else(shipped):
    reports = {}
    for name in ("--out=x.json", "../../etc/x.json", ".json", "a|b.json", "-.json", "." * 300):
        reports[measured.listed(name, reports)] = shipped
    assert len(reports) == 6
    assert all(len(name) < 100 and not set("/|") & set(name) for name in reports)
    assert {row[-1] for row in measured.leaderboard(reports).rows} == set(reports)


# Evaluations


def test_an_evaluation_tells_its_lines_as_they_come_and_opens_its_report(fake, visitor):
    evaluation = fake("quick")
    seen = list(evaluation.run(visitor))
    folder = evaluation.folder(visitor)
    assert ["goes on after 0"] in [list(progress.lines) for progress in seen]
    assert seen[-1].lines[-1] == "reading 2"
    assert seen[-1].readings == 3
    assert not seen[-1].cancelled
    page = finished(visitor, folder)
    assert "Is what was asked heard?" in page
    addresses = re.findall(r'href="([^"]+)"', page)
    assert any(address.endswith("report.html") for address in addresses)
    assert any(address.endswith("summary.json") for address in addresses)
    assert gone(folder)


def test_cancel_ends_everything_that_was_started_and_the_next_start_goes_on(fake, visitor):
    evaluation = fake("slow")
    folder = evaluation.folder(visitor)
    for progress in evaluation.run(visitor):
        if progress.readings == 2 and not progress.cancelled:
            assert alive(folder)
            evaluation.cancel(visitor)
    assert progress.cancelled
    assert gone(folder)
    kept = readings(folder)
    assert 2 <= kept < 8
    again = list(evaluation.run(visitor))
    assert again[-1].readings == 8
    assert any(f"goes on after {kept}" in progress.lines for progress in again)


def test_a_page_that_is_closed_midway_leaves_nothing_running(fake, visitor):
    evaluation = fake("slow")
    running = evaluation.run(visitor)
    while next(running).readings < 1:
        pass
    running.close()
    assert gone(evaluation.folder(visitor))
    evaluation.cancel(visitor)  # of nothing


def test_a_visitor_who_leaves_ends_their_evaluation(fake, tmp_path):
    """Gradio drops the handler of a closed page; nothing may run on."""
    evaluation = fake("slow")
    visitor = Visitor(tmp_path / "visitor")
    running = evaluation.run(visitor)
    while next(running).readings < 1:
        pass
    folder = evaluation.folder(visitor)
    helper = tmp_path / "helper"
    shutil.copy(folder / "helper", helper)
    visitor.leave()
    del running
    assert gone(tmp_path)


def test_only_one_evaluation_runs_at_a_time(fake, visitor, tmp_path):
    evaluation = fake("slow")
    first = evaluation.run(visitor)
    next(first)
    with pytest.raises(InvalidInput, match="running on this machine already"):
        next(evaluation.run(Visitor(tmp_path / "other")))
    first.close()
    second = evaluation.run(Visitor(tmp_path / "other"))
    next(second)
    second.close()


def test_what_an_evaluation_lacks_is_said_as_it_says_it(fake, visitor):
    with pytest.raises(InvalidInput) as caught:
        list(fake("complains").run(visitor))
    assert str(caught.value) == "resemblyzer is not installed; install it."


def test_a_missing_package_is_named_with_what_installs_it():
    printed = "voice-actor: our own failure (ModuleNotFoundError: No module named 'sklearn'); set"
    assert "sklearn is not installed" in measured.complaint(printed)
    assert "[benchmark]" in measured.complaint(printed)


def test_half_a_reading_does_not_count(tmp_path):
    assert readings(tmp_path) == 0
    (tmp_path / "readings.jsonl").write_text('{}\n{}\n{"ha')
    assert readings(tmp_path) == 2


# In a browser


@pytest.mark.browser
def test_a_report_is_opened_and_a_broken_one_is_told_in_words(visit, shipped, tmp_path):
    broken = tmp_path / "summary.json"
    broken.write_text('{"systems": 3}')
    page = visit("Lab")
    page.get_by_role("button", name="Open the report of what is shipped").click()
    page.get_by_role("heading", name="Words and quality").wait_for()
    recall = page.get_by_role("region", name="Is what was asked heard?")
    assert "0.75 [0.69, 0.81]" in recall.inner_text()
    with page.expect_file_chooser() as choosing:
        page.get_by_role("button", name="Open a summary.json of your own").click()
    choosing.value.set_files(broken)
    page.get_by_text("summary.json is no report of").wait_for()
    page.get_by_role("tab", name="Leaderboard", exact=True).click()
    page.get_by_role("button", name="Show that of what is shipped").click()
    assert "espeak" in page.get_by_role("region", name="Leaderboard").inner_text()


@pytest.mark.browser
def test_an_evaluation_is_started_cancelled_and_finished_on_the_page(
    browser, humming, fake, tmp_path, monkeypatch
):
    import gradio as gr

    from demos.studio import serve

    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    room = Room(humming, ToyEstimator)
    with gr.Blocks() as page:
        add_lab(room, fake("slow"))
    page.room = room
    address = serve(page.queue())
    context = browser.new_context()
    try:
        visited = context.new_page()
        visited.set_default_timeout(20_000)
        visited.goto(address)
        visited.get_by_role("tab", name="Measure", exact=True).click()
        visited.get_by_role("button", name="Start").click()
        visited.get_by_text(re.compile(r"^[1-7] readings heard")).wait_for()
        visited.get_by_role("button", name="Cancel").click()
        visited.get_by_text("readings are kept").wait_for()
        visited.get_by_role("button", name="Start").click()
        link = visited.get_by_role("link", name="Open the whole report")
        link.wait_for()
        with context.expect_page() as opening:
            link.click()
        assert opening.value.get_by_text("the whole report").is_visible()
    finally:
        context.close()
        page.close(verbose=False)
        room.close()
