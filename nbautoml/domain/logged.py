"""What a run logged, as a fold over its events: values by name, tables, pictures, files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any  # Any: JSON values

from nbautoml.domain.events import EventRecord, FilesStored, Form, ValuesLogged

Cell = float | str | None
"""A logged value; None is a number that is missing."""

LOGGED_KINDS = (ValuesLogged.kind, FilesStored.kind)
"""The events that `fold_logged` reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedSeries:
    """The values of one name, oldest first; `steps` has None where no step was given."""

    name: str
    values: tuple[Cell, ...]
    steps: tuple[int | None, ...]

    @property
    def has_text(self) -> bool:
        """Whether any of its values is a text."""
        return any(isinstance(value, str) for value in self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedTable:
    """A table: column to its cells, from the first row on."""

    name: str
    columns: Mapping[str, tuple[Cell, ...]]

    @property
    def n_rows(self) -> int:
        """How many rows its longest column has."""
        return max((len(cells) for cells in self.columns.values()), default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedFile:
    """A picture (`chart` is empty), or the numbers of a chart of that name, in a stored file."""

    name: str
    file: str
    chart: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """All that a run logged, in the order in which names first came; `seq` is the last event."""

    seq: int = 0
    series: tuple[LoggedSeries, ...] = ()
    tables: tuple[LoggedTable, ...] = ()
    files: tuple[LoggedFile, ...] = ()


def fold_logged(records: Iterable[EventRecord]) -> Logged:
    """Return what events of one run logged.

    A name may be logged again: values and rows are added to those that are there, a table or a
    list lengthens the earlier one, a picture takes the place of the earlier one of the same file.

    Parameters
    ----------
    records : iterable of EventRecord
        In order; kinds that log nothing are passed over.

    Examples
    --------
    >>> events = [ValuesLogged(name="loss", form=Form.VALUE, value=v) for v in (0.5, 0.25)]
    >>> records = [EventRecord(run_id="r", seq=i, time=0.0, event=e) for i, e in enumerate(events)]
    >>> fold_logged(records).series[0].values
    (0.5, 0.25)
    """
    values: dict[str, tuple[list[Cell], list[int | None]]] = {}
    tables: dict[str, dict[str, list[Cell]]] = {}
    files: dict[str, LoggedFile] = {}
    seq = 0
    for record in records:
        seq = record.seq
        event = record.event
        if not isinstance(event, ValuesLogged):
            continue
        if event.form in (Form.VALUE, Form.LIST):
            _add_values(values.setdefault(event.name, ([], [])), event)
        elif event.form in (Form.ROW, Form.TABLE):
            _add_rows(tables.setdefault(event.name, {}), event)
        else:
            file = str(event.value)
            files[file] = LoggedFile(name=event.name, file=file, chart=event.chart)
    return Logged(
        seq=seq,
        series=tuple(
            LoggedSeries(name=name, values=tuple(found), steps=tuple(steps))
            for name, (found, steps) in values.items()
        ),
        tables=tuple(
            LoggedTable(name=name, columns={k: tuple(v) for k, v in columns.items()})
            for name, columns in tables.items()
        ),
        files=tuple(files.values()),
    )


def _add_values(known: tuple[list[Cell], list[int | None]], event: ValuesLogged) -> None:
    values, steps = known
    new: list[Any] = event.value if event.form is Form.LIST else [event.value]
    values += new
    steps += [event.step] * len(new)


def _add_rows(columns: dict[str, list[Cell]], event: ValuesLogged) -> None:
    """Add a row, or the rows of a table; a column that comes later begins at its own row."""
    n_rows = max((len(cells) for cells in columns.values()), default=0)
    for name, cells in event.value.items():
        column = columns.setdefault(name, [])
        column += [None] * (n_rows - len(column))
        column += cells if event.form is Form.TABLE else [cells]
