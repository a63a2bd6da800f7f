"""What a person sees of a run in JupyterLab and Notebook 7."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

from playwright.sync_api import Locator, expect

from tests.e2e.driver import NotebookPage, open_page, wait_until

SHOTS = os.environ.get("NBAUTOML_SHOTS")


def shoot(page: NotebookPage, name: str) -> None:
    """Keep a picture of the run view when a folder for pictures is named."""
    if SHOTS:
        Path(SHOTS).mkdir(parents=True, exist_ok=True)
        run_view(page).first.screenshot(path=f"{SHOTS}/{name}.png")


def run_view(page: NotebookPage) -> Locator:
    return page.page.locator(".nbautoml-run")


def iterations_done(page: NotebookPage) -> int:
    tile = run_view(page).locator(".nba-tiles > div", has_text="Iterations").locator(".nba-value")
    return int(tile.inner_text().replace(",", "") or 0)


def button(page: NotebookPage, name: str) -> Locator:
    return run_view(page).get_by_role("button", name=name, exact=True)


def check_quiet(page: NotebookPage) -> None:
    assert page.errors_of_ours() == []
    assert page.outside == []


def show(page: NotebookPage, name: str, *cells: str) -> None:
    """Open a notebook whose first cell shows a run, and run that cell."""
    page.server.write_notebook(name, list(cells))
    page.open(name)
    page.run_cell(0)
    expect(button(page, "Stop")).to_be_visible()


def test_view_moves_and_stop_works_while_the_kernel_is_busy(lab_page, start_run):
    run = start_run(trials=400, pace=0.04)
    show(lab_page, "busy.ipynb", run.show, "import time; time.sleep(60)")
    lab_page.run_cell(1, wait=False)
    wait_until(lab_page.is_kernel_busy, "a busy kernel")

    before = iterations_done(lab_page)
    wait_until(lambda: iterations_done(lab_page) >= before + 5, "five more iterations")
    shoot(lab_page, "running-light")
    button(lab_page, "Stop").click()
    expect(run_view(lab_page)).to_contain_text("Stop this run?")
    assert run.requests() == []
    button(lab_page, "Stop run").click()

    wait_until(run.requests, "the request's row", seconds=5.0)
    assert lab_page.is_kernel_busy()
    assert [r.kind.value for r in run.requests()] == ["cancel"]
    expect(run_view(lab_page).locator(".nba-status")).to_have_text("Canceled")
    expect(button(lab_page, "Stop")).to_be_hidden()
    check_quiet(lab_page)


def test_more_time_and_finish_now_reach_the_run(lab_page, start_run):
    run = start_run(trials=400, pace=0.04)
    show(lab_page, "finish.ipynb", run.show)

    button(lab_page, "+ 5 min").click()
    expect(run_view(lab_page)).to_contain_text("after 10 min")
    button(lab_page, "Finish now").click()

    expect(run_view(lab_page).locator(".nba-status")).to_have_text("Completed")
    assert [r.kind.value for r in run.requests()] == ["add_minutes", "finish_now"]
    check_quiet(lab_page)


def test_run_is_live_again_after_kernel_restart_and_reload(lab_page, start_run):
    run = start_run(trials=400, pace=0.05)
    show(lab_page, "again.ipynb", run.show)
    lab_page.save()
    lab_page.restart_kernel()
    lab_page.reload()

    expect(button(lab_page, "Stop")).to_be_visible()
    before = iterations_done(lab_page)
    wait_until(lambda: iterations_done(lab_page) > before, "an iteration after the reload")
    assert "Error displaying" not in lab_page.page.inner_text("body")
    assert (lab_page.server.root / "again.ipynb").stat().st_size < 60_000
    check_quiet(lab_page)


def test_notebook_7_in_dark(browser, dark_notebook, start_run):
    run = start_run(trials=400, pace=0.04)
    with open_page(browser, dark_notebook) as page:
        show(page, "dark.ipynb", run.show)
        before = iterations_done(page)
        wait_until(lambda: iterations_done(page) >= before + 20, "twenty more iterations")
        color = run_view(page).evaluate("e => getComputedStyle(e).backgroundColor")
        assert max(map(int, re.findall(r"\d+", color)[:3])) < 60
        shoot(page, "running-dark")
        check_quiet(page)


def test_thousand_trials_stay_small_and_quick(lab_page, start_run):
    run = start_run(trials=1000, pace=0.002)
    show(lab_page, "thousand.ipynb", run.show)
    expect(run_view(lab_page).locator(".nba-status")).to_have_text("Completed", timeout=120_000)

    assert iterations_done(lab_page) == 1000
    assert lab_page.event_sockets == 1
    assert lab_page.event_bytes < 1_000_000
    view = run_view(lab_page)
    assert view.locator(".nba-trials tbody tr").count() == 100
    expect(view.locator(".nba-found")).to_have_text("1 to 100 of 1,000 models")
    start = time.monotonic()
    view.get_by_placeholder("Filter models").fill("knn")
    expect(view.locator(".nba-found")).to_contain_text("of 1,000 models")
    assert time.monotonic() - start < 5.0
    view.get_by_placeholder("Filter models").fill("")
    shoot(lab_page, "thousand-light")
    check_quiet(lab_page)


def test_keyboard_opens_details_and_text_stays_text(lab_page, start_run):
    run = start_run(trials=24, pace=0.0)
    run.wait()
    lab_page.server.write_notebook("keys.ipynb", [run.show])
    lab_page.open("keys.ipynb")
    lab_page.run_cell(0)
    view = run_view(lab_page)
    expect(view.locator(".nba-status")).to_have_text("Completed")
    rows = view.locator(".nba-trials tbody tr[data-n]")
    expect(rows.first).to_contain_text("best")

    rows.first.focus()
    lab_page.page.keyboard.press("ArrowDown")
    expect(rows.nth(1)).to_be_focused()
    lab_page.page.keyboard.press("Enter")
    expect(view.locator(".nba-details")).to_contain_text("learning_rate")
    expect(view.locator(".nba-details")).to_contain_text("<i>text</i>")
    shoot(lab_page, "details-light")
    view.get_by_role("tab", name=re.compile("^Data")).click()
    view.locator("summary", has_text="Class balancing").click()
    expect(view.locator(".nba-guardrails")).to_contain_text("<b>yes</b>")
    shoot(lab_page, "data-light")
    check_quiet(lab_page)


def test_click_on_a_point_opens_its_row(lab_page, start_run):
    run = start_run(trials=24, pace=0.0)
    run.wait()
    lab_page.server.write_notebook("point.ipynb", [run.show])
    lab_page.open("point.ipynb")
    lab_page.run_cell(0)
    view = run_view(lab_page)
    point = view.locator(".nba-failed[data-n='7']")
    point.hover()
    expect(view.locator(".nba-tooltip")).to_contain_text("Failed: ValueError")
    point.click()

    expect(view.locator(".nba-trials tr[data-n='7']")).to_have_attribute("aria-expanded", "true")
    expect(view.locator(".nba-details pre")).to_contain_text("<script>alert(1)</script>")
    check_quiet(lab_page)


def test_unknown_run_shows_its_snapshot(lab_page, start_run):
    run = start_run(trials=400, pace=0.04)
    elsewhere = run.show.replace("workspace=address.root", "workspace='/nowhere'")
    lab_page.server.write_notebook("gone.ipynb", [elsewhere])
    lab_page.open("gone.ipynb")
    lab_page.run_cell(0)

    lost = run_view(lab_page)
    expect(lost).to_contain_text("not connected")
    expect(lost).to_contain_text("snapshot from")
    expect(lost.get_by_role("button", name="Stop", exact=True)).to_be_hidden()
    check_quiet(lab_page)
