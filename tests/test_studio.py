"""The studio as a whole: it opens, keeps to this machine, and goes on serving whatever comes."""

from __future__ import annotations

import re
import socket

import gradio
import httpx
import pytest
from conftest import free_port
from toys import ToyEstimator

from demos.studio import LARGEST_UPLOAD, is_private
from voice_actor import cli
from voice_actor.actor import VoiceActor

TABS = "Act", "Curve", "Listen", "Scene", "Lab", "API"
PHONE = {"viewport": {"width": 360, "height": 740}}
LONG = "Get out of here, all of you! " * 150
# Everything that can be worked with and has no name that a screen reader could say.
NAMELESS = """() => [...document.querySelectorAll('button, input, textarea, select, audio, a')]
    .filter(each => each.offsetParent !== null && each.type !== 'hidden')
    .filter(each => !(each.ariaLabel || each.title || each.innerText?.trim()
        || each.labels?.length || each.getAttribute('aria-labelledby') || each.placeholder))
    .map(each => each.outerHTML.slice(0, 200))"""


@pytest.fixture
def run(humming, monkeypatch, capsys, tmp_path):
    """Runs a command with the humming actor; the studio closes as soon as it is open."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    monkeypatch.setattr(VoiceActor, "load", staticmethod(lambda folder=None: humming))
    monkeypatch.setattr(
        "demos.studio.EmotionEstimator.load", staticmethod(lambda name, _: ToyEstimator(name))
    )
    monkeypatch.setattr(gradio.Blocks, "block_thread", lambda page: None)

    def run(*arguments: str):
        code = cli.main(arguments)
        return code, *capsys.readouterr()

    return run


def test_the_command_opens_the_studio_and_says_where(run):
    port = free_port()
    code, out, err = run("studio", "--port", str(port))
    assert code == 0, err
    assert f"http://127.0.0.1:{port}" in out


@pytest.mark.parametrize(
    ("changed", "private"),
    [
        ({}, True),
        ({"host": "localhost"}, True),
        ({"host": "0.0.0.0"}, False),
        ({"share": True}, False),
    ],
)
def test_the_page_promises_only_what_is_so(changed, private, monkeypatch):
    options = cli.parser().parse_args(["studio"])
    for name, value in changed.items():
        setattr(options, name, value)
    assert is_private(options) is private
    monkeypatch.setenv("VOICE_ACTOR_LLM_URL", "http://127.0.0.1:9/v1")
    assert not is_private(options)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--port", "99999"], "1 to 65535"),
        (["--port", "many"], "port"),
        (["--estimator", "permisive"], "Did you mean 'permissive'"),
        (["--host", "no.such.host.invalid"], "--host"),
    ],
)
def test_what_cannot_be_opened_is_said_in_a_line(run, options, told):
    code, out, err = run("studio", *options)
    assert (code, out) == (2, "")
    assert told in err
    assert err.count("\n") == 1


def test_a_port_that_is_taken_is_said_in_a_line(run):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        code, _, err = run("studio", "--port", str(port))
    assert code == 2
    assert str(port) in err
    assert err.count("\n") == 1


def test_an_upload_that_is_too_large_is_refused_and_the_next_visitor_served(studio_address):
    size = 200 * 2**20

    def body():
        for _ in range(size // 2**20):
            yield b"\0" * 2**20

    assert LARGEST_UPLOAD == "50mb"
    # The server may close before it has read everything; whatever it says, nothing is kept.
    try:
        answer = httpx.post(
            f"{studio_address}gradio_api/upload",
            content=body(),
            headers={"content-type": "multipart/form-data; boundary=x"},
            timeout=60,
        )
        assert answer.status_code >= 400
    except httpx.TransportError:
        pass
    assert httpx.get(studio_address).status_code == 200


@pytest.mark.parametrize("path", ["/etc/passwd", "/gradio_api/file=/etc/passwd", "/../room.py"])
def test_only_what_visitors_made_is_handed_out(studio_address, path):
    answer = httpx.get(f"{studio_address}{path.lstrip('/')}")
    assert "root:" not in answer.text
    if "file=" in path:
        assert answer.status_code >= 400


@pytest.mark.browser
@pytest.mark.parametrize("tab", TABS)
def test_every_control_has_a_name(visit, tab):
    page = visit(tab)
    page.wait_for_timeout(500)
    assert page.evaluate(NAMELESS) == []


@pytest.mark.browser
@pytest.mark.parametrize("tab", TABS)
def test_nothing_is_wider_than_a_phone(visit, tab):
    page = visit(tab, **PHONE)
    page.wait_for_timeout(500)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["viewport"]["width"]


@pytest.mark.browser
def test_a_visitor_who_leaves_midway_keeps_nobody_waiting(visit):
    page = visit("Act")
    page.get_by_role("textbox", name=re.compile("^Line")).fill(LONG)
    page.get_by_role("button", name="Speak", exact=True).click()
    page.wait_for_timeout(300)
    page.context.close()
    other = visit("Act")
    other.get_by_role("textbox", name=re.compile("^Line")).fill("Get out!")
    other.get_by_role("button", name="Speak", exact=True).click()
    other.locator("audio").first.wait_for(state="attached")


@pytest.mark.browser
def test_two_visitors_do_not_mix(visit):
    pages = [visit("Act"), visit("Act")]
    for page, line in zip(pages, ("I am the first.", "I am the second."), strict=True):
        page.get_by_role("textbox", name=re.compile("^Line")).fill(line)
        page.get_by_role("button", name="Speak", exact=True).click()
    sources = []
    for page in pages:
        page.locator("audio").first.wait_for(state="attached")
        page.wait_for_timeout(1000)
        sources += [
            {
                page.locator("audio").nth(i).get_attribute("src")
                for i in range(page.locator("audio").count())
            }
        ]
    assert not sources[0] & sources[1]
