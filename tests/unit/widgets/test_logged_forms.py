"""The static forms of a run that is no AutoML run, and what RunDetails tells of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbautoml.domain.events import OutputWritten
from nbautoml.runs.experiment import Experiment
from nbautoml.runs.run import Run
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.store.session import open_session
from nbautoml.widgets import logged_html
from nbautoml.widgets.bundle import RUN_MIME, logged_bundle
from nbautoml.widgets.run_details import RunDetails
from nbautoml.widgets.run_widget import RunWidget

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def run(tmp_path: Path, make_workspace) -> Iterator[Run]:
    with open_session(make_workspace(tmp_path / "w")) as session:
        run = Experiment(WorkspaceHandle(session), "scores").start_logging(display_name="try <1>")
        for value in (0.5, 0.25):
            run.log("loss", value)
        run.log("solver", "<lbfgs>")
        run.log_row("folds", fold=1, score=0.8)
        (tmp_path / "a.png").write_bytes(PNG)
        run.log_image("roc", path=tmp_path / "a.png")
        with session.write() as tx:
            tx.events.append(run.id, [OutputWritten(text="epoch <1>")], 1000.0)
        yield run
        run.complete()


def page_of(run: Run) -> str:
    bundle = logged_bundle(run.session, run.snapshot(), now=2000.0)
    return str(bundle["text/html"])


def test_the_page_has_values_curves_tables_pictures_files_and_log(run: Run) -> None:
    page = page_of(run)
    for part in ("loss", "0.2500", "last of 2", "folds", "data:image/png;base64,", "epoch &lt;1"):
        assert part in page
    assert page.count("<svg") == 1
    assert "1 file<" in page


def test_the_page_has_the_child_runs(run: Run) -> None:
    assert "child run" not in page_of(run)
    with run.child_run("fold <1>") as child:
        child.log("loss", 0.75)
    run.create_children(count=25)
    page = page_of(run)
    for part in ("26 child runs", "Not started", "and 6 more"):
        assert part in page
    assert "fold &lt;1&gt;" not in page  # the newest are kept
    with run.child_run("fold <2>") as child:
        child.log("loss", 0.5)
    page = page_of(run)
    assert "fold &lt;2&gt;" in page
    assert "0.5000" in page


def test_everything_is_shown_as_text(run: Run) -> None:
    page = page_of(run)
    assert "&lt;lbfgs&gt;" in page
    assert "<lbfgs>" not in page
    assert "try &lt;1&gt;" in page
    assert not re.search(r"<script|\son\w+=", page)


def test_a_large_picture_is_only_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logged_html, "MOST_PICTURE_BYTES", 4)
    page = page_of(run)
    assert "Not shown here: roc." in page
    assert "data:image" not in page


def test_the_reason_of_a_failure_is_whole(run: Run) -> None:
    run.fail("KeyError: 'x'\nTraceback <module>")
    page = page_of(run)
    assert "Traceback &lt;module&gt;" in page


def test_the_text_form_has_the_values(run: Run) -> None:
    text = str(RunDetails(run))
    assert "try <1>" in text
    assert re.search(r"loss +0.2500", text)
    assert "1 table, 1 image, 1 file" in text


def test_the_bundle_is_one_that_the_live_view_takes(run: Run) -> None:
    bundle = logged_bundle(run.session, run.snapshot(), now=2000.0, workspace="/w")
    shown = bundle[RUN_MIME]
    assert (shown["run_id"], shown["workspace"], shown["trials"]) == (run.id, "/w", [])
    assert shown["header"]["kind"] == "interactive"


def test_the_widgets_data_are_in_the_sdks_words(run: Run) -> None:
    data = RunDetails(run).get_widget_data()
    assert (data["status"], data["run_id"], data["child_runs"]) == ("Running", run.id, [])
    metrics = {m["name"]: m["series"][0]["data"] for m in data["run_metrics"]}
    assert metrics == {"loss": [0.5, 0.25], "solver": ["<lbfgs>"]}
    assert "epoch <1>" in data["run_logs"]


def test_a_cell_that_ends_with_details_shows_the_page(run: Run) -> None:
    assert RunDetails(run)._repr_html_().startswith("<style>")


def test_the_widget_answers_what_was_logged(run: Run) -> None:
    shown = logged_bundle(run.session, run.snapshot(), now=2000.0)[RUN_MIME]
    widget = RunWidget(run.session, shown)
    sent: list[dict[str, object]] = []
    widget.send = sent.append  # type: ignore[method-assign,assignment]
    widget._on_message(widget, {"ask": "logged", "id": 1}, None)
    widget.close()
    value = sent[0]["value"]
    assert isinstance(value, dict)
    assert value["values"][0]["name"] == "loss"
