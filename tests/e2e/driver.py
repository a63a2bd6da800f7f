"""A real Jupyter server and a real browser: start them, open notebooks, run cells."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

from playwright.sync_api import Browser, Page, Request, WebSocket

T = TypeVar("T")

START_SECONDS = 120.0
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BROWSER_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-renderer-backgrounding",
    "--disable-background-timer-throttling",
)
MODULES = {"lab": "jupyterlab", "notebook": "notebook"}
EXPOSE = {"lab": "LabApp", "notebook": "JupyterNotebookApp"}


def find_browser() -> str | None:
    """Return an installed Chromium, if there is one."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def wait_until(
    check: Callable[[], T | None], what: str, *, seconds: float = 30.0, pause: float = 0.05
) -> T:
    """Return the first true value of `check`; fail with `what` when it takes too long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := check():
            return value
        time.sleep(pause)
    raise AssertionError(f"waited {seconds:.0f} s for {what}")


class JupyterServer:
    """JupyterLab or Notebook 7 on a free local port, with settings of its own.

    Parameters
    ----------
    app : str
        ``"lab"`` or ``"notebook"``.
    home : Path
        Folder for all that it writes.
    theme : str
        Name of its theme.
    disabled : sequence of str, optional
        Labextensions that are not loaded.
    variables : mapping of str to str, optional
        More of its environment; kernels see it, too.
    """

    def __init__(
        self,
        app: str,
        home: Path,
        *,
        theme: str,
        disabled: Sequence[str] = (),
        variables: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.app = app
        self.root = home / "notebooks"
        self.nbautoml_home = home / "nbautoml-home"
        self.token = secrets.token_hex(16)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = home / "server.log"
        self.root.mkdir(parents=True)
        self._write_settings(home / "settings", theme)
        page = home / "config" / "labconfig" / "page_config.json"
        page.parent.mkdir(parents=True)
        page.write_text(json.dumps({"disabledExtensions": dict.fromkeys(disabled, True)}))
        self._process = subprocess.Popen(
            [sys.executable, "-m", MODULES[app], *self._flags()],
            env=os.environ | self._environment(home) | dict(variables),
            stdout=self.log.open("wb"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def _flags(self) -> list[str]:
        return [
            "--no-browser",
            "--allow-root",
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={self.port}",
            "--ServerApp.port_retries=0",
            f"--ServerApp.root_dir={self.root}",
            f"--IdentityProvider.token={self.token}",
            f"--{EXPOSE[self.app]}.expose_app_in_browser=True",
        ]

    def _environment(self, home: Path) -> dict[str, str]:
        return {
            "JUPYTER_CONFIG_DIR": str(home / "config"),
            "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
            "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(home / "layouts"),
            "IPYTHONDIR": str(home / "ipython"),
            "NBAUTOML_HOME": str(self.nbautoml_home),
        }

    @staticmethod
    def _write_settings(folder: Path, theme: str) -> None:
        settings = {
            "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
            "apputils-extension/themes": {"theme": theme},
            "notebook-extension/tracker": {"windowingMode": "none"},
        }
        for name, values in settings.items():
            file = folder / "@jupyterlab" / f"{name}.jupyterlab-settings"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(values))

    def wait_until_ready(self) -> None:
        """Wait for the first answer."""

        def answers() -> bool:
            if self._process.poll() is not None:
                raise AssertionError(f"the server ended: {self.log.read_text()[-2000:]}")
            try:
                urlopen(f"{self.url}/api/status?token={self.token}", timeout=2).close()
            except (URLError, OSError):
                return False
            return True

        wait_until(answers, "the Jupyter server", seconds=START_SECONDS, pause=0.25)

    def stop(self) -> None:
        """End the server and its kernels."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait(10)

    def write_notebook(self, name: str, cells: list[str]) -> None:
        """Write a notebook of code cells."""
        content = {
            "cells": [
                {
                    "cell_type": "code",
                    "id": f"cell-{i}",
                    "execution_count": None,
                    "metadata": {},
                    "outputs": [],
                    "source": source,
                }
                for i, source in enumerate(cells)
            ],
            "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        (self.root / name).write_text(json.dumps(content))


FIND_NOTEBOOK = """
window.findNotebook = () => [...(window.jupyterapp ? window.jupyterapp.shell.widgets('main') : [])]
  .find(w => w.context && w.content && w.content.widgets && w.sessionContext);
"""
KERNEL_IS_IDLE = """
async () => {
  const found = window.findNotebook();
  if (!found) return false;
  await found.context.ready;
  await found.sessionContext.ready;
  const kernel = found.sessionContext.session?.kernel;
  if (kernel?.status === 'starting') {
    // A kernel that was started again after a crash never says that it is idle until it has
    // worked, but it answers when it is asked.
    const pause = new Promise(resolve => setTimeout(() => resolve(null), 1000));
    return (await Promise.race([kernel.requestKernelInfo(), pause])) !== null;
  }
  return kernel?.status === 'idle';
}
"""
RUN_CELL = """
async ([index, isAwaited]) => {
  const { content } = window.findNotebook();
  content.activeCellIndex = index;
  content.deselectAll();
  const done = window.jupyterapp.commands.execute('notebook:run-cell');
  if (isAwaited) await done;
}
"""


class NotebookPage:
    """A notebook open in the browser, and what went over its wires."""

    def __init__(self, page: Page, server: JupyterServer) -> None:
        self.page = page
        self.server = server
        self.errors: list[str] = []
        self.outside: list[str] = []
        self.event_bytes = 0
        self.event_sockets = 0
        page.on("pageerror", lambda error: self.errors.append(f"{error} {error.stack}"))
        page.on("request", self._on_request)
        page.on("websocket", self._on_socket)
        page.add_init_script(FIND_NOTEBOOK)

    def _on_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in {"http", "https"} and parts.port != self.server.port:
            self.outside.append(request.url)

    def _on_socket(self, socket: WebSocket) -> None:
        if "/nbautoml/v1/events" not in socket.url:
            return
        self.event_sockets += 1
        socket.on("framereceived", lambda data: self._count(data))

    def _count(self, data: str | bytes) -> None:
        self.event_bytes += len(data)

    def errors_of_ours(self) -> list[str]:
        """Return the page's errors; of Notebook 7, which has some of its own, only ours."""
        if self.server.app == "lab":
            return self.errors
        return [error for error in self.errors if "labextensions/nbautoml" in error]

    def open(self, name: str) -> None:
        """Open a notebook and wait for its kernel."""
        prefix = "lab/tree" if self.server.app == "lab" else "notebooks"
        self.page.goto(f"{self.server.url}/{prefix}/{name}?reset&token={self.server.token}")
        self.wait_for_kernel()

    def reload(self) -> None:
        """Load the page again."""
        self.page.reload()
        self.wait_for_kernel()

    def wait_for_kernel(self) -> None:
        """Wait until the kernel has nothing to do."""
        wait_until(lambda: self.page.evaluate(KERNEL_IS_IDLE), "an idle kernel", seconds=90.0)

    def run_cell(self, index: int, *, wait: bool = True) -> None:
        """Run a cell, and wait for its end unless told otherwise."""
        self.page.evaluate(RUN_CELL, [index, wait])

    def is_kernel_busy(self) -> bool:
        """Whether the kernel works on a cell."""
        status = "() => window.findNotebook().sessionContext.session.kernel.status"
        return bool(self.page.evaluate(status) == "busy")

    def save(self) -> None:
        """Save the notebook."""
        self.page.evaluate("() => window.findNotebook().context.save()")

    def restart_kernel(self) -> None:
        """Restart the kernel; its variables are gone."""
        self.page.evaluate("() => window.findNotebook().sessionContext.restartKernel()")
        self.wait_for_kernel()


@contextmanager
def open_page(browser: Browser, server: JupyterServer) -> Iterator[NotebookPage]:
    """Give a fresh browser window."""
    context = browser.new_context(viewport={"width": 1280, "height": 1500})
    context.set_default_timeout(60_000)
    try:
        yield NotebookPage(context.new_page(), server)
    finally:
        context.close()
