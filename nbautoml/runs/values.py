"""What a run can be told: values, tables, pictures and charts, in the SDK's words."""

from __future__ import annotations

import io
import json
import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any  # Any: values of a script, such as numpy's numbers and pyplot

from nbautoml.domain.events import FilesStored, Form, ValuesLogged, json_safe
from nbautoml.domain.records import MetricPoint
from nbautoml.errors import ConfigError, NotFoundError
from nbautoml.store.session import Session

MOST_CELLS = 50_000
"""Values in one list or table; what is larger is kept as a file."""

CHARTS = ("accuracy_table", "confusion_matrix", "predictions", "residuals")
"""Charts whose numbers can be logged, by the ``schema_type`` of the SDK."""

PICTURES = {
    ".gif": "image/gif",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
}
"""Ending of a picture's file to its media type."""


class LogsValues:
    """The ``log`` methods of a run; each is one entry of the run's log, durable when it returns.

    Any process may call them; what several log under one name is kept in the order of arrival.
    """

    session: Session
    id: str

    def log(self, name: str, value: Any, description: str = "", step: int | None = None) -> None:
        """Log a number or a text; the same name again makes a list.

        Parameters
        ----------
        name : str
            What it is called.
        value : float or str
            Numbers of numpy are taken, too.
        description : str
            The SDK's argument; it is not shown.
        step : int, optional
            The place on the x axis of the metric's chart; its number in the list by default.

        Raises
        ------
        ConfigError
            When the value is something else.
        """
        cell = cell_of(value, f"run.log({name!r}, …)")
        self._log(name, Form.VALUE, cell, None if step is None else int(step))

    def log_list(self, name: str, value: Sequence[Any], description: str = "") -> None:
        """Log a list of numbers or texts; the same name again makes it longer."""
        where = f"run.log_list({name!r}, …)"
        cells = [cell_of(v, where) for v in listed(value, where)]
        self._log(name, Form.LIST, cells)

    def log_row(self, name: str, description: str | None = None, **columns: Any) -> None:
        """Log a row of a table: ``run.log_row("scores", fold=1, accuracy=0.9)``."""
        where = f"run.log_row({name!r}, …)"
        if not columns:
            raise ConfigError(f"{where} needs columns, such as fold=1, accuracy=0.9.")
        self._log(name, Form.ROW, {k: cell_of(v, where) for k, v in columns.items()})

    def log_table(self, name: str, value: Mapping[str, Any], description: str = "") -> None:
        """Log a table: a mapping of column to its values; the same name again adds rows."""
        where = f"run.log_table({name!r}, …)"
        self._log(name, Form.TABLE, table_of(value, where))

    def log_image(
        self,
        name: str,
        path: str | Path | None = None,
        plot: Any = None,
        description: str = "",
    ) -> None:
        """Log a picture.

        Parameters
        ----------
        name : str
            What it is called; the same name again adds another picture.
        path : str or pathlib.Path, optional
            A file: PNG, JPEG, GIF, WebP or SVG.
        plot : object, optional
            In place of a file: ``matplotlib.pyplot``, whose figure is drawn, or a figure.
        description : str
            The SDK's argument; it is not shown.

        Raises
        ------
        ConfigError
            When neither or both are given, or it is no picture.
        NotFoundError
            When there is no such file.
        """
        content, ending = picture_of(name, path, plot)
        file = self._free_name(f"{name}{ending}")
        self.session.save_artifact(self.id, file, content)
        self._log(name, Form.IMAGE, file)

    def log_confusion_matrix(self, name: str, value: Any, description: str = "") -> None:
        """Log a confusion matrix in the SDK's JSON (``schema_type``, ``data``)."""
        self._log_chart(name, "confusion_matrix", value)

    def log_accuracy_table(self, name: str, value: Any, description: str = "") -> None:
        """Log counts at thresholds in the SDK's JSON: ROC, precision and recall, lift."""
        self._log_chart(name, "accuracy_table", value)

    def log_residuals(self, name: str, value: Any, description: str = "") -> None:
        """Log a histogram of residuals in the SDK's JSON."""
        self._log_chart(name, "residuals", value)

    def log_predictions(self, name: str, value: Any, description: str = "") -> None:
        """Log predicted against true values in the SDK's JSON."""
        self._log_chart(name, "predictions", value)

    def _log_chart(self, name: str, chart: str, value: Any) -> None:
        payload = chart_of(name, chart, value)
        file = self._free_name(name)
        self.session.save_artifact(self.id, file, json.dumps(json_safe(payload)).encode())
        self._log(name, Form.CHART, file, chart=chart)

    def _free_name(self, name: str) -> str:
        """Return a file name that the run does not use yet."""
        with self.session.read() as tx:
            taken = {record.name for record in tx.artifacts.list(self.id)}
        path = PurePosixPath(name)
        tries = (path.with_stem(f"{path.stem}_{i}").as_posix() for i in range(1, len(taken) + 2))
        return name if name not in taken else next(found for found in tries if found not in taken)

    def _log(
        self, name: str, form: Form, value: Any, step: int | None = None, *, chart: str = ""
    ) -> None:
        """Append to the log; numbers go to the metrics too, in the same transaction."""
        if not isinstance(name, str) or not name.strip():
            raise ConfigError(f"What is logged needs a name; got {name!r}.")
        numbers = _numbers(form, value)
        event = ValuesLogged(name=name, form=form, value=value, step=step, chart=chart)
        now = time.time()
        with self.session.write() as tx:
            if numbers:
                first = tx.metrics.next_step(self.id, name)
                points = [
                    MetricPoint(name=name, value=v, step=first + i, time=now)
                    for i, v in enumerate(numbers)
                ]
                tx.metrics.log(self.id, points)
            stored = [FilesStored(names=(value,))] if form in (Form.IMAGE, Form.CHART) else []
            tx.events.append(self.id, [event, *stored], now)


def _numbers(form: Form, value: Any) -> list[float | None]:
    """Return what belongs to the metrics: numbers, and lists of nothing else."""
    cells = [value] if form is Form.VALUE else value if form is Form.LIST else []
    return [] if any(isinstance(cell, str) for cell in cells) else list(cells)


def cell_of(value: Any, where: str) -> float | str | None:
    """Return a value as it is logged: a number (NaN and None are missing) or a text.

    Raises
    ------
    ConfigError
        When it is neither.

    Examples
    --------
    >>> cell_of(True, "run.log"), cell_of("a", "run.log"), cell_of(float("nan"), "run.log")
    (1.0, 'a', None)
    """
    if value is None or isinstance(value, str):
        return value
    item = getattr(value, "item", None)
    try:
        number = float(item() if callable(item) else value)
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"{where} takes a number or a text; got {type(value).__name__}. Lists go to log_list, "
            "tables to log_table, everything else into a file: run.upload_file."
        ) from error
    return number if math.isfinite(number) else None


def listed(value: Any, where: str) -> list[Any]:
    """Return a sequence as a list of at most `MOST_CELLS`.

    Raises
    ------
    ConfigError
        When it is no sequence, or too long.
    """
    if isinstance(value, str | bytes | Mapping) or not hasattr(value, "__iter__"):
        raise ConfigError(f"{where} takes a list; got {type(value).__name__}.")
    cells = list(value)
    if len(cells) > MOST_CELLS:
        raise ConfigError(
            f"{where} takes {MOST_CELLS:,} values at most; got {len(cells):,}. Write them to a "
            "file below outputs/, or store one: run.upload_file."
        )
    return cells


def table_of(value: Any, where: str) -> dict[str, list[float | str | None]]:
    """Return a table as column to cells, the shorter columns filled up.

    A single value stands for a column of one row; a DataFrame is taken, too.

    Raises
    ------
    ConfigError
        When it is no table, or too large.
    """
    to_dict = getattr(value, "to_dict", None)
    found = to_dict("list") if callable(to_dict) else value
    if not isinstance(found, Mapping) or not found:
        raise ConfigError(
            f"{where} takes a mapping of column to values; got {type(value).__name__}."
        )
    columns = {
        str(k): [v] if isinstance(v, str) or not hasattr(v, "__iter__") else listed(v, where)
        for k, v in found.items()
    }
    if sum(map(len, columns.values())) > MOST_CELLS:
        raise ConfigError(
            f"{where} takes {MOST_CELLS:,} values at most. Write the table to a file below "
            "outputs/, or store one: run.upload_file."
        )
    n_rows = max(map(len, columns.values()))
    return {
        k: [cell_of(v, where) for v in cells] + [None] * (n_rows - len(cells))
        for k, cells in columns.items()
    }


def picture_of(name: str, path: str | Path | None, plot: Any) -> tuple[bytes, str]:
    """Return the content of a picture and the ending of its file.

    Raises
    ------
    ConfigError
        When neither or both of `path` and `plot` are given, or it is no picture.
    NotFoundError
        When there is no such file.
    """
    where = f"run.log_image({name!r}, …)"
    if (path is None) == (plot is None):
        raise ConfigError(f"{where} takes path= or plot=, one of them.")
    if path is None:
        save = getattr(plot, "savefig", None)
        if not callable(save):
            raise ConfigError(
                f"plot of {where} must be matplotlib.pyplot or a figure; got {type(plot).__name__}."
            )
        drawn = io.BytesIO()
        save(drawn, format="png", bbox_inches="tight")
        return drawn.getvalue(), ".png"
    file = Path(path)
    if not file.is_file():
        raise NotFoundError(f"path of {where}: there is no file {file} (in {Path.cwd()}).")
    ending = file.suffix.lower()
    if ending not in PICTURES:
        raise ConfigError(
            f"path of {where} must end in one of {sorted(PICTURES)}; got {file.name!r}."
        )
    return file.read_bytes(), ending


def chart_of(name: str, chart: str, value: Any) -> dict[str, Any]:
    """Return the JSON of a chart, checked for its two parts.

    Raises
    ------
    ConfigError
        When it is not JSON, or of another kind.
    """
    where = f"run.log_{chart}({name!r}, …)"
    try:
        payload = json.loads(value) if isinstance(value, str) else value
    except ValueError as error:
        raise ConfigError(f"{where} takes JSON; {error}.") from error
    if not isinstance(payload, Mapping) or not isinstance(payload.get("data"), Mapping):
        raise ConfigError(
            f"{where} takes a mapping with 'schema_type', 'schema_version' and 'data'."
        )
    if payload.get("schema_type", chart) != chart:
        raise ConfigError(
            f"{where} takes the schema_type {chart!r}; got {payload['schema_type']!r}."
        )
    return {"schema_type": chart, "schema_version": "1.0.0", **payload}
