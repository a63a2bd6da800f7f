"""The static forms of a pipeline's run: page, text, and what RunDetails tells of it."""

from __future__ import annotations

import re
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest

from nbautoml.domain.events import PipelineStep
from nbautoml.pipelines.picture import Face, graph_svg
from nbautoml.services.runs import run_snapshot
from nbautoml.store.session import open_memory_session
from nbautoml.testing.scripted_pipeline import ScriptedPipeline, many_steps
from nbautoml.widgets import run_details
from nbautoml.widgets.bundle import RUN_MIME, logged_bundle
from nbautoml.widgets.run_details import RunDetails

RUN = "Pipeline_1"
SVG = re.compile(r"<svg.*?</svg>", re.DOTALL)


@pytest.fixture(scope="module")
def session():
    with open_memory_session() as session:
        ScriptedPipeline(session, RUN).play()
        yield session


@pytest.fixture(scope="module")
def bundle(session):
    return logged_bundle(session, run_snapshot(session, RUN), now=2000.0)


def picture(page: str) -> ElementTree.Element:
    """The first picture of a page, which must be well-formed."""
    found = SVG.search(page)
    assert found is not None
    return ElementTree.fromstring(found[0])


def test_the_page_has_the_graph_with_a_box_a_step(bundle):
    svg = picture(bundle["text/html"])
    titles = [title.text for title in svg.iter("title")]
    assert titles[0] == "fetch · PythonScriptStep · ↺ Reused"
    assert titles[-1] == "report · PythonScriptStep · ⊘ Skipped"
    assert len(titles) == 8
    assert svg.get("aria-label", "").startswith("Graph of 8 steps: fetch, clean,")


def test_the_page_has_a_table_of_the_steps(bundle):
    page = bundle["text/html"]
    for part in (
        "8 steps",
        "check &lt;drift&gt;",
        "A step before it failed.",
        "Pipeline_1-before_0",
    ):
        assert part in page
    assert "child run" not in page


def test_everything_is_shown_as_text(bundle):
    page = bundle["text/html"]
    assert "<b>age</b>" not in page
    assert "&lt;b&gt;age&lt;/b&gt; &amp; friends" in page
    assert not re.search(r"<script|\son\w+=", page)


def test_the_text_is_a_table(bundle):
    lines = bundle["text/plain"].splitlines()
    assert "   4  train                             Completed" in bundle["text/plain"]
    failed = next(line for line in lines if line.startswith("   5  check <drift>"))
    assert failed.endswith("ValueError: column <b>age</b> & friends moved by 0.41")


def test_the_view_goes_along(bundle):
    assert [step["name"] for step in bundle[RUN_MIME]["steps"]][:2] == ["fetch", "clean"]


def test_sixty_steps_make_a_page_that_can_be_saved():
    with open_memory_session() as session:
        ScriptedPipeline(session, RUN, many_steps(60)).play()
        shown = logged_bundle(session, run_snapshot(session, RUN), now=2000.0)
    assert len(shown["text/html"]) < 120_000
    assert len(list(picture(shown["text/html"]).iter("title"))) == 60


def steps(*after: tuple[int, ...]) -> list[PipelineStep]:
    return [
        PipelineStep(number=n, name=f"s{n} & <co>", step_kind="PythonScriptStep", after=before)
        for n, before in enumerate(after)
    ]


def test_a_pipeline_that_does_not_run_has_boxes_without_states():
    svg = picture(graph_svg(steps((), (0,), (0, 1))))
    assert [title.text for title in svg.iter("title")][0] == "s0 & <co> · PythonScriptStep"
    assert len(list(svg.iter("text"))) == 6


def test_the_drawing_holds_all_that_is_in_it():
    svg = picture(
        graph_svg(steps((), (0,), (0,), (0, 1, 2), (0,)), [Face(words="x", mood="ok")] * 5)
    )
    width, height = (float(n) for n in svg.get("viewBox", "").split()[2:])
    for box in svg.iter("rect"):
        x, y, w, h = (float(box.get(name, "nan")) for name in ("x", "y", "width", "height"))
        assert 0 <= x <= x + w <= width
        assert 0 <= y <= y + h <= height
    path = next(svg.iter("path")).get("d", "")
    assert path.count("C") == 6 + 1  # six lines, one of which bends
    numbers = [float(n) for n in re.findall(r"[\d.]+", path)]
    assert max(numbers) <= max(width, height)


def test_no_steps_make_no_picture():
    assert graph_svg([]) == ""


def watched(session, run_id: str, status: str = "Failed", **more) -> SimpleNamespace:
    return SimpleNamespace(
        id=run_id,
        session=session,
        snapshot=lambda: run_snapshot(session, run_id),
        get_status=lambda: status,
        **more,
    )


def test_widget_data_has_the_graph_in_azures_words(session):
    data = RunDetails(watched(session, RUN, parent=None)).get_widget_data()
    nodes = data["graph"]["module_nodes"]
    assert nodes["0"] == {
        "node_id": "0",
        "name": "fetch",
        "status": "Completed",
        "_is_reused": True,
        "run_id": f"{RUN}-before_0",
    }
    assert {"source_node_id": "4", "dst_node_id": "6"} in data["graph"]["edges"]
    assert [child["name"] for child in data["child_runs"]][:2] == ["clean", "features of people"]
    assert data["status"] == "Failed"


@pytest.mark.parametrize(("status", "is_followed"), [("Finished", False), ("Running", True)])
def test_a_pipeline_that_says_finished_is_over(session, monkeypatch, status, is_followed):
    started = []
    monkeypatch.setattr(run_details, "is_notebook", lambda: True)
    monkeypatch.setattr(run_details, "get_ipython", lambda: SimpleNamespace(events=None))
    monkeypatch.setattr(run_details, "publish_bundle", lambda *_: None)
    monkeypatch.setattr(run_details, "show_end_after_a_cell", started.append)
    monkeypatch.setattr(run_details.Follower, "_follow", lambda _self: None)
    RunDetails(watched(session, RUN, status, parent=None)).show()
    assert bool(started) is is_followed


def test_a_step_shows_itself_and_not_the_whole_pipeline(session):
    parent = watched(session, RUN, type="azureml.PipelineRun")
    data = RunDetails(watched(session, f"{RUN}_1", parent=parent)).get_widget_data()
    assert data["run_id"] == f"{RUN}_1"
    assert "graph" not in data
