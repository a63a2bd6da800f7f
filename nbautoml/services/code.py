"""Code that a run gives its reader: to run it again, to use its model, to train a model."""

from __future__ import annotations

from nbautoml.automl.artifacts import SCRIPT
from nbautoml.automl.generated_code import ensure_code_apart
from nbautoml.domain.ids import child_run_id
from nbautoml.errors import NotFoundError
from nbautoml.runs import files
from nbautoml.services.runs import find_trial
from nbautoml.store.session import Session


def run_code(session: Session, run_id: str) -> dict[str, str]:
    """Return Python that starts the same run again, and Python that uses its model.

    Returns
    -------
    dict
        ``again`` and ``predict``.

    Raises
    ------
    NotFoundError
        When there is no such run.
    """
    with session.read() as tx:
        run = tx.runs.get(run_id)
    home = f"ws = Workspace.from_config({session.address.root!r})\n"
    settings = run.settings
    data = {
        name: settings[name]
        for name in ("training_data", "validation_data", "test_data")
        if settings.get(name)
    }
    arguments = {name: f"Dataset.get_by_id(ws, {value!r})" for name, value in data.items()}
    arguments |= {name: repr(value) for name, value in settings.get("config", {}).items()}
    lines = "".join(f"    {name}={text},\n" for name, text in arguments.items())
    again = (
        "from nbautoml import AutoMLConfig, Dataset, Experiment, RunDetails, Workspace\n\n"
        f"{home}config = AutoMLConfig(\n{lines})\n"
        f"run = Experiment(ws, {run.experiment!r}).submit(config)\n"
        "RunDetails(run).show()\n"
    )
    predict = (
        "from nbautoml import Workspace\n\n"
        f"{home}run = ws.get_run({run_id!r})\n"
        "best_run, model = run.get_output()\n"
        "model.predict(rows)  # a DataFrame with the columns of the training data\n\n"
        "# The same without nbautoml, on any machine:\n"
        'best_run.download_file("outputs/model.pkl", "model.pkl")\n'
        "import pickle\n"
        'model = pickle.load(open("model.pkl", "rb"))\n'
    )
    return {"again": again, "predict": predict}


def trial_script(session: Session, run_id: str, number: int) -> dict[str, str]:
    """Return the code that trains and scores one model.

    Returns
    -------
    dict
        ``script``.

    Raises
    ------
    NotFoundError
        When there is no such run or trial, or no code of it.
    """
    find_trial(session, run_id, number)
    child = child_run_id(run_id, number)
    ensure_code_apart(session, run_id, number)
    if SCRIPT not in files.names(session, child):
        raise NotFoundError(
            f"Iteration {number} of run {run_id} has no code: it has no model, or the run was "
            "made with enable_code_generation=False."
        )
    return {"script": session.load_artifact(child, SCRIPT).read_text(encoding="utf-8")}
