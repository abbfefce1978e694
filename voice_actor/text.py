"""Written text -> the words to speak and the marks between them, each with its source span.

Number words, month names, units and abbreviations come from `hibari.g2p` (its `numbers` and the
tables of its `normalize`). Its normaliser itself rewrites the whole string and so loses where a
word came from; the patterns here find one written word at a time instead, and every pattern that
declines leaves the characters to a more general one, the last of which reads any letter or digit.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import NamedTuple

from conditioning.errors import InvalidInput


@dataclass(frozen=True)
class Word:
    """A written word, or several that are read as one ("$9.99", "3:30 pm", "Dec 25, 2026").

    spoken: how it is read: Latin letters with inner apostrophes, hyphens and dots ("U.S."), in one
        or more words, and inner commas where the reader pauses. Punctuation around the word is not
        part of it: that is a `Mark`.
    start, end: the characters [start, end) of the original text.
    """

    spoken: str
    start: int
    end: int


@dataclass(frozen=True)
class Mark:
    """Punctuation that shapes the reading.

    symbol: one or two of ; : , . ! ? — … “ ” ( )
    start, end: the characters [start, end) of the original text; empty where a paragraph ends
        without punctuation of its own.
    """

    symbol: str
    start: int
    end: int


def pieces(text: str) -> tuple[Word | Mark, ...]:
    """The words and marks of the text, in order; their spans never overlap.

    Raises:
        InvalidInput: the text has control characters, another script than Latin, or no word.
    """
    return _read(text)


def words(text: str) -> tuple[Word, ...]:
    """The words of the text, in order, without the marks between them. Errors as in `pieces`."""
    return tuple(piece for piece in _read(text) if isinstance(piece, Word))


def sentences(text: str) -> tuple[tuple[int, int], ...]:
    """The character spans [start, end) of the sentences, closing quotes included.

    Dots of abbreviations, decimals and initials end no sentence; a blank line always does.
    Errors as in `pieces`.
    """
    return tuple((run[0].start, run[-1].end) for run in sentence_pieces(text))


def sentence_pieces(text: str) -> tuple[tuple[Word | Mark, ...], ...]:
    """The `pieces` of the text, sentence by sentence. Errors as in `pieces`."""
    found = _read(text)
    runs: list[list[Word | Mark]] = [[]]
    for index, piece in enumerate(found):
        runs[-1].append(piece)
        if index + 1 < len(found) and _ends_sentence(text, found, index):
            runs.append([])
    # Marks alone cannot be spoken: they belong to the sentence before them, or to the first one.
    joined: list[list[Word | Mark]] = []
    for run in runs:
        wordless = not any(isinstance(piece, Word) for piece in run)
        if joined and (wordless or not any(isinstance(piece, Word) for piece in joined[-1])):
            joined[-1].extend(run)
        else:
            joined.append(run)
    return tuple(tuple(run) for run in joined)


def _ends_sentence(text: str, found: tuple[Word | Mark, ...], index: int) -> bool:
    following = found[index + 1]
    gap = text[found[index].end : following.start]
    if _blank_line(gap):
        return True
    if isinstance(following, Mark) and following.symbol in ("”", ")") and not gap:
        return False
    last = index
    quoted = False
    while last > 0 and isinstance(found[last], Mark) and found[last].symbol in ("”", ")"):
        quoted = quoted or found[last].symbol == "”"
        last -= 1
    stop = found[last]
    if not isinstance(stop, Mark) or stop.symbol[-1] not in ".!?…":
        return False
    word = next((piece for piece in found[index + 1 :] if isinstance(piece, Word)), None)
    first = next((c for c in text[word.start : word.end] if c.isalnum()), "") if word else ""
    if not gap:
        return stop.symbol[-1] in ".!?" and first.isupper() and not isinstance(following, Mark)
    if stop.symbol == ".":
        return not (quoted and first.islower())
    return not first.islower()


def _blank_line(gap: str) -> bool:
    return len(re.findall(r"\r\n|[\n\r\v\f\x85\u2028\u2029]", gap)) >= 2 or "\u2029" in gap


# Accented letters that the pronunciation lexicon and its network know; others lose their accent.
_KEPT_LETTERS = frozenset("àáâãäåæçèéêëìíîïñòóôõöøùúûüýÿßÀÁÂÃÄÅÆÇÉÊÌÍÎÏÑÒÓÔÕÖØÚÜ")
_LATIN = str.maketrans(
    {
        "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ı": "i", "ø": "o", "Ø": "O", "œ": "oe", "Œ": "Oe",
        "ŋ": "ng", "Ŋ": "Ng", "þ": "th", "Þ": "Th", "ð": "th", "Ð": "Th", "ħ": "h", "Ħ": "H",
        "ŧ": "t", "Ŧ": "T", "ə": "e", "Ə": "E", "ɛ": "e", "Ɛ": "E", "ɔ": "o", "Ɔ": "O", "ẞ": "SS",
        "ƒ": "f", "ĸ": "k", "ŉ": "n", "ſ": "s", "ɓ": "b", "Ɓ": "B", "ɗ": "d", "Ɗ": "D", "ƙ": "k",
        "Ƙ": "K", "ß": "ss", "æ": "ae", "Æ": "Ae", "ƀ": "b", "ɨ": "i", "ʉ": "u", "ȼ": "c",
    }
)  # fmt: skip
_GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta", "η": "eta",
    "θ": "theta", "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi",
    "ο": "omicron", "π": "pi", "ρ": "rho", "σ": "sigma", "ς": "sigma", "τ": "tau", "υ": "upsilon",
    "φ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega", "ϕ": "phi", "ϑ": "theta", "ϵ": "epsilon",
}  # fmt: skip
_PLAIN = {
    **dict.fromkeys("’‘ʼʻ‛′ʹʽˈ`´＇", "'"),
    **dict.fromkeys("‟″＂〝〞〟", '"'),
    **dict.fromkeys("«「『《„", "“"),
    **dict.fromkeys("»」』》", "”"),
    **dict.fromkeys("‹", "“"),
    **dict.fromkeys("›", "”"),
    **dict.fromkeys("‐‑⁃", "-"),
    **dict.fromkeys("—―⸺⸻〜", "—"),
    **dict.fromkeys("‒–", "–"),
    "−": "-",
    **dict.fromkeys("。．", "."),
    **dict.fromkeys("，、،", ","),
    **dict.fromkeys("！ǃ", "!"),
    **dict.fromkeys("？؟", "?"),
    **dict.fromkeys("：", ":"),
    **dict.fromkeys("；؛", ";"),
    **dict.fromkeys("（【〔〈⟨", "("),
    **dict.fromkeys("）】〕〉⟩", ")"),
    "⁄": "/",
    "∕": "/",
    "·": " ",
    "・": " ",
    "∙": " ",
    "⋅": "×",
    "‼": "!!",
    "⁇": "??",
    "⁈": "?!",
    "⁉": "!?",
    "‽": "?!",
    "µ": "µ",
    "№": "No. ",
    "™": "",
    "®": "",
    "©": "©",
    "¿": "",
    "¡": "",
    "†": "",
    "‡": "",
    "¨": "",
    "¯": "",
    "¸": "",
    "\u00a0": " ",
}
_SIGNS = {
    "<=": "less than or equal to", ">=": "greater than or equal to", "==": "equals",
    "!=": "not equal to", "+/-": "plus or minus", "&": "and", "+": "plus", "=": "equals",
    "<": "less than", ">": "greater than", "%": "percent", "@": "at", "#": "hash", "*": "asterisk",
    "°": "degrees", "$": "dollars", "£": "pounds", "€": "euros", "¥": "yen", "₹": "rupees",
    "₩": "won", "₽": "rubles", "₿": "bitcoin", "¢": "cents", "¤": "currency", "©": "copyright",
    "§": "section", "¶": "paragraph", "±": "plus or minus", "×": "times", "÷": "divided by",
    "≈": "approximately equals", "≠": "not equal to", "≤": "less than or equal to",
    "≥": "greater than or equal to", "√": "square root of", "∞": "infinity", "∑": "the sum of",
    "∏": "the product of", "∫": "the integral of", "∂": "partial", "∆": "delta", "∇": "nabla",
    "∈": "in", "∀": "for all", "∃": "there exists", "∅": "the empty set", "∝": "proportional to",
    "^": "to the power of", "~": "about", "\\": "backslash", "_": "underscore", "¬": "not",
    "²": "squared", "³": "cubed", "‰": "per mille", "½": "one half", "¼": "one quarter",
    "¾": "three quarters", "⅓": "one third", "⅔": "two thirds", "⅛": "one eighth",
    "⅜": "three eighths", "⅝": "five eighths", "⅞": "seven eighths", "⅕": "one fifth",
    "♯": "sharp", "♭": "flat", "♪": "music note", "♫": "music notes", "★": "star", "☆": "star",
    "✓": "check mark", "✗": "cross mark", "″": "inches",
}  # fmt: skip
# Arrows and table lines pause, bullets and drawings are layout: neither is read out.
_LAYOUT = re.compile(
    "[\u2022\u2023\u2043\u204c\u204d\u2219\u2500-\u259f\u25a0-\u25ff\u2800-\u28ff]"
)
_ARROWS = re.compile("[\u2190-\u21ff\u27f0-\u27ff\u2794-\u27be]")
_INVISIBLE = frozenset(
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200c\u200d\u200e\u200f"
    "\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063\u2064\u2066\u2067\u2068\u2069"
    "\ufe0e\ufe0f\ufeff\ufff9\ufffa\ufffb\u20e3"
)
_WHITESPACE_CONTROLS = frozenset("\t\n\r\v\f\x85")
# Stands for one spoken emoji in the cleaned text; a private-use character in the input is refused.
_EMOJI = "\ue000"


class _Clean(NamedTuple):
    """The text in the few characters that the patterns know, and where each one came from."""

    text: str
    starts: list[int]
    ends: list[int]
    emoji: dict[int, str]


def _clean(text: str) -> _Clean:
    _refuse_controls(text)
    characters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    names: dict[int, str] = {}
    foreign: list[tuple[int, int]] = []

    def put(piece: str, start: int, end: int) -> None:
        for character in piece:
            characters.append(character)
            starts.append(start)
            ends.append(end)

    emojis = _find_emoji(text)
    position = 0
    while position < len(text):
        if position in emojis:
            end, name = emojis[position]
            names[len(characters)] = name
            put(_EMOJI, position, end)
            position = end
            continue
        # A letter with the accents that follow it is one character.
        end = position + 1
        while end < len(text) and unicodedata.combining(text[end]):
            end += 1
        plain = _plain(unicodedata.normalize("NFC", text[position:end]), text, position)
        if plain is None:
            foreign.append((position, end))
        else:
            put(plain, position, end)
        position = end
    if foreign:
        _refuse_scripts(text, foreign)
    return _Clean("".join(characters), starts, ends, names)


def _plain(character: str, text: str, position: int) -> str | None:
    """The character as the patterns know it, or None for a letter of another script."""
    first = character[0]
    if first.isascii():
        return first
    if first in _INVISIBLE:
        return ""
    if first in "\u00a0\u2009\u202f" and re.fullmatch(
        r"\d\d{3}(?!\d)", text[max(position - 1, 0) : position] + text[position + 1 : position + 4]
    ):
        return ","  # a thin space between groups of three digits
    if first in _PLAIN:
        return _PLAIN[first]
    if first in _KEPT_LETTERS or first in _SIGNS or first in "“”—–…µ":
        return first
    if first.isspace():
        return "\n\n" if first == "\u2029" else "\n" if first in "\u2028\x85" else " "
    if _LAYOUT.match(first):
        return " "
    if _ARROWS.match(first):
        return " — "
    if first.isdecimal():
        return str(unicodedata.decimal(first))
    greek = _greek(first)
    if greek is not None:
        around = text[max(position - 1, 0) : position] + text[position + 1 : position + 2]
        alone = not any(unicodedata.name(c, "").startswith("GREEK") for c in around)
        return f" {greek} " if alone else None
    category = unicodedata.category(first)
    if category == "Nl":
        value = unicodedata.numeric(first, -1)
        return str(int(value)) if value == int(value) and value >= 0 else None
    compatible = unicodedata.normalize("NFKC", character)
    if compatible.isascii() and compatible.strip():
        return compatible
    if compatible != character and any(c.isalnum() for c in compatible):
        parts = [_plain(c, "", 0) for c in compatible]
        return None if None in parts else "".join(part for part in parts if part is not None)
    if category.startswith("L"):
        if not unicodedata.name(first, "").startswith("LATIN"):
            return "" if category == "Lm" else None
        folded = plain_letters(first)
        if not folded.isascii():
            # Rare Latin letters carry their base in the name: LATIN SMALL LETTER N WITH LONG LEG.
            named = re.search(r"LETTER (?:\w+ )*?([A-Z]{1,2})\b", unicodedata.name(first))
            folded = (named[1].lower() if first.islower() else named[1]) if named else None
        return folded
    if category.startswith("M"):
        return ""
    if category == "No":
        return None
    if category == "Sk":
        return ""
    if category.startswith("S"):
        name = re.sub(r"[^a-z ]", " ", unicodedata.name(first).lower())
        return f" {' '.join(name.split())} "
    if category == "Ps":
        return "("
    if category == "Pe":
        return ")"
    if category == "Pd":
        return "—"
    return " "


def plain_letters(written: str) -> str:
    """Latin letters without their accents: "Łódź" -> "Lodz"."""
    decomposed = unicodedata.normalize("NFD", written)
    return "".join(c for c in decomposed if not unicodedata.combining(c)).translate(_LATIN)


def _greek(character: str) -> str | None:
    name = _GREEK.get(character.lower())
    if name is None:
        return None
    return name.capitalize() if character.isupper() else name


def _refuse_controls(text: str) -> None:
    for position, character in enumerate(text):
        category = unicodedata.category(character)
        if category in ("Cc", "Cs", "Co", "Cn") and character not in _WHITESPACE_CONTROLS:
            kind = {
                "Cc": "control character",
                "Cs": "half of a surrogate pair",
                "Co": "private-use character",
                "Cn": "character that Unicode does not define",
            }[category]
            raise InvalidInput(
                f"The text has a {kind} U+{ord(character):04X} at position {position}; text may "
                "hold letters, digits, punctuation, emoji and line breaks: remove it."
            )


def _refuse_scripts(text: str, foreign: list[tuple[int, int]]) -> None:
    runs: list[list[int]] = []
    for start, end in foreign:
        if runs and runs[-1][1] == start:
            runs[-1][1] = end
        else:
            runs.append([start, end])
    shown = []
    for start, end in runs[:3]:
        scripts = dict.fromkeys(_script(character) for character in text[start:end])
        names = "/".join(name for name in scripts if name)
        run = text[start:end] if end - start <= 24 else text[start : start + 24] + "…"
        shown.append(f"{run!r} ({names or 'symbols'}, at position {start})")
    more = f" and {len(runs) - 3} more" if len(runs) > 3 else ""
    raise InvalidInput(
        f"The text has characters that an English voice cannot read: {', '.join(shown)}{more}; "
        "Latin letters are read, also with accents: write them in Latin letters."
    )


def _script(character: str) -> str:
    name = unicodedata.name(character, "").split()
    if not name or unicodedata.category(character).startswith("M"):
        return ""
    return {"CJK": "Chinese/Japanese"}.get(name[0], name[0].title())


def _find_emoji(text: str) -> dict[int, tuple[int, str]]:
    """Start -> (end, spoken name) of the emoji in the text; a run of the same one is one."""
    if text.isascii() or not any(
        unicodedata.category(c) == "So" or c in "\u20e3\u203c\u2049\ufe0f" for c in text
    ):
        return {}
    import emoji

    found: list[list] = []
    for match in emoji.emoji_list(text):
        start, end, symbol = match["match_start"], match["match_end"], match["emoji"]
        if symbol[0] in _PLAIN or symbol[0] in _SIGNS or _ARROWS.match(symbol[0]):
            continue
        if found and found[-1][2] == symbol and not text[found[-1][1] : start].strip():
            found[-1][1] = end
        else:
            found.append([start, end, symbol])
    return {start: (end, _emoji_name(symbol)) for start, end, symbol in found}


def _emoji_name(symbol: str) -> str:
    import emoji

    entry = emoji.EMOJI_DATA.get(symbol, {})
    name = entry.get("en", "").strip(":") or emoji.demojize(symbol).strip(":")
    name = re.sub(r"_?(?:medium-light|medium-dark|medium|light|dark)_skin_tone", "", name)
    name = re.sub(r"\(.*?\)", "", name).replace("_", " ").replace("-", " ").replace(":", "")
    if re.search("[\U0001f1e6-\U0001f1ff]{2}|\U000e007f", symbol):
        name = f"flag of {name}"
    name = name.replace("#", "hash").replace("*", "asterisk")
    name = name.replace("’", "'").replace("&", "and").removeprefix("keycap ")
    spoken = []
    for part in unicodedata.normalize("NFC", name).split():
        plain = "".join(_plain(character, "", 0) or "" for character in part)
        part = re.sub(r"[^A-Za-z0-9À-ÿ'.-]", "", plain)
        spoken.append(_mixed(part) if re.search(r"\d", part) else part)
    return " ".join(part for part in spoken if part) or "emoji"


_NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
_SCALE = r"(?:hundred|thousand|million|billion|trillion)"
_SCALE_LETTERS = {"k": "thousand", "m": "million", "b": "billion", "bn": "billion"}
_CURRENCIES = {
    "$": ("dollar", "dollars", "cent", "cents"), "£": ("pound", "pounds", "pence", "pence"),
    "€": ("euro", "euros", "cent", "cents"), "¥": ("yen", "yen", "sen", "sen"),
    "₹": ("rupee", "rupees", "paisa", "paise"), "₩": ("won", "won", "jeon", "jeon"),
    "₽": ("ruble", "rubles", "kopek", "kopeks"), "₿": ("bitcoin", "bitcoin", "", ""),
    "US$": ("U.S. dollar", "U.S. dollars", "cent", "cents"),
    "A$": ("Australian dollar", "Australian dollars", "cent", "cents"),
    "C$": ("Canadian dollar", "Canadian dollars", "cent", "cents"),
    "USD": ("dollar", "dollars", "cent", "cents"), "EUR": ("euro", "euros", "cent", "cents"),
    "GBP": ("pound", "pounds", "pence", "pence"), "JPY": ("yen", "yen", "sen", "sen"),
}  # fmt: skip
_EXTRA_UNITS = {
    "m": ("meter", "meters"), "g": ("gram", "grams"), "L": ("liter", "liters"),
    "l": ("liter", "liters"), "mL": ("milliliter", "milliliters"), "s": ("second", "seconds"),
    "h": ("hour", "hours"), "V": ("volt", "volts"), "W": ("watt", "watts"),
    "kV": ("kilovolt", "kilovolts"), "mA": ("milliamp", "milliamps"), "dB": ("decibel", "decibels"),
    "m/s": ("meter per second", "meters per second"),
    "m²": ("square meter", "square meters"), "m2": ("square meter", "square meters"),
    "km²": ("square kilometer", "square kilometers"), "m³": ("cubic meter", "cubic meters"),
    "cm²": ("square centimeter", "square centimeters"),
    "cm³": ("cubic centimeter", "cubic centimeters"), "px": ("pixel", "pixels"),
    "kcal": ("kilocalorie", "kilocalories"), "cal": ("calorie", "calories"),
    "rpm": ("revolution per minute", "revolutions per minute"),
    "bpm": ("beat per minute", "beats per minute"), "kJ": ("kilojoule", "kilojoules"),
    "yrs": ("years", "years"), "yr": ("year", "years"), "wk": ("week", "weeks"),
    "wks": ("weeks", "weeks"), "kbps": ("kilobit per second", "kilobits per second"),
    "µs": ("microsecond", "microseconds"), "ns": ("nanosecond", "nanoseconds"),
    "Ω": ("ohm", "ohms"), "pt": ("point", "points"), "pts": ("points", "points"),
    "mol": ("mole", "moles"), "kPa": ("kilopascal", "kilopascals"),
}  # fmt: skip
# A single letter after a space is more often a letter ("Group 5 L") than a unit.
_ATTACHED_UNITS = frozenset({"s", "h", "l", "L", "V", "W", "pt", "m2", "cal"})
_FRACTION_NAMES = {2: "half", 4: "quarter"}
_SIGN_FRACTIONS = {
    "½": "a half", "¼": "a quarter", "¾": "three quarters", "⅓": "a third", "⅔": "two thirds",
    "⅛": "an eighth", "⅜": "three eighths", "⅝": "five eighths", "⅞": "seven eighths",
    "⅕": "a fifth",
}  # fmt: skip


@lru_cache(maxsize=1)
def _hibari():
    """hibari's number words and tables, imported on first use."""
    # The package's own attribute `normalize` is the function, hence not `from hibari.g2p import`.
    return import_module("hibari.g2p.numbers"), import_module("hibari.g2p.normalize")


def _tidy(spoken: str) -> str:
    return re.sub(r"\band\b|,", " ", spoken.replace("oh-", "oh ")).replace("  ", " ").strip()


def _cardinal(digits: str) -> str:
    # Longer numbers have no name in the tables, and nobody would follow it.
    if len(digits) > 15 or (len(digits) > 1 and digits[0] == "0"):
        return _digits(digits)
    return " ".join(_tidy(_hibari()[0].cardinal(int(digits))).split())


def _ordinal(digits: str) -> str:
    if len(digits) > 15:
        return _digits(digits)
    return " ".join(_tidy(_hibari()[0].ordinal(int(digits))).split())


def _year(digits: str) -> str:
    if len(digits) == 4 and "1010" <= digits <= "2099":
        return " ".join(_tidy(_hibari()[0].year(int(digits))).split())
    return _cardinal(digits)


def _digits(digits: str) -> str:
    return " ".join(_hibari()[0].ONES[int(digit)] for digit in digits)


def _number(written: str) -> str:
    """ "1,234.50" -> "one thousand two hundred thirty-four point five zero"; four bare digits that
    can be a year are read as one."""
    whole, dot, fraction = written.partition(".")
    if "," in whole:
        spoken = _cardinal(whole.replace(",", ""))
    elif dot:
        spoken = _cardinal(whole) if whole else ""
    else:
        spoken = _year(whole)
    return f"{spoken} point {_digits(fraction)}".strip() if dot else spoken


def _signed(written: str) -> str:
    if written[0] in "+-":
        return f"{'minus' if written[0] == '-' else 'plus'} {_number(written[1:])}"
    return _number(written)


def _quantity(written: str) -> str:
    """As `_number`, but never as a year: "1500 km" is fifteen hundred of nothing else."""
    sign = ""
    if written[0] in "+-":
        sign, written = ("minus " if written[0] == "-" else "plus "), written[1:]
    whole, dot, fraction = written.partition(".")
    spoken = _cardinal(whole.replace(",", "")) if whole else ""
    return sign + (f"{spoken} point {_digits(fraction)}".strip() if dot else spoken)


def _is_one(written: str) -> bool:
    return written.lstrip("+-") == "1"


def _plural(spoken: str) -> str:
    if spoken.endswith("y"):
        return spoken[:-1] + "ies"
    return spoken + ("es" if spoken.endswith(("x", "s")) else "s")


def _money(currency: str, amount: str, scale: str | None) -> str:
    one, many, cent, cents = _CURRENCIES[currency]
    if scale:
        scale = scale.strip()
        return f"{_quantity(amount)} {_SCALE_LETTERS.get(scale.lower(), scale)} {many}"
    whole, _, fraction = amount.replace(",", "").partition(".")
    if len(fraction) != 2 or not cent:
        return f"{_quantity(amount)} {one if _is_one(amount) else many}"
    parts = []
    whole = whole.lstrip("0")
    if whole or not int(fraction):
        parts.append(f"{_quantity(whole or '0')} {one if whole == '1' else many}")
    if int(fraction):
        small = _cardinal(fraction.lstrip("0"))
        parts.append(f"{small} {cent if int(fraction) == 1 else cents}")
    return " and ".join(parts)


def _fraction(over: int, under: int) -> str | None:
    if not over or under < 2:
        return None
    name = _FRACTION_NAMES.get(under) or _ordinal(str(under))
    if over == 1:
        return f"one {name}"
    return f"{_cardinal(str(over))} {'halves' if under == 2 else _plural(name)}"


def _mixed(written: str) -> str:
    """A word with digits in it, run by run: "GPT-4o" -> "GPT four o"."""
    signs = {".": "dot", "/": "slash", "&": "and", "+": "plus", ":": "colon", "#": "sharp"}
    spoken = []
    tokens = re.findall(r"\d+|[A-Za-zÀ-ÿ]+(?:'[A-Za-zÀ-ÿ]+)*|.", written)
    for index, token in enumerate(tokens):
        before = tokens[index - 1] if index else ""
        after = tokens[index + 1] if index + 1 < len(tokens) else ""
        if token.isdigit():
            if after.lower() in ("st", "nd", "rd", "th"):
                spoken.append(_ordinal(token))
            elif before == "." and index > 1 and tokens[index - 2].isdigit():
                spoken.append(_cardinal(token) if len(token) < 3 else _digits(token))
            elif after == "s" and len(token) > 1:
                spoken.append(_plural(_year(token)))
            else:
                spoken.append(_year(token))
        elif token[0].isalpha():
            if before.isdigit() and (
                token.lower() in ("st", "nd", "rd", "th") or (token == "s" and len(before) > 1)
            ):
                continue
            spoken.append(_letters(token))
        elif token == "." and before.isdigit() and after.isdigit():
            spoken.append("point")
        elif token in signs:
            spoken.append(signs[token])
    return " ".join(spoken)


def _letters(run: str) -> str:
    """A run of letters as a chunk that the reader takes as a word or spells."""
    if run == "A":
        return "ay"  # the letter, not the article
    return run.strip("'")


_LETTER = "A-Za-zÀ-ÖØ-öø-ÿ"
_DOMAINS = "com|org|net|edu|gov|mil|int|io|co|uk|de|fr|info|biz|us|ca|au|tv|me|ly|ai|dev|app|gg|eu"
_EXTENSIONS = (
    "txt|py|js|ts|json|csv|tsv|wav|mp3|mp4|ogg|flac|png|jpe?g|gif|svg|webp|pdf|md|html?|css|xml"
    "|ya?ml|toml|ini|cfg|exe|dll|zip|gz|tar|rpy|ink|yarn|docx?|xlsx?|pptx?|bat|sh|cpp|hpp|rs|java"
    "|log|bak|tmp|onnx|pt|safetensors"
)
_MONTH_KEYS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = (
    "January|February|March|April|May|June|July|August|September|October|November|December"
    "|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept|Sep|Oct|Nov|Dec"
)
_END = r"(?![A-Za-zÀ-ÿ0-9])(?!-[A-Za-zÀ-ÿ])"
_HALF_OF_DAY = r"(?:[AaPp]\.?[Mm]\b\.?)"
_EMOTICONS = {
    ":)": "smile", ":-)": "smile", "=)": "smile", ":(": "frown", ":-(": "frown", "=(": "frown",
    ";)": "wink", ";-)": "wink", ":D": "grin", ":-D": "grin", "=D": "grin", "xD": "laughing",
    "XD": "laughing", ":P": "tongue out", ":-P": "tongue out", ":p": "tongue out",
    ":O": "gasp", ":o": "gasp", ":-O": "gasp", ":'(": "crying", ":/": "grimace", ":-/": "grimace",
    "<3": "heart", "</3": "broken heart", "^^": "happy", "^_^": "happy", "-_-": "unimpressed",
    ":3": "cat smile", "T_T": "crying", "o_O": "confused", "O_o": "confused",
}  # fmt: skip
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
_TITLES_WITHOUT_DOT = frozenset(["Mr", "Mrs", "Ms", "Dr", "Prof", "Lt", "Sgt", "Capt", "St"])
# Only these follow an abbreviation as the first word of a new sentence often enough to end it.
_STARTERS = frozenset(
    "The A An He She It I We They You But And Or So Then That This These Those There Here "
    "When What Where Who Why How If In On At As My Your His Her Our Their Its It's He's She's "
    "We're They're You're I'm I've I'll I'd That's There's Yes No Not Oh Well Now Nobody "
    "Everyone Everybody Someone Nothing Do Did Does Is Are Was Were Can Could Will Would "
    "Should Please Let Let's After Before While Because Although However Also Just Maybe "
    "Perhaps".split()
)
_ELISIONS = frozenset(
    "tis twas em til till cause bout round n neath gainst cuz coz ere im er ave ello ow ere's "
    "tain't twill twere nuff scuse kay sup yer".split()
)


# These lead to what follows them, so their dot ends no sentence.
_NEVER_LAST = frozenset(["vs", "e.g", "i.e", "eg", "ie", "cf", "approx", "viz", "incl", "ca"])


class _Item(NamedTuple):
    """A word (spoken) or mark of the cleaned text, characters [start, end) of it."""

    word: bool
    spoken: str
    start: int
    end: int


Reading = tuple[str, int] | str | None


class _Reader:
    """Reads one cleaned text from left to right."""

    def __init__(self, text: str, emoji: dict[int, str]):
        self.text = text
        self.emoji = emoji
        self.items: list[_Item] = []
        self.single_quotes = _single_quotes(text)
        self.double_open = False

    def read(self) -> list[_Item]:
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
        for pattern, reading in _patterns():
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
        self.items.append(_Item(True, spoken, start, end))

    def mark(self, symbol: str, start: int, end: int) -> None:
        self.items.append(_Item(False, symbol, start, end))

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
        match = re.compile(rf"\s+[\"“(']?([{_LETTER}]+(?:'[{_LETTER}]+)?)").match(
            self.text, position
        )
        return match[1] if match else ""

    def closes_sentence(self, position: int) -> bool:
        """Whether an abbreviation's dot that ends here ends its sentence as well."""
        rest = self.text[position:]
        if re.match(r"[\"”')\s]*$", rest) or re.match(r"[\"”')]*[ \t]*\n\s*\n", rest):
            return True
        return (
            bool(re.match(r"[\"”')]*\s", rest))
            and self.next_word(position + len(re.match(r"[\"”')]*", rest)[0])) in _STARTERS
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
        elided = re.compile(rf"[{_LETTER}]+(?:'[{_LETTER}]+)?|\d\ds\b").match(text, position + 1)
        opens = (not before or before in ' \t\n([—–-…"“') and after.strip() != ""
        if opens and not (elided and (elided[0].lower() in _ELISIONS or elided[0][0].isdigit())):
            opened = position
        elif opened is not None and before.strip() and not after.isalnum():
            sides[opened], sides[position] = "“", "”"
            opened = None
    return sides


def _emoticon(reader: _Reader, match: re.Match) -> Reading:
    return _EMOTICONS[match[0]]


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
            spoken.append(_year(token) if len(token) < 5 else _digits(token))
        elif token.isalpha():
            spoken.append("W.W.W." if token.lower() == "www" else _letters(token))
        elif token in signs:
            spoken.append(signs[token])
        elif token in _SIGNS:
            spoken.append(_SIGNS[token])
    return " ".join(spoken)


def _web(reader: _Reader, match: re.Match) -> Reading:
    written = match[0].rstrip(".,;:!?'\")]}…—*_”>")
    if not re.search(r"[A-Za-z0-9]", written):
        return None
    scheme = re.match(r"[a-z]+://", written)
    body = written[scheme.end() :] if scheme else written
    return _web_signs(body.rstrip("/") or written), match.start() + len(written)


def _handle(reader: _Reader, match: re.Match) -> Reading:
    return f"at {_camel(match[1])}"


def _hashtag(reader: _Reader, match: re.Match) -> Reading:
    if match[1].isdigit():
        return f"number {_number(match[1])}"
    return f"hashtag {_camel(match[1])}"


def _camel(name: str) -> str:
    tokens = re.findall(r"\d+|[A-Z]?[a-zß-öø-ÿ]+|[A-ZÀ-Ö]+(?![a-zß-ö])|[A-ZÀ-Ö]", name)
    return " ".join(_year(token) if token.isdigit() else _letters(token) for token in tokens)


def _money_before(reader: _Reader, match: re.Match) -> Reading:
    sign = "minus " if match["sign"] else ""
    scale = match["scale"]
    if match["upto"]:
        return f"{sign}{_quantity(match['amount'])} to " + _money(
            match["currency"], match["upto"], scale
        )
    return sign + _money(match["currency"], match["amount"], scale)


def _money_after(reader: _Reader, match: re.Match) -> Reading:
    return _money(match["currency"], match["amount"], match["scale"])


def _cents(reader: _Reader, match: re.Match) -> Reading:
    return f"{_quantity(match[1])} {'cent' if _is_one(match[1]) else 'cents'}"


def _month(name: str) -> str:
    return _hibari()[1].MONTHS[name[:3].lower()]


def _date(month: int, day: int, year: str | None) -> str | None:
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    if year and len(year) == 2:
        year = ("19" if int(year) > 40 else "20") + year
    tail = f", {_year(year)}" if year else ""
    return f"{_month(_MONTH_KEYS[month - 1])} {_ordinal(str(day))}{tail}"


def _date_iso(reader: _Reader, match: re.Match) -> Reading:
    return _date(int(match[2]), int(match[3]), match[1])


def _date_slashed(reader: _Reader, match: re.Match) -> Reading:
    first, second = int(match[1]), int(match[3])
    # American order, unless only the other can be a date; dots are written day first.
    if match[2] == "." or first > 12:
        first, second = second, first
    return _date(first, second, match[4])


def _month_day(reader: _Reader, match: re.Match) -> Reading:
    if not 1 <= int(match["day"]) <= 31:
        return None
    spoken = f"{_month(match['month'])} {_ordinal(match['day'])}"
    if match["upto"]:
        spoken += f" to {_ordinal(match['upto'])}"
    return spoken + (f", {_year(match['year'])}" if match["year"] else "")


def _day_month(reader: _Reader, match: re.Match) -> Reading:
    if not 1 <= int(match["day"]) <= 31:
        return None
    the = "" if reader.previous().lower() == "the" else "the "
    spoken = f"{the}{_ordinal(match['day'])} of {_month(match['month'])}"
    if match["year"]:
        return f"{spoken}, {_year(match['year'])}"
    # The dot of "5 Dec." is the abbreviation's.
    return spoken


def _clock(reader: _Reader, match: re.Match) -> Reading:
    hour, minute, second, half = match["hour"], match["minute"], match["second"], match["half"]
    if int(hour) > 24 or int(minute) > 59 or int(second or 0) > 59:
        return None
    spoken = _cardinal(str(int(hour)))
    if int(minute) == 0:
        spoken += "" if half or second else " o'clock"
    else:
        spoken += (" oh " if minute[0] == "0" else " ") + _cardinal(str(int(minute)))
    if second:
        spoken += f" and {_cardinal(str(int(second)))} second" + ("" if int(second) == 1 else "s")
    if half:
        spoken += f" {half[0].upper()}.M."
        return reader.dotted(spoken, match.end())
    return spoken


def _ratio(reader: _Reader, match: re.Match) -> Reading:
    return " to ".join(_number(part) for part in match[0].split(":"))


def _phone(reader: _Reader, match: re.Match) -> Reading:
    groups = re.findall(r"\+?\d+", match[0])
    return ", ".join(
        ("plus " if group[0] == "+" else "") + _digits(group.lstrip("+")) for group in groups
    )


def _degrees(reader: _Reader, match: re.Match) -> Reading:
    name = {"C": "Celsius", "F": "Fahrenheit", "K": "kelvin", None: ""}[match["scale"]]
    upto = f" to {_quantity(match['upto'])}" if match["upto"] else ""
    one = _is_one(match["amount"]) and not upto
    return f"{_quantity(match['amount'])}{upto} degree{'' if one else 's'} {name}"


@lru_cache(maxsize=1)
def _units() -> dict[str, tuple[str, str]]:
    units = {name: (one, many) for name, (one, many) in _hibari()[1].UNITS.items()}
    return {**units, **_EXTRA_UNITS}


def _unit(reader: _Reader, match: re.Match) -> Reading:
    name = match["unit"]
    if match["space"] and name in _ATTACHED_UNITS:
        return None
    one, many = _units()[name]
    upto = f" to {_quantity(match['upto'])}" if match["upto"] else ""
    amount = _quantity(match["amount"])
    if name == "s" and not upto and re.fullmatch(r"\d+0|\d\d\d\d", match["amount"]):
        return None  # a decade
    spoken = f"{amount}{upto} {one if _is_one(match['amount']) and not upto else many}"
    end = match.end()
    # "5 ft. tall": the dot is the abbreviation's unless a sentence ends there.
    if reader.text[end : end + 1] == "." and name in ("ft", "lb", "lbs", "oz", "hr", "hrs", "min"):
        return reader.dotted(spoken, end + 1)
    return spoken


def _feet(reader: _Reader, match: re.Match) -> Reading:
    foot = "foot" if int(match[1]) == 1 else "feet"
    return f"{_cardinal(match[1])} {foot} {_cardinal(match[2])}"


def _percent(reader: _Reader, match: re.Match) -> Reading:
    upto = f" to {_quantity(match['upto'])}" if match["upto"] else ""
    return f"{_quantity(match['amount'])}{upto} percent"


def _mixed_fraction(reader: _Reader, match: re.Match) -> Reading:
    part = _fraction(int(match[2]), int(match[3]))
    if part is None or int(match[2]) >= int(match[3]):
        return None
    part = re.sub(r"^one (?=\w)", "an " if "eighth" in part[:10] else "a ", part)
    return f"{_quantity(match[1])} and {part}"


def _sign_fraction(reader: _Reader, match: re.Match) -> Reading:
    return f"{_quantity(match[1])} and {_SIGN_FRACTIONS[match[2]]}"


def _slashed(reader: _Reader, match: re.Match) -> Reading:
    over, under = int(match[1]), int(match[2])
    if over == under:
        return f"{_cardinal(match[1])} out of {_cardinal(match[2])}"
    if (over < under <= 10 or under in (12, 16, 32, 64, 100)) and over < under:
        spoken = _fraction(over, under)
        if spoken:
            return spoken
    return _date(over, under, None) or f"{_cardinal(match[1])} over {_cardinal(match[2])}"


def _range(reader: _Reader, match: re.Match) -> Reading:
    first, second = match[1], match[2]
    if first == second and len(first) == 2:
        return f"{_cardinal(first)} {_cardinal(second)}"  # fifty-fifty
    return f"{_number(first)} to {_number(second)}"


def _digit_groups(reader: _Reader, match: re.Match) -> Reading:
    return ", ".join(
        _digits(group) if len(group) > 2 else _cardinal(group) for group in match[0].split("-")
    )


def _ordinal_number(reader: _Reader, match: re.Match) -> Reading:
    return _ordinal(match[1].replace(",", ""))


def _decade(reader: _Reader, match: re.Match) -> Reading:
    return _plural(_year(match[1]))


def _version(reader: _Reader, match: re.Match) -> Reading:
    dot = " dot " if match[0].count(".") == 3 else " point "
    numbers = dot.join(_cardinal(part) for part in match["numbers"].split("."))
    return f"version {numbers}" if match["v"] else numbers


def _by(reader: _Reader, match: re.Match) -> Reading:
    return " by ".join(_quantity(part) for part in re.split(r"\s?[x×]\s?", match[0]))


def _times(reader: _Reader, match: re.Match) -> Reading:
    return f"{_quantity(match[1])} times"


def _plain_number(reader: _Reader, match: re.Match) -> Reading:
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
            return ("" if written[0].isdigit() else "minus ") + _quantity(written.lstrip("+-"))
    return _signed(written)


_YEAR_CUES = frozenset(
    "in since until till by of from before after during around circa early late mid the year "
    "january february march april may june july august september october november december "
    "summer winter spring autumn fall".split()
)


def _roman(reader: _Reader, match: re.Match) -> Reading:
    numeral = match[0]
    _, tables = _hibari()
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
        return f"the {_ordinal(value)}"
    if names & set(tables.ROMAN_CARDINAL):
        return _cardinal(value)
    if re.fullmatch("[IVX]{2,}", numeral) and before[-1][0].isupper():
        return _cardinal(value)
    return None


@lru_cache(maxsize=1)
def _abbreviations() -> dict[str, str]:
    return {**_hibari()[1].ABBREV, **_ABBREVIATIONS}


def _abbreviation(reader: _Reader, match: re.Match) -> Reading:
    written, end = match[0], match.end()
    bare = written.rstrip(".")
    text = reader.text
    tables = _hibari()[1]
    number_follows = re.compile(r"\s*[#§]?\d|\s?[IVXLC]+\b").match(text, end) is not None
    if bare in ("St", "Dr") and written.endswith("."):
        return _saint_or_street(reader, bare, end)
    if bare in _BEFORE_NUMBER and not number_follows:
        return None
    if bare in ("No", "Nos", "no", "nos"):
        return "number" if bare.lower() == "no" else "numbers"
    if bare in ("p", "pp"):
        return "page" if bare == "p" else "pages"
    known = _abbreviations()
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


def _saint_or_street(reader: _Reader, bare: str, end: int) -> Reading:
    named = re.compile(r" ?[A-ZÀ-Ö]").match(reader.text, end)
    before = reader.previous()
    place = before[:1].isupper() and reader.items[-1].end == reader.text.rfind(
        " ", 0, reader.text.rfind(bare, 0, end)
    )
    follows = reader.next_word(end)
    if named and not (place and follows in _STARTERS) and not (place and bare == "Dr"):
        return ("Saint" if bare == "St" else "Doctor"), end
    if place:
        return reader.dotted("Street" if bare == "St" else "Drive", end)
    return reader.dotted("Street" if bare == "St" else "Doctor", end)


def _title_without_dot(reader: _Reader, match: re.Match) -> Reading:
    known = _abbreviations()
    return "Saint" if match[0] == "St" else known[match[0] + "."]


def _dotted_letters(reader: _Reader, match: re.Match) -> Reading:
    written = match[0]
    spoken = written.upper() if re.fullmatch(r"(?:[A-Za-z]\.)+[A-Za-z]?", written) else written
    if not spoken.endswith("."):
        spoken += "."
    end = match.end()
    if written.endswith("."):
        return reader.dotted(spoken, end)
    return spoken, end


def _initial(reader: _Reader, match: re.Match) -> Reading:
    follows = reader.next_word(match.end())
    if not follows[:1].isupper() or follows in _STARTERS or match[0] == "I.":
        return None
    return _letters(match[0][0])


def _exact(reader: _Reader, match: re.Match) -> Reading:
    return _EXACT[match[0]]


_EXACT = {
    "C++": "C plus plus",
    "C#": "C sharp",
    "F#": "F sharp",
    "c#": "C sharp",
    "G++": "G plus plus",
}


def _file(reader: _Reader, match: re.Match) -> Reading:
    return _web_signs(match[0])


def _markup(reader: _Reader, match: re.Match) -> Reading:
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


def _sign(reader: _Reader, match: re.Match) -> Reading:
    written, start, end = match[0], match.start(), match.end()
    text = reader.text
    if len(written) >= 3 and len(set(written)) == 1:
        return "", end  # a ruled line
    if written in (">", "+") and reader.at_line_start(start) and text[end : end + 1].isspace():
        return "", reader.bullet(start, end)  # a quotation's or a list's margin
    if written in ("->", "=>", "<-", "<=>", "<->", "-->", "==>"):
        reader.mark("—", start, end)
        return "", end
    if written in _SIGNS:
        return _SIGNS[written]
    return _SIGNS.get(written[0]) and (_SIGNS[written[0]], start + 1)


def _per(reader: _Reader, match: re.Match) -> Reading:
    if not reader.adjacent(match.start()):
        return None
    written = reader.text[reader.items[-1].start : reader.items[-1].end]
    if re.search(r"\d", written):
        return "per"
    return "slash" if reader.items[-1].word else None


def _chunk(reader: _Reader, match: re.Match) -> Reading:
    """Letters with digits or inner signs, run by run."""
    return _mixed(match[0]) or None


def _plain_word(reader: _Reader, match: re.Match) -> Reading:
    written, end = match[0], match.end()
    # A trailing apostrophe is the word's own ("runnin'", "dogs'") unless it closes a quotation.
    if written.endswith("'") and end - 1 in reader.single_quotes:
        written, end = written[:-1], end - 1
    if written.startswith("'") and match.start() in reader.single_quotes:
        return None
    return written, end


Rule = tuple[re.Pattern, Callable[[_Reader, re.Match], Reading]]


@lru_cache(maxsize=1)
def _patterns() -> tuple[Rule, ...]:
    """The patterns in the order in which they are tried at each place in the text."""
    alternatives = _alternatives
    currency = alternatives(c for c in _CURRENCIES if len(c) < 3 or c == "US$")
    codes = alternatives(c for c in _CURRENCIES if len(c) == 3 and c.isalpha())
    scale = rf"(?P<scale>\s?{_SCALE}\b|[kKmMbB]n?\b)?"
    upto = rf"(?:\s?[-–—]\s?(?P<upto>{_NUMBER}))?"
    word = rf"[{_LETTER}]+(?:'[{_LETTER}]+)*"
    rules: list[tuple[str, Callable[[_Reader, re.Match], Reading]]] = [
        (rf"(?<!\S)(?:{alternatives(_EMOTICONS)})(?=[\s.,!?…]|$)", _emoticon),
        (r"(?i:https?|ftp)://[^\s<>\"“”]+", _web),
        (r"(?i:www\.)[^\s<>\"“”]+", _web),
        (r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", _web),
        (rf"(?i:(?:[\w-]+\.)+(?:{_DOMAINS})(?:/[^\s<>\"“”]*|\b))(?![\w'@-])", _domain),
        (rf"(?:[\w-]+[/\\])*[\w-]+(?:\.[\w-]+)*\.(?:{_EXTENSIONS})\b", _file),
        (r"[A-Za-z]:\\[\w\\.-]+", _web),
        (r"(?<!\S)[~.]?(?:/[\w.-]+){2,}/?", _web),
        (r"@(\w*[A-Za-z]\w*)", _handle),
        (r"#(\w*[A-Za-z]\w*)", _hashtag),
        (r"#(\d+)(?!\w)", _hashtag),
        (r"\.(?=[A-Z]{2,}\b)", lambda reader, match: _dot_name(reader, match)),
        (
            rf"(?P<sign>-)?(?P<currency>{currency})\s?(?P<amount>{_NUMBER})"
            rf"(?:\s?[-–—]\s?(?:{currency})?(?P<upto>{_NUMBER}))?{scale}(?![A-Za-z\d])",
            _money_before,
        ),
        (
            rf"(?P<sign>)(?P<currency>{codes})\s?(?P<amount>{_NUMBER}){upto}{scale}{_END}",
            _money_before,
        ),
        (rf"(?P<amount>{_NUMBER}){scale}\s?(?P<currency>(?:{codes})\b|[€£])", _money_after),
        (rf"({_NUMBER})\s?¢", _cents),
        (rf"(\d{{4}})-(\d{{2}})-(\d{{2}}){_END}", _date_iso),
        (rf"(\d{{1,2}})([/.])(\d{{1,2}})\2(\d{{4}}|\d{{2}}){_END}", _date_slashed),
        (
            rf"(?P<month>{_MONTHS})\b\.?\s(?P<day>\d{{1,2}})(?:st|nd|rd|th)?"
            rf"(?:\s?[-–]\s?(?P<upto>\d{{1,2}})(?:st|nd|rd|th)?)?(?![\d:%\w])"
            rf"(?:,?\s(?P<year>\d{{4}})\b)?",
            _month_day,
        ),
        (
            rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s(?:of\s)?(?P<month>{_MONTHS})\b"
            rf"(?:\.?,?\s(?P<year>\d{{4}})\b)?",
            _day_month,
        ),
        (
            r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?"
            rf"(?:\s?(?P<half>{_HALF_OF_DAY}))?(?![\w:])",
            _clock,
        ),
        (
            rf"(?P<hour>\d{{1,2}})\s?(?P<half>{_HALF_OF_DAY})(?!\w)",
            _hour,
        ),
        (r"\d+(?::\d+)+(?!\w)", _ratio),
        (
            r"(?:\+\d{1,3}[ .-]?)?\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}(?![\w-])|\d{3}-\d{4}(?![\w-])"
            r"|\+\d{7,15}(?!\w)|\+\d{1,3}(?: \d{2,5}){2,5}(?!\w)",
            _phone,
        ),
        (
            rf"(?P<amount>[+-]?{_NUMBER}){upto}\s?°\s?(?P<scale>[CFK])?(?!\w)",
            _degrees,
        ),
        (r"(\d{1,2})'\s?(\d{1,2})(?:\"|'')?(?![\w'])", _feet),
        (
            rf"(?P<amount>[+-]?{_NUMBER}){upto}(?P<space>[\s-])?"
            rf"(?P<unit>{alternatives(_units())})(?![\w²³])(?!'[a-z])(?!-[a-z])",
            _unit,
        ),
        (rf"(?P<amount>[+-]?{_NUMBER}){upto}\s?%", _percent),
        (rf"(\d+)[ -](\d{{1,2}})/(\d{{1,3}}){_END}", _mixed_fraction),
        (rf"(\d+)\s?([{''.join(_SIGN_FRACTIONS)}])", _sign_fraction),
        (rf"(?:24/7|9/11){_END}", _abbreviation),
        (rf"(\d{{1,4}})/(\d{{1,4}})(?!/){_END}", _slashed),
        (rf"\d+(?:-\d+){{2,}}{_END}", _digit_groups),
        (rf"({_NUMBER})\s?[-–—]\s?({_NUMBER})(?!\.\d){_END}(?!\s?[-–]\s?\d)", _range),
        (rf"(\d{{1,3}}(?:,\d{{3}})+|\d+)(?:st|nd|rd|th){_END}", _ordinal_number),
        (rf"'?(\d{{2}}|\d{{3,4}})'?s{_END}", _decade),
        (rf"(?P<v>v\.? ?)(?P<numbers>\d+(?:\.\d+)*){_END}", _version),
        (rf"(?P<v>)(?P<numbers>\d+(?:\.\d+){{2,}}){_END}", _version),
        (rf"{_NUMBER}(?:\s?[x×]\s?{_NUMBER})+{_END}", _by),
        (rf"({_NUMBER})x{_END}", _times),
        (
            rf"\d{{1,3}}(?: \d{{3}}){{2,}}{_END}",
            lambda reader, match: _cardinal(match[0].replace(" ", "")),
        ),
        (rf"[+-]?{_NUMBER}(?!\.\d){_END}", _plain_number),
        (
            r"(?=[MDCLXVI])M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})(?!\w)",
            _roman,
        ),
        (alternatives(_EXACT) + r"(?!\w)", _exact),
        (rf"(?:{alternatives(_abbreviations())})(?![\w'])(?!-\w)", _abbreviation),
        (r"(?:[A-Za-z]\.){2,}[A-Za-z]?(?!\w)|Ph\.D\.?(?!\w)", _dotted_letters),
        (rf"(?:{alternatives(_TITLES_WITHOUT_DOT)})(?=\s[A-Z][a-z])", _title_without_dot),
        (r"[A-Z]\.(?=\s?[A-Z])", _initial),
        (r"\*+|_+|~+|`+|#+(?!\w)", _markup),
        (
            r"<->|<=>|-->|==>|->|=>|<-|[-=+#*~<>^|\\@&%]{3,}|\+/-|<=|>=|==|!="
            rf"|[{re.escape(''.join(s for s in _SIGNS if len(s) == 1 and s not in '*_#~'))}]|#",
            _sign,
        ),
        (rf"/(?=[{_LETTER}\d])", _per),
        (
            rf"(?=[{_LETTER}\d'+&-]*\d)[{_LETTER}\d]+(?:['+&-]?[{_LETTER}\d]+|\.\d+)*",
            _chunk,
        ),
        (rf"[{_LETTER}]+(?:&[{_LETTER}]+)+", _ampersand),
        (rf"[{_LETTER}]+(?:_+[{_LETTER}\d]+)+", _chunk),
        (r"'[nN]'(?!\w)", lambda reader, match: "and"),
        (rf"'(?i:{alternatives(_ELISIONS)})\b(?:'[{_LETTER}]+)?", _elision),
        (rf"{word}(?:-{word})*'?(?![{_LETTER}])", _plain_word),
        (rf"{word}", _plain_word),
        (r"\d+", lambda reader, match: _cardinal(match[0])),
    ]
    return tuple((re.compile(pattern), reading) for pattern, reading in rules)


def _alternatives(written: Iterable[str]) -> str:
    return "|".join(re.escape(entry) for entry in sorted(written, key=len, reverse=True))


def _dot_name(reader: _Reader, match: re.Match) -> Reading:
    return "dot" if reader.space_before(match.start()) else None


def _domain(reader: _Reader, match: re.Match) -> Reading:
    # "so.me": a missing space more often than an address, unless a longer name or a path follows.
    name = match[0].split("/")[0]
    tail = name.rsplit(".", 1)[1]
    if tail.lower() in _WORDLIKE_DOMAINS and name.count(".") == 1 and "/" not in match[0]:
        return None
    if tail != tail.lower():
        return None
    return _web(reader, match)


_WORDLIKE_DOMAINS = frozenset(
    ("us", "me", "co", "de", "fr", "ca", "au", "tv", "ly", "uk", "app", "int", "io", "ai", "dev")
)


def _hour(reader: _Reader, match: re.Match) -> Reading:
    hour, half = int(match["hour"]), match["half"]
    if not 1 <= hour <= 12:
        return None
    return reader.dotted(f"{_cardinal(str(hour))} {half[0].upper()}.M.", match.end())


def _ampersand(reader: _Reader, match: re.Match) -> Reading:
    spelled = []
    for part in match[0].split("&"):
        short = part.isupper() and 2 <= len(part) <= 3
        spelled.append(".".join(part) + "." if short else _letters(part))
    return " and ".join(spelled)


def _elision(reader: _Reader, match: re.Match) -> Reading:
    if match.start() in reader.single_quotes:
        return None
    return match[0]


@lru_cache(maxsize=64)
def _read(text: str) -> tuple[Word | Mark, ...]:
    clean = _clean(text)
    items = _Reader(clean.text, clean.emoji).read()
    found: list[Word | Mark] = []
    for item in items:
        kind = Word if item.word else Mark
        start, end = clean.starts[item.start], clean.ends[item.end - 1]
        piece = kind(item.spoken, start, end)
        if found and start < found[-1].end:
            # Both come from one character that reads as several ("⑴", "¦"): one word.
            found[-1] = _joined(found[-1], piece)
        else:
            found.append(piece)
    if not any(isinstance(piece, Word) for piece in found):
        shown = text if len(text) <= 40 else text[:40] + "…"
        raise InvalidInput(
            f"The text has no word to speak: got {shown!r}; it needs at least one word or number: "
            "write some."
        )
    return tuple(_with_paragraph_stops(text, found))


def _joined(first: Word | Mark, second: Word | Mark) -> Word | Mark:
    spoken = " ".join(piece.spoken for piece in (first, second) if isinstance(piece, Word))
    if spoken:
        return Word(spoken, first.start, max(first.end, second.end))
    return first


def _with_paragraph_stops(text: str, found: list[Word | Mark]) -> Iterator[Word | Mark]:
    """A heading without a stop would run into the paragraph after its blank line."""
    for index, piece in enumerate(found):
        yield piece
        if (
            isinstance(piece, Word)
            and index + 1 < len(found)
            and _blank_line(text[piece.end : found[index + 1].start])
        ):
            yield Mark(".", piece.end, piece.end)
