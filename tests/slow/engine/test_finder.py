"""Whole runs in one process."""

from __future__ import annotations

import pickle
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes

from nbautoml.domain import events as ev
from nbautoml.domain.ports import Request
from nbautoml.domain.snapshot import SnapshotFold
from nbautoml.domain.status import RequestKind, RunStatus, TrialOutcome
from nbautoml.domain.tasks import Task
from nbautoml.engine.finder import Found, find_model
from nbautoml.engine.metrics import score_classification
from nbautoml.engine.plan import EnsembleOptions, Limits, SearchPlan
from nbautoml.engine.search import loop, runner
from nbautoml.engine.search.loop import StopReason
from nbautoml.engine.validation import ValidationOptions
from nbautoml.errors import DatasetError, TrainingError
from nbautoml.testing.executor import (
    FolderArtifacts,
    InProcessExecutor,
    MemoryEvents,
    ScriptedControl,
)
from nbautoml.testing.fast_family import FAILING_FAMILY, FAST_FAMILY, HANGING_FAMILY

MODELS = ("LogisticRegression", FAST_FAMILY)
FEW_FOLDS = ValidationOptions(n_cross_validations=3)
# A run may pass its budget by this, on a machine that does other work too.
GRACE_SECONDS = 1.5


@dataclass
class Run:
    """One run and all that came of it."""

    folder: Path
    events: MemoryEvents = field(default_factory=MemoryEvents)
    executor: InProcessExecutor = field(default_factory=InProcessExecutor)
    control: ScriptedControl = field(default_factory=ScriptedControl)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.artifacts = FolderArtifacts(self.folder / "artifacts")

    def __call__(
        self,
        frame: pd.DataFrame,
        plan: SearchPlan,
        *,
        label: str = "label",
        finished: Sequence[ev.TrialFinished] = (),
        n_settled: int = 0,
    ) -> Found:
        started = time.monotonic()
        found = find_model(
            frame,
            label,
            plan,
            executor=self.executor,
            events=self.events,
            artifacts=self.artifacts,
            control=self.control,
            scratch=self.folder / "scratch",
            clock=time.time,
            finished=finished,
            n_settled=n_settled,
        )
        self.seconds = time.monotonic() - started
        self.executor.close()
        return found

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events.events if isinstance(event, kind)]

    @property
    def finished(self) -> list[ev.TrialFinished]:
        return sorted(self.of(ev.TrialFinished), key=lambda e: e.number)

    def model(self, number: int | None) -> Any:
        return pickle.loads(self.artifacts.local_path(number, "outputs/model.pkl").read_bytes())


def cancer(n_rows: int = 200) -> pd.DataFrame:
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    frame = X.iloc[:, :8].assign(label=np.where(y == 1, "benign", "malignant"))
    return frame.sample(n_rows, random_state=0).reset_index(drop=True)


def diabetes() -> pd.DataFrame:
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    return X.assign(label=y).iloc[:200]


def carry(source: Run, target: Run) -> None:
    """Give a run all files of another."""
    shutil.copytree(source.artifacts.root, target.artifacts.root, dirs_exist_ok=True)


def plan(**changes: Any) -> SearchPlan:
    base = SearchPlan(
        task=Task.CLASSIFICATION,
        primary_metric="AUC_weighted",
        models=MODELS,
        validation=FEW_FOLDS,
        limits=Limits(max_iterations=8, max_concurrent=2, enable_early_stopping=False),
    )
    limits = {k: changes.pop(k) for k in list(changes) if k in Limits.__dataclass_fields__}
    return replace(base, **changes, limits=replace(base.limits, **limits))


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One whole run, for the tests that only look at what it left."""
    run = Run(tmp_path_factory.mktemp("run"))
    run.found = run(cancer(), plan())  # type: ignore[attr-defined] # kept for the tests
    return run


def test_iterations_count_the_ensemble_which_comes_last(done: Run) -> None:
    assert [e.number for e in done.finished] == list(range(8))
    assert [e.is_ensemble for e in done.finished] == [False] * 7 + [True]
    assert done.finished[-1].pipeline == "VotingEnsemble"


def test_phases_come_in_order(done: Run) -> None:
    phases = [e.phase.value for e in done.of(ev.PhaseChanged)]
    assert phases == [
        "DatasetEvaluation",
        "DatasetCrossValidationSplit",
        "FeaturesGeneration",
        "ModelSelection",
        "EnsembleSelection",
        "Finalizing",
    ]


def test_a_trial_starts_then_folds_then_ends(done: Run) -> None:
    kinds = [type(e) for e in done.events.events if getattr(e, "number", None) == 3]
    assert kinds == [ev.TrialStarted, *[ev.FoldFinished] * 3, ev.TrialFinished]


def test_a_score_is_the_mean_of_the_folds(done: Run) -> None:
    scores = [e.score for e in done.of(ev.FoldFinished) if e.number == 2]
    trial = done.finished[2]
    assert trial.score == pytest.approx(np.mean(scores))
    assert trial.score_std == pytest.approx(np.std(scores))
    assert trial.metrics["AUC_weighted"] == pytest.approx(trial.score)


def test_the_ensemble_says_what_it_was_compared_with(done: Run) -> None:
    ensemble, singles = done.finished[-1], done.finished[:-1]
    rival = ensemble.params["best_single_score"]
    # The score of choosing a trial lacks the luck of the trial that was chosen by its score.
    assert 0.9 < rival <= max(e.score for e in singles)
    assert ensemble.is_best is (ensemble.score > rival - 0.01)
    assert [e.is_best for e in singles] == [None] * 7


def test_the_answer_is_what_the_log_says_is_best(done: Run) -> None:
    found = done.found  # type: ignore[attr-defined] # set by the fixture
    assert found.score == done.finished[found.best].score
    fold = SnapshotFold("r")
    config = ev.RunConfigured(
        task="classification",
        primary_metric="AUC_weighted",
        label="label",
        dataset="",
        experiment="",
        compute="",
        n_workers=2,
    )
    for seq, event in enumerate([config, *done.events.events], start=1):
        fold.apply(ev.EventRecord(run_id="r", seq=seq, time=float(seq), event=event))
    assert fold.build().best == done.found.best  # type: ignore[attr-defined] # set there


def test_every_trial_leaves_its_files(done: Run) -> None:
    best = done.found.best  # type: ignore[attr-defined] # kept by the fixture
    for number in range(8):
        assert done.artifacts.names(number) == [
            "accuracy_table",
            "confusion_matrix",
            *(["internal/ensemble.json"] if number == 7 else []),
            "internal/oof_predictions.npy",
            *(["outputs/metric_confidence.json"] if number == best else []),
            "outputs/model.pkl",
        ]


def test_the_run_leaves_its_files(done: Run) -> None:
    assert done.artifacts.names(None) == [
        "internal/code_facts.json",
        "internal/held_out.npz",
        "internal/label.json",
        "internal/profile.json",
        "internal/scoring.pkl",
        "outputs/engineered_feature_names.json",
        "outputs/featurization_summary.json",
        "outputs/guardrails.json",
        "outputs/metric_confidence.json",
    ]


def test_out_of_fold_predictions_give_the_score(done: Run) -> None:
    frame = cancer()
    oof = np.load(done.artifacts.local_path(1, "internal/oof_predictions.npy"))
    y = (frame["label"] == "malignant").to_numpy().astype(int)
    assert oof.shape == (len(frame), 2)
    pooled = score_classification(y, oof, 2)["AUC_weighted"]
    assert pooled == pytest.approx(done.finished[1].score, abs=0.03)


def test_a_model_answers_in_labels_from_raw_rows_in_any_order(done: Run) -> None:
    frame = cancer()
    raw = frame.drop(columns="label").iloc[:, ::-1].assign(extra=1)
    for number in range(8):
        model = done.model(number)
        assert model.steps[0][0] == "datatransformer"
        assert list(model.classes_) == ["benign", "malignant"]
        assert model.predict_proba(raw).shape == (len(raw), 2)
        assert np.mean(model.predict(raw) == frame["label"]) > 0.5
    with pytest.raises(ValueError, match="mean radius"):
        done.model(0).predict(frame.drop(columns="mean radius"))


def test_a_fold_bag_has_the_mean_of_its_folds(done: Run) -> None:
    refit = {*done.finished[-1].params["members"], str(done.found.best)}  # type: ignore[attr-defined]
    number = next(n for n in range(7) if str(n) not in refit)
    model = done.model(number)
    bag = model.steps[-1][1]
    X = model.steps[0][1].transform(cancer().drop(columns="label"))
    votes = [member.predict_proba(X) for member in bag.estimators]
    assert len(votes) == 3
    expected = np.mean(votes, axis=0)
    np.testing.assert_allclose(model.predict_proba(cancer()), expected, atol=1e-12)


def test_the_ensemble_shows_members_and_weights(done: Run) -> None:
    model = done.model(7)
    name, voting = model.steps[-1]
    assert name == "prefittedsoftvotingclassifier"
    assert sum(voting.weights) == pytest.approx(1.0)
    assert {n for n, _ in voting.estimators} == set(done.finished[-1].params["members"])
    votes = [m.predict_proba(model.steps[0][1].transform(cancer())) for _, m in voting.estimators]
    expected = np.average(votes, axis=0, weights=voting.weights)
    np.testing.assert_allclose(model.predict_proba(cancer()), expected)


def test_the_best_single_model_is_half_its_folds_and_half_a_fit_on_all_rows(done: Run) -> None:
    trials = [e for e in done.finished if not e.is_ensemble and e.score is not None]
    best = max(trials, key=lambda e: e.score or 0.0)
    bag = done.model(best.number).steps[-1][1]
    assert bag.weights == pytest.approx([1 / 6, 1 / 6, 1 / 6, 1 / 2])


def test_in_an_ensemble_the_fit_on_all_rows_of_a_member_counts_more(done: Run) -> None:
    for _, member in done.model(7).steps[-1][1].estimators:
        bag = member.steps[-1][1]
        assert bag.weights == pytest.approx([1 / 15, 1 / 15, 1 / 15, 4 / 5])
        assert [one.steps[0][0] for one in bag.estimators] == ["featurizer"] * 4


def test_the_data_transformer_names_its_features(done: Run) -> None:
    for number in (0, 7):
        transformer = done.model(number).named_steps["datatransformer"]
        assert len(transformer.get_engineered_feature_names()) >= 8
        assert len(transformer.get_featurization_summary()) == 8


def table(run: Run) -> list[tuple[Any, ...]]:
    return [(e.number, e.key, e.pipeline, e.score, e.outcome) for e in run.finished]


def test_the_same_seed_gives_the_same_table(done: Run, run: Run) -> None:
    run.executor = InProcessExecutor(n_slots=1)
    run(cancer(), plan())
    assert table(run) == table(done)


def test_another_seed_gives_other_trials(done: Run, run: Run) -> None:
    run(cancer(), plan(seed=5))
    assert {e.key for e in run.finished}.isdisjoint({e.key for e in done.finished})


@pytest.mark.parametrize("n_before", [1, 4, 7])
def test_a_resumed_run_ends_with_the_same_table(done: Run, run: Run, n_before: int) -> None:
    before = [e for e in done.finished if e.number < n_before or e.number == 5]
    run.artifacts = done.artifacts.__class__(run.folder / "artifacts")
    for event in before:
        for name in ("internal/oof_predictions.npy", "outputs/model.pkl"):
            path = done.artifacts.local_path(event.number, name)
            run.artifacts.put_file(event.number, name, path)
    run(cancer(), plan(), finished=[e for e in before if not e.is_ensemble])
    again = {e.number for e in run.finished}
    assert again.isdisjoint({e.number for e in before})
    merged = {e.number: e for e in [*before, *run.finished]}
    assert [merged[n].key for n in sorted(merged)] == [e.key for e in done.finished]
    assert merged[7].score == pytest.approx(done.finished[7].score)


def test_a_timed_run_takes_up_where_it_was(done: Run, run: Run) -> None:
    before = [e for e in done.finished if not e.is_ensemble]
    for event in before:
        for name in ("internal/oof_predictions.npy", "outputs/model.pkl"):
            path = done.artifacts.local_path(event.number, name)
            run.artifacts.put_file(event.number, name, path)
    timed = plan(max_iterations=None, timeout_seconds=3.0)
    run(cancer(), timed, finished=before)
    known = {e.key for e in before}
    assert run.finished
    assert all(e.key not in known and e.number >= 7 for e in run.finished)


def test_a_continued_run_tries_more_and_chooses_a_new_ensemble(done: Run, run: Run) -> None:
    before = done.finished
    carry(done, run)
    found = run(cancer(), plan(max_iterations=3), finished=before, n_settled=len(before))
    assert [e.number for e in run.finished] == [8, 9, 10]
    assert [e.is_ensemble for e in run.finished] == [False, False, True]
    assert not {e.key for e in run.finished} & {e.key for e in before}
    ensemble = run.finished[-1]
    assert ensemble.is_best
    assert (found.best, found.score) == (10, ensemble.score)


def test_a_continued_run_without_news_chooses_no_ensemble_again(done: Run, run: Run) -> None:
    before = done.finished
    carry(done, run)
    found = run(
        cancer(), plan(max_iterations=None, timeout_seconds=0.0), finished=before, n_settled=8
    )
    assert run.finished == []
    assert found.score == before[-1].score


def test_a_continued_run_that_was_lost_ends_with_the_same_table(done: Run, run: Run) -> None:
    before = done.finished
    whole = Run(run.folder / "whole")
    carry(done, whole)
    whole(cancer(), plan(max_iterations=5), finished=before, n_settled=8)
    carry(whole, run)
    known = whole.finished[:2]
    run(cancer(), plan(max_iterations=5), finished=[*before, *known], n_settled=8)
    again = [*known, *run.finished]
    assert [(e.number, e.key, e.score) for e in again] == [
        (e.number, e.key, e.score) for e in whole.finished
    ]


def test_a_constant_of_an_earlier_attempt_is_no_candidate(done: Run, run: Run) -> None:
    run(cancer(), plan(timeout_seconds=0.0))
    constant = run.finished
    assert [e.family for e in constant] == ["Baseline"]
    again = Run(run.folder / "again")
    carry(run, again)
    found = again(cancer(), plan(max_iterations=3), finished=constant, n_settled=1)
    assert found.score is not None and found.score > 0.9
    assert [e.number for e in again.finished] == [1, 2, 3]


def test_a_regression_gives_numbers(run: Run) -> None:
    found = run(
        diabetes(),
        plan(
            task=Task.REGRESSION,
            primary_metric="normalized_root_mean_squared_error",
            models=("ElasticNet", "KNN"),
            max_iterations=5,
        ),
    )
    model = run.model(found.best)
    answers = model.predict(diabetes())
    assert np.corrcoef(answers, diabetes()["label"])[0, 1] > 0.5
    assert found.score is not None and found.score < 0.2
    names = run.artifacts.names(found.best)
    assert {"residuals", "predicted_true"} <= set(names)
    assert run.model(4).steps[-1][0] == "prefittedsoftvotingregressor"
    with pytest.raises(AttributeError):
        model.predict_proba(diabetes())


def test_given_validation_rows_score_the_trials(run: Run) -> None:
    run(cancer(), plan(validation=ValidationOptions(), n_valid_rows=60, max_iterations=3))
    assert np.load(run.artifacts.local_path(0, "internal/oof_predictions.npy")).shape == (60, 2)
    (described,) = run.of(ev.DataDescribed)
    assert described.n_folds == 1


def test_random_splits_that_overlap_are_averaged(run: Run) -> None:
    options = ValidationOptions(n_cross_validations=4, validation_size=0.3)
    run(cancer(), plan(validation=options, max_iterations=3))
    oof = np.load(run.artifacts.local_path(0, "internal/oof_predictions.npy"))
    assert 60 < len(oof) < 200
    np.testing.assert_allclose(oof.sum(axis=1), 1.0, atol=1e-5)


def test_rows_without_a_label_take_no_part(run: Run) -> None:
    frame = cancer()
    frame.loc[:19, "label"] = None
    run(frame, plan(max_iterations=1))
    assert run.of(ev.DataDescribed)[0].n_rows == 180


def test_one_iteration_is_a_single_model(run: Run) -> None:
    found = run(cancer(), plan(max_iterations=1))
    assert [e.is_ensemble for e in run.finished] == [False]
    assert found.best == 0


def test_without_voting_all_iterations_are_single_models(run: Run) -> None:
    run(cancer(), plan(ensemble=EnsembleOptions(enable_voting=False), max_iterations=3))
    assert [e.is_ensemble for e in run.finished] == [False] * 3


def test_a_failing_family_fails_alone(run: Run) -> None:
    run(cancer(), plan(models=(FAILING_FAMILY, "LogisticRegression"), max_iterations=6))
    failed = [e for e in run.finished if e.family == "TestFailing"]
    assert failed
    assert all(e.outcome is TrialOutcome.FAILED for e in failed)
    assert "This family always fails." in failed[0].error
    assert any("Traceback" in e.message for e in run.of(ev.LogWritten))


def test_a_run_whose_trials_all_fail_says_so(run: Run) -> None:
    with pytest.raises(TrainingError, match="This family always fails"):
        run(cancer(), plan(models=(FAILING_FAMILY,), max_iterations=3))


def test_the_budget_holds(run: Run) -> None:
    found = run(cancer(), plan(max_iterations=None, timeout_seconds=4.0))
    assert 2.0 < run.seconds < 4.0 + GRACE_SECONDS
    assert found.reason is StopReason.TIME
    assert run.of(ev.DeadlineChanged) == []


def test_a_hanging_fit_does_not_hold_the_run_up(run: Run) -> None:
    models = ("LogisticRegression", HANGING_FAMILY)
    found = run(cancer(), plan(models=models, max_iterations=None, timeout_seconds=3.0))
    assert run.seconds < 3.0 + GRACE_SECONDS
    hung = [e for e in run.finished if e.family == "TestHanging"]
    assert {e.outcome for e in hung} == {TrialOutcome.TIME_LIMIT}
    assert run.model(found.best).predict(cancer()).shape == (200,)


def test_a_run_without_any_finished_trial_answers_with_a_constant(run: Run) -> None:
    found = run(cancer(), plan(models=(HANGING_FAMILY,), max_iterations=None, timeout_seconds=2.0))
    assert run.seconds < 2.0 + GRACE_SECONDS
    assert found.pipeline == "Baseline"
    assert found.score == 0.5
    assert set(run.model(found.best).predict(cancer())) == {"benign"}


def test_a_slow_iteration_ends_at_its_limit(run: Run) -> None:
    models = (HANGING_FAMILY, "LogisticRegression")
    run(cancer(), plan(models=models, max_iterations=8, iteration_timeout_seconds=0.5))
    hung = [e for e in run.finished if e.family == "TestHanging"]
    assert all(e.outcome is TrialOutcome.TIME_LIMIT and e.folds_done == 0 for e in hung)
    assert all(0.4 < e.seconds < 0.5 + GRACE_SECONDS for e in hung)
    assert "0 of 3 folds" in hung[0].error


def test_the_exit_score_ends_the_search(run: Run) -> None:
    found = run(cancer(), plan(max_iterations=50, exit_score=0.6))
    assert found.reason is StopReason.EXIT_SCORE
    assert len(run.finished) < 10


def test_a_search_without_gain_ends(run: Run) -> None:
    found = run(cancer(80), plan(models=(FAST_FAMILY,), max_iterations=None))
    assert found.reason is StopReason.NO_GAIN
    assert 20 <= len(run.finished) < 200


def test_a_timed_search_looks_around_for_a_quarter_of_its_time(run: Run) -> None:
    limits = {"max_iterations": None, "timeout_seconds": 6.0}
    found = run(cancer(80), plan(models=(FAST_FAMILY,), enable_early_stopping=True, **limits))
    assert found.reason is StopReason.NO_GAIN
    assert len(run.finished) > 40
    assert run.seconds > 0.25 * 6.0


def test_cancel_keeps_finished_trials_and_skips_the_ensemble(run: Run) -> None:
    run.control = ScriptedControl([(1.0, Request(kind=RequestKind.CANCEL))])
    models = ("LogisticRegression", HANGING_FAMILY)
    found = run(cancer(), plan(models=models, max_iterations=50))
    assert found.is_canceled
    assert run.seconds < 1.0 + GRACE_SECONDS
    assert found.best is not None
    assert {e.outcome for e in run.finished} == {TrialOutcome.COMPLETED, TrialOutcome.CANCELED}
    assert not any(e.is_ensemble for e in run.finished)


def test_finish_now_builds_the_ensemble(run: Run) -> None:
    run.control = ScriptedControl([(1.0, Request(kind=RequestKind.FINISH_NOW))])
    found = run(cancer(), plan(max_iterations=5_000))
    assert found.reason is StopReason.FINISH_NOW
    assert run.finished[-1].is_ensemble


def test_a_paused_search_begins_nothing_and_its_time_stands_still(run: Run) -> None:
    pauses = [(0.5, Request(kind=RequestKind.PAUSE)), (2.0, Request(kind=RequestKind.RESUME))]
    run.control = ScriptedControl(pauses)
    found = run(cancer(), plan(max_iterations=None, timeout_seconds=3.0))
    assert found.best is not None
    kinds = [e.status if isinstance(e, ev.StatusChanged) else type(e) for e in run.events.events]
    paused, resumed = kinds.index(RunStatus.PAUSED), kinds.index(RunStatus.RUNNING)
    assert ev.TrialStarted in kinds[:paused]
    assert ev.TrialStarted not in kinds[paused:resumed]
    assert ev.TrialStarted in kinds[resumed:]
    assert 4.0 < run.seconds < 4.5 + GRACE_SECONDS


def test_a_counted_search_tries_the_same_with_a_pause(run: Run, done: Run) -> None:
    pauses = [(0.0, Request(kind=RequestKind.PAUSE)), (0.5, Request(kind=RequestKind.RESUME))]
    run.control = ScriptedControl(pauses)
    run(cancer(), plan())
    assert [(e.key, e.score) for e in run.finished] == [(e.key, e.score) for e in done.finished]


@pytest.mark.parametrize("kind", [RequestKind.FINISH_NOW, RequestKind.CANCEL])
def test_a_paused_search_can_be_ended(run: Run, kind: RequestKind) -> None:
    run.control = ScriptedControl(
        [(0.5, Request(kind=RequestKind.PAUSE)), (1.0, Request(kind=kind))]
    )
    found = run(cancer(), plan(max_iterations=5_000))
    assert found.is_canceled is (kind is RequestKind.CANCEL)
    assert [e.status for e in run.of(ev.StatusChanged)] == [RunStatus.PAUSED, RunStatus.RUNNING]


def test_added_minutes_move_the_deadline(run: Run) -> None:
    run.control = ScriptedControl([(0.2, Request(kind=RequestKind.ADD_MINUTES, minutes=0.05))])
    run(cancer(), plan(max_iterations=None, timeout_seconds=2.0))
    (moved,) = run.of(ev.DeadlineChanged)
    assert moved.deadline == pytest.approx(time.time(), abs=2.5)
    assert 3.0 < run.seconds < 5.0 + GRACE_SECONDS


@pytest.mark.parametrize("max_concurrent", [1, 2])
def test_no_more_trials_than_asked_are_on_their_way(run: Run, max_concurrent: int) -> None:
    run.executor = InProcessExecutor(n_slots=4)
    run(cancer(), plan(max_concurrent=max_concurrent))
    n_open, most = 0, 0
    for event in run.events.events:
        n_open += isinstance(event, ev.TrialStarted) - isinstance(event, ev.TrialFinished)
        most = max(most, n_open)
    assert most == max_concurrent


def test_tasks_carry_what_time_is_left(run: Run) -> None:
    run(cancer(), plan(max_iterations=None, timeout_seconds=3.0))
    limits = [task.time_limit_seconds for task in run.executor.submitted]
    assert all(limit is not None and 0 < limit <= 3.0 for limit in limits)


def test_where_folds_are_dear_a_bad_first_fold_ends_a_trial(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "_RACE_SECONDS", 0.0)
    monkeypatch.setattr(runner, "_DROP_DEVIATIONS", 0.0)
    monkeypatch.setattr(runner, "_DROP_SHARE", 0.0)
    run(cancer(), plan(max_iterations=None, timeout_seconds=3.0))
    dropped = [e for e in run.finished if e.outcome is TrialOutcome.CANCELED]
    assert dropped
    assert all(e.folds_done == 1 and e.score is None for e in dropped)
    assert "Stopped after 1 of 3 folds" in dropped[0].error
    members = run.finished[-1].params["members"]
    assert members.keys().isdisjoint({str(e.number) for e in dropped})


def test_a_wrong_label_is_named(run: Run) -> None:
    with pytest.raises(DatasetError, match=r"no column 'lable'.*Did you mean 'label'"):
        run(cancer(), plan(), label="lable")


def test_two_runs_can_share_an_executor(run: Run) -> None:
    for _ in range(2):
        run(cancer(), plan(max_iterations=3))
        run.executor.is_closed = False
    keys = [task.key for task in run.executor.submitted]
    assert len(set(keys)) == len(keys)
