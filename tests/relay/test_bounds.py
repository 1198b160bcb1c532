"""What is bounded in the mapping, and used again while somebody may still look at it: the quarantine ring, the ring of blocks."""

import contextlib
import random
import threading

import fastavro
from line import Line, drain, encode, make_spec, subscribe, wait_until

from speeddata.relay.quarantine import Quarantine

RING = 262_144  # bytes of refused packets on their way to the file
WARM = 32  # blocks that are used in turn while the writer keeps up
OLD_BLOCKS = 100
LONG = {
    "type": "record",
    "name": "speeddata.test.long",
    "fields": [
        {"name": "time", "type": "long", "logicalType": "timestamp-nanos"},
        {"name": "n", "type": "long"},
        {"name": "text", "type": "string"},
    ],
}


def test_refused_packets_that_find_no_room_are_missed_and_the_others_are_filed_as_they_came(tmp_path):
    seeded = random.Random(1)
    packets = [b"\xff" * 10 + seeded.randbytes(4990) for _ in range(100)]
    line = Line(make_spec(tmp_path, quarantine_bytes=10 << 20)).start()
    try:
        for packet in packets:
            line.send(packet)
        wait_until(lambda: sum(line.stats["rejected"].values()) == len(packets))
        missed = line.stats["quarantine_missed"]
        stats = line.stop()
        assert stats["quarantined"] + missed == len(packets)
        assert RING - 5100 < stats["quarantined"] * 5000 <= RING
        with (line.folder / "quarantine.avro").open("rb") as file:
            assert [one["packet"] for one in fastavro.reader(file)] == packets[: stats["quarantined"]]
    finally:
        line.close()


def test_a_link_that_is_put_in_the_place_of_the_quarantine_file_is_not_followed(tmp_path):
    packet = (10**18, 0x7F000001, 4000, 3, 0, b"\x01\x02")
    ours, others = (Quarantine(tmp_path / name, 1 << 20) for name in ("a", "b"))
    for one in (ours, others):
        one.path.parent.mkdir()
        assert one.file([packet]) == 1
    held = others.path.read_bytes()
    ours.path.unlink()
    ours.path.symlink_to(others.path)
    with contextlib.suppress(OSError):
        ours.file([packet])
    assert others.path.read_bytes() == held


def test_a_decimator_that_comes_too_late_skips_what_was_written_over(tmp_path):
    """It begins when most blocks are others by now: what it sends are the records of those that still are what they were."""
    decimation = {"enabled": False, "algorithm": "minmax", "factor": None, "rate_hz": None}
    spec = make_spec(tmp_path, LONG, block_bytes=65536, ring_bytes=4 << 20, decimation=decimation)
    records = [encode(LONG, time=10**18, n=10**6 + n, text="x" * 1000) for n in range(OLD_BLOCKS * 64)]
    line = Line(spec).start("receiver", "writer")
    with subscribe(**spec["multicast"]["decimated"]) as subscriber:
        try:
            for at in range(0, len(records), 100):
                line.send(*records[at : at + 100])
                line.wait(packets=at + 100)
            line.wait(archived=len(records))
            line.threads["decimator"] = threading.Thread(target=line.relay._decimator().run)
            line.threads["decimator"].start()
            stats = line.stop()
            sent = drain(subscriber)
        finally:
            line.close()
    assert stats["decimate_skipped_blocks"] >= OLD_BLOCKS - WARM
    places = {record: n for n, record in enumerate(records)}
    order = [places[packet] for packet in sent]
    assert order == sorted(set(order)), "each once, in order"
    assert order[-1] == len(records) - 1
