import signal
import socket
import subprocess
import threading
from urllib.parse import urlsplit

import history
import pytest
import requests
import segments as made
from click.testing import CliRunner

from speeddata.pivot.cli import UNSENT, bind, main
from speeddata.pivot.request import HINT


@pytest.fixture
def archive(tmp_path):
    made.write_segment(tmp_path / "archive" / "example", [made.records(3)])
    return tmp_path / "archive"


def test_serves_until_sigterm_and_leaves_nothing(archive, tmp_path):
    pidfile = tmp_path / "pivot.pid"
    with history.running(archive, "--pidfile", str(pidfile)) as service:
        assert int(pidfile.read_text()) == service.process.pid
        assert requests.get(f"{service.address}/api/v1/health", timeout=30).ok
    assert not pidfile.exists()
    assert [path.name for path in archive.iterdir()] == ["example"]


def test_sigint_ends_it_too(archive):
    with history.running(archive) as service:
        service.process.send_signal(signal.SIGINT)
        assert service.process.wait(history.LIMIT_S) == 0


def test_a_connection_that_stays_open_does_not_keep_it(archive):
    with history.running(archive) as service, requests.Session() as session:
        assert session.get(f"{service.address}/api/v1/health", timeout=30).ok


def test_port_in_use_is_one_line_and_exit_code_3(archive):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [*history.COMMAND, "--archive", str(archive), "--port", str(port)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=history.LIMIT_S, check=False)
    assert (done.returncode, done.stderr) == (3, f"pivot: port {port} on 127.0.0.1 is in use\n")


def test_limits_are_options(archive):
    with history.running(archive, "--limit-channels", "1", "--limit-minutes", "0.5") as service:
        address = f"{service.address}/api/v1/pivot/export"
        two = requests.get(address, params={"duration": "PT1S", "channels": "a,b"}, timeout=30)
        assert two.json() == {
            "error": "Channel count exceeds maximum (1)",
            "requested_channels": 2,
            "hint": HINT,
        }
        long = requests.get(address, params={"duration": "PT1M", "channels": "example"}, timeout=30)
        assert long.json() == {
            "error": "Time range exceeds maximum (0.5 minutes)",
            "requested_minutes": 1.0,
            "hint": HINT,
        }


def test_works_without_registry_and_says_so_once(archive):
    with history.running(archive) as service:
        address = f"{service.address}/api/v1/pivot/export"
        for _ in range(2):
            assert (
                requests.get(
                    address, params={"duration": "PT1S", "channels": "nosuch"}, timeout=30
                ).status_code
                == 404
            )
        assert requests.get(address, params={"duration": "PT1S", "channels": "example"}, timeout=30).ok
    assert len(service.lines) == 1
    assert "going on without it" in service.lines[0]


def test_works_before_there_is_an_archive(tmp_path):
    with history.running(tmp_path / "nosuch") as service:
        address = f"{service.address}/api/v1/pivot/export"
        answer = requests.get(address, params={"duration": "PT1S", "channels": "example"}, timeout=30)
        assert answer.status_code == 404


@pytest.mark.parametrize("moment", range(4))
def test_killed_while_it_exports_it_leaves_no_file(archive, moment):
    """The file loses its name as soon as it is open; what is left of the moment before is swept at the next start."""
    made.write_segment(archive / "example", [made.records(500, n) for n in range(0, 20_000, 500)])
    with history.running(archive) as service:
        address = urlsplit(service.address)
        with socket.create_connection((address.hostname, address.port)) as connection:
            path = "/api/v1/pivot/export?duration=PT1M&channels=example"
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            threading.Event().wait(moment * 0.02)  # not waited for anything: the moments to kill at
            service.process.kill()
        service.process.wait(history.LIMIT_S)
        service.process.returncode = 0
    with history.running(archive):
        assert [path.name for path in archive.iterdir()] == ["example"]


def test_help_names_every_option():
    text = CliRunner().invoke(main, ["--help"]).output
    for option in (
        "--registry",
        "--host",
        "--port",
        "--archive",
        "--limit-channels",
        "--limit-minutes",
        "--timeout",
        "--name",
        "--pidfile",
    ):
        assert option in text


def test_the_kernel_holds_little_for_a_slow_client():
    """So that what a download waits for is the client, see `Download`."""
    with bind("127.0.0.1", 0) as listener:
        assert listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT) == UNSENT
