from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from typing import Any

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


def test_threads_bound_libraries_loaded_now_and_later() -> None:
    """In a process of its own, as a child is: pools belong to the process, other tests set them."""
    code = """
import json, os
import numpy
from threadpoolctl import threadpool_info
from nbautoml.compute import child

child.set_threads(1)
names = {os.environ[name] for name in child.THREAD_VARIABLES}
child.set_threads(2)
now = threadpool_info()
import sklearn.utils._openmp_helpers
later = threadpool_info()
counts = [sorted({pool["num_threads"] for pool in pools}) for pools in (now, later)]
print(json.dumps([sorted(names), counts, len(now) < len(later)]))
"""
    env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=env, stdout=subprocess.PIPE, check=True)

    assert json.loads(done.stdout) == [["1"], [[2], [2]], True]
