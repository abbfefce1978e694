"""`Drawing`: a line whose words are directed stretch by stretch, read from our markup and written
as it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate, pairwise
from typing import NamedTuple

from conditioning.emotion import EmotionCurve, EmotionVector, checked_intensity, quoted
from conditioning.errors import InvalidInput
from conditioning.markup import Markup, parse_markup, stations
from conditioning.taxonomy import find
from conditioning.vocal_tags import group_of

_END = "[/]"
_SPOKEN = re.compile(r"[^\W_]")
_BRACKET = re.compile(r"\\.|\[([^\[\]]*)\]", re.DOTALL)
_MARK = r"\[[^\[\]]*\]|<(?P<name>sub|say-as)\b.*?</(?P=name)>|<[^<>]*>"
_PLAIN = r"\\.|[^\s\[<]|<(?![^<>]*>)"
# Where a word may begin; in the second, asides in brackets or asterisks stay in one piece.
_RUNS = tuple(
    re.compile(rf"(?:{_MARK})|(?P<run>(?:{whole}{_PLAIN})+)", re.DOTALL)
    for whole in ("", r"\([^()\n]*\)|\*[^*\n]*\*|")
)
_PUNCTUATION = ",.;:!?…"  # before which the white space around a bracket goes


class Word(NamedTuple):
    """A word of the line with the signs beside it; each holds at least one letter or digit.

    Attributes:
        text: without the white space around it.
        start, end: its characters in the clean text; end is exclusive.
        place: where it stands in the base text of its drawing.
    """

    text: str
    start: int
    end: int
    place: int


@dataclass(frozen=True)
class Stretch:
    """Words under one direction.

    Attributes:
        first, last: indexes of its words.
        written: the direction as in a bracket, such as "fear 0.2 -> 0.9".
        beside: whether it is added to the line's own direction, as what is felt with a sound is.
    """

    first: int
    last: int
    written: str
    beside: bool = False

    @property
    def stations(self) -> tuple[str, ...]:
        return stations(self.written)

    def goes_on_as(self, other: Stretch | None) -> bool:
        """Whether nothing need be written where the other one takes over."""
        return (
            other is not None
            and (self.written, self.beside) == (other.written, other.beside)
            and (len(self.stations) == 1 or self.first == other.first)
        )


@dataclass(frozen=True)
class Drawing:
    """A line's words, and the stretches of them that its brackets direct.

    Attributes:
        text: the line with all its markup.
        base: the same without the brackets that only direct, which a drawing replaces; pauses,
            manners and all other markup stay in it as they are.
        markup: what the text means.
        words: in order.
        stretches: in order, not overlapping; the line's own direction holds outside of them.
    """

    text: str
    base: str
    markup: Markup
    words: tuple[Word, ...]
    stretches: tuple[Stretch, ...]

    @classmethod
    def read(cls, text: str) -> Drawing:
        """The drawing that stands in a line.

        Raises:
            InvalidInput: for markup that cannot be understood.
        """
        markup = parse_markup(text)
        base = _base(text, markup)
        words = _words(base, markup.text)
        return cls(text, base, markup, words, _stretches(markup, words))

    @cached_property
    def _kept(self) -> list[Stretch | None]:
        """By word: what the base's own markup directs."""
        return _by_word(_stretches(parse_markup(self.base), self.words), len(self.words))

    def stretch_at(self, word: int) -> Stretch | None:
        return _by_word(self.stretches, len(self.words))[word]

    def edges(self, first: int, last: int) -> tuple[float, float]:
        """Where a stretch of words begins and ends on a curve over the line, 0 to 1."""
        length = len(self.markup.text)
        end = self.words[last + 1].start if last + 1 < len(self.words) else length
        return self.words[first].start / length, end / length

    def draw(self, first: int, last: int, written: str | None, curve: EmotionCurve) -> str:
        """The line's text with the words `first` to `last` directed as `written`.

        Earlier stretches give way; of a ramp, the parts beside the new stretch run as before.

        Args:
            written: a direction as in a bracket; None for the line's own.
            curve: that of the line as it is.

        Raises:
            InvalidInput: the words are not there, or other markup of the line is in the way.
        """
        if not 0 <= first <= last < len(self.words):
            raise InvalidInput("These words are not in the line any more; choose them again.")
        kept = [
            piece
            for stretch in self.stretches
            for start, end in (
                (stretch.first, min(stretch.last, first - 1)),
                (max(stretch.first, last + 1), stretch.last),
            )
            if start <= end
            for piece in [self._piece(stretch, start, end, curve)]
        ]
        new = [Stretch(first, last, written)] if written else []
        return self._written(_by_word([*kept, *new], len(self.words)))

    def _piece(self, stretch: Stretch, first: int, last: int, curve: EmotionCurve) -> Stretch:
        """The part of a stretch over some of its words, with the curve as it was."""
        if (first, last) == (stretch.first, stretch.last):
            return stretch
        piece = replace(stretch, first=first, last=last)
        if len(stretch.stations) == 1:
            return piece
        if len(stretch.stations) > 2:
            raise InvalidInput(
                f"The change {quoted(stretch.written)} has {len(stretch.stations)} stations and "
                "can only be replaced as a whole; choose all its words."
            )
        start, end = self.edges(first, last)
        return replace(piece, written=ramp(dict(curve.at(start).items()), curve.before(end)))

    def _written(self, wanted: list[Stretch | None]) -> str:
        """The text in which each word is directed as wanted, and all else is as it was."""
        for last in (f" {_END}", ""):  # nothing stands behind an SSML document
            for named in (False, True):  # "[/]" would end manners too
                text = self._with_brackets(wanted, last, named)
                if self._fits(text, wanted):
                    return text
        raise InvalidInput(
            "Other markup of the line is in the way of this stretch; choose other words, or write "
            "the bracket in the text yourself."
        )

    def _with_brackets(self, wanted: list[Stretch | None], last: str, named: bool) -> str:
        pieces: list[str] = []
        force: Stretch | None = None
        reached, before = 0, None
        for word, kept, asked in zip(self.words, self._kept, wanted, strict=True):
            passed = self.base[reached : word.place]
            if _END in passed or _turns(before, kept, force):
                force = kept
            pieces.append(passed)
            if asked is not force and not (asked and asked.goes_on_as(force)):
                pieces.append(f"[{asked.written}]" if asked else _ending(force, named))
                if not word.place or self.base[word.place - 1].isspace():
                    pieces.append(" ")
                force = asked
            reached, before = word.place, kept
        pieces.append(self.base[reached:])
        if force and force is not before and _END not in pieces[-1]:
            pieces.append(last and f" {_ending(force, named)}")
        return "".join(pieces)

    def _fits(self, text: str, wanted: list[Stretch | None]) -> bool:
        try:
            markup = parse_markup(text)
        except InvalidInput:
            return False
        directed = _by_word(_stretches(markup, self.words), len(self.words))
        return _same(markup, self.markup) and all(
            is_there is asked or (is_there and asked and is_there.goes_on_as(asked))
            for is_there, asked in zip(directed, wanted, strict=True)
        )


def constant(name: str, intensity: float) -> str:
    """One emotion in words: "fear 0.4"."""
    category = find(name).name
    return f"{category.lower()} {_number(checked_intensity(category, intensity))}"


def ramp(
    start: Mapping[str, float] | EmotionVector, end: Mapping[str, float] | EmotionVector
) -> str:
    """A change in words, short where it is one of a single emotion: "fear 0.2 -> 0.9"."""
    first, last = dict(start.items()), dict(end.items())
    if len(first) == 1 and first.keys() == last.keys():
        ((name, low),), (high,) = first.items(), last.values()
        if float(_number(low)):
            return f"{constant(name, low)} -> {_number(checked_intensity(name, high))}"
    return f"{_vector(first)} -> {_vector(last)}"


def _vector(intensities: Mapping[str, float]) -> str:
    return ", ".join(constant(name, value) for name, value in intensities.items()) or "neutral"


def _number(value: float) -> str:
    return f"{round(value, 2):g}"


def _ending(stretch: Stretch, named: bool) -> str:
    if not named:
        return _END
    name = re.match(r"[^\d.,=:>-]*", stretch.written)[0].strip()
    return f"[/{name or stretch.written}]"


def _turns(before: Stretch | None, kept: Stretch | None, force: Stretch | None) -> bool:
    """Whether what is kept takes the place of the direction in force.

    What is felt with a sound does not while that is a ramp, and nothing begins where it ends.
    """
    if kept is before or (kept is None and before.beside):
        return False
    return not (kept and kept.beside and force and len(force.stations) > 1)


def _same(markup: Markup, other: Markup) -> bool:
    """Whether the same is said with the same manners and pauses."""
    return (markup.text, markup.manners, markup.pauses) == (
        other.text,
        other.manners,
        other.pauses,
    )


def _base(text: str, markup: Markup) -> str:
    """The text without brackets that only direct, as far as all else then means the same."""
    found = _directing(text, markup)
    base = _without(text, found)
    if _means(base, markup):
        return base
    # One by one; ends first, since there must be something that they end.
    gone: list[_Cut] = []
    for cut in sorted(found, key=lambda cut: not cut.ends):
        if _means(_without(text, sorted([*gone, cut])), markup):
            gone.append(cut)
    return _without(text, sorted(gone))


def _means(base: str, markup: Markup) -> bool:
    try:
        return _same(parse_markup(base), markup)
    except InvalidInput:
        return False


class _Cut(NamedTuple):
    """A bracket of the text, what stays of it, and whether it ends a direction."""

    start: int
    end: int
    stays: str
    ends: bool


def _directing(text: str, markup: Markup) -> list[_Cut]:
    directing = {span.position: span.directions for span in markup.spans if not span.beside}
    found = []
    for match in _BRACKET.finditer(text):
        content = (match[1] or "").strip()
        if content.startswith("/"):
            if content == "/" or group_of(content[1:].strip()) is None:
                found.append(_Cut(*match.span(), "", True))
        elif match.start() in directing:
            directions = directing[match.start()]
            pure = stations(content) == directions
            rest = content.replace(" -> ".join(directions), "", 1).strip(" ,;")
            if pure or rest != content:
                found.append(_Cut(*match.span(), "" if pure else f"[{rest}]", False))
    return found


def _without(text: str, cuts: Sequence[_Cut]) -> str:
    """The text without some brackets, joined around them as the parser does it."""
    kept, reached, joined = "", 0, False
    for start, end, stays, _ in cuts:
        kept, joined = _said(kept, text[reached:start], joined)
        kept, reached, joined = kept + stays, end, not stays
    kept, joined = _said(kept, text[reached:], joined)
    return kept.rstrip() if joined else kept


def _said(kept: str, piece: str, joined: bool) -> tuple[str, bool]:
    if joined and (not kept or kept[-1].isspace()):
        piece = piece.lstrip()
        if piece and piece[0] in _PUNCTUATION:
            kept = kept.rstrip()
    return kept + piece, joined and not piece


def _words(base: str, clean: str) -> tuple[Word, ...]:
    """The words of the clean text, and where they stand in the base.

    The parser itself is asked: a sign that nobody writes is put before each word, and stands in
    the clean text where the word does. White space is not compared, since signs may part it.
    """
    sign = next(chr(code) for code in range(0xE000, 0xF900) if chr(code) not in base)
    inked = [offset for offset, character in enumerate(clean) if not character.isspace()]
    for runs in _RUNS:
        places = [match.start() for match in runs.finditer(base) if match["run"]]
        signed = sign.join(base[start:end] for start, end in pairwise([0, *places, len(base)]))
        try:
            pieces = ["".join(piece.split()) for piece in parse_markup(signed).text.split(sign)]
        except InvalidInput:
            continue
        if "".join(pieces) == "".join(clean.split()) and len(pieces) == len(places) + 1:
            counts = accumulate((len(piece) for piece in pieces), initial=0)
            pairs = zip(counts, [0, *places], strict=False)
            found = {inked[count]: place for count, place in pairs if count < len(inked)}
            return tuple(_spoken(clean, found))
    return ()


def _spoken(clean: str, places: Mapping[int, int]) -> Iterator[Word]:
    """From offset to offset; what holds no letter belongs to the word before it."""
    first = next(iter(places), 0)
    for edge, end in pairwise([*places, len(clean)]):
        if _SPOKEN.search(clean, first, edge) and _SPOKEN.search(clean, edge, end):
            yield _word(clean, first, edge, places)
            first = edge
    if _SPOKEN.search(clean, first):
        yield _word(clean, first, len(clean), places)


def _word(clean: str, start: int, end: int, places: Mapping[int, int]) -> Word:
    text = clean[start:end].rstrip()
    return Word(text, start, start + len(text), places[start])


def _stretches(markup: Markup, words: Sequence[Word]) -> tuple[Stretch, ...]:
    found = []
    for span in markup.spans:
        inside = [k for k, word in enumerate(words) if span.start <= word.start < span.end]
        if inside:
            written = " -> ".join(span.directions)
            found.append(Stretch(inside[0], inside[-1], written, span.beside))
    return tuple(found)


def _by_word(stretches: Sequence[Stretch], count: int) -> list[Stretch | None]:
    found: list[Stretch | None] = [None] * count
    for stretch in stretches:
        found[stretch.first : stretch.last + 1] = [stretch] * (stretch.last + 1 - stretch.first)
    return found
