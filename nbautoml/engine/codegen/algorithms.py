"""The code that makes and fits the estimator of each family."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any  # Any: estimators, values of parameters

from nbautoml.engine.codegen.columns import may_be_sparse
from nbautoml.engine.codegen.facts import Member, ScriptFacts
from nbautoml.engine.codegen.source import Call, Code, Imports, call_of
from nbautoml.engine.featurize.options import Representation
from nbautoml.engine.models._base import DataShape, FitContext, ModelFamily
from nbautoml.engine.models.catalog import get_family

LIMITS = ("n_estimators", "max_iter", "iterations")
"""Parameters that say how many rounds or trees a fit has."""
_SEED, _THREADS = 987_654_321, 987
"""Stand-ins that are found again in an estimator's parameters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Algorithm:
    """How an estimator is made and fitted.

    Parameters
    ----------
    estimator : Call
        Makes it; ``seed``, ``X`` (features), ``y`` (labels) and ``weight`` have these names.
    before : tuple of str
        Lines before that.
    fit : tuple of str
        Lines that fit ``model`` on ``features`` and ``target``; empty for a plain ``fit``.
    doc : str
        What the estimator is.
    stops_early : bool
        Whether the fit looks at the validation rows (``features_valid``, ``target_valid``).
    ignores_convergence : bool
        Whether solvers may stop before they have converged.
    """

    estimator: Call
    doc: str
    before: tuple[str, ...] = ()
    fit: tuple[str, ...] = ()
    stops_early: bool = False
    ignores_convergence: bool = False

    def needs(self, name: str) -> bool:
        """Whether the code that makes the estimator uses a variable."""
        return _uses(self.estimator, name) or any(_mentions(line, name) for line in self.before)


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What a writer of a family's code may ask.

    Parameters
    ----------
    facts : ScriptFacts
        The run.
    member : Member
        The trial.
    imports : Imports
        Takes what the code needs.
    family : ModelFamily
        The trial's family.
    """

    facts: ScriptFacts
    member: Member
    imports: Imports
    family: ModelFamily = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "family", get_family(self.member.candidate.family))

    @property
    def params(self) -> Mapping[str, Any]:
        """The trial's settings."""
        return self.member.candidate.params

    @property
    def representation(self) -> Representation:
        """The trial's features."""
        return self.member.candidate.representation

    @property
    def may_be_sparse(self) -> bool:
        """Whether features can come as a sparse matrix."""
        return may_be_sparse(self.facts.profile, self.representation)

    @property
    def is_weighted(self) -> bool:
        """Whether the fit takes weights of rows."""
        return self.facts.is_weighted and self.family.uses_weight

    @property
    def is_log(self) -> bool:
        """Whether the label is learned as ``log(1 + y)``."""
        return bool(self.member.candidate.target)

    def shapes(self) -> list[DataShape]:
        """Return the sizes of the smallest and the largest training part of a fold."""
        rows = self.facts.run.train_rows
        width = max(len(self.facts.profile.used), 1)
        n_classes = self.facts.run.n_classes
        return [
            DataShape(n_rows=n, n_columns=width, n_classes=n_classes) for n in dict.fromkeys(rows)
        ]

    def build(self, params: Mapping[str, Any], shape: DataShape) -> Any:
        """Return the family's estimator, with stand-ins for seed and threads."""
        context = FitContext(
            task=self.facts.task, n_classes=self.facts.run.n_classes, threads=_THREADS, seed=_SEED
        )
        return self.family.build(params, shape, context)

    def call(
        self,
        *,
        params: Mapping[str, Any] | None = None,
        by_rows: Mapping[str, str] | None = None,
        changes: Mapping[str, Any] | None = None,
        part: Callable[[Any], Any] = lambda estimator: estimator,
    ) -> Call:
        """Return the call that makes the family's estimator.

        Parameters
        ----------
        params : mapping, optional
            Settings in place of the trial's.
        by_rows : mapping of str to str, optional
            Expressions for parameters that depend on the number of rows; used where folds
            differ in them.
        changes : mapping, optional
            Values in place of what the family sets.
        part : callable, optional
            Returns the part of the estimator that is written, such as the inner one.
        """
        made = [part(self.build(params or self.params, shape)) for shape in self.shapes()]
        found = [estimator.get_params(deep=False) for estimator in made]
        all_changes: dict[str, Any] = {
            name: Code(text)
            for name, text in (by_rows or {}).items()
            if any(other[name] != found[0][name] for other in found)
        }
        for name, value in found[0].items():
            if isinstance(value, int) and value == _SEED:
                all_changes[name] = Code("seed")
            if isinstance(value, int) and value == _THREADS:
                all_changes[name] = Code("THREADS")
        all_changes |= dict(changes or {})
        # A number of rounds that time cut differs from what it is by default.
        limits = LIMITS if any(self.member.cut.values()) else ()
        shown = [name for name in (*self.params, *limits) if name in found[0]]
        return call_of(made[0], self.imports, changes=all_changes, notes=NOTES, shown=shown)

    def plain_fit(self, **named: Any) -> Call:
        """Return ``model.fit`` on the features, with weights where there are some."""
        arguments: list[tuple[str, Any]] = [("", Code("features")), ("", Code("target"))]
        if self.is_weighted:
            arguments.append(("sample_weight", Code("weight")))
        return Call("model.fit", (*arguments, *named.items()))


NOTES: Mapping[str, str] = {
    "learning_rate": "smaller steps take more rounds and often end better",
    "num_leaves": "size of a tree",
    "max_leaf_nodes": "size of a tree",
    "max_depth": "most questions from the root to a leaf",
    "min_child_samples": "rows that a leaf needs; more is smoother",
    "min_samples_leaf": "rows that a leaf needs; more is smoother",
    "min_child_weight": "weight that a leaf needs; more is smoother",
    "colsample_bytree": "share of the features that a tree may use",
    "max_features": "share of the features that a split may use",
    "subsample": "share of the rows that a tree is grown on",
    "reg_alpha": "L1 penalty",
    "reg_lambda": "L2 penalty",
    "l2_regularization": "L2 penalty",
    "extra_trees": "random thresholds",
    "linear_tree": "a line in each leaf",
    "n_estimators": "most trees",
    "max_iter": "most rounds of the solver",
    "iterations": "most rounds",
    "depth": "size of a tree",
    "l2_leaf_reg": "L2 penalty",
    "random_strength": "noise in the choice of splits",
    "rsm": "share of the features that a split may use",
    "C": "smaller is a stronger penalty",
    "l1_ratio": "share of the L1 penalty",
    "n_neighbors": "rows that vote",
    "class_weight": "'balanced' gives each class the same say",
}
"""What parameters of estimators do, in a few words."""


def doc_of(given: Circumstances) -> str:
    """Return the first line of what a family says of itself, without markup."""
    said = (type(given.family).__doc__ or given.family.name).strip().splitlines()[0]
    return said.replace("`", "")


def _uses(value: Any, name: str) -> bool:
    if isinstance(value, Code):
        return _mentions(value.text, name)
    if isinstance(value, Call):
        return any(_uses(v, name) for _, v in value.arguments)
    return isinstance(value, (list, tuple)) and any(_uses(v, name) for v in value)


def _mentions(text: str, name: str) -> bool:
    return re.search(rf"(?<![\w.]){name}\b", text) is not None
