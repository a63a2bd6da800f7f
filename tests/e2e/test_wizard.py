"""The form that makes a run, in a real JupyterLab: from a file to a finished run."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Browser, Locator, expect
from sklearn.datasets import load_wine

from nbautoml import Workspace
from tests.e2e.driver import JupyterServer, NotebookPage, open_page, wait_until
from tests.e2e.test_panel import sources
from tests.e2e.test_run_view import SHOTS, check_quiet

READY = "() => window.jupyterapp?.restored.then(() => true)"
NEW_RUN = "args => void window.jupyterapp.commands.execute('nbautoml:new-run', args)"
THEME = "theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })"
COLLAPSE = "() => window.jupyterapp.shell.collapseLeft()"
WIDTH = "node => [node.scrollWidth, node.clientWidth]"
PATH = "() => window.findNotebook()?.context.path"


SOON_MS = 60_000
"""On a busy machine an answer of the form's process takes its time."""

RUN_MS = 300_000


def wine(folder: Path, *, separator: str = ",") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "wine.csv"
    load_wine(as_frame=True).frame.to_csv(file, index=False, sep=separator)
    return file


def open_lab(page: NotebookPage) -> None:
    """Open JupyterLab with nothing in it."""
    page.page.goto(f"{page.server.url}/lab?reset&token={page.server.token}")
    wait_until(lambda: page.page.evaluate(READY), "JupyterLab")


def open_form(page: NotebookPage, **args: str) -> Locator:
    page.page.evaluate(NEW_RUN, args)
    form = page.page.get_by_role("form", name="New AutoML run")
    expect(form.get_by_role("heading", name="1. Data")).to_be_visible(timeout=SOON_MS)
    return form


def choose(form: Locator, text: str) -> None:
    """Choose a dataset or file whose line begins so, and wait for its columns."""
    choice = form.get_by_label("Dataset or file")
    option = choice.locator("option", has_text=text).first
    choice.select_option(option.get_attribute("value"))
    expect(form.locator(".nba-columntable tbody tr").first).to_be_visible(timeout=SOON_MS)


def limit(form: Locator, model: str) -> None:
    """Make the run a matter of seconds."""
    form.get_by_label("Most models", exact=True).fill("2")
    part = form.get_by_role("region", name="3. Metric and limits")
    part.locator("summary").click()
    part.get_by_role("group", name="Allowed models").get_by_label(model, exact=True).check()
    part.get_by_label("Folds", exact=True).fill("2")


def code_of(form: Locator) -> str:
    return form.locator(".nba-review pre:visible").last.inner_text()


def shot(page: NotebookPage, name: str) -> None:
    if SHOTS:
        page.page.screenshot(path=f"{SHOTS}/wizard-{name}.png")


def test_a_cell_is_made_in_the_form_inserted_and_run(lab_page: NotebookPage) -> None:
    folder = lab_page.server.root / "form"
    wine(folder, separator=";")
    lab_page.server.write_notebook("form/use.ipynb", ["'mine'"])
    lab_page.open("form/use.ipynb")
    form = open_form(lab_page)
    choose(form, "form/wine.csv")
    expect(form).to_contain_text("wine: 178 rows, 14 columns.")
    label, task = form.get_by_label("Label", exact=True), form.get_by_label("Task", exact=True)
    expect(label).to_have_value("target")
    expect(task).to_have_value("classification")
    expect(form).to_contain_text("Suggested: its name says so.")
    expect(form).to_contain_text("Suggested: it has only 3 different values.")

    label.select_option("alcohol")
    expect(task).to_have_value("regression")
    form.get_by_label("Most models", exact=True).fill("none")
    form.get_by_label("Most models", exact=True).press("Tab")
    problem = form.get_by_text("iterations must be a whole number").first
    expect(problem).to_be_visible(timeout=SOON_MS)
    shot(lab_page, "problem")
    limit(form, "ElasticNet")
    form.get_by_label("Use target as").select_option("Categorical")
    form.get_by_label("Use hue as").select_option(label="Leave out")
    review = form.get_by_role("region", name="6. Review")
    expect(review).to_contain_text("drop_columns: [hue]", timeout=SOON_MS)
    expect(review).to_contain_text("These 2 cells go below the active cell of use.ipynb.")
    cell = code_of(form)
    assert cell.splitlines()[:3] == ["%%automl wine.csv", "label: alcohol", "task: regression"]

    form.get_by_role("button", name="Insert into notebook").click()
    wait_until(lambda: len(sources(lab_page)) == 3, "the new cells")
    assert sources(lab_page) == ["'mine'", "%load_ext nbautoml", cell]
    lab_page.run_cell(1)
    lab_page.run_cell(2)
    view = lab_page.page.locator(".jp-Notebook .nbautoml-run")
    expect(view.locator(".nba-status")).to_have_text("Completed", timeout=RUN_MS)
    expect(view).to_contain_text("alcohol")
    check_quiet(lab_page)


def test_a_file_is_sent_and_run_now_shows_the_run(lab_page: NotebookPage, tmp_path: Path) -> None:
    (lab_page.server.root / "sent").mkdir()
    own = tmp_path / "my wine?.csv"
    wine(tmp_path).rename(own)
    open_lab(lab_page)
    form = open_form(lab_page, cwd="sent")
    form.locator("input[type=file]").set_input_files(own)
    expect(form).to_contain_text("my wine_: 178 rows, 14 columns.", timeout=SOON_MS)
    assert (lab_page.server.root / "sent" / "my wine_.csv").read_bytes() == own.read_bytes()
    limit(form, "LogisticRegression")
    form.get_by_label("Experiment", exact=True).fill("wine-from-the-form")
    review = form.get_by_role("region", name="6. Review")
    expect(review).to_contain_text("wine-from-the-form", timeout=SOON_MS)
    form.get_by_role("button", name="Run now").click()
    view = lab_page.page.locator(".nbautoml-main .nbautoml-run")
    expect(view.locator(".nba-status")).to_have_text("Completed", timeout=RUN_MS)
    shot(lab_page, "run")
    check_quiet(lab_page)
    workspace = Workspace.from_config(lab_page.server.root / "sent")
    (run,) = workspace.experiments["wine-from-the-form"].get_runs()
    assert run.get_status() == "Completed"
    workspace.session.close()


def test_without_a_notebook_a_new_one_takes_the_code(lab_page: NotebookPage) -> None:
    wine(lab_page.server.root / "fresh")
    open_lab(lab_page)
    form = open_form(lab_page, cwd="fresh", source="file:fresh/wine.csv")
    review = form.get_by_role("region", name="6. Review")
    expect(review).to_contain_text("go into a new notebook.", timeout=SOON_MS)
    review.get_by_label("Python", exact=True).check()
    expect(review).to_contain_text("from_delimited_files('wine.csv')", timeout=SOON_MS)
    code = code_of(form)
    form.get_by_role("button", name="Insert into notebook").click()
    wait_until(lambda: lab_page.page.evaluate(PATH), "a new notebook")
    wait_until(lambda: sources(lab_page) == [code], "its cell")
    assert lab_page.page.evaluate(PATH) == "fresh/Untitled.ipynb"
    check_quiet(lab_page)


def test_the_launcher_has_the_form(lab_page: NotebookPage) -> None:
    open_lab(lab_page)
    card = lab_page.page.locator(".jp-LauncherCard", has_text="New AutoML run")
    expect(card).to_be_visible(timeout=SOON_MS)
    shot(lab_page, "launcher")
    card.click()
    form = lab_page.page.get_by_role("form", name="New AutoML run")
    expect(form).to_be_visible(timeout=SOON_MS)
    check_quiet(lab_page)


def test_the_keyboard_reaches_everything(lab_page: NotebookPage) -> None:
    wine(lab_page.server.root / "keys")
    open_lab(lab_page)
    form = open_form(lab_page, source="file:keys/wine.csv")
    expect(form.locator(".nba-columntable tbody tr").first).to_be_visible(timeout=SOON_MS)
    form.get_by_label("Workspace").focus()
    seen = []
    for _ in range(60):
        lab_page.page.keyboard.press("Tab")
        seen.append(
            lab_page.page.evaluate(
                "() => document.activeElement.getAttribute('data-setting') || "
                "document.activeElement.getAttribute('aria-label') || "
                "document.activeElement.textContent"
            )
        )
    order = ["label_column_name", "task", "primary_metric", "iterations", "compute_target"]
    places = [seen.index(name) for name in [*order, "featurization", "Use alcohol as"]]
    assert places == sorted(places)
    assert "Read" in seen and "Upload a file…" in seen
    form.get_by_label("Label", exact=True).focus()
    lab_page.page.keyboard.press("ArrowUp")
    expect(form.get_by_label("Label", exact=True)).not_to_have_value("target")
    check_quiet(lab_page)


def test_five_hundred_columns_stay_quick(lab_page: NotebookPage) -> None:
    folder = lab_page.server.root / "wide"
    folder.mkdir()
    numbers = np.random.default_rng(0).normal(size=(400, 500))
    names = [f"sensor_{i}" for i in range(500)]
    pd.DataFrame(numbers, columns=names).to_csv(folder / "wide.csv", index=False)
    open_lab(lab_page)
    form = open_form(lab_page)
    choose(form, "wide/wide.csv")
    rows = form.locator(".nba-columntable tbody tr")
    expect(rows).to_have_count(100)
    form.get_by_label("Filter columns").fill("sensor_49")
    expect(rows).to_have_count(11)
    # The last one is the suggested label, which is not used as a column.
    form.get_by_label("Use sensor_498 as", exact=True).select_option("Categorical")
    expect(form).to_contain_text("1 chosen by you")
    form.get_by_label("Filter columns").fill("")
    expect(rows).to_have_count(100)
    form.get_by_label("Label", exact=True).select_option("sensor_7")
    expect(form.get_by_label("Use sensor_7 as", exact=True)).to_be_hidden()
    check_quiet(lab_page)


@pytest.mark.parametrize("width", [400, 1400])
@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_the_form_fits(browser: Browser, lab: JupyterServer, theme: str, width: int) -> None:
    wine(lab.root / "fits")
    with open_page(browser, lab) as page:
        page.page.set_viewport_size({"width": width, "height": 900})
        open_lab(page)
        page.page.evaluate(THEME, theme)
        page.page.evaluate(COLLAPSE)
        form = open_form(page, cwd="fits", source="file:fits/wine.csv")
        expect(form.locator(".nba-columntable tbody tr").first).to_be_visible(timeout=SOON_MS)
        review = form.get_by_role("region", name="6. Review")
        expect(review).to_contain_text("%%automl", timeout=SOON_MS)
        main = page.page.locator(".nbautoml-main").first
        scroll, client = main.evaluate(WIDTH)
        assert scroll <= client
        color = form.evaluate("e => getComputedStyle(e).backgroundColor")
        is_dark = max(map(int, re.findall(r"\d+", color)[:3])) < 60
        assert is_dark == (theme == "JupyterLab Dark")
        name = f"{theme.split()[1].lower()}-{width}"
        for part, title in enumerate(["1. Data", "3. Metric", "5. Columns", "6. Review"]):
            heading = form.get_by_role("heading", name=re.compile(title))
            heading.evaluate("e => e.scrollIntoView({ block: 'start' })")
            shot(page, f"{name}-{part}")
        page.page.evaluate(THEME, "JupyterLab Light")
        # JupyterLab itself stumbles over its toolbar in so narrow a window.
        assert [error for error in page.errors if "labextensions/nbautoml" in error] == []
        assert page.outside == []
