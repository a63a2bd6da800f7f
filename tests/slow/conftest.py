"""Tests of one module that take seconds: whole searches, many fits, processes.

They mirror the package as those in ``tests/unit`` do, and share their fixtures.
"""

from tests.unit.conftest import append_events, make_workspace

__all__ = ["append_events", "make_workspace"]
