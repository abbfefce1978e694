"""Who speaks and how, read from the words of a direction."""

from __future__ import annotations

import json
import time

import pytest

from conditioning.emotion import EmotionVector
from conditioning.errors import InvalidInput
from conditioning.lexicon import LEXICON
from conditioning.manner import BOUNDS, Manner
from conditioning.persona import Persona, read_persona
from conditioning.persona_words import DONE_TO, LANGUAGES, PERSONS, WORDS
from conditioning.temperament import TEMPERAMENTS


def who(words: str) -> tuple[str | None, str | None]:
    persona = read_persona(words)
    return persona.gender, persona.age


def test_a_nurse_who_comforts_a_patient_is_soft_and_slow_and_of_no_gender():
    persona = read_persona("Speak like a caring nurse comforting a worried patient.")
    assert (persona.gender, persona.age, persona.accent) == (None, None, None)
    assert persona.manner.level < 0
    assert persona.manner.pace < 0
    assert 0 < persona.mood["Affection"] <= 0.4


def test_a_lovable_grandpa_is_an_old_man_and_the_reasons_quote_the_words():
    words = "Tell this as a slightly grumpy but lovable grandpa."
    persona = read_persona(words)
    assert (persona.gender, persona.age) == ("male", "old")
    reasons = {reason.what: reason for reason in persona.reasons if reason.words == "grandpa"}
    assert set(reasons) == {"gender", "age"}
    assert all(words[reason.start : reason.end] == reason.words for reason in persona.reasons)


def test_a_pronoun_alone_tells_the_gender():
    persona = read_persona("She is trying not to cry.")
    assert (persona.gender, persona.age, persona.notes) == ("female", None, ())


@pytest.mark.parametrize(
    ("words", "gender", "age"),
    [
        ("an elderly gentleman", "male", "old"),
        ("GRANNY", "female", "old"),
        ("a teenage girl", "female", "young"),
        ("a young woman", "female", "young"),
        ("like little boys", "male", "child"),
        ("in her seventies", "female", "old"),
        ("mid-thirties", None, "adult"),
        ("a 70-year-old woman", "female", "old"),
        ("a twenty-five-year-old man", "male", "young"),
        ("a boy of ten", "male", "child"),
        ("aged 40", None, "adult"),
        ("he’s a wizard", "male", "old"),
        ("a young wizard", "male", "young"),
        ("a giantess", "female", None),
        ("middle-aged", None, "adult"),
    ],
)
def test_nouns_adjectives_and_numbers_tell_who_speaks(words, gender, age):
    assert who(words) == (gender, age)
    assert not read_persona(words).notes


@pytest.mark.parametrize(
    "words",
    [
        "comforting an old man",
        "talking to a child",
        "about the king",
        "her mother died",
        "missing his grandpa",
        "the king's advisor, tired",
        "strangle the man",
        "turning an old question over",
        "soothing a little girl who is scared",
        "teaching children",
        "while a boy laughs at it",
    ],
)
def test_words_about_somebody_else_do_not_describe_the_speaker(words):
    persona = read_persona(words)
    assert persona.age is None
    assert not [
        reason
        for reason in persona.reasons
        if reason.what in ("gender", "age") and reason.words.lower() not in ("her", "his")
    ]


@pytest.mark.parametrize(
    ("words", "gender", "age"),
    [
        ("talking to a child like an old witch", "female", "old"),
        ("as an old man to a little girl", "male", "old"),
        ("in the voice of an old man", "male", "old"),
        ("an old man's voice", "male", "old"),
        ("like her grandpa", "male", "old"),
        ("a mother watching the man who hit her boy", "female", None),
        ("with the fury of a king", "male", None),
        ("read by an old woman", "female", "old"),
    ],
)
def test_what_follows_like_and_as_describes_the_speaker(words, gender, age):
    assert who(words) == (gender, age)


def test_an_addressee_does_not_take_the_manner_away():
    persona = read_persona("talking to a frightened crowd loudly")
    assert persona.manner.level > 0
    assert not read_persona("talking to a loud crowd").manner


@pytest.mark.parametrize(
    ("words", "won", "lost"),
    [
        ("a bearded woman king", "woman", "king"),
        ("an old child", "child", "old"),
        ("a 5-year-old grandfather", "5-year-old", "grandfather"),
        ("a young grandpa", "grandpa", "young"),
    ],
)
def test_a_contradiction_is_answered_with_what_won_and_why(words, won, lost):
    (note,) = read_persona(words).notes
    assert f"'{lost}' and '{won}' contradict" in note
    assert f"'{won}' wins, " in note


def test_the_surer_word_decides_a_contradiction():
    assert who("a bearded woman king")[0] == "female"
    assert who("an old child")[1] == "child"
    assert who("a 5-year-old grandfather") == ("male", "child")


def test_accents_that_the_cast_has_are_taken():
    assert read_persona("a posh lady").accent == "British"
    assert read_persona("with an American accent").accent == "American"
    assert read_persona("an English butler").accent == "British"
    assert read_persona("in English").accent is None


def test_other_accents_and_languages_are_answered_plainly():
    scottish = read_persona("a Scottish wizard")
    assert scottish.accent == "British"
    assert scottish.notes == (
        "No Scottish accent is in the cast, only American and British; nearest: British.",
    )
    french = read_persona("with a French accent")
    assert french.accent is None
    assert "No French accent" in french.notes[0]
    assert "Only English is spoken here, no French" in read_persona("say it in French").notes[0]


def test_degrees_scale_a_manner_and_negations_cancel_it():
    plain = read_persona("slowly").manner.pace
    assert read_persona("very slowly").manner.pace == pytest.approx(1.3 * plain)
    assert read_persona("slightly slowly").manner.pace == pytest.approx(0.45 * plain)
    for words in ("not slowly", "without whispering or shouting", "don't yell", "never loud"):
        persona = read_persona(words)
        assert not persona.manner
        assert persona  # the words were understood
        assert "negated" in persona.reasons[0].why
    assert read_persona("not only slowly").manner.pace == plain
    assert read_persona("not slowly, whispering").manner.whisper == 1


@pytest.mark.parametrize(
    ("words", "control", "sign"),
    [
        ("whispered", "whisper", 1),
        ("under his breath", "level", -1),
        ("shouting", "level", 1),
        ("at the top of her lungs", "level", 1),
        ("quietly", "level", -1),
        ("hurriedly", "pace", 1),
        ("drawling", "pace", -1),
        ("breathless", "breath", 1),
        ("with long pauses", "pause", 1),
        ("haltingly", "pause", 1),
        ("without pauses", "pause", -1),
        ("in a monotone", "melody", -1),
        ("sing-song", "melody", 1),
        ("a trembling voice", "tremor", 1),
        ("a gravelly voice", "rough", 1),
        ("squeaky", "pitch", 1),
        ("a deep voice", "pitch", -1),
        ("speak clearly", "emphasis", 1),
    ],
)
def test_words_about_the_manner_move_their_control(words, control, sign):
    assert sign * getattr(read_persona(words).manner, control) > 0


def test_asking_twice_adds_nothing_and_opposites_are_said():
    assert read_persona("loud, loudly").manner == read_persona("loud").manner
    persona = read_persona("loudly, quietly")
    assert "either way" in persona.notes[0]
    assert abs(persona.manner.level) < 1


def test_the_creators_words_override_a_characters_usual_way():
    assert read_persona("a robot").manner.melody < -1
    assert read_persona("a robot with a sing-song voice").manner.melody > 0
    assert read_persona("a drill sergeant, whispering quietly").manner.level < 0
    assert "high" in read_persona("a giant with a high voice").timbre


def test_words_that_are_feelings_too_act_fully_only_beside_a_voice():
    alone, beside = (read_persona(words).manner.melody for words in ("flat", "a flat voice"))
    assert beside < alone < 0
    assert not read_persona("warm sand and cold water in deep despair")
    assert not read_persona("clearly angry")


def test_timbre_words_are_those_of_the_cast_and_the_first_of_two_opposites_wins():
    assert read_persona("a deep, breathy voice").timbre == ("low", "breathy")
    assert read_persona("British, breathy and low").timbre == ("breathy", "low")
    assert read_persona("low and slow").timbre == ()  # a way of speaking, not somebody else's voice
    assert read_persona("low and slow").manner.pitch < 0
    persona = read_persona("a deep, squeaky voice")
    assert persona.timbre == ("low", "bright")
    assert "'deep' wins" in persona.notes[0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("nasal", "nasal"),
        ("slurred", "slurred"),
        ("stuttering", "stutter"),
        ("singing", "cannot sing"),
        ("laughing", "cannot laugh yet; its feeling is acted instead"),
        ("sobbing", "cannot sob yet; its feeling is acted instead"),
        ("robotic", "nearest: a monotone"),
        ("screaming", "cannot scream"),
    ],
)
def test_what_no_voice_can_do_is_said_with_the_nearest(words, said):
    assert said in " ".join(read_persona(words).notes)
    assert not read_persona(f"not {words}").notes


def test_traits_become_a_temperament():
    assert read_persona("a hot-tempered king").temperament == TEMPERAMENTS["hot-tempered"]
    both = read_persona("a calm and shy nurse").temperament
    assert both.extraversion == pytest.approx(
        (TEMPERAMENTS["calm"].extraversion + TEMPERAMENTS["shy"].extraversion) / 2
    )
    assert read_persona("comforting a hot-tempered king").temperament is None
    assert read_persona("proud as a peacock, cold water").temperament is None


def test_nothing_about_the_speaker_is_an_empty_persona():
    for words in ("", "  ", "relieved, still a little angry", "🙂 ???", "深い声で", "I miss you."):
        assert read_persona(words) == Persona()
        assert not read_persona(words)


def test_a_persona_is_hashable_and_goes_to_json():
    persona = read_persona("a hot-tempered Scottish granny, whispering")
    assert hash(persona) == hash(read_persona("a hot-tempered Scottish granny, whispering"))
    found = json.loads(json.dumps(persona.to_json()))
    assert found["manner"]["whisper"] == 1
    assert found["age"] == "old"
    assert found["reasons"][0]["words"] == "hot-tempered"
    assert Persona().to_json() == {}


def test_what_is_no_text_is_refused():
    with pytest.raises(InvalidInput, match="came as int"):
        read_persona(3)


@pytest.mark.parametrize(
    "piece",
    [
        "an old man of ",
        "very ",
        "'s ",
        "9",
        "a deep ",
        "((",
        "not ",
        "in her late ",
        "of the king ",
    ],
)
def test_a_long_direction_takes_a_bounded_time(piece):
    words = (piece * 2000)[:2000]
    started = time.perf_counter()
    read_persona(words)
    assert time.perf_counter() - started < 1  # about 30 ms; a quadratic reader needs seconds


def test_every_word_of_the_lists_says_something_that_is_allowed():
    for word, meaning in WORDS.items():
        assert word == word.lower().translate({ord(mark): " " for mark in "_-"}), word
        assert meaning.gender in (None, "male", "female"), word
        assert meaning.age in (None, "child", "young", "adult", "old"), word
        assert meaning.accent in (None, "American", "British"), word
        assert set(meaning.timbre) <= set("low high dark bright breathy clear".split()), word
        assert isinstance(meaning.manner, Manner), word
        assert all(value <= 0.4 for _, value in EmotionVector(meaning.mood).items()), word
        persona = read_persona(f"like {word}")  # beside nothing that could change its meaning
        for control, (low, high) in BOUNDS.items():
            assert low <= getattr(persona.manner, control) <= high, word
    assert LANGUAGES.isdisjoint(WORDS)


def test_moods_are_of_words_that_name_no_emotion_and_few_words_are_both():
    both = {word: WORDS[word] for word in WORDS.keys() & LEXICON.keys()}
    assert not [word for word, meaning in both.items() if meaning.mood]
    for word, meaning in both.items():  # they act fully beside "voice", or are only answered
        assert meaning.spoken or meaning.note or word == "unhurried", word


def test_every_person_of_the_lists_is_found_after_like_a():
    people = [word for word, meaning in WORDS.items() if meaning.noun and meaning.gender]
    assert len(people) > 300
    for word in people:
        persona = read_persona(f"like a {word}")
        assert persona.gender == WORDS[word].gender, word
        assert not persona.notes or WORDS[word].note, word


@pytest.mark.parametrize(
    ("words", "gender", "age"),
    [
        ("tired mother of three", "female", None),
        ("a widow of two years", "female", None),
        ("a man of 1000 faces", "male", None),
        ("a man of 40 faces", "male", None),
        ("a monk of 2", "male", None),
        ("a woman of 40, tired", "female", "adult"),
        ("a man of 70 years", "male", "old"),
        ("a girl of six years old", "female", "child"),
    ],
)
def test_of_a_number_is_an_age_only_where_nothing_is_counted(words, gender, age):
    assert who(words) == (gender, age)


@pytest.mark.parametrize(
    ("words", "gender"),
    [
        ("sad, as if she just lost her husband", "female"),
        ("as if her father died", "female"),
        ("as if he lost his mother, numb", "male"),
        ("as though his wife left him", "male"),
        ("like she lost her father", "female"),
        ("as her father dies", "female"),
    ],
)
def test_what_happened_as_if_is_not_who_speaks(words, gender):
    persona = read_persona(words)
    assert persona.gender == gender
    assert not persona.notes
    assert "gender" not in {
        reason.what for reason in persona.reasons if WORDS[reason.words.lower()].noun
    }


@pytest.mark.parametrize(
    ("words", "control", "sign"),
    [
        ("speak at a slow pace", "pace", -1),
        ("at a very fast pace, excited", "pace", 1),
        ("at a low volume, sad", "level", -1),
        ("at a high tempo", "pace", 1),
        ("with low energy", "melody", -1),
        ("for a deep warm voice", "pitch", -1),
        ("talking to a child at a slow pace", "pace", -1),
    ],
)
def test_a_voice_or_a_pace_after_a_preposition_is_the_speakers(words, control, sign):
    persona = read_persona(words)
    assert sign * getattr(persona.manner, control) > 0
    assert persona.age is None


def test_low_beside_a_volume_asks_for_nobodys_low_voice():
    assert read_persona("at a low volume").timbre == ()
    assert read_persona("for a deep warm voice").timbre == ("low",)


@pytest.mark.parametrize(
    ("word", "control"), [("loud", "level"), ("fast", "pace"), ("slowly", "pace")]
)
def test_less_turns_a_manner_round(word, control):
    plain = getattr(read_persona(word).manner, control)
    assert getattr(read_persona(f"less {word}").manner, control) == pytest.approx(-0.5 * plain)
    assert not read_persona(f"not less {word}").manner


def test_less_of_a_timbre_or_of_what_cannot_be_done_asks_for_neither():
    persona = read_persona("a bit less breathy")
    assert (persona.timbre, persona.manner) == ((), Manner())
    (reason,) = persona.reasons
    assert (reason.words, reason.what) == ("a bit less breathy", "breath")
    assert "nothing is changed" in reason.why
    assert read_persona("a man, less deep voice").timbre == ()
    assert read_persona("less robotic").notes == ()
    assert read_persona("less like a king").gender is None


@pytest.mark.parametrize(
    "words",
    [
        "calming frightened children",
        "teacher scolding naughty, angry kids",
        "scolding a naughty, angry kid",
        "remembering grandpa, sad",
        "calling grandma, worried",
        "comforting mom",
        "comforting mom and dad, calm",
        "watching actresses",
    ],
)
def test_adjectives_and_bare_names_do_not_hide_whom_something_is_done_to(words):
    assert who(words) == (None, None)


@pytest.mark.parametrize(
    ("words", "gender", "age"),
    [
        ("a loving grandma", "female", "old"),
        ("loving grandma, calm", "female", "old"),
        ("like a warm, comforting mother", "female", None),
        ("helping as a nun", "female", None),
        ("a nurse comforting kids, then a queen", "female", None),
    ],
)
def test_who_does_something_is_not_whom_it_is_done_to(words, gender, age):
    assert who(words) == (gender, age)


def test_a_feeling_is_said_to_be_acted_only_where_the_lexicon_knows_the_word():
    verbs = "laugh laughing cackle cackling guffaws sob sobbing weeps bawl bawled wailing crying"
    for word in verbs.split():
        (note,) = read_persona(word).notes
        assert ("its feeling is acted instead" in note) == (word in LEXICON), word
        assert ("the line is spoken without it" in note) == (word not in LEXICON), word


def test_the_nearest_is_not_promised_where_other_words_undo_it():
    assert "nearest: a monotone" in read_persona("a robot").notes[0]
    assert read_persona("a robot with a sing-song voice").notes == (
        "A machine's sound cannot be made.",
    )
    assert "nearest" not in read_persona("slurred, very fast, emphatic").notes[0]


@pytest.mark.parametrize(
    ("words", "covered", "what"),
    [
        ("a 90 year old woman", "90 year old", "age"),
        ("age 45", "age 45", "age"),
        ("aged 40, glad", "aged 40", "age"),
        ("a man of 70 years", "of 70 years", "age"),
        ("with a British accent", "British accent", "accent"),
        ("a Scottish accent", "Scottish accent", "accent"),
        ("with a French accent", "French accent", "accent"),
        ("say it in French", "French", "language"),
        ("a little girl", "a little girl", "gender"),
        ("sounds very young", "very young", "age"),
        ("at a slow pace", "slow pace", "pace"),
        ("a nasal voice", "nasal", "voice"),
    ],
)
def test_reasons_cover_every_word_that_was_understood(words, covered, what):
    reasons = [reason for reason in read_persona(words).reasons if reason.what == what]
    assert [words[reason.start : reason.end] for reason in reasons] == [covered]


@pytest.mark.parametrize(
    "words",
    [
        "an old question, curious",
        "the old clock strikes, afraid",
        "a smile like an old wound",
        "childish wonder, soft",
        "a whisper into the old king's ear",
        "a dragon slayer",
        "king size",
        "the witch hunter, sniffing",
        "a ghost story, scary",
        "a robot vacuum",
    ],
)
def test_things_are_neither_old_nor_kings(words):
    assert who(words) == (None, None)
    assert read_persona(words).mood.is_neutral


@pytest.mark.parametrize(
    ("words", "gender", "age"),
    [
        ("old", None, "old"),
        ("an old, tired voice", None, "old"),
        ("an old and tired woman", "female", "old"),
        ("an old, ragged sailor", "male", "old"),
        ("he is very old and tired", "male", "old"),
        ("someone young trying to be brave", None, "young"),
        ("an elderly plumber", None, "old"),
        ("old colonel and the battery", None, "old"),
        ("young at heart", None, "young"),
        ("King Arthur, proud", "male", None),
        ("a soldier gone mad", "male", None),
        ("a witch cackling", "female", "old"),
        ("a crone innkeeper", "female", "old"),
    ],
)
def test_people_are(words, gender, age):
    assert who(words) == (gender, age)


@pytest.mark.parametrize(
    ("words", "gender", "age"),
    [
        ("a man with a woman's voice", "female", None),
        ("a man with a female voice", "female", None),
        ("a woman impersonating a man", "male", None),
        ("a man speaking like a woman", "female", None),
        ("a woman with the voice of a little boy", "male", "child"),
        ("an old man with a young voice", "male", "young"),
        ("a mother speaking like a drill sergeant", "female", None),
    ],
)
def test_whose_voice_is_named_or_imitated_is_heard(words, gender, age):
    assert who(words) == (gender, age)
    assert not read_persona(words).notes


def test_who_does_something_meanwhile_is_not_heard():
    assert who("a priestess as the god enters her")[0] == "female"


def test_persons_are_all_nouns_of_one_word_that_name_one():
    assert {"king", "kings", "child", "children", "woman", "women", "elves"} <= PERSONS
    assert not PERSONS & {"old", "slowly", "her", "drill sergeant", "little girl"}
    assert "comforting" in DONE_TO
