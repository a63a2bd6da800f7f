"""What the gates look at: the package's own source files."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the top of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def sources(root: Path) -> dict[str, Path]:
    """Return dotted module name to file, for every module of the package."""
    found = {}
    for path in sorted((root / "nbautoml").rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        if "static" in parts or "templates" in parts:
            continue  # built assets; files that are copied, never imported
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found
