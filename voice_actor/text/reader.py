"""The reader: walks over cleaned text and turns what stands there into words and marks."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import NamedTuple

LETTER = "A-Za-zÀ-ÖØ-öø-ÿ"
# Only these follow an abbreviation as the first word of a new sentence often enough to end it.
STARTERS = frozenset(
    "The A An He She It I We They You But And Or So Then That This These Those There Here "
    "When What Where Who Why How If In On At As My Your His Her Our Their Its It's He's She's "
    "We're They're You're I'm I've I'll I'd That's There's Yes No Not Oh Well Now Nobody "
    "Everyone Everybody Someone Nothing Do Did Does Is Are Was Were Can Could Will Would "
    "Should Please Let Let's After Before While Because Although However Also Just Maybe "
    "Perhaps".split()
)
ELISIONS = frozenset(
    "tis twas em til till cause bout round n neath gainst cuz coz ere im er ave ello ow ere's "
    "tain't twill twere nuff scuse kay sup yer".split()
)


class Item(NamedTuple):
    """A word (spoken) or mark of the cleaned text, characters [start, end) of it."""

    word: bool
    spoken: str
    start: int
    end: int


# What a rule makes of its match: the words and where they end (else at the match's end), or None
# when the characters are left to the rules after it.
Reading = tuple[str, int] | str | None
Rule = tuple[re.Pattern, Callable[["Reader", re.Match], Reading]]


class Reader:
    """Reads one cleaned text from left to right.

    text, emoji: as in `characters.Cleaned`.
    rules: tried in this order at each place; the first that matches and gives a reading wins.
    """

    def __init__(self, text: str, emoji: dict[int, str], rules: tuple[Rule, ...]):
        self.text = text
        self.emoji = emoji
        self.rules = rules
        self.items: list[Item] = []
        self.single_quotes = _single_quotes(text)
        self.double_open = False

    def read(self) -> list[Item]:
        position = 0
        while position < len(self.text):
            if self.text[position].isspace():
                position += 1
            elif position in self.emoji:
                self.word(self.emoji[position], position, position + 1)
                position += 1
            else:
                position = self.step(position)
        return self.items

    def step(self, position: int) -> int:
        """Reads what stands at the position; returns where it ends."""
        for pattern, reading in self.rules:
            match = pattern.match(self.text, position)
            if match is None:
                continue
            spoken = reading(self, match)
            if spoken is None:
                continue
            end = match.end()
            if isinstance(spoken, tuple):
                spoken, end = spoken
            assert end > position, f"no progress at {self.text[position : position + 20]!r}"
            if spoken:
                self.word(spoken, position, end)
            return end
        return self.punctuation(position)

    def word(self, spoken: str, start: int, end: int) -> None:
        spoken = re.sub(r"\s+", " ", spoken).strip()
        assert spoken, f"no reading for {self.text[start:end]!r}"
        self.items.append(Item(True, spoken, start, end))

    def mark(self, symbol: str, start: int, end: int) -> None:
        self.items.append(Item(False, symbol, start, end))

    def previous(self) -> str:
        """The written word just before, when only spaces separate it from here; else empty."""
        if self.items and self.items[-1].word:
            return self.text[self.items[-1].start : self.items[-1].end]
        return ""

    def at_line_start(self, position: int) -> bool:
        return not re.search(r"[^\s]", self.text[self.text.rfind("\n", 0, position) + 1 : position])

    def adjacent(self, position: int) -> bool:
        """Whether the last item ends exactly here."""
        return bool(self.items) and self.items[-1].end == position

    def next_word(self, position: int) -> str:
        """The letters that follow after spaces, or after spaces and an opening quote."""
        match = re.compile(rf"\s+[\"“(']?([{LETTER}]+(?:'[{LETTER}]+)?)").match(self.text, position)
        return match[1] if match else ""

    def closes_sentence(self, position: int) -> bool:
        """Whether an abbreviation's dot that ends here ends its sentence as well."""
        rest = self.text[position:]
        if re.match(r"[\"”')\s]*$", rest) or re.match(r"[\"”')]*[ \t]*\n\s*\n", rest):
            return True
        return (
            bool(re.match(r"[\"”')]*\s", rest))
            and self.next_word(position + len(re.match(r"[\"”')]*", rest)[0])) in STARTERS
        )

    def dotted(self, spoken: str, end: int) -> tuple[str, int]:
        """An abbreviation up to `end`: its last dot is left as a stop where a sentence ends."""
        if self.text[end - 1] == "." and self.closes_sentence(end):
            return spoken, end - 1
        return spoken, end

    def punctuation(self, position: int) -> int:
        text = self.text
        character = text[position]
        run = re.compile(r"\.{2,}|…+\.*|[!?]+|-{2,}|[-–—]+|,+|;+|:+|\.").match(text, position)
        if run:
            return self.stop(run)
        if character == '"':
            after = text[position + 1 : position + 2]
            before = text[position - 1 : position]
            opens = not self.double_open if not after.isspace() and after else False
            if self.double_open and (not before or before.isspace()) and after.strip():
                opens = True
            self.double_open = opens
            self.mark("“" if opens else "”", position, position + 1)
        elif character in "“”":
            # „German“ quotes close with the sign that opens English ones.
            closes = character == "“" and self.double_open and not self.space_before(position)
            self.double_open = character == "“" and not closes
            self.mark("”" if closes else character, position, position + 1)
        elif character == "'":
            side = self.single_quotes.get(position)
            if side:
                self.mark(side, position, position + 1)
        elif character in "([{":
            self.mark("(", position, position + 1)
        elif character in ")]}":
            self.mark(")", position, position + 1)
        elif character in "|/":
            self.mark(",", position, position + 1)
        else:
            # What is left is a sign without a reading: say its name rather than nothing.
            name = unicodedata.name(character, "").lower()
            name = re.sub(r"[^a-z ]", " ", name)
            self.word(name.strip() or "symbol", position, position + 1)
        return position + 1

    def space_before(self, position: int) -> bool:
        return position == 0 or self.text[position - 1].isspace()

    def stop(self, run: re.Match) -> int:
        written, start, end = run[0], run.start(), run.end()
        first = written[0]
        if first in "!?":
            symbol = "?!" if len(set(written)) == 2 else first
        elif first == "…" or (first == "." and len(written) > 1):
            symbol = "…"
        elif first in "-–—":
            return self.dash(run)
        else:
            symbol = first
        self.mark(symbol, start, end)
        return end

    def bullet(self, start: int, end: int) -> int:
        """A list's lines would run together without a pause."""
        if self.items and self.items[-1].word:
            self.mark(",", start, end)
        return end

    def dash(self, run: re.Match) -> int:
        start, end = run.start(), run.end()
        text = self.text
        single = run[0] == "-"
        glued = self.adjacent(start) and text[end : end + 1].strip() != ""
        if single and self.at_line_start(start):
            return self.bullet(start, end)
        if single and glued and text[end].isalnum():
            # "$20-a-day" has a hyphen; "10:30-11:00" runs from one to the other.
            written = text[self.items[-1].start : self.items[-1].end]
            if text[end].isdigit() and re.search(r"\d", written):
                self.word("to", start, end)
            return end
        if single and not self.adjacent(start) and text[end : end + 1].isalnum():
            return end  # "-ing"
        self.mark("—", start, end)
        return end


def _single_quotes(text: str) -> dict[int, str]:
    """Position -> “ or ” of the apostrophes that are quotation marks and not part of a word."""
    sides: dict[int, str] = {}
    opened: int | None = None
    for match in re.finditer("'", text):
        position = match.start()
        before = text[position - 1 : position]
        after = text[position + 1 : position + 2]
        elided = re.compile(rf"[{LETTER}]+(?:'[{LETTER}]+)?|\d\ds\b").match(text, position + 1)
        opens = (not before or before in ' \t\n([—–-…"“') and after.strip() != ""
        if opens and not (elided and (elided[0].lower() in ELISIONS or elided[0][0].isdigit())):
            opened = position
        elif opened is not None and before.strip() and not after.isalnum():
            sides[opened], sides[position] = "“", "”"
            opened = None
    return sides


def letters(run: str) -> str:
    """A run of letters as a chunk that the reader takes as a word or spells."""
    if run == "A":
        return "eh"  # the letter as it sounds, not the article; "ay" would be "eye"
    return run.strip("'")
