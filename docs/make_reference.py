"""Write ``docs/reference`` from the code: python docs/make_reference.py [--check].

With ``--check`` nothing is written: pages that differ from the code are named, and the exit
code is 1. A test runs the same comparison.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import nbautoml
from nbautoml.automl.options import reference_markdown
from nbautoml.domain.events import EVENT_TYPES
from nbautoml.domain.metrics import METRICS
from nbautoml.engine.models.catalog import FAMILIES, OPTIONAL, get_family

FOLDER = Path(__file__).resolve().parent / "reference"
NOTE = "This page is made from the code by `python docs/make_reference.py`."


def api_page() -> str:
    """Return every public name with its signature and its methods."""
    lines = ["# Public names", "", NOTE, "", "`from nbautoml import …` gives:", ""]
    names = [name for name in nbautoml.__all__ if name != "VERSION"]
    lines += [f"- [`{name}`](#{name.lower()})" for name in names]
    lines += ["- `VERSION`: the version of this package, as text"]
    for name in names:
        lines += ["", f"## {name}", "", *_describe(getattr(nbautoml, name), name)]
    return _text(lines)


def _describe(thing: Any, name: str) -> Iterator[str]:
    yield f"`{name}{_signature(thing)}`"
    yield ""
    yield _summary(thing)
    rows = list(_members(thing)) if inspect.isclass(thing) else []
    if rows:
        yield from ["", "| member | what it does |", "|---|---|", *rows]


def _members(cls: type) -> Iterator[str]:
    for name, raw in inspect.getmembers_static(cls):
        if name.startswith("_") or name in dir(object):
            continue
        value = getattr(cls, name)
        is_property = isinstance(raw, property)
        if not (is_property or callable(value)) or not inspect.getdoc(raw):
            continue
        call = (
            f".{name}" if is_property or inspect.isclass(value) else f".{name}{_signature(value)}"
        )
        yield _row(f"`{call}`", _summary(raw))


def _signature(thing: Any) -> str:
    """Return names and defaults of the parameters, without their types."""
    signature = inspect.signature(thing)
    kept = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for name, parameter in signature.parameters.items()
        if name not in ("self", "cls") and not name.startswith("_")
    ]
    bare = signature.replace(parameters=kept, return_annotation=inspect.Signature.empty)
    return re.sub(r"<object object at 0x[0-9a-f]+>|<nbautoml[^>]*>", "…", str(bare))


def _summary(thing: Any) -> str:
    """Return the first paragraph of a docstring as one line of Markdown."""
    text = (inspect.getdoc(thing) or "").split("\n\n")[0]
    return " ".join(text.split()).replace("``", "`")


def metrics_page() -> str:
    """Return all metrics: which way is better, range, tasks."""
    rows = [
        _row(
            f"`{spec.name}`",
            ", ".join(sorted(spec.tasks)),
            f"{spec.direction.value}",
            f"{spec.low:g} to {spec.high:g}",
            "yes" if spec.is_primary else "",
        )
        for spec in METRICS.values()
    ]
    head = [
        "| metric | tasks | better | range | primary in the SDK |",
        "|---|---|---|---|---|",
    ]
    return _text(["# Metrics", "", NOTE, "", *head, *rows])


def models_page() -> str:
    """Return all model families with their other names and tasks."""
    rows = []
    for name in (name for name in FAMILIES.names() if name not in OPTIONAL):
        family = get_family(name)
        aliases = ", ".join(f"`{alias}`" for alias in family.aliases)
        tasks = ", ".join(sorted(family.tasks))
        rows.append(_row(f"`{name}`", tasks, aliases, _summary(type(family))))
    head = ["| model | tasks | also written | what it is |", "|---|---|---|---|"]
    intro = "Names for `allowed_models` and `blocked_models`, in the order in which they are tried."
    ensemble = "When models have been found, the best of them are combined: `VotingEnsemble`."
    optional = [
        f"`{name}` is tried too where the package `{module}` is installed "
        f"(`pip install 'nbautoml[{module}]'`)."
        for name, module in OPTIONAL.items()
    ]
    return _text(["# Models", "", NOTE, "", intro, "", *head, *rows, "", *optional, "", ensemble])


def events_page() -> str:
    """Return all events of a run's log with their fields."""
    lines = [
        "# Events",
        "",
        NOTE,
        "",
        "What a run writes down, in order; every view is made of these.",
    ]
    for kind, event in EVENT_TYPES.items():
        names = ", ".join(f"`{field.name}`" for field in fields(event))
        lines += ["", f"## {kind}", "", _summary(event), "", f"Fields: {names}."]
    return _text(lines)


def errors_page() -> str:
    """Return the tree of errors."""
    errors = importlib.import_module("nbautoml.errors")
    tree = inspect.cleandoc((errors.__doc__ or "").split("::\n", 1)[1].split("\n\n")[0].strip("\n"))
    return _text(
        ["# Errors", "", NOTE, "", "All are in `nbautoml.errors`.", "", "```", tree, "```"]
    )


def routes_page() -> str:
    """Return all routes that the Jupyter server answers."""
    extension = importlib.import_module("nbautoml.labserver.extension").LabServerExtension()
    extension.initialize_handlers()
    rows = []
    for pattern, handler, *_ in extension.handlers:
        path = re.sub(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)", r"{\1}", pattern)
        for verb in ("get", "post", "put", "patch", "delete"):
            method = vars(handler).get(verb)
            if method is not None:
                rows.append(_row(f"`{verb.upper()} {path}`", _summary(method) or _summary(handler)))
    intro = (
        "Every route asks for the Jupyter server's own log-in; the server's base URL is put first."
    )
    head = ["| route | what it does |", "|---|---|"]
    return _text(["# Routes of the Jupyter server", "", NOTE, "", intro, "", *head, *rows])


def commands_page() -> str:
    """Return the commands of the command line with their arguments and options."""
    cli = importlib.import_module("nbautoml.cli")
    program = importlib.import_module("typer.main").get_command(cli.app)
    own = [(c.name, c) for c in program.commands.values() if not hasattr(c, "commands")]
    lines = ["# Command line", "", NOTE, "", "| command | what it does |", "|---|---|"]
    lines += [_command_row("nbautoml", *named) for named in own]
    lines += ["", *_options(own)]
    for group in (c for c in program.commands.values() if hasattr(c, "commands")):
        lines += ["", f"## nbautoml {group.name}", "", _plain(group.help), ""]
        lines += ["| command | what it does |", "|---|---|"]
        commands = list(_leaves(group))
        lines += [_command_row(f"nbautoml {group.name}", *named) for named in commands]
        lines += ["", *_options(commands)]
    return _text(lines)


def _leaves(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the commands of a group with their names, those of groups in it too."""
    for command in group.commands.values():
        name = f"{before}{command.name}"
        if hasattr(command, "commands"):
            yield from _leaves(command, f"{name} ")
        else:
            yield name, command


def _command_row(program: str, name: str, command: Any) -> str:
    words = [p.name.upper() for p in command.params if p.param_type_name == "argument"]
    return _row(f"`{' '.join([program, name, *words])}`", _plain(command.help))


def _options(commands: Iterable[tuple[str, Any]]) -> Iterator[str]:
    """Yield a table of all options of some commands, each once for those that have it."""
    found: dict[tuple[str, str], list[str]] = {}
    for name, command in commands:
        for option in command.params:
            if option.param_type_name == "option" and option.name != "help":
                key = (", ".join(f"`{name}`" for name in option.opts), _plain(option.help))
                found.setdefault(key, []).append(name)
    yield from ("| option | of | what it does |", "|---|---|---|")
    for (names, doc), owners in found.items():
        yield _row(names, ", ".join(owners), doc)


def _plain(text: str | None) -> str:
    """Return the first paragraph of a help text as one line of Markdown."""
    return " ".join((text or "").split("\n\n")[0].split()).replace("``", "`")


def magics_page() -> str:
    """Return words of the first line, short keys of the body, and line commands."""
    flags = importlib.import_module("nbautoml.magics.flags").FLAGS
    body = importlib.import_module("nbautoml.magics.body")
    commands = importlib.import_module("nbautoml.magics.commands").COMMANDS
    lines = ["# Magics", "", NOTE, "", "`%load_ext nbautoml` registers both.", ""]
    lines += ["## %%automl", "", "Behind `%%automl` stand the data and these words:", ""]
    lines += ["| word | what it does |", "|---|---|"]
    lines += [_row(f"`{f'{flag.name} {flag.value}'.strip()}`", flag.doc) for flag in flags.values()]
    lines += ["", "The lines below are [settings](automl-config.md) as YAML, and `experiment`."]
    lines += ["Some have short names:", "", "| short | setting |", "|---|---|"]
    lines += [_row(f"`{short}`", f"`{full}`") for short, full in body.SHORT_KEYS.items()]
    lines += ["", "`metric` takes short names too:", "", "| short | metric |", "|---|---|"]
    lines += [_row(f"`{short}`", f"`{full}`") for short, full in body.SHORT_METRICS.items()]
    lines += ["", "## %automl", "", "| line | what it does |", "|---|---|"]
    for command in commands.values():
        lines.append(_row(f"`%automl {f'{command.name} {command.argument}'.strip()}`", command.doc))
    return _text(lines)


PAGES: dict[str, Callable[[], str]] = {
    "api.md": api_page,
    "automl-config.md": reference_markdown,
    "commands.md": commands_page,
    "errors.md": errors_page,
    "events.md": events_page,
    "magics.md": magics_page,
    "metrics.md": metrics_page,
    "models.md": models_page,
    "routes.md": routes_page,
}


def stale_pages() -> list[str]:
    """Return the names of pages that are not what the code says."""
    return [name for name, make in PAGES.items() if _read(FOLDER / name) != make()]


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _text(lines: Iterable[str]) -> str:
    return "\n".join(line.rstrip() for line in lines) + "\n"


def main(arguments: list[str]) -> int:
    """Write or check the pages; return the exit code."""
    stale = stale_pages()
    if "--check" in arguments:
        sys.stdout.writelines(f"docs/reference/{name} is not up to date\n" for name in stale)
        return 1 if stale else 0
    FOLDER.mkdir(exist_ok=True)
    for name in stale:
        (FOLDER / name).write_text(PAGES[name](), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
