import pytest
import requests
from dialect_world import world

DATA = [
    {"time": "2020-07-12T00:01:34Z", "metric": "temp", "value": 22.7},
    {"time": "2020-07-12T00:01:34.735568Z", "metric": "temp", "value": 19.7},
    {"time": "2020-07-12T00:06:34Z", "metric": "temp", "value": 20},
    {"time": "2020-07-12T00:01:34Z", "metric": "device", "value": "b8:27:eb:bf:9d:51"},
    {"time": "2020-07-12T00:02:34Z", "metric": "device", "value": "00:0f:00:70:91:0a"},
    {"time": "2020-07-12T00:03:00Z", "metric": "mixed", "value": 1.5},
    {"time": "2020-07-12T00:03:01Z", "metric": "mixed", "value": "broken"},
]
LONG = "a metric of " + 10 * "many words and umläuts "
RANGE = {"start_time": "2020-07-12T00:00:00Z", "end_time": "2020-07-12T23:59:59Z"}


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with world(tmp_path_factory.mktemp("metrics")) as running:
        answer = running.post("/ingest", {"data": DATA})
        assert answer.json() == {"message": "Successfully ingested 7 data points", "ingested_count": 7}
        yield running


def query(running, metric="temp", **more):
    return running.post("/query", {"metric": metric, **RANGE, **more})


def values(answer):
    assert answer.status_code == 200, answer.text
    return [(row["time"], row["value"]) for row in answer.json()]


def test_values(running):
    assert values(query(running)) == [
        ("2020-07-12T00:01:34.000000Z", 22.7), ("2020-07-12T00:01:34.735568Z", 19.7), ("2020-07-12T00:06:34.000000Z", 20.0),
    ]  # fmt: skip
    assert values(query(running, "device")) == [
        ("2020-07-12T00:01:34Z", "b8:27:eb:bf:9d:51"), ("2020-07-12T00:02:34Z", "00:0f:00:70:91:0a"),
    ]  # fmt: skip
    assert [value for _, value in values(query(running, "mixed"))] == [1.5, "broken"]


def test_ends_are_included(running):
    ends = {"start_time": "2020-07-12T00:01:34Z", "end_time": "2020-07-12T00:06:34Z"}
    assert len(values(query(running, **ends))) == 3
    assert values(query(running, start_time="2021-01-01", end_time="2020-01-01")) == []


@pytest.mark.parametrize(
    ("aggregation", "first"), [("avg", 21.2), ("sum", 42.4), ("min", 19.7), ("max", 22.7), ("count", 2)]
)
def test_aggregates(running, aggregation, first):
    rows = values(query(running, aggregation=aggregation, interval="5 minutes"))
    assert rows[0] == ("2020-07-12T00:00:00Z", pytest.approx(first))
    assert rows[1][0] == "2020-07-12T00:05:00Z"


INTERVALS = {
    "1 second": "2020-07-12T00:01:34Z", "5 seconds": "2020-07-12T00:01:30Z", "30 seconds": "2020-07-12T00:01:30Z",
    "1 minute": "2020-07-12T00:01:00Z", "30 minutes": "2020-07-12T00:00:00Z", "12 hours": "2020-07-12T00:00:00Z",
    "1 day": "2020-07-12T00:00:00Z", "7 days": "2020-07-06T00:00:00Z", "1 month": "2020-07-01T00:00:00Z",
    "1 hours": "2020-07-12T00:00:00Z",
}  # fmt: skip


@pytest.mark.parametrize("interval", INTERVALS)
def test_intervals(running, interval):
    assert values(query(running, aggregation="max", interval=interval))[0] == (INTERVALS[interval], 22.7)


def test_one_without_the_other(running):
    assert values(query(running, aggregation="count")) == [("2020-07-12T00:00:00Z", 3)]
    assert values(query(running, interval="1 day")) == [("2020-07-12T00:00:00Z", pytest.approx(20.8))]


@pytest.mark.parametrize(
    ("metric", "more", "status", "detail"),
    [
        ("nosuch", {}, 404, "Metric 'nosuch' not found"),
        ("temp", {"aggregation": "avg", "interval": "2 minutes"}, 400, "Invalid interval. Allowed intervals: ['1 second', '5 seconds'"),
        ("temp", {"interval": 5}, 400, "Invalid interval."),
        ("device", {"aggregation": "avg", "interval": "1 hour"}, 400, "Aggregation is only supported for numeric metrics"),
    ],
)  # fmt: skip
def test_errors(running, metric, more, status, detail):
    answer = query(running, metric, **more)
    assert answer.status_code == status
    assert answer.json()["detail"].startswith(detail)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ([], "body"), ({}, "metric"), ({"metric": "temp", "start_time": "2020-01-01"}, "end_time"),
        ({"metric": 5, **RANGE}, "metric"), ({"metric": "", **RANGE}, "metric"), ({"metric": "x" * 256, **RANGE}, "metric"),
        ({"metric": "temp", **RANGE, "start_time": "soon"}, "start_time"), ({"metric": "temp", **RANGE, "aggregation": "p99"}, "aggregation"),
    ],
)  # fmt: skip
def test_wrong_bodies(running, body, field):
    answer = running.post("/query", body)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", field]


@pytest.mark.parametrize(
    ("item", "field"),
    [
        ("x", "data.0"), ({"time": "2020-01-01", "value": 1}, "data.0.metric"), (DATA[0] | {"metric": ""}, "data.0.metric"),
        (DATA[0] | {"metric": "x" * 256}, "data.0.metric"), (DATA[0] | {"value": None}, "data.0.value"),
        (DATA[0] | {"value": [1]}, "data.0.value"), (DATA[0] | {"value": True}, "data.0.value"), (DATA[0] | {"time": 5}, "data.0.time"),
    ],
)  # fmt: skip
def test_wrong_points(running, item, field):
    written = running.store.written
    answer = running.post("/ingest", {"data": [item, DATA[0] | {"metric": "other"}]})
    assert answer.status_code == 422
    assert ".".join(answer.json()["detail"][0]["loc"]) == f"body.{field}"
    assert running.store.written == written


def test_metrics_are_told_by_their_data(running):
    running.post("/ingest", {"data": [DATA[0] | {"metric": LONG, "time": "1999-12-31T23:59:59Z"}]})
    found = {one.pop("name"): one for one in running.told("/metrics")}
    assert found["temp"] == {
        "first_seen": "2020-07-12T00:01:34Z", "last_seen": "2020-07-12T00:06:34Z", "value_type": "number",
    }  # fmt: skip
    assert (found["device"]["value_type"], found["mixed"]["value_type"]) == ("string", "number")
    assert found[LONG]["first_seen"] == "1999-12-31T23:59:59Z"
    assert values(
        running.post("/query", {"metric": LONG, "start_time": "1999-01-01", "end_time": "2000-01-01"})
    ) == [("1999-12-31T23:59:59Z", 22.7)]


def test_metrics_are_sorted_and_no_sensors(running):
    running.post("/ingest", [{"sensor_id": "temp", "timestamp": "2020-07-12T00:00:00Z", "value": 99}])
    names = [one["name"] for one in running.told("/metrics")]
    assert names == sorted(names)
    assert names.count("temp") == 1
    assert len(values(query(running))) == 3


def test_a_late_value_counts_at_once(running):
    for count, stamp in enumerate(("2020-01-02T00:00:00Z", "2020-01-01T00:00:00Z"), 1):
        running.post("/ingest", {"data": [{"time": stamp, "metric": "late", "value": count}]})
        found = {one["name"]: one for one in running.told("/metrics")}["late"]
        assert found["first_seen"] == stamp
    assert values(query(running, "late", start_time="2020-01-01", aggregation="count")) == [
        ("2020-01-01T00:00:00Z", 2)
    ]


def test_prometheus_is_told_where_to_go(running):
    media = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"

    answer = requests.get(f"{running.service.address}/metrics", headers={"accept": media}, timeout=60)
    assert answer.status_code == 406


def test_a_thousand_metrics_in_one_batch(running):
    data = [
        {"time": f"2021-01-01T00:00:0{n % 3}Z", "metric": f"load.{n % 1000}", "value": n} for n in range(3000)
    ]
    before = memory_kb(running)
    assert running.post("/ingest", {"data": data}).json()["ingested_count"] == 3000
    found = [one for one in running.told("/metrics") if one["name"].startswith("load.")]
    assert len(found) == 1000
    assert memory_kb(running) - before < 100_000
    rows = values(query(running, "load.999", start_time="2021-01-01", end_time="2021-01-02"))
    assert [value for _, value in rows] == [999, 1999, 2999]


def memory_kb(running):
    with open(f"/proc/{running.service.process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def test_health(running):
    assert running.told("/health") == {"status": "healthy", "redis": "connected", "database": "healthy"}


def test_a_repeated_query_is_answered_from_the_cache_until_data_come(running):
    def hits():
        return running.told("/cache/info")["keyspace_hits"]

    def counted():
        return values(query(running, "kept", start_time="2020-01-01", aggregation="count"))[0][1]

    point = {"time": "2020-01-05T00:00:00Z", "metric": "kept", "value": 1}
    running.post("/ingest", {"data": [point]})
    assert counted() == 1
    before = hits()
    assert counted() == 1
    assert hits() == before + 1
    running.post("/ingest", {"data": [point]})  # late, within the range
    assert counted() == 2
    assert hits() == before + 1


def test_the_cache_is_told_and_cleared(running):
    running.post("/ingest", {"data": [DATA[0] | {"metric": "one"}, DATA[0] | {"metric": "two"}]})
    for metric in ("one", "two"):
        query(running, metric)
    told = running.told("/cache/keys")
    assert told["count"] == len(told["keys"])
    assert sum("metric.one" in key for key in told["keys"]) == 1
    assert running.post("/cache/metrics/one/clear").json()["message"].endswith("1 keys")
    assert not any("metric.one" in key for key in running.told("/cache/keys")["keys"])
    assert any("metric.two" in key for key in running.told("/cache/keys")["keys"])
    assert "message" in running.post("/cache/clear").json()
    assert running.told("/cache/keys") == {"count": 0, "keys": []}
    info = running.told("/cache/info")
    assert info["status"] == "connected"
    assert {"used_memory", "connected_clients", "keyspace_hits", "keyspace_misses"} < info.keys()
