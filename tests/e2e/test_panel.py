"""The side panel in JupyterLab: what a workspace holds, beside the notebook."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, expect

from tests.e2e.driver import NotebookPage, wait_until
from tests.e2e.test_run_view import SHOTS, check_quiet, show

SOURCES = "() => window.findNotebook().content.widgets.map(c => c.model.sharedModel.getSource())"
ACTIVATE = "() => window.jupyterapp.shell.activateById(window.findNotebook().id)"


def open_panel(page: NotebookPage, root: str) -> Locator:
    """Open the panel with a workspace in it."""
    page.page.evaluate("() => window.jupyterapp.shell.activateById('nbautoml-panel')")
    panel = page.page.locator(".nbautoml-panel")
    expect(panel).to_be_visible()
    panel.get_by_label("Workspace").select_option(root)
    return panel


def the_run(panel: Locator) -> Locator:
    return panel.get_by_role("list", name="Runs").get_by_role("listitem").first


def sources(page: NotebookPage) -> list[Any]:
    return list(page.page.evaluate(SOURCES))


def test_a_run_is_opened_from_the_panel_and_stopped_there(lab_page, start_run):
    run = start_run(trials=400, pace=0.05)
    show(lab_page, "panel.ipynb", run.show)
    panel = open_panel(lab_page, run.address.root)
    expect(the_run(panel)).to_contain_text("Running")
    if SHOTS:
        lab_page.page.screenshot(path=f"{SHOTS}/panel-light.png")
    the_run(panel).locator(".nba-itemmain").dblclick()
    opened = lab_page.page.locator(".nbautoml-main .nbautoml-run")
    expect(opened.locator(".nba-status")).to_have_text("Running")
    opened.get_by_role("button", name="Stop", exact=True).click()
    opened.get_by_role("button", name="Stop run").click()
    expect(opened.locator(".nba-status")).to_have_text("Canceled")
    expect(the_run(panel)).to_contain_text("Canceled", timeout=20_000)
    the_run(panel).locator(".nba-itemmain").dblclick()
    expect(opened).to_have_count(1)
    assert lab_page.event_sockets == 1
    if SHOTS:
        lab_page.page.screenshot(path=f"{SHOTS}/panel-run-light.png")
    check_quiet(lab_page)


def test_code_goes_into_the_notebook_by_a_click_and_by_a_drag(lab_page, start_run):
    run = start_run(trials=400, pace=0.05)
    show(lab_page, "insert.ipynb", run.show)
    panel = open_panel(lab_page, run.address.root)
    lab_page.page.evaluate(ACTIVATE)
    the_run(panel).hover()
    the_run(panel).get_by_role("button", name="Insert code").click()
    wait_until(lambda: len(sources(lab_page)) == 2, "a second cell")
    assert f'ws.get_run("{run.id}")' in sources(lab_page)[1]
    lab_page.run_cell(1)
    expect(lab_page.page.locator(".jp-Notebook .nbautoml-run")).to_have_count(2)

    first = lab_page.page.locator(".jp-Notebook .jp-Cell .jp-InputArea").first
    first.scroll_into_view_if_needed()
    source = the_run(panel).locator(".nba-itemmain").bounding_box()
    target = first.bounding_box()
    assert source is not None and target is not None
    mouse = lab_page.page.mouse
    mouse.move(source["x"] + 40, source["y"] + 10)
    mouse.down()
    mouse.move(source["x"] + 60, source["y"] + 30, steps=4)
    mouse.move(target["x"] + 80, target["y"] + 8, steps=8)
    mouse.up()
    wait_until(lambda: len(sources(lab_page)) == 3, "a third cell")
    assert sum("ws.get_run(" in source for source in sources(lab_page)) == 2
    check_quiet(lab_page)


def test_without_a_notebook_the_panel_says_what_is_missing(lab_page, start_run):
    run = start_run(trials=400, pace=0.05)
    show(lab_page, "closed.ipynb", run.show)
    panel = open_panel(lab_page, run.address.root)
    lab_page.save()
    lab_page.page.evaluate("() => window.findNotebook().close()")
    the_run(panel).hover()
    the_run(panel).get_by_role("button", name="Insert code").click()
    expect(panel).to_contain_text("Open a notebook to put the code into.")
    check_quiet(lab_page)
