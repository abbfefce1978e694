"""Which emotions a direction asks for, or a line suggests: frozen embeddings, a small learnt head.

For what the lexicon of `direction` does not know: "the vet who cannot save the dog".
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu

from . import weights
from .checkpoint import check_made_for, fill, read_checkpoint
from .emotion import EmotionVector
from .errors import InvalidInput
from .lexicon import FILLERS
from .pictographs import named
from .sentences import CHANNELS, SentenceEncoder, Window
from .taxonomy import CATEGORIES, CORPUS_LABELS, INDEX, NAMES, fingerprint

LAYERS = (2, 4, 5, 6)  # of the encoder: the first knows words, the last what they mean together
LABELS = tuple(CORPUS_LABELS["goemotions"])  # in the corpus's own order
ASKED = slice(len(LABELS), len(LABELS) + len(CATEGORIES))
PLACE = slice(ASKED.stop, ASKED.stop + 3)  # valence, arousal, dominance
SAID = slice(PLACE.stop, PLACE.stop + len(CATEGORIES))
OUTPUTS = SAID.stop
FLOOR, MOST = 0.08, 8  # what is too faint to report, and how many categories are reported
LONGEST = 100_000  # characters
# Words left out, one at a time, to see which decide: so many that it costs what the reading did,
# and none of a long text, where one word decides little.
_OCCLUDED, _OCCLUDED_TOKENS = 3, 26
_AT_ONCE = 16  # windows
_LONGEST_WORD = 40  # letters; more is no word that could be shown
_LEAST = 0.02  # intensity that a word must add to have decided anything
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")

# Words of other languages that the English vocabulary holds whole. No word that English has too.
_FOREIGN = frozenset(
    "der das und ist nicht ein eine einen wie mit fur auf von zu den dem ich sie wir er es auch "
    "sehr noch nur aber le la les et des une un est pas dans pour avec qui sur je tu il elle nous "
    "vous tres mais comme el los las que de con por una es muy pero como y no si se su lo al del "
    "di che non per una sono ma molto come gli o os um uma nao com mais och att det som en av pa "
    "het een van niet ik je dat nie na do jest sie".split()
) - frozenset("no so do per come sure an as in is on me we he den".split())


@dataclass(frozen=True)
class Reading:
    """What a text asks for or suggests.

    Attributes:
        intensities: of the categories found, each in [`FLOOR`, 1], the strongest `MOST` of them.
        valence, arousal, dominance: each in [-1, 1]; 0 is neutral.
        known: share of the text's words that are whole in the English vocabulary; below about a
            half it is hardly English. 1 where there are no words.
        words: those that decided the strongest category, strongest first: each with its start and
            end in the text, and the intensity that is lost without it. A hint, no proof: words work
            together. Empty unless asked for.
        strange: the words that are not known.
    """

    intensities: EmotionVector
    valence: float
    arousal: float
    dominance: float
    known: float
    words: tuple[tuple[str, int, int, float], ...] = ()
    strange: tuple[str, ...] = ()


class Head(nn.Module):
    """Token states of some layers -> labels, categories asked for, place, categories said.

    Labels are GoEmotions'; a direction asks for categories, a line says them. Each output attends
    to the tokens for itself; beside that all share what is pooled over them. B texts, T tokens, L
    layers, D channels, H hidden, K = 28 + 40 + 3 + 40 outputs.

    Args:
        hidden: H.
        dropout: in training; chosen on the dev sets.
    """

    def __init__(self, hidden: int, dropout: float = 0.3):
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(CHANNELS) for _ in LAYERS)
        self.enter = nn.Linear(len(LAYERS) * CHANNELS, hidden)
        self.line = nn.Parameter(torch.zeros(hidden))
        self.attend = nn.Linear(hidden, OUTPUTS)
        self.weight = nn.Parameter(0.02 * torch.randn(OUTPUTS, hidden))
        self.pooled = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(2 * hidden, hidden),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, OUTPUTS),
        )
        self.dropout = nn.Dropout(dropout)  # of a channel in all tokens of a text: cheap to draw
        with torch.no_grad():  # most labels are absent from most texts
            self.pooled[-1].bias[: ASKED.stop] = -3.0
            self.pooled[-1].bias[SAID] = -3.0

    def forward(self, states: Tensor, mask: Tensor, line: Tensor) -> tuple[Tensor, Tensor]:
        """States (B, T, L, D), mask (B, T), is a line (B,) -> logits (B, K), attention (B, T, K).

        The places' outputs are before tanh.
        """
        layers = [norm(states[:, :, index]) for index, norm in enumerate(self.norms)]
        entering = torch.cat(layers, dim=2)
        hidden = self.enter(entering * self.dropout(torch.ones_like(entering[:, :1])))
        hidden = gelu(hidden + line[:, None, None] * self.line).float()
        outside = ~mask[:, :, None]
        attention = self.attend(hidden).float().masked_fill(outside, -1e4).softmax(1)
        heard = torch.einsum("btk,bth->bkh", attention, hidden)
        mean = (hidden * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)
        most = hidden.masked_fill(outside, -1e4).amax(1)
        logits = (self.dropout(heard) * self.weight).sum(2) + self.pooled(
            torch.cat([mean, most], dim=1)
        )
        return logits, attention


class Heads(nn.Module):
    """Several heads that were trained alike from different seeds, their logits averaged."""

    def __init__(self, count: int, hidden: int):
        super().__init__()
        self.heads = nn.ModuleList(Head(hidden) for _ in range(count))
        # Logit -> intensity: ceiling, slope, shift, of what is asked for and of what is said.
        self.register_buffer("calibration", torch.tensor([[1.0, 1.0, 0.0]] * 2))

    def forward(self, states: Tensor, mask: Tensor, line: Tensor) -> tuple[Tensor, Tensor]:
        """As `Head`."""
        logits, attention = zip(*(head(states, mask, line) for head in self.heads), strict=True)
        return torch.stack(logits).mean(0), torch.stack(attention).mean(0)

    def intensities(self, logits: Tensor, lines: bool) -> Tensor:
        """Logits (B, K) -> intensities (B, 40) in [0, 1], of lines or of directions."""
        ceiling, slope, shift = self.calibration[int(lines)]
        return ceiling * (slope * logits[:, SAID if lines else ASKED] + shift).sigmoid()


def meaning() -> Tensor:
    """What each label of GoEmotions means: (28, 40), shares in [0, 1]."""
    table = torch.zeros(len(LABELS), len(NAMES))
    for index, shares in enumerate(CORPUS_LABELS["goemotions"].values()):
        for name, share in shares.items():
            table[index, INDEX[name]] = share
    return table


class Interpreter:
    """Reads what a direction asks for, or what a line suggests by itself."""

    def __init__(self, encoder: SentenceEncoder, heads: Heads, described: dict[str, Any]):
        """Take `load`; `described` is what the checkpoint says of itself."""
        self.encoder = encoder
        self.heads = heads.eval().requires_grad_(False)
        self.described = described

    @classmethod
    def load(cls, folder: str | os.PathLike | None = None) -> Interpreter:
        """The interpreter, from where `conditioning.weights` finds its parts.

        Args:
            folder: where to look for weights first.

        Raises:
            WeightsError: the weights are missing, damaged or made for another list of emotions.
        """
        path = weights.path("interpreter", folder=folder)
        return cls(SentenceEncoder.load(folder), *read_heads(path))

    def read(
        self, texts: Sequence[str], lines: bool = False, explain: bool = False
    ) -> list[Reading]:
        """One reading for each text, of up to `LONGEST` characters.

        A text longer than a window of the encoder is read in windows, which count by their length.

        Args:
            lines: the texts are what is said; otherwise they say how.
            explain: find the words that decided.

        Raises:
            InvalidInput: no text, or one that is too long.
        """
        if isinstance(texts, str):
            raise InvalidInput("A text came alone; give a list of texts, such as ['sadly'].")
        readings = []
        for text in texts:
            if not isinstance(text, str):
                raise InvalidInput(f"A text came as {type(text).__name__}; allowed: str.")
            if len(text) > LONGEST:
                raise InvalidInput(
                    f"A text of {len(text):,} characters; allowed: up to {LONGEST:,}; shorten it."
                )
            readings.append(self._read(text, lines, explain))
        return readings

    def _read(self, text: str, lines: bool, explain: bool) -> Reading:
        plain = named(text)
        if not _WORD.search(plain.text):
            return Reading(EmotionVector(), 0.0, 0.0, 0.0, 1.0)
        windows = self.encoder.windows(plain.text)
        logits, attention = self._outputs(windows, lines)
        felt = self.heads.intensities(logits, lines)
        shares = torch.tensor([float(len(window.places)) for window in windows])
        shares /= shares.sum()
        total = shares @ felt
        strongest = total.argsort(descending=True)[:MOST].tolist()
        found = {
            NAMES[index]: round(float(total[index]), 4)
            for index in strongest
            if total[index] >= FLOOR
        }
        words: tuple[tuple[str, int, int, float], ...] = ()
        if explain and found:
            first = strongest[0]
            most = int((shares * felt[:, first]).argmax())
            looked = attention[most][:, (SAID if lines else ASKED).start + first]
            left = self._without(plain.text, windows[most], looked, first, lines)
            words = tuple(
                (text[slice(*plain.origin(*span))], *plain.origin(*span), share)
                for span, value in left
                if (share := float((felt[most, first] - value) * shares[most])) >= _LEAST
            )
        place = (shares @ logits[:, PLACE].tanh()).tolist()
        known, strange = self._strange(text)
        return Reading(EmotionVector(found), *place, known, words, strange)

    def _outputs(self, windows: Sequence[Window], lines: bool) -> tuple[Tensor, list[Tensor]]:
        """Logits (B, K) of windows, and each one's attention (T, K)."""
        logits: list[Tensor] = []
        attention: list[Tensor] = []
        for states, mask in self.encoder.states(windows, _AT_ONCE):
            with torch.inference_mode():
                chosen = torch.stack([states[layer] for layer in LAYERS], dim=2)
                some, attended = self.heads(chosen, mask, torch.full((len(mask),), float(lines)))
            logits.append(some)
            attention += attended
        return torch.cat(logits), attention

    def _without(
        self, text: str, window: Window, looked: Tensor, category: int, lines: bool
    ) -> list[tuple[tuple[int, int], float]]:
        """Spans of words, and what the window still asks of a category when each is left out.

        Only the words that the category's output looked at most are tried: attention alone says
        where the head looks, not what it makes of it.
        """
        spans = []
        for match in _WORD.finditer(text, window.start, window.end):
            if match[0].lower() in FILLERS or len(match[0]) > _LONGEST_WORD:
                continue
            tokens = [
                index + 1  # after the mark of the beginning
                for index, place in enumerate(window.places)
                if match.start() <= place < match.end()
            ]
            spans.append((float(looked[tokens].sum()), match.span()))
        most = min(_OCCLUDED, _OCCLUDED_TOKENS // len(window.ids))
        tried = [span for _, span in sorted(spans, reverse=True)[:most]]
        if not tried:
            return []
        texts = (text[window.start : start] + text[end : window.end] for start, end in tried)
        windows = [self.encoder.windows(each)[0] for each in texts]
        felt = self.heads.intensities(self._outputs(windows, lines)[0], lines)[:, category]
        return sorted(zip(tried, felt.tolist(), strict=True), key=lambda entry: entry[1])

    def _strange(self, text: str) -> tuple[float, tuple[str, ...]]:
        """The share of words that are whole in the English vocabulary, and the other words."""
        encoded = self.encoder.tokenizer.encode(text, add_special_tokens=False)
        words: dict[int, list[int]] = {}
        for index, number in enumerate(encoded.word_ids):
            words.setdefault(number, []).append(index)
        spoken, strange = 0, []
        for parts in words.values():
            first = encoded.tokens[parts[0]]
            if not (first.isalpha() or first == "[UNK]"):
                continue
            spoken += 1
            if len(parts) > 1 or not first.isascii() or first in _FOREIGN | {"[UNK]"}:
                start, end = encoded.offsets[parts[0]][0], encoded.offsets[parts[-1]][1]
                strange.append(text[start:end])
        return 1 - len(strange) / spoken if spoken else 1.0, tuple(strange)


def read_heads(path: str | os.PathLike) -> tuple[Heads, dict[str, Any]]:
    """The heads of a checkpoint that `training.interpret` wrote, and what it says of itself.

    Raises:
        WeightsError: another file, tensors that do not fit, or another taxonomy.
    """
    state, described = read_checkpoint(path, "interpreter", ("heads", "hidden"))
    check_made_for(path, described, taxonomy=fingerprint())
    heads = Heads(described["heads"], described["hidden"])
    fill(heads, state, path)
    return heads, described
