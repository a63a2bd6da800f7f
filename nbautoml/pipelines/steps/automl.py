"""`AutoMLStep`: an AutoML run as a step of a pipeline."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath
from typing import Any  # Any: data of many kinds, and JSON values

from nbautoml.automl.config import AutoMLConfig
from nbautoml.automl.submit import check_place
from nbautoml.compute.target import LOCAL
from nbautoml.data.tabular import as_dataset
from nbautoml.errors import ConfigError, NotAvailableError
from nbautoml.pipelines.data import METRICS, MODEL
from nbautoml.pipelines.inputs import accept_input
from nbautoml.pipelines.ports import OutputPort, StepInput
from nbautoml.pipelines.steps._base import PipelineStep
from nbautoml.pipelines.training import DATA, DEFAULT_METRICS, DEFAULT_MODEL
from nbautoml.store.session import Session

__all__ = ["AutoMLStep"]


class AutoMLStep(PipelineStep):
    """A step that is an AutoML run.

    Parameters
    ----------
    name : str
        Name of the step.
    automl_config : AutoMLConfig
        Its settings. ``training_data``, ``validation_data`` and ``test_data`` may be tables that
        steps before it write: ``data.as_dataset().parse_delimited_files()``, or
        ``config.read_delimited_files()``.
    inputs : sequence, optional
        Data that it waits for besides those of the settings.
    outputs : sequence of PipelineData, optional
        With a ``training_output`` each: the metrics of all models, or the best model.
    script_repl_params : object
        The SDK's argument, of no use here.
    allow_reuse : bool, default True
        Whether the models of an earlier run with the same data and settings may be taken.
    version : str, optional
        Another version never reuses what an earlier one made.
    hash_paths : object
        The SDK's argument, of no use here.
    enable_default_model_output, enable_default_metrics_output : bool, default True
        Outputs without a name of yours, see `AutoMLStepRun`.

    Raises
    ------
    ConfigError
        When an output has no ``training_output``, or settings are missing.
    """

    kind = "automl"

    def __init__(
        self,
        name: str,
        automl_config: AutoMLConfig,
        inputs: Iterable[Any] | None = None,
        outputs: Iterable[Any] | None = None,
        script_repl_params: object = None,
        allow_reuse: bool = True,
        *,
        version: str | None = None,
        hash_paths: object = None,
        enable_default_model_output: bool = True,
        enable_default_metrics_output: bool = True,
        **_azure: Any,
    ) -> None:
        if not isinstance(automl_config, AutoMLConfig):
            raise ConfigError(
                f"automl_config of AutoMLStep must be an AutoMLConfig; got "
                f"{type(automl_config).__name__}."
            )
        if automl_config.values["cv_splits_indices"]:
            raise NotAvailableError(
                "cv_splits_indices of an AutoMLStep is not built: rows may be other ones in each "
                "run. Use cv_split_column_names."
            )
        self.config = automl_config
        super().__init__(name, None, outputs, allow_reuse=allow_reuse, version=version)
        self._add_data()
        for given in inputs or ():
            self._add_other(accept_input(given, f"input_{len(self.inputs) + 1}"))
        self._check_outputs()
        if enable_default_metrics_output:
            self._add_default(DEFAULT_METRICS, METRICS)
        if enable_default_model_output:
            self._add_default(DEFAULT_MODEL, MODEL)

    @property
    def compute(self) -> Any:
        """The compute target that was asked for."""
        return self.config.values.get("compute_target")

    def settings(self, session: Session, default_source: PurePath | None) -> dict[str, Any]:
        """Return the settings of the run, without its data."""
        check_place(session, self.config)
        return {
            "config": self.config.to_dict(),
            "label": str(self.config.values["label_column_name"]),
            "compute_target": self.compute or LOCAL,
        }

    def _add_data(self) -> None:
        """Make the data of the settings inputs, under the names of the settings."""
        for word in DATA:
            value = self.config.values.get(word)
            if value is None:
                continue
            if not hasattr(value, "as_step_input"):
                value = as_dataset(value)
            found = accept_input(value, word)
            self._add_input(StepInput(name=word, source=found.source, table=found.table))

    def _add_other(self, found: StepInput) -> None:
        """Add an input unless it is the data of a setting."""
        ports = [known.source.port for known in self.inputs]
        if found.source.port is None or found.source.port not in ports:
            self._add_input(found)

    def _check_outputs(self) -> None:
        for port in self.outputs:
            if not port.training:
                raise ConfigError(
                    f"Output {port.name!r} of AutoMLStep {self.name!r} must say what it holds: "
                    "PipelineData(..., training_output=TrainingOutput(type='Metrics')), or 'Model'."
                )

    def _add_default(self, prefix: str, training: str) -> None:
        port = OutputPort(name=f"{prefix}{self.name}", training=training, producer=self)
        self.outputs.append(port)
