"""Speech with what its corpora say of it, as tensors: the data module of the estimator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import lightning
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import BatchSampler, DataLoader, Dataset, RandomSampler, SequentialSampler

from conditioning.errors import InvalidInput
from conditioning.pooling import habits
from conditioning.taxonomy import CATEGORIES, INDEX, NAMES

from .augment import COPIES
from .corpora import CORPORA, Utterance, corpus
from .features import features, nonspeech_features

# What share of full intensity a corpus's words for it mean; a corpus that says nothing is taken to
# mean three quarters, at a third of the weight.
STRENGTHS = {"low": 0.3, "normal": 0.5, "medium": 0.6, "strong": 1.0, "high": 1.0}
UNSTATED, UNSTATED_WEIGHT = 0.75, 0.3
# Ordinary acting lies nearer to neutral than the emotion's place in the norms.
PLACE_OF = {"low": 0.5, "normal": 0.75, "medium": 0.75}
NONSPEECH = 600  # generated sounds
PLACES = np.array([(entry.valence, entry.arousal, entry.dominance) for entry in CATEGORIES])


@dataclass(frozen=True)
class Speech:
    """N utterances in C copies: features and labels. K acted classes, D features, V voices.

    Attributes:
        utterances: N of them.
        classes: names of the acted classes: "neutral", then categories.
        features: (N, C, D), float32.
        voice: (N,), index of who speaks.
        means, deviations: (V, C, D): the voices' baselines, each copy another voice.
        target: (N, K), share of each class; all zero where the utterance is not acted.
        known: (N, K), which classes its corpus can tell apart.
        strength, strength_weight: (N,); 0 neutral, 1 full.
        place: (N, 3), valence, arousal and dominance of the label.
        weight: (N,): every class of a corpus counts alike; 0 where nothing acted is known.
        speech: (N,): 1 speech, 0 another sound.
    """

    utterances: tuple[Utterance | None, ...]
    classes: tuple[str, ...]
    features: np.ndarray
    voice: np.ndarray
    means: np.ndarray
    deviations: np.ndarray
    target: np.ndarray
    known: np.ndarray
    strength: np.ndarray
    strength_weight: np.ndarray
    place: np.ndarray
    weight: np.ndarray
    speech: np.ndarray

    def field(self, name: str) -> np.ndarray:
        """(N,) of an attribute of the utterances; "" for sounds that are none."""
        return np.array([getattr(entry, name, None) or "" for entry in self.utterances])


class Rows(Dataset):
    """Batches of some rows of `Speech`, each row in each of its copies."""

    def __init__(self, speech: Speech, rows: np.ndarray, copies: int):
        self.speech, self.rows, self.copies = speech, rows, copies

    def __len__(self) -> int:
        return len(self.rows) * self.copies

    def __getitem__(self, places: Sequence[int]) -> dict[str, Tensor]:
        places = np.asarray(places)
        row, copy = self.rows[places // self.copies], places % self.copies
        voice = self.speech.voice[row]
        arrays = {
            "features": self.speech.features[row, copy],
            "mean": self.speech.means[voice, copy],
            "std": self.speech.deviations[voice, copy],
        } | {
            name: getattr(self.speech, name)[row]
            for name in "target known strength strength_weight place weight speech".split()
        }
        return {
            name: torch.as_tensor(value, dtype=torch.bool if name == "known" else torch.float32)
            for name, value in arrays.items()
        }


class EmotionData(lightning.LightningDataModule):
    """Acted speech of several corpora, in folders named after them.

    Args:
        speech: the folder of the corpora's folders.
        corpora: their names; see `training.corpora`.
        copies: augmented copies of each recording; see `augment.COPIES`.
        validation: speakers of each acted corpus that are kept out, to stop in time.
        held_out: speakers that are kept out altogether.
        without: corpora whose recordings are kept out, as when they are the test.
        cache: where measured features are kept.
        batch: rows of a step.
        jobs: processes that measure features.
    """

    def __init__(
        self,
        speech: str,
        corpora: list[str],
        copies: list[str] = list(COPIES),  # noqa: B006 - jsonargparse shows it; nothing changes it
        validation: int = 1,
        held_out: list[str] | None = None,
        without: list[str] | None = None,
        cache: str = "runs/features",
        batch: int = 256,
        jobs: int = 2,
    ):
        super().__init__()
        self.options = SimpleNamespace(
            speech=speech,
            corpora=corpora,
            copies=copies,
            validation=validation,
            held_out=held_out or [],
            without=without or [],
            cache=cache,
            batch=batch,
            jobs=jobs,
        )
        self._speech: Speech | None = None

    def prepare_data(self) -> None:
        self.load()

    def setup(self, stage: str | None = None) -> None:
        speech = self.load()
        speakers, corpora = speech.field("speaker"), speech.field("corpus")
        kept = ~np.isin(speakers, self.options.held_out)
        kept &= ~np.isin(corpora, self.options.without)
        kept |= speech.speech == 0
        last = []
        for name in self.options.corpora:
            if not CORPORA[name].synthetic:
                known = sorted(set(speakers[kept & (corpora == name)]))
                last += known[len(known) - self.options.validation :]
        stopping = kept & np.isin(speakers, last)
        self.training = np.flatnonzero(kept & ~stopping)
        self.stopping = np.flatnonzero(stopping)

    def load(self) -> Speech:
        """Everything that is known, held-out speakers included."""
        if self._speech is None:
            self._speech = load(
                self.options.speech,
                self.options.corpora,
                self.options.copies,
                self.options.cache,
                self.options.jobs,
            )
        return self._speech

    def use(self, speech: Speech) -> None:
        """Take what another data module of the same corpora has loaded."""
        self._speech = speech

    def train_dataloader(self) -> DataLoader:
        return self._loader(self.training, len(self.options.copies), RandomSampler)

    def val_dataloader(self) -> DataLoader | list:
        return self._loader(self.stopping, 1, SequentialSampler) if len(self.stopping) else []

    def _loader(self, rows: np.ndarray, copies: int, order) -> DataLoader:
        data = Rows(self.load(), rows, copies)
        batches = BatchSampler(order(data), self.options.batch, drop_last=False)
        return DataLoader(data, sampler=batches, batch_size=None)


def load(
    speech: str | Path, corpora: Sequence[str], copies: Sequence[str], cache: str | Path, jobs: int
) -> Speech:
    """Reads corpora and measures their features.

    Raises:
        InvalidInput: no such folder, or one that does not hold its corpus.
        UnknownName: no such corpus.
    """
    if not corpora:
        raise InvalidInput("No corpus is named; give some of " + ", ".join(CORPORA) + ".")
    folders = [corpus(name, Path(speech) / name) for name in corpora]
    utterances: list[Utterance | None] = []
    found = []
    for folder in folders:
        some = list(folder)
        utterances += some
        found.append(features([entry.path for entry in some], copies, cache, jobs))
    sounds = nonspeech_features(NONSPEECH, cache)
    # A sound that is not speech has no copies: it stands for each.
    found.append(np.repeat(sounds[:, None], len(copies), axis=1))
    utterances += [None] * len(sounds)
    measured = np.concatenate(found)
    kept = np.isfinite(measured).all((1, 2))
    # A clip cut short still carries its acting; synthetic speech that ran away does not.
    kept &= np.array(
        [
            entry is None or entry.whole or not CORPORA[entry.corpus].synthetic
            for entry in utterances
        ]
    )
    utterances = [entry for entry, keep in zip(utterances, kept, strict=True) if keep]
    measured = measured[kept]

    acted = {name for name in corpora if not CORPORA[name].synthetic}
    if not acted:
        raise InvalidInput(
            f"No corpus of acted speech is named, only {', '.join(corpora)}; add one such as emodb."
        )
    named = {category for name in acted for category in CORPORA[name].categories}
    classes = ("neutral", *(name for name in NAMES if name in named))
    by_name = {folder.name: folder for folder in folders}
    labels = [_labels(entry, by_name, acted, classes) for entry in utterances]
    target, known, strength, strength_weight, place = map(np.array, zip(*labels, strict=True))
    speakers = [entry.speaker if entry else "" for entry in utterances]
    voices = sorted(set(speakers))
    voice = np.array([voices.index(name) for name in speakers])
    means, deviations = _baselines(measured, voice, np.array(speakers) != "")
    return Speech(
        utterances=tuple(utterances),
        classes=classes,
        features=measured,
        voice=voice,
        means=means,
        deviations=deviations,
        target=target,
        known=known,
        strength=strength,
        strength_weight=strength_weight,
        place=place,
        weight=_weights(utterances, target),
        speech=np.array([entry is not None for entry in utterances], dtype=np.float32),
    )


def _labels(utterance: Utterance | None, folders, acted: set[str], classes: Sequence[str]):
    """Target (K,), known (K,), strength, its weight, and place (3,) of one utterance."""
    target, known = np.zeros(len(classes)), np.zeros(len(classes), bool)
    place = np.zeros(3)
    if utterance is None or utterance.corpus not in acted:
        return target, known, 0.0, 0.0, place
    known[0] = True
    for name in folders[utterance.corpus].known(utterance):
        known[classes.index(name)] = True
    shares = dict(utterance.emotions)
    if not shares:
        target[0] = 1
        return target, known, 0.0, 1.0, place
    for name, share in shares.items():
        target[classes.index(name)] = share / sum(shares.values())
        place += PLACES[INDEX[name]] * target[classes.index(name)]
    if utterance.level in STRENGTHS:
        strength, sure = STRENGTHS[utterance.level], 1.0
    else:
        strength, sure = UNSTATED, UNSTATED_WEIGHT
    return target, known, strength, sure, place * PLACE_OF.get(utterance.level, 1.0)


def _weights(utterances: Sequence[Utterance | None], target: np.ndarray) -> np.ndarray:
    """Every class of a corpus counts alike, and a corpus as the square root of its size."""
    corpora = np.array([entry.corpus if entry else "" for entry in utterances])
    classes = target.argmax(1)
    weight = np.zeros(len(target))
    for name in sorted(set(corpora)):
        inside = (corpora == name) & (target.sum(1) > 0)
        present = sorted(set(classes[inside]))
        for index in present:
            some = inside & (classes == index)
            weight[some] = np.sqrt(inside.sum()) / (some.sum() * len(present))
    return weight / weight[weight > 0].mean()


def _baselines(measured: np.ndarray, voice: np.ndarray, speech: np.ndarray):
    """Means and deviations (V, C, D) of the voices, as the estimator makes them of takes.

    The general voice, which counts as three takes, is the mean of all that is loaded: of recordings
    that are held out, this much is known, but no label.
    """
    count, copies, width = voice.max() + 1, measured.shape[1], measured.shape[2]
    means, deviations = np.zeros((2, count, copies, width), np.float32)
    general = measured[speech, 0].mean(0), measured[speech, 0].std(0)
    for who in range(count):
        for copy in range(copies):
            takes = measured[voice == who, copy]
            means[who, copy], deviations[who, copy] = habits(takes, *general)
    return means, deviations
