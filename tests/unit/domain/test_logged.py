"""What a run logged, folded from its events."""

from __future__ import annotations

from nbautoml.domain import events as ev
from nbautoml.domain.events import Form, ValuesLogged
from nbautoml.domain.logged import Logged, fold_logged
from nbautoml.domain.snapshot import SnapshotFold


def fold(*events: ev.Event) -> Logged:
    return fold_logged(
        ev.EventRecord(run_id="r", seq=i, time=1.0, event=event)
        for i, event in enumerate(events, start=1)
    )


def logged(name: str, form: Form, value: object, **more: object) -> ValuesLogged:
    return ValuesLogged(name=name, form=form, value=value, **more)  # type: ignore[arg-type]


def test_values_of_one_name_make_a_series_with_their_steps() -> None:
    found = fold(
        logged("loss", Form.VALUE, 0.5, step=10),
        logged("loss", Form.VALUE, 0.25, step=20),
        logged("loss", Form.LIST, [0.1, None]),
    )
    (series,) = found.series
    assert series.values == (0.5, 0.25, 0.1, None)
    assert series.steps == (10, 20, None, None)
    assert (found.seq, series.has_text) == (3, False)


def test_rows_make_a_table_whose_late_columns_begin_at_their_row() -> None:
    found = fold(
        logged("t", Form.ROW, {"a": 1.0}),
        logged("t", Form.ROW, {"a": 2.0, "b": "x"}),
        logged("t", Form.TABLE, {"a": [3.0, 4.0], "b": ["y", "z"]}),
    )
    (table,) = found.tables
    assert table.columns == {"a": (1.0, 2.0, 3.0, 4.0), "b": (None, "x", "y", "z")}
    assert table.n_rows == 4


def test_files_are_kept_by_their_name_with_what_they_are() -> None:
    found = fold(
        logged("roc", Form.IMAGE, "roc.png"),
        logged("cm", Form.CHART, "cm", chart="confusion_matrix"),
        logged("roc", Form.IMAGE, "roc_1.png"),
    )
    assert [(f.name, f.file, f.chart) for f in found.files] == [
        ("roc", "roc.png", ""),
        ("cm", "cm", "confusion_matrix"),
        ("roc", "roc_1.png", ""),
    ]


def test_other_events_are_passed_over() -> None:
    found = fold(ev.OutputWritten(text="epoch 1"), ev.FilesStored(names=("a",)))
    assert found == Logged(seq=2)


def test_the_new_events_survive_the_store() -> None:
    for event in (
        logged("a", Form.ROW, {"x": 1.0}),
        ev.FilesStored(names=("a", "b")),
        ev.OutputWritten(text="one\ntwo"),
        ev.RunDescribed(what="script", experiment="e", text="train.py", deadline=5.0),
    ):
        assert ev.from_payload(event.kind, ev.to_payload(event)) == event


def test_a_snapshot_knows_what_the_run_does_and_until_when() -> None:
    fold = SnapshotFold("r")
    described = ev.RunDescribed(what="script", experiment="e", text="train.py", deadline=50.0)
    fold.apply(ev.EventRecord(run_id="r", seq=1, time=1.0, event=described))
    fold.apply(ev.EventRecord(run_id="r", seq=2, time=2.0, event=ev.DeadlineChanged(deadline=90.0)))
    state = fold.build()
    assert (state.described, state.deadline, state.config) == (described, 90.0, None)
