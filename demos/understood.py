"""A direction as it was understood, in words that its writer can check."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from conditioning.direction import Direction, Stretch
from conditioning.persona import Persona
from conditioning.wording import NUMBER, Evidence
from voice_actor.casting import Casting
from voice_actor.voices import Voice

LONGEST_QUOTE = 32  # characters of the line, where a stretch of it is named
FAINTEST = 0.005  # prints as 0
WHO = "gender", "age", "accent", "timbre", "voice"  # what words about the speaker decide
BY_CALLER = "chosen by the caller"  # as casting says it; on the page that is whoever reads it
OWN = "Nothing is asked: the voice reads the line its own way."


def understood(
    direction: Direction, casting: Casting, voices: Sequence[Voice], touched: bool = False
) -> str:
    """HTML: what is felt and why, who speaks, how, what cannot be done, what was not understood.

    Args:
        touched: whether emotions were set by hand in place of those of the words.
    """
    rows = [
        ("Feels", _felt(direction, touched)),
        ("Speaks", [_speaker(casting, voices), *_who(direction.persona), *_escaped(_why(casting))]),
        ("How", _how(direction, casting)),
        ("Pauses", [_pause(direction.text, *pause) for pause in direction.pauses]),
        ("Please note", _escaped(dict.fromkeys((*direction.notes, *casting.notes)))),
        ("Not understood", [_quoted(word) for word in direction.ignored]),
    ]
    shown = "".join(_row(name, items) for name, items in rows if items)
    return _section(f'<dl class="va-understood">{shown}</dl>')


def _row(name: str, items: Iterable[str]) -> str:
    parts = "".join(f"<span>{item}</span>" for item in items)
    return f"<div><dt>{name}</dt><dd>{parts}</dd></div>"


def told(message: str) -> str:
    """HTML in place of it, for what cannot be read."""
    return _section(remark(message))


def remark(message: str) -> str:
    """HTML: a sentence on what was typed, by itself."""
    return f'<p class="va-not-understood" role="status">{escape(message)}</p>'


def _section(content: str) -> str:
    return f'<section aria-label="Understood as"><h3>Understood as</h3>{content}</section>'


def _felt(direction: Direction, touched: bool) -> list[str]:
    """Each emotion with the words that decided it."""
    items = []
    if direction.prosody is not None:
        items.append("as in your recording, with its melody, loudness and pace")
    if touched:
        items.append("as set with the sliders" + ("; brackets hold" if direction.evidence else ""))
    if not items and not direction.evidence:
        return [OWN]
    # The whole line's first, then part by part; those of one ramp stay in their order.
    ordered = sorted(direction.evidence, key=lambda item: item.span or (-1, -1))
    return items + [_decided(direction, item) for item in ordered]


def _decided(direction: Direction, item: Evidence) -> str:
    """Such as "Relief 0.60, from “relieved”"; the reason in full where it says more."""
    where = f" on {_quoted(direction.text[slice(*item.span)])}" if item.span else ""
    plain = item.why.startswith("'") or NUMBER in item.why
    why = "" if plain else f", {escape(item.why)}"
    amount = f" {item.intensity:.2f}" if item.intensity >= FAINTEST else ""
    name = escape(item.category)
    name = f"<b>{name}</b>{amount}" if amount else f"not {name}"
    return f"{name}{where}{_from(item.words)}{why}"


def _from(words: str) -> str:
    return f", from {_quoted(words)}" if words else ""


def _speaker(casting: Casting, voices: Sequence[Voice]) -> str:
    """The voice, and for a single one who that is."""
    known = {voice.name: voice for voice in voices}
    voice = known.get(casting.voice)
    who = f", {voice.accent}, {voice.gender}, {voice.timbre}" if voice else ""
    return f"<b>{escape(casting.voice)}</b>{escape(who)}"


def _who(persona: Persona) -> list[str]:
    """What words say about the speaker."""
    asked = [persona.gender, persona.age, persona.accent, *persona.timbre]
    who = {reason.words: None for reason in persona.reasons if reason.what in WHO}
    if not any(asked):
        return []
    words = ", ".join(_quoted(word) for word in who)
    return [escape(", ".join(filter(None, asked))) + (f", from {words}" if words else "")]


def _why(casting: Casting) -> list[str]:
    """Why this voice; what is acted beside it stands under "How"."""
    reasons = [reason.partition(": ")[2] for reason in casting.reasons[:1]]
    return ["chosen by you" if reason == BY_CALLER else reason for reason in reasons]


def _how(direction: Direction, casting: Casting) -> list[str]:
    """Manners: of who speaks over the whole line, then of parts of it."""
    items = []
    if casting.manner:
        words = {reason.words: None for reason in direction.persona.reasons}
        because = ", ".join(_quoted(word) for word in words)
        items.append(escape(casting.manner.told) + (f", from {because}" if words else ""))
    return items + [_stretch(direction.text, stretch) for stretch in direction.manners]


def _stretch(text: str, stretch: Stretch) -> str:
    start, end, manner = stretch
    where = "" if (start, end) == (0, len(text)) else f" on {_quoted(text[start:end])}"
    return f"{escape(manner.told)}{where}"


def _pause(text: str, offset: int, seconds: float) -> str:
    before = text[:offset].split()
    return f"{seconds:g} s " + (f"after {_quoted(before[-1])}" if before else "before the line")


def _quoted(words: str) -> str:
    words = words.strip()
    if len(words) > LONGEST_QUOTE:
        words = f"{words[: LONGEST_QUOTE - 1].rstrip()}…"
    return f"<q>{escape(words)}</q>"


def _escaped(sentences: Iterable[str]) -> list[str]:
    return [escape(sentence) for sentence in sentences]
