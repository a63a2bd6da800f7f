"""Fits on all rows, beside those of the folds, for the models that are kept.

With few folds each fold model lacks many rows, and a fit on all of them makes up for that; with
many folds their mean is better than any single fit. Where there is but one fold the fit on all
rows takes its model's place.
"""

from __future__ import annotations

import logging
import math
import pickle
import shutil
from collections.abc import Mapping, Sequence

import numpy as np

from nbautoml.domain.ports import TaskReport, TrialTask
from nbautoml.domain.status import TrialOutcome
from nbautoml.engine.context import RunContext
from nbautoml.engine.ensemble.store import Ensemble, pack_ensemble
from nbautoml.engine.models.catalog import get_family
from nbautoml.engine.search.book import TrialRecord
from nbautoml.engine.search.requests import Requests
from nbautoml.engine.trial import RUN_REFIT, RefitJob
from nbautoml.engine.trial_files import MODEL, refit_part
from nbautoml.errors import ComputeError
from nbautoml.runtime.bag import FoldBag, PackedPart, PackedRefit, open_model, open_refit

logger = logging.getLogger(__name__)

# More rows carry a little more boosting than the folds' early stops had.
_ROUNDS_FACTOR = 1.1
# A fit on all rows costs this much of a fold, which has at most so many rows less.
_COST = 1.25
_LOOK_SECONDS = 0.1
# How much a fit on all rows counts beside its trial's fold models: in a single model as much as
# they do together, in an ensemble more, since the mean of many members has less chance in it.
_SHARE_ALONE, _SHARE_AMONG_OTHERS = 0.5, 0.8


def refit(
    context: RunContext, requests: Requests, records: Sequence[TrialRecord]
) -> dict[int, PackedPart]:
    """Fit trials again on all rows, as many as there is time for, the first ones first.

    Returns
    -------
    dict of int to PackedPart
        The fits that were finished in time, by trial number.
    """
    executor = context.ports.executor
    pending: dict[str, TrialRecord] = {}
    planned = 0.0
    writing = requests.finish_cost.write(n_bytes=sum(r.model_bytes for r in records))
    for place, record in enumerate(records):
        left = requests.deadline.remaining() - writing
        cost = _COST * record.fold_seconds
        if math.isfinite(left) and max(cost, (planned + cost) / executor.n_slots) > left:
            continue
        planned += cost
        key = f"{context.token}.refit{record.number}"
        pending[key] = record
        executor.submit(
            TrialTask(
                key=key,
                entry=RUN_REFIT,
                payload=_job(context, record, left),
                time_limit_seconds=max(left, 0.1) if math.isfinite(left) else None,
                memory_limit_bytes=context.plan.limits.memory_limit_bytes,
                priority=place,
                reads=context.data.folder,
                writes=context.trial_folder(record.number),
                n_gpus=int(context.uses_gpu(record.candidate)),
            )
        )
    return _collect(context, requests, pending, writing)


def put_refits(
    context: RunContext,
    parts: Mapping[int, PackedPart],
    singles: Sequence[TrialRecord],
    ensembles: Sequence[tuple[TrialRecord, Ensemble]],
) -> None:
    """Store single models and ensembles again, with fits on all rows.

    Parameters
    ----------
    context : RunContext
        The run.
    parts : mapping of int to PackedPart
        What `refit` returned.
    singles : sequence of TrialRecord
        Single trials whose stored models are to have one.
    ensembles : sequence of (TrialRecord, Ensemble)
        The ensembles that were stored.
    """
    data, artifacts = context.data, context.ports.artifacts
    among_others: dict[int, PackedPart | PackedRefit] = dict(parts)
    if data.n_folds > 1:
        among_others = {
            number: _beside_folds(context, number, part, _SHARE_AMONG_OTHERS)
            for number, part in parts.items()
        }
    for record, ensemble in ensembles:
        if any(member.number in parts for member in ensemble.members):
            packed = pack_ensemble(context, ensemble, among_others)
            artifacts.put_bytes(record.number, MODEL, packed)
    for single in singles:
        part = parts.get(single.number)
        if part is None:
            continue
        if data.n_folds > 1:
            alone = _beside_folds(context, single.number, part, _SHARE_ALONE)
            model = data.packed(open_refit, alone)
        else:
            model = data.packed(open_model, (part,))
        artifacts.put_bytes(single.number, MODEL, pickle.dumps(model))


def _beside_folds(context: RunContext, number: int, part: PackedPart, share: float) -> PackedRefit:
    stored = context.ports.artifacts.local_path(number, MODEL).read_bytes()
    return PackedRefit(model=stored, refit=part, share=share)


def _collect(
    context: RunContext,
    requests: Requests,
    pending: dict[str, TrialRecord],
    writing: float,
) -> dict[int, PackedPart]:
    """Wait for refits until only the `writing` seconds for storing them are left."""
    parts: dict[int, PackedPart] = {}
    executor = context.ports.executor
    while pending:
        requests.poll()
        left = requests.deadline.remaining() - writing
        if left <= 0 or requests.is_canceled:
            for key in pending:
                executor.cancel(key)
            break
        try:
            items = executor.poll(min(_LOOK_SECONDS, left))
        except ComputeError as error:
            logger.warning("the workers were lost before all fits on all rows were done: %s", error)
            break
        for item in items:
            if not isinstance(item, TaskReport) or item.key not in pending:
                continue
            record = pending.pop(item.key)
            if item.outcome is TrialOutcome.COMPLETED:
                folder = context.trial_folder(record.number)
                parts[record.number] = refit_part(folder)
                shutil.rmtree(folder, ignore_errors=True)
    return parts


def _job(context: RunContext, record: TrialRecord, left: float) -> RefitJob:
    return RefitJob(
        data=context.data.folder,
        out=context.trial_folder(record.number),
        candidate=record.candidate,
        key=record.key,
        seed=context.plan.seed,
        rounds=_rounds(context, record),
        threads=context.ports.executor.threads_per_slot,
        seconds=left if math.isfinite(left) else None,
        use_gpu=context.uses_gpu(record.candidate),
    )


def _rounds(context: RunContext, record: TrialRecord) -> int | None:
    """Return how long to boost: a little longer than the folds did on the mean."""
    rounds = record.rounds or _stored_rounds(context, record)
    return max(1, round(_ROUNDS_FACTOR * float(np.mean(rounds)))) if rounds else None


def _stored_rounds(context: RunContext, record: TrialRecord) -> tuple[int, ...]:
    """Return the rounds of the fold models of a trial of an earlier attempt."""
    model = pickle.loads(context.ports.artifacts.local_path(record.number, MODEL).read_bytes())
    last = model.steps[-1][1]
    folds = [m.steps[-1][1] for m in last.estimators] if isinstance(last, FoldBag) else [last]
    family = get_family(record.candidate.family)
    models = [getattr(model, "regressor_", model) for model in folds]
    rounds = [None if _is_constant(m) else family.rounds_of(m) for m in models]
    return tuple(r for r in rounds if r is not None)


def _is_constant(model: object) -> bool:
    return type(model).__name__ == "DummyClassifier"
