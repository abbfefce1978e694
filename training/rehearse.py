"""Closed loop: the adapter's table is searched until two listeners hear what was asked.

    python -m training rehearse --speech FOLDER -o FOLDER --minutes 60

A reading costs about two CPU-seconds and tells something about every emotion, so that all are kept:
a surrogate learns from them what each control does to what is heard, to the speaker's identity and
to quality; it proposes the next readings, of every emotion in turn, and they are spoken and heard.
Every reading is written down at once (rehearsals.jsonl): stopped and started again, it goes on.

Letters in shapes: N readings, K controls that are searched, R roles (eight emotions and neutral).
"""

from __future__ import annotations

import argparse
import io
import json
import math
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from conditioning.errors import InvalidInput
from conditioning.files import write_whole
from conditioning.taxonomy import INDEX
from voice_actor.acting import CONTROLS, Acting
from voice_actor.adapter import GROUPS, LEVELS, LIMITS, with_contours
from voice_actor.backbone import Reading
from voice_actor.contours import Contours
from voice_actor.voices import accent_of

from .instruments import Instruments
from .listeners import ROLES, STANDS_FOR, EncoderListener, ProsodyListener, quantities
from .notebook import Notebook, packed, processes, run_folder, unpacked
from .precision import HalfPrecision
from .protocol import FULL, carriers
from .seed import measured_changes

# Never those of `protocol.EVALUATED`.
VOICES = {
    "women": ("af_heart", "af_sarah", "af_sky", "bf_lily"),
    "men": ("am_adam", "am_fenrir", "am_onyx", "bm_daniel"),
}

# The listeners hear no level. Contours are the network's; their share is searched, as the last of
# the controls, but not below a half: listeners that hear a line as a whole would drop what acted
# speech taught of its parts. A row stands for intensity 0.8, so that 1 has room left inside the
# limits.
SHARE, SHARES = "contours", (0.5, 1.5)
SEARCHED = (
    *(
        name
        for name in CONTROLS
        if name not in ("level", "f0_contour", "level_contour", "voiceless")
    ),
    SHARE,
)
BOX = np.array([*(FULL * np.array([LIMITS[name] for name in SEARCHED[:-1]])), SHARES])
REACH = np.abs(BOX).max(axis=1)  # natural units -> about [-1, 1]

# What a unit of speaker cosine is worth. One price for all emotions spends what identity may be
# lost on average where it buys the most; this one keeps about 0.9.
IDENTITY = 14.0
LOSS = 0.2  # DNSMOS that may be lost
FLOOR = -5.0  # of a log-probability: one listener's refusal must not decide alone
# Of the log-odds, beside the log-probability: what is sure already may become plainer still, since
# other ears than these will listen.
PLAINER = 0.35
# Of the encoder's word on an emotion that it takes for others; the other listener has the rest.
SECOND_HAND = 0.5


@dataclass(frozen=True)
class Task:
    """One reading to make: `controls` (K,) in natural units, None for the own reading."""

    role: str | None
    voice: str
    text: str
    controls: tuple[float, ...] | None


@dataclass(frozen=True, eq=False)
class Rehearsal:
    """A reading, and what instruments found in it.

    Attributes:
        task: what was made.
        encoder: the first listener's features (D,).
        prosody: the second's quantities (9,).
        speaker: unit vector (256,) of who speaks.
        quality: DNSMOS, overall; nan where it was not measured.
    """

    task: Task
    encoder: np.ndarray
    prosody: np.ndarray
    speaker: np.ndarray
    quality: float

    def to_json(self) -> str:
        return json.dumps(
            {
                "task": list(vars(self.task).values()),
                "encoder": packed(self.encoder),
                "prosody": [round(float(x), 4) for x in self.prosody],
                "speaker": [round(float(x), 4) for x in self.speaker],
                "quality": round(self.quality, 4),
            }
        )

    @classmethod
    def from_json(cls, line: str) -> Rehearsal:
        row = json.loads(line)
        role, voice, text, controls = row["task"]
        return cls(
            Task(role, voice, text, tuple(controls) if controls else None),
            unpacked(row["encoder"]),
            np.array(row["prosody"]),
            np.array(row["speaker"]),
            row["quality"],
        )


class Stage:
    """A process's actor and instruments, and the contours that it acts with."""

    def __init__(self, contours: Contours | None = None):
        import torch

        from voice_actor import VoiceActor

        torch.set_num_threads(1)
        self.actor = VoiceActor.load()
        self.actor.backbone = HalfPrecision(self.actor.backbone)
        self.listener = EncoderListener.load()
        self.instruments = Instruments()
        self.contours = contours

    def acting(self, task: Task, reading: Reading) -> Acting:
        """What the task asks of a reading, as the adapter will when the row is in its table."""
        import torch

        length = len(reading.phrase.phonemes) + 2
        named = dict(zip(SEARCHED, task.controls or (0.0,) * len(SEARCHED), strict=True))
        share = named.pop(SHARE)
        acting = Acting.of(length, **named)
        if not share or task.role not in INDEX or self.contours is None:
            return acting
        emotions = torch.zeros(length, len(INDEX))
        emotions[:, INDEX[task.role]] = FULL * share
        return with_contours(acting, self.contours, emotions, reading)

    def rehearse(self, task: Task) -> Rehearsal:
        """Speaks and listens."""
        import torch

        from conditioning import prosody
        from voice_actor.phonemes import phonemize

        (phrase,) = phonemize(task.text, accent_of(task.voice))
        with torch.inference_mode():
            backbone = self.actor.backbone
            style = backbone.style(task.voice, len(phrase.phonemes))
            reading = backbone.read(phrase, style)
            plan = self.actor.enact(reading, self.acting(task, reading))
            audio = self.actor.render(plan)
        low = audio.resample(16_000)
        return Rehearsal(
            task,
            self.listener.features(low),
            quantities(prosody.functionals(prosody.measure(low))),
            self.instruments.speaker(low),
            self.instruments.dnsmos(low) if rated(task) else math.nan,
        )


def rated(task: Task) -> bool:
    """Whether quality is measured: DNSMOS costs as much as half a reading, and a third will do."""
    return task.controls is None or zlib.crc32(repr(task.controls).encode()) % 3 == 0


_stage: Stage | None = None


def _open_stage(contours: str | None) -> None:
    global _stage
    _stage = Stage(Contours.load(contours) if contours else None)


def _rehearse(task: Task) -> Rehearsal:
    return _stage.rehearse(task)


class Rehearsals(Notebook[Rehearsal]):
    """All readings so far."""

    def __init__(self, file: Path):
        super().__init__(file, Rehearsal)

    def neutral(self, task: Task) -> Rehearsal | None:
        """The own reading of the same words in the same voice."""
        return self.find(Task(None, task.voice, task.text, None))

    @property
    def acted(self) -> list[Rehearsal]:
        return [
            row for row in self.rows if row.task.controls is not None and self.neutral(row.task)
        ]


def group_of(voice: str) -> str:
    return "women" if voice[1] == "f" else "men"


@dataclass(frozen=True, eq=False)
class Heard:
    """What was, or would be, heard of readings.

    Attributes:
        encoder: logits of the first listener's classes (N, C).
        prosody: changes of the second's quantities from neutral (N, 9).
        cosine: to the same words read in neutral (N,).
        loss: DNSMOS lost against neutral (N,); nan where it was not measured.
    """

    encoder: np.ndarray
    prosody: np.ndarray
    cosine: np.ndarray
    loss: np.ndarray


class Surrogate:
    """Kernel ridge regression from controls and voice group to what is heard.

    Lines, a parabola for each control (far from neutral, a voice is its own no more) and a Gaussian
    kernel for the rest, whose width and noise are those with the least error when each reading is
    left out, in closed form.
    """

    def __init__(self, inputs: np.ndarray, outputs: np.ndarray):
        """inputs (N, K + 1), about [-1, 1]; outputs (N, O)."""
        self._inputs = inputs
        self._mean, self._std = outputs.mean(0), outputs.std(0) + 1e-6
        standard = (outputs - self._mean) / self._std
        best = np.inf
        for width in (1.5, 2.5, 4.0):
            kernel = self._kernel(inputs, inputs, width)
            for noise in (0.5, 1.0, 2.0, 4.0):
                inverse = np.linalg.inv(kernel + noise * np.eye(len(kernel)))
                weights = inverse @ standard
                error = float(np.mean(np.square(weights / np.diag(inverse)[:, None])))
                if error < best:
                    best, self._width, self._weights = error, width, weights
        self.explained = 1 - best

    @staticmethod
    def _kernel(left: np.ndarray, right: np.ndarray, width: float) -> np.ndarray:
        inner = left @ right.T
        squares = np.square(left).sum(1)[:, None] + np.square(right).sum(1)[None] - 2 * inner
        parabolas = np.square(left) @ np.square(right).T
        return inner + parabolas + np.exp(-squares / (2 * width**2))

    def __call__(self, inputs: np.ndarray) -> np.ndarray:
        """(N, K + 1) -> (N, O)."""
        kernel = self._kernel(inputs, self._inputs, self._width)
        return kernel @ self._weights * self._std + self._mean


class Forecast:
    """What will be heard of controls: surrogates learnt from readings."""

    def __init__(self, inputs: np.ndarray, heard: Heard):
        self._classes = heard.encoder.shape[1]
        stacked = np.column_stack([heard.encoder, heard.prosody, heard.cosine])
        self._heard = Surrogate(inputs, stacked)
        known = np.isfinite(heard.loss)
        self._loss = Surrogate(inputs[known], heard.loss[known, None])

    def __call__(self, inputs: np.ndarray) -> Heard:
        """(N, K + 1) -> N readings that were not made."""
        found = self._heard(inputs)
        encoder, prosody = np.split(found[:, :-1], [self._classes], axis=1)
        return Heard(encoder, prosody, found[:, -1], self._loss(inputs)[:, 0])


class Coach:
    """Turns rehearsals into the next proposals."""

    POPULATION, ROUNDS = 300, 25

    def __init__(
        self,
        notebook: Rehearsals,
        encoder: EncoderListener,
        prosody: ProsodyListener,
        seed: int = 0,
    ):
        self.notebook, self.encoder, self.prosody = notebook, encoder, prosody
        self.chance = np.random.default_rng(seed + len(notebook.rows))
        changes = measured_changes(Path(__file__).parent / "acoustics")
        self.seeds = {
            role: self._bounded(
                np.array([FULL * changes.get(role, {}).get(name, 0.0) for name in SEARCHED])
            )
            for role in ROLES
        }

    @staticmethod
    def _bounded(controls: np.ndarray, role: str = "") -> np.ndarray:
        """Within the box; neutral has no contours."""
        bounded = np.clip(controls, BOX[:, 0], BOX[:, 1])
        if role == ROLES[-1]:
            bounded[..., -1] = 0
        return bounded

    def heard(self, rows: Sequence[Rehearsal]) -> Heard:
        """What is known of rehearsals, each against its voice's takes and its own neutral."""
        logits = np.zeros((len(rows), len(self.encoder.classes)))
        for voice in {row.task.voice for row in rows}:
            mine = [place for place, row in enumerate(rows) if row.task.voice == voice]
            features = np.stack([rows[place].encoder for place in mine])
            logits[mine] = self.encoder.logits(features, self._takes(voice))
        neutral = [self.notebook.neutral(row.task) for row in rows]
        pairs = list(zip(rows, neutral, strict=True))
        return Heard(
            logits,
            np.stack([row.prosody - own.prosody for row, own in pairs]),
            np.array([row.speaker @ own.speaker for row, own in pairs]),
            np.array([own.quality - row.quality for row, own in pairs]),
        )

    def _takes(self, voice: str) -> np.ndarray:
        """The voice's habits are those of its latest takes, as many of each emotion."""
        latest: dict[str, list[np.ndarray]] = {role: [] for role in ROLES}
        for row in reversed(self.notebook.rows):
            role = row.task.role or ROLES[-1]
            if row.task.voice == voice and len(latest[role]) < 6:
                latest[role].append(row.encoder)
        return np.stack([features for some in latest.values() for features in some])

    def inputs(
        self, controls: np.ndarray, group: str | Sequence[str], role: str | Sequence[str]
    ) -> np.ndarray:
        """(N, K + R) for the surrogate: controls in units of their reach, the group, and the share
        of the contours in a column of its own for each role, since each has others."""
        groups, roles = (
            np.array([each] * len(controls) if isinstance(each, str) else each)
            for each in (group, role)
        )
        share = controls[:, -1:] / REACH[-1] * (roles[:, None] == np.array(ROLES))
        known = controls[:, :-1] / REACH[:-1]
        return np.column_stack([known, np.where(groups == "men", 0.5, -0.5), share])

    def merit(self, heard: Heard, role: str, controls: np.ndarray) -> np.ndarray:
        """How good readings are for a role (N,): heard by both, by the same voice, well made."""
        column = ROLES.index(role)
        merit = np.zeros(len(heard.cosine))
        share = SECOND_HAND if role in STANDS_FOR else 1.0
        ears = self.encoder.roles(heard.encoder), self.prosody.roles(heard.prosody)
        for found, weight in zip(ears, (share, 2 - share), strict=True):
            log = np.minimum(found[:, column], -1e-3)
            odds = log - np.log1p(-np.exp(log))
            merit += weight * (np.maximum(log, FLOOR) + PLAINER * np.clip(odds, -4, 4))
        merit -= IDENTITY * (1 - heard.cosine)
        merit -= 3 * np.maximum(0, np.nan_to_num(heard.loss) - LOSS)
        return merit - 0.05 * np.square(controls / REACH).sum(axis=1)

    @cached_property
    def forecast(self) -> Forecast:
        return self._fit(self.notebook.acted)

    def _fit(self, acted: Sequence[Rehearsal]) -> Forecast:
        own = [row for row in self.notebook.rows if row.task.controls is None]
        rows = [*acted, *own]
        controls = np.array([row.task.controls or np.zeros(len(SEARCHED)) for row in rows])
        groups = [group_of(row.task.voice) for row in rows]
        roles = [row.task.role or ROLES[-1] for row in rows]
        return Forecast(self.inputs(controls, groups, roles), self.heard(rows))

    def best(self, role: str, group: str, forecast: Forecast, others: int = 0) -> np.ndarray:
        """The controls (K,) that the forecast thinks best, by evolution from several starts.

        Args:
            others: 0 for the best of all, 1 for a start of its own, and so on.
        """
        known = [
            self._bounded(np.array(row.task.controls), role)
            for row in self.notebook.acted
            if row.task.role == role
        ]
        starts = [self.seeds[role], *known[-8:]]
        if others:
            starts = [starts[self.chance.integers(len(starts))]]
        spread = BOX[:, 1] - BOX[:, 0]
        elite = np.stack(starts)
        for turn in range(self.ROUNDS):
            step = 0.15 * 0.88**turn
            noise = self.chance.standard_normal((self.POPULATION, len(SEARCHED)))
            noise *= self.chance.random(noise.shape) < 0.4
            parents = elite[self.chance.integers(len(elite), size=self.POPULATION)]
            crowd = self._bounded(parents + step * spread * noise, role)
            crowd = np.concatenate([elite, crowd])
            order = np.argsort(-self.merit(forecast(self.inputs(crowd, group, role)), role, crowd))
            elite = crowd[order[:12]]
        return elite[0]

    def candidates(self, role: str, group: str) -> list[np.ndarray]:
        """Three rows (K,) worth a closer look."""
        acted = self.notebook.acted
        half = self.chance.permutation(len(acted))[: 2 * len(acted) // 3]
        found = [
            self.best(role, group, forecast)
            for forecast in (self.forecast, self._fit([acted[place] for place in half]))
        ]
        # What one reading of theirs gave, the surrogate smooths with its neighbours'.
        mine = [row for row in acted if row.task.role == role and group_of(row.task.voice) == group]
        controls = self._bounded(np.array([row.task.controls for row in mine]), role)
        expected = self.forecast(self.inputs(controls, group, role))
        both = self.merit(expected, role, controls) + 0.3 * self.merit(
            self.heard(mine), role, controls
        )
        return [*found, controls[int(both.argmax())]]

    def odds(self, role: str, rows: Sequence[Rehearsal]) -> float:
        """Log-odds of a role against neutral, mean of both listeners and the rows."""
        heard, column = self.heard(rows), ROLES.index(role)
        ears = self.encoder.roles(heard.encoder), self.prosody.roles(heard.prosody)
        return float(np.mean([(ear[:, column] - ear[:, -1]).mean() for ear in ears]))

    def proposals(self) -> list[Task]:
        """The next readings: three of each role and group."""
        self.__dict__.pop("forecast", None)
        acted = self.notebook.acted
        texts = carriers("search")
        spread = BOX[:, 1] - BOX[:, 0]
        few = len(acted) < 300
        if not few:
            half = self.chance.permutation(len(acted))[: 2 * len(acted) // 3]
            doubter = self._fit([acted[place] for place in half])
        tasks = []
        for role in ROLES:
            for group in GROUPS:
                if few:
                    about = self.seeds[role]
                    wide = 0.18 * spread * self.chance.standard_normal((3, len(SEARCHED)))
                    found = [self._bounded(about + row, role) for row in wide]
                else:
                    sure = self.best(role, group, self.forecast)
                    nudge = 0.05 * spread * self.chance.standard_normal(len(SEARCHED))
                    other = self.best(role, group, doubter, others=1)
                    found = [sure, self._bounded(sure + nudge, role), other]
                for controls in found:
                    voice = self.chance.choice(VOICES[group])
                    text = self.chance.choice(texts)
                    tasks.append(Task(role, str(voice), str(text), tuple(map(float, controls))))
        self.chance.shuffle(tasks)
        return tasks


def neutral_tasks(section: str) -> list[Task]:
    return [
        Task(None, voice, text, None)
        for voices in VOICES.values()
        for voice in voices
        for text in carriers(section)
    ]


def report(coach: Coach, since: int) -> str:
    """How the latest readings did."""
    rows = [row for row in coach.notebook.rows[since:] if row.task.controls is not None]
    heard = coach.heard(rows)
    ears = coach.encoder.roles(heard.encoder), coach.prosody.roles(heard.prosody)
    asked = np.array([ROLES.index(row.task.role) for row in rows])
    sure = [
        " ".join(f"{np.exp(found[asked == k, k]).mean():.2f}" for k in range(len(ROLES)))
        for found in ears
    ]
    return (
        f"{len(coach.notebook.rows)} readings; probability by encoder {sure[0]}, by prosody "
        f"{sure[1]}; cosine {heard.cosine.mean():.3f}, DNSMOS lost {np.nanmean(heard.loss):.2f}"
    )


def rehearse(coach: Coach, pool, deadline: float) -> Iterator[str]:
    """Rounds of readings until the time is up."""
    notebook = coach.notebook
    notebook.collect(pool, _rehearse, neutral_tasks("search"))
    while time.monotonic() < deadline:
        since = len(notebook.rows)
        notebook.collect(pool, _rehearse, coach.proposals())
        yield report(coach, since)


def choose(coach: Coach, pool, notebook: Rehearsals) -> dict[tuple[str, str], np.ndarray]:
    """The row of each (role, group): of a few candidates, the best on sentences of their own.

    Args:
        notebook: of these readings, so that a run that was stopped goes on.
    """
    texts = carriers("audition")
    candidates = {
        (role, group): coach.candidates(role, group) for role in ROLES for group in GROUPS
    }
    tasks = [
        Task(role, voice, text, tuple(map(float, controls)))
        for (role, group), found in candidates.items()
        for controls in found
        for voice, text in zip(VOICES[group], texts, strict=True)
    ]
    notebook.collect(pool, _rehearse, [*neutral_tasks("audition"), *tasks])
    judged = Coach(notebook, coach.encoder, coach.prosody)
    chosen = {}
    for (role, group), found in candidates.items():
        merits = []
        for controls in found:
            made = tuple(map(float, controls))
            rows = [row for row in notebook.acted if row.task.controls == made]
            merits.append(judged.merit(judged.heard(rows), role, controls[None]).mean())
        chosen[role, group] = found[int(np.argmax(merits))]
    return chosen


def calibrate(
    coach: Coach, rows: dict[tuple[str, str], np.ndarray], pool, notebook: Rehearsals
) -> dict[tuple[str, str], list[float]]:
    """How far along its row each of `LEVELS` must go so that it is heard evenly: gains.

    What is heard of an emotion is its log-odds against neutral, mean of both listeners and of four
    readings. It is made to rise with the row, then read backwards; no gain strays from the
    intensity by more than half of it, since far from what was heard it would be a guess.
    """
    texts = carriers("audition")
    tasks = {
        (role, group, level): [
            Task(role, voice, text, tuple(map(float, level / FULL * controls)))
            for voice, text in zip(VOICES[group], texts, strict=True)
        ]
        for (role, group), controls in rows.items()
        if role != ROLES[-1]
        for level in LEVELS
    }
    notebook.collect(pool, _rehearse, [*neutral_tasks("audition"), *sum(tasks.values(), [])])
    judged = Coach(notebook, coach.encoder, coach.prosody)
    gains = {}
    for role, group in rows:
        if role == ROLES[-1]:
            continue
        heard = [
            judged.odds(role, [notebook.find(t) for t in tasks[role, group, level]])
            for level in LEVELS
        ]
        own = judged.odds(role, [notebook.neutral(t) for t in tasks[role, group, LEVELS[0]]])
        rising = np.maximum.accumulate([own, *heard])
        rising = rising + 1e-3 * np.arange(len(rising))
        wanted = own + (np.interp(FULL, (0, *LEVELS), rising) - own) * np.array(LEVELS) / FULL
        found = np.interp(wanted, rising, (0, *LEVELS))
        level = np.array(LEVELS)
        gains[role, group] = np.clip(found, 0.5 * level, np.minimum(1.5 * level, 1.1)).tolist()
    return gains


def listeners(speech: Path, folder: Path) -> tuple[EncoderListener, ProsodyListener]:
    """Both listeners; what they learn from EmoDB is kept in `folder`."""
    from .corpora import corpus

    kept = folder / "listeners.npz"
    if not kept.exists():
        emodb = list(corpus("emodb", speech / "emodb"))
        linear = EncoderListener.load().fit(emodb).linear
        content = io.BytesIO()
        np.savez(content, linear=linear, covariance=ProsodyListener.fit(emodb).covariance)
        write_whole(kept, content.getvalue())
    with np.load(kept) as found:
        return EncoderListener.load(found["linear"]), ProsodyListener(found["covariance"])


def add_rehearse(commands) -> None:
    command = commands.add_parser(
        "rehearse", help="search the adapter's table until what is asked is heard"
    )
    command.add_argument("--speech", required=True, metavar="FOLDER", help="with emodb in it")
    command.add_argument("-o", "--out", required=True, metavar="FOLDER")
    command.add_argument("--contours", metavar="FILE", help="contours.safetensors of `fit`")
    command.add_argument("--minutes", type=float, default=60, help="default 60")
    command.add_argument("--processes", type=int, default=2, help="default 2")
    command.set_defaults(run=run_rehearse)


def run_rehearse(options: argparse.Namespace) -> None:
    if options.minutes <= 0 or options.processes < 1:
        raise InvalidInput("Minutes and processes must be positive; leave them out for 60 and 2.")
    Instruments.check()
    out = run_folder(options.out)
    encoder, prosody = listeners(Path(options.speech), out)
    coach = Coach(Rehearsals(out / "rehearsals.jsonl"), encoder, prosody)
    deadline = time.monotonic() + 60 * options.minutes
    with processes(options.processes, _open_stage, options.contours) as pool:
        for line in rehearse(coach, pool, deadline):
            print(line, flush=True)
        rows = choose(coach, pool, Rehearsals(out / "auditions.jsonl"))
        gains = calibrate(coach, rows, pool, Rehearsals(out / "levels.jsonl"))
    found = [
        {
            "role": role,
            "group": group,
            "controls": dict(zip(SEARCHED[:-1], (controls[:-1] / FULL).tolist(), strict=True)),
            "contours": float(controls[-1]),
            "gains": gains.get((role, group), list(LEVELS)),
            "support": "rehearsed",
            "source": "heard by both listeners of `python -m training rehearse`",
        }
        for (role, group), controls in rows.items()
    ]
    write_whole(out / "rows.json", json.dumps(found, indent=1).encode())
    print(f"{out / 'rows.json'}: {len(found)} rows")
