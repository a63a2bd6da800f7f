"""Where a version of a model comes from, and where it is used: facts of the store, and a picture.

The picture is a list of boxes and lines with places, so that everybody who draws it, here as SVG
and in the page of a front end, draws the same. It runs from top to bottom, two boxes side by
side at most: it fits into a narrow panel.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any  # Any: JSON values

from nbautoml.domain.records import ModelRecord, RunRecord
from nbautoml.domain.run_inputs import input_datasets
from nbautoml.domain.status import ModelStage
from nbautoml.errors import NotFoundError
from nbautoml.store.session import Reader, Session

BOX_WIDTH, BOX_HEIGHT = 176, 46
"""Size of a box in pixels: two of them, and what lies around them, fit into 400."""
GAP, LAYER_GAP = 12, 26
MARGIN = 4
A_LINE = 2
"""Boxes side by side."""
MOST_BOXES = 6
"""Boxes of one kind; more of them are counted in the last one."""
TITLE_CHARACTERS, NOTE_CHARACTERS = 21, 26
"""What fits into a box at 13 and at 11 pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One thing in the history of a model.

    ``kind`` is ``"dataset"``, ``"run"``, ``"model"`` or ``"deployment"``; ``id`` finds it again
    (empty for a box that counts others).
    """

    kind: str
    id: str
    title: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A node with its place; ``title`` and ``note`` are cut to fit, ``text`` is whole."""

    kind: str
    id: str
    x: int
    y: int
    title: str
    note: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Boxes, and lines between them as pairs of their places in ``boxes``; sizes in pixels."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    lines: tuple[tuple[int, int], ...]
    box_width: int = BOX_WIDTH
    box_height: int = BOX_HEIGHT

    @property
    def text(self) -> str:
        """What the picture shows, as one sentence."""
        names = {
            "dataset": "data",
            "run": "made by",
            "model": "the model",
            "deployment": "deployed as",
        }
        parts = [
            f"{word}: {', '.join(box.text for box in self.boxes if box.kind == kind)}"
            for kind, word in names.items()
            if any(box.kind == kind for box in self.boxes)
        ]
        return "; ".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """Return the picture as JSON values."""
        return {**asdict(self), "text": self.text}


def lineage_of(session: Session, record: ModelRecord) -> Picture:
    """Return the picture of a version: its data, its run, itself, its deployments.

    Parameters
    ----------
    session : Session
        The open store.
    record : ModelRecord
        The version.
    """
    with session.read() as tx:
        runs = _runs(tx, record)
        data = _data(tx, record, runs)
        deployments = [d for d in tx.deployments.list() if record.id in d.models]
    layers = [
        data,
        [_run_node(record, runs)] if runs else [],
        [_model_node(record)],
        [Node(kind="deployment", id=d.name, title=d.name, note="deployment") for d in deployments],
    ]
    return draw(layers)


def draw(layers: Sequence[Sequence[Node]]) -> Picture:
    """Return nodes with places: a layer below the other, each layer joined to the next.

    Examples
    --------
    >>> picture = draw([[Node(kind="run", id="r", title="r")], [],
    ...                 [Node(kind="model", id="m:1", title="m")]])
    >>> [(box.title, box.x, box.y) for box in picture.boxes], picture.lines
    ([('r', 98, 4), ('m', 98, 76)], ((0, 1),))
    """
    boxes: list[Box] = []
    lines: list[tuple[int, int]] = []
    before: list[int] = []
    y = MARGIN
    for layer in layers:
        nodes = _shortened(layer)
        if not nodes:
            continue
        first = len(boxes)
        for start in range(0, len(nodes), A_LINE):
            boxes += _line(nodes[start : start + A_LINE], y)
            y += BOX_HEIGHT + GAP
        y += LAYER_GAP - GAP
        here = list(range(first, len(boxes)))
        lines += [(a, b) for a in before for b in here]
        before = here
    return Picture(
        width=_width(A_LINE) + 2 * MARGIN,
        height=y - LAYER_GAP + MARGIN,
        boxes=tuple(boxes),
        lines=tuple(lines),
    )


def to_svg(picture: Picture) -> str:
    """Return a picture as SVG that takes the colours of the page it is on, light or dark."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{picture.width}" '
        f'height="{picture.height}" viewBox="0 0 {picture.width} {picture.height}" '
        f'style="max-width:100%;height:auto" font-family="sans-serif" fill="currentColor">',
        f"<title>{html.escape(picture.text)}</title>",
    ]
    parts += [_svg_line(picture, line) for line in picture.lines]
    parts += [_svg_box(picture, box) for box in picture.boxes]
    return "".join([*parts, "</svg>"])


def _svg_line(picture: Picture, line: tuple[int, int]) -> str:
    a, b = (picture.boxes[place] for place in line)
    x1, y1 = a.x + picture.box_width // 2, a.y + picture.box_height
    x2, y2 = b.x + picture.box_width // 2, b.y
    return (
        f'<path d="M{x1} {y1}V{y2 - LAYER_GAP // 2}H{x2}V{y2}" fill="none" '
        'stroke="currentColor" stroke-opacity="0.5"/>'
    )


def _svg_box(picture: Picture, box: Box) -> str:
    is_model = box.kind == "model"
    line = "var(--jp-brand-color1, currentColor)" if is_model else "currentColor"
    x = box.x + picture.box_width // 2
    return (
        f"<g><title>{html.escape(box.text)}</title>"
        f'<rect x="{box.x}" y="{box.y}" width="{picture.box_width}" height="{picture.box_height}" '
        f'rx="6" style="fill:var(--jp-layout-color1, Canvas);stroke:{line}" '
        f'stroke-width="{2 if is_model else 1}"/>'
        f'<text x="{x}" y="{box.y + 19}" text-anchor="middle" font-size="13">'
        f"{html.escape(box.title)}</text>"
        f'<text x="{x}" y="{box.y + 36}" text-anchor="middle" font-size="11" fill-opacity="0.75">'
        f"{html.escape(box.note)}</text></g>"
    )


def _line(nodes: Sequence[Node], y: int) -> list[Box]:
    left = MARGIN + (_width(A_LINE) - _width(len(nodes))) // 2
    return [
        Box(
            kind=node.kind,
            id=node.id,
            x=left + place * (BOX_WIDTH + GAP),
            y=y,
            title=_cut(node.title, TITLE_CHARACTERS),
            note=_cut(node.note, NOTE_CHARACTERS),
            text=f"{node.title} ({node.note})" if node.note else node.title,
        )
        for place, node in enumerate(nodes)
    ]


def _width(n_boxes: int) -> int:
    return n_boxes * BOX_WIDTH + (n_boxes - 1) * GAP


def _shortened(layer: Sequence[Node]) -> list[Node]:
    if len(layer) <= MOST_BOXES:
        return list(layer)
    n_more = len(layer) - MOST_BOXES + 1
    more = Node(kind=layer[0].kind, id="", title=f"and {n_more} more")
    return [*layer[: MOST_BOXES - 1], more]


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _runs(tx: Reader, record: ModelRecord) -> list[RunRecord]:
    """Return the run that made a model, and its parent where it has one."""
    if not record.run_id or not tx.runs.exists(record.run_id):
        return []
    run = tx.runs.get(record.run_id)
    is_child = run.parent_id is not None and tx.runs.exists(run.parent_id)
    return [run, tx.runs.get(str(run.parent_id))] if is_child else [run]


def _data(tx: Reader, record: ModelRecord, runs: Sequence[RunRecord]) -> list[Node]:
    pairs = [pair for run in runs for pair in input_datasets(run.settings)]
    roles: dict[str, list[str]] = {}
    for role, dataset_id in (*pairs, *record.datasets):
        known = roles.setdefault(dataset_id, [])
        if role not in known:
            known.append(role)
    return [_data_node(tx, dataset_id, ", ".join(found)) for dataset_id, found in roles.items()]


def _data_node(tx: Reader, dataset_id: str, roles: str) -> Node:
    try:
        data = tx.datasets.get_by_id(dataset_id)
    except NotFoundError:
        return Node(kind="dataset", id="", title=dataset_id, note=f"{roles}, gone")
    rows = "" if data.n_rows is None else f", {data.n_rows:,} rows"
    title = f"{data.name}:{data.version}" if data.name else "data without a name"
    return Node(kind="dataset", id=dataset_id, title=title, note=f"{roles}{rows}")


def _run_node(record: ModelRecord, runs: Sequence[RunRecord]) -> Node:
    """Return the run to open: the parent, with the number of the child that made the model."""
    run = runs[-1]
    made = "" if len(runs) == 1 else f", iteration {runs[0].number}"
    title = run.display_name or str(record.run_id)
    return Node(kind="run", id=run.id, title=title, note=f"{run.experiment}{made}")


def _model_node(record: ModelRecord) -> Node:
    stage = [] if record.stage is ModelStage.NONE else [record.stage.value]
    note = ", ".join(["model", *stage, *record.aliases])
    return Node(kind="model", id=record.id, title=record.id, note=note)
