"""Measures of asked against heard, on readings whose truth is planted."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from readings import FORTY, LISTENER, SMALL, PlainJudge, rows, says, verdict

from training.judge import EMOTIONS
from training.measures import Session, Verdict, compared, holm, sessions, shuffled
from training.protocol import EVALUATED, FULL, Line


def session(made, deaf=()) -> Session:
    (found,) = sessions(made, deaf, {"plain": PlainJudge()}, LISTENER).values()
    return found


def test_a_perfect_actor_is_always_recognised_and_a_deaf_one_by_chance():
    perfect = session(rows()).recognition("plain", "against")
    assert perfect["recall"]["value"] == 1
    assert perfect["recall"]["count"] == SMALL.core * SMALL.voices * 8
    flat = session(rows(said=lambda line: "anger")).recognition("plain", "alone")
    assert flat["recall"]["value"] == pytest.approx(1 / 8)
    assert flat["each"]["anger"] == 1


def test_a_system_that_does_not_act_is_heard_by_chance():
    made = [row for row in rows() if not row.task.asked]
    found = session(made, deaf=["toy"]).recognition("plain", "against")
    assert found["recall"]["value"] == pytest.approx(1 / 8)
    assert found["recall"]["low"] <= 1 / 8 <= found["recall"]["high"]


def test_shuffled_targets_score_at_chance_within_the_interval():
    floor = session(rows()).recognition("plain", "against")["shuffled"]
    assert floor["value"] == pytest.approx(1 / 8, abs=0.01)
    assert floor["low"] < 1 / 8 < floor["high"] < 0.3
    asked = np.repeat(EMOTIONS, 5)
    assert shuffled(asked, asked, EMOTIONS)["high"] < 1


def test_two_emotions_that_are_swapped_are_caught():
    swap = {"anger": "fear", "fear": "anger"}
    found = session(rows(said=lambda line: swap.get(says(line), says(line))))
    recognised = found.recognition("plain", "against")
    assert recognised["recall"]["high"] < 1
    assert recognised["each"]["anger"] == recognised["each"]["fear"] == 0
    assert recognised["confusion"][0][EMOTIONS.index("fear")] == SMALL.core * SMALL.voices


def test_the_second_guess_counts_among_three():
    def torn(line: Line) -> Verdict:
        made = verdict(line, says(line))
        made.features["plain"][(EMOTIONS.index(says(line)) + 1) % 8] = 4
        return made

    made = [torn(line) for line in SMALL.lines("toy", EVALUATED)]
    found = session(made).recognition("plain", "alone")
    assert found["recall"]["value"] == 0
    assert found["top3"]["value"] == 1


def test_more_asked_must_be_more_heard():
    rising = session(rows()).ladders("plain")
    assert rising["spearman"]["mean"] == pytest.approx(1)
    assert rising["kendall"]["value"] == rising["rising"]["value"] == 1
    assert rising["rising"]["count"] == 7 * SMALL.voices * SMALL.levels
    falling = session(rows(strength=lambda line: 1 - line.level)).ladders("plain")
    assert falling["spearman"]["mean"] == pytest.approx(-1)
    assert falling["kendall"]["value"] == -1
    assert falling["rising"]["value"] == 0


def test_agreement_is_high_for_the_perfect_and_nothing_for_the_deaf():
    assert session(rows()).agreement("plain")["spearman"]["value"] > 0.5
    flat = session(rows(said=lambda line: "anger", strength=lambda line: 1.0))
    assert not abs(flat.agreement("plain")["pearson"]["value"]) > 1e-6


def test_the_price_is_against_the_own_reading_of_the_same_words():
    found = session(rows()).price()
    assert found["Anger"]["cosine"] == pytest.approx(0.6)
    assert found["Anger"]["profile"] == pytest.approx(0.6)
    assert found["Anger"]["dnsmos_lost"] == pytest.approx(0.2)
    assert found["Anger"]["wer"] == pytest.approx(100 / 8)
    assert found["all seven"]["count"] == SMALL.core * SMALL.voices * 7
    assert found["own reading"] == {
        "cosine": 1.0, "profile": 1.0, "wer": 0.0, "dnsmos": 3.0, "dnsmos_lost": 0.0,
        "slower": 1.0, "count": SMALL.core * SMALL.voices,
    }  # fmt: skip


def test_a_voice_without_other_sentences_has_no_profile():
    found = session(rows(replace(SMALL, core=1))).price()
    assert math.isnan(found["Anger"]["profile"])


def test_prosody_is_a_change_or_a_ratio_beside_the_published_one():
    found = session(rows()).prosody()["Anger"]
    assert found["f0_median_st"][0] == pytest.approx(2)
    assert found["rate"][0] == pytest.approx(1.2)
    assert found["f0_median_st"][1] == pytest.approx(6.5, abs=0.1)


def test_crosstalk_has_what_was_asked_on_its_diagonal():
    found = session(rows(FORTY))
    np.testing.assert_allclose(found.crosstalk(), FULL * np.eye(40), atol=1e-6)
    errors = found.errors()
    assert errors["mae"]["value"] == pytest.approx(0, abs=1e-5)
    assert errors["spearman"]["value"] == pytest.approx(1)


def test_errors_are_on_the_scale_of_the_bench():
    made = rows(FORTY)
    for row in made:
        row.features["standard"] -= 0.1 * (row.features["standard"] > 0)
    errors = session(made).errors()
    assert errors["mae"]["value"] == pytest.approx(1, abs=1e-5)
    assert errors["rmse"]["value"] == pytest.approx(1, abs=1e-5)


def test_the_summary_counts_its_readings():
    found = session(rows(FORTY)).summary()
    assert found["readings"] == len([row for row in rows(FORTY) if row.task.asked])
    assert found["spent"] == pytest.approx(0.5)
    assert len(found["judges"]["plain"]["cells"]) == FORTY.core * 8


def test_a_better_system_is_told_from_a_worse_one_and_not_from_itself():
    good, bad = (
        session(rows(said=said)).cells("plain") for said in (says, lambda line: "surprise")
    )
    difference, value, count = compared(good, bad)
    assert difference > 0
    assert value < 0.05
    assert count == SMALL.core * 8
    assert compared(good, good)[1] == 1


def test_holms_correction_multiplies_the_smallest_most():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1, 1]
    assert holm([]) == []
