"""The written forms that are known, in the order in which they are tried."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache

from . import abbreviations, amounts, dates, numbers, web
from .characters import SIGNS
from .reader import ELISIONS, LETTER, Reader, Reading, Rule

_NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
_SCALE = r"(?:hundred|thousand|million|billion|trillion)"
_END = r"(?![A-Za-zÀ-ÿ0-9])(?!-[A-Za-zÀ-ÿ])"
_EMOTICONS = {
    ":)": "smile", ":-)": "smile", "=)": "smile", ":(": "frown", ":-(": "frown", "=(": "frown",
    ";)": "wink", ";-)": "wink", ":D": "grin", ":-D": "grin", "=D": "grin", "xD": "laughing",
    "XD": "laughing", ":P": "tongue out", ":-P": "tongue out", ":p": "tongue out",
    ":O": "gasp", ":o": "gasp", ":-O": "gasp", ":'(": "crying", ":/": "grimace", ":-/": "grimace",
    "<3": "heart", "</3": "broken heart", "^^": "happy", "^_^": "happy", "-_-": "unimpressed",
    ":3": "cat smile", "T_T": "crying", "o_O": "confused", "O_o": "confused",
}  # fmt: skip
_EXACT = {
    "C++": "C plus plus",
    "C#": "C sharp",
    "F#": "F sharp",
    "c#": "C sharp",
    "G++": "G plus plus",
}


@lru_cache(maxsize=1)
def patterns() -> tuple[Rule, ...]:
    """The patterns in the order in which they are tried at each place in the text.

    Each finds one written word; what it declines is left to a more general one, the last of which
    reads any letter or digit.
    """
    currency = _alternatives(c for c in amounts.CURRENCIES if len(c) < 3 or c == "US$")
    codes = _alternatives(c for c in amounts.CURRENCIES if len(c) == 3 and c.isalpha())
    scale = rf"(?P<scale>\s?{_SCALE}\b|[kKmMbB]n?\b)?"
    upto = rf"(?:\s?[-–—]\s?(?P<upto>{_NUMBER}))?"
    known = abbreviations.known_abbreviations()
    titles = _alternatives(abbreviations.TITLES_WITHOUT_DOT)
    word = rf"[{LETTER}]+(?:'[{LETTER}]+)*"
    rules: list[tuple[str, Callable[[Reader, re.Match], Reading]]] = [
        (rf"(?<!\S)(?:{_alternatives(_EMOTICONS)})(?=[\s.,!?…]|$)", _emoticon),
        (r"(?i:https?|ftp)://[^\s<>\"“”]+", web.address),
        (r"(?i:www\.)[^\s<>\"“”]+", web.address),
        (r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", web.address),
        (rf"(?i:(?:[\w-]+\.)+(?:{web.DOMAINS})(?:/[^\s<>\"“”]*|\b))(?![\w'@-])", web.domain),
        (rf"(?:[\w-]+[/\\])*[\w-]+(?:\.[\w-]+)*\.(?:{web.EXTENSIONS})\b", web.file),
        (r"[A-Za-z]:\\[\w\\.-]+", web.address),
        (r"(?<!\S)[~.]?(?:/[\w.-]+){2,}/?", web.address),
        (r"@(\w*[A-Za-z]\w*)", web.handle),
        (r"#(\w*[A-Za-z]\w*)", web.hashtag),
        (r"#(\d+)(?!\w)", web.hashtag),
        (r"\.(?=[A-Z]{2,}\b)", _dot_name),
        (
            rf"(?P<sign>-)?(?P<currency>{currency})\s?(?P<amount>{_NUMBER})"
            rf"(?:\s?[-–—]\s?(?:{currency})?(?P<upto>{_NUMBER}))?{scale}(?![A-Za-z\d])",
            amounts.money_before,
        ),
        (
            rf"(?P<sign>)(?P<currency>{codes})\s?(?P<amount>{_NUMBER}){upto}{scale}{_END}",
            amounts.money_before,
        ),
        (rf"(?P<amount>{_NUMBER}){scale}\s?(?P<currency>(?:{codes})\b|[€£])", amounts.money_after),
        (rf"({_NUMBER})\s?¢", amounts.cents),
        (rf"(\d{{4}})-(\d{{2}})-(\d{{2}}){_END}", dates.iso_date),
        (rf"(\d{{1,2}})([/.])(\d{{1,2}})\2(\d{{4}}|\d{{2}}){_END}", dates.slashed_date),
        (
            rf"(?P<month>{dates.MONTHS})\b\.?\s(?P<day>\d{{1,2}})(?:st|nd|rd|th)?"
            rf"(?:\s?[-–]\s?(?P<upto>\d{{1,2}})(?:st|nd|rd|th)?)?(?![\d:%\w])"
            rf"(?:,?\s(?P<year>\d{{4}})\b)?",
            dates.month_day,
        ),
        (
            rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s(?:of\s)?(?P<month>{dates.MONTHS})\b"
            rf"(?:\.?,?\s(?P<year>\d{{4}})\b)?",
            dates.day_month,
        ),
        (
            r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?"
            rf"(?:\s?(?P<half>{dates.HALF_OF_DAY}))?(?![\w:])",
            dates.clock,
        ),
        (
            rf"(?P<hour>\d{{1,2}})\s?(?P<half>{dates.HALF_OF_DAY})(?!\w)",
            dates.hour,
        ),
        (r"\d+(?::\d+)+(?!\w)", numbers.ratio),
        (
            r"(?:\+\d{1,3}[ .-]?)?\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}(?![\w-])|\d{3}-\d{4}(?![\w-])"
            r"|\+\d{7,15}(?!\w)|\+\d{1,3}(?: \d{2,5}){2,5}(?!\w)",
            numbers.phone,
        ),
        (
            rf"(?P<amount>[+-]?{_NUMBER}){upto}\s?°\s?(?P<scale>[CFK])?(?!\w)",
            amounts.degrees,
        ),
        (r"(\d{1,2})'\s?(\d{1,2})(?:\"|'')?(?![\w'])", amounts.feet),
        (
            rf"(?P<amount>[+-]?{_NUMBER}){upto}(?P<space>[\s-])?"
            rf"(?P<unit>{_alternatives(amounts.unit_names())})(?![\w²³])(?!'[a-z])(?!-[a-z])",
            amounts.unit,
        ),
        (rf"(?P<amount>[+-]?{_NUMBER}){upto}\s?%", amounts.percent),
        (rf"(\d+)[ -](\d{{1,2}})/(\d{{1,3}}){_END}", numbers.mixed_fraction),
        (rf"(\d+)\s?([{''.join(numbers.SIGN_FRACTIONS)}])", numbers.sign_fraction),
        (rf"(?:24/7|9/11){_END}", abbreviations.abbreviation),
        (rf"(\d{{1,4}})/(\d{{1,4}})(?!/){_END}", _slashed),
        (rf"\d+(?:-\d+){{2,}}{_END}", numbers.digit_groups),
        (rf"({_NUMBER})\s?[-–—]\s?({_NUMBER})(?!\.\d){_END}(?!\s?[-–]\s?\d)", numbers.number_range),
        (rf"(\d{{1,3}}(?:,\d{{3}})+|\d+)(?:st|nd|rd|th){_END}", numbers.ordinal_number),
        (rf"'?(\d{{2}}|\d{{3,4}})'?s{_END}", dates.decade),
        (rf"(?P<v>v\.? ?)(?P<numbers>\d+(?:\.\d+)*){_END}", numbers.version),
        (rf"(?P<v>)(?P<numbers>\d+(?:\.\d+){{2,}}){_END}", numbers.version),
        (rf"{_NUMBER}(?:\s?[x×]\s?{_NUMBER})+{_END}", numbers.by),
        (rf"({_NUMBER})x{_END}", numbers.times),
        (
            rf"\d{{1,3}}(?: \d{{3}}){{2,}}{_END}",
            lambda reader, match: numbers.cardinal(match[0].replace(" ", "")),
        ),
        (rf"[+-]?{_NUMBER}(?!\.\d){_END}", numbers.plain_number),
        (
            r"(?=[MDCLXVI])M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})(?!\w)",
            numbers.roman,
        ),
        (_alternatives(_EXACT) + r"(?!\w)", _exact),
        (rf"(?:{_alternatives(known)})(?![\w'])(?!-\w)", abbreviations.abbreviation),
        (r"(?:[A-Za-z]\.){2,}[A-Za-z]?(?!\w)|Ph\.D\.?(?!\w)", abbreviations.dotted_letters),
        (rf"(?:{titles})(?=\s[A-Z][a-z])", abbreviations.title_without_dot),
        (r"[A-Z]\.(?=\s?[A-Z])", abbreviations.initial),
        (r"\*+|_+|~+|`+|#+(?!\w)", _markup),
        (
            r"<->|<=>|-->|==>|->|=>|<-|[-=+#*~<>^|\\@&%]{3,}|\+/-|<=|>=|==|!="
            rf"|[{re.escape(''.join(s for s in SIGNS if len(s) == 1 and s not in '*_#~'))}]|#",
            _sign,
        ),
        (rf"/(?=[{LETTER}\d])", _per),
        (
            rf"(?=[{LETTER}\d'+&-]*\d)[{LETTER}\d]+(?:['+&-]?[{LETTER}\d]+|\.\d+)*",
            _chunk,
        ),
        (rf"[{LETTER}]+(?:&[{LETTER}]+)+", abbreviations.ampersand),
        (rf"[{LETTER}]+(?:_+[{LETTER}\d]+)+", _chunk),
        (r"'[nN]'(?!\w)", lambda reader, match: "and"),
        (rf"'(?i:{_alternatives(ELISIONS)})\b(?:'[{LETTER}]+)?", _elision),
        (rf"{word}(?:-{word})*'?(?![{LETTER}])", _plain_word),
        (rf"{word}", _plain_word),
        (r"\d+", lambda reader, match: numbers.cardinal(match[0])),
    ]
    return tuple((re.compile(pattern), reading) for pattern, reading in rules)


def _alternatives(written: Iterable[str]) -> str:
    return "|".join(re.escape(entry) for entry in sorted(written, key=len, reverse=True))


def _emoticon(reader: Reader, match: re.Match) -> Reading:
    return _EMOTICONS[match[0]]


def _exact(reader: Reader, match: re.Match) -> Reading:
    return _EXACT[match[0]]


def _slashed(reader: Reader, match: re.Match) -> Reading:
    over, under = int(match[1]), int(match[2])
    if over == under:
        return f"{numbers.cardinal(match[1])} out of {numbers.cardinal(match[2])}"
    if (over < under <= 10 or under in (12, 16, 32, 64, 100)) and over < under:
        spoken = numbers.simple_fraction(over, under)
        if spoken:
            return spoken
    written_date = dates.date(over, under, None)
    return written_date or f"{numbers.cardinal(match[1])} over {numbers.cardinal(match[2])}"


def _dot_name(reader: Reader, match: re.Match) -> Reading:
    return "dot" if reader.space_before(match.start()) else None


def _markup(reader: Reader, match: re.Match) -> Reading:
    """Asterisks, underscores, tildes and backticks that wrap words, and bullets: not read."""
    text, start, end = reader.text, match.start(), match.end()
    run = match[0]
    before, after = text[start - 1 : start], text[end : end + 1]
    operand = r"[\dA-Za-z)]"
    if (
        run == "*"
        and re.search(r"(?:^|[\s\d(])\d+\s?$|\)\s?$", text[:start][-12:])
        and re.match(rf"\s?{operand}", text[end:])
    ):
        return "times"
    if run == "~" and re.match(r"\s?[\d$£€]", text[end:]) and (not before or before.isspace()):
        return "about"
    if reader.at_line_start(start) and after.isspace() and before in ("", "\n", " "):
        return "", reader.bullet(start, end)
    if run[0] == "#" and not (reader.at_line_start(start) and (not after or after.isspace())):
        return None if run == "#" else ("", end)
    return "", end


def _sign(reader: Reader, match: re.Match) -> Reading:
    written, start, end = match[0], match.start(), match.end()
    text = reader.text
    if len(written) >= 3 and len(set(written)) == 1:
        return "", end  # a ruled line
    if written in (">", "+") and reader.at_line_start(start) and text[end : end + 1].isspace():
        return "", reader.bullet(start, end)  # a quotation's or a list's margin
    if written in ("->", "=>", "<-", "<=>", "<->", "-->", "==>"):
        reader.mark("—", start, end)
        return "", end
    if written in SIGNS:
        return SIGNS[written]
    return SIGNS.get(written[0]) and (SIGNS[written[0]], start + 1)


def _per(reader: Reader, match: re.Match) -> Reading:
    if not reader.adjacent(match.start()):
        return None
    written = reader.text[reader.items[-1].start : reader.items[-1].end]
    if re.search(r"\d", written):
        return "per"
    return "slash" if reader.items[-1].word else None


def _chunk(reader: Reader, match: re.Match) -> Reading:
    """Letters with digits or inner signs, run by run."""
    return numbers.letters_and_digits(match[0]) or None


def _plain_word(reader: Reader, match: re.Match) -> Reading:
    written, end = match[0], match.end()
    # A trailing apostrophe is the word's own ("runnin'", "dogs'") unless it closes a quotation.
    if written.endswith("'") and end - 1 in reader.single_quotes:
        written, end = written[:-1], end - 1
    if written.startswith("'") and match.start() in reader.single_quotes:
        return None
    return written, end


def _elision(reader: Reader, match: re.Match) -> Reading:
    if match.start() in reader.single_quotes:
        return None
    return match[0]
