"""Certificates of a cluster's own: its scheduler talks to nobody who does not have them.

Whoever may open a connection to a Dask scheduler can run code as its owner. A scheduler that
listens beyond the loopback address therefore asks for a certificate that only this cluster has.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any  # Any: distributed is typed in part only

from distributed.security import Security

from nbautoml.compute.cluster_state import TLS
from nbautoml.errors import MissingExtraError

CA, CERT, KEY = "ca.pem", "cert.pem", "key.pem"
_PRIVATE = 0o600


def make_credentials(folder: Path) -> Security:
    """Return new certificates, after writing them where those who may use the cluster find them.

    Parameters
    ----------
    folder : pathlib.Path
        The cluster's folder; the files in it can be read by their owner alone.

    Raises
    ------
    MissingExtraError
        When the package that makes certificates is not installed.
    """
    if importlib.util.find_spec("cryptography") is None:
        raise MissingExtraError(
            "Certificates are made by the package cryptography, which is not installed: "
            "pip install 'nbautoml[ssh]'."
        )
    new_security: Any = Security
    made = new_security.temporary()
    place = folder / TLS
    place.mkdir(parents=True, exist_ok=True)
    place.chmod(0o700)
    texts = {CA: made.tls_ca_file, CERT: made.tls_client_cert, KEY: made.tls_client_key}
    for name, text in texts.items():
        file = place / name
        file.unlink(missing_ok=True)
        file.touch(mode=_PRIVATE)
        file.write_text(str(text), encoding="utf-8")
    return security_of(place)


def security_of(place: Path) -> Security:
    """Return what the files of a folder stand for, for all parts of a cluster."""
    new_security: Any = Security
    files: dict[str, str] = {"tls_ca_file": str(place / CA)}
    for role in ("client", "scheduler", "worker"):
        files |= {f"tls_{role}_cert": str(place / CERT), f"tls_{role}_key": str(place / KEY)}
    made: Security = new_security(require_encryption=True, **files)
    return made
