"""What is due is submitted, each moment once."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from nbautoml.data.datastore import Datastore
from nbautoml.domain.records import Owner, ScheduleRecord
from nbautoml.domain.status import PublishedStatus, RunStatus
from nbautoml.errors import DatasetError, StoreError
from nbautoml.pipelines import scheduler_process, watched_path
from nbautoml.pipelines.endpoint import PipelineEndpoint
from nbautoml.pipelines.recurrence import ScheduleRecurrence
from nbautoml.pipelines.schedule import Schedule
from nbautoml.pipelines.scheduler import NOTE_SECONDS, Scheduler, serve
from nbautoml.pipelines.scheduler_process import SCHEDULER, start_scheduler
from nbautoml.runs import recovery
from nbautoml.runs.service_process import Claim, find_service
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.store.session import Session, open_memory_session
from nbautoml.testing.store_cases import add_run, in_threads, wait_until
from tests.unit.pipelines.published_cases import Submitted, publish, stand_in

HOUR = 3600.0
HOURLY = ScheduleRecurrence("Hour", 1, "2020-01-01T00:00")


class Clock:
    """A clock that is set by hand."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with open_memory_session(root=str(tmp_path)) as session:
        yield session


@pytest.fixture
def workspace(session: Session) -> WorkspaceHandle:
    return WorkspaceHandle(session)


@pytest.fixture(autouse=True)
def submitted(monkeypatch: pytest.MonkeyPatch) -> Submitted:
    return stand_in(monkeypatch)


@pytest.fixture
def hourly(workspace: WorkspaceHandle) -> Schedule:
    return Schedule.create(
        workspace, "hourly", publish(workspace).id, "exp", HOURLY, pipeline_parameters={"rate": 2}
    )


@pytest.fixture
def clock(hourly: Schedule) -> Clock:
    assert hourly.next_at is not None
    return Clock(hourly.next_at)


def record_of(schedule: Schedule) -> ScheduleRecord:
    with schedule.session.read() as tx:
        return tx.schedules.get(schedule.id)


def due_at(schedule: Schedule) -> list[float]:
    """Return the moments of its runs, oldest first."""
    runs = reversed(schedule.get_pipeline_runs())
    return [float(run.properties["nbautoml.due_at"]) for run in runs]


def test_nothing_is_submitted_before_its_moment(
    session: Session, hourly: Schedule, clock: Clock, submitted: Submitted
) -> None:
    moment = clock.now
    clock.now = moment - 1.0

    assert Scheduler(session, clock=clock).look() == moment
    assert submitted.calls == []


def test_a_moment_is_submitted_once(
    session: Session, hourly: Schedule, clock: Clock, submitted: Submitted
) -> None:
    scheduler = Scheduler(session, clock=clock)

    assert scheduler.look() == clock.now + HOUR
    scheduler.look()

    [call] = submitted.calls
    assert (call["experiment"], call["parameters"]) == ("exp", {"rate": 2})
    assert call["properties"]["azureml.runType"] == "Schedule"
    last = hourly.get_last_pipeline_run()
    assert last is not None
    assert record_of(hourly).last_run_id == last.id
    assert (due_at(hourly), record_of(hourly).state) == ([clock.now], {})


def test_each_moment_has_its_run(session: Session, hourly: Schedule, clock: Clock) -> None:
    scheduler, start = Scheduler(session, clock=clock), clock.now
    for step in range(30):
        clock.now = start + step * HOUR / 10.0
        scheduler.look()

    assert due_at(hourly) == [start, start + HOUR, start + 2 * HOUR]


def test_of_what_was_missed_only_the_last_counts(
    session: Session, hourly: Schedule, clock: Clock
) -> None:
    start = clock.now
    clock.now = start + 5.5 * HOUR

    assert Scheduler(session, clock=clock).look() == start + 6 * HOUR
    assert due_at(hourly) == [start + 5 * HOUR]


@pytest.mark.parametrize("is_another", [False, True], ids=["the same", "another scheduler"])
def test_a_clock_that_was_years_ahead_leaves_nothing_waiting(
    session: Session, hourly: Schedule, clock: Clock, is_another: bool
) -> None:
    start = clock.now
    scheduler = Scheduler(session, clock=clock)
    clock.now = start + 10 * 365 * 24 * HOUR
    scheduler.look()

    clock.now = start + 0.5 * HOUR
    scheduler = Scheduler(session, clock=clock) if is_another else scheduler
    assert scheduler.look() == start + HOUR
    clock.now = start + HOUR
    scheduler.look()

    assert due_at(hourly)[1:] == [start + HOUR]


def test_a_clock_that_is_set_back_a_little_repeats_no_moment(
    session: Session, hourly: Schedule, clock: Clock
) -> None:
    start = clock.now
    scheduler = Scheduler(session, clock=clock)
    for now in (start, start - 60.0, start, start + 60.0):
        clock.now = now
        scheduler.look()

    assert due_at(hourly) == [start]


def test_many_schedulers_submit_a_moment_once(
    session: Session, hourly: Schedule, clock: Clock, submitted: Submitted
) -> None:
    in_threads(lambda _: Scheduler(session, clock=clock).look())

    assert len(submitted.calls) == 1


def leave_note(schedule: Schedule, due_at: float, taken_at: float) -> None:
    """Leave a schedule as a scheduler does that died after it had taken a moment."""
    note = {"due_at": due_at, "parameters": {}, "by": "another", "taken_at": taken_at}
    with schedule.session.write() as tx:
        changed = replace(record_of(schedule), last_run_id=None, state={"pending": note})
        tx.schedules.update(replace(changed, next_at=taken_at + 10 * HOUR))


def test_a_note_without_a_run_is_made_up_for(
    session: Session, hourly: Schedule, clock: Clock, submitted: Submitted
) -> None:
    leave_note(hourly, 5.0, clock.now)
    scheduler = Scheduler(session, clock=clock)

    scheduler.look()
    assert submitted.calls == []  # the one that took it may be at it

    clock.now += NOTE_SECONDS
    scheduler.look()
    scheduler.look()
    assert due_at(hourly) == [5.0]
    assert len(submitted.calls) == 1


def test_a_note_is_taken_over_by_one(
    session: Session, hourly: Schedule, clock: Clock, submitted: Submitted
) -> None:
    leave_note(hourly, 5.0, clock.now - NOTE_SECONDS)

    in_threads(lambda _: Scheduler(session, clock=clock).look())

    assert len(submitted.calls) == 1


def test_a_note_whose_run_is_there_starts_no_other(
    session: Session, hourly: Schedule, clock: Clock, submitted: Submitted
) -> None:
    Scheduler(session, clock=clock).look()
    run_id = record_of(hourly).last_run_id
    leave_note(hourly, clock.now, clock.now - NOTE_SECONDS)

    Scheduler(session, clock=clock).look()

    assert len(submitted.calls) == 1
    assert (record_of(hourly).last_run_id, record_of(hourly).state) == (run_id, {})


def test_what_cannot_be_submitted_is_told_and_goes_on(
    session: Session, workspace: WorkspaceHandle, hourly: Schedule, clock: Clock
) -> None:
    with session.read() as tx:
        [pipeline] = tx.published_pipelines.list()
    start = clock.now
    set_status(session, pipeline.id, "Disabled")
    scheduler = Scheduler(session, clock=clock)
    scheduler.look()
    assert "is disabled" in hourly.error

    set_status(session, pipeline.id, "Active")
    clock.now = start + HOUR
    scheduler.look()
    assert (hourly.error, due_at(hourly)) == ("", [start + HOUR])


def set_status(session: Session, pipeline_id: str, status: str) -> None:
    with session.write() as tx:
        tx.published_pipelines.set_status(pipeline_id, PublishedStatus(status))


def test_a_store_that_does_not_answer_is_asked_again(
    session: Session, hourly: Schedule, clock: Clock, submitted: Submitted
) -> None:
    scheduler = Scheduler(session, clock=clock)
    submitted.failures += [OSError("no space left"), StoreError("away")]
    for _ in range(2):
        scheduler.look()
        assert due_at(hourly) == []

    scheduler.look()
    assert due_at(hourly) == [clock.now]


def test_a_schedule_that_cannot_be_read_leaves_the_others_alone(
    session: Session, workspace: WorkspaceHandle, hourly: Schedule, clock: Clock
) -> None:
    """Such as one whose time zone this machine does not know."""
    other = Schedule.create(workspace, "other", publish(workspace).id, "exp", HOURLY)
    broken = {**HOURLY.to_dict(), "time_zone": "Mars/Olympus"}
    with session.write() as tx:
        record = tx.schedules.get(hourly.id)
        changed = {**record.settings, "recurrence": broken}
        tx.schedules.update(replace(record, settings=changed))
    scheduler = Scheduler(session, clock=clock)

    assert scheduler.look() == clock.now + HOUR
    scheduler.look()

    assert "Mars/Olympus" in record_of(hourly).state["error"]
    assert due_at(other) == [clock.now]


def test_a_disabled_schedule_rests(
    session: Session, hourly: Schedule, clock: Clock, submitted: Submitted
) -> None:
    hourly.disable()

    assert Scheduler(session, clock=clock).look() is None
    assert submitted.calls == []


def test_an_endpoint_runs_what_is_its_default_by_then(
    session: Session, workspace: WorkspaceHandle, submitted: Submitted
) -> None:
    endpoint = PipelineEndpoint.publish(workspace, "train", None, publish(workspace))
    made = Schedule.create_for_pipeline_endpoint(workspace, "s", endpoint.id, "exp", HOURLY)
    later = publish(workspace, "later")
    endpoint.add_default(later)

    Scheduler(session, clock=Clock(made.next_at or 0.0)).look()

    [call] = submitted.calls
    assert call["properties"]["azureml.pipelineid"] == later.id
    assert call["properties"]["azureml.pipelineendpointid"] == endpoint.id


class TestFiles:
    """Schedules that watch a datastore."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        folder = tmp_path / "blobs" / "in"
        folder.mkdir(parents=True)
        (folder / "old.csv").write_text("1")
        return folder

    @pytest.fixture
    def watching(self, workspace: WorkspaceHandle, folder: Path, tmp_path: Path) -> Schedule:
        Datastore.register(workspace, "blobs", str(tmp_path / "blobs"))
        return Schedule.create(
            workspace,
            "on arrival",
            publish(workspace).id,
            "exp",
            datastore="blobs",
            path_on_datastore="in",
            polling_interval=1,
            data_path_parameter_name="source",
        )

    @pytest.fixture
    def clock(self, watching: Schedule) -> Clock:
        return Clock(watching.next_at or 0.0)

    def test_what_was_there_before_starts_nothing(
        self, session: Session, watching: Schedule, clock: Clock, submitted: Submitted
    ) -> None:
        assert Scheduler(session, clock=clock).look() == clock.now + 60.0
        assert submitted.calls == []

    def test_a_new_file_starts_one_run_with_its_path(
        self,
        session: Session,
        watching: Schedule,
        clock: Clock,
        submitted: Submitted,
        folder: Path,
    ) -> None:
        scheduler = Scheduler(session, clock=clock)
        (folder / "new.csv").write_text("2")
        for _ in range(3):
            scheduler.look()
            clock.now += 60.0

        [call] = submitted.calls
        assert call["parameters"] == {"source": {"datastore": "blobs", "path": "in/new.csv"}}

    def test_without_a_parameter_a_change_starts_a_run_as_it_is(
        self,
        session: Session,
        workspace: WorkspaceHandle,
        submitted: Submitted,
        folder: Path,
        tmp_path: Path,
    ) -> None:
        Datastore.register(workspace, "blobs", str(tmp_path / "blobs"))
        made = Schedule.create(
            workspace, "s", publish(workspace).id, "exp", datastore="blobs", polling_interval=1
        )
        (folder / "old.csv").write_text("changed")

        Scheduler(session, clock=Clock(made.next_at or 0.0)).look()

        assert [call["parameters"] for call in submitted.calls] == [{}]

    def test_a_place_that_cannot_be_looked_at_is_told(
        self,
        session: Session,
        workspace: WorkspaceHandle,
        watching: Schedule,
        clock: Clock,
        submitted: Submitted,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def fail(*_args: object) -> None:
            raise DatasetError("too many files")

        with monkeypatch.context() as patch:
            patch.setattr(watched_path, "look", fail)
            Scheduler(session, clock=clock).look()
        assert watching.error == "too many files"
        assert set(record_of(watching).state["files"]) == {"in/old.csv"}

        clock.now += 60.0
        Scheduler(session, clock=clock).look()
        assert (watching.error, submitted.calls) == ("", [])


def test_the_process_ends_when_nothing_is_enabled(session: Session, hourly: Schedule) -> None:
    hourly.disable()
    with Claim(session, SCHEDULER) as claim:
        serve(session, claim, stop=threading.Event())

        assert not claim.is_held
        assert find_service(session, SCHEDULER) is None


def test_the_process_goes_on_while_something_is_enabled(session: Session, hourly: Schedule) -> None:
    stop = threading.Event()
    with Claim(session, SCHEDULER) as claim:
        thread = threading.Thread(target=serve, args=(session, claim), kwargs={"stop": stop})
        thread.start()
        thread.join(0.2)
        is_at_work = thread.is_alive()
        stop.set()
        thread.join()

        assert is_at_work
        assert claim.is_held


def test_a_run_that_was_lost_is_seen(
    session: Session, hourly: Schedule, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "LOOK_SECONDS", 0.0)
    gone = Owner(host=socket.gethostname(), pid=2**22 + 5, started_at=1.0)
    add_run(session, "lost", type="interactive", status=RunStatus.RUNNING, owner=gone)
    stop = threading.Event()
    with Claim(session, SCHEDULER) as claim:
        thread = threading.Thread(target=serve, args=(session, claim), kwargs={"stop": stop})
        thread.start()
        wait_until(lambda: _status_of(session, "lost") is RunStatus.FAILED)
        stop.set()
        thread.join()


def _status_of(session: Session, run_id: str) -> RunStatus:
    with session.read() as tx:
        return tx.runs.get(run_id).status


def test_a_place_is_kept_for_a_schedule_that_came_meanwhile(
    session: Session, hourly: Schedule, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = threading.Event()

    def see_none(_scheduler: Scheduler) -> None:
        stop.set()

    monkeypatch.setattr(Scheduler, "look", see_none)
    with Claim(session, SCHEDULER) as claim:
        serve(session, claim, stop=stop)

        assert claim.is_held


def test_a_note_that_another_has_taken_over_is_left(
    session: Session, hourly: Schedule, clock: Clock, submitted: Submitted
) -> None:
    leave_note(hourly, 5.0, clock.now - NOTE_SECONDS)
    seen = record_of(hourly)
    Scheduler(session, clock=clock).look()

    Scheduler(session, clock=clock)._tend(seen)

    assert len(submitted.calls) == 1


def test_a_datastore_that_waits_for_the_store_is_looked_at_again(
    session: Session, workspace: WorkspaceHandle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Datastore.register(workspace, "blobs", str(tmp_path / "blobs"))
    made = Schedule.create(workspace, "s", publish(workspace).id, "exp", datastore="blobs")

    def fail(*_args: object) -> None:
        raise StoreError("away")

    with monkeypatch.context() as patch:
        patch.setattr(watched_path, "look", fail)
        due = made.next_at
        Scheduler(session, clock=Clock(due or 0.0)).look()

    assert (made.next_at, made.error) == (due, "")


def test_a_scheduler_is_started_where_it_has_work(
    session: Session, hourly: Schedule, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[str] = []

    def start(_session: Session, name: str, _module: str) -> bool:
        started.append(name)
        return True

    monkeypatch.setattr(scheduler_process, "start_service", start)
    assert start_scheduler(session)
    hourly.disable()
    assert not start_scheduler(session)
    assert started == ["scheduler"]


def test_a_store_that_fails_stops_nobody(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise StoreError("away")

    monkeypatch.setattr(session, "read", fail)

    assert not start_scheduler(session)
