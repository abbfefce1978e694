"""Has tasks worked off by a crew: in this process, in several, or on the machines of a Ray cluster.

A worker is a function from a task to its result; `hire` gives one, and travels in its place.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import socket
import threading
import traceback
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from functools import cached_property
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any, TypeVar

from conditioning.errors import InvalidInput, UserError

T = TypeVar("T")
R = TypeVar("R")
Hire = Callable[[], Callable[[T], R]]


def alone(hire: Hire, tasks: Sequence[T]) -> Iterator[R]:
    """Each task's result, one after another, in this process."""
    worker = _Worker(hire)
    for task in tasks:
        yield worker.work(task)


def over_processes(hire: Hire, tasks: Sequence[T], jobs: int) -> Iterator[R]:
    """Each task's result, in whatever order they are finished, from processes of this machine.

    Closing the generator ends the processes at once, and so does the end of this process, be it by
    SIGKILL; only what they do `unleashed` they finish. No more is begun than two tasks a process
    beyond the results that were taken. A script must guard its main module as `multiprocessing`
    explains.

    Args:
        hire: picklable, as are tasks and results. A worker is hired when the first task comes, and
            should load its networks no sooner.
        jobs: processes, each with torch on one thread.

    Raises:
        InvalidInput: jobs below 1; a process that died.
        What a worker raises, as it is.
    """
    from multiprocessing import get_context
    from multiprocessing.connection import wait

    if jobs < 1:
        raise InvalidInput(f"{jobs} jobs came; give 1 or more.")
    context = get_context("spawn")  # torch does not survive a fork
    hired = pickle.dumps(hire)
    processes = {}

    def give(ours: Connection, task: T) -> None:
        message = pickle.dumps(task)
        with _death_told():
            ours.send_bytes(message)

    def take() -> tuple[Connection, R]:
        ours = wait(processes)[0]
        with _death_told():
            message = ours.recv_bytes()
        return ours, pickle.loads(_result(*pickle.loads(message)))

    try:
        for _ in range(min(jobs, len(tasks))):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(hired, theirs), daemon=True)
            with theirs, _deaf():
                process.start()
            processes[ours] = process
        yield from _share_out(list(processes), tasks, give, take)
    finally:
        for ours in processes:
            ours.close()
        for process in processes.values():
            process.join()


def over_ray(hire: Hire, tasks: Sequence[T], address: str, jobs: int | None) -> Iterator[R]:
    """Each task's result, in whatever order they are finished, from a Ray cluster.

    Args:
        hire: as for `over_processes`.
        address: "auto" or "host:port".
        jobs: workers of one processor each; None is all processors of the cluster.

    Raises:
        InvalidInput: Ray is not installed, the cluster does not answer or lacks processors; a
            worker that died.
        What a worker raises, as it is.
    """
    try:
        import ray
    except ImportError:
        raise InvalidInput("Ray is not installed; pip install 'voice-actor[ray]'.") from None
    from ray.exceptions import RayError, RayTaskError

    try:
        host, _, port = address.rpartition(":")
        if host and port.isdigit() and "/" not in host:  # Ray itself would try for minutes
            socket.create_connection((host, int(port)), timeout=10).close()
        ray.init(address, log_to_driver=False, logging_level="ERROR")
    except (OSError, OverflowError, ValueError, RuntimeError) as error:
        reason = str(error).partition("\n")[0]
        raise InvalidInput(f"No Ray cluster at {address!r} ({reason}); give another.") from None
    under_way = {}

    def give(actor: Any, task: T) -> None:
        under_way[actor.answer.remote(task)] = actor

    def take() -> tuple[Any, R]:
        (answer,), _ = ray.wait(list(under_way), num_returns=1)
        return under_way.pop(answer), _result(*ray.get(answer))

    try:
        processors = int(ray.cluster_resources().get("CPU", 0))
        jobs = processors if jobs is None else jobs
        if not 1 <= jobs <= processors:  # Ray would wait for more for ever
            raise InvalidInput(f"{jobs} jobs, but the cluster has {processors} processors.")
        actor = ray.remote(num_cpus=1)(_Worker)
        actors = [actor.remote(hire) for _ in range(min(jobs, len(tasks)))]
        yield from _share_out(actors, tasks, give, take)
    except RayTaskError as error:  # a result that cannot travel
        raise error.cause from None
    except RayError as error:
        reason = str(error).strip().rpartition("\n")[2].strip()
        raise InvalidInput(f"A Ray worker died ({reason}); mend that, run again.") from None
    finally:
        ray.shutdown()


@contextlib.contextmanager
def unleashed() -> Iterator[None]:
    """What a worker does in here it finishes before it leaves, as when it writes a file."""
    with _busy:
        yield


_busy = threading.RLock()


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Torch on one thread: processes do not fight, and results are the same for any `jobs`."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _share_out(
    crew: Sequence[Hashable],
    tasks: Sequence[T],
    give: Callable[[Any, T], None],
    take: Callable[[], tuple[Any, R]],
) -> Iterator[R]:
    """Keeps every member at work, with one more task at hand so that none waits for us."""
    waiting = deque(tasks)
    held = dict.fromkeys(crew, 0)

    def deal(member: Hashable) -> None:
        # The last ones lie with nobody who is busy while others have nothing to do.
        if waiting and (not held[member] or len(waiting) > len(crew)):
            give(member, waiting.popleft())
            held[member] += 1

    for member in [*crew, *crew]:
        deal(member)
    while any(held.values()):
        member, result = take()
        held[member] -= 1
        deal(member)
        yield result


class _Worker:
    """Who works off tasks in one process; hired when the first one comes."""

    def __init__(self, hire: Hire):
        self._hire = hire

    @cached_property
    def _work(self) -> Callable[[T], R]:
        return self._hire()

    def work(self, task: T) -> R:
        with one_thread():
            return self._work(task)

    def answer(self, task: T) -> tuple[R | None, Exception | None]:
        """The result, or the error as it can travel: told of where it arose if it is our own."""
        try:
            return self.work(task), None
        except Exception as error:
            if not isinstance(error, UserError):
                error.add_note(f"In a worker:\n{traceback.format_exc()}")
            try:
                pickle.loads(pickle.dumps(error))
            except Exception:
                return None, RuntimeError(traceback.format_exc())
            return None, error


def _result(result: R, error: Exception | None) -> R:
    if error is not None:
        raise error
    return result


@contextlib.contextmanager
def _death_told() -> Iterator[None]:
    try:
        yield
    except (EOFError, OSError):
        raise InvalidInput(
            "A process died at its work, perhaps for want of memory; run again with fewer jobs "
            "(with one, what kills it is the first that is not done)."
        ) from None


@contextlib.contextmanager
def _deaf() -> Iterator[None]:
    """Processes that are started in here never hear Ctrl-C; the first one does, and ends them."""
    if os.name != "posix":
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # else the first start does that, and lets signals through
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(hired: bytes, connection: Connection) -> None:
    """Answers what comes, until the connection is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Windows has no masks
    inbox = SimpleQueue()
    threading.Thread(target=_listen, args=(connection, inbox), daemon=True).start()

    def hire() -> Callable[[bytes], bytes]:
        work = pickle.loads(hired)()
        return lambda message: pickle.dumps(work(pickle.loads(message)))

    worker = _Worker(hire)
    with contextlib.suppress(OSError):
        while True:
            connection.send_bytes(pickle.dumps(worker.answer(inbox.get())))
    _leave()


def _listen(connection: Connection, inbox: SimpleQueue) -> None:
    """Passes tasks on, and sees when the first process has let go, or is no more."""
    with contextlib.suppress(EOFError, OSError):
        while True:
            inbox.put(connection.recv_bytes())
    _leave()


def _leave() -> None:
    _busy.acquire()
    os._exit(1)
