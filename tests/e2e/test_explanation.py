"""The explanation of a model in a browser: it comes by itself or on demand; rows can be changed."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Browser, Locator, expect
from sklearn.datasets import load_breast_cancer

from nbautoml import AutoMLConfig, AutoMLRun, Experiment, Workspace
from tests.e2e.driver import JupyterServer, NotebookPage, open_page
from tests.e2e.test_run_view import check_quiet, run_view, shoot
from tests.e2e.test_surface import problems

SHOW = """
import nbautoml
run = next(nbautoml.Workspace.from_config().experiments["explained"].get_runs())
nbautoml.RunDetails(run).show()
"""


LENGTHS = "n => new Set([...n.querySelectorAll('.nba-track')].map(t => t.clientWidth)).size"


def table() -> pd.DataFrame:
    frame: pd.DataFrame = load_breast_cancer(as_frame=True).frame
    kept = frame[["mean radius", "mean texture", "mean smoothness", "mean symmetry"]]
    place = np.random.default_rng(0).choice(["north", "south", "<b>west</b>"], len(frame))
    return kept.assign(place=place, target=frame["target"].map({0: "malignant", 1: "benign"}))


def finished(lab: JupyterServer, folder: str) -> AutoMLRun:
    workspace = Workspace.create("w", path=lab.root / folder)
    config = AutoMLConfig(
        task="classification",
        training_data=table(),
        label_column_name="target",
        primary_metric="AUC_weighted",
        n_cross_validations=3,
        iterations=4,
        experiment_timeout_minutes=5,
    )
    run = Experiment(workspace, "explained").submit(config)
    assert isinstance(run, AutoMLRun)
    run.wait_for_completion()
    return run


@pytest.fixture
def view(browser: Browser, lab: JupyterServer) -> Iterator[tuple[NotebookPage, Locator, AutoMLRun]]:
    run = finished(lab, "explained")
    with open_page(browser, lab) as page:
        yield page, shown(page, "explained"), run


def shown(page: NotebookPage, folder: str) -> Locator:
    """Show the run of a folder, and return the tab of its explanation."""
    page.server.write_notebook(f"{folder}/run.ipynb", [SHOW])
    page.open(f"{folder}/run.ipynb")
    page.run_cell(0)
    run_view(page).get_by_role("tab", name="Explanation").click()
    return run_view(page).locator(".nba-explanation")


def test_a_model_is_explained(view: tuple[NotebookPage, Locator, AutoMLRun]) -> None:
    page, tab, run = view
    bars = tab.get_by_label("Importances").locator("li")
    # The best model's comes by itself when the run has ended.
    expect(bars).to_have_count(5, timeout=90_000)
    expect(bars.first).to_contain_text("mean radius")
    shoot(page, "explanation-importance-light")
    tab.get_by_label("Measure").select_option("loss")
    expect(tab).to_contain_text("cells are put in a random order")

    tab.get_by_role("tab", name="Rows").click()
    expect(tab.locator(".nba-facts")).to_contain_text("The model says")
    tab.get_by_label("Order of the rows").select_option("worst")
    expect(tab.locator(".nba-waterfall li").first).to_contain_text("before any column")
    assert tab.locator(".nba-waterfall").evaluate(LENGTHS) == 1
    change_a_cell(tab)
    assert problems(page, tab) == []
    shoot(page, "explanation-rows-light")

    tab.get_by_role("tab", name="Dependence").click()
    expect(tab.locator(".nba-canvas .main-svg").first).to_be_visible(timeout=30_000)
    shoot(page, "explanation-dependence-light")
    tab.get_by_role("tab", name="Explore").click()
    expect(tab.get_by_label("The explained rows").locator(".main-svg").first).to_be_visible()
    expect(tab.get_by_label("Cohorts", exact=True)).to_contain_text("to")
    shoot(page, "explanation-explore-light")

    assert problems(page, tab) == []
    explain_another(tab, run)
    run_view(page).evaluate("e => { e.style.width = '400px'; }")
    tab.get_by_role("tab", name="Rows").click()
    is_wide = "e => e.scrollWidth > e.clientWidth + 1"
    assert not tab.evaluate(is_wide)
    shoot(page, "explanation-narrow-light")
    check_quiet(page)


def change_a_cell(tab: Locator) -> None:
    """Ask what the model would say of another row."""
    tab.locator("summary", has_text="What if").click()
    field = tab.get_by_label("mean radius")
    field.fill("30")
    tab.get_by_role("button", name="Predict").click()
    expect(tab.locator(".nba-whatif")).to_contain_text(
        re.compile("The prediction (stays|changes)"), timeout=60_000
    )


def explain_another(tab: Locator, run: AutoMLRun) -> None:
    """Ask for the explanation of a model that has none."""
    best = run.get_best_child().number
    other = next(c.number for c in run.get_children() if c.number != best)
    tab.get_by_label("Model", exact=True).select_option(str(other))
    expect(tab).to_contain_text("not explained yet")
    tab.get_by_role("button", name="Explain this model").click()
    tab.get_by_role("tab", name="Importance").click(timeout=90_000)
    bars = tab.get_by_label("Importances").locator("li")
    expect(bars).to_have_count(5, timeout=90_000)


def test_it_is_shown_in_the_dark(browser: Browser, dark_notebook: JupyterServer) -> None:
    finished(dark_notebook, "dark-explained")
    with open_page(browser, dark_notebook) as page:
        tab = shown(page, "dark-explained")
        expect(tab.get_by_label("Importances").locator("li")).to_have_count(5, timeout=90_000)
        shoot(page, "explanation-importance-dark")
        tab.get_by_role("tab", name="Rows").click()
        shoot(page, "explanation-rows-dark")
        tab.get_by_role("tab", name="Explore").click()
        expect(tab.get_by_label("The explained rows").locator(".main-svg").first).to_be_visible(
            timeout=30_000
        )
        shoot(page, "explanation-explore-dark")
        check_quiet(page)
