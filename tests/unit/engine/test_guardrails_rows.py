"""Guardrails that look at rows: copies, noise, order, drift; planted and clean cases."""

from __future__ import annotations

import logging
import time

import numpy as np
import pandas as pd
import pytest

from nbautoml.domain.events import GuardrailReported, GuardrailState
from nbautoml.domain.tasks import Task
from nbautoml.engine.featurize.build import build_adapter
from nbautoml.engine.guardrails import GUARDRAILS, GuardrailInput, run_guardrails
from nbautoml.engine.guardrails.drift import stability_index
from nbautoml.engine.guardrails.time_order import neighbour_likeness
from nbautoml.engine.profile import profile_frame
from nbautoml.engine.validation import ValidationOptions, plan_validation

N = 400
RNG = np.random.default_rng(5)
Y = RNG.integers(0, 2, N)
CLEAN = pd.DataFrame(
    {"a": RNG.normal(size=N), "b": RNG.normal(size=N), "c": RNG.choice(["u", "v", "w"], N)}
)


def reports(
    frame: pd.DataFrame,
    y: np.ndarray = Y,
    *,
    task: str = "classification",
    n_valid: int = 0,
    options: ValidationOptions | None = None,
) -> dict[str, GuardrailReported]:
    n_train = len(frame) - n_valid
    profile = profile_frame(frame.iloc[:n_train], y[:n_train], task)
    plan = plan_validation(task, y, options or ValidationOptions(), 0, n_valid)
    return {report.name: report for report in run_guardrails(frame, y, profile, plan, task)}


def state(name: str, *args: object, **kwargs: object) -> str:
    return reports(*args, **kwargs)[name].state.value  # type: ignore[arg-type]


def copied(share: float) -> tuple[pd.DataFrame, np.ndarray]:
    """Return rows of which the last ones are copies of the first ones, shuffled."""
    n_copies = int(share * N)
    rows = np.append(np.arange(N - n_copies), np.arange(n_copies))
    rows = np.random.default_rng(1).permutation(rows)
    return CLEAN.iloc[rows].reset_index(drop=True), Y[rows]


# Copies


def test_copies_on_both_sides_of_the_split_alert() -> None:
    frame, y = copied(0.2)
    found = reports(frame, y)["Duplicate row detection"]
    assert found.state is GuardrailState.ALERTED
    counts = found.details[0]
    # Both rows of most of the 80 pairs are validated in a fold that trains on the other.
    assert counts["Validation rows"] == N
    assert 130 <= counts["Equal to a training row"] <= 160
    assert counts["Of these with another label"] == 0


def test_few_copies_pass_and_are_counted() -> None:
    frame, y = copied(0.01)
    found = reports(frame, y)["Duplicate row detection"]
    assert found.state is GuardrailState.PASSED
    assert found.description.startswith(("7 validation rows", "8 validation rows"))


def test_equal_rows_of_other_labels_are_no_copies() -> None:
    frame, _ = copied(0.4)
    found = reports(frame, Y)["Duplicate row detection"]
    assert found.state is GuardrailState.PASSED
    assert "with another label" in found.description


def test_columns_of_few_values_must_repeat_themselves() -> None:
    flags = pd.DataFrame({name: RNG.choice(["p", "q", "r"], N) for name in "abc"})
    label = (flags["a"] == "p").to_numpy().astype(int)
    assert state("Duplicate row detection", flags, label) == "Passed"


def test_given_validation_rows_that_are_training_rows_alert() -> None:
    frame = pd.concat([CLEAN, CLEAN.iloc[:100]], ignore_index=True)
    found = reports(frame, np.append(Y, Y[:100]), n_valid=100)["Duplicate row detection"]
    assert found.state is GuardrailState.ALERTED
    assert found.details[0]["Equal to a training row"] == 100


def test_copies_of_a_number_are_found_too() -> None:
    frame, _ = copied(0.3)
    y = frame["a"].to_numpy() * 2
    assert state("Duplicate row detection", frame, y, task="regression") == "Alerted"


# Label noise


def test_equal_rows_of_different_classes_alert_with_the_best_accuracy() -> None:
    frame = pd.concat([CLEAN.iloc[:200]] * 2, ignore_index=True)
    y = np.append(Y[:200], np.where(np.arange(200) < 60, 1 - Y[:200], Y[:200]))
    found = reports(frame, y)["Label noise detection"]
    assert found.state is GuardrailState.ALERTED
    assert found.details[0] == {
        "Rows": 400,
        "Rows that equal one of another class": 120,
        "Best possible accuracy": "85.0%",
    }


def test_a_few_of_them_pass() -> None:
    frame = pd.concat([CLEAN.iloc[:200]] * 2, ignore_index=True)
    y = np.append(Y[:200], np.where(np.arange(200) < 10, 1 - Y[:200], Y[:200]))
    assert state("Label noise detection", frame, y) == "Passed"


# Rare classes


@pytest.mark.parametrize(("n_rare", "expected"), [(1, "Alerted"), (4, "Alerted"), (12, "Passed")])
def test_a_class_that_is_not_in_every_split_alerts(n_rare: int, expected: str) -> None:
    y = np.where(np.arange(N) < n_rare, 2, Y)
    found = reports(CLEAN, y)["Rare class detection"]
    assert found.state.value == expected
    if expected == "Alerted":
        assert (found.details[0]["Class"], found.details[0]["Rows"]) == ("2", n_rare)
        assert found.details[0]["Splits that train on it"] == "10 of 10"


# Identifiers


def test_shuffled_row_numbers_alert() -> None:
    found = reports(CLEAN.assign(number=RNG.permutation(N) + 17))["Identifier column detection"]
    assert found.state is GuardrailState.ALERTED
    assert [detail["Column name"] for detail in found.details] == ["number"]


@pytest.mark.parametrize(
    "cells",
    [
        RNG.permutation(10**6)[:N],  # so wide a range may have no equal pair
        np.append(RNG.permutation(N - 1), 3),  # one equal pair
        RNG.permutation(N) + 0.5,
    ],
    ids=["wide", "with a pair", "no whole numbers"],
)
def test_measured_numbers_are_no_identifiers(cells: np.ndarray) -> None:
    assert state("Identifier column detection", CLEAN.assign(number=cells)) == "Passed"


# Time


def dates(n: int) -> pd.Series:
    return pd.Series(pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(n), unit="D"))


@pytest.mark.parametrize("step", [1, -1], ids=["rising", "falling"])
def test_rows_in_the_order_of_a_date_alert(step: int) -> None:
    frame = CLEAN.assign(day=dates(N).iloc[::step].to_numpy())
    found = reports(frame)["Time order detection"]
    assert found.state is GuardrailState.ALERTED
    assert found.details[0]["Columns in order"] == "day"


def test_shuffled_dates_pass() -> None:
    frame = CLEAN.assign(day=dates(N).sample(frac=1, random_state=0).to_numpy())
    assert state("Time order detection", frame) == "Passed"


def test_labels_like_the_one_before_alert() -> None:
    y = np.cumsum(np.random.default_rng(0).normal(size=N))
    assert state("Time order detection", CLEAN, y, task="regression") == "Alerted"
    runs = (np.arange(N) // 9 + RNG.integers(0, 2, N // 9 + 1)[np.arange(N) // 9]) % 2
    assert state("Time order detection", CLEAN, runs) == "Alerted"


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_a_file_that_is_sorted_by_its_label_passes(task: str) -> None:
    y = np.sort(Y) if task == "classification" else np.sort(RNG.normal(size=N))
    assert state("Time order detection", CLEAN, y, task=task) == "Passed"


def test_given_splits_may_follow_time() -> None:
    frame = CLEAN.assign(day=dates(N))
    assert "Time order detection" not in reports(frame, n_valid=80)


def test_likeness_of_neighbours_is_none_for_labels_that_do_not_vary() -> None:
    assert neighbour_likeness(np.ones(9), Task.REGRESSION) == 0.0
    assert neighbour_likeness(np.zeros(9, dtype=int), Task.CLASSIFICATION) == 0.0
    assert neighbour_likeness(np.array([1.0, 2.0]), Task.REGRESSION) == 0.0


# Categories


def test_categories_of_validation_rows_only_alert() -> None:
    frame = CLEAN.copy()
    frame.loc[N - 20 :, "c"] = "new"
    found = reports(frame, n_valid=80)["Unknown category detection"]
    assert found.state is GuardrailState.ALERTED
    assert found.details == ({"Column name": "c", "Validation rows": 20, "Share": "25.0%"},)


def test_missing_cells_and_a_few_new_categories_pass() -> None:
    frame = CLEAN.copy()
    frame.loc[N - 40 :, "c"] = None
    frame.loc[N - 3 :, "c"] = "new"
    assert state("Unknown category detection", frame, n_valid=80) == "Passed"


def test_columns_of_very_many_categories_have_new_ones_in_random_splits() -> None:
    frame = CLEAN.assign(city=[f"city {i}" for i in RNG.integers(0, 150, N)])
    assert state("Unknown category detection", frame) == "Passed"
    frame.loc[N - 80 :, "city"] = [f"town {i}" for i in range(80)]
    assert state("Unknown category detection", frame, n_valid=80) == "Alerted"


# Drift


def drifted(**changes: object) -> pd.DataFrame:
    frame = CLEAN.copy()
    for name, cells in changes.items():
        frame.loc[N - 120 :, name] = cells
    return frame


@pytest.mark.parametrize(
    "changes",
    [{"a": CLEAN["a"] + 1.5}, {"a": np.nan}, {"c": "u"}],
    ids=["number", "missing cells", "category"],
)
def test_other_values_in_the_validation_rows_alert(changes: dict[str, object]) -> None:
    found = reports(drifted(**changes), n_valid=120)["Training and validation drift detection"]
    assert found.state is GuardrailState.ALERTED
    assert [detail["Column name"] for detail in found.details] == list(changes)


def test_the_same_values_pass_however_few_they_are() -> None:
    name = "Training and validation drift detection"
    for seed in range(30):
        frame = CLEAN.sample(60, random_state=seed).reset_index(drop=True)
        assert state(name, frame, Y[:60], n_valid=15) == "Passed"


def test_later_dates_are_no_drift() -> None:
    frame = CLEAN.assign(day=dates(N))
    assert state("Training and validation drift detection", frame, n_valid=120) == "Passed"


def test_random_splits_have_no_drift_to_look_for() -> None:
    assert "Training and validation drift detection" not in reports(CLEAN)


def test_the_index_is_the_one_of_the_books() -> None:
    train, valid = np.repeat([0, 1], [5_000, 5_000]), np.repeat([0, 1], [8_000, 2_000])
    expected = 0.3 * np.log(0.8 / 0.5) - 0.3 * np.log(0.2 / 0.5)
    index, chance = stability_index(train, valid)
    assert index == pytest.approx(expected, rel=1e-3)
    assert chance < 1e-9


# All of them


def broken(given: GuardrailInput) -> GuardrailReported:
    raise ZeroDivisionError(f"{len(given.y)} rows")


def test_a_guardrail_that_fails_is_left_out_and_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    get = GUARDRAILS.get
    monkeypatch.setattr(GUARDRAILS, "get", lambda name: broken if name == "drift" else get(name))
    with caplog.at_level(logging.WARNING):
        found = reports(CLEAN, n_valid=80)
    assert "Class balancing detection" in found
    assert "Training and validation drift detection" not in found
    assert "guardrail 'drift' failed" in caplog.text
    assert "ZeroDivisionError: 400 rows" in caplog.text


def test_all_together_are_cheap_on_many_rows_and_columns() -> None:
    rng = np.random.default_rng(0)
    n_rows = 50_000
    frame = pd.DataFrame(rng.normal(size=(n_rows, 40)), columns=[f"n{i}" for i in range(40)])
    for number in range(10):
        frame[f"c{number}"] = rng.choice([f"v{i}" for i in range(4 + 9 * number)], n_rows)
    y = rng.integers(0, 3, n_rows)
    profile = profile_frame(frame, y, "classification")
    plan = plan_validation("classification", y, ValidationOptions(n_cross_validations=3), 0)
    columns = build_adapter(profile).transform(frame)
    started = time.process_time()
    run_guardrails(frame, y, profile, plan, "classification", columns=columns)
    assert time.process_time() - started < 1.0
