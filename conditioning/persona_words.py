"""The words of personas: who speaks, with what voice, and in what manner."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from conditioning import lexicon
from conditioning.lexicon import LEXICON
from conditioning.manner import Manner

# How surely a word says who speaks. The surer of two that contradict each other wins.
PRONOUN, USUAL, ADJECTIVE, NOUN, OUTRIGHT = range(5)
HEARD = 10  # more where the voice itself is named: "a man with a woman's voice"

# Words of the cast's timbre column that exclude each other.
OPPOSITES = {"low": "high", "dark": "bright", "breathy": "clear", "quick": "slow"}
OPPOSITES |= {there: here for here, there in OPPOSITES.items()}


@dataclass(frozen=True)
class Word:
    """What a word or phrase says of a speaker.

    Attributes:
        gender, age, accent: as in `Persona`.
        sure: how surely gender and age are said; `USUAL` is what audiences expect of a character.
        timbre: words of the cast's timbre column.
        manner: of a plain use, without an adverb of degree.
        mood: intensities of a character's baseline, at most 0.4.
        note: why the wish cannot be met, with the nearest that can.
        who: whether it says who someone is, so that beside another person it says it of them.
        noun: whether it names a person.
        adverb: whether it can only belong to the speaking.
        spoken: 2 means it counts only beside "voice" or alone, 1 that alone it counts for half.
    """

    gender: str | None = None
    age: str | None = None
    accent: str | None = None
    sure: int = NOUN
    timbre: tuple[str, ...] = ()
    manner: Manner = Manner()
    mood: dict[str, float] = field(default_factory=dict)
    note: str = ""
    who: bool = False
    noun: bool = False
    adverb: bool = False
    spoken: int = 0


# Gender and age -> nouns; "open" leaves the age to other words.
_PEOPLE: dict[tuple[str | None, str | None], str] = {
    ("male", None): "father dad daddy papa uncle brother older_brother big_brother elder_brother "
    "younger_brother husband grandson son nephew king emperor duke lord prince_consort monk priest "
    "friar waiter actor policeman fireman salesman businessman fisherman cowboy gentleman host "
    "boyfriend bridegroom widower landlord milkman postman anchorman chairman statesman swordsman "
    "craftsman handyman hitman frontman god headmaster bachelor bloke dude chap fella",
    ("female", None): "mother mom mum mama mommy mummy aunt auntie sister older_sister big_sister "
    "elder_sister younger_sister wife granddaughter daughter niece queen empress duchess lady nun "
    "waitress actress policewoman saleswoman businesswoman hostess girlfriend bride widow landlady "
    "chairwoman goddess diva ballerina housewife seamstress midwife governess headmistress "
    "stewardess priestess heroine matron",
    ("male", "old"): "grandpa grandfather granddad grandad granddaddy gramps grandpop "
    "old_man old_gentleman old_fellow old_guy old_geezer geezer codger old_fart patriarch",
    ("female", "old"): "grandma grandmother granny grandmom grandmum nana nan gran old_woman "
    "old_lady crone hag matriarch dowager",
    (None, "old"): "pensioner senior_citizen elder grandparent septuagenarian octogenarian "
    "nonagenarian centenarian retiree ancient_one old_folk",
    ("male", "child"): "boy little_boy young_boy small_boy schoolboy choirboy small_lad",
    ("female", "child"): "girl little_girl young_girl small_girl schoolgirl",
    (None, "child"): "child little_child small_child young_child kid toddler preschooler infant "
    "schoolchild urchin little_one",
    ("male", "young"): "young_man young_lad lad teenage_boy teen_boy adolescent_boy young_fellow "
    "prince young_gentleman stepson",
    ("female", "young"): "young_woman young_lady lass teenage_girl teen_girl adolescent_girl "
    "princess maiden damsel",
    (None, "young"): "teenager teen adolescent youngster youth young_person young_adult student "
    "apprentice",
    (None, "adult"): "adult grown_up",
}
# Said of relatives: "of three" after one is no age, and without an article it is a name.
_KIN = (
    "father dad daddy papa uncle brother husband grandson son nephew widower mother mom mum mama "
    "mommy mummy aunt auntie sister wife granddaughter daughter niece widow grandpa grandfather "
    "granddad grandad granddaddy gramps grandpop grandma grandmother granny grandmom grandmum nana "
    "nan gran grandparent patriarch matriarch stepson bride bridegroom"
)
_OUTRIGHT = {
    "male": ("man gentleman guy male old_man young_man boy little_boy", "male masculine manly"),
    "female": ("woman lady female old_woman young_woman girl little_girl", "female feminine"),
}
_AGES = {
    "old": "old older elderly aged aging ageing ancient geriatric wizened venerable elder",
    "young": "young youthful teenage teenaged adolescent",
    "adult": "middle-aged grown adult mature",
    "child": "childlike childish boyish girlish",
}
_PRONOUNS = {"male": "he he's his himself", "female": "she she's her hers herself"}

# Characters whom audiences know by their way of speaking: (gender and age they usually have,
# timbre, manner, baseline mood). Which figures is our judgement; a creator's own words override.
_CHARACTERS: dict[str, tuple[str | None, str | None, str, dict, dict]] = {
    "drill_sergeant sergeant drill_instructor": (
        "male", None, "low",
        {"level": 6, "pace": 0.1, "emphasis": 0.5, "rough": 0.15, "tilt": 1},
        {"Anger": 0.3, "Impatience and Irritability": 0.3},
    ),
    "butler valet": (
        "male", None, "clear", {"pace": -0.12, "melody": -0.25, "level": -1},
        {"Contentment": 0.2},
    ),
    "nurse caregiver carer": (
        None, None, "", {"pace": -0.08, "level": -1.5, "breath": 0.02}, {"Affection": 0.3},
    ),
    "doctor surgeon therapist": (None, None, "", {"pace": -0.05}, {"Concentration": 0.2}),
    "teacher schoolteacher": (
        None, None, "", {"pace": -0.1, "emphasis": 0.2}, {"Interest": 0.2},
    ),
    "newsreader news_reader newscaster news_anchor anchor anchorman announcer reporter": (
        None, None, "clear", {"melody": -0.15, "emphasis": 0.2, "level": 1}, {},
    ),
    "narrator storyteller": (
        None, None, "", {"pace": -0.1, "melody": 0.15, "pause": 0.08}, {"Interest": 0.2},
    ),
    "librarian": (None, None, "", {"level": -4, "breath": 0.03}, {}),
    "auctioneer": (None, None, "", {"pace": 0.5, "level": 3}, {"Hope/Enthusiasm/Optimism": 0.3}),
    "preacher": (
        None, None, "", {"level": 2, "melody": 0.3, "pause": 0.15},
        {"Hope/Enthusiasm/Optimism": 0.3},
    ),
    "coach": (None, None, "", {"level": 3}, {"Hope/Enthusiasm/Optimism": 0.3}),
    "giant giantess titan": (
        "male", None, "low",
        {"pitch": -2, "formants": -0.1, "pace": -0.2, "level": 3}, {},
    ),
    "dwarf": ("male", None, "low", {"rough": 0.15, "level": 2}, {"Pride": 0.2}),
    "ogre troll orc": (
        "male", None, "low",
        {"pitch": -2, "formants": -0.1, "rough": 0.4, "pace": -0.15, "level": 2}, {"Anger": 0.3},
    ),
    "monster demon beast dragon minotaur": (
        "male", None, "low",
        {"pitch": -2.5, "formants": -0.1, "rough": 0.4, "pace": -0.1},
        {"Malevolence/Malice": 0.3},
    ),
    "goblin gremlin imp": (
        None, None, "high", {"pitch": 1.5, "formants": 0.08, "rough": 0.3, "pace": 0.15},
        {"Malevolence/Malice": 0.2},
    ),
    "fairy pixie sprite": (
        "female", None, "high bright", {"pitch": 2, "formants": 0.07, "breath": 0.05},
        {"Elation": 0.25},
    ),
    "elf gnome": (None, None, "high", {"pitch": 1, "formants": 0.04}, {}),
    "mouse chipmunk": (None, None, "high", {"pitch": 4, "formants": 0.13, "pace": 0.15}, {}),
    "witch sorceress": (
        "female", "old", "", {"rough": 0.25, "melody": 0.25}, {"Malevolence/Malice": 0.25},
    ),
    "wizard sorcerer warlock": (
        "male", "old", "low", {"pace": -0.12, "melody": 0.15}, {"Contemplation": 0.3},
    ),
    "robot android cyborg": (
        None, None, "", {"melody": -1.1, "emphasis": -0.4}, {"Emotional Numbness": 0.4},
    ),
    "ghost spirit": (
        None, None, "breathy", {"breath": 0.15, "pace": -0.2, "tremor": 0.2}, {"Longing": 0.25},
    ),
    "zombie": (
        None, None, "low", {"melody": -0.8, "pace": -0.4, "rough": 0.3},
        {"Emotional Numbness": 0.4},
    ),
    "vampire": (None, None, "low", {"pace": -0.15}, {"Malevolence/Malice": 0.2}),
    "pirate": (
        "male", None, "low", {"rough": 0.25, "level": 2, "melody": 0.2}, {"Amusement": 0.2},
    ),
    "villain villainess": (None, None, "low", {"pace": -0.1}, {"Malevolence/Malice": 0.4}),
    "hero superhero": (None, None, "", {"level": 1}, {"Pride": 0.3}),
    "soldier warrior knight": ("male", None, "", {"level": 1.5, "melody": -0.1}, {}),
    "detective": (None, None, "low", {"pace": -0.05}, {"Concentration": 0.25}),
    "clown": (None, None, "high", {"melody": 0.5}, {"Amusement": 0.4}),
    "bully": (None, None, "", {"level": 2}, {"Contempt": 0.35}),
    "snob aristocrat": (None, None, "", {"pace": -0.1}, {"Contempt": 0.3}),
    "lumberjack blacksmith sailor trucker": ("male", None, "low", {"rough": 0.15}, {}),
    "curmudgeon grouch": (
        None, "old", "", {"rough": 0.1}, {"Impatience and Irritability": 0.35},
    ),
    "monarch ruler": (None, None, "", {"pace": -0.1}, {"Pride": 0.3}),
    "sage guru hermit": (None, "old", "", {"pace": -0.15}, {"Contentment": 0.3}),
    "santa santa_claus father_christmas": (
        "male", "old", "low", {"level": 2}, {"Elation": 0.35},
    ),
}  # fmt: skip
# What rules besides its gender and age is said of these nouns too.
_RANKS = {
    "king queen emperor empress duke duchess": ({"pace": -0.1}, {"Pride": 0.3}),
    "monk nun": ({"pace": -0.1, "level": -2}, {"Contentment": 0.3}),
    "crone hag": ({"rough": 0.2}, {"Malevolence/Malice": 0.2}),
    "cowboy": ({"pace": -0.15}, {}),
    "diva": ({"melody": 0.3}, {"Pride": 0.35}),
    "teenager teen adolescent teenage_boy teenage_girl teen_boy teen_girl adolescent_boy "
    "adolescent_girl": ({"pitch": 1, "formants": 0.03}, {}),
}
# Traits that the lexicon of emotions does not name.
_TRAITS = {
    "crotchety cantankerous crabby cranky ornery": {"Impatience and Irritability": 0.35},
    "gruff": {"Impatience and Irritability": 0.25},
    "goodhearted warm-hearted benevolent": {"Affection": 0.25},
    "snobbish stuck-up pompous": {"Contempt": 0.3},
    "jolly": {"Elation": 0.35},
    "wise": {"Contemplation": 0.3},
    "world-weary jaded": {"Fatigue/Exhaustion": 0.3},
    "ruthless": {"Malevolence/Malice": 0.35},
    "heartless": {"Emotional Numbness": 0.3},
    "mysterious": {"Contemplation": 0.2},
}

# How a voice sounds: (timbre of a voice to look for, manner added to any voice).
_SOUNDS: dict[str, tuple[str, dict, int]] = {
    "deep low": ("low", {"pitch": -1}, 2),
    "deep-voiced low-pitched baritone bass sonorous": ("low", {"pitch": -1}, 0),
    "deeper lower": ("low", {"pitch": -0.6}, 2),
    "high": ("high", {"pitch": 1}, 2),
    "high-pitched shrill soprano": ("high", {"pitch": 1.5}, 0),
    "higher": ("high", {"pitch": 0.6}, 2),
    "squeaky chirpy": ("high bright", {"pitch": 2.5, "formants": 0.07}, 0),
    "gravelly gravely-voiced": ("low", {"rough": 0.35}, 0),
    "hoarse raspy rasping scratchy croaky croaking": ("", {"rough": 0.35, "breath": 0.06}, 0),
    "creaky": ("", {"rough": 0.3, "melody": -0.2}, 0),
    "husky smoky smokey": ("breathy", {"rough": 0.1}, 0),
    "breathy airy": ("breathy", {"breath": 0.06}, 0),
    "smooth silky velvety honeyed": ("clear", {"melody": -0.1}, 2),
    "clear crisp": ("clear", {"emphasis": 0.2}, 2),
    "bright": ("bright", {"tilt": 0.5}, 2),
    "dark": ("dark", {"tilt": -0.5}, 2),
    "thin reedy": ("high bright", {"tilt": 1, "formants": 0.04, "level": -1}, 2),
    "booming thunderous stentorian resonant": ("low", {"level": 5, "pitch": -0.5}, 0),
    "rich full": ("low", {"tilt": -0.3}, 2),
    "rough": ("", {"rough": 0.3}, 2),
    "small tiny": ("high", {"level": -3, "formants": 0.04}, 2),
    "big": ("low", {"level": 3}, 2),
    "warm": ("", {"tilt": -0.7, "level": -0.5}, 1),
    "soft": ("", {"level": -4, "breath": 0.05, "tilt": -0.5}, 1),
    "flat": ("", {"melody": -0.8}, 1),
    "cold": ("", {"melody": -0.3, "tilt": 0.3}, 1),
    "harsh": ("", {"rough": 0.2, "tilt": 1}, 1),
}
_VERBS: dict[str, dict[str, float]] = {
    "whisper": {"whisper": 1},
    "hiss": {"whisper": 0.6, "emphasis": 0.3},
    "murmur": {"level": -5, "melody": -0.3, "breath": 0.06, "emphasis": -0.3},
    "mutter": {"level": -5, "melody": -0.4, "emphasis": -0.4},
    "mumble": {"level": -4, "melody": -0.4, "emphasis": -0.6},
    "shout": {"level": 7, "pitch": 3, "melody": 0.3, "tilt": 1.5, "emphasis": 0.3},
    "yell holler": {"level": 8, "pitch": 3.5, "melody": 0.3, "tilt": 1.5, "emphasis": 0.3},
    "bellow roar thunder": {"level": 8, "pitch": 1.5, "rough": 0.2, "tilt": 1},
    "bark": {"level": 6, "pitch": 1, "pace": 0.15, "emphasis": 0.4},
    "growl snarl": {"rough": 0.45, "pitch": -1},
    "croak": {"rough": 0.4},
    "drawl": {"pace": -0.35, "melody": 0.1},
    "squeak": {"pitch": 3, "formants": 0.06},
    "enunciate articulate": {"pace": -0.12, "emphasis": 0.3},
    "hurry rush": {"pace": 0.3, "pause": -0.1},
    "pant": {"breath": 0.2, "pause": 0.1},
    "quaver quiver waver": {"tremor": 0.45},
    "falter": {"pause": 0.3, "pace": -0.1},
    "emphasize emphasise": {"emphasis": 0.5},
    "babble gabble": {"pace": 0.4, "pause": -0.1},
}
_WAYS: dict[str, dict[str, float]] = {
    "loud noisy": {"level": 5, "pitch": 0.7, "tilt": 0.7},
    "louder": {"level": 3, "pitch": 0.4},
    "quiet hushed low-voiced": {"level": -5, "breath": 0.03},
    "quieter softer": {"level": -3},
    "softly": {"level": -4, "breath": 0.05, "tilt": -0.5},
    "inaudible barely_audible": {"level": -9, "breath": 0.06},
    "slow slow-spoken": {"pace": -0.35},
    "slower": {"pace": -0.2},
    "quick fast rapid swift": {"pace": 0.35},
    "quicker faster": {"pace": 0.2},
    "hurried hasty rushed": {"pace": 0.3, "pause": -0.1},
    "hurriedly": {"pace": 0.3, "pause": -0.1},
    "unhurried leisurely measured": {"pace": -0.2, "pause": 0.1},
    "breathless out_of_breath winded": {"breath": 0.2, "pause": 0.12, "pace": 0.1},
    "halting stop-start": {"pause": 0.35, "pace": -0.15},
    "monotone monotonous toneless": {"melody": -1},
    "in_a_monotone": {"melody": -1},
    "sing-song singsong": {"melody": 0.9},
    "lilting melodic melodious": {"melody": 0.45},
    "expressive animated": {"melody": 0.4},
    "dramatic theatrical": {"melody": 0.35, "pause": 0.15, "emphasis": 0.3},
    "emphatic forceful": {"emphasis": 0.5, "level": 1.5},
    "unstressed": {"emphasis": -0.5},
    "clipped staccato": {"pace": 0.1, "melody": -0.2, "emphasis": 0.2},
    "clearly distinct well-spoken": {"pace": -0.12, "emphasis": 0.3},
    "breathily huskily": {"breath": 0.12},
    "deeply_voiced": {"pitch": -2},
    "gruff": {"rough": 0.25, "pitch": -0.5},
    "hoarsely": {"rough": 0.35, "breath": 0.06},
    "quavering tremulous quivering wobbly wavering": {"tremor": 0.45},
    "flatly": {"melody": -0.7},
    "mechanical": {"melody": -0.9, "emphasis": -0.3},
}
_PHRASES: dict[str, dict[str, float]] = {
    "under_their_breath sotto_voce": {"level": -6, "breath": 0.06, "melody": -0.3},
    "in_hushed_tones in_a_hushed_voice": {"level": -6, "breath": 0.06},
    "with_a_whisper stage_whisper": {"whisper": 1},
    "at_the_top_of_their_lungs at_the_top_of_their_voice": {"level": 9, "pitch": 3.5, "tilt": 1.5},
    "at_full_volume raised_voice raising_their_voice": {"level": 6, "pitch": 2, "tilt": 1},
    "long_pauses": {"pause": 0.6},
    "pauses pausing many_pauses": {"pause": 0.35},
    "short_pauses": {"pause": 0.12},
    "no_pauses without_pauses without_pausing without_a_pause without_pause": {"pause": -0.2},
    "trembling_voice shaking_voice shaky_voice voice_trembling voice_shaking voice_trembles "
    "voice_shakes cracking_voice voice_cracking voice_breaking": {"tremor": 0.5},
    "growling_voice": {"rough": 0.45, "pitch": -1},
    "at_a_snail's_pace": {"pace": -0.6},
    "at_high_speed breakneck": {"pace": 0.6},
    "high_speed high_pace high_tempo high_rate higher_speed higher_tempo": {"pace": 0.35},
    "low_speed low_pace low_tempo low_rate lower_speed lower_tempo": {"pace": -0.35},
    "high_volume higher_volume": {"level": 5},
    "low_volume lower_volume": {"level": -5},
    "high_energy": {"level": 2, "melody": 0.3, "pace": 0.12},
    "low_energy": {"level": -2, "melody": -0.3, "pace": -0.12},
    "take_their_time taking_their_time": {"pace": -0.25, "pause": 0.15},
    "falsetto": {"pitch": 6},
    "with_emphasis stressing": {"emphasis": 0.5},
}

# What no voice here can do: (the manner that is nearest, what is said about it). What stands after
# "nearest" is only said while nothing else in the direction undoes it.
_CANNOT = "This voice cannot"
_IMPOSSIBLE: dict[str, tuple[dict[str, float], str]] = {
    "nasal nasally": ({}, "No voice here can be made nasal; its own sound is kept."),
    "slur slurred": (
        {"emphasis": -0.5, "pace": -0.15},
        "Words cannot be slurred; nearest: slower, with weaker accents.",
    ),
    "lisp lisping": ({}, "A lisp cannot be spoken; write it into the line."),
    "stutter stammer": (
        {"pause": 0.2},
        "A stutter cannot be spoken; nearest: longer pauses; or write 'I... I know'.",
    ),
    "sing sang sung singing": (
        {"melody": 0.6},
        f"{_CANNOT} sing; nearest: speaking with a wider melody.",
    ),
    "rap hum whistle yodel": ({}, f"{_CANNOT} sing, rap, hum or whistle; the line is spoken."),
    "robotic robot android cyborg": (
        {"melody": -1.1, "emphasis": -0.4},
        "A machine's sound cannot be made; nearest: a monotone.",
    ),
    "scream shriek screech": (
        {"level": 9, "pitch": 5, "tilt": 2},
        f"{_CANNOT} scream; nearest: a very loud and high shout.",
    ),
    "laugh giggle chuckle guffaw cackle laughter": ({}, f"{_CANNOT} laugh yet; {{instead}}."),
    "sob weep cry bawl wail crying": ({}, f"{_CANNOT} sob yet; {{instead}}."),
    "sigh": ({"breath": 0.12, "pace": -0.1}, f"{_CANNOT} sigh yet; nearest: a breathy, slow way."),
    "gasp": ({"breath": 0.15}, f"{_CANNOT} gasp yet; nearest: a breathy voice."),
    "yawn cough sneeze hiccup burp sniffle groan moan grunt": (
        {},
        f"{_CANNOT} cough, yawn, groan or the like yet; the line is spoken without it.",
    ),
    "echo echoing reverb": ({}, "No echo is added; that is for the game's or film's mix."),
}
# By whether the lexicon of emotions knows the word.
_INSTEAD = "the line is spoken without it", "its feeling is acted instead"
_ACCENTS = {
    "American": "american us_accent yankee midwestern general_american north_american",
    "British": "british uk_accent posh received_pronunciation plummy british_english oxbridge",
}
# Accents that the cast has not -> the nearest that it has.
_NEAREST = {
    "British": "cockney scottish scots irish welsh australian aussie yorkshire scouse geordie "
    "brummie mancunian liverpudlian south_african new_zealand kiwi jamaican nigerian kenyan",
    "American": "canadian texan southern_accent southern_drawl deep_south new_york brooklyn boston "
    "bostonian new_yorker californian appalachian",
}
LANGUAGES = frozenset(
    "french german italian spanish portuguese russian polish dutch swedish norwegian danish "
    "finnish greek turkish arabic hebrew persian hindi bengali urdu tamil chinese mandarin "
    "cantonese japanese korean vietnamese thai latin czech hungarian romanian ukrainian swahili "
    "indian mexican brazilian".split()
)

# After these, up to the next comma or "as", "like", "in", words about a person are not about the
# speaker.
TO = frozenset(
    "to at on of about by for from against toward towards than beside behind over onto near".split()
)
# With one of these before "a", "the", "her" and their like, or before several people, so is the
# person done to.
_DONE_TO = (
    "comfort calm scold tease teach interview address tell greet warn mock reassure soothe console "
    "lecture order beg ask thank threaten seduce cheer encourage interrogate hug nurse love hate "
    "miss fear watch meet call help hurt kill blame insult praise remember lose protect bully "
    "guide lead fight arrest face follow chase raise save rescue flatter convince "
    "persuade humour humor entertain instruct beat visit feed hold leave forgive fool cheat"
)
ARTICLES = lexicon.ARTICLES | {"all", "any"}
DETERMINERS = ARTICLES | frozenset(
    "two three him them someone somebody people everyone another".split()
)
# Forms of these verbs that say what somebody is like: "loving grandma".
LOVING = frozenset("loving forgiving encouraging nursing hurting cheating".split())
# What "as" and "like" say before these is what happened, and not who speaks.
HAPPENING = frozenset(
    "if though i you he she it we they i'm you're he's she's it's we're they're".split()
)
# Before "old" these say that somebody is.
BEING = frozenset(
    "is was are be being i'm you're he's she's they're sounds sounding sound seems seeming looks "
    "feels feeling someone somebody".split()
)
# Persons and animals of tales of whom nothing else is known here, beside those whose noun ends as
# a person's does ("farmer").
SOMEBODY = frozenset(
    "champion tyrant punk bandit colonel captain lieutenant general sheriff shepherd judge peasant "
    "scout revolutionary sibling cousin bard saint friend pal mate shaman veteran chef cook thief "
    "guard admiral bishop spy rebel fool ally companion servant merchant assistant attendant agent "
    "president parent pilot poet artist priest wanderer oracle prophet bot cop clerk maid monk "
    "lion tortoise turtle bull bear dog cat wolf fox owl horse frog toad crow raven".split()
)
# Of these the noun before says whom they hunt or keep, and not who they are.
AT_OTHERS = frozenset(
    "slayer hunter killer catcher tamer rider keeper trainer whisperer buster master lover "
    "fighter".split()
)
# Neither adverb nor participle by their ending, but no noun beside a person either.
GOES_ON = frozenset(
    "would might could should can will must may does did do has had have came went says said "
    "knows knew gone left lost found bound caught sent kept burnt fed met stuck struck hung drunk "
    "bent fought brought taught thought bought born torn sworn made built got errant alone asleep "
    "awake alive adrift aloft home dead near now again once only just too ever".split()
)
# From these on the words are about the speaker again.
ABOUT_SPEAKER = frozenset(
    "as in but then speaking speak speaks spoken talking talk sound sounds sounding say says "
    "saying said be is are being using played voiced narrated read".split()
)
LIKENED = frozenset(
    "like as imitating impersonating playing play portraying pretending mimicking".split()
)
VOICES = frozenset(
    "voice voices tone tones timbre pitch register voiced speech accent sound drawl whisper lilt "
    "speaker delivery volume pace speed rate tempo energy".split()
)
# These begin what somebody or something else does.
ELSEWHERE = frozenset("while when where who whom whose which because until after before".split())
# Before "by": whoever follows is the speaker.
SPOKEN = frozenset("spoken read said voiced told narrated played performed delivered".split())
ACCENT = frozenset({"accent", "accented", "drawl", "lilt", "brogue", "pronunciation"})
POSSESSIVES = lexicon.POSSESSIVES | {"one's"}
# Adverbs of negation beside the lexicon's.
NEGATIONS = frozenset(
    "stop avoid avoiding cannot can't won't didn't doesn't shouldn't mustn't nothing".split()
)


def _forms(words: str, ending: str) -> Iterator[str]:
    """Every word of a list as a reader sees it, with its other forms.

    Args:
        ending: "noun" for plurals, "verb" for -s, -ing, -ed and -er, "way" for -ly, or "".
    """
    for word in words.split():
        plain = re.sub("[_-]", " ", word)
        yield plain
        if ending == "noun":
            yield plural(plain)
        elif ending == "way" and " " not in plain:
            yield adverb(plain)
        elif ending == "verb" and " " not in plain:
            yield from inflected(plain)


_IRREGULAR = {
    "man": "men",
    "child": "children",
    "wife": "wives",
    "elf": "elves",
    "dwarf": "dwarves",
    "hero": "heroes",
    "mouse": "mice",
}


def plural(noun: str) -> str:
    for single, many in _IRREGULAR.items():
        if noun.endswith(single):
            return noun.removesuffix(single) + many
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + ("es" if noun.endswith(("s", "ch", "sh", "x")) else "s")


def adverb(adjective: str) -> str:
    if adjective.endswith("y"):
        return adjective[:-1] + "ily"
    if adjective.endswith("ic"):
        return adjective + "ally"
    if adjective.endswith("le"):
        return adjective[:-1] + "y"
    return adjective + "ly"


def inflected(verb: str) -> Iterator[str]:
    stem = verb.removesuffix("e")
    if re.fullmatch(r"[^aeiou]*[aeiou][^aeiouwxy]", verb):
        stem = verb + verb[-1]
    if verb.endswith("y"):
        yield from (verb[:-1] + "ies", verb[:-1] + "ied")
    else:
        yield from (plural(verb), stem + "ed")
    yield stem + "ing"


def _words() -> dict[str, Word]:
    words: dict[str, Word] = {}

    def add(forms: Iterable[str], manner: Mapping[str, float] | None = None, **saying) -> None:
        """What is said of a form is added to what other lists say of it."""
        if manner:
            saying["manner"] = Manner(**manner)
        for form in forms:
            words[form] = replace(words.get(form, Word()), **saying)

    for (gender, age), nouns in _PEOPLE.items():
        add(_forms(nouns, "noun"), gender=gender, age=age, who=True, noun=True)
    for gender, (nouns, adjectives) in _OUTRIGHT.items():
        add(_forms(nouns, "noun"), gender=gender, sure=OUTRIGHT, who=True, noun=True)
        add(_forms(adjectives, ""), gender=gender, sure=OUTRIGHT, who=True)
    add(("bearded", "moustached"), gender="male", sure=USUAL, who=True)
    add(("pregnant",), gender="female", sure=USUAL, who=True)
    for age, adjectives in _AGES.items():
        add(_forms(adjectives, ""), age=age, sure=ADJECTIVE, who=True)
    for gender, pronouns in _PRONOUNS.items():
        add(pronouns.split(), gender=gender, sure=PRONOUN)
    for nouns, (gender, age, timbre, manner, mood) in _CHARACTERS.items():
        add(
            _forms(nouns, "noun"), gender=gender, age=age, sure=USUAL, manner=manner, mood=mood,
            timbre=tuple(timbre.split()), who=True, noun=True,
        )  # fmt: skip
    for nouns, (manner, mood) in _RANKS.items():
        add(_forms(nouns, "noun"), manner=manner, mood=mood)
    add(("giantess", "villainess"), gender="female", sure=NOUN)
    add(("policeman", "anchorman"), gender="male", sure=NOUN)
    for traits, mood in _TRAITS.items():
        add(_forms(traits, ""), mood=mood, who=True)
    for sounds, (timbre, manner, spoken) in _SOUNDS.items():
        add(_forms(sounds, ""), timbre=tuple(timbre.split()), manner=manner, spoken=spoken)
    for verbs, manner in _VERBS.items():
        add(_forms(verbs, "verb"), manner=manner, adverb=True)
    for ways, manner in _WAYS.items():
        add(_forms(ways, ""), manner=manner)
        add((adverb(way) for way in _forms(ways, "") if " " not in way), manner=manner, adverb=True)
    for phrases, manner in _PHRASES.items():
        add(_forms(phrases, ""), manner=manner, adverb=True)
    for verbs, (manner, note) in _IMPOSSIBLE.items():
        for form in _forms(verbs, "verb"):
            add((form,), manner=manner, note=note.format(instead=_INSTEAD[form in LEXICON]))
    add(_forms("out_loud aloud loud_and_clear", ""))
    for accent, names in _ACCENTS.items():
        add(_forms(names, ""), accent=accent, who=True)
    for nearest, names in _NEAREST.items():
        for name in _forms(names, ""):
            said = name.removesuffix(" accent").removesuffix(" drawl").title()
            add(
                (name,), accent=nearest, who=True,
                note=f"No {said} accent is in the cast, only American and British; "
                f"nearest: {nearest}.",
            )  # fmt: skip
    return words


WORDS: dict[str, Word] = _words()
DONE_TO: frozenset[str] = frozenset(_forms(_DONE_TO, "verb"))
# Nouns for several persons, and for relatives.
SEVERAL: frozenset[str] = frozenset(plural(text) for text, word in WORDS.items() if word.noun) & (
    WORDS.keys()
)
KIN: frozenset[str] = frozenset(_forms(_KIN, "noun"))
# Every noun of one word that names a person or a character, one of them or several.
PERSONS: frozenset[str] = frozenset(
    text for text, word in WORDS.items() if word.noun and " " not in text
)

NUMBERS = {
    word: number
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
        "fifteen sixteen seventeen eighteen nineteen".split()
    )
} | {
    word: 10 * tens
    for tens, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)
}
DECADES = {plural(word): number for word, number in NUMBERS.items() if number >= 20} | {
    "teens": 15,
    "tweens": 11,
    **{f"{tens}0s": 10 * tens for tens in range(2, 10)},
}
