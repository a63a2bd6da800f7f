"""AutoMLConfig: what is accepted, converted, refused and written down."""

from __future__ import annotations

import inspect
import json
import logging
import warnings
from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from nbautoml.automl.config import AutoMLConfig
from nbautoml.automl.model_names import AVAILABLE, PLANNED, available, canonical
from nbautoml.automl.notices import warn_once
from nbautoml.automl.options import AUTOML_OPTIONS
from nbautoml.domain.tasks import Task
from nbautoml.errors import ConfigError, DatasetError, NotAvailableError

FRAME = pd.DataFrame({"age": [40, 50, 60], "sex": ["f", "m", "f"], "DEATH_EVENT": [0, 1, 0]})


class DatasetStandIn:
    """A dataset that knows its columns and can become a frame."""

    name = "heart"
    columns = list(FRAME.columns)

    def to_pandas_dataframe(self) -> pd.DataFrame:
        return FRAME


@pytest.fixture(autouse=True)
def fresh_warnings() -> Iterator[None]:
    warn_once.cache_clear()
    yield
    warn_once.cache_clear()


def make(task: str = "classification", **settings: object) -> AutoMLConfig:
    defaults: dict[str, object] = {"training_data": FRAME, "label_column_name": "DEATH_EVENT"}
    return AutoMLConfig(task, **(defaults | settings))


def text_of(error: type[Exception], **settings: object) -> str:
    with pytest.raises(error) as caught:
        make(**settings)  # type: ignore[arg-type]
    return str(caught.value)


def test_defaults_are_those_of_the_declaration() -> None:
    config = make()
    assert config.values["featurization"] == "auto"
    assert config.values["enable_early_stopping"] is True
    assert config.values["enable_voting_ensemble"] is True
    assert config.values["max_concurrent_iterations"] is None
    assert config.values["iterations"] is None
    assert config.values["experiment_timeout_minutes"] is None
    assert config.given == {"task", "training_data", "label_column_name"}


@pytest.mark.parametrize(
    ("task", "expected"),
    [("classification", "accuracy"), ("regression", "normalized_root_mean_squared_error")],
)
def test_primary_metric_is_filled_in(task: str, expected: str) -> None:
    assert make(task).values["primary_metric"] == expected


def test_primary_metric_takes_any_case() -> None:
    assert make(primary_metric="auc_WEIGHTED").values["primary_metric"] == "AUC_weighted"


def test_metric_of_another_task_is_refused_with_the_valid_ones() -> None:
    assert text_of(ConfigError, task="regression", primary_metric="AUC_weighted") == (
        "primary_metric of AutoMLConfig must be one of ['r2_score', 'spearman_correlation', "
        "'normalized_mean_absolute_error', 'normalized_root_mean_squared_error'], "
        "or another metric of task 'regression'; got 'AUC_weighted'."
    )


@pytest.mark.parametrize(
    ("task", "name"),
    [
        ("classification", "log_loss"),
        ("classification", "f1_score_weighted"),
        ("regression", "root_mean_squared_error"),
    ],
)
def test_any_metric_of_the_task_may_be_primary(task: str, name: str) -> None:
    assert make(task, primary_metric=name.upper()).values["primary_metric"] == name


def test_a_metric_of_one_class_needs_that_class() -> None:
    name = "f1_score_binary"
    assert make(primary_metric=name, positive_label=1).values["primary_metric"] == name
    assert text_of(ConfigError, primary_metric=name) == (
        "primary_metric='f1_score_binary' of AutoMLConfig is of one class; "
        "name it with positive_label."
    )


def test_values_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        make().values["iterations"] = 3  # type: ignore[index]


def test_unknown_setting_gets_a_hint() -> None:
    text = text_of(ConfigError, iteration_timeout_minute=3)
    assert (
        "no setting 'iteration_timeout_minute'. Did you mean 'iteration_timeout_minutes'?" in text
    )


@pytest.mark.parametrize(
    ("settings", "part"),
    [
        ({"iterations": 0}, "iterations of AutoMLConfig must be a whole number of at least 1"),
        ({"n_cross_validations": 1}, "n_cross_validations of AutoMLConfig must be"),
        ({"featurization": "of"}, "Did you mean 'off'?"),
        ({"task": "clasification"}, "Did you mean 'classification'?"),
        ({"validation_size": 1.0}, "above 0 and below 1"),
        ({"validation_data": FRAME, "n_cross_validations": 3}, "both validation_data and n_cross"),
        ({"validation_data": FRAME, "validation_size": 0.1}, "both validation_data and valid"),
        ({"experiment_timeout_hours": 1, "experiment_timeout_minutes": 60}, "give one of them"),
        ({"training_data": "heart.csv"}, "Dataset.Tabular.from_delimited_files"),
        ({"training_data": None}, "training_data of AutoMLConfig is missing"),
        ({"label_column_name": None}, "name the column to predict (age, sex, DEATH_EVENT)"),
        ({"label_column_name": "DEATH_EVNT"}, "Did you mean 'DEATH_EVENT'?"),
        ({"validation_data": FRAME[["age"]]}, "no column of validation_data (age)"),
        ({"compute_target": 3}, "a compute target or its name"),
        ({"verbosity": "LOUD"}, "a level of logging"),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, object], part: str) -> None:
    assert part in text_of(ConfigError, **settings)


def test_the_task_is_needed() -> None:
    with pytest.raises(ConfigError, match="task of AutoMLConfig is missing"):
        AutoMLConfig(training_data=FRAME, label_column_name="DEATH_EVENT")


def test_label_is_checked_against_the_columns_of_a_dataset() -> None:
    assert make(training_data=DatasetStandIn()).values["training_data"].name == "heart"
    text = text_of(ConfigError, training_data=DatasetStandIn(), label_column_name="agee")
    assert "Did you mean 'age'?" in text


def test_forecasting_is_planned() -> None:
    text = text_of(NotAvailableError, task="Forecasting", time_column_name="day")
    assert text.startswith("task='forecasting' of AutoMLConfig is not available yet")


def test_the_model_on_top_of_a_stack_belongs_to_the_task() -> None:
    text = text_of(ConfigError, stack_meta_learner_type="ElasticNet")
    assert "must be one of ['LogisticRegression'," in text and "got 'ElasticNet'" in text


def test_settings_of_the_model_on_top_are_tried_out() -> None:
    assert make(stack_meta_learner_kwargs={"C": 2}).values["stack_meta_learner_kwargs"] == {"C": 2}
    text = text_of(ConfigError, stack_meta_learner_kwargs={"c": 2})
    assert "no setting of LogisticRegression. Did you mean 'C'?" in text
    assert "does not suit" in text_of(ConfigError, stack_meta_learner_kwargs={"C": "much"})
    assert "a mapping of settings" in text_of(ConfigError, stack_meta_learner_kwargs=[1])


PLANNED_SETTINGS = {
    "forecasting_parameters": object(),
    "forecast_horizon": 12,
    "max_horizon": 12,
    "enable_dnn": True,
    "data_script": "get_data.py",
}


@pytest.mark.filterwarnings("ignore:.*old name")
@pytest.mark.parametrize("name", PLANNED_SETTINGS)
def test_what_comes_later_is_refused_with_what_to_do(name: str) -> None:
    text = text_of(NotAvailableError, **{name: PLANNED_SETTINGS[name]})
    assert "is not available yet. " in text
    assert len(text.split("is not available yet. ")[1]) > 20


def test_what_comes_later_is_accepted_when_it_is_off() -> None:
    config = make(enable_dnn=False)
    assert config.values["enable_dnn"] is False


@pytest.mark.parametrize(
    ("old", "value", "new", "expected"),
    [
        ("blacklist_models", ["KNN"], "blocked_models", ["KNN"]),
        ("blacklist_algos", ["kNN"], "blocked_models", ["KNN"]),
        ("whitelist_models", ["lightgbm"], "allowed_models", ["LightGBM"]),
        ("max_time_sec", 90, "iteration_timeout_minutes", 1.5),
        ("exit_score", 0.9, "experiment_exit_score", 0.9),
        ("concurrent_iterations", 4, "max_concurrent_iterations", 4),
        ("preprocess", True, "featurization", "auto"),
        ("preprocess", False, "featurization", "off"),
        ("enable_ensembling", False, "enable_voting_ensemble", False),
        ("enable_stack_ensembling", True, "enable_stack_ensemble", True),
    ],
)
def test_old_spellings_are_accepted_with_one_warning(
    old: str, value: object, new: str, expected: object
) -> None:
    with pytest.warns(UserWarning, match=f"{old} of AutoMLConfig is an old name; write {new}"):
        config = make(**{old: value})
    assert config.values[new] == expected
    assert new in config.given and old not in config.given
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make(**{old: value})


def test_a_warning_points_at_the_code_of_the_user() -> None:
    with pytest.warns(UserWarning) as caught:
        make(blacklist_models=["KNN"])
    assert caught[0].filename == __file__


def test_old_and_new_spelling_together_are_refused() -> None:
    settings = {"max_time_sec": 60, "iteration_timeout_minutes": 1}
    assert "both max_time_sec and iteration_timeout_minutes" in text_of(ConfigError, **settings)


def test_hours_are_kept_as_minutes() -> None:
    config = make(experiment_timeout_hours=0.25)
    assert config.values["experiment_timeout_minutes"] == 15.0
    assert config.values["experiment_timeout_hours"] is None


def test_settings_of_the_service_are_accepted_with_a_sentence() -> None:
    with pytest.warns(UserWarning, match="no effect here"):
        make(debug_log="errors.log", path=".", max_cores_per_iteration=-1)


def test_the_usual_verbosity_is_silent() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert make(verbosity=logging.INFO).values["verbosity"] == 20


@pytest.mark.filterwarnings("ignore:.*old names")
class TestArrays:
    def test_x_and_y_become_training_data(self) -> None:
        config = AutoMLConfig("regression", X=np.eye(3), y=np.array([[1.0], [2.0], [3.0]]))
        frame = config.values["training_data"]
        assert list(frame.columns) == ["column_0", "column_1", "column_2", "y"]
        assert frame["y"].tolist() == [1.0, 2.0, 3.0]
        assert config.values["label_column_name"] == "y"
        assert config.values["X"] is None

    def test_a_series_gives_the_label_its_name(self) -> None:
        y = pd.Series([1, 0, 1], name="ill", index=[7, 8, 9])
        config = AutoMLConfig("classification", X=FRAME[["age"]], y=y)
        assert config.values["label_column_name"] == "ill"
        assert config.values["training_data"]["ill"].tolist() == [1, 0, 1]
        assert "ill" not in FRAME

    def test_validation_rows_get_the_same_label(self) -> None:
        X, y = FRAME[["age"]], FRAME["DEATH_EVENT"]
        config = AutoMLConfig(
            "classification", X=X, y=y, X_valid=X, y_valid=y.to_numpy(), n_cross_validations=None
        )
        assert list(config.values["validation_data"].columns) == ["age", "DEATH_EVENT"]

    def test_datasets_are_read(self) -> None:
        config = AutoMLConfig("regression", X=DatasetStandIn(), y=[1, 2, 3])
        assert config.values["training_data"].shape == (3, 4)

    def test_sizes_must_match(self) -> None:
        with pytest.raises(DatasetError, match="X has 3 rows and y has 2"):
            AutoMLConfig("regression", X=FRAME, y=[1, 2])

    def test_the_label_must_not_be_a_feature(self) -> None:
        with pytest.raises(DatasetError, match="has a column 'DEATH_EVENT'"):
            AutoMLConfig("classification", X=FRAME, y=FRAME["DEATH_EVENT"])

    def test_one_of_the_pair_is_not_enough(self) -> None:
        with pytest.raises(ConfigError, match="only one of X and y: y is missing"):
            AutoMLConfig("classification", X=FRAME)

    def test_both_forms_are_refused(self) -> None:
        with pytest.raises(ConfigError, match="both X and training_data"):
            make(X=FRAME, y=[1, 2, 3])


class TestModels:
    @pytest.mark.parametrize(
        ("written", "name"),
        [
            ("LIGHTGBM", "LightGBM"),
            ("LightGBMClassifier", "LightGBM"),
            ("kNN", "KNN"),
            ("KNeighborsClassifier", "KNN"),
            ("logistic regression", "LogisticRegression"),
            ("Elastic net", "ElasticNet"),
            ("extra trees regressor", "ExtremeRandomTrees"),
            ("RF", "RandomForest"),
            ("RF regressor", "RandomForest"),
            ("gradient boosting", "GradientBoosting"),
            ("SGDClassifierWrapper", "SGD"),
            ("LinearSVMWrapper", "LinearSVM"),
            ("BernoulliNB", "BernoulliNaiveBayes"),
            ("MultinomialNB", "MultinomialNaiveBayes"),
            ("SVCWrapper", "SVM"),
            ("SupportVectorMachine", "SVM"),
            ("LinearSupportVectorMachine", "LinearSVM"),
            ("KNearestNeighborsClassifier", "KNN"),
            ("DT regressor", "DecisionTree"),
            ("Lasso lars", "LassoLars"),
            ("SGD regressor", "SGD"),
            ("gradient_boosting_regressor", "GradientBoosting"),
            ("AveragedPerceptronBinaryClassifier", "AveragedPerceptronClassifier"),
            ("fastlinearregressor", "FastLinearRegressor"),
            ("DNNClassifier", "TensorFlowDNN"),
        ],
    )
    def test_old_spellings(self, written: str, name: str) -> None:
        assert canonical(written) == name

    @pytest.mark.parametrize("task", [Task.CLASSIFICATION, Task.REGRESSION])
    def test_available_models_may_be_allowed(self, task: Task) -> None:
        names = list(AVAILABLE[task])
        assert make(task.value, allowed_models=names).values["allowed_models"] == names

    @pytest.mark.parametrize(
        ("task", "name"),
        [("classification", "XGBoostClassifier"), ("regression", "XGBoostRegressor")],
    )
    def test_xgboost_is_the_one_of_the_task(self, task: str, name: str) -> None:
        assert make(task, allowed_models=["xgboost"]).values["allowed_models"] == [name]

    def test_an_optional_model_is_refused_where_its_package_is_missing(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
        text = text_of(NotAvailableError, allowed_models=["catboost classifier"])
        assert "asks for 'CatBoost', which needs the package catboost" in text
        assert "CatBoost" not in available(Task.CLASSIFICATION)
        assert make(blocked_models=["CatBoost"]).values["blocked_models"] == ["CatBoost"]

    def test_an_optional_model_is_tried_where_its_package_is_installed(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
        assert make(allowed_models=["CATBOOST"]).values["allowed_models"] == ["CatBoost"]
        assert "CatBoost" in available(Task.REGRESSION)

    @pytest.mark.parametrize("name", PLANNED)
    def test_planned_models_are_refused_by_name_and_may_be_blocked(self, name: str) -> None:
        assert f"asks for {name!r}" in text_of(NotAvailableError, allowed_models=[name])
        assert make(blocked_models=[name]).values["blocked_models"] == [name]

    def test_models_of_another_task_are_refused(self) -> None:
        text = text_of(ConfigError, allowed_models=["ElasticNet"])
        assert "for task 'classification'; got 'ElasticNet'" in text

    def test_a_misspelled_model_gets_a_hint(self) -> None:
        assert "Did you mean 'LightGBM'?" in text_of(ConfigError, blocked_models=["LigthGBM"])

    def test_some_model_must_be_left(self) -> None:
        settings = {"allowed_models": ["KNN"], "blocked_models": ["knn"]}
        assert "leave no model to try" in text_of(ConfigError, **settings)


class TestWrittenForm:
    def test_round_trip_through_json(self) -> None:
        config = make(
            iterations=np.int64(7),
            experiment_timeout_hours=0.5,
            blocked_models=["KNN"],
            compute_target=SimpleNamespace(name="gpu"),
            primary_metric="AUC_weighted",
        )
        written = json.loads(json.dumps(config.to_dict()))
        again = AutoMLConfig.from_dict(written)
        assert again.to_dict() == written
        expected = dict(config.values) | {"training_data": None}
        assert dict(again.values) == expected
        assert again.values["compute_target"] == "gpu"

    def test_data_can_be_given_back(self) -> None:
        again = AutoMLConfig.from_dict(make().to_dict(), training_data=FRAME)
        assert again.values["training_data"] is FRAME

    @pytest.mark.filterwarnings("ignore:.*no effect")
    def test_reading_back_is_silent(self) -> None:
        written = make(path="here").to_dict()
        warn_once.cache_clear()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            AutoMLConfig.from_dict(written)

    def test_repr_shows_what_was_given(self) -> None:
        assert repr(make(iterations=3)) == (
            "AutoMLConfig(task='classification', training_data=<DataFrame 3 x 3>, "
            "label_column_name='DEATH_EVENT', iterations=3)"
        )

    def test_html_is_escaped(self) -> None:
        shown = make(name="<script>")._repr_html_()
        assert "<script>" not in shown and "&lt;script&gt;" in shown

    def test_signature_names_every_setting(self) -> None:
        assert set(inspect.signature(AutoMLConfig).parameters) == set(AUTOML_OPTIONS)
