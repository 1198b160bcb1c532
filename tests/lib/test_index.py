import segments as made

from speeddata.index import HEAD_SIZE, entries_of, index_path, pack_head, parse_head, write_index


def test_entries_are_those_of_the_format(tmp_path):
    path = made.write_segment(tmp_path / "example", [made.records(3), made.records(2, 3)], arrivals=[7, 8])
    entries = list(entries_of(index_path(path).read_bytes()[HEAD_SIZE:]))
    assert [(e.count, e.first_ns, e.min_ns, e.max_ns, e.arrival_ns) for e in entries] == [
        (3, made.START, made.START, made.START + 2_000_000, 7),
        (2, made.START + 3_000_000, made.START + 3_000_000, made.START + 4_000_000, 8),
    ]
    assert entries[0].offset + entries[0].length == entries[1].offset
    assert entries[1].offset + entries[1].length == path.stat().st_size


def test_head_round_trip():
    head = pack_head(made.SYNC, 300)
    assert len(head) == HEAD_SIZE
    assert parse_head(head) == (made.SYNC, 300)
    assert parse_head(head[:-1]) is None
    assert parse_head(b"X" + head[1:]) is None
    assert parse_head(head[:4] + b"\2" + head[5:]) is None


def test_write_index_replaces_at_once_and_leaves_nothing_behind(tmp_path):
    path = made.write_segment(tmp_path / "example", [made.records(3)])
    before = index_path(path).read_bytes()
    written = write_index(path, made.SYNC, parse_head(before)[1], before[HEAD_SIZE:])
    assert written == index_path(path)
    assert written.read_bytes() == before
    assert sorted(p.name for p in path.parent.iterdir()) == sorted([path.name, written.name])
