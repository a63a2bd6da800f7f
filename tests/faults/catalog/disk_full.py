"""A disk that fills up: the run ends with what it has; the workspace can be looked at."""

from __future__ import annotations

import contextlib
from pathlib import Path

from nbautoml.domain.status import RunStatus
from tests.faults.checks import Expected
from tests.faults.fault import Fault
from tests.faults.scene import Scene
from tests.faults.stages import no_mount, with_small_disk

_CHUNK_BYTES = 1 << 20


def inject(scene: Scene) -> str:
    """Fill the disk: to the last byte at once, or so far that the run should see it coming."""
    moment = scene.wait_for_moment()
    if scene.rng.random() < 0.5:
        fill(scene.workspace.parent / "hog", keep_bytes=0)
        return f"to the last byte, {moment}"
    fill(scene.workspace.parent / "hog", keep_bytes=24 << 20)
    return f"all but 24 MiB, {moment}"


def fill(path: Path, *, keep_bytes: int) -> None:
    """Write a file until the disk is full, then shorten it."""
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(_CHUNK_BYTES))
    size = path.stat().st_size
    with path.open("rb+") as file:
        file.truncate(max(0, size - keep_bytes))


FAULT = Fault(
    name="disk full",
    sentence="The disk of the workspace fills up, to the last byte or nearly",
    inject=inject,
    stage=with_small_disk,
    settings={"bytes": 200_000},
    expected=Expected(
        statuses=frozenset({RunStatus.COMPLETED, RunStatus.FAILED}), may_lack_trials=True
    ),
    lacks=no_mount,
)
