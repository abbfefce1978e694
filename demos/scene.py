"""Scene: a dialogue script is cast, directed, spoken line by line, and taken home as a ZIP."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from conditioning.errors import InvalidInput
from conditioning.temperament import TEMPERAMENTS
from voice_actor.listen import counted
from voice_actor.production.voicing import Voiced
from voice_actor.scripts import READERS, decode_script

from . import pictures
from .act import voices_offered
from .controls import own_control
from .plainly import plainly
from .room import Room, Visitor, upload, withdraw
from .staging import EXAMPLE, LONGEST_SCRIPT, MOST_LINES, Scene

# Places on a visitor's desk.
SCENE, UPLOADED, PACKED = "scene", "scene: uploaded", "scene: packed"
NOW_AND_THEN = 0.3  # s; how often the page is told of progress that comes faster

INTRO = f"""Paste a script or upload one, and hear it as a scene. The studio takes up to
{MOST_LINES} lines at once; split a longer one."""
HOW = """One line for each thing that is said, after the name of who says it. How it is said stands
in brackets, and whom it is said to after "to"; both can be left out, and the scene itself then
decides.

```text
# What begins with this sign is passed over.
MARA: (whispering) Is anybody there?
OLD BRAN to MARA: Only me. And the rain.
MARA (relieved): You might
    have knocked.
```

Tables (CSV, TSV) need the columns *character* and *text*, and may have *id*, *direction* and *to*.
JSON is a list of objects with the same names. Files of Yarn Spinner, Ren'Py, Ink, Godot's Dialogue
Manager, Fountain and Unreal's tables can be uploaded as they are; variables in a line have to be
replaced by what is said.

A name that says who somebody is, such as GIRL or OLD MAN, gets a voice that suits."""


def cast_table() -> gr.HTML:
    """The cast, to be changed; its value is what `cast_of` gives.

    Event: "input", when the creator has chosen another voice or temperament.
    """
    template = '<div class="va-scene va-scene-cast"></div>'
    return own_control("cast", template, {"roles": []}, "Cast")


def line_cards() -> gr.HTML:
    """The lines of a scene; its value is what `page_of` gives.

    Events: "again" with the `id` of a line; "redirect" with an `id` and a `direction`.
    """
    template = (
        '<div class="va-scene"><div class="va-scene-progress" hidden><label></label>'
        '<progress max="1"></progress></div><p class="va-scene-told"><span role="status"></span> '
        '<a download="scene.zip" hidden>scene.zip</a></p>'
        '<ol class="va-scene-lines" aria-label="Lines"></ol></div>'
    )
    return own_control("scene", template, {"lines": []}, "Lines")


def add_scene(room: Room) -> None:
    """The tab's components and what they do."""
    private = {"api_visibility": "private"}
    gr.Markdown(INTRO)
    script = gr.Textbox(
        label="Script",
        placeholder="MARA: (whispering) Is anybody there?",
        lines=9,
        max_lines=24,
        max_length=LONGEST_SCRIPT,
        elem_id="scene-script",
    )
    with gr.Row():
        read = gr.Button("Read the script", variant="primary")
        uploader = gr.UploadButton("Upload a script", file_types=list(READERS))
        example = gr.Button("Try the example")
    with gr.Accordion("How a script is written", open=False):
        gr.Markdown(HOW)
    with gr.Column(visible=False) as stage:
        gr.Markdown("### Cast")
        cast = cast_table()
        with gr.Accordion("Moods", open=False):
            plot = gr.HTML()
        gr.Markdown("### Lines")
        with gr.Row():
            speak = gr.Button("Speak all", variant="primary")
            cancel = gr.Button("Cancel")
            download = gr.Button("Download")
        listen = gr.Checkbox(
            label="Listen to each line too",
            info="Shows what is heard in each line beside what was asked. Takes about twice as "
            "long.",
        )
        cards = line_cards()

    def desk(request: gr.Request) -> tuple[Visitor, Scene]:
        visitor = room.visitor(request.session_hash)
        if SCENE not in visitor.desk:
            raise InvalidInput("There is no scene yet; read a script first.")
        return visitor, visitor.desk[SCENE]

    @plainly
    def receive(path: str, request: gr.Request) -> str:
        content, file = upload(path, "script"), Path(path)
        if file.suffix.lower() not in READERS:
            raise InvalidInput(
                f"{file.name} is no script that can be read; allowed: {', '.join(READERS)}."
            )
        if len(content) > 4 * LONGEST_SCRIPT:
            raise InvalidInput(f"{file.name} is too long for one scene; split it.")
        text = decode_script(content, file.name)
        room.visitor(request.session_hash).desk[UPLOADED] = text, file.name
        return text

    @plainly
    def stage_script(source: str, request: gr.Request) -> Iterator[tuple]:
        visitor = room.visitor(request.session_hash)
        text, name = visitor.desk.get(UPLOADED, ("", ""))
        before = visitor.desk.get(SCENE)
        # A browser's text box knows one kind of line end.
        same = text.splitlines() == source.splitlines()
        scene = Scene.read(source, name if same else "", room, before)

        def shown() -> dict[str, Any]:
            return page_of(before) if before else {}

        for page in working(scene.direct(), "Reading the script", shown):
            yield gr.skip(), gr.skip(), gr.skip(), page
        if before is not None:
            scene.take_over(before)
        visitor.desk[SCENE] = scene
        yield gr.update(visible=True), cast_of(scene, room), moods(scene), page_of(scene)

    @plainly
    def recast(value: Any, request: gr.Request) -> Iterator[tuple]:
        visitor, scene = desk(request)
        roles = value.get("roles") if isinstance(value, dict) else None
        if not isinstance(roles, list) or not all(isinstance(role, dict) for role in roles):
            raise InvalidInput("The cast came without its roles; read the script again.")
        scene.recast(roles, room.voices)
        yield from redirected(visitor, scene)

    @plainly
    def redirect(request: gr.Request, event: gr.EventData) -> Iterator[tuple]:
        visitor, scene = desk(request)
        scene.write(*_told(event, "id", "direction"))
        yield from redirected(visitor, scene)

    def redirected(visitor: Visitor, scene: Scene) -> Iterator[tuple]:
        for page in working(scene.direct(), "Directing the scene again", lambda: page_of(scene)):
            yield gr.skip(), page
        # Another script may have been read meanwhile.
        yield moods(visitor.desk[SCENE]), page_of(visitor.desk[SCENE])

    @plainly
    def speak_all(listening: bool, request: gr.Request) -> Iterator[dict]:
        visitor, scene = desk(request)
        yield from spoken(visitor, scene, None, listening)

    @plainly
    def speak_again(listening: bool, request: gr.Request, event: gr.EventData) -> Iterator[dict]:
        visitor, scene = desk(request)
        (id,) = _told(event, "id")
        scene.try_again(id)
        yield from spoken(visitor, scene, [id], listening)

    def spoken(
        visitor: Visitor, scene: Scene, ids: list[str] | None, listening: bool
    ) -> Iterator[dict]:
        made, shown = dict(scene.said), 0.0
        for _ in scene.speak(room, visitor, ids, listening):
            if scene.said != made or time.monotonic() - shown > NOW_AND_THEN:
                made, shown = dict(scene.said), time.monotonic()
                yield page_of(scene)
        # Another script may have been read meanwhile.
        yield page_of(visitor.desk[SCENE])

    @plainly
    def stop(request: gr.Request) -> dict:
        _, scene = desk(request)
        scene.stop()
        return page_of(scene)

    @plainly
    def pack(request: gr.Request) -> Iterator[dict]:
        visitor, scene = desk(request)
        made: list[Voiced] = []

        def packing() -> Iterator[float]:
            for voiced in scene.pack(room.voices):
                made.append(voiced)
                yield len(made) / len(scene.said)

        yield from working(packing(), "Packing", lambda: page_of(scene))
        yield page_of(scene) | {"zip": packed(visitor, scene, made)}

    staged = [stage, cast, plot, cards]
    quick = {**private, "show_progress": "hidden"}
    read.click(stage_script, script, staged, **quick)
    uploader.upload(receive, uploader, script, **quick).success(
        stage_script, script, staged, **quick
    )
    example.click(lambda: EXAMPLE, None, script, **quick).then(
        stage_script, script, staged, **quick
    )
    cast.input(recast, cast, [plot, cards], trigger_mode="always_last", **quick)
    cards.redirect(redirect, None, [plot, cards], trigger_mode="multiple", **quick)
    long = {**quick, "concurrency_id": "voice"}
    speaking = [
        speak.click(speak_all, listen, cards, **long),
        cards.again(speak_again, listen, cards, trigger_mode="multiple", **long),
    ]
    # Twice: what was on its way when it was stopped may come to the page after the first answer.
    cancel.click(stop, None, cards, cancels=speaking, **quick).then(stop, None, cards, **quick)
    download.click(pack, None, cards, **quick)


def _told(event: gr.EventData, *names: str) -> list[str]:
    """What a card says about itself; a browser can say anything."""
    return [str(getattr(event, name, "")) for name in names]


def cast_of(scene: Scene, room: Room) -> dict[str, Any]:
    """What the page shows of a scene's cast, and what can be chosen."""
    # The first offer is none: each role has a voice.
    _, *voices = voices_offered(room)
    return {"roles": scene.to_cast(), "voices": voices, "temperaments": list(TEMPERAMENTS)}


def page_of(scene: Scene) -> dict[str, Any]:
    """What the page shows of a scene's lines."""
    lines, step = scene.to_cards(), scene.step
    states = [line["state"] for line in lines]
    counts = {
        "spoken": states.count("spoken"),
        "not spoken yet": states.count("new"),
        "changed since": states.count("changed"),
    }
    told = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    working = step and {
        "label": f"Line {step.number} of {step.total}, {step.character}",
        "share": step.share,
    }
    return {"lines": lines, "told": f"{counted(len(lines), 'line')}: {told}.", "step": working}


def packed(visitor: Visitor, scene: Scene, made: Sequence[Voiced]) -> str:
    """Where the browser finds the scene as a ZIP; the one made before is deleted."""
    before = visitor.desk.get(PACKED)
    visitor.desk[PACKED] = url = visitor.publish("scene.zip", scene.zip(made))
    if before:
        withdraw(before)
    return url


def moods(scene: Scene) -> str:
    """The Director's plot."""
    cues = [scene.directed[line.id].cue for line in scene.lines]
    return pictures.moods(cues, scene.temperaments)


def working(
    shares: Iterator[float], label: str, shown: Callable[[], dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Does some work: the page meanwhile, which is what is `shown` with a progress bar."""
    try:
        for share in now_and_then(shares):
            yield shown() | {"step": {"label": label, "share": share}}
    except Exception:
        # The bar must not stay.
        yield shown()
        raise


def now_and_then(shares: Iterator[float]) -> Iterator[float]:
    """Some of the shares, so that the page is not told more often than anybody can see."""
    told = time.monotonic()
    for share in shares:
        if time.monotonic() - told > NOW_AND_THEN:
            told = time.monotonic()
            yield share
