"""Writes what is said and what emotion is heard beside each recording of a folder, as LAION does.

python -m training annotate FOLDER --jobs 4
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from conditioning.audio import FORMATS, Audio
from conditioning.crew import alone, over_processes, over_ray, unleashed
from conditioning.errors import InvalidInput, UserError
from conditioning.estimator import EmotionEstimator, Estimate
from conditioning.files import check_place, shown, write_whole
from conditioning.whisper import WINDOW, Whisper

SUFFIXES = frozenset(FORMATS) | {".aif", ".aiff", ".au", ".caf", ".oga", ".w64"}
KEY = "voice_actor"  # of what we add to LAION's convention
# Files that are heard together: recognising eight short lines at once takes half the time of one
# after another, and no more than eight are lost when a run is interrupted.
PART = 8


@dataclass(frozen=True)
class Task:
    """What is asked for every file. It travels to the workers, which load the networks themselves.

    Attributes:
        load: gives the estimator; picklable.
        recogniser: gives the recogniser; picklable; None where no transcript is wanted.
        language: spoken in all files, as a code such as "en"; None hears for itself.
        again: whether annotations that are there are made anew.
    """

    load: Callable[[], EmotionEstimator]
    recogniser: Callable[[], Whisper] | None
    language: str | None
    again: bool


@dataclass(frozen=True)
class Result:
    """What became of a file; `reason` says why it is among the broken ones."""

    path: Path
    outcome: str
    reason: str = ""


@dataclass(frozen=True)
class Report:
    """What became of every file, each kind in the order of the paths.

    Attributes:
        done: annotated now.
        skipped: annotated before, by the same estimator and with all that is asked now.
        kept: annotated by others, and left as it was.
        broken: what could not be annotated, and why.
    """

    done: tuple[Path, ...]
    skipped: tuple[Path, ...]
    kept: tuple[Path, ...]
    broken: dict[Path, str]

    @classmethod
    def of(cls, results: Iterable[Result]) -> Report:
        results = sorted(results, key=lambda result: result.path)
        done, skipped, kept = (
            tuple(result.path for result in results if result.outcome == outcome)
            for outcome in ("done", "skipped", "kept")
        )
        broken = {result.path: result.reason for result in results if result.outcome == "broken"}
        return cls(done, skipped, kept, broken)


def annotate(
    folder: str | os.PathLike,
    estimator: str | Callable[[], EmotionEstimator] = "standard",
    *,
    transcript: bool | Callable[[], Whisper] = True,
    language: str | None = None,
    weights: str | os.PathLike | None = None,
    again: bool = False,
    jobs: int | None = None,
    ray: str | None = None,
    progress: bool = False,
) -> Report:
    """Writes `<name>.json` beside each recording `<name>.<suffix>` in a folder and those below it.

    The file holds LAION's keys `source_audio_file`, `caption` (the transcript; null where none is
    asked) and `emotions` (`Estimate.to_laion`), and under `voice_actor` by what it was made. Files
    are written whole and what is done is skipped, so that a run can be stopped at any time and
    started again, and several can share a folder. A JSON file that is no such annotation is never
    touched: its recording is reported as broken. Hidden files and folders are passed over.

    Args:
        folder: links in it are followed, each folder once.
        estimator: a name that `EmotionEstimator.load` knows, or a function that loads one, which
            has to be picklable for several jobs.
        transcript: whether Whisper base writes down what is said, or a function that loads another
            recogniser, picklable likewise.
        language: spoken in all files, such as "en"; None hears for itself.
        weights: where to look for weights first.
        again: make annotations anew that are there already, by whomever.
        jobs: processes, each with one thread and its own networks; None is one, and with Ray all
            the cluster's processors. A script that asks for several must guard its main module as
            `multiprocessing` explains.
        ray: address of a Ray cluster ("auto", "host:port") whose machines all see the folder under
            the same path.
        progress: a bar on standard error, where that is a terminal.

    Raises:
        InvalidInput: no folder, no recording in it, a place that cannot be written, jobs below 1,
            a cluster that does not answer or lacks processors; a worker that died.
        UnknownName, WeightsError: as the estimator's and the recogniser's `load` and `transcribe`.
    """
    if jobs is not None and jobs < 1:
        raise InvalidInput(f"{jobs} jobs came; give 1 or more.")
    load = estimator if callable(estimator) else partial(EmotionEstimator.load, estimator, weights)
    if not callable(transcript):
        transcript = partial(Whisper.load, weights) if transcript else None
    task = Task(load, transcript, language, again)
    paths, results = recordings(folder)
    annotator = Annotator(task)
    waiting, settled = annotator.sift(paths)
    results += settled
    for place in {path.parent: path for path in waiting}.values():
        check_place(target(place))
    if waiting:
        annotator.check()
        parts = [waiting[start : start + PART] for start in range(0, len(waiting), PART)]
        if ray is not None:
            found = over_ray(partial(hire, task), parts, ray, jobs)
        elif (jobs or 1) > 1:
            found = over_processes(partial(hire, task), parts, jobs)
        else:
            found = alone(lambda: annotator.annotate_some, parts)
        results += watched(found, len(waiting), progress)
    return Report.of(results)


def recordings(folder: str | os.PathLike) -> tuple[list[Path], list[Result]]:
    """The recordings to annotate, sorted, and what stands against the others.

    Raises:
        InvalidInput: no folder, or no recording in it.
    """
    name = shown(folder)
    if not os.path.isdir(folder):
        if os.path.exists(folder):
            raise InvalidInput(f"{name} is a file; name the folder that it lies in.")
        raise InvalidInput(f"There is no folder {name or 'without a name'}; name one of speech.")
    found, broken, visited = [], [], set()

    def closed(error: OSError) -> None:
        broken.append(Result(Path(error.filename), "broken", f"Cannot be read: {error.strerror}."))

    for here, folders, files in os.walk(folder, onerror=closed, followlinks=True):
        if (real := os.path.realpath(here)) in visited:  # reached by another link, or by itself
            folders.clear()
            continue
        visited.add(real)
        folders[:] = sorted(entry for entry in folders if not entry.startswith("."))
        found += [
            Path(here, entry)
            for entry in files
            if not entry.startswith(".") and Path(entry).suffix.lower() in SUFFIXES
        ]
    if not found:
        reason = f"{shown(broken[0].path)}: {broken[0].reason}" if broken else ""
        raise InvalidInput(
            reason or f"No recording lies in {name} (looked for {', '.join(sorted(SUFFIXES))})."
        )
    shares = Counter(target(path) for path in found)
    paths = []
    for path in sorted(found):
        if shares[target(path)] > 1:
            reason = f"Another recording would share {target(path).name}; rename one."
            broken.append(Result(path, "broken", reason))
        elif path.exists() and not path.is_file():  # reading a pipe would wait for ever
            broken.append(Result(path, "broken", "Not a file; remove it."))
        else:
            paths.append(path)
    return paths, broken


def target(path: Path) -> Path:
    """Where a recording's annotation lies."""
    return path.with_suffix(".json")


def read(place: Path) -> dict[str, Any] | None:
    """An annotation, by whomever; None where there is no file.

    Raises:
        InvalidInput: a file that cannot be read, or that is no annotation.
    """
    try:
        said = json.loads(place.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InvalidInput(f"Cannot read {shown(place)} ({error.strerror}); move it.") from None
    except (ValueError, RecursionError):
        said = None
    if (
        isinstance(said, dict)
        and isinstance(said.get("source_audio_file"), str)
        and isinstance(said.get("emotions"), dict)
    ):
        return said
    raise InvalidInput(f"{shown(place)} is there already and is no annotation; move it elsewhere.")


class Annotator:
    """The networks of one process, loaded when first needed, and what they do for a `Task`."""

    def __init__(self, task: Task):
        self.task = task

    @cached_property
    def estimator(self) -> EmotionEstimator:
        return self.task.load()

    @cached_property
    def recogniser(self) -> Whisper | None:
        return self.task.recogniser and self.task.recogniser()

    def check(self) -> None:
        """Raises once what would stand against every recording: weights, the language."""
        assert self.estimator.name
        if self.recogniser:
            self.recogniser.transcribe_many([], self.task.language)

    def sift(self, paths: Iterable[Path]) -> tuple[list[Path], list[Result]]:
        """The recordings that wait to be annotated, and what became of the others."""
        waiting, settled = [], []
        for path in paths:
            try:
                outcome = self._standing(path)
            except InvalidInput as error:
                settled.append(Result(path, "broken", str(error)))
                continue
            if outcome:
                settled.append(Result(path, outcome))
            else:
                waiting.append(path)
        return waiting, settled

    def _standing(self, path: Path) -> str | None:
        said = read(target(path))
        if said is None or self.task.again:
            return None
        ours = said.get(KEY)
        if not isinstance(ours, dict):
            return "kept"
        same = ours.get("estimator") == self.estimator.name
        same = same and said["source_audio_file"] == path.name
        if self.task.recogniser:
            same = same and isinstance(said.get("caption"), str)
            same = same and ours.get("language") == self.task.language
        return "skipped" if same else None

    def annotate_some(self, paths: Sequence[Path]) -> list[Result]:
        """Annotates recordings, and says what became of each; one that fails costs no other.

        What another run has done in the meantime is skipped.

        Raises:
            InvalidInput: the place cannot be written, as when the disk is full: going on would be
                work for nothing.
        """
        waiting, results = self.sift(paths)
        heard = dict(zip(waiting, each(self.estimator.estimate_many, waiting), strict=True))
        if self.recogniser:
            fine = [path for path, value in heard.items() if isinstance(value, Estimate)]
            captions = dict(zip(fine, each(self._captions, fine), strict=True))
        else:
            captions = {}
        for path, estimate in heard.items():
            caption = captions.get(path)
            failed = next((v for v in (estimate, caption) if isinstance(v, Exception)), None)
            if failed is None:
                with unleashed():
                    write_whole(target(path), self._encode(path, estimate, caption))
                results.append(Result(path, "done"))
            else:
                results.append(Result(path, "broken", why(failed)))
        return results

    def _captions(self, paths: Sequence[Path]) -> list[str]:
        """Short recordings at once; long ones one by one, so that no two are in memory."""
        captions, short = {}, {}
        for path in paths:
            audio = Audio.load(path)
            if audio.duration > WINDOW:
                captions[path] = self.recogniser.transcribe(audio, self.task.language)
            else:
                short[path] = audio
        texts = self.recogniser.transcribe_many(list(short.values()), self.task.language)
        captions |= zip(short, texts, strict=True)
        return [captions[path] for path in paths]

    def _encode(self, path: Path, estimate: Estimate, caption: str | None) -> bytes:
        said = {
            "source_audio_file": path.name,
            "caption": caption,
            "emotions": estimate.to_laion(),
            KEY: {
                "estimator": self.estimator.name,
                "support": dict(estimate.support),
                "speech": estimate.speech,
                "seconds": round(estimate.end - estimate.start, 3),
                "language": self.task.language,
            },
        }
        text = json.dumps(said, ensure_ascii=False, allow_nan=False, indent=1) + "\n"
        # A file's name may hold bytes that are no text; JSON can write them only as escapes.
        return text.encode("utf-8", "backslashreplace")


def hire(task: Task) -> Callable[[Sequence[Path]], list[Result]]:
    """Who annotates, in a process of its own."""
    return Annotator(task).annotate_some


def each(
    work: Callable[[list[Path]], Iterable[Any]], paths: Sequence[Path]
) -> list[Any | Exception]:
    """`work` for all paths at once, or where that fails one by one, with the error of each."""
    try:
        return list(work(paths))
    except Exception as error:
        if len(paths) == 1:
            return [error]
        return [result for path in paths for result in each(work, [path])]


def why(error: Exception) -> str:
    """What went wrong, in one line."""
    if isinstance(error, UserError):
        return str(error)
    return f"Our own failure ({type(error).__name__}: {' '.join(str(error).split())})."


def watched(found: Iterator[list[Result]], total: int, progress: bool) -> list[Result]:
    """All results, with a bar while they come in."""
    from tqdm import tqdm

    results = []
    hidden = None if progress else True  # None hides the bar where there is no terminal
    with contextlib.closing(found), tqdm(total=total, unit="file", disable=hidden) as bar:
        for some in found:
            results += some
            bar.update(len(some))
    return results


def add_annotate(commands) -> None:
    command = commands.add_parser(
        "annotate", help="write down what is said and felt in a folder of speech"
    )
    command.add_argument("folder", help="its recordings, and those of the folders in it")
    command.add_argument(
        "--estimator", default="standard", metavar="NAME", help="who listens (default: %(default)s)"
    )
    command.add_argument(
        "--language", metavar="CODE", help="spoken in all files, such as en (default: hears it)"
    )
    command.add_argument("--no-transcript", action="store_true", help="only the emotions")
    command.add_argument(
        "--jobs",
        type=int,
        metavar="N",
        help="processes (default: 1; with Ray, all processors of the cluster)",
    )
    command.add_argument("--ray", metavar="ADDRESS", help="of a Ray cluster: auto, or host:port")
    command.add_argument(
        "--again", action="store_true", help="replace annotations, also those made by others"
    )
    command.add_argument("--weights", metavar="FOLDER", help="where to look for weights first")
    command.set_defaults(run=run_annotate)


def run_annotate(options: argparse.Namespace) -> None:
    """Says what was done; broken files are listed, and make the command fail after the others."""
    report = annotate(
        options.folder,
        options.estimator,
        transcript=not options.no_transcript,
        language=options.language,
        weights=options.weights,
        again=options.again,
        jobs=options.jobs,
        ray=options.ray,
        progress=True,
    )
    for path, reason in report.broken.items():
        print(reason if shown(path) in reason else f"{shown(path)}: {reason}")
    said = [f"{len(report.done)} annotated"]
    if report.skipped:
        said.append(f"{len(report.skipped)} done before")
    if report.kept:
        said.append(f"{len(report.kept)} annotated by others (--again replaces them)")
    print(f"{shown(options.folder)}: {', '.join(said)}.", file=sys.stderr)
    if count := len(report.broken):
        files = "1 file" if count == 1 else f"{count} files"
        raise InvalidInput(f"{files} could not be annotated, as listed; mend or remove, run again.")
