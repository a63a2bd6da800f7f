"""Everything nbautoml raises on purpose.

The tree (each class also inherits the built-in that fits, so that ``except ValueError`` works)::

    NbAutoMLError
    ├── ConfigError (ValueError)        a setting is wrong: name, value or combination
    ├── NotAvailableError (RuntimeError)  a known setting or call whose function is not built yet
    ├── MissingExtraError (ImportError)   an optional package is needed
    ├── NotFoundError (LookupError)     a named thing is not in the workspace
    │   ├── ComputeTargetException      no compute target of that name (Azure's name)
    │   └── WebserviceNotFoundError     no deployment of that name
    ├── NotAllowedError (PermissionError)  the caller may not see or change this
    ├── ConflictError (RuntimeError)    the thing exists already, or another process holds it
    ├── DatasetError (ValueError)       a file or frame cannot be used as it is
    ├── TrainingError (RuntimeError)    a run, trial or fit ended without a result
    │   └── StoppedError                work was stopped by a deadline, a memory limit or a cancel
    ├── ComputeError (RuntimeError)     a cluster cannot start or cannot do what is asked
    ├── ModelError (RuntimeError)       a model file cannot be trusted or loaded
    ├── WebserviceException (RuntimeError)  a deployment failed or cannot answer (Azure's name)
    └── StoreError (RuntimeError)       the workspace store cannot be opened or is too new
        ├── StoreUnavailableError       its server is away, or another process keeps it locked
        ├── DiskFullError               there is no space left where the workspace is kept
        └── ReadOnlyStoreError          the workspace was opened to be read only

A message says what was asked, what was found, and what to do. In a notebook these errors
show as that message, never as a traceback: they carry ``_render_traceback_``.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class NbAutoMLError(Exception):
    """Root of all errors that nbautoml raises on purpose.

    Parameters
    ----------
    message : str
        What was asked, what was found, what to do.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return self.message

    def _render_traceback_(self) -> list[str]:
        """Lines that IPython shows in place of a traceback."""
        return [f"{type(self).__name__}: {self.message}"]


class ConfigError(NbAutoMLError, ValueError):
    """A setting has a wrong name, a wrong value, or contradicts another."""


class NotAvailableError(NbAutoMLError, RuntimeError):
    """A documented setting or call whose function does not exist yet."""


class MissingExtraError(NbAutoMLError, ImportError):
    """An optional package is needed; the message names the extra to install."""


class NotFoundError(NbAutoMLError, LookupError):
    """Nothing of that name or id is in the workspace."""


class ComputeTargetException(NotFoundError):  # noqa: N818 - Azure's public name
    """No compute target of that name is in the workspace."""


class NotAllowedError(NbAutoMLError, PermissionError):
    """The caller may not see or change this."""


class ConflictError(NbAutoMLError, RuntimeError):
    """The thing exists already, or another process holds it."""


class DatasetError(NbAutoMLError, ValueError):
    """A file or a DataFrame cannot be used as it is."""


class TrainingError(NbAutoMLError, RuntimeError):
    """A run, a trial or a fit ended without a usable result."""


class StoppedError(TrainingError):
    """Work was stopped by its deadline, its memory limit or a cancel."""


class ComputeError(NbAutoMLError, RuntimeError):
    """A cluster cannot start, or cannot do what is asked of it."""


class ModelError(NbAutoMLError, RuntimeError):
    """A model file cannot be trusted, or cannot be loaded here."""


class WebserviceException(NbAutoMLError, RuntimeError):  # noqa: N818 - Azure's public name
    """A deployment failed, or does not answer as it should."""


class WebserviceNotFoundError(WebserviceException, NotFoundError):
    """No deployment of that name is in the workspace."""


class StoreError(NbAutoMLError, RuntimeError):
    """The workspace store cannot be opened, or is newer than this code."""


class StoreUnavailableError(StoreError):
    """The store does not answer now; the same call may work a moment later."""


class DiskFullError(StoreError):
    """There is no space left where the workspace is kept."""


class ReadOnlyStoreError(StoreError):
    """The workspace can be read but not changed: its disk is full, or may not be written."""


def did_you_mean(name: str, valid: Iterable[str]) -> str:
    """Return ``" Did you mean 'x'?"`` for the closest valid name, or ``""``.

    Upper and lower case do not count.

    Parameters
    ----------
    name : str
        What the user wrote.
    valid : iterable of str
        The names that would have been right.

    Returns
    -------
    str
        A sentence with a leading space, or the empty string.

    Examples
    --------
    >>> did_you_mean("LigthGBM", ["LightGBM", "KNN"])
    " Did you mean 'LightGBM'?"
    >>> did_you_mean("zzz", ["LightGBM", "KNN"])
    ''
    """
    by_lower = {v.lower(): v for v in valid}
    close = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return f" Did you mean '{by_lower[close[0]]}'?" if close else ""
