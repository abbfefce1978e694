"""Act: a line is directed, spoken in several takes, heard, and tried again."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import gradio as gr
from gradio.context import Context

from conditioning.direction import Direction
from conditioning.emotion import EmotionVector
from conditioning.errors import InvalidInput, UserError
from conditioning.likeness import Likeness
from conditioning.manner import Manner
from conditioning.markup import parse_markup
from conditioning.place import vector_at
from voice_actor.actor import SEEDS
from voice_actor.casting import cast_voice

from . import takes
from .controls import asked, checked, emotion_panel, mood_pad, place, shown
from .plainly import plainly
from .room import SAMPLE, Room, Visitor, withdraw
from .takes import Table, table_of
from .understood import told, understood

AS_DIRECTED = "As the direction suggests"
INTENSITY = 0.0, 2.0  # times what is asked
PACE = 0.6, 1.6  # times the voice's own
PITCH = -5.0, 5.0  # semitones
MOST_TAKES = 8
HINT = (
    "Brackets direct from where they stand: [afraid], [whisper], [fear 0.2 -> 0.9], [pause]; "
    "[/] ends them. Stars around a word stress it."
)
EXAMPLES = {
    "Relieved, still angry": (
        "You came back. I waited all night!",
        "relieved, still a little angry",
    ),
    "From fear to relief": (
        "[fear 0.2 -> 0.9] Something is coming up the stairs. [relief] Oh. [pause] It's only you.",
        "",
    ),
    "A whisper": ("Don't move. It is right behind you.", "whispering, terrified"),
    "Grumpy grandpa": (
        "When I was your age, we walked to school. Uphill. Both ways.",
        "a slightly grumpy but lovable grandpa",
    ),
    "A caring nurse": (
        "There, there. The worst is over now, and I am not going anywhere.",
        "a caring nurse comforting a worried patient, slowly",
    ),
    "Icy politeness": (
        "How *kind* of you to join us. We only started an hour ago.",
        "a cold British lady, contemptuous, bored",
    ),
}


class Act(NamedTuple):
    """What other parts of the studio hand things to; `following_shown` gives their updates."""

    following: gr.HTML
    forget: gr.Button


class Ask(NamedTuple):
    """What the fields of the page say."""

    text: str
    words: str
    panel: Mapping
    voice: str | None
    intensity: float
    pace: float
    pitch: float
    seed: int | None
    takes: int

    @classmethod
    def of(cls, values: Sequence) -> Ask:
        """From the fields as a page sends them."""
        ask = cls(*values)
        return ask._replace(panel=checked(ask.panel))

    @property
    def chosen(self) -> str | None:
        return voice_chosen(self.voice)

    def direction(self, room: Room, likeness: Likeness | None) -> Direction:
        emotions, touched = self.panel["emotions"], self.panel["touched"]
        return directed(
            room,
            self.text,
            self.words,
            emotions,
            touched,
            self.intensity,
            self.pace,
            self.pitch,
            likeness,
        )

    def told(self, likeness: Likeness | None) -> str:
        """What tells this way of speaking from another, on one line."""
        emotions = EmotionVector(self.panel["emotions"])
        parts = [
            self.words.strip(),
            "as in the brackets" if parse_markup(self.text).spans else "",
            "as in your recording" if likeness else "",
            ", ".join(f"{name} {value:.2f}" for name, value in emotions.items())
            if self.panel["touched"]
            else "",
            f"intensity {self.intensity:.0%}" if self.intensity != 1 else "",
            f"pace {self.pace:.0%}" if self.pace != 1 else "",
            f"pitch {self.pitch:+g}" if self.pitch else "",
        ]
        return " · ".join(filter(None, parts)) or "nothing asked"


def directed(
    room: Room,
    text: str,
    words: str = "",
    emotions: Mapping[str, float] | None = None,
    touched: bool = False,
    intensity: float = 1.0,
    pace: float = 1.0,
    pitch: float = 0.0,
    likeness: Likeness | None = None,
) -> Direction:
    """What the words, the sliders and a recording ask together.

    Emotions that were set by hand replace those of the words; who speaks, how, and the brackets in
    the text stay. A recording gives its way of speaking, and its emotions where neither words nor
    hand give any.

    Args:
        words: empty for the voice's own reading.
        emotions: intensities by name; they count where they were `touched`.
        intensity: ratio of all emotions, 0 to 2; 0 is neutral.
        pace: ratio to the voice's own, 0.6 to 1.6.
        pitch: semitones from it, -5 to 5.

    Raises:
        InvalidInput, UnknownName: as `DirectionReader.direct`; numbers out of range.
    """
    for what, value, (low, high) in (
        ("intensity", intensity, INTENSITY),
        ("pace", pace, PACE),
        ("pitch", pitch, PITCH),
    ):
        if not isinstance(value, int | float) or not low <= value <= high:
            raise InvalidInput(f"The {what} is {value!r:.40}; allowed: {low:g} to {high:g}.")
    direction = room.direct(text, words.strip() or likeness)
    if touched:
        by_hand = room.direct(text, EmotionVector(emotions))
        in_brackets = tuple(item for item in direction.evidence if item.span)
        direction = replace(direction, curve=by_hand.curve, evidence=in_brackets)
    curve = direction.curve.scale(intensity)
    manner = Manner(pitch=float(pitch), pace=math.log2(pace))
    whole = [(0, len(direction.text), manner)] if manner else []
    return replace(
        direction,
        curve=curve,
        manners=(*whole, *direction.manners),
        prosody=likeness and replace(likeness, emotions=curve),
    )


def speak(room: Room, visitor: Visitor, ask: Ask) -> Iterator[Table]:
    """Speaks the takes that are asked for and listens to them; the table after each step.

    What is asked later takes its place: it ends at its next phrase, without another word. The takes
    before stay on the table until there is a new one.
    """
    table, likeness = table_of(visitor), visitor.likeness
    direction = ask.direction(room, likeness)
    if ask.seed is None:
        raise InvalidInput("The seed is empty; write a whole number from 0 up.")
    if not 1 <= ask.takes <= MOST_TAKES:
        raise InvalidInput(f"{ask.takes} takes are asked for; allowed: 1 to {MOST_TAKES}.")
    turn = table.begin(ask)
    try:
        for _ in _spoken(room, visitor, ask, direction, likeness):
            yield table
            if table.turn != turn:
                return
    except Exception:
        if table.turn == turn:
            table.tell()
        raise


def _spoken(
    room: Room, visitor: Visitor, ask: Ask, direction: Direction, likeness: Likeness | None
) -> Iterator[None]:
    """Works for the table's turn, step by step; ends as soon as another one has come."""
    table = table_of(visitor)
    turn, own = table.turn, ""
    for number in range(ask.takes):
        which = f" take {number + 1} of {ask.takes}" if ask.takes > 1 else ""
        speaking = room.speak(ask.text, direction, ask.chosen, ask.seed, number)
        if table.turn != turn:
            return
        table.tell(f"Speaking{which} …", number / ask.takes or None)
        yield
        for share in speaking:
            if table.turn != turn:
                return
            table.tell(f"Speaking{which} …", (number + share) / ask.takes)
            yield
        performance = speaking.performance()
        card = takes.spoken(visitor, performance, number, ask.told(likeness))
        if table.turn != turn:
            table.discard(card)
            return
        if number == 0:
            table.clear()
            visitor.takes.clear()
        table.lay(card)
        table.tell(f"Listening to{which or ' it'} …", (number + 1) / ask.takes, card.id)
        yield
        take = room.judge(performance, number, ask.seed)
        neutral = room.neutral(performance, ask.seed).performance
        if table.turn != turn:
            return
        own = own or takes.published(visitor, neutral)
        judged = takes.heard(visitor, card, take, neutral, own)
        if table.turn != turn:
            table.discard(judged)
            return
        visitor.takes.append(take)
        table.lay(judged)
        yield
    if ask.takes > 1:
        pairs = zip(table.cards, visitor.takes, strict=True)
        table.best = max(pairs, key=lambda pair: pair[1].score)[0].id
    table.tell()
    yield


def following_shown(visitor: Visitor) -> tuple:
    """Updates of `Act`: whether a recording is followed."""
    likeness = visitor.likeness
    if likeness is None:
        return gr.HTML(value="", visible=False), gr.Button(visible=False)
    what = (
        "its melody, loudness and pace; and its emotions, unless the direction or the sliders ask "
        "for others"
    )
    return (
        gr.HTML(value=f"<p><b>Acts like your recording:</b> {what}.</p>", visible=True),
        gr.Button(visible=True),
    )


def pad_value(emotions: EmotionVector, visitor: Visitor) -> dict:
    """Where emotions lie on the pad, and where the takes on the table were heard."""
    heard = [
        [f"Take {take.number + 1}", *place]
        for take in visitor.takes
        if (place := takes.heard_place(take))
    ]
    return {"valence": emotions.valence, "arousal": emotions.arousal, "heard": heard}


def add_act(room: Room) -> Act:
    """The tab on which lines are directed, spoken, compared and kept."""
    with gr.Row(elem_classes="va-act"):
        with gr.Column(scale=5, min_width=320, elem_classes="va-act-asked"):
            with gr.Column(elem_classes="va-act-line"):
                text = gr.Textbox(
                    "You came back. I waited all night!",
                    label="Line",
                    info=HINT,
                    lines=3,
                    max_lines=12,
                    autofocus=True,
                )
                words = gr.Textbox(
                    "relieved, still a little angry",
                    label="Direction",
                    info="How it is said, and by whom; empty leaves it to the voice.",
                    lines=1,
                    max_lines=4,
                )
                with gr.Row(elem_classes="va-examples"):
                    examples = {
                        gr.Button(name, size="sm", min_width=60): example
                        for name, example in EXAMPLES.items()
                    }
                following = gr.HTML(visible=False)
                forget = gr.Button("Forget the recording", size="sm", visible=False)
                with gr.Row():
                    go = gr.Button("Speak", variant="primary", scale=3, elem_id="va-speak")
                    cancel = gr.Button("Cancel", scale=1, min_width=80)
                # Below the buttons: it grows as one types, and must not move them away.
                reading = gr.HTML(elem_classes="va-reading")
            with gr.Column(elem_classes="va-act-how"):
                with gr.Accordion("Emotions", open=True):
                    panel = emotion_panel()
                    follow = gr.Button("Follow the words again", size="sm", visible=False)
                    pad = mood_pad()
                with gr.Group():
                    intensity = gr.Slider(
                        *INTENSITY,
                        value=1.0,
                        step=0.05,
                        label="Intensity",
                        info="Times what is asked; 0 is neutral.",
                    )
                    pace = gr.Slider(
                        *PACE, value=1.0, step=0.05, label="Pace", info="Times the voice's own."
                    )
                    pitch = gr.Slider(
                        *PITCH,
                        value=0.0,
                        step=0.5,
                        label="Pitch",
                        info="Semitones higher or lower.",
                    )
                with gr.Group():
                    voice = gr.Dropdown(
                        voices_offered(room),
                        value=AS_DIRECTED,
                        label="Voice",
                        info="Or type a blend, such as af_heart+bf_emma.",
                        allow_custom_value=True,
                    )
                with gr.Column(elem_classes="va-sample"):
                    hear = gr.Button("Hear this voice", size="sm")
                    sample = gr.HTML()
                with gr.Group():
                    count = gr.Slider(
                        1,
                        MOST_TAKES,
                        value=1,
                        step=1,
                        label="Takes",
                        info="Each a little different; the best is marked.",
                    )
                    seed = gr.Number(
                        0, label="Seed", info="The same seed speaks the same takes.", precision=0
                    )
                another = gr.Button("Another seed", size="sm")
                eager = gr.Checkbox(True, label="Speak again when I change a setting")
        with gr.Column(scale=7, min_width=320, elem_classes="va-act-heard"):
            stage = takes.take_table()

    def read(request: gr.Request, *values) -> tuple:
        """What is understood as one types; sliders follow the words when those ask otherwise."""
        visitor, ask = room.visitor(request.session_hash), Ask.of(values)
        table = table_of(visitor)
        try:
            own = words_alone(room, ask, visitor.likeness)
            if own != table.own:
                ask, table.own = ask._replace(panel=shown(own)), own
        except UserError:
            pass  # told below
        emotions = EmotionVector(ask.panel["emotions"])
        touched = gr.Button(visible=ask.panel["touched"])
        return _told(room, ask, visitor), ask.panel, pad_value(emotions, visitor), touched

    def moved(request: gr.Request, *values) -> tuple:
        """A slider was moved."""
        visitor, ask = room.visitor(request.session_hash), Ask.of(values)
        emotions = EmotionVector(ask.panel["emotions"])
        return _told(room, ask, visitor), pad_value(emotions, visitor), gr.Button(visible=True)

    def placed(request: gr.Request, pad: dict, *values) -> tuple:
        """The pad was moved."""
        visitor = room.visitor(request.session_hash)
        panel = shown(vector_at(*place(pad)), touched=True)
        ask = Ask.of(values)._replace(panel=panel)
        return _told(room, ask, visitor), panel, gr.Button(visible=True)

    def follow_words(request: gr.Request, *values) -> tuple:
        """The sliders go back to what the words ask."""
        table_of(room.visitor(request.session_hash)).own = None
        return read(request, *values)

    def run(request: gr.Request, *values):
        visitor = room.visitor(request.session_hash)
        try:
            for table in speak(room, visitor, Ask.of(values)):
                yield table.to_json()
        except Exception:
            yield table_of(visitor).to_json()
            raise

    def again(request: gr.Request, eager: bool, *values):
        """Speaks once more if something was spoken, and something is now asked otherwise."""
        before = table_of(room.visitor(request.session_hash)).asked
        if eager and before is not None and before != Ask.of(values):
            yield from run(request, *values)
        else:
            yield gr.skip()

    def dots(request: gr.Request, panel: dict) -> dict:
        """The pad, with the takes where they were heard."""
        visitor = room.visitor(request.session_hash)
        return pad_value(asked(panel), visitor)

    def stop(request: gr.Request) -> dict:
        table = table_of(room.visitor(request.session_hash))
        table.stop("Stopped." if table.status else "")
        return table.to_json()

    def show(request: gr.Request) -> dict:
        return table_of(room.visitor(request.session_hash)).to_json()

    def keep(request: gr.Request, event: gr.EventData) -> dict:
        table = table_of(room.visitor(request.session_hash))
        table.keep(event.id)
        return table.to_json()

    def drop(request: gr.Request, event: gr.EventData) -> dict:
        table = table_of(room.visitor(request.session_hash))
        table.drop(event.id)
        return table.to_json()

    def introduce(request: gr.Request, *values) -> str:
        visitor = room.visitor(request.session_hash)
        name, url = introduced(room, visitor, Ask.of(values))
        return takes.player(url, f"{name} introduces itself")

    def release(request: gr.Request) -> tuple:
        visitor = room.visitor(request.session_hash)
        visitor.likeness = None
        return following_shown(visitor)

    fields = [text, words, panel, voice, intensity, pace, pitch, seed, count]
    live = {"queue": False, "show_progress": "hidden", "trigger_mode": "always_last"}
    quiet = {"api_visibility": "private"}
    seen = [reading, panel, pad, follow]
    speaking = {
        "outputs": stage,
        "concurrency_id": "voice",
        "show_progress": "hidden",
        "trigger_mode": "multiple",
        **quiet,
    }
    typed = [
        *when_written(room, text, words),
        voice.change,
        following.change,
        Context.root_block.load,
    ]
    gr.on(typed, plainly(read), fields, seen, **live, **quiet)
    panel.input(plainly(moved), fields, [reading, pad, follow], **live, **quiet)
    placing = pad.input(plainly(placed), [pad, *fields], [reading, panel, follow], **live, **quiet)
    followed = follow.click(plainly(follow_words), fields, seen, **live, **quiet)
    reseeded = another.click(lambda: random.randrange(SEEDS), None, seed, queue=False, **quiet)
    for button, example in examples.items():
        chosen = button.click(
            lambda example=example: example, None, [text, words], queue=False, **quiet
        )
        chosen.then(plainly(read), fields, seen, **live, **quiet)
    begun = [listen(plainly(run), fields, **speaking) for listen in (go.click, words.submit)]
    begun += [
        listen(plainly(again), [eager, *fields], **speaking)
        for listen in (
            intensity.release,
            pace.release,
            pitch.release,
            count.release,
            seed.submit,
            seed.blur,
            panel.input,
            voice.input,
            placing.then,
            followed.then,
            reseeded.then,
        )
    ]
    for event in begun:
        event.then(plainly(dots), panel, pad, **live, **quiet)
    stopped = cancel.click(
        plainly(stop),
        None,
        stage,
        cancels=begun,
        queue=False,
        show_progress="hidden",
        **quiet,
    )
    # Through the queue: behind what was on its way to the page when it was stopped.
    stopped.then(plainly(show), None, stage, show_progress="hidden", **quiet)
    # Through the queue: the page does not show the errors of what goes past it.
    stage.keep(plainly(keep), None, stage, show_progress="hidden", **quiet)
    stage.drop(plainly(drop), None, stage, show_progress="hidden", **quiet)
    hear.click(plainly(introduce), fields, sample, concurrency_id="voice", **quiet)
    forget.click(plainly(release), None, [following, forget], queue=False, **quiet)
    return Act(following, forget)


def voices_offered(room: Room) -> list[tuple[str, str]]:
    """The choices of voice: what is shown, and what is meant."""
    members = (
        (f"{each.name}: {each.accent}, {each.gender}, {each.timbre}", each.name)
        for each in room.voices
    )
    return [(AS_DIRECTED, AS_DIRECTED), *members]


def when_written(room: Room, *boxes: gr.Textbox) -> list:
    """The events at which what stands in text boxes is read.

    At every letter; where a language model is asked, only when a box is left.
    """
    if room.actor.reader.asks:
        return [event for box in boxes for event in (box.blur, box.submit)]
    return [box.change for box in boxes]


def voice_chosen(voice: str | None) -> str | None:
    """The voice that was chosen, if one was."""
    return None if voice in (None, "", AS_DIRECTED) else voice


def introduced(room: Room, visitor: Visitor, ask: Ask) -> tuple[str, str]:
    """The voice that is chosen, or that the direction suggests, and where it says who it is.

    The line has no part in it. What was introduced before is deleted.
    """
    name, table = ask.chosen, table_of(visitor)
    if name is None:
        persona = room.direct(SAMPLE, ask.words.strip() or None).persona
        name = cast_voice(persona, None, room.voices).voice
    before = table.sample
    if before is None or before[0] != name:
        table.sample = name, takes.published(visitor, room.sample(name))
        if before is not None:
            withdraw(before[1])
    return table.sample


def words_alone(room: Room, ask: Ask, likeness: Likeness | None) -> EmotionVector:
    """What is felt on average by the words, or the recording, without brackets and sliders."""
    line = parse_markup(ask.text).text
    return room.direct(line, ask.words.strip() or likeness).curve.mean()


def _told(room: Room, ask: Ask, visitor: Visitor) -> str:
    """What the fields are understood as, or why they cannot be."""
    if not ask.text.strip():
        return told("Write a line to speak.")
    try:
        direction = ask.direction(room, visitor.likeness)
        casting = cast_voice(direction.persona, ask.chosen, room.voices)
    except UserError as error:
        return told(str(error))
    return understood(direction, casting, room.voices, ask.panel["touched"])
