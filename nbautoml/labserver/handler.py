"""What all handlers share: services run in threads, and errors become JSON bodies."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar  # Any: JSON values, tornado's untyped keywords
from urllib.parse import quote

from jupyter_server.base.handlers import APIHandler
from tornado.web import RequestHandler

from nbautoml.errors import ConfigError
from nbautoml.services.hub import Hub
from nbautoml.services.problems import problem_of
from nbautoml.services.sessions import SessionPool
from nbautoml.services.wizard import Wizard
from nbautoml.services.workspaces import allowed_workspace
from nbautoml.store.session import Session

BACKEND = "nbautoml_backend"
RESOURCE = "nbautoml"
BINARY = "application/octet-stream"
_PART_BYTES = 1 << 20

# Parts of routes; each is handed to a handler's method under its name.
RUN = r"(?P<run_id>[A-Za-z0-9_.\-]{1,200})"
NUMBER = r"(?P<number>[0-9]{1,9})"
NAME = r"(?P<name>[a-z_]{1,60})"
PATH = r"(?P<name>[A-Za-z0-9_.\-/]{1,300})"
FILE = r"(?P<file>.{1,600})"  # looked up among names, never opened as a path
DATASET = r"(?P<dataset_id>[A-Za-z0-9_.\-]{1,100})"
COMPUTE = r"(?P<compute>[A-Za-z0-9_.\-]{1,100})"
MODEL = r"(?P<model>[A-Za-z0-9_.\-]{1,255})"
VERSION = r"(?P<version>[0-9]{1,9})"

T = TypeVar("T")
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """What the handlers share."""

    root: Path
    pool: SessionPool
    hub: Hub
    wizard: Wizard


class Handler(APIHandler):
    """Base of our handlers: services run in threads, errors become JSON bodies."""

    auth_resource = RESOURCE

    @property
    def backend(self) -> Backend:
        """What the handlers share."""
        backend: Backend = self.settings[BACKEND]
        return backend

    async def answer(self, work: Callable[[], Any]) -> None:
        """Write what `work` returns, called in a thread; or the error that it raised."""
        try:
            content = await asyncio.to_thread(work)
        except Exception as error:  # noqa: BLE001 - the border: an error becomes a body
            content = self._problem(error)
        self.set_header("X-Content-Type-Options", "nosniff")
        self.finish(json.dumps(content, allow_nan=False))

    async def offer(
        self, work: Callable[[], str | Path | Iterable[bytes]], file_name: str, content_type: str
    ) -> None:
        """Write what `work` returns as a file to save: a text, a file or parts; or its error."""
        self.set_header("X-Content-Type-Options", "nosniff")
        try:
            content = await asyncio.to_thread(work)
        except Exception as error:  # noqa: BLE001 - the border: an error becomes a body
            self.finish(json.dumps(self._problem(error)))
            return
        self.set_header("Content-Type", content_type)
        # Saved, never shown as a page of this server.
        self.set_header("Content-Disposition", f"attachment; {_named(file_name)}")
        if isinstance(content, str):
            self.finish(content, set_content_type=content_type)
            return
        parts = iter(_parts_of(content) if isinstance(content, Path) else content)
        while part := await asyncio.to_thread(next, parts, b""):
            self.write(part)
            await self.flush()
        self.finish(set_content_type=content_type)

    def whole_number(self, name: str) -> Callable[[], int]:
        """Return what reads a whole number of the query, 0 where it is not given."""
        text = self.get_query_argument(name, "0")

        def read() -> int:
            if not text.isdecimal():
                raise ConfigError(f"{name} must be a whole number of at least 0; got {text!r}.")
            return int(text)

        return read

    def _problem(self, error: Exception) -> dict[str, Any]:
        """Set the status that belongs to an error, and return the body that tells of it."""
        problem = problem_of(error)
        if problem.status >= 500:
            _LOG.error("%s %s failed", self.request.method, self.request.path, exc_info=error)
        self.set_status(problem.status)
        return {"error": problem.as_json()}

    def with_session(self, work: Callable[[Session], T]) -> Callable[[], T]:
        """Return `work` with the session of the workspace that the query names."""
        workspace = self.get_query_argument("workspace", "")

        def call() -> T:
            address = allowed_workspace(workspace, below=self.backend.root)
            with self.backend.pool.lend(address) as session:
                return work(session)

        return call

    def body(self) -> dict[str, Any]:
        """Return the request's JSON object.

        Raises
        ------
        ConfigError
            When the body is something else.
        """
        try:
            content = json.loads(self.request.body)
        except ValueError as error:
            raise ConfigError(f"The request's body must be JSON; {error}.") from error
        if not isinstance(content, dict):
            raise ConfigError(f"The request's body must be a JSON object; got {content!r:.100}.")
        return content


def _parts_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while part := file.read(_PART_BYTES):
            yield part


def _named(file_name: str) -> str:
    """Return the header's words for a file's name; RFC 6266 has a second form for other scripts."""
    plain = re.sub(r"[^A-Za-z0-9_.\-]", "_", file_name)
    other = "" if plain == file_name else f"; filename*=UTF-8''{quote(file_name, safe='')}"
    return f'filename="{plain}"{other}'


Routes = Sequence[tuple[str, type[RequestHandler]]]
"""Patterns below the extension's own URL, and what answers there."""
