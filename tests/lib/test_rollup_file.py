import numpy as np
import pyarrow as pa
import pytest
import rolled
import segments as made

from speeddata import rollup_file
from speeddata.errors import ArchiveError
from speeddata.rollup import LEVELS, Rollup
from speeddata.rollup_file import RollupFile, has_rollup, make_rollup
from speeddata.rollup_names import rollup_path, temporary_path

S = 10**9


@pytest.fixture
def path(tmp_path):
    rows = rolled.steady_rows(40_000)
    for row in rows[::7]:
        row["real"] = None
    return rolled.segment(tmp_path / "c", 0, rows)


def test_what_is_read_is_what_the_records_make(path):
    make_rollup(path, lambda: None)
    file = RollupFile.open(path)
    assert (file.records, file.sync, file.end) == (40_000, bytes(16), path.stat().st_size)
    assert (file.signals, LEVELS[file.finest]) == ({"real", "whole", "flag"}, 60 * S)
    times = np.array([made.START + n * S for n in range(40_000)])
    whole = np.arange(40_000)
    for level in range(file.finest, len(LEVELS)):
        wanted = Rollup.of_records(times, whole, LEVELS[level])
        found = file.read("whole", level)
        assert found.start_ns.tolist() == wanted.start_ns.tolist()
        for column, other in zip(found.rows[:5], wanted.rows[:5], strict=True):
            assert column.tolist() == other.tolist()
    kept = np.flatnonzero(whole % 7)
    real = Rollup.of_records(times[kept], kept / 4, 60 * S)
    assert file.read("real", file.finest).rows[0].tolist() == real.rows[0].tolist()


def test_any_program_can_map_and_read_it(path):
    with pa.memory_map(str(make_rollup(path, lambda: None))) as source:
        reader = pa.ipc.open_file(source)
        table = reader.get_batch(0)
        assert table.schema.names[:4] == ["start_ns", "count", "first_ns", "last_ns"]
        assert {"count:real", "min:real", "m2:flag"} <= set(table.schema.names)
        assert "count:whole" not in table.schema.names
        assert sum(table.column("count").to_pylist()) == 40_000
        assert reader.num_record_batches == len(RollupFile.open(path).rows) == 2


def test_it_has_the_rights_of_its_segment_and_nothing_is_left_beside(path):
    path.chmod(0o640)
    rollup = make_rollup(path, lambda: None)
    assert rollup == rollup_path(path)
    assert rollup.stat().st_mode & 0o777 == 0o640
    assert sorted(one.suffix for one in path.parent.iterdir()) == [".avro", ".idx", ".rollup"]


def test_whether_there_is_one(path):
    assert not has_rollup(path)
    make_rollup(path, lambda: None)
    assert has_rollup(path)
    rolled.segment(path.parent, 0, rolled.steady_rows(10), sync=bytes(range(16)))
    assert not has_rollup(path)


def test_an_interrupted_one_is_no_rollup(path, monkeypatch):
    def stop(*_):
        raise InterruptedError

    monkeypatch.setattr(rollup_file, "sync_folder", stop)
    monkeypatch.setattr("pathlib.Path.replace", stop)
    with pytest.raises(InterruptedError):
        make_rollup(path, lambda: None)
    assert temporary_path(path).exists()
    assert not has_rollup(path)
    with pytest.raises(InterruptedError):
        make_rollup(path, stop)


def test_damaged_segments_have_none(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(ArchiveError, match="cannot be read"):
        make_rollup(path, lambda: None)
    assert not rollup_path(path).exists()


def test_every_flipped_bit_is_noticed_or_makes_no_difference(tmp_path):
    path = rolled.segment(tmp_path / "c", 0, rolled.steady_rows(200))
    rollup = make_rollup(path, lambda: None)
    whole = rollup.read_bytes()
    wanted = [column.tolist() for column in RollupFile.open(path).read("real", 9).rows]
    for place in range(0, len(whole), 7):
        data = bytearray(whole)
        data[place] ^= 1 << place % 8
        rollup.write_bytes(data)
        try:
            found = [column.tolist() for column in RollupFile.open(path).read("real", 9).rows]
        except ArchiveError:
            continue
        assert found == wanted, place


def test_large_files_are_read_column_by_column(path, monkeypatch):
    make_rollup(path, lambda: None)
    wanted = RollupFile.open(path).read("real", 5).rows[5].tolist()
    monkeypatch.setattr(rollup_file, "SMALL", 0)
    assert RollupFile.open(path).read("real", 5).rows[5].tolist() == wanted


def test_a_signal_that_it_has_not_is_an_error(path):
    make_rollup(path, lambda: None)
    with pytest.raises(ArchiveError):
        RollupFile.open(path).read("nosuch", 9)
