"""Sound that is not speech, made from formulas: what the estimator learns to say "no speech" to.

Made, not recorded, so that no recording's licence comes with it. Digital silence is not among it:
that has no level to normalise, and nothing to learn from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from conditioning.audio import Audio
from conditioning.errors import unknown_name

SECONDS = (0.5, 8.0)  # lengths, uniform in their logarithm
PEAK_DB = (-30.0, -1.0)  # dB relative to full scale
IN_ROOM = 0.4  # share of the sounds that are heard with a room's reverberation

# Telephone keys are a row's and a column's tone together (ITU-T Q.23); dial, ringing and busy tones
# are these pairs in Europe (ITU-T E.180) and in North America. Hz.
_ROWS, _COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
_LINE = ((425, 425), (350, 440), (440, 480), (480, 620))
# A church bell's partials from hum to superoctave, relative to the hum: half its strike note, and
# a minor third (T. D. Rossing, Science of Percussion Instruments, 2000).
_BELL = np.array([1, 2, 2.4, 3, 4, 5, 5.33, 6, 8])
_SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 4, 7, 9), (0, 3, 5, 6, 7, 10))

Play = Callable[[float | np.ndarray, float], np.ndarray]  # (Hz, s) -> samples


def sounds(
    count: int, seed: int = 0, rate: int = 16000, kinds: Sequence[str] | None = None
) -> Iterator[Audio]:
    """Varied non-speech of 0.5 to 8 s; the same for the same arguments.

    Args:
        count: how many; number i is of the kind `kinds[i % len(kinds)]`.
        rate: Hz.
        kinds: names in `KINDS`; all by default.

    Raises:
        UnknownName: a kind that is not in `KINDS`.
    """
    kinds = list(KINDS if kinds is None else kinds)
    for kind in kinds:
        if kind not in KINDS:
            raise unknown_name("kind of sound", kind, KINDS)
    for index in range(count):
        turn, place = divmod(index, len(kinds))
        kind = kinds[place]
        # Seeded by name, so that a kind that is added or held out leaves the others as they were.
        rng = np.random.default_rng([seed, turn, *kind.encode()])
        samples = KINDS[kind](rng, _log(rng, *SECONDS), rate)
        if rng.random() < IN_ROOM:
            samples = _in_room(rng, samples, rate)
        peak = 10 ** (rng.uniform(*PEAK_DB) / 20)
        yield Audio((samples * (peak / np.abs(samples).max())).astype(np.float32), rate)


def _log(rng, low, high):
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _time(seconds, rate):
    return np.arange(max(round(seconds * rate), 1)) / rate


def _decay(seconds, rate, t60):
    return 10 ** (-3 * _time(seconds, rate) / t60)


def _noise(rng, seconds, rate, tilt=0.0, low=20.0, high=np.inf):
    """Noise of deviation 1, falling by `tilt` dB an octave from `low` to `high` Hz, more outside.

    White is 0, pink 3, brown 6, blue -3.
    """
    from scipy.fft import next_fast_len

    count = len(_time(seconds, rate))
    fast = next_fast_len(count, real=True)
    hertz = np.maximum(np.fft.rfftfreq(fast, 1 / rate), 1.0)
    shape = hertz ** (-tilt / 6.02) / np.hypot(1, (low / hertz) ** 2)
    shape /= np.hypot(1, (hertz / high) ** 2)
    x = np.fft.irfft(shape * np.fft.rfft(rng.standard_normal(fast)), fast)[:count]
    return x / max(x.std(), 1e-9)


def _wander(rng, seconds, rate, hertz, low=0.0, high=1.0):
    """A curve through `hertz` new random values from `low` to `high` a second."""
    points = rng.uniform(low, high, int(seconds * hertz) + 3)
    return np.interp(_time(seconds, rate) * hertz, np.arange(len(points)), points)


def _wave(hertz, strengths, rate):
    """Harmonics of a frequency curve, shape (T,), Hz; those above half the rate are left out."""
    order = np.arange(1, len(strengths) + 1)
    spectrum = np.zeros(1025, complex)
    spectrum[order] = -1024j * np.where(order * np.max(hertz) < 0.47 * rate, strengths, 0)
    table = np.fft.irfft(spectrum)
    phase = np.cumsum(hertz) / rate % 1
    return np.interp(phase, np.linspace(0, 1, 2049), np.append(table, table[0]))


def _held(hertz, seconds, rate, strengths=(1.0,)):
    return _wave(np.full(len(_time(seconds, rate)), float(hertz)), strengths, rate)


def _resonate(x, rate, hertz, sharpness):
    from scipy.signal import iirpeak, lfilter

    return lfilter(*iirpeak(min(hertz, 0.45 * rate), sharpness, rate), x)


def _in_room(rng, x, rate):
    """With a tail of decaying noise for the room (J. A. Moorer 1979, Computer Music J. 3(2))."""
    from scipy.signal import fftconvolve

    t60 = _log(rng, 0.2, 2.5)
    tail = _noise(rng, t60, rate, 3) * _decay(t60, rate, t60)
    tail *= rng.uniform(0.1, 1) / np.sqrt(np.sum(tail**2))
    tail[0] = 1
    return fftconvolve(x, tail)[: len(x)]


def _fade(x, rate, attack=0.005, release=0.01):
    """Without clicks at the ends, by ramps of `attack` and `release` s."""
    time = np.arange(len(x)) / rate
    return x * np.minimum(1, np.minimum((time + 1 / rate) / attack, time[::-1] / release))


def _placed(seconds, rate, events):
    """The sum of `(start in s, samples)`; what hangs over the end is cut."""
    out = np.zeros(len(_time(seconds, rate)))
    for start, x in events:
        part = out[int(start * rate) :]
        part[: len(x)] += x[: len(part)]
    return out


def _starts(rng, seconds, every, unevenness=0.0):
    """From 0 on, about `every` s: 0 is a clock, 1 and more an irregular sequence."""
    steps = every * np.exp(unevenness * rng.standard_normal(int(seconds / every) + 1))
    return [0.0, *(start for start in np.cumsum(steps) if start < seconds)]


def _ring(rng, rate, hertz, ratios, t60):
    """A struck body's partials, the higher the sooner gone; `t60` in s, of the first."""
    time = _time(t60, rate)
    x = np.sin(2 * np.pi * hertz * time) * _decay(t60, rate, t60)
    for ratio in ratios[hertz * ratios < 0.47 * rate]:
        x += (
            rng.uniform(0, 2)
            * np.sin(2 * np.pi * hertz * ratio * time)
            * _decay(t60, rate, t60 / ratio)
        )
    return x


def _steady(rng, seconds, rate):
    low = _log(rng, 20, 2000)
    return _noise(rng, seconds, rate, rng.uniform(-3, 9), low, low * _log(rng, 3, 100))


def _wind(rng, seconds, rate):
    x = 0.3 * _noise(rng, seconds, rate, 6)
    for centre in (_log(rng, 100, 300), _log(rng, 300, 700), _log(rng, 700, 1600)):
        gust = _wander(rng, seconds, rate, rng.uniform(0.3, 3)) ** 2
        x += gust * _noise(rng, seconds, rate, 0, centre * 0.8, centre * 1.25) * 200 / centre
    return x


def _sea(rng, seconds, rate):
    swell = np.sin(np.pi * (_time(seconds, rate) / rng.uniform(3, 9) + rng.random())) ** 2
    return (0.1 + swell) * _noise(rng, seconds, rate, rng.uniform(1, 5), 100, 4000)


def _crackle(rng, seconds, rate):
    """Clicks of very unequal size: fire, vinyl, and, where dense, rain on a roof."""
    click = _noise(rng, 0.03, rate, rng.uniform(-3, 3), 500) * _decay(
        0.03, rate, _log(rng, 0.002, 0.03)
    )
    starts = _starts(rng, seconds, 1 / _log(rng, 3, 400), 1)
    hiss = _log(rng, 0.01, 1) * _noise(rng, seconds, rate, 3, 300)
    return hiss + _placed(seconds, rate, ((at, click * rng.lognormal()) for at in starts))


def _hum(rng, seconds, rate):
    strengths = rng.random(40) * np.arange(1, 41) ** -rng.uniform(0.5, 2)
    strengths[::2] *= rng.random()  # a rectifier doubles the mains frequency
    x = _held(rng.choice([50, 60]), seconds, rate, strengths)
    return x / x.std() + _log(rng, 0.003, 0.5) * _noise(rng, seconds, rate, 3)


def _fan(rng, seconds, rate):
    blades = _log(rng, 15, 300) * _wander(rng, seconds, rate, 0.7, 0.97, 1.03)
    whirr = _wave(blades, rng.random(12) / np.arange(1, 13), rate)
    air = _noise(rng, seconds, rate, rng.uniform(2, 6), 80, _log(rng, 500, 6000))
    return whirr * rng.uniform(0.1, 1.5) + air * (1 + 0.5 * whirr)


def _engine(rng, seconds, rate):
    """Firing strokes of uneven strength through an exhaust's resonances."""
    pitch = _log(rng, 12, 160) * _wander(rng, seconds, rate, 1.5, 0.6, 1.4)
    strokes = _wander(rng, seconds, rate, 60, 0.4) * _wave(pitch, np.ones(60), rate)
    x = strokes + 0.2 * _noise(rng, seconds, rate, 4)
    return x + sum(_resonate(x, rate, _log(rng, 80, 3000), 2) for _ in range(3))


def _rubbing(rng, seconds, rate):
    """Noise in strokes, also at the pace of syllables: sawing, brushing, steps on gravel."""
    strokes = _wander(rng, seconds, rate, _log(rng, 2, 18)) ** rng.uniform(1, 4)
    low = _log(rng, 100, 2000)
    return (strokes + 0.01) * _noise(rng, seconds, rate, rng.uniform(-2, 5), low, 4 * low)


def _impacts(rng, seconds, rate):
    """Knocks, steps, dishes, drums: a thud, and a body that rings."""
    ratios = rng.uniform(1, 9, rng.integers(1, 8))
    hertz, t60, tilt = _log(rng, 60, 3000), _log(rng, 0.03, 1.2), rng.uniform(0, 6)

    def hit():
        thud = _noise(rng, t60, rate, tilt) * _decay(t60, rate, t60 / 3)
        return rng.uniform(0.3, 1) * (thud + _ring(rng, rate, hertz, ratios, t60))

    starts = _starts(rng, seconds, _log(rng, 0.12, 2), rng.choice([0, 0.7]))
    return _placed(seconds, rate, ((at, hit()) for at in starts))


def _bells(rng, seconds, rate):
    bell = _ring(rng, rate, _log(rng, 80, 1500), _BELL, _log(rng, 0.3, 4))
    return _placed(seconds, rate, ((at, bell) for at in _starts(rng, seconds, _log(rng, 0.2, 8))))


def _tone(rng, seconds, rate):
    strengths = [1, *(rng.random(7) * rng.choice([0, 0.5]))]
    swell = _wander(rng, seconds, rate, 1, rng.random())
    return _fade(swell * _held(_log(rng, 40, 6000), seconds, rate, strengths), rate)


def _sweep(rng, seconds, rate):
    """Up, down or between two pitches, once or again and again: test signals, sirens, alarms."""
    place = _time(seconds, rate) / rng.choice([seconds, _log(rng, 0.1, 4)]) % 1
    shape = (place, 1 - place, np.sin(np.pi * place) ** 2, place > 0.5)[rng.integers(4)]
    pitch = np.minimum(_log(rng, 60, 1500) * 2 ** (rng.uniform(0.3, 4) * shape), 0.45 * rate)
    return _fade(_wave(pitch, 1 / np.arange(1, rng.choice([2, 16])), rate), rate)


def _beeps(rng, seconds, rate):
    strengths = ([1], [1, 0, 1 / 3, 0, 1 / 5, 0, 1 / 7])[rng.integers(2)]
    every = _log(rng, 0.08, 1.2)
    length = every * rng.uniform(0.2, 0.9)
    tones = [
        _fade(_held(_log(rng, 200, 4000), length, rate, strengths), rate)
        for _ in range(rng.integers(1, 4))
    ]
    return _placed(
        seconds,
        rate,
        ((at, tones[rng.integers(len(tones))]) for at in _starts(rng, seconds, every)),
    )


def _telephone(rng, seconds, rate):
    """Keys, or the line's own tones, over a hissing line."""
    keyed = rng.random() < 0.5
    every = rng.uniform(0.12, 0.5) if keyed else rng.choice([0.5, 1, 3, 8])
    length, line = every * rng.uniform(0.4, 1), _LINE[rng.integers(len(_LINE))]

    def pair():
        both = (rng.choice(_ROWS), rng.choice(_COLUMNS)) if keyed else line
        return _fade(sum(_held(hertz, length, rate) for hertz in both), rate)

    hiss = _log(rng, 0.002, 0.1) * _noise(rng, seconds, rate, 0, 300, 3400)
    return hiss + _placed(seconds, rate, ((at, pair()) for at in _starts(rng, seconds, every)))


def _birds(rng, seconds, rate):
    """Song of one to four whistled syllables, each the same whenever it comes again."""
    syllables = []
    for _ in range(rng.integers(1, 5)):
        length = _log(rng, 0.03, 0.35)
        trill = rng.uniform(0, 0.1) * np.sin(2 * np.pi * _log(rng, 15, 60) * _time(length, rate))
        pitch = _log(rng, 1200, 5000) * (trill + _wander(rng, length, rate, 3 / length, 0.8, 1.3))
        syllables.append(_fade(_wave(pitch, [1, 0.1], rate), rate, 0.01, 0.02))
    starts = _starts(rng, seconds, _log(rng, 0.08, 1), 0.4)
    song = ((at, rng.random() * syllables[rng.integers(len(syllables))]) for at in starts)
    return _log(rng, 0.001, 0.05) * _noise(rng, seconds, rate, 3) + _placed(seconds, rate, song)


def _animals(rng, seconds, rate):
    """Barks, growls, whines, gulls: one call again and again through one throat.

    Its pitch is below or above people's and no resonance of it moves: what people too would take
    for a person may not be called non-speech.
    """
    low, high = ((25, 70), (600, 2500))[rng.integers(2)]
    length, every = _log(rng, 0.08, 1), rng.uniform(1.1, 4)
    arch = 1 + rng.uniform(-0.4, 0.6) * np.sin(np.pi * _time(length, rate) / length)
    pitch, roughness, breath = _log(rng, low, high) * arch, rng.random(), rng.uniform(0, 0.6)
    strengths, throat = np.arange(1, 61) ** -rng.uniform(0.3, 1.5), _log(rng, 300, 2500)

    def call():
        rough = _wander(rng, length, rate, 70, 1 - roughness)
        x = rough * (
            _wave(pitch * rough**0.2, strengths, rate) + breath * _noise(rng, length, rate, 3)
        )
        return _fade(_resonate(x, rate, throat, 2), rate, length / 5, length / 2)

    starts = _starts(rng, seconds, length * every, 0.2)
    floor = _log(rng, 0.0003, 0.01) * _noise(rng, seconds, rate, 3)
    return floor + _placed(seconds, rate, ((at, call()) for at in starts))


def _plucked(rng, rate) -> Play:
    """Guitar, harp, harpsichord (K. Karplus and A. Strong 1983, Computer Music J. 7(2))."""
    from scipy.signal import lfilter

    bright, t60 = rng.uniform(0.5, 0.95), _log(rng, 0.5, 4)

    def play(hertz, seconds):
        period = max(int(rate / hertz), 2)
        burst = np.zeros(len(_time(seconds, rate)))
        burst[:period] = rng.uniform(-1, 1, period)[: len(burst)]
        kept = 10 ** (-3 / (hertz * t60))  # of each period by the next
        string = [1, *np.zeros(period - 1), -kept * bright, -kept * (1 - bright)]
        return _fade(lfilter([1], string, burst), rate)

    return play


def _sustained(rng, rate, slope, attack, breath=0.0, cents=0.0) -> Play:
    """Harmonics falling as `n**-slope`, in a body of three resonances; vibrato up to `cents`."""
    strengths = np.arange(1, 41) ** -slope * rng.uniform(0.3, 1, 40)
    strengths[1::2] *= rng.choice([1, 1, 0.1])  # a closed pipe has the odd ones
    body = [_log(rng, low, 3 * low) for low in (250, 700, 2000)]
    swing, depth = rng.uniform(4, 7), rng.uniform(0, cents)

    def play(hertz, seconds):
        time = _time(seconds, rate)
        # Players begin the vibrato after the note.
        bend = depth * np.minimum(time / 0.4, 1) * np.sin(2 * np.pi * swing * time)
        x = _wander(rng, seconds, rate, 3, 0.7) * _wave(hertz * 2 ** (bend / 1200), strengths, rate)
        x += breath * _noise(rng, seconds, rate, 3, 500, 5000)
        return _fade(x + sum(_resonate(x, rate, centre, 3) for centre in body), rate, attack, 0.08)

    return play


def _bowed(rng, rate):
    return _sustained(rng, rate, rng.uniform(0.7, 1.2), _log(rng, 0.03, 0.2), 0.03, 60)


def _blown(rng, rate):
    return _sustained(rng, rate, rng.uniform(1, 3), _log(rng, 0.02, 0.1), rng.uniform(0, 0.15), 40)


def _organ(rng, rate):
    return _sustained(rng, rate, rng.uniform(0.3, 2), _log(rng, 0.005, 0.8), 0.0, 10)


def _score(rng):
    """Seconds a beat, and Hz of a step of a scale: in equal temperament, from the key on."""
    key, scale = 55 * 2 ** (rng.integers(0, 37) / 12), _SCALES[rng.integers(len(_SCALES))]

    def pitch(step):
        octave, degree = divmod(int(step), len(scale))
        return key * 2 ** (octave + scale[degree] / 12)

    return 60 / _log(rng, 50, 200), pitch


def _walk(rng, seconds, beat):
    """A melody's `(start, step, length)`: notes of half a beat to two, steps of up to a fourth."""
    at, step = 0.0, rng.integers(0, 8)
    while at < seconds:
        length = beat * rng.choice([0.5, 0.5, 1, 1, 2])
        if at == 0 or rng.random() > 0.1:
            yield at, step, length
        at, step = at + length, np.clip(step + rng.integers(-3, 4), -2, 14)


def _melody(rng, seconds, rate, play, score=None):
    beat, pitch = score or _score(rng)
    held = rng.uniform(0.5, 1.2)  # from staccato to legato
    notes = _walk(rng, seconds, beat)
    return _placed(
        seconds, rate, ((at, play(pitch(step), length * held)) for at, step, length in notes)
    )


def _solo(rng, seconds, rate):
    """One string or pipe that slides from note to note, the nearest that music comes to a voice."""
    beat, pitch = _score(rng)
    starts, steps, _ = zip(*_walk(rng, seconds, beat), strict=True)
    # Each note is held until a short slide, and the next one begins where that ends.
    slide = min(_log(rng, 0.02, 0.2), beat / 4)
    turns = np.stack([np.array(starts) - slide, starts], 1).ravel()[1:]
    tones = np.repeat([pitch(step) for step in steps], 2)[: len(turns)]
    curve = np.interp(_time(seconds, rate), turns, tones)
    play = (_bowed, _blown)[rng.integers(2)](rng, rate)
    return play(curve, seconds) * _wander(rng, seconds, rate, 2 / beat, 0.1)


def _chords(rng, seconds, rate, score=None):
    """Three or four notes every bar or half bar, together or one after the other."""
    beat, pitch = score or _score(rng)
    play = (_plucked, _organ, _bowed)[rng.integers(3)](rng, rate)
    bar, spread = beat * rng.choice([2, 4]), rng.choice([0, 0.03, beat / 2])
    notes = []
    for at in _starts(rng, seconds, bar):
        root = rng.integers(0, 7)
        for place in range(rng.integers(3, 5)):
            notes.append((at + place * spread, play(pitch(root + 2 * place), bar)))
    return _placed(seconds + 4 * bar, rate, notes)[: len(_time(seconds, rate))]


def _drums(rng, seconds, rate, score=None):
    """A pattern of eight half beats over and over: bass drum, snare, cymbal."""
    half = (score or _score(rng))[0] / 2
    low = _log(rng, 45, 90) * (1 + 2 * _decay(0.3, rate, 0.1))
    snare = _noise(rng, 0.25, rate, 0, 800) * _decay(0.25, rate, 0.2)
    cymbal = _noise(rng, 0.3, rate, -3, 5000) * _decay(0.3, rate, _log(rng, 0.05, 0.6))
    kit = (_wave(low, [1], rate) * _decay(0.3, rate, 0.3), 0.3 * snare, 0.15 * cymbal)
    pattern = rng.random((3, 8)) < np.array([[0.3], [0.25], [0.7]])
    pattern[0, 0] = True
    beats = enumerate(_starts(rng, seconds, half))
    hits = [(at, kit[k]) for n, at in beats for k in np.flatnonzero(pattern[:, n % 8])]
    return _placed(seconds, rate, hits)


def _band(rng, seconds, rate):
    """A tune over chords and drums."""
    score = _score(rng)
    play = (_plucked, _bowed, _blown, _organ)[rng.integers(4)](rng, rate)
    tune = _melody(rng, seconds, rate, play, score)
    parts = [tune, _chords(rng, seconds, rate, score=score), _drums(rng, seconds, rate, score)]
    return sum(rng.uniform(0.2, 1) * part / part.std() for part in parts)


def _mixture(rng, seconds, rate):
    """Two other kinds at once, up to 15 dB apart."""
    names = rng.choice([name for name in KINDS if name != "mixture"], 2, replace=False)
    parts = [KINDS[name](rng, seconds, rate) for name in names]
    return sum(part / part.std() * 10 ** (rng.uniform(-15, 0) / 20) for part in parts)


KINDS: dict[str, Callable[[np.random.Generator, float, int], np.ndarray]] = {
    "animals": _animals,
    "band": _band,
    "beeps": _beeps,
    "bells": _bells,
    "birds": _birds,
    "chords": _chords,
    "crackle": _crackle,
    "drums": _drums,
    "engine": _engine,
    "fan": _fan,
    "hum": _hum,
    "impacts": _impacts,
    "mixture": _mixture,
    "rubbing": _rubbing,
    "sea": _sea,
    "solo": _solo,
    "steady": _steady,
    "sweep": _sweep,
    "telephone": _telephone,
    "tone": _tone,
    "wind": _wind,
    # One instrument alone.
    "blown": lambda rng, seconds, rate: _melody(rng, seconds, rate, _blown(rng, rate)),
    "bowed": lambda rng, seconds, rate: _melody(rng, seconds, rate, _bowed(rng, rate)),
    "plucked": lambda rng, seconds, rate: _melody(rng, seconds, rate, _plucked(rng, rate)),
}
