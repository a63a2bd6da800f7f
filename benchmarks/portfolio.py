"""Learn in which order a search tries its portfolio, from many tables.

``grid`` fits every start (a portfolio entry of a family, on some features) on each table with
the engine's own trials, and keeps out-of-fold and test predictions. ``learn`` builds the order
greedily: the start comes next that lowers the test loss of the greedy ensemble most for its
cost, on the mean over all tables. It is judged on tables left out of the learning, against the
order by the families' pace, and written only when it wins there.

    python -m benchmarks.portfolio grid --out results/portfolio [--folder DATA] [--tables a b]
    python -m benchmarks.portfolio learn --out results/portfolio [--write]
"""

from __future__ import annotations

import argparse
import json
import pickle
import shutil
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import train_test_split

from benchmarks.automl.data import Table, UnknownSetError, all_tables
from nbautoml.domain.tasks import Task
from nbautoml.engine.ensemble.greedy import blend, relevant_part, select_by_loss
from nbautoml.engine.featurize.build import (
    build_adapter,
    build_featurizer,
    useful_representations,
)
from nbautoml.engine.featurize.options import Representation
from nbautoml.engine.models._base import DataShape
from nbautoml.engine.models.catalog import families_for, get_family
from nbautoml.engine.profile import profile_frame
from nbautoml.engine.search import order as order_module
from nbautoml.engine.search.candidate import LOG, Candidate
from nbautoml.engine.search.order import ORDER_FILE, Start
from nbautoml.engine.search.proposer import PortfolioThenSteps
from nbautoml.engine.target import encode_target, may_log
from nbautoml.engine.trial import FoldsJob, part_file, prediction_file, run_folds
from nbautoml.engine.trial_data import DataSpec, open_fold, write_trial_data
from nbautoml.engine.validation import ValidationOptions, plan_validation
from nbautoml.errors import NbAutoMLError
from nbautoml.runtime.bag import PackedPart

MOST_TRAIN, MOST_TEST, N_FOLDS = 3_000, 6_000, 3
# A start is cut off when a fold takes longer than this.
_FOLD_SECONDS = 20.0
# Entries of a family that are tried on other features than its own.
_ON_OTHER_FEATURES = {"LightGBM": 3}
_AS_LOG = 1
# Orders are compared when they have used so many times the cost of a first LightGBM.
_BUDGETS = (4.0, 8.0, 16.0, 32.0, 64.0)
_LENGTH = 28
_PARTS = 4
_COST_POWER = 0.5

Array = npt.NDArray[Any]


@dataclass(slots=True)
class Results:
    """Predictions and costs of all starts on one table."""

    name: str
    task: str
    y: Array
    y_test: Array
    oof: dict[Start, Array] = field(default_factory=dict)
    test: dict[Start, Array] = field(default_factory=dict)
    seconds: dict[Start, float] = field(default_factory=dict)
    failed: dict[Start, str] = field(default_factory=dict)

    def loss(self, predictions: Array) -> float:
        """Return the log loss, or the root mean squared error, on the test rows."""
        y = self.y_test
        if predictions.ndim == 1:
            return float(np.sqrt(np.mean((y - predictions) ** 2)))
        true = predictions[np.arange(len(y)), y.astype(int)]
        return float(-np.log(np.clip(true, 1e-6, 1.0)).mean())


def starts_of(task: Task, features: frozenset[Representation], *, logs: bool) -> Iterator[Start]:
    """Return all starts that make sense for a table."""
    for name in families_for(task):
        family = get_family(name)
        others = [str(r) for r in family.other_representations if r in features]
        for entry in range(len(family.portfolio(task))):
            yield Start(family=name, entry=entry)
            if entry < _ON_OTHER_FEATURES.get(name, 1):
                yield from (Start(family=name, entry=entry, features=f) for f in others)
            if logs and family.takes_log_target and entry < _AS_LOG:
                yield Start(family=name, entry=entry, target=LOG)
                if str(Representation.CROSSED) in others:
                    yield Start(family=name, entry=entry, features="crossed", target=LOG)


class _Grid:
    """One table, prepared as a run would do it."""

    def __init__(self, table: Table, folder: Path) -> None:
        self._folder = folder
        self.task = Task.REGRESSION if table.task == "regression" else Task.CLASSIFICATION
        train, test = _split(table, self.task)
        target = encode_target(train[table.label], self.task)
        X = train.drop(columns=[table.label])[target.is_kept].reset_index(drop=True)
        self.y = target.values
        self._test = test.drop(columns=[table.label])
        self.y_test = target.encoding.encode(test[table.label])
        profile = profile_frame(X, self.y, self.task)
        plan = plan_validation(
            self.task, self.y, ValidationOptions(n_cross_validations=N_FOLDS), seed=0
        )
        self._folds = plan.folds
        n_classes = target.encoding.n_classes
        self._n_classes = n_classes
        self._adapter = build_adapter(profile)
        write_trial_data(
            folder / "data",
            columns=self._adapter.transform(X),
            y=self.y,
            folds=plan.folds,
            spec=DataSpec(
                task=self.task,
                primary_metric="accuracy" if n_classes else "root_mean_squared_error",
                n_classes=n_classes,
                y_min=target.encoding.y_min,
                y_max=target.encoding.y_max,
                n_folds=N_FOLDS,
            ),
            classes=np.arange(n_classes) if n_classes else None,
            featurizers={
                str(r): build_featurizer(profile, r) for r in Representation if r is r.matrix
            },
        )
        self.shape = DataShape(
            n_rows=len(plan.folds[0][0]), n_columns=len(profile.used), n_classes=n_classes
        )
        features = useful_representations(profile, n_classes)
        logs = not n_classes and may_log(self.y)
        self.starts = [
            start
            for start in starts_of(self.task, features, logs=logs)
            if get_family(start.family).suits(self.shape)
        ]

    def run(self, start: Start) -> tuple[Array, Array, float]:
        """Return out-of-fold predictions, test predictions and seconds of all folds."""
        out = self._folder / "trial"
        shutil.rmtree(out, ignore_errors=True)
        candidate = candidate_of(start, self.task)
        began = time.process_time()
        for fold in range(N_FOLDS):
            job = FoldsJob(
                data=self._folder / "data",
                out=out,
                candidate=candidate,
                key=repr(start),
                seed=0,
                folds=(fold,),
                threads=1,
                seconds=_FOLD_SECONDS,
            )
            run_folds(job, lambda _: None)
        seconds = time.process_time() - began
        columns = self._adapter.transform(self._test)
        oof: Array | None = None
        tests = []
        for fold, (_, valid) in enumerate(self._folds):
            predicted = np.load(out / prediction_file(fold))
            if oof is None:
                oof = np.full((len(self.y), *predicted.shape[1:]), np.nan, np.float32)
            oof[valid] = predicted
            matrices = open_fold(self._folder / "data", candidate.representation, fold)
            member = PackedPart(
                featurizer=matrices.featurizer.read_bytes(),
                fitted=(out / part_file(fold)).read_bytes(),
            ).open()
            ask = member.predict_proba if self._n_classes else member.predict
            tests.append(ask(columns))
        assert oof is not None
        return oof, np.mean(tests, axis=0).astype(np.float32), seconds


def candidate_of(start: Start, task: Task) -> Candidate:
    """Return the candidate of a start."""
    family = get_family(start.family)
    is_native = start.features == Representation.NATIVE
    return Candidate(
        family=start.family,
        model_name=family.name,
        params=family.portfolio(task)[start.entry],
        scaler="" if is_native else start.scaler or family.scalers[0],
        features=start.features,
        target=start.target,
    )


def _split(table: Table, task: Task) -> tuple[pd.DataFrame, pd.DataFrame]:
    frame = table.train if table.test is None else pd.concat([table.train, table.test])
    frame = frame.dropna(subset=[table.label])
    if len(frame) > MOST_TRAIN + MOST_TEST:
        frame = frame.sample(MOST_TRAIN + MOST_TEST, random_state=0)
    label = frame[table.label]
    strata = None
    if task is Task.CLASSIFICATION:
        frame = frame[label.map(label.value_counts()) >= 10]
        strata = frame[table.label]
    share = max(0.3, 1 - MOST_TRAIN / len(frame))
    train, test = train_test_split(frame, test_size=share, random_state=0, stratify=strata)
    return train.reset_index(drop=True), test.reset_index(drop=True)


def grid(out: Path, folder: Path | None, package_data: Path, names: Sequence[str]) -> None:
    """Fit all starts on all tables; what is there already is kept."""
    makers = all_tables(package_data, folder)
    out.mkdir(parents=True, exist_ok=True)
    for name in names or makers:
        try:
            table = makers[name]()
        except UnknownSetError as error:
            print(f"{name}: left out ({error})", flush=True)
            continue
        path = out / f"{name}.pkl"
        with tempfile.TemporaryDirectory() as scratch, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            prepared = _Grid(table, Path(scratch))
            results = (
                pickle.loads(path.read_bytes())
                if path.exists()
                else Results(name, prepared.task.value, prepared.y, prepared.y_test)
            )
            began = time.perf_counter()
            for start in prepared.starts:
                if start in results.seconds or start in results.failed:
                    continue
                try:
                    oof, test, seconds = prepared.run(start)
                except (ValueError, ArithmeticError, NbAutoMLError) as error:
                    results.failed[start] = repr(error)
                    print(f"{name}: {start} failed: {error!r}"[:200], flush=True)
                    continue
                results.oof[start], results.test[start] = oof, test
                results.seconds[start] = seconds
            path.write_bytes(pickle.dumps(results))
            print(
                f"{name}: {len(results.seconds)} starts, {time.perf_counter() - began:.0f} s",
                flush=True,
            )


def ensemble_loss(results: Results, starts: Sequence[Start]) -> float:
    """Return the test loss of the ensemble that out-of-fold predictions choose."""
    known = [start for start in starts if start in results.oof]
    predictions = np.array([results.oof[start] for start in known])
    relevant = relevant_part(predictions, results.y)
    counts, _ = select_by_loss(relevant, results.y, is_proba=predictions.ndim == 3)
    tests = np.array([results.test[start] for start in known])
    return results.loss(blend(tests, counts))


def learn(tables: Sequence[Results], length: int = _LENGTH) -> list[Start]:
    """Return the greedy order over some tables."""
    first = Start(family="LightGBM", entry=0)
    order = [first]
    pool = sorted({s for t in tables for s in t.oof} - {first}, key=repr)
    now = {t.name: ensemble_loss(t, order) for t in tables}
    while len(order) < length and pool:
        worths = [_worth(tables, order, start, now) for start in pool]
        best = int(np.argmax(worths))
        if worths[best] <= 0:
            break
        order.append(pool.pop(best))
        now = {t.name: ensemble_loss(t, order) for t in tables}
    return order


def _worth(
    tables: Sequence[Results], order: list[Start], start: Start, now: Mapping[str, float]
) -> float:
    gains, costs = [], []
    for table in tables:
        if start not in table.oof:
            gains.append(0.0)
            continue
        gains.append(float(np.log(now[table.name] / ensemble_loss(table, [*order, start]))))
        costs.append(table.seconds[start] / table.seconds[order[0]])
    if not costs:
        return 0.0
    # One table must not decide for all.
    gain = float(np.mean(np.clip(gains, -0.1, 0.1)))
    return gain / float(np.median(costs)) ** _COST_POWER


def by_pace(table: Results) -> list[Start]:
    """Return the order that the families' paces give."""
    task = Task(table.task)
    shape = DataShape(n_rows=len(table.y), n_columns=20, n_classes=2)
    source = PortfolioThenSteps(families_for(task), task=task, shape=shape, seed=0, order=())
    found = []
    for _ in range(source.portfolio_size):
        candidate = source.ask()
        assert candidate is not None
        entries = [dict(params) for params in get_family(candidate.family).portfolio(task)]
        found.append(Start(family=candidate.family, entry=entries.index(dict(candidate.params))))
    return found


def curve(table: Results, order: Sequence[Start]) -> list[float]:
    """Return the relative test loss when each of the budgets is used up."""
    unit = table.seconds[Start(family="LightGBM", entry=0)]
    base = ensemble_loss(table, [Start(family="LightGBM", entry=0)])
    losses = []
    for budget in _BUDGETS:
        used, chosen = 0.0, []
        for start in order:
            if start not in table.oof:
                continue
            used += table.seconds[start] / unit
            if used > budget and chosen:
                break
            chosen.append(start)
        losses.append(ensemble_loss(table, chosen) / base)
    return losses


def judge(tables: Sequence[Results]) -> pd.DataFrame:
    """Return curves of the learned order on tables left out, and of the order by pace."""
    rows = []
    for part in range(_PARTS):
        rest = [t for i, t in enumerate(tables) if i % _PARTS != part]
        order = learn(rest)
        for table in tables[part::_PARTS]:
            whole = [*order, *(s for s in by_pace(table) if s not in order)]
            for kind, chosen in (("learned", whole), ("by pace", by_pace(table))):
                rows.append(
                    {"table": table.name, "order": kind}
                    | dict(zip(map(str, _BUDGETS), curve(table, chosen), strict=True))
                )
    return pd.DataFrame(rows)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=["grid", "learn"])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--package-data", type=Path, default=Path())
    parser.add_argument("--tables", nargs="*", default=[])
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    if args.command == "grid":
        grid(args.out, args.folder, args.package_data, args.tables)
        return
    path = Path(order_module.__file__).with_name(ORDER_FILE)
    orders = json.loads(path.read_text(encoding="utf-8"))
    for task in (Task.CLASSIFICATION, Task.REGRESSION):
        found = [pickle.loads(p.read_bytes()) for p in sorted(args.out.glob("*.pkl"))]
        tables = [t for t in found if t.task == task.value]
        curves = judge(tables)
        means = curves.groupby("order")[[*map(str, _BUDGETS)]].agg(
            lambda column: float(np.exp(np.log(column).mean()))
        )
        print(f"{task.value}: {len(tables)} tables; relative loss by cost\n{means.round(4)}")
        is_better = means.loc["learned"].mean() < means.loc["by pace"].mean()
        if is_better:
            orders[task.value] = [_plain(start) for start in learn(tables)]
            print("\n".join(map(str, orders[task.value])))
    if args.write:
        path.write_text(json.dumps(orders, indent=1) + "\n", encoding="utf-8")


def _plain(start: Start) -> dict[str, Any]:
    return {name: value for name, value in asdict(start).items() if value != ""}


if __name__ == "__main__":
    main()
