"""What the panel, the run view and the magics do with deployments."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from nbautoml import Workspace
from nbautoml.errors import ConfigError, ConflictError, NotFoundError, WebserviceNotFoundError
from nbautoml.magics.commands import run_command
from nbautoml.magics.complete import candidates
from nbautoml.magics.home import Home
from nbautoml.magics.say import say
from nbautoml.magics.serve import predictions_from
from nbautoml.registry.model import Model
from nbautoml.services import deployments as services
from nbautoml.serving.configs import InferenceConfig
from nbautoml.serving.webservice import Webservice
from tests.integration.serving.conftest import Kit, deleted_at_the_end

pytestmark = pytest.mark.integration

Until = Callable[[Callable[[], object]], None]


@pytest.fixture(scope="module")
def service(kit: Kit, model: Model) -> Iterator[Webservice]:
    services.deploy_model(kit.session, {"name": "front", "model": model.name})
    service = Webservice(kit.ws, "front")
    service.wait_for_deployment()
    yield service
    service.delete()


def test_a_deployment_is_listed_with_its_state_and_address(
    kit: Kit, service: Webservice, model: Model
) -> None:
    (row,) = services.deployments(kit.session)["deployments"]

    assert (row["name"], row["state"], row["is_settled"]) == ("front", "Healthy", True)
    assert (row["address"], row["models"]) == (service.scoring_uri, [model.id])
    assert row["run_ids"] == [model.run_id]
    for run_id, n_found in ((model.run_id, 1), (model.run_id.rpartition("_")[0], 1), ("x", 0)):
        assert len(services.deployments(kit.session, run_id)["deployments"]) == n_found


def test_what_is_shown_can_be_copied_and_works(kit: Kit, service: Webservice) -> None:
    told = services.deployment(kit.session, "front")
    key = services.deployment_keys(kit.session, "front")["secondary"]

    done = subprocess.run(
        ["bash", "-c", f"{told['curl']} --silent --noproxy '*'".replace("KEY", key)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert "result" in done.stdout, done
    assert told["sample"]["ward"] in ("north", "south", "Köln")
    compile(told["code"], "cell", "exec")
    assert told["needs_key"]


def test_a_request_is_tried_as_others_send_it(kit: Kit, service: Webservice) -> None:
    good = services.try_deployment(kit.session, "front", {"body": [kit.sample()]})
    proba = services.try_deployment(
        kit.session, "front", {"body": [kit.sample()], "probabilities": True}
    )
    bad = services.try_deployment(kit.session, "front", {"body": [kit.sample(age="x")]})

    assert (good["status"], good["reply"]["predictions"][0] in ("yes", "no")) == (200, True)
    assert len(proba["reply"]["probabilities"][0]) == 2
    assert bad["status"] == 422
    assert "column 'age'" in bad["reply"]["detail"]
    with pytest.raises(ConfigError, match="body"):
        services.try_deployment(kit.session, "front", {})


def test_a_key_is_renewed_and_the_log_read(kit: Kit, service: Webservice) -> None:
    before = services.deployment_keys(kit.session, "front")
    after = services.renew_key(kit.session, "front", {"key": "Primary"})

    assert after["primary"] != before["primary"]
    assert after["secondary"] == before["secondary"]
    assert "serves" in services.deployment_log(kit.session, "front")["text"]
    with pytest.raises(ConfigError):
        services.renew_key(kit.session, "front", {})


WRONG = [
    ({}, ConfigError, "name of the deployment must be a text"),
    ({"name": "a b", "model": "heart"}, ConfigError, "name of a deployment must be"),
    ({"name": "x"}, ConfigError, "Say what to deploy"),
    ({"name": "x", "model": "none"}, NotFoundError, "none"),
    ({"name": "x", "model": 5}, ConfigError, "model must be a name"),
    ({"name": "x", "model": "heart", "version": "1"}, ConfigError, "version"),
    ({"name": "x", "run_id": "r"}, ConfigError, "run_id and number"),
    ({"name": "x", "run_id": "r", "number": 1}, NotFoundError, "r"),
    ({"name": "front", "model": "heart"}, ConflictError, "is there already"),
]


@pytest.mark.parametrize(("asked", "error", "said"), WRONG)
def test_what_cannot_be_deployed_is_told(
    kit: Kit, service: Webservice, asked: dict[str, object], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        services.deploy_model(kit.session, asked)


def test_a_deployment_is_started_again_and_removed(kit: Kit, model: Model, until: Until) -> None:
    services.deploy_model(kit.session, {"name": "short", "model": model.name, "version": 1})
    until(lambda: services.deployment(kit.session, "short")["is_settled"])
    address = services.deployment(kit.session, "short")["address"]

    assert services.restart_deployment(kit.session, "short")["address"] == address
    assert services.delete_deployment(kit.session, "short") == {"name": "short"}
    for ask in (services.deployment, services.delete_deployment, services.deployment_log):
        with pytest.raises(WebserviceNotFoundError):
            ask(kit.session, "short")


def test_a_script_has_no_sample_row(kit: Kit, tmp_path: Path) -> None:
    (tmp_path / "score.py").write_text("def init():\n    pass\ndef run(data):\n    return 1\n")
    script = InferenceConfig(str(tmp_path / "score.py"))
    with deleted_at_the_end(Model.deploy(kit.ws, "plain", [], script)):
        assert services.deployment(kit.session, "plain")["sample"] is None


@pytest.fixture
def home(kit: Kit) -> Iterator[Home]:
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance()
    variables = {"ws": Workspace(kit.session), "df": kit.rows.head(30)}
    yield Home(variables, say)
    shell.history_manager.enabled = False
    InteractiveShell.clear_instance()


def said(home: Home, line: str) -> str:
    with capture_output() as shown:
        run_command(line, home)
    rich = [str(output.data.get("text/plain", "")) for output in shown.outputs]
    return "\n".join([shown.stdout, *rich])


def test_lines_of_the_magic(kit: Kit, model: Model, home: Home) -> None:
    assert "Nothing is deployed" in said(home, "endpoint") or "front" in said(home, "endpoint")
    text = said(home, "deploy heart:1 --name lines")
    with deleted_at_the_end(Webservice(kit.ws, "lines")) as service:
        assert f"lines is Healthy: {service.scoring_uri}" in text
        assert "lines" in said(home, "endpoint")
        assert "state='Healthy'" in said(home, "endpoint lines")
        assert "serves" in said(home, "endpoint lines --logs")
        assert service.get_keys()[0] in said(home, "endpoint lines --keys")

        text = said(home, "predict lines df")
        found = home.variables["predictions"]
        expected = model.load().predict(home.variables["df"])
        assert "30 rows" in text
        assert found["prediction"].tolist() == expected.tolist()
        assert list(found.columns) == [
            "prediction",
            "probability of no",
            "probability of yes",
        ]
        assert "lines" in candidates("%automl endpoint ", 0, 17, home)
        assert "lines" in candidates("%automl predict ", 0, 16, home)
        assert "--logs" in candidates("%automl endpoint lines ", 0, 23, home)
        assert "is Healthy" in said(home, "endpoint lines --restart")
        assert "is deleted" in said(home, "endpoint lines --delete")
        with pytest.raises(WebserviceNotFoundError):
            said(home, "endpoint lines")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("deploy", "takes a model or a run"),
        ("deploy heart one", "takes a model or a run"),
        ("deploy heart --name", "--name NAME"),
        ("deploy heart:x", "version of a model is a number"),
        ("deploy hearts", "no run has that id"),
        ("endpoint x --log", "Did you mean '--logs'"),
        ("endpoint --logs", "takes a name"),
        ("endpoint absent", "absent"),
    ],
)
def test_lines_that_cannot_be_done_say_why(home: Home, line: str, message: str) -> None:
    with pytest.raises((ConfigError, NotFoundError), match=message):
        said(home, line)


def test_predictions_of_a_model_of_numbers(kit: Kit) -> None:
    service = Model.deploy(kit.ws, "of-numbers", [kit.numbers("of-numbers")])
    with deleted_at_the_end(service):
        service.wait_for_deployment()
        rows = kit.rows.head(3).set_index(pd.Index([7, 8, 9]))
        found = predictions_from(service, rows)

    assert found.to_dict() == {"prediction": {7: 2.5, 8: 2.5, 9: 2.5}}
