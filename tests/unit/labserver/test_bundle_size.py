"""How much a browser loads for us: everything at once, and plotly when a chart is looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

import nbautoml.labserver

BUILT = Path(nbautoml.labserver.__file__).parent / "static" / "labextension" / "static"
MOST_BYTES = 200 * 1024
PLOTLY_BYTES = 1_000_000


@pytest.fixture(scope="module")
def sizes() -> dict[str, int]:
    assert BUILT.is_dir(), "the labextension is not built: pip install -e . builds it"
    return {file.name: file.stat().st_size for file in BUILT.glob("*.js")}


def test_plotly_is_one_file_of_its_own(sizes: dict[str, int]) -> None:
    large = [name for name, size in sizes.items() if size > PLOTLY_BYTES]
    assert len(large) == 1
    assert "plotly" in (BUILT / large[0]).read_text(encoding="utf-8")


def test_all_else_is_small(sizes: dict[str, int]) -> None:
    ours = sum(size for size in sizes.values() if size <= PLOTLY_BYTES)
    assert 10_000 < ours < MOST_BYTES
