"""The plan of a production: which lines are spoken, by whom and how, each with a key of its own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, cached_property
from typing import NamedTuple

from conditioning.direction import Direction, DirectionReader
from conditioning.director import Cue, Director, Line
from conditioning.emotion import quoted
from conditioning.errors import InvalidInput, UserError
from conditioning.weights import CHECKPOINTS, hash_of
from voice_actor import __version__
from voice_actor.casting import cast_voice
from voice_actor.phonemes import phonemize
from voice_actor.scripts import Problem, Row, ScriptLine, refuse_all, speakers
from voice_actor.voices import Voice, accent_of

from .cast_file import CastFile
from .delivery import Delivery, file_places
from .gate import MOST_RETRIES, Gate
from .roles import Role, played

MOST = 16  # takes of a line; an audition of more is for `voice-actor speak`
# From one attempt at a line to the first after it was flagged: more than a run can need, and never
# a multiple of the takes of a seed, of which the first is the plain reading.
STEP = 37
assert STEP >= MOST + MOST_RETRIES
assert STEP % 2


@dataclass(frozen=True)
class Job:
    """A line to speak, with everything that decides how it sounds and where it goes.

    Attributes:
        line: as the script has it.
        place: of the audio file in the production's folder, such as "voice/x.ogg".
        direction: what is asked of the voice.
        voice: a name of the cast or a blend.
        pronunciations: written word -> phonemes.
        loudness: LUFS of the voice's neutral reading.
        seed, first, takes: attempts `first`, `first` + 1 … at the line, of which the best is kept;
            see `voicing`.
        delivery: in what form it is handed over.
        gate: what a good line is; None where nobody listens.
        notes: what a person should know about the direction.
        key: other keys sound different; see `Plan`.
    """

    line: ScriptLine
    place: str
    direction: Direction
    voice: str
    pronunciations: Mapping[str, str]
    loudness: float
    seed: int
    first: int
    takes: int
    delivery: Delivery
    gate: Gate | None
    notes: tuple[str, ...]
    key: str


class Unspoken(NamedTuple):
    """A line that holds no word, such as "..."."""

    line: ScriptLine
    why: str


@dataclass(frozen=True)
class Plan:
    """What a cast file makes of a script.

    The key of a line is a hash of its text and its direction as written, of its character's role,
    of the seed, of this version and its weights, and of how often the line was flagged. Where moods
    carry over, it is one of what the director makes of the line, too: what is said before then
    counts. Takes and gate are no part of it: what was spoken under others stays.

    Attributes:
        lines: of all scripts, in their order.
        cast: who plays whom.
        voices: of the cast.
        reader: reads directions.
        takes: at each line, of which the best is kept; 1 to 16.
        gate: None where nobody listens.
        retakes: keys of recordings that are not wanted, by the line's id.
    """

    lines: tuple[ScriptLine, ...]
    cast: CastFile
    voices: tuple[Voice, ...]
    reader: DirectionReader
    takes: int = 1
    gate: Gate | None = None
    retakes: Mapping[str, Collection[str]] | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.takes <= MOST:
            raise InvalidInput(
                f"{self.takes} takes of each line are asked for; allowed: 1 to {MOST}."
            )

    @cached_property
    def places(self) -> dict[str, str]:
        """Where each line's audio lies, by its id."""
        return file_places(self.cast.delivery, [line.id for line in self.lines])

    @cached_property
    def players(self) -> dict[str, Player]:
        """Who plays whom, by the script's names for the characters."""
        return {name: Player.of(self.cast.role(name), self.voices) for name in speakers(self.lines)}

    @cached_property
    def keys(self) -> dict[str, tuple[str, int]]:
        """The key of each line and its first attempt, by its id.

        Raises:
            InvalidInput: where moods carry over, every problem with a line.
        """
        cues = self._carried if self.cast.moods else {}
        return {line.id: self._wanted(line, cues.get(line.id)) for line in self.lines}

    def _wanted(self, line: ScriptLine, cue: Cue | None) -> tuple[str, int]:
        """The first key that nobody wants to have spoken again, and where its attempts begin."""
        player = self.players[line.character]
        decides = {
            "version": version(),
            "text": line.text,
            "direction": line.direction,
            "player": player.to_json() | {"pronunciations": self._pronunciations(line)},
            "seed": self.cast.seed,
            "cue": cue and digest([cue.direction.to_json(), cue.direction.curve.to_json()]),
        }
        unwanted = (self.retakes or {}).get(line.id, ())
        first = 0
        while (key := digest([decides, first])) in unwanted:
            first += STEP
        return key, first

    def form(self, line: ScriptLine) -> str:
        """In what form a line is handed over: other ones are other files of the same reading."""
        return digest([asdict(self.cast.delivery), self._loudness(line)])

    def _loudness(self, line: ScriptLine) -> float:
        own = self.players[line.character].role.loudness
        return self.cast.delivery.loudness if own is None else own

    def _pronunciations(self, line: ScriptLine) -> dict[str, str]:
        """Those that the line can need, so that a new one leaves the other lines alone."""
        text, given = _plain(line.text), self.players[line.character].role.pronunciations
        return {word: said for word, said in given.items() if _plain(word) in text}

    def jobs(self, ids: Collection[str]) -> tuple[list[Job], list[Unspoken]]:
        """What is to be done for lines, in their order, and those of them that hold no word.

        Raises:
            InvalidInput: every problem with these lines.
        """
        lines = [line for line in self.lines if line.id in ids]
        cues = self._carried if self.cast.moods else self._cues(lines)
        jobs, unspoken, problems = [], [], []
        for line in lines:
            player, cue = self.players[line.character], cues[line.id]
            direction = played(cue.direction, player.role)
            if not any(character.isalnum() for character in direction.text):
                unspoken.append(Unspoken(line, "it holds no word"))
                continue
            pronunciations = self._pronunciations(line)
            try:
                phonemize(direction.text, accent_of(player.voice), pronunciations=pronunciations)
            except UserError as error:
                problems.append(_problem(line, str(error)))
                continue
            key, first = self.keys[line.id]
            jobs.append(
                Job(
                    line=line,
                    place=self.places[line.id],
                    direction=direction,
                    voice=player.voice,
                    pronunciations=pronunciations,
                    loudness=self._loudness(line),
                    seed=self.cast.seed,
                    first=first,
                    takes=self.takes,
                    delivery=self.cast.delivery,
                    gate=self.gate,
                    notes=_notes(line, cue),
                    key=key,
                )
            )
        _refuse(problems)
        return jobs, unspoken

    @cached_property
    def _carried(self) -> dict[str, Cue]:
        return self._cues(self.lines)

    def _cues(self, lines: Sequence[ScriptLine]) -> dict[str, Cue]:
        """What the director makes of lines, by id."""
        roles = [player.role for player in self.players.values()]
        director = Director(
            {role.character: role.traits for role in roles},
            self.reader,
            habits={role.character: role.baseline for role in roles},
        )
        cues, problems = {}, []
        for line in lines:
            if not self.cast.moods:
                director.reset()
            try:
                # Somebody who has two names in the script has one mood.
                who, *to = (self._person(name) for name in (line.character, *line.to))
                asked = Line(who, line.text, line.direction, tuple(to))
                cues[line.id], _ = cue_of(director, asked)
            except UserError as error:
                problems.append(_problem(line, str(error)))
        _refuse(problems)
        return cues

    def _person(self, name: str) -> str:
        """Who is meant by a name of the script; the name itself of somebody who says nothing."""
        return name if self.cast.missing([name]) else self.cast.role(name).character


def cue_of(director: Director, line: Line) -> tuple[Cue, UserError | None]:
    """What the director makes of a line, and what is wrong with its direction if that is left out.

    Writers put into parentheses what no voice can do, such as "picks up a mug". The line of the cue
    then has no direction.

    Raises:
        UserError: for the line itself.
    """
    try:
        return director.direct(line), None
    except UserError as error:
        if line.direction is None:
            raise
        return director.direct(replace(line, direction=None)), error


class Checker:
    """Says what stands against speaking a line, as far as it can be seen at once."""

    def __init__(self, cast: CastFile, reader: DirectionReader):
        self._cast, self._reader = cast, reader
        self._told: set[str] = set()

    def __call__(self, row: Row) -> Iterator[str]:
        name = row.character
        if name and name not in self._told and self._cast.missing([name]):
            self._told.add(name)  # once for all their lines
            yield (
                f"{quoted(name)} is not in the cast file; add "
                f"[characters.{json.dumps(name, ensure_ascii=False)}] to it, or let --draft add it"
            )
        try:
            self._reader.direct(row.text)
        except UserError as error:
            yield str(error)


@dataclass(frozen=True)
class Player:
    """A role with the voice that it gets."""

    role: Role
    voice: str

    @classmethod
    def of(cls, role: Role, voices: Sequence[Voice]) -> Player:
        return cls(role, cast_voice(role.who, role.voice, voices).voice)

    def to_json(self) -> dict:
        """For the manifest, and for a line's key."""
        return {
            "voice": self.voice,
            "persona": self.role.persona,
            "mood": self.role.baseline.to_json(),
            "temperament": asdict(self.role.traits),
            "pronunciations": dict(self.role.pronunciations),
        }


@cache
def version() -> str:
    """Of the code and of all its weights."""
    return f"{__version__} {hash_of(CHECKPOINTS / 'manifest.toml')[:12]}"


Found = tuple[str, Problem]  # with the name of the script


def _problem(line: ScriptLine, what: str) -> Found:
    return line.script, Problem(line.place, what.rstrip("."))


def _refuse(problems: Iterable[Found]) -> None:
    problems = list(problems)
    refuse_all(problems, list(dict.fromkeys(name for name, _ in problems)))


def _notes(line: ScriptLine, cue: Cue) -> tuple[str, ...]:
    notes = cue.direction.notes
    if line.direction and cue.line.direction is None:
        left = f"The direction {quoted(line.direction)} cannot be read and was left out."
        notes = (left, *notes)
    return tuple(dict.fromkeys(notes))


def _plain(text: str) -> str:
    return text.replace("’", "'").casefold()


def digest(value: object) -> str:
    """sha256 of what JSON can hold."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
