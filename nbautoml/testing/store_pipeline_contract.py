"""What every store must do with published pipelines, endpoints, schedules and callers.

A part of `nbautoml.testing.store_contract`.
"""

# ruff: noqa: D102 - the name of a test says what holds

from __future__ import annotations

from dataclasses import replace

import pytest

from nbautoml.domain.records import (
    ApiTokenRecord,
    Owner,
    PipelineEndpointRecord,
    PublishedPipelineRecord,
    ScheduleRecord,
    ServiceProcessRecord,
    SubmissionRecord,
)
from nbautoml.domain.status import PublishedStatus
from nbautoml.errors import ConflictError, NotFoundError
from nbautoml.store.session import Session
from nbautoml.testing.store_cases import N_PER_THREAD, N_THREADS, in_threads

_ACTIVE, _DISABLED, _ARCHIVED = PublishedStatus

_A = Owner(host="a", pid=1, started_at=0.1)
_B = Owner(host="b", pid=2, started_at=0.2)


class PublishedPipelineContract:
    """Published pipelines, their endpoints, and results of steps."""

    def test_a_published_pipeline_comes_back_as_it_went_in(self, session: Session) -> None:
        record = PublishedPipelineRecord(
            id="p",
            name="train",
            version="1.0",
            graph={"steps": [{"name": "prepare", "arguments": ["--n", 3]}]},
            created_at=1.5,
            updated_at=2.5,
            description="about",
            status=_DISABLED,
            continue_on_step_failure=True,
            tags={"a": "b"},
            properties={"c": "d"},
        )
        with session.write() as tx:
            tx.published_pipelines.create(record)

        with session.read() as reader:
            assert reader.published_pipelines.get("p") == record

    def test_published_pipelines_are_listed_by_state_newest_first(self, session: Session) -> None:
        for number, status in enumerate((_ACTIVE, _DISABLED, _ACTIVE)):
            publish(session, f"p{number}", created_at=float(number), status=status)

        with session.read() as reader:
            pipelines = reader.published_pipelines
            assert [p.id for p in pipelines.list()] == ["p2", "p1", "p0"]
            assert [p.id for p in pipelines.list(status=_ACTIVE)] == ["p2", "p0"]
            assert pipelines.list(name="other") == []

    def test_a_name_finds_the_newest_that_is_active(self, session: Session) -> None:
        publish(session, "old", name="train", created_at=1.0)
        publish(session, "new", name="train", created_at=2.0, status=_DISABLED)
        publish(session, "gone", name="score", created_at=3.0, status=_DISABLED)

        with session.read() as reader:
            assert reader.published_pipelines.find("train").id == "old"
            assert reader.published_pipelines.find("score").id == "gone"
            with pytest.raises(NotFoundError, match="Did you mean 'train'"):
                reader.published_pipelines.find("trian")

    def test_a_published_pipeline_is_disabled_and_enabled(self, session: Session) -> None:
        publish(session, "p")
        with session.write() as tx:
            disabled = tx.published_pipelines.set_status("p", _DISABLED)
            enabled = tx.published_pipelines.set_status("p", _ACTIVE)

        assert (disabled.status, enabled.status) == (_DISABLED, _ACTIVE)
        assert disabled.updated_at > disabled.created_at
        with pytest.raises(NotFoundError, match="'q'"), session.write() as tx:
            tx.published_pipelines.set_status("q", _ACTIVE)

    def test_an_endpoint_comes_back_with_its_versions_in_order(self, session: Session) -> None:
        publish(session, "p")
        publish(session, "q")
        record = PipelineEndpointRecord(
            id="e",
            name="train",
            created_at=1.5,
            description="about",
            default_version="10",
            versions=tuple((str(number), "pq"[number % 2]) for number in range(11)),
        )
        with session.write() as tx:
            tx.pipeline_endpoints.create(record)

        with session.read() as reader:
            assert reader.pipeline_endpoints.get("e") == record
            assert reader.pipeline_endpoints.find("train") == record
            assert reader.pipeline_endpoints.list() == [record]
            assert reader.pipeline_endpoints.list(status=_ARCHIVED) == []

    def test_versions_of_an_endpoint_are_given_out_once(self, session: Session) -> None:
        add_endpoint(session, "e", name="train")
        found: list[str] = []

        def add(_number: int) -> None:
            for _ in range(N_PER_THREAD):
                with session.write() as tx:
                    found.append(tx.pipeline_endpoints.add_version("e", "p"))

        in_threads(add)

        assert sorted(map(int, found)) == list(range(1, N_THREADS * N_PER_THREAD + 1))

    def test_the_first_version_of_an_endpoint_is_zero(self, session: Session) -> None:
        publish(session, "p")
        with session.write() as tx:
            tx.pipeline_endpoints.create(
                PipelineEndpointRecord(id="e", name="train", created_at=1.0)
            )
            assert tx.pipeline_endpoints.add_version("e", "p") == "0"

    def test_an_endpoint_changes_its_name_state_and_default(self, session: Session) -> None:
        endpoint = add_endpoint(session, "e", name="train")
        changed = replace(
            endpoint, name="fit", description="d", status=_ARCHIVED, default_version="1"
        )
        with session.write() as tx:
            tx.pipeline_endpoints.add_version("e", "p")
            stored = tx.pipeline_endpoints.update(replace(changed, created_at=9.0))

        assert stored == replace(changed, versions=(("0", "p"), ("1", "p")))

    def test_a_name_of_an_endpoint_is_used_once(self, session: Session) -> None:
        add_endpoint(session, "e", name="train")
        with pytest.raises(ConflictError, match="add_default"):
            add_endpoint(session, "f", name="train")
        other = add_endpoint(session, "f", name="fit")
        with pytest.raises(ConflictError), session.write() as tx:
            tx.pipeline_endpoints.update(replace(other, name="train"))

        with session.read() as reader:
            assert [(e.id, e.name) for e in reader.pipeline_endpoints.list()] == [
                ("e", "train"),
                ("f", "fit"),
            ]

    def test_a_missing_endpoint_or_pipeline_is_told(self, session: Session) -> None:
        endpoint = add_endpoint(session, "e", name="train")
        with session.read() as reader:
            with pytest.raises(NotFoundError, match="Did you mean 'train'"):
                reader.pipeline_endpoints.find("trian")
            with pytest.raises(NotFoundError, match="'f'"):
                reader.pipeline_endpoints.get("f")
        with pytest.raises(NotFoundError, match="'q'"), session.write() as tx:
            tx.pipeline_endpoints.add_version("e", "q")
        with pytest.raises(NotFoundError, match="'f'"), session.write() as tx:
            tx.pipeline_endpoints.update(replace(endpoint, id="f"))

    def test_the_last_result_of_a_step_counts(self, session: Session) -> None:
        with session.write() as tx:
            tx.step_results.put("key", "run 1")
            tx.step_results.put("key", "run 2")

        with session.read() as reader:
            assert reader.step_results.get("key") == "run 2"
            assert reader.step_results.get("other") is None


class ScheduleContract:
    """Schedules, and the process that looks after them."""

    def test_a_schedule_comes_back_as_it_went_in(self, session: Session) -> None:
        publish(session, "p")
        record = ScheduleRecord(
            id="s",
            name="nightly",
            experiment="train",
            created_at=1.5,
            pipeline_id="p",
            description="about",
            status=_DISABLED,
            settings={"recurrence": {"frequency": "Day", "interval": 1}},
            next_at=2.5,
            last_run_id="run",
            state={"n_runs": 3},
        )
        with session.write() as tx:
            tx.schedules.create(record)

        with session.read() as reader:
            assert reader.schedules.get("s") == record

    def test_schedules_are_listed_by_what_they_run(self, session: Session) -> None:
        add_endpoint(session, "e", name="train")
        for schedule_id, changes in {
            "s0": {"pipeline_id": "p"},
            "s1": {"endpoint_id": "e"},
            "s2": {"pipeline_id": "p", "status": _DISABLED},
        }.items():
            add_schedule(session, schedule_id, **changes)

        with session.read() as reader:
            assert [s.id for s in reader.schedules.list()] == ["s0", "s1", "s2"]
            assert [s.id for s in reader.schedules.list(pipeline_id="p")] == ["s0", "s2"]
            assert [s.id for s in reader.schedules.list(endpoint_id="e")] == ["s1"]
            assert [s.id for s in reader.schedules.list(status=_ACTIVE)] == ["s0", "s1"]

    def test_a_changed_schedule_keeps_what_it_runs(self, session: Session) -> None:
        publish(session, "p")
        schedule = add_schedule(session, "s", pipeline_id="p")
        changed = replace(
            schedule, name="weekly", settings={"a": 1}, next_at=None, last_run_id="run"
        )
        with session.write() as tx:
            stored = tx.schedules.update(replace(changed, pipeline_id=None, created_at=9.0))

        assert stored == changed

    def test_a_moment_is_taken_by_one_of_many(self, session: Session) -> None:
        publish(session, "p")
        add_schedule(session, "s", pipeline_id="p", next_at=10.1)
        taken: list[bool] = []

        def take(_number: int) -> None:
            for step in range(N_PER_THREAD):
                with session.write() as tx:
                    seen, state = 10.1 + step, {"step": step}
                    taken.append(tx.schedules.move("s", seen=seen, next_at=seen + 1.0, state=state))

        in_threads(take)

        assert taken.count(True) == N_PER_THREAD
        with session.read() as reader:
            found = reader.schedules.get("s")
        assert found.next_at == pytest.approx(10.1 + N_PER_THREAD)
        assert found.state == {"step": N_PER_THREAD - 1}

    def test_a_disabled_schedule_is_not_moved(self, session: Session) -> None:
        publish(session, "p")
        add_schedule(session, "s", pipeline_id="p", status=_DISABLED, next_at=1.0)
        with session.write() as tx:
            assert not tx.schedules.move("s", seen=1.0, next_at=2.0, state={})

    def test_a_missing_schedule_is_told(self, session: Session) -> None:
        publish(session, "p")
        schedule = add_schedule(session, "s", pipeline_id="p")
        with session.read() as reader, pytest.raises(NotFoundError, match="'t'"):
            reader.schedules.get("t")
        with pytest.raises(NotFoundError, match="'t'"), session.write() as tx:
            tx.schedules.update(replace(schedule, id="t"))

    def test_a_process_of_the_workspace_lives_until_another_takes_its_place(
        self, session: Session
    ) -> None:
        first = ServiceProcessRecord(name="x", owner=_A, heartbeat_at=1.0, facts={"port": 1})
        second = replace(first, owner=_B)
        with session.write() as tx:
            processes = tx.service_processes
            assert processes.find("x") is None
            processes.put(first)
            assert processes.find("x") == first
            assert processes.beat("x", _A)
            alive = processes.find("x")
            assert alive is not None
            assert (alive.facts, alive.heartbeat_at > 1.0) == ({"port": 1}, True)
            processes.put(second)
            assert not processes.beat("x", _A)
            assert processes.beat("x", _B, {"port": 2})
            processes.remove("x", _A)
            left = processes.find("x")
            assert left is not None
            assert left.facts == {"port": 2}
            processes.remove("x", _B)
            assert processes.find("x") is None


class CallerContract:
    """Tokens, and requests that may be repeated."""

    def test_a_token_comes_back_as_it_went_in(self, session: Session) -> None:
        record = ApiTokenRecord(
            id="t",
            sha256="5f0c",
            name="cron",
            scopes=("read", "pipelines:p"),
            created_at=1.5,
            expires_at=2.5,
            last_used_at=3.5,
            revoked_at=4.5,
        )
        newer = replace(record, id="u", created_at=2.0, expires_at=None, revoked_at=None)
        with session.write() as tx:
            tx.api_tokens.create(record)
            tx.api_tokens.create(newer)

        with session.read() as reader:
            assert reader.api_tokens.get("t") == record
            assert reader.api_tokens.list() == [newer, record]
            with pytest.raises(NotFoundError, match="'v'"):
                reader.api_tokens.get("v")

    def test_a_token_is_used_and_revoked_once(self, session: Session) -> None:
        record = ApiTokenRecord(id="t", sha256="", name="", scopes=(), created_at=1.0)
        with session.write() as tx:
            tx.api_tokens.create(record)
            tx.api_tokens.note_use("t", 2.0)
            tx.api_tokens.revoke("t", 3.0)
            revoked = tx.api_tokens.revoke("t", 4.0)

        assert revoked == replace(record, last_used_at=2.0, revoked_at=3.0)
        with pytest.raises(NotFoundError, match="'u'"), session.write() as tx:
            tx.api_tokens.revoke("u", 4.0)

    def test_a_request_is_taken_by_one_of_many(self, session: Session) -> None:
        before: list[SubmissionRecord | None] = []

        def take(number: int) -> None:
            record = SubmissionRecord(key="k", fingerprint=str(number), created_at=1.0)
            with session.write() as tx:
                before.append(tx.submissions.take(record))

        in_threads(take)

        assert before.count(None) == 1
        with session.read() as reader:
            assert {one for one in before if one} == {reader.submissions.find("k")}

    def test_a_request_keeps_its_run_until_it_is_old(self, session: Session) -> None:
        record = SubmissionRecord(key="k", fingerprint="f", created_at=10.0)
        with session.write() as tx:
            tx.submissions.take(record)
            tx.submissions.finish("k", "run")
            tx.submissions.drop_before(10.0)
            assert tx.submissions.find("k") == replace(record, run_id="run")
            tx.submissions.drop_before(10.5)
            assert tx.submissions.find("k") is None

    def test_a_request_that_made_nothing_can_come_again(self, session: Session) -> None:
        record = SubmissionRecord(key="k", fingerprint="f", created_at=10.0)
        with session.write() as tx:
            tx.submissions.take(record)
            tx.submissions.drop("k")
            assert tx.submissions.take(record) is None


class PipelineContract(PublishedPipelineContract, ScheduleContract, CallerContract):
    """All that a store does for published pipelines."""


def publish(session: Session, pipeline_id: str, **changes: object) -> PublishedPipelineRecord:
    """Publish a small pipeline with the fields that matter to a test."""
    values: dict[str, object] = {
        "name": "pipeline",
        "version": "1",
        "graph": {"steps": []},
        "created_at": 1.0,
        "updated_at": 1.0,
        **changes,
    }
    record = PublishedPipelineRecord(id=pipeline_id, **values)  # type: ignore[arg-type]
    with session.write() as tx:
        tx.published_pipelines.create(record)
    return record


def add_endpoint(session: Session, endpoint_id: str, *, name: str) -> PipelineEndpointRecord:
    """Make an endpoint whose version 0 is the pipeline ``"p"``, which is made where need be."""
    with session.read() as reader:
        is_there = any(one.id == "p" for one in reader.published_pipelines.list())
    if not is_there:
        publish(session, "p")
    record = PipelineEndpointRecord(
        id=endpoint_id, name=name, created_at=1.0, versions=(("0", "p"),)
    )
    with session.write() as tx:
        tx.pipeline_endpoints.create(record)
    return record


def add_schedule(session: Session, schedule_id: str, **changes: object) -> ScheduleRecord:
    """Make a schedule with the fields that matter to a test."""
    values: dict[str, object] = {
        "name": "nightly",
        "experiment": "train",
        "created_at": 1.0,
        "next_at": 5.0,
        **changes,
    }
    record = ScheduleRecord(id=schedule_id, **values)  # type: ignore[arg-type]
    with session.write() as tx:
        tx.schedules.create(record)
    return record
