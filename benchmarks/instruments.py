"""What listens in the benchmarks: a recogniser, DNSMOS, a speaker encoder and a pitch tracker."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from conditioning.audio import Audio
from conditioning.whisper import Whisper, word_errors


class Instruments:
    """Each is loaded when first asked for."""

    @cached_property
    def recogniser(self) -> Whisper:
        return Whisper.load()

    @cached_property
    def speaker_encoder(self):
        from resemblyzer import VoiceEncoder

        return VoiceEncoder("cpu", verbose=False)

    def words(self, audio: Audio, text: str) -> tuple[int, int, str]:
        """(errors, words, transcript) by Whisper base, after its English normaliser."""
        heard = self.recogniser.transcribe(audio)
        return *word_errors(text, heard), heard

    def dnsmos(self, audio: Audio) -> float:
        """DNSMOS P.835 overall, 1 to 5 (arXiv 2110.01763); it punishes expressive pitch."""
        from speechmos import dnsmos

        return float(dnsmos.run(audio.resample(16_000).samples, sr=16_000)["ovrl_mos"])

    def speaker(self, audio: Audio) -> np.ndarray:
        """Unit vector (256,) of who speaks, by resemblyzer's GE2E encoder (arXiv 1710.10467)."""
        from resemblyzer import preprocess_wav

        return self.speaker_encoder.embed_utterance(
            preprocess_wav(audio.samples, source_sr=audio.sample_rate)
        )


def pitch(audio: Audio) -> tuple[np.ndarray, np.ndarray]:
    """Times (s) and pitch (Hz, 0 where unvoiced) by Praat's autocorrelation."""
    import parselmouth

    sound = parselmouth.Sound(audio.samples.astype(np.float64), audio.sample_rate)
    found = sound.to_pitch_ac(time_step=0.0125, pitch_floor=50.0, pitch_ceiling=750.0)
    return found.xs(), found.selected_array["frequency"]


def level_and_range(f0: np.ndarray) -> tuple[float, float]:
    """Median in semitones above 1 Hz, and the distance of the 10th to the 90th percentile."""
    semitones = 12 * np.log2(f0)
    low, middle, high = np.percentile(semitones, [10, 50, 90])
    return float(middle), float(high - low)


def pitch_errors(audio: Audio, asked: np.ndarray, hop: float = 0.0125) -> tuple[float, float]:
    """Semitones by which measured level and range exceed the asked curve's (P,), in Hz.

    Compared where both are voiced, and without the octave errors that trackers make: frames more
    than 9 semitones apart are left out of both.
    """
    times, found = pitch(audio)
    nearest = np.clip(np.round(times / hop - 0.5).astype(int), 0, len(asked) - 1)
    wanted = asked[nearest]
    both = (found > 0) & (wanted > 10)
    found, wanted = found[both], wanted[both]
    same_octave = np.abs(12 * np.log2(found / wanted)) < 9
    level, spread = level_and_range(found[same_octave])
    asked_level, asked_spread = level_and_range(wanted[same_octave])
    return level - asked_level, spread - asked_spread
