"""Profile to features: what each representation gets, leaks, widths and determinism."""

from __future__ import annotations

import hashlib
import os
import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.base import clone

from nbautoml.engine.featurize.build import (
    build_adapter,
    build_featurizer,
    engineered_feature_names,
    summarize_features,
    useful_representations,
)
from nbautoml.engine.featurize.options import (
    FeaturizationOptions,
    Representation,
    TransformerParams,
)
from nbautoml.engine.profile import profile_frame
from nbautoml.errors import ConfigError
from nbautoml.runtime.featurizer import DataTransformer

N = 240
REPRESENTATIONS = ["tree", "linear", "target_encoded", "crossed"]


def mixed_frame(n_rows: int = N) -> pd.DataFrame:
    """Return a table with a column of each type."""
    rng = np.random.default_rng(11)
    words = np.array(["red", "green", "blue", "sour", "sweet", "dry", "old", "new"])
    noise = rng.normal(size=n_rows)
    frame = pd.DataFrame(
        {
            "number": np.where(rng.random(n_rows) < 0.1, np.nan, noise),
            "price": [f"${1000 + 50 * v:,.2f}" for v in noise],
            "color": rng.choice(["r", "g", "b", None], n_rows, p=[0.4, 0.3, 0.2, 0.1]),
            "grade": rng.choice([1, 2, 5], n_rows),
            "city": [f"city{i}" for i in rng.integers(0, 80, n_rows)],
            "is_new": rng.choice(["yes", "no"], n_rows),
            "seen": pd.date_range("2023-11-01", periods=n_rows, freq="7h"),
            "note": [" ".join(rng.choice(words, 6)) for _ in range(n_rows)],
            "id": np.arange(n_rows),
            "same": "x",
        }
    )
    frame.loc[5, "seen"] = pd.NaT
    return frame


FRAME = mixed_frame()
PROFILE = profile_frame(FRAME, np.zeros(N), "regression")


def features(representation: str, frame: pd.DataFrame = FRAME, profile=PROFILE):
    made = build_featurizer(profile, representation)
    return made, made.fit_transform(build_adapter(profile).transform(frame), label(len(frame)))


def label(n_rows: int) -> np.ndarray:
    return np.random.default_rng(5).normal(size=n_rows)


def dense(out: object) -> np.ndarray:
    return out.toarray() if sp.issparse(out) else out


def options_profile(**values: object):
    options = FeaturizationOptions(**values)
    return profile_frame(FRAME, np.zeros(N), "regression", options=options)


def given(transformer: str, columns: tuple[str, ...] = (), **params: object) -> TransformerParams:
    return TransformerParams(transformer=transformer, columns=columns, params=params)


def test_trees_get_dense_numbers_with_gaps():
    made, out = features("tree")
    assert (type(out), out.dtype) == (np.ndarray, np.float32)
    raws = [entry.raw for entry in made.lineage_]
    at = raws.index("number")
    np.testing.assert_allclose(out[:, at], FRAME["number"].to_numpy(np.float32))
    assert [raws[i] for i in made.categorical_features_] == ["color", "city"]


def test_linear_models_get_no_gaps():
    made, out = features("linear")
    assert sp.issparse(out)
    assert np.isfinite(out.data).all()
    names = list(made.get_feature_names_out())
    assert {"number_WASNULL", "color_WASNULL", "seen_WASNULL", "grade_5"} <= set(names)


def test_linear_is_dense_without_wide_columns():
    frame = FRAME[["number", "color", "grade"]]
    profile = profile_frame(frame, np.zeros(N), "regression")
    assert isinstance(features("linear", frame, profile)[1], np.ndarray)


def test_models_see_positional_names_only():
    made, out = features("tree")
    table = engineered_feature_names(made)
    assert [row["feature"] for row in table] == [f"f{i}" for i in range(out.shape[1])]
    assert [row["index"] for row in table] == list(range(out.shape[1]))
    assert {row["raw"] for row in table} == {column.name for column in PROFILE.used}


def test_summary_has_a_row_for_each_raw_column():
    rows = {r["RawFeatureName"]: r for r in summarize_features(PROFILE, features("linear")[0])}
    assert list(rows) == list(FRAME.columns)
    assert rows["number"]["Transformations"] == ["MeanImputer", "ImputationMarker"]
    assert rows["number"]["EngineeredFeatureCount"] == 2
    assert (rows["id"]["Dropped"], rows["id"]["TypeDetected"]) == ("Yes", "Ignore")
    assert (rows["note"]["Dropped"], rows["note"]["TypeDetected"]) == ("No", "Text")
    assert all(row["Transformations"] == row["Tranformations"] for row in rows.values())


@pytest.mark.parametrize("representation", REPRESENTATIONS)
def test_validation_rows_have_no_say_in_training_features(representation):
    """Only validation rows differ between the tables; training features must not."""
    train = np.arange(0, N, 2)
    corrupt = FRAME.copy()
    valid = np.arange(1, N, 2)
    corrupt.loc[valid, "number"] = 1e30
    corrupt.loc[valid, ["color", "city"]] = "planted"
    corrupt.loc[valid, "note"] = "planted words that never occur elsewhere"
    corrupt.loc[valid, "seen"] = pd.Timestamp("1970-01-01")
    adapter = build_adapter(PROFILE)
    outputs = []
    for frame, seed in ((FRAME, 0), (corrupt, 1)):
        y = np.random.default_rng(seed).integers(0, 2, N)
        y[train] = 0
        table = adapter.transform(frame)
        made = build_featurizer(PROFILE, representation)
        outputs.append((made.fit_transform(table.iloc[train], y[train]), made))
    (clean, one), (planted, other) = outputs
    assert dense(clean).tobytes() == dense(planted).tobytes()
    assert one.lineage_ == other.lineage_


@pytest.mark.parametrize("representation", REPRESENTATIONS)
def test_noise_categories_tell_nothing_of_a_noise_label(representation):
    """A target leak through encoders would show as skill on rows left out."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"c": [f"k{i}" for i in rng.integers(0, 300, 1200)]})
    y = rng.integers(0, 2, 1200)
    profile = profile_frame(frame, y, "classification")
    table, half = build_adapter(profile).transform(frame), 600
    made = build_featurizer(profile, representation)
    X = np.nan_to_num(dense(made.fit_transform(table.iloc[:half], y[:half])), nan=-1)
    X_valid = np.nan_to_num(dense(made.transform(table.iloc[half:])), nan=-1)
    model = LogisticRegression(max_iter=300).fit(X / 10, y[:half])
    assert abs(roc_auc_score(y[half:], model.predict_proba(X_valid / 10)[:, 1]) - 0.5) < 0.06


@pytest.mark.parametrize("representation", REPRESENTATIONS)
def test_new_rows_with_everything_odd(representation):
    made, out = features(representation)
    raw = pd.DataFrame(
        {
            "extra": [1],
            "note": [None],
            "seen": ["2030-05-06"],
            "is_new": [None],
            "city": ["never seen"],
            "grade": [9],
            "color": ["violet"],
            "price": [np.inf],
            "number": [None],
        }
    )
    row = dense(made.transform(build_adapter(PROFILE).transform(raw)))
    assert row.shape == (1, out.shape[1])
    assert np.isfinite(row).all() == (representation == "linear")


@pytest.mark.parametrize("representation", REPRESENTATIONS)
def test_pickled_step_featurizes_raw_rows(representation):
    step = DataTransformer(build_adapter(PROFILE), build_featurizer(PROFILE, representation))
    expected = dense(step.fit(FRAME, label(N)).transform(FRAME))
    again = pickle.loads(pickle.dumps(step))
    np.testing.assert_allclose(dense(again.transform(FRAME)), expected, atol=1e-5)
    shuffled = FRAME.iloc[:3, ::-1]
    np.testing.assert_allclose(dense(again.transform(shuffled)), expected[:3], atol=1e-5)
    assert again.transform(FRAME.iloc[:0]).shape == (0, expected.shape[1])


@pytest.mark.parametrize("representation", REPRESENTATIONS)
def test_featurizer_can_be_cloned_for_each_fold(representation):
    made = build_featurizer(PROFILE, representation)
    table = build_adapter(PROFILE).transform(FRAME)
    first = dense(clone(made).fit_transform(table, label(N)))
    assert first.tobytes() == dense(clone(made).fit_transform(table, label(N))).tobytes()


def fingerprint() -> str:
    """Return a hash of both matrices; run by other processes too."""
    digest = hashlib.sha256()
    for representation in REPRESENTATIONS:
        digest.update(dense(features(representation)[1]).tobytes())
    return digest.hexdigest()


def test_a_process_with_another_hash_seed_makes_the_same_matrix():
    code = f"import runpy; print(runpy.run_path({__file__!r})['fingerprint']())"
    env = {**os.environ, "PYTHONHASHSEED": "2", "PYTHONPATH": os.pathsep.join(sys.path)}
    found = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, check=True, text=True
    )
    assert found.stdout.strip() == fingerprint()


def test_width_of_many_categories_is_capped():
    frame = pd.DataFrame({"c": [f"k{i % 10_000}" for i in range(30_000)], "n": np.arange(30_000.0)})
    profile = profile_frame(frame, frame["n"], "regression")
    assert features("linear", frame, profile)[1].shape[1] <= 1025


def test_imputer_is_obeyed_by_both_representations():
    imputer = given("Imputer", ("number",), strategy="constant", fill_value=-7)
    profile = options_profile(transformer_params=(imputer,))
    gap = int(np.flatnonzero(FRAME["number"].isna())[0])
    for representation in REPRESENTATIONS:
        made, out = features(representation, profile=profile)
        names = list(made.get_feature_names_out())
        assert dense(out)[gap, names.index("number")] == -7
        assert summarize_features(profile, made)[0]["Transformations"][0] == "ConstantImputer"


def test_unknown_strategy_of_the_imputer_is_refused():
    profile = options_profile(transformer_params=(given("Imputer", strategy="guess"),))
    with pytest.raises(ConfigError, match="strategy of Imputer for column 'number'.*'guess'"):
        build_featurizer(profile, "linear")


def test_number_of_bits_is_obeyed():
    profile = options_profile(transformer_params=(given("HashOneHotEncoder", number_of_bits=3),))
    rows = summarize_features(profile, features("linear", profile=profile)[0])
    assert {r["RawFeatureName"]: r["EngineeredFeatureCount"] for r in rows}["city"] == 8


@pytest.mark.parametrize(
    ("blocked", "column", "transformations"),
    [
        ((), "color", ["OneHotEncoder", "ImputationMarker"]),
        (("OneHotEncoder",), "color", ["HashOneHotEncoder", "ImputationMarker"]),
        (("HashOneHotEncoder",), "city", ["OneHotEncoder"]),
        (("onehotencoder", "HashOneHotEncoder"), "color", ["OrdinalEncoder"]),
        (("onehotencoder", "HashOneHotEncoder"), "city", ["OrdinalEncoder"]),
        (("ImputationMarker",), "number", ["MeanImputer"]),
        (("TfIdf",), "note", ["CountVectorizer", "CharGramCountVectorizer"]),
        (("TfIdf", "CountVectorizer"), "note", []),
        (("CountVectorizer",), "note", ["TfIdf", "CharGramTfIdf"]),
        (("WoETargetEncoder", "NaiveBayes", "WordEmbedding"), "note", ["TfIdf", "CharGramTfIdf"]),
        (("DateTimeTransformer",), "seen", []),
        (("DateTime",), "seen", []),
    ],
)
def test_blocked_transformers_are_not_used(blocked, column, transformations):
    profile = options_profile(blocked_transformers=blocked)
    rows = summarize_features(profile, features("linear", profile=profile)[0])
    assert {r["RawFeatureName"]: r["Transformations"] for r in rows}[column] == transformations


@pytest.mark.parametrize(
    ("blocked", "column", "transformations"),
    [
        ((), "color", ["OrdinalEncoder"]),
        (("LabelEncoder",), "color", ["OneHotEncoder", "ImputationMarker"]),
        (("LabelEncoder",), "city", ["HashOneHotEncoder"]),
        (("LabelEncoder", "OneHotEncoder", "HashOneHotEncoder"), "city", []),
    ],
)
def test_trees_get_no_codes_when_these_are_blocked(blocked, column, transformations):
    profile = options_profile(blocked_transformers=blocked)
    rows = summarize_features(profile, features("tree", profile=profile)[0])
    assert {r["RawFeatureName"]: r["Tranformations"] for r in rows}[column] == transformations
    assert (Representation.NATIVE in useful_representations(profile, 2)) == (not blocked)


def test_a_run_without_any_feature_is_refused():
    blocked = ("LabelEncoder", "OneHotEncoder", "HashOneHotEncoder")
    options = FeaturizationOptions(blocked_transformers=blocked)
    profile = profile_frame(FRAME[["color"]], np.zeros(N), "regression", options=options)
    with pytest.raises(ConfigError, match="leave no feature of any column.*Block fewer"):
        build_featurizer(profile, "tree")


def test_parameters_of_tfidf_are_obeyed_for_each_column():
    frame = FRAME[["note"]].assign(other=FRAME["note"].str[::-1])
    options = FeaturizationOptions(
        transformer_params=(given("TfIdf", ("other",), ngram_range=[2, 3], max_features=7),)
    )
    profile = profile_frame(frame, np.zeros(N), "regression", options=options)
    made, out = features("linear", frame, profile)
    terms = [e.name for e in made.lineage_ if (e.raw, e.transformation) == ("other", "TfIdf")]
    assert len(terms) == 7
    assert all(" " in term for term in terms)
    assert sum(entry.raw == "note" for entry in made.lineage_) > 14
    assert out.shape == (N, len(made.lineage_))


@pytest.mark.parametrize(("n_texts", "expected"), [(1, 60), (2, 60), (3, 40), (4, 30), (9, 30)])
def test_many_text_columns_share_their_components(n_texts, expected):
    rng = np.random.default_rng(0)
    words = np.array([a + b for a in "abcdefghij" for b in "klmnopqrst"])
    frame = pd.DataFrame(
        {f"t{j}": [" ".join(rng.choice(words, 8)) for _ in range(N)] for j in range(n_texts)}
    )
    profile = profile_frame(frame, np.zeros(N), "regression")
    rows = summarize_features(profile, features("tree", frame, profile)[0])
    assert {row["EngineeredFeatureCount"] for row in rows} == {expected + 2}


@pytest.mark.parametrize(
    ("language", "expected"), [("", "char"), ("mul", "char"), ("jpn", "char"), ("eng", "word")]
)
def test_the_language_says_whether_spaces_set_words_apart(language, expected):
    texts = [f"これはとても長い文章です{chr(0x4E00 + i)}" for i in range(60)]
    profile = profile_frame(
        pd.DataFrame({"t": texts}),
        np.zeros(60),
        "regression",
        options=FeaturizationOptions(language=language),
    )
    made, _ = features("linear", pd.DataFrame({"t": texts}), profile)
    assert made.steps_[0][1].vectorizers_[0][0].analyzer == expected


def test_unknown_representation_is_refused():
    with pytest.raises(ValueError, match="'forest' is not a valid Representation"):
        build_featurizer(PROFILE, "forest")


@pytest.mark.parametrize(
    ("columns", "values", "expected"),
    [
        (["number", "color"], {}, set(Representation)),
        (["number", "color"], {"is_auto": False}, {"tree"}),
        (["number"], {}, {"tree"}),
        (["number", "price"], {}, {"tree", "crossed"}),
        (["color"], {}, {"tree", "linear", "native", "target_encoded"}),
        (
            ["color", "city"],
            {"blocked_transformers": ("TargetEncoder",)},
            {"tree", "linear", "native"},
        ),
        (["note"], {}, {"tree", "linear"}),
    ],
)
def test_representations_that_differ(columns, values, expected):
    options = FeaturizationOptions(**values)
    profile = profile_frame(FRAME[columns], np.zeros(N), "regression", options=options)
    assert useful_representations(profile, 0) == expected
    assert useful_representations(profile, 19) <= {"tree", "linear", "native"}
