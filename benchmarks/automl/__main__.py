"""The command line: make the environments, list the tables, run, report."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from benchmarks.automl import report
from benchmarks.automl.data import Maker, UnknownSetError, all_tables, indexed
from benchmarks.automl.machine import BusyMachineError
from benchmarks.automl.runner import Settings, UnknownMetricError, plan, run_all
from benchmarks.automl.systems import (
    DATA,
    ENVIRONMENTS,
    SYSTEMS,
    NotSetUpError,
    default_envs,
    set_up,
)
from benchmarks.automl.watch import NotLinuxError

GROUPS = {
    "smoke": ("breast_cancer", "wine", "diabetes"),
    "daily": (
        *("german_credit", "oj:log_loss", "caravan", "adult"),
        *("digits", "digits:accuracy", "wage", "bikeshare", "diamonds"),
    ),
    "large": ("adult", "flights_late"),
}
"""Names for several sets. ``folder`` stands for all tables of --folder."""

MISTAKES = (
    BusyMachineError,
    NotLinuxError,
    NotSetUpError,
    UnknownMetricError,
    UnknownSetError,
    report.NoResultsError,
)


def main() -> None:
    given = _parser().parse_args()
    try:
        given.do(given)
    except MISTAKES as error:
        sys.exit(f"{error}")
    except subprocess.CalledProcessError as error:
        sys.exit(f"{error.cmd[0]} failed with exit code {error.returncode}")
    except KeyboardInterrupt:
        sys.exit("stopped; the same command goes on from here")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.automl",
        description="nbautoml beside other AutoML systems: same rows, seconds and cores.",
    )
    commands = parser.add_subparsers(required=True)

    setup = commands.add_parser("setup", help="make the environments of the other systems")
    setup.add_argument("environments", nargs="*", help=f"some of {', '.join(ENVIRONMENTS)}")
    setup.add_argument("--python", default=sys.executable, help="Python 3.11 for them")
    _add_envs(setup)
    setup.set_defaults(do=_setup)

    sets = commands.add_parser("sets", help="list the tables and groups")
    _add_envs(sets)
    _add_folder(sets)
    sets.set_defaults(do=_sets)

    run = commands.add_parser("run", help="run what has no result yet, then report")
    run.add_argument("--sets", nargs="+", default=["smoke"], help="table, table:metric or group")
    run.add_argument("--systems", nargs="+", default=list(SYSTEMS), choices=SYSTEMS)
    run.add_argument("--seconds", type=float, default=60.0, help="budget of each run")
    run.add_argument("--seeds", type=int, nargs="+", default=[0], help="one split each")
    run.add_argument("--out", type=Path, required=True, help="folder of results; may exist")
    run.add_argument("--cpus", default="0,1", help="numbers of the cores to use")
    run.add_argument(
        "--allow-busy", action="store_true", help="run beside other work; marked in the report"
    )
    _add_envs(run)
    _add_folder(run)
    run.set_defaults(do=_run)

    show = commands.add_parser("report", help="print the tables as Markdown")
    show.add_argument("out", type=Path, help="folder that `run` was given")
    show.add_argument("--to", type=Path, help="file to write in place of printing")
    show.set_defaults(do=_report)
    return parser


def _add_envs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--envs", type=Path, default=default_envs(), help="folder of the environments"
    )


def _add_folder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--folder", type=Path, help="further tables: a folder with an index.json")


def _setup(given: argparse.Namespace) -> None:
    for name in given.environments or ENVIRONMENTS:
        if name not in ENVIRONMENTS:
            raise NotSetUpError(f"No environment {name!r}; there are {', '.join(ENVIRONMENTS)}")
        print(f"{name} ...", flush=True)
        made = set_up(name, given.envs.resolve(), given.python)
        print(f"{name}: {'made' if made else 'up to date'}", flush=True)


def _sets(given: argparse.Namespace) -> None:
    for name in _tables(given):
        print(name)
    for name, members in GROUPS.items():
        print(f"{name}: {' '.join(members)}")


def _run(given: argparse.Namespace) -> None:
    systems = [SYSTEMS[name] for name in given.systems]
    settings = Settings(
        out=given.out,
        envs=given.envs.resolve(),
        cpus=tuple(int(number) for number in given.cpus.split(",")),
        is_busy_allowed=given.allow_busy,
    )
    runs = list(plan(_named(given), systems, seconds=given.seconds, seeds=given.seeds))
    run_all(runs, _tables(given), settings, lambda line: print(line, flush=True))
    print()
    print(report.markdown(report.load_results(given.out)))


def _report(given: argparse.Namespace) -> None:
    text = report.markdown(report.load_results(given.out))
    if given.to:
        given.to.write_text(text, encoding="utf-8")
    else:
        print(text)


def _named(given: argparse.Namespace) -> list[str]:
    names: list[str] = []
    for name in given.sets:
        if name == "folder" and given.folder:
            names += indexed(given.folder)
        else:
            names += GROUPS.get(name, (name,))
    return list(dict.fromkeys(names))


def _tables(given: argparse.Namespace) -> dict[str, Maker]:
    return all_tables(given.envs.resolve() / DATA, given.folder)


if __name__ == "__main__":
    main()
