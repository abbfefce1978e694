"""`Scene`: a dialogue script on a visitor's desk, with its cast, its moods and what is spoken."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import threading
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, NamedTuple

from conditioning.director import Cue, Director, Line
from conditioning.emotion import EmotionVector, quoted
from conditioning.errors import InvalidInput, UserError
from conditioning.persona import Persona
from conditioning.temperament import Temperament, find_temperament
from voice_actor.audition import MOST_TAKES, Take
from voice_actor.mouth import mouth_cues, rhubarb_json
from voice_actor.performance import Performance
from voice_actor.production.draft import Part, draft_cast
from voice_actor.scripts import Problem, ScriptLine, file_names, read_script, refuse, suffix_of
from voice_actor.voices import Voice, parse_voice

from .room import LONGEST_LINE, Room, Visitor, withdraw

if TYPE_CHECKING:
    from conditioning.direction import Direction, DirectionReader

MOST_LINES = 300  # in the studio
LONGEST_SCRIPT = 500_000  # characters
SPOKEN = 0.6  # of the work at a line, where it is listened to as well
SHOWN = 3  # emotions on a card
NOTE = (
    "All speech here is synthetic and marked as such: by an inaudible watermark and in the "
    "metadata of each file. Keep both when you publish it, and say that it is synthetic where "
    "listeners might take it for a person's."
)

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
class Role:
    """A character of a scene.

    Attributes:
        lines: how many they have.
        voice: a name of the cast or a blend.
        temperament: a word of `TEMPERAMENTS`.
        who: what the character's name or first direction says about them.
        why: that voice, in a few words.
    """

    character: str
    lines: int
    voice: str
    temperament: str = "average"
    who: Persona = field(default_factory=Persona)
    why: str = ""


def _role(part: Part) -> Role:
    return Role(part.character, part.lines, part.voice, who=part.who, why=part.why)


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
    asked: list[list]
    trouble: str
    digest: str


@dataclass(frozen=True, eq=False)
class Said:
    """What a line became when it was spoken.

    Attributes:
        key: all that decided it; another one means that it has to be spoken again.
        written: its direction, as the script or the creator had it.
        number: of the attempt, from 0.
        url: where the browser finds it.
        heard: what an estimator heard in it, if it was asked.
    """

    key: str
    written: str
    performance: Performance
    number: int
    url: str
    heard: Take | None = None


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
        roles: the cast, by character.
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
    roles: dict[str, Role]
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
        roles = {part.character: _role(part) for part in draft_cast(lines, room.voices)}
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
        temperaments = {
            name: find_temperament(role.temperament) for name, role in self.roles.items()
        }
        director = Director(temperaments, self.reader)
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
        trouble = ""
        asked = Line(line.character, line.text, self.written(line) or None, line.to)
        try:
            cue = director.direct(asked)
        except UserError as error:
            if asked.direction is None:
                raise
            trouble = f"Spoken without its direction, which cannot be read: {error}"
            cue = director.direct(replace(asked, direction=None))
        if not cue.direction.text.strip():
            raise InvalidInput(f"nothing in {quoted(line.text)} can be spoken")
        who = self.roles[line.character].who
        direction = _as_somebody(cue.direction, who)
        curve = direction.curve.to_json()
        decides = json.dumps([line.text, direction.to_json(), curve, repr(who)])
        digest = hashlib.sha256(decides.encode()).hexdigest()
        return Directed(cue, direction, strongest(cue.emotion), trouble, digest)

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
        """All that decides how a line sounds."""
        voice, attempt = self.roles[line.character].voice, self.tries.get(line.id, 0)
        return f"{self.directed[line.id].digest} {voice} {attempt}"

    def is_current(self, line: ScriptLine) -> bool:
        """Whether what was spoken is what the page now asks for."""
        said = self.said.get(line.id)
        return said is not None and said.key == self.key(line)

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
        names = file_names(line.id for line in self.lines)
        todo = [
            line
            for line in map(self.line, dict.fromkeys(wanted))
            if not self.is_current(line) or (listen and self.said[line.id].heard is None)
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
                    for share in self._make(room, visitor, line, names[line.id], listen):
                        self.step = Step(
                            number, len(todo), line.character, before + share / len(todo)
                        )
                        yield
                        if self._run != mine:
                            return
                except UserError as error:
                    # One line must not keep the others from being spoken.
                    self.failed[line.id] = f"Not spoken: {error}"
        finally:
            if self._run == mine:
                self.step, self._left = None, ()

    def _make(
        self, room: Room, visitor: Visitor, line: ScriptLine, name: str, listen: bool
    ) -> Iterator[float]:
        """Speaks a line, if that is needed, and listens to it, if it is asked: the share done."""
        if not self.is_current(line):
            key, number, written = self.key(line), self.tries.get(line.id, 0), self.written(line)
            # The takes of a seed differ to be heard; another seed alone is another breath.
            seed, take = number - number % MOST_TAKES, number % MOST_TAKES
            directed, voice = self.directed[line.id].direction, self.roles[line.character].voice
            speaking = room.speak(line.text, directed, voice, seed, take)
            for share in speaking:
                yield (SPOKEN if listen else 1.0) * share
            performance = speaking.performance()
            url = visitor.publish(f"{name}.wav", performance.encode())
            before = self.said.get(line.id)
            self.said[line.id] = Said(key, written, performance, number, url)
            if before is not None:
                withdraw(before.url)
            yield SPOKEN if listen else 1.0
        said = self.said[line.id]
        if listen and said.heard is None:
            heard = room.judge(said.performance, said.number % MOST_TAKES, _seed(said))
            # Whoever took over may have spoken it again meanwhile.
            if self.said.get(line.id) is said:
                self.said[line.id] = replace(said, heard=heard)

    # Showing and handing over

    def to_cards(self) -> list[dict[str, Any]]:
        """The lines for the page; text as it was written, for the page to show as text."""
        return [self._card(number, line) for number, line in enumerate(self.lines, 1)]

    def _card(self, number: int, line: ScriptLine) -> dict[str, Any]:
        cue, direction, asked, trouble, _ = self.directed[line.id]
        said = self.said.get(line.id)
        state = "new" if said is None else "spoken" if self.is_current(line) else "changed"
        return {
            "id": line.id,
            "number": number,
            "character": line.character,
            "to": ", ".join(line.to),
            "voice": self.roles[line.character].voice,
            "text": line.text,
            "direction": self.written(line),
            "asked": asked,
            "mood": cue.before.name,
            "why": list(cue.why),
            "notes": [*filter(None, (self.failed.get(line.id), trouble)), *direction.notes],
            "state": state,
            "url": said.url if said else "",
            "seconds": round(said.performance.audio.duration, 1) if said else 0,
            "heard": strongest(heard_in(said.heard)) if said and said.heard else None,
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

    def zip(self, licences: Mapping[str, str]) -> bytes:
        """Everything that is spoken, with a manifest, as a ZIP.

        Args:
            licences: of each voice.

        Raises:
            InvalidInput: nothing is spoken.
        """
        said = dict(self.said)  # as it is now; a line may be spoken meanwhile
        spoken = [line for line in self.lines if line.id in said]
        if not spoken:
            raise InvalidInput("Nothing is spoken yet; press Speak all first.")
        names = file_names(line.id for line in spoken)
        files = {line.id: f"audio/{names[line.id]}.wav" for line in spoken}
        described = [
            self._described(line, said[line.id], files[line.id], licences) for line in spoken
        ]
        manifest = {
            "script": self.name,
            "note": NOTE,
            "cast": self.to_cast(),
            "lines": described,
            "not_spoken": [line.id for line in self.lines if line.id not in said],
        }
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
            for line in spoken:
                performance = said[line.id].performance
                file.writestr(files[line.id], performance.encode())
                mouth = rhubarb_json(mouth_cues(performance), f"{names[line.id]}.wav")
                file.writestr(f"mouth/{names[line.id]}.json", json.dumps(mouth))
            file.writestr("manifest.json", json.dumps(manifest, ensure_ascii=False, indent=1))
            file.writestr("manifest.csv", _table(described))
            file.writestr(f"script{PurePath(self.name).suffix.lower()}", self.source)
        return packed.getvalue()

    def _described(
        self, line: ScriptLine, said: Said, file: str, licences: Mapping[str, str]
    ) -> dict[str, Any]:
        performance = said.performance
        names = [name for name, _ in parse_voice(performance.voice, licences)]
        described = {
            "id": line.id,
            "character": line.character,
            "to": list(line.to),
            "text": performance.text,
            "file": file,
            "mouth": file.replace("audio/", "mouth/", 1).removesuffix("wav") + "json",
            "voice": performance.voice,
            "seed": _seed(said),
            "take": said.number % MOST_TAKES,
            "direction": said.written,
            "asked": performance.direction.curve.mean().to_json(),
            "duration": round(performance.audio.duration, 4),
            "words": [[word, round(a, 4), round(b, 4)] for word, a, b in performance.words],
            "synthetic": True,
            "licence": " and ".join(dict.fromkeys(licences[name] for name in names)),
            "provenance": asdict(performance.provenance),
            # Whether the page asked for something else by the time of the download.
            "changed_since": said.key != self.key(line),
        }
        if said.heard is not None:
            described["heard"] = heard_in(said.heard).to_json()
            described["score"] = round(said.heard.score, 4)
            described["heard_by"] = said.heard.heard[0].estimator
        return described


def strongest(vector: EmotionVector) -> list[list]:
    """The first few emotions, for a card."""
    return [[name, round(value, 2)] for name, value in vector.items()[:SHOWN] if value >= 0.005]


def heard_in(take: Take) -> EmotionVector:
    """What was heard in a take, its mean over the windows that were listened to."""
    share = 1 / len(take.heard)
    total: Counter[str] = Counter()
    for estimate in take.heard:
        for name, value in estimate.intensities.items():
            total[name] += share * value
    return EmotionVector({name: min(value, 1.0) for name, value in total.items()})


def _as_somebody(direction: Direction, who: Persona) -> Direction:
    """The direction for somebody: what it says itself about the speaker holds."""
    said = direction.persona
    if not who.is_somebody or said.is_somebody:
        return direction
    persona = replace(said, gender=who.gender, age=who.age, accent=who.accent, timbre=who.timbre)
    return replace(direction, persona=persona)


def _seed(said: Said) -> int:
    return said.number - said.number % MOST_TAKES


def _table(described: Sequence[Mapping[str, Any]]) -> bytes:
    """The manifest for spreadsheets, which know UTF-8 by its mark."""
    columns = list(dict.fromkeys(name for row in described for name in row))
    table = io.StringIO(newline="")
    writer = csv.DictWriter(table, columns, restval="")
    writer.writeheader()
    writer.writerows({name: _flat(value) for name, value in row.items()} for row in described)
    return table.getvalue().encode("utf-8-sig")


def _flat(value: Any) -> Any:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value
