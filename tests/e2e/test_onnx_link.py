"""A model as ONNX, saved from the leaderboard of a real run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.e2e.driver import NotebookPage
from tests.e2e.test_run_view import check_quiet, run_view, shoot

pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

SETUP = """
from sklearn.datasets import load_iris
frame = load_iris(as_frame=True).frame
%load_ext nbautoml
"""
SUBMIT = """%%automl frame --experiment onnx
label: target
task: classification
iterations: 1
n_cross_validations: 2
allowed_models: [LogisticRegression]
enable_voting_ensemble: false
enable_stack_ensemble: false
model_explainability: false
{more}
"""
ASKED = "enable_onnx_compatible_models: true"


def open_model(page: NotebookPage, name: str, more: str) -> None:
    """Run a search for one model, and open its row."""
    (page.server.root / name).mkdir()
    page.server.write_notebook(f"{name}/run.ipynb", [SETUP, SUBMIT.format(more=more)])
    page.open(f"{name}/run.ipynb")
    page.run_cell(0)
    page.run_cell(1)
    view = run_view(page)
    expect(view.locator(".nba-status")).to_have_text("Completed", timeout=120_000)
    view.locator("tbody tr[data-n]").first.click()
    expect(view.get_by_role("link", name="Download model")).to_be_visible()


def test_the_model_is_saved_as_a_graph_that_answers(lab_page: NotebookPage) -> None:
    open_model(lab_page, "onnx-asked", ASKED)
    link = run_view(lab_page).get_by_role("link", name="Download ONNX")
    with lab_page.page.expect_download(timeout=120_000) as download:
        link.click()
    graph = onnxruntime.InferenceSession(Path(download.value.path()).read_bytes())
    rows = {one.name: np.array([[1.5]]) for one in graph.get_inputs()}
    assert len(rows) == 4
    label, probabilities = graph.run(["label", "probabilities"], rows)
    assert np.ravel(label)[0] == np.argmax(probabilities)
    assert np.sum(probabilities) == pytest.approx(1.0, abs=1e-4)
    shoot(lab_page, "onnx-link-light")
    check_quiet(lab_page)


def test_there_is_no_link_where_nobody_asked(lab_page: NotebookPage) -> None:
    open_model(lab_page, "onnx-not-asked", "")
    expect(run_view(lab_page).get_by_role("link", name="Download ONNX")).to_have_count(0)
    check_quiet(lab_page)
