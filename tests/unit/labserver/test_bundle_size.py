"""How much a browser loads for us: at once, with parts that come later, and with plotly."""

from __future__ import annotations

from pathlib import Path

import pytest

import nbautoml.labserver

BUILT = Path(nbautoml.labserver.__file__).parent / "static" / "labextension" / "static"
MOST_BYTES = 200_000
PLOTLY_BYTES = 1_000_000
LATER = {"WizardForm:()=>": 30 * 1024, "LoggedView:()=>": 8 * 1024}
"""What the files give to others that are loaded when they are needed, and their most bytes."""


@pytest.fixture(scope="module")
def sizes() -> dict[str, int]:
    assert BUILT.is_dir(), "the labextension is not built: pip install -e . builds it"
    return {file.name: file.stat().st_size for file in BUILT.glob("*.js")}


def test_plotly_is_one_file_of_its_own(sizes: dict[str, int]) -> None:
    large = [name for name, size in sizes.items() if size > PLOTLY_BYTES]
    assert len(large) == 1
    assert "plotly" in (BUILT / large[0]).read_text(encoding="utf-8")


def test_what_is_loaded_at_once_is_small(sizes: dict[str, int]) -> None:
    ours = {name: size for name, size in sizes.items() if size <= PLOTLY_BYTES}
    texts = {name: (BUILT / name).read_text(encoding="utf-8") for name in ours}
    for mark, most in LATER.items():
        later = [name for name, text in texts.items() if mark in text]
        assert len(later) == 1, f"{mark} is in a file of its own"
        assert ours.pop(later[0]) < most
    assert 10_000 < sum(ours.values()) < MOST_BYTES
