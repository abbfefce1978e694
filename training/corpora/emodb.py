"""EmoDB: ten German actors, ten sentences, seven emotions, listeners' recognition rates.

Layout: `wav/03a01Fa.wav` (speaker, sentence, emotion, version), as the corpus's own pages describe
it and as the 535 names on hand agree with. Licence: CC0 by audEERING's datacard; the corpus's own
pages state none that we have seen.
"""

from __future__ import annotations

import re

from .base import Corpus, number

SENTENCES = {
    "a01": "Der Lappen liegt auf dem Eisschrank.",
    "a02": "Das will sie am Mittwoch abgeben.",
    "a04": "Heute abend könnte ich es ihm sagen.",
    "a05": "Das schwarze Stück Papier befindet sich da oben neben dem Holzstück.",
    "a07": "In sieben Stunden wird es soweit sein.",
    "b01": "Was sind denn das für Tüten, die da unter dem Tisch stehen?",
    "b02": "Sie haben es gerade hochgetragen und jetzt gehen sie wieder runter.",
    "b03": "An den Wochenenden bin ich jetzt immer nach Hause gefahren und habe Agnes besucht.",
    "b09": "Ich will das eben wegbringen und dann mit Karl was trinken gehen.",
    "b10": "Die wird auf dem Platz sein, wo wir sie immer hinlegen.",
}
# Wut, Langeweile, Ekel, Angst, Freude, Trauer, neutral.
EMOTIONS = {
    "W": "anger",
    "L": "boredom",
    "E": "disgust",
    "A": "fear",
    "F": "happiness",
    "T": "sadness",
    "N": "neutral",
}
MEN = {"03", "10", "11", "12", "15"}


class EmoDB(Corpus):
    """`crowd`: "recognised" and "natural", the shares of 20 listeners; in the manifest only."""

    name = "emodb"
    title = "EmoDB"
    licence = "CC0-1.0"
    commercial = True
    link = "http://emodb.bilderbar.info/download/"
    languages = ("de",)
    layout = ("wav/*.wav",)
    prepared = True
    columns = ("recognised_pct", "natural_pct", "complete")
    stem = re.compile(r"(03|08|09|1[0-6])([ab]\d\d)([WLEAFTN])([a-z])")
    example = "03a01Fa.wav"

    def _downloaded(self):
        for path in self._files("wav/*.wav"):
            speaker, sentence, emotion, _ = self._parts(path)
            yield self._utterance(
                path,
                speaker=speaker,
                gender="m" if speaker in MEN else "f",
                text=SENTENCES.get(sentence),
                label=EMOTIONS[emotion],
            )

    def _details(self, where, row):
        crowd = {
            "recognised": number(where, row, "recognised_pct", 100) / 100,
            "natural": number(where, row, "natural_pct", 100) / 100,
        }
        return {"whole": row["complete"] == "yes", "crowd": crowd}
