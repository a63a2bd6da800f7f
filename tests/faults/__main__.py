"""Play faults, many of them, and say what came of it.

    python -m tests.faults --count 100 --seed 7
    python -m tests.faults --faults "worker killed" "disk full" --count 4 --short

Each fault is played in turn; the seed of the n-th is the first seed plus n, and ``--seed`` with
``--count 1`` plays one of them again. ``--report`` writes the table of docs/reference.
"""

from __future__ import annotations

import argparse
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.faults.catalog import load
from tests.faults.fault import Fault
from tests.faults.player import Outcome, play
from tests.faults.report import PAGE, write_report


def main() -> int:
    """Play, print a line for each, and return 1 when something was lost."""
    given = _parse()
    faults = load()
    names = given.faults or list(faults)
    unknown = [name for name in names if name not in faults]
    if unknown:
        sys.exit(f"There is no fault {unknown[0]!r}. There are: {', '.join(faults)}.")
    lacks = {name: why for name in names if (why := faults[name].lacks())}
    for name, why in lacks.items():
        sys.stdout.write(f"not played: {name}: {why}\n")
    playable = [faults[name] for name in names if name not in lacks]
    jobs = [(playable[n % len(playable)], given.seed + n) for n in range(given.count)]
    outcomes: list[Outcome] = []
    with ThreadPoolExecutor(given.jobs) as pool:
        for outcome in pool.map(lambda job: _play(*job, is_short=given.short), jobs):
            outcomes.append(outcome)
            _save(given.out, outcomes)
    lost = [outcome for outcome in outcomes if outcome.problems]
    sys.stdout.write(f"{len(outcomes)} faults played, {len(lost)} with problems\n")
    if given.report is not None:
        write_report(given.report, outcomes, faults, lacks=lacks, seed=given.seed)
    return 1 if lost else 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", nargs="+", default=[])
    parser.add_argument("--jobs", type=int, default=1, help="how many are played at a time")
    parser.add_argument("--short", action="store_true", help="small runs and short pauses")
    parser.add_argument("--out", type=Path, help="a JSON file for every outcome")
    parser.add_argument("--report", type=Path, nargs="?", const=PAGE, help="write the page")
    return parser.parse_args()


def _play(fault: Fault, seed: int, *, is_short: bool) -> Outcome:
    outcome = play(fault, seed, is_short=is_short)
    said = "; ".join(outcome.problems) or "ok"
    sys.stdout.write(
        f"{outcome.fault} (seed {seed}, {outcome.work}, {outcome.harm}): {outcome.status} with "
        f"{outcome.n_trials} trials after {outcome.seconds:.0f} s: {said}\n"
    )
    sys.stdout.flush()
    return outcome


def _save(path: Path | None, outcomes: list[Outcome]) -> None:
    if path is not None:
        path.write_text(json.dumps([o.to_dict() for o in outcomes], indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
