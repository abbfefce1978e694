"""Pictures of speech and moods, as HTML with inline SVG that scales while its labels do not."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from typing import NamedTuple

import numpy as np

from conditioning.audio import Audio
from conditioning.director import Cue
from conditioning.emotion import EmotionCurve, EmotionVector
from conditioning.estimator import DIMENSIONS, Estimate
from conditioning.mood import Mood
from conditioning.prosody import SHORTEST, Prosody, measure
from conditioning.taxonomy import CATEGORIES, FAMILIES, INDEX, NAMES
from conditioning.temperament import Temperament
from voice_actor.listen import counted
from voice_actor.performance import Timed, places_of
from voice_actor.screen import ENDS

AUDIBLE = 0.05  # an intensity below is not worth a row of its own

# How dependable an estimate is, in words; the figures are those of `Estimate.reliability`.
TRUST = (
    (0.9, "dependable"),
    (0.6, "mostly right"),
    (0.3, "a hint"),
    (0.1, "a weak hint"),
    (-math.inf, "a guess"),
)
UNTESTED = "never tested"
TRUST_MEANS = (
    "How far to trust each, by how well it told recordings apart in voices that were new to it: "
    f"{', '.join(word for _, word in TRUST)}."
)
KNOWN = {
    "acted": "learnt from actors",
    "synthetic": "learnt from synthetic acting",
    "inferred": "worked out",
}
KNOWN_HOW = KNOWN | {"inferred": "worked out from how pleasant, excited and firm the voice is"}

NOTHING = "Nothing was asked, and nothing but neutral was heard."

NARROW = 236  # px of a drawing on a phone
WIDER = 720, 1080  # px from which labels are placed anew; pictures.css knows them too
SMALL = 12  # px, height of the letters of labels
LANE = 18  # px, height of a row of labels
LANES = 3
GUTTER = 32  # px, left of a drawing, for the words at its edge
NUDGE = 14  # px that a label may stand beside its place
LONGEST_LABEL = 190  # px
GAP = 6  # px between labels
PIXELS_A_SECOND = 120  # of words that are hard to fit; what does not fit then is left out
WIDEST = 6000  # px of a drawing that scrolls


# Waveform


def waveform(audio: Audio, words: Sequence[Timed] = (), neutral: Audio | None = None) -> str:
    """The sound of a line, its pitch over it, and its words under it.

    Args:
        words: when each is heard.
        neutral: the voice's own reading, whose pitch is drawn fainter, stretched to the line.
    """
    duration = audio.duration
    own = _prosody(audio)
    other = None if neutral is None else _prosody(neutral)
    rows = _Words.of(words, duration)
    voiced = [
        each.semitones[~np.isnan(each.f0)]
        for each in (other, own)
        if each is not None and not np.isnan(each.f0).all()
    ]
    drawing, legend = "", []
    if own is not None and voiced:
        drawing = _melody(own, other, voiced)
        legend.append(_key("line asked", "pitch, in semitones"))
        if other is not None:
            legend.append(_key("line neutral", "plain reading, stretched to fit"))
    columns = min(max(rows.width // 2, 400), 1500)
    drawing += f'<div class="va-pic-plot">{_svg(WAVE, _outline(audio, columns))}</div>'
    legend.append(_key("wave", f"sound, {_seconds(duration)}" + ", no pitch" * (not voiced)))
    sentence = _described(duration, words, voiced)
    return _picture("waveform", sentence, drawing + rows.html, legend, rows.width)


PITCH, WAVE = 112, 52  # px, heights
_LEAP = 6.0  # semitones between two frames that no voice goes; the tracker slipped by an octave


def _melody(own: Prosody, other: Prosody | None, voiced: list[np.ndarray]) -> str:
    """The pitch of a line over that of the plain reading, about the middle of the latter."""
    middle = float(np.median(voiced[0]))
    reach = _reach([each - middle for each in voiced])
    marks = [(0.5 - mark / (2 * reach), _signed(mark, 0)) for mark in _marks(reach)]
    drawn = [_level(share * PITCH, "axis" if share == 0.5 else "grid") for share, _ in marks]
    for prosody, kind in ((other, "neutral"), (own, "asked")):
        if prosody is None:
            continue
        # The plain reading has its own pace: its speech is laid over the line's speech.
        shares = _laid_over(prosody, own)
        heights = 0.5 - (_steady(prosody.semitones) - middle) / (2 * reach)
        heights[(heights < 0) | (heights > 1)] = np.nan
        drawn.append(_curve(*_thinned(shares, heights), PITCH, kind))
    return f'<div class="va-pic-plot">{_svg(PITCH, "".join(drawn))}{_side(marks, PITCH)}</div>'


def _steady(semitones: np.ndarray) -> np.ndarray:
    """The pitch with a gap at each leap."""
    steady = semitones.copy()
    steady[1:][np.abs(np.diff(semitones)) > _LEAP] = np.nan
    return steady


def _described(duration: float, words: Sequence[Timed], voiced: list[np.ndarray]) -> str:
    said = " ".join(word.label for word in words)
    about = f"Waveform and pitch of {_seconds(duration)}"
    about += f" in which is said: {said}" if said else ""
    if not voiced:
        return f"{about}. No pitch is found."
    low, high = np.quantile(voiced[-1], (0.05, 0.95))
    told = f"{about}. The pitch moves over {round(float(high - low))} semitones"
    if len(voiced) == 2:
        above = round(float(np.median(voiced[1]) - np.median(voiced[0])))
        place = f"{abs(above)} {'higher' if above > 0 else 'lower'} than" if above else "as high as"
        told += f", on the whole {place} the plain reading"
    return f"{told}."


def _prosody(audio: Audio) -> Prosody | None:
    return measure(audio) if audio.duration >= SHORTEST else None


def _laid_over(prosody: Prosody, own: Prosody) -> np.ndarray:
    """Where each frame stands on a drawing of `own`, 0 to 1, speech over speech."""
    first, last = _extent(prosody)
    onto, until = _extent(own)
    frames = onto + (np.arange(len(prosody)) - first) * (until - onto) / max(last - first, 1)
    return (frames + 0.5) / len(own)


def _extent(prosody: Prosody) -> tuple[int, int]:
    places = np.flatnonzero(prosody.speech)
    return (int(places[0]), int(places[-1])) if len(places) else (0, len(prosody) - 1)


def _reach(voiced: list[np.ndarray]) -> float:
    """Semitones from the middle to either edge; creaks and slips of the tracker lie outside."""
    spread = [float(np.quantile(np.abs(each), 0.85)) for each in voiced]
    return min(max(5.5, 1.6 * max(spread)), 18.0)


def _marks(reach: float) -> list[float]:
    step = next(step for step in (5, 10, 20, 40) if reach / step < 2.4)
    count = int(reach // step)
    return [step * number for number in range(-count, count + 1)]


def _outline(audio: Audio, columns: int) -> str:
    """The sound as a shape about its middle: the farthest sample of each column."""
    samples, middle = np.abs(audio.samples), WAVE / 2
    columns = min(columns, len(samples))
    if not columns:
        return _level(middle, "axis")
    edges = np.linspace(0, len(samples), columns + 1).astype(int)[:-1]
    tops = np.maximum.reduceat(samples, edges)
    tops = np.maximum(tops / max(float(tops.max()), 0.1) * (middle - 1), 0.5)
    across = (np.arange(columns) + 0.5) / columns
    there = [f"{_x(x)} {middle - top:.1f}" for x, top in zip(across, tops, strict=True)]
    back = [f"{_x(x)} {middle + top:.1f}" for x, top in zip(across, tops, strict=True)][::-1]
    return f'<path class="va-pic-wave" d="M{" L".join(there + back)}Z"/>'


# Asked and heard


def asked_and_heard(asked: EmotionVector, heard: Estimate, most: int = 6) -> str:
    """The strongest emotions with what was asked of each over what was heard, then the place.

    Args:
        most: emotions; those asked come first, then what else is heard.
    """
    wanted = [name for name, _ in asked.items()]
    others = [
        name for name, value in heard.intensities.items() if value >= AUDIBLE and name not in wanted
    ]
    rows = [_pair_row(name, asked, heard) for name in (wanted + others)[:most]]
    if not rows:
        rows = [_note(NOTHING)]
    if not heard.speech:
        rows.append(_note("No speech was heard."))
    rows.append('<div class="va-pic-gap"></div>')
    rows += [
        _dial_row(name, getattr(asked, name), getattr(heard, name))
        for name in DIMENSIONS
        if name != "dominance" or math.isfinite(heard.dominance)
    ]
    legend = [_key("bar asked", "asked"), _key("bar heard", "heard")]
    sentence = f"Asked: {_listed(asked.items())}. Heard: {_listed(heard.top(most))}"
    if not heard.speech:
        sentence = f"Asked: {_listed(asked.items())}. No speech was heard"
    places = [
        f"{name} asked {_signed(getattr(asked, name))}, heard {_signed(getattr(heard, name))}"
        for name in DIMENSIONS[:2]
        if math.isfinite(getattr(heard, name))
    ]
    return _picture("pairs", ". ".join([sentence, *places]) + ".", "".join(rows), legend)


def _pair_row(name: str, asked: EmotionVector, heard: Estimate) -> str:
    wanted, found = asked[name], heard.intensities[name]
    if name in heard.support:
        faint = " va-pic-inferred" if heard.support[name] == "inferred" else ""
        bar, number = _bar(found, "va-pic-heard" + faint), f"{found:.2f}"
    else:
        bar, number = '<div class="va-pic-unheard">not listened for</div>' * heard.speech, "–"
    return (
        f'<div class="va-pic-row"><span class="va-pic-name">{_breakable(name)}</span>'
        f'<div class="va-pic-bars">{_bar(wanted, "va-pic-asked")}{bar}</div>'
        f"{_numbers(f'{wanted:.2f}' if wanted else '–', number)}</div>"
    )


def _numbers(asked: str, heard: str) -> str:
    return f'<span class="va-pic-numbers"><b>{asked}</b><span>{heard}</span></span>'


def _bar(value: float, kind: str) -> str:
    value = min(max(value, 0.0), 1.0) if math.isfinite(value) else 0.0
    bar = f'<div class="va-pic-bar {kind}" style="width:{100 * value:.1f}%"></div>'
    return f'<div class="va-pic-track">{bar if value >= 0.005 else ""}</div>'


def _dial_row(name: str, asked: float, heard: float) -> str:
    """A dimension between its ends, with a dot where it was asked and a ring where heard."""
    low, high = ENDS[name]
    pins = _pin(heard, "va-pic-heard") if math.isfinite(heard) else ""
    pins += _pin(asked, "va-pic-asked")
    return (
        f'<div class="va-pic-row"><span class="va-pic-name">{name}</span>'
        f'<div><div class="va-pic-dial">{pins}</div>'
        f'<div class="va-pic-ends"><span>{low}</span><span>{high}</span></div></div>'
        f"{_numbers(_signed(asked), _signed(heard))}</div>"
    )


def _pin(value: float, kind: str) -> str:
    share = (min(max(value, -1.0), 1.0) + 1) / 2
    return f'<i class="va-pic-pin {kind}" style="left:{100 * share:.1f}%"></i>'


def asked_by_second(
    curve: EmotionCurve, text: str, words: Sequence[Timed]
) -> list[tuple[float, EmotionVector]]:
    """The curve at the beginning, middle and end of each word, by the second."""
    points: list[tuple[float, EmotionVector]] = []
    for word, (first, last) in zip(words, places_of(text, words), strict=True):
        points += [
            (word.start, curve.at(first)),
            ((word.start + word.end) / 2, curve.at((first + last) / 2)),
            (word.end, curve.before(last)),
        ]
    return points


def course(
    words: Sequence[Timed],
    asked: Sequence[tuple[float, EmotionVector]],
    heard: Sequence[Estimate],
    duration: float,
    most: int = 3,
) -> str:
    """The strongest emotions over time, each in a strip of its own, with the words under them.

    Args:
        asked: (seconds, vector); straight lines lie between them.
        heard: in windows, in order of time.
        most: emotions; those asked come first.
    """
    rows = _Words.of(words, duration)
    names = _leading(asked, heard, most)
    strips = []
    for name in names:
        curves = []
        if any(vector[name] for _, vector in asked):
            times, values = zip(*((time, vector[name]) for time, vector in asked), strict=True)
            times, values = (0.0, *times, duration), (values[0], *values, values[-1])
            curves.append(_strip_curve(times, values, duration, "asked", area=True))
        told = [each for each in heard if each.speech and name in each.support]
        if told:
            curves.append(_strip_curve(*_heard_over_time(heard, name), duration, "heard"))
        strips.append(_strip(name, _turned(name, asked, heard), curves, _GRID))
    if not names:
        strips = [_note(NOTHING)]
    legend = [_key("line asked", "asked")] * bool(asked)
    legend += [_key("line heard", "heard")] * bool(heard)
    sentence = "Over time. " + (
        " ".join(f"{name}: {_turned(name, asked, heard)}." for name in names) or NOTHING
    )
    drawing = "".join(strips) + _clock(duration, rows.width) + rows.html
    return _picture("course", sentence, drawing, legend, rows.width)


def dimensions(heard: Sequence[Estimate], duration: float) -> str:
    """Valence, arousal and, where it is told, dominance over time, each in a strip of its own."""
    told = [
        name for name in DIMENSIONS if any(math.isfinite(getattr(each, name)) for each in heard)
    ]
    strips, sentences = [], []
    for name in told:
        times, values = _windowed(heard, [getattr(each, name) for each in heard])
        low, high = ENDS[name]
        shares = [(value + 1) / 2 for value in values]
        curve = _strip_curve(times, shares, duration, name, area=True, foot=0.5)
        mean = float(np.nanmean([getattr(each, name) for each in heard]))
        aside = f"down: {low}, up: {high}; average {_signed(mean)}"
        strips.append(_strip(name, aside, [curve], _BOTH_WAYS))
        spread = [value for value in values if math.isfinite(value)]
        sentences.append(
            f"{name.capitalize()} ({low} to {high}) goes from {_signed(min(spread))} to "
            f"{_signed(max(spread))}, on average {_signed(mean)}."
        )
    if not told:
        strips = [_note("No speech was heard.")]
    clock = _clock(duration, NARROW) if told else ""
    sentence = "Over time. " + (" ".join(sentences) or "No speech was heard.")
    return _picture("dimensions", sentence, "".join(strips) + clock)


STRIP = 46  # px, height of a strip
_GRID = ((0.0, "1"), (0.5, ""), (1.0, "0"))
_BOTH_WAYS = ((0.0, "+1"), (0.5, "0"), (1.0, "−1"))


def _strip(
    title: str, aside: str, curves: Sequence[str], marks: Sequence[tuple[float, str]]
) -> str:
    grid = "".join(_level(share * (STRIP - 1) + 0.5, "grid") for share, _ in marks)
    return (
        f'<div class="va-pic-strip">{_title(title, aside)}<div class="va-pic-plot">'
        f"{_svg(STRIP, grid + ''.join(curves))}{_side(marks, STRIP)}</div></div>"
    )


def _title(title: str, aside: str) -> str:
    return f'<div class="va-pic-title"><b>{_breakable(title)}</b><span>{_text(aside)}</span></div>'


def _strip_curve(
    times: Sequence[float],
    shares: Sequence[float],
    duration: float,
    kind: str,
    area: bool = False,
    foot: float = 0.0,
) -> str:
    """A curve of shares of the height, nan where there is none; its area down to `foot`."""
    across = np.asarray(times, float) / max(duration, 1e-9)
    heights = 1 - np.clip(np.asarray(shares, float), 0, 1)
    heights = 0.03 + 0.94 * heights  # so that a line at the edge keeps its thickness
    drawn = _curve(across, heights, STRIP, kind)
    if area:
        drawn = _area(across, heights, 0.03 + 0.94 * (1 - foot), STRIP, kind) + drawn
    return drawn


def _leading(
    asked: Sequence[tuple[float, EmotionVector]], heard: Sequence[Estimate], most: int
) -> list[str]:
    wanted, found = (
        {name: max((vector[name] for vector in vectors), default=0.0) for name in NAMES}
        for vectors in ([vector for _, vector in asked], [each.intensities for each in heard])
    )
    names = sorted(NAMES, key=lambda name: (-wanted[name], -found[name]))
    return [name for name in names if wanted[name] or found[name] >= AUDIBLE][:most]


def _heard_over_time(heard: Sequence[Estimate], name: str) -> tuple[list[float], list[float]]:
    return _windowed(
        heard,
        [
            each.intensities[name] if each.speech and name in each.support else math.nan
            for each in heard
        ],
    )


def _windowed(
    heard: Sequence[Estimate], values: Sequence[float]
) -> tuple[list[float], list[float]]:
    """A value at the middle of each window; the first and the last hold to their windows' ends."""
    times = [(each.start + each.end) / 2 for each in heard]
    return [heard[0].start, *times, heard[-1].end], [values[0], *values, values[-1]]


def _turned(
    name: str, asked: Sequence[tuple[float, EmotionVector]], heard: Sequence[Estimate]
) -> str:
    parts = []
    if asked:
        values = [vector[name] for _, vector in asked]
        parts.append(f"asked {_from_to(values)}" if any(values) else "not asked")
    values = [each.intensities[name] for each in heard if each.speech and name in each.support]
    if values:
        parts.append(f"heard {_from_to(values)}")
    elif heard:
        parts.append("not listened for" if any(each.speech for each in heard) else "no speech")
    return ", ".join(parts)


def _from_to(values: Sequence[float]) -> str:
    low, high = f"{min(values):.2f}", f"{max(values):.2f}"
    return low if low == high else f"{low} to {high}"


def _clock(duration: float, width: int) -> str:
    """Seconds under a drawing."""
    return _fitted(width, lambda px, shown: _ticks(duration, px, shown)) if duration > 0 else ""


def _ticks(duration: float, width: int, shown: str) -> str:
    steps = (0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 3600)
    step = next((step for step in steps if width * step / duration >= 44), duration)
    shares = [step * number / duration for number in range(int(duration / step) + 1)]
    marks = "".join(
        f'<span style="left:{100 * share:.2f}%">{_at(share * duration)}</span>'
        for share in shares
        if not share or (1 - share) * width >= 24
    )
    return f'<div class="va-pic-clock {shown}">{marks}</div>'


def _at(time: float) -> str:
    if time >= 60:
        return f"{int(time // 60)}:{int(time % 60):02}"
    return f"{time:g} s" if not time else f"{time:g}"


# Intensities


def intensities(estimate: Estimate) -> str:
    """All that was listened for, by family, the strongest first, and how far to trust each."""
    if not estimate.speech or not estimate.support:
        nothing = "No speech was heard." if not estimate.speech else "Nothing was listened for."
        return _picture("intensities", nothing, _note(nothing))
    told = [name for name in NAMES if name in estimate.support]
    ranked = sorted(told, key=lambda name: -estimate.intensities[name])
    strongest = [name for name in ranked if estimate.intensities[name] >= AUDIBLE][:5]
    said = [
        f"{name} {estimate.intensities[name]:.2f} ({_trust(estimate, name)})" for name in strongest
    ]
    sentence = f"Heard most: {'; '.join(said)}." if said else "Nothing but neutral was heard."
    top = "".join(_intensity(estimate, name, large=True) for name in strongest) or _note(sentence)
    families = ""
    for family in FAMILIES:
        members = [name for name in ranked if CATEGORIES[INDEX[name]].family == family]
        rows = "".join(_intensity(estimate, name) for name in members)
        if rows:
            families += f'<div><div class="va-pic-family">{family}</div>{rows}</div>'
    missing = ", ".join(name for name in NAMES if name not in told)
    rest = _note(f"Not listened for: {missing}.") if missing else ""
    kinds = {estimate.support[name] for name in told}
    keys = "".join(_key(f"mark {kind}", how) for kind, how in KNOWN_HOW.items() if kind in kinds)
    after = (
        f'<div class="va-pic-legend">{keys}</div><div class="va-pic-families">{families}</div>'
        f"{_note(TRUST_MEANS)}{rest}"
    )
    drawing = f'<div class="va-pic-most">{top}</div>'
    return _picture("intensities", sentence, drawing, after=after)


def _intensity(estimate: Estimate, name: str, large: bool = False) -> str:
    value, support = estimate.intensities[name], estimate.support[name]
    trust = f"{KNOWN[support]}: {_trust(estimate, name)}" if large else _trust(estimate, name)
    mark = (
        f'<i class="va-pic-mark va-pic-{support}" role="img" aria-label="{KNOWN[support]}" '
        f'title="{KNOWN[support]}"></i>'
    )
    faint = " va-pic-inferred" if support == "inferred" else ""
    return (
        f'<div class="va-pic-intensity{" va-pic-large" * large}">'
        f'<span class="va-pic-name">{mark}{_breakable(name)}</span>'
        f'<span class="va-pic-trust">{trust}</span>'
        f'<span class="va-pic-number">{value:.2f}</span>{_bar(value, f"va-pic-heard{faint}")}</div>'
    )


def _trust(estimate: Estimate, name: str) -> str:
    figure = estimate.reliability.get(name, math.nan)
    if not math.isfinite(figure):
        return UNTESTED
    return next(word for least, word in TRUST if figure >= least)


# Moods


def moods(cues: Sequence[Cue], temperaments: Mapping[str, Temperament] | None = None) -> str:
    """Everybody's mood after each line of a scene, in a panel for each.

    Args:
        temperaments: what `Director.temperaments` says; where it is not given, the mood in which
            somebody opens their mouth first, unless they were spoken to before, is where they rest.
    """
    cast = list(dict.fromkeys(name for cue in cues for name in (cue.line.character, *cue.moods)))
    if not cues:
        empty = "No line has been directed yet."
        return _picture("moods", empty, _note(empty))
    width = max(NARROW, 8 * len(cues)) if len(cues) > 60 else NARROW
    farthest = max(
        abs(number) for cue in cues for mood in (cue.after, *cue.moods.values()) for number in mood
    )
    reach = min(max(0.4, math.ceil(5 * farthest) / 5), 1.0)
    panels, told = [], []
    for name in cast:
        rest = _rest(name, cues, temperaments)
        after = [cue.moods.get(name, rest or Mood()) for cue in cues]
        panels.append(_panel(name, cues, after, rest, reach, width))
        told.append(f"{name} begins {after[0].name} and ends {after[-1].name}")
    legend = [_key(f"line {name}", f"{name}, {' to '.join(ENDS[name])}") for name in DIMENSIONS]
    legend += [_key("dots", "own lines"), _key("line rest", "at rest")]
    sentence = f"Moods over {counted(len(cues), 'line')}. {'; '.join(told)}."
    drawing = "".join(panels) + _fitted(width, partial(_line_numbers, len(cues)))
    return _picture("moods", sentence, drawing, legend, width)


PANEL = 92  # px, height


def _rest(
    name: str, cues: Sequence[Cue], temperaments: Mapping[str, Temperament] | None
) -> Mood | None:
    if temperaments is not None:
        return temperaments.get(name, Temperament()).baseline
    for cue in cues:
        if cue.line.character == name:
            return cue.before
        if name in cue.moods:
            return None
    return None


def _panel(
    name: str,
    cues: Sequence[Cue],
    after: Sequence[Mood],
    rest: Mood | None,
    reach: float,
    width: float,
) -> str:
    """One character's course; `reach` is the number that lies at the upper edge."""

    def heights(numbers: Iterable[float]) -> np.ndarray:
        return (1 - np.array(list(numbers)) / (1.06 * reach)) / 2

    across = (np.arange(len(cues)) + 0.5) / len(cues)
    own = [number for number, cue in enumerate(cues) if cue.line.character == name]
    levels = (reach / 2, 0.0, -reach / 2)
    marks = [
        (share, _signed(level, 1) if level else "0")
        for share, level in zip(heights(levels), levels, strict=True)
    ]
    drawn = [_level(PANEL * share, "grid") for share, _ in marks]
    for axis in DIMENSIONS:
        course = heights(getattr(mood, axis) for mood in after)
        if rest is not None:
            level = heights([getattr(rest, axis)])[0]
            drawn.append(_level(PANEL * level, f"rest va-pic-{axis}"))
        drawn.append(_curve(across, course, PANEL, axis))
        for number in own:
            said = f"line {number + 1}: {cues[number].line.text} ({after[number].name})"
            drawn.append(_point(across[number], PANEL * course[number], axis, said))
    flags = [
        _Label(mood.name, across[number], anchor=0.0, margin=8.0)
        for number, mood in enumerate(after)
        if not number or after[number - 1].name != mood.name
    ]
    aside = f"{counted(len(own), 'line')}, ends {after[-1].name}"
    return (
        f'<div class="va-pic-panel">{_title(name, aside)}<div class="va-pic-plot">'
        f"{_svg(PANEL, ''.join(drawn))}{_side(marks, PANEL)}</div>"
        f"{_rows(flags, width, 'va-pic-flags', nudge=4.0)}</div>"
    )


def _line_numbers(count: int, width: int, shown: str) -> str:
    step = next((step for step in (1, 2, 5, 10, 20, 50) if width * step / count >= 26), 100)
    numbers = [1, *range(step if step > 1 else 2, count + 1, step)]
    marks = "".join(
        f'<span style="left:{100 * (number - 0.5) / count:.2f}%">{number}</span>'
        for number in numbers
    )
    return f'<div class="va-pic-clock va-pic-centred {shown}">{marks}</div>'


# Labels in a row, none over another


@dataclass(frozen=True)
class _Label:
    """A word at a place, 0 to 1, of a row; the anchor is the share of it that lies left of that."""

    text: str
    place: float
    anchor: float = 0.5
    margin: float = 0.0  # px that it needs beside its letters

    @property
    def width(self) -> float:
        return min(_width(self.text) + self.margin, LONGEST_LABEL)


class _Placed(NamedTuple):
    """A label in its lane: `left` is `share` of the row and `offset` px."""

    label: _Label
    lane: int
    share: float
    offset: float
    width: float


def _packed(labels: Sequence[_Label], width: float, nudge: float = NUDGE) -> list[_Placed]:
    """The labels that fit a row of this many px or more, none over another.

    A label keeps its distance in px from its place, so that what lies apart in a row lies further
    apart in a wider one.
    """
    ends = [-math.inf] * LANES
    placed = []
    for label in sorted(labels, key=lambda label: label.place):
        wide = min(label.width, width)
        ideal = label.place * width - label.anchor * wide
        if not label.anchor and ideal + wide > width:
            ideal -= wide  # a flag at the right edge flies to the left
        best = None
        for lane, end in enumerate(ends):
            left = min(max(ideal, 0.0, end + GAP), width - wide)
            if left < end + GAP or (
                abs(left - ideal) > nudge and (not label.anchor or left not in (0.0, width - wide))
            ):
                continue
            best = (lane, left)
            break
        if best is None:
            continue
        lane, left = best
        ends[lane] = left + wide
        placed.append(_Placed(label, lane, label.place, left - label.place * width, wide))
    return placed


def _rows(labels: Sequence[_Label], width: int, kind: str = "", nudge: float = NUDGE) -> str:
    return _fitted(width, lambda px, shown: _lanes(_packed(labels, px, nudge), f"{kind} {shown}"))


def _fitted(width: int, row: Callable[[int, str], str]) -> str:
    """A row of labels for a drawing of this many px, and again for wider ones, where more fit.

    Args:
        row: gives the row from the px and the class by which the page shows it when it fits.
    """
    widths = [width, *(wider for wider in WIDER if wider > width)]
    starts = ["", *(f"va-pic-from-{px} " for px in widths[1:])]
    ends = [*(f"va-pic-to-{px}" for px in widths[1:]), ""]
    return "".join(
        row(px, start + end) for px, start, end in zip(widths, starts, ends, strict=True)
    )


def _lanes(placed: Sequence[_Placed], kind: str) -> str:
    back = ' class="va-pic-back"'
    rows = 1 + max((each.lane for each in placed), default=-1)
    words = "".join(
        f"<span{back if each.offset < -each.width / 2 and not each.label.anchor else ''} "
        f'style="left:calc({100 * each.share:.3f}% {"+" if each.offset >= 0 else "-"} '
        f'{abs(each.offset):.1f}px);top:{LANE * each.lane}px;width:{each.width:.1f}px" '
        f'title="{_text(each.label.text)}">{_text(each.label.text)}</span>'
        for each in placed
    )
    return f'<div class="va-pic-words {kind}" style="height:{LANE * rows}px">{words}</div>'


@dataclass(frozen=True)
class _Words:
    """The words of a line under a drawing, and the px that the drawing must have for them."""

    html: str
    width: int

    @classmethod
    def of(cls, words: Sequence[Timed], duration: float) -> _Words:
        labels = [
            _Label(word.label, min(max((word.start + word.end) / 2 / duration, 0.0), 1.0))
            for word in words
            if duration > 0 and math.isfinite(word.start + word.end) and word.label.strip()
        ]
        if not labels:
            return cls("", NARROW)
        widest = min(max(NARROW, round(duration * PIXELS_A_SECOND)), WIDEST)
        width = NARROW
        while len(_packed(labels, width)) < len(labels) and width < widest:
            width = min(round(1.1 * width), widest)
        return cls(_rows(labels, width), width)


def _width(text: str) -> float:
    """px of a label, rather too many: fonts differ."""
    return 4 + sum(map(_letter, text)) * SMALL / 12


def _letter(letter: str) -> float:
    if unicodedata.combining(letter):
        return 0.0
    if unicodedata.east_asian_width(letter) in "WF":
        return 13.0
    if letter in "iljtfrI.,;:'!|()[] ’‘":
        return 4.4
    if letter in "mwMW@%…—":
        return 11.0
    return 8.6 if letter.isupper() else 7.2


# Drawing


# What depends on the width of the picture itself stands in the picture: of a style sheet, Gradio
# drops the container queries, and repeats the rest under a longer selector, hence "important".
_SIZES = "".join(
    f"@container (max-width: {px + GUTTER - 0.1}px) {{ .va-pic-from-{px} {{ display: none; }} }} "
    f"@container (min-width: {px + GUTTER}px) {{ .va-pic-to-{px} {{ display: none; }} }} "
    for px in WIDER
)
_LARGE = (
    "@container (max-width: 639.9px) { .va-pic-large .va-pic-trust { grid-area: 3 / 1 / 4 / -1; } "
    ".va-pic-large .va-pic-number { grid-area: 1 / 3; } } "
    "@container (min-width: 640px) { .va-pic-large { align-items: center !important; "
    "grid-template-columns: 190px minmax(0, 1fr) 2.4em 220px !important; } "
    ".va-pic-large .va-pic-track { grid-area: 1 / 2 !important; } "
    ".va-pic-large .va-pic-number { grid-area: 1 / 3; } "
    ".va-pic-large .va-pic-trust { grid-area: 1 / 4; } }"
)


def _picture(
    kind: str,
    sentence: str,
    drawing: str,
    legend: Sequence[str] = (),
    width: float = 0,
    after: str = "",
) -> str:
    """A drawing that is an image to who cannot see it; it scrolls where `width` px do not fit."""
    keys = f'<div class="va-pic-legend">{"".join(legend)}</div>' if legend else ""
    style = f' style="min-width:{width + GUTTER:.0f}px"' if width else ""
    scrolls = ' tabindex="0" role="group" aria-label="scrolls sideways"' if width > NARROW else ""
    return (
        f'<div class="va-picture va-{kind}">{keys}<div class="va-pic-scroll"{scrolls}>'
        f'<div class="va-pic-drawing" role="img" aria-label="{_text(sentence)}"{style}>'
        f"{drawing}</div></div>{after}<style>{_SIZES}{_LARGE}</style></div>"
    )


def _svg(height: float, drawn: str) -> str:
    return (
        f'<svg class="va-pic-svg" viewBox="0 0 1000 {height:g}" width="100%" height="{height:g}" '
        f'preserveAspectRatio="none" aria-hidden="true">{drawn}</svg>'
    )


def _x(share: float) -> str:
    return f"{1000 * share:.1f}"


def _level(height: float, kind: str) -> str:
    return f'<path class="va-pic-line va-pic-{kind}" d="M0 {height:.1f}H1000"/>'


def _point(share: float, height: float, kind: str, title: str) -> str:
    """A dot; as the cap of a line of no length it stays round however the drawing is stretched."""
    return (
        f'<path class="va-pic-point va-pic-{kind}" d="M{_x(share)} {height:.1f}h0.01">'
        f"<title>{_text(title)}</title></path>"
    )


def _curve(shares: np.ndarray, heights: np.ndarray, height: float, kind: str) -> str:
    """A line through (share of the width, share of the height) with gaps where one is nan."""
    runs = [
        " L".join(f"{_x(x)} {height * y:.1f}" for x, y in run) + ("h0.1" if len(run) == 1 else "")
        for run in _runs(shares, heights)
    ]
    if not runs:
        return ""
    return f'<path class="va-pic-line va-pic-{kind}" d="M{" M".join(runs)}"/>'


def _area(shares: np.ndarray, heights: np.ndarray, foot: float, height: float, kind: str) -> str:
    """What lies between a curve and a height."""
    shapes = []
    for run in _runs(shares, heights):
        top = " L".join(f"{_x(x)} {height * y:.1f}" for x, y in run)
        base = f"{height * foot:.1f}"
        shapes.append(f"M{_x(run[0][0])} {base} L{top} L{_x(run[-1][0])} {base}Z")
    return f'<path class="va-pic-area va-pic-{kind}" d="{" ".join(shapes)}"/>' if shapes else ""


def _runs(shares: np.ndarray, heights: np.ndarray) -> list[list[tuple[float, float]]]:
    runs: list[list[tuple[float, float]]] = [[]]
    for x, y in zip(shares, heights, strict=True):
        if math.isfinite(x) and math.isfinite(y):
            runs[-1].append((float(x), float(y)))
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _thinned(
    shares: np.ndarray, heights: np.ndarray, most: int = 1500
) -> tuple[np.ndarray, np.ndarray]:
    """At most so many points of a curve; the rest say nothing that could be seen."""
    step = max(1, math.ceil(len(shares) / most))
    return shares[::step], heights[::step]


def _side(marks: Iterable[tuple[float, str]], height: float) -> str:
    """Words at the left edge, at shares of the height."""
    words = "".join(
        f'<span style="top:{share * height:.1f}px">{_text(word)}</span>' for share, word in marks
    )
    return f'<div class="va-pic-side">{words}</div>'


def _note(text: str) -> str:
    return f'<div class="va-pic-note">{_text(text)}</div>'


def _key(sample: str, meaning: str) -> str:
    kinds = " ".join(f"va-pic-{kind}" for kind in sample.split())
    return f'<span class="va-pic-key"><i class="{kinds}"></i>{_text(meaning)}</span>'


# Words


def _text(text: str) -> str:
    """Text of anybody's, so that it is text in HTML and in XML."""
    return escape(re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]", "", text))


def _breakable(name: str) -> str:
    return _text(name).replace("/", "/<wbr/>")


def _signed(value: float, digits: int = 2) -> str:
    if not math.isfinite(value):
        return "–"
    value = round(value, digits) + 0.0
    return f"{value:+.{digits}f}".replace("-", "−") if value else "0"


def _listed(pairs: Iterable[tuple[str, float]]) -> str:
    return ", ".join(f"{name} {value:.2f}" for name, value in pairs) or "nothing but neutral"


def _seconds(duration: float) -> str:
    return (
        f"{duration:.1f} s" if duration < 60 else f"{duration // 60:.0f} min {duration % 60:.0f} s"
    )
