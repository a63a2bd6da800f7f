"""The run view as a widget, in a notebook host that does not load our extension."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, expect

from nbautoml import Webservice
from tests.e2e.driver import JupyterServer, NotebookPage, open_page, wait_until
from tests.e2e.test_deploy import card_of, try_it, wait_for_health
from tests.e2e.test_explanation import change_a_cell, finished
from tests.e2e.test_run_view import SHOTS, button, check_quiet, iterations_done, run_view, show
from tests.e2e.test_surface import SET_THEME

SHOW = """
from nbautoml import RunDetails, Workspace

run = Workspace.from_config({root!r}).get_run({run_id!r})
RunDetails(run).show()
"""


SHOW_ENDED = SHOW.replace(".show()", '.show(widget_settings={{"view": "widget"}})')


def test_a_widget_is_live_and_a_page_is_left(browser, bare_lab, start_run):
    run = start_run(trials=400, pace=0.05)
    with open_page(browser, bare_lab) as page:
        source = SHOW.format(root=run.address.root, run_id=run.id)
        show(page, "widget.ipynb", source, "import time; time.sleep(4)")
        before = iterations_done(page)
        wait_until(lambda: iterations_done(page) >= before + 5, "five more iterations")
        if SHOTS:
            run_view(page).screenshot(path=f"{SHOTS}/widget.png")

        # While a cell runs it still moves: only questions wait for the kernel.
        page.run_cell(1, wait=False)
        before = iterations_done(page)
        wait_until(lambda: iterations_done(page) >= before + 5, "five more iterations")
        page.wait_for_kernel()

        run_view(page).get_by_role("tab", name="Logs").click()
        expect(run_view(page).locator(".nba-log")).to_contain_text("Iteration 0")
        button(page, "Finish now").click()
        wait_until(run.requests, "the request's row", seconds=10.0)
        assert [r.kind.value for r in run.requests()] == ["finish_now"]

        # The page that takes its place has no buttons, and outlives the kernel.
        expect(run_view(page).get_by_role("button")).to_have_count(0)
        expect(run_view(page)).to_contain_text("Completed")
        page.save()
        page.restart_kernel()
        page.reload()
        expect(run_view(page)).to_contain_text("Completed")
        outputs = page.page.locator(".jp-OutputArea")
        expect(
            outputs.filter(has_text=re.compile("Error displaying widget|model not found"))
        ).to_have_count(0)
        check_quiet(page)


def keep(page: NotebookPage, name: str) -> None:
    if SHOTS:
        for theme in ("Dark", "Light"):
            page.page.evaluate(SET_THEME, f"JupyterLab {theme}")
            page.page.wait_for_timeout(1000)
            run_view(page).screenshot(path=f"{SHOTS}/{name}-{theme.lower()}.png")


def test_a_widget_explains_registers_and_deploys(browser: Browser, bare_lab: JupyterServer) -> None:
    run = finished(bare_lab, "served")
    with open_page(browser, bare_lab) as page:
        root = run.session.address.root
        source = SHOW_ENDED.format(root=root, run_id=run.id)
        page.server.write_notebook("served.ipynb", [source])
        page.open("served.ipynb")
        page.run_cell(0)
        view = run_view(page)
        view.get_by_role("tab", name="Explanation").click()
        tab = view.locator(".nba-explanation")
        expect(tab.get_by_label("Importances").locator("li")).to_have_count(5, timeout=90_000)
        keep(page, "widget-explanation")
        tab.get_by_role("tab", name="Rows").click()
        expect(tab.locator(".nba-waterfall li").first).to_contain_text("before any column")
        change_a_cell(tab)
        keep(page, "widget-rows")

        view.get_by_role("tab", name="Models").click()
        view.locator("tbody tr[data-n]").first.click()
        button(page, "Register…").click()
        view.get_by_label("Name", exact=True).fill("from-the-widget")
        button(page, "Register").click()
        expect(view).to_contain_text("Registered as from-the-widget, version 1.", timeout=60_000)

        button(page, "Deploy…").click()
        view.get_by_label("Deploy as").fill("a name with spaces")
        button(page, "Deploy").click()
        expect(view).to_contain_text("The name of a deployment must be", timeout=60_000)
        view.get_by_label("Deploy as").fill("from-the-widget")
        button(page, "Deploy").click()
        card = card_of(view, "from-the-widget")
        wait_for_health(card)
        expect(card).to_contain_text("curl http://127.0.0.1")
        try_it(card)
        keep(page, "widget-deployed")
        card.get_by_role("button", name="Delete").click()
        card.get_by_role("button", name="Delete for good?").click()
        expect(card).to_have_count(0)
        assert Webservice.list(run.experiment.workspace) == []
        check_quiet(page)
