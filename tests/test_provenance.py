"""Watermark and metadata: what is marked is found, what is not is not."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from conditioning.audio import Audio
from conditioning.errors import InvalidInput, WeightsError
from voice_actor import provenance
from voice_actor.provenance import THRESHOLD, Provenance, Verification, Watermarker, verify

RATE = 24000


def babble(seconds: float = 3.0, seed: int = 0, rate: int = RATE) -> Audio:
    """Like speech: a gliding harmonic source through three moving formants, in syllables."""
    generator = np.random.default_rng(seed)
    count = round(seconds * rate)
    time = np.arange(count) / rate
    knots = np.arange(0, seconds + 0.25, 0.2)  # five syllables a second
    pitch = np.interp(time, knots, 120 + 80 * generator.random(len(knots)))
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    formants = [
        np.interp(time, knots, low + (high - low) * generator.random(len(knots)))
        for low, high in ((300, 800), (900, 2200), (2300, 3000))
    ]
    sound = np.zeros(count)
    for harmonic in range(1, 30):
        hertz = harmonic * pitch
        gain = sum(1 / (1 + ((hertz - formant) / 90) ** 2) for formant in formants) / harmonic**0.5
        sound += gain * np.sin(harmonic * phase)
    syllables = np.clip(np.sin(2 * np.pi * 2.5 * time) ** 2 * 1.5 - 0.2, 0, 1)
    sound = sound * syllables + 0.002 * generator.normal(size=count)
    return Audio(0.5 * sound / np.abs(sound).max(), rate)


@pytest.fixture(scope="session")
def watermarker() -> Watermarker:
    return Watermarker.load()


@pytest.fixture(scope="session")
def marked(watermarker) -> list[tuple[Audio, Audio]]:
    clips = [babble(seed=seed) for seed in range(4)]
    return [(clip, watermarker.mark(clip)) for clip in clips]


def random_watermarker() -> Watermarker:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Watermarker(provenance._network())


def coded(audio: Audio, container: str, encoding: str, level=None, mode=None) -> Audio:
    file = io.BytesIO()
    with soundfile.SoundFile(
        file, "w", audio.sample_rate, 1, encoding, None, container, True, level, mode
    ) as sound:
        sound.write(audio.samples)
    return Audio.load(io.BytesIO(file.getvalue()))


def scaled(audio: Audio, factor: float) -> Audio:
    return Audio(audio.samples * np.float32(factor), audio.sample_rate)


WAYS = {
    "nothing": lambda audio: audio,
    "wav": lambda audio: coded(audio, "WAV", "PCM_16"),
    "flac": lambda audio: coded(audio, "FLAC", "PCM_16"),
    "mp3 of 96 kbit/s": lambda audio: coded(audio, "MP3", "MPEG_LAYER_III", 64 / 152, "CONSTANT"),
    "opus": lambda audio: coded(audio, "OGG", "OPUS", 0.8),
    "16 kHz": lambda audio: audio.resample(16000),
    "44.1 kHz": lambda audio: audio.resample(44100),
    "48 kHz": lambda audio: audio.resample(48000),
    "quieter": lambda audio: scaled(audio, 0.3),
    "polarity": lambda audio: scaled(audio, -1),
    "crop of 1.5 s": lambda audio: Audio(audio.samples[RATE // 2 : 2 * RATE], RATE),
    "level in a game": lambda audio: scaled(audio.resample(48000), 0.1),
}


@pytest.mark.weights
@pytest.mark.parametrize("way", WAYS)
def test_the_mark_survives_and_what_is_unmarked_is_not_detected(watermarker, marked, way):
    for clip, with_mark in marked:
        assert watermarker.detect(WAYS[way](with_mark)) >= THRESHOLD
        assert watermarker.detect(WAYS[way](clip)) < THRESHOLD


@pytest.mark.weights
@pytest.mark.parametrize("corpus", ["emodb", "laion_voice_acting"])
def test_the_mark_in_recorded_speech_is_found_and_speech_without_is_not(watermarker, corpus):
    folder = Path(__file__).parents[2] / "shared/data/speech" / corpus / "audio"
    paths = sorted(folder.glob("*"))[::60]
    if not paths:
        pytest.skip(f"no recordings in {folder}")
    for path in paths:
        clip = Audio.load(path).resample(RATE)
        clip = clip.gain(-3 - clip.peak_db)
        assert watermarker.detect(clip) < THRESHOLD
        found = coded(watermarker.mark(clip), "MP3", "MPEG_LAYER_III", 64 / 152, "CONSTANT")
        assert watermarker.detect(found) >= THRESHOLD


@pytest.mark.weights
def test_the_mark_is_quiet_lies_below_2_khz_and_keeps_the_length(marked):
    for clip, with_mark in marked:
        assert len(with_mark.samples) == len(clip.samples)
        difference = (with_mark.samples - clip.samples).astype(np.float64)
        assert 10 * np.log10(np.sum(clip.samples**2) / np.sum(difference**2)) > 12
        power = np.abs(np.fft.rfft(difference)) ** 2
        hertz = np.fft.rfftfreq(len(difference), 1 / RATE)
        assert power[hertz > 2100].sum() < 1e-4 * power.sum()


@pytest.mark.weights
def test_other_rates_are_marked_at_their_own_rate(watermarker):
    for rate in (16000, 22050, 48000):
        clip = babble(rate=rate)
        with_mark = watermarker.mark(clip)
        assert (with_mark.sample_rate, len(with_mark.samples)) == (rate, len(clip.samples))
        assert watermarker.detect(with_mark) >= THRESHOLD > watermarker.detect(clip)


@pytest.mark.weights
def test_long_sound_is_judged_by_most_of_it(watermarker):
    clip = babble(seconds=70)
    with_mark = watermarker.mark(clip)
    third = len(clip.samples) // 3
    mostly = np.concatenate([clip.samples[:third], with_mark.samples[third:]])
    hardly = np.concatenate([with_mark.samples[:third], clip.samples[third:]])
    assert watermarker.detect(with_mark) >= THRESHOLD
    assert watermarker.detect(Audio(mostly, RATE)) >= THRESHOLD
    assert watermarker.detect(Audio(hardly, RATE)) < THRESHOLD


@pytest.mark.weights
def test_a_file_is_verified_by_mark_and_by_metadata_each_on_its_own(tmp_path, watermarker, marked):
    clip, with_mark = marked[0]
    said = Provenance.of(
        "Hello.", "am_michael", "Anger 0.5", seed=3, created="2026-01-02T03:04:05Z"
    )
    for suffix in (".wav", ".flac", ".ogg", ".opus", ".mp3"):
        both = verify(with_mark.save(tmp_path / f"both{suffix}", said.to_metadata()), watermarker)
        assert both.is_ours
        assert both.watermarked
        assert both.provenance == said
    mark = verify(with_mark.save(tmp_path / "mark.wav"), watermarker)
    assert mark.watermarked
    assert mark.provenance is None
    assert not mark.is_ours
    text = verify(clip.save(tmp_path / "text.wav", said.to_metadata()), watermarker)
    assert not text.watermarked
    assert text.provenance == said
    assert not text.is_ours
    neither = verify(clip.save(tmp_path / "neither.wav"))
    assert not neither.watermarked
    assert neither.provenance is None
    assert not neither.is_ours


@pytest.mark.parametrize("count", [1, 2, 239, 767, 1535, 1536, 1537, 2000])
def test_sound_of_any_length_can_be_marked_and_judged(count):
    clip = Audio(babble(0.2).samples[2000 : 2000 + count], RATE)
    marker = random_watermarker()
    with_mark = marker.mark(clip)
    assert len(with_mark.samples) == count
    assert np.isfinite(with_mark.samples).all()
    assert 0 <= marker.detect(with_mark) <= 1


def test_nothing_stays_nothing_and_silence_stays_silent_and_neither_is_marked():
    marker = random_watermarker()
    for count in (0, 1, 48000):
        silence = Audio(np.zeros(count), RATE)
        assert not marker.mark(silence).samples.any()
        assert marker.detect(silence) == 0


def test_marking_is_deterministic_and_leaves_its_input_alone():
    clip = babble(1)
    before = clip.samples.copy()
    marker = random_watermarker()
    assert np.array_equal(marker.mark(clip).samples, marker.mark(clip).samples)
    assert np.array_equal(clip.samples, before)


def test_marking_piece_by_piece_is_marking_the_whole(monkeypatch):
    clip, marker = babble(3), random_watermarker()
    whole = marker.mark(clip).samples
    monkeypatch.setattr(provenance, "_BLOCK", 70)
    assert np.abs(whole - clip.samples).max() > 1e-4
    assert np.allclose(marker.mark(clip).samples, whole, atol=1e-6)


def test_the_peak_never_exceeds_full_scale():
    clip = scaled(babble(1), 2.0)
    assert np.abs(clip.samples).max() == pytest.approx(1)
    marker = random_watermarker()
    marker._network.encoder.layers[-1].conv.bias += 0.02  # lifts everything below 2 kHz by 4 dB
    assert np.abs(marker.mark(clip).samples).max() <= 1


def test_weights_that_cannot_be_used_are_an_error_and_never_an_unmarked_line(tmp_path):
    (tmp_path / "text").write_text("not weights")
    torch.save({"model": {"encoder.layers.0.conv.weight": torch.zeros(1)}}, tmp_path / "other")
    torch.save([1, 2], tmp_path / "list")
    torch.save({"model": Watermarker}, tmp_path / "code")
    state = provenance._network().state_dict()
    torch.save({"model": state}, tmp_path / "good")
    torch.save({"model": dict(list(state.items())[1:])}, tmp_path / "fewer")
    torch.save({"model": {**state, "more": torch.zeros(1)}}, tmp_path / "more")
    (tmp_path / "half").write_bytes((tmp_path / "good").read_bytes()[:100_000])
    (tmp_path / "empty").write_bytes(b"")
    for name in ("absent", ".", "text", "other", "list", "code", "half", "empty", "fewer", "more"):
        with pytest.raises(WeightsError) as caught:
            Watermarker.load(tmp_path / name)
        assert "\n" not in str(caught.value)
        assert "resemble-perth" in str(caught.value)
    Watermarker.load(tmp_path / "good")


def test_provenance_survives_metadata_and_says_what_a_reader_needs():
    said = Provenance.of("Grüß Gott!", "bf_emma", "Awe 0.4 “softly”", seed=7)
    metadata = said.to_metadata()
    assert Provenance.from_metadata(metadata) == said
    assert Provenance.from_metadata(json.loads(json.dumps(metadata))) == said
    assert "bf_emma" in str(said)
    assert "Awe 0.4" in str(said)
    assert said.consent in str(said)
    assert said.digital_source_type.endswith("/trainedAlgorithmicMedia")
    assert "Grüß" not in str(metadata)


def test_the_time_is_given_or_fixed_by_the_environment_or_now(monkeypatch):
    given = Provenance.of("x", "v", created="2001-01-01T00:00:00Z")
    assert given.created == "2001-01-01T00:00:00Z"
    assert Provenance.of("x", "v").created > "2026"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    assert Provenance.of("x", "v").created == "1970-01-01T00:00:00Z"


def test_metadata_of_others_is_not_ours_and_fields_of_later_versions_are_left_out():
    said = Provenance.of("x", "v")
    later = json.dumps({**json.loads(said.to_metadata()["comment"]), "mood": "new"})
    assert Provenance.from_metadata({"comment": later}) == said
    for comment in (
        "",
        "a song",
        "[1]",
        '{"generator": "Another"}',
        '{"generator": "Voice Actor"}',
    ):
        assert Provenance.from_metadata({"comment": comment}) is None
    assert Provenance.from_metadata({}) is None


def test_a_verification_can_be_written_as_json():
    found = Verification(0.98765, Provenance.of("x", "v", created="2026-01-01T00:00:00Z"))
    described = json.loads(json.dumps(found.to_json()))
    assert described["is_ours"]
    assert described["watermark"] == 0.9877
    assert described["provenance"]["voice"] == "v"
    assert Verification(0.2, None).to_json()["provenance"] is None


def test_a_file_that_is_not_audio_is_refused_before_the_network_is_loaded(tmp_path):
    with pytest.raises(InvalidInput):
        verify(tmp_path / "absent.wav")
