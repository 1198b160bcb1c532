import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from live import LiveProcess, Registry, free_port, wait_for

from speeddata.stripchart.cli import main


@pytest.fixture
def registry() -> Iterator[Registry]:
    with contextlib.closing(Registry()) as opened:
        yield opened


def test_a_port_in_use_is_one_clear_line(registry: Registry) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        process = LiveProcess(registry.url, port=port)
        assert process.process.wait(20) == 3
        process.stop()
        wait_for(lambda: process.lines)
        assert process.lines == [f"stripchart: port {port} on 127.0.0.1 is in use\n"]


def test_the_pidfile_is_there_while_it_runs(registry: Registry, tmp_path: Path) -> None:
    path = tmp_path / "stripchart.pid"
    process = LiveProcess(registry.url, "--pidfile", str(path))
    try:
        process.port()
        assert path.read_text() == f"{process.process.pid}\n"
    finally:
        assert process.stop() == 0
    assert list(tmp_path.iterdir()) == []


def test_it_runs_without_a_registry() -> None:
    process = LiveProcess(f"http://127.0.0.1:{free_port()}")
    process.port()
    wait_for(lambda: [line for line in process.lines if "does not answer" in line])
    assert process.stop() == 0


def test_help_tells_every_option() -> None:
    text = CliRunner().invoke(main, ["--help"]).output
    for option in (
        "--registry",
        "--host",
        "--port",
        "--interface",
        "--name",
        "--pidfile",
        "--clients",
        "--workers",
        "--ping",
    ):
        assert option in text
