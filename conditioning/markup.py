"""In-line markup: the text to speak, and which direction, manner and pause stands where in it.

Brackets, asterisks and tags are the language of a line:

    =====================================  ======================================================
    [fear], [fear 0.2 -> 0.9]              a direction, to the next direction or the end
    [whisper], [slow], [slightly louder]   a manner, to [/whisper] or the end; of [slow] and [fast]
                                           the later holds, and no direction ends it
    [speed 0.8], [pitch +2], [volume -6]   a manner in numbers: ratio, semitones, dB
    [whisper, afraid]                      both
    [/slow], [/afraid]                     ends that one
    [/]                                    ends all
    [pause], [long pause], [pause 800ms]   silence: 0.5, 1.2, 0.25 ("short") or any up to 10 s
    [emphasis] word, *word*, **words**     emphasis 0.6, 0.6 and 1; [strong emphasis] is 1
    \\[ \\* \\( \\<                            the character itself
    [laughs], (sighs), *gasps*, <gasp>     cannot be done: a note says so, and what is felt directs
                                           the words up to the end of the sentence
    [whispers], (softly), [shouting]       as in the systems that they come from: to the next tag
    <break time="1s"/>, <prosody ...>      SSML, see `conditioning.ssml`; whole in <speak>
    =====================================  ======================================================
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from conditioning.errors import InvalidInput
from conditioning.manner import Manner
from conditioning.ssml import (
    DEEPEST,
    TAG,
    Closing,
    Element,
    Opening,
    attributes_of,
    element,
    is_document,
    is_known,
    read_document,
)
from conditioning.vocal_tags import (
    LONGEST_PAUSE,
    MODERATE,
    STRONG,
    Delivery,
    Pause,
    Sound,
    group_of,
    is_starred_aside,
    read_part,
)

_ARROW = re.compile(r"->|→")
_NUMBER = re.compile(r"\s*[+-]?\.?\d")
_HOW = (
    "write [fear] or [fear 0.2 -> 0.9] before the words, [/] to end it, \\[ for a literal bracket"
)


@dataclass(frozen=True)
class Span:
    """A stretch of the clean text under one bracket.

    Attributes:
        start, end: character offsets in the clean text; end is exclusive.
        directions: what the bracket says, as written: one direction that holds all along, or the
            two or more stations of a ramp, evenly spaced from start to end.
        position: offset of the bracket in the text as it came, for error messages.
        beside: whether it is added to the direction in force, the line's own, as what is felt with
            a sound is; otherwise it takes that one's place.
    """

    start: int
    end: int
    directions: tuple[str, ...]
    position: int
    beside: bool = False

    @property
    def at_start(self) -> str:
        return self.directions[0]

    @property
    def at_end(self) -> str:
        return self.directions[-1]


@dataclass(frozen=True)
class Markup:
    """A line without its brackets and tags.

    Attributes:
        text: the clean text.
        spans: in order, not overlapping; the line's own direction holds outside of them.
        manners: start, end and manner, by start; where they overlap they add up.
        pauses: offset and seconds of silence there, at most one at an offset.
        notes: what cannot be done, and what is done instead.
    """

    text: str
    spans: tuple[Span, ...]
    manners: tuple[tuple[int, int, Manner], ...] = ()
    pauses: tuple[tuple[int, float], ...] = ()
    notes: tuple[str, ...] = ()


def parse_markup(text: str) -> Markup:
    """Takes brackets, tags and SSML out of a line; the forms stand at the top of this module.

    "->" ramps between directions. White space around a bracket is joined to what it would be
    without one. Round brackets, "<" and "*" are text unless they are one of the forms.

    >>> markup = parse_markup("[fear 0.2 -> 0.9] It's coming. [relief] Oh. It's only you.")
    >>> markup.text
    "It's coming. Oh. It's only you."
    >>> [(markup.text[span.start:span.end], span.directions) for span in markup.spans]
    [("It's coming. ", ('fear 0.2', '0.9')), ("Oh. It's only you.", ('relief',))]
    >>> markup = parse_markup("[coughs] You? [pause 0.8] I [slow] never [/slow] said that.")
    >>> markup.text, markup.pauses, [(*where, m.to_json()) for *where, m in markup.manners]
    ('You? I never said that.', ((5, 0.8),), [(7, 13, {'pace': -0.35})])
    >>> print(*markup.notes)
    [coughs] at character 1: this voice cannot cough yet; it is left out.

    Raises:
        InvalidInput: for an unclosed, unopened, nested or empty bracket, an empty side of a ramp,
            a bracket with nothing to speak after it, a number out of range, or SSML that is not
            well-formed; the message says at which character.
    """
    if not isinstance(text, str):
        raise InvalidInput(f"The line came as {type(text).__name__}; allowed: text.")
    line = _Line()
    whole = is_document(text)
    if whole:
        for piece in read_document(text):
            if isinstance(piece, Opening):
                line.open(piece, f"<{piece.name}>")
            elif isinstance(piece, Closing):
                line.close()
            else:
                _scan(line, piece.text, piece.positions, piece.literal)
    else:
        _scan(line, text, range(len(text)), frozenset())
    return line.finish(strip=whole)


_TOKEN = re.compile(
    rf"""(?P<escape>\\[\[\]*(<♪♫])
      | (?P<bracket>[\[\]])
      | (?P<tag>{TAG})
      | <[#](?P<wait>\d{{1,3}}(?:\.\d{{1,3}})?)[#]>
      | \((?P<aside>[^()\[\]\n]{{1,40}})\)
      | (?P<stars>\*+)
      | (?P<song>[♪♫]+)""",
    re.VERBOSE,
)


@dataclass
class _Token:
    """What stands at [start, end) of a run and is no plain text."""

    kind: str
    start: int
    end: int
    content: str = ""
    opening: Opening | None = None
    partner: _Token | None = field(default=None, repr=False)
    closes: bool = False
    held: _Held | None = None


def _scan(line: _Line, text: str, positions: Sequence[int], literal: frozenset[int]) -> None:
    """Hands what stands in a run to the line, in order."""
    tokens = _tokens(text, positions, literal)
    _pair_stars(text, tokens)
    _pair_songs(text, tokens)
    _pair_tags(tokens)
    reached = 0
    for token in _with_starred_asides(text, tokens):
        line.say(text[reached : token.start])
        reached = token.end
        _hand(line, token, text[token.start : token.end], positions[token.start])
    line.say(text[reached:])


def _hand(line: _Line, token: _Token, written: str, position: int) -> None:
    if token.kind == "escape":
        line.say(token.content)
    elif token.kind == "bracket":
        line.bracket(token.content, position)
    elif token.kind in ("aside", "wait"):
        line.parts(token.content, position, written, aside=token.kind == "aside")
    elif token.kind == "tag":
        _hand_tag(line, token, written, position)
    elif token.partner is None:
        line.say(written)
    elif token.kind == "song":
        line.join()
        if not token.closes:
            line.note(written, position, "this voice cannot sing yet; the words are spoken")
    elif token.closes:
        line.release(token.partner.held)
    else:
        manner = Manner(emphasis=MODERATE if token.end - token.start == 1 else STRONG)
        token.held = line.hold(manner, position, written)


def _hand_tag(line: _Line, token: _Token, written: str, position: int) -> None:
    if not token.closes:
        line.open(token.opening, written)
        return
    line.join()
    if token.partner is None:
        line.note(written, position, "it closes nothing and is passed over")
    elif token.partner.opening.end == "paired":
        line.close(token.partner.opening.position)


def _tokens(text: str, positions: Sequence[int], literal: frozenset[int]) -> list[_Token]:
    tokens = []
    index = 0
    while (match := _TOKEN.search(text, index)) is not None:
        start, index = match.span()
        token = _Token(match.lastgroup, start, index)
        if start in literal:
            index = start + 1
            continue
        if match["escape"]:
            token.kind, token.content = "escape", match[0][1]
        elif match["bracket"]:
            token.content, index = _bracket(text, positions, start)
            token.end = index
        elif match["tag"]:
            if not is_known(match["name"]):
                index = start + 1
                continue
            token.kind, token.closes = "tag", bool(match["slash"])
            token.opening = Opening(
                match["name"].lower(),
                attributes_of(match["attributes"]),
                positions[start],
                "empty" if match["empty"] else "unclosed",
            )
        elif match["wait"]:
            token.kind, token.content = "wait", f"pause {match['wait']}"
        elif match["aside"] is not None:
            if read_part(match["aside"], aside=True) is None:
                index = start + 1
                continue
            token.kind, token.content = "aside", match["aside"]
        tokens.append(token)
    return tokens


def _bracket(text: str, positions: Sequence[int], start: int) -> tuple[str, int]:
    """What stands in the bracket that begins at `start`, and the offset after it, checked."""
    here = positions[start] + 1
    if text[start] == "]":
        raise InvalidInput(
            f"The ']' at character {here} closes no bracket; allowed: [direction]; {_HOW}."
        )
    end = text.find("]", start)
    inner = text.find("[", start + 1)
    if inner != -1 and (end == -1 or inner < end):
        raise InvalidInput(
            f"The '[' at character {positions[inner] + 1} stands inside the bracket at character "
            f"{here}; allowed: one bracket after the other; close the first before it, or write "
            "\\[."
        )
    if end == -1:
        raise InvalidInput(
            f"The '[' at character {here} is never closed; allowed: [direction]; {_HOW}."
        )
    content = text[start + 1 : end].strip()
    if not content:
        raise InvalidInput(
            f"The bracket at character {here} is empty; allowed: [direction]; {_HOW}."
        )
    return content, end + 1


def _pair_stars(text: str, tokens: list[_Token]) -> None:
    """Finds the asterisks that wrap words: they touch the words inside and none outside."""
    waiting: dict[int, _Token] = {}
    for token in tokens:
        length = token.end - token.start
        if token.kind != "stars" or length > 3:
            continue
        before, after = text[token.start - 1 : token.start], text[token.end : token.end + 1]
        if not token.start:
            before = ""
        opener = waiting.pop(length, None)
        if opener and "\n" in text[opener.end : token.start]:
            opener = None
        if opener and before.strip() and not after.isalnum():
            opener.partner, token.partner, token.closes = token, opener, True
        elif not before.isalnum() and (after.isalnum() or (after and after in "\"'“‘*[")):
            waiting[length] = token
        elif opener:
            waiting[length] = opener


def _with_starred_asides(text: str, tokens: list[_Token]) -> list[_Token]:
    """The tokens, with one in the place of the two about an aside such as "*sighs*"."""
    kept: list[_Token] = []
    for token in tokens:
        # Nothing else stands between the two.
        if token.kind == "stars" and token.closes and kept[-1] is token.partner:
            start, inside = token.partner.start, text[token.partner.end : token.start]
            if is_starred_aside(inside, text[max(start - 60, 0) : start], text[token.end :][:60]):
                kept[-1] = _Token("aside", start, token.end, inside)
                continue
        kept.append(token)
    return kept


def _pair_songs(text: str, tokens: list[_Token]) -> None:
    """Notes with words between them are sung; one alone is a sign."""
    waiting = None
    for token in tokens:
        if token.kind != "song":
            continue
        if waiting and any(map(str.isalnum, text[waiting.end : token.start])):
            waiting.partner, token.partner, token.closes = token, waiting, True
            waiting = None
        else:
            waiting = token


def _pair_tags(tokens: list[_Token]) -> None:
    waiting: dict[str, list[_Token]] = {}
    for token in tokens:
        if token.kind != "tag":
            continue
        name = token.opening.name
        if not token.closes:
            if token.opening.end == "unclosed":
                waiting.setdefault(name, []).append(token)
        elif waiting.get(name):
            token.partner = opener = waiting[name].pop()
            end = "empty" if opener.end == token.start else "paired"
            opener.opening = opener.opening._replace(end=end)


@dataclass(eq=False)
class _Held:
    """A manner in force.

    pieces: the places where it begins and ends; an end of None is not reached yet.
    strict: whether it must have something to be spoken.
    closed: whether its own closing bracket ended it.
    """

    manner: Manner
    position: int
    written: str
    strict: bool = False
    word: bool = False
    closed: bool = False
    pieces: list[list[int | None]] = field(default_factory=list)


class _Turn(NamedTuple):
    """Where the direction changes; `content` None returns to the line's own.

    sound: what is made there, or with `content` all along; it cannot be done.
    beside: whether it is added to the line's own direction.
    """

    place: int
    content: str | None
    position: int
    written: str
    strict: bool = False
    sound: Sound | None = None
    beside: bool = False

    @property
    def sets(self) -> bool:
        """Whether it sets the direction in force, and is no sound that only stands there."""
        return self.content is not None or self.sound is None


class _Stretch(NamedTuple):
    """From one turn to the next, and to the next one that sets the direction in force."""

    turn: _Turn
    start: int
    end: int
    following: int


class _Opened(NamedTuple):
    """An element that is not closed yet, and what its end brings back where it has `turned`."""

    asks: Element | None = None
    held: _Held | None = None
    turned: bool = False
    before: _Turn | None = None


# A sentence ends where the next one does not begin in lower case.
_STOP = re.compile(
    r"(?<![.!?…])(?<!\bMr)(?<!\bMs)(?<!\bMrs)(?<!\bDr)(?<!\bSt)[.!?…]++[\"”’')]*+"
    r"(?:\s++(?=[^a-z])|\s*+$)|\n\s*\n"
)
_WORD = re.compile(r"\w+(?:['’-]\w+)*")
_PUNCTUATION = ",.;:!?…"


class _Line:
    """The clean text as it grows, with what stands where in it.

    Offsets are kept as places, indexes into `places`, since white space at the end may still go.
    """

    def __init__(self) -> None:
        self.clean: list[str] = []
        self.places: list[int] = []
        self.joining = False  # whether a tag stood just before
        self.parting = False  # whether what stood there takes time, and so parts two words
        self.turns: list[_Turn] = []
        self.current: _Turn | None = None
        self.held: list[_Held] = []
        self.groups: dict[str, list[_Held]] = {}
        self.passing: list[tuple[str, _Held]] = []
        self.silences: list[tuple[int, float, int]] = []
        self.ends: list[tuple[int, float]] = []
        self.remarks: list[tuple[int, str, str]] = []
        self.elements: dict[int, _Opened] = {}  # by where they opened
        self.unclosed = 0
        self.captured: tuple[int, list[str]] | None = None  # of an element that is rewritten

    def say(self, text: str) -> None:
        if not text:
            return
        if self.captured is not None:
            self.captured[1].append(text)
            return
        clean = self.clean
        if self.joining and (not clean or clean[-1].isspace()):
            # One gap is enough; before a full stop or a comma there is none.
            text = text.lstrip()
            if not text:
                return
            if text[0] in _PUNCTUATION:
                self._trim()
        if (
            self.parting
            and clean
            and not clean[-1].isspace()
            and not text[0].isspace()
            and text[0] not in _PUNCTUATION
        ):
            clean.append(" ")
        self.joining = self.parting = False
        clean.extend(text)

    def join(self) -> None:
        self.joining = True

    def part(self) -> None:
        self.joining = self.parting = True

    def place(self) -> int:
        self.places.append(len(self.clean))
        return len(self.places) - 1

    def _trim(self) -> None:
        while self.clean and self.clean[-1].isspace():
            self.clean.pop()
        for index in range(len(self.places) - 1, -1, -1):
            if self.places[index] <= len(self.clean):
                break
            self.places[index] = len(self.clean)

    def note(self, written: str, position: int, remark: str) -> None:
        self.remarks.append((position, written, remark))

    def bracket(self, content: str, position: int) -> None:
        self.join()
        if self.captured is not None:
            return
        if content == "/":
            self._end_all(position)
        elif content.startswith("/"):
            self._end(content[1:].strip(), position)
        else:
            self.parts(content, position, f"[{content}]")

    def parts(self, content: str, position: int, written: str, aside: bool = False) -> None:
        """A bracket's manners, pauses and sounds; what is left of it is a direction."""
        self.join()
        if self.captured is not None:
            return
        parts = _split(content)
        try:
            if len(parts) == 1:
                _no_ramp_of_manners(content)
            read = [(part, read_part(part, aside)) for part in parts]
        except InvalidInput as error:
            raise InvalidInput(f"Bracket at character {position + 1}: {error}") from None
        rest = [part for part, meaning in read if meaning is None]
        if len(rest) == len(read):
            rest = [content]  # as written
        deliveries = [meaning for _, meaning in read if isinstance(meaning, Delivery)]
        if rest or any(delivery.passing for delivery in deliveries):
            self._end_passing()
        if rest:
            self._turn(", ".join(rest), position, written, strict=True)
        for group in dict.fromkeys(delivery.group for delivery in deliveries):
            together = [delivery for delivery in deliveries if delivery.group == group]
            self._deliver(group, together, position, written)
        for _, meaning in read:
            if isinstance(meaning, Pause):
                self._pause(meaning.seconds, position)
            elif isinstance(meaning, Sound):
                self._sound(meaning, position, written)

    def _deliver(self, group: str, together: list[Delivery], position: int, written: str) -> None:
        passing = any(delivery.passing for delivery in together)
        stack = self.groups.setdefault(group, [])
        if stack:
            self.release(stack[-1])
            if stack[-1].word:
                stack.pop()
        held = self.hold(
            sum((delivery.manner for delivery in together), Manner()),
            position,
            written,
            strict=not passing,
            word=any(delivery.word for delivery in together),
        )
        stack.append(held)
        if passing:
            self.passing.append((group, held))

    def hold(
        self,
        manner: Manner,
        position: int,
        written: str,
        strict: bool = False,
        word: bool = False,
    ) -> _Held:
        held = _Held(manner, position, written, strict, word)
        held.pieces.append([self.place(), None])
        self.held.append(held)
        return held

    def release(self, held: _Held) -> None:
        if held.pieces[-1][1] is None:
            held.pieces[-1][1] = self.place()

    def _drop(self, group: str, held: _Held) -> None:
        """Ends one of a group; what it had taken the place of holds again."""
        stack = self.groups[group]
        top = stack[-1] is held
        stack.remove(held)
        self.release(held)
        if top and stack:
            stack[-1].pieces.append([self.place(), None])

    def _end_passing(self) -> None:
        for group, held in self.passing:
            if held in self.groups[group]:
                self._drop(group, held)
        self.passing.clear()

    def _end(self, word: str, position: int) -> None:
        group = group_of(word)
        if group is not None and self.groups.get(group):
            self.groups[group][-1].closed = True
            self._drop(group, self.groups[group][-1])
        elif self.current and word.lower() in (self.current.content or "").lower():
            self._turn(None, position, "")
        else:
            raise InvalidInput(
                f"The bracket {_shown(f'[/{word}]')} at character {position + 1} ends nothing; "
                "allowed: [/slow] after [slow], and [/] for all; remove it."
            )

    def _end_all(self, position: int) -> None:
        self._turn(None, position, "")
        self.passing.clear()
        for stack in self.groups.values():
            for held in stack[-1:]:
                self.release(held)
            stack.clear()

    def _turn(self, content: str | None, position: int, written: str, **more: object) -> None:
        self.current = _Turn(self.place(), content, position, written, **more)
        self.turns.append(self.current)

    def _pause(self, lasting: float, position: int) -> None:
        self.part()
        if lasting:
            self.silences.append((self.place(), lasting, position))

    def _sound(self, sound: Sound, position: int, written: str) -> None:
        self.part()
        self.turns.append(_Turn(self.place(), None, position, written, sound=sound))

    def open(self, opening: Opening, written: str) -> None:
        self.join()
        paired, position = opening.end == "paired", opening.position
        if self.captured is not None:
            if paired:
                self.elements[position] = _Opened()
            return
        asks = self._asked(opening, written)
        if asks.pause is not None:
            self._pause(asks.pause, position)
        if not paired:
            self._stand(asks, opening, written)
        if opening.end == "empty" and not asks.stands:
            return
        before = self.current
        turned = self._direct(asks, opening, written)
        held = self._control(asks, opening, written)
        if asks.ends is not None:
            self.part()
        if paired:
            self.elements[position] = _Opened(asks, held, turned, before)
            if asks.rewrite is not None:
                self.captured = position, []
        if len(self.elements) + self.unclosed > DEEPEST:
            raise InvalidInput(
                f"The <{opening.name}> at character {position + 1} stands inside too many others; "
                f"allowed: {DEEPEST}; close some before it."
            )

    def _asked(self, opening: Opening, written: str) -> Element:
        """What an element asks for; notes say what of it is passed over."""
        position = opening.position
        try:
            asks = element(opening.name, opening.attributes)
        except InvalidInput as error:
            raise InvalidInput(f"<{opening.name}> at character {position + 1}: {error}") from None
        if asks is None:
            self.note(written, position, "it is not known; the text inside is spoken")
            return Element()
        if asks.passed:
            self.note(written, position, asks.passed)
        return asks

    def _stand(self, asks: Element, opening: Opening, written: str) -> None:
        """Does what an element without content asks for where it stands."""
        if asks.rewrite is not None:
            if opening.end == "unclosed":
                raise InvalidInput(
                    f"The <{opening.name}> at character {opening.position + 1} is never closed; "
                    f"allowed: <{opening.name}>…</{opening.name}>; close it after its words."
                )
            self.say(asks.rewrite(""))
        if asks.sound is not None:
            self._sound(asks.sound, opening.position, written)
        if asks.ends is not None and opening.end == "empty":
            self.part()
            self._end_sentence(asks.ends)

    def _direct(self, asks: Element, opening: Opening, written: str) -> bool:
        """Begins the direction that an element asks for, if it does."""
        if asks.sound is not None and opening.end == "paired":
            return self._sound_along(asks.sound, opening.position, written)
        if asks.direction:
            self._end_passing()
            self._turn(asks.direction, opening.position, written)
        return bool(asks.direction)

    def _sound_along(self, sound: Sound, position: int, written: str) -> bool:
        """Begins what is felt with a sound, beside the direction in force unless that is a ramp."""
        force = self.current if self.current and self.current.content is not None else None
        held = self._stations(force) if force else ()
        if not sound.direction or len(held) > 1:
            self.note(written, position, _remark(sound))
            return False
        self._end_passing()
        felt = ", ".join([*held, sound.direction])
        self._turn(felt, position, written, sound=sound, beside=force is None or force.beside)
        return True

    def _control(self, asks: Element, opening: Opening, written: str) -> _Held | None:
        """Begins the manner that an element asks for; what its closing tag ends."""
        if not asks.manner:
            return None
        paired, position = opening.end == "paired", opening.position
        if asks.group and not paired:
            stack = self.groups.setdefault(asks.group, [])
            for earlier in stack:
                self.release(earlier)
            stack[:] = [self.hold(asks.manner, position, written)]
            return None
        self.unclosed += not asks.word and not paired
        return self.hold(asks.manner, position, written, word=asks.word and not paired)

    def close(self, position: int | None = None) -> None:
        """Ends the element that opened at a position, or the innermost one."""
        self.join()
        if position is None:
            position = next(reversed(self.elements))
        opened = self.elements.pop(position)
        if self.captured is not None and self.captured[0] == position:
            inside, self.captured = "".join(self.captured[1]), None
            self.say(opened.asks.rewrite(inside))
            self.join()
        if opened.asks is None:
            return
        if opened.held is not None:
            self.release(opened.held)
        if opened.turned:
            before = opened.before or _Turn(0, None, position, "")
            self._turn(before.content, before.position, "", beside=before.beside)
        if opened.asks.ends is not None:
            self.part()
            self._end_sentence(opened.asks.ends)

    def _end_sentence(self, lasting: float) -> None:
        """A sentence without a stop of its own would run into the next one."""
        end = len(self.clean)
        while end and self.clean[end - 1].isspace():
            end -= 1
        if end and self.clean[end - 1].isalnum():
            self._trim()
            self.clean.append(".")
        if lasting:
            self.ends.append((self.place(), lasting))

    def finish(self, strip: bool) -> Markup:
        if self.joining or strip:
            self._trim()
        clean = "".join(self.clean)
        words = [match.start() for match in re.finditer(r"[^\W_]", clean)]
        spans = self._spans(clean, words)
        manners = self._manners(clean, words)
        return Markup(clean, spans, manners, self._pauses(words), self._notes())

    def _spans(self, clean: str, words: list[int]) -> tuple[Span, ...]:
        stops: list[int] = []
        if any(not turn.sets for turn in self.turns):
            stops = [*(match.end() for match in _STOP.finditer(clean)), len(clean)]
        spans: list[Span] = []
        force: _Turn | None = None
        for stretch in self._stretches(len(clean)):
            if not stretch.turn.sets:
                spans += self._beside_sound(stretch, force, words, stops)
                continue
            force = stretch.turn if stretch.turn.content is not None else None
            if force:
                spans += self._directed(stretch, words)
        return tuple(span for span in spans if _any(words, span.start, span.end))

    def _stretches(self, length: int) -> list[_Stretch]:
        stretches = []
        end = following = length
        for turn in reversed(self.turns):
            start = self.places[turn.place]
            stretches.append(_Stretch(turn, start, end, following))
            end, following = start, start if turn.sets else following
        return stretches[::-1]

    def _directed(self, stretch: _Stretch, words: list[int]) -> list[Span]:
        """The words under a direction, up to the next turn; a ramp goes on through sounds."""
        turn, start, end, following = stretch
        spoken = _any(words, start, following)
        if turn.strict and not spoken:
            raise InvalidInput(
                f"The bracket {_shown(turn.written)} at character {turn.position + 1} has "
                "nothing to speak after it; allowed: before the words it directs; move or "
                "remove it."
            )
        if turn.sound:
            where = "inside" if spoken else ""
            self.note(turn.written, turn.position, _remark(turn.sound, where))
        held = self._stations(turn)
        end = end if len(held) == 1 else following
        return [Span(start, end, held, turn.position, turn.beside)]

    def _beside_sound(
        self, stretch: _Stretch, force: _Turn | None, words: list[int], stops: list[int]
    ) -> list[Span]:
        """What is felt with a sound, to the end of the sentence, and the direction in force."""
        turn, start, end, _ = stretch
        held = self._stations(force) if force else ()
        felt = start
        first = bisect_left(words, start)
        if turn.sound.direction and len(held) < 2 and first < len(words):
            felt = min(end, stops[bisect_right(stops, words[first])])
        where = "after it" if _any(words, start, felt) else ""
        self.note(turn.written, turn.position, _remark(turn.sound, where))
        directions = (", ".join([*held, turn.sound.direction]),)
        spans = [Span(start, felt, directions, turn.position, force is None or force.beside)]
        if len(held) == 1:
            spans.append(Span(felt, end, held, force.position, force.beside))
        return spans

    def _stations(self, turn: _Turn) -> tuple[str, ...]:
        try:
            return stations(turn.content)
        except InvalidInput as error:
            raise InvalidInput(f"Bracket at character {turn.position + 1}: {error}") from None

    def _manners(self, clean: str, words: list[int]) -> tuple[tuple[int, int, Manner], ...]:
        found: list[tuple[int, int, Manner]] = []
        for held in self.held:
            spoken = False
            for first, last in held.pieces:
                start = self.places[first]
                end = len(clean) if last is None else self.places[last]
                if held.word and not held.closed:
                    word = _WORD.search(clean, start)
                    end = min(end, word.end()) if word else start
                if _any(words, start, end):
                    spoken = True
                    if held.manner:
                        found.append((start, end, held.manner))
            if held.strict and not spoken:
                raise InvalidInput(
                    f"The bracket {_shown(held.written)} at character {held.position + 1} has "
                    "nothing to speak after it; allowed: before the words it is about; move or "
                    "remove it."
                )
        return tuple(sorted(found, key=lambda piece: piece[:2]))

    def _pauses(self, words: list[int]) -> tuple[tuple[int, float], ...]:
        pauses: dict[int, float] = {}
        for place, lasting, position in self.silences:
            offset = self.places[place]
            pauses[offset] = round(pauses.get(offset, 0.0) + lasting, 6)
            if pauses[offset] > LONGEST_PAUSE:
                raise InvalidInput(
                    f"The pauses up to character {position + 1} add up to {pauses[offset]:g} s; "
                    f"allowed: {LONGEST_PAUSE:g} s at one place; take some out."
                )
        for place, lasting in self.ends:
            if words and self.places[place] <= words[-1]:  # the last paragraph is parted from none
                pauses.setdefault(self.places[place], lasting)
        return tuple(sorted(pauses.items()))

    def _notes(self) -> tuple[str, ...]:
        """One note for each thing, with the first places where it stands."""
        notes: dict[tuple[str, str], list[int]] = {}
        for position, written, remark in sorted(self.remarks):
            notes.setdefault((_short(written), remark), []).append(position + 1)
        return tuple(
            f"{written} at character{'s' * (len(places) > 1)} {_listed(places)}: {remark}."
            for (written, remark), places in notes.items()
        )


def _any(words: list[int], start: int, end: int) -> bool:
    """Whether a letter or digit stands in [start, end)."""
    index = bisect_left(words, start)
    return index < len(words) and words[index] < end


def _remark(sound: Sound, where: str = "") -> str:
    """What to say of a sound, and where the words stand that are spoken as it feels, if any do."""
    if where and sound.direction:
        return f"{sound.why}; the words {where} are spoken {sound.spoken} instead"
    return f"{sound.why}; {sound.otherwise}"


def _listed(places: list[int]) -> str:
    shown = ", ".join(map(str, places[:3]))
    return shown if len(places) <= 3 else f"{shown} and {len(places) - 3} more"


# Not within a number: "0,8".
_PARTS = re.compile(r" ?(?:;|,(?!\d)|(?<!\d),|(?<= )and(?= )) ?")


def _split(content: str) -> list[str]:
    return [part for part in _PARTS.split(" ".join(content.split())) if part]


def _no_ramp_of_manners(content: str) -> None:
    first, *others = _ARROW.split(content)
    if not others or not isinstance(read_part(first), Delivery):
        return
    if all(_NUMBER.match(side) or isinstance(read_part(side), Delivery) for side in others):
        raise InvalidInput(
            f"The ramp {_shown(content)} is one of manners; allowed: ramps of directions; write "
            "one bracket after the other."
        )


def stations(direction: str) -> tuple[str, ...]:
    """The sides of a ramp "a -> b -> c"; a direction without an arrow is a single station.

    Raises:
        InvalidInput: for an empty side.
    """
    parts = tuple(part.strip() for part in _ARROW.split(direction))
    if len(parts) > 1 and not all(parts):
        raise InvalidInput(
            f"The ramp {_shown(direction)} has an empty side; allowed: a direction on either side "
            "of '->'; write for example 'fear 0.2 -> 0.9'."
        )
    return parts


def _shown(direction: str) -> str:
    return repr(_short(direction))


def _short(written: str) -> str:
    return written if len(written) <= 40 else written[:39] + "…"
