"""The corpora of acted speech that we can read: `corpus(name, folder)` gives its utterances."""

from __future__ import annotations

from pathlib import Path

from conditioning.errors import unknown_name

from .base import Corpus, Utterance
from .crema_d import CremaD
from .emns import Emns
from .emodb import EmoDB
from .emonet_voice import EmoNetVoice
from .emov_db import EmoVDB
from .esd import Esd
from .expresso import Expresso
from .got_talent import GotTalent
from .jl_corpus import JLCorpus
from .laion_voice_acting import LaionVoiceActing
from .nemo import Nemo
from .ravdess import Ravdess

__all__ = ["CORPORA", "Corpus", "Utterance", "corpus"]

CORPORA: dict[str, type[Corpus]] = {
    kind.name: kind
    for kind in (
        EmoDB,
        Ravdess,
        Nemo,
        LaionVoiceActing,
        CremaD,
        EmoVDB,
        Esd,
        Expresso,
        JLCorpus,
        Emns,
        GotTalent,
        EmoNetVoice,
    )
}


def corpus(name: str, folder: str | Path) -> Corpus:
    """The corpus of that name in a folder.

    Raises:
        UnknownName: not one of `CORPORA`.
        InvalidInput: the folder does not look like it.
    """
    if name not in CORPORA:
        raise unknown_name("corpus", name, CORPORA)
    return CORPORA[name](folder)
