"""A run that a form starts: in a workspace of its own, with a process that outlives the asking."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sklearn.datasets import load_wine

from nbautoml import Workspace
from nbautoml.services.data import run_columns
from nbautoml.services.sessions import SessionPool
from nbautoml.services.wizard import Wizard
from nbautoml.services.workspaces import known_workspaces

pytestmark = pytest.mark.integration

SETTINGS = {
    "label_column_name": "target",
    "task": "classification",
    "iterations": "2",
    "allowed_models": ["LogisticRegression"],
    "n_cross_validations": "2",
}


@pytest.fixture
def wizard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wizard]:
    monkeypatch.setenv("NBAUTOML_HOME", str(tmp_path / "home"))
    root = tmp_path / "my project"
    root.mkdir()
    load_wine(as_frame=True).frame.to_csv(root / "wine.csv", index=False)
    pool = SessionPool()
    wizard = Wizard(root, pool)
    yield wizard
    wizard.close()
    pool.close()


def test_run_now_makes_a_workspace_and_completes(wizard: Wizard, tmp_path: Path) -> None:
    form = {"settings": SETTINGS, "columns": {"ash": "drop"}, "experiment": ""}
    started = wizard.start("", {"source": "file:wine.csv", "folder": "", "form": form})
    workspace = Workspace.from_config(tmp_path / "my project")
    assert (workspace.name, started["workspace"]) == ("my-project", str(tmp_path / "my project"))
    assert [known.root for known in known_workspaces()] == [started["workspace"]]
    run = workspace.get_run(started["run_id"])
    assert run.experiment.name == "wine"
    run.wait_for_completion()
    assert run.get_status() == "Completed"
    columns = run_columns(workspace.session, run.id)["columns"]
    assert [column["name"] for column in columns if not column["used"]] == ["ash"]
    workspace.session.close()
