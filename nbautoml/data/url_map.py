"""Local files in place of URLs, so that notebooks which name remote files run offline.

Two places hold the map: the environment variable ``NBAUTOML_URL_MAP`` (path of a YAML or JSON
file, or inline pairs ``prefix=folder`` with ``;`` between them), and the key ``url_map`` of the
workspace's ``config.json``. The variable wins.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any  # Any: parsed YAML or JSON
from urllib.parse import unquote, urlsplit

import yaml

from nbautoml.errors import ConfigError, DatasetError

VARIABLE = "NBAUTOML_URL_MAP"
CONFIG_KEY = "url_map"
CONFIG_MARKS = frozenset({CONFIG_KEY, "name", "workspace_name"})
CONFIG_FILES = (".nbautoml/config.json", "config.json", ".azureml/config.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlMapping:
    """One entry: URLs that begin with `prefix` are files at or below `target`."""

    prefix: str
    target: Path
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlMap:
    """All mappings, the ones that win first.

    Examples
    --------
    >>> one = UrlMapping(prefix="https://host/data/", target=Path("/data"), origin="config")
    >>> UrlMap(mappings=(one,)).find("https://host/data/a%20b.csv?x=1").as_posix()
    '/data/a b.csv'
    >>> UrlMap().find("https://host/a.csv") is None
    True
    """

    mappings: tuple[UrlMapping, ...] = ()

    def find(self, url: str) -> Path | None:
        """Return the local path that stands for a URL, or None when it is not mapped.

        A URL that is mapped as a whole wins over prefixes, a longer prefix over a shorter.
        """
        match = self.find_mapping(url)
        if match is None:
            return None
        if url == match.prefix and not match.target.is_dir():
            return match.target
        return match.target / _relative_path(url, match)

    def find_mapping(self, url: str) -> UrlMapping | None:
        """Return the entry that applies to a URL."""
        fitting = [m for m in self.mappings if _applies(m.prefix, url)]
        return max(fitting, key=lambda m: len(m.prefix), default=None)


def load_url_map(environ: Mapping[str, str], root: Path | None) -> UrlMap:
    """Return the map of the environment and of a workspace.

    Parameters
    ----------
    environ : mapping of str to str
        Where ``NBAUTOML_URL_MAP`` is looked up.
    root : pathlib.Path or None
        The workspace's folder, where there is one.

    Raises
    ------
    ConfigError
        When the map cannot be read.
    """
    found = _from_variable(environ.get(VARIABLE, "").strip())
    known = {mapping.prefix for mapping in found}
    if root is not None:
        found += [m for m in _from_config(root) if m.prefix not in known]
    return UrlMap(mappings=tuple(found))


def find_workspace_root(start: Path) -> Path | None:
    """Return the nearest folder at or above `start` that holds a workspace's config file."""
    for folder in (start, *start.parents):
        if any(_read_config(folder / name) is not None for name in CONFIG_FILES):
            return folder
    return None


def _read_config(path: Path) -> dict[str, Any] | None:
    """Return a workspace's config file; None for one of something else, or one that is broken."""
    try:
        values = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return None
    is_ours = isinstance(values, dict) and not CONFIG_MARKS.isdisjoint(values)
    return values if is_ours else None


def _applies(prefix: str, url: str) -> bool:
    if not url.startswith(prefix):
        return False
    rest = url[len(prefix) :]
    return not rest or prefix.endswith("/") or rest[0] in "/?#"


def _relative_path(url: str, mapping: UrlMapping) -> str:
    rest = unquote(urlsplit(url[len(mapping.prefix) :].lstrip("/")).path)
    relative = PurePosixPath(rest)
    if relative.is_absolute() or ".." in relative.parts:
        raise DatasetError(f"{url} leads out of the folder {mapping.target} that stands for it.")
    return str(relative)


def _from_variable(text: str) -> list[UrlMapping]:
    if not text:
        return []
    path = Path(text).expanduser()
    if "=" not in text or path.is_file():
        return _from_file(path, f"the file {path} ({VARIABLE})")
    pairs: dict[str, Any] = {}
    for pair in text.replace("\n", ";").split(";"):
        prefix, _, target = pair.strip().rpartition("=")
        if prefix:
            pairs[prefix] = target
    return _mappings(pairs, Path.cwd(), VARIABLE)


def _from_config(root: Path) -> list[UrlMapping]:
    for name in CONFIG_FILES:
        path = root / name
        entry = (_read_config(path) or {}).get(CONFIG_KEY)
        if isinstance(entry, str):
            return _from_file(root / entry, f"{entry} ({CONFIG_KEY} of {path})")
        if entry is not None:
            return _mappings(entry, root, f"{CONFIG_KEY} of {path}")
    return []


def _from_file(path: Path, origin: str) -> list[UrlMapping]:
    if not path.is_file():
        raise ConfigError(
            f"The URL map {path} does not exist. Set {VARIABLE} to a YAML or JSON file with "
            f"lines such as 'https://host/folder/: local-folder', or to pairs prefix=folder."
        )
    return _mappings(_parse(path), path.parent, origin)


def _parse(path: Path) -> Any:
    text = path.read_text(encoding="utf-8-sig")
    try:
        return json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except (json.JSONDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path} cannot be read: {error}. Correct that line.") from error


def _mappings(values: Any, base: Path, origin: str) -> list[UrlMapping]:
    if not isinstance(values, Mapping):
        raise ConfigError(
            f"The URL map in {origin} must map URLs to local files or folders; "
            f"found {type(values).__name__}."
        )
    return [
        UrlMapping(
            prefix=str(prefix), target=(base / Path(str(target)).expanduser()), origin=origin
        )
        for prefix, target in values.items()
    ]
