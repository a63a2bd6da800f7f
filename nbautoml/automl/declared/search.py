"""When a run ends, where it works, which models it tries and what it makes of them."""

from __future__ import annotations

from nbautoml.automl.constraints import Compute, Featurization, ModelName, Settings
from nbautoml.domain.options import Flag, ListOf, Number, OneOf, Option, Whole
from nbautoml.engine.ensemble.names import META_LEARNERS
from nbautoml.engine.plan import STACK_LEAST_ROWS

_END = "When the run ends"
_COMPUTE = "Compute"
_MODELS = "Models"
_ENSEMBLES = "Ensembles"
_AFTER = "After the search"
_ABOVE_ZERO = Number(0, is_low_open=True)
_META_LEARNERS = tuple(name for names in META_LEARNERS.values() for name in names)

END = (
    Option(
        name="experiment_timeout_minutes",
        constraint=_ABOVE_ZERO,
        doc="Time for the whole run, from start to usable model.",
        unit="minutes",
        group=_END,
    ),
    Option(
        name="experiment_timeout_hours",
        constraint=_ABOVE_ZERO,
        doc="The same in hours; kept as experiment_timeout_minutes.",
        unit="hours",
        group=_END,
    ),
    Option(
        name="iterations",
        constraint=Whole(1),
        doc="Largest number of models to try; without it, time or lack of progress ends the run.",
        unit="models",
        group=_END,
    ),
    Option(
        name="iteration_timeout_minutes",
        constraint=_ABOVE_ZERO,
        doc="Longest time for one model; it is stopped when that is over.",
        unit="minutes",
        group=_END,
    ),
    Option(
        name="experiment_exit_score",
        constraint=Number(),
        doc="The run ends when the primary metric has reached this.",
        group=_END,
        old_names=("exit_score",),
    ),
    Option(
        name="enable_early_stopping",
        constraint=Flag(),
        doc="End the run when the primary metric no longer improves.",
        default=True,
        group=_END,
    ),
    Option(
        name="early_stopping_n_iters",
        constraint=Whole(1),
        doc="How many models without progress end the run.",
        unit="models",
        group=_END,
        no_effect="enable_early_stopping decides alone.",
    ),
)

COMPUTE = (
    Option(
        name="compute_target",
        constraint=Compute(),
        doc="Where models are trained; this machine when it is not given.",
        group=_COMPUTE,
    ),
    Option(
        name="enable_gpu",
        constraint=Flag(),
        doc="Train boosted trees on graphics cards of compute_target: XGBoost, LightGBM and "
        "CatBoost, where they are built for CUDA. The target must have a card.",
        default=False,
        group=_COMPUTE,
    ),
    Option(
        name="max_concurrent_iterations",
        constraint=Whole(1),
        doc="Most models to train at once; as many as the compute has room for when not given.",
        unit="models",
        group=_COMPUTE,
        old_names=("concurrent_iterations",),
    ),
    Option(
        name="max_cores_per_iteration",
        constraint=Whole(-1),
        doc="Cores for one model; -1 is all.",
        default=1,
        unit="cores",
        group=_COMPUTE,
        no_effect="cores are shared out between the models that train at once.",
    ),
    Option(
        name="mem_in_mb",
        constraint=Whole(1),
        doc="Most memory for one fit; the machine's, shared out, when it is not given.",
        unit="MB",
        group=_COMPUTE,
    ),
)

MODELS = (
    Option(
        name="allowed_models",
        constraint=ListOf(ModelName()),
        doc="Try only these models; 'package.module:Class' names a model family of your own.",
        group=_MODELS,
        old_names=("whitelist_models",),
    ),
    Option(
        name="blocked_models",
        constraint=ListOf(ModelName()),
        doc="Never try these models.",
        group=_MODELS,
        old_names=("blacklist_models", "blacklist_algos"),
    ),
    Option(
        name="featurization",
        constraint=Featurization(("auto", "off")),
        doc="'auto' makes features from dates, texts and categories; 'off' goes by the types of "
        "the columns alone; a FeaturizationConfig says more about columns and features.",
        default="auto",
        group=_MODELS,
    ),
    Option(
        name="enable_dnn",
        constraint=Flag(),
        doc="Try neural networks too.",
        default=False,
        group=_MODELS,
        not_yet="Leave it out: there are no neural networks yet.",
    ),
    Option(
        name="enable_distributed_dnn_training",
        constraint=Flag(),
        doc="Train one neural network on several machines.",
        default=False,
        group=_MODELS,
        not_yet="Leave it out: there are no neural networks yet.",
    ),
    Option(
        name="enable_tf",
        constraint=Flag(),
        doc="Try the TensorFlow models of 2019.",
        default=False,
        group=_MODELS,
        no_effect="the SDK itself took those models out.",
    ),
    Option(
        name="enable_subsampling",
        constraint=Flag(),
        doc="Try models on part of the rows first.",
        default=False,
        group=_MODELS,
        no_effect="every model sees all rows.",
    ),
    Option(
        name="enable_onnx_compatible_models",
        constraint=Flag(),
        doc="Try only models that can be written as ONNX, and write the best one as "
        "outputs/model.onnx too; needs the extra `onnx`.",
        default=False,
        group=_MODELS,
    ),
)

ENSEMBLES = (
    Option(
        name="enable_voting_ensemble",
        constraint=Flag(),
        doc="Join the best models to a weighted vote at the end.",
        default=True,
        group=_ENSEMBLES,
        old_names=("enable_ensembling",),
    ),
    Option(
        name="enable_stack_ensemble",
        constraint=Flag(),
        doc=(
            "Train a model on the predictions of the best models at the end; not given: with at "
            f"least {STACK_LEAST_ROWS} validation rows. Never with more than 30 classes."
        ),
        group=_ENSEMBLES,
        old_names=("enable_stack_ensembling",),
    ),
    Option(
        name="stack_meta_learner_type",
        constraint=OneOf(_META_LEARNERS),
        doc=(
            "Model that joins the predictions in a stack; not given: LogisticRegression for "
            "classes, ElasticNet for numbers."
        ),
        group=_ENSEMBLES,
    ),
    Option(
        name="stack_meta_learner_train_percentage",
        constraint=Number(0, 1, is_low_open=True),
        doc=(
            "With validation data or one split: the model that joins the predictions learns from "
            "at most so many rows, as a share of the training rows; not given: 0.2."
        ),
        unit="fraction",
        group=_ENSEMBLES,
    ),
    Option(
        name="stack_meta_learner_kwargs",
        constraint=Settings(),
        doc="Settings of the model that joins the predictions, under its own names.",
        group=_ENSEMBLES,
    ),
    Option(
        name="ensemble_iterations",
        constraint=Whole(1),
        doc="Most different models in an ensemble.",
        unit="models",
        group=_ENSEMBLES,
    ),
    Option(
        name="ensemble_download_models_timeout_sec",
        constraint=_ABOVE_ZERO,
        doc="Time for fetching the models of an ensemble.",
        unit="seconds",
        group=_ENSEMBLES,
        no_effect="no model is fetched: the predictions are there already.",
    ),
)

AFTER = (
    Option(
        name="model_explainability",
        constraint=Flag(),
        doc="Explain the best model when the run has ended, in a process of its own, within 5 % of "
        "the run's time limit (at least 5 and at most 60 seconds; 30 without a limit).",
        default=True,
        group=_AFTER,
    ),
    Option(
        name="enable_code_generation",
        constraint=Flag(),
        doc="Offer the code that trains and scores each model, as a script and as a notebook; "
        "it is written when it is first asked for.",
        default=True,
        group=_AFTER,
    ),
    Option(
        name="enable_metric_confidence",
        constraint=Flag(),
        doc="Report 95 % confidence intervals of all metrics of the best model; without it, of "
        "the primary metric where that takes less than a second.",
        default=False,
        group=_AFTER,
    ),
    Option(
        name="save_mlflow",
        constraint=Flag(),
        doc="Write the best model in MLflow's format too, as the folder outputs/mlflow-model; "
        "needs the extra `mlflow`.",
        default=False,
        group=_AFTER,
    ),
)

OPTIONS = (*END, *COMPUTE, *MODELS, *ENSEMBLES, *AFTER)
