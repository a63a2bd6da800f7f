"""Means of the label by category, and arithmetic of pairs."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.metrics import roc_auc_score

from nbautoml.runtime import crosses
from nbautoml.runtime.crosses import PairArithmetic, TargetColumns

N_ROWS = 2_000


def _frame(seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "a": pd.Categorical(rng.choice(list("abc"), N_ROWS)),
            "b": pd.Categorical(rng.choice(list("abcd"), N_ROWS)),
            "many": pd.Categorical(rng.integers(700, size=N_ROWS).astype(str)),
            "number": rng.normal(size=N_ROWS),
        }
    )


def _noise(kind: str) -> np.ndarray:
    rng = np.random.default_rng(7)
    if kind == "numbers":
        return rng.normal(size=N_ROWS)
    return rng.integers(2 if kind == "two classes" else 3, size=N_ROWS)


def test_a_category_becomes_the_mean_of_its_rows() -> None:
    frame = _frame()[["a"]]
    y = (frame["a"] == "b").to_numpy() * 2.0 + 1.0
    encoder = TargetColumns().fit(frame, y)
    found = encoder.transform(pd.DataFrame({"a": pd.Categorical(["a", "b", "c"])}))
    assert np.allclose(found[:, 0], [1.0, 3.0, 1.0], atol=0.01)


def test_unseen_and_missing_categories() -> None:
    cells = np.where(np.arange(N_ROWS) % 4 == 0, None, "x")
    frame = pd.DataFrame({"a": pd.Categorical(cells)})
    y = (np.arange(N_ROWS) % 4 == 0).astype(int)
    encoder = TargetColumns().fit(frame, y)
    found = encoder.transform(pd.DataFrame({"a": pd.Categorical([None, "x", "new"])}))[:, 0]
    assert found[0] > 0.98
    assert found[1] < 0.02
    assert found[2] == pytest.approx(0.25)


@pytest.mark.parametrize("kind", ["two classes", "three classes", "numbers"])
def test_training_rows_do_not_see_their_own_label(kind: str) -> None:
    """Columns of pure chance tell nothing of the labels that they were fitted on."""
    y = _noise(kind)
    found = TargetColumns(crossed=4).fit_transform(_frame(), y)
    correlations = [np.corrcoef(column, y)[0, 1] for column in found.T if column.std() > 0]
    assert max(correlations, default=0.0) < 0.1
    seen = TargetColumns(crossed=4).fit(_frame(), y).transform(_frame())
    assert found.shape == seen.shape


def test_a_changed_label_does_not_change_its_own_row() -> None:
    frame, y = _frame(), _noise("two classes")
    other = y.copy()
    other[5] = 1 - other[5]
    before = TargetColumns().fit_transform(frame, y)
    after = TargetColumns().fit_transform(frame, other)
    assert (before[5] == after[5]).all()
    assert (before != after).any()


def test_pairs_tell_what_single_columns_cannot() -> None:
    frame = _frame()
    y = (frame["a"].cat.codes.to_numpy() % 2) ^ (frame["b"].cat.codes.to_numpy() % 2)
    encoder = TargetColumns(crossed=3)
    found = encoder.fit_transform(frame[["a", "b", "number"]], y)
    names = list(encoder.get_feature_names_out())
    assert names[:2] == ["a_target", "b_target"]
    assert roc_auc_score(y, found[:, names.index("a x b_target")]) > 0.99
    assert abs(roc_auc_score(y, found[:, 0]) - 0.5) < 0.2


def test_numbers_are_cut_into_parts_for_crosses_only() -> None:
    encoder = TargetColumns(crossed=4).fit(_frame(), _noise("numbers"))
    names = list(encoder.get_feature_names_out())
    assert "number_target" not in names
    assert "a x number_target" in names


def test_columns_of_many_categories_do_not_win_by_chance() -> None:
    frame = _frame()
    y = (frame["a"] == "b").to_numpy() ^ (frame["b"] == "c").to_numpy()
    encoder = TargetColumns(crossed=2).fit(frame, y.astype(int))
    assert encoder.pairs_ == [(0, 1)]


def test_three_classes_get_a_share_each() -> None:
    frame = _frame()[["a"]]
    y = frame["a"].cat.codes.to_numpy().astype(int)
    found = TargetColumns().fit(frame, y).transform(frame)
    assert found.shape == (N_ROWS, 3)
    assert (found.argmax(axis=1) == y).all()


def test_few_rows_and_one_class() -> None:
    frame = _frame().head(3)
    found = TargetColumns(crossed=4).fit_transform(frame, np.zeros(3, dtype=int))
    assert np.isfinite(found).all()


@pytest.mark.parametrize("made", [TargetColumns(crossed=3), PairArithmetic(crossed=3)])
def test_copies_give_the_same(made: TargetColumns | PairArithmetic) -> None:
    frame = _frame()
    columns = ["a", "b", "number"] if isinstance(made, TargetColumns) else ["number", "double"]
    frame = frame.assign(double=frame["number"] * 2 + 1)[columns]
    y = _noise("numbers")
    expected = clone(made).fit_transform(frame, y)
    again = pickle.loads(pickle.dumps(clone(made).fit(frame, y)))
    assert (clone(made).fit_transform(frame, y) == expected).all()
    assert again.transform(frame).shape == expected.shape
    assert len(again.get_features()) == expected.shape[1]


def test_arithmetic_of_the_columns_that_tell_most() -> None:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(rng.normal(size=(600, 4)) + 3, columns=list("pqrs"))
    y = frame["p"].to_numpy() / frame["r"].to_numpy()
    made = PairArithmetic(crossed=2).fit(frame, y)
    assert list(made.get_feature_names_out()) == ["p + r", "p - r", "p * r", "p / r"]
    assert np.allclose(made.transform(frame)[:, 3], y, rtol=1e-5)


def test_arithmetic_with_missing_cells_and_zeros() -> None:
    frame = pd.DataFrame({"p": [1.0, np.nan, 2.0, 4.0], "q": [0.0, 1.0, 2.0, 8.0]})
    found = PairArithmetic().fit_transform(frame, np.arange(4.0))
    assert np.isnan(found[0, 3])
    assert np.isnan(found[1]).all()
    assert found[3].tolist() == [12.0, -4.0, 32.0, 0.5]


@pytest.mark.parametrize("kind", ["numbers", "two classes", "three classes"])
@pytest.mark.parametrize("names", [["a", "b", "number"], ["a"], ["number", "many"]])
@pytest.mark.parametrize("crossed", [0, 3])
def test_answers_looked_up_are_those_that_are_searched_for(
    kind: str, names: list[str], crossed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = _frame()[names]
    rows = _frame(1)[names].head(300)
    rows.iloc[::7] = None
    if "a" in names:
        rows["a"] = rows["a"].cat.rename_categories({"c": "unseen"})
    if "number" in names:
        rows.loc[rows.index[:3], "number"] = [np.inf, -1e9, 1e9]
    fitted = TargetColumns(crossed=crossed).fit(frame, _noise(kind))
    searching = pickle.loads(pickle.dumps(fitted))

    found = [fitted.transform(part) for part in (rows, rows.head(1), rows.head(0))]
    monkeypatch.setattr(crosses, "_LOOKUP_CELLS", 0)
    expected = [searching.transform(part) for part in (rows, rows.head(1), rows.head(0))]

    assert searching._lookup is None
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)
        assert (one.dtype, one.shape) == (other.dtype, other.shape)
