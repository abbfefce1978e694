"""What a terminal can show: bars, dials and signed numbers, as wide as it is."""

from __future__ import annotations

import math
import shutil
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TextIO

NARROWEST = 60  # columns
# What the ends of each dimension mean, low and high; named from SLIGHT on.
ENDS = {
    "valence": ("unpleasant", "pleasant"),
    "arousal": ("calm", "excited"),
    "dominance": ("yielding", "firm"),
}
SLIGHT = 0.1


@dataclass(frozen=True)
class Screen:
    """What the output can show: its width in columns, its encoding, the signs of a bar."""

    width: int
    encoding: str
    full: str = "█"
    empty: str = "·"
    middle: str = "│"
    cut: str = "…"
    levels: str = "▁▂▃▄▅▆▇█"

    @classmethod
    def of(cls, stream) -> Screen:
        width = max(NARROWEST, shutil.get_terminal_size().columns)
        encoding = stream.encoding or "ascii"
        screen = cls(width, encoding)
        try:
            (screen.full + screen.empty + screen.middle + screen.cut + screen.levels).encode(
                encoding
            )
        except UnicodeEncodeError:
            return cls(width, encoding, "#", ".", "|", "~", "12345678")
        return screen

    def say(self, *lines: str, to: TextIO | None = None) -> None:
        """Prints; characters of a file's name that the output does not know are escaped."""
        text = "\n".join(lines)
        print(text.encode(self.encoding, "backslashreplace").decode(self.encoding), file=to)

    @staticmethod
    def printed(words: Iterable[str]) -> str:
        """A list in one line; what a terminal would act on is escaped."""
        return ", ".join(word if word.isprintable() else repr(word) for word in words)

    def wrap(self, paragraphs: Sequence[str]) -> list[str]:
        return [
            line
            for paragraph in paragraphs
            for line in textwrap.wrap(paragraph, self.width, subsequent_indent="  ")
        ]

    def fit(self, text: str, width: int) -> str:
        """The text in exactly so many columns."""
        return text.ljust(width) if len(text) <= width else text[: width - 1] + self.cut

    def bar(self, value: float, width: int) -> str:
        """Of a value in [0, 1]."""
        filled = round(value * width)
        return self.full * filled + self.empty * (width - filled)

    def course(self, values: Sequence[float]) -> str:
        """Of values in [0, 1], one after the other; 0 is `empty`."""
        most = len(self.levels) - 1
        return "".join(
            self.levels[min(int(value * len(self.levels)), most)] if value > 0 else self.empty
            for value in values
        )

    def dial(self, value: float, width: int) -> str:
        """Of a value in [-1, 1], from the middle to either side; the width is odd."""
        side = self.bar(abs(value), width // 2)
        low, high = (side[::-1], "") if value < 0 else ("", side)
        return low.rjust(width // 2, self.empty) + self.middle + high.ljust(width // 2, self.empty)


def labelled(dimension: str, value: float) -> str:
    """ "valence, pleasant"; the bare name where it is hardly either."""
    if not abs(value) >= SLIGHT:
        return dimension
    return f"{dimension}, {ENDS[dimension][value > 0]}"


def signed(value: float) -> str:
    # Adding zero makes a rounded -0.0 positive.
    return f"{round(value, 2) + 0.0:+.2f}" if math.isfinite(value) else "-"
