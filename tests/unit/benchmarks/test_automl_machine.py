from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from benchmarks.automl import machine
from benchmarks.automl.machine import BusyMachineError, busy_share, describe, wait_for_calm


def shares(*values: float) -> Iterator[float]:
    yield from values


def test_a_busy_machine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "busy_share", lambda _: 0.67)

    with pytest.raises(BusyMachineError, match=r"67% of cores \[0, 1\].*--allow-busy"):
        wait_for_calm([0, 1], patience=0.0)


def test_a_machine_that_becomes_calm_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    found = shares(0.9, 0.5, 0.02)
    monkeypatch.setattr(machine, "busy_share", lambda _: next(found))

    assert wait_for_calm([0], patience=60.0) == 0.02


def test_share_in_use_and_facts_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "BUSY_SAMPLE_SECONDS", 0.05)

    assert 0.0 <= busy_share([0]) <= 1.0
    assert describe([0])["n_cpus"] == os.cpu_count()
