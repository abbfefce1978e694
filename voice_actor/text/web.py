"""Addresses, file names, handles and hashtags as words."""

from __future__ import annotations

import re

from .characters import SIGNS
from .numbers import as_year, each_digit, number
from .reader import Reader, Reading, letters

DOMAINS = "com|org|net|edu|gov|mil|int|io|co|uk|de|fr|info|biz|us|ca|au|tv|me|ly|ai|dev|app|gg|eu"
EXTENSIONS = (
    "txt|py|js|ts|json|csv|tsv|wav|mp3|mp4|ogg|flac|png|jpe?g|gif|svg|webp|pdf|md|html?|css|xml"
    "|ya?ml|toml|ini|cfg|exe|dll|zip|gz|tar|rpy|ink|yarn|docx?|xlsx?|pptx?|bat|sh|cpp|hpp|rs|java"
    "|log|bak|tmp|onnx|pt|safetensors"
)
_WORDLIKE_DOMAINS = frozenset(
    ("us", "me", "co", "de", "fr", "ca", "au", "tv", "ly", "uk", "app", "int", "io", "ai", "dev")
)


def _web_signs(part: str) -> str:
    signs = {
        ".": "dot", "/": "slash", "-": "dash", "_": "underscore", "?": "question mark",
        "=": "equals", "&": "and", "#": "hash", "@": "at", ":": "colon", "%": "percent",
        "~": "tilde", "+": "plus", "\\": "backslash", ",": "comma", "!": "exclamation mark",
        ";": "semicolon",
    }  # fmt: skip
    spoken = []
    for token in re.findall(r"\d+|[A-Z]?[a-zß-öø-ÿ]+|[A-ZÀ-Ö]+(?![a-z])|[A-ZÀ-Ö]|.", part):
        if token.isdigit():
            spoken.append(as_year(token) if len(token) < 5 else each_digit(token))
        elif token.isalpha():
            spoken.append("W.W.W." if token.lower() == "www" else letters(token))
        elif token in signs:
            spoken.append(signs[token])
        elif token in SIGNS:
            spoken.append(SIGNS[token])
    return " ".join(spoken)


def address(reader: Reader, match: re.Match) -> Reading:
    written = match[0].rstrip(".,;:!?'\")]}…—*_”>")
    if not re.search(r"[A-Za-z0-9]", written):
        return None
    scheme = re.match(r"[a-z]+://", written)
    body = written[scheme.end() :] if scheme else written
    return _web_signs(body.rstrip("/") or written), match.start() + len(written)


def domain(reader: Reader, match: re.Match) -> Reading:
    # "so.me": a missing space more often than an address, unless a longer name or a path follows.
    name = match[0].split("/")[0]
    tail = name.rsplit(".", 1)[1]
    if tail.lower() in _WORDLIKE_DOMAINS and name.count(".") == 1 and "/" not in match[0]:
        return None
    if tail != tail.lower():
        return None
    return address(reader, match)


def file(reader: Reader, match: re.Match) -> Reading:
    return _web_signs(match[0])


def handle(reader: Reader, match: re.Match) -> Reading:
    return f"at {_camel(match[1])}"


def hashtag(reader: Reader, match: re.Match) -> Reading:
    if match[1].isdigit():
        return f"number {number(match[1])}"
    return f"hashtag {_camel(match[1])}"


def _camel(name: str) -> str:
    tokens = re.findall(r"\d+|[A-Z]?[a-zß-öø-ÿ]+|[A-ZÀ-Ö]+(?![a-zß-ö])|[A-ZÀ-Ö]", name)
    return " ".join(as_year(token) if token.isdigit() else letters(token) for token in tokens)
