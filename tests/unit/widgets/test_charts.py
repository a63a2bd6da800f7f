"""Charts of a model as plotly figures."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from nbautoml import Experiment, Run, Workspace, metric_charts
from nbautoml.domain.records import RunRecord
from nbautoml.domain.status import RunStatus
from nbautoml.errors import NotFoundError
from nbautoml.runs.child_process import environment

MATRIX = {"data": {"class_labels": ["no", "</script><b>yes"], "matrix": [[3, 1], [0, 4]]}}


@pytest.fixture
def child(tmp_path: Path) -> Run:
    """A child run with one chart."""
    workspace = Workspace.create("w", path=str(tmp_path / "w"))
    experiment = Experiment(workspace, "e")
    session = workspace.session
    with session.write() as tx:
        tx.experiments.get_or_create("e")
        for run_id, parent in (("AutoML_x", None), ("AutoML_x_0", "AutoML_x")):
            tx.runs.create(
                RunRecord(
                    id=run_id,
                    experiment="e",
                    type="automl" if parent is None else "automl.child",
                    status=RunStatus.COMPLETED,
                    created_at=1.0,
                    parent_id=parent,
                    number=None if parent is None else 0,
                )
            )
    session.save_artifacts("AutoML_x_0", {"confusion_matrix": json.dumps(MATRIX).encode()})
    return Run(experiment, "AutoML_x_0")


def test_a_child_has_figures_of_plotlys(child: Run) -> None:
    charts = metric_charts(child)
    assert list(charts) == ["confusion_matrix", "confusion_matrix_normalized"]
    figure = charts["confusion_matrix"]
    assert figure.layout.title.text == "Confusion matrix"
    assert figure.data[0].z[0][0] == 3


def test_a_run_without_charts_has_none(child: Run) -> None:
    assert metric_charts(Run(child.experiment, "AutoML_x")) == {}


def test_an_unknown_child_is_told(child: Run) -> None:
    from nbautoml import AutoMLRun

    parent = AutoMLRun(child.experiment, "AutoML_x")
    assert list(metric_charts(parent, iteration=0)) != []
    with pytest.raises(NotFoundError):
        metric_charts(parent, iteration=7)


def test_one_chart_is_a_page_that_needs_nothing_else(child: Run, tmp_path: Path) -> None:
    target = tmp_path / "chart.html"
    command = ["nbautoml.widgets.charts", "AutoML_x_0", "confusion_matrix", str(target)]
    subprocess.run(
        [sys.executable, "-m", *command], env=environment(child.session, "AutoML_x"), check=True
    )
    page = target.read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert 'src="http' not in page
    assert "</script><b>yes" not in page
