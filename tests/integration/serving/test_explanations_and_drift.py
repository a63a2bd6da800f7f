"""What a deployment says beyond its answers: why, and whether its rows are still the same."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from nbautoml.errors import ConfigError, NbAutoMLError, NotAvailableError
from nbautoml.registry.model import Model
from nbautoml.services import deployments as services
from nbautoml.serving.explain import MOST_ROWS
from nbautoml.serving.webservice import Webservice
from tests.integration.serving.conftest import Kit, ask

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def service(kit: Kit, model: Model) -> Iterator[Webservice]:
    service = Model.deploy(kit.ws, "told", [model])
    service.wait_for_deployment()
    yield service
    service.delete()


def json_rows(rows: pd.DataFrame) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(rows.to_json(orient="records", date_format="iso"))
    return found


def test_contributions_sum_to_the_answer_in_every_form(
    service: Webservice, kit: Kit, model: Model
) -> None:
    rows = json_rows(kit.rows.head(3))
    proba = model.load().predict_proba(kit.rows.head(3))[:, 1]

    plain = ask(service, rows, params={"explain": "true"}).json()
    data = json.loads(ask(service, {"data": rows, "explain": True}).json())
    nested = ask(service, {"Inputs": {"data": rows}, "GlobalParameters": {"explain": True}}).json()

    told = plain["explanations"]
    assert told == data["explanations"] == nested["explanations"]
    sums = [told["base"]["yes"] + sum(row["yes"].values()) for row in told["rows"]]
    np.testing.assert_allclose(sums, proba, atol=1e-4)
    assert set(told["rows"][0]["yes"]) == set(kit.rows.columns) - {"patient"}
    sizes = pd.DataFrame([row["yes"] for row in told["rows"]]).abs().mean()
    assert sizes.idxmax() in ("age", "ward")
    assert "explanations" not in ask(service, rows).json()


def test_only_a_few_rows_are_explained_at_a_time(service: Webservice, kit: Kit) -> None:
    many = ask(service, [kit.sample()] * (MOST_ROWS + 1), params={"explain": "1"}).json()
    assert (len(many["predictions"]), len(many["explanations"]["rows"])) == (21, 20)
    assert many["warnings"] == ["only the first 20 of 21 rows are explained"]
    odd = ask(service, {"data": [kit.sample()], "explain": "why"})
    assert '"explain" must be true or false; got "why"' in odd.json()["detail"]
    assert ask(service, [kit.sample()], params={"explain": "auto"}).status_code == 422


def test_drift_is_told_of_what_was_written_down(service: Webservice, kit: Kit) -> None:
    with pytest.raises(NotAvailableError, match="collect_model_data=True"):
        service.get_drift()
    before = services.deployment_drift(kit.session, "told")
    assert (before["is_collecting"], before["report"]) == (False, None)
    assert "collect_model_data=True" in before["reason"]

    services.collect_data(kit.session, "told", {"collect": True})
    rng = np.random.default_rng(1)
    older = kit.rows.sample(300, replace=True, random_state=0)
    older = older.assign(age=older["age"] + 25, ward=rng.choice(["west", "north"], 300))
    ask(service, {"data": json_rows(older)})
    ask(service, {"data": json_rows(older), "method": "predict_proba"})
    ask(service, {"data": [kit.sample(age="x")]})
    report = service.get_drift()

    verdicts = {column.name: column.verdict for column in report.columns}
    assert (report.n_rows, report.n_requests) == (600, 2)
    assert verdicts["age"] == verdicts["ward"] == "strong"
    assert verdicts["anaemia"] == verdicts["platelets"] == "stable"
    assert "seen" not in verdicts  # dates move by themselves
    ward = next(column for column in report.columns if column.name == "ward")
    assert 0.3 < ward.unseen < 0.7
    assert report.prediction is not None
    assert report.prediction.verdict in ("moderate", "strong")
    assert report.columns[0].psi == max(column.psi for column in report.columns)
    assert "600 rows of 2 requests" in report._repr_html_()
    assert list(report.to_pandas_dataframe()["name"])[0] == "prediction"

    shown = services.deployment_drift(kit.session, "told")
    assert shown["is_collecting"]
    assert shown["report"]["n_rows"] == 600
    off = services.collect_data(kit.session, "told", {"collect": False})
    assert not off["is_collecting"]
    with pytest.raises(ConfigError, match="true or false"):
        services.collect_data(kit.session, "told", {"collect": 1})
    with pytest.raises(NbAutoMLError):
        services.deployment_drift(kit.session, "nobody")
