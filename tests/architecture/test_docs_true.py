"""The reference pages are what the code says, and they say everything."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

import nbautoml
from nbautoml.automl.options import AUTOML_OPTIONS
from nbautoml.domain.events import EVENT_TYPES
from nbautoml.domain.metrics import METRICS
from nbautoml.engine.models.catalog import FAMILIES
from nbautoml.labserver.extension import ROOT, LabServerExtension
from nbautoml.magics.body import SHORT_KEYS
from nbautoml.magics.commands import COMMANDS
from nbautoml.magics.flags import FLAGS


@pytest.fixture(scope="module")
def maker(root: Path) -> ModuleType:
    """Return the script that writes the pages."""
    path = root / "docs" / "make_reference.py"
    spec = importlib.util.spec_from_file_location("make_reference", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def reference(root: Path) -> str:
    """Return the text of all reference pages."""
    return "\n".join(p.read_text() for p in sorted((root / "docs" / "reference").glob("*.md")))


def test_the_pages_are_up_to_date(maker: ModuleType) -> None:
    assert maker.stale_pages() == [], "run: python docs/make_reference.py"


NAMES = {
    "public names": lambda: nbautoml.__all__,
    "events": lambda: EVENT_TYPES,
    "metrics": lambda: METRICS,
    "model families": FAMILIES.names,
    "settings": lambda: AUTOML_OPTIONS,
    "words of %%automl": lambda: FLAGS,
    "short keys of %%automl": lambda: SHORT_KEYS,
    "lines of %automl": lambda: [f"%automl {name}" for name in COMMANDS],
}


@pytest.mark.parametrize("kind", NAMES)
def test_every_name_is_in_the_reference(kind: str, reference: str) -> None:
    missing = [name for name in NAMES[kind]() if f"`{name}" not in reference]
    missing = [name for name in missing if f"## {name}\n" not in reference]

    assert missing == []


def test_every_route_is_in_the_reference(reference: str) -> None:
    extension = LabServerExtension()
    extension.initialize_handlers()
    tails = [handler[0].removeprefix(ROOT).rsplit("/", 1)[-1] for handler in extension.handlers]
    words = [tail for tail in tails if tail.isalpha()]

    pages = set(re.findall(rf"`[A-Z]+ {ROOT}/([^`]+)`", reference))

    assert len(tails) == len(pages)
    assert [word for word in words if f"/{word}`" not in reference] == []


def test_every_page_is_on_the_map_of_the_docs(root: Path) -> None:
    index = (root / "docs" / "README.md").read_text()
    pages = [p.relative_to(root / "docs").as_posix() for p in (root / "docs").rglob("*.md")]

    assert [page for page in pages if page != "README.md" and f"({page})" not in index] == []


def test_a_page_that_is_behind_is_found(
    maker: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maker, "FOLDER", tmp_path)
    (tmp_path / "metrics.md").write_text("# Metrics\n")

    assert "metrics.md" in maker.stale_pages()
