"""A whole production: what is missing or changed is spoken, kept, and handed over."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePath
from typing import Any

from .folder import REPORTS, Folder
from .manifest import manifest_csv, manifest_json
from .plan import Job, Plan, Unspoken, version
from .review import review_page
from .voicing import Voiced

Work = Callable[[Sequence[Job]], Generator[Voiced, None, None]]
"""Speaks jobs, in whatever order; is closed when no more is wanted."""


@dataclass(frozen=True)
class Report:
    """What became of every line, by id, each kind in the order of the script.

    Attributes:
        spoken: now.
        kept: as they were spoken before.
        replaced: the files that somebody else put or changed there, which stay.
        unspoken: they hold no word.
        failed: could not be spoken, and why.
        gone: files made here that no line needs any more.
        records: of all lines that are spoken, as the manifest has them.
    """

    spoken: tuple[str, ...]
    kept: tuple[str, ...]
    replaced: Mapping[str, tuple[str, ...]]
    unspoken: tuple[Unspoken, ...]
    failed: Mapping[str, str]
    gone: tuple[str, ...]
    records: tuple[Mapping[str, Any], ...]


@dataclass
class Survey:
    """How a folder stands before any work; see `Report`."""

    missing: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)


def survey(folder: Folder, plan: Plan) -> Survey:
    """What of a plan is done.

    Raises:
        InvalidInput: files that cannot be read.
    """
    found = Survey()
    for line in plan.lines:
        key, _ = plan.keys[line.id]
        standing = folder.standing(line.id, plan.places[line.id], key, plan.form(line))
        if standing == "kept" and plan.gate and not _heard(folder.notes[line.id].record):
            standing = "missing"  # nobody has listened to it
        getattr(found, standing).append(line.id)
    return found


def _heard(record: Mapping[str, Any]) -> bool:
    return record.get("transcript") is not None or bool(record.get("heard_by"))


def produce(
    folder: Folder,
    plan: Plan,
    work: Work,
    prune: bool = False,
    told: Callable[[Voiced, int, int], None] = lambda voiced, number, total: None,
) -> Report:
    """Speaks what is missing or changed, then writes manifest.json, manifest.csv and review.html.

    A line that fails keeps no other from being spoken; what is there of it stays.

    Args:
        work: speaks the jobs.
        prune: delete what was made here and no line of the plan needs.
        told: is called with each line that is done, its number, and how many there are to do.

    Raises:
        InvalidInput: every problem with what is to be spoken, before anything is; a folder that
            cannot be written or in which another process is at work.
        WeightsError: weights are missing or damaged.
    """
    lines = {line.id: line for line in plan.lines}
    with folder.held():
        found = survey(folder, plan)
        jobs, unspoken = plan.jobs(set(found.missing))
        spoken, failed = set(), {}
        replaced = {id: [plan.places[id]] for id in found.replaced}
        with contextlib.closing(work(jobs)) as voicing:
            for number, voiced in enumerate(voicing, 1):
                if voiced.failure:
                    failed[voiced.id] = voiced.failure
                elif folder.keep(voiced, plan.form(lines[voiced.id])):
                    spoken.add(voiced.id)
                else:
                    replaced[voiced.id] = [plan.places[voiced.id]]
                told(voiced, number, len(jobs))
        wanted = lines.keys() - {line.id for line, _ in unspoken}
        if prune:
            folder.prune(wanted)
        theirs = folder.theirs(wanted)
        report = Report(
            spoken=tuple(id for id in lines if id in spoken),
            kept=tuple(found.kept),
            replaced={
                id: tuple(dict.fromkeys((*replaced.get(id, ()), *theirs.get(id, ()))))
                for id in lines
                if id in replaced or id in theirs
            },
            unspoken=tuple(unspoken),
            failed={id: failed[id] for id in lines if id in failed},
            gone=folder.gone(wanted),
            records=tuple(_records(folder, plan, {*spoken, *found.kept})),
        )
        _hand_over(folder, plan, report)
    return report


def _records(folder: Folder, plan: Plan, ids: set[str]) -> Iterator[Mapping[str, Any]]:
    """What is known of lines, where the script has them now."""
    names = _names(plan)
    for line in plan.lines:
        if line.id in ids:
            now = {"script": names[line.script], "place": line.place, "to": list(line.to)}
            yield folder.notes[line.id].record | now | {"character": line.character}


def _names(plan: Plan) -> dict[str, str]:
    """What tells the scripts apart, without the folder that they share."""
    scripts = list(dict.fromkeys(line.script for line in plan.lines))
    names = {name: PurePath(name).name for name in scripts}
    if len(set(names.values())) < len(scripts):
        shared = os.path.commonpath([os.path.dirname(os.path.abspath(name)) for name in scripts])
        names = {name: Path(os.path.relpath(name, shared)).as_posix() for name in scripts}
    return names


def _hand_over(folder: Folder, plan: Plan, report: Report) -> None:
    names, lines = list(_names(plan).values()), {line.id: line for line in plan.lines}
    build = {
        "version": version(),
        "scripts": names,
        "cast": {name: player.to_json() for name, player in plan.players.items()},
        "delivery": asdict(plan.cast.delivery),
        "quality": plan.gate and asdict(plan.gate),
        "moods": plan.cast.moods,
        "seed": plan.cast.seed,
        "takes": plan.takes,
        "not_spoken": [{"id": line.id, "why": why} for line, why in report.unspoken],
        "failed": [{"id": id, "why": why} for id, why in report.failed.items()],
        "replaced": [
            {"id": id, "file": path, "character": lines[id].character, "text": lines[id].text}
            for id, paths in report.replaced.items()
            for path in paths
        ],
    }
    title = ", ".join(PurePath(name).stem for name in names)
    contents = (
        manifest_json(report.records, build),
        manifest_csv(report.records),
        review_page(report.records, title),
    )
    for name, content in zip(REPORTS, contents, strict=True):
        folder.write(name, content)
