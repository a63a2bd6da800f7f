"""The charts of a model, as the JSON of plotly figures, from what each trial stores of them.

One source for all homes: the run view draws the JSON with plotly's script, Python wraps it in
``plotly.graph_objects.Figure``. Nothing here imports plotly. Colours of axes and text are left
to the home; colours of curves are those of the run view.

Curves of all classes together are *macro* (their plain mean), *weighted* (by the number of rows of
each class) and *micro* (all rows of all classes pooled).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any  # Any: JSON values

import numpy as np
import numpy.typing as npt

from nbautoml.domain.events import json_safe
from nbautoml.runs import files
from nbautoml.store.session import Session

FloatArray = npt.NDArray[np.float64]

COLORS = (
    "#4e79a7",
    "#f28e2b",
    "#59a14f",
    "#e15759",
    "#76b7b2",
    "#b07aa1",
    "#edc948",
    "#9c755f",
    "#ff9da7",
    "#8a9a5b",
    "#3b9ebf",
    "#a05d8c",
)
"""The run view's colours, in its order."""

_GREY = "#8a8a8a"
# The run view puts its own ground in the place of white.
_SCALE = [[0.0, "#ffffff"], [1.0, COLORS[0]]]
_GRID = np.linspace(0.0, 1.0, 101)
# With more classes than this, a class's curve is shown when it is asked for in the legend, and
# cells of the confusion matrix have no numbers in them.
_MANY_CLASSES, _MANY_CELLS = 5, 20
_N_BINS = 10
_DECIMALS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFigure:
    """One chart.

    Parameters
    ----------
    name : str
        What it is called by programs, such as ``"roc"``.
    title : str
        What it is called for people.
    help : str
        How it is read, in a sentence.
    data, layout : list of dict, dict
        The two parts of a plotly figure.
    """

    name: str
    title: str
    help: str
    data: list[dict[str, Any]]
    layout: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        """Return the figure as JSON values."""
        figure = {"data": json_safe(self.data), "layout": self.layout}
        return {"name": self.name, "title": self.title, "help": self.help, "figure": figure}


def model_figures(charts: Mapping[str, Mapping[str, Any]]) -> list[ModelFigure]:
    """Return all figures that a trial's charts' data gives.

    Parameters
    ----------
    charts : mapping of str to mapping
        The stored payloads by name: ``confusion_matrix`` and ``accuracy_table``, or
        ``predicted_true`` and ``residuals``. Unknown ones are passed over.

    Examples
    --------
    >>> payload = {"data": {"class_labels": ["no", "yes"], "matrix": [[3, 1], [0, 4]]}}
    >>> [figure.name for figure in model_figures({"confusion_matrix": payload})]
    ['confusion_matrix', 'confusion_matrix_normalized']
    """
    figures: list[ModelFigure] = []
    for name, draw in _DRAWN.items():
        if name in charts:
            figures += draw(charts[name]["data"])
    return figures


def _confusion(data: Mapping[str, Any]) -> list[ModelFigure]:
    labels = [str(label) for label in data["class_labels"]]
    counts = np.array(data["matrix"], dtype=np.float64)
    sums = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, sums, out=np.zeros_like(counts), where=sums > 0)
    common = "Rows are the true classes, columns the predicted ones; "
    return [
        _matrix("confusion_matrix", "Confusion matrix", labels, counts, common + "counts."),
        _matrix(
            "confusion_matrix_normalized",
            "Confusion matrix, normalized",
            labels,
            shares,
            common + "each cell is a share of its true class.",
        ),
    ]


def _matrix(
    name: str, title: str, labels: Sequence[str], cells: FloatArray, words: str
) -> ModelFigure:
    is_share = name.endswith("normalized")
    form = ".1%" if is_share else ".6~g"
    trace: dict[str, Any] = {
        "type": "heatmap",
        "x": list(labels),
        "y": list(labels),
        "z": cells.round(_DECIMALS).tolist(),
        "colorscale": _SCALE,
        "showscale": len(labels) > _MANY_CELLS,
        "hovertemplate": f"true %{{y}}<br>predicted %{{x}}<br>%{{z:{form}}}<extra></extra>",
        "xgap": 1,
        "ygap": 1,
    }
    if is_share:
        trace |= {"zmin": 0, "zmax": 1}
    if len(labels) <= _MANY_CELLS:
        trace["texttemplate"] = f"%{{z:{form}}}"
    layout = _layout("predicted", "true")
    # Labels such as "0" are names, not places on a scale.
    layout["xaxis"] |= {"type": "category", "side": "top"}
    layout["yaxis"] |= {"type": "category", "autorange": "reversed"}
    return ModelFigure(name=name, title=title, help=words, data=[trace], layout=layout)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """Counts of a class against the rest at thresholds, the lowest first."""

    tp: FloatArray
    fp: FloatArray
    tn: FloatArray
    fn: FloatArray

    @classmethod
    def of(cls, rows: Sequence[Sequence[float]]) -> _Table:
        tp, fp, tn, fn = np.array(rows, dtype=np.float64).reshape(-1, 4).T
        return cls(tp=tp, fp=fp, tn=tn, fn=fn)

    @property
    def support(self) -> float:
        """Rows of the class."""
        return float(self.tp[0] + self.fn[0])

    @property
    def recall(self) -> FloatArray:
        return _ratio(self.tp, self.tp + self.fn)

    @property
    def fall_out(self) -> FloatArray:
        """False positive rate."""
        return _ratio(self.fp, self.fp + self.tn)

    @property
    def precision(self) -> FloatArray:
        """Precision; 1 where nothing is predicted to be of the class."""
        return _ratio(self.tp, self.tp + self.fp, empty=1.0)

    @property
    def share(self) -> FloatArray:
        """Share of the rows that are predicted to be of the class."""
        return _ratio(self.tp + self.fp, self.tp + self.fp + self.tn + self.fn)


def _ratio(above: FloatArray, below: FloatArray, *, empty: float = 0.0) -> FloatArray:
    return np.divide(above, below, out=np.full_like(above, empty), where=below > 0)


def _pooled(tables: Sequence[_Table]) -> _Table:
    names = ("tp", "fp", "tn", "fn")
    sums = {name: sum(getattr(t, name) for t in tables) for name in names}
    return _Table(**{name: np.asarray(value, dtype=np.float64) for name, value in sums.items()})


def _curves(data: Mapping[str, Any]) -> list[ModelFigure]:
    labels = [str(label) for label in data["class_labels"]]
    by_probability = [_Table.of(rows) for rows in data["probability_tables"]]
    by_rank = [_Table.of(rows) for rows in data["percentile_tables"]]
    # A class without rows has no curve.
    kept = [i for i, table in enumerate(by_probability) if table.support > 0]
    if not kept:
        return []
    tables = _Tables(
        labels=[labels[i] for i in kept],
        by_probability=[by_probability[i] for i in kept],
        by_rank=[by_rank[i] for i in kept],
    )
    return [_roc(tables), _precision_recall(tables), _calibration(tables), *_gains(tables)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tables:
    """The tables of all classes that have rows."""

    labels: list[str]
    by_probability: list[_Table]
    by_rank: list[_Table]

    @property
    def pooled(self) -> _Table:
        return _pooled(self.by_probability)

    @property
    def weights(self) -> FloatArray:
        return np.array([table.support for table in self.by_probability])

    def lines(
        self,
        curves: Sequence[tuple[FloatArray, FloatArray]],
        micro: tuple[FloatArray, FloatArray],
        hover: str,
    ) -> list[dict[str, Any]]:
        """Return traces of the averages and of the classes."""
        on_grid = np.array([np.interp(_GRID, *_rising(x, y)) for x, y in curves])
        averages = {
            "macro average": (_GRID, on_grid.mean(axis=0)),
            "weighted average": (_GRID, np.average(on_grid, axis=0, weights=self.weights)),
            "micro average": micro,
        }
        dashes = ("solid", "dash", "dot")
        traces = [
            _line(name, *xy, hover, color=_GREY, width=2.5, dash=dash)
            for (name, xy), dash in zip(averages.items(), dashes, strict=True)
        ]
        is_many = len(self.labels) > _MANY_CLASSES
        for i, (label, (x, y)) in enumerate(zip(self.labels, curves, strict=True)):
            trace = _line(label, x, y, hover, color=COLORS[i % len(COLORS)])
            traces.append(trace | ({"visible": "legendonly"} if is_many else {}))
        return traces


def _rising(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return a curve in the order of x; of points above one another the highest counts."""
    order = np.lexsort((y, x))
    x, y = x[order], y[order]
    last = np.append(np.flatnonzero(np.diff(x)), len(x) - 1)
    return x[last], y[last]


def _roc(tables: _Tables) -> ModelFigure:
    curves = [_closed(t.fall_out, t.recall) for t in tables.by_probability]
    pooled = tables.pooled
    hover = "false positive rate %{x:.3f}<br>true positive rate %{y:.3f}"
    traces = tables.lines(curves, _closed(pooled.fall_out, pooled.recall), hover)
    traces.append(_reference("chance", [0, 1], [0, 1]))
    return ModelFigure(
        name="roc",
        title="ROC",
        help="Each class against the rest; the further above the diagonal, the better.",
        data=traces,
        layout=_layout("false positive rate", "true positive rate", unit=True),
    )


def _closed(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return a ROC curve with its two ends."""
    return np.concatenate([[1.0], x, [0.0]]), np.concatenate([[1.0], y, [0.0]])


def _precision_recall(tables: _Tables) -> ModelFigure:
    curves = [(t.recall, t.precision) for t in tables.by_probability]
    pooled = tables.pooled
    hover = "recall %{x:.3f}<br>precision %{y:.3f}"
    return ModelFigure(
        name="precision_recall",
        title="Precision and recall",
        help="Each class against the rest; the closer to the upper right corner, the better.",
        data=tables.lines(curves, (pooled.recall, pooled.precision), hover),
        layout=_layout("recall", "precision", unit=True),
    )


def _calibration(tables: _Tables) -> ModelFigure:
    named = [
        ("all classes", tables.pooled),
        *zip(tables.labels, tables.by_probability, strict=True),
    ]
    is_many = len(tables.labels) > _MANY_CLASSES
    traces = []
    for i, (name, table) in enumerate(named):
        x, y, n = _bins(table)
        trace = {
            "type": "scatter",
            "mode": "lines+markers",
            "name": name,
            "x": x,
            "y": y,
            "customdata": n,
            "line": {"color": COLORS[(i - 1) % len(COLORS)] if i else _GREY},
            "hovertemplate": "predicted about %{x:.2f}<br>true %{y:.3f}<br>%{customdata:.6~g} rows",
        }
        traces.append(trace | ({"visible": "legendonly"} if i and is_many else {}))
    traces.append(_reference("perfect", [0, 1], [0, 1]))
    return ModelFigure(
        name="calibration",
        title="Calibration",
        help="How often a class is true where its probability is about so much; the diagonal is "
        "perfect.",
        data=traces,
        layout=_layout("predicted probability", "share of rows of the class", unit=True),
    )


def _bins(table: _Table) -> tuple[list[float], list[float], list[float]]:
    """Return middles of bins of probabilities, shares of true rows, and numbers of rows."""
    edges = np.linspace(0, len(table.tp) - 1, _N_BINS + 1).astype(int)
    hits, rows = table.tp, table.tp + table.fp
    # Rows with probability 1 are those above the last threshold.
    n = rows[edges[:-1]] - np.append(rows[edges[1:-1]], 0.0)
    true = hits[edges[:-1]] - np.append(hits[edges[1:-1]], 0.0)
    middles = (edges[:-1] + edges[1:]) / 2.0 / (len(table.tp) - 1)
    is_there = n > 0
    shares = true[is_there] / n[is_there]
    return (
        middles[is_there].round(_DECIMALS).tolist(),
        shares.round(_DECIMALS).tolist(),
        n[is_there].tolist(),
    )


def _gains(tables: _Tables) -> list[ModelFigure]:
    gains = [_from_nothing(t.share, t.recall) for t in tables.by_rank]
    pooled = tables.pooled
    micro = _from_nothing(pooled.share, pooled.recall)
    words = "share of the rows, the likeliest first"
    gain = ModelFigure(
        name="cumulative_gain",
        title="Cumulative gain",
        help="Which share of a class is found in so many of the likeliest rows.",
        data=[
            *tables.lines(gains, micro, "%{x:.1%} of the rows<br>%{y:.1%} of the class"),
            _reference("chance", [0, 1], [0, 1]),
        ],
        layout=_layout(words, "share of the class that is found", unit=True),
    )
    lifts = [_lift(x, y) for x, y in gains]
    lift = ModelFigure(
        name="lift",
        title="Lift",
        help="How many times more rows of a class are among the likeliest rows than among all.",
        data=[
            *tables.lines(lifts, _lift(*micro), "%{x:.1%} of the rows<br>lift %{y:.2f}"),
            _reference("chance", [0, 1], [1, 1]),
        ],
        layout=_layout(words, "lift"),
    )
    return [lift, gain]


def _from_nothing(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    return np.append(x, 0.0), np.append(y, 0.0)


def _lift(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    is_some = x > 0
    return x[is_some], y[is_some] / x[is_some]


def _residuals(data: Mapping[str, Any]) -> list[ModelFigure]:
    edges = np.array(data["bin_edges"], dtype=np.float64)
    bars = {
        "type": "bar",
        "x": ((edges[:-1] + edges[1:]) / 2).tolist(),
        "y": data["bin_counts"],
        "width": np.diff(edges).tolist(),
        "marker": {"color": COLORS[0]},
        "hovertemplate": "%{x:.4~g}: %{y:.6~g} rows<extra></extra>",
    }
    layout = _layout("predicted minus true", "rows") | {"showlegend": False, "bargap": 0}
    zero = {"type": "line", "x0": 0, "x1": 0, "yref": "paper", "y0": 0, "y1": 1}
    layout["shapes"] = [zero | {"line": {"color": _GREY, "dash": "dot"}}]
    figure = ModelFigure(
        name="residuals",
        title="Residuals",
        help=f"How far predictions are off: mean {data['mean']:.4g}, standard deviation "
        f"{data['stddev']:.4g}."
        if data["mean"] is not None and data["stddev"] is not None
        else "How far predictions are off.",
        data=[bars],
        layout=layout,
    )
    return [figure]


def _predicted_true(data: Mapping[str, Any]) -> list[ModelFigure]:
    edges = np.array(data["bin_edges"], dtype=np.float64)
    middles = ((edges[:-1] + edges[1:]) / 2).tolist()
    ends = [float(edges[0]), float(edges[-1])]
    counts = {
        "type": "bar",
        "name": "rows",
        "x": middles,
        "y": data["bin_counts"],
        "width": np.diff(edges).tolist(),
        "yaxis": "y2",
        "marker": {"color": _GREY, "opacity": 0.25},
        "hovertemplate": "true about %{x:.4~g}: %{y:.6~g} rows<extra></extra>",
    }
    means = {
        "type": "scatter",
        "mode": "lines+markers",
        "name": "mean prediction",
        "x": middles,
        "y": data["bin_averages"],
        "error_y": {"type": "data", "array": data["bin_errors"], "thickness": 1},
        "line": {"color": COLORS[0]},
        "connectgaps": False,
        "hovertemplate": "true about %{x:.4~g}<br>predicted %{y:.4~g}<extra></extra>",
    }
    layout = _layout("true", "predicted") | {"bargap": 0}
    layout["yaxis2"] = {"overlaying": "y", "side": "right", "showgrid": False, "title": "rows"}
    figure = ModelFigure(
        name="predicted_true",
        title="Predicted and true",
        help="Mean prediction, and one standard deviation of it, by the true value.",
        data=[counts, means, _reference("perfect", ends, ends)],
        layout=layout,
    )
    return [figure]


_DRAWN = {
    "confusion_matrix": _confusion,
    "accuracy_table": _curves,
    "predicted_true": _predicted_true,
    "residuals": _residuals,
}

CHARTS = tuple(_DRAWN)
"""Names of the files from which figures are drawn."""


def stored_figures(session: Session, child_id: str) -> list[ModelFigure]:
    """Return the figures that the files of a child run give; none before it is finished.

    Parameters
    ----------
    session : Session
        The open store.
    child_id : str
        The child run.
    """
    stored = files.names(session, child_id)
    found = [name for name in CHARTS if name in stored]
    return model_figures({name: files.read_json(session, child_id, name) for name in found})


def _line(
    name: str,
    x: FloatArray,
    y: FloatArray,
    hover: str,
    *,
    color: str,
    width: float = 1.5,
    dash: str = "solid",
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": x.round(_DECIMALS).tolist(),
        "y": y.round(_DECIMALS).tolist(),
        "line": {"color": color, "width": width, "dash": dash},
        "hovertemplate": hover,
    }


def _reference(name: str, x: Sequence[float], y: Sequence[float]) -> dict[str, Any]:
    """Return the line that curves are compared with."""
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": list(x),
        "y": list(y),
        "line": {"color": _GREY, "width": 1, "dash": "dot"},
        "hoverinfo": "skip",
    }


def _layout(x: str, y: str, *, unit: bool = False) -> dict[str, Any]:
    """Return a layout; `unit` says that both axes run from 0 to 1."""
    bounds = {"range": [-0.01, 1.01]} if unit else {}
    return {
        "xaxis": {"title": {"text": x}, "automargin": True, **bounds},
        "yaxis": {"title": {"text": y}, "automargin": True, **bounds},
        "hovermode": "closest",
        "margin": {"l": 50, "r": 20, "t": 20, "b": 45},
    }
