"""The first lines of a worker process; `nbautoml.serving.server` has the rest."""

from __future__ import annotations

import gc
import sys


def main(arguments: list[str]) -> int:
    """Serve until told otherwise; return the exit code."""
    # Loading makes hundreds of thousands of objects that stay: looking for cycles among them
    # would be a tenth of the time until the model answers.
    gc.disable()
    from nbautoml.serving.server import serve

    return serve(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
