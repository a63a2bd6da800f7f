"""What every store must do with stages and aliases of models; a part of the store's suite."""

# ruff: noqa: D102 - the name of a test says what holds

from __future__ import annotations

import pytest

from nbautoml.domain.records import DeploymentRecord
from nbautoml.domain.status import ModelStage
from nbautoml.errors import ConflictError, NotFoundError
from nbautoml.store.session import Session
from nbautoml.testing.store_cases import N_THREADS, in_threads


class ModelContract:
    """Stages, aliases and data of a model's versions."""

    def test_one_version_of_a_model_at_most_is_in_production(self, session: Session) -> None:
        with session.write() as tx:
            for name in ("m", "m", "other"):
                tx.models.register(name)
            tx.models.set_stage("other", 1, ModelStage.PRODUCTION)
            tx.models.set_stage("m", 1, ModelStage.PRODUCTION)
            tx.models.set_stage("m", 2, ModelStage.PRODUCTION)

        with session.read() as reader:
            stages = {m.id: m.stage.value for m in reader.models.list()}
        assert stages == {"m:1": "Archived", "m:2": "Production", "other:1": "Production"}
        with pytest.raises(NotFoundError), session.write() as tx:
            tx.models.set_stage("m", 3, ModelStage.STAGING)

    def test_two_who_promote_at_once_leave_one_in_production(self, session: Session) -> None:
        with session.write() as tx:
            for _ in range(N_THREADS):
                tx.models.register("m")

        def promote(i: int) -> None:
            with session.write() as tx:
                tx.models.set_stage("m", i + 1, ModelStage.PRODUCTION)

        in_threads(promote)

        with session.read() as reader:
            stages = [m.stage for m in reader.models.list(name="m")]
        assert stages.count(ModelStage.PRODUCTION) == 1

    def test_an_alias_names_one_version_and_can_be_moved(self, session: Session) -> None:
        with session.write() as tx:
            for _ in range(2):
                tx.models.register("m")
            tx.models.set_alias("m", 1, "champion")
            tx.models.set_alias("m", 1, "old")
            tx.models.set_alias("m", 2, "champion")

        with session.read() as reader:
            assert reader.models.find_alias("m", "champion").version == 2
            assert {m.version: m.aliases for m in reader.models.list()} == {
                1: ("old",),
                2: ("champion",),
            }
            with pytest.raises(NotFoundError, match="There are: champion, old"):
                reader.models.find_alias("m", "nobody")
        with session.write() as tx:
            assert tx.models.remove_alias("m", 1, "champion").aliases == ("old",)
            assert tx.models.remove_alias("m", 2, "champion").aliases == ()
            tx.models.delete("m", 1)
        with pytest.raises(NotFoundError), session.read() as reader:
            reader.models.find_alias("m", "old")

    def test_the_data_of_a_model_is_kept_in_order_and_once(self, session: Session) -> None:
        with session.write() as tx:
            tx.models.register("m", datasets=[("training", "a"), ("training", "b")])
            tx.models.update("m", 1, datasets=[("training", "b"), ("test", "c")])
            tx.models.update("m", 1, samples={"input": "x"})
            changed = tx.models.update("m", 1, samples={"output": "y"})

        assert changed.datasets == (("training", "a"), ("training", "b"), ("test", "c"))
        assert changed.samples == {"input": "x", "output": "y"}

    def test_a_model_that_is_deployed_is_not_deleted(self, session: Session) -> None:
        deployment = DeploymentRecord(
            name="d", kind="ACI", created_at=1.0, updated_at=1.0, models=("m:1",)
        )
        with session.write() as tx:
            tx.models.register("m")
            tx.deployments.create(deployment)
        with pytest.raises(ConflictError, match="m:1 is served by d"), session.write() as tx:
            tx.models.delete("m", 1)

        with session.read() as reader:
            assert reader.models.get("m", 1).version == 1
