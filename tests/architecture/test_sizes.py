"""How long things are. A waiver is a comment ``# size: reason`` on the line of the def or class."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

MAX_FUNCTION = 60
MOST_FUNCTIONS = 30
MOST_SHARE = 0.9
MAX_CLASS = 300
MAX_MODULE = 600
MAX_POSITIONAL = 6
MAX_WAIVERS = 5
"""Waivers in the whole package; raise it only with a reason in the same commit."""

WAIVER = re.compile(r"#\s*size:\s*\S+")

Definition = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A function, a class or a module, where it is, and how long without its docstring."""

    where: str
    kind: str
    n_lines: int
    n_positional: int = 0
    has_waiver: bool = False


@cache
def measure(path: Path) -> tuple[Found, ...]:
    """Return the size of a module and of everything in it."""
    return tuple(_measure(path))


def _measure(path: Path) -> Iterator[Found]:
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    has_waiver = any(WAIVER.match(line) for line in lines[:3])
    yield Found(where=str(path), kind="module", n_lines=len(lines), has_waiver=has_waiver)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, Definition | ast.ClassDef):
            is_class = isinstance(node, ast.ClassDef)
            yield Found(
                where=f"{path}:{node.lineno} {node.name}",
                kind="class" if is_class else "function",
                n_lines=_length(node),
                n_positional=0 if is_class else _count_positional(node),
                has_waiver=bool(WAIVER.search(lines[node.lineno - 1])),
            )


def _length(node: Definition | ast.ClassDef) -> int:
    """Return the lines of a definition without those of docstrings, its own and inner ones."""
    docs = 0
    for inner in ast.walk(node):
        if isinstance(inner, Definition | ast.ClassDef):
            first = inner.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                docs += (first.end_lineno or first.lineno) - first.lineno + 1
    return (node.end_lineno or node.lineno) - node.lineno + 1 - docs


def _count_positional(node: Definition) -> int:
    names = [a.arg for a in (*node.args.posonlyargs, *node.args.args)]
    return len(names) - (names[:1] in (["self"], ["cls"]))


def all_found(sources: dict[str, Path], kind: str) -> list[Found]:
    """Return everything of a kind in the package."""
    return [f for path in sources.values() for f in measure(path) if f.kind == kind]


def too_long(found: list[Found], limit: int) -> list[str]:
    """Return what is longer than a limit without a waiver."""
    return [f"{f.where}: {f.n_lines}" for f in found if f.n_lines > limit and not f.has_waiver]


def test_functions_are_short(sources: dict[str, Path]) -> None:
    assert too_long(all_found(sources, "function"), MAX_FUNCTION) == []


def test_nine_functions_in_ten_are_shorter_still(sources: dict[str, Path]) -> None:
    sizes = [f.n_lines for f in all_found(sources, "function")]

    assert sum(n <= MOST_FUNCTIONS for n in sizes) >= MOST_SHARE * len(sizes)


def test_classes_are_short(sources: dict[str, Path]) -> None:
    assert too_long(all_found(sources, "class"), MAX_CLASS) == []


def test_modules_are_short(sources: dict[str, Path]) -> None:
    assert too_long(all_found(sources, "module"), MAX_MODULE) == []


def test_functions_take_few_positional_parameters(sources: dict[str, Path]) -> None:
    wrong = [
        f"{f.where}: {f.n_positional}"
        for f in all_found(sources, "function")
        if f.n_positional > MAX_POSITIONAL and not f.has_waiver
    ]

    assert wrong == []


def test_waivers_are_few(sources: dict[str, Path]) -> None:
    waived = [f.where for path in sources.values() for f in measure(path) if f.has_waiver]

    assert len(waived) <= MAX_WAIVERS, waived


def test_a_long_function_is_found_and_its_docstring_does_not_count(tmp_path: Path) -> None:
    body = "    x = 1\n" * 61
    file = tmp_path / "long.py"
    file.write_text(f'def long(a, b):\n    """Say\n    much.\n    """\n{body}')

    function = next(f for f in measure(file) if f.kind == "function")

    assert (function.n_lines, function.n_positional) == (62, 2)
    assert too_long([function], MAX_FUNCTION) != []


def test_a_waiver_needs_a_reason(tmp_path: Path) -> None:
    file = tmp_path / "waived.py"
    file.write_text("def a():  # size: a table that reads best in one piece\n    pass\n\n\n")
    file_without = tmp_path / "without.py"
    file_without.write_text("def a():  # size:\n    pass\n")

    assert [f.has_waiver for f in measure(file) if f.kind == "function"] == [True]
    assert [f.has_waiver for f in measure(file_without) if f.kind == "function"] == [False]
