"""`RunConfiguration`: how something is run, in the words of the SDK's older notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any  # Any: settings of the SDK that are kept as they are

from nbautoml.runs.conda_dependencies import CondaDependencies
from nbautoml.runs.environment import Environment

__all__ = ["RunConfiguration"]


class RunConfiguration:
    """Where and with what a script runs; a `ScriptRunConfig` takes one as ``run_config``.

    Parameters
    ----------
    script : str, optional
        The script.
    arguments : sequence, optional
        Its arguments.
    framework, communicator : str, optional
        Kept, of no use here.
    conda_dependencies : CondaDependencies, optional
        Packages of its environment.
    command : str or sequence of str, optional
        In place of a script.

    Attributes
    ----------
    target : str
        Compute target; ``"local"`` is this machine.
    environment : Environment
        Packages, variables and interpreter.

    Examples
    --------
    >>> config = RunConfiguration()
    >>> config.environment.python.user_managed_dependencies = True
    >>> config.target
    'local'
    """

    def __init__(
        self,
        script: str | None = None,
        arguments: Sequence[Any] | None = None,
        framework: str | None = None,
        communicator: str | None = None,
        conda_dependencies: CondaDependencies | None = None,
        command: str | Sequence[str] | None = None,
        **_azure: Any,
    ) -> None:
        self.script = script
        self.arguments = list(arguments or ())
        self.command = command
        self.framework = framework or "Python"
        self.communicator = communicator or "None"
        self.target: Any = "local"
        self.node_count = 1
        self.max_run_duration_seconds: float | None = None
        self.environment: Environment | None = Environment("default")
        if conda_dependencies is not None:
            self.environment.python.conda_dependencies = conda_dependencies

    @property
    def environment_variables(self) -> dict[str, str]:
        """The variables of its environment."""
        return self.environment.environment_variables if self.environment is not None else {}

    @environment_variables.setter
    def environment_variables(self, variables: dict[str, str]) -> None:
        if self.environment is None:
            self.environment = Environment("default")
        self.environment.environment_variables = dict(variables)

    def __repr__(self) -> str:
        return f"RunConfiguration(target={self.target!r}, environment={self.environment!r})"
