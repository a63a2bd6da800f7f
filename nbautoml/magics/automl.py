"""The magics themselves: parse, then one call."""

from __future__ import annotations

from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand

import nbautoml
from nbautoml.magics.cell import Cell, read_cell, start
from nbautoml.magics.commands import run_command
from nbautoml.magics.home import Home
from nbautoml.magics.say import say


@magics_class
class AutoMLMagics(Magics):
    """``%automl`` for a line, ``%%automl`` for a cell."""

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self._shell = shell
        self.home = Home(shell.user_ns, say)

    @no_var_expand
    @line_cell_magic
    def automl(self, line: str, cell: str | None = None) -> None:
        """Run AutoML from a cell, or look after runs from a line; ``%automl help`` says how."""
        if cell is None:
            run_command(line, self.home)
        else:
            self._run_cell(read_cell(line, cell, self.home))

    def _run_cell(self, cell: Cell) -> None:
        if cell.note:
            say(cell.note)
        if cell.line.switches & {"--code", "--dry-run"}:
            say(cell.code)
        if "--dry-run" in cell.line.switches:
            return
        run = start(cell, self.home)
        self._shell.user_ns[cell.line.name] = run
        if "--no-widget" in cell.line.switches:
            say(f"{cell.line.name} = {run.id}; see how it stands with: %automl status")
        else:
            nbautoml.RunDetails(run).show()
        if "--wait" in cell.line.switches:
            _wait(run, cell.line.name)


def _wait(run: nbautoml.Run, name: str) -> None:
    try:
        run.wait_for_completion()
    except KeyboardInterrupt:
        say(f"Stopped waiting; the run goes on. To stop it: %automl cancel {name}")
