"""The first blocks of Whisper's encoder, plainly: what the estimator needs of the network.

Transformers has them as well; importing its Whisper takes longer than all else that the estimator
loads. Names of the parameters are transformers'; a test holds the two equal.
"""

from __future__ import annotations

from types import SimpleNamespace

from einops import rearrange
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention


class Attention(nn.Module):
    """Self-attention; the keys have no bias. B batch, F frames, D channels."""

    def __init__(self, channels: int, heads: int):
        super().__init__()
        self.heads = heads
        self.q_proj, self.v_proj, self.out_proj = (nn.Linear(channels, channels) for _ in range(3))
        self.k_proj = nn.Linear(channels, channels, bias=False)

    def forward(self, frames: Tensor, mask: Tensor | None) -> Tensor:
        """(B, F, D); the mask, added to the logits, is (B, 1, F, F)."""
        query, key, value = (
            rearrange(project(frames), "b f (heads c) -> b heads f c", heads=self.heads)
            for project in (self.q_proj, self.k_proj, self.v_proj)
        )
        heard = scaled_dot_product_attention(query, key, value, attn_mask=mask)
        return self.out_proj(rearrange(heard, "b heads f c -> b f (heads c)"))


class Block(nn.Module):
    """Attention and two layers, each behind a norm and beside what it changes."""

    def __init__(self, channels: int, heads: int, inner: int):
        super().__init__()
        self.self_attn = Attention(channels, heads)
        self.self_attn_layer_norm, self.final_layer_norm = (
            nn.LayerNorm(channels) for _ in range(2)
        )
        self.fc1, self.fc2 = nn.Linear(channels, inner), nn.Linear(inner, channels)

    def forward(self, frames: Tensor, mask: Tensor | None) -> Tensor:
        """(B, F, D) -> (B, F, D)."""
        frames = frames + self.self_attn(self.self_attn_layer_norm(frames), mask)
        return frames + self.fc2(gelu(self.fc1(self.final_layer_norm(frames))))


class Blocks(nn.Module):
    """The convolutions, the places and the first blocks, of the shape a configuration gives."""

    def __init__(self, config: dict, depth: int):
        super().__init__()
        self.config = SimpleNamespace(num_mel_bins=config["num_mel_bins"])
        channels = config["d_model"]
        self.conv1 = nn.Conv1d(config["num_mel_bins"], channels, 3, padding=1)
        self.conv2 = nn.Conv1d(channels, channels, 3, stride=2, padding=1)
        self.embed_positions = nn.Embedding(config["max_source_positions"], channels)
        shape = channels, config["encoder_attention_heads"], config["encoder_ffn_dim"]
        self.layers = nn.ModuleList(Block(*shape) for _ in range(depth))
