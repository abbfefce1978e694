"""Aligned acted speech as tensors: the data module of the adapter's network."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import lightning
import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader

from conditioning.audio import Audio
from conditioning.errors import InvalidInput
from conditioning.estimator import EmotionEstimator
from conditioning.files import write_whole
from conditioning.taxonomy import NAMES
from voice_actor.contours import CHANNELS, acts_on, marks_of

from . import targets
from .corpora import CORPORA, corpus
from .targets import Target

FOLDS = 5
FEW = 5  # a corpus of fewer speakers or scripts keeps none of them out
CELLS = ("training", "script", "speaker", "both")  # what of a clip is new to the network


@dataclass(frozen=True, eq=False)
class Clip:
    """An aligned recording beside the backbone's reading of it, as tensors.

    T phonemes with the silence at both ends, D width of states, S of style, M marks, C channels.

    Attributes:
        corpus, speaker, script: as of its `Utterance`.
        label: the corpus's own, with its level if it says one.
        said: its phonemes.
        emotions: (40,), what is acted; zero is neutral.
        states: (T, D).
        style: (S,).
        marks: (T, M).
        values: (T, C), what the recording does otherwise than the reading; nan where unknown.
        level_known: whether its loudness means anything.
    """

    corpus: str
    speaker: str
    script: str
    label: str
    said: str
    emotions: Tensor
    states: Tensor
    style: Tensor
    marks: Tensor
    values: Tensor
    level_known: bool


class ActingData(lightning.LightningDataModule):
    """Acted speech of several corpora, aligned and measured; what is missing is made first.

    Args:
        speech: the folder of the corpora's folders.
        corpora: their names; see `training.corpora`.
        targets: where aligned and measured recordings are kept.
        estimator: whose reading of a recording is blended with its label; None for the label alone.
        confidence: of an alignment below which a recording is left out.
        fold: which fifth of scripts and of speakers is kept out, 0 to 4.
        batch: clips of a step.
        jobs: processes that align and measure.
    """

    def __init__(
        self,
        speech: str,
        corpora: list[str],
        targets: str = "runs/targets",
        estimator: str | None = None,
        confidence: float = 0.0,
        fold: int = 0,
        batch: int = 16,
        jobs: int = 2,
    ):
        super().__init__()
        if not 0 <= fold < FOLDS:
            raise InvalidInput(f"The fold is {fold}; it must be 0 to {FOLDS - 1}.")
        self.options = SimpleNamespace(
            speech=speech,
            corpora=corpora,
            targets=targets,
            estimator=estimator,
            confidence=confidence,
            fold=fold,
            batch=batch,
            jobs=jobs,
        )
        self._clips: list[Clip] | None = None

    def prepare_data(self) -> None:
        self.load()

    def load(self) -> list[Clip]:
        """Every clip, those that are kept out included."""
        if self._clips is None:
            self._clips = load(self.options)
        return self._clips

    def use(self, clips: Sequence[Clip]) -> None:
        """Take what is loaded already."""
        self._clips = list(clips)

    def setup(self, stage: str | None = None) -> None:
        clips = self.load()
        self.cells = split(clips, self.options.fold)
        self.weights = weights(clips)
        known = [clip for clip, cell in zip(clips, self.cells, strict=True) if cell == "training"]
        self.speakers = sorted({clip.speaker for clip in known})
        self.spread = spread(known)

    @property
    def corpora(self) -> list[str]:
        return self.options.corpora

    def train_dataloader(self) -> DataLoader:
        return self._loader(["training"], shuffle=True)

    def val_dataloader(self) -> DataLoader:
        return self._loader(CELLS[1:], shuffle=False)

    def _loader(self, cells: Sequence[str], shuffle: bool) -> DataLoader:
        rows = [row for row, cell in enumerate(self.cells) if cell in cells]
        return DataLoader(rows, self.options.batch, shuffle, collate_fn=self.collate)

    def collate(self, rows: Sequence[int]) -> dict[str, Tensor]:
        """A batch of B clips, padded with zeros; `known` (B, T, C) tells values from nothing.

        A speaker who is not learnt from is number 0.
        """
        clips = [self.load()[row] for row in rows]
        names = {name: number for number, name in enumerate(self.speakers, 1)}

        def padded(name: str) -> Tensor:
            return pad_sequence([getattr(clip, name).float() for clip in clips], batch_first=True)

        values = pad_sequence([clip.values for clip in clips], True, torch.nan)
        return {
            "states": padded("states"),
            "marks": padded("marks"),
            "style": torch.stack([clip.style for clip in clips]),
            "emotions": torch.stack([clip.emotions for clip in clips]),
            "values": values.nan_to_num(0.0),
            "known": values.isfinite().float(),
            "level_known": torch.tensor([float(clip.level_known) for clip in clips]),
            "speaker": torch.tensor([names.get(clip.speaker, 0) for clip in clips]),
            "corpus": torch.tensor([self.corpora.index(clip.corpus) for clip in clips]),
            "weight": torch.tensor(self.weights[list(rows)], dtype=torch.float32),
        }


def split(clips: Sequence[Clip], fold: int) -> list[str]:
    """Which of `CELLS` each clip is in: a fifth of a corpus's scripts and of its speakers is new.

    Which is which is drawn once for all folds; a corpus with a few of either keeps none out.
    """
    new: dict[str, set[tuple[str, str]]] = {"script": set(), "speaker": set()}
    for kind, chosen in new.items():
        for name in {clip.corpus for clip in clips}:
            there = sorted({getattr(clip, kind) for clip in clips if clip.corpus == name})
            if len(there) < FEW:
                continue
            order = np.random.default_rng(0).permutation(len(there))
            chosen.update((name, there[place]) for place in order[fold::FOLDS])
    cells = []
    for clip in clips:
        script = (clip.corpus, clip.script) in new["script"]
        speaker = (clip.corpus, clip.speaker) in new["speaker"]
        cells.append(CELLS[script + 2 * speaker])
    return cells


def weights(clips: Sequence[Clip]) -> np.ndarray:
    """(N,): every emotion of a corpus counts alike, and a corpus as the square root of its size."""
    kinds = [(clip.corpus, clip.label) for clip in clips]
    corpora = [name for name, _ in kinds]
    labels = {name: len({kind for kind in kinds if kind[0] == name}) for name in corpora}
    found = np.array(
        [corpora.count(kind[0]) ** 0.5 / labels[kind[0]] / kinds.count(kind) for kind in kinds]
    )
    return found / found.mean()


def spread(clips: Sequence[Clip]) -> Tensor:
    """(C,): half the width of the middle two thirds of a channel's values, about their median."""
    values = torch.cat([clip.values for clip in clips]).numpy()
    wide = np.ones(len(CHANNELS), np.float32)
    for column, known in enumerate(values.T):
        if len(known := known[np.isfinite(known)]):
            low, high = np.percentile(known, [16, 84])
            wide[column] = max((high - low) / 2, 1e-3)
    return torch.from_numpy(wide)


def load(options: SimpleNamespace) -> list[Clip]:
    """Reads the targets of corpora and what is heard in them, making what is missing.

    Raises:
        InvalidInput: no corpus is named, or none of a corpus's recordings could be aligned.
    """
    if not options.corpora:
        raise InvalidInput("No corpus is named; give some of " + ", ".join(CORPORA) + ".")
    clips = []
    for name in options.corpora:
        heard = None
        if options.estimator is not None:
            heard = intensities(name, options)
        found = targets.load(
            options.speech, [name], options.targets, options.jobs, heard, options.confidence
        )
        if not found:
            raise InvalidInput(f"No recording of {name} could be aligned; look at its folder.")
        clips += [clip(target) for target in found]
    return clips


def clip(target: Target) -> Clip:
    """A target's arrays as tensors, in the channels of `Contours`."""
    measured = {"f0_contour": target.f0, "level_contour": target.loudness}
    columns = [measured.get(name, getattr(target, name, None)) for name in CHANNELS]
    values = torch.from_numpy(np.stack(columns, axis=1)).float()
    marks = marks_of(target.phrase)
    return Clip(
        corpus=target.corpus,
        speaker=target.speaker,
        script=target.script,
        label=" ".join(filter(None, (target.label, target.level))),
        said=target.phonemes,
        emotions=torch.from_numpy(target.emotions),
        states=torch.from_numpy(target.states),
        style=torch.from_numpy(target.style).float(),
        marks=marks,
        values=torch.where(acts_on(marks) > 0, values, torch.nan),
        level_known=target.level_known,
    )


def intensities(name: str, options: SimpleNamespace) -> dict[str, np.ndarray]:
    """What the estimator hears in each recording of a corpus, (40,) by file name; kept."""
    place = Path(options.targets) / f"heard-{options.estimator}-{name}.npz"
    if not place.is_file():
        estimator = EmotionEstimator.load(options.estimator)
        found = {}
        for utterance in corpus(name, Path(options.speech) / name):
            estimate = estimator.estimate(Audio.load(utterance.path))
            if estimate.speech:
                heard = [estimate.intensities[category] for category in NAMES]
                found[utterance.path.name] = np.array(heard, np.float32)
        place.parent.mkdir(parents=True, exist_ok=True)
        stream = io.BytesIO()
        np.savez_compressed(stream, **found)
        write_whole(place, stream.getvalue())
    with np.load(place) as kept:
        return dict(kept)
