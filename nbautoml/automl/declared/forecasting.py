"""Settings of forecasting runs, known by name until forecasting is here."""

from __future__ import annotations

from nbautoml.automl.constraints import ColumnName
from nbautoml.domain.options import Anything, Constraint, ListOf, OneOf, Option, Text, Whole

_GROUP = "Forecasting (planned)"
PLANNED = "Forecasting is planned; today task is 'classification' or 'regression'."
_WHOLE_OR_AUTO = OneOf(("auto",), also=Whole(1))
_COLUMNS = ListOf(ColumnName())


def _planned(
    name: str, constraint: Constraint, doc: str, old_names: tuple[str, ...] = ()
) -> Option:
    """Declare one setting that is refused with what to do today."""
    return Option(
        name=name,
        constraint=constraint,
        doc=doc,
        group=_GROUP,
        old_names=old_names,
        not_yet=PLANNED,
    )


OPTIONS = (
    _planned(
        "forecasting_parameters",
        Anything("a ForecastingParameters"),
        "All settings of this group in one object.",
    ),
    _planned("time_column_name", ColumnName(), "The column that holds the time."),
    _planned(
        "forecast_horizon",
        _WHOLE_OR_AUTO,
        "How many steps of time to forecast.",
        ("max_horizon",),
    ),
    _planned(
        "time_series_id_column_names",
        _COLUMNS,
        "Columns that tell the series apart.",
        ("grain_column_names",),
    ),
    _planned("freq", Text(), "Length of a step of time, as pandas writes it."),
    _planned(
        "target_lags",
        OneOf(("auto",), also=ListOf(Whole(1))),
        "How many steps back the label is used as a feature.",
    ),
    _planned("feature_lags", Text(), "Whether features of earlier steps are used."),
    _planned(
        "target_rolling_window_size", _WHOLE_OR_AUTO, "Steps over which the label is summed up."
    ),
    _planned("cv_step_size", _WHOLE_OR_AUTO, "Steps of time between two folds."),
    _planned("seasonality", _WHOLE_OR_AUTO, "Steps after which the series repeats itself."),
    _planned("use_stl", OneOf(("season", "season_trend")), "Features from a decomposition."),
    _planned("drop_column_names", _COLUMNS, "Columns to leave out.", ("drop_columns",)),
    _planned("group_column_names", _COLUMNS, "Columns by which models are grouped."),
    _planned(
        "country_or_region_for_holidays",
        Text(),
        "Country whose holidays are a feature.",
        ("country_or_region", "country", "holiday_country"),
    ),
    _planned(
        "short_series_handling_configuration",
        OneOf(("auto", "pad", "drop")),
        "What to do with series that are too short.",
        ("short_series_handling", "short_series_handling_config"),
    ),
    _planned(
        "target_aggregation_function",
        OneOf(("sum", "mean", "min", "max")),
        "How labels of one step of time are joined.",
    ),
    _planned("validate_parameters", Anything("True or False"), "Check these settings first."),
    _planned("track_child_runs", Anything("True or False"), "Keep the runs of many models apart."),
    _planned("pipeline_fetch_max_batch_size", Whole(1), "Configurations to ask for at once."),
)
