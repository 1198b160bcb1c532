"""The notebooks run from their first cell to the last, and are committed without what they print."""

import shutil
from pathlib import Path

import nbformat
import numpy as np
import pytest
import system
from nbclient import NotebookClient

from speeddata import Channel, Client

FOLDER = Path(__file__).parent.parent / "examples" / "jupyter"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
SYSTEM = {"tag_and_export"}  # those that need one
CELL_S = 120
MOST_BYTES = 20_000


def name(path):
    return path.stem


def printed(notebook):
    """All that its cells say, as text."""
    said = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            said.append(output.get("text", "") or output.get("data", {}).get("text/plain", ""))
            assert output["output_type"] != "error", output
    return "\n".join(said)


def execute(path, folder):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    NotebookClient(
        notebook, timeout=CELL_S, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute()
    return printed(notebook)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
def test_is_small_and_has_nothing_printed(path):
    notebook = nbformat.read(path, as_version=4)
    assert path.stat().st_size < MOST_BYTES
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert (cell.outputs, cell.execution_count) == ([], None)


def test_the_first_one_is_there():
    assert "speeddata_analysis_example" in map(name, NOTEBOOKS)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("path", [path for path in NOTEBOOKS if path.stem not in SYSTEM], ids=name)
def test_runs(path, tmp_path, monkeypatch):
    monkeypatch.delenv("SPEEDDATA_HISTORY", raising=False)
    folder = tmp_path / FOLDER.name
    folder.mkdir()
    shutil.copy(FOLDER.parent / "grid_frequency.py", tmp_path)
    said = execute(path, folder)
    assert not list(folder.iterdir())
    wanted = {
        "grid_frequency": "mHz up at the full hour",
        "speeddata_analysis_example": "1.50 Hz",
        "vibration_spectrum": "1.20 g at 29.50 Hz",
    }[path.stem]
    assert wanted in said


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_runs_with_a_system(tmp_path, monkeypatch):
    with system.run(tmp_path / "data") as running:
        monkeypatch.setenv("SPEEDDATA_REGISTRY", f"http://127.0.0.1:{running.api_port}")
        monkeypatch.setenv("SPEEDDATA_HISTORY", f"http://127.0.0.1:{running.pivot_port}")
        folder = tmp_path / "notebooks"
        folder.mkdir()
        assert "records above 5" in execute(FOLDER / "tag_and_export.ipynb", folder)
        send(f"http://127.0.0.1:{running.pivot_port}")
        assert "a sample each 50 milliseconds" in execute(FOLDER / "speeddata_analysis_example.ipynb", folder)
    assert not list(folder.iterdir())


def send(history):
    """Half a minute of the demo's signals, which come a little sooner or later each time, and have no units."""
    rng = np.random.default_rng(1)
    seconds = np.arange(0, 31, 0.05) + rng.uniform(-0.012, 0.012, 620)
    times = np.datetime64("now", "ns").astype(np.int64) - 31 * 10**9 + np.rint(seconds * 1e9).astype(np.int64)
    wave = np.sin(2 * np.pi * 0.1 * seconds)
    with Client(history=history) as client:
        client.ingest(Channel.from_ns("example", times, {"sine_wave": wave, "ramp": seconds}), create=True)
