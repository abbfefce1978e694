"""`Audio`: mono samples that know their rate, read from and written to files."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from conditioning import ogg, tags
from conditioning.errors import InvalidInput
from conditioning.files import check_place, shown, write_whole

# Suffix -> (container, encoding) as libsndfile names them.
FORMATS = {
    ".wav": ("WAV", "PCM_16"),
    ".flac": ("FLAC", "PCM_16"),
    ".ogg": ("OGG", "VORBIS"),
    ".opus": ("OGG", "OPUS"),
    ".mp3": ("MP3", "MPEG_LAYER_III"),
}
# The only sample rates (Hz) that these codecs know.
CODEC_RATES = {
    ".opus": (8000, 12000, 16000, 24000, 48000),
    ".mp3": (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000),
}
# libsndfile's scale from 0 (best) to 1 (smallest): each about 60 kbit/s for mono speech at 24 kHz.
_COMPRESSION = {".ogg": 0.4, ".opus": 0.8, ".mp3": 0.2}

_WRITTEN_AT_ONCE = 65_536  # samples
_FINER = 4  # times as many samples in which true peaks are looked for
_RINGING = 10  # samples by which scipy's filter for that reaches out
LOUDNESS_BLOCK = 0.4  # s, the gating block of ITU-R BS.1770-4


@dataclass(frozen=True, eq=False)
class Audio:
    """Mono sound.

    Attributes:
        samples: shape (T,), float32, full scale is 1. Values above 1 can be held, but not saved.
        sample_rate: Hz.

    Raises:
        InvalidInput: samples that are not one row of finite floats, or a rate that is not positive.
    """

    samples: np.ndarray
    sample_rate: int

    def __post_init__(self):
        samples = np.asarray(self.samples)
        if samples.ndim != 1 or samples.dtype.kind != "f":
            raise InvalidInput(
                f"Samples of shape {samples.shape} and type {samples.dtype} cannot be used; "
                "give one row of floats, full scale 1."
            )
        if not np.isfinite(samples).all():
            raise InvalidInput("The samples hold nan or infinity; give finite floats.")
        if int(self.sample_rate) != self.sample_rate or self.sample_rate <= 0:
            raise InvalidInput(f"Sample rate {self.sample_rate!r}; give a positive number of Hz.")
        object.__setattr__(self, "samples", samples.astype(np.float32, copy=False))
        object.__setattr__(self, "sample_rate", int(self.sample_rate))

    @classmethod
    def load(cls, source: str | os.PathLike | BinaryIO) -> Audio:
        """Read a file (WAV, FLAC, Ogg, Opus, MP3; whatever libsndfile knows), channels averaged.

        Args:
            source: a path, or an open binary file such as `sys.stdin.buffer`.

        Raises:
            InvalidInput: no such file, a folder, empty, not audio, or samples that are not finite.
        """
        import soundfile

        name = _name_of(source)
        encoded = _read_bytes(source, name)
        try:
            with soundfile.SoundFile(io.BytesIO(encoded)) as sound:
                samples = sound.read(dtype="float32", always_2d=True).mean(axis=1)
                rate = sound.samplerate
        except soundfile.SoundFileError:
            raise InvalidInput(f"{name} is not audio that can be read; {_ALLOWED}.") from None
        if not len(samples):
            raise InvalidInput(f"{name} holds no samples; {_ALLOWED} that lasts some time.")
        if not np.isfinite(samples).all():
            raise InvalidInput(f"{name} holds nan or infinite samples; give finite ones.")
        return cls(samples, rate)

    def save(self, path: str | os.PathLike, metadata: Mapping[str, str] | None = None) -> Path:
        """Write a file in the format its suffix names, whole or not at all; returns the path.

        WAV and FLAC hold 16 bits, so that what was loaded from 16 bits is saved unchanged.

        Args:
            path: with a suffix of `FORMATS`; an existing file is replaced.
            metadata: text for the fields of `conditioning.tags.FIELDS`.

        Raises:
            InvalidInput: see `check_writable`; no samples; a rate that the format cannot hold.
            UnknownName: an unknown metadata field.
        """
        path = Path(path)
        check_writable(path)
        encoded = self.encode(path.suffix, metadata)
        write_whole(path, encoded)
        return path

    def encode(self, suffix: str = ".wav", metadata: Mapping[str, str] | None = None) -> bytes:
        """The bytes of the file that `save` would write; the same each time."""
        import soundfile

        suffix = suffix.lower()
        _check_suffix(f"Format {suffix!r}", suffix)
        text = tags.check(metadata or {})
        if not len(self.samples):
            raise InvalidInput("There are no samples to save; an audio file needs at least one.")
        rates = CODEC_RATES.get(suffix, (self.sample_rate,))
        if self.sample_rate not in rates:
            raise InvalidInput(
                f"{suffix[1:]} cannot hold {self.sample_rate} Hz, only "
                f"{', '.join(map(str, rates))}; resample first, or save as wav."
            )
        peak = float(np.abs(self.samples).max())
        assert peak <= 1.0, f"a peak of {peak:.4f} would clip; scale before saving"
        container, encoding = FORMATS[suffix]
        samples = self.samples
        if encoding == "PCM_16":
            # The scale by which libsndfile divides when it reads; only +1 itself is beyond 16 bits.
            samples = np.minimum(np.round(samples * 32768.0), 32767).astype(np.int16)
        buffer = io.BytesIO()
        with soundfile.SoundFile(
            buffer,
            "w",
            self.sample_rate,
            channels=1,
            format=container,
            subtype=encoding,
            compression_level=_COMPRESSION.get(suffix),
        ) as sound:
            if suffix not in (".wav", ".mp3"):
                for field, value in text.items():
                    setattr(sound, field, value)
            # Given several minutes at once, libsndfile's Vorbis encoder overflows its stack.
            for start in range(0, len(samples), _WRITTEN_AT_ONCE):
                sound.write(samples[start : start + _WRITTEN_AT_ONCE])
        encoded = buffer.getvalue()
        if container == "OGG":
            return ogg.settle(encoded)
        return tags.embed(encoded, text) if suffix in (".wav", ".mp3") else encoded

    def resample(self, rate: int) -> Audio:
        """The same sound at another rate in Hz (polyphase filter); length ceil(T * rate / old)."""
        # scipy (BSD): pyloudnorm needs it anyway, and its polyphase filter takes any ratio exactly.
        if rate == self.sample_rate:
            return self
        if int(rate) != rate or rate <= 0:
            raise InvalidInput(f"Sample rate {rate!r}; give a positive number of Hz.")
        from scipy.signal import firwin, resample_poly

        common = math.gcd(self.sample_rate, int(rate))
        up, down = int(rate) // common, self.sample_rate // common
        # 64 zero crossings a side and a Kaiser window of 8.6: flat to 91 % of the lower Nyquist
        # frequency, 90 dB down above it. scipy's own default filter aliases audibly near there.
        widest = max(up, down)
        taps = firwin(2 * 64 * widest + 1, 0.955 / widest, window=("kaiser", 8.6))
        samples = self.samples
        if len(samples):
            samples = resample_poly(samples.astype(np.float64), up, down, window=taps)
        return Audio(samples.astype(np.float32), int(rate))

    @property
    def duration(self) -> float:
        """Seconds."""
        return len(self.samples) / self.sample_rate

    @property
    def peak_db(self) -> float:
        """Largest absolute sample, dB of full scale; -inf for silence."""
        return _db(float(np.abs(self.samples).max(initial=0.0)))

    def true_peaks(self) -> np.ndarray:
        """The highest amplitude from each sample to the next, between samples too: shape (T,).

        From four times as many samples, as in annex 2 of ITU-R BS.1770-4; a tone near half the
        sample rate can be up to 0.7 dB higher still.
        """
        if not len(self.samples):
            return np.zeros(0)
        from scipy.signal import resample_poly

        # What rings before the first sample and after the last is theirs.
        samples = np.pad(self.samples.astype(np.float64), _RINGING)
        fine = np.abs(resample_poly(samples, _FINER, 1)).reshape(-1, _FINER)
        peaks = np.maximum(fine.max(axis=1), np.abs(samples))
        first, last = _RINGING, len(peaks) - _RINGING - 1
        peaks[first], peaks[last] = peaks[: first + 1].max(), peaks[last:].max()
        return peaks[first : last + 1]

    @property
    def true_peak_db(self) -> float:
        """Largest amplitude between samples or on one, dBTP; -inf for silence."""
        return _db(float(self.true_peaks().max(initial=0.0)))

    @property
    def rms_db(self) -> float:
        """Root mean square, dB of full scale; -inf for silence."""
        if not len(self.samples):
            return -math.inf
        return _db(math.sqrt(float(np.mean(np.square(self.samples, dtype=np.float64)))))

    def loudness(self) -> float:
        """Integrated loudness (ITU-R BS.1770-4), LUFS; -inf when no block is louder than -70 LUFS.

        Sound shorter than one block of 0.4 s is repeated to fill it: silence would count as quiet.
        """
        if not self.samples.any():
            return -math.inf
        import warnings

        import pyloudnorm

        missing = math.ceil(LOUDNESS_BLOCK * self.sample_rate) - len(self.samples)
        samples = self.samples.astype(np.float64)
        samples = np.pad(samples, (0, missing), mode="wrap") if missing > 0 else samples
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore", RuntimeWarning)  # a mean over no block at all: -inf
            meter = pyloudnorm.Meter(self.sample_rate, block_size=LOUDNESS_BLOCK)
            loudness = float(meter.integrated_loudness(samples))
        return loudness if math.isfinite(loudness) else -math.inf

    def gain(self, db: float) -> Audio:
        """The same sound, louder by `db` decibels."""
        return Audio(self.samples * np.float32(10 ** (db / 20)), self.sample_rate)


def check_writable(path: str | os.PathLike) -> None:
    """Find out before any work whether `Audio.save` could write there.

    Raises:
        InvalidInput: an unknown suffix, a folder, a missing or write-protected place.
    """
    check_place(path)
    _check_suffix(shown(path), Path(path).suffix.lower())


def read_metadata(source: str | os.PathLike | BinaryIO) -> dict[str, str]:
    """The text fields (`conditioning.tags.FIELDS`) of an audio file; empty when there are none.

    Raises:
        InvalidInput: no such file, a folder, empty, or not audio.
    """
    import soundfile

    name = _name_of(source)
    encoded = _read_bytes(source, name)
    try:
        return tags.read(encoded)
    except soundfile.SoundFileError:
        raise InvalidInput(f"{name} is not audio that can be read; {_ALLOWED}.") from None


_ALLOWED = "give a WAV, FLAC, Ogg, Opus or MP3 file"


def _check_suffix(what: str, suffix: str) -> None:
    if suffix not in FORMATS:
        ending = f"ends in {suffix!r}" if suffix else "has no suffix"
        raise InvalidInput(f"{what} {ending}; audio can be saved as {', '.join(FORMATS)}.")


def _name_of(source: str | os.PathLike | BinaryIO) -> str:
    if isinstance(source, (str, os.PathLike)):
        return shown(source)
    return str(getattr(source, "name", "The input"))


def _read_bytes(source: str | os.PathLike | BinaryIO, name: str) -> bytes:
    if not isinstance(source, (str, os.PathLike)):
        encoded = source.read()
    elif os.path.isdir(source):
        raise InvalidInput(f"{name} is a folder; {_ALLOWED}.")
    else:
        try:
            encoded = Path(source).read_bytes()
        except FileNotFoundError:
            raise InvalidInput(f"There is no file {name}; {_ALLOWED}.") from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise InvalidInput(f"Cannot read {name} ({reason}); {_ALLOWED}.") from None
    if not encoded:
        raise InvalidInput(f"{name} is empty; {_ALLOWED}.")
    return encoded


def _db(amplitude: float) -> float:
    return 20 * math.log10(amplitude) if amplitude > 0 else -math.inf
