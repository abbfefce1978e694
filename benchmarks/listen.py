"""How fast the estimators listen, on one thread: against real time and Whisper's own 30 s encoding.

python benchmarks/listen.py
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time

SECONDS, REPEATS = 5.0, 12


def measure(name: str) -> dict[str, float]:
    """Load time (s), share of real time and peak memory (MB) of an estimator, in this process."""
    import numpy as np
    import torch

    torch.set_num_threads(1)
    from conditioning.audio import Audio
    from conditioning.estimator import EmotionEstimator

    start = time.perf_counter()
    estimator = EmotionEstimator.load(name)
    loaded = time.perf_counter() - start
    rng = np.random.default_rng(0)
    count = round(SECONDS * 16000)
    swell = np.sin(np.arange(count) / 16000 * 4 * np.pi) ** 2
    clip = Audio((0.1 * swell * rng.standard_normal(count)).astype(np.float32), 16000)
    estimator.estimate(clip)
    best = min(timed(lambda: estimator.estimate(clip)) for _ in range(REPEATS))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    return {"load": loaded, "share": best / SECONDS, "memory": peak}


def filled() -> float:
    """Share of real time that Whisper's encoder takes for the same clip, filled to 30 s."""
    import numpy as np
    import torch

    torch.set_num_threads(1)
    from conditioning.whisper import Whisper

    whisper = Whisper.load()
    mel = torch.from_numpy(np.random.default_rng(0).standard_normal((1, 80, 3000), np.float32))
    with torch.inference_mode():
        whisper.network.model.encoder(mel)
        encode = lambda: whisper.network.model.encoder(mel)  # noqa: E731
        return min(timed(encode) for _ in range(3)) / SECONDS


def timed(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    if len(sys.argv) > 1:
        print(json.dumps(filled() if sys.argv[1] == "filled" else measure(sys.argv[1])))
        return
    run = [sys.executable, __file__]
    whole = json.loads(subprocess.run([*run, "filled"], capture_output=True, check=True).stdout)
    print(
        f"Whisper base's encoder, filled to 30 s: {whole:.3f} of real time (clips of {SECONDS} s)"
    )
    for name in ("standard", "permissive", "tiny"):
        found = subprocess.run([*run, name], capture_output=True, check=True)
        told = json.loads(found.stdout.splitlines()[-1])
        print(
            f"{name}: {told['share']:.4f} of real time, {told['share'] / whole:.3f} x that; "
            f"load {told['load']:.1f} s; peak memory {told['memory']:.0f} MB"
        )


if __name__ == "__main__":
    main()
