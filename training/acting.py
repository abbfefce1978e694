"""The Lightning module that fits `Contours` to acted speech."""

from __future__ import annotations

import json
from pathlib import Path

import lightning
import torch
import torch.nn.functional as F
from einops import einsum, rearrange
from torch import Tensor, nn

from conditioning.files import write_whole
from voice_actor.contours import CHANNELS, MARKS, Contours, Trunk, acts_on

from .acting_data import CELLS, ActingData
from .modules import scheduled

SIDES = 6  # numbers in which speakers and corpora differ when nothing is acted
FAR = 5.0  # spreads: a value further off is a failed measurement, and counts as this in scores
RIDGE = 30.0  # phonemes: what the rules are held back by
LEVEL = CHANNELS.index("level_contour")


class Habits(nn.Module):
    """How corpora and speakers read otherwise than the backbone when they act nothing, and how
    each speaker acts in a way of their own; used in training alone, so that the rest is shared.

    Number 0 is a speaker of whom nothing is known.
    """

    def __init__(
        self, corpora: int, speakers: int, ways: int, width: int, narrow: int, dropout: float
    ):
        super().__init__()
        self.trunk = Trunk(640, 256, width, narrow, 1, dropout)
        self.leave = nn.Linear(width, SIDES * len(CHANNELS))
        self.corpus = nn.Embedding(corpora, SIDES)
        self.speaker = nn.Embedding(speakers + 1, SIDES, padding_idx=0)
        self.speaker_level = nn.Embedding(speakers + 1, len(CHANNELS), padding_idx=0)
        self.scale = nn.Embedding(speakers + 1, ways, padding_idx=0)
        self.offset = nn.Embedding(speakers + 1, ways, padding_idx=0)
        for table in (self.speaker, self.speaker_level, self.scale, self.offset):
            nn.init.zeros_(table.weight)

    def reading(self, batch: dict[str, Tensor]) -> Tensor:
        """(B, T, C), in spreads."""
        hidden = self.leave(self.trunk(batch["states"], batch["style"], batch["marks"]))
        sides = self.corpus(batch["corpus"]) + self.speaker(batch["speaker"])
        found = rearrange(hidden, "b t (s c) -> b t s c", s=SIDES)
        level = self.speaker_level(batch["speaker"])[:, None]
        return einsum(found, sides, "b t s c, b s -> b t c") + level

    def factors(self, factors: Tensor, batch: dict[str, Tensor]) -> Tensor:
        """Factors (B, R) as the speaker would have them; none stays none."""
        strength = batch["emotions"].amax(1, keepdim=True)
        own = factors * self.scale(batch["speaker"])
        return factors + own + strength * self.offset(batch["speaker"])

    def penalty(self, speaker: Tensor) -> Tensor:
        """Mean square of what speakers have of their own."""
        tables = self.scale, self.offset, self.speaker, self.speaker_level
        return sum(table(speaker).square().mean() for table in tables)


class ActingModule(lightning.LightningModule):
    """Fits a `voice_actor.contours.Contours`.

    B batch, T phonemes, R ways of acting, C channels. The loss is Huber's, in spreads of each
    channel: of what a clip's phonemes do beside their mean, and of that mean.

    Args:
        ways, width, narrow, layers, dropout: of `Contours`.
        learning_rate, decay: of AdamW.
        own: how dear it is for a speaker to differ.
        mean: weight of the error of a clip's mean, beside that of its phonemes.
        anonymous: share of clips whose speaker is taken to be unknown.
    """

    def __init__(
        self,
        ways: int = 24,
        width: int = 96,
        narrow: int = 32,
        layers: int = 2,
        dropout: float = 0.2,
        learning_rate: float = 2e-3,
        decay: float = 0.1,
        own: float = 0.3,
        mean: float = 0.5,
        anonymous: float = 0.2,
    ):
        super().__init__()
        self.save_hyperparameters()
        self.contours: Contours | None = None

    def configure_model(self) -> None:
        if self.contours is not None:
            return
        data: ActingData = self.trainer.datamodule
        options = self.hparams
        self.contours = Contours(
            ways=options.ways,
            width=options.width,
            narrow=options.narrow,
            layers=options.layers,
            dropout=options.dropout,
        )
        self.contours.spread.copy_(data.spread)
        self.habits = Habits(
            len(data.corpora),
            len(data.speakers),
            options.ways,
            options.width,
            options.narrow,
            options.dropout,
        )

    def configure_optimizers(self):
        optimizer = torch.optim.AdamW(
            self.parameters(), self.hparams.learning_rate, weight_decay=self.hparams.decay
        )
        return scheduled(optimizer, self.trainer)

    def training_step(self, batch: dict[str, Tensor]) -> Tensor:
        unknown = torch.rand(len(batch["speaker"])) < self.hparams.anonymous
        batch = batch | {"speaker": batch["speaker"].masked_fill(unknown, 0)}
        loss = self.loss(batch) + self.hparams.own * self.habits.penalty(batch["speaker"])
        self.log("train_loss", loss, on_epoch=True, on_step=False, batch_size=len(unknown))
        return loss

    def validation_step(self, batch: dict[str, Tensor]) -> None:
        size = len(batch["weight"])
        self.log("loss", self.loss(batch), prog_bar=True, batch_size=size)
        # What is left when nothing is acted: how much of the loss the emotions explain.
        still = batch | {"emotions": torch.zeros_like(batch["emotions"])}
        self.log("loss_unacted", self.loss(still), batch_size=size)

    def loss(self, batch: dict[str, Tensor]) -> Tensor:
        deviations, means = self.predicted(batch)
        values = batch["values"] / self.contours.spread
        known = batch["known"] * acts_on(batch["marks"])
        count = known.sum(1)  # (B, C)
        some = count.clamp(min=1)
        missed = values - deviations - self.habits.reading(batch)
        wrong = (missed * known).sum(1) / some
        overall = F.huber_loss(wrong - means, torch.zeros_like(wrong), reduction="none")
        beside = (missed - wrong[:, None]) * known
        local = F.huber_loss(beside, torch.zeros_like(beside), reduction="none").sum(1) / some
        sure = (count > 0).float()
        told = sure.clone()
        told[:, LEVEL] *= batch["level_known"]
        each = (local * sure + self.hparams.mean * overall * told).mean(1)
        return (batch["weight"] * each).mean()

    def predicted(self, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Deviations (B, T, C) and means (B, C), in spreads."""
        contours = self.contours
        factors = self.habits.factors(contours.factors(batch["emotions"]), batch)
        bases = contours.bases(batch["states"], batch["style"], batch["marks"])
        deviations = einsum(factors, bases, "b r, b t r c -> b t c")
        means = einsum(factors, contours.mean_bases(batch["style"]), "b r, b r c -> b c")
        return deviations / contours.spread, means / contours.spread

    def export(self, folder: Path, trainer: lightning.Trainer) -> None:
        """Write `contours.safetensors`, which `Contours.load` opens, and `contours.jsonl`, the rows
        of `assess`.

        The network is that of the epoch that was best for what was kept out, so that the scores of
        that same speech flatter it a little.
        """
        best = getattr(trainer.checkpoint_callback, "best_model_path", "")
        if best:
            self.load_state_dict(torch.load(best, weights_only=True)["state_dict"])
        self.eval()
        rows = assess(self, trainer.datamodule)
        self.contours.trust.copy_(trust(rows))
        self.contours.save(folder / "contours.safetensors", corpora=trainer.datamodule.corpora)
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        write_whole(folder / "contours.jsonl", lines.encode())


@torch.no_grad()
def assess(module: ActingModule, data: ActingData) -> list[dict]:
    """How well clips that were kept out are foretold, beside simpler guesses.

    What is foretold is the difference from neutral readings of the same script, or where there are
    none, from what `Habits` expects; `phonemes` beside a clip's mean, and the `mean`. The guesses:
    `label` is the mean of the clips learnt from with the same label, `rules` a ridge regression on
    the marks for each label, `actors` the mean of all other actors of the same script and label,
    which knows what no network can know of a new script. One row a cell, corpus, channel and kind:
    share of the squares explained (1 all, 0 none), the correlation, and how many values.
    """
    clips, cells = data.load(), data.cells
    differences = _differences(module, data)
    guesses = {"phonemes": _phoneme_guesses, "mean": _mean_guesses}
    rows = []
    for kind, guess in guesses.items():
        actual, named = guess(module, data, differences)
        for cell in CELLS:
            for corpus in data.corpora:
                chosen = [
                    row
                    for row, clip in enumerate(clips)
                    if cells[row] == cell and clip.corpus == corpus and clip.emotions.any()
                ]
                if chosen:
                    rows += _scores(kind, cell, corpus, chosen, actual, named, data)
    return rows


def trust(rows: list[dict]) -> Tensor:
    """For each channel (C,), by how much its deviations should be multiplied, 0 to 1.

    The slope of what actors did on what was foretold, over the clips that were kept out: what a
    network foretells too boldly it must not act.
    """
    found = torch.zeros(len(CHANNELS))
    for column, channel in enumerate(CHANNELS):
        kept = [
            row
            for row in rows
            if row["kind"] == "phonemes"
            and row["cell"] != "training"
            and row["channel"] == channel
            and "network_slope" in row
        ]
        if total := sum(row["values"] for row in kept):
            found[column] = sum(row["values"] * row["network_slope"] for row in kept) / total
    return found.clamp(0, 1)


def _scores(kind, cell, corpus, chosen, actual, named, data) -> list[dict]:
    rows = []
    for column, channel in enumerate(CHANNELS):
        truth = torch.cat([actual[row][:, column] for row in chosen])
        known = truth.isfinite()
        if known.sum() < 10:
            continue
        truth = truth[known]
        scores = {}
        for name, guesses in named.items():
            guess = torch.cat([guesses[row][:, column] for row in chosen])[known].nan_to_num(0.0)
            scores[f"{name}_r2"] = float(1 - (truth - guess).square().sum() / truth.square().sum())
            if guess.std() > 0:
                scores[f"{name}_slope"] = float((truth * guess).sum() / guess.square().sum())
                scores[f"{name}_r"] = float(torch.corrcoef(torch.stack([truth, guess]))[0, 1])
        rows.append(
            {"kind": kind, "cell": cell, "corpus": corpus, "channel": channel, "values": len(truth)}
            | scores
        )
    return rows


def _differences(module: ActingModule, data: ActingData) -> list[Tensor]:
    """Each clip's values less what its script is like unacted, in spreads: (T, C), nan unknown."""
    clips = data.load()
    still: dict[tuple[str, str], list[Tensor]] = {}
    for clip in clips:
        if not clip.emotions.any():
            still.setdefault((clip.corpus, clip.said), []).append(clip.values)
    found = []
    for row, clip in enumerate(clips):
        takes = still.get((clip.corpus, clip.said), [])
        if len(takes) > 1:
            usual = torch.stack(takes).nanmean(0) / data.spread
        else:
            usual = module.habits.reading(data.collate([row]))[0]
        difference = (clip.values / data.spread - usual).clamp(-FAR, FAR)
        found.append(torch.where(acts_on(clip.marks) > 0, difference, torch.nan))
    return found


def _phoneme_guesses(module: ActingModule, data: ActingData, differences: list[Tensor]):
    clips = data.load()
    actual = [difference - difference.nanmean(0) for difference in differences]
    contours = module.contours
    network, rules = [], []
    for clip in clips:
        emotions = clip.emotions.expand(1, len(clip.states), -1)
        found = contours.deviations(
            emotions, clip.states[None].float(), clip.style[None], clip.marks[None]
        )
        network.append(found[0] / contours.spread)
    solved = {kind: _ridge(rows, clips, actual) for kind, rows in _learnt(data).items()}
    for clip in clips:
        weights = solved.get((clip.corpus, clip.label), torch.zeros(len(MARKS), len(CHANNELS)))
        rules.append(clip.marks @ weights)
    named = {"network": network, "rules": rules, "actors": _actors(clips, actual)}
    for guesses in named.values():
        for row, guess in enumerate(guesses):
            seen = torch.where(actual[row].isfinite(), guess, torch.nan)
            guesses[row] = guess - seen.nanmean(0)
    return actual, named


def _mean_guesses(module: ActingModule, data: ActingData, differences: list[Tensor]):
    clips = data.load()
    actual = [difference.nanmean(0, keepdim=True) for difference in differences]
    for row, clip in enumerate(clips):
        if not clip.level_known:
            actual[row][:, LEVEL] = torch.nan
    learnt = {
        kind: torch.cat([actual[row] for row in rows]).nanmean(0, keepdim=True)
        for kind, rows in _learnt(data).items()
    }
    none = torch.zeros(1, len(CHANNELS))
    contours = module.contours
    network = [
        contours.means(clip.emotions[None, None], clip.style[None])[0] / contours.spread
        for clip in clips
    ]
    label = [learnt.get((clip.corpus, clip.label), none) for clip in clips]
    return actual, {"network": network, "label": label, "actors": _actors(clips, actual)}


def _learnt(data: ActingData) -> dict[tuple[str, str], list[int]]:
    """Rows of the clips learnt from, by corpus and label."""
    found: dict[tuple[str, str], list[int]] = {}
    for row, (clip, cell) in enumerate(zip(data.load(), data.cells, strict=True)):
        if cell == "training":
            found.setdefault((clip.corpus, clip.label), []).append(row)
    return found


def _ridge(rows: list[int], clips, actual: list[Tensor]) -> Tensor:
    """Weights (M, C) of the marks, by channel."""
    marks = torch.cat([clips[row].marks for row in rows])
    values = torch.cat([actual[row] for row in rows])
    solved = torch.zeros(marks.shape[1], len(CHANNELS))
    for column in range(len(CHANNELS)):
        known = values[:, column].isfinite()
        seen = marks[known]
        inner = seen.T @ seen + RIDGE * torch.eye(marks.shape[1])
        solved[:, column] = torch.linalg.solve(inner, seen.T @ values[known, column])
    return solved


def _actors(clips, actual: list[Tensor]) -> list[Tensor]:
    """For each clip the mean of the other speakers' clips of its script and label; else zero."""
    alike: dict[tuple, list[int]] = {}
    for row, clip in enumerate(clips):
        kind = clip.corpus, clip.said, clip.label
        alike.setdefault(kind, []).append(row)
    found = [torch.zeros_like(values) for values in actual]
    for rows in alike.values():
        for row in rows:
            others = [actual[at] for at in rows if clips[at].speaker != clips[row].speaker]
            if others:
                found[row] = torch.stack(others).nanmean(0).nan_to_num(0.0)
    return found
