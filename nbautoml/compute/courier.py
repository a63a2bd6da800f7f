"""How a worker gets pieces of data from the owner of its tasks."""

from __future__ import annotations

import queue
import time
import uuid
from collections.abc import Callable
from typing import Any  # Any: Dask's worker

from nbautoml.errors import ComputeError, StoppedError

ASK_SECONDS = 20.0
"""How long to wait for an answer before asking again: a message may be lost with a connection."""

ASK_ATTEMPTS = 6
_LOOK_SECONDS = 0.2

MAILBOX = "nbautoml_mail"
"""Name under which a Dask worker keeps its `Mailbox`."""


class Mailbox:
    """Where answers come in, by ticket; safe for use from several threads."""

    def __init__(self) -> None:
        self._boxes: dict[str, queue.SimpleQueue[tuple[bytes, str]]] = {}

    def open(self) -> tuple[str, queue.SimpleQueue[tuple[bytes, str]]]:
        """Return a new ticket, and the box for its answer."""
        ticket, box = uuid.uuid4().hex, queue.SimpleQueue[tuple[bytes, str]]()
        self._boxes[ticket] = box
        return ticket, box

    def close(self, ticket: str) -> None:
        """Throw away a box; answers that are late go nowhere."""
        self._boxes.pop(ticket, None)

    def put(self, ticket: str, data: bytes, error: str) -> None:
        """Take in an answer."""
        box = self._boxes.get(ticket)
        if box is not None:
            box.put((data, error))


def deliver(
    ticket: str,
    data: bytes,
    error: str,
    dask_worker: Any = None,  # the name under which Dask hands it over
) -> None:
    """Hand an answer to the thread that waits for it; runs in the worker's event loop."""
    mailbox = getattr(dask_worker, MAILBOX, None)
    if mailbox is not None:
        mailbox.put(ticket, data, error)


class Courier:
    """Asks for pieces of one folder; for one thread.

    Parameters
    ----------
    mailbox : Mailbox
        The worker's.
    send : callable
        Takes a question, a dict that Dask can send.
    address : str
        The worker's address, for the answer.
    shelf : str
        Key of the folder.
    is_wanted : callable
        Whether anybody still wants the data.
    """

    def __init__(
        self,
        mailbox: Mailbox,
        send: Callable[[dict[str, Any]], None],
        *,
        address: str,
        shelf: str,
        is_wanted: Callable[[], bool],
    ) -> None:
        self._mailbox = mailbox
        self._send = send
        self._address = address
        self._shelf = shelf
        self._is_wanted = is_wanted

    def fetch(self, name: str, offset: int) -> bytes:
        """Return a piece of a file, or the list of all when `name` is empty.

        Raises
        ------
        ComputeError
            When no answer comes, or the owner has no such file.
        StoppedError
            When nobody wants it any more.
        """
        for _ in range(ASK_ATTEMPTS):
            answer = self._ask(name, offset)
            if answer is not None:
                data, error = answer
                if error:
                    raise ComputeError(f"The data could not be fetched: {error}")
                return data
        raise ComputeError(
            f"The machine that owns the run did not send {name or 'the list of its files'} in "
            f"{ASK_ATTEMPTS * ASK_SECONDS:g} s."
        )

    def check(self) -> None:
        """Raise `StoppedError` when nobody wants the data any more."""
        if not self._is_wanted():
            raise StoppedError("It was canceled while its data were fetched.")

    def _ask(self, name: str, offset: int) -> tuple[bytes, str] | None:
        ticket, box = self._mailbox.open()
        try:
            self._send(
                {
                    "ticket": ticket,
                    "worker": self._address,
                    "shelf": self._shelf,
                    "name": name,
                    "offset": offset,
                }
            )
            until = time.monotonic() + ASK_SECONDS
            while time.monotonic() < until:
                self.check()
                try:
                    return box.get(timeout=_LOOK_SECONDS)
                except queue.Empty:
                    continue
            return None
        finally:
            self._mailbox.close(ticket)
