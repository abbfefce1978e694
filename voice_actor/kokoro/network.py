"""Kokoro-82M's network: phonemes and a style in, durations, pitch, energy and samples out.

Letters in shapes: B batch, T phonemes (with the two boundary tokens), F frames of 25 ms,
P = 2 F pitch frames of 12.5 ms, C channels. Parameter names are those of the published checkpoint,
so that weights load strictly and untranslated. The architecture is StyleTTS 2 (arXiv 2306.07691)
with an iSTFTNet decoder (arXiv 2203.02395).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from .layers import (
    STYLE,
    AdaptiveLayerNorm,
    ChannelLayerNorm,
    ChannelsLastConv1d,
    HarmonicSource,
    NormStatistics,
    PeriodicResidualBlock,
    StyledResidualBlock,
)

TOKENS = 178  # size of the phoneme vocabulary
LONGEST = 512  # tokens the text encoder has positions for, boundary tokens included
HIDDEN = 512


def bidirectional(channels_in: int) -> nn.LSTM:
    return nn.LSTM(channels_in, HIDDEN // 2, batch_first=True, bidirectional=True)


class AlbertAttention(nn.Module):
    """Self-attention with its residual and norm: (B, T, 768) -> (B, T, 768)."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.dense = nn.Linear(width, width)
        self.LayerNorm = nn.LayerNorm(width, eps=1e-12)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (
            rearrange(project(x), "b t (h d) -> b h t d", h=self.heads)
            for project in (self.query, self.key, self.value)
        )
        mixed = F.scaled_dot_product_attention(q, k, v)
        return self.LayerNorm(x + self.dense(rearrange(mixed, "b h t d -> b t (h d)")))


class AlbertLayer(nn.Module):
    """Attention and a feed-forward part: (B, T, 768) -> (B, T, 768)."""

    def __init__(self, width: int, heads: int, inner: int):
        super().__init__()
        self.attention = AlbertAttention(width, heads)
        self.ffn = nn.Linear(width, inner)
        self.ffn_output = nn.Linear(inner, width)
        self.full_layer_layer_norm = nn.LayerNorm(width, eps=1e-12)

    def forward(self, x: Tensor) -> Tensor:
        x = self.attention(x)
        inner = F.gelu(self.ffn(x), approximate="tanh")
        return self.full_layer_layer_norm(x + self.ffn_output(inner))


class Albert(nn.Module):
    """Phoneme-level ALBERT (arXiv 1909.11942, 2301.08810): tokens (B, T) -> (B, T, 768).

    One layer's weights serve all twelve passes.
    """

    WIDTH, NARROW, HEADS, INNER, PASSES = 768, 128, 12, 2048, 12

    def __init__(self):
        super().__init__()
        self.embeddings = nn.ModuleDict(
            {
                "word_embeddings": nn.Embedding(TOKENS, self.NARROW),
                "position_embeddings": nn.Embedding(LONGEST, self.NARROW),
                "token_type_embeddings": nn.Embedding(2, self.NARROW),
                "LayerNorm": nn.LayerNorm(self.NARROW, eps=1e-12),
            }
        )
        layer = AlbertLayer(self.WIDTH, self.HEADS, self.INNER)
        self.encoder = nn.ModuleDict(
            {
                "embedding_hidden_mapping_in": nn.Linear(self.NARROW, self.WIDTH),
                "albert_layer_groups": nn.ModuleList(
                    [nn.ModuleDict({"albert_layers": nn.ModuleList([layer])})]
                ),
            }
        )

    def forward(self, tokens: Tensor) -> Tensor:
        positions = torch.arange(tokens.shape[1], device=tokens.device)
        x = (
            self.embeddings["word_embeddings"](tokens)
            + self.embeddings["position_embeddings"](positions)
            + self.embeddings["token_type_embeddings"].weight[0]
        )
        x = self.encoder["embedding_hidden_mapping_in"](self.embeddings["LayerNorm"](x))
        layer = self.encoder["albert_layer_groups"][0]["albert_layers"][0]
        for _ in range(self.PASSES):
            x = layer(x)
        return x


class TextEncoder(nn.Module):
    """What the decoder says: tokens (B, T) -> (B, T, 512)."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(TOKENS, HIDDEN)
        self.cnn = nn.ModuleList(
            nn.Sequential(
                nn.Conv1d(HIDDEN, HIDDEN, 5, padding=2), ChannelLayerNorm(HIDDEN), nn.LeakyReLU(0.2)
            )
            for _ in range(3)
        )
        self.lstm = bidirectional(HIDDEN)

    def forward(self, tokens: Tensor) -> Tensor:
        x = rearrange(self.embedding(tokens), "b t c -> b c t")
        for layer in self.cnn:
            x = layer(x)
        return self.lstm(rearrange(x, "b c t -> b t c"))[0]


class DurationEncoder(nn.Module):
    """Text states under a style: (B, T, 512), style (B, 128) -> (B, T, 640), the style appended."""

    def __init__(self):
        super().__init__()
        layers: list[nn.Module] = []
        for _ in range(3):
            layers += [bidirectional(HIDDEN + STYLE), AdaptiveLayerNorm(HIDDEN)]
        self.lstms = nn.ModuleList(layers)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        spread = style.unsqueeze(1).expand(-1, x.shape[1], -1)
        for recurrent, norm in zip(self.lstms[::2], self.lstms[1::2], strict=True):
            x = norm(recurrent(torch.cat([x, spread], dim=2))[0], style)
        return torch.cat([x, spread], dim=2)


class ProsodyPredictor(nn.Module):
    """Durations from phonemes, then pitch and energy curves from the phonemes spread over time."""

    LONGEST_PHONEME = 50  # frames

    def __init__(self):
        super().__init__()
        self.text_encoder = DurationEncoder()
        self.lstm = bidirectional(HIDDEN + STYLE)
        per_frame = nn.Linear(HIDDEN, self.LONGEST_PHONEME)
        self.duration_proj = nn.ModuleDict({"linear_layer": per_frame})
        self.shared = bidirectional(HIDDEN + STYLE)
        self.F0, self.N = self._curve(), self._curve()
        self.F0_proj = nn.Conv1d(HIDDEN // 2, 1, 1)
        self.N_proj = nn.Conv1d(HIDDEN // 2, 1, 1)

    @staticmethod
    def _curve() -> nn.ModuleList:
        return nn.ModuleList(
            [
                StyledResidualBlock(HIDDEN, HIDDEN),
                StyledResidualBlock(HIDDEN, HIDDEN // 2, upsample=True),
                StyledResidualBlock(HIDDEN // 2, HIDDEN // 2),
            ]
        )

    def durations(self, states: Tensor) -> Tensor:
        """states (B, T, 640) -> frames of 25 ms per phoneme, not rounded, (B, T)."""
        logits = self.duration_proj["linear_layer"](self.lstm(states)[0])
        return torch.sigmoid(logits).sum(dim=2)

    def curves(self, spread: Tensor, style: Tensor) -> tuple[Tensor, Tensor]:
        """spread (B, F, 640) -> pitch in Hz (0 or less where unvoiced) and energy, each (B, P)."""
        shared = rearrange(self.shared(spread)[0], "b f c -> b c f")
        f0 = energy = shared
        for pitch_block, energy_block in zip(self.F0, self.N, strict=True):
            f0, energy = pitch_block(f0, style), energy_block(energy, style)
        return self.F0_proj(f0).squeeze(1), self.N_proj(energy).squeeze(1)


class Generator(nn.Module):
    """Features, style and pitch to samples through an inverse short-time Fourier transform."""

    RATES, KERNELS = (10, 6), (20, 12)
    RESIDUAL_KERNELS = (3, 7, 11)
    NOISE_KERNELS = (7, 11)
    FFT, HOP = 20, 5

    def __init__(self):
        super().__init__()
        widths = [HIDDEN // 2**i for i in range(len(self.RATES) + 1)]
        bins = self.FFT // 2 + 1
        self.m_source = HarmonicSource()
        self.ups = nn.ModuleList(
            nn.ConvTranspose1d(wide, narrow, kernel, rate, padding=(kernel - rate) // 2)
            for wide, narrow, kernel, rate in zip(
                widths, widths[1:], self.KERNELS, self.RATES, strict=False
            )
        )
        stride = self.RATES[1]
        self.noise_convs = nn.ModuleList(
            [
                ChannelsLastConv1d(
                    2 * bins, widths[1], 2 * stride, stride, padding=(stride + 1) // 2
                ),
                ChannelsLastConv1d(2 * bins, widths[2], 1),
            ]
        )
        self.noise_res = nn.ModuleList(
            PeriodicResidualBlock(width, kernel)
            for width, kernel in zip(widths[1:], self.NOISE_KERNELS, strict=True)
        )
        self.resblocks = nn.ModuleList(
            PeriodicResidualBlock(width, kernel)
            for width in widths[1:]
            for kernel in self.RESIDUAL_KERNELS
        )
        self.conv_post = ChannelsLastConv1d(widths[-1], 2 * bins, 7, padding=3)
        self.restore_buffers()

    def restore_buffers(self) -> None:
        """Computes what is not stored, anew after the network was built without memory."""
        window = torch.hann_window(self.FFT, device="cpu")
        self.register_buffer("window", window, persistent=False)

    def source(self, f0: Tensor, generator: torch.Generator | None) -> Tensor:
        """Magnitudes and phases of the harmonic source: f0 (B, P) -> (B, 22, 60 P + 1)."""
        waves = self.m_source(f0, generator)
        spectrum = torch.stft(waves, self.FFT, self.HOP, window=self.window, return_complex=True)
        return torch.cat([spectrum.abs(), spectrum.angle()], dim=1)

    def forward(
        self,
        x: Tensor,
        style: Tensor,
        source: Tensor,
        statistics: NormStatistics | None = None,
    ) -> Tensor:
        """x (B, 512, P), style (B, 128), source (B, 22, 60 P + 1) -> samples (B, 300 P)."""
        last = len(self.ups) - 1
        for stage, (up, noise_conv, noise_res) in enumerate(
            zip(self.ups, self.noise_convs, self.noise_res, strict=True)
        ):
            x = up(F.leaky_relu(x, 0.1))
            if stage == last:
                x = F.pad(x, (1, 0), mode="reflect")
            x = x + noise_res(noise_conv(source), style, statistics)
            kernels = len(self.RESIDUAL_KERNELS)
            blocks = self.resblocks[stage * kernels : (stage + 1) * kernels]
            x = sum(block(x, style, statistics) for block in blocks) / kernels
        magnitude, phase = self.conv_post(F.leaky_relu(x, 0.01)).chunk(2, dim=1)
        spectrum = torch.polar(torch.exp(magnitude), torch.sin(phase))
        return torch.istft(spectrum, self.FFT, self.HOP, window=self.window)


class Decoder(nn.Module):
    """Text, pitch, energy and style to samples."""

    WIDTH, TEXT = 1024, 64

    def __init__(self):
        super().__init__()
        joined = self.WIDTH + self.TEXT + 2
        self.encode = StyledResidualBlock(HIDDEN + 2, self.WIDTH)
        self.decode = nn.ModuleList(
            [StyledResidualBlock(joined, self.WIDTH) for _ in range(3)]
            + [StyledResidualBlock(joined, HIDDEN, upsample=True)]
        )
        self.F0_conv = nn.Conv1d(1, 1, 3, stride=2, padding=1)
        self.N_conv = nn.Conv1d(1, 1, 3, stride=2, padding=1)
        self.asr_res = nn.Sequential(nn.Conv1d(HIDDEN, self.TEXT, 1))
        self.generator = Generator()

    def forward(
        self,
        text: Tensor,
        f0: Tensor,
        energy: Tensor,
        style: Tensor,
        generator: torch.Generator | None = None,
        statistics: NormStatistics | None = None,
    ) -> Tensor:
        """text (B, F, 512), f0 and energy (B, P), style (B, 128) -> samples (B, 600 F)."""
        text = rearrange(text, "b f c -> b c f")
        curves = torch.cat([self.F0_conv(f0.unsqueeze(1)), self.N_conv(energy.unsqueeze(1))], dim=1)
        x = self.encode(torch.cat([text, curves], dim=1), style, statistics)
        beside = torch.cat([self.asr_res(text), curves], dim=1)
        for block in self.decode:
            x = block(torch.cat([x, beside], dim=1), style, statistics)
        source = self.generator.source(f0, generator)
        return self.generator(x, style, source, statistics)


class Kokoro(nn.Module):
    """The four parts and the text projection between them."""

    def __init__(self):
        super().__init__()
        self.bert = Albert()
        self.bert_encoder = nn.Linear(Albert.WIDTH, HIDDEN)
        self.predictor = ProsodyPredictor()
        self.text_encoder = TextEncoder()
        self.decoder = Decoder()

    def restore_buffers(self) -> None:
        self.decoder.generator.restore_buffers()
