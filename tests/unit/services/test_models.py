import json

import pytest

from nbautoml.domain.ids import child_run_id
from nbautoml.errors import NotFoundError
from nbautoml.services.models import chart_page, trial_charts
from nbautoml.store.session import open_session

RUN = "AutoML_x"
MATRIX = {"data": {"class_labels": ["no", "</script><b>yes"], "matrix": [[3, 1], [0, 4]]}}
CONFIDENCE = {
    "data": {
        "metrics": {
            "accuracy": {"value": 0.5, "lower_ci_95": 0.4, "upper_ci_95": 0.6},
            "log_loss": {"value": 0.5, "lower_ci_95": None, "upper_ci_95": None},
        }
    }
}


@pytest.fixture
def session(tmp_path, make_workspace):
    with open_session(make_workspace(tmp_path)) as session:
        yield session


def store(session, name, content):
    session.save_artifacts(child_run_id(RUN, 0), {name: json.dumps(content).encode()})


def test_charts_of_a_trial(session):
    store(session, "confusion_matrix", MATRIX)
    store(session, "outputs/metric_confidence.json", CONFIDENCE)
    charts = trial_charts(session, RUN, 0)
    assert [figure["name"] for figure in charts["figures"]] == [
        "confusion_matrix",
        "confusion_matrix_normalized",
    ]
    assert charts["confidence"] == {"accuracy": [0.4, 0.6]}


def test_a_trial_without_charts_has_none(session):
    assert trial_charts(session, RUN, 0) == {"n": 0, "figures": [], "confidence": {}}


def test_unknown_trial_is_told(session):
    with pytest.raises(NotFoundError, match="no iteration 7"):
        trial_charts(session, RUN, 7)


def test_a_chart_is_a_page_that_needs_nothing_else(session):
    store(session, "confusion_matrix", MATRIX)
    page = chart_page(session, RUN, 0, "confusion_matrix")
    assert page.startswith("<!doctype html>")
    assert 'src="http' not in page
    assert "</script><b>yes" not in page


def test_unknown_chart_has_did_you_mean(session):
    store(session, "confusion_matrix", MATRIX)
    with pytest.raises(NotFoundError, match="Did you mean 'confusion_matrix'"):
        chart_page(session, RUN, 0, "confusion")
