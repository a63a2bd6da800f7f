from __future__ import annotations

import os
import pickle
from typing import Any

import pytest
from threadpoolctl import threadpool_info

from nbautoml.compute import child
from nbautoml.compute.frames import Kind
from nbautoml.domain.ports import Emit


def leave(payload: int, emit: Emit) -> None:
    raise SystemExit(payload)


def silent_error(payload: None, emit: Emit) -> None:
    raise KeyError


def call(entry: str, payload: Any) -> tuple[Kind, Any]:
    body = pickle.dumps((entry, pickle.dumps(payload)))
    kind, data = child.call_entry(body, lambda message: None)
    return kind, pickle.loads(data)


def test_exit_of_an_entry_is_a_failure_with_its_code() -> None:
    kind, (error, _) = call(f"{__name__}:leave", 4)

    assert (kind, error) == (Kind.FAILED, "SystemExit: 4")


def test_error_without_text_is_named() -> None:
    _, (error, trace) = call(f"{__name__}:silent_error", None)

    assert error == "KeyError"
    assert "silent_error" in trace


def test_missing_function_is_a_failure() -> None:
    kind, (error, _) = call("os:no_such_function", None)

    assert kind is Kind.FAILED
    assert "no_such_function" in error


def test_long_sentence_is_cut_and_traceback_kept() -> None:
    error, trace = pickle.loads(child.describe(ValueError("x" * 5000)))

    assert len(error) == child.LONGEST_ERROR
    assert "x" * 5000 in trace


@pytest.fixture
def environment() -> Any:
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


def test_threads_bound_libraries_loaded_now_and_later(environment: None) -> None:
    child.set_threads(1)
    names = {os.environ[name] for name in child.THREAD_VARIABLES}
    child.set_threads(2)

    assert names == {"1"}
    assert os.environ["OMP_NUM_THREADS"] == "2"
    assert {pool["num_threads"] for pool in threadpool_info()} <= {2}
