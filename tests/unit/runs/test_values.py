"""What a run can be told."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbautoml.domain.events import ValuesLogged
from nbautoml.errors import ConfigError, NotFoundError
from nbautoml.runs.offline import OfflineRun
from nbautoml.runs.run import Run
from nbautoml.runs.values import MOST_CELLS

MATRIX = {
    "schema_type": "confusion_matrix",
    "schema_version": "v1",
    "data": {"class_labels": ["no", "yes"], "matrix": [[3, 1], [0, 4]]},
}
PNG = b"\x89PNG\r\n\x1a\n"


class Figure:
    """What `log_image` needs of matplotlib."""

    def savefig(self, target: io.BytesIO, **_settings: Any) -> None:
        target.write(PNG)


def events_of(run: Run) -> list[ValuesLogged]:
    with run.session.read() as tx:
        records = tx.events.read(run.id)
    return [r.event for r in records if isinstance(r.event, ValuesLogged)]


def test_numbers_of_numpy_and_texts_are_logged(run: Run) -> None:
    run.log("n", np.int64(3))
    run.log("x", np.float32(0.5))
    run.log("ok", True)
    run.log("solver", "lbfgs")
    assert run.get_metrics() == {"n": 3.0, "x": 0.5, "ok": 1.0, "solver": "lbfgs"}


def test_a_value_is_in_the_metrics_and_in_the_log(run: Run) -> None:
    run.log("loss", 0.5, step=7)
    run.log("loss", 0.25, step=8)
    with run.session.read() as tx:
        points = tx.metrics.get(run.id)["loss"]
    assert [(p.value, p.step) for p in points] == [(0.5, 0), (0.25, 1)]
    assert [(e.value, e.step) for e in events_of(run)] == [(0.5, 7), (0.25, 8)]


def test_texts_of_one_name_make_a_list(run: Run) -> None:
    run.log("phase", "warm")
    run.log("phase", "hot")
    assert run.get_metrics("phase") == {"phase": ["warm", "hot"]}


def test_rows_make_a_table(run: Run) -> None:
    run.log_row("folds", fold=1, score=0.5, note="a")
    run.log_row("folds", fold=2, score=None, note="b")
    found = run.get_metrics()["folds"]
    assert (found["fold"], found["note"]) == ([1.0, 2.0], ["a", "b"])
    assert math.isnan(found["score"][1])


def test_a_single_row_is_a_mapping_of_values_as_in_the_sdk(run: Run) -> None:
    run.log_row("point", cos=1, angle=0)
    assert run.get_metrics() == {"point": {"cos": 1.0, "angle": 0.0}}


@pytest.mark.parametrize("table", [{"a": [1, 2], "b": [3]}, pd.DataFrame({"a": [1, 2]})])
def test_a_table_is_logged(run: Run, table: Any) -> None:
    run.log_table("t", table)
    assert run.get_metrics()["t"]["a"] == [1.0, 2.0]


def test_pictures_get_names_of_their_own(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "plot.JPG"
    file.write_bytes(b"jpeg")
    run.log_image("roc", plot=Figure())
    run.log_image("roc", plot=Figure())
    run.log_image("plot", path=file)
    assert run.get_file_names() == ["plot.jpg", "roc.png", "roc_1.png"]
    assert run.get_metrics()["plot"] == "aml://artifactId/ExperimentRun/dcid.r/plot.jpg"
    run.download_file("roc.png", tmp_path / "copy.png")
    assert (tmp_path / "copy.png").read_bytes() == PNG


@pytest.mark.parametrize("value", [MATRIX, json.dumps(MATRIX)])
def test_a_confusion_matrix_is_kept_as_json(run: Run, tmp_path: Path, value: Any) -> None:
    run.log_confusion_matrix("cm", value)
    run.download_file("cm", tmp_path / "cm.json")
    assert json.loads((tmp_path / "cm.json").read_text()) == MATRIX
    assert run.get_metrics()["cm"].endswith("dcid.r/cm")


def test_the_other_charts_are_kept(run: Run) -> None:
    run.log_accuracy_table("at", {"data": {}})
    run.log_residuals("res", {"data": {}})
    run.log_predictions("pred", {"data": {}})
    assert [e.chart for e in events_of(run)] == ["accuracy_table", "residuals", "predictions"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda r: r.log("x", [1, 2]), "takes a number or a text; got list"),
        (lambda r: r.log("", 1.0), "needs a name"),
        (lambda r: r.log_list("x", "abc"), "takes a list; got str"),
        (lambda r: r.log_list("x", range(MOST_CELLS + 1)), "values at most; got 50,001"),
        (lambda r: r.log_row("x"), "needs columns"),
        (lambda r: r.log_table("x", [1]), "takes a mapping of column to values; got list"),
        (lambda r: r.log_table("x", {"a": range(30_000), "b": range(30_000)}), "at most"),
        (lambda r: r.log_image("x"), "takes path= or plot="),
        (lambda r: r.log_image("x", plot=3), "must be matplotlib.pyplot or a figure; got int"),
        (lambda r: r.log_image("x", path=__file__), "must end in one of"),
        (lambda r: r.log_confusion_matrix("x", "{"), "takes JSON"),
        (lambda r: r.log_confusion_matrix("x", [1]), "with 'schema_type'"),
        (lambda r: r.log_residuals("x", MATRIX), "takes the schema_type 'residuals'"),
    ],
)
def test_what_cannot_be_logged_is_said(run: Run, call: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        call(run)
    assert events_of(run) == []


def test_a_picture_that_is_not_there_is_refused(run: Run) -> None:
    with pytest.raises(NotFoundError, match=r"there is no file none\.png"):
        run.log_image("x", path="none.png")


def test_a_stand_in_takes_the_same_calls(run: Run) -> None:
    def script(target: Any) -> None:
        target.log("accuracy", 0.9)
        target.log_list("curve", [1, 2])
        target.log_row("t", a=1)
        target.log_table("t", {"a": [2]})
        target.log_confusion_matrix("cm", MATRIX)
        target.tag("a", 1)
        target.flush()

    offline = OfflineRun()
    script(offline)
    script(run)
    found = run.get_metrics()
    found.pop("cm")
    assert offline.get_metrics() == found
    with pytest.raises(ConfigError):
        offline.log("x", object())


def test_a_stream_is_stored(run: Run, tmp_path: Path) -> None:
    run.upload_file("outputs/a.bin", io.BytesIO(b"abc"))
    run.download_file("outputs/a.bin", tmp_path / "a.bin")
    assert (tmp_path / "a.bin").read_bytes() == b"abc"


def test_a_folder_is_stored_below_its_name(run: Run, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "deep" / "b.txt").write_text("b")
    run.upload_folder("data", tmp_path)
    run.upload_files(["one", "two"], [tmp_path / "a.txt", tmp_path / "deep" / "b.txt"])
    assert run.get_file_names() == ["data/a.txt", "data/deep/b.txt", "one", "two"]
    with pytest.raises(NotFoundError):
        run.upload_folder("data", tmp_path / "none")
