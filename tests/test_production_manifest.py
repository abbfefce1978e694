"""The manifest in JSON and CSV, and its schema."""

from __future__ import annotations

import csv
import io
import json
import re
from importlib.resources import files

import pytest

from voice_actor.production.manifest import COLUMNS, FIELDS, manifest_csv, manifest_json, summary

SCRIPT = "tavern.yarn"


def record(id: str = "line:1", **changes) -> dict:
    """A record as a production writes it."""
    made = {
        "id": id,
        "script": SCRIPT,
        "place": 3,
        "character": "Bran",
        "to": ["Mara"],
        "text": "You have [b]no[/b] coin.",
        "spoken": "You have no coin.",
        "direction": "furious, contemptuous",
        "voice": "am_onyx",
        "file": f"voice/{id.replace(':', '-')}.ogg",
        "files": {"rhubarb": "mouth/line-1.json"},
        "duration": 1.25,
        "sample_rate": 24000,
        "loudness": -19.5,
        "true_peak": -1.2,
        "gain": 3.5,
        "asked": {"Anger": 0.8, "Contempt": 0.3},
        "heard": {"Anger": 0.61, "Pride": 0.004},
        "score": 0.72,
        "reason": "less Anger than asked",
        "heard_by": "toy",
        "transcript": "you have no coin",
        "word_errors": 0,
        "words_expected": 4,
        "faults": [],
        "take": 0,
        "attempts": 1,
        "words": [["You", 0.1, 0.2], ["have", 0.2, 0.4], ["no", 0.4, 0.7], ["coin", 0.7, 1.2]],
        "notes": [],
        "seed": 0,
        "hash": "0" * 64,
        "sha256": "1" * 64,
        "synthetic": True,
        "licence": "Apache-2.0",
        "provenance": {"voice": "am_onyx", "seed": 0, "version": "0.1.0"},
    }
    assert not changes.keys() - made.keys()
    return made | changes


def unheard(id: str, **changes) -> dict:
    nothing = "heard score reason heard_by transcript word_errors words_expected".split()
    return record(id, **dict.fromkeys(nothing), **changes)


def rows(encoded: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(encoded.decode("utf-8-sig"), newline="")))


def test_a_manifest_says_what_was_built_and_holds_each_record_as_it_is():
    records = [record("a"), unheard("b")]
    manifest = json.loads(manifest_json(records, {"scripts": [SCRIPT], "seed": 7}))
    assert list(manifest) == ["format", "note", "scripts", "seed", "summary", "lines"]
    assert manifest["scripts"] == [SCRIPT]
    assert "synthetic" in manifest["note"]
    assert manifest["lines"] == records
    assert list(manifest["lines"][0]) == list(FIELDS)


def test_the_same_records_give_the_same_bytes_whatever_the_order_of_their_fields():
    one = record("a")
    other = dict(reversed(one.items()))
    assert manifest_json([one], {"seed": 0}) == manifest_json([other], {"seed": 0})
    assert manifest_csv([one]) == manifest_csv([other])


def test_a_line_of_the_script_is_a_line_of_the_manifest_so_that_a_change_is_a_change_of_one():
    before = manifest_json([record("a"), record("b"), record("c")], {}).splitlines()
    after = manifest_json([record("a"), record("b", take=1), record("c")], {}).splitlines()
    assert sum(one != other for one, other in zip(before, after, strict=True)) == 1


@pytest.mark.parametrize("records", [[], [record("a")]])
def test_both_files_end_with_the_end_of_a_line(records):
    assert manifest_json(records, {}).endswith(b"}\n")
    assert manifest_csv(records).endswith(b"\r\n")


def test_a_script_without_lines_still_gives_a_manifest():
    manifest = json.loads(manifest_json([], {}))
    assert manifest["lines"] == []
    assert manifest["summary"]["word_error_rate"] is None


def test_the_word_error_rate_is_all_errors_over_all_words_of_the_lines_listened_to():
    told = summary(
        [
            record("a", word_errors=1, words_expected=2),
            record("b", word_errors=0, words_expected=18, faults=["clipped", "too long"]),
            unheard("c", character="Mara"),
        ]
    )
    assert told == {
        "lines": 3,
        "seconds": 3.75,
        "characters": {"Bran": 2, "Mara": 1},
        "word_error_rate": 0.05,
        "faults": 1,
    }


def test_where_nobody_listened_there_is_no_word_error_rate():
    assert summary([unheard("a")])["word_error_rate"] is None


def test_a_record_that_lacks_a_field_or_has_another_is_refused():
    for wrong in ({**record(), "more": 1}, {k: v for k, v in record().items() if k != "seed"}):
        with pytest.raises(AssertionError):
            manifest_json([wrong], {})
        with pytest.raises(AssertionError):
            manifest_csv([wrong])


def test_numbers_that_json_does_not_know_are_refused():
    with pytest.raises(ValueError, match="JSON"):
        manifest_json([record(loudness=float("-inf"))], {})


def test_a_build_cannot_take_the_place_of_what_every_manifest_has():
    with pytest.raises(AssertionError):
        manifest_json([], {"summary": {}})


def schema() -> dict:
    named = files("voice_actor.production").joinpath("manifest.schema.json")
    return json.loads(named.read_text(encoding="utf-8"))


def validate(manifest: dict) -> None:
    reason = "needs jsonschema, which the studio's gradio[mcp] brings along"
    jsonschema = pytest.importorskip("jsonschema", reason=reason)
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.validate(manifest, schema(), jsonschema.Draft202012Validator)


def test_a_manifest_is_valid_by_its_schema():
    silent = unheard("b", loudness=None, true_peak=None, files={}, words=[], asked={}, to=[])
    build = {"scripts": [SCRIPT], "version": "0.1.0", "cast": {"Bran": {"voice": "am_onyx"}}}
    validate(json.loads(manifest_json([record("a", faults=["clipped"]), silent], build)))
    validate(json.loads(manifest_json([], {})))


@pytest.mark.parametrize(
    "change",
    [
        {"gain": "3.5"},
        {"asked": {"Anger": 1.2}},
        {"asked": None},
        {"synthetic": False},
        {"hash": "short"},
        {"words": [["You", 0.1]]},
        {"heard": {"Anger": "loud"}},
        {"place": 1.5},
        {"file": ""},
    ],
)
def test_the_schema_refuses_what_an_importer_could_not_use(change):
    jsonschema = pytest.importorskip("jsonschema")
    manifest = json.loads(manifest_json([record(**change)], {}))
    with pytest.raises(jsonschema.ValidationError):
        validate(manifest)


def test_the_schema_knows_just_the_fields_of_a_record():
    line = schema()["$defs"]["line"]
    assert line["required"] == list(FIELDS) == list(line["properties"])


def test_the_sheet_is_utf8_with_its_mark_and_has_a_row_for_each_line():
    encoded = manifest_csv([record("a", text="Grüß dich, „Alter“!\nSetz dich."), record("b")])
    assert encoded.startswith(b"\xef\xbb\xbfid,script,place,")
    read = rows(encoded)
    assert [row["id"] for row in read] == ["a", "b"]
    assert list(read[0]) == list(COLUMNS)
    assert read[0]["text"] == "Grüß dich, „Alter“!\nSetz dich."


def test_the_sheet_tells_nested_values_in_words():
    (row,) = rows(manifest_csv([record(to=["Mara", "Tom"], faults=["clipped", "2 of 4 words"])]))
    assert row["asked"] == "Anger 0.80, Contempt 0.30"
    assert row["heard"] == "Anger 0.61"  # what rounds to nothing is not told
    assert row["to"] == "Mara; Tom"
    assert row["faults"] == "clipped; 2 of 4 words"
    assert row["files"] == "rhubarb: mouth/line-1.json"
    assert row["provenance"] == "voice: am_onyx; seed: 0; version: 0.1.0"
    assert row["synthetic"] == "true"


def test_what_nobody_heard_is_empty_in_the_sheet():
    (row,) = rows(manifest_csv([unheard("a")]))
    assert row["heard"] == row["score"] == row["transcript"] == row["word_errors"] == ""


def test_numbers_survive_the_sheet():
    numbers = {"loudness": -23.0, "true_peak": -1.25, "gain": 0.0, "score": -0.5, "place": 12}
    (row,) = rows(manifest_csv([record(**numbers)]))
    assert {name: float(row[name]) for name in numbers} == numbers


FORMULAS = ["=1+1", "+1", "-2+3", "@SUM(1)", "\t=1", "\r=1", "\n=1", "＝1", "－ no", "'=1", "''@x"]
PLAIN = ["line:0ab3", "demo_03fc91ef", "007", "1e5", "a=b", "'tis", "''", " x", "x\t=1", '"=1"']


@pytest.mark.parametrize("text", FORMULAS)
def test_no_text_runs_as_a_formula(text):
    (row,) = rows(manifest_csv([record("x", text=text, character=text)]))
    assert row["text"] == row["character"] == f"'{text}"


@pytest.mark.parametrize("text", PLAIN)
def test_every_other_cell_is_the_text_itself(text):
    (row,) = rows(manifest_csv([record("x", text=text)]))
    assert row["text"] == text


@pytest.mark.parametrize("text", FORMULAS + PLAIN)
def test_a_program_gets_ids_and_texts_back_by_taking_one_apostrophe_away(text):
    (row,) = rows(manifest_csv([{**record(), "id": text}]))
    assert re.sub("^'(?='*[=+\\-@\t\r\n＝＋－＠])", "", row["id"]) == text
