"""Runs that share a cluster take turns."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbautoml import ComputeTarget, DaskCluster, Workspace
from nbautoml.compute import executor_of
from nbautoml.testing.compute_contract import sign
from nbautoml.testing.executor_contract import Inbox, gate, task, wait_for_file

pytestmark = pytest.mark.integration

N_TASKS = 12


def test_two_runs_on_one_slot_take_turns(workspace: Workspace, tmp_path: Path) -> None:
    config = DaskCluster.provisioning_configuration(0, 1, cores=1)
    ComputeTarget.create(workspace, "shared", config)
    book = tmp_path / "book"
    runs = {name: executor_of(workspace.session, "shared", None) for name in ("first", "second")}
    inboxes = {name: Inbox(executor) for name, executor in runs.items()}
    try:
        with gate() as opened:
            # The first run has the only slot, and all of its tasks, before the second one comes.
            blocker = task(wait_for_file, str(opened))
            inboxes["first"].submit(blocker)
            inboxes["first"].bodies(blocker, at_least=1)
            tasks = {name: [task(sign, (name, str(book))) for _ in range(N_TASKS)] for name in runs}
            inboxes["first"].submit(*tasks["first"])
            inboxes["second"].submit(*tasks["second"])
            opened.touch()
            for name, inbox in inboxes.items():
                inbox.reports(tasks[name])
    finally:
        for executor in runs.values():
            executor.close()
    names = book.read_text().split()
    assert len(names) == 2 * N_TASKS
    # Each of them has about half of what was done at any time: neither waits for the other's end.
    half = names[:N_TASKS]
    assert N_TASKS // 3 <= half.count("second") <= N_TASKS - N_TASKS // 3, names
