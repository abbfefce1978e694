"""Fountain screenplays (.fountain) -> the lines that their characters say.

What is read, by the published syntax (fountain.io/syntax):

    ================================  ===========================================================
    NAME, @Name                       who says the lines below, up to an empty one
    NAME (V.O.), NAME (whispering)    an extension; it is a direction where it names a manner
    NAME ^                            said at the same time as the speech before
    (softly)                          before the speech its direction; within it, a bracket of
                                      ours where it names a feeling or a pause, else passed over
    ~ a lyric                         sung, which is said; the narrator's where nobody is named
    *one word*, **two**, _three_      emphasis; around a whole speech it is taken off
    \\*, \\_                            the character itself
    ================================  ===========================================================

Passed over: title page, scene headings, action, transitions, centred text, sections, synopses, page
breaks, notes (`[[ ]]`) and the boneyard (`/* */`). The format has no ids.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from conditioning.emotion import quoted
from voice_actor.scripts import Problem, Row

from .spoken import Rules, feeling_of, said

_REMOVED = re.compile(r"/\*(?:(?P<bones>.*?\*/)|.*)|\[\[(?P<note>(?:(?!\[\[).)*?\]\])?", re.DOTALL)
_CUE = re.compile(r"(?P<forced>@?)(?P<name>[^()]*?)(?P<asides>(?:\s*\([^()]*\))*)\s*\^?")
_SCENE = re.compile(r"(?i)(?:int|ext|est|int\.?/ext|i/e)[. ]|\.(?!\.)")
_OTHER = re.compile(r"[!>#=~]|\[\[|.*\bTO:$")
_TITLE = re.compile(r"(?P<key>[^\W\d][\w ]*):(?P<value>.*)")
_PAUSES = {"beat": "pause", "a beat": "pause", "pause": "pause", "long beat": "long pause"}
_LONGEST_ASIDE = 10  # lines
_GONE = "\0"  # stands for a note, so that a line which holds nothing else is not taken for empty


def read(text: str, rules: Rules) -> Iterator[Row | Problem]:
    """The speeches of a screenplay, each at the line of its character, and every problem.

    >>> [tuple(row)[1:4] for row in read("ADA (V.O.)\\n(sadly)\\nGone.\\n", Rules())]
    [('ADA', 'Gone.', 'sadly')]
    """
    text, problems = _without_notes(text.replace("\r\n", "\n"))
    yield from problems
    lines = [
        (place, line.replace(_GONE, ""))
        for place, line in enumerate(text.split("\n"), 1)
        if _GONE not in line or line.replace(_GONE, "").strip()
    ]
    at, free = _title_end(lines), True
    while at < len(lines):
        place, line = lines[at]
        line = line.strip()
        at += 1
        cue = _cue(line) if free else None
        speech = _block(lines, at) if cue else []
        free = not line
        if speech:
            at += len(speech)
            yield from _speech(place, cue, speech, rules)
        elif cue and cue["forced"]:
            yield Problem(place, f"nothing stands below {quoted(line, 30)}")
        elif line.startswith("~"):
            yield from said(place, "", (_ours(line[1:]),), rules)


def _without_notes(text: str) -> tuple[str, list[Problem]]:
    """The text with the same lines but without notes and boneyard."""
    problems = []

    def blank(found: re.Match) -> str:
        if found["bones"] is None and found["note"] is None:
            place = text.count("\n", 0, found.start()) + 1
            closing = "*/" if found[0].startswith("/*") else "]]"
            problems.append(Problem(place, f"{found[0][:2]!r} is not closed; write {closing!r}"))
        return _GONE + found[0].replace("\n", f"\n{_GONE}").translate(_ONLY_LINES)

    return _REMOVED.sub(blank, text), problems


class _OnlyLines(dict):
    """For `str.translate`: keeps ends of lines and the mark of what is gone."""

    def __missing__(self, code: int) -> str:
        return chr(code) if chr(code) in f"\n{_GONE}" else ""


_ONLY_LINES = _OnlyLines()


def _title_end(lines: Sequence[tuple[int, str]]) -> int:
    """The index after the title page: pairs of key and value from the first line on."""
    start = next((at for at, (_, line) in enumerate(lines) if line.strip()), len(lines))
    block = _block(lines, start)
    found = _TITLE.match(block[0]) if block else None
    # "FADE IN:" alone is no title.
    if not found or len(block) == 1 and not found["value"].strip():
        return 0
    return start + len(block)


def _block(lines: Sequence[tuple[int, str]], at: int) -> list[str]:
    """The lines up to an empty one; two spaces keep a speech together."""
    end = at
    while end < len(lines):
        line = lines[end][1]
        if not line.strip() and (end == at or line != "  "):
            break
        end += 1
    return [line for _, line in lines[at:end]]


def _cue(line: str) -> re.Match | None:
    """The character that a line names, if it can be one."""
    found = _CUE.fullmatch(line)
    if not found or not found["name"].strip():
        return None
    if found["forced"]:
        return found
    plain = not (_SCENE.match(line) or _OTHER.match(line))
    return found if plain and found["name"].isupper() else None


def _speech(
    place: int, cue: re.Match, lines: Sequence[str], rules: Rules
) -> Iterator[Row | Problem]:
    """The row of a speech."""
    parts: list[str] = []
    direction = ""
    for aside, words in _asides(lines):
        if aside:
            if not any(parts):
                direction = ", ".join(filter(None, (direction, aside)))
            elif within := _PAUSES.get(aside.casefold()) or feeling_of(aside):
                parts.append(f"[{within}]")
        else:
            parts.append(words)
    text = _ours(" ".join(parts))
    hints = re.findall(r"[^()]+", cue["asides"])
    name = cue["name"].strip(" *_\t")
    for row in said(place, name, (text,), rules, hints):
        if isinstance(row, Row) and direction:
            row = row._replace(direction=", ".join(filter(None, (direction, row.direction))))
        yield row


def _asides(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each parenthetical, which may go over several lines, as (aside, ""); others as ("", line)."""
    lines = [line.strip() for line in lines]
    at = 0
    while at < len(lines):
        end = at
        if lines[at].startswith("("):
            last = min(len(lines), at + _LONGEST_ASIDE) - 1
            while end < last and ")" not in lines[end]:
                end += 1
        together = " ".join(lines[at : end + 1])
        if together.startswith("(") and together.endswith(")") and together.count("(") == 1:
            yield " ".join(together[1:-1].split()).rstrip("."), ""
            at = end + 1
        else:
            yield "", lines[at].removeprefix("~").strip()
            at += 1


_UNDERLINED = re.compile(r"(?<![\w\\])_(?=\S)((?:[^_\\]|\\.)*?)(?<=\S)_(?!\w)")
_WHOLE = re.compile(r"(?P<stars>\*{1,3})(?=\S)(?P<words>(?:[^*\\]|\\.)*)(?P=stars)")


def _ours(text: str) -> str:
    """Fountain's emphasis in our stars; around the whole text it is taken off."""
    text = _UNDERLINED.sub(lambda found: f"*{found[1].strip('*')}*", " ".join(text.split()))
    whole = _WHOLE.fullmatch(text)
    return (whole["words"] if whole else text).replace("\\_", "_")
