"""The corpora: what is read from each one's own layout, and what is said of a broken one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from conditioning import Audio
from conditioning.errors import InvalidInput, UnknownName, UserError
from conditioning.taxonomy import CORPUS_LABELS, NAMES
from training.corpora import CORPORA, corpus
from training.corpora.emodb import SENTENCES
from training.corpora.got_talent import folder_says

SPEECH = Path(__file__).parents[2] / "shared" / "data" / "speech"
TONE = Audio(0.1 * np.sin(np.arange(800, dtype=np.float32) / 5), 16000)

VOTES = (
    '"","A","D","F","H","N","S","fileName","numResponses","agreement","emoVote","meanEmoResp",'
    '"meanAngerResp","meanDisgustResp","meanFearResp","meanHappyResp","meanNeutralResp",'
    '"meanSadResp"\n'
    '"100062",6,2,0,0,1,0,"1001_DFA_ANG_XX",9,0.67,"A",54.6,47.3,59.5,-1,-1,89,-1\n'
    '"100031",0,0,4,0,4,1,"1001_IWW_SAD_XX",9,0.44,"F:N",47.6,-1,-1,48.5,-1,49,38\n'
    '"200062",0,0,0,0,9,0,"1001_DFA_ANG_XX",9,1,"N",80,-1,-1,-1,-1,80,-1\n'
    '"100070",0,0,0,0,9,0,"1002_IEO_HAP_HI",9,1,"N",80,-1,-1,-1,-1,80,-1\n'
)
EMNS = (
    "id|utterance|description|emotion|date_created|status|gender|age|level|audio_recording|"
    "user_id\n"
    '1|It is the first game in the "Saints Row" series.|{user_id} said|Happy|2022|Complete|female|'
    "20s|7|wavs/recorded_audio_a.webm|3\n"
    "2|Where do foxes inhabit?|{user_id} said|Neutral|2022|Complete|female|20s|0|"
    "wavs/recorded_audio_b.webm|3\n"
    "3|Its council is based in Horsham.|{user_id} said|Angry|2022|Needs Updating|female|20s|8|"
    "wavs/recorded_audio_c.webm|3\n"
)
NEMO = (
    "file_id\temotion\traw_text\tnormalized_text\tspeaker_id\tgender\tage\n"
    "WR0_surprised_64.wav\tsurprised\tUcho wykrywa dźwięki.\tucho wykrywa dźwięki\t        WR0"
    "\tmale\t23\n"
    'EB0_neutral_13.wav\tneutral\t"Ród smoka" to serial.\tród smoka to serial\t        EB0'
    "\tfemale\t27\n"
)
READ = "audio_48khz/read"
JL = "Raw JL corpus (unchecked and unannotated)/JL(wav+txt)"
TALENT = "english_alloy_intense_anger_rage_fury_hatred_and_annoyance"
ENHANCED = "de_verse_intense_awe_wonder_and_an_awestruck_feeling_vocalbursts_fixed"

# For each corpus, a few files in its layout: path -> text, bytes, or None for a tone.
FILES = {
    "emodb": {"wav/03a01Fa.wav": None, "wav/16b10Lb.wav": None, "wav/._16b10Lb.wav": b"x"},
    "ravdess": {
        "Audio_Speech/Actor_12/03-01-06-02-02-01-12.wav": None,
        "Audio_Speech/Actor_01/03-01-01-01-01-01-01.wav": None,
        "Audio_Song/Actor_01/03-02-01-01-01-01-01.wav": None,
    },
    "nemo": {
        "data.tsv": NEMO,
        "samples/WR0_surprised_64.wav": None,
        "samples/EB0_neutral_13.wav": None,
    },
    "laion_voice_acting": {
        "manifest.csv": "path,speaker,gender,language,emotion,intensity,text,defect\n"
        'audio/v0__Awe__B.wav,laion_v0,,en,awe,"moderate, free",,\n'
        'audio/v1__Awe__B.wav,laion_v1,,en,awe,"moderate, free",,cut off\n',
        "audio/v0__Awe__B.wav": None,
        "audio/v1__Awe__B.wav": None,
    },
    "crema_d": {
        "AudioWAV/1001_DFA_ANG_XX.wav": None,
        "AudioWAV/1001_IWW_SAD_XX.wav": None,
        "AudioWAV/1002_IEO_HAP_HI.wav": None,
        "VideoDemographics.csv": '"ActorID","Age","Sex","Race","Ethnicity"\n'
        '1001,51,"Male","Caucasian","Not Hispanic"\n1002,21,"Female","Caucasian","Not Hispanic"\n',
        "processedResults/tabulatedVotes.csv": VOTES,
    },
    "emov_db": {
        "cmuarctic.data": '( arctic_a0001 "Author of the danger trail, Philip Steels, etc." )\n'
        '( arctic_b0001 "Gad, do I remember it." )\n',
        "bea_Amused/amused_1-15_0001.wav": None,
        "sam/Sleepy/sleepiness_1-28_0001.wav": None,
    },
    "esd": {
        "0001/0001.txt": "0001_000351\t打远一看，它们的确很是美丽，\t生气\n".encode("gb2312"),
        "0001/Angry/0001_000351.wav": None,
        "0011/0011.txt": "0011_000001\tThe nine the eggs, I keep.\tNeutral\n"
        "0011_000701 a malformed line Happy\n".encode("utf-16"),
        "0011/Neutral/train/0011_000001.wav": None,
        "0011/Happy/train/0011_000701.wav": None,
    },
    "expresso": {
        "read_transcriptions.txt": "ex01_happy_00001\tIt's a *classic*!\n"
        "ex04_default_emphasis_00010\tI *did*.\n",
        f"{READ}/ex01/happy/base/ex01_happy_00001.wav": None,
        f"{READ}/ex04/default/base/ex04_default_emphasis_00010.wav": None,
        f"{READ}/ex02/whisper/base/ex02_whisper_00003.wav": None,
        "audio_48khz/conversational/ex04-ex01/laughing/ex04-ex01_laughing_001.wav": None,
        "train/ex03/conv-sympathetic/"
        "ex03-ex02_sympathetic-sad_008-ex03_sympathetic_css013.wav": None,
    },
    "jl_corpus": {
        f"{JL}/male1_angry_1a_1.wav": None,
        f"{JL}/male1_angry_1a_1.txt": "Carl leaps into a jeep.\n",
        f"{JL}/female2_apologetic_10b_2.wav": None,
        f"{JL}/female2_apologetic_10b_2.txt": "I am sorry.",
        f"{JL.lower()}/male1_angry_1a_1.wav": None,
    },
    "emns": {
        "metadata.csv": EMNS,
        "cleaned_webm/recorded_audio_a.webm": b"webm",
        "wavs/recorded_audio_a.wav": None,
        "wavs/recorded_audio_b.wav": None,
    },
    "got_talent": {
        f"{TALENT}/1.wav": None,
        f"{TALENT}/1.json": json.dumps({"text": "Get out!", "emotion": "anger"}),
        "german_dialogue_dataset-echo_000/1.wav": None,
        f"{ENHANCED}/7.mp3": None,
        f"{ENHANCED}/7.json": json.dumps({"annotation": "...", "flash_transcription": "Oh!"}),
    },
}


def lay_out(name: str, folder: Path, changes: dict | None = None) -> Path:
    """The files of a corpus with changes; ... leaves a file out."""
    for path, content in (FILES[name] | (changes or {})).items():
        file = folder / path
        if content is ...:
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            TONE.save(file)
        elif isinstance(content, bytes):
            file.write_bytes(content)
        else:
            file.write_text(content, encoding="utf-8")
    return folder


def read(name: str, folder: Path, changes: dict | None = None) -> dict:
    """The utterances of a laid-out corpus, by the stem of their files."""
    return {u.path.stem: u for u in corpus(name, lay_out(name, folder, changes))}


@pytest.mark.parametrize("name", FILES)
def test_every_utterance_is_complete_and_its_file_is_sound(name, tmp_path):
    utterances = list(corpus(name, lay_out(name, tmp_path)))
    assert [u.path for u in utterances] == sorted(u.path for u in utterances)
    kind = CORPORA[name]
    for u in utterances:
        assert (u.corpus, u.licence) == (name, kind.licence)
        assert u.speaker.startswith("laion_v" if name == "laion_voice_acting" else f"{name}_")
        assert u.label in CORPUS_LABELS[name]
        assert set(u.emotions) <= set(kind.categories)
        assert all(0 <= value <= 1 for value in u.emotions.values())
        assert Audio.load(u.path).duration == pytest.approx(0.05, abs=0.1)
        assert u.script or u.text is None


def test_emodb_says_who_speaks_what_and_how_by_code(tmp_path):
    found = read("emodb", tmp_path)
    happy, bored = found["03a01Fa"], found["16b10Lb"]
    assert (happy.speaker, happy.gender, happy.language) == ("emodb_03", "M", "de")
    assert happy.text == happy.script == "Der Lappen liegt auf dem Eisschrank."
    assert (happy.label, happy.emotions) == ("happiness", {"Elation": 1.0})
    assert (bored.gender, bored.emotions) == ("F", {"Emotional Numbness": 1.0})
    assert len(found) == 2


def test_ravdess_reads_the_seven_fields_and_leaves_songs_out(tmp_path):
    found = read("ravdess", tmp_path)
    fear, neutral = found["03-01-06-02-02-01-12"], found["03-01-01-01-01-01-01"]
    assert (fear.speaker, fear.gender, fear.level) == ("ravdess_12", "F", "strong")
    assert (fear.text, fear.emotions) == ("Dogs are sitting by the door", {"Fear": 1.0})
    assert (neutral.gender, neutral.level, neutral.emotions) == ("M", "normal", {})
    assert len(found) == 2


def test_nemo_reads_its_table_with_stray_spaces_and_quotes(tmp_path):
    found = read("nemo", tmp_path)
    surprised, neutral = found["WR0_surprised_64"], found["EB0_neutral_13"]
    assert (surprised.speaker, surprised.gender) == ("nemo_WR0", "M")
    assert surprised.emotions == {"Astonishment/Surprise": 1.0}
    assert neutral.text == '"Ród smoka" to serial.'


def test_laions_scripts_are_shared_by_voices_and_cut_clips_are_not_whole(tmp_path):
    first, second = read("laion_voice_acting", tmp_path).values()
    assert first.script == second.script == "awe|moderate, free"
    assert (first.level, first.text, first.gender) == ("moderate", None, None)
    assert (first.whole, second.whole) == (True, False)


def test_crema_d_says_what_was_acted_and_what_listeners_heard_in_the_voice(tmp_path):
    found = read("crema_d", tmp_path)
    angry, split, unheard = (
        found[stem] for stem in ("1001_DFA_ANG_XX", "1001_IWW_SAD_XX", "1002_IEO_HAP_HI")
    )
    assert (angry.speaker, angry.gender, angry.level) == ("crema_d_1001", "M", None)
    assert (angry.text, angry.label) == ("Don't forget a jacket.", "ang")
    assert angry.emotions == pytest.approx({"Anger": 0.473})
    assert angry.crowd["Anger"] == pytest.approx(6 / 9)
    assert angry.crowd["neutral"] == pytest.approx(1 / 9)
    assert angry.crowd["level"] == pytest.approx(0.546)
    assert split.emotions == pytest.approx({"Fear": 0.485 / 2})
    assert (unheard.label, unheard.level, unheard.gender) == ("hap", "high", "F")
    assert unheard.emotions == {}


def test_emov_db_takes_the_speaker_from_the_folder_and_the_words_from_arctic(tmp_path):
    found = read("emov_db", tmp_path)
    amused, sleepy = found["amused_1-15_0001"], found["sleepiness_1-28_0001"]
    assert (amused.speaker, amused.gender) == ("emov_db_bea", "F")
    assert amused.text == sleepy.text == "Author of the danger trail, Philip Steels, etc."
    assert amused.emotions == {"Amusement": 1.0}
    assert (sleepy.speaker, sleepy.gender) == ("emov_db_sam", "M")
    assert sleepy.emotions == {"Fatigue/Exhaustion": 1.0}


def test_esd_reads_both_languages_in_their_encodings(tmp_path):
    found = read("esd", tmp_path)
    mandarin, english, malformed = (
        found[stem] for stem in ("0001_000351", "0011_000001", "0011_000701")
    )
    assert (mandarin.speaker, mandarin.gender, mandarin.language) == ("esd_0001", "F", "zh")
    assert (mandarin.text, mandarin.label) == ("打远一看，它们的确很是美丽，", "angry")
    assert (english.speaker, english.gender, english.language) == ("esd_0011", "M", "en")
    assert (english.text, english.emotions) == ("The nine the eggs, I keep.", {})
    assert malformed.text is None
    assert malformed.script == english.script == "esd_en_001"
    assert mandarin.script == "esd_zh_001"


def test_expresso_reads_read_speech_and_cut_dialogues_and_skips_mere_styles(tmp_path):
    found = read("expresso", tmp_path)
    happy, default = found["ex01_happy_00001"], found["ex04_default_emphasis_00010"]
    assert (happy.speaker, happy.gender, happy.text) == ("expresso_ex01", "M", "It's a classic!")
    assert (default.gender, default.text, default.emotions) == ("F", "I did.", {})
    (dialogue,) = (u for u in found.values() if u.label == "sympathetic")
    assert (dialogue.speaker, dialogue.text) == ("expresso_ex03", None)
    assert dialogue.emotions == {"Affection": 1.0}
    assert len(found) == 3


def test_jl_corpus_reads_primary_and_secondary_emotions(tmp_path):
    found = read("jl_corpus", tmp_path)
    angry, sorry = found["male1_angry_1a_1"], found["female2_apologetic_10b_2"]
    assert (angry.speaker, angry.gender) == ("jl_corpus_male1", "M")
    assert (angry.text, angry.emotions) == ("Carl leaps into a jeep.", {"Anger": 1.0})
    assert (sorry.gender, sorry.emotions) == ("F", {"Shame": 0.5})
    assert angry.path.parent == tmp_path / JL


def test_emns_finds_converted_recordings_and_leaves_unfinished_rows_out(tmp_path):
    found = read("emns", tmp_path)
    assert set(found) == {"recorded_audio_a", "recorded_audio_b"}
    happy, neutral = found["recorded_audio_a"], found["recorded_audio_b"]
    assert (happy.speaker, happy.gender, happy.level) == ("emns_3", "F", "high")
    assert happy.text == 'It is the first game in the "Saints Row" series.'
    assert (neutral.level, neutral.emotions) == (None, {})
    assert happy.path == tmp_path / "wavs/recorded_audio_a.wav"


def test_got_talent_takes_voice_and_category_from_the_folder(tmp_path):
    found = read("got_talent", tmp_path)
    angry, awed = found["1"], found["7"]
    assert (angry.speaker, angry.gender, angry.language) == ("got_talent_alloy", "F", "en")
    assert (angry.label, angry.text, angry.level) == ("anger", "Get out!", "intense")
    assert (awed.speaker, awed.language, awed.text) == ("got_talent_verse", "de", "Oh!")
    assert awed.emotions == {"Awe": 1.0}
    assert len(found) == 2


@pytest.mark.parametrize(
    ("words", "category"),
    [
        ("disappointment_regret_and_dismay_vocalbursts_fixed", "Disappointment"),
        ("sexual_lust_and_desire", "Sexual Lust"),
        ("jealousy_&_envy", "Jealousy & Envy"),
        ("a_feeling_of_being_drunk", "Intoxication/Altered States of Consciousness"),
    ],
)
def test_a_folders_words_lead_to_their_category(words, category):
    assert folder_says(f"en_nova_intense_{words}")[2].name == category


def test_emonet_voice_averages_its_experts_and_masks_what_they_were_not_asked(tmp_path):
    pyarrow = pytest.importorskip("pyarrow", reason="the package pyarrow is not installed")
    from pyarrow import parquet

    sounds = [TONE.encode(".mp3"), Audio(TONE.samples[:700], 16000).encode(".mp3")]
    labels = [
        "[{'human-1': {'Impatience%20and%20Irritability': 2}}, "
        "{'human-4': {'Impatience%20and%20Irritability': 1}}]",
        "[{'human-2': {'Jealousy%20%26%20Envy': 0}}]",
        "[{'human-2': {'Arousal': 2}}]",
    ]
    audio = [
        {"bytes": sounds[0], "path": "0a1b2c3d_segment_1.mp3"},
        {"bytes": sounds[1], "path": "0a1b2c3d_segment_1.mp3"},
        {"bytes": sounds[0], "path": "ffffffff_segment_1.mp3"},
    ]
    shard = tmp_path / "data" / "train-00000-of-00001.parquet"
    shard.parent.mkdir()
    parquet.write_table(pyarrow.table({"audioId": audio, "label": labels}), shard)
    bench = corpus("emonet_voice", tmp_path)
    found = {u.label: u for u in bench}
    assert set(found) == {"impatience_and_irritability", "jealousy_and_envy"}
    impatient, unenvious = found["impatience_and_irritability"], found["jealousy_and_envy"]
    assert impatient.emotions == {"Impatience and Irritability": 0.75}
    assert impatient.crowd["raters"] == 1.0
    assert (impatient.crowd["human-1"], impatient.crowd["human-4"]) == (1.0, 0.5)
    assert unenvious.emotions == {"Jealousy & Envy": 0.0}
    assert bench.known(unenvious) == ("Jealousy & Envy",)
    assert impatient.script == unenvious.script == "emonet_voice_0a1b2c3d"
    assert impatient.path != unenvious.path
    assert impatient.path.read_bytes() == sounds[0]
    assert list(bench) == list(bench)

    labels[1] = "[{'human-2': {'Shame': 3}}]"
    parquet.write_table(pyarrow.table({"audioId": audio, "label": labels}), shard)
    with pytest.raises(InvalidInput, match=r"00001\.parquet row 2: .*'Shame': 3"):
        list(bench)
    shard.write_bytes(b"PAR1")
    with pytest.raises(InvalidInput, match="is not a file of EmoNet-Voice Bench") as caught:
        list(bench)
    assert "\n" not in str(caught.value)


def test_a_category_that_a_corpus_cannot_tell_is_masked(tmp_path):
    ravdess = corpus("ravdess", lay_out("ravdess", tmp_path))
    known = set(ravdess.known(next(iter(ravdess))))
    assert known == {
        "Anger",
        "Astonishment/Surprise",
        "Contentment",
        "Disgust",
        "Elation",
        "Fear",
        "Sadness",
    }
    assert "Disgust" not in CORPORA["nemo"].categories
    assert "Astonishment/Surprise" not in CORPORA["crema_d"].categories
    assert CORPORA["emov_db"].categories == ("Amusement", "Disgust", "Anger", "Fatigue/Exhaustion")
    assert CORPORA["laion_voice_acting"].categories == NAMES


def test_only_what_surely_allows_it_is_commercial():
    assert {name for name, kind in CORPORA.items() if kind.commercial} == {
        "emodb",
        "crema_d",
        "jl_corpus",
        "emns",
    }


def test_a_skipped_style_is_no_label():
    for name, kind in CORPORA.items():
        assert not kind.skipped & set(CORPUS_LABELS[name])


@pytest.mark.parametrize("name", CORPORA)
def test_another_folder_is_refused_with_the_place_to_download_it(name, tmp_path):
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(InvalidInput) as caught:
            corpus(name, folder)
        message = str(caught.value)
        assert CORPORA[name].link in message
        assert str(folder) in message
        assert CORPORA[name].layout[0] in message
        assert "\n" not in message


@pytest.mark.parametrize(
    ("name", "changes", "named"),
    [
        ("emodb", {"wav/03a01Xa.wav": None}, "03a01Xa.wav is not named as EmoDB"),
        ("emodb", {"wav/99a01Fa.wav": None}, "99a01Fa.wav is not named as EmoDB"),
        ("ravdess", {"Actor_01/03-01-09-01-01-01-01.wav": None}, "such as 03-01-06"),
        ("nemo", {"data.tsv": ...}, "holds no data.tsv"),
        ("nemo", {"data.tsv": NEMO.replace("emotion\t", "mood\t")}, "has no column emotion"),
        ("nemo", {"data.tsv": NEMO.replace("\tneutral", "\tnasty")}, "row 3: Unknown label"),
        ("nemo", {"data.tsv": NEMO.replace("\tfemale\t27", "")}, "row 3 does not have 7 cells"),
        ("nemo", {"data.tsv": b"\xe9\xff"}, "data.tsv is not text in utf-8-sig"),
        ("nemo", {"samples/EB0_neutral_13.wav": ...}, "row 3: the file .* is missing"),
        ("crema_d", {"VideoDemographics.csv": ...}, "holds no VideoDemographics.csv"),
        ("crema_d", {"AudioWAV/1003_DFA_ANG_XX.wav": None}, "lacks 1003"),
        ("crema_d", {"AudioWAV/1001_DFA_JOY_XX.wav": None}, "1001_DFA_JOY_XX.wav is not named"),
        (
            "crema_d",
            {"processedResults/tabulatedVotes.csv": VOTES.replace('"A",54', '"Q",54')},
            "row 2: 9 votes with the winner 'Q'",
        ),
        (
            "crema_d",
            {"processedResults/tabulatedVotes.csv": VOTES.replace("47.3", "473")},
            "row 2: meanAngerResp is '473'",
        ),
        ("emov_db", {"cmuarctic.data": ...}, "holds no cmuarctic.data"),
        ("emov_db", {"bea_Amused/bemused_1-15_0001.wav": None}, "Unknown label of emov_db"),
        ("emov_db", {"loose/amused_1-15_0001.wav": None}, "no folder above it names a speaker"),
        ("esd", {"0001/Bored/0001_000352.wav": None}, "Unknown label of esd 'bored'"),
        ("esd", {"0001/Angry/angry.wav": None}, "angry.wav is not named as ESD"),
        ("expresso", {"read_transcriptions.txt": ...}, "holds no read_transcriptions.txt"),
        ("expresso", {f"{READ}/ex01/x/ex01_eager_00001.wav": None}, "label of expresso 'eager'"),
        ("jl_corpus", {f"{JL}/male1_angry_1a_1.txt": ...}, "Cannot read .*male1_angry_1a_1.txt"),
        (
            "jl_corpus",
            {f"{JL}/male1_bored_1a_1.wav": None, f"{JL}/male1_bored_1a_1.txt": "A"},
            "bored",
        ),
        ("emns", {"metadata.csv": ...}, "holds no metadata.csv"),
        ("emns", {"metadata.csv": EMNS.replace("|Happy|", "|Merry|")}, "row 2: Unknown label"),
        ("emns", {"metadata.csv": EMNS.replace("|7|", "|high|")}, "row 2: level is 'high'"),
        ("emns", {"wavs/recorded_audio_a.wav": ...}, "row 2: .* is WebM"),
        ("emns", {"wavs/recorded_audio_b.wav": ...}, "row 3: the file .* is missing"),
        ("got_talent", {f"{TALENT}/1.json": "[]"}, "1.json is not a JSON object"),
        ("got_talent", {f"{TALENT}/1.json": ...}, "Cannot read .*1.json"),
        ("got_talent", {"english_alloy_intense_x/1.wav": None}, "alloy_intense_x is not named"),
        ("got_talent", {"english_bob_intense_awe/1.wav": None}, "bob_intense_awe is not named"),
        (
            "laion_voice_acting",
            {"manifest.csv": FILES["laion_voice_acting"]["manifest.csv"].replace(",awe,", ",aww,")},
            "row 2: Unknown label of laion_voice_acting 'aww'",
        ),
        (
            "laion_voice_acting",
            {"manifest.csv": FILES["laion_voice_acting"]["manifest.csv"].split("audio")[0]},
            "holds no utterance",
        ),
        ("emodb", {"manifest.csv": "path,speaker\n"}, "no column gender, .*, complete;"),
    ],
)
def test_what_is_broken_is_named_in_one_line(name, changes, named, tmp_path):
    with pytest.raises(UserError, match=named) as caught:
        read(name, tmp_path, changes)
    assert "\n" not in str(caught.value)


def test_an_unknown_corpus_is_refused(tmp_path):
    with pytest.raises(UnknownName, match="Did you mean 'crema_d'"):
        corpus("cremad", tmp_path)


def test_importing_the_corpora_is_light():
    program = (
        "import sys, training.corpora; "
        "assert not {'torch', 'numpy', 'soundfile', 'pyarrow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize(
    ("name", "count", "speakers", "scripts", "labels"),
    [
        ("emodb", 535, 10, 10, 7),
        ("ravdess", 1080, 18, 2, 8),
        ("nemo", 2566, 9, 90, 6),
        ("laion_voice_acting", 640, 4, 160, 40),
    ],
)
def test_the_corpora_on_hand_are_read_whole(name, count, speakers, scripts, labels):
    if not (SPEECH / name).is_dir():
        pytest.skip(f"{SPEECH / name} is not there")
    found = list(corpus(name, SPEECH / name))
    assert len(found) == count
    assert len({u.speaker for u in found}) == speakers
    assert len({u.script for u in found}) == scripts
    assert len({u.label for u in found}) == labels
    assert all(u.emotions or u.label == "neutral" for u in found)
    heard = {category for u in found for category in u.emotions}
    assert heard == set(CORPORA[name].categories)


@pytest.mark.parametrize("name", ["emodb", "ravdess"])
def test_names_of_files_say_what_the_manifest_on_hand_says(name, tmp_path):
    """The codes of the downloaded layout against a table that was made independently of them."""
    if not (SPEECH / name).is_dir():
        pytest.skip(f"{SPEECH / name} is not there")
    place = {"emodb": "wav", "ravdess": "Actor_01"}[name]
    (tmp_path / place).mkdir()
    stated = {u.path.stem: u for u in corpus(name, SPEECH / name)}
    for stem in stated:
        (tmp_path / place / f"{stem}.wav").touch()
    decoded = {u.path.stem: u for u in corpus(name, tmp_path)}
    assert set(decoded) == set(stated)
    for stem, u in decoded.items():
        for field in ("speaker", "gender", "language", "text", "label", "emotions", "level"):
            assert getattr(u, field) == getattr(stated[stem], field), (stem, field)


def test_emodb_on_hand_knows_cut_clips_and_listeners():
    if not (SPEECH / "emodb").is_dir():
        pytest.skip(f"{SPEECH / 'emodb'} is not there")
    found = list(corpus("emodb", SPEECH / "emodb"))
    assert Counter(u.whole for u in found) == {True: 445, False: 90}
    assert min(u.crowd["recognised"] for u in found) == 0.8
    assert {u.text for u in found} == set(SENTENCES.values())
