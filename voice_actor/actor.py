"""`VoiceActor`: text and a direction in, marked speech out."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
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
from conditioning.estimator import EmotionEstimator
from conditioning.likeness import Likeness

from . import timbre
from .acting import Acting, act_energy, act_frames, act_pitch, middle_pitch
from .adapter import EmotionAdapter
from .audition import Take, Variation, check_takes, rank
from .backbone import FRAME, Backbone, Reading, whole_frames
from .imitation import imitate
from .performance import Performance, Timed
from .phonemes import Phrase, phonemize
from .provenance import Provenance, Watermarker
from .voices import DEFAULT, accent_of, share_of_women

LONGEST_TEXT = 100_000  # characters, about two hours of speech
SEEDS = 2**31
MANNERS = "style_p1", "style_p2", "style_p3"
STYLES = {  # control -> the backbone's direction
    "whisper": "whisper",
    **{f"style_{name}": name for name in ("d1", "d2", "d3", "p1", "p2", "p3")},
}
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
        direction: str | EmotionVector | EmotionCurve | Likeness | None = None,
        voice: str = DEFAULT,
        seed: int = 0,
        pronunciations: Mapping[str, str] | None = None,
    ) -> Performance:
        """Speaks a line as directed: the stream, joined.

        Args:
            text: the line; in-line directions in brackets apply from where they stand.
            direction: words, numbers, a vector, a curve over the line, the `Likeness` of a
                recording, or None for the voice's own neutral reading.
            voice: a name of the cast.
            seed: the same seed gives the same samples.
            pronunciations: written word -> phonemes in Kokoro's alphabet.

        Raises:
            InvalidInput: nothing to speak, a direction or a value that cannot be used.
            UnknownName: a voice or an emotion that is not known.
        """
        directed = self._directed(text, direction, voice, seed)
        return self._perform(directed, voice, seed, pronunciations)

    def audition(
        self,
        text: str,
        direction: str | EmotionVector | EmotionCurve | Likeness | None = None,
        voice: str = DEFAULT,
        takes: int = 8,
        keep: int | None = None,
        seed: int = 0,
        estimator: EmotionEstimator | None = None,
        pronunciations: Mapping[str, str] | None = None,
    ) -> tuple[Take, ...]:
        """Speaks several takes of a line and ranks them by what an estimator hears, best first.

        Take 0 is what `perform` gives; the others differ as takes of an actor do: a little higher
        or lower, faster or slower, more or less acted. The same seed gives the same takes.

        Args:
            takes: how many are spoken, 1 to 64, each at the cost of `perform`.
            keep: how many come back; all of them unless given.
            estimator: who listens, against the voice's own reading of the line; "permissive"
                unless given.

        Raises:
            InvalidInput, UnknownName: as `perform`; numbers of takes that cannot be.
            WeightsError: the estimator's weights are missing or damaged.
        """
        check_takes(takes, keep)
        directed = self._directed(text, direction, voice, seed)
        if estimator is None:
            estimator = EmotionEstimator.load("permissive")
        neutral = self.perform(directed.text, None, voice, seed, pronunciations)
        spoken = (
            # Other low bits make another seed, and one that is allowed.
            self._perform(
                directed, voice, seed ^ number, pronunciations, Variation.of(seed, number)
            )
            for number in range(takes)
        )
        return rank(spoken, neutral, estimator, keep)

    def _perform(
        self,
        directed: Direction,
        voice: str,
        seed: int,
        pronunciations: Mapping[str, str] | None,
        variation: Variation | None = None,
    ) -> Performance:
        pieces = list(self._stream(directed, voice, seed, pronunciations, variation))
        samples = np.concatenate([piece.audio.samples for piece in pieces])
        return Performance(
            audio=Audio(samples, self.backbone.sample_rate),
            text=directed.text,
            voice=voice,
            seed=seed,
            direction=directed,
            words=tuple(word for piece in pieces for word in piece.words),
            phonemes=tuple(phoneme for piece in pieces for phoneme in piece.phonemes),
            provenance=Provenance.of(directed.text, voice, str(directed), seed),
        )

    def stream(
        self,
        text: str,
        direction: str | EmotionVector | EmotionCurve | Likeness | None = None,
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
        direction: str | EmotionVector | EmotionCurve | Likeness | None,
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
        variation: Variation | None = None,
    ) -> Iterator[Spoken]:
        text = directed.text
        phrases = phonemize(
            text,
            accent_of(voice),
            breaks=[round(step * len(text)) for step in directed.curve.steps],
            pronunciations=pronunciations,
        )
        return self._speak_phrases(phrases, directed, voice, seed, variation)

    def _speak_phrases(
        self,
        phrases: tuple[Phrase, ...],
        directed: Direction,
        voice: str,
        seed: int,
        variation: Variation | None,
    ) -> Iterator[Spoken]:
        def change(reading: Reading, acting: Acting) -> Acting:
            if directed.prosody is not None:
                acting = imitate(
                    directed.prosody, reading, acting, self.backbone, len(directed.text)
                )
            return acting if variation is None else variation.vary(acting)

        start = 0.0
        for index, phrase in enumerate(phrases):
            emotions = emotions_of(phrase, directed)
            number = seed * PHRASES + index
            plan = self.plan(phrase, emotions, voice, number, change, directed.directed)
            audio = self.render(plan)
            words, phonemes = times(phrase, plan.frames, directed.text, start, self.backbone.lead)
            yield Spoken(audio, words, phonemes)
            start += audio.duration

    @torch.inference_mode()
    def plan(
        self,
        phrase: Phrase,
        emotions: Tensor,
        voice: str,
        seed: int = 0,
        change: Callable[[Reading, Acting], Acting] | None = None,
        directed: bool | None = None,
    ) -> Plan:
        """What a phrase will be spoken with under emotions (T, 40): cheap beside `render`.

        Where nothing is asked the plan is the backbone's own reading, to the bit. `change` may
        alter what the emotions ask of the reading; `directed` is as the adapter takes it.
        """
        style = self.backbone.style(voice, len(phrase.phonemes))
        reading = self.backbone.read(phrase, style)
        acting = self.adapter(emotions, reading, share_of_women(voice), directed)
        if change is not None:
            acting = change(reading, acting)
        return self.enact(reading, acting, seed)

    @torch.inference_mode()
    def enact(self, reading: Reading, acting: Acting, seed: int = 0) -> Plan:
        """What the backbone's own reading will be spoken with when it is changed by an acting."""
        if acting.is_neutral:
            frames = whole_frames(reading.durations)
            f0, energy = self.backbone.curves(reading, frames)
            return Plan(reading, frames, f0, energy, reading.style, None, seed)
        style = self._styled(reading, acting)
        changed, middle = reading, None
        if any(getattr(acting, name).any() for name in MANNERS):
            # Another manner reads at another level too; the acting's level is the voice's own.
            own, _ = self.backbone.curves(reading, whole_frames(reading.durations))
            changed, middle = self.backbone.read(reading.phrase, style), middle_pitch(own)
        chance = _chance(seed, "contour")
        frames = act_frames(changed, acting)
        acting = acting.spread(frames, reading.phrase, self.backbone.lead)
        f0, energy = self.backbone.curves(changed, frames)
        f0, energy = act_pitch(f0, acting, chance, middle), act_energy(energy, acting)
        return Plan(reading, frames, f0, energy, style, acting, seed)

    def _styled(self, reading: Reading, acting: Acting) -> Tensor:
        """The style (256,) with the acting's directions.

        A phrase has one style: each phoneme counts for as long as it lasts.
        """
        share = reading.durations / reading.durations.sum()
        style = reading.style
        for name, direction in STYLES.items():
            style = style + self._directions[direction] * (getattr(acting, name) @ share)
        return style

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
        return timbre.shape(samples, plan.acting, self.backbone.sample_rate, chance, plan.f0)


def _chance(seed: int, purpose: str) -> torch.Generator:
    """Randomness of its own for each purpose: one noise must not repeat another."""
    return torch.Generator().manual_seed(zlib.crc32(f"{purpose} {seed}".encode()))


def emotions_of(phrase: Phrase, directed: Direction) -> Tensor:
    """Intensities (T, 40) at each phoneme's place in the line, with those of the silent ends."""
    length = len(directed.text)
    middles = [(phoneme.start + phoneme.end) / 2 / length for phoneme in phrase.phonemes]
    return torch.from_numpy(directed.curve.sample([middles[0], *middles, middles[-1]]))


def times(
    phrase: Phrase, frames: Tensor, text: str, start: float, lead: float = 0.0
) -> tuple[tuple[Timed, ...], tuple[Timed, ...]]:
    """When the words and phonemes of a phrase are heard, from the frames (T,) that were spoken.

    They are heard `lead` seconds before their frames, none before the phrase's own `start`.
    """
    ends = (start + np.maximum(0, FRAME * np.cumsum(frames.numpy()) - lead)).tolist()
    phonemes = tuple(
        Timed(phoneme.symbol, ends[i], ends[i + 1]) for i, phoneme in enumerate(phrase.phonemes)
    )
    words = tuple(
        Timed(text[first_character:end_character], phonemes[first].start, phonemes[end - 1].end)
        for first, end, first_character, end_character in phrase.words
    )
    return words, phonemes
