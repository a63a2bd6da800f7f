"""Finding a registered model by what is known of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any  # Any: tags as the SDK writes them

from nbautoml.domain.records import ModelRecord
from nbautoml.errors import ConfigError, NotFoundError
from nbautoml.store.session import Session


def find_model(
    session: Session,
    name: str | None,
    version: int | None,
    *,
    tags: Sequence[Any] | Mapping[str, str] | None,
    run_id: str | None,
) -> ModelRecord:
    """Return the newest version that fits, or raise `NotFoundError`."""
    with session.read() as tx:
        if name is not None and tags is None and run_id is None:
            return tx.models.get(name, version)
        records = tx.models.list(name=name, tags=tag_filter(tags), run_id=run_id)
        known = sorted({r.name for r in tx.models.list()})
    fitting = [r for r in records if version in (None, r.version)]
    if not fitting:
        wanted = {"name": name, "version": version, "tags": tags, "run_id": run_id}
        asked = ", ".join(f"{k}={v!r}" for k, v in wanted.items() if v is not None)
        raise NotFoundError(
            f"No model fits {asked or 'nothing'}. There are: {', '.join(known) or 'none yet'}."
        )
    return fitting[0]


def version_number(text: str, *, of: str) -> int:
    """Return the version in an id such as ``churn:3``, or raise `ConfigError`."""
    try:
        return int(text)
    except ValueError:
        raise ConfigError(
            f"id of Model must be 'name:version', such as 'churn:3'; got {of!r}."
        ) from None


def tag_filter(tags: Sequence[Any] | Mapping[str, str] | None) -> dict[str, str | None]:
    """Return name and value of each tag that must be there; None stands for any value."""
    if isinstance(tags, Mapping):
        return {str(k): str(v) for k, v in tags.items()}
    pairs = [(t, None) if isinstance(t, str) else (t[0], str(t[1])) for t in tags or ()]
    return dict(pairs)
