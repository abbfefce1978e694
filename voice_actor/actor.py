"""`VoiceActor`: text and a direction in, marked speech out."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from conditioning import weights
from conditioning.audio import Audio
from conditioning.direction import Direction, DirectionReader, Stretch
from conditioning.emotion import EmotionCurve, EmotionVector
from conditioning.errors import InvalidInput
from conditioning.estimator import EmotionEstimator
from conditioning.likeness import Likeness

from . import timbre
from .acting import Acting, act_energy, act_frames, act_pitch, middle_pitch
from .adapter import EmotionAdapter
from .audition import MOST_TAKES, Take, Variation, check_takes, rank
from .backbone import FRAME, Backbone, Reading, whole_frames
from .casting import Casting, cast_voice
from .imitation import imitate
from .manners import add_manners
from .performance import Performance, Spoken, Stream, Timed
from .phonemes import Phrase, phonemize
from .provenance import Watermarker
from .voices import Voice, accent_of, cast, parse_voice, share_of_women

LONGEST_TEXT = 100_000  # characters, about two hours of speech
SEEDS = 2**31
MANNERS = "style_p1", "style_p2", "style_p3"
STYLES = {  # control -> the backbone's direction
    "whisper": "whisper",
    **{f"style_{name}": name for name in ("d1", "d2", "d3", "p1", "p2", "p3")},
}
PHRASES = 2**16  # more than a text can have, so that no two takes share a phrase's seed


Asked = str | EmotionVector | EmotionCurve | Likeness | Direction | None
"""What a direction may be given as; see `perform`."""


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

    def __init__(
        self,
        backbone: Backbone,
        adapter: EmotionAdapter,
        watermarker: Watermarker,
        reader: DirectionReader | None = None,
    ):
        """`reader` reads directions; without one, only the words of the lexicon are understood."""
        self.backbone = backbone
        self.adapter = adapter
        self.watermarker = watermarker
        self.reader = reader or DirectionReader()
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
        adapter, reader = EmotionAdapter.load(folder), DirectionReader.load(folder)
        return cls(KokoroBackbone.load(folder), adapter, watermarker, reader)

    @cached_property
    def members(self) -> tuple[Voice, ...]:
        """The cast, as far as the backbone has it."""
        return tuple(member for member in cast() if member.name in self.backbone.voices)

    def perform(
        self,
        text: str,
        direction: Asked = None,
        voice: str | None = None,
        seed: int = 0,
        pronunciations: Mapping[str, str] | None = None,
        take: int = 0,
    ) -> Performance:
        """Speaks a line as directed: the stream, joined.

        Args:
            text: the line; in-line directions in brackets apply from where they stand.
            direction: words, numbers, a vector, a curve over the line, the `Likeness` of a
                recording, "auto" for what the line itself suggests, what the reader made of any of
                these, or None for the voice's own neutral reading.
            voice: a name of the cast or a blend ("af_heart*0.7+bf_emma*0.3"); unless given, one
                that suits the direction.
            seed: the same seed gives the same samples.
            pronunciations: written word -> phonemes in Kokoro's alphabet.
            take: which of the seed's takes, 0 to 63. Take 0 is the plain one; the others differ as
                takes of an actor do: a little higher or lower, faster or slower, more or less
                acted.

        Raises:
            InvalidInput: nothing to speak, a direction or a value that cannot be used.
            UnknownName: a voice or an emotion that is not known.
        """
        return self.stream(text, direction, voice, seed, pronunciations, take).performance()

    def audition(
        self,
        text: str,
        direction: Asked = None,
        voice: str | None = None,
        takes: int = 8,
        keep: int | None = None,
        seed: int = 0,
        estimator: EmotionEstimator | None = None,
        pronunciations: Mapping[str, str] | None = None,
    ) -> tuple[Take, ...]:
        """Speaks several takes of a line and ranks them by what an estimator hears, best first.

        The same seed gives the same takes; see `perform`.

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
        directed, casting = self._directed(text, direction, voice, seed)
        if estimator is None:
            estimator = EmotionEstimator.load("permissive")
        neutral = self._stream(directed.neutral, casting, seed, pronunciations).performance()
        spoken = (
            self._stream(directed, casting, seed, pronunciations, take).performance()
            for take in range(takes)
        )
        return rank(spoken, neutral, estimator, keep)

    def stream(
        self,
        text: str,
        direction: Asked = None,
        voice: str | None = None,
        seed: int = 0,
        pronunciations: Mapping[str, str] | None = None,
        take: int = 0,
    ) -> Stream:
        """Speaks a line phrase by phrase, each marked as it leaves; takes what `perform` takes.

        Everything is checked at once, before the first phrase is asked for.
        """
        if isinstance(take, bool) or not isinstance(take, int) or not 0 <= take < MOST_TAKES:
            raise InvalidInput(
                f"The take is {take!r}; allowed: whole numbers from 0 to {MOST_TAKES - 1}."
            )
        directed, casting = self._directed(text, direction, voice, seed)
        return self._stream(directed, casting, seed, pronunciations, take)

    def _directed(
        self,
        text: str,
        direction: Asked,
        voice: str | None,
        seed: int,
    ) -> tuple[Direction, Casting]:
        if voice is not None:
            parse_voice(voice, self.backbone.voices)
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
        directed = self.reader.direct(text, direction)
        return directed, cast_voice(directed.persona, voice, self.members)

    def _stream(
        self,
        directed: Direction,
        casting: Casting,
        seed: int,
        pronunciations: Mapping[str, str] | None,
        take: int = 0,
    ) -> Stream:
        text = directed.text
        steps = [round(step * len(text)) for step in directed.curve.steps]
        phrases = phonemize(
            text,
            accent_of(casting.voice),
            breaks=[*steps, *(offset for offset, _ in directed.pauses)],
            pronunciations=pronunciations,
        )
        variation = Variation.of(seed, take) if take else None
        # Other low bits make another seed, and one that is allowed.
        seed ^= take
        pieces = self._speak_phrases(phrases, directed, casting, seed, variation)
        rate = self.backbone.sample_rate
        return Stream(pieces, len(phrases), directed, casting, seed, rate)

    def _speak_phrases(
        self,
        phrases: tuple[Phrase, ...],
        directed: Direction,
        casting: Casting,
        seed: int,
        variation: Variation | None,
    ) -> Iterator[Spoken]:
        manners: list[Stretch] = [(0, len(directed.text), casting.manner), *directed.manners]

        def change(reading: Reading, acting: Acting) -> Acting:
            if directed.prosody is not None:
                acting = imitate(
                    directed.prosody, reading, acting, self.backbone, len(directed.text)
                )
            acting = acting if variation is None else variation.vary(acting)
            return add_manners(acting, reading.phrase, manners)

        start = 0.0
        for index, (phrase, before, after) in enumerate(with_pauses(phrases, directed.pauses)):
            emotions = emotions_of(phrase, directed)
            number = seed * PHRASES + index
            plan = self.plan(phrase, emotions, casting.voice, number, change, directed.directed)
            audio = paused(self.render(plan), before, after)
            start += before
            words, phonemes = times(phrase, plan.frames, directed.text, start, self.backbone.lead)
            yield Spoken(audio, words, phonemes)
            start += audio.duration - before

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
        reading = self.backbone.read(phrase, self._style(voice, len(phrase.phonemes)))
        acting = self.adapter(emotions, reading, share_of_women(voice), directed)
        if change is not None:
            acting = change(reading, acting)
        return self.enact(reading, acting, seed)

    def _style(self, voice: str, length: int) -> Tensor:
        """The style (256,) of a voice, or the mean of a blend's by weight."""
        styles = (
            weight * self.backbone.style(name, length)
            for name, weight in parse_voice(voice, self.backbone.voices)
        )
        return torch.stack(list(styles)).sum(dim=0)

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


def with_pauses(
    phrases: Sequence[Phrase], pauses: Sequence[tuple[int, float]]
) -> Iterator[tuple[Phrase, float, float]]:
    """Each phrase with the seconds of silence before it; the last one's second number is after it.

    A pause stands before the first word at or after its offset.
    """
    left = sorted(pauses)
    for index, phrase in enumerate(phrases):
        first = phrase.phonemes[0].start
        before = sum(seconds for offset, seconds in left if offset <= first)
        left = [pause for pause in left if pause[0] > first]
        last = index + 1 == len(phrases)
        yield phrase, before, sum(seconds for _, seconds in left) if last else 0.0


def paused(audio: Audio, before: float, after: float) -> Audio:
    """The audio between silences, in seconds."""
    silences = (np.zeros(round(s * audio.sample_rate), np.float32) for s in (before, after))
    first, last = silences
    return Audio(np.concatenate([first, audio.samples, last]), audio.sample_rate)


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
