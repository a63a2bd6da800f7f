"""A pipeline's run in a real JupyterLab: its graph live, its steps inside, saved, narrow, dark."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from nbautoml.store.session import open_session
from nbautoml.testing.scripted_pipeline import CHURN
from tests.e2e.driver import NotebookPage, wait_until
from tests.e2e.fake_run import make_workspace
from tests.e2e.test_panel import open_panel, the_run
from tests.e2e.test_run_view import SHOTS, check_quiet
from tests.e2e.test_surface import SET_THEME, THEMES, needs_axe, problems

SHOW = """
import time
from pathlib import Path
from IPython.display import display
from nbautoml.services.runs import run_snapshot
from nbautoml.services.workspaces import remember_workspace, workspace_at
from nbautoml.store.session import open_session
from nbautoml.widgets.bundle import logged_bundle

address = workspace_at(Path({root!r}))
remember_workspace(address)
with open_session(address) as session:
    snapshot = run_snapshot(session, {run_id!r})
    bundle = logged_bundle(session, snapshot, now=time.time(), workspace=address.root)
display(bundle, raw=True)
"""
STEPS = [step.name for step in CHURN]
FITS = "n => n.scrollWidth <= n.clientWidth"
MOST_NOTEBOOK_BYTES = 60_000
MOST_DRAW_SECONDS = 0.5
DRAWS = """
async node => {
  // The longest of many frames while the graph is walked through by keys.
  let [worst, last] = [0, performance.now()];
  for (let i = 0; i < 30; i += 1) {
    node.querySelector('.nba-step[tabindex="0"]').focus();
    const key = new KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true });
    document.activeElement.dispatchEvent(key);
    await new Promise(resolve => requestAnimationFrame(resolve));
    worst = Math.max(worst, performance.now() - last);
    last = performance.now();
  }
  return worst / 1000;
}
"""


class Pipeline:
    """A scripted pipeline in a workspace of its own, played by another process."""

    def __init__(self, folder: Path, pace: float, steps: int) -> None:
        self.id = f"Pipeline_{uuid.uuid4().hex[:12]}"
        self.address = make_workspace(folder)
        self.show = SHOW.format(root=self.address.root, run_id=self.id)
        module = ["-m", "nbautoml.testing.scripted_pipeline", self.address.root, self.id]
        self._command = [sys.executable, *module, "--pace", str(pace), "--steps", str(steps)]
        self._process: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        """Start it, unless it was started before."""
        if self._process is None:
            self._process = subprocess.Popen(self._command)
            wait_until(self._has_begun, "the pipeline's first events")

    def play(self) -> None:
        """Start it and wait for its end."""
        self.begin()
        assert self._process is not None
        assert self._process.wait(120) == 0

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)

    def _has_begun(self) -> bool:
        with open_session(self.address) as session, session.read() as tx:
            return tx.runs.exists(self.id) and tx.events.last_seq(self.id) >= 3


@pytest.fixture
def make_pipeline(tmp_path: Path) -> Iterator[Callable[..., Pipeline]]:
    """Return a function that makes a scripted pipeline, which begins when it is shown."""
    made: list[Pipeline] = []

    def make(*, pace: float = 0.01, steps: int = 0) -> Pipeline:
        made.append(Pipeline(tmp_path / f"pipelines-{len(made)}", pace, steps))
        return made[-1]

    yield make
    for pipeline in made:
        pipeline.stop()


def open_with(page: NotebookPage, pipeline: Pipeline, name: str = "pipeline.ipynb") -> Locator:
    """Show a pipeline's run in a notebook; return its view."""
    page.server.write_notebook(name, [pipeline.show])
    page.open(name)
    pipeline.begin()
    page.run_cell(0)
    view = view_of(page)
    expect(view.locator(".nba-step").first).to_be_visible()
    return view


def view_of(page: NotebookPage) -> Locator:
    return page.page.locator(".jp-OutputArea .nbautoml-run").first


def box(view: Locator, name: str) -> Locator:
    return view.get_by_role("group", name="Steps").get_by_role("button", name=name).first


def card(view: Locator) -> Locator:
    return view.locator(".nba-card")


def shoot(view: Locator, name: str) -> None:
    if SHOTS:
        Path(SHOTS).mkdir(parents=True, exist_ok=True)
        view.screenshot(path=f"{SHOTS}/{name}.png")


def test_steps_move_live_and_open_their_runs_inside(lab_page, make_pipeline):
    page = lab_page.page
    pipeline = make_pipeline(pace=0.9)
    view = open_with(lab_page, pipeline)
    expect(box(view, "fetch")).to_contain_text("Reused")
    expect(box(view, "clean")).to_contain_text(re.compile(r"Running · 0:0\d"))
    expect(box(view, "train")).to_contain_text("Waiting")
    expect(view.locator(".nba-text")).to_contain_text("1 of 8 steps done · clean at work")

    box(view, "clean").click()
    expect(card(view)).to_contain_text("not reused: input raw changed")
    expect(card(view).get_by_label("End of the log")).to_contain_text("clean: line")
    shoot(view, "pipeline-live-light")
    expect(box(view, "clean")).to_contain_text("Completed")
    expect(box(view, "features of calls")).to_contain_text("Running")

    expect(box(view, "train")).to_contain_text("Running")
    box(view, "train").click()
    card(view).get_by_role("button", name="Show its run").click()
    search = card(view).get_by_label("AutoML run")
    expect(search.locator(".nba-trials tbody tr[data-n]").first).to_contain_text("LightGBM")
    expect(search.locator(".nba-status")).to_have_text("Completed")
    shoot(view, "pipeline-search-inside-light")

    expect(view.locator(".nba-status").first).to_have_text("Failed")
    expect(box(view, "report")).to_contain_text("Skipped")
    box(view, "check <drift>").click()
    expect(card(view).get_by_label("Reason")).to_contain_text("ValueError: column <b>age</b>")
    card(view).get_by_role("button", name="Open in a tab").click()
    step = page.locator(".nbautoml-main .nbautoml-run")
    expect(step.locator(".nba-tiles")).to_contain_text("6000")
    check_quiet(lab_page)


def test_it_is_stopped_and_found_again_after_a_reload(lab_page, make_pipeline):
    pipeline = make_pipeline(pace=1.5)
    view = open_with(lab_page, pipeline, "again.ipynb")
    lab_page.save()
    lab_page.restart_kernel()
    lab_page.reload()
    view = view_of(lab_page)
    expect(box(view, "clean")).to_contain_text("Running")
    panel = open_panel(lab_page, pipeline.address.root)
    expect(the_run(panel)).to_contain_text("1 of 8 steps")
    view.get_by_role("button", name="Stop").click()
    view.get_by_role("button", name="Stop run").click()
    expect(view.locator(".nba-status")).to_have_text("Canceled")
    expect(box(view, "report")).to_contain_text("Skipped")
    expect(box(view, "clean")).to_contain_text("Canceled")
    expect(the_run(panel)).to_contain_text("Canceled")
    check_quiet(lab_page)


def test_by_keys_alone(lab_page, make_pipeline):
    page = lab_page.page
    pipeline = make_pipeline()
    pipeline.play()
    view = open_with(lab_page, pipeline, "keys.ipynb")
    box(view, "fetch").focus()
    page.keyboard.press("ArrowRight")
    expect(box(view, "clean")).to_be_focused()
    page.keyboard.press("Enter")
    expect(card(view)).to_have_attribute("aria-label", "Step clean")
    page.keyboard.press("End")
    expect(box(view, "report")).to_be_focused()
    page.keyboard.press("Enter")
    expect(card(view)).to_contain_text("A step before it failed.")
    expect(card(view).get_by_role("button", name="Show its run")).to_be_hidden()
    card(view).get_by_role("button", name="Close the step").press("Enter")
    expect(card(view)).to_have_count(0)
    expect(box(view, "report")).to_be_focused()
    check_quiet(lab_page)


def test_a_saved_notebook_has_the_graph_without_any_script(lab_page, make_pipeline):
    pipeline = make_pipeline()
    pipeline.play()
    open_with(lab_page, pipeline, "saved.ipynb")
    lab_page.save()
    file = lab_page.server.root / "saved.ipynb"
    assert file.stat().st_size < MOST_NOTEBOOK_BYTES
    subprocess.run(
        [sys.executable, "-m", "nbconvert", "--to", "html", str(file)],
        check=True,
        capture_output=True,
    )
    context = lab_page.page.context.browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(file.with_suffix(".html").as_uri())
    picture = page.get_by_role("img", name="Graph of 8 steps")
    expect(picture).to_be_visible()
    expect(picture).to_contain_text("check <drift>")
    expect(page.get_by_text("A step before it failed.").first).to_be_visible()
    expect(page.get_by_role("cell", name="clean", exact=True)).to_have_css("text-align", "left")
    shoot(page.locator(".nbautoml-run"), "pipeline-saved-light")
    context.close()
    text = json.loads(file.read_text())["cells"][0]["outputs"][0]["data"]["text/plain"]
    assert "Skipped" in "".join(text)


@needs_axe
def test_it_is_readable_in_all_themes_narrow_and_wide(lab_page, make_pipeline):
    page = lab_page.page
    pipeline = make_pipeline()
    pipeline.play()
    page.set_viewport_size({"width": 1900, "height": 1500})
    view = open_with(lab_page, pipeline, "themes.ipynb")
    page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
    box(view, "check <drift>").click()
    expect(card(view).get_by_label("End of the log")).to_contain_text("line 6")
    found: list[str] = []
    for theme in THEMES:
        page.evaluate(SET_THEME, theme)
        page.wait_for_timeout(800)
        found += [f"{theme}: {p}" for p in problems(lab_page, view)]
        for width in (400, 1000, 1600):
            view.evaluate(
                "(e, w) => Object.assign(e.style, {width: w + 'px', maxWidth: 'none'})", width
            )
            page.wait_for_timeout(300)
            assert view.evaluate(FITS), f"{theme} at {width}"
            shoot(view, f"pipeline-{theme}-{width}".lower().replace(" ", "-"))
    page.evaluate(SET_THEME, THEMES[0])
    assert found == []


def test_sixty_steps_stay_smooth(lab_page, make_pipeline):
    pipeline = make_pipeline(pace=0.3, steps=60)
    view = open_with(lab_page, pipeline, "many.ipynb")
    expect(view.locator(".nba-step")).to_have_count(60)
    assert view.evaluate(DRAWS) < MOST_DRAW_SECONDS
    shoot(view, "pipeline-sixty-light")
    expect(view.locator(".nba-text")).to_contain_text("60 steps", timeout=60_000)
    check_quiet(lab_page)
