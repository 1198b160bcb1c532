"""What the live server gets of the history service, which runs as a process over segments of a few records."""

import contextlib
import random
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import history as service
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from live import Registry, free_port
from segments import SCHEMA, START, record, write_segment

from speeddata.stripchart.history import BUCKETS_MAX, History, HistoryError, Samples, Span, bucket_for

MS = 1_000_000
S = 1_000_000_000
BEGIN = START // S * S
FIELDS = ("counter", "voltage")
STATES = ("OFF", "ON", "BROKEN")
WITH_STATE = {
    **SCHEMA,
    "fields": [
        *SCHEMA["fields"],
        {"name": "state", "type": {"type": "enum", "name": "s", "symbols": STATES}},
    ],
}
WITH_LOAD = {**SCHEMA, "fields": [*SCHEMA["fields"], {"name": "load", "type": ["null", "double"]}]}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A minute of a slow channel, ten a second; ten seconds of a fast one, two thousand a second."""
    folder, chance = tmp_path_factory.mktemp("archive"), random.Random(3)
    for name, count, step in (("slow", 600, 100 * MS), ("fast", 20_000, MS // 2)):
        rows = [record(n, BEGIN + n * step, voltage=chance.gauss(0, 1)) for n in range(count)]
        write_segment(folder / name, [rows[:1000], rows[1000:]] if count > 1000 else [rows])
    loads = [record(n, BEGIN + n * MS, load=float(n) if n in (100, 900) else None) for n in range(1000)]
    write_segment(folder / "sparse", [loads], schema=WITH_LOAD)
    states = [record(n, BEGIN + n * MS, state=STATES[n // 7 % 2 + n // 700]) for n in range(1000)]
    write_segment(folder / "states", [states], schema=WITH_STATE)
    return folder


@pytest.fixture(scope="module")
def history(archive: Path) -> Iterator[History]:
    with contextlib.closing(Registry()) as registry, service.running(archive) as running:
        address = urlsplit(running.address)
        registry.services["pivot"] = {"host": address.hostname, "port": address.port}
        with contextlib.closing(History(registry.url)) as opened:
            yield opened


def voltages(name: str, count: int) -> np.ndarray:
    chance = random.Random(3)
    drawn = {"slow": [chance.gauss(0, 1) for _ in range(600)]}
    drawn["fast"] = [chance.gauss(0, 1) for _ in range(20_000)]
    return np.array(drawn[name][:count])


def test_few_records_come_as_they_are(history: History) -> None:
    got = history.fetch(Span("slow", FIELDS, BEGIN + 5 * S, BEGIN + 65 * S, 20 * MS))
    assert ((got.times - BEGIN) // (100 * MS)).tolist() == list(range(50, 600))
    assert got.values[0].tolist() == list(range(50, 600))
    assert got.values[1].tolist() == voltages("slow", 600)[50:].tolist()
    assert (got.start_ns, got.end_ns) == (BEGIN + 5 * S, BEGIN + 65 * S)
    assert (got.ends - got.begins).tolist() == [1] * 550


@pytest.mark.parametrize(("bucket_ms", "fields"), [(20, FIELDS), (160, ("voltage",))])
def test_many_records_come_as_extremes_of_buckets(
    history: History, bucket_ms: int, fields: tuple[str, ...]
) -> None:
    got = history.fetch(Span("fast", fields, BEGIN + 3 * MS, BEGIN + 5 * S, bucket_ms * MS))
    per_bucket = bucket_ms * 2
    count = -(-5000 // bucket_ms)
    expected = voltages("fast", count * per_bucket).reshape(count, per_bucket)
    assert got.values[-1][::2].tolist() == expected.min(axis=1).tolist()
    assert got.values[-1][1::2].tolist() == expected.max(axis=1).tolist()
    assert ((got.begins - BEGIN) // (bucket_ms * MS)).tolist() == [n // 2 for n in range(2 * count)]
    assert (got.times - got.begins).tolist() == [bucket_ms * MS // 2] * 2 * count
    assert (got.start_ns, got.end_ns) == (BEGIN, BEGIN + count * bucket_ms * MS)


def test_enums_come_as_the_places_of_their_symbols(history: History) -> None:
    span = Span("states", ("voltage", "state"), BEGIN, BEGIN + 50 * MS, MS, {"state": STATES})
    got = history.fetch(span)
    assert got.values.tolist() == [[n / 4 for n in range(50)], [n // 7 % 2 for n in range(50)]]
    got = history.fetch(Span("states", ("voltage", "state"), BEGIN, BEGIN + S, 100 * MS, {"state": STATES}))
    assert got.values[0].tolist() == [n / 4 for low in range(0, 1000, 100) for n in (low, low + 99)]
    ends = [n for low in range(0, 1000, 100) for n in (low, low + 99)]
    assert got.values[1].tolist() == [n // 7 % 2 + n // 700 for n in ends], "the first and the last"
    alone = history.fetch(Span("states", ("state",), BEGIN, BEGIN + S, 100 * MS, {"state": STATES}))
    assert alone.values.tolist() == [got.values[1].tolist()]


def test_long_spans_come_in_pieces(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    spans = [
        Span("fast", FIELDS, BEGIN, BEGIN + 10 * S, 20 * MS),
        Span("slow", FIELDS, BEGIN, BEGIN + 60 * S, MS),
    ]
    whole = [history.fetch(span) for span in spans]
    monkeypatch.setattr("speeddata.stripchart.history._PIECE_VALUES", 150)
    for span, expected in zip(spans, whole, strict=True):
        assert history.fetch(span).is_like(expected)


def test_of_nothing_there_is_nothing(history: History) -> None:
    got = history.fetch(Span("slow", FIELDS, BEGIN - 60 * S, BEGIN, 20 * MS))
    assert (len(got.times), got.values.shape) == (0, (2, 0))


def test_what_cannot_be_had_is_one_kind_of_error(history: History) -> None:
    with pytest.raises(HistoryError, match="no history of nothing: HTTPError: 404"):
        history.fetch(Span("nothing", FIELDS, BEGIN, BEGIN + S, MS))
    with pytest.raises(HistoryError, match="404"):
        history.fetch(Span("slow", ("other",), BEGIN, BEGIN + S, MS))
    with contextlib.closing(Registry()) as registry, contextlib.closing(History(registry.url)) as other:
        for pivot in (None, {"host": "127.0.0.1", "port": free_port()}):
            registry.services["pivot"] = pivot
            with pytest.raises(HistoryError):
                other.fetch(Span("slow", FIELDS, BEGIN, BEGIN + S, MS))


@given(st.integers(1, 600 * S), st.integers(1, 2000), st.integers(1, S))
def test_buckets_are_bounded(length: int, fields: int, bucket: int) -> None:
    width = bucket_for(Span("c", ("f",) * fields, 0, length, bucket))
    assert length // width <= BUCKETS_MAX
    assert 2 * fields * (length // width) <= 10**6
    assert width % bucket == 0
    assert (width // bucket).bit_count() == 1


def samples(start: int, end: int, *begins: int, width: int = 1) -> Samples:
    at = np.array(begins, np.int64)
    return Samples(start, end, at, at + width, at[None] * 1.0)


def test_a_later_answer_takes_the_place_of_what_it_covers() -> None:
    first = samples(0, 100, 5, 20, 40, 60)
    both = first.with_(samples(40, 120, 40, 80))
    assert (both.begins.tolist(), both.start_ns, both.end_ns) == ([5, 20, 40, 80], 0, 120)
    older = first.with_(samples(-60, 20, -60, -40, -20, 0, width=20))
    assert (older.begins.tolist(), older.ends.tolist()) == (
        [-60, -40, -20, 0, 20, 40, 60],
        [-40, -20, 0, 20, 21, 41, 61],
    )
    assert older.values.tolist() == [older.begins.tolist()]
    assert first.until(40).begins.tolist() == [5, 20]
    assert older.until(10).begins.tolist() == [-60, -40, -20]
    assert first.shifted(7).begins.tolist() == [12, 27, 47, 67]


def test_where_most_values_are_null_all_is_in_the_buckets(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nulls do not count: there are more records than were counted."""
    monkeypatch.setattr("speeddata.stripchart.history.BUCKETS_MAX", 10)
    monkeypatch.setattr("speeddata.stripchart.history._PIECE_VALUES", 60)
    got = history.fetch(Span("sparse", ("load",), BEGIN, BEGIN + S, 20 * MS))
    assert np.unique(got.values[~np.isnan(got.values)]).tolist() == [100.0, 900.0]
