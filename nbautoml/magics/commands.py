"""``%automl …``: one line each, thin over the public API."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import nbautoml
from nbautoml.domain.status import RunStatus
from nbautoml.errors import ConfigError, did_you_mean
from nbautoml.magics import explain, life, pipelines, serve
from nbautoml.magics.help import help_text
from nbautoml.magics.home import Home
from nbautoml.magics.say import say, show_table
from nbautoml.services.logged import run_view
from nbautoml.services.steps import step_counts
from nbautoml.widgets.text import view_text
from nbautoml.widgets.words import value_text

RUNS_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One word behind ``%automl``: what it does, and what may follow it."""

    name: str
    argument: str
    doc: str
    act: Callable[[Home, str], None]


def run_command(line: str, home: Home) -> None:
    """Do what a line says; an empty line shows help.

    Raises
    ------
    ConfigError
        For an unknown word.
    """
    word, _, rest = line.strip().partition(" ")
    if not word:
        word = "help"
    command = COMMANDS.get(word)
    if command is None:
        hint = did_you_mean(word, COMMANDS)
        raise ConfigError(
            f"%automl has no command {word!r}.{hint} There are: {', '.join(COMMANDS)}."
        )
    command.act(home, rest.strip())


def _status(home: Home, word: str) -> None:
    run = home.run(word)
    say(view_text(run_view(run.session, run.snapshot(), now=time.time())))


def _show(home: Home, word: str) -> None:
    nbautoml.RunDetails(home.run(word)).show()


def _runs(home: Home, word: str) -> None:
    workspace = home.known_workspace()
    if workspace is None:
        say("There is no workspace here yet, so there are no runs. %%automl makes one.")
        return
    if word and word not in workspace.experiments:
        hint = did_you_mean(word, workspace.experiments)
        raise ConfigError(f"No experiment is called {word!r}.{hint}")
    found = list(workspace.experiments[word].get_runs()) if word else None
    runs = (found if found is not None else home.latest_runs(workspace, RUNS_SHOWN))[:RUNS_SHOWN]
    if not runs:
        say("No runs yet.")
        return
    show_table(["Experiment", "Run", "Status", "Best", "Started"], [_row(run) for run in runs])


def _row(run: nbautoml.Run) -> list[str]:
    state = run.snapshot()
    best = state.best_trial
    metric = state.config.primary_metric if state.config else ""
    score = f"{metric} {best.score:.4f}" if best and best.score is not None else ""
    if state.steps:
        score = "{} of {} steps".format(*step_counts(state.steps))
    elif state.described is not None:
        score = _first_value(run)
    started = state.started_at
    when = datetime.fromtimestamp(started).astimezone() if started else None
    return [
        run.experiment.name,
        run.id,
        run.get_status(),
        score,
        when.strftime("%Y-%m-%d %H:%M") if when else "",
    ]


def _first_value(run: nbautoml.Run) -> str:
    """Return the newest value of the first name that a run logged."""
    with run.session.read() as tx:
        logged = tx.metrics.last([run.id])[run.id]
    name = next(iter(sorted(logged)), "")
    return f"{name} {value_text(logged[name])}" if name else ""


def _best(home: Home, word: str) -> None:
    run = home.run(word)
    if not isinstance(run, nbautoml.AutoMLRun):
        raise ConfigError(
            f"Run {run.id} is no AutoML run, so it has no best model. What it logged: "
            f"%automl status {run.id}"
        )
    child = run.get_best_child()
    state = run.snapshot()
    best = state.best_trial
    metric = state.config.primary_metric if state.config else "score"
    score = best.score if best and best.score is not None else float("nan")
    lines = (
        f"{child.display_name}: {metric} {score:.4f} (iteration {child.number})",
        f"To use it: best, model = ws.get_run({run.id!r}).get_output()",
    )
    say("\n".join(lines))


def _cancel(home: Home, word: str) -> None:
    run = home.run(word)
    if RunStatus(run.get_status()).is_terminal:
        say(f"{run.id} has ended already: {run.get_status()}.")
        return
    run.cancel()
    kept = "Finished models are" if isinstance(run, nbautoml.AutoMLRun) else "What it stored is"
    say(f"{run.id} is asked to stop. {kept} kept.")


def _pause(home: Home, word: str) -> None:
    run = home.run(word)
    run.pause()
    say(f"{run.id} is asked to pause: no more models are begun, and its time stands still.")


def _resume(home: Home, word: str) -> None:
    run = home.run(word)
    run.resume()
    say(f"{run.id} is asked to go on.")


def _finish(home: Home, word: str) -> None:
    run = home.run(word)
    run.finish_now()
    say(f"{run.id} is asked to stop searching, build its ensemble and complete.")


def _help(home: Home, word: str) -> None:
    commands = [(c.name, c.argument, c.doc) for c in COMMANDS.values()]
    say(help_text(word, commands))


COMMANDS: Mapping[str, Command] = {
    command.name: command
    for command in (
        Command(name="status", argument="[RUN]", doc="How a run stands, in words.", act=_status),
        Command(name="show", argument="[RUN]", doc="The live view of a run.", act=_show),
        Command(name="runs", argument="[EXPERIMENT]", doc="The newest runs.", act=_runs),
        Command(name="best", argument="[RUN]", doc="The best model so far.", act=_best),
        Command(
            name="cancel",
            argument="[RUN]",
            doc="Stop a run now; finished models are kept.",
            act=_cancel,
        ),
        Command(name="stop", argument="[RUN]", doc="The same as cancel.", act=_cancel),
        Command(
            name="finish",
            argument="[RUN]",
            doc="Stop searching, build the ensemble, complete.",
            act=_finish,
        ),
        Command(
            name="pause",
            argument="[RUN]",
            doc="Begin no more models; the run's time stands still.",
            act=_pause,
        ),
        Command(name="resume", argument="[RUN]", doc="Go on after a pause.", act=_resume),
        Command(name="run", argument="[RUN]", doc="The same as show.", act=_show),
        Command(
            name="dataset",
            argument="[NAME[:VERSION]] | NAME = DATA",
            doc="Registered datasets, one of them, or a new version.",
            act=life.dataset,
        ),
        Command(
            name="model",
            argument="[NAME[:VERSION]] | NAME = RUN [ITERATION]",
            doc="Registered models, one of them, or a new version.",
            act=life.model,
        ),
        Command(
            name="predict",
            argument="MODEL DATA [VARIABLE]",
            doc="Predict with a registered model, a deployment or a run's best model.",
            act=life.predict,
        ),
        Command(
            name="explain",
            argument="[RUN|MODEL] [--rows N] [--engineered]",
            doc="Which columns a model goes by.",
            act=explain.explain,
        ),
        Command(
            name="deploy",
            argument="MODEL[:VERSION] | RUN [ITERATION] [--name NAME]",
            doc="Serve a model over HTTP, and wait until it answers.",
            act=serve.deploy,
        ),
        Command(
            name="endpoint",
            argument="[NAME [--logs | --keys | --drift | --restart | --delete]]",
            doc="What is served, and how it stands.",
            act=serve.endpoint,
        ),
        Command(
            name="pipeline",
            argument="[NAME | run NAME [--param K=V] | enable NAME | endpoints | schedules]",
            doc="What is published; run it, switch it on and off.",
            act=pipelines.pipeline,
        ),
        Command(
            name="compute",
            argument="[NAME]",
            doc="Where runs can work.",
            act=life.compute,
        ),
        Command(
            name="help",
            argument="[SETTING]",
            doc="This, or what one setting means.",
            act=_help,
        ),
    )
}
"""RUN is a variable, or the beginning of an id; the latest run when it is left out."""
