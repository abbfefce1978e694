"""The backbone: the same speech as the shipped export, and every control open from outside."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from kokoro_reference import CASES, TARGET, log_mel
from toys import InkMarker

from voice_actor.acting import Acting, middle_pitch
from voice_actor.actor import VoiceActor
from voice_actor.adapter import EmotionAdapter
from voice_actor.backbone import whole_frames
from voice_actor.kokoro.backbone import KokoroBackbone
from voice_actor.kokoro.layers import NormStatistics
from voice_actor.phonemes import phonemize
from voice_actor.voices import accent_of

pytestmark = pytest.mark.weights


@pytest.fixture(scope="module")
def backbone() -> KokoroBackbone:
    return KokoroBackbone.load()


@pytest.fixture(scope="module")
def reference():
    return np.load(TARGET)


def reading_of(backbone, voice, text=None):
    (phrase,) = phonemize(text or CASES[voice], accent_of(voice))
    with torch.no_grad():
        return backbone.read(phrase, backbone.style(voice, len(phrase.phonemes)))


@pytest.mark.parametrize("voice", CASES)
def test_durations_are_those_of_the_export_within_a_frame(backbone, reference, voice):
    reading = reading_of(backbone, voice)
    assert list(reading.phrase.tokens) == reference[f"{voice}.tokens"].tolist()
    difference = whole_frames(reading.durations).numpy() - reference[f"{voice}.durations"]
    assert np.abs(difference).max() <= 1


@pytest.mark.parametrize("voice", CASES)
def test_pitch_is_that_of_the_export_within_half_a_semitone(backbone, reference, voice):
    reading = reading_of(backbone, voice)
    frames = torch.from_numpy(reference[f"{voice}.durations"].astype(np.int64))
    with torch.no_grad():
        f0, _ = backbone.curves(reading, frames)
    expected = reference[f"{voice}.f0"]
    voiced = (expected > 10) & (f0.numpy() > 10)
    assert np.mean((expected > 10) == (f0.numpy() > 10)) > 0.95
    semitones = 12 * np.log2(f0.numpy()[voiced] / expected[voiced])
    assert np.median(np.abs(semitones)) < 0.5


@pytest.mark.parametrize("voice", CASES)
def test_sound_correlates_with_the_export_in_every_band(backbone, reference, voice):
    reading = reading_of(backbone, voice)
    durations, f0, energy = (
        torch.from_numpy(reference[f"{voice}.{name}"]) for name in ("durations", "f0", "energy")
    )
    with torch.no_grad():
        samples = backbone.speak(reading, durations.long(), f0, energy, reading.style)
    ours, expected = log_mel(samples.numpy()), reference[f"{voice}.mel"].astype(float)
    frames = min(len(ours), len(expected))
    ours, expected = ours[:frames], expected[:frames]
    bands = [np.corrcoef(ours[:, i], expected[:, i])[0, 1] for i in range(ours.shape[1])]
    assert np.median(bands) > 0.95
    assert min(bands) > 0.8
    # The export adds up its windows without dividing by the sum of their squares, 1.5, as
    # torch.istft and the published model do: it is 3.5 dB louder.
    expected -= 2 * np.log(1.5)
    loud = expected > expected.max() - 6  # log of power
    assert abs((ours - expected)[loud].mean()) < 0.2


def test_no_direction_is_exactly_the_backbones_own_reading(backbone):
    actor = VoiceActor(backbone, EmotionAdapter.load(), InkMarker())
    reading = reading_of(backbone, "af_heart", "Oh, hello.")
    frames = whole_frames(reading.durations)
    with torch.no_grad():
        f0, energy = backbone.curves(reading, frames)
        own = backbone.speak(reading, frames, f0, energy, reading.style).numpy()
    assert np.array_equal(actor.perform("Oh, hello.").audio.samples[:-1], own[:-1])


def test_style_directions_are_one_deviation_of_the_voices_long(backbone):
    directions = backbone.directions()
    assert set(directions) == {"whisper", "d1", "d2", "d3", "p1", "p2", "p3"}
    styles = torch.stack([backbone.style(voice, 30) for voice in backbone.voices])
    for name, direction in directions.items():
        assert direction.shape == (256,)
        other_half = slice(None, 128) if name[0] == "p" else slice(128, None)
        assert not direction[other_half].any()
        if name != "whisper":
            along = styles @ direction / direction.square().sum()
            assert float(along.std(correction=0)) == pytest.approx(1, abs=1e-3)
            assert direction.max() == direction.abs().max()


@pytest.mark.parametrize("control", ["style_p1", "style_p2", "style_p3"])
def test_another_manner_of_speaking_keeps_the_level_of_pitch(backbone, control):
    actor = VoiceActor(backbone, EmotionAdapter.load(), InkMarker())
    reading = reading_of(backbone, "af_heart", "Three more days and it is over.")
    own = actor.enact(reading, Acting.neutral(len(reading.durations)))
    other = actor.enact(reading, Acting.of(len(reading.durations), **{control: 1.0}))
    assert float(middle_pitch(other.f0)) == pytest.approx(float(middle_pitch(own.f0)), abs=0.02)
    assert not torch.equal(other.f0, own.f0)


def test_another_timbre_keeps_the_reading(backbone):
    actor = VoiceActor(backbone, EmotionAdapter.load(), InkMarker())
    reading = reading_of(backbone, "af_heart", "Oh, hello.")
    own = actor.enact(reading, Acting.neutral(len(reading.durations)))
    other = actor.enact(reading, Acting.of(len(reading.durations), style_d1=1.0))
    assert torch.equal(other.frames, own.frames)
    assert torch.allclose(other.f0[own.f0 > 55], own.f0[own.f0 > 55], rtol=1e-4)
    assert torch.equal(other.style[128:], own.style[128:])
    assert not torch.equal(other.style[:128], own.style[:128])


def test_the_same_seed_gives_the_same_samples(backbone):
    reading = reading_of(backbone, "af_heart", "Oh, hello.")
    frames = whole_frames(reading.durations)
    with torch.no_grad():
        f0, energy = backbone.curves(reading, frames)
        first, second, other = (
            backbone.speak(reading, frames, f0, energy, reading.style, seed) for seed in (1, 1, 2)
        )
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_a_duration_asked_is_a_duration_heard(backbone):
    reading = reading_of(backbone, "af_heart", "Oh, hello.")
    frames = whole_frames(reading.durations) + 3
    with torch.no_grad():
        f0, energy = backbone.curves(reading, frames)
        samples = backbone.speak(reading, frames, f0, energy, reading.style)
    assert len(samples) == int(frames.sum()) * 600


def test_gradients_reach_pitch_energy_and_style(backbone):
    reading = reading_of(backbone, "am_michael", "No.")
    frames = whole_frames(reading.durations)
    with torch.no_grad():
        f0, energy = backbone.curves(reading, frames)
    controls = [control.clone().requires_grad_() for control in (f0, energy, reading.style)]
    samples = backbone.speak(reading, frames, *controls)
    samples.square().mean().backward()
    for control in controls:
        assert torch.isfinite(control.grad).all()
        assert control.grad.abs().max() > 0


def test_frozen_statistics_let_energy_through_as_loudness(backbone):
    reading = reading_of(backbone, "af_heart", "Three more days.")
    frames = whole_frames(reading.durations)
    recorded = NormStatistics()

    def rms(change: float, statistics: NormStatistics | None) -> float:
        samples = backbone.speak(
            reading, frames, f0, energy + change, reading.style, statistics=statistics
        )
        return float(samples.square().mean().sqrt())

    with torch.no_grad():
        f0, energy = backbone.curves(reading, frames)
        plain = rms(0.0, recorded)
        free = rms(4.0, None) / plain
        frozen = rms(4.0, recorded.replay()) / plain
        assert rms(0.0, recorded.replay()) == pytest.approx(plain, rel=1e-4)
    assert frozen > 1.3 * free


def test_reading_a_text_again_does_not_run_the_text_stages(backbone, monkeypatch):
    reading_of(backbone, "af_heart", "Once more, with feeling.")
    monkeypatch.setattr(backbone.network, "bert", None)
    reading_of(backbone, "am_michael", "Once more, with feeling.")
