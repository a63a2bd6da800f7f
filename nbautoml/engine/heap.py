"""Gives memory that is no longer used back to the system; allocators like to keep it."""

from __future__ import annotations

import ctypes
import gc
import sys
from contextlib import suppress


def give_back_memory() -> None:
    """Return what was freed to the system: Python's heap, the C library's, and Arrow's.

    It takes some 10 ms, so call it after a large piece of work, not in a loop.

    Examples
    --------
    >>> give_back_memory()
    """
    gc.collect()
    arrow = sys.modules.get("pyarrow")
    if arrow is not None:
        arrow.default_memory_pool().release_unused()
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # musl has no malloc_trim
            ctypes.CDLL(None).malloc_trim(0)
