"""What a run stored of a model, for this package's own use: the model, and how it was scored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any  # Any: fitted models

from nbautoml.automl.artifacts import INTERNAL_MODEL, SERVED_MODEL
from nbautoml.runs import files
from nbautoml.store.session import Session

if TYPE_CHECKING:
    from nbautoml.engine.model_test import Scoring


def load_model(session: Session, child_id: str) -> Any:
    """Return the model of a child run.

    Parameters
    ----------
    session : Session
        The open store.
    child_id : str
        The child run.

    Raises
    ------
    NotFoundError
        When the child has no model.
    """
    from nbautoml.registry.trust import load_pickle

    path = session.load_artifact(child_id, own_model(session, child_id))
    return load_pickle(path, versions={}, of=f"The model of run {child_id}")


def own_model(session: Session, child_id: str) -> str:
    """Return the name of the file that the engine wrote; the owner's one refers to it no more.

    Parameters
    ----------
    session : Session
        The open store.
    child_id : str
        The child run.
    """
    is_exported = bool(files.names(session, child_id, INTERNAL_MODEL))
    return INTERNAL_MODEL if is_exported else SERVED_MODEL


def load_scoring(session: Session, run_id: str) -> Scoring:
    """Return how an AutoML run scored its models; the file is one that it wrote itself.

    Parameters
    ----------
    session : Session
        The open store.
    run_id : str
        The AutoML run.
    """
    from nbautoml.engine.prepare import SCORING
    from nbautoml.registry.trust import load_pickle

    path = session.load_artifact(run_id, SCORING)
    scoring: Scoring = load_pickle(path, versions={}, of=f"Run {run_id}")
    return scoring
