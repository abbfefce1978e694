"""Text -> phonemes in Kokoro's alphabet, each with the place in the text that it speaks."""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from conditioning.errors import InvalidInput, unknown_name
from voice_actor.text import Mark, Word, sentence_pieces
from voice_actor.text.characters import plain_letters

# Kokoro-82M's symbol table (its config.json); 0 pads both ends of an input. ASCII g is not in it:
# the phoneme is ɡ (U+0261).
_SYMBOLS = """
; 1 : 2 , 3 . 4 ! 5 ? 6 — 9 … 10 " 11 ( 12 ) 13 “ 14 ” 15 \u0303 17 ʣ 18 ʥ 19 ʦ 20 ʨ 21 ᵝ 22 ꭧ 23
A 24 I 25 O 31 Q 33 S 35 T 36 W 39 Y 41 ᵊ 42 a 43 b 44 c 45 d 46 e 47 f 48 h 50 i 51 j 52 k 53
l 54 m 55 n 56 o 57 p 58 q 59 r 60 s 61 t 62 u 63 v 64 w 65 x 66 y 67 z 68 ɑ 69 ɐ 70 ɒ 71 æ 72
β 75 ɔ 76 ɕ 77 ç 78 ɖ 80 ð 81 ʤ 82 ə 83 ɚ 85 ɛ 86 ɜ 87 ɟ 90 ɡ 92 ɥ 99 ɨ 101 ɪ 102 ʝ 103 ɯ 110
ɰ 111 ŋ 112 ɳ 113 ɲ 114 ɴ 115 ø 116 ɸ 118 θ 119 œ 120 ɹ 123 ɾ 125 ɻ 126 ʁ 128 ɽ 129 ʂ 130 ʃ 131
ʈ 132 ʧ 133 ʊ 135 ʋ 136 ʌ 138 ɣ 139 ɤ 140 χ 142 ʎ 143 ʒ 147 ʔ 148 ˈ 156 ˌ 157 ː 158 ʰ 162 ʲ 164
↓ 169 → 171 ↗ 172 ↘ 173 ᵻ 177
""".split()
VOCABULARY: dict[str, int] = {
    " ": 16,
    **dict(zip(_SYMBOLS[::2], map(int, _SYMBOLS[1::2]), strict=True)),
}

# Kokoro's position table has 512 places, two of them for the padding.
MOST_SYMBOLS = 510
_LEAST_LIMIT = 16
# A sentence longer than this is read in parts even where the limit would hold it: prosody, and
# the time to the first sound, get worse.
_LONG_SENTENCE = 300

_PUNCTUATION = frozenset(';:,.!?—…"“”() ')
_MODIFIERS = frozenset("ˈˌː\u0303ʰʲ↓→↗↘ᵊᵝ")
_SOUNDS = frozenset(VOCABULARY) - _PUNCTUATION - _MODIFIERS
VOWELS = frozenset("AIOQWYaeiouyæɐɑɒɔəɚɛɜɨɪɯɤøœʊʌᵻ")

_ACCENTS = {"us": False, "gb": True}
# The network for unknown words learnt from another phonemiser and can answer with its signs:
# language switches in brackets, syllable hyphens, a uvular r.
_NETWORK_SIGNS = str.maketrans({"ʀ": "ɹ", "-": "", "1": "", "(": "", ")": ""})
# It reads at most 24 letters and ignores the rest.
_NETWORK_LETTERS = 20
# Sounds that are words only in acting and scripts: the lexicon spells them or lacks them. Written
# with the symbols both accents have.
_INTERJECTIONS = {
    "ugh": "ˈʌɡ", "shh": "ʃʃ", "sh": "ʃ", "psst": "pst", "pst": "pst", "pfft": "pft", "pft": "pft",
    "brr": "bɹɹ", "grr": "ɡɹɹ", "argh": "ˈɑɹɡ", "arg": "ˈɑɹɡ", "urgh": "ˈɜɹɡ", "zzz": "zzz",
    "tsk": "tsk", "hmph": "hmf", "humph": "hˈʌmf", "heh": "hˈɛ", "hehe": "hˈɛhˈɛ",
    "eww": "ˈiu", "eew": "ˈiu", "oww": "ˈW", "pssh": "pʃ", "psh": "pʃ", "mwah": "mwˈɑ",
    "ack": "ˈæk", "gah": "ɡˈɑ", "aah": "ˈɑ", "ahh": "ˈɑ", "aaah": "ˈɑ", "ooo": "ˈu", "oo": "ˈu",
    "aagh": "ˈɑɡ", "agh": "ˈɑɡ", "gr": "ɡɹɹ", "br": "bɹɹ", "hm": "hm", "hmm": "hmm", "mm": "mm",
    "mmm": "mmm", "mhm": "mhm", "mm-hmm": "mmhm", "mm-hm": "mmhm", "uh-huh": "əhˈʌ",
    "nuh-uh": "nˈʌʌ", "bzz": "bzz", "bzzt": "bzt", "pff": "pf", "hah": "hˈɑ", "haha": "hɑhˈɑ",
    "hahaha": "hɑhɑhˈɑ", "aw": "ˈɔ", "aww": "ˈɔ", "sss": "sss", "hss": "hss", "tch": "tʃ",
    "tsk-tsk": "tsk tsk", "vroom": "vɹˈum", "ngh": "nɡ", "nn": "nn", "rr": "ɹɹ", "ff": "f",
    "zz": "zzz", "'tis": "tˈɪz", "'twas": "twˈʌz", "'em": "əm", "'cause": "kˈʌz", "'n": "ən",
    "'til": "tˈɪl", "'bout": "bˈWt", "cetera": "sˈɛtəɹə",
}  # fmt: skip
_LETTER_NAMES = {
    "a": "ˈA", "b": "bˈi", "c": "sˈi", "d": "dˈi", "e": "ˈi", "f": "ˈɛf", "g": "ʤˈi",
    "h": "ˈAʧ", "i": "ˈI", "j": "ʤˈA", "k": "kˈA", "l": "ˈɛl", "m": "ˈɛm", "n": "ˈɛn",
    "o": "ˈoʊ", "p": "pˈi", "q": "kjˈu", "r": "ˈɑɹ", "s": "ˈɛs", "t": "tˈi", "u": "jˈu",
    "v": "vˈi", "w": "dˈʌbəlju", "x": "ˈɛks", "y": "wˈI", "z": "zˈi",
}  # fmt: skip
_CONJUNCTIONS = frozenset(
    "and but or nor so yet because although though while when where which who that if unless "
    "until since before after as than with from into to of for in on at by".split()
)


@dataclass(frozen=True)
class Phoneme:
    """One symbol to speak.

    symbol: one character of `VOCABULARY`: a sound, a stress mark, a space or punctuation.
    start, end: characters [start, end) of the original text: the whole written word that the
        symbol belongs to, the punctuation mark, or for a space the gap between the two.
    """

    symbol: str
    start: int
    end: int


@dataclass(frozen=True)
class Phrase:
    """Phonemes that the network reads at one go.

    phonemes: at most 510; neither the first nor the last is a space.
    words: one row a written word, in order: (first phoneme, last phoneme + 1, source start,
        source end). A word that is longer than a phrase has a row in each.
    """

    phonemes: tuple[Phoneme, ...]
    words: tuple[tuple[int, int, int, int], ...]

    @property
    def tokens(self) -> tuple[int, ...]:
        """Vocabulary ids, one a phoneme, without the 0 that pads both ends."""
        return tuple(VOCABULARY[phoneme.symbol] for phoneme in self.phonemes)

    @property
    def symbols(self) -> str:
        """The phonemes as a string, one character each."""
        return "".join(phoneme.symbol for phoneme in self.phonemes)

    @property
    def start(self) -> int:
        return self.phonemes[0].start

    @property
    def end(self) -> int:
        return self.phonemes[-1].end


def phonemize(
    text: str,
    accent: str = "us",
    *,
    limit: int = MOST_SYMBOLS,
    target: int = 140,
    breaks: Sequence[int] = (),
    pronunciations: Mapping[str, str] | None = None,
) -> tuple[Phrase, ...]:
    """The phrases that together speak every word of the text, in order.

    Args:
        accent: "us" or "gb".
        limit: the most symbols a phrase may have, 16 to 510.
        target: sentences join into one phrase while it stays within this many symbols.
        breaks: offsets into the text; a phrase starts at the first word at or after each of them.
        pronunciations: written word (any case) -> phonemes, which win over every other reading.

    Raises:
        InvalidInput: the text cannot be spoken (see `voice_actor.text.pieces`), or an argument is
            out of range.
        UnknownName: an accent that is not known.
    """
    if accent not in _ACCENTS:
        raise unknown_name("accent", accent, _ACCENTS)
    if not _LEAST_LIMIT <= limit <= MOST_SYMBOLS:
        raise InvalidInput(
            f"limit is {limit}; it counts the symbols of a phrase, {_LEAST_LIMIT} to "
            f"{MOST_SYMBOLS}: choose one of these."
        )
    for offset in breaks:
        if not 0 <= offset <= len(text):
            raise InvalidInput(
                f"A break at {offset} lies outside the text of {len(text)} characters; offsets run "
                "from 0 to its length: move it."
            )
    given = tuple(sorted(_checked(pronunciations or {}).items()))
    sentences = _read(text, accent, given)
    forced = _break_starts(sentences, breaks)
    return tuple(
        _phrase(units) for units in _group(sentences, forced, limit, max(1, min(target, limit)))
    )


def _checked(pronunciations: Mapping[str, str]) -> dict[str, str]:
    checked = {}
    for word, symbols in pronunciations.items():
        if not isinstance(word, str) or not isinstance(symbols, str):
            raise InvalidInput(
                f"The pronunciation {word!r}: {symbols!r} is not a pair of strings; give a written "
                "word and its phonemes."
            )
        key = word.strip().lower().replace("’", "'")
        if not key or any(character.isspace() for character in key):
            raise InvalidInput(
                f"The pronunciation {word!r} is not for one word; the key is a written word "
                "without spaces: give each word its own."
            )
        unknown = sorted(set(symbols) - set(VOCABULARY))
        if unknown:
            hint = " (the phoneme is ɡ, U+0261)" if "g" in unknown else ""
            raise InvalidInput(
                f"The pronunciation of {word!r} has {', '.join(map(repr, unknown))}{hint}; "
                f"allowed are {' '.join(sorted(_SOUNDS | _MODIFIERS))}: write it in these."
            )
        if not set(symbols) & _SOUNDS:
            raise InvalidInput(
                f"The pronunciation of {word!r} is {symbols!r}, which has no sound; "
                "write at least one vowel or consonant."
            )
        checked[key] = symbols.strip()
    return checked


@dataclass(frozen=True)
class _Unit:
    """One written word or mark with its symbols.

    gap: whether a space separates it from the unit before it.
    gap_start: where that space begins in the text.
    rank: how well a phrase can begin here: 0 after a stop, 1 after other clause marks, 2 after a
        comma, 3 before a conjunction, 4 between words, 9 never (glued to the unit before).
    """

    symbols: str
    start: int
    end: int
    word: bool
    gap: bool
    gap_start: int
    rank: int


_lock = threading.Lock()
_engines: dict[str, _Engine] = {}


def _engine(accent: str) -> _Engine:
    with _lock:
        if accent not in _engines:
            _engines[accent] = _Engine(accent)
        return _engines[accent]


@lru_cache(maxsize=64)
def _read(
    text: str, accent: str, pronunciations: tuple[tuple[str, str], ...]
) -> tuple[tuple[_Unit, ...], ...]:
    """The units of each sentence."""
    engine = _engine(accent)
    given = dict(pronunciations)
    sentences = []
    previous: Word | Mark | None = None
    for pieces in sentence_pieces(text):
        readings = engine.read(text, pieces, given)
        units = []
        for index, (piece, symbols) in enumerate(zip(pieces, readings, strict=True)):
            gap_start = previous.end if previous else piece.start
            between = text[gap_start : piece.start]
            word = isinstance(piece, Word)
            # Two words always part ("great👍"); marks stand as they are written.
            gap = previous is not None and (
                any(character.isspace() for character in between)
                or (word and isinstance(previous, Word))
            )
            if isinstance(piece, Mark) and _closes(piece.symbol):
                gap = gap and piece.symbol in ("—", "…")
            if isinstance(previous, Mark) and previous.symbol in ("“", "("):
                gap = False
            if isinstance(previous, Mark) and previous.symbol[-1] in ".,!?;:…":
                gap = gap or word
            rank = _rank(text, piece, previous, index == 0)
            units.append(_Unit(symbols, piece.start, piece.end, word, gap, gap_start, rank))
            previous = piece
        sentences.append(tuple(units))
    return tuple(sentences)


def _closes(symbol: str) -> bool:
    return symbol not in ("“", "(")


def _rank(text: str, piece: Word | Mark, previous: Word | Mark | None, first: bool) -> int:
    if first:
        return 0
    if isinstance(piece, Mark):
        if _closes(piece.symbol):
            return 9
        return 1 if isinstance(previous, Mark) and _closes(previous.symbol) else 3
    if isinstance(previous, Mark):
        if not _closes(previous.symbol):
            return 9
        if previous.symbol[-1] in ".!?…":
            return 0
        return 2 if previous.symbol in (",", "”") else 1
    written = text[piece.start : piece.end].lower()
    return 3 if written in _CONJUNCTIONS else 4


class _Engine:
    """hibari's lexicon, tagger and network of one accent, asked piece by piece."""

    def __init__(self, accent: str):
        from hibari.g2p import G2P
        from hibari.g2p.token import Tok

        self.british = _ACCENTS[accent]
        self.g2p = G2P(british=self.british)
        self.token = Tok

    def read(self, text: str, pieces: Sequence[Word | Mark], given: Mapping[str, str]) -> list[str]:
        """The symbols of each piece, read in the context of all of them.

        Each chunk (a spoken word between spaces) becomes tokens of hibari's of which only the last
        carries white space, and marks become tokens that are already read; hibari merges only
        tokens without white space between them, so counting white space finds the chunks again
        whatever it does within one.
        """
        tokens: list = []
        owners: list[int] = []
        glued: set[int] = set()
        shouting = _shouting(pieces)
        for index, piece in enumerate(pieces):
            if isinstance(piece, Mark):
                tokens.append(self.token(piece.symbol[0], ",", " ", phonemes=piece.symbol))
                owners.append(index)
                continue
            written = text[piece.start : piece.end].lower().replace("’", "'")
            if written in given or piece.spoken.lower() in given:
                symbols = given.get(written) or given[piece.spoken.lower()]
                tokens.append(self.token(piece.spoken, "NN", " ", phonemes=symbols, rating=5))
                owners.append(index)
                continue
            for chunk in re.findall(r",|[^\s,]+", piece.spoken):
                ready = None if chunk == "," else given.get(chunk.lower())
                for order, made in enumerate(self.chunk_tokens(chunk, shouting, ready)):
                    made[-1].whitespace = " "
                    tokens += made
                    owners.append(index)
                    if order:
                        glued.add(len(owners) - 1)
        tags = self.g2p.tagger([token.text for token in tokens])
        for token, tag in zip(tokens, tags, strict=True):
            token.tag = tag
        read = self.g2p.phonemize_tokens(tokens)
        chunks: list[str] = [""]
        for token in read:
            chunks[-1] += token.phonemes or ""
            if token.whitespace:
                chunks.append("")
        assert chunks.pop() == "", "hibari lost the end of a chunk"
        assert len(chunks) == len(owners), "hibari lost or made a chunk"
        symbols = [""] * len(pieces)
        for order, (owner, chunk) in enumerate(zip(owners, chunks, strict=True)):
            if isinstance(pieces[owner], Word):
                chunk = self.clean(chunk)
            if not chunk:
                continue
            space = symbols[owner] and chunk != "," and order not in glued
            symbols[owner] += " " + chunk if space else chunk
        for index, piece in enumerate(pieces):
            if isinstance(piece, Word) and not set(symbols[index]) & _SOUNDS:
                symbols[index] = self.spell(piece, text)
            unknown = set(symbols[index]) - set(VOCABULARY)
            assert not unknown, f"{piece!r} was read with symbols outside the alphabet: {unknown}"
        return symbols

    def clean(self, phonemes: str | None) -> str:
        return " ".join((phonemes or "").translate(_NETWORK_SIGNS).split())

    def chunk_tokens(self, chunk: str, shouting: bool, ready: str | None) -> list[list]:
        """The tokens of the chunk, in as many runs as the network needs to read it whole."""
        if chunk == ",":
            return [[self.token(",", ",", "", phonemes=",")]]
        if ready is None:
            ready = self.acted(chunk)
        if ready is not None:
            return [[self.token(chunk, "NN", "", phonemes=ready, rating=5)]]
        if shouting and len(chunk) > 1 and chunk.isupper() and self.known(chunk.lower()):
            chunk = chunk.lower()
        chunk = self.unstretched(chunk)
        if ready := self.acted(chunk):
            return [[self.token(chunk, "NN", "", phonemes=ready, rating=5)]]
        dropped = re.fullmatch(r"([A-Za-z]+in)'", chunk)
        if dropped and self.known(dropped[1].lower() + "g"):
            ready = re.sub("ŋ$", "n", self.one_word(dropped[1] + "g"))
            return [[self.token(chunk, "VBG", "", phonemes=ready, rating=5)]]
        # A lone apostrophe at the edge would be read as a quotation mark.
        if chunk[0] in "'-" or chunk[-1] in "'-" and len(self.g2p.tokenizer.split(chunk)) > 1:
            chunk = chunk.strip("'-") or chunk
        return [
            [self.token(text, "", "") for text in self.g2p.tokenizer.split(part)]
            for part in self.short_parts(chunk)
        ]

    def known(self, word: str) -> bool:
        lexicon = self.g2p.lexicon
        return word in lexicon.golds or word in lexicon.silvers

    def acted(self, chunk: str) -> str | None:
        """The reading of interjections and stammers, or None."""
        lowered = chunk.lower()
        if lowered in _INTERJECTIONS:
            return self.accented(_INTERJECTIONS[lowered])
        return self.stammer(chunk)

    def accented(self, symbols: str) -> str:
        """The symbols as the accent writes them: American has oʊ as O, British as Q; and so on."""
        if not self.british:
            return symbols.replace("oʊ", "O")
        return re.sub("ɜɹ", "ɜː", symbols.replace("oʊ", "Q").replace("ɑɹ", "ɑː"))

    def stammer(self, chunk: str) -> str | None:
        """ "w-w-what" repeats the word's first sound instead of naming the letter."""
        match = re.fullmatch(
            r"((?:(?:[a-z]|th|sh|ch|wh|st|pl|pr|tr|br|gr|cr|fr|bl|cl|fl|sl|y?ou|the|but)-)+)"
            r"([a-z]+(?:'[a-z]+)*)",
            chunk.lower(),
        )
        if match is None or self.known(chunk) or self.known(chunk.lower()):
            return None
        starts = match[1].rstrip("-").split("-")
        word = match[2]
        if not all(word.startswith(start) for start in starts):
            return None
        # Two letters and a word of one letter more are a name or an abbreviation: "B-b", "x-xi".
        if chunk.isupper() and len(word) > 1 and not self.known(word):
            return None
        cased = chunk[len(match[1]) :]
        symbols = self.one_word(cased)
        onset = re.match(r"[^AIOQWYaeiouyæɐɑɒɔəɚɛɜɨɪɯɤøœʊʌᵻˈˌ]+", symbols)
        if onset is None:
            vowel = re.match("[ˈˌ]?.ː?", symbols)
            return " ".join([*[vowel[0] for _ in starts], symbols]) if vowel else None
        first = onset[0][0]
        return " ".join([*[f"{first}ə" for _ in starts], symbols])

    def one_word(self, word: str) -> str:
        tokens = [self.token(t, "", "") for t in self.g2p.tokenizer.split(word)]
        for token, tag in zip(tokens, self.g2p.tagger([t.text for t in tokens]), strict=True):
            token.tag = tag
        return self.clean("".join(t.phonemes or "" for t in self.g2p.phonemize_tokens(tokens)))

    def unstretched(self, chunk: str) -> str:
        """ "Nooooo" -> "No", "goooood" -> "good": three equal letters or more are how it is said,
        not how it is spelt. The candidate that the lexicon knows wins."""
        if not re.search(r"([A-Za-z])\1\1", chunk, re.IGNORECASE):
            return chunk
        pieces = re.findall(r"((.)\2*)", chunk, re.IGNORECASE | re.DOTALL)
        options = []
        for index, (run, letter) in enumerate(pieces):
            if len(run) < 3 or not letter.isalpha():
                options.append([run])
            elif index + 1 == len(pieces) and letter.lower() not in "lsfz":
                options.append([run[0], run[:2]])
            else:
                options.append([run[:2], run[0]])
        # A handful of runs: more are noise, and every subset of them would be too many to try.
        if sum(len(option) > 1 for option in options) > 6:
            return "".join(option[-1] for option in options)
        candidates = ["".join(choice) for choice in product(*options)]
        lexicon = self.g2p.lexicon
        for words in (_INTERJECTIONS, lexicon.golds, lexicon.silvers):
            for candidate in candidates:
                if candidate.lower() in words:
                    return candidate
        return candidates[-1] if len(candidates[-1]) > 1 else candidates[0]

    def short_parts(self, chunk: str) -> list[str]:
        """The chunk in parts that the network reads whole, unless the lexicon knows it."""
        if len(chunk) <= _NETWORK_LETTERS or self.whole(chunk):
            return [chunk]
        parts = []
        intact = True
        for run in re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)*|[^\w]+", chunk):
            if len(run) <= _NETWORK_LETTERS or self.whole(run):
                parts.append(run)
                continue
            intact = False
            count = math.ceil(len(run) / _NETWORK_LETTERS)
            edges = [round(i * len(run) / count) for i in range(count + 1)]
            parts += [run[a:b] for a, b in zip(edges, edges[1:], strict=False)]
        # A chunk of words that the lexicon knows ("state-of-the-art-ish-ness") stays whole.
        whole = [part for part in parts if part[0].isalpha()]
        # hibari tries every sub-run of a chunk: cubic in its parts.
        if intact and len(whole) <= 8 and all(self.whole(part) for part in whole):
            return [chunk]
        return [part for part in parts if part.strip("-.'")] or [chunk]

    def whole(self, word: str) -> bool:
        """Whether the lexicon reads the word, its endings (-s, -ed, -ing) included."""
        lowered = word.lower()
        return (
            self.known(word) or self.g2p.lexicon.get_word(lowered, "NN", None, None)[0] is not None
        )

    def spell(self, word: Word, text: str) -> str:
        """Letter by letter: the last resort for what the network answers with silence."""
        names = [
            self.accented(_LETTER_NAMES[letter])
            for letter in plain_letters(word.spoken).lower()
            if letter in _LETTER_NAMES
        ]
        if not names:
            raise InvalidInput(
                f"No reading for {text[word.start : word.end]!r} at position {word.start}; words "
                "need letters or digits: write it out or give it a pronunciation."
            )
        return " ".join(names)


def _shouting(pieces: Sequence[Word | Mark]) -> bool:
    """Whether the sentence is in capitals throughout, so that "IT" and "US" are no acronyms."""
    spoken = [piece.spoken for piece in pieces if isinstance(piece, Word)]
    long = [word for word in spoken if sum(character.isalpha() for character in word) > 1]
    return len(long) >= 2 and all(word == word.upper() for word in long)


def _break_starts(sentences: Sequence[Sequence[_Unit]], breaks: Sequence[int]) -> set[int]:
    """Indices, over all sentences, of the units at which a phrase must begin."""
    units = [unit for sentence in sentences for unit in sentence]
    forced = set()
    for offset in breaks:
        for index, unit in enumerate(units):
            if unit.word and unit.start >= offset:
                # An opening quote belongs to the word it opens.
                while index and units[index - 1].symbols in ("“", "("):
                    index -= 1
                if index:
                    forced.add(index)
                break
    return forced


def _group(
    sentences: Sequence[Sequence[_Unit]], forced: set[int], limit: int, target: int
) -> list[list[_Unit]]:
    """The units of each phrase."""
    phrases: list[list[_Unit]] = []
    index = 0
    must_start = True
    for sentence in sentences:
        parts: list[list[_Unit]] = [[]]
        starts = [must_start]
        for unit in sentence:
            if index in forced and parts[-1]:
                parts.append([])
                starts.append(True)
            elif index in forced:
                starts[-1] = True
            parts[-1].append(unit)
            index += 1
        for part, start in zip(parts, starts, strict=True):
            for order, run in enumerate(_split(part, min(limit, max(_LONG_SENTENCE, target)))):
                whole = order == 0 and not start and phrases
                if whole and _length(phrases[-1]) + 1 + _length(run) <= target:
                    phrases[-1] += run
                else:
                    phrases.append(list(run))
        must_start = False
    return phrases


def _length(units: Sequence[_Unit]) -> int:
    """How many symbols the units have together, without a space before the first."""
    return sum(len(unit.symbols) + unit.gap for unit in units) - bool(units and units[0].gap)


def _split(units: list[_Unit], most: int) -> list[list[_Unit]]:
    """The units of a sentence in runs of at most `most` symbols, cut where a reader would."""
    units = [part for unit in units for part in _cut(unit, most)]
    runs: list[list[_Unit]] = []
    while (total := _length(units)) > most:
        aim = total / math.ceil(total / most)
        best, best_cost = 0, math.inf
        reached = 0
        for index, unit in enumerate(units):
            if index:
                if reached > most:
                    break
                # A good place far from the aim against a worse one near it: a clause mark is
                # worth half the aim's length over a bare gap between words.
                cost = _CUT_COST[unit.rank] + abs(reached - aim) / aim
                if reached >= 0.3 * aim and cost < best_cost or best == 0:
                    best, best_cost = index, cost
            reached += len(unit.symbols) + (unit.gap and index > 0)
        runs.append(units[:best])
        units = units[best:]
    return [*runs, units]


_CUT_COST = {0: 0.0, 1: 0.05, 2: 0.15, 3: 0.45, 4: 0.7, 9: 3.0}


def _cut(unit: _Unit, most: int) -> list[_Unit]:
    """A word longer than a phrase, in parts; anything else as it is.

    A part leaves room for the marks that cling to it.
    """
    room = most - 6 if most > 20 else most // 2
    if len(unit.symbols) <= room:
        return [unit]
    parts = []
    rest = unit.symbols
    while len(rest) > room:
        space = rest.rfind(" ", 1, room)
        at = space if space > room // 3 else room
        # A stress mark belongs to the vowel after it.
        while at > 1 and rest[at - 1] in "ˈˌ":
            at -= 1
        parts.append(rest[:at].rstrip())  # stepping back may have passed a mark after a space
        rest = rest[at:].lstrip()
    parts.append(rest)
    # A part without a sound (a lone length mark) would be a word row that nothing speaks.
    if len(parts) > 1 and not set(parts[-1]) & _SOUNDS:
        parts[-2:] = [parts[-2] + parts[-1]]
    return [
        _Unit(
            part, unit.start, unit.end, unit.word, unit.gap and order == 0,
            unit.gap_start, unit.rank if order == 0 else 4,
        )
        for order, part in enumerate(parts)
    ]  # fmt: skip


def _phrase(units: Sequence[_Unit]) -> Phrase:
    phonemes: list[Phoneme] = []
    words = []
    for order, unit in enumerate(units):
        if unit.gap and order:
            phonemes.append(Phoneme(" ", unit.gap_start, unit.start))
        first = len(phonemes)
        phonemes += [Phoneme(symbol, unit.start, unit.end) for symbol in unit.symbols]
        if unit.word:
            words.append((first, len(phonemes), unit.start, unit.end))
    assert len(phonemes) <= MOST_SYMBOLS, f"a phrase of {len(phonemes)} symbols"
    return Phrase(tuple(phonemes), tuple(words))
