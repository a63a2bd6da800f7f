"""The code of a child run as a notebook."""

from __future__ import annotations

import json
from typing import Any  # Any: JSON values

from nbautoml.engine.codegen.data import PATHS_IN_NOTEBOOK
from nbautoml.engine.codegen.facts import ScriptFacts
from nbautoml.engine.codegen.script import write_parts


def write_notebook(facts: ScriptFacts) -> str:
    """Return a notebook with the code of the script in cells, and a cell that calls it.

    Parameters
    ----------
    facts : ScriptFacts
        What is known of the run.
    """
    parts = write_parts(facts)
    first, *others = parts.text.split("\n")
    imports = "\n".join(
        line for line in parts.imports.splitlines() if line != "import argparse"
    ).strip()
    cells = [_markdown([f"# {first}", *others]), _code(imports)]
    for part in parts.code:
        source = part.source
        for line, other in PATHS_IN_NOTEBOOK.items():
            source = source.replace(line, other)
        cells += [_markdown([f"## {part.title}"]), _code(source)]
    calls = ["get_training_dataset()"]
    if facts.validation_data:
        calls.append("get_training_dataset(VALIDATION_DATA)")
    cells += [
        _markdown(["## Run it"]),
        _code(f"results = main({', '.join(calls)})\nresults[PRIMARY_METRIC]"),
        _code("pd.Series(results)"),
    ]
    for place, cell in enumerate(cells):
        cell["id"] = f"cell-{place}"
    content = {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _markdown(paragraphs: list[str]) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": _lines("\n\n".join(paragraphs))}


def _code(source: str) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
        "source": _lines(source),
    }


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)
