"""How soon a page shows what happened in a run, and what that costs: in a real JupyterLab.

    python -m benchmarks.ui --out results.json

Made-up runs write events at a steady pace, each with the moment at which it was written; a page
in Chromium notes when the number of iterations that it shows has reached each of them. Shown are
the times between, the messages and bytes on the websocket, how long the page's frames took, and
the size of the saved notebook. All of one machine, so that one clock counts.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import uuid
from pathlib import Path
from subprocess import Popen
from typing import Any  # Any: JSON values, Playwright's objects

from playwright.sync_api import sync_playwright

from nbautoml.domain.events import TrialFinished
from nbautoml.store.session import open_session
from tests.e2e import fake_run
from tests.e2e.conftest import SHOW
from tests.e2e.driver import (
    BROWSER_FLAGS,
    JupyterServer,
    NotebookPage,
    find_browser,
    open_page,
    wait_until,
)

SCENES = {
    "sparse": {"trials": 30, "pace": 1.0},
    "steady": {"trials": 100, "pace": 0.3},
    "crowded": {"trials": 600, "pace": 0.03},
    "a thousand": {"trials": 1000, "pace": 0.02},
}
"""How many trials each made-up run has, and how many seconds one takes."""
MILLISECOND = 1e-3

OBSERVE = """
() => {
  window.seen = []; window.frames_ = [];
  const tiles = document.querySelector('.nbautoml-run .nba-tiles');
  const read = () => {
    const cell = [...tiles.children].find(c => c.textContent.startsWith('Iterations'));
    const n = Number(cell.querySelector('.nba-value').textContent.replace(/,/g, '')) || 0;
    const last = window.seen.at(-1);
    if (!last || last[0] !== n) window.seen.push([n, Date.now() / 1000]);
  };
  const all = { subtree: true, childList: true, characterData: true };
  new MutationObserver(read).observe(tiles, all);
  read();
  let before = performance.now();
  const frame = now => {
    window.frames_.push(now - before);
    before = now;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}
"""


def main() -> None:
    """Play all scenes and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", nargs="+", choices=SCENES, default=list(SCENES))
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    path = find_browser()
    if path is None:
        sys.exit("No Chromium was found.")
    with tempfile.TemporaryDirectory(prefix="bench-ui-") as folder:
        server = JupyterServer("lab", Path(folder) / "lab", theme="JupyterLab Light")
        try:
            server.wait_until_ready()
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=path, args=list(BROWSER_FLAGS))
                found = {s: _play(browser, server, Path(folder), s) for s in given.scenes}
                versions = {"chromium": browser.version, "python": platform.python_version()}
                browser.close()
        finally:
            server.stop()
    machine = {"processors": os.cpu_count(), "load": os.getloadavg()[0], **versions}
    for name, values in found.items():
        sys.stdout.write(f"{name}: {json.dumps(values)}\n")
    if given.out:
        content = {"machine": machine, "scenes": found}
        given.out.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _play(browser: Any, server: JupyterServer, folder: Path, scene: str) -> dict[str, Any]:
    address = fake_run.make_workspace(folder / scene.replace(" ", "-"))
    run_id = f"AutoML_{uuid.uuid4()}"
    settings = SCENES[scene]
    name = f"{scene.replace(' ', '-')}.ipynb"
    server.write_notebook(name, [SHOW.format(root=address.root, run_id=run_id)])
    with open_page(browser, server) as page:
        frames: list[int] = []
        page.page.on("websocket", lambda socket: _count(socket, frames))
        page.open(name)
        command = [sys.executable, fake_run.__file__, address.root, run_id]
        pace = settings["pace"] / fake_run.N_FOLDS
        options = ["--trials", str(settings["trials"]), "--pace", str(pace)]
        process = Popen([*command, *options])
        try:
            wait_until(lambda: _written(address, run_id) is not None, "the run")
            page.run_cell(0)
            page.page.locator(".nbautoml-run .nba-tiles").wait_for()
            page.page.evaluate(OBSERVE)
            status = page.page.locator(".nbautoml-run .nba-status")
            longest = 60 + 2 * settings["trials"] * settings["pace"]
            wait_until(lambda: status.inner_text() == "Completed", "the end", seconds=longest)
        finally:
            process.wait(30)
        return _figures(page, _written(address, run_id) or [], frames, server.root / name)


def _count(socket: Any, frames: list[int]) -> None:
    if "/nbautoml/v1/events" in socket.url:
        socket.on("framereceived", lambda data: frames.append(len(data)))


def _written(address: Any, run_id: str) -> list[float] | None:
    """Return when each trial's end was written; None before there is a run."""
    with open_session(address) as session, session.read() as tx:
        if not tx.runs.exists(run_id):
            return None
        records = tx.events.read(run_id)
    return [r.time for r in records if isinstance(r.event, TrialFinished)]


def _figures(
    page: NotebookPage, written: list[float], frames: list[int], notebook: Path
) -> dict[str, Any]:
    seen = page.page.evaluate("() => window.seen")
    waits = page.page.evaluate("() => window.frames_")
    first = seen[0][0]  # what was done before anybody looked
    delays = []
    for n, time in enumerate(written, 1):
        shown = next((at for count, at in seen if count >= n), None)
        if n > first and shown is not None:
            delays.append(max(0.0, shown - time))
    page.save()
    page.page.wait_for_timeout(1000)
    return {
        "events": len(delays),
        "delay_ms": {k: round(v / MILLISECOND) for k, v in _quantiles(delays).items()},
        "messages": len(frames),
        "kilobytes": round(sum(frames) / 1000, 1),
        "frame_ms": {k: round(v, 1) for k, v in _quantiles(waits).items()},
        "notebook_kilobytes": round(notebook.stat().st_size / 1000, 1),
    }


def _quantiles(values: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(values, n=100)
    return {"p50": cuts[49], "p95": cuts[94], "max": max(values)}


if __name__ == "__main__":
    main()
