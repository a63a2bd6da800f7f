"""Pipelines in the panel: published ones are seen, run with parameters, switched off."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Locator, expect

import nbautoml
from nbautoml.pipelines.scheduler_process import SCHEDULER
from nbautoml.runs.service_process import find_service
from nbautoml.services.workspaces import remember_workspace
from tests.e2e.driver import JupyterServer, NotebookPage, wait_until
from tests.e2e.test_panel import SOURCES, choose, open_panel, shoot, the_line
from tests.e2e.test_pipeline_view import FITS
from tests.e2e.test_run_view import check_quiet
from tests.e2e.test_surface import in_every_theme, needs_axe

SOON_MS = 60_000
FETCH = """
import argparse, time
from pathlib import Path
parser = argparse.ArgumentParser()
parser.add_argument("--out", type=Path)
parser.add_argument("--rows", type=int)
given = parser.parse_args()
given.out.mkdir(parents=True, exist_ok=True)
for row in range(given.rows):
    print("fetched row", row, flush=True)
    time.sleep(0.2)
(given.out / "rows.csv").write_text("a\\n1\\n")
"""
REPORT = "import sys; print('reports on', sys.argv[1])"


class Published:
    """A pipeline of two scripts, published, with an endpoint and a schedule."""

    def __init__(self, folder: Path) -> None:
        source = folder / "src"
        source.mkdir(parents=True)
        (source / "fetch.py").write_text(FETCH)
        (source / "report.py").write_text(REPORT)
        self.root = str(folder)
        self.workspace = nbautoml.Workspace.create("pipelines", path=folder)
        remember_workspace(self.workspace.session.address)
        raw = nbautoml.PipelineData("raw")
        rows = nbautoml.PipelineParameter("rows", default_value=3)
        steps = [
            nbautoml.PythonScriptStep(
                "fetch.py",
                name="fetch",
                source_directory=source,
                arguments=["--out", raw, "--rows", rows],
                outputs=[raw],
            ),
            nbautoml.PythonScriptStep(
                "report.py", name="report", source_directory=source, arguments=[raw], inputs=[raw]
            ),
        ]
        pipeline = nbautoml.Pipeline(self.workspace, steps)
        published = pipeline.publish("nightly", "Every night.", version="1.0")
        endpoint = nbautoml.PipelineEndpoint.publish(self.workspace, "best", "The one.", published)
        endpoint.add(pipeline.publish("nightly again"))
        daily = nbautoml.ScheduleRecurrence("Day", 1, hours=[2], minutes=[30])
        nbautoml.Schedule.create(
            self.workspace, "each night", published.id, "churn", recurrence=daily
        )

    def close(self) -> None:
        """End the process that looks after the schedule."""
        session = self.workspace.session
        with contextlib.suppress(psutil.NoSuchProcess):
            found = find_service(session, SCHEDULER)
            if found is not None:
                process = psutil.Process(found.owner.pid)
                process.terminate()
                process.wait(20)
        session.close()


@pytest.fixture
def published(
    tmp_path: Path, lab: JupyterServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Published]:
    monkeypatch.setenv("NBAUTOML_HOME", str(lab.nbautoml_home))
    published = Published(tmp_path / "published")
    yield published
    published.close()


CELLS = (
    """
import nbautoml
ws = nbautoml.Workspace.from_config({root!r})
raw = nbautoml.PipelineData("raw")
fetch = nbautoml.PythonScriptStep(
    "fetch.py", name="fetch", source_directory={source!r}, outputs=[raw],
    arguments=["--out", raw, "--rows", 8], allow_reuse=False,
)
report = nbautoml.PythonScriptStep(
    "report.py", name="report", source_directory={source!r}, arguments=[raw], inputs=[raw]
)
pipeline = nbautoml.Pipeline(ws, [report], description="Rows and a report.")
pipeline
""",
    "run = pipeline.submit('churn')\nnbautoml.RunDetails(run).show()",
)


def test_a_notebook_shows_a_pipeline_before_it_runs_while_it_runs_and_when_it_is_saved(
    lab_page, published
):
    source = str(Path(published.root) / "src")
    cells = [cell.format(root=published.root, source=source) for cell in CELLS]
    lab_page.server.write_notebook("lesson.ipynb", cells)
    lab_page.open("lesson.ipynb")
    lab_page.run_cell(0)
    page = lab_page.page
    expect(page.get_by_role("img", name="Graph of 2 steps: fetch, report")).to_be_visible()
    expect(page.get_by_text("2 steps, not submitted")).to_be_visible()
    lab_page.run_cell(1)
    view = page.locator(".jp-OutputArea .nbautoml-run")
    fetch = view.get_by_role("button", name="fetch").first
    expect(fetch).to_contain_text("Running", timeout=SOON_MS)
    expect(view.locator(".nba-status")).to_have_text("Completed", timeout=SOON_MS)
    shoot(lab_page, "pipelines-lesson-light")
    file = lab_page.server.root / "lesson.ipynb"

    def saved() -> bool:
        lab_page.save()
        outputs = json.loads(file.read_text())["cells"][1]["outputs"]
        page = "".join(outputs[0]["data"]["text/html"])
        return "Completed: 2 steps" in page and "<svg" in page

    wait_until(saved, "the end in the saved notebook")
    check_quiet(lab_page)


def open_lab(page: NotebookPage, published: Published, name: str) -> Locator:
    page.server.write_notebook(name, [""])
    page.open(name)
    return open_panel(page, published.root)


def field(part: Locator, label: str) -> Locator:
    return part.get_by_label(label, exact=True)


def test_a_published_pipeline_is_run_with_parameters(lab_page, published):
    page = lab_page.page
    panel = open_lab(lab_page, published, "published.ipynb")
    line = the_line(panel, "Pipelines: Published", "nightly")
    expect(line).to_contain_text("version 1.0 · 2 steps")
    choose(line, "Run…")
    expect(field(line, "Experiment")).to_have_value("nightly")
    field(line, "Experiment").fill("churn")
    field(line, "rows").fill("many")
    line.get_by_role("button", name="Run", exact=True).click()
    expect(field(line, "rows")).to_have_attribute("aria-invalid", "true")
    expect(line.get_by_role("alert")).to_have_text("rows must be written as 3 is; got many.")
    expect(field(line, "rows")).to_be_focused()
    shoot(lab_page, "pipelines-form-light")
    field(line, "rows").fill("15")
    field(line, "rows").press("Enter")

    view = page.locator(".nbautoml-main .nbautoml-run")
    expect(view.locator(".nba-step")).to_have_count(2, timeout=SOON_MS)
    fetch = view.get_by_role("button", name="fetch").first
    expect(fetch).to_contain_text("Running", timeout=SOON_MS)
    fetch.click()
    expect(view.get_by_label("End of the log")).to_contain_text("fetched row 1")
    run_line = panel.get_by_role("list", name="Runs: churn").get_by_role("listitem").first
    expect(run_line).to_contain_text("of 2 steps")
    shoot(lab_page, "pipelines-run-light")
    expect(view.locator(".nba-status").first).to_have_text("Completed", timeout=SOON_MS)
    expect(run_line).to_contain_text("2 of 2 steps", timeout=SOON_MS)
    check_quiet(lab_page)


def test_an_endpoint_gets_another_default_and_is_switched_off(lab_page, published):
    page = lab_page.page
    panel = open_lab(lab_page, published, "endpoint.ipynb")
    line = the_line(panel, "Pipelines: Endpoints", "best")
    expect(line).to_contain_text("version 0 of 2")
    line.locator(".nba-itemmain").dblclick()
    view = page.get_by_role("article", name="Pipeline")
    expect(view.locator(".nba-step")).to_have_count(2)
    view.get_by_role("tab", name="Versions (2)").click()
    view.get_by_role("button", name="Make it the default").click()
    expect(view.get_by_role("row").nth(1)).to_contain_text("default")
    view.get_by_role("tab", name="Parameters (1)").click()
    expect(view.get_by_role("table", name="Parameters")).to_contain_text("rows")
    view.get_by_role("button", name="Disable").click()
    expect(view.get_by_role("button", name="Enable")).to_be_visible()
    expect(view.get_by_role("button", name="Run…")).to_have_count(0)
    panel.get_by_role("button", name="Refresh").click()
    expect(line).to_contain_text("Disabled · version 1 of 2")

    night = the_line(panel, "Pipelines: Schedules", "each night")
    expect(night).to_contain_text("next")
    choose(night, "Disable")
    expect(night).to_contain_text("Disabled", timeout=SOON_MS)
    page.evaluate("() => window.jupyterapp.shell.activateById(window.findNotebook().id)")
    choose(line, "Insert code")
    wait_until(
        lambda: any("PipelineEndpoint.get(ws" in cell for cell in page.evaluate(SOURCES)),
        "the code",
    )
    check_quiet(lab_page)


@needs_axe
def test_axe_finds_nothing_serious_in_the_view_of_a_pipeline(lab_page, published):
    page = lab_page.page
    panel = open_lab(lab_page, published, "axe-pipeline.ipynb")
    the_line(panel, "Pipelines: Published", "nightly").locator(".nba-itemmain").dblclick()
    view = page.get_by_role("article", name="Pipeline")
    expect(view.locator(".nba-step")).to_have_count(2)
    view.get_by_role("button", name="Run…").click()
    found = in_every_theme(lab_page, view, "pipeline-details")
    found += in_every_theme(lab_page, panel, "pipeline-panel")
    for tab in ("Parameters (1)", "Schedules (1)", "Runs (0)"):
        view.get_by_role("tab", name=tab).click()
        found += in_every_theme(lab_page, view, f"pipeline-{tab.split()[0]}")
    page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
    for width in (400, 1600):
        view.evaluate(
            "(e, w) => Object.assign(e.style, { width: w + 'px', maxWidth: 'none' })", width
        )
        assert view.evaluate(FITS), width
    assert found == []
