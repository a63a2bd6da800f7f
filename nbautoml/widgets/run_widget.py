"""The live view as a widget, for notebook hosts that do not load JupyterLab's extensions.

The script is the run view of JupyterLab, the kernel is its server: it sends the run's events, and
answers what the view asks. It lives no longer than the kernel, and while a cell runs it answers
nothing.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any  # Any: JSON values, messages of a widget

import anywidget
import traitlets

from nbautoml.automl.figures import stored_figures
from nbautoml.domain.ids import child_run_id
from nbautoml.errors import ConfigError
from nbautoml.services.children import run_children
from nbautoml.services.code import run_code, trial_script
from nbautoml.services.data import run_columns
from nbautoml.services.deployments import (
    collect_data,
    delete_deployment,
    deploy_model,
    deployment,
    deployment_drift,
    deployment_keys,
    deployment_log,
    deployments,
    renew_key,
    restart_deployment,
    try_deployment,
)
from nbautoml.services.explanations import explain_trial, trial_explanation, what_if_of_trial
from nbautoml.services.hub import Hub
from nbautoml.services.logged import run_logged
from nbautoml.services.logs import run_log
from nbautoml.services.models import register_trial, trial_charts
from nbautoml.services.problems import problem_of
from nbautoml.services.runs import request_of_run, trial_details, trial_scores
from nbautoml.store.session import Session
from nbautoml.widgets.figure_svg import figure_picture

STATIC = Path(__file__).parent / "static"


class RunWidget(anywidget.AnyWidget):
    """A run, followed by the kernel.

    Parameters
    ----------
    session : Session
        The run's open workspace.
    shown : mapping
        What `nbautoml.widgets.small_view.small_view` returns.
    """

    _esm = STATIC / "run_widget.js"
    _css = STATIC / "run_widget.css"
    snapshot = traitlets.Dict().tag(sync=True)

    def __init__(self, session: Session, shown: Mapping[str, Any]) -> None:
        super().__init__(snapshot=dict(shown))
        self._session = session
        self._hub = Hub(lambda _folder: nullcontext(session))
        self._page = _Page(self)
        self.on_msg(self._on_message)

    def output(self) -> dict[str, Any]:
        """Return what a notebook shows the widget by: MIME type to content."""
        data, _metadata = self._repr_mimebundle_() or ({}, {})
        return dict(data)

    def close(self) -> None:
        """Follow the run no longer, and take the view away."""
        self._hub.close()
        super().close()

    def _on_message(self, _widget: object, content: Mapping[str, Any], _buffers: object) -> None:
        run_id, workspace = str(self.snapshot["run_id"]), str(self.snapshot["workspace"])
        if "since" in content:
            self._hub.drop(self._page)
            self._hub.watch(self._page, workspace, run_id, int(content["since"]))
        elif "leave" in content:
            self._hub.drop(self._page)
        elif "ask" in content:
            self.send({"answer": content.get("id")} | self._answer(run_id, content))

    def _answer(self, run_id: str, content: Mapping[str, Any]) -> dict[str, Any]:
        try:
            name = str(content["ask"])
            if name not in _ANSWERS:
                raise ConfigError(f"The view asks for {name!r}; known are {sorted(_ANSWERS)}.")
            given = content.get("with") or {}
            return {"value": _ANSWERS[name](self._session, run_id, given)}
        except Exception as error:  # noqa: BLE001 - the border: an error becomes a message
            return {"error": problem_of(error).as_json()}


class _Page:
    """The widget as one that watches a run."""

    def __init__(self, widget: RunWidget) -> None:
        self._widget = widget

    def send(self, text: str) -> None:
        self._widget.send({"event": json.loads(text)})


def _charts(session: Session, run_id: str, number: int) -> dict[str, Any]:
    """Return a model's charts as pictures: a widget does not bring plotly along."""
    drawn = stored_figures(session, child_run_id(run_id, number))
    pictures = {figure.name: figure_picture(figure) for figure in drawn}
    charts = trial_charts(session, run_id, number)
    for figure in charts["figures"]:
        figure["figure"] = {"data": [], "layout": {}, "svg": pictures[figure["name"]]}
    return charts


Given = Mapping[str, Any]

_ANSWERS: Mapping[str, Callable[[Session, str, Given], Any]] = {
    "request": lambda s, run, g: request_of_run(s, run, g, time=time.time()).seq,
    "columns": lambda s, run, g: run_columns(s, run),
    "code": lambda s, run, g: run_code(s, run),
    "scores": lambda s, run, g: trial_scores(s, run, str(g["metric"])),
    "log": lambda s, run, g: run_log(s, run, after=int(g["after"])),
    "logged": lambda s, run, g: run_logged(s, run),
    "children": lambda s, run, g: run_children(s, run),
    "details": lambda s, run, g: trial_details(s, run, int(g["n"])),
    "charts": lambda s, run, g: _charts(s, run, int(g["n"])),
    "explanation": lambda s, run, g: trial_explanation(s, run, int(g["n"])),
    "explain": lambda s, run, g: explain_trial(s, run, int(g["n"]), {}),
    "whatIf": lambda s, run, g: what_if_of_trial(s, run, int(g["n"]), g),
    "script": lambda s, run, g: trial_script(s, run, int(g["n"])),
    "register": lambda s, run, g: register_trial(s, run, int(g["n"]), g),
    "deployed": lambda s, run, g: deployments(s, child_run_id(run, int(g["n"])))["deployments"],
    "deploy": lambda s, run, g: deploy_model(
        s, {"name": g["name"], "run_id": run, "number": int(g["n"])}
    ),
    "service": lambda s, run, g: deployment(s, str(g["name"])),
    "service_log": lambda s, run, g: deployment_log(s, str(g["name"])),
    "service_try": lambda s, run, g: try_deployment(s, str(g["name"]), g),
    "service_keys": lambda s, run, g: deployment_keys(s, str(g["name"])),
    "service_renew": lambda s, run, g: renew_key(s, str(g["name"]), g),
    "service_drift": lambda s, run, g: deployment_drift(s, str(g["name"])),
    "service_collect": lambda s, run, g: collect_data(s, str(g["name"]), g),
    "service_restart": lambda s, run, g: restart_deployment(s, str(g["name"])),
    "service_remove": lambda s, run, g: delete_deployment(s, str(g["name"])),
}
"""What the view may ask, by the names that it uses."""
