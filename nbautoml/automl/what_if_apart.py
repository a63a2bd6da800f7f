"""A what-if question about an explained row, answered in a process of its own.

A server that shows runs loads no models. Question and answer are files of a folder: a command
line can be read by every user of the machine.
"""

from __future__ import annotations

import json
import math
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any  # Any: JSON values

from nbautoml.automl.artifacts import EXPLAINED_ROWS
from nbautoml.domain.events import json_safe
from nbautoml.domain.ids import child_run_id
from nbautoml.errors import ConfigError, ModelError, NotFoundError
from nbautoml.runs.child_process import run_apart, work_for
from nbautoml.store.session import Session

_QUESTION, _ANSWER = "question.json", "answer.json"


def ask_what_if(
    session: Session, run_id: str, number: int, row: int, changes: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return what a child's model says of an explained row as it is, and changed.

    Parameters
    ----------
    session : Session
        The open store.
    run_id : str
        The AutoML run.
    number : int
        The child's number.
    row : int
        Place of the row among the explained ones, from 0.
    changes : mapping
        Column to its other cell.

    Returns
    -------
    list of dict
        Two answers: ``prediction`` and, for classes, ``probabilities`` by class.

    Raises
    ------
    ConfigError
        When the model cannot read the changed row; the message says why.
    ModelError
        When there is no answer for another reason.
    """
    with tempfile.TemporaryDirectory(prefix="nbautoml-what-if-") as folder:
        question = {"row": row, "changes": dict(changes)}
        (Path(folder) / _QUESTION).write_text(json.dumps(question), encoding="utf-8")
        problem = run_apart(
            session, run_id, "nbautoml.automl.what_if_apart", run_id, str(number), folder
        )
        if problem:
            raise ModelError(problem)
        answer = json.loads((Path(folder) / _ANSWER).read_bytes())
    if answer["refused"]:
        raise ConfigError(answer["refused"])
    answers: list[dict[str, Any]] = answer["answers"]
    return answers


def answer_what_if(session: Session, run_id: str, number: int, folder: Path) -> None:
    """Answer the question in a folder, in this process, which loads the model."""
    from nbautoml.automl.stored_model import load_model
    from nbautoml.engine.explain.what_if import what_if
    from nbautoml.registry.trust import load_pickle

    child_id = child_run_id(run_id, number)
    question = json.loads((folder / _QUESTION).read_bytes())
    path = session.load_artifact(child_id, EXPLAINED_ROWS)
    rows = load_pickle(path, versions={}, of=f"The explanation of {child_id}")
    place = int(question["row"])
    if not 0 <= place < len(rows):
        raise NotFoundError(f"Run {child_id} has {len(rows)} explained rows; got row {place}.")
    model = load_model(session, child_id)
    found: dict[str, Any] = {"refused": "", "answers": []}
    try:
        answers = what_if(model, rows.iloc[[place]], question["changes"])
    except ValueError as error:  # cells that the model's reader refuses
        found["refused"] = str(error)
    else:
        found["answers"] = [_as_json(model, answer) for answer in answers.to_dict("records")]
    (folder / _ANSWER).write_text(json.dumps(json_safe(found)), encoding="utf-8")


def _as_json(model: Any, answer: Mapping[Any, Any]) -> dict[str, Any]:
    from nbautoml.engine.explain.what_if import PREDICTION, PROBABILITY

    classes = [str(name) for name in getattr(model, "classes_", ())]
    said = answer[PREDICTION]
    if not classes:
        number = float(said)
        return {"prediction": number if math.isfinite(number) else None}
    shares = {name: float(answer[PROBABILITY.format(name)]) for name in classes}
    return {"prediction": str(said), "probabilities": shares}


def main() -> int:
    """Answer what the command line names; return the exit code."""
    return work_for(
        lambda session, run_id, number, folder: answer_what_if(
            session, run_id, int(number), Path(folder)
        )
    )


if __name__ == "__main__":
    sys.exit(main())
