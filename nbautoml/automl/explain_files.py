"""What an explanation is made of, and what it leaves: read from a run's files, kept with them."""

from __future__ import annotations

import json
import pickle
import time
import uuid
from dataclasses import replace
from typing import Any  # Any: JSON values

import numpy as np
import pandas as pd

from nbautoml.automl.artifacts import DASHBOARD, EXPLAINED_ROWS, OOF_PREDICTIONS, PROFILE
from nbautoml.automl.config import AutoMLConfig
from nbautoml.automl.explanation import Explanation, explanation_files
from nbautoml.automl.resolve import resolve
from nbautoml.automl.run_data import RunData, load_splits
from nbautoml.automl.stored_model import load_model, load_scoring
from nbautoml.domain.events import json_safe
from nbautoml.domain.records import RunRecord
from nbautoml.engine.explain.contributions import Contributions
from nbautoml.engine.explain.dashboard import ModelFacts, dashboard_of
from nbautoml.engine.explain.held_out import HELD_OUT, MOST_ROWS, HeldOutRows, draw_held_out
from nbautoml.engine.explain.permutation import Permuted
from nbautoml.engine.explain.study import EXACT, Explained, Subject
from nbautoml.engine.featurize.build import build_adapter
from nbautoml.engine.profile import DataProfile
from nbautoml.engine.rows import Rows, take_rows
from nbautoml.engine.target import TargetEncoding
from nbautoml.runs import files
from nbautoml.store.session import Session

_SUMS = "contributions of columns to the answer, as the model's own sums give them"
_SAMPLED = "Shapley values of columns, by sampling"
_PERMUTED = "loss of the primary metric's score when a column is permuted"
_SEED = 0


def load_subject(session: Session, run: RunRecord, child_id: str) -> Subject:
    """Return a model of a run, and the validation rows that it is explained on.

    Parameters
    ----------
    session : Session
        The open store.
    run : RunRecord
        The AutoML run.
    child_id : str
        The child whose model it is.

    Raises
    ------
    NotFoundError
        When the child has no model.
    """
    scoring = load_scoring(session, run.id)
    rows = _rows_of(session, run)
    if HELD_OUT in files.names(session, run.id, HELD_OUT):
        held_out = HeldOutRows.from_bytes(session.load_artifact(run.id, HELD_OUT).read_bytes())
    else:  # made by an earlier version: any rows are taken, and the explanation says so
        everything = np.arange(len(rows.X))
        held_out = replace(draw_held_out([(everything, everything)], _SEED, MOST_ROWS), n_folds=0)
    profile = files.read_json(session, run.id, PROFILE)
    return Subject(
        model=load_model(session, child_id),
        adapter=build_adapter(DataProfile.from_dict(profile)),
        frame=rows.X.iloc[held_out.rows].reset_index(drop=True),
        y=rows.target.values[held_out.rows],
        folds=held_out.folds,
        n_folds=held_out.n_folds,
        spec=scoring.spec,
        predicted=_predicted(session, child_id, held_out),
        weight=None if rows.weight is None else rows.weight[held_out.rows],
    )


def _rows_of(session: Session, run: RunRecord) -> Rows:
    """Return the rows that took part in a run, as it took them."""
    frame, n_valid_rows = RunData(session, run.settings).training_and_validation()
    config = AutoMLConfig.from_dict(run.settings["config"])
    plan = resolve(config, n_slots=1, timeout_seconds=None, n_valid_rows=n_valid_rows)
    splits = load_splits(session, run.id)
    plan = replace(plan, validation=replace(plan.validation, cv_splits=splits))
    return take_rows(frame, str(run.settings["label"]), plan)


def _predicted(session: Session, child_id: str, held_out: HeldOutRows) -> Any:
    """Return out-of-fold predictions of a child for the held-out rows, where it has them."""
    if not held_out.n_folds or not files.names(session, child_id, OOF_PREDICTIONS):
        return None
    stored = np.load(session.load_artifact(child_id, OOF_PREDICTIONS))
    predicted = np.asarray(stored, dtype=np.float64)[held_out.places]
    return predicted.reshape(len(predicted), -1)


def keep_explanation(
    session: Session,
    explain_run: RunRecord,
    run: RunRecord,
    subject: Subject,
    explained: Explained,
    seconds: float,
) -> None:
    """Store what was found out about a model, with the run that made the model.

    Parameters
    ----------
    session : Session
        The open store.
    explain_run : RunRecord
        The explaining run.
    run : RunRecord
        The AutoML run.
    subject : Subject
        What was explained.
    explained : Explained
        What was found out.
    seconds : float
        How long it took.
    """
    child_id = str(explain_run.settings["model_run"])
    encoding = load_scoring(session, run.id).encoding
    with session.read() as tx:
        child = tx.runs.get(child_id)
    facts = ModelFacts(
        number=child.number or 0,
        pipeline=child.display_name,
        label=str(run.settings["label"]),
        class_labels=encoding.class_labels,
        made_at=time.time(),
        seconds=seconds,
    )
    made = _explanations(explained, subject, encoding, explain_run, facts)
    kept: dict[str, bytes] = {}
    for explanation in made:
        kept |= explanation_files(explanation)
    n_rows = explained.raw.n_rows if explained.raw is not None else 0
    rows: pd.DataFrame = subject.frame.iloc[:n_rows]
    kept[EXPLAINED_ROWS] = pickle.dumps(rows)
    board = dashboard_of(explained, subject, facts)
    kept[DASHBOARD] = json.dumps(json_safe(board)).encode()
    session.save_artifacts(child_id, kept)


def _explanations(
    explained: Explained,
    subject: Subject,
    encoding: TargetEncoding,
    explain_run: RunRecord,
    facts: ModelFacts,
) -> list[Explanation]:
    """Return the explanation by raw columns, and by engineered features where there is one."""
    how = _SUMS if explained.how == EXACT else _SAMPLED
    comment = str(explain_run.settings.get("comment", ""))

    def make(
        values: Contributions | None, permuted: Permuted | None, *, is_raw: bool
    ) -> Explanation:
        names = values.names if values is not None else permuted.names if permuted else ()
        return Explanation(
            id=uuid.uuid4().hex,
            features=list(names),
            global_importance_values=_importances(values, permuted),
            method=how if values is not None else _PERMUTED,
            is_raw=is_raw,
            model_task=subject.spec.task.value,
            classes=list(encoding.class_labels),
            values=None if values is None else values.values,
            expected_values=_expected(values, subject.spec.n_classes),
            permutation_importance=_losses(permuted),
            num_examples=0 if values is None else values.n_rows,
            run_id=explain_run.id,
            comment=comment,
            created_at=facts.made_at,
            notes=list(explained.notes),
        )

    made = [make(explained.raw, explained.permuted, is_raw=True)]
    if explained.engineered is not None or explained.permuted_engineered is not None:
        made.append(make(explained.engineered, explained.permuted_engineered, is_raw=False))
    return made


def _importances(values: Contributions | None, permuted: Permuted | None) -> list[float]:
    if values is not None:
        return [float(size) for size in np.nan_to_num(values.sizes(), nan=0.0)]
    means = np.empty(0) if permuted is None else permuted.means
    return [float(loss) for loss in np.nan_to_num(means, nan=0.0)]


def _losses(permuted: Permuted | None) -> dict[str, float]:
    if permuted is None:
        return {}
    pairs = zip(permuted.names, permuted.means.tolist(), strict=True)
    return {name: loss for name, loss in pairs if np.isfinite(loss)}


def _expected(values: Contributions | None, n_classes: int) -> list[float]:
    """Return the answer before any column is looked at; of two classes for both."""
    if values is None:
        return []
    base = [float(value) for value in values.base]
    return [1.0 - base[0], base[0]] if n_classes == 2 else base
