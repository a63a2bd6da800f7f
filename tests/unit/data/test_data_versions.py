"""Content that a workspace keeps: versions, captured inputs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbautoml.data import Dataset, Datastore, capture, load_frame
from nbautoml.data.frames import fingerprint_table, to_arrow
from nbautoml.errors import ConfigError, ConflictError, DatasetError, NotFoundError
from nbautoml.store.session import Session

Write = Callable[[str, str | bytes], str]
FRAME = pd.DataFrame({"x": [1.5, 2.5, None], "w": ["a", "b", None], "y": [0, 1, 0]})


def n_artifacts(session: Session, fingerprint: str | None) -> int:
    with session.read() as tx:
        return len(tx.artifacts.list(f"dataset:{fingerprint}"))


@pytest.mark.parametrize("kind", ["file", "derived", "frame", "with path", "parquet"])
def test_a_registered_version_is_read_back(workspace: Any, write: Write, kind: str) -> None:
    path = write("a.csv", "x,w,y\n1.5,a,0\n2.5,b,1\n,,0\n")
    FRAME.to_parquet(Path(path).with_name("a.parquet"))
    read = Dataset.Tabular.from_delimited_files
    dataset = {
        "file": read(path),
        "derived": read(path).take(2),
        "frame": Dataset.Tabular.from_pandas_dataframe(FRAME),
        "with path": read(path, include_path=True),
        "parquet": Dataset.Tabular.from_parquet_files(Path(path).with_name("a.parquet")),
    }[kind]
    expected = dataset.to_pandas_dataframe()

    registered = dataset.register(workspace, "d", description="about", tags={"k": "v"})
    Path(path).unlink()

    found = Dataset.get_by_name(workspace, "d")
    pd.testing.assert_frame_equal(found.to_pandas_dataframe(), expected)
    assert (found.id, found.name, found.version) == (registered.id, "d", 1)
    assert (found.description, dict(found.tags)) == ("about", {"k": "v"})
    assert Dataset.get_by_id(workspace, str(found.id)).fingerprint == registered.fingerprint


def test_options_and_types_are_kept_with_the_bytes(workspace: Any, write: Write) -> None:
    content = "a;b\n01;é\n".encode("cp1252")
    path = write("a.csv", content)
    dataset = Dataset.Tabular.from_delimited_files(path, separator=";", encoding="windows1252")

    kept = dataset.register(workspace, "d")

    assert kept.to_pandas_dataframe().to_dict("list") == {"a": ["01"], "b": ["é"]}
    source = kept.definition.sources[0]
    assert workspace.session.load_artifact(source.owner, source.name).read_bytes() == content


def test_the_same_bytes_make_no_second_version(workspace: Any, write: Write) -> None:
    read = Dataset.Tabular.from_delimited_files
    first = read(write("a.csv", "n\n1\n")).register(workspace, "d")
    second = read(write("copy.csv", "n\n1\n")).register(workspace, "d", create_new_version=True)

    assert (second.id, second.version) == (first.id, 1)
    assert n_artifacts(workspace.session, first.fingerprint) == 1


def test_other_options_are_another_version(workspace: Any, write: Write) -> None:
    path = write("a.csv", "n\n1\n")
    Dataset.Tabular.from_delimited_files(path).register(workspace, "d")

    other = Dataset.Tabular.from_delimited_files(path, header=False)

    assert other.register(workspace, "d", create_new_version=True).version == 2


def test_versions_stay_as_they_were(workspace: Any, write: Write) -> None:
    path = write("a.csv", "n\n1\n")
    dataset = Dataset.Tabular.from_delimited_files(path)
    dataset.register(workspace, "d")
    write("a.csv", "n\n2\n")

    with pytest.raises(ConflictError, match="create_new_version=True"):
        dataset.register(workspace, "d")
    dataset.register(workspace, "d", create_new_version=True)

    found = [Dataset.get_by_name(workspace, "d", v) for v in (1, 2, "latest")]
    assert [f.to_pandas_dataframe()["n"].tolist() for f in found] == [[1], [2], [2]]
    assert [f.version for f in found] == [1, 2, 2]


def test_unknown_names_versions_and_ids_are_named(workspace: Any) -> None:
    Dataset.Tabular.from_pandas_dataframe(FRAME).register(workspace, "sales")

    with pytest.raises(NotFoundError, match="Did you mean 'sales'"):
        Dataset.get_by_name(workspace, "slaes")
    with pytest.raises(NotFoundError, match="no version 2"):
        Dataset.get_by_name(workspace, "sales", version=2)
    with pytest.raises(NotFoundError, match="nothing"):
        Dataset.get_by_id(workspace, "nothing")
    with pytest.raises(ConfigError, match="'latest' or a number"):
        Dataset.get_by_name(workspace, "sales", version="newest")
    with pytest.raises(ConfigError, match="name must be a text"):
        Dataset.Tabular.from_pandas_dataframe(FRAME).register(workspace, " ")


def test_all_datasets_are_listed_by_name(workspace: Any) -> None:
    dataset = Dataset.Tabular.from_pandas_dataframe(FRAME)
    dataset.register(workspace, "b")
    dataset.take(1).register(workspace, "a")

    assert {k: v.version for k, v in Dataset.get_all(workspace).items()} == {"a": 1, "b": 1}


def test_a_bad_file_is_not_registered(workspace: Any, write: Write) -> None:
    dataset = Dataset.Tabular.from_delimited_files(write("a.csv", "a,b\n1\n"), validate=False)

    with pytest.raises(DatasetError, match="line 2"):
        dataset.register(workspace, "d")
    assert Dataset.get_all(workspace) == {}


def test_a_frame_is_written_to_a_datastore_and_registered(workspace: Any) -> None:
    store = Datastore.get_default(workspace)
    register = Dataset.Tabular.register_pandas_dataframe

    first = register(FRAME, target=store, name="d", description="about", show_progress=False)
    second = register(FRAME.head(1), (store, "here"), "d", make_target_path_unique=False)

    assert [first.version, second.version] == [1, 2]
    pd.testing.assert_frame_equal(first.to_pandas_dataframe(), FRAME)
    written = Dataset.Tabular.from_parquet_files((store, "here/*.parquet"))
    pd.testing.assert_frame_equal(written.to_pandas_dataframe(), FRAME.head(1))


def test_a_captured_frame_is_loaded_again(session: Session) -> None:
    record = capture(session, FRAME, label="y")

    pd.testing.assert_frame_equal(load_frame(session, record.id), FRAME)
    assert (record.name, record.version, record.n_rows, record.n_columns) == ("", 0, 3, 3)


def test_equal_inputs_are_captured_once(session: Session, write: Write) -> None:
    path = write("a.csv", FRAME.to_csv(index=False))

    records = [
        capture(session, FRAME, label="y"),
        capture(session, FRAME.copy(), label="y"),
        capture(session, Dataset.Tabular.from_delimited_files(path), label="y"),
    ]

    assert len({record.id for record in records}) == 1
    assert n_artifacts(session, records[0].fingerprint) == 1


def test_a_captured_file_may_change_or_go(session: Session, write: Write) -> None:
    path = write("a.csv", "n,y\n01,0\n")
    record = capture(session, Dataset.Tabular.from_delimited_files(path), label="y")
    Path(path).unlink()

    assert load_frame(session, record.id).to_dict("list") == {"n": ["01"], "y": [0]}
    assert record.definition["origin"]["sources"] == [{"uri": path}]


def test_a_registered_version_is_captured_as_itself(workspace: Any) -> None:
    registered = Dataset.Tabular.from_pandas_dataframe(FRAME).register(workspace, "d")

    assert capture(workspace.session, registered, label="y").id == registered.id
    derived = capture(workspace.session, registered.take(2), label="y")
    assert derived.id != registered.id
    assert len(load_frame(workspace.session, derived.id)) == 2


def test_a_missing_label_is_named_before_a_run_begins(workspace: Any) -> None:
    registered = Dataset.Tabular.from_pandas_dataframe(FRAME).register(workspace, "d")

    for value in (FRAME, registered):
        with pytest.raises(DatasetError, match="label column 'Y' is not .* Did you mean 'y'"):
            capture(workspace.session, value, label="Y")
    with pytest.raises(DatasetError, match="no rows"):
        capture(workspace.session, FRAME.head(0), label="y")


ODD_COLUMNS: dict[str, Any] = {
    "mixed": [1, "a", None],
    "lists": [[1], [2, 3], []],
    "bytes and text": [b"x", "y", None],
    "period": pd.period_range("2024-01", periods=3, freq="M"),
    "interval": pd.interval_range(0, 3),
    "timedelta": pd.to_timedelta([1, 2, None], unit="s"),
    "zones": pd.date_range("2024-03-31", periods=3, tz="Europe/Paris"),
    "category": pd.Categorical(["a", None, "b"]),
    "sparse": pd.arrays.SparseArray([0, 0, 1]),
    "nullable": pd.array([1, None, 3], dtype="Int64"),
    "sets": [{1}, {2}, None],
    "infinite": [np.inf, -np.inf, np.nan],
}


def plain(value: Any) -> str:
    """Return a value as text; stored lists and sets come back as arrays, text as bytes."""
    if isinstance(value, list | set | np.ndarray):
        return str([int(v) for v in value])
    return value.decode() if isinstance(value, bytes) else str(value)


@pytest.mark.parametrize("kind", ODD_COLUMNS)
def test_columns_of_every_kind_can_be_captured(session: Session, kind: str) -> None:
    frame = pd.DataFrame({"odd": ODD_COLUMNS[kind], "y": [0, 1, 0]})

    loaded = load_frame(session, capture(session, frame, label="y").id)

    assert list(map(plain, loaded["odd"].dropna())) == list(map(plain, frame["odd"].dropna()))
    assert loaded["odd"].isna().tolist() == frame["odd"].isna().tolist()


def test_complex_numbers_are_refused_by_name(session: Session) -> None:
    with pytest.raises(DatasetError, match="column 'z' holds complex numbers"):
        capture(session, pd.DataFrame({"z": [1j], "y": [1]}), label="y")


def test_a_fingerprint_is_of_the_content_not_of_its_place_in_memory() -> None:
    frame = pd.DataFrame({"a": range(10), "w": list("abcdefghij"), "b": [True, None] * 5})
    pieces = pd.concat([frame.iloc[:3], frame.iloc[3:]], ignore_index=True)
    sliced = pd.concat([frame, frame]).iloc[10:].reset_index(drop=True)
    strided = frame.iloc[::-1].iloc[::-1].reset_index(drop=True)
    other_nans = frame.assign(x=[-np.nan, *[0.0] * 9])

    found = {fingerprint_table(to_arrow(f)) for f in (frame, pieces, sliced, strided)}

    assert len(found) == 1
    assert fingerprint_table(to_arrow(other_nans)) == fingerprint_table(
        to_arrow(frame.assign(x=[np.nan, *[0.0] * 9]))
    )


@pytest.mark.parametrize(
    "other",
    [
        FRAME.rename(columns={"x": "z"}),
        FRAME[["w", "x", "y"]],
        FRAME.iloc[::-1],
        FRAME.astype({"y": "float64"}),
        FRAME.assign(x=[1.5, 2.5, 3.5]),
        FRAME.head(2),
    ],
)
def test_a_fingerprint_tells_contents_apart(other: pd.DataFrame) -> None:
    assert fingerprint_table(to_arrow(other)) != fingerprint_table(to_arrow(FRAME))


def test_what_people_wrote_can_be_changed_and_the_content_not(workspace: Any) -> None:
    registered = Dataset.Tabular.from_pandas_dataframe(FRAME).register(workspace, "d")

    changed = registered.update(description="about").add_tags({"a": 1, "b": "2"})
    final = changed.add_tags({"b": "3"}).remove_tags(["a", "unknown"])

    assert (final.description, dict(final.tags)) == ("about", {"b": "3"})
    assert (final.id, final.fingerprint) == (registered.id, registered.fingerprint)
    assert dict(Dataset.get_by_name(workspace, "d").tags) == {"b": "3"}
    assert dict(final.update(tags={}).tags) == {}


def test_all_versions_of_a_name_are_unregistered_and_stay_readable(workspace: Any) -> None:
    first = Dataset.Tabular.from_pandas_dataframe(FRAME).register(workspace, "d")
    second = Dataset.Tabular.from_pandas_dataframe(FRAME.head(2)).register(
        workspace, "d", create_new_version=True
    )

    first.unregister_all_versions()

    assert Dataset.get_all(workspace) == {}
    assert len(Dataset.get_by_id(workspace, str(second.id)).to_pandas_dataframe()) == 2
    with pytest.raises(NotFoundError):
        second.unregister_all_versions()


@pytest.mark.parametrize("call", ["update", "add_tags", "remove_tags", "unregister_all_versions"])
def test_only_a_registered_version_can_be_changed(workspace: Any, call: str) -> None:
    dataset = Dataset.Tabular.from_pandas_dataframe(FRAME)
    arguments = {"add_tags": ({"a": "b"},), "remove_tags": (["a"],)}.get(call, ())

    with pytest.raises(ConfigError, match=f"{call}: the dataset is not registered"):
        getattr(dataset, call)(*arguments)
