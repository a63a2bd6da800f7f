"""Labels to numbers and back."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from nbautoml.engine.target import TargetEncoding, class_array, encode_target
from nbautoml.errors import ConfigError, DatasetError


def test_classes_are_sorted_and_coded_from_zero():
    target = encode_target(["b", "a", "b", "c"], "classification")
    assert target.encoding.classes == ("a", "b", "c")
    assert target.values.tolist() == [1, 0, 1, 2]


def test_rows_without_a_label_are_left_out_and_counted():
    target = encode_target(pd.Series(["b", None, "a", "b"]), "classification")
    assert target.values.tolist() == [1, 0, 1]
    assert (target.is_kept.tolist(), target.n_dropped) == ([True, False, True, True], 1)


def test_whole_numbers_that_missing_labels_made_floats_are_whole_again():
    encoding = TargetEncoding.fit(pd.Series([1, 0, None, 1, 0]), "classification")
    assert [type(label) for label in encoding.classes] == [int, int]


def test_floats_stay_floats_when_nothing_is_missing():
    assert TargetEncoding.fit([1.0, 0.0, 1.0], "classification").classes == (0.0, 1.0)


def test_numbers_sort_as_numbers():
    assert TargetEncoding.fit([10, 9, 10, 9], "classification").classes == (9, 10)


@pytest.mark.parametrize(
    "labels",
    [
        pd.Series([True, False, True]),
        pd.Series([True, False, None, True], dtype="boolean"),
        pd.Series([1, 2, 1], dtype="Int64"),
        pd.Series(["a", "b", "a"], dtype="category"),
        pd.Series(["a", "b", "a"], dtype="string[pyarrow]"),
        pd.Series([1, "b", 1], dtype=object),
        np.array(["a", "b", "a"]),
        pd.DataFrame({"y": ["a", "b", "a"]}),
    ],
    ids=str,
)
def test_labels_of_any_type_come_back(labels):
    target = encode_target(labels, "classification")
    plain = pd.Series(np.asarray(labels).ravel(), dtype=object)
    expected = [label for label in plain if not pd.isna(label)]
    assert target.encoding.decode(target.values).tolist() == expected


def test_unknown_labels_have_code_minus_one():
    encoding = TargetEncoding.fit(["a", "b", "a"], "classification")
    assert encoding.encode(["c", "b"]).tolist() == [-1, 1]


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_no_label_at_all_is_refused(task):
    labels = pd.Series([None, np.nan, None], name="y", dtype=object)
    with pytest.raises(DatasetError, match="None of the 3 rows has a label of column 'y'"):
        encode_target(labels, task)


def test_one_class_is_refused():
    with pytest.raises(DatasetError, match="at least two classes; all 3 labels are 'a'"):
        encode_target(["a", "a", None, "a"], "classification")


def test_a_class_for_each_row_is_refused():
    with pytest.raises(DatasetError, match="Each of the 30 labels is different"):
        encode_target(range(30), "classification")


def test_two_label_columns_are_refused():
    with pytest.raises(DatasetError, match="must be one column; got 2"):
        encode_target(pd.DataFrame({"a": [1], "b": [2]}), "classification")


def test_regression_keeps_the_range_of_the_labels():
    encoding = TargetEncoding.fit([3.0, np.nan, -1.0], "regression")
    assert (encoding.y_min, encoding.y_max, encoding.n_classes) == (-1.0, 3.0, 0)


def test_infinite_numbers_count_as_missing():
    target = encode_target([1.0, np.inf, 3.0], "regression")
    assert (target.values.tolist(), target.n_dropped) == ([1.0, 3.0], 1)


def test_numbers_written_as_text_are_read():
    assert encode_target(["$1,200", "7", "n/a"], "regression").values.tolist() == [1200.0, 7.0]


def test_words_are_no_numbers():
    with pytest.raises(DatasetError, match="needs numbers as labels of column 'y'; found 'cheap'"):
        encode_target(pd.Series(["1", "cheap"], name="y"), "regression")


def test_a_constant_number_is_refused():
    with pytest.raises(DatasetError, match="All labels are 5; a regression needs"):
        encode_target([5, 5, 5], "regression")


@pytest.mark.parametrize(
    ("labels", "task"), [(["a", "b", "b"], "classification"), ([1.5, 2.0], "regression")]
)
def test_encoding_survives_json(labels, task):
    encoding = TargetEncoding.fit(labels, task)
    again = TargetEncoding.from_dict(json.loads(json.dumps(encoding.to_dict())))
    assert again.to_dict() == encoding.to_dict()
    assert again.encode(labels).tolist() == encoding.encode(labels).tolist()


def test_labels_for_charts_are_texts():
    assert TargetEncoding.fit([1.0, 2.0, 1.0], "classification").class_labels == ("1", "2")


def test_class_array_keeps_the_type():
    assert class_array((1, 2)).dtype.kind == "i"
    assert class_array((1, "a")).tolist() == [1, "a"]


@pytest.mark.parametrize(("labels", "given"), [([0, 1], "1"), ([0, 1], 1.0), (["a", "1"], 1)])
def test_the_code_of_a_class_is_found_however_it_is_written(labels, given):
    encoding = TargetEncoding.fit([*labels, *labels], "classification")
    assert encoding.class_labels[encoding.code_of(given)] == "1"


def test_a_class_that_is_not_there_has_no_code():
    encoding = TargetEncoding.fit([f"c{i % 20}" for i in range(60)], "classification")
    with pytest.raises(ConfigError, match=r"is 'c99', which is no class .* 'c1', .* and 8 more"):
        encoding.code_of("c99")
