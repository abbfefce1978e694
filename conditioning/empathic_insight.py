"""LAION's Empathic Insight Voice, as published, behind the interface of `EmotionEstimator`."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .audio import Audio
from .emotion import LAION_SCALE, EmotionVector
from .errors import InvalidInput, UnknownName, WeightsError, unknown_name
from .estimator import DIMENSIONS, EmotionEstimator, Estimate
from .taxonomy import ATTRIBUTES, CATEGORIES, INDEX, Attribute, find
from .weights import FOLDER_VARIABLE

if TYPE_CHECKING:
    from torch import Tensor

    from .estimator import Baseline

ENCODER = "laion/BUD-E-Whisper"
HEADS = {
    "small": "laion/Empathic-Insight-Voice-Small",
    "large": "laion/Empathic-Insight-Voice-Large",
}
# Outputs of `proj` and of the four linear layers of `mlp`.
_WIDTHS = {"small": (64, 64, 32, 16, 1), "large": (128, 128, 64, 32, 1)}
_LAYERS = ("proj", "mlp.2", "mlp.5", "mlp.8", "mlp.11")  # ReLU and Dropout have the other numbers
_SCALES = {
    category.name: Attribute(category.name, category.laion_key, 0, LAION_SCALE, "absent", "strong")
    for category in CATEGORIES
} | {attribute.name: attribute for attribute in ATTRIBUTES}
# Spearman's correlation with the ratings of experts on EmoNet-Voice Bench (arXiv 2506.09827): the
# four that its text names, the lowest and the highest. The voices are synthetic, and may be those
# of the training.
_SPEARMAN = {
    "Concentration": 0.06,
    "Emotional Numbness": 0.14,
    "Teasing": 0.66,
    "Embarrassment": 0.68,
}
_AT_ONCE = 32  # windows scored by each opened head: 74 MB of features
# Columns of the first layer multiplied at once. torch multiplies float16 on some processors a
# hundred times slower than float32 (17 s instead of 0.14 s for four windows), and a whole matrix
# made float32 would double what is held.
_BLOCK = 65_536


class EmpathicInsight(EmotionEstimator):
    """Forty emotions and fifteen attributes of a voice, by LAION's published networks (CC-BY-4.0).

    W windows of 30 s, F frames of the encoder (1500), D channels (768 in Whisper small).

    A Whisper encoder hears the window, filled with silence to 30 s; its F x D numbers, flattened,
    go through one head for each thing to be told: `proj` (linear), then `mlp`, which is ReLU,
    Dropout and three times linear, ReLU, Dropout, then linear to one number. That order, the names
    in the files (`proj`, `mlp.2`, `.5`, `.8`, `.11`, perhaps after `_orig_mod.`), the 55 file names
    and the sizes agree in several public programs that run LAION's files, among them a notebook and
    a script that annotates folders. Some of those take the encoder BUD-E-Whisper, as here, others
    mkrausio/EmoWhisper-AnS-Small-v0.1; whether the two are equal is not known here.

    What to know of its estimates:
        The sound is heard at the level it has, as LAION does: its scores are of that input.
        Whisper's spectrogram keeps the level, so gain alone changes what is heard.
        It cannot tell whether anyone speaks: `speech` is True of all but digital silence.
        The networks learnt from synthetic acting, so `support` is "synthetic" throughout.
        Scores beyond the ends of LAION's scales, as regressions give, are put at the ends.
        `reliability` holds the few rank correlations with experts that the paper's text gives.

    Memory is bounded by the encoder, one head and 74 MB of features, whatever is asked: a head's
    file is mapped, multiplied in place by up to 32 windows, and let go before the next is opened.
    Features are kept in half precision. Of a head no copy is made, so that one in half precision
    would only add to what the mapped file takes.
    """

    licence = "CC-BY-4.0"
    commercial = True

    def __init__(
        self,
        size: str,
        encoder: str | os.PathLike,
        config: str | os.PathLike,
        preprocessor: str | os.PathLike,
        heads: Mapping[str, str | os.PathLike],
    ):
        """Take `load`, which finds the files.

        Args:
            size: "small" or "large".
            encoder, config, preprocessor: `model.safetensors`, `config.json` and
                `preprocessor_config.json` of a Whisper.
            heads: names of categories and attributes -> their files.

        Raises:
            WeightsError: a file that is damaged or does not fit the others.
        """
        self._encoder, self._extractor = _open_encoder(Path(encoder), config, preprocessor)
        shape = self._encoder.config
        self._sizes = (shape.max_source_positions * shape.d_model, *_WIDTHS[size])
        self._heads = {name: Path(file) for name, file in heads.items()}
        # The large matrices (16 GB in all) are left out, so that loading need not read them; the
        # biases and small layers tell one training from another.
        digest = hashlib.sha256()
        _digest(digest, *self._encoder.state_dict().values())
        for file in self._heads.values():
            _digest(digest, *chain.from_iterable(_open_head(file, self._sizes)))
        self.name = f"empathic-insight-{size}@{digest.hexdigest()[:12]}"
        told = [name for name in heads if name in INDEX or name in DIMENSIONS]
        self.support = dict.fromkeys(told, "synthetic")
        self.reliability = {name: _SPEARMAN.get(name, float("nan")) for name in told}

    @classmethod
    def load(
        cls,
        size: str = "small",
        folder: str | os.PathLike | None = None,
        heads: Iterable[str] | None = None,
    ) -> EmpathicInsight:
        """The encoder and the heads asked for, from a folder or from the Hugging Face hub.

        The files lie in the folder as on the hub, each repository in a folder of its own name:
        `BUD-E-Whisper/` with `config.json`, `preprocessor_config.json` and `model.safetensors`,
        and `Empathic-Insight-Voice-Small/` or `-Large/` with `model_<Key>_best.pth`. A folder that
        is given is the only place that is looked in, which pins the files. Without it the folder of
        the environment's VOICE_ACTOR_WEIGHTS comes first, then the hub's cache, then the hub
        itself: 295 MB for each Small head, 590 MB for each Large one, 1 GB for the encoder.

        LAION publishes no sums to check the files by. So nothing in them is ever run (weights_only,
        safetensors), every name and shape must fit, and `name` ends in a sum over what was loaded.

        Args:
            size: "small" or "large".
            folder: where the files are.
            heads: categories and attributes by any name that `taxonomy` knows; without it all 55.

        Raises:
            UnknownName: a size or a head that there is not.
            InvalidInput: no head at all.
            WeightsError: a file that is missing, damaged or does not fit the others.
        """
        if size not in HEADS:
            raise unknown_name("size", size, HEADS)
        names = list(_SCALES if heads is None else dict.fromkeys(map(_canonical, heads)))
        if not names:
            raise InvalidInput("There is no head to load; name at least one, such as 'Anger'.")
        places = _Places(folder)
        return cls(
            size,
            places.find(ENCODER, "model.safetensors"),
            places.find(ENCODER, "config.json"),
            places.find(ENCODER, "preprocessor_config.json"),
            {
                name: places.find(HEADS[size], f"model_{_SCALES[name].laion_key}_best.pth")
                for name in names
            },
        )

    def _hear(
        self, audio: Audio, spans: Sequence[tuple[float, float]], baseline: Baseline | None
    ) -> Iterator[Estimate]:
        if baseline is not None:
            self.baseline(())  # refuses
        if not len(audio.samples):
            raise InvalidInput("There is no sound to listen to; give at least one sample.")
        totals, lengths = np.zeros((len(spans), len(self._heads))), np.zeros(len(spans))
        windows = self._windows(audio, spans)
        while some := self._hear_some(windows):
            owners, weights, scores = some
            np.add.at(totals, owners, weights[:, None] * scores)
            np.add.at(lengths, owners, weights)
        for (start, end), total, length in zip(spans, totals, lengths, strict=True):
            if length:
                yield self._estimate(
                    dict(zip(self._heads, total / length, strict=True)), start, end
                )
            else:
                yield Estimate.without_speech(start, end, self.name)

    def _estimate(self, scores: Mapping[str, float], start: float, end: float) -> Estimate:
        """From the heads' scores on LAION's scales."""
        scores = {
            name: float(np.clip(score, _SCALES[name].low, _SCALES[name].high))
            for name, score in scores.items()
        }
        places = {}
        for name in DIMENSIONS:
            low, high = _SCALES[name].low, _SCALES[name].high
            places[name] = 2 * (scores.get(name, float("nan")) - low) / (high - low) - 1
        return Estimate(
            intensities=EmotionVector(
                {name: score / LAION_SCALE for name, score in scores.items() if name in INDEX}
            ),
            **places,
            neutral=float("nan"),
            strength=float("nan"),
            speech=True,
            support=self.support,
            reliability=self.reliability,
            attributes={name: score for name, score in scores.items() if name not in INDEX},
            start=start,
            end=end,
            estimator=self.name,
        )

    def _windows(
        self, audio: Audio, spans: Sequence[tuple[float, float]]
    ) -> Iterator[tuple[int, int, Tensor]]:
        """Of each stretch of up to 30 s: its span's index, its samples, its features (F * D).

        Each is resampled by itself, so that an hour is never held at two rates. Digital silence is
        left out.
        """
        rate = audio.sample_rate
        step = self._extractor.n_samples * rate // self._extractor.sampling_rate
        for index, (start, end) in enumerate(spans):
            span = audio.samples[round(start * rate) : round(end * rate)]
            for place in range(0, len(span), step):
                piece = span[place : place + step]
                if piece.any():
                    yield index, len(piece), self._features(Audio(piece, rate))

    def _features(self, audio: Audio) -> Tensor:
        """What the encoder says of up to 30 s, filled with silence: (F * D), float16."""
        import torch

        rate = self._extractor.sampling_rate
        mel = self._extractor(
            audio.resample(rate).samples,
            sampling_rate=rate,
            padding="max_length",
            return_tensors="pt",
        ).input_features
        with torch.inference_mode():
            return self._encoder(mel).last_hidden_state.flatten().half()

    def _hear_some(
        self, windows: Iterator[tuple[int, int, Tensor]]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
        """Spans' indices (W,), samples (W,) and scores (W, heads) of the next windows, if any.

        A function of its own, so that their features are gone before the next are made.
        """
        group = list(islice(windows, _AT_ONCE))
        if not group:
            return None
        owners, lengths, features = zip(*group, strict=True)
        scores = [self._score(file, features) for file in self._heads.values()]
        return np.array(owners), np.array(lengths), np.stack(scores, axis=1)

    def _score(self, file: Path, features: Sequence[Tensor]) -> np.ndarray:
        """One head's scores (W,) of the features; nothing of the head outlives the call."""
        import torch
        from torch.nn.functional import linear, relu

        with torch.inference_mode():
            (weight, bias), *layers = _open_head(file, self._sizes)
            hidden = bias.float().repeat(len(features), 1)
            for start in range(0, weight.shape[1], _BLOCK):
                columns = slice(start, start + _BLOCK)
                block = torch.stack([window[columns] for window in features]).float()
                hidden += linear(block, weight[:, columns].float())
            for weight, bias in layers:
                hidden = linear(relu(hidden), weight.float(), bias.float())
        scores = hidden[:, 0].numpy()
        if not np.isfinite(scores).all():
            raise WeightsError(f"{file} gives scores that are no numbers; {_AGAIN}.")
        return scores


_AGAIN = "remove it and download it again"


class _Places:
    """Where files are looked for."""

    def __init__(self, folder: str | os.PathLike | None):
        self._only = folder is not None
        chosen = folder if self._only else os.environ.get(FOLDER_VARIABLE) or None
        self._folder = None if chosen is None else Path(chosen)
        if self._folder is not None and not self._folder.is_dir():
            raise WeightsError(
                f"The weights folder {str(chosen)!r} is not a folder; "
                f"give one that exists or unset {FOLDER_VARIABLE}."
            )

    def find(self, repository: str, file: str) -> Path:
        """A file of a repository of the hub."""
        if self._folder is not None:
            here = self._folder / repository.rpartition("/")[2] / file
            if here.is_file():
                return here
            if self._only:
                raise WeightsError(
                    f"There is no {here}; put it there from https://huggingface.co/{repository}, "
                    "or give no folder, to ask the hub."
                )
        from huggingface_hub import hf_hub_download

        for cached in (True, False):
            try:
                return Path(hf_hub_download(repository, file, local_files_only=cached))
            except Exception as error:  # of many kinds; each means that the hub gave nothing
                reason = _first_line(error)
        raise WeightsError(
            f"The hub gave no {file} of {repository} ({reason}); "
            "go online once, or give a folder that holds it."
        )


def _canonical(name: str) -> str:
    """The key of `_SCALES` that a name means."""
    for attribute in ATTRIBUTES:
        if name in (attribute.name, attribute.laion_key):
            return attribute.name
    try:
        return find(name).name
    except UnknownName:
        raise unknown_name("head", name, _SCALES) from None


def _open_encoder(file: Path, config: str | os.PathLike, preprocessor: str | os.PathLike):
    """Whisper's encoder alone, float32, and what makes its spectrograms."""
    import torch
    from safetensors import SafetensorError, safe_open

    from .whisper import library

    transformers = library()
    prefix = "model.encoder."
    try:
        shape = transformers.WhisperConfig.from_json_file(config)
        extractor = transformers.WhisperFeatureExtractor.from_json_file(preprocessor)
        with torch.device("meta"):  # the tensors of the file take the places of unfilled ones
            encoder = transformers.models.whisper.modeling_whisper.WhisperEncoder(shape)
        with safe_open(file, "pt") as stored:
            names = [name for name in stored.keys() if name.startswith(prefix)]  # noqa: SIM118
            state = {name.removeprefix(prefix): stored.get_tensor(name).float() for name in names}
        encoder.load_state_dict(state, strict=True, assign=True)
    except (OSError, SafetensorError, ValueError, TypeError, RuntimeError) as error:
        raise WeightsError(
            f"{file.parent} holds no Whisper that can be loaded ({_first_line(error)}); {_AGAIN}."
        ) from None
    made = (extractor.nb_max_frames, extractor.feature_size)
    heard = (2 * shape.max_source_positions, shape.num_mel_bins)
    if made != heard:
        raise WeightsError(
            f"{preprocessor} makes spectrograms of {made}, {config} takes {heard}; {_AGAIN}."
        )
    return encoder.eval().requires_grad_(False), extractor


def _open_head(file: Path, sizes: Sequence[int]) -> list[tuple[Tensor, Tensor]]:
    """Weight (out, in) and bias (out,) of each layer, mapped from the file and not yet read.

    Args:
        sizes: numbers that enter the first layer and leave each layer.
    """
    import torch

    try:
        state = torch.load(file, map_location="cpu", weights_only=True, mmap=True)
    except Exception:  # a damaged pickle raises nearly anything, such as KeyError and IndexError
        raise WeightsError(
            f"{file} is damaged, or holds more than plain tensors and is not opened; {_AGAIN}."
        ) from None
    if not isinstance(state, dict):
        raise WeightsError(f"{file} holds no head but a {type(state).__name__}; {_AGAIN}.")
    state = {str(name).removeprefix("_orig_mod."): tensor for name, tensor in state.items()}
    wanted = {}
    for layer, entering, leaving in zip(_LAYERS, sizes, sizes[1:], strict=False):
        wanted[f"{layer}.weight"] = (leaving, entering)
        wanted[f"{layer}.bias"] = (leaving,)
    found = {name: tuple(getattr(tensor, "shape", ())) for name, tensor in state.items()}
    if found != wanted:
        name = min(key for key in found | wanted if found.get(key) != wanted.get(key))
        raise WeightsError(
            f"{file} does not fit the encoder and this size of head: its {name} is "
            f"{found.get(name, 'missing')}, {wanted.get(name, 'no such tensor')} is wanted; "
            "give the files of one size and its encoder."
        )
    if not all(tensor.is_floating_point() for tensor in state.values()):
        raise WeightsError(f"{file} holds tensors that are not of floats; {_AGAIN}.")
    return [(state[f"{layer}.weight"], state[f"{layer}.bias"]) for layer in _LAYERS]


def _digest(digest: hashlib._Hash, *tensors: Tensor) -> None:
    """Takes all but the large tensors into the sum."""
    for tensor in tensors:
        if tensor.numel() <= 2**14:
            digest.update(tensor.float().numpy().tobytes())


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), "") or type(error).__name__
