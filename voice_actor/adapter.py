"""`EmotionAdapter`: 40 intensities -> changes of timing, pitch, energy and timbre."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from conditioning import taxonomy, weights
from conditioning.errors import WeightsError

from .acting import CONTROLS, Acting

LIMITS: Mapping[str, tuple[float, float]] = {
    # What keeps the words and the voice; benchmarks/quality.py measures both at 0.8 of the table.
    "f0_shift": (-4.5, 6.0),
    "f0_range": (-1.0, 1.0),
    "f0_final": (-4.0, 4.0),
    "duration": (-0.3, 0.45),
    "pause": (0.0, 0.4),
    "energy_range": (-0.7, 0.7),
    "level": (-9.0, 6.0),
    "tilt": (-2.5, 2.5),
    "breath": (0.0, 0.35),
    "tremor": (0.0, 0.8),
    "jitter": (0.0, 0.5),
    "whisper": (0.0, 0.4),
}


@dataclass(frozen=True)
class Support:
    """How far an emotion's acting can be trusted.

    Attributes:
        kind: "measured" on acted speech, or "inferred" from measured ones by its place in
            valence, arousal and dominance.
        source: the rows and rules that the values come from.
    """

    kind: str
    source: str


class EmotionAdapter(nn.Module):
    """Seeded from measured acted speech: each emotion adds its row of the table, then limits hold.

    Letters in shapes: T phonemes with the silence at both ends, E = 40 emotions, K controls.
    """

    def __init__(self, table: Tensor, support: Sequence[Support] = ()):
        """`table` (E, K): the change that each emotion at intensity 1 asks of each control."""
        super().__init__()
        self.register_buffer("table", table)
        low, high = zip(*(LIMITS[name] for name in CONTROLS), strict=True)
        self.register_buffer("low", torch.tensor(low))
        self.register_buffer("high", torch.tensor(high))
        self.support = dict(zip(taxonomy.NAMES, support, strict=False))

    @classmethod
    def load(cls, folder: Path | str | None = None) -> EmotionAdapter:
        """The adapter in `checkpoints/`. Raises WeightsError when its table has another layout."""
        return cls(*read_table(weights.path("adapter-seed", folder=folder)))

    def forward(self, emotions: Tensor) -> Acting:
        """emotions (T, E), intensities in [0, 1] -> changes, each (T,)."""
        changes = (emotions @ self.table).clamp(self.low, self.high)
        return Acting(**dict(zip(CONTROLS, changes.unbind(dim=1), strict=True)))


def read_table(file: Path) -> tuple[Tensor, list[Support]]:
    """Controls (E, K) and the support of each emotion from a CSV table with a row for each."""
    with open(file, encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    if [row.get("emotion") for row in rows] != list(taxonomy.NAMES):
        raise WeightsError(f"{file} has other emotions, or another order, than the 40 categories.")
    if unknown := set(rows[0]) - {"emotion", "support", "source", *CONTROLS}:
        raise WeightsError(f"{file} has unknown controls: {', '.join(sorted(unknown))}.")
    try:
        table = torch.tensor([[float(row[name]) for name in CONTROLS] for row in rows])
        support = [Support(row["support"], row["source"]) for row in rows]
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"{file} lacks a column or a number ({error}).") from error
    if not torch.isfinite(table).all():
        raise WeightsError(f"{file} holds numbers that are not finite.")
    return table, support
