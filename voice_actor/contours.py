"""`Contours`: where in a phrase an emotion is acted, learnt from actors."""

from __future__ import annotations

import json
import math
import unicodedata
from pathlib import Path

import torch
import torch.nn.functional as F
from einops import einsum, rearrange
from torch import Tensor, nn

from conditioning.checkpoint import check_made_for, fill, read_checkpoint
from conditioning.taxonomy import CATEGORIES, NAMES, fingerprint

from .acting import PAUSES
from .backbone import Reading
from .phonemes import VOWELS, Phrase

# Controls of `Acting`, in its units but for breath: dB of aperiodic energy above 2.5 kHz, which
# `breath_amplitude` turns into what `Acting.breath` is.
CHANNELS = ("duration", "pause", "f0_contour", "level_contour", "tilt", "breath")
MARKS = (
    "vowel",
    "consonant",
    "pause",
    "sign",
    "stress",
    "head",
    "nucleus",
    "final",
    "clause_progress",
    "phrase_progress",
    "after_pause",
    "before_pause",
    "asks",
    "exclaims",
)
_COLUMN = {name: column for column, name in enumerate(MARKS)}
_STRESS = {"ˈ": 1.0, "ˌ": 0.5}
_NEAR = 5.0  # sounds over which the nearness of a pause fades
KERNEL = 5  # phonemes: a sound with two neighbours on either side
VOICE = 8  # numbers of a voice's style that matter; speech to learn from has few voices
# Of the backbone's neutral speech, the share of energy that is breath (-24 dB, the median over a
# line in six voices), and of aspiration noise the share that lies where breath is measured.
_OWN_BREATH, _NOISE_HEARD = 0.004, 0.46


class Trunk(nn.Module):
    """What of a reading bears on its acting: (B, T, W) of states, style and marks.

    The states pass through a narrow place, since speech to learn from has few sentences.
    """

    def __init__(
        self, states: int, style: int, width: int, narrow: int, layers: int, dropout: float
    ):
        super().__init__()
        self.standard = nn.LayerNorm(states, elementwise_affine=False)
        self.forget = nn.Dropout1d(dropout)  # a number of the states, all over the phrase
        self.narrow = nn.Linear(states, narrow)
        self.voice = nn.Sequential(nn.Linear(style, VOICE), nn.Tanh(), nn.Dropout(dropout))
        self.enter = nn.Linear(narrow + VOICE + len(MARKS), width)
        self.layers = nn.ModuleList(
            nn.Conv1d(width, width, KERNEL, padding=KERNEL // 2) for _ in range(layers)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, states: Tensor, style: Tensor, marks: Tensor) -> Tensor:
        present = marks.any(2, keepdim=True).to(states.dtype)
        voice = self.voice(style)[:, None].expand(-1, states.shape[1], -1)
        known = self.forget(rearrange(self.standard(states), "b t d -> b d t"))
        known = self.narrow(rearrange(known, "b d t -> b t d"))
        seen = torch.cat([known, voice, marks], dim=2)
        hidden = F.gelu(self.enter(seen)) * present
        for layer in self.layers:
            moved = rearrange(layer(rearrange(hidden, "b t w -> b w t")), "b w t -> b t w")
            hidden = (hidden + self.dropout(F.gelu(moved))) * present
        return self.dropout(hidden)


class Contours(nn.Module):
    """Per-phoneme changes in natural units, in C channels, for an emotion in a reading.

    Letters in shapes: B batch, T phonemes with the silence at both ends, E = 40 emotions, D width
    of the backbone's states, S of its style, M marks, R ways of acting, C channels, W width.

    Emotions are mixtures of R ways of acting, without a bias: nothing asked is exactly no change.
    How a way of acting falls on a phrase is read off the states and the marks, as a deviation whose
    mean over the phrase's sounds is zero; how much it changes overall stands apart, as its mean.
    """

    def __init__(
        self,
        states: int = 640,
        style: int = 256,
        ways: int = 24,
        width: int = 96,
        narrow: int = 32,
        layers: int = 2,
        dropout: float = 0.2,
    ):
        super().__init__()
        self.shape = {"states": states, "style": style, "ways": ways}
        self.shape |= {"width": width, "narrow": narrow, "layers": layers}
        self.ways = ways
        # What like emotions share passes through valence, arousal and dominance.
        places = [(entry.valence, entry.arousal, entry.dominance) for entry in CATEGORIES]
        self.register_buffer("places", torch.tensor(places))
        self.by_place = nn.Parameter(torch.randn(3, ways) / 3**0.5)
        self.by_name = nn.Parameter(0.3 * torch.randn(len(NAMES), ways))
        # What a channel's values usually differ by, so that the layers work in plain numbers.
        self.register_buffer("spread", torch.ones(len(CHANNELS)))
        # How far each channel's deviations held on actors and scripts that were kept out.
        self.register_buffer("trust", torch.ones(len(CHANNELS)))
        self.trunk = Trunk(states, style, width, narrow, layers, dropout)
        self.leave = nn.Linear(width, ways * len(CHANNELS), bias=False)
        # What the marks alone say needs no hidden layer, and holds for any sentence.
        self.rules = nn.Linear(len(MARKS), ways * len(CHANNELS), bias=False)
        self.voice = nn.Sequential(nn.Linear(style, VOICE), nn.Tanh(), nn.Dropout(dropout))
        self.overall = nn.Linear(VOICE, ways * len(CHANNELS))
        for layer in (self.leave, self.rules, self.overall):
            nn.init.normal_(layer.weight, std=0.02)

    def factors(self, emotions: Tensor) -> Tensor:
        """How much of each way of acting: emotions (..., E) -> (..., R), linear."""
        return emotions @ (self.places @ self.by_place + self.by_name)

    def bases(self, states: Tensor, style: Tensor, marks: Tensor) -> Tensor:
        """Each way of acting in a reading: (B, T, R, C), mean zero over the phrase's sounds.

        states (B, T, D), style (B, S) and marks (B, T, M); what is padded has marks of zero.
        """
        found = self.leave(self.trunk(states, style, marks)) + self.rules(marks)
        found = rearrange(found, "b t (r c) -> b t r c", r=self.ways)
        return centred(found, acts_on(marks)[:, :, None]) * self.spread * self.trust

    def mean_bases(self, style: Tensor) -> Tensor:
        """How much each way of acting changes overall: (B, R, C), for a style (B, S)."""
        found = rearrange(self.overall(self.voice(style)), "b (r c) -> b r c", r=self.ways)
        return found * self.spread

    def means(self, emotions: Tensor, style: Tensor) -> Tensor:
        """Changes of a whole phrase (B, T, C), for emotions (B, T, E) and style (B, S)."""
        return einsum(self.factors(emotions), self.mean_bases(style), "b t r, b r c -> b t c")

    def deviations(self, emotions: Tensor, states: Tensor, style: Tensor, marks: Tensor) -> Tensor:
        """Changes beside the mean (B, T, C): zero where nothing is asked.

        For an emotion that stays the same their mean over the sounds is zero; in the channel
        "pause", over the pauses.
        """
        bases = self.bases(states, style, marks)
        return einsum(self.factors(emotions), bases, "b t r, b t r c -> b t c")

    @torch.no_grad()
    def forward(self, emotions: Tensor, reading: Reading) -> dict[str, Tensor]:
        """Deviations (T,) by control of `Acting`, for emotions (T, E); breath is in dB.

        Signs change as the sound that they belong to; pauses and spaces keep their duration.
        """
        marks = marks_of(reading.phrase)
        found = self.deviations(
            emotions[None], reading.states[None], reading.style[None], marks[None]
        )[0]
        carried = dict(zip(CHANNELS, found[carriers(reading.phrase)].unbind(1), strict=True))
        carried["pause"] = found[:, CHANNELS.index("pause")]
        gaps = [not symbol.isalpha() for symbol in f" {reading.phrase.symbols} "]
        carried["duration"] = carried["duration"].masked_fill(torch.tensor(gaps), 0.0)
        return carried

    def save(self, path: str | Path, **described) -> None:
        """Writes a safetensors file, whole or not at all; `described` is added to its metadata."""
        from safetensors.torch import save

        from conditioning.files import check_place, write_whole

        check_place(path)
        described |= {"taxonomy": fingerprint(), "shape": self.shape}
        described |= {"channels": CHANNELS, "marks": MARKS}
        state = {name: tensor.contiguous() for name, tensor in self.state_dict().items()}
        write_whole(path, save(state, {"contours": json.dumps(described)}))

    @classmethod
    def load(cls, path: str | Path) -> Contours:
        """The network that `save` wrote, ready to speak.

        Raises:
            WeightsError: another file, other emotions, channels or marks than here.
        """
        state, described = read_checkpoint(path, "contours", ("shape",))
        here = {"channels": list(CHANNELS), "marks": list(MARKS)}
        check_made_for(path, described, taxonomy=fingerprint(), **here)
        made = cls(**described["shape"])
        fill(made, state, path)
        return made.eval().requires_grad_(False)


def centred(values: Tensor, where: Tensor) -> Tensor:
    """Values (B, T, ...) less their mean over T where `where` is 1; zero elsewhere."""
    count = where.sum(1, keepdim=True).clamp(min=1)
    return (values - (values * where).sum(1, keepdim=True) / count) * where


def acts_on(marks: Tensor) -> Tensor:
    """(..., T, M) -> (..., T, C), 1 where a channel acts: on sounds, and "pause" on pauses."""
    sounds = marks[..., _COLUMN["vowel"]] + marks[..., _COLUMN["consonant"]]
    pauses = marks[..., _COLUMN["pause"]]
    return torch.stack([pauses if name == "pause" else sounds for name in CHANNELS], dim=-1)


def is_sound(symbol: str) -> bool:
    """Whether it is a vowel or a consonant: no stress or length mark, which are letters too."""
    return symbol.isalpha() and unicodedata.category(symbol) != "Lm"


def marks_of(phrase: Phrase) -> Tensor:
    """What the phonemes themselves say of their place: (T, M), in [0, 1].

    Pauses are the marks of `acting.PAUSES` and the silence at both ends, and part a phrase into
    clauses; signs are stress and length marks, spaces and quotes. `head` and `nucleus` are the
    first and the last vowel with full stress of a clause; `final` are its last vowel or diphthong
    and what follows.
    """
    symbols = [".", *(phoneme.symbol for phoneme in phrase.phonemes), "."]
    marks = torch.zeros(len(symbols), len(MARKS))

    def put(name: str, index: int, value: float = 1.0) -> None:
        marks[index, _COLUMN[name]] = value

    pending = 0.0
    for index, symbol in enumerate(symbols):
        if is_sound(symbol):
            vowel = symbol in VOWELS
            put("vowel" if vowel else "consonant", index)
            if vowel:
                put("stress", index, pending)
                pending = 0.0
        else:
            put("pause" if symbol in PAUSES else "sign", index)
            pending = _STRESS.get(symbol, pending)

    sounds = [index for index, symbol in enumerate(symbols) if is_sound(symbol)]
    for count, index in enumerate(sounds):
        put("phrase_progress", index, count / max(1, len(sounds) - 1))
    pauses = [index for index, symbol in enumerate(symbols) if symbol in PAUSES]
    for start, end in zip(pauses, pauses[1:], strict=False):
        clause = [index for index in sounds if start < index < end]
        for count, index in enumerate(clause):
            put("clause_progress", index, count / max(1, len(clause) - 1))
            put("after_pause", index, math.exp(-count / _NEAR))
            put("before_pause", index, math.exp(-(len(clause) - 1 - count) / _NEAR))
            put("asks", index, float("?" in symbols[end : end + 2]))
            put("exclaims", index, float("!" in symbols[end : end + 2]))
        vowels = [index for index in clause if symbols[index] in VOWELS]
        for index in reversed(clause):
            put("final", index, float(bool(vowels)))
            if index in vowels and index - 1 not in vowels:
                break
        if stressed := [index for index in vowels if marks[index, _COLUMN["stress"]] == 1]:
            put("head", stressed[0])
            put("nucleus", stressed[-1])
    return marks


def carriers(phrase: Phrase) -> Tensor:
    """For each of T phonemes, the sound whose change it takes: (T,) integer.

    Stress marks go with the sound after them, anything else with the sound before it if there is
    one, so that a contour holds through a gap.
    """
    symbols = [" ", *(phoneme.symbol for phoneme in phrase.phonemes), " "]
    sounds = torch.tensor([i for i, symbol in enumerate(symbols) if is_sound(symbol)])
    if not len(sounds):
        return torch.arange(len(symbols))
    places = torch.arange(len(symbols))
    after = torch.tensor([symbol in _STRESS for symbol in symbols])
    nearest = torch.searchsorted(sounds, places, right=True) - 1 + after.long()
    return sounds[nearest.clamp(0, len(sounds) - 1)]


def breath_amplitude(decibels: Tensor) -> Tensor:
    """`Acting.breath` that is heard as so many dB more breath; zero where less is asked."""
    grown = torch.pow(10.0, decibels.clamp(min=0) / 10) - 1
    return torch.sqrt(_OWN_BREATH / _NOISE_HEARD * grown)


def breath_decibels(amplitude: Tensor) -> Tensor:
    """The inverse of `breath_amplitude`."""
    return 10 * torch.log10(1 + _NOISE_HEARD / _OWN_BREATH * amplitude.square())
