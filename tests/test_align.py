"""Phonemes are found where they are heard; corpora are read in Kokoro's alphabet."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from toys import RATE, HummingBackbone

from conditioning.audio import Audio
from conditioning.errors import InvalidInput, UnknownName
from training.align import (
    Aligner,
    Alignment,
    against_labels,
    compare,
    heard_bounds,
    labels,
)
from training.pronounce import pronounce
from voice_actor.backbone import FRAME
from voice_actor.performance import Timed
from voice_actor.phonemes import VOCABULARY, phonemize

SPEECH = Path(__file__).parents[2] / "shared" / "data" / "speech"


LEAD = 0.05  # seconds


class ChimingBackbone(HummingBackbone):
    """Every sound is a chord of its own, heard two frames early; what is no sound is silent."""

    lead = LEAD

    def speak(self, reading, frames, f0, energy, style, seed=0):
        chords = [np.zeros(3), *map(chord, reading.phrase.symbols), np.zeros(3)]
        return torch.from_numpy(chime(chords, frames.numpy(), float(style[0])))


def chord(symbol: str) -> np.ndarray:
    if not symbol.isalpha():
        return np.zeros(3)
    rng = np.random.default_rng(zlib.crc32(symbol.encode()))
    return np.exp(rng.uniform(np.log([300, 900, 2200]), np.log([900, 2200, 5000])))


def chime(chords, frames, pitch) -> np.ndarray:
    hop = round(FRAME * RATE)
    tones = np.repeat(np.array(chords), hop * frames, axis=0)  # (S, 3)
    early = round(LEAD * RATE)
    tones = np.concatenate([tones[early:], np.zeros((early, 3))])
    waves = np.sin(2 * np.pi * np.cumsum(tones * (1 + pitch / 4000), axis=0) / RATE)
    return (0.2 * waves.sum(axis=1)).astype(np.float32)


class SpectrumEncoder:
    """The spectrum every 20 ms, in place of Whisper's encoder."""

    def encode(self, audio, layers):
        size = round(0.02 * audio.sample_rate)
        padded = np.pad(audio.samples, size // 2)
        frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::size]
        return np.log(np.abs(np.fft.rfft(frames * np.hanning(size), axis=1)) + 0.01)[None]


@pytest.fixture
def aligner():
    return Aligner(ChimingBackbone(), SpectrumEncoder())


def recording(phrases, change=lambda frames, phrase: frames) -> tuple[Audio, np.ndarray]:
    """The phrases in another voice with changed durations, and when each phoneme begins."""
    samples, starts, past = [], [], 0.0
    for phrase in phrases:
        frames = change(np.full(len(phrase.phonemes) + 2, 4), phrase)
        chords = [np.zeros(3), *map(chord, phrase.symbols), np.zeros(3)]
        samples.append(chime(chords, frames, 110.0))
        starts.append(past + heard_bounds(frames, LEAD)[1:-2])
        past += len(samples[-1]) / RATE
    noise = np.random.default_rng(0).normal(0, 0.002, sum(map(len, samples)))
    return Audio((np.concatenate(samples) + noise).astype(np.float32), RATE), np.concatenate(starts)


def worst(alignment, true) -> float:
    """Seconds, over boundaries with sound on both sides: silence has no boundaries to hear."""
    rows = alignment.phonemes
    heard = [chord(timed.label).any() for timed in rows]
    return max(
        abs(rows[i].start - true[i]) for i in range(1, len(rows)) if heard[i] and heard[i - 1]
    )


def uneven(frames, phrase):
    return frames + np.arange(len(frames)) * 7 % 5


def test_sounds_are_found_in_another_voice_at_another_tempo(aligner):
    phrases = phonemize("The keys lie on a wooden table")
    audio, true = recording(phrases, uneven)
    found = aligner.align(audio, phrases, "af_heart")
    assert [timed.label for timed in found.phonemes] == list(phrases[0].symbols)
    assert worst(found, true) <= FRAME


def test_a_long_pause_belongs_to_the_comma_and_its_space(aligner):
    phrases = phonemize("The keys, my friend, lie here")
    comma = phrases[0].symbols.index(",")

    def paused(frames, phrase):
        frames[comma + 1] += 40
        return frames

    audio, true = recording(phrases, paused)
    found = aligner.align(audio, phrases, "af_heart")
    assert worst(found, true) <= FRAME
    lasting = found.phonemes[comma + 1].end - found.phonemes[comma].start
    assert lasting == pytest.approx(1.2, abs=0.05)


def test_phonemes_follow_each_other_without_gaps(aligner):
    phrases = phonemize("The keys, my friend, lie here.")
    (row,) = aligner.align(recording(phrases, uneven)[0], phrases, "af_heart").phrases
    assert all(one.end == other.start for one, other in zip(row, row[1:], strict=False))
    assert all(timed.start <= timed.end for timed in row)


def test_silence_around_the_words_belongs_to_no_phoneme(aligner):
    phrases = phonemize("The keys lie here")
    audio, true = recording(phrases)
    silence = np.random.default_rng(1).normal(0, 0.002, RATE).astype(np.float32)
    longer = Audio(np.concatenate([silence, audio.samples, silence]), RATE)
    found = aligner.align(longer, phrases, "af_heart")
    assert found.phonemes[0].start == pytest.approx(1 + true[0], abs=0.02)
    assert found.phonemes[-1].end == pytest.approx(longer.duration - 1 - 0.1 - LEAD, abs=0.02)


def test_a_clip_that_begins_and_ends_with_speech_is_aligned(aligner):
    phrases = phonemize("The keys lie here")
    audio, true = recording(phrases, uneven)
    first, last = (round(time * RATE) for time in (true[0], true[-1] + 0.08))
    found = aligner.align(Audio(audio.samples[first:last], RATE), phrases, "af_heart")
    assert worst(found, true - true[0]) <= 0.03


def test_phrases_are_found_one_after_the_other(aligner):
    text = "The keys lie here. My friend went home"
    phrases = phonemize(text, breaks=[19])
    assert len(phrases) == 2
    audio, true = recording(phrases, uneven)
    found = aligner.align(audio, phrases, "af_heart")
    assert [len(row) for row in found.phrases] == [len(phrase.phonemes) for phrase in phrases]
    assert worst(found, true) <= FRAME


def test_other_words_give_less_confidence(aligner):
    phrases = phonemize("The keys lie on a wooden table")
    audio, _ = recording(phrases, uneven)
    others = phonemize("My uncle saw five green frogs")
    right, wrong = (aligner.align(audio, said, "af_heart") for said in (phrases, others))
    assert 0 <= wrong.confidence < right.confidence - 0.2 <= 0.8


def test_a_reading_is_spoken_once(aligner):
    phrases = phonemize("The keys lie here")
    audio, _ = recording(phrases)
    for _ in range(2):
        aligner.align(audio, phrases, "af_heart")
    assert len(aligner.backbone.read_texts) == 1
    aligner.align(audio, phrases, "bm_george")
    assert len(aligner.backbone.read_texts) == 2


@pytest.mark.parametrize(
    ("seconds", "level", "said"),
    [(2.0, 0.0, "silent"), (61.0, 0.1, "61 s"), (0.1, 0.1, "too short")],
)
def test_what_cannot_be_aligned_is_refused(aligner, seconds, level, said):
    noise = level * np.random.default_rng(0).uniform(-1, 1, round(seconds * RATE))
    with pytest.raises(InvalidInput, match=said):
        aligner.align(
            Audio(noise.astype(np.float32), RATE), phonemize("The keys lie here"), "af_heart"
        )


def test_no_phrases_and_unknown_voices_are_refused(aligner):
    phrases = phonemize("The keys lie here")
    audio, _ = recording(phrases)
    with pytest.raises(InvalidInput, match="at least one"):
        aligner.align(audio, (), "af_heart")
    with pytest.raises(UnknownName):
        aligner.align(audio, phrases, "af_nobody")


LABELS = """signal xx
# a comment
nfields 1
#
    0.050 -1 _t
    0.100 -1 !t\t+asp
    0.120 -1 tasp
    0.150 -1 a\t\t2
    0.200 -1 \t-lar
    0.250 -1 (
    0.300 -1 i6
    0.400 -1 S
    0.500 -1 .
"""


def test_labels_join_the_parts_of_a_stop_and_part_a_vowel_from_its_r(tmp_path):
    (tmp_path / "x.lablaut").write_text(LABELS)
    assert labels(tmp_path / "x.lablaut") == [
        ("t", 0.05), ("a", 0.15), ("", 0.25), ("i", 0.3), ("ɐ", None), ("ʃ", 0.4), ("", 0.5),
    ]  # fmt: skip


def test_an_empty_label_file_is_refused(tmp_path):
    (tmp_path / "x.lablaut").write_text("signal x\n#\n")
    with pytest.raises(InvalidInput, match="no labels"):
        labels(tmp_path / "x.lablaut")


def test_only_boundaries_between_matched_sounds_are_compared():
    row = "t", "ˈ", "a", "ː", " ", "s", "f", "i", "n"
    times = tuple(Timed(label, i / 10, (i + 1) / 10) for i, label in enumerate(row))
    labelled = [("d", 0.0), ("a", 0.08), ("s", 0.35), ("k", 0.6), ("i", 0.7), ("n", 0.83)]
    errors, boundaries = compare(Alignment((times,), 1.0), labelled)
    assert boundaries == 5
    # t-a, a-s and i-n; "f" is no "k".
    np.testing.assert_allclose(errors, [0.02, 0.05, -0.03], atol=1e-9)


def test_english_is_read_as_it_is_spoken():
    assert pronounce("Go home, you!", "en") == phonemize("Go home, you!")


def test_german_is_read_in_kokoros_alphabet():
    pytest.importorskip("espeakng_loader")
    text = "Heute Abend, sagte er: „Tschüs!“ – und ging."
    (phrase,) = pronounce(text, "de")
    assert set(phrase.symbols) <= set(VOCABULARY)
    assert phrase.symbols.startswith("hˈYtə ˈɑːbənt, ")
    written = [text[start:end] for _, _, start, end in phrase.words]
    assert written == ["Heute", "Abend", "sagte", "er", "Tschüs", "und", "ging"]
    for first, end, start, stop in phrase.words:
        assert {(p.start, p.end) for p in phrase.phonemes[first:end]} == {(start, stop)}
    assert [symbol for symbol in phrase.symbols if symbol in ",:!—."] == list(",:!—.")


def test_polish_affricates_are_single_symbols():
    pytest.importorskip("espeakng_loader")
    (phrase,) = pronounce("Cześć, chodźmy.", "pl")
    assert "ʧ" in phrase.symbols
    assert "ʨ" in phrase.symbols
    assert "ʥ" in phrase.symbols


def test_numbers_keep_their_one_written_word():
    pytest.importorskip("espeakng_loader")
    text = "Es sind 25 Leute."
    (phrase,) = pronounce(text, "de")
    assert [text[start:end] for _, _, start, end in phrase.words] == ["Es", "sind", "25", "Leute"]


def test_a_long_text_becomes_several_phrases():
    pytest.importorskip("espeakng_loader")
    text = "Heute abend könnte ich es ihm sagen. " * 12
    phrases = pronounce(text, "de")
    assert len(phrases) > 1
    assert sum(len(phrase.words) for phrase in phrases) == 12 * 7
    assert all(phrase.phonemes[0].symbol != " " != phrase.phonemes[-1].symbol for phrase in phrases)


def test_a_sound_without_a_nearest_symbol_is_refused(monkeypatch):
    monkeypatch.setattr("training.pronounce._espeak", lambda text, language: "kǃa")
    with pytest.raises(InvalidInput, match="ǃ"):
        pronounce("Xhosa", "xh")


def test_languages_and_texts_that_cannot_be_read_are_refused():
    pytest.importorskip("espeakng_loader")
    with pytest.raises(InvalidInput, match="'qqq'"):
        pronounce("Hallo", "qqq")
    with pytest.raises(InvalidInput, match="Nothing to speak"):
        pronounce("… !", "de")


@pytest.mark.weights
def test_emodbs_labels_are_met_within_30_ms():
    pytest.importorskip("espeakng_loader")
    if not (SPEECH / "emodb" / "lablaut").is_dir():
        pytest.skip("EmoDB with its labels is not on this machine")
    found = against_labels(Aligner.load(), SPEECH, clips=3)
    assert found["clips"] == 3
    assert found["share_matched"] > 0.5
    assert found["error_p50_ms"] <= 30
