"""RunDetails: what it sends, when it sends it, and that it never disturbs the notebook."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from IPython.core.events import EventManager, available_events
from IPython.core.interactiveshell import InteractiveShell

from nbautoml.domain.records import SessionAddress
from nbautoml.widgets import run_details
from nbautoml.widgets.bundle import RUN_MIME, run_bundle
from nbautoml.widgets.run_details import Follower, RunDetails

RUN = "AutoML_5f0c9d6e-6a34-4c5b-9d6d-0a1b2c3d4e5f"
QUICK = {"first_wait_seconds": 0.01, "longest_wait_seconds": 0.02, "poll_seconds": 0.005}


def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.002)


class Screen:
    """Keeps what was published."""

    def __init__(self) -> None:
        self.sent: list[tuple[dict[str, Any], str, bool]] = []

    def __call__(self, bundle: dict[str, Any], display_id: str, is_update: bool) -> None:
        self.sent.append((bundle, display_id, is_update))

    @property
    def statuses(self) -> list[str]:
        return [bundle[RUN_MIME]["header"]["status"] for bundle, _, _ in self.sent]


def follower_of(run: Any, publish: Callable[..., None], **timing: float) -> Follower:
    def read() -> Any:
        snapshot = run.snapshot()
        return run_bundle(snapshot, now=2000.0), snapshot

    def is_over() -> bool:
        return run.snapshot().status.is_terminal

    return Follower(read, publish, is_over=is_over, **(QUICK | timing))


def test_output_is_replaced_until_the_run_ends(run_with: Any) -> None:
    run, screen = run_with(2), Screen()
    follower = follower_of(run, screen)
    follower.show()
    follower.start()
    run.finish(2, 0.95)
    until(lambda: len(screen.sent) >= 2)
    run.end()
    assert follower.join(5)
    assert screen.statuses[-1] == "Completed"
    assert [is_update for _, _, is_update in screen.sent][:2] == [False, True]
    assert len({display_id for _, display_id, _ in screen.sent}) == 1


def test_the_end_is_shown_without_waiting_for_the_next_update(run_with: Any) -> None:
    run, screen = run_with(2), Screen()
    follower = follower_of(run, screen, first_wait_seconds=60.0, longest_wait_seconds=60.0)
    follower.show()
    follower.start()
    run.end()
    assert follower.join(5)
    assert screen.statuses == ["Running", "Completed"]


def test_nothing_is_sent_while_nothing_happens(run_with: Any) -> None:
    run, screen = run_with(2), Screen()
    follower = follower_of(run, screen)
    follower.show()
    follower.start()
    time.sleep(0.1)
    follower.stop()
    assert follower.join(5)
    assert len(screen.sent) == 1


def test_updates_become_rarer(run_with: Any) -> None:
    run, screen = run_with(0), Screen()
    times: list[float] = []

    def publish(bundle: dict[str, Any], display_id: str, is_update: bool) -> None:
        times.append(time.monotonic())
        screen(bundle, display_id, is_update)
        run.finish(len(times), 0.9)

    follower = follower_of(run, publish, first_wait_seconds=0.02, longest_wait_seconds=10.0)
    follower.show()
    follower.start()
    until(lambda: len(times) >= 5)
    follower.stop()
    follower.join(5)
    gaps = [b - a for a, b in zip(times, times[1:], strict=False)]
    assert gaps[3] > 3 * gaps[0]


def test_a_run_that_is_over_starts_no_thread(run_with: Any) -> None:
    run = run_with(1)
    run.end()
    before = threading.active_count()
    follower = follower_of(run, Screen())
    follower.show()
    follower.start()
    assert threading.active_count() == before


def test_a_lost_front_end_ends_following_quietly(
    capfd: pytest.CaptureFixture[str], run_with: Any
) -> None:
    run, sent = run_with(1), []

    def publish(_bundle: object, _display_id: str, is_update: bool) -> None:
        sent.append(is_update)
        if is_update:
            raise ConnectionError("the kernel's sockets are closed")

    follower = follower_of(run, publish)
    follower.show()
    follower.start()
    run.finish(5, 0.9)
    assert follower.join(5)
    assert sent == [False, True]
    assert capfd.readouterr() == ("", "")


def test_outside_of_a_notebook_the_text_is_written(
    capsys: pytest.CaptureFixture[str], run_with: Any
) -> None:
    RunDetails(run_with(2)).show()
    assert capsys.readouterr().out.startswith(f"heart-failure  {RUN}  Running\n")


def test_in_a_notebook_the_bundle_is_displayed(
    monkeypatch: pytest.MonkeyPatch, run_with: Any
) -> None:
    shell, run = InteractiveShell(), run_with(2)
    monkeypatch.setattr(run_details, "get_ipython", lambda: shell)
    with pytest.MonkeyPatch.context() as patch:
        screen = Screen()
        patch.setattr(run_details, "publish_bundle", screen)
        RunDetails(run).show()
    assert [is_update for _, _, is_update in screen.sent] == [False]
    assert screen.sent[0][0][RUN_MIME]["run_id"] == RUN


def test_a_kernel_gets_a_follower(monkeypatch: pytest.MonkeyPatch, run_with: Any) -> None:
    run, screen = run_with(2), Screen()
    monkeypatch.setattr(run_details, "get_ipython", _kernel_shell)
    monkeypatch.setattr(run_details, "publish_bundle", screen)
    RunDetails(run).show()
    run.end()
    until(lambda: screen.statuses[-1] == "Completed")


def _kernel_shell() -> SimpleNamespace:
    shell = SimpleNamespace(kernel=object())
    shell.events = EventManager(shell, available_events)
    return shell


def test_the_first_cell_after_the_end_shows_it_in_its_own_thread(
    monkeypatch: pytest.MonkeyPatch, run_with: Any
) -> None:
    """What executes notebooks keeps only what comes while a cell runs."""
    run, shell, sent = run_with(2), _kernel_shell(), []
    monkeypatch.setattr(run_details, "get_ipython", lambda: shell)
    monkeypatch.setattr(
        run_details,
        "publish_bundle",
        lambda bundle, *_: sent.append(
            (bundle[RUN_MIME]["header"]["status"], threading.current_thread())
        ),
    )
    RunDetails(run).show()
    shell.events.trigger("post_run_cell", None)
    assert ("Completed", threading.main_thread()) not in sent
    run.end()
    shell.events.trigger("post_run_cell", None)
    assert sent[-1] == ("Completed", threading.main_thread())
    n_sent = sent.count(sent[-1])
    shell.events.trigger("post_run_cell", None)
    assert sent.count(("Completed", threading.main_thread())) == n_sent == 1


def test_a_child_shows_its_whole_run(run_with: Any) -> None:
    child = SimpleNamespace(parent=run_with(1))
    assert RunDetails(child).get_widget_data()["run_id"] == RUN


def test_widget_data_has_children_and_the_best_one(run_with: Any) -> None:
    data = RunDetails(run_with(3)).get_widget_data()
    assert data["status"] == "Running"
    assert [child["iteration"] for child in data["child_runs"]] == [0, 1, 2]
    assert data["best_child_run_id"] == f"{RUN}_2"
    assert data["child_runs"][2]["metric"] == pytest.approx(0.8812, abs=1e-4)
    assert data["view"]["run_id"] == RUN


def test_the_workspace_is_found_through_the_session(run_with: Any) -> None:
    run = run_with(1)
    address = SessionAddress(
        name="w", root="/data/ws", store_url="sqlite://", artifact_root="/data/ws/files"
    )
    run.session = SimpleNamespace(address=address)
    assert RunDetails(run).get_widget_data()["view"]["workspace"] == "/data/ws"
