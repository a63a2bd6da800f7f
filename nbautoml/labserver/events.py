"""The websocket over which a page watches runs."""

from __future__ import annotations

import asyncio
import json
from typing import Any  # Any: tornado's untyped arguments, JSON values

from jupyter_server.auth.decorator import authorized, ws_authenticated
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from nbautoml.labserver.handler import BACKEND, RESOURCE, Backend

MAX_RUNS = 200  # watched by one page


class EventsHandler(WebSocketMixin, WebSocketHandler, JupyterHandler):
    """``WS events``: ``{"sub": run, "workspace": folder, "since": seq}``, ``{"unsub": run}``."""

    auth_resource = RESOURCE

    @ws_authenticated
    @authorized
    async def get(self, *args: Any, **kwargs: Any) -> None:
        """Become a websocket, for a user who may."""
        await super().get(*args, **kwargs)

    def get_compression_options(self) -> dict[str, Any]:
        """Compress: rows of a run are much alike."""
        return {}

    def open(self, *args: Any, **kwargs: Any) -> None:
        """Start with nothing watched."""
        super().open(*args, **kwargs)
        self._loop = asyncio.get_running_loop()
        self._watched: set[tuple[str, str]] = set()

    def on_message(self, message: str | bytes) -> None:
        """Watch a run, or no longer."""
        try:
            asked = json.loads(message)
        except ValueError:
            return
        if not isinstance(asked, dict):
            return
        workspace = str(asked.get("workspace", ""))
        if "sub" in asked:
            self._watch(workspace, str(asked["sub"]), asked.get("since"))
        elif "unsub" in asked:
            self._watched.discard((workspace, str(asked["unsub"])))
            self._backend.hub.leave(self, workspace, str(asked["unsub"]))

    def on_close(self) -> None:
        """Watch nothing."""
        self._backend.hub.drop(self)
        super().on_close()

    def send(self, text: str) -> None:
        """Send a text message, from any thread."""
        try:
            self._loop.call_soon_threadsafe(self._write, text)
        except RuntimeError:  # the loop is closed: the server stops
            return

    @property
    def _backend(self) -> Backend:
        backend: Backend = self.settings[BACKEND]
        return backend

    def _watch(self, workspace: str, run_id: str, since: object) -> None:
        if len(self._watched) >= MAX_RUNS and (workspace, run_id) not in self._watched:
            return
        self._watched.add((workspace, run_id))
        known = since if isinstance(since, int) and since > 0 else 0
        self._backend.hub.watch(self, workspace, run_id, known)

    def _write(self, text: str) -> None:
        if self.ws_connection is None:
            return
        try:
            self.write_message(text)
        except WebSocketClosedError:
            return
