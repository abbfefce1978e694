"""What listens while the adapter rehearses: two ears of unlike features, both free to use.

One is the permissive estimator, which knows acted German by Whisper's features. The other knows
nine acoustic quantities: how far each moves from a voice's neutral in an emotion, by published
figures (training/acoustics), and how far it strays anyway, by EmoDB. Neither met the recordings of
RAVDESS and nEMO that the judges learnt from.

Letters in shapes: N readings, R roles, D features.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from conditioning import prosody
from conditioning.audio import Audio
from conditioning.errors import InvalidInput
from conditioning.pooling import PoolingEstimator
from voice_actor.adapter import NEUTRAL

from .corpora.base import Utterance
from .seed import ACOUSTICS, MEASURED, pooled_changes

ROLES = (*MEASURED, NEUTRAL)

# EmoDB knows neither surprise nor calm: what is nearest to them there.
STANDS_FOR = {
    "Astonishment/Surprise": ("Elation", "Fear"),
    "Contentment": ("Emotional Numbness",),
}


class EncoderListener:
    """The permissive estimator, class by class, against the voice's other takes.

    A second, linear reader of the same features has half the say where it is given: what fools one
    of them seldom fools both.

    Args:
        linear: weights (D + 1, classes) for features against the voice; the last row is added.
    """

    PENALTY = 3e-3  # inverse of the squared weights', for thousands of features of 535 clips

    def __init__(self, estimator: PoolingEstimator, linear: np.ndarray | None = None):
        self.estimator = estimator
        self.linear = linear
        self._listener = estimator.head
        self.classes = tuple(self._listener.about["classes"])

    @classmethod
    def load(cls, linear: np.ndarray | None = None) -> EncoderListener:
        return cls(PoolingEstimator.load("permissive"), linear)

    def fit(self, utterances: Iterable[Utterance]) -> EncoderListener:
        """The same with a linear reader, learnt from acted recordings."""
        from sklearn.linear_model import LogisticRegression

        voices: dict[str, list[np.ndarray]] = {}
        labels: dict[str, list[str]] = {}
        for utterance in utterances:
            role = next(iter(utterance.emotions), NEUTRAL)
            voices.setdefault(utterance.speaker, []).append(
                self.features(Audio.load(utterance.path))
            )
            labels.setdefault(utterance.speaker, []).append(role)
        relative = [self._relative(np.stack(takes), np.stack(takes)) for takes in voices.values()]
        asked = [self.classes.index(role) for roles in labels.values() for role in roles]
        fitted = LogisticRegression(C=self.PENALTY, max_iter=2000, class_weight="balanced")
        fitted.fit(np.concatenate(relative), asked)
        linear = np.concatenate([fitted.coef_, fitted.intercept_[:, None]], axis=1).T
        return EncoderListener(self.estimator, linear.astype(np.float32))

    def features(self, audio: Audio) -> np.ndarray:
        """(D,). Raises InvalidInput where there is nothing to hear."""
        found = self.estimator.features(audio)
        if found is None:
            raise InvalidInput("A reading holds no sound; change the controls' limits.")
        return found

    def logits(self, features: np.ndarray, takes: np.ndarray) -> np.ndarray:
        """Features (N, D), all of one voice, and its takes (M, D) -> logits (N, classes)."""
        import torch

        relative = self._relative(features, takes)
        with torch.inference_mode():
            found = self._listener.against(torch.from_numpy(relative))["classes"].numpy()
        if self.linear is None:
            return found
        return (found + relative @ self.linear[:-1] + self.linear[-1]) / 2

    def _relative(self, features: np.ndarray, takes: np.ndarray) -> np.ndarray:
        """Features (N, D) measured against the voice's takes (M, D)."""
        import torch

        from conditioning.pooling import habits

        listener = self._listener
        mean, std = habits(takes, listener.mean.numpy(), listener.std.numpy())
        arrays = (torch.from_numpy(values) for values in (features, mean, std))
        return listener.relative(*arrays).numpy()

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
