"""Trials of an earlier attempt of the same run, read back from its log and files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nbautoml.domain.events import LogWritten, TrialFinished
from nbautoml.domain.status import TrialOutcome
from nbautoml.engine.baseline import BASELINE
from nbautoml.engine.context import RunContext
from nbautoml.engine.models.catalog import get_family
from nbautoml.engine.search.book import TrialRecord
from nbautoml.engine.search.candidate import Candidate, candidate_from
from nbautoml.engine.trial_files import MODEL, OOF
from nbautoml.errors import NotFoundError, StoreError


def earlier_records(context: RunContext, finished: Sequence[TrialFinished]) -> list[TrialRecord]:
    """Return the single trials of an earlier attempt, by number.

    A trial whose worker was lost is left out: it deserves another attempt. So is one of other
    data, another seed or other folds, whose key says so, and one whose files are damaged. The
    constant model is no candidate.
    """
    by_name = {get_family(model).name: model for model in context.plan.models}
    records = []
    for event in sorted(finished, key=lambda e: e.number):
        is_single = not event.is_ensemble and event.family != BASELINE
        if not is_single or event.outcome is TrialOutcome.WORKER_LOST:
            continue
        scaler = event.pipeline.partition(", ")[0]
        family = by_name.get(event.family, event.family)
        candidate = candidate_from(
            event.params, family=family, model_name=event.family, scaler=scaler
        )
        if context.key_of(candidate) == event.key:
            try:
                records.append(_record(context, event, candidate))
            except StoreError as error:
                # What is damaged is named, and the trial is done again under another number.
                message = f"Trial {event.number} is not used any more. {error.message}"
                context.ports.events.emit(LogWritten(level="ERROR", message=message))
    return records


def _record(context: RunContext, event: TrialFinished, candidate: Candidate) -> TrialRecord:
    return TrialRecord(
        number=event.number,
        key=event.key,
        candidate=candidate,
        outcome=event.outcome,
        score=event.score,
        score_std=event.score_std,
        metrics=dict(event.metrics),
        fold_seconds=event.seconds / max(event.n_folds, 1),
        model_bytes=_model_bytes(context, event),
        oof=_stored(context, event, OOF),
        error=event.error,
    )


def _model_bytes(context: RunContext, event: TrialFinished) -> int:
    path = _stored(context, event, MODEL)
    return 0 if path is None else path.stat().st_size


def _stored(context: RunContext, event: TrialFinished, name: str) -> Path | None:
    if event.outcome is not TrialOutcome.COMPLETED:
        return None
    try:
        return context.ports.artifacts.local_path(event.number, name)
    except NotFoundError:
        return None
