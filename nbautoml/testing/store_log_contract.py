"""The part of the store's suite about events and files; see `nbautoml.testing.store_contract`."""

# ruff: noqa: D102 - the name of a test says what holds

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import sqlalchemy as sa

from nbautoml.domain import events as ev
from nbautoml.domain.records import ArtifactRecord
from nbautoml.domain.status import RunStatus, TrialOutcome
from nbautoml.errors import ConfigError, ConflictError, NotFoundError, StoreError
from nbautoml.store import tables
from nbautoml.store.events import FLUSH_ITEMS, EventTail, EventWriter
from nbautoml.store.session import Session, Writer
from nbautoml.testing.store_cases import (
    BAD_NAMES,
    N_PER_THREAD,
    N_THREADS,
    add_run,
    collect,
    in_threads,
    log_line,
    trial_finished,
    wait_until,
)


class EventContract:
    """The event log, its writer and its followers."""

    def test_events_come_back_numbered_from_one(self, session: Session) -> None:
        add_run(session)
        new: list[ev.Event] = [
            ev.StatusChanged(status=RunStatus.RUNNING, reason="go"),
            ev.PhaseChanged(phase=ev.Phase.SETUP),
            ev.GuardrailReported(
                name="g", state=ev.GuardrailState.DONE, description="d", details=({"a": 1},)
            ),
            log_line("zero \x00 and ünïcode"),
        ]
        with session.write() as tx:
            written = tx.events.append("run", new, 5.0)

        with session.read() as reader:
            assert reader.events.read("run") == written
            assert [r.event for r in written] == new
            assert [r.seq for r in written] == [1, 2, 3, 4]
            assert reader.events.last_seq("run") == 4

    def test_missing_numbers_come_back_as_none(self, session: Session) -> None:
        add_run(session)
        with session.write() as tx:
            tx.events.append("run", [trial_finished()], 1.0)

        with session.read() as reader:
            event = reader.events.read("run")[0].event
        assert isinstance(event, ev.TrialFinished)
        assert event.params == {"n": 3, "rate": None}
        assert event.outcome is TrialOutcome.COMPLETED

    def test_reading_goes_on_after_a_number(self, session: Session) -> None:
        add_run(session)
        add_run(session, "other")
        with session.write() as tx:
            assert tx.events.append("run", [], 1.0) == []
            tx.events.append("run", [log_line(str(i)) for i in range(5)], 1.0)
            tx.events.append("other", [log_line("x")], 1.0)

        with session.read() as reader:
            assert [r.seq for r in reader.events.read("run", after=3)] == [4, 5]
            assert [r.seq for r in reader.events.read("run", after=1, limit=2)] == [2, 3]
            assert reader.events.read("run", after=5) == []
            assert reader.events.last_seq("other") == 1
            assert reader.events.last_seq("nobody") == 0

    def test_events_of_newer_code_keep_their_number(self, session: Session) -> None:
        add_run(session)
        rows = [("new_kind", '{"x":1}'), ("status_changed", '{"status":"Asleep"}')]
        with session.engine.write() as connection:
            for seq, (kind, payload) in enumerate(rows, start=1):
                values = {"run_id": "run", "seq": seq, "time": 1.0}
                row = {**values, "kind": kind, "payload": payload}
                connection.execute(sa.insert(tables.events), row)

        with session.read() as reader:
            assert [r.event for r in reader.events.read("run")] == [
                ev.UnknownEvent(name="new_kind"),
                ev.UnknownEvent(name="status_changed"),
            ]

    def test_an_event_needs_its_run(self, session: Session) -> None:
        with pytest.raises(NotFoundError, match="'nobody'"), session.write() as tx:
            tx.events.append("nobody", [log_line("x")], 1.0)

    def test_a_rolled_back_event_leaves_no_gap(self, session: Session) -> None:
        add_run(session)
        with pytest.raises(ConflictError), session.write() as tx:
            tx.events.append("run", [log_line("lost")], 1.0)
            raise ConflictError("stop")

        with session.write() as tx:
            assert [r.seq for r in tx.events.append("run", [log_line("kept")], 1.0)] == [1]

    def test_the_writer_writes_all_in_order(self, session: Session) -> None:
        add_run(session)
        n = 3 * FLUSH_ITEMS + 7
        ticks = iter(range(n))
        with EventWriter(session, "run", clock=lambda: float(next(ticks))) as writer:
            for i in range(n):
                writer.emit(log_line(str(i)))

        with session.read() as reader:
            records = reader.events.read("run")
        assert [r.seq for r in records] == list(range(1, n + 1))
        assert [r.event for r in records] == [log_line(str(i)) for i in range(n)]
        assert [r.time for r in records] == [float(i) for i in range(n)]

    def test_the_writer_writes_by_itself(self, session: Session) -> None:
        add_run(session)
        with EventWriter(session, "run") as writer, EventTail(session, "run") as tail:
            writer.emit(log_line("soon"))
            found: list[ev.EventRecord] = []
            wait_until(lambda: collect(tail, found))

        assert [r.event for r in found] == [log_line("soon")]

    def test_an_event_that_ends_something_is_there_when_emit_returns(
        self, session: Session
    ) -> None:
        add_run(session)
        with EventWriter(session, "run") as writer:
            writer.emit(log_line("before"))
            writer.emit(
                trial_finished(), lambda tx: tx.runs.set_properties("run", {"score": "0.75"})
            )
            with session.read() as reader:
                kinds = [r.event.kind for r in reader.events.read("run")]
                properties = reader.runs.get("run").properties

        assert kinds == ["log_written", "trial_finished"]
        assert properties == {"score": "0.75"}

    def test_projections_that_may_wait_are_written_in_the_order_of_their_events(
        self, session: Session
    ) -> None:
        add_run(session)
        written: list[str] = []
        with EventWriter(session, "run") as writer:
            writer.emit(log_line("first"), lambda _: written.append("first"), may_wait=True)
            writer.emit(log_line("second"), lambda _: written.append("second"), may_wait=True)
            writer.emit(trial_finished(), lambda _: written.append("end"), may_wait=True)
            assert written == ["first", "second", "end"]
            writer.emit(log_line("last"), lambda _: written.append("last"), may_wait=True)

        assert written == ["first", "second", "end", "last"]
        with session.read() as reader:
            assert [r.seq for r in reader.events.read("run")] == [1, 2, 3, 4]

    def test_a_failing_projection_takes_its_event_back_and_no_other(self, session: Session) -> None:
        add_run(session)

        def fail(tx: Writer) -> None:
            tx.runs.set_properties("run", {"half": "done"})
            raise ConflictError("stop")

        with EventWriter(session, "run") as writer:
            writer.emit(log_line("before"))
            with pytest.raises(ConflictError, match="stop"):
                writer.emit(trial_finished(), fail)
            writer.emit(log_line("after"))

        with session.read() as reader:
            records = reader.events.read("run")
            assert reader.runs.get("run").properties == {}
        assert [r.event for r in records] == [log_line("before"), log_line("after")]
        assert [r.seq for r in records] == [1, 2]

    def test_ends_that_come_together_are_there_when_emit_all_returns(
        self, session: Session
    ) -> None:
        add_run(session)
        with EventWriter(session, "run") as writer:
            writer.emit(log_line("before"))
            writer.emit_all(
                [
                    (trial_finished(1), lambda tx: tx.runs.set_properties("run", {"1": "done"})),
                    (log_line("between"), None),
                    (trial_finished(2), lambda tx: tx.runs.set_properties("run", {"2": "done"})),
                ]
            )
            with session.read() as reader:
                kinds = [r.event.kind for r in reader.events.read("run")]
                properties = reader.runs.get("run").properties

        assert kinds == ["log_written", "trial_finished", "log_written", "trial_finished"]
        assert properties == {"1": "done", "2": "done"}

    def test_of_ends_that_come_together_all_are_kept_or_none(self, session: Session) -> None:
        add_run(session)

        def fail(tx: Writer) -> None:
            raise ConflictError("stop")

        with EventWriter(session, "run") as writer:
            with pytest.raises(ConflictError, match="stop"):
                writer.emit_all([(trial_finished(1), None), (trial_finished(2), fail)])
            writer.emit_all([(trial_finished(3), None)])

        with session.read() as reader:
            kept = [(r.seq, getattr(r.event, "number", None)) for r in reader.events.read("run")]
        assert kept == [(1, 3)]

    def test_a_closed_writer_refuses_events(self, session: Session) -> None:
        add_run(session)
        writer = EventWriter(session, "run")
        writer.close()
        writer.close()

        with pytest.raises(StoreError, match="closed"):
            writer.emit(log_line("late"))
        with pytest.raises(StoreError, match="closed"):
            writer.emit(trial_finished())
        with pytest.raises(StoreError, match="closed"):
            writer.emit_all([(trial_finished(), None)])

    def test_threads_of_two_writers_leave_no_gap(self, session: Session) -> None:
        add_run(session)
        writers = [EventWriter(session, "run") for _ in range(2)]

        def emit(i: int) -> None:
            for k in range(N_PER_THREAD):
                writers[i % 2].emit(trial_finished(k) if k % 5 == 0 else log_line(f"{i}-{k}"))

        in_threads(emit)
        for writer in writers:
            writer.close()

        with session.read() as reader:
            seqs = [r.seq for r in reader.events.read("run")]
        assert seqs == list(range(1, N_THREADS * N_PER_THREAD + 1))

    def test_a_tail_sees_each_event_of_its_run_once(self, session: Session) -> None:
        add_run(session)
        add_run(session, "other")
        with session.write() as tx:
            tx.events.append("run", [log_line("0"), log_line("1")], 1.0)

        with EventTail(session, "run", after=1) as tail:
            assert [r.seq for r in tail.poll()] == [2]
            assert tail.poll() == []
            with session.write() as tx:
                tx.events.append("other", [log_line("x")], 1.0)
            assert tail.poll() == []
            with session.write() as tx:
                tx.events.append("run", [log_line("2"), log_line("3")], 1.0)
            assert [r.seq for r in tail.poll()] == [3, 4]
            assert tail.poll() == []
            assert tail.seq == 4


class FileContract:
    """Files of owners: kept by content, checked when read."""

    def test_a_file_comes_back(self, session: Session, tmp_path: Path) -> None:
        source = tmp_path / "model.bin"
        source.write_bytes(b"x" * 3_000_000)
        record = session.save_artifact("run", "outputs/model.pkl", source)

        assert record.sha256 == hashlib.sha256(source.read_bytes()).hexdigest()
        assert record.size_bytes == 3_000_000
        assert session.load_artifact("run", "outputs/model.pkl").read_bytes() == b"x" * 3_000_000
        with session.read() as reader:
            assert reader.artifacts.get("run", "outputs/model.pkl") == record

    def test_a_name_is_given_anew(self, session: Session) -> None:
        session.save_artifact("run", "a.json", b"old")
        session.save_artifact("run", "a.json", b"new")

        assert session.load_artifact("run", "a.json").read_bytes() == b"new"
        with session.read() as reader:
            assert len(reader.artifacts.list("run")) == 1

    def test_several_files_appear_at_once(self, session: Session, tmp_path: Path) -> None:
        source = tmp_path / "model.bin"
        source.write_bytes(b"model")
        files: dict[str, Path | bytes]
        files = {"outputs/model.pkl": source, "chart": b"{}", "same": b"{}"}
        records = session.save_artifacts("run", files)

        assert [record.name for record in records] == list(files)
        assert session.load_artifact("run", "outputs/model.pkl").read_bytes() == b"model"
        assert session.load_artifact("run", "same").read_bytes() == b"{}"

    def test_of_several_files_none_appears_when_one_fails(
        self, session: Session, tmp_path: Path
    ) -> None:
        with pytest.raises(NotFoundError):
            session.save_artifacts("run", {"chart": b"{}", "model": tmp_path / "gone"})
        with session.read() as reader:
            assert not reader.artifacts.list("run")

    def test_two_owners_of_one_content_both_have_it(self, session: Session) -> None:
        one = session.save_artifact("one", "a", b"same")
        two = session.save_artifact("two", "b", b"same")

        assert one.uri == two.uri
        assert session.load_artifact("two", "b").read_bytes() == b"same"

    def test_files_are_listed_by_prefix_and_case_counts(self, session: Session) -> None:
        for name in ("outputs/b", "outputs/a", "Outputs/c", "logs/%"):
            session.save_artifact("run", name, b"")

        with session.read() as reader:
            names = [a.name for a in reader.artifacts.list("run", prefix="outputs/")]
            assert names == ["outputs/a", "outputs/b"]
            assert [a.name for a in reader.artifacts.list("run", prefix="logs/%")] == ["logs/%"]
            assert len(reader.artifacts.list("run")) == 4
            assert reader.artifacts.list("other") == []

    def test_a_missing_file_names_what_there_is(self, session: Session) -> None:
        session.save_artifact("run", "outputs/model.pkl", b"1")

        with pytest.raises(NotFoundError, match=r"Did you mean 'outputs/model\.pkl'"):
            session.load_artifact("run", "output/model.pkl")
        with pytest.raises(NotFoundError, match="none yet"):
            session.load_artifact("other", "outputs/model.pkl")

    def test_a_source_that_is_not_there_leaves_no_record(
        self, session: Session, tmp_path: Path
    ) -> None:
        with pytest.raises(NotFoundError, match="missing"):
            session.save_artifact("run", "a", tmp_path / "missing")

        with session.read() as reader:
            assert reader.artifacts.list("run") == []

    @pytest.mark.parametrize("name", BAD_NAMES)
    def test_a_name_that_could_lead_elsewhere_is_refused(self, session: Session, name: str) -> None:
        record = ArtifactRecord(
            owner="run", name=name, uri="x", size_bytes=1, sha256="0", created_at=1.0
        )
        with pytest.raises(ConfigError, match="relative path"):
            session.save_artifact("run", name, b"x")
        with pytest.raises(ConfigError), session.write() as tx:
            tx.artifacts.add(record)

    def test_content_that_is_not_what_was_stored_is_refused(self, session: Session) -> None:
        record = session.save_artifact("run", "a", b"content")
        fake = hashlib.sha256(b"other").hexdigest()
        with session.engine.write() as connection:
            connection.execute(sa.update(tables.artifacts).values(sha256=fake))

        assert record.sha256 != fake
        with pytest.raises(StoreError):
            session.load_artifact("run", "a")
