"""`Room`: what every visitor of the studio shares, and what each keeps to themselves."""

from __future__ import annotations

import io
import json
import re
import secrets
import shutil
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import quote, unquote

from conditioning.audio import Audio
from conditioning.errors import InvalidInput
from conditioning.estimator import HOP, WINDOW, Baseline, EmotionEstimator, Estimate
from conditioning.likeness import Likeness
from voice_actor.audition import Take, habit, judge, listen
from voice_actor.performance import Performance, Stream
from voice_actor.voices import Voice

if TYPE_CHECKING:
    from conditioning.direction import Direction
    from voice_actor.actor import Asked, VoiceActor

LONGEST_LINE = 5_000  # characters, about five minutes of speech
LONGEST_NAME = 40  # characters of a line in the name of its files
KEPT = 32  # neutral readings, and samples of voices; the longest line holds 30 MB
PATIENCE = 180.0  # s; a laptop that slept or changed its network is back by then
SAMPLE = "This is my voice. What shall I say?"
DOWNLOADS = ".wav", ".ogg"


Kept = TypeVar("Kept")


class Neutral(NamedTuple):
    """A voice's own reading of a line, and what an estimator knows of the voice from it."""

    performance: Performance
    baseline: Baseline | None


class Published(NamedTuple):
    """The addresses at which a visitor's browser finds a performance."""

    wav: str
    ogg: str
    json: str


@dataclass(eq=False)
class Visitor:
    """What one open page has made; it is deleted when the page is closed.

    Attributes:
        folder: of the visitor's files, under a name that nobody can guess.
        takes: on the table in Act, by their number on the page.
        likeness: the recording that Act is to follow, if any.
        desk: what the parts of the studio keep for this visitor, each under its own name; what has
            a method `leave` is told when the page is closed.
    """

    folder: Path
    takes: list[Take] = field(default_factory=list)
    likeness: Likeness | None = None
    desk: dict[str, object] = field(default_factory=dict)
    left: bool = False

    def publish(self, name: str, content: bytes) -> str:
        """Writes a file; returns the address at which the browser finds it.

        Each file gets a folder of its own, so that the same name never means another file.

        Raises:
            InvalidInput: the visitor has left.
        """
        if self.left:
            raise InvalidInput("The page was closed; open it again.")
        folder = self.folder / secrets.token_hex(8)
        folder.mkdir(parents=True)
        path = folder / name
        path.write_bytes(content)
        return address(path)

    def publish_performance(self, performance: Performance, name: str | None = None) -> Published:
        """A performance as wav and ogg with its metadata, and its description as JSON.

        Args:
            name: of the files, without what tells the format; after the text unless given.
        """
        name = name or file_name(performance.text)
        sound = (self.publish(name + suffix, performance.encode(suffix)) for suffix in DOWNLOADS)
        return Published(*sound, self.publish(f"{name}.json", to_bytes(performance.to_json())))

    def leave(self) -> None:
        """Deletes every file that the visitor has given and made.

        The readings and voices that `Room` keeps for next time stay in memory until others take
        their place.
        """
        self.left = True
        try:
            for kept in list(self.desk.values()):
                if hasattr(kept, "leave"):
                    kept.leave()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)


class Room:
    """The loaded actor, who speaks for one visitor at a time, and the estimators, who listen.

    Lines are spoken phrase by phrase, so that a long scene of one visitor does not keep another
    from a line; a recording is listened to in one go, which takes seconds.

    Attributes:
        actor: speaks one phrase at a time, and nobody listens meanwhile.
        reading: held while the actor's reader of directions is used.
        estimator_name: who chooses among takes.
        made: the folder of what visitors have made, which their browsers may read.
    """

    def __init__(
        self,
        actor: VoiceActor,
        open_estimator: Callable[[str], EmotionEstimator] = EmotionEstimator.load,
        estimator: str = "permissive",
        patience: float = PATIENCE,
    ):
        """
        Args:
            open_estimator: gives an estimator by its name; asked once for each.
            estimator: who chooses among takes.
            patience: s that a page may be out of reach before what was made on it is deleted.
        """
        self._patience = patience
        self._leaving: dict[str | None, threading.Timer] = {}
        self.actor = actor
        self.estimator_name = estimator
        self._open = open_estimator
        self._estimators: dict[str, EmotionEstimator] = {}
        self._neutrals: OrderedDict[tuple, Neutral] = OrderedDict()
        self._samples: OrderedDict[str, Performance] = OrderedDict()
        self._visitors: dict[str, Visitor] = {}
        # One lock each for whoever may be busy for long, so that a page need not wait to be read.
        self._busy, self.reading, self._door = (threading.RLock() for _ in range(3))
        # Goes at the latest with this process.
        self._temporary = tempfile.TemporaryDirectory(prefix="voice-actor-studio-")
        self.made = Path(self._temporary.name) / "made"

    # Visitors

    def visitor(self, session: str | None) -> Visitor:
        """Who has this session's page open."""
        with self._door:
            if session in self._leaving:
                self._leaving.pop(session).cancel()
            if session not in self._visitors:
                self._visitors[session] = Visitor(self.made / secrets.token_hex(16))
            return self._visitors[session]

    def leave(self, session: str | None) -> None:
        """A page was closed, or its connection lost: unless it comes back, all of it is deleted."""
        with self._door:
            if session in self._visitors:
                going = threading.Timer(self._patience, self._forget, [session])
                going.daemon = True
                self._leaving[session] = going
                going.start()

    def _forget(self, session: str | None) -> None:
        with self._door:
            self._leaving.pop(session, None)
            visitor = self._visitors.pop(session, None)
        if visitor:
            visitor.leave()

    def close(self) -> None:
        """Deletes everything that anybody has given and made."""
        for session in list(self._visitors):
            self._forget(session)
        self._temporary.cleanup()

    # Speaking

    @property
    def voices(self) -> tuple[Voice, ...]:
        """The cast, as far as the actor has it."""
        return self.actor.members

    def direct(self, text: str, direction: Asked = None) -> Direction:
        """What a direction is understood as; see `DirectionReader.direct`."""
        with self.reading:
            return self.actor.reader.direct(checked_line(text), direction)

    def speak(
        self,
        text: str,
        direction: Asked = None,
        voice: str | None = None,
        seed: int = 0,
        take: int = 0,
    ) -> Speaking:
        """A line to be spoken phrase by phrase; takes what `VoiceActor.stream` takes."""
        directed = self.direct(text, direction)
        stream = self.actor.stream(text, directed, voice, seed, None, take)
        return Speaking(stream, self._busy)

    def neutral(self, performance: Performance, seed: int = 0) -> Neutral:
        """The same line, read by the same speaker without anything asked; kept for next time."""
        directed = performance.direction.neutral
        key = (directed.text, performance.voice, directed.persona, seed)
        kept = self._neutrals.get(key)
        if kept is None:
            reading = self.speak(directed.text, directed, performance.voice, seed).performance()
            with self._busy:
                baseline = habit(self.estimator(self.estimator_name), reading)
            kept = Neutral(reading, baseline)
        return keep(self._neutrals, key, kept)

    def sample(self, voice: str) -> Performance:
        """A voice or a blend introduces itself; kept for next time."""
        kept = self._samples.get(voice)
        if kept is None:
            kept = self.speak(SAMPLE, None, voice).performance()
        return keep(self._samples, voice, kept)

    # Listening

    def estimator(self, name: str) -> EmotionEstimator:
        """An estimator, opened when it is first asked for."""
        with self._busy:
            if name not in self._estimators:
                self._estimators[name] = self._open(name)
            return self._estimators[name]

    def judge(self, performance: Performance, number: int, seed: int = 0) -> Take:
        """A performance as a take: what is heard in it, against the voice's own reading."""
        baseline = self.neutral(performance, seed).baseline
        with self._busy:
            heard = listen(performance, self.estimator(self.estimator_name), baseline)
        return Take(performance, number, *judge(performance, heard), heard)

    def baseline(self, takes: Sequence[Audio], estimator: str) -> Baseline:
        """What an estimator hears a voice do by habit; see `EmotionEstimator.baseline`."""
        with self._busy:
            return self.estimator(estimator).baseline(takes)

    def hear(self, audio: Audio, estimator: str, baseline: Baseline | None = None) -> Estimate:
        """What is heard in the whole of a recording."""
        with self._busy:
            return self.estimator(estimator).estimate(audio, baseline)

    def hear_over_time(
        self,
        audio: Audio,
        estimator: str,
        baseline: Baseline | None = None,
        window: float = WINDOW,
        hop: float = HOP,
    ) -> list[Estimate]:
        """What is heard in windows along a recording; see `EmotionEstimator.estimate_over_time`."""
        with self._busy:
            listener = self.estimator(estimator)
            return listener.estimate_over_time(audio, window, hop, baseline)

    def imitate(self, audio: Audio, baseline: Sequence[Audio] = ()) -> Likeness:
        """The way in which a recording is spoken; see `Likeness.of`."""
        with self._busy:
            return Likeness.of(audio, None, baseline, self.estimator(self.estimator_name))


class Speaking(Iterator[float]):
    """A line as it is spoken: an iterator over the share that is done, 0 to 1.

    The actor is held for one phrase at a time.
    """

    def __init__(self, stream: Stream, busy: threading.RLock):
        self._stream, self._busy = stream, busy
        self._done = 0

    def __next__(self) -> float:
        with self._busy:
            next(self._stream)
        self._done += 1
        return self._done / self._stream.phrases

    def performance(self) -> Performance:
        """The whole line; what is left of it is spoken first."""
        for _ in self:
            pass
        return self._stream.performance()


def keep(kept: OrderedDict[Any, Kept], key: Any, value: Kept) -> Kept:
    """Puts a value among the `KEPT` that were asked for last, and returns it."""
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > KEPT:
        kept.popitem(last=False)
    return value


def file_name(text: str) -> str:
    """A name for the files of a line, without what tells the format: its first words."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    return "-".join(words)[:LONGEST_NAME].strip("-") or "line"


def to_bytes(described: dict) -> bytes:
    """The content of a JSON file that people may read."""
    return json.dumps(described, ensure_ascii=False, indent=1).encode()


def address(path: Path) -> str:
    """Where the browser finds a file of the room's folder."""
    return f"/gradio_api/file={quote(str(path))}"


def withdraw(url: str) -> None:
    """Deletes a published file, with the folder of its own that it lies in."""
    shutil.rmtree(Path(unquote(url.partition("file=")[2])).parent, ignore_errors=True)


def checked_line(text: str) -> str:
    """The text, if it can be spoken in the studio.

    Raises:
        InvalidInput: nothing, or more than `LONGEST_LINE`.
    """
    if not isinstance(text, str) or not text.strip():
        raise InvalidInput("There is no line to speak; write one.")
    if len(text) > LONGEST_LINE:
        raise InvalidInput(
            f"The line has {len(text):,} characters; the studio speaks up to {LONGEST_LINE:,} at "
            "once. Split it, or use `voice-actor speak`."
        )
    return text


def upload(path: str | None, what: str = "recording") -> bytes:
    """The content of an upload, which is deleted as soon as it is read.

    Raises:
        InvalidInput: nothing was given, or it is no longer there.
    """
    if not path:
        raise InvalidInput(f"There is no {what}; give one.")
    try:
        return Path(path).read_bytes()
    except OSError:
        raise InvalidInput(f"The {what} is no longer here; give it again.") from None
    finally:
        if Path(path).is_file():
            Path(path).unlink(missing_ok=True)


def decoded(content: bytes, what: str = "recording") -> Audio:
    """The sound in a file.

    Raises:
        InvalidInput: it is not audio.
    """
    source = io.BytesIO(content)
    source.name = f"The {what}"
    return Audio.load(source)
