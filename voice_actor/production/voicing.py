"""Speaks one line of a production: a function from a `Job` to the bytes of its files."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache, partial
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from conditioning.emotion import EmotionVector
from conditioning.errors import UserError, WeightsError
from voice_actor.audition import MOST_TAKES
from voice_actor.voices import Voice, parse_voice

from .cast_file import SEEDS
from .delivery import deliver, extras, level
from .gate import Verdict

if TYPE_CHECKING:
    from voice_actor.actor import VoiceActor
    from voice_actor.performance import Performance

    from .gate import Examiner
    from .plan import Job

# What a voice is levelled by and heard against: four seconds of no particular feeling.
PASSAGE = "The first boat leaves at seven, and the last one comes back before dark."


@dataclass(frozen=True)
class Voiced:
    """What became of a line.

    Attributes:
        id: of the line.
        files: path in the production's folder -> content; the audio is the first.
        record: the line in the manifest; see `manifest`.
        failure: why it could not be spoken; "" where it was.
    """

    id: str
    files: Mapping[str, bytes]
    record: Mapping[str, Any]
    failure: str = ""


@dataclass(frozen=True)
class Attempt:
    """One performance of a line, and what was made of it; attempt 0 is the plain performance."""

    number: int
    performance: Performance
    verdict: Verdict

    @property
    def rank(self) -> tuple:
        """Of two attempts the greater is kept: fewer faults first, then the better score."""
        return -len(self.verdict.faults), self.verdict.score, -self.number


class Voicer:
    """Speaks lines, listens to them, and tries again where they have faults."""

    def __init__(
        self, load: Callable[[], VoiceActor], listening: Callable[[], Examiner] | None = None
    ):
        """
        Args:
            load: gives the actor, when the first line comes.
            listening: gives who listens; None: nobody does, and the first attempt is kept.
        """
        self._load = load
        self._listening = listening
        self.neutral = lru_cache(maxsize=64)(self._neutral)

    @cached_property
    def actor(self) -> VoiceActor:
        return self._load()

    @cached_property
    def examiner(self) -> Examiner | None:
        return self._listening and self._listening()

    def __call__(self, job: Job) -> Voiced:
        """Speaks a line; what is wrong with this one alone comes back as its `failure`.

        Raises:
            WeightsError: weights are missing or damaged, which concerns every line.
        """
        try:
            return self._voiced(job)
        except WeightsError:
            raise
        except UserError as error:
            return Voiced(job.line.id, {}, {}, str(error))
        except Exception as error:
            told = " ".join(str(error).split())
            return Voiced(job.line.id, {}, {}, f"Our own failure ({type(error).__name__}: {told}).")

    def _voiced(self, job: Job) -> Voiced:
        attempts = list(self._attempts(job))
        best = max(attempts, key=lambda attempt: attempt.rank)
        gain = level(self.neutral(job.voice).audio, job.loudness)
        return packed(job, best, len(attempts), gain, licence_of(job.voice, self.actor.members))

    def _attempts(self, job: Job) -> Iterator[Attempt]:
        """The takes that are asked for, and further ones while none is without faults."""
        fine = False
        retries = job.gate.retries if job.gate and self.examiner else 0
        for number in range(job.first, job.first + job.takes + retries):
            if fine and number >= job.first + job.takes:
                return
            seed, take = seed_and_take(job.seed, number)
            performance = self.actor.perform(
                job.line.text, job.direction, job.voice, seed, job.pronunciations, take
            )
            verdict = self._examined(job, performance)
            fine = fine or not verdict.faults
            yield Attempt(number, performance, verdict)

    def _examined(self, job: Job, performance: Performance) -> Verdict:
        if self.examiner is None or job.gate is None:
            return Verdict(faults=())
        return self.examiner.examine(
            performance, self.neutral(job.voice), job.gate, job.pronunciations
        )

    def _neutral(self, voice: str) -> Performance:
        return self.actor.perform(PASSAGE, voice=voice)


def seed_and_take(seed: int, number: int) -> tuple[int, int]:
    """With which seed an attempt at a line is spoken, and as which of its takes.

    Takes of a seed differ to be heard, and another seed alone is another breath; but there are no
    more than `MOST_TAKES` of each.

    >>> seed_and_take(7, 1), seed_and_take(7, 65)
    ((7, 1), (71, 1))
    """
    take = number % MOST_TAKES
    return (seed + number - take) % SEEDS, take


def packed(job: Job, best: Attempt, attempts: int, gain: float, licence: str) -> Voiced:
    """The files of a line, and its record.

    Args:
        best: the attempt that is kept, of so many `attempts`.
        gain: dB, of every line of the character.
        licence: of the voice.
    """
    line, performance, verdict = job.line, best.performance, best.verdict
    delivered = deliver(performance, gain, job.delivery)
    others = extras(performance, job.delivery, job.place)
    understood, judged = verdict.transcript is not None, bool(verdict.heard_by)
    record = {
        "id": line.id,
        "script": PurePath(line.script).name,
        "place": line.place,
        "character": line.character,
        "to": list(line.to),
        "text": line.text,
        "spoken": performance.text,
        "direction": line.direction or "",
        "voice": performance.voice,
        "file": job.place,
        "files": {kind: path for kind, (path, _) in others.items()},
        "duration": round(performance.audio.duration, 4),
        "sample_rate": delivered.audio.sample_rate,
        "loudness": _rounded(delivered.loudness),
        "true_peak": _rounded(delivered.true_peak),
        "gain": _rounded(delivered.gain),
        "asked": _emotions(performance.direction.curve.mean()),
        "heard": _emotions(verdict.heard) if judged else None,
        "score": round(verdict.score, 4) if judged else None,
        "reason": verdict.reason,
        "heard_by": verdict.heard_by,
        "transcript": verdict.transcript,
        "word_errors": verdict.errors if understood else None,
        "words_expected": verdict.words if understood else None,
        "faults": list(verdict.faults),
        "take": best.number,
        "attempts": attempts,
        "words": [[word, round(a, 4), round(b, 4)] for word, a, b in performance.words],
        "notes": list(dict.fromkeys((*job.notes, *performance.casting.notes))),
        "seed": job.seed,
        "hash": job.key,
        "sha256": hashlib.sha256(delivered.encoded).hexdigest(),
        "synthetic": True,
        "licence": licence,
        "provenance": asdict(performance.provenance),
    }
    return Voiced(line.id, {job.place: delivered.encoded} | dict(others.values()), record)


def licence_of(voice: str, members: Iterable[Voice]) -> str:
    """Of a voice of the cast, or of all that are in a blend."""
    licences = {member.name: member.licence for member in members}
    names = [name for name, _ in parse_voice(voice, licences)]
    return " and ".join(dict.fromkeys(licences[name] for name in names))


def _emotions(vector: EmotionVector) -> dict[str, float]:
    """Of a record; what is next to nothing is left out."""
    rounded = {name: round(value, 3) for name, value in vector.items()}
    return {name: value for name, value in rounded.items() if value}


def _rounded(level: float) -> float | None:
    """A level in dB; None for silence, which has none."""
    return round(level, 2) if math.isfinite(level) else None


def hire(weights: str | None, listen: bool) -> Voicer:
    """Who speaks lines with the real networks; picklable as a partial function.

    Args:
        weights: a folder in which they are looked for first.
        listen: whether lines are listened to.
    """
    return Voicer(partial(_actor, weights), partial(_examiner, weights) if listen else None)


def _actor(weights: str | None) -> VoiceActor:
    from voice_actor.actor import VoiceActor

    return VoiceActor.load(weights)


def _examiner(weights: str | None) -> Examiner:
    from conditioning.estimator import EmotionEstimator
    from conditioning.whisper import Whisper

    from .gate import Examiner

    return Examiner(Whisper.load(weights), EmotionEstimator.load("permissive", weights))
