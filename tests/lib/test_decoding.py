import numpy as np
import pytest
import segments as made

from speeddata.decoding import Decoding, Wanted, entry_array
from speeddata.segment import Segment


def wanted(segment, place=0):
    return Wanted(segment, entry_array(segment.entries), place)


def split(monkeypatch, part):
    """Let parts have so many records."""
    monkeypatch.setattr("speeddata.decoding.PART", part)
    monkeypatch.setattr("speeddata.decoding.LEAST", part)


@pytest.mark.parametrize("part", [1, 5, 1 << 16])
@pytest.mark.parametrize("codec", ["null", "deflate", "zstandard"])
def test_blocks_are_decoded_in_their_order_however_they_are_split(tmp_path, monkeypatch, part, codec):
    split(monkeypatch, part)
    path = made.write_segment(
        tmp_path / "example", [made.records(3, n) for n in range(0, 30, 3)], codec=codec
    )
    with Segment(path) as segment:
        decoding = Decoding(segment.head.plan, [wanted(segment, 7)], ["counter", "message"], True)
        times, ranks, columns, damages = decoding.take(None)
    assert times.tolist() == [made.START + n * 10**6 for n in range(30)]
    assert columns["counter"].tolist() == list(range(30))
    assert columns["message"].tolist() == [f"m{n}" for n in range(30)]
    assert (np.diff(ranks) > 0).all()
    assert ranks[0] == 7 << 32
    assert damages == []


@pytest.mark.parametrize("part", [1, 1 << 16])
def test_damaged_blocks_are_left_out_with_their_rows(tmp_path, monkeypatch, part):
    split(monkeypatch, part)
    path = made.write_segment(tmp_path / "example", [made.records(3, n) for n in range(0, 30, 3)])
    data = bytearray(path.read_bytes())
    data[data.index(b"m13")] ^= 1
    path.write_bytes(data)
    with Segment(path) as segment:
        decoding = Decoding(segment.head.plan, [wanted(segment)], ["counter", "message"], False)
        times, ranks, columns, damages = decoding.take(None)
    left = [n for n in range(30) if n not in (12, 13, 14)]
    assert columns["counter"].tolist() == left
    assert columns["message"].tolist() == [f"m{n}" for n in left]
    assert len(times) == len(left)
    assert ranks is None
    assert [(damage.records, damage.reason) for damage in damages] == [(3, "checksum")]


def test_what_is_cancelled_is_not_at_work_any_more(tmp_path, monkeypatch):
    split(monkeypatch, 1)
    path = made.write_segment(tmp_path / "example", [made.records(1, n) for n in range(50)])
    with Segment(path) as segment:
        decoding = Decoding(segment.head.plan, [wanted(segment)], ["counter"], False)
        decoding.cancel()
        assert all(future.done() for future in decoding._futures)


def test_check_is_called_while_it_waits(tmp_path, monkeypatch):
    split(monkeypatch, 1)
    path = made.write_segment(tmp_path / "example", [made.records(1, n) for n in range(5)])
    calls: list[int] = []
    with Segment(path) as segment:
        Decoding(segment.head.plan, [wanted(segment)], [], False).take(lambda: calls.append(1))
    assert len(calls) == 6


@pytest.mark.parametrize(
    ("blocks", "threads", "parts"),
    [
        ([3] * 10, 2, [15, 15]),
        ([10] * 7, 2, [20, 20, 20, 10]),
        ([10, 1, 1], 2, [10, 2]),
        ([1, 1, 1], 8, [3]),
        ([40, 2], 4, [40, 2]),
        ([], 2, []),
    ],
)
def test_threads_have_about_as_much_to_do(tmp_path, monkeypatch, blocks, threads, parts):
    monkeypatch.setattr("speeddata.decoding.THREADS", threads)
    monkeypatch.setattr("speeddata.decoding.PART", 20)
    monkeypatch.setattr("speeddata.decoding.LEAST", 5)
    path = made.write_segment(tmp_path / "example", [made.records(count) for count in blocks])
    with Segment(path) as segment:
        decoding = Decoding(segment.head.plan, [wanted(segment)], ["counter"], False)
        decoding.take(None)
        assert [part.filled for part in decoding._parts] == parts
        assert [part.row for part in decoding._parts] == [sum(parts[:n]) for n in range(len(parts))]
