"""API: what programs and assistants can ask of the studio, and the page of examples."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
import soundfile
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from toys import InkMarker, ToyEstimator

from conditioning.audio import Audio
from conditioning.taxonomy import NAMES
from demos.api import ADDRESS, EXAMPLES, Service, add_api, code
from demos.room import Room
from demos.studio import serve

LINE, FURIOUS = "You came back.", "furious"
PYTHON = [name for name, (language, _) in EXAMPLES.items() if language == "python"]


@pytest.fixture(scope="module")
def client(studio_address):
    client = Client(studio_address, verbose=False)
    yield client
    client.close()


@pytest.fixture(scope="module")
def wav(client) -> str:
    return client.predict(LINE, FURIOUS, api_name="/speak")[0]


def lying() -> set[Path]:
    """Files that the studio's folder of uploads holds."""
    return {path for path in Path(os.environ["GRADIO_TEMP_DIR"]).rglob("*") if path.is_file()}


# Speaking


def test_speak_gives_the_line_as_the_actor_speaks_it(client, humming, wav):
    told = client.predict(LINE, FURIOUS, api_name="/speak")[1]
    performance = humming.perform(LINE, FURIOUS)
    assert soundfile.info(wav).subtype == "PCM_16"
    assert np.abs(Audio.load(wav).samples - performance.audio.samples).max() <= 1 / 32768
    known = json.loads(json.dumps(performance.to_json()))
    assert told.pop("provenance")["artist"] == known.pop("provenance")["artist"]  # not its date
    assert told == known


def test_speech_for_programs_is_marked(wav):
    assert Audio.load(wav).samples[-1] == pytest.approx(InkMarker.MARK, abs=1e-4)
    assert "synthetic" in soundfile.SoundFile(wav).copy_metadata()["artist"]


def test_voice_seed_pace_and_pitch_do_what_they_say(client):
    def speak(**asked):
        return client.predict(text=LINE, direction=FURIOUS, api_name="/speak", **asked)

    _, plain = speak()
    assert speak(voice="bm_george")[1]["voice"] == "bm_george"
    assert speak(pace=1.5)[1]["duration"] < plain["duration"] / 1.2
    assert speak(seed=5)[1]["seed"] == 5
    assert speak(intensity=0.0)[1]["asked"] == {}
    high = speak(pitch=5)[0]
    octaves = ToyEstimator()._octaves(Audio.load(high).samples, Audio.load(high))
    own = Audio.load(speak()[0])
    assert octaves > ToyEstimator()._octaves(own.samples, own) + 0.3


def test_an_audition_has_the_best_take_first(client):
    wavs, takes = client.predict(LINE, "sad", takes=3, api_name="/audition")
    scores = [take["score"] for take in takes]
    assert scores == sorted(scores, reverse=True)
    assert {take["take"] for take in takes} == {0, 1, 2}
    for wav, take in zip(wavs, takes, strict=True):
        assert soundfile.info(wav).duration == pytest.approx(take["duration"], abs=1e-3)
        assert f"take-{take['take']}" in wav
        assert take["heard"]


def test_a_direction_is_told_as_it_is_understood(client):
    told = client.predict("It is fine.", "very angry, not sad", api_name="/direct")
    assert told["emotions"]["Anger"] > 0.5
    assert "Sadness" not in told["emotions"]


def test_voices_are_those_that_can_speak(client):
    assert [voice["name"] for voice in client.predict(api_name="/voices")] == [
        "af_heart",
        "bm_george",
    ]


def test_a_scene_comes_as_a_zip_and_leaves_nothing_else(humming, client):
    script = "MARA: (afraid) The lamp is out!\nCAPTAIN: (furious) You let it go dark?\n"
    file, told = client.predict(script, api_name="/scene")
    assert told["spoken"] == 2
    assert {role["character"] for role in told["cast"]} == {"MARA", "CAPTAIN"}
    assert told["not_spoken"] == {}
    with zipfile.ZipFile(file) as packed:
        names = packed.namelist()
        assert sum(name.endswith(".wav") for name in names) == 2
        lines = json.loads(packed.read("manifest.json"))["lines"]
    assert [line["character"] for line in lines] == ["MARA", "CAPTAIN"]
    room = Room(humming, ToyEstimator)
    *_, answer = Service(room).scene(script)
    assert answer[0]["path"].endswith("scene.zip")
    assert not [each for each in room.made.rglob("*") if each.is_file()]


def test_a_program_that_leaves_midway_ends_the_speaking(humming):
    room = Room(humming, ToyEstimator)
    try:
        speaking = Service(room).speak("One thing. " * 300)
        shares = [next(speaking)[1]["done"] for _ in range(2)]
        before = len(humming.backbone.read_texts)
        speaking.close()
        assert 0 < shares[0] < shares[1] < 1
        assert len(humming.backbone.read_texts) == before
    finally:
        room.close()


# Listening


def test_listen_hears_forty_emotions_and_their_course(client, wav):
    heard = client.predict(handle_file(wav), consent=True, api_name="/listen")
    known = ToyEstimator().estimate(Audio.load(wav))
    assert set(heard["intensities"]) <= set(NAMES)
    assert heard["intensities"]["Anger"] == pytest.approx(known.intensities["Anger"], abs=1e-3)
    assert heard["valence"] == pytest.approx(known.valence, abs=1e-3)
    assert len(heard["over_time"]) >= 1


def test_a_baseline_changes_what_is_heard(client, wav):
    low = client.predict(LINE, voice="bm_george", api_name="/speak")[0]
    alone = client.predict(handle_file(wav), True, api_name="/listen")
    against = client.predict(
        handle_file(wav), True, baseline=[handle_file(low)], api_name="/listen"
    )
    assert against["arousal"] > alone["arousal"]


def test_recordings_are_deleted_after_use_whatever_comes_of_it(client, wav, tmp_path):
    mine = tmp_path / "mine.wav"
    shutil.copy(wav, mine)
    noise = tmp_path / "noise.wav"
    noise.write_bytes(b"this is no audio")
    client.predict(LINE, "sad", api_name="/speak")
    before = lying()
    client.predict(handle_file(mine), True, api_name="/listen")
    for asked in (
        {"consent": False},
        {"consent": True, "estimator": "nobody"},
        {"consent": True, "baseline": "nothing"},
        {"consent": True, "baseline": [handle_file(mine)]},
        {"consent": True, "baseline": [handle_file(noise)]},
    ):
        with pytest.raises(AppError):
            client.predict(handle_file(mine), api_name="/listen", **asked)
    assert lying() <= before


@pytest.mark.parametrize("consent", [False, None, "yes", 1])
def test_nothing_is_heard_without_consent(client, wav, consent):
    with pytest.raises(AppError, match="Send consent=true"):
        client.predict(handle_file(wav), consent, api_name="/listen")


def test_a_file_of_the_machine_is_neither_read_nor_deleted(client, tmp_path):
    import httpx

    secret = tmp_path / "secret.wav"
    secret.write_bytes(b"RIFF")
    for named in (
        {"path": str(secret)},
        {"path": str(secret), "meta": {"_type": "gradio.FileData"}},
        {"path": str(secret), "meta": {"_type": "gradio.FileData"}, "is_stream": True},
    ):
        address = f"{client.src}gradio_api/call/listen"
        event = httpx.post(address, json={"data": [named, True, "standard", None]}).json()
        answer = httpx.get(f"{address}/{event['event_id']}", timeout=30).text
        assert "event: error" in answer
        assert "RIFF" not in answer
        assert secret.exists()


# Bad input

BAD = [
    ("/speak", {"text": ""}, "no line to speak"),
    ("/speak", {"text": None}, "no line to speak"),
    ("/speak", {"text": 5}, "no line to speak"),
    ("/speak", {"text": "!!!"}, "no word to speak"),
    ("/speak", {"text": "a " * 3000}, "6,000 characters"),
    ("/speak", {"direction": 5}, "direction came as int"),
    ("/speak", {"direction": "a" * 3000}, "3,000 characters"),
    ("/speak", {"direction": "<script>"}, "'<script>' names an emotion"),
    ("/speak", {"voice": "bob"}, "Unknown voice 'bob'"),
    ("/speak", {"voice": ["bob"]}, "voice came as list"),
    ("/speak", {"voice": "a" * 300}, "300 characters"),
    ("/speak", {"seed": -1}, "seed is -1"),
    ("/speak", {"seed": 1.5}, "seed is 1.5"),
    ("/speak", {"seed": None}, "seed is None"),
    ("/speak", {"seed": "x" * 9999}, "allowed: whole numbers from 0"),
    ("/speak", {"intensity": 3}, "intensity is 3"),
    ("/speak", {"pace": "fast"}, "pace is 'fast'"),
    ("/speak", {"pitch": None}, "pitch is None"),
    ("/audition", {"takes": 0}, "number of takes is 0"),
    ("/audition", {"takes": 9}, "number of takes is 9"),
    ("/audition", {"takes": "three"}, "number of takes is 'three'"),
    ("/scene", {"script": ""}, "There is no script"),
    ("/scene", {"script": 5}, "script came as int"),
    ("/scene", {"script": "A: Hm.\n" * 301}, "has 301 lines"),
    ("/scene", {"script": "A: (sad) Yes.", "listen": "x"}, "listen is 'x'"),
    ("/direct", {"direction": {}}, "direction came as dict"),
    ("/listen", {"recording": None}, "did not come as a file"),
    ("/listen", {"recording": "line.wav"}, "did not come as a file"),
    ("/listen", {"recording": {"path": 5}}, "did not come as a file"),
    ("/listen", {"estimator": "nobody"}, "Unknown listener 'nobody'"),
    ("/listen", {"estimator": 7}, "estimator came as int"),
    ("/listen", {"baseline": "x"}, "baseline came as str"),
]


@pytest.mark.parametrize(("endpoint", "asked", "told"), BAD, ids=lambda value: str(value)[:40])
def test_bad_input_is_told_in_a_sentence(client, wav, endpoint, asked, told):
    given = {"recording": handle_file(wav), "consent": True} if endpoint == "/listen" else {}
    given = given or ({} if endpoint == "/scene" else {"text": LINE})
    with pytest.raises(AppError, match=told) as caught:
        client.predict(api_name=endpoint, **given | asked)
    message = str(caught.value)
    assert len(message) < 400
    assert "Traceback" not in message
    assert "&" not in message


def test_the_studio_goes_on_after_bad_input(client):
    assert client.predict(LINE, api_name="/speak")[1]["text"] == LINE


# What stays


def test_what_was_made_for_a_program_is_deleted_in_time(humming, tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    room = Room(humming, ToyEstimator)
    with gr.Blocks(delete_cache=(1, 1)) as page:
        add_api(room)
    page.room = room
    address = serve(page.queue())
    client = Client(address, verbose=False, download_files=False)
    try:
        client.predict(LINE, api_name="/speak")
        assert any(tmp_path.rglob("line.wav"))
        deadline = time.monotonic() + 20
        while any(tmp_path.rglob("line.wav")):
            assert time.monotonic() < deadline
            time.sleep(0.2)
    finally:
        client.close()
        page.close(verbose=False)
        room.close()


# Examples


@pytest.mark.parametrize("name", PYTHON)
def test_an_example_of_the_page_runs(name, studio_address, tmp_path):
    """In a process of its own, as whoever copied it would run it."""
    done = subprocess.run(
        [sys.executable, "-c", code(name, studio_address)],
        cwd=tmp_path,
        env=os.environ | {"GRADIO_TEMP_DIR": str(tmp_path)},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("\n") >= 2


@pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")
def test_the_example_without_python_runs(studio_address):
    done = subprocess.run(
        ["sh", "-c", code("Without Python", studio_address)],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )
    assert "event: complete" in done.stdout
    assert "line.wav" in done.stdout


def test_settings_for_assistants_are_json(studio_address):
    settings = json.loads(code("For an assistant (MCP)", studio_address))
    (server,) = settings["mcpServers"].values()
    assert server["url"] == f"{studio_address}gradio_api/mcp/"


@pytest.mark.browser
def test_the_page_shows_examples_with_its_own_address_to_copy(visit, studio_address):
    page = visit("API", permissions=["clipboard-read", "clipboard-write"])
    for name in EXAMPLES:
        shown = page.get_by_role("region", name=name).inner_text()
        assert shown.strip() == code(name, studio_address)
        assert ADDRESS not in shown
    page.get_by_role("button", name=f"Copy: {PYTHON[0]}").click()
    page.get_by_text("Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == code(PYTHON[0], studio_address)


# Assistants


def test_an_assistant_speaks_and_listens_by_its_tools(humming, wav, tmp_path, monkeypatch):
    mcp = pytest.importorskip("mcp", reason="needs mcp: pip install 'gradio[mcp]'")
    from base64 import b64encode

    from mcp.client.streamable_http import streamablehttp_client

    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    room = Room(humming, ToyEstimator)
    with gr.Blocks() as page:
        add_api(room)
    page.room = room
    address = serve(page.queue(), mcp=True)

    async def use() -> tuple:
        async with (
            streamablehttp_client(f"{address}gradio_api/mcp/") as (read, write, _),
            mcp.ClientSession(read, write) as session,
        ):
            await session.initialize()
            tools = {tool.name: tool for tool in (await session.list_tools()).tools}
            spoken = await session.call_tool("speak", {"text": LINE, "direction": FURIOUS})
            refused = await session.call_tool("speak", {"text": LINE, "voice": "bob"})
            sent = f"data:audio/wav;base64,{b64encode(Path(wav).read_bytes()).decode()}"
            heard = await session.call_tool("listen", {"recording": sent, "consent": True})
            return tools, spoken, refused, heard

    try:
        # In a thread of its own: the browser's driver has a loop running in this one.
        with ThreadPoolExecutor(1) as aside:
            tools, spoken, refused, heard = aside.submit(asyncio.run, use()).result(timeout=60)
    finally:
        page.close(verbose=False)
        room.close()
    assert set(tools) == {"speak", "audition", "direct", "listen", "scene", "voices"}
    for tool in tools.values():
        assert tool.description
        for name, about in tool.inputSchema["properties"].items():
            assert about["description"].endswith((".", '."')), name
    direction = tools["speak"].inputSchema["properties"]["direction"]["description"]
    assert "anger=0.8" in direction
    assert "the voice's own reading" in direction  # the whole of it, though it has several lines
    assert tools["speak"].inputSchema["required"] == ["text"]
    assert f"{address}gradio_api/file=" in spoken.content[0].text
    assert refused.isError
    assert refused.content[0].text == "Unknown voice 'bob'. Known: af_heart, bm_george."
    assert not heard.isError
    assert "'Anger'" in heard.content[0].text
