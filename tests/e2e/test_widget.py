"""The run view as a widget, in a notebook host that does not load our extension."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.e2e.driver import open_page, wait_until
from tests.e2e.test_run_view import SHOTS, button, check_quiet, iterations_done, run_view, show

SHOW = """
from nbautoml import RunDetails, Workspace

run = Workspace.from_config({root!r}).get_run({run_id!r})
RunDetails(run).show()
"""


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
