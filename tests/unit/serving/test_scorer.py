"""A bundle's pipeline gets columns, one of an earlier version gets frames: the same answers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd
import pytest

from nbautoml.registry.bundle import export_bundle
from nbautoml.registry.schema import describe_frame
from nbautoml.runtime.categorical import OrdinalColumns
from nbautoml.runtime.dates import DateParts
from nbautoml.runtime.featurizer import DataTransformer, Featurizer
from nbautoml.runtime.input_adapter import ColumnFormat, InputAdapter
from nbautoml.runtime.numeric import NumericColumns
from nbautoml.runtime.pipeline import ModelPipeline
from nbautoml.serving.scorer import Answer, Asked, BundleScorer

KINDS = {"a": "number", "flag": "boolean", "zip": "category", "w": "category", "d": "date"}
STEPS = [
    ("numbers", NumericColumns(), ["a", "flag"]),
    ("words", OrdinalColumns(), ["zip", "w"]),
    ("dates", DateParts(), ["d"]),
]


def frame_of(n: int = 900) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "a": np.where(rng.random(n) < 0.1, np.nan, rng.normal(size=n)),
            "flag": rng.random(n) < 0.5,
            "zip": rng.choice(["10115", "80331"], size=n),
            "w": rng.choice(["north", "Köln", None], size=n),
            "d": pd.Timestamp("2025-01-01") + pd.to_timedelta(rng.integers(0, 300, n), "D"),
        }
    )


@pytest.fixture(scope="module")
def scorer(tmp_path_factory: pytest.TempPathFactory) -> BundleScorer:
    rows = frame_of()
    adapter = InputAdapter([ColumnFormat(name=name, kind=kind) for name, kind in KINDS.items()])
    featurizer = Featurizer(STEPS).fit(adapter.transform(rows))
    y = ((rows["w"] == "Köln") ^ rows["flag"]).astype(int)
    model = lightgbm.LGBMClassifier(n_estimators=20, n_jobs=1, verbosity=-1)
    model.fit(featurizer.transform(adapter.transform(rows)), y)
    classes = np.array(["no", "yes"])
    reader = DataTransformer.from_fitted(adapter, featurizer)
    pipeline = ModelPipeline([("datatransformer", reader), ("m", model)], classes=classes)
    folder = tmp_path_factory.mktemp("served")
    schema = describe_frame(rows, task="classification", label="y", classes=["no", "yes"])
    export_bundle(
        pipeline, folder / "outputs", schema=schema, sample=rows, metrics={}, run_id="none"
    )
    sha256 = hashlib.sha256((folder / "outputs" / "model.pkl").read_bytes()).hexdigest()
    return BundleScorer(job_of(sha256), folder)


def job_of(sha256: str) -> dict[str, object]:
    entry = {"kind": "bundle", "folder": "outputs"}
    return {"entry": entry, "models": ["m:1"], "hashes": {"model.pkl": sha256}, "threads": 2}


@pytest.fixture
def with_frames(scorer: BundleScorer) -> Iterator[BundleScorer]:
    """Return the same scorer of a pipeline that does not know the other way."""
    scorer._takes_columns = False
    yield scorer
    scorer._takes_columns = True


def answer(scorer: BundleScorer, rows: list[dict[str, object]]) -> dict[str, object]:
    asked = Asked(body=json.dumps(rows).encode(), query={"probabilities": "true"})
    (found,) = scorer.score([asked])
    assert isinstance(found, Answer), found
    content: dict[str, object] = found.content
    return content


def records(n: int) -> list[dict[str, object]]:
    text = frame_of().head(n).to_json(orient="records", date_format="iso")
    found: list[dict[str, object]] = json.loads(text)
    return found


ODD = [
    {"a": None},
    {"a": "1.5"},
    {"flag": "yes"},
    {"zip": 10115},
    {"w": "unseen"},
    {"w": " Köln "},
    {"d": "2 Jan 2025"},
    {"other": 1},
]


@pytest.mark.parametrize("changes", ODD, ids=str)
def test_answers_are_those_by_a_frame(
    scorer: BundleScorer, changes: dict[str, object], request: pytest.FixtureRequest
) -> None:
    rows = [*records(3), {**records(1)[0], **changes}]

    found = answer(scorer, rows)

    assert scorer._takes_columns
    assert found == answer(request.getfixturevalue("with_frames"), rows)


@pytest.mark.parametrize("n", [1, 399, 900])
def test_many_answers_are_those_by_a_frame(
    scorer: BundleScorer, n: int, request: pytest.FixtureRequest
) -> None:
    found = answer(scorer, records(n))
    expected = scorer._model.predict_proba(frame_of().head(n))

    assert scorer.n_threads == 2
    assert found["probabilities"] == expected.tolist()
    assert found == answer(request.getfixturevalue("with_frames"), records(n))


def test_requests_together_are_answered_as_alone(scorer: BundleScorer) -> None:
    bodies = [json.dumps(records(n)).encode() for n in (1, 3, 2)]
    asked = [Asked(body=body, query={}) for body in bodies]

    together = scorer.score(asked)

    assert together == [scorer.score([one])[0] for one in asked]


def test_another_s_model_gets_frames_in_one_thread(
    scorer: BundleScorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Foreign:
        def predict(self, frame: pd.DataFrame) -> list[int]:
            return list(range(len(frame)))

    monkeypatch.setattr("nbautoml.serving.scorer.load_pickle", lambda *_, **__: Foreign())
    monkeypatch.setattr("nbautoml.serving.scorer.check_hash", lambda *_, **__: None)
    other = BundleScorer(job_of(""), scorer._profile.parent.parent)
    (found,) = other.score([Asked(body=json.dumps(records(900)).encode(), query={})])

    assert isinstance(found, Answer)
    assert found.content["predictions"] == list(range(900))
    assert other.n_threads == 1
