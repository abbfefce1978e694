from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conditioning.direction import DirectionReader, direct
from conditioning.director import CAUGHT, HOSTILE, Cue, Director, Line
from conditioning.emotion import EmotionCurve, EmotionVector
from conditioning.errors import InvalidInput, UnknownName
from conditioning.mood import MOST_COLOUR, OCTANTS, Mood
from conditioning.taxonomy import NAMES, find
from conditioning.temperament import TEMPERAMENTS, Temperament, find_temperament

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
DOCS = Path(__file__).parents[1] / "docs"

# A few words, each worth an emotion: enough of a reader for tests.
WORDS = {
    "fool": ("Contempt", 0.8),
    "kill": ("Anger", 0.9),
    "thank": ("Thankfulness/Gratitude", 0.6),
}


def reader(text: str) -> EmotionVector:
    return EmotionVector({name: value for word, (name, value) in WORDS.items() if word in text})


class Words(DirectionReader):
    """Reads the few words above in lines."""

    def line(self, text, context=()):
        return reader(text), ()


def insult(to: str) -> Line:
    return Line("Cato", "You are a coward and a fool.", "furious, contemptuous", (to,))


def neutral(who: str = "Cato") -> Line:
    return Line(who, "The table is made of wood.", "neutral")


def bran(temperament: str | Temperament, **given) -> Director:
    if isinstance(temperament, str):
        temperament = find_temperament(temperament)
    return Director({"Bran": temperament}, **given)


def insulted(temperament: str) -> tuple[float, int]:
    """How far an insult moves a mood from its baseline, and the lines until it is half back."""
    director = bran(temperament)
    rest = director.mood("Bran")
    director.direct(insult("Bran"))
    peak = director.mood("Bran").less(rest).strength
    lines = 0
    while director.mood("Bran").less(rest).strength > peak / 2:
        director.direct(neutral())
        lines += 1
    return peak, lines


def opposite(name: str, vector: EmotionVector) -> bool:
    return any(find(name).valence * find(other).valence < 0 for other, _ in vector.items())


vectors = st.dictionaries(st.sampled_from(NAMES), st.floats(0, 1), max_size=6).map(EmotionVector)
traits = st.floats(-1, 1)
temperaments = st.builds(Temperament, traits, traits, traits, traits, traits)
moods = st.builds(Mood, traits, traits, traits)


# What personality does


def test_the_same_insult_moves_the_hot_tempered_further_and_longer_than_the_calm():
    hot, hot_lines = insulted("hot-tempered")
    calm, calm_lines = insulted("calm")
    assert hot > 1.5 * calm
    assert hot_lines > 2 * calm_lines


def test_insulted_the_dominant_get_angry_and_the_submissive_shrink():
    hot, timid = bran("hot-tempered"), bran("timid")
    for director in (hot, timid):
        rest = director.mood("Bran")
        director.direct(insult("Bran"))
        assert director.mood("Bran").valence < rest.valence - 0.2
        assert director.mood("Bran").arousal > rest.arousal + 0.2
    assert hot.mood("Bran").dominance > find_temperament("hot-tempered").baseline.dominance
    assert timid.mood("Bran").dominance < find_temperament("timid").baseline.dominance - 0.1
    assert hot.mood("Bran").octant == "hostile"
    assert timid.mood("Bran").octant == "anxious"


def test_contempt_shames_and_anger_frightens_those_who_give_way():
    director = bran("timid")
    scorned = director.direct(Line("Cato", "Go.", EmotionVector({"Contempt": 1}), ("Bran",)))
    threatened = director.direct(Line("Cato", "Go.", EmotionVector({"Anger": 1}), ("Bran",)))
    assert scorned.felt["Bran"].items()[0][0] == "Shame"
    assert threatened.felt["Bran"].items()[0][0] == "Fear"


def test_warmth_is_caught_by_the_warm():
    lifted = {}
    for word in ("gentle", "cold"):
        director = bran(word)
        rest = director.mood("Bran").valence
        director.direct(Line("Cato", "I am glad you came.", "affectionate", ("Bran",)))
        lifted[word] = director.mood("Bran").valence - rest
    assert lifted["gentle"] > 3 * lifted["cold"] > 0


def test_an_apology_soothes():
    def valence(last: Line) -> float:
        director = bran("average")
        director.scene([insult("Bran"), last])
        return director.mood("Bran").valence

    assert valence(Line("Cato", "I am sorry.", "remorseful", ("Bran",))) > valence(neutral()) + 0.05


def test_what_is_not_said_to_somebody_moves_them_a_third_as_strongly():
    director = Director()
    director.direct(Line("Ada", "Hello.", "neutral", ("Bran", "Wim")))
    cue = director.direct(insult("Bran"))
    assert cue.felt["Wim"]["Anger"] == pytest.approx(cue.felt["Bran"]["Anger"] / 3)
    assert 0 < cue.moods["Wim"].strength < cue.moods["Bran"].strength


def test_a_line_to_nobody_in_particular_is_said_to_whoever_spoke_before():
    director = Director()
    director.scene([neutral("Wim"), neutral("Bran"), neutral("Cato")])
    assert director.to_json()["speakers"] == ["Wim", "Bran", "Cato"]
    director.scene([neutral("Bran"), neutral("Cato")])
    assert director.to_json()["speakers"] == ["Wim", "Bran", "Cato"]
    cue = director.direct(Line("Cato", "Out!", "furious"))
    assert cue.moods["Bran"].strength > cue.moods["Wim"].strength > 0


def test_who_has_not_spoken_yet_begins_at_their_baseline():
    director = bran("hot-tempered")
    cue = director.direct(Line("Ada", "Is Bran here?", "neutral", ("Bran",)))
    assert cue.moods["Bran"] == find_temperament("hot-tempered").baseline


def test_what_is_said_moves_the_speaker_too():
    director = bran("average")
    cue = director.direct(Line("Bran", "I will end you.", "furious"))
    assert cue.before == Mood()
    assert cue.after.octant == "hostile"
    assert cue.after == cue.moods["Bran"] == director.mood("Bran")


# What keeps the moods in order


@pytest.mark.parametrize("name", TEMPERAMENTS)
def test_a_neutral_scene_leaves_everybody_at_their_baseline(name):
    director = bran(name)
    cues = director.scene([neutral("Bran"), neutral("Cato")] * 10)
    for cue in cues:
        assert cue.moods["Bran"] == pytest.approx(find_temperament(name).baseline)
        assert cue.direction.curve.is_neutral


@pytest.mark.parametrize("name", ["hot-tempered", "sensitive"])
def test_a_thousand_insults_leave_the_moods_within_bounds(name):
    director = bran(name)
    insult = Line("Cato", "Coward.", EmotionVector({"Contempt": 1, "Anger": 1}), ("Bran",))
    for _ in range(1000):
        cue = director.direct(insult)
    assert all(-1 <= number <= 1 for mood in cue.moods.values() for number in mood)
    assert len(json.dumps(director.to_json())) < 50_000


@given(temperaments, temperaments, st.lists(vectors, max_size=8))
@settings(max_examples=60, deadline=None)
def test_no_emotion_and_no_temperament_leads_out_of_bounds(one, other, spoken):
    director = Director({"Bran": one, "Cato": other})
    for turn, vector in enumerate(spoken):
        cue = director.direct(Line(("Bran", "Cato")[turn % 2], "So.", vector))
        assert all(-1 <= number <= 1 for mood in cue.moods.values() for number in mood)


@given(st.lists(vectors, min_size=1, max_size=6), temperaments)
@settings(max_examples=30, deadline=None)
def test_the_baseline_and_what_lines_added_make_up_the_mood(spoken, temperament):
    director = bran(temperament)
    director.scene(Line("Cato", "So.", vector, ("Bran",)) for vector in spoken)
    state = director.to_json()["characters"]["Bran"]
    for axis in range(3):
        parts = [push[axis] for _, push in state["pushes"]]
        whole = temperament.baseline[axis] + sum(parts)
        assert state["mood"][axis] == pytest.approx(whole, abs=0.01 * len(spoken))


def test_the_same_lines_give_the_same_cues():
    lines = [insult("Bran"), Line("Bran", "Fool yourself."), neutral(), Line("Bran", "Go.")]
    assert bran("proud", reader=Words()).scene(lines) == bran("proud", reader=Words()).scene(lines)


def test_reset_forgets_the_scene():
    director = bran("timid", reader=Words())
    first = director.scene([insult("Bran"), Line("Bran", "Why?")])
    director.reset()
    assert director.mood("Bran") == find_temperament("timid").baseline
    assert director.scene([insult("Bran"), Line("Bran", "Why?")]) == first


def test_a_direction_that_cannot_be_read_leaves_the_moods_as_they_were():
    director = bran("timid")
    director.direct(insult("Bran"))
    before = director.to_json()
    with pytest.raises(InvalidInput):
        director.direct(Line("Bran", "Why?", "xylophone"))
    assert director.to_json() == before


# What is spoken


@given(vectors, st.lists(vectors, min_size=1, max_size=4), temperaments)
@settings(max_examples=60, deadline=None)
def test_a_direction_wins_over_any_mood(asked, before, temperament):
    director = bran(temperament, reader=Words())
    director.scene(Line("Cato", "So.", vector, ("Bran",)) for vector in before)
    heard = director.direct(Line("Bran", "You fool.", asked)).emotion
    added = {name: value for name, value in heard.items() if value > asked[name] + 1e-9}
    assert all(heard[name] >= value - 1e-9 for name, value in asked.items())
    assert not any(opposite(name, asked) for name in added)
    assert all(value <= MOST_COLOUR / 2 + 1e-9 for name, value in added.items())
    assert heard.is_neutral or not asked.is_neutral


def test_neutral_stays_neutral_in_the_worst_mood():
    director = bran("hot-tempered", reader=Words())
    director.scene([insult("Bran")] * 5)
    for direction in ("neutral", EmotionVector(), EmotionCurve.constant(EmotionVector())):
        assert director.direct(Line("Bran", "You fool.", direction)).emotion.is_neutral


def test_without_a_direction_the_words_and_the_mood_are_heard():
    director = bran("hot-tempered", reader=Words())
    director.direct(insult("Bran"))
    cue = director.direct(Line("Bran", "I thank you."))
    assert cue.emotion["Thankfulness/Gratitude"] == 0.6
    assert cue.emotion["Anger"] > 0.1
    assert cue.why[0] == "the line itself: Thankfulness/Gratitude 0.6"
    assert cue.why[1].endswith("hostile since line 1 (Cato: 'You are a coward and a fool.')")


def test_the_reason_is_the_line_that_weighs_most_in_the_mood():
    director = bran("average")
    director.direct(Line("Ada", "Good day.", "slightly friendly", ("Bran",)))
    director.direct(insult("Bran"))
    director.direct(Line("Ada", "Come now.", "slightly friendly", ("Bran",)))
    (why,) = director.direct(Line("Bran", "The table is made of wood.")).why
    assert "since line 2 (Cato:" in why


def test_who_was_never_moved_is_as_their_temperament_makes_them():
    (why,) = bran("hot-tempered").direct(Line("Bran", "The table is made of wood.")).why
    assert why.startswith("mood: ")
    assert why.endswith(" hostile by temperament")


def test_brackets_hold_and_the_mood_colours_the_rest():
    director = bran("hot-tempered")
    director.direct(insult("Bran"))
    cue = director.direct(Line("Bran", "Come in. [happy] Sit down."))
    assert cue.direction.text == "Come in. Sit down."
    assert cue.direction.curve.at(0.1)["Anger"] > 0
    assert cue.direction.curve.at(0.9) == direct("So.", "happy").curve.at(0.5)


def test_a_direction_of_the_manner_alone_leaves_the_emotion_to_the_words():
    cue = bran("average", reader=Words()).direct(
        Line("Bran", "You fool! [happy] Ha.", "whispering")
    )
    assert cue.direction.curve.at(0.1) == reader("You fool!")
    assert cue.direction.persona == direct("You fool! Ha.", "whispering").persona


def test_a_ramp_is_kept():
    curve = bran("calm").direct(Line("Bran", "Come in.", "sad -> furious")).direction.curve
    assert curve.at(0)["Sadness"] == 0.6
    assert curve.at(1)["Anger"] == 0.95


def test_a_direction_already_read_is_taken_as_it_is():
    asked = direct("Come in.", "furious")
    cue = bran("calm").direct(Line("Bran", "Come in.", asked))
    assert cue.direction.curve.at(0.5)["Anger"] == 0.95
    assert cue.direction.evidence == asked.evidence


def test_auto_leaves_a_line_to_the_director():
    plain, auto = (bran("average", reader=Words()) for _ in range(2))
    cue = auto.direct(Line("Bran", "You fool.", "auto"))
    assert cue.emotion == plain.direct(Line("Bran", "You fool.")).emotion == reader("You fool.")


@given(vectors)
@settings(max_examples=30, deadline=None)
def test_without_moods_every_line_is_exactly_as_directed_or_read(vector):
    director = bran("hot-tempered", reader=Words(), moods=False)
    before = director.to_json()
    director.direct(insult("Bran"))
    directed = director.direct(Line("Bran", "You fool.", vector))
    read = director.direct(Line("Bran", "You fool."))
    assert directed.direction.curve == EmotionCurve.constant(vector)
    assert read.direction.curve == EmotionCurve.constant(reader("You fool."))
    assert directed.moods == {}
    assert director.to_json() == before


def test_a_habit_colours_lines_by_half_where_something_is_asked_and_not_the_neutral_ones():
    director = Director(habits={"Bran": EmotionVector({"Sadness": 0.4})})
    plain, asked, neutral = director.scene(
        [
            Line("Bran", "The door is open."),
            Line("Bran", "The door is open.", "afraid"),
            Line("Bran", "The door is open.", "neutral"),
        ]
    )
    assert plain.emotion == EmotionVector({"Sadness": 0.4})
    assert plain.why == ("habit: Sadness 0.4",)
    assert asked.emotion["Sadness"] == pytest.approx(0.2)
    assert neutral.emotion.is_neutral
    assert Director.from_json(director.to_json()).habits == director.habits


def test_the_director_reads_each_line_once():
    asked = []

    class Counting(Words):
        def line(self, text, context=()):
            asked.append(text)
            return EmotionVector(), ()

    director = bran("average", reader=Counting())
    director.scene([Line("Bran", "One. [happy] Two."), insult("Bran"), Line("Bran", "Three.")])
    assert asked == ["One. Two.", "Three."]


# What is kept


def test_a_scene_goes_on_from_its_state_as_if_never_stopped():
    cast = {"Bran": find_temperament("hot-tempered"), "Wim": find_temperament("timid")}
    lines = [insult("Bran"), Line("Wim", "Please stop."), Line("Bran", "I kill you."), neutral()]
    rest = [Line("Wim", "I thank you."), insult("Wim"), Line("Bran", "Go."), Line("Wim", "Yes.")]
    whole = Director(cast, Words())
    whole.scene(lines)
    state = json.loads(json.dumps(whole.to_json()))
    again = Director.from_json(state, Words())
    assert again.scene(rest) == whole.scene(rest)
    assert again.to_json() == whole.to_json()


@pytest.mark.parametrize(
    "broken",
    [
        {},
        [],
        {"temperaments": {"Bran": {"openness": 3}}},
        {"characters": {"Bran": {"mood": [2, 0, 0], "pushes": []}}},
        {"characters": {"Bran": {"mood": [0, 0], "pushes": []}}},
        {"characters": {"Bran": {"mood": [0, 0, 0], "pushes": [["line 1", [0, 3, 0]]]}}},
        {"lines": "many"},
        {"characters": {"Bran": {"mood": [float("nan"), 0, 0], "pushes": []}}},
    ],
)
def test_a_broken_state_is_refused_in_one_line(broken):
    state = {**Director().to_json(), **broken} if broken else broken
    with pytest.raises(InvalidInput, match="to_json") as raised:
        Director.from_json(state)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "given",
    [
        {"character": ""},
        {"character": 3},
        {"text": None},
        {"to": "Bran"},
        {"to": 3},
        {"to": ("",)},
    ],
)
def test_a_line_that_is_none_is_refused(given):
    with pytest.raises(InvalidInput):
        Line(**{"character": "Bran", "text": "Hello.", **given})


def test_a_temperament_that_is_none_is_refused():
    with pytest.raises(InvalidInput, match="find_temperament"):
        Director({"Bran": "calm"})


# Moods and temperaments


def test_no_mood_is_neutral_and_every_corner_has_its_colour():
    assert Mood().colour.is_neutral
    assert Mood().name == "even"
    for signs, (octant, emotions) in OCTANTS.items():
        mood = Mood(*(0.5 * sign for sign in signs))
        assert mood.octant == octant
        assert {name for name, _ in mood.colour.items()} == {find(name).name for name in emotions}
        assert all(find(name).valence * signs[0] > 0 for name in emotions)
    assert len({octant for octant, _ in OCTANTS.values()}) == 8


@given(moods)
def test_a_colour_is_mild_and_grows_with_the_mood(mood):
    total = sum(value for _, value in mood.colour.items())
    assert total <= MOST_COLOUR + 1e-9
    assert total <= mood.strength + 1e-9


def test_the_degree_of_a_mood_is_said():
    hostile = [Mood(-size, size, size).name for size in (0.01, 0.05, 0.15, 0.3, 0.6)]
    assert hostile == ["even", "barely hostile", "slightly hostile", "hostile", "very hostile"]


@given(temperaments)
def test_every_temperament_stays_within_what_it_says(temperament):
    for trait in (temperament.pleasure, temperament.arousability, temperament.dominance):
        assert -1 <= trait <= 1
    assert temperament.baseline.strength <= 0.4
    assert all(0.1 - 1e-9 <= temperament.reactivity(each) <= 0.9 + 1e-9 for each in (True, False))
    assert 2 <= temperament.half_life <= 8
    assert 0 <= temperament.warmth <= 1
    assert 0 <= temperament.defiance <= 1


def test_the_traits_follow_from_the_five_factors_as_mehrabian_weighs_them():
    extravert = Temperament(extraversion=1)
    assert (extravert.pleasure, extravert.dominance) == (0.21, 0.60)
    stable = Temperament(stability=1)
    assert (stable.pleasure, stable.arousability) == (0.19, -0.57)
    agreeable = Temperament(agreeableness=1)
    assert (agreeable.pleasure, agreeable.arousability, agreeable.dominance) == (0.59, 0.3, -0.32)
    open_minded = Temperament(openness=1, conscientiousness=1)
    assert (open_minded.arousability, open_minded.dominance) == (0.15, pytest.approx(0.42))


def test_temperaments_are_found_by_their_words():
    for name, temperament in TEMPERAMENTS.items():
        assert find_temperament(name.replace("-", " ").upper()) == temperament
    with pytest.raises(UnknownName, match="Did you mean 'hot-tempered'"):
        find_temperament("hot temperd")
    with pytest.raises(InvalidInput):
        find_temperament(None)


def test_the_words_for_temperaments_order_as_people_mean_them():
    of = find_temperament
    assert of("hot-tempered").reactivity(False) > of("average").reactivity(False)
    assert of("stoic").reactivity(False) < of("average").reactivity(False)
    assert of("cheerful").pleasure > of("average").pleasure > of("gloomy").pleasure
    assert of("bold").dominance > 0.3 > -0.3 > of("timid").dominance
    assert of("anxious").half_life > of("calm").half_life
    assert of("gentle").warmth > of("cold").warmth
    assert len(set(TEMPERAMENTS.values())) == len(TEMPERAMENTS)


@pytest.mark.parametrize("value", [1.5, -2, float("nan"), "much", True, None])
def test_a_trait_out_of_bounds_is_refused(value):
    with pytest.raises(InvalidInput, match="stability"):
        Temperament(stability=value)


def test_the_tables_name_categories():
    answers = [*HOSTILE.values(), *(name for name, _ in CAUGHT.values())]
    for name in (*HOSTILE, *CAUGHT, *answers):
        assert find(name).name == name
    assert not set(HOSTILE) & set(CAUGHT)


def test_directing_needs_no_network():
    code = (
        "import sys; from conditioning.director import Director, Line; "
        "Director().direct(Line('Bran', 'Go.', 'furious')); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


# The scene in docs/


@pytest.fixture
def scene(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import scene

    return scene


@pytest.fixture
def played(scene) -> list[Cue]:
    return scene.play(None)


def test_the_scene_in_the_docs_is_what_the_command_writes(scene):
    page = (DOCS / "scene.md").read_text(encoding="utf-8")
    if scene.WRITTEN in page:
        assert page == scene.page(scene.play(None), scene.WRITTEN)
        return
    assert page == scene.page(scene.play(scene.trained()), scene.READ)


def test_the_scene_can_be_drawn(scene, played, tmp_path):
    pytest.importorskip("matplotlib")
    scene.draw(played, tmp_path / "scene.png")
    assert (tmp_path / "scene.png").read_bytes()[1:4] == b"PNG"
    assert (DOCS / "scene.png").is_file()


def test_in_the_scene_the_hot_tempered_flares_up_the_calm_hardly_moves_the_timid_shrinks(
    scene, played
):
    assert len(played) == 20
    rest = {name: find_temperament(word).baseline for name, word in scene.CAST.items()}
    off = {
        name: [cue.moods.get(name, rest[name]).less(rest[name]) for cue in played] for name in rest
    }
    threat, after = 9, 14  # the lines' indices
    assert off["Bran"][threat].arousal > 0.4
    assert off["Bran"][after].arousal > 0.2
    assert off["Bran"][after].strength > off["Bran"][threat].strength / 2
    assert max(mood.strength for mood in off["Ada"]) < 0.35
    assert off["Wim"][threat].valence < -0.4
    assert off["Wim"][threat].dominance < -0.2
