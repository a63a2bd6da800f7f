"""Where the steps of a pipeline stand in its picture."""

from __future__ import annotations

import random

import pytest

from nbautoml.domain.events import PipelineStep
from nbautoml.pipelines.layout import GraphLayout, graph_layout, spaced


def graph(*after: tuple[int, ...]) -> list[PipelineStep]:
    """Steps numbered from 0, each with those that it waits for."""
    return [
        PipelineStep(number=n, name=f"s{n}", step_kind="PythonScriptStep", after=before)
        for n, before in enumerate(after)
    ]


def some_graph(seed: int, n_steps: int = 40) -> list[PipelineStep]:
    dice = random.Random(seed)
    return graph(
        *(tuple(dice.sample(range(n), min(n, dice.randint(0, 3)))) for n in range(n_steps))
    )


def n_crossings(layout: GraphLayout) -> int:
    """How many pairs of lines cross, layer by layer."""
    parts: dict[int, list[tuple[float, float]]] = {}
    for line in layout.lines:
        layer, lane = layout.places[line.source]
        for step, then in enumerate([*line.bends, layout.places[line.target][1]]):
            parts.setdefault(layer + step, []).append((lane, then))
            lane = then
    return sum(
        (a[0] - b[0]) * (a[1] - b[1]) < 0
        for lines in parts.values()
        for i, a in enumerate(lines)
        for b in lines[:i]
    )


def test_a_step_stands_behind_the_last_one_that_it_waits_for():
    layout = graph_layout(graph((), (0,), (1,), (0, 2)))
    assert [layer for layer, _ in layout.places] == [0, 1, 2, 3]
    assert layout.n_layers == 4


def test_what_waits_for_nothing_stands_beside_the_first_that_needs_it():
    layout = graph_layout(graph((), (0,), (1,), (), (2, 3)))
    assert layout.places[3][0] == 2


def test_a_chain_is_one_straight_line():
    layout = graph_layout(graph((), (0,), (1,), (2,)))
    assert {lane for _, lane in layout.places} == {0.0}
    assert layout.n_lanes == 1.0


def test_steps_side_by_side_have_room_and_their_parent_is_in_the_middle():
    layout = graph_layout(graph((), (0,), (0,), (1, 2)))
    lanes = [lane for _, lane in layout.places]
    assert abs(lanes[1] - lanes[2]) == pytest.approx(1.0)
    assert lanes[0] == lanes[3] == pytest.approx(0.5)


def test_a_line_bends_beside_the_steps_that_it_passes():
    layout = graph_layout(graph((), (0,), (1,), (2, 0)))
    line = next(line for line in layout.lines if (line.source, line.target) == (0, 3))
    assert len(line.bends) == 2
    for layer, bend in enumerate(line.bends, start=1):
        passed = next(lane for at, lane in layout.places if at == layer)
        assert abs(bend - passed) >= 0.72 - 0.02


def test_lines_that_need_not_cross_do_not():
    pairs = graph((), (), (), (2,), (1,), (0,))
    assert n_crossings(graph_layout(pairs)) == 0


def test_the_order_of_the_steps_is_that_of_their_places():
    shuffled = graph((), (0,), (1,))[::-1]
    assert [layer for layer, _ in graph_layout(shuffled).places] == [2, 1, 0]


@pytest.mark.parametrize("seed", range(8))
def test_every_step_has_room_in_any_graph(seed):
    layout = graph_layout(some_graph(seed))
    rows: dict[int, list[float]] = {}
    for layer, lane in layout.places:
        rows.setdefault(layer, []).append(lane)
    for row in rows.values():
        row.sort()
        assert all(b - a >= 0.98 for a, b in zip(row, row[1:], strict=False))
    assert min(lane for _, lane in layout.places) >= 0.0
    assert max(lane for _, lane in layout.places) <= layout.n_lanes - 1.0


@pytest.mark.parametrize("seed", range(4))
def test_lines_point_to_later_layers_and_none_is_lost(seed):
    steps = some_graph(seed)
    layout = graph_layout(steps)
    assert {(n, step.number) for step in steps for n in step.after} == {
        (line.source, line.target) for line in layout.lines
    }
    for line in layout.lines:
        between = layout.places[line.target][0] - layout.places[line.source][0]
        assert len(line.bends) == between - 1


def test_the_same_steps_are_always_drawn_alike():
    assert graph_layout(some_graph(5)) == graph_layout(some_graph(5))


def test_no_steps_and_steps_that_are_not_there_are_fine():
    assert graph_layout([]).as_json() == {"places": [], "lines": []}
    assert graph_layout(graph((), (7,))).lines == ()


def test_a_circle_ends_and_what_leads_back_is_left_out():
    layout = graph_layout(graph((1,), (0,), (1,)))
    assert len(layout.places) == 3
    assert all(layout.places[a.source][0] < layout.places[a.target][0] for a in layout.lines)


def test_json_is_lists_of_numbers():
    line = graph_layout(graph((), (0,), (1, 0))).as_json()["lines"]
    assert [len(numbers) for numbers in line] == [2, 2, 3]


@pytest.mark.parametrize(
    ("wanted", "gaps", "expected"),
    [
        ([], [], []),
        ([3.0], [], [3.0]),
        ([0.0, 5.0], [1.0], [0.0, 5.0]),
        ([2.0, 2.0, 2.0], [1.0, 1.0], [1.0, 2.0, 3.0]),
        ([5.0, 0.0], [1.0], [2.0, 3.0]),
    ],
)
def test_places_are_the_nearest_that_keep_order_and_gaps(wanted, gaps, expected):
    assert spaced(wanted, gaps) == pytest.approx(expected)
