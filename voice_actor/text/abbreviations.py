"""Abbreviations, titles and initials as words."""

from __future__ import annotations

import re
from functools import lru_cache

from .numbers import hibari
from .reader import STARTERS, Reader, Reading, letters

# Readings of our own where the tables have none, or one that is not the word itself.
_ABBREVIATIONS = {
    "e.g.": "for example", "eg.": "for example", "i.e.": "that is", "ie.": "that is",
    "etc.": "et cetera", "etc": "et cetera", "et al.": "et al", "Mr.": "Mister", "Mrs.": "Missus",
    "Ms.": "Miz", "Dr.": "Doctor", "Esq.": "Esquire", "Mx.": "Mix", "ca.": "circa",
    "misc.": "miscellaneous", "temp.": "temperature", "tel.": "telephone", "Tel.": "Telephone",
    "a.k.a.": "also known as", "w/": "with", "w/o": "without", "b/c": "because", "p.s.": "P.S.",
    "and/or": "and or", "24/7": "twenty-four seven", "9/11": "nine eleven", "vs.": "versus",
    "viz.": "namely", "Messrs.": "Messers", "incl.": "including",
    "max.": "maximum", "min.": "minimum", "avg.": "average", "dept.": "department",
    "ext.": "extension", "qty.": "quantity", "Sgt.": "Sergeant", "Pvt.": "Private",
    "Mme.": "Madame", "Mlle.": "Mademoiselle", "Br.": "Brother", "Fr.": "Father",
    "Mt.": "Mount", "Ft.": "Fort", "No.": "Number", "Nos.": "Numbers", "p.": "page",
}  # fmt: skip
# With a dot these are also whole words that end a sentence ("We saw the Sun."), so they are
# abbreviations only before a number.
_BEFORE_NUMBER = frozenset(
    "no nos No Nos fig Fig ch Ch vol Vol pp p ed est Sun Sat Mar Mon Wed Fri Thu Tue Jan Feb "
    "Apr Jun Jul Aug Sep Sept Oct Nov Dec Art art Sec sec min max ext temp v".split()
)
# These lead to what follows them, so their dot ends no sentence.
_NEVER_LAST = frozenset(["vs", "e.g", "i.e", "eg", "ie", "cf", "approx", "viz", "incl", "ca"])
TITLES_WITHOUT_DOT = frozenset(["Mr", "Mrs", "Ms", "Dr", "Prof", "Lt", "Sgt", "Capt", "St"])


@lru_cache(maxsize=1)
def known_abbreviations() -> dict[str, str]:
    return {**hibari()[1].ABBREV, **_ABBREVIATIONS}


def abbreviation(reader: Reader, match: re.Match) -> Reading:
    written, end = match[0], match.end()
    bare = written.rstrip(".")
    text = reader.text
    tables = hibari()[1]
    number_follows = re.compile(r"\s*[#§]?\d|\s?[IVXLC]+\b").match(text, end) is not None
    if bare in ("St", "Dr") and written.endswith("."):
        return _saint_or_street(reader, bare, end)
    if bare in _BEFORE_NUMBER and not number_follows:
        return None
    if bare in ("No", "Nos", "no", "nos"):
        return "number" if bare.lower() == "no" else "numbers"
    if bare in ("p", "pp"):
        return "page" if bare == "p" else "pages"
    known = known_abbreviations()
    if bare in tables.TITLES and re.compile(r" ?[A-ZÀ-Ö]").match(text, end):
        return known.get(bare + ".") or tables.TITLES[bare]
    # Without a name after it these are words: "a Rep.", "Hon.", "Fr." stay as they are written.
    if bare in ("Rep", "Hon", "Fr"):
        return None
    spoken = known.get(written)
    if spoken is None:
        return None
    if written.endswith(".") and bare not in _NEVER_LAST:
        return reader.dotted(spoken, end)
    return spoken


def _saint_or_street(reader: Reader, bare: str, end: int) -> Reading:
    named = re.compile(r" ?[A-ZÀ-Ö]").match(reader.text, end)
    before = reader.previous()
    place = before[:1].isupper() and reader.items[-1].end == reader.text.rfind(
        " ", 0, reader.text.rfind(bare, 0, end)
    )
    follows = reader.next_word(end)
    if named and not (place and follows in STARTERS) and not (place and bare == "Dr"):
        return ("Saint" if bare == "St" else "Doctor"), end
    if place:
        return reader.dotted("Street" if bare == "St" else "Drive", end)
    return reader.dotted("Street" if bare == "St" else "Doctor", end)


def title_without_dot(reader: Reader, match: re.Match) -> Reading:
    known = known_abbreviations()
    return "Saint" if match[0] == "St" else known[match[0] + "."]


def dotted_letters(reader: Reader, match: re.Match) -> Reading:
    written = match[0]
    spoken = written.upper() if re.fullmatch(r"(?:[A-Za-z]\.)+[A-Za-z]?", written) else written
    if not spoken.endswith("."):
        spoken += "."
    end = match.end()
    if written.endswith("."):
        return reader.dotted(spoken, end)
    return spoken, end


def initial(reader: Reader, match: re.Match) -> Reading:
    follows = reader.next_word(match.end())
    if not follows[:1].isupper() or follows in STARTERS or match[0] == "I.":
        return None
    return letters(match[0][0])


def ampersand(reader: Reader, match: re.Match) -> Reading:
    spelled = []
    for part in match[0].split("&"):
        short = part.isupper() and 2 <= len(part) <= 3
        spelled.append(".".join(part) + "." if short else letters(part))
    return " and ".join(spelled)
