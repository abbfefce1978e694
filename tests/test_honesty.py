"""The report on generated predictions whose answers are known."""

from __future__ import annotations

import json
import math
import sys
from functools import partial

import numpy as np
import pytest

from conditioning.errors import InvalidInput, UnknownName
from conditioning.taxonomy import CATEGORIES, CORPUS_LABELS, INDEX, NAMES
from training import honesty
from training.honesty import BARS, ROUTE, SYNTHETIC, read, reliability, report
from voice_actor.cli import Parser

DRAWS = 60
LABELS = {
    "emodb": "neutral anger happiness sadness fear disgust boredom".split(),
    "ravdess": "neutral calm anger happiness sadness fear disgust surprise".split(),
    "nemo": "neutral anger happiness sadness fear surprise".split(),
}
LANGUAGE = {"emodb": "de", "ravdess": "en", "nemo": "pl"}
CLASSES = ("neutral", *(
    name
    for name in NAMES
    if any(name in CORPUS_LABELS[corpus][label] for corpus in LABELS for label in LABELS[corpus])
))  # fmt: skip


def perfect(rng, row):
    """Hears what was acted."""
    (category,) = row["emotions"] or ("neutral",)
    strength = {"strong": 1.0, "intense": 1.0}.get(row["level"], 0.6) * (category != "neutral")
    heard = 0.001 * np.arange(40) * (0.1 + strength)
    place = (0.0, 0.0, 0.0)
    if category != "neutral":
        heard[INDEX[category]] = strength
        entry = CATEGORIES[INDEX[category]]
        place = (entry.valence, entry.arousal, entry.dominance)
    return category, heard, place


def chance(rng, row):
    """Hears anything."""
    return rng.choice(CLASSES), rng.random(40), rng.uniform(-1, 1, 3)


def women_only(rng, row):
    """Hears what women act."""
    return perfect(rng, row) if row["gender"] == "F" else chance(rng, row)


def acted_rows(hear, protocols=("speakers", "without "), modes=("alone", "against"), seed=0):
    rng = np.random.default_rng(seed)
    for corpus, labels in LABELS.items():
        for speaker in range(6):
            for label in labels:
                emotions = dict(CORPUS_LABELS[corpus][label])
                levels = ["normal", "strong"] if corpus == "ravdess" else [None]
                for level in levels[: 1 if label == "neutral" else 2]:
                    for script in "ab":
                        for take in "12":
                            row = {
                                "corpus": corpus,
                                "path": f"{speaker}{label}{level}{script}{take}.wav",
                                "speaker": f"{corpus}_{speaker}",
                                "gender": "FM"[speaker % 2],
                                "language": LANGUAGE[corpus],
                                "label": label,
                                "emotions": emotions,
                                "level": level,
                                "script": script,
                            }
                            for protocol in protocols:
                                called = protocol + corpus * (protocol == "without ")
                                for mode in modes:
                                    yield finished(rng, row, hear, called, mode)


def finished(rng, row, hear, protocol, mode, **further):
    guess, heard, place = hear(rng, row)
    named = dict.fromkeys(CLASSES, 0.0) | ({guess: 1.0} if guess in CLASSES else {"neutral": 1.0})
    return row | {
        "protocol": protocol,
        "mode": mode,
        "intensities": list(heard),
        "evidence": list(heard),
        "valence": place[0],
        "arousal": place[1],
        "dominance": place[2],
        "neutral": named["neutral"],
        "strength": float(np.sum(heard)),
        "classes": named,
        "words": None,
    } | further  # fmt: skip


def synthetic_rows(evidence, mode="alone", seed=0):
    """Four voices in four conditions; `evidence(row, words, rng)` gives the 40 scores.

    Words tell a category about as well as in life: a bag of words reaches an AUC of about 0.75.
    """
    rng = np.random.default_rng(seed)
    for level in ("intense", "moderate"):
        for kind in ("free", "contained"):
            for name in NAMES:
                words = rng.normal(size=40) + (np.array(NAMES) == name)
                for voice in range(4):
                    row = {
                        "corpus": "laion_voice_acting",
                        "path": f"{voice}{name}{level}{kind}.opus",
                        "speaker": f"voice_{voice}",
                        "gender": "FM"[voice % 2],
                        "language": "en",
                        "label": name,
                        "emotions": {name: 1.0},
                        "level": level,
                        "script": f"{name}|{level}, {kind}",
                    }
                    scores = evidence(row, words, rng)
                    yield finished(
                        rng,
                        row,
                        lambda rng, row, heard=scores: ("neutral", heard, rng.uniform(-1, 1, 3)),
                        "voice and script",
                        mode,
                        words=words.tolist(),
                    )


def reads(row, words, rng):
    """Nothing but the words, each voice at its own level."""
    return (2 + int(row["speaker"][-1])) * words + 7


def listens(row, words, rng):
    """The acting, without the words."""
    return rng.normal(size=40) + 1.0 * (np.array(NAMES) == row["label"])


@pytest.fixture(scope="module")
def of_perfect():
    return report([*acted_rows(perfect), *synthetic_rows(listens)], draws=DRAWS)


@pytest.fixture(scope="module")
def of_chance():
    return report(acted_rows(chance), draws=DRAWS)


def test_a_perfect_estimator_is_found_perfect(of_perfect):
    heard = of_perfect.modes["against"]
    for name, found in heard.measures.items():
        if "other emotion" not in name:
            assert (found.value, found.low, found.high) == pytest.approx((1, 1, 1)), name
    for name in CLASSES[1:]:
        found = heard.categories[name]
        assert found.support == "acted"
        assert found.auc.value == found.auc.low == 1
        assert heard.reliability[name] == 1
    assert all(found.error.value == pytest.approx(0) for found in heard.calibration.values())
    assert all(found.gap.value == 0 for found in heard.gaps.values())
    for matrix in heard.confusions.values():
        counts = np.array(matrix.counts)
        assert (counts == np.diag(np.diag(counts))).all()


def test_every_bar_is_a_measure_that_the_report_makes(of_perfect):
    """A bar whose name no measure has would never be missed."""
    assert set(BARS) <= set(of_perfect.modes["alone"].measures)
    line = next(
        line for line in of_perfect.table().splitlines() if "nEMO, speaker unheard: recall" in line
    )
    assert line.count("met") == 2


def test_an_estimator_that_hears_anything_is_found_at_chance(of_chance):
    heard = of_chance.modes["alone"]
    found = heard.measures["EmoDB, corpus unheard: recall, 4 classes"]
    assert found.low < 0.25 + 0.1
    assert found.value == pytest.approx(1 / 4, abs=0.15)
    arousal = heard.measures["EmoDB, corpus unheard: arousal, concordance"]
    assert arousal.low < 0 < arousal.high
    pairs = heard.measures["RAVDESS, speaker unheard: strong above normal, share of pairs"]
    assert pairs.value == pytest.approx(0.5, abs=0.1)
    words = heard.measures["RAVDESS, speaker unheard: same acting, other words, rank correlation"]
    assert words.value == pytest.approx(0, abs=0.05)
    for name in CLASSES[1:]:
        assert heard.categories[name].auc.value == pytest.approx(0.5, abs=0.2)
    assert heard.calibration["likeliest class, speaker unheard"].error.value > 0.7
    assert "missed" in of_chance.table()


def test_a_gap_between_women_and_men_is_stated_with_its_interval():
    rows = acted_rows(women_only, ["speakers"], ["alone"])
    found = report(rows, draws=DRAWS).modes["alone"].gaps["gender: all corpora, speaker unheard"]
    assert list(found.groups) == ["F", "M"]
    assert found.groups["F"].value == 1
    assert found.groups["M"].value < 0.4
    assert found.gap.value == pytest.approx(1 - found.groups["M"].value)
    assert found.gap.low > 0.5


def test_languages_are_compared_on_the_classes_that_all_have():
    """Boredom and calm, which one corpus each has, are misheard; that is no gap of languages."""

    def hear(rng, row):
        lost = row["label"] in ("boredom", "calm")
        return ("Fear", *perfect(rng, row)[1:]) if lost else perfect(rng, row)

    found = report(acted_rows(hear, ["speakers"], ["alone"]), draws=DRAWS).modes["alone"]
    gap = found.gaps["language: all corpora, speaker unheard"]
    assert {name: entry.value for name, entry in gap.groups.items()} == {"de": 1, "en": 1, "pl": 1}
    assert found.measures["EmoDB, speaker unheard: recall, 7 classes"].value == pytest.approx(6 / 7)


def test_an_estimator_that_reads_is_at_chance_once_the_words_are_removed():
    heard = report(synthetic_rows(reads), draws=DRAWS).modes["alone"]
    raw, removed = (
        heard.measures[f"{SYNTHETIC}: evidence{also}, AUC"] for also in ("", ", words removed")
    )
    assert raw.value > 0.7
    assert raw.value == pytest.approx(heard.measures[f"{SYNTHETIC}: words alone, AUC"].value)
    assert removed.value == removed.low == removed.high == 0.5
    assert {found.support for found in heard.categories.values()} == {"inferred"}
    assert all(heard.reliability[name] == 0 for name in NAMES)


def test_an_estimator_that_listens_keeps_what_it_heard():
    rows = list(synthetic_rows(listens))
    heard = report(rows, draws=DRAWS).modes["alone"]
    removed = heard.measures[f"{SYNTHETIC}: evidence, words removed, AUC"]
    assert 0.66 < removed.low < removed.value < 0.85
    margin = heard.measures[f"{SYNTHETIC}: evidence above {ROUTE}, words removed, AUC"]
    assert margin.low > 0.05
    supports = [found.support for found in heard.categories.values()]
    assert supports.count("synthetic") > 20
    known = heard.categories["Awe"]
    assert (known.clips, known.speakers) == (16, 4)
    assert heard.reliability["Awe"] == pytest.approx(2 * known.auc.value - 1)
    assert math.isnan(heard.reliability["valence"])  # no acted speech to measure it on


def test_scores_are_compared_within_voice_and_condition():
    """A score that only tells the conditions or the voices apart tells no category."""

    def habit(row, words, rng):
        return np.full(40, 5.0 * int(row["speaker"][-1]) + 3.0 * (row["level"] == "intense"))

    found = report(synthetic_rows(habit), draws=DRAWS).modes["alone"].measures
    assert found[f"{SYNTHETIC}: evidence, AUC"].value == 0.5


def test_synthetic_support_needs_every_mode():
    both = [*synthetic_rows(listens), *synthetic_rows(reads, "against")]
    categories = report(both, draws=DRAWS).modes["alone"].categories
    assert {found.support for found in categories.values()} == {"inferred"}


def test_support_can_be_said():
    found = report(synthetic_rows(reads), {"Awe": "synthetic"}, DRAWS).modes["alone"].categories
    assert found["Awe"].support == "synthetic"
    assert found["Pain"].support == "inferred"
    with pytest.raises(UnknownName, match="acted"):
        report(synthetic_rows(reads), {"Awe": "actd"}, DRAWS)


def test_strong_is_compared_with_normal_of_the_same_speaker_label_and_script():
    """One speaker of six turns the levels round; loud speakers and labels do not hide it."""

    def hear(rng, row):
        guess, heard, place = perfect(rng, row)
        turned = row["speaker"].endswith("0")
        total = 1 + (row["level"] == "strong") * (-1 if turned else 1) * 0.1
        total += 10 * len(row["label"]) + 100 * int(row["speaker"][-1])
        return guess, np.full(40, total * (row["label"] != "neutral")), place

    found = report(acted_rows(hear, ["speakers"], ["alone"]), draws=DRAWS).modes["alone"].measures
    title = "RAVDESS, speaker unheard: "
    assert found[f"{title}strong above normal, share of pairs"].value == pytest.approx(5 / 6)
    rising = found[f"{title}neutral < normal < strong, share of speakers"]
    assert rising.value == pytest.approx(5 / 6)
    assert rising.count == 6


def test_an_answer_that_changes_with_the_words_is_noticed():
    def hear(rng, row):
        guess, heard, place = perfect(rng, row)
        return guess, np.roll(np.arange(40) / 40, 20 * (row["script"] == "b")), place

    found = report(acted_rows(hear, ["speakers"], ["alone"]), draws=DRAWS).modes["alone"]
    title = "RAVDESS, speaker unheard: same acting, "
    assert found.measures[f"{title}other words, rank correlation"].value < 0
    assert found.measures[f"{title}same words again, rank correlation"].value == pytest.approx(1)


def test_reliability_is_that_of_the_report(of_chance):
    found = reliability(acted_rows(chance), "alone")
    told = of_chance.modes["alone"].reliability
    assert found == pytest.approx(told, nan_ok=True)
    assert all(0 <= value <= 1 for value in found.values() if not math.isnan(value))
    assert set(found) == {*NAMES, "valence", "arousal", "dominance"}
    assert math.isnan(found["Awe"])


def test_a_report_repeats_itself(of_chance):
    assert report(acted_rows(chance), draws=DRAWS).to_json() == of_chance.to_json()


def test_speech_of_one_corpus_in_one_mode_is_enough():
    rows = [row for row in acted_rows(perfect, ["speakers"], ["alone"]) if row["corpus"] == "emodb"]
    found = report(rows, draws=DRAWS)
    assert list(found.modes) == ["alone"]
    assert "RAVDESS" not in found.table()
    assert found.modes["alone"].gaps["gender: EmoDB, speaker unheard"].gap.value == 0


def command(tmp_path, rows, *options):
    predictions = tmp_path / "heard.jsonl"
    predictions.write_text("".join(json.dumps(row) + "\n" for row in rows))
    top = Parser()
    honesty.add_honesty(top.add_subparsers())
    chosen = top.parse_args(["honesty", str(predictions), *map(str, options)])
    chosen.run(chosen)


def test_the_command_writes_report_figures_and_plots(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(honesty, "report", partial(report, draws=20))
    rows = acted_rows(women_only, ["speakers"], ["alone"])
    out, figures, plots = tmp_path / "r.md", tmp_path / "r.json", tmp_path / "plots"
    command(tmp_path, rows, "-o", out, "--json", figures, "--plots", plots)
    table = out.read_text()
    for said in ("F above M by", "## Confusion, alone", "| Anger | acted |", "0.64 missed"):
        assert said in table
    found = json.loads(figures.read_text())["alone"]
    assert found["gaps"]["gender: all corpora, speaker unheard"]["gap"]["value"] > 0.5
    assert found["categories"]["Awe"]["auc"]["value"] is None
    assert (plots / "calibration-alone.png").read_bytes().startswith(b"\x89PNG")


def test_without_matplotlib_plots_are_refused_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.setattr(honesty, "report", lambda rows: pytest.fail("it worked first"))
    with pytest.raises(InvalidInput, match="pip install matplotlib"):
        command(tmp_path, [], "--plots", tmp_path)


@pytest.mark.parametrize("same", ["heard.jsonl", "r.md"])
def test_a_file_is_not_written_twice_nor_over_what_is_read(tmp_path, same):
    with pytest.raises(InvalidInput, match="one file"):
        command(tmp_path, [], "-o", tmp_path / "r.md", "--json", tmp_path / same)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"mode": "alon"}, "line 2: Unknown mode"),
        ({"corpus": "emdb"}, "line 2: Unknown corpus"),
        ({"emotions": {"Angr": 1.0}}, "line 2: Unknown category"),
        ({"intensities": [0.0] * 39}, "line 2: intensities must be 40 numbers"),
        ({"evidence": [math.nan] * 40}, "line 2: evidence must be 40 numbers"),
        ({"classes": {}}, "line 2: .*classes"),
        ({"valence": math.nan}, "line 2: .*valence"),
    ],
)
def test_a_broken_line_is_named(tmp_path, change, said):
    rows = list(acted_rows(perfect, ["speakers"], ["alone"]))[:2]
    file = tmp_path / "heard.jsonl"
    file.write_text(json.dumps(rows[0]) + "\n" + json.dumps(rows[1] | change) + "\n")
    with pytest.raises((InvalidInput, UnknownName), match=said):
        read(file)


def test_files_that_hold_no_predictions_are_refused(tmp_path):
    file = tmp_path / "heard.jsonl"
    with pytest.raises(InvalidInput, match=r"heard\.jsonl"):
        read(file)
    file.write_text('{"corpus": "emodb"}\n')
    with pytest.raises(InvalidInput, match="line 1 has no speaker"):
        read(file)
    file.write_text("no\n")
    with pytest.raises(InvalidInput, match="line 1 is not JSON"):
        read(file)
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidInput, match="not text"):
        read(file)
    with pytest.raises(InvalidInput, match="crossvalidate"):
        report([])
