"""Evaluation: what is counted, on readings whose truth is planted."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import torch
from scipy.special import log_softmax

from conditioning import taxonomy
from training.evaluate import Session, Verdict, crosstalk_table, rated, summary, table_of
from training.judge import EMOTIONS, Heard
from training.protocol import ASKED, EVALUATED, LEVELS, NEUTRAL, PARTS, Line, matrix


class PlainJudge:
    """Hears what the features say, a row of eight."""

    sha256, corpora = "0" * 64, ("toy",)
    recalls = {"against": (0.8, 0.7, 0.9)}

    def hear(self, features, voices, mode="against", takes=None) -> Heard:
        logits = np.asarray(features, float)
        if mode == "against":
            logits = logits - np.stack([takes[voice].mean(0) for voice in voices])
        return Heard(log_softmax(logits, axis=1), logits[:, 0], logits[:, 1])


def verdict(line: Line, said: str, strength: float = 1.0) -> Verdict:
    features = np.zeros(len(EMOTIONS))
    features[EMOTIONS.index(said)] = 3 * strength
    own = line.asked == ""
    speaker = np.array([1.0, 0.0] if own else [0.6, 0.8])
    asked = np.zeros(len(taxonomy.NAMES), np.float32)
    if line.asked in taxonomy.INDEX:
        asked[taxonomy.INDEX[line.asked]] = line.level
    found = {"plain": features, "standard": asked}
    quality, errors = (3.0, 0) if own else (2.8, 1)
    return Verdict(line, found, speaker, quality, errors, 8, np.zeros(21), 2.0, 1.0)


def says(line: Line) -> str:
    """What a perfect actor is heard to say."""
    found = [name for name, asked in ASKED.items() if asked == line.asked]
    return found[0] if found else NEUTRAL


def session(lines, said=says) -> Session:
    rows = [verdict(line, said(line), line.level or 1.0) for line in dict.fromkeys(lines)]
    return Session(rows, {"plain": PlainJudge()})


def test_a_perfect_actor_is_always_recognised_and_a_deaf_one_by_chance():
    lines = list(matrix(["core"], 2))
    perfect = session(lines).recognition("adapter", "plain", "against")
    assert perfect["recall"] == 1
    assert perfect["readings"] == 2 * len(EVALUATED) * 8
    flat = session(lines, lambda line: "anger").recognition("adapter", "plain", "alone")
    assert flat["recall"] == pytest.approx(1 / 8)
    assert flat["each"]["anger"] == 1


def test_more_asked_must_be_more_heard():
    lines = [*matrix(["core"], 1), *matrix(["levels"], 1)]
    rising = session(lines).intensity("plain")
    assert rising["mean"] == pytest.approx(1)
    assert rising["rising"] == 1
    assert rising["ladders"] == 7 * len(EVALUATED)
    rows = [verdict(line, says(line), 1 - line.level) for line in dict.fromkeys(lines)]
    falling = Session(rows, {"plain": PlainJudge()}).intensity("plain")
    assert falling["mean"] == pytest.approx(-1)
    assert falling["rising"] == 0


def test_the_price_is_against_the_own_reading_of_the_same_words():
    found = session(matrix(["core"], 2)).price("adapter")
    assert found["Anger"]["cosine"] == pytest.approx(0.6)
    assert found["Anger"]["profile"] == pytest.approx(0.6)
    assert found["all seven"]["readings"] == 2 * 7 * len(EVALUATED)
    assert found["Anger"]["dnsmos_lost"] == pytest.approx(0.2)
    assert found["Anger"]["wer"] == pytest.approx(100 / 8)
    assert found["own reading"] == {
        "cosine": 1.0, "profile": 1.0, "wer": 0.0, "dnsmos": 3.0, "dnsmos_lost": 0.0,
        "slower": 1.0, "readings": 2 * len(EVALUATED),
    }  # fmt: skip


def test_a_voice_without_other_sentences_has_no_profile():
    assert np.isnan(session(matrix(["core"], 1)).price("adapter")["Anger"]["profile"])


def test_the_matrix_has_every_emotion_level_and_category():
    assert len(set(matrix(["core"]))) == len(EVALUATED) * PARTS["core"] * 9
    levels = list(matrix(["levels"], 1))
    assert {line.level for line in levels} == {*LEVELS, 0.8}
    assert {line.asked for line in matrix(["all"], 1)} == set(taxonomy.NAMES)
    seeded = {line.system for line in matrix(["seeded"], 1)}
    assert seeded == {"adapter", "seeded"}  # the own reading is the same for both
    assert any(map(rated, matrix(["core"])))


def test_the_summary_says_how_many_and_what_real_actors_reach():
    lines = [*matrix(["core", "levels", "all"], 1)]
    found = summary(session(lines))
    text = table_of(found)
    assert "0.80 [0.70, 0.90]" in text
    assert f"of {8 * len(EVALUATED)}" in text
    assert "arousal r" in text


class PlainListener:
    """Hears each category as it stands in the features."""

    mean, std = torch.zeros(40), torch.ones(40)

    def __call__(self, features, voice):
        assert len(voice) == 2
        return torch.cat([features, torch.zeros(len(features), 6)], dim=1)


def test_crosstalk_has_what_was_asked_on_its_diagonal():
    heard = session([*matrix(["core", "all"], 2)]).crosstalk(PlainListener())
    np.testing.assert_allclose(heard, 0.8 * np.eye(40), atol=1e-6)
    lines = crosstalk_table(heard).splitlines()
    rows = list(csv.reader(lines))
    assert [row[0] for row in rows[1:]] == rows[0][1:] == list(taxonomy.NAMES)
    assert float(rows[3][3]) == pytest.approx(0.8)


def test_a_verdict_reads_back():
    line = Line("adapter", "af_bella", "Hello.", "Anger", 0.8)
    again = Verdict.from_json(verdict(line, "anger").to_json())
    assert again.task == line
    assert again.features["plain"].tolist() == verdict(line, "anger").features["plain"].tolist()
