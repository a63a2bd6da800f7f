"""Template, pool and supervisor together, without Dask."""

from __future__ import annotations

import os
import pickle
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from nbautoml.compute import pool as pool_module
from nbautoml.compute.pool import ChildPool, PoolSettings
from nbautoml.compute.supervisor import Cancel, Ending, Order, Supervisor
from nbautoml.domain.status import TrialOutcome
from nbautoml.errors import ComputeError
from nbautoml.testing.executor_contract import is_gone, wait_until

# The folder of these tests holds the entries that their tasks call.
PATH = tuple(p for p in (str(Path(__file__).parent), *sys.path) if p)
ENTRIES = "pool_entries"


def make_pool(folder: Path, **settings: Any) -> ChildPool:
    values = {"n_threads": 1, "preload": (), "import_path": PATH} | settings
    return ChildPool(PoolSettings(**values), str(folder))


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[ChildPool]:
    with make_pool(tmp_path) as pool:
        yield pool


def run(pool: ChildPool, name: str, payload: Any = None, cancel: Cancel | None = None) -> Ending:
    order = Order(
        body=pickle.dumps((f"{ENTRIES}:{name}", pickle.dumps(payload))),
        topic="",
        number=0,
        time_limit_seconds=None,
        memory_limit_bytes=None,
    )
    own = Cancel() if cancel is None else cancel
    try:
        return Supervisor(pool, order, lambda bodies: None, own).run()
    finally:
        own.close()


def value(ending: Ending) -> Any:
    assert ending.outcome is TrialOutcome.COMPLETED, ending
    return pickle.loads(ending.value)


def test_child_is_kept_for_the_next_task(pool: ChildPool) -> None:
    assert value(run(pool, "tell_pid")) == value(run(pool, "tell_pid"))


def test_child_that_kept_much_memory_is_replaced(
    pool: ChildPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "GROWTH_BYTES", 20 << 20)
    first = value(run(pool, "keep_memory", 1 << 20))
    second = value(run(pool, "keep_memory", 60 << 20))
    third = value(run(pool, "tell_pid"))

    assert first == second
    assert third != second
    wait_until(lambda: is_gone(second), "the replaced child lives on")


def test_child_that_died_while_idle_is_replaced(pool: ChildPool) -> None:
    first = value(run(pool, "tell_pid"))
    os.kill(first, 9)
    wait_until(lambda: is_gone(first), "the child lives on")

    assert value(run(pool, "tell_pid")) != first


def test_a_dead_child_is_known_before_its_exit_code_is(pool: ChildPool) -> None:
    pid = value(run(pool, "tell_pid"))
    child = pool.lend()
    assert child.pid == pid and not child.has_ended()
    assert pool._template is not None
    template = psutil.Process(pool._template.pid)
    template.suspend()  # it cannot tell of the end
    try:
        os.kill(pid, 9)
        wait_until(lambda: is_gone(pid), "the child lives on")
        assert not child.exit_code.done()
        assert child.has_ended()
    finally:
        template.resume()
    pool.take_back(child)
    assert value(run(pool, "tell_pid")) != pid


def test_modules_are_imported_beforehand_and_wrong_ones_skipped(tmp_path: Path) -> None:
    with make_pool(tmp_path, preload=("no_such_module", "sqlite3")) as pool:
        assert value(run(pool, "tell_preloaded", "sqlite3"))
        assert not value(run(pool, "tell_preloaded", "wave"))


def test_tasks_get_their_threads(tmp_path: Path) -> None:
    with make_pool(tmp_path, n_threads=2, preload=("numpy",)) as pool:
        assert value(run(pool, "tell_threads")) == {2}


def test_temporary_files_go_to_the_pools_folder(pool: ChildPool, tmp_path: Path) -> None:
    assert value(run(pool, "tell_temporary_folder")) == str(tmp_path)


def test_template_that_cannot_start_is_a_failure_by_name(tmp_path: Path) -> None:
    with make_pool(tmp_path, import_path=()) as pool:
        ending = run(pool, "tell_pid")

    assert ending.outcome is TrialOutcome.FAILED
    assert ending.error.startswith("No process could be started for it.")


def test_task_that_was_canceled_before_its_child_is_ready_never_runs(tmp_path: Path) -> None:
    with make_pool(tmp_path, preload=("slow_module",)) as pool:
        cancel = Cancel()
        cancel.set()
        ending = run(pool, "tell_pid", cancel=cancel)

    assert (ending.outcome, ending.seconds) == (TrialOutcome.CANCELED, 0.0)


def test_cancel_from_another_thread_ends_the_task(pool: ChildPool) -> None:
    cancel, begun = Cancel(), threading.Event()
    order = Order(
        body=pickle.dumps(
            ("nbautoml.testing.executor_contract:hold_interpreter", pickle.dumps(None))
        ),
        topic="",
        number=0,
        time_limit_seconds=None,
        memory_limit_bytes=None,
    )
    pids: list[int] = []

    def send(bodies: list[bytes]) -> None:
        pids.extend(map(pickle.loads, bodies))
        begun.set()

    endings: list[Ending] = []
    supervisor = Supervisor(pool, order, send, cancel)
    thread = threading.Thread(target=lambda: endings.append(supervisor.run()))
    thread.start()
    assert begun.wait(60)
    cancel.set()
    thread.join(60)
    cancel.close()

    assert [e.outcome for e in endings] == [TrialOutcome.CANCELED]
    assert is_gone(pids[0])


def test_closed_pool_lends_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    pool = make_pool(tmp_path)
    pid = value(run(pool, "tell_pid"))
    held = pool.memory_bytes()
    pool.close()

    wait_until(lambda: is_gone(pid), "a child lives on")
    with pytest.raises(ComputeError, match="is closing"):
        pool.lend()
    assert held > 0
    assert pool.memory_bytes() == 0
