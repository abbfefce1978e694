"""`VoiceActor`: text and a direction in, marked speech out."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from conditioning import weights
from conditioning.audio import Audio
from conditioning.direction import Direction, direct
from conditioning.emotion import EmotionCurve, EmotionVector
from conditioning.errors import InvalidInput, unknown_name

from . import timbre
from .acting import Acting, act_durations, act_energy, act_pitch
from .adapter import EmotionAdapter
from .backbone import FRAME, Backbone, Reading, whole_frames
from .performance import Performance, Timed
from .phonemes import Phrase, phonemize
from .provenance import Provenance, Watermarker
from .voices import DEFAULT, accent_of

LONGEST_TEXT = 100_000  # characters, about two hours of speech
SEEDS = 2**31
PHRASES = 2**16  # more than a text can have, so that no two takes share a phrase's seed


@dataclass(frozen=True, eq=False)
class Spoken:
    """One phrase of a stream: marked speech, and times in seconds from the start of the line."""

    audio: Audio
    words: tuple[Timed, ...]
    phonemes: tuple[Timed, ...]


@dataclass(frozen=True, eq=False)
class Plan:
    """Everything that decides how a phrase will sound; letters as in `backbone`.

    Attributes:
        reading: the backbone's own, where the plan began.
        frames: how long each phoneme lasts, in frames of 25 ms, (T,).
        f0: pitch in Hz, (P,).
        energy: (P,).
        style: (256,).
        acting: changes of timbre and loudness per pitch frame, (P,); None for the own reading.
        seed: of the noise in the voice's source.
    """

    reading: Reading
    frames: Tensor
    f0: Tensor
    energy: Tensor
    style: Tensor
    acting: Acting | None
    seed: int


class VoiceActor:
    """Acts lines, one at a time: it is not for several threads at once.

    The networks are loaded once; a line costs about its own length on one core.
    """

    def __init__(self, backbone: Backbone, adapter: EmotionAdapter, watermarker: Watermarker):
        self.backbone = backbone
        self.adapter = adapter
        self.watermarker = watermarker
        self._directions = backbone.directions()

    @classmethod
    def load(cls, folder: Path | str | None = None) -> VoiceActor:
        """The actor with the weights that the manifest names.

        Args:
            folder: where to look for weights first.

        Raises:
            WeightsError: weights are missing or damaged, the watermarker's included: speech that
                cannot be marked is not made.
        """
        from .kokoro.backbone import KokoroBackbone

        watermarker = Watermarker.load(weights.path("perth-implicit", folder=folder))
        return cls(KokoroBackbone.load(folder), EmotionAdapter.load(folder), watermarker)

    def perform(
        self,
        text: str,
        direction: str | EmotionVector | EmotionCurve | None = None,
        voice: str = DEFAULT,
        seed: int = 0,
        pronunciations: Mapping[str, str] | None = None,
    ) -> Performance:
        """Speaks a line as directed: the stream, joined.

        Args:
            text: the line; in-line directions in brackets apply from where they stand.
            direction: words, numbers, a vector, a curve over the line, or None for the voice's own
                neutral reading.
            voice: a name of the cast.
            seed: the same seed gives the same samples.
            pronunciations: written word -> phonemes in Kokoro's alphabet.

        Raises:
            InvalidInput: nothing to speak, a direction or a value that cannot be used.
            UnknownName: a voice or an emotion that is not known.
        """
        directed = self._directed(text, direction, voice, seed)
        pieces = list(self._stream(directed, voice, seed, pronunciations))
        samples = np.concatenate([piece.audio.samples for piece in pieces])
        return Performance(
            audio=Audio(samples, self.backbone.sample_rate),
            text=directed.text,
            voice=voice,
            seed=seed,
            direction=directed,
            words=tuple(word for piece in pieces for word in piece.words),
            phonemes=tuple(phoneme for piece in pieces for phoneme in piece.phonemes),
            provenance=Provenance.of(directed.text, voice, str(directed.curve), seed),
        )

    def stream(
        self,
        text: str,
        direction: str | EmotionVector | EmotionCurve | None = None,
        voice: str = DEFAULT,
        seed: int = 0,
        pronunciations: Mapping[str, str] | None = None,
    ) -> Iterator[Spoken]:
        """Speaks a line phrase by phrase, each marked as it leaves; takes what `perform` takes.

        Arguments are checked at once, before the first phrase is asked for.
        """
        directed = self._directed(text, direction, voice, seed)
        return self._stream(directed, voice, seed, pronunciations)

    def _directed(
        self,
        text: str,
        direction: str | EmotionVector | EmotionCurve | None,
        voice: str,
        seed: int,
    ) -> Direction:
        if voice not in self.backbone.voices:
            raise unknown_name("voice", voice, self.backbone.voices)
        if not isinstance(text, str):
            raise InvalidInput(f"The text came as {type(text).__name__}; give a string.")
        if len(text) > LONGEST_TEXT:
            raise InvalidInput(
                f"The text has {len(text):,} characters; at most {LONGEST_TEXT:,} are spoken at "
                "once; split it."
            )
        if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < SEEDS:
            raise InvalidInput(
                f"The seed is {seed!r}; allowed: whole numbers from 0 to 2147483647."
            )
        return direct(text, direction)

    def _stream(
        self,
        directed: Direction,
        voice: str,
        seed: int,
        pronunciations: Mapping[str, str] | None,
    ) -> Iterator[Spoken]:
        text = directed.text
        phrases = phonemize(
            text,
            accent_of(voice),
            breaks=[round(step * len(text)) for step in directed.curve.steps],
            pronunciations=pronunciations,
        )
        return self._speak_phrases(phrases, directed, voice, seed)

    def _speak_phrases(
        self, phrases: tuple[Phrase, ...], directed: Direction, voice: str, seed: int
    ) -> Iterator[Spoken]:
        start = 0.0
        for index, phrase in enumerate(phrases):
            emotions = emotions_of(phrase, directed)
            plan = self.plan(phrase, emotions, voice, seed * PHRASES + index)
            audio = self.render(plan)
            words, phonemes = times(phrase, plan.frames, directed.text, start)
            yield Spoken(audio, words, phonemes)
            start += audio.duration

    @torch.inference_mode()
    def plan(self, phrase: Phrase, emotions: Tensor, voice: str, seed: int = 0) -> Plan:
        """What a phrase will be spoken with under emotions (T, 40): cheap beside `render`.

        Where nothing is asked the plan is the backbone's own reading, to the bit.
        """
        style = self.backbone.style(voice, len(phrase.phonemes))
        reading = self.backbone.read(phrase, style)
        acting = self.adapter(emotions)
        if acting.is_neutral:
            frames = whole_frames(reading.durations)
            f0, energy = self.backbone.curves(reading, frames)
            return Plan(reading, frames, f0, energy, style, None, seed)
        chance = _chance(seed, "contour")
        frames = whole_frames(act_durations(reading, acting))
        acting = acting.spread(frames)
        f0, energy = self.backbone.curves(reading, frames)
        f0, energy = act_pitch(f0, acting, chance), act_energy(energy, acting)
        # A phrase has one style: that of its emotions, weighted by how long each lasts.
        style = style + self._directions["whisper"] * acting.whisper.mean()
        return Plan(reading, frames, f0, energy, style, acting, seed)

    def render(self, plan: Plan) -> Audio:
        """Speaks a plan, marked."""
        with torch.inference_mode():
            samples = self._samples(plan).numpy()
        return self.watermarker.mark(Audio(samples, self.backbone.sample_rate))

    def _samples(self, plan: Plan) -> Tensor:
        """Samples (S,) of a plan, not yet marked."""
        samples = self.backbone.speak(
            plan.reading, plan.frames, plan.f0, plan.energy, plan.style, plan.seed
        )
        if plan.acting is None:
            return timbre.fit(samples)
        chance = _chance(plan.seed, "breath")
        return timbre.shape(samples, plan.acting, self.backbone.sample_rate, chance)


def _chance(seed: int, purpose: str) -> torch.Generator:
    """Randomness of its own for each purpose: one noise must not repeat another."""
    return torch.Generator().manual_seed(zlib.crc32(f"{purpose} {seed}".encode()))


def emotions_of(phrase: Phrase, directed: Direction) -> Tensor:
    """Intensities (T, 40) at each phoneme's place in the line, with those of the silent ends."""
    length = len(directed.text)
    middles = [(phoneme.start + phoneme.end) / 2 / length for phoneme in phrase.phonemes]
    return torch.from_numpy(directed.curve.sample([middles[0], *middles, middles[-1]]))


def times(
    phrase: Phrase, frames: Tensor, text: str, start: float
) -> tuple[tuple[Timed, ...], tuple[Timed, ...]]:
    """When the words and phonemes of a phrase are heard, from the frames (T,) that were spoken."""
    ends = (start + FRAME * np.cumsum(frames.numpy())).tolist()
    phonemes = tuple(
        Timed(phoneme.symbol, ends[i], ends[i + 1]) for i, phoneme in enumerate(phrase.phonemes)
    )
    words = tuple(
        Timed(text[first_character:end_character], phonemes[first].start, phonemes[end - 1].end)
        for first, end, first_character, end_character in phrase.words
    )
    return words, phonemes
