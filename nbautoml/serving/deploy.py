"""Making a deployment."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from nbautoml.errors import NbAutoMLError, WebserviceNotFoundError
from nbautoml.registry.model import Model
from nbautoml.serving.configs import DeploymentConfig, InferenceConfig, check_deployment_name
from nbautoml.serving.lifecycle import new_record, remove, start, write_files
from nbautoml.serving.revisions import plan_revision
from nbautoml.serving.standing import folder_of
from nbautoml.serving.webservice import Webservice, webservice_of
from nbautoml.store.session import HasSession, Session


def deploy(
    workspace: HasSession,
    name: str,
    models: Sequence[Model] = (),
    inference_config: InferenceConfig | None = None,
    deployment_config: DeploymentConfig | None = None,
    *,
    overwrite: bool = False,
    show_output: bool = False,
    trust: bool = False,
) -> Webservice:
    """Serve models over HTTP; see `nbautoml.registry.model.Model.deploy`.

    It returns as soon as the address is known; `Webservice.wait_for_deployment` waits until
    the model answers.

    Raises
    ------
    ConfigError
        When it cannot be told how requests are to be answered.
    ConflictError
        When there is a deployment of that name, and `overwrite` is false.
    ModelError
        When a model from elsewhere would have to be loaded without `trust`.
    WebserviceException
        When the process cannot be started, or the port is taken.
    """
    session = workspace.session
    check_deployment_name(name)
    config = deployment_config or DeploymentConfig()
    plan = plan_revision(session, models, inference_config, trust=trust)
    if overwrite:
        _remove_if_there(session, name)
    record = new_record(name, config, plan)
    with session.write() as tx:
        tx.deployments.create(record)
    folder = folder_of(session, name)
    try:
        folder.make()
        write_files(folder, config, plan, name)
        record = start(session, record)
    except (NbAutoMLError, OSError):
        remove(session, name)
        raise
    if show_output:
        sys.stdout.write(f"{name} listens on port {record.port}; its model is being loaded.\n")
    return webservice_of(session, record)


def _remove_if_there(session: Session, name: str) -> None:
    try:
        remove(session, name)
    except WebserviceNotFoundError:
        return
