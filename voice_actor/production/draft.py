"""A first cast for a script: a voice for each character, and the cast file to go on from."""

from __future__ import annotations

import math
import re
import textwrap
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from conditioning.errors import InvalidInput
from conditioning.persona import Persona, read_persona
from conditioning.temperament import TEMPERAMENTS, Temperament
from voice_actor.casting import cast_voice
from voice_actor.scripts import ScriptLine
from voice_actor.voices import Voice, cast, parse_voice

from .alike import ALIKE, likeness
from .cast_file import read_cast
from .delivery import ENGINES, Delivery

GENDERS = "female", "male"
_SPOKEN_AS = {"old": ", spoken as an old one", "child": ", spoken as a child"}
# A person of each gender and age, in words that `read_persona` reads as just that.
_PEOPLE = {"female": "woman", "male": "man", None: "person"}
_AGES = {"young": "young", "adult": "grown-up", "old": "old"}
_CHILDREN = {"female": "girl", "male": "boy", None: "child"}


@dataclass(frozen=True)
class Part:
    """A character of a script, and who might speak for them.

    Attributes:
        lines: how many they have.
        voice: a name of the cast or a blend.
        persona: who they are, in words; "" where neither name nor first direction says.
        who: the same, read.
        why: that voice, in a few words; "" where any would have done.
    """

    character: str
    lines: int
    voice: str
    persona: str = ""
    who: Persona = field(default_factory=Persona)
    why: str = ""


def draft_cast(
    lines: Sequence[ScriptLine], voices: Sequence[Voice], taken: Iterable[str] = ()
) -> tuple[Part, ...]:
    """A voice for each character, in the order in which they speak; different ones while they last.

    Where a character's name or first direction says who they are ("GIRL", "as an old man"), a voice
    that suits; the others get women's and men's voices in turn, the best first. Voices that sound
    like somebody else's come after those that do not.

    Args:
        voices: to choose from.
        taken: voices and blends that others have already.
    """
    first: dict[str, ScriptLine] = {}
    for line in lines:
        first.setdefault(line.character, line)
    counts = Counter(line.character for line in lines)
    people = {name: _who(name, line.direction) for name, line in first.items()}
    chosen: dict[str, tuple[str, str]] = {}
    used = Counter(voice for spec in taken for voice in _voices_in(spec))
    last = ""
    # Who is described chooses first: the others can do with any voice.
    for name in sorted(people, key=lambda name: not people[name][0].is_somebody):
        who, _ = people[name]
        fewest = min(used[voice.name] for voice in voices)
        free = [voice for voice in voices if used[voice.name] == fewest]
        apart = [
            voice for voice in free if all(likeness(voice.name, other) < ALIKE for other in used)
        ]
        if who.is_somebody:
            members = _suiting(partial(_may_be, who), apart, free, voices) or voices
            casting = cast_voice(who, None, members)
            reason = casting.reasons[0].partition(": ")[2] + _SPOKEN_AS.get(who.age, "")
            chosen[name] = casting.voice, reason
        else:
            gender = min(GENDERS, key=lambda each: (_share(used, voices, each), each == last))
            members = _suiting(partial(_may_be, Persona(gender=gender)), apart, free) or free
            chosen[name] = _best(members).name, ""
            last = gender
        used.update(_voices_in(chosen[name][0]))
    return tuple(
        Part(name, counts[name], chosen[name][0], words, who, chosen[name][1])
        for name, (who, words) in people.items()
    )


def _who(name: str, direction: str | None) -> tuple[Persona, str]:
    """Who somebody is by name and, failing that, by their first direction, read and in words.

    How they speak in it is no part of who they are.
    """
    for words in (name.lower(), direction or ""):
        said = read_persona(words)
        who = Persona(said.gender, said.age, said.accent, said.timbre)
        if who.is_somebody:
            return who, name.lower() if words == name.lower() else _described(who)
    return Persona(), ""


def _described(who: Persona) -> str:
    """Such as "an old British man with a low voice"."""
    people = _CHILDREN if who.age == "child" else _PEOPLE
    words = " ".join(filter(None, (_AGES.get(who.age), who.accent, people[who.gender])))
    sound = f" with a {', '.join(who.timbre)} voice" if who.timbre else ""
    return f"{'an' if words[0] in 'aeiouA' else 'a'} {words}{sound}"


def _may_be(who: Persona, voice: Voice) -> bool:
    # A boy is nearest to a woman's voice; see `casting`.
    gender = "female" if who.age == "child" else who.gender
    return gender in (None, voice.gender) and who.accent in (None, voice.accent)


def _suiting(suits: Callable[[Voice], bool], *choices: Sequence[Voice]) -> list[Voice]:
    """Those who suit of the first choice in which anybody does; nobody where none has any."""
    found = (list(filter(suits, choice)) for choice in choices)
    return next(filter(None, found), [])


def _voices_in(spec: str) -> list[str]:
    return [name for name, _ in parse_voice(spec, [voice.name for voice in cast()])]


def _share(used: Mapping[str, int], voices: Sequence[Voice], gender: str) -> float:
    """How often voices of a gender were chosen; infinite where there are none."""
    names = [voice.name for voice in voices if voice.gender == gender]
    return sum(used[name] for name in names) if names else math.inf


def _best(voices: Sequence[Voice]) -> Voice:
    """As `casting` would choose where next to nothing is asked."""
    by_name = {voice.name: voice for voice in voices}
    wish = Persona(gender=voices[0].gender)
    return by_name[cast_voice(wish, None, voices).voice]


def draft_file(
    lines: Sequence[ScriptLine],
    voices: Sequence[Voice],
    engine: str = "plain",
    variables: Iterable[str] = (),
) -> str:
    """The text of a cast file with a table for each character, which comments explain.

    Args:
        voices: to choose from.
        engine: a key of `ENGINES`.
        variables: names of those for which the script needs a value.

    Raises:
        UnknownName: an engine that is not known.
    """
    Delivery(engine)
    parts = draft_cast(_one_spelling(lines), voices)
    needed = [f'# {_key(name)} = ""' for name in dict.fromkeys(variables)]
    head = _HEAD.format(
        engine=engine,
        engines=", ".join(ENGINES),
        temperaments=textwrap.fill(
            ", ".join(TEMPERAMENTS) + ".", 100, initial_indent="# ", subsequent_indent="# "
        ),
        variables="\n".join(needed or ['# gold = "twenty"']),
    )
    tables = [*_table(parts[0], _examples(parts[0])), *_tables(parts[1:])] if parts else []
    return head + "\n".join(tables)


def added(
    text: str, lines: Sequence[ScriptLine], voices: Sequence[Voice], name: str = "cast.toml"
) -> str:
    """The text of a cast file with tables at its end for the characters that it lacks.

    What was there stays to the byte; where nobody is new, nothing is added. The new ones get voices
    that nobody has, while they last.

    Raises:
        InvalidInput: all that is wrong with the text, or that no tables can follow it.
    """
    found = read_cast(text, name)
    missing = found.missing(line.character for line in lines)
    new = [line for line in _one_spelling(lines) if line.character in missing]
    if not new:
        return text
    taken = {
        role.voice or cast_voice(read_persona(role.persona), None, voices).voice
        for role in found.roles.values()
    }
    tables = "\n".join(["", *_tables(draft_cast(new, voices, taken))])
    end = "" if text.endswith("\n") or not text else "\n"
    longer = text + (end + tables).replace("\n", "\r\n" if "\r\n" in text else "\n")
    try:
        tomllib.loads(longer)
    except tomllib.TOMLDecodeError:
        raise InvalidInput(
            "No characters can be added to this cast file, whose own are not written as tables; "
            "begin each with a line such as [characters.Bran]."
        ) from None
    return longer


_HEAD = """\
# Who speaks each character of the script, and how. What follows a # is a remark, or an example:
# take away its # and change it. Under [characters] the voices are first suggestions.

# moods = true  # what happens in a line moves those who hear it, and is felt in the lines after
# seed = 1  # another number, and everything is breathed a little differently

[delivery]  # the files that are made
# the engine decides where they lie and how they are named; of {engines}
engine = "{engine}"
# format = "wav"  # or flac, ogg, opus, mp3, as far as the engine imports it
# sample_rate = 48000  # Hz
# loudness = -20.0  # LUFS of a character who speaks plainly; -23 unless given
# extras = ["rhubarb", "face"]  # for mouth and face

[quality]  # when a line is tried again, and listed for a person to hear
# word_errors = 0.1  # share of words that were misheard; 0.25 unless given

[variables]  # what is said where the game puts something in
{variables}

[tags]  # what the script's markup does to its words; other tags are left out
# b = "emphasis"

[pronunciations]  # of words, for everybody, in the phonemes that `voice-actor speak --say` takes
# Isolde = "ɪzˈOldə"

# Temperaments, by which moods carry over:
{temperaments}

"""


def _one_spelling(lines: Iterable[ScriptLine]) -> list[ScriptLine]:
    """The lines, with one spelling for names that differ in case alone, as a cast file has them."""
    first: dict[str, str] = {}
    return [
        replace(line, character=first.setdefault(line.character.casefold(), line.character))
        for line in lines
    ]


def _tables(parts: Iterable[Part]) -> Iterator[str]:
    for part in parts:
        yield from _table(part)


def _table(part: Part, examples: Iterable[str] = ()) -> Iterator[str]:
    """The lines of a character's table, an empty one last."""
    count = "1 line" if part.lines == 1 else f"{part.lines:,} lines"
    yield f"[characters.{_key(part.character)}]  # {count}"
    yield f"voice = {_string(part.voice)}" + (f"  # {part.why}" if part.why else "")
    if part.persona:
        yield f"persona = {_string(part.persona)}"
    traits = read_persona(part.persona).temperament or Temperament()
    # A mixture of several has no word of its own; unless told otherwise, the persona's holds.
    yield from (f'temperament = "{word}"' for word in TEMPERAMENTS if TEMPERAMENTS[word] == traits)
    yield from examples
    yield ""


def _examples(part: Part) -> Iterator[str]:
    """What else a table may say, as remarks."""
    if not part.persona:
        yield '# persona = "an old, gruff innkeeper"  # who they are and how they always speak'
    yield '# mood = "a little bitter"  # what they feel when nothing has happened'
    yield "# loudness = -26.0  # LUFS, where it is not everybody's"
    yield f"# aliases = [{_string(f'Voice of {part.character}')}]  # other names in the script"
    yield '# pronunciations = { Isolde = "ˈIzOld" }  # where they say a word in their own way'


def _key(name: str) -> str:
    """A name as a key of TOML, quoted where it has to be."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _string(name)


def _string(text: str) -> str:
    """A text as a string of TOML; whatever would break its line is escaped."""
    return '"' + "".join(map(_character, text)) + '"'


def _character(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    breaks = unicodedata.category(character) in ("Cc", "Zl", "Zp")
    return f"\\u{ord(character):04x}" if breaks else character
