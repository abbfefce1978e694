"""Amounts as words: money, percentages, temperatures and whatever else has a unit."""

from __future__ import annotations

import re
from functools import lru_cache

from .numbers import cardinal, hibari, quantity
from .reader import Reader, Reading

CURRENCIES = {
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
_SCALE_LETTERS = {"k": "thousand", "m": "million", "b": "billion", "bn": "billion"}
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


def _is_one(written: str) -> bool:
    return written.lstrip("+-") == "1"


def _money(currency: str, amount: str, scale: str | None) -> str:
    one, many, cent, cents = CURRENCIES[currency]
    if scale:
        scale = scale.strip()
        return f"{quantity(amount)} {_SCALE_LETTERS.get(scale.lower(), scale)} {many}"
    whole, _, fraction = amount.replace(",", "").partition(".")
    if len(fraction) != 2 or not cent:
        return f"{quantity(amount)} {one if _is_one(amount) else many}"
    parts = []
    whole = whole.lstrip("0")
    if whole or not int(fraction):
        parts.append(f"{quantity(whole or '0')} {one if whole == '1' else many}")
    if int(fraction):
        small = cardinal(fraction.lstrip("0"))
        parts.append(f"{small} {cent if int(fraction) == 1 else cents}")
    return " and ".join(parts)


def money_before(reader: Reader, match: re.Match) -> Reading:
    sign = "minus " if match["sign"] else ""
    scale = match["scale"]
    if match["upto"]:
        return f"{sign}{quantity(match['amount'])} to " + _money(
            match["currency"], match["upto"], scale
        )
    return sign + _money(match["currency"], match["amount"], scale)


def money_after(reader: Reader, match: re.Match) -> Reading:
    return _money(match["currency"], match["amount"], match["scale"])


def cents(reader: Reader, match: re.Match) -> Reading:
    return f"{quantity(match[1])} {'cent' if _is_one(match[1]) else 'cents'}"


def percent(reader: Reader, match: re.Match) -> Reading:
    upto = f" to {quantity(match['upto'])}" if match["upto"] else ""
    return f"{quantity(match['amount'])}{upto} percent"


def degrees(reader: Reader, match: re.Match) -> Reading:
    name = {"C": "Celsius", "F": "Fahrenheit", "K": "kelvin", None: ""}[match["scale"]]
    upto = f" to {quantity(match['upto'])}" if match["upto"] else ""
    one = _is_one(match["amount"]) and not upto
    return f"{quantity(match['amount'])}{upto} degree{'' if one else 's'} {name}"


@lru_cache(maxsize=1)
def unit_names() -> dict[str, tuple[str, str]]:
    units = {name: (one, many) for name, (one, many) in hibari()[1].UNITS.items()}
    return {**units, **_EXTRA_UNITS}


def unit(reader: Reader, match: re.Match) -> Reading:
    name = match["unit"]
    if match["space"] and name in _ATTACHED_UNITS:
        return None
    one, many = unit_names()[name]
    upto = f" to {quantity(match['upto'])}" if match["upto"] else ""
    amount = quantity(match["amount"])
    if name == "s" and not upto and re.fullmatch(r"\d+0|\d\d\d\d", match["amount"]):
        return None  # a decade
    spoken = f"{amount}{upto} {one if _is_one(match['amount']) and not upto else many}"
    end = match.end()
    # "5 ft. tall": the dot is the abbreviation's unless a sentence ends there.
    if reader.text[end : end + 1] == "." and name in ("ft", "lb", "lbs", "oz", "hr", "hrs", "min"):
        return reader.dotted(spoken, end + 1)
    return spoken


def feet(reader: Reader, match: re.Match) -> Reading:
    foot = "foot" if int(match[1]) == 1 else "feet"
    return f"{cardinal(match[1])} {foot} {cardinal(match[2])}"
