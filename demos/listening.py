"""Listen: what is heard in a visitor's recording, and acting that follows it."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

import gradio as gr
import numpy as np

from conditioning.audio import Audio, read_metadata
from conditioning.errors import InvalidInput, UserError, unknown_name
from conditioning.estimator import Baseline, Estimate
from conditioning.files import shown
from voice_actor.listen import DEPENDABLE, counted
from voice_actor.provenance import Provenance
from voice_actor.screen import ENDS, SLIGHT

from . import pictures
from .act import Act, following_shown
from .plainly import plainly
from .room import Room, Visitor, decoded, upload, withdraw

LONGEST = 600  # s of a recording, of all other takes together, and of what is kept of a visit
AUDIBLE = 0.05  # an intensity below is not told in words
CONSENT = "It is my voice, or its speaker has agreed"
KEPT = (
    "WAV, FLAC, Ogg, Opus or MP3 of one speaker, up to ten minutes. Files are deleted as soon as "
    "they are read; a copy to play stays on this machine, for you alone, until you give another "
    "recording or close this page."
)
EMPTY = "Give a recording and press Listen. What is heard in it will be shown here."
EARS = {
    "standard": "Standard: hears best. Not for commercial use (CC BY-NC-SA 4.0).",
    "permissive": "Permissive: learnt from less speech. For commercial use too (Apache 2.0).",
    "tiny": "Tiny: quick and rough, without other takes. Not for commercial use (CC BY-NC-SA 4.0).",
}
WITHOUT_BASELINE = ("tiny",)
ALL, TAKES, BEFORE = "all voices", "takes", "before"
AGAINST = {
    ALL: "Voices in general",
    TAKES: "Other takes of the same voice, which I give here",
    BEFORE: "The same voice in what I listened to before on this page",
}
EXPLAINED = (
    "A voice that is always hoarse or bright is heard better against its own habits: "
    f"about {DEPENDABLE} takes in mixed moods are dependable."
)
IMITATED = (
    "Act then speaks with the feeling, melody, loudness and pace of this recording, in a voice of "
    "the cast: how it was said, not who said it."
)


@dataclass(frozen=True, eq=False)
class Recording:
    """What was given to be listened to; its file is gone.

    Attributes:
        name: of the file.
        provenance: what it says of itself, if it was made by Voice Actor.
    """

    name: str
    audio: Audio
    provenance: Provenance | None


@dataclass(frozen=True, eq=False)
class Heard:
    """What is heard in a recording, in the whole and over time, and against how many takes."""

    recording: Recording
    whole: Estimate
    over_time: list[Estimate]
    takes: int = 0

    def to_json(self) -> dict:
        """As `voice-actor listen --json` writes it, with and without `--over-time`."""
        return {
            "file": self.recording.name,
            **self.whole.to_json(),
            "over_time": [estimate.to_json() for estimate in self.over_time],
        }


@dataclass(eq=False)
class Desk:
    """What one visitor has given; it is gone when the page is closed.

    Attributes:
        recording: the last.
        takes: others of the same voice.
        heard: recordings that were listened to, oldest first, as far as `LONGEST` allows.
        habits: the takes that the last recording was measured against.
        uploads: files that were given and not yet listened to, with their content: somebody who
            gives the same file has it under the same name, and may delete it.
        published: addresses of the files that the page shows.
    """

    recording: Recording | None = None
    takes: list[Audio] = field(default_factory=list)
    heard: list[Audio] = field(default_factory=list)
    habits: list[Audio] = field(default_factory=list)
    uploads: dict[str, bytes] = field(default_factory=dict)
    published: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, visitor: Visitor) -> Desk:
        return visitor.desk.setdefault("listening", cls())

    def leave(self) -> None:
        """The page was closed: what nobody has read goes too."""
        forget(self.uploads)

    def await_use(self, uploads: Sequence[str | None]) -> None:
        """These files lie on the page; those that lay there before are deleted."""
        present = set(filter(None, uploads))
        forget(path for path in self.uploads if path not in present)
        self.uploads = {
            path: self.uploads[path] if path in self.uploads else Path(path).read_bytes()
            for path in present
            if path in self.uploads or Path(path).is_file()
        }

    def _content(self, path: str, what: str) -> bytes:
        if path in self.uploads:
            return self.uploads[path]
        return upload(path, what)

    def take(self, given: str | None, takes: Sequence[str], agreed: bool) -> Recording:
        """The recording to listen to: the one that is given, or else the last.

        All files are deleted, whatever comes of it.

        Args:
            takes: files of other takes; where there is none, those from before stay.

        Raises:
            InvalidInput: no consent, no recording, one that is too long or is not audio.
        """
        try:
            if not agreed:
                raise InvalidInput(
                    f"Nothing was read, and the recording is deleted. Tick “{CONSENT}” and give "
                    "it again."
                )
            recordings = [self._content(given, "recording")] if given else []
            others = [self._content(take, "other take") for take in takes]
            check_length("The recording lasts", recordings)
            check_length("The other takes together last", others)
            for content in recordings:
                audio = decoded(content, "recording")
                self.recording = Recording(Path(given).name, audio, _provenance(content))
            if self.recording is None:
                raise InvalidInput("There is no recording; upload or record one.")
            if others:
                self.takes = [
                    decoded(content, f"other take {number}")
                    for number, content in enumerate(others, 1)
                ]
            return self.recording
        finally:
            forget((given, *takes))
            self.uploads.clear()

    def voice(self, against: str) -> list[Audio]:
        """The takes to measure the recording against.

        Raises:
            InvalidInput: there are none of the kind.
        """
        if against not in AGAINST:
            raise unknown_name("choice", against, AGAINST)
        before = [audio for audio in self.heard if audio is not self.recording.audio]
        found = {ALL: [], TAKES: self.takes, BEFORE: before}[against]
        if against == TAKES and not found:
            raise InvalidInput(
                "There is no other take to measure against; upload some, or choose "
                f"“{AGAINST[ALL]}”."
            )
        if against == BEFORE and not found:
            raise InvalidInput(
                "Nothing was listened to before this recording; listen to others of the same "
                f"voice first, or choose “{AGAINST[ALL]}”."
            )
        return found

    def remember(self, audio: Audio) -> None:
        """Keeps a recording as a take of the voice; the oldest make room."""
        if not any(audio is known for known in self.heard):
            self.heard.append(audio)
        while sum(known.duration for known in self.heard) > LONGEST:
            del self.heard[0]


def listen(room: Room, desk: Desk, ear: str, against: str) -> Heard:
    """What is heard in the recording that lies on the desk.

    Raises:
        InvalidInput: takes of the voice are missing, hold no speech, or mean nothing to this ear.
        UnknownName: no such ear.
    """
    if ear not in EARS:
        raise unknown_name("listener", ear, EARS)
    takes = desk.voice(against)
    if takes and ear in WITHOUT_BASELINE:
        raise InvalidInput(
            f"{ear.capitalize()} measures against no takes; choose another listener, or "
            f"“{AGAINST[ALL]}”."
        )
    recording = desk.recording
    baseline: Baseline | None = room.baseline(takes, ear) if takes else None
    whole = room.hear(recording.audio, ear, baseline)
    over_time = room.hear_over_time(recording.audio, ear, baseline)
    desk.habits = takes
    if whole.speech:
        desk.remember(recording.audio)
    return Heard(recording, whole, over_time, baseline.takes if baseline else 0)


def check_length(what: str, contents: Sequence[bytes]) -> None:
    """Finds out before anything is decoded whether it can be listened to here.

    Args:
        what: the beginning of what is said otherwise.

    Raises:
        InvalidInput: longer than `LONGEST`.
    """
    lasting = sum(map(_seconds, contents))
    if lasting > LONGEST:
        raise InvalidInput(
            f"{what} {lasting / 60:.1f} minutes; this page listens to {LONGEST // 60} at most. "
            "Give a part, or use the command line: voice-actor listen FILE."
        )


def _seconds(content: bytes) -> float:
    import soundfile

    try:
        return soundfile.info(io.BytesIO(content)).duration
    except soundfile.SoundFileError:
        return 0.0  # reading it will tell what is wrong


def _provenance(content: bytes) -> Provenance | None:
    try:
        return Provenance.from_metadata(read_metadata(io.BytesIO(content)))
    except InvalidInput:
        return None  # likewise


def forget(paths: Iterable[str | None]) -> None:
    """Deletes files, as far as they are still there."""
    for path in filter(None, paths):
        if Path(path).is_file():
            Path(path).unlink(missing_ok=True)


# What the page says


def chosen(ear: str, against: str) -> str:
    """Who listens, and against what, in a few words."""
    habits = {ALL: "voices in general", TAKES: "other takes", BEFORE: "what was heard before"}
    return f"{ear.capitalize()} listens, against {habits[against]}"


def told(estimate: Estimate) -> str:
    """A sentence: what is heard most, and where it lies between pleasant and unpleasant, ..."""
    if not estimate.speech:
        return "No speech is heard."
    names = [f"{name} {value:.2f}" for name, value in estimate.top(3) if value >= AUDIBLE]
    most = f"Most of all {names[0]}" if names else "No emotion stands out"
    if names[1:]:
        most += f", then {_listed(names[1:])}"
    places = []
    for name, ends in ENDS.items():
        value = getattr(estimate, name)
        if math.isfinite(value) and abs(value) >= SLIGHT:
            places.append(ends[value > 0])
    sentences = [f"{most}: {_listed(places)}" if places else most]
    if estimate.neutral >= 0.5:
        sentences.append("Much of it is a neutral voice")
    return "".join(f"{sentence}. " for sentence in sentences).strip()


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def measured(heard: Heard) -> str:
    """Against what was measured, and how far that goes."""
    if not heard.takes:
        return f"Measured against voices in general. {EXPLAINED}"
    said = f"Measured against {counted(heard.takes, 'other take')} of the voice"
    if heard.takes < DEPENDABLE:
        return f"{said}; about {DEPENDABLE} in mixed moods are dependable."
    return f"{said}."


def introduced(recording: Recording, player: str) -> str:
    """The recording's name, a player of it, and where it comes from if it says so: HTML."""
    audio = recording.audio
    label = escape(shown(recording.name))
    parts = [
        f'<h3>{label} <span class="va-listening-length">{audio.duration:.1f} s</span></h3>',
        f'<audio controls preload="metadata" src="{escape(player)}" aria-label="{label}"></audio>',
    ]
    if recording.provenance:
        parts.append(
            '<p class="va-listening-note">Its metadata says that it is synthetic speech, '
            f"{escape(str(recording.provenance))}</p>"
        )
    return "".join(parts)


def summary(heard: Heard, introduction: str, download: str) -> str:
    """What was heard in words, and how to take it along: HTML."""
    return (
        f"{introduction}"
        f'<p class="va-listening-told" role="status">{escape(told(heard.whole))}</p>'
        f'<p class="va-listening-note">{escape(measured(heard))}</p>'
        f'<p><a class="va-listening-download" href="{escape(download)}" '
        f'download="{escape(_stem(heard.recording))}.json">Download all of it as JSON</a></p>'
    )


def portrait(heard: Heard) -> str:
    """Pictures of what was heard: HTML."""
    if not heard.whole.speech:
        return ""
    duration = heard.recording.audio.duration
    return (
        "<h3>Over time</h3>"
        f"{pictures.course([], [], heard.over_time, duration)}"
        f"{pictures.dimensions(heard.over_time, duration)}"
        "<h3>How strongly each emotion is heard</h3>"
        f"{pictures.intensities(heard.whole)}"
    )


def _stem(recording: Recording) -> str:
    return Path(recording.name).stem or "recording"


def playable(audio: Audio) -> bytes:
    """A 16-bit wav; what a lossy format lifted beyond full scale is cut off, as players do."""
    return Audio(np.clip(audio.samples, -1, 1), audio.sample_rate).encode(".wav")


def show(visitor: Visitor, name: str, content: bytes) -> str:
    """Publishes a file, which the next `clear` deletes."""
    address = visitor.publish(name, content)
    Desk.of(visitor).published.append(address)
    return address


def clear(visitor: Visitor) -> None:
    """Deletes the files that the page showed of the recording before."""
    desk = Desk.of(visitor)
    for address in desk.published:
        withdraw(address)
    desk.published.clear()


def add_listening(room: Room, tabs: gr.Tabs, act: Act) -> None:
    """Fills the tab Listen.

    Args:
        act: the tab Act, which is told to follow a recording.
    """
    with gr.Row():
        with gr.Column(scale=2, min_width=320):
            upload = gr.Audio(
                sources=["upload", "microphone"],
                type="filepath",
                label="Recording",
                editable=False,
                buttons=[],
            )
            gr.HTML(f'<p class="va-listening-note">{KEPT}</p>', elem_classes="va-listening-flat")
            agreed = gr.Checkbox(label=CONSENT)
            first = room.estimator_name if room.estimator_name in EARS else "standard"
            with gr.Accordion(chosen(first, ALL), open=False) as choices:
                ear = gr.Radio(
                    [(label, name) for name, label in EARS.items()],
                    value=first,
                    label="Who listens",
                    elem_classes="va-listening-choice",
                )
                against = gr.Radio(
                    [(label, name) for name, label in AGAINST.items()],
                    value=ALL,
                    label="Measured against",
                    info=EXPLAINED,
                    elem_classes="va-listening-choice",
                )
                takes = gr.File(
                    file_count="multiple",
                    label="Other takes of the same voice",
                    height=140,
                    visible=False,
                )
            with gr.Row():
                start = gr.Button("Listen", variant="primary")
                stop = gr.Button("Cancel")
        with gr.Column(scale=3, min_width=320, elem_classes="va-listening"):
            said = gr.HTML(
                f'<p class="va-listening-note">{EMPTY}</p>', elem_classes="va-listening-flat"
            )
            with gr.Row(visible=False) as offer:
                imitate = gr.Button("Act like this", variant="primary", scale=1, min_width=160)
                gr.HTML(
                    f'<p class="va-listening-note">{IMITATED}</p>',
                    scale=3,
                    min_width=280,
                    elem_classes="va-listening-flat",
                )
            drawn = gr.HTML(elem_classes="va-listening-flat")

    def on_given(upload, takes, request: gr.Request):
        Desk.of(room.visitor(request.session_hash)).await_use((upload, *(takes or ())))

    bar = gr.Progress()

    def on_listen(uploaded, given, ear, against, agreed, request: gr.Request, progress=bar):
        visitor = room.visitor(request.session_hash)
        desk = Desk.of(visitor)
        emptied = {upload: gr.Audio(value=None), takes: gr.File(value=None)}
        try:
            recording = desk.take(uploaded, given or (), agreed)
        except UserError:
            yield emptied
            raise
        clear(visitor)
        introduction = introduced(
            recording, show(visitor, f"{_stem(recording)}.wav", playable(recording.audio))
        )
        waiting = f'{introduction}<p class="va-listening-told" role="status">Listening…</p>'
        yield {**emptied, said: waiting, drawn: "", offer: gr.Row(visible=False)}
        progress(0.1, desc="Listening")
        try:
            heard = listen(room, desk, ear, against)
        except UserError:
            yield {said: introduction}
            raise
        described = json.dumps(heard.to_json(), indent=1) + "\n"
        download = show(visitor, f"{_stem(recording)}.json", described.encode())
        yield {
            said: summary(heard, introduction, download),
            drawn: portrait(heard),
            offer: gr.Row(visible=heard.whole.speech),
        }

    def on_stop(request: gr.Request):
        desk = Desk.of(room.visitor(request.session_hash))
        if len(desk.published) != 1:  # nothing was waited for
            return gr.skip()
        return introduced(desk.recording, desk.published[0])

    def on_imitate(request: gr.Request):
        visitor = room.visitor(request.session_hash)
        desk = Desk.of(visitor)
        if desk.recording is None:
            raise InvalidInput("Nothing was listened to yet; give a recording and press Listen.")
        visitor.likeness = room.imitate(desk.recording.audio, desk.habits)
        return gr.Tabs(selected="act"), *following_shown(visitor)

    private = {"api_visibility": "private"}

    def on_choice(ear, against):
        return gr.Accordion(label=chosen(ear, against)), gr.File(visible=against == TAKES)

    gr.on(
        [ear.change, against.change],
        plainly(on_choice),
        [ear, against],
        [choices, takes],
        show_progress="hidden",
        trigger_mode="always_last",
        **private,
    )
    gr.on(
        [upload.change, takes.change],
        plainly(on_given),
        [upload, takes],
        None,
        show_progress="hidden",
        trigger_mode="always_last",
        **private,
    )
    listening = start.click(
        plainly(on_listen),
        [upload, takes, ear, against, agreed],
        [upload, takes, said, offer, drawn],
        concurrency_id="voice",
        show_progress_on=said,
        **private,
    )
    stop.click(plainly(on_stop), None, said, cancels=[listening], show_progress="hidden", **private)
    imitate.click(
        plainly(on_imitate),
        None,
        [tabs, act.following, act.forget],
        concurrency_id="voice",
        show_progress_on=imitate,
        **private,
    )
