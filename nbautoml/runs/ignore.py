r"""Which files of a source folder are left out: ``.amlignore``, else ``.gitignore``.

The patterns are those of Git: ``*``, ``?`` and ``[…]`` stay within a name, ``**`` goes over
folders, a slash at the end means folders only, one elsewhere ties the pattern to the folder of the
file, and ``!`` takes a file in again that an earlier line left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

FILES = (".amlignore", ".gitignore")
"""Files with patterns; only the first one that is there counts, as in the SDK."""

ALWAYS = frozenset({".git", ".ipynb_checkpoints", ".nbautoml", "__pycache__"})
"""Names that are always left out: what tools keep beside a person's files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    pattern: re.Pattern[str]
    is_kept: bool
    only_folders: bool


class IgnoreRules:
    r"""The patterns of one file.

    Parameters
    ----------
    text : str
        The file's content.

    Examples
    --------
    >>> rules = IgnoreRules("data/\n*.csv\n!small.csv")
    >>> rules.matches("data", is_folder=True), rules.matches("a/big.csv", is_folder=False)
    (True, True)
    >>> rules.matches("a/small.csv", is_folder=False)
    False
    """

    def __init__(self, text: str) -> None:
        self._rules = [rule for line in text.splitlines() if (rule := _rule(line)) is not None]

    def matches(self, path: str, *, is_folder: bool) -> bool:
        """Whether a path below the file's folder is left out; the last rule decides."""
        for rule in reversed(self._rules):
            if (is_folder or not rule.only_folders) and rule.pattern.fullmatch(path):
                return not rule.is_kept
        return False


def read_rules(folder: Path) -> IgnoreRules:
    """Return the rules of a source folder; none are left out where it has no such file."""
    for name in FILES:
        file = folder / name
        if file.is_file():
            return IgnoreRules(file.read_text(encoding="utf-8", errors="replace"))
    return IgnoreRules("")


def _rule(line: str) -> _Rule | None:
    text = line if line.endswith("\\ ") else line.rstrip()
    if not text or text.startswith("#"):
        return None
    is_kept = text.startswith("!")
    text = text[1:] if is_kept else text
    text = text[1:] if text.startswith(("\\#", "\\!")) else text
    only_folders = text.endswith("/")
    text = text.rstrip("/")
    is_tied = "/" in text
    body = _expression(text.lstrip("/"))
    pattern = re.compile(body if is_tied else f"(?:.*/)?{body}", re.DOTALL)
    return _Rule(pattern=pattern, is_kept=is_kept, only_folders=only_folders)


_TOKENS = re.compile(
    r"(?P<ahead>(?:^|(?<=/))\*\*/)|(?P<all>\*\*)|(?P<some>\*)|(?P<one>\?)"
    r"|\[(?P<not>[!^]?)(?P<set>\]?[^\]]*)\]|\\(?P<plain>.)|(?P<other>.)",
    re.DOTALL,
)


def _expression(pattern: str) -> str:
    """Return a regular expression for one pattern."""
    parts = []
    for token in _TOKENS.finditer(pattern):
        if token["ahead"]:
            parts.append("(?:.*/)?")
        elif token["all"]:
            parts.append(".*")
        elif token["some"]:
            parts.append("[^/]*")
        elif token["one"]:
            parts.append("[^/]")
        elif token["set"]:
            escaped = token["set"].replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
            parts.append(f"(?!/)[{'^' if token['not'] else ''}{escaped}]")
        else:
            parts.append(re.escape(token["plain"] or token["other"]))
    return "".join(parts)
