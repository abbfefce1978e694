"""Training the estimator, on features whose emotion is planted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import lightning
import numpy as np
import pytest
import torch

from conditioning.errors import InvalidInput
from conditioning.taxonomy import INDEX
from training.acting_data import ActingData
from training.augment import COPIES, copy
from training.corpora import Utterance
from training.crossvalidate import crossvalidate
from training.data import EmotionData, Speech, _baselines, _weights
from training.modules import EstimatorModule, discordance, solve_scores

CLASSES = ("neutral", "Anger", "Sadness")
CONFIGS = sorted((Path(__file__).parents[1] / "training" / "configs").glob("*.yaml"))
D = 12


def utterance(corpus: str, speaker: str, label: str, emotions: dict, script: str) -> Utterance:
    return Utterance(
        corpus=corpus,
        path=Path(f"{speaker}-{label}-{script}.wav"),
        speaker=speaker,
        gender="F",
        language="de",
        text=script,
        label=label,
        emotions=emotions,
        level=None,
        licence="CC0-1.0",
        script=script,
    )


def planted(seed: int = 0) -> Speech:
    """Speakers differ in every feature; anger lifts feature 0, sadness 1, disgust 2."""
    rng = np.random.default_rng(seed)
    utterances, features, target = [], [], []
    for corpus, speakers in (("emodb", 6), ("laion_voice_acting", 3)):
        for speaker in range(speakers):
            habit = rng.normal(0, 1, D)
            for take in range(24):
                kind = take % 3
                row = habit + rng.normal(0, 0.3, D)
                if corpus == "emodb":
                    label = CLASSES[kind]
                    emotions = {label: 1.0} if kind else {}
                    row[kind - 1] += 3.0 if kind else 0.0
                    target.append(np.eye(3)[kind])
                    script = f"line {take}"
                else:
                    label = ("Disgust", "Awe", "Pain")[kind]
                    emotions = {label: 1.0}
                    row[2 + kind] += 3.0
                    target.append(np.zeros(3))
                    script = f"{label}|{'AB'[take % 2]}"
                utterances.append(utterance(corpus, f"{corpus}_{speaker}", label, emotions, script))
                features.append(row)
    for _ in range(30):
        utterances.append(None)
        features.append(rng.normal(0, 1, D) + np.eye(D)[-1] * 12)
        target.append(np.zeros(3))
    speakers = [entry.speaker if entry else "" for entry in utterances]
    voices = sorted(set(speakers))
    voice = np.array([voices.index(name) for name in speakers])
    measured = np.array(features, np.float32)[:, None]
    speech = np.array([entry is not None for entry in utterances])
    means, deviations = _baselines(measured, voice, speech)
    target = np.array(target)
    acted = target.sum(1) > 0
    place = target @ np.array([[0, 0, 0], [-0.5, 0.6, 0.3], [-0.6, -0.3, -0.3]])
    return Speech(
        utterances=tuple(utterances),
        classes=CLASSES,
        features=measured,
        voice=voice,
        means=means,
        deviations=deviations,
        target=target,
        known=np.repeat(acted[:, None], 3, 1),
        strength=np.where(acted, 1 - target[:, 0], 0),
        strength_weight=acted.astype(float),
        place=place,
        weight=_weights(utterances, target),
        speech=speech.astype(np.float32),
    )


def data(speech: Speech, **options) -> EmotionData:
    made = EmotionData("nowhere", ["emodb", "laion_voice_acting"], ["as it is"], **options)
    made.use(speech)
    return made


def trained(speech: Speech, epochs: int = 15, **options) -> EstimatorModule:
    lightning.seed_everything(0, verbose=False)
    module = EstimatorModule(learning_rate=3e-2)
    trainer = lightning.Trainer(
        accelerator="cpu",
        max_epochs=epochs,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(module, datamodule=data(speech, batch=32, **options))
    return module


@pytest.fixture(scope="module")
def heard():
    speech = planted()
    options = {"speech": "nowhere", "corpora": ["emodb", "laion_voice_acting"]}
    options |= {"copies": ["as it is"], "batch": 32}
    original = EmotionData.load
    EmotionData.load = lambda self: self._speech or speech
    try:
        rows = list(crossvalidate({"learning_rate": 3e-2}, options, 10))
    finally:
        EmotionData.load = original
    return rows


def test_unseen_speakers_are_heard_and_better_against_their_baseline(heard):
    recall = {}
    for mode in ("alone", "against"):
        rows = [row for row in heard if row["mode"] == mode and row["protocol"] == "speakers"]
        assert len(rows) == 6 * 24
        right = [max(row["classes"], key=row["classes"].get) for row in rows]
        asked = [next(iter(row["emotions"]), "neutral") for row in rows]
        recall[mode] = np.mean([a == b for a, b in zip(right, asked, strict=True)])
    assert recall["against"] > 0.95
    assert recall["against"] >= recall["alone"] > 0.7


def test_synthetic_scores_hold_on_unseen_voices_and_scripts(heard):
    rows = [row for row in heard if row["protocol"] == "voice and script"]
    assert len(rows) == 2 * 3 * 24
    names = "Disgust", "Awe", "Pain"
    right = [
        names[np.array(row["evidence"])[[INDEX[name] for name in names]].argmax()]
        in row["emotions"]
        for row in rows
        if row["mode"] == "against"
    ]
    assert np.mean(right) > 0.9


def test_sounds_that_are_not_speech_are_told_apart():
    speech = planted()
    module = trained(speech)
    with torch.inference_mode():
        readings = module.listener.eval()(torch.from_numpy(speech.features[:, 0]))
    assert ((readings[:, -1] > 0.5).numpy() == (speech.speech > 0.5)).mean() > 0.98


def test_held_out_speakers_and_corpora_are_not_learnt():
    speech = planted()
    made = data(speech, held_out=["emodb_0"], validation=1)
    made.setup()
    speakers = speech.field("speaker")
    assert "emodb_0" not in speakers[made.training]
    assert set(speakers[made.stopping]) == {"emodb_5"}
    without = data(speech, without=["emodb"], validation=0)
    without.setup()
    assert "emodb" not in speech.field("corpus")[without.training]


def test_every_class_of_a_corpus_weighs_alike():
    speech = planted()
    kinds = speech.target.argmax(1)
    acted = speech.weight > 0
    sums = [speech.weight[acted & (kinds == kind)].sum() for kind in range(3)]
    assert sums == pytest.approx([sums[0]] * 3)


def test_scores_do_not_depend_on_who_speaks():
    speech = planted()
    module = trained(speech, epochs=2)
    rows = np.flatnonzero(speech.field("corpus") == "laion_voice_acting")
    solve_scores(module.listener, speech, rows)
    plain = module.listener.against.scores.clone()
    moved = speech.features.copy()
    moved[speech.field("speaker") == "laion_voice_acting_1"] += 5.0
    means, deviations = _baselines(moved, speech.voice, speech.speech > 0)
    solve_scores(
        module.listener, replace(speech, features=moved, means=means, deviations=deviations), rows
    )
    assert (
        torch.corrcoef(torch.stack([plain.flatten(), module.listener.against.scores.flatten()]))[
            0, 1
        ]
        > 0.98
    )


def test_discordance_is_lins_formula():
    heard, asked = torch.rand(50, 3), torch.rand(50, 3)
    weight = torch.ones(50)
    expected = []
    for a, b in zip(heard.T.numpy(), asked.T.numpy(), strict=True):
        shared = np.mean((a - a.mean()) * (b - b.mean()))
        expected.append(1 - 2 * shared / (a.var() + b.var() + (a.mean() - b.mean()) ** 2))
    assert float(discordance(heard, asked, weight)) == pytest.approx(np.mean(expected), abs=1e-4)
    assert float(discordance(asked, asked, weight)) == pytest.approx(0, abs=1e-4)


def test_a_stopped_fit_resumes(tmp_path):
    speech = planted()
    kinds = {"accelerator": "cpu", "logger": False, "enable_progress_bar": False}
    kinds |= {"enable_model_summary": False, "default_root_dir": tmp_path}
    saved = lightning.pytorch.callbacks.ModelCheckpoint(tmp_path, save_last=True)
    first = lightning.Trainer(max_epochs=2, callbacks=[saved], **kinds)
    first.fit(EstimatorModule(), datamodule=data(speech, batch=32))
    second = lightning.Trainer(max_epochs=4, enable_checkpointing=False, **kinds)
    module = EstimatorModule()
    second.fit(
        module,
        datamodule=data(speech, batch=32),
        ckpt_path=tmp_path / "last.ckpt",
        weights_only=False,
    )
    assert second.current_epoch == 4
    assert second.global_step == 2 * first.global_step


@pytest.mark.parametrize("kind", COPIES)
def test_a_copy_keeps_what_is_said_but_not_the_samples(kind):
    from conditioning.audio import Audio

    rng = np.random.default_rng(0)
    audio = Audio(rng.normal(0, 0.1, 16000).astype(np.float32), 16000)
    made = copy(audio, kind, np.random.default_rng(1))
    again = copy(audio, kind, np.random.default_rng(1))
    np.testing.assert_array_equal(made.samples, again.samples)
    assert 0.8 < made.duration / audio.duration < 1.25
    assert np.array_equal(made.samples, audio.samples) == (kind == "as it is")


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_a_configuration_names_what_there_is(config):
    from training.__main__ import cli

    made = cli(["--config", str(config)], run=False)
    assert isinstance(made.datamodule, EmotionData | ActingData)


def test_an_unknown_key_of_a_configuration_fails(tmp_path, capsys):
    from training.__main__ import cli

    text = CONFIGS[0].read_text().replace("model:", "model:\n  surprise: 1", 1)
    (tmp_path / "bad.yaml").write_text(text)
    with pytest.raises(SystemExit):
        cli(["--config", str(tmp_path / "bad.yaml")], run=False)
    assert "surprise" in capsys.readouterr().err


def test_no_corpus_is_refused():
    with pytest.raises(InvalidInput, match="No corpus"):
        EmotionData("nowhere", []).load()
