"""The REST service's process: asked for, refused, found and stopped."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from nbautoml.domain.records import Owner, ServiceProcessRecord
from nbautoml.errors import ConfigError, ConflictError, StoreError
from nbautoml.pipelines.addresses import API, DEFAULT_ADDRESS, api_address, pipeline_address
from nbautoml.runs import service_process
from nbautoml.services import api
from nbautoml.store.reaper import this_process
from nbautoml.store.session import Session, create_session, open_memory_session
from nbautoml.workspace import api_process
from nbautoml.workspace.api_process import api_status, start_api, stop_api
from nbautoml.workspace.config_file import address_for

FACTS = {"address": "http://127.0.0.1:4321", "host": "127.0.0.1", "port": 4321}


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with create_session(address_for("w", tmp_path)) as session:
        yield session


def put(session: Session, owner: Owner) -> None:
    record = ServiceProcessRecord(name=API, owner=owner, heartbeat_at=1e12, facts=FACTS)
    with session.write() as tx:
        tx.service_processes.put(record)


@pytest.fixture
def started(session: Session, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What was started, in place of processes."""
    found: list[tuple[str, ...]] = []

    def start(module: str, *arguments: str, **_options: Any) -> int:
        found.append((module, *arguments))
        put(session, this_process())
        return 1

    monkeypatch.setattr(service_process, "start_detached", start)
    return found


def test_a_service_is_started_once(session: Session, started: list[tuple[str, ...]]) -> None:
    assert start_api(session) == FACTS["address"]
    assert start_api(session) == FACTS["address"]
    assert start_api(session, port=4321) == FACTS["address"]
    assert started == [("nbautoml.api.server", "127.0.0.1")]


def test_a_port_and_a_host_are_handed_on(session: Session, started: list[tuple[str, ...]]) -> None:
    start_api(session, host="0.0.0.0", port=5, allow_remote=True)

    assert started == [("nbautoml.api.server", "0.0.0.0", "5")]


def test_a_service_at_another_place_is_a_conflict(
    session: Session, started: list[tuple[str, ...]]
) -> None:
    start_api(session)
    with pytest.raises(ConflictError, match=r"runs already, at http://127\.0\.0\.1:4321"):
        start_api(session, port=1)
    with pytest.raises(ConflictError):
        start_api(session, host="::1")


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.2", "example.org", "::"])
def test_other_machines_are_let_in_on_purpose_alone(
    session: Session, started: list[tuple[str, ...]], host: str
) -> None:
    with pytest.raises(ConfigError, match="allow_remote=True"):
        start_api(session, host=host)
    assert started == []


@pytest.mark.parametrize("port", [-1, 65_536])
def test_a_port_that_is_none_is_refused(session: Session, port: int) -> None:
    with pytest.raises(ConfigError, match="0 to 65535"):
        start_api(session, port=port)


def test_a_workspace_in_memory_has_no_service() -> None:
    with open_memory_session() as session, pytest.raises(ConfigError, match="in memory"):
        start_api(session)


def test_a_service_that_does_not_start_says_why(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(_module: str, *_arguments: str, log: Any, **_options: Any) -> int:
        log.write(b"the port is taken\n")
        return 1

    monkeypatch.setattr(service_process, "start_detached", start)
    monkeypatch.setattr(api_process, "START_SECONDS", 0.05)

    with pytest.raises(StoreError, match="the port is taken"):
        start_api(session)


def test_a_service_is_stopped(session: Session) -> None:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    started_at = psutil.Process(process.pid).create_time()
    put(session, Owner(host=socket.gethostname(), pid=process.pid, started_at=started_at))

    assert api_status(session)["pid"] == process.pid
    assert stop_api(session)
    assert process.wait() != 0
    assert not stop_api(session)


def test_a_service_that_does_not_end_is_killed(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_process, "STOP_SECONDS", 0.1)
    stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True);"
    process = subprocess.Popen(
        [sys.executable, "-c", f"{stubborn} time.sleep(60)"], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    started_at = psutil.Process(process.pid).create_time()
    put(session, Owner(host=socket.gethostname(), pid=process.pid, started_at=started_at))

    assert stop_api(session)
    assert process.wait() == -9
    process.stdout.close()


def test_a_service_elsewhere_is_stopped_there(session: Session) -> None:
    put(session, Owner(host="elsewhere", pid=1, started_at=1.0))

    with pytest.raises(ConflictError, match="runs on elsewhere"):
        stop_api(session)


def test_addresses_stay_when_the_service_has_ended(session: Session) -> None:
    assert api_address(session) == DEFAULT_ADDRESS
    put(session, Owner(host=socket.gethostname(), pid=2**22 + 5, started_at=1.0))

    assert pipeline_address(session, "p").startswith("http://127.0.0.1:4321/pipelines/")
    assert api.service(session) == {
        "is_running": False,
        "address": FACTS["address"],
        "host": None,
        "pid": None,
    }
    assert not api.stop_service(session)


def test_fronts_start_the_service(session: Session, started: list[tuple[str, ...]]) -> None:
    assert api.start_service(session, port=7)["is_running"]
    assert started == [("nbautoml.api.server", "127.0.0.1", "7")]


def test_fronts_see_the_state_of_tokens(session: Session) -> None:
    made = api.new_token(session, "cron", scopes=["read"], days=1.0)
    old = api.new_token(session, "old", days=1e-9)
    api.end_token(session, made["id"])

    rows = {row["id"]: row for row in api.tokens(session)}

    assert rows[made["id"]]["state"] == "revoked"
    assert rows[old["id"]]["state"] == "expired"
    assert "token" not in rows[made["id"]]
