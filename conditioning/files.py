"""Files written whole or not at all, and the question beforehand whether they can be."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from pathlib import Path

from conditioning.errors import InvalidInput

_NAME, _HALF = 8, ".part"  # random bytes and suffix in the name of a file in the making


def shown(path: str | os.PathLike) -> str:
    """A path as a message of one line can show it."""
    name = str(path)
    return name if name.isprintable() else repr(name)


def check_place(path: str | os.PathLike) -> None:
    """Finds out before any work whether `write_whole` could write there.

    Raises:
        InvalidInput: a folder, a missing or write-protected place.
    """
    name = shown(path)
    if not name:
        raise InvalidInput("The name of the file to write is empty; name a file.")
    try:
        if os.path.isdir(path):
            raise InvalidInput(f"{name} is a folder; name a file in it.")
        with contextlib.suppress(FileNotFoundError):
            os.stat(path)
            if not os.access(path, os.W_OK):
                raise PermissionError(0, "write-protected")
        folder = Path(os.path.realpath(path)).parent
        if not folder.is_dir():
            raise InvalidInput(f"The folder of {name} does not exist; create it, or name another.")
        # Permission bits do not tell the truth about root, read-only volumes or full disks.
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (OSError, ValueError) as error:
        if isinstance(error, InvalidInput):
            raise
        reason = getattr(error, "strerror", None) or error
        raise InvalidInput(f"Cannot write {name} ({reason}); name another place.") from None


def write_whole(path: str | os.PathLike, content: bytes) -> None:
    """Writes a file at one stroke: a reader finds the old one or the new one, never a part.

    What is written outlasts a loss of power once this returns.

    Raises:
        InvalidInput: the place cannot be written.
    """
    # The temporary file lies in the same folder, since a rename is atomic only within a volume; a
    # link is followed, so that the file it points to is replaced and not the link.
    target = Path(os.path.realpath(path))
    half = target.parent / f".{secrets.token_hex(_NAME)}{_HALF}"
    try:
        try:
            with open(half, "xb") as file:
                file.write(content)
                file.flush()
                # Else the new name can reach the disk before the content does.
                os.fsync(file.fileno())
            os.replace(half, target)
            _flush_folder(target.parent)
        finally:
            half.unlink(missing_ok=True)
    except OSError as error:
        raise InvalidInput(
            f"Cannot write {shown(path)} ({error.strerror}); name another place."
        ) from None


def sweep(folder: Path) -> None:
    """Deletes what `write_whole` left half written in a folder when it was killed.

    Nobody may be writing there meanwhile.
    """
    for half in folder.glob(f".{'[0-9a-f]' * 2 * _NAME}{_HALF}"):
        half.unlink(missing_ok=True)


def _flush_folder(folder: Path) -> None:
    """Brings the names in a folder to the disk, where the system can: Windows opens no folders."""
    try:
        opened = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        # Some network drives refuse; the file itself is safe by then.
        with contextlib.suppress(OSError):
            os.fsync(opened)
    finally:
        os.close(opened)
