"""A production: every line is spoken once, in character, and nothing that is made gets lost."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from toys import ToyEstimator

from conditioning.direction import DirectionReader
from conditioning.emotion import EmotionVector
from conditioning.errors import InvalidInput, WeightsError
from voice_actor.production import folder as folders
from voice_actor.production.build import produce
from voice_actor.production.cast_file import read_cast
from voice_actor.production.folder import RETAKES, STATE, Folder, read_retakes
from voice_actor.production.gate import Examiner, Gate, Verdict
from voice_actor.production.plan import Checker, Plan
from voice_actor.production.voicing import Voicer
from voice_actor.scripts import read_scripts

SCRIPT = """BRAN: Who is there?
ADA (furious): Open the door, you old fool!
BRAN: ...
ADA (in the doorway): It is cold out here.
BRAN: Good.
"""
CAST = """
[characters.Bran]
voice = "bm_george"
persona = "an old man"
[characters.ADA]
voice = "af_heart"
loudness = -20.0
"""


@pytest.fixture(autouse=True)
def _one_day(monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1800000000")


@pytest.fixture(scope="module")
def voicer(humming) -> Voicer:
    return Voicer(lambda: humming)


def planned(
    humming, script: str = SCRIPT, cast: str = CAST, name: str = "door.txt", **options
) -> Plan:
    found, reader = read_cast(cast), DirectionReader()
    lines = read_scripts({name: script}, check=Checker(found, reader))
    return Plan(lines, found, humming.members, reader, **options)


def made(path: Path, plan: Plan, voicer: Voicer, **options):
    """What a run does, and which lines it spoke, in order."""
    spoken = []

    def work(jobs):
        for job in jobs:
            spoken.append(job.line.text)
            yield voicer(job)

    return produce(Folder(path), plan, work, **options), spoken


def tree(path: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(path)): file.read_bytes()
        for file in sorted(path.rglob("*"))
        if file.is_file() and file.name != "lock"
    }


def manifest(path: Path) -> dict:
    return json.loads((path / "manifest.json").read_text())


def test_every_line_with_a_word_is_spoken_and_listed(tmp_path, humming, voicer):
    report, _ = made(tmp_path, planned(humming), voicer)
    assert [line.text for line, _ in report.unspoken] == ["..."]
    listed = manifest(tmp_path)
    assert [line["spoken"] for line in listed["lines"]] == [
        "Who is there?",
        "Open the door, you old fool!",
        "It is cold out here.",
        "Good.",
    ]
    for line in listed["lines"]:
        assert (tmp_path / line["file"]).is_file()
        assert all((tmp_path / path).is_file() for path in line["files"].values())
        assert line["licence"] == "Apache-2.0"
        assert line["words"]
    assert listed["lines"][1]["asked"]["Anger"] > 0.5
    assert "in the doorway" in listed["lines"][2]["notes"][0]
    assert listed["not_spoken"][0]["why"] == "it holds no word"
    assert (tmp_path / "review.html").is_file()
    assert (tmp_path / "manifest.csv").is_file()


def test_a_second_run_speaks_nothing_and_an_edited_line_alone(tmp_path, humming, voicer):
    made(tmp_path, planned(humming), voicer)
    before = tree(tmp_path)
    report, spoken = made(tmp_path, planned(humming), voicer)
    assert not spoken
    assert len(report.kept) == 4
    assert tree(tmp_path) == before
    edited = SCRIPT.replace("old fool", "dear friend")
    report, spoken = made(tmp_path, planned(humming, edited), voicer)
    assert spoken == ["Open the door, you dear friend!"]
    assert len(report.gone) == 2  # the old line's audio and mouth cues
    assert len(manifest(tmp_path)["lines"]) == 4


@pytest.mark.parametrize(
    "change",
    [
        {"cast": CAST.replace('"an old man"', '"a young man"')},
        {"cast": CAST.replace("bm_george", "bm_george*0.5+af_heart*0.5")},
        {"cast": CAST.replace("[characters.Bran]", "[characters.Bran]\nmood = 'sadness=0.3'")},
        {"cast": CAST.replace("[characters.Bran]", "[characters.Bran]\nloudness = -30")},
        {"cast": CAST.replace("[characters.Bran]", '[characters.Bran]\ntemperament = "gloomy"')},
    ],
)
def test_another_role_speaks_just_its_character_again(tmp_path, humming, voicer, change):
    made(tmp_path, planned(humming), voicer)
    _, spoken = made(tmp_path, planned(humming, **change), voicer)
    assert spoken == ["Who is there?", "Good."]


def test_another_delivery_and_another_seed_speak_all_again(tmp_path, humming, voicer):
    made(tmp_path, planned(humming), voicer)
    for head in ('[delivery]\nformat = "flac"\n', "seed = 7\n"):
        _, spoken = made(tmp_path, planned(humming, cast=head + CAST), voicer)
        assert len(spoken) == 4


def test_lines_that_only_move_are_not_spoken_again(tmp_path, humming, voicer):
    made(tmp_path, planned(humming), voicer)
    report, spoken = made(tmp_path, planned(humming, "# A remark.\n\n" + SCRIPT), voicer)
    assert not spoken
    assert [line["place"] for line in manifest(tmp_path)["lines"]] == [3, 4, 6, 7]
    assert report.records[0]["place"] == 3


def test_stopped_anywhere_and_begun_again_it_comes_out_the_same(
    tmp_path, humming, voicer, monkeypatch
):
    whole = tmp_path / "whole"
    made(whole, planned(humming), voicer)
    wanted, write, stops = tree(whole), folders.write_whole, 0
    while True:
        folder, left = tmp_path / f"stopped{stops}", stops

        def stopping(path, content):
            nonlocal left
            if left == 0:
                raise KeyboardInterrupt
            left -= 1
            write(path, content)

        monkeypatch.setattr(folders, "write_whole", stopping)
        try:
            made(folder, planned(humming), voicer)
            break
        except KeyboardInterrupt:
            stops += 1
        monkeypatch.setattr(folders, "write_whole", write)
        made(folder, planned(humming), voicer)
        assert tree(folder) == wanted
    assert stops == 4 * 3 + 3  # the note and two files of each line; manifest, sheet and page


def test_a_stop_loses_at_most_the_line_in_work(tmp_path, humming, voicer):
    def work(jobs):
        yield voicer(jobs[0])
        yield voicer(jobs[1])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        produce(Folder(tmp_path), planned(humming), work)
    _, spoken = made(tmp_path, planned(humming), voicer)
    assert spoken == ["It is cold out here.", "Good."]


def test_what_a_kill_left_half_written_is_swept_up(tmp_path, humming, voicer):
    made(tmp_path, planned(humming), voicer)
    before = tree(tmp_path)
    for folder in ("", STATE, "audio", "mouth"):
        (tmp_path / folder / ".0123456789abcdef.part").write_text("half")
    (tmp_path / ".mine.part").write_text("somebody's own")
    made(tmp_path, planned(humming), voicer)
    assert tree(tmp_path) == before | {".mine.part": b"somebody's own"}


def test_a_missing_file_is_made_again(tmp_path, humming, voicer):
    report, _ = made(tmp_path, planned(humming), voicer)
    wanted = tree(tmp_path)
    (tmp_path / report.records[0]["files"]["rhubarb"]).unlink()
    (tmp_path / report.records[1]["file"]).unlink()
    _, spoken = made(tmp_path, planned(humming), voicer)
    assert len(spoken) == 2
    assert tree(tmp_path) == wanted


@pytest.mark.parametrize(
    "junk",
    [
        "{",
        '{"record": {"id": "a"}}',
        '{"record": {"id": ["a"], "file": "x", "hash": "y"}, "form": "", "files": {"x": "y"}}',
        '{"record": {"id": "a", "file": "x", "hash": "y"}, "form": "", "files": {"../x": "y"}}',
    ],
)
def test_what_is_known_of_lines_may_be_lost_or_spoilt(tmp_path, humming, voicer, junk):
    made(tmp_path, planned(humming), voicer)
    wanted = tree(tmp_path)
    for note in (tmp_path / STATE).glob("*.json"):
        note.write_text(junk)
    made(tmp_path, planned(humming), voicer)
    assert tree(tmp_path) == wanted


def test_a_recording_that_somebody_put_there_is_never_touched(tmp_path, humming, voicer):
    report, _ = made(tmp_path, planned(humming), voicer)
    place = report.records[0]["file"]
    (tmp_path / place).write_bytes(b"an actor's own take")
    louder = CAST.replace("[characters.Bran]", "[characters.Bran]\nloudness = -30")
    report, spoken = made(tmp_path, planned(humming, cast=louder), voicer)
    assert (tmp_path / place).read_bytes() == b"an actor's own take"
    assert spoken == ["Good."]
    assert list(report.replaced.values()) == [(place,)]
    assert manifest(tmp_path)["replaced"][0]["file"] == place
    fresh = tmp_path / "fresh"
    (fresh / place).parent.mkdir(parents=True)
    (fresh / place).write_bytes(b"another")
    report, spoken = made(fresh, planned(humming), voicer)
    assert len(spoken) == 3
    assert (fresh / place).read_bytes() == b"another"


def test_a_mouth_that_an_animator_changed_stays(tmp_path, humming, voicer):
    report, _ = made(tmp_path, planned(humming), voicer)
    mouth = report.records[0]["files"]["rhubarb"]
    (tmp_path / mouth).write_text("by hand")
    for cast in (CAST, CAST.replace("[characters.Bran]", "[characters.Bran]\nloudness = -30")):
        report, _ = made(tmp_path, planned(humming, cast=cast), voicer)
        assert (tmp_path / mouth).read_text() == "by hand"
        assert list(report.replaced.values()) == [(mouth,)]
        assert len(report.records) == 4


def test_a_recording_that_is_put_there_during_the_work_stays(tmp_path, humming, voicer):
    plan = planned(humming)
    place = tmp_path / plan.places[plan.lines[0].id]

    def work(jobs):
        for job in jobs:
            place.parent.mkdir(exist_ok=True)
            place.write_bytes(b"an actor's own take")
            yield voicer(job)

    report = produce(Folder(tmp_path), plan, work)
    assert place.read_bytes() == b"an actor's own take"
    assert list(report.replaced) == [plan.lines[0].id]
    assert len(report.spoken) == 3


def test_an_earlier_recording_that_is_put_back_stays(tmp_path, humming, voicer):
    report, _ = made(tmp_path, planned(humming), voicer)
    place = tmp_path / report.records[0]["file"]
    earlier = place.read_bytes()
    louder = CAST.replace("[characters.Bran]", "[characters.Bran]\nloudness = -30")
    made(tmp_path, planned(humming, cast=louder), voicer)
    assert place.read_bytes() != earlier
    place.write_bytes(earlier)
    _, spoken = made(tmp_path, planned(humming, cast=louder), voicer)
    assert not spoken
    assert place.read_bytes() == earlier


def test_a_folder_in_a_files_place_is_told_before_anything_is_spoken(tmp_path, humming, voicer):
    plan = planned(humming)
    (tmp_path / plan.places[plan.lines[-1].id]).mkdir(parents=True)
    with pytest.raises(InvalidInput, match="cannot be read"):
        made(tmp_path, plan, voicer)
    assert len(list((tmp_path / "audio").iterdir())) == 1


@pytest.mark.parametrize("name", ["manifest.json", "manifest.csv", "review.html"])
def test_reports_that_were_not_made_here_are_not_replaced(tmp_path, humming, voicer, name):
    (tmp_path / name).write_text("{}")
    with pytest.raises(InvalidInput, match="was not made here"):
        made(tmp_path, planned(humming), voicer)
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_files_in_other_forms_are_of_no_use_any_more(tmp_path, humming, voicer):
    report, _ = made(tmp_path, planned(humming), voicer)
    old = {path for each in report.records for path in (each["file"], each["files"]["rhubarb"])}
    ogg = "[delivery]\nengine = 'renpy'\nextras = []\n" + CAST
    report, spoken = made(tmp_path, planned(humming, cast=ogg), voicer)
    assert len(spoken) == 4
    assert set(report.gone) == old
    report, spoken = made(tmp_path, planned(humming, cast=ogg), voicer, prune=True)
    assert not spoken
    assert not report.gone
    assert len(tree(tmp_path)) == 4 * 2 + 3
    silent = planned(humming, SCRIPT.replace("Good.", "..."), ogg)
    assert made(tmp_path, silent, voicer)[0].gone == (report.records[-1]["file"],)


def test_takes_gate_and_new_words_leave_what_is_spoken(tmp_path, humming, voicer):
    made(tmp_path, planned(humming), voicer)
    assert not made(tmp_path, planned(humming, takes=3), voicer)[1]
    words = CAST + "[pronunciations]\nMaeve = 'mˈAv'\nfool = 'fˈul'\n"
    assert made(tmp_path, planned(humming, cast=words), voicer)[1] == [
        "Open the door, you old fool!"
    ]
    heard = Voicer(lambda: humming, lambda: Examiner(Recogniser(0), ToyEstimator()))
    assert len(made(tmp_path, planned(humming, gate=Gate(retries=0)), heard)[1]) == 4
    assert not made(tmp_path, planned(humming, gate=Gate(retries=1)), heard)[1]
    assert not made(tmp_path, planned(humming), voicer)[1]


def test_a_line_that_somebody_else_says_now_is_listed_as_theirs(tmp_path, humming, voicer):
    cast = CAST.replace('persona = "an old man"', 'aliases = ["Guard"]')
    script = "id,character,text\n1,Bran,Halt.\n"
    made(tmp_path, planned(humming, script, cast, name="a.csv"), voicer)
    script = script.replace("Bran", "Guard")
    _, spoken = made(tmp_path, planned(humming, script, cast, name="a.csv"), voicer)
    assert not spoken
    assert manifest(tmp_path)["lines"][0]["character"] == "Guard"


def test_who_has_two_names_has_one_mood(humming):
    cast = "moods = true\n" + CAST.replace('voice = "bm', 'aliases = ["Guard"]\nvoice = "bm')
    script = "Bran (furious): Get out!\nGuard: The road is long.\nADA: The road is long.\n"
    plan = planned(humming, script, cast)
    jobs, _ = plan.jobs({line.id for line in plan.lines})
    assert jobs[1].direction.curve.mean()["Anger"] > 0


def test_what_the_script_has_no_more_goes_when_asked(tmp_path, humming, voicer):
    made(tmp_path, planned(humming), voicer)
    shorter = "".join(SCRIPT.splitlines(keepends=True)[:2])
    report, _ = made(tmp_path, planned(humming, shorter), voicer)
    assert len(report.gone) == 4
    assert all((tmp_path / path).exists() for path in report.gone)
    pruned, _ = made(tmp_path, planned(humming, shorter), voicer, prune=True)
    assert not pruned.gone
    assert not any((tmp_path / path).exists() for path in report.gone)
    assert len(tree(tmp_path)) == 2 * 3 + 3


def test_what_is_not_wanted_gets_another_take_in_whatever_form(tmp_path, humming, voicer):
    report, _ = made(tmp_path, planned(humming), voicer)
    flagged = report.records[1]
    listed = json.dumps({"format": 1, "retakes": [{"id": flagged["id"], "hash": flagged["hash"]}]})
    folder = Folder(tmp_path)
    folder.want_again(read_retakes(listed.encode(), "retakes.json"))
    assert json.loads((tmp_path / RETAKES).read_text()) == json.loads(listed)
    again, spoken = made(tmp_path, planned(humming, retakes=folder.retakes), voicer)
    assert len(spoken) == 1
    new = again.records[1]
    assert flagged["take"] == 0
    assert new["take"] % 64 != 0  # another reading, and not another breath
    assert new["hash"] != flagged["hash"]
    assert new["sha256"] != flagged["sha256"]
    assert not made(tmp_path, planned(humming, retakes=folder.retakes), voicer)[1]
    flac = "[delivery]\nformat = 'flac'\n" + CAST
    other, _ = made(tmp_path, planned(humming, cast=flac, retakes=folder.retakes), voicer)
    assert other.records[1]["take"] == new["take"]


@pytest.mark.parametrize("content", [b"", b"[]", b'{"retakes": [1]}', b'{"retakes": [{"id": 1}]}'])
def test_what_is_no_list_of_retakes_is_refused(content):
    with pytest.raises(InvalidInput, match=r"retakes\.json is no list"):
        read_retakes(content, "retakes.json")


def test_a_line_that_fails_keeps_no_other_from_being_spoken(tmp_path, humming):
    class Failing(Voicer):
        def _voiced(self, job):
            if "cold" in job.line.text:
                raise ZeroDivisionError("division by zero")
            return super()._voiced(job)

    report, _ = made(tmp_path, planned(humming), Failing(lambda: humming))
    assert len(report.spoken) == 3
    assert list(report.failed.values()) == [
        "Our own failure (ZeroDivisionError: division by zero)."
    ]
    assert manifest(tmp_path)["failed"][0]["why"].startswith("Our own failure")


def test_weights_that_are_missing_end_the_work(tmp_path, humming):
    def load():
        raise WeightsError("The weights are not here.")

    with pytest.raises(WeightsError):
        made(tmp_path, planned(humming), Voicer(load))


def test_two_processes_do_not_work_in_one_folder(tmp_path, humming, voicer):
    with (
        Folder(tmp_path).held(),
        pytest.raises(InvalidInput, match="Another process is at work"),
    ):
        made(tmp_path, planned(humming), voicer)


def test_a_file_in_the_folders_place_is_refused(tmp_path):
    (tmp_path / "build").write_text("")
    with pytest.raises(InvalidInput, match="is no folder"):
        Folder(tmp_path / "build")


def test_all_that_is_wrong_is_said_at_once_before_anything_is_spoken(humming):
    script = (
        "BRAN: Hello.\nEVE: Hello.\nADA: [fear 7] Hello.\nADA:\nEVE: Bye.\nwho: [anger 9] Hm.\n"
    )
    with pytest.raises(InvalidInput) as refused:
        planned(humming, script)
    message = str(refused.value)
    assert message.startswith("door.txt has 5 problems: line 2: 'EVE' is not in the cast file;")
    for told in (
        "line 3: Bracket at",
        "line 4: there is nothing",
        "line 6: 'who'",
        "line 6: Brack",
    ):
        assert told in message


def test_a_mood_colours_what_is_not_directed(humming):
    sad = CAST.replace("[characters.Bran]", "[characters.Bran]\nmood = 'sadness=0.3'")
    plan = planned(humming, cast=sad)
    jobs, _ = plan.jobs({line.id for line in plan.lines})
    assert jobs[0].direction.curve.mean() == EmotionVector({"Sadness": 0.3})
    assert jobs[1].direction.curve.mean()["Anger"] > 0.5
    assert jobs[0].direction.persona.age == "old"


def test_moods_carry_over_only_where_the_cast_file_says_so(tmp_path, humming, voicer):
    calmer = SCRIPT.replace("furious", "friendly")
    made(tmp_path / "each", planned(humming), voicer)
    _, spoken = made(tmp_path / "each", planned(humming, calmer), voicer)
    assert spoken == ["Open the door, you old fool!"]
    carried = "moods = true\n" + CAST
    made(tmp_path / "carried", planned(humming, cast=carried), voicer)
    _, spoken = made(tmp_path / "carried", planned(humming, calmer, carried), voicer)
    assert spoken[0] == "Open the door, you old fool!"
    assert len(spoken) > 1


class Recogniser:
    """Hears the wrong words until it has listened so often."""

    def __init__(self, wrong: int):
        self.left = wrong
        self.heard = 0

    def transcribe(self, audio, language=None):
        self.heard += 1
        self.left -= 1
        return "nothing like it at all" if self.left >= 0 else "Good."


def test_a_line_with_faults_is_tried_again_and_the_best_is_kept(humming):
    plan = planned(humming, "BRAN: Good.", gate=Gate(retries=3))
    (job,), _ = plan.jobs({plan.lines[0].id})
    recogniser = Recogniser(2)
    record = Voicer(lambda: humming, lambda: Examiner(recogniser, ToyEstimator()))(job).record
    assert record["faults"] == []
    assert (record["take"], record["attempts"]) == (2, 3)
    hopeless = Voicer(lambda: humming, lambda: Examiner(Recogniser(99), ToyEstimator()))(job)
    assert hopeless.record["attempts"] == 4
    assert hopeless.record["faults"]
    assert hopeless.files  # a person hears it


def test_of_several_takes_the_best_heard_is_kept(humming, monkeypatch):
    plan = planned(humming, "ADA (angry): Good.", gate=Gate(retries=0), takes=4)
    (job,), _ = plan.jobs({plan.lines[0].id})
    scores = iter((0.1, 0.4, 0.3, 0.2))
    monkeypatch.setattr(
        Examiner, "examine", lambda *_: Verdict((), score=next(scores), heard_by="toy")
    )
    record = Voicer(lambda: humming, lambda: Examiner(None, None))(job).record
    assert (record["take"], record["attempts"], record["score"]) == (1, 4, 0.4)
    assert record["word_errors"] is None


def test_a_shout_stays_louder_than_a_whisper(humming, voicer):
    script = "ADA (screaming in rage): Out of my house.\nADA (whispering): Out of my house.\n"
    plan = planned(humming, script)
    jobs, _ = plan.jobs({line.id for line in plan.lines})
    shout, whisper = (voicer(job).record for job in jobs)
    assert shout["gain"] == whisper["gain"]
    assert shout["loudness"] > whisper["loudness"]


def test_as_many_takes_as_nobody_waits_for_are_refused(humming):
    with pytest.raises(InvalidInput, match="17 takes of each line"):
        planned(humming, takes=17)


def test_a_line_is_the_same_whoever_was_spoken_before(humming):
    plan = planned(humming)
    jobs, _ = plan.jobs({line.id for line in plan.lines})
    alone = Voicer(lambda: humming)(jobs[-1])
    after = [Voicer(lambda: humming)(job) for job in jobs][-1]
    assert alone.files == after.files
    assert np.array_equal(list(alone.record), list(after.record))


def test_a_folder_can_be_moved(tmp_path, humming, voicer):
    made(tmp_path / "here", planned(humming), voicer)
    shutil.move(tmp_path / "here", tmp_path / "there")
    _, spoken = made(tmp_path / "there", planned(humming), voicer)
    assert not spoken


def test_jobs_travel_to_other_processes(humming):
    import pickle

    plan = planned(humming, gate=Gate())
    jobs, _ = plan.jobs({line.id for line in plan.lines})
    assert pickle.loads(pickle.dumps(jobs)) == jobs
    assert replace(jobs[0], seed=1) != jobs[0]
