"""Audio: files, rates and levels."""

from __future__ import annotations

import io
import json
import math
import os
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from conditioning.audio import FORMATS, Audio, check_writable, read_metadata
from conditioning.errors import InvalidInput, UnknownName

RATE = 24000
TEXT = {
    "title": "Café 日本 🙂",
    "artist": "af_heart",
    "comment": json.dumps({"direction": "grüßend, “bitter”\n", "long": "x" * 9000}),
    "software": "Voice Actor 0.1.0",
    "copyright": "© nobody",
    "license": "CC0-1.0",
    "date": "2026-01-02T03:04:05Z",
}


def tone(hertz=440.0, seconds=0.5, rate=RATE, amplitude=0.5) -> Audio:
    time = np.arange(round(seconds * rate)) / rate
    return Audio((amplitude * np.sin(2 * np.pi * hertz * time)).astype(np.float32), rate)


@pytest.mark.parametrize("suffix", FORMATS)
def test_saved_audio_reads_back_with_its_length_and_sound(tmp_path, suffix):
    audio = tone()
    read = Audio.load(audio.save(tmp_path / f"a{suffix}"))
    assert read.sample_rate == RATE
    assert read.samples.dtype == np.float32
    assert len(read.samples) == len(audio.samples)
    assert np.corrcoef(read.samples, audio.samples)[0, 1] > 0.95


@pytest.mark.parametrize("suffix", FORMATS)
def test_the_same_sound_is_the_same_file_each_time(suffix):
    assert tone().encode(suffix, TEXT) == tone().encode(suffix, TEXT)
    assert tone().encode(suffix, TEXT) != tone(441).encode(suffix, TEXT)


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_what_came_from_16_bits_is_saved_unchanged(tmp_path, suffix):
    numbers = np.arange(-32768, 32768, dtype=np.int16)
    soundfile.write(tmp_path / "a.wav", numbers, RATE)
    Audio.load(tmp_path / "a.wav").save(tmp_path / f"b{suffix}")
    assert np.array_equal(soundfile.read(tmp_path / f"b{suffix}", dtype="int16")[0], numbers)


@pytest.mark.parametrize("suffix", FORMATS)
def test_metadata_reads_back_from_every_format_and_leaves_the_sound_alone(tmp_path, suffix):
    audio = tone()
    audio.save(tmp_path / f"a{suffix}", TEXT)
    assert read_metadata(tmp_path / f"a{suffix}") == TEXT
    audio.save(tmp_path / f"b{suffix}")
    assert read_metadata(tmp_path / f"b{suffix}") == {}
    marked, plain = Audio.load(tmp_path / f"a{suffix}"), Audio.load(tmp_path / f"b{suffix}")
    assert np.array_equal(marked.samples, plain.samples)


@pytest.mark.parametrize("suffix", [".wav", ".mp3"])
def test_the_tags_we_write_ourselves_are_understood_by_libsndfile(suffix):
    short = {k: v for k, v in TEXT.items() if k in ("title", "artist", "date")}
    encoded = tone().encode(suffix, short)
    with soundfile.SoundFile(io.BytesIO(encoded)) as sound:
        assert short.items() <= sound.copy_metadata().items()


def test_tags_written_by_others_are_read(tmp_path):
    for suffix in (".wav", ".mp3"):
        path = tmp_path / f"a{suffix}"
        with soundfile.SoundFile(path, "w", RATE, 1) as sound:
            sound.title, sound.comment = "theirs", "a word " * 40 + "."
            sound.write(tone().samples)
        found = read_metadata(path)
        assert (found["title"], found["comment"]) == ("theirs", "a word " * 40 + ".")


def test_metadata_with_an_unknown_field_or_a_nul_is_refused(tmp_path):
    with pytest.raises(UnknownName, match="Did you mean 'title'"):
        tone().save(tmp_path / "a.wav", {"titel": "x"})
    with pytest.raises(InvalidInput, match="NUL"):
        tone().save(tmp_path / "a.wav", {"title": "a\0b"})
    assert list(tmp_path.iterdir()) == []


def test_stereo_becomes_the_mean_of_its_channels(tmp_path):
    left, right = tone(300).samples, tone(500).samples
    soundfile.write(tmp_path / "a.wav", np.stack([left, right], 1), RATE, "FLOAT")
    assert np.allclose(Audio.load(tmp_path / "a.wav").samples, (left + right) / 2, atol=1e-6)


def test_an_open_file_can_be_read_too():
    assert len(Audio.load(io.BytesIO(tone().encode())).samples) == RATE // 2


def test_every_file_that_is_not_audio_gets_one_line_that_names_it(tmp_path):
    (tmp_path / "text.wav").write_text("hello " * 1000)
    (tmp_path / "noise.mp3").write_bytes(bytes(range(256)) * 300)
    (tmp_path / "nothing.wav").write_bytes(b"")
    soundfile.write(tmp_path / "header.wav", np.zeros(0, np.float32), RATE)
    soundfile.write(tmp_path / "nan.wav", np.full(99, np.nan, np.float32), RATE, "FLOAT")
    names = ("absent.wav", "text.wav", "noise.mp3", "nothing.wav", "header.wav", "nan.wav")
    for path in (tmp_path, *(tmp_path / name for name in names)):
        with pytest.raises(InvalidInput) as caught:
            Audio.load(path)
        assert str(path) in str(caught.value)
        assert "give" in str(caught.value)
        assert "\n" not in str(caught.value)
    for path in ("new\nline.wav", "nul\0.wav", "x" * 300 + ".wav"):
        with pytest.raises(InvalidInput) as caught:
            Audio.load(tmp_path / path)
        assert str(caught.value).isprintable()


def test_places_that_cannot_be_written_are_refused_before_any_work(tmp_path):
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "file").write_text("x")
    bad = ["folder.wav", "a.aiff", "a", "absent/a.wav", "file/a.wav", "x" * 300 + ".wav", "\0.wav"]
    for name in bad:
        for attempt in (check_writable, tone().save):
            with pytest.raises(InvalidInput) as caught:
                attempt(tmp_path / name)
            assert str(caught.value).isprintable()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder.wav"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write all")
def test_a_write_protected_file_or_folder_is_refused(tmp_path):
    tone().save(tmp_path / "a.wav")
    (tmp_path / "a.wav").chmod(0o444)
    with pytest.raises(InvalidInput, match="write-protected"):
        check_writable(tmp_path / "a.wav")
    tmp_path.chmod(0o555)
    with pytest.raises(InvalidInput):
        check_writable(tmp_path / "b.wav")


def test_checking_a_place_leaves_nothing_behind(tmp_path):
    check_writable(tmp_path / "a.WAV")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_save_keeps_the_old_file_and_leaves_no_other(tmp_path, monkeypatch):
    path = tone(300).save(tmp_path / "a.wav")
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(InvalidInput, match="No space left"):
        tone(500).save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_saving_through_a_link_keeps_the_link(tmp_path):
    tone(300).save(tmp_path / "a.wav")
    (tmp_path / "link.wav").symlink_to(tmp_path / "a.wav")
    tone(500, seconds=1).save(tmp_path / "link.wav")
    assert (tmp_path / "link.wav").is_symlink()
    assert Audio.load(tmp_path / "a.wav").duration == 1


def test_clipping_is_our_mistake_and_never_happens_silently(tmp_path):
    with pytest.raises(AssertionError, match="clip"):
        tone(amplitude=1.1).save(tmp_path / "a.wav")
    assert list(tmp_path.iterdir()) == []


def test_a_rate_that_the_codec_cannot_hold_is_refused(tmp_path):
    for suffix in (".opus", ".mp3"):
        with pytest.raises(InvalidInput, match="resample first"):
            tone(rate=23000).save(tmp_path / f"a{suffix}")


def test_samples_that_are_not_one_row_of_finite_floats_are_refused():
    for samples in (
        np.zeros((2, 5), np.float32),
        np.zeros(5, np.int16),
        np.array([0.0, np.nan]),
        np.array([np.inf]),
    ):
        with pytest.raises(InvalidInput):
            Audio(samples, RATE)
    for rate in (0, -1, 22050.5):
        with pytest.raises(InvalidInput):
            Audio(np.zeros(5), rate)
    assert Audio(np.zeros(5), 8000.0).samples.dtype == np.float32


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 48000, 16001])
def test_resampling_keeps_pitch_level_and_duration(rate):
    audio, expected = tone(1000), tone(1000, rate=rate)
    resampled = audio.resample(rate)
    assert len(resampled.samples) == math.ceil(len(audio.samples) * rate / RATE)
    middle = slice(rate // 20, -rate // 20)
    count = len(expected.samples)
    assert np.allclose(resampled.samples[:count][middle], expected.samples[middle], atol=1e-3)


def test_resampling_down_removes_what_the_lower_rate_cannot_hold():
    above = tone(8200, seconds=1).resample(16000)
    assert Audio(above.samples[1000:-1000], 16000).rms_db < -80
    below = tone(7200, seconds=1).resample(16000)
    assert abs(Audio(below.samples[1000:-1000], 16000).rms_db - tone(7200).rms_db) < 0.1


def test_the_same_rate_is_the_same_audio_and_a_wrong_rate_is_refused():
    audio = tone()
    assert audio.resample(RATE) is audio
    assert len(Audio(np.zeros(0), RATE).resample(8000).samples) == 0
    with pytest.raises(InvalidInput):
        audio.resample(0)


def test_levels_are_those_of_a_sine():
    audio = tone(1000, amplitude=0.5)
    assert audio.duration == 0.5
    assert audio.peak_db == pytest.approx(-6.02, abs=0.01)
    assert audio.rms_db == pytest.approx(-9.03, abs=0.01)
    assert audio.gain(-6).rms_db == pytest.approx(-15.03, abs=0.01)
    assert Audio(np.zeros(9), RATE).peak_db == Audio(np.zeros(0), RATE).rms_db == -math.inf


def test_the_true_peak_is_found_between_samples():
    # A quarter of the rate, sampled where it is 3 dB below its peak; faded in and out.
    time = np.arange(2000)
    wave = 0.5 * np.sin(np.pi / 2 * time + np.pi / 4) * np.hanning(2000)
    assert Audio(wave, RATE).peak_db == pytest.approx(-9.03, abs=0.01)
    assert Audio(wave, RATE).true_peak_db == pytest.approx(-6.02, abs=0.05)
    # EBU Tech 3341 lets a meter read up to 0.2 dB too high and 0.4 too low.
    for hertz in (6000, 8000, 9600):
        wave = 0.5 * np.sin(2 * np.pi * hertz / 48000 * time + 0.3) * np.hanning(2000)
        assert -6.42 < Audio(wave, 48000).true_peak_db < -5.82


def test_true_peaks_stand_where_they_are_and_short_sound_has_them_too():
    pair = np.zeros(300)
    pair[100:102] = 0.8
    peaks = Audio(pair, RATE).true_peaks()
    assert peaks.shape == (300,)
    assert peaks.argmax() == 100
    assert peaks[100] == pytest.approx(0.8 * 4 / np.pi, abs=0.02)
    for count in (1, 2, 3, 15):
        # It peaks before its first sample: as loud as with silence around it.
        loud = Audio(np.linspace(0.5, 0.1, count) * (-1) ** np.arange(count), RATE)
        assert loud.true_peaks().shape == (count,)
        assert loud.true_peak_db >= loud.peak_db
        assert loud.true_peak_db == Audio(np.pad(loud.samples, 50), RATE).true_peak_db
    assert Audio(np.zeros(9), RATE).true_peak_db == Audio(np.zeros(0), RATE).true_peak_db
    assert Audio(np.zeros(9), RATE).true_peak_db == -math.inf


def test_loudness_is_that_of_the_standard():
    # EBU Tech 3341: a 1 kHz sine of -23 dB peak in two channels is -23 LUFS, in one 3 less.
    sine = tone(1000, seconds=3, rate=48000, amplitude=10 ** (-23 / 20))
    assert sine.loudness() == pytest.approx(-26.0, abs=0.1)
    assert sine.gain(6).loudness() == pytest.approx(-20.0, abs=0.1)


def test_loudness_of_very_short_sound_is_that_of_the_sound_and_silence_has_none(recwarn):
    assert tone(1000, seconds=0.1).loudness() == pytest.approx(tone(1000).loudness(), abs=0.2)
    assert Audio(np.zeros(9), RATE).loudness() == -math.inf
    assert tone(amplitude=1e-5).loudness() == -math.inf
    assert not list(recwarn)


def test_importing_audio_loads_no_library_for_files_or_signals():
    code = "import sys, conditioning.audio; print(*(m for m in sys.modules))"
    modules = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert not {"soundfile", "scipy", "torch", "pyloudnorm"} & set(modules.stdout.split())


@pytest.mark.parametrize("suffix", FORMATS)
def test_six_minutes_are_written_like_six_seconds(tmp_path, suffix):
    """In a process of its own: an encoder that overflows takes the whole process with it."""
    program = f"""
import numpy as np
from conditioning.audio import Audio
wave = np.sin(np.arange(6 * 60 * {RATE}) * 0.05).astype(np.float32) / 4
Audio(wave, {RATE}).save({str(tmp_path / "long")!r} + {suffix!r})
"""
    subprocess.run([sys.executable, "-c", program], check=True)
    assert soundfile.info(tmp_path / f"long{suffix}").duration == pytest.approx(360, abs=0.2)
