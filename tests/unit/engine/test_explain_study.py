"""Explanations as a whole: what is found out of a model, how long it takes, what is told."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.ensemble import RandomForestClassifier
from sklearn.neighbors import KNeighborsRegressor

from nbautoml.domain.events import json_safe
from nbautoml.engine.explain.cohorts import Answered, find_cohorts
from nbautoml.engine.explain.dashboard import ModelFacts, dashboard_of
from nbautoml.engine.explain.dependence import follow, grid_of
from nbautoml.engine.explain.job import ExplainJob, explain_on
from nbautoml.engine.explain.mixing import RawGround
from nbautoml.engine.explain.study import (
    EXACT,
    SAMPLED,
    Explained,
    ExplainOptions,
    Subject,
    explain_model,
)
from nbautoml.engine.explain.what_if import what_if
from nbautoml.engine.search.budget import Deadline
from nbautoml.errors import ConfigError, DatasetError, ModelError, TrainingError
from nbautoml.testing.executor import InProcessExecutor
from tests.unit.engine.explain_models import N_FOLDS, Made


def light() -> Any:
    return LGBMClassifier(n_estimators=10, num_leaves=6, n_jobs=1, verbosity=-1)


def forest() -> Any:
    return RandomForestClassifier(5, random_state=0)


def explain(subject: Subject, n_rows: int = 12, seconds: float | None = None) -> Explained:
    return explain_model(
        subject,
        ExplainOptions(n_rows=n_rows),
        deadline=Deadline.after(seconds),
        report=lambda text: None,
    )


def test_everything_is_found_out_of_a_boosted_model() -> None:
    made = Made(light, n_classes=2)
    found = explain(made.subject(predicted=made.model.predict_proba(made.frame)))
    assert found.how == EXACT
    assert found.is_held_out
    assert found.permuted.names[int(np.argmax(found.permuted.means))] == "strong"
    assert found.permuted.means[found.permuted.names.index("noise")] < 0.05
    assert found.raw is not None
    assert found.raw.names[int(np.argmax(found.importance()))] == "strong"
    assert found.engineered is not None
    assert [one.grid.name for one in found.dependence][0] == "strong"
    assert {cohort.column for cohort in found.cohorts} == {"strong", "noise", "kind"}
    assert found.notes == ()


def test_a_forest_is_sampled_and_its_features_are_permuted() -> None:
    made = Made(forest, n_classes=3)
    found = explain(made.subject(), n_rows=4)
    assert found.how == SAMPLED
    assert found.engineered is None
    assert found.permuted_engineered is not None
    best = int(np.argmax(found.permuted_engineered.means))
    assert found.permuted_engineered.names[best] == "strong"
    assert found.raw is not None
    total = found.raw.values.sum(axis=2).T + found.raw.base
    np.testing.assert_allclose(total, made.answers(made.frame.iloc[:4]), atol=1e-9)


def test_without_a_limit_it_is_the_same_each_time() -> None:
    made = Made(forest, n_classes=2)
    one, two = explain(made.subject(), 3), explain(made.subject(), 3)
    np.testing.assert_array_equal(one.permuted.means, two.permuted.means)
    assert one.raw is not None
    assert two.raw is not None
    np.testing.assert_array_equal(one.raw.values, two.raw.values)


def test_with_no_time_at_all_each_part_takes_its_first_step() -> None:
    made = Made(forest, n_classes=2)
    found = explain(made.subject(), n_rows=50, seconds=0.0)
    assert found.raw is not None
    assert found.raw.n_rows == 1
    assert any("Time ended before 3 of 3 columns' turn." in note for note in found.notes)
    assert any("Time ended after 1 of 50 rows" in note for note in found.notes)
    assert found.dependence == ()


def test_rows_that_the_model_was_fitted_on_are_told_of() -> None:
    made = Made(light, n_classes=2)
    found = explain(made.subject(n_folds=0))
    assert not found.is_held_out
    assert any("may have been fitted" in note for note in found.notes)


@pytest.mark.parametrize(("shift", "is_held_out"), [(0.0, True), (0.2, False)])
def test_a_single_split_is_held_out_where_the_model_answers_as_it_was_scored(
    shift: float, is_held_out: bool
) -> None:
    made = Made(light, n_classes=2)
    stored = made.model.predict_proba(made.frame) + shift
    subject = made.subject(n_folds=1, folds=np.zeros(240, dtype=int), predicted=stored)
    assert explain(subject).is_held_out is is_held_out


def test_nothing_to_explain_is_an_error() -> None:
    made = Made(light, n_classes=2)
    with pytest.raises(ModelError, match="nothing to explain"):
        explain(made.subject(frame=made.frame.iloc[:0]))


def facts(made: Made) -> ModelFacts:
    labels = () if made.classes is None else tuple(made.classes.tolist())
    return ModelFacts(
        number=3, pipeline="LightGBM", label="y", class_labels=labels, made_at=10.0, seconds=1.5
    )


@pytest.mark.parametrize("n_classes", [0, 2, 3])
def test_the_dashboard_is_json_and_its_rows_sum_up(n_classes: int) -> None:
    def make() -> Any:
        return light() if n_classes else LGBMRegressor(n_estimators=10, verbosity=-1)

    made = Made(make, n_classes=n_classes)
    predicted = made.model.predict_proba(made.frame) if n_classes else made.answers(made.frame)
    subject = made.subject(predicted=predicted)
    board = dashboard_of(explain(subject), subject, facts(made))
    again = json.loads(json.dumps(json_safe(board), allow_nan=False))
    assert again["n"] == 3
    assert [row["name"] for row in again["raw"]][0] == "strong"
    assert again["engineered"][0]["of"] == ["strong"]
    sample = again["sample"]
    assert len(sample["cells"]) == again["explained_rows"] == 12
    for row in range(12):
        parts = sample["contributions"][row]
        total = sample["base"][row] + sum(parts) + sample["rest"][row]
        assert total == pytest.approx(sample["output"][row], abs=2e-3)
    expected = [f"class {code}" for code in made.y[:12]] if n_classes else None
    assert expected is None or sample["truth"] == expected
    assert again["cohorts"]
    assert again["dependence"][0]["outputs"][-1]["name"] == (
        f"probability of class {n_classes - 1}" if n_classes else "y"
    )


def test_a_score_of_which_less_is_better_is_told_as_it_is() -> None:
    made = Made(lambda: LGBMRegressor(n_estimators=10, verbosity=-1))
    spec = made.spec()
    fields = {name: getattr(spec, name) for name in spec.__dataclass_fields__}
    changed = type(spec)(**(fields | {"primary_metric": "root_mean_squared_error"}))
    subject = made.subject(spec=changed, predicted=made.answers(made.frame))
    found = explain(subject)
    assert found.permuted.means[0] > 0
    board = dashboard_of(found, subject, facts(made))
    assert board["score"] > 0
    assert not board["metric"]["maximize"]
    assert all(cohort["score"] > 0 for cohort in board["cohorts"])


def test_dependence_follows_what_was_planted() -> None:
    made = Made(lambda: LGBMRegressor(n_estimators=30, verbosity=-1))
    grids = [
        grid_of(made.columns[name], kind)
        for name, kind in (("strong", "number"), ("kind", "category"))
    ]
    assert all(grid is not None for grid in grids)
    ground = RawGround(made.model, made.frame, ["strong", "noise", "kind"], 0)
    along, of_kind = follow(ground, [g for g in grids if g is not None], deadline=Deadline())
    assert along.mean[0, -1] - along.mean[0, 0] > 3.0
    assert along.curves.shape == (30, 20)
    by_kind = dict(zip(of_kind.grid.labels, of_kind.mean[0], strict=True))
    assert by_kind["b"] > by_kind["a"] > by_kind["c"]


def test_grids_hold_values_that_occur() -> None:
    numbers = pd.Series(np.arange(1000.0), name="n")
    grid = grid_of(numbers, "number")
    assert grid is not None
    assert len(grid.labels) == 20
    assert (grid.labels[0], grid.labels[-1]) == (0.0, 999.0)
    assert [numbers[row] for row in grid.rows] == list(grid.labels)
    days = pd.Series(pd.to_datetime(["2020-02-01", None, "2020-01-01"]), name="d")
    dates = grid_of(days, "date")
    assert dates is not None
    assert dates.labels == ("2020-01-01 00:00:00", "2020-02-01 00:00:00")
    assert dates.rows.tolist() == [2, 0]
    kinds = pd.Series(pd.Categorical(["b", "a", "b", None]), name="k")
    found = grid_of(kinds, "category")
    assert found is not None
    assert found.labels == ("b", "a")
    assert grid_of(pd.Series(["x", "y"], name="t"), "text") is None
    assert grid_of(pd.Series([1.0, 1.0], name="c"), "number") is None


def test_cohorts_tell_where_a_model_fails() -> None:
    frame = pd.DataFrame(
        {
            "n": np.arange(100.0),
            "k": pd.Categorical(["a"] * 50 + ["b"] * 50),
            "d": pd.date_range("2020-01-01", periods=100),
            "t": ["text"] * 100,
        }
    )
    frame.loc[:20, "n"] = np.nan
    y = np.zeros(100, dtype=int)
    proba = np.tile([0.9, 0.1], (100, 1))
    proba[50:] = [0.1, 0.9]
    rows = Answered(y=y, predicted=proba)
    found = find_cohorts(
        frame,
        ["number", "category", "date", "text"],
        rows,
        lambda y, p, w: float((p.argmax(axis=1) == y).mean()),
    )
    of_kind = {c.part: (c.n_rows, c.score, c.error) for c in found if c.column == "k"}
    assert of_kind == {"a": (50, 1.0, 0.0), "b": (50, 0.0, 1.0)}
    assert [c.part for c in found if c.column == "n"][-1] == "missing"
    assert sum(c.n_rows for c in found if c.column == "n") == 100
    assert sum(c.n_rows for c in found if c.column == "d") == 100
    assert {c.column for c in found} == {"n", "k", "d"}


def test_many_categories_are_joined_and_few_rows_left_out() -> None:
    kinds = pd.DataFrame({"k": pd.Categorical([f"k{i % 9}" for i in range(180)] + ["rare"])})
    rows = Answered(y=np.zeros(181), predicted=np.ones((181, 1)))
    found = find_cohorts(kinds, ["category"], rows, lambda y, p, w: float("nan"))
    assert [c.part for c in found][-1] == "4 others"
    assert all(c.error == 1.0 for c in found)
    few = find_cohorts(kinds.iloc[:9], ["category"], rows.take(np.arange(9)), lambda y, p, w: 0.0)
    assert few == []


def test_a_changed_row_gets_another_answer() -> None:
    made = Made(light, n_classes=2)
    row = made.frame.iloc[[0]]
    found = what_if(made.model, row, [{"strong": 3.0}, {"strong": -3.0, "kind": "c"}])
    assert found.index.tolist() == ["as it is", "strong = 3.0", "strong = -3.0, kind = c"]
    assert found["prediction"].tolist()[1:] == ["class 1", "class 0"]
    high, low = found["probability of class 1"].iloc[1:]
    assert high > 0.8 > 0.2 > low
    same = what_if(made.model, made.frame.iloc[0], {})
    assert same["prediction"].nunique() == 1


def test_what_if_says_what_is_wrong() -> None:
    made = Made(light, n_classes=2)
    with pytest.raises(ConfigError, match="Did you mean 'strong'"):
        what_if(made.model, made.frame.iloc[[0]], {"stong": 1.0})
    with pytest.raises(DatasetError, match="takes one row"):
        what_if(made.model, made.frame, {"strong": 1.0})


def test_a_worker_explains_as_this_process_does(tmp_path: Any) -> None:
    made = Made(lambda: KNeighborsRegressor(3), representations=("linear",))
    subject = made.subject()
    options = ExplainOptions(n_rows=2)
    said: list[str] = []
    executor = InProcessExecutor()
    job = ExplainJob(folder=tmp_path, out=tmp_path / "out", options=options, seconds=30.0)
    try:
        found = explain_on(executor, subject, job, report=said.append)
    finally:
        executor.close()
    here = explain(subject, n_rows=2)
    assert found.raw is not None
    assert here.raw is not None
    np.testing.assert_allclose(found.raw.values, here.raw.values)
    assert said[0] == "Waiting for a worker."
    assert len(said) > 1


def test_a_worker_that_fails_says_why(tmp_path: Any) -> None:
    made = Made(lambda: KNeighborsRegressor(3), representations=("linear",))
    executor = InProcessExecutor()
    job = ExplainJob(folder=tmp_path, out=tmp_path / "out", options=ExplainOptions(), seconds=1.0)
    try:
        with pytest.raises(TrainingError, match="nothing to explain"):
            explain_on(
                executor, made.subject(frame=made.frame.iloc[:0]), job, report=lambda text: None
            )
    finally:
        executor.close()
    assert made.subject().n_folds == N_FOLDS
