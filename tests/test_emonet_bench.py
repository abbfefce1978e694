"""EmoNet-Voice Bench: each measure on a small copy of its layout, whose truth is planted."""

from __future__ import annotations

import argparse
import csv
import json
import math
from functools import partial
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from toys import estimate

from conditioning.audio import Audio
from conditioning.errors import InvalidInput, UnknownName
from conditioning.estimator import EmotionEstimator
from conditioning.taxonomy import NAMES
from training.emonet_bench import (
    MEASURES,
    PUBLISHED,
    PUBLISHED_EACH,
    Clip,
    add_bench,
    agreement,
    alpha,
    clips_of,
    figures,
    hear,
    read_scores,
    summary,
    table_of,
)

# Emotion, generation, and what each expert said.
PLANTED = [
    ("Anger", "a0", (0, 0)),
    ("Anger", "a1", (1, 1)),
    ("Anger", "a1", (2, 2, 2)),
    ("Jealousy & Envy", "b0", (0, 1)),
    ("Jealousy & Envy", "b1", (2, 0)),
    ("Jealousy & Envy", "b2", (2, 2)),
]


class LoudnessEstimator(EmotionEstimator):
    """The louder, the angrier; of envy it does not speak."""

    licence, commercial = "MIT", True
    support, reliability = {"Anger": "acted"}, {"Anger": 1.0}

    def __init__(self, gain: float):
        self.name, self.gain = "loudness@toy", gain

    def _hear(self, audio, spans, baseline):
        peak = min(self.gain * float(np.abs(audio.samples).max()), 1.0)
        for start, end in spans:
            yield estimate(self, {"Anger": peak}, start, end)


@pytest.fixture
def folder(tmp_path):
    """The benchmark's layout: each clip a tone, louder where its experts heard more."""
    pyarrow = pytest.importorskip("pyarrow", reason="the package pyarrow is not installed")
    from pyarrow import parquet

    audio, labels = [], []
    for count, (emotion, script, ratings) in enumerate(PLANTED):
        loud = 0.1 + 0.4 * sum(ratings) / len(ratings) + 0.01 * count
        tone = loud * np.sin(np.arange(1600, dtype=np.float32) / 5)
        audio.append(
            {"bytes": Audio(tone, 16_000).encode(".mp3"), "path": f"{script}_segment_1.mp3"}
        )
        experts = [{f"human-{who}": {quote(emotion): said}} for who, said in enumerate(ratings)]
        labels.append(str(experts))
    here = tmp_path / "bench" / "data"
    here.mkdir(parents=True)
    table = pyarrow.table({"audioId": audio, "label": labels})
    parquet.write_table(table, here / "train-00000-of-00001.parquet")
    return here.parent


def planted(*rows) -> list[Clip]:
    """Clips of (emotion, script, ratings) without sound."""
    return [Clip(Path(f"{count}.mp3"), *row) for count, row in enumerate(rows)]


def values(found) -> dict[str, float]:
    return {name: measured.value for name, measured in found.items()}


def written(file: Path, rows: list[dict]) -> Path:
    with open(file, "w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return file


def test_a_clip_keeps_each_experts_score_and_says_their_mean_from_0_to_10(folder):
    clips = clips_of(folder)
    assert sorted((clip.emotion, clip.ratings) for clip in clips) == sorted(
        (emotion, ratings) for emotion, _, ratings in PLANTED
    )
    said = {clip.ratings: clip.said for clip in clips}
    assert said == {(0, 0): 0, (1, 1): 5, (2, 2, 2): 10, (0, 1): 2.5, (2, 0): 5, (2, 2): 10}
    assert {clip.script for clip in clips if clip.emotion == "Anger"} == {
        "emonet_voice_a0",
        "emonet_voice_a1",
    }


def test_each_measure_is_what_it_is_by_hand():
    clips = planted(("Anger", "a", (0, 0)), ("Anger", "b", (1, 1)), ("Anger", "c", (2, 2)))
    found = values(figures(clips, np.array([2.0, 5.0, 6.0])))
    assert found["spearman"] == pytest.approx(1)
    assert found["pearson"] == pytest.approx(20 / math.sqrt(50 * 78 / 9))
    assert found["mae"] == pytest.approx(2)
    assert found["rmse"] == pytest.approx(math.sqrt(20 / 3))
    turned = values(figures(clips, np.array([6.0, 5.0, 2.0])))
    assert turned["spearman"] == pytest.approx(-1)


def test_the_mean_is_over_emotions_and_all_clips_stand_beside_it():
    clips = planted(*((kind, kind, (said, said)) for kind in ("Anger", "Awe") for said in (0, 2)))
    heard = np.array([8.0, 10.0, 0.0, 2.0])
    assert values(figures(clips, heard))["pearson"] == pytest.approx(1)
    at_once = values(figures(clips, heard, each=False))
    assert at_once["pearson"] == pytest.approx(20 / math.sqrt(100 * 68))
    assert at_once["mae"] == pytest.approx(4)


def test_shuffled_scores_correlate_with_nothing():
    rng = np.random.default_rng(0)
    ratings = rng.integers(0, 3, (600, 2)).tolist()
    clips = planted(
        *((NAMES[count % 2], f"s{count}", tuple(pair)) for count, pair in enumerate(ratings))
    )
    said = np.array([clip.said for clip in clips])
    right, shuffled = figures(clips, said), figures(clips, rng.permutation(said))
    for name in ("spearman", "pearson"):
        assert right[name].value == pytest.approx(1)
        assert abs(shuffled[name].value) < 0.1
        assert shuffled[name].low < 0 < shuffled[name].high


def test_a_refusal_counts_in_no_measure_and_is_told():
    clips = planted(*PLANTED)
    heard = np.array([0, 5, np.nan, np.nan, np.nan, np.nan])
    found = summary("shy", clips, heard)
    assert found["mean of emotions"]["mae"] == {**found["mean of emotions"]["mae"], "value": 0.0}
    assert found["mean of emotions"]["mae"]["count"] == 2
    assert (found["all clips"]["clips"], found["all clips"]["refused"]) == (6, 4)
    assert found["each"]["Jealousy & Envy"]["refused"] == 3
    assert found["each"]["Jealousy & Envy"]["spearman"]["value"] is None
    assert found["each"]["Jealousy & Envy"]["alpha"]["count"] == 3
    assert "| shy, all clips | 66.67 |" in table_of(found)


def test_pieces_of_one_generation_do_not_narrow_the_interval():
    rng = np.random.default_rng(1)
    said = rng.integers(0, 3, 80).tolist()
    heard = np.array(said) * 5 + rng.normal(0, 4, 80)
    once = [("Anger", f"s{count}", (value, value)) for count, value in enumerate(said)]
    apart = [(kind, f"{script}b", ratings) for kind, script, ratings in once]

    def width(rows, scores) -> float:
        found = figures(planted(*rows), scores)["mae"]
        return found.high - found.low

    twice = np.tile(heard, 2)
    assert width(once + once, twice) == pytest.approx(width(once, heard), rel=0.15)
    assert width(once + apart, twice) < 0.85 * width(once, heard)


def test_alpha_of_ordinal_data_is_krippendorffs():
    # His own example of four observers and twelve units (2011), the last with one value; its
    # ordinal alpha is printed as 0.815.
    units = ["111", "2232", "3333", "3333", "2222", "1234", "4444", "1121", "2222", "555", "11"]
    counts = np.array([np.bincount([int(level) - 1 for level in unit], None, 5) for unit in units])
    assert alpha(counts, np.ones(len(units))) == pytest.approx(0.815, abs=5e-4)
    twice = alpha(np.repeat(counts, 2, axis=0), np.ones(2 * len(units)))
    assert alpha(counts, np.full((1, len(units)), 2.0))[0] == pytest.approx(twice)


def test_agreement_is_counted_over_pairs_of_experts():
    found = agreement(planted(*PLANTED, ("Anger", "alone", (1,))))
    assert found["same"].value == pytest.approx((1 + 1 + 3 + 0 + 0 + 1) / 8)
    assert found["same"].count == 6
    assert values(agreement(planted(*PLANTED[:3]))) == {"alpha": 1.0, "same": 1.0}
    at_odds = agreement(planted(("Awe", "a", (0, 2)), ("Awe", "b", (2, 0)), ("Awe", "c", (0, 2))))
    assert at_odds["alpha"].value < 0
    assert at_odds["same"].value == 0
    assert math.isnan(agreement(planted(("Awe", "a", (1, 1)), ("Awe", "b", (1, 1))))["alpha"].value)


def test_an_estimators_scores_are_kept_and_heard_once(folder, tmp_path):
    clips = clips_of(folder)
    broken = max((clip for clip in clips if clip.emotion == "Anger"), key=lambda clip: clip.path)
    sound = broken.path.read_bytes()
    broken.path.write_bytes(b"no sound")
    file = tmp_path / "heard.jsonl"
    ordered = [clip for clip in clips if clip != broken] + [broken]
    with pytest.raises(InvalidInput, match=f"clip {broken.path.name} cannot be heard") as caught:
        hear(ordered, partial(LoudnessEstimator, 1.0), file)
    assert "\n" not in str(caught.value)
    kept = file.read_text().splitlines()
    assert len(kept) == len(clips) - 1

    broken.path.write_bytes(sound)
    name, heard = hear(clips, partial(LoudnessEstimator, 0.0), file, jobs=2)
    assert name == "loudness@toy"
    assert file.read_text().splitlines()[: len(kept)] == kept
    angry = np.array([clip.emotion == "Anger" for clip in clips])
    assert np.isnan(heard[~angry]).all()  # of which it does not speak
    # Heard with gain before the interruption, without afterwards.
    deaf = np.array([clip == broken for clip in clips])
    assert (heard[angry & ~deaf] > 1).all()
    assert (heard[deaf] == 0).all()


def test_loudness_that_follows_the_experts_ranks_as_they_do(folder, tmp_path):
    clips = clips_of(folder)
    _, heard = hear(clips, partial(LoudnessEstimator, 1.0), tmp_path / "heard.jsonl")
    found = summary("loudness", clips, heard)
    assert found["each"]["Anger"]["spearman"]["value"] == pytest.approx(1)
    peaks = [(clip.said, score) for clip, score in zip(clips, heard, strict=True) if score == score]
    for said, score in peaks:
        assert score == pytest.approx(1 + 0.8 * said, abs=1.0)


def test_any_systems_scores_come_as_a_csv_of_one_column_or_of_one_for_each_emotion(tmp_path):
    clips = planted(*PLANTED[2:4])  # angry, envious
    one = written(
        tmp_path / "one.csv",
        [{"path": "elsewhere/0.mp3", "score": "7.5"}, {"path": "1.mp3", "score": " "}],
    )
    assert read_scores(one, clips) == pytest.approx(np.array([7.5, np.nan]), nan_ok=True)
    many = written(
        tmp_path / "many.csv",
        [
            {"jealousy": score, "path": f"{count}.mp3", "Anger": 9}
            for count, score in ((0, 1), (1, 2))
        ],
    )
    assert read_scores(many, clips).tolist() == [9, 2]
    angry = written(tmp_path / "angry.csv", [{"path": f"{n}.mp3", "Anger": 9} for n in range(3)])
    assert read_scores(angry, clips) == pytest.approx(np.array([9, np.nan]), nan_ok=True)


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ("path,angr\n0.mp3,1\n1.mp3,1\n", UnknownName, "Unknown emotion 'angr'"),
        ("path,score\n1.mp3,1\n", InvalidInput, "no row for 1 of 2 clips, such as 0.mp3"),
        ("path,score\n0.mp3,1\n1.mp3,11\n", InvalidInput, "row 3: score is '11'.*from 0 to 10"),
        ("path,score\n0.mp3,nan\n1.mp3,1\n", InvalidInput, "row 2: score is 'nan'"),
        ("path,score\n0.mp3,1\n1.mp3,1\nx/1.mp3,2\n", InvalidInput, "row 4: 1.mp3 has a row"),
        ("path,score\n0.mp3\n1.mp3,1\n", InvalidInput, "row 2 does not have the 2 cells"),
        ("clip,score\n0.mp3,1\n", InvalidInput, "has the columns clip, score; allowed: columns"),
        ("", InvalidInput, "allowed: columns path and score"),
        (None, InvalidInput, "Cannot read .*; give a CSV"),
    ],
)
def test_a_csv_that_cannot_be_used_is_refused_in_one_line(tmp_path, text, error, says):
    file = tmp_path / "scores.csv"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    with pytest.raises(error, match=says) as caught:
        read_scores(file, planted(*PLANTED[:2]))
    assert "\n" not in str(caught.value)


def test_a_folder_without_the_benchmark_is_named(tmp_path):
    for place in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(InvalidInput, match=f"{place} does not look like EmoNet-Voice Bench"):
            clips_of(place)


def test_the_command_writes_what_it_measured_beside_what_is_published(folder, tmp_path, capsys):
    clips = clips_of(folder)
    scores = [{"path": clip.path.name, "score": clip.said} for clip in clips]
    file = written(tmp_path / "oracle.csv", scores)
    parser = argparse.ArgumentParser()
    add_bench(parser.add_subparsers())
    out = tmp_path / "out"
    options = parser.parse_args(["bench", str(folder), "-o", str(out), "--scores", str(file)])
    options.run(options)
    report = (out / "report.md").read_text(encoding="utf-8")
    assert capsys.readouterr().out == report
    found = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    assert found["system"] == "oracle"
    whole = found["mean of emotions"]
    assert [whole[name]["value"] for name in MEASURES] == pytest.approx([1, 1, 0, 0])
    assert table_of(found) in report
    assert "| oracle, mean of emotions | 0.00 | 1.000 [" in report
    assert "| GPT-4o Audio Preview 2024-12-17 (published) | 27.59 | 0.337 | 0.336 | " in report
    rows = [line for line in report.splitlines() if line.startswith("| Anger |")]
    assert len(rows) == 1
    assert "| Anger | 3 | 0 | 1.000 [" in rows[0]
    assert rows[0].endswith("| 0.496 | 0.555 | 0.418 | 0.526 | 0.602 | 0.578 | 0.577 |")
    widths = {line.count("|") for line in report.split("emotion | clips")[1].splitlines()[1:]}
    assert len(widths) == 1


# The column "avg." of the paper's table 6, which guards the copy of its rows.
AVERAGES = (
    ".617 .585 .536 .500 .477 .474 .461 .457 .456 .447 .432 .427 .411 .408 .407 .404 .402 .401 "
    ".396 .390 .386 .385 .371 .367 .352 .351 .347 .336 .327 .326 .325 .317 .275 .263 .258 .221 "
    ".219 .151 .123 .118"
)


def test_the_published_tables_bear_each_other_out():
    assert set(PUBLISHED_EACH) == set(NAMES)
    each = np.array(list(PUBLISHED_EACH.values()))[:, 1:]
    averages = np.array(AVERAGES.split(), float)
    assert np.nanmean(each, axis=1) == pytest.approx(averages, abs=0.0011)
    overall = np.array([row[1] for row in PUBLISHED.values()])
    means = np.nanmean(each, axis=0)
    assert means[:2].round(3).tolist() == overall[:2].tolist()
    assert means == pytest.approx(overall, abs=0.0201)
