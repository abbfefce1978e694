"""Any Unicode text -> the few characters that the patterns know, each with its source span."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from conditioning.errors import InvalidInput

from .numbers import letters_and_digits

SIGNS = {
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


class Cleaned(NamedTuple):
    """The text in the few characters that the patterns know, and where each one came from.

    starts, ends: character i of `text` reads the characters [starts[i], ends[i]) of the original.
    emoji: place in `text` -> the spoken name of the emoji that stood there.
    """

    text: str
    starts: list[int]
    ends: list[int]
    emoji: dict[int, str]


def clean(text: str) -> Cleaned:
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
    return Cleaned("".join(characters), starts, ends, names)


def plain_letters(written: str) -> str:
    """Latin letters without their accents: "Łódź" -> "Lodz"."""
    decomposed = unicodedata.normalize("NFD", written)
    return "".join(c for c in decomposed if not unicodedata.combining(c)).translate(_LATIN)


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
    if first in _KEPT_LETTERS or first in SIGNS or first in "“”—–…µ":
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
        if symbol[0] in _PLAIN or symbol[0] in SIGNS or _ARROWS.match(symbol[0]):
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
        spoken.append(letters_and_digits(part) if re.search(r"\d", part) else part)
    return " ".join(part for part in spoken if part) or "emoji"
