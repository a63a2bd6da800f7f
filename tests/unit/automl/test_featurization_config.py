"""FeaturizationConfig: the SDK's calls, what is refused, and the way into a plan and back."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from nbautoml import AutoMLConfig, FeaturizationConfig
from nbautoml.automl.resolve import resolve
from nbautoml.engine.featurize.names import TRANSFORMERS
from nbautoml.engine.featurize.options import (
    ColumnPurpose,
    FeaturizationOptions,
    TransformerParams,
)
from nbautoml.errors import ConfigError
from nbautoml.magics.body import parse_body

FRAME = pd.DataFrame({"age": [40, 50], "zip": ["01", "02"], "note": ["a", "b"], "y": [0, 1]})
FULL = {
    "blocked_transformers": ["TfIdf", "LabelEncoder"],
    "column_purposes": {"zip": "CategoricalHash", "note": "Text"},
    "transformer_params": {
        "Imputer": [[["age"], {"strategy": "constant", "fill_value": -1.0}]],
        "HashOneHotEncoder": [[[], {"number_of_bits": 3}]],
    },
    "drop_columns": ["id"],
    "dataset_language": "deu",
    "prediction_transform_type": "Integer",
}


def refused(**settings: object) -> str:
    with pytest.raises(ConfigError) as caught:
        FeaturizationConfig(**settings)  # type: ignore[arg-type]
    return str(caught.value)


def automl(featurization: object, **settings: object) -> AutoMLConfig:
    given = {"training_data": FRAME, "label_column_name": "y", **settings}
    return AutoMLConfig("classification", featurization=featurization, **given)


def test_an_empty_config_says_nothing() -> None:
    config = FeaturizationConfig()
    assert config.blocked_transformers is None
    assert config.column_purposes is None
    assert config.transformer_params is None
    assert config.drop_columns is None
    assert config.dataset_language is None
    assert config.prediction_transform_type is None
    assert config.to_options() == FeaturizationOptions()


def test_purposes_are_added_replaced_and_removed() -> None:
    config = FeaturizationConfig()
    config.add_column_purpose("a", "numeric")
    config.add_column_purpose("b", "CategoricalHash")
    config.add_column_purpose("b", "Text")
    config.remove_column_purpose("a")
    config.remove_column_purpose("never said")
    assert config.column_purposes == {"b": "Text"}


def test_parameters_are_added_read_and_removed() -> None:
    config = FeaturizationConfig()
    config.add_transformer_params("Imputer", ["a", "b"], {"strategy": "median"})
    config.add_transformer_params("imputer", ["c"], {"strategy": "mean"})
    assert config.transformer_params == {
        "Imputer": [(["a", "b"], {"strategy": "median"}), (["c"], {"strategy": "mean"})]
    }
    assert config.get_transformer_params("Imputer", ["b", "a"]) == {"strategy": "median"}
    assert config.get_transformer_params("Imputer", ["a"]) == {}
    config.remove_transformer_params("Imputer", ["c"])
    assert config.get_transformer_params("Imputer", ["c"]) == {}
    config.remove_transformer_params("Imputer")
    assert config.transformer_params == {}


def test_later_parameters_of_the_same_columns_win() -> None:
    config = FeaturizationConfig()
    for strategy in ("mean", "median"):
        config.add_transformer_params("Imputer", ["a"], {"strategy": strategy})
    assert config.get_transformer_params("Imputer", ["a"]) == {"strategy": "median"}
    assert config.to_options().params_of("Imputer", "a") == {"strategy": "median"}


def test_transformers_are_blocked_in_any_case_once() -> None:
    config = FeaturizationConfig(blocked_transformers=["tfidf"])
    config.add_blocked_transformers(["TfIdf", "WoETargetEncoder"])
    config.add_blocked_transformers("TargetEncoder")
    assert config.blocked_transformers == ["TfIdf", "WoETargetEncoder", "CatTargetEncoder"]


def test_columns_to_drop_are_added() -> None:
    config = FeaturizationConfig(drop_columns=["a"])
    config.add_drop_columns(["b", "a"])
    config.add_drop_columns("c")
    assert config.drop_columns == ["a", "b", "c"]


def test_predictions_become_whole_numbers_when_asked() -> None:
    config = FeaturizationConfig()
    config.add_prediction_transform_type("integer")
    assert config.prediction_transform_type == "Integer"
    config.remove_prediction_transform_type()
    assert config.prediction_transform_type is None


@pytest.mark.parametrize("name", [n for n, t in TRANSFORMERS.items() if not t.not_blocked])
def test_every_other_transformer_can_be_blocked(name: str) -> None:
    assert FeaturizationConfig(blocked_transformers=[name]).blocked_transformers == [name]


@pytest.mark.parametrize("name", [n for n, t in TRANSFORMERS.items() if t.not_blocked])
def test_what_models_need_cannot_be_blocked(name: str) -> None:
    assert f"cannot name '{name}': " in refused(blocked_transformers=[name])


@pytest.mark.parametrize("name", [n for n, t in TRANSFORMERS.items() if not t.params])
def test_transformers_without_parameters_say_so(name: str) -> None:
    text = refused(transformer_params={name: [(["a"], {"x": 1})]})
    assert f"{name} " in text
    assert "no parameters to set; those that have are ['Imputer', 'HashOneHotEncoder'" in text


@pytest.mark.parametrize(
    ("settings", "part"),
    [
        ({"blocked_transformers": ["TfIdff"]}, "got 'TfIdff'. Did you mean 'TfIdf'?"),
        ({"blocked_transformers": [3]}, "must name transformers of"),
        ({"blocked_transformers": {"TfIdf": 1}}, "takes a list of names"),
        ({"column_purposes": {"a": "Numerc"}}, "of column 'a' must be one of"),
        ({"column_purposes": {"a": "Numerc"}}, "Did you mean 'Numeric'?"),
        ({"column_purposes": ["a"]}, "column_purposes of FeaturizationConfig must be a mapping"),
        ({"transformer_params": {"Imputr": {}}}, "Did you mean 'Imputer'?"),
        ({"transformer_params": ["Imputer"]}, "transformer_params of FeaturizationConfig must be"),
        ({"transformer_params": {"Imputer": [["a"]]}}, "a list of (columns, parameters)"),
        ({"transformer_params": {"Imputer": [(["a"], 3)]}}, "must be a mapping such as"),
        ({"transformer_params": {"Imputer": {"strategy": "meen"}}}, "Did you mean 'mean'?"),
        ({"transformer_params": {"Imputer": {"strategy": "ffill"}}}, "is for forecasting"),
        ({"transformer_params": {"Imputer": {"strategy": "constant"}}}, "needs fill_value"),
        ({"transformer_params": {"Imputer": {"stratgy": "mean"}}}, "Did you mean 'strategy'?"),
        ({"transformer_params": {"HashOneHotEncoder": {"number_of_bits": 99}}}, "from 1 to 16"),
        ({"transformer_params": {"TfIdf": {"ngram_range": [2, 1]}}}, "the smaller one first"),
        ({"transformer_params": {"TfIdf": {"ngram_range": ["1", 2]}}}, "the smaller one first"),
        ({"drop_columns": 1.5}, "takes a list of names; got 1.5"),
        ({"dataset_language": "en"}, "three letters (ISO 639-3)"),
        ({"dataset_language": "en-US"}, "Did you mean 'eng'?"),
        ({"dataset_language": 7}, "got 7."),
        ({"prediction_transform_type": "Float"}, "must be one of ['Integer']; got 'Float'"),
    ],
)
def test_wrong_words_are_refused(settings: dict[str, object], part: str) -> None:
    assert part in refused(**settings)


@pytest.mark.parametrize(
    "used",
    [{"column_purposes": {"a": "Text"}}, {"transformer_params": {"TfIdf": [(["a"], {})]}}],
)
def test_a_dropped_column_has_no_other_settings(used: dict[str, object]) -> None:
    assert f"'a' in drop_columns and in {next(iter(used))}" in refused(drop_columns=["a"], **used)
    config = FeaturizationConfig(**used)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="take it out of one of them"):
        config.add_drop_columns("a")
    assert config.drop_columns is None


def test_survives_json() -> None:
    config = FeaturizationConfig(**FULL)
    written = json.loads(json.dumps(config.to_dict()))
    assert FeaturizationConfig.from_dict(written) == config
    assert written == FULL


def test_differs_from_others() -> None:
    assert FeaturizationConfig(drop_columns=["a"]) != FeaturizationConfig()
    assert FeaturizationConfig() != "auto"


def test_becomes_the_options_of_the_engine() -> None:
    options = FeaturizationConfig(**FULL).to_options()
    assert options == FeaturizationOptions(
        column_purposes={"zip": ColumnPurpose.CATEGORICAL_HASH, "note": ColumnPurpose.TEXT},
        drop_columns=("id",),
        blocked_transformers=("TfIdf", "LabelEncoder"),
        transformer_params=(
            TransformerParams(
                transformer="Imputer",
                columns=("age",),
                params={"strategy": "constant", "fill_value": -1.0},
            ),
            TransformerParams(transformer="HashOneHotEncoder", params={"number_of_bits": 3}),
        ),
        language="deu",
        prediction_type="Integer",
    )
    assert FeaturizationOptions.from_dict(json.loads(json.dumps(options.to_dict()))) == options


@pytest.mark.parametrize("purpose", ["Hashes", "AllNan", "Ignore"])
def test_columns_that_the_sdk_drops_are_not_used(purpose: str) -> None:
    options = FeaturizationConfig(column_purposes={"a": purpose}).to_options()
    assert options.column_purposes == {"a": ColumnPurpose.IGNORE}


class TestInAutoMLConfig:
    def test_is_kept_as_it_was_when_it_was_given(self) -> None:
        featurization = FeaturizationConfig(drop_columns=["note"])
        config = automl(featurization)
        featurization.add_drop_columns("zip")
        assert config.values["featurization"].drop_columns == ["note"]

    def test_is_part_of_the_written_settings(self) -> None:
        featurization = FeaturizationConfig(column_purposes={"zip": "Text"})
        written = json.loads(json.dumps(automl(featurization).to_dict()))
        assert written["featurization"] == {"column_purposes": {"zip": "Text"}}
        assert AutoMLConfig.from_dict(written).values["featurization"] == featurization

    def test_reaches_the_plan(self) -> None:
        config = automl(FeaturizationConfig(blocked_transformers=["TfIdf"]))
        plan = resolve(config, n_slots=1, timeout_seconds=None)
        assert plan.featurization == FeaturizationOptions(blocked_transformers=("TfIdf",))

    @pytest.mark.parametrize(
        ("given", "part"),
        [
            ({"drop_columns": ["agee"]}, "which is no column of training_data (age, zip, note, y)"),
            ({"drop_columns": ["agee"]}, "Did you mean 'age'?"),
            ({"column_purposes": {"y": "Numeric"}}, "'y', which is the label"),
            ({"transformer_params": {"Imputer": [[["ag"], {"strategy": "mean"}]]}}, "names 'ag'"),
            ({"block_transformers": ["TfIdf"]}, "Did you mean 'blocked_transformers'?"),
        ],
    )
    def test_is_checked_against_the_data(self, given: dict[str, object], part: str) -> None:
        with pytest.raises(ConfigError) as caught:
            automl(given)
        assert str(caught.value).startswith("featurization of AutoMLConfig")
        assert part in str(caught.value)

    def test_names_that_are_numbers_are_found(self) -> None:
        data = FRAME.rename(columns={"zip": 7})
        config = automl(FeaturizationConfig(column_purposes={"7": "Text"}), training_data=data)
        assert config.values["featurization"].named_columns == ["7"]

    def test_comes_from_a_cell_as_a_mapping(self) -> None:
        body = parse_body(
            "label: y\n"
            "featurization:\n"
            "  drop_columns: [note]\n"
            "  column_purposes: {zip: Categorical}\n"
            "  transformer_params:\n"
            "    Imputer:\n"
            "    - [[age], {strategy: median}]\n"
            "    HashOneHotEncoder: {number_of_bits: 4}\n"
        )
        config = automl(body.settings["featurization"])
        assert config.values["featurization"] == FeaturizationConfig(
            drop_columns=["note"],
            column_purposes={"zip": "Categorical"},
            transformer_params={
                "Imputer": [(["age"], {"strategy": "median"})],
                "HashOneHotEncoder": [([], {"number_of_bits": 4})],
            },
        )
