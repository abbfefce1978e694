"""What actors did at each phoneme beside what the backbone would have done: the adapter's targets.

python -m training targets --speech ../shared/data/speech --corpora emodb --cache runs/targets
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import math
import multiprocessing
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from conditioning.audio import Audio
from conditioning.errors import InvalidInput
from conditioning.files import write_whole
from conditioning.prosody import HOP, LOWEST, REFERENCE, Prosody, functionals, measure
from conditioning.taxonomy import INDEX, NAMES
from voice_actor.acting import PAUSES
from voice_actor.backbone import PITCH_FRAME, Backbone, Reading, whole_frames
from voice_actor.phonemes import Phoneme, Phrase
from voice_actor.voices import accent_of, cast

from .corpora import CORPORA, Utterance, corpus
from .protocol import EVALUATED

if TYPE_CHECKING:
    from torch import Tensor

    from .align import Alignment

VERSION = 2  # of what is measured, the alignment included: a new one makes old files stale
MEASURES = ("seconds", "pause", "f0", "level", "tilt", "breath")
REFERENCES = ("f0_median_st", "level_mean_db", "tilt_db_oct", "breath_db")

# Who is kept for evaluation, and af_nicole, who half whispers and so has no neutral of her own.
NOT_MATCHED = frozenset({*EVALUATED, "af_nicole"})
DIVIDE = 140.0  # Hz between the medians of the cast's men and its women

# How much of full intensity a corpus's words for it mean. "strong" leaves room for more than
# actors gave, and "normal" is heard as the emotion without effort; both are about 0.1 over the
# estimator's STRENGTHS, whose zero is the least that can be heard. Where a corpus is silent its
# actors were asked for the emotion in full, as in EmoDB.
INTENSITIES = {
    "low": 0.35, "moderate": 0.6, "normal": 0.6, "medium": 0.6,
    "strong": 0.9, "high": 0.9, "intense": 0.9,
}  # fmt: skip
UNSTATED = 0.8
HEARD = 0.3  # weight of an estimator's reading beside the label

NORMALISED = frozenset({"emodb", "laion_voice_acting"})  # whose level says nothing of effort
ODD_WORDS = 0.1  # share of words in which a take may differ from the script's medoid
FARTHEST = 2.5  # octaves of duration; what is further off is an error of the alignment
HIGHEST = 18.0  # semitones; what is further off is an octave error or a creak
LEAST_VOICED = 2  # frames of a phoneme from which its pitch and quality are taken


@dataclass(frozen=True, eq=False)
class Target:
    """A phrase of a recording beside the backbone's neutral reading of it.

    T phonemes with the silence at both ends, as in `Reading`. Values stand at the sounds
    (`is_sound`); stress and length marks belong to their sound, whose time includes theirs. nan is
    what is unknown: at anything that is no sound, and where a measure does not apply. Everything
    but `duration` and `pause` is relative: how far the recording is from its speaker's neutral,
    minus how far the reading is from its voice's.

    Attributes:
        corpus, path, speaker, label, level, script, language: of the recording's `Utterance`.
        part: number of the phrase within the recording.
        phrase: what is said.
        voice: whose reading it is held against.
        emotions: (40,), from the label and its level, and what an estimator hears if it is given.
        states: (T, D), float16, of the reading.
        style: (256,).
        frames: (T,), what phonemes last in the reading, in `FRAME`s.
        duration: log2 of recorded over read seconds (T,).
        pause: seconds of silence recorded minus read (T,): at the first pause mark between two
            words, else at the space; nan elsewhere, and at the end of what was recorded.
        f0: semitones, median over the voiced frames (T,).
        loudness: dB, of the mean energy (T,); without the recording's mean where `level_known` is
            False.
        tilt: dB an octave over voiced frames (T,); positive is brighter.
        breath: aperiodic energy above 2.5 kHz, dB over voiced frames (T,).
        level_known: whether the recording's loudness means anything.
        confidence: of the alignment.
    """

    corpus: str
    path: Path
    speaker: str
    label: str
    level: str | None
    script: str
    language: str
    part: int
    phrase: Phrase
    voice: str
    emotions: np.ndarray
    states: np.ndarray
    style: np.ndarray
    frames: np.ndarray
    duration: np.ndarray
    pause: np.ndarray
    f0: np.ndarray
    loudness: np.ndarray
    tilt: np.ndarray
    breath: np.ndarray
    level_known: bool
    confidence: float

    @property
    def phonemes(self) -> str:
        """One character each, without the silence at both ends."""
        return self.phrase.symbols


class Aligner(Protocol):
    """What is needed of `training.align.Aligner`."""

    def align(self, audio: Audio, phrases: Sequence[Phrase], voice: str) -> Alignment: ...


@dataclass(frozen=True)
class Group:
    """Recordings with the same words that are held against one reading."""

    corpus: str
    text: str
    language: str
    voice: str
    utterances: tuple[Utterance, ...]

    @property
    def file(self) -> str:
        """Named by its contents, so that nothing stale is read."""
        recordings = [f"{item.path.name} {item.path.stat().st_size}" for item in self.utterances]
        known = "\n".join([str(VERSION), self.text, self.language, self.voice, *recordings])
        return f"{self.corpus}-{hashlib.sha256(known.encode()).hexdigest()[:20]}.npz"


@dataclass(frozen=True, eq=False)
class Plan:
    """What is to be aligned, and how many recordings are left out for which reason."""

    groups: tuple[Group, ...]
    left_out: Mapping[str, int]


def load(
    speech: str | Path,
    corpora: Sequence[str],
    folder: str | Path,
    processes: int = 2,
    heard: Mapping[str, np.ndarray] | None = None,
    confidence: float = 0.0,
) -> list[Target]:
    """The targets of corpora; those that `folder` does not hold yet are made first.

    Args:
        speech: the folder of the corpora's folders.
        corpora: their names; see `training.corpora`.
        processes: that align, one thread each; with 0 only what is there already is taken.
        heard: intensities (40,) that an estimator hears, by file name.
        confidence: of an alignment below which a recording is left out.

    Raises:
        InvalidInput: no such corpus there.
    """
    folder = Path(folder)
    targets = []
    for name in corpora:
        planned = plan(name, Path(speech) / name, folder)
        if processes:
            prepare(planned, folder, processes)
        targets += _targets(_kept(planned, folder), heard or {}, confidence)
    return targets


# What is to be done.


def plan(name: str, speech: Path, folder: Path) -> Plan:
    """The groups of a corpus; matched voices and transcripts are kept in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    utterances = list(corpus(name, speech))
    whole = [utterance for utterance in utterances if utterance.whole]
    said = {utterance.path: utterance.text or "" for utterance in whole}
    odd = 0
    if not any(said.values()):
        from .crossvalidate import transcripts

        heard = transcripts(speech, folder)
        said = {path: heard.get(path.name, "").strip() for path in said}
        odd = _to_medoids(whole, said)
    left_out = {
        "cut off or damaged": len(utterances) - len(whole),
        "of other words than the script's other takes": odd,
        "without words": list(said.values()).count(""),
    }
    voices = matched_voices(name, whole, folder)
    groups = defaultdict(list)
    for utterance in whole:
        if text := said.get(utterance.path):
            voice = voices[utterance.speaker]
            groups[text, utterance.language, voice].append(utterance)
    return Plan(
        tuple(Group(name, *key, tuple(members)) for key, members in sorted(groups.items())),
        {reason: count for reason, count in left_out.items() if count},
    )


def _to_medoids(utterances: Sequence[Utterance], said: dict[Path, str]) -> int:
    """Sets each take's words to its script's medoid; removes, and counts, what says others.

    Recognisers mishear; the transcript to which a script's others are nearest is the likeliest to
    be what was to be said, and one reading then serves all of them.
    """
    from conditioning.whisper import word_errors

    scripts = defaultdict(list)
    for utterance in utterances:
        if said[utterance.path]:
            scripts[utterance.script].append(utterance.path)
    odd = 0
    for paths in scripts.values():
        texts = {path: said[path] for path in paths}
        medoid = min(texts.values(), key=lambda text: _differing(text, texts.values()))
        for path in paths:
            errors, words = word_errors(medoid, said[path])
            said[path] = medoid
            if errors > ODD_WORDS * words:
                del said[path]
                odd += 1
    return odd


def _differing(text: str, others: Iterable[str]) -> int:
    from conditioning.whisper import word_errors

    return sum(word_errors(text, other)[0] for other in others)


def matched_voices(name: str, utterances: Sequence[Utterance], folder: Path) -> dict[str, str]:
    """The voice of the cast by speaker: of the same gender, its neutral pitch the nearest.

    Kept in `folder`. The speakers of a synthetic corpus share a voice for each gender, because
    they share scripts too long to be read for each; where the gender is not stated, `DIVIDE`
    tells it.
    """
    place = folder / f"voices-{name}.json"
    voices = json.loads(place.read_text()) if place.is_file() else {}
    if {utterance.speaker for utterance in utterances} <= set(voices):
        return voices
    pitch, genders = {}, {}
    for speaker, takes in _neutral(utterances).items():
        heard = [functionals(measure(Audio.load(take.path))) for take in takes]
        median = float(np.nanmedian([row["f0_median_st"] for row in heard]))
        pitch[speaker] = REFERENCE * 2 ** (median / 12)
        genders[speaker] = takes[0].gender or "MF"[int(pitch[speaker] > DIVIDE)]
    if CORPORA[name].synthetic:
        shared = {
            gender: float(np.median([pitch[who] for who in pitch if genders[who] == gender]))
            for gender in set(genders.values())
        }
        pitch = {speaker: shared[genders[speaker]] for speaker in pitch}
    voices = {speaker: nearest_voice(pitch[speaker], genders[speaker]) for speaker in pitch}
    write_whole(place, json.dumps(voices, indent=1).encode())
    return voices


def nearest_voice(pitch: float, gender: str) -> str:
    """The voice of a gender, "F" or "M", whose pitch in Hz is nearest; none kept for evaluation."""
    voices = [voice for voice in cast() if voice.name not in NOT_MATCHED]
    voices = [voice for voice in voices if voice.gender[0] == gender.lower()]
    return min(voices, key=lambda voice: abs(math.log(voice.pitch / pitch))).name


def _neutral(utterances: Iterable[Utterance]) -> dict[str, list[Utterance]]:
    """Each speaker's neutral takes; all of them where there are none."""
    takes, calm = defaultdict(list), defaultdict(list)
    for utterance in utterances:
        takes[utterance.speaker].append(utterance)
        if not utterance.emotions:
            calm[utterance.speaker].append(utterance)
    return {speaker: calm.get(speaker, every) for speaker, every in takes.items()}


# Measuring.


def prepare(planned: Plan, folder: Path, processes: int = 2) -> None:
    """Aligns and measures the groups that `folder` lacks; each is kept as soon as it is done."""
    missing = [group for group in planned.groups if not (folder / group.file).is_file()]
    work = [(group, folder) for group in missing]
    if not work:
        return
    from tqdm import tqdm

    bar = tqdm(total=len(work), desc=f"targets of {missing[0].corpus}", unit="reading")
    if processes == 1:
        for item in work:
            _prepare_group(item)
            bar.update()
    else:
        with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
            for _ in pool.map(_prepare_group, work):
                bar.update()


def _prepare_group(work: tuple[Group, Path]) -> None:
    group, folder = work
    backbone, aligner = _tools()
    arrays = measure_group(group, backbone, aligner)
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    write_whole(folder / group.file, stream.getvalue())


@cache
def _tools() -> tuple[Remembering, Aligner]:
    import torch

    from . import align
    from .precision import HalfPrecision

    torch.set_num_threads(1)
    aligner = align.Aligner.load()
    aligner.backbone = Remembering(HalfPrecision(aligner.backbone))
    return aligner.backbone, aligner


class Remembering:
    """A backbone that speaks what it has just spoken only once: the aligner and the measurement
    need the same reading."""

    KEPT = 16

    def __init__(self, backbone: Backbone):
        self.backbone = backbone
        self._spoken: dict[tuple, Tensor] = {}

    def __getattr__(self, name: str):
        return getattr(self.backbone, name)

    def speak(self, reading: Reading, frames, f0, energy, style, seed: int = 0) -> Tensor:
        key = (
            reading.phrase.symbols,
            seed,
            *(t.float().numpy().tobytes() for t in (frames, f0, style)),
        )
        if key not in self._spoken:
            if len(self._spoken) >= self.KEPT:
                del self._spoken[next(iter(self._spoken))]
            self._spoken[key] = self.backbone.speak(reading, frames, f0, energy, style, seed)
        return self._spoken[key]


def measure_group(group: Group, backbone: Backbone, aligner: Aligner) -> dict[str, np.ndarray]:
    """Everything measured of a group, as it is stored.

    Of phrase p: symbols_p, spans_p (T - 2, 2), words_p (W, 4), states_p, style_p, frames_p,
    reading_p (T, M); of recording r: take_r_p (T, M), M as in `MEASURES`, absolute. `references`
    (1 + R, 4), as in `REFERENCES`, of the reading and of each recording; `confidence` (R,), nan
    where there is no alignment.
    """
    import torch

    from .pronounce import pronounce

    phrases = pronounce(group.text, group.language, accent_of(group.voice))
    arrays: dict[str, np.ndarray] = {}
    with torch.inference_mode():
        readings, frames, samples, curves = [], [], [], []
        for phrase in phrases:
            reading = backbone.read(phrase, backbone.style(group.voice, len(phrase.phonemes)))
            lasting = whole_frames(reading.durations)
            f0, energy = backbone.curves(reading, lasting)
            spoken = backbone.speak(reading, lasting, f0, energy, reading.style)
            readings.append(reading), frames.append(lasting)
            samples.append(spoken.numpy()), curves.append(f0.float().numpy())
    parts = zip(phrases, readings, frames, strict=True)
    for number, (phrase, reading, lasting) in enumerate(parts):
        arrays |= {
            f"symbols_{number}": np.array(phrase.symbols),
            f"spans_{number}": np.array([(item.start, item.end) for item in phrase.phonemes]),
            f"words_{number}": np.array(phrase.words).reshape(-1, 4),
            f"states_{number}": reading.states.numpy().astype(np.float16),
            f"style_{number}": reading.style.numpy(),
            f"frames_{number}": lasting.numpy(),
        }
    references, confidence = [], []
    spoken = Audio(np.concatenate(samples), backbone.sample_rate)
    # The reading is aligned to itself, so that what an aligner does it does to both.
    takes = [("reading", spoken)]
    takes += [(f"take_{take}", item.path) for take, item in enumerate(group.utterances)]
    for name, source in takes:
        audio = source if isinstance(source, Audio) else Audio.load(source)
        try:
            found = aligner.align(audio, phrases, group.voice)
        except InvalidInput:
            if name == "reading":
                raise
            references.append([math.nan] * len(REFERENCES)), confidence.append(math.nan)
            continue
        heard = measure(audio)
        if name == "reading":
            heard = replace(heard, f0=_as_asked(heard.f0, np.concatenate(curves)))
        times = [np.array([(item.start, item.end) for item in part]) for part in found.phrases]
        for number, rows in enumerate(by_phoneme(heard, phrases, times)):
            arrays[f"{name}_{number}"] = rows
        references.append(_references(heard)), confidence.append(found.confidence)
    return arrays | {"references": np.array(references), "confidence": np.array(confidence[1:])}


def _as_asked(f0: np.ndarray, curve: np.ndarray) -> np.ndarray:
    """The pitch (N,) that the backbone was asked for, where its speech has one.

    Contours are added to that curve; a voice that creaks at a phrase's end is heard far lower.
    """
    places = ((np.arange(len(f0)) + 0.5) * HOP / PITCH_FRAME).astype(int)
    asked = curve[np.minimum(places, len(curve) - 1)]
    return np.where(np.isnan(f0) | (asked < LOWEST), np.nan, asked)


def _references(prosody: Prosody) -> list[float]:
    found = functionals(prosody)
    return [found[name] for name in REFERENCES]


def by_phoneme(
    prosody: Prosody, phrases: Sequence[Phrase], times: Sequence[np.ndarray]
) -> list[np.ndarray]:
    """(T, M) for each phrase, M as in `MEASURES`, absolute; nan as in `Target`.

    Args:
        times: (T - 2, 2) of each phrase: when its phonemes start and end, in seconds.
    """
    semitones = prosody.semitones
    voiced = ~np.isnan(semitones)
    rows = [np.full((len(phrase.phonemes) + 2, len(MEASURES)), np.nan) for phrase in phrases]
    sounds = []  # (phrase, index, start, end) of all phrases
    for part, (phrase, when) in enumerate(zip(phrases, times, strict=True)):
        for index, members in _sounds(phrase):
            sounds.append((part, index, when[members, 0].min(), when[members, 1].max()))
    for part, index, start, end in sounds:
        inside = _frames(start, end, len(prosody))
        # Silence that an alignment counts to a sound is a pause still.
        silent = HOP * np.count_nonzero(~prosody.speech[inside])
        row = rows[part][index + 1]
        row[0] = max(end - start - silent, HOP)
        heard = prosody.level[inside][prosody.speech[inside]]
        if len(heard):
            # Of the energy: a boundary a frame too late counts a bit of silence, not 30 dB of it.
            row[3] = 10 * np.log10(np.mean(10 ** (heard / 10)))
        if np.count_nonzero(voiced[inside]) >= LEAST_VOICED:
            for column, curve in ((2, semitones), (4, prosody.tilt), (5, prosody.breath)):
                row[column] = np.median(curve[inside][voiced[inside]])
    for (part, index, start, end), following in zip(sounds, sounds[1:], strict=False):
        place = _pause_between(phrases[part], index, following[1] if following[0] == part else None)
        if place is not None:
            middles = (start + end) / 2, (following[2] + following[3]) / 2
            silent = ~prosody.speech[_frames(*middles, len(prosody))]
            rows[part][place + 1, 1] = HOP * np.count_nonzero(silent)
    return rows


def _frames(start: float, end: float, count: int) -> slice:
    """The frames whose middles are in this time; the nearest where none is."""
    first = min(max(math.ceil(start / HOP - 0.5), 0), count - 1)
    return slice(first, min(max(math.ceil(end / HOP - 0.5), first + 1), count))


def _sounds(phrase: Phrase) -> list[tuple[int, list[int]]]:
    """Index of each sound of a phrase with the indices of it and its marks."""
    from voice_actor.contours import carriers, is_sound

    held = defaultdict(list)
    for index, carrier in enumerate((carriers(phrase) - 1).tolist()[1:-1]):
        if phrase.phonemes[index].symbol.isalpha():  # marks are letters, unlike spaces and pauses
            held[carrier].append(index)
    return [(index, held[index]) for index in sorted(held) if is_sound(phrase.symbols[index])]


def _pause_between(phrase: Phrase, sound: int, following: int | None) -> int | None:
    """Index of the symbol that takes the pause after a sound; None within a word."""
    gap = range(sound + 1, len(phrase.symbols) if following is None else following)
    marks = [index for index in gap if phrase.symbols[index] in PAUSES]
    spaces = [index for index in gap if phrase.symbols[index] == " "]
    return next(iter(marks + spaces), None)


# What was stored, relative to who speaks.


def _kept(planned: Plan, folder: Path) -> list[tuple[Group, dict[str, np.ndarray]]]:
    kept = []
    for group in planned.groups:
        if (folder / group.file).is_file():
            with np.load(folder / group.file) as arrays:
                kept.append((group, dict(arrays)))
    return kept


def _targets(
    kept: Sequence[tuple[Group, Mapping]], heard: Mapping[str, np.ndarray], confidence: float
) -> list[Target]:
    speakers, voices = _middles(kept)
    targets = []
    for group, arrays in kept:
        phrases = _phrases(arrays)
        for take, utterance in enumerate(group.utterances):
            sure = float(arrays["confidence"][take])
            if not sure >= confidence:  # nan is no alignment
                continue
            away = [
                arrays[f"take_{take}_{part}"] - arrays[f"reading_{part}"]
                for part in range(len(phrases))
            ]
            neutral = speakers[utterance.speaker] - voices[group.voice]
            known = group.corpus not in NORMALISED
            level = neutral[1] if known else np.nanmean(np.concatenate(away)[:, 3])
            for part, phrase in enumerate(phrases):
                seconds = arrays[f"take_{take}_{part}"][:, 0] / arrays[f"reading_{part}"][:, 0]
                duration = np.log2(seconds)
                duration[np.abs(duration) > FARTHEST] = np.nan
                moved = away[part] - [0, 0, neutral[0], level, neutral[2], neutral[3]]
                columns = moved.T.astype(np.float32)
                columns[2, np.abs(columns[2]) > HIGHEST] = np.nan
                targets.append(
                    Target(
                        corpus=group.corpus,
                        path=utterance.path,
                        speaker=utterance.speaker,
                        label=utterance.label,
                        level=utterance.level,
                        script=utterance.script or group.text,
                        language=group.language,
                        part=part,
                        phrase=phrase,
                        voice=group.voice,
                        emotions=emotions(utterance, heard.get(utterance.path.name)),
                        states=arrays[f"states_{part}"],
                        style=arrays[f"style_{part}"],
                        frames=arrays[f"frames_{part}"],
                        duration=duration.astype(np.float32),
                        pause=columns[1],
                        f0=columns[2],
                        loudness=columns[3],
                        tilt=columns[4],
                        breath=columns[5],
                        level_known=known,
                        confidence=sure,
                    )
                )
    return sorted(targets, key=lambda target: (target.path, target.part))


def _middles(kept: Sequence[tuple[Group, Mapping]]):
    """Neutral of each speaker and of each voice, (4,) as in `REFERENCES`: medians over takes."""
    readings, takes, utterances = defaultdict(list), {}, []
    for group, arrays in kept:
        reading, *rows = arrays["references"]
        readings[group.voice].append(reading)
        utterances += group.utterances
        takes |= {take.path: row for take, row in zip(group.utterances, rows, strict=True)}
    speakers = {
        speaker: np.nanmedian([takes[take.path] for take in own], axis=0)
        for speaker, own in _neutral(utterances).items()
    }
    return speakers, {voice: np.median(rows, axis=0) for voice, rows in readings.items()}


def _phrases(arrays: Mapping[str, np.ndarray]) -> list[Phrase]:
    phrases = []
    while (part := len(phrases)) < sum(name.startswith("symbols_") for name in arrays):
        spans = arrays[f"spans_{part}"].tolist()
        symbols = str(arrays[f"symbols_{part}"])
        phonemes = [Phoneme(symbol, *span) for symbol, span in zip(symbols, spans, strict=True)]
        words = tuple(map(tuple, arrays[f"words_{part}"].tolist()))
        phrases.append(Phrase(tuple(phonemes), words))
    return phrases


def emotions(utterance: Utterance, heard: np.ndarray | None = None) -> np.ndarray:
    """Intensities (40,) of what is acted; all zero is neutral.

    The label says what is acted; how strongly is said by its level and, for `HEARD` of it, by what
    an estimator hears of these emotions.
    """
    strength = INTENSITIES.get(utterance.level or "", UNSTATED)
    acted = np.zeros(len(NAMES), np.float32)
    for name, share in utterance.emotions.items():
        acted[INDEX[name]] = share * strength
    if heard is not None:
        acted = np.where(acted > 0, (1 - HEARD) * acted + HEARD * heard, 0)
    return acted.astype(np.float32)


# The command.


def add_targets(commands) -> None:
    command = commands.add_parser(
        "targets", help="align acted speech and measure what actors do at each phoneme"
    )
    command.add_argument("--speech", required=True, metavar="FOLDER", help="of the corpora")
    command.add_argument("--corpora", required=True, nargs="+", metavar="NAME")
    command.add_argument("--cache", required=True, metavar="FOLDER", help="goes on where it was")
    command.add_argument("--processes", type=int, default=2, metavar="N")
    command.set_defaults(run=run_targets)


def run_targets(options: argparse.Namespace) -> None:
    folder = Path(options.cache)
    for name in options.corpora:
        planned = plan(name, Path(options.speech) / name, folder)
        prepare(planned, folder, options.processes)
        print(describe(name, planned, _targets(_kept(planned, folder), {}, 0.0)), flush=True)


def describe(name: str, planned: Plan, targets: Sequence[Target]) -> str:
    """A few lines for people."""
    takes = {target.path for target in targets}
    lines = [f"{name}: {len(takes)} recordings, {len(targets)} phrases"]
    lines += [f"  left out: {count} {reason}" for reason, count in planned.left_out.items()]
    lost = sum(len(group.utterances) for group in planned.groups) - len(takes)
    if lost:
        lines.append(f"  left out: {lost} without an alignment")
    for column in ("duration", "pause", "f0", "loudness", "tilt", "breath"):
        values = np.concatenate([getattr(target, column) for target in targets])
        values = values[np.isfinite(values)]
        if len(values):
            low, middle, high = np.percentile(values, [10, 50, 90])
            lines.append(f"  {column}: {len(values)} values, {low:.2f} / {middle:.2f} / {high:.2f}")
    return "\n".join(lines)
