"""What the interpreter's head learns from: comments with labels, written directions, single words.

The encoder is frozen, so that each text goes through it once; the token states of the comments are
kept in a folder as memory maps.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import lightning
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from conditioning.emotion import EmotionVector
from conditioning.errors import InvalidInput
from conditioning.interpreter import LABELS, LAYERS, meaning
from conditioning.lexicon import LEXICON, NEUTRAL, PLAIN
from conditioning.pictographs import named
from conditioning.sentences import CHANNELS, SentenceEncoder
from conditioning.taxonomy import CATEGORIES

DIRECTIONS = Path(__file__).parent / "directions"
LINES = Path(__file__).parent / "lines"
SPLITS = ("train", "dev", "test")
_VERSION = "1"
# A word alone, and in frames that say nothing themselves: the head is to know the words of the
# lexicon in whatever company they come.
FRAMES = ("{}", "say it {}", "sounding {}")
_BATCH = 64  # texts encoded at once
_HELD_OUT = 10  # one direction in so many is for dev


@dataclass(frozen=True, eq=False)
class Texts:
    """N texts with the states of their tokens and what is known of them.

    Attributes:
        texts: as they were read.
        states: (tokens of all texts, L, D), float16.
        starts, lengths: (N,): where each text's tokens lie.
        labels: (N, 28): of GoEmotions, 0 or 1; all nan where a text has none.
        asked: (N, 40): intensities in [0, 1].
        spoken: (N, 40), bool: the categories that the source could have named in this text.
    """

    texts: Sequence[str]
    states: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray
    labels: np.ndarray
    asked: np.ndarray
    spoken: np.ndarray

    def __len__(self) -> int:
        return len(self.lengths)

    def batch(self, rows: np.ndarray) -> dict[str, Tensor]:
        """States (B, T, L, D), mask (B, T) and what is known of some rows."""
        lengths = self.lengths[rows]
        mask = np.arange(lengths.max()) < lengths[:, None]
        places = np.where(mask, self.starts[rows][:, None] + np.arange(mask.shape[1]), 0)
        return {
            "states": torch.from_numpy(self.states[places]).float(),
            "mask": torch.from_numpy(mask),
            "labels": torch.from_numpy(self.labels[rows]),
            "asked": torch.from_numpy(self.asked[rows]),
            "place": torch.from_numpy(places_of(self.asked[rows])),
            "spoken": torch.from_numpy(self.spoken[rows]),
        }

    def in_order(self, size: int = 256) -> Iterator[tuple[np.ndarray, dict[str, Tensor]]]:
        """Every row once, those of like length together."""
        order = np.argsort(self.lengths, kind="stable")
        for first in range(0, len(order), size):
            rows = order[first : first + size]
            yield rows, self.batch(rows)


def places_of(asked: np.ndarray) -> np.ndarray:
    """Valence, arousal and dominance (N, 3) of intensities (N, 40).

    The mean of the categories' places by intensity; nearer to neutral where less than a plain
    emotion is asked for in all.
    """
    places = np.array([(each.valence, each.arousal, each.dominance) for each in CATEGORIES])
    total = asked.sum(1, keepdims=True)
    return (asked @ places / np.maximum(total, PLAIN)).astype(np.float32)


def comments(folder: Path, split: str) -> tuple[list[str], np.ndarray]:
    """Texts and labels (N, 28) of a split of GoEmotions (D. Demszky et al. 2020, Apache-2.0).

    Raises:
        InvalidInput: no such file, or labels in another order.
    """
    path = folder / f"{split}.tsv"
    try:
        names = tuple((folder / "labels.txt").read_text(encoding="utf-8").split())
        rows = [line.split("\t") for line in path.read_text(encoding="utf-8").split("\n") if line]
    except OSError as error:
        raise InvalidInput(
            f"{path} cannot be read ({error.strerror}); name GoEmotions' folder with --text."
        ) from None
    if names != LABELS:
        raise InvalidInput(f"{folder}/labels.txt lists other labels than the 28 of the taxonomy.")
    labels = np.zeros((len(rows), len(LABELS)), np.float32)
    for index, (_, numbers, *_) in enumerate(rows):
        labels[index, [int(number) for number in numbers.split(",")]] = 1
    return [row[0] for row in rows], labels


def meant(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What labels (N, 28) of lines ask for, and which categories they could name, each (N, 40).

    A line that is called neutral and nothing else has none of the 40, not even those for which
    there is no label.
    """
    table = PLAIN * meaning().numpy()
    asked = (labels[:, :, None] * table).max(1)
    return asked, table.any(0) | ~asked.any(1, keepdims=True)


def written(folder: Path) -> list[tuple[str, np.ndarray]]:
    """The written directions or lines, each with its intensities (40,); a neutral one has none.

    Raises:
        InvalidInput: a row that cannot be read.
    """
    found: dict[str, np.ndarray] = {}
    for path in sorted(folder.glob("*.tsv")):
        lines = path.read_text(encoding="utf-8").split("\n")[1:]
        for number, line in enumerate(lines, start=2):
            if not line.strip():
                continue
            text, tab, emotions = line.partition("\t")
            if not tab or not text.strip():
                raise InvalidInput(f"{path}, line {number}: write text, tab, emotions.")
            vector = EmotionVector.parse(emotions) if emotions.strip() else EmotionVector()
            found[text.strip()] = np.array(vector.to_list(), np.float32)
    return list(found.items())


def words() -> list[tuple[str, np.ndarray]]:
    """The lexicon's words in `FRAMES`, and the categories' own words."""
    phrases = {phrase: EmotionVector(meaning) for phrase, meaning in LEXICON.items()}
    phrases |= {phrase: EmotionVector() for phrase in NEUTRAL}
    return [
        (frame.format(phrase), np.array(vector.to_list(), np.float32))
        for phrase, vector in phrases.items()
        for frame in FRAMES
    ]


def held_out(text: str) -> bool:
    """Whether a written text is kept for dev: the same ones for ever, whatever is added."""
    digest = hashlib.sha256(f"dev {text}".encode()).digest()
    return int.from_bytes(digest[:4], "big") % _HELD_OUT == 0


def encoded(
    encoder: SentenceEncoder, texts: Sequence[str], path: Path | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """States, starts and lengths of texts (see `Texts`), in memory or in a new file.

    A text longer than a window gives its first window; one comment of GoEmotions is.
    """
    ids = [encoder.windows(named(text).text)[0] for text in texts]
    lengths = np.array([len(window.ids) for window in ids])
    order = np.argsort(lengths, kind="stable")
    starts = np.zeros_like(lengths)
    starts[order] = np.cumsum(lengths[order]) - lengths[order]
    shape = (int(lengths.sum()), len(LAYERS), CHANNELS)
    if path is None:
        states = np.zeros(shape, np.float16)
    else:
        states = np.lib.format.open_memmap(path, "w+", np.float16, shape)
    done = 0
    for layers, mask in encoder.states([ids[index] for index in order], _BATCH):
        some = torch.stack([layers[layer] for layer in LAYERS], dim=2)[mask].half().numpy()
        states[done : done + len(some)] = some
        done += len(some)
    return states, starts, lengths


def texts_of(encoder: SentenceEncoder, pairs: Sequence[tuple[str, np.ndarray]]) -> Texts:
    """Written texts or words, encoded."""
    texts, asked = [text for text, _ in pairs], np.stack([vector for _, vector in pairs])
    labels = np.full((len(texts), len(LABELS)), np.nan, np.float32)
    return Texts(texts, *encoded(encoder, texts), labels, asked, np.ones(asked.shape, bool))


def comments_of(encoder: SentenceEncoder, folder: Path, split: str, cache: Path) -> Texts:
    """A split of GoEmotions, encoded, or read from `cache` where it has been encoded before."""
    texts, labels = comments(folder, split)
    known = json.dumps([_VERSION, LAYERS, texts])
    name = f"goemotions-{split}-{hashlib.sha256(known.encode()).hexdigest()[:12]}"
    path, index = cache / f"{name}.npy", cache / f"{name}.npz"
    if not index.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        _, starts, lengths = encoded(encoder, texts, path)
        np.savez(index, starts=starts, lengths=lengths)  # last: its presence says that all is done
    places = np.load(index)
    states = np.load(path, mmap_mode="r")
    asked, spoken = meant(labels)
    return Texts(texts, states, places["starts"], places["lengths"], labels, asked, spoken)


class InterpreterData(lightning.LightningDataModule):
    """Batches of comments, each with some directions and words: those are few and come often.

    Args:
        text: GoEmotions' folder.
        cache: where token states are kept.
        lines, asked, said, single: comments, directions, written lines and words in a batch.
    """

    def __init__(
        self,
        text: str = "../shared/data/text/goemotions",
        cache: str = "runs/interpret",
        lines: int = 128,
        asked: int = 64,
        said: int = 48,
        single: int = 16,
        seed: int = 0,
    ):
        super().__init__()
        self.save_hyperparameters()
        self.comments: dict[str, Texts] = {}

    def setup(self, stage: str | None = None) -> None:
        if self.comments:
            return
        encoder = SentenceEncoder.load()
        folder, cache = Path(self.hparams.text), Path(self.hparams.cache)
        self.comments = {split: comments_of(encoder, folder, split, cache) for split in SPLITS}
        asked, said = written(DIRECTIONS), written(LINES)
        learnt = [row for row in asked if not held_out(row[0])]
        self.written = len(learnt)
        self.directions = texts_of(encoder, learnt + words())
        self.said = texts_of(encoder, [row for row in said if not held_out(row[0])])
        self.dev = texts_of(encoder, [row for row in asked if held_out(row[0])])
        self.dev_said = texts_of(encoder, [row for row in said if held_out(row[0])])

    def train_dataloader(self) -> DataLoader:
        return DataLoader(_Batches(self), batch_size=None)


class _Batches(Dataset):
    """One epoch's batches: `Texts.batch` of comments, of directions and words, of lines."""

    def __init__(self, data: InterpreterData):
        self.data = data
        options = data.hparams
        epoch = data.trainer.current_epoch
        self.rng = np.random.default_rng((options.seed, epoch))
        lines = data.comments["train"]
        # Like lengths together, but not the same comments every time.
        noisy = lines.lengths + self.rng.uniform(0, 2, len(lines))
        parts = np.array_split(np.argsort(noisy), -(-len(lines) // options.lines))
        self.lines = [parts[index] for index in self.rng.permutation(len(parts))]
        written, single = data.written, len(data.directions) - data.written
        self.asked = np.concatenate(
            [
                self._rounds(written, options.asked),
                written + self._rounds(single, options.single),
            ],
            axis=1,
        )
        self.said = self._rounds(len(data.said), options.said)

    def __len__(self) -> int:
        return len(self.lines)

    def __getitem__(self, index: int) -> dict[str, dict[str, Tensor]]:
        return {
            "lines": self.data.comments["train"].batch(self.lines[index]),
            "asked": self.data.directions.batch(self.asked[index]),
            "said": self.data.said.batch(self.said[index]),
        }

    def _rounds(self, count: int, size: int) -> np.ndarray:
        """Rows for every batch (batches, size): all in turn, in a new order each time round."""
        needed = len(self.lines) * size
        rounds = [self.rng.permutation(count) for _ in range(-(-needed // count))]
        return np.concatenate(rounds)[:needed].reshape(-1, size)
