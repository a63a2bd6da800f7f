"""How a graph reads raw columns, what it refuses, and what it does with odd cells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbautoml.errors import ConfigError, MissingExtraError, ModelError
from nbautoml.registry import extras
from nbautoml.registry.onnx import features, scalers
from nbautoml.registry.onnx.columns import describe_inputs, read_columns
from nbautoml.registry.onnx.convert import convert_model
from nbautoml.registry.onnx.graph import Graph
from nbautoml.registry.onnx.inference import OnnxConverter, OnnxInferenceHelper
from nbautoml.registry.onnx.parity import ask, open_model
from nbautoml.runtime.dates import PARTS, split_dates
from nbautoml.runtime.input_adapter import ColumnFormat, InputAdapter
from tests.unit.registry.onnx_models import Data

pytest.importorskip("onnxruntime", reason="pip install 'nbautoml[onnx]'")
pytest.importorskip("onnx", reason="pip install 'nbautoml[onnx]'")


def read(form: ColumnFormat, cells: Any) -> np.ndarray:
    """Return what a graph reads of a column of numbers, truth values or dates."""
    frame = pd.DataFrame({form.name: cells})
    inputs = describe_inputs([form], frame, ())
    graph = Graph([form.name])
    column = read_columns(graph, inputs, [form])[form.name]
    graph.output("read", column.value, "double", 1)
    session = open_model(graph.finish({}).SerializeToString())
    return np.asarray(ask(session, inputs, frame)[0]).ravel()


def adapted(form: ColumnFormat, cells: Any) -> np.ndarray:
    """Return what the model's own reader reads."""
    return InputAdapter([form]).transform(pd.DataFrame({form.name: cells}))[form.name].to_numpy()


@pytest.mark.filterwarnings("ignore:.*filled cells")
@pytest.mark.parametrize(
    ("kind", "cells"),
    [
        ("number", ["1.5", " -2 ", "1e3", ".5", "3.", None, "n/a", "?", "", "+7", "abc"]),
        ("number", [1.5, np.inf, -np.inf, np.nan, 1e39, -1e38]),
        ("number", [True, False, True]),
        ("number", pd.array([1, None, 3], dtype="Int64")),
        ("number", pd.to_timedelta([1, 90], unit="min")),
        ("boolean", ["Yes", " no ", "TRUE", "f", "On", "1", "0.0", "maybe", None]),
        ("boolean", [True, False, None]),
        ("boolean", [1.0, 0.0, 2.0, np.nan]),
    ],
    ids=str,
)
def test_cells_are_read_as_the_model_reads_them(kind: str, cells: Any) -> None:
    form = ColumnFormat(name="x", kind=kind)

    np.testing.assert_array_equal(read(form, cells), adapted(form, cells).astype(float))


DATES = {
    "%d.%m.%Y": ["31.12.1999", "1.1.2000", "29.02.2024", "30.02.2024", "29.2.1900", None, "soon"],
    "%m/%d/%y": ["12/31/99", "1/1/00", "02/29/68", "02/29/69"],
    "%Y/%m/%d %H:%M": ["1970/01/01 00:00", "1969/12/31 23:59", "2024/07/04 24:00"],
    "%Y-%m-%d %H:%M:%S.%f": ["2024-02-29 12:30:15.25", "1904-01-01 00:00:00.000001"],
    "ISO8601": ["2024-02-29", "2024-02-29T23:59:59", "2024-02-29 05:06", "2024-01-01T00:00:00.5Z"],
}


@pytest.mark.filterwarnings("ignore:.*filled cells")
@pytest.mark.parametrize("date_format", DATES)
def test_texts_of_dates_are_read_as_the_model_reads_them(date_format: str) -> None:
    form = ColumnFormat(name="x", kind="date", date_format=date_format)
    expected = adapted(form, DATES[date_format]).astype("datetime64[us]")
    seconds = np.where(np.isnat(expected), np.nan, expected.astype(np.int64) / 1e6)

    np.testing.assert_allclose(read(form, DATES[date_format]), seconds, rtol=0, atol=1e-6)


def test_parts_of_the_calendar_are_those_of_pandas() -> None:
    from nbautoml.registry.onnx.dates import DateReader

    days = pd.date_range("1896-12-25", "2105-01-05", freq="37h11min7s")
    times = np.append(days.to_numpy("datetime64[us]"), np.datetime64("NaT"))
    form = ColumnFormat(name="x", kind="date")
    frame = pd.DataFrame({"x": times})
    inputs = describe_inputs([form], frame, ())
    graph = Graph(["x"])
    reader = DateReader(graph, read_columns(graph, inputs, [form])["x"].value)
    first = np.datetime64("2000-01-01", "us")
    graph.output("parts", graph.join([reader.part(name, first) for name in PARTS]), "double", 12)
    found = ask(open_model(graph.finish({}).SerializeToString()), inputs, frame)[0]

    np.testing.assert_allclose(found, split_dates(times, first), rtol=1e-12)


@pytest.mark.parametrize(
    ("form", "cells", "reason"),
    [
        (ColumnFormat(name="price", kind="number"), ["$1,200", "3"], r"'price'.*such as '\$1,200'"),
        (ColumnFormat(name="x", kind="number", decimal=","), ["1,5"], "'x' holds numbers as texts"),
        (ColumnFormat(name="day", kind="date"), ["2 March 2024", "1.1.24"], "'day'.*pandas.to_dat"),
        (
            ColumnFormat(name="day", kind="date", date_format="%d %b %Y"),
            ["2 Mar 2024"],
            r"'day'.*such as '2 Mar 2024' \(format '%d %b %Y'\)",
        ),
        (ColumnFormat(name="x", kind="number"), ["1", 2.5], "'x' holds cells of several types"),
    ],
    ids=str,
)
def test_what_a_graph_cannot_read_is_refused_by_name(
    form: ColumnFormat, cells: list[Any], reason: str
) -> None:
    frame = pd.DataFrame({form.name: pd.Series(cells, dtype=object)})

    with pytest.raises(ModelError, match=reason):
        describe_inputs([form], frame, ())


def test_texts_without_spaces_between_words_are_refused() -> None:
    from tests.unit.registry.onnx_models import label_of, table

    frame = table()[["size"]].assign(
        text=["今天天气很好我们去公园散步" + "好" * (i % 5) for i in range(220)]
    )
    made = Data(2, frame=frame)
    assert label_of(table(), 2).shape == made.y.shape
    model = made.fit("LogisticRegression")

    with pytest.raises(ModelError, match="column 'text' holds texts in which no spaces part"):
        convert_model(model, frame)


def test_a_number_in_a_way_that_nobody_knows_is_an_error_and_not_a_gap() -> None:
    made = Data(0, columns=("price", "size"))
    helper = OnnxInferenceHelper(convert_model(made.fit("ElasticNet"), made.frame).content)
    rows = made.frame.iloc[:2].assign(price=["$3", "4"])

    with pytest.raises(ModelError, match="refused the rows"):
        helper.predict(rows)


def test_columns_named_as_outputs_get_another_input() -> None:
    frame = pd.DataFrame({"label": np.arange(60.0), "/x": np.arange(60.0) % 7})
    frame["probabilities"] = np.where(frame["/x"] > 3, "p", "q")
    made = Data(2, frame=_long(frame))
    found = convert_model(made.fit("LogisticRegression"), made.frame)

    assert {c.name: c.input for c in found.resource.inputs} == {
        "label": "column.label",
        "/x": "/x",
        "probabilities": "column.probabilities",
    }


def _long(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([frame] * 4, ignore_index=True).iloc[:220]


def test_a_graph_that_answers_otherwise_is_not_handed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Data(2, columns=("size", "count"))
    model = made.fit("LogisticRegression")
    write = scalers._shift_and_divide

    def wrong(graph: Graph, matrix: Any, shift: Any, size: Any) -> Any:
        return write(graph, matrix, shift, np.asarray(size) * 1.2)

    monkeypatch.setattr(scalers, "_shift_and_divide", wrong)

    with pytest.raises(ModelError, match=r"compared rows get other answers"):
        convert_model(model, made.frame)


def test_the_columns_that_decide_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Data(2, columns=("kind", "count"))
    model = made.fit("LogisticRegression")
    write = features.look_up

    def wrong(graph: Graph, column: Any, values: Any, **others: Any) -> str:
        turned = dict(zip(values, list(values.values())[::-1], strict=True))
        return write(graph, column, turned, **others)

    monkeypatch.setattr(features, "look_up", wrong)

    with pytest.raises(ModelError, match="column 'kind' decide"):
        convert_model(model, made.frame)


def test_words_are_known_with_a_space_around_them() -> None:
    made = Data(2, columns=("kind", "count"))
    found = convert_model(made.fit("LogisticRegression"), made.frame)
    session = open_model(found.content)
    counts = np.zeros((4, 1))

    def shares(words: list[str]) -> np.ndarray:
        feed = {"kind": np.array(words, dtype=object).reshape(-1, 1), "count": counts}
        return np.asarray(session.run(["probabilities"], feed)[0])

    expected = shares(["c d", "a", "", "new"])
    np.testing.assert_array_equal(shares([" c d", " a ", "  ", " newer"]), expected)
    assert len(np.unique(expected[:, 0])) >= 3


def test_rows_are_found_by_name_and_one_row_is_enough() -> None:
    made = Data(2)
    model = made.fit("LightGBM")
    helper = OnnxInferenceHelper(convert_model(model, made.frame).content)
    row = made.frame.iloc[[3]][made.frame.columns[::-1]].assign(other=1)

    labels, shares = helper.predict(row)

    assert labels.tolist() == model.predict(row.drop(columns="other")).tolist()
    assert shares is not None
    assert shares.shape == (1, 2)
    nobody, none = helper.predict(row.iloc[:0])
    assert (len(nobody), none.shape if none is not None else None) == (0, (0, 2))
    with pytest.raises(ModelError, match="needs the columns 'kind'"):
        helper.predict(row.drop(columns="kind"))


def test_a_model_is_saved_and_loaded(tmp_path: Path) -> None:
    made = Data(2, columns=("size",))
    found = convert_model(made.fit("LogisticRegression"), made.frame)
    path = tmp_path / "models" / "model.onnx"

    OnnxConverter.save_onnx_model(found.proto, path)

    assert OnnxConverter.load_onnx_model(path).SerializeToString() == found.content
    helper = OnnxInferenceHelper(path.read_bytes(), found.resource.to_dict())
    assert helper.classes == ("class 0", "class 1")
    with pytest.raises(ConfigError, match="must be an ONNX model.*got str"):
        OnnxConverter.save_onnx_model("model", path)


def test_what_is_no_model_is_refused() -> None:
    graph = Graph(["x"])
    graph.output("y", graph.input("x", "double"), "double", 1)
    foreign = graph.finish({}).SerializeToString()

    with pytest.raises(ModelError, match="cannot open"):
        OnnxInferenceHelper(b"nothing")
    with pytest.raises(ModelError, match="does not say what its inputs are"):
        OnnxInferenceHelper(foreign)
    with pytest.raises(ModelError, match="model_onnx.json; it lacks"):
        OnnxInferenceHelper(foreign, {"columns": []})


def test_a_model_that_no_run_made_is_refused() -> None:
    from sklearn.dummy import DummyClassifier

    with pytest.raises(ModelError, match="no way to read raw rows"):
        convert_model(DummyClassifier(), pd.DataFrame())


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda module: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'nbautoml\[onnx\]'"):
        extras.check_extra("onnx", extra="onnx", purpose="write ONNX models")
