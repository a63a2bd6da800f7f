"""An explanation as a whole: what is looked into, in which order, and for how long.

Columns are permuted first, so that there is always an answer; then come the contributions for
single rows, the curves of dependence, and engineered features. Each part gets a share of what
time is left and stops with what it has.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any  # Any: fitted models

import numpy as np
import numpy.typing as npt
import pandas as pd

from nbautoml.engine.explain.cohorts import Answered, Cohort, find_cohorts
from nbautoml.engine.explain.contributions import Contributions, exact_contributions
from nbautoml.engine.explain.dependence import Dependence, follow, grid_of
from nbautoml.engine.explain.mixing import EngineeredGround, RawGround
from nbautoml.engine.explain.parts import Mixture, ask, held_out_model, split_model
from nbautoml.engine.explain.permutation import Permuted, Score, ScoredRows, permute_columns
from nbautoml.engine.explain.shapley import sampled_contributions
from nbautoml.engine.search.budget import Deadline
from nbautoml.engine.trial_data import DataSpec
from nbautoml.errors import ModelError
from nbautoml.runtime.input_adapter import InputAdapter

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Report = Callable[[str], None]

EXACT = "exact"
SAMPLED = "sampled"
"""How contributions came about: the model's own sums, or Shapley values by sampling."""

MOST_SCORED_ROWS = 2_000
"""Columns are permuted in this many rows at most: more move an importance by less than its own
deviation over the repeats."""
FEWEST_SCORED_ROWS = 200
COMPARED_ROWS = 500
"""Rows that stand for all: contributions are counted from what the model says of them."""
MOST_ENGINEERED = 200
"""More engineered features than this are not permuted one by one."""
CURVES_OF = 12
"""Dependence is followed along this many columns, the most important ones."""
_PERMUTING, _CONTRIBUTING, _FOLLOWING = 0.4, 0.6, 0.7
"""Shares of the time that is left when a part begins."""
_SAME = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A model, and rows to explain it on.

    Parameters
    ----------
    model : estimator
        What a run answers with: it takes raw rows.
    adapter : InputAdapter
        How raw rows are read.
    frame : DataFrame of shape (n_rows, n_columns)
        Raw rows without the label: a sample of the validation rows, in a random order.
    y : ndarray of shape (n_rows,)
        Class codes or numbers.
    folds : ndarray of int, shape (n_rows,)
        For each row a fold that it is held out of.
    n_folds : int
        Number of folds of the run; 0 where none is known, and rows may be any.
    spec : DataSpec
        Task, metric, classes and range of the label.
    predicted : ndarray of shape (n_rows, n_classes) or (n_rows, 1), or None
        Predictions by models that were not fitted on the row; None where there are none.
    weight : ndarray of float, shape (n_rows,), or None
        How much each row counts.
    """

    model: Any
    adapter: InputAdapter
    frame: pd.DataFrame
    y: npt.NDArray[np.generic]
    folds: IntArray
    n_folds: int
    spec: DataSpec
    predicted: FloatArray | None = None
    weight: FloatArray | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainOptions:
    """What an explanation may cost.

    Parameters
    ----------
    n_rows : int, default 200
        How many rows are explained one by one.
    seed : int, default 0
        Seed of permutations and orders.
    """

    n_rows: int = 200
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """What was found out about a model.

    Parameters
    ----------
    permuted : Permuted
        What each raw column is worth to the score.
    permuted_engineered : Permuted or None
        The same of engineered features, where they have no contributions.
    raw : Contributions or None
        What raw columns add to the answers for the first rows.
    engineered : Contributions or None
        What engineered features add; None where only sampling could tell.
    how : {"exact", "sampled"}
        How the contributions came about.
    dependence : tuple of Dependence
        How answers change along the most important columns.
    cohorts : tuple of Cohort
        How well the model does on parts of the rows; scores as the metric gives them.
    answers : ndarray of shape (n_rows, n_classes) or (n_rows, 1)
        What the model says of the explained rows.
    is_held_out : bool
        Whether columns were permuted with models that were not fitted on the rows.
    notes : tuple of str
        What a reader should know, as sentences.
    """

    permuted: Permuted
    raw: Contributions | None
    how: str
    answers: FloatArray
    is_held_out: bool
    permuted_engineered: Permuted | None = None
    engineered: Contributions | None = None
    dependence: tuple[Dependence, ...] = ()
    cohorts: tuple[Cohort, ...] = ()
    notes: tuple[str, ...] = field(default=())

    def importance(self) -> FloatArray:
        """Return the importance of the raw columns by which they are ranked.

        That is the mean absolute contribution; without contributions the loss of score.
        """
        if self.raw is not None:
            return self.raw.sizes()
        return np.nan_to_num(self.permuted.means, nan=0.0)


def explain_model(
    subject: Subject, options: ExplainOptions, *, deadline: Deadline, report: Report
) -> Explained:
    """Explain a model.

    Parameters
    ----------
    subject : Subject
        The model and the rows.
    options : ExplainOptions
        What is wanted.
    deadline : Deadline
        When to be done; each part does at least its first step.
    report : callable
        Told what is being done, in words.

    Raises
    ------
    ModelError
        When there is no column, or no row, to explain the model on.
    """
    names = [form.name for form in subject.adapter.columns if form.kind != "drop"]
    if not names or not len(subject.frame):
        raise ModelError("There is nothing to explain the model on: no row, or no column it uses.")
    study = _Study(subject, options, names, deadline, report)
    found = study.permute()
    found = study.contribute(found)
    found = replace(found, cohorts=study.cohorts())
    found = replace(found, dependence=study.follow(found.importance()))
    return study.permute_engineered(found)


class _Study:
    """The parts of an explanation; each takes and returns what is found so far."""

    def __init__(
        self,
        subject: Subject,
        options: ExplainOptions,
        names: list[str],
        deadline: Deadline,
        report: Report,
    ) -> None:
        self._subject = subject
        self._options = options
        self._names = names
        self._deadline = deadline
        self._report = report
        self._n_classes = subject.spec.n_classes
        self._mixture = split_model(subject.model)
        self._columns = subject.adapter.transform(subject.frame)
        self._score = score_of(subject.spec)

    def permute(self) -> Explained:
        """Permute raw columns."""
        self._report("Permuting columns.")
        deadline = self._share(_PERMUTING)
        models, is_held_out = self._scoring_models()
        rows = self._affordable_rows(models, deadline)
        parts = [
            self._scored(model, rows[self._subject.folds[rows] == fold] if is_fold else rows)
            for model, fold, is_fold in models
        ]
        permuted = permute_columns(
            [part for part in parts if part.ground.n_rows],
            self._score,
            seed=self._options.seed,
            deadline=deadline,
            report=lambda done, of: self._report(f"Permuting columns: {done} of {of}."),
        )
        notes = [] if is_held_out else [_FITTED_ON]
        if not permuted.is_whole:
            n_left = int((permuted.repeats == 0).sum())
            notes.append(f"Time ended before {n_left} of {len(permuted.names)} columns' turn.")
        n_shown = min(self._options.n_rows, len(self._subject.frame))
        shown = self._subject.frame.iloc[:n_shown]
        return Explained(
            permuted=permuted,
            raw=None,
            how="",
            answers=ask(self._subject.model, shown, self._n_classes),
            is_held_out=is_held_out,
            notes=tuple(notes),
        )

    def contribute(self, found: Explained) -> Explained:
        """Find what columns add to the answers for rows."""
        self._report("Explaining rows.")
        deadline = self._share(_CONTRIBUTING)
        n_rows = len(found.answers)
        n_others = min(len(self._subject.frame), max(n_rows, COMPARED_ROWS))
        exact = None
        if self._mixture is not None:
            exact = exact_contributions(
                self._mixture,
                self._subject.frame.iloc[:n_others],
                n_classes=self._n_classes,
                n_rows=n_rows,
                deadline=deadline,
                report=self._rows_done,
            )
        if exact is not None:
            found = replace(found, raw=exact.raw, engineered=exact.engineered, how=EXACT)
        else:
            ground = self._raw_ground(self._subject.model, np.arange(n_others))
            sampled = sampled_contributions(
                ground,
                n_rows=n_rows,
                seed=self._options.seed,
                deadline=deadline,
                importance=np.nan_to_num(found.permuted.means, nan=-np.inf),
                report=self._rows_done,
            )
            found = replace(found, raw=sampled, how=SAMPLED)
        assert found.raw is not None
        if found.raw.n_rows < n_rows:
            text = f"Time ended after {found.raw.n_rows} of {n_rows} rows were explained."
            found = replace(found, notes=(*found.notes, text))
        return found

    def cohorts(self) -> tuple[Cohort, ...]:
        """Score parts of the rows, where there are predictions by models that are new to them."""
        subject = self._subject
        if subject.predicted is None:
            return ()
        rows = Answered(y=subject.y, predicted=subject.predicted, weight=subject.weight)
        sign = subject.spec.sign
        cohorts = find_cohorts(self._columns, self._kinds(), rows, self._score)
        return tuple(replace(cohort, score=sign * cohort.score) for cohort in cohorts)

    def follow(self, importance: FloatArray) -> tuple[Dependence, ...]:
        """Follow the model along its most important columns."""
        subject = self._subject
        self._report("Following the most important columns.")
        kinds = self._kinds()
        grids = []
        for place in np.argsort(-importance, kind="stable"):
            grid = grid_of(self._columns[self._names[place]], kinds[place])
            if grid is not None:
                grids.append(grid)
        ground = self._raw_ground(subject.model, np.arange(len(subject.frame)))
        return tuple(follow(ground, grids[:CURVES_OF], deadline=self._share(_FOLLOWING)))

    def permute_engineered(self, found: Explained) -> Explained:
        """Permute engineered features, where nothing else tells what they are worth."""
        if found.engineered is not None:
            return found
        if self._mixture is None or not EngineeredGround.fits(self._mixture, MOST_ENGINEERED):
            return replace(found, notes=(*found.notes, _why_not_engineered(self._mixture)))
        self._report("Permuting engineered features.")
        rows = np.arange(min(len(self._subject.frame), FEWEST_SCORED_ROWS))
        frame = self._subject.frame.iloc[rows]
        part = ScoredRows(
            ground=EngineeredGround(self._mixture, frame, self._n_classes),
            y=self._subject.y[rows],
            weight=None if self._subject.weight is None else self._subject.weight[rows],
        )
        permuted = permute_columns(
            [part], self._score, seed=self._options.seed, deadline=self._deadline
        )
        return replace(found, permuted_engineered=permuted)

    def _kinds(self) -> list[str]:
        return [form.kind for form in self._subject.adapter.columns if form.kind != "drop"]

    def _share(self, share: float) -> Deadline:
        if not self._deadline.is_limited:
            return self._deadline
        seconds = max(0.0, self._deadline.remaining()) * share
        return Deadline.after(seconds, self._deadline.clock)

    def _rows_done(self, done: int, of: int) -> None:
        self._report(f"Explaining rows: {done} of {of}.")

    def _scoring_models(self) -> tuple[list[tuple[Any, int, bool]], bool]:
        """Return models with the fold whose rows are new to them; whether there are such."""
        subject = self._subject
        views = [
            (held_out_model(subject.model, fold, subject.n_folds), fold, True)
            for fold in np.unique(subject.folds).tolist()
        ]
        if views and all(view[0] is not None for view in views):
            return views, True
        return [(subject.model, 0, False)], self._is_new_to_rows()

    def _is_new_to_rows(self) -> bool:
        """Return whether the only model of a run with one split is still that of the split.

        Then it answers for its validation rows what was stored when it was trained; a fit on all
        rows answers something else.
        """
        subject = self._subject
        if subject.n_folds != 1 or subject.predicted is None:
            return False
        rows = np.arange(min(len(subject.frame), FEWEST_SCORED_ROWS))
        said = ask(subject.model, subject.frame.iloc[rows], self._n_classes)
        scale = max(1.0, float(np.abs(said).max()))
        return bool(np.abs(said - subject.predicted[rows]).max() <= _SAME * scale)

    def _affordable_rows(self, models: list[tuple[Any, int, bool]], deadline: Deadline) -> IntArray:
        """Return as many rows as one round over all columns has time for."""
        most = min(len(self._subject.frame), MOST_SCORED_ROWS)
        rows = np.arange(most)
        few = rows[: min(most, FEWEST_SCORED_ROWS)]
        if not deadline.is_limited or most <= FEWEST_SCORED_ROWS:
            return rows
        started = deadline.clock()
        for model, _, _ in models:
            ask(model, self._subject.frame.iloc[few], self._n_classes)
        # Where each fold has a model of its own, it is asked about its own rows only.
        n_asked = len(few) * len(models) if len(models) > 1 else len(few)
        seconds_per_row = max(deadline.clock() - started, 1e-4) / n_asked
        affordable = deadline.remaining() / 2 / (seconds_per_row * len(self._names))
        return rows[: int(min(most, max(FEWEST_SCORED_ROWS, affordable)))]

    def _scored(self, model: Any, rows: IntArray) -> ScoredRows:
        weight = self._subject.weight
        return ScoredRows(
            ground=self._raw_ground(model, rows),
            y=self._subject.y[rows],
            weight=None if weight is None else weight[rows],
        )

    def _raw_ground(self, model: Any, rows: IntArray) -> RawGround:
        return RawGround(model, self._subject.frame.iloc[rows], self._names, self._n_classes)


_FITTED_ON = (
    "Columns were permuted in rows on which the model may have been fitted: columns that it only "
    "memorised may look important."
)


def _why_not_engineered(mixture: Mixture | None) -> str:
    if mixture is None:
        return "Engineered features are not explained: the model is no mean of fitted pipelines."
    return (
        "Engineered features are not explained: there are more than "
        f"{MOST_ENGINEERED}, or they are sparse, and the model gives no contributions itself."
    )


def score_of(spec: DataSpec) -> Score:
    """Return the primary metric as a score of which more is better.

    Parameters
    ----------
    spec : DataSpec
        Task, metric, classes and range of the label.
    """

    def score(y: npt.NDArray[np.generic], answers: FloatArray, weight: FloatArray | None) -> float:
        return spec.gain(y, answers if spec.n_classes else answers[:, 0], weight)

    return score
