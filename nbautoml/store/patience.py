"""Calling the store again while it does not answer."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from nbautoml.errors import StoreUnavailableError

RUN_PATIENCE_SECONDS = 300.0
"""How long a run waits for its store: a database server that is restarted, or a long lock.

A run that gave up would lose what it works on; nobody waits for this one call."""

_PAUSE_SECONDS = 0.5

_LOG = logging.getLogger(__name__)

T = TypeVar("T")


def patiently(call: Callable[[], T], *, seconds: float = RUN_PATIENCE_SECONDS) -> T:
    """Return what a call returns, calling again while the store does not answer.

    Parameters
    ----------
    call : callable
        It must not matter whether it is done once or twice: the answer of a commit may be what
        was lost.
    seconds : float, default 300
        How long to go on.

    Raises
    ------
    StoreUnavailableError
        When the time has passed.

    Examples
    --------
    >>> patiently(lambda: 6 * 7)
    42
    """
    until = time.monotonic() + seconds
    while True:
        try:
            return call()
        except StoreUnavailableError as error:
            if time.monotonic() >= until:
                raise
            _LOG.warning("The store does not answer, trying again: %s", error)
            time.sleep(_PAUSE_SECONDS)
