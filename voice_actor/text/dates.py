"""Dates and times of day as words."""

from __future__ import annotations

import re

from .numbers import as_year, cardinal, hibari, ordinal, plural
from .reader import Reader, Reading

MONTHS = (
    "January|February|March|April|May|June|July|August|September|October|November|December"
    "|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept|Sep|Oct|Nov|Dec"
)
_MONTH_KEYS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
HALF_OF_DAY = r"(?:[AaPp]\.?[Mm]\b\.?)"


def _month(name: str) -> str:
    return hibari()[1].MONTHS[name[:3].lower()]


def date(month: int, day: int, year: str | None) -> str | None:
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    if year and len(year) == 2:
        year = ("19" if int(year) > 40 else "20") + year
    tail = f", {as_year(year)}" if year else ""
    return f"{_month(_MONTH_KEYS[month - 1])} {ordinal(str(day))}{tail}"


def iso_date(reader: Reader, match: re.Match) -> Reading:
    return date(int(match[2]), int(match[3]), match[1])


def slashed_date(reader: Reader, match: re.Match) -> Reading:
    first, second = int(match[1]), int(match[3])
    # American order, unless only the other can be a date; dots are written day first.
    if match[2] == "." or first > 12:
        first, second = second, first
    return date(first, second, match[4])


def month_day(reader: Reader, match: re.Match) -> Reading:
    if not 1 <= int(match["day"]) <= 31:
        return None
    spoken = f"{_month(match['month'])} {ordinal(match['day'])}"
    if match["upto"]:
        spoken += f" to {ordinal(match['upto'])}"
    return spoken + (f", {as_year(match['year'])}" if match["year"] else "")


def day_month(reader: Reader, match: re.Match) -> Reading:
    if not 1 <= int(match["day"]) <= 31:
        return None
    the = "" if reader.previous().lower() == "the" else "the "
    spoken = f"{the}{ordinal(match['day'])} of {_month(match['month'])}"
    if match["year"]:
        return f"{spoken}, {as_year(match['year'])}"
    # The dot of "5 Dec." is the abbreviation's.
    return spoken


def decade(reader: Reader, match: re.Match) -> Reading:
    return plural(as_year(match[1]))


def clock(reader: Reader, match: re.Match) -> Reading:
    hour, minute, second, half = match["hour"], match["minute"], match["second"], match["half"]
    if int(hour) > 24 or int(minute) > 59 or int(second or 0) > 59:
        return None
    spoken = cardinal(str(int(hour)))
    if int(minute) == 0:
        spoken += "" if half or second else " o'clock"
    else:
        spoken += (" oh " if minute[0] == "0" else " ") + cardinal(str(int(minute)))
    if second:
        spoken += f" and {cardinal(str(int(second)))} second" + ("" if int(second) == 1 else "s")
    if half:
        spoken += f" {half[0].upper()}.M."
        return reader.dotted(spoken, match.end())
    return spoken


def hour(reader: Reader, match: re.Match) -> Reading:
    hour, half = int(match["hour"]), match["half"]
    if not 1 <= hour <= 12:
        return None
    return reader.dotted(f"{cardinal(str(hour))} {half[0].upper()}.M.", match.end())
