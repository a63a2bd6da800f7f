"""The tutorials on models run as they are, and leave nothing behind."""

from __future__ import annotations

import re
from collections.abc import Callable

import psutil
import pytest
from nbformat import NotebookNode

from tests.notebooks.test_quickstart import text_of

pytestmark = pytest.mark.notebooks


def supervisors() -> set[int]:
    """Processes of deployments on this machine."""
    found = set()
    for process in psutil.process_iter(["pid", "cmdline"]):
        if "nbautoml.serving.supervisor" in (process.info["cmdline"] or []):
            found.add(process.info["pid"])
    return found


def test_register_and_deploy(execute: Callable[[str], NotebookNode]) -> None:
    before = supervisors()
    notebook = execute("03-register-and-deploy.ipynb")
    text = text_of(notebook)

    assert "Healthy" in text
    right = re.search(r"(\d+) of 20 are right", text)
    assert right is not None
    assert int(right[1]) >= 12
    assert "column 'age': It must be a number; got \"unknown\"" in text
    assert re.search(r'\{"result": \["(Yes|No)", "(Yes|No)"\]\}', text)
    assert "['icu:1']" in text
    pictures = [
        o
        for cell in notebook.cells
        for o in cell.get("outputs", [])
        if "champion" in o.get("data", {}).get("text/html", "")
    ]
    assert "<svg" in pictures[0]["data"]["text/html"]
    assert supervisors() == before


def test_explain_and_download(execute: Callable[[str], NotebookNode]) -> None:
    text = text_of(execute("04-explain-and-download.ipynb"))

    assert "outputs/model.pkl" in text
    assert "outputs/scoring_file_v_2_0_0.py" in text
    assert re.search(r"scikit-learn==\d", text)
    assert "2 of 2 partitions, 200 rows" in text
    assert "probability of Yes" in text
    assert "systolic" in text
