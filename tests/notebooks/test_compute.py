"""The tutorial on compute runs as it is, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable

import psutil
import pytest
from nbformat import NotebookNode

from nbautoml.compute.gpus import machine_gpus
from tests.notebooks.test_quickstart import text_of

pytestmark = pytest.mark.notebooks


def clusters() -> set[int]:
    """Processes of clusters of this machine."""
    found = set()
    for process in psutil.process_iter(["pid", "cmdline"]):
        if "nbautoml.compute.cluster" in (process.info["cmdline"] or []):
            found.add(process.info["pid"])
    return found


def test_compute(execute: Callable[[str], NotebookNode]) -> None:
    before = clusters()
    text = text_of(execute("02-compute.ipynb"))
    assert "Completed on my-cluster" in text
    assert text.count("nodes: 0") == 2
    assert "workers: 1" in text
    assert "where 1 is asked for" in text
    assert ("has none" in text) != bool(machine_gpus())
    assert "Ssh 2 nodes" in text
    assert "targets: local\n" in text
    assert clusters() == before
