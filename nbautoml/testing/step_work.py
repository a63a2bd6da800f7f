"""A run's work for tests of controllers: numbered steps, each an event, none done twice."""

from __future__ import annotations

import time

from nbautoml.domain.events import LogWritten
from nbautoml.domain.status import RequestKind, RunStatus
from nbautoml.errors import DatasetError
from nbautoml.runs.controller import set_status
from nbautoml.runs.work import Ending, WorkContext

TYPE = "nbautoml.testing.step_work:StepWork"
"""Type of the runs that do this work."""


class StepWork:
    """Writes ``step 0``, ``step 1``, … to the log.

    The run's settings: ``steps`` (how many), ``seconds`` (pause after each), and ``fail``
    (``"user"`` or ``"bug"``: the error to end with).
    """

    def __init__(self, context: WorkContext) -> None:
        self._context = context

    def run(self) -> Ending:
        """Go on after the last step of the log, until all are done or a cancel comes."""
        settings = self._context.run.settings
        set_status(self._context, RunStatus.RUNNING)
        if settings.get("fail") == "user":
            raise DatasetError("data.csv is empty.")
        if settings.get("fail") == "bug":
            raise ZeroDivisionError("a bug")
        for step in range(self._steps_done(), int(settings["steps"])):
            if any(r.kind is RequestKind.CANCEL for r in self._context.control.poll()):
                return Ending(status=RunStatus.CANCELED, reason="Canceled on request.")
            self._context.emit(LogWritten(level="INFO", message=f"step {step}"))
            time.sleep(float(settings.get("seconds", 0.0)))
        return Ending(status=RunStatus.COMPLETED)

    def _steps_done(self) -> int:
        with self._context.session.read() as tx:
            records = tx.events.read(self._context.run.id)
        return sum(isinstance(r.event, LogWritten) for r in records)
