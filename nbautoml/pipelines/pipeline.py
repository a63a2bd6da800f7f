"""`Pipeline`: steps, their graph, and what can be done with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any  # Any: whatever has .session, steps, and values of parameters

from nbautoml.data.datastore import Datastore
from nbautoml.domain.events import PipelineStep as DescribedStep
from nbautoml.errors import ConfigError
from nbautoml.pipelines.frozen import FrozenOutput, FrozenPipeline, FrozenStep, submit_frozen
from nbautoml.pipelines.graph import Graph, build_graph, problems_of
from nbautoml.pipelines.html import PARAMETERS, parameter_rows, pipeline_html
from nbautoml.pipelines.parameters import freeze_value
from nbautoml.pipelines.pipeline_run import PipelineRun
from nbautoml.pipelines.ports import OutputPort
from nbautoml.pipelines.published import PublishedPipeline, publish_frozen
from nbautoml.runs.experiment import Experiment
from nbautoml.store.session import Session

__all__ = ["Pipeline"]


class Pipeline:
    """Steps that pass data to each other.

    Parameters
    ----------
    workspace : Workspace
        Where it is run.
    steps : PipelineStep, StepSequence, or list of these
        What it is made of. Steps whose outputs these need are found by themselves. Nothing is
        said by the order in a list: a step begins when the steps that it needs have completed.
    description : str, optional
        What it is for.
    default_datastore : Datastore or str, optional
        Where outputs are kept that name none; the workspace's default by default.
    default_source_directory : str or pathlib.Path, optional
        Folder of the scripts of steps that name none.
    resolve_closure : object
        The SDK's argument: the steps that are needed are always found.

    Raises
    ------
    ConfigError
        When there is no step, or something else among the steps.
    """

    submit_settings = (
        "pipeline_parameters",
        "pipeline_params",
        "continue_on_step_failure",
        "regenerate_outputs",
    )
    """What ``Experiment.submit`` takes for a pipeline."""

    def __init__(
        self,
        workspace: Any,
        steps: Any,
        description: str | None = None,
        default_datastore: Datastore | str | None = None,
        default_source_directory: str | Path | None = None,
        resolve_closure: object = True,
        **_azure: Any,
    ) -> None:
        self.workspace = workspace
        self.description = description or ""
        named = default_datastore
        self._datastore = Datastore(workspace, named) if isinstance(named, str) else named
        self._source = None if default_source_directory is None else Path(default_source_directory)
        self._steps = steps
        self._build()

    @property
    def graph(self) -> Graph:
        """The steps, and which of them wait for which."""
        return self._build()

    def validate(self) -> list[str]:
        """Return what is wrong with the pipeline, a sentence each; nothing is run."""
        return problems_of(self._build())

    def freeze(self) -> FrozenPipeline:
        """Return the pipeline as it is now, scripts and data kept in the workspace.

        Raises
        ------
        ConfigError
            When something is wrong with it; `validate` says the same.
        NotFoundError
            When a script, dataset or compute target is not there.
        """
        graph = self._build()
        problems = problems_of(graph)
        if problems:
            raise ConfigError("The pipeline cannot be run. " + " ".join(problems))
        session: Session = self.workspace.session
        steps = tuple(self._frozen_step(graph, number) for number in range(len(graph.steps)))
        defaults = {
            name: freeze_value(session, name, parameter.default_value)
            for name, parameter in graph.parameters.items()
        }
        return FrozenPipeline(description=self.description, steps=steps, parameters=defaults)

    def submit(
        self,
        experiment_name: str,
        pipeline_parameters: Mapping[str, Any] | None = None,
        continue_on_step_failure: bool = False,
        regenerate_outputs: bool = False,
        parent_run_id: object = None,
        *,
        tags: Mapping[str, str] | None = None,
    ) -> PipelineRun:
        """Run the pipeline in an experiment; return at once.

        Parameters
        ----------
        experiment_name : str
            Where the run belongs.
        pipeline_parameters : mapping, optional
            Values in place of the parameters' defaults.
        continue_on_step_failure : bool, default False
            Whether steps that do not need a failed one are run all the same.
        regenerate_outputs : bool, default False
            Whether every step is run, whatever was made earlier.
        parent_run_id : object
            The SDK's argument, of no use here.
        tags : mapping of str to str, optional
            Kept with the run.

        Raises
        ------
        ConfigError
            When something is wrong with the pipeline, or it has no parameter of a name.
        """
        return self.submit_to(
            Experiment(self.workspace, experiment_name),
            tags=tags,
            show_output=False,
            pipeline_parameters=pipeline_parameters,
            continue_on_step_failure=continue_on_step_failure,
            regenerate_outputs=regenerate_outputs,
        )

    def publish(
        self,
        name: str,
        description: str | None = None,
        version: str | None = None,
        continue_on_step_failure: bool | None = None,
        *,
        tags: Mapping[str, str] | None = None,
    ) -> PublishedPipeline:
        """Keep the pipeline so that it runs without the code that made it.

        Parameters
        ----------
        name : str
            Its name; several may have the same.
        description : str, optional
            A text for people; the pipeline's own by default.
        version : str, optional
            What you call this version.
        continue_on_step_failure : bool, optional
            Whether steps that do not need a failed one are run all the same; not by default.
        tags : mapping of str to str, optional
            Words to find it by.

        Raises
        ------
        ConfigError
            When something is wrong with the pipeline.
        """
        return publish_frozen(
            self.workspace,
            self.freeze(),
            name=name,
            description=description if description is not None else self.description,
            version=version,
            continue_on_step_failure=continue_on_step_failure,
            tags=tags,
        )

    def submit_to(
        self,
        experiment: Experiment,
        *,
        tags: Mapping[str, str] | None,
        show_output: bool,
        pipeline_parameters: Mapping[str, Any] | None = None,
        pipeline_params: Mapping[str, Any] | None = None,
        continue_on_step_failure: bool = False,
        regenerate_outputs: bool = False,
    ) -> PipelineRun:
        """Run the pipeline; see `Experiment.submit`."""
        run = submit_frozen(
            experiment,
            self.freeze(),
            parameters={**(pipeline_params or {}), **(pipeline_parameters or {})},
            continue_on_step_failure=continue_on_step_failure,
            regenerate_outputs=regenerate_outputs,
            tags=tags,
        )
        if show_output:
            run.wait_for_completion(show_output=True)
        return run

    def _build(self) -> Graph:
        return build_graph(self._steps)

    def _frozen_step(self, graph: Graph, number: int) -> FrozenStep:
        session: Session = self.workspace.session
        step = graph.steps[number]
        return FrozenStep(
            number=number,
            name=step.name,
            kind=step.kind,
            step_kind=type(step).__name__,
            settings=step.settings(session, self._source),
            after=graph.after[number],
            inputs=tuple(given.freeze(session, graph.makers) for given in step.inputs),
            outputs=tuple(self._frozen_output(port) for port in step.outputs),
            arguments=tuple(step.arguments),
            params=step.params,
            allow_reuse=step.allow_reuse,
            version=step.version,
        )

    def _frozen_output(self, port: OutputPort) -> FrozenOutput:
        datastore = port.datastore or self._default_datastore()
        wanted = tuple(
            {**asdict(registration), "table": None if table is None else table.to_dict()}
            for registration, table in port.register_as
        )
        return FrozenOutput(
            name=port.name,
            datastore=datastore,
            path=port.path,
            is_directory=port.is_directory,
            pipeline_output_name=port.pipeline_output_name,
            training=port.training,
            register_as=wanted,
        )

    def _default_datastore(self) -> str:
        if self._datastore is None:
            self._datastore = Datastore(self.workspace)
        return self._datastore.name

    def _repr_html_(self) -> str:
        graph = self._build()
        steps = [
            DescribedStep(
                number=number,
                name=step.name,
                step_kind=type(step).__name__,
                after=graph.after[number],
            )
            for number, step in enumerate(graph.steps)
        ]
        defaults = {name: one.default_value for name, one in graph.parameters.items()}
        return pipeline_html(
            self.description or "Pipeline",
            {"": f"{len(steps)} step{'' if len(steps) == 1 else 's'}, not submitted"},
            steps,
            tables={PARAMETERS: parameter_rows(defaults)},
            problems=problems_of(graph),
        )

    def __repr__(self) -> str:
        names = ", ".join(repr(step.name) for step in self._build().steps)
        return f"Pipeline(steps=[{names}])"
