"""What every store must do: the suite that memory, SQLite and PostgreSQL pass; needs pytest.

Subclass it in a test module and give it an open, empty workspace::

    class TestMyStore(StoreContract):
        @pytest.fixture
        def session(self) -> Iterator[Session]: ...

`nbautoml.testing.shared_store_contract` is for stores that several processes can open.
"""

# ruff: noqa: D102 - the name of a test says what holds

from __future__ import annotations

import math

import pytest

from nbautoml.domain.records import (
    ComputeRecord,
    DatasetRecord,
    DatastoreRecord,
    MetricPoint,
    Owner,
    RunRecord,
)
from nbautoml.domain.status import RequestKind, RunStatus
from nbautoml.errors import (
    ComputeTargetException,
    ConfigError,
    ConflictError,
    NotFoundError,
    StoreError,
)
from nbautoml.store.reaper import this_process
from nbautoml.store.session import Session
from nbautoml.testing.store_cases import N_PER_THREAD, N_THREADS, add_run, in_threads, log_line
from nbautoml.testing.store_deployment_contract import DeploymentContract
from nbautoml.testing.store_log_contract import EventContract, FileContract
from nbautoml.testing.store_model_contract import ModelContract
from nbautoml.testing.store_pipeline_contract import PipelineContract

_A = Owner(host="a", pid=1, started_at=0.1)
_B = Owner(host="b", pid=2, started_at=0.2)


class TransactionContract:
    """A write happens as a whole or not at all."""

    def test_a_failed_write_leaves_nothing(self, session: Session) -> None:
        with pytest.raises(RuntimeError, match="stop"), session.write() as tx:
            tx.experiments.get_or_create("lost")
            raise RuntimeError("stop")

        with session.read() as reader:
            assert reader.experiments.list() == []

    def test_a_store_error_leaves_nothing_and_the_store_usable(self, session: Session) -> None:
        with pytest.raises(NotFoundError), session.write() as tx:
            tx.experiments.get_or_create("lost")
            tx.events.append("no such run", [log_line("x")], 1.0)

        with session.write() as tx:
            tx.experiments.get_or_create("kept")
        with session.read() as reader:
            assert [e.name for e in reader.experiments.list()] == ["kept"]

    def test_a_write_inside_a_write_is_refused(self, session: Session) -> None:
        with session.write() as tx:
            tx.experiments.get_or_create("outer")
            with pytest.raises(StoreError, match="inside write"), session.write():
                pass

        with session.read() as reader:
            assert [e.name for e in reader.experiments.list()] == ["outer"]

    def test_a_write_inside_a_read_is_kept(self, session: Session) -> None:
        with session.read() as reader:
            reader.experiments.list()
            with session.write() as tx:
                tx.experiments.get_or_create("inner")

        with session.read() as reader:
            assert [e.name for e in reader.experiments.list()] == ["inner"]

    def test_what_a_writer_reads_stays_true_until_it_commits(self, session: Session) -> None:
        add_run(session, properties={"n": "0"})

        def count(_i: int) -> None:
            for _ in range(N_PER_THREAD):
                with session.write() as tx:
                    n = int(tx.runs.get("run").properties["n"])
                    tx.runs.set_properties("run", {"n": str(n + 1)})

        in_threads(count)

        with session.read() as reader:
            assert reader.runs.get("run").properties == {"n": str(N_THREADS * N_PER_THREAD)}

    def test_text_with_a_nul_is_refused(self, session: Session) -> None:
        with pytest.raises(ConfigError, match=r"U\+0000"), session.write() as tx:
            tx.experiments.get_or_create("a\x00b")

    def test_a_nul_inside_json_comes_back(self, session: Session) -> None:
        add_run(session, settings={"separator": "\x00", "bad": math.inf})

        with session.read() as reader:
            assert reader.runs.get("run").settings == {"separator": "\x00", "bad": None}


class CatalogContract:
    """Datastores, compute targets, experiments, datasets and models."""

    def test_one_datastore_is_the_default(self, session: Session) -> None:
        one = DatastoreRecord(name="one", url="/one", is_default=True)
        two = DatastoreRecord(name="two", url="s3://two", kind="s3", is_default=True)
        with session.write() as tx:
            tx.datastores.put(two)
            tx.datastores.put(one)

        with session.read() as reader:
            assert reader.datastores.get("one") == one
            assert [(d.name, d.is_default) for d in reader.datastores.list()] == [
                ("one", True),
                ("two", False),
            ]
            with pytest.raises(NotFoundError, match="Did you mean 'one'"):
                reader.datastores.get("onee")

    def test_a_compute_target_is_replaced_and_deleted(self, session: Session) -> None:
        record = ComputeRecord(name="c", kind="dask", options={"n": [1, 2]}, created_at=5.0)
        with session.write() as tx:
            tx.computes.put(ComputeRecord(name="c", kind="x", options={}, created_at=1.0))
            tx.computes.put(record)
        with session.read() as reader:
            assert reader.computes.list() == [reader.computes.get("c")] == [record]

        with session.write() as tx:
            tx.computes.delete("c")
        with session.read() as reader, pytest.raises(ComputeTargetException, match="none yet"):
            reader.computes.get("c")
        with pytest.raises(ComputeTargetException), session.write() as tx:
            tx.computes.delete("c")

    def test_an_experiment_is_made_once(self, session: Session) -> None:
        in_threads(lambda _i: _make_experiment(session))

        with session.read() as reader:
            assert reader.experiments.list() == [reader.experiments.get("same")]
            with pytest.raises(NotFoundError, match="There are: same"):
                reader.experiments.get("other")

    def test_the_same_content_is_the_same_version(self, session: Session) -> None:
        with session.write() as tx:
            first = tx.datasets.register(
                "d",
                id="1",
                definition={"path": "x"},
                fingerprint="f1",
                description="about",
                tags={"a": "b"},
                n_rows=3,
                n_columns=2,
            )
            again = tx.datasets.register("d", id="2", definition={}, fingerprint="f1")

        assert again == first
        assert (first.version, first.n_rows, first.tags) == (1, 3, {"a": "b"})
        with session.read() as reader:
            assert reader.datasets.versions("d") == [first]
            assert reader.datasets.get_by_id("1") == first

    def test_other_content_needs_create_new_version(self, session: Session) -> None:
        with session.write() as tx:
            first = tx.datasets.register("d", id="1", definition={}, fingerprint="f1")
        with (
            pytest.raises(ConflictError, match="create_new_version=True"),
            session.write() as tx,
        ):
            tx.datasets.register("d", id="2", definition={}, fingerprint="f2")
        with session.write() as tx:
            second = tx.datasets.register(
                "d", id="2", definition={}, fingerprint="f2", create_new_version=True
            )

        assert second.version == 2
        with session.read() as reader:
            assert reader.datasets.list() == [reader.datasets.get("d")] == [second]
            assert reader.datasets.get("d", 1) == first
            with pytest.raises(NotFoundError, match="it has 1, 2"):
                reader.datasets.get("d", 3)

    def test_an_unregistered_dataset_can_be_registered_later(self, session: Session) -> None:
        record = DatasetRecord(
            id="u", name="", version=0, fingerprint="f", definition={}, created_at=1.0
        )
        with session.write() as tx:
            assert tx.datasets.save_unregistered(record) == record
            assert tx.datasets.save_unregistered(record) == record
            assert tx.datasets.list() == []
            registered = tx.datasets.register("d", id="u", definition={}, fingerprint="f")
            other = tx.datasets.register("e", id="u", definition={}, fingerprint="f")

        assert (registered.id, registered.version) == ("u", 1)
        assert other.id != "u"
        with session.read() as reader:
            assert reader.datasets.get_by_id("u") == registered
            assert [d.name for d in reader.datasets.list()] == ["d", "e"]
            with pytest.raises(NotFoundError):
                reader.datasets.get_by_id("missing")

    def test_a_dataset_changes_only_where_asked(self, session: Session) -> None:
        with session.write() as tx:
            first = tx.datasets.register(
                "d", id="1", definition={}, fingerprint="f", description="old", tags={"a": "1"}
            )
            renamed = tx.datasets.update("1", description="new")
            retagged = tx.datasets.update("1", tags={"b": "2"})

        assert (renamed.description, renamed.tags) == ("new", {"a": "1"})
        assert (retagged.description, retagged.tags) == ("new", {"b": "2"})
        assert (retagged.version, retagged.fingerprint) == (first.version, first.fingerprint)
        with pytest.raises(NotFoundError), session.write() as tx:
            tx.datasets.update("missing", description="x")

    def test_a_name_that_was_taken_off_leaves_the_content(self, session: Session) -> None:
        with session.write() as tx:
            tx.datasets.register("d", id="1", definition={}, fingerprint="f1")
            tx.datasets.register(
                "d", id="2", definition={}, fingerprint="f2", create_new_version=True
            )
            tx.datasets.register("e", id="3", definition={}, fingerprint="f3")
            assert tx.datasets.unregister("d") == 2

        with session.read() as reader:
            assert [d.name for d in reader.datasets.list()] == ["e"]
            kept = reader.datasets.get_by_id("2")
            assert (kept.name, kept.version, kept.fingerprint) == ("", 0, "f2")
            with pytest.raises(NotFoundError, match="There are: e"):
                reader.datasets.get("d")
        with pytest.raises(NotFoundError), session.write() as tx:
            tx.datasets.unregister("d")

    def test_the_numbers_of_a_name_that_was_taken_off_do_not_come_back(
        self, session: Session
    ) -> None:
        with session.write() as tx:
            tx.datasets.register("d", id="1", definition={}, fingerprint="f1")
            tx.datasets.unregister("d")
            again = tx.datasets.register("d", id="2", definition={}, fingerprint="f2")

        assert again.version == 2
        with session.read() as reader:
            assert reader.datasets.list() == [again]

    def test_two_writers_get_model_versions_without_gaps(self, session: Session) -> None:
        def register(_i: int) -> None:
            for _ in range(N_PER_THREAD):
                with session.write() as tx:
                    tx.models.register("m")

        in_threads(register)

        with session.read() as reader:
            versions = sorted(m.version for m in reader.models.list(name="m"))
        assert versions == list(range(1, N_THREADS * N_PER_THREAD + 1))

    def test_models_are_found_by_name_tag_run_and_age(self, session: Session) -> None:
        with session.write() as tx:
            a1 = tx.models.register("a", run_id="r", tags={"use": "test"}, framework="sklearn")
            a2 = tx.models.register("a", tags={"use": "live"}, properties={"p": "1"})
            b1 = tx.models.register("b", description="second", framework_version="1.9")

        with session.read() as reader:
            assert reader.models.get("a") == a2
            assert reader.models.get("a", 1) == a1
            assert reader.models.list(run_id="r") == [a1]
            assert reader.models.list(tags={"use": None}, name="a") == [a2, a1]
            assert reader.models.list(tags={"use": "test"}, latest=True) == [a1]
            assert {m.id for m in reader.models.list(latest=True)} == {a2.id, b1.id}
            with pytest.raises(NotFoundError, match="it has 1, 2"):
                reader.models.get("a", 7)
            with pytest.raises(NotFoundError, match="There are: a, b"):
                reader.models.get("c")

    def test_a_model_changes_only_where_asked(self, session: Session) -> None:
        with session.write() as tx:
            tx.models.register("m", description="old", tags={"a": "1", "b": "2"})
            changed = tx.models.update("m", 1, tags={"c": "3"}, remove_tags=["a"])

        assert (changed.description, changed.tags) == ("old", {"b": "2", "c": "3"})
        with session.write() as tx:
            changed = tx.models.update("m", 1, description="new", properties={"p": "q"})
        assert (changed.description, changed.properties) == ("new", {"p": "q"})
        with pytest.raises(NotFoundError), session.write() as tx:
            tx.models.update("m", 2, description="x")

    def test_the_version_of_a_deleted_model_does_not_come_back(self, session: Session) -> None:
        with session.write() as tx:
            owner = tx.models.register("m").owner_id
        session.save_artifact(owner, "model.pkl", b"1")
        with session.write() as tx:
            tx.models.delete("m", 1)
            assert tx.models.register("m").version == 2

        with session.read() as reader:
            assert reader.artifacts.list(owner) == []


class RunContract:
    """Runs: states, owners, labels, metrics, requests."""

    def test_a_run_comes_back_as_it_went_in(self, session: Session) -> None:
        add_run(session, "parent")
        record = add_run(
            session,
            "child",
            type="automl.child",
            status=RunStatus.RUNNING,
            created_at=1.25,
            parent_id="parent",
            number=7,
            display_name="näme",
            started_at=2.5,
            reason="why",
            settings={"a": [1, {"b": None}]},
            tags={"t": "1"},
            properties={"p": "2"},
            owner=_A,
            heartbeat_at=3.5,
        )

        with session.read() as reader:
            assert reader.runs.get("child") == record
            assert reader.runs.exists("child")
            assert not reader.runs.exists("other")
            with pytest.raises(NotFoundError, match="'other'"):
                reader.runs.get("other")

    def test_an_id_is_used_once(self, session: Session) -> None:
        add_run(session)

        with pytest.raises(ConflictError, match="'run'"):
            add_run(session)

    def test_a_run_needs_its_experiment_and_parent(self, session: Session) -> None:
        with pytest.raises(NotFoundError, match="parent"):
            add_run(session, parent_id="nobody")
        record = RunRecord(
            id="r", experiment="none", type="t", status=RunStatus.RUNNING, created_at=1.0
        )
        with pytest.raises(NotFoundError, match="experiment"), session.write() as tx:
            tx.runs.create(record)

    def test_runs_are_listed_newest_first_and_children_by_number(self, session: Session) -> None:
        add_run(session, "old", created_at=1.0)
        add_run(session, "new", created_at=2.0, experiment="other")
        for number in (10, 2, 0):
            add_run(session, f"old_{number}", parent_id="old", number=number, created_at=3.0)

        with session.read() as reader:
            runs = reader.runs
            assert [r.id for r in runs.list()] == ["new", "old"]
            assert [r.id for r in runs.list(limit=1)] == ["new"]
            assert [r.id for r in runs.list(experiment="experiment")] == ["old"]
            assert [r.id for r in runs.list(parent_id="old")] == ["old_0", "old_2", "old_10"]
            assert len(runs.list(include_children=True)) == 5

    def test_runs_are_found_by_type_state_tag_and_property(self, session: Session) -> None:
        add_run(session, "a", tags={"x": "1", "y": "2"}, properties={"p": "1"})
        add_run(session, "b", type="script", status=RunStatus.FAILED, tags={"x": "2"})

        with session.read() as reader:
            runs = reader.runs
            assert [r.id for r in runs.list(type="script")] == ["b"]
            assert [r.id for r in runs.list(statuses=[RunStatus.NOT_STARTED])] == ["a"]
            assert runs.list(statuses=[]) == []
            assert [r.id for r in runs.list(tags={"x": "1"})] == ["a"]
            assert {r.id for r in runs.list(tags={"x": None})} == {"a", "b"}
            assert [r.id for r in runs.list(tags={"x": None, "y": "2"})] == ["a"]
            assert [r.id for r in runs.list(properties={"p": "1"})] == ["a"]
            assert runs.list(properties={"x": "1"}) == []

    def test_states_follow_the_rules(self, session: Session) -> None:
        add_run(session)
        with session.write() as tx:
            tx.runs.set_status("run", RunStatus.STARTING, time=5.0)
            tx.runs.set_status("run", RunStatus.RUNNING, reason="going", time=6.0)
            running = tx.runs.get("run")
            tx.runs.set_status("run", RunStatus.COMPLETED, time=7.0)
            ended = tx.runs.get("run")

        assert (running.started_at, running.ended_at, running.reason) == (5.0, None, "going")
        assert (ended.started_at, ended.ended_at, ended.reason) == (5.0, 7.0, "")
        with pytest.raises(ConflictError, match="Completed and cannot become Running"):
            _set_status(session, "run", RunStatus.RUNNING)
        with pytest.raises(NotFoundError):
            _set_status(session, "other", RunStatus.RUNNING)

    def test_a_run_that_has_ended_can_wait_for_an_owner_again(self, session: Session) -> None:
        add_run(session)
        owner = Owner(host="h", pid=7, started_at=1.0)
        with session.write() as tx:
            tx.runs.claim("run", owner, None)
            tx.runs.set_status("run", RunStatus.RUNNING, time=6.0)
            with pytest.raises(ConflictError, match="Running and cannot become NotStarted"):
                tx.runs.reopen("run", reason="more")
            tx.runs.set_status("run", RunStatus.COMPLETED, time=7.0)
            tx.runs.reopen("run", reason="more")
            waiting = tx.runs.get("run")

        assert (waiting.status, waiting.reason) == (RunStatus.NOT_STARTED, "more")
        assert (waiting.owner, waiting.started_at, waiting.ended_at) == (None, 6.0, None)

    def test_tags_and_properties_are_merged(self, session: Session) -> None:
        add_run(session, tags={"a": "1", "b": "2"}, properties={"a": "x"})
        with session.write() as tx:
            tx.runs.set_tags("run", {"b": "3", "c": "4"})
            tx.runs.remove_tags("run", ["a", "unknown"])
            tx.runs.set_properties("run", {"n": "1"})

        with session.read() as reader:
            run = reader.runs.get("run")
        assert run.tags == {"b": "3", "c": "4"}
        assert run.properties == {"a": "x", "n": "1"}
        with pytest.raises(NotFoundError), session.write() as tx:
            tx.runs.set_tags("other", {"a": "b"})

    def test_one_of_many_claims_a_run(self, session: Session) -> None:
        add_run(session)
        winners: list[int] = []

        def claim(i: int) -> None:
            owner = Owner(host="h", pid=i, started_at=float(i))
            with session.write() as tx:
                if tx.runs.claim("run", owner, None):
                    winners.append(i)

        in_threads(claim)

        with session.read() as reader:
            owner = reader.runs.get("run").owner
        assert owner is not None
        assert winners == [owner.pid]

    def test_only_the_expected_owner_is_replaced(self, session: Session) -> None:
        add_run(session, owner=_A)
        with session.write() as tx:
            assert not tx.runs.claim("run", _B, None)
            assert not tx.runs.claim("run", _B, Owner(host="a", pid=1, started_at=0.3))
            assert tx.runs.beat("run", _A, 9.0)
            assert tx.runs.get("run").heartbeat_at == 9.0
            assert tx.runs.claim("run", _B, _A)
            assert not tx.runs.beat("run", _A, 10.0)
            assert tx.runs.get("run").owner == _B
            with pytest.raises(NotFoundError):
                tx.runs.claim("other", _B, None)

    def test_this_process_as_an_owner_comes_back_equal(self, session: Session) -> None:
        add_run(session, owner=this_process())

        with session.read() as reader:
            assert reader.runs.get("run").owner == this_process()

    def test_metrics_keep_all_points_and_the_last(self, session: Session) -> None:
        add_run(session)
        add_run(session, "silent")
        points = [
            MetricPoint(name="loss", value=0.5, step=1, time=1.0),
            MetricPoint(name="loss", value=0.25, step=2, time=2.0),
            MetricPoint(name="auc", value=0.9, time=3.0),
        ]
        late = MetricPoint(name="loss", value=0.75, step=0, time=4.0)
        bad = MetricPoint(name="auc", value=math.nan, time=5.0)
        with session.write() as tx:
            tx.metrics.log("run", points)
            tx.metrics.log("run", [late, bad])
            tx.metrics.log("run", [])

        with session.read() as reader:
            assert reader.metrics.get("run")["loss"] == [late, points[0], points[1]]
            assert [p.value for p in reader.metrics.get("run")["auc"]] == [0.9, None]
            assert reader.metrics.last(["run", "silent"]) == {
                "run": {"loss": 0.25, "auc": None},
                "silent": {},
            }
        with pytest.raises(NotFoundError), session.write() as tx:
            tx.metrics.log("other", points)

    def test_requests_are_numbered_in_order(self, session: Session) -> None:
        add_run(session)
        with session.write() as tx:
            first = tx.requests.append("run", RequestKind.ADD_MINUTES, {"minutes": 5}, 1.0)
            second = tx.requests.append("run", RequestKind.CANCEL, {}, 2.0)

        assert (first.seq, second.seq) == (1, 2)
        with session.read() as reader:
            assert reader.requests.read("run") == [first, second]
            assert reader.requests.read("run", after=1) == [second]
        with pytest.raises(NotFoundError), session.write() as tx:
            tx.requests.append("other", RequestKind.CANCEL, {}, 1.0)


class StoreContract(
    TransactionContract,
    CatalogContract,
    RunContract,
    EventContract,
    FileContract,
    DeploymentContract,
    ModelContract,
    PipelineContract,
):
    """All that a store does in one process."""


def _make_experiment(session: Session) -> None:
    with session.write() as tx:
        tx.experiments.get_or_create("same")


def _set_status(session: Session, run_id: str, status: RunStatus) -> None:
    with session.write() as tx:
        tx.runs.set_status(run_id, status, time=9.0)
