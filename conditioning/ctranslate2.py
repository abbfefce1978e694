"""Whisper as CTranslate2 stores it -> one safetensors file under the names of transformers."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np

from .errors import WeightsError

_VERSION = 6  # of CTranslate2's file layout
_TYPES = (np.float32, np.int8, np.int16, np.int32, np.float16)


def whisper_to_safetensors(files: list[Path], target: Path) -> None:
    """Convert a whole model; nothing is rounded.

    The result describes itself: its metadata hold, as JSON under "whisper", the network's shape
    ("config", arguments of transformers' WhisperConfig), the tokenizer and the tokens never said.

    Args:
        files: the parts of `model.bin` in order, then `tokenizer.json` and `config.json`.
        target: the file to write.

    Raises:
        WeightsError: the parts are not such a model.
    """
    from safetensors.numpy import save

    *parts, tokenizer, settings = files
    state, config = whisper_state(b"".join(part.read_bytes() for part in parts))
    suppressed = json.loads(settings.read_text("utf-8"))
    described = {
        "config": config,
        "suppress": suppressed["suppress_ids"],
        "suppress_first": suppressed["suppress_ids_begin"],
        "tokenizer": tokenizer.read_text("utf-8"),
    }
    # One entry, since safetensors does not promise an order of several: the file's hash is pinned.
    target.write_bytes(save(state, {"whisper": json.dumps(described, sort_keys=True)}))


def whisper_state(model: bytes) -> tuple[dict[str, np.ndarray], dict[str, int]]:
    """The tensors of a `model.bin` by transformers' names, and the arguments of WhisperConfig.

    Raises:
        WeightsError: not CTranslate2's layout, or not a Whisper.
    """
    variables = read(model)
    try:
        return _rename(variables)
    except (KeyError, ValueError, IndexError) as error:
        raise WeightsError(f"The CTranslate2 model is no Whisper: {error} is missing.") from None


def read(model: bytes) -> dict[str, np.ndarray]:
    """The variables of a CTranslate2 `model.bin`, by their names.

    Layout, little-endian: version, name of the kind of model, its revision; then each variable as
    name, rank, sizes, type, bytes; then names that stand for others. A text is a 16-bit length and
    that many bytes with a closing NUL.

    Raises:
        WeightsError: cut short, too long, or of another version.
    """
    place = 0

    def number(code: str) -> int:
        nonlocal place
        (value,) = struct.unpack_from("<" + code, model, place)
        place += struct.calcsize("<" + code)
        return value

    def text() -> str:
        nonlocal place
        length = number("H")
        place += length
        return model[place - length : place].rstrip(b"\0").decode()

    try:
        version = number("I")
        if version != _VERSION:
            raise WeightsError(f"The CTranslate2 model has version {version}; {_VERSION} is read.")
        text(), number("I")
        variables = {}
        for _ in range(number("I")):
            name = text()
            shape = [number("I") for _ in range(number("B"))]
            kind, size = _TYPES[number("B")], number("I")
            count = size // np.dtype(kind).itemsize
            values = np.frombuffer(model, kind, count, place)
            variables[name], place = values.reshape(shape), place + size
        for _ in range(number("I")):
            alias = text()
            variables[alias] = variables[text()]
    except (struct.error, ValueError, IndexError, KeyError) as error:
        raise WeightsError(f"The CTranslate2 model is damaged or cut short ({error}).") from None
    if place != len(model):
        raise WeightsError(f"The CTranslate2 model has {len(model) - place} bytes too many.")
    return variables


def _rename(variables: dict[str, np.ndarray]) -> tuple[dict[str, np.ndarray], dict[str, int]]:
    state = {}

    def take(target: str, source: str) -> None:
        """A linear layer or a convolution, or a layer norm, whose parts are named otherwise."""
        norm = f"{source}/gamma" in variables
        state[f"{target}.weight"] = variables[f"{source}/{'gamma' if norm else 'weight'}"]
        state[f"{target}.bias"] = variables[f"{source}/{'beta' if norm else 'bias'}"]

    def split(target: str, source: str, names: str) -> None:
        """Projections that CTranslate2 stacked into one; Whisper's keys have no bias."""
        weights = np.split(variables[f"{source}/weight"], len(names))
        biases = np.split(variables[f"{source}/bias"], len(names))
        for name, weight, bias in zip(names, weights, biases, strict=True):
            state[f"{target}.{name}_proj.weight"] = weight
            if name != "k":
                state[f"{target}.{name}_proj.bias"] = bias
            elif bias.any():
                raise ValueError(f"{source}: a key without bias")

    depth = {}
    for side in ("encoder", "decoder"):
        depth[side] = len({n.split("/")[1] for n in variables if n.startswith(f"{side}/layer_")})
        depth[side] -= 1  # the closing layer norm bears the same prefix
        for index in range(depth[side]):
            source, target = f"{side}/layer_{index}", f"model.{side}.layers.{index}"
            split(f"{target}.self_attn", f"{source}/self_attention/linear_0", "qkv")
            take(f"{target}.self_attn.out_proj", f"{source}/self_attention/linear_1")
            take(f"{target}.self_attn_layer_norm", f"{source}/self_attention/layer_norm")
            if side == "decoder":
                take(f"{target}.encoder_attn.q_proj", f"{source}/attention/linear_0")
                split(f"{target}.encoder_attn", f"{source}/attention/linear_1", "kv")
                take(f"{target}.encoder_attn.out_proj", f"{source}/attention/linear_2")
                take(f"{target}.encoder_attn_layer_norm", f"{source}/attention/layer_norm")
            take(f"{target}.fc1", f"{source}/ffn/linear_0")
            take(f"{target}.fc2", f"{source}/ffn/linear_1")
            take(f"{target}.final_layer_norm", f"{source}/ffn/layer_norm")
        take(f"model.{side}.layer_norm", f"{side}/layer_norm")
        positions = variables[f"{side}/position_encodings/encodings"]
        state[f"model.{side}.embed_positions.weight"] = positions
    take("model.encoder.conv1", "encoder/conv1")
    take("model.encoder.conv2", "encoder/conv2")
    state["model.decoder.embed_tokens.weight"] = variables["decoder/embeddings/weight"]
    state = {name: np.ascontiguousarray(array) for name, array in state.items()}

    width, mels, _ = state["model.encoder.conv1.weight"].shape
    config = {
        "d_model": width,
        "num_mel_bins": mels,
        "vocab_size": len(state["model.decoder.embed_tokens.weight"]),
        "encoder_layers": depth["encoder"],
        "decoder_layers": depth["decoder"],
        "encoder_attention_heads": int(variables["encoder/num_heads"]),
        "decoder_attention_heads": int(variables["decoder/num_heads"]),
        "encoder_ffn_dim": len(state["model.encoder.layers.0.fc1.bias"]),
        "decoder_ffn_dim": len(state["model.decoder.layers.0.fc1.bias"]),
        "max_source_positions": len(state["model.encoder.embed_positions.weight"]),
        "max_target_positions": len(state["model.decoder.embed_positions.weight"]),
    }
    return state, config
