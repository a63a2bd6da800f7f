"""From a raw frame to data that trials can map: label, profile, guardrails, folds, files."""

from __future__ import annotations

import hashlib
import json
import pickle
from dataclasses import asdict
from pathlib import Path
from typing import Any  # Any: labels of any type

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.types import is_numeric_dtype

from nbautoml.domain import events as ev
from nbautoml.domain.events import Phase, json_safe, to_payload
from nbautoml.domain.tasks import Task
from nbautoml.engine.codegen.facts import facts_of
from nbautoml.engine.context import Ports, PreparedData, RunContext
from nbautoml.engine.explain.held_out import HELD_OUT, draw_held_out
from nbautoml.engine.featurize.build import build_adapter, build_featurizer, useful_representations
from nbautoml.engine.featurize.options import Representation
from nbautoml.engine.guardrails import run_guardrails
from nbautoml.engine.label_summary import summarize_label
from nbautoml.engine.model_test import Scoring
from nbautoml.engine.models._base import DataShape
from nbautoml.engine.models.catalog import get_family
from nbautoml.engine.plan import SearchPlan
from nbautoml.engine.profile import DataProfile, profile_frame
from nbautoml.engine.rows import Rows, take_rows
from nbautoml.engine.target import TargetEncoding, class_array, may_log
from nbautoml.engine.trial_data import DataSpec, write_trial_data
from nbautoml.engine.validation import ValidationPlan, plan_validation
from nbautoml.errors import ConfigError
from nbautoml.runtime import parsing

PROFILE = "internal/profile.json"
LABEL = "internal/label.json"
GUARDRAILS = "outputs/guardrails.json"
SCORING = "internal/scoring.pkl"
FACTS = "internal/code_facts.json"
"""What the code of a trial is written from, beside the profile and the trial's parameters."""
_FINGERPRINT_BYTES = 16
_SHOWN_CLASSES = 5
# The family whose first model tells what a run's time is good for.
_PROBE = "LightGBM"


def prepare(
    frame: pd.DataFrame, label: str, plan: SearchPlan, ports: Ports, scratch: Path
) -> tuple[RunContext, DataProfile]:
    """Look at the data, report on them, split them, and write them for the trials.

    Parameters
    ----------
    frame : DataFrame of shape (n_rows, n_columns)
        Raw rows with the label.
    label : str
        Name of the label's column.
    plan : SearchPlan
        What is to be done.
    ports : Ports
        Hears of guardrails and folds, keeps the profile.
    scratch : Path
        Folder of the run's working files.

    Raises
    ------
    DatasetError
        When the data cannot be learned from.
    """
    _say(ports, Phase.DATASET_EVALUATION, "Looking at the columns and the label.")
    rows = take_rows(frame, label, plan)
    y = rows.target.values
    profile = profile_frame(
        rows.X.iloc[: rows.n_train], y[: rows.n_train], plan.task, options=plan.featurization
    )
    _say(ports, Phase.CROSS_VALIDATION_SPLIT, "Splitting the rows for validation.")
    validation = plan_validation(
        plan.task,
        y,
        plan.validation,
        plan.seed,
        rows.n_valid,
        groups=rows.groups,
        splits=rows.splits,
        fit_seconds=_probe_cost(rows, profile),
    )
    _say(ports, Phase.FEATURES_GENERATION, "Reading the columns for the trials.")
    columns = build_adapter(profile).transform(rows.X)
    _report(ports, rows, columns, profile, validation, label=label)
    data = _write(rows, columns, profile, validation, plan, scratch)
    scoring = Scoring(encoding=rows.target.encoding, spec=data.spec)
    ports.artifacts.put_bytes(None, SCORING, pickle.dumps(scoring))
    held_out = draw_held_out(validation.folds, plan.seed)
    ports.artifacts.put_bytes(None, HELD_OUT, held_out.to_bytes())
    facts = facts_of(
        validation,
        rows.target.encoding,
        y,
        scoring=asdict(data.spec),
        is_number=is_numeric_dtype(frame[label].dtype),
        threads=ports.executor.threads_per_slot,
    )
    ports.artifacts.put_bytes(None, FACTS, json.dumps(facts.to_dict()).encode())
    return RunContext(plan=plan, ports=ports, data=data, scratch=scratch), profile


def _say(ports: Ports, phase: Phase, text: str) -> None:
    ports.events.emit(ev.PhaseChanged(phase=phase, text=text))


def _probe_cost(rows: Rows, profile: DataProfile) -> float:
    """Return about how many seconds a boosted model on all rows takes."""
    family = get_family(_PROBE)
    shape = _shape(rows, profile, rows.n_train)
    return family.cost(family.portfolio(rows.target.encoding.task)[0], shape)


def _shape(rows: Rows, profile: DataProfile, n_rows: int) -> DataShape:
    return DataShape(
        n_rows=n_rows,
        n_columns=max(len(profile.used), 1),
        n_classes=rows.target.encoding.n_classes,
    )


def _report(
    ports: Ports,
    rows: Rows,
    columns: pd.DataFrame,
    profile: DataProfile,
    validation: ValidationPlan,
    *,
    label: str,
) -> None:
    guardrails = run_guardrails(
        rows.X,
        rows.target.values,
        profile,
        validation,
        rows.target.encoding.task,
        columns=columns,
        class_labels=rows.target.encoding.class_labels,
        n_dropped_rows=rows.target.n_dropped,
        n_weightless_rows=rows.n_weightless,
    )
    for guardrail in guardrails:
        ports.events.emit(guardrail)
    reports = [to_payload(guardrail) for guardrail in guardrails]
    target = rows.target
    found = {
        GUARDRAILS: reports,
        PROFILE: json_safe(profile.to_dict()),
        LABEL: json_safe(summarize_label(label, target.values, target.encoding, rows.n_train)),
    }
    ports.artifacts.put_all(None, {name: json.dumps(v).encode() for name, v in found.items()})
    ports.events.emit(
        ev.DataDescribed(
            n_rows=len(rows.X),
            n_columns=rows.X.shape[1],
            n_folds=validation.n_folds,
            validation=validation.sentence,
        )
    )


def _write(
    rows: Rows,
    columns: pd.DataFrame,
    profile: DataProfile,
    validation: ValidationPlan,
    plan: SearchPlan,
    scratch: Path,
) -> PreparedData:
    encoding = rows.target.encoding
    spec = DataSpec(
        task=plan.task,
        primary_metric=plan.primary_metric,
        n_classes=encoding.n_classes,
        y_min=encoding.y_min,
        y_max=encoding.y_max,
        n_folds=validation.n_folds,
        positive=None if plan.positive_label is None else encoding.code_of(plan.positive_label),
    )
    is_class = plan.task is Task.CLASSIFICATION
    write_trial_data(
        scratch / "data",
        columns=columns,
        y=rows.target.values,
        folds=validation.folds,
        spec=spec,
        classes=_classes(encoding, plan) if is_class else None,
        featurizers={str(r): build_featurizer(profile, r) for r in Representation if r is r.matrix},
        weights=rows.weight,
    )
    shape = _shape(rows, profile, len(validation.folds[0][0]))
    return PreparedData(
        folder=scratch / "data",
        spec=spec,
        shape=shape,
        fingerprint=_fingerprint(columns, rows, validation, profile),
        y=rows.target.values,
        folds=validation.folds,
        class_labels=encoding.class_labels,
        adapter=pickle.dumps(build_adapter(profile)),
        representations=useful_representations(profile, encoding.n_classes),
        may_log=not is_class and may_log(rows.target.values),
        predicts_whole=not is_class and bool(plan.featurization.prediction_type),
        weight=rows.weight,
    )


def _classes(encoding: TargetEncoding, plan: SearchPlan) -> npt.NDArray[Any]:
    """Return the labels that models answer with; whole numbers where these are asked for."""
    classes = class_array(encoding.classes)
    if not plan.featurization.prediction_type:
        return classes
    numbers = parsing.as_numbers(encoding.class_labels)
    if numbers is None or any(number != int(number) for number in numbers):
        raise ConfigError(
            "prediction_transform_type of FeaturizationConfig is 'Integer', but the classes are "
            f"no whole numbers: {list(encoding.class_labels[:_SHOWN_CLASSES])}. Leave it out."
        )
    return np.array([int(number) for number in numbers], dtype=np.int64)


def _fingerprint(
    columns: pd.DataFrame, rows: Rows, validation: ValidationPlan, profile: DataProfile
) -> str:
    """Return a hash of all that the results of a trial depend on besides its settings."""
    digest = hashlib.blake2b(digest_size=_FINGERPRINT_BYTES)
    digest.update(json.dumps([*map(str, columns.columns)]).encode())
    hashes = pd.util.hash_pandas_object(columns, index=False)
    digest.update(np.ascontiguousarray(hashes).tobytes())
    digest.update(np.ascontiguousarray(rows.target.values).tobytes())
    if rows.weight is not None:
        digest.update(b"weight" + rows.weight.tobytes())
    for part in (part for fold in validation.folds for part in fold):
        digest.update(np.ascontiguousarray(part, dtype=np.int64).tobytes())
    digest.update(json.dumps(profile.options.to_dict(), sort_keys=True, default=str).encode())
    return digest.hexdigest()
