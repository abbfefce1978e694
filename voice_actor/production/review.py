"""The review page: a director listens to every line and flags those to be spoken again."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from .manifest import NOTE, strongest, summary

# What the page shows of a record; a manifest of thousands of lines is mostly times of words.
_SHOWN = (
    "id script place character to text spoken direction voice file duration asked heard score "
    "reason heard_by transcript word_errors words_expected faults take notes hash"
).split()


def review_page(records: Sequence[Mapping[str, Any]], title: str) -> bytes:
    """One HTML file that asks for nothing but the sound files, which lie beside it.

    It can be opened from disk. Flags stay in the browser's local storage, by the hash and id of a
    line, so that they are still there when the page is made anew and the line is the same. Its
    retake list is JSON:

        {"format": 1, "retakes": [{"id": …, "note": …, "hash": of the record}]}

    Args:
        records: as in `manifest_json`, in the order in which they are to be heard.
        title: of the page, such as the names of the scripts.
    """
    data = {"summary": summary(records), "note": NOTE, "lines": [_shown(each) for each in records]}
    # Text of a script must not end the element that holds it.
    embedded = json.dumps(data, ensure_ascii=False, allow_nan=False).replace("<", "\\u003c")
    style, script = _read("review.css"), _read("review.js")
    policy = (
        f"default-src 'none'; img-src data:; media-src 'self' file:; base-uri 'none'; "
        f"form-action 'none'; style-src {_source(style)}; script-src {_source(script)}"
    )
    page = _read("review.html")
    # Nothing that is put in holds "<!--", so that no part can take the place of another.
    for name, part in {
        "title": html.escape(title),
        "policy": policy,
        "style": style,
        "script": script,
        "data": embedded,
    }.items():
        page = page.replace(f"<!-- {name} -->", part)
    return page.encode()


def _shown(record: Mapping[str, Any]) -> dict[str, Any]:
    told = {name: record[name] for name in _SHOWN}
    heard = record["heard"]
    return told | {
        "asked": strongest(record["asked"]),
        "heard": None if heard is None else strongest(heard),
    }


def _read(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _source(text: str) -> str:
    """How a content security policy names what is written in the page."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
