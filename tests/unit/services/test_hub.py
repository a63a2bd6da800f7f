"""What a page is sent when a run's process dies, and when the store is away for a moment."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from nbautoml.domain.events import EventRecord
from nbautoml.domain.records import Owner, SessionAddress
from nbautoml.errors import StoreUnavailableError
from nbautoml.services import hub as subject
from nbautoml.services.hub import Hub
from nbautoml.store.events import EventTail
from nbautoml.store.reaper import this_process
from nbautoml.store.session import Session, open_session

RUN = "AutoML_x"


class Page:
    """A watcher that keeps what it is sent."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    def send(self, text: str) -> None:
        self.messages.append(json.loads(text))

    @property
    def statuses(self) -> list[str]:
        """The states that the page was told, in order."""
        heads = [m["full"]["header"] if "full" in m else m.get("header", {}) for m in self.messages]
        return [head["status"] for head in heads if "status" in head]


@pytest.fixture
def address(tmp_path: Path, make_workspace: Callable[..., SessionAddress]) -> SessionAddress:
    return make_workspace(tmp_path, run_id=RUN)


@pytest.fixture
def watch(address: SessionAddress, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    monkeypatch.setattr(subject, "LIFE_SECONDS", 0.05)

    @contextmanager
    def lend(_workspace: str) -> Iterator[Session]:
        with open_session(address) as session:
            yield session

    hub, page = Hub(lend), Page()
    hub.watch(page, address.root, RUN, 0)
    yield page
    hub.close()


def until(check: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not check():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)


def set_owner(address: SessionAddress, owner: Owner, expected: Owner | None) -> None:
    with open_session(address) as session, session.write() as tx:
        assert tx.runs.claim(RUN, owner, expected=expected)


def test_a_run_that_lost_its_process_is_shown_so_until_it_goes_on(
    watch: Page, address: SessionAddress
) -> None:
    until(lambda: watch.statuses == ["Running"])
    me = this_process()
    dead = Owner(host=me.host, pid=2**22 + 1, started_at=1.0)
    set_owner(address, dead, None)
    until(lambda: watch.statuses[-1] == "NotResponding")
    set_owner(address, me, dead)
    until(lambda: watch.statuses[-1] == "Running")

    assert watch.statuses == ["Running", "NotResponding", "Running"]


def test_a_store_that_is_away_for_a_moment_ends_nothing(
    watch: Page,
    address: SessionAddress,
    append_events: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from nbautoml.domain.events import StatusChanged
    from nbautoml.domain.status import RunStatus

    until(lambda: watch.statuses == ["Running"])
    n_refused, poll = 0, EventTail.poll

    def refuse(tail: EventTail) -> list[EventRecord]:
        nonlocal n_refused
        if n_refused < 3:
            n_refused += 1
            raise StoreUnavailableError("away")
        return poll(tail)

    monkeypatch.setattr(EventTail, "poll", refuse)
    append_events(address, RUN, StatusChanged(status=RunStatus.COMPLETED))
    until(lambda: watch.statuses[-1] == "Completed")

    assert n_refused == 3
    assert not any("error" in message for message in watch.messages)
