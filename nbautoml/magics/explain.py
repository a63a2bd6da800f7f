"""``%automl explain``: which columns a model goes by."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

import nbautoml
from nbautoml.automl.child_run import ChildRun
from nbautoml.automl.explain_run import MOST_ROWS
from nbautoml.automl.explain_run import ROWS as USUAL_ROWS
from nbautoml.automl.explanation import Explanation
from nbautoml.errors import ConfigError, NotFoundError, did_you_mean
from nbautoml.magics.home import Home
from nbautoml.magics.say import say, show_table
from nbautoml.runs.run import Run

SHOWN = 20
"""Columns that are listed at most."""
ROWS, ENGINEERED = "--rows", "--engineered"
FLAGS = (ROWS, ENGINEERED)
_BAR = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    word: str = ""
    rows: int | None = None
    is_raw: bool = True


def explain(home: Home, words: str) -> None:
    """Show what a model goes by; it is explained first where it is not yet."""
    asked = _parse(words)
    child = _child(home, asked.word)
    client = nbautoml.ExplanationClient(child)
    known = client.list_model_explanations(raw=asked.is_raw)
    if not known or (asked.rows is not None and asked.rows != known[0]["num_examples"]):
        run = child.explain(rows=USUAL_ROWS if asked.rows is None else asked.rows)
        say(f"Explaining {child.display_name}…")
        try:
            run.wait_for_completion()
        except KeyboardInterrupt:
            say("Stopped waiting; the explanation goes on. To see it: %automl explain")
            return
    _show(client.download_model_explanation(raw=asked.is_raw), child)


def _parse(words: str) -> _Asked:
    parts = shlex.split(words)
    word, rows, is_raw = "", None, True
    while parts:
        part = parts.pop(0)
        if part == ENGINEERED:
            is_raw = False
        elif part == ROWS:
            value = parts.pop(0) if parts else ""
            if not value.isdecimal() or not 1 <= int(value) <= MOST_ROWS:
                raise ConfigError(
                    f"{ROWS} of %automl explain takes a number from 1 to {MOST_ROWS:,}; "
                    f"got {value!r}."
                )
            rows = int(value)
        elif part.startswith("-"):
            raise ConfigError(
                f"%automl explain has no word {part!r}.{did_you_mean(part, FLAGS)} "
                f"There are: {', '.join(FLAGS)}."
            )
        elif word:
            raise ConfigError(f"%automl explain takes one run or model; got {word!r} and {part!r}.")
        else:
            word = part
    return _Asked(word=word, rows=rows, is_raw=is_raw)


def _child(home: Home, word: str) -> ChildRun:
    """Return the child whose model a word means: a run, a child, or a registered model."""
    workspace = home.known_workspace()
    name, _, version = word.partition(":")
    if workspace is not None and word and name in workspace.models:
        if version and not version.isdecimal():
            raise ConfigError(f"The version of a model is a number; got {version!r} in {word!r}.")
        model = nbautoml.Model(workspace, name, version=int(version) if version else None)
        if model.run_id is None:
            raise NotFoundError(f"Model {model.id} comes from no run, so it cannot be explained.")
        run: Run = workspace.get_run(model.run_id)
    else:
        run = home.run(word)
    if isinstance(run, nbautoml.AutoMLRun):
        best = run.get_best_child()
        return ChildRun(best.experiment, best.id)
    if not isinstance(run, ChildRun):
        raise ConfigError(f"Run {run.id} has no model of AutoML, so it cannot be explained.")
    return run


def _show(explanation: Explanation, child: Run) -> None:
    ranked = list(explanation.get_feature_importance_dict(SHOWN).items())
    longest = max((abs(value) for _, value in ranked), default=0.0) or 1.0
    losses = explanation.permutation_importance
    head = ["Column" if explanation.is_raw else "Feature", "Importance", ""]
    rows = [
        [name, f"{value:.4g}", "█" * round(_BAR * max(value, 0.0) / longest)]
        for name, value in ranked
    ]
    if losses:
        head.append("Loss of score when permuted")
        rows = [[*row, _loss(losses.get(row[0]))] for row in rows]
    show_table(head, rows)
    rows_text = f" over {explanation.num_examples:,} rows" if explanation.num_examples else ""
    lines = [f"{child.display_name}: {explanation.method}{rows_text}.", *explanation.notes]
    more = explanation.num_features - len(ranked)
    if more > 0:
        lines.append(f"and {more:,} more")
    say("\n".join(lines))


def _loss(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
