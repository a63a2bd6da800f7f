"""What a store must do for several processes at once; needs pytest.

Subclass it in a test module and give it the address of a workspace that is not there yet::

    class TestMySharedStore(SharedStoreContract):
        @pytest.fixture
        def address(self) -> SessionAddress: ...

The processes are not forked from the one of the tests: a session does not survive a fork.
"""

# ruff: noqa: D102 - the name of a test says what holds

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any  # Any: arguments of the processes

import pytest

from nbautoml.domain.events import EventRecord, StatusChanged
from nbautoml.domain.records import Owner, SessionAddress
from nbautoml.domain.status import RunStatus
from nbautoml.errors import StoreError
from nbautoml.store.events import EventTail, EventWriter
from nbautoml.store.reaper import find_orphans, is_orphan, this_process
from nbautoml.store.session import Session, create_session, open_session
from nbautoml.testing.store_cases import add_run, collect, log_line, trial_finished, wait_until

N_TRANSACTIONS = 300
N_REGISTRATIONS = 150
N_EVENTS = 200
N_CREATORS = 8
_END_SECONDS = 240.0


class SharedStoreContract:
    """All that a store does for several processes."""

    @pytest.fixture
    def session(self, address: SessionAddress) -> Iterator[Session]:
        """Open the workspace, which is made here."""
        with create_session(address) as session:
            yield session

    def test_processes_that_create_one_workspace_at_once_all_get_it(
        self, address: SessionAddress
    ) -> None:
        run_processes(_create, address, n=N_CREATORS)

        with open_session(address) as session, session.read() as reader:
            assert len(reader.experiments.list()) == N_CREATORS

    def test_two_processes_that_read_and_write_lose_nothing(self, session: Session) -> None:
        add_run(session, properties={"n": "0"})
        run_processes(_count, session.address, n=2)

        with session.read() as reader:
            assert reader.runs.get("run").properties == {"n": str(2 * N_TRANSACTIONS)}

    def test_two_processes_get_versions_without_gaps(self, session: Session) -> None:
        run_processes(_register, session.address, n=2)

        with session.read() as reader:
            versions = sorted(m.version for m in reader.models.list(name="m"))
        assert versions == list(range(1, 2 * N_REGISTRATIONS + 1))

    def test_events_of_two_processes_have_numbers_without_gaps(self, session: Session) -> None:
        add_run(session)
        run_processes(_emit, session.address, n=2)

        with session.read() as reader:
            records = reader.events.read("run")
        assert [r.seq for r in records] == list(range(1, 2 * N_EVENTS + 1))

    def test_one_of_several_processes_claims_a_run(self, session: Session) -> None:
        add_run(session)
        run_processes(_claim, session.address, n=3)

        with session.read() as reader:
            owner = reader.runs.get("run").owner
            claims = reader.runs.get("run").properties
        assert owner is not None
        assert claims == {"claimed_by": str(owner.pid)}

    def test_a_tail_follows_another_process(self, session: Session) -> None:
        add_run(session)
        found: list[EventRecord] = []
        with EventTail(session, "run") as tail:
            with running(_emit, session.address, 0) as process:
                wait_until(lambda: collect(tail, found))
                process.join(_END_SECONDS)
            collect(tail, found)

        assert [r.seq for r in found] == list(range(1, N_EVENTS + 1))

    def test_what_ended_is_kept_when_its_process_is_killed(self, session: Session) -> None:
        add_run(session)
        with running(_emit_and_die, session.address, 0) as process:
            process.join(_END_SECONDS)

        assert process.exitcode == -signal.SIGKILL
        with session.read() as reader:
            kinds = [r.event.kind for r in reader.events.read("run")]
            status = reader.runs.get("run").status
        assert kinds == ["log_written", "trial_finished", "status_changed"]
        assert status is RunStatus.COMPLETED

    def test_a_killed_process_leaves_an_orphan(self, session: Session) -> None:
        add_run(session)
        with running(_own_and_wait, session.address, 0) as process:
            wait_until(lambda: _owner_of(session) is not None)
            now = time.time()
            assert find_orphans(session, now=now) == []
            process.kill()
            process.join()
            orphans = find_orphans(session, now=now)

        assert [run.id for run in orphans] == ["run"]

    def test_a_process_that_got_the_pid_of_an_owner_is_not_it(self, session: Session) -> None:
        me = this_process()
        before = Owner(host=me.host, pid=me.pid, started_at=me.started_at - 3600)
        run = add_run(session, owner=before, status=RunStatus.RUNNING, heartbeat_at=1000.0)

        assert not is_orphan(run, now=1010.0)  # it beats: the clock was set
        assert is_orphan(run, now=1031.0)
        assert [r.id for r in find_orphans(session, now=1031.0)] == ["run"]

    def test_a_write_that_was_killed_leaves_nothing(self, session: Session) -> None:
        add_run(session)
        marker = session.root / "in the middle"
        with running(_write_and_wait, session.address, 0) as process:
            wait_until(marker.exists)
            process.kill()
            process.join()

        with session.write() as tx:  # the lock is free again
            assert [e.name for e in tx.experiments.list()] == ["experiment"]

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
    def test_storing_a_file_that_was_killed_midway_leaves_no_record(self, session: Session) -> None:
        pipe = session.root / "pipe"
        os.mkfifo(pipe)
        temporary = session.state_dir / "artifacts" / "tmp"
        # the pipe opens when the other side reads from it
        with running(_save_from_pipe, session.address, 0) as process, pipe.open("wb") as source:
            source.write(b"x" * 3_000_000)
            source.flush()
            wait_until(lambda: any(p.stat().st_size for p in temporary.iterdir()))
            process.kill()
            process.join()

        with session.read() as reader:
            assert reader.artifacts.list("run") == []
        stored = (session.state_dir / "artifacts" / "blobs").rglob("*")
        assert not [path for path in stored if path.is_file()]
        session.save_artifact("run", "model.pkl", b"whole")
        assert session.load_artifact("run", "model.pkl").read_bytes() == b"whole"

    def test_a_reader_sees_one_state_while_others_write(self, session: Session) -> None:
        add_run(session)
        with session.read() as reader:
            before = reader.runs.list()
            writer = threading.Thread(target=add_run, args=(session, "later"))
            writer.start()
            writer.join(_END_SECONDS)
            assert not writer.is_alive()  # a reader keeps nobody waiting
            assert reader.runs.list() == before
        with session.read() as reader:
            assert len(reader.runs.list()) == 2

    def test_a_reader_does_not_wait_for_a_writer(self, session: Session) -> None:
        with session.write() as tx, session.read() as reader:
            tx.experiments.get_or_create("unfinished")
            assert reader.experiments.list() == []

    def test_a_workspace_that_is_not_there_is_not_made_by_opening_it(
        self, address: SessionAddress
    ) -> None:
        with pytest.raises(StoreError, match=r"Workspace\.create"):
            open_session(address)

        assert not list(Path(address.root).rglob("*.db"))

    def test_a_session_opens_from_its_own_address_anywhere(
        self, session: Session, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        add_run(session)
        monkeypatch.chdir("/")

        with open_session(session.address) as other, other.read() as reader:
            assert reader.runs.exists("run")
            assert other.address == session.address

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
    @pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
    def test_a_forked_child_is_told_to_open_its_own(self, session: Session) -> None:
        pid = os.fork()
        if pid == 0:  # leave without touching what belongs to the parent
            os._exit(_use_after_fork(session))
        _, status = os.waitpid(pid, 0)

        assert os.waitstatus_to_exitcode(status) == 0
        add_run(session)  # the parent's connections are as they were


def _fresh_processes() -> ForkServerContext:
    """Return what starts processes that have imported the store and opened none."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def run_processes(
    work: Callable[[SessionAddress, int], None], address: SessionAddress, *, n: int
) -> None:
    """Run `work(address, i)` in `n` new processes at once, until all have ended well."""
    context = _fresh_processes()
    start = context.Barrier(n)
    processes = [context.Process(target=_enter, args=(work, address, i, start)) for i in range(n)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(_END_SECONDS)
        process.kill()  # does nothing to one that has ended
        process.join()
    assert [p.exitcode for p in processes] == [0] * n


@contextmanager
def running(
    work: Callable[[SessionAddress, int], None], address: SessionAddress, i: int
) -> Iterator[BaseProcess]:
    """Run `work(address, i)` in a new process, which is gone at the end of the block."""
    process = _fresh_processes().Process(target=work, args=(address, i))
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()


def _enter(
    work: Callable[[SessionAddress, int], None],
    address: SessionAddress,
    i: int,
    start: Any,  # a barrier of multiprocessing's context
) -> None:
    start.wait(_END_SECONDS)
    work(address, i)


def _create(address: SessionAddress, i: int) -> None:
    with create_session(address) as session, session.write() as tx:
        tx.experiments.get_or_create(f"experiment-{i}")


def _count(address: SessionAddress, _i: int) -> None:
    with open_session(address) as session:
        for _ in range(N_TRANSACTIONS):
            with session.write() as tx:
                n = int(tx.runs.get("run").properties["n"])
                tx.runs.set_properties("run", {"n": str(n + 1)})


def _register(address: SessionAddress, _i: int) -> None:
    with open_session(address) as session:
        for _ in range(N_REGISTRATIONS):
            with session.write() as tx:
                tx.models.register("m")


def _emit(address: SessionAddress, i: int) -> None:
    with open_session(address) as session, EventWriter(session, "run") as writer:
        for k in range(N_EVENTS):
            writer.emit(trial_finished(k) if k % 10 == 0 else log_line(f"{i}-{k}"))


def _claim(address: SessionAddress, _i: int) -> None:
    with open_session(address) as session, session.write() as tx:
        if tx.runs.claim("run", this_process(), None):
            known = tx.runs.get("run").properties.get("claimed_by", "")
            tx.runs.set_properties("run", {"claimed_by": known + str(os.getpid())})


def _emit_and_die(address: SessionAddress, _i: int) -> None:
    with open_session(address) as session, EventWriter(session, "run") as writer:
        writer.emit(log_line("before"))
        writer.emit(trial_finished())
        writer.emit(
            StatusChanged(status=RunStatus.COMPLETED),
            lambda tx: tx.runs.set_status("run", RunStatus.COMPLETED, time=1.0),
        )
        os.kill(os.getpid(), signal.SIGKILL)


def _own_and_wait(address: SessionAddress, _i: int) -> None:
    with open_session(address) as session:
        with session.write() as tx:
            tx.runs.claim("run", this_process(), None)
            tx.runs.set_status("run", RunStatus.RUNNING, time=time.time())
        time.sleep(_END_SECONDS)  # until it is killed


def _owner_of(session: Session) -> Owner | None:
    with session.read() as reader:
        return reader.runs.get("run").owner


def _write_and_wait(address: SessionAddress, _i: int) -> None:
    with open_session(address) as session, session.write() as tx:
        tx.experiments.get_or_create("half")
        (session.root / "in the middle").touch()
        time.sleep(_END_SECONDS)  # until it is killed


def _save_from_pipe(address: SessionAddress, _i: int) -> None:
    with open_session(address) as session:
        session.save_artifact("run", "model.pkl", session.root / "pipe")


def _use_after_fork(session: Session) -> int:
    """Return 0 when a session that was opened before a fork refuses to work after it."""
    try:
        with session.read():
            return 1
    except StoreError as error:
        return 0 if "open_session(session.address)" in str(error) else 2
