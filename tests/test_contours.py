from __future__ import annotations

import pytest
import torch

from conditioning.errors import WeightsError
from conditioning.taxonomy import INDEX, NAMES
from voice_actor.acting import CONTROLS
from voice_actor.backbone import Reading
from voice_actor.contours import (
    CHANNELS,
    MARKS,
    Contours,
    acts_on,
    breath_amplitude,
    breath_decibels,
    carriers,
    marks_of,
)
from voice_actor.phonemes import Phoneme, Phrase


def phrase(symbols: str) -> Phrase:
    return Phrase(tuple(Phoneme(symbol, i, i + 1) for i, symbol in enumerate(symbols)), ())


def reading(symbols: str, seed: int = 0) -> Reading:
    length = len(symbols) + 2
    generator = torch.Generator().manual_seed(seed)
    states = torch.randn(length, 640, generator=generator)
    return Reading(
        phrase(symbols), torch.full((length,), 3.0), torch.randn(256), states, states[:, :512]
    )


def asked(length: int, **shares: float) -> torch.Tensor:
    emotions = torch.zeros(length, len(NAMES))
    for name, share in shares.items():
        emotions[:, INDEX[name]] = share
    return emotions


@pytest.fixture
def contours() -> Contours:
    torch.manual_seed(0)
    made = Contours().eval()
    made.spread.uniform_(0.5, 2.0)
    return made


LINE = "jˈu kˈAm bˈæk, ænd ˌI wʌz sˈæd."


def column(marks: torch.Tensor, name: str) -> str:
    """The symbols of `LINE` that carry a mark, in order."""
    return "".join(symbol for symbol, value in zip(LINE, marks[1:-1], strict=True) if value)


def test_nothing_asked_is_exactly_nothing(contours):
    own = reading(LINE)
    changes = contours(asked(len(LINE) + 2), own)
    assert tuple(changes) == CHANNELS
    assert not any(bool(change.any()) for change in changes.values())
    assert not contours.means(asked(4)[None], own.style[None]).any()


def test_every_channel_is_a_control_of_acting():
    assert set(CHANNELS) <= set(CONTROLS)


def test_deviations_have_no_mean_over_the_sounds(contours):
    own = reading(LINE)
    marks = marks_of(own.phrase)[None]
    emotions = asked(len(LINE) + 2, Anger=0.8)[None]
    found = contours.deviations(emotions, own.states[None], own.style[None], marks)
    assert found.abs().max() > 1e-3
    torch.testing.assert_close(found.sum(1), torch.zeros(1, len(CHANNELS)), atol=1e-5, rtol=0)
    assert not found[acts_on(marks) == 0].any()


def test_half_the_intensity_is_half_the_change(contours):
    own = reading(LINE)
    whole, half = (contours(asked(len(LINE) + 2, Fear=share), own) for share in (1.0, 0.5))
    for name in CHANNELS:
        torch.testing.assert_close(half[name], whole[name] / 2)


def test_where_a_curve_asks_nothing_nothing_changes(contours):
    emotions = asked(len(LINE) + 2, Anger=1.0)
    emotions[: LINE.index(",") + 1] = 0
    changes = contours(emotions, reading(LINE))
    for change in changes.values():
        assert not change[: LINE.index(",") + 1].any()
    assert changes["f0_contour"][LINE.index("ʌ") + 1] != 0


def test_padding_changes_nothing(contours):
    own = reading(LINE)
    marks = marks_of(own.phrase)[None]
    emotions = asked(len(LINE) + 2, Anger=1.0)[None]
    alone = contours.deviations(emotions, own.states[None], own.style[None], marks)

    def padded(tensor: torch.Tensor, value: float) -> torch.Tensor:
        return torch.nn.functional.pad(tensor, (0, 0, 0, 9), value=value)

    among = contours.deviations(
        padded(emotions, 1.0), padded(own.states[None], 3.0), own.style[None], padded(marks, 0.0)
    )
    torch.testing.assert_close(among[:, : alone.shape[1]], alone)
    assert not among[:, alone.shape[1] :].any()


def test_a_contour_holds_through_gaps_but_their_durations_stay(contours):
    changes = contours(asked(len(LINE) + 2, Anger=1.0), reading(LINE))
    comma, space = LINE.index(",") + 1, LINE.index(" ") + 1
    stress = LINE.index("ˈ") + 1
    pitch, duration = changes["f0_contour"], changes["duration"]
    assert pitch[comma] == pitch[comma - 1] != 0
    assert pitch[stress] == pitch[stress + 1] != pitch[stress - 1]
    assert duration[stress] == duration[stress + 1]
    assert duration[comma] == duration[space] == duration[0] == 0
    assert changes["pause"][comma] != 0 == changes["pause"][space]


def test_marks_say_where_a_sound_stands():
    marks = dict(zip(MARKS, marks_of(phrase(LINE)).T, strict=True))
    assert column(marks["pause"], "pause") == ",."
    assert column(marks["vowel"], "vowel") == "uAææIʌæ"
    assert column(marks["stress"], "stress") == "uAæIæ"
    assert column(marks["head"], "head") == "uæ"
    assert column(marks["nucleus"], "nucleus") == "ææ"
    assert column(marks["final"], "final") == "ækæd"
    kinds = marks["vowel"] + marks["consonant"] + marks["pause"] + marks["sign"]
    assert (kinds == 1).all()
    assert marks["stress"][LINE.index("I") + 1] == 0.5
    assert not marks["asks"].any()
    asks = marks_of(phrase("ˈA, bˈi?"))[:, MARKS.index("asks")]
    assert asks.nonzero()[:, 0].tolist() == [5, 7]


@pytest.mark.parametrize("symbols", ["a", "t", "…", "ˈ", "ˈː", "a?!", "“hˈa”"])
def test_odd_phrases_are_read(contours, symbols):
    changes = contours(asked(len(symbols) + 2, Anger=1.0), reading(symbols))
    assert all(bool(change.isfinite().all()) for change in changes.values())
    assert len(carriers(phrase(symbols))) == len(symbols) + 2


def test_the_network_is_small(contours):
    assert sum(value.numel() for value in contours.parameters()) < 5_000_000


def test_breath_in_decibels_and_as_an_amplitude_are_one():
    amounts = breath_amplitude(torch.tensor([-6.0, 0.0, 3.0, 6.0]))
    assert amounts[:2].tolist() == [0.0, 0.0]
    assert 0.05 < amounts[2] < amounts[3] < 0.35
    torch.testing.assert_close(
        breath_decibels(amounts), torch.tensor([0.0, 0.0, 3.0, 6.0]), atol=1e-4, rtol=0
    )


def test_a_saved_network_reads_back(contours, tmp_path):
    file = tmp_path / "contours.safetensors"
    contours.save(file, corpora=["emodb"])
    own = reading(LINE)
    emotions = asked(len(LINE) + 2, Anger=1.0)
    again = Contours.load(file)(emotions, own)
    for name, change in contours(emotions, own).items():
        torch.testing.assert_close(again[name], change)
    assert file.stat().st_size < 8_000_000


def test_another_file_or_another_taxonomy_is_refused(contours, tmp_path, monkeypatch):
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"nothing of the kind")
    with pytest.raises(WeightsError, match="holds no contours"):
        Contours.load(broken)
    file = tmp_path / "contours.safetensors"
    contours.save(file)
    monkeypatch.setattr("voice_actor.contours.fingerprint", lambda: "another")
    with pytest.raises(WeightsError, match="other taxonomy"):
        Contours.load(file)
