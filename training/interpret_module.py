"""Fits the interpreter's heads, and measures them on what they have not learnt from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import lightning
import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, mse_loss

from conditioning.files import write_whole
from conditioning.interpreter import (
    ASKED,
    LABELS,
    PLACE,
    SAID,
    Head,
    Heads,
    read_heads,
)
from conditioning.taxonomy import fingerprint
from conditioning.weights import hash_of

from .interpret_data import InterpreterData, Texts, places_of
from .metrics import Measured, bootstrap

# D. Demszky et al. (2020), "GoEmotions", arXiv 2005.00547: the grouping after Ekman.
EKMAN: dict[str, str] = {
    "anger": "anger annoyance disapproval",
    "disgust": "disgust",
    "fear": "fear nervousness",
    "joy": "joy amusement approval excitement gratitude love optimism relief pride admiration "
    "desire caring",
    "sadness": "sadness disappointment embarrassment grief remorse",
    "surprise": "surprise realization confusion curiosity",
    "neutral": "neutral",
}
GROUPS = [[LABELS.index(label) for label in labels.split()] for labels in EKMAN.values()]
_THRESHOLDS = np.arange(0.02, 0.9, 0.01)
# Of the parts of the loss; what was written for it is little and is what this is for.
_MEANT, _ASKED, _SAID, _PLACE = 0.5, 4.0, 3.0, 0.5
_FELT = 2.0  # weight, in the calibration, of what is asked for against what is not
_HIDDEN = 0.15  # share of the tokens that are hidden from the head in training


class InterpreterModule(lightning.LightningModule):
    """Fits a `conditioning.interpreter.Head`.

    The loss is the cross-entropy of each label and category by itself, whose target is an
    intensity, and the squared error of the place.

    Args:
        hidden, dropout: as `Head` takes them.
        learning_rate, decay: of AdamW, under one cycle.
    """

    def __init__(
        self,
        hidden: int = 256,
        dropout: float = 0.4,
        learning_rate: float = 1.5e-3,
        decay: float = 0.05,
    ):
        super().__init__()
        self.save_hyperparameters()
        self.head = Head(hidden, dropout)

    def configure_optimizers(self):
        optimizer = torch.optim.AdamW(
            self.head.parameters(), self.hparams.learning_rate, weight_decay=self.hparams.decay
        )
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer,
            self.hparams.learning_rate,
            int(self.trainer.estimated_stepping_batches),
            pct_start=0.1,
        )
        return [optimizer], [{"scheduler": schedule, "interval": "step"}]

    def training_step(self, batch: dict[str, dict[str, Tensor]]) -> Tensor:
        lines, asked, said = batch["lines"], batch["asked"], batch["said"]
        commented = self._logits(lines, 1.0)
        loss = _entropy(commented[:, : ASKED.start], lines["labels"])
        loss += _MEANT * self._felt(commented, lines, SAID)
        loss += _ASKED * self._felt(self._logits(asked, 0.0), asked, ASKED)
        loss += _SAID * self._felt(self._logits(said, 1.0), said, SAID)
        self.log("loss", loss, prog_bar=True)
        return loss

    def _logits(self, texts: dict[str, Tensor], line: float) -> Tensor:
        shown = texts["mask"] & (torch.rand(texts["mask"].shape) > _HIDDEN)
        shown[:, 0] = True  # the mark of the beginning
        return self.head(texts["states"], shown, torch.full((len(shown),), line))[0].float()

    def _felt(self, logits: Tensor, texts: dict[str, Tensor], outputs: slice) -> Tensor:
        """Of the categories that the source could name, and of the place."""
        place = mse_loss(logits[:, PLACE].tanh(), texts["place"])
        return _entropy(logits[:, outputs], texts["asked"], texts["spoken"]) + _PLACE * place


def _entropy(logits: Tensor, target: Tensor, known: Tensor | None = None) -> Tensor:
    """Summed over what is predicted and known, averaged over the texts."""
    each = binary_cross_entropy_with_logits(logits, target, reduction="none")
    return (each if known is None else each * known).sum(1).mean()


# Running over many texts


def outputs(heads: Heads, texts: Texts, line: bool) -> np.ndarray:
    """Logits (N, K) of all texts."""
    found = None
    for rows, batch in texts.in_order():
        with torch.inference_mode():
            line_bit = torch.full((len(rows),), float(line))
            logits = heads(batch["states"], batch["mask"], line_bit)[0].numpy()
        if found is None:
            found = np.zeros((len(texts), logits.shape[1]), np.float32)
        found[rows] = logits
    return found


def grouped(values: np.ndarray) -> np.ndarray:
    """Labels or probabilities (N, 28) -> of the 7 groups: that any label of the group holds."""
    return np.stack([1 - (1 - values[:, group]).prod(1) for group in GROUPS], axis=1)


def thresholds(likely: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """For each label the threshold with the best F1, smoothed over its neighbours."""
    scores = np.stack([f1(likely >= threshold, labels) for threshold in _THRESHOLDS])
    padded = np.pad(scores, ((2, 2), (0, 0)), mode="edge")
    smooth = sum(padded[shift : shift + len(scores)] for shift in range(5))
    return _THRESHOLDS[smooth.argmax(0)]


def f1(said: np.ndarray, labels: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
    """F1 of each label, from what is said and what is so, each (N, K); weights (N,)."""
    weight = np.ones(len(labels)) if weight is None else weight
    both = weight @ (said * labels)
    return 2 * both / np.maximum(weight @ said + weight @ labels, 1e-9)


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-logits))


# Training


def train(data: InterpreterData, seeds: Sequence[int], epochs: int) -> Heads:
    """Heads from several seeds, with the calibration still to be fitted."""
    found = []
    for seed in seeds:
        lightning.seed_everything(seed)
        data.hparams.seed = seed
        module = InterpreterModule()
        trainer = lightning.Trainer(
            accelerator="cpu",
            max_epochs=epochs,
            precision="bf16-mixed",
            gradient_clip_val=1.0,
            reload_dataloaders_every_n_epochs=1,
            logger=False,
            enable_checkpointing=False,
            enable_model_summary=False,
            enable_progress_bar=False,
        )
        trainer.fit(module, datamodule=data)
        found.append(module.head.eval())
    heads = Heads(len(found), module.hparams.hidden)
    for index, head in enumerate(found):
        heads.heads[index].load_state_dict(head.state_dict())
    return heads.eval().requires_grad_(False)


def calibrate(logits: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Ceiling, slope and shift that turn logits into intensities, both (N, K).

    By least squares over what was not learnt from; one curve for all K, since there are few of
    each. What is asked for counts more: the plain mean of what writers asked where the head
    is in doubt lies so near to nothing that hardly any direction would be heard.
    """
    from scipy.optimize import minimize

    logits, asked = logits.ravel().astype(float), asked.ravel().astype(float)

    def error(curve: np.ndarray) -> float:
        ceiling, slope, shift = curve
        missed = ceiling * _sigmoid(slope * logits + shift) - asked
        return float((weight * np.square(missed)).mean())

    weight = np.where(asked > 0, _FELT, 1.0)
    start, bounds = [0.8, 1.0, 0.0], [(0.3, 1.0), (0.1, 5.0), (-5.0, 5.0)]
    return minimize(error, start, method="L-BFGS-B", bounds=bounds).x


def finish(heads: Heads, data: InterpreterData) -> dict[str, list[float]]:
    """Fits on the dev sets what follows the logits; gives the thresholds of labels and groups."""
    lines = data.comments["dev"]
    likely = _sigmoid(outputs(heads, lines, True)[:, : ASKED.start])
    best = thresholds(likely, lines.labels)
    curves = [
        calibrate(outputs(heads, data.dev, False)[:, ASKED], data.dev.asked),
        calibrate(outputs(heads, data.dev_said, True)[:, SAID], data.dev_said.asked),
    ]
    heads.calibration.copy_(torch.tensor(np.array(curves)))
    return {
        "thresholds": [round(float(value), 2) for value in best],
        "groups": [
            round(float(value), 2) for value in thresholds(grouped(likely), grouped(lines.labels))
        ],
    }


def export(heads: Heads, thresholds: dict[str, list[float]], path: str | Path) -> None:
    """Writes a checkpoint that `conditioning.interpreter.read_heads` reads, in half precision."""
    from safetensors.torch import save

    described = {
        "taxonomy": fingerprint(),
        "heads": len(heads.heads),
        "hidden": heads.heads[0].line.numel(),
        **thresholds,
    }
    state = {
        name: tensor.contiguous() if name == "calibration" else tensor.half().contiguous()
        for name, tensor in heads.state_dict().items()
    }
    write_whole(path, save(state, {"interpreter": json.dumps(described)}))


# Measuring


def evaluate(path: str | Path, data: InterpreterData) -> dict:
    """What a checkpoint reads in comments and directions that it has not learnt from."""
    heads, described = read_heads(path)
    return {
        "weights": hash_of(Path(path)),
        "comments": _comments(heads.eval(), described, data.comments["test"]),
        "directions": _written(heads.eval(), data.dev, False),
        "lines": _written(heads.eval(), data.dev_said, True),
    }


def _comments(heads: Heads, described: dict, test: Texts) -> dict:
    likely = _sigmoid(outputs(heads, test, True)[:, : ASKED.start])
    said = likely >= described["thresholds"]
    labels, rows = test.labels, np.arange(len(test))
    groups = grouped(likely) >= described["groups"], grouped(labels)

    def micro(weight: np.ndarray) -> np.ndarray:
        both = weight @ (said * labels).sum(1)
        return 2 * both / (weight @ said.sum(1) + weight @ labels.sum(1))

    each = {}
    for index, label in enumerate(LABELS):
        hit = float((said[:, index] * labels[:, index]).sum())
        each[label] = {
            "f1": float(f1(said, labels)[index]),
            "precision": hit / max(1.0, float(said[:, index].sum())),
            "recall": hit / float(labels[:, index].sum()),
            "threshold": described["thresholds"][index],
            "count": int(labels[:, index].sum()),
        }
    return {
        "macro": bootstrap(lambda weight: f1(said, labels, weight).mean(-1), rows),
        "micro": bootstrap(micro, rows),
        "ekman": bootstrap(lambda weight: f1(*groups, weight).mean(-1), rows),
        "labels": each,
        "groups": dict(zip(EKMAN, map(float, f1(*groups)), strict=True)),
    }


def _written(heads: Heads, dev: Texts, lines: bool) -> dict:
    logits = torch.from_numpy(outputs(heads, dev, lines))
    felt = heads.intensities(logits, lines).numpy()
    emotional = dev.asked.max(1) > 0
    asked, found = dev.asked[emotional], felt[emotional]
    order, strongest = found.argsort(1)[:, ::-1], asked.argmax(1)
    rows = np.arange(len(asked))
    hits = order == strongest[:, None]
    place = logits[emotional][:, PLACE].tanh().numpy()
    wanted = places_of(asked)
    return {
        "first": _share(hits[:, 0]),
        "top3": _share(hits[:, :3].any(1)),
        "any3": _share((np.take_along_axis(asked, order[:, :3], 1) > 0).any(1)),
        "asked": float(asked[rows, strongest].mean()),
        "found": float(found[rows, strongest].mean()),
        "right": float(found[rows, strongest][hits[:, 0]].mean()),
        "calibration": _calibration(found, asked),
        "neutral": {
            "count": int((~emotional).sum()),
            "strongest": float(felt[~emotional].max(1).mean()),
        },
        "places": [
            float(np.corrcoef(place[:, axis], wanted[:, axis])[0, 1])
            for axis in range(wanted.shape[1])
        ],
    }


def _share(hits: np.ndarray) -> Measured:
    return bootstrap(lambda weight: weight @ hits / weight.sum(-1), np.arange(len(hits)))


def _calibration(found: np.ndarray, asked: np.ndarray) -> list[dict]:
    """Within bands of the intensity found: its mean, that asked for, and how many there are."""
    bands = []
    for low, high in ((0, 0.1), (0.1, 0.3), (0.3, 0.5), (0.5, 1.01)):
        inside = (found >= low) & (found < high)
        if inside.any():
            bands.append(
                {
                    "from": low,
                    "found": float(found[inside].mean()),
                    "asked": float(asked[inside].mean()),
                    "count": int(inside.sum()),
                }
            )
    return bands
