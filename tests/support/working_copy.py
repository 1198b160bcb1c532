"""A copy of the repository, as it is just now, that is built and imported apart from it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILT = ("build/cython", "build/temp*")  # what spares compiling again what has not changed
SOURCES = (
    "*/*.py*",
    "*/*.pxd",
    "*/*.h",
    "tests/*/*.py",
)  # of which the copy shall have no more than there are
WHERE = (
    "import sys, importlib, pathlib\n"
    "for name in ('speeddata', 'speeddata.plan', 'speeddata.relay.mapping', 'speeddata.registry'):\n"
    "    path = pathlib.Path(importlib.import_module(name).__file__).resolve()\n"
    "    assert path.is_relative_to(sys.argv[1]), f'{name} is {path}'\n"
)


def make(folder: Path, *, built: bool) -> Path:
    """Bring a copy up to date: what git knows or would add; `built`: also what has been compiled. Times are kept."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split("\0")  # fmt: skip
    wanted = [ROOT / name for name in listed if name]
    if built:
        wanted += [path for pattern in BUILT for top in ROOT.glob(pattern) for path in top.rglob("*")]
        wanted += ROOT.glob("*/*.so")
    present = {source.relative_to(ROOT) for source in wanted if source.is_file()}
    for name in present:
        update(ROOT / name, folder / name)
    for pattern in SOURCES:
        for path in folder.glob(pattern):
            if path.relative_to(folder) not in present and path.relative_to(folder).parts[0] != "build":
                path.unlink()
    return folder


def update(source: Path, target: Path) -> None:
    """Copy a file that is not the same, by size and time."""
    status = source.stat()
    if target.exists():
        had = target.stat()
        if (had.st_size, had.st_mtime_ns) == (status.st_size, status.st_mtime_ns):
            return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)


def build(folder: Path, **flags: str) -> None:
    """Compile what is not compiled; `flags` are environment variables of setup.py."""
    command = [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace"]
    done = subprocess.run(
        command, cwd=folder, env=os.environ | flags, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{folder} cannot be built: {done.stdout}{done.stderr}"


def environment(folder: Path) -> dict[str, str]:
    """Environment in which the copy is what is imported: its link tree comes before the installed package."""
    made = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    return made | {"PYTHONPATH": str(folder / "build" / "tree"), "PYTHONSAFEPATH": "1"}


def check(folder: Path, **more: str) -> None:
    """Fail unless what is imported is the copy's."""
    command = [sys.executable, "-P", "-c", WHERE, str(folder.resolve())]
    done = subprocess.run(
        command, cwd=folder, env=environment(folder) | more, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
