"""Words, quality, identity and pitch of what is spoken, measured: a row a line, then a summary.

    python benchmarks/quality.py --emotions none --voices 4 --sentences 40       # neutral
    python benchmarks/quality.py --emotions all --voices 4 --sentences 1         # all 40 at 0.8
    python benchmarks/quality.py --emotions ten --voices 4 --sentences 2         # a quick look

Rows are kept in --rows and not measured again, so that a run can be stopped and continued.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import torch
from instruments import Instruments, pitch_errors

from conditioning import taxonomy
from conditioning.audio import Audio
from conditioning.emotion import EmotionVector
from voice_actor import VoiceActor
from voice_actor.phonemes import phonemize
from voice_actor.voices import accent_of

SENTENCES = Path(__file__).with_name("sentences.txt").read_text().splitlines()
VOICES = ("af_heart", "am_michael", "bf_emma", "bm_george", "af_bella", "am_fenrir")
TEN = (
    "Anger", "Elation", "Sadness", "Fear", "Disgust", "Astonishment/Surprise", "Contentment",
    "Contempt", "Fatigue/Exhaustion", "Affection",
)  # fmt: skip


def lines(options: argparse.Namespace) -> Iterator[tuple[str | None, str, str]]:
    """(emotion, voice, sentence); the emotions go through the sentences in turn."""
    emotions = {"none": (None,), "ten": TEN, "all": taxonomy.NAMES}[options.emotions]
    voices = VOICES[: options.voices]
    for place, emotion in enumerate(emotions):
        for number, voice in enumerate(voices):
            for turn in range(options.sentences):
                index = place * options.sentences * len(voices) + number * options.sentences + turn
                yield emotion, voice, SENTENCES[index % len(SENTENCES)]


def speak(actor: VoiceActor, text: str, voice: str, vector: EmotionVector, seed: int = 0):
    """Marked audio of a single phrase, and the pitch curve (P,) that was asked of the backbone."""
    (phrase,) = phonemize(text, accent_of(voice))
    emotions = torch.tensor([vector.to_list()] * (len(phrase.phonemes) + 2))
    with torch.inference_mode():
        plan = actor.plan(phrase, emotions, voice, seed)
        samples = actor.render(plan).numpy()
    audio = actor.watermarker.mark(Audio(samples, actor.backbone.sample_rate))
    return audio, plan.f0.numpy()


@cache
def neutral_speaker(actor: VoiceActor, instruments: Instruments, text: str, voice: str):
    """The speaker vector (256,) of the neutral reading."""
    return instruments.speaker(speak(actor, text, voice, EmotionVector())[0])


def measure(
    actor: VoiceActor,
    instruments: Instruments,
    emotion: str | None,
    voice: str,
    text: str,
    intensity: float,
) -> dict:
    vector = EmotionVector({emotion: intensity} if emotion else {})
    audio, asked = speak(actor, text, voice, vector)
    errors, words, heard = instruments.words(audio, text)
    level, spread = pitch_errors(audio, asked)
    neutral = neutral_speaker(actor, instruments, text, voice)
    cosine = float(instruments.speaker(audio) @ neutral)
    return {
        "emotion": emotion,
        "intensity": intensity if emotion else 0.0,
        "voice": voice,
        "text": text,
        "heard": heard,
        "errors": errors,
        "words": words,
        "dnsmos": instruments.dnsmos(audio),
        "cosine": cosine,
        "level_error": level,
        "range_error": spread,
    }


def summary(rows: list[dict], title: str) -> str:
    total = sum(row["errors"] for row in rows) / sum(row["words"] for row in rows)
    level = np.median(np.abs([row["level_error"] for row in rows]))
    spread = np.median(np.abs([row["range_error"] for row in rows]))
    return (
        f"{title:46} n {len(rows):4}  WER {100 * total:5.1f} %  "
        f"DNSMOS {np.mean([row['dnsmos'] for row in rows]):.2f}  "
        f"cosine {np.mean([row['cosine'] for row in rows]):.3f}  "
        f"F0 error: level {level:.2f} st, range {spread:.2f} st"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--emotions", choices=("none", "ten", "all"), default="ten")
    parser.add_argument("--voices", type=int, default=4, help=f"how many of {', '.join(VOICES)}")
    parser.add_argument("--sentences", type=int, default=1, help="per emotion and voice")
    parser.add_argument("--intensity", type=float, default=0.8)
    parser.add_argument("--rows", type=Path, default=Path("quality.jsonl"))
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    known = {}
    if options.rows.exists():
        for row in map(json.loads, options.rows.read_text().splitlines()):
            known[row["emotion"], row["voice"], row["text"], row["intensity"]] = row
    actor, instruments, rows = VoiceActor.load(), Instruments(), []
    with open(options.rows, "a", buffering=1) as out:
        for emotion, voice, text in lines(options):
            key = emotion, voice, text, options.intensity if emotion else 0.0
            if key not in known:
                known[key] = measure(actor, instruments, emotion, voice, text, options.intensity)
                out.write(json.dumps(known[key], ensure_ascii=False) + "\n")
            rows.append(known[key])
    for emotion in dict.fromkeys(row["emotion"] for row in rows):
        print(summary([row for row in rows if row["emotion"] == emotion], emotion or "neutral"))
    print(summary(rows, "all of them"))


if __name__ == "__main__":
    main()
