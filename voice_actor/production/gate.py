"""The quality gate: what can be told of a spoken line without a person."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, product
from typing import NamedTuple

import numpy as np

from conditioning.emotion import EmotionVector
from conditioning.errors import InvalidInput
from conditioning.estimator import Baseline, EmotionEstimator, Estimate
from conditioning.manner import BOUNDS
from conditioning.whisper import Whisper, normaliser
from voice_actor.performance import Performance, places_of
from voice_actor.phonemes import phonemize
from voice_actor.voices import accent_of

MOST_RETRIES = 20
NEAR = 12  # words by which a transcript may have shifted where a given word is looked for
FRAME = 0.01  # s, in which levels are measured
FAINTEST = -60.0  # dB of full scale; the loudest frame of a whisper has about -25
# dB below a line's loudest frame. In ordinary lines every word has a frame within 21 dB of it.
SILENT = 40.0
FULL_SCALE = 0.999  # a mark that lifts a peak above 1 leaves that one sample at 0.9999
CLIPPED = 3  # samples in a row at full scale
LONGEST_INSIDE, LONGEST_OUTSIDE = 1.5, 1.0  # s of silence; measured: at most 0.55 and 0.67
# Phonemes a second. Measured: 18.7 where "very fast" is asked and 15.5 elsewhere at most; at least
# 1 s for every 3.4 after the first half second, in "Leave. Now.", said coldly.
FASTEST, SLOWEST = 22.0, 3.0
LINGERING = 0.75  # s that a line of any length may last longer
PAUSE = 0.2  # s of silence that count as none of the speech
TOGETHER = 5  # written words that may be one word to the recogniser, or the other way round
# What scripts write as it is spoken and a recogniser as it is spelt.
SPELT_OUT = tuple(
    (re.compile(pattern), spelt)
    for pattern, spelt in {
        r"\b(?:([a-z]{1,2})-)+(?=\1)": "",  # w-w-what
        r"(?<=[a-z])in'(?![a-z])": "ing",
        r"\by'(?=[a-z])": "you ",
        r"(?<![a-z])'em\b": "them",
        r"\bol'(?![a-z])": "old",
        r"\bo'(?![a-z])": "of",
        r"\ban'(?![a-z])": "and",
    }.items()
)
SHOWN = 3  # differences that a fault quotes


@dataclass(frozen=True)
class Gate:
    """When a line is good enough to be left alone.

    Attributes:
        word_errors: the share of words heard otherwise above which a line has a fault; 0 to 1.
        score: the least score of what is heard against what was asked (`audition.judge`), -1 to 1;
            None: no score is too low.
        retries: how many further attempts a line with faults gets, 0 to 20.

    Raises:
        InvalidInput: a value outside these.
    """

    word_errors: float = 0.25
    score: float | None = None
    retries: int = 2

    def __post_init__(self):
        _check("word_errors", self.word_errors, int | float, "numbers from 0 to 1", 0, 1)
        if self.score is not None:
            _check("score", self.score, int | float, "numbers from -1 to 1", -1, 1)
        allowed = f"whole numbers from 0 to {MOST_RETRIES}"
        _check("retries", self.retries, int, allowed, 0, MOST_RETRIES)


def _check(name: str, value: object, kind, allowed: str, low: float, high: float) -> None:
    if isinstance(value, bool) or not isinstance(value, kind) or not low <= value <= high:
        raise InvalidInput(f"The gate's {name} is {value!r}; allowed: {allowed}.")


@dataclass(frozen=True)
class Verdict:
    """What was told of a line.

    Attributes:
        faults: in plain words with numbers; empty: fine.
        errors: words heard otherwise than they were to be spoken; see `compare`.
        words: of the line, as they were compared; 0 where there are none or nobody listened.
        transcript: what the recogniser heard; None without one.
        heard: by the estimator, the mean over the line.
        score: how well this matches what was asked (`audition.judge`); 0 without an estimator.
        reason: the score in words.
        heard_by: the estimator's name; "" where none listened.
    """

    faults: tuple[str, ...]
    errors: int = 0
    words: int = 0
    transcript: str | None = None
    heard: EmotionVector = EmotionVector()
    score: float = 0.0
    reason: str = ""
    heard_by: str = ""


@dataclass(frozen=True)
class Comparison:
    """What a recogniser heard of a line.

    Attributes:
        errors: words to substitute, insert and delete.
        words: of the line, fillers apart; 0: there is nothing to compare.
        differences: the stretches that differ: (as written, as heard), either may be "".
    """

    errors: int
    words: int
    differences: tuple[tuple[str, str], ...]


def compare(
    text: str,
    transcript: str,
    accent: str = "us",
    pronunciations: Mapping[str, str] | None = None,
) -> Comparison:
    """What a recogniser heard of the words of a line: Levenshtein's distance over written words.

    Up to five words in a row count as heard where as many, fewer or more of the transcript

    - are spelt the same once Whisper's normaliser of English has seen them (case, punctuation,
      numbers, contractions), and spaces are left out: "every one" and "everyone"; stammers and
      dropped letters are spelt out before: "w-what" and "what", "comin'" and "coming"; or
    - are read aloud with the same phonemes, stress, length and repetition apart: "knight" and
      "night", but not "Eldra" and "Aldra"; or
    - stand for words that have a pronunciation of their own, which no recogniser can spell, and are
      read with phonemes of which at most one in three has to be changed to get those given.

    Words that the normaliser leaves out ("hmm", "um") count on neither side.

    Args:
        accent: of the reading aloud, "us" or "gb".
        pronunciations: that the line was spoken with: written word -> phonemes.
    """
    expected = _words(text, accent, pronunciations or {})
    if not expected:
        return Comparison(0, 0, ())
    heard = _words(transcript, accent, {})
    steps = _align(len(expected), len(heard), _same(expected, heard))
    differences = []
    for right, run in groupby(steps, key=lambda step: step.right):
        first, *_, last = [*run] * 2
        if not right:
            pairs = (
                (expected, first.expected[0], last.expected[1]),
                (heard, first.heard[0], last.heard[1]),
            )
            differences.append(tuple(_joined(words[start:end]) for words, start, end in pairs))
    errors = sum(not step.right for step in steps)
    return Comparison(errors, len(expected), tuple(differences))


@dataclass(frozen=True)
class _Word:
    """A word as written, its phonemes, and whether they were given."""

    written: str
    sounds: str
    given: bool


class _Step(NamedTuple):
    """Where a stretch [start, end) of what was expected was heard."""

    expected: tuple[int, int]
    heard: tuple[int, int]
    right: bool


def _words(text: str, accent: str, pronunciations: Mapping[str, str]) -> list[_Word]:
    """The words of a text, without those that the normaliser leaves out."""
    given = {_key(word) for word in pronunciations}
    return [
        _Word(written, sounds, _key(written) in given)
        for written, sounds in _read(text, accent, pronunciations)
        if _spelling(written)
    ]


def _key(word: str) -> str:
    return word.strip().lower().replace("’", "'")


def _read(text: str, accent: str, pronunciations: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    try:
        phrases = phonemize(text, accent, pronunciations=pronunciations)
    except InvalidInput:  # a recogniser may write nothing, or what cannot be spoken
        yield from ((written, "") for written in text.split())
        return
    for phrase in phrases:
        for first, last, start, end in phrase.words:
            yield text[start:end], _sounds(phrase.symbols[first:last])


def _sounds(symbols: str) -> str:
    """Phonemes without marks of stress and length, each once where it is repeated."""
    kept = (symbol for symbol in symbols if unicodedata.category(symbol) in ("Ll", "Lu"))
    return "".join(symbol for symbol, _ in groupby(kept))


def _spelling(written: str) -> str:
    plain = written.lower().replace("’", "'")
    for pattern, spelt in SPELT_OUT:
        plain = pattern.sub(spelt, plain)
    return normaliser()(plain).replace(" ", "")


def _joined(words: Sequence[_Word]) -> str:
    return " ".join(word.written for word in words)


def _sounds_of(words: Sequence[_Word]) -> str:
    return _sounds("".join(word.sounds for word in words))


def _same(expected: Sequence[_Word], heard: Sequence[_Word]) -> Iterator[_Step]:
    """Every stretch of what was expected with every stretch of what was heard that is the same."""
    for form in (lambda words: _spelling(_joined(words)), _sounds_of):
        places = defaultdict(list)
        for start, end in _stretches(heard):
            places[form(heard[start:end])].append((start, end))
        for start, end in _stretches(expected):
            said = form(expected[start:end])
            yield from (_Step((start, end), place, True) for place in places[said] if said)
    ratio = len(heard) / len(expected)
    for start, end in _stretches(expected):
        if all(word.given for word in expected[start:end]):
            said = _sounds_of(expected[start:end])
            for first, last in _stretches(heard):
                # Far from its place no stretch is that word, and a speech has thousands of them.
                near = abs(first - ratio * start) <= NEAR
                if near and _changes(said, _sounds_of(heard[first:last])) <= len(said) / 3:
                    yield _Step((start, end), (first, last), True)


def _stretches(words: Sequence[_Word]) -> Iterator[tuple[int, int]]:
    for start in range(len(words)):
        for end in range(start + 1, min(start + TOGETHER, len(words)) + 1):
            yield start, end


def _changes(expected: str, heard: str) -> int:
    """Levenshtein's distance."""
    same = (
        _Step((row, row + 1), (column, column + 1), True)
        for row, one in enumerate(expected)
        for column, other in enumerate(heard)
        if one == other
    )
    return sum(not step.right for step in _align(len(expected), len(heard), same))


def _align(expected: int, heard: int, same: Iterable[_Step]) -> list[_Step]:
    """The way through both with the fewest wrong steps, each over one of either or of both."""
    free = defaultdict(list)
    for step in same:
        free[step.expected[1], step.heard[1]].append(step)
    least: dict[tuple[int, int], tuple[int, _Step | None]] = {(0, 0): (0, None)}
    for row, column in product(range(expected + 1), range(heard + 1)):
        steps = free[row, column] + [
            _Step((row - down, row), (column - right, column), False)
            for down, right in ((1, 1), (1, 0), (0, 1))
            if row >= down and column >= right
        ]
        ways = ((least[_start(step)][0] + (not step.right), step) for step in steps)
        if steps:
            least[row, column] = min(ways, key=lambda way: way[0])
    way: list[_Step] = []
    place = expected, heard
    while step := least[place][1]:
        way.append(step)
        place = _start(step)
    return way[::-1]


def _start(step: _Step) -> tuple[int, int]:
    return step.expected[0], step.heard[0]


class Examiner:
    """Listens to lines for faults.

    Args:
        recogniser: hears the words; None: they are not compared.
        estimator: hears the emotion; None: it is not judged.
    """

    def __init__(self, recogniser: Whisper | None, estimator: EmotionEstimator | None):
        self.recogniser = recogniser
        self.estimator = estimator
        # Lines of a voice share their neutral reading.
        self._habit = lru_cache(maxsize=64)(self._habit)

    def _habit(self, neutral: Performance) -> Baseline | None:
        from voice_actor.audition import habit

        return habit(self.estimator, neutral)

    def examine(
        self,
        performance: Performance,
        neutral: Performance,
        gate: Gate,
        pronunciations: Mapping[str, str] | None = None,
    ) -> Verdict:
        """What can be told of a line; the same line always gets the same verdict.

        Args:
            neutral: a reading by the voice in which nothing is asked, of whatever words; the
                line's emotion is heard against it.
            pronunciations: that the line was spoken with.
        """
        faults = list(sound_faults(performance))
        told: dict = {}
        if self.recogniser is not None:
            transcript = self.recogniser.transcribe(performance.audio)
            accent = accent_of(performance.casting.voice)
            compared = compare(performance.text, transcript, accent, pronunciations)
            told |= {
                "errors": compared.errors,
                "words": compared.words,
                "transcript": transcript,
            }
            if compared.errors > gate.word_errors * compared.words:
                faults.append(_misheard(compared))
        if self.estimator is not None:
            # Whoever only reads a cast file, which holds a gate, is spared torch.
            from voice_actor.audition import judge, listen

            heard = listen(performance, self.estimator, self._habit(neutral))
            score, reason = judge(performance, heard)
            told |= {
                "heard": heard_in(heard),
                "score": score,
                "reason": reason,
                "heard_by": heard[0].estimator,
            }
            # Of a cry as short as "Run!" the estimator alone is no judge: 1 in 34 was missed.
            if not told.get("transcript") and not any(estimate.speech for estimate in heard):
                faults.append(f"no speech is heard by {heard[0].estimator}")
            elif gate.score is not None and score < gate.score:
                faults.append(f"heard {score:.2f} as directed, least {gate.score:.2f}: {reason}")
        return Verdict(tuple(faults), **told)


def heard_in(estimates: Sequence[Estimate]) -> EmotionVector:
    """What was heard on average over the stretches that were listened to."""
    mean = np.mean([estimate.intensities.to_list() for estimate in estimates], axis=0)
    return EmotionVector.from_list(mean.clip(0, 1).tolist())


def _misheard(compared: Comparison) -> str:
    told = []
    for written, heard in compared.differences[:SHOWN]:
        if not heard:
            told.append(f"{written!r} not at all")
        elif not written:
            told.append(f"{heard!r} besides")
        else:
            told.append(f"{written!r} as {heard!r}")
    if len(compared.differences) > SHOWN:
        told.append(f"and {len(compared.differences) - SHOWN} more")
    errors, words = compared.errors, compared.words
    if errors > words:
        return f"{errors} words were heard otherwise where {words} were written: {', '.join(told)}"
    verb = "was" if errors == 1 else "were"
    return f"{errors} of {words} words {verb} heard otherwise: {', '.join(told)}"


def sound_faults(performance: Performance) -> Iterator[str]:
    """What is wrong with the samples themselves."""
    samples, rate = performance.audio.samples, performance.audio.sample_rate
    yield from _clipping(samples, rate)
    hop = round(FRAME * rate)
    frames = samples[: len(samples) // hop * hop].reshape(-1, hop).astype(np.float64)
    level = 10 * np.log10(np.square(frames).mean(axis=1) + 1e-12)  # dB of full scale
    loudest = level.max(initial=-np.inf)
    if loudest < FAINTEST:
        yield f"there is no sound: the loudest 10 ms have {loudest:.0f} dB of full scale"
        return
    loud = level > loudest - SILENT
    times = np.flatnonzero(loud) * FRAME
    yield from _silences(performance, times)
    yield from _unspoken(performance, loud)
    yield from _pace(performance, times)


def _clipping(samples: np.ndarray, rate: int) -> Iterator[str]:
    full = np.pad((np.abs(samples) >= FULL_SCALE).astype(np.int8), 1)
    starts, ends = (np.flatnonzero(np.diff(full) == step) for step in (1, -1))
    clipped = starts[ends - starts >= CLIPPED]
    if len(clipped):
        yield (
            f"clipped in {len(clipped)} {'place' if len(clipped) == 1 else 'places'}, "
            f"the first at {clipped[0] / rate:.2f} s"
        )


def _silences(performance: Performance, loud: np.ndarray) -> Iterator[str]:
    """Silences longer than was asked, from the times (s) at which sound begins to be heard."""
    slowness = 2 ** -_extreme(performance, "pace", min)
    added = _extreme(performance, "pause", max)
    starts = [0.0, *(loud + FRAME).tolist()]
    ends = [*loud.tolist(), performance.audio.duration]
    for index, (start, end) in enumerate(zip(starts, ends, strict=True)):
        inside = 0 < index < len(loud)
        most = (LONGEST_INSIDE + added if inside else LONGEST_OUTSIDE) * slowness
        if end - start <= most:
            continue
        most += _asked_silence(performance, (start + end) / 2)
        if end - start > most:
            where = f"at {start:.2f} s" if inside else "at the end" if index else "at the start"
            yield f"a silence of {end - start:.2f} s {where}; at most {most:.2f} s were expected"


def _extreme(performance: Performance, control: str, choose: Callable) -> float:
    """The least or most of a control that manners can add up to, 0 where none asks for it."""
    stretches = [manner for _, _, manner in performance.direction.manners]
    asked = (getattr(manner, control) for manner in (performance.casting.manner, *stretches))
    low, high = BOUNDS[control]
    return min(max(sum(choose(value, 0.0) for value in asked), low), high)


def _asked_silence(performance: Performance, time: float) -> float:
    """Seconds of the pauses that the direction asks for between the words around a time (s)."""
    words, text = performance.words, performance.text
    places = [round(start * len(text)) for start, _ in places_of(text, words)]
    following = sum((word.start + word.end) / 2 < time for word in words)
    first = places[following - 1] if following else -1
    last = places[following] if following < len(words) else len(text)
    return sum(seconds for place, seconds in performance.direction.pauses if first < place <= last)


def _unspoken(performance: Performance, loud: np.ndarray) -> Iterator[str]:
    """Words without time, and those in whose time there is nothing but silence."""
    silent = [
        word.label
        for word in performance.words
        if word.end <= word.start
        or not loud[int(word.start / FRAME) : math.ceil(word.end / FRAME)].any()
    ]
    if silent:
        shown = ", ".join(map(repr, silent[:SHOWN]))
        more = f" and {len(silent) - SHOWN} more" if len(silent) > SHOWN else ""
        verb = "has" if len(silent) == 1 else "have"
        yield f"{len(silent)} of {len(performance.words)} words {verb} no sound: {shown}{more}"


def _pace(performance: Performance, loud: np.ndarray) -> Iterator[str]:
    """Speech much faster or slower than its phonemes allow, pauses apart."""
    sounds = sum(len(_sounds(phoneme.label)) for phoneme in performance.phonemes)
    steps = np.diff(loud, prepend=loud[0] - FRAME)
    lasting = float(steps[steps < PAUSE].sum())
    least = sounds / FASTEST * 2 ** -_extreme(performance, "pace", max)
    most = (LINGERING + sounds / SLOWEST) * 2 ** -_extreme(performance, "pace", min)
    if not least <= lasting <= most:
        kind = "short" if lasting < least else "long"
        yield (
            f"too {kind} for its text: {sounds} phonemes in {lasting:.2f} s of speech, expected "
            f"{least:.2f} to {most:.2f} s"
        )
