"""Processes that serve a whole workspace: found, started, and one of a name at a time."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self  # Any: JSON values

from nbautoml.domain.records import Owner, ServiceProcessRecord
from nbautoml.errors import NbAutoMLError
from nbautoml.runs.child_process import environment
from nbautoml.store.detached import start_detached
from nbautoml.store.reaper import is_owner_alive, this_process
from nbautoml.store.session import Session, Writer

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 2.0
MOST_LOOKS = 3
"""After so many heartbeats without the workspace's folder, it is gone, and so is its process."""
GRACE_SECONDS = 30.0
"""How long a process on another machine may be silent before its place is free."""
_MOST_LOG_BYTES = 1_000_000


def find_service(session: Session, name: str) -> ServiceProcessRecord | None:
    """Return the process of a name that lives; None where there is none.

    Parameters
    ----------
    session : Session
        The open store.
    name : str
        Such as ``"scheduler"``.
    """
    with session.read() as tx:
        record = tx.service_processes.find(name)
    return record if record is not None and is_alive(record, now=time.time()) else None


def is_alive(record: ServiceProcessRecord, *, now: float) -> bool:
    """Whether a process lives, as far as it can be seen from here.

    One on this machine is looked up; of one on another, the heartbeat tells.
    """
    if record.owner.host == socket.gethostname():
        return is_owner_alive(record.owner)
    return record.heartbeat_at >= now - GRACE_SECONDS


def service_log(session: Session, name: str) -> Path:
    """Return the file that holds what a process of the workspace has written."""
    return session.state_dir / "services" / f"{name}.log"


def start_service(session: Session, name: str, module: str, *arguments: str) -> bool:
    """Start a process of the workspace in a session of its own, unless one lives.

    Parameters
    ----------
    session : Session
        The open store; one that only this process can open has no other processes.
    name : str
        Its name, as of the `Claim` that it makes.
    module : str
        Import path of what it runs. One that comes second finds the place taken, and ends.
    *arguments : str
        Its command line.

    Returns
    -------
    bool
        Whether a process was started.
    """
    is_alone = session.engine.is_private or session.engine.is_read_only
    if is_alone or find_service(session, name) is not None:
        return False
    log = service_log(session, name)
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.is_file() and log.stat().st_size > _MOST_LOG_BYTES:
        log.replace(log.with_name(f"{log.name}.1"))
    with log.open("ab") as output:
        env = environment(session, "")
        start_detached(module, *arguments, env=env, folder=session.root, log=output)
    return True


class Claim:
    """The place of a service of the workspace, held by this process; a context manager.

    Parameters
    ----------
    session : Session
        The open store.
    name : str
        Name of the service.
    facts : mapping, optional
        What others need to know of it, such as its address.

    Examples
    --------
    >>> from nbautoml.store.session import open_memory_session
    >>> with open_memory_session() as session, Claim(session, "scheduler") as claim:
    ...     claim.is_held
    True
    """

    def __init__(self, session: Session, name: str, facts: Mapping[str, Any] | None = None) -> None:
        self._session = session
        self._name = name
        self._facts = dict(facts or {})
        self._owner: Owner = this_process()
        self._stop = threading.Event()
        self._beating = threading.Thread(target=self._beat, name=f"{name} heartbeat", daemon=True)
        self._has_folder = session.state_dir.is_dir()
        self.is_held = False

    def __enter__(self) -> Self:
        """Take the place if it is free; `is_held` tells."""
        now = time.time()
        with self._session.write() as tx:
            found = tx.service_processes.find(self._name)
            is_free = found is None or not is_alive(found, now=now)
            if is_free:
                record = ServiceProcessRecord(
                    name=self._name, owner=self._owner, heartbeat_at=now, facts=self._facts
                )
                tx.service_processes.put(record)
        self.is_held = is_free
        if is_free:
            self._beating.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop the heartbeat. What was written stays, so that the next process finds the facts."""
        self.is_held = False
        self._stop.set()
        if self._beating.is_alive():
            self._beating.join()

    def give_up(self, tx: Writer) -> None:
        """Free the place in a transaction that made sure that there is nothing left to do."""
        tx.service_processes.remove(self._name, self._owner)
        self.is_held = False

    def _beat(self) -> None:
        folder, n_looks = self._session.state_dir, 0
        while not self._stop.wait(HEARTBEAT_SECONDS):
            # A database whose file was deleted can still be read and written by who has it open.
            n_looks = 0 if folder.is_dir() or not self._has_folder else n_looks + 1
            if n_looks == MOST_LOOKS:
                logger.warning("the workspace's folder is gone; the %s ends", self._name)
                self.is_held = False
                return
            try:
                with self._session.write() as tx:
                    is_ours = tx.service_processes.beat(self._name, self._owner)
            except (NbAutoMLError, OSError) as error:
                logger.warning("no heartbeat of the %s was written: %s", self._name, error)
                continue
            if not is_ours:
                logger.warning("another process is the %s now; this one ends", self._name)
                self.is_held = False
                return
