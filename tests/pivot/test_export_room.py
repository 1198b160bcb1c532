import json

import pytest

from speeddata.pivot.export_room import NEAR, SIZE, Room, fitting, outcome


@pytest.mark.parametrize("between", [0, 10, NEAR - SIZE, NEAR, 3 * NEAR])
def test_what_is_told_takes_the_place_of_the_room(tmp_path, between):
    room = Room()
    told = outcome(5, [(1, 2)], [{"reason": "checksum"}])
    with (tmp_path / "x").open("w+b", buffering=0) as file:
        file.write(b"head" + room.text.encode() + b"x" * between + room.text.encode() + b"tail")
        assert room.fill(file.fileno(), told) == 2
        data = file.seek(0) or file.read()
    assert data[:4] + data[-4:] == b"headtail"
    assert len(data) == 8 + 2 * SIZE + between
    for part in (data[4 : 4 + SIZE], data[-4 - SIZE : -4]):
        assert json.loads(part) == told
    assert json.loads(room.text)


def test_each_has_a_mark_of_its_own():
    assert Room().text != Room().text


@pytest.mark.parametrize("count", [0, 1, 100, 300, 10_000, 1_000_000])
def test_of_long_lists_the_first_are_told_and_how_many_more_there_are(count):
    gaps = [(n, n + 1) for n in range(count)]
    text = fitting(outcome(count, gaps, [{"reason": "x"}] * min(count, 5)), SIZE)
    assert len(text) == SIZE
    told = json.loads(text)
    kept = told["gaps"]
    assert kept == outcome(0, gaps[: len(kept)], [])["gaps"]
    assert len(kept) + told.get("gaps_left_out", 0) == count
    assert told["records"] == count
    if count == 100:
        assert len(kept) == 100
