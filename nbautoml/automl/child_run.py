"""`ChildRun`: a handle on one model of an AutoML run, whose code is written on demand."""

from __future__ import annotations

from pathlib import Path
from typing import Any  # Any: arguments of the SDK that do nothing here

from nbautoml.automl.artifacts import ONNX_MODEL, ONNX_RESOURCE, ONNX_SCORE
from nbautoml.automl.explain_run import ROWS, ExplainRun, Wanted, ask_explanation
from nbautoml.automl.generated_code import FILES, ensure_code, has_code
from nbautoml.automl.onnx_model import ensure_onnx
from nbautoml.runs.run import Run


class ChildRun(Run):
    """One model of an AutoML run.

    Its files ``outputs/generated_code/script.py`` and ``script_run_notebook.ipynb`` are the code
    that trains and scores it; they are written when they are first downloaded. So is
    ``outputs/model.onnx``, with ``model_onnx.json`` and ``score_onnx.py`` beside it.
    """

    def get_file_names(self) -> list[str]:
        """Return the names of the run's files, those too that are written when asked for."""
        names = super().get_file_names()
        if set(FILES) <= set(names) or not self._has_code():
            return names
        return sorted({*names, *FILES})

    def download_file(
        self, name: str, output_file_path: str | Path | None = None, **_azure: Any
    ) -> None:
        """Copy one file to a path, or into the working directory under its own name."""
        self._ensure_files(name)
        super().download_file(name, output_file_path)

    def download_files(
        self,
        prefix: str | None = None,
        output_directory: str | Path | None = None,
        append_prefix: bool = True,
        **_azure: Any,
    ) -> None:
        """Copy all files whose names begin with `prefix` into a folder."""
        self._ensure_files(prefix or "")
        super().download_files(prefix, output_directory, append_prefix)

    def explain(
        self,
        rows: int = ROWS,
        minutes: float = 0.5,
        compute_target: str | None = None,
        comment: str = "",
    ) -> ExplainRun:
        """Explain the model, and return the run that does it; the notebook does not wait.

        Where an explanation of the model is being made already, that one is returned.

        Parameters
        ----------
        rows : int, default 200
            How many rows to explain one by one, up to 2,000.
        minutes : float, default 0.5
            Time for it; what is not done by then is left out, and the explanation says so.
        compute_target : str, optional
            Where to do it; in a process on this machine when not given.
        comment : str, default ""
            Kept with the explanation.

        Returns
        -------
        ExplainRun
            ``child.explain().explanation()`` waits for it.

        Raises
        ------
        ConfigError
            When a number is out of its range.
        NotFoundError
            When the run has no model.
        """
        parent, number = self._place()
        wanted = Wanted.of(
            rows=rows, minutes=minutes, compute_target=compute_target, comment=comment
        )
        explain_id = ask_explanation(self.session, parent, number, wanted)
        return ExplainRun(self.experiment, explain_id)

    def _ensure_files(self, prefix: str) -> None:
        """Have the files written that are made when somebody asks for them."""
        parent, number = self._place()
        if parent and prefix in (ONNX_MODEL, ONNX_RESOURCE, ONNX_SCORE):
            ensure_onnx(self.session, parent, number)
        if parent and any(name.startswith(prefix) for name in FILES):
            ensure_code(self.session, parent, number)

    def _has_code(self) -> bool:
        parent, number = self._place()
        return bool(parent) and has_code(self.session, parent, number)

    def _place(self) -> tuple[str, int]:
        """Return the parent's id, and the number in it."""
        record = self._record()
        return record.parent_id or "", record.number or 0
