"""The seeded adapter: what the table must say, and that the script still makes it."""

from __future__ import annotations

import csv

import pytest
import torch

from conditioning import taxonomy, weights
from conditioning.errors import WeightsError
from training import seed
from voice_actor.acting import CONTROLS
from voice_actor.adapter import EmotionAdapter, Table


@pytest.fixture
def adapter() -> EmotionAdapter:
    return EmotionAdapter.seeded()


def ask(adapter: EmotionAdapter, name: str, intensity: float = 1.0) -> dict[str, float]:
    emotions = torch.zeros(1, len(taxonomy.NAMES))
    emotions[0, taxonomy.INDEX[name]] = intensity
    acting = adapter(emotions, None)  # a table needs no reading
    return {control: float(getattr(acting, control)[0]) for control in CONTROLS}


def test_nothing_asked_changes_nothing(adapter):
    assert adapter(torch.zeros(3, 40), None).is_neutral


def test_half_the_intensity_is_half_the_change(adapter):
    whole, half = ask(adapter, "Anger"), ask(adapter, "Anger", 0.5)
    assert half == pytest.approx({control: value / 2 for control, value in whole.items()})


def test_the_table_says_what_acted_speech_agrees_on(adapter):
    anger, fear, sadness = (ask(adapter, name) for name in ("Anger", "Fear", "Sadness"))
    surprise, calm = ask(adapter, "Astonishment/Surprise"), ask(adapter, "Contentment")
    assert anger["f0_shift"] > 2
    assert anger["level"] > 2
    assert anger["tilt"] > 1
    assert fear["f0_shift"] > 2
    assert fear["tremor"] > anger["tremor"]
    assert surprise["f0_range"] == max(ask(adapter, name)["f0_range"] for name in seed.MEASURED)
    assert sadness["f0_shift"] < 0
    assert sadness["duration"] > 0.1
    assert calm["duration"] > 0.1
    assert calm["level"] < 0


def test_every_emotion_states_its_support(adapter):
    measured = [name for name, support in adapter.support.items() if support.kind == "measured"]
    assert set(measured) == set(seed.MEASURED)
    assert len(adapter.support) == 40
    assert all(support.source for support in adapter.support.values())


def test_what_the_literature_is_cited_for_stands_in_the_table(adapter):
    for name, (_, cited) in seed.LITERATURE.items():
        asked = ask(adapter, name)
        for control, value in cited.items():
            assert asked[control] == pytest.approx(value, abs=1e-3)
            assert control in adapter.support[name].source


def test_no_two_emotions_are_the_same(adapter):
    rows = {tuple(round(value, 3) for value in row) for row in adapter.rows[0, :-1].tolist()}
    assert len(rows) == 40


def test_the_script_makes_the_table_that_is_shipped():
    with open(weights.path("adapter-seed"), encoding="utf-8", newline="") as stream:
        assert list(csv.DictReader(stream)) == seed.rows()


def test_a_table_with_other_emotions_is_refused(tmp_path):
    lines = weights.path("adapter-seed").read_text(encoding="utf-8").splitlines()
    lines[1], lines[2] = lines[2], lines[1]
    (tmp_path / "table.csv").write_text("\n".join(lines))
    with pytest.raises(WeightsError, match="another order"):
        Table.read(tmp_path / "table.csv")
