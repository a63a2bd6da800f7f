"""A cluster whose nodes are jobs of a Slurm queue."""

from __future__ import annotations

import subprocess
from typing import ClassVar

from nbautoml.compute.kinds.ssh import SecuredBackend, need_package, need_program
from nbautoml.compute.places import SlurmPlace
from nbautoml.errors import ComputeTargetException

SLURM = "Slurm"
"""The type, as `ComputeTarget.type` has it."""
CANCEL_SECONDS = 30.0


class SlurmBackend(SecuredBackend):
    """Nodes that are jobs."""

    kind: ClassVar[str] = SLURM
    keeps_after_death: ClassVar[bool] = True

    def check_programs(self) -> None:
        """Look for Slurm's programs and for what submits jobs."""
        need_package("dask_jobqueue", "slurm")
        need_package("cryptography", "slurm")
        for program in ("sbatch", "scancel"):
            need_program(program, "a cluster of Slurm jobs", "run where jobs can be submitted")

    def end_left_over(self) -> None:
        """Cancel all jobs of the cluster's name.

        Raises
        ------
        ComputeTargetException
            When Slurm does not answer.
        """
        name = SlurmPlace.from_dict(self.options.place).job_name
        try:
            subprocess.run(
                ["scancel", f"--name={name}", "--me"],
                capture_output=True,
                text=True,
                timeout=CANCEL_SECONDS,
                check=True,
            )
        except (OSError, subprocess.SubprocessError) as error:
            said = getattr(error, "stderr", "") or error
            raise ComputeTargetException(
                f"Slurm does not say whether the jobs called {name} have ended: {said}. Ask again "
                "when it answers."
            ) from error
