"""Scene: the moods of three characters over 20 lines, as docs/scene.png and docs/scene.md.

    python benchmarks/scene.py             # a second; a few with the trained reader

Bran is hot-tempered, Ada calm, Wim timid. What a line itself says comes from the trained reader of
`conditioning.direction`, or with --written from the directions written here; nothing else is given.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from textwrap import fill

from conditioning.direction import DirectionReader
from conditioning.director import Cue, Director, Line
from conditioning.files import write_whole
from conditioning.temperament import find_temperament

CAST = {"Bran": "hot-tempered", "Ada": "calm", "Wim": "timid"}
BRAN, ADA, WIM = ((name,) for name in CAST)
SCENE = (
    Line("Ada", "Good morning, both of you. The bread is still warm.", "friendly", BRAN + WIM),
    Line("Wim", "Thank you, Ada. I hung the chapel gate last night.", "grateful", ADA),
    Line("Bran", "You hung it upside down, you useless little fool!", "furious, contemptuous", WIM),
    Line("Wim", "I am sorry. I can take it down again.", "ashamed, afraid", BRAN),
    Line("Ada", "It is a gate, Bran. Nobody has died of one.", "a little amused", BRAN),
    Line("Bran", "Keep out of my forge, you meddling old crow!", "furious, contemptuous", ADA),
    Line("Ada", "I will, once you have eaten something.", None, BRAN),
    Line("Wim", "Please do not quarrel because of me.", "worried", ADA + BRAN),
    Line("Ada", "The boy is worth two of you today.", "disapproving", BRAN),
    Line("Bran", "One more word and I throw you both into the street!", "enraged", ADA + WIM),
    Line("Wim", "I will go. I only wanted it to be right.", "sad", BRAN),
    Line("Ada", "Stay, Wim. Sit down and breathe.", "caring", WIM),
    Line("Ada", "This way up it keeps the angels out and lets the cats in.", "amused", BRAN + WIM),
    Line("Wim", "The cats would like that.", "slightly amused", ADA),
    Line("Bran", "It is not funny.", None, ADA + WIM),
    Line("Ada", "It is a little funny.", "teasing", BRAN),
    Line("Bran", "Fetch the long ladder. We turn it together.", None, WIM),
    Line("Bran", "I should not have shouted at you. I am sorry.", "remorseful", WIM),
    Line("Wim", "It is all right. I will hold the nails.", "relieved", BRAN),
    Line("Ada", "Goodbye, my dears. Leave some bread for the cats.", "affectionate", BRAN + WIM),
)
EVENTS = {3: "insult", 6: "insult", 10: "threat", 13: "joke", 18: "apology", 20: "goodbye"}
SHOWN = {"valence": "#2457a6", "arousal": "#b3541e", "dominance": "#3b7d4f"}
WRITTEN = "as written in `benchmarks/scene.py`; where nothing is written, only the mood speaks"
READ = "by the trained reader, from its words alone"
BOTTOM, TOP = -1.05, 1.25  # of the panels
FOLDER = Path(__file__).parents[1] / "docs"


def trained() -> DirectionReader:
    """The reader whose interpreter finds the emotion of a line in its words."""
    return DirectionReader.load()


def play(reader: DirectionReader | None) -> list[Cue]:
    """The scene directed: by the reader alone, or without one as written."""
    director = Director({name: find_temperament(word) for name, word in CAST.items()}, reader)
    lines = SCENE if reader is None else [replace(line, direction=None) for line in SCENE]
    return director.scene(lines)


def page(cues: list[Cue], source: str) -> str:
    """The scene as a Markdown page, one row for each line."""
    cast = ", ".join(f"{name} is {word}" for name, word in CAST.items())
    return "\n".join(
        [
            "# A scene",
            "",
            f"{cast}. What a line itself says was taken {source}. Written by "
            "`python benchmarks/scene.py`.",
            "",
            "![Valence, arousal and dominance of the three characters over the scene](scene.png)",
            "",
            "Each panel is one character's mood after each line; dots are the character's own "
            "lines, dotted lines the temperament's baseline. Nobody's mood is written down: it "
            "follows from what is said, to whom, and from the five numbers of each temperament.",
            "",
            "| line | who | text | heard in | mood after: valence, arousal, dominance |",
            "| --- | --- | --- | --- | --- |",
            *_rows(cues),
            "",
            "## Why",
            "",
            *(f"{number}. {'; '.join(cue.why) or 'nothing'}" for number, cue in _numbered(cues)),
            "",
        ]
    )


def _numbered(cues: list[Cue]) -> Iterator[tuple[int, Cue]]:
    return enumerate(cues, start=1)


def _rows(cues: list[Cue]) -> Iterator[str]:
    for number, cue in _numbered(cues):
        who = f"{cue.line.character} to {' and '.join(cue.line.to)}"
        heard = ", ".join(f"{name} {value:.2f}" for name, value in cue.emotion.items()[:3])
        mood = f"{cue.after.name}: " + ", ".join(f"{number:+.2f}" for number in cue.after)
        yield f"| {number} | {who} | {cue.line.text} | {heard or 'neutral'} | {mood} |"


def draw(cues: list[Cue], path: Path) -> None:
    """One panel a character, the moods after each line, events marked and quoted."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 8.6), layout="constrained")
    panels = figure.subplots(len(CAST), 1, sharex=True, sharey=True)
    numbers = range(1, len(cues) + 1)
    for axes, (name, word) in zip(panels, CAST.items(), strict=True):
        baseline = find_temperament(word).baseline
        moods = [cue.moods.get(name, baseline) for cue in cues]
        spoken = [number for number, cue in _numbered(cues) if cue.line.character == name]
        for axis, colour in SHOWN.items():
            course = [getattr(mood, axis) for mood in moods]
            axes.plot(numbers, course, color=colour, linewidth=2, label=axis)
            axes.plot(spoken, [course[number - 1] for number in spoken], "o", color=colour)
            axes.axhline(getattr(baseline, axis), color=colour, linestyle=":", linewidth=1)
        for number in EVENTS:
            axes.axvline(number, color="#bbb", linewidth=1, zorder=0)
            felt = moods[number - 1].name.replace(" ", "\n")
            axes.text(number + 0.1, BOTTOM + 0.04, felt, color="#666", va="bottom", fontsize=9)
            if number in spoken:
                quote = fill(f"“{cues[number - 1].line.text}”", 18)
                axes.text(number + 0.1, TOP - 0.05, quote, style="italic", va="top", fontsize=8)
        axes.set_title(f"{name}, {word}", loc="left", fontsize=12, fontweight="bold")
        axes.set(xlim=(0.5, len(cues) + 2.9), ylim=(BOTTOM, TOP), ylabel="mood")
        axes.set_yticks([-0.5, 0, 0.5])
        axes.grid(axis="y", color="#eee")
    events = panels[0].secondary_xaxis("top")
    events.set_xticks(list(EVENTS), list(EVENTS.values()))
    events.tick_params(length=0)
    figure.legend(
        *panels[0].get_legend_handles_labels(), frameon=False, ncols=3, loc="outside upper right"
    )
    panels[-1].set_xticks(numbers)
    panels[-1].set_xlabel("line; dots: the character's own lines; dotted: at rest; below: the mood")
    figure.savefig(path, dpi=100, metadata={"Software": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--written", action="store_true", help="take the directions written in the scene"
    )
    reader = None if parser.parse_args().written else trained()
    source = READ if reader else WRITTEN
    cues = play(reader)
    write_whole(FOLDER / "scene.md", page(cues, source).encode())
    draw(cues, FOLDER / "scene.png")
    print(f"{len(cues)} lines, {source}: {FOLDER / 'scene.md'}, {FOLDER / 'scene.png'}")


if __name__ == "__main__":
    main()
