"""Runs notebooks; as a program, runs the tutorial notebook and saves its outputs: `make notebook`."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from tools.project import ROOT

TUTORIAL = ROOT / "docs" / "tutorial" / "notebook.ipynb"
# A cell that hangs fails, and not the whole run.
_CELL_SECONDS = 60
WIDGET = "application/vnd.jupyter.widget-view+json"


def read(path: Path) -> Any:
    """A notebook of a file."""
    return import_module("nbformat").read(path, as_version=4)


def of_cells(cells: Iterable[str]) -> Any:
    """A notebook of cells of code."""
    notebooks = import_module("nbformat.v4")
    return notebooks.new_notebook(cells=[notebooks.new_code_cell(cell) for cell in cells])


def run(notebook: Any, environ: Mapping[str, str], *, allow_errors: bool = False) -> None:
    """Runs all cells in a kernel of their own, in an empty folder which is its home too; no person can be asked.

    Args:
        notebook: Gets the outputs.
        environ: More variables of the environment, beside PATH.
        allow_errors: Whether cells after one that raises are run too.

    Raises:
        nbclient.exceptions.CellExecutionError: A cell raised, and that was not allowed.
    """
    client = import_module("nbclient").NotebookClient
    with tempfile.TemporaryDirectory() as folder:
        own = {"PATH": os.environ["PATH"], "HOME": folder, "PYTHONPATH": str(ROOT)}
        client(notebook, timeout=_CELL_SECONDS, kernel_name="python3", allow_errors=allow_errors).execute(
            cwd=folder, env={**own, **environ}
        )


def main() -> None:
    """Runs the tutorial and saves it, without what differs from machine to machine."""
    notebook = read(TUTORIAL)
    run(notebook, {"LOGNAME": "bruce"})
    for cell in notebook.cells:
        cell.metadata = {}
        if cell.cell_type == "code":
            # Whoever opens the file has no model of a widget.
            cell.outputs = [output for output in cell.outputs if WIDGET not in output.get("data", {})]
    notebook.metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    import_module("nbformat").write(notebook, TUTORIAL)


if __name__ == "__main__":
    main()
