"""A first cast for a script, and the cast file to go on from."""

from __future__ import annotations

import re
import tomllib
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conditioning.errors import InvalidInput, UnknownName
from conditioning.persona import Persona, read_persona
from voice_actor.production.cast_file import read_cast
from voice_actor.production.delivery import ENGINES
from voice_actor.production.draft import _described, added, draft_cast, draft_file
from voice_actor.scripts import ScriptLine, read_script
from voice_actor.voices import cast

SCRIPT = """BRAN: (furious) Out, all of you!
OLD WOMAN: Not before I have my soup.
ADA (as a young British woman, amused): He means it.
BRAN: I do.
"""


def lines_of(*names: str) -> list[ScriptLine]:
    return [ScriptLine(str(number), name, "Yes.") for number, name in enumerate(names)]


def voices_of(source: str) -> dict[str, str]:
    return {part.character: part.voice for part in draft_cast(read_script(source), cast())}


def drafted(source: str = SCRIPT, **options) -> str:
    return draft_file(read_script(source), cast(), **options)


# Voices


def test_who_a_name_or_a_first_direction_describes_gets_a_voice_that_suits():
    source = "GIRL: x\nOLD MAN: x\nADA (as a deep-voiced British man): x\nQUEEN: x\n"
    parts = draft_cast(read_script(source), cast())
    voices = {part.character: part.voice.split("+")[0].split("*")[0] for part in parts}
    assert voices["GIRL"][1] == voices["QUEEN"][1] == "f"
    assert voices["OLD MAN"][1] == "m"
    assert voices["ADA"].startswith("bm_")
    assert len(set(voices.values())) == 4
    assert parts[1].who.age == "old"
    assert "man" in parts[1].why


def test_others_get_different_voices_women_and_men_in_turn_while_they_last():
    voices = voices_of("".join(f"C{number}: x\n" for number in range(40)))
    first = list(voices.values())[:28]
    assert len(set(first)) == 28
    assert [voice[1] for voice in first[:4]] == ["f", "m", "f", "m"]
    assert voices["C0"] == "af_heart"
    assert len(set(voices_of("A: x\nB: x\nGIRL: x\nBOY: x\n").values())) == 4


def test_voices_that_others_have_are_given_last():
    lines = lines_of("Ada", "Bran")
    names = [voice.name for voice in cast()]
    taken = [name for name in names if name not in ("bf_lily", "am_onyx")]
    assert {part.voice for part in draft_cast(lines, cast(), taken)} == {"bf_lily", "am_onyx"}
    blend = "+".join(taken[:4])
    assert not {part.voice for part in draft_cast(lines, cast(), [blend])} & set(taken[:4])


def test_who_a_direction_describes_is_put_into_words_that_say_just_that():
    parts = draft_cast(read_script(SCRIPT), cast())
    assert [part.persona for part in parts] == ["", "old woman", "a young British woman"]
    genders, ages = ("female", "male", None), ("child", "young", "adult", "old", None)
    accents, timbres = ("American", "British", None), ((), ("low",), ("high", "bright", "breathy"))
    for who in (Persona(*each) for each in product(genders, ages, accents, timbres)):
        said = read_persona(_described(who)) if who.is_somebody else Persona()
        assert (said.gender, said.age, said.accent) == (who.gender, who.age, who.accent)
        assert set(said.timbre) == set(who.timbre)


def test_somebody_is_of_a_gender_an_age_an_accent_or_a_timbre():
    for words in ("a woman", "old", "a British accent", "a low voice"):
        assert read_persona(words).is_somebody
    for words in ("slowly", "gloomy", ""):
        assert not read_persona(words).is_somebody


# The file


def test_a_drafted_file_is_read_as_the_cast_that_was_drafted():
    found = read_cast(drafted(engine="renpy"))
    parts = draft_cast(read_script(SCRIPT), cast())
    assert {name: role.voice for name, role in found.roles.items()} == {
        part.character: part.voice for part in parts
    }
    assert found.roles["ADA"].persona == "a young British woman"
    assert all(role.temperament == "average" for role in found.roles.values())
    assert found.delivery.engine == "renpy"


def test_it_says_how_many_lines_each_has_and_why_that_voice():
    text = drafted()
    assert "[characters.BRAN]  # 2 lines" in text
    assert '[characters."OLD WOMAN"]  # 1 line\n' in text
    parts = draft_cast(read_script(SCRIPT), cast())
    assert f"  # {parts[1].why}\n" in text


@pytest.mark.parametrize("engine", ENGINES)
def test_its_examples_can_be_uncommented_as_they_are(engine):
    text = drafted(engine=engine)
    examples = re.compile(r"^# (?=\w+ = )", re.MULTILINE)
    assert len(examples.findall(text)) == 15
    found = read_cast(examples.sub("", text))
    bran = found.roles["BRAN"]
    assert bran.persona
    assert bran.mood
    assert bran.loudness is not None
    assert "isolde" in {word.lower() for word in bran.pronunciations}
    assert found.roles["Voice of BRAN"].voice == bran.voice
    assert found.rules.variables == {"gold": "twenty"}
    assert found.rules.tags == {"b": "emphasis"}
    assert found.delivery.sample_rate == 48_000
    assert found.moods


def test_variables_that_need_a_value_stand_in_it_once():
    text = drafted(variables=["gold", "$name", 'mood["a"]', "gold"])
    section = text.partition("[variables]")[2].partition("[tags]")[0]
    assert "twenty" not in section
    rows = section.partition("\n")[2].replace("# ", "")
    assert tomllib.loads(rows) == {"gold": "", "$name": "", 'mood["a"]': ""}


def test_a_name_that_tells_a_temperament_has_it():
    roles = read_cast(drafted("GRUMPY OLD MAN: x\nCALM OLD GRUMPY MAN: x\n")).roles
    assert roles["GRUMPY OLD MAN"].temperament == "grumpy"
    assert roles["CALM OLD GRUMPY MAN"].traits == read_persona("calm old grumpy man").temperament


def test_spellings_that_differ_in_case_are_one_character():
    text = draft_file(lines_of("Bran", "BRAN", "Ada"), cast())
    assert "[characters.Bran]  # 2 lines" in text
    assert set(read_cast(text).roles) == {"Bran", "Ada"}


NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1) | st.sampled_from(
    [
        '"',
        "a.b",
        "a\nb",
        "a\r\nb",
        "\\",
        "'''",
        "*",
        "👩‍🚀",
        "#",
        "]",
        "\u2028",
        "\x7f",
        "é",
        "old man",
    ]
)


@given(st.lists(NAMES, min_size=1, max_size=5))
@settings(max_examples=60, deadline=None)
def test_any_name_is_kept_as_it_is(names):
    text = draft_file(lines_of(*names), cast()[:2], variables=names)
    tables = tomllib.loads(text)["characters"]
    first = {name.casefold(): name for name in reversed(names)}
    assert set(tables) == set(first.values())
    assert all(tables[name]["voice"] for name in tables)
    section = text.partition("[variables]")[2].partition("\n")[2].partition("\n\n")[0]
    wanted = re.sub("^# ", "", section, flags=re.MULTILINE)
    assert tomllib.loads(wanted) == dict.fromkeys(names, "")


def test_a_script_without_lines_gives_a_file_without_characters():
    assert not read_cast(draft_file([], cast())).roles


def test_an_unknown_engine_is_refused():
    with pytest.raises(UnknownName, match="Did you mean 'godot'"):
        drafted(engine="gotod")


# Adding


def test_new_characters_follow_what_was_there_with_voices_that_nobody_has():
    before = drafted().replace("\n", "\r\n") + "# the end"
    lines = read_script(SCRIPT + 'bran: x\nCAI "THE FOX": x\nOLD MAN: x\nCAI "THE FOX": x\n')
    after = added(before, lines, cast())
    assert after.startswith(f"{before}\r\n\r\n[characters.")
    assert "\n" not in after.replace("\r\n", "")
    old, new = read_cast(before).roles, read_cast(after).roles
    assert list(new) == [*old, 'CAI "THE FOX"', "OLD MAN"]
    assert {name: new[name] for name in old} == old
    assert len({role.voice for role in new.values()}) == 5
    assert added(after, lines, cast()) == after


def test_an_alias_is_known_and_its_voice_is_taken():
    before = '[characters.Bran]\nvoice = "am_fenrir"\naliases = ["THE KEEPER"]\n'
    lines = lines_of("THE KEEPER", "Cai")
    new = read_cast(added(before, lines, cast()[:2])).roles
    assert set(new) == {"Bran", "THE KEEPER", "Cai"}


def test_who_has_no_voice_in_the_file_takes_the_one_that_suits():
    before = '[characters.Bran]\npersona = "an old man"\n'
    alone = [part.voice for part in draft_cast(lines_of("OLD MAN"), cast())]
    assert read_cast(added(before, lines_of("OLD MAN"), cast())).roles["OLD MAN"].voice not in alone


def test_a_file_whose_characters_are_no_tables_is_not_added_to():
    inline = 'characters = { Bran = { voice = "af_heart" } }\n'
    with pytest.raises(InvalidInput, match=r"\[characters\.Bran\]"):
        added(inline, lines_of("Cai"), cast())
    assert added(inline, lines_of("Bran"), cast()) == inline


def test_a_file_with_problems_is_not_added_to():
    with pytest.raises(InvalidInput, match="voice"):
        added('[characters.Bran]\nvoice = "xx"\n', lines_of("Cai"), cast())
