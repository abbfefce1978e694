"""CREMA-D: 91 actors, twelve sentences, six emotions, and what listeners heard in each voice.

Layout: `AudioWAV/1001_DFA_ANG_XX.wav` (actor, sentence, emotion, level), `VideoDemographics.csv`
and `processedResults/tabulatedVotes.csv` of github.com/CheyneyComputerScience/CREMA-D, where we
read both tables. `tabulatedVotes.csv` says all that `summaryTable.csv` does (its winning emotions
and their levels agree row by row where we looked) and the votes that lost besides; its rows 1xxxxx
are the ratings of the voice alone. Licence: Open Database License (contents: Database Contents
License); credit and share-alike for the database itself.
"""

from __future__ import annotations

import re

from conditioning.errors import InvalidInput
from conditioning.files import shown
from conditioning.taxonomy import corpus_label

from .base import Corpus, number, table

SENTENCES = {
    "IEO": "It's eleven o'clock.",
    "TIE": "That is exactly what happened.",
    "IOM": "I'm on my way to the meeting.",
    "IWW": "I wonder what this is about.",
    "TAI": "The airplane is almost full.",
    "MTI": "Maybe tomorrow it will be cold.",
    "IWL": "I would like a new alarm clock.",
    "ITH": "I think I have a doctor's appointment.",
    "DFA": "Don't forget a jacket.",
    "ITS": "I think I've seen this before.",
    "TSI": "The surface is slick.",
    "WSI": "We'll stop in a couple of minutes.",
}
LEVELS = {"LO": "low", "MD": "medium", "HI": "high", "XX": None}
# What a vote says -> our label, and the column with the mean level of its voters.
VOTES = {
    "A": ("ang", "meanAngerResp"),
    "D": ("dis", "meanDisgustResp"),
    "F": ("fea", "meanFearResp"),
    "H": ("hap", "meanHappyResp"),
    "N": ("neu", "meanNeutralResp"),
    "S": ("sad", "meanSadResp"),
}
SILENT = "1076_MTI_SAD_XX"


class CremaD(Corpus):
    """`label` and `level` are what was acted, `emotions` what most listeners heard in the voice.

    A category's intensity is the mean level (0 to 100 in the table) that its voters gave, divided
    among the winners where several won. `crowd`: the share of votes for each category and for
    "neutral", and "level", the mean of all levels.
    """

    name = "crema_d"
    title = "CREMA-D"
    licence = "ODbL-1.0"
    commercial = True
    link = "https://github.com/CheyneyComputerScience/CREMA-D"
    languages = ("en",)
    layout = ("AudioWAV/*.wav", "VideoDemographics.csv", "processedResults/tabulatedVotes.csv")
    stem = re.compile(
        rf"(1\d{{3}})_({'|'.join(SENTENCES)})_(ANG|DIS|FEA|HAP|NEU|SAD)_({'|'.join(LEVELS)})"
    )
    example = "1001_DFA_ANG_XX.wav"

    def _downloaded(self):
        demographics = table(self.folder / "VideoDemographics.csv", ["ActorID", "Sex"])
        gender = {row["ActorID"]: row["Sex"] for _, row in demographics}
        heard = dict(self._heard())
        for path in self._files("AudioWAV/*.wav"):
            actor, sentence, emotion, level = self._parts(path)
            try:
                sex, (emotions, crowd) = gender[actor], heard[path.stem]
            except KeyError as error:
                raise InvalidInput(
                    f"{shown(path)}: VideoDemographics.csv or tabulatedVotes.csv lacks "
                    f"{error.args[0]}; download both from {self.link}."
                ) from None
            yield self._utterance(
                path,
                speaker=actor,
                gender=sex,
                text=SENTENCES[sentence],
                label=emotion,
                level=LEVELS[level],
                emotions=emotions,
                crowd=crowd,
                whole=path.stem != SILENT,
            )

    def _heard(self):
        """(name of the clip, (emotions, crowd)) for each rating of a voice alone."""
        means = [mean for _, mean in VOTES.values()]
        columns = ["", *VOTES, "fileName", "emoVote", "meanEmoResp", *means]
        file = self.folder / "processedResults" / "tabulatedVotes.csv"
        for where, row in table(file, columns):
            if not re.fullmatch(r"1\d{5}", row[""]):
                continue
            winners = row["emoVote"].split(":")
            total = sum(number(where, row, vote) for vote in VOTES)
            if not total or not set(winners) <= set(VOTES):
                raise InvalidInput(
                    f"{where}: {total:g} votes with the winner {row['emoVote']!r} cannot be; "
                    f"download the table again from {self.link}."
                )
            emotions, crowd = {}, {"level": number(where, row, "meanEmoResp", 100) / 100}
            for vote, (label, mean) in VOTES.items():
                category = next(iter(corpus_label(self.name, label)), "neutral")
                crowd[category] = number(where, row, vote) / total
                if vote in winners and vote != "N":
                    emotions[category] = number(where, row, mean, 100) / 100 / len(winners)
            yield row["fileName"], (emotions, crowd)
