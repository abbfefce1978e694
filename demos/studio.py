"""The studio: a page on which a creator directs, hears, sees what was heard, and tries again."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from importlib.resources import files

import gradio as gr

from conditioning.errors import InvalidInput, unknown_name
from conditioning.estimator import ESTIMATORS, EmotionEstimator
from conditioning.language_model import LanguageModel
from voice_actor.actor import VoiceActor

from . import static
from .act import add_act
from .api import add_api
from .curve import add_curve
from .lab import add_lab
from .listening import add_listening
from .room import Room
from .scene import add_scene

LARGEST_UPLOAD = "50mb"
TOGETHER = 4  # pieces of long work at once; the room lets them take turns
KEPT = 3600  # s; what Gradio itself keeps of a file

HEADER = """<header class="studio-header"><h1>Voice Actor</h1>
<p>Direct a line, hear it, see what was heard, try again.
<span class="studio-marked">All speech made here is synthetic and marked as such, by a watermark and
in each file's metadata. {private}</span></p></header>"""
PRIVATE = "Nothing leaves this machine."


def studio(
    actor: VoiceActor,
    open_estimator: Callable[[str], EmotionEstimator] = EmotionEstimator.load,
    estimator: str = "permissive",
    private: bool = True,
) -> gr.Blocks:
    """The page of a loaded actor; `serve` opens it. Takes what `Room` takes.

    Args:
        private: whether the page says that nothing leaves this machine.
    """
    room = Room(actor, open_estimator, estimator)
    with gr.Blocks(title="Voice Actor", analytics_enabled=False, delete_cache=(KEPT, KEPT)) as page:
        gr.HTML(HEADER.format(private=PRIVATE if private else ""))
        with gr.Tabs() as tabs:
            with gr.Tab("Act", id="act"):
                act = add_act(room)
            with gr.Tab("Curve", id="curve"):
                add_curve(room)
            with gr.Tab("Listen", id="listen"):
                add_listening(room, tabs, act)
            with gr.Tab("Scene", id="scene"):
                add_scene(room)
            with gr.Tab("Lab", id="lab"):
                add_lab(room)
            with gr.Tab("API", id="api"):
                add_api(room)

        def leave(request: gr.Request) -> None:
            room.leave(request.session_hash)

        page.unload(leave)
    page.room = room
    return page.queue(default_concurrency_limit=TOGETHER)


def serve(
    page: gr.Blocks,
    host: str = "127.0.0.1",
    port: int | None = None,
    share: bool = False,
    mcp: bool = False,
) -> str:
    """Opens a page on a port, or on any free one, and returns its address at once."""
    _, address, public = page.launch(
        server_name=host,
        server_port=port,
        share=share,
        mcp_server=mcp,
        prevent_thread_lock=True,
        quiet=True,
        show_error=False,
        ssr_mode=False,
        run_history=False,
        enable_monitoring=False,
        max_file_size=LARGEST_UPLOAD,
        # Not what they upload: a page among it would be shown as one of ours.
        allowed_paths=[str(page.room.made)],
        footer_links=["api", "settings"],
        theme=theme(),
        css_paths=sorted(str(file) for file in files(static).iterdir() if file.suffix == ".css"),
    )
    return public or address


def theme() -> gr.themes.Base:
    """Fonts are the system's own: none is fetched."""
    return gr.themes.Soft(
        primary_hue="indigo",
        neutral_hue="slate",
        font=["system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    ).set(body_text_color_subdued="*neutral_500", block_info_text_color="*neutral_500")


def open_studio(options: argparse.Namespace) -> None:
    """`voice-actor studio`: opens the page and stays until it is stopped."""
    if options.estimator not in ESTIMATORS:
        raise unknown_name("estimator", options.estimator, ESTIMATORS)
    check_address(options.host, options.port)
    actor = VoiceActor.load(options.weights)

    def open_estimator(name: str) -> EmotionEstimator:
        return EmotionEstimator.load(name, options.weights)

    # Told to end, as by a system that shuts down, it leaves nothing behind either.
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with tempfile.TemporaryDirectory(prefix="voice-actor-uploads-") as folder:
        # What is uploaded goes when the studio closes, if it was not read and deleted before.
        os.environ["GRADIO_TEMP_DIR"] = folder
        page = studio(actor, open_estimator, options.estimator, is_private(options))
        try:
            page.room.estimator(options.estimator)
            address = serve(page, options.host, options.port, options.share, options.mcp)
            print(f"The studio is ready at {address}; Ctrl-C closes it.", flush=True)
            if options.mcp:
                print(f"Tools for assistants: {address}gradio_api/mcp/", flush=True)
            page.block_thread()
        finally:
            page.close(verbose=False)
            page.room.close()
            signal.signal(signal.SIGTERM, before)


def is_private(options: argparse.Namespace) -> bool:
    """Whether only this machine sees what is typed: no public address, no other host, no model."""
    local = options.host in ("localhost", "::1") or options.host.startswith("127.")
    return local and not options.share and LanguageModel.from_environment() is None


def check_address(host: str, port: int) -> None:
    """Finds out before any work whether the studio can open there.

    Raises:
        InvalidInput: no such host on this machine, or a port that is none or is taken.
    """
    if not 0 < port < 65536:
        raise InvalidInput(f"The port is {port}; allowed: 1 to 65535.")
    try:
        socket.create_server((host, port)).close()
    except OSError as error:
        raise InvalidInput(
            f"The studio cannot open at {host}, port {port} ({error.strerror}); name another with "
            "--host or --port."
        ) from None
