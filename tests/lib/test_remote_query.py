import history
import numpy as np
import pytest
import segments as made

from speeddata.remote_error import RemoteError
from speeddata.remote_http import Service
from speeddata.remote_query import fetch, signals
from speeddata.times import format_time

COUNT = 30_000
SPAN = {"start": format_time(made.START), "end": format_time(made.START + COUNT * 1_000_000)}


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archive")
    made.write_segment(folder / "engine", [made.records(1000, n) for n in range(0, COUNT, 1000)])
    with history.running(folder) as running:
        service = Service(running.address, 30, 3)
        yield service
        service.close()


def test_all_parts_of_an_answer(service):
    channel = fetch(service, "engine", SPAN)
    assert channel.counter.tolist() == list(range(COUNT))
    assert channel.voltage.unit == "V"
    assert channel.voltage.dtype == np.float64
    assert channel.message[-1] == f"m{COUNT - 1}"
    assert channel.time_ns[1] - channel.time_ns[0] == 1_000_000
    assert channel.name == "engine"


def test_a_limit_and_a_bound(service):
    assert fetch(service, "engine", SPAN, limit=7).counter.tolist() == list(range(7))
    assert len(fetch(service, "engine", SPAN, limit=25_000)) == 25_000
    with pytest.raises(ValueError, match=r"more than 1000 records there; take a range by between"):
        fetch(service, "engine", SPAN, most=1000)


def test_aggregates_have_units(service):
    channel = fetch(
        service, "engine", SPAN | {"every": "10s", "aggregates": "avg,count", "signals": "voltage"}
    )
    assert sorted(channel.signal) == ["voltage.avg", "voltage.count"]
    assert channel["voltage.avg"].unit == "V"
    assert channel["voltage.count"].unit is None
    assert channel["voltage.count"].sum() == COUNT


def test_the_catalogue(service):
    assert {one["channel"] for one in signals(service)} == {"engine"}
    assert signals(service, ["engine"])
    with pytest.raises(RemoteError, match="404"):
        fetch(service, "nosuch", SPAN)
