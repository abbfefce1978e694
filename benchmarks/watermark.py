"""How often the watermark is found after what happens to audio files, on a folder of speech.

    python benchmarks/watermark.py FOLDER [--clips 40]

Prints a table: condition, share of marked clips found, lowest confidence, and, for clips that were
never marked, the share found all the same and the highest confidence.
"""

from __future__ import annotations

import argparse
import io
import random
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

from conditioning.audio import Audio
from voice_actor.provenance import RATE, THRESHOLD, Watermarker

HEADROOM = -3.0  # dB of full scale, the peak of each clip before it is marked


def coded(container: str, encoding: str, level: float | None = None, mode: str | None = None):
    """Written by a codec and read again; `level` is libsndfile's from 0 (best) to 1 (smallest)."""

    def condition(audio: Audio) -> Audio:
        peak = np.abs(audio.samples).max()
        samples = audio.samples / max(peak, 1)
        file = io.BytesIO()
        with soundfile.SoundFile(
            file,
            "w",
            audio.sample_rate,
            channels=1,
            format=container,
            subtype=encoding,
            compression_level=level,
            bitrate_mode=mode,
        ) as sound:
            sound.write(samples)
        return Audio.load(io.BytesIO(file.getvalue()))

    return condition


def mp3(kilobits: int):
    # Layer III at 24 kHz: 8 to 160 kbit/s, spread evenly over the level.
    return coded("MP3", "MPEG_LAYER_III", (160 - kilobits) / (160 - 8), "CONSTANT")


def crop(seconds: float):
    """The loudest stretch of that length: a cut made in a pause has nothing to carry the mark."""

    def condition(audio: Audio) -> Audio:
        length = round(seconds * audio.sample_rate)
        if length >= len(audio.samples):
            return audio
        energy = np.concatenate([[0], np.cumsum(audio.samples.astype(np.float64) ** 2)])
        start = int(np.argmax(energy[length:] - energy[:-length]))
        return Audio(audio.samples[start : start + length], audio.sample_rate)

    return condition


def noise(decibels: float):
    """White noise that far below the speech."""

    def condition(audio: Audio) -> Audio:
        generator = np.random.default_rng(0)
        level = 10 ** ((audio.rms_db - decibels) / 20)
        added = generator.normal(0, level, len(audio.samples))
        return Audio(audio.samples + added, audio.sample_rate)

    return condition


def faster(factor: float):
    """Played faster, and so higher."""

    def condition(audio: Audio) -> Audio:
        stretched = Audio(audio.samples, round(audio.sample_rate * factor / 100) * 100)
        return stretched.resample(audio.sample_rate)

    return condition


CONDITIONS: dict[str, Callable[[Audio], Audio]] = {
    "as marked": lambda audio: audio,
    "WAV 16 bit": coded("WAV", "PCM_16"),
    "FLAC": coded("FLAC", "PCM_16"),
    "MP3 96 kbit/s": mp3(96),
    "MP3 64 kbit/s": mp3(64),
    "MP3 32 kbit/s": mp3(32),
    "Vorbis 66 kbit/s": coded("OGG", "VORBIS", 0.4),
    "Opus 58 kbit/s": coded("OGG", "OPUS", 0.8),
    "Opus 32 kbit/s": coded("OGG", "OPUS", 0.9),
    "Opus 14 kbit/s": coded("OGG", "OPUS", 0.97),
    "16 kHz": lambda audio: audio.resample(16000),
    "48 kHz": lambda audio: audio.resample(48000),
    "44.1 kHz and MP3": lambda audio: coded("MP3", "MPEG_LAYER_III")(audio.resample(44100)),
    "8 kHz": lambda audio: audio.resample(8000),
    "gain 0.3": lambda audio: Audio(audio.samples * 0.3, audio.sample_rate),
    "gain 0.03": lambda audio: Audio(audio.samples * 0.03, audio.sample_rate),
    "polarity": lambda audio: Audio(-audio.samples, audio.sample_rate),
    "crop 1.5 s": crop(1.5),
    "crop 1.0 s": crop(1.0),
    "crop 0.5 s": crop(0.5),
    "noise 30 dB below": noise(30),
    "noise 20 dB below": noise(20),
    "2 % faster": faster(1.02),
    "5 % faster": faster(1.05),
}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="speech that carries no mark")
    parser.add_argument("--clips", type=int, default=40, help="how many to draw (default 40)")
    parser.add_argument("--weights", type=Path, help="Perth's checkpoint (default: as installed)")
    options = parser.parse_args(arguments)
    kinds = (".wav", ".flac", ".ogg", ".opus", ".mp3")
    paths = sorted(p for p in options.folder.rglob("*") if p.suffix.lower() in kinds)
    if not paths:
        sys.exit(f"There is no audio in {options.folder}; name a folder of speech.")
    paths = random.Random(0).sample(paths, min(options.clips, len(paths)))
    watermarker = Watermarker.load(options.weights)

    clips = []
    for path in paths:
        clip = Audio.load(path).resample(RATE)
        if clip.rms_db > -60:  # a silent clip has nothing to carry the mark
            clips.append(clip.gain(HEADROOM - clip.peak_db))
    marked = [watermarker.mark(clip) for clip in clips]
    below = [
        10 * np.log10(np.sum(a.samples**2) / np.sum((b.samples - a.samples) ** 2))
        for a, b in zip(clips, marked, strict=True)
    ]
    print(
        f"{len(clips)} clips; the mark lies {np.median(below):.1f} dB below the speech (median)\n"
    )
    print("| condition | found | lowest | unmarked found | highest |")
    print("|---|---|---|---|---|")
    for name, condition in CONDITIONS.items():
        found = np.array([watermarker.detect(condition(clip)) for clip in marked])
        false = np.array([watermarker.detect(condition(clip)) for clip in clips])
        print(
            f"| {name} | {np.mean(found >= THRESHOLD):.1%} | {found.min():.2f} "
            f"| {np.mean(false >= THRESHOLD):.1%} | {false.max():.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
