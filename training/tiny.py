"""The tiny estimator: under 100,000 parameters on log-mel, taught by a listener's readings."""

from __future__ import annotations

from pathlib import Path

import lightning
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, RandomSampler

from conditioning.audio import Audio
from conditioning.pooling import PLACES, LogMelFront, Meter, ready
from conditioning.taxonomy import NAMES
from conditioning.whisper import RATE, library

from .augment import copy
from .data import NONSPEECH, EmotionData, Speech
from .features import seeded
from .modules import save_estimator, scheduled
from .nonspeech import sounds

LONGEST = 300  # frames of a training crop: 6 s
COPIES = ("as it is", "poor recording")


def mel_front() -> LogMelFront:
    """An untrained front end with its mel filters set."""
    front = LogMelFront()
    bank = library().audio_utils.mel_filter_bank(
        front.spectrum, front.bands, 50.0, RATE / 2, RATE, norm="slaney"
    )
    front.filters.copy_(torch.from_numpy(bank.T.astype(np.float32)))
    return front


class TinyData(EmotionData):
    """Recordings as log-mel, with what the teacher hears in each.

    Args:
        teacher: name of the estimator that teaches.
        speech, corpora, cache, jobs: as of `EmotionData`; the teacher listens to its features.
        validation: speakers of each corpus, synthetic ones too, never shown to the pupil.
    """

    def __init__(
        self,
        speech: str,
        corpora: list[str],
        teacher: str = "standard",
        validation: int = 1,
        cache: str = "runs/features",
        batch: int = 32,
        jobs: int = 2,
    ):
        super().__init__(
            speech, corpora, list(COPIES), validation, cache=cache, batch=batch, jobs=jobs
        )
        self.teacher = teacher

    def setup(self, stage: str | None = None) -> None:
        from conditioning.estimator import EmotionEstimator

        speech = self.load()
        speakers, corpora = speech.field("speaker"), speech.field("corpus")
        last = {
            speaker
            for name in self.options.corpora
            for speaker in sorted(set(speakers[corpora == name]))[-self.options.validation :]
        }
        stopping = np.isin(speakers, sorted(last)) & (speech.speech == 1)
        head = EmotionEstimator.load(self.teacher).head
        with torch.inference_mode():
            readings = [head(torch.from_numpy(part)) for part in speech.features.swapaxes(0, 1)]
        self.mels = self._mels(speech)
        places = [
            (row, number)
            for row in range(len(speakers))
            for number in range(len(COPIES))
            if (row, number) in self.mels
        ]
        self.training = [place for place in places if not stopping[place[0]]]
        self.stopping = [(row, 0) for row, number in places if stopping[row] and number == 0]
        self.readings = {place: readings[place[1]][place[0]].clone() for place in places}

    def _mels(self, speech: Speech) -> dict[tuple[int, int], np.ndarray]:
        """(F, M) of each row and copy, float16."""
        front, found = mel_front(), {}
        # As `nonspeech_features` measured them, so that each meets its own reading.
        other = (sound for sound in sounds(NONSPEECH) if ready(sound) is not None)
        for row, utterance in enumerate(speech.utterances):
            audio = next(other) if utterance is None else Audio.load(utterance.path)
            for number, kind in enumerate(COPIES if utterance else COPIES[:1]):
                path = utterance.path if utterance else Path()
                sound = ready(copy(audio, kind, seeded(path, kind)))
                if sound is not None:
                    found[row, number] = front.mel(sound.samples).numpy().astype(np.float16)
        return found

    def train_dataloader(self) -> DataLoader:
        order = RandomSampler(self.training)
        return DataLoader(
            self.training, self.options.batch, sampler=order, collate_fn=self._collate(True)
        )

    def val_dataloader(self) -> DataLoader:
        return DataLoader(self.stopping, self.options.batch, collate_fn=self._collate(False))

    def _collate(self, cropped: bool):
        def collate(places: list[tuple[int, int]]) -> tuple[Tensor, Tensor, Tensor]:
            mels = [torch.from_numpy(self.mels[place].astype(np.float32)) for place in places]
            if cropped:
                starts = [int(torch.randint(max(1, len(mel) - LONGEST), ())) for mel in mels]
                mels = [mel[s : s + LONGEST] for mel, s in zip(mels, starts, strict=True)]
            lengths = torch.tensor([len(mel) for mel in mels])
            padded = nn.utils.rnn.pad_sequence(mels, batch_first=True)
            return padded, lengths, torch.stack([self.readings[place] for place in places])

        return collate


class TinyModule(lightning.LightningModule):
    """Fits a `LogMelFront` and a `Meter` to a teacher's readings.

    B batch, M mel bands, F frames, R readings.
    """

    def __init__(self, learning_rate: float = 2e-3, decay: float = 0.01):
        super().__init__()
        self.save_hyperparameters()
        self.front, self.head = mel_front(), Meter()

    def forward(self, mel: Tensor, lengths: Tensor) -> Tensor:
        """(B, F, M) and the real lengths (B,) -> readings (B, R)."""
        frames = self.front(mel)
        real = (torch.arange(mel.shape[1]) < lengths[:, None])[..., None]
        count = lengths[:, None]
        mean = (frames * real).sum(1) / count
        spread = ((frames - mean[:, None]).square() * real).sum(1) / count
        return self.head(torch.cat([mean, (spread + 1e-6).sqrt()], dim=1))

    def configure_optimizers(self):
        optimizer = torch.optim.AdamW(
            self.parameters(), self.hparams.learning_rate, weight_decay=self.hparams.decay
        )
        return scheduled(optimizer, self.trainer)

    def training_step(self, batch) -> Tensor:
        mel, lengths, readings = batch
        error = (self(mel, lengths) - readings).square()
        # Each reading counts by how much it varies, so that rare emotions are learnt as well.
        loss = (error / (readings.var(0, correction=0) + 0.005)).mean()
        self.log("loss", loss, prog_bar=True)
        return loss

    def on_validation_epoch_start(self) -> None:
        self._seen: list[tuple[Tensor, Tensor]] = []

    def validation_step(self, batch) -> None:
        mel, lengths, readings = batch
        self._seen.append((self(mel, lengths), readings))

    def on_validation_epoch_end(self) -> None:
        heard, taught = (torch.cat(column) for column in zip(*self._seen, strict=True))
        heard, taught = heard[:, : PLACES.stop + 2], taught[:, : PLACES.stop + 2]
        self.agreement = [
            float(torch.corrcoef(torch.stack([heard[:, place], taught[:, place]]))[0, 1])
            for place in range(heard.shape[1])
        ]
        self.log("agreement", float(np.mean(self.agreement)), prog_bar=True)

    def export(self, folder: Path, trainer: lightning.Trainer) -> None:
        """Write `estimator.safetensors`; print how well pupil and teacher agree."""
        names = [*NAMES, "valence", "arousal", "dominance", "neutral", "strength"]
        print(
            f"Correlation with the teacher on {len(trainer.datamodule.stopping)} recordings of "
            f"held-out speakers: mean {np.mean(self.agreement):.3f}"
        )
        for name, value in zip(names, self.agreement, strict=True):
            print(f"  {name}: {value:.3f}")
        described = {
            "front": "log-mel",
            "teacher": trainer.datamodule.teacher,
            "corpora": list(trainer.datamodule.options.corpora),
            "agreement": dict(zip(names, self.agreement, strict=True)),
        }
        parts = {"head": self.head.eval(), "front": self.front.eval()}
        save_estimator(folder / "estimator.safetensors", parts, described)
