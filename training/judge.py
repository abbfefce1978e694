"""Judges: who hears emotion only to evaluate it, taught by speech that nothing of ours acts from.

python -m training judge fit functionals -o checkpoints/judge-functionals.safetensors
python -m training judge honesty functionals

Both learn from RAVDESS and nEMO alone, which neither the speaking weights nor the estimator of the
search has met. `functionals` measures pitch, voice quality, cepstra and rhythm. `encoder` shares
Whisper base's encoder with that estimator, and block 3 of it, but no speech.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import multiprocessing
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import numpy as np

from conditioning import weights
from conditioning.audio import Audio
from conditioning.errors import InvalidInput, WeightsError, unknown_name
from conditioning.files import check_place, shown, write_whole
from conditioning.pooling import LEVEL, habits, ready
from conditioning.taxonomy import CATEGORIES, INDEX
from conditioning.whisper import RATE

from .corpora import Utterance, corpus
from .functionals import functionals, names
from .metrics import Measured, bootstrap, concordance, mean_known, recall

VERSION = 1  # of what is measured: a new one makes old files stale
EMOTIONS = ("anger", "happiness", "sadness", "fear", "disgust", "surprise", "calm", "neutral")
CATEGORY = {
    "anger": "Anger",
    "happiness": "Elation",
    "sadness": "Sadness",
    "fear": "Fear",
    "disgust": "Disgust",
    "surprise": "Astonishment/Surprise",
    "calm": "Contentment",
}
LEARNT = ("ravdess", "nemo")
MODES = ("alone", "against")
FOUR = ("anger", "happiness", "sadness", "neutral")

_HIGHEST = 7000.0  # Hz: above it, codecs and synthesis differ more than emotions do
_FLOOR = 45.0  # dB under the loud frames: what is quieter is the room, not the voice
_LIMIT = 4.0  # standard deviations: a feature beyond is clipped
_DIRECTIONS = 200  # principal ones in which a judge weighs what it hears
_PENALTY = 0.1  # of squared weights
_PART = 64  # recordings measured at a time; what an interrupted run loses


@dataclass(frozen=True, eq=False)
class Heard:
    """What a judge hears in N recordings.

    Attributes:
        log_probabilities: shape (N, 8), in the order of `EMOTIONS`.
        arousal, valence: shape (N,), in [-1, 1].
    """

    log_probabilities: np.ndarray
    arousal: np.ndarray
    valence: np.ndarray

    def intensity(self, emotion: str) -> np.ndarray:
        """How strongly an emotion is heard: its log odds against the seven others (N,).

        Raises:
            UnknownName: not one of `EMOTIONS`.
        """
        if emotion not in EMOTIONS:
            raise unknown_name("emotion", emotion, EMOTIONS)
        from scipy.special import logsumexp

        index = EMOTIONS.index(emotion)
        others = np.delete(self.log_probabilities, index, axis=1)
        return self.log_probabilities[:, index] - logsumexp(others, axis=1)

    @property
    def emotions(self) -> np.ndarray:
        """The likeliest emotion of each (N,)."""
        return np.array(EMOTIONS)[self.log_probabilities.argmax(1)]


@dataclass(frozen=True, eq=False)
class Judge:
    """A front end, D features, and linear weights in either mode.

    Attributes:
        name: one of `FRONTS`.
        sha256: of its file; of its weights, where it comes from `fit`.
        corpora: names of those that it learnt from.
        mean, std: shape (D,), of all voices.
        tables: mode -> shape (D + 1, 10): eight emotions, arousal, valence; the last row is added.
        recalls: mode -> recall of real actors not met before, with its interval (RAVDESS, all eight
            emotions); empty where that was not measured.
    """

    name: str
    sha256: str
    corpora: tuple[str, ...]
    mean: np.ndarray
    std: np.ndarray
    tables: dict[str, np.ndarray]
    recalls: dict[str, tuple[float, float, float]] = field(default_factory=dict)

    @classmethod
    def load(cls, name_or_file: str | os.PathLike) -> Judge:
        """One of `FRONTS` from the checkpoints, or a file that `save` wrote.

        Raises:
            UnknownName: neither.
            WeightsError: another file, or one made for other features or emotions.
        """
        from safetensors import SafetensorError, safe_open

        if str(name_or_file) in FRONTS:
            path = weights.path(f"judge-{name_or_file}")
        elif Path(name_or_file).is_file():
            path = Path(name_or_file)
        else:
            raise unknown_name("judge", str(name_or_file), FRONTS)
        try:
            with safe_open(path, "np") as file:
                described = json.loads((file.metadata() or {})["judge"])
                tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            name, corpora = described["name"], tuple(described["corpora"])
            recalls = described.pop("recalls")
            tables = {mode: tensors[mode] for mode in MODES}
            mean, std = tensors["mean"], tensors["std"]
        except (OSError, SafetensorError, KeyError, ValueError):
            raise WeightsError(
                f"{shown(path)} holds no judge; make one with `python -m training judge fit`."
            ) from None
        expected = _described(name, corpora) if name in FRONTS else None
        if described != expected or any(
            table.shape != (len(mean) + 1, len(EMOTIONS) + 2) for table in tables.values()
        ):
            raise WeightsError(
                f"{shown(path)} was made for other features or emotions than this version has; "
                "make it again with `python -m training judge fit`."
            )
        return cls(name, weights.hash_of(path), corpora, mean, std, tables, recalls)

    def save(self, path: str | os.PathLike) -> None:
        """Writes a file for `load`."""
        from safetensors.numpy import save

        tensors = {"mean": self.mean, "std": self.std, **self.tables}
        described = _described(self.name, self.corpora) | {"recalls": self.recalls}
        write_whole(path, save(tensors, {"judge": json.dumps(described)}))

    def features(self, audio: Audio) -> np.ndarray:
        """What the judge goes by (D,): gain and what lies above 7 kHz change nothing.

        Nan where a feature cannot be measured, as pitch in a whisper.

        Raises:
            InvalidInput: too little sound for a word.
        """
        measured = FRONTS[self.name](audio)
        if measured is None:
            raise InvalidInput("There is too little sound to judge; give at least 0.3 s of speech.")
        return measured

    def hear(
        self,
        features: np.ndarray,
        voices: Sequence[str],
        mode: str = "against",
        takes: Mapping[str, np.ndarray] | None = None,
    ) -> Heard:
        """What is heard in recordings of which `features` were taken.

        Args:
            features: (N, D).
            voices: who speaks in each, N of them.
            mode: "alone" measures against all voices of the training, each recording by itself;
                "against" measures each against all that are given of the same voice. These should
                be many, and in several emotions.
            takes: voice -> features (M, D) to measure against instead.

        Raises:
            UnknownName: no such mode.
            InvalidInput: another number of features or of voices.
        """
        features = np.asarray(features, np.float64)
        if features.ndim != 2 or features.shape[1] != len(self.mean):
            raise InvalidInput(
                f"Features of shape {features.shape}; the judge {self.name} hears "
                f"(N, {len(self.mean)}), as its `features` gives them."
            )
        if len(voices) != len(features):
            raise InvalidInput(
                f"{len(voices)} voices for {len(features)} recordings; name one for each."
            )
        table = _table(self, mode)
        standard = _standard(features, np.asarray(voices), mode, self.mean, self.std, takes)
        return _heard(standard, table)


def _table(judge: Judge, mode: str) -> np.ndarray:
    if mode not in MODES:
        raise unknown_name("mode", mode, MODES)
    return judge.tables[mode]


def _heard(standard: np.ndarray, table: np.ndarray) -> Heard:
    from scipy.special import log_softmax

    found = standard @ table[:-1] + table[-1]
    count = len(EMOTIONS)
    arousal, valence = np.clip(found[:, count:], -1, 1).T
    return Heard(log_softmax(found[:, :count], axis=1), arousal, valence)


def _described(name: str, corpora: Sequence[str]) -> dict:
    return {
        "name": name,
        "corpora": list(corpora),
        "emotions": list(EMOTIONS),
        "features": hashlib.sha256("\n".join(NAMES[name]()).encode()).hexdigest()[:16],
        "version": VERSION,
    }


def _standard(features, voices, mode, mean, std, takes=None) -> np.ndarray:
    """Features (N, D) in standard deviations from what is usual; what is nan is usual."""
    filled = np.where(np.isnan(features), mean, features)
    if mode == "alone":
        standard = (filled - mean) / std
    else:
        standard = np.empty_like(filled)
        for voice in sorted(set(voices)):
            mine = filled[voices == voice]
            known = mine if takes is None else np.asarray(takes[voice])
            usual, spread = habits(np.where(np.isnan(known), mean, known), mean, std)
            standard[voices == voice] = (mine - usual) / spread
    return np.clip(standard, -_LIMIT, _LIMIT)


# What is measured


class Encoder:
    """Frames of Whisper base's encoder: blocks 1 and 3; the product's estimators read 2 and 3."""

    layers = (1, 3)

    def __init__(self):
        import torch

        from conditioning.whisper import WhisperEncoder

        torch.set_num_threads(1)
        self._encoder = WhisperEncoder.load(max(self.layers))

    def __call__(self, audio: Audio) -> np.ndarray | None:
        """Mean and deviation over the frames with sound: block, then statistic, then channel."""
        sound = ready(audio)
        if sound is None:
            return None
        frames = self._encoder.encode(Audio(_heard_as(sound.samples), RATE), self.layers)
        heard = sound.heard[: frames.shape[1]]
        inside = frames[:, : len(heard)][:, heard]
        return np.stack([inside.mean(1), inside.std(1)], axis=1).ravel().astype(np.float32)

    @classmethod
    def names(cls) -> list[str]:
        return [
            f"whisper-base block {layer} {statistic} {channel}"
            for layer in cls.layers
            for statistic in ("mean", "deviation")
            for channel in range(512)
        ]


def _heard_as(samples: np.ndarray) -> np.ndarray:
    """Up to 7 kHz, over a faint noise that hides what each room and codec leaves of its own."""
    from scipy.signal import firwin, oaconvolve

    noisy = samples + np.resize(_noise(), len(samples)) * 10 ** ((LEVEL - _FLOOR) / 20)
    return oaconvolve(noisy, firwin(129, _HIGHEST, fs=RATE), mode="same").astype(np.float32)


@cache
def _noise() -> np.ndarray:
    """A minute of noise, always the same: flat up to 50 Hz, then 3 dB less an octave; power 1."""
    count = 60 * RATE
    hertz = np.fft.rfftfreq(count, 1 / RATE)
    white = np.fft.rfft(np.random.default_rng(0).standard_normal(count))
    noise = np.fft.irfft(white / np.sqrt(np.maximum(hertz, 50)))
    return noise / np.sqrt(np.square(noise).mean())


@cache
def _encoder() -> Encoder:
    return Encoder()


def _encoded(audio: Audio) -> np.ndarray | None:
    return _encoder()(audio)


def _measured(audio: Audio) -> np.ndarray | None:
    sound = ready(audio)
    if sound is None:
        return None
    return np.array(list(functionals(_heard_as(sound.samples)).values()), np.float32)


Front = Callable[[Audio], np.ndarray | None]
FRONTS: dict[str, Front] = {"functionals": _measured, "encoder": _encoded}
NAMES: dict[str, Callable[[], Sequence[str]]] = {"functionals": names, "encoder": Encoder.names}


def measure(name: str, paths: Sequence[Path], folder: str | Path, jobs: int = 2) -> np.ndarray:
    """Features (N, D) of recordings for the judge called `name`; all nan where there is no sound.

    What is measured is kept in `folder`, part by part, so that an interrupted run goes on.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    parts = [paths[start : start + _PART] for start in range(0, len(paths), _PART)]
    work = [(name, part, folder / _kept(name, part)) for part in parts]
    missing = [entry for entry in work if not entry[2].is_file()]
    if missing:
        from tqdm import tqdm

        with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
            list(tqdm(pool.map(_measure_part, missing), name, len(missing), unit="part"))
    return np.concatenate([np.load(place) for _, _, place in work])


def _kept(name: str, part: Sequence[Path]) -> str:
    known = "\n".join(f"{path.resolve()} {path.stat().st_size}" for path in part)
    digest = hashlib.sha256(f"{VERSION} {name}\n{known}".encode()).hexdigest()
    return f"judge-{name}-{digest[:20]}.npy"


def _measure_part(work: tuple[str, Sequence[Path], Path]) -> None:
    name, part, place = work
    nothing = np.full(len(NAMES[name]()), np.nan, np.float32)
    rows = [FRONTS[name](Audio.load(path)) for path in part]
    stream = io.BytesIO()
    np.save(stream, np.stack([nothing if row is None else row for row in rows]))
    write_whole(place, stream.getvalue())


# Learning


@dataclass(frozen=True, eq=False)
class Speech:
    """N acted recordings with their labels, each (N,) but for `features` (N, D) and `known` (N, 8).

    Attributes:
        emotion: number of the label in `EMOTIONS`.
        known: which emotions the corpus can tell apart.
        places: arousal and valence of the label (N, 2), nearer to neutral where the acting is weak.
    """

    features: np.ndarray
    emotion: np.ndarray
    speaker: np.ndarray
    corpus: np.ndarray
    known: np.ndarray
    places: np.ndarray

    def __getitem__(self, rows: np.ndarray) -> Speech:
        return Speech(**{name: values[rows] for name, values in vars(self).items()})


def speech(utterances: Sequence[Utterance], features: np.ndarray) -> Speech:
    """Those utterances of an emotion in `EMOTIONS` in which there is sound."""
    kept = [
        index
        for index, entry in enumerate(utterances)
        if entry.label in EMOTIONS and not np.isnan(features[index]).all()
    ]
    some = [utterances[index] for index in kept]
    emotion = np.array([EMOTIONS.index(entry.label) for entry in some])
    corpora = np.array([entry.corpus for entry in some])
    known = np.zeros((len(some), len(EMOTIONS)), bool)
    for name in set(corpora):
        known[np.ix_(corpora == name, sorted(set(emotion[corpora == name])))] = True
    return Speech(
        features=np.asarray(features[kept], np.float64),
        emotion=emotion,
        speaker=np.array([entry.speaker for entry in some]),
        corpus=corpora,
        known=known,
        places=np.array([_place(entry) for entry in some]),
    )


def _place(utterance: Utterance) -> tuple[float, float]:
    from .data import PLACE_OF  # which imports Lightning

    category = CATEGORY.get(utterance.label)
    if category is None:
        return 0.0, 0.0
    entry, share = CATEGORIES[INDEX[category]], PLACE_OF.get(utterance.level, 1.0)
    return entry.arousal * share, entry.valence * share


def fit(name: str, learnt: Speech) -> Judge:
    """A judge from speech that it may learn from.

    Logistic regression over the emotions that each corpus knows, and ridge regression of arousal
    and valence, in the principal directions of the features. Every emotion of a corpus counts
    alike, and a corpus as the square root of its size.
    """
    mean = np.nan_to_num(mean_known(learnt.features))
    std = np.sqrt(np.nan_to_num(mean_known((learnt.features - mean) ** 2)))
    std[std < 1e-6] = 1.0  # a feature that never changes, or that is never measured
    weight = np.zeros(len(learnt.emotion))
    for corpus_name in sorted(set(learnt.corpus)):
        inside = learnt.corpus == corpus_name
        present = sorted(set(learnt.emotion[inside]))
        for index in present:
            some = inside & (learnt.emotion == index)
            weight[some] = np.sqrt(inside.sum()) / (some.sum() * len(present))
    weight /= weight.sum()
    tables = {}
    for mode in MODES:
        standard = _standard(learnt.features, learnt.speaker, mode, mean, std)
        _, turned = np.linalg.eigh(standard.T @ standard)
        directions = turned[:, ::-1][:, :_DIRECTIONS]
        seen = np.c_[standard @ directions, np.ones(len(standard))]
        emotions = _logistic(seen, learnt.emotion, learnt.known, weight)
        places = _ridge(seen, learnt.places, weight)
        found = np.c_[emotions, places]
        tables[mode] = np.r_[directions @ found[:-1], found[-1:]].astype(np.float32)
    mean, std = mean.astype(np.float32), std.astype(np.float32)
    digest = hashlib.sha256(b"".join(part.tobytes() for part in (mean, std, *tables.values())))
    corpora = tuple(sorted(set(learnt.corpus.tolist())))
    return Judge(name, digest.hexdigest(), corpora, mean, std, tables)


def _logistic(seen: np.ndarray, emotion: np.ndarray, known: np.ndarray, weight: np.ndarray):
    """Weights (P + 1, 8) from what is seen (N, P + 1); unknown emotions are left out of a row."""
    from scipy.optimize import minimize
    from scipy.special import log_softmax

    rows, shape = np.arange(len(seen)), (seen.shape[1], len(EMOTIONS))
    masked = np.where(known, 0.0, -np.inf)
    target = np.zeros(known.shape)
    target[rows, emotion] = 1
    penalty = np.full((len(seen[0]), 1), _PENALTY)
    penalty[-1] = 0

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        table = flat.reshape(shape)
        log = log_softmax(seen @ table + masked, axis=1)
        slope = seen.T @ ((np.exp(log) - target) * weight[:, None]) + penalty * table
        value = (penalty * table**2).sum() / 2 - weight @ log[rows, emotion]
        return float(value), slope.ravel()

    found = minimize(loss, np.zeros(shape).ravel(), jac=True, method="L-BFGS-B")
    return found.x.reshape(shape)


def _ridge(seen: np.ndarray, places: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Weights (P + 1, 2)."""
    penalty = np.full(seen.shape[1], _PENALTY)
    penalty[-1] = 0
    weighted = seen * weight[:, None]
    return np.linalg.solve(seen.T @ weighted + np.diag(penalty), weighted.T @ places)


# Honesty


@dataclass(frozen=True)
class Row:
    """How well a judge hears one corpus in one mode.

    Attributes:
        recalls: emotion -> recall and number of clips.
        recall: unweighted, over `recalls`, with an interval by speaker.
        arousal, valence: concordance with the labels' places.
    """

    corpus: str
    mode: str
    recalls: dict[str, tuple[float, int]]
    recall: Measured
    arousal: float
    valence: float


def honesty(name: str, learnt: Speech, never: Speech, folds: int = 3) -> list[Row]:
    """How a judge hears speakers, and a corpus, that it has not met.

    Args:
        learnt: each fold keeps some speakers out of this.
        never: of a corpus that no judge learns from; heard by one that learnt from all of `learnt`.
    """
    rows = []
    heard = {mode: np.zeros((len(learnt.emotion), len(EMOTIONS) + 2)) for mode in MODES}
    speakers = {who: learnt.corpus[learnt.speaker == who][0] for who in set(learnt.speaker)}
    order = sorted(speakers, key=lambda who: (speakers[who], who))
    for fold in range(folds):
        out = np.isin(learnt.speaker, order[fold::folds])
        judge = fit(name, learnt[~out])
        for mode in MODES:
            heard[mode][out] = _columns(judge, learnt[out], mode)
    for corpus_name in sorted(set(learnt.corpus)):
        inside = learnt.corpus == corpus_name
        for mode in MODES:
            rows.append(_row(corpus_name, mode, learnt[inside], heard[mode][inside]))
    judge = fit(name, learnt)
    for mode in MODES:
        found = _columns(judge, never, mode)
        for emotions in (FOUR, [EMOTIONS[index] for index in sorted(set(never.emotion))]):
            kept = np.isin(never.emotion, [EMOTIONS.index(emotion) for emotion in emotions])
            title = f"{never.corpus[0]}, never met"
            rows.append(_row(title, mode, never[kept], found[kept]))
    return rows


def _columns(judge: Judge, some: Speech, mode: str) -> np.ndarray:
    heard = judge.hear(some.features, some.speaker, mode)
    return np.c_[heard.log_probabilities, heard.arousal, heard.valence]


def _row(title: str, mode: str, some: Speech, heard: np.ndarray) -> Row:
    present = sorted(set(some.emotion))
    guessed = np.array(present)[heard[:, present].argmax(1)]
    hits = {index: guessed[some.emotion == index] == index for index in present}
    return Row(
        corpus=title,
        mode=mode,
        recalls={EMOTIONS[index]: (float(hit.mean()), len(hit)) for index, hit in hits.items()},
        recall=bootstrap(
            lambda weight: recall(some.emotion, guessed, present, weight), some.speaker
        ),
        arousal=float(concordance(heard[:, -2], some.places[:, 0])),
        valence=float(concordance(heard[:, -1], some.places[:, 1])),
    )


def table_of(rows: Sequence[Row]) -> str:
    """A Markdown table: recall with its interval, then each emotion's with the number of clips."""
    header = ["corpus", "mode", "recall", *EMOTIONS, "arousal", "valence"]
    lines = [header, ["---"] * len(header)]
    for row in rows:
        each = [
            f"{row.recalls[name][0]:.2f} ({row.recalls[name][1]})" if name in row.recalls else "-"
            for name in EMOTIONS
        ]
        title = f"{row.corpus}, {len(row.recalls)} classes"
        places = [f"{row.arousal:.2f}", f"{row.valence:.2f}"]
        lines.append([title, row.mode, str(row.recall), *each, *places])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def gather(name: str, corpora: Sequence[str], options: argparse.Namespace) -> Speech:
    """The corpora's speech as the judge called `name` measures it."""
    utterances: list[Utterance] = []
    found = []
    for each in corpora:
        some = list(corpus(each, Path(options.speech) / each))
        utterances += some
        paths = [entry.path for entry in some]
        found.append(measure(name, paths, options.cache, options.jobs))
    return speech(utterances, np.concatenate(found))


def add_judge(commands) -> None:
    command = commands.add_parser("judge", help="train who hears emotion to evaluate, or test it")
    command.add_argument("what", choices=("fit", "honesty"), help="train, or hear held-out speech")
    command.add_argument("name", help=f"one of {', '.join(FRONTS)}")
    command.add_argument("--speech", default="../shared/data/speech", metavar="FOLDER")
    command.add_argument("--cache", default="runs/features", metavar="FOLDER")
    command.add_argument("--jobs", type=int, default=2, metavar="N", help="processes")
    command.add_argument("-o", "--out", metavar="FILE", help="of fit: the judge's weights")
    command.set_defaults(run=run_judge)


def run_judge(options: argparse.Namespace) -> None:
    if options.name not in FRONTS:
        raise unknown_name("judge", options.name, FRONTS)
    if (options.what == "fit") != bool(options.out):
        raise InvalidInput("-o FILE belongs to `judge fit`, which needs it, and to no other.")
    if options.what == "fit":
        check_place(options.out)
    learnt = gather(options.name, LEARNT, options)
    rows = honesty(options.name, learnt, gather(options.name, ("emodb",), options))
    print(table_of(rows))
    if options.what == "fit":
        recalls = {
            row.mode: (row.recall.value, row.recall.low, row.recall.high)
            for row in rows
            if row.corpus == "ravdess"
        }
        replace(fit(options.name, learnt), recalls=recalls).save(options.out)
        print(f"{options.out}: {Path(options.out).stat().st_size / 1e6:.2f} MB.")
