"""What the words of brackets and tags mean beside emotions: manners, pauses, other sounds."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from conditioning.errors import InvalidInput
from conditioning.lexicon import DETERMINERS, LEXICON, OF_MANNERS
from conditioning.manner import BOUNDS, Manner
from conditioning.persona_words import WORDS

LONGEST_PAUSE = 10.0  # seconds
LONGEST_PART = 60  # characters; what is longer is read as a direction
PAUSES = {"short pause": 0.25, "pause": 0.5, "long pause": 1.2}


class Delivery(NamedTuple):
    """A manner of speaking.

    group: of two in one group only the later holds, until it is closed.
    word: whether it holds for the next word only.
    passing: whether the next tag ends it, as in the systems that it comes from.
    """

    manner: Manner
    group: str
    word: bool = False
    passing: bool = False


class Pause(NamedTuple):
    seconds: float


class Sound(NamedTuple):
    """What a tag asks for and a voice cannot do.

    why: what cannot be done.
    direction: what is felt by whoever makes the sound, for the words after it; "" for nothing.
    spoken: that feeling in a word, for people.
    otherwise: what is done where nothing is felt.
    """

    why: str
    direction: str = ""
    spoken: str = ""
    otherwise: str = "it is left out"


SPEEDS = {"x-slow": -0.6, "slow": -0.35, "medium": 0.0, "fast": 0.35, "x-fast": 0.6}
PITCHES = {"x-low": -4.0, "low": -2.5, "medium": 0.0, "high": 2.5, "x-high": 4.5}
VOLUMES = {"x-soft": -9.0, "soft": -5.0, "medium": 0.0, "loud": 5.0, "x-loud": 8.0}
for _words in (SPEEDS, PITCHES, VOLUMES):
    _words.update(dict.fromkeys(("default", "normal"), 0.0))
MODERATE, STRONG, REDUCED = 0.6, 1.0, -0.6  # weights of emphasis

# Words -> (group, manner). They mean what they mean in a direction; in a line, where no voice is
# chosen by them, a pitch or a breath is meant in full.
_DELIVERIES = {
    word: (group, WORDS[word].manner if manner is None else manner)
    for words, group, manner in (
        ("whisper/shout/yell/mumble/mutter", "voice", None),
        ("rough/raspy/gruff/gravelly/hoarse/husky", "voice", None),
        ("whis", "voice", WORDS["whisper"].manner),
        ("shouty", "voice", WORDS["shout"].manner),
        ("breathy", "voice", Manner(breath=0.2)),
        ("slow/slower/unhurriedly", "pace", None),
        ("slow paced", "pace", WORDS["slow"].manner),
        ("fast/faster/quick/quicker/rushed/hurried", "pace", None),
        ("fast paced", "pace", WORDS["fast"].manner),
        ("drawn out", "pace", Manner(pace=-0.5)),
        ("deliberate", "pace", Manner(pace=-0.25, pause=0.2)),
        ("loud/louder/quiet/quieter/hushed/soft/softer", "level", None),
        ("high/higher/high pitched", "pitch", Manner(pitch=PITCHES["high"])),
        ("low/lower/low pitched", "pitch", Manner(pitch=PITCHES["low"])),
        ("deep/deeper", "pitch", Manner(pitch=PITCHES["low"], formants=-0.05)),
        ("monotone/monotonous/robotic/sing song/melodic", "melody", None),
        ("singsong", "melody", WORDS["sing song"].manner),
    )
    for word in words.split("/")
}
_EMPHASES = {
    "emphasis": MODERATE,
    "emphasized": MODERATE,
    "emphasised": MODERATE,
    "moderate emphasis": MODERATE,
    "strong emphasis": STRONG,
    "reduced emphasis": REDUCED,
}
# As other systems write them: they hold to the next tag, and may stand in round brackets.
_PASSING = {
    form: word
    for word, forms in {
        "whisper": "whispers/whispering/whispered/in a whisper/hushed tone",
        "shout": "shouts/shouting/shouted/yells/yelling/screaming/in a loud voice",
        "mumble": "mumbles/mumbling/mutters/muttering",
        "soft": "softly/soft tone/speaks softly/speaking softly",
        "quiet": "quietly/speaks quietly/under breath/under his breath/under her breath",
        "loud": "loudly/speaks loudly",
        "slow": "slowly/slow down/slows down/speaks slowly/speaking slowly",
        "fast": "speed up/speeds up/quickly/speaks quickly/rushes/rushing/in a hurry/"
        "in a hurry tone",
    }.items()
    for form in forms.split("/")
}
_SETTINGS = {
    name: setting
    for setting, names in {
        "speed": "speed rate pace tempo",
        "pitch": "pitch",
        "volume": "volume loudness level",
        "whisper": "whisper",
        "breath": "breath",
        "rough": "rough",
        "tremor": "tremor",
        "melody": "melody",
        "emphasis": "emphasis",
    }.items()
    for name in names.split()
}
_EXAMPLES = {
    name: {"speed": "0.8", "pitch": "+2", "volume": "-6"}[setting]
    for name, setting in _SETTINGS.items()
    if setting in ("speed", "pitch", "volume")
}
_GROUPS = {"speed": "pace", "volume": "level", "whisper": "voice", "breath": "voice"}
_SETTING = re.compile(rf"({'|'.join(_SETTINGS)})(?:\s*[:=]\s*|\s+)(\S.*)")
_AMOUNT = re.compile(
    r"([+-]?)(\d+(?:\.\d*)?|\.\d+)\s*(x|×|%|st|semitones?|db|hz|s|sec|seconds?|ms|milliseconds?|)"
)
# Begins like a number, or is none: "nan" and "inf" are numbers to Python alone.
_NUMERIC = re.compile(r"[+-]*(?:\.?\d|[∞¼½¾]|(?:nan|inf|infinity)$)")
_PAUSE = re.compile(
    r"(?:(?P<length>short|brief|long)[ -])?(?:pauses?|pausing|breaks?|beat|silence|uv break|lbreak)"
    rf"(?:\s*[:=]\s*|\s+(?:for|of)\s+|\s+)?(?P<time>(?=[.]|{_NUMERIC.pattern}).*)?"
)

_SOUNDS = {
    form: Sound(f"this voice cannot {what} yet", direction, spoken)
    for forms, what, direction, spoken in (
        (
            "laugh/laughs/laughter/laughing/guffaw/cackle/cackles",
            "laugh",
            "Amusement 0.6",
            "amused",
        ),
        (
            "chuckle/chuckles/chuckling/giggle/giggles/giggling/snicker/snickers/snickering",
            "laugh",
            "Amusement 0.45",
            "amused",
        ),
        ("snort/snorts/snorting", "snort", "Amusement 0.35", "amused"),
        ("scoff/scoffs/scoffing/tut/tuts/tsk", "scoff", "Contempt 0.4", "scornful"),
        (
            "sob/sobs/sobbing/cry/cries/crying/weep/weeps/weeping/wail/wails/wailing",
            "cry",
            "Sadness 0.6, Distress 0.5",
            "tearful",
        ),
        (
            "whimper/whimpers/whimpering",
            "whimper",
            "Sadness 0.4, Helplessness 0.4",
            "sad and helpless",
        ),
        (
            "sigh/sighs/sighing",
            "sigh",
            "Fatigue/Exhaustion 0.35, Disappointment 0.3",
            "weary",
        ),
        ("gasp/gasps/gasping", "gasp", "Astonishment/Surprise 0.6", "surprised"),
        ("yawn/yawns/yawning", "yawn", "Fatigue/Exhaustion 0.6", "tired"),
        (
            "groan/groans/groaning",
            "groan",
            "Pain 0.35, Impatience and Irritability 0.35",
            "pained and irritated",
        ),
        ("moan/moans/moaning", "moan", "Pain 0.4", "pained"),
        ("scream/screams/shriek/shrieks/yelp/yelps", "scream", "Fear 0.8", "terrified"),
        ("growl/growls/growling/snarl/snarls/snarling", "growl", "Anger 0.6", "angry"),
        ("gulp/gulps/gulping/swallow/swallows", "gulp", "Fear 0.35", "nervous"),
        ("shiver/shivers/shudder/shudders", "shiver", "Fear 0.4", "afraid"),
        (
            "pant/pants/panting/wheeze/wheezes/wheezing/out of breath",
            "pant",
            "Fatigue/Exhaustion 0.4",
            "out of breath",
        ),
        ("cough/coughs/coughing", "cough", "", ""),
        (
            "clear throat/clears throat/clearing throat/clears his throat/clears her throat/"
            "throat clearing/clears their throat",
            "clear its throat",
            "",
            "",
        ),
        ("sniff/sniffs/sniffing/sniffle/sniffles/sniffling", "sniff", "", ""),
        ("sneeze/sneezes/sneezing", "sneeze", "", ""),
        (
            "inhale/inhales/inhaling/exhale/exhales/exhaling/breath/breaths/breathe/breathes/"
            "breathing/quick breath/breathes in/breathes out/takes a breath",
            "be heard to breathe",
            "",
            "",
        ),
        ("grunt/grunts/grunting", "grunt", "", ""),
        ("hum/hums/humming/mmm/mn", "hum", "", ""),
        ("whistle/whistles/whistling", "whistle", "", ""),
        ("burp/burps/burping/hiccup/hiccups", "burp", "", ""),
        ("snore/snores/snoring", "snore", "", ""),
        ("kiss/kisses/smack/lip smack/lip smacking/lipsmack/clucking/hissing", "do that", "", ""),
    )
    for form in forms.split("/")
} | dict.fromkeys(
    ("sing", "sings", "singing", "song", "singing voice"),
    Sound("this voice cannot sing yet", otherwise="the words are spoken"),
)
_EFFECT = Sound("this voice makes no other sounds than speech")
_EFFECTS = frozenset(
    "applause/clap/claps/clapping/gunshot/gunshots/explosion/explosions/music/noise/beep/beeps/"
    "thunder/rain/wind/siren/footsteps/knock/knocks/knocking/door slams/door creaks/door opens/"
    "phone rings/phone ringing/bell/bell rings/drum roll/glass breaking/car horn/static/"
    "birds chirping/crowd cheering/crowd laughing/crowd laughter/background laughter/"
    "audience laughing/audience laughter/vocalized noise/sound effect".split("/")
)
_ASIDE_EFFECTS = frozenset(
    "applause/claps/clapping/beep/crowd laughing/background laughter/audience laughing".split("/")
)
_ACCENT = re.compile(r"\b(?:accent|dialect)\b")
_SPEAKER = re.compile(r"s\d|speaker \d{1,2}")
# "He *laughs*" and "the *sobs*" are words with emphasis.
_SUBJECTS = DETERMINERS | frozenset(
    "he she it who which one nobody somebody everybody anybody everyone someone anyone nothing "
    "something everything never always still also often just really only even and or no not".split()
)
# In round brackets these are text: "trousers (pants)", "(a sad song)".
_NOUNS = frozenset("song breath breaths cry hum kiss pants smack swallow swallows noise".split())
_ARTICLES = frozenset("a an the".split())
# Words beside a sound that say nothing about a feeling.
_BESIDE = frozenset(
    "a an the and in with of to softly soft quietly loudly loud hard harder deeply deep heavily "
    "heavy gently lightly light briefly brief quick quickly slowly long short small little big "
    "again once twice audibly audible sharply sharp dry dryly slightly starts begins bursts into "
    "into out man woman men women himself herself".split()
)


def read_part(words: str, aside: bool = False) -> Delivery | Pause | Sound | None:
    """What one part of a bracket means, or None where it is no manner, pause or sound.

    Args:
        words: "whisper", "slightly faster", "speed 0.8", "long pause", "nervous laugh".
        aside: whether it stands in round brackets, where only forms that other systems write
            there are taken: most of what stands between those is text.

    Raises:
        InvalidInput: for a number outside of what is allowed.
    """
    plain = _plain(words)
    if not plain or len(plain) > LONGEST_PART:
        return None
    if aside:
        plain = plain.replace("-", " ")
    elif (numeric := _setting(plain)) is not None:
        return numeric
    pause = _PAUSE.fullmatch(plain)
    if pause and not (aside and pause["time"]):
        return _pause(pause)
    if plain in _EXAMPLES and not aside:
        raise InvalidInput(
            f"{plain!r} says no amount; allowed: a number; write for example "
            f"'{plain} {_EXAMPLES[plain]}'."
        )
    return _delivery(plain, aside) or _sound(plain.replace("-", " "), aside)


def setting(words: str) -> Manner | None:
    """The manner that "speed 0.8", "pitch +2", "volume -6 dB" or "whisper 0.5" sets; else None.

    Raises:
        InvalidInput: for a number outside of what is allowed, or in a unit that is not known.
    """
    plain = _plain(words)
    delivery = _setting(plain) if len(plain) <= LONGEST_PART else None
    return delivery and delivery.manner


def is_starred_aside(words: str, before: str, after: str) -> bool:
    """Whether words between asterisks are an aside, as in "*sighs* fine", and not emphasised.

    A verb in the third person is one unless a subject stands before it; a sound in another form
    only between sentences: "*cough* Sorry", but "Don't *laugh* at me" and "*Breathe* in".

    Args:
        before, after: what stands before the first asterisk and after the last.
    """
    meaning = read_part(words, aside=True)
    if meaning is None:
        return False
    before = before.rstrip()
    if re.match(r"\w+(?<!s)s\b", words):
        *_, determiner, subject = ["", "", *before.replace("*", "").lower().split()]
        return not (subject in _SUBJECTS or determiner in DETERMINERS)
    between = not before or not (before[-1].isalnum() or before[-1] == ",")
    urged = words[0].isupper() and after.lstrip()[:1].islower()
    return isinstance(meaning, Sound) and between and not after[:1].strip() and not urged


def group_of(word: str) -> str | None:
    """The group that "[/word]" closes, such as "pace" for "slow" or "speed"; else None."""
    plain = _plain(word.replace("-", " "))
    plain = _PASSING.get(plain, plain)
    if plain in _DELIVERIES:
        return _DELIVERIES[plain][0]
    if plain in _EMPHASES:
        return "emphasis"
    setting = _SETTINGS.get(plain)
    return setting and _GROUPS.get(setting, setting)


def _plain(words: str) -> str:
    return " ".join(words.lower().replace("_", " ").replace("−", "-").split())


def _delivery(plain: str, aside: bool) -> Delivery | None:
    spaced = plain.replace("-", " ")
    if spaced in _PASSING:
        group, manner = _DELIVERIES[_PASSING[spaced]]
        return Delivery(manner, group, passing=True)
    if aside:
        return None
    if spaced in _EMPHASES:
        return Delivery(Manner(emphasis=_EMPHASES[spaced]), "emphasis", word=True)
    words = spaced.split()
    for count in range(len(words)):
        degree, rest = " ".join(words[:count]), " ".join(words[count:])
        if rest in _DELIVERIES and (not degree or degree in OF_MANNERS):
            group, manner = _DELIVERIES[rest]
            return Delivery(manner.scaled(OF_MANNERS.get(degree, 1.0)), group)
    return None


def _setting(plain: str) -> Delivery | None:
    match = _SETTING.fullmatch(plain)
    if match is None:
        return None
    name, written = _SETTINGS[match[1]], match[2]
    group = _GROUPS.get(name, name)
    if name in _MEASURES:
        control, value = _MEASURES[name](written)
    else:
        control, value = name, _plain_number(name, written)
    if value is not None:
        return Delivery(Manner(**{control: value}), group, word=name == "emphasis")
    if name not in _MEASURES:  # "whisper rough" is two manners
        return None
    named = _delivery(written, aside=False)
    return named if named and named.group == group else None


def _amount(written: str) -> tuple[str, float, str] | None:
    match = _AMOUNT.fullmatch(written.strip().lower())
    return None if match is None else (match[1], float(match[1] + match[2]), match[3])


def _plain_number(control: str, written: str) -> float | None:
    """A control's number in its own unit; None where there is no number."""
    amount = _amount(written)
    low, high = BOUNDS[control]
    allowed = f"{low:g} to {high:g}"
    if amount is None or amount[2]:
        return _no_unit(control, written, f"{allowed}; write for example {high / 2:g}")
    return _within(control, written, amount[1], control, allowed)


def ratio(written: str) -> float | None:
    """ "0.8", "0.8x", "80%", "+10%" -> a ratio; None where it is none of these."""
    amount = _amount(written)
    if amount is None:
        return None
    sign, number, unit = amount
    if unit == "%":
        return number / 100 + (1.0 if sign else 0.0)
    return number if unit in ("", "x", "×") and not sign else None


def speed(written: str) -> float | None:
    """ "0.8", "80%", "+10%", "x-slow" -> log2 of the speaking rate's ratio; None for other words.

    Raises:
        InvalidInput: outside of what a `Manner` allows.
    """
    if written in SPEEDS:
        return SPEEDS[written]
    low, high = BOUNDS["pace"]
    allowed = (
        f"{math.ceil(100 * 2**low) / 100:g} to {math.floor(100 * 2**high) / 100:g}, where 1 is the "
        "voice's own"
    )
    times = ratio(written)
    if times is None:
        return _no_unit("speed", written, f"{allowed}; write for example 0.8 or +10%")
    return _within("speed", written, _log2(times), "pace", allowed)


def pitch(written: str) -> float | None:
    """ "+2", "-1.5st", "+10%", "x-low" -> semitones; None for other words. Errors as in `speed`."""
    if written in PITCHES:
        return PITCHES[written]
    amount = _amount(written)
    low, high = BOUNDS["pitch"]
    allowed = f"{low:g} to +{high:g} semitones"
    if amount is not None and amount[2] in ("", "st", "semitone", "semitones"):
        return _within("pitch", written, amount[1], "pitch", allowed)
    times = ratio(written)
    if times is None:
        return _no_unit("pitch", written, f"{allowed}, which fit every voice; write for example +2")
    return _within("pitch", written, 12 * _log2(times), "pitch", allowed)


def volume(written: str) -> float | None:
    """ "-6", "+6dB", "50%", "x-soft" -> dB; None for other words. Errors as in `speed`."""
    if written in VOLUMES:
        return VOLUMES[written]
    amount = _amount(written)
    low, high = BOUNDS["level"]
    allowed = f"{low:g} to +{high:g} dB"
    if amount is not None and amount[2] in ("", "db"):
        return _within("volume", written, amount[1], "level", allowed)
    times = ratio(written)
    if times is None:
        return _no_unit("volume", written, f"{allowed}; write for example -6")
    return loudness(written, times)


def loudness(written: str, times: float) -> float:
    """A ratio of amplitudes -> dB. Errors as in `speed`."""
    low, high = BOUNDS["level"]
    return _within("volume", written, 20 * _log10(times), "level", f"{low:g} to +{high:g} dB")


_MEASURES = {
    "speed": lambda written: ("pace", speed(written)),
    "pitch": lambda written: ("pitch", pitch(written)),
    "volume": lambda written: ("level", volume(written)),
}


def _log2(times: float) -> float:
    return math.log2(times) if times > 0 else -math.inf


def _log10(times: float) -> float:
    return math.log10(times) if times > 0 else -math.inf


def _within(name: str, written: str, value: float, control: str, allowed: str) -> float:
    low, high = BOUNDS[control]
    if not low <= value <= high:
        raise InvalidInput(
            f"The {name} {_shown(written)} is out of range; allowed: {allowed}; "
            "choose one within it."
        )
    return round(value, 4)


def _no_unit(name: str, written: str, allowed: str) -> None:
    """None for words; an error for what begins like a number and has no known unit."""
    if _NUMERIC.match(written):
        raise InvalidInput(f"The {name} {_shown(written)} is not understood; allowed: {allowed}.")


def seconds(written: str) -> float:
    """ "0.8", "1s", "800ms" -> seconds.

    Raises:
        InvalidInput: for anything else, or more than `LONGEST_PAUSE`.
    """
    amount = _amount(written)
    how = f"allowed: 0 to {LONGEST_PAUSE:g} s; write for example 0.8 or 800ms"
    if amount is None or not re.fullmatch("s|sec|seconds?|ms|milliseconds?|", amount[2]):
        raise InvalidInput(f"The pause {_shown(written)} is not understood; {how}.")
    lasting = amount[1] / 1000 if amount[2].startswith("m") else amount[1]
    if not 0 <= lasting <= LONGEST_PAUSE:
        raise InvalidInput(f"The pause {_shown(written)} is out of range; {how}.")
    return lasting


def _pause(match: re.Match[str]) -> Pause:
    if match["time"]:
        return Pause(seconds(match["time"]))
    length = {"brief": "short"}.get(match["length"], match["length"])
    return Pause(PAUSES[f"{length} pause" if length else "pause"])


def _sound(plain: str, aside: bool) -> Sound | None:
    if plain in _EFFECTS:
        return _EFFECT if not aside or plain in _ASIDE_EFFECTS else None
    if not aside and _SPEAKER.fullmatch(plain):
        return Sound("one voice speaks the whole line")
    if not aside and _ACCENT.search(plain):
        return Sound("an accent does not change within a line", otherwise="the voice keeps its own")
    words = plain.split()
    if len(words) > 6:
        return None
    for length in range(min(3, len(words)), 0, -1):
        for start in range(len(words) - length + 1):
            form = " ".join(words[start : start + length])
            beside = words[:start] + words[start + length :]
            felt = [word for word in beside if word in LEXICON and word not in _BESIDE]
            if form not in _SOUNDS or set(beside) - set(felt) - _BESIDE:
                continue
            if aside and (form in _NOUNS or _ARTICLES & set(beside)):
                return None
            # "[laughing]" is how the words are said, and has been a direction all along.
            if not aside and form in LEXICON and form.endswith("ing"):
                return None
            sound = _SOUNDS[form]
            return sound._replace(
                direction=", ".join(filter(None, [*felt, sound.direction])),
                spoken=", ".join(filter(None, [*felt, sound.spoken])),
            )
    return None


def is_sound(name: str) -> bool:
    """Whether an element's name, such as "laugh" or "clear-throat", is a sound."""
    return name.replace("-", " ") in _SOUNDS


def _shown(written: str) -> str:
    return repr(written if len(written) <= 20 else written[:19] + "…")
