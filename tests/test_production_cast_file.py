"""Cast files: what is right is read whole, and everything that is wrong is told at once."""

from __future__ import annotations

import json
import pickle
import re
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conditioning.direction import Direction, direct
from conditioning.emotion import EmotionVector
from conditioning.errors import InvalidInput, UnknownName
from conditioning.manner import BOUNDS
from conditioning.persona import read_persona
from conditioning.temperament import TEMPERAMENTS, Temperament
from voice_actor.production.cast_file import MOST_MOOD, SEEDS, CastFile, read_cast
from voice_actor.production.delivery import Delivery
from voice_actor.production.gate import Gate
from voice_actor.production.roles import Role, played
from voice_actor.scripts import read_script

ROOT = Path(__file__).parents[1]
WHOLE = """\
moods = true
seed = 7

[characters.Bran]
voice = "bm_george*0.6 + am_onyx*0.4"
persona = "an old, gruff innkeeper"
mood = "slightly sad"
temperament = "Hot tempered"
loudness = -20
aliases = ["Innkeeper", "b"]
pronunciations = { Ada = "ˈɑdə" }

[characters."Old Mara"]

[pronunciations]
Bran = "bɹˈæn"
ada = "ˈAdə"

[variables]
"$gold" = "fifty"
level = 3

[tags]
b = "emphasis"

[delivery]
engine = "renpy"
extras = ["face", "rhubarb"]

[quality]
retries = 0
score = 1
"""


def problems(text: str) -> list[str]:
    """What is told of a cast file, without the beginning of the sentence."""
    with pytest.raises(InvalidInput) as error:
        read_cast(text)
    told = str(error.value)
    assert "\n" not in told
    count, told = re.fullmatch(r"cast.toml has (.+?) problems?: (.*)\.", told).groups()
    split = re.split(r"; (?=line \d+: )", told)
    assert count == ("a" if len(split) == 1 else str(len(split)))
    return split


def problem(text: str) -> str:
    (only,) = problems(text)
    return only


def test_everything_a_cast_file_may_say_is_read():
    cast = read_cast(WHOLE)
    bran, mara = cast.role("Bran"), cast.role("Old Mara")
    assert bran == Role(
        character="Bran",
        voice="bm_george*0.6 + am_onyx*0.4",
        persona="an old, gruff innkeeper",
        mood=EmotionVector({"Sadness": 0.27}),
        temperament="Hot tempered",
        pronunciations={"bran": "bɹˈæn", "ada": "ˈɑdə"},
        loudness=-20.0,
    )
    assert mara == Role("Old Mara", pronunciations={"bran": "bɹˈæn", "ada": "ˈAdə"})
    assert cast.rules.variables == {"$gold": "fifty", "level": "3"}
    assert cast.rules.tags == {"b": "emphasis"}
    assert cast.delivery == Delivery(engine="renpy", extras=("rhubarb", "face"))
    assert cast.gate == Gate(retries=0, score=1.0)
    assert (cast.moods, cast.seed) == (True, 7)


def test_an_empty_file_is_the_cast_of_nobody():
    assert read_cast("") == read_cast("\ufeff# nothing\r\n") == CastFile()
    with pytest.raises(UnknownName):
        CastFile().role("Bran")
    assert CastFile().missing(["Bran", "Ada", "Bran"]) == ("Bran", "Ada")


def test_a_character_is_found_by_name_and_alias_whatever_the_capitals():
    cast = read_cast(WHOLE)
    for name in ("Bran", "BRAN", "innkeeper", "B"):
        assert cast.role(name) == cast.roles["Bran"]
    assert cast.missing(["OLD MARA", "b", "Ada", "bRAN"]) == ("Ada",)
    with pytest.raises(UnknownName, match="Did you mean 'Bran'"):
        cast.role("Brann")


def test_an_entry_may_stand_for_everybody_who_has_none():
    cast = read_cast('[characters."*"]\nvoice = "af_heart"\n[characters.Bran]\nvoice = "am_puck"')
    assert cast.role("bran").voice == "am_puck"
    assert cast.role("A guard") == Role("A guard", voice="af_heart")
    assert cast.missing(["Bran", "A guard"]) == ()


def test_an_alias_names_the_character_of_a_script_that_defines_none():
    rules = read_cast('[characters.Eileen]\naliases = ["e"]').rules
    (line,) = read_script('label start:\n    e "Hello."\n', "script.rpy", rules)
    assert line.character == "Eileen"


def test_all_problems_are_told_at_once_with_their_lines_and_keys():
    told = problems(
        """\
sed = 3
[characters]
Eve = "af_heart"
[characters.Bran]
voice = "bm_gorge"
persona = [
    3,
]
moood = "sad"
temperament = "hot tempred"
loudness = 3
[delivery]
engin = "renpy"
loudness = -90
sample_rate = 44_100.5
[quality]
retries = -1
[variables]
gold = 2.5
"""
    )
    assert [re.match(r"line (\d+): (.+?): ", each).groups() for each in told] == [
        ("1", "sed"),
        ("3", "[characters] Eve"),
        ("5", "[characters.Bran] voice"),
        ("6", "[characters.Bran] persona"),
        ("9", "[characters.Bran] moood"),
        ("10", "[characters.Bran] temperament"),
        ("11", "[characters.Bran] loudness"),
        ("13", "[delivery] engin"),
        ("14", "[delivery] loudness"),
        ("15", "[delivery] sample_rate"),
        ("17", "[quality] retries"),
        ("19", "[variables] gold"),
    ]
    for key in ("seed", "bm_george", "mood", "hot-tempered", "engine"):
        assert any(f"Did you mean '{key}'" in each for each in told), key


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("moods = 1", "line 1: moods: 1 came; allowed: true or false"),
        ("seed = true", "line 1: seed: true came; allowed: a whole number"),
        ("seed = -1", "line 1: seed: -1 came; allowed: whole numbers from 0 to 2,147,483,647"),
        (f"seed = 0x{'f' * 5000}", "line 1: seed: a number that is too large came; allowed: a who"),
        ("characters = 3", "line 1: characters: 3 came; allowed: a table"),
        ("[[characters.Bran]]", "line 1: [characters] Bran: a list came; allowed: a table"),
        ("delivery = 1979-05-27", "line 1: delivery: 1979-05-27 came; allowed: a table"),
        (
            '[characters."Old Man"]\nage = 3',
            "line 2: [characters.'Old Man'] age: Unknown key 'age'",
        ),
        ('[characters.""]', "line 1: [characters] '': a name is empty"),
        ("[characters.A]\nvoice = ''", "line 2: [characters.A] voice: Unknown voice ''"),
        (
            "[characters.A]\nvoice = 'af_sky*-1'",
            "line 2: [characters.A] voice: The voice 'af_sky*-",
        ),
        ("[characters.A]\nmood = 'xyzzy'", "line 2: [characters.A] mood: Nothing in the direction"),
        ("[characters.A]\nmood = 'in a deep voice'", "mood: 'in a deep voice' names no emotion"),
        ("[characters.A]\nmood = 'calm -> furious'", "mood: 'calm -> furious' changes over a line"),
        (
            "[characters.A]\nmood = 'Sadness=3'",
            "mood: Intensity of 'Sadness' is 3; allowed: 0 to 1",
        ),
        (
            "[characters.A]\nloudness = nan",
            "line 2: [characters.A] loudness: nan came; allowed: a n",
        ),
        ("[characters.A]\naliases = ['a', 3]", "aliases: a list came; allowed: a list of text"),
        (
            "[tags]\nb = '[emphasis]'",
            "line 2: [tags] b: '[emphasis]' has brackets; write the words",
        ),
        (
            "[pronunciations]\nAda = 'gA'",
            "line 2: [pronunciations] Ada: The pronunciation of 'Ada'",
        ),
        ("[pronunciations]\nAda = '1'", "line 2: [pronunciations] Ada: The pronunciation of 'Ada'"),
        (
            "[pronunciations]\n'a b' = 'A'",
            "line 2: [pronunciations] 'a b': The pronunciation 'a b'",
        ),
        (
            "[pronunciations]\na = 'A'\nA = 'A'",
            "line 3: [pronunciations] A: the word stands here tw",
        ),
        (
            "[delivery]\nextras = ['fase']",
            "line 2: [delivery] extras: Unknown kind of extras 'fase'",
        ),
        ("[delivery]\nformat = 3", "line 2: [delivery] format: 3 came; allowed: text"),
        ("[quality]\nscore = 7", "line 2: [quality] score: "),
    ],
)
def test_a_problem_names_what_came_and_what_is_allowed(text, told):
    assert told in problem(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[characters.Bran]\nmoods = true", "line 2: .*write it above the first"),
        ("[Bran]\nvoice = 'af_sky'", r"line 1: Bran: .*a character is \[characters.Bran\]"),
        ("[characters.Dr.Who]\nvoice = 'af_sky'", "line 1: .*name that has a dot stands in quotes"),
        ("[variables]\nplayer.name = 'Ada'", "line 2: .*name that has a dot stands in quotes"),
    ],
)
def test_common_slips_are_told_what_to_do(text, told):
    assert re.match(told, problem(text))


def test_a_name_belongs_to_one_character_whatever_its_capitals():
    told = problems(
        "[characters.Bran]\naliases = ['Ada', 'Inn', 'INN', 'bran']\n[characters.ADA]\n"
        "[characters.BRAN]\n[characters.Eve]\naliases = ['inn']"
    )
    assert [re.match(r"line (\d+): .*?: ('\w+' is \S+)", each).groups() for each in told] == [
        ("2", "'Ada' is [characters.ADA]"),
        ("2", "'INN' is [characters.Bran]"),
        ("2", "'bran' is [characters.Bran]"),
        ("4", "'BRAN' is [characters.Bran]"),
        ("6", "'inn' is [characters.Bran]"),
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("# cast\n[characters.Old Man]\nvoice = 'af_sky'", 2),
        ("[variables]\n$gold = 'fifty'", 2),
        ("[characters.Bran]\r\nvoice = af_sky\r\n", 2),
        ("seed = 1\nseed = 2", 2),
        ("[tags]\n[delivery]\n[tags]\n", 3),
        ('seed = 1\n[tags]\nb = """never closed\n\n\n', 3),
        ("[characters.A]\naliases = [\n'a',\n'b'\n", 2),
        (f"seed = {'1' * 5000}", 1),
    ],
)
def test_what_is_no_toml_is_told_with_its_line_and_a_way_out(text, line):
    told = problem(text)
    assert told.startswith(f"line {line}: ")
    assert "stands in quotes" in told


def test_brackets_without_end_are_told():
    with pytest.raises(InvalidInput, match="too many brackets"):
        read_cast(f"a = {'[' * 5000}")


def test_a_key_of_very_many_parts_is_told():
    assert problem(f"[tags]\nb{'.b' * 1500} = 1").startswith("line 2: [tags] b: a table came")


def test_text_over_several_lines_that_looks_like_a_table_does_not_mislead_the_line():
    text = (
        '[characters.A]\npersona = """\n[characters.B]\nvoice = "x"\n"""\n[characters.B]\n'
        '"voice" = "x"'
    )
    assert problem(text).startswith("line 7: [characters.B] voice: ")
    assert problem("\n[characters]\n\nB.pronunciations = { Ada = 3 }").startswith("line 4: ")


def test_a_long_file_that_is_never_closed_is_refused_in_no_time():
    assert problem("seed = 1\na = '''\n" + "line\n" * 20_000).startswith("line 2: ")


def test_the_fields_of_delivery_and_gate_are_the_keys_of_their_tables():
    for table, kind in (("delivery", Delivery), ("quality", Gate)):
        made = kind()
        text = f"[{table}]\n"
        for field in fields(kind):
            value = getattr(made, field.name)
            if value is not None:
                text += f"{field.name} = {json.dumps(value)}\n"
        cast = read_cast(text)
        assert made in (cast.delivery, cast.gate)
        assert problem(f"{text}nothing = 1").count(", ") == len(fields(kind)) - 1


def test_a_field_is_judged_beside_the_others():
    """A format that one engine imports and another does not, before the engine in the text."""
    assert read_cast("[delivery]\nformat = 'flac'\nengine = 'renpy'").delivery.format == "flac"
    assert "[delivery] format: " in problem("[delivery]\nformat = 'flac'\nengine = 'godot'")


def test_a_mood_is_words_or_numbers_and_never_strong():
    def mood(words: str) -> EmotionVector | None:
        return read_cast(f"[characters.A]\nmood = '{words}'").role("A").mood

    assert mood("Sadness=0.2, fear 0.1") == EmotionVector({"Sadness": 0.2, "Fear": 0.1})
    assert mood("furious") == EmotionVector({"Anger": MOST_MOOD})
    assert mood("neutral") == EmotionVector()


def test_what_the_entry_says_outright_holds_against_its_persona():
    nurse = Role("A", persona="a stern but caring nurse")
    assert 0 < nurse.baseline["Affection"] <= MOST_MOOD
    assert nurse.traits == TEMPERAMENTS["stern"]
    assert replace(nurse, mood=EmotionVector()).baseline.is_neutral
    assert replace(nurse, temperament="Calm").traits == TEMPERAMENTS["calm"]
    assert (Role("A").baseline, Role("A").traits) == (EmotionVector(), Temperament())


# Playing


def test_a_line_is_spoken_by_who_the_role_is_unless_it_says_otherwise():
    grandma = Role("A", persona="a breathy old British woman")
    asked = played(direct("Well.", "sad"), grandma).persona
    assert (asked.gender, asked.age, asked.accent) == ("female", "old", "British")
    assert "breathy" in asked.timbre
    boy = played(direct("Well.", "sad, like a little boy"), grandma).persona
    assert (boy.gender, boy.age, boy.accent) == ("male", "child", "British")
    deep = played(direct("Well.", "in a deep, clear voice"), grandma).persona
    assert deep.gender == "female"
    assert "low" in deep.timbre
    assert "clear" in deep.timbre
    assert "breathy" not in deep.timbre


def test_the_manners_of_role_and_line_add_up_within_bounds():
    slow = Role("A", persona="speaks slowly")
    usual, line = slow.who.manner.pace, direct("Well.", "slowly").persona.manner.pace
    assert usual < 0
    assert played(direct("Well."), slow).persona.manner.pace == usual
    both = played(direct("Well.", "slowly"), slow).persona.manner.pace
    assert both == pytest.approx(max(usual + line, BOUNDS["pace"][0]))
    assert both < usual


def test_what_is_felt_and_said_is_left_alone():
    asked = direct("[angry] Well, [whispering] you know.", "sad")
    role = Role("A", persona="a grumpy old man", mood=EmotionVector({"Fear": 0.3}))
    got = played(asked, role)
    kept = ("curve", "text", "evidence", "manners", "pauses")
    assert [getattr(got, name) for name in kept] == [getattr(asked, name) for name in kept]


def test_a_role_without_words_plays_a_line_as_it_is():
    asked = direct("Well.", "furious, speed 0.8")
    assert played(asked, Role("A", voice="af_sky", temperament="calm")) is asked


def test_notes_and_reasons_of_both_are_kept_the_lines_first():
    role = Role("A", persona="a young old man")
    asked = direct("Well.", "with a French accent, as a woman")
    assert role.who.notes
    assert asked.notes
    got: Direction = played(asked, role)
    assert got.notes == (*asked.notes, *role.who.notes)
    assert set(role.who.notes) <= set(got.persona.notes)
    assert got.persona.reasons == (*asked.persona.reasons, *read_persona(role.persona).reasons)


# In the production


def test_reading_a_cast_file_loads_no_network_and_no_codec():
    program = f"""
import sys
from voice_actor.production.cast_file import read_cast
read_cast({WHOLE!r})
heavy = {{"torch", "transformers", "soundfile"}}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)


def test_the_seeds_are_those_of_the_actor():
    from voice_actor import actor

    assert SEEDS == actor.SEEDS


def test_a_cast_goes_to_another_process():
    cast = read_cast(WHOLE)
    assert cast.role("BRAN").who
    assert pickle.loads(pickle.dumps(cast)) == cast


# Anything at all


def toml(value) -> str:
    if isinstance(value, dict):
        inside = ", ".join(f"{toml(key)} = {toml(each)}" for key, each in value.items())
        return f"{{ {inside} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return json.dumps(value).replace("NaN", "nan").replace("Infinity", "inf")


WORDS = st.text(max_size=8) | st.sampled_from(
    """* a A voice persona mood temperament loudness aliases pronunciations characters variables
    tags delivery quality moods seed engine format sample_rate extras retries score word_errors
    af_sky bm_george*2+af_sky sad Sadness=0.2 furious->sad neutral auto renpy ogg face calm
    ˈA [b] $gold a.b""".split()
)
VALUES = st.recursive(
    WORDS | st.booleans() | st.integers() | st.floats() | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=8,
)
ROLES = st.dictionaries(
    WORDS, st.dictionaries(st.sampled_from([*Role.__annotations__, "aliases"]), VALUES) | VALUES
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(WORDS, VALUES, max_size=5), ROLES)
def test_any_toml_is_a_cast_or_refused_in_one_line(said, roles):
    text = "".join(f"{toml(key)} = {toml(value)}\n" for key, value in said.items())
    if "characters" not in said:
        for name, role in roles.items():
            text += f"characters.{toml(name)} = {toml(role)}\n"
    _read_or_refused(text)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from([*WHOLE.splitlines(), "'''", "]", '"""', "["]) | st.text()))
def test_any_text_is_a_cast_or_refused_in_one_line(lines):
    _read_or_refused("\n".join(lines))


def _read_or_refused(text: str) -> None:
    try:
        cast = read_cast(text)
    except InvalidInput as error:
        told = str(error)
        assert told.isprintable()
        assert told.startswith("cast.toml has ")
    else:
        assert all(cast.role(name) is role for name, role in cast.roles.items())
        assert not cast.missing(cast.roles)
