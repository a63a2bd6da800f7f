"""Measure compute: how soon workers work, what a trial costs beside itself, what data cost.

    python -m benchmarks.compute --out results.json
    python -m benchmarks.compute --only start overhead kill

Everything is measured on this machine, with real processes; ``many`` and ``long`` use threads in
place of workers, because it is the executor and the store that they ask about.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.compute import broadcast, latency, many

PROBES: dict[str, Callable[[], dict[str, Any]]] = {
    "start": latency.start_up,
    "overhead": latency.overhead,
    "kill": latency.kill,
    "events": latency.events,
    "adaptive": latency.adaptive,
    "broadcast": broadcast.near,
    "broadcast_far": broadcast.far,
    "scaling": many.scaling,
    "many": many.sixty_four,
    "many_even": many.sixty_four_even,
    "long": many.ten_thousand,
}


def main() -> None:
    """Run the probes that were asked for, print a line for each, and write all as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=PROBES, default=list(PROBES))
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    found: dict[str, Any] = {}
    for name in given.only:
        load, started = os.getloadavg()[0], time.monotonic()
        values = PROBES[name]()
        found[name] = values | {
            "load_before": round(load, 1),
            "wall_seconds": round(time.monotonic() - started, 1),
        }
        sys.stdout.write(f"{name}: {json.dumps(found[name])}\n")
        sys.stdout.flush()
    if given.out:
        content = {"machine": machine(), "probes": found}
        given.out.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def machine() -> dict[str, Any]:
    """Return what the numbers depend on."""
    packages = ("dask", "distributed", "sqlalchemy", "numpy")
    return {
        "processors": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        **{package: version(package) for package in packages},
    }


if __name__ == "__main__":
    main()
