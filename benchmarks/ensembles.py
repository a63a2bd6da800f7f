"""Compare ways of making one model of many, on rows that no part of them has seen.

``grid`` fits the starts of a search on each table with the engine's own trials, and keeps for
every start the out-of-fold predictions and those of the test rows: by the mean of the fold
models, and by fits on all rows. ``compare`` has the engine choose among them on the out-of-fold
predictions alone, and prints how the test error of each way compares with that of the trial with
the best score. ``refits`` prints what fits on all rows do to the test loss of a trial, ``shares``
what their weight does to the test error of votes.

    python -m benchmarks.ensembles grid --out results/ensembles [--folder DATA] [--tables a b]
    python -m benchmarks.ensembles compare --out results/ensembles
    python -m benchmarks.ensembles refits --out results/ensembles
    python -m benchmarks.ensembles shares --out results/ensembles
"""

from __future__ import annotations

import argparse
import pickle
import tempfile
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import train_test_split

from benchmarks.automl.data import Table, UnknownSetError, all_tables
from benchmarks.portfolio import candidate_of
from nbautoml.domain.metrics import Direction, metric
from nbautoml.domain.status import TrialOutcome
from nbautoml.domain.tasks import Task
from nbautoml.engine.context import Ports, PreparedData, RunContext
from nbautoml.engine.ensemble.stack import fit_stack
from nbautoml.engine.ensemble.verdict import Rival, as_rival, choose_single, score_folds
from nbautoml.engine.ensemble.vote import Vote, choose_vote
from nbautoml.engine.featurize.build import (
    build_adapter,
    build_featurizer,
    useful_representations,
)
from nbautoml.engine.featurize.options import Representation
from nbautoml.engine.metrics import score_primary
from nbautoml.engine.models._base import DataShape
from nbautoml.engine.models.catalog import get_family
from nbautoml.engine.plan import REFIT_MOST_FOLDS, SearchPlan
from nbautoml.engine.profile import profile_frame
from nbautoml.engine.search.active import mean_and_std
from nbautoml.engine.search.book import TrialRecord
from nbautoml.engine.search.budget import Deadline
from nbautoml.engine.search.candidate import LOG
from nbautoml.engine.search.order import Start, learned_order
from nbautoml.engine.target import encode_target, may_log
from nbautoml.engine.trial import (
    REFIT_FILE,
    FoldsJob,
    RefitJob,
    part_file,
    prediction_file,
    run_folds,
    run_refit,
)
from nbautoml.engine.trial_data import ALL_ROWS, DataSpec, featurizer_path, write_trial_data
from nbautoml.engine.validation import ValidationOptions, plan_validation
from nbautoml.errors import NbAutoMLError
from nbautoml.runtime.bag import PackedPart
from nbautoml.runtime.voting import geometric_mean
from nbautoml.testing.executor import (
    FolderArtifacts,
    InProcessExecutor,
    MemoryEvents,
    ScriptedControl,
)

MOST_TRAIN, MOST_TEST = 2_000, 4_000
_FOLD_SECONDS = 5.0
_ROUNDS_FACTOR = 1.1
_REFIT_SEEDS = (0, 1)
_MOST_STARTS = 18
# What `nbautoml.engine.ensemble.refit` gives a fit on all rows beside the fold models.
_SHARE_ALONE, _SHARE_AMONG_OTHERS = 0.5, 0.8
_SHARES = (0.0, 0.5, 0.67, 0.8, 1.0)
# Changes of an error by less than this, in percent, are neither better nor worse.
_NOISE = 0.2
# Tried beside the learned order, so that there is something of every kind.
_EXTRA = {
    Task.CLASSIFICATION: ("KNN", "SVM", "GradientBoosting", "BernoulliNaiveBayes", "DecisionTree"),
    Task.REGRESSION: ("KNN", "GradientBoosting", "DecisionTree", "LassoLars"),
}

Array = npt.NDArray[Any]


@dataclass(slots=True)
class Results:
    """Predictions of all starts on one table and split."""

    name: str
    seed: int
    task: str
    n_folds: int
    y: Array
    y_test: Array
    folds: list[Array] = field(default_factory=list)
    oof: dict[Start, Array] = field(default_factory=dict)
    bag: dict[Start, Array] = field(default_factory=dict)
    refits: dict[Start, list[Array]] = field(default_factory=dict)
    seconds: dict[Start, float] = field(default_factory=dict)


class _Grid:
    """One split of a table, prepared as a run would do it."""

    def __init__(self, table: Table, seed: int, folder: Path) -> None:
        self._folder = folder
        self._seed = seed
        self.task = Task.REGRESSION if table.task == "regression" else Task.CLASSIFICATION
        train, test = _split(table, self.task, seed)
        target = encode_target(train[table.label], self.task)
        X = train.drop(columns=[table.label])[target.is_kept].reset_index(drop=True)
        self.y = target.values
        self._test = test.drop(columns=[table.label])
        self.y_test = target.encoding.encode(test[table.label])
        profile = profile_frame(X, self.y, self.task)
        self.folds = plan_validation(self.task, self.y, ValidationOptions(), seed=seed).folds
        n_classes = target.encoding.n_classes
        self._n_classes = n_classes
        self._adapter = build_adapter(profile)
        write_trial_data(
            folder / "data",
            columns=self._adapter.transform(X),
            y=self.y,
            folds=self.folds,
            spec=DataSpec(
                task=self.task,
                primary_metric="accuracy" if n_classes else "root_mean_squared_error",
                n_classes=n_classes,
                y_min=target.encoding.y_min,
                y_max=target.encoding.y_max,
                n_folds=len(self.folds),
            ),
            classes=np.arange(n_classes) if n_classes else None,
            featurizers={
                str(r): build_featurizer(profile, r) for r in Representation if r is r.matrix
            },
        )
        shape = DataShape(
            n_rows=len(self.folds[0][0]), n_columns=len(profile.used), n_classes=n_classes
        )
        features = {"", *map(str, useful_representations(profile, n_classes))}
        logs = not n_classes and may_log(self.y)
        extra = [Start(family=name, entry=0) for name in _EXTRA[self.task]]
        self.starts = [
            start
            for start in dict.fromkeys([*learned_order(self.task)[: _MOST_STARTS - 4], *extra])
            if start.features in features
            and (logs or start.target != LOG)
            and _is_known(start.family)
            and get_family(start.family).suits(shape)
        ]

    def run(self, start: Start) -> tuple[Array, Array, list[Array], float]:
        """Return predictions out of fold, of the fold models' mean and of refits, and seconds."""
        out = self._folder / "trial"
        candidate = candidate_of(start, self.task)
        began = time.process_time()
        results = []
        for fold in range(len(self.folds)):
            job = FoldsJob(
                data=self._folder / "data",
                out=out,
                candidate=candidate,
                key=repr(start),
                seed=self._seed,
                folds=(fold,),
                threads=1,
                seconds=_FOLD_SECONDS,
            )
            results.extend(run_folds(job, lambda _: None))
        seconds = time.process_time() - began
        columns = self._adapter.transform(self._test)
        oof: Array | None = None
        tests = []
        for fold, (_, valid) in enumerate(self.folds):
            predicted = np.load(out / prediction_file(fold))
            if oof is None:
                oof = np.full((len(self.y), *predicted.shape[1:]), np.nan, np.float32)
            oof[valid] = predicted
            tests.append(self._ask(candidate, fold, out / part_file(fold), columns))
        assert oof is not None
        rounds = [r.rounds for r in results if r.rounds]
        mean = max(1, round(_ROUNDS_FACTOR * float(np.mean(rounds)))) if rounds else None
        refits = []
        for seed in _REFIT_SEEDS:
            job = RefitJob(
                data=self._folder / "data",
                out=out,
                candidate=candidate,
                key=repr(start),
                seed=seed,
                rounds=mean,
                threads=1,
                seconds=2 * _FOLD_SECONDS,
            )
            run_refit(job, lambda _: None)
            refits.append(self._ask(candidate, ALL_ROWS, out / REFIT_FILE, columns))
        return oof, np.mean(tests, axis=0).astype(np.float32), refits, seconds

    def _ask(self, candidate: Any, fold: int, fitted: Path, columns: pd.DataFrame) -> Array:
        path = featurizer_path(self._folder / "data", candidate.representation, fold)
        member = PackedPart(featurizer=path.read_bytes(), fitted=fitted.read_bytes()).open()
        ask = member.predict_proba if self._n_classes else member.predict
        return np.asarray(ask(columns), dtype=np.float32)


def _is_known(family: str) -> bool:
    try:
        get_family(family)
    except (NbAutoMLError, KeyError):
        return False
    return True


def _split(table: Table, task: Task, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    frame = table.train if table.test is None else pd.concat([table.train, table.test])
    frame = frame.dropna(subset=[table.label])
    most = MOST_TRAIN + MOST_TEST
    if len(frame) > most:
        frame = frame.sample(most, random_state=seed)
    label = frame[table.label]
    strata = None
    if task is Task.CLASSIFICATION:
        frame = frame[label.map(label.value_counts()) >= 10]
        strata = frame[table.label]
    share = max(0.3, 1 - MOST_TRAIN / len(frame))
    train, test = train_test_split(frame, test_size=share, random_state=seed, stratify=strata)
    return train.reset_index(drop=True), test.reset_index(drop=True)


def grid(
    out: Path, folder: Path | None, package_data: Path, names: Sequence[str], seeds: Sequence[int]
) -> None:
    """Fit the starts on all tables; what is there already is kept."""
    makers = all_tables(package_data, folder)
    out.mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        for name in names or makers:
            path = out / f"{name}-{seed}.pkl"
            if path.exists():
                continue
            try:
                table = makers[name]()
            except UnknownSetError as error:
                print(f"{name}: left out ({error})", flush=True)
                continue
            with tempfile.TemporaryDirectory() as scratch, warnings.catch_warnings():
                warnings.simplefilter("ignore")
                began = time.perf_counter()
                results = _fit_all(_Grid(table, seed, Path(scratch)), name, seed)
            path.write_bytes(pickle.dumps(results))
            taken = time.perf_counter() - began
            print(f"{name}-{seed}: {len(results.seconds)} starts, {taken:.0f} s", flush=True)


def _fit_all(prepared: _Grid, name: str, seed: int) -> Results:
    results = Results(
        name=name,
        seed=seed,
        task=prepared.task.value,
        n_folds=len(prepared.folds),
        y=prepared.y,
        y_test=prepared.y_test,
        folds=[valid for _, valid in prepared.folds],
    )
    for start in prepared.starts:
        try:
            oof, bag, refits, seconds = prepared.run(start)
        except (ValueError, ArithmeticError, NbAutoMLError) as error:
            print(f"{name}: {start} failed: {error!r}"[:200], flush=True)
            continue
        results.oof[start], results.bag[start], results.refits[start] = oof, bag, refits
        results.seconds[start] = seconds
    return results


class _Judge:
    """Has the engine make ensembles of one table's predictions, and asks the test rows."""

    def __init__(self, results: Results, metric_name: str, folder: Path) -> None:
        self._results = results
        self._metric = metric(metric_name)
        starts = list(results.oof)
        self._alone = [_answer_of(results, start) for start in starts]
        self._tests = np.stack(
            [_answer_of(results, start, _SHARE_AMONG_OTHERS) for start in starts]
        )
        oof = [results.oof[start] for start in starts]
        self._is_proba = oof[0].ndim == 2
        n_classes = oof[0].shape[1] if self._is_proba else 0
        y = results.y.astype(np.int64) if self._is_proba else results.y
        self._spec = DataSpec(
            task=Task(results.task),
            primary_metric=metric_name,
            n_classes=n_classes,
            y_min=float(np.min(y)),
            y_max=float(np.max(y)),
            n_folds=len(results.folds),
        )
        everything = np.arange(len(y))
        folds = tuple((np.setdiff1d(everything, valid), valid) for valid in results.folds)
        data = PreparedData(
            folder=folder,
            spec=self._spec,
            shape=DataShape(n_rows=len(y), n_columns=1, n_classes=n_classes),
            fingerprint="",
            y=y,
            folds=folds,
            class_labels=tuple(map(str, range(n_classes))),
            adapter=b"",
        )
        self._context = RunContext(
            plan=SearchPlan(task=Task(results.task), primary_metric=metric_name, models=()),
            ports=Ports(
                executor=InProcessExecutor(),
                events=MemoryEvents(),
                artifacts=FolderArtifacts(folder),
                control=ScriptedControl(),
                clock=time.time,
            ),
            data=data,
            scratch=folder,
        )
        records = [
            self._record(i, start, one)
            for i, (start, one) in enumerate(zip(starts, oof, strict=True))
        ]
        self._choices = sorted(records, key=lambda r: self._metric.sort_key(r.score))

    def _record(self, number: int, start: Start, oof: Array) -> TrialRecord:
        path = self._context.scratch / f"{number}.npy"
        # Validation rows are in the order of the folds' rows, as a run has them.
        np.save(path, oof[self._context.data.valid_rows])
        return TrialRecord(
            number=number,
            key=str(number),
            candidate=candidate_of(start, Task(self._results.task)),
            outcome=TrialOutcome.COMPLETED,
            score=self._score(np.load(path)),
            oof=path,
        )

    def _score(self, predictions: Array) -> float | None:
        scored = score_folds(self._context, predictions)
        return mean_and_std([m[self._metric.name] for m in scored])[0]

    def errors(self) -> dict[str, float]:
        """Return the test error of each way."""
        context = self._context
        vote = choose_vote(context, self._choices)
        places = [record.number for record in vote.choices]
        answers = {
            "single": self._alone[self._choices[0].number],
            "vote": _join(vote, self._tests[places]),
        }
        rivals = {
            "single": choose_single(context, self._choices, vote.parts),
            "vote": as_rival(context, vote.predictions, vote.parts),
        }
        stack = fit_stack(context, vote, Deadline())
        if stack is not None and context.plan.ensemble.has_stack(len(self._results.y)):
            members = self._tests[[record.number for record in stack.members]]
            answers["stack"] = stack.meta.predict(members, stack.weights)
            rivals["stack"] = as_rival(context, stack.predictions, vote.parts)
        flattered = {**rivals, "single": self._flattered(vote.parts)}
        answers |= {
            "shown scores": answers[self._best(flattered)],
            "engine": answers[self._best(rivals)],
        }
        return {way: self._error(answer) for way, answer in answers.items()}

    def errors_by_share(self) -> dict[float, float]:
        """Return the vote's test error for weights of the fits on all rows."""
        vote = choose_vote(self._context, self._choices)
        starts = [list(self._results.oof)[record.number] for record in vote.choices]

        def error(share: float) -> float:
            results = self._results
            answers = [
                (1.0 - share) * results.bag[start] + share * results.refits[start][0]
                for start in starts
            ]
            return self._error(_join(vote, np.stack(answers)))

        return {share: error(share) for share in _SHARES}

    def _flattered(self, parts: Sequence[Array]) -> Rival:
        """Return the best trial with the score by which it was chosen."""
        best = np.load(self._context.scratch / f"{self._choices[0].number}.npy")
        return as_rival(self._context, best, parts)

    def _best(self, rivals: dict[str, Rival]) -> str:
        """Return the way that the engine takes when these are the scores."""
        best = "single"
        for way, rival in rivals.items():
            if way == "single" or rivals[best].is_matched_by(rival, self._metric.direction):
                best = way
        return best

    def _error(self, answer: Array) -> float:
        value = score_primary(
            self._metric.name,
            self._results.y_test.astype(np.int64) if self._is_proba else self._results.y_test,
            answer,
            n_classes=self._spec.n_classes,
            y_min=self._spec.y_min,
            y_max=self._spec.y_max,
        )
        return 1.0 - value if self._metric.direction is Direction.MAXIMIZE else value


def _answer_of(results: Results, start: Start, share: float = _SHARE_ALONE) -> Array:
    """Return what a stored model predicts for the test rows, with so much of the fit on all."""
    bag = results.bag[start].astype(np.float64)
    if results.n_folds > REFIT_MOST_FOLDS:
        return bag
    share = share if results.n_folds > 1 else 1.0
    return (1.0 - share) * bag + share * results.refits[start][0]


def _join(vote: Vote, answers: Array) -> Array:
    if vote.powers is not None:
        return geometric_mean(answers, vote.powers.shipped)
    return np.tensordot(vote.shares / vote.shares.sum(), answers, 1)


def compare(tables: Sequence[Results]) -> pd.DataFrame:
    """Return how the error of each way compares with that of the trial with the best score."""
    rows = []
    for results in tables:
        names = ("AUC_weighted", "accuracy", "log_loss")
        if Task(results.task) is Task.REGRESSION:
            names = ("root_mean_squared_error", "spearman_correlation")
        for name in names:
            with tempfile.TemporaryDirectory() as folder:
                errors = _Judge(results, name, Path(folder)).errors()
            base = max(errors["single"], 1e-6)
            for way, error in errors.items():
                change = 100.0 * np.log(max(error, 1e-6) / base)
                rows.append({"metric": name, "way": way, "table": results.name, "change": change})
    changes = pd.DataFrame(rows).groupby(["metric", "way", "table"])["change"].mean()
    return _summary(changes.groupby(["metric", "way"], sort=False))


def refits(tables: Sequence[Results]) -> pd.DataFrame:
    """Return what fits on all rows do to the loss of a trial, beside its fold models' mean."""
    rows = []
    for results in tables:
        for start, bag in results.bag.items():
            refit = results.refits[start][0]
            base = _loss(results, bag)
            for way, answer in {"refit": refit, "both": (bag + refit) / 2}.items():
                change = float(np.clip(100.0 * np.log(_loss(results, answer) / base), -30, 30))
                rows.append(
                    {
                        "folds": len(results.folds),
                        "way": way,
                        "table": results.name,
                        "change": change,
                    }
                )
    changes = pd.DataFrame(rows).groupby(["folds", "way", "table"])["change"].mean()
    return _summary(changes.groupby(["folds", "way"], sort=False))


def shares(tables: Sequence[Results]) -> pd.DataFrame:
    """Return what more weight of fits on all rows does to the test error of votes."""
    rows = []
    for results in tables:
        names = ("AUC_weighted", "accuracy", "log_loss")
        if Task(results.task) is Task.REGRESSION:
            names = ("normalized_root_mean_squared_error",)
        for name in names:
            with tempfile.TemporaryDirectory() as folder:
                errors = _Judge(results, name, Path(folder)).errors_by_share()
            base = max(errors[_SHARE_ALONE], 1e-6)
            for share, error in errors.items():
                change = 100.0 * np.log(max(error, 1e-6) / base)
                row = {"metric": name, "folds": len(results.folds), "share": share}
                rows.append({**row, "table": results.name, "change": change})
    keys = ["metric", "folds", "share"]
    return _summary(pd.DataFrame(rows).groupby([*keys, "table"])["change"].mean().groupby(keys))


def _loss(results: Results, answer: Array) -> float:
    """Return the log loss, or the root mean squared error, on the test rows."""
    if answer.ndim == 1:
        return float(np.sqrt(np.mean((results.y_test - answer) ** 2)))
    true = answer[np.arange(len(results.y_test)), results.y_test.astype(np.int64)]
    return float(-np.log(np.clip(true, 1e-4, 1.0)).mean())


def _summary(changes: Any) -> pd.DataFrame:
    """Return mean and median change in percent, and on how many tables it is above 0.2 %."""
    return pd.DataFrame(
        {
            "mean": changes.mean().round(2),
            "median": changes.median().round(2),
            "better": changes.apply(lambda c: int((c < -_NOISE).sum())),
            "worse": changes.apply(lambda c: int((c > _NOISE).sum())),
            "tables": changes.size(),
        }
    )


REPORTS = {"compare": compare, "refits": refits, "shares": shares}


def main() -> None:
    """Run a command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["grid", *REPORTS])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--packages", type=Path, default=Path("results/packages"))
    parser.add_argument("--tables", nargs="*", default=[])
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1])
    given = parser.parse_args()
    if given.command == "grid":
        grid(given.out, given.folder, given.packages, given.tables, given.seeds)
        return
    found = [pickle.loads(path.read_bytes()) for path in sorted(given.out.glob("*.pkl"))]
    print(REPORTS[given.command](found).to_string())


if __name__ == "__main__":
    main()
