"""Explanations of whole runs: the best model's by itself, any other model's on demand."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from sklearn.datasets import load_breast_cancer

from nbautoml import (
    AutoMLConfig,
    AutoMLRun,
    Experiment,
    ExplanationClient,
    RunDetails,
    Workspace,
    what_if,
)
from nbautoml.automl.artifacts import DASHBOARD
from nbautoml.automl.explain_run import EXPLAIN_RUN, MODEL_EXPLAIN, ExplainRun
from nbautoml.errors import ConfigError, NotFoundError
from nbautoml.magics.commands import run_command
from nbautoml.magics.home import Home
from nbautoml.services.explanations import trial_explanation, what_if_of_trial

pytestmark = pytest.mark.integration


def cancer() -> pd.DataFrame:
    """Return rows with a planted text column that tells much, and one of noise."""
    frame: pd.DataFrame = load_breast_cancer(as_frame=True).frame
    rng = np.random.default_rng(0)
    is_benign = frame["target"] == 1
    told = np.where(rng.random(len(frame)) < 0.95, is_benign, ~is_benign)
    kept = frame[["mean texture", "mean smoothness", "mean symmetry"]]
    return kept.assign(
        told=np.where(told, "clear", "murky"),
        noise=rng.normal(size=len(frame)),
        target=np.where(is_benign, "benign", "malignant"),
    )


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    workspace = Workspace.create("w", path=tmp_path_factory.mktemp("workspace"))
    yield workspace
    workspace.session.close()


@pytest.fixture(scope="module")
def run(workspace: Workspace) -> AutoMLRun:
    config = AutoMLConfig(
        task="classification",
        training_data=cancer(),
        label_column_name="target",
        primary_metric="AUC_weighted",
        n_cross_validations=3,
        iterations=5,
        experiment_timeout_minutes=10,
    )
    found = Experiment(workspace, "cancer").submit(config)
    assert isinstance(found, AutoMLRun)
    found.wait_for_completion()
    return found


def test_the_best_model_is_explained_by_itself_within_its_share(run: AutoMLRun) -> None:
    """Whoever downloads at once waits for it, as a notebook of the SDK does."""
    best, _ = run.get_output()
    client = ExplanationClient.from_run(best)
    raw = client.download_model_explanation(raw=True)
    importances = raw.get_feature_importance_dict()
    assert next(iter(importances)) == "told"
    assert set(importances) == {
        "told",
        "noise",
        "mean texture",
        "mean smoothness",
        "mean symmetry",
    }
    losses = raw.permutation_importance
    assert max(losses, key=lambda name: losses[name]) == "told"
    assert losses["noise"] < 0.3 * losses["told"]
    explain_run = ExplainRun(run.experiment, run.properties[EXPLAIN_RUN])
    details = explain_run.wait_for_completion()
    assert (explain_run.type, explain_run.parent.id) == (MODEL_EXPLAIN, best.id)
    assert details["runDefinition"]["seconds"] == pytest.approx(30.0)  # 5 % of ten minutes
    board = trial_explanation(run.session, run.id, best.number or 0)["explanation"]
    assert 0 < board["seconds"] < 90.0  # what began in time is finished, on a busy machine too
    assert board["held_out"]
    assert board["score"] > 0.9


def test_rows_sum_to_what_the_model_says_of_them(run: AutoMLRun) -> None:
    best, model = run.get_output()
    raw = ExplanationClient.from_run(run).download_model_explanation(raw=True)
    local = np.array(raw.local_importance_values)
    assert local.shape[0] == 2
    total = local.sum(axis=2) + np.array(raw.expected_values)[:, np.newaxis]
    np.testing.assert_allclose(total.sum(axis=0), 1.0, atol=1e-6)
    board = trial_explanation(run.session, run.id, best.number or 0)["explanation"]
    columns = [column["name"] for column in board["sample"]["columns"]]
    rows = pd.DataFrame(board["sample"]["cells"], columns=columns)
    said = model.predict_proba(rows)[:, 1]
    # The board's cells are rounded for people: a tree may put a row on the other side of a split.
    off = np.abs(total[1] - said)
    assert np.median(off) < 1e-3
    assert off.max() < 0.05


def test_iterations_stay_the_children_of_the_run(run: AutoMLRun) -> None:
    assert [child.number for child in run.get_children()] == [4, 3, 2, 1, 0]


def test_any_child_is_explained_on_demand(run: AutoMLRun) -> None:
    child = next(c for c in run.get_children() if "LightGBM" in c.display_name)
    client = ExplanationClient.from_run(child)
    with pytest.raises(NotFoundError, match="Ask for one"):
        client.download_model_explanation(raw=True)
    started = time.monotonic()
    asked = run.explain(iteration=child.number, rows=25, minutes=0.2, comment="mine")
    assert time.monotonic() - started < 10.0
    raw = asked.explanation()
    assert raw.comment == "mine"
    assert 0 < raw.num_examples <= 25
    assert raw.method.startswith("contributions of columns")
    assert raw.get_ranked_global_names(1) == ["told"]
    engineered = client.download_model_explanation(raw=False, top_k=2)
    assert engineered.num_features == 2
    assert engineered.is_engineered
    names = [one["raw"] for one in client.list_model_explanations()]
    assert sorted(names) == [False, True]
    files = [name for name in child.get_file_names() if name.startswith("explanation/")]
    assert DASHBOARD in files
    assert len([name for name in files if name.endswith("explanation.json")]) == 2
    with pytest.raises(ConfigError, match="rows of an explanation"):
        run.explain(rows=0)


def test_a_compute_target_explains(run: AutoMLRun) -> None:
    with pytest.raises(NotFoundError, match="no compute target called 'far'"):
        run.explain(compute_target="far")


def test_what_if_changes_the_answer(run: AutoMLRun) -> None:
    best, model = run.get_output()
    rows = cancer().drop(columns="target")
    murky = rows[rows["told"] == "murky"].iloc[[0]]
    answers = what_if(model, murky, {"told": "clear"})
    name = "probability of benign"
    assert answers[name].iloc[1] > answers[name].iloc[0]
    number = best.number or 0
    asked = {"row": 0, "changes": {"told": "murky", "mean texture": 40.0}}
    answer = what_if_of_trial(run.session, run.id, number, asked)
    assert set(answer["after"]["probabilities"]) == {"benign", "malignant"}
    texts = {"row": 0, "changes": {"mean texture": "no number"}}
    after = what_if_of_trial(run.session, run.id, number, texts)["after"]
    assert after["prediction"] in {"benign", "malignant"}


def test_the_static_page_and_the_magic_show_it(run: AutoMLRun) -> None:
    assert "What the best model goes by" in RunDetails(run)._repr_html_()
    InteractiveShell.clear_instance()
    InteractiveShell.instance()
    try:
        with capture_output() as shown:
            run_command("explain run", Home({"run": run}, lambda text: None))
    finally:
        InteractiveShell.clear_instance()
    text = "\n".join(str(o.data.get("text/plain", "")) for o in shown.outputs)
    assert text.splitlines()[1].startswith("told")


def test_an_explanation_can_be_canceled(run: AutoMLRun) -> None:
    found = run.explain(iteration=0, rows=2_000, minutes=5.0)
    found.cancel()
    found.wait_for_completion(raise_on_error=False)
    assert found.get_status() == "Canceled"


def test_without_it_nothing_is_explained(workspace: Workspace) -> None:
    config = AutoMLConfig(
        task="classification",
        training_data=cancer(),
        label_column_name="target",
        iterations=1,
        model_explainability=False,
    )
    found = Experiment(workspace, "plain").submit(config)
    found.wait_for_completion(wait_post_processing=True)
    assert EXPLAIN_RUN not in found.properties
    best = found.get_best_child()
    assert not list(best.get_children(type=MODEL_EXPLAIN))
