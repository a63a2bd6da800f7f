"""The README's first command does what it says: a leaderboard, a best model, registered."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from nbautoml import Model, Workspace

pytestmark = pytest.mark.integration


def test_quickstart_finds_and_registers_a_model(tmp_path: Path) -> None:
    command = ["quickstart", "--iterations", "3", "--minutes", "2", "--folder", "there"]
    done = subprocess.run(
        [sys.executable, "-m", "nbautoml.cli", *command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    best = re.search(r"Best model: (\S.*), AUC_weighted (0\.\d+)", done.stdout)
    assert best is not None, done.stdout
    assert float(best[2]) > 0.7
    assert f"Registered: attrition:1 in workspace {tmp_path / 'there'}" in done.stdout
    model = Model(Workspace.from_config(tmp_path / "there"), "attrition")
    assert "outputs/model.pkl" in model.get_file_names()
    assert set(model.load().classes_) == {"No", "Yes"}
