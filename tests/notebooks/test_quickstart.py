"""The quick-start tutorial runs as it is, and says what it promises."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from nbformat import NotebookNode

pytestmark = pytest.mark.notebooks

RUN_MIME = "application/vnd.nbautoml.run+json"
LARGEST_NOTEBOOK_BYTES = 300_000


def text_of(notebook: NotebookNode) -> str:
    """Return all texts that cells show."""
    found = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            found += [output.get("text", ""), output.get("data", {}).get("text/plain", "")]
    return "\n".join(found)


def test_quickstart(execute: Callable[[str], NotebookNode]) -> None:
    notebook = execute("01-quickstart.ipynb")
    text = text_of(notebook)
    views = [
        o for c in notebook.cells for o in c.get("outputs", []) if RUN_MIME in o.get("data", {})
    ]
    assert len(views) == 1
    # The output was replaced at the end of the run: a saved notebook shows how it ended.
    assert views[0]["data"][RUN_MIME]["header"]["status"] == "Completed"
    assert "<svg" in views[0]["data"]["text/html"]
    assert "<script" not in views[0]["data"]["text/html"]
    scored = re.search(r"AUC on people it has never seen: (0\.\d+)", text)
    assert scored is not None
    assert float(scored[1]) > 0.7
    assert re.search(r"['\"](Yes|No)['\"]", text)
    assert len(json.dumps(notebook)) < LARGEST_NOTEBOOK_BYTES


def test_no_outputs_are_committed() -> None:
    from tests.notebooks.conftest import NOTEBOOKS

    for path in NOTEBOOKS.glob("*.ipynb"):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        assert not [c for c in cells if c.get("outputs")], path.name
