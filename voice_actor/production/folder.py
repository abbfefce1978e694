"""`Folder`: what has been made in a production's folder, and what is not to be touched."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from conditioning.audio import read_metadata
from conditioning.errors import InvalidInput
from conditioning.files import check_place, shown, sweep, write_whole
from voice_actor.provenance import Provenance

from .manifest import NOTE
from .voicing import Voiced

STATE = ".voice-actor"  # the folder in a production's that holds what is known of each line
RETAKES = "retakes.json"
REPORTS = "manifest.json", "manifest.csv", "review.html"


@dataclass(frozen=True)
class Note:
    """What is known of a line's files, by their paths in the folder.

    Attributes:
        record: the line in the manifest.
        form: in what form it was handed over; see `Plan.form`.
        files: sha256 of each file that was made, the audio first.
        before: sha256 of those whose place they take, while they are being written.
        left: sha256 of files that were made for the line before, in other places.
    """

    record: Mapping[str, Any]
    form: str
    files: Mapping[str, str]
    before: Mapping[str, str] = field(default_factory=dict)
    left: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, content: bytes) -> Note:
        """Raises ValueError for what `Folder.keep` did not write."""
        try:
            note = cls(**json.loads(content))
            texts = [note.form, *(note.record[name] for name in ("id", "file", "hash"))]
            for paths in (note.files, note.before, note.left):
                texts += [*paths, *paths.values()]
                for path in map(PurePosixPath, paths):
                    if path.is_absolute() or ".." in path.parts:
                        raise ValueError(f"{path} is outside the folder")
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError(str(error)) from None
        if not all(isinstance(text, str) for text in texts):
            raise ValueError("something is no text")
        return note

    def knows(self, path: str, content: str) -> bool:
        """Whether a file with this hash was made here."""
        return content in (paths.get(path) for paths in (self.files, self.before, self.left))


class Folder:
    """A production's folder.

    Before files are written, what they will be is noted, and what they take the place of. A line is
    done when its files are what was promised. A file that is neither old nor new was not made here:
    it is never touched.
    """

    def __init__(self, path: Path):
        """Nothing is made yet.

        Raises:
            InvalidInput: there is something else in its place.
        """
        self.path = path
        with _refused(path):
            if path.exists() and not path.is_dir():
                raise InvalidInput(f"{shown(path)} is no folder; name another with --out.")
        self.notes = dict(self._read())

    def _read(self) -> Iterator[tuple[str, Note]]:
        for file in (self.path / STATE).glob("*.json"):
            # What was not written by us, or cannot be read, is as if it were not there.
            with contextlib.suppress(OSError, ValueError):
                note = Note.read(file.read_bytes())
                yield note.record["id"], note

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Nobody else works in the folder meanwhile, which is made where it is missing.

        Raises:
            InvalidInput: somebody does; the folder cannot be made or written, or holds reports that
                were not made here.
        """
        from filelock import FileLock, Timeout

        self._check_reports()
        self._make(self.path / STATE)
        check_place(self.path / STATE / "note")
        lock = FileLock(self.path / STATE / "lock")
        try:
            with _refused(self.path / STATE / "lock"):
                lock.acquire(timeout=0)
        except Timeout:
            raise InvalidInput(
                f"Another process is at work in {shown(self.path)}; wait for it, or name another "
                "folder with --out."
            ) from None
        try:
            self.notes = dict(self._read())  # as whoever held it before has left it
            for folder in self._folders():
                sweep(folder)
            yield
        finally:
            lock.release()

    def _check_reports(self) -> None:
        there = [name for name in REPORTS if (self.path / name).exists()]
        if not there or (self.path / STATE).is_dir():
            return
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            if json.loads((self.path / REPORTS[0]).read_bytes())["note"] == NOTE:
                return
        raise InvalidInput(
            f"{shown(self.path / there[0])} was not made here and would be replaced; name another "
            "folder with --out."
        )

    def _folders(self) -> set[Path]:
        """Where files of ours lie."""
        paths = (path for note in self.notes.values() for path in note.files)
        return {self.path, self.path / STATE, *((self.path / path).parent for path in paths)}

    def standing(self, id: str, place: str, key: str, form: str) -> str:
        """How a line's recording stands: "kept", "missing" or "replaced" by somebody.

        Args:
            place: where it should lie.
            key, form: what it should be.
        """
        note, audio = self.notes.get(id), self._hash(place)
        if audio is not None and not self._is_ours(note, place, audio):
            return "replaced"
        if note is None or audio is None or note.files.get(place) != audio:
            return "missing"
        # Files that others changed are theirs now; those that are gone are wanted.
        others = (self._hash(path) for path in note.files if path != place)
        whole = not note.before and all(content is not None for content in others)
        same = (note.record["hash"], note.form) == (key, form)
        return "kept" if same and whole else "missing"

    def theirs(self, ids: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """Files of lines that were changed by somebody else since they were made, by id."""
        found = {}
        for id in ids:
            files = self.notes[id].files if id in self.notes else {}
            changed = [path for path, made in files.items() if self._hash(path) not in (None, made)]
            if changed:
                found[id] = tuple(changed)
        return found

    def _is_ours(self, note: Note | None, path: str, content: str) -> bool:
        if note is not None and note.knows(path, content):
            return True
        if note is not None and path in note.files:
            return False  # changed since, even if it still says who made it
        with contextlib.suppress(InvalidInput):
            return Provenance.from_metadata(read_metadata(self.path / path)) is not None
        return False

    def _hash(self, path: str) -> str | None:
        """sha256 of a file; None where there is none.

        Raises:
            InvalidInput: it cannot be read.
        """
        try:
            with open(self.path / path, "rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise InvalidInput(
                f"{shown(self.path / path)} cannot be read ({error.strerror}); move it away."
            ) from None

    def keep(self, voiced: Voiced, form: str) -> bool:
        """Writes what was made of a line, but for what somebody has put in its place meanwhile.

        Returns:
            Whether the recording itself is written.

        Raises:
            InvalidInput: it cannot be written, as when the disk is full.
        """
        old = self.notes.get(voiced.id)
        new = {path: hashlib.sha256(content).hexdigest() for path, content in voiced.files.items()}
        there = {path: self._hash(path) for path in new}
        mine = {
            path: content
            for path, content in voiced.files.items()
            if there[path] in (None, new[path]) or self._is_ours(old, path, there[path])
        }
        if voiced.record["file"] not in mine:
            return False
        before = {path: there[path] for path in mine if there[path] not in (None, new[path])}
        made = {**old.left, **old.files} if old else {}
        left = {path: content for path, content in made.items() if path not in new}
        note = Note(dict(voiced.record), form, new, before, left)
        self._write_note(note)
        for path, content in mine.items():
            self.write(path, content)
        if before:
            note = replace(note, before={})
            self._write_note(note)
        self.notes[voiced.id] = note
        return True

    def _write_note(self, note: Note) -> None:
        write_whole(self._place(note.record["id"]), _json(asdict(note)))

    def _place(self, id: str) -> Path:
        return self.path / STATE / f"{hashlib.sha256(id.encode()).hexdigest()[:24]}.json"

    def write(self, path: str, content: bytes) -> None:
        """Writes a file in the folder, and the folders it lies in."""
        target = self.path / path
        self._make(target.parent)
        write_whole(target, content)

    @staticmethod
    def _make(folder: Path) -> None:
        with _refused(folder):
            folder.mkdir(parents=True, exist_ok=True)

    def gone(self, ids: Iterable[str]) -> tuple[str, ...]:
        """Files that were made here and are of no use to these lines, by their paths."""
        wanted = set(ids)
        used = {path for id in wanted & self.notes.keys() for path in self.notes[id].files}
        made = {}
        for id, note in self.notes.items():
            made |= note.left if id in wanted else {**note.left, **note.files}
        return tuple(
            path
            for path, content in sorted(made.items())
            if path not in used and self._hash(path) == content
        )

    def prune(self, ids: Iterable[str]) -> None:
        """Deletes what was made here and is of no use to these lines."""
        wanted = set(ids)
        for path in self.gone(wanted):
            (self.path / path).unlink(missing_ok=True)
        for id, note in list(self.notes.items()):
            if id not in wanted:
                self._place(id).unlink(missing_ok=True)
                del self.notes[id]
            elif note.left:
                self.notes[id] = replace(note, left={})
                self._write_note(self.notes[id])

    @property
    def retakes(self) -> dict[str, frozenset[str]]:
        """Keys of recordings that are not wanted, by the line's id.

        Raises:
            InvalidInput: the list cannot be read.
        """
        place = self.path / RETAKES
        with _refused(place):
            return read_retakes(place.read_bytes(), place) if place.exists() else {}

    def want_again(self, retakes: Mapping[str, Iterable[str]]) -> None:
        """Remembers that recordings are not wanted."""
        both = merged(self.retakes, retakes)
        listed = [{"id": id, "hash": key} for id, keys in both.items() for key in sorted(keys)]
        self.write(RETAKES, _json({"format": 1, "retakes": listed}))


def merged(
    some: Mapping[str, Iterable[str]], more: Mapping[str, Iterable[str]]
) -> dict[str, frozenset[str]]:
    """Two lists of retakes as one, by id."""
    return {id: frozenset((*some.get(id, ()), *more.get(id, ()))) for id in sorted({*some, *more})}


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


@contextlib.contextmanager
def _refused(place: Path) -> Iterator[None]:
    """What the system says against a place, as our own error."""
    try:
        yield
    except OSError as error:
        if isinstance(error, TimeoutError):
            raise
        raise InvalidInput(
            f"{shown(place)} cannot be used ({error.strerror}); move away what stands in its "
            "place, or name another folder with --out."
        ) from None


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()
