"""States of a run and of a trial, and which may follow which."""

from __future__ import annotations

from enum import StrEnum

FINISHED = "Finished"
"""What a pipeline's run, or a step's, calls itself when it has completed: the SDK's word."""


class RunStatus(StrEnum):
    """State of a run, in the SDK's spelling (``run.get_status()`` returns the value).

    Examples
    --------
    >>> RunStatus("Finished")  # the SDK's word for a pipeline's run that has completed
    <RunStatus.COMPLETED: 'Completed'>
    """

    NOT_STARTED = "NotStarted"
    STARTING = "Starting"
    PREPARING = "Preparing"
    RUNNING = "Running"
    PAUSED = "Paused"
    FINALIZING = "Finalizing"
    CANCEL_REQUESTED = "CancelRequested"
    NOT_RESPONDING = "NotResponding"
    COMPLETED = "Completed"
    FAILED = "Failed"
    CANCELED = "Canceled"

    @classmethod
    def _missing_(cls, value: object) -> RunStatus | None:
        return cls.COMPLETED if value == FINISHED else None

    @property
    def is_terminal(self) -> bool:
        """Whether the run has ended; only its continuation can follow."""
        return self in TERMINAL

    def may_become(self, other: RunStatus) -> bool:
        """Whether `other` is a legal next state."""
        return other in _NEXT[self]


TERMINAL = frozenset({RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELED})

_S = RunStatus
_LIVE = frozenset(_S) - TERMINAL
# A live run may move to any other live state but not back to NotStarted (a resumed run starts
# again at Starting); every live state may end in every way. A run that has ended stays as it is,
# but for one that somebody continues: it waits for a controller once more.
_NEXT: dict[RunStatus, frozenset[RunStatus]] = {
    state: (frozenset(_S) - {_S.NOT_STARTED}) if state in _LIVE else frozenset({_S.NOT_STARTED})
    for state in _S
}


class TrialOutcome(StrEnum):
    """How one trial ended. Only ``WORKER_LOST`` is worth another attempt."""

    COMPLETED = "Completed"
    FAILED = "Failed"
    TIME_LIMIT = "TimeLimit"
    MEMORY_LIMIT = "MemoryLimit"
    CRASHED = "Crashed"
    CANCELED = "Canceled"
    WORKER_LOST = "WorkerLost"


class ModelStage(StrEnum):
    """How far a version of a model has come; one version of a name at most is in production."""

    NONE = "None"
    STAGING = "Staging"
    PRODUCTION = "Production"
    ARCHIVED = "Archived"


class PublishedStatus(StrEnum):
    """Whether a published pipeline, an endpoint or a schedule can be used, as the SDK spells it."""

    ACTIVE = "Active"
    DISABLED = "Disabled"
    ARCHIVED = "Archived"


class RequestKind(StrEnum):
    """What anyone may ask of a running run; its controller obeys."""

    CANCEL = "cancel"
    FINISH_NOW = "finish_now"
    ADD_MINUTES = "add_minutes"
    PAUSE = "pause"
    RESUME = "resume"
