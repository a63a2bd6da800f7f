"""The tutorial on pipelines runs as it is, and runs nothing twice."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from nbformat import NotebookNode

from tests.notebooks.test_quickstart import text_of

pytestmark = pytest.mark.notebooks


def test_pipelines(execute: Callable[[str], NotebookNode]) -> None:
    text = text_of(execute("05-pipelines.ipynb"))

    assert "[]" in text  # nothing is wrong with the pipeline
    assert text.count("'Finished'") == 2  # what waiting for the third run gave is not shown
    assert "AUC_weighted" in text
    assert "voters:1 {'people': 454" in text
    for step in ("prepare", "train", "register"):
        assert re.search(rf"{step}: Completed reused from \S+", text)
    assert re.search(r"prepare: not reused: parameter share changed since run", text)
    assert re.search(r"train: not reused: input training_data changed since run", text)
    assert re.search(r"register: not reused: input model changed since run", text)
    assert "voters:2" in text
