"""Plays one fault: a real run, the harm at a random moment, and the checks afterwards."""

from __future__ import annotations

import random
import time
import traceback
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nbautoml.errors import NbAutoMLError
from tests.faults.checks import problems_of
from tests.faults.fault import Fault
from tests.faults.scene import Scene, scratch_folder

SHORT_SECONDS, LONG_SECONDS = 150.0, 300.0
"""How long a run may take to end after the harm."""

SCRIPTED = {"short": {"trials": 10, "seconds": 0.3}, "long": {"trials": 24, "seconds": 0.4}}
AUTOML = {"short": {"iterations": 5}, "long": {"iterations": 12}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one fault went; `problems` is empty when nothing was lost."""

    fault: str
    seed: int
    work: str
    harm: str
    status: str
    reason: str
    n_trials: int
    seconds: float
    problems: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return asdict(self)


def play(fault: Fault, seed: int, *, is_short: bool) -> Outcome:
    """Play a fault once.

    Parameters
    ----------
    fault : Fault
        What happens.
    seed : int
        Chooses the moment and the victim.
    is_short : bool
        Whether the run is small, and a pause short.
    """
    rng = random.Random(seed)
    work = fault.works[0] if is_short else rng.choice(fault.works)
    size = "short" if is_short else "long"
    settings = {**(SCRIPTED if work == "scripted" else AUTOML)[size], **fault.settings}
    if work == "automl":
        settings = {k: v for k, v in settings.items() if k in AUTOML["short"]}
    started = time.monotonic()
    with scratch_folder() as folder:
        scene = Scene(folder, rng=rng, work=work, settings=settings, is_short=is_short)
        harm, status, reason, n_trials, problems = "", "", "", 0, []
        try:
            with fault.stage(scene):
                scene.start()
                harm = fault.inject(scene)
                wait_for_end(scene, SHORT_SECONDS if is_short else LONG_SECONDS)
                problems = problems_of(scene, fault.expected)
                status, reason, n_trials = _how_it_ended(scene)
        except AssertionError as error:
            problems.append(str(error))
        except Exception:  # noqa: BLE001 - it is the outcome
            problems.append(traceback.format_exc())
        finally:
            problems += [f"left over: {process}" for process in scene.stop()]
        problems += _stray_files(folder)
    return Outcome(
        fault=fault.name,
        seed=seed,
        work=work,
        harm=harm,
        status=status,
        reason=reason,
        n_trials=n_trials,
        seconds=round(time.monotonic() - started, 1),
        problems=tuple(problems),
    )


def wait_for_end(scene: Scene, seconds: float) -> None:
    """Wait until the run has ended; where its kernel is gone, another notebook opens it."""
    if not scene.processes("kernel"):
        scene.reopen()

    def has_ended() -> bool:
        try:
            return scene.status().is_terminal
        except NbAutoMLError:
            return False

    scene.until(has_ended, "the run's end", seconds)
    # Its processes have some things to give back after the end.
    scene.until(lambda: not scene.processes("controller"), "the controller's end", 30.0)
    end = time.monotonic() + 5.0
    while scene.processes("template") and time.monotonic() < end and not scene.keeps_workers:
        time.sleep(0.1)
    if scene.processes("template") and not scene.keeps_workers:
        raise AssertionError("children of trials outlived the run")


def _how_it_ended(scene: Scene) -> tuple[str, str, int]:
    with scene.session.read() as tx:
        run = tx.runs.get(scene.run_id)
    return run.status.value, run.reason, scene.n_ended()


def _stray_files(folder: Path) -> list[str]:
    """Return folders of workers that nobody removed."""
    left = [path.name for path in (folder / "tmp").glob("nbautoml-workers-*")]
    # What was killed is removed by the next one that starts, a minute later at the earliest.
    return [] if len(left) <= 3 else [f"left over: {left}"]
