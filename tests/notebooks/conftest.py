"""Executes tutorials as a person would: from a folder of their own, with a fresh kernel."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
CELL_TIMEOUT_SECONDS = 240


@pytest.fixture
def execute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], NotebookNode]]:
    """Return what executes a notebook in an empty folder, and gives it back with its outputs."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("NBAUTOML_HOME", str(tmp_path / "home"))

    def run(name: str) -> NotebookNode:
        folder = tmp_path / "project"
        folder.mkdir()
        shutil.copy2(NOTEBOOKS / name, folder)
        notebook = nbformat.read(folder / name, as_version=4)
        client = NotebookClient(
            notebook,
            timeout=CELL_TIMEOUT_SECONDS,
            kernel_name="python3",
            resources={"metadata": {"path": str(folder)}},
        )
        return client.execute()

    yield run
