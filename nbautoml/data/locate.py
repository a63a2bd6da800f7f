"""From what the caller names (paths, patterns, URLs, artifacts) to files on this machine."""

from __future__ import annotations

import glob
import hashlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fsspec.core import url_to_fs

from nbautoml.data.definition import Source
from nbautoml.data.readers.base import LocalFile
from nbautoml.data.url_map import UrlMap, find_workspace_root, load_url_map
from nbautoml.errors import DatasetError, did_you_mean

if TYPE_CHECKING:
    from nbautoml.store.session import Session

CACHE_VARIABLE = "NBAUTOML_CACHE_DIR"
STATE_FOLDER = ".nbautoml"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadContext:
    """What reading needs besides the definition: the workspace, URL map and cache folder."""

    session: Session | None
    url_map: UrlMap
    cache_dir: Path


def find_context(session: Session | None = None) -> ReadContext:
    """Return where to read from and where to cache.

    Without a session the workspace whose folder holds the working directory counts, and
    without one the user's cache folder (``NBAUTOML_CACHE_DIR`` moves it).
    """
    root = session.root if session is not None else find_workspace_root(Path.cwd())
    if session is not None:
        cache = session.state_dir / "cache"
    elif root is not None and (root / STATE_FOLDER).is_dir():
        cache = root / STATE_FOLDER / "cache"
    else:
        cache = _user_cache()
    return ReadContext(session=session, url_map=load_url_map(os.environ, root), cache_dir=cache)


def is_url(text: str) -> bool:
    """Whether text names something by ``scheme://``.

    Examples
    --------
    >>> is_url("https://host/a.csv"), is_url("C:/a.csv")
    (True, False)
    """
    return "://" in text


def is_http(text: str) -> bool:
    """Whether text is an ``http`` or ``https`` URL."""
    return text.lower().startswith(("http://", "https://"))


def locate(source: Source, context: ReadContext) -> list[LocalFile]:
    """Return the files of a source, in a fixed order, all on this machine.

    Raises
    ------
    DatasetError
        When there is no such file; the message names close ones.
    """
    if source.is_artifact:
        if context.session is None:
            raise DatasetError(f"{source.name} is kept in a workspace; open that workspace first.")
        path = context.session.load_artifact(source.owner, source.name)
        return [LocalFile(path=path, label=source.name)]
    if not is_url(source.uri):
        return _find_local(source.uri)
    mapping = context.url_map.find_mapping(source.uri)
    if mapping is not None:
        return _find_mapped(source.uri, context)
    if is_http(source.uri):
        # The HTTP client holds some 8 MB, which frames and local files do without.
        from nbautoml.data.http_cache import fetch

        return [LocalFile(path=fetch(source.uri, context.cache_dir / "http"), label=source.uri)]
    return _copy_remote(source.uri, context.cache_dir / "remote")


def _find_local(pattern: str) -> list[LocalFile]:
    path = Path(pattern)
    if path.is_file():
        return [LocalFile(path=path, label=pattern)]
    if path.is_dir():
        found = [p for p in sorted(path.rglob("*")) if p.is_file() and _is_data(p.name)]
        if not found:
            raise DatasetError(f"The folder {pattern} holds no files. Name a folder with data.")
    elif glob.has_magic(pattern):
        names = glob.glob(pattern, recursive=True)  # noqa: PTH207 - patterns are absolute
        matches = map(Path, sorted(names))
        found = [p for p in matches if p.is_file() and _is_data(p.name)]
        if not found:
            raise DatasetError(f"No file matches {pattern}.{_describe_folder(path.parent)}")
    else:
        raise DatasetError(_explain_missing(path))
    return [LocalFile(path=p, label=str(p)) for p in found]


def _is_data(name: str) -> bool:
    """Whether a file in a folder is data; tools write others with a leading ``.`` or ``_``."""
    return not name.startswith((".", "_"))


def _explain_missing(path: Path) -> str:
    names = _list_names(path.parent)
    return f"{path} does not exist.{did_you_mean(path.name, names)}{_describe_folder(path.parent)}"


def _list_names(folder: Path) -> list[str]:
    try:
        return sorted(p.name for p in folder.iterdir())
    except OSError:
        return []


def _describe_folder(folder: Path) -> str:
    while glob.has_magic(str(folder)):
        folder = folder.parent
    if not folder.is_dir():
        return f" There is no folder {folder}."
    names = _list_names(folder)
    if not names:
        return f" The folder {folder} is empty."
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return f" The folder {folder} holds: {', '.join(names[:10])}{more}."


def _find_mapped(url: str, context: ReadContext) -> list[LocalFile]:
    mapping = context.url_map.find_mapping(url)
    path = context.url_map.find(url)
    if mapping is None or path is None:
        raise DatasetError(f"{url} is not mapped to a local file.")
    if not path.is_file():
        raise DatasetError(
            f"{url} is mapped to a local file by {mapping.origin}, but {_explain_missing(path)}"
        )
    return [LocalFile(path=path, label=f"{url} (mapped to {path})")]


def _copy_remote(uri: str, cache_dir: Path) -> list[LocalFile]:
    """Copy files behind an fsspec URL, by their content key, and return the copies."""
    try:
        fs, path = url_to_fs(uri)
        names = sorted(fs.glob(path)) if glob.has_magic(path) else [path]
        if len(names) == 1 and fs.isdir(names[0]):
            names = sorted(fs.find(names[0]))
        files = [name for name in names if fs.isfile(name)]
        if not files:
            raise DatasetError(f"{uri} does not exist. Check the address.")
        found = []
        for name in files:
            key = hashlib.sha256(f"{uri}\0{name}\0{fs.ukey(name)}".encode()).hexdigest()[:32]
            copy = cache_dir / key / Path(name).name
            if not copy.is_file():
                copy.parent.mkdir(parents=True, exist_ok=True)
                part = copy.with_suffix(f".{os.getpid()}.part")
                fs.get_file(name, str(part))
                part.replace(copy)
            found.append(LocalFile(path=copy, label=str(fs.unstrip_protocol(name))))
    except (OSError, ValueError, ImportError) as error:
        if isinstance(error, DatasetError):
            raise
        raise DatasetError(f"{uri} cannot be read: {error}. Check the address.") from error
    return found


def _user_cache() -> Path:
    if folder := os.environ.get(CACHE_VARIABLE):
        return Path(folder).expanduser()
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = str(Path.home() / "Library" / "Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "nbautoml"
