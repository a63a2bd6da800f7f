"""Which part may import which: every import counts, lazy ones and those for types too."""

from __future__ import annotations

import ast
import sys
from functools import cache
from pathlib import Path

import pytest

LAYERS = (
    {"domain", "errors"},
    {"store", "engine", "runtime"},
    {"compute", "data", "registry"},
    {"serving"},
    {"runs"},
    {"automl"},
    {"pipelines"},
    {"workspace"},
    {"nbautoml"},
    {"services", "api", "labserver", "widgets"},
    {"magics", "cli", "commands", "testing"},
)
"""Lower parts first. ``nbautoml`` is the public package itself, ``nbautoml/__init__.py``."""

RANK = {part: rank for rank, parts in enumerate(LAYERS) for part in parts}

# Parts of one layer know nothing of each other, but for these.
SIDEWAYS = {("engine", "runtime"), ("labserver", "services"), ("widgets", "services")}
SIDEWAYS |= {("api", "services")}
SIDEWAYS |= {("domain", "errors"), ("errors", "domain"), ("cli", "magics"), ("cli", "commands")}

ONLY = {
    "distributed": ("nbautoml.compute",),
    "dask.distributed": ("nbautoml.compute",),
    "mlflow": ("nbautoml.registry.mlflow",),
    "onnx": ("nbautoml.registry.onnx",),
    "onnxruntime": ("nbautoml.registry.onnx",),
    "plotly": ("nbautoml.widgets.charts",),
    "pydantic": ("nbautoml.serving.schema",),
    "starlette": ("nbautoml.api",),
    "uvicorn": ("nbautoml.api",),
}
"""Outside package to the only part that imports it."""

NEVER = {
    "domain": {"numpy", "pandas", "scipy", "sklearn", "sqlalchemy", "dask"},
    "store": {"pandas", "sklearn", "scipy", "dask"},
    "engine": {"dask", "distributed", "sqlalchemy", "jupyter_server", "IPython"},
    "labserver": {"pandas", "sklearn", "dask", "lightgbm", "xgboost", "plotly"},
    "services": {"sklearn", "dask", "lightgbm", "xgboost", "plotly"},
}
"""Part to outside packages that it does not import."""

STANDARD_LIBRARY = set(sys.stdlib_module_names)

RUNTIME_MAY = {"numpy", "pandas", "scipy", "sklearn", "threadpoolctl", "lightgbm", "xgboost"}


@cache
def imports_of(path: Path) -> tuple[tuple[int, str], ...]:
    """Return line and dotted name of everything that a file imports, at any depth."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relative to itself"
            found += [(node.lineno, f"{node.module}.{alias.name}") for alias in node.names]
    return tuple(found)


def part_of(name: str, modules: dict[str, Path]) -> str:
    """Return the part of the package that a dotted name belongs to."""
    pieces = name.split(".")
    is_in_a_part = len(pieces) > 1 and f"nbautoml.{pieces[1]}" in modules
    return pieces[1] if is_in_a_part else "nbautoml"


def is_within(name: str, package: str) -> bool:
    """Whether a dotted name is a package or something in it."""
    return name == package or name.startswith(f"{package}.")


def is_allowed(importer: str, imported: str) -> bool:
    """Whether one part may import another."""
    if importer == imported or (importer, imported) in SIDEWAYS:
        return True
    return RANK[imported] < RANK[importer]


def test_every_part_has_its_place_in_the_layers(sources: dict[str, Path]) -> None:
    parts = {part_of(name, sources) for name in sources}

    assert parts - set(RANK) == set()


def test_imports_point_downwards(sources: dict[str, Path]) -> None:
    wrong = [
        f"{path}:{line}: {part_of(module, sources)} imports {name}"
        for module, path in sources.items()
        if module != "nbautoml"
        for line, name in imports_of(path)
        if is_within(name, "nbautoml") and name != "nbautoml.__version__"
        if not is_allowed(part_of(module, sources), part_of(name, sources))
    ]

    assert wrong == []


def test_runtime_imports_nothing_of_ours_and_little_else(sources: dict[str, Path]) -> None:
    wrong = [
        f"{path}:{line}: {name}"
        for module, path in sources.items()
        if is_within(module, "nbautoml.runtime")
        for line, name in imports_of(path)
        if not is_within(name, "nbautoml.runtime")
        if name.split(".")[0] not in RUNTIME_MAY | STANDARD_LIBRARY
    ]

    assert wrong == []


def test_runtime_imports_itself_at_the_top_of_its_modules_only(sources: dict[str, Path]) -> None:
    """A function that imported nbautoml when it runs would fail inside a saved model."""
    wrong = []
    for module, path in sources.items():
        if is_within(module, "nbautoml.runtime"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            at_top = {node.lineno for node in tree.body if hasattr(node, "lineno")}
            wrong += [
                f"{path}:{line}: {name}"
                for line, name in imports_of(path)
                if is_within(name, "nbautoml") and line not in at_top
            ]

    assert wrong == []


@pytest.mark.parametrize("package", ONLY)
def test_only_one_part_imports(package: str, sources: dict[str, Path]) -> None:
    wrong = [
        f"{path}:{line}: {name}"
        for module, path in sources.items()
        if not any(is_within(module, home) for home in ONLY[package])
        for line, name in imports_of(path)
        if is_within(name, package)
    ]

    assert wrong == []


@cache
def loaded_by_name(path: Path) -> tuple[tuple[int, str], ...]:
    """Return line and name of modules that a file loads by a text."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and node.args:
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            first = node.args[0]
            if name in ("need", "import_module") and isinstance(first, ast.Constant):
                found.append((node.lineno, str(first.value)))
    return tuple(found)


@pytest.mark.parametrize("package", ONLY)
def test_only_one_part_loads_by_name(package: str, sources: dict[str, Path]) -> None:
    wrong = [
        f"{path}:{line}: {name}"
        for module, path in sources.items()
        if not any(is_within(module, home) for home in ONLY[package])
        for line, name in loaded_by_name(path)
        if is_within(name, package)
    ]

    assert wrong == []


@pytest.mark.parametrize("part", NEVER)
def test_part_does_not_import(part: str, sources: dict[str, Path]) -> None:
    wrong = [
        f"{path}:{line}: {name}"
        for module, path in sources.items()
        if part_of(module, sources) == part
        for line, name in imports_of(path)
        if name.split(".")[0] in NEVER[part]
    ]

    assert wrong == []


def test_the_jupyter_server_loads_only_what_it_serves(sources: dict[str, Path]) -> None:
    """The server process must stay small: of ours it imports services, store and domain."""
    allowed = {"labserver", "services", "store", "domain", "errors", "nbautoml"}
    wrong = [
        f"{path}:{line}: {name}"
        for module, path in sources.items()
        if part_of(module, sources) == "labserver"
        for line, name in imports_of(path)
        if is_within(name, "nbautoml") and part_of(name, sources) not in allowed
    ]

    assert wrong == []


def test_a_forbidden_import_is_seen_wherever_it_stands(tmp_path: Path) -> None:
    file = tmp_path / "lazy.py"
    file.write_text("def work():\n    from dask.distributed import Client\n    return Client\n")

    assert list(imports_of(file)) == [(2, "dask.distributed.Client")]
    assert not is_allowed("engine", "store")
    assert not is_allowed("store", "workspace")
    assert is_allowed("engine", "runtime")
    file.write_text('onnx = need("onnx", extra="onnx")\n')
    assert list(loaded_by_name(file)) == [(1, "onnx")]
