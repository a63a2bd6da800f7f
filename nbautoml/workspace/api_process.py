"""Starting and stopping the REST service of a workspace."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import signal
import socket
import time
from typing import Any  # Any: JSON values

from nbautoml.domain.records import ServiceProcessRecord
from nbautoml.errors import ConfigError, ConflictError, StoreError
from nbautoml.pipelines.addresses import API, api_address
from nbautoml.runs.service_process import find_service, service_log, start_service
from nbautoml.store.reaper import is_owner_alive
from nbautoml.store.session import Session

LOOPBACK = "127.0.0.1"
START_SECONDS = 30.0
STOP_SECONDS = 10.0
_MODULE = "nbautoml.api.server"
_POLL_SECONDS = 0.05
_LOG_CHARACTERS = 2_000


def start_api(
    session: Session,
    *,
    host: str = LOOPBACK,
    port: int | None = None,
    allow_remote: bool = False,
) -> str:
    """Start the service, unless it runs; return its address when it answers.

    Parameters
    ----------
    session : Session
        The open store.
    host : str, default "127.0.0.1"
        Address of this machine to listen at. Any but loopback needs `allow_remote`.
    port : int, optional
        Where to listen; by default where it did last, or another where that is taken.
    allow_remote : bool, default False
        Whether other machines may be let in.

    Raises
    ------
    ConfigError
        When the host is not loopback and that was not allowed.
    ConflictError
        When it runs at another host or port than those asked for.
    StoreError
        When it did not start.
    """
    _check(session, host, port, allow_remote=allow_remote)
    running = find_service(session, API)
    if running is None:
        words = [host] if port is None else [host, str(port)]
        start_service(session, API, _MODULE, *words)
        running = _wait(session)
    elif _is_elsewhere(running, host, port):
        raise ConflictError(
            f"The service runs already, at {running.facts['address']}. Stop it first: "
            "ws.stop_api(), or nbautoml api stop."
        )
    return str(running.facts["address"])


def stop_api(session: Session) -> bool:
    """End the service; return whether it ran.

    Raises
    ------
    ConflictError
        When it runs on another machine.
    """
    running = find_service(session, API)
    if running is None:
        return False
    owner = running.owner
    if owner.host != socket.gethostname():
        raise ConflictError(f"The service runs on {owner.host}; it can be stopped only there.")
    with contextlib.suppress(ProcessLookupError):
        os.kill(owner.pid, signal.SIGTERM)
    end = time.monotonic() + STOP_SECONDS
    while is_owner_alive(owner):
        if time.monotonic() > end:
            with contextlib.suppress(ProcessLookupError):
                os.kill(owner.pid, signal.SIGKILL)
            end = float("inf")
        time.sleep(_POLL_SECONDS)
    return True


def api_status(session: Session) -> dict[str, Any]:
    """Return how the service stands.

    Returns
    -------
    dict
        ``is_running``, ``address`` (where it is, was last or will be), ``host`` and ``pid`` of the
        machine and the process, None where it does not run.
    """
    running = find_service(session, API)
    return {
        "is_running": running is not None,
        "address": api_address(session),
        "host": running.owner.host if running else None,
        "pid": running.owner.pid if running else None,
    }


def is_loopback(host: str) -> bool:
    """Whether an address is reached from this machine alone.

    Examples
    --------
    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _check(session: Session, host: str, port: int | None, *, allow_remote: bool) -> None:
    if session.engine.is_private or session.engine.is_read_only:
        raise ConfigError(
            "The service is a process of its own, which this workspace cannot be shared with: it "
            "is in memory, or can only be read."
        )
    if port is not None and not 0 <= port <= 65_535:
        raise ConfigError(f"port of the service must be 0 to 65535; got {port!r}.")
    if not is_loopback(host) and not allow_remote:
        raise ConfigError(
            f"At {host!r} other machines can call the service. If that is meant, say "
            "allow_remote=True (--allow-remote), and put a proxy with TLS before it: tokens and "
            "data travel in clear text."
        )


def _is_elsewhere(running: ServiceProcessRecord, host: str, port: int | None) -> bool:
    facts = running.facts
    is_other_host = host not in (LOOPBACK, facts["host"])  # the default asks for none
    return is_other_host or port not in (None, 0, facts["port"])


def _wait(session: Session) -> ServiceProcessRecord:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        running = find_service(session, API)
        if running is not None:  # it listens before it says that it is there
            return running
        time.sleep(_POLL_SECONDS)
    said = service_log(session, API).read_text(encoding="utf-8", errors="replace")
    raise StoreError(f"The service did not start: {said[-_LOG_CHARACTERS:]}")
