"""Published Kokoro-82M files -> the float weights of `network.Kokoro`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

# ONNX orders an LSTM's gates input, output, forget, cell; torch input, forget, cell, output.
GATES_FOR_TORCH = (0, 2, 3, 1)
GATE = 256
CURVE = re.compile(r"^(F0|N)\.(\d)")
CURVE_PROJECTION = re.compile(r"^(F0_proj|N_proj|shared)")
# The exporter gave the harmonic mixer's weight no name of its own.
HARMONIC_MIXER = ("onnx::MatMul_6993", "decoder.generator.m_source.l_linear.weight")


def onnx_parts_to_safetensors(parts: list[Path], target: Path) -> None:
    """The four pieces of the int8 ONNX file -> one safetensors file of float weights."""
    from safetensors.numpy import save_file

    save_file(from_onnx(b"".join(part.read_bytes() for part in parts)), target)


def from_checkpoint(path: Path) -> dict[str, torch.Tensor]:
    """Weights of the published `kokoro-v1_0.pth`, weight normalisation folded in.

    Raises WeightsError when the file has another layout.
    """
    import torch

    from conditioning.errors import WeightsError

    unused = ("bert.pooler.", "bert.embeddings.position_ids", "bert.embeddings.token_type_ids")
    try:
        parts = torch.load(path, map_location="cpu", weights_only=True)
        stored = {
            f"{part}.{name.removeprefix('module.')}": value
            for part, values in parts.items()
            for name, value in values.items()
        }
    except Exception as error:  # torch raises many kinds for a file that is not a checkpoint
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise WeightsError(f"{path} is not a Kokoro checkpoint ({reason}).") from error
    weights = {}
    for name, value in stored.items():
        if name.startswith(unused) or name.endswith(".weight_g"):
            continue
        if name.endswith(".weight_v"):
            name = name.removesuffix("_v")
            # weight_norm (arXiv 1602.07868): w = g v / |v|, a norm for each output of the layer.
            norm = value.flatten(1).norm(dim=1).view(-1, *[1] * (value.ndim - 1))
            value = stored[f"{name}_g"] * value / norm
        weights[name] = value.float().contiguous()
    return weights


def from_onnx(file: bytes) -> dict[str, np.ndarray]:
    """Weights of the int8 ONNX export (sha256 6e742170…), dequantised to float32.

    Every quantised tensor becomes (q - zero point) x scale, per tensor or per channel as stored:
    the numbers that the integer graph computes with, before it rounds its activations.
    """
    import onnx

    graph = onnx.load_from_string(file).graph
    constants = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    users: dict[str, list] = {}
    for node in graph.node:
        if node.op_type == "Constant":
            constants[node.output[0]] = onnx.numpy_helper.to_array(node.attribute[0].t)
        for name in node.input:
            users.setdefault(name, []).append(node)
    weights: dict[str, np.ndarray] = {}
    quantised = set()

    def scale_of(node) -> np.ndarray:
        """The weight's scale: stored beside it, or the constant half of the next product."""
        named = constants.get(node.input[1].removesuffix("_quantized") + "_scale")
        if named is not None:
            return named
        cast = next(user for user in users[node.output[0]] if user.op_type == "Cast")
        rescale = users[cast.output[0]][0]
        product = next(
            other
            for other in graph.node
            if set(other.output) & set(rescale.input[:2]) and other.op_type == "Mul"
        )
        return next(constants[name] for name in product.input if name in constants)

    for node in graph.node:
        stored = node.input[1] if len(node.input) > 1 else ""
        if stored not in constants or "stft" in node.name:
            continue
        module = module_of(node.name)
        match node.op_type:
            case "MatMulInteger":
                quantised.add(stored)
                named = stored.removesuffix("_quantized")
                if named.startswith(("encoder.", "decoder.")):
                    module = parameter_of(named).removesuffix(".weight")
                zero = constants[node.input[3]]
                value = dequantise(constants[stored], scale_of(node), zero, axis=1).T
                weights[f"{module}.weight"] = value
            case "ConvInteger":
                quantised.add(stored)
                zero = constants[node.input[3]]
                value = dequantise(constants[stored], scale_of(node), zero, axis=0)
                weights[f"{module}.weight"] = value
            case "DynamicQuantizeLSTM":
                quantised.update(node.input[1:3])
                weights.update(lstm_weights(module, [constants.get(name) for name in node.input]))
            case "Conv" | "ConvTranspose":
                weights[f"{module}.weight"] = constants[stored]
    for node in graph.node:
        if node.op_type == "DequantizeLinear" and node.input[1].endswith("_scale"):
            named = node.input[1].removesuffix("_scale")
            values, scale, zero = (
                constants[name] for name in (f"{named}_quantized", node.input[1], node.input[2])
            )
            quantised.add(f"{named}_quantized")
            weights[parameter_of(named)] = dequantise(values, scale, zero, axis=0)
    for name, value in constants.items():
        plain = value.dtype == np.float32 and not name.endswith("_scale") and "stft" not in name
        if plain and name.startswith(("encoder.", "decoder.")):
            weights[parameter_of(name)] = value
    weights[HARMONIC_MIXER[1]] = constants[HARMONIC_MIXER[0]].T
    return {name: np.ascontiguousarray(value, dtype=np.float32) for name, value in weights.items()}


def parameter_of(name: str) -> str:
    """An initialiser's name without the half of the graph it was exported from."""
    return re.sub(r"^(encoder|decoder)\.", "", name)


def module_of(node_name: str) -> str:
    """The module that a graph node was exported from.

    >>> module_of("/encoder/text_encoder/cnn.0/cnn.0.0/Conv")
    'text_encoder.cnn.0.0'
    """
    # ALBERT's one layer is used twelve times: query, query_1, ... query_11 are the same weight.
    parts = [re.sub(r"_\d+$", "", part) for part in node_name.lstrip("/").split("/")[:-1]]
    parts = parts[1:] if parts and parts[0] in ("encoder", "decoder") else parts
    path: list[str] = []
    for part in parts:
        if path and part.startswith(path[-1] + "."):
            path[-1] = part  # an element of the list just entered
        else:
            path.append(part)
    module = CURVE.sub(r"predictor.\1.\2", ".".join(path))
    return CURVE_PROJECTION.sub(r"predictor.\1", module)


def dequantise(values: np.ndarray, scale: np.ndarray, zero: np.ndarray, axis: int) -> np.ndarray:
    """(values - zero) x scale in float32, with scale and zero point per tensor or along `axis`."""

    def spread(numbers: np.ndarray) -> np.ndarray:
        numbers = np.asarray(numbers, dtype=np.float32)
        if numbers.size == 1:
            return numbers.reshape(())
        return numbers.reshape([-1 if dim == axis else 1 for dim in range(values.ndim)])

    return (values.astype(np.float32) - spread(zero)) * spread(scale)


def lstm_weights(module: str, inputs: list[np.ndarray | None]) -> dict[str, np.ndarray]:
    """torch's parameters of a bidirectional LSTM from the inputs of a DynamicQuantizeLSTM node."""
    bias = inputs[3]
    rows = np.concatenate([np.arange(GATE) + gate * GATE for gate in GATES_FOR_TORCH])
    found = {}
    for kind, values, scale, zero in (
        ("ih", inputs[1], *inputs[8:10]),
        ("hh", inputs[2], *inputs[10:12]),
    ):
        for direction, suffix in enumerate(("", "_reverse")):
            weight = dequantise(values[direction], scale[direction], zero[direction], axis=1)
            found[f"{module}.weight_{kind}_l0{suffix}"] = weight.T[rows]
            half = bias[direction].reshape(2, -1)[("ih", "hh").index(kind)]
            found[f"{module}.bias_{kind}_l0{suffix}"] = half[rows]
    return found
