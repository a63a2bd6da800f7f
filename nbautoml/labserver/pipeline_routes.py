"""Routes about published pipelines, the endpoints that name them, and their schedules."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from nbautoml.labserver.handler import Handler, Routes
from nbautoml.services.pipeline_details import (
    change_endpoint,
    change_pipeline,
    change_schedule,
    endpoint_details,
    pipeline_details,
)
from nbautoml.services.pipelines import run_endpoint, run_published

ID = r"(?P<id_>[A-Za-z0-9_.\-]{1,100})"


class PipelineHandler(Handler):
    """``pipelines/{id}``: a published pipeline."""

    @web.authenticated
    @authorized
    async def get(self, id_: str) -> None:
        """Return its graph, parameters, schedules and runs."""
        await self.answer(self.with_session(lambda s: pipeline_details(s, id_)))

    @web.authenticated
    @authorized
    async def patch(self, id_: str) -> None:
        """Enable or disable it."""
        await self.answer(self.with_session(lambda s: change_pipeline(s, id_, self.body())))


class PipelineRunsHandler(Handler):
    """``POST pipelines/{id}/runs``: a run of a published pipeline."""

    @web.authenticated
    @authorized
    async def post(self, id_: str) -> None:
        """Start it with parameters; return the id of the run."""
        await self.answer(self.with_session(lambda s: run_published(s, id_, self.body())))


class EndpointHandler(Handler):
    """``endpoints/{id}``: a name for versions of a pipeline."""

    @web.authenticated
    @authorized
    async def get(self, id_: str) -> None:
        """Return its versions, and the graph of the default."""
        await self.answer(self.with_session(lambda s: endpoint_details(s, id_)))

    @web.authenticated
    @authorized
    async def patch(self, id_: str) -> None:
        """Enable or disable an endpoint, or choose its default version."""
        await self.answer(self.with_session(lambda s: change_endpoint(s, id_, self.body())))


class EndpointRunsHandler(Handler):
    """``POST endpoints/{id}/runs``: a run of a version."""

    @web.authenticated
    @authorized
    async def post(self, id_: str) -> None:
        """Start the default, or the version that is named; return the id of the run."""
        await self.answer(self.with_session(lambda s: run_endpoint(s, id_, self.body())))


class ScheduleHandler(Handler):
    """``PATCH schedules/{id}``: whether a pipeline runs by itself."""

    @web.authenticated
    @authorized
    async def patch(self, id_: str) -> None:
        """Enable or disable a schedule."""
        await self.answer(self.with_session(lambda s: change_schedule(s, id_, self.body())))


ROUTES: Routes = (
    (f"pipelines/{ID}", PipelineHandler),
    (f"pipelines/{ID}/runs", PipelineRunsHandler),
    (f"endpoints/{ID}", EndpointHandler),
    (f"endpoints/{ID}/runs", EndpointRunsHandler),
    (f"schedules/{ID}", ScheduleHandler),
)
