from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from conditioning import weights
from conditioning.errors import InvalidInput, WeightsError
from conditioning.interpreter import (
    ASKED,
    FLOOR,
    LABELS,
    LONGEST,
    MOST,
    OUTPUTS,
    PLACE,
    SAID,
    Head,
    Heads,
    Interpreter,
    read_heads,
)
from conditioning.pictographs import named
from conditioning.sentences import CHANNELS, DEPTH, SentenceEncoder, mean, padded
from conditioning.sentences import LONGEST as LONGEST_WINDOW
from conditioning.taxonomy import CORPUS_LABELS, INDEX, NAMES
from training.interpret import markdown
from training.interpret_data import (
    DIRECTIONS,
    LINES,
    Texts,
    held_out,
    meant,
    places_of,
    written,
)
from training.interpret_module import InterpreterModule, export, f1, grouped, thresholds

ROOT = Path(__file__).parent.parent
TEXT = ROOT.parent / "shared" / "data" / "text" / "goemotions"
WORDS = "[PAD] [UNK] [CLS] [SEP] . ! ? a the king is very angry sad joy and so face with".split()
FELT = {"angry": "Anger", "sad": "Sadness", "joy": "Elation"}


class ToyEncoder(SentenceEncoder):
    """Each word of a small vocabulary lights a channel of its own, in every layer."""

    def __init__(self):
        tokenizer = Tokenizer(
            models.WordLevel({word: index for index, word in enumerate(WORDS)}, unk_token="[UNK]")
        )
        tokenizer.normalizer = normalizers.BertNormalizer()
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        super().__init__(tokenizer)

    def forward(self, ids, mask):
        self.most = max(getattr(self, "most", 0), ids.numel())
        lit = torch.nn.functional.one_hot(ids, CHANNELS).float()
        return [lit] * (DEPTH + 1)


class ToyHeads(Heads):
    """A word for a feeling asks for it."""

    def __init__(self):
        super().__init__(1, 4)

    def forward(self, states, mask, line):
        logits = torch.full((len(mask), OUTPUTS), -6.0)
        attention = torch.zeros(*mask.shape, OUTPUTS)
        for word, name in FELT.items():
            lit = states[:, :, 0, WORDS.index(word)]
            logits[:, ASKED.start + INDEX[name]] += 8.0 * lit.amax(1)
            attention[:, :, ASKED.start + INDEX[name]] = lit
        logits[:, PLACE] = logits[:, ASKED].amax(1, keepdim=True) / 10
        return logits, attention


@pytest.fixture
def toy():
    return Interpreter(ToyEncoder(), ToyHeads(), {})


@pytest.fixture(scope="module")
def real():
    return Interpreter.load()


# Windows


def test_a_long_text_is_cut_at_sentence_ends_and_no_token_is_lost():
    encoder = ToyEncoder()
    text = "The king is very angry and so sad! " * 100
    windows = encoder.windows(text)
    whole = encoder.tokenizer.encode(text, add_special_tokens=False).ids
    assert [number for window in windows for number in window.ids[1:-1]] == whole
    assert max(len(window.ids) for window in windows) <= LONGEST_WINDOW
    assert all(window.ids[-2] == WORDS.index("!") for window in windows)
    assert "".join(text[window.start : window.end] for window in windows) == text


def test_a_sentence_longer_than_a_window_is_cut_between_words():
    windows = ToyEncoder().windows("angry " * 1000)
    assert sum(len(window.ids) - 2 for window in windows) == 1000
    assert max(len(window.ids) for window in windows) == LONGEST_WINDOW


def test_no_text_is_one_empty_window():
    assert [len(window.ids) for window in ToyEncoder().windows("")] == [2]


def test_what_is_padded_changes_no_average():
    ids, mask = padded([(2, 7, 3), (2, 7, 7, 7, 3)])
    assert mask.sum().item() == 8
    states = torch.randn(2, 5, CHANNELS)
    assert torch.allclose(mean(states, mask)[0], states[0, :3].mean(0), atol=1e-6)


def test_emoji_are_read_by_name_and_found_again():
    plain = named("so 😂 angry")
    assert "tears of joy" in plain.text
    start = plain.text.index("joy")
    assert plain.origin(start, start + 3) == (3, 4)
    start = plain.text.index("angry")
    assert plain.origin(start, start + 5) == (5, 10)
    assert named("so angry").text == "so angry"


# Readings


def test_a_reading_says_what_is_asked_and_which_words_decided(toy):
    text = "The king is so very angry"
    reading = toy.read([text], explain=True)[0]
    assert reading.intensities.items()[0] == ("Anger", pytest.approx(0.88, abs=0.01))
    word, start, end, lost = reading.words[0]
    assert (word, text[start:end]) == ("angry", "angry")
    assert lost > 0.8
    assert len(reading.words) == 1
    assert toy.read([text])[0].words == ()


def test_an_emoji_can_decide(toy):
    reading = toy.read(["the king 😂"], explain=True)[0]
    assert [(word, start, end) for word, start, end, _ in reading.words] == [("😂", 9, 10)]


def test_lines_and_directions_have_outputs_of_their_own():
    heads, logits = Heads(1, 4), torch.full((1, OUTPUTS), -9.0)
    logits[:, ASKED.start + INDEX["Anger"]] = 9.0
    logits[:, SAID.start + INDEX["Fear"]] = 9.0
    (asked,), (said,) = heads.intensities(logits, False), heads.intensities(logits, True)
    assert asked.argmax() == INDEX["Anger"]
    assert said.argmax() == INDEX["Fear"]
    assert asked[INDEX["Fear"]] < 0.01 > said[INDEX["Anger"]]


def test_text_without_letters_is_neutral(toy):
    for reading in toy.read(["", "  ", "... 12 !?", "\n"]):
        assert reading.intensities.is_neutral
        assert (reading.valence, reading.arousal, reading.dominance) == (0, 0, 0)
        assert reading.known == 1


def test_a_long_text_is_read_in_pieces_that_count_by_length(toy):
    calm, cross = "The king is a king. " * 3000, "The king is angry. " * 1000
    reading = toy.read([calm + cross])[0]
    assert reading.intensities["Anger"] == pytest.approx(0.88 * 5 / 20, abs=0.03)
    assert toy.encoder.most <= 16 * LONGEST_WINDOW


def test_too_long_or_no_list_is_refused_in_one_line(toy):
    for wrong in (["a" * (LONGEST + 1)], "sadly", [None]):
        with pytest.raises(InvalidInput) as error:
            toy.read(wrong)
        assert "\n" not in str(error.value)


def test_only_the_strongest_categories_are_reported(toy, monkeypatch):
    values = torch.linspace(0.01, 0.9, len(NAMES))[None]
    monkeypatch.setattr(ToyHeads, "intensities", lambda *_: values)
    found = toy.read(["the king"])[0].intensities.items()
    assert len(found) == MOST
    assert found[0][0] == NAMES[-1]
    values = torch.full((1, len(NAMES)), FLOOR - 0.01)
    assert toy.read(["the king"])[0].intensities.is_neutral


def test_heads_made_for_another_taxonomy_are_refused(tmp_path, monkeypatch):
    heads, path = Heads(2, 8).eval(), tmp_path / "heads.safetensors"
    export(heads, {"thresholds": [0.5] * len(LABELS)}, path)
    loaded, described = read_heads(path)
    assert described["thresholds"] == [0.5] * len(LABELS)
    states, mask = torch.randn(1, 3, 4, CHANNELS), torch.ones(1, 3, dtype=torch.bool)
    assert torch.allclose(
        loaded.eval()(states, mask, torch.ones(1))[0],
        heads(states, mask, torch.ones(1))[0],
        atol=0.01,
    )
    monkeypatch.setattr("conditioning.interpreter.fingerprint", lambda: "another")
    with pytest.raises(WeightsError, match="made for other taxonomy"):
        read_heads(path)
    with pytest.raises(WeightsError, match="no interpreter"):
        read_heads(weights.CHECKPOINTS / "estimator-tiny.safetensors")


# Training


def test_every_label_of_goemotions_has_a_meaning_and_a_group():
    assert len(LABELS) == 28
    for label, meaning in CORPUS_LABELS["goemotions"].items():
        assert set(meaning) <= set(NAMES)
        assert bool(meaning) == (label != "neutral")
    assert grouped(np.eye(len(LABELS))).sum(1).tolist() == [1.0] * len(LABELS)
    asked, spoken = meant(np.eye(len(LABELS), dtype=np.float32))
    # Only what is called neutral is known not to be tired.
    tired = spoken[:, INDEX["Fatigue/Exhaustion"]]
    assert tired.tolist() == [label == "neutral" for label in LABELS]
    assert asked[LABELS.index("fear"), INDEX["Fear"]] == pytest.approx(0.6)
    assert not asked[LABELS.index("neutral")].any()


def test_the_label_order_is_the_corpuss():
    if not TEXT.is_dir():
        pytest.skip("GoEmotions is not here")
    assert tuple((TEXT / "labels.txt").read_text(encoding="utf-8").split()) == LABELS


def test_f1_is_what_scikit_learn_says():
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    labels = (rng.random((200, 5)) < 0.3).astype(np.float32)
    likely = 0.6 * labels + 0.5 * rng.random(labels.shape)
    said = likely >= thresholds(likely, labels)
    assert f1(said, labels) == pytest.approx(metrics.f1_score(labels, said, average=None))
    assert f1(said, labels).min() > 0.9


@pytest.mark.parametrize("folder", [DIRECTIONS, LINES])
def test_what_was_written_can_be_read_and_some_is_held_out(folder):
    rows = written(folder)
    kept = [text for text, _ in rows if held_out(text)]
    assert 0.05 < len(kept) / len(rows) < 0.15
    vectors = np.stack([vector for _, vector in rows])
    assert (vectors.max(0) > 0.5).all()  # every category is asked for
    assert (vectors.max(1) == 0).any()  # and nothing at all


def test_the_directions_of_the_test_set_are_not_learnt_from():
    test_set = (ROOT / "tests" / "data" / "directions.tsv").read_text(encoding="utf-8")
    tested = {line.split("\t")[1].strip().lower() for line in test_set.splitlines()[1:]}
    assert len(tested) == 60
    assert not tested & {text.lower() for text, _ in written(DIRECTIONS)}


def test_the_place_of_a_plain_direction_is_its_categorys():
    asked = np.zeros((2, len(NAMES)), np.float32)
    asked[0, INDEX["Anger"]], asked[1, INDEX["Anger"]] = 0.6, 0.3
    plain, faint = places_of(asked)
    assert plain[0] < -0.3 < 0.5 < plain[1]
    assert faint == pytest.approx(plain / 2)


def test_the_head_learns_and_knows_a_line_from_a_direction(monkeypatch):
    monkeypatch.setattr("training.interpret_module._MEANT", 0.0)
    monkeypatch.setattr("training.interpret_module._HIDDEN", 0.0)
    torch.manual_seed(0)
    rows = 8
    asked = np.zeros((rows, len(NAMES)), np.float32)
    asked[np.arange(rows), np.arange(rows) % 4] = 0.8
    words = torch.randn(4, 4, CHANNELS).half().numpy()
    states = words[np.arange(rows) % 4].repeat(3, axis=0)
    labels = np.zeros((rows, len(LABELS)), np.float32)
    lengths = np.full(rows, 3)
    spoken = np.ones(asked.shape, bool)
    place = np.arange(rows) * 3, lengths, labels
    batch = {
        "lines": Texts([], states, *place, 0 * asked, spoken).batch(np.arange(rows)),
        "asked": Texts([], states, *place, asked, spoken).batch(np.arange(rows)),
        "said": Texts([], states, *place, asked[::-1], spoken).batch(np.arange(rows)),
    }
    module = InterpreterModule(hidden=32, dropout=0.0)
    module.log = lambda *_, **__: None
    optimizer = torch.optim.AdamW(module.parameters(), 1e-2)
    for _ in range(200):
        optimizer.zero_grad()
        module.training_step(batch).backward()
        optimizer.step()
    module.eval()
    read = batch["asked"]["states"], batch["asked"]["mask"]
    directed = module.head(*read, torch.zeros(rows))[0][:, ASKED].sigmoid()
    said = module.head(*read, torch.ones(rows))[0][:, SAID].sigmoid()
    assert (directed.argmax(1).numpy() == np.arange(rows) % 4).all()
    assert (said.argmax(1).numpy() == np.arange(rows)[::-1] % 4).all()
    assert min(directed.max(1).values.min(), said.max(1).values.min()) > 0.5


def test_a_head_ignores_what_is_padded():
    head = Head(16).eval()
    states, line = torch.randn(1, 5, 4, CHANNELS), torch.zeros(1)
    mask = torch.tensor([[True, True, True, False, False]])
    short = head(states[:, :3], mask[:, :3], line)[0]
    assert torch.allclose(head(states, mask, line)[0], short, atol=1e-5)


# The real weights


@pytest.mark.weights
def test_the_encoder_is_the_published_one():
    transformers = pytest.importorskip("transformers")
    try:
        bert = transformers.BertModel
    except Exception as reason:
        pytest.skip(f"transformers' BERT cannot be imported here: {str(reason).splitlines()[0]}")
    encoder, path = SentenceEncoder.load(), weights.path("minilm")
    theirs = bert.from_pretrained(path.parent).eval()
    ids, mask = padded(
        encoder.windows(text)[0].ids
        for text in ("You came back.", "Like a caring nurse who comforts a worried patient!")
    )
    with torch.inference_mode():
        ours = encoder(ids, mask)
        states = theirs(ids, attention_mask=mask.long(), output_hidden_states=True).hidden_states
    for own, other in zip(ours, states, strict=True):
        assert torch.allclose(own[mask], other[mask], atol=2e-5)


@pytest.mark.weights
def test_embeddings_know_what_is_alike():
    near, far, other = SentenceEncoder.load().embed(
        ["She is very happy.", "She is full of joy.", "The train leaves at nine."]
    )
    assert near.norm().item() == pytest.approx(1, abs=1e-4)
    assert near @ far > near @ other + 0.2


@pytest.mark.weights
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("as furious as a betrayed queen", "Anger"),
        ("the last firefighter on shift, barely awake", "Fatigue/Exhaustion"),
        ("something is breathing behind the door", "Fear"),
    ],
)
def test_directions_without_a_plain_word_are_understood(real, text, expected):
    found = [name for name, _ in real.read([text])[0].intensities.items()[:3]]
    assert expected in found


@pytest.mark.weights
def test_neutral_directions_ask_for_nothing_much(real):
    for reading in real.read(["neutral", "read the text", "say the line at normal speed"]):
        assert max(reading.intensities.to_list()) < 0.35


@pytest.mark.weights
def test_other_languages_are_noticed(real):
    english = [
        "Speak like a caring nurse comforting a worried patient.",
        "relieved, still a little angry",
        "She is trying not to cry.",
    ]
    others = [
        "Sprich wie ein müder alter Mann, der nicht mehr hofft.",
        "Parle comme une infirmière qui rassure un patient inquiet.",
        "Habla como una enfermera que consuela a su paciente.",
        "用悲伤的语气说话",
        "говори грустно",
    ]
    assert min(reading.known for reading in real.read(english)) > 0.7
    assert max(reading.known for reading in real.read(others)) < 0.6


@pytest.mark.weights
def test_a_reading_is_the_same_whoever_else_is_read(real):
    alone = real.read(["a nurse who comforts a child"], explain=True)
    beside = real.read(["angry", "a nurse who comforts a child"], explain=True)
    assert alone[0] == beside[1]


@pytest.mark.weights
def test_the_card_quotes_the_last_evaluation_of_what_is_shipped():
    found = json.loads((ROOT / "docs" / "interpreter.json").read_text(encoding="utf-8"))
    card = (ROOT / "checkpoints" / "interpreter.md").read_text(encoding="utf-8")
    assert markdown(found) in card
    assert found["weights"] == weights.hash_of(weights.path("interpreter"))
    assert found["comments"]["macro"]["value"] >= 0.42
    assert found["comments"]["ekman"]["value"] >= 0.58
