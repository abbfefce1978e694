"""Pooled features of a corpus and of its augmented copies, measured once and kept."""

from __future__ import annotations

import hashlib
import io
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np

from conditioning.audio import Audio
from conditioning.files import write_whole

from .augment import copy

VERSION = 1  # of what is measured: a new one makes old files stale
_PART = 64  # recordings a process takes at once; what an interrupted run loses


def features(
    paths: Sequence[Path], kinds: Sequence[str], folder: str | Path, jobs: int = 2
) -> np.ndarray:
    """Pooled features of recordings: shape (N, C, D), float32; nan where there is no sound.

    N recordings, C copies (`augment.COPIES`), D features of `conditioning.pooling.WhisperFront`:
    each one's mean over the recording, then each one's standard deviation. What is measured is
    kept in `folder`, part by part, so that an interrupted run goes on where it stopped.

    Args:
        jobs: processes, one thread each.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    parts = [paths[start : start + _PART] for start in range(0, len(paths), _PART)]
    wanted = [(part, kind, folder / _name(part, kind)) for kind in kinds for part in parts]
    missing = [entry for entry in wanted if not entry[2].is_file()]
    if missing:
        from tqdm import tqdm

        with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
            list(tqdm(pool.map(_measure_part, missing), "features", len(missing), unit="part"))
    columns = [
        np.concatenate([np.load(place) for _, of, place in wanted if of == kind]) for kind in kinds
    ]
    return np.stack(columns, axis=1)


def measure(audio: Audio) -> np.ndarray | None:
    """Pooled features (D,) of a recording as the estimator hears it; None without sound."""
    from conditioning.pooling import pool, ready

    sound = ready(audio)
    if sound is None:
        return None
    return next(pool(_front(), sound, [(0, len(sound.heard))]))


@cache
def _front():
    import torch

    from conditioning.pooling import WhisperFront

    torch.set_num_threads(1)
    return WhisperFront()


def _name(part: Sequence[Path], kind: str) -> str:
    known = "\n".join(f"{path.resolve()} {path.stat().st_size}" for path in part)
    digest = hashlib.sha256(f"{VERSION} {kind}\n{known}".encode()).hexdigest()
    return f"{digest[:20]}.npy"


def seeded(path: Path, kind: str) -> np.random.Generator:
    """What a recording's copy is drawn from: the same wherever it is made."""
    seed = hashlib.sha256(f"{path.name} {kind}".encode()).digest()[:8]
    return np.random.default_rng(int.from_bytes(seed))


def _measure_part(work: tuple[Sequence[Path], str, Path]) -> None:
    part, kind, place = work
    rows = []
    for path in part:
        rows.append(measure(copy(Audio.load(path), kind, seeded(path, kind))))
    from conditioning.pooling import WhisperFront

    nothing = np.full(2 * WhisperFront.width, np.nan, np.float32)
    stream = io.BytesIO()
    np.save(stream, np.stack([nothing if row is None else row for row in rows]))
    write_whole(place, stream.getvalue())


def nonspeech_features(count: int, folder: str | Path) -> np.ndarray:
    """Pooled features (N, D) of `count` generated sounds that are not speech, kept in `folder`."""
    from .nonspeech import sounds

    place = Path(folder) / f"nonspeech-{VERSION}-{count}.npy"
    if not place.is_file():
        rows = [row for row in map(measure, sounds(count)) if row is not None]
        stream = io.BytesIO()
        np.save(stream, np.stack(rows))
        write_whole(place, stream.getvalue())
    return np.load(place)
