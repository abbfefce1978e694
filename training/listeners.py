"""What listens while the adapter rehearses: two ears of unlike features, both free to use.

One is the permissive estimator, which knows acted German by Whisper's features. The other knows
nine acoustic quantities: how far each moves from a voice's neutral in an emotion, by published
figures (training/acoustics), and how far it strays anyway, by EmoDB. Neither met the recordings of
RAVDESS and nEMO that the judges learnt from.

Letters in shapes: N readings, R roles, D features.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from conditioning import prosody
from conditioning.audio import Audio
from conditioning.errors import InvalidInput
from conditioning.pooling import PoolingEstimator

from .corpora.base import Utterance
from .seed import ACOUSTICS, MEASURED, pooled_changes

NEUTRAL = "neutral"
ROLES = (*MEASURED, NEUTRAL)

# EmoDB knows neither surprise nor calm: what its estimator takes them for.
STANDS_FOR = {
    "Astonishment/Surprise": ("Elation", "Fear"),
    "Contentment": (NEUTRAL, "Emotional Numbness"),
}


class EncoderListener:
    """The permissive estimator, class by class, against the voice's other takes."""

    def __init__(self, estimator: PoolingEstimator):
        self.estimator = estimator
        self._listener = estimator.head
        self.classes = tuple(self._listener.about["classes"])

    @classmethod
    def load(cls, folder: Path | str | None = None) -> EncoderListener:
        return cls(PoolingEstimator.load("permissive", folder))

    def features(self, audio: Audio) -> np.ndarray:
        """(D,). Raises InvalidInput where there is nothing to hear."""
        found = self.estimator.features(audio)
        if found is None:
            raise InvalidInput("A reading holds no sound; change the controls' limits.")
        return found

    def logits(self, features: np.ndarray, takes: np.ndarray) -> np.ndarray:
        """Features (N, D), all of one voice, and its takes (M, D) -> logits (N, classes)."""
        import torch

        from conditioning.pooling import habits

        listener = self._listener
        mean, std = habits(takes, listener.mean.numpy(), listener.std.numpy())
        with torch.inference_mode():
            relative = listener.relative(
                torch.from_numpy(features), torch.from_numpy(mean), torch.from_numpy(std)
            )
            return listener.against(relative)["classes"].numpy()

    def roles(self, logits: np.ndarray) -> np.ndarray:
        """Log-probabilities of the roles (N, R); those it does not know by what stands for them."""
        logits = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
        column = {name: logits[:, place] for place, name in enumerate(self.classes)}
        return np.stack(
            [
                np.logaddexp.reduce([column[name] for name in STANDS_FOR.get(role, (role,))])
                for role in ROLES
            ],
            axis=1,
        )


# Ours -> that of the published figures; True where those are ratios.
QUANTITIES = {
    "f0_median_st": ("f0_mean_st", False),
    "f0_sd_st": ("f0_sd_st", True),
    "alpha_db": ("alpha_ratio_db", False),
    "tilt_db_oct": ("tilt_db_oct", False),
    "hnr_db": ("hnr_db", False),
    "jitter_pct": ("jitter_pct", True),
    "shimmer_pct": ("shimmer_pct", True),
    "rate": ("syl_rate", True),
    "pause_share": ("pause_frac", False),
}


def quantities(functionals: Mapping[str, float]) -> np.ndarray:
    """What `ProsodyListener` hears (D,), those of ratios as log2."""
    return np.array(
        [
            np.log2(max(functionals[name], 1e-3)) if ratio else functionals[name]
            for name, (_, ratio) in QUANTITIES.items()
        ]
    )


class ProsodyListener:
    """Gaussian classes over changes from the voice's own neutral reading of the same words.

    Args:
        covariance: of a change that is not due to emotion, (D, D).
    """

    SHRINKAGE = 0.1  # of the covariance towards its diagonal

    def __init__(self, covariance: np.ndarray):
        self.covariance = covariance
        changes = pooled_changes(ACOUSTICS)
        self.centres = np.zeros((len(ROLES), len(QUANTITIES)))
        for row, role in enumerate(ROLES[:-1]):
            for column, (name, ratio) in enumerate(QUANTITIES.values()):
                value = changes[MEASURED[role], name]
                self.centres[row, column] = np.log2(value) if ratio else value
        self._precision = np.linalg.inv(covariance)

    @classmethod
    def fit(cls, utterances: Iterable[Utterance]) -> ProsodyListener:
        """From recordings: how takes of one speaker in one emotion differ from each other."""
        groups: dict[tuple[str, str], list[np.ndarray]] = {}
        for utterance in utterances:
            heard = prosody.functionals(prosody.measure(Audio.load(utterance.path)))
            groups.setdefault((utterance.speaker, utterance.label), []).append(quantities(heard))
        strays = np.concatenate([np.array(takes) - np.mean(takes, 0) for takes in groups.values()])
        covariance = strays.T @ strays / max(1, len(strays) - len(groups))
        diagonal = np.diag(np.diag(covariance))
        return cls((1 - cls.SHRINKAGE) * covariance + cls.SHRINKAGE * diagonal)

    def roles(self, changes: np.ndarray) -> np.ndarray:
        """Changes from neutral (N, D) -> log-probabilities of the roles (N, R)."""
        apart = changes[:, None] - self.centres
        distances = np.einsum("nrd,de,nre->nr", apart, self._precision, apart)
        # Two recordings, the acted and the neutral one, stray; and the quantities are not Gaussian.
        logits = -distances / 4
        return logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
