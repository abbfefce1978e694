from __future__ import annotations

import subprocess
import sys

import pytest

from conditioning.errors import InvalidInput, UnknownName
from conditioning.taxonomy import (
    ATTRIBUTES,
    CATEGORIES,
    CORPUS_LABELS,
    FAMILIES,
    INDEX,
    NAMES,
    TERMS,
    corpus_label,
    find,
    fingerprint,
)


def test_there_are_forty_categories_in_the_published_order():
    assert len(NAMES) == len(set(NAMES)) == 40
    assert NAMES[0] == "Amusement"
    assert NAMES[12] == "Astonishment/Surprise"
    assert NAMES[39] == "Jealousy & Envy"
    assert all(NAMES[INDEX[name]] == name for name in NAMES)


def test_the_fingerprint_is_pinned_because_checkpoints_carry_it():
    assert fingerprint() == "955b24bca64d6dda"


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("Anger", "Anger"),
        ("ANGER ", "Anger"),
        ("astonishment_surprise", "Astonishment/Surprise"),
        ("Astonishment_Surprise", "Astonishment/Surprise"),
        ("surprise", "Astonishment/Surprise"),
        ("malice", "Malevolence/Malice"),
        ("fury", "Anger"),
        ("self-confidence", "Pride"),
        ("Jealousy_&_Envy", "Jealousy & Envy"),
        ("jealousy_and_envy", "Jealousy & Envy"),
        ("jealousy envy", "Jealousy & Envy"),
        ("impatience", "Impatience and Irritability"),
        ("altered states of consciousness", "Intoxication/Altered States of Consciousness"),
        ("lust", "Sexual Lust"),
        ("bliss", "Pleasure/Ecstasy"),
    ],
)
def test_a_category_is_found_by_any_of_its_names(spelling, name):
    assert find(spelling).name == name


def test_every_name_slug_key_and_word_finds_its_own_category():
    for category in CATEGORIES:
        words = set(category.words) - {"bliss"}  # listed under two categories
        for spelling in {category.name, category.slug, category.laion_key} | words:
            assert find(spelling) is category, spelling


def test_an_unknown_name_gets_a_suggestion_in_one_line():
    with pytest.raises(UnknownName, match="Unknown emotion 'angr'. Did you mean 'anger'") as caught:
        find("angr")
    assert "Jealousy & Envy" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_very_long_unknown_name_is_shortened_in_the_error():
    with pytest.raises(UnknownName) as caught:
        find("x" * 5000)
    assert len(str(caught.value)) < 1500


def test_a_name_that_is_no_text_is_refused():
    with pytest.raises(InvalidInput, match="came as int"):
        find(3)


def test_every_place_is_the_mean_of_the_terms_it_names():
    for category in CATEGORIES:
        for axis, value in enumerate((category.valence, category.arousal, category.dominance)):
            mean = sum(TERMS[term][axis] for term in category.terms) / len(category.terms)
            assert value == pytest.approx(mean, abs=1e-3)
            assert -1 <= value <= 1
        assert all(f"'{term}'" in category.source for term in category.terms)
        assert category.source.startswith("placed by us") is not category.measured


def test_every_term_is_used():
    assert {term for category in CATEGORIES for term in category.terms} == set(TERMS)


def test_places_lie_where_the_emotions_are_known_to_lie():
    assert find("Anger").dominance > 0 > find("Fear").dominance
    assert find("Elation").arousal > 0 > find("Contentment").arousal
    assert find("Elation").valence > 0 > find("Sadness").valence
    assert find("Fatigue").arousal < 0 < find("Surprise").arousal


def test_every_category_has_a_known_family_and_every_family_a_category():
    assert {category.family for category in CATEGORIES} == set(FAMILIES)


def test_there_are_fifteen_attributes_with_rising_scales():
    assert len({attribute.laion_key for attribute in ATTRIBUTES}) == 15
    assert all(attribute.low < attribute.high for attribute in ATTRIBUTES)
    keys = {category.laion_key for category in CATEGORIES}
    assert len(keys | {attribute.laion_key for attribute in ATTRIBUTES}) == 55


def test_laion_keys_are_spelt_as_laion_spells_its_files():
    assert find("Jealousy & Envy").laion_key == "Jealousy_&_Envy"
    assert find("Impatience").laion_key == "Impatience_and_Irritability"
    assert find("Hope").laion_key == "Hope_Enthusiasm_Optimism"
    assert find("Intoxication").laion_key == "Intoxication_Altered_States_of_Consciousness"


def test_corpus_labels_lead_to_categories_and_neutral_to_none():
    assert corpus_label("emodb", "anger") == {"Anger": 1.0}
    assert corpus_label("ravdess", "Calm") == {"Contentment": 1.0}
    assert corpus_label("crema_d", "NEU") == {}
    assert corpus_label("laion_voice_acting", "jealousy_and_envy") == {"Jealousy & Envy": 1.0}
    assert len(CORPUS_LABELS["laion_voice_acting"]) == 40
    assert corpus_label("nemo", "surprised") == {"Astonishment/Surprise": 1.0}
    assert corpus_label("expresso", "laughing") == {"Amusement": 1.0}
    assert corpus_label("expresso", "default") == corpus_label("emns", "neutral") == {}
    assert corpus_label("jl_corpus", "anxious") == {"Distress": 1.0}
    assert corpus_label("emns", "Sarcastic") == {"Contempt": 0.5, "Teasing": 0.5}
    assert corpus_label("got_talent", "awe") == corpus_label("emonet_voice", "awe") == {"Awe": 1.0}
    for labels in CORPUS_LABELS.values():
        for shares in labels.values():
            assert set(shares) <= set(NAMES)


def test_an_unknown_corpus_or_label_is_refused():
    with pytest.raises(UnknownName, match="Did you mean 'ravdess'"):
        corpus_label("ravdes", "anger")
    with pytest.raises(UnknownName, match="Unknown label of esd 'boredom'"):
        corpus_label("esd", "boredom")


def test_vectors_and_directions_import_no_torch_and_no_numpy():
    code = (
        "import sys, conditioning.direction; "
        "assert not {'torch', 'numpy', 'scipy'} & set(sys.modules), sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
