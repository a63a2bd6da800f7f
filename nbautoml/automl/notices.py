"""Warnings that appear once in a process, at the line of the user's code."""

from __future__ import annotations

import functools
import sys
import warnings

_OWN_PACKAGE = __name__.partition(".")[0]


@functools.cache  # once for each text in a process, in whichever cell it was written
def warn_once(text: str) -> None:
    """Show a ``UserWarning``, unless this process has shown it before.

    Parameters
    ----------
    text : str
        What was asked and what happens instead.
    """
    warnings.warn(text, UserWarning, stacklevel=_depth_of_caller())


def _depth_of_caller() -> int:
    """Return the ``stacklevel`` of the nearest code that is not part of this package."""
    frame, depth = sys._getframe(1), 1
    while frame.f_back is not None and _is_own(frame.f_globals.get("__name__", "")):
        frame, depth = frame.f_back, depth + 1
    return depth


def _is_own(module: str) -> bool:
    return module == _OWN_PACKAGE or module.startswith(f"{_OWN_PACKAGE}.")
