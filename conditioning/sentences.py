"""Sentence embeddings from all-MiniLM-L6-v2, plainly: what the interpreter needs of the network.

Transformers has the network as well; importing it takes longer than all else that is loaded here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from . import weights
from .errors import WeightsError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

CHANNELS, HEADS, INNER, DEPTH = 384, 12, 1536, 6
LONGEST = 128  # tokens of a window with its two marks; the network learnt from texts of this length
_POSITIONS, _VOCABULARY, _KINDS = 512, 30522, 2
_EPSILON = 1e-12
_SENTENCE_END = re.compile(r"[.!?…]+[\"'”’)\]]*\s|\n")
_BATCH = 16  # windows read at once: 16 x 128 tokens of 1536 channels are 13 MB


@dataclass(frozen=True)
class Window:
    """A stretch of a text that the network reads at once.

    Attributes:
        ids: of its tokens, with the marks of beginning and end.
        places: the character of the text at which each token begins, without the marks.
        start, end: the characters of the text that it holds.
    """

    ids: tuple[int, ...]
    places: tuple[int, ...]
    start: int
    end: int


class SentenceEncoder(nn.Module):
    """all-MiniLM-L6-v2 (a BERT of six layers; Apache-2.0), frozen.

    B windows, T tokens, D = 384 channels, L layers.
    """

    def __init__(self, tokenizer: Tokenizer):
        super().__init__()
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self.tokenizer = tokenizer
        self._begin, self._end = (tokenizer.token_to_id(mark) for mark in ("[CLS]", "[SEP]"))
        # Not nn.Embedding: its random start costs 2 s on the meta device, where none is needed.
        self.words, self.positions, self.kinds = (
            nn.Parameter(torch.empty(count, CHANNELS))
            for count in (_VOCABULARY, _POSITIONS, _KINDS)
        )
        self.norm = nn.LayerNorm(CHANNELS, _EPSILON)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                CHANNELS,
                HEADS,
                INNER,
                activation="gelu",
                layer_norm_eps=_EPSILON,
                batch_first=True,
                norm_first=False,
            )
            for _ in range(DEPTH)
        )

    @classmethod
    def load(cls, folder: str | os.PathLike | None = None) -> SentenceEncoder:
        """The encoder, from where `conditioning.weights` finds it.

        Args:
            folder: where to look for weights first.

        Raises:
            WeightsError: the weights are missing or damaged.
        """
        return cls.from_files(
            weights.path("minilm", folder=folder), weights.path("minilm-tokenizer", folder=folder)
        )

    @classmethod
    def from_files(cls, path: Path, tokenizer: Path) -> SentenceEncoder:
        """From the published weights, named as in transformers, and the published tokenizer.

        Raises:
            WeightsError: other files, or tensors that do not fit.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file
        from tokenizers import Tokenizer

        try:
            published = load_file(path)
            words = Tokenizer.from_file(str(tokenizer))
        except Exception as error:  # tokenizers raises bare Exceptions
            if not isinstance(error, (OSError, SafetensorError)) and type(error) is not Exception:
                raise
            raise WeightsError(
                f"{path} and {tokenizer} hold no sentence encoder; install them again."
            ) from None
        with torch.device("meta"):  # the tensors of the file take the places of unfilled ones
            encoder = cls(words)
        try:
            encoder.load_state_dict(_renamed(published), strict=True, assign=True)
        except (KeyError, RuntimeError) as error:
            reason = " ".join(str(error).split())
            raise WeightsError(f"{path} does not fit all-MiniLM-L6-v2: {reason}") from None
        return encoder.eval().requires_grad_(False)

    def forward(self, ids: Tensor, mask: Tensor) -> list[Tensor]:
        """Token states (B, T, D) of the embeddings and of each layer, from ids and mask (B, T).

        The mask is true where a token stands; states elsewhere mean nothing.
        """
        state = self.norm(self.words[ids] + self.positions[: ids.shape[1]] + self.kinds[0])
        states = [state]
        for layer in self.layers:
            states.append(layer(states[-1], src_key_padding_mask=~mask))
        return states

    def windows(self, text: str) -> list[Window]:
        """The whole text in windows of up to `LONGEST` tokens, cut at sentence ends where possible.

        A sentence longer than a window is cut between words, a word longer than that anywhere.
        """
        encoded = self.tokenizer.encode(text, add_special_tokens=False)
        ids, offsets, words = encoded.ids, encoded.offsets, encoded.word_ids
        ends = [match.end() for match in _SENTENCE_END.finditer(text)]
        after_sentence, index = set(), 0
        for end in ends:
            while index < len(offsets) and offsets[index][0] < end:
                index += 1
            after_sentence.add(index)
        windows, first = [], 0
        while first < len(ids) or not windows:
            last = min(first + LONGEST - 2, len(ids))
            if last < len(ids):
                cuts = range(last, first, -1)
                last = next(
                    (cut for cut in cuts if cut in after_sentence),
                    next((cut for cut in cuts if words[cut] != words[cut - 1]), last),
                )
            start = 0 if first == 0 else offsets[first][0]
            end = len(text) if last == len(ids) else offsets[last][0]
            marked = (self._begin, *ids[first:last], self._end)
            places = tuple(place for place, _ in offsets[first:last])
            windows.append(Window(marked, places, start, end))
            first = last
        return windows

    def states(
        self, windows: Sequence[Window], batch: int = _BATCH
    ) -> Iterator[tuple[list[Tensor], Tensor]]:
        """`forward` over windows in their order, some at once: states and mask of each batch."""
        for first in range(0, len(windows), batch):
            ids, mask = padded(window.ids for window in windows[first : first + batch])
            with torch.inference_mode():
                yield self(ids, mask), mask

    def embed(self, texts: Sequence[str]) -> Tensor:
        """Embeddings (B, D) of length 1; that of a text in several windows is their mean's."""
        rows, of = [], []
        for index, text in enumerate(texts):
            windows = self.windows(text)
            rows += windows
            of += [index] * len(windows)
        found = torch.zeros(len(texts), CHANNELS)
        if not rows:
            return found
        each = torch.cat([mean(states[-1], mask) for states, mask in self.states(rows)])
        sizes = torch.tensor([float(len(row.ids)) for row in rows])
        found.index_add_(0, torch.tensor(of), normalize(each, dim=1) * sizes[:, None])
        return normalize(found, dim=1)


def padded(rows: Iterable[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Rows of ids as one tensor (B, T), 0 after the end of the shorter, and the mask of tokens."""
    rows = list(rows)
    lengths = torch.tensor([len(row) for row in rows])
    mask = torch.arange(int(lengths.max())) < lengths[:, None]
    ids = torch.zeros(mask.shape, dtype=torch.long)
    ids[mask] = torch.tensor([number for row in rows for number in row])
    return ids, mask


def mean(states: Tensor, mask: Tensor) -> Tensor:
    """The average (B, D) of states (B, T, D) where the mask (B, T) is true."""
    shares = mask / mask.sum(1, keepdim=True)
    return torch.einsum("bt,btd->bd", shares, states)


def _renamed(published: dict[str, Tensor]) -> dict[str, Tensor]:
    """BERT's tensors under the names of torch's own layers."""
    left = dict(published)
    # The pooler served another purpose than sentences, and places are numbered as they come.
    for unneeded in ("embeddings.position_ids", "pooler.dense.weight", "pooler.dense.bias"):
        left.pop(unneeded, None)
    ours = {}
    for name, theirs in (("words", "word"), ("positions", "position"), ("kinds", "token_type")):
        ours[name] = left.pop(f"embeddings.{theirs}_embeddings.weight")
    for kind in ("weight", "bias"):
        ours[f"norm.{kind}"] = left.pop(f"embeddings.LayerNorm.{kind}")
        for index in range(DEPTH):
            here, there = f"layers.{index}", f"encoder.layer.{index}"
            ours[f"{here}.self_attn.in_proj_{kind}"] = torch.cat(
                [
                    left.pop(f"{there}.attention.self.{part}.{kind}")
                    for part in ("query", "key", "value")
                ]
            )
            for name, theirs in (
                ("self_attn.out_proj", "attention.output.dense"),
                ("norm1", "attention.output.LayerNorm"),
                ("linear1", "intermediate.dense"),
                ("linear2", "output.dense"),
                ("norm2", "output.LayerNorm"),
            ):
                ours[f"{here}.{name}.{kind}"] = left.pop(f"{there}.{theirs}.{kind}")
    return ours | left  # what is left is refused by the strict loading
