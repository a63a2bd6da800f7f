from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest

from nbautoml.compute import spec as subject
from nbautoml.compute.spec import ExecutorSpec, default_spec, share
from nbautoml.errors import ConfigError

GIB = 1 << 30


@pytest.mark.parametrize(
    ("cores", "wanted", "expected"),
    [(8, None, (8, 1)), (8, 3, (3, 2)), (8, 1, (1, 8)), (2, 5, (2, 1)), (1, None, (1, 1))],
)
def test_workers_times_threads_stay_within_cores(
    cores: int, wanted: int | None, expected: tuple[int, int]
) -> None:
    spec = share(n_cores=cores, memory_bytes=64 * GIB, max_concurrent=wanted)

    assert (spec.n_workers, spec.threads_per_worker) == expected


def test_memory_is_shared_between_slots() -> None:
    spec = share(n_cores=4, memory_bytes=16 * GIB, max_concurrent=None)

    assert spec.memory_limit_bytes == int(16 * GIB * subject.MEMORY_SHARE) // 4


def test_small_memory_makes_fewer_slots_with_more_threads() -> None:
    spec = share(n_cores=8, memory_bytes=4 * GIB, max_concurrent=None)

    assert (spec.n_workers, spec.threads_per_worker) == (3, 2)


def test_tiny_memory_still_makes_one_slot() -> None:
    assert share(n_cores=8, memory_bytes=GIB // 2, max_concurrent=None).n_workers == 1


def test_default_spec_fits_this_machine() -> None:
    spec = default_spec()

    assert 1 <= spec.n_workers * spec.threads_per_worker <= (os.cpu_count() or 1)
    assert spec.memory_limit_bytes is not None
    assert spec.n_workers * spec.memory_limit_bytes < psutil.virtual_memory().total


@pytest.mark.parametrize("wanted", [0, -2])
def test_less_than_one_trial_at_once_is_refused(wanted: int) -> None:
    with pytest.raises(ConfigError, match=f"max_concurrent must be at least 1; got {wanted}"):
        default_spec(wanted)


@pytest.mark.parametrize("name", ["n_workers", "threads_per_worker", "memory_limit_bytes"])
def test_spec_refuses_numbers_below_one(name: str) -> None:
    values = {"n_workers": 1, "threads_per_worker": 1, "memory_limit_bytes": 1} | {name: 0}

    with pytest.raises(ConfigError, match=f"{name} of ExecutorSpec must be at least 1; got 0"):
        ExecutorSpec(**values)


@pytest.mark.parametrize(
    "files",
    [
        {"cpu.max": "100000 100000"},
        {"cpu/cpu.cfs_quota_us": "50000", "cpu/cpu.cfs_period_us": "100000"},
    ],
)
def test_quota_of_the_control_group_bounds_cores(tmp_path: Path, files: dict[str, str]) -> None:
    write(tmp_path, files)

    assert subject.n_cores(tmp_path) == 1


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"cpu.max": "max 100000"},
        {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"},
    ],
)
def test_no_quota_leaves_all_cores(tmp_path: Path, files: dict[str, str]) -> None:
    write(tmp_path, files)

    assert subject.n_cores(tmp_path) == len(os.sched_getaffinity(0))


@pytest.mark.parametrize("name", ["memory.max", "memory/memory.limit_in_bytes"])
def test_limit_of_the_control_group_bounds_memory(tmp_path: Path, name: str) -> None:
    write(tmp_path, {name: "123456789\n"})

    assert subject.memory_bytes(tmp_path) == 123456789


def test_no_limit_leaves_all_memory(tmp_path: Path) -> None:
    write(tmp_path, {"memory.max": "max"})

    assert subject.memory_bytes(tmp_path) == psutil.virtual_memory().total


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
