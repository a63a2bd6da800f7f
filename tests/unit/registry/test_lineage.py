"""The picture of where a model comes from and where it is used."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from nbautoml.domain.records import DatasetRecord, DeploymentRecord, RunRecord
from nbautoml.domain.status import RunStatus
from nbautoml.registry.lineage import MOST_BOXES, Node, Picture, draw, lineage_of, to_svg
from nbautoml.registry.model import Model, register_from_run
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.store.session import open_memory_session

PARENT, CHILD = "AutoML_x", "AutoML_x_3"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def ws(tmp_path: Path) -> WorkspaceHandle:
    session = open_memory_session(root=str(tmp_path))
    with session.write() as tx:
        tx.experiments.get_or_create("heart")
        tx.datasets.save_unregistered(
            DatasetRecord(
                id="d1",
                name="",
                version=0,
                fingerprint="f",
                definition={},
                created_at=0.0,
                n_rows=1200,
            )
        )
        for run_id, parent in ((PARENT, None), (CHILD, PARENT)):
            tx.runs.create(
                RunRecord(
                    id=run_id,
                    experiment="heart",
                    type="t",
                    status=RunStatus.COMPLETED,
                    created_at=0.0,
                    parent_id=parent,
                    number=3 if parent else None,
                    settings={} if parent else {"training_data": "d1", "test_data": "d1"},
                )
            )
    session.save_artifact(CHILD, "outputs/model.pkl", b"x")
    return WorkspaceHandle(session)


def picture_of(model: Model) -> Picture:
    return lineage_of(model.session, model._record)


def test_a_model_of_a_run_shows_data_run_and_deployments(ws: WorkspaceHandle) -> None:
    model = register_from_run(ws.session, run_id=CHILD, model_path="outputs", model_name="m")
    model.set_stage("Production")
    model.set_alias("champion")
    with ws.session.write() as tx:
        tx.deployments.create(
            DeploymentRecord(name="live", kind="ACI", created_at=0, updated_at=0, models=("m:1",))
        )

    picture = picture_of(model)

    assert [(b.kind, b.id, b.text) for b in picture.boxes] == [
        ("dataset", "d1", "data without a name (training, test, 1,200 rows)"),
        ("run", PARENT, f"{CHILD} (heart, iteration 3)"),
        ("model", "m:1", "m:1 (model, Production, champion)"),
        ("deployment", "live", "live (deployment)"),
    ]
    assert picture.lines == ((0, 1), (1, 2), (2, 3))
    assert picture.text.startswith("data: data without a name")


def test_a_model_from_a_file_shows_what_was_said_of_it(ws: WorkspaceHandle, tmp_path: Path) -> None:
    from types import SimpleNamespace

    (tmp_path / "m.bin").write_bytes(b"x")
    gone = SimpleNamespace(id="gone")
    model = Model.register(ws, tmp_path / "m.bin", "m", datasets=[("training", gone)])

    picture = picture_of(model)

    assert [b.text for b in picture.boxes] == ["gone (training, gone)", "m:1 (model)"]
    assert picture.lines == ((0, 1),)


def test_boxes_stay_inside_and_do_not_overlap() -> None:
    nodes = [Node(kind="dataset", id=str(i), title=f"d{i}") for i in range(9)]
    picture = draw([nodes, [Node(kind="model", id="m:1", title="m:1")]])

    assert len(picture.boxes) == MOST_BOXES + 1
    assert picture.boxes[MOST_BOXES - 1].title == "and 4 more"
    assert picture.width <= 400
    places = {(b.x, b.y) for b in picture.boxes}
    assert len(places) == len(picture.boxes)
    for box in picture.boxes:
        assert 0 <= box.x <= picture.width - picture.box_width
        assert 0 <= box.y <= picture.height - picture.box_height


def test_the_picture_is_svg_without_a_colour_of_its_own(ws: WorkspaceHandle) -> None:
    long = "<script>" + "x" * 40
    picture = draw([[Node(kind="model", id="m", title=long, note="a & b")]])

    root = ET.fromstring(to_svg(picture))

    assert root.attrib["role"] == "img"
    shown = [t.text or "" for t in root.iter(f"{SVG}text")]
    assert shown[0].endswith("…")
    assert len(shown[0]) == 21
    assert shown[1] == "a & b"
    assert any(t.text == f"{long} (a & b)" for t in root.iter(f"{SVG}title"))
    assert "#" not in to_svg(picture)
    assert "currentColor" in to_svg(picture)


def test_the_view_in_a_notebook_holds_the_picture(ws: WorkspaceHandle) -> None:
    model = register_from_run(ws.session, run_id=CHILD, model_path="outputs", model_name="m")

    shown = model._repr_html_()

    assert "<svg" in shown
    assert "iteration 3" in shown
    assert "<script" not in shown
