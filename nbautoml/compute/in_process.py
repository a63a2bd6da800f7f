"""An executor without workers, for runs that have no time to start any."""

from __future__ import annotations

from collections.abc import Sequence

from nbautoml.domain.ports import TaskMessage, TaskReport, TrialTask, WorkerState
from nbautoml.errors import ComputeError


class IdleExecutor:
    """Takes no tasks (a `nbautoml.domain.ports.Executor`); it loads nothing and starts nothing.

    Examples
    --------
    >>> IdleExecutor().poll(0.0)
    ()
    """

    n_slots = 1
    threads_per_slot = 1

    def submit(self, task: TrialTask) -> None:
        """Refuse a task.

        Raises
        ------
        ComputeError
            Always.
        """
        raise ComputeError(f"There are no workers for task {task.key!r}: none were started.")

    def poll(self, timeout_seconds: float) -> Sequence[TaskMessage | TaskReport]:
        """Return nothing, at once."""
        del timeout_seconds
        return ()

    def cancel(self, key: str) -> None:
        """Do nothing: there are no tasks."""

    def workers(self) -> WorkerState:
        """Return that there are none."""
        return WorkerState(n_workers=0, n_busy=0, memory_bytes=0)

    def close(self) -> None:
        """Do nothing: there is nothing to give back."""
