"""The documents as a site, made as `make docs` makes it."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def build(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Build it into a folder; any warning is an error. With `--quiet` mkdocs would not count them."""
    command = [sys.executable, "-P", "-W", "error", "-m", "mkdocs", "build", "--strict"]
    return subprocess.run(
        [*command, "--site-dir", str(folder), *options], cwd=ROOT, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
