import importlib.util
import socket
import sys
from pathlib import Path

import pytest

from speeddata.relay.data_folder import DataFolder
from speeddata.relay.services import back_off_s, demo_sources, registry_url, services, url
from speeddata.settings import Override, load_settings

DATA = DataFolder(Path("/data"))


def test_services_are_told_everything_by_their_arguments() -> None:
    settings = load_settings(
        None, [Override.parse("pivot.host=0.0.0.0"), Override.parse("global.multicast.interface=127.0.0.5")]
    )
    shared, live, history = services(["relay", "stripchart", "pivot"], settings, DATA, Path("/archive"))
    assert (shared.name, shared.last) == ("ingest", True)
    assert shared.argv[2:] == (
        "-m",
        "speeddata.relay.ingest",
        "--data",
        "/data",
        "--pidfile",
        "/data/run/ingest.pid",
    )
    assert not live.last
    assert not history.last
    assert live.name == "stripchart"
    assert live.argv == (
        *(sys.executable, "-P", "-m", "speeddata.stripchart", "--registry", "http://127.0.0.1:8080"),
        *(
            "--host",
            "127.0.0.1",
            "--port",
            "8081",
            "--pidfile",
            "/data/run/stripchart.pid",
            "--interface",
            "127.0.0.5",
        ),
        *("--clients", "2000", "--workers", "1"),
    )
    assert history.argv == (
        *(sys.executable, "-P", "-m", "speeddata.pivot", "--registry", "http://127.0.0.1:8080"),
        *("--host", "0.0.0.0", "--port", "8000", "--pidfile", "/data/run/pivot.pid", "--archive", "/archive"),
        *("--ingest-socket", "/data/run/ingest.sock"),
        *("--limit-channels", "20", "--limit-minutes", "5", "--timeout", "60"),
        *("--limit-running", "4", "--limit-followers", "64", "--queries-running", "4"),
        *("--limit-points", "1000000", "--result-cache", "67108864", "--rollup-cache", "268435456"),
        *("--ingest-bytes", "67108864", "--ingest-text", "33554432"),
        *("--ingest-requests", "64", "--ingest-held", "268435456"),
        *("--sql-timeout", "30", "--sql-memory", "512", "--sql-running", "2"),
        *("--exports", "/data/exports", "--exports-channels", "1000", "--exports-running", "1"),
        *("--exports-queued", "100", "--exports-keep", "86400", "--exports-bytes", "21474836480"),
        *("--min-free", "11"),
        *("--name", socket.gethostname().lower(), "--name", f"{socket.gethostname().lower()}.local"),
    )
    assert (history.pidfile, history.log) == (DATA.pidfile("pivot"), Path("/data/log/pivot.log"))


def test_services_are_told_the_names_that_they_answer_to() -> None:
    named = [Override.parse("relay.api.names=[Bench.example.org, b]"), Override.parse("pivot.host=0.0.0.0")]
    live, history = services(["stripchart", "pivot"], load_settings(None, named), DATA, DATA.archive)
    own = socket.gethostname().lower()
    assert live.argv[-4:] == ("--name", "bench.example.org", "--name", "b")
    assert history.argv[-8:] == (*live.argv[-4:], "--name", own, "--name", f"{own}.local")


def test_only_services_that_are_wanted_are_made() -> None:
    settings = load_settings()
    assert [service.name for service in services(["relay"], settings, DATA, DATA.archive)] == ["ingest"]
    assert [service.name for service in services(["pivot"], settings, DATA, DATA.archive)] == ["pivot"]


@pytest.mark.parametrize("name", ["stripchart", "pivot"])
def test_the_modules_of_services_exist(name: str) -> None:
    assert importlib.util.find_spec(f"speeddata.{name}.__main__") is not None


def test_the_demos_sources_are_programs_that_exist() -> None:
    sources = demo_sources(load_settings(None, [Override.parse("relay.api.port=9999")]), DATA)
    assert [source.name for source in sources] == ["source-host", "source-example", "source-machine"]
    for source in sources:
        assert Path(source.argv[2]).is_file()
        assert source.argv[3:] == ("--api", "http://127.0.0.1:9999/api/v1")
        assert not source.beats


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),
        ("::", "http://[::1]:80"),
        ("::1", "http://[::1]:80"),
        ("192.0.2.1", "http://192.0.2.1:80"),
    ],
)
def test_addresses_are_those_that_one_can_connect_to(host: str, expected: str) -> None:
    assert url("http", host, 80) == expected


def test_the_registry_may_be_on_another_machine() -> None:
    settings = load_settings(None, [Override.parse("relay.host=192.0.2.1")])
    assert registry_url(settings) == "http://192.0.2.1:8080"


def test_back_off_doubles_up_to_30_s() -> None:
    assert [back_off_s(deaths) for deaths in range(8)] == [1, 1, 2, 4, 8, 16, 30, 30]
    assert back_off_s(10**6) == 30
