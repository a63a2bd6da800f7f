"""A process that answers questions: what a server must not load, it asks of another process.

A question is one line of JSON on the process's input, its answer one line on its output. The
process stays for the next question, so that the second one finds everything loaded; it ends when
nobody has asked for a while, when its input is closed, and so when the one who asks is gone.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Self  # Any: JSON values

from nbautoml import errors
from nbautoml.domain.events import json_safe
from nbautoml.errors import NbAutoMLError
from nbautoml.store.detached import import_environment

TIMEOUT_SECONDS = 300.0
IDLE_SECONDS = 300.0
_CLOSING_SECONDS = 2.0
_LOG = logging.getLogger(__name__)


class AskedProcess:
    """Asks a module in a process of its own; any thread may ask, one question goes at a time.

    Parameters
    ----------
    module : str
        Import path of a module that calls `answer_questions` when it is run.
    timeout_seconds : float, default 300
        The longest time for one answer; a process that takes longer is ended.
    """

    def __init__(self, module: str, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._module = module
        self._timeout_seconds = timeout_seconds
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._is_closed = False

    def ask(self, question: Mapping[str, Any]) -> Any:
        """Return the answer to a question.

        Parameters
        ----------
        question : mapping
            JSON values.

        Raises
        ------
        NbAutoMLError
            The error that the other process raised on purpose, in its class; or that it ended
            without an answer.
        RuntimeError
            When it failed; its traceback is on the error stream.
        """
        line = json.dumps(dict(question)) + "\n"
        with self._lock:
            process, is_new = self._running()
            text = self._exchange(process, line)
            if not text and not is_new:  # it had just ended, for want of questions
                process, _ = self._running()
                text = self._exchange(process, line)
        if not text:
            raise NbAutoMLError(
                "The process that does this work ended before it answered. That happens when the "
                "machine has too little memory for the data; try fewer rows."
            )
        return _result(json.loads(text), self._module)

    def close(self) -> None:
        """End the process; a question that is under way is given up."""
        self._is_closed = True
        process, self._process = self._process, None
        if process is not None:
            _end(process)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _running(self) -> tuple[subprocess.Popen[str], bool]:
        """Return a process that takes questions, and whether it was just started."""
        if self._is_closed:
            raise NbAutoMLError("The server is being stopped; nothing is asked any more.")
        if self._process is not None:
            if self._process.poll() is None:
                return self._process, False
            _end(self._process)
        self._process = subprocess.Popen(
            [sys.executable, "-m", self._module],
            env=import_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="ascii",
            start_new_session=True,  # an interrupt in the server's terminal is not for it
        )
        return self._process, True

    def _exchange(self, process: subprocess.Popen[str], line: str) -> str:
        """Return the answer to a line; empty when the process ended without one."""
        assert process.stdin is not None  # both are pipes
        assert process.stdout is not None
        is_late = threading.Event()

        def stop() -> None:
            is_late.set()
            process.kill()

        timer = threading.Timer(self._timeout_seconds, stop)
        timer.daemon = True
        timer.start()
        try:
            process.stdin.write(line)
            process.stdin.flush()
            text = process.stdout.readline()
        except (OSError, ValueError):  # its end of a pipe is gone, or ours was closed
            text = ""
        finally:
            timer.cancel()
        if text.endswith("\n"):
            return text
        process.kill()
        process.wait()
        if is_late.is_set():
            raise NbAutoMLError(
                f"It took longer than {self._timeout_seconds:g} s and was stopped. Try fewer rows."
            )
        return ""


def answer_questions(
    answer: Callable[[Mapping[str, Any]], Any], *, idle_seconds: float = IDLE_SECONDS
) -> None:
    """Answer what an `AskedProcess` asks of this process, until it has no more questions.

    What the work prints goes to the error stream, where it spoils no answer.

    Parameters
    ----------
    answer : callable
        Takes a question and returns JSON values. Errors that are raised on purpose go back in
        place of the answer.
    idle_seconds : float, default 300
        The process ends when it has waited so long for a question.
    """
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="ascii")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    while line := _next_question(idle_seconds):
        answers.write(json.dumps(_reply(answer, json.loads(line))) + "\n")
        answers.flush()


def _next_question(idle_seconds: float) -> str:
    # A pipe cannot be waited for with a limit on every system; ending without ado can.
    timer = threading.Timer(idle_seconds, os._exit, (0,))
    timer.daemon = True
    timer.start()
    try:
        return sys.stdin.readline()
    finally:
        timer.cancel()


def _reply(answer: Callable[[Mapping[str, Any]], Any], question: Any) -> dict[str, Any]:
    try:
        return {"answer": json_safe(answer(question))}
    except NbAutoMLError as error:
        return {"error": {"type": type(error).__name__, "message": error.message}}
    except Exception:  # noqa: BLE001 - the border: whoever asked is told, and may ask again
        _LOG.exception("A question could not be answered")
        return {"error": {"type": "", "message": ""}}


def _result(reply: Mapping[str, Any], module: str) -> Any:
    if "answer" in reply:
        return reply["answer"]
    kind = getattr(errors, reply["error"]["type"], None)
    if isinstance(kind, type) and issubclass(kind, NbAutoMLError):
        raise kind(reply["error"]["message"])
    raise RuntimeError(f"{module} failed; its traceback is on the error stream.")


def _end(process: subprocess.Popen[str]) -> None:
    """Let a process end, or end it; and close what we hold of it."""
    assert process.stdin is not None
    assert process.stdout is not None
    with suppress(OSError):  # it may be gone already
        process.stdin.close()
    try:
        process.wait(_CLOSING_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()
