"""A production's folder: what is done in it stays, and what is missing or changed is spoken."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePath
from typing import Any

from conditioning.audio import read_metadata
from conditioning.errors import InvalidInput
from conditioning.files import check_place, shown, sweep, write_whole
from voice_actor.provenance import Provenance

from .manifest import manifest_csv, manifest_json
from .plan import Job, Plan, Unspoken, version
from .review import review_page
from .voicing import Voiced

STATE = ".voice-actor"  # the folder in a production's that holds what is known of each line
RETAKES = "retakes.json"

Work = Callable[[Sequence[Job]], Iterator[Voiced]]
"""Speaks jobs, in whatever order."""


@dataclass(frozen=True)
class Report:
    """What became of every line, by id, each kind in the order of the script.

    Attributes:
        spoken: now.
        kept: as they were spoken before.
        replaced: their files were put or changed there by somebody else, and stay.
        unspoken: they hold no word.
        failed: could not be spoken, and why.
        gone: files of lines that the script has no more.
        records: of all lines that are spoken, as the manifest has them.
    """

    spoken: tuple[str, ...]
    kept: tuple[str, ...]
    replaced: tuple[str, ...]
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


class Folder:
    """A production's folder.

    Before a line's files are written, what they will be is: the hash of each, and of the audio that
    they take the place of. A line is done when its files are what was promised; an audio file that
    is neither old nor new was not made here and is never touched.
    """

    def __init__(self, path: Path):
        """Nothing is made yet.

        Raises:
            InvalidInput: there is something else in its place.
        """
        if path.exists() and not path.is_dir():
            raise InvalidInput(f"{shown(path)} is no folder; name another with --out.")
        self.path = path
        self.known = dict(self._read())

    def _read(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for file in (self.path / STATE).glob("*.json"):
            # What was not written by us, or cannot be read, is as if it were not there.
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                said = json.loads(file.read_bytes())
                yield said["record"]["id"], {"before": said["before"], **said}

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Nobody else works in the folder meanwhile, which is made where it is missing.

        Raises:
            InvalidInput: somebody does; the folder cannot be made or written.
        """
        from filelock import FileLock, Timeout

        self._make(self.path / STATE)
        check_place(self.path / STATE / "known")
        lock = FileLock(self.path / STATE / "lock")
        try:
            with lock.acquire(timeout=0):
                for folder in self._folders():
                    sweep(folder)
                yield
        except Timeout:
            raise InvalidInput(
                f"Another process is at work in {shown(self.path)}; wait for it, or name another "
                "folder with --out."
            ) from None

    def _folders(self) -> set[Path]:
        """Where files of ours lie."""
        paths = (path for known in self.known.values() for path in known["files"])
        return {self.path, self.path / STATE, *((self.path / path).parent for path in paths)}

    def survey(self, plan: Plan) -> Survey:
        """What of a plan is done."""
        found = Survey()
        for line in plan.lines:
            standing = self._standing(line.id, plan.places[line.id], plan.keys[line.id][0])
            getattr(found, standing).append(line.id)
        return found

    def _standing(self, id: str, place: str, key: str) -> str:
        known = self.known.get(id)
        audio = self._hash(place)
        if known is None or known["record"]["file"] != place:
            return "missing" if audio is None or self._is_ours(place) else "replaced"
        if audio not in (None, known["before"], known["files"][place]):
            return "replaced"
        same = known["record"]["hash"] == key
        done = all(self._hash(path) == promised for path, promised in known["files"].items())
        return "kept" if same and done else "missing"

    def _hash(self, place: str) -> str | None:
        """sha256 of a file; None where there is none."""
        try:
            with open(self.path / place, "rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            return None

    def _is_ours(self, place: str) -> bool:
        """Whether an audio file says itself that it was made here."""
        with contextlib.suppress(InvalidInput):
            return Provenance.from_metadata(read_metadata(self.path / place)) is not None
        return False

    def keep(self, voiced: Voiced) -> None:
        """Writes what was made of a line.

        Raises:
            InvalidInput: it cannot be written, as when the disk is full.
        """
        files = {
            path: hashlib.sha256(content).hexdigest() for path, content in voiced.files.items()
        }
        place = voiced.record["file"]
        before = self._hash(place)
        known = {
            "record": dict(voiced.record),
            "files": files,
            "before": None if before == files[place] else before,
        }
        write_whole(self._note(voiced.id), _json(known))
        for path, content in voiced.files.items():
            self.write(path, content)
        self.known[voiced.id] = known

    def write(self, path: str, content: bytes) -> None:
        """Writes a file in the folder, and the folders it lies in."""
        target = self.path / path
        self._make(target.parent)
        write_whole(target, content)

    @staticmethod
    def _make(folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InvalidInput(
                f"The folder {shown(folder)} cannot be made ({error.strerror}); move away what "
                "stands in its place, or name another with --out."
            ) from None

    def gone(self, ids: Iterable[str]) -> dict[str, list[str]]:
        """Files that were made for other lines than these, by the line's id."""
        wanted = set(ids)
        inuse = {path for id in wanted & set(self.known) for path in self.known[id]["files"]}
        left = {
            id: [path for path, made in known["files"].items() if self._hash(path) == made]
            for id, known in self.known.items()
            if id not in wanted
        }
        return {id: [path for path in paths if path not in inuse] for id, paths in left.items()}

    def prune(self, ids: Iterable[str]) -> None:
        """Deletes what was made for other lines than these."""
        for id, paths in self.gone(ids).items():
            for path in paths:
                (self.path / path).unlink(missing_ok=True)
            self._note(id).unlink(missing_ok=True)
            del self.known[id]

    def _note(self, id: str) -> Path:
        return self.path / STATE / f"{hashlib.sha256(id.encode()).hexdigest()[:24]}.json"

    @property
    def retakes(self) -> dict[str, frozenset[str]]:
        """Keys of recordings that are not wanted, by the line's id.

        Raises:
            InvalidInput: the list cannot be read.
        """
        place = self.path / RETAKES
        return read_retakes(place.read_bytes(), place) if place.exists() else {}

    def want_again(self, retakes: Mapping[str, Iterable[str]]) -> None:
        """Remembers that recordings are not wanted."""
        before = self.retakes
        both = {
            id: sorted({*before.get(id, ()), *retakes.get(id, ())})
            for id in sorted({*before, *retakes})
        }
        listed = [{"id": id, "hash": key} for id, keys in both.items() for key in keys]
        self.write(RETAKES, _json({"format": 1, "retakes": listed}))


def read_retakes(content: bytes, name: str | Path) -> dict[str, frozenset[str]]:
    """The list that the review page gives.

    Raises:
        InvalidInput: it is no such list.
    """
    found: dict[str, set[str]] = {}
    try:
        for each in json.loads(content)["retakes"]:
            id, key = each["id"], each["hash"]
            if not (isinstance(id, str) and isinstance(key, str)):
                raise TypeError
            found.setdefault(id, set()).add(key)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InvalidInput(
            f"{shown(name)} is no list of retakes; give the file that the review page saves."
        ) from None
    return {id: frozenset(keys) for id, keys in found.items()}


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
        prune: delete what was made for lines that the plan has no more.
        told: is called with each line that is done, its number, and how many there are to do.

    Raises:
        InvalidInput: every problem with what is to be spoken, before anything is; a folder that
            cannot be written or in which another process is at work.
        WeightsError: weights are missing or damaged.
    """
    ids = [line.id for line in plan.lines]
    with folder.held():
        found = folder.survey(plan)
        jobs, unspoken = plan.jobs(set(found.missing))
        failed, spoken = {}, set()
        with contextlib.closing(work(jobs)) as voicing:
            for number, voiced in enumerate(voicing, 1):
                if voiced.failure:
                    failed[voiced.id] = voiced.failure
                else:
                    folder.keep(voiced)
                    spoken.add(voiced.id)
                told(voiced, number, len(jobs))
        if prune:
            folder.prune(ids)
        report = Report(
            spoken=tuple(id for id in ids if id in spoken),
            kept=tuple(found.kept),
            replaced=tuple(found.replaced),
            unspoken=tuple(unspoken),
            failed={id: failed[id] for id in ids if id in failed},
            gone=tuple(path for paths in folder.gone(ids).values() for path in paths),
            records=tuple(_records(folder, plan, {*spoken, *found.kept})),
        )
        _hand_over(folder, plan, report)
    return report


def _records(folder: Folder, plan: Plan, ids: set[str]) -> Iterator[Mapping[str, Any]]:
    """What is known of lines, where the script has them now."""
    for line in plan.lines:
        if line.id in ids:
            now = {"script": PurePath(line.script).name, "place": line.place, "to": list(line.to)}
            yield folder.known[line.id]["record"] | now


def _hand_over(folder: Folder, plan: Plan, report: Report) -> None:
    scripts = list(dict.fromkeys(PurePath(line.script).name for line in plan.lines))
    build = {
        "version": version(),
        "scripts": scripts,
        "cast": {name: player.to_json() for name, player in plan.players.items()},
        "delivery": asdict(plan.cast.delivery),
        "quality": plan.gate and asdict(plan.gate),
        "moods": plan.cast.moods,
        "seed": plan.cast.seed,
        "takes": plan.takes,
        "not_spoken": [{"id": line.id, "why": why} for line, why in report.unspoken],
        "failed": [{"id": id, "why": why} for id, why in report.failed.items()],
        "replaced": [{"id": id, "file": plan.places[id]} for id in report.replaced],
    }
    title = ", ".join(PurePath(name).stem for name in scripts)
    folder.write("manifest.json", manifest_json(report.records, build))
    folder.write("manifest.csv", manifest_csv(report.records))
    folder.write("review.html", review_page(report.records, title))


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()
