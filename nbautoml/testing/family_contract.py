"""What every model family must do: checks for built-in families and for plug-ins.

Use them with pytest::

    @pytest.mark.parametrize("check", FAMILY_CHECKS, ids=lambda check: check.__name__)
    def test_family(check):
        check("my_package.models:MyFamily", Task.CLASSIFICATION)
"""

from __future__ import annotations

import functools
import pickle
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any  # Any: matrices are ndarray or csr

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.base import clone

from nbautoml.domain.tasks import Task
from nbautoml.engine.models._base import (
    DataShape,
    FitContext,
    FitResult,
    ModelFamily,
    Representation,
    shape_of,
)
from nbautoml.engine.models.catalog import get_family
from nbautoml.engine.search.budget import Deadline

# A fit whose deadline lies this far ahead must end within the second number.
_SHORT_SECONDS = 0.3
_PATIENT_SECONDS = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    X: Any  # ndarray or csr
    y: npt.NDArray[Any]
    context: FitContext


def _case(
    task: Task, *, n_rows: int = 120, n_columns: int = 6, n_classes: int = 3, seed: int = 0
) -> _Case:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, n_columns)).astype(np.float32)
    signal = X[:, 0] + 0.5 * X[:, -1] + 0.1 * rng.normal(size=n_rows)
    if task is Task.CLASSIFICATION:
        edges = np.quantile(signal, np.linspace(0, 1, n_classes + 1)[1:-1])
        context = FitContext(task=task, n_classes=n_classes)
        return _Case(X=X, y=np.searchsorted(edges, signal), context=context)
    return _Case(X=X, y=1000.0 + 50.0 * signal, context=FitContext(task=task))


def _fit(family: ModelFamily, case: _Case, *, is_validated: bool = True) -> FitResult:
    params = family.portfolio(case.context.task)[0]
    half = case.X.shape[0] // 2
    valid = (case.X[half:], case.y[half:]) if is_validated else None
    return family.fit(case.X, case.y, params=params, context=case.context, valid=valid)


@functools.cache
def _plain(name: str, task: Task) -> FitResult:
    """Fit the plain case, for all checks that compare another fit with it."""
    return _fit(get_family(name), _case(task))


def _answers(model: Any, X: Any, task: Task) -> npt.NDArray[Any]:
    answers = model.predict_proba(X) if task is Task.CLASSIFICATION else model.predict(X)
    return np.asarray(answers)


def _assert_usable(model: Any, case: _Case) -> None:
    answers = _answers(model, case.X, case.context.task)
    assert np.isfinite(answers).all()
    assert len(answers) == case.X.shape[0]
    if case.context.task is Task.CLASSIFICATION:
        assert answers.shape[1] == case.context.n_classes
        np.testing.assert_allclose(answers.sum(axis=1), 1.0, atol=1e-4)


def check_identity(name: str, task: Task) -> None:
    """Its name, task, representation and scalers are of the known ones."""
    family = get_family(name)
    assert family.name
    assert task in family.tasks
    assert isinstance(family.representation, Representation)
    assert family.scalers


def check_portfolio_lies_in_space(name: str, task: Task) -> None:
    """Each portfolio entry names all dimensions and comes back from the cube almost unchanged."""
    family = get_family(name)
    space = family.space(task)
    assert family.portfolio(task)
    for params in family.portfolio(task):
        assert list(params) == list(space.dimensions)
        point = space.encode(params)
        assert all(0.0 <= u <= 1.0 for u in point)
        again = space.encode(space.decode(point))
        np.testing.assert_allclose(again, point, atol=0.03)


def check_corners_of_space_fit(name: str, task: Task) -> None:
    """The lowest and the highest corner of the cube are legal settings."""
    family = get_family(name)
    case = _case(task, n_rows=60)
    space = family.space(task)
    for corner in (0.0, 1.0):
        params = space.decode([corner] * len(space))
        deadline = Deadline.after(1.0)
        context = FitContext(task=task, n_classes=case.context.n_classes, deadline=deadline)
        valid = (case.X[30:], case.y[30:])
        result = family.fit(case.X, case.y, params=params, context=context, valid=valid)
        _assert_usable(result.model, case)


def check_clone(name: str, task: Task) -> None:
    """What it builds is a scikit-learn estimator that can be cloned."""
    family = get_family(name)
    case = _case(task)
    model = family.build(family.portfolio(task)[0], shape_of(case.X, case.context), case.context)
    assert repr(clone(model).get_params()) == repr(model.get_params())


def check_learns(name: str, task: Task) -> None:
    """It beats a constant on data with a plain signal."""
    family = get_family(name)
    case = _case(task, n_rows=400)
    answers = _answers(_fit(family, case).model, case.X, task)
    if task is Task.CLASSIFICATION:
        assert np.mean(answers.argmax(axis=1) == case.y) > 0.5
    else:
        assert np.mean((answers - case.y) ** 2) < 0.7 * np.var(case.y)


def check_same_seed_same_answers(name: str, task: Task) -> None:
    """Two fits with one seed give the same answers, bit for bit."""
    case = _case(task)
    again = _answers(_fit(get_family(name), case).model, case.X, task)
    np.testing.assert_array_equal(again, _answers(_plain(name, task).model, case.X, task))


def check_far_deadline_changes_nothing(name: str, task: Task) -> None:
    """A deadline that is never reached gives the same answers as none."""
    family = get_family(name)
    case = _case(task)
    context = FitContext(task=task, n_classes=case.context.n_classes, deadline=Deadline.after(600))
    limited = _fit(family, _Case(X=case.X, y=case.y, context=context))
    expected = _answers(_plain(name, task).model, case.X, task)
    np.testing.assert_array_equal(_answers(limited.model, case.X, task), expected)


def check_pickle(name: str, task: Task) -> None:
    """A fitted model pickles, gives the same answers after it, and holds no clock."""
    family = get_family(name)
    case = _case(task)
    context = FitContext(task=task, n_classes=case.context.n_classes, deadline=Deadline.after(600))
    model = _fit(family, _Case(X=case.X, y=case.y, context=context)).model
    data = pickle.dumps(model)
    assert b"nbautoml.engine" not in data
    again = _answers(pickle.loads(data), case.X, task)
    np.testing.assert_array_equal(again, _answers(model, case.X, task))


def check_deadline(name: str, task: Task) -> None:
    """A fit ends soon after its deadline, with a usable model."""
    family = get_family(name)
    case = _case(task, n_rows=6_000, n_columns=40)
    started = time.monotonic()
    deadline = Deadline.after(_SHORT_SECONDS)
    context = FitContext(task=task, n_classes=case.context.n_classes, deadline=deadline)
    result = _fit(family, _Case(X=case.X, y=case.y, context=context))
    assert time.monotonic() - started < _PATIENT_SECONDS
    _assert_usable(result.model, _Case(X=case.X[:50], y=case.y[:50], context=case.context))


def check_progress(name: str, task: Task) -> None:
    """What it tells of its progress lies from 0 to 1 and never goes back, with a deadline too."""
    family = get_family(name)
    case = _case(task, n_rows=400, n_classes=2)
    for deadline in (Deadline(), Deadline.after(_SHORT_SECONDS)):
        told: list[float] = []
        context = FitContext(
            task=task, n_classes=case.context.n_classes, deadline=deadline, progress=told.append
        )
        _fit(family, _Case(X=case.X, y=case.y, context=context))
        assert told == sorted(told)
        assert all(0.0 <= share <= 1.0 for share in told)


def check_weights(name: str, task: Task) -> None:
    """Weights of rows count, or make no difference where it says that it takes none."""
    family = get_family(name)
    case = _case(task, n_classes=2)
    y = case.y.copy()
    y[::2] = y[::2][::-1]
    weight = np.where(np.arange(len(y)) % 2 == 0, 1e-3, 1.0)
    params = family.portfolio(task)[0]
    plain, weighted = (
        family.fit(case.X, y, params=params, context=case.context, weight=given).model
        for given in (None, weight)
    )
    is_same = np.array_equal(_answers(plain, case.X, task), _answers(weighted, case.X, task))
    assert is_same != family.uses_weight


def check_refit(name: str, task: Task) -> None:
    """A refit uses the rounds that it is told, where the family boosts."""
    family = get_family(name)
    case = _case(task)
    rounds = _plain(name, task).rounds
    params = family.portfolio(task)[0]
    wanted = None if rounds is None else 7
    result = family.refit(case.X, case.y, params=params, context=case.context, rounds=wanted)
    assert result.rounds == wanted
    _assert_usable(result.model, case)


def check_tiny(name: str, task: Task) -> None:
    """Six rows are enough for a model."""
    family = get_family(name)
    case = _case(task, n_rows=6)
    _assert_usable(_fit(family, case, is_validated=False).model, case)


def check_two_classes(name: str, task: Task) -> None:
    """Two classes give two columns of probabilities."""
    if task is Task.CLASSIFICATION:
        case = _case(task, n_classes=2)
        _assert_usable(_fit(get_family(name), case).model, case)


def check_constant_columns(name: str, task: Task) -> None:
    """Columns without any spread do no harm, not even when all are like that."""
    case = _case(task)
    flat = np.ones_like(case.X)
    same = _Case(X=flat, y=case.y, context=case.context)
    _assert_usable(_fit(get_family(name), same).model, same)


def check_missing_values(name: str, task: Task) -> None:
    """A family of the tree representation takes NaN, as that representation keeps it."""
    family = get_family(name)
    if family.representation is not Representation.TREE:
        return
    case = _case(task, n_classes=2)
    X = case.X.copy()
    X[::3, 0] = np.nan
    X[:, 1] = np.nan
    holes = _Case(X=X, y=case.y, context=case.context)
    _assert_usable(_fit(family, holes).model, holes)


def check_wide(name: str, task: Task) -> None:
    """More columns than rows are fine."""
    case = _case(task, n_rows=40, n_columns=60, n_classes=2)
    _assert_usable(_fit(get_family(name), case).model, case)


def check_sparse(name: str, task: Task) -> None:
    """A csr matrix is fine for every family that the linear representation feeds."""
    family = get_family(name)
    if family.representation is not Representation.LINEAR:
        return
    case = _case(task)
    X = sparse.csr_matrix(np.where(np.abs(case.X) > 1.0, case.X, 0.0).astype(np.float32))
    thin = _Case(X=X, y=case.y, context=case.context)
    _assert_usable(_fit(family, thin).model, thin)


def check_read_only_input(name: str, task: Task) -> None:
    """Memory-mapped data cannot be written to, and need not be."""
    case = _case(task, n_classes=2)
    case.X.setflags(write=False)
    case.y.setflags(write=False)
    _assert_usable(_fit(get_family(name), case).model, case)


def check_cost_grows(name: str, task: Task) -> None:
    """The cost hint is positive and does not fall with more rows or columns."""
    family = get_family(name)
    n_classes = 2 if task is Task.CLASSIFICATION else 0
    small = DataShape(n_rows=100, n_columns=5, n_classes=n_classes)
    large = DataShape(n_rows=100_000, n_columns=50, n_classes=n_classes)
    for params in family.portfolio(task):
        assert 0.0 < family.cost(params, small) <= family.cost(params, large)


FAMILY_CHECKS: tuple[Callable[[str, Task], None], ...] = (
    check_identity,
    check_portfolio_lies_in_space,
    check_corners_of_space_fit,
    check_clone,
    check_learns,
    check_same_seed_same_answers,
    check_far_deadline_changes_nothing,
    check_pickle,
    check_deadline,
    check_progress,
    check_weights,
    check_refit,
    check_tiny,
    check_two_classes,
    check_constant_columns,
    check_missing_values,
    check_wide,
    check_sparse,
    check_read_only_input,
    check_cost_grows,
)
