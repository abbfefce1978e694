"""Copies of a recording that keep its acting: in another voice, or poorly recorded."""

from __future__ import annotations

import io

import numpy as np

from conditioning.audio import Audio

COPIES = ("as it is", "larger speaker", "smaller speaker", "poor recording")


def copy(audio: Audio, kind: str, rng: np.random.Generator) -> Audio:
    """The recording changed as `kind`, one of `COPIES`, says; how much is drawn from `rng`."""
    samples = {
        "as it is": lambda: audio.samples,
        "larger speaker": lambda: _another_speaker(audio, 0.88, rng),
        "smaller speaker": lambda: _another_speaker(audio, 1.12, rng),
        "poor recording": lambda: _poor_recording(audio, rng),
    }[kind]()
    return Audio(np.asarray(samples, dtype=np.float32), audio.sample_rate)


def _another_speaker(audio: Audio, factor: float, rng: np.random.Generator) -> np.ndarray:
    """Played faster or slower, as a tape: pitch, formants and rate move together."""
    # In hundredths, since resampling by a ratio of large primes takes very long filters.
    step = audio.sample_rate // 100
    rate = step * round(100 / (factor * rng.uniform(0.97, 1.03)))
    return Audio(audio.samples, audio.sample_rate).resample(rate).samples


def _noise(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """White to red noise at 8 to 30 dB under the sound, sometimes through a tilted line."""
    count = len(samples)
    place = np.maximum(np.arange(count // 2 + 1), 1)
    spectrum = np.fft.rfft(rng.standard_normal(count)) / place ** rng.uniform(0, 1)
    noise = np.fft.irfft(spectrum, count)
    noise *= np.sqrt(np.square(samples).mean() / np.square(noise).mean())
    mixed = samples + noise * 10 ** (-rng.uniform(8, 30) / 20)
    if rng.random() < 0.5:
        tilt = rng.uniform(-9, 9) * np.linspace(-0.5, 1, count // 2 + 1)  # dB
        mixed = np.fft.irfft(np.fft.rfft(mixed) * 10 ** (tilt / 20), count)
    return mixed


def _poor_recording(audio: Audio, rng: np.random.Generator) -> np.ndarray:
    """Noise, then half of the time a low bit rate of MP3, of which half has nothing above 4 kHz."""
    audio = Audio(_noise(audio.samples, rng).astype(np.float32), audio.sample_rate)
    if rng.random() < 0.5:
        return audio.samples
    if rng.random() < 0.5:
        audio = audio.resample(8000).resample(audio.sample_rate)
    import soundfile

    stream = io.BytesIO()
    soundfile.write(
        stream,
        audio.samples * (0.9 / np.abs(audio.samples).max(initial=1e-9)),
        audio.sample_rate,
        format="MP3",
        subtype="MPEG_LAYER_III",
        bitrate_mode="CONSTANT",
        compression_level=rng.uniform(0.6, 0.95),
    )
    stream.seek(0)
    return soundfile.read(stream, dtype="float32")[0]
