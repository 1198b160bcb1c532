from datetime import datetime, timedelta

import history
import pytest
import requests
import segments as made

SCHEMA = {
    "type": "record",
    "name": "frequency",
    "fields": [
        {"name": "time", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "note", "type": "string"},
        {"name": "frequency", "type": ["null", "double"]},
        {"name": "voltage", "type": "double"},
    ],
}
BEGIN = 1704103200_000  # 2024-01-01T10:00:00Z
TABLE = "swissgrid_frequency_data"


def row(second, frequency=50.0):
    return {"time": BEGIN + int(second * 1000), "note": "", "frequency": frequency, "voltage": 1.0}


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archive")
    made.write_segment(
        folder / TABLE,
        [[row(30 * n) for n in range(at, at + 961)] for at in range(0, 8641, 961)],
        SCHEMA,
        unit="ms",
    )
    made.write_segment(folder / "fast", [[row(n, 50 + n / 4) for n in range(6)]], SCHEMA, unit="ms")
    made.write_segment(folder / "holed", [[row(0, None), row(0.5, 49.99), row(1, 50.01)]], SCHEMA, unit="ms")
    made.write_segment(
        folder / "words",
        [[{"time": BEGIN, "note": "x"}]],
        {**SCHEMA, "fields": SCHEMA["fields"][:2]},
        unit="ms",
    )
    made.write_segment(
        folder / "long",
        [[row(n) for n in range(at, at + 10_000)] for at in range(0, 120_000, 10_000)],
        SCHEMA,
        unit="ms",
    )
    (folder / "empty").mkdir()
    with history.running(folder) as service:
        yield service


def get(service, path, start="2024-01-01T10:00:00Z", end="2024-01-01T10:01:00Z", **more):
    given = {"start_time": start, "end_time": end, **more}
    query = {name: value for name, value in given.items() if value is not None}
    return requests.get(service.address + path, params=query, timeout=60)


def test_a_minute_at_30_s_has_three_rows(service):
    answer = get(service, f"/data/raw/{TABLE}")
    assert answer.text == (
        '[{"timestamp":"2024-01-01T10:00:00Z","frequency":50},{"timestamp":"2024-01-01T10:00:30Z","frequency":50},'
        '{"timestamp":"2024-01-01T10:01:00Z","frequency":50}]'
    )
    assert answer.headers["content-type"] == "application/json"


def test_three_days_at_30_s_have_8641_rows(service):
    days = {"start": "2024-01-01T10:00:00Z", "end": "2024-01-04T10:00:00Z"}
    assert len(get(service, f"/data/raw/{TABLE}", **days).json()) == 8641
    assert len(get(service, f"/data/aggregated/{TABLE}", resolution="30s", **days).json()) == 8641
    rows = get(service, f"/data/aggregated/{TABLE}", **days).json()  # of 15 minutes
    assert len(rows) == 3 * 96 + 1
    assert rows[1] == {"timestamp": "2024-01-01T10:15:00Z", "frequency": 50}


def test_five_seconds_at_1_s_have_six_rows(service):
    rows = get(service, "/data/aggregated/fast", end="2024-01-01T10:00:05Z", resolution="1s").json()
    assert [row["frequency"] for row in rows] == [50, 50.25, 50.5, 50.75, 51, 51.25]


def test_buckets_are_whole_however_many_there_are(service):
    span = {"start": "2024-01-01T10:00:00Z", "end": "2024-01-02T19:19:59Z"}
    rows = get(service, "/data/aggregated/long", resolution="1s", **span).json()
    times = [datetime.fromisoformat(row["timestamp"]) for row in rows]
    assert times == [
        datetime.fromisoformat("2024-01-01T10:00:00Z") + timedelta(seconds=n) for n in range(120_000)
    ]
    raw = get(service, "/data/raw/long", **span).json()
    assert raw == rows
    assert len(get(service, "/data/aggregated/long", resolution="1ms", **span).json()) == 120_000
    days = get(service, "/data/aggregated/long", resolution="1d", **span).json()
    assert [row["timestamp"] for row in days] == ["2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z"]


def test_rows_without_a_number_are_left_out(service):
    assert get(service, "/data/raw/holed").json() == [
        {"timestamp": "2024-01-01T10:00:00.500Z", "frequency": 49.99},
        {"timestamp": "2024-01-01T10:00:01.000Z", "frequency": 50.01},
    ]


@pytest.mark.parametrize("kind", ["raw", "aggregated"])
@pytest.mark.parametrize(
    ("table", "query", "status", "detail"),
    [
        (TABLE, {"start": "soon"}, 400, "Invalid date format. Use ISO 8601"),
        (
            TABLE,
            {"start": "2025-01-01", "end": "2025-01-02"},
            404,
            "No data found for the specified time range.",
        ),
        (
            TABLE,
            {"start": "2024-01-02", "end": "2024-01-01"},
            404,
            "No data found for the specified time range.",
        ),
        ("empty", {}, 404, "No data found for the specified time range."),
        ("nosuch", {}, 422, "There is no such channel"),
        ("words", {}, 422, "The channel has no signal that is a number"),
        (TABLE, {"start": None}, 422, "Field required"),
        (TABLE, {"end": None}, 422, "Field required"),
    ],
)
def test_errors(service, kind, table, query, status, detail):
    answer = get(service, f"/data/{kind}/{table}", **query)
    assert answer.status_code == status
    told = answer.json()["detail"]
    if status == 422:
        assert told[0]["msg"] == detail
        assert told[0]["loc"][1] in ("table", "start_time", "end_time")
    else:
        assert told.startswith(detail)
        assert answer.json()["error"] == told


def test_resolutions(service):
    assert get(service, f"/data/aggregated/{TABLE}", resolution="2s").status_code == 422
    for resolution in ("1ms", "15s", "1m", "5m", "10m", "30m", "1h", "6h", "1d"):
        assert get(service, f"/data/aggregated/{TABLE}", resolution=resolution).ok


def test_a_plus_that_is_lost(service):
    assert len(get(service, f"/data/raw/{TABLE}", start="2024-01-01T11:00:00 01:00").json()) == 3
