"""Explanations with the SDK's names, in memory and as files of a run."""

from __future__ import annotations

import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from nbautoml.automl import explain_run
from nbautoml.automl.explain_run import (
    MODEL_EXPLAIN,
    Wanted,
    add_explanation,
    ask_explanation,
    last_explanation,
    seconds_for,
    start_forgotten,
)
from nbautoml.automl.explanation import Explanation, explanation_files, stored_explanations
from nbautoml.automl.explanation_client import ExplanationClient
from nbautoml.domain.records import RunRecord
from nbautoml.domain.status import RunStatus
from nbautoml.errors import ConfigError, NotAvailableError, NotFoundError
from nbautoml.runs.run import Run
from nbautoml.store.session import Session, open_memory_session

RUN, CHILD = "AutoML_x", "AutoML_x_0"


@pytest.fixture
def session() -> Iterator[Session]:
    with open_memory_session() as session:
        with session.write() as tx:
            tx.experiments.get_or_create("exp")
            for run_id, parent, kind in ((RUN, None, "automl"), (CHILD, RUN, "automl.child")):
                tx.runs.create(
                    RunRecord(
                        id=run_id,
                        experiment="exp",
                        type=kind,
                        status=RunStatus.RUNNING,
                        created_at=1.0,
                        parent_id=parent,
                        number=None if parent is None else 0,
                        settings={"task": "classification"},
                    )
                )
                tx.runs.set_status(run_id, RunStatus.COMPLETED, time=2.0)
        yield session


@pytest.fixture
def client(session: Session) -> ExplanationClient:
    experiment: Any = SimpleNamespace(session=session, name="exp")
    return ExplanationClient.from_run(Run(experiment, CHILD))


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    ids: list[str] = []
    monkeypatch.setattr(explain_run, "launch", lambda session, run_id: ids.append(run_id))
    return ids


def found(**changes: Any) -> Explanation:
    values: dict[str, Any] = {
        "id": "e1",
        "features": ["a", "b", "c"],
        "global_importance_values": [0.1, 0.3, 0.2],
        "method": "m",
        "is_raw": True,
        "model_task": "classification",
        "classes": ["no", "yes"],
        "values": np.array([[[0.1, -0.5, 0.2], [0.0, 0.1, 0.3]]]),
        "expected_values": [0.6, 0.4],
        "permutation_importance": {"a": 0.01, "b": 0.05},
        "num_examples": 2,
        "created_at": 5.0,
    }
    return Explanation(**(values | changes))


def test_global_importances_are_ranked() -> None:
    one = found()
    assert one.get_ranked_global_names() == ["b", "c", "a"]
    assert one.get_ranked_global_values(2) == [0.3, 0.2]
    assert list(one.get_feature_importance_dict().items()) == [("b", 0.3), ("c", 0.2), ("a", 0.1)]
    assert one.global_importance_rank == [1, 2, 0]
    assert (one.num_features, one.num_classes, one.is_engineered) == (3, 2, False)


def test_of_two_classes_contributions_to_one_are_those_to_the_other_with_the_other_sign() -> None:
    local = np.array(found().local_importance_values)
    assert local.shape == (2, 2, 3)
    np.testing.assert_array_equal(local[0], -local[1])
    assert found().get_ranked_local_names(1)[1] == [["c"], ["c"]]
    assert found().get_ranked_local_values(1)[1] == [[0.2], [0.3]]
    assert found().get_local_importance_rank()[1][0] == [2, 0, 1]
    assert found().get_ranked_per_class_names(1) == [["b"], ["b"]]


def test_numbers_have_one_list_of_rows() -> None:
    one = found(classes=[], expected_values=[3.0], model_task="regression")
    assert np.array(one.local_importance_values).shape == (2, 3)
    assert one.get_ranked_local_names(1) == [["c"], ["c"]]
    assert found(values=None).local_importance_values == []


def test_the_top_features_keep_their_rows() -> None:
    top = found().top(2)
    assert top.features == ["b", "c"]
    assert top.permutation_importance == {"b": 0.05}
    assert np.array(top.local_importance_values)[1].tolist() == [[-0.5, 0.2], [0.1, 0.3]]
    assert found().top(None).features == ["a", "b", "c"]


def test_it_is_shown_as_a_table_in_which_names_are_text() -> None:
    page = found(features=["<b>", "b", "c"])._repr_html_()
    assert "&lt;b&gt;" in page
    assert "3 raw features; most important: b" in repr(found())


def test_an_uploaded_explanation_comes_back(client: ExplanationClient) -> None:
    kept = client.upload_model_explanation(found(), comment="mine")
    listed = client.list_model_explanations()
    assert [(one["id"], one["comment"], one["raw"]) for one in listed] == [(kept, "mine", True)]
    again = client.download_model_explanation(explanation_id=kept, top_k=1)
    assert again.features == ["b"]
    whole = client.download_model_explanation(raw=True)
    np.testing.assert_allclose(whole.local_importance_values, found().local_importance_values)
    assert client.list_model_explanations(raw=False) == []
    assert client.list_model_explanations(engineered=False, comment="mine")


def test_explanations_of_other_packages_can_be_kept(client: ExplanationClient) -> None:
    other = SimpleNamespace(
        features=np.array(["x", "y"]),
        global_importance_values=np.array([0.5, 0.1]),
        local_importance_values=[[[0.1, 0.2]], [[-0.1, -0.2]]],
        classes=[0, 1],
        expected_values=[0.5, 0.5],
        method="shap.tree",
        is_raw=False,
    )
    client.upload_model_explanation(other)
    one = client.download_model_explanation(raw=False)
    assert one.get_feature_importance_dict() == {"x": 0.5, "y": 0.1}
    assert one.classes == ["0", "1"]
    assert one.local_importance_values[1] == pytest.approx(np.array([[-0.1, -0.2]]))
    with pytest.raises(ConfigError, match="got a dict"):
        client.upload_model_explanation({})


def test_the_newest_is_downloaded(session: Session, client: ExplanationClient) -> None:
    for place, when in (("e1", 5.0), ("e2", 9.0), ("e3", 7.0)):
        session.save_artifacts(CHILD, explanation_files(found(id=place, created_at=when)))
    assert [facts["id"] for facts in stored_explanations(session, CHILD)] == ["e2", "e3", "e1"]
    assert client.download_model_explanation().id == "e2"


def test_without_any_it_says_how_to_ask(client: ExplanationClient) -> None:
    with pytest.raises(NotFoundError, match=r"Ask for one: run.explain\(\)"):
        client.download_model_explanation(raw=True)


def test_one_that_is_under_way_is_waited_for(
    session: Session, client: ExplanationClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    explain_id = add_explanation(session, RUN, CHILD, Wanted())

    def end(session: Session, run: RunRecord, now: float) -> None:
        session.save_artifacts(CHILD, explanation_files(found()))
        with session.write() as tx:
            tx.runs.set_status(explain_id, RunStatus.COMPLETED, time=now)

    monkeypatch.setattr("nbautoml.automl.explanation_client.start_forgotten", end)
    assert client.download_model_explanation(raw=True).features == ["a", "b", "c"]


def test_one_that_failed_says_so(session: Session, client: ExplanationClient) -> None:
    explain_id = add_explanation(session, RUN, CHILD, Wanted())
    with session.write() as tx:
        tx.runs.set_status(explain_id, RunStatus.FAILED, reason="No memory.", time=2.0)
    with pytest.raises(NotFoundError, match=r"is Failed. No memory\."):
        client.download_model_explanation(raw=True)


def test_a_model_is_explained_once_at_a_time(session: Session, launched: list[str]) -> None:
    first = ask_explanation(session, RUN, 0, Wanted(n_rows=7))
    assert ask_explanation(session, RUN, 0, Wanted()) == first == f"{CHILD}_explain0"
    run = last_explanation(session, CHILD)
    assert run is not None
    assert (run.type, run.parent_id, run.settings["n_rows"]) == (MODEL_EXPLAIN, CHILD, 7)
    with session.write() as tx:
        tx.runs.set_status(first, RunStatus.CANCELED, time=2.0)
    assert ask_explanation(session, RUN, 0, Wanted()) == f"{CHILD}_explain1"
    assert launched == [first, first, f"{CHILD}_explain1"]


def test_what_has_no_model_is_not_explained(session: Session, launched: list[str]) -> None:
    with session.write() as tx:
        tx.runs.create(
            RunRecord(
                id=f"{RUN}_1",
                experiment="exp",
                type="automl.child",
                status=RunStatus.FAILED,
                created_at=1.0,
                parent_id=RUN,
                number=1,
            )
        )
    with pytest.raises(NotFoundError, match="no model to explain: it is Failed"):
        ask_explanation(session, RUN, 1, Wanted())
    with pytest.raises(NotFoundError):
        ask_explanation(session, RUN, 5, Wanted())
    assert launched == []


def test_time_series_are_not_explained(session: Session, launched: list[str]) -> None:
    with session.write() as tx:
        for run_id, parent in (("AutoML_f", None), ("AutoML_f_0", "AutoML_f")):
            tx.runs.create(
                RunRecord(
                    id=run_id,
                    experiment="exp",
                    type="automl",
                    status=RunStatus.COMPLETED,
                    created_at=1.0,
                    parent_id=parent,
                    settings={"task": "forecasting"},
                )
            )
    with pytest.raises(NotAvailableError, match="forecasting"):
        ask_explanation(session, "AutoML_f", 0, Wanted())


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"rows": 0}, "rows of an explanation must be a whole number from 1 to 2,000; got 0"),
        ({"rows": True}, "got True"),
        ({"rows": 2.5}, "got 2.5"),
        ({"minutes": 0}, "minutes of an explanation must be above 0; got 0"),
        ({"minutes": "1"}, "got '1'"),
    ],
)
def test_numbers_out_of_range_are_refused(asked: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Wanted.of(**asked)


def test_what_is_wanted_has_usual_values() -> None:
    assert Wanted.of() == Wanted()
    assert Wanted.of(rows=9, minutes=0.1, comment="c") == Wanted(n_rows=9, seconds=6.0, comment="c")


def test_the_time_is_a_share_of_the_run_within_bounds() -> None:
    assert [seconds_for(m) for m in (None, 0.1, 10.0, 1000.0)] == [30.0, 5.0, 30.0, 60.0]


def test_what_nobody_started_is_started_after_a_while(
    session: Session, launched: list[str]
) -> None:
    explain_id = add_explanation(session, RUN, CHILD, Wanted())
    run = last_explanation(session, CHILD)
    assert run is not None
    start_forgotten(session, run, time.time())
    assert launched == []
    start_forgotten(session, run, time.time() + 60.0)
    assert launched == [explain_id]
