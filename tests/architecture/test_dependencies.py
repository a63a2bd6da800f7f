"""Every declared dependency is used, every import is declared, and each has its line of reasons."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest

MODULE_OF = {
    "alembic": "alembic",
    "dask": "dask",
    "dask-gateway": "dask_gateway",
    "dask-jobqueue": "dask_jobqueue",
    "dask-kubernetes": "dask_kubernetes",
    "ipython": "IPython",
    "jupyter-server": "jupyter_server",
    "pyyaml": "yaml",
    "scikit-learn": "sklearn",
    "xgboost-cpu": "xgboost",
}
"""Distribution to module, where the names differ."""

NOT_IMPORTED = {
    "plotly": "promised to users: charts as figures; see docs/decisions/dependencies.md",
    "ipywidgets": "promised to users: a widget in every host; see docs/decisions/dependencies.md",
    "jupyterlab": "shows the run view; the command --lab starts it",
    "notebook": "Notebook 7, the other program that shows the run view",
}
"""Distributions that are needed without an import, and why."""

COMES_WITH = {
    "distributed": "dask",
    "tornado": "jupyter-server",
    "traitlets": "ipython",
    "typing_extensions": "pydantic",
}
"""Modules of distributions that a declared one always brings and that are its interface."""


@pytest.fixture(scope="module")
def project(root: Path) -> dict[str, object]:
    """Return the project table."""
    return tomllib.loads((root / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def declared(project: dict[str, object]) -> set[str]:
    """Return the distributions that users get."""
    return {_name(line) for line in project["dependencies"]}


@pytest.fixture(scope="module")
def imported(sources: dict[str, Path]) -> set[str]:
    """Return the top-level modules that the package imports."""
    found: set[str] = set()
    for path in sources.values():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add((node.module or "").partition(".")[0])
    return found - set(sys.stdlib_module_names) - {"nbautoml", ""}


def _name(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match
    return match.group().lower().replace("_", "-")


def _extras(project: dict[str, object]) -> set[str]:
    extras = project["optional-dependencies"]
    return {_name(line) for lines in extras.values() for line in lines}


def test_every_dependency_is_imported(declared: set[str], imported: set[str]) -> None:
    unused = {name for name in declared if MODULE_OF.get(name, name) not in imported}

    assert unused - set(NOT_IMPORTED) == set()


def test_every_import_is_declared(
    declared: set[str], imported: set[str], project: dict[str, object]
) -> None:
    known = {MODULE_OF.get(name, name) for name in declared | _extras(project)}
    brought = {module for module, by in COMES_WITH.items() if by in declared}

    assert imported - known - brought == set()


def test_every_dependency_has_its_reason(declared: set[str], root: Path) -> None:
    text = (root / "docs" / "decisions" / "dependencies.md").read_text()
    missing = [name for name in declared if f"| `{name}`" not in text]

    assert missing == []


def test_every_extra_says_who_uses_it(root: Path) -> None:
    text = (root / "pyproject.toml").read_text()
    table = text.split("[project.optional-dependencies]")[1].split("\n[")[0]
    heads = [line for line in table.splitlines() if re.match(r"[a-z]+ = \[", line)]

    assert heads
    assert [line for line in heads if "# used by" not in line] == []
