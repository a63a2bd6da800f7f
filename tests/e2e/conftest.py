"""Jupyter servers and a browser for the tests that look at what a person would see."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from nbautoml.domain.records import RequestRecord, SessionAddress
from nbautoml.store.session import open_session
from tests.e2e.driver import (
    BROWSER_FLAGS,
    JupyterServer,
    NotebookPage,
    find_browser,
    open_page,
    wait_until,
)
from tests.e2e.fake_run import make_workspace

HERE = Path(__file__).parent
# A machine that is busy with other tests shows things later; one that is not waits for nothing.
expect.set_options(timeout=20_000)

SHOW = """
import time
from pathlib import Path
from IPython.display import display
from nbautoml.services.runs import run_snapshot
from nbautoml.services.view import view
from nbautoml.services.workspaces import remember_workspace, workspace_at
from nbautoml.store.session import open_session

address = workspace_at(Path({root!r}))
remember_workspace(address)
with open_session(address) as session:
    shown = view(run_snapshot(session, {run_id!r}), now=time.time(), workspace=address.root, top=50)
display({{"application/vnd.nbautoml.run+json": shown, "text/html": "<p>a snapshot</p>",
         "text/plain": "a run"}}, raw=True)
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(item.path).parent == HERE:
            item.add_marker(pytest.mark.e2e)
    # The browser's event loop lives in the main thread until the session ends; tests that run
    # a loop of their own have to come before.
    items.sort(key=lambda item: Path(item.path).parent == HERE)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = find_browser()
    if path is None:
        pytest.skip("no Chromium is installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(BROWSER_FLAGS))
        yield browser
        browser.close()


def _serve(app: str, folder: Path, theme: str, **more: Any) -> Iterator[JupyterServer]:
    server = JupyterServer(app, folder, theme=theme, **more)
    try:
        server.wait_until_ready()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    """JupyterLab in its light theme."""
    yield from _serve("lab", tmp_path_factory.mktemp("lab"), "JupyterLab Light")


@pytest.fixture(scope="session")
def dark_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    """JupyterLab in its dark theme."""
    yield from _serve("lab", tmp_path_factory.mktemp("dark-lab"), "JupyterLab Dark")


@pytest.fixture(scope="session")
def dark_notebook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    """Notebook 7 in its dark theme."""
    yield from _serve("notebook", tmp_path_factory.mktemp("notebook"), "JupyterLab Dark")


@pytest.fixture
def bare_lab(tmp_path: Path) -> Iterator[JupyterServer]:
    """JupyterLab without our extension, as a host that loads none: runs are shown as widgets."""
    more = {"disabled": ["nbautoml"], "variables": {"NBAUTOML_VIEW": "widget"}}
    yield from _serve("lab", tmp_path / "bare", "JupyterLab Light", **more)


@pytest.fixture
def lab_page(browser: Browser, lab: JupyterServer) -> Iterator[NotebookPage]:
    with open_page(browser, lab) as page:
        yield page


class Run:
    """A made-up run in a workspace of its own, written by another process."""

    def __init__(self, folder: Path, trials: int, pace: float) -> None:
        self.id = f"AutoML_{uuid.uuid4()}"
        self.address: SessionAddress = make_workspace(folder)
        self._process = subprocess.Popen(
            [
                *(sys.executable, str(HERE / "fake_run.py"), self.address.root, self.id),
                *("--trials", str(trials), "--pace", str(pace)),
            ]
        )
        wait_until(self.has_begun, "the run's first events")

    @property
    def show(self) -> str:
        """Source of a cell that shows the run."""
        return SHOW.format(root=self.address.root, run_id=self.id)

    def has_begun(self) -> bool:
        with open_session(self.address) as session, session.read() as tx:
            return tx.runs.exists(self.id) and tx.events.last_seq(self.id) >= 3

    def requests(self) -> list[RequestRecord]:
        with open_session(self.address) as session, session.read() as tx:
            return tx.requests.read(self.id)

    def wait(self, seconds: float = 120.0) -> None:
        assert self._process.wait(seconds) == 0

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(10)


@pytest.fixture
def start_run(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    """Return a function that starts a made-up run."""
    runs: list[Run] = []

    def start(*, trials: int = 60, pace: float = 0.05) -> Run:
        runs.append(Run(tmp_path / f"workspace-{len(runs)}", trials, pace))
        return runs[-1]

    yield start
    for run in runs:
        run.stop()
