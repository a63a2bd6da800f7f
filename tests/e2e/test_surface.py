"""What everybody must be able to use: checked by axe-core, in all themes, narrow and wide."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.driver import NotebookPage
from tests.e2e.test_panel import make_things, open_panel, the_line, things  # noqa: F401 - fixtures
from tests.e2e.test_run_view import SHOTS, run_view
from tests.e2e.test_wizard import SOON_MS, open_form, open_lab, wine

AXE = Path(__file__).parents[2] / "labextension" / "node_modules" / "axe-core" / "axe.min.js"
needs_axe = pytest.mark.skipif(
    not AXE.is_file(), reason="axe-core is not installed: npm ci in labextension"
)
THEMES = (
    "JupyterLab Light",
    "JupyterLab Dark",
    "JupyterLab Dark High Contrast",
)
TABS = ("Models", "Metrics", "Data", "Logs", "Code")
WIDTHS = (400, 1600)
SET_THEME = "theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })"
CHECK = """
async node => {
  const found = await axe.run(node, { resultTypes: ['violations'] });
  return found.violations
    .filter(v => ['serious', 'critical'].includes(v.impact))
    .map(v => `${v.id}: ${v.help}: ${v.nodes.map(n => n.html.slice(0, 160)).join(' | ')}`);
}
"""
OVERFLOWING = """
node => [...node.querySelectorAll('*')].filter(e => {
  const style = getComputedStyle(e);
  const isCut = style.overflowX === 'visible' && e.clientWidth > 0;
  return isCut && style.display !== 'inline' && e.scrollWidth > e.clientWidth + 1
    && !e.closest('svg, .js-plotly-plot, .nba-scroller, pre');
}).map(e => `${e.tagName}.${e.className}: ${e.scrollWidth} in ${e.clientWidth}`)
"""


def problems(page: NotebookPage, part: Locator) -> list[Any]:
    """What axe-core finds serious in a part of the page."""
    if not page.page.evaluate("() => 'axe' in window"):
        page.page.evaluate(AXE.read_text(encoding="utf-8"))
    return list(part.evaluate(CHECK))


def shown(page: NotebookPage, start_run: Any) -> Locator:
    """Show a run that has ended, with everything in it."""
    open_with(page, start_run(trials=40, pace=0.02))
    expect(run_view(page).locator(".nba-status")).to_have_text("Completed")
    return run_view(page)


def open_with(page: NotebookPage, run: Any) -> None:
    """Open a notebook that shows a run, whether it goes on or not."""
    page.server.write_notebook("surface.ipynb", [run.show])
    page.open("surface.ipynb")
    page.run_cell(0)
    expect(run_view(page)).to_be_visible()


@needs_axe
def test_axe_finds_nothing_serious_in_any_theme(lab_page, start_run):
    view = shown(lab_page, start_run)
    view.locator("tbody tr[data-n]").first.click()  # details and actions of a model
    found: list[str] = []
    for theme in THEMES:
        lab_page.page.evaluate(SET_THEME, theme)
        lab_page.page.wait_for_timeout(800)
        for tab in TABS:
            view.get_by_role("tab", name=tab).click()
            lab_page.page.wait_for_timeout(300)
            found += [f"{theme}, {tab}: {p}" for p in problems(lab_page, view)]
            if SHOTS:
                view.screenshot(path=f"{SHOTS}/{theme.replace(' ', '-')}-{tab}.png")
    lab_page.page.evaluate(SET_THEME, THEMES[0])
    assert found == []


@needs_axe
def test_axe_finds_nothing_serious_in_the_panel(lab_page, start_run):
    run = start_run(trials=4, pace=0.01)
    open_with(lab_page, run)
    panel = open_panel(lab_page, run.address.root)
    expect(panel.get_by_role("listitem").first).to_be_visible()
    assert problems(lab_page, panel) == []


def in_every_theme(page: NotebookPage, part: Locator, name: str) -> list[str]:
    """What axe-core finds serious in a part of the page, in each theme."""
    found: list[str] = []
    for theme in THEMES:
        page.page.evaluate(SET_THEME, theme)
        page.page.wait_for_timeout(800)
        found += [f"{theme}, {name}: {p}" for p in problems(page, part)]
        if SHOTS:
            part.screenshot(path=f"{SHOTS}/{theme.replace(' ', '-')}-{name}.png")
    page.page.evaluate(SET_THEME, THEMES[0])
    return found


@needs_axe
def test_axe_finds_nothing_serious_in_the_views_of_things(lab_page, things):  # noqa: F811
    panel = open_panel(lab_page, things.root)
    the_line(panel, "Datasets", "heart").locator(".nba-itemmain").dblclick()
    dataset = lab_page.page.get_by_role("article", name="Dataset")
    expect(dataset.get_by_role("table", name="Columns").locator("tbody tr")).to_have_count(5)
    found = in_every_theme(lab_page, dataset, "dataset")
    dataset.get_by_role("tab", name="First rows").click()
    found += in_every_theme(lab_page, dataset, "dataset rows")
    the_line(panel, "Models", "heart-model").locator(".nba-itemmain").dblclick()
    model = lab_page.page.get_by_role("article", name="Model")
    expect(model.get_by_role("table", name="Versions").locator("tbody tr")).to_have_count(2)
    model.get_by_role("button", name="Edit description and tags").click()
    found += in_every_theme(lab_page, model, "model")
    found += in_every_theme(lab_page, panel, "panel")
    assert found == []


@needs_axe
def test_axe_finds_nothing_serious_in_the_form(lab_page):
    wine(lab_page.server.root / "surface-form")
    open_lab(lab_page)
    form = open_form(lab_page, cwd="surface-form", source="file:surface-form/wine.csv")
    expect(form.locator(".nba-columntable tbody tr").first).to_be_visible(timeout=SOON_MS)
    form.get_by_role("region", name="3. Metric and limits").locator("summary").click()
    form.get_by_label("Most models", exact=True).fill("none")
    form.get_by_label("Most models", exact=True).press("Tab")
    problem = form.get_by_text("iterations must be a whole number").first
    expect(problem).to_be_visible(timeout=SOON_MS)
    assert in_every_theme(lab_page, form, "form") == []


@pytest.mark.parametrize("width", WIDTHS)
def test_text_fits(lab_page, start_run, width):
    view = shown(lab_page, start_run)
    view.evaluate("(node, width) => { node.style.width = `${width}px`; }", width)
    view.locator("tbody tr[data-n]").first.click()
    for tab in TABS:
        view.get_by_role("tab", name=tab).click()
        lab_page.page.wait_for_timeout(300)
        if SHOTS:
            view.screenshot(path=f"{SHOTS}/width-{width}-{tab}.png")
        assert view.evaluate(OVERFLOWING) == [], f"{tab} at {width} px"
