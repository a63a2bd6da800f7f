"""What is learned from which data, and how models are validated."""

from __future__ import annotations

from nbautoml.automl.constraints import ColumnName, Data, OneClass, PrimaryMetric, SplitRows
from nbautoml.domain.metrics import METRICS, get_primary_metrics
from nbautoml.domain.options import Flag, ListOf, Number, OneOf, Option, Text, Whole
from nbautoml.domain.tasks import Task

_TASK = "Task and data"
_VALIDATION = "Validation"
_PRIMARY = tuple(dict.fromkeys(name for task in Task for name in get_primary_metrics(task.value)))
_OTHERS = tuple(name for name in METRICS if name not in _PRIMARY)

TASK = (
    Option(
        name="task",
        constraint=OneOf(tuple(task.value for task in Task)),
        doc="What the label is: a class, a number, or a number over time (planned).",
        group=_TASK,
    ),
    Option(
        name="primary_metric",
        constraint=PrimaryMetric(_PRIMARY, others=_OTHERS),
        doc="The metric that the run makes best, one of the SDK's or any other that the run "
        "reports; accuracy for classification and "
        "normalized_root_mean_squared_error for regression when it is not given.",
        group=_TASK,
    ),
    Option(
        name="training_data",
        constraint=Data(),
        doc="The rows to learn from, with the label column in them.",
        group=_TASK,
    ),
    Option(
        name="label_column_name",
        constraint=ColumnName(),
        doc="The column to predict.",
        group=_TASK,
    ),
    Option(
        name="weight_column_name",
        constraint=ColumnName(),
        doc="The column that says how much a row counts, in fits, metrics and ensembles: numbers "
        "of at least 0, of which only the ratios matter. It is no feature.",
        group=_TASK,
    ),
    Option(
        name="positive_label",
        constraint=OneClass(),
        doc="The class for which the metrics named *_binary are reported too, against all other "
        "classes; without it metrics are averaged over the classes only.",
        group=_TASK,
    ),
    Option(
        name="exclude_nan_labels",
        constraint=Flag(),
        doc="Leave out rows that have no label; when False such rows are an error.",
        default=True,
        group=_TASK,
    ),
    Option(
        name="y_min",
        constraint=Number(),
        doc="Smallest value of the label, for normalized metrics.",
        group=_TASK,
        not_yet="Leave it out: the smallest label of the training data is used.",
    ),
    Option(
        name="y_max",
        constraint=Number(),
        doc="Largest value of the label, for normalized metrics.",
        group=_TASK,
        not_yet="Leave it out: the largest label of the training data is used.",
    ),
    Option(
        name="num_classes",
        constraint=Whole(2),
        doc="How many classes the label has.",
        group=_TASK,
        no_effect="classes are counted in the training data.",
    ),
    Option(
        name="name",
        constraint=Text(),
        doc="A name under which the run is shown.",
        group=_TASK,
    ),
)

VALIDATION = (
    Option(
        name="n_cross_validations",
        constraint=OneOf(("auto",), also=Whole(2)),
        doc="Number of folds. When no way of validation is given: 10 folds below 1,000 rows, "
        "3 folds up to 20,000 rows, else 10 % of the rows are held out. 'auto' takes 5 folds, 3 "
        "or a hold-out, whatever leaves time for a dozen boosted models in the run's time.",
        unit="folds",
        group=_VALIDATION,
    ),
    Option(
        name="validation_data",
        constraint=Data(),
        doc="Rows on which models are scored, in place of folds.",
        group=_VALIDATION,
    ),
    Option(
        name="validation_size",
        constraint=Number(0, 1, is_low_open=True),
        doc="Share of the rows to hold out; with n_cross_validations, of each random split.",
        unit="fraction",
        group=_VALIDATION,
    ),
    Option(
        name="cv_splits_indices",
        constraint=SplitRows(),
        doc="Training and validation rows of each split, as positions in training_data that "
        "count from 0.",
        group=_VALIDATION,
    ),
    Option(
        name="cv_split_column_names",
        constraint=ListOf(ColumnName()),
        doc="Columns that hold 1 for training rows and 0 for validation rows of a split, one "
        "column a split. They are no features.",
        group=_VALIDATION,
    ),
    Option(
        name="group_column_name",
        constraint=ColumnName(),
        doc="The column whose equal values mark rows that belong together, such as a patient's: "
        "they are on one side of every split. It is no feature. The SDK has no such setting.",
        group=_VALIDATION,
    ),
    Option(
        name="test_data",
        constraint=Data(),
        doc="Rows on which the best model is tested after the run, in a run of its own.",
        group=_VALIDATION,
    ),
    Option(
        name="test_size",
        constraint=Number(0, 1),
        doc="Share of training_data that is set aside, before anything looks at it, for a test "
        "of the best model after the run; 0 is no test.",
        unit="fraction",
        group=_VALIDATION,
    ),
    Option(
        name="test_include_predictions_only",
        constraint=Flag(),
        doc="Leave labels and features out of the test's predictions.csv.",
        default=False,
        group=_VALIDATION,
    ),
)

OPTIONS = (*TASK, *VALIDATION)
