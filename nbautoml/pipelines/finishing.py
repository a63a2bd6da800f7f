"""What a coordinator does with a step's run that has completed."""

from __future__ import annotations

from nbautoml.domain.records import RunRecord
from nbautoml.pipelines.resolved import ResolvedStep
from nbautoml.store.session import Session


def finish_step(session: Session, resolved: ResolvedStep, record: RunRecord) -> None:
    """Write the outputs of a step that cannot write them itself: that of AutoML.

    Parameters
    ----------
    session : Session
        The open store.
    resolved : ResolvedStep
        The step.
    record : RunRecord
        Its run.
    """
