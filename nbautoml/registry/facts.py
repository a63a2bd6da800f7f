"""What can be read of a registered model; `nbautoml.registry.words` changes it."""

from __future__ import annotations

import html
import importlib
from datetime import UTC, datetime
from typing import Any  # Any: runs and datasets, whose classes are not known here

from nbautoml.domain.records import ModelRecord
from nbautoml.registry.lineage import lineage_of, to_svg
from nbautoml.store.session import Session

# Runs stand above this part and datasets beside it, so that they are called by name.
_RUNS = "nbautoml.runs.run"
_DATASETS = "nbautoml.data.dataset"


class ModelFacts:
    """Name, words and history of one version of a model.

    Parameters
    ----------
    session : Session
        The open store.
    record : ModelRecord
        The version.
    """

    def __init__(self, session: Session, record: ModelRecord) -> None:
        self._session = session
        self._record = record

    @property
    def session(self) -> Session:
        """The workspace's store, so that this stands for its workspace."""
        return self._session

    @property
    def name(self) -> str:
        """The name."""
        return self._record.name

    @property
    def version(self) -> int:
        """Counts from 1 for each name."""
        return self._record.version

    @property
    def id(self) -> str:
        """``name:version``."""
        return self._record.id

    @property
    def tags(self) -> dict[str, str]:
        """Words to find it by (a copy)."""
        return dict(self._record.tags)

    @property
    def properties(self) -> dict[str, str]:
        """Words that were given once and stay (a copy)."""
        return dict(self._record.properties)

    @property
    def description(self) -> str:
        """A text for people."""
        return self._record.description

    @property
    def stage(self) -> str:
        """``"None"``, ``"Staging"``, ``"Production"`` or ``"Archived"``."""
        return self._record.stage.value

    @property
    def aliases(self) -> tuple[str, ...]:
        """Names that stand for this version now."""
        return self._record.aliases

    @property
    def run_id(self) -> str | None:
        """The run that made it; None when it came from a file."""
        return self._record.run_id

    @property
    def run(self) -> Any:
        """The run that made it; None when it came from a file.

        Raises
        ------
        NotFoundError
            When the run is gone.
        """
        if self.run_id is None:
            return None
        return importlib.import_module(_RUNS).Run.get(self, self.run_id)

    @property
    def model_framework(self) -> str:
        """What it was made with."""
        return self._record.framework

    @property
    def model_framework_version(self) -> str:
        """Version of what it was made with."""
        return self._record.framework_version

    @property
    def created_time(self) -> datetime:
        """When it was registered (UTC)."""
        return datetime.fromtimestamp(self._record.created_at, UTC)

    @property
    def datasets(self) -> dict[str, list[Any]]:
        """The datasets that were named when it was registered, by what they were named for.

        Raises
        ------
        NotFoundError
            When a dataset is gone.
        """
        found: dict[str, list[Any]] = {}
        for word, dataset_id in self._record.datasets:
            found.setdefault(word, []).append(self._dataset(dataset_id))
        return found

    @property
    def sample_input_dataset(self) -> Any:
        """A dataset with rows to try it with; None where none was given."""
        return self._sample("input")

    @property
    def sample_output_dataset(self) -> Any:
        """A dataset with what it answers to the sample rows; None where none was given."""
        return self._sample("output")

    def get_file_names(self) -> list[str]:
        """Return the names of its files, as `download` writes them."""
        with self._session.read() as tx:
            return sorted(a.name for a in tx.artifacts.list(self._record.owner_id))

    def serialize(self) -> dict[str, Any]:
        """Return what is known of it as JSON values."""
        record = self._record
        return {
            "name": record.name,
            "version": record.version,
            "id": record.id,
            "createdTime": self.created_time.isoformat(),
            "description": record.description,
            "tags": dict(record.tags),
            "properties": dict(record.properties),
            "stage": self.stage,
            "aliases": list(record.aliases),
            "runId": record.run_id,
            "framework": record.framework,
            "frameworkVersion": record.framework_version,
            "datasets": [list(pair) for pair in record.datasets],
            "sampleInputDatasetId": record.samples.get("input"),
            "sampleOutputDatasetId": record.samples.get("output"),
        }

    def _sample(self, which: str) -> Any:
        dataset_id = self._record.samples.get(which)
        return None if dataset_id is None else self._dataset(dataset_id)

    def _dataset(self, dataset_id: str) -> Any:
        return importlib.import_module(_DATASETS).Dataset.get_by_id(self, dataset_id)

    def __repr__(self) -> str:
        return f"Model(name={self.name!r}, version={self.version}, run_id={self.run_id!r})"

    def _repr_html_(self) -> str:
        rows = {
            "version": self.version,
            "stage": "" if self.stage == "None" else self.stage,
            "aliases": ", ".join(self.aliases),
            "registered": f"{self.created_time:%Y-%m-%d %H:%M} UTC",
            "run": self.run_id or "none: from a file",
            "tags": ", ".join(f"{k}: {v}" for k, v in self.tags.items()),
            "description": self.description,
            "files": ", ".join(self.get_file_names()),
        }
        cells = "".join(
            f"<tr><th style='text-align:left'>{k}</th>"
            f"<td style='text-align:left'>{html.escape(str(v))}</td></tr>"
            for k, v in rows.items()
            if v != ""
        )
        table = f"<table><caption>Model <b>{html.escape(self.name)}</b></caption>{cells}</table>"
        return table + to_svg(lineage_of(self._session, self._record))
