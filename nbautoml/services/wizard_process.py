"""What the form asks of a process of its own: it reads tables, checks settings, submits runs.

Run as a module (``python -m nbautoml.services.wizard_process``) by `nbautoml.services.wizard`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any  # Any: JSON values

import nbautoml
from nbautoml.automl.form.draft import Draft, read_draft
from nbautoml.automl.form.fields import form_declaration
from nbautoml.automl.form.table import describe_table
from nbautoml.automl.guess import GUESS_ROWS
from nbautoml.data.named import NamedData, named_dataset, named_file
from nbautoml.domain.records import SessionAddress
from nbautoml.errors import NotFoundError
from nbautoml.runs.asked_process import answer_questions
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.services.workspaces import remember_workspace
from nbautoml.store.session import open_session

MOST_KEPT = 20

Question = Mapping[str, Any]


class Answers:
    """Answers the form's questions; remembers the columns of the tables it was asked about."""

    def __init__(self) -> None:
        self._columns: dict[tuple[Any, ...], list[str]] = {}
        self._answers: Mapping[str, Callable[[Question], Any]] = {
            "form": lambda _question: form_declaration(),
            "data": self.data,
            "code": self.code,
            "run": self.run,
        }

    def answer(self, question: Question) -> Any:
        """Return the answer to one question; ``ask`` says which one it is."""
        return self._answers[question["ask"]](question)

    def data(self, question: Question) -> dict[str, Any]:
        """Return what the form shows of data; ``source`` names it."""
        with named_data(question) as data:
            return describe_table(data)

    def code(self, question: Question) -> dict[str, Any]:
        """Return the source of a run, or what has to be corrected first."""
        with named_data(question) as data:
            draft = self._draft(question, data)
            if draft.problems:
                sources: Mapping[str, str | None] = {"setup": None, "cell": None, "python": None}
            else:
                homes = {name: question[name] for name in ("home", "cell_home")}
                sources = draft.sources(question["word"], data.code, **homes)
        return {
            **sources,
            "problems": [problem.to_dict() for problem in draft.problems],
            "experiment": draft.experiment,
        }

    def run(self, question: Question) -> dict[str, str]:
        """Submit a run; return its id, and the folder of its workspace."""
        with named_data(question) as data:
            draft = self._draft(question, data)
            config = draft.config(data.value)
            workspace = open_or_make(question)
            try:
                remember_workspace(workspace.session.address)
                run = nbautoml.Experiment(workspace, draft.experiment).submit(config)
                return {"run_id": run.id, "workspace": workspace.session.address.root}
            finally:
                workspace.session.close()

    def _draft(self, question: Question, data: NamedData) -> Draft:
        return read_draft(question["form"], self._columns_of(question, data), data.name)

    def _columns_of(self, question: Question, data: NamedData) -> list[str]:
        """Return the columns of data; a file that has not changed is not read again."""
        key = (*sorted(question["source"].items()), *_state(question["source"]))
        if key not in self._columns:
            if len(self._columns) >= MOST_KEPT:
                self._columns.clear()
            self._columns[key] = [str(name) for name in data.head(GUESS_ROWS).columns]
        return self._columns[key]


@contextmanager
def named_data(question: Question) -> Iterator[NamedData]:
    """Give the data that ``source`` names, while its workspace is open.

    Raises
    ------
    NotFoundError
        When there is no such file or dataset.
    DatasetError
        When the file cannot be read.
    """
    source = question["source"]
    if source["kind"] == "file":
        found = named_file(source["path"], written=question.get("word", ""))
        if found is None:
            raise NotFoundError(f"There is no file {source['path']}.")
        yield found
        return
    if question["address"] is None:
        raise NotFoundError(
            f"Dataset {source['name']!r} is registered in no workspace; choose a workspace first."
        )
    session = open_session(SessionAddress(**question["address"]))
    try:
        data = named_dataset(WorkspaceHandle(session), source["name"])
        if data is None:
            raise NotFoundError(f"No dataset is called {source['name']!r} in this workspace.")
        yield data
    finally:
        session.close()


def open_or_make(question: Question) -> nbautoml.Workspace:
    """Return the workspace of a run; where there is none, one is made in ``folder``."""
    if question["address"] is None:
        folder = Path(question["folder"])
        return nbautoml.Workspace.create(question["name"], path=folder, exist_ok=True)
    return nbautoml.Workspace(open_session(SessionAddress(**question["address"])))


def _state(source: Mapping[str, str]) -> tuple[int, ...]:
    """Return what changes when a file does; a version of a dataset never changes."""
    if source["kind"] != "file":
        return ()
    status = Path(source["path"]).stat()
    return status.st_mtime_ns, status.st_size


if __name__ == "__main__":
    answer_questions(Answers().answer)
