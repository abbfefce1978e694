"""Published weight files become the network's own weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from conditioning.errors import WeightsError
from voice_actor.kokoro import convert


def test_weight_norm_is_folded_as_torch_computes_it(tmp_path):
    for layer in (nn.Conv1d(3, 5, 7), nn.ConvTranspose1d(4, 2, 6)):
        normed = nn.utils.parametrizations.weight_norm(layer)
        gain, direction = (value.detach() for value in normed.parametrizations.weight.parameters())
        torch.nn.init.uniform_(gain, 0.5, 2.0)
        stored = {"module.a.weight_g": gain, "module.a.weight_v": direction}
        torch.save({"decoder": stored}, tmp_path / "model.pth")
        folded = convert.from_checkpoint(tmp_path / "model.pth")
        assert set(folded) == {"decoder.a.weight"}
        assert torch.allclose(folded["decoder.a.weight"], normed.weight, atol=1e-6)


def test_parts_that_are_not_used_are_left_out(tmp_path):
    parts = {
        "bert": {
            "module.pooler.weight": torch.ones(2),
            "module.embeddings.LayerNorm.bias": torch.ones(2),
        },
        "bert_encoder": {"module.weight": torch.ones(2, 2)},
    }
    torch.save(parts, tmp_path / "model.pth")
    assert set(convert.from_checkpoint(tmp_path / "model.pth")) == {
        "bert.embeddings.LayerNorm.bias",
        "bert_encoder.weight",
    }


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 half a zip"])
def test_another_file_is_refused_in_one_line(tmp_path, content):
    (tmp_path / "model.pth").write_bytes(content)
    with pytest.raises(WeightsError, match=r"model\.pth is not a Kokoro checkpoint") as caught:
        convert.from_checkpoint(tmp_path / "model.pth")
    assert "\n" not in str(caught.value)


def test_dequantising_undoes_quantising_per_tensor_and_per_channel():
    values = np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32)
    for axis, scale in ((0, np.float32(0.02)), (0, np.full(4, 0.02)), (1, np.full(6, 0.02))):
        zero = np.zeros_like(scale, dtype=np.uint8) + np.uint8(128)
        spread = scale if np.ndim(scale) == 0 else np.expand_dims(scale, 1 - axis)
        stored = np.clip(np.round(values / spread) + 128, 0, 255).astype(np.uint8)
        back = convert.dequantise(stored, scale, zero, axis)
        inside = (stored > 0) & (stored < 255)
        assert np.abs(back - values)[inside].max() <= 0.0101


@pytest.mark.parametrize(
    ("node", "module"),
    [
        ("/encoder/bert/encoder/albert_layer_groups.0/albert_layers.0/attention/query_7/MatMul",
         "bert.encoder.albert_layer_groups.0.albert_layers.0.attention.query"),
        ("/encoder/F0.1/conv1/Conv_quant", "predictor.F0.1.conv1"),
        ("/encoder/shared/LSTM", "predictor.shared"),
        ("/decoder/decoder/generator/ups.1/ConvTranspose", "decoder.generator.ups.1"),
    ],
)  # fmt: skip
def test_a_graph_node_names_its_module(node, module):
    assert convert.module_of(node) == module
