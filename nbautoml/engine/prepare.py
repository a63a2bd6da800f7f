"""From a raw frame to data that trials can map: label, profile, guardrails, folds, files."""

from __future__ import annotations

import hashlib
import json
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any  # Any: labels of any type

import numpy as np
import numpy.typing as npt
import pandas as pd

from nbautoml.domain import events as ev
from nbautoml.domain.events import Phase, json_safe, to_payload
from nbautoml.domain.tasks import Task
from nbautoml.engine.context import Ports, PreparedData, RunContext
from nbautoml.engine.featurize.build import build_adapter, build_featurizer, useful_representations
from nbautoml.engine.featurize.options import Representation
from nbautoml.engine.guardrails import run_guardrails
from nbautoml.engine.models._base import DataShape
from nbautoml.engine.plan import SearchPlan
from nbautoml.engine.profile import DataProfile, profile_frame
from nbautoml.engine.target import (
    EncodedTarget,
    TargetEncoding,
    class_array,
    encode_target,
    may_log,
)
from nbautoml.engine.trial_data import DataSpec, write_trial_data
from nbautoml.engine.validation import ValidationPlan, plan_validation
from nbautoml.errors import ConfigError, DatasetError, did_you_mean
from nbautoml.runtime import parsing

PROFILE = "internal/profile.json"
GUARDRAILS = "outputs/guardrails.json"
_FINGERPRINT_BYTES = 16
_SHOWN_CLASSES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    """Rows that have a label; the last `n_valid` of them are given validation data."""

    X: pd.DataFrame
    target: EncodedTarget
    n_valid: int

    @property
    def n_train(self) -> int:
        """Number of rows that are not validation data."""
        return len(self.X) - self.n_valid


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
    rows = _split_label(frame, label, plan)
    y = rows.target.values
    profile = profile_frame(
        rows.X.iloc[: rows.n_train], y[: rows.n_train], plan.task, options=plan.featurization
    )
    _say(ports, Phase.CROSS_VALIDATION_SPLIT, "Splitting the rows for validation.")
    validation = plan_validation(plan.task, y, plan.validation, plan.seed, rows.n_valid)
    _report(ports, rows, profile, validation, plan)
    _say(ports, Phase.FEATURES_GENERATION, "Reading the columns for the trials.")
    data = _write(rows, profile, validation, plan, scratch)
    return RunContext(plan=plan, ports=ports, data=data, scratch=scratch), profile


def _say(ports: Ports, phase: Phase, text: str) -> None:
    ports.events.emit(ev.PhaseChanged(phase=phase, text=text))


def _split_label(frame: pd.DataFrame, label: str, plan: SearchPlan) -> _Rows:
    if label not in frame.columns:
        hint = did_you_mean(label, [str(c) for c in frame.columns])
        raise DatasetError(f"The training data has no column {label!r} for the label.{hint}")
    target = encode_target(frame[label], plan.task)
    n_train = len(frame) - plan.n_valid_rows
    return _Rows(
        X=frame.drop(columns=[label])[target.is_kept].reset_index(drop=True),
        target=target,
        n_valid=int(target.is_kept[n_train:].sum()) if plan.n_valid_rows else 0,
    )


def _report(
    ports: Ports, rows: _Rows, profile: DataProfile, validation: ValidationPlan, plan: SearchPlan
) -> None:
    guardrails = run_guardrails(
        rows.X,
        rows.target.values,
        profile,
        validation,
        plan.task,
        class_labels=rows.target.encoding.class_labels,
        n_dropped_rows=rows.target.n_dropped,
    )
    for guardrail in guardrails:
        ports.events.emit(guardrail)
    reports = [to_payload(guardrail) for guardrail in guardrails]
    ports.artifacts.put_bytes(None, GUARDRAILS, json.dumps(reports).encode())
    content = json.dumps(json_safe(profile.to_dict()))
    ports.artifacts.put_bytes(None, PROFILE, content.encode())
    ports.events.emit(
        ev.DataDescribed(
            n_rows=len(rows.X),
            n_columns=rows.X.shape[1],
            n_folds=validation.n_folds,
            validation=validation.sentence,
        )
    )


def _write(
    rows: _Rows,
    profile: DataProfile,
    validation: ValidationPlan,
    plan: SearchPlan,
    scratch: Path,
) -> PreparedData:
    encoding = rows.target.encoding
    adapter = build_adapter(profile)
    columns = adapter.transform(rows.X)
    spec = DataSpec(
        task=plan.task,
        primary_metric=plan.primary_metric,
        n_classes=encoding.n_classes,
        y_min=encoding.y_min,
        y_max=encoding.y_max,
        n_folds=validation.n_folds,
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
    )
    shape = DataShape(
        n_rows=len(validation.folds[0][0]),
        n_columns=max(len(profile.used), 1),
        n_classes=encoding.n_classes,
    )
    return PreparedData(
        folder=scratch / "data",
        spec=spec,
        shape=shape,
        fingerprint=_fingerprint(columns, rows, validation, profile),
        y=rows.target.values,
        folds=validation.folds,
        class_labels=encoding.class_labels,
        adapter=pickle.dumps(adapter),
        representations=useful_representations(profile, encoding.n_classes),
        may_log=not is_class and may_log(rows.target.values),
        predicts_whole=not is_class and bool(plan.featurization.prediction_type),
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
    columns: pd.DataFrame, rows: _Rows, validation: ValidationPlan, profile: DataProfile
) -> str:
    """Return a hash of all that the results of a trial depend on besides its settings."""
    digest = hashlib.blake2b(digest_size=_FINGERPRINT_BYTES)
    digest.update(json.dumps([*map(str, columns.columns)]).encode())
    hashes = pd.util.hash_pandas_object(columns, index=False)
    digest.update(np.ascontiguousarray(hashes).tobytes())
    digest.update(np.ascontiguousarray(rows.target.values).tobytes())
    for part in (part for fold in validation.folds for part in fold):
        digest.update(np.ascontiguousarray(part, dtype=np.int64).tobytes())
    digest.update(json.dumps(profile.options.to_dict(), sort_keys=True, default=str).encode())
    return digest.hexdigest()
