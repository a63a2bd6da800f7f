"""What holds for all tests."""

from __future__ import annotations

import gc


def pytest_collection_finish() -> None:
    """Let collections of garbage leave alone what was imported for thousands of tests.

    The code under test collects after large pieces of work. With all test modules loaded that
    took 0.2 s each time, and not the 10 ms that it takes in a process with a purpose.
    """
    gc.collect()
    gc.freeze()
