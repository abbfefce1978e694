"""The face of a performance: ARKit's blendshapes over time, from the emotions and the phonemes.

The face shows the curve that the voice was directed by, and the mouth moves with the sounds that
were spoken, so that the two agree.
"""

from __future__ import annotations

import zlib
from functools import cache

import numpy as np

from conditioning.taxonomy import INDEX, find

from .mouth import FRAME_RATE, VISEMES, viseme_weights
from .performance import Performance

# ARKit's names (ARFaceAnchor.BlendShapeLocation), in the order of Live Link Face's files.
_HALVES = "Left", "Right"
BLENDSHAPES = tuple(
    f"{name}{half}"
    for half in _HALVES
    for name in "eyeBlink eyeLookDown eyeLookIn eyeLookOut eyeLookUp eyeSquint eyeWide".split()
) + tuple(
    """
    jawForward jawRight jawLeft jawOpen mouthClose mouthFunnel mouthPucker mouthRight mouthLeft
    mouthSmileLeft mouthSmileRight mouthFrownLeft mouthFrownRight mouthDimpleLeft mouthDimpleRight
    mouthStretchLeft mouthStretchRight mouthRollLower mouthRollUpper mouthShrugLower mouthShrugUpper
    mouthPressLeft mouthPressRight mouthLowerDownLeft mouthLowerDownRight mouthUpperUpLeft
    mouthUpperUpRight browDownLeft browDownRight browInnerUp browOuterUpLeft browOuterUpRight
    cheekPuff cheekSquintLeft cheekSquintRight noseSneerLeft noseSneerRight tongueOut
    """.split()
)
# What else Live Link Face writes of each frame; nobody turns their head here.
_ROTATIONS = tuple(
    f"{part}{angle}"
    for part in ("head", "leftEye", "rightEye")
    for angle in ("Yaw", "Pitch", "Roll")
)

# Action units of the Facial Action Coding System -> the blendshape that shows them. One that has
# two halves is both, or after an L the left alone.
_ACTION_UNITS = {
    "1": "browInnerUp",
    "2": "browOuterUp",
    "4": "browDown",
    "5": "eyeWide",
    "6": "cheekSquint",
    "7": "eyeSquint",
    "9": "noseSneer",
    "10": "mouthUpperUp",
    "12": "mouthSmile",
    "14": "mouthDimple",
    "15": "mouthFrown",
    "17": "mouthShrugLower",
    "20": "mouthStretch",
    "23": "mouthPress",
    "26": "jawOpen",
    "43": "eyeBlink",
    "63": "eyeLookUp",
    "64": "eyeLookDown",
}
# Which action units a full emotion shows. Happiness (elation), sadness, surprise, fear, anger,
# disgust and contempt are Ekman and Friesen's prototypes, pain is Prkachin's; the amounts, and all
# other rows, are our judgement.
_EXPRESSIONS = """
Amusement: 6=0.7 12=0.9
Elation: 6=0.8 12=1
Pleasure/Ecstasy: 6=0.6 12=0.7 43=0.5
Contentment: 6=0.3 12=0.5
Thankfulness/Gratitude: 1=0.3 6=0.4 12=0.5
Affection: 1=0.2 6=0.4 12=0.6
Infatuation: 1=0.3 5=0.2 12=0.6
Hope/Enthusiasm/Optimism: 1=0.4 2=0.4 12=0.5
Triumph: 4=0.2 6=0.5 12=0.8
Pride: 12=0.5 17=0.2 64=0.2
Interest: 1=0.4 2=0.4 5=0.2 12=0.2
Awe: 1=0.6 2=0.4 5=0.5 26=0.3
Astonishment/Surprise: 1=0.9 2=0.9 5=0.7 26=0.4
Concentration: 4=0.6 7=0.4 23=0.3
Contemplation: 4=0.3 63=0.4
Relief: 12=0.4 43=0.4
Longing: 1=0.5 15=0.2 63=0.3
Teasing: 2L=0.4 12=0.3 12L=0.4
Impatience and Irritability: 4=0.5 7=0.3 23=0.5
Sexual Lust: 12=0.4 43=0.3
Doubt: 2L=0.6 4=0.3 17=0.3
Fear: 1=0.8 2=0.5 4=0.5 5=0.8 7=0.3 20=0.6
Distress: 1=0.8 4=0.6 15=0.3 20=0.3
Confusion: 1=0.3 4=0.6 7=0.3
Embarrassment: 12=0.4 23=0.4 64=0.6
Shame: 1=0.4 15=0.4 43=0.2 64=0.7
Disappointment: 1=0.5 4=0.2 15=0.5
Sadness: 1=0.9 4=0.4 15=0.7 43=0.2
Bitterness: 4=0.4 10=0.2 15=0.4
Contempt: 12L=0.3 14L=0.7
Disgust: 4=0.3 9=0.8 10=0.6 15=0.3
Anger: 4=0.9 5=0.5 7=0.6 23=0.6
Malevolence/Malice: 4=0.7 7=0.5 12L=0.4
Sourness: 9=0.5 10=0.3 23=0.4
Pain: 4=0.8 6=0.5 7=0.7 20=0.3 43=0.4
Helplessness: 1=0.8 15=0.5
Fatigue/Exhaustion: 15=0.2 43=0.45
Emotional Numbness: 43=0.2
Intoxication/Altered States of Consciousness: 12=0.3 43=0.4
Jealousy & Envy: 4=0.5 7=0.4 15=0.3
"""
# What the mouth does in each viseme; our judgement.
_MOUTHS = """
sil:
PP: mouthPress=0.5 mouthRollLower=0.3 mouthRollUpper=0.2
FF: jawOpen=0.05 mouthRollLower=0.5 mouthUpperUp=0.2
TH: jawOpen=0.15 mouthLowerDown=0.2 tongueOut=0.3
DD: jawOpen=0.12 mouthLowerDown=0.2 mouthUpperUp=0.1
kk: jawOpen=0.15 mouthLowerDown=0.15
CH: jawOpen=0.1 mouthFunnel=0.5
SS: jawOpen=0.04 mouthStretch=0.3 mouthLowerDown=0.25
nn: jawOpen=0.12 mouthLowerDown=0.15
RR: jawOpen=0.12 mouthFunnel=0.3 mouthPucker=0.2
aa: jawOpen=0.6 mouthLowerDown=0.3 mouthUpperUp=0.15
E: jawOpen=0.35 mouthStretch=0.25
I: jawOpen=0.2 mouthStretch=0.35 mouthSmile=0.15
O: jawOpen=0.4 mouthFunnel=0.5 mouthPucker=0.2
U: jawOpen=0.15 mouthPucker=0.7 mouthFunnel=0.25
"""
_MOUTH_SHAPES = np.array([name.startswith(("mouth", "jaw")) for name in BLENDSHAPES])
SPEAKING = 0.5  # how much of an expression is left on a mouth that speaks
CHANGING = 0.4  # s; over so long the face takes on another expression
BLINK = 0.2  # s, from open to open
BLINKS = 2.0, 6.0  # s between two


def blendshapes(performance: Performance, rate: float = FRAME_RATE) -> np.ndarray:
    """How far each of `BLENDSHAPES` is moved at each frame: (N, 52), each in [0, 1]."""
    expressions, mouths = _tables()
    visemes = viseme_weights(performance, rate)
    times = np.arange(len(visemes)) / rate
    felt = performance.direction.curve.sample(performance.places(times))
    face = _smooth(felt, max(1, round(CHANGING * rate))) @ expressions
    silent = visemes[:, [VISEMES.index("sil")]]
    face[:, _MOUTH_SHAPES] *= SPEAKING + (1 - SPEAKING) * silent
    face[:, [BLENDSHAPES.index("jawOpen")]] *= silent  # the jaw is the speaker's while they speak
    face += visemes @ mouths
    closed = _blinks(performance, times)
    for half in _HALVES:
        lid = face[:, BLENDSHAPES.index(f"eyeBlink{half}")]
        np.maximum(lid, closed, out=lid)
    return np.clip(face, 0, 1)


def face_json(performance: Performance, rate: float = FRAME_RATE) -> dict:
    """The curves by name, ready for `json.dumps`; shapes that never move are left out."""
    curves = np.round(blendshapes(performance, rate), 3)
    return {
        "frameRate": rate,
        "frames": len(curves),
        "duration": round(performance.audio.duration, 4),
        "curves": {
            name: curve.tolist()
            for name, curve in zip(BLENDSHAPES, curves.T, strict=True)
            if curve.any()
        },
    }


def live_link_csv(performance: Performance, rate: int = FRAME_RATE) -> str:
    """A recording as Live Link Face writes one: a row a frame, with its timecode.

    61 columns of numbers: the blendshapes, and rotations of head and eyes, which are 0.
    """
    names = [name[0].upper() + name[1:] for name in (*BLENDSHAPES, *_ROTATIONS)]
    rows = [",".join(("Timecode", "BlendshapeCount", *names))]
    for number, frame in enumerate(blendshapes(performance, rate)):
        seconds, within = divmod(number, rate)
        clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}:{within:02}.000"
        numbers = [f"{value:.4f}" for value in (*frame, *np.zeros(len(_ROTATIONS)))]
        rows.append(",".join((clock, str(len(names)), *numbers)))
    return "\n".join(rows) + "\n"


@cache
def _tables() -> tuple[np.ndarray, np.ndarray]:
    """Blendshapes of each full emotion (40, 52), and of each viseme (15, 52)."""
    expressions = np.zeros((len(INDEX), len(BLENDSHAPES)))
    for name, parts in _rows(_EXPRESSIONS):
        for unit, amount in parts:
            one_side = unit.endswith("L")
            shape = _ACTION_UNITS[unit.removesuffix("L")]
            expressions[INDEX[find(name).name], _columns(shape, one_side)] += amount
    mouths = np.zeros((len(VISEMES), len(BLENDSHAPES)))
    for name, parts in _rows(_MOUTHS):
        for shape, amount in parts:
            mouths[VISEMES.index(name), _columns(shape)] = amount
    return expressions, mouths


def _rows(table: str):
    for line in table.strip().splitlines():
        name, _, parts = line.partition(":")
        pairs = (part.split("=") for part in parts.split())
        yield name, [(what, float(amount)) for what, amount in pairs]


def _columns(shape: str, one_side: bool = False) -> list[int]:
    if shape in BLENDSHAPES:
        return [BLENDSHAPES.index(shape)]
    return [BLENDSHAPES.index(f"{shape}{half}") for half in (_HALVES[:1] if one_side else _HALVES)]


def _smooth(curves: np.ndarray, width: int) -> np.ndarray:
    """Curves (N, C) under a Hann window of a width in frames; the ends go on as they are."""
    window = np.hanning(width + 2)[1:-1]
    window /= window.sum()
    padded = np.pad(curves, ((width // 2, width - 1 - width // 2), (0, 0)), mode="edge")
    return np.stack([np.convolve(curve, window, "valid") for curve in padded.T], axis=1)


def _blinks(performance: Performance, times: np.ndarray) -> np.ndarray:
    """How far the lids are closed (N,); the same performance always blinks alike."""
    chance = np.random.default_rng([performance.seed, zlib.crc32(performance.text.encode())])
    closed, at = np.zeros(len(times)), 0.0
    while (at := at + float(chance.uniform(*BLINKS))) < times[-1]:
        closed = np.maximum(closed, 1 - np.abs(times - at) / (BLINK / 2))
    return closed
