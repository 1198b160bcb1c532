import pytest
from dialect_world import world

RECORDS = [
    {"sensor_id": "sensor-1", "timestamp": "2025-08-01T21:01:00Z", "value": 25.3},
    {"sensor_id": "sensor-1", "timestamp": "2025-08-01T21:15:00Z", "value": 26.7},
    {"sensor_id": "sensor-1", "timestamp": "2025-08-01T21:59:00Z", "value": 30.7},
    {"sensor_id": "sensor-1", "timestamp": "2025-08-01T22:06:00Z", "value": 12},
    {"sensor_id": "sensor-1", "timestamp": "2025-08-01T22:06:00Z", "value": 114},
    {"sensor_id": "sensor-1", "timestamp": "2025-08-01T22:30:00Z", "value": 10},
]
DAY = {"start": "2025-08-01T00:00:00Z", "end": "2025-08-02T00:00:00Z"}


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with world(tmp_path_factory.mktemp("sensors")) as running:
        answer = running.post("/ingest", RECORDS)
        assert answer.status_code == 200, answer.text
        told = answer.json()
        assert (told["status"], told["ingested"], len(set(told["msg_ids"]))) == ("ok", 6, 6)
        yield running


def test_hourly(running):
    assert running.told("/hourly", sensor_id="sensor-1") == [
        {
            "timestamp": "2025-08-01T21:00:00Z",
            "avg": 27.566666666666666,
            "min": 25.3,
            "max": 30.7,
            "samples": 3,
        },
        {"timestamp": "2025-08-01T22:00:00Z", "avg": 45.333333333333336, "min": 10, "max": 114, "samples": 3},
    ]


def test_a_range_has_both_of_two_equal_times(running):
    rows = running.told("/get_range", sensor_id="sensor-1", **DAY)["data"]
    assert [(row["timestamp"], row["value"]) for row in rows] == [
        (one["timestamp"], one["value"]) for one in RECORDS
    ]
    assert [row["id"] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert {row["sensor_id"] for row in rows} == {"sensor-1"}


def test_ends_are_included(running):
    ends = {"start": "2025-08-01T22:06:00Z", "end": "2025-08-01T22:06:00Z"}
    rows = running.told("/get_range", sensor_id="sensor-1", **ends)["data"]
    assert [row["value"] for row in rows] == [12, 114]
    assert running.told("/min", sensor_id="sensor-1", **ends) == {"min_value": 12}


def test_min(running):
    assert running.get("/min", sensor_id="sensor-1", **DAY).text == '{"min_value":10.0}'


@pytest.mark.parametrize("query", [{"sensor_id": "nosuch", **DAY}, {"sensor_id": "sensor-1", "start": "2020-01-01", "end": "2020-01-02"},
                                   {"sensor_id": "sensor-1", "start": "2026-01-01", "end": "2020-01-02"}])  # fmt: skip
def test_nothing_there(running, query):
    assert running.told("/get_range", **query) == {"data": []}
    assert running.told("/min", **query) == {"min_value": None}


def test_no_hours(running):
    assert running.told("/hourly", sensor_id="nosuch") == []


def test_hours_are_fresh_and_have_all_there_is(running):
    for stamp, value in (
        ("2001-02-03T04:05:06.5+01:00", 1.5),
        ("1969-12-31T23:59:59Z", 2),
        ("2025-08-01T21:30:00", 40),
    ):
        assert running.post("/ingest", [{"sensor_id": "far / apart", "timestamp": stamp, "value": value}]).ok
    rows = running.told("/hourly", sensor_id="far / apart")
    assert [(row["timestamp"], row["avg"], row["samples"]) for row in rows] == [
        ("1969-12-31T23:00:00Z", 2, 1), ("2001-02-03T03:00:00Z", 1.5, 1), ("2025-08-01T21:00:00Z", 40, 1),
    ]  # fmt: skip


def test_a_sensor_is_a_channel_that_is_not_live(running):
    assert (running.archive / "sensor.sensor--1").is_dir()
    assert not any(head["live"] for head in running.store.heads if head["op"] == "append")


@pytest.mark.parametrize(
    ("item", "field"),
    [
        (5, "0"), ({}, "0.sensor_id"), (RECORDS[0] | {"sensor_id": 5}, "0.sensor_id"),
        (RECORDS[0] | {"value": "x"}, "0.value"), (RECORDS[0] | {"value": True}, "0.value"),
        (RECORDS[0] | {"value": None}, "0.value"), (RECORDS[0] | {"timestamp": "soon"}, "0.timestamp"),
        (RECORDS[0] | {"timestamp": None}, "0.timestamp"), (RECORDS[0] | {"timestamp": "9999-01-01T00:00:00Z"}, "0.timestamp"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_and_nothing_kept(running, item, field):
    written = running.store.written
    answer = running.post("/ingest", [item, RECORDS[0] | {"sensor_id": "other"}])
    assert answer.status_code == 422
    assert ".".join(answer.json()["detail"][0]["loc"]) == f"body.{field}"
    assert running.store.written == written


@pytest.mark.parametrize(("path", "query"), [("/get_range", {}), ("/min", {"sensor_id": "a"}), ("/hourly", {}),
                                            ("/get_range", {"sensor_id": "a", "start": "soon", "end": "2020-01-01"})])  # fmt: skip
def test_wrong_parameters(running, path, query):
    answer = running.get(path, **query)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"][0] == "query"


def test_an_empty_list(running):
    assert running.post("/ingest", []).json() == {"status": "ok", "msg_ids": [], "ingested": 0}


def test_a_key_is_ingested_once(running):
    reading = [{"sensor_id": "once", "timestamp": "2025-01-01T00:00:00Z", "value": 1}]
    for _ in range(2):
        assert running.post("/ingest", reading, **{"idempotency-key": "k"}).ok
    assert running.told("/hourly", sensor_id="once")[0]["samples"] == 1
