"""The sdist and, made from it, the wheel: installed alone and started outside the repository."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from pathlib import Path

import requests
from line import wait_until
from ports import free_port, free_tcp_ports

ROOT = Path(__file__).parents[2]
BUILD_LIMIT_S = 600


def build(folder: Path, **environment: str) -> Path:
    """A wheel made from the sdist of this tree. The dependencies to build with are those of this environment."""
    source = folder / "source"
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
                            capture_output=True, check=True)  # fmt: skip
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    command = [sys.executable, "-P", "-m", "build", "--no-isolation", "--outdir", str(folder), str(source)]
    subprocess.run(
        command, check=True, capture_output=True, timeout=BUILD_LIMIT_S, env=os.environ | environment
    )
    (sdist,) = folder.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        held = {Path(name).relative_to(Path(name).parts[0]).as_posix() for name in archive.getnames()}
    # What is compiled, and what the Makefile and the tests call.
    needed = [*ROOT.glob("lib/*.p*x*"), *ROOT.glob("relay/*.p*x*"), *ROOT.glob("tools/*"), ROOT / "Makefile"]
    assert {path.relative_to(ROOT).as_posix() for path in needed if path.is_file()} <= held
    return next(folder.glob("*.whl"))


def install(wheel: Path, folder: Path) -> Path:
    """The Python of an environment that has the wheel, and the dependencies of this one."""
    subprocess.run([sys.executable, "-P", "-m", "venv", "--without-pip", folder], check=True)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-P", "-m", "pip", "--python", python, "install", "--no-deps", "--quiet", wheel]
    subprocess.run(pip, check=True)
    (packages_of(folder) / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def packages_of(folder: Path) -> Path:
    """Where an environment has its packages."""
    return folder / "lib" / f"python{sysconfig.get_python_version()}" / "site-packages"


def answer(url: str) -> requests.Response:
    """The answer of a server that may be starting."""

    def ask() -> requests.Response | None:
        try:
            return requests.get(url, timeout=5)
        except requests.ConnectionError:
            return None

    return wait_until(lambda: [got] if (got := ask()) is not None else None, url, 30)[0]


def check(python: Path, folder: Path) -> None:
    """Run SpeedData of an environment, in a folder outside the repository."""
    where = [python, "-P", "-c", "import speeddata.relay.keeper as k; print(k.__file__)"]
    home = subprocess.run(where, cwd=folder, capture_output=True, text=True, check=True).stdout
    assert str(ROOT) not in home
    ports = free_tcp_ports(3)
    options = (
        "--data",
        folder / "data",
        "--api-port",
        ports[0],
        "--websocket-port",
        ports[1],
        "--pivot-port",
        ports[2],
    )
    command = [python.with_name("speeddata"), "run", *map(str, options)]
    server = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, env=os.environ | {"PYTHONSAFEPATH": "1"}
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
