"""Outputs are moved to their datastore whole, with the hashes of their files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from nbautoml.data.datastore import Datastore
from nbautoml.domain.records import RunRecord
from nbautoml.domain.status import RunStatus
from nbautoml.errors import DatasetError, NotFoundError
from nbautoml.pipelines.frozen import FrozenOutput
from nbautoml.pipelines.output_dataset import delimited
from nbautoml.pipelines.outputs import (
    KeptOutput,
    fetch,
    keep_output,
    load_output,
    load_outputs,
    local_path,
    path_fingerprint,
    place_of,
    remove_leftovers,
    save_outputs,
    what_is_lost,
)
from nbautoml.pipelines.port_data import PortDataReference
from nbautoml.pipelines.registering import register_outputs
from nbautoml.pipelines.tables import capture_table, table_of
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.store.session import Session

ROWS = FrozenOutput(name="rows", datastore="workspaceblobstore")


@pytest.fixture
def folder(tmp_path: Path, workspace: WorkspaceHandle) -> Path:
    """Return a folder that a script has written."""
    Datastore.get_default(workspace)
    made = tmp_path / "written"
    (made / "deep").mkdir(parents=True)
    (made / "a.csv").write_text("a\n1\n")
    (made / "deep" / "b.csv").write_text("a\n2\n")
    return made


def test_a_folder_is_kept_file_by_file(session: Session, folder: Path) -> None:
    kept = keep_output(session, "r", ROWS, folder)

    assert kept.is_directory
    assert kept.path == "azureml/r/rows"
    assert [file.path for file in kept.files] == ["a.csv", "deep/b.csv"]
    place = local_path(session, kept, folder, is_copy=False)
    assert (place / "deep" / "b.csv").read_text() == "a\n2\n"
    assert not list(place.rglob("*.part"))


def test_a_file_is_kept_as_a_file(session: Session, folder: Path) -> None:
    kept = keep_output(session, "r", ROWS, folder / "a.csv")

    assert not kept.is_directory
    assert [file.path for file in kept.files] == [""]
    assert local_path(session, kept, folder, is_copy=False).read_text() == "a\n1\n"


def test_nothing_is_kept_as_an_empty_folder(session: Session, folder: Path) -> None:
    kept = keep_output(session, "r", ROWS, folder / "not-there")

    assert kept.is_directory
    assert kept.files == ()
    assert local_path(session, kept, folder, is_copy=False).is_dir()


def test_the_fingerprint_is_that_of_names_and_bytes(session: Session, folder: Path) -> None:
    def write(name: str, text: str) -> KeptOutput:
        place = folder / name
        place.mkdir()
        (place / "x").write_text(text)
        return keep_output(session, name, ROWS, place)

    first, second, third = write("p", "1"), write("q", "1"), write("s", "2")

    assert first.fingerprint == second.fingerprint
    assert first.fingerprint != third.fingerprint


def test_outputs_are_read_back(session: Session, folder: Path) -> None:
    kept = keep_output(session, "r", ROWS, folder)
    save_outputs(session, "r", [kept])

    assert load_outputs(session, "r") == {"rows": kept}
    assert load_output(session, "r", "rows") == kept
    assert load_outputs(session, "other") == {}
    with pytest.raises(NotFoundError, match="no output 'columns'. Outputs: rows"):
        load_output(session, "r", "columns")


def test_places_have_the_run_in_them() -> None:
    named = FrozenOutput(name="rows", datastore="d", path="clean/{run-id}/{output-name}")

    assert place_of(named, "r") == "clean/r/rows"
    assert place_of(ROWS, "r") == "azureml/r/rows"


def test_what_is_lost_is_named(session: Session, folder: Path) -> None:
    kept = keep_output(session, "r", ROWS, folder)
    place = local_path(session, kept, folder, is_copy=False)

    assert what_is_lost(session, [kept]) == ""
    (place / "a.csv").chmod(0o644)
    (place / "a.csv").write_text("a\n9\n")
    assert what_is_lost(session, [kept]) == "output rows was changed"
    (place / "a.csv").unlink()
    assert what_is_lost(session, [kept]) == "output rows is gone"


def test_an_output_in_a_datastore_that_is_not_known_is_lost(session: Session, folder: Path) -> None:
    kept = replace(keep_output(session, "r", ROWS, folder), datastore="old")

    assert what_is_lost(session, [kept]) == "datastore old of output rows is gone"


def test_a_path_is_known_by_the_bytes_of_its_files(
    session: Session, workspace: WorkspaceHandle, folder: Path
) -> None:
    far = Datastore.register(workspace, "elsewhere", "memory://elsewhere")
    far.write_bytes("raw/a.txt", b"1")
    before = path_fingerprint(far, "raw")
    far.write_bytes("raw/a.txt", b"2")

    assert path_fingerprint(far, "raw") != before
    far.write_bytes("raw/a.txt", b"1")
    assert path_fingerprint(far, "raw") == before
    with pytest.raises(NotFoundError, match="nothing at 'none'"):
        path_fingerprint(far, "none")


def test_what_was_written_is_told(
    session: Session, workspace: WorkspaceHandle, folder: Path
) -> None:
    data = PortDataReference(session, keep_output(session, "r", ROWS, folder))

    assert repr(data) == "PortDataReference(name='rows', 'workspaceblobstore/azureml/r/rows')"
    assert (data.data_reference_name, data.datastore_name) == ("rows", "workspaceblobstore")
    assert data.datastore.name == Datastore.get_default(workspace).name


def test_a_copy_may_be_changed(session: Session, folder: Path, tmp_path: Path) -> None:
    kept = keep_output(session, "r", ROWS, folder)

    copy = local_path(session, kept, tmp_path / "scratch", is_copy=True)
    (copy / "a.csv").write_text("changed")

    assert what_is_lost(session, [kept]) == ""


def test_files_elsewhere_are_copied_here(
    session: Session, workspace: WorkspaceHandle, folder: Path, tmp_path: Path
) -> None:
    Datastore.register(workspace, "far", "memory://far-outputs")
    output = FrozenOutput(name="rows", datastore="far")

    kept = keep_output(session, "r", output, folder)

    assert what_is_lost(session, [kept]) == ""
    copy = local_path(session, kept, tmp_path / "scratch", is_copy=False)
    assert (copy / "deep" / "b.csv").read_text() == "a\n2\n"
    assert PortDataReference(session, kept).download(tmp_path / "out") == 2
    remove_leftovers(session, "r", [output])
    assert what_is_lost(session, [kept]) == "output rows is gone"


def test_a_path_that_is_not_there_is_told(session: Session, workspace: WorkspaceHandle) -> None:
    store = Datastore.get_default(workspace)

    with pytest.raises(NotFoundError, match=r"nothing at 'raw.csv' in datastore"):
        fetch(store, "raw.csv", Path("x"), is_copy=False)


def test_a_download_leaves_alone_what_is_there(
    session: Session, folder: Path, tmp_path: Path
) -> None:
    data = PortDataReference(session, keep_output(session, "r", ROWS, folder))
    target = tmp_path / "out" / "azureml" / "r" / "rows" / "a.csv"

    assert data.download(tmp_path / "out") == 2
    target.write_text("mine")
    assert data.download(tmp_path / "out") == 0
    assert target.read_text() == "mine"
    assert data.download(tmp_path / "out", overwrite=True) == 2
    assert target.read_text() == "a\n1\n"


def test_an_output_is_read_as_a_table(session: Session, folder: Path) -> None:
    kept = keep_output(session, "r", ROWS, folder)
    table = delimited().drop_columns([]).definition.to_dict()

    frame = table_of(session, kept, table).to_pandas_dataframe()

    assert frame["a"].tolist() == [1, 2]
    record = capture_table(session, kept, table)
    assert record.id == capture_table(session, kept, table).id
    assert record.n_rows == 2


def test_an_output_without_files_is_no_table(session: Session, folder: Path) -> None:
    kept = keep_output(session, "r", ROWS, folder / "not-there")

    with pytest.raises(DatasetError, match="'rows' has no files"):
        table_of(session, kept, delimited().definition.to_dict())


def test_files_of_one_kind_are_registered_by_their_names(
    session: Session, workspace: WorkspaceHandle, folder: Path
) -> None:
    with session.write() as tx:
        tx.experiments.get_or_create("e")
        tx.runs.create(_record())
    wanted = {"name": "clean", "description": "", "tags": {"a": "b"}, "table": None}
    output = FrozenOutput(name="rows", datastore="workspaceblobstore", register_as=(wanted,))

    notes = register_outputs(session, "r", output, keep_output(session, "r", output, folder))

    assert notes == []
    with session.read() as tx:
        record = tx.datasets.get("clean", None)
        assert record.id in tx.runs.get("r").properties["output_datasets"]
    assert (record.n_rows, record.tags) == (2, {"a": "b"})


def test_files_that_are_no_table_are_not_registered(session: Session, folder: Path) -> None:
    wanted = {"name": "clean", "description": "", "tags": {}, "table": None}
    output = FrozenOutput(name="rows", datastore="workspaceblobstore", register_as=(wanted,))
    (folder / "model.bin").write_text("x")

    (note,) = register_outputs(session, "r", output, keep_output(session, "r", output, folder))

    assert note.startswith("Output 'rows' was not registered as 'clean'")
    assert "model.bin" in note


def _record() -> RunRecord:
    return RunRecord(
        id="r", experiment="e", type="azureml.StepRun", status=RunStatus.RUNNING, created_at=1.0
    )
