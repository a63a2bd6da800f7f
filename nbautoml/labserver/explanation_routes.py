"""Routes about the explanation of a model."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from nbautoml.labserver.handler import NUMBER, RUN, Handler, Routes
from nbautoml.services.explanations import explain_trial, trial_explanation, what_if_of_trial


class ExplanationHandler(Handler):
    """``GET runs/{id}/trials/{n}/explanation``: why a model answers as it does."""

    @web.authenticated
    @authorized
    async def get(self, run_id: str, number: str) -> None:
        """Return the explanation, or how it stands."""
        await self.answer(self.with_session(lambda s: trial_explanation(s, run_id, int(number))))


class ExplainHandler(Handler):
    """``POST runs/{id}/trials/{n}/explain``: an explanation is asked for."""

    @web.authenticated
    @authorized
    async def post(self, run_id: str, number: str) -> None:
        """Ask for an explanation; a process of its own makes it."""
        asked = self.with_session(lambda s: explain_trial(s, run_id, int(number), self.body()))
        await self.answer(asked)


class WhatIfHandler(Handler):
    """``POST runs/{id}/trials/{n}/whatif``: what a model says of a row that is changed."""

    @web.authenticated
    @authorized
    async def post(self, run_id: str, number: str) -> None:
        """Return the answers before and after the change."""
        asked = self.with_session(lambda s: what_if_of_trial(s, run_id, int(number), self.body()))
        await self.answer(asked)


_TRIAL = f"runs/{RUN}/trials/{NUMBER}"

ROUTES: Routes = (
    (f"{_TRIAL}/explanation", ExplanationHandler),
    (f"{_TRIAL}/explain", ExplainHandler),
    (f"{_TRIAL}/whatif", WhatIfHandler),
)
