"""The stand-in for a run in a script that is started by hand."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self  # Any: logged values

from nbautoml.runs.values import cell_of, chart_of, listed, table_of

logger = logging.getLogger(__name__)


class OfflineRun:
    """Takes what a script logs when it is no run; keeps it in memory.

    Values are checked as those of a run are, so that a script that works by hand works as a run.

    Examples
    --------
    >>> run = OfflineRun()
    >>> run.log("accuracy", 0.9)
    >>> run.get_metrics()
    {'accuracy': 0.9}
    """

    id = "OfflineRun"

    def __init__(self) -> None:
        self._metrics: dict[str, list[Any]] = {}
        self._tables: dict[str, dict[str, list[Any]]] = {}
        self._files: dict[str, str] = {}
        self.tags: dict[str, str] = {}
        self.properties: dict[str, str] = {}

    def log(self, name: str, value: Any, description: str = "", step: int | None = None) -> None:
        """Keep a value; the same name again makes a list."""
        logger.info("%s = %s", name, value)
        self._metrics.setdefault(name, []).append(cell_of(value, f"run.log({name!r}, …)"))

    def log_list(self, name: str, value: Sequence[Any], description: str = "") -> None:
        """Keep a list of values."""
        where = f"run.log_list({name!r}, …)"
        self._metrics.setdefault(name, []).extend(cell_of(v, where) for v in listed(value, where))

    def log_row(self, name: str, description: str | None = None, **columns: Any) -> None:
        """Keep a row of a table."""
        self.log_table(name, {column: [value] for column, value in columns.items()})

    def log_table(self, name: str, value: Mapping[str, Any], description: str = "") -> None:
        """Keep a table."""
        logger.info("%s: a table", name)
        table = self._tables.setdefault(name, {})
        for column, cells in table_of(value, f"run.log_table({name!r}, …)").items():
            table.setdefault(column, []).extend(cells)

    def log_image(
        self, name: str, path: str | Path | None = None, plot: Any = None, description: str = ""
    ) -> None:
        """Note that there is a picture; it is not kept."""
        logger.info("%s: a picture", name)

    def log_confusion_matrix(self, name: str, value: Any, description: str = "") -> None:
        """Check a confusion matrix; it is not kept."""
        chart_of(name, "confusion_matrix", value)

    def log_accuracy_table(self, name: str, value: Any, description: str = "") -> None:
        """Check counts at thresholds; they are not kept."""
        chart_of(name, "accuracy_table", value)

    def log_residuals(self, name: str, value: Any, description: str = "") -> None:
        """Check a histogram of residuals; it is not kept."""
        chart_of(name, "residuals", value)

    def log_predictions(self, name: str, value: Any, description: str = "") -> None:
        """Check predicted against true values; they are not kept."""
        chart_of(name, "predictions", value)

    def get_metrics(self, name: str | None = None, **_azure: Any) -> dict[str, Any]:
        """Return what was logged."""
        found: dict[str, Any] = {k: v[0] if len(v) == 1 else v for k, v in self._metrics.items()}
        found |= self._tables
        return {key: value for key, value in found.items() if name is None or key == name}

    def upload_file(self, name: str, path_or_stream: Any, datastore_name: object = None) -> None:
        """Note where a file lies; it is not copied."""
        self._files[name] = str(path_or_stream)

    def upload_folder(self, name: str, path: str | Path, datastore_name: object = None) -> None:
        """Note where a folder lies; it is not copied."""
        self._files[name] = str(path)

    def get_file_names(self) -> list[str]:
        """Return the names that files were given."""
        return sorted(self._files)

    def tag(self, key: str, value: Any = "") -> None:
        """Keep a tag."""
        self.tags[key] = str(value)

    def set_tags(self, tags: Mapping[str, Any]) -> None:
        """Keep tags."""
        self.tags |= {key: str(value) for key, value in tags.items()}

    def get_tags(self) -> dict[str, str]:
        """Return the tags."""
        return dict(self.tags)

    def add_properties(self, properties: Mapping[str, Any]) -> None:
        """Keep properties."""
        self.properties |= {key: str(value) for key, value in properties.items()}

    def child_run(self, name: str | None = None, **_azure: Any) -> OfflineRun:
        """Return another stand-in."""
        return OfflineRun()

    def start(self) -> None:
        """Begin; nothing is to be done."""

    def complete(self) -> None:
        """End it; nothing is left to do."""

    def fail(self, error_details: object = None, error_code: object = None) -> None:
        """End it; what happened goes to the log of the program."""
        logger.error("The run failed: %s", error_details)

    def flush(self, timeout_seconds: float = 300) -> None:
        """Do nothing: what was logged is kept."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.complete()
