"""The 40 EmoNet-Voice emotions: their words, their places, LAION's keys, corpus labels."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from conditioning.errors import InvalidInput, unknown_name

# Mean pleasure, arousal and dominance of single terms, each in [-1, 1], from the table of 151 terms
# in J. A. Russell and A. Mehrabian (1977), "Evidence for a three-factor theory of emotions",
# Journal of Research in Personality 11, 273-294, doi:10.1016/0092-6566(77)90037-X.
# We have not seen the paper itself. 72 of these rows agree in two public transcriptions of the
# whole table that were typed separately (their slips differ); "confused", "cruel", "grateful" and
# "proud" agree in one of the two and in another public project ("enjoyment" is "entertained" in
# one). Rows without such agreement, such as "frustrated" and "insecure", are not used.
TERMS: dict[str, tuple[float, float, float]] = {
    "affectionate": (0.64, 0.35, 0.24),
    "angry": (-0.51, 0.59, 0.25),
    "appreciative": (0.55, 0.07, -0.14),
    "astonished": (0.16, 0.88, -0.15),
    "awed": (0.18, 0.40, -0.38),
    "bored": (-0.65, -0.62, -0.33),
    "concentrating": (0.42, 0.28, 0.39),
    "confused": (-0.53, 0.27, -0.32),
    "consoled": (0.29, -0.19, -0.28),
    "contemptuous": (-0.24, 0.31, 0.21),
    "cruel": (-0.45, 0.48, 0.42),
    "curious": (0.22, 0.62, -0.01),
    "depressed": (-0.72, -0.29, -0.41),
    "despairing": (-0.72, -0.16, -0.38),
    "detached": (-0.37, -0.26, -0.14),
    "devoted": (0.49, 0.17, 0.10),
    "dignified": (0.55, 0.22, 0.61),
    "discontented": (-0.53, -0.16, -0.26),
    "discouraged": (-0.61, -0.15, -0.29),
    "disdainful": (-0.32, -0.11, 0.05),
    "disgusted": (-0.60, 0.35, 0.11),
    "displeased": (-0.55, 0.16, -0.05),
    "distressed": (-0.61, 0.28, -0.36),
    "elated": (0.50, 0.42, 0.23),
    "embarrassed": (-0.46, 0.54, -0.24),
    "enjoyment": (0.77, 0.44, 0.42),
    "enraged": (-0.44, 0.72, 0.32),
    "excited": (0.62, 0.75, 0.38),
    "fascinated": (0.55, 0.51, -0.07),
    "fatigued": (-0.18, -0.57, -0.29),
    "fearful": (-0.64, 0.60, -0.43),
    "free": (0.81, 0.24, 0.46),
    "friendly": (0.69, 0.35, 0.30),
    "grateful": (0.64, 0.16, -0.21),
    "guilty": (-0.57, 0.28, -0.34),
    "happy": (0.81, 0.51, 0.46),
    "hate": (-0.56, 0.59, 0.13),
    "helpless": (-0.71, 0.42, -0.51),
    "hopeful": (0.51, 0.23, 0.14),
    "hostile but controlled": (-0.24, 0.42, 0.09),
    "humiliated": (-0.63, 0.43, -0.38),
    "impotent": (-0.53, -0.13, -0.29),
    "in love": (0.82, 0.65, -0.05),
    "insolent": (-0.26, 0.21, 0.20),
    "inspired": (0.71, 0.63, 0.34),
    "interested": (0.64, 0.51, 0.17),
    "joyful": (0.76, 0.48, 0.35),
    "kind": (0.73, 0.19, 0.57),
    "lonely": (-0.66, -0.43, -0.32),
    "loved": (0.87, 0.54, -0.18),
    "mildly annoyed": (-0.28, 0.17, 0.04),
    "pain": (-0.58, 0.41, -0.34),
    "proud": (0.77, 0.38, 0.65),
    "regretful": (-0.52, 0.02, -0.21),
    "relaxed": (0.68, -0.46, 0.06),
    "sad": (-0.63, -0.27, -0.33),
    "scornful": (-0.35, 0.35, 0.29),
    "secure": (0.74, -0.13, 0.03),
    "serious": (0.27, 0.24, 0.42),
    "sexually excited": (0.58, 0.62, -0.01),
    "shamed": (-0.57, 0.01, -0.34),
    "shy": (-0.15, 0.06, -0.34),
    "skeptical": (-0.22, 0.21, 0.03),
    "solemn": (0.03, -0.32, -0.11),
    "surprised": (0.40, 0.67, -0.13),
    "suspicious": (-0.25, 0.42, 0.11),
    "tense": (-0.33, 0.58, -0.11),
    "terrified": (-0.62, 0.82, -0.43),
    "thankful": (0.61, 0.10, -0.13),
    "triumphant": (0.69, 0.57, 0.63),
    "troubled": (-0.63, 0.16, -0.40),
    "uninterested": (-0.47, -0.50, -0.08),
    "untroubled": (0.79, -0.01, 0.33),
    "upset": (-0.63, 0.30, -0.24),
    "weary": (-0.18, -0.33, -0.24),
    "wonder": (0.27, 0.24, -0.17),
}


@dataclass(frozen=True)
class Category:
    """One of the 40 emotions.

    Attributes:
        name: canonical name, as EmoNet-Voice (arXiv 2506.09827) writes it.
        words: the nouns that EmoNet-Voice lists under it.
        family: one of `FAMILIES`, for grouping in lists and menus.
        valence, arousal, dominance: its place, each in [-1, 1]; 0 is neutral.
        source: where that place comes from.
        laion_key: its name in LAION's files and annotation JSON.
        terms: the terms of `TERMS` whose mean is the place.
        measured: True when the terms name this emotion; False when no term does and we placed it
            at the mean of neighbouring ones.
    """

    name: str
    words: tuple[str, ...]
    family: str
    valence: float
    arousal: float
    dominance: float
    source: str
    laion_key: str
    terms: tuple[str, ...]
    measured: bool

    @property
    def slug(self) -> str:
        """Lower-case name for files and labels, such as "astonishment_surprise"."""
        return _plain(self.name).replace(" ", "_")


@dataclass(frozen=True)
class Attribute:
    """One of the 15 voice attributes that LAION's heads score beside the emotions.

    Attributes:
        name: our name.
        laion_key: its name in LAION's files and annotation JSON.
        low, high: ends of LAION's scale.
        low_means, high_means: what the ends mean.
    """

    name: str
    laion_key: str
    low: float
    high: float
    low_means: str
    high_means: str


FAMILIES: tuple[str, ...] = (
    "joy",
    "affection",
    "calm",
    "pride",
    "interest",
    "doubt",
    "fear",
    "shame",
    "sadness",
    "anger",
    "disgust",
    "dullness",
)


def _plain(name: str) -> str:
    """The name in lower case, "&" as "and", with single spaces for every other separator."""
    text = unicodedata.normalize("NFKC", name).lower().replace("&", " and ")
    return " ".join(re.split(r"[\s_/\-]+", text)).strip()


def _category(name: str, words: str, family: str, terms: str, *, measured: bool = True) -> Category:
    names = tuple(terms.split(", "))
    valence, arousal, dominance = (
        round(sum(TERMS[term][axis] for term in names) / len(names), 3) for axis in range(3)
    )
    quoted = ", ".join(f"'{term}'" for term in names)
    paper = "Russell & Mehrabian 1977, from transcriptions of its table"
    if not measured:
        source = f"placed by us at its neighbours' mean: {quoted} ({paper})"
    elif len(names) > 1:
        source = f"mean of {quoted} ({paper})"
    else:
        source = f"{quoted} ({paper})"
    return Category(
        name=name,
        words=tuple(words.split(", ")) if words else (),
        family=family,
        valence=valence,
        arousal=arousal,
        dominance=dominance,
        source=source,
        laion_key=name.replace("/", "_").replace(" ", "_"),
        terms=names,
        measured=measured,
    )


CATEGORIES: tuple[Category, ...] = (
    _category(
        "Amusement",
        "lighthearted fun, mirth, joviality, laughter, playfulness, silliness, jesting",
        "joy",
        "enjoyment",
        measured=False,
    ),
    _category(
        "Elation",
        "happiness, excitement, joy, exhilaration, delight, jubilation, bliss, cheerfulness",
        "joy",
        "elated, happy, joyful, excited",
    ),
    _category(
        "Pleasure/Ecstasy",
        "ecstasy, bliss, rapture, beatitude",
        "joy",
        "happy, loved",
        measured=False,
    ),
    _category(
        "Contentment",
        "relaxation, peacefulness, calmness, satisfaction, ease, serenity, fulfilment, gladness, "
        "tranquility",
        "calm",
        "relaxed, untroubled, secure",
    ),
    _category(
        "Thankfulness/Gratitude", "appreciation", "affection", "thankful, grateful, appreciative"
    ),
    _category(
        "Affection",
        "sympathy, compassion, warmth, trust, caring, forgiveness, devotion, tenderness, reverence",
        "affection",
        "affectionate, devoted, friendly, kind",
    ),
    _category("Infatuation", "crush, romantic desire, fondness, adoration", "affection", "in love"),
    _category(
        "Hope/Enthusiasm/Optimism",
        "anticipation, courage, encouragement, zeal, fervor, inspiration, determination",
        "pride",
        "hopeful, inspired",
    ),
    _category("Triumph", "superiority", "pride", "triumphant"),
    _category("Pride", "dignity, self-confidence, honor", "pride", "proud, dignified"),
    _category(
        "Interest",
        "fascination, curiosity, intrigue",
        "interest",
        "interested, curious, fascinated",
    ),
    _category("Awe", "wonder", "interest", "awed, wonder"),
    _category(
        "Astonishment/Surprise",
        "amazement, shock, startlement",
        "interest",
        "astonished, surprised",
    ),
    _category(
        "Concentration",
        "deep focus, engrossment, absorption, attention",
        "interest",
        "concentrating",
    ),
    _category(
        "Contemplation",
        "thoughtfulness, pondering, reflection, brooding, pensiveness",
        "interest",
        "serious, solemn",
        measured=False,
    ),
    _category(
        "Relief",
        "respite, alleviation, solace, comfort, liberation",
        "calm",
        "consoled, relaxed, free",
        measured=False,
    ),
    _category(
        "Longing",
        "yearning, pining, wistfulness, nostalgia, craving, homesickness",
        "sadness",
        "in love, lonely",
        measured=False,
    ),
    _category(
        "Teasing",
        "bantering, playful mocking, ribbing",
        "joy",
        "enjoyment, insolent",
        measured=False,
    ),
    _category(
        "Impatience and Irritability",
        "irritation, restlessness, exasperation",
        "anger",
        "displeased, mildly annoyed, tense",
        measured=False,
    ),
    _category("Sexual Lust", "", "affection", "sexually excited"),
    _category(
        "Doubt",
        "distrust, suspicion, skepticism, uncertainty",
        "doubt",
        "skeptical, suspicious",
    ),
    _category(
        "Fear",
        "terror, dread, apprehension, alarm, horror, panic, nervousness",
        "fear",
        "fearful, terrified",
    ),
    _category(
        "Distress",
        "worry, anxiety, unease, anguish, trepidation, concern, upset",
        "fear",
        "distressed, troubled, upset",
    ),
    _category("Confusion", "bewilderment, disorientation, perplexity", "doubt", "confused"),
    _category("Embarrassment", "shyness, mortification, awkwardness", "shame", "embarrassed, shy"),
    _category(
        "Shame",
        "guilt, remorse, humiliation, contrition",
        "shame",
        "shamed, guilty, humiliated",
    ),
    _category("Disappointment", "regret, dismay, letdown", "sadness", "discouraged, regretful"),
    _category(
        "Sadness",
        "sorrow, grief, melancholy, dejection, despair, heartache, misery",
        "sadness",
        "sad, depressed, despairing",
    ),
    _category(
        "Bitterness",
        "resentment, acrimony, cynicism, rancor",
        "anger",
        "hostile but controlled, discontented, scornful",
        measured=False,
    ),
    _category(
        "Contempt",
        "disapproval, scorn, disdain",
        "disgust",
        "contemptuous, scornful, disdainful",
    ),
    _category("Disgust", "revulsion, repulsion, abhorrence", "disgust", "disgusted"),
    _category("Anger", "rage, fury, hate, wrath, annoyance", "anger", "angry, enraged, hate"),
    _category("Malevolence/Malice", "spite, sadism, schadenfreude", "anger", "cruel"),
    _category(
        "Sourness",
        "tartness, acerbity",
        "disgust",
        "mildly annoyed, discontented",
        measured=False,
    ),
    _category("Pain", "suffering, torment, ache, agony", "sadness", "pain"),
    _category(
        "Helplessness", "powerlessness, desperation, submission", "fear", "helpless, impotent"
    ),
    _category("Fatigue/Exhaustion", "weariness, lethargy, burnout", "dullness", "fatigued, weary"),
    _category(
        "Emotional Numbness",
        "detachment, apathy, boredom, stoicism, indifference",
        "dullness",
        "detached, uninterested, bored",
    ),
    _category(
        "Intoxication/Altered States of Consciousness",
        "being drunk, stupor",
        "dullness",
        "enjoyment, fatigued",
        measured=False,
    ),
    _category("Jealousy & Envy", "covetousness", "anger", "suspicious, troubled", measured=False),
)

NAMES: tuple[str, ...] = tuple(category.name for category in CATEGORIES)
INDEX: dict[str, int] = {name: index for index, name in enumerate(NAMES)}

# Scales as LAION's cards give them for Empathic Insight Voice.
ATTRIBUTES: tuple[Attribute, ...] = (
    Attribute("valence", "Valence", -3, 3, "unpleasant", "pleasant"),
    Attribute("arousal", "Arousal", 0, 4, "calm", "excited"),
    Attribute("dominance", "Submissive_vs._Dominant", -3, 3, "submissive", "dominant"),
    Attribute("gender", "Gender", -2, 2, "masculine", "feminine"),
    Attribute("age", "Age", 0, 6, "infant", "very old"),
    Attribute("warm_vs_cold", "Warm_vs._Cold", -2, 2, "warm", "cold"),
    Attribute("soft_vs_harsh", "Soft_vs._Harsh", -2, 2, "soft", "harsh"),
    Attribute("background_noise", "Background_Noise", 0, 3, "none", "intense"),
    Attribute("authenticity", "Authenticity", 0, 4, "artificial", "genuine"),
    Attribute("recording_quality", "Recording_Quality", 0, 4, "low", "high"),
    Attribute("expressiveness", "Monotone_vs._Expressive", 0, 4, "monotone", "expressive"),
    Attribute("low_pitch", "High-Pitched_vs._Low-Pitched", 0, 4, "high-pitched", "low-pitched"),
    Attribute("hesitance", "Confident_vs._Hesitant", 0, 4, "confident", "hesitant"),
    Attribute(
        "detachment",
        "Vulnerable_vs._Emotionally_Detached",
        0,
        4,
        "vulnerable",
        "emotionally detached",
    ),
    Attribute("humour", "Serious_vs._Humorous", 0, 4, "serious", "humorous"),
)

# Short names that people use and EmoNet-Voice does not list.
_MORE_ALIASES = {
    "lust": "Sexual Lust",
    "numbness": "Emotional Numbness",
    "altered states": "Intoxication/Altered States of Consciousness",
    # EmoNet-Voice lists "bliss" under Elation too; rapture and beatitude are its closer company.
    "bliss": "Pleasure/Ecstasy",
}


def _aliases() -> dict[str, str]:
    """Every accepted spelling, in `_plain` form -> canonical name."""
    aliases: dict[str, str] = {}
    for category in CATEGORIES:
        plain = _plain(category.name)
        parts = [_plain(part) for part in re.split(r"/|&|\band\b", category.name)]
        for alias in (plain, plain.replace(" and ", " "), *parts, *map(_plain, category.words)):
            aliases.setdefault(alias, category.name)
    return aliases | _MORE_ALIASES


ALIASES: dict[str, str] = _aliases()


def find(name: str) -> Category:
    """The category that a name means.

    Accepts the canonical name, its slug, a part of it ("surprise", "malice"), LAION's key and any
    of its words, in any case. "bliss", listed twice by EmoNet-Voice, means Pleasure/Ecstasy.

    Raises:
        UnknownName: for any other name; the message suggests the nearest ones.
    """
    if not isinstance(name, str):
        raise InvalidInput(
            f"An emotion's name came as {type(name).__name__}; allowed: text such as 'Anger'."
        )
    canonical = ALIASES.get(_plain(name))
    if canonical is None:
        shown = name if len(name) <= 60 else name[:59] + "…"
        raise unknown_name("emotion", shown, [*NAMES, *ALIASES], ", ".join(NAMES))
    return CATEGORIES[INDEX[canonical]]


def fingerprint() -> str:
    """16 hexadecimal digits that change when a category is renamed, added, removed or moved.

    Written into checkpoints, so that weights made for another order are refused.
    """
    return hashlib.sha256("\n".join(NAMES).encode()).hexdigest()[:16]


# Labels in lower case -> categories with their share; {} is neutral. "calm" and "boredom" are not
# EmoNet names: calmness is a word of Contentment, boredom one of Emotional Numbness.
_COMMON_LABELS: dict[str, dict[str, float]] = {
    "neutral": {},
    "anger": {"Anger": 1.0},
    "happiness": {"Elation": 1.0},
    "sadness": {"Sadness": 1.0},
    "fear": {"Fear": 1.0},
    "disgust": {"Disgust": 1.0},
    "surprise": {"Astonishment/Surprise": 1.0},
    "calm": {"Contentment": 1.0},
    "boredom": {"Emotional Numbness": 1.0},
}


def _common(labels: str) -> dict[str, dict[str, float]]:
    return {label: _COMMON_LABELS[label] for label in labels.split()}


def _renamed(**labels: str) -> dict[str, dict[str, float]]:
    return {label: _COMMON_LABELS[common] for label, common in labels.items()}


_SARCASTIC = {"Contempt": 0.5, "Teasing": 0.5}
_SLUGS = {category.slug: {category.name: 1.0} for category in CATEGORIES}

CORPUS_LABELS: dict[str, dict[str, dict[str, float]]] = {
    "emodb": _common("neutral anger happiness sadness fear disgust boredom"),
    "ravdess": _common("neutral calm happiness sadness anger fear disgust surprise"),
    "nemo": _common("neutral anger happiness sadness fear surprise")
    | _renamed(surprised="surprise"),
    "crema_d": _common("neutral anger happiness sadness fear disgust")
    | _renamed(
        neu="neutral", ang="anger", hap="happiness", sad="sadness", fea="fear", dis="disgust"
    ),
    "esd": _common("neutral surprise") | _renamed(angry="anger", happy="happiness", sad="sadness"),
    "emov_db": _common("neutral")
    | _renamed(angry="anger", anger="anger", disgusted="disgust", disgust="disgust")
    | {
        "amused": {"Amusement": 1.0},
        "sleepy": {"Fatigue/Exhaustion": 1.0},
        "sleepiness": {"Fatigue/Exhaustion": 1.0},
    },
    "expresso": _renamed(
        default="neutral",
        angry="anger",
        happy="happiness",
        sad="sadness",
        fearful="fear",
        disgusted="disgust",
        calm="calm",
        bored="boredom",
    )
    | {
        "awe": {"Awe": 1.0},
        "confused": {"Confusion": 1.0},
        "laughing": {"Amusement": 1.0},
        "sarcastic": _SARCASTIC,
        "sleepy": {"Fatigue/Exhaustion": 1.0},
        "sympathetic": {"Affection": 1.0},
    },
    # "concerned", "apologetic" and "assertive" are mild forms of what they map to (see the lexicon
    # of directions).
    "jl_corpus": _common("neutral")
    | _renamed(angry="anger", happy="happiness", excited="happiness", sad="sadness")
    | {
        "anxious": {"Distress": 1.0},
        "concerned": {"Distress": 0.5},
        "apologetic": {"Shame": 0.5},
        "assertive": {"Pride": 0.5},
        "encouraging": {"Hope/Enthusiasm/Optimism": 1.0},
    },
    "emns": _common("neutral disgust")
    | _renamed(
        angry="anger",
        happy="happiness",
        excited="happiness",
        sad="sadness",
        surprised="surprise",
    )
    | {"sarcastic": _SARCASTIC},
    # Comments in writing, in the corpus's own order. Opinions that are no emotion of the 40, such
    # as "approval", are faint forms of what they come with.
    "goemotions": {
        "admiration": {"Awe": 0.5, "Affection": 0.4},
        "amusement": {"Amusement": 1.0},
        "anger": {"Anger": 1.0},
        "annoyance": {"Impatience and Irritability": 1.0},
        "approval": {"Contentment": 0.4},
        "caring": {"Affection": 1.0},
        "confusion": {"Confusion": 1.0},
        "curiosity": {"Interest": 1.0},
        "desire": {"Longing": 1.0},
        "disappointment": {"Disappointment": 1.0},
        "disapproval": {"Contempt": 0.4, "Doubt": 0.3},
        "disgust": {"Disgust": 1.0},
        "embarrassment": {"Embarrassment": 1.0},
        "excitement": {"Elation": 1.0, "Hope/Enthusiasm/Optimism": 0.5},
        "fear": {"Fear": 1.0},
        "gratitude": {"Thankfulness/Gratitude": 1.0},
        "grief": {"Sadness": 1.0},
        "joy": {"Elation": 1.0},
        "love": {"Affection": 1.0, "Infatuation": 0.5},
        "nervousness": {"Distress": 0.8, "Fear": 0.5},
        "optimism": {"Hope/Enthusiasm/Optimism": 1.0},
        "pride": {"Pride": 1.0},
        "realization": {"Contemplation": 0.4, "Astonishment/Surprise": 0.4},
        "relief": {"Relief": 1.0},
        "remorse": {"Shame": 1.0},
        "sadness": {"Sadness": 1.0},
        "surprise": {"Astonishment/Surprise": 1.0},
        "neutral": {},
    },
    "laion_voice_acting": _SLUGS,
    "got_talent": _SLUGS,
    "emonet_voice": _SLUGS,
}


def corpus_label(corpus: str, label: str) -> Mapping[str, float]:
    """The categories, with their share, that a corpus's emotion label means; {} is neutral.

    Raises:
        UnknownName: for a corpus without a map, or a label that the corpus does not have.
    """
    if corpus not in CORPUS_LABELS:
        raise unknown_name("corpus", corpus, CORPUS_LABELS)
    labels = CORPUS_LABELS[corpus]
    if label.strip().lower() not in labels:
        raise unknown_name(f"label of {corpus}", label, labels)
    return labels[label.strip().lower()]
