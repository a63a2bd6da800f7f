"""What is tracked stands alone: no path of a machine, nothing beside the checkout."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

# Pieces are joined here so that this file does not hold what it looks for.
FORBIDDEN = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?<![\w.-])/wo" + r"rk/",
        r"(?<![\w.-])/ro" + r"ot/",
        r"\.\./sha" + r"red",
        r"/opt/nb" + r"venv",
    )
)


def findings(text: str) -> list[str]:
    """Return the lines that name something outside the project."""
    return [line for line in text.splitlines() if any(p.search(line) for p in FORBIDDEN)]


@pytest.fixture(scope="module")
def tracked(root: Path) -> list[Path]:
    """Return the tracked text files, or all that git would track in an archive."""
    done = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip("not a git checkout")
    names = [name for name in done.stdout.decode().split("\0") if name]
    return [root / name for name in names if (root / name).is_file()]


def test_no_file_names_a_machine(tracked: list[Path]) -> None:
    wrong = []
    for path in tracked:
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # an image
        wrong += [f"{path}: {line.strip()[:80]}" for line in findings(text)]

    assert wrong == []


def test_notebooks_hold_no_outputs(tracked: list[Path]) -> None:

    wrong = [
        str(path)
        for path in tracked
        if path.suffix == ".ipynb"
        if any(cell.get("outputs") for cell in json.loads(path.read_text())["cells"])
    ]

    assert wrong == []


def test_a_machine_path_is_found() -> None:
    assert findings("see /wo" + "rk/notes.md") != []
    assert findings("a framework/package") == []
