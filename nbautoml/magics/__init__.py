"""``%automl`` and ``%%automl``: the public API in a cell, with settings as plain lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["load_ipython_extension"]


def load_ipython_extension(ip: InteractiveShell) -> None:
    """Register the magics and their completion with a shell (``%load_ext nbautoml``)."""
    from nbautoml.magics.automl import AutoMLMagics
    from nbautoml.magics.complete import add_completion

    magics = AutoMLMagics(ip)
    ip.register_magics(magics)
    add_completion(ip, magics.home)
