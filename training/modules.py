"""The Lightning module that fits the estimator's heads."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

import lightning
import numpy as np
import torch
from torch import Tensor, nn

from conditioning.files import check_place, write_whole
from conditioning.pooling import Listener
from conditioning.taxonomy import CATEGORIES, INDEX, NAMES, fingerprint

from .data import PLACES, EmotionData, Rows, Speech

# Of the closed-form scores. A category's neighbours share in its clips: with a dozen clips each,
# a mean of like categories is a better guide than one alone.
RIDGE = 4000.0
NEAR, FAMILY, WIDTH = 0.3, 0.2, 0.2
STRENGTH = 6.0  # weight of the strength's error, which is small in itself


class EstimatorModule(lightning.LightningModule):
    """Fits a `conditioning.pooling.Listener`, both its branches at once.

    B batch, K acted classes. The loss is the cross-entropy over the classes that a corpus can tell
    apart, the error and the concordance of valence, arousal and dominance, and the errors of the
    strength and of whether it is speech at all. The scores of synthetic categories are solved when
    the descent is over.

    Args:
        learning_rate, decay: of AdamW.
        smoothing: share of the target spread over a corpus's classes.
        synthetic: categories that have no acted speech but whose scores hold on unseen voices and
            scripts; the others are inferred.
    """

    def __init__(
        self,
        learning_rate: float = 1e-3,
        decay: float = 0.1,
        smoothing: float = 0.05,
        synthetic: list[str] | None = None,
    ):
        super().__init__()
        self.save_hyperparameters()
        self.listener: Listener | None = None

    def configure_model(self) -> None:
        if self.listener is not None:
            return
        data: EmotionData = self.trainer.datamodule
        speech = data.load()
        self.listener = Listener(
            speech.features.shape[2], speech.classes, self.hparams.synthetic or []
        )
        rows = data.training[speech.speech[data.training] == 1]
        known = speech.features[rows].reshape(-1, speech.features.shape[2])
        self.listener.mean.copy_(torch.from_numpy(known.mean(0)))
        self.listener.std.copy_(torch.from_numpy(known.std(0) + 1e-3))

    def configure_optimizers(self):
        optimizer = torch.optim.AdamW(
            self.listener.parameters(), self.hparams.learning_rate, weight_decay=self.hparams.decay
        )
        return scheduled(optimizer, self.trainer)

    def training_step(self, batch: dict[str, Tensor]) -> Tensor:
        found = self.listener.both(batch["features"], batch["mean"], batch["std"])
        losses = self._losses(found["alone"], batch) + self._losses(found["against"], batch)
        heard = self.listener.speech(self.listener.standard(batch["features"]))[:, 0]
        losses += nn.functional.binary_cross_entropy_with_logits(heard, batch["speech"])
        self.log("loss", losses, prog_bar=True)
        return losses

    def _losses(self, heard: dict[str, Tensor], batch: dict[str, Tensor]) -> Tensor:
        weight, known = batch["weight"], batch["known"]
        if not weight.any():
            return heard["classes"].sum() * 0
        smooth = known / known.sum(1, keepdim=True).clamp_min(1)
        target = (1 - self.hparams.smoothing) * batch["target"] + self.hparams.smoothing * smooth
        logits = heard["classes"].masked_fill(~known, -1e4).log_softmax(1)
        crossed = -(target * logits * known).sum(1)
        missed = (heard["place"] - batch["place"]).square().sum(1)
        strength = (heard["strength"] - batch["strength"]).square() * batch["strength_weight"]
        mean = (weight * (crossed + missed + STRENGTH * strength)).sum() / len(weight)
        acted = weight > 0
        return mean + 0.5 * discordance(heard["place"][acted], batch["place"][acted], weight[acted])

    def on_validation_epoch_start(self) -> None:
        self._seen: list[tuple[Tensor, ...]] = []

    def validation_step(self, batch: dict[str, Tensor]) -> None:
        found = self.listener.both(batch["features"], batch["mean"], batch["std"])
        masked = [
            heard["classes"].masked_fill(~batch["known"], -1e4).argmax(1)
            for heard in found.values()
        ]
        self._seen.append((batch["target"].argmax(1), *masked))

    def on_validation_epoch_end(self) -> None:
        actual, *guesses = (torch.cat(column) for column in zip(*self._seen, strict=True))
        recalls = [
            torch.stack([(guess[actual == k] == k).float().mean() for k in actual.unique()]).mean()
            for guess in guesses
        ]
        self.log("recall_alone", recalls[0])
        self.log("recall_against", recalls[1])
        self.log("recall", sum(recalls) / 2, prog_bar=True)

    def on_fit_end(self) -> None:
        data: EmotionData = self.trainer.datamodule
        settle(self.listener, data.load(), data.training)

    def export(self, folder: Path, trainer: lightning.Trainer) -> None:
        """Write `estimator.safetensors`, which `PoolingEstimator.from_file` opens.

        The heads are those of the epoch that was best for the speakers kept out to stop in time.
        """
        best = getattr(trainer.checkpoint_callback, "best_model_path", "")
        if best:
            state = torch.load(best, weights_only=True)["state_dict"]
            self.load_state_dict(state)
        data: EmotionData = trainer.datamodule
        settle(self.listener, data.load(), data.training)
        described = {"front": "whisper", "corpora": list(data.options.corpora)}
        save_estimator(folder / "estimator.safetensors", {"head": self.listener}, described)


def scheduled(optimizer: torch.optim.Optimizer, trainer: lightning.Trainer) -> dict:
    """The optimiser with a rate that rises for a fifth of the steps and falls as a cosine."""
    total = max(2, int(trainer.estimated_stepping_batches))

    def rate(step: int) -> float:
        done = min(1.0, step / total)
        return done / 0.2 if done < 0.2 else 0.5 + 0.5 * math.cos(math.pi * (done - 0.2) / 0.8)

    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
    return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def discordance(heard: Tensor, asked: Tensor, weight: Tensor) -> Tensor:
    """1 less the concordance correlation (Lin 1989), over rows (B, 3), mean of the columns."""
    weight = weight[:, None] / weight.sum()
    mean_heard, mean_asked = (weight * heard).sum(0), (weight * asked).sum(0)
    spread = (weight * (heard - mean_heard).square()).sum(0)
    spread = spread + (weight * (asked - mean_asked).square()).sum(0)
    shared = (weight * (heard - mean_heard) * (asked - mean_asked)).sum(0)
    return (1 - 2 * shared / (spread + (mean_heard - mean_asked).square() + 1e-6)).mean()


def nearness() -> np.ndarray:
    """(40, 40): how far a clip of one category speaks for another."""
    distance = np.square(PLACES[:, None] - PLACES[None]).sum(2)
    families = np.array([entry.family for entry in CATEGORIES])
    alike = families[:, None] == families[None]
    return np.eye(len(NAMES)) + NEAR * np.exp(-distance / WIDTH) + FAMILY * alike


def settle(listener: Listener, speech: Speech, rows: np.ndarray) -> None:
    """Sets what is solved rather than descended to: the scores, and where speech begins.

    Descent tells speech from other sounds long before it has moved the bias, so that the bound is
    set midway between the least speechlike hundredth of speech and the most of other sounds.
    """
    solve_scores(listener, speech, rows)
    heard = speech.speech[rows] == 1
    if heard.all():
        return
    with torch.inference_mode():
        logits = listener.speech(listener.standard(torch.from_numpy(speech.features[rows])))[..., 0]
    low, high = np.percentile(logits[heard], 1), np.percentile(logits[~heard], 99)
    listener.speech.bias.data -= (low + high) / 2


def solve_scores(listener: Listener, speech: Speech, rows: np.ndarray) -> None:
    """Sets the rows of scores, of both branches, by ridge regression on synthetic acting.

    Voices are centred first, so that no score depends on who speaks. Scores are scaled to unit
    deviation over the clips as they would be had each been left out.
    """
    acted = speech.weight > 0
    rows = np.array([row for row in rows if speech.speech[row] and not acted[row]], dtype=int)
    if not len(rows):
        return
    target = np.zeros((len(rows), len(NAMES)))
    for place, row in enumerate(rows):
        for name, share in speech.utterances[row].emotions.items():
            target[place, INDEX[name]] = share
    target = target @ nearness()
    target -= target.mean(0)
    copies = speech.features.shape[1]
    stacked = np.tile(target, (copies, 1))
    for branch, measured in _measured(listener, speech, rows).items():
        inner = measured @ measured.T
        inverse = np.linalg.inv(inner + RIDGE * copies * np.eye(len(inner)))
        solved = inverse @ stacked
        left_out = stacked - solved / np.diag(inverse)[:, None]
        scores = (measured.T @ solved) / left_out[: len(rows)].std(0)
        getattr(listener, branch).scores.copy_(torch.from_numpy(scores.T.astype(np.float32)))


def _measured(listener: Listener, speech: Speech, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Features of each branch, (C N, D), every voice's copy centred."""
    found: dict[str, list[np.ndarray]] = {"alone": [], "against": []}
    voice = speech.voice[rows]
    for copy in range(speech.features.shape[1]):
        raw = torch.from_numpy(speech.features[rows, copy])
        means, deviations = speech.means[voice, copy], speech.deviations[voice, copy]
        found["alone"].append(listener.standard(raw).numpy())
        relative = listener.relative(raw, torch.from_numpy(means), torch.from_numpy(deviations))
        found["against"].append(relative.numpy())
        for measured in (found["alone"][-1], found["against"][-1]):
            for who in set(voice):
                measured[voice == who] -= measured[voice == who].mean(0)
    return {name: np.concatenate(parts).astype(np.float64) for name, parts in found.items()}


def save_estimator(path: str | Path, parts: dict[str, nn.Module], described: dict) -> None:
    """Write modules and what is said of them to a safetensors file, whole or not at all."""
    from safetensors.torch import save

    check_place(path)
    state = nn.ModuleDict(parts).state_dict()
    head = parts["head"]
    described = described | {"taxonomy": fingerprint(), "head": head.about}
    write_whole(
        path,
        save(
            {name: tensor.contiguous() for name, tensor in state.items()},
            {"estimator": json.dumps(described)},
        ),
    )


def rows_of(speech: Speech, rows: Sequence[int]) -> dict[str, Tensor]:
    """One batch of these rows, as they are recorded."""
    rows = np.asarray(rows)
    return Rows(speech, rows, 1)[np.arange(len(rows))]
