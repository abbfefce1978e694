"""`Notebook`: rows that cost much to make, each on disk before the next."""

from __future__ import annotations

import base64
from collections.abc import Callable, Hashable, Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import numpy as np

from conditioning.errors import InvalidInput
from conditioning.files import check_place, shown, write_whole


class Row(Protocol):
    """What a notebook holds: `task` says what was made, and finds the row again."""

    task: Hashable

    def to_json(self) -> str: ...

    @classmethod
    def from_json(cls, line: str) -> Row: ...


Kind = TypeVar("Kind", bound=Row)


class Notebook(Generic[Kind]):
    """Rows of one kind in a file of JSON lines; a run that was stopped finds what it made."""

    def __init__(self, file: Path, kind: type[Kind]):
        check_place(file)
        self.file = file
        self.rows: list[Kind] = []
        if file.exists():
            # A process that was killed leaves half a line at the end.
            lines = file.read_text(encoding="utf-8").split("\n")[:-1]
            write_whole(file, "".join(f"{line}\n" for line in lines).encode())
            self.rows = [kind.from_json(line) for line in lines]
        self._places = {row.task: place for place, row in enumerate(self.rows)}

    def write(self, row: Kind) -> None:
        with open(self.file, "a", encoding="utf-8") as out:
            out.write(row.to_json() + "\n")
        self._places[row.task] = len(self.rows)
        self.rows.append(row)

    def find(self, task: Hashable) -> Kind | None:
        place = self._places.get(task)
        return None if place is None else self.rows[place]

    def collect(
        self, pool: Executor, make: Callable[[Hashable], Kind], tasks: Iterable[Hashable]
    ) -> None:
        """Makes the rows that are missing: `make` of each task, by the processes of a pool."""
        missing = [task for task in dict.fromkeys(tasks) if self.find(task) is None]
        for done in as_completed([pool.submit(make, task) for task in missing]):
            self.write(done.result())


def run_folder(out: str | Path) -> Path:
    """The folder of a run, made where it is missing. Raises InvalidInput for a file."""
    out = Path(out)
    if out.exists() and not out.is_dir():
        raise InvalidInput(f"{shown(out)} is not a folder; give -o a folder, new or of this run.")
    out.mkdir(parents=True, exist_ok=True)
    return out


@contextmanager
def processes(number: int, prepare: Callable, *given) -> Iterator[Executor]:
    """A pool whose processes each begin with `prepare(*given)`; nothing waits when one fails.

    Raises:
        InvalidInput: a process died.
    """
    pool = ProcessPoolExecutor(number, get_context("spawn"), prepare, given)  # torch: no fork
    try:
        yield pool
    except BrokenProcessPool:
        raise InvalidInput(
            "A process died at its work, perhaps for want of memory; run again with fewer "
            "processes: what is made is kept."
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def packed(values: np.ndarray) -> str:
    """An array (D,) in half precision, as text."""
    return base64.b85encode(values.astype(np.float16).tobytes()).decode()


def unpacked(text: str) -> np.ndarray:
    """(D,) float32."""
    return np.frombuffer(base64.b85decode(text), np.float16).astype(np.float32)
