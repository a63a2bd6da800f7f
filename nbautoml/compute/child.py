"""What runs in a trial's own process: take a task, call its entry, send back what came of it.

The process is forked from a template (`nbautoml.compute.template`) and kept for further
tasks. It knows nothing of Dask, and it never decides about limits: the worker's supervisor
kills it from outside.
"""

from __future__ import annotations

import faulthandler
import importlib
import os
import pickle
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, cast  # Any: payloads and values belong to the entry

from threadpoolctl import threadpool_limits

from nbautoml.compute import lifeline
from nbautoml.compute.frames import FrameReader, Kind, encode
from nbautoml.compute.task_folders import relocate
from nbautoml.engine.devices import CARDS_VARIABLE
from nbautoml.engine.heap import give_back_memory

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "LOKY_MAX_CPU_COUNT",
)
LONGEST_ERROR = 300
OOM_SCORE_FILE = Path("/proc/self/oom_score_adj")


def serve(channel: socket.socket, life: int, output: int, n_threads: int) -> None:
    """Run tasks until the worker closes the channel; called right after the fork.

    Parameters
    ----------
    channel : socket.socket
        Frames go to and from the supervisor.
    life : int
        Reading end of the worker's lifeline.
    output : int
        Where standard output and error go.
    n_threads : int
        How many threads a task may use.
    """
    os.setsid()
    lifeline.hold(life)
    _redirect(output)
    faulthandler.enable()
    with suppress(OSError):  # when memory runs out, the kernel should take a trial first
        OOM_SCORE_FILE.write_text("1000")
    set_threads(n_threads)
    channel.sendall(encode(Kind.READY, str(os.getpid()).encode()))
    reader, lock = FrameReader(), threading.Lock()
    while data := channel.recv(1 << 16):
        for kind, body in reader.feed(data):
            if kind is Kind.CARDS:
                os.environ[CARDS_VARIABLE] = body.decode()
                continue
            _answer(channel, lock, body)
            give_back_memory()


def set_threads(n_threads: int) -> None:
    """Bound the threads of libraries that are loaded, and of those that will be.

    Examples
    --------
    >>> set_threads(1)
    """
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, str(n_threads)))
    if n_threads > 1:  # the template starts with 1
        threadpool_limits(n_threads)


def call_entry(body: bytes, emit: Callable[[Any], None]) -> tuple[Kind, bytes]:
    """Run one task, and return the frame that tells how it ended.

    Parameters
    ----------
    body : bytes
        Pickled entry name and pickled payload, and a mapping of folders where these are others
        than the payload says.
    emit : callable
        Given to the entry.
    """
    # The border of a trial: whatever the entry raises is a fact about the trial.
    try:
        entry, payload, *moves = pickle.loads(body)
        module, _, name = entry.partition(":")
        function = cast(Callable[..., Any], getattr(importlib.import_module(module), name))
        value = function(relocate(pickle.loads(payload), moves[0] if moves else {}), emit)
    except (Exception, SystemExit, KeyboardInterrupt) as exc:  # noqa: BLE001
        return Kind.FAILED, describe(exc)
    try:
        return Kind.DONE, pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    except Exception as exc:  # noqa: BLE001 - pickling runs code of the value's own
        return Kind.FAILED, describe(exc, f"{entry} returned a value that cannot be pickled: ")


def describe(exc: BaseException, prefix: str = "") -> bytes:
    """Return a pickled pair: one sentence, and the full traceback."""
    text = str(exc).strip()
    first = f"{type(exc).__name__}: {text.splitlines()[0]}" if text else type(exc).__name__
    full = "".join(traceback.format_exception(exc))
    return pickle.dumps(((prefix + first)[:LONGEST_ERROR], full))


def _answer(channel: socket.socket, lock: threading.Lock, body: bytes) -> None:
    """Run one task; the entry may emit from several threads."""

    def emit(message: Any) -> None:
        data = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
        with lock:
            channel.sendall(encode(Kind.MESSAGE, data))

    kind, data = call_entry(body, emit)
    sys.stdout.flush()
    sys.stderr.flush()
    with lock:
        channel.sendall(encode(kind, data))


def _redirect(output: int) -> None:
    """Send standard output and error to the supervisor; there is nothing to read."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    null = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((null, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    os.close(null)
    os.close(output)
