"""The short form: every fault once, done to a small run; several are played at a time."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from nbautoml.domain.events import TrialFinished
from tests.faults.catalog import MODULES, load
from tests.faults.fault import Fault
from tests.faults.player import Outcome, play
from tests.faults.report import write_report
from tests.faults.scene import Scene

pytestmark = pytest.mark.integration

SEED = 20
PLAYED_AT_ONCE = 4
"""Most of a small run is waiting for processes to start."""

FAULTS = load()


def lose_a_file(scene: Scene) -> str:
    """Take a stored model away, as no fault may."""
    scene.until(lambda: scene.n_ended() >= 1, "a trial")
    ended = (r.event for r in scene.records() if isinstance(r.event, TrialFinished))
    number = next(ended).number
    with scene.session.engine.write() as connection:
        owner = f"{scene.run_id}_{number}"
        connection.exec_driver_sql("DELETE FROM artifacts WHERE owner = ?", (owner,))
    return f"files of trial {number}"


LOST = Fault(name="lost file", sentence="", inject=lose_a_file)


@pytest.fixture(scope="module")
def outcomes() -> Iterator[dict[str, Future[Outcome]]]:
    """Play all faults in the background, in the order of the tests."""
    with ThreadPoolExecutor(PLAYED_AT_ONCE) as pool:
        playable = [fault for fault in [*FAULTS.values(), LOST] if not fault.lacks()]
        yield {
            fault.name: pool.submit(play, fault, SEED + number, is_short=True)
            for number, fault in enumerate(playable)
        }
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=lambda fault: fault.name.replace(" ", "-"))
def test_nothing_is_lost(fault: Fault, outcomes: dict[str, Future[Outcome]]) -> None:
    if why := fault.lacks():
        pytest.skip(why)
    outcome = outcomes[fault.name].result()

    assert outcome.problems == (), f"seed {outcome.seed}: {outcome.harm}"


def test_every_file_of_the_catalog_is_in_it() -> None:
    files = {path.stem for path in (Path(__file__).parent / "catalog").glob("*.py")}

    assert files == {*MODULES, "__init__"}


def test_a_run_that_lost_something_is_noticed(outcomes: dict[str, Future[Outcome]]) -> None:
    """The checks can fail."""
    outcome = outcomes[LOST.name].result()

    assert any("has no model" in problem for problem in outcome.problems)


def test_the_page_says_what_was_played(tmp_path: Path) -> None:
    rng = random.Random(0)
    played = [
        Outcome(
            fault=name,
            seed=seed,
            work="scripted",
            harm="somewhere",
            status="Completed",
            reason="",
            n_trials=3,
            seconds=rng.uniform(1, 9),
            problems=("a trial is gone",) if seed == 1 else (),
        )
        for seed, name in enumerate(["worker killed", "worker killed", "disk full"])
    ]
    page = tmp_path / "page.md"

    write_report(page, played, FAULTS, lacks={"postgres": "not here"}, seed=0)

    text = page.read_text()
    assert "| worker killed | " in text
    assert "| 2 | 2 | 0 | 1 |" in text
    assert "- worker killed, seed 1 (somewhere): a trial is gone" in text
    assert "Not played here: postgres (not here)." in text
