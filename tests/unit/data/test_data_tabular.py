"""Datasets as values: lazy, frozen, made from one another."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbautoml.data import Dataset, TabularDataset, as_dataset
from nbautoml.data.definition import Definition
from nbautoml.errors import ConfigError, DatasetError, NotAvailableError

Write = Callable[[str, str | bytes], str]


def of_rows(n: int) -> TabularDataset:
    return Dataset.Tabular.from_pandas_dataframe(pd.DataFrame({"n": range(n), "m": range(n)}))


def numbers(dataset: TabularDataset) -> list[int]:
    frame = dataset.to_pandas_dataframe()
    assert list(frame.index) == list(range(len(frame)))
    return [int(v) for v in frame["n"]]


def test_rows_are_taken_and_skipped_in_the_order_of_the_calls() -> None:
    dataset = of_rows(10)

    assert numbers(dataset.take(3)) == [0, 1, 2]
    assert numbers(dataset.skip(8)) == [8, 9]
    assert numbers(dataset.skip(2).take(3)) == [2, 3, 4]
    assert numbers(dataset.take(3).skip(2)) == [2]
    assert numbers(dataset.take(99)) == list(range(10))
    assert numbers(dataset.take(0)) == []


@settings(deadline=None, max_examples=50)
@given(n=st.integers(0, 60), share=st.floats(0, 1), seed=st.integers(0, 2**31))
def test_a_split_is_exact_and_gives_each_row_once(n: int, share: float, seed: int) -> None:
    first, second = of_rows(n).random_split(share, seed=seed)

    assert len(numbers(first)) == round(n * share)
    assert sorted(numbers(first) + numbers(second)) == list(range(n))


def test_a_split_is_the_same_each_time_and_keeps_the_order() -> None:
    first, second = of_rows(200).random_split(percentage=0.7, seed=3)

    assert numbers(first) == numbers(first) == sorted(numbers(first))
    assert numbers(of_rows(200).random_split(0.7, seed=3)[1]) == numbers(second)
    assert numbers(of_rows(200).random_split(0.7, seed=4)[0]) != numbers(first)


def test_a_split_without_a_seed_still_fits_together() -> None:
    first, second = of_rows(100).random_split(0.5)

    assert sorted(numbers(first) + numbers(second)) == list(range(100))


def test_a_sample_is_the_same_each_time() -> None:
    sample = of_rows(1000).take_sample(0.3, seed=1)

    assert numbers(sample) == numbers(sample)
    assert 230 < len(numbers(sample)) < 370
    assert numbers(of_rows(9).take_sample(1.0)) == list(range(9))


def test_a_sample_of_a_split_of_a_taken_part_is_defined() -> None:
    dataset = of_rows(100).take(50).random_split(0.5, seed=1)[0].take(5)

    assert numbers(dataset) == numbers(dataset)
    assert max(numbers(dataset)) < 50


def test_columns_are_kept_in_the_order_asked_and_dropped() -> None:
    frame = pd.DataFrame({"a": [1], "b": [2], "c": [3]})
    dataset = Dataset.Tabular.from_pandas_dataframe(frame)

    assert list(dataset.keep_columns(["c", "a"]).to_pandas_dataframe()) == ["c", "a"]
    assert list(dataset.keep_columns("b").to_pandas_dataframe()) == ["b"]
    assert list(dataset.drop_columns(["a", "c"]).to_pandas_dataframe()) == ["b"]


def test_a_wrong_column_is_named_with_the_right_one() -> None:
    dataset = of_rows(1)

    with pytest.raises(DatasetError, match="no column 'N'. Did you mean 'n'"):
        dataset.keep_columns("N", validate=True)
    lazy = dataset.drop_columns("x")
    with pytest.raises(DatasetError, match="drop_columns: there is no column 'x'"):
        lazy.to_pandas_dataframe()


@pytest.mark.parametrize(
    "call",
    [
        lambda d: d.take(-1),
        lambda d: d.take(1.5),
        lambda d: d.skip(True),
        lambda d: d.random_split(1.1),
        lambda d: d.random_split("0.5"),
        lambda d: d.take_sample(0.5, seed=-1),
        lambda d: d.keep_columns([]),
        lambda d: d.keep_columns(["n", "n"]),
        lambda d: d.to_pandas_dataframe(on_error="ignore") and None,
    ],
)
def test_wrong_arguments_are_refused(call: Callable[[TabularDataset], object]) -> None:
    with pytest.raises(ConfigError, match="got|at least|more than once"):
        call(of_rows(2))


def test_only_the_rows_that_are_needed_are_read(write: Write) -> None:
    path = write("a.csv", "n,m\n1,2\n3,4\n5\n")  # the third row is bad
    dataset = Dataset.Tabular.from_delimited_files(path, validate=False)

    assert numbers(dataset.skip(1).keep_columns("n").take(1)) == [3]
    with pytest.raises(DatasetError, match="line 4"):
        dataset.take(3).to_pandas_dataframe()


def test_a_dataset_does_not_change_with_the_frame_it_was_made_of_or_gave() -> None:
    frame = pd.DataFrame({"n": [1, 2]})
    dataset = Dataset.Tabular.from_pandas_dataframe(frame)
    frame.loc[0, "n"] = 99
    given = dataset.to_pandas_dataframe()
    given.loc[1, "n"] = 77

    assert numbers(dataset) == [1, 2]


def test_calls_give_new_datasets_and_leave_the_old() -> None:
    dataset = of_rows(3)
    dataset.take(1)

    assert dataset.definition.steps == ()


def test_a_definition_survives_json(write: Write) -> None:
    path = write("a.csv", "n,m\n" + "1,2\n" * 20)
    dataset = Dataset.Tabular.from_delimited_files(path, encoding="latin1")
    first, _ = dataset.keep_columns("n").skip(1).take(9).random_split(0.5, seed=1)

    text = json.dumps(first.definition.to_dict())

    assert Definition.from_dict(json.loads(text)) == first.definition


def test_names_become_text_and_collisions_are_refused() -> None:
    named = Dataset.Tabular.from_pandas_dataframe(pd.DataFrame([[1, 2]], columns=[0, "a"]))

    assert list(named.to_pandas_dataframe()) == ["0", "a"]
    with pytest.raises(DatasetError, match=r"'1' is there 2 times \(as 1, '1'\)"):
        Dataset.Tabular.from_pandas_dataframe(pd.DataFrame([[1, 2]], columns=[1, "1"]))
    with pytest.raises(DatasetError, match="2 times"):
        as_dataset(pd.DataFrame([[1, 2]], columns=["a", "a"]))
    with pytest.raises(DatasetError, match="2 levels"):
        as_dataset(pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])))


def test_a_frame_may_stand_for_a_dataset_and_other_things_may_not() -> None:
    assert as_dataset(pd.DataFrame({"n": [1]})).to_pandas_dataframe()["n"].tolist() == [1]
    with pytest.raises(DatasetError, match="training_data must be .* got str. Read it first"):
        as_dataset("train.csv", "training_data")


def test_it_says_what_it_is(write: Write) -> None:
    path = write("a.csv", "n\n1\n")
    dataset = Dataset.Tabular.from_delimited_files(path).take(3)

    assert repr(dataset) == f"TabularDataset({path}, take 3)"
    assert (dataset.id, dataset.name, dataset.version, dict(dataset.tags)) == (None, None, None, {})


def test_what_is_not_built_says_what_to_do() -> None:
    with pytest.raises(NotAvailableError, match="TabularDataset.filter is not built; do it with"):
        of_rows(1).filter(None)
    with pytest.raises(AttributeError, match="nonsense"):
        _ = of_rows(1).nonsense
    with pytest.raises(NotAvailableError, match="Dataset.File is not built"):
        Dataset.File.from_files(path="x")
    with pytest.raises(NotAvailableError, match=r"pandas\.read_sql"):
        Dataset.Tabular.from_sql_query("select 1")
    with pytest.raises(NotAvailableError, match="to_parquet"):
        Dataset.Tabular.register_dask_dataframe(None)


def test_a_file_that_goes_away_is_an_error_then(write: Write) -> None:
    path = write("a.csv", "n\n1\n")
    dataset = Dataset.Tabular.from_delimited_files(path)
    Path(path).unlink()

    with pytest.raises(DatasetError, match="a.csv does not exist"):
        dataset.to_pandas_dataframe()
