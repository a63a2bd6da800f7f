"""Scaling steps."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone

from nbautoml.runtime import scalers

RNG = np.random.default_rng(0)
DENSE = np.column_stack(
    [RNG.normal(50, 9, 80), RNG.normal(-3, 1, 80), RNG.integers(0, 2, 80), np.zeros(80)]
).astype(np.float32)
SPARSE = sp.random(80, 12, density=0.3, random_state=0, format="csr", dtype=np.float32)
SIGNED = sp.csr_matrix(SPARSE - sp.random(80, 12, density=0.2, random_state=1, format="csr"))

ALL = [
    scalers.StandardScalerWrapper(),
    scalers.StandardScalerWrapper(with_mean=False),
    scalers.MinMaxScaler(),
    scalers.MaxAbsScaler(),
    scalers.RobustScaler(),
    scalers.SparseNormalizer(),
    scalers.TruncatedSVDWrapper(),
    scalers.PCA(),
]


@pytest.mark.parametrize("X", [DENSE, SPARSE, SIGNED.astype(np.float32)], ids=["dense", "csr", "±"])
@pytest.mark.parametrize("scaler", ALL, ids=repr)
class TestContract:
    def test_output_is_finite_of_the_same_rows_and_type(self, scaler, X):
        out = clone(scaler).fit_transform(X)
        values = out.toarray() if sp.issparse(out) else out
        assert np.isfinite(values).all()
        assert (out.shape[0], out.dtype) == (80, np.float32)

    def test_scaling_keeps_a_sparse_matrix_sparse(self, scaler, X):
        if isinstance(scaler, (scalers.PCA, scalers.TruncatedSVDWrapper)):
            assert not sp.issparse(clone(scaler).fit_transform(X))
        else:
            assert sp.issparse(clone(scaler).fit_transform(X)) == sp.issparse(X)

    def test_pickled_copy_gives_the_same_for_one_row(self, scaler, X):
        made = clone(scaler).fit(X)
        again = pickle.loads(pickle.dumps(made))
        one, other = made.transform(X[:1]), again.transform(X[:1])
        assert abs(one - other).max() < 1e-6

    def test_no_rows_have_the_same_width(self, scaler, X):
        made = clone(scaler).fit(X)
        assert made.transform(X[:0]).shape == (0, made.transform(X).shape[1])

    def test_input_is_not_changed(self, scaler, X):
        before = X.copy()
        clone(scaler).fit_transform(X)
        assert abs(X - before).max() == 0


RARE = np.r_[np.zeros((99, 2)), [[1e6, -1e6]]]
ODD = {
    "one row": RNG.normal(size=(1, 6)),
    "two rows": RNG.normal(size=(2, 6)),
    "one column": RNG.normal(size=(50, 1)),
    "one cell": np.ones((1, 1)),
    "no column": np.empty((50, 0)),
    "constant": np.full((50, 4), 3.0),
    "zeros": np.zeros((50, 4)),
    "some constant": np.c_[np.full(50, 7.0), RNG.normal(size=50), np.zeros(50)],
    "wide": RNG.normal(size=(20, 3_000)),
    "wide and mostly 0": RNG.poisson(0.02, size=(60, 2_000)),
    "very large": RNG.normal(size=(50, 4)) * 1e37,
    "very small": RNG.normal(size=(50, 4)) * 1e-38,
    "equal columns": np.repeat(RNG.normal(size=(50, 1)), 5, axis=1),
    "rare and large": RARE,
}


@pytest.mark.parametrize("make", [np.asarray, sp.csr_matrix], ids=["dense", "csr"])
@pytest.mark.parametrize("cells", ODD.values(), ids=ODD.keys())
@pytest.mark.parametrize("scaler", [*ALL, scalers.PCA(whiten=True)], ids=repr)
def test_odd_tables_give_finite_numbers_without_a_warning(scaler, cells, make):
    X = make(cells.astype(np.float32))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = clone(scaler).fit(X)
        out = made.transform(X)
    values = out.toarray() if sp.issparse(out) else out
    assert (len(values), values.dtype) == (len(cells), np.float32)
    assert np.isfinite(values).all()
    assert made.transform(X[:0]).shape == (0, values.shape[1])


@pytest.mark.parametrize("make", [np.asarray, sp.csr_matrix], ids=["dense", "csr"])
def test_robust_takes_the_deviation_where_the_range_is_zero(make):
    whole = np.arange(100) % 3 - 1.0  # its range is 2
    unit = np.repeat([-4.0, 0.0, 1.0, 9.0], 25)  # half of its rows are 0 and 1
    X = make(np.column_stack([RARE, whole, unit]))
    scales = scalers.RobustScaler(quantile_range=(30.0, 70.0)).fit(X).scaler_.scale_
    np.testing.assert_allclose(scales, [RARE[:, 0].std(), RARE[:, 1].std(), 2.0, 1.0])


@pytest.mark.parametrize("kind", [scalers.TruncatedSVDWrapper, scalers.PCA])
def test_columns_count_alike_whatever_their_unit(kind):
    share = RNG.normal(size=(200, 1))
    related = share + 0.1 * RNG.normal(size=(200, 5))
    X = np.c_[1e6 * RNG.normal(size=(200, 1)), related].astype(np.float32)
    first = kind(n_components=1).fit_transform(X).ravel()
    assert abs(np.corrcoef(first, share.ravel())[0, 1]) > 0.95


@pytest.mark.parametrize("kind", [scalers.TruncatedSVDWrapper, scalers.PCA])
def test_a_share_of_very_many_columns_is_capped(kind):
    X = sp.random(300, 1_500, density=0.02, random_state=0, format="csr", dtype=np.float32)
    assert kind(n_components=0.5).fit_transform(X).shape == (300, 128)


def test_standard_has_mean_zero_and_deviation_one():
    out = scalers.StandardScalerWrapper().fit_transform(DENSE)[:, :2]
    np.testing.assert_allclose(out.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(out.std(axis=0), 1, atol=1e-5)


@pytest.mark.parametrize("make", [np.asarray, sp.csr_matrix], ids=["dense", "csr"])
def test_standard_leaves_flags_and_weights_of_words_alone(make):
    flag = RNG.integers(0, 2, 80)
    weight = np.where(np.arange(80) % 10 == 0, 0.3, 0.0)
    share = RNG.uniform(0.2, 0.9, 80)  # a number that happens to lie within 0 and 1
    X = np.column_stack([flag, weight, share, 40 * share]).astype(np.float32)
    out = scalers.StandardScalerWrapper(with_mean=False).fit_transform(make(X))
    values = out.toarray() if sp.issparse(out) else out
    np.testing.assert_allclose(values[:, :2], X[:, :2])
    np.testing.assert_allclose(values[:, 2:].std(axis=0), 1, atol=1e-5)


def test_sparse_standard_only_divides():
    out = scalers.StandardScalerWrapper().fit_transform(SPARSE)
    assert out.nnz == SPARSE.nnz
    np.testing.assert_allclose(out.toarray().std(axis=0), 1, atol=1e-5)


def test_min_max_is_within_0_and_1_dense_and_sparse():
    for X in (DENSE, SPARSE.toarray(), SIGNED.toarray()):
        dense = scalers.MinMaxScaler().fit_transform(X)
        assert (dense.min(), dense.max()) == (0.0, pytest.approx(1.0))
    sparse = scalers.MinMaxScaler().fit_transform(SIGNED).toarray()
    np.testing.assert_allclose(sparse, scalers.MinMaxScaler().fit_transform(SIGNED.toarray()))


def test_sparse_min_max_leaves_columns_without_negatives_sparse():
    assert scalers.MinMaxScaler().fit_transform(SPARSE).nnz == SPARSE.nnz


@pytest.mark.parametrize("convert", [np.asarray, sp.csr_matrix], ids=["dense", "csr"])
def test_min_max_clips_new_rows_when_asked(convert):
    train, new = np.array([[0.0], [2.0]]), np.array([[-4.0], [4.0]])
    made = scalers.MinMaxScaler(clip=True).fit(convert(train))
    out = made.transform(convert(new))
    assert np.asarray(out.todense() if sp.issparse(out) else out).ravel().tolist() == [0.0, 1.0]


def test_max_abs_divides_by_the_largest():
    out = scalers.MaxAbsScaler().fit_transform(DENSE)
    np.testing.assert_allclose(np.abs(out).max(axis=0), [1, 1, 1, 0])


def test_robust_has_median_zero():
    out = scalers.RobustScaler().fit_transform(DENSE)[:, :2]
    np.testing.assert_allclose(np.median(out, axis=0), 0, atol=1e-5)


def test_normalizer_gives_rows_of_length_one():
    out = scalers.SparseNormalizer().fit_transform(SPARSE)
    lengths = np.sqrt(np.asarray(out.multiply(out).sum(axis=1)).ravel())
    assert set(np.round(lengths, 5)) <= {0.0, 1.0}


@pytest.mark.parametrize("kind", [scalers.TruncatedSVDWrapper, scalers.PCA])
@pytest.mark.parametrize(("n_components", "expected"), [(0.5, 6), (0.01, 1), (3, 3), (500, 11)])
def test_number_of_components(kind, n_components, expected):
    assert kind(n_components=n_components).fit_transform(SPARSE).shape == (80, expected)


@pytest.mark.parametrize("kind", [scalers.TruncatedSVDWrapper, scalers.PCA])
def test_a_single_column_is_passed_on(kind):
    X = DENSE[:, :1]
    np.testing.assert_array_equal(kind().fit_transform(X), X)


def test_decompositions_repeat_with_their_seed():
    one, other = (scalers.TruncatedSVDWrapper().fit_transform(SPARSE) for _ in range(2))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "scaler",
    [*ALL[:5], scalers.MinMaxScaler(clip=True), scalers.RobustScaler(False, True)],
    ids=repr,
)
def test_numbers_are_those_of_scikit_learn_bit_by_bit(scaler, dtype):
    made = clone(scaler).fit(DENSE.astype(dtype))
    rows = np.vstack([DENSE * 3, np.full((1, 4), np.nan)]).astype(dtype)
    out = made.transform(rows)
    np.testing.assert_array_equal(out, made.scaler_.transform(rows))
    assert out.dtype == dtype
