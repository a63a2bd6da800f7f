"""Where a workspace's runs are mirrored to: one small file in the workspace."""

from __future__ import annotations

import json
import os
from pathlib import Path
from urllib.parse import urlsplit

from nbautoml.errors import ConfigError
from nbautoml.store.session import Session

_SCHEMES = ("http", "https", "sqlite", "postgresql", "mysql", "mssql", "databricks")


def mirror_folder(session: Session) -> Path:
    """Return the folder for all that the mirror keeps."""
    return session.state_dir / "mlflow"


def local_uri(session: Session) -> str:
    """Return the address of the workspace's own file for MLflow, which needs no server."""
    return f"sqlite:///{mirror_folder(session) / 'mlflow.db'}"


def mirror_uri(session: Session) -> str | None:
    """Return where runs are mirrored to; None when they are not."""
    try:
        text = _file(session).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    return str(json.loads(text)["tracking_uri"])


def tracking_uri(session: Session) -> str:
    """Return where runs are mirrored to, else the workspace's own file; its folder is made."""
    address = mirror_uri(session)
    if address is None:
        mirror_folder(session).mkdir(parents=True, exist_ok=True)
        return local_uri(session)
    return address


def set_mirror(session: Session, tracking_uri: str) -> None:
    """Remember where runs are mirrored to.

    Raises
    ------
    ConfigError
        When the address is none that MLflow knows, or holds a password.
    """
    parts = urlsplit(tracking_uri)
    if parts.scheme.partition("+")[0] not in _SCHEMES:
        raise ConfigError(
            "tracking_uri must be the address of an MLflow server or of its database, such as "
            f"'http://localhost:5000' or 'sqlite:////data/mlflow.db'; got {tracking_uri!r}."
        )
    if parts.password:
        raise ConfigError(
            "tracking_uri holds a password, which does not belong in a file. Set the environment "
            "variables MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD."
        )
    path = _file(session)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(json.dumps({"tracking_uri": tracking_uri}), encoding="utf-8")
    draft.replace(path)


def clear_mirror(session: Session) -> None:
    """Forget where runs are mirrored to; a mirror that is at work ends."""
    _file(session).unlink(missing_ok=True)


def _file(session: Session) -> Path:
    return mirror_folder(session) / "mirror.json"
