"""The code of a child run: written when somebody asks for it, from what the run left.

A run stores what the code is written from; the code itself costs the search nothing.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any  # Any: settings are JSON values

from nbautoml.automl.artifacts import (
    CODE_FACTS,
    NOTEBOOK,
    PROFILE,
    RECIPE,
    SCRIPT,
    SPLITS,
    SPLITS_OF_CODE,
)
from nbautoml.domain.events import TrialFinished
from nbautoml.domain.ids import child_run_id
from nbautoml.domain.records import RunRecord
from nbautoml.domain.status import TrialOutcome
from nbautoml.errors import ModelError
from nbautoml.runs import files
from nbautoml.runs.child_process import run_apart, work_for
from nbautoml.store.session import Session

if TYPE_CHECKING:
    from nbautoml.engine.codegen import Member, ScriptFacts
    from nbautoml.engine.plan import SearchPlan

FILES = (SCRIPT, NOTEBOOK)
"""Files that a child with code has."""


def has_code(session: Session, run_id: str, number: int) -> bool:
    """Return whether the code of a child can be written, or is already.

    Parameters
    ----------
    session : Session
        The open store.
    run_id : str
        The parent run.
    number : int
        The child's number.
    """
    with session.read() as tx:
        run = tx.runs.get(run_id)
    if not run.settings.get("config", {}).get("enable_code_generation", True):
        return False
    has_facts = {CODE_FACTS, PROFILE} <= set(files.names(session, run_id))
    return has_facts and _trial(session, run_id, number) is not None


def ensure_code(session: Session, run_id: str, number: int) -> None:
    """Write the code of a child, unless it is there or there is none.

    Parameters
    ----------
    session : Session
        The open store.
    run_id : str
        The parent run.
    number : int
        The child's number.
    """
    child_id = child_run_id(run_id, number)
    if _is_written(session, child_id) or not has_code(session, run_id, number):
        return
    with session.read() as tx:
        run = tx.runs.get(run_id)
    trial = _trial(session, run_id, number)
    if trial is not None:
        _write(session, run, child_id, trial)


def ensure_code_apart(session: Session, run_id: str, number: int) -> None:
    """Write the code of a child as `ensure_code` does, in a process of its own.

    A server loads nothing of what writes it.

    Parameters
    ----------
    session : Session
        The open store.
    run_id : str
        The parent run.
    number : int
        The child's number.

    Raises
    ------
    ModelError
        When the code could not be written; the message says why.
    """
    if _is_written(session, child_run_id(run_id, number)):
        return
    problem = run_apart(session, run_id, "nbautoml.automl.generated_code", run_id, str(number))
    if problem:
        raise ModelError(f"The code of {child_run_id(run_id, number)} was not written: {problem}")


def _is_written(session: Session, child_id: str) -> bool:
    return set(FILES) <= set(files.names(session, child_id))


def _trial(session: Session, run_id: str, number: int) -> TrialFinished | None:
    """Return how a child ended, if there is code for it."""
    trial = _trials(session, run_id).get(number)
    if trial is None or not trial.is_ensemble:
        return trial
    names = files.names(session, child_run_id(run_id, number))
    return trial if RECIPE in names else None  # an ensemble of an earlier version has none


def _trials(session: Session, run_id: str) -> dict[int, TrialFinished]:
    """Return how the children of a run ended that have a model of their own, by number."""
    from nbautoml.engine.baseline import BASELINE

    with session.read() as tx:
        events = [record.event for record in tx.events.read(run_id)]
    return {
        event.number: event
        for event in events
        if isinstance(event, TrialFinished)
        and event.outcome is TrialOutcome.COMPLETED
        and event.family != BASELINE
    }


def _write(session: Session, run: RunRecord, child_id: str, trial: TrialFinished) -> None:
    from nbautoml.engine.codegen import needs_split_file, write_notebook, write_script

    facts = _facts(session, run, child_id, trial)
    files: dict[str, Any] = {
        SCRIPT: write_script(facts).encode(),
        NOTEBOOK: write_notebook(facts).encode(),
    }
    if needs_split_file(facts):
        files[SPLITS_OF_CODE] = session.load_artifact(run.id, SPLITS)
    session.save_artifacts(child_id, files)


def _facts(session: Session, run: RunRecord, child_id: str, trial: TrialFinished) -> ScriptFacts:
    from nbautoml.automl.config import AutoMLConfig
    from nbautoml.automl.resolve import resolve
    from nbautoml.automl.run_data import TEST_SEED
    from nbautoml.engine.codegen import RunFacts, ScriptFacts
    from nbautoml.engine.ensemble.recipe import Recipe
    from nbautoml.engine.profile import DataProfile

    def read(name: str) -> Any:
        return files.read_json(session, run.id, name)

    trials: tuple[TrialFinished, ...] = (trial,)
    recipe = None
    if trial.is_ensemble:
        stored = session.load_artifact(child_id, RECIPE).read_bytes()
        recipe = Recipe.from_dict(json.loads(stored))
        known = _trials(session, run.id)
        trials = tuple(known[number] for number in recipe.members)
    config = run.settings["config"]
    plan = resolve(AutoMLConfig.from_dict(config), n_slots=1, timeout_seconds=None)
    return ScriptFacts(
        run_id=child_id,
        pipeline=trial.pipeline,
        task=plan.task,
        metric=plan.primary_metric,
        score=trial.score,
        label=str(run.settings["label"]),
        seed=plan.seed,
        run=RunFacts.from_dict(read(CODE_FACTS)),
        profile=DataProfile.from_dict(read(PROFILE)),
        members=tuple(
            _member(one, plan, () if recipe is None else recipe.shares[place])
            for place, one in enumerate(trials)
        ),
        recipe=recipe,
        saved_shares=trial.params.get("members", {}) if trial.is_ensemble else {},
        training_data=str(run.settings["training_data"]),
        validation_data=str(run.settings.get("validation_data") or ""),
        weight_column=plan.weight_column,
        group_column=plan.validation.group_column,
        split_columns=plan.validation.cv_split_columns,
        test_size=config.get("test_size"),
        test_seed=TEST_SEED,
    )


def _member(trial: TrialFinished, plan: SearchPlan, shares: tuple[float, ...]) -> Member:
    from nbautoml.engine.codegen import Member
    from nbautoml.engine.models.catalog import get_family
    from nbautoml.engine.search.candidate import candidate_from

    # A family of the user's own is found by its path, not by its name.
    paths = {get_family(model).name: model for model in plan.models}
    scaler, _, model_name = trial.pipeline.rpartition(", ")
    return Member(
        number=trial.number,
        candidate=candidate_from(
            trial.params,
            family=paths.get(trial.family, trial.family),
            model_name=model_name,
            scaler=scaler,
        ),
        key=trial.key,
        shares=shares,
        cut={int(fold): steps for fold, steps in trial.cut_folds.items()},
    )


def main() -> int:
    """Write the code of the child that the command line names; return the exit code."""
    return work_for(lambda session, run_id, number: ensure_code(session, run_id, int(number)))


if __name__ == "__main__":
    sys.exit(main())
