"""A step once its parameters have values and the steps before it have results."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any  # Any: JSON values

from nbautoml.pipelines.frozen import FrozenStep

_IDS = uuid.UUID("6ba3d1c2-94d8-4c56-9a7e-0d1f6b0d3a11")
"""Where ids of step runs come from: a coordinator that begins anew finds those of the last one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedStep:
    """What is left to be done when a step begins.

    Parameters
    ----------
    step : FrozenStep
        The step.
    inputs : tuple of mapping
        As in `FrozenStep`; a source is the output of a run, a dataset, or a path in a datastore.
    arguments : tuple of mapping
        Each a ``text``, or the name of an ``input`` or ``output``.
    params : mapping of str to str
        Values for its environment.
    values : mapping
        The parameters of the pipeline that it uses.
    """

    step: FrozenStep
    inputs: tuple[Mapping[str, Any], ...]
    arguments: tuple[Mapping[str, str], ...]
    params: Mapping[str, str]
    values: Mapping[str, Any]


def resolve_step(
    step: FrozenStep, values: Mapping[str, Any], sources: Mapping[int, str]
) -> ResolvedStep:
    """Return a step with nothing left in it that depends on parameters or other steps.

    Parameters
    ----------
    step : FrozenStep
        The step.
    values : mapping
        Value of each parameter of the pipeline.
    sources : mapping of int to str
        Number of each step before it to the run that made its outputs.
    """
    inputs = tuple(
        {**given, "source": _source(given["source"], values, sources)} for given in step.inputs
    )
    params = {
        name: next(iter(_argument(template, values).values()))
        for name, template in step.params.items()
    }
    used = {name: values[name] for name in dict.fromkeys(_parameters(step))}
    return ResolvedStep(
        step=step,
        inputs=inputs,
        arguments=tuple(_argument(template, values) for template in step.arguments),
        params=params,
        values=used,
    )


def step_run_id(run_id: str, step: FrozenStep) -> str:
    """Return the id of a step's run within a pipeline's run: always the same one."""
    found = str(uuid.uuid5(_IDS, f"{run_id}/{step.number}"))
    return f"AutoML_{found}" if step.kind == "automl" else found


def _source(
    source: Mapping[str, Any], values: Mapping[str, Any], sources: Mapping[int, str]
) -> dict[str, Any]:
    if source["kind"] == "output":
        return {"kind": "output", "run": sources[source["step"]], "output": source["output"]}
    if source["kind"] == "parameter":
        value = values[source["parameter"]]
        return {"kind": "dataset" if "dataset" in value else "path", **value}
    return dict(source)


def _argument(template: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, str]:
    if "parameter" in template:
        return {"text": str(values[template["parameter"]])}
    return {kind: str(value) for kind, value in template.items()}


def _parameters(step: FrozenStep) -> Iterable[str]:
    """Yield the names of the parameters that a step uses."""
    for template in (*step.arguments, *step.params.values()):
        if "parameter" in template:
            yield str(template["parameter"])
    for given in step.inputs:
        if given["source"]["kind"] == "parameter":
            yield str(given["source"]["parameter"])
