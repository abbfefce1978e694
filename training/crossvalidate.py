"""What the estimator hears in voices, corpora and scripts that it has never met, as JSON lines.

python -m training crossvalidate --config training/configs/estimator.yaml -o runs/heard.jsonl
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch

from conditioning.files import write_whole
from conditioning.taxonomy import NAMES

from .corpora import CORPORA
from .data import EmotionData, Speech
from .modules import EstimatorModule, rows_of, solve_scores

FOLDS = 6
SEED = 0


def crossvalidate(model: dict, data: dict, epochs: int) -> Iterator[dict[str, Any]]:
    """One row for each recording, protocol and branch; see `heard`.

    Protocols: "speakers" (every acted corpus in six parts by speaker), "without <corpus>" (none of
    its labels learnt), "voice and script" (of synthetic acting, whose scripts are shared).

    Args:
        model, data: arguments of `EstimatorModule` and `EmotionData`.
        epochs: of each fit; there is no early stop, so that nothing is chosen on what is heard.
    """
    data = data | {"validation": 0}
    speech = EmotionData(**data).load()
    speakers, corpora = speech.field("speaker"), speech.field("corpus")
    acted = [name for name in data["corpora"] if not CORPORA[name].synthetic]
    parts: list[list[str]] = [[] for _ in range(FOLDS)]
    for name in acted:
        for place, speaker in enumerate(sorted(set(speakers[corpora == name]))):
            parts[place % FOLDS].append(speaker)
    for part in parts:
        listener = fit(model, data | {"held_out": part}, epochs, speech)
        yield from heard(listener, speech, np.isin(speakers, part), "speakers")
    for name in acted if len(acted) > 1 else []:
        listener = fit(model, data | {"without": [name]}, epochs, speech)
        yield from heard(listener, speech, corpora == name, f"without {name}")
    synthetic = np.flatnonzero((speech.speech == 1) & (speech.weight == 0))
    if len(synthetic):
        listener = fit(model, data, epochs, speech)
        scripts = np.array([condition(speech, row) for row in range(len(speakers))])
        for voice in sorted(set(speakers[synthetic])):
            for script in sorted(set(scripts[synthetic])):
                test = (speakers == voice) & (scripts == script)
                apart = synthetic[(speakers != voice)[synthetic] & (scripts != script)[synthetic]]
                if test.any() and len(apart):
                    solve_scores(listener, speech, apart)
                    yield from heard(listener, speech, test, "voice and script")


def condition(speech: Speech, row: int) -> str:
    """What tells apart the scripts of one category: the part of the key after its name."""
    utterance = speech.utterances[row]
    return (utterance.script or "").partition("|")[2] if utterance else ""


def fit(model: dict, data: dict, epochs: int, speech: Speech):
    """A listener fitted to everything but what `data` holds out."""
    lightning.seed_everything(SEED, verbose=False)
    module, held = EstimatorModule(**model), EmotionData(**data)
    held.use(speech)
    trainer = lightning.Trainer(
        accelerator="cpu",
        max_epochs=epochs,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(module, datamodule=held)
    return module.listener.eval()


def heard(listener, speech: Speech, which: np.ndarray, protocol: str) -> Iterator[dict[str, Any]]:
    """Rows of what both branches hear in some utterances, with what is known of them."""
    rows = np.flatnonzero(which)
    batch = rows_of(speech, rows)
    with torch.inference_mode():
        found = listener.both(batch["features"], batch["mean"], batch["std"])
        for mode, branch in found.items():
            intensities = listener.intensities(branch).tolist()
            classes = branch["classes"].softmax(1).tolist()
            places = listener.place(branch).tolist()
            for place, row in enumerate(rows):
                utterance = speech.utterances[row]
                valence, arousal, dominance = places[place]
                shares = dict(zip(speech.classes, classes[place], strict=True))
                yield {
                    "corpus": utterance.corpus,
                    "path": utterance.path.name,
                    "speaker": utterance.speaker,
                    "gender": utterance.gender,
                    "language": utterance.language,
                    "label": utterance.label,
                    "emotions": dict(utterance.emotions),
                    "level": utterance.level,
                    "script": utterance.script,
                    "protocol": protocol,
                    "mode": mode,
                    "intensities": intensities[place],
                    "evidence": branch["scores"][place].tolist(),
                    "valence": valence,
                    "arousal": arousal,
                    "dominance": dominance,
                    "neutral": shares["neutral"],
                    "classes": shares,
                    "strength": float(branch["strength"][place]),
                    "words": None,
                }


def add_words(rows: list[dict[str, Any]], transcripts: dict[str, str]) -> None:
    """Sets `words`: how a bag of words, fitted without the voice and the script, ranks each clip.

    Args:
        rows: of `crossvalidate`; only those of synthetic acting are given words.
        transcripts: of its clips, by file name.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    clips = {row["path"]: row for row in rows if row["protocol"] == "voice and script"}
    clips = {path: row for path, row in clips.items() if transcripts.get(path)}
    if not clips:
        return
    paths = sorted(clips)
    texts = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2))
    bags = texts.fit_transform(transcripts[path] for path in paths).toarray()
    target = np.array(
        [[clips[path]["emotions"].get(name, 0.0) for name in NAMES] for path in paths]
    )
    voices = np.array([clips[path]["speaker"] for path in paths])
    scripts = np.array([clips[path]["script"].partition("|")[2] for path in paths])
    scores = np.zeros_like(target)
    for voice in set(voices):
        for script in set(scripts):
            test = (voices == voice) & (scripts == script)
            apart = (voices != voice) & (scripts != script)
            inner = bags[apart] @ bags[apart].T + np.eye(apart.sum())
            centred = target[apart] - target[apart].mean(0)
            scores[test] = bags[test] @ bags[apart].T @ np.linalg.solve(inner, centred)
    by_path = dict(zip(paths, scores.tolist(), strict=True))
    for row in rows:
        if row["protocol"] == "voice and script":
            row["words"] = by_path.get(row["path"])


def transcripts(folder: Path, cache: Path) -> dict[str, str]:
    """Transcripts of a folder's recordings by file name, heard once and kept in `cache`."""
    place = cache / f"transcripts-{folder.name}.json"
    if not place.is_file():
        from tqdm import tqdm

        from conditioning.audio import Audio
        from conditioning.whisper import Whisper

        whisper, said = Whisper.load(), {}
        paths = sorted(path for path in folder.rglob("*.opus"))
        for start in tqdm(range(0, len(paths), 8), "transcripts"):
            some = paths[start : start + 8]
            texts = whisper.transcribe_many([Audio.load(path) for path in some])
            said |= {path.name: text for path, text in zip(some, texts, strict=True)}
        write_whole(place, json.dumps(said, indent=0).encode())
    return json.loads(place.read_text())
