"""The closed loop: what the coach learns from readings, on a world whose rules are known."""

from __future__ import annotations

import csv
import os
import sys

import numpy as np
import pytest
import torch
from readings import AtOnce

from conditioning import taxonomy
from conditioning.errors import InvalidInput, WeightsError
from training import rehearse
from training.instruments import Instruments
from training.listeners import QUANTITIES, ROLES, ProsodyListener, quantities
from training.notebook import Notebook, packed, processes, unpacked
from training.protocol import EVALUATED, carriers
from training.rehearse import (
    BOX,
    LEVELS,
    REACH,
    SEARCHED,
    VOICES,
    Coach,
    Heard,
    Rehearsal,
    Rehearsals,
    Surrogate,
    Task,
    calibrate,
    choose,
    group_of,
    neutral_tasks,
)
from training.table import build, learnt
from voice_actor.acting import CONTROLS
from voice_actor.adapter import GROUPS, LIMITS, Table
from voice_actor.contours import Contours

SHIFT, BREATH = SEARCHED.index("f0_shift"), SEARCHED.index("breath")
CLASSES = ("neutral", "Anger")


class PitchListener:
    """Hears pitch: high is Anger, low is neutral, and nothing else exists."""

    classes = CLASSES

    def logits(self, features: np.ndarray, takes: np.ndarray) -> np.ndarray:
        return np.stack([-features[:, 0], features[:, 0]], axis=1)

    def roles(self, logits: np.ndarray) -> np.ndarray:
        logits = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
        found = np.full((len(logits), len(ROLES)), -9.0)
        found[:, ROLES.index("neutral")], found[:, ROLES.index("Anger")] = logits.T
        return found


class Deaf:
    """A second listener without an opinion."""

    def roles(self, changes: np.ndarray) -> np.ndarray:
        return np.full((len(changes), len(ROLES)), -np.log(len(ROLES)))


def read(task: Task) -> Rehearsal:
    """Pitch is what was asked; breath hides who speaks, and pitch does a little."""
    controls = np.zeros(len(SEARCHED)) if task.controls is None else np.array(task.controls)
    pitch, breath = controls[SHIFT], controls[BREATH] / BOX[BREATH, 1]
    angle = 1.2 * breath + 0.02 * abs(pitch)
    return Rehearsal(
        task,
        np.array([pitch / 2], np.float32),
        np.zeros(len(QUANTITIES)),
        np.array([np.cos(angle), np.sin(angle)]),
        3.0,
    )


class Pool(AtOnce):
    """Reads whatever is asked by the rules above."""

    def submit(self, make, task):
        return super().submit(read, task)


@pytest.fixture
def coach(tmp_path) -> Coach:
    notebook = Rehearsals(tmp_path / "rehearsals.jsonl")
    chance = np.random.default_rng(1)
    for task in neutral_tasks("search"):
        notebook.write(read(task))
    for number in range(320):
        group = GROUPS[number % 2]
        controls = chance.uniform(*BOX.T)
        voice, text = VOICES[group][number % 4], carriers("search")[number % 10]
        notebook.write(read(Task(ROLES[number % 9], voice, text, tuple(controls))))
    return Coach(notebook, PitchListener(), Deaf())


def test_the_coach_finds_what_is_heard_as_anger_and_keeps_the_voice(coach):
    found = coach.best("Anger", "women", coach.forecast)
    assert found[SHIFT] > 3
    assert found[BREATH] < 0.3 * BOX[BREATH, 1]
    assert (found >= BOX[:, 0]).all()
    assert (found <= BOX[:, 1]).all()


def test_what_hides_the_speaker_costs_merit(coach):
    controls = np.zeros((1, len(SEARCHED)))
    alike, other = (
        Heard(np.zeros((1, 2)), np.zeros((1, len(QUANTITIES))), np.array([cosine]), np.zeros(1))
        for cosine in (0.95, 0.7)
    )
    assert coach.merit(alike, "Anger", controls) > coach.merit(other, "Anger", controls) + 3


def test_every_round_reads_every_role_in_both_groups(coach):
    tasks = coach.proposals()
    asked = {(task.role, group_of(task.voice)) for task in tasks}
    assert asked == {(role, group) for role in ROLES for group in GROUPS}
    assert {task.voice for task in tasks} <= {voice for some in VOICES.values() for voice in some}
    assert {task.text for task in tasks} <= set(carriers("search"))


def test_rows_are_chosen_and_gains_rise(coach, tmp_path):
    rows = choose(coach, Pool(), Rehearsals(tmp_path / "auditions.jsonl"))
    assert set(rows) == {(role, group) for role in ROLES for group in GROUPS}
    gains = calibrate(coach, rows, Pool(), Rehearsals(tmp_path / "levels.jsonl"))
    anger = gains["Anger", "men"]
    assert anger == sorted(anger)
    # What is heard is even along the row already, so that the gains are the levels themselves.
    assert anger == pytest.approx(LEVELS, abs=0.05)


def test_evaluation_is_kept_out_of_rehearsal():
    rehearsed = {voice for some in VOICES.values() for voice in some}
    assert not rehearsed & set(EVALUATED)
    sections = [set(carriers(name)) for name in ("search", "audition", "evaluation")]
    assert sum(map(len, sections)) == len(set.union(*sections)) == 24


def test_a_surrogate_learns_a_line_from_noise():
    chance = np.random.default_rng(0)
    inputs = chance.uniform(-1, 1, (200, 5))
    outputs = inputs @ np.array([[1.0], [-2.0], [0.0], [0.5], [0.0]])
    made = Surrogate(inputs, outputs + 0.1 * chance.standard_normal(outputs.shape))
    fresh = chance.uniform(-1, 1, (50, 5))
    wanted = fresh @ np.array([[1.0], [-2.0], [0.0], [0.5], [0.0]])
    assert np.abs(made(fresh) - wanted).mean() < 0.15
    assert made.explained > 0.9


def test_a_notebook_goes_on_after_half_a_line(tmp_path):
    file = tmp_path / "rows.jsonl"
    notebook = Rehearsals(file)
    task = Task("Anger", "af_heart", "Hello.", (0.5,) * len(SEARCHED))
    notebook.write(read(task))
    with open(file, "a") as out:
        out.write('{"task": ["Ang')
    again = Notebook(file, Rehearsal)
    assert len(again.rows) == 1
    found = again.find(task)
    assert found.encoder == pytest.approx(read(task).encoder, abs=1e-2)
    again.write(read(Task(None, "af_heart", "Hello.", None)))
    assert len(Notebook(file, Rehearsal).rows) == 2


def test_a_notebook_makes_only_what_is_missing(tmp_path):
    notebook = Rehearsals(tmp_path / "rows.jsonl")
    made = []

    class Counting(Pool):
        def submit(self, make, task):
            made.append(task)
            return super().submit(make, task)

    tasks = [Task(None, "af_heart", text, None) for text in ("One.", "Two.", "One.")]
    notebook.collect(Counting(), None, tasks[:1])
    notebook.collect(Counting(), None, tasks)
    assert [task.text for task in made] == ["One.", "Two."]


def test_a_process_that_dies_ends_the_run_and_keeps_what_was_made(tmp_path):
    notebook = Rehearsals(tmp_path / "rows.jsonl")
    notebook.write(read(Task(None, "af_heart", "One.", None)))
    with (
        pytest.raises(InvalidInput, match="what is made is kept"),
        processes(1, os._exit, 1) as pool,
    ):
        notebook.collect(pool, print, [Task(None, "af_heart", "Two.", None)])
    assert len(Rehearsals(tmp_path / "rows.jsonl").rows) == 1


def test_a_missing_instrument_is_named_before_work_begins(monkeypatch):
    monkeypatch.setitem(sys.modules, "resemblyzer", None)
    with pytest.raises(InvalidInput, match="resemblyzer is not installed"):
        Instruments.check()


def test_packing_keeps_half_precision():
    values = np.array([0.0, -1.5, 3.25], np.float32)
    assert unpacked(packed(values)).tolist() == values.tolist()


def test_the_prosody_listener_hears_what_the_figures_say():
    listener = ProsodyListener(np.diag([2.0, 0.4, 2.2, 0.8, 1.3, 0.4, 0.25, 0.24, 0.02]) ** 2)
    for row, role in enumerate(ROLES):
        assert listener.roles(listener.centres[row : row + 1]).argmax() == row, role
    probabilities = np.exp(listener.roles(np.zeros((1, len(QUANTITIES)))))
    assert probabilities.sum() == pytest.approx(1)


def test_ratios_are_heard_in_octaves():
    figures = dict.fromkeys(QUANTITIES, 2.0)
    twice = figures | {"rate": 4.0}
    moved = quantities(twice) - quantities(figures)
    assert moved[list(QUANTITIES).index("rate")] == pytest.approx(1)
    assert np.count_nonzero(moved) == 1


def rehearsed_rows() -> list[dict]:
    controls = {name: 0.1 * reach for name, reach in zip(SEARCHED[:-1], REACH[:-1], strict=True)}
    some = {"controls": controls, "contours": 0.5, "gains": [0.2, 0.4, 0.7, 1.0]}
    some |= {"support": "rehearsed", "source": "a test"}
    return [{"role": role, "group": group, **some} for role in ROLES for group in GROUPS]


def write(file, table: list[dict[str, str]]) -> None:
    with open(file, "w", newline="") as out:
        writer = csv.DictWriter(out, list(table[0]))
        writer.writeheader()
        writer.writerows(table)


def test_the_table_holds_every_emotion_for_both_groups(tmp_path):
    table = build(rehearsed_rows())
    file = tmp_path / "table.csv"
    write(file, table)
    read_back = Table.read(file)
    assert read_back.rows.shape == (2, 41, len(CONTROLS))
    assert read_back.support["Anger"].kind == "rehearsed"
    assert read_back.support["Awe"].kind == "inferred"
    anger = list(taxonomy.NAMES).index("Anger")
    assert read_back.contours[:, anger].tolist() == [0.5, 0.5]
    assert (read_back.contours >= 0).all()
    for row in table:
        for name in CONTROLS:
            low, high = LIMITS[name]
            assert low <= float(row[name]) <= high


def test_a_table_without_numbers_is_refused(tmp_path):
    table = build(rehearsed_rows())
    table[3]["tilt"] = "loud"
    file = tmp_path / "table.csv"
    write(file, table)
    with pytest.raises(WeightsError, match="lacks a column or a number"):
        Table.read(file)


def test_a_table_can_be_made_of_what_was_learnt_before_any_rehearsal():
    torch.manual_seed(0)
    contours = Contours().eval()
    rows = build(learnt(contours))
    anger = next(row for row in rows if row["emotion"] == "Anger")
    assert anger["support"] == "learnt"
    assert float(anger["contours"]) == 1
    assert {row["support"] for row in rows} == {"learnt", "inferred"}
    neutral = next(row for row in rows if row["emotion"] == "neutral")
    assert all(float(neutral[name]) == 0 for name in CONTROLS)


def test_rehearse_refuses_no_time():
    from types import SimpleNamespace

    from conditioning.errors import InvalidInput

    with pytest.raises(InvalidInput, match="positive"):
        rehearse.run_rehearse(SimpleNamespace(minutes=0, processes=1))
