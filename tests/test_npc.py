"""The tavern: one scene in two forms, a cast that plays it, and what its README says of engines."""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
import shutil
import subprocess
import textwrap
from pathlib import Path
from types import SimpleNamespace

import pytest

from conditioning.direction import DirectionReader
from voice_actor import cli
from voice_actor.formats.spoken import NARRATOR
from voice_actor.production.cast_file import read_cast
from voice_actor.production.delivery import EXTRAS, Delivery, extras, file_places
from voice_actor.production.manifest import COLUMNS
from voice_actor.production.plan import Plan
from voice_actor.scripts import read_script
from voice_actor.voices import cast

NPC = Path(__file__).parent.parent / "demos" / "npc"
README = (NPC / "README.md").read_text(encoding="utf-8")
CAST = read_cast((NPC / "cast.toml").read_text(encoding="utf-8"))


def lines(name: str):
    return read_script((NPC / name).read_text(encoding="utf-8"), name, CAST.rules)


def snippets(language: str) -> list[str]:
    """The README's blocks of a language, without their margin."""
    found = re.findall(rf"^ *```{language}\n(.*?)^ *```$", README, re.DOTALL | re.MULTILINE)
    return [textwrap.dedent(block) for block in found]


def test_both_forms_hold_the_same_lines():
    yarn, renpy = (
        [(line.character, line.text, line.direction) for line in lines(name)]
        for name in ("tavern.yarn", "tavern.rpy")
    )
    assert yarn == renpy
    assert len(yarn) == 35


@pytest.mark.parametrize("name", ["tavern.yarn", "tavern.rpy"])
def test_every_line_has_an_id_of_its_own_and_somebody_who_plays_it(name):
    scene = lines(name)
    assert len({line.id for line in scene}) == len(scene)
    assert not CAST.missing(line.character for line in scene)
    assert NARRATOR not in {line.character for line in scene}
    assert len({CAST.role(line.character).character for line in scene}) == 3


def test_no_id_of_yarn_is_part_of_another():
    # Yarn Spinner for Unity gives a line every file whose name has its id in it.
    ids = [line.id for line in lines("tavern.yarn")]
    assert not [(one, other) for one in ids for other in ids if one != other and one in other]


def test_every_line_can_be_directed_and_pronounced():
    plan = Plan(lines("tavern.yarn"), CAST, cast(), DirectionReader())
    jobs, unspoken = plan.jobs({line.id for line in plan.lines})
    assert len(jobs) == 35
    assert not unspoken
    neutral = [job.line.id for job in jobs if not job.line.direction]
    assert neutral == ["tavern_11"]  # the others turn from mood to mood


def test_the_tavern_whispers_shouts_teases_and_is_relieved():
    directions = " ".join(line.direction or "" for line in lines("tavern.yarn"))
    for word in ("whispering", "shouting", "teasing", "relieved", "delighted"):
        assert word in directions


def test_the_cast_gives_words_for_variables_and_markup():
    said = [line.text for line in lines("tavern.rpy")]
    assert "From you? Only five coins, and the truth." in said
    assert "This is [emphasis]not[/emphasis] funny!" in said
    assert "Good evening, Captain! A glass of our best wine?" in said


def test_the_readmes_commands_can_be_given():
    commands = re.findall(r"^voice-actor .*", README, re.MULTILINE)
    assert len(commands) == 2
    for command in commands:
        options = cli.parser().parse_args(shlex.split(command)[1:])
        assert all((NPC.parents[1] / script).exists() for script in options.scripts)


def test_the_readmes_folders_and_keys_are_those_that_are_written(humming):
    performance = humming.perform("We are closed.", "tired", "bm_george")
    place = file_places(Delivery("yarn"), ["tavern_01"])["tavern_01"]
    assert f"`{place}`" in README
    written = extras(performance, Delivery("yarn", extras=tuple(EXTRAS)), place)
    for kind in CAST.delivery.extras:
        folder, _, name = written[kind][0].partition("/")
        assert f"`{folder}/tavern_01.json`" in README
        assert name in ("tavern_01.json", "tavern_01.csv")
    mouth = json.loads(written["rhubarb"][1])
    assert mouth["metadata"]["soundFile"] == "tavern_01.wav"
    assert {*mouth["mouthCues"][0]} == {"start", "end", "value"}
    for language in ("renpy", "csharp", "gdscript"):
        block = "".join(snippets(language))
        for key in ("mouthCues", "start", "end", "value"):
            assert re.search(rf"\b{key}\b", block), (language, key)
    assert COLUMNS[0] == "id"  # Unreal takes the first column for the name of a row


def test_the_readmes_line_for_godot_is_one():
    (block,) = re.findall(r"^```\n(Tom: .*\n)```$", README, re.MULTILINE)
    (line,) = read_script(f"~ start\n{block}=> END\n", "tavern.dialogue")
    same = lines("tavern.yarn")[0]
    assert (line.id, line.character, line.text) == (same.id, same.character, same.text)
    assert line.direction == same.direction


def lips_of_the_readme(playing: str | None, position: float | None, speaking: str, build: Path):
    """The function `lips` of the README, in a Ren'Py that plays a file."""
    block = snippets("renpy")[1]
    python = textwrap.dedent(block.partition("init python:\n")[2].partition("\nimage ")[0])
    opened = []

    def open_file(place, encoding):
        opened.append(place)
        return (build / place).open(encoding=encoding)

    music = SimpleNamespace(get_playing=lambda _: playing, get_pos=lambda _: position)
    renpy = SimpleNamespace(music=music, get_say_image_tag=lambda: speaking, open_file=open_file)
    names = {"renpy": renpy}
    exec(python, names)
    return names["lips"](0.0, 0.0, tag="maeve")[0], opened


def test_the_readmes_mouth_for_renpy_follows_the_cues(tmp_path):
    (tmp_path / "mouth").mkdir()
    cues = [{"start": 0, "end": 0.2, "value": "A"}, {"start": 0.2, "end": 0.5, "value": "D"}]
    (tmp_path / "mouth" / "x.json").write_text(json.dumps({"mouthCues": cues}))
    for position, shape in ((0.0, "A"), (0.3, "D"), (0.6, "X"), (None, "X")):
        shown, opened = lips_of_the_readme("voice/x.ogg", position, "maeve", tmp_path)
        assert shown == f"lips/{shape}.png"
        assert opened in ([], ["mouth/x.json"])
    assert lips_of_the_readme("voice/x.ogg", 0.3, "tom", tmp_path) == ("lips/X.png", [])
    assert lips_of_the_readme(None, 0.3, "maeve", tmp_path) == ("lips/X.png", [])


# Ren'Py itself

OPTIONS = """
define config.developer = False
define config.name = "Tavern"
define config.save_directory = "tavern"
"""
# Ren'Py 8.0.3 ends an expression before it begins, which Python from 3.11 on refuses.
PYTHON_311 = """
python early:
    import ast

    def _in_its_line(node):
        for part in ast.walk(node):
            part.lineno = part.end_lineno = getattr(part, "lineno", 1)
            part.col_offset = part.end_col_offset = 0
        return node

    ast.fix_missing_locations = _in_its_line
"""
# Told by its linter: files of lines that automatic voice would not find.
UNVOICED = """
init python:
    def _unvoiced():
        for identifier in renpy.game.script.translator.default_translates:
            place = config.auto_voice.format(id=identifier)
            print(("voiced " if renpy.loadable(place) else "UNVOICED ") + place)

    config.lint_hooks.append(_unvoiced)
"""


@pytest.fixture
def renpy(tmp_path):
    """Runs Ren'Py's commands on a project with the tavern and the README's snippets."""
    program = os.environ.get("RENPY") or shutil.which("renpy", path="/usr/games:/usr/bin")
    if program is None:
        pytest.skip("no Ren'Py here (Debian's package renpy, or RENPY=…/renpy.sh)")
    project = tmp_path / "project"
    game = project / "game"
    for folder in ("voice", "lips"):
        (game / folder).mkdir(parents=True)
    (game / "lips" / "X.png").write_bytes(b"")
    shutil.copy(NPC / "tavern.rpy", game)
    written = {"options": OPTIONS, "python311": PYTHON_311, "unvoiced": UNVOICED}
    for name, text in {**written, "readme": "\n".join(snippets("renpy"))}.items():
        (game / f"{name}.rpy").write_text(text, encoding="utf-8")
    scene = lines("tavern.rpy")
    for place in file_places(Delivery("renpy"), [line.id for line in scene]).values():
        (game / place).write_bytes(b"")

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [program, project, *arguments],
            env={**os.environ, "HOME": str(tmp_path), "SDL_VIDEODRIVER": "dummy"},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run.project = project
    return run


def test_renpy_gives_every_line_the_identifier_that_we_give_it(renpy):
    renpy("dialogue", "None")
    table = (renpy.project / "dialogue.tab").read_text(encoding="utf-8")
    rows = list(csv.DictReader(table.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))
    ours = lines("tavern.rpy")
    assert [row["Identifier"] for row in rows if row["Identifier"]] == [line.id for line in ours]
    exported = read_script(table, "dialogue.tab", CAST.rules)
    assert [(line.id, line.text, line.direction) for line in exported] == [
        (line.id, line.text, line.direction) for line in ours
    ]


def test_renpys_linter_has_nothing_against_the_scene_and_finds_every_voice(renpy):
    report = renpy("lint")
    assert "The game contains 35 dialogue blocks" in report
    assert not [line for line in report.splitlines() if re.match(r"game/\w+\.rpy:\d+", line)]
    assert report.count("voiced voice/") == 35
    assert "UNVOICED" not in report
