"""A run as source: the ``%%automl`` cell that starts it, and the Python that does the same."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any  # Any: values of settings

import yaml

CELL = "%%automl"
SETUP = "%load_ext nbautoml"
DATA = "training_data"
EXPERIMENT_KEY = "experiment"
SHORT_KEYS: Mapping[str, str] = MappingProxyType(
    {
        "data": "training_data",
        "dataset": "training_data",
        "label": "label_column_name",
        "target": "label_column_name",
        "metric": "primary_metric",
        "compute": "compute_target",
        "validation": "validation_data",
        "timeout_minutes": "experiment_timeout_minutes",
    }
)
"""Short names of settings, in a cell only."""

_SHORTEST = {full: short for short, full in reversed(list(SHORT_KEYS.items()))}
_HOME = "Workspace.from_config()"


def experiment_name(name: str) -> str:
    """Return the name of an experiment for data of that name.

    Examples
    --------
    >>> experiment_name("heart failure (2)")
    'heart-failure-2'
    """
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-._") or "automl"


def python_source(
    settings: Mapping[str, Any],
    expressions: Mapping[str, str],
    experiment: str,
    *,
    name: str = "run",
    home: str = _HOME,
) -> str:
    """Return Python that starts a run and shows it.

    Parameters
    ----------
    settings : mapping
        Settings of AutoMLConfig, data among them.
    expressions : mapping of str to str
        Python for the settings that have no literal: the data.
    experiment : str
        Experiment of the run.
    name : str, default "run"
        The variable that gets the run.
    home : str, default "Workspace.from_config()"
        Python for the workspace.
    """
    written = {n: expressions.get(n) or repr(value) for n, value in settings.items()}
    arguments = "".join(f"    {n}={text},\n" for n, text in written.items())
    needs_dataset = any("Dataset." in text for text in expressions.values())
    names = ["AutoMLConfig", "Experiment", "RunDetails", "Workspace"]
    imports = ", ".join(sorted([*names, "Dataset"]) if needs_dataset else names)
    return (
        f"from nbautoml import {imports}\n\n"
        f"ws = {home}\n"
        f"config = AutoMLConfig(\n{arguments})\n"
        f"{name} = Experiment(ws, {experiment!r}).submit(config)\n"
        f"RunDetails({name}).show()"
    )


def setup_source(home: str = _HOME) -> str:
    """Return what a notebook needs before its first ``%%automl`` cell.

    Parameters
    ----------
    home : str, default "Workspace.from_config()"
        Python for the workspace; the usual one is found by the cell itself.
    """
    if home == _HOME:
        return SETUP
    return f"{SETUP}\nfrom nbautoml import Workspace\n\nws = {home}"


def cell_source(settings: Mapping[str, Any], data: str, *, experiment: str = "") -> str:
    """Return the ``%%automl`` cell with these settings.

    Parameters
    ----------
    settings : mapping
        Settings of AutoMLConfig, as JSON values and without data.
    data : str
        The word that names the training data.
    experiment : str, optional
        Experiment of the run; named after the data when not given.

    Examples
    --------
    >>> print(cell_source({"label_column_name": "died", "iterations": 5}, "my heart.csv"))
    %%automl 'my heart.csv'
    label: died
    iterations: 5
    """
    words = [CELL]
    below: dict[str, Any] = {}
    if data.isprintable() and not data.startswith("-"):
        words.append(shlex.quote(data))
    else:
        below["data"] = data
    if experiment:
        words += ["--experiment", experiment]
    below |= {_SHORTEST.get(name, name): value for name, value in settings.items()}
    lines = [line for key, value in below.items() for line in _lines(key, value, "")]
    return "\n".join([" ".join(words), *lines])


def _lines(key: str, value: Any, indent: str) -> Iterator[str]:
    """Yield YAML for a key: a mapping on lines of its own, anything else on the same line."""
    if not isinstance(value, Mapping) or not value:
        yield f"{indent}{_flow(key)}: {_flow(value)}"
        return
    yield f"{indent}{_flow(key)}:"
    for inner, content in value.items():
        yield from _lines(str(inner), content, f"{indent}  ")


def _flow(value: Any) -> str:
    """Return a value as YAML on one line, in quotes where it would be read as something else."""
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_flow(item) for item in value)}]"
    style = '"' if isinstance(value, str) and not value.isprintable() else None
    text: str = yaml.safe_dump(
        [value],
        default_flow_style=True,
        default_style=style,
        allow_unicode=True,
        width=float("inf"),
    )
    return text.strip()[1:-1]
