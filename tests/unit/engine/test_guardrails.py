"""What each guardrail says of good and of bad data."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from nbautoml.domain.events import GuardrailReported, GuardrailState, from_payload, to_payload
from nbautoml.engine.featurize.options import ColumnPurpose, FeaturizationOptions, TransformerParams
from nbautoml.engine.guardrails import GUARDRAILS, run_guardrails
from nbautoml.engine.profile import profile_frame
from nbautoml.engine.validation import ValidationOptions, plan_validation

N = 300
RNG = np.random.default_rng(2)
Y = np.arange(N) % 2
NOISE = RNG.normal(size=N)


def reports(
    frame: pd.DataFrame,
    y: np.ndarray = Y,
    *,
    task: str = "classification",
    options: FeaturizationOptions | None = None,
    validation: ValidationOptions | None = None,
    n_valid_rows: int = 0,
    **extra: object,
) -> dict[str, GuardrailReported]:
    profile = profile_frame(frame, y, task, options=options)
    plan = plan_validation(task, y, validation or ValidationOptions(), 0, n_valid_rows)
    found = run_guardrails(frame, y, profile, plan, task, **extra)
    return {report.name: report for report in found}


def clean() -> pd.DataFrame:
    return pd.DataFrame({"a": NOISE, "b": RNG.choice(["u", "v", "w"], N)})


def test_clean_data_passes_everything_but_the_split():
    found = reports(clean())
    split = found.pop("Cross validation")
    assert split.state is GuardrailState.DONE
    assert {name: report.state.value for name, report in found.items()} == {
        "Class balancing detection": "Passed",
        "Number of classes detection": "Passed",
        "Missing feature values imputation": "Passed",
        "High cardinality feature detection": "Passed",
        "Column type detection": "Passed",
        "Dropped columns and rows": "Passed",
        "Target leakage detection": "Passed",
        "Identifier column detection": "Passed",
        "Duplicate row detection": "Passed",
        "Label noise detection": "Passed",
        "Rare class detection": "Passed",
        "Time order detection": "Passed",
        "Unknown category detection": "Passed",
    }


def test_every_report_survives_the_event_log():
    frame = clean().assign(gap=np.where(NOISE > 1, np.nan, NOISE), leak=Y * 1.5, same=1)
    for report in reports(frame).values():
        payload = json.loads(json.dumps(to_payload(report), allow_nan=False))
        assert from_payload(report.kind, payload) == report


def test_regression_has_no_class_guardrails():
    found = reports(clean(), NOISE + RNG.normal(size=N), task="regression")
    of_classes = {
        "Class balancing detection",
        "Number of classes detection",
        "Label noise detection",
        "Rare class detection",
    }
    assert not of_classes & set(found)


def test_missing_values_are_counted_and_their_filling_named():
    frame = clean()
    frame.loc[:4, "a"] = np.nan
    frame.loc[:1, "b"] = None
    imputer = TransformerParams(
        transformer="Imputer", columns=("a",), params={"strategy": "median"}
    )
    options = FeaturizationOptions(transformer_params=(imputer,))
    found = reports(frame, options=options)["Missing feature values imputation"]
    assert found.state is GuardrailState.DONE
    assert found.details == (
        {"Column name": "a", "Missing value count": 5, "Imputation type": "median"},
        {"Column name": "b", "Missing value count": 2, "Imputation type": "most_frequent"},
    )


def test_hashed_and_dropped_columns_of_many_values_are_told():
    city = [f"c{i}" for i in RNG.integers(0, 80, N)]
    frame = clean().assign(city=city, id=np.arange(N))
    found = reports(frame)["High cardinality feature detection"]
    assert found.state is GuardrailState.DONE
    rows = {detail["Column name"]: detail["Handling"] for detail in found.details}
    assert rows == {"city": "hashed", "id": "dropped"}
    assert found.description == "1 column with many categories hashed, 1 id column dropped."


@pytest.mark.parametrize(
    ("n_rare", "state"), [(50, GuardrailState.ALERTED), (51, GuardrailState.PASSED)]
)
def test_a_fifth_of_the_largest_class_is_out_of_balance(n_rare, state):
    y = np.array([0] * 250 + [1] * n_rare)
    frame = pd.DataFrame({"a": RNG.normal(size=len(y))})
    found = reports(frame, y, class_labels=("no", "yes"))["Class balancing detection"]
    assert found.state is state
    if state is GuardrailState.ALERTED:
        assert found.details[0]["Name of the smallest class"] == "yes"
        assert found.details[0]["Size of the smallest class"] == 50


def test_too_many_classes_alert():
    found = reports(clean(), np.arange(N) // 3)["Number of classes detection"]
    assert (found.state, found.details[0]["Number of classes"]) == (GuardrailState.ALERTED, 100)


def test_doubtful_types_alert():
    frame = clean().assign(
        when=["01/02/2020", "03/04/2021"] * (N // 2), big=np.where(NOISE > 1, np.inf, NOISE)
    )
    found = reports(frame)["Column type detection"]
    assert found.state is GuardrailState.ALERTED
    assert [detail["Column name"] for detail in found.details] == ["when", "big"]


def test_dropped_columns_and_rows_are_told_with_the_reason():
    frame = clean().assign(same=1, out=NOISE)
    options = FeaturizationOptions(drop_columns=("out",))
    found = reports(frame, options=options, n_dropped_rows=4)["Dropped columns and rows"]
    assert found.state is GuardrailState.DONE
    assert found.description == "2 columns not used; 4 rows without a label left out."
    assert found.details == (
        {"Column name": "same", "Reason": "All values are the same."},
        {"Column name": "out", "Reason": "Dropped as asked."},
    )


CLASS_LEAKS = {
    "number": Y * 1.5 + 0.001 * NOISE,
    "falling number": -Y * 1.5 + 0.001 * NOISE,
    "category": np.where(Y == 1, "p", "q"),
    "truth": np.where(Y == 1, "yes", "no"),
    "date": pd.Timestamp("2020-01-01") + pd.to_timedelta(Y * 99 + np.arange(N) % 7, unit="D"),
    "a class in the middle": np.where(Y == 1, 0.1, np.sign(NOISE)) * (2 + 0.1 * NOISE),
    "missing cells": np.where(Y == 1, NOISE, np.nan),
    "missing texts": [f"call number {i} was short" if label else None for i, label in enumerate(Y)],
    "texts that begin with it": [
        f"{'won' if label else 'lost'} after {i} long calls with them" for i, label in enumerate(Y)
    ],
    "many categories": [f"{label}{i % 40}" for i, label in enumerate(np.where(Y == 1, "p", "q"))],
}


@pytest.mark.parametrize("cells", CLASS_LEAKS.values(), ids=CLASS_LEAKS.keys())
def test_a_column_that_gives_the_class_away_alerts(cells):
    found = reports(clean().assign(leak=cells))["Target leakage detection"]
    assert found.state is GuardrailState.ALERTED
    assert [detail["Column name"] for detail in found.details] == ["leak"]


@pytest.mark.parametrize("leak", ["number", "category"])
def test_a_column_that_gives_a_number_away_alerts(leak):
    groups = RNG.integers(0, 30, N)
    y = groups * 10.0 if leak == "category" else NOISE
    cells = [f"g{i}" for i in groups] if leak == "category" else -3 * NOISE
    found = reports(clean().drop(columns="a").assign(leak=cells), y, task="regression")
    assert found["Target leakage detection"].state is GuardrailState.ALERTED


def test_good_but_honest_columns_do_not_alert():
    flipped = np.where(np.arange(N) % 50 == 0, 1 - Y, Y)
    frame = clean().assign(strong=flipped + 0.1 * NOISE, word=np.where(flipped == 1, "p", "q"))
    assert reports(frame)["Target leakage detection"].state is GuardrailState.PASSED


@pytest.mark.parametrize("kind", ["number", "category"])
def test_a_label_written_down_again_with_a_mistake_alerts(kind):
    again = np.where(np.arange(N) == 7, 1 - Y, Y)
    cells = again + 0.1 * NOISE if kind == "number" else np.where(again == 1, "p", "q")
    assert reports(clean().assign(leak=cells))["Target leakage detection"].state.value == "Alerted"


def test_a_class_of_very_few_rows_is_given_away_by_no_column():
    """The one row is the highest of a column in every hundred, by chance."""
    y = np.arange(N) == N - 1
    frame = clean().assign(high=np.arange(N) % N + NOISE / 10)
    assert reports(frame, y.astype(int))["Target leakage detection"].state.value == "Passed"


def test_rows_of_a_rare_class_are_looked_at_among_many():
    y = (np.arange(9_000) % 1_500 == 0).astype(int)
    frame = pd.DataFrame({"a": RNG.normal(size=9_000), "leak": y * 1.5})
    assert reports(frame, y)["Target leakage detection"].details[0]["Column name"] == "leak"


def test_categories_of_one_row_each_are_no_leak():
    """Each row has its own category, which says nothing once the row is left out."""
    cells = [f"city {i}" for i in range(N)]
    options = FeaturizationOptions(column_purposes={"c": ColumnPurpose.CATEGORICAL_HASH})
    found = reports(clean().assign(c=cells), options=options)
    assert found["Target leakage detection"].state is GuardrailState.PASSED


def test_column_that_is_mostly_missing_is_no_leak():
    cells = np.where(np.arange(N) < 100, Y * 1.5, np.nan)
    assert reports(clean().assign(c=cells))["Target leakage detection"].state.value == "Passed"


def test_leaks_are_found_in_a_sample_of_many_rows():
    y = np.arange(6_000) % 2
    frame = pd.DataFrame({"a": RNG.normal(size=6_000), "leak": y * 1.5})
    found = reports(frame, y)["Target leakage detection"]
    assert [detail["Column name"] for detail in found.details] == ["leak"]


@pytest.mark.parametrize(
    ("options", "n_valid_rows", "name", "state"),
    [
        (ValidationOptions(), 0, "Cross validation", "Done"),
        (ValidationOptions(validation_size=0.2), 0, "Validation split handling", "Done"),
        (ValidationOptions(), 60, "Validation split handling", "Passed"),
    ],
)
def test_the_split_is_told(options, n_valid_rows, name, state):
    found = reports(clean(), validation=options, n_valid_rows=n_valid_rows)[name]
    assert (found.state.value, bool(found.description)) == (state, True)
    assert found.details[0]["Validation rows"] == (30 if name == "Cross validation" else 60)


def test_given_validation_data_with_new_classes_alerts():
    y = np.where(np.arange(N) < 240, Y, 2)
    found = reports(clean(), y, n_valid_rows=60)["Validation split handling"]
    assert found.state is GuardrailState.ALERTED


def test_catalog_lists_one_file_for_each_check():
    assert len(set(GUARDRAILS.names())) == len(GUARDRAILS.names()) == 15
