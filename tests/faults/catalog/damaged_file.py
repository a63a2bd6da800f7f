"""Bytes of a stored model change: whoever reads it is told which file, and gets nothing."""

from __future__ import annotations

from dataclasses import replace

from tests.faults.checks import MODEL, Expected
from tests.faults.fault import Fault
from tests.faults.scene import Scene

VICTIM = 0


def inject(scene: Scene) -> str:
    """Change the model of the first trial, and kill the run's process, which will look at it."""
    scene.until(lambda: scene.n_ended() >= 2, "two trials")
    with scene.session.read() as tx:
        artifact = tx.artifacts.get(f"{scene.run_id}_{VICTIM}", MODEL)
    path = scene.workspace / ".nbautoml" / "artifacts" / artifact.uri
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.chmod(0o644)
    path.write_bytes(bytes(content))
    return f"model of trial {VICTIM}, and {scene.kill('controller')}"


FAULT = Fault(
    name="damaged file",
    sentence="Bytes of a stored model change, and the run has to read it again",
    inject=inject,
    expected=replace(Expected(), damaged=(VICTIM,)),
)
