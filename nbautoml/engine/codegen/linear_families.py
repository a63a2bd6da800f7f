"""The code of families that learn lines: penalised, calibrated, or by gradient descent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any  # Any: estimators, values of parameters

from nbautoml.engine.codegen.algorithms import Algorithm, Circumstances, doc_of
from nbautoml.engine.codegen.source import Call, Code, Imports, call_of, render
from nbautoml.engine.models.tabular import (
    _descent,
    _margin,
    elastic_net,
    logistic_regression,
    sgd,
)

_PASSES = (
    f"min({_descent._MOST_PASSES}, max({_descent._FEWEST_PASSES}, "
    f"math.ceil({_descent._STEPS:_} / X.shape[0])))"
)


def _steps(n_iterations: int, most: int, given: Circumstances) -> tuple[str, ...]:
    """Return lines that fit in steps: each goes on from where the last one ended."""
    fit = render(given.plain_fit(), indent=8)
    given.imports.add("numpy", alias="np")
    return (
        f"    for _ in range({most}):  # steps of {n_iterations} iterations, until one needs fewer",
        f"        {fit}",
        f"        if np.max(model.n_iter_) < {n_iterations}:",
        "            break",
    )


def logistic(given: Circumstances) -> Algorithm:
    """Write a logistic regression."""
    step, most = logistic_regression._STEP, logistic_regression._MOST_STEPS
    return Algorithm(
        estimator=given.call(changes={"max_iter": step, "warm_start": True}),
        doc=doc_of(given),
        fit=_steps(step, most, given),
        ignores_convergence=True,
    )


def _spread(given: Circumstances) -> tuple[str, ...]:
    """Return lines that find the standard deviation of the label."""
    if not given.is_weighted:
        return ("    spread = y.std() or 1.0",)
    given.imports.add("math")
    given.imports.add("numpy", alias="np")
    return (
        "    mean = np.average(y, weights=weight)",
        "    spread = math.sqrt(np.average((y - mean) ** 2, weights=weight)) or 1.0",
    )


def elastic(given: Circumstances) -> Algorithm:
    """Write linear regression with both penalties, in units of the label's spread."""
    alpha, ratio = given.params["alpha"], given.params["l1_ratio"]
    before = (
        "    # Penalties are meant for labels of spread 1; coefficients grow with the labels.",
        *_spread(given),
        f"    l1 = {alpha} * {ratio} * spread",
        f"    l2 = {alpha} * (1.0 - {ratio})",
    )
    step, most = elastic_net._STEP, elastic_net._MOST_STEPS
    changes = {
        "alpha": Code("l1 + l2"),
        "l1_ratio": Code("l1 / (l1 + l2)"),
        "max_iter": step,
        "warm_start": True,
    }
    return Algorithm(
        estimator=given.call(changes=changes),
        doc=doc_of(given),
        before=before,
        fit=_steps(step, most, given),
        ignores_convergence=True,
    )


def lasso_lars(given: Circumstances) -> Algorithm:
    """Write the lasso by least angles, which needs dense rows in double precision."""
    given.imports.add("numpy", alias="np")
    given.imports.add("nbautoml.engine.models.tabular.lasso_lars", "keep_sane")
    lines = ["    rows = features"]
    if given.may_be_sparse:
        given.imports.add("scipy.sparse", "issparse")
        lines = ["    rows = features.toarray() if issparse(features) else features"]
    lines.append("    model.fit(rows.astype(np.float64), target)")
    lines.append("    keep_sane(model, rows, target)  # the path may run away at its end")
    return Algorithm(
        estimator=given.call(changes={"alpha": Code(f"{given.params['alpha']} * spread")}),
        doc=doc_of(given),
        before=(
            "    # The penalty is meant for labels of spread 1.",
            "    spread = y.std() or 1.0",
        ),
        fit=tuple(lines),
        ignores_convergence=True,
    )


def fast_linear(given: Circumstances) -> Algorithm:
    """Write linear regression by stochastic average gradients."""
    changes = {"alpha": Code(f"{given.params['alpha']} * X.shape[0]")}
    estimator = given.call(by_rows={"max_iter": _PASSES}, changes=changes)
    if _uses_math(estimator):
        given.imports.add("math")
    return Algorithm(
        estimator=estimator,
        doc=doc_of(given),
        ignores_convergence=True,
    )


def linear_svm(given: Circumstances) -> Algorithm:
    """Write a linear support vector machine."""
    return _calibrated(given)


def perceptron(given: Circumstances) -> Algorithm:
    """Write an averaged perceptron."""
    passes = f"min({given.params['max_iter']}, {_PASSES})"
    return _calibrated(given, by_rows={"max_iter": passes})


def svm(given: Circumstances) -> Algorithm:
    """Write a support vector machine; its gamma is in units of the features' variance."""
    lines = ["    squares = X.astype(float) ** 2"]
    if given.may_be_sparse:
        given.imports.add("scipy.sparse", "issparse")
        lines = ["    squares = X.multiply(X) if issparse(X) else X.astype(float) ** 2"]
    lines += [
        "    variance = float(squares.mean()) - float(X.mean()) ** 2",
        f"    gamma = {given.params['gamma']} * (1.0 / (X.shape[1] * variance))",
    ]
    return _calibrated(given, changes={"gamma": Code("gamma")}, before=tuple(lines))


def _calibrated(
    given: Circumstances,
    *,
    changes: Mapping[str, Any] | None = None,
    by_rows: Mapping[str, str] | None = None,
    before: tuple[str, ...] = (),
) -> Algorithm:
    """Write a classifier of margins, which are calibrated on rows left out."""
    imports = given.imports
    imports.add("sklearn.calibration", "CalibratedClassifierCV")
    imports.add("nbautoml.runtime.splits", "calibration_splits")
    margin = given.call(by_rows=by_rows, changes=changes, part=lambda made: made.estimator)
    if _uses_math(margin):
        imports.add("math")
    few, *others = {_margin.n_splits(shape.n_rows) for shape in given.shapes()}
    n_splits: Any = few
    if others:
        least, most, rows = _margin._SPLITS, _margin._SPLITS_OF_FEW, _margin._FEW_ROWS
        n_splits = Code(f"{most} if len(y) <= {rows} else {least}")
    splits = Call("calibration_splits", (("", Code("y")), ("", n_splits), ("seed", Code("seed"))))
    estimator = Call(
        "CalibratedClassifierCV", (("", margin), ("method", "sigmoid"), ("cv", splits))
    )
    return Algorithm(
        estimator=estimator,
        doc=doc_of(given),
        before=before,
        ignores_convergence=True,
    )


def _uses_math(call: Call) -> bool:
    return any(isinstance(value, Code) and "math." in value.text for _, value in call.arguments)


def sgd_family(given: Circumstances) -> Algorithm:
    """Write stochastic gradient descent for classes or for numbers."""
    if given.facts.is_classification:
        return _calibrated(given, by_rows={"max_iter": _PASSES})
    return _descended(given, f"{sgd._FIRST_STEP} / long_row")


def online_descent(given: Circumstances) -> Algorithm:
    """Write online gradient descent."""
    return _descended(given, f"{given.params['eta0']} / long_row")


def _descended(given: Circumstances, first_step: str) -> Algorithm:
    """Write a regressor whose first step is sized by a long row."""
    imports: Imports = given.imports
    imports.add("numpy", alias="np")
    dense = 'np.einsum("ij,ij->i", X, X)'
    squares = f"    squares = {dense}"
    if given.may_be_sparse:
        imports.add("scipy.sparse", "issparse")
        squares = f"    squares = X.multiply(X).sum(axis=1) if issparse(X) else {dense}"
    whole = given.build(given.params, given.shapes()[0])
    inner = given.call(
        by_rows={"max_iter": _PASSES},
        changes={"eta0": Code(first_step)},
        part=lambda made: made.regressor,
    )
    if _uses_math(inner):
        imports.add("math")
    share = _descent._LONG_ROW
    return Algorithm(
        estimator=call_of(whole, imports, changes={"regressor": inner}),
        doc=doc_of(given),
        before=(
            "    # Steps up to the inverse of a long row's squared length do not overshoot.",
            squares,
            f"    long_row = 1.0 + float(np.quantile(np.asarray(squares, dtype=float), {share}))",
        ),
        ignores_convergence=True,
    )


def multinomial(given: Circumstances) -> Algorithm:
    """Write naive Bayes on counts, after a step that leaves nothing negative."""
    before: tuple[str, ...] = ()
    changes: dict[str, Any] = {}
    model = given.build(given.params, given.shapes()[0])
    if given.may_be_sparse:
        imports = given.imports
        imports.add("operator")
        imports.add("scipy.sparse", "issparse")
        imports.add("sklearn.preprocessing", "FunctionTransformer", "MinMaxScaler")
        before = (
            "    # Counts are never negative.",
            "    positive = MinMaxScaler(clip=True)",
            "    if issparse(X):",
            "        positive = FunctionTransformer(operator.abs, accept_sparse=True)",
        )
        changes = {"positive": Code("positive")}
    steps = [(name, changes.get(name, call_of(step, given.imports))) for name, step in model.steps]
    given.imports.add("sklearn.pipeline", "Pipeline")
    named = (("model__sample_weight", Code("weight")),) if given.is_weighted else ()
    fit = Call("model.fit", (("", Code("features")), ("", Code("target")), *named))
    return Algorithm(
        estimator=Call("Pipeline", (("", steps),)),
        doc=doc_of(given),
        before=before,
        fit=("    " + render(fit, indent=4),),
    )
