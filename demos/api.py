"""API: what the studio does, for programs (gradio_client, HTTP) and for assistants (MCP)."""

from __future__ import annotations

import functools
import inspect
import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from html import escape, unescape
from pathlib import Path
from typing import get_args

import gradio as gr
from gradio.utils import get_upload_folder
from gradio_client.utils import is_file_obj_with_meta

from conditioning.errors import InvalidInput
from voice_actor.actor import SEEDS
from voice_actor.performance import Performance

from . import act, listening, static
from .plainly import plainly
from .room import Room, Visitor
from .staging import LONGEST_SCRIPT, Scene

LONGEST_DIRECTION = 2_000  # characters
LONGEST_NAME = 200  # characters, of a blend of voices too
ADDRESS = "http://127.0.0.1:7860/"  # in the examples; the page writes its own in its place


class Service:
    """Each method is an endpoint; its docstring is what assistants read of it.

    Whatever speaks is an iterator whose last value is the answer: it stops
    between two phrases when the program that asked has left. The values before say how far it is.
    """

    def __init__(self, room: Room):
        self._room = room

    def speak(
        self,
        text: str,
        direction: str = "",
        voice: str = "",
        seed: int = 0,
        intensity: float = 1.0,
        pace: float = 1.0,
        pitch: float = 0.0,
    ) -> Iterator[tuple[gr.FileData, dict]]:
        """Speaks a line of English the way it is directed. The speech is synthetic and marked.

        Args:
            text: The line, up to 5,000 characters. Brackets direct from where they stand:
                "[fear 0.2 -> 0.9] It's coming. [relief] Oh. [pause] *You*."
            direction: Who speaks, how, and what is felt, in words ("a tired king, bitter but not
                angry") or numbers ("anger=0.8, fear=0.2"); "auto" for what the line itself
                suggests; empty for the voice's own reading.
            voice: A name from voices, or a blend ("af_heart*0.7+bf_emma*0.3"); empty for one that
                suits the direction.
            seed: The same seed gives the same speech, another one another take; 0 to 2147483647.
            intensity: Ratio of all emotions that are asked, 0 to 2.
            pace: Ratio to the voice's own pace, 0.6 to 1.6.
            pitch: Semitones from the voice's own pitch, -5 to 5.

        Returns:
            A 16-bit wav file, and its description: voice, duration in seconds, times of words and
            phonemes, emotions asked and the words that decided them, and notes on what could not
            be done.
        """
        asked = self._asked(text, direction, intensity, pace, pitch)
        speaking = self._room.speak(text, asked, _voice(voice), _whole("seed", seed, 0, SEEDS - 1))
        for share in speaking:
            yield None, _done(share)
        performance = speaking.performance()
        yield _wav(performance), performance.to_json()

    def audition(
        self,
        text: str,
        direction: str = "",
        takes: int = 3,
        voice: str = "",
        seed: int = 0,
        intensity: float = 1.0,
        pace: float = 1.0,
        pitch: float = 0.0,
    ) -> Iterator[tuple[list[gr.FileData], list[dict]]]:
        """Speaks a line in several takes, listens to each, and gives them back best first.

        The best is the take in which most of what was asked is heard and least of what was not.

        Args:
            text: As in speak.
            direction: As in speak.
            takes: How many, 1 to 8. Each costs about twice the length of the line.
            voice: As in speak.
            seed: As in speak.
            intensity: As in speak.
            pace: As in speak.
            pitch: As in speak.

        Returns:
            16-bit wav files, best first, and for each in the same order its score (at most 1), the
            reason, what is heard, and the description as in speak.
        """
        asked = self._asked(text, direction, intensity, pace, pitch)
        count = _whole("number of takes", takes, 1, act.MOST_TAKES)
        voice, seed = _voice(voice), _whole("seed", seed, 0, SEEDS - 1)
        judged = []
        for number in range(count):
            speaking = self._room.speak(text, asked, voice, seed, number)
            for share in speaking:
                yield None, [_done((number + share / 2) / count)]
            judged.append(self._room.judge(speaking.performance(), number, seed))
            yield None, [_done(len(judged) / count)]
        judged.sort(key=lambda take: -take.score)
        files = [_wav(take.performance, f"take-{take.number}.wav") for take in judged]
        yield files, [take.to_json() for take in judged]

    def direct(self, text: str, direction: str = "") -> dict:
        """Tells how a direction is understood, without speaking: emotions, speaker and manner.

        Args:
            text: As in speak.
            direction: As in speak.

        Returns:
            Emotions from 0 to 1, valence, arousal and dominance, who speaks, the words that decided
            each, words that were not understood, and notes on what cannot be done.
        """
        return self._asked(text, direction).to_json()

    def listen(
        self,
        recording: gr.FileData,
        consent: bool = False,
        estimator: str = "standard",
        baseline: list[gr.FileData] | None = None,
    ) -> dict:
        """Hears the emotion in a recording of speech: 40 intensities, and how they move over time.

        The recording is deleted as soon as it is read.

        Args:
            recording: Speech of up to ten minutes: wav, flac, ogg, opus or mp3.
            consent: Must be true: it is your own voice, or its speaker has agreed.
            estimator: Who listens: "standard", the best; "permissive", for commercial use too;
                "tiny", quick and rough.
            baseline: Other takes of the same voice in mixed moods; what is heard is then measured
                against the voice's own habits. About ten are dependable.

        Returns:
            Intensities from 0 to 1; valence, arousal and dominance from -1 to 1; how each is known
            and how far to trust it; and the same every half second under over_time.
        """
        given = [recording, *(baseline if isinstance(baseline, list) else [])]
        try:
            return self._heard(recording, consent, estimator, baseline)
        finally:
            listening.forget(file["path"] for file in given if is_file_obj_with_meta(file))

    def scene(self, script: str, listen: bool = False) -> Iterator[tuple[gr.FileData, dict]]:
        """Speaks a dialogue script: it is cast, and each line is said in its character's mood.

        Args:
            script: Lines such as "MARA: (whispering) Is anybody there?", up to 300; or the same as
                CSV or JSON.
            listen: Whether each line is also listened to; it takes about twice as long.

        Returns:
            A ZIP of a wav and mouth cues for each line, a manifest and a page on which to hear it
            all, and a summary: the cast, how many lines were spoken, and why others were not.
        """
        if not isinstance(listen, bool):
            raise InvalidInput(f"listen is {listen!r:.40}; allowed: true or false.")
        scene = Scene.read(_words("script", script, LONGEST_SCRIPT), "", self._room)
        for _ in scene.direct():
            yield None, _done(0)
        desk = Visitor(self._room.made / secrets.token_hex(16))
        try:
            for _ in scene.speak(self._room, desk, None, listen):
                yield None, _done(scene.step.share if scene.step else 1)
            failed = dict(scene.failed)
            if not scene.said:
                raise InvalidInput(next(iter(failed.values()), "No line could be spoken."))
            packed = scene.zip([*scene.pack(self._room.voices)])
        finally:
            desk.leave()
        told = {"cast": scene.to_cast(), "spoken": len(scene.said), "not_spoken": failed}
        yield _file(packed, "scene.zip", "application/zip"), told

    def voices(self) -> list[dict]:
        """Lists the voices that can speak.

        Returns:
            For each voice its name, accent, gender, licence, pitch in Hz, syllables per second and
            timbre.
        """
        return [asdict(voice) for voice in self._room.voices]

    def _heard(self, recording, consent, estimator, baseline) -> dict:
        if consent is not True:
            raise InvalidInput(
                "Nothing was read, and the recording is deleted. Send consent=true if it is your "
                "own voice or its speaker has agreed."
            )
        upload = _path(recording)
        takes = [path for path in dict.fromkeys(map(_path, _listed(baseline))) if path != upload]
        if baseline and not takes:
            raise InvalidInput("The baseline is the recording itself; send other takes, or none.")
        name = _words("estimator", estimator, LONGEST_NAME) or "standard"
        desk = listening.Desk()
        desk.take(upload, takes, agreed=True)
        against = listening.TAKES if takes else listening.ALL
        return listening.listen(self._room, desk, name, against).to_json()

    def _asked(self, text, direction, intensity=1.0, pace=1.0, pitch=0.0):
        words = _words("direction", direction, LONGEST_DIRECTION)
        return act.directed(self._room, text, words, intensity=intensity, pace=pace, pitch=pitch)


def add_api(room: Room) -> None:
    """The endpoints, and a page of examples."""
    service = Service(room)
    offered = (
        *(service.speak, service.audition, service.direct),
        *(service.listen, service.scene, service.voices),
    )
    for action in offered:
        gr.api(_endpoint(action), api_name=action.__name__, concurrency_id="voice")
    gr.HTML(
        _page(offered),
        html_template="<div>${value}</div>",
        js_on_load=static.read("api.js"),
        elem_classes="va-api",
    )


def _endpoint(action: Callable) -> Callable:
    """The action as Gradio offers it: errors are plain text, and types are read from hints.

    `plainly` words errors for a page, as HTML; programs get the same words as they are.
    """
    told = plainly(action)
    signature = inspect.signature(action, eval_str=True)
    answer = signature.return_annotation
    if inspect.isgeneratorfunction(action):
        answer = get_args(answer)[0]  # of an iterator, what it gives

        @functools.wraps(action)
        def endpoint(*arguments, **named):
            try:
                yield from told(*arguments, **named)
            except gr.Error as error:
                raise _plain(error) from None

    else:

        @functools.wraps(action)
        def endpoint(*arguments, **named):
            try:
                return told(*arguments, **named)
            except gr.Error as error:
                raise _plain(error) from None

    endpoint.__signature__ = signature.replace(return_annotation=answer)
    endpoint.__doc__ = _unwrapped(inspect.getdoc(action))
    return endpoint


def _unwrapped(text: str) -> str:
    """A docstring as Gradio reads it for assistants: each argument, and the answer, on one line."""
    before, returns, answer = text.partition("Returns:\n")
    return re.sub(r"\n {8}(?=\S)", " ", before) + returns + "    " + " ".join(answer.split())


def _plain(error: gr.Error) -> gr.Error:
    error.message = unescape(error.message)
    return error


# What comes in and goes out


def _words(what: str, value: str | None, longest: int) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InvalidInput(f"The {what} came as {type(value).__name__}; send text.")
    if len(value) > longest:
        raise InvalidInput(
            f"The {what} has {len(value):,} characters; allowed: up to {longest:,}; shorten it."
        )
    return value


def _voice(value: str | None) -> str | None:
    return _words("voice", value, LONGEST_NAME).strip() or None


def _whole(what: str, value: int, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise InvalidInput(
            f"The {what} is {value!r:.40}; allowed: whole numbers from {least} to {most}."
        )
    return value


def _listed(files: list | None) -> list:
    if files is not None and not isinstance(files, list):
        raise InvalidInput(f"The baseline came as {type(files).__name__}; send a list of files.")
    return files or []


def _path(file: object) -> str:
    """Where an upload lies. Only what Gradio has seen to be one is opened, and then deleted."""
    if not is_file_obj_with_meta(file):
        raise InvalidInput(
            "A recording did not come as a file; upload it: gradio_client does so with "
            "handle_file(path)."
        )
    return file["path"]


def _wav(performance: Performance, name: str = "line.wav") -> dict:
    return _file(performance.encode(".wav"), name, "audio/wav")


def _file(content: bytes, name: str, kind: str) -> dict:
    """A file for a program. Gradio deletes it after an hour, as all that lies in its folder."""
    folder = Path(get_upload_folder()) / secrets.token_hex(16)
    folder.mkdir(parents=True)
    path = folder / name
    path.write_bytes(content)
    return gr.FileData(path=str(path), orig_name=name, mime_type=kind).model_dump()


def _done(share: float) -> dict:
    return {"done": round(share, 3)}


# The page

EXAMPLES = {
    "Speak a line": (
        "python",
        """
from gradio_client import Client

studio = Client("{address}")
wav, told = studio.predict(
    "You came back. After everything.",
    "relieved, still a little angry",
    api_name="/speak",
)
print(wav)  # the path of a 16-bit wav on this machine
print(told["voice"], told["duration"], told["words"])
""",
    ),
    "Choose among takes": (
        "python",
        """
from gradio_client import Client

studio = Client("{address}")
wavs, takes = studio.predict(
    text="Never mind.", direction="crying, but brave", takes=3, api_name="/audition"
)
for wav, take in zip(wavs, takes):  # best first
    print(round(take["score"], 2), take["reason"], wav)
""",
    ),
    "Listen to a recording": (
        "python",
        """
from gradio_client import Client, handle_file

studio = Client("{address}")
wav, _ = studio.predict("Get out of my house!", "furious", api_name="/speak")
heard = studio.predict(handle_file(wav), consent=True, api_name="/listen")
strongest = sorted(heard["intensities"].items(), key=lambda pair: -pair[1])
print(strongest[:3], heard["valence"], heard["arousal"])
for moment in heard["over_time"]:
    print(moment["start"], moment["arousal"])
""",
    ),
    "See how a direction is understood": (
        "python",
        """
from gradio_client import Client

studio = Client("{address}")
told = studio.predict("Good morning.", "a slightly grumpy grandpa", api_name="/direct")
print(told["emotions"], told.get("persona"), told.get("notes"))
print([voice["name"] for voice in studio.predict(api_name="/voices")])
""",
    ),
    "Voice a scene": (
        "python",
        """
import zipfile
from gradio_client import Client

script = \"\"\"
MARA: (afraid) The lamp is out!
CAPTAIN: (furious) You let it go dark?
\"\"\"
studio = Client("{address}")
file, told = studio.predict(script, api_name="/scene")
zipfile.ZipFile(file).extractall("scene")  # audio, mouth cues, manifest.json and review.html
print(told["spoken"], told["cast"])
""",
    ),
    "Without Python": (
        "sh",
        """
event=$(curl -s {address}gradio_api/call/v2/speak \\
  -H "Content-Type: application/json" \\
  -d '{"text": "You came back.", "direction": "relieved"}' | cut -d '"' -f 4)
curl -sN {address}gradio_api/call/speak/$event
""",
    ),
    "For an assistant (MCP)": (
        "json",
        """
{
  "mcpServers": {
    "voice-actor": {"url": "{address}gradio_api/mcp/"}
  }
}
""",
    ),
}
ABOUT = {
    "Listen to a recording": "Ask whoever speaks in it first; <code>consent</code> says that you "
    "did. The recording is deleted as soon as it is read.",
    "Without Python": "The last answer holds the address of the file and its description.",
    "For an assistant (MCP)": "If the studio was started with <code>voice-actor studio --mcp"
    "</code>, assistants can use all of this as tools. This is what their settings need.",
}


def code(name: str, address: str = ADDRESS) -> str:
    """An example, for the studio at this address."""
    return EXAMPLES[name][1].strip().replace("{address}", address)


def _page(offered: Sequence[Callable]) -> str:
    return (
        "<h2>For programs and assistants</h2>"
        "<p>What the other pages do can be asked for by a program. "
        "<code>pip install gradio_client</code> is all that the examples need. What was made for a "
        "program is deleted after an hour or two; take along what you want to keep.</p>"
        + "".join(map(_example, EXAMPLES))
        + "<h3>All that can be asked for</h3>"
        + "".join(map(_described, offered))
    )


def _described(action: Callable) -> str:
    """An endpoint in one line, which opens to what its arguments mean."""
    told = _unwrapped(inspect.getdoc(action))
    before, _, answer = told.partition("Returns:\n")
    about = escape(told.partition("\n")[0])
    arguments = re.findall(r"^    (\w+): (.*)$", before, re.MULTILINE)
    items = "".join(f"<dt>{name}</dt><dd>{escape(means)}</dd>" for name, means in arguments)
    return (
        f"<details><summary><code>/{action.__name__}</code> {about}</summary>"
        f"<dl>{items}<dt>answers</dt><dd>{escape(answer.strip())}</dd></dl></details>"
    )


def _example(name: str) -> str:
    about = f"<p>{ABOUT[name]}</p>" if name in ABOUT else ""
    label = escape(name)
    return (
        f"<h3>{label}</h3>"
        f'{about}<div class=va-code><button type=button aria-label="Copy: {label}">Copy</button>'
        f'<pre tabindex=0 role=region aria-label="{label}"><code>{escape(code(name))}</code></pre>'
        "</div>"
    )
