import errno
import os

import pytest

from speeddata.pivot.export_sink import Sink, table_rows


@pytest.fixture
def file(tmp_path):
    with (tmp_path / "x").open("w+b", buffering=0) as file:
        yield file


def test_everything_is_written_whole(file, monkeypatch):
    """Fault 4: the kernel takes part of what it is given."""
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:3]))
    sink = Sink(file.fileno())
    assert sink.write(b"0123456789") == 10
    assert sink.write(memoryview(b"ab")) == 2
    assert sink.tell() == 12
    monkeypatch.undo()
    file.seek(0)
    assert file.read() == b"0123456789ab"
    sink.check()


def test_a_full_disk_is_told_by_check_and_by_nothing_else(file, monkeypatch):
    def fail(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", fail)
    sink = Sink(file.fileno())
    assert sink.write(b"x") == 1
    monkeypatch.undo()
    sink.write(b"y")
    assert sink.tell() == 0, "nothing follows what is missing"
    with pytest.raises(OSError, match="No space left"):
        sink.check()


def test_check_asks_further(file):
    def stop():
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        Sink(file.fileno(), stop).check()


@pytest.mark.parametrize(("size", "rows"), [(0, 1 << 16), (44, 1 << 16), (1000, 8192), (10**9, 1)])
def test_rows_of_a_size(size, rows):
    assert table_rows(size) == rows
