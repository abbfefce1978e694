"""Curves: whether a change of emotion inside a line is heard where it was asked, without a seam.

    python benchmarks/curves.py                       # about 6 minutes

Each line is spoken with one emotion before its middle and another after, and the other way round.
An estimator listens over time: what is compared is arousal in the last third against the first,
between the two orders, so that the words cancel out. The seam is the greatest step of loudness from
one 10 ms frame to the next within 0.15 s of the change, against the same place in the own reading.
"""

from __future__ import annotations

import argparse

import numpy as np

from conditioning import prosody
from conditioning.emotion import EmotionCurve, EmotionVector
from conditioning.estimator import EmotionEstimator
from voice_actor import VoiceActor
from voice_actor.performance import Performance

VOICES = ("af_bella", "am_michael", "bf_emma", "bm_george")
LINES = (
    "I went over to the window and I looked at the street, and then I came back to the table.",
    "He took the letter out of his pocket and gave it to me without saying another word.",
)
PAIRS = (("Contentment", "Anger"), ("Sadness", "Elation"), ("Emotional Numbness", "Fear"))
STRENGTH = 0.8
NEAR = 0.15  # seconds


def curve(before: str, after: str) -> EmotionCurve:
    first, last = (EmotionVector({name: STRENGTH}) for name in (before, after))
    return EmotionCurve(((0.0, first), (0.45, first), (0.55, last), (1.0, last)))


def step(performance: Performance, when: float) -> float:
    """The greatest step of loudness, in dB, about a moment."""
    level = prosody.measure(performance.audio).level
    level = np.maximum(level, level.max() - 40)  # pauses are no seams
    middle, reach = round(when / prosody.HOP), round(NEAR / prosody.HOP)
    return float(np.abs(np.diff(level[max(0, middle - reach) : middle + reach])).max())


def change_at(performance: Performance) -> float:
    """When the middle of the text is spoken, in seconds."""
    heard = 0
    for word in performance.words:
        heard += len(word.label) + 1
        if heard >= len(performance.text) / 2:
            return word.end
    raise AssertionError("a line has a middle")


def rise(performance: Performance, estimator: EmotionEstimator) -> float:
    """Arousal heard in the last third, less that in the first."""
    length = performance.audio.duration / 3
    first, _, last, *_ = estimator.estimate_over_time(performance.audio, length, length)
    return last.arousal - first.arousal  # a further window would be what rounding left


def main() -> None:
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    actor, estimator = VoiceActor.load(), EmotionEstimator.load("standard")
    differences, seams = [], []
    for voice in VOICES:
        for text in LINES:
            own = actor.perform(text, None, voice)
            plain = step(own, change_at(own))
            for calm, excited in PAIRS:
                up, down = (
                    actor.perform(text, curve(*pair), voice)
                    for pair in ((calm, excited), (excited, calm))
                )
                difference = rise(up, estimator) - rise(down, estimator)
                differences.append(difference)
                seams += [step(line, change_at(line)) - plain for line in (up, down)]
                print(f"{voice} {calm} / {excited}: arousal {difference:+.2f}", flush=True)
    heard = np.array([each for each in differences if np.isfinite(each)])
    print(
        f"the change is heard where it was asked in {np.sum(heard > 0)} of {len(heard)} pairs "
        f"(arousal {heard.mean():+.2f} on average; in {len(differences) - len(heard)} more a third "
        "held too little speech to tell); steps at the change exceed the own reading's by "
        f"{np.median(seams):+.1f} dB (90 % below {np.percentile(seams, 90):.1f})"
    )


if __name__ == "__main__":
    main()
