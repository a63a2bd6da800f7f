"""Completion in ``%%automl`` cells and ``%automl`` lines: keys, values, columns, data, runs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any  # Any: IPython's completion context and result

from IPython.core.completer import CompletionContext, SimpleCompletion, context_matcher
from IPython.core.interactiveshell import InteractiveShell

from nbautoml.automl.model_names import KNOWN
from nbautoml.automl.options import describe_options
from nbautoml.domain.metrics import METRICS
from nbautoml.magics.body import SHORT_KEYS, known_keys
from nbautoml.magics.commands import COMMANDS
from nbautoml.magics.data import columns_for_completion, is_data
from nbautoml.magics.explain import FLAGS as EXPLAIN_FLAGS
from nbautoml.magics.flags import FLAGS
from nbautoml.magics.home import Home
from nbautoml.magics.pipelines import candidates as of_pipelines
from nbautoml.magics.serve import ACTIONS

CELL = "%%automl"
LINE = "%automl"
LABEL = "label_column_name"
DATA = frozenset({"training_data", "validation_data", "test_data"})
_FIRST_ARGUMENT = 2
"""Place of the first word behind a command."""
MODELS = frozenset({"allowed_models", "blocked_models"})


def add_completion(ip: InteractiveShell, home: Home) -> None:
    """Complete our cells and lines in a shell.

    Parameters
    ----------
    ip : InteractiveShell
        The shell.
    home : Home
        Knows the notebook's variables and workspace.
    """

    @context_matcher()  # type: ignore[untyped-decorator]
    def complete_automl(context: CompletionContext) -> dict[str, Any]:
        found = candidates(context.full_text, context.cursor_line, context.cursor_position, home)
        if found is None:
            return {"completions": [], "suppress": False}
        token = context.token
        fitting = [c for c in dict.fromkeys(found) if c.lower().startswith(token.lower())]
        return {"completions": [SimpleCompletion(text=c) for c in fitting], "suppress": True}

    if ip.Completer is not None:
        ip.Completer.custom_matchers.append(complete_automl)


def candidates(text: str, line_number: int, column: int, home: Home) -> list[str] | None:
    """Return what could stand at the cursor, or None where a cell is not ours.

    Parameters
    ----------
    text : str
        The whole cell.
    line_number, column : int
        The cursor, both from 0.
    home : Home
        Knows the notebook's variables and workspace.
    """
    lines = text.split("\n")
    before = lines[line_number][:column] if line_number < len(lines) else ""
    if text.lstrip().startswith(CELL):
        first = next(i for i, line in enumerate(lines) if line.strip())
        if line_number == first:
            return _on_first_line(before, text, home)
        return _in_body(before, text, home)
    if before.lstrip().startswith(LINE):
        return _on_line(before.split(), before.endswith(" "), home)
    return None


def _on_first_line(before: str, text: str, home: Home) -> list[str]:
    words = before.split()
    previous = words[-1] if before.endswith(" ") else words[-2] if len(words) > 1 else ""
    flag = FLAGS.get(previous)
    if flag is not None and flag.value:
        return _values(flag.setting, text, home)
    current = "" if before.endswith(" ") else words[-1]
    return list(FLAGS) if current.startswith("-") else [*_data_names(home), *FLAGS]


def _in_body(before: str, text: str, home: Home) -> list[str]:
    key, colon, _ = before.partition(":")
    if colon:
        return _values(SHORT_KEYS.get(key.strip(), key.strip()), text, home)
    if before.startswith((" ", "-")):
        return [*KNOWN]
    return known_keys()


def _on_line(words: list[str], is_next: bool, home: Home) -> list[str]:
    position = len(words) if is_next else len(words) - 1
    if position <= 1:
        return list(COMMANDS)
    if words[1] == "help":
        return known_keys()
    workspace = home.known_workspace()
    models = list(workspace.models) if workspace is not None else []
    services = list(workspace.webservices) if workspace is not None else []
    if words[1] == "runs":
        return list(workspace.experiments) if workspace is not None else []
    if words[1] == "dataset":
        return _data_names(home)
    if words[1] == "model":
        return home.run_names() if "=" in words else models
    if words[1] == "predict":
        first = [*models, *services, *home.run_names()]
        return first if position == _FIRST_ARGUMENT else _data_names(home)
    if words[1] == "deploy":
        return [*models, *home.run_names()] if position == _FIRST_ARGUMENT else ["--name"]
    if words[1] == "endpoint":
        return services if position == _FIRST_ARGUMENT else list(ACTIONS)
    if words[1] == "explain":
        return [*home.run_names(), *models, *EXPLAIN_FLAGS]
    if words[1] == "pipeline":
        return of_pipelines(words[2:position], home)
    if words[1] == "compute":
        return _values("compute_target", "", home)
    return home.run_names()


def _values(setting: str, text: str, home: Home) -> list[str]:
    """Return the values that a setting takes, as far as they can be listed."""
    if setting == LABEL:
        return columns_for_completion(_data_word(text), home.variables, home.known_workspace())
    if setting in DATA:
        return _data_names(home)
    if setting == "primary_metric":
        return sorted(METRICS, key=lambda name: not METRICS[name].is_primary)
    if setting in MODELS:
        return list(KNOWN)
    if setting == "compute_target":
        workspace = home.known_workspace()
        return list(workspace.compute_targets) if workspace is not None else ["local"]
    rows: Iterable[tuple[str, ...]] = (r.words for r in describe_options() if r.name == setting)
    return list(next(iter(rows), ()))


def _data_word(text: str) -> str:
    """Return the name of the data in a cell that is being written; not all of it need parse."""
    named = re.search(r"^(?:data|dataset|training_data)\s*:\s*(\S+)", text, re.MULTILINE)
    if named:
        return named[1]
    words = text.lstrip().split("\n", 1)[0].split()[1:]
    return words[0] if words and not words[0].startswith("-") else ""


def _data_names(home: Home) -> list[str]:
    frames = [n for n, v in home.variables.items() if is_data(v) and not n.startswith("_")]
    workspace = home.known_workspace()
    return [*frames, *(workspace.datasets if workspace is not None else ())]
