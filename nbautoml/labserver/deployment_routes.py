"""Routes about deployments: models that answer over HTTP."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from nbautoml.labserver.handler import Handler, Routes
from nbautoml.services.deployments import (
    collect_data,
    delete_deployment,
    deploy_model,
    deployment,
    deployment_drift,
    deployment_keys,
    deployment_log,
    deployments,
    renew_key,
    restart_deployment,
    try_deployment,
)

DEPLOYMENT = r"(?P<service>[A-Za-z0-9][A-Za-z0-9_.\-]{0,62})"


class DeploymentsHandler(Handler):
    """``deployments``: all of a workspace, and new ones."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """List deployments with their states and addresses; ``run`` names whose models."""
        run_id = self.get_query_argument("run", "")
        await self.answer(self.with_session(lambda s: deployments(s, run_id)))

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Serve a registered model, or a model of a run."""
        await self.answer(self.with_session(lambda s: deploy_model(s, self.body())))


class DeploymentHandler(Handler):
    """``deployments/{name}``: one of them."""

    @web.authenticated
    @authorized
    async def get(self, service: str) -> None:
        """Return a deployment with a sample row and a line for a shell."""
        await self.answer(self.with_session(lambda s: deployment(s, service)))

    @web.authenticated
    @authorized
    async def delete(self, service: str) -> None:
        """End a deployment and remove it."""
        await self.answer(self.with_session(lambda s: delete_deployment(s, service)))


class DeploymentLogHandler(Handler):
    """``GET deployments/{name}/log``: the end of its log."""

    @web.authenticated
    @authorized
    async def get(self, service: str) -> None:
        """Return the end of the log of a deployment."""
        await self.answer(self.with_session(lambda s: deployment_log(s, service)))


class TryHandler(Handler):
    """``POST deployments/{name}/try``: a request, passed on."""

    @web.authenticated
    @authorized
    async def post(self, service: str) -> None:
        """Send a request to a deployment; return its reply."""
        await self.answer(self.with_session(lambda s: try_deployment(s, service, self.body())))


class KeysHandler(Handler):
    """``deployments/{name}/keys``: what callers need."""

    @web.authenticated
    @authorized
    async def get(self, service: str) -> None:
        """Return the keys of a deployment."""
        await self.answer(self.with_session(lambda s: deployment_keys(s, service)))

    @web.authenticated
    @authorized
    async def post(self, service: str) -> None:
        """Replace a key of a deployment; return both."""
        await self.answer(self.with_session(lambda s: renew_key(s, service, self.body())))


class DriftHandler(Handler):
    """``deployments/{name}/drift``: requests against the training data."""

    @web.authenticated
    @authorized
    async def get(self, service: str) -> None:
        """Return how far the rows of requests are from the training data."""
        await self.answer(self.with_session(lambda s: deployment_drift(s, service)))

    @web.authenticated
    @authorized
    async def post(self, service: str) -> None:
        """Switch on or off that requests are written down; return the same."""
        await self.answer(self.with_session(lambda s: collect_data(s, service, self.body())))


class RestartHandler(Handler):
    """``POST deployments/{name}/restart``: the same address again."""

    @web.authenticated
    @authorized
    async def post(self, service: str) -> None:
        """Start a deployment again at the same address."""
        await self.answer(self.with_session(lambda s: restart_deployment(s, service)))


_ONE = f"deployments/{DEPLOYMENT}"

ROUTES: Routes = (
    ("deployments", DeploymentsHandler),
    (_ONE, DeploymentHandler),
    (f"{_ONE}/log", DeploymentLogHandler),
    (f"{_ONE}/try", TryHandler),
    (f"{_ONE}/keys", KeysHandler),
    (f"{_ONE}/drift", DriftHandler),
    (f"{_ONE}/restart", RestartHandler),
)
