"""README's first command, and what README links to. Its other blocks are run by test_docs_blocks.py."""

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest
import requests
from line import wait_until
from ports import free_tcp_ports
from system import demo_turn

ROOT = Path(__file__).parent.parent
LIMIT_S = 90


def answers(url):
    try:
        return requests.get(url, timeout=5).status_code == 200
    except requests.ConnectionError:
        return False


def channels(api):
    return requests.get(f"{api}/api/v1/channels", timeout=5).json()["channels"]


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
