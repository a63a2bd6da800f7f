from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from nbautoml.compute.in_process import InProcessExecutor
from nbautoml.domain.ports import TaskMessage, TaskReport, TrialTask
from nbautoml.domain.status import TrialOutcome


def double(payload: int, tell: Callable[[object], None]) -> int:
    tell(f"{payload} is doubled")
    return 2 * payload


def fail(payload: object, tell: Callable[[object], None]) -> None:
    raise ValueError(f"no {payload}")


def hang(payload: float, tell: Callable[[object], None]) -> None:
    time.sleep(payload)


def task(work: Callable[..., object], payload: object, **limits: float) -> TrialTask:
    return TrialTask(
        key=f"{work.__name__}{payload}",
        entry=f"{__name__}:{work.__name__}",
        payload=payload,
        time_limit_seconds=limits.get("seconds"),
        memory_limit_bytes=None,
        priority=0,
    )


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Test modules are no packages: the entry is found by the name under which this one runs."""
    import sys

    this = type(sys)(__name__)
    this.double, this.fail, this.hang = double, fail, hang  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, __name__, this)


def reports(executor: InProcessExecutor, n: int) -> list[TaskMessage | TaskReport]:
    found: list[TaskMessage | TaskReport] = []
    end = time.monotonic() + 20
    while sum(isinstance(item, TaskReport) for item in found) < n and time.monotonic() < end:
        found += executor.poll(0.1)
    return found


def test_messages_come_before_the_report() -> None:
    executor = InProcessExecutor(n_slots=1)
    executor.submit(task(double, 4))
    message, report = reports(executor, 1)
    assert isinstance(message, TaskMessage) and message.body == "4 is doubled"
    assert isinstance(report, TaskReport) and report.value == 8


def test_a_failure_is_a_report() -> None:
    executor = InProcessExecutor(n_slots=1)
    executor.submit(task(fail, "luck"))
    (report,) = reports(executor, 1)
    assert isinstance(report, TaskReport)
    assert (report.outcome, report.error) == (TrialOutcome.FAILED, "ValueError: no luck")


def test_what_hangs_is_left_to_itself_and_the_next_one_runs() -> None:
    executor = InProcessExecutor(n_slots=1)
    executor.submit(task(hang, 3.0, seconds=0.2))
    executor.submit(task(double, 1))
    assert executor.workers().n_busy == 1
    outcomes = [r.outcome for r in reports(executor, 2) if isinstance(r, TaskReport)]
    assert outcomes == [TrialOutcome.TIME_LIMIT, TrialOutcome.COMPLETED]


def test_what_is_canceled_is_told_and_never_reports_again() -> None:
    executor = InProcessExecutor(n_slots=1)
    executor.submit(task(hang, 0.3))
    executor.submit(task(double, 1))
    executor.cancel("double1")
    executor.cancel("hang0.3")
    outcomes = {r.key: r.outcome for r in reports(executor, 2) if isinstance(r, TaskReport)}
    assert outcomes == {"double1": TrialOutcome.CANCELED, "hang0.3": TrialOutcome.CANCELED}
    assert executor.poll(0.5) == []
