"""Runs that a notebook or a program logs by hand: made at once, alive as long as their process."""

from __future__ import annotations

import logging
import threading
import time
import uuid
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nbautoml.domain.events import Event, RunDescribed, StatusChanged
from nbautoml.domain.records import Owner, RunRecord
from nbautoml.domain.status import RunStatus
from nbautoml.errors import NbAutoMLError
from nbautoml.runs.types import INTERACTIVE
from nbautoml.store.reaper import this_process
from nbautoml.store.session import Session, Writer

if TYPE_CHECKING:
    from nbautoml.runs.experiment import Experiment

BEAT_SECONDS = 10.0
"""How often the process says that it lives; others on other machines wait 30 seconds for it."""
_LOG = logging.getLogger(__name__)


def start_interactive(
    experiment: Experiment, *, display_name: str = "", tags: Mapping[str, str] | None = None
) -> str:
    """Make a run of this process, which is running; return its id.

    Parameters
    ----------
    experiment : Experiment
        Where the run belongs.
    display_name : str, default ""
        A name for people.
    tags : mapping of str to str, optional
        Kept with the run.
    """
    session, owner = experiment.session, this_process()
    record = RunRecord(
        id=str(uuid.uuid4()),
        experiment=experiment.name,
        type=INTERACTIVE,
        status=RunStatus.NOT_STARTED,
        created_at=time.time(),
        display_name=display_name,
        settings={"compute_target": "local"},
        tags={k: str(v) for k, v in (tags or {}).items()},
        owner=owner,
        heartbeat_at=time.time(),
    )
    with session.write() as tx:
        _create(tx, record, is_started=True)
    threading.Thread(
        target=_beat,
        args=(weakref.ref(session), record.id, owner),
        name=f"beat-{record.id}",
        daemon=True,
    ).start()
    return record.id


@dataclass(frozen=True, slots=True, kw_only=True)
class NewChild:
    """What a child is to be: a name for people, its id (None for a new one), and its tags."""

    name: str = ""
    id: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


def add_child(
    session: Session,
    parent_id: str,
    *,
    name: str = "",
    run_id: str | None = None,
    tags: Mapping[str, str] | None = None,
    is_started: bool = True,
) -> str:
    """Add a child that is logged by hand below any run; return its id.

    It lives as long as its parent does.

    Parameters
    ----------
    session : Session
        The open store.
    parent_id : str
        The run that it belongs to.
    name : str, default ""
        A name for people.
    run_id : str, optional
        Its id; a new one by default.
    tags : mapping of str to str, optional
        Kept with it.
    is_started : bool, default True
        Whether it is running, or waits for `Run.start`.
    """
    given = NewChild(name=name, id=run_id, tags=tags or {})
    return add_children(session, parent_id, [given], is_started=is_started)[0]


def add_children(
    session: Session, parent_id: str, children: Sequence[NewChild], *, is_started: bool = True
) -> list[str]:
    """Add children that are logged by hand below any run, all or none; return their ids.

    Parameters
    ----------
    session, parent_id, is_started
        As `add_child` takes them.
    children : sequence of NewChild
        What they are to be.
    """
    now = time.time()
    with session.write() as tx:
        parent = tx.runs.get(parent_id)
        records = [
            RunRecord(
                id=child.id or str(uuid.uuid4()),
                experiment=parent.experiment,
                type=INTERACTIVE,
                status=RunStatus.NOT_STARTED,
                created_at=now,
                parent_id=parent_id,
                number=number,
                display_name=child.name,
                settings={"compute_target": "local"},
                tags={k: str(v) for k, v in child.tags.items()},
            )
            for number, child in enumerate(children, tx.runs.next_number(parent_id))
        ]
        for record in records:
            _create(tx, record, is_started=is_started)
    return [record.id for record in records]


def start_run(session: Session, run_id: str) -> None:
    """Let a run that waits be running; one that is running stays so.

    Raises
    ------
    ConflictError
        When it has ended.
    """
    now = time.time()
    with session.write() as tx:
        if tx.runs.get(run_id).status is not RunStatus.RUNNING:
            tx.runs.set_status(run_id, RunStatus.RUNNING, time=now)
            tx.events.append(run_id, [StatusChanged(status=RunStatus.RUNNING)], now)


def _create(tx: Writer, record: RunRecord, *, is_started: bool) -> None:
    described = RunDescribed(
        what=INTERACTIVE, experiment=record.experiment, text=record.display_name
    )
    now = record.created_at
    events: list[Event] = [described]
    tx.experiments.get_or_create(record.experiment)
    tx.runs.create(record)
    if is_started:
        tx.runs.set_status(record.id, RunStatus.RUNNING, time=now)
        events.append(StatusChanged(status=RunStatus.RUNNING))
    tx.events.append(record.id, events, now)


def _beat(found: weakref.ref[Session], run_id: str, owner: Owner) -> None:
    """Say that the run's process lives, until the run has ended or nobody has its workspace."""
    pause = threading.Event()  # never set
    while not pause.wait(BEAT_SECONDS):
        session = found()
        if session is None or not _beat_once(session, run_id, owner):
            return
        del session


def _beat_once(session: Session, run_id: str, owner: Owner) -> bool:
    """Write a heartbeat; return whether another one is to follow."""
    try:
        with session.write() as tx:
            is_ours = tx.runs.beat(run_id, owner, time.time())
            return is_ours and not tx.runs.get(run_id).status.is_terminal
    except (NbAutoMLError, OSError) as error:
        _LOG.info("No heartbeat of run %s was written: %s", run_id, error)
        return True
