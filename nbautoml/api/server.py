"""The service's own process: it listens, takes its place, and answers until it is stopped."""

from __future__ import annotations

import logging
import socket
import sys
import threading

import uvicorn

from nbautoml.api.app import make_app
from nbautoml.errors import ConfigError
from nbautoml.pipelines.addresses import API, API_PORT
from nbautoml.runs.child_process import own_address
from nbautoml.runs.recovery import Rescue
from nbautoml.runs.service_process import Claim
from nbautoml.store.patience import patiently
from nbautoml.store.session import Session, open_session
from nbautoml.workspace.api_process import LOOPBACK, is_loopback

logger = logging.getLogger(__name__)

MOST_AT_ONCE = 100
"""Requests that are worked on; more are told to come again."""
_BACKLOG = 128
_HEADERS = [("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-store")]
"""Nobody between guesses what an answer is, or keeps it."""
_LOOK_SECONDS = 1.0
_CLOSING_SECONDS = 5


def listen(session: Session, host: str, port: int | None) -> socket.socket:
    """Return a socket that listens: at a port, or where the service was last, or anywhere.

    Raises
    ------
    ConfigError
        When that port, or that address of the machine, cannot be had.
    """
    wanted = [port] if port is not None else [*_last_port(session), API_PORT, 0]
    for number in wanted:
        try:
            return _bound(host, number)
        except OSError as error:
            reason = error
            if port is not None:
                break
    raise ConfigError(f"The service cannot listen at {host}, port {wanted[-1]}: {reason}.")


def serve(session: Session, listener: socket.socket, host: str) -> bool:
    """Answer requests until a signal comes; return False when another process has the place.

    Parameters
    ----------
    session : Session
        The open store.
    listener : socket.socket
        Where callers come in; it listens already.
    host : str
        The address that it listens at.
    """
    port = listener.getsockname()[1]
    shown = f"[{host}]" if ":" in host else host
    facts = {"address": f"http://{shown}:{port}", "host": host, "port": port}
    with Claim(session, API, facts) as claim:
        if not claim.is_held:
            return False
        config = uvicorn.Config(
            make_app(session, is_local=is_loopback(host)),
            log_config=None,
            access_log=False,
            server_header=False,
            headers=_HEADERS,
            proxy_headers=False,
            ws="none",
            lifespan="off",
            limit_concurrency=MOST_AT_ONCE,
            timeout_graceful_shutdown=_CLOSING_SECONDS,
        )
        server = uvicorn.Server(config)
        watched = (claim, server, Rescue(session))
        watch = threading.Thread(target=_watch, args=watched, daemon=True)
        watch.start()
        logger.info("listening at %s", facts["address"])
        server.run(sockets=[listener])
    return True


def main(arguments: list[str]) -> int:
    """Serve the workspace that the environment names; return the exit code.

    Parameters
    ----------
    arguments : list of str
        The address to listen at, and optionally the port.
    """
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    host = arguments[0] if arguments else LOOPBACK
    port = int(arguments[1]) if len(arguments) > 1 else None
    session = patiently(lambda: open_session(own_address()))
    try:
        with listen(session, host, port) as listener:
            return 0 if serve(session, listener, host) else 1
    finally:
        session.close()


def _last_port(session: Session) -> list[int]:
    with session.read() as tx:
        record = tx.service_processes.find(API)
    return [int(record.facts["port"])] if record and "port" in record.facts else []


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named, because asyncio sends small answers at once (TCP_NODELAY) only where it is: 44 to 1 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _watch(claim: Claim, server: uvicorn.Server, rescue: Rescue) -> None:
    """End the server when another process has its place; see meanwhile that no run is lost."""
    pause = threading.Event()
    while claim.is_held:
        rescue.look()
        pause.wait(_LOOK_SECONDS)
    server.should_exit = True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
