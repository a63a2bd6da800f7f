from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the user's own list of workspaces out of the tests."""
    home = tmp_path / "nbautoml-home"
    monkeypatch.setenv("NBAUTOML_HOME", str(home))
    return home
