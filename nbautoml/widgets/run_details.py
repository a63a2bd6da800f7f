"""`RunDetails`: the live view of a run in a cell's output."""

from __future__ import annotations

import logging
import math
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol  # Any: MIME bundles and widget data are JSON values

from IPython.core.getipython import get_ipython
from IPython.display import publish_display_data

from nbautoml.automl.figures import ModelFigure, stored_figures
from nbautoml.domain.records import SessionAddress
from nbautoml.domain.snapshot import RunSnapshot
from nbautoml.domain.status import FINISHED, TERMINAL
from nbautoml.errors import NbAutoMLError
from nbautoml.runs.types import PIPELINE_RUN
from nbautoml.services.explanations import top_features
from nbautoml.services.logged import run_view
from nbautoml.services.view import view
from nbautoml.services.workspaces import remember_workspace
from nbautoml.store.session import Session
from nbautoml.widgets.bundle import logged_bundle, run_bundle
from nbautoml.widgets.host import allow_widgets, wants_widget
from nbautoml.widgets.html import run_html
from nbautoml.widgets.small_view import small_view
from nbautoml.widgets.text import view_text

__all__ = ["RunDetails", "WatchedRun"]

_log = logging.getLogger(__name__)

FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 60.0
POLL_SECONDS = 2.0  # how late the end of a run may be seen
TOP_FEATURES = 8
WIDGET_MIME = "application/vnd.jupyter.widget-view+json"
LIVE_HINT = (
    "This page is replaced from time to time. For the live view, run `pip install nbautoml` where "
    "JupyterLab is installed, and start it again."
)

_OVER = frozenset({*TERMINAL, FINISHED})

Publish = Callable[[dict[str, Any], str, bool], None]
"""Shows a bundle under a display id; True replaces what is shown under it."""


class WatchedRun(Protocol):
    """What RunDetails needs of a run."""

    id: str

    def get_status(self) -> str:
        """Return the run's status; cheap."""

    def snapshot(self) -> RunSnapshot:
        """Return the run's state now."""


class RunDetails:
    """Shows a run while it goes on, and how it ended when the notebook is opened again.

    Parameters
    ----------
    run_instance : Run
        The run, or one of its children (then the whole run is shown).

    Notes
    -----
    In JupyterLab and Notebook the view is live by itself, also while a cell runs and after a
    kernel restart. In VS Code and Colab it is a widget, which is live as long as the kernel is;
    when the run ends, a page takes its place. Elsewhere the page is replaced at growing intervals
    while the kernel lives: after 1, 2, 4, 8 … seconds, then once a minute, and when the run ends.
    """

    def __init__(self, run_instance: WatchedRun) -> None:
        self._run = _parent_of(run_instance)

    def show(
        self, render_lib: object = None, widget_settings: Mapping[str, Any] | None = None
    ) -> None:
        """Show the run below the cell and return at once.

        Outside of a notebook the state is written as text.

        Parameters
        ----------
        render_lib : object
            Azure's argument, of no use here.
        widget_settings : mapping, optional
            ``{"view": "widget"}`` or ``{"view": "page"}`` chooses how the run is shown; by
            default the notebook's program decides (see `nbautoml.widgets.host.View`).

        Raises
        ------
        ConfigError
            When there is no such view.
        """
        asked = dict(widget_settings or {}).get("view")
        if get_ipython() is None:
            sys.stdout.write(f"{self}\n")
            return
        address = self._address()
        if address is not None:
            remember_workspace(address)  # so that the Jupyter server may look into it
        is_over = self._is_over()
        # A widget is gone when its kernel is: how a run ended is kept as a page.
        has_widget = wants_widget(asked) and (asked is not None or not is_over)
        if is_notebook() and has_widget and self._session is not None:
            follower = self._widget_follower(self._session)
        else:
            follower = Follower(self._bundle, publish_bundle, is_over=self._is_over)
        follower.show()
        if is_notebook() and follower.start():
            show_end_after_a_cell(follower)

    def _widget_follower(self, session: Session) -> Follower:
        """Return what shows a widget at first, and at the run's end the page in its place."""
        from nbautoml.widgets.run_widget import RunWidget

        allow_widgets()
        was_over = self._is_over()
        snapshot, place = self._run.snapshot(), self._workspace()
        if snapshot.described is None:
            shown = small_view(snapshot, now=time.time(), workspace=place)
        else:
            shown = run_view(session, snapshot, now=time.time(), workspace=place)
        widget = RunWidget(session, shown)

        def read() -> tuple[dict[str, Any], RunSnapshot]:
            bundle, snapshot = self._bundle()
            if was_over or not snapshot.status.is_terminal:
                bundle |= widget.output()
            return bundle, snapshot

        def publish(bundle: dict[str, Any], display_id: str, is_update: bool) -> None:
            publish_bundle(bundle, display_id, is_update)
            if WIDGET_MIME not in bundle:
                widget.close()

        # It moves by itself: nothing is replaced before the end.
        waits = {"first_wait_seconds": math.inf, "longest_wait_seconds": math.inf}
        return Follower(read, publish, is_over=self._is_over, **waits)

    def get_widget_data(self, widget_settings: object = None) -> dict[str, Any]:
        """Return what is shown, as plain values.

        Parameters
        ----------
        widget_settings : object
            Azure's argument, of no use here.

        Returns
        -------
        dict
            ``status``, ``run_id``, ``run_properties``, ``child_runs`` (one dict a child, by
            number), ``primary_metric``, ``best_child_run_id``, ``run_metrics`` and ``run_logs``
            (of a run that is no AutoML run), ``graph`` (of a pipeline's run: ``module_nodes`` and
            ``edges``) and the whole ``view``.
        """
        shown = self._view()
        header = shown["header"]
        metric = header["metric"]["name"] if header["metric"] else None
        ids = {row["n"]: row["id"] for row in shown["trials"]}
        return {
            "status": header["status"],
            "run_id": shown["run_id"],
            "run_properties": {
                "run_id": shown["run_id"],
                "status": header["status"],
                "created_utc": header["started_at"],
                "end_time_utc": header["ended_at"],
            },
            "primary_metric": metric,
            "best_child_run_id": ids.get(header["best"]["n"]) if header["best"] else None,
            "child_runs": [_child(row, metric) for row in shown["trials"]],
            **_logged(shown),
            **_graph(shown),
            "view": shown,
        }

    def __repr__(self) -> str:
        return view_text(self._view())

    def _view(self) -> dict[str, Any]:
        snapshot, place = self._run.snapshot(), self._workspace()
        if self._session is None:
            return view(snapshot, now=time.time(), workspace=place)
        return run_view(self._session, snapshot, now=time.time(), workspace=place)

    def _repr_html_(self) -> str:
        snapshot, session = self._run.snapshot(), self._session
        if snapshot.described is not None and session is not None:
            return str(logged_bundle(session, snapshot, now=time.time())["text/html"])
        figures, features = self._figures(snapshot), self._features(snapshot)
        return run_html(snapshot, figures=figures, features=features)

    @property
    def _session(self) -> Session | None:
        return getattr(self._run, "session", None)

    def _address(self) -> SessionAddress | None:
        address = getattr(self._session, "address", None)
        return address if isinstance(address, SessionAddress) else None

    def _workspace(self) -> str:
        address = self._address()
        return address.root if address is not None else ""

    def _is_over(self) -> bool:
        return self._run.get_status() in _OVER

    def _bundle(self) -> tuple[dict[str, Any], RunSnapshot]:
        snapshot, session = self._run.snapshot(), self._session
        workspace = self._workspace()
        hint = "" if snapshot.status.is_terminal else LIVE_HINT
        if snapshot.described is not None and session is not None:
            place = {"workspace": workspace, "hint": hint}
            return logged_bundle(session, snapshot, now=time.time(), **place), snapshot
        figures = self._figures(snapshot)
        bundle = run_bundle(
            snapshot,
            now=time.time(),
            workspace=workspace,
            figures=figures,
            features=self._features(snapshot),
            hint=hint,
        )
        return bundle, snapshot

    def _figures(self, snapshot: RunSnapshot) -> list[ModelFigure]:
        """Return the charts of the best model of a run that has ended, as far as they are there."""
        session, best = self._session, snapshot.best_trial
        if session is None or best is None or not snapshot.status.is_terminal:
            return []
        try:
            return stored_figures(session, best.run_id)
        except NbAutoMLError:  # files that are lost are told of where somebody asks for them
            return []

    def _features(self, snapshot: RunSnapshot) -> Sequence[tuple[str, float]]:
        """Return what the best model of a run that has ended goes by, once it is explained."""
        session, best = self._session, snapshot.best_trial
        if session is None or best is None or not snapshot.status.is_terminal:
            return ()
        try:
            return top_features(session, best.run_id, TOP_FEATURES)
        except NbAutoMLError:
            return ()


class Follower:
    """Keeps one output up to date from a small thread until the run ends.

    Parameters
    ----------
    read : callable
        Returns the bundle to show and the snapshot it shows.
    publish : callable
        Shows a bundle.
    is_over : callable
        Says cheaply whether the run has ended.
    first_wait_seconds, longest_wait_seconds : float
        The wait between two updates doubles from the first to the longest.
    poll_seconds : float
        How often `is_over` is asked.

    Notes
    -----
    It never raises and never writes into the notebook: when the run cannot be read or the kernel
    is gone, it stops, and the output keeps the last state.
    """

    def __init__(
        self,
        read: Callable[[], tuple[dict[str, Any], RunSnapshot]],
        publish: Publish,
        *,
        is_over: Callable[[], bool],
        first_wait_seconds: float = FIRST_WAIT_SECONDS,
        longest_wait_seconds: float = LONGEST_WAIT_SECONDS,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._read = read
        self._publish = publish
        self._is_over = is_over
        self._wait = first_wait_seconds
        self._longest_wait = longest_wait_seconds
        self._poll = poll_seconds
        self._display_id = uuid.uuid4().hex
        self._shown_seq = -1
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def show(self) -> None:
        """Show the run for the first time, in the thread of the caller."""
        self._show_state(is_update=False)

    def start(self) -> bool:
        """Follow the run from a daemon thread, unless it is over; return whether it does."""
        if self._is_over():
            return False
        self._thread = threading.Thread(
            target=self._follow, name="nbautoml-run-details", daemon=True
        )
        self._thread.start()
        return True

    def stop(self) -> None:
        """Stop following; the output stays as it is."""
        self._stop.set()

    def join(self, timeout_seconds: float) -> bool:
        """Wait for the thread to end; return whether it has."""
        if self._thread is not None:
            self._thread.join(timeout_seconds)
        return self._thread is None or not self._thread.is_alive()

    def show_end(self) -> bool:
        """Show how the run ended, in the thread of the caller; return whether it has ended."""
        try:
            if not self._is_over():
                return False
            self._publish(self._read()[0], self._display_id, True)
        except Exception:  # noqa: BLE001 - a subscriber's border: the output keeps its last state
            _log.debug("could not show the end of a run", exc_info=True)
        return True

    def _follow(self) -> None:
        try:
            is_over = False
            while not is_over:
                is_over = self._wait_for_turn()
                if self._stop.is_set():
                    return
                self._show_state(is_update=True)
                self._wait = min(self._wait * 2, self._longest_wait)
        except Exception:  # noqa: BLE001 - a subscriber's border: the output keeps its last state
            _log.debug("stopped following a run", exc_info=True)

    def _wait_for_turn(self) -> bool:
        """Wait until the next update is due or the run ends; return whether it has ended."""
        due = time.monotonic() + self._wait
        while not self._stop.is_set():
            if self._is_over():
                return True
            rest = due - time.monotonic()
            if rest <= 0:
                return False
            self._stop.wait(min(rest, self._poll))
        return False

    def _show_state(self, *, is_update: bool) -> None:
        bundle, snapshot = self._read()
        if snapshot.seq != self._shown_seq:
            self._publish(bundle, self._display_id, is_update)
            self._shown_seq = snapshot.seq


def publish_bundle(bundle: dict[str, Any], display_id: str, is_update: bool) -> None:
    """Send a bundle to the front end, in place of the one shown under the same display id."""
    publish_display_data(  # type: ignore[no-untyped-call]
        bundle, transient={"display_id": display_id}, update=is_update
    )


def show_end_after_a_cell(follower: Follower) -> None:
    """Have the end of a run shown by the first cell that ends after it.

    What executes notebooks without a page (nbclient, papermill) keeps only what comes from the
    cell that is running: it never sees what the follower's thread publishes.
    """
    shell = get_ipython()
    if shell is None:
        return

    def after_cell(*_: object) -> None:
        if follower.show_end():
            shell.events.unregister("post_run_cell", after_cell)

    shell.events.register("post_run_cell", after_cell)


def is_notebook() -> bool:
    """Whether there is a front end that can replace an output (a kernel, not a terminal)."""
    return getattr(get_ipython(), "kernel", None) is not None


def _parent_of(run: WatchedRun) -> WatchedRun:
    """Return the run that shows a run best: of a trial its search, but of a step the step."""
    parent: WatchedRun | None = getattr(run, "parent", None)
    if parent is None or getattr(parent, "type", "") == PIPELINE_RUN:
        return run
    return parent


def _logged(shown: dict[str, Any]) -> dict[str, Any]:
    """Return what a run logged in the words of Azure's widget data; empty for an AutoML run."""
    logged = shown.get("logged")
    if not logged:
        return {"run_metrics": [], "run_logs": ""}
    metrics = [
        {
            "name": one["name"],
            "run_id": shown["run_id"],
            "categories": one["x"],
            "series": [{"data": one["y"]}],
        }
        for one in logged["series"]
    ]
    metrics += [
        {
            "name": one["name"],
            "run_id": shown["run_id"],
            "categories": [0],
            "series": [{"data": [one["value"]]}],
        }
        for one in logged["values"]
        if one["n"] == 1
    ]
    return {
        "run_metrics": metrics,
        "run_logs": "\n".join(line["text"] for line in logged["lines"]),
    }


def _graph(shown: dict[str, Any]) -> dict[str, Any]:
    """Return a pipeline's steps in the words of Azure's widget data; nothing of other runs."""
    steps = shown.get("steps")
    if not steps:
        return {}
    nodes = {
        str(step["n"]): {
            "node_id": str(step["n"]),
            "name": step["name"],
            "status": step["status"],
            "_is_reused": "reused_from" in step,
            "run_id": step.get("run", step.get("reused_from", "")),
        }
        for step in steps
    }
    edges = [
        {"source_node_id": str(before), "dst_node_id": str(step["n"])}
        for step in steps
        for before in step.get("after", ())
    ]
    children = [
        {
            "run_id": step["run"],
            "name": step["name"],
            "status": step["status"],
            "start_time": step.get("started_at"),
            "end_time": step.get("ended_at"),
        }
        for step in steps
        if "run" in step
    ]
    return {"graph": {"module_nodes": nodes, "edges": edges}, "child_runs": children}


def _child(row: dict[str, Any], metric: str | None) -> dict[str, Any]:
    """Return one child run in the words of Azure's widget data."""
    return {
        "run_id": row["id"],
        "iteration": row["n"],
        "run_name": row["name"],
        "status": row["status"],
        "primary_metric": metric,
        "metric": row.get("score"),
        "duration_seconds": row.get("seconds"),
        "error": row.get("error", ""),
    }
