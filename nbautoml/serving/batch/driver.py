"""Drives a batch job: hands partitions to workers until all are written."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any  # Any: whatever a caller gives as data or compute target

import pandas as pd

from nbautoml.compute import executor_of
from nbautoml.domain.ports import Executor, TaskReport, TrialTask
from nbautoml.domain.status import TrialOutcome
from nbautoml.errors import ComputeError, ConfigError, DatasetError, ModelError, NotFoundError
from nbautoml.registry.files import is_from_run, only_pickle
from nbautoml.registry.model import Model
from nbautoml.serving.batch.inputs import Rows, rows_of
from nbautoml.serving.batch.job import Job
from nbautoml.serving.batch.joining import finish
from nbautoml.serving.batch.pieces import Piece
from nbautoml.serving.batch.work import CSV, Done, ModelPlace, Order

ENTRY = "nbautoml.serving.batch.work:score_piece"
POLL_SECONDS = 0.5
SAY_SECONDS = 1.0
MOST_ATTEMPTS = 3
"""Tries of a partition whose process died, and of a cluster that was lost."""
_DIED = (TrialOutcome.CRASHED, TrialOutcome.WORKER_LOST)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchScore:
    """A finished batch job.

    Parameters
    ----------
    path : str
        The file, or the folder of Parquet files.
    model : str
        ``name:version``.
    n_rows, n_partitions : int
        How many were predicted.
    n_resumed : int
        Partitions that an earlier, stopped job had left finished.
    seconds : float
        How long it took, without that earlier job.
    """

    path: str
    model: str
    n_rows: int
    n_partitions: int
    n_resumed: int
    seconds: float

    def to_pandas_dataframe(self) -> pd.DataFrame:
        """Read all of it, in the order of the rows."""
        if Path(self.path).suffix.lower() == CSV:
            return pd.read_csv(self.path)
        return pd.read_parquet(self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What is to be written, and where partitions are predicted."""

    target: str | None
    wants_proba: bool
    columns: tuple[str, ...] | None
    max_concurrent: int | None


def score(
    model: Model,
    data: Any,
    output: str | Path,
    *,
    compute_target: Any,
    probabilities: bool,
    columns: Sequence[str] | None,
    partition_rows: int,
    max_concurrent: int | None,
    overwrite: bool,
    trust: bool,
    show_output: bool,
) -> BatchScore:
    """Predict a dataset; see `nbautoml.registry.model.Model.score`."""
    if (
        isinstance(partition_rows, bool)
        or not isinstance(partition_rows, int)
        or partition_rows < 1
    ):
        raise ConfigError(
            f"partition_rows of Model.score must be a whole number above 0; got {partition_rows!r}."
        )
    settings = Settings(
        target=getattr(compute_target, "name", compute_target),
        wants_proba=bool(probabilities),
        columns=None if columns is None else tuple(map(str, columns)),
        max_concurrent=max_concurrent,
    )
    began = time.monotonic()
    pickle_name = _check_trust(model, trust=trust)
    rows = rows_of(data, model.session, partition_rows)
    job = Job(Path(output).expanduser().absolute())
    job.take(_identity(model, rows, settings, partition_rows), overwrite=overwrite)
    try:
        say = _Progress(sys.stdout.write if show_output else None)
        return _run(model, rows, job, settings, pickle_name, say=say, began=began)
    finally:
        job.leave()


def _run(
    model: Model,
    rows: Rows,
    job: Job,
    settings: Settings,
    pickle_name: str,
    *,
    say: _Progress,
    began: float,
) -> BatchScore:
    job.sweep()
    place = _place_of(model, job, pickle_name)
    pieces = rows.cut(job.folder)
    before = job.finished()
    orders = [
        _order(piece, rows, place, job, settings) for piece in pieces if piece.number not in before
    ]
    n_rows = sum(before.values())
    say.begin(n_done=len(before), n_parts=len(pieces), n_rows=n_rows)
    if orders:
        n_rows += _Workers(model, settings, say).run(orders)
    record = {"model": model.id, "rows": n_rows, "partitions": len(pieces)}
    finish(job, len(pieces), record)
    say.end(str(job.output))
    return BatchScore(
        path=str(job.output),
        model=model.id,
        n_rows=n_rows,
        n_partitions=len(pieces),
        n_resumed=len(before),
        seconds=time.monotonic() - began,
    )


class _Workers:
    """Predicts partitions on a compute target; starts it again when it was lost."""

    def __init__(self, model: Model, settings: Settings, say: _Progress) -> None:
        self._model = model
        self._settings = settings
        self._say = say
        self._attempts: dict[int, int] = {}

    def run(self, orders: Sequence[Order]) -> int:
        """Predict all; return the number of rows.

        Raises
        ------
        DatasetError
            When rows cannot be predicted.
        ComputeError
            When workers die again and again.
        """
        left = {order.piece.number: order for order in orders}
        n_rows = 0
        for attempt in range(1, MOST_ATTEMPTS + 1):
            settings = self._settings
            session = self._model.session
            executor = executor_of(session, settings.target, settings.max_concurrent)
            try:
                for done in self._drain(executor, left):
                    n_rows += done.n_rows
                    self._say.step(done.n_rows)
                return n_rows
            except ComputeError:
                if attempt == MOST_ATTEMPTS:
                    raise
            finally:
                executor.close()
        return n_rows

    def _drain(self, executor: Executor, left: dict[int, Order]) -> Iterator[Done]:
        """Yield partitions as they are done, and take them off what is left."""
        for number in left:
            self._submit(executor, left[number])
        while left:
            for found in executor.poll(POLL_SECONDS):
                if not isinstance(found, TaskReport):
                    continue
                number = int(found.key.partition("/")[0])
                done = self._settle(executor, found, left[number])
                if done is not None:
                    del left[number]
                    yield done

    def _submit(self, executor: Executor, order: Order) -> None:
        number = order.piece.number
        self._attempts[number] = self._attempts.get(number, 0) + 1
        key = f"{number}/{self._attempts[number]}"
        executor.submit(TrialTask(key=key, entry=ENTRY, payload=order, priority=number))

    def _settle(self, executor: Executor, report: TaskReport, order: Order) -> Done | None:
        """Return a partition that is done; None for one that is tried again."""
        if report.outcome is TrialOutcome.COMPLETED:
            done: Done = report.value
            if done.problem:
                raise DatasetError(f"{self._model.id} cannot predict {done.problem}")
            return done
        number = order.piece.number
        if report.outcome in _DIED and self._attempts[number] < MOST_ATTEMPTS:
            self._submit(executor, order)
            return None
        where = order.piece.place_of(None)
        if report.outcome is TrialOutcome.MEMORY_LIMIT:
            raise DatasetError(
                f"{where} needs more memory than a worker may take. Give a smaller partition_rows."
            )
        raise ModelError(f"{self._model.id} failed at {where}: {report.error}\n{report.traceback}")


class _Progress:
    """Says how far a job is, once a second at most."""

    def __init__(self, write: Callable[[str], object] | None) -> None:
        self._write = write
        self._said_at = 0.0
        self._n_done = self._n_parts = self._n_rows = 0

    def begin(self, *, n_done: int, n_parts: int, n_rows: int) -> None:
        """Say how much there is."""
        self._n_done, self._n_parts, self._n_rows = n_done, n_parts, n_rows
        done = f", {n_done} of them are there already" if n_done else ""
        self._say(f"{n_parts} partitions{done}")

    def step(self, n_rows: int) -> None:
        """Take in a partition that is done."""
        self._n_done += 1
        self._n_rows += n_rows
        now = time.monotonic()
        if now - self._said_at >= SAY_SECONDS or self._n_done == self._n_parts:
            self._said_at = now
            self._say(f"{self._n_done} of {self._n_parts} partitions, {self._n_rows:,} rows")

    def end(self, path: str) -> None:
        """Say where the result is."""
        self._say(f"written to {path}")

    def _say(self, text: str) -> None:
        if self._write is not None:
            self._write(f"{text}\n")


def _check_trust(model: Model, *, trust: bool) -> str:
    """Return the name of the pickle that is going to be loaded by workers."""
    session = model.session
    with session.read() as tx:
        owner = tx.models.get(model.name, model.version).owner_id
        artifacts = tx.artifacts.list(owner)
    if not artifacts:
        raise NotFoundError(f"{model.id} has no files here: it was deleted. Register it again.")
    chosen = only_pickle(artifacts, of=model.id)
    if not trust and not is_from_run(session, model.run_id, chosen):
        raise ModelError(
            f"{model.id} was registered from a file, and {chosen.name} is a pickle: loading it "
            "can run any code. If you know where it comes from: score(..., trust=True)."
        )
    return chosen.name


def _place_of(model: Model, job: Job, pickle_name: str) -> ModelPlace:
    """Copy the model's files where workers find them; they are checked on the way."""
    model.download(job.model_folder, exist_ok=True)
    session = model.session
    with session.read() as tx:
        hashes = {a.name: a.sha256 for a in tx.artifacts.list(f"model:{model.id}")}
    beside = PurePosixPath(pickle_name)

    def path_of(name: str) -> str:
        other = str(beside.with_name(name))
        return str(job.model_folder / other) if other in hashes else ""

    return ModelPlace(
        pickle=str(job.model_folder / pickle_name),
        sha256=hashes[pickle_name],
        name=model.id,
        manifest=path_of("manifest.json"),
        schema=path_of("schema.json"),
    )


def _order(piece: Piece, rows: Rows, place: ModelPlace, job: Job, settings: Settings) -> Order:
    return Order(
        piece=piece,
        definition=rows.definition,
        model=place,
        target=str(job.target(piece.number)),
        suffix=job.suffix,
        columns=settings.columns,
        wants_proba=settings.wants_proba,
        has_header=piece.number == 0,
    )


def _identity(model: Model, rows: Rows, settings: Settings, partition_rows: int) -> str:
    told = [
        *(model.id, model.created_time.isoformat(), rows.identity, partition_rows),
        *(settings.wants_proba, settings.columns),
    ]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()
