"""The side panel in JupyterLab: what a workspace holds, beside the notebook."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from playwright.sync_api import Locator, expect

from nbautoml.compute.clusters import DaskCluster
from nbautoml.compute.kinds.cluster import CLUSTER, ClusterBackend
from nbautoml.data import Dataset
from nbautoml.domain.records import ComputeRecord, SessionAddress
from nbautoml.registry.model import Model
from nbautoml.services.workspaces import remember_workspace
from nbautoml.store.session import open_session
from tests.e2e.driver import NotebookPage, open_page, wait_until
from tests.e2e.fake_run import make_workspace
from tests.e2e.test_run_view import SHOTS, check_quiet, show

SOURCES = "() => window.findNotebook().content.widgets.map(c => c.model.sharedModel.getSource())"
ACTIVATE = "() => window.jupyterapp.shell.activateById(window.findNotebook().id)"
STRANGE = "<script>document.title = 'hacked'</script>"
EMOJI = "цены 🏠"
ARABIC = "أسعار المنازل"


def open_panel(page: NotebookPage, root: str) -> Locator:
    """Open the panel with a workspace in it."""
    page.page.evaluate("() => window.jupyterapp.shell.activateById('nbautoml-panel')")
    panel = page.page.locator(".nbautoml-panel")
    expect(panel).to_be_visible()
    panel.get_by_role("combobox", name="Workspace").select_option(root)
    return panel


def the_run(panel: Locator) -> Locator:
    return panel.get_by_role("list", name="Runs").get_by_role("listitem").first


def the_line(panel: Locator, section: str, name: str) -> Locator:
    lines = panel.get_by_role("list", name=section).get_by_role("listitem")
    return lines.filter(has=panel.page.get_by_text(name, exact=True))


def choose(line: Locator, label: str) -> None:
    """Choose an action from a line's menu."""
    line.hover()
    line.get_by_role("button", name="Actions for").click()
    line.page.get_by_role("menuitem", name=label).click()


def shoot(page: NotebookPage, name: str) -> None:
    """Keep a picture of the page when a folder for pictures is named."""
    if SHOTS:
        Path(SHOTS).mkdir(parents=True, exist_ok=True)
        page.page.screenshot(path=f"{SHOTS}/{name}.png")


def check_narrow(page: NotebookPage, view: Locator, name: str) -> None:
    """What is shown fits into 400 pixels: its tables scroll, the page does not."""
    before = page.page.viewport_size
    assert before is not None
    page.page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
    page.page.set_viewport_size({"width": 480, "height": before["height"]})
    wait_until(lambda: view.bounding_box()["width"] <= 400, "a narrow view")
    too_wide = "node => node.scrollWidth - node.clientWidth"
    assert view.evaluate(too_wide) <= 0
    assert view.locator("..").evaluate(too_wide) <= 0
    shoot(page, name)
    page.page.set_viewport_size(before)
    page.page.evaluate("() => window.jupyterapp.shell.expandLeft()")


def sources(page: NotebookPage) -> list[Any]:
    return list(page.page.evaluate(SOURCES))


def test_a_run_is_opened_from_the_panel_and_stopped_there(lab_page, start_run):
    run = start_run(trials=400, pace=0.05)
    show(lab_page, "panel.ipynb", run.show)
    panel = open_panel(lab_page, run.address.root)
    expect(the_run(panel)).to_contain_text("Running")
    shoot(lab_page, "panel-light")
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
    shoot(lab_page, "panel-run-light")
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


@pytest.fixture
def make_things(tmp_path: Path) -> Callable[..., SessionAddress]:
    """Return a function that makes a workspace with datasets and a model, known to a server."""

    def make(home: Path, monkeypatch: pytest.MonkeyPatch) -> SessionAddress:
        address = make_workspace(tmp_path / "things")
        monkeypatch.setenv("NBAUTOML_HOME", str(home))
        remember_workspace(address)
        with open_session(address) as session:
            workspace = SimpleNamespace(session=session)
            _register_datasets(workspace)
            _register_models(workspace, tmp_path)
        return address

    return make


def _register_datasets(workspace: Any) -> None:
    frame = pd.DataFrame(
        {
            "age": [75, 55, 65, 50, 65, 90, 75, 60],
            "platelets": [265e3, 263358.03, 162e3, 210e3, None, 204e3, 127e3, 454e3],
            "sex": ["m", "m", "m", "m", "f", "m", "m", "m"],
            STRANGE: ["yes", "<b>no</b>", None, "yes", "no", "no", "yes", "yes"],
            "seen": pd.date_range("2024-01-01", periods=8, freq="7D"),
        }
    )
    read = Dataset.Tabular.from_pandas_dataframe
    read(frame.head(5)).register(workspace, "heart", description="First patients.")
    read(frame).register(
        workspace,
        "heart",
        description="Patients of one clinic, all that are known.",
        tags={"area": "care", "checked": ""},
        create_new_version=True,
    )
    for name in (STRANGE, EMOJI, ARABIC):
        read(frame[["age"]]).register(workspace, name)


def _register_models(workspace: Any, folder: Path) -> None:
    path = folder / "outputs"
    path.mkdir()
    (path / "model.bin").write_bytes(b"model")
    (path / "notes.txt").write_bytes(b"notes")
    data = [("training", Dataset.get_by_name(workspace, "heart"))]
    for n in (1, 2):
        model = Model.register(
            workspace,
            path,
            "heart-model",
            tags={"try": str(n)},
            description=f"Try {n}",
            datasets=data,
        )
    model.set_stage("Production")
    model.set_alias("champion")


@pytest.fixture
def things(
    lab_page: NotebookPage,
    make_things: Callable[..., SessionAddress],
    monkeypatch: pytest.MonkeyPatch,
) -> SessionAddress:
    """A workspace with datasets and a model, and an open notebook beside it."""
    address = make_things(lab_page.server.nbautoml_home, monkeypatch)
    lab_page.server.write_notebook("things.ipynb", ["1 + 1"])
    lab_page.open("things.ipynb")
    return address


def test_a_dataset_is_opened_with_its_columns_rows_and_versions(lab_page, things):
    panel = open_panel(lab_page, things.root)
    the_line(panel, "Datasets", "heart").locator(".nba-itemmain").dblclick()
    view = lab_page.page.get_by_role("article", name="Dataset")
    expect(view.get_by_role("heading", name="heart")).to_be_visible()
    columns = view.get_by_role("table", name="Columns").locator("tbody tr")
    expect(columns).to_have_count(5)
    expect(columns.nth(1)).to_contain_text("1 (12.5 %)")
    expect(columns.nth(3)).to_contain_text(STRANGE)
    expect(view.locator(".nba-tags li")).to_have_text(["area: care", "checked"])
    shoot(lab_page, "dataset-light")
    view.get_by_role("tab", name="First rows").click()
    rows = view.get_by_role("table", name="First rows").locator("tbody tr")
    expect(rows.nth(1)).to_contain_text("<b>no</b>")
    expect(rows.nth(4)).to_contain_text("missing")
    check_narrow(lab_page, view, "dataset-rows-400")
    view.get_by_role("tab", name="Versions (2)").click()
    view.get_by_role("button", name="1", exact=True).click()
    expect(view.locator(".nba-description")).to_have_text("First patients.")
    view.get_by_role("button", name="Insert code").click()
    wait_until(lambda: len(sources(lab_page)) == 2, "a second cell")
    assert 'Dataset.get_by_name(ws, "heart", version=1)' in sources(lab_page)[1]
    check_quiet(lab_page)


def test_a_model_is_edited_downloaded_and_deleted(lab_page, things):
    panel = open_panel(lab_page, things.root)
    line = the_line(panel, "Models", "heart-model")
    line.locator(".nba-itemmain").focus()
    lab_page.page.keyboard.press("Enter")
    view = lab_page.page.get_by_role("article", name="Model")
    expect(view.get_by_role("table", name="Versions").locator("tbody tr")).to_have_count(2)
    expect(view.locator(".nba-detailshead")).to_contain_text("Production · champion")
    shoot(lab_page, "model-light")
    view.get_by_role("tab", name="Lineage").click()
    picture = view.get_by_role("group", name="data: heart:2")
    expect(picture.locator("text")).to_contain_text(["heart:2", "heart-model:2"])
    shoot(lab_page, "lineage-light")
    picture.get_by_role("link", name="heart:2").focus()
    lab_page.page.keyboard.press("Enter")
    data = lab_page.page.get_by_role("article", name="Dataset")
    expect(data).to_contain_text("Patients of one clinic")
    line.locator(".nba-itemmain").focus()
    lab_page.page.keyboard.press("Enter")

    view.get_by_role("button", name="Edit description and tags").click()
    view.get_by_role("textbox", name="Description").fill("The better one 🎉")
    view.get_by_role("button", name="Save").click()
    expect(view.locator(".nba-description")).to_have_text("The better one 🎉")

    with lab_page.page.expect_download() as download:
        view.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "heart-model-2.zip"
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.read("outputs/model.bin") == b"model"

    lab_page.page.evaluate("() => window.jupyterapp.shell.activateById('nbautoml-panel')")
    line.locator(".nba-itemmain").focus()
    lab_page.page.keyboard.press("Delete")
    expect(line.locator(".nba-ask")).to_contain_text("Delete version 2 of heart-model?")
    shoot(lab_page, "panel-confirm-light")
    lab_page.page.keyboard.press("Escape")
    expect(line.locator(".nba-ask")).to_be_hidden()
    choose(line, "Delete version")
    line.get_by_role("button", name="Delete version").click()
    expect(line).to_contain_text("version 1")
    with open_session(things) as session, session.read() as tx:
        assert [model.version for model in tx.models.list(name="heart-model")] == [1]
    check_quiet(lab_page)


def test_a_cluster_is_started_looked_at_and_stopped(lab_page, things):
    options = DaskCluster.provisioning_configuration(min_nodes=1, max_nodes=2, cores=1).options
    record = ComputeRecord(
        name="small",
        kind=CLUSTER,
        options=ClusterBackend.record_options(options),
        created_at=1.0,
    )
    with open_session(things) as session, session.write() as tx:
        tx.computes.put(record)
    panel = open_panel(lab_page, things.root)
    line = the_line(panel, "Compute", "small")
    expect(line).to_contain_text("starts when it is used")
    line.locator(".nba-itemmain").dblclick()
    view = lab_page.page.get_by_role("article", name="Compute")
    view.get_by_role("button", name="Start", exact=True).click()
    rows = view.get_by_role("table", name="Nodes").locator("tbody tr")
    expect(rows).to_have_count(1, timeout=90_000)
    view.get_by_role("tab", name="Log").click()
    expect(view.locator("pre")).to_contain_text("nodes")
    shoot(lab_page, "compute-light")
    view.get_by_role("button", name="Scale…").click()
    view.get_by_label("Most nodes").fill("3")
    view.get_by_role("button", name="Scale", exact=True).click()
    expect(view.locator(".nba-detailshead")).to_contain_text("1 to 3")
    view.get_by_role("button", name="Stop…").click()
    view.get_by_role("button", name="Stop", exact=True).click()
    expect(view.get_by_role("button", name="Start", exact=True)).to_be_visible(timeout=60_000)
    view.get_by_role("tab", name="Nodes (0)").click()
    expect(view).to_contain_text("No nodes now")
    choose(line, "Delete")
    line.get_by_role("button", name="Delete", exact=True).click()
    expect(line).to_have_count(0)
    check_quiet(lab_page)


def test_an_error_is_shown_where_it_was_asked_for(lab_page, things):
    panel = open_panel(lab_page, things.root)
    line = the_line(panel, "Models", "heart-model")
    expect(line).to_contain_text("version 2")
    choose(line, "Delete version")
    with open_session(things) as session, session.write() as tx:
        tx.models.delete("heart-model", 2)  # somebody else was faster
    line.get_by_role("button", name="Delete version").click()
    expect(line.locator(".nba-notice.nba-error")).to_contain_text("has no version 2")
    expect(panel.locator(".nba-message")).to_be_hidden()
    expect(line.locator(".nba-itemnote")).to_contain_text("version 1")
    shoot(lab_page, "panel-error-light")
    line.get_by_role("button", name="Put this message away").click()
    expect(line.locator(".nba-notice")).to_be_hidden()
    check_quiet(lab_page)


def test_names_of_all_kinds_are_shown_as_text(lab_page, things):
    panel = open_panel(lab_page, things.root)
    titles = panel.get_by_role("list", name="Datasets").locator(".nba-itemtitle")
    expect(titles).to_have_text([ARABIC, EMOJI, STRANGE, "heart"])
    the_line(panel, "Datasets", STRANGE).locator(".nba-itemmain").dblclick()
    view = lab_page.page.get_by_role("article", name="Dataset")
    expect(view.get_by_role("heading", level=2)).to_have_text(STRANGE)
    assert "hacked" not in lab_page.page.title()
    panel.get_by_label("Filter all sections").fill("цены")
    expect(panel.locator(".nba-itemtitle:visible")).to_have_text([EMOJI])
    check_quiet(lab_page)


def _is_kept(layouts: Path, text: str) -> bool:
    """Whether JupyterLab has written something with its layout."""
    files = layouts.glob("*") if layouts.is_dir() else ()
    return any(text in re.sub(r"\s", "", file.read_text()) for file in files)


def test_a_setting_hides_a_section_and_folds_stay(lab_page, things):
    panel = open_panel(lab_page, things.root)
    heads = panel.locator(".nba-sectionhead:visible bdi")
    others = ["Pipelines", "Deployments", "Compute", "Workspace"]
    expect(heads).to_have_text(["Runs", "Datasets", "Models", *others])
    panel.get_by_role("button", name=re.compile("^Compute")).click()
    save = """async ([name, value]) => {
      const { serviceManager } = window.jupyterapp;
      await serviceManager.settings.save('nbautoml:panel', JSON.stringify({ [name]: value }));
    }"""
    lab_page.page.evaluate(save, ["sections", {"models": False}])
    layouts = lab_page.server.root.parent / "layouts"
    wait_until(lambda: _is_kept(layouts, '"folded":["compute"]'), "the fold to be kept")
    try:
        lab_page.reload()
        panel = open_panel(lab_page, things.root)
        heads = panel.locator(".nba-sectionhead:visible bdi")
        expect(heads).to_have_text(["Runs", "Datasets", *others])
        compute = panel.get_by_role("button", name=re.compile("^Compute"))
        expect(compute).to_have_attribute("aria-expanded", "false")
    finally:
        lab_page.page.evaluate(save, ["sections", {}])
    check_quiet(lab_page)


def test_nothing_is_asked_while_nobody_can_see_the_panel(lab_page, things):
    asked: list[str] = []
    lab_page.page.on("request", lambda r: asked.append(r.url) if "v1/catalog" in r.url else None)

    def has_asked(n: int) -> bool:
        lab_page.page.wait_for_timeout(100)  # only then are the page's events heard
        return len(asked) >= n

    panel = open_panel(lab_page, things.root)
    expect(the_line(panel, "Models", "heart-model")).to_be_visible()
    wait_until(lambda: has_asked(3), "the lists to be read again", seconds=30)
    lab_page.page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
    expect(panel).to_be_hidden()
    lab_page.page.wait_for_timeout(500)  # what was under way
    before = len(asked)
    lab_page.page.wait_for_timeout(12_000)  # more than two readings
    assert len(asked) == before
    lab_page.page.evaluate("() => window.jupyterapp.shell.activateById('nbautoml-panel')")
    wait_until(lambda: has_asked(before + 1), "the lists to be read at once", seconds=4)
    check_quiet(lab_page)


def test_commands_of_the_palette_ask_and_do(lab_page, start_run):
    run = start_run(trials=400, pace=0.05)
    show(lab_page, "commands.ipynb", run.show)
    panel = open_panel(lab_page, run.address.root)
    execute = "id => void window.jupyterapp.commands.execute(id)"
    lab_page.page.evaluate(execute, "nbautoml:open-run-by-id")
    dialog = lab_page.page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill("AutoML_nowhere")
    dialog.get_by_role("button", name="Open").click()
    expect(dialog).to_contain_text("No run has the id 'AutoML_nowhere'")
    dialog.get_by_role("button").first.click()
    lab_page.page.evaluate(execute, "nbautoml:stop-run")
    expect(dialog).to_contain_text("Stop a run")
    dialog.get_by_role("button", name="Stop").click()
    wait_until(run.requests, "the request to stop")
    expect(the_run(panel)).to_contain_text("Canceled", timeout=20_000)
    check_quiet(lab_page)


def test_the_launcher_opens_the_panel(lab_page, things):
    lab_page.page.evaluate("() => window.jupyterapp.commands.execute('launcher:create')")
    lab_page.page.locator(".jp-LauncherCard", has_text="Open AutoML").click()
    expect(lab_page.page.locator(".nbautoml-panel")).to_be_visible()
    check_quiet(lab_page)


def test_the_panel_in_the_dark(browser, dark_lab, make_things, monkeypatch):
    with open_page(browser, dark_lab) as page:
        address = make_things(dark_lab.nbautoml_home, monkeypatch)
        page.server.write_notebook("dark.ipynb", ["1 + 1"])
        page.open("dark.ipynb")
        panel = open_panel(page, address.root)
        line = the_line(panel, "Datasets", "heart")
        line.locator(".nba-itemmain").dblclick()
        view = page.page.get_by_role("article", name="Dataset")
        expect(view.get_by_role("table", name="Columns").locator("tbody tr")).to_have_count(5)
        line.hover()
        line.get_by_role("button", name="Actions for").click()
        menu = page.page.get_by_role("menu")
        expect(menu.get_by_role("menuitem")).to_have_count(5)
        background = menu.evaluate("node => getComputedStyle(node).backgroundColor")
        assert max(map(int, re.findall(r"\d+", background)[:3])) < 80, background
        shoot(page, "panel-menu-dark")
        page.page.keyboard.press("Escape")
        choose(the_line(panel, "Models", "heart-model"), "Edit description")
        shoot(page, "panel-edit-dark")
        the_line(panel, "Models", "heart-model").locator(".nba-itemmain").dblclick()
        view = page.page.get_by_role("article", name="Model")
        expect(view).to_be_visible()
        shoot(page, "model-dark")
        view.get_by_role("tab", name="Lineage").click()
        check_narrow(page, view, "lineage-400-dark")
        view.get_by_role("tab", name="Versions").click()
        check_narrow(page, view, "model-400-dark")
        check_quiet(page)


def test_notebook_7_has_the_panel_its_views_and_the_form(
    browser, dark_notebook, make_things, monkeypatch
):
    with open_page(browser, dark_notebook) as page:
        address = make_things(dark_notebook.nbautoml_home, monkeypatch)
        page.server.write_notebook("seven.ipynb", ["1 + 1"])
        page.open("seven.ipynb")
        panel = open_panel(page, address.root)
        the_line(panel, "Datasets", "heart").locator(".nba-itemmain").dblclick()
        view = page.page.get_by_role("article", name="Dataset")
        expect(view.get_by_role("table", name="Columns").locator("tbody tr")).to_have_count(5)
        shoot(page, "panel-notebook7-dark")
        view.get_by_role("button", name="Insert code").click()
        wait_until(lambda: len(sources(page)) == 2, "a second cell")
        panel.get_by_role("button", name="New run").click()
        form = page.page.get_by_role("form", name="New AutoML run")
        expect(form.get_by_role("heading", name="1. Data")).to_be_visible(timeout=60_000)
        shoot(page, "form-notebook7-dark")
        check_quiet(page)
