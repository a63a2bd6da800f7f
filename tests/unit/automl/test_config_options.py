"""The declaration itself: complete, described, and equal to the committed reference page."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbautoml.automl.options import AUTOML_OPTIONS, describe_options, reference_markdown

ROOT = Path(__file__).parents[3]
KEYWORDS = """
task primary_metric debug_log verbosity n_cross_validations label_column_name training_data
iterations compute_target iteration_timeout_minutes max_concurrent_iterations
enable_early_stopping path X y experiment_timeout_hours featurization max_cores_per_iteration
preprocess experiment_timeout_minutes forecasting_parameters run_configuration time_column_name
validation_data blocked_models data_script X_valid enable_stack_ensemble y_valid spark_context
track_child_runs enable_dnn enable_ensembling enable_onnx_compatible_models
enable_voting_ensemble max_horizon max_time_sec target_lags model_explainability name
allowed_models cv_step_size drop_column_names ensemble_iterations experiment_exit_score test_data
blacklist_models country_or_region enable_code_generation enable_tf grain_column_names
target_rolling_window_size validation_size whitelist_models blacklist_algos exit_score
forecast_horizon pipeline_fetch_max_batch_size sample_weight test_size
time_series_id_column_names use_stl concurrent_iterations early_stopping_n_iters enable_cache
enable_distributed_dnn_training enable_local_managed enable_metric_confidence enable_subsampling
positive_label save_mlflow sample_weight_valid cv_splits_indices y_min y_max num_classes
mem_in_mb exclude_nan_labels cv_split_column_names enforce_time_on_windows weight_column_name
ensemble_download_models_timeout_sec stack_meta_learner_type stack_meta_learner_train_percentage
stack_meta_learner_kwargs freq feature_lags seasonality short_series_handling
short_series_handling_configuration target_aggregation_function validate_parameters
group_column_names holiday_country country_or_region_for_holidays
"""


def test_every_keyword_of_the_sdk_is_declared() -> None:
    spellings = {s for o in AUTOML_OPTIONS.values() for s in (o.name, *o.old_names)}
    assert [name for name in KEYWORDS.split() if name not in spellings] == []


def test_no_spelling_means_two_things() -> None:
    spellings = [s for o in AUTOML_OPTIONS.values() for s in (o.name, *o.old_names)]
    assert sorted(spellings) == sorted(set(spellings))


@pytest.mark.parametrize("row", describe_options(), ids=lambda row: row.name)
def test_every_setting_is_described(row: object) -> None:
    assert row.group and row.type_text  # type: ignore[attr-defined]
    assert row.doc[0].isupper() or row.doc[0] == "'"  # type: ignore[attr-defined]
    assert row.doc.endswith(".")  # type: ignore[attr-defined]


@pytest.mark.parametrize("option", AUTOML_OPTIONS.values(), ids=lambda option: option.name)
def test_defaults_fulfil_their_own_constraint(option: object) -> None:
    default = option.default  # type: ignore[attr-defined]
    if default is not None:
        assert option.constraint.accept(default) == default  # type: ignore[attr-defined]


def test_the_reference_page_is_what_the_code_says() -> None:
    page = ROOT / "docs" / "reference" / "automl-config.md"
    assert page.read_text(encoding="utf-8") == reference_markdown()
