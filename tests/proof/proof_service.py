"""The unit under a real systemd, as process 1 of namespaces with a root of their own: started, killed, hung, renewed, stopped."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest
from line import wait_until

ROOT = Path(__file__).parents[2]
SUPPORT = ROOT / "tests" / "support"
LIMIT_S = 300
NAMESPACES = ("--mount", "--pid", "--fork", "--cgroup", "--net", "--uts", "--ipc", "--kill-child")

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("systemd-analyze") is None, reason="needs root and Debian's systemd"
)


@contextlib.contextmanager
def control_group() -> Iterator[Path]:
    """A group below which systemd has its own."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    group = next(Path(line[1]) for line in mounts if line[2] == "cgroup2") / f"speeddata-proof-{os.getpid()}"
    group.mkdir()
    try:
        yield group
    finally:
        for folder, _, _ in os.walk(group, topdown=False):
            os.rmdir(folder)


@contextlib.contextmanager
def booted(folder: Path) -> Iterator[int]:
    """The process, as it is known outside, of a systemd that runs beside the machine's own system."""
    python = Path(sys.base_prefix) / "bin" / "python3"
    package = ROOT / "build" / "tree" / "speeddata"
    base, output = folder / "root", folder / "boot.log"
    base.mkdir()
    script = ("sh", SUPPORT / "systemd_root.sh", base, sysconfig.get_path("purelib"), package, python)
    with control_group() as group, output.open("wb") as said:
        join = f'echo $$ > {group}/cgroup.procs && exec "$@"'
        command = ["sh", "-c", join, "sh", "unshare", *NAMESPACES, *script]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")

        def first() -> int | None:
            assert process.poll() is None, output.read_text()
            child = children.read_text().split()
            there = child and Path(f"/proc/{child[0]}/comm").read_text() == "systemd\n"
            return int(child[0]) if there else None

        try:
            pid = wait_until(first, "systemd", 60)
            wait_until(
                lambda: inside(pid, "systemctl", "is-system-running").returncode == 0, "the system", 60
            )
            yield pid
        finally:
            for child in children.read_text().split():
                os.kill(int(child), signal.SIGKILL)
            process.wait(60)


def inside(pid: int, *command: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command in the namespaces of a process."""
    return subprocess.run(
        ["nsenter", "--target", str(pid), "--all", *command],
        input=text, capture_output=True, text=True, check=False, timeout=LIMIT_S,
    )  # fmt: skip


def test_relays_outlive_an_orchestrator_in_its_sandbox_and_a_stop_ends_all(tmp_path: Path) -> None:
    with booted(tmp_path) as pid:
        scenario = (SUPPORT / "service_scenario.py").read_text()
        done = inside(pid, "/opt/speeddata/bin/python", "-P", "-", text=scenario)
        journal = inside(pid, "journalctl", "--unit", "speeddata", "--no-pager", "--lines", "100").stdout
    assert done.returncode == 0, done.stderr + journal
    print(done.stdout)
