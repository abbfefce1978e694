"""The command line: speak, cast, direct, listen, voices, verify, and what others register."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import metadata

from conditioning.errors import InvalidInput, UserError

from . import __version__
from .cast import add_cast
from .direct import add_direct
from .listen import add_listen
from .screen import Screen
from .voices import DEFAULT

BAD_INPUT, OUR_FAILURE, INTERRUPTED = 2, 1, 130
PLUGINS = "voice_actor.commands"  # entry points: a function that adds a parser to the subparsers

EXAMPLES = """examples:
  voice-actor speak "You came back." --direction "relieved, still a little angry" -o line.wav
  voice-actor speak "There, there." -d "a caring nurse comforting a worried patient" -o nurse.wav
  voice-actor speak "Get out!" --emotion "anger=0.9, contempt=0.3" --voice am_michael -o out.ogg
  voice-actor speak "[fear 0.2 -> 0.9] It's coming. [relief] Oh. It's only you." -o curve.wav
  voice-actor speak "Never mind." -d "crying, but brave" --takes 8 --keep 3 -o mind.wav
  voice-actor speak "Where were you?" --like recording.wav --voice bf_emma -o where.wav
  voice-actor cast tavern.yarn --out build
  voice-actor direct "a slightly grumpy but lovable grandpa" --explain
  voice-actor listen take.wav --baseline other_takes/
  voice-actor voices
  voice-actor verify line.wav
"""


class Parser(argparse.ArgumentParser):
    """Says in one line what is wrong with a command, as every other error does."""

    def error(self, message: str):
        raise InvalidInput(f"{' '.join(message.split())}; see {self.prog} --help.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; returns the exit code: 0, 2 for bad input, 1 for our own failure."""

    def run():
        options = parser().parse_args(arguments)
        options.run(options)

    return ending(run)


def ending(run: Callable[[], None]) -> int:
    """Runs; says in one line what went wrong, and returns the exit code."""
    try:
        run()
        sys.stdout.flush()
    except UserError as error:
        print(f"voice-actor: {error}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("voice-actor: stopped; nothing is half written.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if os.environ.get("VOICE_ACTOR_DEBUG"):
            raise
        print(
            f"voice-actor: our own failure ({type(error).__name__}: {error}); "
            "set VOICE_ACTOR_DEBUG=1 for the details and report them.",
            file=sys.stderr,
        )
        return OUR_FAILURE
    return 0


def parser() -> argparse.ArgumentParser:
    """The parser of every command, registered ones included."""
    top = Parser(
        prog="voice-actor",
        description="Speaks a line the way it is directed, and says what can be heard.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"voice-actor {__version__}")
    top.set_defaults(run=lambda options: top.print_help())
    commands = top.add_subparsers(metavar="COMMAND")
    for add in (add_speak, add_cast, add_direct, add_listen, add_voices, add_verify):
        add(commands)
    for plugin in metadata.entry_points(group=PLUGINS):
        plugin.load()(commands)
    return top


def add_speak(commands) -> None:
    command = commands.add_parser("speak", help="speak a line as directed")
    command.add_argument("text", help="the line, or - to read it from standard input")
    command.add_argument(
        "-d",
        "--direction",
        metavar="WORDS",
        help='how, and by whom: "a caring nurse", "relieved, still a little angry"; "sad" is '
        'subdued, "crying" cries; "auto": as the line itself suggests',
    )
    command.add_argument(
        "-e", "--emotion", metavar="NUMBERS", help='how, in numbers: "anger=0.9, contempt=0.3"'
    )
    command.add_argument(
        "--like",
        metavar="RECORDING",
        help="as in this recording, by whomever: its melody, loudness, pace and emotions; with "
        "--direction or --emotion, those are the emotions",
    )
    command.add_argument(
        "--like-baseline",
        nargs="+",
        action="extend",
        default=[],
        metavar="TAKE",
        help="neutral takes by the recording's speaker: how much higher, louder and breathier the "
        "recording is counts too",
    )
    command.add_argument(
        "-v",
        "--voice",
        help="who: see `voice-actor voices`; a blend is written af_heart*0.7+bf_emma*0.3 (default: "
        f"one that suits the direction; {DEFAULT} where it says nothing of who speaks)",
    )
    command.add_argument(
        "-o",
        "--out",
        default="line.wav",
        metavar="FILE",
        help="wav, flac, ogg, opus or mp3; - for a wav on standard output (default: %(default)s)",
    )
    command.add_argument("--json", metavar="FILE", help="words, times and direction; - for stdout")
    command.add_argument("--seed", type=int, default=0, help="another seed is another take")
    command.add_argument(
        "--takes",
        type=int,
        default=1,
        metavar="N",
        help="speak so many takes, listen to them, and keep those that are heard best as directed",
    )
    command.add_argument(
        "--keep",
        type=int,
        default=1,
        metavar="K",
        help="how many takes to keep; of several, FILE-1 is the best, FILE-2 the next "
        "(default: %(default)s)",
    )
    command.add_argument(
        "--say",
        action="append",
        default=[],
        metavar="WORD=PHONEMES",
        help="how to pronounce a word, in Kokoro's alphabet; may be repeated",
    )
    command.add_argument("--weights", metavar="FOLDER", help="where to look for weights first")
    command.set_defaults(run=speak)


def speak(options: argparse.Namespace) -> None:
    from .audition import check_takes

    text = read_standard_input() if options.text == "-" else options.text
    # What can be refused is refused before the networks are loaded.
    check_takes(options.takes, options.keep)
    places = outputs(options)
    pronunciations = dict(pronunciation(entry) for entry in options.say)
    direction = asked(options.direction, options.emotion)
    directed = checked(text, direction, options, pronunciations)
    if options.like is not None:
        way = likeness(options, directed.curve if direction is not None else None)
        directed = way if direction is None else replace(directed, prosody=way)
    elif options.like_baseline:
        raise InvalidInput("--like-baseline came without --like; add it.")

    from .actor import VoiceActor

    actor = VoiceActor.load(options.weights)
    if options.takes == 1:
        performances = [actor.perform(text, directed, options.voice, options.seed, pronunciations)]
        described = performances[0].to_json()
    else:
        takes = audition(actor, text, directed, pronunciations, options)
        performances = [take.performance for take in takes]
        described = [
            {"file": place, **take.to_json()} for place, take in zip(places, takes, strict=True)
        ]
        described = described if options.keep > 1 else described[0]
    for place, performance in zip(places, performances, strict=True):
        if place == "-":
            sys.stdout.buffer.write(performance.encode(".wav"))
        else:
            performance.save(place)
        length = performance.audio.duration
        voice = performance.casting.voice
        print(f"{place}: {length:.1f} s, {voice}, {performance.direction}", file=sys.stderr)
    if options.json is not None:
        write_json(options.json, described)
    casting, told = performances[0].casting, performances[0].direction
    for note in dict.fromkeys((*casting.reasons, *told.notes, *casting.notes)):
        print(note, file=sys.stderr)
    if ignored := told.ignored:
        print(f"Not understood and left out: {Screen.printed(ignored)}.", file=sys.stderr)
    spoken = {word.label.lower() for word in performances[0].words}
    if unused := [word for word in pronunciations if word.lower() not in spoken]:
        print(f"--say was not needed for: {', '.join(unused)}.", file=sys.stderr)


def outputs(options: argparse.Namespace) -> list[str]:
    """The files to write, best take first. Raises InvalidInput for what cannot be written."""
    from conditioning.audio import check_writable
    from conditioning.files import check_place

    places = [options.out]
    if options.keep > 1:
        if options.out == "-":
            raise InvalidInput("Standard output holds one take; name a file, or leave out --keep.")
        stem, suffix = os.path.splitext(options.out)
        places = [f"{stem}-{number}{suffix}" for number in range(1, options.keep + 1)]
    if options.out == "-" and options.json == "-":
        raise InvalidInput("Both --out and --json are -; only one can be standard output.")
    for place in places:
        if place != "-":
            check_writable(place)
    if options.json not in (None, "-"):
        check_place(options.json)
        if os.path.realpath(options.json) in map(os.path.realpath, places):
            raise InvalidInput(f"Both --out and --json are {options.json}; name two files.")
    return places


def likeness(options: argparse.Namespace, direction):
    """The recording given to --like as a direction."""
    from conditioning.audio import Audio
    from conditioning.estimator import EmotionEstimator
    from conditioning.likeness import Likeness, measured

    recording, takes = Audio.load(options.like), [Audio.load(t) for t in options.like_baseline]
    measured(recording, "recording")  # refuses before the estimator is loaded
    if direction is not None:
        return Likeness.of(recording, direction, takes)
    estimator = EmotionEstimator.load("permissive", options.weights)
    return Likeness.of(recording, None, takes, estimator)


def audition(actor, text: str, direction, pronunciations: dict[str, str], options):
    """The best takes, after a table of their scores on standard error."""
    from conditioning.estimator import EmotionEstimator

    estimator = EmotionEstimator.load("permissive", options.weights)
    takes = actor.audition(
        text,
        direction,
        options.voice,
        options.takes,
        options.keep,
        options.seed,
        estimator,
        pronunciations,
    )
    print(f"{options.takes} takes; best at 1, as the estimator hears them:", file=sys.stderr)
    for place, take in enumerate(takes, 1):
        print(
            f"{place:4}  take {take.number:<2}  {take.score:+.2f}  {take.reason}", file=sys.stderr
        )
    return takes


def write_json(place: str, described) -> None:
    from conditioning.files import write_whole

    text = json.dumps(described, ensure_ascii=False, indent=1) + "\n"
    if place == "-":
        sys.stdout.write(text)
    else:
        write_whole(place, text.encode())


def read_standard_input() -> str:
    try:
        return sys.stdin.buffer.read().decode()
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"Standard input is not UTF-8 (byte {error.start + 1}); convert it first."
        ) from None


def asked(words: str | None, numbers: str | None):
    """What --direction or --emotion asks: words, a vector, or None for neutral."""
    from conditioning.emotion import EmotionVector

    if words is not None and numbers is not None:
        raise InvalidInput(
            "Both --direction and --emotion came; numbers may stand among the words: "
            "--direction 'furious, fear=0.2'."
        )
    return words if numbers is None else EmotionVector.parse(numbers)


def checked(text: str, direction, options: argparse.Namespace, pronunciations: dict[str, str]):
    """The direction of the line as read; raises what `perform` would, without loading a network.

    Words that the lexicon does not know are read by the interpreter, which is loaded for them.
    """
    from conditioning.direction import DirectionReader

    from .casting import cast_voice
    from .phonemes import phonemize
    from .voices import accent_of, cast, parse_voice

    members = cast()
    if options.voice is not None:
        parse_voice(options.voice, [member.name for member in members])
    directed = DirectionReader.load(options.weights).direct(text, direction)
    voice = cast_voice(directed.persona, options.voice, members).voice
    phonemize(directed.text, accent_of(voice), pronunciations=pronunciations)
    return directed


def pronunciation(entry: str) -> tuple[str, str]:
    word, equals, phonemes = entry.partition("=")
    if not (word.strip() and equals and phonemes.strip()):
        raise InvalidInput(f"--say came as {entry!r}; write WORD=PHONEMES, as in Kai=kˈI.")
    return word.strip(), phonemes.strip()


def add_voices(commands) -> None:
    command = commands.add_parser("voices", help="list the cast")
    command.add_argument("--json", action="store_true", help="as JSON")
    command.set_defaults(run=list_voices)


def list_voices(options: argparse.Namespace) -> None:
    from dataclasses import asdict

    from .voices import cast

    members = cast()
    if options.json:
        print(json.dumps([asdict(member) for member in members], indent=1))
        return
    for member in members:
        print(
            f"{member.name:12} {member.accent:9} {member.gender:7} {member.licence:11} "
            f"{member.pitch:4.0f} Hz  {member.timbre}"
        )


def add_verify(commands) -> None:
    command = commands.add_parser("verify", help="is a recording ours? watermark and metadata")
    command.add_argument("files", nargs="+", metavar="FILE")
    command.add_argument("--json", action="store_true", help="as JSON")
    command.set_defaults(run=verify)


def verify(options: argparse.Namespace) -> None:
    """Reports every file; one that cannot be read makes the command fail after the others."""
    from .provenance import Watermarker
    from .provenance import verify as verify_file

    watermarker, found, unread = Watermarker.load(), {}, []
    for file in options.files:
        try:
            found[file] = verify_file(file, watermarker)
        except InvalidInput as error:
            unread.append(str(error))
    if options.json:
        print(json.dumps({file: item.to_json() for file, item in found.items()}, indent=1))
    else:
        for file, item in found.items():
            mark = "found" if item.watermarked else "not found"
            told = str(item.provenance) if item.provenance else "none of ours"
            print(
                f"{file}: {'ours' if item.is_ours else 'not shown to be ours'}\n"
                f"  watermark: {mark} (confidence {item.watermark:.2f})\n"
                f"  metadata: {told if told.isprintable() else repr(told)}"
            )
    if unread:
        raise InvalidInput(" ".join(unread))


if __name__ == "__main__":
    sys.exit(main())
