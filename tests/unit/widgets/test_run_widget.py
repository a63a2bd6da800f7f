from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nbautoml.domain import events as ev
from nbautoml.domain.records import SessionAddress
from nbautoml.domain.status import RequestKind, RunStatus
from nbautoml.errors import ConfigError
from nbautoml.services.runs import run_snapshot
from nbautoml.store.session import Session, open_session
from nbautoml.widgets import host
from nbautoml.widgets.run_widget import STATIC, RunWidget
from nbautoml.widgets.small_view import small_view

RUN = "AutoML_x"
MOST_SCRIPT_BYTES = 60_000


@pytest.fixture
def address(tmp_path: Path, make_workspace: Callable[..., SessionAddress]) -> SessionAddress:
    return make_workspace(tmp_path / "ws")


@pytest.fixture
def session(address: SessionAddress) -> Iterator[Session]:
    with open_session(address) as session:
        yield session


@pytest.fixture
def widget(session: Session, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunWidget]:
    shown = small_view(run_snapshot(session, RUN), now=2000.0, workspace=session.address.root)
    widget = RunWidget(session, shown)
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(widget, "send", sent.append)
    widget.sent = sent
    yield widget
    widget.close()


def ask(widget: RunWidget, content: dict[str, Any]) -> None:
    """What the page does when it sends a message."""
    widget._handle_custom_msg(content, [])


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_the_page_gets_the_run_and_what_follows(
    widget: RunWidget, address: SessionAddress, append_events: Callable[..., None]
) -> None:
    ask(widget, {"since": 0})
    wait_for(lambda: len(widget.sent) == 1)
    full = widget.sent[0]["event"]["full"]
    assert (full["run_id"], full["header"]["status"]) == (RUN, "Running")
    append_events(address, RUN, ev.StatusChanged(status=RunStatus.COMPLETED))
    wait_for(lambda: len(widget.sent) == 2)
    frame = widget.sent[1]["event"]
    assert frame["seq"] == full["seq"] + 1
    assert frame["header"]["status"] == "Completed"
    ask(widget, {"leave": True})
    append_events(address, RUN, ev.StatusChanged(status=RunStatus.NOT_STARTED))
    time.sleep(0.3)
    assert len(widget.sent) == 2


@pytest.mark.parametrize(
    ("name", "given", "key"),
    [
        ("details", {"n": 0}, "params"),
        ("charts", {"n": 0}, "figures"),
        ("scores", {"metric": "accuracy"}, "scores"),
        ("columns", {}, "columns"),
        ("code", {}, "again"),
        ("log", {"after": 0}, "lines"),
        ("children", {}, "rows"),
        ("explanation", {"n": 0}, "state"),
    ],
)
def test_questions_are_answered_as_the_server_answers(
    widget: RunWidget, name: str, given: dict[str, Any], key: str
) -> None:
    ask(widget, {"ask": name, "id": 7, "with": given})
    (reply,) = widget.sent
    assert reply["answer"] == 7
    assert key in reply["value"]


def test_requests_reach_the_run(widget: RunWidget, session: Session) -> None:
    ask(widget, {"ask": "request", "id": 1, "with": {"kind": "finish_now"}})
    with session.read() as tx:
        assert [r.kind for r in tx.requests.read(RUN)] == [RequestKind.FINISH_NOW]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"ask": "details", "id": 1, "with": {"n": 9}}, "no iteration 9"),
        ({"ask": "request", "id": 1, "with": {"kind": "explode"}}, "kind of a request"),
        ({"ask": "delete_all", "id": 1}, "'delete_all'"),
        ({"ask": "register", "id": 1, "with": {"n": 0, "name": ""}}, "name of the model"),
    ],
)
def test_what_cannot_be_is_said_in_words(
    widget: RunWidget, content: dict[str, Any], words: str
) -> None:
    ask(widget, content)
    (reply,) = widget.sent
    assert words in reply["error"]["message"]
    assert "value" not in reply


def test_the_script_is_small() -> None:
    script = STATIC / "run_widget.js"
    assert script.stat().st_size < MOST_SCRIPT_BYTES
    assert "innerHTML" not in script.read_text()


def test_the_host_decides_unless_somebody_does(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*host._VSCODE_VARIABLES, host.VIEW_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    assert not host.wants_widget()
    monkeypatch.setenv("VSCODE_PID", "12")
    assert host.wants_widget()
    assert not host.wants_widget("page")
    monkeypatch.setenv(host.VIEW_VARIABLE, "page")
    assert not host.wants_widget()
    with pytest.raises(ConfigError, match="Did you mean 'widget'"):
        host.wants_widget("wiget")


def test_the_page_asks_for_deployments(widget: RunWidget) -> None:
    ask(widget, {"ask": "deployed", "id": 1, "with": {"n": 0}})
    ask(widget, {"ask": "deploy", "id": 2, "with": {"n": 9, "name": "heart"}})
    for number, name in enumerate(("service", "service_log", "service_keys", "service_remove")):
        ask(widget, {"ask": name, "id": 3 + number, "with": {"name": "heart"}})

    answers = {message["answer"]: message for message in widget.sent if "answer" in message}
    assert answers[1]["value"] == []
    assert {answers[n]["error"]["code"] for n in range(2, 7)} == {"not_found"}
