"""`EmotionAdapter`: 40 intensities -> changes of timing, pitch, energy and timbre."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from conditioning import taxonomy, weights
from conditioning.errors import WeightsError

from .acting import CONTROLS, Acting
from .backbone import Reading
from .contours import Contours, breath_amplitude

LIMITS: Mapping[str, tuple[float, float]] = {
    # What keeps the words and the voice.
    "f0_shift": (-5.0, 8.0),
    "f0_range": (-1.2, 1.5),
    "f0_final": (-4.0, 4.0),
    "duration": (-0.3, 0.55),
    "pause": (0.0, 0.4),
    "energy_range": (-0.7, 0.7),
    "level": (-9.0, 6.0),
    "tilt": (-3.0, 3.0),
    "breath": (0.0, 0.35),
    "tremor": (0.0, 0.8),
    "jitter": (0.0, 0.5),
    "whisper": (0.0, 0.4),
    "f0_accent": (-2.0, 6.0),
    "level_accent": (-3.0, 9.0),
    "duration_accent": (-0.3, 0.5),
    "vowels": (-0.25, 0.5),
    "final": (-0.3, 0.7),
    "pressed": (-6.0, 12.0),
    "rough": (0.0, 0.5),
    "formants": (-0.12, 0.12),
    **{f"style_{name}": (-1.5, 1.5) for name in ("d1", "d2", "d3", "p1", "p2", "p3")},
    "f0_contour": (-6.0, 6.0),
    "level_contour": (-9.0, 9.0),
    "voiceless": (0.0, 0.0),  # a manner, which no emotion asks for
}
# A phoneme's own deviation comes on top of the phrase's change: these hold for the sum.
LOCAL_LIMITS = {"duration": (-0.8, 1.0), "tilt": (-4.0, 4.0)}

GROUPS = "women", "men"
NEUTRAL = "neutral"
ROWS = (*taxonomy.NAMES, NEUTRAL)
LEVELS = 0.25, 0.5, 0.75, 1.0  # intensities for which a gain is known; 0 gains 0
GAINS = tuple(f"gain_{round(100 * level)}" for level in LEVELS)
ORIGIN = ("support", "source")


@dataclass(frozen=True)
class Support:
    """How far an emotion's acting can be trusted.

    Attributes:
        kind: "rehearsed" until listeners heard it, "measured" on acted speech, or "inferred" from
            such ones by its place in valence, arousal and dominance.
        source: the rows and rules that the values come from.
    """

    kind: str
    source: str


@dataclass(frozen=True, eq=False)
class Table:
    """What the emotions ask of a phrase as a whole.

    G voice groups, E = 40 emotions, K controls, L levels.

    Attributes:
        rows: changes at gain 1, (G, E + 1, K); the last row is the centred neutral's.
        gains: how far along its row each of `LEVELS` goes, (G, E, L).
        contours: share of the learnt contours, (G, E).
        support: of each emotion.
    """

    rows: Tensor
    gains: Tensor
    contours: Tensor
    support: Mapping[str, Support]

    @classmethod
    def read(cls, file: Path) -> Table:
        """A CSV table: a row for each emotion, or for each emotion and group of voices.

        Columns that it lacks change nothing: no control, gains equal to the intensity, no contours.

        Raises:
            WeightsError: emotions, groups, columns or numbers other than these.
        """
        with open(file, encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        known = {"emotion", "voices", "contours", *CONTROLS, *GAINS, *ORIGIN}
        unknown = {str(column) for row in rows for column in row} - known
        if unknown:
            raise WeightsError(f"{file} has unknown controls: {', '.join(sorted(unknown))}.")
        # What is not in the table: the group it holds for, and a neutral that changes nothing.
        nothing = dict.fromkeys((*CONTROLS, "contours"), "0")
        nothing |= dict(zip(GAINS, map(str, LEVELS), strict=True))
        if [row.get("emotion") for row in rows] == list(taxonomy.NAMES):
            rows.append({"emotion": NEUTRAL, "support": "measured", "source": ""})
        if rows and "voices" not in rows[0]:
            rows = [{**row, "voices": group} for group in GROUPS for row in rows]
        found = [(row.get("voices"), row.get("emotion")) for row in rows]
        if found != [(group, name) for group in GROUPS for name in ROWS]:
            raise WeightsError(
                f"{file} has other emotions, or another order, than the 40 categories."
            )
        try:
            numbers = {
                column: torch.tensor([float((nothing | row)[column]) for row in rows])
                for column in (*CONTROLS, *GAINS, "contours")
            }
            support = {row["emotion"]: Support(row["support"], row["source"]) for row in rows}
        except (KeyError, TypeError, ValueError) as error:
            raise WeightsError(f"{file} lacks a column or a number ({error}).") from error
        if not all(torch.isfinite(values).all() for values in numbers.values()):
            raise WeightsError(f"{file} holds numbers that are not finite.")
        del support[NEUTRAL]
        shaped = {name: values.view(len(GROUPS), len(ROWS)) for name, values in numbers.items()}
        return cls(
            torch.stack([shaped[name] for name in CONTROLS], dim=2),
            torch.stack([shaped[name] for name in GAINS], dim=2)[:, :-1],
            shaped["contours"][:, :-1],
            support,
        )


class EmotionAdapter(nn.Module):
    """Each emotion adds its row of the table and its contours, then limits hold.

    The table says how much a phrase changes as a whole: it was searched until listeners heard what
    was asked. The contours say where, and were learnt from acted speech. Letters in shapes:
    T phonemes with the silence at both ends, E = 40 emotions.
    """

    def __init__(self, table: Table, contours: Contours | None = None):
        super().__init__()
        self.register_buffer("rows", table.rows)
        start = torch.zeros_like(table.gains[..., :1])
        self.register_buffer("gains", torch.cat([start, table.gains], dim=2))
        self.register_buffer("shares", table.contours)
        low, high = zip(*(LIMITS[name] for name in CONTROLS), strict=True)
        self.register_buffer("low", torch.tensor(low))
        self.register_buffer("high", torch.tensor(high))
        self.contours = contours
        self.table = table
        self.support = table.support

    @classmethod
    def load(cls, folder: Path | str | None = None) -> EmotionAdapter:
        """The trained adapter. Raises WeightsError when a file is missing or of another layout."""
        table = Table.read(weights.path("adapter", folder=folder))
        return cls(table, Contours.load(weights.path("adapter-contours", folder=folder)))

    @classmethod
    def seeded(cls, folder: Path | str | None = None) -> EmotionAdapter:
        """The adapter before training: mean changes in acted speech, to compare with."""
        return cls(Table.read(weights.path("adapter-seed", folder=folder)))

    def forward(
        self,
        emotions: Tensor,
        reading: Reading,
        women: float = 0.5,
        directed: bool | None = None,
    ) -> Acting:
        """What a reading becomes.

        Args:
            emotions: intensities in [0, 1], (T, E).
            reading: of T phonemes.
            women: share of the women's row; the rest is the men's.
            directed: whether anything was asked at all; by default, whether an emotion was. A line
                that is directed to be neutral is centred, one that is not directed is left alone.
        """
        if directed is None:
            directed = bool(emotions.any())
        if not directed:
            return Acting.neutral(len(emotions))
        share = torch.tensor([women, 1 - women])
        gains = interpolate(emotions, torch.einsum("g,gel->el", share, self.gains))
        table = torch.einsum("g,gek->ek", share, self.rows)
        calm = 1 - emotions.amax(dim=1, keepdim=True)
        changes = (gains @ table[:-1] + calm * table[-1]).clamp(self.low, self.high)
        acting = Acting(**dict(zip(CONTROLS, changes.unbind(dim=1), strict=True)))
        local = gains * (share @ self.shares)
        if self.contours is None or not local.any():
            return acting
        return with_contours(acting, self.contours, local, reading)


def with_contours(acting: Acting, contours: Contours, emotions: Tensor, reading: Reading) -> Acting:
    """An acting with the contours of emotions (T, E) added, within the limits."""
    found = contours(emotions, reading)
    found["breath"] = breath_amplitude(found["breath"])
    changed = {}
    for name, change in found.items():
        low, high = LOCAL_LIMITS.get(name, LIMITS[name])
        changed[name] = (getattr(acting, name) + change).clamp(low, high)
    return replace(acting, **changed)


def interpolate(intensities: Tensor, gains: Tensor) -> Tensor:
    """Gains (T, E) of intensities (T, E), on straight lines between those known (E, L + 1)."""
    known = torch.tensor([0.0, *LEVELS])
    right = torch.searchsorted(known, intensities.clamp(0, 1)).clamp(1, len(LEVELS))
    columns = torch.arange(gains.shape[0]).expand_as(right)
    low, high = gains[columns, right - 1], gains[columns, right]
    progress = (intensities - known[right - 1]) / (known[right] - known[right - 1])
    return torch.lerp(low, high, progress)
