"""Delivery: what an engine expects, level, true peak, and the files beside the sound."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace

import numpy as np
import pytest

from conditioning.audio import FORMATS, Audio, read_metadata
from conditioning.errors import InvalidInput, UnknownName
from voice_actor.face import BLENDSHAPES
from voice_actor.mouth import VISEMES
from voice_actor.production.delivery import (
    CEILING,
    ENGINES,
    EXTRAS,
    LOOK_AHEAD,
    Delivery,
    check_loudness,
    deliver,
    engine_of,
    extras,
    file_places,
    level,
    limit,
)
from voice_actor.provenance import Provenance, verify

RATE = 24_000
SUFFIXES = [suffix[1:] for suffix in FORMATS]


@pytest.fixture(scope="module")
def hummed(humming):
    return humming.perform("Hello there, old friend.", "angry", voice="bm_george")


def bursts(amplitude=0.3, rate=RATE, seed=0) -> Audio:
    """Two tones with a pause, each with clicks: neighbours alike, so the peak lies between them."""
    time = np.arange(rate) / rate
    tone = amplitude * np.sin(2 * np.pi * 150 * time) * np.hanning(rate)
    clicks = np.random.default_rng(seed).integers(1000, rate - 1000, 12)
    tone[clicks] = tone[clicks + 1] = 3 * amplitude
    return Audio(np.concatenate([tone, np.zeros(rate // 4), 0.2 * tone]), rate)


def told(fails, **asked) -> str:
    with pytest.raises(fails) as caught:
        Delivery(**asked)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# What is asked


def test_a_wrong_delivery_is_refused_with_what_is_allowed():
    assert "Did you mean 'renpy'" in told(UnknownName, engine="rempy")
    assert "Did you mean 'ogg'" in told(UnknownName, format="ogv")
    assert "give ogg, mp3, wav" in told(InvalidInput, engine="godot", format="opus")
    assert "48000" in told(InvalidInput, format="opus", sample_rate=44100)
    assert "Did you mean 'visemes'" in told(UnknownName, extras=("viseme",))
    for asked in ({"extras": "face"}, {"extras": 5}, {"sample_rate": "x"}, {"sample_rate": True}):
        assert next(iter(asked)) in told(InvalidInput, **asked)
    for asked in ({"engine": ["plain"]}, {"extras": [["face"]]}, {"format": 3}):
        told(UnknownName, **asked)
    for loudness in (-41, -11, float("nan"), "loud", None, True):
        assert "loudness" in told(InvalidInput, loudness=loudness)
        with pytest.raises(InvalidInput, match="LUFS"):
            check_loudness(loudness)


def test_what_a_file_of_settings_holds_is_taken_as_it_is_meant():
    assert Delivery(format=".OGG", extras=["live-link", "rhubarb"]) == Delivery(
        format="ogg", extras=("rhubarb", "live-link")
    )


def test_every_engine_has_a_format_and_imports_it():
    for engine in ENGINES:
        assert Delivery(engine).suffix in FORMATS
        for format in ENGINES[engine].formats:
            assert Delivery(engine, format).suffix == f".{format}"


def test_the_rate_is_the_one_asked_for_or_the_engines_or_the_next_that_the_format_holds():
    assert Delivery(sample_rate=48000).rate_for(RATE) == 48000
    assert Delivery("unreal").rate_for(RATE) == 48000
    assert Delivery("unreal", sample_rate=44100).rate_for(RATE) == 44100
    assert Delivery().rate_for(22050) == 22050
    assert Delivery(format="opus").rate_for(22050) == 24000
    assert Delivery(format="opus").rate_for(96000) == 48000


@pytest.mark.parametrize(
    ("name", "text", "engine"),
    [
        ("a.yarn", "title: A\n---\nHello.\n===", "yarn"),
        ("a.csv", "\ufefflanguage,id,text,file,node,lineNumber\n", "yarn"),
        ("a.rpy", 'e "Hello."', "renpy"),
        ("dialogue.tab", "Identifier\tCharacter\n", "renpy"),
        ("a.dialogue", "~ start\n", "godot"),
        ("a.CSV", "---,Speaker,Text\n", "unreal"),
        ("a.csv", "AudioFileName,SpokenDialogue\n", "unreal"),
        ("a.csv", "character,text\nBran,Hello.\n", "plain"),
        ("a.csv", "", "plain"),
        ("a.txt", "BRAN: Hello.", "plain"),
        ("a.ink", "Hello.", "plain"),
    ],
)
def test_a_script_tells_its_engine(name, text, engine):
    assert engine_of(name, text) == engine


def test_files_lie_where_the_engine_looks_for_them():
    places = {engine: file_places(Delivery(engine), ["tavern_1a2b"]) for engine in ENGINES}
    assert {engine: place["tavern_1a2b"] for engine, place in places.items()} == {
        "plain": "audio/tavern_1a2b.wav",
        "yarn": "voice/tavern_1a2b.wav",
        "renpy": "voice/tavern_1a2b.ogg",
        "godot": "voice/tavern_1a2b.ogg",
        "unity": "voice/tavern_1a2b.wav",
        "unreal": "voice/tavern_1a2b.wav",
    }


def test_every_id_has_a_place_of_its_own_that_every_system_can_hold():
    ids = ["a:b", "a/b", "A_b", "con", "..", "VO_01.wav", "VO_01", "VO_02.wav", "vo_02.WAV", "é? "]
    places = file_places(Delivery("unreal"), ids)
    assert list(places) == ids
    assert len({place.casefold() for place in places.values()}) == len(ids)
    assert places["VO_01"] == "voice/VO_01.wav"
    assert places == {id: file_places(Delivery("unreal"), ids[::-1])[id] for id in ids}
    for place in places.values():
        assert re.fullmatch(r"voice/[\w-][\w.-]*\.wav", place)


# Loudness


def test_the_neutral_reading_comes_out_as_loud_as_asked_and_a_shout_stays_louder(hummed):
    gain = level(hummed.audio, -27.0)
    delivery = Delivery()
    neutral = deliver(hummed, gain, delivery)
    assert neutral.loudness == pytest.approx(-27, abs=0.1)
    shout = deliver(replace(hummed, audio=hummed.audio.gain(9)), gain, delivery)
    whisper = deliver(replace(hummed, audio=hummed.audio.gain(-9)), gain, delivery)
    assert shout.loudness - whisper.loudness == pytest.approx(18, abs=0.3)
    assert neutral.gain == shout.gain == gain


def test_a_reading_without_sound_is_left_at_its_level():
    assert level(Audio(np.zeros(RATE), RATE), -23.0) == 0


# Peaks


@pytest.mark.parametrize("rate", [24000, 48000])
@pytest.mark.parametrize("format", SUFFIXES)
def test_what_a_player_decodes_never_peaks_above_the_ceiling(hummed, format, rate):
    loud = replace(hummed, audio=bursts())
    assert loud.audio.peak_db < -0.9 < loud.audio.true_peak_db
    made = deliver(loud, 9.0, Delivery(format=format, sample_rate=rate))
    assert made.true_peak <= CEILING
    decoded = Audio.load(io.BytesIO(made.encoded))
    assert decoded.true_peak_db == made.true_peak
    assert made.true_peak > CEILING - 1.5
    assert made.limited > 8
    assert decoded.sample_rate == rate
    assert decoded.duration == loud.audio.duration


def test_what_peaks_nowhere_is_made_louder_and_nothing_else(hummed):
    quiet = replace(hummed, audio=bursts(0.1))
    made = deliver(quiet, 3.0, Delivery())
    assert made.limited == 0
    assert np.allclose(made.audio.samples, quiet.audio.gain(3.0).samples, atol=1 / 32768)


def test_only_what_is_near_a_peak_is_turned_down_and_before_it_comes():
    loud = np.zeros(RATE, np.float32)
    loud[:] = 0.1 * np.sin(np.arange(RATE) / 20)
    loud[12000] = 2.0
    sound = Audio(loud, RATE)
    limited, reduction = limit(sound, sound.true_peaks(), -1.0)
    # So that no sample is too small to tell by how much it was turned down.
    wave = np.abs(loud) > 0.02
    change = 20 * np.log10(limited.samples[wave] / loud[wave])
    at = np.flatnonzero(wave) - 12000
    reach = 2 * LOOK_AHEAD * RATE + 4
    assert np.abs(change[np.abs(at) > reach]).max() < 1e-4
    near = np.abs(at) < LOOK_AHEAD * RATE / 10
    assert change[near].max() < -6.8
    assert reduction == pytest.approx(20 * np.log10(2) + 1, abs=0.05)
    before = change[(at < 0) & (at > -reach)]
    assert (np.diff(before) < 1e-4).all()  # down without a turn, and never at a stroke
    assert np.abs(np.diff(change)).max() < 0.5
    assert limited.true_peak_db <= -1 + 1e-3


def test_a_limited_tone_is_still_that_tone():
    time = np.arange(2 * RATE) / RATE
    swell = Audio(np.sin(2 * np.pi * 100 * time) * (0.5 + 1.5 * np.hanning(2 * RATE)), RATE)
    limited, reduction = limit(swell, swell.true_peaks(), -1.0)
    assert reduction > 6
    middle = limited.samples[RATE // 2 : -RATE // 2]
    power = np.abs(np.fft.rfft(middle * np.hanning(RATE))) ** 2
    harmonics = power[150:].sum() / power.sum()
    assert 10 * np.log10(harmonics) < -60
    clipped = np.clip(swell.samples, -0.89, 0.89)[RATE // 2 : -RATE // 2]
    power = np.abs(np.fft.rfft(clipped * np.hanning(RATE))) ** 2
    assert 10 * np.log10(power[150:].sum() / power.sum()) > -20


@pytest.mark.parametrize("format", SUFFIXES)
@pytest.mark.parametrize("count", [1, 50, 1000])
def test_very_short_lines_and_silence_are_delivered_too(hummed, format, count):
    delivery = Delivery(format=format, sample_rate=48000)
    click = deliver(replace(hummed, audio=Audio(np.full(count, 0.5), RATE)), 20.0, delivery)
    assert click.true_peak <= CEILING
    assert len(click.audio.samples) == 2 * count
    silence = deliver(replace(hummed, audio=Audio(np.zeros(count), RATE)), 20.0, delivery)
    assert silence.limited == 0
    assert silence.true_peak < -80
    assert silence.loudness == -np.inf


# Files


@pytest.mark.parametrize("format", SUFFIXES)
def test_a_delivery_is_the_same_file_each_time_and_says_where_it_comes_from(hummed, format):
    delivery = Delivery(format=format)
    made = deliver(hummed, 12.0, delivery)
    assert made.encoded == deliver(hummed, 12.0, delivery).encoded
    assert Provenance.from_metadata(read_metadata(io.BytesIO(made.encoded))) == hummed.provenance


def test_mouth_and_face_are_files_that_parse_and_last_as_long_as_the_sound(hummed):
    made = extras(hummed, Delivery("renpy", extras=tuple(EXTRAS)), "voice/a_b.ogg")
    assert {kind: path for kind, (path, _) in made.items()} == {
        "rhubarb": "mouth/a_b.json",
        "rhubarb-tsv": "mouth/a_b.tsv",
        "visemes": "visemes/a_b.json",
        "face": "face/a_b.json",
        "live-link": "face/a_b.csv",
    }
    duration = deliver(hummed, 6.0, Delivery("renpy", sample_rate=48000)).audio.duration
    frames = round(duration * 30) + 1
    cues = json.loads(made["rhubarb"][1])
    assert cues["metadata"]["soundFile"] == "a_b.ogg"
    assert cues["mouthCues"][-1]["end"] == pytest.approx(duration, abs=0.006)
    last = made["rhubarb-tsv"][1].decode().splitlines()[-1].split("\t")
    assert (float(last[0]), last[1]) == (pytest.approx(duration, abs=0.006), "X")
    visemes = json.loads(made["visemes"][1])
    assert (visemes["rate"], visemes["names"]) == (30, list(VISEMES))
    assert np.shape(visemes["frames"]) == (frames, 15)
    assert np.allclose(np.sum(visemes["frames"], axis=1), 1, atol=0.01)
    face = json.loads(made["face"][1])
    assert face["frames"] == frames
    assert set(face["curves"]) <= set(BLENDSHAPES)
    rows = list(csv.reader(io.StringIO(made["live-link"][1].decode())))
    assert len(rows) == frames + 1
    assert made == extras(hummed, Delivery("renpy", extras=tuple(EXTRAS)), "voice/a_b.ogg")


def test_only_the_extras_that_are_asked_for_are_made(hummed):
    assert extras(hummed, Delivery(extras=()), "audio/a.wav") == {}
    assert list(extras(hummed, Delivery(extras=("face",)), "audio/a.wav")) == ["face"]


@pytest.mark.weights
def test_the_mark_of_a_real_line_survives_limiter_rate_and_codec(tmp_path):
    from voice_actor.actor import VoiceActor
    from voice_actor.provenance import Watermarker

    line = VoiceActor.load().perform("You left me there to die!", "furious, shouting", seed=3)
    watermarker = Watermarker.load()
    for format in SUFFIXES:
        made = deliver(line, 12.0, Delivery(format=format, sample_rate=48000))
        assert made.limited > 6
        assert made.true_peak <= CEILING
        path = tmp_path / f"line.{format}"
        path.write_bytes(made.encoded)
        assert verify(path, watermarker).is_ours
