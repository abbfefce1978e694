"""Numbers as words: counts, years, fractions, ranges, phone numbers, versions, Roman numerals."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import import_module

from .reader import Reader, Reading, letters


@lru_cache(maxsize=1)
def hibari():
    """hibari's number words and the tables of its normaliser, imported on first use.

    The normaliser itself rewrites the whole string and so loses where a word came from.
    """
    # The package's own attribute `normalize` is the function, hence not `from hibari.g2p import`.
    return import_module("hibari.g2p.numbers"), import_module("hibari.g2p.normalize")


def _tidy(spoken: str) -> str:
    return re.sub(r"\band\b|,", " ", spoken.replace("oh-", "oh ")).replace("  ", " ").strip()


def cardinal(digits: str) -> str:
    # Longer numbers have no name in the tables, and nobody would follow it.
    if len(digits) > 15 or (len(digits) > 1 and digits[0] == "0"):
        return each_digit(digits)
    return " ".join(_tidy(hibari()[0].cardinal(int(digits))).split())


def ordinal(digits: str) -> str:
    if len(digits) > 15:
        return each_digit(digits)
    return " ".join(_tidy(hibari()[0].ordinal(int(digits))).split())


def as_year(digits: str) -> str:
    if len(digits) == 4 and "1010" <= digits <= "2099":
        return " ".join(_tidy(hibari()[0].year(int(digits))).split())
    return cardinal(digits)


def each_digit(digits: str) -> str:
    return " ".join(hibari()[0].ONES[int(digit)] for digit in digits)


def number(written: str) -> str:
    """ "1,234.50" -> "one thousand two hundred thirty-four point five zero"; four bare digits that
    can be a year are read as one."""
    whole, dot, fraction = written.partition(".")
    if "," in whole:
        spoken = cardinal(whole.replace(",", ""))
    elif dot:
        spoken = cardinal(whole) if whole else ""
    else:
        spoken = as_year(whole)
    return f"{spoken} point {each_digit(fraction)}".strip() if dot else spoken


def _signed(written: str) -> str:
    if written[0] in "+-":
        return f"{'minus' if written[0] == '-' else 'plus'} {number(written[1:])}"
    return number(written)


def quantity(written: str) -> str:
    """As `number`, but never as a year: "1500 km" is fifteen hundred of nothing else."""
    sign = ""
    if written[0] in "+-":
        sign, written = ("minus " if written[0] == "-" else "plus "), written[1:]
    whole, dot, fraction = written.partition(".")
    spoken = cardinal(whole.replace(",", "")) if whole else ""
    return sign + (f"{spoken} point {each_digit(fraction)}".strip() if dot else spoken)


def plural(spoken: str) -> str:
    if spoken.endswith("y"):
        return spoken[:-1] + "ies"
    return spoken + ("es" if spoken.endswith(("x", "s")) else "s")


_FRACTION_NAMES = {2: "half", 4: "quarter"}


def simple_fraction(over: int, under: int) -> str | None:
    if not over or under < 2:
        return None
    name = _FRACTION_NAMES.get(under) or ordinal(str(under))
    if over == 1:
        return f"one {name}"
    return f"{cardinal(str(over))} {'halves' if under == 2 else plural(name)}"


def letters_and_digits(written: str) -> str:
    """A word with digits in it, run by run: "GPT-4o" -> "GPT four o"."""
    signs = {".": "dot", "/": "slash", "&": "and", "+": "plus", ":": "colon", "#": "sharp"}
    spoken = []
    tokens = re.findall(r"\d+|[A-Za-zÀ-ÿ]+(?:'[A-Za-zÀ-ÿ]+)*|.", written)
    for index, token in enumerate(tokens):
        before = tokens[index - 1] if index else ""
        after = tokens[index + 1] if index + 1 < len(tokens) else ""
        if token.isdigit():
            if after.lower() in ("st", "nd", "rd", "th"):
                spoken.append(ordinal(token))
            elif before == "." and index > 1 and tokens[index - 2].isdigit():
                spoken.append(cardinal(token) if len(token) < 3 else each_digit(token))
            elif after == "s" and len(token) > 1:
                spoken.append(plural(as_year(token)))
            else:
                spoken.append(as_year(token))
        elif token[0].isalpha():
            if before.isdigit() and (
                token.lower() in ("st", "nd", "rd", "th") or (token == "s" and len(before) > 1)
            ):
                continue
            spoken.append(letters(token))
        elif token == "." and before.isdigit() and after.isdigit():
            spoken.append("point")
        elif token in signs:
            spoken.append(signs[token])
    return " ".join(spoken)


SIGN_FRACTIONS = {
    "½": "a half", "¼": "a quarter", "¾": "three quarters", "⅓": "a third", "⅔": "two thirds",
    "⅛": "an eighth", "⅜": "three eighths", "⅝": "five eighths", "⅞": "seven eighths",
    "⅕": "a fifth",
}  # fmt: skip


def mixed_fraction(reader: Reader, match: re.Match) -> Reading:
    part = simple_fraction(int(match[2]), int(match[3]))
    if part is None or int(match[2]) >= int(match[3]):
        return None
    part = re.sub(r"^one (?=\w)", "an " if "eighth" in part[:10] else "a ", part)
    return f"{quantity(match[1])} and {part}"


def sign_fraction(reader: Reader, match: re.Match) -> Reading:
    return f"{quantity(match[1])} and {SIGN_FRACTIONS[match[2]]}"


def number_range(reader: Reader, match: re.Match) -> Reading:
    first, second = match[1], match[2]
    if first == second and len(first) == 2:
        return f"{cardinal(first)} {cardinal(second)}"  # fifty-fifty
    return f"{number(first)} to {number(second)}"


def ratio(reader: Reader, match: re.Match) -> Reading:
    return " to ".join(number(part) for part in match[0].split(":"))


def by(reader: Reader, match: re.Match) -> Reading:
    return " by ".join(quantity(part) for part in re.split(r"\s?[x×]\s?", match[0]))


def times(reader: Reader, match: re.Match) -> Reading:
    return f"{quantity(match[1])} times"


def phone(reader: Reader, match: re.Match) -> Reading:
    groups = re.findall(r"\+?\d+", match[0])
    return ", ".join(
        ("plus " if group[0] == "+" else "") + each_digit(group.lstrip("+")) for group in groups
    )


def digit_groups(reader: Reader, match: re.Match) -> Reading:
    return ", ".join(
        each_digit(group) if len(group) > 2 else cardinal(group) for group in match[0].split("-")
    )


def version(reader: Reader, match: re.Match) -> Reading:
    dot = " dot " if match[0].count(".") == 3 else " point "
    numbers = dot.join(cardinal(part) for part in match["numbers"].split("."))
    return f"version {numbers}" if match["v"] else numbers


def ordinal_number(reader: Reader, match: re.Match) -> Reading:
    return ordinal(match[1].replace(",", ""))


_YEAR_CUES = frozenset(
    "in since until till by of from before after during around circa early late mid the year "
    "january february march april may june july august september october november december "
    "summer winter spring autumn fall".split()
)


def plain_number(reader: Reader, match: re.Match) -> Reading:
    written = match[0]
    if written[0] in "+-" and reader.adjacent(match.start()):
        return None
    followed = re.compile(r"\s+[a-zà-ÿ]").match(reader.text, match.end())
    # "1500 people" counts; a bare year stands before punctuation, a capital or a small word.
    if followed and re.fullmatch(r"[1-9]\d00", written.lstrip("+-")) is None:
        nearby = re.compile(r"\s+([a-zà-ÿ']+)").match(reader.text, match.end())[1]
        before = reader.previous().lower()
        if (
            re.fullmatch(r"[+-]?\d{4}", written)
            and nearby.endswith("s")
            and nearby not in ("was", "is", "as", "has", "this", "census", "us", "does")
            and before not in _YEAR_CUES
        ):
            return ("" if written[0].isdigit() else "minus ") + quantity(written.lstrip("+-"))
    return _signed(written)


def roman(reader: Reader, match: re.Match) -> Reading:
    numeral = match[0]
    _, tables = hibari()
    before = [reader.text[i.start : i.end] if i.word else "" for i in reader.items[-2:]]
    if not before or not before[-1]:
        return None
    names = {before[-1], " ".join(before)}
    value = str(tables._roman(numeral))
    alone = not re.compile(
        r"['-]?\w|\s+(?!of\b|and\b|the\b|to\b|in\b|is\b|was\b|had\b)[a-z]"
    ).match(reader.text, match.end())
    if numeral in ("I", "V", "X", "L", "C", "D", "M") and not (
        alone and (names & {*tables.ROMAN_CARDINAL, *tables.ROMAN_ORDINAL})
    ):
        return None
    # "Peter I was with": a pronoun, not the first of his name.
    if numeral == "I" and not re.compile(r"\s*(?:[.,;:!?)\"”\n]|$|of\b)").match(
        reader.text, match.end()
    ):
        return None
    if names & set(tables.ROMAN_ORDINAL):
        return f"the {ordinal(value)}"
    if names & set(tables.ROMAN_CARDINAL):
        return cardinal(value)
    if re.fullmatch("[IVX]{2,}", numeral) and before[-1][0].isupper():
        return cardinal(value)
    return None
