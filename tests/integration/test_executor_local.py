"""The local executor keeps the executor contract, on real worker processes."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nbautoml.compute.local import start_executor
from nbautoml.compute.scratch import PREFIX
from nbautoml.compute.spec import ExecutorSpec
from nbautoml.domain.ports import Executor
from nbautoml.testing.executor_contract import (
    EXECUTOR_CHECKS,
    check_close_leaves_nothing,
)

pytestmark = pytest.mark.integration

SPEC = ExecutorSpec(n_workers=2, threads_per_worker=1, memory_limit_bytes=None, preload=())


@pytest.fixture(scope="module")
def executor() -> Iterator[Executor]:
    executor = start_executor(SPEC)
    yield executor
    executor.close()


@pytest.mark.parametrize("check", EXECUTOR_CHECKS, ids=lambda check: check.__name__)
def test_local_executor_keeps_contract(
    check: Callable[[Executor], None], executor: Executor
) -> None:
    check(executor)


def test_close_leaves_neither_processes_nor_files() -> None:
    def scratch() -> set[Path]:
        return set(Path(tempfile.gettempdir()).glob(PREFIX + "*"))

    before = scratch()

    check_close_leaves_nothing(lambda: start_executor(SPEC))

    assert not scratch() - before
