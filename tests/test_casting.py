"""Who of the cast speaks for a persona; blends of voices."""

from __future__ import annotations

import pytest

from conditioning.errors import InvalidInput, UnknownName
from conditioning.manner import BOUNDS, CONTROLS
from conditioning.persona import read_persona
from conditioning.persona_words import WORDS
from voice_actor.casting import GRADES, Casting, cast_voice
from voice_actor.voices import DEFAULT, Voice, accent_of, cast, parse_voice, share_of_women

MEMBERS = {member.name: member for member in cast()}


def cast_for(words: str, voice: str | None = None) -> Casting:
    return cast_voice(read_persona(words), voice, list(MEMBERS.values()))


def members_of(voice: str) -> list[Voice]:
    return [MEMBERS[name] for name, _ in parse_voice(voice, MEMBERS)]


def toy(name: str, pitch: float, timbre: str) -> Voice:
    accent = {"a": "American", "b": "British"}[name[0]]
    gender = {"f": "female", "m": "male"}[name[1]]
    return Voice(name, accent, gender, "Apache-2.0", pitch, 5.0, timbre)


def test_no_wish_about_who_speaks_leaves_the_default_voice():
    for words in (
        "",
        "whispering slowly",
        "Speak like a caring nurse comforting a worried patient.",
    ):
        casting = cast_for(words)
        assert casting.voice == DEFAULT
        assert casting.manner == read_persona(words).manner
        assert not casting.reasons
        assert not casting.notes


def test_a_grandpa_is_a_man_who_speaks_slower_and_less_steadily():
    casting = cast_for("Tell this as a slightly grumpy but lovable grandpa.")
    assert MEMBERS[casting.voice].gender == "male"
    assert casting.manner.pace < 0
    assert casting.manner.tremor > 0
    assert casting.manner.rough > 0
    assert any("slower" in reason and "old" in reason for reason in casting.reasons)


def test_a_woman_is_the_default_voice_which_is_one():
    assert cast_for("She is trying not to cry.").voice == DEFAULT


@pytest.mark.parametrize("accent", ["American", "British"])
@pytest.mark.parametrize("person", ["man", "woman", "queen", "old man with a deep voice", "lady"])
def test_gender_and_accent_are_kept_whatever_else_is_asked(accent, person):
    for timbre in ("", ", breathy", ", a dark, clear voice", ", high-pitched"):
        casting = cast_for(f"{accent} {person}{timbre}")
        main = max(parse_voice(casting.voice, MEMBERS), key=lambda part: part[1])[0]
        assert MEMBERS[main].accent == accent
        women = 0.0 if "man" in person.split() else 1.0
        assert share_of_women(casting.voice) == women


def test_a_low_british_man_is_the_lowest_of_them():
    casting = cast_for("a British man with a deep voice")
    assert casting.voice == "bm_lewis"
    assert casting.reasons[0] == "bm_lewis: a low British man, the lowest of 4"


def test_two_wishes_that_two_voices_meet_are_blended():
    casting = cast_for("a British woman with a low, breathy voice")
    parts = parse_voice(casting.voice, MEMBERS)
    assert len(parts) == 2
    timbres = [MEMBERS[name].timbre for name, _ in parts]
    assert any("breathy" in words for words in timbres)
    assert any("low" in w for w in timbres)
    assert accent_of(casting.voice) == "gb"
    assert cast_for("a British man with a low, breathy voice").voice == "bm_lewis"  # has both


def test_a_blend_stays_within_the_accent_where_somebody_there_has_what_lacks():
    members = [
        toy("bf_low", 150, "low"),
        toy("bf_breath", 200, "breathy"),
        toy("af_breath", 200, "breathy"),
        toy("bf_clear", 190, "clear"),
    ]
    casting = cast_voice(read_persona("a British woman, a low, breathy voice"), None, members)
    assert dict(parse_voice(casting.voice, {m.name for m in members})).keys() == {
        "bf_low",
        "bf_breath",
    }


def test_a_blend_stays_within_the_gender_where_none_is_asked():
    members = [toy("am_low", 90, "low"), toy("af_breath", 200, "breathy")]
    assert cast_voice(read_persona("a low, breathy voice"), None, members).voice == "am_low"


def test_of_two_low_voices_the_lower_one_is_cast():
    members = [toy("am_a", 110, "low"), toy("am_b", 90, "low"), toy("am_c", 100, "low")]
    assert cast_voice(read_persona("a man with a deep voice"), None, members).voice == "am_b"
    members = [toy("af_a", 190, "high"), toy("af_b", 220, "high"), toy("af_c", 200, "high")]
    assert cast_voice(read_persona("a high-pitched woman"), None, members).voice == "af_b"


def test_a_child_is_a_womans_voice_raised_as_far_as_it_may_and_the_note_says_so():
    for words in ("a child", "a little boy", "a little girl"):
        casting = cast_for(words)
        (member,) = members_of(casting.voice)
        assert member.gender == "female"
        assert casting.manner.pitch > 2
        assert casting.manner.formants > 0.1
        assert 240 < member.pitch * 2 ** (casting.manner.pitch / 12) < 280
        (note,) = casting.notes
        assert note.startswith(f"No child's voice is in the cast; nearest: {casting.voice}")
        assert f"{casting.manner.pitch:g} semitones higher" in note
    assert "too far" in cast_for("a child", "am_onyx").notes[0]
    assert cast_for("a child", "am_onyx").manner.pitch == BOUNDS["pitch"][1]


def test_a_voice_given_is_kept_and_a_contradiction_is_said():
    casting = cast_for("a British grandpa, whispering", "af_heart")
    assert casting.voice == "af_heart"
    assert casting.manner.whisper == 1
    assert casting.manner.tremor > 0
    assert casting.notes == (
        "af_heart is a woman's voice; 'grandpa' asks for a man's. The voice given is kept.",
        "af_heart speaks American; 'British' asks for British. The voice given is kept.",
    )
    assert not cast_for("an old woman", "af_heart").notes


def test_a_voice_given_acts_the_timbre_it_has_not():
    low, own = (cast_for("a deep voice", voice) for voice in ("af_jessica", "am_onyx"))
    assert low.manner.pitch < own.manner.pitch < 0
    assert any("low: af_jessica is not" in reason for reason in low.reasons)


def test_a_blend_may_be_given_and_an_unknown_voice_may_not():
    blend = "af_heart*0.6+bf_emma*0.4"
    assert cast_for("slowly", blend).voice == blend
    with pytest.raises(UnknownName, match="Did you mean 'af_heart'"):
        cast_for("slowly", "af_hart")


def test_a_cast_without_anybody_who_fits_says_so_and_speaks():
    members = [toy("af_heart", 190, "high"), toy("af_kore", 145, "low")]
    casting = cast_voice(read_persona("a British man"), None, members)
    assert casting.voice == "af_heart"
    assert casting.notes == (
        "No male voice is in this cast; the nearest of the others speaks.",
        "No British voice is in this cast; the nearest of the others speaks.",
    )
    assert cast_voice(read_persona("an old man"), None, []).voice == DEFAULT


def test_equals_are_cast_by_name_and_always_the_same():
    members = [toy("am_b", 110, "dark"), toy("am_a", 110, "dark")]
    assert cast_voice(read_persona("a man"), None, members).voice == "am_a"
    assert cast_for("a witch") == cast_for("a witch")


def test_every_person_of_the_word_lists_is_cast_within_the_bounds():
    for word in sorted(word for word, meaning in WORDS.items() if meaning.noun):
        casting = cast_for(f"like a {word}")
        assert parse_voice(casting.voice, MEMBERS)
        for control in CONTROLS:
            low, high = BOUNDS[control]
            assert low <= getattr(casting.manner, control) <= high, word


def test_every_voice_has_a_grade():
    assert sorted(name for names in GRADES.values() for name in names) == sorted(MEMBERS)


def test_a_name_is_a_blend_of_one_and_weights_sum_to_one():
    assert parse_voice("af_heart", MEMBERS) == (("af_heart", 1.0),)
    assert parse_voice("af_heart+bf_emma", MEMBERS) == (("af_heart", 0.5), ("bf_emma", 0.5))
    parts = dict(parse_voice(" af_heart * 3 + bf_emma * 1 ", MEMBERS))
    assert parts == pytest.approx({"af_heart": 0.75, "bf_emma": 0.25})
    assert parse_voice("af_heart+af_heart", MEMBERS) == (("af_heart", 1.0),)


@pytest.mark.parametrize(
    "spec",
    [
        "af_heart*0+bf_emma",
        "af_heart*-1+bf_emma",
        "af_heart*nan+bf_emma",
        "af_heart*inf+bf_emma",
        "af_heart*much+bf_emma",
        "af_heart*+bf_emma",
        "af_heart+",
        "af_heart+af_bella+af_sky+af_nova+af_kore",
        None,
    ],
)
def test_a_blend_that_cannot_be_read_says_how_to_write_it(spec):
    with pytest.raises(InvalidInput, match="allowed") as caught:
        parse_voice(spec, MEMBERS)
    assert "\n" not in str(caught.value)


def test_an_unknown_part_of_a_blend_gets_a_suggestion():
    with pytest.raises(UnknownName, match="Unknown voice 'bf_ema'. Did you mean 'bf_emma'"):
        parse_voice("af_heart*0.6+bf_ema*0.4", MEMBERS)


def test_a_blend_has_the_accent_of_its_larger_part_and_a_share_of_women():
    assert accent_of("bf_emma*0.6+af_nicole*0.4") == "gb"
    assert accent_of("bf_emma*0.4+af_nicole*0.3+am_adam*0.3") == "us"
    assert share_of_women("af_heart*0.25+am_adam*0.75") == pytest.approx(0.25)
    assert (share_of_women("af_heart"), share_of_women("am_adam")) == (1.0, 0.0)


def test_what_a_partner_of_a_blend_has_is_not_acted_too():
    for words in ("a low and bright voice", "a British woman with a low, breathy voice"):
        casting = cast_for(words)
        assert len(parse_voice(casting.voice, MEMBERS)) == 2
        assert len(casting.reasons) == 1
        assert "adds what it lacks" in casting.reasons[0]
        assert casting.manner == read_persona(words).manner
    given = cast_for("a deep voice", "af_jessica*0.9+am_onyx*0.1")
    assert given.manner == read_persona("a deep voice").manner


def test_less_of_a_timbre_casts_nobody_with_it():
    assert cast_for("a bit less breathy") == Casting()
