"""A node that somebody else's machine runs: a Dask worker at the end of a connection.

    python -m nbautoml.compute.node < settings

The first line of the standard input is the settings, as JSON; certificates come with them, so that
no secret is on a command line or stays on that machine's disk. The node lives as long as its
standard input is open: when whoever started it dies, or the connection breaks, the system closes
it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import threading
from collections.abc import Mapping
from typing import Any  # Any: JSON values; distributed is typed in part only

import dask
from distributed.security import Security

from nbautoml.compute.local import DASK_SETTINGS, QuietNanny
from nbautoml.compute.scratch import ScratchFolder

CLOSE_SECONDS = 5.0
"""How long the worker may take to say good-bye."""

logger = logging.getLogger(__name__)


def main() -> int:
    """Run the node that the standard input describes; return the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    settings = json.loads(sys.stdin.readline())
    dask.config.set(DASK_SETTINGS)
    with ScratchFolder() as scratch:
        asyncio.run(_serve(settings, str(scratch.path)))
    return 0


async def _serve(settings: Mapping[str, Any], folder: str) -> None:
    over = asyncio.Event()
    _watch_input(asyncio.get_running_loop(), over)
    new_nanny: Any = QuietNanny
    nanny = new_nanny(
        settings["scheduler"],
        name=settings["name"],
        nthreads=settings["cores"],
        resources=settings["resources"],
        security=_security(settings["tls"]),
        memory_limit=0,  # supervisors watch the memory that counts
        local_directory=folder,
    )
    try:
        await nanny
        logger.info("%s works for %s", settings["name"], settings["scheduler"])
        done = asyncio.ensure_future(nanny.finished())
        await asyncio.wait(
            {done, asyncio.ensure_future(over.wait())}, return_when="FIRST_COMPLETED"
        )
    finally:
        await nanny.close(timeout=CLOSE_SECONDS)
    logger.info("%s has ended", settings["name"])


def _watch_input(loop: asyncio.AbstractEventLoop, over: asyncio.Event) -> None:
    """Set an event when the standard input is closed."""

    def read() -> None:
        while os.read(0, 4096):
            pass
        loop.call_soon_threadsafe(over.set)

    threading.Thread(target=read, name="standard input", daemon=True).start()


def _security(texts: Mapping[str, str]) -> Security:
    """Return the certificates that came with the settings."""
    new_security: Any = Security
    made: Security = new_security(
        tls_ca_file=texts["ca"],
        tls_worker_cert=texts["cert"],
        tls_worker_key=texts["key"],
        require_encryption=True,
    )
    return made


if __name__ == "__main__":
    sys.exit(main())
