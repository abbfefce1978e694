"""What measures speech beside emotion: a recogniser, DNSMOS and a speaker encoder."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from conditioning.audio import Audio
from conditioning.errors import InvalidInput
from conditioning.whisper import Whisper, word_errors


class Instruments:
    """Each is loaded when first asked for; two are packages of the extra `benchmark`."""

    @staticmethod
    def check() -> None:
        """Raises InvalidInput where a package is missing, before work is begun."""
        try:
            import resemblyzer  # noqa: F401
            import speechmos  # noqa: F401
        except ImportError as error:
            raise InvalidInput(
                f"{error.name} is not installed, which measures speech; pip install -c "
                "constraints.txt -e '.[benchmark]'."
            ) from error

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

        samples = np.clip(audio.resample(16_000).samples, -1, 1)  # resampling may overshoot
        return float(dnsmos.run(samples, sr=16_000)["ovrl_mos"])

    def speaker(self, audio: Audio) -> np.ndarray:
        """Unit vector (256,) of who speaks, by resemblyzer's GE2E encoder (arXiv 1710.10467)."""
        from resemblyzer import preprocess_wav

        return self.speaker_encoder.embed_utterance(
            preprocess_wav(audio.samples, source_sr=audio.sample_rate)
        )
