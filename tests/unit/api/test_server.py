"""Where the service listens, and when it gives way."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from nbautoml.api import server
from nbautoml.domain.records import Owner, ServiceProcessRecord
from nbautoml.errors import ConfigError
from nbautoml.pipelines.addresses import API
from nbautoml.runs.service_process import find_service
from nbautoml.store.reaper import this_process
from nbautoml.store.session import Session, open_memory_session
from nbautoml.testing.store_cases import wait_until


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with open_memory_session(root=str(tmp_path)) as session:
        yield session


def put(session: Session, owner: Owner, port: int) -> None:
    facts = {"address": f"http://127.0.0.1:{port}", "host": "127.0.0.1", "port": port}
    with session.write() as tx:
        tx.service_processes.put(
            ServiceProcessRecord(name=API, owner=owner, heartbeat_at=0.0, facts=facts)
        )


def test_it_listens_where_it_did_last(session: Session) -> None:
    with server.listen(session, "127.0.0.1", 0) as first:
        port = first.getsockname()[1]
    put(session, Owner(host=socket.gethostname(), pid=2**22 + 5, started_at=1.0), port)

    with server.listen(session, "127.0.0.1", None) as again:
        assert again.getsockname()[1] == port


def test_answers_are_sent_at_once(session: Session) -> None:
    """asyncio sets TCP_NODELAY where it sees that a socket is TCP."""
    with server.listen(session, "127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP


def test_a_port_that_is_taken_is_left(session: Session) -> None:
    with server.listen(session, "127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        put(session, this_process(), port)
        with server.listen(session, "127.0.0.1", None) as second:
            assert second.getsockname()[1] != port
        with pytest.raises(ConfigError, match=f"port {port}"):
            server.listen(session, "127.0.0.1", port)


def test_an_address_of_another_machine_is_refused(session: Session) -> None:
    with pytest.raises(ConfigError, match=r"192\.0\.2\.1"):
        server.listen(session, "192.0.2.1", None)


def test_a_second_service_gives_way(session: Session) -> None:
    put(session, this_process(), 1)
    with server.listen(session, "127.0.0.1", 0) as listener:
        assert not server.serve(session, listener, "127.0.0.1")


def test_it_answers_and_ends_when_its_place_is_taken(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_LOOK_SECONDS", 0.02)
    monkeypatch.setattr("nbautoml.runs.service_process.HEARTBEAT_SECONDS", 0.02)
    with server.listen(session, "127.0.0.1", 0) as listener:
        arguments = (session, listener, "127.0.0.1")
        thread = threading.Thread(target=server.serve, args=arguments)
        thread.start()
        wait_until(lambda: find_service(session, API) is not None)
        found = find_service(session, API)
        assert found is not None

        answer = httpx.get(f"{found.facts['address']}/healthz")
        assert (answer.text, "server" in answer.headers) == ("Healthy", False)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        put(session, Owner(host="elsewhere", pid=1, started_at=1.0), 1)
        thread.join(10.0)

    assert not thread.is_alive()
