"""Whisper base: encoder features for the estimator, transcripts for annotation, word errors."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from . import weights
from .audio import Audio
from .checkpoint import fill
from .ctranslate2 import whisper_to_safetensors
from .errors import InvalidInput, WeightsError, unknown_name

if TYPE_CHECKING:
    from torch import Tensor

RATE = 16000  # Hz
WINDOW = 30.0  # s, what the recogniser hears at once
_FRAME = 320  # samples, of the encoder's output: 20 ms
_SHORTEST = 400  # samples: one window of the spectrogram
_SEARCH = 8.0  # s before the end of a window in which a quiet place to cut is looked for
# Speech seldom exceeds 8 tokens a second. More is the recogniser going round in circles, as it does
# on silence and music.
_TOKENS_PER_SECOND = 12
# Silence, noise and hum: Whisper says that there is no speech, and is unsure of the words it gives
# all the same. Its own limits, 0.6 and -1, hear "you" in silence. Measured: no speech 0.85 to 0.94
# and -0.30 to -1.5; acted speech, also 0.6 s of it or 40 dB down, at most 0.74.
_NO_SPEECH = 0.8
_UNSURE = -0.25  # mean log probability of a token


class Whisper:
    """OpenAI's Whisper (arXiv 2212.04356): hears words, and how they are said.

    B batch, F frames of 20 ms, D channels (512 in Whisper base), L layers.
    """

    def __init__(self, network, described: dict):
        """Take `load`; `described` holds the tokenizer and the tokens never said."""
        from tokenizers import Tokenizer

        self.network = network.eval().requires_grad_(False)
        self._tokenizer = Tokenizer.from_str(described["tokenizer"])
        self._suppress = described["suppress"]
        self._suppress_first = described["suppress_first"]
        self._features = library().WhisperFeatureExtractor(feature_size=network.config.num_mel_bins)

    @classmethod
    def load(cls, folder: str | os.PathLike | None = None) -> Whisper:
        """Whisper base, from where `conditioning.weights` finds it.

        Args:
            folder: where to look for weights first.

        Raises:
            WeightsError: the weights are missing or damaged.
        """
        converters = {"ctranslate2": whisper_to_safetensors}
        return cls.from_file(weights.path("whisper-base", converters, folder))

    @classmethod
    def from_file(cls, path: str | os.PathLike) -> Whisper:
        """A Whisper of any size, from a file that `whisper_to_safetensors` made.

        Raises:
            WeightsError: another file, or one whose tensors do not fit.
        """
        import torch
        from safetensors import SafetensorError, safe_open
        from safetensors.torch import load_file

        try:
            with safe_open(Path(path), "pt") as file:
                described = json.loads((file.metadata() or {})["whisper"])
            state = {name: tensor.float() for name, tensor in load_file(path).items()}
        except (OSError, SafetensorError, KeyError, ValueError):
            raise WeightsError(
                f"{path} holds no converted Whisper; remove it and convert again."
            ) from None
        transformers = library()
        config = transformers.WhisperConfig(
            **described["config"], **_special(described["tokenizer"])
        )
        with torch.device("meta"):  # the tensors of the file take the places of unfilled ones
            network = transformers.WhisperForConditionalGeneration(config)
        state["proj_out.weight"] = state["model.decoder.embed_tokens.weight"]
        fill(network, state, path, assign=True)
        return cls(network, described)

    def transcribe(self, audio: Audio, language: str | None = "en") -> str:
        """The words in speech of any length; "" when none are heard.

        Args:
            language: a code such as "en" or "de"; None hears for itself, in the first 30 s.

        Raises:
            UnknownName: a language that Whisper does not know.
            InvalidInput: no samples at all.
        """
        return self.transcribe_many([audio], language)[0]

    def transcribe_many(
        self, audios: Iterable[Audio], language: str | None = "en", batch: int = 8
    ) -> list[str]:
        """`transcribe` for many, `batch` pieces of up to 30 s at once: greedy, no timestamps."""
        import torch

        if language is not None:
            self._token(language)
        pieces = [_windows(_ready(audio)) for audio in audios]
        flat = [(index, piece) for index, parts in enumerate(pieces) for piece in parts]
        heard: list[list[str]] = [[] for _ in pieces]
        for start in range(0, len(flat), batch):
            some = flat[start : start + batch]
            with torch.inference_mode():
                texts = self._decode([piece for _, piece in some], language)
            for (index, _), text in zip(some, texts, strict=True):
                heard[index].append(text)
        return [" ".join(filter(None, texts)) for texts in heard]

    def encode(self, audio: Audio, layers: Sequence[int] = (2, 3)) -> np.ndarray:
        """What the encoder's layers say of the sound; see `WhisperEncoder.encode`."""
        return WhisperEncoder(self.network.model.encoder).encode(audio, layers)

    def _decode(self, pieces: list[np.ndarray], language: str | None) -> list[str]:
        import torch

        mel = self._features(pieces, sampling_rate=RATE, return_tensors="pt").input_features
        encoded = self.network.model.encoder(mel)  # (B, 80, 3000): filled with silence to 30 s
        size, end = len(pieces), self.network.config.eos_token_id
        prompt = [self._id("<|startoftranscript|>")] * size
        if language is None:
            first = self._logits(encoded, torch.tensor(prompt)[:, None])[0][:, -1]
            spoken = torch.tensor(self._language_ids())
            languages = spoken[first[:, spoken].argmax(1)].tolist()
        else:
            languages = [self._token(language)] * size
        task = [self._id("<|transcribe|>")] * size
        silent_on_time = [self._id("<|notimestamps|>")] * size
        tokens = torch.tensor([prompt, languages, task, silent_on_time]).T  # (B, 4)

        longest = max(len(piece) for piece in pieces) / RATE
        limit = math.ceil(longest * _TOKENS_PER_SECOND) + 8
        limit = min(limit, self.network.config.max_target_positions - tokens.shape[1])
        said: list[Tensor] = []
        finished = torch.zeros(size, dtype=torch.bool)
        memory, certainty, lengths = None, torch.zeros(size), torch.ones(size)
        for step in range(limit):
            logits, memory = self._logits(encoded, tokens, memory)
            if step == 0:
                silence = logits[:, 0].softmax(1)[:, self._id("<|nospeech|>")]
            logits = logits[:, -1]
            logits[:, self._suppress] = -math.inf
            logits[:, end + 1 :] = -math.inf  # what follows the end are commands and timestamps
            if step == 0:
                logits[:, self._suppress_first] = -math.inf
            chosen = logits.argmax(1).masked_fill(finished, end)
            likely = logits.log_softmax(1).gather(1, chosen[:, None])[:, 0]
            certainty += likely.masked_fill(finished, 0)
            lengths += ~finished
            finished |= chosen == end
            if finished.all():
                break
            said.append(chosen)
            tokens = chosen[:, None]
        if not said:
            return [""] * size
        rows = torch.stack(said, dim=1).tolist()
        unheard = (silence > _NO_SPEECH) & (certainty / lengths < _UNSURE)
        rows = [
            [] if nothing else [token for token in row if token != end]
            for row, nothing in zip(rows, unheard.tolist(), strict=True)
        ]
        return [text.strip() for text in self._tokenizer.decode_batch(rows)]

    def _logits(self, encoded, tokens: Tensor, memory=None):
        """Scores (B, tokens, V) of each next token, and what the decoder remembers."""
        output = self.network(
            encoder_outputs=encoded,
            decoder_input_ids=tokens,
            past_key_values=memory,
            use_cache=True,
        )
        return output.logits, output.past_key_values

    def _id(self, token: str) -> int:
        number = self._tokenizer.token_to_id(token)
        assert number is not None, f"the tokenizer has no {token}"
        return number

    def _language_ids(self) -> list[int]:
        """Between the start of a transcript and the tasks lie the languages."""
        return list(range(self._id("<|startoftranscript|>") + 1, self._id("<|translate|>")))

    def _token(self, language: str) -> int:
        known = [self._tokenizer.id_to_token(number)[2:-2] for number in self._language_ids()]
        if language not in known:
            raise unknown_name("language", language, known)
        return self._id(f"<|{language}|>")


class WhisperEncoder:
    """The first blocks of Whisper's encoder, for sounds at their real length.

    Whisper fills every sound to 30 s; that costs many times more, and the frames of the filling
    would have to be left out again.

    B batch, F frames of 20 ms, D channels (512 in Whisper base), L layers.
    """

    def __init__(self, network):
        """Take `load`; `network` is `whisper_blocks.Blocks` or transformers' encoder."""
        self.network = network.eval().requires_grad_(False)
        self._features = library().WhisperFeatureExtractor(feature_size=network.config.num_mel_bins)

    @classmethod
    def load(cls, depth: int = 3, folder: str | os.PathLike | None = None) -> WhisperEncoder:
        """The first `depth` blocks of Whisper base; nothing else is read into memory.

        Raises:
            WeightsError: the weights are missing or damaged.
        """
        import torch
        from safetensors import safe_open

        from .whisper_blocks import Blocks

        path = weights.path("whisper-base", {"ctranslate2": whisper_to_safetensors}, folder)
        prefix = "model.encoder."
        with safe_open(path, "pt") as file:
            with torch.device("meta"):  # the tensors of the file take the places of unfilled ones
                network = Blocks(json.loads(file.metadata()["whisper"])["config"], depth)
            state = {name: file.get_tensor(prefix + name).float() for name in network.state_dict()}
        network.load_state_dict(state, strict=True, assign=True)
        return cls(network)

    def encode(self, audio: Audio, layers: Sequence[int] = (2, 3)) -> np.ndarray:
        """What layers say of a sound of any length: shape (L, F, D), float32, F = 50 a second.

        Sound longer than 30 s is encoded in windows.

        Args:
            layers: numbers of blocks, from 1; 0 is what enters the first. The last is not passed
                through the closing layer norm.

        Raises:
            InvalidInput: no samples at all, or a layer that the network does not have.
        """
        parts = [self.encode_many([piece], layers)[0] for piece in _windows(_ready(audio))]
        return np.concatenate(parts, axis=1)

    def encode_many(
        self, pieces: Sequence[np.ndarray], layers: Sequence[int] = (2, 3)
    ) -> list[np.ndarray]:
        """`encode` for pieces of up to 30 s at 16 kHz, together: each gets what it gets alone."""
        import torch
        from torch.nn.functional import gelu

        depth = len(self.network.layers)
        if not layers or any(not 0 <= layer <= depth for layer in layers):
            raise InvalidInput(f"Layers {tuple(layers)}; give some of 0 to {depth}.")
        mels = [self._mel(piece) for piece in pieces]
        lengths = torch.tensor([(mel.shape[1] + 1) // 2 for mel in mels])
        encoder, alone = self.network, len(pieces) == 1
        with torch.inference_mode():
            hidden = torch.nn.utils.rnn.pad_sequence([mel.T for mel in mels], batch_first=True)
            hidden = gelu(encoder.conv1(hidden.transpose(1, 2)))  # (B, D, 2F)
            if not alone:  # beyond a sound's end the next convolution must see zeros
                ends = torch.tensor([mel.shape[1] for mel in mels])
                hidden = hidden * (torch.arange(hidden.shape[2]) < ends[:, None])[:, None]
            hidden = gelu(encoder.conv2(hidden)).transpose(1, 2)  # (B, F, D)
            hidden = hidden + encoder.embed_positions.weight[: hidden.shape[1]]
            mask = None
            if not alone:
                heard = torch.arange(hidden.shape[1]) < lengths[:, None]
                mask = torch.zeros(heard.shape).masked_fill(~heard, -math.inf)[:, None, None]
                mask = mask.expand(-1, 1, hidden.shape[1], -1)
            found = {0: hidden}
            for number, block in enumerate(encoder.layers[: max(layers)], start=1):
                output = block(hidden, mask)
                hidden = output[0] if isinstance(output, tuple) else output
                found[number] = hidden
            stacked = torch.stack([found[layer] for layer in layers], dim=1)  # (B, L, F, D)
        return [
            row[:, :length].numpy() for row, length in zip(stacked, lengths.tolist(), strict=True)
        ]

    def _mel(self, samples: np.ndarray) -> Tensor:
        """Log-mel (80, frames of 10 ms) of a piece as long as it is."""
        return self._features(
            samples,
            sampling_rate=RATE,
            padding="do_not_pad",
            truncation=False,
            return_tensors="pt",
        ).input_features[0]


def word_errors(reference: str, hypothesis: str) -> tuple[int, int]:
    """Words to substitute, insert and delete, and words of the reference; their ratio is the WER.

    Both are first put through Whisper's normaliser of English (case, punctuation, numbers,
    contractions, fillers), without its list of British spellings.
    """
    normalise = normaliser()
    expected, heard = normalise(reference).split(), normalise(hypothesis).split()
    # Levenshtein's distance, one row at a time.
    row = list(range(len(heard) + 1))
    for index, word in enumerate(expected, start=1):
        diagonal, row[0] = row[0], index
        for place, other in enumerate(heard, start=1):
            changed = diagonal + (word != other)
            diagonal = row[place]
            row[place] = min(changed, row[place] + 1, row[place - 1] + 1)
    return row[-1], len(expected)


@cache
def normaliser():
    """Whisper's normaliser of English, from text to text, without British spellings."""
    from transformers.models.whisper.english_normalizer import EnglishTextNormalizer

    return EnglishTextNormalizer({})


@cache
def library():
    """Transformers, with a torchaudio that cannot be loaded hidden from it.

    PyPI's torchaudio links CUDA. Beside a torch without CUDA its import raises OSError, and takes
    transformers' Whisper with it, which uses torchaudio only when it finds it.
    """
    try:
        import torchaudio  # noqa: F401
    except ImportError:
        pass
    except OSError:
        import transformers.utils.import_utils

        # The library looks once and remembers, so that hiding the package itself can come too late.
        for module in (transformers.utils, transformers.utils.import_utils):
            module.is_torchaudio_available = lambda: False
    import transformers

    return transformers


def _special(tokenizer: str) -> dict[str, int]:
    """The tokens that transformers' configuration names, by the tokenizer's numbers."""
    added = {entry["content"]: entry["id"] for entry in json.loads(tokenizer)["added_tokens"]}
    end, start = added["<|endoftext|>"], added["<|startoftranscript|>"]
    return {
        "bos_token_id": end,
        "eos_token_id": end,
        "pad_token_id": end,
        "decoder_start_token_id": start,
    }


def _ready(audio: Audio) -> np.ndarray:
    """Samples at 16 kHz, at least one spectrogram window of them."""
    if not len(audio.samples):
        raise InvalidInput("There is no sound to listen to; give at least one sample.")
    samples = audio.resample(RATE).samples
    return np.pad(samples, (0, max(0, _SHORTEST - len(samples))))


def _windows(samples: np.ndarray) -> list[np.ndarray]:
    """Pieces of at most 30 s, cut where it is quietest in the last 8 s of each."""
    whole, search, step = round(WINDOW * RATE), round(_SEARCH * RATE), RATE // 10
    pieces = []
    while len(samples) > whole:
        ending = samples[whole - search : whole].astype(np.float64)
        energy = np.square(ending).reshape(-1, step).sum(1)
        energy = np.convolve(energy, np.ones(3), "valid")  # 0.3 s of quiet is a pause
        cut = whole - search + (int(energy.argmin()) + 1) * step + step // 2
        cut -= cut % _FRAME  # so that windows hold whole frames of the encoder
        pieces.append(samples[:cut])
        samples = samples[cut:]
    # A rest shorter than a spectrogram window has nothing to say.
    return [*pieces, samples] if len(samples) >= _SHORTEST else pieces
