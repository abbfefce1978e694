"""Curve: emotions are drawn over the words of a line, spoken, and seen as they were heard."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from conditioning.direction import Direction
from conditioning.emotion import EmotionCurve, EmotionVector, parse_number
from conditioning.errors import InvalidInput, UserError
from conditioning.estimator import Estimate
from conditioning.taxonomy import CATEGORIES, INDEX, NAMES
from voice_actor.performance import Performance, Timed

from . import pictures
from .act import AS_DIRECTED, voice_chosen, voices_offered, when_written
from .controls import own_control
from .drawing import Drawing, Stretch, Word, constant, ramp
from .plainly import plainly
from .room import Published, Room, Visitor, withdraw
from .understood import remark

OWN = "the line's own direction"
SAME = "the same emotion"
PACE = 15.0  # characters a second, of a line that is not spoken yet
WINDOW, HOP = 1.0, 0.25  # s, of listening over time
MOST_WINDOWS = 120  # of a longer line there are fewer to the second
FAINTEST = 0.03  # an intensity that is drawn
HINT = (
    "What you draw below is written here in brackets. Copy it: it means the same in "
    "“voice-actor speak”, in scripts and in Act."
)
# Only a page from this machine or over https may use the clipboard; elsewhere a selection does.
COPY = """async (text) => {
  try {
    await navigator.clipboard.writeText(text);
    return [text];
  } catch {
    const shown = document.createElement('pre');
    shown.textContent = text;
    document.body.append(shown);
    getSelection().selectAllChildren(shown);
    const copied = document.execCommand('copy');
    shown.remove();
    return [copied ? text : null];
  }
}"""
EXAMPLES = {
    "From fear to relief": (
        "[fear 0.2 -> 0.9] It's coming up the stairs. [relief 0.8] Oh. It's only you. [/]",
        "",
    ),
    "Hope that fades": (
        "[hope/enthusiasm/optimism 0.8 -> sadness 0.9] She said she would write to me. [/]",
        "gently",
    ),
    "One word": (
        "I asked you for [anger 0.9] one [/] thing. [pause] And you forgot.",
        "calm, a little disappointed",
    ),
}


def word_ribbon(value: Mapping[str, Any]) -> gr.HTML:
    """The words of a line in a row, with what is asked of each; `ribbon` gives the value.

    The page adds "selected", the first and the last chosen word, to the value. Events: "chosen" and
    "removed", each with the `first` and the `last` word.
    """
    return own_control("ribbon", '<div class="va-ribbon"></div>', value, "Words of the line")


@dataclass(eq=False)
class Desk:
    """What was spoken last for one visitor, and what was heard in it."""

    performance: Performance | None = None
    files: Published | None = None
    heard: Sequence[Estimate] = ()

    @classmethod
    def of(cls, visitor: Visitor) -> Desk:
        return visitor.desk.setdefault("curve", cls())

    def lay(self, visitor: Visitor, performance: Performance) -> None:
        """Puts a performance in the place of the one before, whose files are deleted."""
        for url in self.files or ():
            withdraw(url)
        self.performance, self.heard = performance, ()
        self.files = visitor.publish_performance(performance)

    def spoken(self, text: str) -> Performance | None:
        """The performance, if it is one of these words."""
        said = self.performance
        return said if said is not None and said.text == text else None


# What is shown


def ribbon(drawing: Drawing, curve: EmotionCurve, spoken: Performance | None = None) -> dict:
    """The value of a `word_ribbon`: words with their bands, stretches, and when words are heard.

    A band is [family, name, intensity where the word begins, and where it ends].
    """
    return {
        "words": [
            {"text": word.text, "bands": _bands(drawing, curve, index)}
            for index, word in enumerate(drawing.words)
        ],
        "stretches": [
            {"first": each.first, "last": each.last, "label": label(each)}
            for each in drawing.stretches
        ],
        "times": times(drawing.words, spoken) if spoken else [],
    }


def _bands(drawing: Drawing, curve: EmotionCurve, index: int) -> list[list]:
    start, end = drawing.edges(index, index)
    begins, ends = curve.at(start), curve.before(end)
    strength = {name: max(begins[name], ends[name]) for name in NAMES}
    strongest = sorted(NAMES, key=lambda name: -strength[name])[:3]
    return [
        [CATEGORIES[INDEX[name]].family, name, round(begins[name], 3), round(ends[name], 3)]
        for name in strongest
        if strength[name] >= FAINTEST
    ]


def label(stretch: Stretch) -> str:
    """A stretch's direction for people: "fear 0.2 → 0.9"."""
    return " → ".join(stretch.stations)


def times(words: Sequence[Word], spoken: Performance) -> list[list[float] | None]:
    """When each word is heard, in seconds; None for one that is not."""
    starts = [word.start for word in words]
    found: list[list[float] | None] = [None] * len(words)
    place = 0
    for label, start, end in spoken.words:
        place = spoken.text.index(label, place)
        index = max(0, bisect_right(starts, place) - 1)
        found[index] = [found[index][0] if found[index] else round(start, 3), round(end, 3)]
        place += len(label)
    return found


def planned(words: Sequence[Word]) -> tuple[Timed, ...]:
    """Where the words of a line that is not spoken yet may lie in time."""
    return tuple(Timed(word.text, word.start / PACE, word.end / PACE) for word in words)


def plot(drawing: Drawing, curve: EmotionCurve, desk: Desk) -> str:
    """What is asked over time; over the words as they were spoken, with what was heard, if so."""
    text = drawing.markup.text
    if not drawing.words:
        return ""
    spoken = desk.spoken(text)
    if spoken is None:
        words, heard, duration = planned(drawing.words), (), len(text) / PACE
        said = "What is asked of each word, before it is spoken."
    else:
        words, heard, duration = spoken.words, desk.heard, spoken.audio.duration
        same = spoken.direction.curve == curve
        said = (
            "What is asked of each word, and what is heard in it."
            if same
            else "What you ask now, and what was heard the last time; press Speak to hear it anew."
        )
    drawn = pictures.course(words, pictures.asked_by_second(curve, text, words), heard, duration)
    return f'<p class="va-curve-said">{escape(said)}</p>{drawn}'


def player(files: Published) -> str:
    links = " ".join(
        f'<a href="{escape(url)}" download aria-label="Download the line as {kind}">{kind}</a>'
        for kind, url in zip(("wav", "ogg", "JSON"), files, strict=True)
    )
    return (
        f'<audio class="va-curve-audio" controls autoplay preload="auto" src="{escape(files.wav)}" '
        f'aria-label="The line as spoken"></audio><p class="va-curve-links">Download: {links}</p>'
    )


def status(said: str = "", share: float | None = None) -> dict:
    """The value of what is being done, in words, and how much of it is done, 0 to 1."""
    return {"said": said, "share": share}


# What is chosen


def chosen(value: Mapping | None, drawing: Drawing) -> tuple[int, int]:
    """The first and the last chosen word.

    Raises:
        InvalidInput: none is chosen, or the line is another one by now.
    """
    selected = (value or {}).get("selected")
    if not selected:
        raise InvalidInput("No words are chosen; choose some in the row of words first.")
    texts = [word.text for word in drawing.words]
    if [word["text"] for word in value["words"]] != texts or not selected[-1] < len(texts):
        raise InvalidInput("The line has changed since the words were chosen; choose them again.")
    first, last = selected
    return first, last


def written(emotion: str, intensity: float, to: str | None, reaching: float) -> str | None:
    """What the controls say, as in a bracket; None for the line's own direction.

    Args:
        to: what it changes to along the words; None if it stays.

    Raises:
        UnknownName, InvalidInput: for what is no emotion or no intensity.
    """
    if emotion == OWN and to is None:
        return None
    if emotion == OWN:
        raise InvalidInput(
            "A change needs an emotion to begin with; choose one, at 0 if it only appears."
        )
    begins = constant(emotion, intensity)
    if to is None:
        return begins
    return ramp({emotion: intensity}, {emotion if to == SAME else to: reaching})


def controls(stretch: Stretch) -> tuple[str, float, bool, str, float] | None:
    """What the controls say of a stretch; None where they cannot say it."""
    read = [_station(station) for station in stretch.stations]
    if len(read) > 2 or read[0] is None or read[-1] is None or read[0][0] is None:
        return None
    (emotion, intensity), (to, reaching) = read[0], read[-1]
    changes = len(read) == 2
    return emotion, intensity, changes, (to if changes and to else SAME), reaching


def _station(station: str) -> tuple[str | None, float] | None:
    """The emotion, if one is named, and its intensity; None for what is more than that."""
    number = parse_number(station)
    if number is not None:
        return None, number
    try:
        items = EmotionVector.parse(station).items()
    except UserError:
        return None
    return items[0] if len(items) == 1 else None


def listen(room: Room, performance: Performance, seed: int) -> list[Estimate]:
    """What is heard over time, in short windows, against the voice's own reading."""
    baseline = room.neutral(performance, seed).baseline
    hop = min(WINDOW, max(HOP, performance.audio.duration / MOST_WINDOWS))
    return room.hear_over_time(performance.audio, room.estimator_name, baseline, WINDOW, hop)


def add_curve(room: Room) -> None:
    """The tab on which emotions are drawn over the words of a line."""
    first_text, first_own = next(iter(EXAMPLES.values()))
    begun = Drawing.read(first_text)
    curve = room.direct(first_text, first_own or None).curve
    with gr.Row(elem_classes="va-examples"):
        examples = {
            gr.Button(name, size="sm", min_width=60): example for name, example in EXAMPLES.items()
        }
    line = gr.Textbox(first_text, label="Line", info=HINT, lines=2, max_lines=12)
    own = gr.Textbox(
        first_own,
        label="The line's own direction",
        info="How the words are said over which nothing is drawn; empty leaves it to the voice.",
        max_lines=4,
    )
    note = gr.HTML(elem_classes="va-curve-note")
    words = word_ribbon(ribbon(begun, curve))
    with gr.Group():
        with gr.Row():
            emotion = gr.Dropdown([OWN, *NAMES], value=NAMES[INDEX["Fear"]], label="Emotion")
            intensity = gr.Slider(0.0, 1.0, value=0.7, step=0.05, label="Intensity")
        changes = gr.Checkbox(False, label="It changes along the words")
        with gr.Row(visible=False) as arriving:
            to = gr.Dropdown([SAME, *NAMES], value=SAME, label="Emotion at the end")
            reaching = gr.Slider(0.0, 1.0, value=0.9, step=0.05, label="Intensity at the end")
    with gr.Row():
        put = gr.Button("Set", scale=2, min_width=80)
        remove = gr.Button("Remove", min_width=80)
        clear = gr.Button("Remove all", min_width=80)
        copy = gr.Button("Copy the text", min_width=120)
    with gr.Row():
        voice = gr.Dropdown(
            voices_offered(room),
            value=AS_DIRECTED,
            label="Voice",
            info="Or type a blend, such as af_heart+bf_emma*0.5",
            allow_custom_value=True,
            scale=3,
        )
        seed = gr.Number(0, label="Seed", info="Another number, another take.", precision=0)
    with gr.Row():
        go = gr.Button("Speak", variant="primary", scale=3)
        cancel = gr.Button("Cancel", scale=1, min_width=80)
    doing = own_control("curve", '<p class="va-curve-status"></p>', status(), "What is being done")
    sound = gr.HTML(elem_classes="va-curve-player")
    shown = gr.HTML(plot(begun, curve, Desk()))

    def read(request: gr.Request, text: str, own: str) -> tuple:
        """What stands in the line, as one types or draws."""
        try:
            drawing, direction = _read(room, text, own)
        except UserError as error:
            return remark(str(error)), gr.skip(), gr.skip()
        desk = Desk.of(room.visitor(request.session_hash))
        curve = direction.curve
        notes = "".join(remark(each) for each in direction.notes)
        value = ribbon(drawing, curve, desk.spoken(direction.text))
        return notes, value, plot(drawing, curve, desk)

    def draw(text: str, own: str, ribbon: Mapping, *controls) -> str:
        emotion, intensity, changes, to, reaching = controls
        drawing, direction = _read(room, text, own)
        asked = written(emotion, intensity, to if changes else None, reaching)
        return drawing.draw(*chosen(ribbon, drawing), asked, direction.curve)

    def erase(text: str, own: str, ribbon: Mapping) -> str:
        drawing, direction = _read(room, text, own)
        return drawing.draw(*chosen(ribbon, drawing), None, direction.curve)

    def erase_stretch(text: str, own: str, event: gr.EventData) -> str:
        drawing, direction = _read(room, text, own)
        return drawing.draw(event.first, event.last, None, direction.curve)

    def erase_all(text: str, own: str) -> str:
        drawing, direction = _read(room, text, own)
        if not drawing.words:
            return text
        return drawing.draw(0, len(drawing.words) - 1, None, direction.curve)

    def show_controls(text: str, event: gr.EventData) -> tuple:
        """The controls say what is asked of the words that were just chosen."""
        try:
            drawing = Drawing.read(text)
        except UserError:
            return (gr.skip(),) * 5
        if not 0 <= event.first < len(drawing.words):
            return (gr.skip(),) * 5
        stretch = drawing.stretch_at(event.first)
        said = controls(stretch) if stretch and event.last <= stretch.last else None
        return said or (gr.skip(),) * 5

    def run(request: gr.Request, text: str, own: str, voice: str | None, seed: int | None):
        if seed is None:
            raise InvalidInput("The seed is empty; write a whole number from 0 up.")
        visitor = room.visitor(request.session_hash)
        try:
            yield from speak(room, visitor, text, own, voice, seed)
        except Exception:
            yield status(), gr.skip(), gr.skip(), gr.skip()
            raise

    def confirm(copied: str | None) -> None:
        if copied is None:
            raise InvalidInput("The browser does not let this page copy; copy the line itself.")
        gr.Info("Copied, brackets and all.")

    quiet = {"api_visibility": "private", "show_progress": "hidden"}
    live = {"queue": False, "trigger_mode": "always_last", **quiet}
    gr.on(when_written(room, line, own), plainly(read), [line, own], [note, words, shown], **live)
    changes.change(lambda changes: gr.Row(visible=changes), changes, arriving, queue=False, **quiet)
    setting = [emotion, intensity, changes, to, reaching]
    # Through the queue: the page does not show the errors of what goes past it.
    put.click(plainly(draw), [line, own, words, *setting], line, **quiet)
    remove.click(plainly(erase), [line, own, words], line, **quiet)
    words.removed(plainly(erase_stretch), [line, own], line, **quiet)
    clear.click(plainly(erase_all), [line, own], line, **quiet)
    words.chosen(plainly(show_controls), line, setting, **live)
    copy.click(plainly(confirm), line, js=COPY, **quiet)
    for button, example in examples.items():
        button.click(lambda example=example: example, None, [line, own], queue=False, **quiet)
    speaking = gr.on(
        [go.click, own.submit],
        plainly(run),
        [line, own, voice, seed],
        [doing, sound, words, shown],
        concurrency_id="voice",
        trigger_mode="once",
        **quiet,
    )
    cancel.click(status, None, doing, cancels=speaking, queue=False, **quiet)


def _read(room: Room, text: str, own: str) -> tuple[Drawing, Direction]:
    direction = room.direct(text, own.strip() or None)
    return Drawing.read(text), direction


def speak(
    room: Room, visitor: Visitor, text: str, own: str, voice: str | None, seed: int
) -> Iterator[tuple]:
    """Speaks a line and listens to it: what is being done, player, ribbon and plot, step by step.

    The sound comes before it is listened to.
    """
    drawing, direction = _read(room, text, own)
    desk, curve = Desk.of(visitor), direction.curve
    unchanged = gr.skip(), gr.skip(), gr.skip()
    yield status("Speaking …"), *unchanged
    speaking = room.speak(text, direction, voice_chosen(voice), seed)
    for share in speaking:
        yield status("Speaking …", share), *unchanged
    performance = speaking.performance()
    desk.lay(visitor, performance)
    value = ribbon(drawing, curve, performance)
    yield status("Listening …"), player(desk.files), value, plot(drawing, curve, desk)
    heard = listen(room, performance, seed)
    if desk.performance is not performance:
        return  # what was spoken later has taken its place
    desk.heard = heard
    yield status(), gr.skip(), gr.skip(), plot(drawing, curve, desk)
