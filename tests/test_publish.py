"""Publishing: what `fit` wrote becomes a pinned checkpoint, or is refused."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from conditioning.audio import Audio
from conditioning.errors import InvalidInput, UnknownName
from conditioning.pooling import READINGS, Listener, PoolingEstimator
from conditioning.weights import hash_of
from training import publish as publishing
from training.modules import save_estimator
from training.publish import publish
from training.tiny import TinyModule


@pytest.fixture
def checkpoints(tmp_path, monkeypatch):
    """A folder of checkpoints with a manifest that pins nothing yet."""
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    (folder / "manifest.toml").write_text('file = "estimator-tiny.safetensors"\nsha256 = ""\n')
    monkeypatch.setattr(publishing, "CHECKPOINTS", folder)
    return folder


@pytest.fixture
def pupil(tmp_path):
    """What fitting the tiny estimator exports."""
    module = TinyModule()
    module.agreement = [0.5] * (READINGS - 1)
    options = SimpleNamespace(corpora=["emodb"])
    data = SimpleNamespace(stopping=[0], teacher="permissive", options=options)
    module.export(tmp_path, SimpleNamespace(datamodule=data))
    return tmp_path / "estimator.safetensors"


def test_a_pupil_is_published_and_pinned(checkpoints, pupil):
    place = publish(pupil, "tiny")
    assert hash_of(place) in (checkpoints / "manifest.toml").read_text()
    made = PoolingEstimator.from_file(place)
    assert made.support["Anger"] == "acted"
    assert made.support["Awe"] == "inferred"
    noise = np.random.default_rng(0).normal(0, 0.1, 16000).astype(np.float32)
    assert made.estimate(Audio(noise, 16000)).estimator == "estimator-tiny"


def test_what_does_not_belong_is_refused(checkpoints, pupil, tmp_path):
    before = (checkpoints / "manifest.toml").read_bytes()
    with pytest.raises(UnknownName, match="standard"):
        publish(pupil, "empathic-insight-small")
    (tmp_path / "text").write_text("nothing")
    with pytest.raises(InvalidInput, match="no trained estimator"):
        publish(tmp_path / "text", "tiny")
    with pytest.raises(InvalidInput, match="--heard"):
        publish(pupil, "tiny", heard=tmp_path / "text")
    listener = tmp_path / "listener.safetensors"
    save_estimator(listener, {"head": Listener(4, ["neutral", "Anger"])}, {"front": "whisper"})
    with pytest.raises(InvalidInput, match="--heard"):
        publish(listener, "standard")
    assert (checkpoints / "manifest.toml").read_bytes() == before
    assert [path.name for path in checkpoints.iterdir()] == ["manifest.toml"]


def test_a_batch_of_one_teaches_without_harm():
    module = TinyModule()
    module.log = lambda *given, **more: None
    mel, readings = torch.randn(1, 50, 40), torch.rand(1, READINGS)
    loss = module.training_step((mel, torch.tensor([50]), readings))
    loss.backward()
    assert all(entry.grad.isfinite().all() for entry in module.parameters())


def test_padding_is_not_heard():
    module = TinyModule().eval()
    mel = torch.randn(1, 60, 40)
    padded = torch.nn.functional.pad(mel, (0, 0, 0, 40))
    with torch.inference_mode():
        alone, longer = module(mel, torch.tensor([60])), module(padded, torch.tensor([60]))
    torch.testing.assert_close(alone, longer, atol=0.02, rtol=0)
