"""The codec's tests once more, compiled with sanitizers, fewer examples each. `make proof` looks longer."""

import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "sanitize"


@pytest.mark.slow
def test_short_pass() -> None:
    done = subprocess.run(
        [sys.executable, TOOL, "short"], capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]


def test_usage() -> None:
    done = subprocess.run(
        [sys.executable, TOOL, "medium"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("sanitize short | long")
