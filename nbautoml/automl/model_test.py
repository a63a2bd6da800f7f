"""The test of a run's best model: a run of its own, below the best child."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from nbautoml.automl.artifacts import PREDICTIONS
from nbautoml.automl.run_data import RunData
from nbautoml.automl.stored_model import load_model, load_scoring
from nbautoml.domain.events import LogWritten, json_safe
from nbautoml.domain.records import MetricPoint, RunRecord
from nbautoml.domain.status import RunStatus
from nbautoml.runs.controller import set_status
from nbautoml.runs.details import OUTPUT_DATASETS
from nbautoml.runs.work import Ending, WorkContext
from nbautoml.store.session import Session

if TYPE_CHECKING:
    from nbautoml.engine.model_test import ModelTest

MODEL_TEST = "automl.model_test"
"""Type of a test run, as the SDK calls it: ``best_run.get_children(type='automl.model_test')``."""
TEST_RUN = "model_test_run_id"
"""Property of an AutoML run: the id of the latest test of its best model."""


def add_model_test(session: Session, run: RunRecord, child_id: str) -> str:
    """Add the row of a test run, which nobody does yet; return its id.

    Parameters
    ----------
    session : Session
        The open store.
    run : RunRecord
        The AutoML run.
    child_id : str
        Its best child.
    """
    with session.write() as tx:
        earlier = tx.runs.list(parent_id=child_id, type=MODEL_TEST)
        waiting = [test.id for test in earlier if test.status is RunStatus.NOT_STARTED]
        if waiting:  # an earlier controller of the run came as far as this
            return waiting[0]
        number = len(earlier)
        test = RunRecord(
            id=f"{child_id}_test{number}",
            experiment=run.experiment,
            type=MODEL_TEST,
            status=RunStatus.NOT_STARTED,
            created_at=time.time(),
            parent_id=child_id,
            number=number,
            display_name="Test of the best model",
            settings={"automl_run": run.id, "model_run": child_id},
            properties={"automl_run_id": run.id, "model_run_id": child_id},
        )
        tx.runs.create(test)
        tx.runs.set_properties(run.id, {TEST_RUN: test.id})
    return test.id


class ModelTestWork:
    """Tests one model; made in the test run's controller process.

    Parameters
    ----------
    context : WorkContext
        The test run.
    """

    def __init__(self, context: WorkContext) -> None:
        self._context = context
        self._model_run = str(context.run.settings["model_run"])
        with context.session.read() as tx:
            self._automl_run = tx.runs.get(str(context.run.settings["automl_run"]))

    def run(self) -> Ending:
        """Predict the test rows, score the predictions, keep both."""
        from nbautoml.engine.model_test import run_test  # loads the machine-learning stack

        set_status(self._context, RunStatus.RUNNING)
        settings = self._automl_run.settings
        config = settings["config"]
        data = RunData(self._context.session, settings)
        weight = config.get("weight_column_name")
        result = run_test(
            load_model(self._context.session, self._model_run),
            data.test(),
            data.label,
            load_scoring(self._context.session, self._automl_run.id),
            weight_column=None if weight is None else str(weight),
            only_predictions=bool(config.get("test_include_predictions_only")),
        )
        self._keep(result)
        return Ending(status=RunStatus.COMPLETED, reason=_about(result))

    def _keep(self, result: ModelTest) -> None:
        """Store predictions, charts and metrics; the predictions are a dataset too."""
        from nbautoml.data.materialise import freeze_frame, save_content

        context, run_id = self._context, self._context.run.id
        content = freeze_frame(result.predictions, "The predictions")
        dataset = save_content(context.session, content, origin={"run": run_id})
        files = {
            name: json.dumps(json_safe(chart)).encode() for name, chart in result.charts.items()
        }
        files[PREDICTIONS] = result.predictions.to_csv(index=False).encode()
        context.session.save_artifacts(run_id, files)
        now = context.now()
        points = [MetricPoint(name=n, value=v, time=now) for n, v in result.metrics.items()]
        with context.session.write() as tx:
            tx.metrics.log(run_id, points)
            tx.runs.set_properties(run_id, {OUTPUT_DATASETS: json.dumps([dataset.id])})
        context.emit(LogWritten(level="INFO", message=_about(result)))


def _about(result: ModelTest) -> str:
    """Return what was tested, as a sentence."""
    n_rows = len(result.predictions)
    if not result.n_scored:
        return f"Predicted {n_rows:,} test rows; none has a label to score."
    unknown = ""
    if result.n_unknown:
        unknown = f" {result.n_unknown:,} are of classes that the training data did not have."
    return f"Predicted {n_rows:,} test rows and scored {result.n_scored:,}.{unknown}"
