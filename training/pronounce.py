"""What is said in a corpus, in Kokoro's alphabet: English as we speak it, the rest by espeak-ng.

espeak-ng (GPL-3, with the wheel `espeakng-loader`) is used to prepare training alone, never to
speak.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from functools import cache

from conditioning.errors import InvalidInput
from voice_actor.phonemes import MOST_SYMBOLS, VOCABULARY, Phoneme, Phrase, phonemize

JOINED = 140  # symbols within which sentences share a phrase, as in `phonemize`
_WORD = re.compile(r"\w+(?:['’-]\w+)*")
_TIE = "\u0361"
# Written mark -> pause symbol. Quotation marks and brackets are no pauses of their own.
_PAUSES = {mark: mark for mark in ";:,.!?—…"} | {"–": "—", "¿": "", "¡": ""}
_ENDS = frozenset(".!?…")

# What espeak-ng writes -> the nearest of Kokoro's symbols; the longest match wins. What both have
# stands for itself.
_NEAREST = {
    # Affricates and diphthongs, tied, have symbols of their own.
    "t͡ʃ": "ʧ", "d͡ʒ": "ʤ", "t͡s": "ʦ", "d͡z": "ʣ", "t͡ɕ": "ʨ", "d͡ʑ": "ʥ", "ʈ͡ʂ": "ʧ", "ɖ͡ʐ": "ʤ",
    "a͡ɪ": "I", "a͡ʊ": "W", "ɔ͡ø": "Y", "ɔ͡ɪ": "Y", "e͡ɪ": "A", "o͡ʊ": "O", "ə͡ʊ": "Q",
    # Consonants.
    "g": "ɡ", "ʑ": "ʒ", "ʐ": "ʒ", "ɫ": "l", "ɬ": "l", "ɭ": "l", "ɦ": "h", "ħ": "h", "ɱ": "m",
    "ʀ": "ʁ", "ʍ": "w", "c": "ʨ", "ɓ": "b", "ɗ": "d", "q": "k",
    # Vowels.
    "ʏ": "y", "ʉ": "u", "ɵ": "ø", "ɘ": "ə", "ɞ": "œ", "ɝ": "ɜɹ",
    # Signs that change a sound too little to matter, and a syllable without a vowel.
    "\u0329": "", "\u032f": "", "\u032a": "", "\u0325": "", "ˑ": "", _TIE: "", "‿": "", "-": "",
    "'": "ʲ", "ʷ": "",
}  # fmt: skip
# The same sign for different sounds: German's open "-er", and its "r" of the throat, which after a
# vowel is one itself.
_BY_LANGUAGE = {"de": {"ɜ": "ɐ", "r": "ʁ", "ɾ": "ʁ"}}
_OPEN_R = {"de": re.compile(r"(?<=[aeiouyæøœɑɔəɛɪʊː])ʁ(?![aeiouyæøœɑɔəɛɪʊIWYˈˌ])")}
# Words that espeak-ng gets wrong.
_READINGS = {"de": {"eisschrank": "ˈIsʃʁaŋk", "hinlegen": "hˈɪnleːɡən"}}


def pronounce(text: str, language: str, accent: str = "us") -> tuple[Phrase, ...]:
    """The phrases that together speak every word of the text, in order.

    Args:
        language: ISO 639-1 code; English is read by `voice_actor.phonemes.phonemize`, any other
            by espeak-ng, each sound as the nearest one that the backbone knows.
        accent: of English, "us" or "gb".

    Raises:
        InvalidInput: nothing to speak, a language that espeak-ng does not know or a sound for
            which no nearest one is written down.
        ImportError: `espeakng-loader` is missing (extra `train`).
    """
    if language == "en":
        return phonemize(text, accent)
    phrases: list[list[tuple[str, int, int]]] = []
    for sentence in _sentences(text, language):
        length = sum(len(symbols) for symbols, _, _ in sentence)
        if not phrases or _length(phrases[-1]) + 1 + length > JOINED:
            phrases.append([])
        for unit in sentence:
            if _length(phrases[-1]) + len(unit[0]) > MOST_SYMBOLS:
                phrases.append([])
            phrases[-1].append(unit)
    if not phrases:
        raise InvalidInput(f"Nothing to speak in {text!r}; give a text with words.")
    return tuple(_phrase(units) for units in phrases)


def _length(units: list[tuple[str, int, int]]) -> int:
    return sum(len(symbols) + 1 for symbols, _, _ in units)


def _sentences(text: str, language: str) -> Iterator[list[tuple[str, int, int]]]:
    """(symbols, start, end) of each word and pause of a sentence."""
    sentence: list[tuple[str, int, int]] = []
    for clause in re.finditer(r"[^;:,.!?—…–¿¡]+|.", text):
        if clause[0] in _PAUSES:
            pause = _PAUSES[clause[0]]
            if sentence and pause:
                sentence.append((pause, clause.start(), clause.end()))
            continue
        words = list(_WORD.finditer(clause[0]))
        if words and sentence and sentence[-1][0] in _ENDS:
            yield sentence
            sentence = []
        read = _read([word[0] for word in words], language)
        for word, symbols in zip(words, read, strict=True):
            if symbols:
                start, end = (clause.start() + place for place in word.span())
                sentence.append((symbols, start, end))
    if sentence:
        yield sentence


def _phrase(units: list[tuple[str, int, int]]) -> Phrase:
    phonemes: list[Phoneme] = []
    words = []
    for symbols, start, end in units:
        word = symbols not in _PAUSES
        if phonemes and word:
            phonemes.append(Phoneme(" ", phonemes[-1].end, start))
        first = len(phonemes)
        phonemes += [Phoneme(symbol, start, end) for symbol in symbols]
        if word:
            words.append((first, len(phonemes), start, end))
    return Phrase(tuple(phonemes), tuple(words))


def _read(words: list[str], language: str) -> list[str]:
    """Symbols of the words of a clause, read together: neighbours change each other's sounds."""
    if not words:
        return []
    together = _espeak(" ".join(words), language).split()
    # Numbers become several words, and some short words grow together: then each is read alone.
    if len(together) != len(words):
        together = [_espeak(word, language) for word in words]
    known = _READINGS.get(language, {})
    return [
        known.get(word.lower()) or "".join(_nearest(sounds, language).split())
        for word, sounds in zip(words, together, strict=True)
    ]


def _nearest(sounds: str, language: str) -> str:
    table = _NEAREST | _BY_LANGUAGE.get(language, {})
    longest = "|".join(sorted(map(re.escape, table), key=len, reverse=True))
    symbols = re.sub(longest, lambda match: table[match[0]], sounds)
    for symbol in symbols:
        if symbol not in VOCABULARY:
            raise InvalidInput(
                f"espeak-ng reads {sounds!r} ({language}) with {symbol!r}, which Kokoro's alphabet "
                "lacks; add the nearest symbol to training/pronounce.py."
            )
    return _OPEN_R[language].sub("ɐ", symbols) if language in _OPEN_R else symbols


def _espeak(text: str, language: str) -> str:
    """What espeak-ng makes of a text: IPA, stressed, affricates and diphthongs tied."""
    espeak = espeak_library()
    if espeak.espeak_SetVoiceByName(language.encode()) != 0:
        raise InvalidInput(
            f"espeak-ng does not know the language {language!r}; give an ISO 639-1 code."
        )
    encoded = ctypes.create_string_buffer(text.encode())
    rest = ctypes.c_void_p(ctypes.addressof(encoded))
    ipa, tied, utf8 = 0x02, 0x80 | ord(_TIE) << 8, 1  # espeak-ng/speak_lib.h
    clauses = []
    while rest.value:  # moves on by a clause each time
        clauses.append(espeak.espeak_TextToPhonemes(ctypes.byref(rest), utf8, ipa | tied).decode())
    # "(en)...(de)" around words of another language, its letters tied as well.
    return re.sub(r"\([^)]*\)", "", " ".join(clauses))


@cache
def espeak_library():
    import espeakng_loader

    espeak = ctypes.CDLL(str(espeakng_loader.get_library_path()))
    without_sound, do_not_exit = 2, 0x8000
    data = str(espeakng_loader.get_data_path()).encode()
    rate = espeak.espeak_Initialize(without_sound, 0, data, do_not_exit)
    assert rate > 0, f"espeak-ng did not start from {data!r}"
    espeak.espeak_TextToPhonemes.restype = ctypes.c_char_p
    return espeak
