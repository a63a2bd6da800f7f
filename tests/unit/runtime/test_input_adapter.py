"""Raw rows in, columns of known types out."""

from __future__ import annotations

import datetime as dt
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from nbautoml.runtime.input_adapter import ColumnFormat, InputAdapter


def form(kind: str, name: str = "x", **values: str) -> ColumnFormat:
    return ColumnFormat(name=name, kind=kind, **values)


def read(cells: object, kind: str, **values: str) -> pd.Series:
    series = cells if isinstance(cells, pd.Series) else pd.Series(cells, dtype=object)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return InputAdapter([form(kind, **values)]).transform(pd.DataFrame({"x": series}))["x"]


THREE = InputAdapter([form("number", "a"), form("drop", "id"), form("category", "b")])


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([1, 2.5, None], [1, 2.5, np.nan]),
        (pd.Series([1, None, 3], dtype="Int64"), [1, np.nan, 3]),
        (pd.Series([1.5, None], dtype="float64[pyarrow]"), [1.5, np.nan]),
        (pd.Series([True, False]), [1, 0]),
        (pd.Series([True, None], dtype="boolean"), [1, np.nan]),
        (pd.Series(pd.to_timedelta([90, None], unit="s")), [90, np.nan]),
        ([dt.timedelta(minutes=1)], [60]),
        (["1.5", " 2 ", "n/a", "?", ""], [1.5, 2, np.nan, np.nan, np.nan]),
        (["1e3", "-4", "+5", ".5"], [1000, -4, 5, 0.5]),
        (["$1,200.50", "(300)", "-£7", "USD 5", "12%"], [1200.5, -300, -7, 5, 0.12]),
        (["1 234", "1\u00a0234", "1'234"], [1234, 1234, 1234]),
        ([np.inf, -np.inf, 1e39, 5], [np.nan, np.nan, np.nan, 5]),
        (["inf", "5"], [np.nan, 5]),
        ([pd.NA, np.nan, None, pd.NaT], [np.nan] * 4),
        (pd.Series([1, 2], dtype="category"), [1, 2]),
        ([1, "2", 3.5], [1, 2, 3.5]),
    ],
)
def test_numbers(cells, expected):
    column = read(cells, "number")
    assert column.dtype == np.float64
    np.testing.assert_array_equal(column, expected)


def test_numbers_with_a_comma():
    cells = ["€ 3,4", "1.234,5", "7", "5,5 €"]
    assert read(cells, "number", decimal=",").tolist() == [3.4, 1234.5, 7, 5.5]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["yes", "No", " Y ", "t", "off", None], [1, 0, 1, 1, 0, np.nan]),
        ([True, False, 1, 0, "1", 0.0], [1, 0, 1, 0, 1, 0]),
        (pd.Series([True, None], dtype="boolean"), [1, np.nan]),
        (pd.Series([True, False], dtype="bool[pyarrow]"), [1, 0]),
        (["true", "n/a", "false"], [1, np.nan, 0]),
    ],
)
def test_truth_values(cells, expected):
    np.testing.assert_array_equal(read(cells, "boolean"), expected)


NOON = np.datetime64("2024-03-01T12:00", "us")


@pytest.mark.parametrize(
    ("cells", "date_format"),
    [
        (pd.Series([NOON]), "mixed"),
        (pd.Series([pd.Timestamp("2024-03-01 13:00", tz="Europe/Berlin")]), "mixed"),
        (pd.Series([pd.Period("2024-03-01 12:00", freq="h")]), "mixed"),
        (pd.Series([NOON]).astype("timestamp[ns][pyarrow]"), "mixed"),
        ([dt.datetime(2024, 3, 1, 12)], "mixed"),
        (["2024-03-01T12:00:00Z"], "ISO8601"),
        (["2024-03-01T13:00+01:00"], "ISO8601"),
        (["01/03/2024 12:00"], "%d/%m/%Y %H:%M"),
        ([dt.datetime(2024, 3, 1, 12), "01.03.2024 12:00"], "%d.%m.%Y %H:%M"),
    ],
)
def test_dates_are_utc_without_zone(cells, date_format):
    column = read(cells, "date", date_format=date_format)
    assert column.dtype == np.dtype("datetime64[us]")
    assert set(column) == {pd.Timestamp(NOON)}


def test_missing_dates_are_nat():
    assert read(["2024-03-01", None, "n/a"], "date", date_format="ISO8601").isna().sum() == 2


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["a", " a", "b ", None, ""], ["a", "a", "b", None, None]),
        ([1, 1.0, "1", 2.5], ["1", "1", "1", "2.5"]),
        ([True, "x"], ["True", "x"]),
        ([b"caf\xc3\xa9"], ["café"]),
        (pd.Series(["b", "a"], dtype="category"), ["b", "a"]),
        (pd.Series(["b", None], dtype="string[pyarrow]"), ["b", None]),
        ([["a"], ["a"]], ["['a']", "['a']"]),
    ],
)
def test_categories_are_stripped_texts(cells, expected):
    column = read(cells, "category")
    assert column.cat.categories.dtype == object
    assert [None if pd.isna(label) else label for label in column] == expected


def test_texts_have_no_missing_cells():
    column = read(["a b", None, 5], "text")
    assert (column.dtype, column.tolist()) == (object, ["a b", "", "5"])


def test_columns_are_found_by_name_in_any_order():
    rows = pd.DataFrame({"id": [0], "b": ["u"], "a": [7]})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        out = THREE.transform(rows)
    assert (list(out.columns), out.iloc[0].tolist()) == (["a", "b"], [7.0, "u"])


def test_other_columns_are_ignored_with_a_warning():
    rows = pd.DataFrame({"more": [0], "b": ["u"], 5: [1], "a": [7]})
    with pytest.warns(UserWarning, match="^Not in the training data, so ignored: 'more', '5'.$"):
        assert list(THREE.transform(rows).columns) == ["a", "b"]
    rows = rows.assign(**{f"m{i}": 0 for i in range(20)})
    with pytest.warns(UserWarning, match="'m5' and 14 more.$"):
        THREE.transform(rows)


def test_names_that_are_numbers_are_found_as_text():
    adapter = InputAdapter([form("number", "1")])
    assert adapter.transform(pd.DataFrame({1: [5]}))["1"].tolist() == [5.0]


def test_missing_columns_are_named():
    with pytest.raises(ValueError, match="Column 'b' of the training data are not in these rows"):
        THREE.transform(pd.DataFrame({"a": [1], "id": [1]}))


def test_missing_columns_may_be_filled():
    adapter = clone(THREE).set_params(missing_columns="fill")
    with pytest.warns(UserWarning, match="^Not in these rows, so taken as missing: 'b'.$"):
        out = adapter.transform(pd.DataFrame({"a": [1, 2]}))
    assert (list(out.columns), out["b"].isna().tolist()) == (["a", "b"], [True, True])


def test_dropped_columns_may_be_missing():
    assert THREE.transform(pd.DataFrame({"a": [1], "b": ["u"]})).shape == (1, 2)


def test_columns_of_one_name_are_refused():
    with pytest.raises(ValueError, match="same name as text: 'a'"):
        THREE.transform(pd.DataFrame([[1, 2, 3]], columns=["a", "a", "b"]))


def test_arrays_have_all_training_columns_in_order():
    out = THREE.transform(np.array([[1, 99, "u"], [2, 98, "v"]], dtype=object))
    assert out["a"].tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match="table of 3 columns .*got shape \\(1, 2\\)"):
        THREE.transform([[1, "u"]])


def test_no_rows_give_no_rows_of_the_right_columns():
    out = THREE.transform(pd.DataFrame({"a": [], "b": []}))
    assert (out.shape, list(out.columns)) == ((0, 2), ["a", "b"])


def test_the_index_is_kept():
    rows = pd.DataFrame({"a": [1, 2], "b": ["u", "v"]}, index=[10, 7])
    assert THREE.transform(rows).index.tolist() == [10, 7]


def test_rows_are_not_changed():
    rows = pd.DataFrame({"a": ["$1", "2"], "b": [" u", "v"]})
    before = rows.copy(deep=True)
    THREE.transform(rows)
    pd.testing.assert_frame_equal(rows, before)


@pytest.mark.parametrize(
    ("kind", "good", "bad", "what"),
    [
        ("number", "5", "abc", "numbers"),
        ("boolean", "yes", "perhaps", "truth values"),
        ("date", "2024-01-01", "soon", "dates"),
    ],
)
def test_unreadable_cells(kind, good, bad, what):
    adapter = InputAdapter([form(kind, date_format="ISO8601")])

    def rows(n_good: int, n_bad: int) -> pd.DataFrame:
        return pd.DataFrame({"x": [good] * n_good + [bad] * n_bad})

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        adapter.transform(rows(95, 5))
    with pytest.warns(UserWarning, match=f"1 of 10 filled cells of column 'x' are not {what}"):
        out = adapter.transform(rows(9, 1))
    assert out["x"].isna().sum() == 1
    with pytest.raises(ValueError, match=f"6 of 10 filled .* are not {what}, such as '{bad}'"):
        adapter.transform(rows(4, 6))


def test_complex_numbers_are_refused():
    with pytest.raises(ValueError, match="complex numbers"):
        read(pd.Series([1j]), "number")


def test_follows_the_estimator_contract():
    again = clone(THREE)
    assert again.get_params() == {"columns": THREE.columns, "missing_columns": "error"}
    assert again.fit(pd.DataFrame({"a": [1], "b": ["u"]})) is again
    assert THREE.get_feature_names_out().tolist() == ["a", "b"]
    assert (THREE.n_features_in_, THREE.feature_names_in_.tolist()) == (3, ["a", "id", "b"])


def test_pickles_and_formats_survive_a_dict():
    again = pickle.loads(pickle.dumps(THREE))
    assert again.columns == THREE.columns
    assert [ColumnFormat.from_dict(c.to_dict()) for c in again.columns] == list(THREE.columns)
