"""Files behind ``http(s)`` URLs, kept on disk by URL and brought up to date by ETag."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

import httpx

from nbautoml.errors import DatasetError

TIMEOUT = httpx.Timeout(30.0, connect=10.0)  # seconds; a large file takes as long as it takes
BLOCK_BYTES = 1 << 20
META_FILE = "meta.json"
_SIGN_IN = "needs a sign-in or an access token; download the file and pass its local path"
STATUS_ADVICE = {
    401: _SIGN_IN,
    403: _SIGN_IN,
    404: "does not exist there (404); check the address",
    410: "is gone (410); look for its new address",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedFile:
    """What is known about a fetched URL; `file` is a name in the entry's folder."""

    url: str
    file: str
    etag: str = ""
    last_modified: str = ""
    size_bytes: int = 0


def fetch(url: str, cache_dir: Path) -> Path:
    """Return a local copy of a URL's content.

    The server is asked each time, with the ETag or date of the copy, and sends nothing when
    that is still right. When it cannot be reached the copy is used, with a warning.

    Parameters
    ----------
    url : str
        An ``http`` or ``https`` URL.
    cache_dir : pathlib.Path
        Where copies are kept.

    Raises
    ------
    DatasetError
        When the server refuses, or cannot be reached and there is no copy.
    """
    folder = cache_dir / hashlib.sha256(url.encode()).hexdigest()[:32]
    known = _load(folder)
    try:
        with (
            httpx.Client(follow_redirects=True, timeout=TIMEOUT) as client,
            client.stream("GET", url, headers=_conditions(known)) as response,
        ):
            if response.status_code == httpx.codes.NOT_MODIFIED and known is not None:
                return folder / known.file
            if response.status_code >= 500 and known is not None:
                return _use_stale(folder, known, f"answered {response.status_code}")
            _refuse_errors(url, response.status_code)
            return _store(url, folder, response)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        reason = str(error) or type(error).__name__
        if known is not None:
            return _use_stale(folder, known, f"cannot be reached ({reason})")
        raise DatasetError(
            f"{url} cannot be reached: {reason}. Check the address and the network; to run "
            f"offline, map the URL to a local file with NBAUTOML_URL_MAP or 'url_map' in the "
            f"workspace's config.json."
        ) from error


def _refuse_errors(url: str, status: int) -> None:
    if status < 400:
        return
    advice = STATUS_ADVICE.get(status, f"was answered with HTTP status {status}; try again later")
    raise DatasetError(f"{url} {advice}.")


def _use_stale(folder: Path, known: CachedFile, reason: str) -> Path:
    warnings.warn(
        f"{known.url} {reason}; the copy fetched earlier is used.", UserWarning, stacklevel=4
    )
    return folder / known.file


def _conditions(known: CachedFile | None) -> dict[str, str]:
    if known is None:
        return {}
    headers = {"If-None-Match": known.etag, "If-Modified-Since": known.last_modified}
    return {name: value for name, value in headers.items() if value}


def _load(folder: Path) -> CachedFile | None:
    """Return the entry of a folder; a damaged or half-written one counts as none."""
    try:
        known = CachedFile(**json.loads((folder / META_FILE).read_text(encoding="utf-8")))
        size = (folder / known.file).stat().st_size
    except (OSError, ValueError, TypeError):
        return None
    return known if size == known.size_bytes else None


def _store(url: str, folder: Path, response: httpx.Response) -> Path:
    """Write the body, then the entry that names it; readers see the old or the new one."""
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with tempfile.NamedTemporaryFile(dir=folder, delete=False, suffix=".part") as part:
        try:
            for block in response.iter_bytes(BLOCK_BYTES):
                digest.update(block)
                part.write(block)
        except BaseException:
            part.close()
            Path(part.name).unlink(missing_ok=True)
            raise
    name = f"{digest.hexdigest()[:12]}-{_file_name(url)}"
    body = folder / name
    Path(part.name).replace(body)
    entry = CachedFile(
        url=url,
        file=name,
        etag=response.headers.get("etag", ""),
        last_modified=response.headers.get("last-modified", ""),
        size_bytes=body.stat().st_size,
    )
    meta = folder / f"{META_FILE}.{os.getpid()}"
    meta.write_text(json.dumps(asdict(entry)), encoding="utf-8")
    meta.replace(folder / META_FILE)
    return body


def _file_name(url: str) -> str:
    name = PurePosixPath(unquote(urlsplit(url).path)).name
    return "".join(c if c.isalnum() or c in "._-" else "_" for c in name)[-100:] or "content"
