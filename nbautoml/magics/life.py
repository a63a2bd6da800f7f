"""``%automl dataset``, ``compute``, ``model``, ``predict``: what is before and after a run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any  # Any: models, frames and datasets

import pandas as pd
from IPython.display import display

import nbautoml
from nbautoml.errors import ConfigError, NotFoundError, did_you_mean
from nbautoml.magics.data import find_data
from nbautoml.magics.home import Home
from nbautoml.magics.say import say, show_table
from nbautoml.magics.serve import predictions_from

SHOWN = 50
"""Things that a list shows at most."""
HEAD_ROWS = 10
PREDICTIONS = "predictions"


def dataset(home: Home, words: str) -> None:
    """List datasets, show one (``NAME[:VERSION]``), or register data (``NAME = DATA``)."""
    name, is_new, source = _parted(words)
    if is_new:
        _register_dataset(home, name, source)
        return
    workspace = _workspace(home, "datasets")
    if not name:
        with workspace.session.read() as tx:
            records = tx.datasets.list()[:SHOWN]
        head = ["Dataset", "Version", "Rows", "Columns", "Registered"]
        rows = [
            [r.name, str(r.version), _count(r.n_rows), _count(r.n_columns), _day(r.created_at)]
            for r in records
        ]
        _show(head, rows, "No dataset is registered. To do it: %automl dataset NAME = DATA")
        return
    display(find_data(name, {}, lambda: workspace).value)  # type: ignore[no-untyped-call]


def compute(home: Home, name: str) -> None:
    """List compute targets, or show one."""
    workspace = home.workspace()
    targets = {target.name: target for target in nbautoml.ComputeTarget.list(workspace)}
    if name and name not in targets:
        raise NotFoundError(f"No compute target is called {name!r}.{did_you_mean(name, targets)}")
    rows = []
    for target in targets.values():
        if not name or target.name == name:
            state = target.get_status().serialize()
            cells = (state["cores"], f"{state['memoryBytes'] / 2**30:.1f} GB")
            rows.append([target.name, target.type, target.provisioning_state, *map(str, cells)])
    show_table(["Compute", "Kind", "State", "Cores", "Memory"], rows)


def model(home: Home, words: str) -> None:
    """List models, show one (``NAME[:VERSION]``), or register one (``NAME = RUN [ITERATION]``)."""
    name, is_new, source = _parted(words)
    if is_new:
        _register_model(home, name, source)
        return
    workspace = _workspace(home, "models")
    if not name:
        with workspace.session.read() as tx:
            records = tx.models.list(latest=True)[:SHOWN]
        rows = [[r.name, str(r.version), r.description, _day(r.created_at)] for r in records]
        nothing = "No model is registered. To do it: %automl model NAME = RUN"
        _show(["Model", "Version", "Description", "Registered"], rows, nothing)
        return
    display(_model(workspace, name))  # type: ignore[no-untyped-call]


def predict(home: Home, words: str) -> None:
    """Predict for data with a model, a deployment or a run (``MODEL DATA [VARIABLE]``)."""
    parts = words.split()
    if len(parts) not in (2, 3):
        raise ConfigError(
            "%automl predict takes a model and data: %automl predict MODEL DATA [VARIABLE]. MODEL "
            "is a registered model, a deployment or a run, DATA a variable, a dataset or a file."
        )
    target = parts[2] if len(parts) == 3 else PREDICTIONS
    if not target.isidentifier():
        raise ConfigError(f"The predictions need a name of a variable; got {target!r}.")
    predict_rows = _predictor(home, parts[0])
    data = find_data(parts[1], home.variables, home.workspace).value
    frame = data if isinstance(data, pd.DataFrame) else data.to_pandas_dataframe()
    found = predict_rows(frame)
    home.assign(target, found)
    display(found.head(HEAD_ROWS))  # type: ignore[no-untyped-call]
    say(f"{target} has {len(found):,} rows.")


def predictions_of(fitted: Any, frame: pd.DataFrame) -> pd.DataFrame:
    """Return what a model predicts for each row, with the probability of each class.

    Parameters
    ----------
    fitted : estimator
        With ``predict``, and ``predict_proba`` and ``classes_`` where there are classes.
    frame : DataFrame of shape (n_rows, n_columns)
        The rows.

    Returns
    -------
    DataFrame of shape (n_rows, 1) or (n_rows, 1 + n_classes)
        ``prediction``, and a column ``probability of <class>`` each, with the rows' index.
    """
    found = pd.DataFrame({"prediction": fitted.predict(frame)}, index=frame.index)
    if hasattr(fitted, "classes_"):
        proba = fitted.predict_proba(frame)
        for place, label in enumerate(fitted.classes_):
            found[f"probability of {label}"] = proba[:, place]
    return found


def _parted(words: str) -> tuple[str, bool, str]:
    """Return the words before ``=``, whether there is one, and the words behind it."""
    name, equals, source = words.partition("=")
    return name.strip(), bool(equals), source.strip()


def _workspace(home: Home, what: str) -> nbautoml.Workspace:
    workspace = home.known_workspace()
    if workspace is None:
        raise NotFoundError(
            f"There is no workspace here yet, so there are no {what}. %%automl makes one."
        )
    return workspace


def _show(head: list[str], rows: list[list[str]], nothing: str) -> None:
    if rows:
        show_table(head, rows)
    else:
        say(nothing)


def _register_dataset(home: Home, name: str, source: str) -> None:
    if not name or not source:
        raise ConfigError(
            "To register data: %automl dataset NAME = DATA, with a variable, a file or a URL."
        )
    workspace = home.workspace()
    value = find_data(source, home.variables, lambda: workspace).value
    if isinstance(value, pd.DataFrame):
        value = nbautoml.Dataset.Tabular.from_pandas_dataframe(value)
    kept = value.register(workspace, name, create_new_version=True)
    say(f"{kept.name} is version {kept.version}; a cell uses it as: %%automl {kept.name}")


def _register_model(home: Home, name: str, source: str) -> None:
    word, _, number = source.partition(" ")
    number = number.strip()
    if not name or not word or not (number.isdigit() or not number):
        raise ConfigError(
            "To register a model: %automl model NAME = RUN, or NAME = RUN ITERATION for another "
            "model than the best one."
        )
    run = home.run(word)
    if not isinstance(run, nbautoml.AutoMLRun):
        raise ConfigError(f"Run {run.id} is no AutoML run, so it has no models.")
    kept = run.register_model(name, iteration=int(number) if number else None)
    say(f"{kept.name} is version {kept.version}. To use it: %automl predict {kept.name} DATA")


def _model(workspace: nbautoml.Workspace, word: str) -> nbautoml.Model:
    name, _, version = word.partition(":")
    if version and not version.isdigit():
        raise ConfigError(f"The version of a model is a number; got {version!r} in {word!r}.")
    return nbautoml.Model(workspace, name, version=int(version) if version else None)


def _predictor(home: Home, word: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Return what predicts with the thing that a word names."""
    workspace = home.known_workspace()
    if workspace is not None and word.partition(":")[0] in workspace.models:
        return partial(predictions_of, _model(workspace, word).load())
    if workspace is not None and word in workspace.webservices:
        return partial(predictions_from, workspace.webservices[word])
    return partial(predictions_of, _best_of_run(home, word, workspace))


def _best_of_run(home: Home, word: str, workspace: nbautoml.Workspace | None) -> Any:
    """Return the best model of the run that a word names."""
    try:
        run = home.run(word)
    except NotFoundError as error:
        known = home.run_names()
        if workspace is not None:
            known += [*workspace.models, *workspace.webservices]
        raise NotFoundError(
            f"{word!r} is no registered model, no deployment and no run.{did_you_mean(word, known)}"
        ) from error
    if not isinstance(run, nbautoml.AutoMLRun):
        raise ConfigError(f"Run {run.id} is no AutoML run, so it has no model.")
    return run.get_output()[1]


def _count(number: int | None) -> str:
    return "" if number is None else f"{number:,}"


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M")
