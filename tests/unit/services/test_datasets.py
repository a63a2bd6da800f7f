import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from nbautoml.data import Dataset
from nbautoml.domain.ids import content_owner
from nbautoml.domain.records import RunRecord
from nbautoml.domain.status import RunStatus
from nbautoml.errors import ConfigError, NbAutoMLError, NotFoundError
from nbautoml.services.dataset_content import (
    HEAD_COLUMNS,
    HEAD_ROWS,
    MAX_CELL_CHARS,
    describe_content,
)
from nbautoml.services.datasets import (
    CONTENT,
    change_dataset,
    dataset_content,
    dataset_details,
    unregister_dataset,
)
from nbautoml.store.session import open_session

FRAME = pd.DataFrame({"n": [1.5, None, 3.0], "w": ["a", "<b>", "a"]})


@pytest.fixture
def session(tmp_path, make_workspace):
    with open_session(make_workspace(tmp_path)) as session:
        yield session


def register(session, frame=FRAME, name="heart", **options):
    dataset = Dataset.Tabular.from_pandas_dataframe(frame)
    return dataset.register(
        SimpleNamespace(session=session), name, create_new_version=True, **options
    )


def test_details_say_what_is_known_without_reading(session):
    register(session)
    second = register(session, FRAME.head(2), description="shorter", tags={"area": "care"})
    found = dataset_details(session, second.id)
    assert (found["name"], found["version"], found["rows"], found["columns"]) == ("heart", 2, 2, 2)
    assert (found["description"], found["tags"]) == ("shorter", {"area": "care"})
    assert [(v["version"], v["rows"]) for v in found["versions"]] == [(2, 2), (1, 3)]
    assert found["origin"]["reader"] == "memory"
    assert (found["used_by"], found["made_by"], found["models"]) == ([], None, [])
    json.dumps(found, allow_nan=False)


def add_run(session, run_id, *, settings=None, properties=None, parent=None):
    with session.write() as tx:
        tx.runs.create(
            RunRecord(
                id=run_id,
                experiment="exp",
                type="automl",
                status=RunStatus.COMPLETED,
                created_at=50.0,
                settings=settings or {},
                properties=properties or {},
                parent_id=parent,
            )
        )


def test_lineage_names_runs_and_models(session):
    dataset = register(session)
    add_run(session, "AutoML_a", settings={"training_data": dataset.id, "test_data": dataset.id})
    add_run(session, "AutoML_a_0", parent="AutoML_a")
    add_run(session, "AutoML_b", settings={"training_data": "another"})
    add_run(session, "AutoML_c", properties={"output_datasets": json.dumps([dataset.id])})
    with session.write() as tx:
        tx.models.register("of-child", run_id="AutoML_a_0")
        tx.models.register("says-so", datasets=[("training", dataset.id)])
        tx.models.register("of-another", run_id="AutoML_b")
    found = dataset_details(session, dataset.id)
    assert [(use["run_id"], use["roles"]) for use in found["used_by"]] == [
        ("AutoML_a", ["training", "test"])
    ]
    assert found["made_by"] == "AutoML_c"
    assert {model["name"] for model in found["models"]} == {"of-child", "says-so"}


def test_sources_are_shown_without_what_may_be_secret(session):
    definition = {
        "reader": "delimited",
        "sources": [
            {"uri": "https://me:secret@host/a.csv?sig=secret#secret"},
            {"uri": "/data/a?b.csv"},
            {"owner": "dataset:f", "name": "file-00000"},
        ],
        "steps": [{"kind": "take", "params": {"count": 3}}],
    }
    with session.write() as tx:
        tx.datasets.register("d", id="1", definition={"origin": definition}, fingerprint="f")
    assert dataset_details(session, "1")["origin"] == {
        "reader": "delimited",
        "sources": ["https://host/a.csv", "/data/a?b.csv", "kept in the workspace"],
        "steps": ["take 3"],
    }


def test_content_is_looked_at_once_and_kept(session):
    dataset = register(session)
    found = dataset_content(session, dataset.id)
    assert found["head"] == {"columns": ["n", "w"], "rows": [[1.5, "a"], [None, "<b>"], [3.0, "a"]]}
    assert [(c["name"], c["missing_count"]) for c in found["profile"]["columns"]] == [
        ("n", 1),
        ("w", 0),
    ]
    assert (found["profile"]["n_rows"], found["is_partial"]) == (3, False)
    session.save_artifact(content_owner(dataset.fingerprint), CONTENT, b'{"kept": true}')
    assert dataset_content(session, dataset.id) == {"kept": True}


def test_content_that_cannot_be_read_says_why(session):
    with session.write() as tx:
        definition = {"reader": "delimited", "sources": [{"uri": "/nowhere/a.csv"}]}
        tx.datasets.register("d", id="1", definition=definition, fingerprint="f")
    with pytest.raises(NbAutoMLError, match="The content of 'd', version 1 cannot be .*a.csv"):
        dataset_content(session, "1")


def test_cells_are_what_json_can_hold():
    frame = pd.DataFrame(
        {
            "big": pd.Series([2**60, 3], dtype="int64"),
            "inf": [np.inf, np.nan],
            "truth": [True, False],
            "day": pd.to_datetime(["2020-01-02", None]),
            "list": [[1, 2], None],
            "long": ["x" * 1000, "y"],
        }
    )
    found = describe_content(frame, is_partial=True)
    text = "x" * (MAX_CELL_CHARS - 1) + "…"
    assert found["head"]["rows"] == [
        [str(2**60), "inf", True, "2020-01-02 00:00:00", "[1, 2]", text],
        [3, None, False, None, None, "y"],
    ]
    json.dumps(found, allow_nan=False)


def test_wide_and_long_tables_are_cut():
    frame = pd.DataFrame(np.zeros((HEAD_ROWS + 5, HEAD_COLUMNS + 5)))
    found = describe_content(frame, is_partial=False)
    assert len(found["head"]["rows"]) == HEAD_ROWS
    assert len(found["head"]["columns"]) == HEAD_COLUMNS
    assert len(found["profile"]["columns"]) == HEAD_COLUMNS + 5


def test_words_are_changed(session):
    dataset = register(session, tags={"a": "1"})
    assert change_dataset(session, dataset.id, {"description": "new"})["description"] == "new"
    assert change_dataset(session, dataset.id, {"tags": {"b": "2"}})["tags"] == {"b": "2"}
    assert dataset_details(session, dataset.id)["description"] == "new"


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"name": "x"},
        {"description": 3},
        {"tags": ["a"]},
        {"tags": {"a": 1}},
        {"tags": {" ": ""}},
    ],
)
def test_only_words_can_be_changed(session, asked):
    dataset = register(session)
    with pytest.raises(ConfigError):
        change_dataset(session, dataset.id, asked)


def test_a_name_is_taken_off_and_the_content_stays(session):
    first, _ = register(session), register(session, FRAME.head(2))
    assert unregister_dataset(session, first.id) == {"name": "heart", "versions": 2}
    found = dataset_details(session, first.id)
    assert (found["name"], len(found["versions"])) == ("", 1)
    assert dataset_content(session, first.id)["profile"]["n_rows"] == 3
    with pytest.raises(NotFoundError, match="is not registered under a name"):
        unregister_dataset(session, first.id)


@pytest.mark.parametrize("work", [dataset_details, dataset_content, unregister_dataset])
def test_an_unknown_dataset_is_told(session, work):
    with pytest.raises(NotFoundError, match="No dataset has the id 'nope'"):
        work(session, "nope")
