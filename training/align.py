"""When each phoneme of a recording is heard, by matching it to the backbone's own reading.

python -m training align --speech ../shared/data/speech -o alignment.json
"""

from __future__ import annotations

import argparse
import json
import re
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from conditioning.audio import Audio
from conditioning.errors import InvalidInput
from conditioning.files import check_place, write_whole
from voice_actor.acting import PAUSES
from voice_actor.backbone import FRAME, UNVOICED_BELOW, Backbone, whole_frames
from voice_actor.performance import Timed
from voice_actor.phonemes import VOWELS, Phrase

from .corpora import corpus
from .pronounce import pronounce

if TYPE_CHECKING:
    from conditioning.whisper import WhisperEncoder

READERS = {"F": "af_heart", "M": "am_fenrir"}  # who reads for a woman's or a man's recording
LONGEST = 60.0  # seconds of a recording: the matrix of all pairs of frames grows with the square
RATE = 16000  # Hz
HOP = 0.01  # seconds between frames
_WINDOW = 400  # samples
_BANDS, _CEPSTRA = 40, 13
_LAYER, _LAYER_HOP = 4, 0.02  # of Whisper's encoder; layers 3 to 6 and mixtures measured alike
_CEPSTRAL_SHARE = 0.25  # of the likeness of two frames; the rest is the encoder's
# Costs beside 1 - cosine of two frames: for a frame that repeats its reading or leaves some of it
# out, for beginning a pause, and for a frame of a pause that is silent or loud.
_STAY, _SKIP, _BEGIN, _SILENT, _LOUD = 0.1, 0.1, 0.2, 0.3, 1.2
_MOST_STEPS = 3  # frames of the reading that one frame of the recording may pass
_SPEECH, _BLUR = (
    0.35,
    0.2,
)  # loudness from the quietest (0) to the loudest (1) above which is speech
_STILL = -35.0  # dB below the loud parts: what counts as silence in the reading
_KEPT = 128  # readings that are likely to be asked for again
_NEVER = 1e9
_SIGNS = "ˈˌː\u0303ʰʲᵊᵝ↓→↗↘"


@dataclass(frozen=True, eq=False)
class Alignment:
    """When the phonemes of a recording are heard, in seconds from its start.

    Attributes:
        phrases: for each phrase one `Timed` a phoneme, in order and without gaps. A pause inside a
            phrase belongs to its punctuation mark and the space after it together, or to a bare
            space; what is silent before, between and after phrases belongs to none. A sign that
            the recording passes over lasts 0 s.
        confidence: how much more the matched frames resemble each other than any two frames of
            recording and reading do, 0 to 1.
    """

    phrases: tuple[tuple[Timed, ...], ...]
    confidence: float

    @property
    def phonemes(self) -> tuple[Timed, ...]:
        return tuple(timed for phrase in self.phrases for timed in phrase)


@dataclass(frozen=True, eq=False)
class _Sound:
    """N frames of `HOP`: what the encoder hears (F, D), cepstra (N, C) and level in dB (N,)."""

    encoded: np.ndarray
    cepstra: np.ndarray
    level: np.ndarray

    @property
    def loudness(self) -> np.ndarray:
        """From the quietest frames (0) to the loud ones (1), (N,)."""
        loud, quiet = np.percentile(self.level, [95, 2])
        floor = np.clip(quiet - loud, -60, -25)
        return np.clip(1 - (self.level - loud) / floor, 0, 1)

    def features(self, times: np.ndarray) -> np.ndarray:
        """What is heard at times, (times, D + C): the product of two rows is their likeness.

        The recording's own mean over speech is taken away: most of the voice and the room.
        """
        speech = self.loudness > _SPEECH
        coarse = speech[:: round(_LAYER_HOP / HOP)][: len(self.encoded)]
        encoded = self.encoded - self.encoded[: len(coarse)][coarse].mean(axis=0)
        spoken = self.cepstra[speech]
        cepstra = (self.cepstra - spoken.mean(axis=0)) / (spoken.std(axis=0) + 1e-6)
        parts = (encoded, _LAYER_HOP, 1 - _CEPSTRAL_SHARE), (cepstra, HOP, _CEPSTRAL_SHARE)
        return np.concatenate(
            [_unit(_at(values, times / hop)) * share**0.5 for values, hop, share in parts], axis=1
        )


@dataclass(frozen=True, eq=False)
class _Read:
    """A reading: symbols ("" for the silent ends of a phrase), and where each is heard, seconds."""

    sound: _Sound
    symbols: tuple[str, ...]
    bounds: np.ndarray  # (len(symbols) + 1,)

    def columns(self, hop: float) -> tuple[np.ndarray, np.ndarray]:
        """Times of its frames, `hop` apart and without its pauses; times where a pause may be."""
        times = np.arange(0, self.bounds[-1], hop)
        level = self.sound.level - np.percentile(self.sound.level, 95)
        grid = np.arange(len(level)) * HOP
        still = np.interp(times, grid, level) < _STILL
        kept, rests = np.ones(len(times), bool), []
        for first, end in self._runs():
            start, stop = self.bounds[first], self.bounds[end]
            kept &= ~(still & (times >= start) & (times < stop))
            if first == 0:
                rests.append(-1.0)
            elif end == len(self.symbols):
                rests.append(self.bounds[-1] + 1)
            else:
                run = range(first, end)
                chosen = next((i for i in run if not self.symbols[i]), None)
                if chosen is None:
                    chosen = next((i for i in run if self.symbols[i] in PAUSES), first)
                places = np.linspace(self.bounds[chosen], self.bounds[chosen + 1], 12)[1:-1]
                rests.append(places[np.interp(places, grid, level).argmin()])
        return times[kept], np.array(rests)

    def _runs(self) -> Iterator[tuple[int, int]]:
        """[first, end) of each stretch of symbols that have no sound of their own."""
        first = None
        for index, symbol in enumerate(self.symbols):
            sounds = symbol.isalpha() or (symbol and symbol in _SIGNS)
            if not sounds and first is None:
                first = index
            elif sounds and first is not None:
                yield first, index
                first = None
        yield first, len(self.symbols)


class Aligner:
    """Finds the phonemes of recordings; readings are spoken once and kept."""

    def __init__(self, backbone: Backbone, encoder: WhisperEncoder):
        self.backbone = backbone
        self.encoder = encoder
        self._readings: OrderedDict[tuple, _Read] = OrderedDict()

    @classmethod
    def load(cls, folder: Path | str | None = None) -> Aligner:
        """With Kokoro and Whisper base, from where `conditioning.weights` finds them.

        Raises:
            WeightsError: weights are missing or damaged.
        """
        from conditioning.whisper import WhisperEncoder
        from voice_actor.kokoro.backbone import KokoroBackbone

        return cls(KokoroBackbone.load(folder), WhisperEncoder.load(_LAYER, folder))

    def align(self, audio: Audio, phrases: Sequence[Phrase], voice: str) -> Alignment:
        """When the phonemes of the phrases are heard in a recording of them.

        The recording and the reading become frames of 10 ms, and the cheapest monotonous path
        pairs each frame of the recording with one of the reading or, between words, with a pause.

        Args:
            phrases: what is said, from the first word to the last.
            voice: who reads for comparison; of the speaker's gender, see `READERS`.

        Raises:
            InvalidInput: no phrases, silence, more than 60 s, or too short for so many phonemes.
            UnknownName: a voice that the backbone does not have.
        """
        if not phrases:
            raise InvalidInput("No phrases to find in the recording; give at least one.")
        if audio.duration > LONGEST:
            raise InvalidInput(
                f"The recording lasts {audio.duration:.0f} s; at most {LONGEST:.0f} s are aligned: "
                "cut it."
            )
        if not audio.samples.any():
            raise InvalidInput("The recording is silent; give speech.")
        sound = self._listen(audio)
        read = self._reading(tuple(phrases), voice)
        loudness = sound.loudness
        # Stretched to the recording's tempo, so that the path is free to bend both ways alike.
        tempo = (read.sound.loudness > _SPEECH).sum() / (loudness > _SPEECH).sum()
        columns, rests = read.columns(HOP * np.clip(tempo, 0.4, 2.5))
        times = np.arange(len(sound.level)) * HOP
        costs = 1 - sound.features(times) @ read.sound.features(columns).T
        loud = np.clip((loudness - _SPEECH) / _BLUR + 0.5, 0, 1)
        path = _cheapest(
            costs, _SILENT + (_LOUD - _SILENT) * loud, np.searchsorted(columns, rests) - 1
        )
        if path is None:
            raise InvalidInput(
                f"{audio.duration:.2f} s are too short for {read.bounds[-1]:.1f} s of text; check "
                "that the recording holds these words."
            )
        resting, where = path
        heard = ~resting
        matched = np.empty(len(times))
        matched[heard], matched[resting] = columns[where[heard]], rests[where[resting]]
        chance = costs[heard].mean()
        confidence = 1 - costs[heard, where[heard]].mean() / chance if heard.any() else 0.0
        bounds = np.minimum(_crossings(matched, read.bounds) * HOP, audio.duration)
        return Alignment(_timed(phrases, bounds), float(np.clip(confidence, 0, 1)))

    def _listen(self, audio: Audio) -> _Sound:
        audio = audio.resample(RATE)
        encoded = self.encoder.encode(audio, (_LAYER,))[0]
        padded = np.pad(audio.samples.astype(np.float64), _WINDOW // 2)
        frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[:: round(HOP * RATE)]
        level = 10 * np.log10(np.square(frames).mean(axis=1) + 1e-10)
        return _Sound(encoded, _cepstra(frames), level)

    def _reading(self, phrases: tuple[Phrase, ...], voice: str) -> _Read:
        key = voice, tuple(phrase.symbols for phrase in phrases)
        if key not in self._readings:
            self._readings[key] = self._read(phrases, voice)
            if len(self._readings) > _KEPT:
                self._readings.popitem(last=False)
        self._readings.move_to_end(key)
        return self._readings[key]

    def _read(self, phrases: tuple[Phrase, ...], voice: str) -> _Read:
        import torch

        rate = self.backbone.sample_rate
        samples, symbols, bounds, start = [], [], [], 0.0
        for phrase in phrases:
            with torch.inference_mode():
                style = self.backbone.style(voice, len(phrase.phonemes))
                reading = self.backbone.read(phrase, style)
                frames = whole_frames(reading.durations)
                curves = self.backbone.curves(reading, frames)
                samples.append(self.backbone.speak(reading, frames, *curves, style).numpy())
            symbols += ["", *phrase.symbols, ""]
            bounds.append(start + heard_bounds(frames.numpy(), self.backbone.lead)[:-1])
            start += len(samples[-1]) / rate
        sound = self._listen(Audio(np.concatenate(samples), rate))
        return _Read(sound, tuple(symbols), np.concatenate([*bounds, [start]]))


def heard_bounds(frames: np.ndarray, lead: float) -> np.ndarray:
    """When phonemes that last `frames` (T,) are heard in the backbone's speech: (T + 1,) seconds.

    Phoneme i is heard from bound i to bound i + 1, `lead` seconds before its own frames.
    """
    return np.concatenate([[0], np.cumsum(frames)]) * FRAME - lead


def _timed(phrases: Sequence[Phrase], bounds: np.ndarray) -> tuple[tuple[Timed, ...], ...]:
    found, index = [], 0
    for phrase in phrases:
        row = bounds[index + 1 : index + 2 + len(phrase.phonemes)].tolist()
        found.append(tuple(map(Timed, phrase.symbols, row[:-1], row[1:])))
        index += len(phrase.phonemes) + 2
    return tuple(found)


def _cheapest(
    costs: np.ndarray, rest: np.ndarray, after: np.ndarray
) -> tuple[np.ndarray, np.ndarray] | None:
    """The cheapest path of N frames through M columns and K pauses.

    Args:
        costs: of hearing each column at each frame, (N, M).
        rest: of a pause at each frame, (N,).
        after: the column that each pause follows, (K,); -1 before the first.

    Returns:
        whether each frame is a pause, and which pause or column it is, both (N,); None where
        the frames are too few.
    """
    frames, size = costs.shape
    # A column is reached from itself, from the ones before it, or from the pause before it.
    steps = np.arange(_MOST_STEPS + 1)
    extra = np.where(steps == 0, _STAY, _SKIP * (steps - 1))
    to = np.clip(after + 1, 0, size - 1)
    leads = after + 1 < size
    column = np.full(_MOST_STEPS + size, _NEVER)  # a margin of columns that nobody reaches
    column[_MOST_STEPS : 2 * _MOST_STEPS] = costs[0, :_MOST_STEPS] + extra[1:]
    pause = np.where(after < 0, rest[0], _NEVER)
    came = np.zeros((frames, size), np.int8)
    began = np.zeros((frames, len(after)), bool)
    every = np.arange(size)
    ways = np.full((_MOST_STEPS + 2, size), _NEVER)
    for frame in range(1, frames):
        for step in steps:
            ways[step] = column[_MOST_STEPS - step : _MOST_STEPS - step + size] + extra[step]
        ways[-1, to[leads]] = pause[leads]
        came[frame] = ways.argmin(axis=0)
        begin = np.where(after < 0, _NEVER, column[_MOST_STEPS + after]) + _BEGIN
        began[frame] = begin < pause
        pause = np.minimum(begin, pause) + rest[frame]
        column[_MOST_STEPS:] = ways[came[frame], every] + costs[frame]
    if min(pause[-1], column[-1]) >= _NEVER:
        return None
    before = {int(place): number for number, place in enumerate(to) if leads[number]}
    resting, where = np.zeros(frames, bool), np.zeros(frames, int)
    rests = pause[-1] < column[-1]
    place = len(after) - 1 if rests else size - 1
    for frame in range(frames - 1, -1, -1):
        resting[frame], where[frame] = rests, place
        if rests:
            if began[frame, place]:
                rests, place = False, int(after[place])
        elif came[frame, place] > _MOST_STEPS:
            rests, place = True, before[place]
        else:
            place -= int(came[frame, place])
    return resting, where


def _crossings(path: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    """Where, in frames, a rising path (N,) passes each of the bounds."""
    index = np.searchsorted(path, bounds)
    low, high = np.clip(index - 1, 0, None), np.minimum(index, len(path) - 1)
    climb = path[high] - path[low]
    part = np.where(climb > 0, (bounds - path[low]) / np.where(climb > 0, climb, 1), 0).clip(0, 1)
    return np.where(index == 0, 0, np.where(index == len(path), len(path), low + part))


def _cepstra(frames: np.ndarray) -> np.ndarray:
    """Mel cepstra of windows (N, samples) and their change from window to window, (N, 2 C)."""
    from scipy.fft import dct

    size = 512
    emphasised = np.diff(frames, axis=1, prepend=0.03 * frames[:, :1]) + 0.03 * frames
    power = np.square(np.abs(np.fft.rfft(emphasised * np.hanning(_WINDOW), size)))
    cepstra = dct(np.log(power @ _bands(size).T + 1e-7), norm="ortho")[:, :_CEPSTRA]
    change = np.gradient(cepstra, axis=0)
    around = np.pad(change, ((1, 1), (0, 0)), mode="edge")
    return np.concatenate([cepstra, (around[:-2] + change + around[2:]) / 3], axis=1)


@cache
def _bands(size: int) -> np.ndarray:
    """Triangles evenly spread over the mel scale (2595 log10(1 + f / 700)), (bands, bins)."""
    top = 2595 * np.log10(1 + 7600 / 700)
    edges = 700 * (10 ** (np.linspace(0, top, _BANDS + 2) / 2595) - 1)
    low, middle, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    frequency = np.fft.rfftfreq(size, 1 / RATE)
    rise, fall = (frequency - low) / (middle - low), (high - frequency) / (high - middle)
    return np.clip(np.minimum(rise, fall), 0, None)


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / (np.linalg.norm(rows, axis=1, keepdims=True) + 1e-9)


def _at(rows: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Rows between the given ones, by linear interpolation."""
    places = np.clip(places, 0, len(rows) - 1)
    low = places.astype(int)
    part = (places - low)[:, None]
    return rows[low] * (1 - part) + rows[np.minimum(low + 1, len(rows) - 1)] * part


# How well it works: against labels that people made, and against readings whose times are known.

SPOKEN = (
    "Kids are playing in the yard, and nobody listens.",
    "I cannot find the letter that you wrote, after everything we went through together!",
    "Please put the lamp back on the small table before you go.",
    "He told me softly that the guests were already asleep upstairs.",
    "Wait. Who is there? I thought that everybody had gone home.",
    "Seven brave sailors rowed across the frozen lake; none of them looked back.",
)
SPEAKERS = {"F": ("af_sarah", "bf_isabella"), "M": ("am_adam", "bm_lewis")}

# EmoDB's labels (a form of SAMPA) where they differ from Kokoro's symbols.
_SAMPA = {
    "I": "ɪ", "E": "ɛ", "6": "ɐ", "O": "ɔ", "Y": "y", "9": "œ", "U": "ʊ", "@": "ə", "S": "ʃ",
    "C": "ç", "N": "ŋ", "NN": "ŋ", "g": "ɡ", "4": "ʁ", "X": "ʁ", "R": "ʁ", "B": "b", "D": "d",
    "G": "ɡ", "V": "v", "nn": "n", "mm": "m", "ss": "s", "vv": "v", "aI": "I", "aU": "W",
    "aO": "W", "AU": "W", "AO": "W", "ao": "W", "OY": "Y", "i6": "iɐ", "a6": "aɐ", "E6": "ɛɐ",
    "I6": "ɪɐ", "@6": "ɐ", "?": "ʔ",
}  # fmt: skip
_NO_SOUND = frozenset({".", "(", "(gef", "H", "h", "L", "!"})
# Sounds of a row stand for each other in fluent speech.
_ALIKE = (
    "iɪyj", "eɛəæœø", "aɑɐʌ", "oɔuʊ", "IWY", "mnŋ", "l", "ʁɹɾxχ", "pb", "td", "kɡ", "fv", "szʦ",
    "ʃʒç", "h", "ʔ",
)  # fmt: skip


def labels(path: Path) -> list[tuple[str, float | None]]:
    """Sounds of a label file of EmoDB and when each starts, in seconds; "" is a pause.

    A line holds the time at which its sound starts (energy above 4 kHz says so: as ends the times
    would put "s" where it is quiet). Closure, release and aspiration of a stop are one sound, and
    of two sounds with one label only the first has a time.

    Raises:
        InvalidInput: no line of the file is a label.
    """
    text = path.read_text(encoding="latin-1").rpartition("\n#")[2]
    rows = re.findall(r"^\s*(\d+\.\d+)\s+-?\d+ ?([^\t\n]*)", text, re.MULTILINE)
    found: list[tuple[str, float | None]] = []
    for time, label in rows:
        label = label.strip()
        if not label or label[0] in "+-":  # says how the sound goes on
            continue
        if label in _NO_SOUND:
            found.append(("", float(time)))
            continue
        plain = re.sub("asp.*", "", label.lstrip("_!"))
        sounds = _SAMPA.get(plain, plain)
        if plain != label and not label.startswith("_") and found and found[-1][0] == sounds:
            continue
        found += [(sound, None if order else float(time)) for order, sound in enumerate(sounds)]
    if not found:
        raise InvalidInput(f"{path.name} holds no labels; download it again.")
    return found


def compare(
    alignment: Alignment, labelled: Sequence[tuple[str, float | None]]
) -> tuple[list[float], int]:
    """Errors in seconds (found minus labelled) of the boundaries that can be compared.

    A boundary counts where the sounds on both sides of it are the same or alike in both. It is
    the end of the sound before it, its length mark included.

    Returns:
        The errors, and how many boundaries between sounds the labels have.
    """
    phonemes = alignment.phonemes
    spoken = [i for i, timed in enumerate(phonemes) if timed.label.isalpha() and timed.label != "ː"]
    spoken = [i for i in spoken if phonemes[i].label not in _SIGNS]
    heard = [i for i, (sound, _) in enumerate(labelled) if sound]
    pairs = _pairs([phonemes[i].label for i in spoken], [labelled[i][0] for i in heard])
    alike = [
        (spoken[a], heard[b])
        for a, b in pairs
        if _group(phonemes[spoken[a]].label) == _group(labelled[heard[b]][0])
    ]
    next_spoken = dict(zip(spoken, spoken[1:], strict=False))
    errors = []
    for (first, label), (second, following) in zip(alike, alike[1:], strict=False):
        time = labelled[following][1]
        if next_spoken[first] != second or following != label + 1 or time is None:
            continue
        end = first
        while phonemes[end + 1].label in "ː\u0303ʲʰ":
            end += 1
        errors.append(phonemes[end].end - time)
    boundaries = sum(bool(a[0] and b[0]) for a, b in zip(labelled, labelled[1:], strict=False))
    return errors, boundaries


def _group(sound: str) -> int | str:
    return next((number for number, row in enumerate(_ALIKE) if sound in row), sound)


def _pairs(spoken: Sequence[str], heard: Sequence[str]) -> list[tuple[int, int]]:
    """Which sounds stand for each other in the cheapest edit of one row into the other."""
    lost = 0.7

    def changed(one: str, other: str) -> float:
        if one == other:
            return 0.0
        if _group(one) == _group(other):
            return 0.2
        return 0.6 if one in VOWELS and other in VOWELS else 1.5

    table = np.zeros((len(spoken) + 1, len(heard) + 1))
    table[:, 0] = lost * np.arange(len(spoken) + 1)
    table[0] = lost * np.arange(len(heard) + 1)
    came = np.zeros(table.shape, int)
    for i, one in enumerate(spoken, start=1):
        for j, other in enumerate(heard, start=1):
            ways = (
                table[i - 1, j - 1] + changed(one, other), table[i - 1, j] + lost,
                table[i, j - 1] + lost,
            )  # fmt: skip
            came[i, j] = int(np.argmin(ways))
            table[i, j] = ways[came[i, j]]
    i, j, pairs = len(spoken), len(heard), []
    while i and j:
        way = came[i, j]
        if way == 0:
            pairs.append((i - 1, j - 1))
        i, j = i - (way != 2), j - (way != 1)
    return pairs[::-1]


def against_labels(aligner: Aligner, speech: Path, clips: int, seed: int = 0) -> dict:
    """Boundary errors in whole clips of EmoDB, drawn at random; see `_summary`."""
    utterances = [
        utterance
        for utterance in corpus("emodb", speech / "emodb")
        if utterance.whole and next(_label_files(utterance), None)
    ]
    drawn = np.random.default_rng(seed).permutation(len(utterances))[:clips]
    errors, boundaries, confidence, used = [], 0, [], 0
    for index in sorted(drawn):
        utterance = utterances[index]
        try:
            labelled = labels(next(_label_files(utterance)))
        except InvalidInput:  # one file of the corpus is empty
            continue
        found = aligner.align(
            Audio.load(utterance.path), pronounce(utterance.text, "de"), READERS[utterance.gender]
        )
        some, count = compare(found, labelled)
        errors += some
        boundaries += count
        used += 1
        confidence.append(found.confidence)
    return {
        "clips": used,
        "boundaries_labelled": boundaries,
        "share_matched": round(len(errors) / boundaries, 3),
        **_summary(errors, confidence),
    }


def _label_files(utterance) -> Iterator[Path]:
    return (utterance.path.parents[1] / "lablaut").glob(f"{utterance.path.stem}*.lablaut")


def against_known(aligner: Aligner, sentences: Sequence[str] = SPOKEN, seed: int = 0) -> dict:
    """Boundary errors in recordings that other voices of the backbone made; see `_summary`.

    Tempo is changed by x0.8 to x1.4 as a whole and each phoneme by about x0.85 to x1.2, pauses
    last up to 0.8 s longer, pitch moves by -3 to +6 semitones, and noise is added.
    """
    import torch

    rng = np.random.default_rng(seed)
    backbone = aligner.backbone
    errors, confidence, count = [], [], 0
    for order, sentence in enumerate(sentences):
        phrases = pronounce(sentence, "en")
        for gender, voices in SPEAKERS.items():
            voice = voices[order % len(voices)]
            samples, true, start = [], [], 0.0
            for phrase in phrases:
                with torch.inference_mode():
                    style = backbone.style(voice, len(phrase.phonemes))
                    reading = backbone.read(phrase, style)
                    local = np.convolve(
                        rng.normal(0, 0.5, len(reading.durations) + 4), np.full(5, 0.2)
                    )
                    octaves = rng.uniform(-0.35, 0.5) + local[4:-4]
                    longer = np.array([0, *(symbol in PAUSES for symbol in phrase.symbols), 0])
                    longer = longer * rng.choice([0, 12, 32])
                    frames = whole_frames(
                        reading.durations * torch.from_numpy(2**octaves).float()
                        + torch.from_numpy(longer).float()
                    )
                    f0, energy = backbone.curves(reading, frames)
                    higher = 2 ** (rng.uniform(-3, 6) / 12)
                    f0 = torch.where(f0 > UNVOICED_BELOW, f0 * higher, f0)
                    spoken = backbone.speak(reading, frames, f0, energy, style).numpy()
                samples.append(spoken)
                true.append(start + heard_bounds(frames.numpy(), aligner.backbone.lead)[1:-1])
                start += len(spoken) / backbone.sample_rate
            clean = np.concatenate(samples)
            noise = rng.normal(0, clean.std() * rng.choice([0.003, 0.03]), len(clean))
            audio = Audio((clean + noise).astype(np.float32), backbone.sample_rate)
            found = aligner.align(audio, phrases, READERS[gender])
            for row, bounds in zip(found.phrases, true, strict=True):
                errors += (np.array([timed.start for timed in row])[1:] - bounds[1:-1]).tolist()
            confidence.append(found.confidence)
            count += 1
    return {"clips": count, **_summary(errors, confidence)}


def _summary(errors: Sequence[float], confidence: Sequence[float]) -> dict:
    """Number of boundaries, percentiles of the absolute error and its median with sign, ms."""
    milliseconds = 1000 * np.array(errors)
    parts = 50, 75, 90, 95
    found = np.percentile(np.abs(milliseconds), parts).round(1)
    return {
        "boundaries": len(errors),
        **{f"error_p{part}_ms": float(ms) for part, ms in zip(parts, found, strict=True)},
        "bias_ms": round(float(np.median(milliseconds)), 1),
        "confidence": round(float(np.mean(confidence)), 3),
    }


def add_align(commands) -> None:
    command = commands.add_parser(
        "align", help="how well phonemes are found in recordings: EmoDB's labels, known times"
    )
    command.add_argument("--speech", required=True, metavar="FOLDER", help="holds emodb")
    command.add_argument("-o", "--out", required=True, metavar="FILE", help="JSON")
    command.add_argument("--clips", type=int, default=60, help="of EmoDB (default 60)")
    command.set_defaults(run=run_align)


def run_align(options: argparse.Namespace) -> None:
    import torch

    check_place(options.out)
    torch.set_num_threads(1)
    aligner = Aligner.load()
    found = {
        "labels": against_labels(aligner, Path(options.speech), options.clips),
        "known": against_known(aligner),
    }
    write_whole(options.out, (json.dumps(found, indent=2) + "\n").encode())
    for name, what in ("labels", "EmoDB's hand-made labels"), ("known", "readings of known times"):
        row = found[name]
        errors = ", ".join(f"{part} % {row[f'error_p{part}_ms']}" for part in (50, 75, 90, 95))
        print(
            f"{what}: {row['boundaries']} boundaries in {row['clips']} clips, errors up to (ms): "
            f"{errors}; bias {row['bias_ms']}; confidence {row['confidence']}"
        )
    print(f"Of the labels' boundaries {found['labels']['share_matched']:.0%} could be compared.")
