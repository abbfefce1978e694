"""Which voice of the cast speaks for a persona, and what it has to do that it does not by itself.

No age is published for the voices, so that age is met by pitch, breath and acting. All weights and
amounts are our judgement, chosen to be readable.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from conditioning.manner import BOUNDS, Manner
from conditioning.persona import Persona
from conditioning.persona_words import OPPOSITES

from .voices import DEFAULT, Voice, cast, parse_voice

# How the author of the voices grades them (VOICES.md of hexgrad/Kokoro-82M); a better one is
# worth as much as a wish about timbre that is met.
GRADES = {
    grade: names.split()
    for grade, names in {
        "A": "af_heart",
        "A-": "af_bella",
        "B-": "af_nicole bf_emma",
        "C+": "af_aoede af_kore af_sarah am_fenrir am_michael am_puck",
        "C": "af_alloy af_nova bf_isabella bm_fable bm_george",
        "C-": "af_sky",
        "D+": "bm_lewis",
        "D": "af_jessica af_river am_echo am_eric am_liam am_onyx bf_alice bf_lily bm_daniel",
        "D-": "am_santa",
        "F+": "am_adam",
    }.items()
}
_POINTS = {"A": 4.0, "B": 3.0, "C": 2.0, "D": 1.0, "F": 0.0}
_QUALITY = {
    name: (_POINTS[grade[0]] + {"+": 0.3, "-": -0.3}.get(grade[1:], 0.0)) / _POINTS["A"]
    for grade, names in GRADES.items()
    for name in names
}
PER_SEMITONE = 0.1  # points for lying lower or higher, where that is asked
SAME_ACCENT = 0.2  # points for the default's accent, where none is asked
LARGER = 0.6  # part of a blend that its first voice has

# What is done for a wish about timbre that the voice does not meet.
_DONE_FOR = {
    "low": Manner(pitch=-2.0, formants=-0.03),
    "high": Manner(pitch=2.0, formants=0.03),
    "dark": Manner(tilt=-1.2),
    "bright": Manner(tilt=1.2),
    "breathy": Manner(breath=0.12),
    "clear": Manner(),
    "quick": Manner(pace=0.15),
    "slow": Manner(pace=-0.15),
}
# Age in the timbre of a voice: points for each word.
_AGE_TIMBRE = {
    "old": {"breathy": 0.4, "slow": 0.3, "bright": -0.2},
    "young": {"high": 0.3, "bright": 0.3},
    "child": {"high": 0.6, "bright": 0.3},
}
# Older speakers are slower and less steady; women's pitch falls with age and men's rises again.
_OLD = Manner(pace=-0.16, melody=-0.1, tremor=0.2, rough=0.08, breath=0.03)
_OLD_PITCH = {"female": -1.5, "male": 0.5}
# Children of about six to ten years speak at about 260 Hz, boys little lower than girls.
CHILD_PITCH = 260.0
_CHILD = Manner(formants=0.13, pace=-0.05, melody=0.1)
_PEOPLE = {"female": "woman", "male": "man"}


@dataclass(frozen=True)
class Casting:
    """A voice for a persona, and how it has to speak.

    Attributes:
        voice: a name or a blend, as `parse_voice` reads it.
        manner: what the persona asks and the voice does not have by itself, within bounds.
        reasons: why this voice and this manner, in plain words.
        notes: wishes that cannot be met, with what is done instead.
    """

    voice: str = DEFAULT
    manner: Manner = Manner()
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict:
        """Ready for `json.dumps`, without what is empty."""
        described = {
            "voice": self.voice,
            "manner": self.manner.to_json(),
            "reasons": list(self.reasons),
            "notes": list(self.notes),
        }
        return {name: value for name, value in described.items() if value}


def cast_voice(
    persona: Persona, voice: str | None = None, members: Sequence[Voice] | None = None
) -> Casting:
    """Chooses a voice for a persona.

    Gender and accent are kept wherever anybody in the cast has them; among those left, wishes about
    timbre count a point each, pitch and age parts of one, and the author's grade of a voice up to
    one. Where a second voice meets what the best one lacks, the two are blended. What is still
    missing is acted.

    Args:
        persona: who speaks and how.
        voice: a name or a blend that the caller has chosen: it is kept, the manner is still added.
        members: the cast; everybody unless given.

    Raises:
        InvalidInput, UnknownName: a voice that cannot be read or is not in the cast.
    """
    members = cast() if members is None else members
    known = {member.name: member for member in members}
    notes: list[str] = []
    if voice is not None:
        parts = parse_voice(voice, known)
        chosen = [(known[name], share) for name, share in parts]
        reasons = [f"{voice}: chosen by the caller"] if _asks_for_somebody(persona) else []
        notes += _against(persona, voice, chosen)
    elif not _asks_for_somebody(persona) or not members:
        voice, reasons = DEFAULT, []
        chosen = [(known[DEFAULT], 1.0)] if DEFAULT in known else []
    else:
        chosen, reason, left_out = _choose(persona, members)
        voice = "+".join(
            member.name if len(chosen) == 1 else f"{member.name}*{share:g}"
            for member, share in chosen
        )
        reasons, notes = [f"{voice}: {reason}"], left_out
    manner = persona.manner
    for added, why, note in _acted(persona, chosen):
        manner = manner + added
        reasons += [why] if why else []
        notes += [note] if note else []
    return Casting(voice, manner, tuple(reasons), tuple(notes))


def _asks_for_somebody(persona: Persona) -> bool:
    """Whether who speaks is asked for, and not only how."""
    return bool(persona.gender or persona.age or persona.accent or persona.timbre)


def _choose(
    persona: Persona, members: Sequence[Voice]
) -> tuple[list[tuple[Voice, float]], str, list[str]]:
    """Voices with their shares, why, and notes about wishes that nobody meets."""
    left, notes = list(members), []
    gender = persona.gender
    if persona.age == "child" and gender == "male":
        gender = "female"  # as boys are mostly cast: no man's voice reaches theirs
    for what, wish in (("gender", gender), ("accent", persona.accent)):
        able = [member for member in left if wish in (None, getattr(member, what))]
        if not able:
            notes.append(f"No {wish} voice is in this cast; the nearest of the others speaks.")
        left = able or left
    scores = {member.name: _score(member, persona, left) for member in left}
    ranked = sorted(left, key=lambda member: (-round(scores[member.name], 6), member.name))
    best = ranked[0]
    missing = [wish for wish in persona.timbre if wish not in _timbre(best)]
    partner = _partner(best, missing, persona, ranked, members)
    if partner is None:
        return [(best, 1.0)], _described(best, persona, left), notes
    reason = (
        f"{_described(best, persona, left)}; {partner.name}, "
        f"{_a(' and '.join(missing))} {partner.accent} {_PEOPLE[partner.gender]}, adds "
        f"what it lacks"
    )
    return [(best, LARGER), (partner, round(1 - LARGER, 6))], reason, notes


def _score(member: Voice, persona: Persona, rivals: Sequence[Voice]) -> float:
    """How well a voice suits a persona: points as in `cast_voice`."""
    words = _timbre(member)
    score = _QUALITY.get(member.name, 0.5)
    if persona.accent is None:
        score += SAME_ACCENT * (member.name[0] == DEFAULT[0])
    for wish in persona.timbre:
        score += (wish in words) - (OPPOSITES[wish] in words)
    above = 12 * math.log2(member.pitch / statistics.median(rival.pitch for rival in rivals))
    if "low" in persona.timbre:
        score -= PER_SEMITONE * above
    if "high" in persona.timbre or persona.age == "child":
        score += PER_SEMITONE * above
    for word, points in _AGE_TIMBRE.get(persona.age or "", {}).items():
        score += points * (word in words)
    return score


def _partner(
    best: Voice,
    missing: Sequence[str],
    persona: Persona,
    ranked: Sequence[Voice],
    members: Sequence[Voice],
) -> Voice | None:
    """Who has what the best voice lacks, without undoing what it has; of the same accent first.

    A voice that meets no wish at all is acted into them rather than blended.
    """
    met = [wish for wish in persona.timbre if wish in _timbre(best)]
    if not missing or not met:
        return None
    others = [m for m in members if m not in ranked]
    for other in (*ranked[1:], *sorted(others, key=lambda member: member.name)):
        words = _timbre(other)
        if (
            other.gender == best.gender
            and all(wish in words for wish in missing)
            and not any(OPPOSITES[wish] in words for wish in met)
        ):
            return other
    return None


def _timbre(member: Voice) -> list[str]:
    return [word.strip() for word in member.timbre.split(",")]


def _a(words: str) -> str:
    return f"{'an' if words[0].lower() in 'aeiou' else 'a'} {words}"


def _described(member: Voice, persona: Persona, rivals: Sequence[Voice]) -> str:
    """Such as "a low British man, the lowest of 4"."""
    words = _timbre(member)
    suits = (word for word, points in _AGE_TIMBRE.get(persona.age or "", {}).items() if points > 0)
    met = [word for word in dict.fromkeys((*persona.timbre, *suits)) if word in words]
    told = _a(" ".join([*met, member.accent, _PEOPLE[member.gender]]))
    for word, first in (("low", min), ("high", max)):
        if word in met and member is first(rivals, key=lambda rival: rival.pitch):
            told += f", the {word}est of {len(rivals)}" if len(rivals) > 1 else ""
    return told


def _against(persona: Persona, voice: str, chosen: Sequence[tuple[Voice, float]]) -> list[str]:
    """Notes where a voice that the caller chose is not what the words ask for."""
    notes = []
    main = max(chosen, key=lambda part: part[1])[0]
    if persona.gender and persona.gender != main.gender and persona.age != "child":
        notes.append(
            f"{voice} is a {_PEOPLE[main.gender]}'s voice; {_asking(persona, 'gender')} asks for a "
            f"{_PEOPLE[persona.gender]}'s. The voice given is kept."
        )
    if persona.accent and persona.accent != main.accent:
        notes.append(
            f"{voice} speaks {main.accent}; {_asking(persona, 'accent')} asks for "
            f"{persona.accent}. The voice given is kept."
        )
    return notes


def _asking(persona: Persona, what: str) -> str:
    """The words that ask for something, quoted."""
    found = (reason.words for reason in persona.reasons if reason.what == what)
    return repr(next(found, "the direction"))


def _acted(
    persona: Persona, chosen: Sequence[tuple[Voice, float]]
) -> list[tuple[Manner, str, str]]:
    """What is added to the manner, each with a reason and a note; either may be empty."""
    if not chosen:
        return []
    added: list[tuple[Manner, str, str]] = []
    for wish in persona.timbre:
        if not any(wish in _timbre(member) for member, _ in chosen):
            done = _DONE_FOR[wish]
            name = "the voice" if len(chosen) > 1 else chosen[0][0].name
            told = f"{wish}: {name} is not, so it is spoken {done.told}" if done else ""
            added.append((done, told, "" if done else f"{name} is not {wish}; that is not acted."))
    if persona.age == "old":
        gender = max(chosen, key=lambda part: part[1])[0].gender
        old = _OLD + Manner(pitch=_OLD_PITCH[gender])
        added.append((old, f"old: no age of a voice is known, so it is spoken {old.told}", ""))
    if persona.age == "child":
        pitch = persona.manner.pitch + math.fsum(manner.pitch for manner, *_ in added)
        added.append(_as_child(persona, chosen, BOUNDS["pitch"][1] - pitch))
    return added


def _as_child(
    persona: Persona, chosen: Sequence[tuple[Voice, float]], room: float
) -> tuple[Manner, str, str]:
    """As high as a child, or as near to it as `room` in semitones allows."""
    pitch = math.exp(math.fsum(share * math.log(member.pitch) for member, share in chosen))
    wanted = 12 * math.log2(CHILD_PITCH / pitch)
    most = BOUNDS["pitch"][1]
    shift = round(max(min(wanted, room, most), 0.0), 1)
    higher = round(most - room + shift, 1)  # with what else is asked
    names = " and ".join(member.name for member, _ in chosen)
    boy = " (a boy is nearest to a woman's)" if persona.gender == "male" else ""
    short = (
        f"; a child of {CHILD_PITCH:.0f} Hz would be {wanted:.1f} higher, which is too far"
        if wanted > higher + 0.05
        else ""
    )
    note = (
        f"No child's voice is in the cast; nearest: {names}{boy}, spoken {higher:g} semitones "
        f"higher with a smaller speaker's formants{short}."
    )
    return _CHILD + Manner(pitch=shift), "", note
