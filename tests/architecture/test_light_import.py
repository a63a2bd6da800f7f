"""``import nbautoml`` costs a user next to nothing until something is asked for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

HEAVY = (
    "alembic",
    "dask",
    "distributed",
    "lightgbm",
    "pandas",
    "plotly",
    "pyarrow",
    "scipy",
    "sklearn",
    "sqlalchemy",
    "starlette",
    "xgboost",
)
MAX_CPU_SECONDS = 0.3

PROBE = """
import json, resource, sys
before = resource.getrusage(resource.RUSAGE_SELF)
import nbautoml
after = resource.getrusage(resource.RUSAGE_SELF)
seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
print(json.dumps([seconds, sorted({name.partition(".")[0] for name in sys.modules})]))
"""


def _import_in_a_new_process(root: Path) -> tuple[float, set[str]]:
    done = subprocess.run(
        [sys.executable, "-c", PROBE], cwd=root, capture_output=True, text=True, check=True
    )
    seconds, modules = json.loads(done.stdout)
    return seconds, set(modules)


def test_import_loads_no_heavy_package(root: Path) -> None:
    _, modules = _import_in_a_new_process(root)

    assert modules & set(HEAVY) == set()


def test_import_takes_little_processor_time(root: Path) -> None:
    """The best of three: the others measure the machine's other work."""
    fastest = min(_import_in_a_new_process(root)[0] for _ in range(3))

    assert fastest <= MAX_CPU_SECONDS


def test_the_probe_sees_what_an_import_loads(root: Path) -> None:
    probe = PROBE.replace("import nbautoml", "import nbautoml, sqlalchemy")
    done = subprocess.run(
        [sys.executable, "-c", probe], cwd=root, capture_output=True, text=True, check=True
    )

    assert "sqlalchemy" in json.loads(done.stdout)[1]


def test_the_jupyter_server_loads_nothing_that_trains(root: Path) -> None:
    probe = PROBE.replace("import nbautoml", "import nbautoml.labserver.extension")
    done = subprocess.run(
        [sys.executable, "-c", probe], cwd=root, capture_output=True, text=True, check=True
    )
    modules = set(json.loads(done.stdout)[1])

    assert modules & set(HEAVY) == {"sqlalchemy"}
