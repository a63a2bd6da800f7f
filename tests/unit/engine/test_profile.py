"""What columns are found to be, hostile ones included."""

from __future__ import annotations

import datetime as dt
import json
import warnings
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from nbautoml.engine.featurize.build import build_adapter, build_featurizer
from nbautoml.engine.featurize.options import FeaturizationOptions, TransformerParams
from nbautoml.engine.profile import ColumnPurpose, DataProfile, profile_frame
from nbautoml.errors import ConfigError, DatasetError
from nbautoml.runtime.input_adapter import InputAdapter

N = 200
RNG = np.random.default_rng(3)
NOISE = RNG.normal(size=N)
WORDS = ["red", "green", "blue", "dark yellow"]


def cycle(*values: object) -> list[object]:
    return [values[i % len(values)] for i in range(N)]


def profile_of(cells: object, *, name: str = "x", options: FeaturizationOptions | None = None):
    frame = pd.DataFrame({"other": NOISE})
    frame[name] = pd.Series(cells) if not isinstance(cells, pd.Series) else cells
    profile = profile_frame(frame, np.zeros(N), "regression", options=options)
    return profile.columns[1]


def guid(i: int) -> str:
    return f"{i:08x}-1b2c-4d5e-8f90-{i:012x}"


HOSTILE = {
    "leading zeros": (cycle("00012", "10001", "02139"), "Categorical"),
    "phone with leading zeros": ([f"0{7000000 + 13 * i}" for i in range(N)], "Ignore"),
    "numeric codes": (cycle(1, 2, 3, 7), "Categorical"),
    "numeric codes as floats": (cycle(1.0, 2.0, None, 7.0), "Categorical"),
    "numeric codes as text": (cycle("1", "2", "7"), "Categorical"),
    "counts without a gap": (cycle(*range(9)), "Numeric"),
    "many whole numbers": (RNG.integers(0, 1000, N), "Numeric"),
    "few fractions": (cycle(0.5, 1.5), "Numeric"),
    "row counter": (np.arange(N), "Ignore"),
    "row counter as text": ([str(i) for i in range(1, N + 1)], "Ignore"),
    "unique floats stay": (np.sort(NOISE), "Numeric"),
    "unique whole numbers in no order": (RNG.permutation(10_000)[:N], "Numeric"),
    "guids": ([guid(i) for i in range(N)], "Ignore"),
    "hashes": ([f"{i * 2654435761:032x}" for i in range(N)], "Ignore"),
    "guids that repeat": (cycle(*[guid(i) for i in range(60)]), "CategoricalHash"),
    "yes and no": (cycle("yes", "no"), "Boolean"),
    "Y and N with spaces": (cycle(" Y", "N "), "Boolean"),
    "T and F": (cycle("T", "F", None), "Boolean"),
    "mixed spellings of true": (cycle("True", "FALSE", "t"), "Boolean"),
    "words of two families": (cycle("yes", "false"), "Categorical"),
    "sexes are no truths": (cycle("m", "f"), "Categorical"),
    "bool": (cycle(True, False), "Boolean"),
    "bool objects": (pd.Series(cycle(True, False, None), dtype=object), "Boolean"),
    "nullable boolean": (pd.Series(cycle(True, None, False), dtype="boolean"), "Boolean"),
    "dollars": ([f"${1000 + 7.5 * i:,.2f}" for i in range(N)], "Numeric"),
    "euros": ([f"€ {i},{i % 10}" for i in range(N)], "Numeric"),
    "percent": ([f"{i % 97}.5%" for i in range(N)], "Numeric"),
    "numbers with n/a and ?": ([*map(str, np.round(NOISE[:-2], 3)), "n/a", "?"], "Numeric"),
    "a fifth is no number": (cycle("1.5", "2.25", "3.75", "4.5", "abc"), "Categorical"),
    "decimals": (pd.Series([Decimal(i) / 3 for i in range(N)], dtype=object), "Numeric"),
    "iso dates": (pd.date_range("2020-01-01", periods=N).strftime("%Y-%m-%d"), "DateTime"),
    "iso times": (pd.date_range("2020-01-01", periods=N, freq="h").astype(str), "DateTime"),
    "day first": (pd.date_range("2020-01-01", periods=N).strftime("%d/%m/%Y"), "DateTime"),
    "month names": (pd.date_range("2020-01-01", periods=N).strftime("%d-%b-%Y"), "DateTime"),
    "compact times": (pd.date_range("2020-01-01", periods=N).strftime("%Y%m%dT000000"), "DateTime"),
    "several clear formats": (cycle("2020-01-05", "6 Jan 2021", "2020/03/07"), "DateTime"),
    "several unclear formats": (cycle("2020-01-05", "01/02/2020", "03.04.2021"), "Categorical"),
    "dates": (pd.Series([dt.date(2020, 1, 1 + i % 28) for i in range(N)]), "DateTime"),
    "times with zone": (pd.date_range("2020", periods=N, tz="Asia/Tokyo").to_series(), "DateTime"),
    "periods": (pd.period_range("2000-01", periods=N, freq="M").to_series(), "DateTime"),
    "durations": (pd.to_timedelta(RNG.integers(0, 9999, N), unit="s").to_series(), "Numeric"),
    "category type": (pd.Series(cycle(*WORDS), dtype="category"), "Categorical"),
    "category type of numbers": (pd.Series(cycle(1.5, 2.5), dtype="category"), "Categorical"),
    "lists": (pd.Series([[i] for i in range(N)], dtype=object), "Ignore"),
    "dicts": (pd.Series([{"a": i} for i in range(N)], dtype=object), "Ignore"),
    "mixed types": (pd.Series(cycle(1, "b", 2.5), dtype=object), "Categorical"),
    "nullable whole numbers": (pd.Series([*range(0, 396, 2), None, 5], dtype="Int64"), "Numeric"),
    "nullable text": (pd.Series(cycle("a", "b", None), dtype="string"), "Categorical"),
    "Arrow numbers": (pd.Series(NOISE, dtype="float64[pyarrow]"), "Numeric"),
    "Arrow text": (pd.Series(cycle(*WORDS), dtype="string[pyarrow]"), "Categorical"),
    "Arrow times": (
        pd.Series(pd.date_range("2020", periods=N)).astype("timestamp[ns][pyarrow]"),
        "DateTime",
    ),
    "all missing": (cycle(None), "Ignore"),
    "all missing floats": (cycle(np.nan), "Ignore"),
    "all blank": (cycle("", "  "), "Ignore"),
    "constant number": (cycle(5), "Ignore"),
    "constant text": (cycle("a"), "Ignore"),
    "one value, else missing": (cycle("a", None), "Categorical"),
    "one number, else missing": (cycle(3.5, None), "Numeric"),
    "many categories": (cycle(*[f"c{i}" for i in range(70)]), "CategoricalHash"),
    "unique codes": ([f"ref{i:05d}" for i in range(N)], "Ignore"),
    "sentences": ([f"the {i}th of many long texts" for i in range(N)], "Text"),
    "Chinese texts": ([f"这是一个很长的句子没有空格{chr(0x4E00 + i)}" for i in range(N)], "Text"),
    "phrases that repeat": (cycle("bad in all ways", "good in most ways"), "Categorical"),
}  # fmt: skip


SECONDS = pd.Series(pd.date_range("2021-01-01", periods=N, freq="37h13min7s"))


@pytest.mark.parametrize(
    "date_format",
    [
        *("%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S UTC", "%m/%d/%Y %I:%M%p", "%d%b%Y", "%b %Y"),
        *("%b-%y", "%a, %d %b %Y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y", "%A, %B %d, %Y"),
        *("%d/%b/%Y:%H:%M:%S +0000", "%Y%m%d", "%H:%M:%S", "%H:%M", "%I:%M %p"),
    ],
)
def test_times_in_one_format_are_times_without_a_doubt(date_format):
    found = profile_of(SECONDS.dt.strftime(date_format))
    assert (found.purpose, found.notes) == (ColumnPurpose.DATETIME, ())
    rows = pd.DataFrame({"x": SECONDS.dt.strftime(date_format)})
    read = InputAdapter([found.form]).transform(rows)["x"]
    assert read.notna().all()
    assert read.dt.strftime(date_format).tolist() == rows["x"].tolist()


def test_times_of_day_of_a_data_base_are_times():
    cells = pd.Series([dt.time(8, i % 60) for i in range(N)], dtype=object)
    assert profile_of(cells).purpose is ColumnPurpose.DATETIME


@pytest.mark.parametrize(
    "cells", [cycle("75:30", "16:09"), cycle("item 12", "item 13"), cycle("20241301", "20240231")]
)
def test_what_only_looks_like_times_is_none(cells):
    assert profile_of(cells).purpose is ColumnPurpose.CATEGORICAL


@pytest.mark.parametrize(("cells", "purpose"), HOSTILE.values(), ids=HOSTILE.keys())
def test_column_type(cells, purpose):
    series = cells if isinstance(cells, pd.Series) else pd.Series(cells)
    assert profile_of(series.reset_index(drop=True)).purpose.value == purpose


def test_every_dropped_column_says_why():
    frame = pd.DataFrame({"n": NOISE, "id": np.arange(N), "same": 1, "empty": np.nan})
    profile = profile_frame(frame, NOISE, "regression")
    assert {c.name: c.reason for c in profile.dropped} == {
        "id": "It numbers the rows (an id).",
        "same": "All values are the same.",
        "empty": "All values are missing.",
    }


def test_whole_numbers_named_id_are_dropped_in_any_order():
    cells = RNG.permutation(10_000)[:N]
    assert profile_of(cells, name="CustomerId").purpose is ColumnPurpose.IGNORE
    assert profile_of(cells, name="candid").purpose is ColumnPurpose.NUMERIC


def test_years_that_count_up_are_no_row_counter():
    assert profile_of(np.arange(1800, 1800 + N), name="year").purpose is ColumnPurpose.NUMERIC


def test_infinities_count_as_missing_with_a_note():
    cells = NOISE.copy()
    cells[:3] = [np.inf, -np.inf, 1e300]
    found = profile_of(cells)
    assert found.n_missing == 3
    assert found.notes == ("3 infinite or very large values count as missing.",)


def test_a_few_unreadable_numbers_are_noted():
    found = profile_of([*map(str, NOISE[:-1]), "abc"])
    assert found.notes == ("1 cells are not numbers and count as missing.",)


def test_day_or_month_first_is_told_when_both_fit():
    found = profile_of(cycle("01/02/2020", "03/04/2021", "05/06/2021"))
    assert found.form.date_format == "%m/%d/%Y"
    assert "month was taken as first" in found.notes[0]


def test_dots_mean_day_first_when_both_fit():
    assert profile_of(cycle("01.02.2020", "03.04.2021")).form.date_format == "%d.%m.%Y"


def test_one_date_decides_for_all():
    found = profile_of(cycle("01/02/2020", "03/04/2021", "25/06/2021"))
    assert (found.form.date_format, found.notes) == ("%d/%m/%Y", ())


def test_unclear_dates_are_noted():
    found = profile_of(cycle("2020-01-05", "01/02/2020", "03.04.2021"))
    assert found.notes == ("It looks like dates, but in formats that can be read in two ways.",)


def test_complex_numbers_are_refused():
    with pytest.raises(DatasetError, match="complex numbers"):
        profile_of(NOISE + 1j)


@pytest.mark.parametrize("names", [["a", "a"], [1, "1"]])
def test_two_columns_of_one_name_are_refused(names):
    frame = pd.DataFrame(np.ones((N, 2)), columns=names)
    with pytest.raises(DatasetError, match="same name"):
        profile_frame(frame, NOISE, "regression")


@pytest.mark.parametrize(
    "name",
    ["a,b:c", '"q"', "[x]", "{y}", "", "a b", "a\nb", "日本", "\\", "x" * 5000, 7, (1, 2)],
    ids=str,
)
def test_any_name_is_taken(name):
    frame = pd.DataFrame({"n": NOISE})
    frame[name if not isinstance(name, tuple) else str(name)] = NOISE
    assert profile_frame(frame, NOISE, "regression").columns[1].name == str(name)


def test_table_of_empty_columns_is_refused():
    frame = pd.DataFrame({"a": [None] * N, "b": [np.nan] * N})
    with pytest.raises(DatasetError, match="None of the 2 columns can be used.*a: All values"):
        profile_frame(frame, NOISE, "regression")


def test_too_few_rows_are_refused():
    with pytest.raises(
        DatasetError, match="at least 10 rows with a label; the training data has 9"
    ):
        profile_frame(pd.DataFrame({"a": range(9)}), np.zeros(9), "regression")


def test_table_without_columns_is_refused():
    with pytest.raises(DatasetError, match="no column besides the label"):
        profile_frame(pd.DataFrame(index=range(20)), np.zeros(20), "regression")


def test_labels_must_be_as_many_as_rows():
    with pytest.raises(DatasetError, match="200 rows but 3 labels"):
        profile_frame(pd.DataFrame({"a": NOISE}), [1, 2, 3], "regression")


def test_arrays_are_refused():
    with pytest.raises(DatasetError, match="must be a DataFrame; got ndarray"):
        profile_frame(np.ones((20, 2)), np.ones(20), "regression")


def test_the_users_purpose_wins():
    options = FeaturizationOptions(column_purposes={"x": ColumnPurpose.NUMERIC})
    found = profile_of(cycle(1, 2, 3), options=options)
    assert (found.purpose, found.form.kind) == (ColumnPurpose.NUMERIC, "number")
    assert found.reason == "Numeric as asked."


def test_dates_as_asked():
    options = FeaturizationOptions(column_purposes={"x": ColumnPurpose.DATETIME})
    found = profile_of(cycle("2020-01-05", "01/02/2020", "03.04.2021"), options=options)
    assert (found.purpose, found.form.date_format) == (ColumnPurpose.DATETIME, "mixed")


@pytest.mark.parametrize("purpose", list(ColumnPurpose))
def test_any_column_is_read_as_asked_or_refused(purpose):
    """No purpose ends in an error of another kind, or in features that are no numbers."""
    for cells, _ in HOSTILE.values():
        series = (cells if isinstance(cells, pd.Series) else pd.Series(cells)).reset_index(
            drop=True
        )
        frame = pd.DataFrame({"other": NOISE}).assign(x=series)
        options = FeaturizationOptions(column_purposes={"x": purpose})
        try:
            profile = profile_frame(frame, NOISE, "regression", options=options)
        except DatasetError as error:
            assert "'x' was asked to be read as" in str(error)  # noqa: PT017 - either will do
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            warnings.filterwarnings("ignore", message=".*count as missing")
            made = build_featurizer(profile, "linear")
            out = made.fit_transform(build_adapter(profile).transform(frame), NOISE)
        assert np.isfinite(out.data if sp.issparse(out) else out).all()


@pytest.mark.parametrize(
    "purpose", [ColumnPurpose.NUMERIC, ColumnPurpose.DATETIME, ColumnPurpose.BOOLEAN]
)
def test_a_purpose_that_cannot_be_is_refused(purpose):
    options = FeaturizationOptions(column_purposes={"x": purpose})
    with pytest.raises(DatasetError, match="'x' was asked to be read as"):
        profile_of(cycle(*WORDS), options=options)


@pytest.mark.parametrize(
    ("cells", "given", "note"),
    [
        (cycle(*WORDS), ("Imputer", {"strategy": "median"}), "it is Categorical. Give it the"),
        (cycle(*WORDS), ("Imputer", {"strategy": "most_frequent"}), None),
        (NOISE, ("Imputer", {"strategy": "median"}), None),
        (NOISE, ("TfIdf", {"max_features": 9}), "column purpose Text to change that."),
        (cycle(*WORDS), ("HashOneHotEncoder", {"number_of_bits": 3}), "purpose CategoricalHash"),
    ],
)
def test_parameters_without_effect_on_a_column_are_noted(cells, given, note):
    name, params = given
    asked = TransformerParams(transformer=name, columns=("x",), params=params)
    found = profile_of(cells, options=FeaturizationOptions(transformer_params=(asked,)))
    assert note in found.notes[0] if note else found.notes == ()


def test_columns_are_dropped_as_asked():
    found = profile_of(NOISE, options=FeaturizationOptions(drop_columns=("x",)))
    assert (found.is_used, found.reason) == (False, "Dropped as asked.")


def test_options_for_a_column_that_is_not_there_are_refused():
    with pytest.raises(ConfigError, match="names column 'othr'.*Did you mean 'other'"):
        profile_of(NOISE, options=FeaturizationOptions(drop_columns=("othr",)))


@pytest.mark.parametrize(
    ("cells", "purpose"),
    [
        (cycle(1, 2, 3), "Numeric"),
        (np.arange(N), "Numeric"),
        (cycle("1.5", "2.5"), "Categorical"),
        ([f"the {i}th of many long texts" for i in range(N)], "CategoricalHash"),
        (cycle("2020-01-05", "2020-01-06"), "DateTime"),
        (cycle(True, False), "Boolean"),
        (cycle(5), "Ignore"),
    ],
)
def test_without_featurization_the_type_of_the_column_counts(cells, purpose):
    found = profile_of(cells, options=FeaturizationOptions(is_auto=False))
    assert found.purpose.value == purpose


def test_profile_survives_json():
    frame = pd.DataFrame({"n": NOISE, "d": pd.date_range("2020", periods=N), "c": cycle(*WORDS)})
    params = TransformerParams(transformer="Imputer", columns=("n",), params={"strategy": "median"})
    options = FeaturizationOptions(
        column_purposes={"c": ColumnPurpose.TEXT}, transformer_params=(params,), drop_columns=("d",)
    )
    profile = profile_frame(frame, NOISE, "regression", options=options)
    assert DataProfile.from_dict(json.loads(json.dumps(profile.to_dict()))) == profile


def test_the_label_has_no_say():
    frame = pd.DataFrame({"n": NOISE, "c": cycle(*WORDS)})
    one = profile_frame(frame, np.zeros(N), "classification")
    assert one == profile_frame(frame, RNG.integers(0, 9, N), "classification")
