"""Tabular datasets: lazy, frozen definitions that a workspace can keep as versions."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn  # Any: dask frames, JSON values

import pandas as pd

from nbautoml.data.consumption import DatasetConsumptionConfig
from nbautoml.data.definition import Definition
from nbautoml.data.frames import accept_frame
from nbautoml.data.html import HEAD_ROWS, render_dataset, render_message
from nbautoml.data.locate import ReadContext, find_context
from nbautoml.data.materialise import (
    Content,
    freeze_files,
    freeze_frame,
    register_content,
)
from nbautoml.data.profile import DatasetProfile, profile_columns
from nbautoml.data.reading import MEMORY, locate_files, read_files, read_frame
from nbautoml.data.steps import check_columns
from nbautoml.data.types import convert_columns
from nbautoml.domain.records import DatasetRecord
from nbautoml.errors import ConfigError, DatasetError, NbAutoMLError, NotAvailableError

if TYPE_CHECKING:
    from nbautoml.store.session import HasSession, Session

PROFILED_ROWS = 10_000  # what a dataset's view in the notebook is made of
MAX_SEED = 2**31 - 1

_BY_PANDAS = (
    "do it with pandas and pass the DataFrame: "
    "Dataset.Tabular.from_pandas_dataframe(ds.to_pandas_dataframe()...)"
)
# Documented calls that are not built yet, and what does their work.
NOT_BUILT = {
    "filter": _BY_PANDAS,
    "time_before": _BY_PANDAS,
    "time_after": _BY_PANDAS,
    "time_recent": _BY_PANDAS,
    "time_between": _BY_PANDAS,
    "with_timestamp_columns": "name the time column in the run's settings (time_column_name)",
    "partition_by": _BY_PANDAS,
    "to_csv_files": "use ds.to_pandas_dataframe().to_csv(...)",
    "to_parquet_files": "use ds.to_pandas_dataframe().to_parquet(...)",
    "submit_profile_run": "use get_profile(), which runs here",
    "download": "use ds.to_pandas_dataframe()",
}


class TabularDataset:
    """A table that is read when it is needed; every call gives a new dataset.

    Made by ``Dataset.Tabular.from_…``, ``Dataset.get_by_name`` and ``workspace.datasets``.

    Parameters
    ----------
    definition : Definition
        Sources, reader options and steps.
    frame : pandas.DataFrame, optional
        The content, when it is held in memory.
    session : Session, optional
        The workspace that keeps the content.
    record : DatasetRecord, optional
        The version that this is.
    """

    def __init__(
        self,
        definition: Definition,
        *,
        frame: pd.DataFrame | None = None,
        session: Session | None = None,
        record: DatasetRecord | None = None,
    ) -> None:
        self._definition = definition
        self._frame = frame
        self._session = session
        self._record = record

    @property
    def id(self) -> str | None:
        """Id of the version in its workspace; None before it is registered."""
        return self._record.id if self._record else None

    @property
    def name(self) -> str | None:
        """Name under which it is registered, or None."""
        return self._record.name or None if self._record else None

    @property
    def version(self) -> int | None:
        """Number of the version under its name, from 1, or None."""
        return self._record.version or None if self._record else None

    @property
    def description(self) -> str | None:
        """What was said about it when it was registered, or None."""
        return self._record.description if self._record else None

    @property
    def tags(self) -> Mapping[str, str]:
        """Tags that were given when it was registered."""
        return MappingProxyType(dict(self._record.tags) if self._record else {})

    @property
    def fingerprint(self) -> str | None:
        """Hash of the content of a version; None before it is registered."""
        return self._record.fingerprint if self._record else None

    @property
    def definition(self) -> Definition:
        """How it is read: sources, reader options and steps."""
        return self._definition

    @property
    def session(self) -> Session | None:
        """The workspace that keeps the content, or None."""
        return self._session

    @property
    def frame(self) -> pd.DataFrame | None:
        """What is held in memory before the steps; not to be changed. None for files."""
        return self._frame

    def to_pandas_dataframe(
        self, on_error: str = "null", out_of_range_datetime: str = "null"
    ) -> pd.DataFrame:
        """Read everything.

        Parameters
        ----------
        on_error : {"null", "fail"}, default "null"
            What a value that does not fit its set type becomes.
        out_of_range_datetime : {"null", "fail"}, default "null"
            The same for dates that pandas cannot hold.

        Returns
        -------
        pandas.DataFrame
            Rows counted from 0; the caller's own.

        Raises
        ------
        DatasetError
            When a file is missing or bad; the message names file, line and remedy.
        """
        strict = "fail" if "fail" in (on_error, out_of_range_datetime) else on_error
        frame = read_frame(self._definition, self._context(), frame=self._frame, on_error=strict)
        return frame.copy() if self._frame is not None else frame

    def to_dask_dataframe(
        self,
        sample_size: int = 10_000,
        dtypes: Mapping[str, Any] | None = None,
        on_error: str = "null",
        out_of_range_datetime: str = "null",
    ) -> Any:
        """Give a ``dask.dataframe.DataFrame``: a partition a file, or parts of one file's rows.

        Parameters
        ----------
        sample_size : int, default 10000
            Leading rows that show the types, for several files; rows a partition for one.
        dtypes : mapping of str to dtype, optional
            Types that win over those found.
        on_error, out_of_range_datetime : {"null", "fail"}
            As in `to_pandas_dataframe`.
        """
        from nbautoml.data.dask_frames import make_dask_frame  # dask only when asked for

        strict = "fail" if "fail" in (on_error, out_of_range_datetime) else on_error
        return make_dask_frame(
            self._definition,
            self._context(),
            frame=self._frame,
            sample_size=sample_size,
            dtypes=dtypes,
            on_error=strict,
        )

    def take(self, count: int) -> TabularDataset:
        """Keep the first `count` rows."""
        return self._then("take", count=_accept_count("take", count))

    def skip(self, count: int) -> TabularDataset:
        """Leave out the first `count` rows."""
        return self._then("skip", count=_accept_count("skip", count))

    def take_sample(self, probability: float, seed: int | None = None) -> TabularDataset:
        """Keep each row with a probability from 0 to 1; the same rows at each reading."""
        share = _accept_share("take_sample: probability", probability)
        return self._then("sample", probability=share, seed=_accept_seed(seed))

    def random_split(
        self, percentage: float, seed: int | None = None
    ) -> tuple[TabularDataset, TabularDataset]:
        """Cut the rows at random into two datasets that together hold each row once.

        Parameters
        ----------
        percentage : float
            Share of the rows, from 0 to 1, in the first dataset.
        seed : int, optional
            The same seed gives the same split; without one a seed is drawn now, so that the
            two datasets always fit each other.

        Returns
        -------
        tuple of TabularDataset
            First and second part, rows in their old order.
        """
        share = _accept_share("random_split: percentage", percentage)
        fixed = _accept_seed(seed)
        first, second = (
            self._then("split", percentage=share, seed=fixed, part=part) for part in (0, 1)
        )
        return first, second

    def keep_columns(self, columns: str | Sequence[str], validate: bool = False) -> TabularDataset:
        """Keep only some columns, in the order given.

        Parameters
        ----------
        columns : str or list of str
            Their names.
        validate : bool, default False
            Check the names now, not at the next reading.
        """
        names = _accept_names("keep_columns", columns)
        if validate:
            check_columns(names, list(self.take(1).to_pandas_dataframe().columns), "keep_columns")
        return self._then("keep", columns=names)

    def drop_columns(self, columns: str | Sequence[str]) -> TabularDataset:
        """Leave out some columns."""
        return self._then("drop", columns=_accept_names("drop_columns", columns))

    def as_named_input(self, name: str) -> DatasetConsumptionConfig:
        """Return it as an input of a script: ``Run.get_context().input_datasets[name]`` there.

        Parameters
        ----------
        name : str
            Letters, digits and ``_``.
        """
        return DatasetConsumptionConfig(name, self)

    def get_profile(self, workspace: HasSession | None = None) -> DatasetProfile:
        """Return statistics of every column, over all rows.

        Parameters
        ----------
        workspace : Workspace, optional
            Taken for the SDK's sake; the profile is computed here.
        """
        return profile_columns(self.to_pandas_dataframe())

    def register(
        self,
        workspace: HasSession,
        name: str,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
        create_new_version: bool = False,
    ) -> TabularDataset:
        """Keep the content in a workspace, as the next version of a name.

        Later changes of the files do not change the version. The same content as in the
        latest version gives that version again.

        Parameters
        ----------
        workspace : Workspace
            Where to keep it.
        name : str
            Its name there.
        description : str, optional
            A sentence for people.
        tags : mapping of str to str, optional
            Anything else to remember.
        create_new_version : bool, default False
            Allow another version when the name is taken.

        Raises
        ------
        ConflictError
            When the name has other content and `create_new_version` is False.
        DatasetError
            When the content cannot be read.
        """
        if not isinstance(name, str) or not name.strip():
            raise ConfigError(f"register: name must be a text that is not empty; got {name!r}.")
        session = workspace.session
        record = register_content(
            session,
            self._freeze(name),
            name,
            origin=self._definition.to_dict(),
            description=description or "",
            tags=_as_text(tags or {}),
            create_new_version=create_new_version,
        )
        return from_record(session, record)

    def update(
        self, description: str | None = None, tags: Mapping[str, str] | None = None
    ) -> TabularDataset:
        """Replace the description, the tags or both of a version; what is None stays.

        Parameters
        ----------
        description : str, optional
            A sentence for people.
        tags : mapping of str to str, optional
            All its tags from now on.

        Returns
        -------
        TabularDataset
            The version as it is now; this object stays as it was.

        Raises
        ------
        ConfigError
            When it is not registered.
        """
        session, record = self._registered("update")
        wanted = None if tags is None else _as_text(tags)
        with session.write() as tx:
            changed = tx.datasets.update(record.id, description=description, tags=wanted)
        return from_record(session, changed)

    def add_tags(self, tags: Mapping[str, str]) -> TabularDataset:
        """Add tags to a version, or change those of the same name; return it as it is now."""
        session, record = self._registered("add_tags")
        with session.write() as tx:
            has = tx.datasets.get_by_id(record.id).tags
            changed = tx.datasets.update(record.id, tags={**has, **_as_text(tags)})
        return from_record(session, changed)

    def remove_tags(self, tags: Iterable[str]) -> TabularDataset:
        """Take tags off a version by name; names that are not there are left out."""
        session, record = self._registered("remove_tags")
        gone = {tags} if isinstance(tags, str) else set(tags)
        with session.write() as tx:
            has = tx.datasets.get_by_id(record.id).tags
            kept = {key: value for key, value in has.items() if key not in gone}
            changed = tx.datasets.update(record.id, tags=kept)
        return from_record(session, changed)

    def unregister_all_versions(self) -> None:
        """Take the name off all versions of this dataset.

        Their content stays under their ids: runs and models that used them can be explained.
        Version numbers of the name are not used again.

        Raises
        ------
        ConfigError
            When it is not registered.
        NotFoundError
            When the name is gone already.
        """
        session, record = self._registered("unregister_all_versions")
        with session.write() as tx:
            tx.datasets.unregister(record.name)

    def _registered(self, call: str) -> tuple[Session, DatasetRecord]:
        if self._session is None or self._record is None or not self._record.name:
            raise ConfigError(f"{call}: the dataset is not registered. Call register(ws, name).")
        return self._session, self._record

    def __repr__(self) -> str:
        parts = [f"name={self.name!r}, version={self.version}"] if self.name else []
        parts += [source.uri for source in self._definition.sources[:3] if source.uri]
        if self._definition.reader == MEMORY:
            parts.append("from a DataFrame")
        parts += [_describe_step(s.kind, s.params) for s in self._definition.steps]
        return f"TabularDataset({', '.join(parts)})"

    def _repr_html_(self) -> str:
        title = self.name or "TabularDataset"
        version = f"version {self.version}" if self.version else "not registered"
        try:
            frame = self.take(PROFILED_ROWS + 1).to_pandas_dataframe()
        except NbAutoMLError as error:
            return render_message(title, str(error))
        seen = frame.iloc[:PROFILED_ROWS]
        rows = f"first {len(seen):,} rows" if len(frame) > len(seen) else f"{len(seen):,} rows"
        if self._record and self._record.n_rows and len(frame) > len(seen):
            rows = f"{self._record.n_rows:,} rows, statistics of the {rows}"
        subtitle = f"{version} · {rows} · {frame.shape[1]} columns"
        return render_dataset(title, subtitle, seen.head(HEAD_ROWS), profile_columns(seen))

    def __getattr__(self, name: str) -> Callable[..., NoReturn]:
        if name not in NOT_BUILT:
            raise AttributeError(f"TabularDataset has no attribute {name!r}")

        def refuse(*_args: object, **_settings: object) -> NoReturn:
            raise NotAvailableError(f"TabularDataset.{name} is not built; {NOT_BUILT[name]}.")

        return refuse

    def _then(self, kind: str, **params: Any) -> TabularDataset:
        return TabularDataset(
            self._definition.then(kind, **params), frame=self._frame, session=self._session
        )

    def _context(self) -> ReadContext:
        return find_context(self._session)

    def _freeze(self, label: str) -> Content:
        """Return the content to keep: the files' own bytes where nothing was done to them."""
        definition = self._definition
        if self._frame is not None or definition.steps or definition.include_path:
            return freeze_frame(self.to_pandas_dataframe(), label)
        files = locate_files(definition, self._context())
        frame = convert_columns(read_files(definition, files), definition.column_types)
        return freeze_files(definition, files, len(frame), frame.shape[1])


def from_frame(frame: pd.DataFrame) -> TabularDataset:
    """Return a dataset that holds a copy of a frame in memory."""
    return TabularDataset(Definition(reader=MEMORY), frame=accept_frame(frame).copy())


def from_record(session: Session, record: DatasetRecord) -> TabularDataset:
    """Return the dataset of a stored version."""
    definition = Definition.from_dict(record.definition)
    return TabularDataset(definition, session=session, record=record)


def as_dataset(value: object, label: str = "The data") -> TabularDataset:
    """Return what was given as a dataset: a DataFrame may stand wherever a dataset may.

    Raises
    ------
    DatasetError
        When it is neither.
    """
    if isinstance(value, TabularDataset):
        return value
    if isinstance(value, pd.DataFrame):
        return TabularDataset(Definition(reader=MEMORY), frame=accept_frame(value, label))
    hint = " Read it first with Dataset.Tabular.from_…" if isinstance(value, str) else ""
    raise DatasetError(
        f"{label} must be a TabularDataset or a pandas DataFrame; got {type(value).__name__}.{hint}"
    )


def _as_text(values: Mapping[str, Any]) -> dict[str, str]:
    return {str(k): str(v) for k, v in values.items()}


def _accept_count(call: str, count: int) -> int:
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise ConfigError(f"{call}: count must be a whole number of at least 0; got {count!r}.")
    return count


def _accept_share(name: str, value: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise ConfigError(f"{name} must be a number from 0 to 1; got {value!r}.")
    return float(value)


def _accept_seed(seed: int | None) -> int:
    if seed is None:
        return secrets.randbelow(MAX_SEED)
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ConfigError(f"seed must be a whole number of at least 0; got {seed!r}.")
    return seed


def _accept_names(call: str, columns: str | Sequence[str]) -> list[str]:
    names = [columns] if isinstance(columns, str) else [str(name) for name in columns]
    if not names and call == "keep_columns":
        raise ConfigError("keep_columns: name at least one column to keep.")
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ConfigError(f"{call}: column {repeated[0]!r} is named more than once.")
    return names


def _describe_step(kind: str, params: Mapping[str, Any]) -> str:
    return f"{kind} {', '.join(str(v) for v in params.values())}"
