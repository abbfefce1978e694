"""Makes tests/data/kokoro_reference.npz: what the shipped int8 ONNX graph computes.

    python tests/kokoro_reference.py

Run again only when another export is pinned; needs onnx and onnxruntime.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

TARGET = Path(__file__).parent / "data" / "kokoro_reference.npz"
CASES = {
    "af_heart": "I cannot believe you actually did that, after all we talked about yesterday!",
    "am_michael": "Please leave the keys on the kitchen table before you go.",
    "bf_emma": "Why would anyone walk home alone in the middle of a storm?",
}
DURATIONS = "/encoder/Clip_output_0"
PITCH, ENERGY = "/encoder/F0_proj/Conv_output_0", "/encoder/N_proj/Conv_output_0"
BANDS, FFT, HOP = 40, 1024, 600


def log_mel(samples: np.ndarray, sample_rate: int = 24_000) -> np.ndarray:
    """Log energies (frames, 40) in triangular mel bands, 25 ms apart."""
    edges = 700 * (10 ** (np.linspace(0, 2595 * np.log10(1 + 8000 / 700), BANDS + 2) / 2595) - 1)
    bins = np.arange(FFT // 2 + 1) * sample_rate / FFT
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    filters = np.clip(np.minimum(rising, falling), 0, None)
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(samples, FFT // 2), FFT)[::HOP]
    power = np.abs(np.fft.rfft(windows * np.hanning(FFT))) ** 2
    return np.log(np.maximum(power @ filters.T, 1e-6))


def main() -> None:
    import onnx
    import onnxruntime

    from conditioning import weights
    from voice_actor.kokoro.backbone import KokoroBackbone
    from voice_actor.phonemes import phonemize
    from voice_actor.voices import accent_of

    parts = weights.in_wheels(weights.manifest()["kokoro-82m"].sources[0])
    model = onnx.load_from_string(b"".join(part.read_bytes() for part in parts))
    for name in (DURATIONS, PITCH, ENERGY):
        model.graph.output.append(onnx.ValueInfoProto(name=name))
    session = onnxruntime.InferenceSession(model.SerializeToString())
    backbone = KokoroBackbone.load()
    arrays = {}
    for voice, text in CASES.items():
        (phrase,) = phonemize(text, accent_of(voice))
        inputs = {
            "tokens": np.array([[0, *phrase.tokens, 0]]),
            "style": backbone.style(voice, len(phrase.tokens)).numpy()[None],
            "speed": np.ones(1, np.float32),
        }
        outputs = ["audio", DURATIONS, PITCH, ENERGY]
        audio, durations, pitch, energy = session.run(outputs, inputs)
        arrays[f"{voice}.tokens"] = np.array(phrase.tokens, np.uint8)
        arrays[f"{voice}.durations"] = durations.ravel().astype(np.int16)
        arrays[f"{voice}.f0"] = pitch.ravel().astype(np.float32)
        arrays[f"{voice}.energy"] = energy.ravel().astype(np.float32)
        arrays[f"{voice}.mel"] = log_mel(audio.ravel()).astype(np.float16)
    np.savez_compressed(TARGET, **arrays)
    print(f"{TARGET}: {TARGET.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
