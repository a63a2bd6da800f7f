"""A day's work in one go: from an empty JupyterLab to a model that answers, and back again."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
from playwright.sync_api import Browser, Locator, expect
from sklearn.datasets import load_wine

from nbautoml import Model, Webservice, Workspace
from tests.e2e.driver import JupyterServer, NotebookPage, open_page, wait_until
from tests.e2e.test_deploy import card_of, wait_for_health
from tests.e2e.test_main_job import tab
from tests.e2e.test_panel import choose as choose_action
from tests.e2e.test_panel import open_panel, the_line
from tests.e2e.test_run_view import check_quiet, iterations_done, run_view, shoot
from tests.e2e.test_wizard import SOON_MS, choose, code_of, open_form

ENDLESS = """%%automl wine.csv --name endless
label: grower
metric: accuracy
n_cross_validations: 5
timeout_minutes: 30
enable_early_stopping: false
"""
RUN_MS = 240_000


def growers(folder: Path) -> None:
    """Write the wines of three growers, whose label is a word."""
    folder.mkdir(parents=True)
    frame: pd.DataFrame = load_wine(as_frame=True).frame
    names = frame.pop("target").map({0: "Adler", 1: "Böhm", 2: "Conti"})
    frame.assign(grower=names).to_csv(folder / "wine.csv", index=False)


def make_the_run(page: NotebookPage) -> None:
    """Steps 2 and 3: the form writes a cell, and the cell runs."""
    form = open_form(page)
    choose(form, "day/wine.csv")
    form.get_by_label("Label", exact=True).select_option("grower")
    form.get_by_label("Most models", exact=True).fill("8")
    part = form.get_by_role("region", name="3. Metric and limits")
    part.locator("summary").click()
    part.get_by_label("Folds", exact=True).fill("3")
    review = form.get_by_role("region", name="6. Review")
    expect(review).to_contain_text("n_cross_validations: 3", timeout=SOON_MS)
    assert "label: grower" in code_of(form)
    form.get_by_role("button", name="Insert into notebook").click()
    count = "() => window.findNotebook().content.widgets.length"
    wait_until(lambda: page.page.evaluate(count) == 4, "the new cells")
    page.run_cell(1)
    page.run_cell(2)


def watch(page: NotebookPage) -> None:
    """Step 4: the view moves by itself until the run has ended."""
    wait_until(lambda: iterations_done(page) >= 2, "two iterations", seconds=90)
    status = run_view(page).first.locator(".nba-status")
    expect(status).to_have_text("Completed", timeout=RUN_MS)


def stop_another(page: NotebookPage, root: str) -> None:
    """Step 5: a second run goes on; it is stopped from the panel."""
    page.run_cell(3)
    panel = open_panel(page, root)
    lines = panel.get_by_role("list", name="Runs").get_by_role("listitem")
    line = lines.filter(has_text="Running")
    expect(line).to_have_count(1, timeout=SOON_MS)
    choose_action(line, "Stop")
    line.get_by_role("button", name="Stop", exact=True).click()
    expect(lines.filter(has_text="Canceled")).to_have_count(1, timeout=SOON_MS)
    expect(run_view(page).nth(1).locator(".nba-status")).to_have_text("Canceled")


def compare(models: Locator) -> None:
    """Step 6: two models side by side."""
    models.locator("tbody tr[data-n]").first.click()
    models.get_by_label("Compare with").select_option(index=1)
    rows = models.locator(".nba-compare table tbody tr")
    expect(rows.first).to_be_visible(timeout=SOON_MS)
    assert rows.count() > 3


def explain(page: NotebookPage) -> None:
    """Step 7: the best model's explanation came by itself; the chosen model has none."""
    explanation = tab(page, "Explanation")
    explanation.get_by_label("Model", exact=True).select_option(index=0)
    bars = explanation.get_by_label("Importances").locator("li")
    expect(bars).to_have_count(10, timeout=120_000)  # of 13: the most important ones


def register(models: Locator) -> None:
    """Step 8."""
    models.get_by_role("button", name="Register…").click()
    models.get_by_label("Name").fill("wine-growers")
    models.get_by_role("button", name="Register", exact=True).click()
    expect(models).to_contain_text("Registered as wine-growers, version 1.", timeout=SOON_MS)


def deploy(models: Locator) -> Locator:
    """Step 9: wait until the deployment answers, and return its card."""
    models.get_by_role("button", name="Deploy…").click()
    models.get_by_label("Deploy as").fill("wine-service")
    models.get_by_role("button", name="Deploy", exact=True).click()
    card = card_of(models, "wine-service")
    wait_for_health(card)
    return card


def predict(card: Locator) -> None:
    """Step 10: the sample row, whose wine is of the first grower, with numbers as words."""
    card.get_by_label("with probabilities").check()
    rows = card.get_by_label("Try it: a list of rows")
    rows.fill(re.sub(r": ([0-9.]+)", r': "\1"', rows.input_value()))
    card.get_by_role("button", name="Send").click()
    expect(card).to_contain_text("Answered in", timeout=30_000)
    expect(card.get_by_label("Reply")).to_contain_text("Adler")


def everything_is_still_there(page: NotebookPage, root: str) -> None:
    """Step 12: what the page shows after the kernel and the page are new."""
    view = run_view(page).first
    expect(view.locator(".nba-status")).to_have_text("Completed")
    expect(run_view(page).nth(1).locator(".nba-status")).to_have_text("Canceled")
    assert iterations_done_of(view) >= 8
    models = tab(page, "Models")
    models.locator("tbody tr[data-n]").first.click()
    predict(card_of(models, "wine-service"))
    explain(page)
    panel = open_panel(page, root)
    expect(the_line(panel, "Models", "wine-growers")).to_contain_text("version 1")
    assert "Error displaying" not in page.page.inner_text("body")


def iterations_done_of(view: Locator) -> int:
    tile = view.locator(".nba-tiles > div", has_text="Iterations").locator(".nba-value")
    return int(tile.inner_text().replace(",", "") or 0)


def test_a_day_from_the_form_to_predictions_and_back(browser: Browser, lab: JupyterServer) -> None:
    folder = lab.root / "day"
    growers(folder)
    with open_page(browser, lab) as page:
        page.server.write_notebook("day/work.ipynb", ["'the wines of three growers'", ENDLESS])
        page.open("day/work.ipynb")
        make_the_run(page)
        watch(page)
        stop_another(page, str(folder))
        models = tab(page, "Models")
        compare(models)
        explain(page)
        models = tab(page, "Models")
        register(models)
        predict(deploy(models))
        shoot(page, "day-light")
        page.save()
        page.restart_kernel()
        page.reload()
        everything_is_still_there(page, str(folder))
        shoot(page, "day-again-light")
        check_quiet(page)
    workspace = Workspace.from_config(folder)
    assert Model(workspace, "wine-growers").version == 1
    Webservice(workspace, "wine-service").delete()
    workspace.session.close()
