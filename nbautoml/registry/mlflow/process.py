"""The mirror's own process: nothing that a tracking server does or does not do harms a run.

It is started with each run of a workspace that has a mirror, ends when there is nothing left to
send, and holds a lock, so that there is one of it. It only reads the workspace's store.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from nbautoml.domain.records import SessionAddress
from nbautoml.errors import NbAutoMLError
from nbautoml.registry.extras import check_extra
from nbautoml.registry.mlflow.ledger import Ledger
from nbautoml.registry.mlflow.mirror import Mirror
from nbautoml.registry.mlflow.settings import local_uri, mirror_folder, mirror_uri, set_mirror
from nbautoml.registry.mlflow.tracker import MlflowTracker, Tracker
from nbautoml.store.detached import import_environment, start_detached
from nbautoml.store.session import Session, open_session

logger = logging.getLogger(__name__)

ADDRESS_VARIABLE = "NBAUTOML_MIRROR_ADDRESS"
LOG = "mirror.log"
_LOCK, _WANTED = "lock", "wanted"
_MOST_LOG_BYTES = 1_000_000
LOOK_SECONDS = 1.0
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 1.0, 60.0
PATIENCE_SECONDS = 600.0
"""A server that is away for so long is given up, once no run is under way; the next run asks it
again."""
_HTTP = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
}
"""MLflow's own are two minutes and seven times; the mirror asks again itself."""


def mirror(session: Session, tracking_uri: str | None = None) -> str:
    """Mirror the runs of a workspace, the ones there are and those to come.

    Parameters
    ----------
    session : Session
        The open workspace.
    tracking_uri : str, optional
        Address of an MLflow server or database; the workspace's own file when not given.

    Returns
    -------
    str
        The address.

    Raises
    ------
    ConfigError
        When the address is none.
    MissingExtraError
        When the extra ``mlflow`` is not installed.
    """
    check_extra("mlflow", extra="mlflow", purpose="mirror runs to MLflow")
    address = tracking_uri or local_uri(session)
    set_mirror(session, address)
    start_mirror(session)
    return address


def start_mirror(session: Session) -> None:
    """Start the mirror of a workspace, if it has one that is not at work already.

    Parameters
    ----------
    session : Session
        The open workspace.
    """
    try:
        if mirror_uri(session) is not None:
            _start(session, mirror_folder(session))
    except (OSError, ValueError) as error:  # no run is to fail for the sake of its mirror
        logger.warning("the mirror to MLflow was not started: %s", error)


def _start(session: Session, folder: Path) -> None:
    (folder / _WANTED).touch()
    with _lock(folder) as is_ours:
        if not is_ours:
            return  # it sees the new stamp before it ends
    log = folder / LOG
    if log.is_file() and log.stat().st_size > _MOST_LOG_BYTES:
        log.replace(log.with_name(f"{LOG}.1"))
    address = json.dumps(asdict(session.address))
    env = import_environment() | _HTTP | {ADDRESS_VARIABLE: address}
    with log.open("ab") as output:
        start_detached(__name__, env=env, folder=session.root, log=output)


@contextmanager
def _lock(folder: Path) -> Iterator[bool]:
    """Hold the lock of a workspace's mirror; false where another process holds it."""
    with (folder / _LOCK).open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def follow(
    session: Session,
    tracker: Tracker,
    *,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Mirror until there is nothing left to send, the server is given up, or the mirror is off.

    Parameters
    ----------
    session : Session
        The open workspace.
    tracker : Tracker
        The server.
    sleep : callable
        Waits for some seconds.
    clock : callable
        Seconds.
    """
    address = mirror_uri(session)
    if address is None:
        return
    made = Mirror(session, tracker, Ledger.of(mirror_folder(session), address))
    expected: tuple[type[Exception], ...] = (*tracker.errors, OSError, NbAutoMLError)
    wait, failing_since = FIRST_WAIT_SECONDS, clock()
    while mirror_uri(session) == address:
        try:
            is_under_way = made.sync()
        except expected as error:
            logger.warning("%s cannot be written to: %s", address, _first_line(error))
            if clock() - failing_since > PATIENCE_SECONDS and not _is_under_way(session):
                return
            sleep(wait)
            wait = min(2.0 * wait, LONGEST_WAIT_SECONDS)
            continue
        wait, failing_since = FIRST_WAIT_SECONDS, clock()
        if not is_under_way:
            return
        sleep(LOOK_SECONDS)


def _is_under_way(session: Session) -> bool:
    with session.read() as tx:
        return any(not run.status.is_terminal for run in tx.runs.list())


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


def main() -> int:
    """Mirror the workspace that the environment names; return the exit code."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    session = open_session(SessionAddress(**json.loads(os.environ[ADDRESS_VARIABLE])))
    folder = mirror_folder(session)
    try:
        while True:
            stamp = _stamp(folder)
            with _lock(folder) as is_ours:
                if not is_ours:
                    return 0
                follow(session, MlflowTracker(mirror_uri(session) or ""))
            if _stamp(folder) == stamp:  # no run was started since the last look
                return 0
    finally:
        session.close()


def _stamp(folder: Path) -> int:
    try:
        return (folder / _WANTED).stat().st_mtime_ns
    except FileNotFoundError:
        return 0


if __name__ == "__main__":
    sys.exit(main())
