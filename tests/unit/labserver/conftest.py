from __future__ import annotations

from pathlib import Path

import pytest
from pytest_jupyter.jupyter_server import *  # noqa: F403 - its fixtures; no plug-in outside the top


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the user's own list of workspaces out of the tests."""
    home = tmp_path / "nbautoml-home"
    monkeypatch.setenv("NBAUTOML_HOME", str(home))
    return home


@pytest.fixture
def jp_server_config() -> dict[str, object]:
    """Load our extension alone; its handlers themselves must keep strangers out."""
    return {
        "ServerApp": {
            "jpserver_extensions": {"nbautoml.labserver": True},
            "allow_unauthenticated_access": True,
            "disable_check_xsrf": True,
        }
    }
