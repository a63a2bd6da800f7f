"""The code of fitting, predicting and scoring."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any  # Any: scalers of scikit-learn

from sklearn import preprocessing

from nbautoml.engine.codegen.algorithms import LIMITS, Algorithm, Circumstances
from nbautoml.engine.codegen.data import splits_need_frame
from nbautoml.engine.codegen.facts import Member, ScriptFacts
from nbautoml.engine.codegen.families import write_algorithm
from nbautoml.engine.codegen.source import (
    Call,
    Code,
    Imports,
    assign,
    call_of,
    comment,
    function,
    give_back,
    render,
)
from nbautoml.engine.featurize.options import Representation
from nbautoml.runtime import scalers

_STOCK: Mapping[str, Any] = {
    "MaxAbsScaler": preprocessing.MaxAbsScaler,
    "MinMaxScaler": preprocessing.MinMaxScaler,
}
"""Scalers that do to dense features just what scikit-learn's own do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberCode:
    """The functions of one trial, by name.

    Parameters
    ----------
    member : Member
        The trial.
    suffix : str
        What its functions' names end with; empty for a single trial.
    transformation : str
        Name of the function that makes its features.
    """

    member: Member
    suffix: str
    transformation: str


class TrainingCode:
    """Writes what fits and scores the trials of a script.

    Parameters
    ----------
    facts : ScriptFacts
        What the code is of.
    imports : Imports
        Takes what the code needs.
    """

    def __init__(self, facts: ScriptFacts, imports: Imports) -> None:
        self._facts = facts
        self._imports = imports
        self.ignores_convergence = False

    def write(self, code: MemberCode) -> list[str]:
        """Return the functions that make, fit and ask the model of one trial."""
        given = Circumstances(facts=self._facts, member=code.member, imports=self._imports)
        algorithm = write_algorithm(given)
        self.ignores_convergence |= algorithm.ignores_convergence
        sources = [self._preprocessor(code, given)] if _has_scaler(code.member) else []
        return [
            *sources,
            self._algorithm(code, algorithm),
            self._train(code, given, algorithm),
            self._predict_fold(code, given, algorithm),
        ]

    def seeds(self, code: MemberCode) -> str:
        """Return the constants with a seed for each fold, and the rounds of fits that were cut."""
        member, run = code.member, self._facts.run
        seeds = member.seeds(self._facts.seed, run.n_folds)
        lines = [assign(f"SEEDS{code.suffix.upper()}", seeds)]
        known = {seeds[fold]: steps for fold, steps in member.cut.items() if steps}
        if known:
            lines.append(comment("The time of the run cut these fits: most rounds, by seed."))
            lines.append(assign(f"MOST_ROUNDS{code.suffix.upper()}", known))
        return "\n".join(lines)

    def _preprocessor(self, code: MemberCode, given: Circumstances) -> str:
        name = code.member.candidate.scaler
        own = getattr(scalers, name)
        kind = own if given.may_be_sparse else _STOCK.get(name, own)
        doc = (own.__doc__ or name).strip().splitlines()[0]
        call = self._own_scaler(own) if kind is own else call_of(kind(), self._imports)
        return function(
            f"generate_preprocessor_config{code.suffix}",
            (),
            f"Return the scaler: {doc[0].lower()}{doc[1:]}",
            [give_back(call)],
        )

    def _own_scaler(self, kind: Any) -> Call:
        """Return the call of a scaler of this package; some are named as scikit-learn's are."""
        self._imports.add("nbautoml.runtime", "scalers")
        call = call_of(kind(), Imports(), shown=None)
        return replace(call, function=f"scalers.{call.function}")

    def _algorithm(self, code: MemberCode, algorithm: Algorithm) -> str:
        estimator = algorithm.estimator
        if any(code.member.cut.values()):
            estimator = _limited(estimator, f"MOST_ROUNDS{code.suffix.upper()}")
        algorithm = replace(algorithm, estimator=estimator)
        return function(
            f"generate_algorithm_config{code.suffix}",
            _arguments(algorithm),
            f"Return the model, not yet fitted. {algorithm.doc}",
            [*algorithm.before, give_back(estimator)],
        )

    def _train(self, code: MemberCode, given: Circumstances, algorithm: Algorithm) -> str:
        facts = self._facts
        lines = [
            f"    transformer = {code.transformation}()",
            "    features = transformer.fit_transform(X, y)",
        ]
        transform = "transformer.transform(X_valid)"
        steps: list[Any] = [("datatransformer", Code("transformer"))]
        if _has_scaler(code.member):
            lines.append(f"    scaler = generate_preprocessor_config{code.suffix}()")
            lines.append("    features = scaler.fit_transform(features)")
            transform = f"scaler.transform({transform})"
            steps.append((code.member.candidate.scaler, Code("scaler")))
        lines += self._target(given)
        if algorithm.stops_early:
            lines += [f"    features_valid = {transform}", *self._target_valid(given)]
        inputs = {"X": "features", "y": "target", "weight": "weight", "seed": "seed"}
        made = ", ".join(inputs[name] for name in _arguments(algorithm))
        lines.append(f"    model = generate_algorithm_config{code.suffix}({made})")
        lines += algorithm.fit or ("    " + render(given.plain_fit(), indent=4),)
        steps.append((given.family.name, Code("model")))
        lines.append(give_back(self._pipeline(steps)))
        if not given.is_log and not facts.has_gaps:
            lines = [re.sub(r"\btarget(_valid)?\b", r"y\1", line) for line in lines]
        doc = "Return features, scaler and model, fitted."
        return function(
            f"train_model{code.suffix}", self._train_arguments(given, algorithm), doc, lines
        )

    def _train_arguments(self, given: Circumstances, algorithm: Algorithm) -> list[str]:
        has_weight = given.is_weighted
        first = ["X", "y", *(["weight"] if has_weight else []), "seed"]
        if not algorithm.stops_early:
            return first
        return [*first, "X_valid", "y_valid", *(["weight_valid"] if has_weight else [])]

    def _target(self, given: Circumstances) -> list[str]:
        if given.is_log:
            self._imports.add("numpy", alias="np")
            return ["    target = np.log1p(y)  # large labels weigh less so"]
        if self._facts.has_gaps:
            self._imports.add("numpy", alias="np")
            return [
                "    # A fold may lack a class: models count those that they see from 0.",
                "    codes, target = np.unique(y, return_inverse=True)",
            ]
        return []

    def _target_valid(self, given: Circumstances) -> list[str]:
        if given.is_log:
            return ["    target_valid = np.log1p(y_valid)"]
        if not self._facts.has_gaps:
            return []
        lines = [
            "    is_known = np.isin(y_valid, codes)",
            "    features_valid = features_valid[is_known]",
            "    target_valid = np.searchsorted(codes, y_valid[is_known])",
        ]
        if given.is_weighted:
            lines.append("    weight_valid = weight_valid[is_known]")
        return lines

    def _pipeline(self, steps: list[Any]) -> Call:
        if not self._facts.has_gaps:
            self._imports.add("sklearn.pipeline", "Pipeline")
            return Call("Pipeline", (("", steps),))
        self._imports.add("nbautoml.runtime.pipeline", "ModelPipeline")
        classes = Code(f"np.arange({self._facts.n_classes})")
        return Call("ModelPipeline", (("", steps), ("classes", classes), ("codes", Code("codes"))))

    def _predict_fold(self, code: MemberCode, given: Circumstances, algorithm: Algorithm) -> str:
        weight = ["weight"] if self._facts.is_weighted else []
        parts = {
            "X": "X.iloc[train]",
            "y": "y[train]",
            "weight": "weight[train]",
            "seed": "seed",
            "X_valid": "X.iloc[valid]",
            "y_valid": "y[valid]",
            "weight_valid": "weight[valid]",
        }
        names = self._train_arguments(given, algorithm)
        call = Call(f"train_model{code.suffix}", tuple(("", Code(parts[n])) for n in names))
        asked = "model.predict_proba" if self._facts.is_classification else "model.predict"
        answer = f"{asked}(X.iloc[valid])"
        if given.is_log:
            answer = f"np.expm1({answer})"
        self._imports.add("numpy", alias="np")
        return function(
            f"predict_fold{code.suffix}",
            ["X", "y", *weight, "train", "valid", "seed"],
            "Return predictions for validation rows, in the precision of the run.",
            [assign("model", call, indent=4), f"    return {answer}.astype(np.float32)"],
        )


def _has_scaler(member: Member) -> bool:
    return member.candidate.representation is not Representation.NATIVE


def _arguments(algorithm: Algorithm) -> list[str]:
    return [name for name in ("X", "y", "weight", "seed") if algorithm.needs(name)]


def _limited(estimator: Call, constant: str) -> Call:
    """Return the call with the rounds of cut fits in place of the usual number."""
    arguments = [
        (name, Code(f"{constant}.get(seed, {value})") if name in LIMITS else value)
        for name, value in estimator.arguments
    ]
    return replace(estimator, arguments=tuple(arguments))


def write_score(facts: ScriptFacts, imports: Imports) -> list[str]:
    """Return the functions that score predictions, and take the mean over folds."""
    named: list[tuple[str, Any]] = [("", Code("y")), ("", Code("predictions"))]
    if facts.is_classification:
        name = "score_classification"
        named.append(("n_classes", Code(facts.n_classes)))
        if facts.run.positive is not None:
            named.append(("positive", facts.run.positive))
    else:
        name = "score_regression"
        named += [("y_min", Code("Y_MIN")), ("y_max", Code("Y_MAX"))]
    if facts.is_weighted:
        named.append(("sample_weight", Code("weight")))
    imports.add("nbautoml.engine.metrics", name)
    imports.add("numpy", alias="np")
    arguments = ["y", "predictions", *(["weight"] if facts.is_weighted else [])]
    return [
        function(
            "score_predictions",
            arguments,
            "Return all metrics of some rows.",
            [give_back(Call(name, tuple(named)))],
        ),
        function(
            "mean_of_folds",
            ["scores"],
            "Return the mean of each metric over the folds in which it is defined.",
            [
                "    means = {}",
                "    for name in scores[0]:",
                "        values = [fold[name] for fold in scores if np.isfinite(fold[name])]",
                '        means[name] = float(np.mean(values)) if values else float("nan")',
                "    return means",
            ],
        ),
    ]


def write_single_metrics(facts: ScriptFacts) -> str:
    """Return the function that cross-validates one trial."""
    weight = ", weight" if facts.is_weighted else ""
    rows = ", weight[valid]" if facts.is_weighted else ""
    return function(
        "calculate_metrics",
        ["X", "y", *(["weight"] if facts.is_weighted else []), "splits"],
        "Return the mean of each metric over the folds.",
        [
            "    scores = []",
            "    for (train, valid), seed in zip(splits, SEEDS, strict=True):",
            f"        predictions = predict_fold(X, y{weight}, train, valid, seed)",
            f"        scores.append(score_predictions(y[valid], predictions{rows}))",
            "    return mean_of_folds(scores)",
        ],
    )


def write_main(facts: ScriptFacts, imports: Imports, *, ignores_convergence: bool) -> str:
    """Return the function that does all of it."""
    imports.add("threadpoolctl", "threadpool_limits")
    has_valid = bool(facts.validation_data)
    weight = ", weight" if facts.is_weighted else ""
    body = []
    if ignores_convergence:
        imports.add("warnings")
        imports.add("sklearn.exceptions", "ConvergenceWarning")
        body.append("    # Solvers stop after as many rounds as in the run.")
        body.append('    warnings.simplefilter("ignore", ConvergenceWarning)')
    asked = "frame, y" if facts.group_column else "frame" if splits_need_frame(facts) else "y"
    body += [
        f"    frame = select_rows(frame{', validation' if has_valid else ''})",
        f"    X, y{weight} = prepare_data(frame)",
        "    with threadpool_limits(limits=THREADS):",
        f"        return calculate_metrics(X, y{weight}, get_splits({asked}))",
    ]
    arguments = ["frame", "validation"] if has_valid else ["frame"]
    return function("main", arguments, "Return the validation scores of the run.", body)
