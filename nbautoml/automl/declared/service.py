"""Settings of the original service and of its first releases, in old spellings."""

from __future__ import annotations

from nbautoml.automl.constraints import LogLevel
from nbautoml.domain.options import Anything, Flag, Number, Option, Text

_SERVICE = "Only for the original service"
_OLD = "Spellings of 2018 to 2020"
_LOG = "messages of a run are kept with the run in the workspace."

SERVICE = (
    Option(
        name="debug_log",
        constraint=Anything("a file name"),
        doc="File for messages.",
        default="automl.log",
        group=_SERVICE,
        no_effect=_LOG,
    ),
    Option(
        name="verbosity",
        constraint=LogLevel(),
        doc="Level of the messages.",
        default=20,
        group=_SERVICE,
        no_effect=_LOG,
    ),
    Option(
        name="path",
        constraint=Anything("a folder"),
        doc="Folder of the project.",
        group=_SERVICE,
        no_effect="no folder is uploaded; the run's files are in the workspace.",
    ),
    Option(
        name="run_configuration",
        constraint=Anything("a RunConfiguration"),
        doc="Machine and packages of the run.",
        group=_SERVICE,
        no_effect="name the machine with compute_target; packages are those installed there.",
    ),
    Option(
        name="spark_context",
        constraint=Anything("a SparkContext"),
        doc="Spark cluster of the run.",
        group=_SERVICE,
        no_effect="models are trained on compute_target.",
    ),
    Option(
        name="enforce_time_on_windows",
        constraint=Flag(),
        doc="Stop models at their time limit on Windows too.",
        default=True,
        group=_SERVICE,
        no_effect="models are stopped at their time limit everywhere.",
    ),
    Option(
        name="enable_local_managed",
        constraint=Flag(),
        doc="Let the service look after runs on this machine.",
        default=False,
        group=_SERVICE,
        no_effect="every run has its own process.",
    ),
    Option(
        name="enable_cache",
        constraint=Flag(),
        doc="Keep features of the data between models.",
        default=True,
        group=_SERVICE,
        no_effect="features are always kept for the time of the run.",
    ),
)

OLD = (
    Option(
        name="X",
        constraint=Anything("a frame or an array"),
        doc="Features of the training rows; becomes training_data together with y.",
        group=_OLD,
    ),
    Option(
        name="y",
        constraint=Anything("a column or an array"),
        doc="Labels of the training rows; becomes a column of training_data.",
        group=_OLD,
    ),
    Option(
        name="X_valid",
        constraint=Anything("a frame or an array"),
        doc="Features of the validation rows; becomes validation_data together with y_valid.",
        group=_OLD,
    ),
    Option(
        name="y_valid",
        constraint=Anything("a column or an array"),
        doc="Labels of the validation rows.",
        group=_OLD,
    ),
    Option(
        name="sample_weight",
        constraint=Anything("an array"),
        doc="How much each training row counts; becomes a column of training_data together with "
        "X and y.",
        group=_OLD,
    ),
    Option(
        name="sample_weight_valid",
        constraint=Anything("an array"),
        doc="How much each validation row counts; needs sample_weight too.",
        group=_OLD,
    ),
    Option(
        name="max_time_sec",
        constraint=Number(0, is_low_open=True),
        doc="Longest time for one model; becomes iteration_timeout_minutes.",
        unit="seconds",
        group=_OLD,
    ),
    Option(
        name="preprocess",
        constraint=Flag(),
        doc="True becomes featurization='auto', False becomes featurization='off'.",
        group=_OLD,
    ),
    Option(
        name="data_script",
        constraint=Text(),
        doc="A script whose get_data() returns the data.",
        group=_OLD,
        not_yet="Call its get_data() in the notebook and give the result as training_data.",
    ),
)

OPTIONS = (*SERVICE, *OLD)
