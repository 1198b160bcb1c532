import pytest
import segments as made

from speeddata.pivot.catalogue import Catalogue
from speeddata.pivot.ingest_batch import Batch
from speeddata.pivot.ingest_specs import Known, compiled
from speeddata.pivot.series import POINT, SeriesBook, batch_of
from speeddata.pivot.series_names import channel_of, label
from speeddata.schema import Schema

PLAIN = {
    **POINT,
    "fields": [{"name": "time", "type": "long", "logicalType": "timestamp-nanos"}, *POINT["fields"][1:]],
}


def write(folder, channel, *rows, schema=PLAIN, start=made.START):
    points = [{"time": time, "value": value, "text": text} for time, value, text in rows]
    made.write_segment(folder / channel, [points], schema, start=start)


def encoded(batch: Batch):
    known = {}
    for part in batch.parts:
        plan = compiled(part.schema.text.encode(), part.schema.time_unit)
        known[part.channel] = Known(part.channel, {}, plan, plan.schema.time_unit)
    return {ready.channel: ready for ready in batch.encode(known)}


def test_points_become_a_part_for_each_series():
    batch = batch_of("metric", [("a", 5, 1.5), ("b c", 6, "x"), ("a", 4, "broken")])
    ready = encoded(batch)
    assert {name: one.count for name, one in ready.items()} == {"metric.a": 2, "metric.b-20c": 1}
    assert made.decode(POINT | {"fields": PLAIN["fields"]}, ready["metric.a"].data) == [
        {"time": 5, "value": 1.5, "text": None}, {"time": 4, "value": None, "text": "broken"}
    ]  # fmt: skip
    assert all(part.config == {"live": False} for part in batch.parts)


def test_a_cut_name_is_in_the_schema():
    (part,) = batch_of("sensor", [("x" * 100, 5, 1.0)]).parts
    assert part.schema.json == Schema.parse(label(POINT, "x" * 100)).json
    assert part.schema.fingerprint == Schema.parse(POINT).fingerprint


@pytest.fixture
def book(tmp_path):
    write(tmp_path, "metric.a", (5, 1.5, None), (7, None, "x"))
    write(tmp_path, "metric.b", (5, None, "x"), (5, 2.0, None))
    write(tmp_path, "sensor.a", (5, 1.5, None))
    write(tmp_path, channel_of("metric", "y" * 99), (9, 1.0, None), schema=label(PLAIN, "y" * 99))
    (tmp_path / "metric.empty").mkdir()
    (tmp_path / "metric.odd-name").mkdir()
    made.write_segment(tmp_path / "metric.other", [made.records(3)])
    (tmp_path / "metric.link").symlink_to(tmp_path / "metric.a")
    return SeriesBook(Catalogue(tmp_path, None))


def test_series_are_found(book):
    found = {one.name: (tuple(one.span), one.numeric) for one in book.all("metric", lambda: None)}
    assert found == {
        "a": ((5, 7), True), "b": ((5, 5), False), "y" * 99: ((9, 9), True),
        "other": ((made.START, made.START + 2_000_000), False),
    }  # fmt: skip
    assert [one.name for one in book.all("sensor", lambda: None)] == ["a"]


def test_one_series(book):
    assert book.find("metric", "a").channel == "metric.a"
    for name in ("empty", "nosuch", "link", "z" * 99):
        assert book.find("metric", name) is None


def test_what_was_found_is_found_anew_when_older_records_come(book, tmp_path):
    assert book.find("metric", "a").numeric
    write(tmp_path, "metric.a", (1, None, "older"), start=made.START + 10**9)
    found = book.find("metric", "a")
    assert (found.span.oldest_ns, found.numeric) == (1, False)
