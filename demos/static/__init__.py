"""The styles and scripts of the studio's page."""

from __future__ import annotations

from importlib.resources import files


def read(name: str) -> str:
    """The text of a file beside this one."""
    return files(__name__).joinpath(name).read_text(encoding="utf-8")
