"""What a step's result depends on: a key over all of it, and words for what has changed."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Any  # Any: JSON values

from nbautoml.domain.records import RunRecord
from nbautoml.domain.status import RunStatus
from nbautoml.errors import NotFoundError
from nbautoml.pipelines.outputs import datastore_of, load_output, path_fingerprint
from nbautoml.pipelines.resolved import ResolvedStep
from nbautoml.runs.environment import Environment
from nbautoml.runs.packages import installed_version, stated_names
from nbautoml.runs.snapshot import snapshot_hashes
from nbautoml.store.session import Session

REUSE = "logs/nbautoml/reuse.json"
"""File of a step's run: all that its key is made of."""
KEY = "step_key"
"""Property of a step's run: its key."""
STEP_NAME = "azureml.nodename"
"""Property of a step's run: the name of the step, in the SDK's spelling."""
SCRIPT_FORM, AUTOML_FORM = "script/1", "automl/1"
"""What a step does, and how its key is made: another number and nothing earlier is reused."""

_WITHOUT_EFFECT = frozenset(
    {
        *("compute_target", "debug_log", "verbosity", "path", "run_configuration"),
        *("spark_context", "enforce_time_on_windows", "enable_local_managed", "enable_cache"),
        *("model_explainability", "enable_code_generation", "save_mlflow"),
    }
)
"""Settings of AutoML that do not change which model is found, or what is written of it."""
_ML_PACKAGES = ("nbautoml", "numpy", "pandas", "scikit-learn", "lightgbm", "xgboost")


@dataclass(frozen=True, slots=True, kw_only=True)
class StepKey:
    """What a step's result depends on.

    Parameters
    ----------
    parts : mapping
        All of it, by what it is.
    values : mapping
        Parameters of the pipeline that the step uses; they are in the parts too, as texts.
    """

    parts: Mapping[str, Any]
    values: Mapping[str, Any]

    @property
    def text(self) -> str:
        """SHA-256 of the parts."""
        canonical = json.dumps(self.parts, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    def to_bytes(self) -> bytes:
        """Return it as the content of a file."""
        content = {"key": self.text, "parts": self.parts, "values": self.values}
        return json.dumps(content, indent=1, sort_keys=True).encode()


def key_of(session: Session, resolved: ResolvedStep) -> StepKey:
    """Return what the result of a step depends on.

    Not in it are the compute target, ids of runs, paths on this machine, and tags.

    Parameters
    ----------
    session : Session
        The open store.
    resolved : ResolvedStep
        The step.

    Raises
    ------
    NotFoundError
        When an input is not there.
    """
    step = resolved.step
    parts = {
        "version": step.version,
        "inputs": {given["name"]: _fingerprint(session, given) for given in resolved.inputs},
        "outputs": [
            [output.name, output.datastore, output.path, output.is_directory, output.training]
            for output in step.outputs
        ],
        **_PARTS[step.kind](session, resolved),
    }
    return StepKey(parts=parts, values=resolved.values)


def load_key(session: Session, run_id: str) -> StepKey | None:
    """Return the key of a step's run, None where none was kept."""
    try:
        content = json.loads(session.load_artifact(run_id, REUSE).read_bytes())
    except NotFoundError:
        return None
    return StepKey(parts=content["parts"], values=content["values"])


def newest_run(session: Session, name: str) -> RunRecord | None:
    """Return the newest run of a step of that name that has completed."""
    with session.read() as tx:
        found = tx.runs.list(
            include_children=True,
            statuses=[RunStatus.COMPLETED],
            properties={STEP_NAME: name, KEY: None},
            limit=1,
        )
    return found[0] if found else None


def what_changed(now: StepKey, before: StepKey) -> str:
    """Return the first thing in which two keys differ, as words; empty for equal ones.

    Examples
    --------
    >>> parts = {"script": "a.py", "source": {"a.py": "1"}, "inputs": {"raw": "x"}}
    >>> old = StepKey(parts=parts, values={})
    >>> what_changed(StepKey(parts={**parts, "source": {"a.py": "2"}}, values={}), old)
    'script changed'
    >>> what_changed(StepKey(parts={**parts, "inputs": {"raw": "y"}}, values={}), old)
    'input raw changed'
    """
    for name in sorted({*now.values, *before.values}):
        if now.values.get(name) != before.values.get(name):
            return f"parameter {name} changed"
    ours, theirs = now.parts, before.parts
    source = _differing(ours.get("source", {}), theirs.get("source", {}))
    if source:
        script = ours.get("script")
        return "script changed" if script in source else f"file {source[0]} changed"
    for part, noun in (("inputs", "input"), ("settings", "setting")):
        changed = _differing(ours.get(part, {}), theirs.get(part, {}))
        if changed:
            return f"{noun} {changed[0]} changed"
    words = {"kind": "the way its key is made", "script": "the script's name"}
    for part in ("kind", "script", "arguments", "params", "environment", "outputs", "version"):
        if ours.get(part) != theirs.get(part):
            return f"{words.get(part, part)} changed"
    return ""


def _differing(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    return [n for n in sorted({*ours, *theirs}) if ours.get(n) != theirs.get(n)]


def _fingerprint(session: Session, given: Mapping[str, Any]) -> Any:
    """Return what is known of the content of an input."""
    source = given["source"]
    if source["kind"] == "output":
        content: Any = load_output(session, source["run"], source["output"]).fingerprint
    elif source["kind"] == "dataset":
        with session.read() as tx:
            record = tx.datasets.get_by_id(source["dataset"])
        content = [record.id, record.version, record.fingerprint]
    else:
        datastore = datastore_of(session, source["datastore"])
        content = path_fingerprint(datastore, source["path"])
    return [content, given["table"]]


def _script_parts(session: Session, resolved: ResolvedStep) -> dict[str, Any]:
    job = resolved.step.settings
    return {
        "kind": SCRIPT_FORM,
        "script": job["script"],
        "source": snapshot_hashes(session, job["snapshot"]),
        "arguments": [dict(argument) for argument in resolved.arguments],
        "params": dict(resolved.params),
        "environment": _environment(job),
    }


def _environment(job: Mapping[str, Any]) -> dict[str, Any]:
    """Return Python, the packages that were stated, and which of them are installed."""
    stated = dict(job["environment"] or {})
    for word in ("name", "version"):
        stated.pop(word, None)
    names = stated_names(Environment.from_dict(job["environment"])) if job["environment"] else ()
    return {
        "python": job["python"] or _python(),
        "stated": stated,
        "installed": {name: installed_version(name) for name in names},
        "seconds": job["max_run_duration_seconds"],
    }


def _automl_parts(_session: Session, resolved: ResolvedStep) -> dict[str, Any]:
    config = resolved.step.settings["config"]
    return {
        "kind": AUTOML_FORM,
        "settings": {n: v for n, v in config.items() if n not in _WITHOUT_EFFECT},
        "environment": {"python": _python(), "installed": _versions()},
    }


def _versions() -> dict[str, str]:
    found = {}
    for name in _ML_PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:  # an optional one, or a source tree
            found[name] = ""
    return found


def _python() -> str:
    return ".".join(platform.python_version_tuple()[:2])


_PARTS: Mapping[str, Callable[[Session, ResolvedStep], dict[str, Any]]] = {
    "script": _script_parts,
    "automl": _automl_parts,
}
