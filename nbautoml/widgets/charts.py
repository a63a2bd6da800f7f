"""The charts of a model as plotly figures, and one of them as a page."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from nbautoml.automl.automl_run import AutoMLRun
from nbautoml.automl.figures import ModelFigure, stored_figures
from nbautoml.domain.ids import child_run_id
from nbautoml.runs.child_process import work_for
from nbautoml.runs.run import Run
from nbautoml.store.session import Session

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def metric_charts(run: Run, iteration: int | None = None) -> dict[str, Figure]:
    """Return the charts of a model, to show in a cell, to change and to save.

    Parameters
    ----------
    run : AutoMLRun or Run
        An AutoML run, or one of its children.
    iteration : int, optional
        For an AutoML run the child of this number in place of the best one.

    Returns
    -------
    dict of str to plotly.graph_objects.Figure
        For classes ``confusion_matrix``, ``confusion_matrix_normalized``, ``roc``,
        ``precision_recall``, ``calibration``, ``lift`` and ``cumulative_gain``; for numbers
        ``predicted_true`` and ``residuals``. Empty for a child that has no model.

    Raises
    ------
    NotFoundError
        When the run has no finished model, or no such child.
    """
    child_id = run.id
    if isinstance(run, AutoMLRun):
        best = run.get_best_child() if iteration is None else None
        child_id = best.id if best is not None else child_run_id(run.id, iteration or 0)
    with run.session.read() as tx:
        tx.runs.get(child_id)
    return {figure.name: as_plotly(figure) for figure in stored_figures(run.session, child_id)}


def as_plotly(figure: ModelFigure, title: str = "") -> Figure:
    """Return a figure of plotly's.

    Parameters
    ----------
    figure : ModelFigure
        The chart.
    title : str, optional
        Its title in place of its own.
    """
    from plotly.graph_objects import Figure  # takes half a second, and few ask for it

    made = Figure(data=figure.data, layout=figure.layout)
    return made.update_layout(title=title or figure.title, margin={"t": 60})


def _write_page(session: Session, child_id: str, name: str, target: str) -> None:
    figure = next(one for one in stored_figures(session, child_id) if one.name == name)
    page = as_plotly(figure, f"{figure.title}: {child_id}")
    Path(target).write_text(page.to_html(include_plotlyjs=True), encoding="utf-8")


def main() -> int:
    """Write one chart of a child run as a page: its id, the chart's name and the file follow."""
    return work_for(_write_page)


if __name__ == "__main__":
    sys.exit(main())
