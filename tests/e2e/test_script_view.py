"""A script's run in a real JupyterLab: live in its cell, from the panel, dark, narrow."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, expect

import nbautoml
from tests.e2e.driver import JupyterServer, NotebookPage, open_page, wait_until
from tests.e2e.test_panel import choose, open_panel, shoot, the_run
from tests.e2e.test_run_view import check_quiet
from tests.e2e.test_surface import SET_THEME, THEMES, problems

SCRIPT = r"""
import struct, time, zlib
from pathlib import Path
from nbautoml import Run

def png(size=120):
    rows = b"".join(
        b"\0" + bytes(v for x in range(size) for v in (x * 2, y * 2, 90)) for y in range(size)
    )
    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))
    head = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)

run = Run.get_context()
Path("gradient.png").write_bytes(png())
run.log_image("gradient", path="gradient.png")
run.log("solver", "lbfgs")
run.log_confusion_matrix("test rows", {
    "schema_type": "confusion_matrix",
    "data": {"class_labels": ["no", "yes"], "matrix": [[50, 4], [7, 39]]},
})
for fold in range(3):
    run.log_row("folds", fold=fold, accuracy=0.8 + fold / 50, note="<b>fold</b>")
Path("outputs/model.txt").write_text("a model")
for step in range(600):
    run.log("loss", 1 / (step + 1))
    print("step", step, flush=True)
    time.sleep(0.1)
"""
FITS = "n => n.scrollWidth <= n.clientWidth"
FOLDER = "scripts"
SUBMIT = f"""
import nbautoml
ws = nbautoml.Workspace.create("scripts", path="{FOLDER}", exist_ok=True)
config = nbautoml.ScriptRunConfig(
    "{FOLDER}/src", "train.py", ["--rate", 0.1], max_run_duration_seconds=300
)
run = nbautoml.Experiment(ws, "trees").submit(config)
nbautoml.RunDetails(run).show()
"""
CHILDREN = """
import nbautoml
ws = nbautoml.Workspace.create("sweeps", path="sweeps", exist_ok=True)
run = nbautoml.Experiment(ws, "depths").start_logging(display_name="a sweep")
nbautoml.RunDetails(run).show()
"""
TRY = """
waiting = run.create_children(count=997)
for depth in range(3):
    with run.child_run(f"depth <{depth}>") as child:
        child.log("loss", 1 / (depth + 1))
        child.log("accuracy", 0.8 + depth / 50)
"""
FAIL = """
child = run.child_run("too deep")
child.log("loss", 9)
child.fail("no memory")
"""
OPEN = "([name, run, workspace]) => window.jupyterapp.commands.execute(name, { run, workspace })"
CAN_OPEN = "() => !!window.jupyterapp?.commands.hasCommand('nbautoml:open-run')"


def write_script(server: JupyterServer) -> Path:
    """Put the script below the server's folder; return its folder."""
    folder = server.root / FOLDER / "src"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "train.py").write_text(SCRIPT)
    return folder


def submit_in_cell(page: NotebookPage, name: str) -> Locator:
    """Submit the script in a cell; return its live view."""
    write_script(page.server)
    page.server.write_notebook(name, [SUBMIT, "import time; time.sleep(600)"])
    page.open(name)
    page.run_cell(0)
    return page.page.locator(".jp-OutputArea .nbautoml-run")


def open_in_main_area(page: NotebookPage) -> Locator:
    """Submit the script from here; return its view in the main area, without a notebook."""
    source = write_script(page.server)
    workspace = nbautoml.Workspace.create("scripts", path=source.parent, exist_ok=True)
    run = nbautoml.Experiment(workspace, "trees").submit(
        nbautoml.ScriptRunConfig(source, "train.py", max_run_duration_seconds=300)
    )
    page.page.goto(f"{page.server.url}/lab?reset&token={page.server.token}")
    wait_until(lambda: page.page.evaluate(CAN_OPEN), "the command", seconds=60.0)
    page.page.evaluate(OPEN, ["nbautoml:open-run", run.id, str(source.parent)])
    workspace.session.close()
    return page.page.locator(".nbautoml-main .nbautoml-run")


def stop(view: Locator) -> None:
    view.get_by_role("button", name="Stop").click()
    view.get_by_role("button", name="Stop run").click()
    expect(view.locator(".nba-status")).to_have_text("Canceled")


def check_metrics(view: Locator) -> None:
    expect(view.locator(".nba-tiles")).to_contain_text(re.compile(r"loss[\d.]+last of \d+"))
    expect(view.locator(".nba-tiles")).to_contain_text("lbfgs")
    expect(view.locator(".nba-charts .js-plotly-plot")).to_have_count(3)
    expect(view.locator("td", has_text="<b>fold</b>")).to_have_count(3)


def check_image(view: Locator) -> None:
    image = view.locator(".nba-images img")
    expect(image).to_be_visible()
    assert image.evaluate("async n => (await n.decode(), n.naturalWidth)") == 120


def check_files(view: Locator, page: Page) -> None:
    """Pictures, files and the log, by keyboard where there are tabs."""
    view.get_by_role("tab").first.focus()
    page.keyboard.press("ArrowRight")
    check_image(view)
    page.keyboard.press("ArrowRight")
    link = view.get_by_role("link", name="outputs/model.txt")
    expect(link).to_be_visible()
    with page.expect_download() as download:
        link.click()
    assert Path(download.value.path()).read_text() == "a model"
    page.keyboard.press("End")
    view.get_by_role("tab", name="Logs").click()
    expect(view.get_by_role("log")).to_contain_text("step 12")


def test_a_script_is_followed_in_its_cell_and_from_the_panel(lab_page: NotebookPage) -> None:
    page = lab_page.page
    view = submit_in_cell(lab_page, "script.ipynb")
    lab_page.run_cell(1, wait=False)  # the kernel is busy from here on
    expect(view.get_by_role("heading", name="trees")).to_be_visible()
    check_metrics(view)
    shoot(lab_page, "script-live-light")
    check_files(view, page)

    panel = open_panel(lab_page, str(lab_page.server.root / FOLDER))
    line = the_run(panel)
    expect(line).to_contain_text("train.py")
    expect(line).to_contain_text("loss")
    choose(line, "Open")
    main = page.locator(".nbautoml-main .nbautoml-run")
    check_metrics(main)
    page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
    page.set_viewport_size({"width": 440, "height": 1500})
    wait_until(lambda: main.bounding_box()["width"] <= 400, "a narrow view")
    wait_until(lambda: main.evaluate(FITS), "charts that fit")
    shoot(lab_page, "script-narrow-light")
    stop(main)
    check_quiet(lab_page)


def test_it_is_readable_in_the_dark(browser: Browser, dark_lab: JupyterServer) -> None:
    with open_page(browser, dark_lab) as page:
        view = open_in_main_area(page)
        check_metrics(view)
        shoot(page, "script-live-dark")
        view.get_by_role("tab", name="Images").click()
        check_image(view)
        shoot(page, "script-images-dark")
        stop(view)


def test_child_runs_are_listed_live_and_open_their_own_view(lab_page: NotebookPage) -> None:
    page = lab_page.page
    lab_page.server.write_notebook("sweep.ipynb", [CHILDREN, TRY, FAIL])
    lab_page.open("sweep.ipynb")
    lab_page.run_cell(0)
    view = page.locator(".jp-OutputArea .nbautoml-run")
    tab = view.get_by_role("tab", name="Child runs")
    expect(view.get_by_role("tab", name="Metrics")).to_be_visible()
    expect(tab).to_be_hidden()
    lab_page.run_cell(1)
    expect(tab).to_have_text("Child runs (1000)")
    tab.click()
    rows = view.get_by_label("Child runs").locator("tbody tr")
    expect(rows).to_have_count(100)
    expect(rows.first).to_contain_text("depth <2>")
    expect(rows.first).to_contain_text("0.3333")
    lab_page.run_cell(2)
    expect(rows.first).to_contain_text("too deep")
    expect(rows.first).to_contain_text("Failed")
    view.get_by_role("button", name="loss").click()
    expect(rows.first).to_contain_text("depth <2>")
    assert view.evaluate(FITS)
    for theme in THEMES:
        page.evaluate(SET_THEME, theme)
        page.wait_for_timeout(800)
        assert problems(lab_page, view) == []
        shoot(lab_page, f"children-{theme}".lower().replace(" ", "-"))
    page.evaluate(SET_THEME, THEMES[0])
    view.evaluate("e => { e.style.width = '400px'; }")
    assert view.evaluate(FITS)
    box = rows.first.bounding_box()
    assert box is not None
    assert box["height"] < 40  # one line a run
    shoot(lab_page, "children-narrow")

    view.get_by_role("button", name="depth <1>").press("Enter")
    child = page.locator(".nbautoml-main .nbautoml-run")
    expect(child.locator(".nba-tiles")).to_contain_text("0.5000")
    check_quiet(lab_page)
