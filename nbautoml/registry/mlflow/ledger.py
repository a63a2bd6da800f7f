"""What has been mirrored already: one file for each tracking server."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any  # Any: JSON values


@dataclass(slots=True, kw_only=True)
class Entry:
    """How far a run has been mirrored.

    Parameters
    ----------
    mlflow_id : str
        Its run in MLflow.
    seq : int
        Number of the last event that is there.
    is_configured : bool
        Whether its parameters are there, which cannot be changed.
    is_open : bool
        Whether its run in MLflow has not ended.
    children : dict of str to str
        Number of a trial to its run in MLflow.
    open_children : list of str
        Numbers of trials whose runs in MLflow have not ended.
    points : dict of str to int
        How many logged numbers of a name are there.
    """

    mlflow_id: str
    seq: int = 0
    is_configured: bool = False
    is_open: bool = True
    children: dict[str, str] = field(default_factory=dict)
    open_children: list[str] = field(default_factory=list)
    points: dict[str, int] = field(default_factory=dict)


class Ledger:
    """Entries by run id, kept in a file that is replaced whole.

    Parameters
    ----------
    path : Path
        The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.entries: dict[str, Entry] = {}
        if path.is_file():
            content: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            self.entries = {run_id: Entry(**values) for run_id, values in content.items()}

    @classmethod
    def of(cls, folder: Path, tracking_uri: str) -> Ledger:
        """Return the ledger of a tracking server."""
        name = hashlib.sha256(tracking_uri.encode()).hexdigest()[:16]
        return cls(folder / f"mirrored-{name}.json")

    def save(self) -> None:
        """Write the file."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        content = {run_id: asdict(entry) for run_id, entry in self.entries.items()}
        draft.write_text(json.dumps(content), encoding="utf-8")
        draft.replace(self._path)
