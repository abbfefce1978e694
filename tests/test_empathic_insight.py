"""LAION's heads: found, refused, scored as published, one at a time and within bounds of memory."""

from __future__ import annotations

import math
import os
import pickle
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from conditioning import empathic_insight
from conditioning.audio import Audio
from conditioning.empathic_insight import EmpathicInsight
from conditioning.errors import InvalidInput, UnknownName, WeightsError
from conditioning.taxonomy import ATTRIBUTES, CATEGORIES
from conditioning.weights import FOLDER_VARIABLE
from conditioning.whisper import library

RATE, FRAMES, WIDTH = 16000, 1500, 8
KEYS = [category.laion_key for category in CATEGORIES]
KEYS += [attribute.laion_key for attribute in ATTRIBUTES]


def reference(hidden=(64, 32, 16), projection=64, width=WIDTH, frames=FRAMES) -> nn.Module:
    """The published head, module for module."""
    layers, entering = [nn.ReLU(), nn.Dropout(0.0)], projection
    for leaving in hidden:
        layers += [nn.Linear(entering, leaving), nn.ReLU(), nn.Dropout(0.1)]
        entering = leaving
    head = nn.Module()
    head.proj = nn.Linear(frames * width, projection)
    head.mlp = nn.Sequential(*layers, nn.Linear(entering, 1))
    return head.eval().requires_grad_(False)


def constant(value: float, **sizes) -> nn.Module:
    """A head that says the same of everything: only its last bias is not zero."""
    head = reference(**sizes)
    for parameter in head.parameters():
        parameter.zero_()
    head.mlp[-1].bias.fill_(value)
    return head


def mean_of_features(factor: float) -> nn.Module:
    """A head that says `factor` times the mean of what enters it, where that is positive."""
    head = constant(0.0)
    head.proj.weight[0] = factor / (FRAMES * WIDTH)
    for number in (2, 5, 8, 11):
        head.mlp[number].weight[0, 0] = 1.0
    return head


def write_encoder(folder: Path, width: int = WIDTH, **more) -> None:
    transformers = library()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = transformers.WhisperConfig(
            vocab_size=32,
            d_model=width,
            encoder_layers=1,
            decoder_layers=1,
            encoder_attention_heads=2,
            decoder_attention_heads=2,
            encoder_ffn_dim=16,
            decoder_ffn_dim=16,
            max_target_positions=8,
            pad_token_id=0,
            bos_token_id=0,
            eos_token_id=0,
            decoder_start_token_id=1,
            suppress_tokens=None,
            begin_suppress_tokens=None,
        )
        network = transformers.WhisperForConditionalGeneration(config)
    network.model.encoder.layer_norm.bias.data.fill_(0.5)  # so that features have a mean
    network.save_pretrained(folder)
    transformers.WhisperFeatureExtractor(**more).save_pretrained(folder)


def put(folder: Path, key: str, head, size: str = "Small") -> Path:
    file = folder / f"Empathic-Insight-Voice-{size}" / f"model_{key}_best.pth"
    file.parent.mkdir(exist_ok=True)
    torch.save(head.state_dict() if isinstance(head, nn.Module) else head, file)
    return file


@pytest.fixture(scope="module")
def encoder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("encoder") / "BUD-E-Whisper"
    write_encoder(folder)
    return folder


@pytest.fixture
def place(tmp_path, encoder, monkeypatch) -> Path:
    """A folder in the layout of the hub, without heads, and a hub that must not be asked."""
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    monkeypatch.setattr("huggingface_hub.hf_hub_download", None)
    (tmp_path / "BUD-E-Whisper").symlink_to(encoder)
    return tmp_path


def noise(seconds: float, rate: int = RATE, level: float = 0.1, seed: int = 0) -> Audio:
    samples = level * np.random.default_rng(seed).standard_normal(round(seconds * rate))
    return Audio(samples.astype(np.float32), rate)


def published_score(head: nn.Module, folder: Path, audio: Audio) -> float:
    """As LAION's script computes it, all in float32."""
    transformers = library()
    network = transformers.WhisperForConditionalGeneration.from_pretrained(folder / "BUD-E-Whisper")
    extractor = transformers.WhisperFeatureExtractor()
    mel = extractor(audio.samples, sampling_rate=RATE, return_tensors="pt").input_features
    with torch.inference_mode():
        hidden = network.get_encoder()(mel).last_hidden_state
        return float(head.mlp(head.proj(hidden.flatten(1))))


def test_scores_are_what_the_published_network_says(place, monkeypatch):
    monkeypatch.setattr(empathic_insight, "_BLOCK", 5000)  # so that even this head has several
    with torch.random.fork_rng():
        torch.manual_seed(1)
        head = reference()
    head.proj.weight *= 100  # so that it tells sounds apart
    head.mlp[-1].bias.fill_(2.0)
    put(place, "Anger", head)
    audio = noise(3)
    intensity = EmpathicInsight.load(folder=place, heads=["Anger"]).estimate(audio).intensities
    assert 4 * intensity["Anger"] == pytest.approx(published_score(head, place, audio), abs=3e-3)


def test_a_score_can_be_computed_by_hand(place):
    """The closing layer norm leaves a mean of its bias, 0.5; the head takes three times that."""
    put(place, "Fear", mean_of_features(3.0))
    estimate = EmpathicInsight.load(folder=place, heads=["Fear"]).estimate(noise(1))
    assert 4 * estimate.intensities["Fear"] == pytest.approx(1.5, abs=1e-3)


def test_all_fifty_five_heads_are_mapped_onto_our_scales(place):
    scores = dict.fromkeys(KEYS, 1.0) | {
        "Elation": 3.0,
        "Shame": -0.4,
        "Jealousy_&_Envy": 4.7,
        "Valence": -1.5,
        "Arousal": 3.0,
        "Submissive_vs._Dominant": 9.0,
        "Age": 5.0,
    }
    for key, score in scores.items():
        put(place, key, constant(score))
    estimator = EmpathicInsight.load(folder=place)
    estimate = estimator.estimate(noise(0.5))
    heard = estimate.intensities
    assert heard["Elation"] == pytest.approx(0.75)
    assert (heard["Shame"], heard["Jealousy & Envy"], heard["Awe"]) == (0.0, 1.0, 0.25)
    assert (estimate.valence, estimate.arousal, estimate.dominance) == (-0.5, 0.5, 1.0)
    assert math.isnan(estimate.neutral)
    assert estimate.speech
    assert estimate.estimator == estimator.name
    assert set(estimate.attributes) == {attribute.name for attribute in ATTRIBUTES}
    assert (estimate.attributes["valence"], estimate.attributes["age"]) == (-1.5, 5.0)
    assert len(estimate.support) == len(estimate.reliability) == 43
    assert set(estimate.support.values()) == {"synthetic"}
    assert estimate.reliability["Teasing"] == 0.66
    assert math.isnan(estimate.reliability["Anger"])
    ends = {"Shame": 0.0, "Jealousy_&_Envy": 4.0, "Submissive_vs._Dominant": 3.0}
    assert estimate.to_laion() == scores | ends


def test_only_the_heads_asked_for_are_opened_and_one_at_a_time(place, monkeypatch):
    for key in ("Anger", "Fear", "Warm_vs._Cold", "Pride"):
        put(place, key, reference())
    opened, alive = [], weakref.WeakSet()

    def load(file, *args, **options):
        assert not alive, "the head before is still held"
        assert options["weights_only"]
        assert options["mmap"]
        state = real(file, *args, **options)
        alive.update(state.values())
        opened.append(Path(file).name)
        return state

    real = torch.load
    monkeypatch.setattr(torch, "load", load)
    estimator = EmpathicInsight.load(folder=place, heads=["anger", "rage", "warm_vs_cold", "Fear"])
    opened.clear()
    estimate = estimator.estimate(noise(70))
    expected = ["model_Anger_best.pth", "model_Warm_vs._Cold_best.pth", "model_Fear_best.pth"]
    assert opened == expected
    assert list(estimate.support) == ["Anger", "Fear"]
    assert list(estimate.attributes) == ["warm_vs_cold"]
    assert math.isnan(estimate.valence)


def test_heads_saved_from_a_compiled_network_are_the_same(place):
    head = mean_of_features(2.0)
    put(place, "Pride", {f"_orig_mod.{name}": value for name, value in head.state_dict().items()})
    put(place, "Fear", head)
    put(place, "Doubt", {name: value.half() for name, value in head.state_dict().items()})
    heard = EmpathicInsight.load(folder=place, heads=["Pride", "Fear", "Doubt"]).estimate(noise(1))
    assert heard.intensities["Pride"] == heard.intensities["Fear"] > 0.1
    assert heard.intensities["Doubt"] == pytest.approx(heard.intensities["Fear"], rel=2e-3)


def random_head(place: Path, key: str) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(2)
        head = reference()
    head.proj.weight *= 100  # so that it tells sounds apart
    put(place, key, head)


def score(estimator: EmpathicInsight, audio: Audio) -> float:
    return estimator.estimate(audio).attributes["valence"]


def test_long_sound_is_the_mean_of_its_windows_by_length(place):
    random_head(place, "Valence")
    estimator = EmpathicInsight.load(folder=place, heads=["valence"])
    quiet, loud = noise(30, 8000, 0.001, seed=1), noise(12, 8000, 0.5, seed=2)
    both = Audio(np.concatenate([quiet.samples, loud.samples]), 8000)
    parts = score(estimator, quiet), score(estimator, loud)
    assert abs(parts[0] - parts[1]) > 1e-2
    assert score(estimator, both) == pytest.approx((30 * parts[0] + 12 * parts[1]) / 42, abs=1e-5)


def test_spans_are_heard_each_on_its_own_whatever_is_scored_at_once(place, monkeypatch):
    random_head(place, "Valence")
    estimator = EmpathicInsight.load(folder=place, heads=["valence"])
    audio = noise(3, level=0.2)
    samples = audio.samples * np.linspace(0.01, 1, len(audio.samples), dtype=np.float32)
    samples[RATE : 2 * RATE] = 0
    audio, spans = Audio(samples, RATE), [(0.0, 1.0), (1.0, 2.0), (1.5, 3.0), (2.5, 3.0)]
    alone = [
        score(estimator, Audio(samples[round(start * RATE) : round(end * RATE)], RATE))
        for start, end in (spans[0], *spans[2:])
    ]
    monkeypatch.setattr(empathic_insight, "_AT_ONCE", 2)
    first, silent, *rest = estimator._hear(audio, spans, None)
    assert [each.attributes["valence"] for each in (first, *rest)] == pytest.approx(alone, abs=1e-5)
    assert [(each.start, each.end) for each in (first, silent, *rest)] == spans
    assert not silent.speech


def test_digital_silence_is_no_speech(place):
    put(place, "Anger", constant(4.0))
    estimator = EmpathicInsight.load(folder=place, heads=["Anger"])
    estimate = estimator.estimate(Audio(np.zeros(RATE, np.float32), RATE))
    assert not estimate.speech
    assert estimate.intensities.is_neutral
    assert estimator.estimate(noise(1 / RATE)).intensities["Anger"] == 1.0


def test_the_level_is_left_as_it_came(place):
    random_head(place, "Valence")
    estimator = EmpathicInsight.load(folder=place, heads=["Valence"])
    audio = noise(2)
    assert score(estimator, audio.gain(-20)) != pytest.approx(score(estimator, audio), abs=1e-4)


def test_what_cannot_be_heard_is_refused(place):
    put(place, "Anger", constant(1.0))
    estimator = EmpathicInsight.load(folder=place, heads=["Anger"])
    with pytest.raises(InvalidInput, match="no sound"):
        estimator.estimate(Audio(np.zeros(0, np.float32), RATE))
    with pytest.raises(InvalidInput, match="knows no baseline"):
        estimator.estimate(noise(1), baseline=[noise(1)])
    with pytest.raises(InvalidInput, match="knows no baseline"):
        list(estimator._hear(noise(1), [(0.0, 1.0)], object()))


def test_the_name_tells_what_was_loaded(place):
    put(place, "Anger", constant(1.0))
    put(place, "Fear", constant(2.0))

    def name(*heads):
        return EmpathicInsight.load(folder=place, heads=heads).name

    before = name("Anger")
    assert before.startswith("empathic-insight-small@")
    assert name("Anger") == before != name("Fear")
    put(place, "Anger", constant(1.5))
    assert name("Anger") != before


def test_unknown_names_are_answered_with_the_nearest(place):
    with pytest.raises(UnknownName, match="Unknown size 'smal'.*'small'"):
        EmpathicInsight.load("smal", place)
    with pytest.raises(UnknownName, match="Unknown head 'angr'.*'Anger'"):
        EmpathicInsight.load(folder=place, heads=["angr"])
    with pytest.raises(InvalidInput, match="at least one"):
        EmpathicInsight.load(folder=place, heads=[])


def test_a_folder_that_is_given_is_the_only_place(place):
    with pytest.raises(
        WeightsError, match=r"no .*Small.model_Awe_best\.pth; put it there"
    ) as caught:
        EmpathicInsight.load(folder=place, heads=["Awe"])
    assert "\n" not in str(caught.value)
    with pytest.raises(WeightsError, match="not a folder"):
        EmpathicInsight.load(folder=place / "none")


class Harmful:
    def __reduce__(self):
        return os.mkdir, ("harm",)


def write_pickle(file: Path) -> None:
    torch.save({"proj.weight": Harmful()}, file)


def write_old_pickle(file: Path) -> None:
    file.write_bytes(pickle.dumps(Harmful()))


def write_text(file: Path) -> None:
    file.write_text("a text, renamed")


def write_nothing(file: Path) -> None:
    file.write_bytes(b"")


def cut_short(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-3000])


def confuse(file: Path) -> None:
    """The pickle's first dictionary is not remembered but recalled: KeyError inside torch."""
    whole = file.read_bytes()
    spoilt = whole.replace(b"OrderedDict\nq\x00", b"OrderedDict\nh\xff")
    assert spoilt != whole
    file.write_bytes(spoilt)


def write_list(file: Path) -> None:
    torch.save([torch.zeros(3)], file)


def write_integers(file: Path) -> None:
    torch.save({name: value.int() for name, value in torch.load(file).items()}, file)


@pytest.mark.parametrize(
    "spoil",
    [
        write_pickle,
        write_old_pickle,
        write_text,
        write_nothing,
        cut_short,
        confuse,
        write_list,
        write_integers,
    ],
)
def test_a_file_that_is_no_head_is_refused_and_nothing_in_it_runs(place, spoil, monkeypatch):
    monkeypatch.chdir(place)
    spoil(put(place, "Anger", reference()))
    with pytest.raises(WeightsError, match=r"model_Anger_best\.pth") as caught:
        EmpathicInsight.load(folder=place, heads=["Anger"])
    assert "\n" not in str(caught.value)
    assert not (place / "harm").exists()


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (reference(hidden=(64, 30, 16)), r"mlp\.5\.bias is \(30,\), \(32,\) is wanted"),
        (reference(width=WIDTH + 1), r"proj\.weight is \(64, 13500\), \(64, 12000\) is wanted"),
        (reference(hidden=(64, 32)), r"mlp\.11\.bias is missing, \(1,\) is wanted"),
        (reference(hidden=(64, 32, 16, 4)), r"mlp\.11\.bias is \(4,\), \(1,\) is wanted"),
        (reference((128, 64, 32), 128), r"mlp\.11\.weight is \(1, 32\), \(1, 16\) is wanted"),
        ({**reference().state_dict(), "more": torch.zeros(2)}, "more is .2,., no such tensor"),
    ],
)
def test_names_and_shapes_must_fit(place, head, message):
    put(place, "Anger", head)
    with pytest.raises(WeightsError, match=message):
        EmpathicInsight.load(folder=place, heads=["Anger"])


def test_large_heads_are_wider(place):
    put(place, "Anger", constant(3.0, hidden=(128, 64, 32), projection=128), "Large")
    estimator = EmpathicInsight.load("large", place, ["Anger"])
    assert estimator.estimate(noise(1)).intensities["Anger"] == 0.75
    assert estimator.name.startswith("empathic-insight-large@")


def test_a_head_that_gives_no_number_is_refused(place):
    put(place, "Anger", constant(math.nan))
    estimator = EmpathicInsight.load(folder=place, heads=["Anger"])
    with pytest.raises(WeightsError, match=r"model_Anger_best\.pth gives scores that are no num"):
        estimator.estimate(noise(1))


@pytest.mark.parametrize("file", ["config.json", "preprocessor_config.json", "model.safetensors"])
def test_a_damaged_encoder_is_refused(tmp_path, encoder, file):
    put(tmp_path, "Anger", constant(1.0))
    copy = tmp_path / "BUD-E-Whisper"
    copy.mkdir()
    for source in encoder.iterdir():
        content = source.read_bytes()
        (copy / source.name).write_bytes(content[:-9] if source.name == file else content)
    with pytest.raises(WeightsError, match="BUD-E-Whisper holds no Whisper") as caught:
        EmpathicInsight.load(folder=tmp_path, heads=["Anger"])
    assert "\n" not in str(caught.value)


def test_spectrograms_must_fit_the_encoder(tmp_path):
    put(tmp_path, "Anger", constant(1.0))
    write_encoder(tmp_path / "BUD-E-Whisper", chunk_length=20)
    with pytest.raises(WeightsError, match=r"spectrograms of \(2000, 80\).*takes \(3000, 80\)"):
        EmpathicInsight.load(folder=tmp_path, heads=["Anger"])


def test_the_hubs_cache_is_asked_before_the_hub(place, monkeypatch):
    put(place, "Anger", constant(1.0))
    put(place, "Fear", constant(2.0))
    asked = []

    def download(repository, file, local_files_only):
        asked.append((repository, file, local_files_only))
        if file == "model_Fear_best.pth" and local_files_only:
            raise FileNotFoundError("not cached")
        return str(place / repository.removeprefix("laion/") / file)

    monkeypatch.setattr("huggingface_hub.hf_hub_download", download)
    estimator = EmpathicInsight.load(heads=["Anger", "Fear"])
    assert estimator.estimate(noise(1)).intensities["Fear"] == 0.5
    heads = "laion/Empathic-Insight-Voice-Small"
    assert {repository for repository, _, _ in asked} == {"laion/BUD-E-Whisper", heads}
    assert [each for each in asked if not each[2]] == [(heads, "model_Fear_best.pth", False)]


def test_the_environments_folder_comes_before_the_hub(place, monkeypatch):
    put(place, "Anger", constant(1.0))
    monkeypatch.setenv(FOLDER_VARIABLE, str(place))
    assert EmpathicInsight.load(heads=["Anger"]).support == {"Anger": "synthetic"}

    def download(repository, file, local_files_only):
        raise ConnectionError("no network\nat all")

    monkeypatch.setattr("huggingface_hub.hf_hub_download", download)
    with pytest.raises(
        WeightsError, match=r"no model_Fear_best\.pth of .*\(no network\); go online"
    ):
        EmpathicInsight.load(heads=["Fear"])


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the kernel tells no peak here")
def test_memory_is_bounded_by_one_full_size_head(tmp_path):
    """Two heads of 73.7 M float32 numbers (295 MB each, as published) over 33 windows.

    Peaks are those of the process itself, in MB: everything imported and the encoder loaded; then
    one head; then two. Nothing but the mapped file, and at most a copy of a few of its columns,
    may come on top.
    """
    write_encoder(tmp_path / "BUD-E-Whisper", width=768)
    with torch.device("meta"):  # no time is spent on random numbers
        shapes = reference(width=768).state_dict()
    state = {name: torch.zeros(tensor.shape) for name, tensor in shapes.items()}
    state["mlp.11.bias"] += 2.0
    file = put(tmp_path, "Anger", state)
    del state
    megabytes = file.stat().st_size / 1e6
    other = file.with_name("model_Fear_best.pth")
    other.hardlink_to(file)
    program = f"""
import numpy, torch
from conditioning import empathic_insight
from conditioning.audio import Audio
torch.set_num_threads(1)
def memory(field):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(field)) / 1e3
windows = [(0.0, 0.01)] * 33
audio = Audio(numpy.full(160, 0.1, numpy.float32), 16000)
both = empathic_insight.EmpathicInsight.load(folder={str(tmp_path)!r}, heads=["Anger", "Fear"])
one = empathic_insight.EmpathicInsight.load(folder={str(tmp_path)!r}, heads=["Anger"])
encoded = one._features(audio)
one._features = both._features = lambda audio: encoded.clone()
start = memory("VmRSS")
for estimator in one, both:
    estimates = list(estimator._hear(audio, windows, None))
    assert estimates[-1].intensities["Anger"] == 0.5
    print(memory("VmHWM") - start)
"""
    try:
        run = subprocess.run(
            [sys.executable, "-c", program],
            check=True,
            capture_output=True,
            text=True,
            cwd=Path(__file__).parent.parent,
        )
    finally:
        file.unlink()
        other.unlink()
    one, both = map(float, run.stdout.split())
    features = 32 * FRAMES * 768 * 2 / 1e6
    assert one < megabytes + features + 60
    assert both < one + 30
