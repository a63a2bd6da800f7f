"""A shell with the magics, in an empty folder, whose runs are not really started."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import CapturedIO, capture_output
from traitlets.config import Config

import nbautoml
from nbautoml.automl import submit


class Shell:
    """Runs cells and keeps what they show."""

    def __init__(self) -> None:
        config = Config()
        config.HistoryManager.enabled = False
        self.ip = InteractiveShell(config=config)
        self.ip.run_cell("%load_ext nbautoml")
        self.ip.user_ns["df"] = pd.DataFrame(
            {"age": range(40), "sex": ["f", "m"] * 20, "died": ["yes", "no", "no", "no"] * 10}
        )

    def run(self, cell: str) -> CapturedIO:
        with capture_output() as shown:
            self.ip.run_cell(cell)
        return shown

    def text(self, cell: str) -> str:
        """Return all that a cell shows, as text."""
        shown = self.run(cell)
        rich = [str(o.data.get("text/plain", "")) for o in shown.outputs]
        return "\n".join([shown.stdout, shown.stderr, *rich])

    def complete(self, text: str) -> list[str]:
        with provisionalcompleter():
            return sorted(c.text for c in self.ip.Completer.completions(text, len(text)))

    def runs(self) -> list[nbautoml.Run]:
        workspace = nbautoml.Workspace.from_config()
        names = list(workspace.experiments)
        return [run for name in names for run in workspace.experiments[name].get_runs()]


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    folder = tmp_path / "my project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    # What a run does is tested elsewhere; here it only has to be submitted.
    monkeypatch.setattr(submit, "launch", lambda session, run_id: None)
    InteractiveShell.clear_instance()
    yield Shell()
    InteractiveShell.clear_instance()
