"""A disk of a test's own: ext4 in a file, that can be frozen and looked at as if the power had failed."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


def missing() -> str:
    """What there is not, of what a test's own disk takes; "" when nothing is missing."""
    if os.geteuid() != 0:
        return "to mount disk images one must be root"
    if not Path("/dev/loop-control").exists():
        return "no loop devices here"
    tools = [tool for tool in ("mkfs.ext4", "mount", "fsfreeze") if shutil.which(tool) is None]
    return f"no {' and no '.join(tools)} here" if tools else ""


needs_disks = pytest.mark.skipif(bool(missing()), reason=missing())


def run(*argv: str | Path) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, f"{argv}: {done.stderr or done.stdout}"


@contextlib.contextmanager
def mounted(image: Path, place: Path, options: str = "") -> Iterator[Path]:
    """Mount an image for as long as the context lasts. Needs root and loop devices."""
    place.mkdir(parents=True, exist_ok=True)
    run("mount", "-o", f"loop,{options}" if options else "loop", image, place)
    try:
        yield place
    finally:
        run("umount", place)


@contextlib.contextmanager
def loop_disk(folder: Path, mebibytes: int = 64, options: str = "") -> Iterator[Path]:
    """A fresh file system; its image is `<folder>/disk.img`."""
    image = folder / "disk.img"
    with image.open("wb") as file:
        file.truncate(mebibytes << 20)
    run("mkfs.ext4", "-q", "-F", image)
    with mounted(image, folder / "disk", options) as place:
        yield place


@contextlib.contextmanager
def frozen(place: Path) -> Iterator[None]:
    """Have every write to a file system wait, as on a disk that hangs: not even a kill ends a process then."""
    run("fsfreeze", "-f", place)
    try:
        yield
    finally:
        run("fsfreeze", "-u", place)
