"""Routes about compute targets."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from nbautoml.labserver.handler import COMPUTE, Handler, Routes
from nbautoml.services.computes import (
    change_compute,
    compute_details,
    compute_log,
    delete_compute,
    start_compute,
    stop_compute,
)


class ComputeHandler(Handler):
    """``computes/{name}``: one compute target."""

    @web.authenticated
    @authorized
    async def get(self, compute: str) -> None:
        """Return its state, scale and nodes."""
        await self.answer(self.with_session(lambda s: compute_details(s, compute)))

    @web.authenticated
    @authorized
    async def patch(self, compute: str) -> None:
        """Change how many nodes it may have."""
        await self.answer(self.with_session(lambda s: change_compute(s, compute, self.body())))

    @web.authenticated
    @authorized
    async def delete(self, compute: str) -> None:
        """End it and forget it."""
        await self.answer(self.with_session(lambda s: delete_compute(s, compute)))


class ComputeTurnHandler(Handler):
    """``POST computes/{name}/start`` and ``/stop``: the process of a cluster."""

    @web.authenticated
    @authorized
    async def post(self, compute: str, turn: str) -> None:
        """Start or end it; the target stays."""
        work = start_compute if turn == "start" else stop_compute
        await self.answer(self.with_session(lambda s: work(s, compute)))


class ComputeLogHandler(Handler):
    """``GET computes/{name}/log?node=&after=``: what it has written."""

    @web.authenticated
    @authorized
    async def get(self, compute: str) -> None:
        """Return what is new in a log."""
        node = self.get_query_argument("node", "")
        after = self.whole_number("after")
        read = self.with_session(lambda s: compute_log(s, compute, node=node, after=after()))
        await self.answer(read)


ROUTES: Routes = (
    (f"computes/{COMPUTE}", ComputeHandler),
    (f"computes/{COMPUTE}/(?P<turn>start|stop)", ComputeTurnHandler),
    (f"computes/{COMPUTE}/log", ComputeLogHandler),
)
