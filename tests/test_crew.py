"""Crews: every task is done once wherever it is done, and nobody stays when the run ends."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
from collections import Counter
from functools import partial
from pathlib import Path

import pytest
from clusters import two_nodes

from conditioning.crew import alone, one_thread, over_processes, over_ray, unleashed
from conditioning.errors import InvalidInput, WeightsError, unknown_name

ROOT = Path(__file__).parent.parent


class Squarer:
    """Squares, and says where, and the how-manieth task it was there."""

    def __init__(self):
        self.done = 0

    def __call__(self, number):
        self.done += 1
        return number * number, os.getpid(), self.done


def node():
    """A worker that says on which node of a Ray cluster it squares."""
    import ray

    return lambda number: (number * number, ray.get_runtime_context().get_node_id())


class Stubborn(Exception):
    """Cannot be pickled back, since it wants two arguments."""

    def __init__(self, one, other):
        super().__init__("stubborn as ever")


FAILURES = {
    "input": InvalidInput("-1 came; give a square."),
    "name": unknown_name("voice", "anni", ["anna"]),
    "weights": WeightsError(2, "No weights", "x.bin"),
    "bug": ZeroDivisionError("ours"),
    "stubborn": Stubborn(1, 2),
}


def fail(kind):
    if kind == "result":
        return threading.Lock()
    raise FAILURES[kind]


def failing():
    return fail


def nobody():
    raise InvalidInput("nobody is to be had")


def mortal():
    return lambda number: os._exit(9) if number == 3 else number


def sleeper():
    return time.sleep


def dozer():
    def worker(seconds):
        time.sleep(seconds)
        return seconds, os.getpid()

    return worker


class Careful:
    """Writes a file in two halves; `last` says whether no one may interrupt that."""

    def __init__(self, last):
        self.last = last

    def __call__(self, place):
        with unleashed() if self.last else contextlib.nullcontext():
            place.write_text("half")
            time.sleep(0.7)
            place.write_text("whole")


class Counting:
    """Leaves a file for each task that it begins."""

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, number):
        (self.folder / str(number)).touch()
        return number


def baker():
    return lambda size: b"x" * size


def threads_of_torch():
    def worker(_):
        import torch

        return torch.get_num_threads()

    return worker


def soon(met, within=10.0) -> bool:
    until = time.monotonic() + within
    while not (done := met()) and time.monotonic() < until:
        time.sleep(0.02)
    return done


def test_one_worker_does_all_in_order_in_this_process():
    here = os.getpid()
    assert list(alone(Squarer, [3, 1, 2])) == [(9, here, 1), (1, here, 2), (4, here, 3)]


def test_processes_do_every_task_once_each_with_a_worker_of_its_own():
    found = list(over_processes(Squarer, range(40), jobs=2))
    assert sorted(square for square, _, _ in found) == [number * number for number in range(40)]
    shares = Counter(process for _, process, _ in found)
    assert len(shares) == 2
    assert os.getpid() not in shares
    for process, share in shares.items():
        assert [done for _, at, done in found if at == process] == list(range(1, share + 1))


def test_no_more_processes_are_started_than_there_are_tasks():
    found = over_processes(Squarer, [5], jobs=50)
    assert next(found)[0] == 25
    assert len(multiprocessing.active_children()) == 1
    assert list(found) == []
    assert list(over_processes(nobody, [], jobs=2)) == list(alone(nobody, [])) == []


def test_no_jobs_are_refused():
    with pytest.raises(InvalidInput, match="0 jobs"):
        list(over_processes(Squarer, [1], jobs=0))


def test_the_last_tasks_lie_with_nobody_who_is_busy():
    *quick, slow = over_processes(dozer, [2.0, 0.0, 0.0, 0.0], jobs=2)
    assert [seconds for seconds, _ in quick] == [0.0] * 3
    assert slow[0] == 2.0
    assert slow[1] not in {process for _, process in quick}


@pytest.mark.parametrize("way", [alone, partial(over_processes, jobs=1)])
@pytest.mark.parametrize("kind", ["input", "name", "weights"])
def test_what_the_caller_can_mend_arrives_as_it_is(way, kind):
    with pytest.raises(type(FAILURES[kind])) as raised:
        list(way(failing, [kind]))
    assert str(raised.value) == str(FAILURES[kind])
    assert not hasattr(raised.value, "__notes__")


def test_who_cannot_be_hired_is_said_as_it_is():
    with pytest.raises(InvalidInput, match="nobody is to be had"):
        list(over_processes(nobody, [1], jobs=1))


@pytest.mark.parametrize(
    ("kind", "error", "told"),
    [
        ("bug", ZeroDivisionError, "in fail"),
        ("stubborn", RuntimeError, "stubborn as ever"),
        ("result", TypeError, "cannot pickle"),
    ],
)
def test_a_bug_in_a_worker_is_told_with_its_place(kind, error, told):
    with pytest.raises(error) as raised:
        list(over_processes(failing, [kind], jobs=1))
    assert told in "\n".join([str(raised.value), *getattr(raised.value, "__notes__", [])])


def test_a_task_that_cannot_travel_is_said_before_it_is_lost():
    with pytest.raises(Exception, match="pickle"):
        list(over_processes(Squarer, [lambda: 1], jobs=1))
    assert not multiprocessing.active_children()


def test_a_worker_that_dies_ends_the_run_with_one_line_after_what_it_did():
    found = over_processes(mortal, range(5), jobs=1)
    assert [next(found) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(InvalidInput, match="fewer jobs") as raised:
        next(found)
    assert len(str(raised.value).splitlines()) == 1
    assert not multiprocessing.active_children()


def test_closing_ends_workers_that_are_busy():
    found = over_processes(sleeper, [0, 600, 600, 600], jobs=2)
    next(found)
    assert len(multiprocessing.active_children()) == 2
    begun = time.monotonic()
    found.close()
    assert time.monotonic() - begun < 5
    assert not multiprocessing.active_children()


@pytest.mark.parametrize(("last", "content"), [(True, "whole"), (False, "half")])
def test_only_what_is_done_unleashed_is_finished(tmp_path, last, content):
    place = tmp_path / "file"
    found = over_processes(partial(Careful, last), [tmp_path / "first", place], jobs=1)
    next(found)
    assert soon(lambda: place.exists() and place.read_text())
    found.close()
    assert place.read_text() == content


def test_no_more_is_begun_than_two_tasks_a_process_while_nobody_takes(tmp_path):
    found = over_processes(partial(Counting, tmp_path), range(100), jobs=2)
    next(found)
    assert soon(lambda: len(list(tmp_path.iterdir())) == 5)
    time.sleep(0.3)
    assert len(list(tmp_path.iterdir())) == 5
    assert len(list(found)) == 99


def test_results_that_were_taken_are_not_kept():
    tracemalloc.start()
    try:
        for result in over_processes(baker, [1_000_000] * 100, jobs=2):
            assert len(result) == 1_000_000
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


PROGRAM = """
import sys
sys.path.insert(0, {tests!r})
from test_crew import {hire}
from conditioning.crew import over_processes
for result in over_processes({hire}, {tasks}, jobs=2):
    print(result, flush=True)
"""


@pytest.fixture
def started():
    """Starts a program in a process group of its own."""
    processes = []

    def start(hire: str, tasks: list) -> subprocess.Popen:
        program = PROGRAM.format(tests=str(Path(__file__).parent), hire=hire, tasks=tasks)
        # Tests that run in the background are deaf to Ctrl-C, and their children would be as well.
        hearing = partial(signal.signal, signal.SIGINT, signal.default_int_handler)
        process = subprocess.Popen(
            [sys.executable, "-c", program],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=hearing,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def alive(group: int) -> int:
    """How many processes of a group run."""
    said = subprocess.run(["ps", "-e", "-o", "pgid=,stat="], capture_output=True, text=True)
    states = [line.split() for line in said.stdout.splitlines()]
    return sum(int(pgid) == group and not state.startswith("Z") for pgid, state in states)


@pytest.mark.skipif(os.name != "posix", reason="needs signals and process groups")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_process_outlives_the_first(started, number):
    process = started("sleeper", [0, 600, 600, 600])
    assert process.stdout.readline() == "None\n"
    assert alive(process.pid) >= 3
    os.kill(process.pid, number)
    assert soon(lambda: not alive(process.pid), within=5)
    assert process.wait() != 0


@pytest.mark.skipif(os.name != "posix", reason="needs signals and process groups")
def test_ctrl_c_is_told_once_even_while_workers_start(started):
    process = started("sleeper", [600, 600])
    assert soon(lambda: alive(process.pid) >= 3)  # the other worker is on its way
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert said.count("Traceback") == 1, said
    assert soon(lambda: not alive(process.pid), within=5)


DEAF = """
import os, signal, sys
from multiprocessing.process import BaseProcess
sys.path.insert(0, {tests!r})
from test_crew import Squarer
from conditioning.crew import over_processes

def start_and_interrupt(process, start=BaseProcess.start):
    start(process)
    os.kill(process.pid, signal.SIGINT)

signal.signal(signal.SIGINT, signal.default_int_handler)
BaseProcess.start = start_and_interrupt
print(sorted(square for square, *_ in over_processes(Squarer, [1, 2, 3], jobs=2)))
"""


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
def test_workers_are_deaf_to_ctrl_c_from_their_first_moment():
    program = DEAF.format(tests=str(Path(__file__).parent))
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "[1, 4, 9]\n", done.stderr


def test_torch_has_one_thread_at_work_and_its_own_number_afterwards():
    import torch

    before = torch.get_num_threads()
    assert list(over_processes(threads_of_torch, [0, 1], 2)) == [1, 1]
    assert list(alone(threads_of_torch, [0, 1])) == [1, 1]
    assert torch.get_num_threads() == before


def test_one_thread_within_another_gives_back_what_there_was():
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with one_thread():
            with one_thread():
                assert torch.get_num_threads() == 1
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


@pytest.fixture(scope="module")
def cluster():
    with two_nodes() as address:
        yield address


def test_a_ray_cluster_does_every_task_once_on_all_its_nodes(cluster):
    found = list(over_ray(node, range(200), cluster, None))
    assert sorted(square for square, _ in found) == [number * number for number in range(200)]
    assert len({where for _, where in found}) == 2
    assert len({where for _, where in over_ray(node, range(20), cluster, 1)}) == 1
    assert list(over_ray(nobody, [], cluster, None)) == []


@pytest.mark.parametrize("kind", ["input", "name", "weights", "bug", "stubborn"])
def test_errors_come_from_a_ray_cluster_as_from_processes(cluster, kind):
    def said(found):
        with pytest.raises(Exception) as raised:  # noqa: PT011
            list(found)
        return type(raised.value), str(raised.value).splitlines()[-1:]

    expected = said(over_processes(failing, [kind], jobs=1))
    assert said(over_ray(failing, [kind], cluster, None)) == expected


def test_a_result_that_cannot_leave_a_ray_worker_is_said(cluster):
    with pytest.raises(TypeError, match="_thread.lock"):
        list(over_ray(failing, ["result"], cluster, None))


def test_a_ray_worker_that_dies_ends_the_run_with_one_line(cluster):
    with pytest.raises(InvalidInput, match="A Ray worker died") as raised:
        list(over_ray(mortal, range(5), cluster, 1))
    assert len(str(raised.value).splitlines()) == 1


def test_closing_ends_ray_workers_that_are_busy(cluster):
    found = over_ray(sleeper, [0, 600, 600, 600], cluster, None)
    next(found)
    begun = time.monotonic()
    found.close()
    assert time.monotonic() - begun < 10
    # Had they stayed, no processor would be free.
    assert list(over_ray(sleeper, [0, 0], cluster, None)) == [None, None]


@pytest.mark.parametrize("jobs", [0, 3])
def test_a_cluster_is_not_asked_for_more_than_it_has(cluster, jobs):
    with pytest.raises(InvalidInput, match=f"{jobs} jobs, but the cluster has 2 processors"):
        list(over_ray(Squarer, [1], cluster, jobs))


@pytest.mark.parametrize("address", ["127.0.0.1:1", "127.0.0.1:99999", "nowhere.invalid:6379"])
def test_a_cluster_that_does_not_answer_is_one_line(address):
    pytest.importorskip("ray", reason="Ray is not installed")
    with pytest.raises(InvalidInput, match="No Ray cluster at") as raised:
        list(over_ray(Squarer, [1], address, None))
    assert len(str(raised.value).splitlines()) == 1


def test_ray_is_asked_for_where_it_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InvalidInput, match=r"pip install 'voice-actor\[ray\]'"):
        list(over_ray(Squarer, [1], "auto", None))
