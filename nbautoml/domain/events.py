"""The events of a run: small, frozen, JSON-safe facts that are numbered per run and never changed.

Status, leaderboard, progress and charts are folds of these (`nbautoml.domain.snapshot`).
Arrays, models and long texts go to artifacts. A reader skips kinds that it does not know.
Times are seconds since the epoch (UTC); missing numbers are ``None``, never NaN.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any, ClassVar  # Any: JSON values

from nbautoml.domain.status import RunStatus, TrialOutcome


class Phase(StrEnum):
    """What a run is doing, in the words of the SDK's console output."""

    SETUP = "Setup"
    DATASET_EVALUATION = "DatasetEvaluation"
    FEATURES_GENERATION = "FeaturesGeneration"
    CROSS_VALIDATION_SPLIT = "DatasetCrossValidationSplit"
    MODEL_SELECTION = "ModelSelection"
    ENSEMBLE = "EnsembleSelection"
    FINALIZING = "Finalizing"


class GuardrailState(StrEnum):
    """Result of one guardrail: nothing found, found and mended, or found and left."""

    PASSED = "Passed"
    DONE = "Done"
    ALERTED = "Alerted"


class Form(StrEnum):
    """What a logged value is; see `ValuesLogged`."""

    VALUE = "value"
    LIST = "list"
    ROW = "row"
    TABLE = "table"
    IMAGE = "image"
    CHART = "chart"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Base of all events; `kind` is the name under which the log stores them."""

    kind: ClassVar[str] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfigured(Event):
    """The plan as resolved: what is optimised, on what, until when.

    ``deadline`` is None while the run waits to start its clock; ``max_iterations`` and
    ``exit_score`` are None when they do not bound the run.
    """

    kind: ClassVar[str] = "run_configured"
    task: str
    primary_metric: str
    label: str
    dataset: str
    experiment: str
    compute: str
    n_workers: int
    max_iterations: int | None = None
    timeout_seconds: float | None = None
    deadline: float | None = None
    exit_score: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChanged(Event):
    """The run moved to another state; `reason` is one sentence for people."""

    kind: ClassVar[str] = "status_changed"
    status: RunStatus
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseChanged(Event):
    """The run began another part of its work."""

    kind: ClassVar[str] = "phase_changed"
    phase: Phase
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataDescribed(Event):
    """Size of the training data and how it is split; `validation` is a sentence."""

    kind: ClassVar[str] = "data_described"
    n_rows: int
    n_columns: int
    n_folds: int
    validation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardrailReported(Event):
    """One guardrail and what it found; each detail is a row of its table."""

    kind: ClassVar[str] = "guardrail_reported"
    name: str
    state: GuardrailState
    description: str
    details: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialStarted(Event):
    """Trial `number` (0-based; the child run's suffix) was handed to the workers."""

    kind: ClassVar[str] = "trial_started"
    number: int
    pipeline: str
    family: str
    params: Mapping[str, Any]
    n_folds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldFinished(Event):
    """One fold of a trial has its score on the primary metric."""

    kind: ClassVar[str] = "fold_finished"
    number: int
    fold: int
    score: float | None
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialFinished(Event):
    """A trial ended; it repeats the identity, so that the log alone rebuilds the leaderboard.

    ``key`` names configuration, data and seed: a trial with a finished key is never run
    again. ``score`` and ``score_std`` are mean and standard deviation over the folds of the
    primary metric; ``seconds`` is the time from start to end. ``cut_folds`` tells of fits that
    time ended: how many rounds or trees the fit of a fold has (0 where that is not known).
    ``is_best`` says whether an ensemble was found better than the trials before it; where it is
    None the score decides.
    """

    kind: ClassVar[str] = "trial_finished"
    number: int
    key: str
    outcome: TrialOutcome
    pipeline: str
    family: str
    params: Mapping[str, Any]
    n_folds: int
    folds_done: int
    seconds: float
    score: float | None = None
    score_std: float | None = None
    metrics: Mapping[str, float | None] = field(default_factory=dict)
    error: str = ""
    is_ensemble: bool = False
    cut_folds: Mapping[str, int] = field(default_factory=dict)
    is_best: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineChanged(Event):
    """Someone gave the run more time, or its machine's clock was set; `deadline` is the new end.

    ``is_clock_set`` says that the time left is the same as before.
    """

    kind: ClassVar[str] = "deadline_changed"
    deadline: float
    is_clock_set: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkersChanged(Event):
    """How many workers there are, how many are busy, and the memory they hold."""

    kind: ClassVar[str] = "workers_changed"
    n_workers: int
    n_busy: int
    memory_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LogWritten(Event):
    """A line for the run's log view; `level` is a ``logging`` level name.

    ``number`` is the trial that it is about and ``worker`` where that happened, if any.
    """

    kind: ClassVar[str] = "log_written"
    level: str
    message: str
    number: int | None = None
    worker: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDescribed(Event):
    """What a run that is no AutoML run does, on what, until when.

    ``what`` is ``"script"``, ``"interactive"``, ``"pipeline"`` or ``"step"``; ``text`` is the
    command line of a script, or what a pipeline is said to be for. Without a time limit
    ``timeout_seconds`` and ``deadline`` are None.
    """

    kind: ClassVar[str] = "run_described"
    what: str
    experiment: str
    text: str = ""
    compute: str = "local"
    timeout_seconds: float | None = None
    deadline: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ValuesLogged(Event):
    """Something was logged under a name.

    ``value`` is a number or a text (`Form.VALUE`, with its ``step`` where one was given), a list of
    them, a mapping of column to one of them (`Form.ROW`) or to a list of them (`Form.TABLE`), or
    the name of a stored file (`Form.IMAGE`, and `Form.CHART`, whose ``chart`` says which).
    """

    kind: ClassVar[str] = "values_logged"
    name: str
    form: Form
    value: Any  # Any: JSON values
    step: int | None = None
    chart: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesStored(Event):
    """Files of the run were stored, or replaced."""

    kind: ClassVar[str] = "files_stored"
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputWritten(Event):
    """Whole lines that the run's script wrote, without the last line's end."""

    kind: ClassVar[str] = "output_written"
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineStep:
    """A step of a pipeline as its graph shows it.

    Parameters
    ----------
    number : int
        Its place in the pipeline, from 0.
    name : str
        Its name.
    step_kind : str
        What it does: the name of its class, such as ``"PythonScriptStep"``.
    after : tuple of int
        The steps that end before it begins: those whose outputs it reads, and those that it was
        told to wait for.
    inputs, outputs : tuple of str
        Names of the data that it reads and writes.
    """

    number: int
    name: str
    step_kind: str
    after: tuple[int, ...] = ()
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphDescribed(Event):
    """The steps of a pipeline's run, in the order in which they were given."""

    kind: ClassVar[str] = "graph_described"
    steps: tuple[PipelineStep, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepChanged(Event):
    """A step of a pipeline moved to another state.

    ``run_id`` is the step's own run, empty where there is none: a step that is not begun because
    one before it failed is `RunStatus.CANCELED`. ``reused_from`` is the step's run of an earlier
    pipeline whose outputs are taken; ``reason`` says why, or why not, and how it failed.
    """

    kind: ClassVar[str] = "step_changed"
    number: int
    name: str
    status: RunStatus
    run_id: str = ""
    reason: str = ""
    reused_from: str = ""


EVENT_TYPES: dict[str, type[Event]] = {
    cls.kind: cls
    for cls in (
        RunConfigured,
        StatusChanged,
        PhaseChanged,
        DataDescribed,
        GuardrailReported,
        TrialStarted,
        FoldFinished,
        TrialFinished,
        DeadlineChanged,
        WorkersChanged,
        LogWritten,
        RunDescribed,
        ValuesLogged,
        FilesStored,
        OutputWritten,
        GraphDescribed,
        StepChanged,
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRecord:
    """An event in its place in the log: `seq` counts from 1 in each run, without gaps."""

    run_id: str
    seq: int
    time: float
    event: Event


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownEvent(Event):
    """An event written by newer code; kept, so that numbers stay without gaps."""

    kind: ClassVar[str] = "unknown"
    name: str


def ends_something(event: Event) -> bool:
    """Whether the event must be durable before anything else happens."""
    if isinstance(event, StatusChanged):
        return event.status.is_terminal
    return isinstance(event, TrialFinished)


def to_payload(event: Event) -> dict[str, Any]:
    """Return the event's fields as JSON-safe values (NaN and infinities become None)."""
    payload: dict[str, Any] = json_safe(asdict(event))
    return payload


def from_payload(kind: str, payload: Mapping[str, Any]) -> Event:
    """Rebuild an event; unknown kinds become `UnknownEvent`, unknown fields are dropped."""
    cls = EVENT_TYPES.get(kind)
    if cls is None:
        return UnknownEvent(name=kind)
    known = {f.name for f in fields(cls)}
    values = {k: v for k, v in payload.items() if k in known}
    for name, enum in _ENUM_FIELDS.items():
        if name in values:
            values[name] = enum(values[name])
    for name in ("details", "names"):
        if name in values:
            values[name] = tuple(values[name])
    if "steps" in values:
        values["steps"] = tuple(_step(step) for step in values["steps"])
    return cls(**values)


def _step(payload: Mapping[str, Any]) -> PipelineStep:
    known = {f.name for f in fields(PipelineStep)}
    values: dict[str, Any] = {}
    values |= {k: tuple(v) if isinstance(v, list) else v for k, v in payload.items() if k in known}
    return PipelineStep(**values)


_ENUM_FIELDS: dict[str, type[StrEnum]] = {
    "status": RunStatus,
    "outcome": TrialOutcome,
    "phase": Phase,
    "state": GuardrailState,
    "form": Form,
}


def json_safe(value: Any) -> Any:
    """Return `value` with only JSON types in it; NaN and infinities become None.

    Examples
    --------
    >>> json_safe({"a": (1, float("nan"))})
    {'a': [1, None]}
    """
    if isinstance(value, StrEnum):
        return value.value
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(k): json_safe(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [json_safe(v) for v in value]
    item = getattr(value, "item", None)  # numpy scalars
    return json_safe(item()) if callable(item) else str(value)
