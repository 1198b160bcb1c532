"""The sdist and, made from it, the wheel: installed alone and started outside the repository."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from pathlib import Path

import pytest
import requests
from line import wait_until
from ports import free_port
from system import free_tcp_ports

ROOT = Path(__file__).parent.parent
BUILD_LIMIT_S = 600


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel made from the sdist of this tree. The dependencies to build with are those of this environment."""
    folder = tmp_path_factory.mktemp("dist")
    source = folder / "source"
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
                            capture_output=True, check=True)  # fmt: skip
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    build = [sys.executable, "-P", "-m", "build", "--no-isolation", "--outdir", str(folder), str(source)]
    quick = os.environ | {"SPEEDDATA_CFLAGS": "-O0 -g0"}  # what is built is to be complete, not fast
    subprocess.run(build, check=True, capture_output=True, timeout=BUILD_LIMIT_S, env=quick)
    (sdist,) = folder.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        held = {Path(name).relative_to(Path(name).parts[0]).as_posix() for name in archive.getnames()}
    # What the Makefile and the tests call.
    needed = {p.relative_to(ROOT).as_posix() for p in (ROOT / "tools").iterdir() if p.is_file()} | {
        "Makefile"
    }
    assert needed <= held
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The Python of an environment that has the wheel, and the dependencies of this one."""
    folder = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-P", "-m", "venv", "--without-pip", folder], check=True)
    python = folder / "bin" / "python"
    packages = folder / "lib" / f"python{sysconfig.get_python_version()}" / "site-packages"
    pip = [sys.executable, "-P", "-m", "pip", "--python", python, "install", "--no-deps", "--quiet", wheel]
    subprocess.run(pip, check=True)
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def answer(url):
    """The answer of a server that may be starting."""

    def ask():
        try:
            return requests.get(url, timeout=5)
        except requests.ConnectionError:
            return None

    return wait_until(lambda: [got] if (got := ask()) is not None else None, url, 30)[0]


@pytest.mark.slow
def test_the_wheel_runs_outside_the_repository(installed, tmp_path):
    where = [installed, "-P", "-c", "import speeddata.relay.keeper as k; print(k.__file__)"]
    home = subprocess.run(where, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert str(ROOT) not in home
    ports = free_tcp_ports(3)
    options = (
        "--data",
        tmp_path / "data",
        "--api-port",
        ports[0],
        "--websocket-port",
        ports[1],
        "--pivot-port",
        ports[2],
    )
    command = [installed.with_name("speeddata"), "run", *map(str, options)]
    server = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.DEVNULL, env=os.environ | {"PYTHONSAFEPATH": "1"}
    )
    try:
        api = f"http://127.0.0.1:{ports[0]}"
        assert "<title>SpeedData" in answer(f"{api}/").text
        for module in ("/static/pages/page.js", "/static/stripchart/main.js"):
            assert answer(f"{api}{module}").status_code == 200, module
        schema = "agents/example.avsc"
        body = {"name": "example", "port": free_port(), "schema": schema}
        assert requests.post(f"{api}/api/v1/channels", json=body, timeout=10).status_code == 201
        assert answer(f"http://127.0.0.1:{ports[2]}/api/v1/health").json()["status"] == "healthy"
    finally:
        server.terminate()
        assert server.wait(20) == 0
