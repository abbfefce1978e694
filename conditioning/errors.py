"""Errors a caller can mend: each names what came, what is allowed and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """Root of the errors that are the caller's to mend; exit code 2 on the command line."""


class InvalidInput(UserError, ValueError):
    """A value that cannot be used as it came."""


class UnknownName(UserError, LookupError):
    """A name that is not among the known ones."""


class WeightsError(UserError, OSError):
    """A weight file that is missing, damaged or out of reach."""


def unknown_name(
    kind: str, name: str, known: Iterable[str], listing: str | None = None
) -> UnknownName:
    """An `UnknownName` that suggests the nearest known names.

    Args:
        kind: what is named, such as "voice".
        name: what came.
        known: what is allowed.
        listing: a short pointer to the whole list; without it the list itself is printed.
    """
    known = list(known)
    lowered = {entry.lower(): entry for entry in known}
    close = difflib.get_close_matches(str(name).lower(), lowered, n=3, cutoff=0.6)
    hint = f" Did you mean {' or '.join(repr(lowered[entry]) for entry in close)}?" if close else ""
    return UnknownName(f"Unknown {kind} {name!r}.{hint} Known: {listing or ', '.join(known)}.")
