"""The container's files, as far as they can be looked at without an engine: none builds the image here."""

import json
import re
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from ports import free_tcp_ports

ROOT = Path(__file__).parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
LINES = DOCKERFILE.replace("\\\n", "").splitlines()
PINS = ROOT / "tools" / "image-requirements.txt"


def instructions(name: str) -> list[str]:
    return [line.removeprefix(f"{name} ") for line in LINES if line.startswith(f"{name} ")]


def test_hadolint_finds_nothing_and_is_told_to_ignore_nothing() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("hadolint"), "--no-color", ROOT / "Dockerfile"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    assert "hadolint" not in DOCKERFILE
    assert not list(ROOT.glob(".hadolint*"))


def test_both_stages_are_one_python_pinned_by_version() -> None:
    builder, image = instructions("FROM")
    version = re.fullmatch(r"python:(\d+\.\d+\.\d+)-slim-bookworm", image)
    assert version
    assert builder == f"python:{version[1]}-bookworm AS builder"


def test_it_runs_as_nobody_in_particular_and_ends_in_order() -> None:
    (user,) = instructions("USER")
    assert re.fullmatch(r"(\d{5}):\1", user)
    assert f"--uid {user.partition(':')[0]} " in DOCKERFILE
    assert instructions("VOLUME") == ["/data"]
    assert instructions("STOPSIGNAL") == ["SIGTERM"]
    entry = json.loads(instructions("ENTRYPOINT")[0]) + json.loads(instructions("CMD")[0])
    assert entry == ["speeddata", "run", "--data", "/data"]


@pytest.mark.parametrize("status", [200, 503, None])
def test_health_is_asked_of_the_api(status: int | None) -> None:
    (port,) = free_tcp_ports(1)
    command = json.loads(instructions("HEALTHCHECK")[0].partition("CMD ")[2])
    assert command[0] == "python"
    code = command[2].replace(":8080/", f":{port}/")
    assert code != command[2]
    with answering(port, status) if status else nullcontext():
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, timeout=30)
    assert (done.returncode == 0) == (status == 200)


@contextmanager
def answering(port: int, status: int) -> Iterator[None]:
    """A server of /healthz."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield
        server.shutdown()
        thread.join()


def test_what_is_needed_is_pinned_to_versions_that_do() -> None:
    pinned = dict(line.split("==") for line in PINS.read_text().splitlines() if not line.startswith("#"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for requirement in map(Requirement, project["dependencies"]):
        name = canonicalize_name(requirement.name)
        assert name in pinned, f"{name} is not in {PINS.name}"
        assert requirement.specifier.contains(pinned[name]), (
            f"{requirement}, but {pinned[name]} in {PINS.name}"
        )


def test_all_sources_reach_the_builder_and_nothing_compiled() -> None:
    rules = (ROOT / ".dockerignore").read_text().splitlines()
    let_in = {rule[1:] for rule in rules if rule.startswith("!")}
    packages = re.findall(r'^    "speeddata[a-z.]*": "(\w+)",$', (ROOT / "setup.py").read_text(), re.M)
    assert len(packages) == 7
    files = {
        "setup.py",
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "MANIFEST.in",
        "tools/image-requirements.txt",
    }
    assert {*packages, *files} == let_in
    assert rules[1] == "*"
    assert "**/*.so" in rules


def test_compose_gives_the_hosts_network_and_no_rights() -> None:
    service = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["speeddata"]
    assert (service["network_mode"], service["init"], service["read_only"]) == ("host", True, True)
    assert (service["cap_drop"], service["security_opt"]) == (["ALL"], ["no-new-privileges:true"])
    assert service["ulimits"]["memlock"] == -1
    assert "privileged" not in service
    assert not {"ports", "sysctls"} & service.keys(), "neither goes with the host's network"
