"""Lab: open what `voice-actor evaluate` measured, compare systems, and measure again."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import gradio as gr

from conditioning.errors import InvalidInput

from . import measured
from .plainly import plainly
from .room import Room, Visitor, upload
from .running import Running

SHIPPED = Path(__file__).parents[1] / "docs" / "evaluation.json"  # only a clone has it
EVALUATE = sys.executable, "-m", "voice_actor.cli", "evaluate", "-o"  # and a folder
SHOWN = 12  # of the last lines that were printed
DESK = "lab"
MEASURING = (
    "The small evaluation speaks about 230 lines, ours and those of the systems to compare with "
    "that are installed here, and lets two judges listen. It uses two processor cores of the "
    "machine that runs the studio for about ten minutes, and only one can run at a time. Keep "
    "this page open meanwhile. What is done is kept as long as it is: after Cancel, Start goes on."
)


@dataclass(frozen=True)
class Progress:
    """How far an evaluation is.

    Attributes:
        lines: the last that it printed.
        readings: how many were spoken and heard, those of earlier starts included.
        seconds: since this start.
        cancelled: it is over, before it was done.
    """

    lines: Sequence[str]
    readings: int
    seconds: float
    cancelled: bool = False


class Evaluation:
    """Runs `evaluate`, one at a time, in a folder of the visitor's."""

    def __init__(self, command: Sequence[str] = EVALUATE, every: float = 1.0):
        """
        Args:
            command: to which the folder is added.
            every: s between two looks at how far it is.
        """
        self._command, self._every = command, every
        self._one = threading.Lock()

    def folder(self, visitor: Visitor) -> Path:
        return visitor.folder / "evaluation"

    def run(self, visitor: Visitor) -> Iterator[Progress]:
        """Starts it, or goes on where it was stopped; it ends with its iterator.

        Raises:
            InvalidInput: another one runs, or it complained itself.
        """
        if not self._one.acquire(blocking=False):
            raise InvalidInput(
                "An evaluation is running on this machine already; wait until it is done."
            )
        running, start, lines = None, time.monotonic(), []
        folder = self.folder(visitor)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            running = visitor.desk[DESK] = Running([*self._command, str(folder)], self._every)
            for new in running:
                lines = [*lines, *new][-SHOWN:]
                yield Progress(lines, readings(folder), time.monotonic() - start)
            code = running.ended()
            if running.stopped:
                yield Progress(lines, readings(folder), time.monotonic() - start, cancelled=True)
            elif code:
                raise InvalidInput(measured.complaint(running.complaints))
        finally:
            if running:
                running.stop()
            visitor.desk.pop(DESK, None)
            self._one.release()

    def cancel(self, visitor: Visitor) -> None:
        """Stops the visitor's evaluation, if there is one."""
        if running := visitor.desk.get(DESK):
            running.stop()


def readings(folder: Path) -> int:
    """How many readings an evaluation has written down; half a one does not count."""
    try:
        with open(folder / "readings.jsonl", "rb") as file:
            return sum(line.endswith(b"\n") for line in file)
    except OSError:
        return 0


def told(progress: Progress) -> str:
    """HTML of how far it is."""
    minutes, seconds = divmod(round(progress.seconds), 60)
    lines = "\n".join(map(escape, progress.lines))
    printed = f"<pre>{lines}</pre>" if lines else ""
    heard = f"{progress.readings} readings heard" if progress.readings else "Getting ready"
    status = f"<b>{heard}</b>, {minutes}:{seconds:02} minutes."
    if progress.cancelled:
        status = (
            f"<b>Cancelled.</b> {progress.readings} readings are kept; Start goes on from there."
        )
    return f'<div class="va-running"><p role="status">{status}</p>{printed}</div>'


def finished(visitor: Visitor, folder: Path) -> str:
    """HTML of what an evaluation found, with links to its files."""
    content = (folder / "summary.json").read_bytes()
    links = [_link(visitor.publish("summary.json", content), "Download summary.json", True)]
    page = folder / "report.html"
    if page.is_file():
        address = visitor.publish("report.html", page.read_bytes())
        links = [
            _link(address, "Open the whole report"),
            _link(address, "Download report.html", True),
            *links,
        ]
    found = measured.summary(content, "summary.json")
    return f'<p class="va-links">{"".join(links)}</p>{measured.report(found, "Your evaluation")}'


def _link(address: str, words: str, download: bool = False) -> str:
    how = "download" if download else 'target="_blank" rel="noopener"'
    return f'<a href="{escape(address)}" {how}>{words}</a>'


def add_lab(room: Room, evaluation: Evaluation | None = None) -> None:
    """
    Args:
        evaluation: what Start runs.
    """
    evaluation = evaluation or Evaluation()

    def desk(visitor: Visitor) -> dict[str, bytes]:
        return visitor.desk.setdefault("reports", {})

    def open_shipped() -> str:
        return measured.report(
            measured.summary(SHIPPED.read_bytes(), SHIPPED.name), "What is shipped"
        )

    def open_own(path: str | None) -> str:
        if not path:
            raise InvalidInput("There is no report; choose a run's summary.json.")
        content, name = upload(path, "report"), Path(path).name
        return measured.report(measured.summary(content, name), name)

    def compare(paths: list[str] | None, request: gr.Request) -> str:
        visitor = room.visitor(request.session_hash)
        reports = dict(desk(visitor))
        # All are read, and so deleted, before the first can be refused.
        for path, content in [(path, upload(path, "report")) for path in paths or ()]:
            measured.summary(content, Path(path).name)
            reports[measured.listed(Path(path).name, reports)] = content
        table = measured.leaderboard(reports)
        visitor.desk["reports"] = reports
        return table.html()

    def compare_shipped() -> str:
        return measured.leaderboard({SHIPPED.name: SHIPPED.read_bytes()}).html()

    def clear(request: gr.Request) -> str:
        desk(room.visitor(request.session_hash)).clear()
        return ""

    def start(request: gr.Request) -> Iterator[tuple[str, str]]:
        visitor = room.visitor(request.session_hash)
        for progress in evaluation.run(visitor):
            yield told(progress), ""
        if not progress.cancelled:
            yield "", finished(visitor, evaluation.folder(visitor))

    def cancel(request: gr.Request) -> None:
        evaluation.cancel(room.visitor(request.session_hash))

    private = {"api_visibility": "private"}
    with gr.Tabs():
        with gr.Tab("Report"):
            gr.Markdown(
                "What `voice-actor evaluate` measured: is what was asked heard, and what does it "
                "cost? A report is the file summary.json in the folder of a run."
            )
            with gr.Row():
                if SHIPPED.is_file():
                    shipped = gr.Button("Open the report of what is shipped", variant="primary")
                own = gr.UploadButton("Open a summary.json of your own", file_types=[".json"])
            opened = gr.HTML(elem_classes="va-lab")
            if SHIPPED.is_file():
                shipped.click(plainly(open_shipped), None, opened, **private)
            own.upload(plainly(open_own), own, opened, **private)
        with gr.Tab("Leaderboard"):
            gr.Markdown(
                "Reports of the same protocol and judges, side by side: yours before and after a "
                "change, or of several systems."
            )
            with gr.Row():
                add = gr.UploadButton(
                    "Add summary.json files",
                    file_types=[".json"],
                    file_count="multiple",
                    variant="primary",
                )
                if SHIPPED.is_file():
                    example = gr.Button("Show that of what is shipped")
                anew = gr.Button("Clear")
            board = gr.HTML(elem_classes="va-lab")
            add.upload(plainly(compare), add, board, **private)
            if SHIPPED.is_file():
                example.click(plainly(compare_shipped), None, board, **private)
            anew.click(plainly(clear), None, board, **private)
        with gr.Tab("Measure"):
            gr.Markdown(MEASURING)
            with gr.Row():
                begin = gr.Button("Start", variant="primary")
                stop = gr.Button("Cancel")
            state = gr.HTML(elem_classes="va-lab")
            result = gr.HTML(elem_classes="va-lab")
            started = begin.click(
                plainly(start),
                None,
                [state, result],
                show_progress="hidden",
                concurrency_id="evaluation",
                concurrency_limit=None,  # whoever comes second is told so at once
                **private,
            )
            started.failure(lambda: "", None, state, queue=False, **private)
            stop.click(plainly(cancel), None, None, queue=False, **private)
