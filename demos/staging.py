"""`Scene`: a dialogue script on a visitor's desk, with its cast, its moods and what is spoken."""

from __future__ import annotations

import io
import threading
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, NamedTuple

from conditioning.director import Cue, Director, Line
from conditioning.emotion import EmotionVector, quoted
from conditioning.errors import InvalidInput, UserError
from conditioning.temperament import Temperament, find_temperament
from voice_actor.production.delivery import Delivery, file_places
from voice_actor.production.draft import Part, draft_cast
from voice_actor.production.gate import Verdict, heard_in
from voice_actor.production.manifest import manifest_csv, manifest_json, strongest
from voice_actor.production.plan import Job, Player, cue_of, digest, version
from voice_actor.production.review import review_page
from voice_actor.production.roles import Role, played
from voice_actor.production.voicing import Attempt, Voiced, licence_of, packed, seed_and_take
from voice_actor.scripts import Problem, ScriptLine, read_script, refuse, suffix_of
from voice_actor.voices import Voice, parse_voice

from .room import LONGEST_LINE, Room, Visitor, withdraw

if TYPE_CHECKING:
    from conditioning.direction import Direction, DirectionReader
    from voice_actor.audition import Take

MOST_LINES = 300  # in the studio
LONGEST_SCRIPT = 500_000  # characters
SPOKEN = 0.6  # of the work at a line, where it is listened to as well
SHOWN = 3  # emotions on a card
SEED = 0
DELIVERY = Delivery("plain", "wav")
# dB. Lines go home as they were heard on the page: to level them takes a reading of each voice.
GAIN = 0.0

EXAMPLE = """# A lighthouse in a storm. Three people, one lamp.
OLD MAN: (calm) Shut the door. The sea has no manners tonight.
MARA: (out of breath, afraid) The lamp is out! There is a ship beyond the rocks.
OLD MAN: Then we carry fire up the stairs. As my father did.
CAPTAIN to MARA: (furious) You let it go dark? I have forty men out there!
MARA to CAPTAIN: I fell asleep. I am so sorry.
OLD MAN to CAPTAIN: (stern) Shout later. Take the oil and climb.
CAPTAIN: [worried, whispering] Listen. [hopeful] That is her bell. She is turning!
MARA: (relieved, overjoyed) She saw us. She saw the light!
"""


@dataclass(frozen=True)
class Character(Role):
    """Who speaks in a scene; their voice and their temperament are always given.

    Attributes:
        lines: how many they have.
        why: that voice, in a few words.
    """

    lines: int = 0
    why: str = ""

    @classmethod
    def of(cls, part: Part) -> Character:
        return cls(
            part.character,
            part.voice,
            part.persona,
            temperament="average",
            lines=part.lines,
            why=part.why,
        )


class Remembering:
    """A reader of directions that reads nothing twice: in a scene most lines stay as they were."""

    def __init__(self, reader: DirectionReader, reading: threading.RLock):
        """`reading` is held while the reader reads, which is not for several threads at once."""
        self._reader, self._reading = reader, reading
        self._directions: dict[tuple, Direction] = {}
        self._lines: dict[tuple, tuple[EmotionVector, tuple[str, ...]]] = {}

    def direct(self, text: str, direction: Any = None, context: Sequence = ()) -> Direction:
        if not isinstance(direction, str):
            with self._reading:
                return self._reader.direct(text, direction, context)
        key = text, direction, tuple(context)
        if key not in self._directions:
            with self._reading:
                self._directions[key] = self._reader.direct(text, direction, context)
        return self._directions[key]

    def line(self, text: str, context: Sequence = ()) -> tuple[EmotionVector, tuple[str, ...]]:
        key = text, tuple(context)
        if key not in self._lines:
            with self._reading:
                self._lines[key] = self._reader.line(text, context)
        return self._lines[key]


class Directed(NamedTuple):
    """A line as it will be spoken: what the director makes of it, by whom, and what to say of it.

    `trouble` is a direction that could not be read: the line is spoken as without it. `digest` is
    of all that the director decides about how the line sounds.
    """

    cue: Cue
    direction: Direction
    asked: list[tuple[str, float]]
    trouble: str
    digest: str

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know about the direction."""
        return (*filter(None, [self.trouble]), *self.direction.notes)


@dataclass(frozen=True, eq=False)
class Said(Attempt):
    """What a line became when it was spoken.

    Attributes:
        job: the line with the direction that it then had, and all that decided how it sounds.
        url: where the browser finds it.
    """

    job: Job
    url: str


class Step(NamedTuple):
    """How far the work is: line `number` of `total` is being spoken, `share` of all is done."""

    number: int
    total: int
    character: str
    share: float


@dataclass(eq=False)
class Scene:
    """A script, and everything that its creator makes of it.

    Attributes:
        name, source: the script as it came.
        roles: the cast, by name.
        changed: directions that the creator wrote on the page, by the line's id.
        tries: which attempt at a line is wanted, by its id; 0 unless given.
        said: what has been spoken, by the line's id.
        failed: why a line could not be spoken, by its id.
        directed: what the director makes of each line, by its id.
        temperaments: by which it did so, by character.
        step: how far the work is; None while nothing is being spoken.
    """

    name: str
    source: str
    lines: tuple[ScriptLine, ...]
    roles: dict[str, Character]
    reader: Remembering
    changed: dict[str, str] = field(default_factory=dict)
    tries: dict[str, int] = field(default_factory=dict)
    said: dict[str, Said] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    directed: dict[str, Directed] = field(default_factory=dict)
    temperaments: dict[str, Temperament] = field(default_factory=dict)
    step: Step | None = None
    _run: int = 0
    _left: tuple[str, ...] = ()  # ids of the lines that the run at work has not finished
    _directing: int = 0

    @classmethod
    def read(cls, source: str, name: str, room: Room, before: Scene | None = None) -> Scene:
        """A script that was pasted or uploaded; `direct` it next.

        Args:
            name: of the file; "" for what was pasted, which is told by its look.
            before: the scene that it is to `take_over` from: what was made of lines with the same
                ids is kept, and so is the cast.

        Raises:
            InvalidInput: all that is wrong with it.
        """
        if len(source) > LONGEST_SCRIPT:
            raise InvalidInput(
                f"The script has {len(source):,} characters; the studio takes up to "
                f"{LONGEST_SCRIPT:,}. Split it."
            )
        if not source.strip():
            raise InvalidInput("There is no script; paste or upload one, or try the example.")
        name = name or f"script{suffix_of(source)}"
        lines = read_script(source, name)
        if len(lines) > MOST_LINES:
            raise InvalidInput(
                f"The script has {len(lines):,} lines; the studio takes up to {MOST_LINES} at "
                "once. Split it into scenes."
            )
        cast = draft_cast(lines, room.voices)
        roles = {part.character: Character.of(part) for part in cast}
        scene = cls(name, source, lines, roles, Remembering(room.actor.reader, room.reading))
        if before is not None:
            scene._go_on_from(before)
        return scene

    def _go_on_from(self, before: Scene) -> None:
        self.reader = before.reader
        # The same, not copies: what is spoken while this script is read is kept, too.
        self.said, self.tries = before.said, before.tries
        written = {line.id: line.direction for line in before.lines}
        for line in self.lines:
            # What the script now says anew holds against what was written on the page.
            if line.id in before.changed and written.get(line.id) == line.direction:
                self.changed[line.id] = before.changed[line.id]
        for character, role in self.roles.items():
            if character in before.roles:
                kept = before.roles[character]
                self.roles[character] = replace(
                    role, voice=kept.voice, temperament=kept.temperament, why=kept.why
                )

    def take_over(self, before: Scene) -> None:
        """Takes the place of the scene before: that one stops, and lines that are gone go."""
        before.stop()
        for id in set(self.said) - {line.id for line in self.lines}:
            withdraw(self.said.pop(id).url)
            self.tries.pop(id, None)

    # Directing

    def direct(self) -> Iterator[float]:
        """Directs line after line: an iterator over the share that is done.

        Whoever was directing before stops: what they read is no longer what the page asks for.

        Raises:
            InvalidInput: at the end, for all lines that cannot be spoken.
        """
        self._directing += 1
        mine = self._directing
        temperaments = {name: role.traits for name, role in self.roles.items()}
        habits = {name: role.baseline for name, role in self.roles.items()}
        director = Director(temperaments, self.reader, habits=habits)
        directed, problems = {}, []
        for number, line in enumerate(self.lines, 1):
            try:
                directed[line.id] = self._directed(director, line)
            except UserError as error:
                problems.append(Problem(line.place, str(error).rstrip(".")))
            yield number / len(self.lines)
            if self._directing != mine:
                return
        refuse(problems, self.name)
        self.directed, self.temperaments = directed, temperaments

    def _directed(self, director: Director, line: ScriptLine) -> Directed:
        if len(line.text) > LONGEST_LINE:
            raise InvalidInput(
                f"it has {len(line.text):,} characters; the studio speaks up to {LONGEST_LINE:,} "
                "at once"
            )
        asked = Line(line.character, line.text, self.written(line) or None, line.to)
        cue, error = cue_of(director, asked)
        trouble = f"Spoken without its direction, which cannot be read: {error}" if error else ""
        if not cue.direction.text.strip():
            raise InvalidInput(f"nothing in {quoted(line.text)} can be spoken")
        direction = played(cue.direction, self.roles[line.character])
        decides = digest([line.text, direction.to_json(), direction.curve.to_json()])
        return Directed(cue, direction, strongest(cue.emotion.to_json(), SHOWN), trouble, decides)

    def written(self, line: ScriptLine) -> str:
        """A line's direction in words: the creator's, or the script's."""
        return self.changed.get(line.id, line.direction or "")

    def write(self, id: str, direction: str) -> None:
        """The creator's own direction for a line; `direct` the scene again next."""
        line = self.line(id)
        self.changed[id] = " ".join(direction.split())
        if self.changed[id] == (line.direction or ""):
            del self.changed[id]

    def recast(self, roles: Sequence[Mapping[str, str]], voices: Sequence[Voice]) -> None:
        """Other voices and temperaments; `direct` the scene again next.

        Raises:
            InvalidInput, UnknownName: for what is not known; nothing is then changed.
        """
        names = [voice.name for voice in voices]
        changed = dict(self.roles)
        for asked in roles:
            character, voice = str(asked.get("character")), str(asked.get("voice"))
            if character not in changed:
                raise InvalidInput(f"{quoted(character)} is not in this scene; read it again.")
            parse_voice(voice, names)
            temperament = str(asked.get("temperament"))
            find_temperament(temperament)
            role = changed[character]
            why = role.why if voice == role.voice else ""
            changed[character] = replace(role, voice=voice, temperament=temperament, why=why)
        self.roles = changed

    def line(self, id: str) -> ScriptLine:
        for line in self.lines:
            if line.id == id:
                return line
        raise InvalidInput("This line is no longer in the scene; read the script again.")

    # Speaking

    def key(self, line: ScriptLine) -> str:
        """A hash of all that decides how a line sounds."""
        voice, attempt = self.roles[line.character].voice, self.tries.get(line.id, 0)
        return digest([version(), self.directed[line.id].digest, voice, attempt])

    def is_current(self, line: ScriptLine) -> bool:
        """Whether what was spoken is what the page now asks for."""
        said = self.said.get(line.id)
        return said is not None and said.job.key == self.key(line)

    def try_again(self, id: str) -> None:
        """Another attempt at a line that was spoken as it stands."""
        if self.is_current(self.line(id)):
            self.tries[id] = self.tries.get(id, 0) + 1

    def stop(self) -> None:
        """Whoever is at work on the scene ends after the phrase in hand; what is made is kept."""
        self._run += 1
        self._left = ()
        self.step = None

    def speak(
        self, room: Room, visitor: Visitor, ids: Sequence[str] | None = None, listen: bool = False
    ) -> Iterator[None]:
        """Speaks what is missing or changed, line after line; `step` says how far it is.

        Whoever was at work on the scene before stops; what they had left follows after `ids`.

        Args:
            ids: of the lines; all unless given.
            listen: whether each line is listened to, too.
        """
        wanted = [line.id for line in self.lines] if ids is None else [*ids, *self._left]
        self.stop()
        mine = self._run
        places = self._places()
        todo = [
            line
            for line in map(self.line, dict.fromkeys(wanted))
            if not self.is_current(line) or (listen and not self.said[line.id].verdict.heard_by)
        ]
        try:
            for number, line in enumerate(todo, 1):
                if self._run != mine:
                    return
                self._left = tuple(line.id for line in todo[number - 1 :])
                before = (number - 1) / len(todo)
                self.step = Step(number, len(todo), line.character, before)
                yield
                if self._run != mine:
                    return
                self.failed.pop(line.id, None)
                try:
                    for share in self._make(room, visitor, line, places[line.id], listen):
                        self.step = Step(
                            number, len(todo), line.character, before + share / len(todo)
                        )
                        yield
                        if self._run != mine:
                            return
                except UserError as error:
                    # One line must not keep the others from being spoken.
                    self.failed[line.id] = str(error)
        finally:
            if self._run == mine:
                self.step, self._left = None, ()

    def _make(
        self, room: Room, visitor: Visitor, line: ScriptLine, place: str, listen: bool
    ) -> Iterator[float]:
        """Speaks a line, if that is needed, and listens to it, if it is asked: the share done."""
        if not self.is_current(line):
            job = self._job(line, place)
            seed, take = seed_and_take(job.seed, job.first)
            speaking = room.speak(job.line.text, job.direction, job.voice, seed, take)
            for share in speaking:
                yield (SPOKEN if listen else 1.0) * share
            performance = speaking.performance()
            url = visitor.publish(PurePath(place).name, performance.encode())
            before = self.said.get(line.id)
            self.said[line.id] = Said(job.first, performance, Verdict(faults=()), job, url)
            if before is not None:
                withdraw(before.url)
            yield SPOKEN if listen else 1.0
        said = self.said[line.id]
        if listen and not said.verdict.heard_by:
            seed, take = seed_and_take(said.job.seed, said.number)
            verdict = _verdict(room.judge(said.performance, take, seed))
            # Whoever took over may have spoken it again meanwhile.
            if self.said.get(line.id) is said:
                self.said[line.id] = replace(said, verdict=verdict)

    def _places(self) -> dict[str, str]:
        """Where each line's audio lies in the ZIP, by its id."""
        return file_places(DELIVERY, [line.id for line in self.lines])

    def _job(self, line: ScriptLine, place: str) -> Job:
        """A line as it is to be spoken now."""
        directed, role = self.directed[line.id], self.roles[line.character]
        return Job(
            line=replace(line, direction=self.written(line) or None),
            place=place,
            direction=directed.direction,
            voice=role.voice,
            pronunciations=role.pronunciations,
            loudness=DELIVERY.loudness,
            seed=SEED,
            first=self.tries.get(line.id, 0),
            takes=1,
            delivery=DELIVERY,
            gate=None,
            notes=directed.notes,
            key=self.key(line),
        )

    # Showing and handing over

    def to_cards(self) -> list[dict[str, Any]]:
        """The lines for the page; text as it was written, for the page to show as text."""
        return [self._card(number, line) for number, line in enumerate(self.lines, 1)]

    def _card(self, number: int, line: ScriptLine) -> dict[str, Any]:
        directed, failed = self.directed[line.id], self.failed.get(line.id)
        said = self.said.get(line.id)
        heard = None
        if said is not None and said.verdict.heard_by:
            heard = strongest(said.verdict.heard.to_json(), SHOWN)
        state = "new" if said is None else "spoken" if self.is_current(line) else "changed"
        return {
            "id": line.id,
            "number": number,
            "character": line.character,
            "to": ", ".join(line.to),
            "voice": self.roles[line.character].voice,
            "text": line.text,
            "direction": self.written(line),
            "asked": directed.asked,
            "mood": directed.cue.before.name,
            "why": list(directed.cue.why),
            "notes": [*([f"Not spoken: {failed}"] if failed else []), *directed.notes],
            "state": state,
            "url": said.url if said else "",
            "seconds": round(said.performance.audio.duration, 1) if said else 0,
            "heard": heard,
        }

    def to_cast(self) -> list[dict[str, Any]]:
        """The cast for the page."""
        return [
            {
                "character": role.character,
                "lines": role.lines,
                "voice": role.voice,
                "temperament": role.temperament,
                "why": role.why,
            }
            for role in self.roles.values()
        ]

    def pack(self, voices: Sequence[Voice]) -> Iterator[Voiced]:
        """Each line that is spoken by now, for `zip`; takes some 50 ms for one of 4 s.

        Args:
            voices: all that can have spoken.

        Raises:
            InvalidInput: nothing is spoken.
        """
        said = dict(self.said)  # as it is now; a line may be spoken meanwhile
        spoken = [line for line in self.lines if line.id in said]
        if not spoken:
            raise InvalidInput("Nothing is spoken yet; press Speak all first.")
        places = self._places()
        for line in spoken:
            yield _packed(line, said[line.id], places[line.id], voices)

    def zip(self, made: Sequence[Voiced]) -> bytes:
        """What `voice-actor cast` would leave of lines that are packed, and the script."""
        records = [voiced.record for voiced in made]
        hashes = {record["id"]: record["hash"] for record in records}
        build = {
            "version": version(),
            "scripts": [self.name],
            "cast": {name: Player(role, role.voice).to_json() for name, role in self.roles.items()},
            "not_spoken": [
                {"id": line.id, "why": self.failed.get(line.id, "nobody has asked for it yet")}
                for line in self.lines
                if line.id not in hashes
            ],
            # What the page asked to have otherwise by the time of the download.
            "changed_since": [
                line.id for line in self.lines if hashes.get(line.id) not in (None, self.key(line))
            ],
        }
        files: dict[str, bytes | str] = {}
        for voiced in made:
            files |= voiced.files
        files |= {
            "manifest.json": manifest_json(records, build),
            "manifest.csv": manifest_csv(records),
            "review.html": review_page(records, PurePath(self.name).stem),
            f"script{PurePath(self.name).suffix.lower()}": self.source,
        }
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file:
            for path, part in files.items():
                file.writestr(path, part)
        return content.getvalue()


def _packed(line: ScriptLine, said: Said, place: str, voices: Sequence[Voice]) -> Voiced:
    """The files of what was said, where the script has the line now."""
    now = replace(said.job.line, script=line.script, place=line.place, to=line.to)
    job = replace(said.job, line=now, place=place)
    return packed(job, said, said.number + 1, GAIN, licence_of(job.voice, voices))


def _verdict(take: Take) -> Verdict:
    return Verdict(
        faults=(),
        heard=heard_in(take.heard),
        score=take.score,
        reason=take.reason,
        heard_by=take.heard[0].estimator,
    )
