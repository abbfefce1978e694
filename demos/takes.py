"""Takes on the table in Act and on the shelf beside it, as the page shows them."""

from __future__ import annotations

import math
import secrets
from dataclasses import asdict, dataclass, field, replace
from html import escape
from typing import NamedTuple

import gradio as gr

from conditioning.emotion import EmotionVector
from conditioning.errors import InvalidInput
from voice_actor.audition import Take
from voice_actor.performance import Performance

from . import pictures
from .controls import own_control
from .room import Visitor, file_name, to_bytes, withdraw

# A score is 1 where just what was asked is heard and 0 where nothing of it is; our judgement.
CLOSENESS = (0.5, "very close"), (0.25, "close"), (0.0, "partly there")
FAR = "little of it heard"


def take_table() -> gr.HTML:
    """The table and the shelf on the page; the value is `Table.to_json`.

    Its events are "keep" and "drop", each with the `id` of a card.
    """
    return own_control("takes", '<div class="va-take-table"></div>', Table().to_json(), "Takes")


@dataclass(frozen=True)
class Card:
    """One take as it is shown; texts are plain.

    Attributes:
        id: no other card has it, of whatever visit.
        name: of its files, without what tells the format.
        neutral: address of the voice's own reading, for comparison; "" until there is one.
        pictures, score: HTML, and words with a number; "" until the take has been heard.
        reason: the score's, in words.
    """

    id: str
    title: str
    name: str
    text: str
    direction: str
    voice: str
    duration: float
    wav: str
    ogg: str
    json: str
    pictures: str = ""
    neutral: str = ""
    score: str = ""
    reason: str = ""

    @property
    def files(self) -> tuple[str, ...]:
        return self.wav, self.ogg, self.json, self.neutral


@dataclass(eq=False)
class Table:
    """What lies on one visitor's table, and on the shelf of what they kept.

    Attributes:
        turn: counts what was asked; whoever works for an earlier turn stops.
        asked: what was asked last; None before anything was.
        status: what is being done, in words; "" when nothing is.
        share: how much of it is done, 0 to 1; None where that is not known.
        hearing: the id of the card that is being listened to, if one is.
        best: the id of the best card, once there is one.
        sample: the voice that introduced itself last, and its address; None before any did.
        own: what the words alone ask, as the sliders showed it last; None before they did.
    """

    turn: int = 0
    asked: NamedTuple | None = None
    status: str = ""
    share: float | None = None
    hearing: str | None = None
    cards: list[Card] = field(default_factory=list)
    kept: list[Card] = field(default_factory=list)
    best: str | None = None
    sample: tuple[str, str] | None = None
    own: EmotionVector | None = None

    def begin(self, asked: NamedTuple) -> int:
        """A new turn, by its number."""
        self.turn, self.asked = self.turn + 1, asked
        return self.turn

    def stop(self, status: str = "") -> None:
        """Whoever works for the table stops at the next phrase."""
        self.turn += 1
        self.tell(status)

    def tell(
        self, status: str = "", share: float | None = None, hearing: str | None = None
    ) -> None:
        self.status, self.share, self.hearing = status, share, hearing

    def clear(self) -> None:
        """Takes every card off the table; what was not kept is deleted."""
        cards, self.cards, self.best = self.cards, [], None
        self.discard(*cards)

    def lay(self, card: Card) -> None:
        """Lays a card on the table; one that lies there or on the shelf under its id changes."""
        before = next((other for other in self.cards if other.id == card.id), None)
        if before is not None:
            self.cards = [card if other.id == card.id else other for other in self.cards]
        else:
            self.cards.append(card)
        self.kept = [card if other.id == card.id else other for other in self.kept]
        if before is not None:
            self.discard(before)

    def keep(self, id: str) -> None:
        """Puts a take on the shelf, where it survives further speaking.

        Raises:
            InvalidInput: no such take is on the table.
        """
        card = next((card for card in self.cards if card.id == id), None)
        if card is None:
            raise InvalidInput("That take is no longer on the table; keep one of those shown.")
        if card not in self.kept:
            self.kept.append(card)

    def drop(self, id: str) -> None:
        """Takes a card off the shelf; its files are deleted unless it is still on the table."""
        dropped = [card for card in self.kept if card.id == id]
        self.kept = [card for card in self.kept if card.id != id]
        self.discard(*dropped)

    def discard(self, *cards: Card) -> None:
        """Deletes the files of cards, except for those that a card in sight has too."""
        shown = {url for card in (*self.cards, *self.kept) for url in card.files}
        for url in {url for card in cards for url in card.files} - shown - {""}:
            withdraw(url)

    def to_json(self) -> dict:
        """Ready for the page."""
        return {
            "status": self.status,
            "share": self.share,
            "hearing": self.hearing,
            "takes": [asdict(card) for card in self.cards],
            "kept": [asdict(card) for card in self.kept],
            "best": self.best,
        }


def table_of(visitor: Visitor) -> Table:
    return visitor.desk.setdefault("act", Table())


def spoken(visitor: Visitor, performance: Performance, number: int, direction: str) -> Card:
    """The card of a take that was spoken and not yet heard; it can be played at once."""
    name = f"{file_name(performance.text)}-take-{number + 1}"
    files = visitor.publish_performance(performance, name)
    return Card(
        id=secrets.token_hex(4),
        title=f"Take {number + 1}",
        name=name,
        text=performance.text,
        direction=direction,
        voice=performance.voice,
        duration=round(performance.audio.duration, 2),
        **files._asdict(),
    )


def heard(visitor: Visitor, card: Card, take: Take, neutral: Performance, own: str) -> Card:
    """The same card with what was heard, and the voice's own reading at the address `own`."""
    return replace(
        card,
        json=visitor.publish(f"{card.name}.json", to_bytes(take.to_json())),
        pictures=_pictures(take, neutral),
        neutral=own,
        score=f"{closeness(take.score)} ({take.score:.2f})",
        reason=take.reason,
    )


def closeness(score: float) -> str:
    """A score in words."""
    return next((words for least, words in CLOSENESS if score >= least), FAR)


def published(visitor: Visitor, performance: Performance) -> str:
    """The address of a performance that is only to be listened to."""
    return visitor.publish(f"{file_name(performance.text)}.wav", performance.encode())


def player(url: str, name: str) -> str:
    """HTML: plays at once."""
    return f'<audio controls autoplay src="{escape(url)}" aria-label="{escape(name)}"></audio>'


def _pictures(take: Take, neutral: Performance) -> str:
    performance, heard = take.performance, take.heard
    audio, words, curve = performance.audio, performance.words, performance.direction.curve
    if len(heard) > 1:
        asked = pictures.asked_by_second(curve, performance.text, words)
        chart = pictures.course(words, asked, heard, audio.duration)
    else:
        chart = pictures.asked_and_heard(curve.mean(), heard[0])
    return f"<div>{pictures.waveform(audio, words, neutral.audio)}</div><div>{chart}</div>"


def heard_place(take: Take) -> tuple[float, float] | None:
    """Mean valence and arousal that were heard; None where the estimator does not say."""
    known = [
        (estimate.valence, estimate.arousal)
        for estimate in take.heard
        if math.isfinite(estimate.valence) and math.isfinite(estimate.arousal)
    ]
    if not known:
        return None
    valence, arousal = (sum(axis) / len(known) for axis in zip(*known, strict=True))
    return valence, arousal
