"""Building blocks of Kokoro's network: styled norms, residual blocks, the harmonic source."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

STYLE = 128  # numbers in each half (decoder, prosody) of a voice's style
SAMPLE_RATE = 24_000  # Hz
SAMPLES_PER_PITCH_FRAME = 300  # one value of the F0 and energy curves every 12.5 ms


class NormStatistics:
    """Mean and variance of every instance normalisation in one decoding, in the order they are met.

    Instance normalisation divides a line's own loudness away. Recorded while one reading is decoded
    and replayed for another, the statistics keep the difference between the two: energy becomes
    audible, and pieces of a line decode as the whole does.
    """

    def __init__(self, recorded: list[tuple[Tensor, Tensor]] | None = None):
        self.recorded = recorded or []
        self._replaying = recorded is not None
        self._next = 0

    def replay(self) -> NormStatistics:
        """The same statistics, read from the start."""
        return NormStatistics(self.recorded)

    def of(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance over time, each (B, C, 1), of `x` (B, C, T), measured or replayed."""
        if self._replaying:
            self._next += 1
            return self.recorded[self._next - 1]
        measured = mean_and_variance(x)
        self.recorded.append(measured)
        return measured


def mean_and_variance(x: Tensor) -> tuple[Tensor, Tensor]:
    """Over time, each (B, C, 1). Plain passes: torch.var_mean takes five times as long on a CPU."""
    mean = x.mean(dim=2, keepdim=True)
    return mean, squared(x - mean).mean(dim=2, keepdim=True)


def squared(x: Tensor) -> Tensor:
    """x * x, in x's own memory unless a gradient will ask for x: give it only what is not used on.

    The generator's signals are tens of megabytes each; what is not allocated is not paged in.
    """
    return x * x if torch.is_grad_enabled() else x.mul_(x)


class ChannelsLastConv1d(nn.Conv1d):
    """A one-dimensional convolution over memory in which a moment's channels lie side by side.

    The same numbers as `nn.Conv1d`, 1.2 to 1.7 times as fast on a CPU for the long, narrow signals
    of the generator (`python benchmarks/layout.py`); the output keeps the layout, so that chains of
    them and of element-wise steps never reorder memory. Shapes: x (B, C_in, T) -> (B, C_out, T').
    """

    def forward(self, x: Tensor) -> Tensor:
        plane = x.unsqueeze(2).contiguous(memory_format=torch.channels_last)
        plane = F.conv2d(
            plane,
            self.weight.unsqueeze(2),
            self.bias,
            stride=(1, *self.stride),
            padding=(0, *self.padding),
            dilation=(1, *self.dilation),
        )
        return plane.squeeze(2)


class AdaptiveInstanceNorm(nn.Module):
    """Normalises each channel over time, then scales and shifts it as the style says.

    Shapes: x (B, C, T), style (B, 128) -> (B, C, T).
    """

    EPSILON = 1e-5

    def __init__(self, channels: int):
        super().__init__()
        self.fc = nn.Linear(STYLE, 2 * channels)

    def forward(self, x: Tensor, style: Tensor, statistics: NormStatistics | None = None) -> Tensor:
        mean, variance = mean_and_variance(x) if statistics is None else statistics.of(x)
        gain, shift = rearrange(self.fc(style), "b (two c) -> two b c 1", two=2)
        # One multiply-add over the signal instead of four passes: it is long and memory is slow.
        scale = (1 + gain) * torch.rsqrt(variance + self.EPSILON)
        return torch.addcmul(shift - mean * scale, x, scale)


class AdaptiveLayerNorm(nn.Module):
    """Layer normalisation whose gain and shift come from the style: x (B, T, C) -> (B, T, C)."""

    def __init__(self, channels: int):
        super().__init__()
        self.channels = channels
        self.fc = nn.Linear(STYLE, 2 * channels)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        gain, shift = rearrange(self.fc(style), "b (two c) -> two b 1 c", two=2)
        return (1 + gain) * F.layer_norm(x, (self.channels,), eps=1e-5) + shift


class ChannelLayerNorm(nn.Module):
    """Layer normalisation over the channels of x (B, C, T)."""

    def __init__(self, channels: int):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(channels))
        self.beta = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        x = rearrange(x, "b c t -> b t c")
        x = F.layer_norm(x, self.gamma.shape, self.gamma, self.beta, eps=1e-5)
        return rearrange(x, "b t c -> b c t")


class StyledResidualBlock(nn.Module):
    """Two convolutions beside a shortcut, each after a style-conditioned norm; may double the rate.

    Shapes: x (B, C_in, T) -> (B, C_out, T), or (B, C_out, 2 T) with `upsample`.
    """

    def __init__(self, channels_in: int, channels_out: int, upsample: bool = False):
        super().__init__()
        self.upsample = upsample
        self.norm1 = AdaptiveInstanceNorm(channels_in)
        self.norm2 = AdaptiveInstanceNorm(channels_out)
        self.conv1 = nn.Conv1d(channels_in, channels_out, 3, padding=1)
        self.conv2 = nn.Conv1d(channels_out, channels_out, 3, padding=1)
        if channels_in != channels_out:
            self.conv1x1 = nn.Conv1d(channels_in, channels_out, 1, bias=False)
        if upsample:
            self.pool = nn.ConvTranspose1d(
                channels_in, channels_in, 3, 2, 1, output_padding=1, groups=channels_in
            )

    def forward(self, x: Tensor, style: Tensor, statistics: NormStatistics | None = None) -> Tensor:
        shortcut = x.repeat_interleave(2, dim=2) if self.upsample else x
        if hasattr(self, "conv1x1"):
            shortcut = self.conv1x1(shortcut)
        x = F.leaky_relu(self.norm1(x, style, statistics), 0.2)
        if self.upsample:
            x = self.pool(x)
        x = self.conv1(x)
        x = self.conv2(F.leaky_relu(self.norm2(x, style, statistics), 0.2))
        return (x + shortcut) / math.sqrt(2)


def snake(x: Tensor, rate: Tensor) -> Tensor:
    """x + sin^2(rate x) / rate, the periodic activation of Ziyin et al. 2020 (arXiv 2006.08195).

    Shapes: x (B, C, T), rate (1, C, 1).
    """
    turned = x * rate
    wave = torch.sin(turned) if torch.is_grad_enabled() else turned.sin_()
    return torch.addcmul(x, squared(wave), 1 / rate)


class PeriodicResidualBlock(nn.Module):
    """Three pairs of dilated convolutions with periodic activations: x (B, C, T) -> (B, C, T)."""

    DILATIONS = (1, 3, 5)

    def __init__(self, channels: int, kernel: int):
        super().__init__()

        def convolution(dilation: int) -> nn.Conv1d:
            padding = dilation * (kernel - 1) // 2
            return ChannelsLastConv1d(
                channels, channels, kernel, dilation=dilation, padding=padding
            )

        def rates() -> nn.ParameterList:
            return nn.ParameterList(torch.ones(1, channels, 1) for _ in self.DILATIONS)

        def norms() -> nn.ModuleList:
            return nn.ModuleList(AdaptiveInstanceNorm(channels) for _ in self.DILATIONS)

        self.convs1 = nn.ModuleList(convolution(dilation) for dilation in self.DILATIONS)
        self.convs2 = nn.ModuleList(convolution(1) for _ in self.DILATIONS)
        self.adain1, self.adain2 = norms(), norms()
        self.alpha1, self.alpha2 = rates(), rates()

    def forward(self, x: Tensor, style: Tensor, statistics: NormStatistics | None = None) -> Tensor:
        halves = (self.convs1, self.adain1, self.alpha1), (self.convs2, self.adain2, self.alpha2)
        for pair in zip(*(zip(*half, strict=True) for half in halves), strict=True):
            inner = x
            for conv, norm, rate in pair:
                inner = conv(snake(norm(inner, style, statistics), rate))
            x = x + inner
        return x


class HarmonicSource(nn.Module):
    """Nine harmonics of the pitch curve, mixed, with a little noise: what the vocal folds would do.

    The neural source-filter model of Wang et al. 2019 (arXiv 1904.12088) as HiFTNet uses it
    (arXiv 2309.09493). Shapes: f0 (B, P) in Hz, 0 where unvoiced -> (B, 300 P).
    """

    HARMONICS = 9
    AMPLITUDE = 0.1
    VOICED_NOISE = 0.003
    VOICED_ABOVE = 10.0  # Hz

    def __init__(self):
        super().__init__()
        self.l_linear = nn.Linear(self.HARMONICS, 1)

    def forward(self, f0: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """The noise is drawn from `generator`; without one there is none."""
        orders = torch.arange(1, self.HARMONICS + 1, device=f0.device).view(1, -1, 1)
        turns = f0.unsqueeze(1) * orders / SAMPLE_RATE  # per sample, (B, H, P)
        # Summed in double precision: ten minutes of phase would lose its fraction in single.
        cycles = torch.cumsum(turns.double(), dim=2) * SAMPLES_PER_PITCH_FRAME
        cycles = F.interpolate(cycles, scale_factor=SAMPLES_PER_PITCH_FRAME, mode="linear")
        sines = torch.sin((2 * math.pi) * cycles.frac().float()) * self.AMPLITUDE
        voiced = (f0 > self.VOICED_ABOVE).repeat_interleave(SAMPLES_PER_PITCH_FRAME, dim=1)
        voiced = voiced.unsqueeze(1).to(sines.dtype)
        sines = sines * voiced
        if generator is not None:
            level = torch.lerp(
                torch.tensor(self.AMPLITUDE / 3), torch.tensor(self.VOICED_NOISE), voiced
            )
            sines = sines + level * torch.randn(sines.shape, generator=generator)
        mixed = self.l_linear(rearrange(sines, "b h t -> b t h"))
        return torch.tanh(mixed).squeeze(2)
