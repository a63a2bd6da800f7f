"""What the tasks in `test_supervisor.py` do."""

from __future__ import annotations

import os
import sys
from typing import Any

from threadpoolctl import threadpool_info

from nbautoml.domain.ports import Emit

KEPT: list[bytes] = []


def tell_pid(payload: Any, emit: Emit) -> int:
    return os.getpid()


def tell_preloaded(payload: str, emit: Emit) -> bool:
    return payload in sys.modules


def tell_threads(payload: None, emit: Emit) -> set[int]:
    import numpy  # noqa: F401 - its thread pool is what is looked at

    return {pool["num_threads"] for pool in threadpool_info()}


def tell_temporary_folder(payload: None, emit: Emit) -> str:
    import tempfile

    return tempfile.gettempdir()


def keep_memory(payload: int, emit: Emit) -> int:
    KEPT.append(b"x" * payload)
    return os.getpid()
