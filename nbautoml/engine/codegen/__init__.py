"""The code of a trial: plain Python that a data scientist reads, runs and edits."""

from __future__ import annotations

from nbautoml.engine.codegen.data import needs_split_file
from nbautoml.engine.codegen.facts import Member, RunFacts, ScriptFacts
from nbautoml.engine.codegen.notebook import write_notebook
from nbautoml.engine.codegen.script import write_script

__all__ = [
    "Member",
    "RunFacts",
    "ScriptFacts",
    "needs_split_file",
    "write_notebook",
    "write_script",
]
