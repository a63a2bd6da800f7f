"""What the commands share: the workspace that they speak of, and how they write."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any  # Any: JSON values

import typer

from nbautoml.services.sessions import open_workspace
from nbautoml.services.workspaces import remember_workspace
from nbautoml.store.session import Session
from nbautoml.workspace.config_file import find_config, read_config

Folder = Annotated[
    Path,
    typer.Option(
        "--workspace",
        "-w",
        help="Folder of the workspace; without it, the folder you are in or one above it.",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON, for programs.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
HERE = Path()
NOT_WELL = 3
"""Exit code where what was followed has ended, but not well."""
FOLLOW_SECONDS = 0.5
_GAP = "  "


def noun(text: str) -> typer.Typer:
    """Return an empty group of commands.

    Parameters
    ----------
    text : str
        What they are about.
    """
    return typer.Typer(no_args_is_help=True, help=text)


@contextmanager
def opened(folder: Path) -> Iterator[Session]:
    """Open the workspace at or above a folder.

    Raises
    ------
    NotFoundError
        When there is none.
    """
    address = read_config(find_config(folder)).address
    remember_workspace(address)
    session = open_workspace(address)
    try:
        yield session
    finally:
        session.close()


def write_rows(
    rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str], *, as_json: bool, none: str
) -> None:
    """Write a table, or all of the rows as JSON.

    Parameters
    ----------
    rows : sequence of mapping
        What to write.
    columns : mapping of str to str
        Key of each column to its head.
    as_json : bool
        Whether for programs.
    none : str
        What to say where there is nothing.
    """
    if as_json:
        write_json(list(rows))
    elif not rows:
        typer.echo(none)
    else:
        cells = [[text_of(key, row.get(key)) for key in columns] for row in rows]
        typer.echo("\n".join(table_lines(list(columns.values()), cells)))


def write_facts(facts: Mapping[str, Any], *, as_json: bool, everything: object = None) -> None:
    """Write one thing, a line for each fact; as JSON all that is known of it.

    Parameters
    ----------
    facts : mapping
        What a person wants to know, by the name of the line.
    as_json : bool
        Whether for programs.
    everything : object, optional
        What programs get; by default the facts.
    """
    if as_json:
        write_json(facts if everything is None else everything)
        return
    shown = {name.removesuffix("_at"): text_of(name, value) for name, value in facts.items()}
    width = max(map(len, shown), default=0)
    lines = [f"{name.ljust(width)}{_GAP}{text}".rstrip() for name, text in shown.items() if text]
    typer.echo("\n".join(lines))


def write_json(content: object) -> None:
    """Write JSON, readable for people, too."""
    typer.echo(json.dumps(content, indent=2, ensure_ascii=False, default=str))


def table_lines(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a table whose columns are as wide as they need.

    Examples
    --------
    >>> table_lines(["NAME", "N"], [["a-long-name", "5"]])
    ['NAME         N', 'a-long-name  5']
    """
    table = [list(heads), *map(list, rows)]
    widths = [max(len(row[place]) for row in table) for place in range(len(heads))]
    return [
        _GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]


def text_of(key: str, value: Any) -> str:
    """Return a value as a table shows it: times for what ends in ``_at``, sizes for bytes.

    Examples
    --------
    >>> text_of("memory_bytes", 3 << 30), text_of("score", 0.91234567), text_of("error", None)
    ('3.0 GiB', '0.91235', '')
    """
    if value is None or value == "":
        return ""
    if key.endswith("_at"):
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(float(value)))
    if key.endswith("_bytes"):
        return bytes_text(float(value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.5g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={item}" for name, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return " ".join(str(value).split())


def bytes_text(n_bytes: float) -> str:
    """Return a size for people.

    Examples
    --------
    >>> bytes_text(1536), bytes_text(0)
    ('1.5 KiB', '')
    """
    if n_bytes <= 0:
        return ""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if n_bytes < 1024:
            return f"{n_bytes:.0f} {unit}" if unit == "B" else f"{n_bytes:.1f} {unit}"
        n_bytes /= 1024
    return f"{n_bytes:.1f} TiB"


def confirm(question: str, *, yes: bool) -> None:
    """Ask, unless the answer is given; another answer ends the command."""
    if not yes:
        typer.confirm(question, abort=True)
