"""How much a browser loads for us: all that is ours, and plotly apart from it."""

from __future__ import annotations

from pathlib import Path

import pytest

import nbautoml.labserver

BUILT = Path(nbautoml.labserver.__file__).parent / "static" / "labextension" / "static"
MOST_BYTES = 200_000
PLOTLY_BYTES = 1_000_000


@pytest.fixture(scope="module")
def sizes() -> dict[str, int]:
    assert BUILT.is_dir(), "the labextension is not built: pip install -e . builds it"
    kinds = {".js", ".css"}
    return {file.name: file.stat().st_size for file in BUILT.iterdir() if file.suffix in kinds}


def test_plotly_is_one_file_of_its_own(sizes: dict[str, int]) -> None:
    large = [name for name, size in sizes.items() if size > PLOTLY_BYTES]
    assert len(large) == 1
    assert "plotly" in (BUILT / large[0]).read_text(encoding="utf-8")


def test_all_that_is_ours_is_small(sizes: dict[str, int]) -> None:
    assert 10_000 < sum(size for size in sizes.values() if size <= PLOTLY_BYTES) <= MOST_BYTES


def test_the_styles_come_with_it(sizes: dict[str, int]) -> None:
    ours = [name for name, size in sizes.items() if size <= PLOTLY_BYTES]
    texts = [(BUILT / name).read_text(encoding="utf-8") for name in ours]
    assert any(".nbautoml-run" in text and "createElement" in text for text in texts)
