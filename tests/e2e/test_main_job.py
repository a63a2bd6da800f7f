"""The main job in a browser: a real run, watched live, that outlives its kernel."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import psutil
from playwright.sync_api import Browser, Locator, expect

from nbautoml import Model, Workspace
from nbautoml.domain.events import TrialFinished
from nbautoml.runs.run import Run
from tests.e2e.driver import JupyterServer, NotebookPage, open_page, wait_until
from tests.e2e.test_run_view import button, check_quiet, iterations_done, run_view, shoot

SETUP = """
import os
from pathlib import Path
from sklearn.datasets import load_breast_cancer
frame = load_breast_cancer(as_frame=True).frame
Path("kernel.pid").write_text(str(os.getpid()))
%load_ext nbautoml
"""
SUBMIT = """%%automl frame --experiment {name}
label: target
task: classification
metric: AUC_weighted
n_cross_validations: 5
iterations: 300
enable_early_stopping: false
"""
BUSY = "import time; time.sleep(600)"
SHOW_AGAIN = """
import nbautoml
ws = nbautoml.Workspace.from_config()
run = next(ws.experiments[{name!r}].get_runs())
nbautoml.RunDetails(run).show()
"""
LARGEST_NOTEBOOK_BYTES = 300_000


def start(page: NotebookPage, name: str, *more: str) -> Run:
    """Open a notebook of its own folder, submit a run from it, and return the run."""
    folder = page.server.root / name
    folder.mkdir()
    cells = [SETUP, SUBMIT.format(name=name), *more]
    page.server.write_notebook(f"{name}/run.ipynb", cells)
    page.open(f"{name}/run.ipynb")
    page.run_cell(0)
    page.run_cell(1)
    expect(button(page, "Stop").first).to_be_visible()
    workspace = Workspace.from_config(folder)
    return next(workspace.experiments[name].get_runs())


def kernel_pid(page: NotebookPage, name: str) -> int:
    return int((page.server.root / name / "kernel.pid").read_text())


def controller(run: Run) -> psutil.Process:
    with run.session.read() as tx:
        owner = tx.runs.get(run.id).owner
    assert owner is not None
    return psutil.Process(owner.pid)


def tab(page: NotebookPage, name: str) -> Locator:
    """Open a tab of the first view and return what it shows."""
    view = run_view(page).nth(0)
    view.get_by_role("tab", name=name).click()
    return view.get_by_role("tabpanel", name=name)


def look_at_the_tabs(page: NotebookPage) -> None:
    """Each tab of a finished run shows what belongs there."""
    metrics = tab(page, "Metrics")
    expect(metrics.locator(".nba-canvas .main-svg").first).to_be_visible(timeout=30_000)
    for chart in ("ROC", "Calibration", "Lift", "Confusion matrix"):
        metrics.get_by_label("Chart", exact=True).select_option(label=chart)
        expect(metrics.locator(".nba-canvas")).to_have_attribute("aria-label", re.compile(chart))
    expect(metrics.locator(".nba-numbers")).to_contain_text("AUC_weighted")
    shoot(page, "metrics-light")
    data = tab(page, "Data")
    expect(data.locator(".nba-columns .nba-scroller tbody tr")).to_have_count(30)
    shoot(page, "data-light")
    logs = tab(page, "Logs")
    expect(logs.locator(".nba-log")).to_contain_text("Iteration 0")
    shoot(page, "logs-light")
    code = tab(page, "Code")
    expect(code).to_contain_text("def train_model", timeout=30_000)
    expect(code).to_contain_text("Experiment(ws, 'killed').submit(config)")
    shoot(page, "code-light")


def register_the_best(page: NotebookPage) -> None:
    """Register a model from its row in the leaderboard, and save its file."""
    models = tab(page, "Models")
    models.locator("tbody tr[data-n]").first.click()
    with page.page.expect_download() as download:
        models.get_by_role("link", name="Download model").click()
    assert download.value.suggested_filename.endswith(".zip")
    assert Path(download.value.path()).stat().st_size > 1_000
    models.get_by_role("button", name="Register…").click()
    models.get_by_label("Name").fill("from-the-view")
    models.get_by_role("button", name="Register", exact=True).click()
    expect(models).to_contain_text("Registered as from-the-view, version 1.", timeout=60_000)
    shoot(page, "registered-light")


def test_a_run_outlives_a_killed_kernel_and_is_shown_whole_in_a_new_one(
    browser: Browser, lab: JupyterServer
) -> None:
    with open_page(browser, lab) as page:
        run = start(page, "killed", SHOW_AGAIN.format(name="killed"))
        wait_until(lambda: iterations_done(page) >= 3, "three iterations", seconds=90)
        process = controller(run)
        os.kill(kernel_pid(page, "killed"), signal.SIGKILL)
        before = iterations_done(page)
        wait_until(lambda: iterations_done(page) >= before + 5, "more iterations", seconds=60)
        assert process.is_running()

        # JupyterLab says that the kernel appears to have died.
        page.page.get_by_role("button", name="Ok", exact=True).click()
        page.wait_for_kernel()
        page.run_cell(2)
        expect(run_view(page)).to_have_count(2)
        run_view(page).nth(1).get_by_role("button", name="Finish now", exact=True).click()
        for view in (0, 1):
            status = run_view(page).nth(view).locator(".nba-status")
            expect(status).to_have_text("Completed", timeout=90_000)
        shoot(page, "completed-light")
        look_at_the_tabs(page)
        register_the_best(page)
        check_quiet(page)
    assert Model(Workspace.from_config(lab.root / "killed"), "from-the-view").version == 1
    with run.session.read() as tx:
        events = [r.event for r in tx.events.read(run.id)]
    numbers = [e.number for e in events if isinstance(e, TrialFinished)]
    assert sorted(numbers) == list(range(len(numbers)))


def test_stop_reaches_a_real_run_while_the_kernel_is_blocked(
    browser: Browser, lab: JupyterServer
) -> None:
    with open_page(browser, lab) as page:
        run = start(page, "stopped", BUSY)
        page.run_cell(2, wait=False)
        wait_until(page.is_kernel_busy, "a busy kernel")
        wait_until(lambda: iterations_done(page) >= 3, "three iterations", seconds=90)
        button(page, "Stop").click()
        button(page, "Stop run").click()
        expect(run_view(page).locator(".nba-status")).to_have_text("Canceled", timeout=30_000)
        assert page.is_kernel_busy()
        page.save()
        size = (Path(lab.root) / "stopped" / "run.ipynb").stat().st_size
        assert size < LARGEST_NOTEBOOK_BYTES
        check_quiet(page)
    _, model = run.get_output()  # type: ignore[attr-defined] # an AutoMLRun
    assert hasattr(model, "predict_proba")
