"""The decimator: records N, 2N, 3N; buckets by count and by record time; slow channels pass whole."""

import struct
import time

import pytest
from line import NUMBERED, chunks, drain, make_spec, numbered, running, subscribe, wait_until

from speeddata.plan import Plan
from speeddata.schema import Schema

PLAN = Plan(Schema.parse(NUMBERED))
MS = 1_000_000


def sequence(packet):
    length, _, number = PLAN.walk(packet)
    assert length == len(packet), "a decimated packet holds one record"
    return number


def value(packet):
    (number,) = struct.unpack("<d", packet[-8:])
    return number


@pytest.mark.parametrize("records_per_packet", [1, 7])
def test_downsample_sends_every_nth_record(tmp_path, records_per_packet):
    spec = make_spec(tmp_path, decimation={"algorithm": "downsample", "factor": 10, "rate_hz": None})
    with subscribe(**spec["multicast"]["decimated"]) as subscriber, running(spec) as line:
        line.send(*chunks([numbered(n) for n in range(1, 2101)], records_per_packet))
        line.wait(records=2100, decimated=210)
        assert [sequence(p) for p in drain(subscriber)] == list(range(10, 2101, 10))


def test_no_decimation_passes_every_record(tmp_path):
    spec = make_spec(tmp_path, decimation={"enabled": False})
    packets = [numbered(n) for n in range(500)]
    with subscribe(**spec["multicast"]["decimated"]) as subscriber, running(spec) as line:
        line.send(*packets)
        line.wait(decimated=500)
        assert drain(subscriber) == packets


def test_minmax_by_count_and_the_partial_bucket_after_silence(tmp_path):
    spec = make_spec(tmp_path, decimation={"algorithm": "minmax", "factor": 100, "rate_hz": None})
    with subscribe(**spec["multicast"]["decimated"]) as subscriber, running(spec) as line:
        line.send(*(numbered(n, float(n % 100)) for n in range(250)))
        line.wait(decimated=6)
        packets = drain(subscriber)
        assert [sequence(p) for p in packets] == [99, 99, 199, 199, 249, 249]
        assert [value(p) for p in packets] == [0.0, 99.0, 0.0, 99.0, 0.0, 49.0]


def test_minmax_by_record_time(tmp_path):
    spec = make_spec(tmp_path, decimation={"algorithm": "minmax", "factor": None, "rate_hz": 50.0})
    start = 1_700_000_000_000 * MS
    with subscribe(**spec["multicast"]["decimated"]) as subscriber, running(spec) as line:
        # 1,000 records a second of record time, sent all at once: 20 a bucket.
        line.send(*chunks([numbered(n, float(n), start + n * MS) for n in range(200)], 50))
        line.wait(decimated=20)
        packets = drain(subscriber)
        assert [sequence(p) for p in packets] == [n for k in range(10) for n in [20 * k + 19] * 2]
        assert [value(p) for p in packets] == [v for k in range(10) for v in (20.0 * k, 20.0 * k + 19)]


def test_a_slow_channel_passes_whole_and_at_once(tmp_path):
    spec = make_spec(tmp_path)
    with subscribe(**spec["multicast"]["decimated"]) as subscriber, running(spec) as line:
        start = time.time_ns() - 10**12
        for n in range(5):
            packet = numbered(n, 1.0, start + n * 100 * MS)
            line.send(packet)
            wait_until(lambda n=n: line.stats["decimated"] == n + 1, "the record on its way", limit_s=10)
            assert drain(subscriber) == [packet]


def test_a_record_a_little_late_joins_the_bucket(tmp_path):
    spec = make_spec(tmp_path)
    start = 1_700_000_000_000 * MS
    with subscribe(**spec["multicast"]["decimated"]) as subscriber, running(spec) as line:
        line.send(b"".join(numbered(n, float(n), start + t * MS) for n, t in enumerate([0, 21, 5, 22, 41])))
        line.wait(decimated=4)
        assert [value(p) for p in drain(subscriber)] == [0.0, 1.0, 3.0, 4.0]


def test_a_clock_that_stands_still_does_not_hold_the_stream(tmp_path):
    with running(make_spec(tmp_path)) as line:
        line.send(*(numbered(n, float(n), 10**18) for n in range(10)))
        line.wait(decimated=2)


def test_a_wide_bucket_waits_for_its_end(tmp_path):
    """Ten seconds of record time a bucket, a record each 0.2 s: nothing is sent while they come."""
    spec = make_spec(tmp_path, decimation={"algorithm": "minmax", "factor": None, "rate_hz": 0.1})
    with subscribe(**spec["multicast"]["decimated"]) as subscriber, running(spec) as line:
        for n in range(8):
            line.send(numbered(n, float(n), 10**18 + n * 200 * MS))
            wait_until(lambda n=n: line.stats["archived"] > n)
            time.sleep(0.2)  # the rate of the source
        assert line.stats["decimated"] == 0
        line.wait(decimated=2)
        assert [value(p) for p in drain(subscriber)] == [0.0, 7.0]


def test_what_is_left_is_sent_at_the_end(tmp_path):
    spec = make_spec(tmp_path, decimation={"algorithm": "minmax", "factor": 1000, "rate_hz": None})
    with running(spec) as line:
        line.send(*(numbered(n, float(n)) for n in range(10)))
        line.wait(packets=10)
        assert line.stop()["decimated"] == 2


@pytest.mark.parametrize(
    ("algorithm", "wanted"), [("average", [49.5, 49.5, 24.5]), ("rms", [57.3, 57.3, 28.4])]
)
def test_average_and_rms_send_one_packet_a_bucket(tmp_path, algorithm, wanted):
    spec = make_spec(tmp_path, decimation={"algorithm": algorithm, "factor": 100, "rate_hz": None})
    with subscribe(**spec["multicast"]["decimated"]) as subscriber, running(spec) as line:
        line.send(*(numbered(n, float(n % 100)) for n in range(250)))
        line.wait(decimated=3)
        packets = drain(subscriber)
        assert [sequence(p) for p in packets] == [99, 199, 249]
        assert [value(p) for p in packets] == pytest.approx(wanted, abs=0.05)
