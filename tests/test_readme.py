"""Every block of code of README.md, in order, against a real system."""

import os
import re
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import requests
from line import wait_until
from ports import free_port
from system import demo_turn, free_tcp_ports

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LIMIT_S = 90


# Samples of other pages that presume what README makes, and what they must say.
SAMPLES = (
    ("ingest.md", "curl", '"created":["gearbox"]'),
    ("sql.md", "speeddata sql", "2021-05-01T23:00:00Z"),
    ("query.md", "curl", '"count":5,"time":["2021-04-30T22:00:00Z"'),
    ("library.md", "import speeddata\n", "grid: 1 signals, not fetched yet"),
    ("library.md", "from speeddata import RegistryError", "400 decimation.rate_hz"),
)


def blocks(page="README.md"):
    return BLOCK.findall((ROOT / page).read_text())


@pytest.fixture
def place(tmp_path):
    """Where the commands of README run: an empty folder, the environment, ports that are free."""
    api, live, history = free_tcp_ports(3)
    engine = free_port()
    swaps = {
        "localhost:8080": f"localhost:{api}",
        "localhost:8000": f"localhost:{history}",
        "26010": str(engine),
        "speeddata sql": f"speeddata sql --url http://localhost:{history}",
        "speeddata import frequency": f"speeddata import --quiet --api http://localhost:{api}/api/v1 frequency",
        "examples/": f"{ROOT}/examples/",
        "speeddata export": f"speeddata export --url http://localhost:{history}",
    }
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "XDG_STATE_HOME": str(tmp_path / "state"),
    }
    options = f"--api-port {api} --websocket-port {live} --pivot-port {history}"

    def run(language, code, **more):
        for old, new in swaps.items():
            code = code.replace(old, new)
        argv = (
            ["sh", "-ec", code]
            if language == "sh"
            else [sys.executable, "-P", "-W", "error::SyntaxWarning", "-c", code]
        )
        return subprocess.run(argv, cwd=tmp_path, env=environment, check=True, text=True, timeout=LIMIT_S,
                              stdout=subprocess.PIPE, **more).stdout  # fmt: skip

    return run, options, f"http://localhost:{api}", tmp_path, environment


def answers(url):
    try:
        return requests.get(url, timeout=5).status_code == 200
    except requests.ConnectionError:
        return False


def channels(api):
    return requests.get(f"{api}/api/v1/channels", timeout=5).json()["channels"]


def engine_of(api):
    return next(channel for channel in channels(api) if channel["name"] == "engine")


def stop(server):
    """End what a failure has left; what has ended is left alone."""
    if server.poll() is None:
        server.terminate()
        server.wait(LIMIT_S)


def test_the_walk(place, request):
    run, options, api, folder, environment = place
    sh = [code for language, code in blocks() if language == "sh"]
    assert sh[:2] == ["make run\n", "make test\n"]
    started = False
    for language, code in blocks()[2:]:
        if code.startswith("speeddata run"):
            server = subprocess.Popen(["sh", "-c", f"exec {code.strip()} {options}"], cwd=folder, env=environment,
                                      stdout=subprocess.DEVNULL)  # fmt: skip
            request.addfinalizer(partial(stop, server))
            wait_until(lambda: answers(f"{api}/healthz"), "the API", LIMIT_S)
            started = True
            continue
        if code.startswith("speeddata stop"):
            check_samples(run)
        if "fastavro" in code:
            # The block being filled is written when it is a second old.
            wait_until(lambda: engine_of(api)["stats"]["archived"] == 500, "the last block")
        out = run(language, code)
        if "read_hdf5" in code:
            assert "3499.9" in out or "3500.0" in out
            assert "1/min" in out
        if "fastavro" in code:
            assert "500 records" in out
        if "speeddata sql" in code:
            assert '"speed.max"' in out
            assert "records" in out
        if "speeddata import frequency" in code:
            assert '"ingested":2' in out.replace(" ", "")
            assert {"weather", "grid"} < {channel["name"] for channel in channels(api)}
    assert started
    assert server.wait(LIMIT_S) == 0
    assert not answers(f"{api}/healthz")


def check_samples(run):
    """What other pages show after README's steps."""
    for page, begin, wanted in SAMPLES:
        language, code = next(block for block in blocks(f"docs/{page}") if block[1].startswith(begin))
        assert wanted in run(language, code)
    text = (ROOT / "docs" / "command-line.md").read_text()
    exports = [line.strip() for line in text.splitlines() if line.startswith("    speeddata export")]
    assert len(exports) == 3
    for line in exports:
        assert re.search(r"^\S+: \d+ bytes$", run("sh", line), re.MULTILINE)


@pytest.fixture
def turn():
    with demo_turn():
        yield


@pytest.mark.usefixtures("turn")
def test_make_run_starts_the_demo(tmp_path):
    api, live, history = free_tcp_ports(3)
    options = f"--data {tmp_path / 'data'} --api-port {api} --websocket-port {live} --pivot-port {history}"
    url = f"http://127.0.0.1:{api}"
    said = tmp_path / "said"
    with said.open("wb") as output:
        server = subprocess.Popen(["make", "--no-print-directory", "run", f"ARGS={options}"], cwd=ROOT,
                                  stdout=output, stderr=output, start_new_session=True)  # fmt: skip
    try:
        wait_until(lambda: answers(f"{url}/healthz"), "the API", LIMIT_S)
        wait_until(
            lambda: (
                {c["name"] for c in channels(url) if c["stats"] and c["stats"]["records"]}
                == {"host", "example", "machine", "machine_spectrum"}
            ),
            "the demo",
        )
    finally:
        os.killpg(server.pid, signal.SIGINT)  # Ctrl-C
        assert server.wait(30) in (-2, 0, 2, 130)
    # make ends at once, what it ran some moments later.
    wait_until(lambda: "everything has ended" in said.read_text(), f"the end, after {said.read_text()!r}", 30)
    assert not answers(url)


def test_what_readme_names_is_there():
    text = (ROOT / "README.md").read_text()
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", text):
        assert (ROOT / target).exists(), f"README links to {target}"
