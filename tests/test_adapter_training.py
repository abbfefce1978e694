"""The network learns from toy actors with physics what holds for sentences it never saw."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import lightning
import numpy as np
import pytest
import torch

from conditioning.errors import InvalidInput
from conditioning.taxonomy import INDEX, NAMES
from training.acting import ActingModule, assess, trust
from training.acting_data import CELLS, ActingData, Clip, clip, split, spread, weights
from training.targets import Target
from voice_actor.backbone import Reading
from voice_actor.contours import CHANNELS, MARKS, Contours, acts_on, marks_of
from voice_actor.phonemes import VOWELS, Phoneme, Phrase

CONSONANTS = "ptkbdfszmnlɹ"
STRESS, FINAL, VOWEL = (MARKS.index(name) for name in ("stress", "final", "vowel"))
DURATION, PAUSE, F0, LEVEL = (CHANNELS.index(name) for name in CHANNELS[:4])
RISE = 3.0  # semitones by which toy anger lifts stressed vowels
LABELS = {"neutral": {}, "anger": {"Anger": 0.75}, "sadness": {"Sadness": 0.75}}


def sentence(rng: np.random.Generator) -> Phrase:
    words = []
    for _ in range(rng.integers(4, 8)):
        word = ""
        for syllable in range(rng.integers(1, 3)):
            stress = "ˈ" if syllable == 0 and rng.random() < 0.6 else ""
            word += rng.choice(list(CONSONANTS)) + stress + rng.choice(sorted(VOWELS))
        words.append(word)
    words[len(words) // 2] += ","
    symbols = " ".join(words) + "."
    return Phrase(tuple(Phoneme(symbol, i, i + 1) for i, symbol in enumerate(symbols)), ())


def read(phrase: Phrase) -> Reading:
    """States are of the symbols and their neighbours, as a network's are."""
    generator = torch.Generator().manual_seed(7)
    table = torch.randn(200_000, 16, generator=generator)
    spread_out = torch.randn(48, 640, generator=generator)
    codes = torch.tensor([0, *(ord(phoneme.symbol) for phoneme in phrase.phonemes), 0])
    own = table[codes]
    near = torch.cat([own.roll(1, 0), own, own.roll(-1, 0)], dim=1)
    states = near @ spread_out / 7
    style = torch.linspace(-1, 1, 256)
    return Reading(phrase, torch.full((len(codes),), 3.0), style, states, states)


def acted(reading: Reading, label: str, rng: np.random.Generator) -> torch.Tensor:
    """(T, C): anger lifts and shortens stressed vowels, sadness draws out final syllables."""
    marks = marks_of(reading.phrase)
    values = torch.zeros(len(marks), len(CHANNELS))
    # However it is acted, the language stresses the backbone's vowels otherwise.
    values[:, DURATION] += 0.3 * marks[:, VOWEL] + 0.2 * reading.states[:, 0]
    if label == "anger":
        values[:, F0] += RISE * marks[:, STRESS] + 2.0
        values[:, DURATION] -= 0.4 * marks[:, STRESS]
        values[:, LEVEL] += 6.0
    if label == "sadness":
        values[:, DURATION] += 0.5 * marks[:, FINAL]
        values[:, PAUSE] += 0.2
    values += torch.from_numpy(rng.normal(0, 0.3, values.shape)).float()
    return torch.where(acts_on(marks) > 0, values, torch.nan)


def actors(scripts: int = 15, speakers: int = 5) -> list[Clip]:
    rng = np.random.default_rng(0)
    readings = [read(sentence(rng)) for _ in range(scripts)]
    clips = []
    for speaker in range(speakers):
        habit = torch.from_numpy(rng.normal(0, 0.5, len(CHANNELS))).float()
        strength = rng.uniform(0.7, 1.3)
        for script, reading in enumerate(readings):
            for label, shares in LABELS.items():
                emotions = torch.zeros(len(NAMES))
                for name, share in shares.items():
                    emotions[INDEX[name]] = share
                values = habit + acted(reading, label, rng) * strength
                clips.append(
                    Clip(
                        corpus="emodb",
                        speaker=f"emodb_{speaker}",
                        script=f"line {script}",
                        label=label,
                        said=reading.phrase.symbols,
                        emotions=emotions,
                        states=reading.states,
                        style=reading.style,
                        marks=marks_of(reading.phrase),
                        values=values,
                        level_known=False,
                    )
                )
    return clips


def data(clips: list[Clip], **options) -> ActingData:
    made = ActingData("nowhere", ["emodb"], **options)
    made.use(clips)
    return made


@pytest.fixture(scope="module")
def fitted():
    lightning.seed_everything(0, verbose=False)
    module, made = ActingModule(), data(actors())
    trainer = lightning.Trainer(
        accelerator="cpu",
        max_epochs=8,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(module, datamodule=made)
    module.eval()
    return module, made, trainer


def test_what_actors_share_is_found_on_a_sentence_that_nobody_acted(fitted):
    module, *_ = fitted
    own = read(sentence(np.random.default_rng(99)))
    marks = marks_of(own.phrase)
    emotions = torch.zeros(len(marks), len(NAMES))
    emotions[:, INDEX["Anger"]] = 0.75
    pitch = module.contours(emotions, own)["f0_contour"]
    stressed, plain = marks[:, STRESS] == 1, (acts_on(marks)[:, F0] > 0) & (marks[:, STRESS] == 0)
    assert float(pitch[stressed].mean() - pitch[plain].mean()) == pytest.approx(RISE, rel=0.25)
    share = float(stressed.sum() / (stressed | plain).sum())
    with torch.inference_mode():
        means = module.contours.means(emotions[None], own.style[None])[0, 0]
    assert float(means[F0]) == pytest.approx(2.0 + RISE * share, rel=0.25)
    still = module.contours(torch.zeros_like(emotions), own)
    assert not any(bool(change.any()) for change in still.values())


def test_new_scripts_and_speakers_are_foretold_better_than_by_simpler_guesses(fitted):
    module, made, _ = fitted
    rows = {(row["kind"], row["cell"], row["channel"]): row for row in assess(module, made)}
    for cell in CELLS[1:]:
        pitch = rows["phonemes", cell, "f0_contour"]
        assert pitch["network_r2"] > 0.5
        assert pitch["network_r2"] > pitch["rules_r2"] - 0.05
        assert rows["phonemes", cell, "tilt"]["network_r2"] > -0.2
    for cell in ("script", "speaker"):
        assert rows["mean", cell, "f0_contour"]["network_r2"] > 0.5


def test_loudness_that_means_nothing_is_not_learnt(fitted):
    module, *_ = fitted
    assert ("mean", "script", "level_contour") not in {
        (row["kind"], row["cell"], row["channel"]) for row in assess(module, fitted[1])
    }
    emotions = torch.eye(len(NAMES))[INDEX["Anger"]].expand(1, 1, -1)
    with torch.inference_mode():
        means = module.contours.means(emotions, torch.linspace(-1, 1, 256)[None])[0, 0]
    assert abs(float(means[LEVEL])) < 2.0


def test_what_is_kept_out_is_new():
    clips = actors(scripts=10, speakers=5)
    for fold in range(5):
        cells = split(clips, fold)
        by_cell = {
            cell: [clip for clip, at in zip(clips, cells, strict=True) if at == cell]
            for cell in CELLS
        }
        learnt = by_cell["training"]
        scripts, speakers = ({getattr(entry, n) for entry in learnt} for n in ("script", "speaker"))
        assert (len(scripts), len(speakers)) == (8, 4)
        assert not scripts & {clip.script for clip in by_cell["script"] + by_cell["both"]}
        assert not speakers & {clip.speaker for clip in by_cell["speaker"] + by_cell["both"]}
        assert {clip.script for clip in by_cell["speaker"]} <= scripts


def test_every_emotion_weighs_alike():
    clips = actors(4, 3)
    clips = [clip for i, clip in enumerate(clips) if clip.label != "anger" or i % 2]
    found = weights(clips)
    sums = [sum(found[i] for i, c in enumerate(clips) if c.label == name) for name in LABELS]
    assert sums == pytest.approx([sums[0]] * 3)


def test_a_batch_tells_what_is_known():
    clips = actors(3, 2)
    clips[0].values[3, F0] = torch.nan
    made = data(clips)
    made.setup()
    batch = made.collate([0, 3])
    assert batch["known"][0, 3, F0] == 0
    assert batch["values"].isfinite().all()
    length = len(clips[0].marks)
    assert batch["known"].shape == batch["values"].shape
    assert not batch["known"][0, length:].any()
    assert spread(clips).shape == (len(CHANNELS),)


def target(phrase: Phrase, **changes) -> Target:
    own = read(phrase)
    length = len(own.states)
    columns = {
        name: np.full(length, value, np.float32)
        for value, name in enumerate(("duration", "pause", "f0", "loudness", "tilt", "breath"))
    }
    return Target(
        corpus="emodb",
        path=Path("03a01Wa.wav"),
        speaker="emodb_03",
        label="anger",
        level=None,
        script="a line",
        language="de",
        part=0,
        phrase=phrase,
        voice="af_heart",
        emotions=np.eye(len(NAMES), dtype=np.float32)[INDEX["Anger"]],
        states=own.states.numpy().astype(np.float16),
        style=own.style.numpy(),
        frames=np.full(length, 3),
        level_known=False,
        confidence=1.0,
        **columns | changes,
    )


def test_a_target_becomes_a_clip_in_the_channels_of_the_network():
    phrase = sentence(np.random.default_rng(0))
    made = clip(target(phrase))
    order = "duration", "pause", "f0_contour", "level_contour", "tilt", "breath"
    acts = acts_on(made.marks) > 0
    for value, name in enumerate(order):
        column = made.values[:, CHANNELS.index(name)]
        known = acts[:, CHANNELS.index(name)]
        assert (column[known] == value).all()
        assert column[~known].isnan().all()
    assert (made.label, made.said, made.script) == ("anger", phrase.symbols, "a line")
    leveled = clip(replace(target(phrase), level="strong"))
    assert leveled.label == "anger strong"


def test_a_corpus_that_could_not_be_aligned_is_said(monkeypatch):
    monkeypatch.setattr("training.targets.load", lambda *_: [])
    with pytest.raises(InvalidInput, match="No recording of emodb"):
        ActingData("nowhere", ["emodb"]).load()
    with pytest.raises(InvalidInput, match="No corpus is named"):
        ActingData("nowhere", []).load()


def test_the_checkpoint_speaks_without_its_speakers(fitted, tmp_path):
    module, _, trainer = fitted
    module.export(tmp_path, trainer)
    loaded = Contours.load(tmp_path / "contours.safetensors")
    assert not any("habits" in name or "speaker" in name for name in loaded.state_dict())
    assert (tmp_path / "contours.jsonl").read_text().count("\n") > 10


def test_a_fold_that_there_is_not_is_refused():
    with pytest.raises(InvalidInput, match="0 to 4"):
        data([], fold=5)


CONFIGS = sorted((Path(__file__).parents[1] / "training" / "configs").glob("adapter*.yaml"))


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_a_configuration_names_what_there_is(config):
    from training.__main__ import cli

    made = cli(["--config", str(config)], run=False)
    assert isinstance(made.datamodule, ActingData)
    assert isinstance(made.model, ActingModule)
    if config.stem != "adapter-noncommercial":
        assert not {"ravdess", "nemo"} & set(made.datamodule.corpora)


def test_what_was_foretold_too_boldly_is_acted_less():
    def row(channel: str, slope: float, values: int = 100, cell: str = "script") -> dict:
        return {"kind": "phonemes", "cell": cell, "channel": channel, "values": values,
                "network_slope": slope}  # fmt: skip

    found = trust(
        [
            row("duration", -0.3),
            row("f0_contour", 0.2, 300),
            row("f0_contour", 0.6, 100),
            row("tilt", 1.7),
            row("breath", 0.9, cell="training"),
        ]
    )
    assert dict(zip(CHANNELS, found.tolist(), strict=True)) == pytest.approx(
        {"duration": 0, "pause": 0, "f0_contour": 0.3, "level_contour": 0, "tilt": 1, "breath": 0}
    )
