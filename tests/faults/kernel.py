"""What a notebook's kernel does: opens or makes a workspace, submits a run, waits for it.

    python -m tests.faults.kernel '{"folder": ..., "work": "scripted", "settings": {...}}'

It writes the run's id on one line, then waits; it may be killed at any moment.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from nbautoml.domain.ids import new_run_id
from nbautoml.domain.records import RunRecord
from nbautoml.domain.status import RunStatus
from nbautoml.runs.controller import launch
from nbautoml.runs.experiment import Experiment
from nbautoml.runs.run import Run
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.store.session import Session, create_session, open_session
from nbautoml.testing.scripted_work import TYPE
from nbautoml.workspace.config_file import FACTS, WorkspaceFile, address_for, write_config

NAME, EXPERIMENT = "faults", "faults"


def main() -> None:
    """Do what the command line says."""
    given: dict[str, Any] = json.loads(sys.argv[1])
    folder = Path(given["folder"])
    address = address_for(NAME, folder, store_url=given.get("store_url"))
    if given.get("open"):
        run = Run(Experiment(WorkspaceHandle(open_session(address)), EXPERIMENT), given["open"])
    elif given["work"] == "automl":
        run = submit_automl(folder, given["settings"], given.get("store_url"))
    else:
        session = create_session(address)
        file = WorkspaceFile(address=address, facts=FACTS)
        write_config(file, folder / ".nbautoml" / "config.json")
        run = submit_scripted(session, given["settings"])
    sys.stdout.write(f"{run.id}\n")
    sys.stdout.flush()
    run.wait_for_completion(raise_on_error=False)


def submit_scripted(session: Session, settings: dict[str, Any]) -> Run:
    """Start a run whose trials are written down."""
    if "compute_target" in settings:
        make_cluster(session, settings["compute_target"])
    run_id = new_run_id("Scripted")
    with session.write() as tx:
        tx.experiments.get_or_create(EXPERIMENT)
        tx.runs.create(
            RunRecord(
                id=run_id,
                experiment=EXPERIMENT,
                type=TYPE,
                status=RunStatus.NOT_STARTED,
                created_at=time.time(),
                settings=settings,
            )
        )
    launch(session, run_id)
    return Run(Experiment(WorkspaceHandle(session), EXPERIMENT), run_id)


def make_cluster(session: Session, name: str) -> None:
    """Start a managed cluster of two nodes."""
    from nbautoml.compute import ComputeTarget, DaskCluster

    config = DaskCluster.provisioning_configuration(0, 2, cores=1, idle_seconds=60.0)
    ComputeTarget.create(WorkspaceHandle(session), name, config)


def submit_automl(folder: Path, settings: dict[str, Any], store_url: str | None) -> Run:
    """Start an AutoML run with families that fit in no time."""
    from sklearn.datasets import load_breast_cancer

    from nbautoml import AutoMLConfig, Workspace

    workspace = Workspace.create(NAME, path=folder, store_url=store_url)
    frame = load_breast_cancer(as_frame=True).frame.iloc[:, -9:]
    config = AutoMLConfig(
        task="classification",
        training_data=frame,
        label_column_name="target",
        primary_metric="AUC_weighted",
        n_cross_validations=3,
        allowed_models=["LogisticRegression", "LightGBM", "KNN"],
        model_explainability=False,
        enable_early_stopping=False,
        **settings,
    )
    run: Run = Experiment(workspace, EXPERIMENT).submit(config)
    return run


if __name__ == "__main__":
    main()
