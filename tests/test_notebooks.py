"""The notebooks run from a fresh kernel, and are stored as such a run leaves them: in order, no error, no log, small."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).resolve().parents[1] / "notebooks").glob("*.ipynb"))
LARGEST = 400_000
# Seconds that a cell may take on a busy machine.
PATIENCE = 900

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.mark.slow
@every_notebook
def test_it_runs(path):
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=PATIENCE, resources={"metadata": {"path": path.parent}}).execute()


@every_notebook
def test_its_stored_outputs_are_those_of_one_run(path):
    assert path.stat().st_size < LARGEST
    cells = code_cells(nbformat.read(path, as_version=4))
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell.outputs]
    assert any("image/jpeg" in output.get("data", ()) or "image/png" in output.get("data", ()) for output in outputs)
    assert not [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"]
