"""``nbautoml runs …``: what runs do and did."""

from __future__ import annotations

import json
import time
from typing import Annotated, Any  # Any: JSON values

import typer

from nbautoml.commands._base import (
    FOLLOW_SECONDS,
    HERE,
    NOT_WELL,
    AsJson,
    Folder,
    noun,
    opened,
    text_of,
    write_facts,
    write_json,
    write_rows,
)
from nbautoml.domain.status import RequestKind, RunStatus
from nbautoml.errors import NotFoundError
from nbautoml.services.catalog import MOST_RUNS, catalog
from nbautoml.services.logs import run_log
from nbautoml.services.runs import request_of_run, run_snapshot, trial_details
from nbautoml.services.view import AUTOML, view
from nbautoml.store.session import Session

app = noun("Runs: their state, their log, their best model.")
Id = Annotated[
    str, typer.Argument(help="Id of the run; 'latest' is the newest one.", show_default=False)
]
LATEST = "latest"
_SHOWN_TRIALS = 10
_COLUMNS = {
    "id": "RUN",
    "experiment": "EXPERIMENT",
    "status": "STATUS",
    "created_at": "CREATED",
    "metric": "METRIC",
    "score": "BEST",
}
_STEPS = {
    "n": "STEP",
    "name": "NAME",
    "status": "STATUS",
    "run": "RUN",
    "reused_from": "REUSED FROM",
    "reason": "WHY",
}
_TRIALS = {
    "n": "TRIAL",
    "name": "MODEL",
    "status": "STATUS",
    "score": "SCORE",
    "seconds": "SECONDS",
}


@app.command("list")
def list_(
    experiment: Annotated[
        str, typer.Option("--experiment", "-e", help="Only of this one.", show_default=False)
    ] = "",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Most runs.")] = MOST_RUNS,
    workspace: Folder = HERE,
    as_json: AsJson = False,
) -> None:
    """List the newest runs."""
    with opened(workspace) as session:
        rows = catalog(session, n_runs=limit)["runs"]
    rows = [row for row in rows if not experiment or row["experiment"] == experiment]
    write_rows(rows, _COLUMNS, as_json=as_json, none="There are no runs.")


@app.command()
def show(run: Id, workspace: Folder = HERE, as_json: AsJson = False) -> None:
    """Show one run and its best models."""
    with opened(workspace) as session:
        snapshot = run_snapshot(session, _find(session, run))
    everything = view(snapshot, now=time.time())
    write_facts(_facts(everything["header"]), as_json=as_json, everything=everything)
    if not as_json and "steps" in everything:
        typer.echo("")
        write_rows(everything["steps"], _STEPS, as_json=False, none="")
    if not as_json and everything["trials"]:
        ranked = [trial.number for trial in snapshot.ranked()]
        rows = {row["n"]: row for row in everything["trials"]}
        best = [rows[n] for n in ranked if n in rows][:_SHOWN_TRIALS]
        typer.echo("")
        write_rows(best, _TRIALS, as_json=False, none="")


@app.command()
def best(run: Id, workspace: Folder = HERE, as_json: AsJson = False) -> None:
    """Show the best model of a run: settings and all metrics."""
    with opened(workspace) as session:
        run_id = _find(session, run)
        number = run_snapshot(session, run_id).best
        if number is None:
            raise NotFoundError(f"Run {run_id} has no model yet.")
        found = trial_details(session, run_id, number)
    facts = {
        "trial": found["n"],
        "model": found["name"],
        "child run": found["id"],
        "score": found.get("score"),
        "settings": found["params"],
        **{f"  {name}": value for name, value in sorted(found["metrics"].items())},
    }
    write_facts(facts, as_json=as_json, everything=found)


@app.command()
def stop(
    run: Id,
    finish: Annotated[
        bool, typer.Option("--finish", help="End the search now, but finish the best model.")
    ] = False,
    workspace: Folder = HERE,
    as_json: AsJson = False,
) -> None:
    """Cancel a run; models that are finished are kept."""
    kind = RequestKind.FINISH_NOW if finish else RequestKind.CANCEL
    with opened(workspace) as session:
        run_id = _find(session, run)
        asked = request_of_run(session, run_id, {"kind": kind.value}, time=time.time())
    if as_json:
        write_json({"run_id": run_id, "kind": asked.kind.value, "seq": asked.seq})
    else:
        typer.echo(f"{run_id} is asked to {'finish' if finish else 'stop'}.")


@app.command()
def logs(
    run: Id,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on until the run has ended.")
    ] = False,
    trial: Annotated[
        int | None, typer.Option("--trial", help="Only about this trial.", show_default=False)
    ] = None,
    worker: Annotated[
        str, typer.Option("--worker", help="Only what this worker did.", show_default=False)
    ] = "",
    workspace: Folder = HERE,
    as_json: AsJson = False,
) -> None:
    """Write the log of a run; with --follow, the exit code is 3 unless the run completes."""
    with opened(workspace) as session:
        run_id = _find(session, run)
        after = 0
        while True:
            # Asked before the log is read, so that the last lines are not missed.
            status = _status(session, run_id) if follow else RunStatus.COMPLETED
            found = run_log(session, run_id, after=after, trial=trial, worker=worker)
            for line in found["lines"]:
                typer.echo(_json_line(line) if as_json else _text_line(line))
            after = found["seq"]
            if status.is_terminal:
                break
            time.sleep(FOLLOW_SECONDS)
    if status is not RunStatus.COMPLETED:
        raise typer.Exit(NOT_WELL)


def _find(session: Session, run: str) -> str:
    with session.read() as tx:
        if run == LATEST:
            newest = tx.runs.list(limit=1)
            if not newest:
                raise NotFoundError("There are no runs.")
            return newest[0].id
        return tx.runs.get(run).id


def _status(session: Session, run_id: str) -> RunStatus:
    with session.read() as tx:
        return tx.runs.get(run_id).status


def _facts(header: dict[str, Any]) -> dict[str, Any]:
    compute, best = header["compute"] or {}, header["best"] or {}
    return {
        "run": header["run_id"],
        "experiment": header["title"],
        "status": header["status"],
        "reason": header["reason"],
        "now": header["text"] if header["is_live"] else "",
        "metric": (header["metric"] or {}).get("name"),
        "best": best.get("name"),
        "score": best.get("score"),
        "trials": _trials(header) if header["kind"] == AUTOML else "",
        "steps": "{} of {} done".format(*header["steps"]) if header["steps"] else "",
        "compute": compute.get("name"),
        "started_at": header["started_at"],
        "ended_at": header["ended_at"],
    }


def _trials(header: dict[str, Any]) -> str:
    return (
        f"{header['n_done'] - header['n_failed']} done, {header['n_stopped']} stopped early, "
        f"{header['n_failed'] - header['n_stopped']} failed, {header['n_running']} running"
    )


def _text_line(line: dict[str, Any]) -> str:
    moment = text_of("_at", line["time"])
    first, *others = str(line["text"]).splitlines() or [""]
    return "\n".join([f"{moment} {line['level']:<7} {first}", *(f"    {t}" for t in others)])


def _json_line(line: dict[str, Any]) -> str:
    return json.dumps(line, ensure_ascii=False)
