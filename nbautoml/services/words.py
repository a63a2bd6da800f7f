"""What people write about datasets and models, checked on its way in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any  # Any: JSON values

from nbautoml.errors import ConfigError, did_you_mean

_KEYS = ("description", "tags")


def asked_words(asked: Mapping[str, Any]) -> tuple[str | None, dict[str, str] | None]:
    """Return the description and the tags that a request asks for; None where it asks for none.

    Parameters
    ----------
    asked : mapping
        ``description`` (a text) and ``tags`` (texts by name), or one of them.

    Raises
    ------
    ConfigError
        When there is neither, something else, or another kind of value.

    Examples
    --------
    >>> asked_words({"tags": {"area": "hr"}})
    (None, {'area': 'hr'})
    """
    unknown = next((key for key in asked if key not in _KEYS), None)
    if unknown is not None or not asked:
        hint = did_you_mean(str(unknown), _KEYS) if unknown is not None else ""
        raise ConfigError(
            f"description and tags can be changed, nothing else; got {list(asked)}.{hint}"
        )
    description, tags = asked.get("description"), asked.get("tags")
    if description is not None and not isinstance(description, str):
        raise ConfigError(f"description must be a text; got {description!r:.100}.")
    if tags is not None and not _is_text_by_name(tags):
        raise ConfigError(f"tags must be texts by name; got {tags!r:.100}.")
    return description, tags


def _is_text_by_name(tags: object) -> bool:
    return isinstance(tags, Mapping) and all(
        isinstance(key, str) and key.strip() and isinstance(value, str)
        for key, value in tags.items()
    )
