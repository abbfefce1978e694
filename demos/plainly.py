"""Errors in words that a creator understands: never a traceback on the page."""

from __future__ import annotations

import functools
import inspect
import sys
import traceback
from collections.abc import Callable
from contextlib import contextmanager
from html import escape

import gradio as gr

from conditioning.errors import UserError


def plainly(action: Callable) -> Callable:
    """The same action of a page, whose errors are told in a sentence.

    What the user can mend is shown as it is; a failure of ours goes to standard error in full, and
    to the page in one sentence.
    """

    if inspect.isgeneratorfunction(action):

        @functools.wraps(action)
        def told(*arguments, **named):
            with _told():
                yield from action(*arguments, **named)

    else:

        @functools.wraps(action)
        def told(*arguments, **named):
            with _told():
                return action(*arguments, **named)

    return told


@contextmanager
def _told():
    try:
        yield
    except UserError as error:
        raise _sentence(escape(str(error))) from None
    except gr.Error:
        raise
    except Exception:
        traceback.print_exc(file=sys.stderr)
        raise _sentence(
            "It is our own failure; nothing that you made is lost. The details stand where the "
            "studio was started."
        ) from None


def _sentence(sentence: str) -> gr.Error:
    return gr.Error(sentence, duration=None, print_exception=False, title="That did not work")
