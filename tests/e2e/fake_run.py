"""Write the events of a made-up run, in a process of its own, as a controller would.

    python fake_run.py ROOT RUN_ID --trials 60 --pace 0.05

Obeys requests: `cancel` and `finish_now` end the run, `add_minutes` moves its deadline.
"""

from __future__ import annotations

import argparse
import random
import time
from pathlib import Path

from nbautoml.domain import events as ev
from nbautoml.domain.records import RunRecord, SessionAddress
from nbautoml.domain.status import RequestKind, RunStatus, TrialOutcome
from nbautoml.store.events import EventWriter
from nbautoml.store.session import Session, create_session, open_session
from nbautoml.workspace.config_file import FACTS, WorkspaceFile, address_for, write_config

N_FOLDS = 5
FAMILIES = {
    "LightGBM": "StandardScalerWrapper, LightGBM",
    "XGBoostClassifier": "MaxAbsScaler, XGBoostClassifier",
    "LogisticRegression": "StandardScalerWrapper, LogisticRegression",
    "RandomForest": "MaxAbsScaler, RandomForest",
    "ExtremeRandomTrees": "SparseNormalizer, ExtremeRandomTrees",
    "KNN": "RobustScaler, KNN",
    "SVM": "MaxAbsScaler, SVM",
    "GradientBoosting": "MinMaxScaler, GradientBoosting",
}
FAILURES = (
    (TrialOutcome.TIME_LIMIT, "Stopped at its time limit of 5 s in fold 3."),
    (
        TrialOutcome.FAILED,
        "ValueError: Input X contains <script>alert(1)</script> & NaN.\n  at line 3",
    ),
    (TrialOutcome.MEMORY_LIMIT, "Stopped at its memory limit of 2.0 GB."),
)
GUARDRAILS = (
    ("Missing feature values imputation", "Done", "2 columns had missing values; they were filled.",
     ({"column": "Cabin", "missing": "77 %", "filled_with": "most frequent"},
      {"column": "Age", "missing": "20 %", "filled_with": "mean"})),
    ("Class balancing detection", "Alerted", "The rarest class has 4 % of the rows.",
     ({"class": "<b>yes</b>", "rows": 96},)),
    ("High cardinality feature detection", "Passed", "No column with very many values.", ()),
)  # fmt: skip


def make_workspace(root: Path) -> SessionAddress:
    """Create a workspace with its file, as `Workspace.create` does."""
    address = address_for("e2e", root)
    create_session(address).close()
    write_config(WorkspaceFile(address=address, facts=FACTS), root / ".nbautoml" / "config.json")
    return address


class FakeRun:
    """One run whose trials take as long as they are told."""

    def __init__(self, session: Session, run_id: str, trials: int, pace: float) -> None:
        self._session = session
        self._run_id = run_id
        self._n_trials = trials
        self._pace = pace
        self._random = random.Random(3)
        self._asked = 0
        self._deadline = time.time() + 300.0

    def play(self) -> None:
        with self._session.write() as tx:
            tx.experiments.get_or_create("heart-failure")
            tx.runs.create(
                RunRecord(
                    id=self._run_id,
                    experiment="heart-failure",
                    type="automl",
                    status=RunStatus.RUNNING,
                    created_at=time.time(),
                )
            )
        with EventWriter(self._session, self._run_id) as writer:
            self._begin(writer)
            end = self._search(writer)
            self._end(writer, end)

    def _begin(self, writer: EventWriter) -> None:
        writer.emit(ev.StatusChanged(status=RunStatus.RUNNING))
        writer.emit(
            ev.RunConfigured(
                task="classification",
                primary_metric="AUC_weighted",
                label="DEATH_EVENT",
                dataset="heart-failure:1",
                experiment="heart-failure",
                compute="local",
                n_workers=2,
                max_iterations=self._n_trials,
                timeout_seconds=300.0,
                deadline=self._deadline,
            )
        )
        writer.emit(
            ev.DataDescribed(
                n_rows=299, n_columns=13, n_folds=N_FOLDS, validation="5 folds, by class"
            )
        )
        for name, state, text, details in GUARDRAILS:
            writer.emit(
                ev.GuardrailReported(
                    name=name, state=ev.GuardrailState(state), description=text, details=details
                )
            )

    def _search(self, writer: EventWriter) -> RunStatus:
        for number in range(self._n_trials):
            asked = self._look(writer)
            if asked is not None:
                return asked
            self._trial(writer, number)
        return RunStatus.COMPLETED

    def _look(self, writer: EventWriter) -> RunStatus | None:
        """Obey what was asked since the last look."""
        with self._session.read() as tx:
            requests = tx.requests.read(self._run_id, after=self._asked)
        for request in requests:
            self._asked = request.seq
            if request.kind is RequestKind.CANCEL:
                return RunStatus.CANCELED
            if request.kind is RequestKind.FINISH_NOW:
                return RunStatus.COMPLETED
            self._deadline += 60.0 * request.payload["minutes"]
            writer.emit(ev.DeadlineChanged(deadline=self._deadline))
        return None

    def _trial(self, writer: EventWriter, number: int) -> None:
        family = self._random.choice(list(FAMILIES))
        params = {"learning_rate": 0.1, "n_estimators": 100 + number, "note": "<i>text</i>"}
        what = {"pipeline": FAMILIES[family], "family": family, "params": params}
        start = time.time()
        writer.emit(ev.TrialStarted(number=number, n_folds=N_FOLDS, **what))
        best = 0.94 - 0.12 / (1 + number / 6)
        score = best - abs(self._random.gauss(0, 0.02))
        for fold in range(N_FOLDS):
            time.sleep(self._pace)
            value = score + self._random.gauss(0, 0.01)
            writer.emit(ev.FoldFinished(number=number, fold=fold, score=value, seconds=self._pace))
        writer.emit(ev.WorkersChanged(n_workers=2, n_busy=2, memory_bytes=600_000_000))
        failed = FAILURES[number % len(FAILURES)] if number % 8 == 7 else None
        writer.emit(
            ev.TrialFinished(
                number=number,
                key=f"key-{number}",
                outcome=failed[0] if failed else TrialOutcome.COMPLETED,
                n_folds=N_FOLDS,
                folds_done=2 if failed else N_FOLDS,
                seconds=time.time() - start,
                score=None if failed else score,
                score_std=None if failed else 0.012,
                metrics={} if failed else {"AUC_weighted": score, "accuracy": score - 0.05},
                error=failed[1] if failed else "",
                **what,
            )
        )

    def _end(self, writer: EventWriter, status: RunStatus) -> None:
        reason = "Canceled by a request." if status is RunStatus.CANCELED else ""
        writer.emit(
            ev.StatusChanged(status=status, reason=reason),
            lambda tx: tx.runs.set_status(self._run_id, status, reason=reason, time=time.time()),
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=Path)
    parser.add_argument("run_id")
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--pace", type=float, default=0.05, help="seconds a fold")
    options = parser.parse_args()
    with open_session(address_for("e2e", options.root)) as session:
        FakeRun(session, options.run_id, options.trials, options.pace).play()


if __name__ == "__main__":
    main()
