"""Where the steps of a pipeline stand in a picture of it.

Steps are put into layers, each after those that it waits for, and ordered in a layer so that few
lines cross. A line over several layers bends where it passes one, so that it runs through no step.
Places are in layers and lanes; whoever draws makes pixels of them, along or down the page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any  # Any: JSON values

from nbautoml.domain.events import PipelineStep

SWEEPS = 8
"""Passes over the layers, down and up in turn (Sugiyama et al. 1981)."""
_STEP_ROOM, _BEND_ROOM = 0.5, 0.22
"""Half of the room that a step, and that a passing line, takes in its layer."""

Neighbours = Mapping[int, Sequence[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line from a step to one that waits for it; ``bends`` are its lanes in between."""

    source: int
    target: int
    bends: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphLayout:
    """The places of all steps, in their order, and the lines between them.

    A place is a layer, from 0, and a lane, from 0.0, in which steps are at least 1.0 apart.
    """

    places: tuple[tuple[int, float], ...]
    lines: tuple[Line, ...]

    @property
    def n_layers(self) -> int:
        """How many layers there are."""
        return max((layer for layer, _ in self.places), default=-1) + 1

    @property
    def n_lanes(self) -> float:
        """How many steps side by side the widest layer has room for."""
        bends = [lane for line in self.lines for lane in line.bends]
        return max([lane for _, lane in self.places] + bends, default=-1.0) + 1.0

    def as_json(self) -> dict[str, Any]:
        """Return ``places``, and ``lines`` as lists: source, target, bends."""
        return {
            "places": [list(place) for place in self.places],
            "lines": [[line.source, line.target, *line.bends] for line in self.lines],
        }


def graph_layout(steps: Sequence[PipelineStep]) -> GraphLayout:
    """Return where to draw the steps of a pipeline.

    Parameters
    ----------
    steps : sequence of PipelineStep
        The steps; what they wait for and is not among them is left out.

    Examples
    --------
    >>> first = PipelineStep(number=0, name="a", step_kind="PythonScriptStep")
    >>> then = PipelineStep(number=1, name="b", step_kind="PythonScriptStep", after=(0,))
    >>> graph_layout([first, then]).places
    ((0, 0.0), (1, 0.0))
    """
    at = {step.number: place for place, step in enumerate(steps)}
    before = [[at[n] for n in dict.fromkeys(step.after) if n in at] for step in steps]
    layers = _layers(before)
    pairs = [(s, t) for t, sources in enumerate(before) for s in sources if layers[s] < layers[t]]
    return _Drawing(layers, pairs).finish()


def _layers(before: Sequence[Sequence[int]]) -> list[int]:
    """Return the layer of each step: one behind the last that it waits for."""
    layers = [0] * len(before)
    for _ in before:  # a circle, which no run has, ends with the rounds
        found = [max((layers[s] + 1 for s in sources), default=0) for sources in before]
        if found == layers:
            break
        layers = found
    after: dict[int, list[int]] = {}
    for target, sources in enumerate(before):
        for source in sources:
            after.setdefault(source, []).append(target)
    for step, targets in after.items():
        if not before[step]:  # what waits for nothing stands beside the first that needs it
            layers[step] = max(0, min(layers[t] for t in targets) - 1)
    return layers


class _Drawing:
    """Steps and bends in their layers, while their order and lanes are looked for."""

    def __init__(self, layers: Sequence[int], pairs: Sequence[tuple[int, int]]) -> None:
        self._n_steps = len(layers)
        self._layer = list(layers)
        self._above: dict[int, list[int]] = {}
        self._below: dict[int, list[int]] = {}
        self._chains = [self._chain(source, target) for source, target in pairs]
        self._rows: list[list[int]] = [[] for _ in range(max(self._layer, default=-1) + 1)]
        for vertex, layer in enumerate(self._layer):
            self._rows[layer].append(vertex)
        self._lane = {v: float(i) for row in self._rows for i, v in enumerate(row)}

    def finish(self) -> GraphLayout:
        """Return the drawing with few crossings and straight lines."""
        self._untangle()
        self._straighten()
        least = min(self._lane.values(), default=0.0)
        lane = {vertex: round(place - least, 2) for vertex, place in self._lane.items()}
        return GraphLayout(
            places=tuple((self._layer[step], lane[step]) for step in range(self._n_steps)),
            lines=tuple(
                Line(source=chain[0], target=chain[-1], bends=tuple(lane[v] for v in chain[1:-1]))
                for chain in self._chains
            ),
        )

    def _chain(self, source: int, target: int) -> list[int]:
        """Return a line's vertices: its steps, and a new one in each layer between them."""
        chain = [source]
        for layer in range(self._layer[source] + 1, self._layer[target]):
            self._layer.append(layer)
            chain.append(len(self._layer) - 1)
        chain.append(target)
        for upper, lower in zip(chain, chain[1:], strict=False):
            self._below.setdefault(upper, []).append(lower)
            self._above.setdefault(lower, []).append(upper)
        return chain

    def _untangle(self) -> None:
        """Order each layer by the middle of its neighbours; keep the order that crosses least."""
        best, fewest = [list(row) for row in self._rows], self._n_crossings()
        for sweep in range(SWEEPS):
            is_down = sweep % 2 == 0
            near = self._above if is_down else self._below
            for row in self._rows if is_down else self._rows[::-1]:
                row.sort(key=lambda vertex: self._middle(vertex, near))
                self._lane.update((vertex, float(place)) for place, vertex in enumerate(row))
            crossings = self._n_crossings()
            if crossings < fewest:
                best, fewest = [list(row) for row in self._rows], crossings
        self._rows = best
        for row in best:
            self._lane.update((vertex, float(place)) for place, vertex in enumerate(row))

    def _middle(self, vertex: int, near: Neighbours) -> float:
        neighbours = near.get(vertex, ())
        if not neighbours:
            return self._lane[vertex]
        return sum(self._lane[other] for other in neighbours) / len(neighbours)

    def _n_crossings(self) -> int:
        n = 0
        for row in self._rows:
            ends = [(self._lane[v], self._lane[w]) for v in row for w in self._below.get(v, ())]
            n += sum(
                (a[0] - b[0]) * (a[1] - b[1]) < 0 for i, a in enumerate(ends) for b in ends[:i]
            )
        return n

    def _straighten(self) -> None:
        """Move what stands in a layer towards its neighbours, in its order and with its room."""
        both = {v: [*self._above.get(v, ()), *self._below.get(v, ())] for v in self._lane}
        for sweep in range(SWEEPS):
            for row in self._rows if sweep % 2 == 0 else self._rows[::-1]:
                wanted = [self._middle(vertex, both) for vertex in row]
                self._lane.update(zip(row, spaced(wanted, self._gaps(row)), strict=True))

    def _gaps(self, row: Sequence[int]) -> list[float]:
        room = [_STEP_ROOM if vertex < self._n_steps else _BEND_ROOM for vertex in row]
        return [a + b for a, b in zip(room, room[1:], strict=False)]


def spaced(wanted: Sequence[float], gaps: Sequence[float]) -> list[float]:
    """Return the places nearest to the wanted ones that keep their order and the gaps.

    Nearest by least squares: isotonic regression by pooling neighbours that are out of order
    (Ayer et al. 1955), on the places less the gaps before them.

    Parameters
    ----------
    wanted : sequence of float
        Where each would stand if it were alone.
    gaps : sequence of float
        Least distance of each from the one before it; one fewer.

    Examples
    --------
    >>> spaced([1.0, 1.0], [1.0])
    [0.5, 1.5]
    """
    offsets = [sum(gaps[:i]) for i in range(len(wanted))]
    pools: list[tuple[float, int]] = []
    for place, offset in zip(wanted, offsets, strict=True):
        mean, size = place - offset, 1
        while pools and pools[-1][0] > mean:
            other, n = pools.pop()
            mean, size = (mean * size + other * n) / (size + n), size + n
        pools.append((mean, size))
    means = [mean for mean, size in pools for _ in range(size)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]
