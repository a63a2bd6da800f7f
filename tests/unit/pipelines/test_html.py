"""Pipelines as the last line of a cell."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from nbautoml.pipelines.data import PipelineData
from nbautoml.pipelines.endpoint import PipelineEndpoint
from nbautoml.pipelines.html import pipeline_html
from nbautoml.pipelines.parameters import PipelineParameter
from nbautoml.pipelines.pipeline import Pipeline
from nbautoml.pipelines.steps.python_script import PythonScriptStep
from nbautoml.runs.workspace_handle import WorkspaceHandle
from tests.unit.pipelines.published_cases import publish


def titles(page: str) -> list[str]:
    """What the boxes of a page's graph say; the page must be well-formed."""
    svg = ElementTree.fromstring(re.search(r"<svg.*?</svg>", page, re.DOTALL)[0])
    return [title.text or "" for title in svg.iter("title")]


@pytest.fixture
def pipeline(workspace: WorkspaceHandle, tmp_path: Path) -> Pipeline:
    (tmp_path / "s.py").write_text("print(1)")
    raw = PipelineData("raw")
    rate = PipelineParameter("rate", default_value="<1>")
    make = PythonScriptStep(
        "s.py", name="make", source_directory=tmp_path, outputs=[raw], arguments=["--rate", rate]
    )
    use = PythonScriptStep("s.py", name="use <it>", source_directory=tmp_path, inputs=[raw])
    return Pipeline(workspace, [use, make], description="A & B")


def test_a_pipeline_shows_its_graph_before_it_runs(pipeline: Pipeline) -> None:
    page = pipeline._repr_html_()

    assert titles(page) == ["use <it> · PythonScriptStep", "make · PythonScriptStep"]
    assert "A &amp; B" in page and "2 steps, not submitted" in page
    assert "rate" in page and "&lt;1&gt;" in page
    assert "<script" not in page


def test_a_pipeline_says_what_is_wrong_with_it(workspace: WorkspaceHandle, tmp_path: Path) -> None:
    (tmp_path / "s.py").write_text("")
    twice = [PythonScriptStep("s.py", name="twice", source_directory=tmp_path) for _ in range(2)]

    assert "Two steps are called &#x27;twice&#x27;" in Pipeline(workspace, twice)._repr_html_()


def test_a_published_pipeline_shows_its_graph_and_parameters(workspace: WorkspaceHandle) -> None:
    page = publish(workspace, "train", version="1.0")._repr_html_()

    assert titles(page) == ["prepare", "train"]
    assert "Active · version 1.0" in page and "rate" in page and "0.1" in page


def test_an_endpoint_shows_its_versions_newest_first(workspace: WorkspaceHandle) -> None:
    endpoint = PipelineEndpoint.publish(workspace, "best", "", publish(workspace, "train"))
    endpoint.add(publish(workspace, "train <2>"))

    page = endpoint._repr_html_()
    assert page.index("train &lt;2&gt;") < page.index(">train</td>")
    assert "runs version 0" in page and titles(page) == ["prepare", "train"]


def test_tables_without_rows_are_left_out() -> None:
    assert "<table" not in pipeline_html("Pipeline", {}, [], tables={("A",): []})
