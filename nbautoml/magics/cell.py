"""``%%automl``: from the words of a cell to a config, its Python code, and a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any  # Any: values of settings

import nbautoml
from nbautoml.automl.config import AutoMLConfig
from nbautoml.automl.guess import GUESS_ROWS, guess_task
from nbautoml.automl.run_source import experiment_name, python_source
from nbautoml.data.named import NamedData
from nbautoml.errors import ConfigError, NbAutoMLError, did_you_mean
from nbautoml.magics.body import Body, at_its_line, parse_body
from nbautoml.magics.data import find_data
from nbautoml.magics.flags import CellLine, parse_line
from nbautoml.magics.home import Home

LABEL = "label_column_name"
FRAMES = ("training_data", "validation_data", "test_data")
SPLITS = "cv_splits_indices"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A cell that has been understood.

    Parameters
    ----------
    line : CellLine
        Its first line.
    config : AutoMLConfig
        Its settings, checked.
    experiment : str
        Experiment of the run.
    code : str
        Python that does the same.
    note : str
        What was guessed, as a sentence; empty when nothing was.
    """

    line: CellLine
    config: AutoMLConfig
    experiment: str
    code: str
    note: str = ""


def read_cell(line_text: str, body_text: str, home: Home) -> Cell:
    """Understand a cell; nothing is started.

    Raises
    ------
    NbAutoMLError
        With the line of the mistake where there is one.
    """
    line, body = parse_line(line_text), parse_body(body_text)
    settings = _merge(line, body)
    frames = {name: _named(settings, name, body, home) for name in FRAMES if name in settings}
    if "training_data" not in frames:
        raise ConfigError(
            "%%automl needs data: name a DataFrame, a registered dataset or a file behind "
            "%%automl, or below it as 'data: NAME'."
        )
    data = frames["training_data"]
    if isinstance(settings.get(SPLITS), str):
        frames[SPLITS] = _variable(settings[SPLITS], body, home)
    settings |= {name: frame.value for name, frame in frames.items()}
    note = _guess(settings, data, body)
    try:
        config = AutoMLConfig(**settings)
    except NbAutoMLError as error:
        raise at_its_line(error, body.lines) from None
    experiment = line.experiment or body.experiment or experiment_name(data.name)
    expressions = {name: frame.code for name, frame in frames.items()}
    code = python_source(settings, expressions, experiment, name=line.name)
    return Cell(line=line, config=config, experiment=experiment, code=code, note=note)


def _merge(line: CellLine, body: Body) -> dict[str, Any]:
    """Return the settings of the first line and of those below it; each may be given once."""
    above: dict[str, Any] = dict(line.settings)
    if line.data is not None:
        above["training_data"] = line.data
    for name in above:
        if name in body.settings:
            raise ConfigError(
                f"line {body.lines[name]}: {name} is given behind %%automl already; give it once."
            )
    if line.experiment and body.experiment:
        raise ConfigError("The experiment is named twice: behind %%automl and below it.")
    return {**above, **body.settings}


def _named(settings: Mapping[str, Any], name: str, body: Body, home: Home) -> NamedData:
    word = settings[name]
    if not isinstance(word, str):
        raise ConfigError(f"line {body.lines[name]}: {name} must be a name; got {word!r}.")
    try:
        return find_data(word, home.variables, home.workspace)
    except NbAutoMLError as error:
        where = f"line {body.lines[name]}: " if name in body.lines else ""
        raise type(error)(f"{where}{error.message}") from None


def _variable(word: str, body: Body, home: Home) -> NamedData:
    """Return the variable that holds the rows of splits; it is checked with the other settings."""
    if word not in home.variables:
        raise ConfigError(
            f"line {body.lines[SPLITS]}: {SPLITS} must be lists of rows, or the name of a variable "
            f"that holds them; there is no variable {word!r}."
        )
    return NamedData(value=home.variables[word], name=word, code=word)


def _guess(settings: dict[str, Any], data: NamedData, body: Body) -> str:
    """Put the label as the data spells it, and a guessed task, among the settings.

    Returns what was guessed, as a sentence.
    """
    head = data.head(GUESS_ROWS)
    column = settings[LABEL] = _label(settings.get(LABEL), list(head.columns), data, body)
    if "task" in settings:
        return ""
    task, reason = guess_task(head[column])
    settings["task"] = task.value
    return f"Task {task.value}, guessed from {column}: {reason}. Say 'task: …' to choose."


def _label(label: object, columns: list[Any], data: NamedData, body: Body) -> Any:
    """Return the column that a cell calls its label; numbered columns are written as text."""
    where = f"line {body.lines[LABEL]}: " if LABEL in body.lines else ""
    by_text = {str(column): column for column in columns}
    if label is None:
        raise ConfigError(
            "%%automl needs the column to predict: 'label: COLUMN' below it, or --target COLUMN. "
            f"{data.name} has: {', '.join(by_text)}."
        )
    if isinstance(label, list) and len(label) == 1:
        label = str(label[0])
    if not isinstance(label, str):
        raise ConfigError(f"{where}{LABEL} must be one column of {data.name}; got {label!r}.")
    if label not in by_text:
        raise ConfigError(
            f"{where}{data.name} has no column {label!r}.{did_you_mean(label, by_text)}"
        )
    return by_text[label]


def start(cell: Cell, home: Home) -> nbautoml.AutoMLRun:
    """Submit the cell's run; return at once."""
    return nbautoml.Experiment(home.workspace(), cell.experiment).submit(cell.config)
