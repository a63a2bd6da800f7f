"""Inside a run, a script finds the run it belongs to."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from nbautoml.domain.records import RunRecord
from nbautoml.domain.status import RunStatus
from nbautoml.runs.child_process import environment
from nbautoml.runs.workspace_handle import ContextWorkspace
from nbautoml.store.session import create_session
from nbautoml.workspace.config_file import address_for

SCRIPT = """
from nbautoml import Run
run = Run.get_context()
run.log("accuracy", 0.5)
print(run.id, run.experiment.name, run.experiment.workspace.name)
"""


def test_the_workspace_of_a_script_has_all_that_a_workspace_has(tmp_path: Path) -> None:
    with create_session(address_for("w", tmp_path)) as session:
        workspace = ContextWorkspace(session)

        assert workspace.name == "w"
        assert workspace.get_default_datastore().name == "workspaceblobstore"
        assert dict(workspace.datasets) == {}
        with pytest.raises(AttributeError, match="has no attribute 'dataset'"):
            workspace.dataset  # noqa: B018 - asking for it is what is tested
        with pytest.raises(AttributeError):
            workspace._repr_svg_  # noqa: B018


def test_a_script_in_a_run_logs_to_it(tmp_path: Path) -> None:
    with create_session(address_for("w", tmp_path)) as session:
        with session.write() as tx:
            tx.experiments.get_or_create("e")
            tx.runs.create(
                RunRecord(
                    id="r",
                    experiment="e",
                    type="automl.child",
                    status=RunStatus.RUNNING,
                    created_at=time.time(),
                )
            )
        result = subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env=environment(session, "r"),
            capture_output=True,
            text=True,
            check=True,
        )
        assert result.stdout.split() == ["r", "e", "w"]
        with session.read() as tx:
            assert [p.value for p in tx.metrics.get("r")["accuracy"]] == [0.5]
