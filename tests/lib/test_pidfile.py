import os

import pytest

from speeddata.pidfile import pidfile


def test_holds_the_process_id_as_long_as_it_lasts(tmp_path):
    path = tmp_path / "service.pid"
    with pidfile(path):
        assert path.read_text() == f"{os.getpid()}\n"
        assert list(tmp_path.iterdir()) == [path]
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(KeyError), pidfile(path):
        raise KeyError
    assert list(tmp_path.iterdir()) == []


def test_without_a_path_there_is_none():
    with pidfile(None):
        pass


def test_where_it_cannot_be_written_the_service_runs_without(tmp_path, caplog):
    with pidfile(tmp_path / "nosuch" / "service.pid"):
        pass
    assert "no pid file: " in caplog.text
    full = tmp_path / "full.pid"
    (tmp_path / f".full.pid.{os.getpid()}").symlink_to("/dev/full")
    with pidfile(full):
        assert list(tmp_path.iterdir()) == [], "nothing half written"
