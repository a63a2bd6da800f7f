"""Hostile columns, labels and rows, each from raw rows to the predictions of a loaded model."""

from __future__ import annotations

import pickle
import warnings
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from nbautoml.domain.events import GuardrailReported
from nbautoml.engine.featurize.build import build_adapter, build_featurizer
from nbautoml.engine.guardrails import run_guardrails
from nbautoml.engine.profile import DataProfile, profile_frame
from nbautoml.engine.target import class_array, encode_target
from nbautoml.engine.validation import ValidationOptions, plan_validation
from nbautoml.errors import DatasetError
from nbautoml.runtime.featurizer import DataTransformer
from nbautoml.runtime.pipeline import ModelPipeline

N = 120
RNG = np.random.default_rng(8)
NOISE = RNG.normal(size=N)
LABELS = np.where(NOISE + 0.3 * RNG.normal(size=N) > 0, "yes", "no")

TYPES, DROPPED = "Column type detection", "Dropped columns and rows"
MANY, MISSING = "High cardinality feature detection", "Missing feature values imputation"
QUIET = (TYPES, "Passed", "The cells of each column have one type.")


def cycle(*values: object) -> list[object]:
    return [values[i % len(values)] for i in range(N)]


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a run knows of its data, and a model of them for each representation."""

    frame: pd.DataFrame
    profile: DataProfile
    reports: dict[str, GuardrailReported]
    models: dict[str, ModelPipeline]


def run(frame: pd.DataFrame, labels: object = LABELS) -> Run:
    """Do what a run does with its data, and fit a small model on the features."""
    label = pd.Series(labels, name="label")
    target = encode_target(label, "classification")
    X = frame[target.is_kept].reset_index(drop=True)
    y = target.values
    profile = profile_frame(X, y, "classification")
    validation = plan_validation("classification", y, ValidationOptions(), 0, 0)
    reports = run_guardrails(
        X, y, profile, validation, "classification", n_dropped_rows=target.n_dropped
    )
    classes = class_array(target.encoding.classes)
    models = {}
    for representation, model in (
        ("linear", LogisticRegression(max_iter=50)),
        ("tree", DecisionTreeClassifier(max_depth=3)),
    ):
        maker = build_featurizer(profile, representation)
        transformer = DataTransformer(build_adapter(profile), maker)
        fitted = model.fit(transformer.fit_transform(X, y), y)
        models[representation] = ModelPipeline(
            [("datatransformer", transformer), ("model", fitted)], classes=classes
        )
    named = {report.name: report for report in reports}
    return Run(frame=X, profile=profile, reports=named, models=models)


def check_predictions(done: Run, rows: pd.DataFrame | None = None) -> None:
    """Predict with loaded models: many rows, one row, no row and columns in another order."""
    rows = done.frame if rows is None else rows
    for model in done.models.values():
        expected = model.predict_proba(rows)
        assert expected.shape == (len(rows), 2)
        assert np.isfinite(expected).all()
        again = pickle.loads(pickle.dumps(model))
        np.testing.assert_array_equal(again.predict_proba(rows), expected)
        one = again.predict_proba(rows.iloc[[0], ::-1])
        np.testing.assert_allclose(one[0], expected[0], atol=1e-6)
        assert again.predict_proba(rows.iloc[:0]).shape == (0, 2)
        assert set(again.predict(rows)) <= {"no", "yes"}


def said(report: GuardrailReported) -> str:
    return " ".join([report.description, *(str(detail) for detail in report.details)])


@dataclass(frozen=True, kw_only=True)
class Case:
    """A column, what it must be found to be, and what must be said of it."""

    cells: object
    purpose: str
    guardrail: tuple[str, str, str] = QUIET
    read: dict[int, object] = field(default_factory=dict)  # row to cell as read


GUIDS = [f"{i:08x}-1b2c-4d5e-8f90-{i:012x}" for i in range(N)]
DAYS = pd.date_range("2024-01-01", periods=N, freq="D")

CASES = {
    "zip codes": Case(cells=cycle("00012", "90210", "02139"), purpose="Categorical",
                      read={0: "00012"}),
    "phone numbers": Case(cells=cycle("0301234", "0891234", "4012345"), purpose="Categorical"),
    "numeric codes": Case(cells=cycle(1, 2, 3, 7), purpose="Categorical", read={3: "7"}),
    "ordered counts": Case(cells=cycle(*range(9)), purpose="Numeric", read={8: 8.0}),
    "row numbers": Case(cells=range(N), purpose="Ignore",
                        guardrail=(MANY, "Done", "'Handling': 'dropped'")),
    "numbers named id": Case(cells=RNG.permutation(9_000)[:N], purpose="Numeric"),
    "guids": Case(cells=GUIDS, purpose="Ignore", guardrail=(MANY, "Done", "1 id column dropped")),
    "hashes": Case(cells=[f"{i * 2654435761:032x}" for i in range(N)], purpose="Ignore",
                   guardrail=(DROPPED, "Done", "Almost every value is different (an id).")),
    "many categories": Case(cells=cycle(*[f"c{i}" for i in range(55)]), purpose="CategoricalHash",
                            guardrail=(MANY, "Done", "1 column with many categories hashed")),
    "unique fractions": Case(cells=np.sort(NOISE), purpose="Numeric"),
    "yes and no": Case(cells=cycle("Yes", "no", " YES"), purpose="Boolean", read={0: 1.0, 1: 0.0}),
    "T and F": Case(cells=cycle("T", "F"), purpose="Boolean", read={1: 0.0}),
    "bool objects": Case(cells=pd.Series(cycle(True, False, None), dtype=object),
                         purpose="Boolean", guardrail=(MISSING, "Done", "'x'")),
    "money": Case(cells=[f"${1000 + 0.5 * i:,.2f}" for i in range(N)], purpose="Numeric",
                  read={1: 1000.5}),
    "money with a comma": Case(cells=[f"€ {i},{i % 10}" for i in range(N)], purpose="Numeric",
                               read={3: 3.3}),
    "percent": Case(cells=[f"{i}.5%" for i in range(N)], purpose="Numeric", read={1: 0.015}),
    "money and words": Case(cells=cycle("$1", "$2.5", "$3", "free"), purpose="Categorical"),
    "a word among numbers": Case(cells=["oops", *map(str, NOISE[1:])], purpose="Numeric",
                                 guardrail=(TYPES, "Alerted", "1 cells are not numbers"),
                                 read={0: np.nan}),
    "words for missing": Case(cells=cycle("1.5", "n/a", "2.5", "?", "7.25"), purpose="Numeric",
                              guardrail=(MISSING, "Done", "'Missing value count': 48"),
                              read={1: np.nan}),
    "day first": Case(cells=DAYS.strftime("%d/%m/%Y"), purpose="DateTime",
                      read={1: pd.Timestamp("2024-01-02")}),
    "month first": Case(cells=DAYS.strftime("%m/%d/%Y"), purpose="DateTime",
                        read={1: pd.Timestamp("2024-01-02")}),
    "day or month first": Case(cells=cycle("01/02/2024", "03/04/2024"), purpose="DateTime",
                               guardrail=(TYPES, "Alerted", "the month was taken as first")),
    "dates in clear formats": Case(cells=cycle("2024-01-05", "6 Jan 2023", "2022/03/07"),
                                   purpose="DateTime",
                                   guardrail=(TYPES, "Alerted", "written in several formats")),
    "dates in unclear formats": Case(cells=cycle("2024-01-05", "01/02/2024", "03.04.2021"),
                                     purpose="Categorical",
                                     guardrail=(TYPES, "Alerted", "can be read in two ways")),
    "mixed types": Case(cells=pd.Series(cycle(1, "b", 2.5, True), dtype=object),
                        purpose="Categorical", read={0: "1"}),
    "lists": Case(cells=pd.Series([[i] for i in range(N)], dtype=object), purpose="Ignore",
                  guardrail=(TYPES, "Alerted", "hold lists or other containers")),
    "dicts": Case(cells=pd.Series([{"a": i} for i in range(N)], dtype=object), purpose="Ignore",
                  guardrail=(DROPPED, "Done", "Cells hold lists or other containers.")),
    "category type": Case(cells=pd.Series(cycle("u", "v", None), dtype="category"),
                          purpose="Categorical", guardrail=(MISSING, "Done", "'most_frequent'")),
    "durations": Case(cells=pd.Series(pd.to_timedelta(RNG.integers(0, 9_999, N), unit="s")),
                      purpose="Numeric"),
    "periods": Case(cells=pd.Series(pd.period_range("2001-01", periods=N, freq="M")),
                    purpose="DateTime", read={1: pd.Timestamp("2001-02-01")}),
    "times with a zone": Case(cells=pd.Series(DAYS.tz_localize("Asia/Tokyo")), purpose="DateTime",
                              read={0: pd.Timestamp("2023-12-31 15:00")}),
    "offsets that differ": Case(cells=cycle("2024-01-01T05:00+02:00", "2024-01-02T00:00Z"),
                                purpose="DateTime", read={0: pd.Timestamp("2024-01-01 03:00")}),
    "decimals": Case(cells=pd.Series([Decimal(i) / 4 for i in range(N)], dtype=object),
                     purpose="Numeric", read={1: 0.25}),
    "nullable numbers": Case(cells=pd.Series([None, *range(0, 2 * N - 2, 2)], dtype="Int64"),
                             purpose="Numeric", guardrail=(MISSING, "Done", "'mean'"),
                             read={0: np.nan}),
    "nullable truths": Case(cells=pd.Series(cycle(True, None, False), dtype="boolean"),
                            purpose="Boolean", read={1: np.nan}),
    "nullable texts": Case(cells=pd.Series(cycle("a", None, "b"), dtype="string"),
                           purpose="Categorical"),
    "Arrow numbers": Case(cells=pd.Series([None, *NOISE[1:]], dtype="float64[pyarrow]"),
                          purpose="Numeric", read={0: np.nan}),
    "Arrow texts": Case(cells=pd.Series(cycle("a", "b", None), dtype="string[pyarrow]"),
                        purpose="Categorical"),
    "Arrow times": Case(cells=pd.Series(DAYS).astype("timestamp[ns][pyarrow]"),
                        purpose="DateTime", read={1: pd.Timestamp("2024-01-02")}),
    "all missing": Case(cells=cycle(None), purpose="Ignore",
                        guardrail=(DROPPED, "Done", "All values are missing.")),
    "constant": Case(cells=cycle("same"), purpose="Ignore",
                     guardrail=(DROPPED, "Done", "All values are the same.")),
    "infinities": Case(cells=np.r_[np.inf, -np.inf, NOISE[2:]], purpose="Numeric",
                       guardrail=(TYPES, "Alerted", "2 infinite or very large values"),
                       read={0: np.nan}),
    "beyond float32": Case(cells=np.r_[1e300, NOISE[1:]], purpose="Numeric",
                           guardrail=(TYPES, "Alerted", "1 infinite or very large values"),
                           read={0: np.nan}),
    "short texts": Case(cells=[f"{w} wine number {i}" for i, w in enumerate(cycle("red", "dry"))],
                        purpose="Text"),
    "Chinese texts": Case(cells=[f"这是一个很长的句子没有空格{chr(0x4E00 + i)}" for i in range(N)],
                          purpose="Text"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_column(case: Case) -> None:
    frame = pd.DataFrame({"signal": NOISE, "x": pd.Series(case.cells).to_numpy()})
    if isinstance(case.cells, pd.Series):
        frame["x"] = case.cells.reset_index(drop=True)
    done = run(frame)

    assert done.profile.columns[1].purpose.value == case.purpose
    name, state, words = case.guardrail
    assert (done.reports[name].state.value, words in said(done.reports[name])) == (state, True)
    read = build_adapter(done.profile).transform(frame)
    for row, expected in case.read.items():
        np.testing.assert_equal(read["x"].iloc[row], expected)
    check_predictions(done)


NAMES = [
    "a,b",
    "a:b",
    '"q"',
    "[x]",
    "{y}",
    "a b",
    "a_b",
    "",
    "a\nb",
    "日本",
    "🍷",
    "\\",
    "x" * 300,
    7,
]


def test_any_names_of_columns_may_stand_together() -> None:
    frame = pd.DataFrame({name: NOISE + i for i, name in enumerate(NAMES)})
    done = run(frame)
    assert [column.name for column in done.profile.columns] == [str(name) for name in NAMES]
    check_predictions(done)


@pytest.mark.parametrize("names", [["a", "a"], [1, "1"]])
def test_names_that_collide_are_refused(names: list[object]) -> None:
    with pytest.raises(DatasetError, match="same name as text: .*Rename them"):
        run(pd.DataFrame(np.c_[NOISE, NOISE], columns=names))


def test_complex_numbers_are_refused() -> None:
    with pytest.raises(DatasetError, match="'z' holds complex numbers.*Split them into real"):
        run(pd.DataFrame({"signal": NOISE, "z": NOISE + 1j}))


def test_a_table_of_empty_columns_is_refused() -> None:
    with pytest.raises(DatasetError, match="None of the 2 columns can be used"):
        run(pd.DataFrame({"a": cycle(None), "b": cycle(1)}))


MIXED = pd.DataFrame(
    {
        "n": NOISE,
        "c": cycle("u", "v", "w"),
        "h": cycle(*[f"k{i}" for i in range(60)]),
        "d": DAYS,
        "t": [f"a text of many words {i}" for i in range(N)],
        "b": cycle("yes", "no"),
    }
)


@pytest.fixture(scope="module")
def mixed() -> Run:
    return run(MIXED)


def test_new_rows_may_hold_anything(mixed: Run) -> None:
    rows = pd.DataFrame(
        {
            "b": [None, "yes", "no", pd.NA],
            "t": ["", None, "new words only", "日本"],
            "d": ["2030-01-01", None, "1999-12-31T10:00+05:00", pd.NaT],
            "h": ["never seen", None, "k1", 5],
            "c": ["never seen", None, "u", 3.5],
            "n": [np.inf, None, "12.5", -1e300],
        }
    )
    check_predictions(mixed, rows)


@pytest.mark.parametrize("name", MIXED.columns)
def test_a_cell_of_any_column_may_be_missing(mixed: Run, name: str) -> None:
    check_predictions(mixed, MIXED.head(4).assign(**{name: None}))


@pytest.mark.parametrize(
    ("dtypes", "name"),
    [("string[pyarrow]", "c"), ("category", "c"), ("Float64", "n"), ("object", "d"), ("str", "d")],
)
def test_the_type_of_new_rows_may_differ(mixed: Run, dtypes: str, name: str) -> None:
    rows = MIXED.astype({name: dtypes})
    for model in mixed.models.values():
        np.testing.assert_allclose(model.predict_proba(rows), model.predict_proba(MIXED))


def test_text_in_a_number_column_of_new_rows(mixed: Run) -> None:
    rows = MIXED.head(10).astype({"n": object})
    rows.iloc[:2, 0] = "abc"
    for model in mixed.models.values():
        with pytest.warns(UserWarning, match="2 of 10 filled cells of column 'n' are not numbers"):
            assert np.isfinite(model.predict_proba(rows)).all()
        with pytest.raises(ValueError, match="10 of 10 filled cells.*such as 'abc'"):
            model.predict(rows.assign(n="abc"))


def test_missing_columns_are_named_or_filled(mixed: Run) -> None:
    rows = MIXED.drop(columns=["n", "d"])
    for model in mixed.models.values():
        with pytest.raises(ValueError, match="'n', 'd' of the training data are not in these"):
            model.predict(rows)
        model = pickle.loads(pickle.dumps(model))
        model.named_steps["datatransformer"].adapter.set_params(missing_columns="fill")
        with pytest.warns(UserWarning, match="Not in these rows, so taken as missing: 'n', 'd'."):
            assert np.isfinite(model.predict_proba(rows)).all()


def test_other_columns_are_ignored_with_one_warning(mixed: Run) -> None:
    rows = MIXED.assign(more=1)
    for model in mixed.models.values():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("default")
            expected = model.predict_proba(MIXED)
            for _ in range(3):
                np.testing.assert_array_equal(model.predict_proba(rows), expected)
        assert [str(c.message) for c in caught] == ["Not in the training data, so ignored: 'more'."]


def test_rows_without_a_label_are_left_out_and_told() -> None:
    labels = pd.Series(LABELS, dtype=object)
    labels[:5] = [None, np.nan, pd.NA, None, np.nan]
    done = run(MIXED, labels)
    assert len(done.frame) == N - 5
    assert "5 rows without a label left out" in done.reports[DROPPED].description


def test_more_than_a_hundred_classes_are_told() -> None:
    frame = pd.DataFrame({"signal": RNG.normal(size=800)})
    y = np.arange(800) % 130
    profile = profile_frame(frame, y, "classification")
    validation = plan_validation("classification", y, ValidationOptions(), 0, 0)
    reports = run_guardrails(frame, y, profile, validation, "classification")
    report = next(r for r in reports if r.name == "Number of classes detection")
    assert report.state.value == "Alerted"
    assert "130 classes in 800 rows" in report.description


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([f"l{i}" for i in range(N)], "a class for each row|different"),
        (cycle("only"), "at least two classes; all 120 labels of column 'label' are 'only'"),
        (cycle(None), "None of the 120 rows has a label of column 'label'"),
    ],
)
def test_labels_that_cannot_be_learned_are_refused(labels: list[object], message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        run(MIXED, labels)


def test_too_few_rows_are_refused() -> None:
    with pytest.raises(DatasetError, match="at least 10 rows"):
        run(MIXED.head(9), LABELS[:9])
