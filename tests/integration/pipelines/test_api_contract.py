"""The OpenAPI document and the REST service agree, as far as a fuzzer can tell.

What starts a run is a stand-in here, because the fuzzer starts hundreds.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbautoml.api import server
from nbautoml.data.datastore import Datastore
from nbautoml.pipelines.addresses import API
from nbautoml.pipelines.endpoint import PipelineEndpoint
from nbautoml.runs import service_process
from nbautoml.runs.service_process import find_service
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.store.reaper import this_process
from nbautoml.store.session import Session, create_session
from nbautoml.testing.store_cases import wait_until
from nbautoml.workspace.api_tokens import create_token
from nbautoml.workspace.config_file import address_for
from tests.unit.pipelines.published_cases import publish, stand_in

pytestmark = pytest.mark.integration

MAX_EXAMPLES = 30


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with create_session(address_for("w", tmp_path)) as session:
        yield session


@pytest.fixture
def address(session: Session, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(server, "_LOOK_SECONDS", 0.05)
    monkeypatch.setattr(service_process, "HEARTBEAT_SECONDS", 0.05)
    stand_in(monkeypatch)
    workspace = WorkspaceHandle(session)
    Datastore(workspace)
    PipelineEndpoint.publish(workspace, "best model", None, publish(workspace))
    with server.listen(session, "127.0.0.1", 0) as listener:
        thread = threading.Thread(target=server.serve, args=(session, listener, "127.0.0.1"))
        thread.start()
        wait_until(lambda: find_service(session, API) is not None)
        found = find_service(session, API)
        assert found is not None
        yield str(found.facts["address"])
        with session.write() as tx:
            tx.service_processes.remove(API, this_process())
        thread.join(20.0)


def test_a_fuzzer_finds_nothing(session: Session, address: str, tmp_path: Path) -> None:
    token, _ = create_token(session, "fuzzer")
    done = subprocess.run(
        [
            *(Path(sys.executable).with_name("schemathesis"), "run"),
            f"{address}/openapi.json",
            *("--header", f"Authorization: Bearer {token}"),
            *("--max-examples", str(MAX_EXAMPLES), "--seed", "1"),
            *("--phases", "coverage,fuzzing"),
            *("--suppress-health-check", "all", "--no-color"),
        ],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
        timeout=240,
    )

    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
