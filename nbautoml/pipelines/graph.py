"""From the steps of a pipeline to their graph, and what is wrong with it."""

from __future__ import annotations

import graphlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any  # Any: steps, and lists of them, at any depth

from nbautoml.errors import ConfigError
from nbautoml.pipelines.parameters import PipelineParameter
from nbautoml.pipelines.ports import OutputPort
from nbautoml.pipelines.steps._base import PipelineStep
from nbautoml.pipelines.steps.sequence import StepSequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """Steps in their order, and the numbers of those that end before each of them begins."""

    steps: tuple[PipelineStep, ...]
    after: tuple[tuple[int, ...], ...]
    makers: Mapping[OutputPort, int]
    """Number of the step that writes an output."""

    @property
    def parameters(self) -> dict[str, PipelineParameter]:
        """The parameters of all steps, by name."""
        return {p.name: p for step in self.steps for p in step.parameters}


def build_graph(steps: Any) -> Graph:
    """Return the graph of steps, with all steps whose outputs they need.

    Parameters
    ----------
    steps : PipelineStep, StepSequence, or list of these at any depth
        What the pipeline was given.

    Raises
    ------
    ConfigError
        When something else is among them, or there is none.
    """
    edges: set[tuple[int, int]] = set()
    given = list(dict.fromkeys(_flat(steps, edges)))
    if not given:
        raise ConfigError("A pipeline needs a step: Pipeline(ws, steps=[step]).")
    makers = {port: step for step in given for port in step.outputs}
    seen = list(given)
    for step in seen:  # grows while it is read
        for before in reversed(list(_before(step, makers))):
            if before not in seen:
                seen.append(before)
                makers |= {port: before for port in before.outputs if port not in makers}
    found = [*reversed(seen[len(given) :]), *given]
    numbers = {id(step): number for number, step in enumerate(found)}
    after = [{numbers[id(before)] for before in _before(step, makers)} for step in found]
    for first, second in edges:
        after[numbers[second]].add(numbers[first])
    sources = {port: numbers[id(step)] for port, step in makers.items()}
    return Graph(
        steps=tuple(found), after=tuple(tuple(sorted(before)) for before in after), makers=sources
    )


def problems_of(graph: Graph) -> list[str]:
    """Return what is wrong with a graph, a sentence each."""
    found = [problem for step in graph.steps for problem in step.problems]
    names = Counter(step.name for step in graph.steps)
    found += [
        f"Two steps are called {name!r}; give one another name."
        for name, count in names.items()
        if count > 1
    ]
    found += _lonely_inputs(graph)
    found += _rivals(graph.steps)
    found += _output_names(graph.steps)
    found += _parameters(graph.steps)
    return found + _cycle(graph)


def _flat(steps: Any, edges: set[tuple[int, int]]) -> Iterator[PipelineStep]:
    """Yield the steps, and add the edges of sequences (between ids of steps)."""
    if isinstance(steps, PipelineStep):
        yield steps
    elif isinstance(steps, StepSequence):
        before: list[PipelineStep] = []
        for part in steps:
            now = list(_flat(part, edges))
            edges.update((id(first), id(second)) for first in before for second in now)
            yield from now
            before = now
    elif isinstance(steps, list | tuple):
        for part in steps:
            yield from _flat(part, edges)
    else:
        raise ConfigError(
            f"A pipeline is made of steps, lists of steps and StepSequence; got "
            f"{type(steps).__name__}."
        )


def _before(
    step: PipelineStep, makers: Mapping[OutputPort, PipelineStep]
) -> Iterator[PipelineStep]:
    """Yield the steps that end before one begins.

    Of several that write an output, one of the pipeline's own comes first.
    """
    for given in step.inputs:
        port = given.source.port
        if port is not None and (maker := makers.get(port, port.producer)) is not None:
            yield maker
    yield from step.before


def _lonely_inputs(graph: Graph) -> Iterator[str]:
    for step in graph.steps:
        for given in step.inputs:
            port = given.source.port
            if port is not None and port not in graph.makers:
                yield (
                    f"Step {step.name!r} reads {port.name!r}, which no step writes. Name it among "
                    "the outputs of the step that does."
                )


def _rivals(steps: Sequence[PipelineStep]) -> Iterator[str]:
    known: dict[OutputPort, PipelineStep] = {}
    for step in steps:
        for port in step.outputs:
            other = known.setdefault(port, step)
            if other is not step:
                yield f"Steps {other.name!r} and {step.name!r} both write {port.name!r}."


def _output_names(steps: Iterable[PipelineStep]) -> Iterator[str]:
    names = Counter(p.pipeline_output_name for s in steps for p in s.outputs)
    for name, count in names.items():
        if name and count > 1:
            yield f"{count} outputs have the pipeline_output_name {name!r}; it names one."


def _parameters(steps: Iterable[PipelineStep]) -> Iterator[str]:
    known: dict[str, PipelineParameter] = {}
    for parameter in (p for step in steps for p in step.parameters):
        other = known.setdefault(parameter.name, parameter)
        first, second = other.default_value, parameter.default_value
        if first is not second and first != second:
            yield f"Parameter {parameter.name!r} has two default values: {first!r} and {second!r}."


def _cycle(graph: Graph) -> list[str]:
    try:
        graphlib.TopologicalSorter(dict(enumerate(graph.after))).prepare()
    except graphlib.CycleError as error:
        names = " -> ".join(repr(graph.steps[number].name) for number in error.args[1])
        return [f"Steps wait for each other: {names}."]
    return []
