"""The commands of the command line, one noun a module; each calls `nbautoml.services`."""

from __future__ import annotations

import typer

from nbautoml.commands import (
    api,
    clusters,
    datasets,
    endpoints,
    models,
    pipelines,
    runs,
    workspaces,
)

NOUNS: tuple[tuple[str, typer.Typer], ...] = (
    ("cluster", clusters.app),
    ("runs", runs.app),
    ("models", models.app),
    ("endpoints", endpoints.app),
    ("pipelines", pipelines.app),
    ("datasets", datasets.app),
    ("workspace", workspaces.app),
    ("api", api.app),
)
"""What stands behind ``nbautoml``, and the commands of each."""


def add_nouns(app: typer.Typer) -> None:
    """Put all nouns behind a program."""
    for name, noun in NOUNS:
        app.add_typer(noun, name=name)
