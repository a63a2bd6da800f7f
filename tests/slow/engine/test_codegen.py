"""The code of a trial gives the trial's own scores."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbautoml.domain.metrics import get_primary_metrics
from nbautoml.domain.tasks import Task
from nbautoml.engine.codegen import Member, RunFacts, ScriptFacts, write_script
from nbautoml.engine.codegen.families import WRITERS
from nbautoml.engine.context import Ports, RunContext
from nbautoml.engine.featurize.options import Representation
from nbautoml.engine.models.catalog import families_for, get_family
from nbautoml.engine.plan import SearchPlan
from nbautoml.engine.prepare import FACTS, prepare
from nbautoml.engine.profile import DataProfile
from nbautoml.engine.search.candidate import Candidate
from nbautoml.engine.trial import FoldsJob, run_folds
from nbautoml.engine.trial_files import mean_metrics
from nbautoml.engine.validation import ValidationOptions, read_splits
from nbautoml.testing.executor import (
    FolderArtifacts,
    InProcessExecutor,
    MemoryEvents,
    ScriptedControl,
)
from nbautoml.testing.fast_family import FAST_FAMILY

FOLDS = ValidationOptions(n_cross_validations=3)


def mixed(task: Task, n_rows: int = 160) -> pd.DataFrame:
    """Return rows of all types of columns, with gaps and odd names."""
    rng = np.random.default_rng(0)
    words = ["good", "bad", "fine", "awful", "lovely", "nice", "terrible", "book", "film"]
    frame = pd.DataFrame(
        {
            "age": rng.normal(40, 9, n_rows).round(),
            "fare": rng.lognormal(3, 1, n_rows),
            "sex": rng.choice(["m", "f"], n_rows),
            'home "town"': rng.choice(["a", "b", "c", "d'e"], n_rows),
            "when": pd.date_range("2020-01-01", periods=n_rows).strftime("%d.%m.%Y"),
            "note": [" ".join(rng.choice(words, 8)) for _ in range(n_rows)],
            "price": [f"{n},5 €" for n in rng.integers(100, 999, n_rows)],
            "row": np.arange(n_rows),
            "zip": rng.choice([f"z{i}" for i in range(90)], n_rows),
            "is_new": rng.random(n_rows) > 0.5,
        }
    )
    frame.loc[::7, "age"] = np.nan
    frame.loc[::11, "sex"] = None
    signal = (frame["age"].fillna(40) - 40) / 9 + (frame["sex"] == "m")
    signal = signal + frame["note"].str.count("good") + rng.normal(0, 0.7, n_rows)
    is_class = task is Task.CLASSIFICATION
    label = np.where(signal > signal.median(), "yes", "no") if is_class else np.exp(signal)
    frame["label"] = pd.Series(label).where(np.arange(n_rows) != 5)
    return frame


class Prepared:
    """A run as far as its first trial."""

    def __init__(self, folder: Path, frame: pd.DataFrame, task: Task, **changes: Any) -> None:
        plan = SearchPlan(
            task=task,
            primary_metric=get_primary_metrics(task.value)[0],
            models=("LightGBM",),
            **{"validation": FOLDS, **changes},
        )
        ports = Ports(
            executor=InProcessExecutor(),
            events=MemoryEvents(),
            artifacts=FolderArtifacts(folder / "artifacts"),
            control=ScriptedControl(),
            clock=lambda: 0.0,
        )
        prepared = prepare(frame, "label", plan, ports, folder / "scratch")
        self.frame, self.task = frame, task
        self.context: RunContext = prepared[0]
        self.profile: DataProfile = prepared[1]
        stored = ports.artifacts.local_path(None, FACTS).read_bytes()
        self.facts = RunFacts.from_dict(json.loads(stored))
        self._n_trials = 0

    def trial(
        self, candidate: Candidate, seconds: float | None = None
    ) -> tuple[Member, dict[str, float | None]]:
        """Return a trial and its metrics; fits end by themselves after some seconds."""
        context, number = self.context, self._n_trials
        self._n_trials += 1
        key = context.key_of(candidate)
        job = FoldsJob(
            data=context.data.folder,
            out=context.trial_folder(number),
            candidate=candidate,
            key=key,
            seed=context.plan.seed,
            folds=tuple(range(context.data.n_folds)),
            threads=1,
            seconds=seconds,
        )
        results = run_folds(job, lambda body: None)
        cut = {result.fold: result.cut for result in results if result.cut is not None}
        member = Member(number=number, candidate=candidate, key=key, cut=cut)
        return member, mean_metrics([result.metrics for result in results])

    def script_facts(self, *members: Member, **changes: Any) -> ScriptFacts:
        """Return all that the code of trials is written from."""
        plan = self.context.plan
        return ScriptFacts(
            run_id=f"run_{members[0].number}",
            pipeline=members[0].candidate.pipeline,
            task=self.task,
            metric=plan.primary_metric,
            score=None,
            label="label",
            seed=plan.seed,
            run=self.facts,
            profile=self.profile,
            members=members,
            **{
                "training_data": "rows",
                "weight_column": plan.weight_column,
                "group_column": plan.validation.group_column,
                "split_columns": plan.validation.cv_split_columns,
                **changes,
            },
        )


def candidate_of(name: str, task: Task, place: int = 0, **changes: Any) -> Candidate:
    family = get_family(name)
    made = Candidate(
        family=name,
        model_name=family.name,
        params=family.portfolio(task)[place],
        scaler=family.scalers[place % len(family.scalers)],
    )
    return replace(made, **changes)


def run_source(source: str, *frames: pd.DataFrame, path: Path | None = None) -> dict[str, float]:
    names: dict[str, Any] = {"__name__": "script", "__file__": str(path or "script.py")}
    exec(compile(source, "script.py", "exec"), names)
    scores: dict[str, float] = names["main"](*frames)
    return scores


def is_equal(scores: dict[str, float], metrics: dict[str, float | None]) -> bool:
    known = {name: value for name, value in metrics.items() if value is not None}
    return {name: scores[name] for name in known} == known


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> dict[Task, Prepared]:
    return {
        task: Prepared(tmp_path_factory.mktemp(task.value), mixed(task), task)
        for task in (Task.CLASSIFICATION, Task.REGRESSION)
    }


def test_each_family_has_code_of_its_own() -> None:
    tasks = (Task.CLASSIFICATION, Task.REGRESSION)
    names = {get_family(name).name for task in tasks for name in families_for(task)}
    assert names <= set(WRITERS)


@pytest.mark.parametrize("features", Representation)
@pytest.mark.parametrize("task", [Task.CLASSIFICATION, Task.REGRESSION])
def test_all_features_are_written(
    prepared: dict[Task, Prepared], task: Task, features: Representation
) -> None:
    run = prepared[task]
    member, metrics = run.trial(candidate_of("LightGBM", task, features=str(features)))
    assert is_equal(run_source(write_script(run.script_facts(member)), run.frame), metrics)


@pytest.mark.parametrize("is_weighted", [False, True])
@pytest.mark.parametrize("task", [Task.CLASSIFICATION, Task.REGRESSION])
def test_catboost_is_written_where_it_is_installed(
    tmp_path: Path, task: Task, is_weighted: bool
) -> None:
    pytest.importorskip("catboost")
    frame = mixed(task).assign(weight=np.where(np.arange(160) % 3, 1.0, 2.5))
    run = Prepared(tmp_path, frame, task, weight_column="weight" if is_weighted else None)
    member, metrics = run.trial(candidate_of("CatBoost", task))
    source = write_script(run.script_facts(member))
    assert "get_family" not in source
    assert is_equal(run_source(source, run.frame), metrics)


def test_a_forest_is_as_large_in_the_code_as_in_the_run(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    n_rows = 6_250  # of which folds train on 4,166 rows, or one more: 50 trees, or 49
    frame = pd.DataFrame({"a": rng.normal(size=n_rows), "b": rng.normal(size=n_rows)})
    frame["label"] = frame["a"] + rng.normal(size=n_rows)
    run = Prepared(tmp_path, frame, Task.REGRESSION)
    member, metrics = run.trial(candidate_of("RandomForest", Task.REGRESSION))
    source = write_script(run.script_facts(member))
    assert "n_estimators=min(" in source
    assert is_equal(run_source(source, frame), metrics)


def test_a_family_from_elsewhere_is_called(prepared: dict[Task, Prepared]) -> None:
    run = prepared[Task.CLASSIFICATION]
    member, metrics = run.trial(candidate_of(FAST_FAMILY, Task.CLASSIFICATION))
    source = write_script(run.script_facts(member))
    assert f'get_family("{FAST_FAMILY}")' in source
    assert is_equal(run_source(source, run.frame), metrics)


def test_what_is_changed_in_the_code_changes_the_score(prepared: dict[Task, Prepared]) -> None:
    run = prepared[Task.CLASSIFICATION]
    member, metrics = run.trial(candidate_of("DecisionTree", Task.CLASSIFICATION))
    source = write_script(run.script_facts(member))
    assert "max_depth=12," in source
    scores = run_source(source.replace("max_depth=12,", "max_depth=1,"), run.frame)
    assert not is_equal(scores, metrics)


def test_a_fit_that_time_cut_is_cut_in_the_code_too(prepared: dict[Task, Prepared]) -> None:
    run = prepared[Task.CLASSIFICATION]
    member, metrics = run.trial(candidate_of("LightGBM", Task.CLASSIFICATION))
    cut = replace(member, cut={1: 3})
    source = write_script(run.script_facts(cut))
    assert f"MOST_ROUNDS = {{{member.seeds(0, 3)[1]}: 3}}" in source
    assert "n_estimators=MOST_ROUNDS.get(seed, 1200)" in source
    assert not is_equal(run_source(source, run.frame), metrics)
    unknown = write_script(run.script_facts(replace(member, cut={1: 0})))
    assert "cut fits of folds [1]" in unknown


@pytest.mark.parametrize("name", ["LightGBM", "XGBoostClassifier", "RandomForest"])
def test_a_trial_says_where_time_cut_its_fits(prepared: dict[Task, Prepared], name: str) -> None:
    run = prepared[Task.CLASSIFICATION]
    member, metrics = run.trial(candidate_of(name, Task.CLASSIFICATION), seconds=1e-9)
    assert list(member.cut) == [0, 1, 2]
    assert all(member.cut.values())
    assert is_equal(run_source(write_script(run.script_facts(member)), run.frame), metrics)


def test_splits_given_as_rows_lie_beside_the_code(tmp_path: Path) -> None:
    frame = mixed(Task.CLASSIFICATION)
    pairs = [[np.arange(0, 100), np.arange(100, 160)], [np.arange(60, 160), np.arange(60)]]
    splits = read_splits([[list(t), list(v)] for t, v in pairs])
    np.savez(
        tmp_path / "cv_splits.npz",
        **{
            f"{part}{i}": rows
            for i, s in enumerate(splits)
            for part, rows in zip(("train", "valid"), s, strict=True)
        },
    )
    options = ValidationOptions(cv_splits=splits)
    run = Prepared(tmp_path, frame, Task.CLASSIFICATION, validation=options)
    member, metrics = run.trial(candidate_of("RandomForest", Task.CLASSIFICATION))
    source = write_script(run.script_facts(member))
    assert is_equal(run_source(source, frame, path=tmp_path / "script.py"), metrics)


def test_the_code_is_formatted_and_without_lint(
    prepared: dict[Task, Prepared], tmp_path: Path
) -> None:
    checked = 0
    for task, run in prepared.items():
        for name in families_for(task):
            for features in ("", *map(str, get_family(name).other_representations)):
                candidate = candidate_of(name, task, features=features)
                member = Member(number=checked, candidate=candidate, key="key")
                source = write_script(run.script_facts(member))
                (tmp_path / f"script{checked}.py").write_text(source, encoding="utf-8")
                checked += 1
    ruff = partial(subprocess.run, cwd=tmp_path, capture_output=True, text=True, check=False)
    formatted = ruff([sys.executable, "-m", "ruff", "format", "--isolated", "--check", "."])
    assert formatted.returncode == 0, formatted.stdout
    rules = ["--select", "E4,E7,E9,F,I,B,UP,W,SIM,C4"]
    linted = ruff([sys.executable, "-m", "ruff", "check", "--isolated", *rules, "."])
    assert linted.returncode == 0, linted.stdout


def test_facts_survive_their_file(prepared: dict[Task, Prepared]) -> None:
    for run in prepared.values():
        stored = json.loads(json.dumps(run.facts.to_dict()))
        assert RunFacts.from_dict(stored) == run.facts
