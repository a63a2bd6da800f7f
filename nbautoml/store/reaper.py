"""Finding runs whose process is gone."""

from __future__ import annotations

import os
import socket

import psutil

from nbautoml.domain.records import Owner, RunRecord
from nbautoml.domain.status import TERMINAL, RunStatus
from nbautoml.store.session import Session

_SAME_START_SECONDS = 1.0
"""Start times this close are equal: they are derived from the wall clock, which is adjusted."""


def this_process() -> Owner:
    """Return the calling process as an owner of runs."""
    started_at = psutil.Process().create_time()
    return Owner(host=socket.gethostname(), pid=os.getpid(), started_at=started_at)


def find_orphans(session: Session, *, now: float, grace_seconds: float = 30.0) -> list[RunRecord]:
    """Return the live runs whose owner is dead (see `is_orphan`), newest first; changes nothing.

    Parameters
    ----------
    session : Session
        The workspace.
    now : float
        Seconds since the epoch.
    grace_seconds : float, default 30
        How long a heartbeat may be missing.
    """
    with session.read() as tx:
        live = tx.runs.list(
            include_children=True, statuses=[s for s in RunStatus if s not in TERMINAL]
        )
    return [run for run in live if is_orphan(run, now=now, grace_seconds=grace_seconds)]


def is_orphan(run: RunRecord, *, now: float, grace_seconds: float = 30.0) -> bool:
    """Whether a run's owner is dead, as far as it can be seen from here.

    An owner on this host is dead when its process is. A process with the owner's pid but
    another start time is not the owner; as a clock that was set moves start times too, the
    run then also has to be without a heartbeat for `grace_seconds`. The same silence is the
    sign for owners on other hosts, and for runs that were handed over but not yet taken
    (``NotStarted``). A run without an owner is no orphan.

    Parameters
    ----------
    run : RunRecord
        A live run.
    now : float
        Seconds since the epoch.
    grace_seconds : float, default 30
        How long a heartbeat may be missing.
    """
    if run.owner is None:
        return False
    is_silent = (run.heartbeat_at or run.created_at) < now - grace_seconds
    if run.owner.host != socket.gethostname():
        return is_silent
    started_at = _start_time(run.owner.pid)
    if started_at is None:
        return is_silent or run.status is not RunStatus.NOT_STARTED
    return is_silent and abs(started_at - run.owner.started_at) > _SAME_START_SECONDS


def is_owner_alive(owner: Owner) -> bool:
    """Whether the process of an owner on this host lives: its pid, started at that moment."""
    started_at = _start_time(owner.pid)
    return started_at is not None and abs(started_at - owner.started_at) <= _SAME_START_SECONDS


def _start_time(pid: int) -> float | None:
    """Return when the process of that pid started, None when there is none that lives."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return process.create_time()
    except psutil.NoSuchProcess:
        return None
    except psutil.AccessDenied:  # it lives, as another user: not a process of ours
        return 0.0
