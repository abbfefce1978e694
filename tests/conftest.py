"""Fixtures that several files share: commands and a studio of toys, and a browser that visits."""

from __future__ import annotations

import shutil
import socket
from functools import partial

import pytest
from playwright.sync_api import sync_playwright
from toys import HummingBackbone, InkMarker, ToyEstimator

from conditioning import weights
from conditioning.estimator import EmotionEstimator
from voice_actor import cli
from voice_actor.actor import VoiceActor
from voice_actor.adapter import EmotionAdapter


@pytest.fixture(scope="session")
def humming() -> VoiceActor:
    """An actor who hums; one for all tests, since a performance leaves nothing behind."""
    return VoiceActor(HummingBackbone(), EmotionAdapter.load(), InkMarker())


def load(toy: VoiceActor, folder: str | None = None) -> VoiceActor:
    """Looks for weights where it is told to, as the real one does, and gives the toy."""
    weights.path("adapter-seed", folder=folder)
    return toy


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Runs a command in an empty folder with the humming actor: (code, out, err)."""
    monkeypatch.chdir(tmp_path)
    toy = VoiceActor(HummingBackbone(), EmotionAdapter.load(), InkMarker())
    monkeypatch.setattr(VoiceActor, "load", staticmethod(partial(load, toy)))
    monkeypatch.setattr(EmotionEstimator, "load", staticmethod(lambda *_: ToyEstimator()))

    def run(*arguments: str):
        code = cli.main(arguments)
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def room(humming):
    """The humming actor's room, for tests without a page."""
    from demos.room import Room

    opened = Room(humming, ToyEstimator)
    yield opened
    opened.close()


@pytest.fixture
def visitor(room):
    return room.visitor("somebody")


@pytest.fixture(scope="session")
def studio_address(humming, tmp_path_factory):
    """The studio of the humming actor, opened on a free port."""
    from demos.studio import serve, studio

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("uploads")))
        page = studio(humming, ToyEstimator)
        yield serve(page, port=free_port())
        page.close(verbose=False)
        page.room.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def browser():
    """Debian's chromium."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("needs chromium: apt install chromium")
    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def visit(browser, studio_address):
    """Opens the studio in a fresh profile, by the name of one of its tabs: a page.

    At the end nothing may have asked for anything outside this machine, or failed on the page.
    """
    contexts, outside, failed = [], [], []

    def visit(tab: str = "Act", **profile):
        context = browser.new_context(**({"viewport": {"width": 1280, "height": 900}} | profile))
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("request", lambda asked: outside.append(asked.url) if _leaves(asked.url) else None)
        page.on("pageerror", lambda error: failed.append(str(error)))
        page.goto(studio_address)
        page.get_by_role("tab", name=tab, exact=True).click()
        return page

    yield visit
    for context in contexts:
        context.close()
    assert not outside
    assert not failed


def _leaves(address: str) -> bool:
    return not address.startswith(("http://127.0.0.1:", "data:", "blob:"))
